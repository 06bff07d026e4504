"""Reconciliation: what is planted is found in the next run, in the right class, and nothing else.

The daemon's own safety nets are as far away as settings allow, so that a discrepancy lives until
a run finds it: open orders are not polled for, and the account's stream may be told to lose all.
"""
import fcntl
import json
import os
import pathlib
import subprocess
import sys
import threading
import time
import traceback
from decimal import Decimal

import pytest

from facts import SILENCE, drop, on_book
from rig import Rig, wait_for
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


def found_by(rig):
    """One run on demand: its findings as they are."""
    return list(reconcile(rig).values())


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


def executed(app, order):
    answered = app.get("/v1/orders/" + order["order_id"])
    return Decimal(answered.json["executed_base_qty"])


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


def trade_until(rig, app, over):
    """Orders rest, fill in parts and at once, are cancelled; the stream ends now and then."""
    turn = 0
    while not over.wait(0.2):
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


# ---- scenes: much is planted at once, and the next run must find all of it and nothing else ----

def lost_answers(rig, app):
    """Two orders whose submit has no answer: asking settles one, and only the list the other."""
    rig.sim.faults(drop("after", "/order/submit", times=1))
    asked = app.order().json
    wait_for(lambda: app.get("/v1/orders/" + asked["order_id"]).json["state"] == "open")
    rig.sim.faults(drop("after", "/order/submit", times=1, delay_ms=1000))
    listed = app.order(headers={"Prefer": "respond-async"}).json
    path = "/v1/orders/" + listed["order_id"]
    exchange_id = wait_for(lambda: app.get(path).json["exchange_order_id"])
    rig.sim.faults({"match": {"path": "/accounts/order/" + exchange_id},
                    "answer": {"status": 500}})
    doubtful = wait_for(lambda: (o := app.get(path).json)["state"] == "unknown" and o["settling"]
                        and o)["settling"]
    assert doubtful["since"] and doubtful["next_attempt_at"] and doubtful["reason"]
    wait_for(lambda: rig.sim.order(exchange_id)["status"] == "open")
    return asked, listed


def doctor(rig, other, own):
    """From now on the exchange itself is mistaken: about the open orders and some by their id."""
    listed = other.get("/accounts/open-orders?symbol=ADAUSDM&limit=250&page=1").json
    by_name = {order["exchange_order_id"]: name for name, order in own.items()}
    told = {by_name.get(row["id"], row["id"]): row for row in listed["data"]}
    told["priced"]["price"] = "0.46"
    told["sized"]["base_qty"] = "101"
    told["sided"]["side"] = "sell"
    asked = {"denied": {"status": 400, "code": 4200}}
    for name in ("building", "failed"):
        row = {**other.order(own[name]["exchange_order_id"]), "status": name}
        asked[name] = {"status": 200, "body": json.dumps(row)}
    rows = [row for name, row in told.items() if name not in asked]
    page = {"data": rows, "total_count": len(rows), "total_page": 1}
    rig.sim.faults({"match": {"path": "/accounts/open-orders"},
                    "answer": {"status": 200, "body": json.dumps(page)}},
                   *({"match": {"path": "/accounts/order/" + own[name]["exchange_order_id"]},
                      "answer": answer} for name, answer in asked.items()))


def executions(rig, exchange_id):
    return [one["id"] for one in rig.sim.executions() if one["order_id"] == exchange_id]


