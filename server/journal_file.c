#include "server/journal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/crash_point.h"
#include "base/mem.h"
#include "server/migrate.h"

#define QUICK_CHECK_MAX ((int64_t)32 * 1024 * 1024) /* of database: a tenth of a second or so */
#define VALUE_LEN       128

/* FULL: an intent must survive the loss of power. No automatic checkpoints: they would come inside
 * somebody's commit, and before SQLite 3.51.3 it matters that one connection alone makes them. */
static const char settings_of_connection[] = "PRAGMA synchronous = FULL;"
					     "PRAGMA wal_autocheckpoint = 0;"
					     "PRAGMA journal_size_limit = 67108864;"
					     "PRAGMA temp_store = MEMORY;"
					     "PRAGMA trusted_schema = OFF;";

static bool fail_io(struct err *err, const char *what, const char *path)
{
	return err_set(err, ERR_JOURNAL, "%s %s: %s", what, path, strerror(errno));
}

/* ---- the directory and the two files ------------------------------------------------------ */

static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return mem_strdup(".");
	return mem_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* Who can write the directory can swap the journal. */
static bool check_directory(const char *path, struct err *err)
{
	char *directory = directory_of(path);
	bool is_fine = false;
	struct stat stat_;

	if (stat(directory, &stat_) != 0)
		fail_io(err, "directory", directory);
	else if (!S_ISDIR(stat_.st_mode))
		err_set(err, ERR_JOURNAL, "%s is not a directory", directory);
	else if ((stat_.st_mode & S_IWOTH) && !(stat_.st_mode & S_ISVTX))
		err_set(err, ERR_JOURNAL, "everybody may write the directory %s: chmod o-w it",
			directory);
	else
		is_fine = true;
	mem_free(directory);
	return is_fine;
}

static bool sync_directory(const char *path, struct err *err)
{
	char *directory = directory_of(path);
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_done = fd >= 0 && fsync(fd) == 0;

	if (!is_done)
		fail_io(err, "directory", directory);
	if (fd >= 0)
		close(fd);
	mem_free(directory);
	return is_done;
}

/* Opens or makes a file that is ours and that only we may read. */
static int open_private(const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	struct stat stat_;

	if (fd < 0) {
		fail_io(err, "cannot open", path);
		return -1;
	}
	if (fstat(fd, &stat_) != 0 || !S_ISREG(stat_.st_mode) || stat_.st_uid != geteuid()) {
		err_set(err, ERR_JOURNAL, "%s is not a file of this user", path);
		goto fail;
	}
	if ((stat_.st_mode & 0077) && fchmod(fd, 0600) != 0) {
		fail_io(err, "cannot make private", path);
		goto fail;
	}
	return fd;
fail:
	close(fd);
	return -1;
}

/* The holder's process, for the message only: the lock decides, not the number. */
static void read_pid(int fd, char *pid, size_t pid_size)
{
	ssize_t len = pread(fd, pid, pid_size - 1, 0);

	pid[len > 0 ? len : 0] = '\0';
	pid[strspn(pid, "0123456789")] = '\0';
}

