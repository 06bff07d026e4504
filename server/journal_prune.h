/* journal_prune.h - lets go of the oldest channel events, so many at a time that nobody waits long.
 *
 * Rows go in the order of their numbers; the database's own triggers see to that, note how far it
 * went in each channel, and keep the newest row, whose number must not be given again. The journal
 * thread, once it runs. */
#ifndef SERVER_JOURNAL_PRUNE_H
#define SERVER_JOURNAL_PRUNE_H
#include <stddef.h>

#include "base/err.h"
#include "server/sql.h"

#define JOURNAL_PRUNE_BATCH 256 /* rows of one transaction: a few milliseconds */

struct journal_prune;

/* kept: that many newest rows stay; 0: all. Borrows the connection. */
MUST_CHECK bool journal_prune_create(sqlite3 *db, size_t kept, struct journal_prune **result,
				     struct err *err);
void journal_prune_destroy(struct journal_prune *prune); /* NULL is fine */

void journal_prune_add(struct journal_prune *prune, size_t count); /* rows were committed */
size_t journal_prune_due(const struct journal_prune *prune);       /* rows that may go */
/* One batch, in a transaction of its own. After a failure nothing is due until more was added. */
MUST_CHECK bool journal_prune_run(struct journal_prune *prune, struct err *err);
#endif
