"""The streams of the simulated exchange, as a client sees them."""
import json
import time
import urllib.parse

import pytest
import websockets
from listener import Listener
from rig import wait_for
from trader import Trader

UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
           "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
PATHS = {"account": "/accounts/stream", "depth": "/market/depth/", "price": "/market/market-price/",
         "trades": "/market/recent-trades/"}


@pytest.fixture
def sim(make_sim):
    return make_sim("--rate-orders", "0", "--match-delay-ms", "0")


@pytest.fixture
def trader(sim):
    return Trader(sim, sim.rig.api_key, sim.rig.password)


@pytest.fixture
def listen(sim):
    """Opens a stream by its name, or any path; all end with the test."""
    made = []

    def make(stream, key=None, **query):
        kind, _, symbol = stream.partition(":")
        path = PATHS[kind] + symbol if kind in PATHS else stream
        query = urllib.parse.urlencode({**query, "api_key": key or sim.rig.api_key})
        made.append(Listener(f"{sim.stream_url}{path}?{query}"))
        return made[-1]

    yield make
    for one in made:
        one.close()


def refused(sim, path, **query):
    """Status and body of a handshake that is refused."""
    answer = sim.request("GET", f"{path}?{urllib.parse.urlencode(query)}", headers=UPGRADE)
    assert answer.status != 101
    return answer.status, answer.body


def told(listener, sub_type):
    """What the account's stream has told of one kind."""
    messages = [json.loads(text) for text in listener.messages]
    return [message for message in messages if message["sub_type"] == sub_type]


def statuses(listener):
    return [(m["order"]["status"], m["order"]["executed_base_qty"])
            for m in told(listener, "order_info")]


# ---- handshakes ----

def test_every_path_and_alias_is_a_stream(sim, listen):
    for path, stream in {
            "/accounts/stream": "account", "/accounts/ws/stream": "account",
            "//accounts/stream": "account", "/market/depth/ADAUSDM": "depth:ADAUSDM",
            "/market/ws/depth/ADAUSDM": "depth:ADAUSDM",
            "/market/market-price/NIGHTUSDM": "price:NIGHTUSDM",
            "/market/ws/market-price/NIGHTUSDM": "price:NIGHTUSDM",
            "/market/recent-trades/IAGUSDM": "trades:IAGUSDM",
            "/market/recent-trade/IAGUSDM": "trades:IAGUSDM",
            "/market/ws/recent-trade/IAGUSDM": "trades:IAGUSDM"}.items():
        with listen(path):
            (socket,) = sim.sockets()
            assert (socket["stream"], socket["alive"], socket["account"]) == (stream, True, "main")
            assert socket.get("symbol") == (stream.partition(":")[2] or None)
        wait_for(lambda: sim.sockets() == [])


def test_a_handshake_needs_a_key_a_symbol_and_an_upgrade(sim):
    key = sim.rig.api_key
    unauthorized = {"error": "Unauthorized access", "code": 4010}
    for query in ({}, {"api_key": "wrong"}, {"key": key}):
        for path in ("/accounts/stream", "/market/depth/ADAUSDM", "/market/depth/NONE"):
            status, body = refused(sim, path, **query)
            assert (status, json.loads(body)) == (401, unauthorized)
    assert refused(sim, "/market/depth/NONE", api_key=key)[0] == 404
    assert refused(sim, "/market/depths/ADAUSDM", api_key=key) == (404, b"404 page not found")
    assert sim.request("GET", f"/accounts/stream?api_key={key}").status == 400
    sim.faults({"switch": "keyless_markets"})
    Listener(f"{sim.stream_url}/market/depth/ADAUSDM").close()
    assert refused(sim, "/accounts/stream")[0] == 401


def test_the_record_has_streams_and_refused_handshakes(sim, listen):
    with listen("depth:ADAUSDM", limit=3):
        (entry,) = sim.log()
        assert (entry["proto"], entry["status"], entry["path"], entry["account"]) == (
            "ws", 101, "/market/depth/ADAUSDM", "main")
        assert entry["query"] == f"limit=3&api_key={sim.rig.api_key}"
        assert entry["ended_mono_us"] == 0
    wait_for(lambda: sim.log()[0]["ended_mono_us"] > entry["mono_us"])
    assert sim.log()[0]["code"] == 1000
    refused(sim, "/accounts/stream", api_key="wrong")
    entry = sim.log()[-1]
    assert (entry["proto"], entry["status"], entry["code"]) == ("ws", 401, 4010)


