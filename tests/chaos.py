"""A daemon that dies again and again, apps that trade through it, an exchange whose streams lie and
break, and subscribers of all kinds: who takes part in test_stream_chaos.py and soak.py, and what
must be true of what they were told. What is random comes from one seed."""
import collections
import contextlib
import http.client
import json
import random
import shutil
import threading
import time
from decimal import Decimal

from facts import (
    FINAL, check_against_exchange, check_records, is_settled, live_on_exchange, random_order)
from intruders import Intruder
from rig import BUILD, App, wait_for
from subscribers import (
    LOSSLESS, Door, EventsSubscriber, Subscriber, Tail, come_and_go, read_fast,
    read_slowly, stop_at_times)

RATE = 20
CHANNELS = ("orders", "fills")

# How often each kind of subscriber takes part.
Plan = collections.namedtuple(
    "Plan", "orders kills fast slow stopping flapping events flapping_events tails intruders")


def make_options():
    """Of a daemon that is to notice and mend everything soon."""
    return dict(
        market_maker=True, log_level="info", max_orders_per_second=RATE, rate_reads_per_second=40,
        account_poll_ms=500, settle_resubmit_ms=1500, timeout_ms=3000, stream_retry_min_ms=50,
        stream_retry_max_ms=1000, stream_ping_ms=1000, stream_pong_ms=1000,
        subscriber_queue_bytes=16384, subscriber_slow_ms=2000, heartbeat_ms=5000,
        stream_linger_ms=500)


def start(rig):
    """Always at one address, as it will be killed and come back."""
    rig.sim.options += ["--rate-orders", str(RATE), "--crowd-ms", "300"]
    rig.start()
    rig.daemon.options["listen"] = "%s:%d" % rig.daemon.address
    return rig


def faults(chance):
    """What the exchange's streams do all the while, and its answers now and then."""
    def messages(stream, **trouble):
        return {"match": {"stream": stream}, "probability": chance.uniform(0.03, 0.1), **trouble}

    rare = {"probability": 0.01}
    return [
        rule for stream in ("account", "*:*") for rule in (
            messages(stream, lose=True), messages(stream, double=True), messages(stream, late=2),
            messages(stream, late=20), messages(stream, delay_ms=chance.randint(50, 700)),
            {"match": {"stream": stream}, "drop": "after", **rare},
            {"match": {"stream": stream}, "drop": True, **rare},
            {"match": {"stream": stream}, "close": 1001, **rare},
            {"match": {"stream": stream}, "stall": "after", **rare},
            {"match": {"stream": stream}, "at": "handshake", "probability": 0.2,
             "answer": {"status": 503, "body": "no healthy upstream"}},
        )
    ] + [
        {"match": {"path": "/order/submit"}, "drop": "after", **rare},
        {"match": {"path": "/order/submit"}, "drop": "before", **rare},
        {"match": {"path": "/accounts/*"}, "drop": "either", "probability": 0.03},
        {"switch": "ws_drop", "ms": 6000},
    ]


class Worker(threading.Thread):
    """Does something again and again until it is told to stop."""

    def __init__(self, chance):
        super().__init__(daemon=True)
        self.chance, self.failure, self.is_done = chance, None, threading.Event()

    def run(self):
        try:
            while not self.is_done.is_set():
                self.work()
        except Exception as error:  # the main thread shows it
            self.failure = error


class Trader(Worker):
    """Places orders, each under an id of its own until it knows what became of it."""

    def __init__(self, app, chance, number, on_placed):
        super().__init__(chance)
        self.app, self.number, self.on_placed = app, number, on_placed
        self.count, self.told = 0, {}  # order id -> the last answer

    def work(self):
        self.count += 1
        name = f"chaos-{self.number}-{self.count}"
        order = self.placed(client_order_id=name, **self.fields(name))
        if order:
            self.go_on(order)
        self.is_done.wait(self.chance.uniform(0, 0.1))

    def fields(self, _name):
        return random_order(self.chance)

    def go_on(self, order):
        if self.chance.random() < 0.3:
            self.is_done.wait(self.chance.uniform(0, 1))
            self.ask(lambda: self.app.delete("/v1/orders/" + order["order_id"],
                                             {"Prefer": "wait=2"}))

    def placed(self, **body):
        """The order, or None if it was refused, failed, or everything ended before it was known."""
        while not self.is_done.is_set():
            answer = self.ask(lambda: self.app.order(headers={"Prefer": "wait=3"}, **body))
            if not answer or answer.status in (429, 503, 423):
                self.is_done.wait(self.chance.uniform(0.05, 0.3))
                continue
            assert answer.status in (200, 201, 202, 422, 502), answer
            if answer.status in (422, 502):
                return None
            order = answer.json
            self.told[order["order_id"]] = order
            if order["state"] in ("open", "partially_filled", "filled", "cancelled"):
                self.on_placed()
                return order
            if order["state"] in ("rejected", "failed"):
                return None
            self.is_done.wait(self.chance.uniform(0.1, 0.3))
        return None

    def ask(self, call):
        """The answer; None when the daemon is away, or died before it spoke."""
        try:
            return call()
        except (OSError, http.client.HTTPException, json.JSONDecodeError):
            return None


