"""A daemon that was killed, back on journals of 10,000, 100,000 and 1,000,000 orders, 200 of them
live: how long until it serves reads, until it has placed an order, until it knows what the market
did meanwhile, and how much memory it took.

Each journal has an exchange of its own, which knows the live orders; the daemons take turns. What
the other side of a line is, is the same daemon with 10,000 orders: 1.00x is flat.
"""
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import time

import history
import rig as rigs
from measure import free_port, ms

SIZES = (10000, 100000, 1000000)
LIVE = 200
ROUNDS = 7
PATIENCE_S = 60
BYTES_EACH = 8000  # of disk, for an order, its indexes and what making them takes
MEASURES = (("reads", "us", "reads are served"), ("order", "us", "an order is placed"),
            ("news", "us", "a fill of meanwhile is known"),
            ("cpu", "us", "processor time until then"), ("memory", "kib", "peak memory"))


class Recovered(rigs.Rig):
    """A daemon with the settings of its users, but for how fast the live orders are placed."""

    def __init__(self, folder, size):
        super().__init__(log_level="info", requests_per_second="0")
        self.size, self.token = size, None
        self.sim.options += ["--latency", "0", "--rate-orders", "0", "--log-level", "warn"]
        self.daemon.data_dir = folder / f"recovery-{size}"
        self.daemon.journal_file = self.daemon.data_dir / "journal.db"
        self.daemon.options["listen"] = f"127.0.0.1:{free_port()}"
        self.daemon.options["socket"] = self.folder / "deltagate.sock"


# ---- journals ----------------------------------------------------------------------------------

def order_state(app, order):
    return app.get("/v1/orders/" + order["order_id"]).json["state"]


def make_samples(rig, app):
    """What most orders of a journal are: filled at once, filled in two parts, cancelled."""
    orders = [app.order(price="0.5").json for _ in range(3)]
    for order in orders:
        rigs.wait_for(lambda order=order: rig.sim.order(order["exchange_order_id"])["status"]
                      == "open")
    rig.sim.fill(orders[0]["exchange_order_id"])
    rig.sim.fill(orders[1]["exchange_order_id"], "40")
    rig.sim.fill(orders[1]["exchange_order_id"])
    app.delete("/v1/orders/" + orders[2]["order_id"])
    for order in orders:
        rigs.wait_for(lambda order=order: order_state(app, order) in ("filled", "cancelled"))


def open_count(rig):
    return sum(order["status"] == "open" for order in rig.sim.orders())


def place_live(rig):
    app = rigs.App(rig.daemon, rig.token)
    for answer in app.parallel(app.order for _ in range(LIVE)):
        assert answer.status in (201, 202), answer
    rigs.wait_for(lambda: open_count(rig) == LIVE, PATIENCE_S)
    rigs.wait_for(lambda: len(app.get("/v1/orders", state="open", limit=500).json["data"])
                  == LIVE, PATIENCE_S)


def prepare(rig):
    """A journal of so many orders, the last of them live; the daemon is dead."""
    limit = {"max_orders_per_second": "1000", "rate_guard_ms": "0"}
    rig.daemon.options.update(limit)
    rig.start()
    app = rig.app()
    rig.token = app.token
    make_samples(rig, app)
    rig.daemon.stop()
    history.write(rig.daemon.journal_file, rig.size - LIVE)
    rig.daemon.start().ready()
    place_live(rig)
    rig.daemon.kill()
    for name in limit:
        del rig.daemon.options[name]


# ---- one recovery ------------------------------------------------------------------------------

