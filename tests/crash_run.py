"""One run of the crash matrix: a session of apps, a death or several, and what is true afterwards.

Each order of a run has a quantity of its own, so that the exchange's record alone tells how often
it is there, whatever the daemon believes. An app does as the README says: what was not answered is
sent again with the same client_order_id.
"""
import http.client
import json
import random
import shutil
import sqlite3
import subprocess
import threading
import time
from decimal import Decimal

import rig as rigs
import verdict
from explained import Explained
from power import Power
from rig import Daemon, UnixConnection, exchange_of

WAIT_SECONDS = 10  # until all is true, after a restart and when nobody does anything any more
SESSION_SECONDS = 25
LATE_MS = 2500  # longer than it takes to send a submit again
APPS = 3
DOUBT = (None, *verdict.IN_DOUBT)
GONE = (OSError, http.client.HTTPException, TypeError)


class Wrong(Exception):
    """What must never be: kind is duplicate, lost or untrue; or late."""

    def __init__(self, kind, text):
        super().__init__(f"{kind}: {text}")
        self.kind = kind


def rule(path, method="POST", **what):
    return {"match": {"path": path, "method": method}, "times": 1, **what}


def answer(code, when, path="/order/submit"):
    return rule(path, when=when, answer={"code": code})


# What the exchange and the network do, once to each kind of request.
TROUBLES = {
    "none": [],
    "request lost": [rule("/order/*", drop="before"), rule("/order/submit", drop="before"),
                     rule("/order/*/cancel", drop="before")],
    "answer lost": [rule("/order/*", drop="after"), rule("/order/submit", drop="after"),
                    rule("/order/*/cancel", drop="after"),
                    rule("/accounts/order/*", "GET", drop="after")],
    "answer late": [rule("/order/submit", delay_after_ms=500),
                    rule("/order/*/cancel", delay_after_ms=500)],
    "request late": [rule("/order/submit", delay_ms=LATE_MS)],
    "doubled": [rule("/order/submit", act_twice=True), rule("/order/*/cancel", act_twice=True)],
    "4300": [answer(4300, "before")],
    "4301": [answer(4301, "before")],
    "4302": [answer(4302, "after")],
    "5000 placed": [answer(5000, "after")],
    "5000 not placed": [answer(5000, "before")],
    "5002": [answer(5002, "before")],
    "exchange restarted": [],
    "exchange restarted with state": [],
}


class Exchange(rigs.Sim):
    """deltasim with an account for each run, started anew when all are used."""

    ACCOUNTS = 60

    def __init__(self, folder):
        folder.mkdir(parents=True)
        rigs.Program.__init__(self, "deltasim", folder)
        self.listen, self.used, self.names = "127.0.0.1:0", 0, []

    def command(self):
        words = ["--listen", self.listen, "--seed", "7", "--api-key", "key", "--trading-password",
                 "password", "--data", self.folder / "exchange.json", "--rate-orders", "0",
                 "--match-delay-ms", "0-5", "--log-level", "warn"]
        for name in self.names:
            words += ["--account", f"{name}:key-of-{name}:password-of-{name}"]
        return words

    def account(self):
        if not self.is_running() or self.used == self.ACCOUNTS:
            if self.is_running():
                self.kill()
            (self.folder / "exchange.json").unlink(missing_ok=True)
            self.names, self.used = [f"a{n}" for n in range(self.ACCOUNTS)], 0
            self.start()
        self.clear_faults()
        self.used += 1
        return self.names[self.used - 1]


class CrashDaemon(Daemon):
    """The build with crash points, on the files of one run."""

    def __init__(self, run, binary, folder):
        super().__init__(run)
        self.name, self.data_dir = str(binary), folder / "data"
        self.journal_file, self.told_env = self.data_dir / "journal.db", {}
        self.options = {"log_level": "warn", "max_orders_per_second": "200", "rate_guard_ms": "0",
                        "rate_reads_per_second": "1000", "account_poll_ms": "300",
                        "reconcile_interval_ms": "1000",
                        "timeout_ms": "1200", "settle_resubmit_ms": "1000",
                        "requests_per_second": "0"}

    def command(self):
        flags = {"listen": "127.0.0.1:0", "data_dir": self.data_dir, "mode": "simulated",
                 "rest_url": self.rig.sim.url, "stream_url": self.rig.sim.stream_url,
                 **self.options}
        return [word for name, value in flags.items()
                for word in (f"--{name.replace('_', '-')}", value)]

    def environment(self):
        return {**super().environment(), **self.told_env}


