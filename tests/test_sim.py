"""The simulated exchange as its clients see it: what every other test stands on."""
import http.client
import threading

import pytest
from rig import wait_for
from trader import Trader, signed

ADA = "lovelace"


@pytest.fixture
def sim(make_sim):
    return make_sim("--rate-orders", "0")


@pytest.fixture
def trader(sim):
    return Trader(sim, sim.rig.api_key, sim.rig.password)


def status_is(trader, order_id, *statuses):
    return lambda: trader.order(order_id)["status"] in statuses


def place_open(trader, **fields):
    order_id = trader.place(**fields)
    wait_for(status_is(trader, order_id, "open"))
    return order_id


def refusal(answer):
    return answer.status, answer.json["code"]


# ---- an order's life ----

def test_an_order_lives_from_build_to_the_last_fill(sim, trader):
    built = trader.build(base_quantity="100.50", price="0.4500").json
    assert trader.order(built["order_id"])["status"] == "building"
    order = trader.submit(built).json
    assert (order["id"], order["status"], order["price"]) == (
        built["order_id"], "processing", "0.4500")
    wait_for(status_is(trader, order["id"], "open"))
    sim.fill(order["id"], "40")
    order = trader.order(order["id"])
    assert (order["status"], order["executed_base_qty"]) == ("open", "40")
    assert order["ob_open_order_base_qty"] == "60.5"
    sim.fill(order["id"])
    order = trader.order(order["id"])
    fills = order["order_execution_records"]
    assert (order["status"], order["base_qty"], order["executed_base_qty"]) == (
        "closed", "100.5", "100.5")
    told = ("filled_base_qty", "filled_quote_qty", "commission", "role")
    assert [tuple(fill[name] for name in told) for fill in fills] == [
        ("40", "18", "0.04", "maker"), ("60.5", "27.225", "0.0605", "maker")]
    assert {fill["commission_unit"] for fill in fills} == {ADA}
    balances = {b["asset"]: (b["free"], b["locked"]) for b in trader.get("/accounts/balance").json}
    assert balances["ADA"] == ("100100.3995", "0")
    assert balances["USDM"] == ("99954.775", "0")


def test_pages_come_newest_first(trader):
    ids = [place_open(trader, price=f"0.4{i}") for i in range(3)]
    first = trader.get("/accounts/open-orders?symbol=ADAUSDM&limit=2").json
    second = trader.get("/accounts/open-orders?symbol=ADAUSDM&limit=2&page=2").json
    assert [order["id"] for order in first["data"] + second["data"]] == ids[::-1]
    assert (first["total_count"], first["total_page"]) == (3, 2)
    assert trader.get("/accounts/trades?symbol=ADAUSDM").json == {
        "data": [], "total_count": 0, "total_page": 0}


def test_cancel_and_cancel_all_take_what_is_open(trader):
    one, two, three = (place_open(trader) for _ in range(3))
    assert trader.cancel(one).json == {"order_id": one}
    assert refusal(trader.cancel(one)) == (400, 4201)
    assert refusal(trader.cancel("no-such-order")) == (400, 4200)
    answer = trader.post("/order/cancel-all", {"symbol": "ADAUSDM"}).json
    assert (answer["symbol"], sorted(answer["order_ids"])) == ("ADAUSDM", sorted([two, three]))
    assert refusal(trader.post("/order/cancel-all", {"symbol": "ADAUSDM"})) == (400, 4200)


def test_a_transaction_must_come_back_unchanged_and_signed(sim, trader):
    built = trader.build().json
    good = signed(built["tx_hex"], trader.key)
    changed = good[:100] + ("0" if good[100] != "0" else "1") + good[101:]
    assert refusal(trader.submit(built, built["tx_hex"])) == (400, 4407)
    assert refusal(trader.submit(built, changed)) == (400, 4000)
    assert refusal(trader.submit(built, "84zz")) == (400, 4000)
    assert trader.submit(built, good).status == 200
    assert refusal(trader.submit(built, good)) == (400, 4302)
    record = sim.order(built["order_id"])
    assert (record["submits"], record["submit_answers"]) == (5, [4407, 4000, 4000, 0, 4302])


def test_a_transaction_grows_old(sim, trader):
    built = trader.build().json
    sim.pass_time(121)
    assert refusal(trader.submit(built)) == (400, 4300)
    assert trader.order(built["order_id"])["status"] == "failed"


