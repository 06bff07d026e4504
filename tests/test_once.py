"""An order is placed once or not at all, whatever happens to requests and answers."""
import pytest

from facts import (
    SILENCE, answer, check_against_exchange, drop, is_settled, live_on_exchange)
from rig import wait_for

SUBMIT, BUILD = "/order/submit", "/order/build"
QUICK = {"settle_resubmit_ms": "1500", "settle_give_up_ms": "10000"}
NONSENSE = "{\"id\": \"x\", \"status\": [[["
GATEWAY = "upstream connect error or disconnect/reset before headers"
LARGE = 10 * 1024 * 1024


def post(app, **fields):
    return app.order(headers={"Prefer": "wait=10"}, **fields)


def settle(rig, app, order_answer):
    """Waits for the order's fate; then the exchange and the journal must agree."""
    assert order_answer.status in (201, 202, 422, 502, 503), order_answer
    wait_for(lambda: is_settled(rig), 30, "everything is settled")
    orders = app.get("/v1/orders").json["data"]
    assert len(orders) == 1
    check_against_exchange(rig)
    live = live_on_exchange(rig.sim)
    assert len(live) <= 1, "two orders on the book for one"
    if orders[0]["state"] in ("rejected", "failed"):
        assert not live, "on the book, and the journal calls it " + orders[0]["state"]
    return orders[0]


# Faults of a submit that did place the order.
PLACED = {
    "answer-lost": drop("after", SUBMIT, times=1),
    "late": {"match": {"path": SUBMIT}, "times": 1, "delay_after_ms": 4000},
    "5000-placed": answer("after", SUBMIT, times=1, status=400, code=5000),
    "5001-placed": answer("after", SUBMIT, times=1, status=400, code=5001),
    "4302": answer("after", SUBMIT, times=1, status=400, code=4302),
    "4301-placed": answer("after", SUBMIT, times=1, status=400, code=4301),
    "4300-placed": answer("after", SUBMIT, times=1, status=400, code=4300),
    "5002-placed": answer("after", SUBMIT, times=1, status=400, code=5002),
    "403-empty-placed": answer("after", SUBMIT, times=1, status=403, body=""),
    "503-text-placed": answer("after", SUBMIT, times=1, status=503, body=GATEWAY,
                              content_type="text/plain"),
    "nonsense-placed": answer("after", SUBMIT, times=1, status=200, body=NONSENSE),
    "empty-200-placed": answer("after", SUBMIT, times=1, status=200, body="{}"),
    "cut-body": {"match": {"path": SUBMIT}, "times": 1, "cut": 20},
    "huge-body": {"match": {"path": SUBMIT}, "times": 1, "huge": LARGE},
    "acted-twice": {"match": {"path": SUBMIT}, "times": 1, "act_twice": True},
}
# Faults of a submit that did not place it; it may be placed later, once.
NOT_PLACED = {
    "request-lost": drop("before", SUBMIT, times=1),
    "5000-not-placed": answer("before", SUBMIT, times=1, status=400, code=5000),
    "5001-not-placed": answer("before", SUBMIT, times=1, status=400, code=5001),
    "4300": answer("before", SUBMIT, times=1, status=400, code=4300),
    "4301": answer("before", SUBMIT, times=1, status=400, code=4301),
    "4302-but-not": answer("before", SUBMIT, times=1, status=400, code=4302),
    "4290": answer("before", SUBMIT, times=1, status=429, code=4290),
    "5002": answer("before", SUBMIT, times=1, status=400, code=5002),
    "4200": answer("before", SUBMIT, times=1, status=400, code=4200),
    "4202": answer("before", SUBMIT, times=1, status=400, code=4202),
    "403-empty": answer("before", SUBMIT, times=1, status=403, body=""),
    "503-text": answer("before", SUBMIT, times=1, status=503, body=GATEWAY,
                       content_type="text/plain"),
    "nonsense": answer("before", SUBMIT, times=1, status=200, body=NONSENSE),
}
# A definite no: rejected, and never on the book.
REFUSED = {
    "4050": answer("before", SUBMIT, times=1, status=400, code=4050),
    "4104": answer("before", SUBMIT, times=1, status=400, code=4104),
    "4110": answer("before", SUBMIT, times=1, status=400, code=4110),
    "4407": answer("before", SUBMIT, times=1, status=400, code=4407),
    "4999": answer("before", SUBMIT, times=1, status=422, code=4999),
}
BUILDS = {
    "request-lost": drop("before", BUILD, times=1),
    "answer-lost": drop("after", BUILD, times=1),
    "5000": answer("before", BUILD, times=1, status=500, code=5000),
    "5000-built": answer("after", BUILD, times=1, status=400, code=5000),
    "4290": answer("before", BUILD, times=1, status=429, code=4290),
    "403-empty": answer("before", BUILD, times=1, status=403, body=""),
    "503-text": answer("before", BUILD, times=1, status=503, body=GATEWAY,
                       content_type="text/plain"),
    "nonsense": answer("after", BUILD, times=1, status=200, body=NONSENSE),
    "empty-ids": answer("after", BUILD, times=1, status=200, body='{"order_id":"","tx_hex":""}'),
    "cut-body": {"match": {"path": BUILD}, "times": 1, "cut": 60},
    "huge-body": {"match": {"path": BUILD}, "times": 1, "huge": LARGE},
    "acted-twice": {"match": {"path": BUILD}, "times": 1, "act_twice": True},
}


