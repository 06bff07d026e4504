#include "server/journal_find.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "server/journal_channel.h"
#include "server/journal_rows.h"

#define SQL_MAX 16384

static unsigned page_of(unsigned limit, unsigned max)
{
	if (limit < 1)
		return 1;
	return limit < max ? limit : max;
}

/* ---- orders ---------------------------------------------------------------------------- */

static void add_order_filters(const struct journal_order_query *query, bool is_oldest_first,
			      struct buf *sql)
{
	if (query->order_id[0])
		buf_add_str(sql, " AND order_id = :order_id");
	if (query->client_order_id[0])
		buf_add_str(sql, " AND client_order_id = :client_order_id");
	if (query->exchange_order_id[0])
		buf_add_str(
			sql,
			" AND order_id IN ("
			"SELECT order_id FROM orders WHERE exchange_order_id = :exchange_order_id "
			"UNION SELECT order_id FROM order_submissions "
			"WHERE exchange_order_id = :exchange_order_id)");
	if (query->token_id[0])
		buf_add_str(sql, " AND token_id = :token_id");
	if (query->symbol[0])
		buf_add_str(sql, " AND symbol = :symbol");
	if (query->before[0])
		buf_add_str(sql, is_oldest_first ? " AND order_id > :before"
						 : " AND order_id < :before");
}

/* The page's ids among the orders in one state, or in any (ORDER_NONE). */
static void add_branch(const struct journal_order_query *query, bool is_oldest_first,
		       enum order_state state, struct buf *sql)
{
	buf_add_str(sql, "SELECT order_id FROM orders WHERE true");
	if (state != ORDER_NONE)
		buf_printf(sql, " AND state = %d", (int)state);
	add_order_filters(query, is_oldest_first, sql);
	buf_printf(sql, " ORDER BY order_id %s LIMIT :limit", is_oldest_first ? "ASC" : "DESC");
}

/* One branch for each state, since an index that begins with the state gives the orders of one
 * state by age, but those of two only after sorting all there are. */
static void add_branches(const struct journal_order_query *query, bool is_oldest_first,
			 struct buf *sql)
{
	const char *glue = "";

	for (int state = ORDER_NONE + 1; state < ORDER_STATE_COUNT; state++) {
		if (query->states && !(query->states & 1u << state))
			continue;
		buf_printf(sql, "%sSELECT * FROM (", glue);
		add_branch(query, is_oldest_first, (enum order_state)state, sql);
		buf_add_str(sql, ")");
		glue = " UNION ALL ";
	}
	if (!glue[0]) /* only states that do not exist were asked for */
		buf_add_str(sql, "SELECT order_id FROM orders WHERE false");
}

void journal_find_orders_sql(const struct journal_order_query *query, bool is_oldest_first,
			     struct buf *sql)
{
	const char *direction = is_oldest_first ? "ASC" : "DESC";
	bool is_named =
		query->order_id[0] || query->client_order_id[0] || query->exchange_order_id[0];

	buf_add_str(sql, "WITH found AS (");
	if (!query->states && (is_named || query->symbol[0] || !query->token_id[0]))
		add_branch(query, is_oldest_first, ORDER_NONE, sql);
	else
		add_branches(query, is_oldest_first, sql);
	buf_printf(sql,
		   "), page AS (SELECT order_id FROM found ORDER BY order_id %s LIMIT :limit) ",
		   direction);
	buf_printf(sql,
		   "SELECT " JOURNAL_ORDER_COLUMNS
		   " FROM page CROSS JOIN orders USING (order_id) ORDER BY order_id %s",
		   direction);
}

static void bind_orders(sqlite3_stmt *stmt, const struct journal_order_query *query)
{
	sql_bind_text(stmt, ":order_id", query->order_id);
	sql_bind_text(stmt, ":client_order_id", query->client_order_id);
	sql_bind_text(stmt, ":exchange_order_id", query->exchange_order_id);
	sql_bind_text(stmt, ":token_id", query->token_id);
	sql_bind_text(stmt, ":symbol", query->symbol);
	sql_bind_text(stmt, ":before", query->before);
	sql_bind_int(stmt, ":limit", page_of(query->limit, JOURNAL_SNAPSHOT_MAX));
}

/* ---- fills, events, the rest ------------------------------------------------------------- */

/* Fills are numbered as they are booked, which is not quite as they were executed: those since a
 * time begin at the first number whose latest_at has reached it. */
