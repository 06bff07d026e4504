"""The local stream as a connection: handshake, token, scopes, limits, close codes, what may be said
and how it is answered; the same as server-sent events; and the documents that describe it.

What the channels tell is in other files; stream_app.py holds every message of all of them against
schema/events.schema.json and follows `prev`."""
import http.client
import json
import re
import threading
import time

import jsonschema
import pytest
import yaml

from rig import CONTRACT, ROOT, SLOWNESS, wait_for
from stream_app import SCHEMA, Chains, Events, Refused, Stream

LOSSLESS = ("orders", "fills", "balances", "system")
ASYNCAPI = yaml.safe_load((ROOT / "schema/asyncapi.yaml").read_text())


def refusal(daemon, token=None, **options):
    with pytest.raises(Refused) as caught:
        Stream(daemon, token, **options)
    return caught.value


def stranger(rig, **options):
    return Stream(rig.daemon, **options)


# ---- the handshake ----------------------------------------------------------------------------


def test_hello_is_first_and_says_who_is_known(rig, app):
    with Stream(rig.daemon, app.token) as known, stranger(rig) as unknown, \
            Stream(rig.daemon, unix=True) as local:
        for stream, is_known in ((known, True), (unknown, False), (local, True)):
            assert stream.hello is stream.messages[0]
            assert stream.hello["authenticated"] is is_known
            assert stream.hello["heartbeat_ms"] == 15000
            assert stream.subprotocol == "deltagate.v1"
        assert known.epoch == unknown.epoch == local.epoch


def test_the_epoch_outlives_a_restart(rig, app):
    with Stream(rig.daemon, app.token) as stream:
        before = stream.epoch
    rig.daemon.restart()
    with Stream(rig.daemon, app.token) as stream:
        assert stream.epoch == before


def test_a_subprotocol_is_only_chosen_when_it_is_offered(rig, app):
    with Stream(rig.daemon, app.token, protocol=None) as stream:
        assert stream.hello and stream.subprotocol is None


@pytest.mark.rig(allowed_origins="https://desk.example")
def test_foreign_pages_and_hosts_are_refused_as_by_rest(rig, app):
    for options, code in (
            ({"origin": "https://evil.example"}, "foreign-origin"),
            ({"origin": "null"}, "foreign-origin"),
            ({"host": "evil.example"}, "foreign-host"),
            ({"host": "evil.example:%d" % rig.daemon.address[1]}, "foreign-host")):
        refused = refusal(rig.daemon, app.token, **options)
        assert (refused.status, refused.code) == (403, code), options
    with Stream(rig.daemon, app.token, origin="https://desk.example", say_token=True) as stream:
        assert stream.subscribe("orders")


def test_a_wrong_token_is_refused_before_the_upgrade(rig, app):
    gone = rig.app()
    rig.daemon.admin.delete("/v1/admin/tokens/" + gone.token.split("_")[1])
    for token in (app.token[:-1] + ("0" if app.token[-1] != "0" else "1"), gone.token, "x", ""):
        refused = refusal(rig.daemon, token or "dg_")
        assert (refused.status, refused.code) == (401, "unauthorized")
        assert refused.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_in_the_url_is_refused(rig, app):
    for target in (f"/v1/stream?token={app.token}", "/v1/stream?x=1"):
        refused = refusal(rig.daemon, app.token, target=target)
        assert (refused.status, refused.code) == (422, "unknown-field")
    assert refusal(rig.daemon, target=f"/v1/stream?token={app.token}").status == 401


def test_a_token_that_may_neither_read_nor_see_markets_is_refused(rig):
    for scope in ("trade", "ops"):
        refused = refusal(rig.daemon, rig.app(scope).token)
        assert (refused.status, refused.code) == (403, "scope-missing")


