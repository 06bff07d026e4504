/* journal_channel.h - catching up: what a channel told, page by page, in one reader's view.
 *
 * A page walks an index from its first row on and reads no row that is not in it, wherever in the
 * channel it begins and however little of the channel the view shows: the thread that answers is
 * the one that writes. The journal thread, once it runs; channel_view_shows() any. */
#ifndef SERVER_JOURNAL_CHANNEL_H
#define SERVER_JOURNAL_CHANNEL_H
#include "server/journal_job.h"
#include "server/sql.h"

struct buf;

/* Fills in the answer of a JOB_CHANNEL; a failure is an answer too. */
void journal_channel_find(sqlite3 *db, struct journal_job *job);

/* The statements behind it, for the test that looks at their plans. */
void journal_channel_page_sql(const struct channel_view *view, struct buf *sql);
void journal_channel_last_sql(const struct channel_view *view, struct buf *sql);
#endif
