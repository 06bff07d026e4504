"""The account's stream, from the exchange to every local subscriber: rows S41 to S49 and S55, and
what the channels orders, fills, balances and system promise when messages are lost, late, doubled
or wrong, when the stream or the daemon is away, and when a reader is slow or was gone.

What is told is compared with the exchange's own record; stream_app.py follows `prev`."""
import datetime
import json
import random

import pytest

from facts import SILENCE, check_against_exchange, executions, on_book, own_orders
from rig import wait_for
from stream_app import Events, Stream
from trader import Trader

ACCOUNT = ("orders", "fills", "balances")
QUICK = {"stream_retry_min_ms": "20", "stream_retry_max_ms": "160"}
SELDOM = {"account_poll_ms": "600000"}  # no sweep helps the stream out


def health(rig, name="account"):
    return rig.daemon.admin.get("/v1/health").json["streams"][name]


def becomes_live(rig, connections=None):
    """Waits until nothing of before this connection is missing."""
    def is_live():
        told = health(rig)
        return told["state"] == "live" and connections in (None, told["reconnects"])

    wait_for(is_live, 20, "the account's stream is live")


@pytest.fixture
def rig(rig):
    becomes_live(rig)
    return rig


@pytest.fixture
def watcher(rig):
    """Sees what all apps do."""
    with Stream(rig.daemon, rig.app("read").token) as stream:
        yield stream.subscribe_all(*ACCOUNT, "system")


def resting(rig, app, **fields):
    """An order that is on the exchange's book."""
    order = app.order(**fields)
    assert order.status == 201, order
    on_book(rig.sim, order.json)
    return order.json


def states(stream, order):
    """The states of an order as they were told, each once."""
    told = [d["state"] for d in stream.data("orders") if d["order_id"] == order["order_id"]]
    return [state for at, state in enumerate(told) if told[at - 1:at] != [state]]


def wait_state(stream, order, state):
    return stream.event(
        "orders", lambda d: d["order_id"] == order["order_id"] and d["state"] == state)


def happened(rig):
    """Ids of the executions of the daemon's account, as the exchange knows them."""
    return {record["id"] for order in own_orders(rig.sim) for record in executions(order)}


def wait_fills(rig, stream):
    """Until each execution that has happened was told; none is told twice."""
    expected, known = happened(rig), set()

    def is_last(message):
        if message["op"] == "event" and message["ch"] == "fills":
            assert message["data"]["execution_id"] not in known, "told twice"
            known.add(message["data"]["execution_id"])
        return known >= expected

    if expected:
        stream.wait_for(is_last, what=f"all of {len(expected)} fills")
    assert {d["execution_id"] for d in stream.data("fills")} == expected
    assert len(stream.data("fills")) == len(expected)


def order_info(order, **changes):
    """What the exchange would say of an order."""
    return json.dumps({"type": "Account", "sub_type": "order_info", "order": {**order, **changes}})


def mark(rig, *streams, amount="0.000001"):
    """A last event for all: what is to come before it has come."""
    free = rig.sim.credit("USDM", amount)["free"]
    for stream in streams:
        stream.event("balances", lambda d: d["asset"] == "USDM" and d["free"] == free)


# ---- the socket -------------------------------------------------------------------------------


def test_S42_the_log_shows_sub_type_and_field_names_only(rig, watcher):
    foreign = {"id": "11111111-2222-4333-8444-555555555555", "status": "open", "side": "buy",
               "symbol": "ADAUSDM", "price": "31337.2718", "orig_qty": "31337.2718"}
    strange = {"sub_type": "margin_call", "amount": "31337.2718", "31337.2718": 1,
               "note": f"for {rig.api_key}"}
    rig.sim.say("account", order_info(foreign))
    rig.sim.say("account", json.dumps(strange))
    rig.sim.say("account", '{"sub_type":"balance","balance":[{"asset":31337.2718}]}')
    rig.sim.credit("ADA", "31337.2718")
    watcher.event("balances", lambda d: d["free"] == "131337.2718")
    lines = [line for line in rig.daemon.events("stream.message") if line["stream"] == "account"]
    assert [(line["sub_type"], line["keys"]) for line in lines] == [
        ("order_info", "type,sub_type,order"), ("margin_call", "sub_type,amount,?,note"),
        ("balance", "sub_type,balance"), ("balance", "type,sub_type,balance")]
    assert len(rig.daemon.events("stream.unknown_sub_type")) == 1
    assert "31337.2718" not in rig.daemon.log_text()


