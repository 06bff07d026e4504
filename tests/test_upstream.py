"""The exchange's streams as the daemon follows them: S41, S46, S49, S55, and what is missed."""
import contextlib
import json
import time

from facts import SILENCE, check_against_exchange, on_book, own_orders
from rig import Daemon, wait_for


def stream(rig, name="account"):
    return rig.daemon.admin.get("/v1/health").json["streams"][name]


def is_live(rig, name="account"):
    return stream(rig, name)["state"] == "live"


def names(rig):
    return sorted(one["stream"] for one in rig.sim.sockets())


def control(rig, name, verb):
    answer = rig.daemon.admin.post(f"/v1/admin/streams/{name}/{verb}")
    assert answer.status == 200, answer
    return answer.json["streams"]


@contextlib.contextmanager
def second_daemon(rig):
    """Another one with the same account and a journal of its own."""
    daemon = Daemon(rig)
    daemon.folder = rig.folder / "second"
    daemon.folder.mkdir()
    daemon.out_file, daemon.log_file = daemon.folder / "out", daemon.folder / "log"
    daemon.data_dir = daemon.folder / "data"
    daemon.journal_file = daemon.data_dir / "journal.db"
    try:
        daemon.start().ready()
        wait_for(lambda: daemon.admin.get("/v1/health").json["streams"]["account"]["state"]
                 == "live")
        yield daemon
        daemon.stop()
    finally:
        if daemon.is_running():
            daemon.kill()


def test_S41_start_opens_exactly_one_account_socket(rig):
    wait_for(lambda: names(rig) == ["account"], 2)
    wait_for(lambda: is_live(rig))
    time.sleep(1)
    assert len(rig.sim.sockets("account")) == 1
    assert stream(rig)["reconnects"] == 0


def test_S49_stop_is_final_until_a_start(make_rig):
    rig = make_rig(stream_retry_min_ms="50", stream_retry_max_ms="100").start()
    wait_for(lambda: is_live(rig))
    told = control(rig, "account", "stop")["account"]
    assert (told["state"], told["connected"], told["is_stopped"]) == ("stopped", False, True)
    wait_for(lambda: names(rig) == [])
    assert not rig.daemon.admin.get("/v1/health").json["websocket"]
    time.sleep(3)  # thirty times as long as a retry would wait
    assert names(rig) == []
    control(rig, "account", "start")
    wait_for(lambda: is_live(rig))


def test_S49_a_stopped_market_opens_for_nobody(rig, app):
    control(rig, "depth:ADAUSDM", "stop")
    assert app.get("/v1/markets/ADAUSDM/depth").status == 503
    assert names(rig) == ["account"]
    control(rig, "all", "stop")
    wait_for(lambda: names(rig) == [])
    assert app.get("/v1/markets/ADAUSDM/trades").status == 503
    control(rig, "all", "start")
    assert app.get("/v1/markets/ADAUSDM/depth").status == 200
    wait_for(lambda: names(rig) == ["account", "depth:ADAUSDM"])
    answer = rig.daemon.admin.post("/v1/admin/streams/depth:NOPE/stop")
    assert (answer.status, answer.code) == (404, "not-found")
    assert app.post("/v1/admin/streams/account/stop").status == 403


def test_a_fill_is_known_from_the_stream_at_once(make_rig):
    rig = make_rig(account_poll_ms="600000").start()
    wait_for(lambda: is_live(rig))
    app = rig.app()
    order = app.order().json
    on_book(rig.sim, order)
    time.sleep(1)  # past the one question about every fresh order
    rig.sim.fill(order["exchange_order_id"], 40)
    path = "/v1/orders/" + order["order_id"]
    wait_for(lambda: app.get(path).json["executed_base_qty"] == "40", 2)
    assert app.get(path).json["state"] == "partially_filled"
    rig.sim.fill(order["exchange_order_id"])
    wait_for(lambda: app.get(path).json["state"] == "filled", 2)
    check_against_exchange(rig)


def test_S46_doubled_and_late_messages_book_nothing_twice(make_rig):
    rig = make_rig(account_poll_ms="600000").start()
    wait_for(lambda: is_live(rig))
    rig.sim.faults({"match": {"stream": "account"}, "double": True, "probability": 0.5},
                   {"match": {"stream": "account"}, "late": 2, "probability": 0.3})
    app = rig.app()
    for _ in range(8):
        order = app.order().json
        on_book(rig.sim, order)
        rig.sim.fill(order["exchange_order_id"], 30)
        rig.sim.fill(order["exchange_order_id"])
    ids = [o["id"] for o in own_orders(rig.sim)]
    wait_for(lambda: all(app.get(f"/v1/orders/exch:{one}").json["state"] == "filled"
                         for one in ids))
    check_against_exchange(rig)


