"""The test rig: starts, kills and restarts the simulator and the daemon, and talks to both.

Everything is as a user has it: real binaries, real sockets on free ports, a temporary folder, an
app's view of the API over HTTP, the operator's view of the journal through the sqlite3 shell.
Each rig has secrets of its own, and when it ends it looks for them where they must not be.
"""
import base64
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse

from contract import Contract

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / os.environ.get("DELTAGATE_BUILD", "build")
# Sanitized programs are slower, and so are two cores under eight tests.
SLOWNESS = 4 if (BUILD / "flags").exists() and "-fsanitize" in (BUILD / "flags").read_text() else 1
START_SECONDS = 15 * SLOWNESS
STOP_SECONDS = 20 * SLOWNESS
REQUEST_SECONDS = 30 * SLOWNESS
SANITIZER_WORDS = ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:")
CONTRACT = Contract()


def wait_for(condition, seconds=10, what=""):
    """The first true value of condition(), asked again and again; fails past the deadline.

    An AssertionError inside counts as "not yet", and is shown when it was the last word."""
    deadline = time.monotonic() + seconds * SLOWNESS
    pause, last = 0.005, None
    while True:
        try:
            value, last = condition(), None
            if value:
                return value
        except AssertionError as error:
            last = error
        if time.monotonic() > deadline:
            name = what or getattr(condition, "__name__", "condition")
            raise AssertionError(f"not within {seconds * SLOWNESS} s: {name}") from last
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)