def test_every_variant_of_the_sealed_key_opens(sim, trader):
    hashes = {trader.fetch_key().hash}
    for name in ("iv16", "no_salt"):
        sim.faults({"switch": name})
        hashes.add(trader.fetch_key().hash)
        sim.clear_faults()
    assert len(hashes) == 1


# ---- refusals ----

@pytest.mark.parametrize("fields, code", [
    ({"base_quantity": 100}, 4000),
    ({"base_quantity": "1e2"}, 4000),
    ({"base_quantity": None}, 4000),
    ({"quote_quantity": "50"}, 4000),
    ({"side": "hold"}, 4000),
    ({"type": "stop"}, 4000),
    ({"post_only": "yes"}, 4000),
    ({"symbol": "ADAUSDX"}, 4106),
    ({"base_quantity": "0"}, 4107),
    ({"price": "0"}, 4101),
    ({"base_quantity": "100.123"}, 4103),
    ({"price": "0.45001"}, 4102),
    ({"type": "market", "max_slippage_basis_point": "10001"}, 4108),
    ({"type": "market", "post_only": True}, 4105),
    ({"price": "1000"}, 4111),
    ({"price": "0.0001"}, 4112),
    ({"base_quantity": "11"}, 4100),
    ({"type": "market"}, 4109),
    ({"base_quantity": "1000000"}, 4050),
])
def test_build_refuses_with_the_code_of_the_fault(sim, trader, fields, code):
    assert refusal(trader.build(**fields)) == (400, code)
    assert sim.orders() == []


def test_requests_without_a_good_key_or_path_are_refused(sim, trader):
    stranger = Trader(sim, "wrong", "")
    assert refusal(stranger.get("/accounts/balance")) == (401, 4010)
    assert refusal(sim.request("GET", "/accounts/balance")) == (401, 4010)
    for path in ("/accounts/order/", "/nothing", "/market/depth?symbol=ADAUSDM"):
        answer = trader.get(path)
        assert (answer.status, answer.body) == (404, b"404 page not found")
        assert answer.content_type.startswith("text/plain")
    assert refusal(trader.get("/accounts/open-orders")) == (400, 4000)
    assert refusal(trader.get("/accounts/open-orders?symbol=ADAUSDM&limit=251")) == (400, 4000)
    assert refusal(trader.get("/market/graph/ADAUSDM?interval=2m&start=0&end=1")) == (400, 4405)
    assert refusal(trader.get("/accounts/transferal-records?status=x")) == (400, 4404)
    assert refusal(trader.get("/accounts/transferal-records/00")) == (400, 4402)


def test_a_new_key_ends_the_old_one_at_once(sim, trader):
    answer = trader.get("/accounts/new-api-key").json
    assert refusal(trader.get("/accounts/balance")) == (401, 4010)
    assert Trader(sim, answer["api_key"], "").get("/accounts/balance").status == 200
    # Not the rig's secret any more, but what it checks for is still the old one.
    masked = Trader(sim, answer["api_key"], "").get("/accounts/api-key").json["api_key"]
    assert masked[:4] == answer["api_key"][:4] and "*" in masked


def test_more_than_five_builds_in_a_second_are_refused(make_sim):
    sim = make_sim()
    trader = Trader(sim, sim.rig.api_key, sim.rig.password)
    answers = [trader.build() for _ in range(6)]
    assert [answer.status for answer in answers[:5]] == [200] * 5
    assert refusal(answers[5]) == (429, 4290)
    # Reading has no such limit.
    assert {trader.get("/accounts/balance").status for _ in range(20)} == {200}


def test_a_lock_stops_trading_and_lets_everything_be_read(sim, trader):
    order_id = place_open(trader)
    built = trader.build().json
    sim.lock()
    for answer in (trader.build(symbol="nonsense"), trader.submit(built), trader.cancel(order_id)):
        assert refusal(answer) == (400, 5002)
    assert trader.get("/accounts/open-orders?symbol=ADAUSDM").json["total_count"] == 1
    sim.lock(False)
    assert trader.submit(built).status == 200


# ---- paths and shapes ----

def test_repeated_slashes_and_the_plural_path_are_taken(trader):
    assert trader.get("//accounts//balance").status == 200
    built = trader.post("/orders/build", {
        "symbol": "ADAUSDM", "side": "sell", "type": "limit", "base_quantity": "10", "price": "2"})
    assert built.status == 200, built


