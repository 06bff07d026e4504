"""Reconciliation: what is planted is found in the next run, in the right class, and nothing else.

The daemon's own safety nets are as far away as settings allow, so that a discrepancy lives until
a run finds it: open orders are not polled for, and the account's stream may be told to lose all.
"""
import json
import subprocess
import time

import pytest

from facts import SILENCE, drop, on_book
from rig import wait_for
from trader import Trader

CANCEL = "/order/*/cancel"
ALONE = {"account_poll_ms": "600000", "reconcile_interval_ms": "3600000"}


def state(rig):
    answered = rig.daemon.admin.get("/v1/admin/reconciliation")
    assert answered.status == 200, answered
    return answered.json


def reconcile(rig):
    """One run on demand; what it found, as (class, about) to the finding."""
    answered = rig.daemon.admin.post("/v1/admin/reconcile")
    assert answered.status == 200, answered
    found = answered.json["findings"]
    return {(one["class"], one["about"]): one for one in found}


class Stranger(Trader):
    """Another program with the same account's keys, that waits while the exchange is busy."""

    def request(self, method, path, body=None):
        return wait_for(lambda: (a := super(Stranger, self).request(method, path, body)).status
                        != 429 and a)


def stranger(rig):
    return Stranger(rig.sim, rig.api_key, rig.password)


def live(rig):
    """A daemon whose account stream is live, and whose balances have a base."""
    rig.start()
    wait_for(lambda: rig.daemon.admin.get("/v1/health").json["streams"]["account"]["state"]
             == "live")
    assert reconcile(rig) == {}
    return rig


def settle_down(rig):
    """A fresh order is asked for until it rests: what is planted must come after that."""
    def asked():
        return len(rig.sim.log(path="/accounts/order/*"))

    def is_quiet():
        before = asked()
        time.sleep(1.3)
        return asked() == before

    wait_for(is_quiet)


def resting(rig, app, **fields):
    order = app.order(**fields)
    assert order.status == 201, order
    on_book(rig.sim, order.json)
    wait_for(lambda: app.get("/v1/orders/" + order.json["order_id"]).json["state"] == "open")
    return order.json


