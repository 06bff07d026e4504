"""deltagate tail and deltagate streams: events as they happen, whatever ends a connection."""
import contextlib
import fcntl
import http.server
import json
import os
import re
import signal
import socket
import struct
import subprocess
import termios
import threading

import pytest

from rig import BUILD, SLOWNESS, Program, wait_for
from stream_app import SCHEMA, Chains

PROGRAM = BUILD / "deltagate"
DONE, REFUSED, USAGE, UNREACHABLE = 0, 1, 2, 3
SECONDS = 20


class Tail:
    """One deltagate tail. Its stdout is a file, or a pipe that is read only when asked for."""

    def __init__(self, rig, *words, way=None, pipe=False):
        self.name = f"tail-{os.urandom(4).hex()}"
        self.out, self.err = rig.folder / f"{self.name}.out", rig.folder / f"{self.name}.err"
        command = [PROGRAM, *(way or ("--data-dir", rig.daemon.data_dir)), "tail", *words]
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipe else out, stderr=err,
                env=Program.environment(rig.daemon))

    @property
    def lines(self):
        return self.out.read_text().splitlines()

    @property
    def messages(self):
        """Of --json. What is half written is not there yet."""
        text = self.out.read_text()
        return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]

    @property
    def events(self):
        return [m for m in self.messages if m["op"] == "event"]

    @property
    def notes(self):
        return self.err.read_text()

    def await_lines(self, count):
        return wait_for(lambda: len(self.lines) >= count and self.lines, SECONDS,
                        f"{count} lines; stderr: {self.notes}")

    def await_event(self, channel, wanted=lambda data: True):
        return wait_for(
            lambda: next((m for m in self.events
                          if m["ch"] == channel and wanted(m["data"])), None),
            SECONDS, f"an event of {channel}; stderr: {self.notes}")

    def await_note(self, words):
        return wait_for(lambda: words in self.notes, SECONDS, f"{words!r} in: {self.notes}")

    def wait(self):
        status = self.process.wait(SECONDS * SLOWNESS)
        assert "Sanitizer" not in self.notes and "runtime error" not in self.notes, self.notes
        return status

    def stop(self, signum=signal.SIGINT):
        self.process.send_signal(signum)
        return self.wait()


@pytest.fixture
def tail(rig):
    """Starts tails of this rig's daemon, which end with the test."""
    started = []

    def start(*words, **options):
        started.append(Tail(rig, *words, **options))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        one.process.wait()


def chain_of(messages):
    """Each follows the one before it, as the messages say themselves."""
    chains = Chains()
    for message in messages:
        SCHEMA.check(message)
        chains.follow(message)
    return chains.last


def state_is(*states):
    return lambda order: order["state"] in states


def restart_same_port(daemon):
    """As after a crash: at the same address."""
    daemon.kill()
    daemon.options["listen"] = "%s:%d" % daemon.address
    return daemon.start().ready()


# ---- what it prints -----------------------------------------------------------------------

def test_s43_twenty_tails_of_the_account_print_the_same_events(rig, app, tail):
    tails = [tail("account", "--json") for _ in range(20)]
    for one in tails:
        one.await_lines(3)
    for number in range(5):
        assert app.order(client_order_id=f"same-{number}").status == 201
    exchange_id = app.get("/v1/orders/client:same-0").json["exchange_order_id"]
    wait_for(lambda: rig.sim.order(exchange_id)["status"] == "open", SECONDS, "on the book")
    rig.sim.fill(exchange_id, 40)
    rig.sim.credit("ADA", 5)

    def event_lines():
        """Of each tail, once all have printed the newest event."""
        newest = rig.daemon.journal("select max(seq) as n from channel_events "
                                    "where channel <> 'system'")[0]["n"]
        assert tails[0].await_event("fills")
        assert all(one.events[-1]["seq"] == newest for one in tails)
        return [[line for line in one.lines if '"op":"event"' in line] for one in tails]

    printed = wait_for(event_lines, SECONDS, "all have printed the newest")
    # Their snapshots may be of different moments, before the first order.
    first = max(json.loads(lines[0])["seq"] for lines in printed)
    alike = {"\n".join(line for line in lines if json.loads(line)["seq"] >= first)
             for lines in printed}
    assert len(alike) == 1
    assert len(alike.pop().splitlines()) >= 5 * 4 + 2
    for one in tails:
        chain_of(one.messages)
        assert one.stop() == DONE


