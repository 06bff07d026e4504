"""The command line, as operators and scripts use it: exit status, stdout, stderr, the terminal."""
import contextlib
import http.server
import json
import os
import pathlib
import pty
import re
import select
import signal
import socketserver
import subprocess
import termios
import threading

import pytest

from facts import live_on_exchange, on_book
from rig import BUILD, SLOWNESS, Program, wait_for

PROGRAM = BUILD / "deltagate"
DONE, REFUSED, USAGE, UNREACHABLE = 0, 1, 2, 3


ENVIRONMENT = Program("deltagate", pathlib.Path("/")).environment()


def run(*args, stdin="", env=None):
    """The program by itself; its stdin is a pipe."""
    return subprocess.run([PROGRAM, *map(str, args)], input=stdin, capture_output=True, text=True,
                          timeout=60 * SLOWNESS, check=False, env={**ENVIRONMENT, **(env or {})})


def said(done):
    return f"{done.args} -> {done.returncode}\n{done.stdout}\n{done.stderr}"


def table(text):
    """A table's lines as dictionaries. No cell has two spaces in a row."""
    head, *lines = [re.split(r" {2,}", line.strip()) for line in text.splitlines()]
    return [dict(zip(head, line)) for line in lines]


def members(text):
    return dict(re.split(r" {2,}", line, maxsplit=1) for line in text.splitlines() if line)


# ---- looking ------------------------------------------------------------------------------

READS = {
    "health": "/v1/health",
    "limits": "/v1/limits",
    "balances": "/v1/balances",
    "markets": "/v1/markets",
    "price ADAUSDM": "/v1/markets/ADAUSDM/price",
    "orders --all": "/v1/orders?owner=any",
    "orders --all --state open --symbol ADAUSDM --limit 1":
        "/v1/orders?owner=any&state=open&symbol=ADAUSDM&limit=1",
    "order --all client:look-1": "/v1/orders/client:look-1?owner=any",
    "fills --all": "/v1/fills?owner=any",
    "token list": "/v1/admin/tokens",
    "journal events --all client:look-1": "/v1/orders/client:look-1/events?owner=any",
}
MOVING = {"uptime_s", "age_ms", "as_of", "last_answer_at", "last_alive_age_ms",
          "last_message_age_ms", "lag_ms", "waiting", "available", "utilization"}


def resting(value):
    """Without what changes by itself."""
    if isinstance(value, dict):
        return {k: resting(v) for k, v in value.items() if k not in MOVING}
    return [resting(item) for item in value] if isinstance(value, list) else value


def test_each_reading_command_shows_what_the_api_says(rig, app):
    assert app.order(client_order_id="look-1").status == 201
    for line, path in READS.items():
        machine = rig.daemon.cli("--json", *line.split())
        theirs = rig.daemon.admin.get(path).json
        assert resting(json.loads(machine.stdout)) == resting(theirs), line
        people = rig.daemon.cli(*line.split())
        assert people.stdout and "\x1b" not in people.stdout, said(people)


def test_tables_have_a_line_for_each_order(rig, app):
    for number in range(3):
        assert app.order(client_order_id=f"row-{number}", base_quantity=f"2{number}").status == 201
    rows = table(rig.daemon.cli("orders", "--all").stdout)
    assert [row["BASE_QTY"] for row in rows] == ["22", "21", "20"]
    assert {row["STATE"] for row in rows} == {"open"}
    one = members(rig.daemon.cli("order", "--all", "client:row-1").stdout)
    assert one["order"] == rows[1]["ORDER_ID"]
    assert one["base quantity"] == "21"
    steps = table(rig.daemon.cli("journal", "events", "--all", one["order"]).stdout)
    assert [step["EVENT"] for step in steps] == ["accepted", "dispatch", "sign", "ack"]


def test_what_follows_a_page_is_told_and_can_be_asked_for(rig, app):
    for number in range(3):
        assert app.order(client_order_id=f"page-{number}").status == 201
    first = rig.daemon.cli("orders", "--all", "--limit", 2)
    cursor = re.search(r"--cursor (\S+)", first.stderr).group(1)
    second = rig.daemon.cli("orders", "--all", "--limit", 2, "--cursor", cursor)
    assert len(table(first.stdout)) == 2
    assert len(table(second.stdout)) == 1
    assert second.stderr == ""