class OtherTrader(Worker):
    """Takes from our orders, wholly or in part, also while the daemon is dead."""

    def __init__(self, sim, chance):
        super().__init__(chance)
        self.sim = sim

    def work(self):
        self.is_done.wait(self.chance.uniform(0.05, 0.4))
        resting = self.sim.control("GET", "orders", account="main", status="open")
        if resting:
            order = self.chance.choice(resting[-30:])
            part = {"base_quantity": str(self.chance.choice((1, 3, 7.5)))}
            with contextlib.suppress(AssertionError):  # gone meanwhile, or less is left of it
                self.sim.control("POST", "trade", {
                    "order_id": order["id"], **(part if self.chance.random() < 0.6 else {})})


class Stopper(Worker):
    """Stops processes for a while, as Ctrl-Z and a debugger do."""

    def __init__(self, tails, chance):
        super().__init__(chance)
        self.tails = tails

    def work(self):
        self.is_done.wait(self.chance.uniform(0.2, 1.5))
        self.chance.choice(self.tails).pause(self.chance.uniform(0.1, 6), self.is_done)


class Chaos:
    """Everybody who takes part, and how far they have come."""

    def __init__(self, rig, plan, seed):
        self.rig, self.plan, self.chance = rig, plan, random.Random(seed)
        self.door = Door(rig.daemon)
        self.apps = [App(self.door, rig.app().token) for _ in range(4)]
        self.reader = rig.app("read").token
        self.one_market = rig.app("read", "market", symbols=["ADAUSDM"]).token
        self.stranger = rig.app("read", "market").token
        self.placed = self.kills = self.hits = 0
        self.lock = threading.Lock()
        self.subscribers, self.tails, self.intruders, self.workers = [], [], [], []

    def sub_chance(self):
        return random.Random(self.chance.getrandbits(64))

    # ---- who takes part

    def views(self):
        """What one may see, and how: everything, an app its own, a reader one market."""
        own = self.chance.choice(self.apps).token
        return self.chance.choice((
            ("1", {"unix": True}), ("1", {"token": self.reader}),
            (f"token_id = '{own.split('_')[1]}'", {"token": own}),
            ("symbol = 'ADAUSDM'", {"token": self.one_market})))

    def add(self, kind, manner, count, **more):
        for _ in range(count):
            view, options = self.views()
            self.subscribers.append(kind(self.door, manner, self.sub_chance(), view=view,
                                         **options, **more))

    def gather(self):
        plan = self.plan
        # At least one sees all there is, and follows a market beside.
        self.subscribers.append(Subscriber(
            self.door, read_fast, self.sub_chance(), unix=True, channels=LOSSLESS,
            markets=("depth:ADAUSDM", "price:ADAUSDM", "trades:ADAUSDM")))
        self.add(Subscriber, read_fast, plan.fast - 1)
        self.add(Subscriber, read_slowly, plan.slow)
        self.add(Subscriber, stop_at_times, plan.stopping)
        self.add(Subscriber, come_and_go, plan.flapping)
        self.add(EventsSubscriber, read_fast, plan.events)
        self.add(EventsSubscriber, come_and_go, plan.flapping_events)
        self.tails = [Tail(self.door, self.rig.daemon.data_dir, self.rig.folder, number)
                      for number in range(plan.tails)]
        self.intruders = [Intruder(self.door, self.stranger, self.sub_chance())
                          for _ in range(plan.intruders)]
        for one in self.subscribers:
            one.start()
        wait_for(self.everybody_listens, 30)

    def everybody_listens(self):
        self.nobody_failed()
        for tail in self.tails:
            assert tail.is_alive(), tail.log_file.read_text()
            tail.catch_up()
        return all(one.history.has_begun for one in (*self.subscribers, *self.tails))

    def begin_trade(self):
        self.workers = [self.trader(app, number) for number, app in enumerate(self.apps)]
        self.workers.append(OtherTrader(self.rig.sim, self.sub_chance()))
        if self.tails:
            self.workers.append(Stopper(self.tails, self.sub_chance()))
        for worker in (*self.workers, *self.intruders):
            worker.start()

    def trader(self, app, number):
        return Trader(app, self.sub_chance(), number, self.on_placed)

    def on_placed(self):
        with self.lock:
            self.placed += 1

    # ---- what happens to the daemon

    def kill_at_random(self):
        """Each kill when so many orders have been placed, and a moment later."""
        orders = self.plan.orders
        moments = sorted(self.chance.randrange(orders) for _ in range(self.plan.kills))
        for moment in moments:
            self.trade_until(moment)
            time.sleep(self.chance.uniform(0, 0.5))
            self.kill()
            if self.chance.random() < 0.5:
                time.sleep(self.chance.uniform(0, 1))
            if self.chance.random() < 0.2:
                self.kill_while_it_starts()
            self.rig.daemon.start()
        self.trade_until(orders)

    def kill_while_it_starts(self):
        self.rig.daemon.launch()
        time.sleep(self.chance.uniform(0, 0.3))
        self.kill()

    def trade_until(self, count):
        """Waits, as long as there is some progress."""
        def is_there():
            self.nobody_failed()
            return self.placed >= min(count, before + 1)

        while self.placed < count:
            before = self.placed
            wait_for(is_there, 40, f"more than {before} orders of {count}")

    def kill(self):
        daemon = self.rig.daemon
        assert daemon.is_running(), f"it died by itself: {daemon.log_text()[-3000:]}"
        daemon.kill()
        self.kills += 1

    def nobody_failed(self):
        for one in (*self.subscribers, *self.tails, *self.intruders, *self.workers):
            if one.failure:
                raise RuntimeError(f"{one.name}: {one.failure}") from one.failure

    # ---- the end

    def end_trade(self):
        self.stop_trade()
        wait_for(lambda: is_settled(self.rig), 60, "nothing is in doubt")
        wait_for(self.take_back, 60, "no order is live")
        wait_for(lambda: check_against_exchange(self.rig) is None, 60, "the journal is true")

    def stop_trade(self):
        for worker in (*self.workers, *self.intruders):
            worker.is_done.set()
        for worker in (*self.workers, *self.intruders):
            worker.join()
        self.nobody_failed()
        self.calm_down()

    def calm_down(self):
        """The exchange answers, and its streams tell all."""
        self.hits += sum(rule["hits"] for rule in self.rig.sim.control("GET", "faults")["rules"])
        self.rig.sim.clear_faults()

    def take_back(self):
        """Ends what rests, which others would trade with while we look; true when that is done."""
        live = live_on_exchange(self.rig.sim)
        for symbol in {order["symbol"] for order in live}:
            self.rig.daemon.admin.delete("/v1/orders", symbol=symbol, owner="any")
        return not live

    def is_even(self, one):
        """It has all that the journal keeps for its view, from where it began."""
        assert not one.failure
        for channel in one.channels:
            kept = self.kept(channel, one.view)
            seqs = [seq for seq, _ in one.texts(channel)]
            want = [seq for seq in kept if seq > one.history.begin[channel]]
            assert seqs == want, f"{one.name} {channel}: {len(seqs)} of {len(want)}"
        return True

    def kept(self, channel, view):
        return [row["seq"] for row in self.rig.daemon.journal(
            "select seq from channel_events join channels using (channel)"
            f" where name = '{channel}' and {view} order by seq")]

    def all_are_even(self):
        for one in self.subscribers:
            one.hurry.set()
        for one in (*self.subscribers, *self.tails):
            wait_for(lambda: self.is_even(one), 60, f"{one.name} has everything")

    def leave(self):
        for one in self.subscribers:
            one.is_done.set()
        for one in self.subscribers:
            one.join()
        for tail in self.tails:
            tail.stop()
        self.nobody_failed()


