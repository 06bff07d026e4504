#!/usr/bin/python3
"""How fast deltagate is beside what one would use instead, measured side by side in one run.

    bench.py [--json] [--only PART]

BENCH_ONLY (parts, separated by commas) says the same as --only, BENCH_SECONDS how long a thousand
subscribers are watched.

The two sides of a line take turns, round by round, both warm, so that whatever else the machine
does hits both. A ratio says how many times as fast deltagate is: the median over the rounds, with
the least and the greatest of them behind it. The same as JSON lies in BUILD/bench/bench.json.
"""
import argparse
import contextlib
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import catchup
import fanout
import recovery
import rig as rigs
from measure import (BENCH, HERE, PATIENCE_S, Measurer, Report, answers, free_port, install_rivals,
                     ms, percentile, pick_cores, pin)

VECTORS = rigs.ROOT / "tests/data/vectors/signing.json"
VECTOR = "s034"  # an order-like intent, which all three signers take
PARTS = ("sign", "orders", "reads", "appends", "fan", "stream", "catchup", "recovery")

SIGN_ROUNDS = 5
SIGN_COUNTS = {"deltagate": 2000, "whisky": 200, "mesh": 5}
ORDER_ROUNDS, ORDER_COUNT = 10, 200
READ_ROUNDS, READ_SECONDS = 5, 2
APPEND_ROUNDS, APPEND_MS = 15, 300
APPEND_WARM_MS = 2000  # the journal's log has its full length then, and is written over
APPEND_PAUSE_S = 0.1   # for the journal's idle checkpoint, lest it falls into the loop's turn


# ---- signing -----------------------------------------------------------------------------------

def sign(report):
    why = install_rivals()
    if why:
        report.skip("signing", why)
        return
    with contextlib.ExitStack() as stack:
        signers = {"deltagate": Measurer(BENCH / "sign", VECTORS, VECTOR)}
        for library in ("whisky", "mesh"):
            signers[library] = Measurer("node", "sign.mjs", VECTORS, VECTOR, library, cwd=BENCH)
        for signer in signers.values():
            stack.enter_context(signer)
        for name, signer in signers.items():
            signer.round(SIGN_COUNTS[name])
        took = {name: [] for name in signers}
        for _ in range(SIGN_ROUNDS):
            for name, signer in signers.items():
                took[name].append(statistics.median(signer.times_us(SIGN_COUNTS[name])))
    for name, package in (("whisky", "@sidan-lab/whisky-js-nodejs"), ("mesh", "@meshsdk/core")):
        report.line(
            f"sign_{name}", "us", took["deltagate"], took[name],
            lambda line, package=package: f"signing an order's transaction: "
            f"{line['deltagate']:.0f} us against {line['other']:.0f} us of {package}")


# ---- orders ------------------------------------------------------------------------------------

class Exchange(rigs.Sim):
    """Answers at once, limits nothing, keeps nothing: what is left is what the others cost."""

    def command(self):
        return ["--listen", self.listen, "--seed", "7", "--api-key", self.rig.api_key,
                "--trading-password", self.rig.password, "--latency", "0", "--rate-orders", "0",
                "--account", f"bare:{self.rig.bare_key}:{self.rig.password}",
                "--log-level", "warn"]


class Daemon(rigs.Daemon):
    """As its users start it, but for the limits, and it does not ask for open orders meanwhile:
    the bare client does not either."""

    def command(self):
        return ["--listen", "127.0.0.1:0", "--data-dir", self.data_dir,
                "--socket", self.folder / "deltagate.sock", "--mode", "simulated",
                "--rest-url", self.rig.sim.url, "--stream-url", self.rig.sim.stream_url,
                "--max-orders-per-second", "1000", "--requests-per-second", "0",
                "--rate-reads-per-second", "1000", "--account-poll-ms", "600000"]


