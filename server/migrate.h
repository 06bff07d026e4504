/* migrate.h - brings a journal up to date; refuses one that is ahead.
 *
 * migrations/NNNN_*.sql are the only things that make or change tables. They are embedded in the
 * binary (migrations/embed.sh), applied in order, each in a transaction of its own together with
 * its row in schema_migrations, and never edited after a release: a checksum tells. Runs before
 * the journal thread does, with foreign keys not yet enforced, since a migration may have to
 * rebuild a table; they are checked before each commit instead. */
#ifndef SERVER_MIGRATE_H
#define SERVER_MIGRATE_H
#include <stddef.h>

#include "base/err.h"

struct sqlite3;

#define MIGRATE_APPLICATION_ID 0x6467414a /* in the file's header: a journal of deltagate */

struct migration {
	int version; /* 1, 2, 3 ...: its place in the list */
	const char *name;
	const char *sql;
};

extern const struct migration migrate_list[];
extern const size_t migrate_count;

/* Applies what is missing of list. ERR_JOURNAL when the file is a database of something else, has
 * migrations that list has not, or had one applied with another text, and when one fails; then
 * those before it stay applied. */
MUST_CHECK bool migrate_apply(struct sqlite3 *db, const struct migration *list, size_t count,
			      struct err *err);
#endif