def test_an_operator_is_told_that_the_apps_have_orders_too(rig, app):
    order = app.order().json["order_id"]
    empty = rig.daemon.cli("orders")
    assert table(empty.stdout) == []
    assert "--all" in empty.stderr
    for command in ("order", "cancel"):
        unknown = rig.daemon.cli(command, order, check=False)
        assert unknown.returncode == REFUSED
        assert "not-found" in unknown.stderr and "--all" in unknown.stderr
    assert rig.daemon.cli("cancel", order, "--all").returncode == DONE


def test_status_says_what_an_operator_looks_at_first(rig):
    people = members(rig.daemon.cli("status").stdout)
    assert people["status"] == "ok"
    assert people["operation key open"] == "yes"
    machine = json.loads(rig.daemon.cli("status", "--json").stdout)
    assert machine["health"]["status"] == "ok"
    assert machine["limits"]["capacity"] == 5


# ---- trading ------------------------------------------------------------------------------

def test_amounts_reach_the_exchange_as_they_were_typed(rig):
    rig.daemon.cli("buy", "ADAUSDM", "100.10", "--price", "0.4500", "--post-only")
    rig.daemon.cli("sell", "ADAUSDM", "12.5", "--price", "0.9")
    buy, sell = sorted(rig.sim.orders(), key=lambda order: order["side"])
    assert (buy["side"], sell["side"]) == ("buy", "sell")
    assert (float(buy["price"]), float(buy["base_qty"])) == (0.45, 100.1)
    rows = rig.daemon.journal("select side, base_qty, price from v_orders order by side")
    assert rows == [{"side": "buy", "base_qty": "100.1", "price": "0.45"},
                    {"side": "sell", "base_qty": "12.5", "price": "0.9"}]


@pytest.mark.rig(market_maker=True)
def test_market_orders_need_a_word_about_slippage(rig):
    refused = rig.daemon.cli("buy", "ADAUSDM", "100", "--market", check=False)
    assert refused.returncode == USAGE
    assert "--slippage" in refused.stderr
    rig.daemon.cli("buy", "ADAUSDM", "100", "--market", "--slippage", "200")
    rig.daemon.cli("sell", "ADAUSDM", "20", "--quote", "--market", "--unbounded")
    first, second = [json.loads(entry["body"]) for entry in rig.sim.log("/order/build", "POST")]
    assert first["max_slippage_basis_point"] == "200"
    assert second["quote_quantity"] == "20"
    wait_for(lambda: len(table(rig.daemon.cli("fills").stdout)) >= 2, 10)


def test_the_same_id_places_one_order(rig):
    command = ("buy", "ADAUSDM", "100", "--price", "0.45", "--id", "again-1")
    first = rig.daemon.cli("--json", *command)
    second = rig.daemon.cli("--json", *command)
    assert json.loads(first.stdout)["order_id"] == json.loads(second.stdout)["order_id"]
    assert "nothing new was placed" in second.stderr
    other = rig.daemon.cli("buy", "ADAUSDM", "99", "--price", "0.45", "--id", "again-1",
                           check=False)
    assert other.returncode == REFUSED
    assert "client-order-id-conflict" in other.stderr
    assert len(rig.sim.orders()) == 1


def test_a_refusal_is_told_with_its_code_and_stays_one(rig):
    rig.sim.faults({"match": {"path": "/order/submit"}, "times": 1, "when": "before",
                    "answer": {"status": 400, "code": 4304, "error": "no funds"}})
    command = ("buy", "ADAUSDM", "100", "--price", "0.45", "--id", "refused-1")
    first = rig.daemon.cli(*command, check=False)
    assert first.returncode == REFUSED
    assert "exchange-refused" in first.stderr and "4304" in first.stderr, said(first)
    again = rig.daemon.cli(*command, check=False)
    assert again.returncode == REFUSED, said(again)
    assert table(again.stdout)[0]["STATE"] == "rejected"


def test_with_json_a_refusal_is_the_problem_document(rig):
    refused = rig.daemon.cli("--json", "buy", "ADAUSDM", "0.001", "--price", "0.45", check=False)
    assert refused.returncode == REFUSED
    assert refused.stdout == ""
    assert json.loads(refused.stderr)["code"] == "invalid-parameter"