# ---- messages ----

def test_the_account_hears_of_its_orders_and_balances_at_once(sim, trader, listen):
    account = listen("account")
    order_id = trader.place(base_quantity="100", price="0.4500")
    sim.hit(order_id, "40")
    sim.hit(order_id)
    wait_for(lambda: len(told(account, "balance")) >= 3)
    assert statuses(account) == [
        ("processing", "0"), ("open", "0"), ("open", "40"), ("closed", "100")]
    last = told(account, "order_info")[-1]
    assert (last["type"], last["order"]["order_execution_records"]) == ("Account", [])
    asked = trader.order(order_id)
    assert {**asked, "order_execution_records": []} == last["order"]
    held, part, rest = told(account, "balance")
    assert held["balance"] == [{"asset": "USDM", "asset_unit": held["balance"][0]["asset_unit"],
                                "free": 99955, "locked": 45}]
    assert [one["asset"] for one in part["balance"]] == ["ADA", "USDM"]
    assert [(one["free"], one["locked"]) for one in rest["balance"]] == [(100099.9, 0), (99955, 0)]


def test_nobody_hears_of_another_account_or_of_what_was_never_submitted(make_sim):
    sim = make_sim("--account", "second:second-key:password", "--match-delay-ms", "0")
    trader = Trader(sim, sim.rig.api_key, sim.rig.password)
    with Listener(f"{sim.stream_url}/accounts/stream?api_key=second-key") as second, \
            Listener(f"{sim.stream_url}/accounts/stream?api_key={sim.rig.api_key}") as first:
        trader.build()
        sim.pass_time(121)
        order_id = trader.place()
        wait_for(lambda: len(told(first, "balance")) == 1)
        assert {m["order"]["id"] for m in told(first, "order_info")} == {order_id}
        sim.credit("ADA", "1")
        wait_for(lambda: len(told(first, "balance")) == 2)
        assert second.messages == []


def test_depth_begins_with_the_book_and_follows_it(sim, listen):
    sim.trade(side="buy", price="0.7", base_quantity="100.5")
    depth = listen("depth:ADAUSDM")
    (first,) = depth.wait(1)
    assert (first["bids"], first["asks"]) == ([{"price": 0.7, "quantity": 100.5}], [])
    assert abs(first["timestamp"] - time.time() * 1000) < 60000
    sim.trade(side="sell", price="0.8", base_quantity="7")
    last = depth.wait(2)[1]
    assert (last["bids"], last["asks"]) == (first["bids"], [{"price": 0.8, "quantity": 7}])


def test_a_busy_book_is_told_ten_times_a_second_at_most(sim, listen):
    depth = listen("depth:ADAUSDM")
    depth.wait(1)
    start = time.monotonic()
    for i in range(200):
        sim.trade(side="buy", price="0.7", base_quantity=str(i + 1))
    wanted = 200 * 201 // 2
    wait_for(lambda: json.loads(depth.messages[-1])["bids"] == [{"price": 0.7, "quantity": wanted}])
    seconds = time.monotonic() - start
    assert 2 <= len(depth.messages) <= 3 + 10 * seconds


