#include "server/journal_prune.h"

#include "base/mem.h"

struct journal_prune {
	sqlite3 *db;
	int64_t kept, due;
	sqlite3_stmt *delete_oldest;
};

/* Numbers have no holes. */
static bool look(struct journal_prune *prune, struct err *err)
{
	int64_t count;

	if (prune->kept == 0)
		return true;
	if (!sql_query_int(prune->db,
			   "SELECT (SELECT max(seq) FROM channel_events) + 1 - "
			   "(SELECT min(seq) FROM channel_events)",
			   &count, err))
		return false;
	prune->due = count - prune->kept;
	return true;
}

bool journal_prune_create(sqlite3 *db, size_t kept, struct journal_prune **result, struct err *err)
{
	struct journal_prune *prune = mem_alloc(sizeof(*prune));

	prune->db = db;
	prune->kept = (int64_t)kept;
	if (!sql_prepare(db,
			 "DELETE FROM channel_events "
			 "WHERE seq < (SELECT min(seq) FROM channel_events) + ?",
			 true, &prune->delete_oldest, err) ||
	    !look(prune, err)) {
		journal_prune_destroy(prune);
		return false;
	}
	*result = prune;
	return true;
}

void journal_prune_destroy(struct journal_prune *prune)
{
	if (!prune)
		return;
	sqlite3_finalize(prune->delete_oldest);
	mem_free(prune);
}

void journal_prune_add(struct journal_prune *prune, size_t count)
{
	if (prune->kept > 0)
		prune->due += (int64_t)count;
}

size_t journal_prune_due(const struct journal_prune *prune)
{
	return prune->due > 0 ? (size_t)prune->due : 0;
}

bool journal_prune_run(struct journal_prune *prune, struct err *err)
{
	struct sql_cursor row = sql_cursor(prune->delete_oldest);
	int64_t count = prune->due < JOURNAL_PRUNE_BATCH ? prune->due : JOURNAL_PRUNE_BATCH;

	prune->due = 0;
	sql_put_int(&row, count);
	/* One statement is one transaction. */
	return sql_run(prune->delete_oldest, err) && look(prune, err);
}
