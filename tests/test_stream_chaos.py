"""Many subscribers of all kinds, many orders, an exchange whose streams lie and break, and a daemon
that is killed again and again: afterwards everybody was told everything, once, in one order.

Short as part of the suite; the whole of it with --full, as `make chaos` runs it. What is random
comes from --seed, which is printed."""
import collections
import random
import time

import pytest

from chaos import (
    Chaos, Plan, check_histories, check_told, faults, keep_evidence, make_options, start)
from facts import own_orders
from judge import files_of
from rig import wait_for
from subscribers import History

SHORT = Plan(orders=80, kills=4, fast=6, slow=2, stopping=2, flapping=4, events=2,
             flapping_events=2, tails=2, intruders=4)
FULL = Plan(orders=1000, kills=30, fast=12, slow=5, stopping=5, flapping=8, events=4,
            flapping_events=4, tails=4, intruders=8)


def connections_to(daemon):
    """Those that the daemon's end of is not closed, as the kernel knows them."""
    port, listening, over = "%04X" % daemon.address[1], "0A", "06"
    lines = [line.split() for line in open("/proc/net/tcp").read().splitlines()[1:]]
    return [line for line in lines if line[1].endswith(":" + port)
            and line[3] not in (listening, over)]


def report(chaos, seed, seconds, orders, fills):
    everybody = (*chaos.subscribers, *chaos.tails)
    ends = sum((collections.Counter(one.ends) for one in chaos.subscribers), collections.Counter())
    told = {
        "seed": seed, "seconds": round(seconds),
        "subscribers": len(everybody) + len(chaos.intruders),
        "orders": len(orders), "placed": chaos.placed, "executions": len(fills),
        "events": chaos.rig.daemon.journal("select count(*) as n from channel_events")[0]["n"],
        "messages": sum(len(one.texts(channel)) for one in everybody for channel in one.channels),
        "kills": chaos.kills, "faults": chaos.hits,
        "reconnects": sum(one.history.connections - 1 for one in chaos.subscribers),
        "ends": dict(sorted(ends.items())),
        "tricks": sum(sum(one.count.values()) for one in chaos.intruders),
        "gaps": sum(one.history.gaps for one in everybody),
        "doubles": sum(one.history.doubles for one in everybody),
    }
    print("\nchaos: " + ", ".join(f"{name} {value}" for name, value in told.items()), flush=True)


@pytest.mark.seconds(900)
def test_whatever_breaks_every_subscriber_is_told_everything_once(make_rig, request):
    plan = FULL if request.config.getoption("--full") else SHORT
    seed = request.config.getoption("--seed") or random.randrange(1 << 32)
    print(f"\nchaos: seed {seed}", flush=True)
    rig = start(make_rig(**make_options()))
    chaos, begun = Chaos(rig, plan, seed), time.monotonic()
    files = files_of(rig.daemon.process.pid)
    try:
        chaos.gather()
        rig.sim.faults(*faults(chaos.chance))
        chaos.begin_trade()
        chaos.kill_at_random()
        chaos.end_trade()
        chaos.all_are_even()
        chaos.leave()
        check_histories(chaos)
        orders, fills = check_told(chaos)
        wait_for(lambda: not connections_to(rig.daemon), 20, "everybody is gone")
        wait_for(lambda: files_of(rig.daemon.process.pid) <= files + 12, 20, "files are closed")
        report(chaos, seed, time.monotonic() - begun, orders, fills)
        assert chaos.placed >= plan.orders and chaos.kills >= plan.kills
        assert len(own_orders(rig.sim)) >= plan.orders
    except BaseException:
        keep_evidence(chaos, seed)
        raise
    finally:
        for tail in chaos.tails:
            tail.remove()


def test_a_hole_a_double_and_a_second_beginning_are_counted():
    """The judge itself: what it lets pass is worth something."""
    def history(*events):
        one = History(("orders",))
        one.add(b"", {"op": "snapshot", "ch": "orders", "seq": 5})
        for prev, seq in events:
            one.add(b"", {"op": "event", "ch": "orders", "seq": seq, "prev": prev})
        return one

    assert (history((5, 7), (7, 8)).gaps, history((5, 7), (7, 8)).doubles) == (0, 0)
    assert history((6, 7)).gaps == 1
    assert history((5, 7), (5, 7)).doubles == 1
    again = history((5, 7))
    again.add(b"", {"op": "snapshot", "ch": "orders", "seq": 9})
    assert again.gaps == 1
