/* journal_file.h - the journal's files: whose they are, that nobody else writes, what is in them.
 *
 * "<path>" is the database, "<path>-wal" and "<path>-shm" are SQLite's, "<path>.lock" is held by
 * the daemon and names its process. The lock is not on the database itself: SQLite's own locks
 * there belong to the process, and closing any descriptor of that file would drop them.
 * Blocking; one thread at a time. */
#ifndef SERVER_JOURNAL_FILE_H
#define SERVER_JOURNAL_FILE_H
#include "base/err.h"
#include "server/journal_room.h"
#include "server/sql.h"

#define JOURNAL_BUSY_TIMEOUT_MS 2000 /* for an operator's shell that writes */
#define JOURNAL_EPOCH_LEN       40

struct journal_file {
	sqlite3 *db;
	struct journal_room *room;
	int lock_fd;                   /* -1: none */
	char epoch[JOURNAL_EPOCH_LEN]; /* made with the journal */
};

/* Locks, makes or opens, checks, migrates, and opens the room, in which nothing is held yet;
 * records network or compares it. ERR_ACCOUNT: the journal belongs to another network. ERR_JOURNAL:
 * everything else. */
MUST_CHECK bool journal_file_open(const char *path, const char *network, struct journal_file *file,
				  struct err *err);
/* SQLite checkpoints and removes the log, unless told to leave it; then the lock is given back.
 * Fine when half open. */
void journal_file_close(struct journal_file *file);
#endif