void journal_find_fills_sql(const struct journal_fill_query *query, struct buf *sql)
{
	buf_add_str(sql, "SELECT " JOURNAL_FILL_COLUMNS ", fill_number FROM fills WHERE ");
	buf_add_str(sql, query->since.us
				 ? "executed_at >= :since AND fill_number > max(:after, "
				   "(SELECT fill_number FROM fills WHERE latest_at >= :since "
				   "ORDER BY latest_at, fill_number LIMIT 1) - 1)"
				 : "fill_number > :after");
	if (query->order_id[0])
		buf_add_str(sql, " AND order_id = :order_id");
	if (query->token_id[0])
		buf_add_str(sql, " AND token_id = :token_id");
	if (query->symbol[0])
		buf_add_str(sql, " AND symbol = :symbol");
	buf_printf(sql, " ORDER BY fill_number %s LIMIT :limit",
		   query->newest_first ? "DESC" : "ASC");
}

static void bind_fills(sqlite3_stmt *stmt, const struct journal_fill_query *query)
{
	char since[WALL_TEXT_LEN];

	sql_bind_int(stmt, ":after", query->after);
	sql_bind_text(stmt, ":since", wall_print(query->since, since));
	sql_bind_text(stmt, ":order_id", query->order_id);
	sql_bind_text(stmt, ":token_id", query->token_id);
	sql_bind_text(stmt, ":symbol", query->symbol);
	sql_bind_int(stmt, ":limit", page_of(query->limit, JOURNAL_PAGE_MAX));
}

/* Each asset is found by the one before it and its newest row by its number: as many steps as
 * there are assets, however many changes there were. */
static const char newest_balances[] =
	"WITH RECURSIVE assets (asset, unit) AS ("
	"SELECT * FROM (SELECT asset, unit FROM balances ORDER BY asset, unit LIMIT 1) "
	"UNION ALL SELECT b.asset, b.unit FROM assets AS a JOIN balances AS b ON b.balance_id = ("
	"SELECT balance_id FROM balances WHERE (asset, unit) > (a.asset, a.unit) "
	"ORDER BY asset, unit LIMIT 1)) "
	"SELECT " JOURNAL_BALANCE_COLUMNS
	" FROM assets AS a JOIN balances AS b USING (asset, unit) "
	"WHERE b.balance_id = (SELECT max(balance_id) FROM balances "
	"WHERE asset = a.asset AND unit = a.unit) ORDER BY asset, unit";

static void add_sql(const struct journal_job *job, struct buf *sql)
{
	switch (job->kind) {
	case JOB_ORDERS:
		journal_find_orders_sql(&job->orders, job->is_oldest_first, sql);
		break;
	case JOB_FILLS:
		journal_find_fills_sql(&job->fills, sql);
		break;
	case JOB_EVENTS:
		buf_printf(sql,
			   "SELECT " JOURNAL_EVENT_COLUMNS
			   " FROM order_events WHERE event_id > :after"
			   "%s ORDER BY event_id LIMIT :limit",
			   job->order_id[0] ? " AND order_id = :order_id" : "");
		break;
	case JOB_SUBMISSION:
		buf_printf(sql,
			   "SELECT signed_tx, at, EXISTS (SELECT 1 FROM order_events AS e WHERE "
			   "e.order_id = :order_id AND e.event = '" JOURNAL_TAKEN "') "
			   "FROM order_submissions WHERE order_id = :order_id%s "
			   "ORDER BY submission_id DESC LIMIT 1",
			   job->exchange_order_id[0] ? " AND exchange_order_id = :exchange_order_id"
						     : "");
		break;
	case JOB_TOKENS:
		buf_add_str(sql,
			    "SELECT " JOURNAL_TOKEN_COLUMNS " FROM tokens ORDER BY created_at");
		break;
	case JOB_SETTING:
		buf_add_str(sql, "SELECT value FROM settings WHERE name = :name");
		break;
	case JOB_BALANCES:
		buf_add_str(sql, newest_balances);
		break;
	case JOB_FINDINGS:
		buf_add_str(sql, "SELECT " JOURNAL_FINDING_COLUMNS " FROM reconciliation_findings "
				 "ORDER BY finding_id DESC LIMIT :limit");
		break;
	case JOB_CHANNEL:
	case JOB_UNBOOKED:
	case JOB_WRITE:
	case JOB_HEALTH:
		break;
	}
}

static void bind(sqlite3_stmt *stmt, const struct journal_job *job)
{
	switch (job->kind) {
	case JOB_ORDERS:
		bind_orders(stmt, &job->orders);
		break;
	case JOB_FILLS:
		bind_fills(stmt, &job->fills);
		break;
	case JOB_EVENTS:
	case JOB_SUBMISSION:
	case JOB_SETTING:
	case JOB_TOKENS:
	case JOB_FINDINGS:
		sql_bind_int(stmt, ":after", job->after);
		sql_bind_text(stmt, ":order_id", job->order_id);
		sql_bind_text(stmt, ":exchange_order_id", job->exchange_order_id);
		sql_bind_text(stmt, ":name", job->name);
		sql_bind_int(stmt, ":limit", page_of(job->limit, JOURNAL_PAGE_MAX));
		break;
	case JOB_BALANCES:
	case JOB_CHANNEL:
	case JOB_UNBOOKED:
	case JOB_WRITE:
	case JOB_HEALTH:
		break;
	}
}

