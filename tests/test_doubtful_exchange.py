"""What the exchange says and must not be believed as it stands: executions without an order,
another account's facts, another clock, a market that it refuses, an expired order that lives."""
import json
import sqlite3

import pytest

from facts import SILENCE, answer, check_against_exchange, live_on_exchange, on_book
from rig import wait_for
from trader import Trader

OTHER_KEY = "key-of-another-account"


def is_live(rig, name="account"):
    return rig.daemon.admin.get("/v1/health").json["streams"][name]["state"] == "live"


def fills(rig):
    return rig.daemon.journal("select * from v_fills order by execution_id")


def reconnect(rig):
    """Executions are looked through after each connection."""
    before = rig.daemon.admin.get("/v1/health").json["streams"]["account"]["reconnects"]
    rig.sim.drop("account")
    wait_for(lambda: is_live(rig) and rig.daemon.admin.get("/v1/health").json
             ["streams"]["account"]["reconnects"] > before, 20)


def with_other_account(rig):
    rig.sim.options += ["--account", f"other:{OTHER_KEY}:{rig.password}"]
    return rig.start()


def use_key(rig, key):
    rig.daemon.env["DELTADEFI_API_KEY"] = key
    rig.daemon.start()


def is_wrong_account(rig):
    return rig.daemon.admin.get("/v1/health").json["venue"]["wrong_account"]


def trade_elsewhere(rig, key, base_quantity):
    """An order made past the daemon, and filled."""
    order = Trader(rig.sim, key, rig.password).place(base_quantity=base_quantity)
    wait_for(lambda: rig.sim.order(order)["status"] == "open")
    rig.sim.fill(order)


def test_an_execution_that_names_no_order_belongs_to_none(make_rig):
    rig = make_rig(stream_retry_min_ms="50").start()
    wait_for(lambda: is_live(rig))
    app = rig.app()
    order = app.order().json
    on_book(rig.sim, order)
    told = {"id": "11111111-2222-4333-8444-555555555555", "execution_price": "0.45",
            "filled_base_qty": "7", "created_at": "2036-01-01T00:00:00Z"}
    app.delete("/v1/orders/" + order["order_id"])
    rig.daemon.restart()  # so that the order is in the journal alone
    rig.sim.faults(answer("before", "/accounts/trades", status=200, body=json.dumps(
        {"data": [told], "total_count": 1, "total_page": 1})) | {
            "match": {"path": "/accounts/trades"}})
    wait_for(lambda: is_live(rig))
    reconnect(rig)
    assert fills(rig) == []


def test_nothing_of_another_account_is_booked(make_rig):
    rig = with_other_account(make_rig(stream_retry_min_ms="50"))
    wait_for(lambda: is_live(rig))
    wait_for(lambda: rig.daemon.journal("select * from settings where name like 'executions%'"))
    rig.daemon.stop()
    balances = rig.daemon.journal("select asset, free from balances order by balance_id")
    use_key(rig, OTHER_KEY)
    wait_for(lambda: is_wrong_account(rig))
    wait_for(lambda: rig.sim.sockets("account"))
    trade_elsewhere(rig, OTHER_KEY, "50")
    rig.sim.drop("account")
    rig.daemon.admin.get("/v1/balances")
    with pytest.raises(AssertionError):
        wait_for(lambda: fills(rig), 3)
    assert rig.daemon.journal("select asset, free from balances order by balance_id") == balances
    assert not is_live(rig)


def test_an_order_in_doubt_is_not_given_up_by_another_accounts_word(make_rig):
    rig = with_other_account(make_rig(settle_resubmit_ms="1000", settle_give_up_ms="10000"))
    rig.sim.faults(SILENCE, {"match": {"path": "/accounts/order/*"}, "drop": "before"},
                   {"match": {"path": "/order/submit"}, "drop": "after", "times": 1})
    app = rig.app()
    order = app.order(headers={"Prefer": "wait=1"}).json
    assert order["state"] == "unknown"
    rig.daemon.kill()
    rig.sim.clear_faults()
    with sqlite3.connect(rig.daemon.journal_file) as shell:
        shell.execute("update orders set updated_at = '2020-01-01T00:00:00.000000Z'")
    use_key(rig, OTHER_KEY)
    wait_for(lambda: is_wrong_account(rig))
    wait_for(lambda: len(rig.sim.log("/accounts/order/*")) > 4)
    path = "/v1/orders/" + order["order_id"]
    assert app.get(path).json["state"] == "unknown"
    rig.daemon.stop()
    use_key(rig, rig.api_key)
    wait_for(lambda: app.get(path).json["state"] == "open")
    check_against_exchange(rig)


