"""Fan-out: one message to a thousand subscribers, beside what else does it.

saturated() has every server send as fast as it can, single messages and bursts of 64; what is
compared is messages for each second of the server's processor, so that a busy machine or a slow
reader does not show. paced() has the daemon follow a book that changes a hundred times a second
for a thousand subscribers, a tenth of whom sleep, and gives the others the same work.
"""
import concurrent.futures
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import time

import rig as rigs
from measure import (BENCH, Measurer, answers, free_port, install_rivals, ms, percentile,
                     pick_cores, pin, short)

SUBSCRIBERS, SLEEPERS = 1000, 100
SIZE = 256  # of a message, in bytes
ROUNDS, ROUND_MS = 11, 500
RATE = 100  # a second
SECONDS = int(os.environ.get("BENCH_SECONDS", 60))
RIVAL_SECONDS = min(10, SECONDS)
FIRST_READS, IDLE_READS, BUSY_READS = 500, 2000, 200
SYMBOL = "ADAUSDM"
STORM_REST_S = 5  # a storm goes on so long after who watched it
STORM_RATE = 2000  # more than can be told to all
STORM_ROUNDS, STORM_MS = 5, 1000

MOSQUITTO_CONF = """listener {port} 127.0.0.1
allow_anonymous true
persistence false
set_tcp_nodelay true
log_type error
"""
NATS_CONF = """listen: 127.0.0.1:{port}
max_connections: 10000
ping_interval: "1h"
logfile: "{folder}/nats.log"
"""


# ---- servers -----------------------------------------------------------------------------------

class Server:
    """A running server of one kind, pinned, and how much memory it has."""

    def __init__(self, kind, process, port):
        self.kind, self.process, self.port = kind, process, port
        self.rss_before = rss(process.pid)


def rss(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def launch(command, core, **how):
    return subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", *map(str, command)], stdin=subprocess.DEVNULL,
        preexec_fn=lambda: pin(core), **how)


@contextlib.contextmanager
def ended(process):
    try:
        yield process
    finally:
        process.terminate()
        process.wait()
        if process.stdout:
            process.stdout.close()


@contextlib.contextmanager
def told(kind, core, *command):
    """A program of ours, which prints its port."""
    with ended(launch(command, core, stdout=subprocess.PIPE, cwd=BENCH)) as process:
        yield Server(kind, process, json.loads(process.stdout.readline())["port"])


@contextlib.contextmanager
def broker(kind, core, name, config, folder):
    """A broker from Debian, with as little to do as it can have."""
    program = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")
    if not program:
        raise FileNotFoundError(f"there is no {name} here")
    port, path = free_port(), folder / f"{name}.conf"
    path.write_text(config.format(port=port, folder=folder))
    with ended(launch([program, "-c", path], core, stderr=subprocess.DEVNULL)) as process:
        rigs.wait_for(lambda: answers(port), 10, f"{name} serves")
        yield Server(kind, process, port)


def npm_program(why, core, *command):
    if why:
        raise FileNotFoundError(why)
    return told("websocket", core, *command)


def openers(core, folder):
    """How each is started, by the name that people know it by; ours and the yardstick first."""
    why = install_rivals()
    bun = next(BENCH.glob("node_modules/@oven/bun-linux-*/bin/bun"), "bun")
    return {
        "deltagate": lambda: told("websocket", core, BENCH / "fan"),
        "send()": lambda: told("plain", core, BENCH / "plain"),
        "Bun": lambda: npm_program(why, core, bun, "fan_bun.mjs"),
        "ws": lambda: npm_program(why, core, "node", "fan_ws.mjs"),
        "mosquitto": lambda: broker("mqtt", core, "mosquitto", MOSQUITTO_CONF, folder),
        "nats": lambda: broker("nats", core, "nats-server", NATS_CONF, folder),
    }


class Crowd(Measurer):
    """Subscribers of a server, on the other core."""

    def __init__(self, server, core, sleepers=0, channel="", count=SUBSCRIBERS,
                 gives_way=False, **environment):
        super().__init__(*(["chrt", "--idle", "0"] if gives_way else []), "taskset", "-c", core,
                         BENCH / "crowd", server.kind, server.port, count - sleepers, sleepers,
                         server.process.pid, *filter(None, [channel]), **environment)

    def greet(self):
        """One message to every reader: they are all there then. Its length on the wire."""
        return self.round(0, 0, 0, SIZE)["wire_len"]

    def saturate(self, burst, size=SIZE, for_ms=ROUND_MS):
        return self.round(burst, 0, for_ms, size)

    def pace(self, seconds, size=SIZE):
        return self.round(0, RATE, seconds * 1000, size)


def cores():
    """Both the same where there is only one."""
    server, load = pick_cores()
    return (server, load) if server is not None else (0, 0)


def kib_each(server):
    return (rss(server.process.pid) - server.rss_before) / SUBSCRIBERS / 1024


# ---- as fast as they can -----------------------------------------------------------------------