class Rig(rigs.Rig):
    """The journal lies in folder: /tmp may be memory, where nothing has to wait for a disk."""

    def __init__(self, folder):
        super().__init__()
        self.bare_key = self.api_key + "-bare"
        self.sim, self.daemon = Exchange(self), Daemon(self)
        self.daemon.data_dir = folder / "data"


@contextlib.contextmanager
def running(folder):
    rig = Rig(folder)
    try:
        yield rig.start()
        rig.daemon.stop()
        rig.sim.stop()
    finally:
        rig.remove()


def clear_book(app):
    """Cancels what the round has left, and waits until the daemon knows."""
    app.delete("/v1/orders", symbol="ADAUSDM")
    rigs.wait_for(lambda: not app.get("/v1/orders", state="open").json["data"], 30)


def order_round(load, bare, append, app):
    """The times of both sides, and how long a durable append took between them."""
    ours = load.times_us(ORDER_COUNT)
    clear_book(app)
    journal = append.round(1, 0, APPEND_MS)
    return ours, bare.times_us(ORDER_COUNT), journal["ns"] / 1000 / journal["appends"]


def orders(report, rig, app, folder):
    load = Measurer(BENCH / "load", rig.daemon.address[1], DELTAGATE_TOKEN=app.token)
    bare = Measurer(BENCH / "bare", rig.sim.url, DELTADEFI_API_KEY=rig.bare_key,
                    TRADING_PASSWORD=rig.password)
    with load, bare, Measurer(BENCH / "append", folder) as append:
        append.round(64, 0, APPEND_WARM_MS)
        order_round(load, bare, append, app)
        rounds = [order_round(load, bare, append, app) for _ in range(ORDER_ROUNDS)]
    append_us = statistics.median(took[2] for took in rounds)
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        ours, theirs = [[percentile(took[side], share) for took in rounds] for side in (0, 1)]
        added = statistics.median(a - b for a, b in zip(ours, theirs))
        report.line(
            f"order_{name}", "us", ours, theirs,
            lambda line, name=name, added=added: f"an order, {name}: "
            f"{ms(line['deltagate'])} through the daemon against {ms(line['other'])} of a bare "
            f"client; {ms(added)} added, while one durable append takes {ms(append_us)}",
            added=round(added, 2), append=round(append_us, 2),
            samples=ORDER_ROUNDS * ORDER_COUNT)


# ---- reads -------------------------------------------------------------------------------------

NGINX_CONF = """daemon off;
master_process off;
error_log {folder}/error.log;
pid {folder}/pid;
events {{ worker_connections 512; }}
http {{
    access_log off;
    default_type application/json;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; location / {{ return 200 '{body}'; }} }}
}}
"""


@contextlib.contextmanager
def nginx(folder, body, core):
    """nginx with one worker and body in its memory, which is its fastest; gives the address."""
    folder, port = folder / "nginx", free_port()
    folder.mkdir()
    assert not set("'\\$") & set(body), "this needs escaping in nginx.conf"
    (folder / "nginx.conf").write_text(NGINX_CONF.format(folder=folder, port=port, body=body))
    program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", program, "-p", folder, "-c", folder / "nginx.conf"],
        stdin=subprocess.DEVNULL, preexec_fn=lambda: pin(core))
    try:
        rigs.wait_for(lambda: answers(port), 10, "nginx serves")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def wrk(url, token, connections, core):
    """Answers a second."""
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{READ_SECONDS}s", "-s", HERE / "token.lua", url],
        capture_output=True, text=True, check=True, timeout=PATIENCE_S,
        env={**os.environ, "DELTAGATE_TOKEN": token}, preexec_fn=lambda: pin(core))
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        sys.exit(f"bench: not every answer was right\n{done.stdout}")
    return float(re.search(r"^Requests/sec: +([\d.]+)$", done.stdout, re.M).group(1))


