#include "server/journal_channel.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "server/journal_rows.h"

#define SQL_MAX 65536 /* a branch for each symbol of a token: 128 of 160 characters at most */

static const char *const words[] = {
#define X(name, number, word) [number] = (word),
	CHANNELS(X)
#undef X
};

const char *channel_word(enum channel channel)
{
	return words[channel];
}

/* ---- who sees what ------------------------------------------------------------------------ */

/* What belongs to nobody is for all, but for orders and fills: there it is a stranger's. */
static bool shows_nobodys(enum channel channel)
{
	return channel == CHANNEL_BALANCES || channel == CHANNEL_SYSTEM;
}

/* The next of "A,B,C"; false at the end. */
static bool next_symbol(const char **list, const char **symbol, size_t *len)
{
	if (**list == '\0')
		return false;
	*symbol = *list;
	*len = strcspn(*list, ",");
	*list += *len + ((*list)[*len] == ',');
	return true;
}

static bool has_symbol(const char *list, const char *wanted)
{
	const char *symbol;
	size_t len;

	while (next_symbol(&list, &symbol, &len))
		if (strlen(wanted) == len && strncmp(symbol, wanted, len) == 0)
			return true;
	return false;
}

bool channel_view_shows(const struct channel_view *view, const struct channel_event *event)
{
	bool is_nobodys = event->token_id[0] == '\0';

	if (event->channel != view->channel)
		return false;
	if (view->token_id[0] && strcmp(event->token_id, view->token_id) != 0 &&
	    !(is_nobodys && shows_nobodys(view->channel)))
		return false;
	return !view->symbols[0] || !event->symbol[0] || has_symbol(view->symbols, event->symbol);
}

/* ---- statements ----------------------------------------------------------------------------- */

/* The numbers of a page, or only the last one, of events that have one owner or one symbol. */
struct branches {
	struct buf *sql;
	bool is_last;
	bool has_one;
};

static void add_branch(struct branches *branches, const char *where)
{
	if (branches->has_one)
		buf_add_str(branches->sql, " UNION ALL ");
	branches->has_one = true;
	buf_add_str(branches->sql,
		    "SELECT * FROM (SELECT seq FROM channel_events WHERE channel = :channel");
	buf_add_str(branches->sql, where);
	buf_add_str(branches->sql, branches->is_last ? " ORDER BY seq DESC LIMIT 1)"
						     : " AND seq > :after ORDER BY seq "
						       "LIMIT :limit)");
}

static void add_symbols(struct branches *branches, const char *list)
{
	const char *symbol;
	size_t len;

	add_branch(branches, " AND symbol = ''");
	for (int i = 0; next_symbol(&list, &symbol, &len); i++) {
		char where[32];

		snprintf(where, sizeof(where), " AND symbol = :s%d", i);
		add_branch(branches, where);
	}
}

#define IN_SYMBOLS " AND (symbol = '' OR instr(:symbols, ',' || symbol || ','))"

/* An index gives the events of one owner, or of one symbol, by age; those of two would have to be
 * sorted first. One owner's symbols are looked at row by row instead: it hardly has others. */
static void add_branches(const struct channel_view *view, bool is_last, struct buf *sql)
{
	struct branches branches = { .sql = sql, .is_last = is_last };

	if (!view->token_id[0] && view->symbols[0]) {
		add_symbols(&branches, view->symbols);
		return;
	}
	if (!view->token_id[0]) {
		add_branch(&branches, "");
		return;
	}
	add_branch(&branches, view->symbols[0] ? " AND token_id = :token_id" IN_SYMBOLS
					       : " AND token_id = :token_id");
	if (shows_nobodys(view->channel))
		add_branch(&branches, view->symbols[0] ? " AND token_id = ''" IN_SYMBOLS
						       : " AND token_id = ''");
}

void journal_channel_page_sql(const struct channel_view *view, struct buf *sql)
{
	buf_add_str(sql, "WITH found AS (");
	add_branches(view, false, sql);
	buf_add_str(sql, "), page AS (SELECT seq FROM found ORDER BY seq LIMIT :limit) "
			 "SELECT " JOURNAL_CHANNEL_COLUMNS
			 " FROM page CROSS JOIN channel_events USING (seq) ORDER BY seq");
}

void journal_channel_last_sql(const struct channel_view *view, struct buf *sql)
{
	buf_add_str(sql, "SELECT ifnull(max(seq), 0), (SELECT pruned FROM channels "
			 "WHERE channel = :channel) FROM (");
	add_branches(view, true, sql);
	buf_add_str(sql, ")");
}

static void bind(sqlite3_stmt *stmt, const struct journal_job *job)
{
	const struct channel_view *view = &job->view;
	char symbols[sizeof(view->symbols) + 2];
	const char *list = view->symbols, *symbol;
	size_t len;

	snprintf(symbols, sizeof(symbols), ",%s,", view->symbols);
	sql_bind_int(stmt, ":channel", view->channel);
	sql_bind_text(stmt, ":token_id", view->token_id);
	sql_bind_text(stmt, ":symbols", symbols);
	sql_bind_int(stmt, ":after", job->after);
	sql_bind_int(stmt, ":limit", job->limit);
	for (int i = 0; next_symbol(&list, &symbol, &len); i++) {
		char name[16], text[sizeof(view->symbols)];

		snprintf(name, sizeof(name), ":s%d", i);
		snprintf(text, sizeof(text), "%.*s", (int)len, symbol);
		sql_bind_text(stmt, name, text);
	}
}

/* ---- answers -------------------------------------------------------------------------------- */

static bool get_event(struct journal_job *job, sqlite3_stmt *stmt, struct err *err)
{
	struct sql_cursor row = sql_cursor(stmt);
	struct channel_event *events = job->rows;
	size_t at = job->count++;

	return journal_rows_get_channel(&row, &events[at], &job->texts[at], err);
}

static bool find_page(sqlite3 *db, struct journal_job *job, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	bool is_done = false, has_row;
	struct buf sql;

	buf_init(&sql, SQL_MAX);
	job->rows = mem_array(job->limit, sizeof(struct channel_event));
	job->texts = mem_array(job->limit, sizeof(*job->texts));
	journal_channel_page_sql(&job->view, &sql);
	if (!sql_prepare(db, buf_str(&sql), false, &stmt, err))
		goto out;
	bind(stmt, job);
	while (sql_next(stmt, &has_row, err)) {
		is_done = !has_row;
		if (is_done || !get_event(job, stmt, err))
			break;
	}
out:
	sqlite3_finalize(stmt);
	buf_fini(&sql);
	return is_done;
}

static bool find_last(sqlite3 *db, struct journal_job *job, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	bool is_done = false, has_row;
	struct sql_cursor row;
	struct buf sql;

	buf_init(&sql, SQL_MAX);
	journal_channel_last_sql(&job->view, &sql);
	if (!sql_prepare(db, buf_str(&sql), false, &stmt, err))
		goto out;
	bind(stmt, job);
	if (!sql_next(stmt, &has_row, err))
		goto out;
	row = sql_cursor(stmt);
	job->last = (uint64_t)sql_get_int(&row);
	job->pruned = (uint64_t)sql_get_int(&row);
	is_done = sql_is_sound(&row, err);
out:
	sqlite3_finalize(stmt);
	buf_fini(&sql);
	return is_done;
}

void journal_channel_find(sqlite3 *db, struct journal_job *job)
{
	struct err err;

	if (!find_page(db, job, &err) || !find_last(db, job, &err))
		journal_job_fail(job, &err);
}
