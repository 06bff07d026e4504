"""The daemon stops or dies while orders rest, trade and hang; after the next start all is true."""
import contextlib
import http.client
import random
import sqlite3
import threading

import pytest

from facts import SILENCE, check_against_exchange, is_settled, live_on_exchange, on_book
from rig import wait_for


def trade_meanwhile(rig, orders):
    """What the market does while nobody looks: fill one, fill part of one, leave the rest."""
    for order in orders:
        on_book(rig.sim, order)
    rig.sim.trade(order_id=orders[0]["exchange_order_id"], base_quantity="100")
    rig.sim.trade(order_id=orders[1]["exchange_order_id"], base_quantity="33.3")


def check_states(rig, app, orders):
    def states():
        return [app.get("/v1/orders/" + o["order_id"]).json["state"] for o in orders]

    wait_for(lambda: states() == ["filled", "partially_filled", "open", "open"], 20)
    check_against_exchange(rig)


@pytest.mark.threads
@pytest.mark.parametrize("how", ["SIGTERM", "SIGKILL"])
def test_orders_that_traded_while_the_daemon_was_away_become_true(rig, app, how):
    orders = [app.order(price="0.5").json for _ in range(4)]
    if how == "SIGTERM":
        rig.daemon.stop()
    else:
        rig.daemon.kill()
    trade_meanwhile(rig, orders)
    rig.daemon.start()
    rig.daemon.ready()
    check_states(rig, app, orders)
    assert len(live_on_exchange(rig.sim)) == 3


def test_an_order_whose_submit_hung_at_the_kill_is_settled(rig, app):
    rig.sim.faults({"match": {"path": "/order/submit"}, "delay_after_ms": 3000, "times": 1})
    answer = app.order(headers={"Prefer": "respond-async"})
    wait_for(lambda: rig.sim.log("/order/submit"))
    rig.daemon.kill()
    rig.daemon.start()
    rig.daemon.ready()
    path = "/v1/orders/" + answer.json["order_id"]
    wait_for(lambda: app.get(path).json["state"] == "open", 20)
    assert len(live_on_exchange(rig.sim)) == 1
    check_against_exchange(rig)


def test_an_order_killed_before_its_submit_is_failed_and_never_sent(rig, app):
    rig.sim.faults({"match": {"path": "/order/build"}, "delay_ms": 5000, "times": 1})
    answer = app.order(headers={"Prefer": "respond-async"})
    wait_for(lambda: rig.sim.log("/order/build"))
    rig.daemon.kill()
    rig.daemon.start()
    rig.daemon.ready()
    order = app.get("/v1/orders/" + answer.json["order_id"]).json
    assert (order["state"], order["error"]["code"]) == ("failed", "not-placed")
    assert live_on_exchange(rig.sim) == []


@pytest.mark.rig(recovery_resume_accepted="true")
def test_with_resume_accepted_a_waiting_order_is_sent_after_the_restart(rig, app):
    answers = [app.order(headers={"Prefer": "respond-async"}) for _ in range(12)]
    rig.daemon.kill()
    rig.daemon.start()
    wait_for(lambda: is_settled(rig), 30)
    assert {a.status for a in answers} == {202}
    check_against_exchange(rig)
    states = [o["state"] for o in app.get("/v1/orders").json["data"]]
    assert states == ["open"] * 12
    assert len(live_on_exchange(rig.sim)) == 12


@pytest.mark.rig(settle_resubmit_ms="1000")
def test_an_order_that_hung_long_ago_is_not_placed_now(rig, app):
    rig.sim.faults({"match": {"path": "/order/submit"}, "stall": "before", "times": 1})
    answer = app.order(headers={"Prefer": "respond-async"})
    wait_for(lambda: rig.sim.log("/order/submit"))
    rig.daemon.kill()
    with contextlib.closing(sqlite3.connect(rig.daemon.journal_file)) as journal, journal:
        journal.execute("update orders set updated_at = '2026-01-01T00:00:00.000000Z'")
    rig.daemon.start()
    rig.daemon.ready()
    path = "/v1/orders/" + answer.json["order_id"]
    wait_for(lambda: is_settled(rig), 20)
    assert app.get(path).json["state"] == "failed"
    assert len(rig.sim.log("/order/submit")) == 1
    assert live_on_exchange(rig.sim) == []


def test_live_orders_are_looked_at_together_after_a_restart(make_rig):
    rig = make_rig(max_orders_per_second="1000", rate_guard_ms="0")
    rig.sim.options += ["--rate-orders", "0"]
    app = rig.start().app()
    orders = [answer.json for answer in app.parallel(app.order for _ in range(40))]
    for order in orders:
        on_book(rig.sim, order)
    rig.sim.faults({"match": {"path": "/order/submit"}, "stall": "after", "times": 1}, SILENCE)
    doubtful = app.order(headers={"Prefer": "respond-async"}).json
    wait_for(lambda: len(rig.sim.log("/order/submit")) == 41)
    rig.daemon.kill()
    rig.sim.fill(orders[7]["exchange_order_id"])
    asked = len(rig.sim.log("/accounts/order/*"))
    rig.daemon.start().ready()

    def states():
        return [app.get("/v1/orders/" + o["order_id"]).json["state"]
                for o in (orders[7], doubtful)]

    wait_for(lambda: states() == ["filled", "open"], 20)
    check_against_exchange(rig)
    assert len(rig.sim.log("/accounts/order/*")) - asked < 10