def edit(rig, sql):
    """The journal of a stopped daemon, as nobody should."""
    done = subprocess.run(["sqlite3", rig.daemon.journal_file, sql], capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def check_records(rig, found):
    """What the answer tells is in the journal, counted, and was told on `system`."""
    rows = rig.daemon.journal("select * from v_reconciliation where class is not null")
    assert {(row["class"], row["about"]) for row in rows} >= set(found)
    counts = state(rig)["counts"]
    assert sum(counts.values()) >= len(found)
    told = rig.daemon.journal(
        "select data from channel_events where type = 'reconciliation.finding'")
    abouts = {json.loads(row["data"])["about"] for row in told}
    assert abouts >= {about for _, about in found}


def test_ten_planted_discrepancies_are_found_and_told_once(make_rig):
    rig = live(make_rig(**ALONE))
    app, other = rig.app(), stranger(rig)
    orders = [resting(rig, app, price=price) for price in ("0.45", "0.44", "0.43", "0.42")]
    large = resting(rig, app, base_quantity="10000", price="0.41")
    part, whole, gone, replaced = (order["exchange_order_id"] for order in orders)
    settle_down(rig)
    rig.sim.faults(SILENCE)
    rig.sim.fill(part, 25)                                                   # 1 missed fill
    rig.sim.fill(whole)                                                      # 2 missed last fill
    assert other.cancel(gone).status == 200                                  # 3 cancelled unheard
    foreign = other.place(price="0.40")                                      # 4 foreign, resting
    taken = other.place(price="0.39")
    on_book(rig.sim, {"exchange_order_id": taken})
    rig.sim.fill(taken)                                                      # 5 foreign, executed
    rig.sim.credit("IAG", 7)                                                 # 6 deposit
    rig.sim.credit("NIGHT", -3)                                              # 7 withdrawal
    rig.sim.faults({"switch": "overflow_u64", "on": True})
    rig.sim.fill(large["exchange_order_id"])                                 # 8 a wrong amount
    rig.sim.fill(replaced, 10)
    assert other.cancel(replaced).status == 200                              # 9 cancelled in part
    found = reconcile(rig)
    fills = {one["exchange_order_id"] for one in found.values() if one["class"] == "missed_fill"}
    assert fills == {part, whole, replaced, large["exchange_order_id"]}, found
    assert all(one["action"] == "booked" for one in found.values() if one["class"] == "missed_fill")
    lag = found["state_lag", orders[2]["order_id"]]
    assert (lag["journal"], lag["action"]) == ("open, executed 0", "asked")
    assert lag["exchange"].startswith("cancelled")
    for exchange_id, word in ((foreign, "open"), (taken, "closed")):
        told = found["foreign_order", exchange_id]
        assert told["exchange"].startswith(word) and told["action"] == "followed", told
    assert found["balance_drift", "IAG"]["exchange"] == "1000007 free and locked"
    assert found["balance_drift", "NIGHT"]["journal"] == "1000000 after own executions"
    for asset in ("ADA", "USDM"):                                            # 10 the stranger's
        assert found["balance_drift", asset], found
    check_records(rig, found)
    states = [app.get("/v1/orders/" + one["order_id"]).json["state"] for one in orders]
    assert states == ["partially_filled", "filled", "cancelled", "cancelled"]
    # The amount differs once the execution is booked: that is for the run after.
    again = reconcile(rig)
    assert set(again) == {("amount_mismatch", large["order_id"])}, again
    assert again["amount_mismatch", large["order_id"]]["action"] == "reported"
    assert other.cancel(foreign).status == 200                               # followed to its end
    last = reconcile(rig)
    assert set(last) == {("foreign_order", foreign)}, last
    assert last["foreign_order", foreign]["exchange"].startswith("cancelled")
    assert state(rig)["following"] == 0
    # Told once; also by the next daemon.
    assert reconcile(rig) == {}
    rig.daemon.restart().ready()
    assert reconcile(rig) == {}


def test_an_unknown_fate_is_told_once_it_is_settled(make_rig):
    rig = live(make_rig(**ALONE))
    app = rig.app()
    rig.sim.faults(SILENCE, drop("after", "/order/submit", times=1))  # or the stream may be first
    order = app.order().json
    path = "/v1/orders/" + order["order_id"]
    wait_for(lambda: app.get(path).json["state"] == "open")
    found = reconcile(rig)
    assert set(found) == {("unknown_settled", order["order_id"])}, found
    # No question about an order is answered, but the list has it.
    rig.sim.faults(drop("after", "/order/submit", times=1),
                   {"match": {"path": "/accounts/order/*"}, "answer": {"status": 500}})
    lost = app.order(price="0.44", headers={"Prefer": "respond-async"}).json
    path = "/v1/orders/" + lost["order_id"]
    wait_for(lambda: (i := app.get(path).json["exchange_order_id"])
             and rig.sim.order(i)["status"] == "open")
    doubtful = wait_for(lambda: (o := app.get(path).json)["state"] == "unknown" and o["settling"]
                        and o)["settling"]
    assert doubtful["since"] and doubtful["next_attempt_at"] and doubtful["reason"]
    found = reconcile(rig)
    assert found["unknown_settled", lost["order_id"]]["action"] == "settled", found
    assert app.get(path).json["state"] == "open"
    check_records(rig, found)


def test_a_journal_that_was_edited_is_found_out(make_rig):
    rig = live(make_rig(**ALONE))
    app, other = rig.app(), stranger(rig)
    orders = [resting(rig, app, price=price) for price in ("0.45", "0.44", "0.43", "0.42", "0.41")]
    ended, priced, short, unbooked, lost = orders
    for order in (short, unbooked):
        rig.sim.fill(order["exchange_order_id"])
        wait_for(lambda one=order: app.get("/v1/orders/" + one["order_id"]).json["state"]
                 == "filled")
    assert reconcile(rig) == {}
    rig.daemon.stop()
    edit(rig, f"""
        drop trigger fills_are_not_deleted; drop trigger order_events_are_not_deleted;
        drop trigger order_submissions_are_not_deleted;
        update orders set state = 8 where order_id = '{ended["order_id"]}';
        update orders set price = '0.99' where order_id = '{priced["order_id"]}';
        update orders set executed_base_qty = '90' where order_id = '{short["order_id"]}';
        update orders set executed_base_qty = '0', executed_quote_qty = '0', state = 5
            where order_id = '{unbooked["order_id"]}';
        delete from fills where order_id = '{unbooked["order_id"]}';
        delete from order_events where order_id = '{lost["order_id"]}';
        delete from order_submissions where order_id = '{lost["order_id"]}';
        delete from orders where order_id = '{lost["order_id"]}';""")
    # Its recovery asks for what is live: that must not heal it first.
    rig.sim.faults({"match": {"path": "/accounts/order/*"}, "answer": {"status": 500}})
    # And the run after the stream's start books what is missing by itself.
    rig.sim.faults({"match": {"stream": "account"}, "at": "handshake", "drop": True})
    rig.daemon.start().ready()
    found = reconcile(rig)
    assert set(found) >= {
        ("state_lag", ended["order_id"]), ("amount_mismatch", priced["order_id"]),
        ("amount_mismatch", short["order_id"]),
        ("foreign_order", lost["exchange_order_id"])}, found
    missed = [one for one in found.values() if one["class"] == "missed_fill"]
    assert [one["order_id"] for one in missed] == [unbooked["order_id"]], found
    assert len(found) == 5, found
    rig.sim.clear_faults()
    assert other.cancel(ended["exchange_order_id"]).status == 200


@pytest.mark.seconds(60)
def test_an_order_that_is_denied_is_told_and_fails_only_if_it_was_never_seen(make_rig):
    rig = live(make_rig(settle_give_up_ms="10000", **ALONE))
    app = rig.app()
    seen = resting(rig, app, price="0.45")
    settle_down(rig)
    rig.sim.faults(
        SILENCE,
        {"match": {"path": "/accounts/order/*"},
         "answer": {"status": 400, "code": 4200}},
        {"match": {"path": "/accounts/open-orders"},
         "answer": {"status": 200, "body": '{"data":[],"total_count":0,"total_page":0}'}},
        {"match": {"path": CANCEL}, "answer": {"status": 400, "code": 4200}})
    never, unwanted = [app.order(price=price).json for price in ("0.44", "0.43")]
    assert (never["state"], unwanted["state"]) == ("open", "open")
    app.delete("/v1/orders/" + unwanted["order_id"], headers={"Prefer": "respond-async"})
    found = reconcile(rig)
    for order in (seen, never):
        told = found["state_lag", order["order_id"]]
        assert (told["exchange"], told["action"]) == ("not known to it", "asked")
        settling = app.get("/v1/orders/" + order["order_id"]).json["settling"]
        assert settling["since"] and settling["asked"] >= 1, settling
        assert "does not know" in settling["reason"], settling
    assert reconcile(rig) == {}

    def has_failed():
        rig.daemon.admin.post("/v1/admin/reconcile")
        return all(app.get("/v1/orders/" + order["order_id"]).json["state"] == "failed"
                   for order in (never, unwanted))

    wait_for(has_failed, 30)
    # To cancel what is not known costs of the rate, and says nothing new.
    assert len(rig.sim.log(CANCEL, "POST")) == 1
    assert app.get("/v1/orders/" + seen["order_id"]).json["state"] == "open"


def test_clean_runs_share_a_row_and_reads_stay_few(make_rig):
    rig = make_rig(reconcile_interval_ms="1000").start()
    wait_for(lambda: state(rig)["runs"] >= 4, 20)
    for _ in range(2):
        assert reconcile(rig) == {}
    rows = rig.daemon.journal("select runs, findings from reconciliations")
    assert len(rows) == 1 and rows[0]["runs"] >= 3 and rows[0]["findings"] == 0, rows
    done = rig.daemon.cli("reconcile")
    assert "agree" in done.stderr and done.stdout == ""
    answered = rig.daemon.app("read").post("/v1/admin/reconcile")
    assert answered.status == 403, answered
    assert len(rig.daemon.journal("select * from v_reconciliation")) == 1


def trade_for(rig, app, seconds):
    """Orders rest, fill in parts and at once, are cancelled; the stream ends now and then."""
    end, turn = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        turn += 1
        order = app.order(price=f"0.{40 + turn % 8}").json
        if order.get("state") == "open":
            on_book(rig.sim, order)
            if turn % 3:
                rig.sim.fill(order["exchange_order_id"], 10 * (turn % 3))
        app.order(type="market", side=("buy", "sell")[turn % 2], price=None, base_quantity="20",
                  max_slippage_basis_point=500)
        if turn % 4 == 0:
            app.delete("/v1/orders", symbol="ADAUSDM")
        if turn % 16 == 0:
            rig.sim.drop("account")
        time.sleep(0.2)
    return turn


@pytest.mark.seconds(120)
def test_normal_trading_is_no_discrepancy(make_rig):
    rig = make_rig(market_maker=True, reconcile_interval_ms="1000").start()
    trade_for(rig, rig.app(), 20)
    now = state(rig)
    assert now["runs"] >= 2, now
    assert now["findings"] == [], now
