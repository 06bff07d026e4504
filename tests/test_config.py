"""Configuration and how secrets come in: rows S1 to S8, S15, S16, S18 and S40's check."""
import os
import pathlib
import pty
import subprocess

import pytest

from rig import BUILD, Program, wait_for

SEED_YAML = """\
exchange:
  deltadefi_api_key: "your_api_key_here"
  trading_password: "your_trading_password"

system:
  mode: "testnet" # testnet|mainnet
  max_orders_per_second: 5 # Rate limit
"""


def run(*args, env=None, stdin=None):
    """deltagated with these arguments and nothing of this process's environment."""
    base = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    base.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
    return subprocess.run([BUILD / "deltagated", *map(str, args)], env={**base, **(env or {})},
                          capture_output=True, text=True, timeout=60, check=False, input=stdin)


def printed(*args, env=None):
    """--print-config as {key: (value, source)}, and what was said on stderr."""
    done = run(*args, "--print-config", env=env)
    assert done.returncode == 0, done.stderr
    lines = {}
    for line in done.stdout.splitlines():
        key, _, rest = line.partition(": ")
        value, _, source = rest.partition("  # ")
        lines[key] = (value, source)
    return lines, done.stderr


@pytest.fixture
def yaml(tmp_path):
    def write(text, mode=0o600):
        path = tmp_path / "deltagate.yaml"
        path.write_text(text)
        path.chmod(mode)
        return path
    return write


def test_S1_flag_beats_environment_beats_file_beats_default(yaml):
    path = yaml("system:\n  max_orders_per_second: 2\n")
    name, env = "system.max_orders_per_second", {"MAX_ORDERS_PER_SECOND": "3"}
    flags = ("--max-orders-per-second", "4")
    assert printed()[0][name] == ("5", "default")
    value, source = printed("--config", path)[0][name]
    assert value == "2" and str(path) in source
    value, source = printed("--config", path, env=env)[0][name]
    assert value == "3" and "MAX_ORDERS_PER_SECOND" in source
    value, source = printed("--config", path, *flags, env=env)[0][name]
    assert value == "4" and "--max-orders-per-second" in source


def test_S1_secrets_are_shown_as_set_or_unset_only(yaml):
    lines, _ = printed("--config", yaml(SEED_YAML), env={"TRADING_PASSWORD": "canary-word"})
    assert lines["exchange.deltadefi_api_key"][0] == "set"
    assert lines["exchange.trading_password"][0] == "set"
    assert "your_api_key_here" not in str(lines) and "canary-word" not in str(lines)


@pytest.mark.parametrize("mode, network", [
    ("testnet", "preprod"), ("PREPROD", "preprod"), ("staging", "preprod"),
    ("MainNet", "mainnet"), ("simulated", "simulated")])
def test_S2_modes_choose_the_network_in_any_case(mode, network):
    lines, said = printed(env={"SYSTEM_MODE": mode})
    assert lines["network"][0] == network
    assert said == ""


def test_S3_an_unknown_mode_is_preprod_with_a_warning_and_never_mainnet():
    for mode in ("live", "mainnet2", "production", "main", ""):
        lines, said = printed("--mode", mode) if mode else printed(env={"SYSTEM_MODE": mode})
        assert lines["network"][0] == "preprod"
        assert ("warning" in said and mode in said) or mode == ""


def test_S3_health_tells_of_the_unknown_mode(make_rig):
    rig = make_rig(mode="live").start()
    health = rig.daemon.admin.get("/v1/health").json
    assert health["network"] == "preprod"
    assert any("unknown mode" in warning for warning in health["warnings"]), health
    assert rig.daemon.events("config.mode_unknown")[0]["level"] == "warn"


def test_S4_an_explicit_network_overrides_the_mode():
    lines, _ = printed("--network", "preprod", env={"SYSTEM_MODE": "mainnet"})
    assert lines["network"][0] == "preprod"
    assert run("--network", "mainet", "--print-config").returncode == 2


def test_S5_the_network_selects_the_hosts_and_both_can_be_overridden():
    main, _ = printed("--network", "mainnet")
    assert main["exchange.rest_url"][0] == "https://api.deltadefi.io"
    assert main["exchange.stream_url"][0] == "wss://stream.deltadefi.io"
    preprod, _ = printed("--network", "preprod")
    assert preprod["exchange.rest_url"][0] == "https://api-staging.deltadefi.io"
    assert preprod["exchange.stream_url"][0] == "wss://stream-staging.deltadefi.io"
    own, _ = printed("--rest-url", "https://a.example", "--stream-url", "wss://b.example")
    assert own["exchange.rest_url"][0] == "https://a.example"
    assert own["exchange.stream_url"][0] == "wss://b.example"


@pytest.mark.rig(env={"MAX_ORDERS_PER_SECOND": "2"})
def test_S6_the_limiter_is_built_from_max_orders_per_second(app):
    limits = app.get("/v1/limits").json
    assert (limits["capacity"], limits["refill_per_s"], limits["available"]) == (2, 2, 2)


def test_S7_the_original_configuration_file_is_taken_as_it_is(yaml):
    done = run("--config", yaml(SEED_YAML), "--check-config")
    assert (done.returncode, done.stdout) == (0, "configuration ok\n"), done.stderr


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_S7_a_file_with_secrets_that_others_can_read_is_refused(yaml, mode):
    done = run("--config", yaml(SEED_YAML, mode), "--check-config")
    assert done.returncode == 2
    assert f"{mode:o}" in done.stderr and "your_api_key_here" not in done.stderr