def test_an_admin_token_counts_over_tcp_only_where_that_is_allowed(rig):
    admin = rig.app("admin")
    assert refusal(rig.daemon, admin.token).code == "scope-missing"
    with Stream(rig.daemon, admin.token, unix=True) as stream:
        assert stream.subscribe("orders")


def test_other_paths_are_no_streams(rig, app):
    for target, status in (("/v1/streams", 404), ("/v1/stream/", 404),
                           ("/v1/health", 200)):
        assert refusal(rig.daemon, app.token, target=target).status == status


def test_what_is_no_upgrade_is_told_what_it_should_be(rig, app):
    answer = app.get("/v1/stream")
    assert (answer.status, answer.code) == (426, "upgrade-required")
    assert answer.headers["Upgrade"] == "websocket"
    assert answer.headers["Sec-WebSocket-Version"] == "13"
    assert type(app)(rig.daemon).get("/v1/stream").status == 401
    assert rig.app("trade").get("/v1/stream").code == "scope-missing"


HALF_UPGRADES = (
    {"Sec-WebSocket-Version": "8"}, {"Sec-WebSocket-Version": None}, {"Sec-WebSocket-Key": None},
    {"Sec-WebSocket-Key": "short"}, {"Upgrade": "h2c"}, {"Connection": "close"},
    {"Content-Length": "3"})


def answer_to_half(rig, app, change):
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
               "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", **change}
    headers = {name: value for name, value in headers.items() if value is not None}
    connection = http.client.HTTPConnection(*rig.daemon.address, timeout=10 * SLOWNESS)
    connection.request("GET", "/v1/stream", "abc" if "Content-Length" in change else None,
                       {**headers, "Authorization": f"Bearer {app.token}"})
    response = connection.getresponse()
    body = json.loads(response.read())
    connection.close()
    assert response.status == body["status"], body
    return response.status


def test_half_an_upgrade_is_none(rig, app):
    for change in HALF_UPGRADES:
        assert answer_to_half(rig, app, change) in (400, 415, 426), change


# ---- auth -------------------------------------------------------------------------------------


def test_a_stranger_says_the_token_first(rig, app):
    with stranger(rig) as stream:
        answer = stream.ask("auth", token=app.token)
        assert answer["op"] == "authenticated"
        assert answer["scopes"] == ["market", "read", "trade"]
        assert answer["token_id"] == app.token.split("_")[1]
        assert stream.subscribe("orders")["ch"] == "orders"


def test_a_stranger_who_says_nothing_is_closed_after_five_seconds(rig):
    with stranger(rig) as stream:
        start = time.monotonic()
        assert stream.hello
        assert stream.closed()[0] == 4401
        assert 4.5 < time.monotonic() - start < 8 * SLOWNESS


def test_a_stranger_may_do_nothing_else(rig):
    with stranger(rig) as stream:
        for op, members in (("subscribe", {"ch": "orders"}), ("unsubscribe", {"ch": "orders"}),
                            ("ping", {})):
            assert stream.ask(op, **members)["code"] == "unauthorized"


def test_a_wrong_token_has_one_try(rig, app):
    for token in ("nonsense", "dg_" + "0" * 12 + "_" + "0" * 52, app.token[:-1]):
        with stranger(rig) as stream:
            assert stream.ask("auth", token=token)["code"] == "unauthorized"
            assert stream.closed()[0] == 4401


def test_a_token_without_a_scope_for_it_is_closed_with_4403(rig):
    with stranger(rig) as stream:
        assert stream.ask("auth", token=rig.app("trade").token)["code"] == "scope-missing"
        assert stream.closed()[0] == 4403


def test_a_second_token_is_refused(rig, app):
    with Stream(rig.daemon, app.token) as stream:
        assert stream.ask("auth", token=app.token)["code"] == "invalid-parameter"
        assert stream.ask("ping")["op"] == "pong"


