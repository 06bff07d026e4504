"""Markets, from the exchange's streams to every local subscriber and to REST: rows S50 to S54; who
opens which upstream socket and for how long; what is known after trouble, and how slow readers of
books and trades are told what they missed."""
import json
from decimal import Decimal

import pytest

from rig import wait_for
from stream_app import Events, Stream

QUICK = {"stream_retry_min_ms": "20", "stream_retry_max_ms": "160"}
PATHS = {"depth": "/market/depth/", "price": "/market/market-price/",
         "trades": "/market/recent-trades/"}
DEPTH, PRICE, TRADES = "depth:ADAUSDM", "price:ADAUSDM", "trades:ADAUSDM"


@pytest.fixture
def rig(rig):
    wait_for(lambda: is_live(rig, "account"))
    return rig


@pytest.fixture
def reader(rig, app):
    with Stream(rig.daemon, app.token) as stream:
        yield stream


def streams(rig):
    return rig.daemon.admin.get("/v1/health").json["streams"]


def is_live(rig, name):
    return streams(rig).get(name, {}).get("state") == "live"


def names(rig):
    return sorted(one["stream"] for one in rig.sim.sockets())


def opened(rig, channel):
    """How often the daemon has connected to a market's stream."""
    kind, _, symbol = channel.partition(":")
    return len(rig.sim.log(PATHS[kind] + symbol))


def follow(rig, reader, *channels):
    """Subscribed, and the exchange is heard."""
    reader.subscribe_all(*channels)
    for channel in channels:
        wait_for(lambda name=channel: is_live(rig, name))
    return reader


def trade(rig, quantity, price="0.7"):
    """Two other traders meet."""
    rig.sim.trade(side="buy", price=price, base_quantity=str(quantity))
    rig.sim.trade(side="sell", price=price, base_quantity=str(quantity))


def quantities(reader):
    return [d["base_qty"] for d in reader.data(TRADES)]


def wait_trade(reader, quantity):
    return reader.event(TRADES, lambda d: d["base_qty"] == str(quantity))


def levels(side):
    return [(Decimal(price), Decimal(quantity)) for price, quantity in side]


def book(rig):
    told = rig.sim.book()
    return [[(Decimal(one["price"]), Decimal(one["quantity"])) for one in told[side]]
            for side in ("bids", "asks")]


def is_book(rig):
    """Whether a message has what the exchange's book is now."""
    expected = book(rig)
    return lambda data: [levels(data["bids"]), levels(data["asks"])] == expected


# ---- the rows ---------------------------------------------------------------------------------


@pytest.mark.rig(**QUICK)
def test_S50_each_trade_is_told_once_and_in_time_order(rig, reader):
    trade(rig, "1.5")
    follow(rig, reader, TRADES)
    wanted = []
    for connection in range(4):
        for number in range(1, 6):
            wanted.append(f"{10 * connection + number}.25")
            trade(rig, wanted[-1])
        wait_trade(reader, wanted[-1])
        if connection == 1:
            rig.sim.faults({"switch": "repeat_trades"})  # every message repeats the list
        rig.sim.drop("trades:*")
        wait_for(lambda count=connection: opened(rig, TRADES) == count + 2)
        wait_for(lambda: is_live(rig, TRADES))
    known = reader.of(TRADES, "snapshot")[0]["data"]
    assert [d["base_qty"] for d in known] + quantities(reader) == ["1.5", *wanted]
    times = [d["executed_at"] for d in reader.data(TRADES)]
    assert times == sorted(times)
    assert not reader.of(TRADES, "gap")


def test_S50_equal_trades_of_a_message_count_and_a_repeated_message_does_not(rig, reader):
    follow(rig, reader, TRADES)
    equal = {"timestamp": "2026-01-01T00:00:00.000001Z", "symbol": "ADAUSDM", "side": "buy",
             "price": 0.7, "amount": 10}
    for _ in range(3):
        rig.sim.say("trades:*", json.dumps([equal, equal]))
    rig.sim.say("trades:*", json.dumps([equal, equal, equal]))
    trade(rig, "99")
    wait_trade(reader, "99")
    assert quantities(reader) == ["10", "10", "10", "99"]