class Verbatim:
    """Keeps the events of a reader byte for byte."""

    def __init__(self, *args, **options):
        self.texts = []
        super().__init__(*args, **options)

    def take(self, text):
        super().take(text)
        if self.messages[-1]["op"] == "event":
            self.texts.append(bytes(text))


class VerbatimStream(Verbatim, Stream):
    pass


class VerbatimEvents(Verbatim, Events):
    pass


def many(rig, count):
    """Readers of the account's channels, over WebSocket and as server-sent events."""
    token = rig.app("read").token
    made = []
    for number in range(count):
        if number % 2:
            made.append(VerbatimEvents(rig.daemon, token, ch=",".join(ACCOUNT)))
        else:
            made.append(VerbatimStream(rig.daemon, token))
            for channel in ACCOUNT:
                made[-1].subscribe(channel)
        for channel in ACCOUNT:
            made[-1].snapshot(channel)
    return made


def test_S43_twenty_readers_are_told_the_same_to_the_byte(rig, app):
    readers = many(rig, 20)
    for quantity in ("40", "100"):
        order = resting(rig, app, price="0.5")
        rig.sim.fill(order["exchange_order_id"], quantity)
    app.delete("/v1/orders", symbol="ADAUSDM")
    wait_for(lambda: not app.get("/v1/orders", state="partially_filled").json["data"])
    mark(rig, *readers)
    assert len(readers[0].texts) >= 12
    for reader in readers:
        assert reader.texts == readers[0].texts
        reader.__exit__()


@pytest.mark.rig(subscriber_queue_bytes="16384")
def test_S44_readers_that_stop_or_break_off_disturb_nobody(rig, app):
    good = many(rig, 18)
    with Stream(rig.daemon, rig.app("read").token, room=16384) as stopped:
        stopped.subscribe_all(*ACCOUNT)
        order = resting(rig, app, price="0.5", base_quantity="1000")
        for number in range(30):
            torn = Stream(rig.daemon, app.token)
            torn.sock.sendall(b"\x81\xfe\x0f\xff" + b"half a frame")
            rig.sim.fill(order["exchange_order_id"], 10 + number % 3)
            torn.drop(reset=True)
        mark(rig, *good)
        told = len(happened(rig))
        assert told == 30
        for reader in good:
            wait_fills(rig, reader)
            for channel in ACCOUNT:
                assert reader.of(channel) == good[0].of(channel)
        # It had stopped, not gone: nothing of it is lost either.
        mark(rig, stopped, *good)
        assert stopped.data("fills") == good[0].data("fills")
        assert stopped.of("orders") == good[0].of("orders")
    for reader in good:
        reader.__exit__()


# ---- what it tells ----------------------------------------------------------------------------


def test_S45_a_credit_is_one_balance_event(rig, watcher):
    rig.sim.credit("ADA", "5")
    told = watcher.event("balances", lambda d: d["asset"] == "ADA")["data"]
    assert (told["free"], told["locked"]) == ("100005", "0")
    mark(rig, watcher)
    assert [d["asset"] for d in watcher.data("balances")] == ["ADA", "USDM"]
    theirs = {b["asset"]: (b["free"], b["locked"]) for b in rig.sim.balances()}
    for balance in rig.daemon.admin.get("/v1/balances").json["data"]:
        assert (balance["free"], balance["locked"]) == theirs[balance["asset"]]


@pytest.mark.rig(**SELDOM)
def test_S46_a_fill_is_told_once_however_often_the_exchange_says_it(rig, app, watcher):
    rig.sim.faults({"switch": "stream_executions"})
    order = resting(rig, app)
    rig.sim.fill(order["exchange_order_id"], 40)
    told = watcher.event("fills")["data"]
    (record,) = executions(rig.sim.order(order["exchange_order_id"]))
    assert told["execution_id"] == record["id"]
    assert (told["order_id"], told["base_qty"], told["price"], told["quote_qty"]) == (
        order["order_id"], "40", "0.45", "18")
    assert (told["role"], told["side"]) == ("maker", "buy")
    for _ in range(3):
        rig.sim.say("account", order_info(rig.sim.order(order["exchange_order_id"])))
    rig.sim.drop("account")
    becomes_live(rig, 1)
    mark(rig, watcher)
    assert watcher.data("fills") == [told]
    assert app.get("/v1/fills").json["data"] == [told]
    check_against_exchange(rig)