def test_a_token_without_the_scope_may_not_subscribe_but_stays(rig):
    with Stream(rig.daemon, rig.app("market").token) as stream:
        for channel in LOSSLESS:
            assert stream.ask("subscribe", ch=channel)["code"] == "scope-missing"
        assert stream.subscribe("depth:ADAUSDM")
    with Stream(rig.daemon, rig.app("read").token) as stream:
        assert stream.ask("subscribe", ch="price:ADAUSDM")["code"] == "scope-missing"
        assert stream.subscribe("orders")


def test_only_some_see_the_orders_of_others(rig, app):
    with Stream(rig.daemon, app.token) as stream:
        assert stream.ask("subscribe", ch="orders", owner="any")["code"] == "scope-missing"
        assert stream.subscribe("orders", owner="own")
    with Stream(rig.daemon, rig.app("read", "trade", "ops").token) as stream:
        assert stream.subscribe("orders", owner="any")


# ---- the end of a token -----------------------------------------------------------------------


def revoke(rig, app):
    answer = rig.daemon.admin.delete("/v1/admin/tokens/" + app.token.split("_")[1])
    assert answer.status == 200, answer


def test_revoking_a_token_closes_its_connections_and_no_others(rig, app):
    other = rig.app()
    first, second = Stream(rig.daemon, app.token), stranger(rig)
    second.ask("auth", token=app.token)
    events = Events(rig.daemon, app.token, ch="orders")
    with Stream(rig.daemon, other.token) as stays:
        for stream in (first, second):
            stream.subscribe_all("orders")
        revoke(rig, app)
        assert first.closed()[0] == 4401
        assert second.closed()[0] == 4401
        assert events.ended() == 4401
        assert stays.ask("ping")["op"] == "pong"


def test_an_expired_token_is_closed_when_it_expires(rig):
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3 * SLOWNESS))
    app = rig.app(expires_at=soon)
    with Stream(rig.daemon, app.token) as stream:
        stream.subscribe("orders")
        events = Events(rig.daemon, app.token, ch="orders")
        assert stream.closed()[0] == 4401
        assert events.ended() == 4401
    assert refusal(rig.daemon, app.token).status == 401


# ---- what is said -----------------------------------------------------------------------------


def test_ping_is_answered_with_its_id(rig, app):
    with Stream(rig.daemon, app.token) as stream:
        for number in (0, 1, 2 ** 53):
            stream.send("ping", id=number)
            assert stream.wait_for(lambda m, n=number: m["op"] == "pong" and m["id"] == n)
        stream.send_text('{"op":"ping"}')
        assert stream.wait_for(lambda m: m["op"] == "pong" and m["id"] is None)


def test_a_subscription_begins_with_a_snapshot(rig, app):
    order = app.order().json
    with Stream(rig.daemon, app.token) as stream:
        answer = stream.subscribe("orders")
        assert answer["recovered"] is False
        snapshot = stream.snapshot("orders")
        assert snapshot["id"] == answer["id"]
        assert [one["order_id"] for one in snapshot["data"]] == [order["order_id"]]
        for channel in ("fills", "balances", "system"):
            stream.subscribe(channel)
            stream.snapshot(channel)


def test_unsubscribing_ends_it_and_it_may_begin_again(rig, app):
    with Stream(rig.daemon, app.token) as stream:
        stream.subscribe_all("orders")
        assert stream.ask("unsubscribe", ch="orders")["op"] == "unsubscribed"
        since = len(stream.messages)
        app.order()
        assert stream.ask("ping")["op"] == "pong"
        assert stream.messages[since:] == stream.messages[-1:]
        assert stream.ask("unsubscribe", ch="orders")["code"] == "invalid-parameter"
        stream.subscribe("orders")
        assert len(stream.snapshot("orders", since=since)["data"]) == 1


@pytest.mark.rig(subscriptions_max=3)
def test_what_cannot_be_subscribed_is_told_why(rig, app):
    with Stream(rig.daemon, app.token) as stream:
        stream.subscribe("orders")
        assert stream.ask("subscribe", ch="orders")["code"] == "invalid-parameter"
        assert stream.ask("ping")["op"] == "pong"
        stream.subscribe("fills")
        stream.subscribe("balances")
        assert stream.ask("subscribe", ch="system")["code"] == "invalid-parameter"


