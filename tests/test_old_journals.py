"""Journals of every earlier version are migrated, and the orders under way in them are settled.

Orders are taken to every state there is, with and without a counterpart on the exchange, and the
daemon is killed. Meanwhile the market goes on. The journal is rewritten as an earlier version would
have left it, and the present daemon is started on it.
"""
import contextlib
import sqlite3
from decimal import Decimal

import pytest

import old_journal
from facts import (
    SILENCE, check_against_exchange, is_settled, live_on_exchange, on_book, own_orders)
from rig import ROOT, wait_for
from trader import Trader

ORDER, CANCEL = "/accounts/order/*", "/order/*/cancel"
SUBMIT, BUILD = "/order/submit", "/order/build"
PLACED = ("processing", "open", "closed", "cancelled")
FILLS_SINCE, TOKENS_SINCE = 2, 3  # versions of the journal
ASYNC = {"Prefer": "respond-async"}
# Nobody but who has to looks at the exchange while the orders are brought into their states.
BUSY = {"account_poll_ms": "600000", "reconcile_interval_ms": "3600000",
        "settle_resubmit_ms": "1500", "max_orders_per_second": "100", "rate_guard_ms": "0",
        "rate_reads_per_second": "1000", "timeout_ms": "60000"}

# Name of the order: its state at the kill, and what has become of it in the end.
FATES = {
    "rests": ("open", "open"),
    "fills": ("open", "filled"),
    "fills-in-part": ("open", "partially_filled"),
    "is-cancelled-elsewhere": ("open", "cancelled"),
    "was-filled-in-part": ("partially_filled", "partially_filled"),
    "goes-on-filling": ("partially_filled", "filled"),
    "cancel-lost": ("open", "cancelled"),
    "cancel-answer-lost": ("open", "cancelled"),
    "cancel-overtaken": ("open", "filled"),
    "was-filled": ("filled", "filled"),
    "was-cancelled": ("cancelled", "cancelled"),
    "was-rejected": ("rejected", "rejected"),
    "unknown-lost": ("unknown", "open"),
    "unknown-placed": ("unknown", "open"),
    "submit-lost": ("submitting", "open"),
    "submit-placed": ("submitting", "open"),
    "submit-filled": ("submitting", "filled"),
    "build-lost": ("building", "failed"),
    "build-answer-lost": ("building", "failed"),
    "waits-again": ("accepted", "failed"),
    "waits": ("accepted", "failed"),
}
CHANGED_AWAY = {  # while the daemon was down: how much of it the market took
    "fills": None, "fills-in-part": "30", "goes-on-filling": None, "cancel-overtaken": None,
    "submit-filled": None,
}


def once(path, method="POST", **what):
    return {"match": {"path": path, "method": method}, "times": 1, **what}


class Session:
    """One app's orders, each with a quantity of its own, by which the exchange's record tells them
    apart."""

    def __init__(self, rig):
        self.rig, self.app = rig, rig.app()
        self.quantity = {name: str(100 + number) for number, name in enumerate(FATES)}
        self.quantity["was-rejected"] = "90000000"
        self.trader = Trader(rig.sim, rig.api_key, rig.password)

    def rows(self):
        rows = self.rig.daemon.journal("select o.*, s.name as word from orders as o"
                                       " join order_states as s using (state)")
        return {row["client_order_id"]: row for row in rows}

    def exchange_id(self, name):
        return self.rows()[name]["exchange_order_id"]

    def request(self, name, **how):
        return self.app.order(client_order_id=name, base_quantity=self.quantity[name],
                              price="0.5", **how)

    def asked(self, path):
        return len(self.rig.sim.log(path, method="POST"))

    def place(self, name):
        answer = self.request(name)
        assert answer.status == 201, answer
        on_book(self.rig.sim, answer.json)

    def place_with(self, fault, name):
        """Sends one whose request or answer gets stuck, and waits until it is stuck."""
        path = fault["match"]["path"]
        before = self.asked(path)
        self.rig.sim.faults(fault)
        answer = self.request(name, headers=ASYNC)
        assert answer.status == 202, answer
        wait_for(lambda: self.asked(path) > before)

    def cancel(self, name):
        """A cancel that gets no answer, whatever became of it."""
        answer = self.app.delete(f"/v1/orders/client:{name}", headers=ASYNC)
        assert answer.status == 202, answer
        wait_for(lambda: self.asked(f"/order/{self.exchange_id(name)}/cancel"))

    def is_in(self, name, state):
        return self.rows()[name]["word"] == state

    def trade(self):
        """Those whose state is the exchange's doing."""
        for name, (state, _) in FATES.items():
            if state in ("open", "partially_filled", "filled", "cancelled"):
                self.place(name)
        for name, share in (("was-filled-in-part", "30"), ("goes-on-filling", "10"),
                            ("was-filled", None)):
            self.rig.sim.fill(self.exchange_id(name), share)
            wait_for(lambda name=name: self.is_in(name, FATES[name][0]))
        assert self.app.delete("/v1/orders/client:was-cancelled").status == 200
        assert self.request("was-rejected").status == 422

    def get_stuck(self):
        """Those that the daemon is at work on. The last one holds up all that come after it."""
        unheard = {"match": {"path": ORDER, "method": "GET"}, "drop": "before"}
        self.rig.sim.faults(SILENCE, unheard, once(CANCEL, drop="after"))
        self.cancel("cancel-answer-lost")
        self.rig.sim.faults({"match": {"path": CANCEL, "method": "POST"}, "drop": "before"})
        self.cancel("cancel-lost")
        self.cancel("cancel-overtaken")
        for name, when in (("unknown-lost", "before"), ("unknown-placed", "after")):
            self.place_with(once(SUBMIT, drop=when), name)
            wait_for(lambda name=name: self.is_in(name, "unknown"))
        self.place_with(once(SUBMIT, stall="before"), "submit-lost")
        self.place_with(once(SUBMIT, stall="after"), "submit-placed")
        self.place_with(once(SUBMIT, stall="after"), "submit-filled")
        self.place_with(once(BUILD, stall="before"), "build-lost")
        self.place_with(once(BUILD, stall="after"), "build-answer-lost")
        wait = {"status": 429, "code": 4290, "headers": {"Retry-After": "600"}}
        self.place_with(once(BUILD, answer=wait), "waits-again")
        wait_for(lambda: self.is_in("waits-again", "accepted"))
        assert self.request("waits", headers=ASYNC).status == 202

    def check_states(self, which):
        found = {name: row["word"] for name, row in self.rows().items()}
        assert found == {name: states[which] for name, states in FATES.items()}

    def pass_by(self):
        """What happens on the exchange while nobody looks."""
        for name, share in CHANGED_AWAY.items():
            exchange_id = self.exchange_id(name)
            on_book(self.rig.sim, {"exchange_order_id": exchange_id})
            self.rig.sim.fill(exchange_id, share)
        assert self.trader.cancel(self.exchange_id("is-cancelled-elsewhere")).status == 200

    def placed(self, name):
        quantity = Decimal(self.quantity[name])
        return [o for o in own_orders(self.rig.sim)
                if Decimal(o["base_qty"]) == quantity and o["status"] in PLACED]