def test_what_somebody_waits_for_does_not_wait_behind_live_orders(make_rig):
    rig = make_rig(max_orders_per_second="1000", rate_guard_ms="0", rate_reads_per_second="5")
    rig.sim.options += ["--rate-orders", "0"]
    app = rig.start().app()
    orders = [answer.json for answer in app.parallel(app.order for _ in range(40))]
    for order in orders:
        on_book(rig.sim, order)
    rig.daemon.kill()
    for order in orders:  # each has to be asked for by itself, for eight seconds
        rig.sim.fill(order["exchange_order_id"])
    asked = len(rig.sim.log("/accounts/order/*"))
    rig.daemon.start().ready()
    wait_for(lambda: len(rig.sim.log("/accounts/order/*")) > asked + 2)
    for _ in range(3):
        assert app.get("/v1/balances", headers={"Cache-Control": "no-cache"}).status == 200
    assert len(rig.sim.log("/accounts/order/*")) - asked < 25


@pytest.mark.seconds(120)
def test_what_was_filled_while_it_was_down_is_told_by_the_executions(make_rig):
    """A page of them is one request; asking for each order takes a request for each."""
    rig = make_rig(max_orders_per_second="1000", rate_guard_ms="0")
    rig.sim.options += ["--rate-orders", "0"]
    app = rig.start().app()
    orders = []
    for _ in range(4):
        orders += [answer.json for answer in app.parallel(app.order for _ in range(25))]
    for order in orders:
        on_book(rig.sim, order)
    rig.daemon.kill()
    for order in orders:
        rig.sim.fill(order["exchange_order_id"])
    asked = len(rig.sim.log("/accounts/order/*"))
    rig.daemon.start().ready()

    def unfilled():
        return rig.daemon.journal("select * from v_orders where state <> 'filled'")

    wait_for(lambda: not unfilled(), 60)
    assert len(rig.sim.log("/accounts/order/*")) - asked < 80
    # What the exchange makes of them is still asked for.
    wait_for(lambda: not rig.daemon.journal(
        "select * from orders where exchange_executed_quote_qty <> executed_quote_qty"), 60)
    check_against_exchange(rig)


@pytest.mark.threads
def test_new_orders_wait_until_doubtful_ones_are_explained(rig, app):
    rig.sim.faults({"match": {"path": "/order/submit"}, "delay_after_ms": 5000, "times": 1},
                   SILENCE)
    app.order(client_order_id="doubt-1", headers={"Prefer": "respond-async"})
    wait_for(lambda: rig.sim.log("/order/submit"))
    rig.daemon.kill()
    rig.sim.stop()
    rig.daemon.start()
    answer = app.order()
    assert (answer.status, answer.code) in ((503, "recovering"), (423, "operation-key-locked"))
    assert app.get("/v1/orders/client:doubt-1").json["state"] == "unknown"
    rig.sim.start()
    rig.daemon.ready()
    wait_for(lambda: app.get("/v1/orders/client:doubt-1").json["state"] == "open", 20)
    assert app.order().status == 201
    check_against_exchange(rig)


def test_a_second_daemon_on_the_same_journal_is_refused(rig, make_rig):
    second = make_rig(data_dir=str(rig.daemon.data_dir), socket=str(rig.folder / "second.sock"))
    second.sim = rig.sim
    second.daemon.rig = rig
    second.daemon.launch()
    assert second.daemon.wait() == 1
    assert str(rig.daemon.process.pid) in second.daemon.log_text()
    assert rig.daemon.is_running()
    second.sim = type(rig.sim)(second)


@pytest.mark.seconds(240)
def test_killing_it_again_and_again_under_load_loses_and_doubles_nothing(rig):
    apps = [rig.app() for _ in range(3)]
    chance = random.Random(11)
    is_over = threading.Event()
    accepted = {}

    def trade(number, app):
        count = 0
        while not is_over.is_set():
            count += 1
            key = f"load-{number}-{count}"
            try:
                answer = app.order(client_order_id=key, price="0.5",
                                   headers={"Prefer": "wait=1"})
                if answer.status in (200, 201, 202):
                    accepted[answer.json["order_id"]] = key
                is_over.wait(0.15 if answer.status < 500 else 0.3)
            except (OSError, TypeError, http.client.HTTPException):  # killed, or not up yet
                is_over.wait(0.1)

    threads = [threading.Thread(target=trade, args=pair) for pair in enumerate(apps)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(8):
            is_over.wait(chance.uniform(0.5, 2.5))
            rig.daemon.kill()
            for order in [o for o in live_on_exchange(rig.sim) if o["status"] == "open"][:2]:
                rig.sim.trade(order_id=order["id"], base_quantity="0.5")
            rig.daemon.options["listen"] = "%s:%d" % rig.daemon.address
            rig.daemon.start()
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    rig.daemon.ready()
    wait_for(lambda: is_settled(rig), 60)
    known = {row["order_id"] for row in rig.daemon.journal("select order_id from v_orders")}
    assert set(accepted) <= known, "an order that was acknowledged is gone"
    wait_for(lambda: check_against_exchange(rig) is None, 20)