def raw(stream, text):
    """The error that a text gets."""
    since = len(stream.messages)
    stream.send_text(text)
    return stream.wait_for(lambda m: m["op"] == "error", since=since)


WRONG_MESSAGES = (
    ("", "bad-json", None),
    ("hello", "bad-json", None),
    ("[]", "bad-json", None),
    ('{"op":"ping","op":"ping"}', "bad-json", None),
    ('{"op":"ping","id":' + "[" * 20 + "]" * 20 + "}", "bad-json", None),
    ('{"id":7}', "invalid-parameter", 7),
    ('{"op":"dance","id":7}', "invalid-parameter", 7),
    ('{"op":"ping","id":-1}', "invalid-parameter", None),
    ('{"op":"ping","id":9007199254740993}', "invalid-parameter", None),
    ('{"op":"ping","id":7,"x":1}', "unknown-field", 7),
    ('{"op":"subscribe","id":7}', "invalid-parameter", 7),
    ('{"op":"subscribe","id":7,"ch":"nothing"}', "invalid-parameter", 7),
    ('{"op":"subscribe","id":7,"ch":"depth:NOSUCHPAIR"}', "invalid-parameter", 7),
    ('{"op":"subscribe","id":7,"ch":"depth:"}', "invalid-parameter", 7),
    ('{"op":"subscribe","id":7,"ch":"orders:ADAUSDM"}', "invalid-parameter", 7),
    ('{"op":"subscribe","id":7,"ch":"orders","owner":"all"}', "invalid-parameter", 7),
    ('{"op":"subscribe","id":7,"ch":"orders","after":5}', "invalid-parameter", 7),
    ('{"op":"subscribe","id":7,"ch":"orders","after":{"seq":5}}', "invalid-parameter", 7),
    ('{"op":"subscribe","id":7,"ch":"orders","after":{"epoch":"e","seq":5,"x":1}}',
     "unknown-field", 7),
)


def test_a_wrong_message_is_told_why(rig, app):
    for text, code, number in WRONG_MESSAGES:
        with Stream(rig.daemon, app.token) as stream:
            error = raw(stream, text)
            assert (error["code"], error["id"]) == (code, number), f"{text}: {error}"
            assert stream.ask("ping")["op"] == "pong", text


def test_five_wrong_messages_in_a_row_close_with_4400(rig, app):
    with Stream(rig.daemon, app.token) as stream:
        for _ in range(4):
            raw(stream, "nonsense")
        assert stream.ask("ping")["op"] == "pong"
        for _ in range(4):
            raw(stream, '{"op":"dance"}')
        stream.send_binary(b"\0\1")
        assert stream.closed()[0] == 4400
        assert len(stream.of(None, "error")) == 9


def test_binary_messages_are_refused(rig, app):
    with Stream(rig.daemon, app.token) as stream:
        stream.send_binary(b'{"op":"ping"}')
        assert stream.wait_for(lambda m: m["op"] == "error")["code"] == "bad-json"


def test_a_message_of_4096_bytes_is_taken_and_a_longer_one_is_not(rig, app):
    with Stream(rig.daemon, app.token) as stream:
        stream.send_text('{"op":"ping"}'.ljust(4096))
        assert stream.wait_for(lambda m: m["op"] == "pong")
        stream.send_text('{"op":"ping"}'.ljust(4097))
        assert stream.closed()[0] == 1009


def test_more_messages_than_allowed_close_with_4429(rig, app):
    with Stream(rig.daemon, app.token) as stream, Stream(rig.daemon, app.token) as other:
        for _ in range(300):
            stream.send_text('{"op":"ping"}')
        assert stream.closed()[0] == 4429
        assert 100 <= len(stream.of(None, "pong")) < 300
        assert other.ask("ping")["op"] == "pong"


