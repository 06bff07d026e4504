"""Years of trading for a journal, made in a minute: copies of orders that really were.

The rows are the daemon's own, with ids and times of their own: for each order its history, its
signed bytes, its fills, a change of balances, and as many events of the channels as are kept. What
was there comes last, as it was.
"""
import contextlib
import shutil
import sqlite3

SECONDS = 365 * 86400  # over which they are spread
EVENTS_KEPT = 200000   # journal.events_kept
CACHE_KIB = 1000000

# The n-th has ids of its own, those of the exchange in no order, its time, and its sample.
SAMPLES = """
CREATE TEMP TABLE samples (turn INTEGER PRIMARY KEY, sample TEXT);
INSERT INTO samples SELECT row_number() OVER (ORDER BY rowid) - 1, order_id
FROM was.orders WHERE exchange_order_id NOT NULL;
"""
NUMBERS = f"""
CREATE TEMP TABLE numbers AS
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count)
SELECT n, printf('ord_%026d', n) AS own,
       printf('%08x-0000-4000-8000-%012x', n * 2654435761 & 4294967295, n) AS exchange,
       strftime('%Y-%m-%dT%H:%M:%f000Z', unixepoch() - {SECONDS + 3600} + n * {SECONDS}.0 / :count,
                'unixepoch') AS time, sample
FROM numbers JOIN samples ON turn = n % (SELECT count(*) FROM samples)
"""

# What a copy has of its own.
OWN = {
    "orders": {"order_id": "own", "client_order_id": "'auto_' || own",
               "exchange_order_id": "exchange", "created_at": "time", "updated_at": "time"},
    "order_events": {"event_id": "NULL", "order_id": "own", "at": "time",
                     "exchange_order_id": "iif(exchange_order_id IS NULL, NULL, exchange)"},
    "order_submissions": {"submission_id": "NULL", "order_id": "own", "at": "time",
                          "exchange_order_id": "exchange"},
    "fills": {"fill_number": "NULL", "execution_id": "exchange || fill_number", "order_id": "own",
              "exchange_order_id": "exchange", "executed_at": "time", "booked_at": "time",
              "latest_at": "time"},
    "balances": {"balance_id": "NULL", "free": "CAST(free AS INTEGER) + n % 1000", "as_of": "time"},
    "channel_events": {"seq": "NULL"},
}
SAMPLE = {  # which sample the n-th is a copy of
    "balances": "balance_id = 1 + n % (SELECT max(balance_id) FROM was.balances)",
    "channel_events": "seq = 1 + n % (SELECT max(seq) FROM was.channel_events) "
                      f"AND n <= {EVENTS_KEPT}",
}


def values_of(journal, table, own):
    """The columns, and for each what goes into it."""
    columns = [name for name, in
               journal.execute(f"SELECT name FROM pragma_table_info('{table}')")]
    return ", ".join(columns), ", ".join(own.get(column, column) for column in columns)


def copy(journal, table):
    columns, values = values_of(journal, table, OWN[table])
    journal.execute(
        f"INSERT INTO main.{table} ({columns}) SELECT {values} FROM numbers CROSS JOIN was.{table} "
        f"ON {SAMPLE.get(table, 'order_id = sample')}")


def put_back(journal, table):
    """What was there, after all the others; its key is a number or the order's own."""
    number = {key: "NULL" for key, value in OWN[table].items() if value == "NULL"}
    columns, values = values_of(journal, table, number)
    journal.execute(f"INSERT INTO main.{table} ({columns}) SELECT {values} FROM was.{table} "
                    "ORDER BY rowid")


@contextlib.contextmanager
def laid_aside(journal):
    """Triggers forbid what is done here, and indexes are made faster when the rows are there."""
    kept = journal.execute("SELECT type, name, sql FROM main.sqlite_schema WHERE type IN "
                           "('index', 'trigger') AND sql IS NOT NULL ORDER BY type").fetchall()
    for kind, name, _ in kept:
        journal.execute(f"DROP {kind} main.{name}")
    yield
    for _, _, sql in kept:
        journal.execute(sql)


def fill(journal, count):
    journal.executescript(SAMPLES)
    journal.execute(NUMBERS, {"count": count})
    for table in reversed(OWN):
        journal.execute(f"DELETE FROM main.{table}")
    for table in OWN:
        copy(journal, table)
        put_back(journal, table)


def write(path, count):
    """Puts so many orders in front of those that are in the journal of a stopped daemon."""
    was = path.with_suffix(".was")
    shutil.copy(path, was)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as journal:
        journal.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
                              f"PRAGMA cache_size = -{CACHE_KIB}; PRAGMA temp_store = MEMORY;")
        journal.execute("ATTACH ? AS was", (str(was),))
        with laid_aside(journal):
            fill(journal, count)
    was.unlink()
