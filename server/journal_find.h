/* journal_find.h - answers questions from the database, at most a page at a time.
 *
 * Every question of journal.h walks an index and stops after a page, however long the journal has
 * become: the thread that answers is the one that writes. The journal thread, once it runs. */
#ifndef SERVER_JOURNAL_FIND_H
#define SERVER_JOURNAL_FIND_H
#include "server/journal_job.h"
#include "server/sql.h"

struct buf;

/* Fills in the answer of any job but JOB_WRITE and JOB_HEALTH; a failure is an answer too. */
void journal_find(sqlite3 *db, struct journal_job *job);

/* The statements behind it, for the test that looks at their plans. */
void journal_find_orders_sql(const struct journal_order_query *query, bool is_oldest_first,
			     struct buf *sql);
void journal_find_fills_sql(const struct journal_fill_query *query, struct buf *sql);
#endif
