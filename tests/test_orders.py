"""Orders as apps place and cancel them: rows S20 to S35."""
import json
import time

import pytest

from facts import check_against_exchange, executions, is_settled, most_in_window, on_book
from rig import wait_for


def test_S20_an_order_is_placed_with_symbol_side_type_quantity_and_price(rig, app):
    answer = app.order(client_order_id="first-1")
    assert answer.status == 201, answer
    order = answer.json
    assert order["state"] == "open"
    assert order["client_order_id"] == "first-1"
    theirs = rig.sim.order(order["exchange_order_id"])
    assert (theirs["symbol"], theirs["side"], theirs["type"]) == ("ADAUSDM", "buy", "limit")
    assert theirs["price"] == "0.45"
    row = rig.daemon.journal("select * from v_orders")[0]
    assert (row["state"], row["base_qty"], row["price"]) == ("open", "100", "0.45")


def test_S21_without_a_key_an_order_is_refused_before_anything_else(make_rig):
    rig = make_rig()
    rig.daemon.has_password = False
    rig.start()
    app = rig.app()
    before = app.get("/v1/limits").json["available"]
    answer = app.order()
    assert (answer.status, answer.code) == (423, "operation-key-locked")
    assert rig.sim.log("/order/*") == []
    assert app.get("/v1/limits").json["available"] == before
    assert rig.daemon.journal("select count(*) as n from orders")[0]["n"] == 0


@pytest.mark.threads
def test_S22_twenty_parallel_orders_never_exceed_five_builds_a_second(rig, app):
    answers = app.parallel([lambda: app.order(headers={"Prefer": "wait=30"})] * 20)
    assert [a.status for a in answers] == [201] * 20
    builds = rig.sim.log("/order/build", "POST")
    assert len(builds) == 20
    assert most_in_window(builds, 0.99) <= 5
    assert max(a.json["queued_ms"] for a in answers) > 2000


def test_S23_one_call_builds_signs_and_submits_once(rig, app):
    assert app.order().status == 201
    assert len(rig.sim.log("/order/build", "POST")) == 1
    submits = rig.sim.log("/order/submit", "POST")
    assert len(submits) == 1
    # The exchange checked the witness over the body: an unsigned one is answered 4407.
    assert submits[0]["status"] == 200


def test_S24_the_answer_has_the_whole_order_as_the_exchange_has_it(rig, app):
    order = app.order(side="sell", price="0.9", base_quantity="12.5").json
    theirs = rig.sim.order(order["exchange_order_id"])
    assert order["exchange_order_id"] == theirs["id"]
    assert (order["symbol"], order["side"], order["type"]) == (
        theirs["symbol"], theirs["side"], theirs["type"])
    assert order["price"] == theirs["price"]
    assert order["base_qty"] == "12.5" == theirs["base_qty"]
    assert order["executed_base_qty"] == "0"


def test_S25_post_only_slippage_and_quote_quantity_reach_the_exchange(make_rig):
    rig = make_rig(market_maker=True).start()
    app = rig.app()
    assert app.order(post_only=True).status == 201
    bought = app.order(type="market", quote_quantity="25", max_slippage_basis_point=50)
    assert bought.status == 201, bought
    first, second = [json.loads(e["body"]) for e in rig.sim.log("/order/build", "POST")]
    assert first["post_only"] is True
    assert second["max_slippage_basis_point"] == "50"
    assert second["quote_quantity"] == "25"
    assert "base_quantity" not in second


def test_S26_market_orders_fill_and_need_a_slippage_bound(make_rig):
    rig = make_rig(market_maker=True).start()
    app = rig.app()
    refused = app.order(type="market", base_quantity="20")
    assert (refused.status, refused.code) == (422, "invalid-parameter")
    assert rig.sim.log("/order/build") == []
    answer = app.order(type="market", base_quantity="20", allow_unbounded_slippage=True)
    assert answer.status == 201, answer
    path = "/v1/orders/" + answer.json["order_id"]
    order = wait_for(lambda: (o := app.get(path).json)["state"] == "filled" and o)
    assert order["executed_base_qty"] == "20"
    assert order["fills"]
    check_against_exchange(rig)


def test_S27_cancel_by_id_twice_gives_the_same_answer(rig, app):
    path = "/v1/orders/" + app.order().json["order_id"]
    first = app.delete(path)
    sent = len(rig.sim.log("/order/*", "POST"))
    second = app.delete(path)
    assert (first.status, first.json["state"]) == (200, "cancelled")
    assert (second.status, second.json["state"]) == (200, "cancelled")
    assert len(rig.sim.log("/order/*", "POST")) == sent
    assert rig.sim.orders()[0]["status"] == "cancelled"


def test_S27_a_filled_order_cannot_be_cancelled(rig, app):
    order = app.order(price="0.5").json
    rig.sim.trade(side="sell", price="0.5", base_quantity="100")
    path = "/v1/orders/" + order["order_id"]
    answer = app.delete(path)
    assert (answer.status, answer.code) == (409, "order-final"), answer
    assert app.get(path).json["state"] == "filled"
    check_against_exchange(rig)


