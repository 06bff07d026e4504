/* journal_rows.h - between structs and rows: what is written and what is read of each table.
 *
 * Every list of columns is here, next to the calls that fill it and read it back. The journal
 * thread, once it runs. */
#ifndef SERVER_JOURNAL_ROWS_H
#define SERVER_JOURNAL_ROWS_H
#include "server/journal.h"
#include "server/sql.h"

struct journal_op;
struct journal_rows;

/* Prepares what writes; the connection is borrowed. */
MUST_CHECK bool journal_rows_create(sqlite3 *db, struct journal_rows **result, struct err *err);
void journal_rows_destroy(struct journal_rows *rows); /* NULL is fine */

/* Inside a transaction. A channel event gets its number in op, or 0 when the row that it follows
 * was there before. ERR_ID_CONFLICT: the token used this client_order_id before. ERR_INTERNAL:
 * the database's own rules refuse the row, and always will. ERR_JOURNAL: the database cannot be
 * written, whatever the row. */
MUST_CHECK bool journal_rows_put(struct journal_rows *rows, struct journal_op *op, struct err *err);

#define JOURNAL_ORDER_COLUMNS                                                                   \
	"order_id, client_order_id, token_id, app, request_id, body_hash, symbol, side, type, " \
	"base_qty, quote_qty, price, max_slippage_bp, post_only, valid_until, created_at, "     \
	"state, exchange_order_id, tx_hash, attempt, cancel_requested, exchange_base_qty, "     \
	"executed_base_qty, executed_quote_qty, exchange_executed_quote_qty, commission, "      \
	"commission_unit, error_code, exchange_code, error, queued_ms, updated_at"
#define JOURNAL_FILL_COLUMNS                                                                   \
	"execution_id, order_id, exchange_order_id, token_id, symbol, side, price, base_qty, " \
	"quote_qty, exchange_quote_qty, commission, commission_unit, role, executed_at, booked_at"
#define JOURNAL_EVENT_COLUMNS                                                                    \
	"event_id, order_id, at, state, event, cause, request_id, token_id, exchange_order_id, " \
	"http_status, exchange_code, detail"
#define JOURNAL_TOKEN_COLUMNS                                                               \
	"token_id, name, hash, scopes, symbols, max_order_value, max_open_orders, weight, " \
	"created_at, expires_at, revoked_at"
#define JOURNAL_CHANNEL_COLUMNS "seq, channel, type, token_id, symbol, at, data"
#define JOURNAL_FINDING_COLUMNS                                                        \
	"finding_id, at, class, about, order_id, exchange_order_id, symbol, journal, " \
	"exchange, action"
#define JOURNAL_BALANCE_COLUMNS "asset, unit, free, locked, as_of"

/* The columns above, in their order, into one zeroed struct. ERR_JOURNAL for what cannot be. */
MUST_CHECK bool journal_rows_get_order(struct sql_cursor *row, struct order *order,
				       struct err *err);
MUST_CHECK bool journal_rows_get_fill(struct sql_cursor *row, struct fill *fill, struct err *err);
MUST_CHECK bool journal_rows_get_event(struct sql_cursor *row, struct journal_event *event,
				       struct err *err);
MUST_CHECK bool journal_rows_get_token(struct sql_cursor *row, struct journal_token *token,
				       struct err *err);
/* *data: the caller frees; event borrows it. */
MUST_CHECK bool journal_rows_get_channel(struct sql_cursor *row, struct channel_event *event,
					 char **data, struct err *err);
MUST_CHECK bool journal_rows_get_balance(struct sql_cursor *row, struct journal_balance *balance,
					 struct wall *as_of, struct err *err);
MUST_CHECK bool journal_rows_get_finding(struct sql_cursor *row, struct journal_finding *finding,
					 struct err *err);
#endif