def test_S51_the_last_book_is_the_exchanges(rig, reader):
    rig.sim.trade(side="buy", price="0.6", base_quantity="100.5")
    follow(rig, reader, DEPTH)
    for number in range(1, 40):
        side, way = ("buy", -1) if number % 2 else ("sell", 1)
        rig.sim.trade(side=side, price=f"{0.7 + way * number / 1000:.4f}",
                      base_quantity=f"{number * 10}.25")
    rig.sim.trade(side="sell", base_quantity="150")
    last = reader.event(DEPTH, is_book(rig))["data"]
    assert last["bids"] == sorted(last["bids"], key=lambda one: -Decimal(one[0]))
    assert last["asks"] == sorted(last["asks"], key=lambda one: Decimal(one[0]))
    assert last["symbol"] == "ADAUSDM" and last["exchange_time"]


@pytest.mark.parametrize("switch", [None, "bare_price"])
def test_S52_a_price_has_its_symbol_and_a_time(rig, reader, switch):
    if switch:
        rig.sim.faults({"switch": switch})
    follow(rig, reader, PRICE)
    trade(rig, "10", price="0.7123")
    event = reader.event(PRICE, lambda d: d["price"] == "0.7123")
    assert event["data"] == {"symbol": "ADAUSDM", "price": "0.7123", "exchange_time": None}
    assert event["ts"]


def test_S53_who_wants_prices_is_not_told_of_books(rig, app, reader):
    with Stream(rig.daemon, app.token) as other:
        follow(rig, reader, PRICE)
        follow(rig, other, DEPTH, TRADES)
        trade(rig, "10", price="0.7123")
        other.event(DEPTH)
        wait_trade(other, "10")
        reader.event(PRICE, lambda d: d["price"] == "0.7123")
        assert reader.ask("ping")["op"] == "pong"
        assert {m["ch"] for m in reader.messages if "ch" in m} == {PRICE}
        assert {m["ch"] for m in other.messages if "ch" in m} == {DEPTH, TRADES}


@pytest.mark.rig(stream_linger_ms="300")
def test_S54_fifty_readers_share_one_socket_and_the_last_one_closes_it(rig, app):
    readers = [Stream(rig.daemon, app.token) for _ in range(25)]
    for one in readers:
        one.subscribe(DEPTH)
    readers += [Events(rig.daemon, app.token, ch=DEPTH) for _ in range(25)]
    wait_for(lambda: is_live(rig, DEPTH))
    rig.sim.trade(side="buy", price="0.6", base_quantity="100")
    is_now = is_book(rig)
    for one in readers:
        one.wait_for(lambda m: m["op"] in ("event", "snapshot") and m["data"] and is_now(m["data"]))
    assert names(rig) == ["account", DEPTH]
    for one in readers[:-1]:
        one.__exit__()
    assert readers[-1].event(DEPTH, lambda d: True) and names(rig) == ["account", DEPTH]
    readers[-1].close()
    wait_for(lambda: names(rig) == ["account"])
    assert opened(rig, DEPTH) == 1
    assert DEPTH not in streams(rig)


# ---- which sockets there are ------------------------------------------------------------------


def test_no_socket_but_the_accounts_for_markets_nobody_wants(rig, app, reader):
    for path in ("/v1/markets", "/v1/markets/NIGHTUSDM/price", "/v1/balances", "/v1/health"):
        assert app.get(path).status == 200
    reader.subscribe_all("orders", "fills", "balances")
    assert app.order().status == 201
    assert names(rig) == ["account"]
    follow(rig, reader, PRICE, DEPTH)
    follow(rig, reader, "depth:NIGHTUSDM")
    assert names(rig) == ["account", DEPTH, "depth:NIGHTUSDM", PRICE]
    handshakes = [e["path"] for e in rig.sim.log() if e["proto"] == "ws"]
    assert len(handshakes) == len(set(handshakes)) == 4