def test_market_prices_and_candles_are_numbers(sim, trader):
    assert trader.get("/market/market-price?symbol=ADAUSDM").body == b'{"price":0.75}'
    sim.fill(place_open(trader, price="0.4321"), "50")
    sim.trade(side="sell", price="0.4321", base_quantity="25")
    assert trader.get("/market/market-price?symbol=ADAUSDM").body == b'{"price":0.4321}'
    (candle,) = trader.get("/market/graph/ADAUSDM?interval=1d&start=0&end=99999999999").json
    assert (candle["s"], candle["o"], candle["c"], candle["v"]) == ("ADAUSDM", 0.4321, 0.4321, 75)


def test_switches_change_shapes_and_statuses(sim, trader):
    sim.faults({"switch": "wrap_order"}, {"switch": "declared_http"})
    built = trader.build().json
    assert trader.submit(built).json["order"]["id"] == built["order_id"]
    assert refusal(trader.cancel("nothing")) == (404, 4200)
    assert refusal(trader.build(price="0.12345")) == (422, 4102)


def test_transfer_records_are_those_the_control_made(sim, trader):
    sim.control("POST", "transfers", {
        "kind": "transferal", "assets": {"ADA": "5.25"}, "tx_hash": "ab" * 32, "status": "pending"})
    (record,) = trader.get("/accounts/transferal-records?status=pending").json["data"]
    assert record["assets"] == [{"asset": "ADA", "asset_unit": ADA, "qty": "5250000"}]
    assert trader.get(f"/accounts/transferal-records/{'ab' * 32}").json == record
    assert trader.get("/accounts/deposit-records").json["data"] == []


# ---- faults and the record ----

def test_an_answer_can_be_lost_after_the_exchange_acted(sim, trader):
    sim.faults({"match": {"path": "/order/submit"}, "nth": [1], "drop": "after"})
    built = trader.build().json
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        trader.submit(built)
    wait_for(status_is(trader, built["order_id"], "open"))
    assert refusal(trader.submit(built)) == (400, 4302)
    assert [entry["status"] for entry in sim.log(path="/order/submit")] == ["dropped", 400]


def test_a_request_can_be_lost_before_the_exchange_acted(sim, trader):
    sim.faults({"match": {"path": "/order/submit"}, "nth": [1], "drop": "before"})
    built = trader.build().json
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        trader.submit(built)
    assert sim.order(built["order_id"])["submits"] == 0
    assert trader.submit(built).status == 200


def test_a_rule_answers_instead_of_the_exchange_or_after_it(sim, trader):
    sim.faults({"match": {"path": "/order/build"}, "nth": [1], "answer": {"code": 5001}},
               {"match": {"path": "/order/build"}, "nth": [2], "when": "after",
                "answer": {"code": 5000, "status": 500}},
               {"match": {"path": "/app/*"}, "answer": {
                   "status": 503, "body": "upstream", "content_type": "text/plain",
                   "headers": {"Retry-After": "2"}}})
    assert refusal(trader.build()) == (400, 5001)
    assert sim.orders() == []
    assert refusal(trader.build()) == (500, 5000)
    assert [order["status"] for order in sim.orders()] == ["building"]
    answer = trader.get("/app/market-config")
    assert (answer.status, answer.body, answer.headers["Retry-After"]) == (503, b"upstream", "2")


def test_bodies_can_be_cut_or_huge(sim, trader):
    sim.faults({"match": {"path": "/accounts/balance"}, "times": 1, "cut": 10},
               {"match": {"path": "/accounts/balance"}, "huge": 3000000})
    with pytest.raises(http.client.IncompleteRead):
        trader.get("/accounts/balance")
    answer = trader.get("/accounts/balance")
    assert len(answer.body) == 3000000 and set(answer.json) == {"padding"}


def test_a_stalled_request_ends_only_when_it_is_dropped(sim, trader):
    sim.faults({"switch": "submit_timeout", "times": 1})
    built = trader.build().json
    failed = []

    def submit():
        try:
            trader.submit(built)
        except (http.client.HTTPException, ConnectionError):
            failed.append(True)

    thread = threading.Thread(target=submit)
    thread.start()
    wait_for(lambda: [e["status"] for e in sim.log(path="/order/submit")] == [None])
    assert sim.drop() == {"dropped": 1}
    thread.join()
    assert failed == [True]


