"""What the local API looks like from outside: rows S36 to S39 and S57 to S63, paging, waiting,
ownership, and what browsers may do. Each answer of an app is held against openapi.yaml on the way.
"""
import contextlib
import http.client
import json
import re
import signal
import socket
import statistics
import threading
import time

import pytest

from rig import wait_for

FAIL = {"times": 100, "when": "before", "answer": {"status": 500, "code": 5000}}


def fail(path):
    return {"match": {"path": path}, **FAIL}


# ---- account and market ---------------------------------------------------------------------


def test_S36_balances_are_the_exchanges_to_the_last_digit(rig, app):
    rig.sim.credit(asset="ADA", amount="0.123456")
    answer = app.get("/v1/balances", headers={"Cache-Control": "no-cache"})
    assert answer.status == 200
    ours = {b["asset"]: (b["free"], b["locked"]) for b in answer.json["data"]}
    assert ours == {b["asset"]: (b["free"], b["locked"]) for b in rig.sim.balances()}


def test_S36_an_order_moves_the_balances_at_once(rig, app):
    app.get("/v1/balances")
    assert app.order(base_quantity="100", price="0.45").status == 201
    locked = {b["asset"]: b["locked"] for b in app.get("/v1/balances").json["data"]}
    assert locked["USDM"] == "45"


def test_S37_the_price_is_the_exchanges(make_rig):
    rig = make_rig(market_maker=True).start()
    app = rig.app()
    answer = app.get("/v1/markets/ADAUSDM/price")
    assert answer.status == 200
    assert (answer.json["symbol"], answer.json["source"]) == ("ADAUSDM", "exchange")
    assert answer.json["age_ms"] >= 0
    assert app.get("/v1/markets/NOSUCH/price").status == 404
    assert app.get("/v1/markets/ADAUSDM/candles", interval="15m").status == 200
    for kind in ("depth", "trades"):
        answer = app.get(f"/v1/markets/ADAUSDM/{kind}")
        assert (answer.status, answer.json["source"]) == (200, "stream")


def test_S38_reads_use_no_order_tokens(rig, app):
    for _ in range(100):
        assert app.get("/v1/balances", {"Cache-Control": "max-age=60"}).status == 200
    assert app.get("/v1/markets").status == 200
    limits = app.get("/v1/limits").json
    assert limits["available"] == limits["capacity"] == 5
    assert len(rig.sim.log("/accounts/balance")) < 5


def test_S39_a_failed_read_is_a_problem_and_a_line_in_the_log(rig, app):
    assert app.get("/v1/balances").status == 200
    rig.sim.faults(fail("/accounts/balance"))
    answer = app.get("/v1/balances", {"Cache-Control": "no-cache"})
    assert (answer.status, answer.code) == (502, "exchange-error")
    assert answer.json["exchange"]["code"] == 5000
    (line,) = rig.daemon.events("exchange.read_failed")
    assert (line["level"], line["what"]) == ("warn", "balances")
    # Older ones only for who asks for them, and with their age.
    old = app.get("/v1/balances", {"Cache-Control": "max-stale=60"})
    assert old.status == 200
    assert int(old.headers["Age"]) >= 0


def test_transfers_are_listed_by_kind(rig, app):
    everything = app.get("/v1/transfers")
    assert everything.status == 200
    kinds = {t["kind"] for t in everything.json["data"]}
    assert kinds <= {"deposit", "withdrawal", "transferal"}
    assert app.get("/v1/transfers", kind="deposit,withdrawal").status == 200
    assert app.get("/v1/transfers", kind="gift").status == 422
    rig.sim.faults(fail("/accounts/withdrawal-records"))
    assert app.get("/v1/transfers").status == 502
    assert app.get("/v1/transfers", kind="deposit").status == 200


# ---- limits and health ----------------------------------------------------------------------


def test_S57_S58_a_burst_leaves_at_once_and_the_sixth_waits(rig, app):
    answers = app.parallel([lambda: app.order(headers={"Prefer": "wait=30"})] * 6)
    assert [a.status for a in answers] == [201] * 6
    waits = sorted(a.json["queued_ms"] for a in answers)
    assert waits[4] < 500
    assert waits[5] > waits[4]
    builds = [e["mono_us"] for e in rig.sim.log("/order/build")]
    assert builds[5] - builds[0] >= 990_000  # the sixth may have been asked for a little later


