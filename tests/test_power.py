"""The power cuts of the crash matrix are honest: what was synced stays, the rest may go, and who
does not sync is caught."""
import random
import subprocess
import sys

import pytest

import rig as rigs
from power import SECTOR, Power

LIBRARY = rigs.BUILD / "crash/power.so"
pytestmark = pytest.mark.skipif(rigs.SLOWNESS > 1, reason="sanitizers want to be loaded first")

# A program that does known things to its files; what it prints was done before.
STEPS = """
fd = os.open(at("safe"), os.O_RDWR | os.O_CREAT)
os.pwrite(fd, b"a" * 4096, 0)
os.fsync(fd)
os.fsync(os.open(folder, os.O_RDONLY))
os.pwrite(fd, b"b" * 1024, 1024)
os.pwrite(fd, b"c" * 4096, 4096)
loose = os.open(at("loose"), os.O_RDWR | os.O_CREAT)
os.write(loose, b"x" * 10)
os.fsync(loose)
os.rename(at("safe"), at("moved"))
os.ftruncate(fd, 6000)
os.write(1, b"done")
"""

WRITER = """
import sqlite3
journal = sqlite3.connect(at("journal.db"), isolation_level=None)
journal.execute("pragma journal_mode=wal")
journal.execute("pragma synchronous={level}")
journal.execute("create table if not exists t (n integer primary key)")
for n in range(30):
    journal.execute("insert into t values (?)", (n,))
    os.write(1, b"%d\\n" % n)
"""


def run(power, text):
    """Runs it on the folder and kills it where it ends; what it printed."""
    head = f"import os\nfolder = {str(power.folder)!r}\nat = lambda name: folder + '/' + name\n"
    done = subprocess.run([sys.executable, "-c", head + text + "os.kill(os.getpid(), 9)"],
                          env=power.environment(), timeout=60, capture_output=True, text=True,
                          check=False)
    assert done.returncode == -9, done.stderr
    return done.stdout.split()


@pytest.fixture
def power(tmp_path):
    (tmp_path / "data").mkdir()
    return Power(tmp_path / "data", LIBRARY)


def cuts(power, tmp_path, count):
    """The same files after so many power cuts, each from the same moment."""
    files = {p.name: p.read_bytes() for p in power.folder.iterdir()}
    disk, log = power.before, power.log.read_bytes()
    for seed in range(count):
        replayed = type(disk)(tmp_path / "empty").replay(log)
        power.compare(replayed)
        yield replayed.cut(random.Random(seed))
    assert files == {p.name: p.read_bytes() for p in power.folder.iterdir()}


def test_a_cut_keeps_what_was_synced_and_takes_any_part_of_the_rest(power, tmp_path):
    (tmp_path / "empty").mkdir()
    assert run(power, STEPS) == ["done"]
    assert (power.folder / "moved").stat().st_size == 6000
    seen = list(cuts(power, tmp_path, 400))
    files = [after.get("safe") or after["moved"] for after in seen]
    assert all(len(f) >= 4096 and f[:1024] == b"a" * 1024 for f in files)
    assert all(f[2048:4096] == b"a" * 2048 for f in files)
    # Each of these happened, and each time a sector was whole.
    middles = {f[1024:2048] for f in files}
    assert {b"a" * 1024, b"b" * 1024, b"a" * SECTOR + b"b" * SECTOR,
            b"b" * SECTOR + b"a" * SECTOR} == middles
    assert {"safe" in after for after in seen} == {"moved" in after for after in seen} == {
        True, False}
    assert {"loose" in after for after in seen} == {True, False}, "its folder was not synced"
    assert {after["loose"] for after in seen if "loose" in after} == {b"x" * 10}
    assert {len(f) for f in files} >= {4096, 6000, 8192}
    assert any(b"c" in f[4096:] and b"\0" in f[4096:] for f in files), "no torn write"


def kept_after(power, level, seed):
    acknowledged = run(power, WRITER.format(level=level))
    assert len(acknowledged) == 30
    power.cut(random.Random(seed))
    done = subprocess.run(
        ["sqlite3", power.folder / "journal.db", "pragma integrity_check; select n from t"],
        capture_output=True, text=True, check=False)
    return done.stdout.split() == ["ok", *acknowledged]


def lost_in(tmp_path, level, lies=False):
    """In how many of a few cuts an acknowledged row was gone."""
    lost = 0
    for seed in range(8):
        folder = tmp_path / f"{level}-{seed}"
        folder.mkdir()
        lost += not kept_after(Power(folder, LIBRARY, lies), level, seed)
    return lost


def test_a_journal_that_syncs_loses_nothing_that_it_acknowledged(tmp_path):
    assert lost_in(tmp_path, "FULL") == 0


def test_a_journal_that_does_not_sync_is_caught_losing_what_it_acknowledged(tmp_path):
    assert lost_in(tmp_path, "OFF") > 0
    assert lost_in(tmp_path, "NORMAL") > 0


def test_a_disk_that_lies_about_syncs_is_caught(tmp_path):
    assert lost_in(tmp_path, "FULL", lies=True) > 0


def test_a_write_that_the_layer_does_not_see_is_an_error(power):
    run(power, STEPS)
    with open(power.folder / "moved", "r+b") as file:
        file.write(b"unseen")
    with open(power.folder / "loose", "r+b") as file:
        file.write(b"unseen")
    with pytest.raises(AssertionError, match="did not see"):
        power.cut(random.Random(1))