def test_S47_the_states_of_an_order_come_in_their_order(rig, app, watcher):
    order, second = resting(rig, app), resting(rig, app)
    rig.sim.fill(order["exchange_order_id"], 40)
    wait_state(watcher, order, "partially_filled")
    rig.sim.fill(order["exchange_order_id"])
    wait_state(watcher, order, "filled")
    rig.sim.fill(second["exchange_order_id"], 10)
    wait_state(watcher, second, "partially_filled")
    app.delete("/v1/orders/" + second["order_id"])
    wait_state(watcher, second, "cancelled")
    way = ["accepted", "building", "submitting", "open", "partially_filled"]
    assert states(watcher, order) == [*way, "filled"]
    assert states(watcher, second) == [*way, "cancelled"]
    for one in (order, second):
        last = [d for d in watcher.data("orders") if d["order_id"] == one["order_id"]][-1]
        asked = app.get("/v1/orders/" + one["order_id"]).json
        assert last == {key: asked[key] for key in last}


@pytest.mark.rig(**SELDOM)
def test_S48_what_cannot_be_read_is_logged_and_skipped(rig, app, watcher):
    order = resting(rig, app)
    (before,) = rig.sim.sockets("account")
    rig.sim.say("account", "{{{")
    mark(rig, watcher)
    assert len(rig.daemon.events("stream.unreadable")) == 1
    for text in ("", "[]", "null", "ping", '{"sub_type":7}', '{"sub_type":"order_info"}', "{}",
                 '{"sub_type":"order_info","order":{"id":[],"status":{}}}', "[" * 5000,
                 '{"sub_type":"balance","balance":{"ADA":"1"}}', '{"sub_type":"nothing new"}',
                 '{"sub_type":"balance","balance":[{"asset":"ADA","free":"-5","locked":"x"}]}'):
        rig.sim.say("account", text)
    rig.sim.fill(order["exchange_order_id"])
    wait_state(watcher, order, "filled")
    (after,) = rig.sim.sockets("account")
    assert after["id"] == before["id"]
    watcher.event("balances", lambda d: d["asset"] == "ADA" and d["free"] == "100099.9")
    assert "-5" not in {d["free"] for d in watcher.data("balances")}
    check_against_exchange(rig)


def test_S48_a_log_is_not_filled_by_nonsense(rig, watcher):
    for _ in range(200):
        rig.sim.say("account", "nonsense {")
    mark(rig, watcher)
    assert 10 <= len(rig.daemon.events("stream.unreadable")) < 40


@pytest.mark.rig(**QUICK, account_poll_ms="200", rate_reads_per_second="100")
def test_S49_a_stopped_stream_stays_stopped_whatever_comes(rig, app, watcher):
    done = rig.daemon.admin.post("/v1/admin/streams/account/stop")
    assert done.json["streams"]["account"]["state"] == "stopped"
    wait_for(lambda: rig.sim.sockets() == [])
    opened = len(rig.sim.log("/accounts/stream"))
    rig.daemon.cli("rotate-api-key", stdin=new_key(rig) + "\n")
    rig.sim.maintain(0)
    order = resting(rig, app)
    rig.sim.fill(order["exchange_order_id"])
    wait_state(watcher, order, "filled")  # asked for, many retries' time later
    assert (rig.sim.sockets(), len(rig.sim.log("/accounts/stream"))) == ([], opened)
    assert health(rig)["state"] == "stopped"
    assert "stream.stopped" in [m["type"] for m in watcher.of("system")]
    rig.daemon.admin.post("/v1/admin/streams/account/start")
    becomes_live(rig)


# ---- lost, and found again --------------------------------------------------------------------


def times(rig, event):
    return [datetime.datetime.fromisoformat(line["ts"]) for line in rig.daemon.events(event)]


