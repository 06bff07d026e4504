/* json.h - the local API's objects: structs in, JSON out, and the two request bodies that are more
 * than a field or two.
 *
 * Names are those of the journal's views where these have them. Writers print the members of an
 * object or a whole value in an array; readers check everything that can be told without looking
 * at the daemon's state. Any thread. */
#ifndef SERVER_JSON_H
#define SERVER_JSON_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "server/journal.h"
#include "server/json_out.h"
#include "server/order.h"

struct dd_balance;
struct dd_candle;
struct dd_level;
struct dd_market;
struct dd_trade;
struct dd_transfer;

/* ---- out -------------------------------------------------------------------------------- */

void json_order_members(struct json_out *out, const struct order *order);
void json_order(struct json_out *out, const char *name, const struct order *order);
void json_fill(struct json_out *out, const struct fill *fill);
void json_event(struct json_out *out, const struct journal_event *event);
void json_token_members(struct json_out *out, const struct journal_token *token);
void json_balance(struct json_out *out, const struct dd_balance *balance);
void json_market(struct json_out *out, const struct dd_market *market);
void json_candle(struct json_out *out, const struct dd_candle *candle);
void json_levels(struct json_out *out, const char *name, const struct dd_level *levels,
		 size_t count); /* [["price", "quantity"], ...] */
void json_trade(struct json_out *out, const struct dd_trade *trade);
void json_transfer(struct json_out *out, const char *kind, const struct dd_transfer *transfer);

struct json_problem {
	const struct err *err;
	const char *instance;      /* the request's id */
	int64_t retry_ms;          /* -1: not told */
	const struct order *order; /* NULL: none */
};
/* RFC 9457. */
void json_problem(struct json_out *out, const struct json_problem *problem);

/* ---- in --------------------------------------------------------------------------------- */

/* POST /v1/orders. Fills what the app says of an order, defaults included, decimals without
 * trailing zeros, and body_hash, which is the same for every way of asking for the same thing.
 * client_order_id is "" when absent, and no part of the hash. */
MUST_CHECK bool json_read_order(const char *body, size_t len, struct order_terms *terms,
				struct err *err);
/* POST /v1/admin/tokens: name, scopes, limits and expiry of a token to be made. */
MUST_CHECK bool json_read_token(const char *body, size_t len, struct journal_token *token,
				struct err *err);
bool json_is_client_order_id(const char *text);
#endif
