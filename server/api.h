/* api.h - what the handlers of the local API share: one request on its way through them.
 *
 * A struct api_call is made by routes.c for each request and answered exactly once with one of the
 * api_reply...() functions, now or in a later callback. Whoever starts something that will call
 * back with the call as its argument takes a hold first and lets go of it when called: the request
 * may have been answered meanwhile (the daemon is stopping), and then there is nothing more to do.
 * An answered call that nobody holds is gone at the end of the turn. A client that goes away early
 * changes nothing. Loop thread only. */
#ifndef SERVER_API_H
#define SERVER_API_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "server/auth.h"
#include "server/json_out.h"
#include "server/orders.h"
#include "server/scheduler.h"

struct api;
struct api_call;
struct daemon;
struct dd_result;
struct http_peer;
struct http_request;
struct http_stream;
struct http_stream_config;

#define API_PARAM_LEN (ORDER_CLIENT_ID_LEN + 16)

/* A request that waits for news of an order. */
struct waiter {
	struct list_node node; /* in the order's waiters */
	struct api_call *call;
	struct tracked *tracked;
	/* The order as it is durable now. May answer the call or leave the list. */
	void (*news)(struct waiter *waiter, const struct order *written);
	/* Its acceptance could not be journalled; the order is about to be forgotten. */
	void (*refused)(struct waiter *waiter, const struct err *err);
};

struct api_call {
	struct api *api;
	struct daemon *daemon;
	struct http_request *request; /* NULL once it is answered */
	struct journal_token token;   /* a copy; scopes as they count on this connection */
	char request_id[ORDER_ID_LEN];
	char param[API_PARAM_LEN]; /* what stands in the path for {id} or {symbol}, decoded */
	const char *allow_origin;  /* the request's Origin where it is allowed, else NULL */
	struct waiter waiter;      /* for handlers that wait for one order */
	struct ticket ticket;      /* for handlers that ask the exchange */
	struct timer *timer;       /* NULL until api_wait() */
	void (*on_time_up)(struct api_call *call);
	void (*on_stop)(
		struct api_call *call); /* answers when the daemon stops; NULL: ERR_STOPPING */
	void *state;                    /* the handler's own, */
	void (*drop)(void *state);      /* and how to free it */
	/* private to api.c */
	struct list_node node;
	int holds;
};

/* Makes daemon->api and listens to orders. */
void api_create(struct daemon *daemon);
/* Answers every request that still waits; their holds may be let go of afterwards. */
void api_destroy(struct daemon *daemon);

/* ---- calls ------------------------------------------------------------------------------ */

struct api_call *api_call_create(struct daemon *daemon, struct http_request *request);
void api_hold(struct api_call *call);
/* False: it was answered meanwhile, and is not to be touched any more. */
MUST_CHECK bool api_release(struct api_call *call);
/* fn once, unless the call is answered within wait_ms. */
void api_wait(struct api_call *call, int64_t wait_ms, void (*fn)(struct api_call *call));
void api_wait_for(struct api_call *call, struct waiter *waiter, struct tracked *tracked);
void api_wait_no_more(struct waiter *waiter); /* leaves the order; in none is fine */
/* go(call) when the scheduler lets a read out, or an answer of ERR_BUSY if it takes too long.
 * The call is held meanwhile: go() releases it. */
void api_queue_read(struct api_call *call, void (*go)(void *call));

/* Shows the exchange's answer to whom it concerns, and a failure to the log. */
void api_note_read(struct api_call *call, const char *what, const struct dd_result *result,
		   bool is_keyed);

/* ---- replies. Each ends the call. ------------------------------------------------------- */

void api_header(struct api_call *call, const char *name, const char *value);
void api_reply(struct api_call *call, int status,
	       struct json_out *out); /* takes what was written */
/* As api_reply(), of bytes that are kept by the caller and copied. */
void api_reply_copy(struct api_call *call, int status, const char *content_type, const void *body,
		    size_t len);
void api_reply_static(struct api_call *call, const char *content_type, const void *body,
		      size_t len);
void api_reply_empty(struct api_call *call, int status);
void api_reply_err(struct api_call *call, const struct err *err);
/* retry_ms: -1 when not known; else Retry-After. order: shown in the problem, or NULL. */
void api_reply_problem(struct api_call *call, const struct err *err, int64_t retry_ms,
		       const struct order *order);
