/* rest.h - the exchange's REST endpoints: one table of routes, and their handlers.
 *
 * rest_orders.c, rest_account.c and rest_market.c hold the handlers. A handler acts and fills the
 * reply, or returns the code of its refusal. Written from the exchange's documents, newest first;
 * where they differ, the forms that were seen on the wire. */
#ifndef SIM_REST_H
#define SIM_REST_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "sim/codes.h"
#include "sim/sim.h"

struct http_request;

#define PARAM_MAX 128

struct reply {
	int status; /* 0: nothing was answered yet */
	int code;   /* of an error body, 0 else */
	const char *content_type;
	char *body; /* mem_ memory, owned */
	size_t len;
};

struct rest_call {
	struct sim *sim;
	struct http_request *request;
	const struct rest_route *route;
	char param[PARAM_MAX];           /* what stood for {} in the path */
	struct account *account;         /* NULL for routes without key */
	struct mono came_after, arrived; /* as in record.h */
};

/* An enum code. */
typedef int rest_fn(struct rest_call *call, struct reply *reply);

struct rest_route {
	const char *method, *path; /* {} stands for one segment, not empty */
	bool needs_key;
	enum call_kind kind;
	rest_fn *fn;
};

/* path is collapsed. NULL: no such endpoint. */
const struct rest_route *rest_find(const char *method, const char *path, char param[PARAM_MAX]);
/* Checks key and rate limit, acts, and fills reply (with an error object if refused). */
void rest_act(struct rest_call *call, struct reply *reply);

void reply_fini(struct reply *reply);
void reply_text(struct reply *reply, int status, const char *content_type, const char *text);
void reply_json(struct reply *reply, int status, json_t *object); /* takes object */
void reply_error(struct reply *reply, int code, const char *text, bool as_declared);
void reply_not_found(struct reply *reply); /* as the exchange's router says it */

/* For handlers: the request's body as an object, or NULL. A new reference. */
json_t *rest_body(const struct rest_call *call);
const char *rest_string(const json_t *object, const char *name); /* NULL: absent or no string */

rest_fn rest_build, rest_submit, rest_cancel, rest_cancel_all;
rest_fn rest_operation_key, rest_spot_account, rest_create_spot_account, rest_update_spot_account;
rest_fn rest_api_key, rest_new_api_key, rest_balance, rest_max_deposit;
rest_fn rest_open_orders, rest_trade_orders, rest_trades, rest_order, rest_order_by_query;
rest_fn rest_deposits, rest_withdrawals, rest_transferals, rest_transferal;
rest_fn rest_market_price, rest_graph, rest_market_config, rest_hydra_cycle, rest_terms;
rest_fn rest_lock_status;
#endif
