"""What is done about an order whose fate is in doubt, and about a cancel: asking, the very same
bytes again, one rebuild, and nothing else, whatever happens meanwhile.

The account's stream tells nothing here, and no reconciliation helps out: what is found out is
found out by asking."""
import contextlib
import datetime
import json
import sqlite3
import time

import pytest

from facts import SILENCE, answer, check_against_exchange, drop, live_on_exchange, on_book
from rig import wait_for
from stream_app import Stream
from test_keys import renew_key

SUBMIT, BUILD, ASK = "/order/submit", "/order/build", "/accounts/order/*"
CANCEL = "/order/*/cancel"
ALONE = {"settle_resubmit_ms": "1000", "settle_give_up_ms": "10000", "timeout_ms": "4000",
         "reconcile_interval_ms": "3600000"}
DENIED = {"match": {"path": ASK, "method": "GET"}, "answer": {"status": 400, "code": 4200}}
ASYNC = {"Prefer": "respond-async"}

pytestmark = pytest.mark.rig(**ALONE)


def order_of(app, order):
    """As it is now, in every detail."""
    answered = app.get("/v1/orders/" + order["order_id"])
    assert answered.status == 200, answered
    return answered.json


def in_state(app, order, state, seconds=15):
    return wait_for(lambda: (o := order_of(app, order))["state"] == state and o, seconds,
                    f"it is {state}")


def posts(rig, path):
    return rig.sim.log(path, "POST")


def bodies(rig, path=SUBMIT):
    return [json.loads(entry["body"]) for entry in posts(rig, path)]


def in_doubt(app, **fields):
    """An order of which the exchange got nothing, or did not say so."""
    order = app.order(headers=ASYNC, **fields).json
    return in_state(app, order, "unknown")


