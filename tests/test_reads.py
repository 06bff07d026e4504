"""Account and market reads: rows S36 to S39."""
import time

import pytest

from rig import wait_for

FRESH = {"Cache-Control": "no-cache"}


def test_S36_balances_equal_the_exchanges_to_the_last_digit(rig, app):
    rig.sim.credit(asset="ADA", amount="0.000001")
    app.order(base_quantity="12.34", price="0.4567")
    rig.sim.trade(side="sell", price="0.4567", base_quantity="3.21")

    def agree():
        theirs = [(b["asset"], b["asset_unit"], b["free"], b["locked"])
                  for b in rig.sim.balances()]
        ours = [(b["asset"], b["unit"], b["free"], b["locked"])
                for b in app.get("/v1/balances", FRESH).json["data"]]
        return sorted(ours) == sorted(theirs)

    wait_for(agree)
    assert "as_of" in app.get("/v1/balances").json


def test_S37_the_price_equals_the_exchanges(make_rig):
    rig = make_rig(market_maker=True).start()
    app = rig.app()
    app.order(type="market", base_quantity="20", max_slippage_basis_point=500)

    def agree():
        theirs = rig.sim.request("GET", "/market/market-price?symbol=ADAUSDM").json["price"]
        told = app.get("/v1/markets/ADAUSDM/price", FRESH).json
        return float(told["price"]) == theirs and told["source"] == "exchange"

    wait_for(agree)
    assert app.get("/v1/markets/NOPEUSDM/price").status == 404


def test_S38_reads_use_no_order_tokens(rig, app):
    before = len(rig.sim.log("/accounts/balance"))
    assert {app.get("/v1/balances").status for _ in range(100)} == {200}
    limits = app.get("/v1/limits").json
    assert limits["available"] == limits["capacity"]
    # A hundred readers of one moment cost the exchange a few questions, not a hundred.
    assert len(rig.sim.log("/accounts/balance")) - before < 30


def test_S39_a_failed_read_is_told_and_logged(rig, app):
    app.get("/v1/balances")
    rig.sim.faults({"match": {"path": "/accounts/balance"}, "when": "before",
                    "answer": {"status": 500, "code": 5000}})
    time.sleep(0.6)  # past the age up to which memory answers
    told = app.get("/v1/balances")
    assert (told.status, told.code) == (502, "exchange-error"), told
    assert [e for e in rig.daemon.events() if e["event"] == "exchange.read_failed"
            and e["what"] == "balances" and e["level"] == "warn"]
    # An older figure only for who asks for it, and with its age.
    older = app.get("/v1/balances", {"Cache-Control": "max-stale=3600"})
    assert older.status == 200
    assert int(older.headers["Age"]) >= 0


def test_markets_tell_the_rules(app):
    markets = {m["symbol"]: m for m in app.get("/v1/markets").json["data"]}
    assert set(markets) == {"ADAUSDM", "NIGHTUSDM", "IAGUSDM"}


def test_candles_come_from_the_exchange(make_rig):
    rig = make_rig(market_maker=True).start()
    app = rig.app()
    app.order(type="market", base_quantity="20", max_slippage_basis_point=500)
    wait_for(lambda: app.get("/v1/markets/ADAUSDM/candles", interval="15m").json["data"])
    refused = app.get("/v1/markets/ADAUSDM/candles", interval="7m")
    assert refused.status == 422, refused


def levels(side):
    return [(float(price), float(quantity)) for price, quantity in side]


@pytest.mark.rig(market_maker=True, stream_linger_ms="300")
def test_books_and_public_trades_are_told_from_the_streams_memory(rig, app):
    app.order(type="market", base_quantity="20", max_slippage_basis_point=500)

    def agree():
        book, theirs = app.get("/v1/markets/ADAUSDM/depth").json, rig.sim.book()
        assert book["source"] == "stream" and book["is_live"], book
        for side in ("bids", "asks"):
            assert levels(book[side]) == [
                (float(one["price"]), float(one["quantity"])) for one in theirs[side]]
        return True

    wait_for(agree)
    trades = wait_for(lambda: app.get("/v1/markets/ADAUSDM/trades").json["data"])
    times = [trade["executed_at"] for trade in trades]
    assert times == sorted(times)
    # Nobody looks any more: the sockets close, what is known stays and says so.
    wait_for(lambda: [one["stream"] for one in rig.sim.sockets()] == ["account"])
    streams = app.get("/v1/health").json["streams"]
    assert list(streams) == ["account"], streams


def test_books_are_not_told_before_the_exchange_has(rig, app):
    rig.sim.faults({"match": {"stream": "depth:*"}, "at": "handshake", "answer": {"status": 503}})
    told = app.get("/v1/markets/ADAUSDM/depth")
    assert (told.status, told.code) == (503, "no-market-data")
    assert 1.9 < told.seconds < 4
    assert app.get("/v1/markets/NOPEUSDM/depth").status == 404


@pytest.mark.rig(market_maker=True, stream_symbols="ADAUSDM")
def test_a_live_stream_tells_the_price_without_a_question(rig, app):
    app.order(type="market", base_quantity="20", max_slippage_basis_point=500)

    def is_told():
        told = app.get("/v1/markets/ADAUSDM/price").json
        return told["source"] == "stream" and told["is_live"]

    wait_for(is_told)
    before = len(rig.sim.log("/market/market-price"))
    assert {app.get("/v1/markets/ADAUSDM/price").status for _ in range(20)} == {200}
    assert len(rig.sim.log("/market/market-price")) == before


@pytest.mark.parametrize("kind", ["deposit", "withdrawal", "transferal"])
def test_transfers_come_from_the_exchange(app, kind):
    told = app.get("/v1/transfers", kind=kind)
    assert told.status == 200, told
    assert told.json["data"] == []


def test_lists_are_paged_without_gaps_or_repeats(rig, app):
    for _ in range(7):
        app.order()
    seen, cursor = [], None
    while True:
        page = app.get("/v1/orders", limit=3, cursor=cursor).json
        seen += [order["order_id"] for order in page["data"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == 7
    assert seen == sorted(seen, reverse=True)


def test_every_step_of_an_order_is_told_in_order(app):
    order = app.order().json
    app.delete("/v1/orders/" + order["order_id"])
    steps = app.get(f"/v1/orders/{order['order_id']}/events").json["data"]
    events = [step["event"] for step in steps]
    assert events[:4] == ["accepted", "dispatch", "sign", "ack"]
    assert events[-1] == "cancel" and "cancel_requested" in events
    assert [step["state"] for step in steps][-1] == "cancelled"
    assert steps[0]["cause"] == "app" and steps[0]["request_id"]