@pytest.mark.rig(**SELDOM, **QUICK)
def test_S55_each_loss_is_followed_by_a_wait_a_connection_and_what_was_missed(rig, app, watcher):
    rig.sim.faults(SILENCE)  # only what is asked for after connecting is ever known
    order = resting(rig, app)
    wait_for(lambda: len(rig.sim.log("/accounts/order/*")) == 1)  # about the fresh order
    for count in range(1, 11):
        rig.sim.fill(order["exchange_order_id"], 5)
        rig.sim.drop("account")
        becomes_live(rig, count)
        wait_fills(rig, watcher)
        assert len(rig.sim.sockets("account")) == 1
    waits = [line["retry_ms"] for line in rig.daemon.events("stream.lost")]
    steps = [min(20 * 2 ** number, 160) for number in range(9)]
    assert len(waits) == 10 and waits[0] <= 250  # at once, give or take
    for wait, step in zip(waits[1:], steps):
        assert step / 2 <= wait <= step, waits
    assert len(set(waits)) > 3  # jitter
    lost, found = (times(rig, f"stream.{what}") for what in ("lost", "connected"))
    assert len(found) == len(rig.sim.log("/accounts/stream")) == 11
    for was_lost, was_found, wait in zip(lost, found[1:], waits):
        assert (was_found - was_lost).total_seconds() * 1000 >= wait - 2

    def told(what):
        return [m["type"] for m in watcher.of("system")].count(f"stream.{what}")

    wait_for(lambda: told("live") >= 10)  # after the fills
    assert told("down") == told("live") == 10
    check_against_exchange(rig)


@pytest.mark.rig(**SELDOM, **QUICK)
def test_an_answer_from_before_a_loss_does_not_stand_for_what_came_after(rig, app, watcher):
    rig.sim.faults(SILENCE)
    order = resting(rig, app)
    wait_for(lambda: rig.sim.log("/accounts/order/*"))  # about the fresh order
    orders, trades = "/accounts/open-orders", "/accounts/trades"
    asked = len(rig.sim.log(orders))
    # The first is for the loss itself, the second for the connection after it.
    rig.sim.faults({"match": {"path": orders}, "nth": [2], "delay_after_ms": 1500})
    rig.sim.drop("account")
    wait_for(lambda: len(rig.sim.log(orders)) > asked + 1, what="it asks for the open orders")
    rig.sim.faults({"match": {"path": trades}, "delay_ms": 3000, "times": 1})
    rig.sim.fill(order["exchange_order_id"], 40)
    rig.sim.drop("account")
    becomes_live(rig, 2)
    (fill,) = app.get("/v1/fills").json["data"]
    assert fill["base_qty"] == "40"
    wait_fills(rig, watcher)


@pytest.mark.rig(**QUICK)
@pytest.mark.parametrize("phase, status", [("503", 503), ("403", 403)])
def test_a_restart_of_the_exchange_is_survived(rig, app, watcher, phase, status):
    order = resting(rig, app)
    rig.sim.maintain(60, phase)
    wait_for(lambda: [e["status"] for e in rig.sim.log("/accounts/stream")].count(status) >= 3)
    why = health(rig)["why"]
    assert str(status) in why, why
    assert not rig.daemon.events("*key_refused")
    rig.sim.fill(order["exchange_order_id"], 40)
    rig.sim.control("DELETE", "restart")
    becomes_live(rig)
    wait_fills(rig, watcher)
    assert rig.daemon.events("stream.lost")[0]["close_code"] == 1001
    assert not rig.daemon.events("*key_refused")


@pytest.mark.rig(**QUICK)
@pytest.mark.parametrize("code", [1000, 1001, 1006, 1011, 4000])
def test_it_comes_back_whatever_the_close_code(rig, watcher, code):
    rig.sim.drop("account", code=None if code == 1006 else code)
    becomes_live(rig, 1)
    assert rig.daemon.events("stream.lost")[0]["close_code"] == code
    mark(rig, watcher)


@pytest.mark.rig(**SELDOM, **QUICK, stream_ping_ms="150", stream_pong_ms="200")
def test_a_half_open_stream_is_dropped_and_its_gap_is_filled(rig, app, watcher):
    order = resting(rig, app)
    rig.sim.mute("account")
    rig.sim.fill(order["exchange_order_id"], 40)
    watcher.wait_for(lambda m: m["op"] == "event" and m["type"] == "stream.down"
                     and "sign of life" in m["data"]["text"], what="it is stale")
    wait_fills(rig, watcher)
    becomes_live(rig, 1)
    wait_state(watcher, order, "partially_filled")