def test_the_record_has_every_request_as_it_came(sim, trader):
    trader.build(price="0.5")
    (entry,) = sim.log(path="/order/build")
    assert (entry["method"], entry["proto"], entry["account"], entry["status"]) == (
        "POST", "http", "main", 200)
    assert entry["headers"]["x-api-key"] == sim.rig.api_key
    assert '"price": "0.5"' in entry["body"]
    assert entry["mono_us"] <= entry["ended_mono_us"]
    sim.control("DELETE", "log")
    assert sim.log() == []


# ---- across restarts ----

def test_a_killed_exchange_knows_everything_it_answered(sim, trader):
    open_id = place_open(trader)
    built = trader.build().json
    sim.fill(open_id, "30")
    before = sim.orders(), sim.balances(), sim.executions()
    sim.kill()
    sim.start()
    assert (sim.orders(), sim.balances(), sim.executions()) == before
    assert trader.order(open_id)["executed_base_qty"] == "30"
    assert trader.submit(built).status == 200


def test_a_seed_gives_the_same_ids_and_keys(make_sim):
    seen = []
    for _ in range(2):
        sim = make_sim("--account", "second:key-of-second:password")
        trader = Trader(sim, "key-of-second", "password")
        account = trader.get("/accounts/spot-account").json
        seen.append((account["account_id"], trader.key.hash, trader.build().json["order_id"]))
        assert account["operation_key_hash"] == trader.key.hash
    assert seen[0] == seen[1]


def test_without_latency_everything_is_done_when_it_is_answered(make_sim):
    sim = make_sim("--latency", "0")
    trader = Trader(sim, sim.rig.api_key, sim.rig.password)
    order = trader.submit(trader.build().json).json
    assert order["status"] == "open"
    trader.cancel(order["id"])
    assert trader.order(order["id"])["status"] == "cancelled"


def test_realistic_latencies_are_felt(make_sim):
    sim = make_sim("--realistic")
    trader = Trader(sim, sim.rig.api_key, sim.rig.password)
    built = trader.build()
    assert 0.15 <= built.seconds
    answer = trader.submit(built.json)
    assert 0.2 <= answer.seconds and answer.json["status"] == "processing"
    wait_for(status_is(trader, built.json["order_id"], "open"))


def test_faults_can_come_from_a_file(make_rig):
    rig = make_rig()
    file = rig.folder / "faults.json"
    file.write_text('[{"match": {"path": "/app/market-config"}, "nth": [2], "delay_ms": 200}]')
    rig.sim.options += ["--faults", file]
    rig.sim.start()
    first, second = (rig.sim.request("GET", "/app/market-config") for _ in range(2))
    assert first.seconds < 0.2 <= second.seconds
    (rule,) = rig.sim.control("GET", "faults")["rules"]
    assert (rule["seen"], rule["hits"]) == (2, 1)


def test_a_bad_option_or_file_ends_the_start_with_2(make_rig):
    for options in (["--latency-ms", "9-1"], ["--no-such"], ["--account", "name"],
                    ["--faults", "/nonexistent"]):
        rig = make_rig()
        rig.sim.options += options
        rig.sim.launch()
        assert rig.sim.wait() == 2, rig.sim.log_text()


def test_a_crowd_makes_trades(make_sim):
    sim = make_sim("--market-maker", "--crowd-ms", "20")
    wait_for(lambda: {fill["symbol"] for fill in sim.executions()} == {
        "ADAUSDM", "NIGHTUSDM", "IAGUSDM"})


def test_the_market_maker_keeps_both_sides(make_sim):
    sim = make_sim("--market-maker", "--maker-interval-ms", "50")
    trader = Trader(sim, sim.rig.api_key, sim.rig.password)
    first = sim.book("NIGHTUSDM")
    assert len(first["bids"]) == len(first["asks"]) == 5
    wait_for(lambda: sim.book("NIGHTUSDM")["bids"] != first["bids"])
    order_id = trader.place(type="market", price=None, base_quantity="250000", symbol="NIGHTUSDM",
                            side="sell", max_slippage_basis_point="50")
    wait_for(status_is(trader, order_id, "closed"))
    wait_for(lambda: len(sim.book("NIGHTUSDM")["bids"]) == 5)
    assert {order["account"] for order in sim.orders()} == {"main"}
    assert any(order["market_maker"] for order in sim.orders(market_maker=True))
