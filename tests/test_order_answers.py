"""What the exchange says of an order may be late, incomplete or odd: it must not become untrue."""
import contextlib
import json
import sqlite3

from facts import SILENCE, check_against_exchange, on_book
from rig import wait_for

ORDER, OPEN_ORDERS, SUBMIT = "/accounts/order/*", "/accounts/open-orders", "/order/submit"
TRADES = "/accounts/trades"


def told(rig, path):
    """What the exchange answers to its user there."""
    answer = rig.sim.request("GET", path, headers={"X-API-KEY": rig.api_key})
    assert answer.status == 200, answer
    return answer.json


def says(path, body, **more):
    """A fault: this answer, as if it were the truth."""
    return {"match": {"path": path, "method": "GET"},
            "answer": {"status": 200, "body": json.dumps(body)}, **more}


def nothing_open(rig):
    page = told(rig, OPEN_ORDERS + "?symbol=ADAUSDM&limit=10&page=1")
    page["data"], page["total_count"] = [], 0
    return says(OPEN_ORDERS, page)


def submitting(rig):
    """The exchange's id of the one order, once its submit is on its way."""
    return wait_for(lambda: rig.daemon.events("order.submitting"))[0]["exchange_order_id"]


def test_an_order_that_fails_after_a_partial_fill_ends_with_what_executed(rig, app):
    order = app.order(price="0.5").json
    on_book(rig.sim, order)
    rig.sim.fill(order["exchange_order_id"], "30")
    path = "/v1/orders/" + order["order_id"]
    wait_for(lambda: app.get(path).json["state"] == "partially_filled")
    form = told(rig, "/accounts/order/" + order["exchange_order_id"])
    rig.sim.faults(nothing_open(rig), says(ORDER, {**form, "status": "failed"}))
    seen = wait_for(lambda: (o := app.get(path).json)["state"] == "cancelled" and o)
    assert seen["executed_base_qty"] == "30"
    assert seen["error"]["code"] == "exchange-error"


def test_a_size_in_quote_is_filled_only_when_the_exchange_says_so(rig, app):
    order = app.order(price="0.5", quote_quantity="50").json
    on_book(rig.sim, order)
    rig.sim.fill(order["exchange_order_id"], "90")
    form = told(rig, "/accounts/order/" + order["exchange_order_id"])
    # An estimate of the size that was too small.
    rig.sim.faults(says(ORDER, {**form, "base_qty": "90"}), nothing_open(rig))
    path = "/v1/orders/" + order["order_id"]
    wait_for(lambda: app.get(path).json["executed_base_qty"] == "90")
    assert app.get(path).json["state"] == "partially_filled"
    rig.sim.clear_faults()
    rig.sim.fill(order["exchange_order_id"])
    wait_for(lambda: app.get(path).json["state"] == "filled")
    check_against_exchange(rig)


def test_an_order_seen_alive_is_not_called_failed_for_want_of_its_fills(rig, app):
    rig.sim.faults({"match": {"path": SUBMIT}, "times": 1, "stall": "after"}, SILENCE)
    app.order(price="0.5", headers={"Prefer": "respond-async"})
    exchange_id = submitting(rig)
    on_book(rig.sim, {"exchange_order_id": exchange_id})
    rig.sim.fill(exchange_id)
    rig.daemon.kill()
    with contextlib.closing(sqlite3.connect(rig.daemon.journal_file)) as journal, journal:
        # In doubt for longer than a transaction lives.
        journal.execute("update orders set state = 4, updated_at = '2026-01-01T00:00:00.000000Z'")
    form = {**told(rig, "/accounts/order/" + exchange_id), "order_execution_records": None}
    unknown = {"match": {"path": ORDER}, "answer": {"status": 400, "code": 4200}}
    rig.sim.faults(says(ORDER, form, times=1), unknown, nothing_open(rig))
    rig.daemon.start()
    rig.daemon.ready()
    wait_for(lambda: len(rig.sim.log(ORDER)) > 3, 30)  # asked less and less often
    rig.sim.clear_faults()
    wait_for(lambda: app.get("/v1/orders").json["data"][0]["state"] == "filled", 30)
    check_against_exchange(rig)


def test_a_status_we_do_not_know_does_not_keep_new_orders_out(rig, app):
    rig.sim.faults({"match": {"path": SUBMIT}, "times": 1, "stall": "after"}, SILENCE)
    app.order(client_order_id="odd-1", headers={"Prefer": "respond-async"})
    exchange_id = submitting(rig)
    wait_for(lambda: rig.sim.log(SUBMIT))
    rig.daemon.kill()
    form = told(rig, "/accounts/order/" + exchange_id)
    rig.sim.faults(says(ORDER, {**form, "status": "asleep"}))
    rig.daemon.start()
    rig.daemon.ready()
    assert app.get("/v1/orders/client:odd-1").json["state"] == "unknown"
    rig.sim.clear_faults()
    wait_for(lambda: app.get("/v1/orders/client:odd-1").json["state"] == "open", 20)
    check_against_exchange(rig)


def test_fills_that_come_after_the_end_are_booked(rig, app):
    order = app.order(price="0.5").json
    on_book(rig.sim, order)
    rig.sim.faults(SILENCE)
    rig.sim.fill(order["exchange_order_id"])
    form = told(rig, "/accounts/order/" + order["exchange_order_id"])
    trades = told(rig, TRADES + "?symbol=ADAUSDM&limit=10&page=1")
    rig.sim.faults(says(ORDER, {**form, "order_execution_records": None}), nothing_open(rig),
                   says(TRADES, {**trades, "data": [], "total_count": 0}))
    path = "/v1/orders/" + order["order_id"]
    # Missing for too long: the order ends without them, or it would never end.
    wait_for(lambda: app.get(path).json["state"] == "filled", 20)
    assert app.get(path).json["executed_base_qty"] == "0"
    rig.sim.clear_faults()
    wait_for(lambda: app.get(path).json["executed_base_qty"] == "100", 20)
    check_against_exchange(rig)