@pytest.mark.threads
@pytest.mark.seconds(180)
def test_S28_cancels_share_the_rate_and_overtake_queued_orders(rig, app):
    headers = {"Prefer": "respond-async"}
    first = [app.order(headers={"Prefer": "wait=60"}).json for _ in range(12)]
    queued = [app.order(headers=headers) for _ in range(25)]
    assert {a.status for a in queued} == {202}
    cancels = app.parallel(
        [lambda o=o: app.delete("/v1/orders/" + o["order_id"], {"Prefer": "wait=60"})
         for o in first])
    assert [a.status for a in cancels] == [200] * 12
    # They came last and left first: orders are still waiting when the last cancel is through.
    assert app.get("/v1/limits").json["queued"] > 5
    wait_for(lambda: is_settled(rig), 60)
    builds = rig.sim.log("/order/build", "POST")
    sends = rig.sim.log("/order/submit", "POST") + [
        e for e in rig.sim.log("/order/*", "POST") if e["path"].endswith("/cancel")]
    assert len(builds) == 37
    assert most_in_window(builds, 0.99) <= 5
    assert most_in_window(sends, 0.99) <= 5


def test_S29_json_numbers_keep_their_digits(rig, app):
    body = ('{"symbol":"ADAUSDM","side":"buy","type":"limit",'
            '"base_quantity":100,"price":0.45}')
    assert app.post("/v1/orders", body).status == 201
    build = json.loads(rig.sim.log("/order/build", "POST")[0]["body"])
    assert (build["base_quantity"], build["price"]) == ("100", "0.45")
    for number in ("0.1234567890123456789", "1e400", "1.00000000000000000001"):
        refused = app.post("/v1/orders", body.replace("0.45", number))
        assert refused.status in (400, 422), refused
    assert len(rig.sim.log("/order/build", "POST")) == 1


def test_S30_the_journal_maps_success_and_refusal(rig, app):
    good = app.order()
    bad = app.order(side="sell", price="0.9", base_quantity="900000000")
    assert (good.status, bad.status) == (201, 422)
    assert bad.json["exchange"]["code"] == 4050
    rows = rig.daemon.journal("select state, exchange_order_id, error_code, error from v_orders"
                              " order by created_at")
    assert rows[0]["state"] == "open" and rows[0]["exchange_order_id"]
    assert rows[0]["error"] is None
    assert rows[1]["state"] == "rejected" and "4050" in rows[1]["error"]
    assert rows[1]["error_code"] == "exchange-refused"


def test_S31_the_log_tells_each_order_before_after_and_on_failure(rig, app):
    good = app.order().json
    app.order(side="sell", price="0.9", base_quantity="900000000")
    bad = rig.daemon.journal("select order_id from v_orders where state = 'rejected'")[0]
    submitting = rig.daemon.events("order.submitting")
    submitted = rig.daemon.events("order.submitted")
    failed = rig.daemon.events("order.failed")
    assert [e["order"] for e in submitting] == [good["order_id"]]
    assert [e["order"] for e in submitted] == [good["order_id"]]
    assert [e["order"] for e in failed] == [bad["order_id"]]


def test_S32_a_bad_parameter_is_422_and_an_absent_exchange_is_not(rig, app):
    refused = app.order(price="-1")
    assert refused.status == 422
    assert rig.sim.log("/order/*") == []
    rig.sim.stop()
    answer = app.order(headers={"Prefer": "wait=20"})
    assert answer.status in (202, 502), answer
    rig.sim.start()
    wait_for(lambda: is_settled(rig), 30)
    check_against_exchange(rig)


def test_S33_a_failed_build_is_tried_three_times_with_growing_waits(rig, app):
    rig.sim.faults({"match": {"path": "/order/build"}, "times": 2, "when": "before",
                    "answer": {"status": 500, "code": 5000}})
    answer = app.order(headers={"Prefer": "wait=20"})
    assert answer.status == 201, answer
    times = [e["mono_us"] for e in rig.sim.log("/order/build", "POST")]
    assert len(times) == 3
    assert times[1] - times[0] >= 1e6
    assert times[2] - times[1] >= 2e6
    assert len(rig.sim.log("/order/submit", "POST")) == 1


def test_S34_each_retry_is_a_warning_and_the_last_error_reaches_the_app(rig, app):
    rig.sim.faults({"match": {"path": "/order/build"}, "times": 9, "when": "before",
                    "answer": {"status": 500, "code": 5000}})
    answer = app.order(headers={"Prefer": "wait=20"})
    assert (answer.status, answer.code) == (502, "not-placed"), answer
    retries = rig.daemon.events("order.retry")
    assert [(e["level"], e["attempt"], e["wait_ms"]) for e in retries] == [
        ("warn", 1, 1000), ("warn", 2, 2000)]
    assert all("5000" in e["error"] for e in retries)
    assert len(rig.sim.log("/order/build", "POST")) == 3