def test_S59_limits_tell_capacity_rest_refill_and_utilization(rig, app):
    for _ in range(3):
        app.order(headers={"Prefer": "respond-async"})
    wait_for(lambda: len(rig.sim.log("/order/build")) == 3)
    limits = app.get("/v1/limits").json
    assert limits["capacity"] == limits["refill_per_s"] == 5
    used = (limits["capacity"] - limits["available"]) / limits["capacity"]
    assert limits["utilization"] == pytest.approx(used, abs=0.001)


def test_S62_health_answers_at_once_whatever_the_exchange_does(make_rig):
    rig = make_rig(account_probe_ms="500")
    rig.daemon.has_password = False
    rig.start()
    app = rig.app()
    wait_for(lambda: app.get("/v1/health").json["rest_api"])
    assert app.get("/v1/health").json["status"] == "degraded"
    rig.sim.kill()
    health = wait_for(lambda: not (h := app.get("/v1/health")).json["rest_api"] and h, 20)
    told = {name: health.json[name]
            for name in ("rest_api", "websocket", "authenticated", "operation_key")}
    assert not any(told.values())
    assert health.json["status"] == "down"
    assert "exchange-unreachable" in health.json["reasons"]
    assert statistics.median(app.get("/v1/health").seconds for _ in range(9)) < 0.1
    assert app.get("/readyz").status == 503
    assert app.get("/healthz").status == 200


@pytest.mark.rig(requests_per_second="50")
def test_S63_one_apps_flood_is_refused_and_another_apps_requests_are_not(rig):
    flooding, calm = rig.app(), rig.app()
    answers = flooding.parallel([lambda: flooding.get("/v1/limits")] * 300)
    refused = [a for a in answers if a.status == 429]
    assert refused
    assert all(a.code == "too-many-requests" for a in refused)
    assert all(int(a.headers["Retry-After"]) >= 1 for a in refused)
    assert [calm.get("/v1/limits").status for _ in range(50)] == [200] * 50
    assert [rig.daemon.admin.get("/v1/limits").status for _ in range(300)] == [200] * 300


# ---- answers ---------------------------------------------------------------------------------


def test_every_answer_carries_a_request_id_and_is_not_kept(rig, app):
    seen = set()
    for path in ("/v1/health", "/v1/nothing", "/v1/orders", "/healthz", "/v1/orders?x=1"):
        answer = app.get(path)
        seen.add(answer.headers["X-Request-Id"])
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        if answer.code:
            assert answer.json["instance"] == answer.headers["X-Request-Id"]
    assert len(seen) == 5


# ---- orders ---------------------------------------------------------------------------------


def test_prefer_decides_how_long_the_answer_waits(rig, app):
    rig.sim.faults({"match": {"path": "/order/build"}, "delay_ms": 3000})
    for preference in ("respond-async", "wait=0"):
        answer = app.order(headers={"Prefer": preference})
        assert (answer.status, answer.json["retry"]) == (202, "same_key")
        assert answer.headers["Preference-Applied"] == preference
        assert answer.headers["Location"] == "/v1/orders/" + answer.json["order_id"]
        assert answer.seconds < 1
    answer = app.order(headers={"Prefer": "wait=1"})
    assert answer.status == 202
    assert 0.9 < answer.seconds < 2.5
    answer = app.order(headers={"Prefer": "wait=20"})
    assert answer.status == 201
    assert "Preference-Applied" not in app.order(headers={"Prefer": "handling=lenient"}).headers


def test_a_replay_is_told_as_one_also_when_new_orders_are_refused(rig, app):
    first = app.order(client_order_id="again")
    assert "Idempotent-Replayed" not in first.headers
    again = app.order(client_order_id="again", base_quantity=100, price=0.45)
    assert (again.status, again.headers["Idempotent-Replayed"]) == (200, "true")
    assert again.json == first.json
    rig.daemon.admin.post("/v1/admin/lock")
    rig.daemon.has_password = False
    rig.daemon.restart()
    assert app.order(client_order_id="other").status == 423
    again = app.order(client_order_id="again")
    assert (again.status, again.json["order_id"]) == (200, first.json["order_id"])
    conflict = app.order(client_order_id="again", price="0.46")
    assert (conflict.status, conflict.code) == (409, "client-order-id-conflict")


