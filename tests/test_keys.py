"""Keys and what guards them: rows S9 to S14, S17 and S19."""
import contextlib
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import threading
import time

import pytest

import opkey
from facts import answer, drop, is_settled
from rig import wait_for

ASYNC = {"Prefer": "respond-async"}


def sealed_key(rig):
    told = rig.sim.request("GET", "/accounts/operation-key", headers={"X-API-KEY": rig.api_key})
    return told.json


def health(rig):
    return rig.daemon.admin.get("/v1/health").json


def test_S9_every_call_to_the_exchange_carries_the_api_key(rig, app):
    app.order()
    app.get("/v1/balances")
    calls = [e for e in rig.sim.log() if not e["path"].startswith("/_sim")]
    assert len(calls) >= 5
    # Streams take it in the query only.
    assert all(e["headers"].get("x-api-key") == rig.api_key
               or (e["path"].endswith("/stream") and f"api_key={rig.api_key}" in e["query"])
               for e in calls)


@pytest.mark.parametrize("switch", [None, "iv16", "no_salt"])
def test_S10_the_operation_key_is_fetched_and_opened(make_rig, switch):
    rig = make_rig()
    rig.sim.start()
    if switch:
        rig.sim.control("POST", "faults", {"switch": switch})
    rig.daemon.start()
    wait_for(lambda: health(rig)["operation_key"])
    told = sealed_key(rig)
    text = opkey.unseal(told["encrypted_operation_key"], rig.password)
    # A second reading of the derivation comes to the same key.
    assert opkey.key_hash(opkey.leaf_of(opkey.root_of(text))) == told["operation_key_hash"]
    loaded = rig.daemon.events("operation_key.loaded")
    assert loaded[0]["key_hash"] == told["operation_key_hash"]
    assert rig.app().order().status == 201


def test_S11_without_a_password_reads_and_cancels_work_and_orders_do_not(rig, app):
    path = "/v1/orders/" + app.order().json["order_id"]
    rig.daemon.stop()
    rig.daemon.has_password = False
    rig.daemon.start()
    assert app.get("/v1/balances").status == 200
    built = len(rig.sim.log("/order/build"))
    refused = app.order()
    assert (refused.status, refused.code) == (423, "operation-key-locked")
    assert len(rig.sim.log("/order/build")) == built
    assert app.delete(path).json["state"] == "cancelled"


def test_S12_a_wrong_password_fails_clearly_and_the_daemon_lives(make_rig):
    rig = make_rig()
    rig.daemon.has_password = False
    rig.start()
    done = rig.daemon.cli("unlock", stdin="not the password\n", check=False)
    assert done.returncode == 1
    assert "operation-key" in done.stderr
    assert len(rig.daemon.events("operation_key.locked")) == 1
    assert health(rig)["operation_key"] is False
    assert rig.daemon.is_running()
    assert rig.daemon.cli("unlock", stdin=rig.password + "\n").returncode == 0
    assert health(rig)["operation_key"] is True
    rig.daemon.cli("lock")
    assert rig.app().order().code == "operation-key-locked"


def test_S12_a_wrong_password_at_the_start_is_told_once(make_rig):
    rig = make_rig(env={"TRADING_PASSWORD": "not the password"})
    rig.sim.start()
    rig.daemon.start()
    wait_for(lambda: rig.daemon.events("operation_key.locked"))
    time.sleep(2)
    assert len(rig.daemon.events("operation_key.locked")) == 1
    assert health(rig)["operation_key"] is False


def test_an_exchange_that_restarts_does_not_leave_a_daemon_that_cannot_sign(make_rig):
    rig = make_rig()
    rig.sim.start()
    rig.sim.faults({"match": {"path": "/accounts/operation-key"}, "times": 3, "when": "before",
                    "answer": {"status": 403, "body": ""}})
    rig.daemon.start()
    rig.daemon.ready()
    assert rig.app().order().status == 201


