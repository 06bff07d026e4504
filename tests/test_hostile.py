"""Hostile requests that any HTTP library would send: tables of them, each with the statuses that
are right for it. test_http.py has what no library sends.

Whatever comes, the answer is problem+json with the right status, the daemon stays up, leaks
nothing, and nothing of it reaches the exchange."""
import itertools
import json

import pytest

GOOD = {"symbol": "ADAUSDM", "side": "buy", "type": "limit", "base_quantity": "100",
        "price": "0.45"}
MARKET = {"symbol": "ADAUSDM", "side": "buy", "type": "market", "base_quantity": "100",
          "max_slippage_basis_point": 50}
HUGE = "9" * 400


def with_field(name, value, base=None):
    order = dict(base or GOOD)
    order[name] = value
    return json.dumps(order)


def without(name):
    return json.dumps({key: value for key, value in GOOD.items() if key != name})


WRONG_TYPES = (None, True, False, [], {}, ["0.45"], {"a": 1}, [[[]]])
BAD_NUMBERS = ("", " ", "-1", "0", "0.0", "+1", "1e3", "1E3", ".5", "5.", "0x10", "1,000", "1_000",
               "NaN", "Infinity", "-Infinity", "nan", "1 ", " 1", "1\n", "1\u0000", "٣", "１",
               "1..0", "1.0.0", "--1", HUGE, "0." + "1" * 30, "1" * 40, "abc", "null", "true")
BAD_JSON_NUMBERS = ("-1", "0", "-0.0", "1e400", "-1e400", "1e-400", "0.1234567890123456789",
                    "123456789012345678901234567890", "1.00000000000000000001")
BAD_WORDS = ("", " ", "BUY", "Buy", "buy ", "b\u0000uy", "hold", "x" * 1000, "<script>", "' or 1=1")
BAD_SYMBOLS = ("", "ADA", "adausdm", "ADAUSDM ", "ADA/USDM", "../../etc", "ADAUSDX", "A" * 500,
               "ADAUSDM\u0000", "ADA\nUSDM", "☃")
BAD_IDS = ("", " ", "a b", "x" * 65, "a/b", "a\u0000b", "ü", "a\nb", "a\"b", "%41", "a;b")
BAD_TIMES = ("", "yesterday", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "0", "1",
             "2026-01-01", "2026-01-01T00:00:00", "1970-01-01T00:00:00Z", "99999-01-01T00:00:00Z")


def bad_orders():
    """(name, body): bodies that must be refused with 400 or 422 and never reach the exchange."""
    for name in GOOD:
        if name not in ("base_quantity",):
            yield f"without {name}", without(name)
        for value in WRONG_TYPES:
            yield f"{name} is {json.dumps(value)}", with_field(name, value)
    yield "without a quantity", without("base_quantity")
    for name in ("price", "base_quantity"):
        for value in BAD_NUMBERS:
            yield f"{name} is the text {value[:12]!r}", with_field(name, value)
        for number in BAD_JSON_NUMBERS:
            yield (f"{name} is the number {number[:12]}",
                   with_field(name, "@").replace('"@"', number))
    for name in ("side", "type"):
        for value in BAD_WORDS:
            yield f"{name} is {value[:12]!r}", with_field(name, value)
    for value in BAD_SYMBOLS:
        yield f"symbol is {value[:12]!r}", with_field("symbol", value)
    for value in BAD_IDS:
        yield f"client_order_id is {value[:12]!r}", with_field("client_order_id", value)
    for value in BAD_TIMES:
        yield f"valid_until is {value!r}", with_field("valid_until", value)
    for value in (-1, 10001, 1.5, "50.5", "x", True, [], 10 ** 30):
        yield f"slippage is {value!r}"[:40], with_field("max_slippage_basis_point", value, MARKET)
    for value in (1, 0, "true", "yes", [], {}):
        yield f"post_only is {value!r}", with_field("post_only", value)
    yield "two quantities", with_field("quote_quantity", "10")
    yield "quantity and base_quantity", with_field("quantity", "10")
    yield "a price on a market order", with_field("price", "0.5", MARKET)
    yield "post_only on a market order", with_field("post_only", True, MARKET)
    yield "a market order without a bound", json.dumps(
        {k: v for k, v in MARKET.items() if k != "max_slippage_basis_point"})
    yield "slippage on a limit order", with_field("max_slippage_basis_point", 50)
    yield "too many places in the price", with_field("price", "0.451234567")
    yield "too many places in the quantity", with_field("base_quantity", "1.1234567")
    yield "too small", with_field("base_quantity", "1")
    for name in ("post_onyl", "Price", "price ", "__proto__", "", "a" * 300, "constructor"):
        yield f"unknown field {name[:12]!r}", with_field(name, "1")
    yield "a field twice", '{"symbol":"ADAUSDM",' + json.dumps(GOOD)[1:]
    yield "price twice", json.dumps(GOOD)[:-1] + ',"price":"0.46"}'


