"""How long after a restart an order may stay a riddle: ten seconds, when the exchange answers.

An order from before the restart is explained when, by the daemon's own API, it is final; or on the
book, and all of it is as the exchange has it now; or in doubt, and the daemon that runs now has
asked the exchange about it (not its predecessor), says why that did not help and when it asks
again. The clock begins when the process does, not when it first answers, and begins anew while the
exchange itself is away.
"""
import contextlib
import datetime
import http.client
import json
import pathlib
import threading
import time

import facts
import rig as rigs
from rig import UnixConnection, exchange_of
from verdict import LIVE, says_why

SECONDS = 10 * rigs.SLOWNESS
PAUSE = 0.05
OPEN = ("accepted", "building", "submitting", "unknown", "open", "partially_filled")
AWAY = (OSError, http.client.HTTPException, TypeError, ValueError, AssertionError)


def now_text():
    """As the daemon writes times."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Explained(threading.Thread):
    """Watches one life of the daemon, from its launch on, until all is explained or it has died.

    Make it just before the launch and start it when the daemon serves. exchange_order(id): the
    exchange's own record of an order. Afterwards: seconds, or None when the daemon died before, and
    story: what there was to wait for, and when."""

    def __init__(self, program, exchange_order, limit=SECONDS):
        super().__init__(daemon=True)
        self.program, self.exchange_order, self.limit = program, exchange_order, limit
        self.launched, self.since = now_text(), time.monotonic()
        self.process = self.seconds = None
        self.left, self.count = None, 0  # orders from before: ids not explained yet, and how many
        self.story, self.is_over = [], threading.Event()

    def start(self):
        self.process = self.program.process
        self.tell("it serves")
        super().start()

    def tell(self, text):
        self.story.append(f"{time.monotonic() - self.since:.2f} s: {text}")

    @property
    def is_late(self):
        return self.seconds is not None and self.seconds > self.limit

    def run(self):
        while not self.is_over.is_set() and self.is_up():
            try:
                self.look()
            except AWAY as away:  # perhaps it is about to die; else it is asked again
                self.tell(repr(away))
            taken = time.monotonic() - self.since
            if self.left == [] or (taken > self.limit and self.is_up()):
                self.seconds = taken
                self.tell(f"it waited {self.starved():.1f} s for a processor")
                return
            self.is_over.wait(PAUSE)

    def starved(self):
        """Seconds that its threads were ready to run, and something else ran."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        with contextlib.suppress(OSError):
            return sum(int(task.read_text().split()[1]) for task in tasks) / 1e9
        return 0.0

    def look(self):
        if self.left is None:
            self.left = self.before()
            self.count = len(self.left)
            self.tell(f"{self.count} orders from before")
        for order_id in list(self.left):
            if self.is_explained(order_id):
                self.left.remove(order_id)

    def is_up(self):
        return self.process.poll() is None

    def get(self, target):
        got = exchange_of(UnixConnection(self.program.socket, SECONDS), "GET", target, None,
                          {})
        assert got.status == 200, got
        return json.loads(got.body)

    def before(self):
        """Ids of the orders that were there before, and have not ended."""
        found, cursor = [], ""
        while cursor is not None:
            page = self.get(f"/v1/orders?owner=any&limit=500&state={','.join(OPEN)}"
                            + (f"&cursor={cursor}" if cursor else ""))
            found += [o["order_id"] for o in page["data"] if o["created_at"] < self.launched]
            cursor = page["next_cursor"]
        return found

    def is_explained(self, order_id):
        order = self.get(f"/v1/orders/{order_id}?owner=any")
        state, settling = order["state"], order["settling"]
        # Asked by the daemon that runs now, not by the one before.
        is_asked = bool(says_why(settling) and settling["asked"])
        if state in ("open", "partially_filled"):
            is_clear = is_asked or self.is_as_there(order)
        else:
            is_clear = state in facts.FINAL or (state == "unknown" and is_asked)
        if not is_clear:
            self.tell(f"{order_id} is {state}, settling {settling}")
        return is_clear

    def is_as_there(self, order):
        try:
            there = self.exchange_order(order["exchange_order_id"])
        except AWAY:
            self.since = time.monotonic()  # nobody can be told anything now
            return False
        try:
            facts.check_order(order, there)
        except AssertionError:
            return False
        return there["status"] in LIVE