def test_an_order_without_an_outcome_is_no_failure_and_says_so(rig):
    rig.sim.faults({"match": {"path": "/order/submit"}, "delay_ms": 1500, "times": 1})
    done = rig.daemon.cli("buy", "ADAUSDM", "100", "--price", "0.45", "--wait", "0")
    assert "no outcome yet" in done.stderr
    order = table(done.stdout)[0]["ORDER_ID"]
    assert f"deltagate order {order}" in done.stderr
    late = rig.daemon.cli("buy", "ADAUSDM", "100", "--price", "0.45", "--async")
    assert table(late.stdout)[0]["STATE"] == "accepted"
    wait_for(lambda: members(rig.daemon.cli("order", order).stdout)["state"] == "open", 10)


def test_orders_are_cancelled_one_by_one_and_all_at_once(rig):
    ids = [json.loads(rig.daemon.cli("--json", "buy", "ADAUSDM", "100", "--price", price).stdout)
           ["order_id"] for price in ("0.41", "0.42", "0.43")]
    one = rig.daemon.cli("cancel", ids[0])
    assert table(one.stdout)[0]["STATE"] == "cancelled"
    rest = table(rig.daemon.cli("cancel-all", "ADAUSDM").stdout)
    assert {(row["ORDER_ID"], row["OUTCOME"]) for row in rest} == {
        (ids[1], "cancelled"), (ids[2], "cancelled")}
    assert live_on_exchange(rig.sim) == []
    last = json.loads(rig.daemon.cli("--json", "buy", "ADAUSDM", "100", "--price", "0.6",
                                     "--id", "filled-1").stdout)
    rig.sim.fill(on_book(rig.sim, last)["id"])
    too_late = rig.daemon.cli("cancel", "client:filled-1", check=False)
    assert too_late.returncode == REFUSED
    assert "order-final" in too_late.stderr


# ---- a lost answer ------------------------------------------------------------------------

def start_buying(rig, *flags):
    """A buy that waits for a slow exchange, and has reached it."""
    rig.sim.faults({"match": {"path": "/order/submit"}, "delay_ms": 4000, "times": 1})
    process = subprocess.Popen(
        [PROGRAM, "--data-dir", rig.daemon.data_dir, "buy", "ADAUSDM", "100", "--price", "0.45",
         "--wait", "30", *flags],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=ENVIRONMENT)
    wait_for(lambda: rig.daemon.journal("select 1 from v_orders where state = 'submitting'"), 10)
    return process


def name_in(errors):
    return re.search(r"deltagate order (client:cli-[0-9a-f]{24})\b", errors).group(1)


def test_an_order_whose_answer_is_lost_is_found_again_by_its_id(rig):
    process = start_buying(rig)
    rig.daemon.kill()
    out, errors = process.communicate(timeout=30 * SLOWNESS)
    assert process.returncode == UNREACHABLE, errors
    assert out == ""
    assert "may have been placed" in errors
    name = name_in(errors)
    rig.daemon.start().ready()
    wait_for(lambda: members(rig.daemon.cli("order", name).stdout)["state"] == "open", 20)
    again = rig.daemon.cli("buy", "ADAUSDM", "100", "--price", "0.45", "--id", name[7:])
    assert "nothing new was placed" in again.stderr
    assert len(rig.sim.orders()) == 1


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_who_interrupts_a_buy_is_told_that_it_may_be_placed(rig, signum):
    process = start_buying(rig)
    process.send_signal(signum)
    _, errors = process.communicate(timeout=30 * SLOWNESS)
    assert process.returncode == 128 + signum
    name = name_in(errors)
    wait_for(lambda: members(rig.daemon.cli("order", name).stdout)["state"] == "open", 20)


# ---- no daemon, or something else in its place ---------------------------------------------

def test_a_daemon_that_is_not_there_is_named(tmp_path):
    missing = run("--data-dir", tmp_path, "status")
    assert missing.returncode == UNREACHABLE
    assert str(tmp_path / "deltagate.sock") in missing.stderr
    dead = socketserver.UnixStreamServer(str(tmp_path / "deltagate.sock"), None)
    dead.server_close()
    refused = run("status", env={"DELTAGATE_SERVER_DATA_DIR": str(tmp_path)})
    assert refused.returncode == UNREACHABLE
    assert "Connection refused" in refused.stderr
    too_long = run("--socket", "/tmp/" + "a" * 200, "status")
    assert too_long.returncode == UNREACHABLE
    assert "107 bytes" in too_long.stderr