def check_migrated(rig, before):
    """All migrations, every row of before, and a database without a flaw."""
    versions = [row["version"] for row in
                rig.daemon.journal("select version from schema_migrations order by version")]
    assert versions == list(range(1, old_journal.NEWEST + 1))
    assert rig.daemon.journal("pragma integrity_check") == [{"integrity_check": "ok"}]
    assert rig.daemon.journal("pragma foreign_key_check") == []
    for table, rows in before.items():
        key = next(iter(rows[0]))
        now = {row[key]: row for row in rig.daemon.journal(f"select * from {table}")}
        assert all(now.get(row[key]) == row for row in rows), table


def kept_rows(rig, version):
    """What no later step may change."""
    tables = ["order_events", "order_submissions"]
    tables += ["fills"] * (version >= FILLS_SINCE) + ["tokens"] * (version >= TOKENS_SINCE)
    return {table: rig.daemon.journal(f"select * from {table}") for table in tables}


@pytest.mark.parametrize("version", range(1, old_journal.NEWEST))
def test_every_order_of_a_journal_of_an_earlier_version_is_settled(make_rig, version):
    rig = make_rig(**BUSY)
    rig.sim.options += ["--rate-orders", "0"]
    session = Session(rig.start())
    session.trade()
    session.get_stuck()
    session.check_states(0)
    rig.daemon.kill()
    rig.sim.clear_faults()
    session.pass_by()
    old_journal.rewrite(rig.daemon.journal_file, version)
    before = kept_rows(rig, version)
    for name in ("account_poll_ms", "reconcile_interval_ms"):
        del rig.daemon.options[name]
    rig.daemon.start()
    rig.daemon.ready()
    wait_for(lambda: session.check_states(1) is None, 20)
    wait_for(lambda: check_against_exchange(rig) is None)
    check_migrated(rig, before)
    if version >= TOKENS_SINCE:  # the app's token still holds, and so do its ids
        for name in FATES:
            answer = session.request(name)
            assert answer.headers["Idempotent-Replayed"] == "true", (name, answer)
        session.check_states(1)
    for name, (_, fate) in FATES.items():
        assert len(session.placed(name)) == (fate not in ("failed", "rejected")), name


@pytest.mark.parametrize("dump", sorted((ROOT / "tests/data/journals").glob("*.sql")),
                         ids=lambda path: path.stem)
def test_a_journal_that_an_earlier_daemon_really_left_places_nothing(make_rig, dump):
    rig = make_rig()
    rig.sim.start()
    rig.daemon.start().stop()  # makes the folder, and learns of the account
    rig.daemon.journal_file.unlink()
    old_journal.load(rig.daemon.journal_file, dump)
    with contextlib.closing(sqlite3.connect(rig.daemon.journal_file)) as journal, journal:
        journal.execute("update orders set updated_at = '2020-01-01T00:00:00.000000Z'")
    states = rig.daemon.journal("select order_id, state from orders order by order_id")
    rig.daemon.start()
    rig.daemon.ready()
    wait_for(lambda: is_settled(rig))
    expected = [{**row, "state": 10 if row["state"] == 3 else row["state"]} for row in states]
    assert rig.daemon.journal("select order_id, state from orders order by order_id") == expected
    # This exchange never had what the journal calls live: that is told, and asked for on.
    for row in states:
        if row["state"] in (5, 6):
            told = wait_for(lambda row=row: rig.daemon.admin.get(
                "/v1/orders/" + row["order_id"], owner="any").json["settling"])
            assert told["reason"]
    assert rig.sim.log(SUBMIT) == [] and live_on_exchange(rig.sim) == []