# ---- limits on connections --------------------------------------------------------------------


@pytest.mark.rig(subscribers_per_token=2)
def test_a_token_has_so_many_connections_and_no_more(rig, app):
    with Stream(rig.daemon, app.token) as first, Events(rig.daemon, app.token, ch="orders"):
        refused = refusal(rig.daemon, app.token)
        assert (refused.status, refused.code) == (429, "too-many-requests")
        assert int(refused.headers["Retry-After"]) >= 1
        assert Events(rig.daemon, app.token, ch="orders").code == "too-many-requests"
        with stranger(rig) as late:
            assert late.ask("auth", token=app.token)["code"] == "too-many-requests"
            assert late.closed()[0] == 4429
        with Stream(rig.daemon, rig.app().token) as other:
            assert other.ask("ping")["op"] == "pong"
        first.close()
        wait_for(lambda: opens(rig, app), what="the place is free again")


def opens(rig, app):
    try:
        Stream(rig.daemon, app.token).drop()
    except Refused:
        return False
    return True


@pytest.mark.rig(subscribers_max=4)
def test_the_daemon_has_so_many_connections_and_strangers_a_share_of_them(rig, app):
    first, second = stranger(rig), stranger(rig)
    assert refusal(rig.daemon).status == 401
    third, fourth = Stream(rig.daemon, app.token), Stream(rig.daemon, app.token)
    assert refusal(rig.daemon, app.token).code == "too-many-requests"
    assert first.ask("auth", token=app.token)["op"] == "authenticated"
    for stream in (first, second, third, fourth):
        stream.drop()
    wait_for(lambda: opens(rig, app), what="there is room again")


@pytest.mark.rig(requests_per_second=2)
def test_connecting_counts_against_the_rate_of_the_token(rig, app):
    codes = set()
    for _ in range(10):
        try:
            Stream(rig.daemon, app.token).drop()
        except Refused as refused:
            codes.add(refused.code)
    assert codes == {"too-many-requests"}


# ---- keeping alive ----------------------------------------------------------------------------


@pytest.mark.rig(heartbeat_ms=300)
def test_heartbeats_and_pings_come_as_promised(rig, app):
    with Stream(rig.daemon, app.token) as stream:
        assert stream.hello["heartbeat_ms"] == 300
        stream.subscribe_all("orders")
        stream.wait_for(lambda m: m["op"] == "hb" and m["last"].keys() == {"orders"})
        stream.read_for(2)
        beats = [m for m in stream.messages if m["op"] == "hb"]
        assert len(beats) >= 3
        assert stream.pings >= 1


@pytest.mark.rig(heartbeat_ms=200)
def test_who_does_not_answer_a_ping_is_closed_with_4408(rig, app):
    with Stream(rig.daemon, app.token) as stream:
        stream.answers_pings = False
        assert stream.closed()[0] == 4408


# ---- the end of the daemon --------------------------------------------------------------------


def test_a_stop_closes_with_1001(rig, app):
    known, unknown = Stream(rig.daemon, app.token), stranger(rig)
    known.subscribe_all("orders")
    events = Events(rig.daemon, app.token, ch="orders")
    stopping = threading.Thread(target=rig.daemon.stop)
    stopping.start()
    assert known.closed()[0] == 1001
    assert unknown.closed()[0] == 1001
    assert events.ended() == 1001
    stopping.join()


def test_a_stop_does_not_wait_for_those_who_do_not_listen(rig, app):
    streams = [Stream(rig.daemon, app.token), Events(rig.daemon, app.token, ch="orders")]
    start = time.monotonic()
    rig.daemon.stop()
    assert time.monotonic() - start < 8 * SLOWNESS
    for stream in streams:
        stream.__exit__()


def test_a_close_is_answered(rig, app):
    with Stream(rig.daemon, app.token) as stream:
        assert stream.hello
        assert stream.close()[0] == 1000


