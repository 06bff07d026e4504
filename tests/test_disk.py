"""The journal's disk in trouble: full, read-only, broken, damaged. New orders are refused with the
reason, live ones are followed, and nothing is acknowledged that is not durable."""
import concurrent.futures
import sqlite3

import pytest

import rig as rigs
from disk import LIBRARY, Disk
from facts import check_against_exchange, on_book, own_orders
from rig import wait_for
from stream_app import Stream

pytestmark = pytest.mark.skipif(rigs.SLOWNESS > 1, reason="sanitizers want to be loaded first")

ENOUGH = 60  # orders: more than the room that is held for the first ones lets in


@pytest.fixture
def disk(make_rig):
    """With a rig whose daemon runs, and an app."""
    assert LIBRARY.exists(), "make build/crash/disk.so"
    rig = make_rig(requests_per_second="0", max_orders_per_second="200", account_poll_ms="300",
                   reconcile_interval_ms="1000")
    rig.sim.options += ["--rate-orders", "0"]
    one = Disk(rig)
    one.rig = rig.start()
    one.app = rig.app()
    return one


def health(rig):
    return rig.daemon.admin.get("/v1/health").json


def place(disk, count, **fields):
    """Resting orders, on the book."""
    answers = [disk.app.order(**fields) for _ in range(count)]
    assert {a.status for a in answers} == {201}, answers
    return [on_book(disk.rig.sim, a.json) and a.json for a in answers]


def place_until_refused(disk):
    """What was taken until the first refusal, and that."""
    taken = []
    for _ in range(ENOUGH):
        answer = disk.app.order()
        if answer.status != 201:
            return taken, answer
        taken.append(answer.json)
    raise AssertionError(f"{ENOUGH} orders were taken on a disk in trouble")


def check_refusal(disk, answer, reason):
    assert (answer.status, answer.code) == (503, "journal-unavailable"), answer
    assert reason in answer.json["detail"], answer
    told = wait_for(lambda: not (h := health(disk.rig))["journal"]["takes_orders"] and h)
    assert reason in told["journal"]["reason"] and "journal-unavailable" in told["reasons"]
    assert disk.rig.daemon.admin.get("/readyz").status == 503
    return told


def order_of(disk, order):
    return disk.app.get(f"/v1/orders/{order['order_id']}").json


def executed(disk, order):
    return float(order_of(disk, order)["executed_base_qty"])


def durable_fills(disk):
    return disk.rig.daemon.journal("select count(*) as n from v_fills")[0]["n"]


def takes_orders_again(disk):
    """By itself; and everything is as the exchange has it."""
    disk.rig.daemon.ready()
    assert wait_for(lambda: health(disk.rig)["status"] == "ok")
    assert health(disk.rig)["journal"]["reason"] is None
    place(disk, 1)
    wait_for(lambda: check_against_exchange(disk.rig) is None, 20)


# ---- full -----------------------------------------------------------------------------------

def test_on_a_full_disk_what_was_accepted_is_written_to_its_end(disk):
    orders = place(disk, 3)
    disk.fill()
    more, refused = place_until_refused(disk)
    told = check_refusal(disk, refused, "No space left on device")
    assert told["journal"]["writable"] and told["status"] == "degraded"
    on_book(disk.rig.sim, orders[0])
    for order in orders + more[:5]:
        on_book(disk.rig.sim, order)
        disk.rig.sim.fill(order["exchange_order_id"], 40)
    for order in orders + more[:5]:
        wait_for(lambda: executed(disk, order) == 40)
        assert disk.app.delete(f"/v1/orders/{order['order_id']}").json["state"] == "cancelled"
    assert durable_fills(disk) == len(orders) + len(more[:5])
    assert disk.refusals > 0
    disk.rig.daemon.kill()
    check_against_exchange(disk.rig)


def test_a_full_disk_can_be_lived_on(disk):
    """The log is copied and begins anew; what others give back, others take."""
    orders = place(disk, 4)
    disk.fill()
    place_until_refused(disk)
    log = disk.rig.daemon.journal_file.with_name("journal.db-wal")
    for count in range(1, 13):
        for order in orders:
            disk.rig.sim.fill(order["exchange_order_id"], 1)
        wait_for(lambda: {executed(disk, order) for order in orders} == {count})
    assert durable_fills(disk) == 4 * 12
    assert log.stat().st_size < 8 << 20
    assert health(disk.rig)["journal"]["writable"]
    disk.heal()
    takes_orders_again(disk)


def test_killed_and_started_on_a_full_disk_it_follows_its_orders(disk):
    orders = place(disk, 3)
    disk.fill(is_greedy=False)
    place_until_refused(disk)
    disk.rig.daemon.kill()
    for order in orders:
        disk.rig.sim.fill(order["exchange_order_id"], 30)
    disk.rig.daemon.start()
    wait_for(lambda: {executed(disk, order) for order in orders} == {30})
    wait_for(lambda: health(disk.rig)["operation_key"])
    check_refusal(disk, place_until_refused(disk)[1], "No space left on device")
    disk.rig.daemon.kill()
    check_against_exchange(disk.rig)
    disk.heal()
    disk.rig.daemon.start()
    takes_orders_again(disk)