def test_what_pays_to_an_unknown_key_is_neither_signed_nor_sent(rig, app):
    rig.sim.faults({"switch": "foreign_payee"})
    refused = app.order()
    assert (refused.status, refused.code) == (502, "transaction-malformed"), refused
    assert "unknown key" in refused.json["detail"]
    assert app.get("/v1/orders").json["data"][0]["state"] == "failed"
    assert not rig.daemon.events("order.submitting")
    rig.sim.clear_faults()
    # Now and then the exchange gives change to its own key, which signs as well.
    assert {app.order().status for _ in range(8)} == {201}
    assert len(rig.sim.log("/order/submit")) == 8
    assert not rig.daemon.events("tx.signer_missing")


@pytest.mark.seconds(150)
@pytest.mark.rig(max_orders_per_second="50")
def test_S13_the_operation_key_is_nowhere_but_in_memory(make_rig):
    rig = make_rig(max_orders_per_second="50", requests_per_second="0")
    rig.sim.options += ["--rate-orders", "0"]
    rig.start()
    app = rig.app()
    for _ in range(10):
        app.parallel([lambda: app.order(headers=ASYNC)] * 20)
    wait_for(lambda: is_settled(rig), 60)
    text = opkey.unseal(sealed_key(rig)["encrypted_operation_key"], rig.password)
    for place, content in rig.places():
        for form, key in opkey.forms(text):
            assert key not in content, f"the operation key ({form}) is in {place}"
    limits = pathlib.Path(f"/proc/{rig.daemon.process.pid}/limits").read_text()
    core = [line for line in limits.splitlines() if line.startswith("Max core file size")][0]
    assert core.split()[4:6] == ["0", "0"]


@pytest.mark.seconds(150)
@pytest.mark.rig(timeout_ms="2000")
def test_S14_no_secret_is_told_whatever_fails(rig, app):
    """The rig looks for its secrets in log, journal and answers when the test ends."""
    secrets_in_answers = json.dumps({"error": f"the key {rig.api_key} is no good"})
    troubles = [
        answer("before", path, times=2, status=status, body=secrets_in_answers)
        for path in ("/order/build", "/order/submit") for status in (400, 401, 500)
    ] + [drop("before", "/order/build", times=1), drop("after", "/order/submit", times=1)]
    for trouble in troubles:
        rig.sim.control("DELETE", "faults")
        rig.sim.faults(trouble)
        app.order(headers={"Prefer": "wait=1"})
        app.get("/v1/balances", {"Cache-Control": "no-cache"})
    rig.sim.control("DELETE", "faults")
    rig.sim.faults({"match": {"path": "/accounts/*"}, "when": "before", "times": 6,
                    "answer": {"status": 500, "body": secrets_in_answers}})
    for path in ("/v1/balances", "/v1/transfers", "/v1/markets/ADAUSDM/price"):
        app.get(path, {"Cache-Control": "no-cache"})
    rig.daemon.cli("unlock", stdin="wrong\n", check=False)
    rig.daemon.admin.post("/v1/admin/api-key", {"api_key": rig.password[:40]})
    for body in ('{"trading_password":"' + rig.password, {"trading_password": [rig.password]},
                 {"trading_pasword": rig.password}, {"api_key": rig.api_key}):
        rig.daemon.admin.post("/v1/admin/unlock", body)
        rig.daemon.admin.post("/v1/admin/api-key", body)
    app.get("/v1/orders?token=" + rig.api_key)
    app.request("GET", "/v1/orders", None, {"Authorization": "Bearer " + rig.api_key})
    rig.daemon.told[-2:] = []  # an answer may quote the request's own query


def renew_key(rig, key):
    told = rig.sim.request("GET", "/accounts/new-api-key", headers={"X-API-KEY": key})
    assert told.status == 200, told
    rig.secrets["new API key"] = told.json["api_key"]
    return told.json["api_key"]