def per_core_second(took):
    return took["messages"] * 1e9 / max(1, took["cpu_ns"])


def per_second(took):
    return took["messages"] * 1e9 / took["ns"]


def compare(report, name, what, rounds):
    """A line for each of the others; rounds: lists of what crowds answered, by name."""
    rates = {other: [per_core_second(took) for took in answers_]
             for other, answers_ in rounds.items()}
    walls = {other: statistics.median(per_second(took) for took in answers_)
             for other, answers_ in rounds.items()}
    for other in rounds:
        lost = sum(took["lost"] for took in rounds[other])
        if lost:
            report.fact(f"{name}_lost_{other.strip('()').lower()}",
                        f"{what}: {lost} frames of {other} never came", lost=lost)
        if other != "deltagate":
            report.line(
                f"{name}_{other.strip('()').lower()}", "per_s", rates["deltagate"], rates[other],
                lambda line, other=other: f"{what}: {line['deltagate']:.0f} frames a second and "
                f"core against {line['other']:.0f} of {other} "
                f"(by the clock {walls['deltagate']:.0f} and {walls[other]:.0f})",
                wall=round(walls["deltagate"]), wall_other=round(walls[other]))


def start_all(report, folder, stack, core):
    servers = {}
    for name, opener in openers(core, folder).items():
        try:
            servers[name] = stack.enter_context(opener())
        except FileNotFoundError as error:
            report.skip(f"fan-out of {name}", str(error))
    return servers


def saturated(report, folder):
    server_core, load_core = cores()
    with contextlib.ExitStack() as stack:
        servers = start_all(report, folder, stack, server_core)
        crowds = {name: stack.enter_context(Crowd(server, load_core))
                  for name, server in servers.items()}
        for crowd in crowds.values():
            crowd.greet()
        joined = {name: kib_each(server) for name, server in servers.items()}
        for burst, what in ((1, "single messages"), (64, "bursts of 64")):
            rounds = {name: [] for name in crowds}
            for _ in range(ROUNDS):
                for name, crowd in crowds.items():
                    rounds[name].append(crowd.saturate(burst))
            compare(report, f"fan_{burst}", f"{what} of {SIZE} bytes to {SUBSCRIBERS}", rounds)
        for name, server in servers.items():
            after = kib_each(server)
            report.fact(f"fan_memory_{name.strip('()').lower()}",
                        f"memory of {name}: {short(joined[name])} KiB a subscriber when they have "
                        f"come, {short(after)} after all that",
                        joined_kib=round(joined[name], 2), after_kib=round(after, 2))


# ---- a hundred times a second ------------------------------------------------------------------

class Exchange(rigs.Sim):
    def command(self):
        return ["--listen", self.listen, "--seed", "7", "--api-key", self.rig.api_key,
                "--trading-password", self.rig.password, "--latency", "0", "--rate-orders", "0",
                "--log-level", "warn"]


class Daemon(rigs.Daemon):
    def command(self):
        return ["--listen", "127.0.0.1:0", "--data-dir", self.data_dir,
                "--socket", self.folder / "deltagate.sock", "--mode", "simulated",
                "--rest-url", self.rig.sim.url, "--stream-url", self.rig.sim.stream_url,
                "--requests-per-second", "0", "--max-orders-per-second", "1000",
                "--subscribers-max", "10000", "--subscribers-per-token", "10000",
                "--connections-max", "4000", "--log-level", "warn"]


@contextlib.contextmanager
def running(folder):
    """The daemon and its exchange, each on its core; the journal lies in folder."""
    server_core, load_core = cores()
    rig = rigs.Rig()
    rig.sim, rig.daemon = Exchange(rig), Daemon(rig)
    rig.daemon.data_dir = folder / "stream-data"
    rig.daemon.journal_file = rig.daemon.data_dir / "journal.db"
    try:
        rig.start()
        pin(server_core, rig.daemon.process.pid)
        pin(load_core, rig.sim.process.pid)
        yield rig
        rig.daemon.stop()
        rig.sim.stop()
    finally:
        rig.remove()


def stream_server(rig):
    return Server("stream", rig.daemon.process, rig.daemon.address[1])


def reads_beside(job, load, server):
    """Reads and the daemon's memory, for as long as the job takes."""
    took, sizes = [], [rss(server.process.pid)]
    while not job.done():
        took += load.times_us(BUSY_READS)
        sizes.append(rss(server.process.pid))
    return took, sizes


def compare_reads(report, idle, busy):
    """idle: before the crowd and after it. busy: beside it, as they came."""
    half = len(busy) // 2
    halves = [busy[:half], busy[half:]]
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        ours, theirs = [[percentile(sorted(times), share) for times in each]
                        for each in (halves, idle)]
        report.line(
            f"stream_reads_{name}", "us", ours, theirs,
            lambda line, name=name: f"GET /v1/limits beside it, {name} of {len(busy)}: "
            f"{ms(line['deltagate'])} against {ms(line['other'])} of the idle daemon")


