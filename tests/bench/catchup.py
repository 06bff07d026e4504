"""A reader that comes back a hundred thousand events behind, and what the others notice of it."""
import concurrent.futures
import json
import statistics
import subprocess
import time

from fanout import RATE, SYMBOL, Crowd, cores, running, stream_server
from measure import ms, pin

BEHIND = 100000
OTHERS = 100
ROUNDS, ROUND_S = 5, 3
STORM_S = 600  # more than all of it takes
ORDER_PAUSE_S = 0.05

# Copies of an event that really was, each with a number of its own.
FILL = """
INSERT INTO channel_events (seq, channel, type, token_id, symbol, at, data)
WITH RECURSIVE more (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more WHERE n < {count})
SELECT (SELECT max(seq) FROM channel_events) + n, channel, type, token_id, symbol, at, data
FROM more, (SELECT * FROM channel_events WHERE channel = 1 ORDER BY seq DESC LIMIT 1);
"""


def fill_journal(rig, count):
    subprocess.run(["sqlite3", rig.daemon.journal_file, FILL.format(count=count)], check=True)


def order_until(app, is_over):
    while not is_over:
        app.order()
        time.sleep(ORDER_PAUSE_S)


def first_position(rig):
    """The first event of the channel, and how many come after it."""
    [row] = rig.daemon.journal("SELECT min(seq) AS first, count(*) - 1 AS behind FROM "
                               "channel_events WHERE channel = 1")
    [epoch] = rig.daemon.journal("SELECT value FROM settings WHERE name = 'epoch'")
    return {"epoch": epoch["value"], "seq": row["first"]}, row["behind"]


def resume_until(is_over, reader, behind):
    """Seconds until all that was missed was there, for each time."""
    took = []
    while not is_over:
        took.append(reader.round(0, 0, behind, 256)["ns"] / 1e9)
    return took


def watch(rig, app, pool, after, behind):
    """Turns without and with somebody who catches up: what the others saw, and how long it took."""
    server_core, load_core = cores()
    pin(server_core, rig.daemon.process.pid)
    server, took, before, during = stream_server(rig), [], [], []
    # The reader gives way to the others, on their core: what they notice of it is the daemon's.
    with Crowd(server, load_core, channel=f"depth:{SYMBOL}", count=OTHERS,
               DELTAGATE_TOKEN=app.token) as others, \
            Crowd(server, load_core, channel="orders", count=1, gives_way=True,
                  DELTAGATE_TOKEN=app.token, CROWD_AFTER=json.dumps(after)) as reader:
        reader.round(0, 0, behind, 256)
        others.pace(1)
        for _ in range(ROUNDS):
            before.append(others.pace(ROUND_S))
            is_over = []
            job = pool.submit(resume_until, is_over, reader, behind)
            during.append(others.pace(ROUND_S))
            is_over.append(True)
            took += job.result()
    return took, before, during


def catch_up(report, folder):
    with running(folder) as rig, concurrent.futures.ThreadPoolExecutor(2) as pool:
        app = rig.app()
        assert app.order().status == 201
        rig.daemon.stop()
        fill_journal(rig, BEHIND)
        rig.daemon.start().ready()
        after, behind = first_position(rig)
        rig.sim.storm(f"depth:{SYMBOL}", RATE, STORM_S)
        is_over = []
        traffic = pool.submit(order_until, app, is_over)
        try:
            took, before, during = watch(rig, app, pool, after, behind)
        finally:
            is_over.append(True)
        traffic.result()
    seconds = statistics.median(took)
    report.fact("catchup", f"catching up with {behind} events from the journal: "
                f"{behind / seconds:.0f} events a second ({seconds:.2f} s, {len(took)} times)",
                events_per_s=round(behind / seconds), behind=behind, times=len(took))
    for name in ("p50", "p99"):
        with_it, without = [[each[f"own_{name}_us"] for each in rounds]
                            for rounds in (during, before)]
        report.line(f"catchup_others_{name}", "us", with_it, without,
                    lambda line, name=name: f"delay of {OTHERS} others meanwhile, {name}: "
                    f"{ms(line['deltagate'])} against {ms(line['other'])} without it")