@pytest.mark.seconds(120)
def test_S17_the_api_key_is_swapped_under_load_without_one_failed_order(rig, app):
    pid, is_over, answers = rig.daemon.process.pid, threading.Event(), []

    def pour():
        while not is_over.is_set():
            answers.append(app.order(headers={"Prefer": "wait=30"}))
            is_over.wait(0.1)

    threads = [threading.Thread(target=pour) for _ in range(5)]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: len(answers) > 5)
        new_key = renew_key(rig, rig.api_key)  # the old one is dead from here on
        time.sleep(1.5)
        count = len(answers)
        rig.daemon.cli("rotate-api-key", stdin=new_key + "\n")
        swapped = rig.sim.log()[-1]["mono_us"]
        wait_for(lambda: len(answers) > count + 8, 20)
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    assert {a.status for a in answers} == {201}, [a for a in answers if a.status != 201]
    assert rig.daemon.process.pid == pid
    later = [e for e in rig.sim.log() if e["mono_us"] > swapped
             and not e["path"].startswith("/_sim") and e["proto"] != "ws"]
    assert len(later) > 10
    assert {e["headers"]["x-api-key"] for e in later} == {new_key}
    assert rig.daemon.events("exchange.key_refused")
    states = {row["state"] for row in rig.daemon.journal("select state from v_orders")}
    assert states == {"open"}


def test_S17_a_key_that_does_not_work_is_not_taken(rig, app):
    done = rig.daemon.cli("rotate-api-key", stdin="nonsense-key\n", check=False)
    assert done.returncode == 1
    assert app.order().status == 201


def test_a_swap_that_the_end_overtakes_harms_nothing(make_rig):
    rig = make_rig()
    key = rig.folder / "api-key"
    key.write_text(rig.api_key)
    key.chmod(0o600)
    rig.daemon.env["DELTADEFI_API_KEY"] = None
    rig.daemon.options["deltadefi_api_key_file"] = key
    rig.start()
    new_key = renew_key(rig, rig.api_key)
    key.write_text(new_key)
    shell = sqlite3.connect(rig.daemon.journal_file, isolation_level=None)
    with contextlib.closing(shell):
        shell.execute("begin immediate")  # the swap's record has to wait
        rig.daemon.send(signal.SIGHUP)
        wait_for(lambda: any(e["headers"].get("x-api-key") == new_key for e in rig.sim.log()))
        time.sleep(0.2)  # for its answer
        rig.daemon.send(signal.SIGTERM)
        wait_for(lambda: rig.daemon.events("daemon.stopping"))
        time.sleep(0.2)
        shell.execute("rollback")
    rig.daemon.stop()
    rows = rig.daemon.journal("select 1 from settings where name = 'api_key_swapped_at'")
    assert len(rows) == 1, "the swap was not recorded at the end: the test shows nothing"


def test_a_key_of_another_account_is_refused_by_name_of_both(make_rig):
    rig = make_rig()
    rig.sim.options += ["--account", "other:key-of-another-account:word"]
    rig.start()
    done = rig.daemon.cli("rotate-api-key", stdin="key-of-another-account\n", check=False)
    assert done.returncode == 1
    ids = {a["name"]: a["account_id"] for a in rig.sim.control("GET", "accounts")}
    assert ids["main"] in done.stderr and ids["other"] in done.stderr
    assert rig.app().order().status == 201


def test_a_swap_that_fails_leaves_the_wrong_account_out(make_rig):
    rig = make_rig()
    rig.sim.options += ["--account", "other:key-of-another-account:" + rig.password]
    rig.start()
    rig.daemon.stop()
    rig.daemon.env["DELTADEFI_API_KEY"] = "key-of-another-account"
    rig.daemon.start()
    app = rig.app()
    wait_for(lambda: app.order().code == "wrong-account")
    shell = sqlite3.connect(rig.daemon.journal_file, isolation_level=None)
    with contextlib.closing(shell):
        shell.execute("begin immediate")
        done = rig.daemon.cli("rotate-api-key", stdin=rig.api_key + "\n", check=False)
        shell.execute("rollback")
    assert done.returncode == 1
    wait_for(lambda: app.get("/v1/health").json["journal"]["writable"])
    assert app.order().code == "wrong-account"
    rig.daemon.cli("rotate-api-key", stdin=rig.api_key + "\n")
    assert app.order().code != "wrong-account"