def test_cancels_work_while_the_operation_key_is_locked(rig, app):
    orders = [app.order().json["order_id"] for _ in range(3)]
    assert rig.daemon.admin.post("/v1/admin/lock").json["operation_key"] is False
    assert app.order().status == 423
    assert app.delete("/v1/orders/" + orders[0]).json["state"] == "cancelled"
    swept = app.delete("/v1/orders", symbol="ADAUSDM")
    assert (swept.status, sorted(swept.json["cancelled"])) == (200, orders[1:])
    answer = rig.daemon.admin.post("/v1/admin/unlock", {"trading_password": rig.password})
    assert (answer.status, answer.json["operation_key"]) == (200, True)
    assert app.order().status == 201


def test_an_order_that_waits_for_its_turn_can_be_withdrawn(rig, app):
    waiting = [app.order(headers={"Prefer": "respond-async"}).json["order_id"] for _ in range(12)]
    last = app.delete("/v1/orders/" + waiting[-1])
    assert (last.status, last.json["state"]) == (200, "cancelled")
    assert last.seconds < 1
    swept = app.delete("/v1/orders", headers={"Prefer": "wait=30"}, symbol="ADAUSDM")
    assert swept.status == 200
    assert len(swept.json["cancelled"]) == 11
    assert len(rig.sim.log("/order/build")) < 12


def test_another_apps_order_does_not_exist(rig, app):
    order = app.order(client_order_id="mine").json
    other, operator = rig.app(), rig.app("read", "trade", "ops")
    for name in (order["order_id"], "exch:" + order["exchange_order_id"], "client:mine"):
        for path in (f"/v1/orders/{name}", f"/v1/orders/{name}/events"):
            assert other.get(path).status == 404
            assert operator.get(path).status == 404
            assert other.get(path, owner="any").code == "scope-missing"
            assert app.get(path).status == 200
        assert other.delete(f"/v1/orders/{name}").status == 404
    assert other.get("/v1/orders").json["data"] == []
    seen = operator.get("/v1/orders", owner="any").json["data"]
    assert [o["order_id"] for o in seen] == [order["order_id"]]
    assert operator.get("/v1/orders/" + order["order_id"], owner="any").status == 200
    assert operator.delete("/v1/orders/" + order["order_id"], owner="any").status == 200