def test_resets_and_rubbish_change_nothing_for_others(rig, app):
    with Stream(rig.daemon, app.token) as good:
        good.subscribe_all("orders")
        for number in range(20):
            bad = Stream(rig.daemon, app.token)
            if number % 2:
                bad.sock.sendall(b"\xff" * 50)
                assert bad.closed()[0] in (1002, 1006)
            bad.drop(reset=True)
        order = app.order().json
        good.event("orders", lambda data: data["order_id"] == order["order_id"])


# ---- server-sent events -----------------------------------------------------------------------


def test_events_are_the_same_messages(rig, app):
    with Stream(rig.daemon, app.token) as stream, \
            Events(rig.daemon, app.token, ch="orders,fills") as events:
        assert events.headers["content-type"] == "text/event-stream"
        assert events.headers["cache-control"] == "no-store"
        assert events.headers["x-accel-buffering"] == "no"
        assert events.hello["authenticated"] is True
        stream.subscribe_all("orders")
        events.snapshot("orders")
        events.snapshot("fills")
        order = app.order().json

        def is_open(data):
            return data["order_id"] == order["order_id"] and data["state"] == "open"

        assert stream.event("orders", is_open) == events.event("orders", is_open)
        assert stream.of("orders") == events.of("orders")


def test_the_id_of_an_event_is_where_to_go_on(rig, app):
    with Events(rig.daemon, app.token, ch="orders,fills") as events:
        events.snapshot("orders")
        events.snapshot("fills")
        app.order()
        events.event("orders", lambda data: data["state"] == "open")
        last = events.last_id
        assert last.split(";")[0] == events.epoch
        positions = dict(pair.split("=") for pair in last.split(";")[1:])
        assert {name: int(seq) for name, seq in positions.items()} == events.chains.last
    missed = app.order().json
    for options in ({"headers": [("Last-Event-ID", last)]}, {"after": last},
                    {"headers": [("Last-Event-ID", last)], "after": last.split(";")[0]}):
        with Events(rig.daemon, app.token, ch="orders,fills", **options) as events:
            events.event("orders", lambda data: data["order_id"] == missed["order_id"]
                         and data["state"] == "open")
            assert not events.of("orders", "snapshot")
            answers = [m for m in events.messages if m["op"] == "subscribed"]
            assert len(answers) == 2 and all(answer["recovered"] for answer in answers)


def test_an_id_never_says_more_than_was_told(rig, app):
    """Cut off after any message, a reader that resumes by its id misses nothing and gets nothing
    twice."""
    with Events(rig.daemon, app.token, ch="orders") as events:
        events.snapshot("orders")
        for _ in range(3):
            app.order()
        events.event("orders", lambda data: len({d["order_id"] for d in events.data("orders")}) == 3
                     and data["state"] == "open")
        told = [event for event in events.events if event.message.get("ch") == "orders"]
    for at, event in enumerate(told):
        if event.message["op"] == "subscribed":
            assert "orders=" not in event.id  # nothing was told yet
            continue
        with Events(rig.daemon, app.token, ch="orders", after=event.id) as again:
            rest = [one.message for one in told[at + 1:]]
            if rest:
                again.wait_for(lambda m: len(again.of("orders")) >= len(rest))
            assert again.of("orders")[:len(rest)] == rest  # more may have happened since


def test_an_id_of_another_epoch_gets_a_snapshot(rig, app):
    with Events(rig.daemon, app.token, ch="orders", after="other;orders=1") as events:
        assert events.snapshot("orders")


