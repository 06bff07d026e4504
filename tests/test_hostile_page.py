"""Hostile pages (acceptance 6): from a foreign origin, in a real browser, nothing of deltagate can
be used, neither REST nor stream, with or without DNS rebinding.

The page is given what it cannot have in life: the port, every path, and a token that is valid. What
it tries arrives (the log says so), is refused, reads nothing, and changes nothing."""
import http.server
import threading

import pytest

from rig import wait_for

EVIL = "evil.test"
ORDER = ('{"symbol":"ADAUSDM","side":"buy","type":"limit","base_quantity":"100","price":"0.45",'
         '"client_order_id":"from-a-page"}')

# Everything a page can send, and what it could read of the answer. Each returns a text for what it
# has read, "" for nothing.
TRIES = """
const [base, token, order] = args;
const results = {};
const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const bearer = { Authorization: `Bearer ${token}` };

async function tryFetch(name, path, options) {
    try {
        const response = await fetch(base + path, options);
        const text = await response.text();
        results[name] = response.type === "opaque" && !text ? "" : `${response.status} ${text}`;
    } catch (error) {
        results[name] = "";
    }
}

function tryElement(name, tag, attribute, path) {
    return new Promise((resolve) => {
        const element = document.createElement(tag), before = Object.keys(window).length;
        const end = () => {
            let inside = "";
            try {
                inside = element.contentDocument ? element.contentDocument.body.innerText : "";
            } catch (error) { /* it is foreign to the page */ }
            const more = Object.keys(window).length > before + 1 ? "globals" : "";
            results[name] = inside || more || (element.naturalWidth ? "an image" : "");
            element.remove();
            resolve();
        };
        element.onload = element.onerror = end;
        setTimeout(end, 1500);
        element[attribute] = base + path;
        if (tag === "link")
            element.rel = "stylesheet";
        (document.body || document.documentElement).append(element);
    });
}

function tryForm(name, path, type, fields) {
    const form = document.createElement("form"), frame = document.createElement("iframe");
    frame.name = `frame-${name}`;
    Object.assign(form, { method: "POST", action: base + path, enctype: type, target: frame.name });
    for (const [key, value] of fields) {
        const input = document.createElement("input");
        Object.assign(input, { type: "hidden", name: key, value });
        form.append(input);
    }
    (document.body || document.documentElement).append(frame, form);
    form.submit();
    return later(300).then(() => {
        let inside = "";
        try {
            inside = frame.contentDocument ? frame.contentDocument.body.innerText : "";
        } catch (error) { /* it is foreign to the page */ }
        results[name] = inside;
        frame.remove();
        form.remove();
    });
}

function trySocket(name, path, protocols) {
    return new Promise((resolve) => {
        const socket = new WebSocket(base.replace("http", "ws") + path, protocols);
        let read = "";
        const end = () => { results[name] = read; socket.close(); resolve(); };
        socket.onopen = () => {
            read += "open ";
            socket.send(JSON.stringify({ op: "auth", token }));
            socket.send(JSON.stringify({ op: "subscribe", ch: "orders" }));
        };
        socket.onmessage = (event) => { read += event.data; };
        socket.onclose = end;
        setTimeout(end, 3000);
    });
}

function tryEvents(name, path, options) {
    return new Promise((resolve) => {
        const source = new EventSource(base + path, options);
        let read = "";
        const end = () => { results[name] = read; source.close(); resolve(); };
        source.onopen = () => { read += "open "; };
        source.onmessage = (event) => { read += event.data; };
        source.onerror = end;
        setTimeout(end, 3000);
    });
}

const text = { "Content-Type": "text/plain" }, json = { "Content-Type": "application/json" };
const form = { "Content-Type": "application/x-www-form-urlencoded" };
const paths = ["/v1/orders", "/v1/health", "/v1/limits", "/v1/balances", "/v1/events?ch=orders",
    "/v1/stream", "/v1/admin/tokens", "/openapi.yaml", "/healthz", "/readyz", "/"];

for (const path of paths) {
    for (const credentials of ["include", "omit"])
        await tryFetch(`GET ${path} ${credentials}`, path, { credentials });
    await tryFetch(`GET ${path} no-cors`, path, { mode: "no-cors" });
    await tryFetch(`GET ${path} with a token`, path, { headers: bearer });
}
for (const [kind, headers] of [["text", text], ["form", form]]) {
    for (const mode of ["no-cors", "cors"])
        for (const path of ["/v1/orders", "/v1/admin/unlock", "/v1/admin/lock", "/v1/admin/tokens",
            "/v1/admin/streams/account/stop"])
            await tryFetch(`POST ${path} ${kind} ${mode}`, path,
                { method: "POST", mode, headers, body: order, credentials: "include" });
}
await tryFetch("POST without a type", "/v1/orders",
    { method: "POST", mode: "no-cors", body: new Blob([order]) });
await tryFetch("POST json", "/v1/orders", { method: "POST", headers: json, body: order });
await tryFetch("POST json with a token", "/v1/orders",
    { method: "POST", headers: { ...json, ...bearer }, body: order });
await tryFetch("DELETE with a token", "/v1/orders?symbol=ADAUSDM",
    { method: "DELETE", headers: bearer });
await tryFetch("PUT", "/v1/orders", { method: "PUT", headers: bearer, body: order });
await tryFetch("OPTIONS", "/v1/orders", { method: "OPTIONS" });
for (const [kind, type] of [["text", "text/plain"], ["json", "application/json"]])
    navigator.sendBeacon(`${base}/v1/orders`, new Blob([order], { type }));
// As text/plain a form's one field can be made to read as JSON.
await tryForm("form text", "/v1/orders", "text/plain", [[order.slice(0, -1) + ',"x":"', '"}']]);
await tryForm("form urlencoded", "/v1/orders", "application/x-www-form-urlencoded",
    [["symbol", "ADAUSDM"], ["access_token", token]]);
await tryForm("form lock", "/v1/admin/lock", "text/plain", []);
for (const path of ["/openapi.yaml", "/healthz", "/v1/orders", "/"]) {
    await tryElement(`script ${path}`, "script", "src", path);
    await tryElement(`image ${path}`, "img", "src", path);
    await tryElement(`frame ${path}`, "iframe", "src", path);
    await tryElement(`style ${path}`, "link", "href", path);
    await tryElement(`object ${path}`, "object", "data", path);
}
await trySocket("socket", "/v1/stream");
await trySocket("socket of our protocol", "/v1/stream", ["deltagate.v1"]);
await trySocket("socket elsewhere", "/v1/orders", ["deltagate.v1"]);
await tryEvents("events", "/v1/events?ch=orders");
await tryEvents("events with credentials", "/v1/events?ch=orders", { withCredentials: true });
return results;
"""