/* ---- collecting rows --------------------------------------------------------------------- */

static size_t row_size(enum journal_job_kind kind)
{
	switch (kind) {
	case JOB_ORDERS:
		return sizeof(struct order);
	case JOB_FILLS:
		return sizeof(struct fill);
	case JOB_EVENTS:
		return sizeof(struct journal_event);
	case JOB_TOKENS:
		return sizeof(struct journal_token);
	case JOB_BALANCES:
		return sizeof(struct journal_balance);
	case JOB_FINDINGS:
		return sizeof(struct journal_finding);
	case JOB_SUBMISSION:
	case JOB_SETTING:
	case JOB_CHANNEL:
	case JOB_UNBOOKED:
	case JOB_WRITE:
	case JOB_HEALTH:
		break;
	}
	return 0;
}

/* A zeroed place for one more row; the room doubles. */
static void *add_row(struct journal_job *job)
{
	size_t size = row_size(job->kind);
	char *place;

	if ((job->count & (job->count - 1)) == 0) { /* 0 or a power of two: full */
		size_t room = job->count ? 2 * job->count : 1;

		job->rows = mem_grow(job->rows, room * size);
		job->numbers = mem_grow(job->numbers, room * sizeof(*job->numbers));
		job->times = mem_grow(job->times, room * sizeof(*job->times));
	}
	place = (char *)job->rows + job->count * size;
	memset(place, 0, size);
	job->numbers[job->count++] = 0;
	return place;
}

static bool get_row(struct journal_job *job, sqlite3_stmt *stmt, struct err *err)
{
	struct sql_cursor row = sql_cursor(stmt);

	switch (job->kind) {
	case JOB_ORDERS:
		return journal_rows_get_order(&row, add_row(job), err);
	case JOB_FILLS:
		if (!journal_rows_get_fill(&row, add_row(job), err))
			return false;
		job->numbers[job->count - 1] = sql_get_int(&row);
		return true;
	case JOB_EVENTS:
		return journal_rows_get_event(&row, add_row(job), err);
	case JOB_TOKENS:
		return journal_rows_get_token(&row, add_row(job), err);
	case JOB_FINDINGS:
		return journal_rows_get_finding(&row, add_row(job), err);
	case JOB_SUBMISSION:
		job->text = sql_take_text(&row);
		job->times = mem_array(1, sizeof(*job->times));
		job->times[0] = sql_get_wall(&row);
		job->is_taken = sql_get_int(&row) != 0;
		return true;
	case JOB_SETTING:
		job->text = sql_take_text(&row);
		return true;
	case JOB_BALANCES: {
		struct journal_balance *balance = add_row(job);

		return journal_rows_get_balance(&row, balance, &job->times[job->count - 1], err);
	}
	case JOB_CHANNEL:
	case JOB_UNBOOKED:
	case JOB_WRITE:
	case JOB_HEALTH:
		break;
	}
	return true;
}

static void find_rows(sqlite3 *db, struct journal_job *job)
{
	sqlite3_stmt *stmt = NULL;
	bool has_row = true;
	struct buf sql;
	struct err err;

	buf_init(&sql, SQL_MAX);
	add_sql(job, &sql);
	if (!sql_prepare(db, buf_str(&sql), false, &stmt, &err))
		goto out;
	bind(stmt, job);
	while (sql_next(stmt, &has_row, &err) && has_row)
		if (!get_row(job, stmt, &err))
			break;
out:
	if (has_row)
		journal_job_fail(job, &err);
	sqlite3_finalize(stmt);
	buf_fini(&sql);
}

/* The rows of the answer are ids of the question. */
static bool find_unbooked(sqlite3 *db, struct journal_job *job, struct err *err)
{
	const char **unbooked = mem_array(job->id_count, sizeof(*unbooked));
	sqlite3_stmt *stmt = NULL;
	bool is_done = false, has_row;

	job->rows = unbooked;
	if (!sql_prepare(db, "SELECT 1 FROM fills WHERE execution_id = :id", false, &stmt, err))
		goto out;
	for (size_t i = 0; i < job->id_count; i++) {
		sql_bind_text(stmt, ":id", job->ids[i]);
		if (!sql_next(stmt, &has_row, err))
			goto out;
		sqlite3_reset(stmt);
		if (!has_row)
			unbooked[job->count++] = job->ids[i];
	}
	is_done = true;
out:
	sqlite3_finalize(stmt);
	return is_done;
}

void journal_find(sqlite3 *db, struct journal_job *job)
{
	struct err err;

	if (job->kind == JOB_CHANNEL)
		journal_channel_find(db, job);
	else if (job->kind != JOB_UNBOOKED)
		find_rows(db, job);
	else if (!find_unbooked(db, job, &err))
		journal_job_fail(job, &err);
}