def plant_at_the_exchange(rig):
    """Nobody tells the daemon: its stream is silent, and it polls once in ten minutes."""
    live(rig)
    app, other = rig.app(), stranger(rig)
    names = ("part", "whole", "gone", "replaced", "priced", "sized", "sided", "denied",
             "building", "failed")
    answers = app.parallel(app.order for _ in names)
    own = dict(zip(names, (answer.json for answer in answers), strict=True))
    rig.sim.faults({"switch": "overflow_u64", "on": True})
    own["wrapped"] = app.order(base_quantity="10000").json
    for order in own.values():
        on_book(rig.sim, order)
    rig.sim.fill(own["wrapped"]["exchange_order_id"])
    wait_for(lambda: app.get("/v1/orders/" + own["wrapped"]["order_id"]).json["state"] == "filled")
    settle_down(rig)
    rig.sim.faults(SILENCE)
    own["asked"], own["listed"] = lost_answers(rig, app)
    ids = {name: order["exchange_order_id"] for name, order in own.items()}
    about = {name: order["order_id"] for name, order in own.items()}
    rig.sim.fill(ids["part"], 25)
    rig.sim.fill(ids["whole"])
    assert other.cancel(ids["gone"]).status == 200
    rig.sim.fill(ids["replaced"], 10)
    assert other.cancel(ids["replaced"]).status == 200
    about["resting"], about["taken"] = other.place(price="0.40"), other.place(price="0.39")
    on_book(rig.sim, {"exchange_order_id": about["taken"]})
    rig.sim.fill(about["taken"])
    rig.sim.credit("IAG", 7)
    rig.sim.credit("NIGHT", -3)
    on_book(rig.sim, {"exchange_order_id": about["resting"]})
    doctor(rig, other, own)
    for name in ("part", "whole", "replaced"):
        about[f"fill of {name}"], = executions(rig, ids[name])
    found = reconcile(rig)
    check_records(rig, found)
    resting = rig.sim.order(about["resting"])["status"]
    states = {name: app.get("/v1/orders/" + own[name]["order_id"]).json["state"] for name in own}
    assert other.cancel(about["resting"]).status == 200
    rig.sim.clear_faults()
    rig.sim.faults(SILENCE)
    doctor(rig, other, own)
    after = found_by(rig)
    following = state(rig)["following"]
    told_again = found_by(rig)
    rig.daemon.restart().ready()
    return {"found": list(found.values()), "about": about, "states": states,
            "resting": resting,
            "after": after, "following": following,
            "again": told_again, "restarted": found_by(rig)}


def plant_in_the_journal(rig):
    """Edited while the daemon is down; when it is up again, no question about an order is answered
    and no stream is to be had, or recovery would heal it before a run can find it."""
    live(rig)
    app, other = rig.app(), stranger(rig)
    names = ("ended", "priced", "short", "unbooked", "lost", "stopped", "filled")
    answers = app.parallel(app.order for _ in names)
    own = dict(zip(names, (answer.json for answer in answers), strict=True))
    ids = {name: order["exchange_order_id"] for name, order in own.items()}
    about = {name: order["order_id"] for name, order in own.items()}
    for order in own.values():
        on_book(rig.sim, order)
    rig.sim.fill(ids["stopped"], 30)
    assert app.delete("/v1/orders/" + about["stopped"]).status == 200
    for name in ("short", "unbooked", "filled"):
        rig.sim.fill(ids[name])
    for name, end in (("short", "filled"), ("unbooked", "filled"), ("filled", "filled"),
                      ("stopped", "cancelled")):
        wait_for(lambda n=name, e=end: app.get("/v1/orders/" + about[n]).json["state"] == e)
    for name in ("unbooked", "filled"):
        about[f"fill of {name}"], = executions(rig, ids[name])
    about["invented"] = "an execution that never was"
    assert reconcile(rig) == {}
    rig.daemon.stop()
    edit(rig, f"""
        drop trigger fills_are_not_deleted; drop trigger order_events_are_not_deleted;
        drop trigger order_submissions_are_not_deleted; drop trigger fills_are_not_changed;
        update orders set state = 8 where order_id = '{about["ended"]}';
        update orders set state = 7 where order_id = '{about["stopped"]}';
        update orders set price = '0.99' where order_id = '{about["priced"]}';
        update orders set executed_base_qty = '90' where order_id = '{about["short"]}';
        update orders set executed_base_qty = '0', executed_quote_qty = '0', state = 5
            where order_id = '{about["unbooked"]}';
        delete from fills where order_id = '{about["unbooked"]}';
        insert into fills select (select max(fill_number) + 1 from fills), '{about["invented"]}',
            order_id, exchange_order_id, token_id, symbol, side, price, '11', quote_qty,
            exchange_quote_qty, commission, commission_unit, role, executed_at, booked_at,
            latest_at from fills where order_id = '{about["filled"]}';
        update fills set base_qty = '99' where execution_id = '{about["fill of filled"]}';
        delete from order_events where order_id = '{about["lost"]}';
        delete from order_submissions where order_id = '{about["lost"]}';
        delete from orders where order_id = '{about["lost"]}';""")
    about["lost"] = ids["lost"]
    rig.sim.faults({"match": {"path": "/accounts/order/*"}, "answer": {"status": 500}},
                   {"match": {"stream": "account"}, "at": "handshake", "drop": True})
    rig.daemon.start().ready()
    found = json.loads(rig.daemon.cli("--json", "reconcile").stdout)["findings"]
    rig.sim.clear_faults()
    assert other.cancel(ids["ended"]).status == 200
    return {"found": found, "about": about}