def test_another_account_is_noticed_though_the_first_probe_failed(make_rig):
    rig = with_other_account(make_rig(account_probe_ms="500"))
    rig.daemon.stop()
    rig.sim.faults({"match": {"path": "/accounts/spot-account"}, "drop": "before", "times": 2})
    use_key(rig, OTHER_KEY)
    wait_for(lambda: is_wrong_account(rig))


def test_what_was_traded_before_stays_out_though_clocks_differ(make_rig):
    rig = make_rig(stream_retry_min_ms="50")
    rig.sim.start()
    rig.sim.pass_time(86400)
    trade_elsewhere(rig, rig.api_key, "50")
    rig.daemon.start().ready()
    wait_for(lambda: is_live(rig))
    reconnect(rig)
    assert fills(rig) == []
    trade_elsewhere(rig, rig.api_key, "20")
    reconnect(rig)
    wait_for(lambda: [fill["base_qty"] for fill in fills(rig)] == ["20"])


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59Z", 9223372036854775807])
def test_a_time_out_of_this_world_hides_nothing_that_comes_before_it(make_rig, time):
    rig = make_rig(stream_retry_min_ms="50")
    rig.sim.start()
    told = {"id": "11111111-2222-4333-8444-555555555555", "execution_price": "0.45",
            "order_id": "550e8400-e29b-41d4-a716-446655440000",
            "filled_base_qty": "7", "created_at": time}
    rig.sim.faults({"match": {"path": "/accounts/trades"}, "times": 3, "answer": {
        "status": 200, "body": json.dumps({"data": [told], "total_count": 1, "total_page": 1})}})
    rig.daemon.start().ready()
    wait_for(lambda: is_live(rig))
    trade_elsewhere(rig, rig.api_key, "20")
    reconnect(rig)
    wait_for(lambda: [fill["base_qty"] for fill in fills(rig)] == ["20"])


def test_a_market_that_the_exchange_refuses_keeps_no_other_from_being_filled(make_rig):
    rig = make_rig(account_poll_ms="600000", stream_retry_min_ms="50")
    rig.sim.start()
    rig.sim.faults({"match": {"path": "/accounts/trades"},
                    "answer": {"status": 400, "code": 4106}})
    rig.daemon.start().ready()
    wait_for(lambda: is_live(rig), 20)
    assert len(rig.daemon.events("backfill.market_refused")) == 3


def test_an_expired_order_that_lives_after_all_is_not_placed_again(make_rig):
    rig = make_rig().start()
    wait_for(lambda: is_live(rig))
    rig.sim.faults(
        answer("after", "/order/submit", times=1, status=400, code=4300),
        {"match": {"path": "/accounts/order/*"}, "answer": {"status": 400, "code": 4200},
         "times": 3},
        {"match": {"path": "/order/build"}, "nth": [2], "delay_ms": 4000},
        {"match": {"stream": "account", "body": "order_info"}, "delay_ms": 2000})
    app = rig.app()
    order = app.order(headers={"Prefer": "respond-async"}).json
    wait_for(lambda: len(rig.sim.log("/order/build")) == 2)
    wait_for(lambda: app.get("/v1/orders/" + order["order_id"]).json["state"] == "open")
    wait_for(lambda: len(rig.sim.log("/order/build")) == 2 and not
             rig.daemon.admin.get("/v1/limits").json["queued"])
    with pytest.raises(AssertionError):
        wait_for(lambda: len(live_on_exchange(rig.sim)) > 1, 4)
    check_against_exchange(rig)