# The same from an origin that is none: a sandboxed frame.
SANDBOX = """
const [base, token, order] = args;
const frame = document.createElement("iframe");
frame.sandbox = "allow-scripts";
frame.srcdoc = `<script>
const results = {};
const base = ${JSON.stringify(base)}, token = ${JSON.stringify(token)};
(async () => {
    for (const mode of ["cors", "no-cors"])
        for (const method of ["GET", "POST"])
            try {
                const response = await fetch(base + "/v1/orders", { method, mode,
                    body: method === "POST" ? ${JSON.stringify(order)} : undefined });
                results[mode + method] = await response.text();
            } catch (error) { results[mode + method] = ""; }
    await new Promise((resolve) => {
        const socket = new WebSocket(base.replace("http", "ws") + "/v1/stream", "deltagate.v1");
        results.socket = "";
        socket.onopen = () => { results.socket = "open"; };
        socket.onclose = resolve;
    });
    parent.postMessage([location.origin, results], "*");
})();
<\\/script>`;
return new Promise((resolve) => {
    addEventListener("message", (event) => resolve([event.origin, ...event.data]));
    document.body.append(frame);
});
"""


class EvilServer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"<!doctype html><title>a page</title><body>hello"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def evil_port():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), EvilServer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()


class Watch:
    """What the daemon has, before and after: nothing of it may change."""

    def __init__(self, rig):
        self.rig, self.before = rig, self.state(rig)
        self.requests_before = len(rig.daemon.events("http.request"))

    @staticmethod
    def state(rig):
        tables = ("orders", "order_events", "tokens",
                  # How far the exchange's executions were read moves by itself.
                  "settings where name not like 'executions_%'")
        journal = {name: rig.daemon.journal(f"select * from {name} order by 1")
                   for name in tables}
        health = rig.daemon.admin.get("/v1/health").json
        return journal, health["operation_key"], health["streams"]["account"]["is_stopped"]

    def requests(self):
        """What came over TCP, as the daemon's log has it."""
        lines = self.rig.daemon.events("http.request")[self.requests_before:]
        return [line for line in lines if line["token"] != "local"]

    def nothing_happened(self):
        assert self.state(self.rig) == self.before
        assert self.rig.daemon.events("subscriber.opened") == []
        assert self.rig.sim.log("/order/*") == []
        assert self.rig.sim.orders() == []


def read_by(browser, app, base):
    results = browser.run_async(TRIES, base, app.token, ORDER)
    assert isinstance(results, dict), results
    assert len(results) >= 90
    return results


