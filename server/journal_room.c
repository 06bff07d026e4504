#include "server/journal_room.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/mem.h"

#define STEP           ((off_t)1024 * 1024) /* what is held is a multiple of it */
#define PAGE           4096
#define PART_MAX       ((off_t)1 << 30) /* of a database: a chunk size is an int */
#define FRAME          (4096 + 24)      /* of the log: a page and its head */
#define INDEX_FRAMES   4096             /* one block of the index knows so many */
#define INDEX_BLOCK    32768
#define INDEX_COUNT    16 /* where the index says how many frames are valid: walformat.html, 2.1 */
#define FREE_FACTOR    2  /* where nothing can be held */
#define MAGIC_ZFS      0x2fc12fc1
#define MAGIC_BCACHEFS 0xca451a4e
#define PATH_LEN       4096

struct journal_room {
	sqlite3 *db;
	int database_fd, log_fd, index_fd;
	off_t held;     /* of the log, from its start */
	off_t most;     /* that ever was */
	int looked_at;  /* pages of the log when the database was looked at */
	off_t database; /* likewise; SQLite does not cut it shorter */
	bool is_firm;
	bool is_short; /* it was refused: no order's end makes up for what others have used since */
};

/* ---- opening ------------------------------------------------------------------------------ */

static int open_beside(const char *path, const char *suffix, struct err *err)
{
	char name[PATH_LEN];
	int fd;

	if (snprintf(name, sizeof(name), "%s%s", path, suffix) >= (int)sizeof(name)) {
		err_set(err, ERR_JOURNAL, "the path of the journal is too long");
		return -1;
	}
	fd = open(name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		err_set(err, ERR_JOURNAL, "cannot open %s: %s", name, strerror(errno));
	return fd;
}

/* Does what is written in place stay in place? */
static bool writes_in_place(int fd)
{
	struct statfs system;

	if (fstatfs(fd, &system) != 0)
		return false;
	switch ((unsigned long)system.f_type) {
	case BTRFS_SUPER_MAGIC:
	case MAGIC_ZFS:
	case MAGIC_BCACHEFS:
		return false;
	default:
		return true;
	}
}

bool journal_room_open(const char *path, sqlite3 *db, struct journal_room **result, struct err *err)
{
	struct journal_room *room = mem_alloc(sizeof(*room));

	room->db = db;
	room->log_fd = room->index_fd = -1;
	room->database_fd = open_beside(path, "", err);
	if (room->database_fd < 0)
		goto fail;
	room->log_fd = open_beside(path, "-wal", err);
	if (room->log_fd < 0)
		goto fail;
	room->index_fd = open_beside(path, "-shm", err);
	if (room->index_fd < 0)
		goto fail;
	room->is_firm = writes_in_place(room->log_fd);
	*result = room;
	return true;
fail:
	journal_room_close(room);
	return false;
}

void journal_room_close(struct journal_room *room)
{
	if (!room)
		return;
	if (room->database_fd >= 0)
		close(room->database_fd);
	if (room->log_fd >= 0)
		close(room->log_fd);
	if (room->index_fd >= 0)
		close(room->index_fd);
	mem_free(room);
}

/* ---- holding ------------------------------------------------------------------------------ */

static off_t need_of_log(size_t orders)
{
	return (off_t)(JOURNAL_ROOM_LOG_BASE + orders * JOURNAL_ROOM_LOG_ORDER);
}

static off_t need_of_database(size_t orders)
{
	return (off_t)(JOURNAL_ROOM_DATABASE_BASE + orders * JOURNAL_ROOM_DATABASE_ORDER);
}

static off_t end_of_log(size_t orders, int log_pages)
{
	return (off_t)log_pages * FRAME + need_of_log(orders);
}

static off_t round_up(off_t bytes)
{
	return (bytes + STEP - 1) / STEP * STEP;
}

static off_t free_bytes(const struct journal_room *room)
{
	struct statvfs system;

	if (fstatvfs(room->log_fd, &system) != 0)
		return 0;
	return (off_t)system.f_bavail * (off_t)system.f_frsize;
}

bool journal_room_has(const struct journal_room *room, size_t orders, int log_pages)
{
	if (!room->is_firm)
		return free_bytes(room) >=
		       FREE_FACTOR * (need_of_log(orders) + need_of_database(orders));
	return !room->is_short && end_of_log(orders, log_pages) <= room->held &&
	       log_pages <= room->looked_at + STEP / FRAME;
}

static bool allocate(int fd, int mode, off_t end)
{
	int status;

	do
		status = fallocate(fd, mode, 0, end);
	while (status != 0 && errno == EINTR);
	return status == 0;
}

/* What was never written costs a commit dear, each time: the file system has to say of its blocks,
 * durably, that they are now, and that the file is longer. So a stretch of zeros is kept ahead of
 * the log's end; SQLite takes the first frame that is not one of its own for the end. Only under
 * its lock for writers: where one of another process were writing, too, its frames would be lost.
 * If it fails, the commits are slower, and find out for themselves what is wrong. */
static void level_log(const struct journal_room *room, off_t end)
{
	static const char zeros[64 * 1024];
	struct stat stat_;
	struct err err;
	off_t at = end;

	if (!sql_exec(room->db, "BEGIN IMMEDIATE", &err))
		return;
	if (fstat(room->log_fd, &stat_) == 0)
		at = stat_.st_size;
	while (at < end && pwrite(room->log_fd, zeros, sizeof(zeros), at) == sizeof(zeros))
		at += (off_t)sizeof(zeros);
	sqlite3_exec(room->db, "ROLLBACK", NULL, NULL, NULL);
}

/* The index, too: it grows with the log, whose file stays as long as it is. */
static bool hold_log(struct journal_room *room, size_t orders, int log_pages)
{
	off_t end = round_up(end_of_log(orders, log_pages)) + STEP;
	off_t index;

	/* A log that begins anew needs less, but on a full disk that would not last: the trouble
	 * is over when the disk gives something. */
	if (room->is_short && end < room->most + STEP)
		end = room->most + STEP;
	index = (end / FRAME / INDEX_FRAMES + 1) * INDEX_BLOCK;
	if (!allocate(room->log_fd, FALLOC_FL_KEEP_SIZE, end) ||
	    !allocate(room->index_fd, FALLOC_FL_KEEP_SIZE, index))
		return false;
	level_log(room, round_up((off_t)log_pages * FRAME) + 2 * STEP);
	room->held = end;
	if (room->most < end)
		room->most = end;
	return true;
}

static void set_chunk(struct journal_room *room, int bytes)
{
	sqlite3_file_control(room->db, "main", SQLITE_FCNTL_CHUNK_SIZE, &bytes);
}

/* So many equal parts as to leave the end of all of them the first multiple above what is in use.
 * Where that is missed, room is lost and nothing else. */
static bool hold_database(struct journal_room *room, size_t orders, off_t used)
{
	off_t end = used + need_of_database(orders), parts = used / PART_MAX + 1, part;
	struct stat stat_;

	if (fstat(room->database_fd, &stat_) == 0 && stat_.st_size < room->database)
		room->database = 0; /* somebody made it smaller */
	if (end <= room->database)
		return true;
	part = round_up(end / parts + 1);
	if (!allocate(room->database_fd, 0, part * parts)) {
		if (used > room->database)
			set_chunk(room, 0); /* a whole part more is far too much */
		return false;
	}
	set_chunk(room, (int)part);
	room->database = part * parts;
	return true;
}

static bool cannot_allocate_ahead(void)
{
	return errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL;
}

bool journal_room_hold(struct journal_room *room, size_t orders, int log_pages, struct err *err)
{
	int64_t pages;

	if (journal_room_has(room, orders, log_pages))
		return true;
	errno = ENOSPC;
	if (room->is_firm) {
		if (!sql_query_int(room->db, "PRAGMA page_count", &pages, err))
			return false;
		room->is_short = !hold_database(room, orders, (off_t)pages * PAGE) ||
				 !hold_log(room, orders, log_pages);
		room->looked_at = log_pages;
		if (!room->is_short)
			return true;
		room->is_firm = !cannot_allocate_ahead();
		if (!room->is_firm)
			return journal_room_hold(room, orders, log_pages, err);
	}
	return err_set(err, ERR_JOURNAL,
		       "the disk has no room to hold for what becomes of another order: %s",
		       strerror(errno));
}

int journal_room_log_pages(const struct journal_room *room)
{
	uint32_t count;

	return pread(room->index_fd, &count, sizeof(count), INDEX_COUNT) == sizeof(count)
		       ? (int)count
		       : 0;
}

void journal_room_log_was_cut(struct journal_room *room)
{
	room->held = 0;
}

bool journal_room_is_firm(const struct journal_room *room)
{
	return room->is_firm;
}