static bool take_lock(const char *path, struct journal_file *file, struct err *err)
{
	char name[4096], pid[16];
	int len;

	if (snprintf(name, sizeof(name), "%s.lock", path) >= (int)sizeof(name))
		return err_set(err, ERR_JOURNAL, "the path of the journal is too long");
	file->lock_fd = open_private(name, err);
	if (file->lock_fd < 0)
		return false;
	if (flock(file->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			return fail_io(err, "cannot lock", name);
		read_pid(file->lock_fd, pid, sizeof(pid));
		return err_set(err, ERR_JOURNAL,
			       "%s is in use by another daemon, process %s: one daemon per journal",
			       path, pid[0] ? pid : "unknown");
	}
	/* In this order it needs no new block, which a full disk would not give. */
	len = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (pwrite(file->lock_fd, pid, (size_t)len, 0) != len || ftruncate(file->lock_fd, len) != 0)
		return fail_io(err, "cannot write", name);
	return true;
}

/* Makes the database's file before SQLite does, so that its mode is right from the first moment. */
static bool prepare_file(const char *path, struct err *err)
{
	int fd = open_private(path, err);

	if (fd < 0)
		return false;
	close(fd);
	return sync_directory(path, err);
}

/* ---- the database ------------------------------------------------------------------------- */

static bool enter_wal(sqlite3 *db, struct err *err)
{
	char mode[16];

	if (!sql_query_text(db, "PRAGMA journal_mode = WAL", mode, sizeof(mode), err))
		return false;
	if (strcmp(mode, "wal") != 0)
		return err_set(err, ERR_JOURNAL,
			       "the file system does not allow a write-ahead log");
	return true;
}

static bool quick_check(sqlite3 *db, struct err *err)
{
	char verdict[128];
	int64_t pages, page_size;

	if (!sql_query_int(db, "PRAGMA page_count", &pages, err) ||
	    !sql_query_int(db, "PRAGMA page_size", &page_size, err))
		return false;
	if (pages > QUICK_CHECK_MAX / page_size)
		return true;
	if (!sql_query_text(db, "PRAGMA quick_check(1)", verdict, sizeof(verdict), err))
		return false;
	if (strcmp(verdict, "ok") != 0)
		return err_set(err, ERR_JOURNAL, "the database is damaged: %s", verdict);
	return true;
}

static bool open_database(const char *path, sqlite3 **db, struct err *err)
{
	if (sqlite3_open_v2(path, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
	    SQLITE_OK)
		return *db ? sql_fail(*db, err) : err_set(err, ERR_JOURNAL, "out of memory");
	sqlite3_extended_result_codes(*db, 1);
	sqlite3_busy_timeout(*db, JOURNAL_BUSY_TIMEOUT_MS);
	if (sqlite3_db_readonly(*db, "main"))
		return err_set(err, ERR_JOURNAL, "the file may only be read");
	return enter_wal(*db, err) && sql_exec(*db, settings_of_connection, err) &&
	       quick_check(*db, err);
}

/* ---- what it is the journal of ------------------------------------------------------------ */

static bool put_setting(sqlite3 *db, const char *name, const char *value, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	struct sql_cursor row;
	bool is_done = false;

	if (!sql_prepare(db, "INSERT INTO settings (name, value, updated_at) VALUES (?, ?, ?)",
			 false, &stmt, err))
		goto out;
	row = sql_cursor(stmt);
	sql_put_text(&row, name);
	sql_put_text(&row, value);
	sql_put_wall(&row, wall_now());
	is_done = sql_run(stmt, err);
out:
	sqlite3_finalize(stmt);
	return is_done;
}

static bool check_network(sqlite3 *db, const char *network, struct err *err)
{
	char found[VALUE_LEN];

	if (!sql_query_text(db, "SELECT value FROM settings WHERE name = 'network'", found,
			    sizeof(found), err))
		return false;
	if (!found[0])
		return put_setting(db, "network", network, err);
	if (strcmp(found, network) != 0)
		return err_set(err, ERR_ACCOUNT,
			       "this journal belongs to the network %s, the daemon is set to %s",
			       found, network);
	return true;
}

/* Tells this journal from one that was lost or restored: positions in streams carry it. */
static bool check_epoch(sqlite3 *db, char epoch[JOURNAL_EPOCH_LEN], struct err *err)
{
	uint8_t bytes[8];

	if (!sql_query_text(db, "SELECT value FROM settings WHERE name = 'epoch'", epoch,
			    JOURNAL_EPOCH_LEN, err))
		return false;
	if (epoch[0])
		return true;
	randombytes_buf(bytes, sizeof(bytes));
	hex_encode(bytes, sizeof(bytes), epoch);
	return put_setting(db, "epoch", epoch, err);
}

bool journal_file_open(const char *path, const char *network, struct journal_file *file,
		       struct err *err)
{
	*file = (struct journal_file){ .lock_fd = -1 };
	if (!check_directory(path, err) || !take_lock(path, file, err) || !prepare_file(path, err))
		goto fail;
	CRASH_POINT("journal_file.made");
	if (!open_database(path, &file->db, err) ||
	    !migrate_apply(file->db, migrate_list, migrate_count, err) ||
	    !sql_exec(file->db, "PRAGMA foreign_keys = ON", err) ||
	    !check_network(file->db, network, err) || !check_epoch(file->db, file->epoch, err) ||
	    !journal_room_open(path, file->db, &file->room, err)) {
		err_prefix(err, "%s", path);
		goto fail;
	}
	CRASH_POINT("journal_file.open");
	return true;
fail:
	journal_file_close(file);
	return false;
}

void journal_file_close(struct journal_file *file)
{
	sqlite3_close(file->db);
	journal_room_close(file->room);
	if (file->lock_fd >= 0)
		close(file->lock_fd);
	*file = (struct journal_file){ .lock_fd = -1 };
}