def test_S35_an_order_is_found_by_each_of_its_three_ids(rig, app):
    order = app.order(client_order_id="my-1").json
    by_client = app.get("/v1/orders/client:my-1").json
    by_exchange = app.get("/v1/orders/exch:" + order["exchange_order_id"]).json
    by_id = app.get("/v1/orders/" + order["order_id"]).json
    assert by_client == by_exchange == by_id
    other = rig.app()
    assert other.get("/v1/orders/client:my-1").status == 404
    assert other.get("/v1/orders/" + order["order_id"]).status == 404


@pytest.mark.threads
def test_partial_fills_are_booked_once_and_add_up(rig, app):
    order = app.order(price="0.5").json
    on_book(rig.sim, order)
    for quantity in ("10", "20.5", "0.5"):
        rig.sim.trade(order_id=order["exchange_order_id"], base_quantity=quantity)
    path = "/v1/orders/" + order["order_id"]
    seen = wait_for(lambda: (o := app.get(path).json)["executed_base_qty"] == "31" and o)
    assert seen["state"] == "partially_filled"
    time.sleep(2.5)  # more sweeps find the same executions again
    assert len(app.get("/v1/fills", order_id=order["order_id"]).json["data"]) == 3
    assert len(executions(rig.sim.order(order["exchange_order_id"]))) == 3
    check_against_exchange(rig)


def test_unknown_fields_are_refused_so_that_a_typo_does_not_trade(rig, app):
    answer = app.order(post_onyl=True)
    assert (answer.status, answer.code) == (422, "unknown-field")
    assert "post_onyl" in answer.json["detail"]
    assert rig.sim.log("/order/*") == []


def test_cancelling_a_symbol_takes_only_ones_own_orders_of_it(rig, app):
    other = rig.app()
    mine = [app.order().json["order_id"] for _ in range(2)]
    elsewhere = app.order(symbol="NIGHTUSDM", price="0.01", base_quantity="1000")
    foreign = other.order()
    assert (elsewhere.status, foreign.status) == (201, 201)
    answer = app.delete("/v1/orders", symbol="ADAUSDM", headers={"Prefer": "wait=20"})
    assert answer.status == 200, answer
    assert sorted(answer.json["cancelled"]) == sorted(mine)
    assert answer.json["failed"] == []
    assert app.get("/v1/orders/" + elsewhere.json["order_id"]).json["state"] == "open"
    assert other.get("/v1/orders/" + foreign.json["order_id"]).json["state"] == "open"


def test_an_order_is_never_sent_after_its_valid_until(rig, app):
    rig.sim.faults({"match": {"path": "/order/build"}, "times": 1, "when": "before",
                    "answer": {"status": 500, "code": 5000}})
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1))
    answer = app.order(valid_until=until, headers={"Prefer": "wait=20"})
    # The first build failed; its second try would have come too late.
    assert answer.status in (429, 502), answer
    assert len(rig.sim.log("/order/build", "POST")) == 1
    assert app.get("/v1/orders").json["data"][0]["state"] == "failed"


def too_fast(seconds):
    """A fault: the exchange refuses one submit, and wants no other for so long."""
    return {"match": {"path": "/order/submit", "method": "POST"}, "times": 1,
            "answer": {"code": 4290, "headers": {"Retry-After": str(seconds)}}}


def submits(rig):
    return rig.sim.log("/order/submit", "POST")


def test_an_order_cancelled_before_it_could_be_submitted_is_never_sent(rig, app):
    rig.sim.faults(too_fast(3))
    placed = app.order(headers={"Prefer": "respond-async"})
    wait_for(lambda: submits(rig))
    path = "/v1/orders/" + placed.json["order_id"]
    gone = app.delete(path, headers={"Prefer": "wait=10"})
    assert (gone.status, gone.json["state"]) == (200, "cancelled"), gone
    time.sleep(3.5)  # the pause is over
    assert len(submits(rig)) == 1
    assert rig.sim.orders()[0]["status"] == "building"
    assert app.get(path).json["state"] == "cancelled"


def test_an_order_cancelled_while_its_submit_is_refused_is_not_sent_again(rig, app):
    rig.sim.faults({**too_fast(1), "delay_ms": 1500})
    placed = app.order(headers={"Prefer": "respond-async"})
    wait_for(lambda: rig.daemon.events("order.submitting"))
    time.sleep(0.5)  # on its way
    gone = app.delete("/v1/orders/" + placed.json["order_id"], headers={"Prefer": "wait=10"})
    assert (gone.status, gone.json["state"]) == (200, "cancelled"), gone
    time.sleep(1.5)
    assert len(submits(rig)) == 1


def test_a_signed_order_is_not_sent_after_its_valid_until(rig, app):
    rig.sim.faults(too_fast(4))
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3))
    answer = app.order(valid_until=until, headers={"Prefer": "wait=10"})
    assert answer.status == 429, answer
    time.sleep(max(0, 4.5 - answer.seconds))
    assert len(submits(rig)) == 1
    assert app.get("/v1/orders").json["data"][0]["state"] == "failed"