def reads(report, rig, app, folder):
    server_core, load_core = pick_cores()
    pin(server_core, rig.daemon.process.pid)
    body = app.get("/v1/balances").body.decode()
    with nginx(folder, body, server_core) as other:
        urls = [f"{base}/v1/balances" for base in (rig.daemon.url, other)]
        for connections in (1, 64):
            rates = [], []
            for number in range(READ_ROUNDS + 1):
                for url, side in zip(urls, rates):
                    rate = wrk(url, app.token, connections, load_core)
                    if number > 0:
                        side.append(rate)
            report.line(
                f"balances_{connections}", "per_s", *rates,
                lambda line, n=connections: f"GET /v1/balances, {n} "
                f"connection{'s' if n > 1 else ''}: {line['deltagate']:.0f}/s against "
                f"{line['other']:.0f}/s of nginx with the same {len(body)} bytes in memory",
                body_bytes=len(body), is_pinned=server_core is not None)


# ---- the journal -------------------------------------------------------------------------------

def append_round(append, waiting):
    """Appends a second of both sides, and the bytes of one."""
    time.sleep(APPEND_PAUSE_S)
    journal = append.round(waiting, 0, APPEND_MS)
    time.sleep(APPEND_PAUSE_S)
    size = journal["bytes"] // journal["appends"]
    bare = append.round(0, size, APPEND_MS)
    return *(told["appends"] * 1e9 / told["ns"] for told in (journal, bare)), size


def appends(report, folder):
    folder = folder / "appends"
    folder.mkdir()
    with Measurer(BENCH / "append", folder) as append:
        append.round(64, 0, APPEND_WARM_MS)
        for waiting in (1, 8, 64):
            append_round(append, waiting)
            rounds = [append_round(append, waiting) for _ in range(APPEND_ROUNDS)]
            ours, theirs, sizes = zip(*rounds)
            size = round(statistics.median(sizes))
            report.line(
                f"appends_{waiting}", "per_s", ours, theirs,
                lambda line, waiting=waiting, size=size: f"durable appends, {waiting} waiting: "
                f"{line['deltagate']:.0f}/s against {line['other']:.0f}/s of a bare "
                f"write+fdatasync loop of as many bytes ({size} each)",
                bytes_each=size)


# ---- all of it ---------------------------------------------------------------------------------

def filesystem_of(folder):
    done = subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, text=True,
                          check=False)
    return done.stdout.strip() or "unknown"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="for machines, when all is done")
    parser.add_argument("--only", choices=PARTS, action="append",
                        help="may be given again")
    return parser.parse_args()


def main():
    args = arguments()
    wanted = args.only or list(filter(None, os.environ.get("BENCH_ONLY", "").split(","))) or PARTS
    if not set(wanted) <= set(PARTS):
        sys.exit(f"bench: the parts are {' '.join(PARTS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    report, began = Report(args.json), time.monotonic()
    machine = {"cores": os.cpu_count(), "load_before": round(os.getloadavg()[0], 2),
               "filesystem": filesystem_of(BENCH)}
    report.say(f"Nx: deltagate is N times as fast as the other, which takes turns with it. "
               f"{machine['cores']} cores, {machine['filesystem']}.")
    if machine["load_before"] > machine["cores"] / 2:
        report.say(f"The machine is busy with something else (load {machine['load_before']}): the "
                   "figures are worse and less even than on a calm one.")
    with tempfile.TemporaryDirectory(prefix="run.", dir=BENCH) as name:
        folder = pathlib.Path(name)
        if "sign" in wanted:
            sign(report)
        if "orders" in wanted or "reads" in wanted:
            with running(folder) as rig:
                app = rig.app()
                if "orders" in wanted:
                    orders(report, rig, app, folder)
                if "reads" in wanted:
                    reads(report, rig, app, folder)
        if "appends" in wanted:
            appends(report, folder)
        if "fan" in wanted:
            fanout.saturated(report, folder)
        if "stream" in wanted:
            fanout.paced(report, folder)
        if "catchup" in wanted:
            catchup.catch_up(report, folder)
        if "recovery" in wanted:
            recovery.recovery(report, folder)
    machine["seconds"] = round(time.monotonic() - began)
    report.write(machine)


if __name__ == "__main__":
    main()