@pytest.mark.rig(stream_linger_ms="600000")
def test_a_market_lingers_for_those_who_come_back(rig, app, reader):
    follow(rig, reader, DEPTH)
    reader.ask("unsubscribe", ch=DEPTH)
    wait_for(lambda: streams(rig)[DEPTH]["is_wanted"] is False)
    rig.sim.trade(side="buy", price="0.6", base_quantity="100")
    wait_for(lambda: len(app.get("/v1/markets/ADAUSDM/depth").json["bids"]) == 1)
    answer = reader.subscribe(DEPTH)
    assert answer["live"] is True
    assert is_book(rig)(reader.wait_for(lambda m: m["op"] == "snapshot" and m["data"])["data"])
    assert opened(rig, DEPTH) == 1


@pytest.mark.rig(stream_symbols="ADAUSDM,IAGUSDM", stream_linger_ms="0")
def test_configured_markets_are_followed_whoever_comes_and_goes(rig, reader):
    wanted = sorted(["account", *(f"{kind}:{symbol}" for kind in PATHS
                                  for symbol in ("ADAUSDM", "IAGUSDM"))])
    wait_for(lambda: names(rig) == wanted)
    follow(rig, reader, DEPTH, "depth:NIGHTUSDM")
    assert names(rig) == sorted([*wanted, "depth:NIGHTUSDM"])
    reader.close()
    wait_for(lambda: names(rig) == wanted)
    assert opened(rig, DEPTH) == 1


@pytest.mark.rig(stream_linger_ms="200")
def test_a_reader_that_breaks_off_is_a_reader_that_left(rig, app):
    torn = [Stream(rig.daemon, app.token) for _ in range(3)]
    for one in torn:
        follow(rig, one, DEPTH, TRADES)
    for one in torn:
        one.drop(reset=True)
    wait_for(lambda: names(rig) == ["account"])


@pytest.mark.rig(**QUICK)
def test_a_new_key_opens_the_markets_anew(rig, reader):
    follow(rig, reader, DEPTH, TRADES)
    told = rig.sim.request("GET", "/accounts/new-api-key", headers={"X-API-KEY": rig.api_key})
    key = rig.secrets["new API key"] = told.json["api_key"]
    rig.daemon.cli("rotate-api-key", stdin=key + "\n")
    for channel in (DEPTH, TRADES):
        wait_for(lambda name=channel: opened(rig, name) == 2 and is_live(rig, name))
    trade(rig, "12.5")
    wait_trade(reader, "12.5")
    last = {e["path"]: e["query"] for e in rig.sim.log() if e["proto"] == "ws"}
    assert all(f"api_key={key}" in query for query in last.values())


# ---- REST, from memory ------------------------------------------------------------------------


def test_books_and_trades_are_read_from_memory(rig, app):
    for quantity in ("10", "20"):
        trade(rig, quantity)
    rig.sim.trade(side="buy", price="0.6", base_quantity="100")
    told = app.get("/v1/markets/ADAUSDM/depth").json
    assert is_book(rig)(told)
    assert (told["source"], told["is_live"]) == ("stream", True) and told["age_ms"] >= 0
    trades = app.get("/v1/markets/ADAUSDM/trades").json
    assert [one["base_qty"] for one in trades["data"]] == ["10", "20"]
    assert (trades["source"], trades["is_live"]) == ("stream", True)
    asked = rig.sim.log()[-1]["seq"]
    for _ in range(20):
        assert app.get("/v1/markets/ADAUSDM/depth").json["bids"] == told["bids"]
        assert app.get("/v1/markets/ADAUSDM/trades").json["data"] == trades["data"]
    assert [e["path"] for e in rig.sim.log(since=asked) if e["path"].startswith("/market")] == []


@pytest.mark.rig(**QUICK)
def test_a_price_is_the_streams_while_it_is_live_and_asked_for_when_it_is_not(rig, app, reader):
    def price():
        return app.get("/v1/markets/ADAUSDM/price").json

    assert price()["source"] == "exchange"
    follow(rig, reader, PRICE)
    trade(rig, "10", price="0.7123")
    reader.event(PRICE, lambda d: d["price"] == "0.7123")
    asked = len(rig.sim.log("/market/market-price"))
    told = price()
    assert (told["price"], told["source"], told["is_live"]) == ("0.7123", "stream", True)
    assert len(rig.sim.log("/market/market-price")) == asked
    rig.sim.faults({"match": {"stream": "price:*"}, "at": "handshake", "answer": {"status": 503}})
    rig.sim.drop("price:*")
    wait_for(lambda: not is_live(rig, PRICE))
    trade(rig, "10", price="0.6999")
    told = wait_for(lambda: (p := price())["price"] == "0.6999" and p)
    assert (told["source"], told["is_live"]) == ("exchange", False)