def test_trades_begin_with_the_last_ones_newest_first(sim, listen):
    for quantity in ("10", "20", "30"):
        sim.trade(side="buy", price="0.7", base_quantity=quantity)
        sim.trade(side="sell", price="0.7", base_quantity=quantity)
    assert [t["amount"] for t in listen("trades:ADAUSDM").wait(1)[0]] == [30, 20, 10]
    assert listen("trades:NIGHTUSDM").wait(1) == [[]]
    trades = listen("trades:ADAUSDM", limit=2)
    price = listen("price:ADAUSDM")
    assert price.wait(1) == [{"type": "Market", "sub_type": "market_price", "price": 0.7}]
    sim.trade(side="buy", price="0.6", base_quantity="40")
    sim.trade(side="sell", base_quantity="40")
    first, second = trades.wait(2)
    assert [t["amount"] for t in first] == [30, 20]
    (trade,) = second
    assert (trade["symbol"], trade["side"], trade["price"], trade["amount"]) == (
        "ADAUSDM", "sell", 0.6, 40)
    assert len(trade["timestamp"]) == len("2025-08-21T03:43:00.204624Z")
    assert price.wait(2)[1]["price"] == 0.6


def test_a_fill_needs_the_order_to_be_the_next_of_its_side(sim, trader):
    first, second = (trader.place(price="0.5") for _ in range(2))
    better = trader.place(price="0.51")
    answer = sim.request("POST", "/_sim/fill", {"order": second, "base_qty": "10"})
    assert answer.status == 400 and better in answer.json["error"]
    assert sim.hit(better)["status"] == "closed"
    assert sim.request("POST", "/_sim/fill", {"order": second}).status == 400
    assert sim.hit(first, "40")["executed_base_qty"] == "40"
    assert sim.request("POST", "/_sim/fill", {"order": first, "base_qty": "61"}).status == 400
    assert sim.request("POST", "/_sim/fill", {"order": "none"}).status == 400


# ---- keeping alive ----

def test_pings_are_answered_and_texts_of_clients_tolerated(sim, listen):
    depth = listen("depth:ADAUSDM")
    depth.wait(1)
    depth.send("ping")
    depth.send("{{{")
    assert depth.ping()
    assert len(depth.messages) == 1 and sim.sockets()[0]["alive"]


def test_a_muted_socket_neither_speaks_nor_answers(sim, listen):
    depth, price = listen("depth:ADAUSDM"), listen("price:ADAUSDM")
    depth.wait(1)
    assert sim.mute("depth:*") == {"met": 1}
    assert [one["alive"] for one in sim.sockets("depth:ADAUSDM")] == [False]
    sim.trade(side="buy", price="0.7", base_quantity="10")
    assert not depth.ping() and price.ping()
    assert len(depth.messages) == 1
    sim.mute("depth:ADAUSDM", False)
    depth.wait(2)
    assert depth.ping()


def test_a_text_ping_comes_when_it_is_switched_on(sim, listen):
    account = listen("account")
    sim.faults({"switch": "text_ping", "ms": 50})
    wait_for(lambda: account.messages[:3] == ["ping"] * 3)
    sim.clear_faults()


# ---- trouble ----

def test_sockets_can_be_closed_and_dropped(sim, listen):
    depth, price, account = listen("depth:ADAUSDM"), listen("price:ADAUSDM"), listen("account")
    assert sim.drop("depth:ADAUSDM", code=1001) == {"dropped": 1}
    assert depth.wait_closed() == 1001
    assert sim.drop("price:*") == {"dropped": 1}
    assert price.wait_closed() == 1006
    assert [one["stream"] for one in sim.sockets()] == ["account"]
    assert sim.drop("stream:*", code=4000) == {"dropped": 1}
    assert account.wait_closed() == 4000


def test_ws_drop_ends_sockets_sooner_or_later(sim, listen):
    account = listen("account")
    sim.faults({"switch": "ws_drop", "ms": 300})
    assert account.wait_closed() == 1006


def test_raw_text_goes_out_as_it_is(sim, listen):
    account = listen("account")
    assert sim.say("account", "{{{") == {"sent": 1}
    wait_for(lambda: account.messages == ["{{{"])


def test_order_events_are_lost_doubled_and_late_as_rules_say(sim, trader, listen):
    account = listen("account")
    sim.faults({"switch": "lost_event", "nth": [1]}, {"switch": "dup_event", "nth": [2]},
               {"switch": "late_event", "nth": [3]})
    order_id = trader.place()
    sim.hit(order_id, "40")
    sim.hit(order_id, "60")
    wait_for(lambda: len(statuses(account)) == 4)
    assert statuses(account) == [("open", "0"), ("open", "0"), ("closed", "100"), ("open", "40")]