def until(seconds):
    return (datetime.datetime.now(datetime.timezone.utc)
            + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def taken(rig):
    return rig.daemon.journal("select * from order_events where event = 'taken'")


# ---- the answers to a submit ----

def test_4302_to_the_same_bytes_is_success_and_no_4300_after_it_builds_anew(rig, app):
    rig.sim.faults(SILENCE, DENIED, drop("after", SUBMIT, times=1))
    order = in_doubt(app)
    wait_for(lambda: len(posts(rig, SUBMIT)) >= 2)
    rig.sim.faults(answer("before", SUBMIT, status=400, code=4300))
    sent = len(posts(rig, SUBMIT))
    wait_for(lambda: len(posts(rig, SUBMIT)) > sent)
    asked = len(rig.sim.log(ASK))
    wait_for(lambda: len(rig.sim.log(ASK)) >= asked + 3)
    assert len(posts(rig, BUILD)) == 1
    rig.sim.clear_faults()
    in_state(app, order, "open")
    assert all(body == bodies(rig)[0] for body in bodies(rig))
    assert len(posts(rig, BUILD)) == 1
    check_against_exchange(rig)


def test_4302_is_remembered_by_the_next_daemon(rig, app):
    rig.sim.faults(SILENCE, DENIED, drop("after", SUBMIT, times=1))
    order = in_doubt(app)
    wait_for(lambda: taken(rig))
    assert rig.sim.log(SUBMIT)[-1]["code"] == 4302
    rig.sim.faults(answer("before", SUBMIT, status=400, code=4300))
    rig.daemon.kill()
    rig.daemon.start().ready()
    sent = len(posts(rig, SUBMIT))
    wait_for(lambda: len(posts(rig, SUBMIT)) > sent)
    asked = len(rig.sim.log(ASK))
    wait_for(lambda: len(rig.sim.log(ASK)) >= asked + 4)
    assert len(taken(rig)) == len(posts(rig, BUILD)) == 1
    rig.sim.clear_faults()
    in_state(app, order, "open")
    assert all(body == bodies(rig)[0] for body in bodies(rig))
    assert len(posts(rig, BUILD)) == 1
    check_against_exchange(rig)


@pytest.mark.seconds(60)
def test_an_order_that_4301_leaves_in_doubt_is_visible_until_it_may_be_called_failed(rig, app):
    rig.sim.faults(SILENCE, answer("before", SUBMIT, status=400, code=4301))
    with Stream(rig.daemon, app.token) as watcher:
        watcher.subscribe_all("system")
        begun = time.time()
        order = in_doubt(app)
        settling = order["settling"]
        assert settling["reason"] and settling["asked"] >= 0
        assert seconds_of(settling["next_attempt_at"]) > seconds_of(settling["since"]) - 0.001
        failed = in_state(app, order, "failed", 20)
        assert time.time() - begun > 9.9, "given up too early"
        watcher.read_for(0.2)
        told = [m["data"] for m in watcher.of("system") if m.get("type") == "order.unknown"]
    assert 2 <= len(told) <= 4, told
    assert {one["about"] for one in told} == {order["order_id"]}
    assert "4301" in told[0]["reason"] and told[0]["reason"] in told[0]["text"]
    assert seconds_of(told[1]["next_attempt_at"]) > seconds_of(told[0]["next_attempt_at"])
    assert (failed["error"]["code"], failed["settling"]) == ("not-placed", None)
    assert len(posts(rig, BUILD)) == 1
    assert len(posts(rig, SUBMIT)) > 3
    assert all(body == bodies(rig)[0] for body in bodies(rig))
    assert live_on_exchange(rig.sim) == []


def test_4300_and_no_live_order_license_one_rebuild_and_no_second(rig, app):
    rig.sim.faults(SILENCE, answer("before", SUBMIT, times=1, status=400, code=4300))
    first = app.order(headers={"Prefer": "wait=10"})
    assert (first.status, first.json["attempt"]) == (201, 2), first
    assert len(posts(rig, BUILD)) == 2
    assert len({body["order_id"] for body in bodies(rig)}) == 2
    rig.sim.faults(answer("before", SUBMIT, status=400, code=4300))
    second = app.order(price="0.44", headers={"Prefer": "wait=10"})
    assert (second.status, second.code) == (502, "not-placed"), second
    assert len(posts(rig, BUILD)) == 4
    assert len(live_on_exchange(rig.sim)) == 1
    check_against_exchange(rig)


def test_an_order_that_expired_there_is_built_anew_though_it_is_called_failed(rig, app):
    rig.sim.faults(SILENCE, {"match": {"path": BUILD}, "delay_after_ms": 1500, "times": 1})
    order = app.order(headers=ASYNC).json
    built = wait_for(rig.sim.orders)[0]["id"]
    rig.sim.control("POST", "expire", {"order_id": built})
    placed = in_state(app, order, "open")
    assert rig.sim.order(built)["status"] == "failed"
    assert placed["exchange_order_id"] != built
    assert len(live_on_exchange(rig.sim)) == 1


def test_one_denial_after_4300_may_be_a_lag_and_builds_nothing_anew(rig, app):
    rig.sim.faults(SILENCE, {**DENIED, "times": 1},
                   answer("after", SUBMIT, times=1, status=400, code=4300))
    placed = app.order(headers={"Prefer": "wait=10"})
    assert (placed.status, placed.json["attempt"]) == (201, 1), placed
    assert len(posts(rig, BUILD)) == 1
    check_against_exchange(rig)


def test_nothing_is_sent_again_after_valid_until_or_long_after_it_was_signed(rig, app):
    rig.sim.faults(SILENCE, {"match": {"path": SUBMIT}, "stall": "before"})
    late = app.order(price="0.44", valid_until=until(2), headers=ASYNC).json
    old = app.order(headers=ASYNC).json
    wait_for(lambda: len(posts(rig, SUBMIT)) == 2)
    rig.daemon.kill()
    # As restarts leave it behind that could not ask: a young doubt about old bytes.
    with contextlib.closing(sqlite3.connect(rig.daemon.journal_file)) as journal, journal:
        guard = journal.execute("select sql from sqlite_master"
                                " where name = 'order_submissions_are_not_changed'").fetchone()[0]
        journal.execute("drop trigger order_submissions_are_not_changed")
        journal.execute("update order_submissions set at = '2026-01-01T00:00:00.000000Z'"
                        f" where order_id = '{old['order_id']}'")
        journal.execute(guard)
    time.sleep(max(0, seconds_of(late["valid_until"]) - time.time()))
    rig.sim.clear_faults()
    rig.sim.faults(SILENCE)
    rig.daemon.start().ready()
    for order, why in ((late, "valid_until"), (old, "signed too long ago")):
        told = wait_for(lambda o=order, w=why: (d := order_of(app, o))["settling"]
                        and w in d["settling"]["reason"] and d)
        assert told["state"] == "unknown"
    questions = f"/accounts/order/{order_of(app, old)['exchange_order_id']}"
    asked = wait_for(lambda: (log := rig.sim.log(questions))[3:] and log)
    assert asked[3]["mono_us"] - asked[0]["mono_us"] > 3.2e6  # 0.3, 1, 2 s
    assert len(posts(rig, SUBMIT)) == 2
    assert live_on_exchange(rig.sim) == []


# ---- what else happens meanwhile ----

@pytest.mark.seconds(60)
def test_a_trading_lock_in_the_middle_is_survived(rig, app):
    gone, taken = [app.order(price=price).json for price in ("0.45", "0.5")]
    on_book(rig.sim, taken)
    rig.sim.faults(SILENCE, {"match": {"path": BUILD}, "delay_after_ms": 1500, "times": 1})
    order = app.order(price="0.44", headers=ASYNC).json
    wait_for(lambda: len(rig.sim.orders()) == 3)
    rig.sim.lock()
    unsure = in_state(app, order, "unknown")
    assert "locked" in unsure["settling"]["reason"] or unsure["settling"]["asked"] > 0
    for one in (gone, taken):
        assert app.delete("/v1/orders/" + one["order_id"], headers=ASYNC).status == 202
    wait_for(lambda: len(posts(rig, CANCEL)) == 2)
    assert app.order(price="0.43").code == "trading-locked"
    rig.sim.fill(taken["exchange_order_id"])
    rig.sim.lock(False)
    in_state(app, order, "open")
    in_state(app, gone, "cancelled")
    in_state(app, taken, "filled")  # the fill overtook the cancel
    assert app.order(price="0.43").status == 201
    assert len(posts(rig, BUILD)) == 4
    check_against_exchange(rig)


@pytest.mark.seconds(60)
def test_an_api_key_swap_in_the_middle_is_survived(rig, app):
    resting = app.order().json
    on_book(rig.sim, resting)
    rig.sim.faults(SILENCE, drop("before", SUBMIT))
    unsure = in_doubt(app, price="0.44")
    rig.sim.faults({"match": {"path": BUILD}, "delay_after_ms": 1500})
    submitting = app.order(price="0.43", headers=ASYNC).json
    wait_for(lambda: len(rig.sim.orders()) == 3)
    key = renew_key(rig, rig.api_key)  # the old one is dead from here on
    rig.sim.clear_faults()
    rig.sim.faults(SILENCE)
    in_state(app, submitting, "submitting")
    assert app.delete("/v1/orders/" + resting["order_id"], headers=ASYNC).status == 202
    wait_for(lambda: "API key" in order_of(app, unsure)["settling"]["reason"])
    wait_for(lambda: rig.daemon.events("exchange.key_refused"))
    states = [order_of(app, one)["state"] for one in (resting, unsure, submitting)]
    assert states == ["open", "unknown", "submitting"]
    rig.daemon.cli("rotate-api-key", stdin=key + "\n")
    in_state(app, resting, "cancelled")
    in_state(app, unsure, "open")
    in_state(app, submitting, "open")
    assert len(posts(rig, BUILD)) == 3
    check_against_exchange(rig)


@pytest.mark.rig(**ALONE, recovery_resume_accepted="true")
def test_a_locked_operation_key_leaves_no_order_in_doubt(rig, app):
    resting = app.order().json
    on_book(rig.sim, resting)
    rig.sim.faults(SILENCE, drop("before", SUBMIT))
    unsure = in_doubt(app, price="0.44")
    rig.daemon.cli("lock")
    gone = app.delete("/v1/orders/" + resting["order_id"], headers={"Prefer": "wait=10"})
    assert (gone.status, gone.json["state"]) == (200, "cancelled"), gone
    rig.daemon.cli("unlock", stdin=rig.password + "\n")
    rig.sim.faults({"match": {"path": BUILD}, "stall": "before"})
    waiting = app.order(price="0.43", valid_until=until(3), headers=ASYNC).json
    in_state(app, waiting, "building")
    rig.daemon.kill()
    rig.daemon.has_password = False
    rig.sim.clear_faults()
    rig.sim.faults(SILENCE)
    rig.daemon.start()
    in_state(app, unsure, "open")  # the bytes are signed
    late = in_state(app, waiting, "failed")  # nor does it wait for the key for ever
    assert late["error"]["code"] in ("valid-until-passed", "not-placed")  # by when it was seen
    assert app.order().code == "operation-key-locked"
    rig.daemon.cli("unlock", stdin=rig.password + "\n")
    assert app.order(price="0.43").status == 201
    assert len(posts(rig, BUILD)) == 4
    check_against_exchange(rig)


@pytest.mark.seconds(60)
def test_a_restart_of_the_exchange_in_the_middle_is_survived(rig, app):
    resting = app.order().json
    on_book(rig.sim, resting)
    rig.sim.faults(SILENCE, {**drop("after", SUBMIT), "times": 1}, DENIED,
                   {"match": {"path": CANCEL}, "stall": "before"})
    unsure = in_doubt(app, price="0.44")
    rig.sim.faults({"match": {"path": SUBMIT}, "stall": "before"})
    submitting = app.order(price="0.43", headers=ASYNC).json
    in_state(app, submitting, "submitting")
    assert app.delete("/v1/orders/" + resting["order_id"], headers=ASYNC).status == 202
    wait_for(lambda: posts(rig, CANCEL))
    rig.sim.stop()
    in_state(app, submitting, "unknown")
    rig.sim.start()
    in_state(app, resting, "cancelled")
    in_state(app, unsure, "open")
    in_state(app, submitting, "open")
    assert len(live_on_exchange(rig.sim)) == 2
    check_against_exchange(rig)


# ---- cancels ----

# What becomes of the first cancel of an order, and how many it takes at most.
CANCELS = {
    "request lost": (drop("before", CANCEL, times=1), 2),
    "answer lost": (drop("after", CANCEL, times=1), 2),
    "5000, and done": (answer("after", CANCEL, times=1, status=400, code=5000), 2),
    "not found, and done": (answer("after", CANCEL, times=1, status=400, code=4200), 1),
    "not open, and done": (answer("after", CANCEL, times=1, status=400, code=4201), 1),
    "not found, and open": (answer("before", CANCEL, times=1, status=400, code=4200), 2),
    "not yet open": (answer("before", CANCEL, times=1, status=400, code=4202), 2),
}


def test_whatever_a_cancel_is_answered_the_order_is_asked_for_and_ends(rig, app):
    rig.sim.faults(SILENCE)
    for name, (fault, most) in CANCELS.items():
        order = app.order(headers={"Prefer": "wait=10"}).json
        on_book(rig.sim, order)
        before = len(posts(rig, CANCEL))
        rig.sim.faults(fault)
        gone = app.delete("/v1/orders/" + order["order_id"], headers={"Prefer": "wait=10"})
        assert (gone.status, gone.json["state"]) == (200, "cancelled"), (name, gone)
        assert 1 <= len(posts(rig, CANCEL)) - before <= most, name
    nothing = app.delete("/v1/orders", symbol="ADAUSDM")
    assert (nothing.status, nothing.json["cancelled"], nothing.json["failed"]) == (200, [], [])
    assert live_on_exchange(rig.sim) == []
    check_against_exchange(rig)


def test_a_fill_that_overtakes_a_cancel_wins(rig, app):
    whole, part = [app.order(price=price).json for price in ("0.5", "0.49")]
    rig.sim.faults(SILENCE, {"match": {"path": CANCEL}, "delay_ms": 1500})
    for order in (whole, part):
        on_book(rig.sim, order)
        assert app.delete("/v1/orders/" + order["order_id"], headers=ASYNC).status == 202
    wait_for(lambda: len(posts(rig, CANCEL)) == 2)
    rig.sim.fill(whole["exchange_order_id"])
    rig.sim.fill(part["exchange_order_id"], "30")
    again = app.delete("/v1/orders/" + whole["order_id"], headers={"Prefer": "wait=10"})
    assert (again.status, again.code) == (409, "order-final"), again
    assert in_state(app, whole, "filled")["executed_base_qty"] == "100"
    assert in_state(app, part, "cancelled")["executed_base_qty"] == "30"
    check_against_exchange(rig)


def test_an_order_in_doubt_that_is_cancelled_is_not_sent_again_and_goes_once_found(rig, app):
    rig.sim.faults(SILENCE, DENIED, drop("after", SUBMIT, times=1))
    order = in_doubt(app)
    gone = app.delete("/v1/orders/" + order["order_id"], headers=ASYNC)
    assert (gone.status, gone.json["cancel_requested"]) == (202, True), gone
    wait_for(lambda: "wants it gone" in order_of(app, order)["settling"]["reason"])
    wait_for(lambda: len(rig.sim.log(ASK)) >= 3)  # the time to send it again has come
    assert len(posts(rig, SUBMIT)) == 1 and not posts(rig, CANCEL)
    rig.sim.clear_faults()
    assert in_state(app, order, "cancelled")["executed_base_qty"] == "0"
    assert live_on_exchange(rig.sim) == []
    check_against_exchange(rig)