@pytest.mark.rig(stream_linger_ms="200")
def test_a_look_opens_a_stream_for_a_while_only(rig, app):
    assert app.get("/v1/markets/ADAUSDM/depth").status == 200
    assert opened(rig, DEPTH) == 1
    wait_for(lambda: names(rig) == ["account"])
    rig.sim.trade(side="buy", price="0.6", base_quantity="100")
    # What is remembered is not what is true: it asks anew.
    assert is_book(rig)(app.get("/v1/markets/ADAUSDM/depth").json)
    assert opened(rig, DEPTH) == 2


# ---- trouble ----------------------------------------------------------------------------------


@pytest.mark.rig(**QUICK)
def test_what_stops_being_live_is_said_with_its_last_figures_kept(rig, app, reader):
    follow(rig, reader, DEPTH)
    rig.sim.trade(side="buy", price="0.6", base_quantity="100")
    reader.event(DEPTH, is_book(rig))
    rig.sim.faults({"match": {"stream": "depth:*"}, "at": "handshake", "answer": {"status": 503}})
    since = len(reader.messages)
    rig.sim.drop("depth:*", code=1001)
    gone = reader.wait_for(lambda m: m["op"] == "status", since=since)
    assert (gone["ch"], gone["live"]) == (DEPTH, False)
    told = app.get("/v1/markets/ADAUSDM/depth").json
    assert told["is_live"] is False and is_book(rig)(told)
    rig.sim.trade(side="sell", price="0.8", base_quantity="50")
    rig.sim.clear_faults()
    back = reader.wait_for(lambda m: m["op"] == "status" and m["live"], since=since)
    assert back["ch"] == DEPTH
    reader.event(DEPTH, is_book(rig), since=since)
    wait_for(lambda: app.get("/v1/markets/ADAUSDM/depth").json["is_live"])
    assert [m["live"] for m in reader.messages[since:] if m["op"] == "status"] == [False, True]


@pytest.mark.rig(**QUICK)
def test_a_market_that_is_not_there_yet_is_told_when_it_comes(rig, reader):
    rig.sim.faults({"match": {"stream": "depth:*"}, "at": "handshake", "answer": {"status": 503}})
    assert reader.subscribe(DEPTH)["live"] is False
    assert reader.snapshot(DEPTH)["data"] is None
    wait_for(lambda: opened(rig, DEPTH) >= 3)
    rig.sim.clear_faults()
    assert reader.event(DEPTH)["skipped"] == 0
    assert reader.wait_for(lambda m: m["op"] == "status")["live"] is True


@pytest.mark.rig(**QUICK, stream_ping_ms="150", stream_pong_ms="200")
def test_a_half_open_market_is_dropped_and_opened_anew(rig, reader):
    follow(rig, reader, DEPTH)
    rig.sim.mute(DEPTH)
    rig.sim.trade(side="buy", price="0.6", base_quantity="100")
    reader.wait_for(lambda m: m["op"] == "status" and not m["live"])
    reader.event(DEPTH, is_book(rig))
    reader.wait_for(lambda m: m["op"] == "status" and m["live"])
    assert opened(rig, DEPTH) == 2


def go_down(rig, name):
    rig.sim.faults({"match": {"stream": name}, "at": "handshake", "answer": {"status": 503}})
    rig.sim.drop(name)
    wait_for(lambda: not is_live(rig, name))


@pytest.mark.rig(**QUICK)
def test_trades_that_the_backlog_still_has_make_no_gap(rig, reader):
    follow(rig, reader, TRADES)
    trade(rig, "1.5")
    wait_trade(reader, "1.5")
    go_down(rig, TRADES)
    for number in range(2, 30):
        trade(rig, f"{number}.5")
    rig.sim.clear_faults()
    wait_trade(reader, "29.5")
    assert quantities(reader) == [f"{number}.5" for number in range(1, 30)]
    assert not reader.of(TRADES, "gap")