def test_partial_fills_can_be_silent(sim, trader, listen):
    account = listen("account")
    sim.faults({"switch": "partial_fill_silent"}, {"switch": "stream_executions"})
    order_id = trader.place()
    sim.hit(order_id, "40")
    sim.hit(order_id, "60")
    wait_for(lambda: statuses(account)[-1:] == [("closed", "100")])
    assert statuses(account) == [("processing", "0"), ("open", "0"), ("closed", "100")]
    fills = told(account, "order_info")[-1]["order"]["order_execution_records"]
    assert [fill["filled_base_qty"] for fill in fills] == ["40", "60"]
    wait_for(lambda: len(told(account, "balance")) == 3)


def test_a_stream_can_stall_while_its_socket_lives(sim, listen):
    depth = listen("depth:ADAUSDM")
    depth.wait(1)
    sim.faults({"match": {"stream": "depth:ADAUSDM"}, "stall": True})
    sim.trade(side="buy", price="0.7", base_quantity="10")
    wait_for(lambda: not sim.sockets()[0]["alive"])
    assert depth.ping() and len(depth.messages) == 1


def test_a_handshake_is_refused_as_a_rule_says(sim, listen):
    sim.faults({"match": {"stream": "depth:*"}, "times": 1,
                "answer": {"status": 503, "body": "upstream", "content_type": "text/plain"}},
               {"match": {"stream": "account"}, "at": "handshake", "drop": True, "times": 1})
    with pytest.raises(websockets.InvalidStatusCode) as failure:
        listen("depth:ADAUSDM")
    assert failure.value.status_code == 503
    with pytest.raises((websockets.InvalidMessage, ConnectionError)):
        listen("account")
    listen("depth:ADAUSDM")
    listen("account")
    assert [entry["status"] for entry in sim.log()] == [503, "dropped", 101, 101]
    assert [rule["hits"] for rule in sim.control("GET", "faults")["rules"]] == [1, 1]


def test_a_restart_closes_all_and_refuses_for_a_while(sim, listen):
    sockets = [listen("account"), listen("depth:ADAUSDM")]
    sim.maintain(60, "503")
    assert [one.wait_closed() for one in sockets] == [1001, 1001]
    key = sim.rig.api_key
    assert refused(sim, "/accounts/stream", api_key=key)[0] == 503
    sim.maintain(60, "403")
    assert refused(sim, "/market/depth/ADAUSDM", api_key=key) == (403, b"")
    assert sim.request("GET", "/app/market-config").status == 403
    sim.control("DELETE", "restart")
    listen("account")


def test_the_end_of_a_lock_closes_streams_when_it_is_switched_on(sim, listen):
    account = listen("account")
    sim.faults({"switch": "unlock_closes"})
    sim.lock()
    sim.lock(False)
    assert account.wait_closed() == 1001


def test_a_storm_blows_as_hard_and_as_long_as_asked(sim, listen):
    depth, other = listen("depth:ADAUSDM"), listen("depth:NIGHTUSDM")
    start = time.monotonic()
    sim.storm("depth:ADAUSDM", per_second=200, seconds=1)
    messages = depth.wait(201)
    assert 0.9 <= time.monotonic() - start
    assert {len(m["bids"]) for m in messages[1:]} == {len(m["asks"]) for m in messages[1:]} == {10}
    assert len({json.dumps(m["bids"]) for m in messages[1:]}) == 200
    assert len(other.messages) == 1
    answer = sim.request("POST", "/_sim/storm", {"stream": "account", "per_second": 1, "for_ms": 1})
    assert answer.status == 400


def test_the_market_maker_and_its_crowd_keep_every_stream_lively(make_sim):
    sim = make_sim("--market-maker", "--maker-interval-ms", "100", "--crowd-ms", "30")
    key = f"?api_key={sim.rig.api_key}"
    listeners = [Listener(f"{sim.stream_url}{PATHS[kind]}ADAUSDM{key}")
                 for kind in ("depth", "price", "trades")]
    for one in listeners:
        one.wait(4, 20)
        one.close()