class Run:
    """spec: how this run goes. See crash_matrix.py for its keys."""

    def __init__(self, tools, exchange, folder, spec):
        self.tools, self.sim, self.folder, self.spec = tools, exchange, folder, spec
        self.chance = random.Random(spec["seed"])
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.account = exchange.account()
        self.api_key, self.password = f"key-of-{self.account}", f"password-of-{self.account}"
        self.secrets = {}
        self.daemon = CrashDaemon(self, tools.binary, folder)
        self.plan = list(spec["points"])  # where each start ends, one after the other
        self.reached, self.crashes, self.longest = [], 0, 0.0
        self.lives = []  # of the daemon: how long its orders were a riddle
        self.waiting = None  # the point that the running daemon is to die at
        self.told, self.owner = verdict.Told(), {}  # app by client_order_id
        self.lock, self.exchange_lock = threading.Lock(), threading.Lock()
        self.quiet = 0.0  # since then nobody does anything
        self.failure = None  # of the app that failed first
        self.power = None

    # ---- the daemon's life ----

    def begin(self):
        data = self.daemon.data_dir
        if self.spec["scenario"] == "birth":
            data.mkdir(mode=0o700)
        else:
            shutil.copytree(self.tools.template, data)
        if self.spec["end"] == "power":
            self.power = Power(data, self.tools.power, self.spec.get("lies", False))
        trouble = [dict(r, match={**r["match"], "account": self.account})
                   for r in self.spec.get("rules", []) + TROUBLES[self.spec["trouble"]]]
        if trouble:
            self.sim.faults(*trouble)
        self.start()

    def start(self):
        """Starts it, and again when it dies while it starts, as it was told to."""
        while True:
            self.waiting = self.plan.pop(0) if self.plan else None
            env = self.power.environment() if self.power else {}
            if self.waiting:
                env["DELTAGATE_CRASH_AT"] = self.waiting
            self.daemon.told_env = env
            life = Explained(self.daemon, self.their_order, WAIT_SECONDS * self.tools.patience)
            self.daemon.launch()
            self.daemon.hello = None
            deadline = time.monotonic() + rigs.START_SECONDS * self.tools.patience
            while self.is_up() and not self.daemon.hello and time.monotonic() < deadline:
                line, newline, _ = self.daemon.out_file.read_text().partition("\n")
                self.daemon.hello = json.loads(line) if newline else None
                time.sleep(0.005)
            if self.daemon.hello:
                self.since = time.monotonic()
                self.lives.append(life)
                life.start()
                return
            if self.is_up():
                raise Wrong("untrue", "it does not start")
            self.died()

    def is_up(self):
        return self.daemon.process.poll() is None

    def died(self):
        """It is dead: was it the crash? Then the power may be gone, too."""
        status = self.daemon.process.wait()
        if status != -9 or not self.waiting:
            raise Wrong("untrue", f"it ended with {status}: {self.daemon.log_text()[-1500:]}")
        self.reached.append(self.waiting)
        self.after_death()

    def after_death(self):
        self.crashes += 1
        if self.power:
            self.power.cut(self.chance)

    def kill(self):
        """Where no point was: any moment is as good."""
        with self.lock:
            if not self.is_up():
                self.died()
            else:
                self.daemon.kill()
                self.after_death()
            self.start()

    def look(self):
        """If it died meanwhile, it is started again."""
        with self.lock:
            if not self.is_up():
                self.died()
                self.start()

    # ---- the app ----

    def request(self, method, path, body=None, prefer=None, app=0):
        """One try. None: no answer; then it may have died. App 0 is the socket's own user."""
        headers = {"Content-Type": "application/json", **({"Prefer": prefer} if prefer else {})}
        if app:
            headers["Authorization"] = f"Bearer {self.tools.tokens[app - 1]}"
        try:
            return exchange_of(UnixConnection(self.daemon.socket, 15), method, path,
                               json.dumps(body).encode() if body is not None else None, headers)
        except GONE:
            deadline = time.monotonic() + 0.5
            while self.is_up() and time.monotonic() < deadline:
                time.sleep(0.005)  # the socket goes before the process does
            return None

    def ask(self, method, path, body=None, prefer=None, app=0):
        """Again and again until there is an answer that is none of the kind that says: wait."""
        deadline = time.monotonic() + SESSION_SECONDS
        while True:
            self.look()
            got = self.request(method, path, body, prefer, app)
            if got and got.status not in (423, 429, 503):
                return got
            if time.monotonic() > deadline:
                raise Wrong("untrue", f"{method} {path}: no answer but {got}")
            time.sleep(0.02)

    def quantity_of(self, name):
        with self.lock:
            sent = self.told.sent
            return sent.setdefault(name, f"{100 + len(sent)}.5")

    def place(self, name, prefer="wait=1", app=0, **fields):
        """May be called again with the same name: then the daemon must know it."""
        self.owner[name] = app
        body = {"symbol": "ADAUSDM", "side": "buy", "type": "limit", "price": "0.45",
                "base_quantity": self.quantity_of(name), "client_order_id": name, **fields}
        got = self.ask("POST", "/v1/orders", body, prefer, app)
        if got.status in (200, 201, 202):
            self.told.placed[name] = got.json
        elif got.status not in (422, 502):
            raise Wrong("untrue", f"placing {name}: {got}")
        return got

    def cancel(self, name, prefer="wait=1"):
        got = self.ask("DELETE", f"/v1/orders/client:{name}", prefer=prefer, app=self.owner[name])
        if got.status == 200:
            self.told.cancelled.add(name)

    def cancel_all(self, prefer="wait=1", app=0):
        got = self.ask("DELETE", "/v1/orders?symbol=ADAUSDM", prefer=prefer, app=app)
        self.told.note_cancelled(got.json["cancelled"])

    def theirs(self):
        with self.exchange_lock:
            return [o for o in self.sim.orders() if o["account"] == self.account]

    def their_order(self, exchange_id):
        with self.exchange_lock:
            return self.sim.order(exchange_id)

    def on_exchange(self, name):
        """Every order of the exchange that is or was live and is this one."""
        quantity = Decimal(self.told.sent[name])
        return [o for o in self.theirs()
                if Decimal(o["base_qty"]) == quantity and o["status"] in verdict.LIVE]

    def trade(self, name, quantity=None):
        """The market takes it, or some of it, if it is there."""
        self.wait_a_moment(lambda: all(o["status"] != "processing" for o in self.on_exchange(name)))
        for order in self.on_exchange(name):
            body = {"order_id": order["id"]}
            if quantity is not None:
                body["base_quantity"] = quantity
            with self.exchange_lock:  # refused when there is less left, or it was cancelled
                self.sim.request("POST", "/_sim/trade", body)

    def disturb(self):
        if self.spec["trouble"] == "exchange restarted":
            self.sim.maintain(0.3)
        elif self.spec["trouble"] == "exchange restarted with state":
            with self.exchange_lock:
                self.sim.kill()
                self.sim.start()

    # ---- sessions ----

    def session(self):
        """Everything an app does, once. Any of it may be where the daemon dies."""
        if self.spec["scenario"] == "birth":
            self.ask("POST", "/v1/admin/tokens", {"name": "app", "scopes": ["read"]})
        for name in ("rests", "fills"):
            if self.place(name).status == 202:
                self.wait_a_moment(lambda name=name: self.state(name) not in DOUBT, 2.5)
        self.place("parts", prefer="respond-async")
        self.disturb()
        self.place("refused", base_quantity="90000000")
        self.trade("fills")
        self.trade("parts", "3.5")
        self.wait_a_moment(lambda: self.state("fills") == "filled")
        self.cancel("rests")
        self.place("late")
        self.cancel_all()
        self.place("rests")  # a replay, and never a second order

    def random_session(self):
        """Several apps side by side, each in its own way; what it does is drawn from the seed."""
        apps = [RandomApp(self, number) for number in range(1, self.chance.randint(1, APPS) + 1)]
        for app in apps:
            app.start()
        for app in apps:
            app.join()
        if self.failure:
            raise self.failure

    def state(self, name):
        got = self.request("GET", f"/v1/orders/client:{name}", app=self.owner[name])
        return got.json.get("state") if got else None

    def wait_a_moment(self, condition, seconds=1):
        deadline = time.monotonic() + seconds
        while not condition() and time.monotonic() < deadline:
            self.look()
            time.sleep(0.02)

    # ---- the judgement ----

    def rows(self, sql):
        with sqlite3.connect(f"file:{self.daemon.journal_file}?mode=ro", uri=True) as journal:
            journal.row_factory = sqlite3.Row
            return [dict(row) for row in journal.execute(sql)]

    def judge(self):
        """Soon after the last act all is true; what cannot be known yet says why."""
        begun = max(self.since, self.quiet)
        deadline = begun + WAIT_SECONDS * self.tools.patience
        while True:
            self.look()
            try:
                self.check()
                break
            except Wrong as wrong:
                if time.monotonic() > deadline:
                    raise
                if wrong.kind == "duplicate":
                    raise
            time.sleep(0.05)
        self.longest = max(self.longest, time.monotonic() - begun)

    def check(self):
        theirs = self.theirs()
        if self.waiting and not self.is_up():
            raise Wrong("untrue", "it died")  # and is started again
        rows, fills = (self.rows(f"select * from {view}") for view in ("v_orders", "v_fills"))
        for problem in verdict.problems(self.told, rows, fills, theirs, self.settling):
            raise Wrong(problem.kind, f"{problem.about}: {problem.text}")

    def settling(self, row):
        name = row["client_order_id"]
        got = self.request("GET", f"/v1/orders/client:{name}", app=self.owner[name])
        return got.json.get("settling") if got else None

    def judge_lives(self):
        """After each restart every order was final or explained in time."""
        for life in self.lives:
            life.join()
            if life.is_late:
                raise Wrong("late", f"{life.seconds:.1f} s until all was explained: {life.story}")

    def slowest_life(self):
        return max((life.seconds for life in self.lives if life.seconds), default=0.0)

    # ---- all of it ----

    def go(self):
        try:
            self.begin()
            if self.spec["scenario"] == "random":
                self.random_session()
            else:
                self.session()
            if self.waiting:
                self.wait_a_moment(lambda: not self.is_up(), 0.4)
            self.look()
            if not self.crashes:
                self.kill()
            self.quiet = time.monotonic()
            self.judge()
            if self.spec["trouble"] == "request late":
                time.sleep(LATE_MS / 1000)  # the exchange may act now on what it got then
                self.judge()
            self.judge_lives()
        finally:
            for life in self.lives:
                life.is_over.set()
            if self.daemon.is_running():
                self.daemon.kill()
        return self