def test_an_order_that_was_not_sent_is_not_called_lost(tmp_path):
    done = run("--data-dir", tmp_path, "buy", "ADAUSDM", "1", "--price", "1")
    assert done.returncode == UNREACHABLE
    assert "may have been placed" not in done.stderr


@contextlib.contextmanager
def impostor(folder, status, body, kind="application/json", cut=0):
    """Answers everything on the socket with the same bytes."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body) + cut))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = answer

        def address_string(self):
            return "unix"

        def log_message(self, *_):
            pass

    class Server(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True

    server = Server(str(folder / "deltagate.sock"), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


HOSTILE = {
    "a page": (200, b"<html>", "text/html"),
    "nothing": (200, b"", "application/json"),
    "another kind of list": (200, b'{"data": {"a": [1]}}', "application/json"),
    "rows of numbers": (200, b'{"data": [1, null, [], "x"]}', "application/json"),
    "a number": (200, b"7", "application/json"),
    "deep": (200, b'{"data":' + b"[" * 100000, "application/json"),
    "an error without a problem": (500, b"oops", "text/plain"),
    "a problem of numbers": (422, b'{"code": 7, "detail": [1], "exchange": 3}',
                             "application/problem+json"),
    "a problem that moves the cursor": (422, b'{"code": "a\\u001b[2J", "detail": "\\u009b\\n"}',
                                        "application/problem+json"),
    "data that moves the cursor": (200, b'{"data": [{"order_id": "\\u001b[2J", "asset": "\\n"}]}',
                                   "application/json"),
}


@pytest.mark.parametrize("answer", HOSTILE.values(), ids=HOSTILE.keys())
def test_whatever_answers_nothing_crashes_and_no_terminal_is_touched(tmp_path, answer):
    commands = ("status", "health", "limits", "balances", "markets", "price A", "orders", "order A",
                "fills", "buy A 1 --price 1", "cancel A", "cancel-all A", "lock",
                "token create a --scope read", "token list", "token revoke a", "journal events A")
    with impostor(tmp_path, *answer):
        for line in commands:
            done = run("--data-dir", tmp_path, *line.split())
            assert done.returncode in (DONE, REFUSED), said(done)
            shown = done.stdout + done.stderr
            assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", shown), said(done)
            assert "Sanitizer" not in shown and "runtime error" not in shown, said(done)
            if answer[0] >= 400:
                assert done.returncode == REFUSED and done.stderr, said(done)


def test_an_answer_that_is_cut_short_is_lost(tmp_path):
    with impostor(tmp_path, 201, b'{"order_id"', cut=100):
        done = run("--data-dir", tmp_path, "buy", "A", "1", "--price", "1", "--id", "cut-1",
                   "--valid-until", "+1h")
    assert done.returncode == UNREACHABLE
    assert "deltagate order client:cut-1" in done.stderr
    assert re.search(r"--id cut-1 --valid-until 20\S+Z ", done.stderr), said(done)


# ---- usage --------------------------------------------------------------------------------

WRONG = (
    "", "nonsense", "token", "token make x", "journal", "config", "status extra", "price",
    "price A B", "buy A", "buy A 1", "buy A 1 --price 1 --market", "buy A 1 --market",
    "buy A 1 --market --unbounded --slippage 1", "buy A 1 --price 1 --slippage 1",
    "buy A 1 --market --unbounded --post-only", "buy A 1 --price", "buy A 1 --price 1 --wait x",
    "buy A 1 --price 1 --wait 61", "buy A 1 --price 1 --wait 1 --async", "buy A 1 --prize 1",
    "buy A 1 --price 1 --price 1", "buy A 1 --price 1 --valid-until soon", "buy A -5 --price 1",
    "buy A 1 --market --slippage 10001", "token create x", "token create x --scope=",
    "token create x --scope read --weight many", "token create x --scope read --expires 2020",
    "orders --all=yes", "unlock hunter2", "unlock --password hunter2", "rotate-api-key hunter2",
    "--url http://127.0.0.1:1 status", "--url http://example.com --token-file /dev/null status",
    "--url http://127.0.0.1:1 --token-file /dev/null --data-dir /tmp status", "--nonsense status",
    "journal sql", "journal sql --url x --token-file y q",
)


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_command_line_is_refused_before_anything_is_sent(tmp_path, line):
    done = run(*line.split(), env={"DELTAGATE_SERVER_DATA_DIR": str(tmp_path)})
    assert done.returncode == USAGE, said(done)
    assert done.stdout == ""
    assert done.stderr.startswith("deltagate: ")
    assert "hunter2" not in done.stderr


def test_every_command_has_help_that_names_its_flags():
    listed = run("--help")
    assert listed.returncode == DONE
    names = re.findall(r"^  ([a-z][a-z-]*(?: [a-z]+)?)", listed.stdout, flags=re.M)
    assert {"status", "buy", "token create", "journal sql", "config check"} <= set(names)
    for name in names:
        done = run(*name.split(), "--help")
        assert done.returncode == DONE, said(done)
        assert done.stdout.startswith(f"Usage: deltagate {name}")
        assert "--data-dir" in done.stdout
    assert "--slippage" in run("buy", "--help").stdout
    assert re.fullmatch(r"deltagate \d+\.\d+\.\d+\n", run("--version").stdout)


def test_a_full_disk_is_a_failure():
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([PROGRAM, "--help"], stdout=full, stderr=subprocess.PIPE, check=False,
                              env=ENVIRONMENT)
    assert done.returncode == REFUSED
    assert b"could not be written" in done.stderr


# ---- tokens -------------------------------------------------------------------------------

def private_file(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_a_new_token_stands_alone_on_stdout_and_works_until_it_is_revoked(rig, tmp_path):
    made = rig.daemon.cli("token", "create", "bot", "--scope", "read,trade", "--scope", "market",
                          "--symbol", "ADAUSDM", "--max-order-value", "50", "--max-open-orders",
                          "2", "--weight", "3", "--expires", "+30d")
    token = made.stdout.removesuffix("\n")
    assert re.fullmatch(r"dg_[0-9a-z]+_[0-9a-z]+", token)
    assert made.stderr == ""
    rig.secrets["token"] = token.split("_")[2]
    listed = [t for t in json.loads(rig.daemon.cli("--json", "token", "list").stdout)["data"]
              if t["name"] == "bot"][0]
    assert sorted(listed["scopes"]) == ["market", "read", "trade"]
    assert (listed["symbols"], listed["max_order_value"]) == (["ADAUSDM"], "50")
    assert (listed["max_open_orders"], listed["weight"]) == (2, 3)
    over_tcp = ("--url", rig.daemon.url, "--token-file", private_file(tmp_path / "t", made.stdout))
    assert run(*over_tcp, "buy", "ADAUSDM", "100", "--price", "0.45").returncode == DONE
    too_much = run(*over_tcp, "buy", "ADAUSDM", "200", "--price", "0.45")
    assert (too_much.returncode, "risk-limit" in too_much.stderr) == (REFUSED, True)
    assert rig.daemon.cli("token", "revoke", listed["token_id"]).returncode == DONE
    gone = run(*over_tcp, "orders")
    assert (gone.returncode, "unauthorized" in gone.stderr) == (REFUSED, True)
    row = [t for t in table(rig.daemon.cli("token", "list").stdout) if t["NAME"] == "bot"][0]
    assert row["REVOKED"] != "-"


def test_a_token_file_that_others_can_read_is_not_used(rig, tmp_path):
    path = private_file(tmp_path / "token", rig.app().token)
    path.chmod(0o640)
    done = run("--url", rig.daemon.url, "--token-file", path, "health")
    assert done.returncode == USAGE
    assert "chmod 600" in done.stderr


# ---- secrets ------------------------------------------------------------------------------

@pytest.fixture
def locked(make_rig):
    """A rig whose daemon has no trading password."""
    rig = make_rig()
    rig.daemon.has_password = False
    return rig.start()


def is_open(rig):
    return rig.daemon.admin.get("/v1/health").json["operation_key"]


def test_the_operation_key_is_opened_through_a_pipe_and_locked_again(locked):
    wrong = locked.daemon.cli("unlock", stdin="not it\n", check=False)
    assert (wrong.returncode, "operation-key" in wrong.stderr) == (REFUSED, True)
    assert not is_open(locked)
    locked.daemon.cli("unlock", stdin=locked.password + "\n")
    assert is_open(locked)
    locked.daemon.cli("lock")
    assert not is_open(locked)


def test_the_operation_key_is_opened_from_a_file(locked, tmp_path):
    locked.daemon.cli("unlock", "--file", private_file(tmp_path / "password", locked.password))
    assert is_open(locked)


def test_the_api_key_is_swapped_without_a_restart(rig, tmp_path):
    wrong = rig.daemon.cli("rotate-api-key", stdin="not-a-key-of-theirs\n", check=False)
    assert wrong.returncode == REFUSED
    assert rig.app().get("/v1/balances").status == 200
    path = private_file(tmp_path / "key", rig.api_key + "\n")
    assert "authenticated" in rig.daemon.cli("rotate-api-key", "--file", path).stdout


@pytest.mark.parametrize("text", ["", "\n", "a" * 1025], ids=["nothing", "a newline", "too much"])
def test_no_secret_or_too_long_a_one_is_not_sent(tmp_path, text):
    done = run("--data-dir", tmp_path, "unlock", stdin=text)
    assert done.returncode == USAGE


class Terminal:
    """The program at a terminal of its own."""

    def __init__(self, *args, program=PROGRAM):
        self.master, self.slave = pty.openpty()
        self.shown = b""
        self.process = subprocess.Popen(
            [program, *map(str, args)], stdin=self.slave, stdout=self.slave, stderr=self.slave,
            env=ENVIRONMENT, preexec_fn=self.take_over)

    @staticmethod
    def take_over():
        os.setsid()
        # As a shell at a terminal gives them: whoever runs the tests may ignore some.
        for signum in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
            signal.signal(signum, signal.SIG_DFL)
        # Opening it makes it the new session's own.
        os.close(os.open(os.ttyname(0), os.O_RDWR))

    def echoes(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def read(self):
        while select.select([self.master], [], [], 0)[0]:
            self.shown += os.read(self.master, 4096)
        return self.shown

    def wait_for(self, text):
        wait_for(lambda: text in self.read(), 10, f"{text!r} is shown")

    def type(self, text):
        os.write(self.master, text)

    def end(self):
        status = wait_for(lambda: self.read() and self.process.poll() is not None
                          and [self.process.returncode], 20, "it ends")[0]
        self.read()
        echoes = self.echoes()
        os.close(self.slave)
        os.close(self.master)
        return status, echoes


def test_a_password_is_typed_without_being_shown(locked):
    terminal = Terminal("--data-dir", locked.daemon.data_dir, "unlock")
    terminal.wait_for(b"Trading password: ")
    assert not terminal.echoes()
    terminal.type(locked.password.encode() + b"\n")
    assert terminal.end() == (DONE, True)
    assert is_open(locked)
    assert locked.password.encode() not in terminal.shown


SIGNALS = {"Ctrl-C": (b"\x03", signal.SIGINT), "Ctrl-\\": (b"\x1c", signal.SIGQUIT),
           "kill": (None, signal.SIGTERM), "hang-up": (None, signal.SIGHUP)}


@pytest.mark.parametrize("key, signum", SIGNALS.values(), ids=SIGNALS.keys())
def test_a_prompt_that_is_ended_leaves_the_terminal_as_it_was(tmp_path, key, signum):
    terminal = Terminal("--data-dir", tmp_path, "unlock")
    terminal.wait_for(b"Trading password: ")
    terminal.type(b"half of a sec")
    if key:
        terminal.type(key)
    else:
        terminal.process.send_signal(signum)
    assert terminal.end() == (-signum, True)
    assert b"half" not in terminal.shown


def test_a_prompt_that_was_stopped_asks_again(locked):
    # Only a shell with job control has something to stop for.
    script = 'set -m; "$@"; stty -a | grep -o " echo "; fg >/dev/null'
    terminal = Terminal("-c", script, "bash", PROGRAM, "--data-dir", locked.daemon.data_dir,
                        "unlock", program="/bin/bash")
    terminal.wait_for(b"Trading password: ")
    terminal.type(b"half of it\x1a")
    wait_for(lambda: terminal.read().count(b"Trading password: ") == 2, 10)
    assert b" echo " in terminal.shown
    assert not terminal.echoes()
    terminal.type(locked.password.encode() + b"\n")
    assert terminal.end() == (DONE, True)
    assert is_open(locked)
    assert b"half" not in terminal.shown


def test_end_of_input_at_the_prompt_is_no_secret(tmp_path):
    terminal = Terminal("--data-dir", tmp_path, "unlock")
    terminal.wait_for(b"Trading password: ")
    terminal.type(b"\x04")
    assert terminal.end() == (USAGE, True)


# ---- the journal --------------------------------------------------------------------------

def test_the_journal_is_read_while_the_daemon_writes(rig, app):
    query = "select client_order_id, price, null as empty, 1 as one from v_orders order by 1"
    for number in range(3):
        assert app.order(client_order_id=f"sql-{number}").status == 201
        rows = json.loads(rig.daemon.cli("--json", "journal", "sql", query).stdout)
        assert rows == rig.daemon.journal(query)
        assert len(rows) == number + 1
    rows = table(rig.daemon.cli("journal", "sql", query).stdout)
    assert rows[0] == {"client_order_id": "sql-0", "price": "0.45", "empty": "-", "one": "1"}
    assert rig.daemon.cli("--json", "journal", "sql", query + " limit 0").stdout == "[]\n"


CHANGES = (
    "delete from orders", "update orders set state = 'open'", "drop table orders", "begin",
    "create table x(y)", "create temp table x(y)", "vacuum", "vacuum into '{folder}/copy.db'",
    "attach '{folder}/other.db' as other", "pragma journal_mode = delete", "pragma wal_checkpoint",
    "pragma wal_checkpoint(truncate)", "pragma locking_mode = exclusive", "pragma query_only = 0",
    "pragma user_version = 9", "select load_extension('x')", "explain delete from orders",
    "with x as (select 1) delete from orders", "reindex", "analyze",
)
WRONG_SQL = ("select", "select 1; select 2", "", ";", "select nothing from nowhere", "/* */",
             "select zeroblob(-1) from orders where x = ?")


def test_nothing_in_the_journal_can_be_changed(rig, app, tmp_path):
    assert app.order().status == 201
    before = rig.daemon.journal("select * from orders")
    for sql in CHANGES:
        done = rig.daemon.cli("journal", "sql", sql.format(folder=tmp_path), check=False)
        assert done.returncode == REFUSED, said(done)
        assert done.stdout == ""
    for sql in WRONG_SQL:
        done = rig.daemon.cli("journal", "sql", sql, check=False)
        assert done.returncode in (REFUSED, USAGE), said(done)
        assert done.stdout == ""
    assert rig.daemon.journal("select * from orders") == before
    assert list(tmp_path.iterdir()) == []
    assert app.order().status == 201


def test_the_journal_is_read_without_a_daemon(rig, app):
    assert app.order(client_order_id="alone-1").status == 201
    rig.daemon.stop()
    done = rig.daemon.cli("journal", "sql", "select client_order_id from v_orders")
    assert done.stdout.splitlines() == ["client_order_id", "alone-1"]
    missing = run("--data-dir", "/nonexistent", "journal", "sql", "select 1")
    assert missing.returncode == REFUSED
    assert "/nonexistent/journal.db" in missing.stderr


def files_of(pid):
    """The names of what it has open."""
    names, links = set(), f"/proc/{pid}/fd"
    for fd in os.listdir(links):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            names.add(os.path.basename(os.readlink(f"{links}/{fd}")))
    return names


def test_a_long_question_to_the_journal_can_be_interrupted(rig, app):
    endless = "with recursive n(x) as (select 1 union all select x + 1 from n) select max(x) from n"
    with subprocess.Popen([PROGRAM, "--data-dir", rig.daemon.data_dir, "journal", "sql", endless],
                          stdout=subprocess.PIPE, env=ENVIRONMENT) as process:
        try:
            # It has the file open: it is past the start.
            wait_for(lambda: "journal.db" in files_of(process.pid), 10)
            process.send_signal(signal.SIGINT)
            assert process.wait(20 * SLOWNESS) == 128 + signal.SIGINT
            assert process.stdout.read() == b""
        finally:
            process.kill()
    assert app.order().status == 201


# ---- the configuration --------------------------------------------------------------------

def test_the_daemon_judges_its_configuration(tmp_path):
    good = private_file(tmp_path / "good.yaml", "exchange:\n  deltadefi_api_key: canary\n")
    bad = private_file(tmp_path / "bad.yaml", "exchange:\n  deltadefi_api_kee: canary\n")
    assert run("config", "check", "--config", good).returncode == DONE
    wrong = run("config", "check", "--config", bad)
    assert wrong.returncode == USAGE
    assert "bad.yaml:2" in wrong.stderr
    printed = run("--data-dir", tmp_path, "config", "print", "--config", good)
    assert f"server.data_dir: {tmp_path}" in printed.stdout
    assert "canary" not in printed.stdout + printed.stderr