# ---- S19 --------------------------------------------------------------------------------------


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


def certificate(folder, name, subject_name, days):
    """A certificate of a test authority; negative days make one that has expired."""
    authority, key = folder / "ca.pem", folder / f"{name}.key"
    if not authority.exists():
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test authority",
                "-days", 30, "-keyout", folder / "ca.key", "-out", authority)
    openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={subject_name}",
            "-keyout", key, "-out", folder / f"{name}.csr")
    extensions = folder / f"{name}.ext"
    kind = "IP" if subject_name[0].isdigit() else "DNS"
    extensions.write_text(f"subjectAltName={kind}:{subject_name}\n")
    openssl("x509", "-req", "-in", folder / f"{name}.csr", "-CA", authority, "-CAkey",
            folder / "ca.key", "-CAcreateserial", "-days", days, "-extfile", extensions, "-out",
            folder / f"{name}.pem")
    return folder / f"{name}.pem", key


def secure_rig(make_rig, tmp_path, name, subject_name="127.0.0.1", days=30, is_trusted=True):
    rig = make_rig()
    cert, key = certificate(tmp_path, name, subject_name, days)
    rig.sim.options += ["--tls-cert", cert, "--tls-key", key]
    rig.sim.start()
    port = rig.sim.address[1]
    rig.daemon.options.update(rest_url=f"https://127.0.0.1:{port}",
                              stream_url=f"wss://127.0.0.1:{port}")
    if is_trusted:
        rig.daemon.options.update(ca_file=tmp_path / "ca.pem")
    rig.daemon.start()
    return rig


def sim_log(rig):
    """The simulator's own log, over its TLS."""
    import ssl
    import urllib.request
    context = ssl._create_unverified_context()
    url = f"https://127.0.0.1:{rig.sim.address[1]}/_sim/log"
    with urllib.request.urlopen(url, context=context) as told:
        entries = json.load(told)
    return [e for e in entries if not e["path"].startswith("/_sim")]


def test_S19_a_trusted_certificate_works(make_rig, tmp_path):
    rig = secure_rig(make_rig, tmp_path, "good")
    rig.daemon.ready()
    assert rig.app().order().status == 201
    assert len(sim_log(rig)) >= 4


@pytest.mark.parametrize("how", ["self-signed", "expired", "wrong-host"])
def test_S19_a_bad_certificate_gets_not_one_byte_of_a_request(make_rig, tmp_path, how):
    if how == "self-signed":
        rig = secure_rig(make_rig, tmp_path, "self", is_trusted=False)
    elif how == "expired":
        rig = secure_rig(make_rig, tmp_path, "old", days=-1)
    else:
        rig = secure_rig(make_rig, tmp_path, "other", subject_name="other.example")
    told = rig.app().get("/v1/balances")
    assert (told.status, told.code) == (502, "tls-verification-failed"), told
    assert sim_log(rig) == []


def test_no_proxy_of_the_environment_sees_the_key(make_rig):
    rig = make_rig(env={"http_proxy": "http://127.0.0.1:1", "HTTPS_PROXY": "http://127.0.0.1:1",
                        "ALL_PROXY": "http://127.0.0.1:1"})
    rig.start()
    assert rig.app().order().status == 201


def test_files_are_for_the_daemons_user_alone(rig, app):
    app.order()
    for path in rig.daemon.data_dir.rglob("*"):
        assert os.stat(path).st_mode & 0o077 == 0, path
    assert os.stat(rig.daemon.data_dir).st_mode & 0o077 == 0