def test_no_order_is_taken_that_has_no_room_for_its_end(disk):
    """A crowd at once, on a full disk: who is in is carried through, signing included."""
    place(disk, 2)
    disk.fill()
    answers = disk.app.parallel(
        lambda: disk.app.order(headers={"Prefer": "respond-async"}) for _ in range(ENOUGH))
    assert {a.status for a in answers} <= {202, 503}
    orders = [a.json for a in answers if a.status == 202]
    place_until_refused(disk)
    for order in orders:
        wait_for(lambda: order_of(disk, order)["state"] == "open")
    for order in orders[:10]:
        disk.rig.sim.fill(on_book(disk.rig.sim, order_of(disk, order))["id"])
    for order in orders[:10]:
        wait_for(lambda: order_of(disk, order)["state"] == "filled")
    assert health(disk.rig)["journal"]["writable"]
    disk.rig.daemon.kill()
    check_against_exchange(disk.rig)


def test_stopped_with_live_orders_it_keeps_their_room(disk):
    orders = place(disk, 3)
    disk.rig.daemon.stop()
    disk.fill(is_greedy=False)
    for order in orders:
        disk.rig.sim.fill(order["exchange_order_id"])
    disk.rig.daemon.start()
    wait_for(lambda: {order_of(disk, order)["state"] for order in orders} == {"filled"})
    disk.rig.daemon.kill()
    check_against_exchange(disk.rig)
    disk.heal()
    disk.rig.daemon.start()
    takes_orders_again(disk)
    disk.rig.daemon.stop()


def test_where_nothing_can_be_held_outcomes_wait_for_room(make_rig):
    rig = make_rig(account_poll_ms="300")
    disk = Disk(rig)
    disk.without_allocation()
    disk.rig, disk.app = rig.start(), rig.app()
    assert rig.daemon.events("journal.room_not_held")
    orders = place(disk, 2)
    disk.fill()
    for order in orders:
        rig.sim.fill(order["exchange_order_id"])
    taken, refused = place_until_refused(disk)
    assert not check_refusal(disk, refused, "full")["journal"]["writable"]
    disk.without_allocation()
    for order in orders:
        wait_for(lambda: order_of(disk, order)["state"] == "filled")
    takes_orders_again(disk)


def test_when_even_the_room_is_used_up_outcomes_wait_and_are_told_later(disk):
    orders = place(disk, 2)
    disk.fill()
    disk.set(is_full=1, write_errno=28)
    for order in orders:
        disk.rig.sim.fill(order["exchange_order_id"])
    told = check_refusal(disk, disk.app.order(), "full")
    assert not told["journal"]["writable"] and told["status"] == "down"
    assert {order_of(disk, order)["state"] for order in orders} == {"open"}
    disk.fill()
    wait_for(lambda: {order_of(disk, order)["state"] for order in orders} == {"filled"})
    disk.heal()
    takes_orders_again(disk)


def test_a_new_journal_on_a_full_disk_is_refused(make_rig):
    rig = make_rig()
    rig.sim.start()
    rig.daemon.data_dir.mkdir()
    Disk(rig).fill()
    rig.daemon.launch()
    assert rig.daemon.wait() == 1
    assert "full" in rig.daemon.log_text() or "No space left" in rig.daemon.log_text()


# ---- read-only and broken --------------------------------------------------------------------

TROUBLES = {
    "read-only": (Disk.make_read_only, "Read-only file system"),
    "writes fail": (Disk.break_writes, "Input/output error"),
    "syncs fail": (Disk.break_syncs, "Input/output error"),
}


@pytest.mark.parametrize("is_killed", [True, False], ids=["killed", "healed"])
@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_disk_that_refuses_acknowledges_nothing_and_loses_nothing(disk, trouble, is_killed):
    begin, reason = TROUBLES[trouble]
    orders = place(disk, 3)
    told_fills = Stream(disk.rig.daemon, disk.app.token).subscribe_all("fills")
    begin(disk)
    refused = [disk.app.order(client_order_id=f"refused-{n}") for n in range(3)]
    told = [check_refusal(disk, answer, reason) for answer in refused][0]
    assert not told["journal"]["writable"] and told["status"] == "down"
    for order in orders:
        disk.rig.sim.fill(order["exchange_order_id"], 25)
    wait_for(lambda: len(disk.rig.daemon.events("order.filled")) == 3)
    told_fills.read_for(0.3)
    assert told_fills.of("fills") == [], "told before it is durable"
    assert [executed(disk, order) for order in orders] == [0, 0, 0]
    assert disk.app.get("/v1/fills").json["data"] == []
    if is_killed:
        disk.rig.daemon.kill()
    disk.heal()
    if is_killed:
        disk.rig.daemon.start()
    else:
        for order in orders:
            told_fills.event("fills", lambda fill, o=order: fill["order_id"] == o["order_id"])
    wait_for(lambda: [executed(disk, order) for order in orders] == [25, 25, 25])
    takes_orders_again(disk)
    assert len(own_orders(disk.rig.sim)) == 4, "a refused order reached the exchange"
    assert disk.app.get("/v1/orders/client:refused-0").status == 404


