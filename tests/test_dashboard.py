"""The dashboard at /, in a real browser (acceptance 8): what it shows, how soon, what it says when
something is wrong, that it comes back by itself, and that it gives nothing away.

The pictures are in <build>/screenshots afterwards, for people to look at."""
import http.client
import re
import signal
import time

import pytest

from browser import DARK, LIGHT
from rig import BUILD, ROOT, wait_for

SOURCE = (ROOT / "server/dashboard.html").read_text()
PICTURES = BUILD / "screenshots"
PANELS = ("health", "limits", "balances", "system", "market", "orders", "fills", "book", "trades")
MARKED = "window.stays = true;"

# Put ahead of the page's script: what its policy refused.
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation",
    (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""

# Notes when a word first appears in the table of fills.
WATCH_FILLS = """
window.seenAt = 0;
new MutationObserver(() => {
    if (!window.seenAt && document.querySelector("#fills tbody").textContent.includes(arguments[0]))
        window.seenAt = Date.now();
}).observe(document.querySelector("#fills"),
    { subtree: true, childList: true, characterData: true });
"""

# Loses the next event of a channel on its way to the page, once window.toLose says which.
LOSE = """
const Real = window.WebSocket;
window.WebSocket = class extends Real {
    set onmessage(take) {
        super.onmessage = (event) => {
            const message = JSON.parse(event.data);
            if (message.op === "event" && message.ch === window.toLose)
                window.toLose = null;
            else
                take(event);
        };
    }
};
"""


class Page:
    """The dashboard as a person has it open."""

    def __init__(self, rig, browser):
        self.rig, self.browser = rig, browser
        browser.before_page(WATCH)
        browser.look().open(rig.daemon.url + "/")

    def enter(self, token):
        self.browser.write("#token", token)
        self.browser.click("#enter")

    def is_live(self, app):
        self.enter(app.token)
        self.browser.sees("#line", "Live")
        wait_for(lambda: not self.browser.texts("#board:not([hidden]) .stale"), 15,
                 "every panel is live")
        self.browser.run(MARKED)
        return self

    def clean(self):
        """Nothing but the network's own words in the console, and nothing the policy refused."""
        assert self.browser.complaints() == []
        assert self.browser.run("return window.violations;") == []

    def overflow(self):
        """How many pixels something sticks out to the right."""
        return self.browser.run(
            "const page = document.documentElement;"
            "return Math.max(page.scrollWidth - page.clientWidth,"
            " ...[...document.querySelectorAll('.panel, .strip, .gate, .top')]"
            "  .map((one) => one.getBoundingClientRect().right - page.clientWidth));")

    def is_same(self):
        return self.browser.run("return window.stays === true;")


@pytest.fixture
def page(rig, browser):
    """At a port that a restart comes back to."""
    rig.daemon.options["listen"] = "%s:%d" % rig.daemon.address
    one = Page(rig, browser)
    yield one
    one.clean()


# ---- how it is served -------------------------------------------------------------------------


def raw_page(rig, method="GET"):
    connection = http.client.HTTPConnection(*rig.daemon.address, timeout=30)
    connection.request(method, "/")
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def test_the_page_is_served_to_everyone_with_a_policy_of_its_own(rig):
    response, body = raw_page(rig)
    assert (response.status, body.decode()) == (200, SOURCE)
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = dict(part.strip().partition(" ")[::2]
                  for part in response.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] \
        == policy["frame-ancestors"] == "'none'"
    assert policy["connect-src"] == "'self'"
    for kind in ("script-src", "style-src"):
        assert re.fullmatch(r"'sha256-[A-Za-z0-9+/=]{44}'", policy[kind])
    for name, value in (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
                        ("Cross-Origin-Opener-Policy", "same-origin"),
                        ("Cross-Origin-Resource-Policy", "same-origin"),
                        ("Cache-Control", "no-store")):
        assert response.headers[name] == value
    assert raw_page(rig, "HEAD")[1] == b""


def test_the_page_needs_nothing_from_elsewhere_and_makes_no_markup_of_data():
    script = SOURCE[SOURCE.index("<script>"):]
    addresses = set(re.findall(r"\w+://[^\s'\"`)]+", SOURCE))
    assert addresses <= {"http://www.w3.org/2000/svg", "${scheme}//${location.host}/v1/stream"}
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(",
                 "localStorage", "sessionStorage", "indexedDB", "cookie", "Function("):
        assert word not in script, word
    assert not re.search(r"\s(on\w+|style)=", SOURCE[:SOURCE.index("<style>")]
                         + SOURCE[SOURCE.index("</style>"):SOURCE.index("<script>")])


def test_the_policy_holds_in_the_browser(page):
    page.browser.run(
        "const script = document.createElement('script');"
        "script.textContent = 'window.ran = true';"
        "const image = new Image();"
        "image.src = 'http://127.0.0.1:1/x';"
        "document.body.append(script, image);")
    wait_for(lambda: len(page.browser.run("return window.violations;")) >= 2, 10, "both refused")
    assert page.browser.run("return window.ran === undefined;")
    page.browser.run("window.violations = [];")
    page.browser.complaints()


# ---- the token ----------------------------------------------------------------------------------


def test_a_wrong_token_is_told_and_the_next_one_may_be_right(page, app):
    for wrong in ("dg_" + "0" * 12 + "_" + "0" * 52, "nonsense", "to ken"):
        page.enter(wrong)
        page.browser.sees("#gate-error", "token")
        assert page.browser.text("#board") == ""
    page.is_live(app)


def test_the_token_is_nowhere_but_in_memory(page, app):
    page.is_live(app)
    kept = page.browser.run(
        "return [location.href, document.cookie, localStorage.length, sessionStorage.length,"
        " document.documentElement.outerHTML, document.querySelector('#token').value];")
    assert kept[0] == page.rig.daemon.url + "/"
    assert kept[1:4] == ["", 0, 0] and kept[5] == ""
    assert app.token.split("_")[2] not in kept[4]
    assert page.browser.run("return document.querySelector('#token').autocomplete;") == "off"
    page.browser.driver.refresh()
    page.browser.sees("#gate", "token")


def test_a_token_that_is_revoked_or_forgotten_leaves_no_figures(page, app):
    order = app.order(client_order_id="seen-by-few").json
    page.is_live(app)
    page.browser.sees("#orders", "seen-by-few")
    page.rig.daemon.admin.delete("/v1/admin/tokens/" + app.token.split("_")[1])
    page.browser.sees("#gate-error", "not valid")
    page.is_live(page.rig.app())
    page.browser.click("#forget")
    page.browser.sees("#gate", "token")
    text = page.browser.run("return document.querySelector('#board').textContent;")
    assert order["client_order_id"] not in text


SCOPES = {
    "market": {"market", "book", "trades"}, "read": {"orders", "fills", "balances", "system"},
    "trade": set(), "ops": set(),
}


def test_each_panel_says_when_the_tokens_scope_is_missing(page):
    for scope, allowed in SCOPES.items():
        page.enter(page.rig.app(scope).token)
        for panel in PANELS:
            if panel in allowed or panel in ("health", "limits"):
                wait_for(lambda p=panel: page.browser.text(f"#{p}")
                         and "scope" not in page.browser.text(f"#{p}")
                         and "Asking" not in page.browser.text(f"#{p}"), 15,
                         f"{panel} is shown with {scope}")
            else:
                page.browser.sees(f"#{panel}", "it needs the scope")
        assert page.browser.text("#banner") == "", scope
        page.browser.click("#forget")


# ---- what it shows ------------------------------------------------------------------------------


def cells(browser, panel):
    """Rows as texts of their cells, digit for digit."""
    return browser.run(
        "return [...document.querySelectorAll(`#${arguments[0]} tbody tr`)]"
        ".map((row) => [...row.children].map((cell) => cell.textContent));", panel)


def test_orders_balances_and_limits_are_those_of_the_api(page, app):
    order = app.order(client_order_id="grid-7", base_quantity="120.5", price="0.4512").json
    page.is_live(app)
    row = wait_for(lambda: cells(page.browser, "orders"), 10, "an order")[0]
    assert row[1].startswith("grid-7") and order["order_id"][-6:] in row[1]
    assert row[2:] == ["▲ buy", "ADAUSDM", "0.4512", "0 / 120.5", "open"]
    known = [[one["asset"], one["free"], one["locked"]]
             for one in app.get("/v1/balances").json["data"]]
    wait_for(lambda: cells(page.browser, "balances") == sorted(known), 10, "the balances")
    wait_for(lambda: page.browser.text("#available") == "5", 10, "the tokens")
    assert "ok" in page.browser.text("#status")
    app.delete(f"/v1/orders/{order['order_id']}")
    page.browser.sees("#orders", "No open orders")


@pytest.mark.rig(market_maker=True)
def test_the_market_is_live_and_another_may_be_chosen(page, app):
    page.rig.sim.trade(side="buy", type="market", base_quantity="25")
    page.is_live(app)
    best = page.rig.sim.book("ADAUSDM")["bids"][0]
    wait_for(lambda: cells(page.browser, "book"), 10, "a book")
    page.browser.sees("#book", str(best["price"] if isinstance(best, dict) else best[0]))
    page.browser.sees("#spread", "spread 0.")
    page.rig.sim.trade(side="sell", type="market", base_quantity="17.25")
    page.browser.sees("#trades", "17.25")
    assert page.browser.run("return document.querySelector('#chart .line').getAttribute('d');")
    page.browser.run(
        "const field = document.querySelector('#symbol'); field.value = 'NIGHTUSDM';"
        "field.dispatchEvent(new Event('change'));")
    wait_for(lambda: "17.25" not in page.browser.text("#trades"), 10, "the other's trades are gone")
    best = page.rig.sim.book("NIGHTUSDM")["bids"][0]
    page.browser.sees("#book", str(best["price"] if isinstance(best, dict) else best[0]))


def test_a_fill_shows_within_a_second_of_it(page, app, capsys):
    order = app.order(base_quantity="120").json
    page.is_live(app)
    page.browser.run(WATCH_FILLS, "33.125")
    told = time.time()
    page.rig.sim.fill(order["exchange_order_id"], "33.125")
    seen = wait_for(lambda: page.browser.run("return window.seenAt;"), 10, "the fill shows")
    with capsys.disabled():
        print(f" [a fill shows {seen - told * 1000:.0f} ms after it] ", end="")
    page.browser.sees("#orders", "33.125 / 120")
    assert cells(page.browser, "fills")[0][1:5] == ["▲ buy", "ADAUSDM", "0.45", "33.125"]


def test_a_message_lost_on_the_way_is_noticed_and_loaded_anew(rig, app, browser):
    browser.before_page(LOSE)
    page = Page(rig, browser)
    order = app.order(base_quantity="120").json
    page.is_live(app)
    browser.run("window.toLose = 'fills';")
    for quantity in ("11.5", "22.5"):
        page.rig.sim.fill(order["exchange_order_id"], quantity)
        page.browser.sees("#orders", "11.5 / 120" if quantity == "11.5" else "34 / 120")
    wait_for(lambda: [row[4] for row in cells(browser, "fills")] == ["22.5", "11.5"], 20,
             "both fills, in order")
    browser.sees("#system", "loaded anew")
    page.clean()


def test_texts_of_others_are_texts(page):
    name = "<img src=x onerror=alert(1)>&amp;"
    app = page.rig.app(name=name)
    app.order(client_order_id="a" * 64)
    page.is_live(app)
    page.browser.sees("#orders", name)
    assert page.browser.run("return document.querySelectorAll('#orders img').length;") == 0
    assert page.overflow() <= 0


# ---- what is wrong ----------------------------------------------------------------------------


def test_what_is_wrong_is_said_in_words_and_goes_again(page, app):
    page.is_live(app)
    assert page.browser.text("#wrong") == ""
    page.rig.daemon.admin.post("/v1/admin/lock")
    page.browser.sees("#problems", "The operation key is locked")
    page.browser.sees("#status", "degraded")
    page.browser.sees("#system", "operation key")
    page.rig.daemon.admin.post("/v1/admin/unlock", {"trading_password": page.rig.password})
    wait_for(lambda: page.browser.text("#wrong") == "", 15, "nothing is wrong")
    page.rig.sim.drop("account*")
    page.rig.daemon.admin.post("/v1/admin/streams/account/stop")
    page.browser.sees("#problems", "stream account is stopped")
    page.browser.sees("#fills", "No fills yet")
    page.browser.sees("#balances .age", "may be late")
    page.rig.daemon.admin.post("/v1/admin/streams/account/start")
    wait_for(lambda: page.browser.text("#wrong") == "", 20, "nothing is wrong")


@pytest.mark.rig(market_maker=True)
def test_a_market_whose_stream_is_down_is_not_shown_as_live(page, app):
    page.is_live(app)
    wait_for(lambda: cells(page.browser, "book"), 10, "a book")
    page.rig.daemon.admin.post("/v1/admin/streams/depth:ADAUSDM/stop")
    page.browser.sees("#book .age", "not live")
    assert page.browser.run("return document.querySelector('#book').matches('.stale');")
    page.rig.daemon.admin.post("/v1/admin/streams/depth:ADAUSDM/start")
    wait_for(lambda: page.browser.text("#book .age") == "", 20, "the book is live")


def test_a_killed_daemon_is_told_at_once_and_comes_back_by_itself(page, app):
    order = app.order(base_quantity="120").json
    page.is_live(app)
    page.browser.sees("#orders", "0 / 120")
    page.rig.daemon.kill()
    page.browser.sees("#banner", "has not answered since")
    page.browser.sees("#line", "Lost")
    for panel in PANELS:
        if page.browser.text(f"#{panel} .figures"):
            page.browser.sees(f"#{panel} .age", "as of")
    page.rig.sim.fill(order["exchange_order_id"], "44.5")
    page.rig.daemon.start()
    page.browser.sees("#line", "Live", 30)
    page.browser.sees("#fills", "44.5", 30)
    wait_for(lambda: page.browser.text("#banner") == "", 10, "the banner is gone")
    assert not page.browser.texts("#board .stale")
    assert page.is_same(), "the page was loaded anew"


def test_a_daemon_that_hangs_is_told_and_one_that_stops_in_order_is_too(page, app):
    page.is_live(app)
    page.rig.daemon.send(signal.SIGSTOP)
    page.browser.sees("#banner", "has not answered since", 30)
    page.rig.daemon.send(signal.SIGCONT)
    page.browser.sees("#line", "Live", 30)
    page.rig.daemon.stop()
    page.browser.sees("#banner", "has not answered since")
    page.rig.daemon.start()
    page.browser.sees("#line", "Live", 30)
    assert page.is_same()


def test_the_gate_says_that_nobody_answers(page, app):
    page.rig.daemon.kill()
    page.enter(app.token)
    page.browser.sees("#gate-error", "does not answer")
    page.rig.daemon.start()
    page.is_live(app)


# ---- how it looks -----------------------------------------------------------------------------


def is_named(node):
    return bool(node.get("name", {}).get("value", "").strip())


def test_everything_to_operate_and_every_region_has_a_name(page, app):
    app.order()
    page.is_live(app)
    roles = {}

    def look():
        """The price line is drawn when there are trades."""
        roles.clear()
        for node in page.browser.cdp("Accessibility.getFullAXTree")["nodes"]:
            if not node["ignored"]:
                roles.setdefault(node["role"]["value"], []).append(node)
        return "image" in roles

    wait_for(look, 20, "a price line")
    for role in ("button", "combobox", "meter", "region", "image", "heading"):
        assert roles[role] and all(is_named(node) for node in roles[role]), role
    assert len(roles["main"]) == len(roles["banner"]) == 1
    assert page.browser.run(
        "return [...document.querySelectorAll('.panel')].every((one) =>"
        " document.getElementById(one.getAttribute('aria-labelledby')));")
    levels = page.browser.run("return [...document.querySelectorAll('h1, h2')]"
                              ".map((one) => one.tagName);")
    assert levels[0] == "H1" and levels.count("H1") == 1


CONTRAST = """
const luminance = (text) => {
    const parts = text.match(/[0-9a-f]{2}/gi).map((part) => parseInt(part, 16) / 255)
        .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
};
const style = getComputedStyle(document.documentElement);
const of = (name) => luminance(style.getPropertyValue(`--${name}`));
return arguments[0].map(([front, back]) => {
    const [high, low] = [of(front), of(back)].sort((a, b) => b - a);
    return [front, back, (high + 0.05) / (low + 0.05)];
});
"""
PAIRS = [(front, back) for front in ("text", "muted", "accent", "good", "bad", "warn")
         for back in ("panel", "raised")]
PAIRS += [("muted", "page"), ("good", "good-wash"), ("bad", "bad-wash"), ("warn", "warn-wash"),
          ("text", "bad-wash"), ("text", "warn-wash"), ("muted", "bad-wash"), ("muted", "faint"),
          ("on-accent", "accent"), ("text", "good-wash")]


@pytest.mark.parametrize("scheme", (LIGHT, DARK), ids=("light", "dark"))
def test_texts_stand_out_from_what_is_behind_them(page, scheme):
    page.browser.look(scheme=scheme)
    for front, back, ratio in page.browser.run(CONTRAST, PAIRS):
        assert ratio >= 4.5, f"{front} on {back}: {ratio:.2f}"


def sticks_out(page):
    """Width and pixels of each window that is too narrow for something."""
    found = {}
    for width in (320, 360, 390, 480, 640, 641, 768, 1180, 1181, 1440):
        page.browser.look(width, 844, is_phone=width < 640)
        if page.overflow() > 0:
            found[width] = page.overflow()
    return found


@pytest.mark.rig(market_maker=True)
def test_nothing_sticks_out_to_the_right(page, app):
    app.order(client_order_id="w" * 64, base_quantity="98765.4321", price="0.4")
    app.order(type="market", base_quantity="1234.5", max_slippage_basis_point=500)
    assert sticks_out(page) == {}
    page.is_live(app)
    page.browser.sees("#fills", "1234.5")
    assert sticks_out(page) == {}
    page.rig.daemon.kill()
    page.browser.sees("#banner", "has not answered since")
    assert sticks_out(page) == {}


def test_who_wants_no_motion_gets_none(page, app):
    page.browser.look(motion=False)
    page.is_live(app)
    app.order()
    wait_for(lambda: cells(page.browser, "orders"), 10, "an order")
    assert page.browser.run(
        "return [...document.querySelectorAll('#orders td, .meter i')].every((one) =>"
        " getComputedStyle(one).animationName === 'none'"
        " && getComputedStyle(one).transitionDuration === '0s');")


VIEWS = {
    "light": {"scheme": LIGHT}, "dark": {"scheme": DARK},
    "phone": {"width": 390, "height": 844, "is_phone": True},
}
MORE_VIEWS = {
    "phone-dark": {"width": 390, "height": 844, "is_phone": True, "scheme": DARK},
    "tablet": {"width": 900}, "wide": {"width": 1920},
}


def shoot(page, state, views=None):
    for view, options in (views or VIEWS).items():
        page.browser.look(**options, motion=False)
        page.browser.shoot(PICTURES / f"{state}-{view}.png")


@pytest.mark.rig(market_maker=True)
def test_pictures_of_every_state_are_taken(page, app):
    names = ("grid-bot.2026-11-22:level-12", "m" * 64, "hedge-1", "x")
    orders = [app.order(client_order_id=name, price=f"0.4{at}", base_quantity=f"{100 + at * 37}.5")
              .json for at, name in enumerate(names)]
    app.order(type="market", base_quantity="1234.5", max_slippage_basis_point=500)
    app.order(type="market", side="sell", quote_quantity="20", max_slippage_basis_point=500)
    shoot(page, "gate")
    page.enter("nonsense")
    page.browser.sees("#gate-error", "not valid")
    shoot(page, "gate-wrong")
    page.is_live(app)
    for at in range(12):
        page.rig.sim.trade(side=("buy", "sell")[at % 3 == 0], type="market",
                           base_quantity=f"{2000 + 517 * at}")
    app.delete(f"/v1/orders/{orders[3]['order_id']}")
    wait_for(lambda: len(cells(page.browser, "trades")) >= 12, 15, "the trades")
    shoot(page, "live", {**VIEWS, **MORE_VIEWS})
    page.rig.daemon.admin.post("/v1/admin/lock")
    page.rig.daemon.admin.post("/v1/admin/streams/depth:ADAUSDM/stop")
    page.browser.sees("#problems", "operation key")
    page.browser.sees("#book .age", "not live")
    shoot(page, "wrong")
    page.rig.daemon.kill()
    page.browser.sees("#banner", "has not answered since")
    shoot(page, "lost")
    page.rig.daemon.start()
    page.browser.sees("#line", "Live", 30)
    page.browser.click("#forget")
    page.browser.look()
    page.enter(page.rig.app("read").token)
    page.browser.sees("#market", "it needs the scope")
    shoot(page, "scope")
    assert len(list(PICTURES.glob("*.png"))) >= 6 * len(VIEWS) + len(MORE_VIEWS)