@pytest.mark.rig(**QUICK)
def test_trades_that_cannot_be_had_any_more_are_told_as_a_gap(rig, app, reader):
    follow(rig, reader, TRADES)
    trade(rig, "1.5")
    wait_trade(reader, "1.5")
    go_down(rig, TRADES)
    for number in range(2, 62):
        trade(rig, f"{number}.5")
    rig.sim.clear_faults()
    wait_trade(reader, "61.5")
    (gap,) = reader.of(TRADES, "gap")
    assert gap["reason"] == "upstream"
    kept = [f"{number}.5" for number in range(12, 62)]  # fifty is what the exchange repeats
    assert quantities(reader) == ["1.5", *kept]
    assert reader.messages.index(gap) < reader.messages.index(reader.of(TRADES)[1])
    with Stream(rig.daemon, app.token) as late:
        late.subscribe(TRADES, after={"epoch": reader.epoch, "seq": reader.of(TRADES)[0]["seq"]})
        wait_trade(late, "61.5")
        assert late.of(TRADES, "gap") == [gap]
        assert late.of(TRADES) == reader.of(TRADES)[1:]


@pytest.mark.rig(**QUICK)
def test_a_market_without_trades_may_have_had_some_meanwhile(rig, reader):
    follow(rig, reader, TRADES)
    go_down(rig, TRADES)
    for number in range(1, 61):
        trade(rig, f"{number}.5")
    rig.sim.clear_faults()
    wait_trade(reader, "60.5")
    assert quantities(reader) == [f"{number}.5" for number in range(11, 61)]
    (gap,) = reader.of(TRADES, "gap")
    assert reader.messages.index(gap) < reader.messages.index(reader.of(TRADES)[0])


@pytest.mark.parametrize("text", [
    "{{{", "[7]", json.dumps([7, {"timestamp": "2026-01-01T00:00:00Z", "symbol": "ADAUSDM",
                                  "side": "buy", "price": 0.7, "amount": 2.5}])])
def test_trades_that_cannot_be_read_are_told_as_a_gap(rig, reader, text):
    follow(rig, reader, TRADES)
    trade(rig, "1.5")
    wait_trade(reader, "1.5")
    for _ in range(3):
        rig.sim.say("trades:*", text)
    trade(rig, "3.5")
    wait_trade(reader, "3.5")
    (gap,) = reader.of(TRADES, "gap")
    assert gap["reason"] == "upstream"
    assert quantities(reader) == ["1.5", *["2.5"] * (len(text) > 3), "3.5"]
    assert reader.messages.index(gap) < reader.messages.index(reader.of(TRADES)[-1])


@pytest.mark.rig(stream_trades_kept="10")
def test_a_resumed_reader_is_told_which_trades_are_not_kept(rig, app, reader):
    follow(rig, reader, TRADES)
    for number in range(1, 31):
        trade(rig, f"{number}.5")
    wait_trade(reader, "30.5")
    told = reader.of(TRADES)
    for at, missing in ((25, False), (19, False), (18, True), (0, True)):
        with Stream(rig.daemon, app.token) as late:
            answer = late.subscribe(
                TRADES, after={"epoch": reader.epoch, "seq": told[at]["seq"]})
            assert answer["recovered"] is True
            wait_trade(late, "30.5")
            assert [gap["reason"] for gap in late.of(TRADES, "gap")] == ["history"] * missing
            assert late.of(TRADES) == told[max(at + 1, 20):]


@pytest.mark.rig(**QUICK)
def test_over_a_restart_numbers_rise_and_trades_say_that_some_may_be_missing(rig, app):
    with Stream(rig.daemon, app.token) as before:
        follow(rig, before, TRADES, DEPTH)
        trade(rig, "1.5")
        wait_trade(before, "1.5")
        trades, depth = before.after(TRADES), before.after(DEPTH)
    rig.daemon.kill()
    trade(rig, "2.5")
    rig.daemon.start()
    with Stream(rig.daemon, app.token) as after:
        assert after.subscribe(TRADES, after=trades)["seq"] > trades["seq"]
        wait_trade(after, "2.5")
        assert [gap["reason"] for gap in after.of(TRADES, "gap")] == ["history"]
        assert after.subscribe(DEPTH, after=depth)["recovered"] is False