void api_refuse(struct api_call *call, enum err_code code, const char *text);
/* An answer without an end: the call ends, the stream goes on. */
struct http_stream *api_reply_stream(struct api_call *call,
				     const struct http_stream_config *config);

/* ---- what requests say ------------------------------------------------------------------ */

/* "" when absent. ERR_INVALID when it does not fit. */
MUST_CHECK bool api_query(const struct api_call *call, const char *name, char *value, size_t room,
			  struct err *err);
MUST_CHECK bool api_query_int(const struct api_call *call, const char *name, int64_t min,
			      int64_t max, int64_t *value,
			      struct err *err); /* untouched when absent */
MUST_CHECK bool api_query_time(const struct api_call *call, const char *name, struct wall *time,
			       struct err *err);
MUST_CHECK bool api_query_symbol(const struct api_call *call, char symbol[ORDER_SYMBOL_LEN],
				 struct err *err); /* "" when absent */
/* Whose orders are meant: *token_id is the call's own, or "" with owner=any, which needs ops. */
MUST_CHECK bool api_query_owner(const struct api_call *call, char token_id[TOKEN_ID_LEN],
				struct err *err);

/* Prefer: wait=N, respond-async (RFC 7240); the configured wait without it. */
struct api_prefer {
	int64_t wait_ms;
	bool is_async;
	char applied[32]; /* for Preference-Applied; "" when nothing was asked for */
};
void api_prefer(const struct api_call *call, struct api_prefer *prefer);
void api_prefer_header(struct api_call *call, const struct api_prefer *prefer);

/* Leaves what a token's scopes count for on this connection: an admin's travels over TCP only
 * where the operator has said so. */
void api_limit_scopes(const struct daemon *daemon, const struct http_peer *peer,
		      struct journal_token *token);

/* Wipes the request's body: for those that hold a secret. */
void api_wipe_body(struct api_call *call);

/* ---- the handlers ----------------------------------------------------------------------- */

typedef void api_handler(struct api_call *call);

/* api_place.c */
api_handler api_orders_post;
/* api_cancel.c */
api_handler api_order_delete, api_orders_delete;
/* api_orders.c */
api_handler api_orders_get, api_order_get, api_order_events_get, api_fills_get;
/* api_account.c */
api_handler api_balances_get, api_transfers_get;
/* api_market.c */
api_handler api_markets_get, api_price_get, api_depth_get, api_trades_get, api_candles_get;
/* api_admin.c */
api_handler api_unlock_post, api_lock_post, api_key_post;
api_handler api_tokens_get, api_tokens_post, api_token_delete;
api_handler api_stream_stop_post, api_stream_start_post;
/* api_reconcile.c */
api_handler api_reconcile_post, api_reconciliation_get;
/* api_ops.c */
api_handler api_health_get, api_limits_get, api_live_get, api_ready_get;
api_handler api_openapi_get, api_asyncapi_get, api_events_schema_get;
/* api_page.c */
api_handler api_dashboard_get;
/* api_stream.c, api_events.c */
api_handler api_stream_get, api_events_get;

/* ---- finding an order, for api_orders.c and api_cancel.c --------------------------------- */

/* Looks for the order that {id} names among those the call may see: in memory, then in the
 * journal. found() gets the order and, if it is in memory, tracked; or the call is answered. Both
 * may happen within this call. order is borrowed for the callback. */
typedef void api_found_fn(struct api_call *call, struct tracked *tracked,
			  const struct order *order);
void api_find_order(struct api_call *call, api_found_fn *found);

/* The order as the journal has it after the writes that were appended, or, while the disk refuses
 * those, before; or the call is answered. May be within this call. */
void api_order_as_durable(struct api_call *call, const struct tracked *tracked,
			  void (*fn)(struct api_call *call, const struct order *order));

/* The member "streams": how each stream of the exchange is; api_ops.c. */
void api_print_streams(const struct daemon *daemon, struct json_out *out);

/* Members of the system channel's snapshot; api_ops.c. */
void api_system_members(const struct daemon *daemon, struct json_out *out);

const char *api_page_policy(const struct api *api); /* of the dashboard; see page.h */

/* Keeps the balances' JSON ready-made; api_account.c. */
struct api_balances {
	struct buf json;
	uint64_t version; /* of the market's balances; 0: none */
};
struct api_balances *api_balances_cache(struct api *api);
#endif