def test_pages_of_orders_and_events_join_without_gap_or_overlap(rig, app):
    made = [app.order().json["order_id"] for _ in range(5)]
    seen, cursor = [], None
    while True:
        page = app.get("/v1/orders", limit=2, cursor=cursor).json
        seen += [o["order_id"] for o in page["data"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert seen == made[::-1]
    path = f"/v1/orders/{made[0]}/events"
    whole = app.get(path).json["data"]
    assert [e["state"] for e in whole] == ["accepted", "building", "submitting", "open"]
    first = app.get(path, limit=3).json
    assert first["data"] + app.get(path, cursor=first["next_cursor"]).json["data"] == whole


def test_lists_are_filtered(rig, app):
    app.order(client_order_id="a")
    app.order(client_order_id="b", symbol="NIGHTUSDM", price="0.04", base_quantity="500")
    app.delete("/v1/orders/client:a")

    def ids(target):
        return [o["client_order_id"] for o in app.get("/v1/orders" + target).json["data"]]

    assert ids("?state=open") == ["b"]
    assert ids("?state=open,cancelled") == ids("?state=open&state=cancelled") == ["b", "a"]
    assert ids("?symbol=ADAUSDM") == ids("?client_order_id=a") == ["a"]
    for wrong in ("state=opne", "limit=0", "limit=501", "limit=x", "symbol=A&symbol=B",
                  "cursor=nonsense", "owner=me", "page=2"):
        assert app.get("/v1/orders?" + wrong).status == 422, wrong
    assert app.get("/v1/orders?symbol=%zz").status == 400


def test_a_tokens_own_limits_hold(rig):
    app = rig.app("trade", symbols=["ADAUSDM"], max_order_value="50", max_open_orders=1)
    assert app.order(symbol="NIGHTUSDM", price="0.04", base_quantity="500").code == "risk-limit"
    assert app.order(base_quantity="112").code == "risk-limit"
    assert app.order(base_quantity="111").status == 201
    assert app.order(base_quantity="20").code == "risk-limit"
    assert app.get("/v1/orders").code == "scope-missing"


@pytest.mark.rig(market_maker=True, risk_price_band_pct="10", risk_max_order_value="100")
def test_the_operators_limits_ask_for_the_price_they_need(rig, app):
    price = float(app.get("/v1/markets/ADAUSDM/price").json["price"])
    far, near = f"{price * 0.85:.4f}", f"{price * 0.95:.4f}"
    assert app.order(price=far, base_quantity="20").code == "risk-limit"
    assert app.order(price=near, base_quantity="20").status == 201
    assert app.order(type="market", base_quantity="1000",
                     max_slippage_basis_point=50).code == "risk-limit"
    assert len(rig.sim.log("/order/build")) == 1


def test_an_exchanges_refusal_shows_its_words_and_the_order(rig, app):
    rig.sim.faults({"match": {"path": "/order/build"}, "times": 1, "when": "before",
                    "answer": {"status": 400, "code": 4050}})
    answer = app.order(client_order_id="poor")
    assert (answer.status, answer.code) == (422, "exchange-refused")
    assert answer.json["exchange"] == {"code": 4050,
                                       "error": "Insufficient balance to place order"}
    assert answer.json["order"]["state"] == "rejected"
    assert answer.json["order"]["error"]["exchange_code"] == 4050
    assert app.get("/v1/orders/client:poor").json["state"] == "rejected"
    assert app.delete("/v1/orders/client:poor").code == "order-final"


# ---- tokens and pages of others -------------------------------------------------------------


def test_admin_tokens_count_on_the_unix_socket_only(make_rig):
    rig = make_rig().start()
    admin = rig.app("admin")
    assert admin.get("/v1/admin/tokens").status == 403
    admin.unix = True
    assert admin.get("/v1/admin/tokens").status == 200
    rig = make_rig(admin_over_tcp="true").start()
    assert rig.app("admin").get("/v1/admin/tokens").status == 200


def test_a_revoked_token_is_refused_at_once(rig, app):
    (token,) = rig.daemon.admin.get("/v1/admin/tokens").json["data"]
    assert app.get("/v1/limits").status == 200
    answer = rig.daemon.admin.delete("/v1/admin/tokens/" + token["token_id"])
    assert answer.json["revoked_at"]
    assert app.get("/v1/limits").status == 401
    assert app.get("/v1/limits").headers["WWW-Authenticate"] == "Bearer"
    assert app.get("/healthz").status == 200


def test_a_swapped_api_key_is_tried_before_it_is_used(rig, app):
    swap = "/v1/admin/api-key"
    assert rig.daemon.admin.post(swap, {"api_key": "wrong"}).code == "exchange-unauthorized"
    assert app.get("/v1/balances", {"Cache-Control": "no-cache"}).status == 200
    answer = rig.daemon.admin.post(swap, {"api_key": rig.api_key})
    assert (answer.status, answer.json["authenticated"]) == (200, True)
    assert app.post(swap, {"api_key": rig.api_key}).status == 403


def raw(rig, method, path, headers):
    connection = http.client.HTTPConnection(*rig.daemon.address, timeout=20)
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


@pytest.mark.rig(allowed_origins="https://ui.example,http://localhost:3000")
def test_only_allowed_pages_may_call(rig, app):
    bearer = {"Authorization": f"Bearer {app.token}"}
    for origin in ("https://evil.example", "null", "http://localhost:30000", ""):
        answer = app.get("/v1/limits", {"Origin": origin})
        assert (answer.status, answer.code) == (403, "foreign-origin"), origin
        assert "Access-Control-Allow-Origin" not in answer.headers
    answer = app.get("/v1/limits", {"Origin": "https://ui.example"})
    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "https://ui.example"
    assert answer.headers["Vary"] == "Origin"
    response, body = raw(rig, "OPTIONS", "/v1/orders/x", {
        "Origin": "http://localhost:3000", "Access-Control-Request-Method": "DELETE"})
    assert (response.status, body) == (204, b"")
    assert "DELETE" in response.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
    response, _ = raw(rig, "OPTIONS", "/v1/orders", bearer)
    assert response.status == 405


def test_only_our_own_names_are_hosts(rig, app):
    port = rig.daemon.address[1]
    for host, status in ((f"localhost:{port}", 200), (f"127.0.0.1:{port}", 200),
                         (f"[::1]:{port}", 200), ("localhost", 403), (f"localhost:{port + 1}", 403),
                         (f"evil.example:{port}", 403), (f"127.0.0.1.evil.example:{port}", 403)):
        assert app.get("/v1/limits", {"Host": host}).status == status, host


def test_head_is_a_get_without_a_body(rig):
    response, body = raw(rig, "HEAD", "/healthz", {})
    assert (response.status, body) == (200, b"")
    assert int(response.headers["Content-Length"]) == len(b'{"status":"ok"}')


def test_a_body_must_say_that_it_is_json(rig, app):
    body = json.dumps({"symbol": "ADAUSDM"})
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""):
        answer = app.post("/v1/orders", body, {"Content-Type": kind})
        assert (answer.status, answer.code) == (415, "media-type"), kind
    answer = app.post("/v1/orders", body, {"Content-Type": "application/json; charset=utf-8"})
    assert answer.status == 422
    assert rig.daemon.admin.post("/v1/admin/lock", {"now": True}).code == "unknown-field"


def test_a_client_that_leaves_early_changes_nothing(rig, app):
    rig.sim.faults({"match": {"path": "/order/build"}, "times": 1, "delay_ms": 1000})
    connection = http.client.HTTPConnection(*rig.daemon.address, timeout=20)
    connection.request("POST", "/v1/orders", json.dumps({
        "symbol": "ADAUSDM", "side": "buy", "type": "limit", "base_quantity": "100",
        "price": "0.45", "client_order_id": "gone"}), {
            "Authorization": f"Bearer {app.token}", "Content-Type": "application/json"})
    time.sleep(0.2)
    connection.close()
    wait_for(lambda: app.get("/v1/orders/client:gone").json["state"] == "open")


def test_stopping_answers_those_who_wait(rig, app):
    rig.sim.faults({"match": {"path": "/order/submit"}, "stall": True})
    answers = []
    waiting = threading.Thread(
        target=lambda: answers.append(app.order(headers={"Prefer": "wait=60"})))
    waiting.start()
    wait_for(lambda: rig.sim.log("/order/submit"))
    rig.daemon.stop()
    waiting.join(20)
    assert answers and answers[0].status == 202
    assert answers[0].json["retry"] == "same_key"


def ask_while_it_stops(rig, app, sockets):
    """One request on each, some milliseconds apart; what came back on each, to its end."""
    request = ("GET /v1/limits HTTP/1.1\r\nHost: %s:%d\r\n" % rig.daemon.address +
               f"Authorization: Bearer {app.token}\r\n\r\n").encode()
    for one in sockets:
        time.sleep(0.0003)
        with contextlib.suppress(OSError):
            one.sendall(request)
    for one in sockets:
        came = b""
        with contextlib.suppress(ConnectionResetError):
            while part := one.recv(65536):
                came += part
        yield came


def test_who_asks_while_it_stops_gets_a_whole_answer_or_none(rig, app):
    assert app.get("/v1/markets/ADAUSDM/depth").status == 200  # a stream, which takes time to end
    sockets = [socket.create_connection(rig.daemon.address, 10) for _ in range(250)]
    time.sleep(0.2)
    rig.daemon.send(signal.SIGTERM)
    answers = list(ask_while_it_stops(rig, app, sockets))
    assert rig.daemon.wait() == 0
    for came in filter(None, answers):
        head, body = came.split(b"\r\n\r\n", 1)
        assert int(re.search(rb"\r\nContent-Length: (\d+)", head)[1]) == len(body)
    for one in sockets:
        one.close()