@pytest.mark.rig(market_maker=True)
def test_json_prints_every_message_and_people_one_line_for_each_event(rig, app, tail):
    channels = ("orders", "fills", "balances", "system", "depth:ADAUSDM", "price:ADAUSDM",
                "trades:ADAUSDM")
    machine, people = tail("--json", *channels), tail(*channels)
    wait_for(lambda: {m["ch"] for m in machine.messages if m["op"] == "snapshot"}
             == set(channels), SECONDS, "all snapshots")
    people.await_lines(7)
    order = app.order(type="market", base_quantity="20", max_slippage_basis_point=200).json
    machine.await_event("orders", state_is("filled"))
    fill = machine.await_event("fills")["data"]
    machine.await_event("trades:ADAUSDM")
    assert {m["op"] for m in machine.messages} <= {"snapshot", "event", "status"}
    chain_of(machine.messages)
    wanted = [f"orders  {order['order_id']} buy ADAUSDM 20 @ market filled, executed 20",
              f"fills  {order['order_id']} buy ADAUSDM 20 @ {fill['price']} taker",
              "balances  ADA free ", "depth:ADAUSDM  bid ", "price:ADAUSDM  0.",
              "trades:ADAUSDM  buy 20 @ ", "system now  "]
    for words in wanted:
        wait_for(lambda words=words: any(words in line for line in people.lines), SECONDS, words)
    for line in people.lines:
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z  \S+( now)?  \S", line), line
    assert people.stop() == DONE
    assert machine.stop(signal.SIGTERM) == DONE


def test_count_ends_it_and_says_how_to_go_on(rig, app, tail):
    assert app.order(client_order_id="early-1").status == 201
    first = tail("orders", "--json", "--count", 3)
    first.await_lines(1)
    assert app.order(client_order_id="counted-1").status == 201
    assert first.wait() == DONE
    assert [m["op"] for m in first.messages] == ["snapshot"] + ["event"] * 3
    position = re.search(r"--after '(.*)'", first.notes).group(1)
    app.order(client_order_id="later-1")
    second = tail("orders", "--json", "--after", position)
    second.await_event("orders", lambda o: o["client_order_id"] == "later-1"
                       and o["state"] == "open")
    assert second.events[0]["prev"] == first.events[-1]["seq"]
    assert {m["op"] for m in second.messages} == {"event"}
    assert second.stop() == DONE


def test_without_snapshots_only_what_happens_is_printed(rig, app, tail):
    one = tail("orders", "system", "--json", "--no-snapshot")
    wait_for(lambda: app.order().status == 201 and one.events, SECONDS, "an event")
    assert {m["op"] for m in one.messages} == {"event"}
    assert one.stop() == DONE


def test_a_tail_sees_what_its_token_may_see(rig, tail):
    mine, other = rig.app("read", "trade"), rig.app("read", "trade")
    token = rig.folder / "token"
    token.touch(mode=0o600)
    token.write_text(mine.token)
    own = tail("orders", "--json", way=("--url", rig.daemon.url, "--token-file", token))
    own.await_lines(1)
    assert other.order(client_order_id="other-1").status == 201
    assert mine.order(client_order_id="mine-1").status == 201
    own.await_event("orders", state_is("open"))
    assert {m["data"]["client_order_id"] for m in own.events} == {"mine-1"}
    every = tail("orders", "--all", way=("--url", rig.daemon.url, "--token-file", token))
    assert every.wait() == REFUSED
    assert "scope-missing" in every.notes


# ---- what ends it -------------------------------------------------------------------------

def test_what_cannot_be_listened_to_ends_it_at_once(rig, tail):
    assert tail("order").wait() == REFUSED
    assert tail("depth:NOSUCH").wait() == REFUSED
    for words in ([], ["orders,fills"], [""], ["orders", "--after", "orders=1"],
                  ["orders", "--count", "0"]):
        assert tail(*words).wait() == USAGE, words
    token = rig.folder / "token"
    token.touch(mode=0o600)
    way = ("--url", rig.daemon.url, "--token-file", token)
    token.write_text(rig.app("read").token)
    scope = tail("price:ADAUSDM", way=way)
    assert scope.wait() == REFUSED
    assert "scope-missing" in scope.notes
    token.write_text("dg_0123456789abcdef_" + "x" * 43)
    stranger = tail("orders", way=way)
    assert stranger.wait() == REFUSED
    assert "unauthorized" in stranger.notes


def test_a_revoked_token_ends_it(rig, tail):
    app = rig.app("read")
    token = rig.folder / "token"
    token.touch(mode=0o600)
    token.write_text(app.token)
    one = tail("orders", way=("--url", rig.daemon.url, "--token-file", token))
    one.await_lines(1)
    rig.daemon.cli("token", "revoke", app.token.split("_")[1])
    assert one.wait() == REFUSED
    assert "4401" in one.notes or "unauthorized" in one.notes


