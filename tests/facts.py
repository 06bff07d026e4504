"""What tests know of orders: how the exchange's record and the journal are held side by side."""
from decimal import Decimal

from rig import wait_for

FINAL = ("filled", "cancelled", "rejected", "failed")
# Our states for each status of the exchange, by whether something was executed.
STATES = {
    "building": ("failed", "rejected", "cancelled", "unknown", "building", "submitting"),
    "processing": ("open", "submitting", "unknown"),
    "open": ("open", "partially_filled"),
    "closed": ("filled",),
    "cancelled": ("cancelled",),
    "failed": ("failed",),
}


# A fault: whatever the account's stream would tell is lost.
SILENCE = {"match": {"stream": "account"}, "lose": True}


def drop(when, path, **more):
    """A fault: the connection dies before or after the exchange has acted."""
    return {"match": {"path": path, "method": "POST"}, "drop": when, **more}


def answer(when, path, **more):
    """A fault: this answer, instead of acting or although it acted."""
    known = ("status", "code", "error", "body", "content_type")
    told = {key: more.pop(key) for key in list(more) if key in known}
    return {"match": {"path": path, "method": "POST"}, "when": when, "answer": told, **more}


def random_order(chance):
    """Any kind of order: resting, crossing, post-only, at market, by base or by quote."""
    symbol, low, high, size = chance.choice((
        ("ADAUSDM", 0.70, 0.80, "20"), ("NIGHTUSDM", 0.040, 0.050, "400"),
        ("IAGUSDM", 0.25, 0.29, "60")))
    order = {"symbol": symbol, "side": chance.choice(("buy", "sell")), "base_quantity": size}
    kind = chance.random()
    if kind < 0.2:
        order.update(type="market", max_slippage_basis_point=chance.choice((20, 300)))
        if kind < 0.05:
            order.update(quote_quantity="12.5", base_quantity=None)
    else:
        order.update(price=f"{chance.uniform(low, high):.4f}", post_only=kind > 0.85 or None)
    return order


def own_orders(sim):
    """What the daemon's account ever had on the exchange."""
    return [o for o in sim.orders() if o["account"] == "main"]


def live_on_exchange(sim):
    return [o for o in own_orders(sim) if o["status"] in ("processing", "open")]


def on_book(sim, order):
    """Waits until an order that was taken rests on the book; its own form there."""
    return wait_for(lambda: (o := sim.order(order["exchange_order_id"]))["status"] == "open" and o)


def executions(order):
    return order.get("order_execution_records") or []


def same(left, right):
    """Equal as decimals; nothing is lost by another number of zeros."""
    return Decimal(left) == Decimal(right)


def check_against_exchange(rig):
    """Every order, state, execution and fee of the journal equals the exchange's own record."""
    check_records(rig.sim, rig.daemon.journal("select * from v_orders"),
                  rig.daemon.journal("select * from v_fills"))


def check_records(sim, rows, fills):
    """The same for orders as they are in the end, and fills, whoever told of them."""
    theirs = {o["id"]: o for o in own_orders(sim)}
    ours = {row["exchange_order_id"]: row for row in rows if row["exchange_order_id"]}
    for exchange_id, order in theirs.items():
        if not order["is_submitted"]:
            continue  # built, and then the daemon died: the exchange lets it expire
        assert exchange_id in ours, f"nobody knows {order}"
    for row in rows:
        if not row["exchange_order_id"]:
            assert row["state"] in ("rejected", "failed", "cancelled"), row
            continue
        check_order(row, theirs[row["exchange_order_id"]])
    check_fills(fills, theirs)


def check_order(row, order):
    assert row["state"] in STATES[order["status"]], (row, order)
    records = executions(order)
    assert same(row["executed_base_qty"], sum(Decimal(e["filled_base_qty"]) for e in records)), row
    assert same(row["commission"], sum(Decimal(e["commission"]) for e in records)), (row, records)
    quote = sum(Decimal(e["filled_base_qty"]) * Decimal(e["execution_price"]) for e in records)
    assert same(row["executed_quote_qty"], quote), (row, records)
    if row["state"] == "open":
        assert not records, (row, records)
    if row["state"] == "partially_filled":
        assert records, row


def check_fills(fills, theirs):
    booked = {fill["execution_id"]: fill for fill in fills}
    assert len(booked) == len(fills), "an execution is booked twice"
    happened = {e["id"]: e for o in theirs.values() for e in executions(o)}
    assert set(booked) == set(happened)
    for execution_id, fill in booked.items():
        record = happened[execution_id]
        assert same(fill["base_qty"], record["filled_base_qty"]), (fill, record)
        assert same(fill["price"], record["execution_price"]), (fill, record)
        assert same(fill["commission"], record["commission"]), (fill, record)
        assert fill["commission_unit"] == record["commission_unit"], (fill, record)
        assert fill["role"] == record["role"], (fill, record)


def is_settled(rig):
    """Nothing is under way any more, and nothing is in doubt."""
    doubtful = rig.daemon.journal(
        "select order_id, state from v_orders"
        " where state in ('accepted', 'building', 'submitting', 'unknown')")
    return not doubtful


def most_in_window(entries, seconds):
    """The largest number of requests in any window of so many seconds, by the exchange's clock.

    A simulator that had to wait for its processor reads late: a request counts as having come
    when it can have come at the earliest, those after it when they were read."""
    times = sorted((entry["mono_us"], entry["came_after_mono_us"]) for entry in entries)
    return max((sum(1 for later, _ in times[at:] if later < came + seconds * 1e6)
                for at, (_, came) in enumerate(times)), default=0)