@pytest.mark.seconds(150)
@pytest.mark.parametrize("host", (EVIL, "localhost", "127.0.0.1"))
def test_a_foreign_page_reads_nothing_and_changes_nothing(rig, browser, evil_port, host):
    app = rig.app()
    browser.open(f"http://{host}:{evil_port}/")
    watch = Watch(rig)
    name = "localhost" if host == "localhost" else "127.0.0.1"
    results = read_by(browser, app, f"http://{name}:{rig.daemon.address[1]}")
    assert {what: text for what, text in results.items() if text} == {}
    requests = watch.requests()
    arrived = {(line["method"], line["path"]) for line in requests}
    assert {("POST", "/v1/orders"), ("OPTIONS", "/v1/orders"), ("GET", "/v1/events"),
            ("GET", "/openapi.yaml")} <= arrived, "nothing was tried"
    # What a page may send without an Origin is a GET, and without a token that does nothing.
    assert {line["status"] for line in requests if line["method"] != "GET"} == {403}
    assert {line["status"] for line in requests} <= {200, 401, 403}
    assert all(line["token"] == "" for line in requests)
    watch.nothing_happened()


@pytest.mark.seconds(150)
@pytest.mark.parametrize("name", (EVIL, f"127.0.0.1.{EVIL}", f"localhost.{EVIL}"))
def test_a_rebound_name_is_refused_whatever_is_asked(rig, browser, name):
    """The page's own name leads to the daemon now: for the browser it is all one origin."""
    app = rig.app()
    base = "http://%s:%d" % (name, rig.daemon.address[1])
    browser.open(base + "/")
    assert browser.run("return location.origin;") == base
    assert "foreign-host" in browser.run("return document.documentElement.textContent;")
    watch = Watch(rig)
    results = read_by(browser, app, base)
    # It reads that it is refused, and no more.
    for what, text in results.items():
        assert not text or "foreign-host" in text, f"{what}: {text}"
        assert "ord_" not in text and '"streams"' not in text and "<title>" not in text, what
    requests = watch.requests()
    assert len(requests) >= 60
    assert {line["status"] for line in requests} == {403}
    watch.nothing_happened()


def test_a_rebound_name_is_refused_from_another_origin_too(rig, browser, evil_port):
    app = rig.app()
    browser.open(f"http://{EVIL}:{evil_port}/")
    watch = Watch(rig)
    results = read_by(browser, app, "http://%s:%d" % (EVIL, rig.daemon.address[1]))
    assert {what: text for what, text in results.items() if text} == {}
    assert {line["status"] for line in watch.requests()} == {403}
    watch.nothing_happened()


def test_a_page_without_an_origin_is_foreign(rig, browser, evil_port):
    app = rig.app()
    browser.open(f"http://{EVIL}:{evil_port}/")
    watch = Watch(rig)
    origin, own, results = browser.run_async(
        SANDBOX, rig.daemon.url, app.token, ORDER)
    assert (origin, own) == ("null", "null")
    assert set(results.values()) == {""} and len(results) == 5
    assert {line["status"] for line in watch.requests() if line["method"] == "POST"} == {403}
    watch.nothing_happened()


def test_the_dashboard_cannot_be_framed_or_steered(rig, browser, evil_port):
    browser.open(f"http://{EVIL}:{evil_port}/")
    browser.run(
        "const frame = document.createElement('iframe');"
        "frame.src = arguments[0]; document.body.append(frame);"
        "window.popup = window.open(arguments[0]);", rig.daemon.url + "/")
    wait_for(lambda: any("frame-ancestors" in line for line in browser.complaints(True)), 15,
             "the frame is refused")
    # With an opener policy of its own the other window is out of reach.
    wait_for(lambda: browser.run("return !window.popup || window.popup.closed;"), 15,
             "the window is cut off")


def test_what_is_tried_works_for_our_own_page(rig, browser):
    """The same tries from the dashboard's origin: what is refused above is refused for being
    foreign."""
    app = rig.app()
    browser.open(rig.daemon.url + "/")
    results = browser.run_async(
        "const [base, token, order] = args;"
        "const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };"
        "const placed = await fetch('/v1/orders', { method: 'POST', headers, body: order });"
        "const heard = await new Promise((resolve) => {"
        "  const socket = new WebSocket(base.replace('http', 'ws') + '/v1/stream');"
        "  socket.onmessage = (event) => { socket.close(); resolve(event.data); };"
        "  socket.onclose = () => resolve('closed'); });"
        "return [placed.status, heard];", rig.daemon.url, app.token, ORDER)
    assert results[0] == 201
    assert '"op":"hello"' in results[1]