@pytest.mark.rig(**QUICK)
def test_a_refused_key_is_told_once_and_tried_on(rig, watcher):
    rig.sim.faults({"match": {"stream": "account"}, "at": "handshake",
                    "answer": {"status": 401, "code": 4010}})
    rig.sim.drop("account")
    wait_for(lambda: [e["status"] for e in rig.sim.log("/accounts/stream")].count(401) >= 3)
    assert "refused the API key" in health(rig)["why"]
    assert len(rig.daemon.events("stream.key_refused")) == 1
    rig.sim.clear_faults()
    becomes_live(rig)
    mark(rig, watcher)


@pytest.mark.rig(**QUICK)
def test_the_end_of_a_trading_lock_takes_the_stream_along_and_nothing_else(rig, app, watcher):
    rig.sim.faults({"switch": "unlock_closes"})
    order = resting(rig, app)
    rig.sim.lock()
    rig.sim.lock(False)
    becomes_live(rig, 1)
    assert rig.daemon.events("stream.lost")[0]["close_code"] == 1001
    rig.sim.fill(order["exchange_order_id"])
    wait_state(watcher, order, "filled")


def test_a_text_ping_is_no_message(rig, watcher):
    mark(rig, watcher)
    known = len(rig.daemon.events("stream.message"))
    sent = rig.sim.sockets("account")[0]["messages_sent"]
    rig.sim.faults({"switch": "text_ping", "ms": 20})
    wait_for(lambda: rig.sim.sockets("account")[0]["messages_sent"] > sent + 5)
    rig.sim.clear_faults()
    mark(rig, watcher)
    assert len(rig.daemon.events("stream.message")) == known + 1
    assert not rig.daemon.events("stream.un*")


@pytest.mark.rig(**QUICK)
def test_a_new_key_opens_the_stream_anew(rig, app, watcher):
    order = resting(rig, app)
    key = new_key(rig)
    rig.daemon.cli("rotate-api-key", stdin=key + "\n")
    becomes_live(rig, 1)
    rig.sim.fill(order["exchange_order_id"])
    wait_state(watcher, order, "filled")
    keys = [e["query"].partition("api_key=")[2] for e in rig.sim.log("/accounts/stream")]
    assert keys == [rig.api_key, key]


def new_key(rig):
    told = rig.sim.request("GET", "/accounts/new-api-key", headers={"X-API-KEY": rig.api_key})
    rig.secrets["new API key"] = told.json["api_key"]
    return told.json["api_key"]


# ---- lost, doubled, late and wrong messages ---------------------------------------------------


@pytest.mark.parametrize("trouble", ["lost_event", "dup_event", "late_event", "all"])
def test_events_that_are_lost_doubled_or_late_change_nothing(make_rig, trouble):
    rig = quick_rig(make_rig, account_poll_ms="100")
    words = ("lost_event", "dup_event", "late_event") if trouble == "all" else (trouble,)
    rig.sim.faults(*({"switch": word, "probability": 0.3} for word in words))
    app, chance = rig.app(), random.Random(trouble)
    with Stream(rig.daemon, rig.app("read").token) as watcher:
        watcher.subscribe_all(*ACCOUNT)
        orders = [resting(rig, app, price="0.5") for _ in range(12)]
        for order in orders:
            for _ in range(chance.randrange(4)):
                rig.sim.fill(order["exchange_order_id"], chance.choice(("10", "20.5", "30")))
        for order in orders[::3]:
            rig.sim.fill(order["exchange_order_id"])
        app.delete("/v1/orders", symbol="ADAUSDM")
        wait_for(lambda: {o["status"] for o in own_orders(rig.sim)} == {"closed", "cancelled"})
        for order in orders:
            watcher.event("orders", lambda d, o=order: d["order_id"] == o["order_id"]
                          and d["state"] in ("filled", "cancelled"))
        wait_fills(rig, watcher)
        for order in orders:
            told = states(watcher, order)
            assert len(told) == len(set(told)), told  # never backwards
        wait_for(lambda: check_against_exchange(rig) is None)