NOT_JSON = (
    b"", b" ", b"{", b"}", b"[", b"]", b"null", b"true", b"1", b'"text"', b"[]", b"{}", b"[{}]",
    b"{'symbol':'ADAUSDM'}", b'{"a":1,}', b'{"a" 1}', b'{"a":}', b'{"a":1}{"b":2}', b'{"a":1} x',
    b"\x00", b'{"symbol":"ADAUSDM\x00"}', b'{"symbol":"\\u0000"}', b'{"symbol":"\xff\xfe"}',
    b'{"symbol":"\\ud800"}', b'{"symbol":"\\x41"}', b"\xef\xbb\xbf{}", b'{"a":01}', b'{"a":+1}',
    b'{"a":NaN}', b'{"a":Infinity}', b'{"a":.5}', b'{"a":1.}', b"<order/>", b"a=1&b=2",
    b'{"a":"' + b"x" * 30000, b"[" * 30000, b'{"a":' * 10000, b"[" * 500 + b"]" * 500,
    b'{"a":' + b"[" * 100 + b"]" * 100 + b"}", b'{"a":"\n"}', b"/*x*/{}", b"{}//x",
    b"{}\x00", b"{} {}", b"{}]", b"\x1e{}\n", b"{}\xff",
    b'{"a":"\\u12"}', b'{"a":"\\u12g4"}', b'{"a":"\\"}',
    # No characters: half a pair, a pair the wrong way round, pairs and overlong forms in bytes.
    b'{"a":"\\udc00"}', b'{"a":"\\udc00\\ud800"}', b'{"a":"\\ud800\\ud800"}', b'{"a":"\\ud800x"}',
    b'{"a":"\xed\xa0\x80\xed\xb0\x80"}', b'{"a":"\xc0\x80"}', b'{"a":"\xc1\xbf"}',
    b'{"a":"\xe0\x80\x80"}', b'{"a":"\xf0\x80\x80\x80"}', b'{"a":"\xf4\x90\x80\x80"}',
    b'{"a":"\xe2\x82"}', b'{"a":"\x80"}', b'{"\\ud800":1}', b'{"\xff":1}', b'{"a\\u0000b":1}',
    "{}".encode("utf-16"), "{}".encode("utf-16-le"), "{}".encode("utf-32"),
    # Deep and wide.
    b'{"symbol":' * 60 + b"1" + b"}" * 60, b"[{" * 200, b"{" + b'"a":[],' * 5000 + b'"b":0}',
    b"{" + b",".join(b'"a%d":0' % n for n in range(5000)) + b"}",
    b'{"price":' + b"9" * 60000 + b"}", b'{"price":1e' + b"9" * 60000 + b"}",
    b'{"price":0.' + b"0" * 60000 + b"1}", b'{"a":"' + b"\\u0041" * 10000 + b'"}',
    b" " * 60000 + b"{}", b"{}" + b" " * 60000, b'{"symbol":"' + b"A" * 60000 + b'"}',
)

# The same field twice, once in disguise: neither of the two may win.
DISGUISED = ('"\\u0070rice":"0.46"', '"pric\\u0065":"0.46"', '"price":null', '"side":"sell"',
             '"\\u0073ide":"sell"', '"base_quantity":"100"')