WRONG_REQUESTS = (
    ({}, 422, "invalid-parameter"),
    ({"ch": ""}, 422, "invalid-parameter"),
    ({"ch": "nothing"}, 422, "invalid-parameter"),
    ({"ch": "orders,"}, 422, "invalid-parameter"),
    ({"ch": "orders,orders"}, 422, "invalid-parameter"),
    ({"ch": "x" * 50}, 422, "invalid-parameter"),
    ({"ch": "x" * 2000}, 422, "invalid-parameter"),
    ({"ch": ",".join(f"price:S{n}" for n in range(80))}, 422, "invalid-parameter"),
    ({"ch": "depth:NOSUCHPAIR"}, 422, "invalid-parameter"),
    ({"ch": "orders", "owner": "all"}, 422, "invalid-parameter"),
    ({"ch": "orders", "owner": "any"}, 403, "scope-missing"),
    ({"ch": "orders", "after": "x;orders"}, 422, "invalid-parameter"),
    ({"ch": "orders", "symbol": "x"}, 422, "unknown-field"),
)


def test_wrong_requests_for_events_are_refused_before_the_answer_begins(rig, app):
    for query, status, code in WRONG_REQUESTS:
        events = Events(rig.daemon, app.token, **query)
        assert (events.status, events.code) == (status, code), query


def test_events_need_a_token_and_its_scope(rig):
    assert Events(rig.daemon, ch="orders").status == 401
    assert Events(rig.daemon, rig.app("trade").token, ch="orders").code == "scope-missing"
    market = rig.app("market")
    assert Events(rig.daemon, market.token, ch="orders").code == "scope-missing"
    with Events(rig.daemon, market.token, ch="price:ADAUSDM") as events:
        assert events.hello
    with Events(rig.daemon, unix=True, ch=",".join(LOSSLESS)) as events:
        for channel in LOSSLESS:
            events.snapshot(channel)


def test_two_positions_in_the_head_are_refused(rig, app):
    events = Events(rig.daemon, app.token, ch="orders",
                    headers=[("Last-Event-ID", "e"), ("Last-Event-ID", "e")])
    assert events.status in (400, 422)


def test_a_head_request_gets_the_head_alone(rig, app):
    connection = http.client.HTTPConnection(*rig.daemon.address, timeout=10 * SLOWNESS)
    connection.request("HEAD", "/v1/events?ch=orders",
                       headers={"Authorization": f"Bearer {app.token}"})
    response = connection.getresponse()
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/event-stream"
    connection.close()
    with Stream(rig.daemon, app.token) as stream:
        assert stream.ask("ping")["op"] == "pong"


# ---- the documents ----------------------------------------------------------------------------


def walk(node):
    yield node
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from walk(child)


def references(document):
    return {node["$ref"] for node in walk(document) if isinstance(node, dict) and "$ref" in node}


def resolve(reference):
    """Within asyncapi.yaml, or from it into events.schema.json."""
    file, _, path = reference.partition("#/")
    node = SCHEMA.document if file == "./events.schema.json" else ASYNCAPI
    assert file in ("", "./events.schema.json"), reference
    for part in path.split("/"):
        node = node[part]
    return node


def messages_of_schema():
    return {entry["$ref"].rpartition("/")[2] for entry in SCHEMA.document["oneOf"]}


def test_the_schema_is_one_and_uses_all_it_defines():
    jsonschema.Draft202012Validator.check_schema(SCHEMA.document)
    used = {reference.rpartition("/")[2] for reference in references(SCHEMA.document)}
    assert used == SCHEMA.document["$defs"].keys()


def test_each_object_of_the_schema_names_all_its_members():
    for name, schema in SCHEMA.document["$defs"].items():
        for node in walk(schema):
            if isinstance(node, dict) and "properties" in node and "type" in node:
                assert node.get("additionalProperties") is False, name
                assert set(node.get("required", ())) <= node["properties"].keys(), name


def test_every_reference_of_the_description_leads_somewhere():
    found = references(ASYNCAPI)
    assert len(found) > 80
    for reference in found:
        assert resolve(reference), reference