def quick_rig(make_rig, **options):
    """The exchange takes orders as fast as they come."""
    rig = make_rig(max_orders_per_second="100", rate_reads_per_second="200",
                   requests_per_second="0", **QUICK, **options)
    rig.sim.options += ["--rate-orders", "0", "--match-delay-ms", "0"]
    rig.start()
    becomes_live(rig)
    return rig


@pytest.mark.rig(**SELDOM)
def test_partial_fills_nobody_told_of_are_complete_at_the_end(rig, app, watcher):
    rig.sim.faults({"switch": "partial_fill_silent"})
    order = resting(rig, app)
    for quantity in ("10", "20.5", "30"):
        rig.sim.fill(order["exchange_order_id"], quantity)
    rig.sim.fill(order["exchange_order_id"])
    wait_state(watcher, order, "filled")
    assert [d["base_qty"] for d in watcher.data("fills")] == ["10", "20.5", "30", "39.5"]
    check_against_exchange(rig)


@pytest.mark.rig(account_poll_ms="100")
def test_a_partial_fill_nobody_told_of_is_found_by_the_sweep(rig, app, watcher):
    rig.sim.faults({"switch": "partial_fill_silent"})
    order = resting(rig, app)
    rig.sim.fill(order["exchange_order_id"], 40)
    wait_state(watcher, order, "partially_filled")
    wait_fills(rig, watcher)


@pytest.mark.rig(**SELDOM)
def test_an_end_is_told_when_its_fills_are_whole(rig, app, watcher):
    """The exchange calls it closed, and its records are late."""
    order = resting(rig, app)
    wait_for(lambda: len(rig.sim.log("/accounts/order/*")) == 1)
    form = rig.sim.order(order["exchange_order_id"])
    told = {**{k: v for k, v in form.items() if k not in ("account", "market_maker")},
            "status": "closed", "executed_base_qty": "100", "order_execution_records": []}
    rig.sim.faults({"match": {"path": "/accounts/order/*"}, "times": 2,
                    "answer": {"status": 200, "body": json.dumps(told)}})
    rig.sim.fill(order["exchange_order_id"], 40)
    rig.sim.fill(order["exchange_order_id"])
    wait_state(watcher, order, "filled")
    at = {m["type"]: m["seq"] for m in watcher.messages if m["op"] == "event"
          and m["ch"] in ("orders", "fills")}
    assert at["fill.created"] < at["order.updated"]  # the last of each
    wait_fills(rig, watcher)
    check_against_exchange(rig)


@pytest.mark.rig(**SELDOM)
def test_a_quote_that_overflowed_is_kept_beside_the_true_one(rig, app, watcher):
    rig.sim.faults({"switch": "overflow_u64"}, {"switch": "stream_executions"})
    order = resting(rig, app, base_quantity="90000", price="0.5")
    rig.sim.fill(order["exchange_order_id"], 80000)
    fill = watcher.event("fills")["data"]
    (record,) = executions(rig.sim.order(order["exchange_order_id"]))
    assert (fill["base_qty"], fill["quote_qty"]) == ("80000", "40000")
    told = record["filled_quote_qty"]
    assert fill["exchange_quote_qty"] == told
    assert float(told) != 40000, "it did not overflow: the test shows nothing"
    state = wait_state(watcher, order, "partially_filled")["data"]
    assert (state["executed_quote_qty"], state["average_price"]) == ("40000", "0.5")


@pytest.mark.rig(**SELDOM)
def test_a_status_that_is_not_known_is_told_and_leaves_the_order_alone(rig, app, watcher):
    order = resting(rig, app)
    wait_for(lambda: len(rig.sim.log("/accounts/order/*")) == 1)
    form = rig.sim.order(order["exchange_order_id"])
    for _ in range(3):
        rig.sim.say("account", order_info(form, status="hibernating"))
    told = watcher.wait_for(lambda m: m["op"] == "event" and m["type"] == "order.unknown_status")
    assert told["data"]["about"] == order["order_id"] and "hibernating" in told["data"]["text"]
    mark(rig, watcher)
    assert states(watcher, order)[-1] == "open"
    assert app.get("/v1/orders/" + order["order_id"]).json["state"] == "open"
    assert [m["type"] for m in watcher.of("system")].count("order.unknown_status") == 1
    rig.sim.fill(order["exchange_order_id"])
    wait_state(watcher, order, "filled")