PATHS = (
    "//", "/v1", "/v1/", "/v2/orders", "/V1/ORDERS", "/v1/orderz", "/v1/orders/",
    "/v1//orders",
    "/v1/orders/../health", "/v1/orders/%2e%2e/health", "/v1/orders/%00", "/v1/orders/%",
    "/v1/orders/%zz", "/v1/orders/" + "a" * 300, "/v1/orders/client:", "/v1/orders/exch:",
    "/v1/orders/exch:not-a-uuid", "/v1/orders/client:" + "a" * 65, "/v1/orders/ord_",
    "/v1/orders/ord_00000000000000000000000000", "/v1/orders/%27%20or%201=1", "/v1/markets/",
    "/v1/markets/ADA/price", "/v1/markets/../price", "/etc/passwd", "/openapi.yaml/",
    "/v1/orders/x/events", "/v1/orders/a/b/c", "/v1/admin", "/_sim/orders", "/v1/fills/1",
    "/v1%2forders", "/v1/orders%2f", "/%76%31/orders%00", "/v1/orders/%25%32%65", "/v1/./orders",
    "/v1/orders/%c3%28", "/v1/orders/%ff", "/v1/orders/client:%0d%0aX:y",
    "/v1/orders/" + "%41" * 200,
    "/v1/orders/" + "a" * 9000, "/" + "a/" * 20, "/" + "/" * 5000, "/v1/orders/exch:'%20or%201=1--",
    "/v1/orders/ord_" + "A" * 26 + "%00", "/v1/markets/%00/price", "/v1/markets/ADAUSDM%2fx/price",
    "/v1/markets/" + "A" * 300 + "/price", "/v1/orders;x=1", "/v1/orders/none%3Fowner=any",
)

QUERIES = (
    "state=nonsense", "state=none", "limit=0", "limit=-1", "limit=501", "limit=x", "limit=1e3",
    "limit=99999999999999999999", "cursor=x", "cursor=%00", "cursor=" + "a" * 500, "owner=any",
    "owner=else", "unknown=1", "symbol=%00", "symbol=" + "A" * 300, "limit=%zz", "state=open&x=1",
    "limit=1&limit=2", "limit=%31%30%30%30", "limit=+1", "limit=1.0", "limit=0x10",
    "symbol=ada", "symbol=%c3%28", "symbol=ADAUSDM%0d%0aX", "owner=ANY", "&", "=", "=1", "%00=1",
    "&&&&", "limit=1&=", "limit=1;symbol=X", "?limit=1", "limit[]=1", "x" * 3000, "x=" + "y" * 9000,
    "cursor=" + "A" * 2000, "cursor=0", "cursor=-1", "cursor='%20or%201=1", "cursor=%ff%fe",
)

BAD_TOKENS = (
    "", "Bearer", "Bearer ", "Bearer x", "bearer", "Basic YTpi", "Bearer dg_", "Bearer dg__",
    "Bearer dg_a_b", "Bearer dg_" + "a" * 12 + "_" + "b" * 52, "Bearer " + "x" * 4000,
    "Bearer dg_local_", "Token x", "Bearer null", "Bearer dg_' or 1=1_x", "Bearer \t",
)

HOSTS = ("", "evil.example", "127.0.0.1", "127.0.0.1:1", "localhost:1", "127.0.0.1.evil.example",
         "evil.example:{port}", "[::1]:1", "127.0.0.1:{port}@evil.example", "localhost.:{port}x",
         "0.0.0.0:{port}", "2130706433:{port}", "127.1:{port}", "%31%32%37.0.0.1:{port}")

ORIGINS = ("null", "http://evil.example", "https://evil.example:{port}", "file://",
           "http://127.0.0.1:{port}.evil.example", "http://localhost", "chrome-extension://abc",
           "http://127.0.0.1:1")


UNLIMITED = pytest.mark.rig(requests_per_second="0")