def test_the_description_has_every_message_of_the_schema():
    described = ASYNCAPI["components"]["messages"]
    assert described.keys() == messages_of_schema()
    for name, message in described.items():
        assert message["payload"]["schema"]["$ref"] == f"./events.schema.json#/$defs/{name}"
        assert message["name"] == name[0].lower() + name[1:]


def test_every_message_is_on_a_channel_and_in_an_operation():
    on_channels = {reference["$ref"] for channel in ASYNCAPI["channels"].values()
                   for reference in channel["messages"].values()}
    assert on_channels == {f"#/components/messages/{name}" for name in messages_of_schema()}
    for name, operation in ASYNCAPI["operations"].items():
        channel = operation["channel"]["$ref"]
        parts = operation["messages"] + operation.get("reply", {}).get("messages", [])
        assert all(part["$ref"].startswith(channel + "/messages/") for part in parts), name
    told = {part["$ref"] for operation in ASYNCAPI["operations"].values()
            for part in operation["messages"] + operation.get("reply", {}).get("messages", [])}
    assert {resolve(reference)["$ref"] for reference in told} == on_channels


def test_every_example_is_just_the_message_that_it_is_an_example_of():
    whole = jsonschema.Draft202012Validator(SCHEMA.document, resolver=SCHEMA.resolver)
    for name, message in ASYNCAPI["components"]["messages"].items():
        assert message["examples"], name
        for example in message["examples"]:
            errors = [error.message for error in whole.iter_errors(example["payload"])]
            assert not errors, f"{name}: {errors}"
            assert SCHEMA.kind(example["payload"]) == name
            SCHEMA.check(example["payload"])


def plain(schema):
    """A schema without what is only for readers of it."""
    if isinstance(schema, dict):
        return {key: plain(value) for key, value in schema.items() if key != "description"}
    if isinstance(schema, list):
        return [plain(value) for value in schema]
    return schema.rpartition("/")[2] if isinstance(schema, str) else schema


def test_orders_and_fills_are_worded_as_rest_words_them():
    rest, stream = CONTRACT.document["components"]["schemas"], SCHEMA.document["$defs"]
    order = plain(rest["OrderFields"])
    for name in ("retry", "fills", "settling"):
        del order["properties"][name]
    assert plain(stream["Order"]) == order
    for name in ("Fill", "State", "Code", "Symbol", "Decimal", "DecimalOrNull", "Time",
                 "TimeOrNull"):
        assert plain(stream[name]) == plain(rest[name]), name


def test_the_types_of_system_events_are_those_of_the_source():
    source = (ROOT / "server/event.h").read_text()
    types = re.findall(r'X\(\w+, "([a-z_.]+)"\)', source)
    assert len(types) >= 10
    assert SCHEMA.document["$defs"]["SystemEvent"]["properties"]["type"]["enum"] == types


def test_the_close_codes_are_those_of_the_source():
    source = (ROOT / "server/hub.h").read_text() + (ROOT / "net/ws.h").read_text()
    known = set(re.findall(r"#define (?:HUB|WS)_CLOSE_\w+ +(\d+)", source)) - {"1005", "1006"}
    told = set(re.findall(r"^\| (\d{4}) \|", ASYNCAPI["info"]["description"], re.M))
    assert told == known


def test_a_hole_in_a_chain_is_noticed():
    """The tests' own judge: what it lets pass is worth something."""
    chains = Chains()
    chains.follow({"op": "subscribed", "ch": "orders", "seq": 5, "recovered": False})
    chains.follow({"op": "snapshot", "ch": "orders", "seq": 5})
    chains.follow({"op": "event", "ch": "orders", "seq": 7, "prev": 5})
    for prev, seq in ((5, 9), (8, 9), (7, 7)):
        with pytest.raises(Exception, match="prev is not|seq does not rise"):
            chains.follow({"op": "event", "ch": "orders", "seq": seq, "prev": prev})
    with pytest.raises(Exception, match="hb says"):
        chains.follow({"op": "hb", "last": {"orders": 9}})