class Program:
    """One of our programs: started, asked for its JSON line, stopped, killed, started again."""

    def __init__(self, name, folder):
        self.name, self.folder = name, folder
        self.out_file, self.log_file = folder / f"{name}.out", folder / f"{name}.log"
        self.process = self.hello = None

    def command(self):
        raise NotImplementedError

    def environment(self):
        kept = ("PATH", "HOME", "LANG", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS")
        return {name: os.environ[name] for name in kept if name in os.environ}

    def start(self):
        """Starts and waits for the line that says where it listens."""
        self.launch()
        self.hello = wait_for(self.read_hello, START_SECONDS / SLOWNESS, f"{self.name} serves")
        return self

    def launch(self):
        """Starts without waiting: for what is meant to fail, or to be killed early."""
        assert not self.is_running(), f"{self.name} runs already"
        self.hello = None
        binary = BUILD / self.name
        assert binary.exists(), f"{binary} is not built"
        # When the tests die, so does what they started; the kernel asks after the thread.
        is_main = threading.current_thread() is threading.main_thread()
        wrapper = ["setpriv", "--pdeathsig", "KILL"] if is_main else []
        with open(self.out_file, "wb") as out, open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                [*wrapper, binary, *map(str, self.command())], stdin=subprocess.DEVNULL,
                stdout=out, stderr=log, env=self.environment(), cwd=self.folder,
            )

    def read_hello(self):
        if not self.is_running():
            raise RuntimeError(f"{self.name} ended with {self.process.returncode}: "
                               + self.log_file.read_text(errors="replace")[-2000:])
        line, newline, _ = self.out_file.read_text().partition("\n")
        return json.loads(line) if newline else None

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def send(self, signum):
        self.process.send_signal(signum)

    def kill(self):
        """As a crash or the out-of-memory killer would."""
        self.send(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """As an operator would; returns the exit status, which must be 0."""
        if self.is_running():
            self.send(signal.SIGTERM)
        status = self.wait()
        assert status == 0, f"{self.name} ended with {status}: {self.log_text()[-2000:]}"

    def wait(self, seconds=STOP_SECONDS):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} does not end within {seconds} s") from None

    def restart(self):
        self.stop()
        return self.start()

    def log_text(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def check_sanitizers(self):
        for word in SANITIZER_WORDS:
            assert word not in self.log_text(), f"{self.name}: {word}: {self.log_text()[-4000:]}"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class Answer:
    """Status, headers and body of one answer, and how long it took."""

    def __init__(self, response, body, seconds):
        self.status, self.headers, self.body = response.status, response.headers, body
        self.content_type = response.headers.get("Content-Type", "")
        self.seconds = seconds

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The problem's stable word; None for what is no problem."""
        return self.json.get("code") if "problem" in self.content_type else None

    def __repr__(self):
        return f"{self.status} {self.body[:600].decode(errors='replace')}"


def exchange_of(connection, method, target, body, headers):
    start = time.monotonic()
    with contextlib.closing(connection):
        connection.request(method, target, body, headers)
        response = connection.getresponse()
        return Answer(response, response.read(), time.monotonic() - start)


def encoded(body):
    """Bytes and text go as they are, for requests that no JSON library would make."""
    if body is None or isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def query_of(query):
    given = {key: value for key, value in query.items() if value is not None}
    return "?" + urllib.parse.urlencode(given) if given else ""


class App:
    """An app's view of the daemon. Each answer is held against openapi.yaml.

    One connection a request, so that an app may be used by several threads."""

    def __init__(self, daemon, token=None, unix=False):
        self.daemon, self.token, self.unix = daemon, token, unix

    def connection(self):
        if self.unix:
            return UnixConnection(self.daemon.socket, REQUEST_SECONDS)
        return http.client.HTTPConnection(*self.daemon.address, timeout=REQUEST_SECONDS)

    def request(self, method, target, body=None, headers=None):
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if body is not None:
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        answer = exchange_of(self.connection(), method, target, encoded(body), sent)
        CONTRACT.check(method, target, answer.status, answer.content_type, answer.body)
        if not (method == "POST" and target == "/v1/admin/tokens"):
            self.daemon.told.append(answer.body + bytes(answer.headers))
        return answer

    def get(self, path, headers=None, **query):
        return self.request("GET", path + query_of(query), headers=headers)

    def post(self, path, body=None, headers=None):
        return self.request("POST", path, {} if body is None else body, headers)

    def delete(self, path, headers=None, **query):
        return self.request("DELETE", path + query_of(query), headers=headers)

    def order(self, headers=None, **fields):
        """A limit order that rests: far below the market, unless the fields say otherwise."""
        order = {"symbol": "ADAUSDM", "side": "buy", "type": "limit", "base_quantity": "100"}
        if fields.get("type", "limit") == "limit":
            order["price"] = "0.45"
        if "quote_quantity" in fields or "quantity" in fields:
            del order["base_quantity"]
        order.update(fields)
        order = {key: value for key, value in order.items() if value is not None}
        return self.post("/v1/orders", order, headers)

    def parallel(self, calls):
        """Calls side by side; their answers in order."""
        calls = list(calls)
        with concurrent.futures.ThreadPoolExecutor(max(1, len(calls))) as pool:
            return [job.result() for job in [pool.submit(call) for call in calls]]


class Sim(Program):
    """The simulated exchange, and its own record of what really happened."""

    def __init__(self, rig, *options):
        super().__init__("deltasim", rig.folder)
        self.rig, self.options, self.listen = rig, list(options), "127.0.0.1:0"

    def command(self):
        return [
            "--listen", self.listen, "--seed", "7", "--api-key", self.rig.api_key,
            "--trading-password", self.rig.password, "--data", self.folder / "exchange.json",
            *self.options,
        ]

    def start(self):
        super().start()
        # The daemon knows one address: a restart comes back on the same port.
        self.listen = urllib.parse.urlsplit(self.hello["listening"]).netloc
        return self

    @property
    def address(self):
        """Known also while it is started again, which another thread may do."""
        host, _, port = self.listen.rpartition(":")
        return host, int(port)

    @property
    def url(self):
        return "http://%s:%d" % self.address

    @property
    def stream_url(self):
        return "ws://%s:%d" % self.address

    def request(self, method, target, body=None, headers=None):
        connection = http.client.HTTPConnection(*self.address, timeout=REQUEST_SECONDS)
        sent = {"Content-Type": "application/json", **(headers or {})}
        return exchange_of(connection, method, target, encoded(body), sent)

    def control(self, verb, what, body=None, **query):
        """A call to /_sim/, which must succeed."""
        answer = self.request(verb, f"/_sim/{what}" + query_of(query), body)
        assert 200 <= answer.status < 300, f"{verb} /_sim/{what}: {answer}"
        return answer.json if answer.body else None

    def log(self, path=None, method=None, since=None):
        """Requests received, oldest first; a path may have * in it."""
        return self.control("GET", "log", path=path, method=method, since=since)

    def orders(self, market_maker=False):
        """Every order that ever was; those of the market maker only if asked for."""
        return self.control("GET", "orders", market_maker=None if market_maker else 0)

    def order(self, exchange_id):
        return self.control("GET", f"orders/{exchange_id}")

    def executions(self):
        return self.control("GET", "executions")

    def balances(self, account="main"):
        return self.control("GET", "balances")[account]

    def book(self, symbol="ADAUSDM"):
        return self.control("GET", "book", symbol=symbol)

    def sockets(self, stream=None):
        """The streams that are open now, or those of one name."""
        found = self.control("GET", "sockets")
        return [one for one in found if stream in (None, one["stream"])]

    def credit(self, asset, amount):
        return self.control("POST", "credit", {"asset": asset, "amount": str(amount)})

    def trade(self, **body):
        """An order of another trader."""
        body.setdefault("symbol", "ADAUSDM")
        return self.control("POST", "trade", body)

    def fill(self, exchange_id, base_quantity=None):
        """Another trader takes from this resting order; all of it unless told how much."""
        body = {"order_id": exchange_id}
        if base_quantity is not None:
            body["base_quantity"] = str(base_quantity)
        return self.control("POST", "trade", body)

    def faults(self, *rules):
        """Adds rules or switches, as sim/fault_wire.h describes them."""
        return self.control("POST", "faults", list(rules))

    def clear_faults(self):
        return self.control("DELETE", "faults")

    def hit(self, exchange_id, base_qty=None):
        """The same, but only for an order that is the next of its side."""
        body = {"order": exchange_id}
        if base_qty is not None:
            body["base_qty"] = str(base_qty)
        return self.control("POST", "fill", body)

    def drop(self, stream=None, code=None):
        """Ends sockets of a stream (a name or a glob), without a code as a broken line does; or
        the connections of all requests in flight."""
        body = {"stream": stream, "code": code}
        return self.control("POST", "drop", {k: v for k, v in body.items() if v is not None})

    def say(self, stream, text):
        """Raw text to every socket of a stream."""
        return self.control("POST", "send", {"stream": stream, "text": text})

    def mute(self, stream, muted=True):
        """Half-open: its sockets neither read, write nor answer pings."""
        return self.control("POST", "mute", {"stream": stream, "muted": muted})

    def storm(self, stream, per_second, seconds):
        """Made-up depth messages."""
        return self.control("POST", "storm", {
            "stream": stream, "per_second": per_second, "for_ms": int(seconds * 1000)})

    def maintain(self, seconds, phase=None):
        """The exchange restarts: streams close with 1001, then 503, then an empty 403."""
        body = {"for_ms": int(seconds * 1000)}
        return self.control("POST", "restart", {**body, "phase": phase} if phase else body)

    def lock(self, locked=True):
        return self.control("POST", "lock", {"locked": locked})

    def pass_time(self, seconds):
        return self.control("POST", "clock", {"advance_ms": int(seconds * 1000)})


class Daemon(Program):
    """deltagated. options: flags without their dashes; env: more environment variables."""

    def __init__(self, rig, env=None, **options):
        super().__init__("deltagated", rig.folder)
        self.rig, self.env, self.options = rig, dict(env or {}), options
        self.data_dir = rig.folder / "data"
        self.journal_file = self.data_dir / "journal.db"
        self.has_password = True
        self.told = []  # bodies and headers of every answer, for the search for secrets

    def command(self):
        flags = {"listen": "127.0.0.1:0", "data_dir": self.data_dir, "mode": "simulated"}
        if self.rig.sim.hello:
            flags.update(rest_url=self.rig.sim.url, stream_url=self.rig.sim.stream_url)
        flags.update({"log_level": "trace", **self.options})
        return [word for name, value in flags.items() if value is not None
                for word in (f"--{name.replace('_', '-')}", value)]

    def environment(self):
        given = {"DELTADEFI_API_KEY": self.rig.api_key}
        if self.has_password:
            given["TRADING_PASSWORD"] = self.rig.password
        given.update(self.env)
        return {**super().environment(), **{k: v for k, v in given.items() if v is not None}}

    @property
    def address(self):
        url = urllib.parse.urlsplit(self.hello["listening"])
        return url.hostname, url.port

    @property
    def url(self):
        return "http://%s:%d" % self.address

    @property
    def socket(self):
        return self.hello["socket"]

    @property
    def admin(self):
        """The Unix socket: the daemon's own user needs no token."""
        return App(self, unix=True)

    def app(self, *scopes, name=None, **limits):
        """A new app with a token of its own: read, trade and market unless scopes are given."""
        body = {"name": name or f"app-{secrets.token_hex(4)}",
                "scopes": list(scopes or ("read", "trade", "market")), **limits}
        answer = self.admin.post("/v1/admin/tokens", body)
        assert answer.status == 201, answer
        token = answer.json["token"]
        self.rig.secrets[f"token {body['name']}"] = token.split("_", 2)[2]
        return App(self, token)

    def ready(self):
        """Waits until new orders are taken."""
        wait_for(lambda: self.admin.get("/readyz").status == 200, 15, "the daemon is ready")
        return self

    def journal(self, sql):
        """Rows, as an operator sees them while the daemon writes."""
        done = subprocess.run(
            ["sqlite3", "-readonly", "-json", self.journal_file, sql],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else []

    def events(self, name=None):
        """Lines of the log, parsed; name picks one event or, with a * at its end, a family. One
        that crosses a page of the file may be seen before its end is."""
        text = self.log_text()
        whole = text[:text.rfind("\n") + 1].splitlines()
        lines = [json.loads(line) for line in whole if line[:1] == "{"]
        if name is None:
            return lines
        stem = name.rstrip("*")
        return [line for line in lines if line["event"] == name
                or (name.endswith("*") and line["event"].startswith(stem))]

    def cli(self, *args, stdin="", check=True):
        """The command line, over the Unix socket."""
        done = subprocess.run(
            [BUILD / "deltagate", "--data-dir", self.data_dir, *map(str, args)],
            input=stdin, capture_output=True, text=True, timeout=60 * SLOWNESS, check=False,
            env=Program.environment(self),
        )
        assert done.returncode == 0 or not check, f"{args}: {done.returncode} {done.stderr}"
        return done


class Rig:
    """A simulator and a daemon, their folder, and the secrets that must not show."""

    def __init__(self, market_maker=False, env=None, **options):
        # Short: a Unix socket's path has 107 bytes.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dg-", dir="/tmp"))
        self.api_key = f"canary-key-{secrets.token_hex(16)}"
        self.password = f"canary-password-{secrets.token_hex(16)}"
        self.secrets = {"API key": self.api_key, "trading password": self.password}
        self.sim = Sim(self, *(["--market-maker"] if market_maker else []))
        self.daemon = Daemon(self, env, **options)

    def start(self):
        self.sim.start()
        self.daemon.start()
        if self.daemon.has_password:
            self.daemon.ready()
        return self

    def app(self, *scopes, **limits):
        return self.daemon.app(*scopes, **limits)

    def finish(self):
        """Stops what runs and checks what must hold after every test."""
        try:
            if self.daemon.is_running():
                self.daemon.stop()
            if self.sim.is_running():
                self.sim.stop()
            self.daemon.check_sanitizers()
            self.sim.check_sanitizers()
            self.check_secrets()
        finally:
            self.remove()

    def remove(self):
        for program in (self.daemon, self.sim):
            if program.is_running():
                program.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def places(self):
        """Where secrets must not be: the daemon's output, its files, what it told anyone."""
        yield "stdout", self.daemon.out_file.read_bytes() if self.daemon.out_file.exists() else b""
        yield "the log", self.daemon.log_file.read_bytes() if self.daemon.log_file.exists() else b""
        for path in sorted(self.daemon.data_dir.rglob("*")):
            if path.is_file():
                yield path.name, path.read_bytes()
        yield "an answer", b"\n".join(self.daemon.told)

    def check_secrets(self):
        for place, content in self.places():
            for name, secret in self.secrets.items():
                for form, word in forms_of(secret):
                    assert word not in content, f"the {name} ({form}) is in {place}"


def forms_of(secret):
    """How a secret may have been written down. base64 depends on what stands in front of it."""
    raw = secret.encode()
    yield "as it is", raw
    yield "in hex", raw.hex().encode()
    yield "in hex", raw.hex().upper().encode()
    for skipped in range(3):
        yield "in base64", base64.b64encode(b"\0" * skipped + raw)[4:-4]
