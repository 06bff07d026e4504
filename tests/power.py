"""What a disk may hold after a power cut, made from the log that tests/crash/power.c wrote.

What was synced is there. Of the rest any part may be: writes one by one, sector by sector, files
longer than what was written to them; new names, renamed and removed ones likewise, unless their
folder was synced. Everything is drawn from a seed. Nothing is left out, so that the log replayed
as a whole must give the files as they are, byte by byte: that is checked at each cut, and a write
that the layer did not see cannot go unnoticed.
"""
import os
import pathlib
import struct

SECTOR = 512
HEADER = struct.Struct("<IIQqII")
MAGIC = 0x72776F50
CREATE, WRITE, TRUNCATE, SYNC, SYNC_FOLDER, RENAME, UNLINK, LINK = range(1, 9)
UNWATCHED = "-shm"  # mapped into memory, and never relied upon


class File:
    """The bytes that are safe, and what was done since the last sync, in order."""

    def __init__(self, data=b""):
        self.data, self.pending = bytearray(data), []

    def sync(self):
        for step in self.pending:
            apply(self.data, step)
        self.pending = []


def apply(data, step):
    kind, offset, content = step
    if kind == TRUNCATE:
        del data[offset:]
        data.extend(bytes(offset - len(data)))
        return
    if len(data) < offset + len(content):
        data.extend(bytes(offset + len(content) - len(data)))
    data[offset:offset + len(content)] = content


class Disk:
    """A folder: its names that are safe, what was done to them since, and the files."""

    def __init__(self, folder):
        self.names, self.pending, self.inodes = {}, [], {}
        for path in sorted(folder.iterdir()):
            if path.is_file():
                self.names[path.name] = self.inodes[path.stat().st_ino] = File(path.read_bytes())

    def replay(self, log):
        at = 0
        while at + HEADER.size <= len(log):
            magic, kind, inode, offset, length, _ = HEADER.unpack_from(log, at)
            assert magic == MAGIC, f"the log is damaged at {at}"
            content = log[at + HEADER.size:at + HEADER.size + length]
            if len(content) < length:
                break  # the kill came within the record: what it tells of did not happen
            at += HEADER.size + length
            self.step(kind, inode, offset, content)
        return self

    def step(self, kind, inode, offset, content):
        if kind in (WRITE, TRUNCATE):
            self.inodes[inode].pending.append((kind, offset, content))
        elif kind == SYNC:
            self.inodes[inode].sync()
        elif kind == SYNC_FOLDER:
            for change in self.pending:
                self.names.update(change)
            self.pending = []
        else:
            self.rename(kind, inode, *(name.decode() for name in content.split(b"\0")[:2]))

    def rename(self, kind, inode, one, two):
        if kind == CREATE:
            self.inodes[inode] = File()
        file = self.inodes[inode]
        self.pending.append({CREATE: {one: file}, LINK: {two: file}, UNLINK: {one: None},
                             RENAME: {one: None, two: file}}[kind])

    def unsynced(self):
        """How many steps a power cut may still undo."""
        files = {id(f): f for f in self.inodes.values()}
        return len(self.pending) + sum(len(f.pending) for f in files.values())

    def whole(self):
        """As if everything had reached the disk."""
        names = dict(self.names)
        for change in self.pending:
            names.update(change)
        return {name: finished(file) for name, file in names.items() if file is not None}

    def cut(self, chance):
        """Names and bytes after a power cut, one of all that are possible."""
        names, seen = dict(self.names), {}
        for change in part_of(self.pending, chance):
            names.update(change)
        for name, file in sorted((n, f) for n, f in names.items() if f is not None):
            if id(file) not in seen:
                seen[id(file)] = after_cut(file, chance)
        return {name: seen[id(file)] for name, file in names.items() if file is not None}


def finished(file):
    data = bytearray(file.data)
    for step in file.pending:
        apply(data, step)
    return bytes(data)


def part_of(steps, chance):
    """None, all, the first few, or any of them, in order."""
    how = chance.choice(("none", "all", "first", "any"))
    if how == "none":
        return []
    if how == "all":
        return list(steps)
    if how == "first":
        return steps[:chance.randint(0, len(steps))]
    return [step for step in steps if chance.random() < 0.5]


def after_cut(file, chance):
    data = bytearray(file.data)
    longest = max([len(data)] + [o + len(c) for kind, o, c in file.pending if kind == WRITE])
    may_tear = chance.random() < 0.5
    for step in part_of(file.pending, chance):
        for piece in sectors_of(step) if may_tear else [step]:
            if not may_tear or chance.random() < 0.7:
                apply(data, piece)
    if len(data) < longest and chance.random() < 0.3:
        data.extend(bytes(longest - len(data)))  # the size was written, the content was not
    return bytes(data)


def sectors_of(step):
    kind, offset, content = step
    if kind != WRITE:
        return [step]
    pieces, at = [], 0
    while at < len(content):
        length = min(SECTOR - (offset + at) % SECTOR, len(content) - at)
        pieces.append((WRITE, offset + at, content[at:at + length]))
        at += length
    return pieces


class Power:
    """Watches one folder of one program, whose environment it adds to; cuts any number of times."""

    def __init__(self, folder, library, lies=False):
        self.folder, self.library, self.lies = pathlib.Path(folder), library, lies
        self.log = self.folder.with_name(self.folder.name + ".power")
        self.begin()

    def begin(self):
        self.log.write_bytes(b"")
        self.before = Disk(self.folder)

    def environment(self):
        told = {"LD_PRELOAD": str(self.library), "POWER_FOLDER": str(self.folder),
                "POWER_LOG": str(self.log)}
        return {**told, "POWER_LIES": "1"} if self.lies else told

    def cut(self, chance):
        """The program is dead: rolls its files back. Returns how many steps were at stake."""
        disk = self.before.replay(self.log.read_bytes())
        self.compare(disk)
        at_stake = disk.unsynced()
        after = disk.cut(chance)
        for path in list(self.folder.iterdir()):
            path.unlink()
        for name, content in after.items():
            if name.endswith(UNWATCHED):
                content = bytes(b if chance.random() < 0.5 else 0 for b in content[:64])
            (self.folder / name).write_bytes(content)
            os.chmod(self.folder / name, 0o600)
        self.begin()
        return at_stake

    def compare(self, disk):
        files = {p.name: p for p in self.folder.iterdir() if p.is_file()}
        whole = disk.whole()
        last = {name: None for name in files}
        for name, path in files.items():
            if not name.endswith(UNWATCHED):
                content = path.read_bytes()
                last[name] = content == whole.get(name)
        assert set(whole) >= set(files), f"not seen: {set(files) - set(whole)}"
        unseen = [name for name, is_same in last.items() if is_same is False]
        # The last record may tell of a write that the kill came before.
        assert len(unseen) <= 1, f"the layer did not see all of {unseen}"
