"""Health: rows S61 and S62, as far as there are no streams."""
import pytest

from rig import wait_for

WORDS = ("rest_api", "websocket", "authenticated", "operation_key")


def health(rig):
    answer = rig.daemon.admin.get("/v1/health")
    assert answer.status == 200
    return answer.json


def booleans(rig):
    told = health(rig)
    return tuple(told[word] for word in WORDS)


def becomes(rig, *expected):
    wait_for(lambda: booleans(rig) == expected, 20, f"health becomes {expected}")


def make(make_rig, has_key):
    rig = make_rig(account_probe_ms="500")
    rig.daemon.has_password = has_key
    return rig.start()


@pytest.mark.parametrize("has_key", [True, False])
def test_S61_reachable_and_authenticated(make_rig, has_key):
    rig = make(make_rig, has_key)
    becomes(rig, True, False, True, has_key)


@pytest.mark.parametrize("has_key", [True, False])
def test_S61_reachable_with_a_refused_key(make_rig, has_key):
    rig = make(make_rig, has_key)
    becomes(rig, True, False, True, has_key)
    rig.sim.faults({"match": {"path": "/*"}, "when": "before",
                    "answer": {"status": 401, "code": 4010}})
    becomes(rig, True, False, False, has_key)
    assert rig.daemon.events("exchange.key_refused")


@pytest.mark.parametrize("has_key", [True, False])
def test_S61_not_reachable(make_rig, has_key):
    rig = make(make_rig, has_key)
    becomes(rig, True, False, True, has_key)
    rig.sim.stop()
    becomes(rig, False, False, False, has_key)
    rig.sim.start()
    becomes(rig, True, False, True, has_key)


@pytest.mark.parametrize("answer", [
    {"status": 403, "body": ""},
    {"status": 503, "body": "upstream connect error", "content_type": "text/plain"}])
def test_S61_a_gateway_that_answers_for_it_is_not_the_exchange(make_rig, answer):
    rig = make(make_rig, True)
    becomes(rig, True, False, True, True)
    rig.sim.faults({"match": {"path": "/*"}, "when": "before", "answer": answer})
    becomes(rig, False, False, False, True)
    assert not rig.daemon.events("exchange.key_refused")


def test_S62_health_answers_at_once_while_the_exchange_is_gone(make_rig):
    rig = make_rig(account_probe_ms="500")
    rig.sim.start()
    rig.sim.stop()
    rig.daemon.start()
    assert booleans(rig) == (False, False, False, False)
    answers = [rig.daemon.admin.get("/v1/health") for _ in range(20)]
    assert {a.status for a in answers} == {200}
    # Memory answers it: no upstream call is waited for, which would take a connect's time.
    assert sorted(a.seconds for a in answers)[10] < 0.1
    assert health(rig)["status"] == "down"
    rig.sim.start()
    becomes(rig, True, False, True, True)


def test_readiness_tells_why_not(make_rig):
    rig = make_rig()
    rig.daemon.has_password = False
    rig.start()
    answer = rig.daemon.admin.get("/readyz")
    assert answer.status == 503
    assert any("key" in reason for reason in answer.json["reasons"]), answer
    assert rig.daemon.admin.get("/healthz").status == 200
