#include "server/journal_rows.h"

#include "base/mem.h"
#include "server/journal_job.h"

enum statement {
	PUT_ORDER,
	PUT_EVENT,
	PUT_FILL,
	PUT_SUBMISSION,
	PUT_BALANCE,
	PUT_SETTING,
	PUT_TOKEN,
	PUT_CHANNEL_EVENT,
	PUT_RUN,
	PUT_FINDING,
	STATEMENT_COUNT
};

/* What an app asked for is written once; later writes of its order move only what became of it. */
static const char *const texts[STATEMENT_COUNT] = {
	[PUT_ORDER] =
		"INSERT INTO orders (" JOURNAL_ORDER_COLUMNS ", average_price) "
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
		"        ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
		"ON CONFLICT (order_id) DO UPDATE SET "
		"state = excluded.state, exchange_order_id = excluded.exchange_order_id, "
		"tx_hash = excluded.tx_hash, attempt = excluded.attempt, "
		"cancel_requested = excluded.cancel_requested, "
		"exchange_base_qty = excluded.exchange_base_qty, "
		"executed_base_qty = excluded.executed_base_qty, "
		"executed_quote_qty = excluded.executed_quote_qty, "
		"exchange_executed_quote_qty = excluded.exchange_executed_quote_qty, "
		"average_price = excluded.average_price, commission = excluded.commission, "
		"commission_unit = excluded.commission_unit, error_code = excluded.error_code, "
		"exchange_code = excluded.exchange_code, error = excluded.error, "
		"queued_ms = excluded.queued_ms, updated_at = excluded.updated_at",
	[PUT_EVENT] = "INSERT INTO order_events (order_id, at, state, event, cause, request_id, "
		      "token_id, exchange_order_id, http_status, exchange_code, detail) "
		      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[PUT_FILL] = "INSERT INTO fills (" JOURNAL_FILL_COLUMNS ", latest_at) "
		     "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?14, ?15, max(?14, ifnull("
		     "(SELECT latest_at FROM fills ORDER BY fill_number DESC LIMIT 1), ''))) "
		     "ON CONFLICT (execution_id) DO NOTHING",
	[PUT_SUBMISSION] = "INSERT INTO order_submissions (order_id, exchange_order_id, tx_hash, "
			   "attempt, signed_tx, at) VALUES (?, ?, ?, ?, ?, ?)",
	[PUT_BALANCE] = "INSERT INTO balances (asset, unit, free, locked, as_of) "
			"SELECT ?1, ?2, ?3, ?4, ?5 WHERE (?3, ?4) IS NOT "
			"(SELECT free, locked FROM balances WHERE asset = ?1 AND unit = ?2 "
			"ORDER BY balance_id DESC LIMIT 1)",
	[PUT_SETTING] = "INSERT INTO settings (name, value, updated_at) VALUES (?, ?, ?) "
			"ON CONFLICT (name) DO UPDATE SET value = excluded.value, "
			"updated_at = excluded.updated_at",
	[PUT_TOKEN] = "INSERT INTO tokens (" JOURNAL_TOKEN_COLUMNS ") "
		      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
		      "ON CONFLICT (token_id) DO UPDATE SET "
		      "name = excluded.name, hash = excluded.hash, scopes = excluded.scopes, "
		      "symbols = excluded.symbols, max_order_value = excluded.max_order_value, "
		      "max_open_orders = excluded.max_open_orders, weight = excluded.weight, "
		      "expires_at = excluded.expires_at, revoked_at = excluded.revoked_at",
	/* Without a number SQLite gives the highest one and one more, as the table wants it. */
	[PUT_CHANNEL_EVENT] = "INSERT INTO channel_events (" JOURNAL_CHANNEL_COLUMNS ") "
			      "VALUES (NULL, ?, ?, ?, ?, ?, ?)",
	/* A clean run moves the newest row on, if that is clean, too. */
	[PUT_RUN] = "INSERT INTO reconciliations (run_id, began_at, ended_at, runs, cause, orders, "
		    "executions, assets, findings) VALUES (ifnull((SELECT run_id + "
		    "(findings > 0 OR ?8 > 0) FROM reconciliations ORDER BY run_id DESC LIMIT 1), "
		    "1), ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (run_id) DO UPDATE SET "
		    "ended_at = excluded.ended_at, runs = runs + excluded.runs, "
		    "cause = excluded.cause, orders = excluded.orders, "
		    "executions = excluded.executions, assets = excluded.assets",
	[PUT_FINDING] = "INSERT INTO reconciliation_findings (" JOURNAL_FINDING_COLUMNS ", run_id) "
			"VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT max(run_id) FROM "
			"reconciliations))",
};

