"""A journal as a daemon of an earlier version would have left it.

The migrations that it knew make the tables, and what they have room for is copied from a journal of
the present. A migration that only adds, as all have so far, needs nothing here; one that changes
what a column means has to say below how it was before.
"""
import contextlib
import hashlib
import pathlib
import sqlite3

from rig import ROOT

MIGRATIONS = sorted((ROOT / "migrations").glob("[0-9]*.sql"))
NEWEST = len(MIGRATIONS)
APPLICATION_ID = 0x6467414A
AT = "2026-11-22T12:00:00.000000Z"

# Before 2 there were no fills: for that daemon an order that had executed was still open.
WITHOUT_FILLS = """
UPDATE orders SET state = 5 WHERE state IN (6, 7);
UPDATE orders SET executed_base_qty = '0', executed_quote_qty = '0', commission = '0',
       exchange_executed_quote_qty = '0', average_price = NULL, commission_unit = NULL;
"""


def make_tables(old, version):
    for number, path in enumerate(MIGRATIONS[:version], 1):
        text = path.read_text()
        old.executescript(text)
        old.execute("INSERT INTO schema_migrations VALUES (?, ?, ?, ?)",
                    (number, path.stem, hashlib.sha256(text.encode()).hexdigest(), AT))
    old.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    old.execute(f"PRAGMA user_version = {version}")


def tables_of(journal, schema):
    """Those that other tables lean on come first, which is how they were made."""
    rows = journal.execute(f"SELECT name FROM {schema}.sqlite_schema WHERE type = 'table'"
                           " ORDER BY rowid")
    return [name for name, in rows if name != "schema_migrations"]


def columns_of(journal, schema, table):
    rows = journal.execute(f"SELECT name FROM pragma_table_info('{table}', '{schema}')")
    return [name for name, in rows]


def copy_rows(old, version):
    present = set(tables_of(old, "present"))
    for table in tables_of(old, "main"):
        assert table in present, f"{table} is gone: say here where its rows come from"
        known = set(columns_of(old, "present", table))
        columns = ", ".join(c for c in columns_of(old, "main", table) if c in known)
        where = ""
        if table == "order_events" and version < 2:
            where = "WHERE event NOT IN ('fill_part', 'fill_all')"
        # What a migration put there itself is the same, but for channels.pruned.
        old.execute(f"INSERT OR REPLACE INTO main.{table} ({columns}) SELECT {columns} "
                    f"FROM present.{table} {where} ORDER BY rowid")
    if version < 2:
        old.executescript(WITHOUT_FILLS)


def rewrite(path, version):
    """Puts the journal of that version in the place of the one that is there."""
    path = pathlib.Path(path)
    made = path.with_suffix(".old")
    with contextlib.closing(sqlite3.connect(made, isolation_level=None)) as old:
        old.execute("PRAGMA journal_mode = WAL")
        make_tables(old, version)
        old.execute("ATTACH ? AS present", (str(path),))
        copy_rows(old, version)
        old.execute("DETACH present")
        assert old.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert old.execute("PRAGMA foreign_key_check").fetchone() is None
    for name in (path.name, path.name + "-wal", path.name + "-shm"):
        path.with_name(name).unlink(missing_ok=True)
    made.rename(path)


def load(path, dump):
    """Puts a journal there that sqlite3's .dump wrote."""
    path = pathlib.Path(path)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as journal:
        journal.execute("PRAGMA journal_mode = WAL")
        journal.executescript(dump.read_text())
