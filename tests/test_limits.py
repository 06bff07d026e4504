"""The rate limit as the exchange sees it and as apps see it: rows S57 to S60 and S63."""
import threading
import time

import pytest

from facts import is_settled, most_in_window
from rig import wait_for

ASYNC = {"Prefer": "respond-async"}


def builds(rig):
    return sorted(e["mono_us"] for e in rig.sim.log("/order/build", "POST"))


def test_S57_a_burst_leaves_at_once_and_the_sixth_a_second_later(rig, app):
    app.order()  # warms the connection up
    wait_for(lambda: app.get("/v1/limits").json["available"] == 5)
    time.sleep(1.2)
    app.parallel([lambda: app.order(headers=ASYNC)] * 6)
    wait_for(lambda: is_settled(rig), 20)
    times = builds(rig)[1:]
    assert len(times) == 6
    assert times[4] - times[0] < 0.9e6
    assert 0.99e6 <= times[5] - times[0] < 1.6e6


@pytest.mark.seconds(120)
def test_S57_sustained_it_is_five_a_second_and_never_more(rig, app):
    app.parallel([lambda: app.order(headers=ASYNC)] * 50)
    wait_for(lambda: is_settled(rig), 60)
    times = builds(rig)
    assert len(times) == 50
    assert most_in_window(rig.sim.log("/order/build", "POST"), 0.99) <= 5
    # Nine full windows between the first and the last; jitter may cost some of the rate.
    assert (times[-1] - times[0]) / 1e6 < 9 * 1.35


def test_S58_the_sixth_order_waits_and_says_how_long(rig, app):
    answers = app.parallel([lambda: app.order(headers={"Prefer": "wait=20"})] * 6)
    assert {a.status for a in answers} == {201}
    waits = sorted(a.json["queued_ms"] for a in answers)
    assert waits[0] < 700
    assert waits[-1] > 700


def test_S58_an_order_that_would_wait_past_its_valid_until_is_refused_at_once(rig, app):
    for _ in range(30):
        app.order(headers=ASYNC)
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
    answer = app.order(valid_until=until)
    assert (answer.status, answer.code) == (429, "valid-until-passed"), answer


@pytest.mark.rig(rate_queue_max_per_token="3")
def test_S58_a_full_queue_is_429_with_a_hint_when_to_come_back(rig, app):
    answers = [app.order(headers=ASYNC) for _ in range(12)]
    refused = [a for a in answers if a.status == 429]
    assert refused and {a.code for a in refused} == {"queue-full"}
    assert all(int(a.headers["Retry-After"]) >= 1 for a in refused)
    # Another app has a queue of its own.
    assert rig.app().order(headers=ASYNC).status == 202


def test_S59_limits_tell_capacity_available_refill_and_utilization(rig, app):
    limits = app.get("/v1/limits").json
    assert (limits["capacity"], limits["available"], limits["refill_per_s"]) == (5, 5, 5)
    assert limits["utilization"] == 0
    app.parallel([lambda: app.order(headers=ASYNC)] * 4)
    limits = app.get("/v1/limits").json
    used = (limits["capacity"] - limits["available"]) / limits["capacity"]
    assert abs(limits["utilization"] - used) < 0.002
    assert limits["utilization"] > 0


def test_S60_one_warning_per_crossing_of_80_per_cent(rig, app):
    app.order()
    time.sleep(1.2)
    assert rig.daemon.events("limits.high") == []
    app.parallel([lambda: app.order(headers=ASYNC)] * 5)
    wait_for(lambda: rig.daemon.events("limits.high"))
    wait_for(lambda: app.get("/v1/limits").json["available"] == 5)
    assert len(rig.daemon.events("limits.high")) == 1
    assert rig.daemon.events("limits.high")[0]["level"] == "warn"
    app.parallel([lambda: app.order(headers=ASYNC)] * 5)
    wait_for(lambda: len(rig.daemon.events("limits.high")) == 2)


@pytest.mark.rig(requests_per_second="100")
def test_S63_a_flood_from_one_token_is_429_and_others_are_not_touched(rig):
    flood, quiet = rig.app(), rig.app()
    is_over, statuses, answers = threading.Event(), [], []

    def pour():
        while not is_over.is_set():
            answer = flood.get("/v1/limits")
            statuses.append(answer.status)
            if answer.status == 429:
                answers.append(answer)

    threads = [threading.Thread(target=pour) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        mine = []
        while len(answers) < 50 or len(mine) < 40:
            mine.append(quiet.get("/v1/limits").status)
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    assert set(mine) == {200}
    assert set(statuses) == {200, 429}
    assert answers[0].code == "too-many-requests"
    assert int(answers[0].headers["Retry-After"]) >= 1


@pytest.mark.seconds(120)
def test_a_flooding_app_delays_nobody_beyond_its_share(rig):
    flood, quiet = rig.app(), rig.app()
    for _ in range(40):
        assert flood.order(headers=ASYNC).status == 202
    answers = [quiet.order(headers={"Prefer": "wait=30"}) for _ in range(3)]
    assert {a.status for a in answers} == {201}
    assert flood.get("/v1/limits").json["queued_own"] > 15, "the quiet app waited behind the flood"


def test_a_4290_pauses_everything_and_then_goes_on(rig, app):
    rig.sim.faults({"match": {"path": "/order/build"}, "times": 1, "when": "before",
                    "answer": {"status": 429, "code": 4290}})
    answer = app.order(headers={"Prefer": "wait=20"})
    assert answer.status == 201, answer
    times = builds(rig)
    assert len(times) == 2
    assert times[1] - times[0] >= 0.9e6
    assert len(rig.daemon.events("limits.paused")) == 1