def test_without_a_daemon_it_says_so_unless_it_is_to_wait(rig, app, tail):
    rig.daemon.stop()
    none = tail("orders")
    assert none.wait() == UNREACHABLE
    assert "no daemon answers" in none.notes
    patient = tail("orders", "--wait", "--json")
    patient.await_note("trying again")
    rig.daemon.start().ready()
    patient.await_lines(1)
    assert rig.daemon.cli("buy", "ADAUSDM", "100", "--price", "0.45").returncode == DONE
    patient.await_event("orders", state_is("open"))
    assert patient.notes.count("trying again") == 1
    assert patient.stop() == DONE


def test_it_ends_quietly_when_nobody_reads_any_more(rig, app, tail):
    one = tail("orders", "--json", pipe=True)
    one.process.stdout.readline()
    one.process.stdout.close()
    assert app.order().status == 201
    assert one.wait() == DONE
    assert one.notes == ""


@pytest.mark.rig(heartbeat_ms="200")
def test_that_nobody_reads_is_noticed_without_an_event(rig, tail):
    one = tail("orders", "--json", pipe=True)
    one.process.stdout.readline()
    one.process.stdout.close()
    assert one.wait() == DONE
    assert one.notes == ""


def test_a_full_disk_ends_it(rig, tail):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([PROGRAM, "--data-dir", rig.daemon.data_dir, "tail", "orders"],
                              stdout=full, stderr=subprocess.PIPE, text=True, check=False,
                              timeout=SECONDS * SLOWNESS)
    assert done.returncode == REFUSED
    assert "No space left" in done.stderr


# ---- what does not end it -----------------------------------------------------------------

def test_nothing_is_missed_or_doubled_over_kills_of_the_daemon(rig, app, tail):
    one = tail("account", "--json")
    one.await_lines(3)
    for number in range(4):
        name = f"round-{number}"
        app.order(client_order_id=name)
        if number % 2:
            one.await_event("orders", lambda o: o["client_order_id"] == name)
        restart_same_port(rig.daemon)
    app.order(client_order_id="last-1")
    one.await_event("orders",
                    lambda o: o["client_order_id"] == "last-1" and o["state"] == "open")
    one.await_note("connected again")
    told = rig.daemon.journal("select seq from channel_events where channel <> 'system' "
                              "order by seq")
    first = {m["ch"]: m["seq"] for m in one.messages if m["op"] == "snapshot"}
    wait_for(lambda: one.events[-1]["seq"] >= told[-1]["seq"], SECONDS)
    for channel, seq in first.items():
        rows = rig.daemon.journal(f"select seq from channel_events where channel = '{channel}' "
                                  f"and seq > {seq} order by seq")
        printed = [m["seq"] for m in one.events if m["ch"] == channel]
        assert printed[:len(rows)] == [row["seq"] for row in rows], channel
    chain_of(one.messages)
    assert one.stop() == DONE
    assert "missed" not in one.notes


@pytest.mark.rig(market_maker=True)
def test_trades_that_nobody_told_it_are_announced(rig, tail):
    one = tail("trades:ADAUSDM", "--json")
    one.await_lines(1)
    rig.sim.trade(side="buy", type="market", base_quantity="20")
    one.await_event("trades:ADAUSDM")
    restart_same_port(rig.daemon)
    wait_for(lambda: any(m["op"] == "gap" for m in one.messages), SECONDS, "a gap")
    assert "trades:ADAUSDM: a gap" in one.notes
    chain_of(one.messages)
    assert one.stop() == REFUSED


@pytest.mark.rig(subscriber_slow_ms="60000")
def test_a_stopped_reader_gets_everything_once_it_goes_on(rig, app, tail):
    one = tail("orders", "--json", pipe=True)
    lines = [one.process.stdout.readline()]
    one.process.send_signal(signal.SIGSTOP)
    for number in range(6):
        assert app.order(client_order_id=f"slow-{number}").status == 201
    one.process.send_signal(signal.SIGCONT)
    while not ('"slow-5"' in lines[-1].decode() and '"open"' in lines[-1].decode()):
        lines.append(one.process.stdout.readline())
    chain_of(map(json.loads, lines))
    assert one.stop() == DONE


# ---- one that is no daemon ----------------------------------------------------------------

PROBLEM = b'{"code":"stopping","detail":"the daemon is stopping"}'