@pytest.mark.rig(**QUICK)
def test_what_cannot_be_read_changes_nothing(rig, app, reader):
    rig.sim.trade(side="buy", price="0.6", base_quantity="100")
    follow(rig, reader, DEPTH, PRICE, TRADES)
    for channel in (DEPTH, PRICE):
        reader.wait_for(lambda m, name=channel: m.get("ch") == name and m.get("data"))
    since = len(reader.messages)
    for text in ("{{{", "ping", "", "[[]]", "null", "7", '{"bids":7}', '{"price":"x"}',
                 '{"bids":[{"price":"x","quantity":1}],"asks":[]}', '[{"price":0.5}]',
                 '{"bids":[{"price":-0.5,"quantity":1}],"asks":[]}', '{"price":-1}',
                 '{"price":1e999}', '[{"timestamp":"then","symbol":"ADAUSDM","side":"buy",'
                 '"price":0.5,"amount":1}]', '{"sub_type":"unheard_of","price":[]}'):
        for stream in ("depth:*", "price:*", "trades:*"):
            rig.sim.say(stream, text)
    # Another market's trade on this one's stream is none of this market.
    rig.sim.say("trades:*", json.dumps([{
        "timestamp": "2026-01-01T00:00:00Z", "symbol": "NIGHTUSDM", "side": "buy", "price": 0.05,
        "amount": 1}]))
    trade(rig, "33.5", price="0.65")
    wait_trade(reader, "33.5")
    reader.event(DEPTH, is_book(rig), since=since)
    reader.event(PRICE, lambda d: d["price"] == "0.65")
    assert quantities(reader) == ["33.5"]
    later = reader.messages[since:]
    assert {m["data"]["price"] for m in later if m.get("ch") == PRICE} == {"0.65"}
    assert {opened(rig, channel) for channel in (DEPTH, PRICE, TRADES)} == {1}


# ---- slow readers -----------------------------------------------------------------------------


def storm(rig):
    """More books than the kernel and the queue of a reader that does not read will hold."""
    rig.sim.storm(DEPTH, per_second=2000, seconds=600)
    wait_for(lambda: rig.sim.sockets(DEPTH)[0]["messages_sent"] > 2000, 20)
    rig.sim.control("DELETE", "storm")
    rig.sim.trade(side="buy", price="0.6123", base_quantity="100")
    is_now = is_book(rig)
    wait_for(lambda: is_now(rig.daemon.admin.get("/v1/markets/ADAUSDM/depth").json))
    return is_now


@pytest.mark.rig(subscriber_queue_bytes="16384")
def test_books_that_a_slow_reader_had_no_time_for_are_counted(rig, app):
    with Stream(rig.daemon, app.token, room=65536) as slow:
        follow(rig, slow, DEPTH)
        is_now = storm(rig)
        slow.event(DEPTH, is_now)
        events = slow.of(DEPTH)
        for event in events:
            assert event["seq"] - event["prev"] == event["skipped"] + 1
        skipped = sum(event["skipped"] for event in events)
        assert skipped > 500
        assert len(events) + skipped == slow.chains.last[DEPTH] - slow.snapshot(DEPTH)["seq"]


@pytest.mark.rig(subscriber_queue_bytes="16384", stream_trades_kept="10")
def test_trades_that_a_slow_reader_had_no_time_for_are_a_gap(rig, app):
    with Stream(rig.daemon, app.token, room=65536) as slow, \
            Stream(rig.daemon, app.token) as good:
        follow(rig, slow, DEPTH, TRADES)
        follow(rig, good, TRADES)
        storm(rig)
        for number in range(1, 81):
            trade(rig, f"{number}.5")
        wait_trade(good, "80.5")
        wait_trade(slow, "80.5")
        assert quantities(good) == [f"{number}.5" for number in range(1, 81)]
        told = quantities(slow)
        gaps = slow.of(TRADES, "gap")
        assert [gap["reason"] for gap in gaps] == ["history"]
        assert told == [q for q in quantities(good) if q in told]
        assert told[-10:] == quantities(good)[-10:] and len(told) < 80
