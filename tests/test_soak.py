"""The judges of the crash matrix and of the soak are worth something; and a short soak."""
import collections

import pytest

import soak
from explained import Explained, now_text
from rig import wait_for
from verdict import Told, problems

EXECUTION = {"id": "e1", "filled_base_qty": "5", "execution_price": "0.5", "commission": "0.01",
             "commission_unit": "ADA", "role": "maker"}


def there(**fields):
    return {"id": "x1", "status": "open", "base_qty": "10", "order_execution_records": [EXECUTION],
            **fields}


def row(**fields):
    return {"order_id": "o1", "client_order_id": "one", "exchange_order_id": "x1",
            "state": "partially_filled", "executed_base_qty": "5", "executed_quote_qty": "2.5",
            "commission": "0.01", **fields}


def fill(**fields):
    return {"execution_id": "e1", "base_qty": "5", "price": "0.5", "commission": "0.01",
            "commission_unit": "ADA", "role": "maker", **fields}


def judged(rows, fills, theirs, cancelled=(), state="open", settling=None):
    told = Told()
    told.sent, told.placed = {"one": "10"}, {"one": {"order_id": "o1", "state": state}}
    told.cancelled = set(cancelled)
    found = problems(told, rows, fills, theirs, lambda _row: settling)
    return collections.Counter((one.kind, one.about) for one in found)


GONE = there(status="building", order_execution_records=[])
NEVER = {"executed_base_qty": "0", "executed_quote_qty": "0", "commission": "0"}


@pytest.mark.parametrize("kind, about, arguments", [
    ("lost", "order", dict(rows=[], fills=[fill()], theirs=[there()])),
    ("lost", "order", dict(rows=[], fills=[], theirs=[])),
    ("lost", "order", dict(rows=[row(order_id="o2")], fills=[fill()], theirs=[there()])),
    ("lost", "order", dict(rows=[row(state="failed", **NEVER)], fills=[], theirs=[GONE])),
    ("lost", "order", dict(rows=[row()], fills=[fill()], theirs=[
        there(), there(id="x2", base_qty="11", order_execution_records=[])])),
    ("duplicate", "order", dict(rows=[row()], fills=[fill()], theirs=[
        there(), there(id="x2", order_execution_records=[])])),
    ("duplicate", "order", dict(rows=[row(), row(order_id="o2")], fills=[fill()],
                                theirs=[there()])),
    ("untrue", "order", dict(rows=[row(executed_base_qty="4")], fills=[fill()],
                             theirs=[there()])),
    ("untrue", "order", dict(rows=[row()], fills=[fill()], theirs=[there()], cancelled=["one"])),
    ("untrue", "order", dict(rows=[row(state="unknown", **NEVER)], fills=[], theirs=[GONE],
                             state="submitting")),
    ("lost", "fill", dict(rows=[row()], fills=[], theirs=[there()])),
    ("duplicate", "fill", dict(rows=[row()], fills=[fill(), fill()], theirs=[there()])),
    ("untrue", "fill", dict(rows=[row()], fills=[fill(price="0.6")], theirs=[there()])),
    ("untrue", "fill", dict(rows=[row()], fills=[fill(), fill(execution_id="e2")],
                            theirs=[there()])),
])
def test_what_is_lost_doubled_or_untrue_is_counted(kind, about, arguments):
    assert judged(**arguments)[kind, about] >= 1, judged(**arguments)


def test_what_is_true_or_explained_is_not_counted():
    assert not judged([row()], [fill()], [there()])
    says_why = {"reason": "it does not know the order (yet)", "next_attempt_at": now_text()}
    assert not judged([row(state="unknown", **NEVER)], [], [GONE], state="submitting",
                      settling=says_why)


@pytest.mark.rig(log_level="info", timeout_ms="1000")
def test_a_riddle_is_not_explained_before_the_daemon_that_runs_has_asked(rig, app):
    rig.sim.faults({"match": {"path": "/order/submit"}, "drop": "before"},
                   {"match": {"path": "/accounts/order/*"}, "stall": True})
    order = app.order(headers={"Prefer": "respond-async"}).json
    wait_for(lambda: app.get(f"/v1/orders/{order['order_id']}").json["settling"])
    rig.daemon.kill()
    life = Explained(rig.daemon, rig.sim.order, limit=60)
    rig.daemon.start()
    life.start()
    life.join()
    assert life.count == 1 and not life.is_late, life.story
    life.limit = 0.5
    assert life.is_late, "explained, but after more than that"
    assert life.seconds > 0.9, "the first answer cannot be there before the first question's end"


@pytest.mark.seconds(180)
def test_a_short_soak_finds_nothing():
    assert soak.soak(6, 5, patience=6)