class Knocking:
    """Asks again and again, until there is the answer that is waited for; says when it was."""

    def __init__(self, rig):
        self.host, _, port = rig.daemon.options["listen"].partition(":")
        self.port, self.token = int(port), rig.token
        self.began = time.monotonic()
        self.connection = None

    def ask(self, method, path, body=None):
        """The status and what was told; None while nobody is there."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            self.connection = self.connection or http.client.HTTPConnection(
                self.host, self.port, timeout=PATIENCE_S)
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
            return answer.status, json.loads(answer.read())
        except OSError:
            self.connection = None
            return None

    def until(self, is_it, *request):
        """Microseconds since the start, when is_it(status, told) was true."""
        while time.monotonic() - self.began < PATIENCE_S:
            got = self.ask(*request)
            if got and is_it(*got):
                return (time.monotonic() - self.began) * 1e6
            time.sleep(0.001)
        raise AssertionError(f"not within {PATIENCE_S} s: {request}")


def peak_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        [line] = [line for line in file if line.startswith("VmHWM:")]
    return int(line.split()[1])


def cpu_us(pid):
    """Of all its threads; unlike the clock's time it does not know what else the machine does."""
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1000


def one_live(rig):
    """One that the market takes while nobody looks: ours to ask for afterwards."""
    live = [o for o in rig.sim.orders() if o["status"] == "open"]
    assert len(live) == LIVE, len(live)
    rig.sim.fill(live[-1]["id"])
    return live[-1]["id"]


def recover(rig):
    taken = one_live(rig)
    knock = Knocking(rig)
    rig.daemon.launch()
    order = json.dumps({"symbol": "ADAUSDM", "side": "buy", "type": "limit", "price": "0.45",
                        "base_quantity": "100"})
    took = {
        "reads": knock.until(lambda status, _: status == 200, "GET", "/v1/orders?limit=50"),
        "order": knock.until(lambda status, _: status == 201, "POST", "/v1/orders", order),
        "news": knock.until(lambda status, told: status == 200 and told["state"] == "filled",
                            "GET", f"/v1/orders/exch:{taken}"),
        "cpu": cpu_us(rig.daemon.process.pid), "memory": peak_kib(rig.daemon.process.pid),
    }
    rigs.wait_for(lambda: open_count(rig) == LIVE, PATIENCE_S)
    rig.daemon.kill()
    return took


def forget_pages(path):
    """As after the machine was off: nothing of it is in memory."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


# ---- what is told ------------------------------------------------------------------------------

def shown(value, unit):
    return ms(value) if unit == "us" else f"{value / 1024:.1f} MiB"


def compare(report, rounds):
    for size in SIZES[1:]:
        for name, unit, what in MEASURES:
            ours, theirs = [[took[name] for took in rounds[each]] for each in (size, SIZES[0])]
            report.line(
                f"recovery_{name}_{size}", unit, ours, theirs,
                lambda line, what=what, unit=unit, size=size: f"after a kill, {size:,} orders and "
                f"{LIVE} of them live, {what}: {shown(line['deltagate'], unit)} against "
                f"{shown(line['other'], unit)} with {SIZES[0]:,}")


def recovery(report, folder):
    needed = sum(SIZES) * BYTES_EACH
    if shutil.disk_usage(folder).free < needed:
        report.skip("recovery", f"it takes {needed / 1e9:.0f} GB of disk")
        return
    with contextlib.ExitStack() as stack:
        rigs_ = []
        for size in SIZES:
            rigs_.append(Recovered(folder, size))
            stack.callback(shutil.rmtree, rigs_[-1].daemon.data_dir, ignore_errors=True)
            stack.callback(rigs_[-1].remove)
            prepare(rigs_[-1])
        rounds = {size: [] for size in SIZES}
        for number in range(ROUNDS + 1):
            for rig in rigs_:
                took = recover(rig)
                if number > 0:
                    rounds[rig.size].append(took)
        compare(report, rounds)
        for rig in rigs_:
            forget_pages(rig.daemon.journal_file)
            cold = recover(rig)
            size = rig.daemon.journal_file.stat().st_size
            report.fact(f"recovery_cold_{rig.size}",
                        f"{rig.size:,} orders are {size / 1e6:.0f} MB of journal; when none of it "
                        f"is in memory yet, reads are served after {ms(cold['reads'])}, and an "
                        f"order is placed after {ms(cold['order'])}",
                        journal_bytes=size, reads_us=round(cold["reads"]),
                        order_us=round(cold["order"]))