def daemon_paced(report, rig, app, load):
    """Returns the size of a message, for the others to have the same."""
    _, load_core = cores()
    server = stream_server(rig)
    load.times_us(FIRST_READS)
    idle = [load.times_us(IDLE_READS)]
    # Who reads beside the crowd must not have to wait for the crowd's own processor.
    with Crowd(server, load_core, SLEEPERS, f"depth:{SYMBOL}", gives_way=True,
               DELTAGATE_TOKEN=app.token) as crowd:
        crowd.pace(1)  # they have all come then
        joined = kib_each(server)
        rig.sim.storm(f"depth:{SYMBOL}", RATE, SECONDS + STORM_REST_S)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            job = pool.submit(crowd.pace, SECONDS)
            busy, sizes = reads_beside(job, load, server)
        took = job.result()
    time.sleep(STORM_REST_S)
    idle.append(load.times_us(IDLE_READS))
    middle = sizes[len(sizes) // 2]
    mib = [size / (1 << 20) for size in (sizes[0], middle, sizes[-1])]
    size = took["bytes"] // max(1, took["messages"])
    report.fact(
        "stream_delay", f"depth at {RATE}/s to {SUBSCRIBERS}, {SLEEPERS} of them asleep, for "
        f"{SECONDS} s: made to read p50 {ms(took['p50_us'])}, p99 {ms(took['p99_us'])} (the "
        f"exchange's clock has milliseconds; from the daemon's own time p50 "
        f"{ms(took['own_p50_us'])}, p99 {ms(took['own_p99_us'])}); {took['messages']} frames of "
        f"{size} bytes, {took['skipped']} merged away, "
        f"{took['cpu_ns'] / took['ns'] * 100:.0f} % of a core",
        p50_us=took["p50_us"], p99_us=took["p99_us"], own_p50_us=took["own_p50_us"],
        own_p99_us=took["own_p99_us"], frames=took["messages"], skipped=took["skipped"],
        seconds=SECONDS, gone=took["gone"])
    report.fact(
        "stream_memory", f"memory of the daemon: {short(joined)} KiB a subscriber when they have "
        f"come; in all {mib[0]:.1f} MiB at the start, {mib[1]:.1f} in the middle, {mib[2]:.1f} at "
        "the end", joined_kib=round(joined, 2), mib=[round(each, 2) for each in mib])
    compare_reads(report, idle, busy)
    return size


def daemon_saturated(report, rig, app, plain, size):
    """More updates than can be told: what does not fit is merged, the rest leaves in bursts."""
    _, load_core = cores()
    server = stream_server(rig)
    rounds = {"deltagate": [], "send()": []}
    with Crowd(plain, load_core) as theirs, \
            Crowd(server, load_core, channel=f"depth:{SYMBOL}", DELTAGATE_TOKEN=app.token) as ours:
        for _ in range(STORM_ROUNDS):
            rig.sim.storm(f"depth:{SYMBOL}", STORM_RATE, STORM_MS / 1000 + 1)
            rounds["deltagate"].append(ours.saturate(1, size, STORM_MS))
            rounds["send()"].append(theirs.saturate(1, size))
    compare(report, "stream_full", f"the daemon itself, given more updates than it can tell, "
            f"{size} bytes to {SUBSCRIBERS}, single ones by send()", rounds)


def rivals_paced(report, folder, size):
    server_core, load_core = cores()
    for name, opener in openers(server_core, folder).items():
        with contextlib.ExitStack() as stack:
            try:
                server = stack.enter_context(opener())
            except FileNotFoundError as error:
                report.skip(f"delay of {name}", str(error))
                continue
            crowd = stack.enter_context(Crowd(server, load_core, SLEEPERS))
            crowd.greet()
            joined = kib_each(server)
            took = crowd.pace(RIVAL_SECONDS, size)
            after = kib_each(server)
        what = "our fan-out alone" if name == "deltagate" else name
        report.fact(
            f"paced_{name.strip('()').lower()}", f"the same for {RIVAL_SECONDS} s by {what}: p50 "
            f"{ms(took['p50_us'])}, p99 {ms(took['p99_us'])}; {short(joined)} KiB a subscriber "
            f"before, {short(after)} after; {took['cpu_ns'] / took['ns'] * 100:.0f} % of a core",
            p50_us=took["p50_us"], p99_us=took["p99_us"], joined_kib=round(joined, 2),
            after_kib=round(after, 2), frames=took["messages"])


def paced(report, folder):
    server_core, load_core = cores()
    with running(folder) as rig, told("plain", server_core, BENCH / "plain") as plain:
        app = rig.app()
        with Measurer("taskset", "-c", load_core, BENCH / "load",
                      rig.daemon.address[1], "/v1/limits",
                      DELTAGATE_TOKEN=app.token) as load:
            size = daemon_paced(report, rig, app, load)
        daemon_saturated(report, rig, app, plain, size)
    rivals_paced(report, folder, size)
