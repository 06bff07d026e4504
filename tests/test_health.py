"""Health: rows S56, S61 and S62."""
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


NO_STREAMS = {"match": {"stream": "*"}, "at": "handshake", "answer": {"status": 503}}
REFUSED_KEY = {"match": {"path": "/*"}, "when": "before", "answer": {"status": 401, "code": 4010}}
GATEWAY = {"match": {"path": "/*"}, "when": "before", "answer": {"status": 403, "body": ""}}


def make(make_rig, has_key, has_streams=True):
    """Healthy, but for what is not meant to be there."""
    rig = make_rig(account_probe_ms="500")
    rig.daemon.has_password = has_key
    rig.sim.start()
    if not has_streams:
        rig.sim.faults(NO_STREAMS)
    rig.daemon.start()
    becomes(rig, True, has_streams, True, has_key)
    return rig


@pytest.mark.parametrize("has_key", [True, False])
@pytest.mark.parametrize("has_streams", [True, False])
@pytest.mark.parametrize("fault, rest_api, authenticated", [
    (None, True, True), (REFUSED_KEY, True, False), (GATEWAY, False, False)])
def test_S61_each_combination_that_can_be(make_rig, fault, rest_api, authenticated, has_streams,
                                          has_key):
    rig = make(make_rig, has_key, has_streams)
    if fault:
        rig.sim.faults(fault)
    becomes(rig, rest_api, has_streams, authenticated, has_key)
    assert bool(rig.daemon.events("exchange.key_refused")) == (fault is REFUSED_KEY)
    is_whole = (rest_api, has_streams, authenticated, has_key) == (True,) * 4
    expected = "ok" if is_whole else "degraded" if rest_api else "down"
    assert health(rig)["status"] == expected


@pytest.mark.parametrize("has_key", [True, False])
def test_S61_not_reachable(make_rig, has_key):
    rig = make(make_rig, has_key)
    rig.sim.stop()
    becomes(rig, False, False, False, has_key)
    rig.sim.start()
    becomes(rig, True, True, True, has_key)


@pytest.mark.parametrize("answer", [
    {"status": 403, "body": ""},
    {"status": 503, "body": "upstream connect error", "content_type": "text/plain"}])
def test_S61_a_gateway_that_answers_for_it_is_not_the_exchange(make_rig, answer):
    rig = make(make_rig, True)
    rig.sim.faults({"match": {"path": "/*"}, "when": "before", "answer": answer})
    becomes(rig, False, True, False, True)
    assert not rig.daemon.events("exchange.key_refused")


def test_S56_each_stream_shows_how_it_is(make_rig):
    rig = make_rig(stream_symbols="ADAUSDM", market_maker=True).start()
    names = {"account", "depth:ADAUSDM", "price:ADAUSDM", "trades:ADAUSDM"}
    wait_for(lambda: {s["state"] for s in health(rig)["streams"].values()} <= {"live", "connected"})
    streams = health(rig)["streams"]
    assert set(streams) == names
    assert {s["stream"] for s in rig.sim.sockets()} == names
    depth = streams["depth:ADAUSDM"]
    assert depth["connected"] and depth["is_wanted"] and depth["last_message_age_ms"] >= 0, depth
    rig.sim.drop("depth:ADAUSDM")
    wait_for(lambda: health(rig)["streams"]["depth:ADAUSDM"]["reconnects"] == 1)
    wait_for(lambda: health(rig)["streams"]["depth:ADAUSDM"]["state"] == "live")


def test_S56_a_half_open_socket_is_not_alive(make_rig):
    rig = make_rig(stream_ping_ms="200", stream_pong_ms="300").start()
    wait_for(lambda: health(rig)["streams"]["account"]["state"] == "live")
    rig.sim.mute("account")
    wait_for(lambda: not health(rig)["websocket"])
    rig.sim.mute("account", False)
    wait_for(lambda: health(rig)["streams"]["account"]["state"] == "live")


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
    becomes(rig, True, True, True, True)


def test_readiness_tells_why_not(make_rig):
    rig = make_rig()
    rig.daemon.has_password = False
    rig.start()
    answer = rig.daemon.admin.get("/readyz")
    assert answer.status == 503
    assert any("key" in reason for reason in answer.json["reasons"]), answer
    assert rig.daemon.admin.get("/healthz").status == 200