def test_S55_what_happened_while_the_stream_was_away_is_asked_for(make_rig):
    rig = make_rig(account_poll_ms="600000", stream_retry_min_ms="50").start()
    wait_for(lambda: is_live(rig))
    app = rig.app()
    orders = [app.order().json for _ in range(4)]
    for order in orders:
        on_book(rig.sim, order)
    for count, order in enumerate(orders, 1):
        rig.sim.faults({"match": {"stream": "account"}, "at": "handshake",
                        "answer": {"status": 503}})
        rig.sim.drop("account")
        wait_for(lambda: not is_live(rig))
        rig.sim.fill(order["exchange_order_id"])
        rig.sim.clear_faults()
        wait_for(lambda: is_live(rig), 40)
        assert stream(rig)["reconnects"] == count
        # Live means that nothing is missing.
        filled = app.get("/v1/orders/" + order["order_id"]).json
        assert filled["state"] == "filled", filled
    check_against_exchange(rig)


def test_fills_after_the_end_and_across_a_restart_are_booked(make_rig):
    rig = make_rig().start()
    wait_for(lambda: is_live(rig))
    app = rig.app()
    order = app.order().json
    on_book(rig.sim, order)
    rig.daemon.kill()
    rig.sim.fill(order["exchange_order_id"], 25)
    rig.daemon.start()
    wait_for(lambda: is_live(rig))
    rows = rig.daemon.journal("select base_qty from v_fills")
    assert [row["base_qty"] for row in rows] == ["25"]
    check_against_exchange(rig)


def test_a_fill_of_an_order_that_ended_before_the_restart_is_booked(make_rig):
    rig = make_rig(account_poll_ms="300").start()
    wait_for(lambda: is_live(rig))
    app = rig.app()
    order = app.order().json
    form = on_book(rig.sim, order)
    exchange_id = order["exchange_order_id"]
    # The exchange calls it cancelled, and is wrong.
    told = {key: form[key] for key in form if key not in ("account", "market_maker")}
    rig.sim.faults(SILENCE, {
        "match": {"path": "/accounts/order/*"},
        "answer": {"status": 200, "body": json.dumps({**told, "status": "cancelled"})}}, {
        "match": {"path": "/accounts/open-orders"},
        "answer": {"status": 200, "body": '{"data":[],"total_count":0,"total_page":0}'}})
    path = "/v1/orders/" + order["order_id"]
    wait_for(lambda: app.get(path).json["state"] == "cancelled")
    rig.daemon.kill()
    rig.sim.clear_faults()
    rig.sim.fill(exchange_id, 40)
    rig.daemon.start()
    wait_for(lambda: is_live(rig))
    ended = app.get(path).json
    assert (ended["state"], ended["executed_base_qty"]) == ("cancelled", "40"), ended
    assert [fill["base_qty"] for fill in ended["fills"]] == ["40"]
    rig.sim.fill(exchange_id, 10)
    wait_for(lambda: app.get(path).json["executed_base_qty"] == "50")
    rig.sim.drop("account")
    wait_for(lambda: stream(rig)["reconnects"] == 1 and is_live(rig))
    assert len(rig.daemon.journal("select * from v_fills")) == 2


def test_executions_of_a_foreign_order_are_kept_without_one(make_rig):
    rig = make_rig().start()
    wait_for(lambda: is_live(rig))
    with second_daemon(rig) as other:
        order = other.app().order().json
        on_book(rig.sim, order)
        rig.sim.fill(order["exchange_order_id"])

    def is_kept():
        return rig.daemon.journal("select order_id, exchange_order_id, side, base_qty from v_fills")

    kept = wait_for(is_kept)
    assert kept == [{"order_id": None, "exchange_order_id": order["exchange_order_id"],
                     "side": "buy", "base_qty": "100"}]
    assert not rig.daemon.journal("select * from v_orders")


def test_what_was_traded_before_the_journal_began_stays_out_of_it(make_rig):
    rig = make_rig().start()
    app = rig.app()
    order = app.order().json
    on_book(rig.sim, order)
    rig.sim.fill(order["exchange_order_id"])
    wait_for(lambda: app.get("/v1/orders/" + order["order_id"]).json["state"] == "filled")
    with second_daemon(rig) as fresh:
        assert fresh.journal("select * from v_fills") == []