def plant_amid_trading(rig):
    """Orders and executions all the time, from before the first run on."""
    rig.start()
    app = rig.app()
    over, errors = threading.Event(), []

    def trade():
        try:
            trade_until(rig, app, over)
        except BaseException as error:
            errors.append(error)
            raise

    trader = threading.Thread(target=trade)
    trader.start()
    try:
        wait_for(lambda: state(rig)["runs"] >= 6, 40)
        before = state(rig)
        rig.sim.credit("USDM", "777.5")
        wait_for(lambda: state(rig)["runs"] >= before["runs"] + 2, 40)
        after = state(rig)
    finally:
        over.set()
        trader.join()
    assert not errors, errors
    return {"before": before["findings"], "found": after["findings"], "about": {}}


SCENES = {
    plant_at_the_exchange: ALONE,
    plant_in_the_journal: ALONE,
    plant_amid_trading: {"market_maker": True, "reconcile_interval_ms": "1000"},
}


def play(plant):
    """What came of a scene, or why nothing did."""
    rig = Rig(**SCENES[plant])
    try:
        outcome = plant(rig)
        rig.finish()
    except Exception:
        rig.remove()
        return {"error": traceback.format_exc()}
    return outcome


@pytest.fixture(scope="session")
def scene(tmp_path_factory):
    """Plays all scenes side by side, each in a process of its own, and once for all processes that
    share the tests."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    files = {plant: folder / f"{plant.__name__}.json" for plant in SCENES}
    with open(folder / "reconcile.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not all(file.exists() for file in files.values()):
            players = [subprocess.Popen([sys.executable, __file__, plant.__name__, file])
                       for plant, file in files.items()]
            assert [player.wait() for player in players] == [0] * len(players)

    def outcome_of(plant):
        outcome = json.loads(files[plant].read_text())
        assert "error" not in outcome, outcome["error"]
        return outcome

    return outcome_of


def kind(sentence, plant, class_, about, **evidence):
    return pytest.param(plant, class_, about, evidence, id=sentence)


EXCHANGE, JOURNAL = plant_at_the_exchange, plant_in_the_journal
KINDS = [
    kind("an order executed in part and nobody told", EXCHANGE, "missed_fill", "fill of part",
         journal="none", exchange="25 at 0.45", action="booked"),
    kind("an order executed to its end and nobody told", EXCHANGE, "missed_fill", "fill of whole",
         exchange="100 at 0.45", action="booked"),
    kind("an order executed in part and was then cancelled", EXCHANGE, "missed_fill",
         "fill of replaced", exchange="10 at 0.45", action="booked"),
    kind("an order was cancelled and nobody told", EXCHANGE, "state_lag", "gone",
         journal="open, executed 0", exchange="cancelled, executed 0", action="asked"),
    kind("an order failed on its way to the book", EXCHANGE, "state_lag", "failed",
         journal="open, executed 0", exchange="failed, executed 0", action="asked"),
    kind("the exchange does not know an order that it took", EXCHANGE, "state_lag", "denied",
         journal="open, executed 0", exchange="not known to it", action="asked"),
    kind("the exchange calls an order building that it took", EXCHANGE, "state_lag", "building",
         journal="open, executed 0", exchange="building", action="asked"),
    kind("a stranger's order rests", EXCHANGE, "foreign_order", "resting",
         exchange="open, buy 100 at 0.4, executed 0", action="followed"),
    kind("a stranger's order came and executed", EXCHANGE, "foreign_order", "taken",
         exchange="closed, buy 100 at 0.39, executed 100", action="followed"),
    kind("a deposit came in", EXCHANGE, "balance_drift", "IAG",
         journal="1000000 after own executions", exchange="1000007 free and locked",
         action="reported"),
    kind("a withdrawal went out", EXCHANGE, "balance_drift", "NIGHT",
         journal="1000000 after own executions", exchange="999997 free and locked",
         action="reported"),
    kind("a stranger's trading moved the base asset", EXCHANGE, "balance_drift", "ADA",
         action="reported"),
    kind("a stranger's trading moved the quote asset", EXCHANGE, "balance_drift", "USDM",
         action="reported"),
    kind("the answer to a submit was lost and asking settled it", EXCHANGE, "unknown_settled",
         "asked", journal="unknown", exchange="open", action="settled"),
    kind("the answer to a submit was lost and only the list settles it", EXCHANGE,
         "unknown_settled", "listed", journal="unknown", exchange="open", action="settled"),
    kind("the exchange states another amount paid", EXCHANGE, "amount_mismatch", "wrapped",
         journal="executed in quote 4500", action="reported"),
    kind("the exchange states another price ordered", EXCHANGE, "amount_mismatch", "priced",
         journal="price 0.45", exchange="price 0.46", action="reported"),
    kind("the exchange states another quantity ordered", EXCHANGE, "amount_mismatch", "sized",
         journal="ordered 100", exchange="ordered 101", action="reported"),
    kind("the exchange states the other side", EXCHANGE, "amount_mismatch", "sided",
         journal="side buy", exchange="side sell", action="reported"),
    kind("the journal calls an order cancelled that rests", JOURNAL, "state_lag", "ended",
         journal="cancelled, executed 0", exchange="open, executed 0", action="reported"),
    kind("the journal calls an order filled that was cancelled", JOURNAL, "state_lag", "stopped",
         journal="filled, executed 30", exchange="cancelled, executed 30", action="reported"),
    kind("the journal has another price", JOURNAL, "amount_mismatch", "priced",
         journal="price 0.99", exchange="price 0.45", action="reported"),
    kind("the journal has less executed", JOURNAL, "amount_mismatch", "short",
         journal="executed 90", exchange="executed 100", action="reported"),
    kind("the journal lost a fill", JOURNAL, "missed_fill", "fill of unbooked", action="booked"),
    kind("the journal has another quantity in a fill", JOURNAL, "amount_mismatch",
         "fill of filled", journal="executed 99 at 0.45, fee 0.1",
         exchange="executed 100 at 0.45, fee 0.1", action="reported"),
    kind("the journal has a fill that never was", JOURNAL, "amount_mismatch", "invented",
         journal="executed 11 at 0.45, fee 0.1", exchange="not listed", action="reported"),
    kind("the journal lost an order", JOURNAL, "foreign_order", "lost", action="followed"),
    kind("a deposit came in amid trading", plant_amid_trading, "balance_drift", "USDM",
         action="reported"),
]


@pytest.mark.parametrize("plant, class_, about, evidence", KINDS)
def test_the_next_run_finds_that(scene, plant, class_, about, evidence):
    outcome = scene(plant)
    name = outcome["about"].get(about, about)
    found = [one for one in outcome["found"] if one["about"] == name]
    assert [one["class"] for one in found] == [class_], outcome["found"]
    assert {key: found[0][key] for key in evidence} == evidence


@pytest.mark.parametrize("plant", SCENES)
def test_the_next_run_finds_what_was_planted_and_nothing_else(scene, plant):
    planted = [param.values for param in KINDS if param.values[0] is plant]
    outcome = scene(plant)
    expected = sorted((class_, outcome["about"].get(about, about))
                      for _, class_, about, _ in planted)
    assert sorted((one["class"], one["about"]) for one in outcome["found"]) == expected


def test_what_was_found_is_mended_followed_and_told_once(scene):
    outcome = scene(plant_at_the_exchange)
    ends = {"part": "partially_filled", "whole": "filled", "gone": "cancelled",
            "replaced": "cancelled", "failed": "failed", "denied": "open", "building": "open",
            "asked": "open", "listed": "open", "priced": "open"}
    assert {name: outcome["states"][name] for name in ends} == ends
    assert outcome["resting"] == "open"  # what is a stranger's is never cancelled
    after, = outcome["after"]  # but followed to its end
    assert (after["class"], after["about"]) == ("foreign_order", outcome["about"]["resting"])
    assert after["exchange"].startswith("cancelled")
    assert outcome["following"] == 0
    assert outcome["again"] == [] and outcome["restarted"] == []


def test_normal_trading_is_no_discrepancy(scene):
    outcome = scene(plant_amid_trading)
    assert outcome["before"] == []
    drift, = outcome["found"]
    assert Decimal(drift["exchange"].split()[0]) - Decimal(drift["journal"].split()[0]) \
        == Decimal("777.5"), drift


@pytest.mark.seconds(60)
def test_an_answer_that_was_old_and_news_on_its_way_are_no_difference(make_rig):
    """To the first look the exchange seems to be behind; at the second it is ahead."""
    path = "/accounts/open-orders"
    rig = live(make_rig(**ALONE))
    app = rig.app()
    order = resting(rig, app, price="0.45")
    settle_down(rig)
    known = len(rig.sim.log(path))

    def lists():
        return [e for e in rig.sim.log(path)[known:] if "symbol=ADAUSDM" in e["query"]]

    rig.sim.faults({"match": {"path": path}, "delay_after_ms": 2000})
    found = []
    run = threading.Thread(target=lambda: found.append(found_by(rig)))
    run.start()
    wait_for(lists)
    rig.sim.fill(order["exchange_order_id"], 10)
    wait_for(lambda: executed(app, order) == 10)
    settle_down(rig)
    rig.sim.faults(SILENCE)
    rig.sim.fill(order["exchange_order_id"], 5)
    assert len(lists()) == 1, "too late"
    run.join(40)
    assert found == [[]]
    assert len(lists()) == 2 and executed(app, order) == 10
    rig.sim.clear_faults()
    assert {one["class"] for one in found_by(rig)} == {"missed_fill"}
    assert executed(app, order) == 15


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


def test_what_has_no_room_in_a_run_is_told_by_the_next(make_rig):
    rig = live(make_rig(**ALONE))
    other = stranger(rig)
    mother = other.place(price="0.40")
    on_book(rig.sim, {"exchange_order_id": mother})
    row = {key: value for key, value in other.order(mother).items()
           if key in ("symbol", "side", "status", "price", "base_qty", "created_at")}
    rows = [{**row, "id": f"{i:08}{mother[8:]}"} for i in range(1100)]
    for path, part in (("open-orders", rows[:900]), ("trade-orders", rows[900:])):
        page = {"data": part, "total_count": len(part), "total_page": 1}
        rig.sim.faults({"match": {"path": "/accounts/" + path},
                        "answer": {"status": 200, "body": json.dumps(page)}})
    first, second = reconcile(rig), reconcile(rig)
    assert len(first) == 1000, len(first)
    assert set(first) | set(second) == {("foreign_order", one["id"]) for one in rows}
    assert len(second) == 100, len(second)


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


if __name__ == "__main__":
    pathlib.Path(sys.argv[2]).write_text(json.dumps(play(globals()[sys.argv[1]])))