class RandomApp(threading.Thread):
    """One app of a random schedule."""

    def __init__(self, run, number):
        super().__init__(daemon=True)
        self.all, self.number = run, number
        self.chance = random.Random(f"app {run.spec['seed']} {number}")
        self.fields = {}  # of the orders sent

    def run(self):
        try:
            for step in range(self.chance.randint(2, 6)):
                self.act(step)
        except Exception as error:  # pylint: disable=broad-except  # told by the main thread
            self.all.failure = self.all.failure or error

    def send(self, name):
        prefer = self.chance.choice(("respond-async", "wait=1", "wait=0"))
        self.all.place(name, prefer, self.number, **self.fields[name])

    def act(self, step):
        name, act = f"app{self.number}-{step}", self.chance.random()
        self.fields[name] = {"side": "sell", "price": "0.95"} if self.chance.random() < 0.3 else {}
        self.send(name)
        other = self.chance.choice(list(self.fields))
        if act < 0.25:
            self.all.trade(other, self.chance.choice((None, "1.5", "20")))
        elif act < 0.4:
            self.all.cancel(other, self.chance.choice(("wait=1", "respond-async")))
        elif act < 0.5:
            self.all.cancel_all(self.chance.choice(("wait=1", "respond-async")), self.number)
        elif act < 0.6:
            self.send(other)  # a replay
        elif act < 0.7:
            self.all.kill()
        if step == 1 and self.number == 1:
            self.all.disturb()


def make_template(binary, folder):
    """Files of a daemon that was stopped in good order and never met an exchange, and the tokens
    of its apps. Most runs begin with a copy: migrating and making keys takes longer than what they
    are about."""
    folder.mkdir(parents=True)
    data = folder / "template"
    command = [binary, "--listen", "127.0.0.1:0", "--data-dir", data, "--mode", "simulated",
               "--rest-url", "http://127.0.0.1:1", "--stream-url", "ws://127.0.0.1:1"]
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env={"DELTADEFI_API_KEY": "key"}) as process:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        tokens = [make_token(json.loads(line)["socket"], number) for number in range(APPS)]
        process.terminate()
        process.communicate()
    for path in data.iterdir():
        if not path.is_file():
            path.unlink()
    return data, tokens


def make_token(socket, number):
    body = {"name": f"app-{number}", "scopes": ["read", "trade"]}
    got = exchange_of(UnixConnection(socket, 15), "POST", "/v1/admin/tokens",
                      json.dumps(body).encode(), {"Content-Type": "application/json"})
    assert got.status == 201, got
    return got.json["token"]