@pytest.mark.rig(**QUICK, timeout_ms="2000")
@pytest.mark.parametrize("fault", PLACED.values(), ids=PLACED.keys())
def test_a_placed_order_is_found_whatever_became_of_the_answer(rig, app, fault):
    rig.sim.faults(fault)
    order = settle(rig, app, post(app))
    assert order["state"] == "open", order
    assert len(live_on_exchange(rig.sim)) == 1


@pytest.mark.rig(**QUICK, timeout_ms="2000")
@pytest.mark.parametrize("fault", NOT_PLACED.values(), ids=NOT_PLACED.keys())
def test_an_order_that_was_not_placed_is_placed_once_or_called_failed(rig, app, fault):
    rig.sim.faults(fault)
    first = post(app)
    order = settle(rig, app, first)
    assert order["state"] in ("open", "failed"), order
    assert len(rig.sim.log(BUILD, "POST")) <= (2 if "4300" in str(fault) else 1)


@pytest.mark.parametrize("fault", REFUSED.values(), ids=REFUSED.keys())
def test_a_refused_submit_is_rejected_with_the_exchanges_words(rig, app, fault):
    rig.sim.faults(fault)
    first = post(app)
    assert (first.status, first.code) == (422, "exchange-refused")
    assert first.json["exchange"]["code"] == fault["answer"]["code"]
    assert settle(rig, app, first)["state"] == "rejected"


@pytest.mark.threads
@pytest.mark.rig(timeout_ms="2000")
@pytest.mark.parametrize("fault", BUILDS.values(), ids=BUILDS.keys())
def test_a_build_that_fails_is_tried_again_and_places_one_order(rig, app, fault):
    rig.sim.faults(fault)
    first = post(app)
    assert first.status == 201, first
    assert settle(rig, app, first)["state"] == "open"
    assert len(rig.sim.log(SUBMIT, "POST")) == 1


def test_a_lost_answer_is_unknown_to_the_app_and_says_how_to_go_on(rig, app):
    rig.sim.faults(drop("after", SUBMIT, times=1), SILENCE,
                   {"match": {"path": "/accounts/order/*"}, "drop": "before", "times": 3})
    first = post(app, client_order_id="lost-1")
    assert first.status == 202, first
    assert first.json["state"] == "unknown"
    assert first.headers["Location"] == "/v1/orders/" + first.json["order_id"]
    wait_for(lambda: app.get("/v1/orders/client:lost-1").json["state"] == "open", 20)


def test_a_lost_answer_is_no_doubt_where_the_stream_tells_what_became_of_it(rig, app):
    rig.sim.faults({"match": {"path": SUBMIT, "method": "POST"}, "stall": "after", "times": 1})
    first = post(app)
    assert (first.status, first.json["state"]) == (201, "open"), first
    assert len(rig.sim.log(SUBMIT, "POST")) == 1


def test_the_same_id_twice_is_one_order(rig, app):
    first = post(app, client_order_id="twice-1")
    second = post(app, client_order_id="twice-1")
    assert (first.status, second.status) == (201, 200)
    assert first.json["order_id"] == second.json["order_id"]
    assert len(rig.sim.orders()) == 1


@pytest.mark.threads
def test_the_same_id_in_parallel_is_one_order(rig, app):
    answers = app.parallel([lambda: post(app, client_order_id="many-1")] * 16)
    assert sorted({a.status for a in answers}) in ([200, 201], [200], [201])
    assert len({a.json["order_id"] for a in answers}) == 1
    assert len(rig.sim.orders()) == 1


def test_the_same_id_with_another_body_is_a_conflict(rig, app):
    assert post(app, client_order_id="same-1").status == 201
    other = post(app, client_order_id="same-1", price="0.46")
    assert (other.status, other.code) == (409, "client-order-id-conflict")
    # The same numbers in other clothes are the same order.
    assert post(app, client_order_id="same-1", price="0.4500").status == 200
    assert len(rig.sim.orders()) == 1


def test_the_same_id_of_another_app_is_another_order(rig, app):
    assert post(app, client_order_id="mine-1").status == 201
    assert post(rig.app(), client_order_id="mine-1").status == 201
    assert len(rig.sim.orders()) == 2


@pytest.mark.threads
def test_the_same_id_after_a_restart_is_one_order(rig, app):
    first = post(app, client_order_id="again-1")
    rig.daemon.restart()
    rig.daemon.ready()
    second = post(app, client_order_id="again-1")
    assert (first.status, second.status) == (201, 200)
    assert first.json["order_id"] == second.json["order_id"]
    assert post(app, client_order_id="again-1", price="0.3").status == 409
    assert len(rig.sim.orders()) == 1


@pytest.mark.rig(**QUICK, timeout_ms="2000")
def test_the_same_id_after_a_lost_answer_is_one_order(rig, app):
    rig.sim.faults({"match": {"path": SUBMIT}, "times": 1, "stall": True})
    first = post(app, client_order_id="lost-2")
    second = post(app, client_order_id="lost-2")
    assert first.json["order_id"] == second.json["order_id"]
    wait_for(lambda: is_settled(rig), 30)
    assert len(live_on_exchange(rig.sim)) <= 1
    check_against_exchange(rig)