class Fake:
    """Answers one GET after the other with these bytes, or this status, then ends; the last for
    ever. Keeps what was asked."""

    def __init__(self, *answers, content_type="text/event-stream"):
        self.asked = []
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802, pylint: disable=invalid-name
                fake.asked.append((self.path, self.headers.get("Last-Event-ID")))
                answer = answers[min(len(fake.asked), len(answers)) - 1]
                self.send_response(answer if isinstance(answer, int) else 200)
                self.send_header("Content-Type", content_type)
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(PROBLEM if isinstance(answer, int) else answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    @property
    def way(self):
        return ("--url", "http://127.0.0.1:%d" % self.server.server_address[1],
                "--token-file", self.token)


def events(*messages):
    return b"".join(b"data: " + json.dumps(message).encode() + b"\n\n" for message in messages)


def hello(epoch="e1"):
    return {"op": "hello", "epoch": epoch, "heartbeat_ms": 1000}


def subscribed(recovered):
    return {"op": "subscribed", "ch": "orders", "seq": 5, "recovered": recovered}


SNAPSHOT = {"op": "snapshot", "ch": "orders", "seq": 5, "data": []}


def event(seq, prev):
    return {"op": "event", "ch": "orders", "seq": seq, "prev": prev, "data": {"n": seq}}


@pytest.fixture
def fake(rig):
    token = rig.folder / "fake-token"
    token.touch(mode=0o600)
    token.write_text("dg_0123456789abcdef_" + "x" * 43)
    with contextlib.ExitStack() as stack:
        def make(*bodies, **options):
            one = stack.enter_context(Fake(*bodies, **options))
            one.token = token
            return one
        yield make


def test_what_was_missed_is_told_and_shows_in_the_exit_status(tail, fake):
    cases = {
        "without a word": (events(hello(), subscribed(False), SNAPSHOT, event(6, 5),
                                  event(8, 7)),),
        "up to a heartbeat": (events(hello(), subscribed(False), SNAPSHOT, event(6, 5),
                                     {"op": "hb", "last": {"orders": 7}}, event(8, 7)),),
        "a snapshot again": (events(hello(), subscribed(False), SNAPSHOT, event(6, 5)),
                             events(hello(), subscribed(False), {**SNAPSHOT, "seq": 9},
                                    event(10, 9))),
        "another journal": (events(hello(), subscribed(False), SNAPSHOT, event(6, 5)),
                            events(hello("e2"), subscribed(False), SNAPSHOT, event(6, 5))),
        "a gap": (events(hello(), subscribed(False), SNAPSHOT, event(6, 5),
                         {"op": "gap", "ch": "orders", "seq": 7, "prev": 6,
                          "reason": "upstream"}, event(8, 7)),),
        "no longer kept": (events(hello(), subscribed(False), SNAPSHOT, event(6, 5)),
                           events(hello(), {"op": "error", "code": "invalid-parameter",
                                            "detail": "kept from 8 on"},
                                  {"op": "closing", "code": 4410, "reason": "too old"}),
                           events(hello(), subscribed(False), SNAPSHOT, event(6, 5))),
    }
    for name, bodies in cases.items():
        one = tail("orders", "--json", "--count", 2, way=fake(*bodies).way)
        assert one.wait() == REFUSED, (name, one.notes)
        assert "missed" in one.notes or "missing" in one.notes or "a gap" in one.notes, name
        assert len(one.events) == 2, name


def test_ctrl_c_ends_it_while_its_reader_has_stopped(tail, fake):
    many = [event(seq, seq - 1) for seq in range(6, 10000)]
    one = tail("orders", "--json", way=fake(events(hello(), subscribed(False), SNAPSHOT,
                                                   *many)).way, pipe=True)

    def held():
        return struct.unpack("i", fcntl.ioctl(one.process.stdout, termios.FIONREAD, b"1234"))[0]

    wait_for(lambda: held() > 60000, SECONDS, "the pipe is full")
    assert one.stop() == DONE


def test_what_comes_again_is_printed_once(tail, fake):
    way = fake(events(hello(), subscribed(False), SNAPSHOT, event(6, 5), event(6, 5),
                      event(7, 6))).way
    one = tail("orders", "--json", "--count", 2, way=way)
    assert one.wait() == DONE
    assert [m["seq"] for m in one.events] == [6, 7]
    assert "came twice" in one.notes


def test_it_asks_for_what_follows_the_last_event_it_printed(tail, fake):
    source = fake(events(hello(), subscribed(False), SNAPSHOT, event(6, 5)),
                  events(hello(), subscribed(True), event(9, 6)))
    one = tail("orders", "--json", "--count", 2, way=source.way)
    assert one.wait() == DONE
    assert source.asked == [("/v1/events?ch=orders", None), ("/v1/events?ch=orders", "e1;orders=6")]
    assert "e1;orders=9" in one.notes


@pytest.mark.parametrize("code", [1001, 4008, 4408, 4429, 4500])
def test_a_connection_that_was_closed_is_followed_by_another(tail, fake, code):
    closing = {"op": "closing", "code": code, "reason": "so it is"}
    source = fake(events(hello(), subscribed(False), SNAPSHOT, event(6, 5), closing),
                  503, 429, events(hello(), subscribed(True), event(9, 6)))
    one = tail("orders", "--json", "--count", 2, way=source.way)
    assert one.wait() == DONE
    assert [asked[1] for asked in source.asked] == [None] + ["e1;orders=6"] * 3
    assert f"{code}: so it is" in one.notes


@pytest.mark.parametrize("code", [4400, 4401, 4403, 4410])
def test_a_connection_that_was_closed_for_good_is_not(tail, fake, code):
    source = fake(events(hello(), {"op": "closing", "code": code, "reason": "so it is"}))
    one = tail("orders", "--json", "--after", "e1;orders=6", way=source.way)
    assert one.wait() == REFUSED
    assert len(source.asked) == 1
    assert f"{code}: so it is" in one.notes


def test_who_is_no_daemon_is_found_out(tail, fake):
    rubbish = (b"hello\n\n", b"data: {}\n\n", b"data: 7\n\n", b"data: [\n\n",
               events({"op": "event", "ch": "orders", "seq": 1, "prev": 0}),
               events(hello(), event(6, 6)), events(hello(), {**SNAPSHOT, "ch": "fills"}),
               events(hello("e" * 100)), b"data: {\"op\":\ndata: \"hello\"}\n\n")
    for body in rubbish:
        one = tail("orders", way=fake(body).way)
        assert one.wait() == REFUSED, body
        assert "is this a deltagate?" in one.notes, body
    page = tail("orders", way=fake(b"<html>", content_type="text/html").way)
    assert page.wait() == REFUSED
    assert "is this a deltagate?" in page.notes


def test_a_daemon_that_falls_silent_is_left_for_a_new_connection(rig, tail):
    """A daemon that hangs: it takes connections."""
    token = rig.folder / "token"
    token.touch(mode=0o600)
    token.write_text(rig.app("read").token)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SECONDS * SLOWNESS)
        one = tail("orders", way=("--url", "http://127.0.0.1:%d" % listener.getsockname()[1],
                                  "--token-file", token))
        first, _ = listener.accept()
        first.recv(65536)
        body = events({**hello(), "heartbeat_ms": 1})
        first.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n"
                      % (len(body), body))
        second, _ = listener.accept()
        one.await_note("nothing came for too long")
        assert one.stop() == DONE
        first.close()
        second.close()