# ---- the judge ---------------------------------------------------------------------------------


def check_histories(chaos):
    """No gap, no double, one epoch; and whoever saw the same was told the same, byte for byte."""
    epochs, told = set(), {}
    for one in (*chaos.subscribers, *chaos.tails):
        history = one.history
        assert (history.gaps, history.doubles) == (0, 0), one.name
        epochs |= history.epochs
        for channel in one.channels:
            first, known = told.setdefault((channel, one.view), (one, dict(one.texts(channel))))
            assert dict(one.texts(channel)) == known, f"{one.name} and {first.name} differ"
    assert len(epochs) == 1, epochs


def executed(order):
    return Decimal(order["executed_base_qty"])


def check_states(events):
    """An order's story: the end is the end, and what was executed never becomes less."""
    last = {}
    for order in events:
        before = last.get(order["order_id"])
        if before:
            story = f"{before} became {order}"
            assert before["state"] not in FINAL or order["state"] == before["state"], story
            assert executed(order) >= executed(before), story
        last[order["order_id"]] = order
    return last


def check_told(chaos):
    """What was told is what happened: every order's end, and each execution once."""
    witness = chaos.subscribers[0]
    orders, fills = ([json.loads(text)["data"] for _, text in witness.texts(channel)]
                     for channel in CHANNELS)
    last = check_states(orders)
    check_records(chaos.rig.sim, last.values(), fills)
    for trader in chaos.workers[:len(chaos.apps)]:
        assert trader.told.keys() <= last.keys(), "an order that was acknowledged was never told"
    return last, fills


def keep_evidence(chaos, seed, name="chaos"):
    """What a failure leaves behind: logs, journal, and the exchange's record."""
    folder = BUILD / name / str(seed)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(chaos.rig.folder, folder, ignore=shutil.ignore_patterns("*.sock"))
    with contextlib.suppress(OSError, AssertionError):
        (folder / "orders.json").write_text(json.dumps(chaos.rig.sim.orders(), indent=1))
        (folder / "requests.json").write_text(json.dumps(chaos.rig.sim.log(), indent=1))
    print(f"{name}: what is left of it is in {folder}", flush=True)