@UNLIMITED
@pytest.mark.seconds(240)
def test_bad_orders_are_refused(rig, app, judge):
    for name, body in bad_orders():
        judge.check(name, app.post("/v1/orders", body), (400, 422))
    for body in NOT_JSON:
        judge.check(repr(body[:40]), app.post("/v1/orders", body), (400, 422))
    for field in DISGUISED:
        for body in (json.dumps(GOOD)[:-1] + f",{field}}}", f"{{{field}," + json.dumps(GOOD)[1:]):
            judge.check(f"twice {field}", app.post("/v1/orders", body), (400, 422))
    assert judge.count >= 250


@UNLIMITED
def test_paths_queries_and_methods_that_do_not_exist(rig, app, judge):
    for path in PATHS:
        judge.check(path[:40], app.get(path), (400, 404, 414, 422))
    for query, path in itertools.product(QUERIES, ("/v1/orders", "/v1/fills")):
        answer = app.request("GET", f"{path}?{query}")
        judge.check(f"{path}?{query[:30]}", answer, (400, 403, 414, 422))
    for method, path in itertools.product(
            ("PUT", "PATCH", "DELETE", "POST"), ("/v1/health", "/v1/balances", "/v1/limits")):
        answer = app.request(method, path)
        judge.check(f"{method} {path}", answer, (405,))
        assert "GET" in answer.headers["Allow"]


@UNLIMITED
def test_bad_tokens_hosts_and_origins(rig, app, judge):
    port = rig.daemon.address[1]
    nobody = type(app)(rig.daemon)
    for token in BAD_TOKENS:
        for method, path, body in (("GET", "/v1/orders", None), ("POST", "/v1/orders", GOOD)):
            judge.check(f"token {token[:30]!r}",
                        nobody.request(method, path, body, {"Authorization": token}), (400, 401))
    for host in HOSTS:
        judge.check(f"host {host}", app.order(headers={"Host": host.format(port=port)}),
                    (400, 403))
    for origin in ORIGINS:
        judge.check(f"origin {origin}", app.order(headers={"Origin": origin.format(port=port)}),
                    (403,))
        answer = nobody.request("OPTIONS", "/v1/orders", None, {
            "Origin": origin.format(port=port), "Access-Control-Request-Method": "POST"})
        judge.check(f"preflight {origin}", answer, (403, 405))
        assert "Access-Control-Allow-Origin" not in answer.headers


GOOD_TOKEN = {"name": "good", "scopes": ["read"]}
BAD_TOKEN_FIELDS = {
    "name": ("", "x" * 65, "a\nb", "a\u0000b", "\u001b[1m", 1, None, [], {}, True),
    "scopes": ([], "read", ["root"], ["READ"], [""], [None], [["read"]], {}, None, 1),
    "symbols": ("ADAUSDM", [1], [""], ["ada"], ["A" * 100], [None], {}),
    "max_order_value": ("-1", "0", "1e3", "", "x", [], True, "9" * 100),
    "max_open_orders": (0, -1, 1.5, "1", 10 ** 30, [], True),
    "weight": (0, -1, 101, 1.5, "1", [], 10 ** 30),
    "expires_at": ("", "yesterday", 0, 1767225600, "2020-01-01T00:00:00Z", [], True),
    "scope": (["read"],), "token": ("dg_x_y",), "": (1,),
}
BAD_SECRETS = (None, "", 1, True, [], {}, ["x"], "a\u0000b")
BAD_API_KEYS = (*BAD_SECRETS, "x" * 129, "a\r\nX-Evil: yes", "a\nX-Evil: yes", "a\tb", "ü",
                "\u007f")


def bad_admin_bodies():
    for name, values in BAD_TOKEN_FIELDS.items():
        for value in values:
            yield "tokens", {**GOOD_TOKEN, name: value}
    for name in GOOD_TOKEN:
        yield "tokens", {key: value for key, value in GOOD_TOKEN.items() if key != name}
    for path, field, values in (("unlock", "trading_password", (*BAD_SECRETS, "x" * 1025)),
                                ("api-key", "api_key", BAD_API_KEYS)):
        yield path, {}
        yield path, {field: "x", "more": 1}
        for value in values:
            yield path, {field: value}
    yield "lock", {"now": True}