@pytest.mark.rig(**SELDOM)
def test_an_old_message_takes_nothing_back(rig, app, watcher):
    order = resting(rig, app)
    old = rig.sim.order(order["exchange_order_id"])
    rig.sim.fill(order["exchange_order_id"])
    wait_state(watcher, order, "filled")
    for status in ("open", "processing", "cancelled"):
        rig.sim.say("account", order_info(old, status=status))
    mark(rig, watcher)
    assert states(watcher, order)[-1] == "filled"
    assert app.get("/v1/orders/" + order["order_id"]).json["state"] == "filled"


# ---- the daemon was away ----------------------------------------------------------------------


def test_what_happened_while_the_daemon_was_dead_is_told_when_it_is_back(make_rig):
    """Fills on several pages: of orders that rest, that ended meanwhile, of one made elsewhere."""
    rig = quick_rig(make_rig, **SELDOM)
    app, theirs = rig.app(), Trader(rig.sim, rig.api_key, rig.password)
    with Stream(rig.daemon, rig.app("read").token) as watcher:
        token = watcher.subscribe_all(*ACCOUNT)
        part, whole, gone = (resting(rig, app, price="0.5", base_quantity="1000")
                             for _ in range(3))
        mark(rig, watcher)
        positions = {channel: token.after(channel) for channel in ACCOUNT}
    reader = rig.app("read")
    rig.daemon.kill()
    for number in range(252):
        rig.sim.fill(part["exchange_order_id"], f"1.{number:03}")
    rig.sim.fill(whole["exchange_order_id"], 400)
    rig.sim.fill(whole["exchange_order_id"])
    rig.sim.fill(gone["exchange_order_id"], 10)
    theirs.cancel(gone["exchange_order_id"])
    foreign = theirs.place(price="0.5")
    rig.sim.fill(foreign)
    rig.daemon.start()
    with Stream(rig.daemon, reader.token) as watcher:
        for channel, after in positions.items():
            assert watcher.subscribe(channel, after=after)["recovered"]
        for order, state in ((part, "partially_filled"), (whole, "filled"), (gone, "cancelled")):
            wait_state(watcher, order, state)
        wait_fills(rig, watcher)
        assert len(watcher.data("fills")) == 256
        (other,) = [d for d in watcher.data("fills") if d["order_id"] is None]
        assert (other["exchange_order_id"], other["side"]) == (foreign, "buy")
    wait_for(lambda: len(rig.daemon.journal("select * from v_fills")) == 256)