def test_a_terminal_gets_nothing_but_text(tail, fake):
    nasty = {**event(6, 5), "ch": "orders", "data": {"order_id": "\x1b[2J\u202e"}}
    way = fake(events(hello(), subscribed(False), nasty,
                      {"op": "closing", "code": 4400, "reason": "\x1b[2Jno"})).way
    one = tail("orders", way=way)
    assert one.wait() == REFUSED
    for text in (one.out.read_text(), one.notes):
        assert "\x1b" not in text


# ---- the exchange's streams ---------------------------------------------------------------

def test_streams_are_shown_stopped_and_started(rig):
    wait_for(lambda: rig.sim.sockets("account"), SECONDS, "the account's stream")
    shown = rig.daemon.cli("streams").stdout.splitlines()
    assert shown[0].split()[:2] == ["STREAM", "STATE"]
    assert any(line.split()[0] == "account" for line in shown[1:])
    machine = json.loads(rig.daemon.cli("streams", "--json").stdout)
    theirs = rig.daemon.admin.get("/v1/health").json["streams"]
    assert machine.keys() == {"streams"} and machine["streams"].keys() == theirs.keys()
    stopped = json.loads(rig.daemon.cli("--json", "streams", "stop", "account").stdout)
    assert stopped["streams"]["account"]["is_stopped"]
    wait_for(lambda: not rig.sim.sockets("account"), SECONDS, "no socket")
    started = rig.daemon.cli("streams", "start", "account").stdout
    assert "account" in started
    wait_for(lambda: rig.sim.sockets("account"), SECONDS, "the account's stream again")
    unknown = rig.daemon.cli("streams", "stop", "../orders", check=False)
    assert unknown.returncode == REFUSED