@UNLIMITED
def test_bad_admin_requests_change_nothing(rig, judge):
    admin = rig.daemon.admin
    tokens = admin.get("/v1/admin/tokens").json
    for path, body in bad_admin_bodies():
        answer = admin.post(f"/v1/admin/{path}", body)
        judge.check(f"{path} {body}"[:100], answer, (400, 422))
    for body in NOT_JSON:
        for path in ("tokens", "unlock", "api-key", "lock"):
            answer = admin.post(f"/v1/admin/{path}", body)
            # An empty body is right for lock, and so is an empty object, with what room it likes.
            statuses = (200, 400, 422) if path == "lock" and not body.strip(b" {}") else (400, 422)
            judge.check(f"{path} {body[:40]}", answer, statuses)
    for name in ("none", "%00", "a" * 300, "..", "'%20or%201=1", "%ff"):
        judge.check(f"revoke {name}", admin.delete(f"/v1/admin/tokens/{name}"), (400, 404, 422))
    assert admin.get("/v1/admin/tokens").json == tokens
    assert "X-Evil" not in json.dumps(rig.sim.log())
    assert judge.count >= 300


HEADERS = {
    "Prefer": ("", "wait", "wait=", "wait=-1", "wait=1e9", "wait=99999999999999999999", "wait=x",
               "wait=1;wait=2", "x" * 5000, ",,,,", "respond-async=", "wait=1, wait=0", "\"",
                "wait=\"1"),
    "Cache-Control": ("", "max-age", "max-age=", "max-age=-1", "max-age=99999999999999999999",
                      "max-age=x", "no-cache=x", ",,,", "=", "x" * 5000, "max-stale=1e9"),
    "Accept": ("", "text/html", "*/*;q=x", "x" * 5000),
    "Range": ("bytes=0-0", "bytes=-1", "x"), "If-None-Match": ("*", "x"), "TE": ("trailers", "x"),
    "Cookie": ("a=b", "=", ";;;", "a=\"b"), "Connection": ("x", "upgrade", "close, close"),
    "Content-Type": ("", "x", "application/json; charset=\"utf-8"), "X-Request-Id": ("req_mine",),
    "X-Forwarded-For": ("127.0.0.1",), "X-Forwarded-Host": ("evil.example",),
    "X-HTTP-Method-Override": ("DELETE",), "Upgrade": ("websocket",), "Max-Forwards": ("-1",),
}


@UNLIMITED
def test_odd_headers_are_read_as_if_they_were_absent_or_refused(rig, app, judge):
    for name, values in HEADERS.items():
        for value in values:
            answer = app.get("/v1/balances", {name: value})
            judge.check(f"{name}: {value[:40]}", answer, (200, 400, 422))
            assert answer.headers["X-Request-Id"] != value
            answer = app.delete("/v1/orders/none", {name: value})
            judge.check(f"{name}: {value[:40]}", answer, (400, 404, 422))


@UNLIMITED
def test_scopes_are_kept(rig, judge):
    reader, market = rig.app("read"), rig.app("market")
    trader = rig.app("trade")
    for app, method, path, body in (
            (reader, "POST", "/v1/orders", GOOD), (market, "POST", "/v1/orders", GOOD),
            (market, "GET", "/v1/orders", None), (market, "GET", "/v1/balances", None),
            (trader, "GET", "/v1/balances", None), (reader, "GET", "/v1/admin/tokens", None),
            (trader, "POST", "/v1/admin/lock", {}), (reader, "GET", "/v1/orders?owner=any", None),
            (trader, "POST", "/v1/admin/unlock", {"trading_password": "x"}),
            (trader, "POST", "/v1/admin/tokens", {"name": "x", "scopes": ["admin"]}),
            (trader, "POST", "/v1/admin/api-key", {"api_key": "x"})):
        answer = app.request(method, path, body)
        judge.check(f"{method} {path}", answer, (403,))