def test_a_reader_goes_on_over_a_kill_without_a_hole(rig, app):
    with Stream(rig.daemon, app.token) as before:
        before.subscribe_all("orders", "fills")
        order = resting(rig, app)
        rig.sim.fill(order["exchange_order_id"], 40)
        wait_state(before, order, "partially_filled")
        before.event("fills")
        epoch, seen = before.epoch, before.of("orders")
        middle = seen[len(seen) // 2]
    rig.daemon.kill()
    rig.sim.fill(order["exchange_order_id"])
    rig.daemon.start()
    for cut, rest in ((middle["seq"], seen[len(seen) // 2 + 1:]), (seen[-1]["seq"], [])):
        with Stream(rig.daemon, app.token) as after:
            assert after.epoch == epoch
            answer = after.subscribe("orders", after={"epoch": epoch, "seq": cut})
            assert answer["recovered"] is True
            wait_state(after, order, "filled")
            assert after.of("orders")[:len(rest)] == rest  # as it was told live, to the letter
            assert not after.of("orders", "snapshot")


def test_another_journal_is_another_epoch(rig, app):
    with Stream(rig.daemon, app.token) as stream:
        stream.subscribe_all("orders")
        resting(rig, app)
        stream.event("orders")
        old = stream.after("orders")
    rig.daemon.stop()
    for path in rig.daemon.data_dir.glob("journal.db*"):
        path.unlink()
    rig.daemon.start()
    with Stream(rig.daemon, rig.app().token) as stream:
        assert stream.epoch != old["epoch"]
        assert stream.subscribe("orders", after=old)["recovered"] is False
        assert stream.snapshot("orders")["data"] == []


def many_balances(count, number):
    """A message of the exchange about so many assets, each of which becomes an event."""
    return json.dumps({"type": "Account", "sub_type": "balance", "balance": [
        {"asset": f"COIN{at}", "asset_unit": "", "free": str(number), "locked": "0"}
        for at in range(count)]})


def oldest_kept(rig):
    return rig.daemon.journal("select min(seq) as seq from channel_events")[0]["seq"]


@pytest.mark.rig(journal_events_kept="1000", requests_per_second="0")
def test_a_position_older_than_what_is_kept_closes_with_4410(rig, app):
    with Stream(rig.daemon, rig.app("read").token) as stream:
        stream.subscribe_all("balances")
        after = stream.after("balances")
        for number in range(8):
            rig.sim.say("account", many_balances(200, number))
            mark(rig, stream)
        recent = {**after, "seq": stream.of("balances")[-10]["seq"]}
    wait_for(lambda: oldest_kept(rig) > after["seq"] + 1)
    with Stream(rig.daemon, rig.app("read").token) as stream:
        assert stream.subscribe("balances", after=recent)["recovered"]
    with Stream(rig.daemon, rig.app("read").token) as stream:
        number = stream.send("subscribe", ch="balances", after=after)
        error = stream.wait_for(lambda m: m["op"] == "error")
        assert error["id"] == number
        assert stream.closed()[0] == 4410
    query = {"ch": "balances,orders", "after": f"{after['epoch']};balances={after['seq']};orders=0"}
    with Events(rig.daemon, rig.app("read").token, **query) as events:
        assert events.ended() == 4410
        last = events.last_id
    # As a browser does, which does nothing else: it is not refused for ever.
    assert last == f"{after['epoch']};orders=0"
    with Events(rig.daemon, rig.app("read").token, headers=[("Last-Event-ID", last)],
                **query) as events:
        events.snapshot("balances")


# ---- slow readers -----------------------------------------------------------------------------


def credit(rig, count):
    """So many events of one balance."""
    for _ in range(count):
        rig.sim.credit("ADA", "0.000001")


@pytest.mark.rig(subscriber_queue_bytes="4096")
def test_a_slow_reader_is_fed_from_the_journal_and_loses_nothing(rig):
    token = rig.app("read").token
    with Stream(rig.daemon, token, room=8192) as slow, Stream(rig.daemon, token) as good:
        slow.subscribe_all("balances")
        good.subscribe_all("balances").follow()
        for number in range(4):
            rig.sim.say("account", many_balances(100, number))
        mark(rig, slow)
        wait_for(lambda: len(good.of("balances")) == len(slow.of("balances")))
        good.stop_following()
        assert slow.of("balances") == good.of("balances")
        assert len(slow.of("balances")) == 401


@pytest.mark.rig(subscriber_queue_bytes="4096", subscriber_slow_ms="300")
def test_a_reader_that_takes_nothing_is_closed_with_4008_and_where_it_was(rig):
    token = rig.app("read", "market").token
    with Stream(rig.daemon, token, room=65536) as stopped, Stream(rig.daemon, token) as good:
        stopped.subscribe_all("balances", "depth:ADAUSDM")
        good.subscribe_all("balances").follow()
        # The books fill what the kernel takes for it, and then its queue.
        rig.sim.storm("depth:ADAUSDM", per_second=2000, seconds=60)
        wait_for(lambda: credit(rig, 5) or rig.daemon.events("subscriber.slow"), 30, "it is closed")
        code, reason = stopped.closed()
        assert code == 4008
        assert reason == f"balances={stopped.chains.last['balances']}"
        after = stopped.after("balances")
        credit(rig, 5)
        free = rig.sim.credit("ADA", "1")["free"]
        wait_for(lambda: good.data("balances")[-1]["free"] == free)
        good.stop_following()
        missed = [m for m in good.of("balances") if m["seq"] > after["seq"]]
        assert 5 < len(missed) < len(good.of("balances"))
    with Stream(rig.daemon, token) as again:
        assert again.subscribe("balances", after=after)["recovered"]
        again.event("balances", lambda d: d["free"] == free)
        assert again.of("balances") == missed
