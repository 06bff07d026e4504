"""A disk in trouble, for the daemon of one rig: what tests/crash/disk.c makes of its files."""
import errno
import mmap
import os
import struct

import rig as rigs

LIBRARY = rigs.BUILD / "crash/disk.so"
LAYOUT = struct.Struct("<iiiiiiiiq32s")
FIELDS = ("write_errno", "sync_errno", "read_errno", "allocate_errno", "is_full", "is_greedy",
          "refusals", "unused", "free_bytes", "only")


class Disk:
    """Made before the daemon is started; sound until told otherwise."""

    def __init__(self, rig):
        self.control = rig.folder / "disk"
        self.control.write_bytes(bytes(LAYOUT.size))
        with open(self.control, "r+b") as file:
            self.shared = mmap.mmap(file.fileno(), LAYOUT.size)
        rig.daemon.env.update(LD_PRELOAD=str(LIBRARY), DISK_CONTROL=str(self.control),
                              DISK_FOLDER=os.path.realpath(rig.daemon.data_dir))

    def read(self):
        return dict(zip(FIELDS, LAYOUT.unpack(self.shared[:])))

    def set(self, only="", **fields):
        state = dict.fromkeys(FIELDS, 0) | {"refusals": self.refusals, "only": only.encode()}
        self.shared[:] = LAYOUT.pack(*(state | fields).values())

    @property
    def refusals(self):
        return self.read()["refusals"]

    def heal(self):
        self.set()

    def without_allocation(self):
        """As a file system that knows no allocation ahead."""
        self.set(allocate_errno=errno.EOPNOTSUPP)

    def fill(self, free_bytes=0, is_greedy=True):
        """No block more than so many bytes; greedy: what is given back is gone, too."""
        self.set(is_full=1, is_greedy=int(is_greedy), free_bytes=free_bytes)

    def make_read_only(self):
        self.set(write_errno=errno.EROFS)

    def break_writes(self, only=""):
        self.set(only, write_errno=errno.EIO)

    def break_syncs(self, only=""):
        self.set(only, sync_errno=errno.EIO)