static const char *const sides[] = { [ORDER_BUY] = "buy", [ORDER_SELL] = "sell" };
static const char *const types[] = { [ORDER_LIMIT] = "limit", [ORDER_MARKET] = "market" };
static const char *const roles[] = { "taker", "maker" };

struct journal_rows {
	sqlite3_stmt *put[STATEMENT_COUNT];
	sqlite3 *db;
	bool made_row; /* the last put that was no channel event */
};

bool journal_rows_create(sqlite3 *db, struct journal_rows **result, struct err *err)
{
	struct journal_rows *rows = mem_alloc(sizeof(*rows));

	rows->db = db;
	for (int i = 0; i < STATEMENT_COUNT; i++) {
		if (!sql_prepare(db, texts[i], true, &rows->put[i], err)) {
			journal_rows_destroy(rows);
			return false;
		}
	}
	*result = rows;
	return true;
}

void journal_rows_destroy(struct journal_rows *rows)
{
	if (!rows)
		return;
	for (int i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(rows->put[i]);
	mem_free(rows);
}

/* ---- writing --------------------------------------------------------------------------- */

static void put_terms(struct sql_cursor *row, const struct order_terms *terms)
{
	sql_put_text(row, terms->order_id);
	sql_put_text(row, terms->client_order_id);
	sql_put_text(row, terms->token_id);
	sql_put_text(row, terms->app);
	sql_put_text(row, terms->request_id);
	sql_put_text(row, terms->body_hash);
	sql_put_text(row, terms->symbol);
	sql_put_text(row, sides[terms->side]);
	sql_put_text(row, types[terms->type]);
	sql_put_decimal_or_null(row, terms->base_qty, terms->has_base_qty);
	sql_put_decimal_or_null(row, terms->quote_qty, terms->has_quote_qty);
	sql_put_decimal_or_null(row, terms->price, terms->has_price);
	sql_put_int_or_null(row, terms->max_slippage_bp, terms->max_slippage_bp >= 0);
	sql_put_int(row, terms->post_only);
	sql_put_wall_or_null(row, terms->valid_until);
	sql_put_wall(row, terms->created_at);
}

static void put_facts(struct sql_cursor *row, const struct order *order)
{
	const struct order_facts *facts = &order->facts;
	struct decimal average = DECIMAL_ZERO;
	bool has_average = order_average_price(order, &average);

	sql_put_int(row, facts->state);
	sql_put_text_or_null(row, facts->exchange_order_id);
	sql_put_text_or_null(row, facts->tx_hash);
	sql_put_int(row, facts->attempt);
	sql_put_int(row, facts->cancel_requested);
	sql_put_decimal_or_null(row, facts->exchange_base_qty, facts->has_exchange_base_qty);
	sql_put_decimal(row, facts->executed_base_qty);
	sql_put_decimal(row, facts->executed_quote_qty);
	sql_put_decimal(row, facts->exchange_executed_quote_qty);
	sql_put_decimal(row, facts->commission);
	sql_put_text_or_null(row, facts->commission_unit);
	sql_put_text_or_null(row, facts->error_code);
	sql_put_int_or_null(row, facts->exchange_code, facts->exchange_code != 0);
	sql_put_text_or_null(row, facts->error);
	sql_put_int(row, facts->queued_ms);
	sql_put_wall(row, facts->updated_at);
	sql_put_decimal_or_null(row, average, has_average);
}

static void put_event(struct sql_cursor *row, const struct journal_event *event)
{
	sql_put_text(row, event->order_id);
	sql_put_wall(row, event->at);
	sql_put_int(row, event->state);
	sql_put_text(row, event->event);
	sql_put_text_or_null(row, event->cause);
	sql_put_text_or_null(row, event->request_id);
	sql_put_text_or_null(row, event->token_id);
	sql_put_text_or_null(row, event->exchange_order_id);
	sql_put_int_or_null(row, event->http_status, event->http_status != 0);
	sql_put_int_or_null(row, event->exchange_code, event->exchange_code != 0);
	sql_put_text_or_null(row, event->detail);
}

static void put_fill(struct sql_cursor *row, const struct fill *fill)
{
	sql_put_text(row, fill->execution_id);
	sql_put_text_or_null(row, fill->order_id);
	sql_put_text_or_null(row, fill->exchange_order_id);
	sql_put_text_or_null(row, fill->token_id);
	sql_put_text(row, fill->symbol);
	sql_put_text(row, sides[fill->side]);
	sql_put_decimal(row, fill->price);
	sql_put_decimal(row, fill->base_qty);
	sql_put_decimal(row, fill->quote_qty);
	sql_put_decimal_or_null(row, fill->exchange_quote_qty, fill->has_exchange_quote_qty);
	sql_put_decimal(row, fill->commission);
	sql_put_text_or_null(row, fill->commission_unit);
	sql_put_text(row, roles[fill->is_maker]);
	sql_put_wall(row, fill->executed_at);
	sql_put_wall(row, fill->booked_at);
}

static void put_submission(struct sql_cursor *row, const struct journal_op *op)
{
	sql_put_text(row, op->as.submission.order_id);
	sql_put_text(row, op->as.submission.exchange_order_id);
	sql_put_text_or_null(row, op->as.submission.tx_hash);
	sql_put_int(row, op->as.submission.attempt);
	sql_put_text(row, op->as.submission.signed_hex);
	sql_put_wall(row, op->as.submission.at);
}

static void put_balance(struct sql_cursor *row, const struct journal_balance *balance,
			struct wall as_of)
{
	sql_put_text(row, balance->asset);
	sql_put_text(row, balance->unit);
	sql_put_decimal(row, balance->free);
	sql_put_decimal(row, balance->locked);
	sql_put_wall(row, as_of);
}

static void put_token(struct sql_cursor *row, const struct journal_token *token)
{
	sql_put_text(row, token->token_id);
	sql_put_text(row, token->name);
	sql_put_text(row, token->hash);
	sql_put_int(row, token->scopes);
	sql_put_text(row, token->symbols);
	sql_put_decimal_or_null(row, token->max_order_value, token->has_max_order_value);
	sql_put_int(row, token->max_open_orders);
	sql_put_int(row, token->weight);
	sql_put_wall(row, token->created_at);
	sql_put_wall_or_null(row, token->expires_at);
	sql_put_wall_or_null(row, token->revoked_at);
}

static void put_run(struct sql_cursor *row, const struct journal_run *run)
{
	sql_put_wall(row, run->began_at);
	sql_put_wall(row, run->ended_at);
	sql_put_int(row, run->runs);
	sql_put_text(row, run->is_demanded ? "demand" : "routine");
	sql_put_int(row, (int64_t)run->orders);
	sql_put_int(row, (int64_t)run->executions);
	sql_put_int(row, (int64_t)run->assets);
	sql_put_int(row, (int64_t)run->findings);
}

static void put_finding(struct sql_cursor *row, const struct journal_finding *finding)
{
	sql_put_wall(row, finding->at);
	sql_put_text(row, finding->class_);
	sql_put_text(row, finding->about);
	sql_put_text_or_null(row, finding->order_id);
	sql_put_text_or_null(row, finding->exchange_order_id);
	sql_put_text_or_null(row, finding->symbol);
	sql_put_text(row, finding->journal);
	sql_put_text(row, finding->exchange);
	sql_put_text(row, finding->action);
}

static bool run(struct journal_rows *rows, enum statement which, struct err *err)
{
	sqlite3_stmt *stmt = rows->put[which];
	int code;

	if (sql_run(stmt, err))
		return true;
	/* Is it the row that is wrong, or the database that cannot be written? */
	code = sqlite3_extended_errcode(sqlite3_db_handle(stmt));
	if (which == PUT_ORDER && code == SQLITE_CONSTRAINT_UNIQUE)
		return err_set(err, ERR_ID_CONFLICT,
			       "this client_order_id was used before by the same token");
	if ((code & 0xff) == SQLITE_CONSTRAINT || (code & 0xff) == SQLITE_MISMATCH ||
	    (code & 0xff) == SQLITE_TOOBIG) {
		err->code = ERR_INTERNAL;
		err_prefix(err, "the journal refuses the row");
	}
	return false;
}

/* The number is given here, inside the transaction: what is rolled back gives it back, so numbers
 * rise without holes in the order of the writes, however often these were tried. */
static bool put_channel_event(struct journal_rows *rows, struct journal_op *op, struct err *err)
{
	struct channel_event *event = &op->as.channel.event;
	struct sql_cursor row = sql_cursor(rows->put[PUT_CHANNEL_EVENT]);

	event->seq = 0;
	if (op->as.channel.follows_row && !rows->made_row)
		return true;
	sql_put_int(&row, event->channel);
	sql_put_text(&row, event->type);
	sql_put_text(&row, event->token_id);
	sql_put_text(&row, event->symbol);
	sql_put_wall(&row, event->at);
	sql_put_text(&row, event->data);
	if (!run(rows, PUT_CHANNEL_EVENT, err))
		return false;
	event->seq = (uint64_t)sqlite3_last_insert_rowid(rows->db);
	return true;
}

static bool put_row(struct journal_rows *rows, const struct journal_op *op, struct err *err)
{
	static const enum statement first[] = {
		[OP_ORDER] = PUT_ORDER,
		[OP_FILL] = PUT_FILL,
		[OP_SUBMISSION] = PUT_SUBMISSION,
		[OP_BALANCE] = PUT_BALANCE,
		[OP_SETTING] = PUT_SETTING,
		[OP_TOKEN] = PUT_TOKEN,
		[OP_RUN] = PUT_RUN,
		[OP_FINDING] = PUT_FINDING,
	};
	struct sql_cursor row = sql_cursor(rows->put[first[op->kind]]);

	switch (op->kind) {
	case OP_ORDER:
		put_terms(&row, &op->as.order.order.terms);
		put_facts(&row, &op->as.order.order);
		if (!run(rows, PUT_ORDER, err))
			return false;
		row = sql_cursor(rows->put[PUT_EVENT]);
		put_event(&row, &op->as.order.event);
		return run(rows, PUT_EVENT, err);
	case OP_FILL:
		put_fill(&row, &op->as.fill);
		break;
	case OP_SUBMISSION:
		put_submission(&row, op);
		break;
	case OP_BALANCE:
		put_balance(&row, &op->as.balance.balance, op->as.balance.as_of);
		break;
	case OP_SETTING:
		sql_put_text(&row, op->as.setting.name);
		sql_put_text(&row, op->as.setting.value);
		sql_put_wall(&row, op->as.setting.at);
		break;
	case OP_TOKEN:
		put_token(&row, &op->as.token);
		break;
	case OP_RUN:
		put_run(&row, &op->as.run);
		break;
	case OP_FINDING:
		put_finding(&row, &op->as.finding);
		break;
	case OP_CHANNEL_EVENT: /* not here */
		break;
	}
	return run(rows, first[op->kind], err);
}

bool journal_rows_put(struct journal_rows *rows, struct journal_op *op, struct err *err)
{
	if (op->kind == OP_CHANNEL_EVENT)
		return put_channel_event(rows, op, err);
	if (!put_row(rows, op, err))
		return false;
	rows->made_row = sqlite3_changes(rows->db) > 0;
	return true;
}

/* ---- reading --------------------------------------------------------------------------- */

#define GET_TEXT(row, array) sql_get_text((row), (array), sizeof(array))

/* The number of a state that this program knows. */
static enum order_state get_state(struct sql_cursor *row)
{
	int64_t state = sql_get_int(row);

	if (state > ORDER_NONE && state < ORDER_STATE_COUNT)
		return (enum order_state)state;
	if (!row->bad)
		row->bad = row->at;
	return ORDER_NONE;
}

static void get_terms(struct sql_cursor *row, struct order_terms *terms)
{
	int64_t slippage;

	GET_TEXT(row, terms->order_id);
	GET_TEXT(row, terms->client_order_id);
	GET_TEXT(row, terms->token_id);
	GET_TEXT(row, terms->app);
	GET_TEXT(row, terms->request_id);
	GET_TEXT(row, terms->body_hash);
	GET_TEXT(row, terms->symbol);
	terms->side = (enum order_side)sql_get_word(row, sides, ARRAY_LEN(sides));
	terms->type = (enum order_type)sql_get_word(row, types, ARRAY_LEN(types));
	terms->has_base_qty = sql_get_decimal(row, &terms->base_qty);
	terms->has_quote_qty = sql_get_decimal(row, &terms->quote_qty);
	terms->has_price = sql_get_decimal(row, &terms->price);
	if (!sql_get_int_or_null(row, &slippage))
		slippage = -1;
	terms->max_slippage_bp = (int)slippage;
	terms->post_only = sql_get_int(row) != 0;
	terms->valid_until = sql_get_wall(row);
	terms->created_at = sql_get_wall(row);
}

static void get_facts(struct sql_cursor *row, struct order_facts *facts)
{
	facts->state = get_state(row);
	GET_TEXT(row, facts->exchange_order_id);
	GET_TEXT(row, facts->tx_hash);
	facts->attempt = (int)sql_get_int(row);
	facts->cancel_requested = sql_get_int(row) != 0;
	facts->has_exchange_base_qty = sql_get_decimal(row, &facts->exchange_base_qty);
	sql_get_decimal(row, &facts->executed_base_qty);
	sql_get_decimal(row, &facts->executed_quote_qty);
	sql_get_decimal(row, &facts->exchange_executed_quote_qty);
	sql_get_decimal(row, &facts->commission);
	GET_TEXT(row, facts->commission_unit);
	GET_TEXT(row, facts->error_code);
	facts->exchange_code = (int)sql_get_int(row);
	GET_TEXT(row, facts->error);
	facts->queued_ms = sql_get_int(row);
	facts->updated_at = sql_get_wall(row);
}

bool journal_rows_get_order(struct sql_cursor *row, struct order *order, struct err *err)
{
	get_terms(row, &order->terms);
	get_facts(row, &order->facts);
	return sql_is_sound(row, err) || err_prefix(err, "order %s", order->terms.order_id);
}

bool journal_rows_get_fill(struct sql_cursor *row, struct fill *fill, struct err *err)
{
	GET_TEXT(row, fill->execution_id);
	GET_TEXT(row, fill->order_id);
	GET_TEXT(row, fill->exchange_order_id);
	GET_TEXT(row, fill->token_id);
	GET_TEXT(row, fill->symbol);
	fill->side = (enum order_side)sql_get_word(row, sides, ARRAY_LEN(sides));
	sql_get_decimal(row, &fill->price);
	sql_get_decimal(row, &fill->base_qty);
	sql_get_decimal(row, &fill->quote_qty);
	fill->has_exchange_quote_qty = sql_get_decimal(row, &fill->exchange_quote_qty);
	sql_get_decimal(row, &fill->commission);
	GET_TEXT(row, fill->commission_unit);
	fill->is_maker = sql_get_word(row, roles, ARRAY_LEN(roles)) == 1;
	fill->executed_at = sql_get_wall(row);
	fill->booked_at = sql_get_wall(row);
	return sql_is_sound(row, err) || err_prefix(err, "fill %s", fill->execution_id);
}

bool journal_rows_get_event(struct sql_cursor *row, struct journal_event *event, struct err *err)
{
	event->event_id = sql_get_int(row);
	GET_TEXT(row, event->order_id);
	event->at = sql_get_wall(row);
	event->state = get_state(row);
	GET_TEXT(row, event->event);
	GET_TEXT(row, event->cause);
	GET_TEXT(row, event->request_id);
	GET_TEXT(row, event->token_id);
	GET_TEXT(row, event->exchange_order_id);
	event->http_status = (int)sql_get_int(row);
	event->exchange_code = (int)sql_get_int(row);
	GET_TEXT(row, event->detail);
	return sql_is_sound(row, err) || err_prefix(err, "event %lld", (long long)event->event_id);
}

bool journal_rows_get_token(struct sql_cursor *row, struct journal_token *token, struct err *err)
{
	GET_TEXT(row, token->token_id);
	GET_TEXT(row, token->name);
	GET_TEXT(row, token->hash);
	token->scopes = (uint32_t)sql_get_int(row);
	GET_TEXT(row, token->symbols);
	token->has_max_order_value = sql_get_decimal(row, &token->max_order_value);
	token->max_open_orders = (int)sql_get_int(row);
	token->weight = (int)sql_get_int(row);
	token->created_at = sql_get_wall(row);
	token->expires_at = sql_get_wall(row);
	token->revoked_at = sql_get_wall(row);
	return sql_is_sound(row, err) || err_prefix(err, "token %s", token->token_id);
}

bool journal_rows_get_channel(struct sql_cursor *row, struct channel_event *event, char **data,
			      struct err *err)
{
	event->seq = (uint64_t)sql_get_int(row);
	event->channel = (enum channel)sql_get_int(row);
	GET_TEXT(row, event->type);
	GET_TEXT(row, event->token_id);
	GET_TEXT(row, event->symbol);
	event->at = sql_get_wall(row);
	event->data = *data = sql_take_text(row);
	return sql_is_sound(row, err) ||
	       err_prefix(err, "channel event %llu", (unsigned long long)event->seq);
}

bool journal_rows_get_balance(struct sql_cursor *row, struct journal_balance *balance,
			      struct wall *as_of, struct err *err)
{
	GET_TEXT(row, balance->asset);
	GET_TEXT(row, balance->unit);
	sql_get_decimal(row, &balance->free);
	sql_get_decimal(row, &balance->locked);
	*as_of = sql_get_wall(row);
	return sql_is_sound(row, err) || err_prefix(err, "balance of %s", balance->asset);
}

bool journal_rows_get_finding(struct sql_cursor *row, struct journal_finding *finding,
			      struct err *err)
{
	finding->finding_id = sql_get_int(row);
	finding->at = sql_get_wall(row);
	GET_TEXT(row, finding->class_);
	GET_TEXT(row, finding->about);
	GET_TEXT(row, finding->order_id);
	GET_TEXT(row, finding->exchange_order_id);
	GET_TEXT(row, finding->symbol);
	GET_TEXT(row, finding->journal);
	GET_TEXT(row, finding->exchange);
	GET_TEXT(row, finding->action);
	return sql_is_sound(row, err);
}
