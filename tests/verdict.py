"""What is lost, doubled or untrue: the exchange's record against the journal and what was told.

Each order has a quantity of its own, so that the exchange's record alone tells how often it is
there, whatever the daemon believes.
"""
import collections
from decimal import Decimal

import facts

LIVE = ("processing", "open", "closed", "cancelled")  # it is or was on the book
NEVER_THERE = ("failed", "rejected", "cancelled")
IN_DOUBT = ("unknown", "submitting", "building", "accepted")

# kind: lost, duplicate or untrue; about: order or fill.
Problem = collections.namedtuple("Problem", "kind about text")


class Told:
    """What apps sent, and what was acknowledged to them."""

    def __init__(self):
        self.sent = {}          # client_order_id -> quantity
        self.placed = {}        # client_order_id -> the last answer about it
        self.cancelled = set()  # client_order_ids that were said to be cancelled

    def note_cancelled(self, order_ids):
        """The answer to a cancel-all names orders by the daemon's ids."""
        by_id = {order["order_id"]: name for name, order in list(self.placed.items())}
        self.cancelled |= {by_id[one] for one in order_ids if one in by_id}


def problems(told, rows, fills, theirs, settling):
    """rows, fills: of the journal. theirs: every order of the account on the exchange.
    settling(row): what GET /v1/orders/{id} says under that name, for an order in doubt."""
    there = collections.defaultdict(list)
    taken_back = {order["id"] for order in theirs if is_taken_back(order)}
    for order in theirs:
        if order["status"] in LIVE:
            there[Decimal(order["base_qty"])].append(order)
    ours = collections.defaultdict(list)
    for row in rows:
        ours[row["client_order_id"]].append(row)
    for name, quantity in list(told.sent.items()):
        yield from of_order(told, name, ours[name], there[Decimal(quantity)], settling, taken_back)
    known = {row["exchange_order_id"] for row in rows}
    for live in there.values():
        for order in live:
            if order["id"] not in known:
                yield Problem("lost", "order", f"the journal does not know {order}")
    yield from of_fills(fills, theirs)


def is_taken_back(order):
    """The exchange said yes, and then would not have it: post-only, and the book had moved."""
    return order["status"] == "failed" and order["is_submitted"] and order["post_only"] \
        and 0 in order["submit_answers"]


def of_order(told, name, rows, live, settling, taken_back):
    if len(live) > 1 or len(rows) > 1:
        yield Problem("duplicate", "order", f"{name} is there {len(live)} times: {live}, {rows}")
        return
    row = rows[0] if rows else None
    if not row:
        if name in told.placed or live:
            yield Problem("lost", "order", f"{name} was acknowledged, or is live, and is gone")
        return
    placed = told.placed.get(name)
    if placed and row["order_id"] != placed["order_id"]:
        yield Problem("lost", "order", f"{name} was {placed['order_id']} and is {row}")
    elif live:
        yield from of_live(told, name, row, live[0])
    else:
        yield from of_absent(told, name, row, settling, taken_back)


def of_live(told, name, row, order):
    if row["exchange_order_id"] != order["id"]:
        yield Problem("untrue", "order", f"{name}: {row} is not {order}")
        return
    try:
        facts.check_order(row, order)
    except AssertionError as error:
        yield Problem("untrue", "order", f"{name}: {error}")
        return
    if name in told.cancelled and row["state"] != "cancelled":
        yield Problem("untrue", "order", f"{name} was cancelled and is {row['state']}")
    elif row["state"] in IN_DOUBT:
        yield Problem("untrue", "order", f"{name} is {row['state']} and live on the exchange")


def of_absent(told, name, row, settling, taken_back):
    """Not on the book: final, or unknown with a reason and a time."""
    state = told.placed.get(name, {}).get("state")
    if state == "open" and row["state"] == "failed" and row["exchange_order_id"] in taken_back:
        return
    if state in ("open", "partially_filled", "filled"):
        yield Problem("lost", "order", f"{name} was told to be {state}, never on the book: {row}")
    elif row["state"] not in NEVER_THERE and not (
            row["state"] == "unknown" and says_why(settling(row))):
        yield Problem("untrue", "order",
                      f"{name} is {row['state']}, not on the book, and nobody says why")


def says_why(settling):
    return bool(settling and settling["reason"] and settling["next_attempt_at"])


def of_fills(fills, theirs):
    """Each execution is booked once, as it was."""
    happened = {e["id"]: e for o in theirs for e in facts.executions(o)}
    booked = collections.Counter(fill["execution_id"] for fill in fills)
    for execution_id in happened.keys() - booked.keys():
        yield Problem("lost", "fill", f"not booked: {happened[execution_id]}")
    for execution_id, times in booked.items():
        if times > 1:
            yield Problem("duplicate", "fill", f"{execution_id} is booked {times} times")
    for fill in fills:
        record = happened.get(fill["execution_id"])
        try:
            assert record, f"it never happened: {fill}"
            facts.check_fill(fill, record)
        except AssertionError as error:
            yield Problem("untrue", "fill", str(error))