@pytest.mark.parametrize("text, where", [
    ("system:\n  max_orders_per_secnod: 5\n", ":2:"),
    ("system:\n  max_orders_per_second: 5\n  max_orders_per_second: 6\n", ":3:"),
    ("system:\n  max_orders_per_second: many\n", ":2:"),
    ("system:\n  max_orders_per_second: 0\n", ":2:"),
    ("server:\n  listen: nowhere\n", ":2:"),
    ("recovery:\n  resume_accepted: maybe\n", ":2:"),
    ("system: [1, 2]\n", ":1:"),
    ("a: &x 1\nb: *x\n", ":1:"),
    ("system:\n  mode: testnet\n---\nsystem:\n  mode: mainnet\n", ":3:"),
    ("\tsystem: 1\n", ":1:"),
])
def test_bad_files_are_errors_that_name_file_line_and_key(yaml, text, where):
    path = yaml(text)
    done = run("--config", path, "--check-config")
    assert done.returncode == 2
    assert path.name + where in done.stderr, done.stderr


@pytest.mark.parametrize("env", [
    {"DELTADEFI_API_KEY": "k1"}, {"TRADING_PASSWORD": "p1"}, {"SYSTEM_MODE": "preprod"},
    {"MAX_ORDERS_PER_SECOND": "3"}])
def test_S8_each_variable_alone_changes_one_line(env):
    before, _ = printed()
    after, _ = printed(env=env)
    assert len([key for key in before if before[key] != after[key]]) == 1


def test_S15_a_secret_on_the_command_line_is_refused():
    for flag in ("--trading-password", "--deltadefi-api-key"):
        for args in ((flag, "canary-word"), (flag + "=canary-word",)):
            done = run(*args)
            assert done.returncode == 2
            assert "canary-word" not in done.stderr
            assert "file" in done.stderr and "prompt" in done.stderr


def test_S15_the_prompt_echoes_nothing(make_rig):
    rig = make_rig()
    rig.daemon.has_password = False
    rig.start()
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(BUILD / "deltagate", ["deltagate", "--data-dir", str(rig.daemon.data_dir),
                                        "unlock"], Program.environment(rig.daemon))
    shown = b""
    while b"assword" not in shown:
        shown += os.read(terminal, 1024)
    os.write(terminal, rig.password.encode() + b"\n")
    try:
        while chunk := os.read(terminal, 1024):
            shown += chunk
    except OSError:  # the other side has closed
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, shown
    assert rig.password.encode() not in shown
    assert rig.daemon.admin.get("/v1/health").json["operation_key"] is True


def test_S16_keys_leave_no_trace_in_binary_environment_and_command_line(rig):
    pid = rig.daemon.process.pid
    for name in ("environ", "cmdline"):
        content = pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
        assert content.count(rig.api_key.encode()) == 0, name
        assert content.count(rig.password.encode()) == 0, name
    assert rig.daemon.admin.get("/v1/health").json["authenticated"] is True
    assert b"dk_live_" not in (BUILD / "deltagated").read_bytes()


@pytest.mark.parametrize("url", [
    "http://api.deltadefi.io", "http://10.0.0.1", "ftp://127.0.0.1", "127.0.0.1:80", "http://",
    "https://user:word@host", "http://127.0.0.1.evil.example", "http://localhost.evil.example"])
def test_S18_only_https_or_loopback(url):
    for flag in ("--rest-url", "--base-url"):
        done = run(flag, url, "--check-config", env={"DELTADEFI_API_KEY": "k1"})
        assert done.returncode == 2, url
    done = run("--stream-url", url.replace("http", "ws"), "--check-config",
               env={"DELTADEFI_API_KEY": "k1"})
    assert done.returncode == 2, url


def test_S40_without_an_api_key_the_check_fails_and_says_why():
    done = run("--check-config")
    assert done.returncode == 2
    assert "exchange.deltadefi_api_key" in done.stderr
    assert "the account stream and every request need it" in done.stderr


@pytest.mark.parametrize("source", ["file", "file-descriptor"])
def test_secrets_come_from_files_and_descriptors(make_rig, source):
    rig = make_rig(env={"DELTADEFI_API_KEY": None, "TRADING_PASSWORD": None})
    key, word = rig.folder / "api.key", rig.folder / "password"
    key.write_text(rig.api_key + "\n")
    word.write_text(rig.password + "\n")
    key.chmod(0o600)
    word.chmod(0o600)
    if source == "file":
        rig.daemon.options.update(deltadefi_api_key_file=key, trading_password_file=word)
    else:
        rig.daemon.env.update(
            DELTAGATE_EXCHANGE_DELTADEFI_API_KEY_FILE=str(key),
            DELTAGATE_EXCHANGE_TRADING_PASSWORD_FILE=str(word))
    rig.start()
    assert rig.app().order().status == 201


def test_a_reload_takes_a_new_password_file(make_rig):
    rig = make_rig()
    word = rig.folder / "password"
    word.write_text("wrong\n")
    word.chmod(0o600)
    rig.daemon.has_password = False
    rig.daemon.options.update(trading_password_file=word)
    rig.start()
    wait_for(lambda: rig.daemon.events("operation_key.locked"))
    word.write_text(rig.password + "\n")
    rig.daemon.send(1)  # SIGHUP
    wait_for(lambda: rig.daemon.admin.get("/v1/health").json["operation_key"])
    assert rig.app().order().status == 201