def test_an_answer_says_what_is_durable(disk):
    disk.rig.sim.faults({"match": {"path": "/order/submit"}, "delay_ms": 1000, "times": 1})
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asking = pool.submit(disk.app.order, client_order_id="slow", headers={"Prefer": "wait=2"})
        wait_for(lambda: disk.rig.sim.log("/order/submit"))
        disk.break_writes()
        answer = asking.result()
    wait_for(lambda: disk.rig.daemon.events("order.submitted"))
    assert (answer.status, answer.json["state"]) == (202, "submitting"), answer
    assert order_of(disk, answer.json)["state"] == "submitting"
    answer = disk.app.delete("/v1/orders/client:slow", headers={"Prefer": "respond-async"})
    assert (answer.status, answer.json["state"]) == (202, "submitting"), answer
    disk.rig.daemon.kill()
    disk.heal()
    disk.rig.daemon.start()
    wait_for(lambda: order_of(disk, answer.json)["state"] == "cancelled")
    takes_orders_again(disk)


def test_a_log_that_cannot_be_copied_is_a_reason_to_stop(disk):
    orders = place(disk, 1)
    disk.break_writes(only="journal.db")
    taken, refused = place_until_refused(disk)
    told = check_refusal(disk, refused, "Input/output error")
    assert told["journal"]["writable"]
    disk.rig.sim.fill(orders[0]["exchange_order_id"])
    wait_for(lambda: order_of(disk, orders[0])["state"] == "filled")
    disk.rig.daemon.kill()
    check_against_exchange(disk.rig)
    disk.heal()
    disk.rig.daemon.start()
    takes_orders_again(disk)
    assert len(taken) > 5


def test_a_read_only_disk_at_the_start_is_named(disk):
    disk.rig.daemon.stop()
    disk.make_read_only()
    disk.rig.daemon.launch()
    assert disk.rig.daemon.wait() == 1
    assert "Read-only file system" in disk.rig.daemon.log_text()
    disk.heal()
    disk.rig.daemon.start()
    takes_orders_again(disk)


# ---- damaged ---------------------------------------------------------------------------------

def damage(rig, table):
    """The table's first page is not what it was; the log has nothing of it."""
    with sqlite3.connect(rig.daemon.journal_file) as shell:
        shell.execute("pragma wal_checkpoint(truncate)").fetchall()
        page, = shell.execute("select rootpage from sqlite_schema where name = ?",
                              (table,)).fetchone()
    shell.close()
    with open(rig.daemon.journal_file, "r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xa5" * 4096)


def test_a_damaged_page_at_the_start_is_named(disk):
    place(disk, 1)
    disk.rig.daemon.stop()
    damage(disk.rig, "fills")
    disk.rig.daemon.launch()
    assert disk.rig.daemon.wait() == 1
    assert "the database is damaged" in disk.rig.daemon.log_text()


def test_a_page_that_is_damaged_while_it_runs_stops_new_orders_for_good(disk):
    orders = place(disk, 2)
    damage(disk.rig, "order_submissions")
    with sqlite3.connect(disk.rig.daemon.journal_file) as shell:  # what was read is forgotten
        shell.execute("insert into settings values ('x', '', '2026-01-01T00:00:00.000000Z')")
    shell.close()
    answer = disk.app.order()
    assert answer.status != 201
    check_refusal(disk, disk.app.order(), "damaged")
    for order in orders:
        disk.rig.sim.fill(order["exchange_order_id"])
        wait_for(lambda: order_of(disk, order)["state"] == "filled")
    assert health(disk.rig)["journal"]["writable"]
    check_refusal(disk, disk.app.order(), "damaged")


# ---- whose it is -----------------------------------------------------------------------------

def test_a_journal_of_a_newer_version_is_refused_and_not_touched(disk):
    place(disk, 1)
    disk.rig.daemon.stop()
    with sqlite3.connect(disk.rig.daemon.journal_file) as shell:
        shell.execute("insert into schema_migrations values (99, '0099_later', 'x', 'y')")
    shell.close()
    before = disk.rig.daemon.journal_file.read_bytes()
    disk.rig.daemon.launch()
    assert disk.rig.daemon.wait() == 1
    assert "the journal is newer than this program: it has migration 0099_later" in \
        disk.rig.daemon.log_text()
    assert disk.rig.daemon.journal_file.read_bytes() == before


def test_a_second_daemon_is_refused_by_whatever_path_it_comes(disk, make_rig):
    second = make_rig(socket=str(disk.rig.folder / "second.sock"))
    second.daemon.data_dir.symlink_to(disk.rig.daemon.data_dir)
    second.sim.hello = disk.rig.sim.hello
    second.daemon.launch()
    assert second.daemon.wait() == 1
    assert "one daemon per journal" in second.daemon.log_text()
    assert f"process {disk.rig.daemon.process.pid}:" in second.daemon.log_text()
    second.daemon.data_dir.unlink()
    second.sim.hello = None
    place(disk, 1)
