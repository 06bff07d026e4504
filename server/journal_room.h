/* journal_room.h - room on the disk for what becomes of orders, taken before they are accepted.
 *
 * Whatever becomes of an order (its signed bytes, its fills, its end) goes into SQLite's
 * write-ahead log, and is copied from there into the database, after which the log begins anew.
 * So blocks are allocated behind the ends of both: nobody else can have them, however full the
 * disk gets and whoever fills it, and they stay when the daemon is killed. (A spare file, deleted
 * in need, would not do: what fills the disk takes what is given back before the journal can.)
 * The log is longer by a stretch of zeros, so that commits write where something was written
 * before. The database is by pages that are not in use yet: SQLite would cut off what is behind
 * its end, but leaves it at a multiple of its "chunk size".
 *
 * Some file systems cannot allocate ahead, and some take new blocks for what is written in place
 * (btrfs, ZFS, bcachefs). There the free space is looked at instead: twice the room must be
 * there. That is no promise, and journal_room_is_firm() says so.
 *
 * The journal thread, once it runs. */
#ifndef SERVER_JOURNAL_ROOM_H
#define SERVER_JOURNAL_ROOM_H
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "server/sql.h"

/* Bytes for each order that is not final, and for all else that is written meanwhile. A new order
 * takes 7 KiB of the database, a fill 2 and its end 2. A step that is committed alone takes 25
 * pages of the log, in company a few; the log need only last from one copy to the next. */
#define JOURNAL_ROOM_LOG_ORDER      ((size_t)32 * 1024)
#define JOURNAL_ROOM_LOG_BASE       ((size_t)8 * 1024 * 1024)
#define JOURNAL_ROOM_DATABASE_ORDER ((size_t)16 * 1024)
#define JOURNAL_ROOM_DATABASE_BASE  ((size_t)1024 * 1024)

struct journal_room;

/* Borrows the connection to the database at path, whose log SQLite has made by now. Close only
 * after the connection: closing a descriptor of the same files drops SQLite's locks on them. */
MUST_CHECK bool journal_room_open(const char *path, sqlite3 *db, struct journal_room **result,
				  struct err *err);
void journal_room_close(struct journal_room *room); /* NULL is fine */

/* log_pages: frames in the log now. Of the database it is known only when more must be held,
 * which is so after each MiB of log. */
bool journal_room_has(const struct journal_room *room, size_t orders, int log_pages);
/* Makes it so, with something to spare. Outside of transactions. ERR_JOURNAL when the disk
 * refuses. */
MUST_CHECK bool journal_room_hold(struct journal_room *room, size_t orders, int log_pages,
				  struct err *err);
/* As SQLite's index of the log has it; SQLite itself tells only as it adds to them. */
int journal_room_log_pages(const struct journal_room *room);
void journal_room_log_was_cut(struct journal_room *room); /* what was behind its end is gone */
bool journal_room_is_firm(const struct journal_room *room);
#endif
