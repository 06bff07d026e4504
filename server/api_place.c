/* POST /v1/orders: from the request to an order that is durable, and from its outcome to the
 * answer.
 *
 * Idempotent on client_order_id: an order that is in memory is found at once; one that only the
 * journal has is found when the acceptance meets the database's unique index, or before a refusal
 * is told, so that a repeated request gets its order whatever the daemon would say to a new one. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/httpd.h"
#include "net/loop.h"
#include "server/api.h"
#include "server/config.h"
#include "server/daemon.h"
#include "server/json.h"
#include "server/market.h"
#include "server/place.h"
#include "server/risk.h"
#include "server/venue.h"

/* A request for an order, until it is answered. */
struct placing {
	struct order_terms terms;
	struct api_prefer prefer;
	struct err err; /* of a refusal, while the journal is asked for an older order */
	int64_t retry_ms;
	bool is_replay;
	bool is_accepted; /* and that is durable */
	bool is_due;      /* the time to wait is up, but nothing was durable then */
};

/* An acceptance on its way into the journal; the call may be gone when it is there. */
struct acceptance {
	struct daemon *daemon;
	struct tracked *tracked;
};

/* ---- the answer ------------------------------------------------------------------------- */

static enum err_code code_of_word(const char *word, enum err_code otherwise)
{
	for (int code = ERR_NONE + 1; code < ERR_CODE_COUNT; code++)
		if (strcmp(err_word((enum err_code)code), word) == 0)
			return (enum err_code)code;
	return otherwise;
}

static void answer_failed(struct api_call *call, const struct order *order, enum err_code otherwise)
{
	const struct order_facts *facts = &order->facts;
	struct err err;

	err_set(&err, code_of_word(facts->error_code, otherwise), "%s",
		facts->error[0] != '\0' ? facts->error : order_state_name(facts->state));
	err.exchange_code = facts->exchange_code;
	api_reply_problem(call, &err, -1, order);
}

static void location_header(struct api_call *call, const struct order *order)
{
	char location[16 + ORDER_ID_LEN];

	snprintf(location, sizeof(location), "/v1/orders/%s", order->terms.order_id);
	api_header(call, "Location", location);
}

static void answer_order(struct api_call *call, int status, const struct order *order)
{
	struct json_out out;

	json_out_init(&out);
	json_out_object(&out, NULL);
	json_order_members(&out, order);
	if (status == 202)
		json_out_str(&out, "retry", "same_key");
	json_out_object_end(&out);
	api_reply(call, status, &out);
}

/* is_known: the order's state is durable. */
static void answer(struct api_call *call, const struct order *order, bool is_known)
{
	struct placing *placing = call->state;

	location_header(call, order);
	api_prefer_header(call, &placing->prefer);
	if (placing->is_replay) {
		api_header(call, "Idempotent-Replayed", "true");
		answer_order(call, 200, order);
		return;
	}
	switch (is_known ? order->facts.state : ORDER_NONE) {
	case ORDER_OPEN:
	case ORDER_PARTIALLY_FILLED:
	case ORDER_FILLED:
	case ORDER_CANCELLED:
		answer_order(call, 201, order);
		return;
	case ORDER_REJECTED:
		answer_failed(call, order, ERR_REFUSED);
		return;
	case ORDER_FAILED:
		answer_failed(call, order, ERR_NOT_PLACED);
		return;
	case ORDER_ACCEPTED:
	case ORDER_BUILDING:
	case ORDER_SUBMITTING:
	case ORDER_UNKNOWN:
	case ORDER_NONE:
	case ORDER_STATE_COUNT:
		break;
	}
	answer_order(call, 202, order);
}

/* ---- waiting for the outcome ------------------------------------------------------------ */

static bool is_outcome(enum order_state state)
{
	return order_is_final(state) || order_is_live(state) || state == ORDER_UNKNOWN;
}

static void on_news(struct waiter *waiter, const struct order *written)
{
	struct api_call *call = waiter->call;
	struct placing *placing = call->state;

	placing->is_accepted = true;
	if (is_outcome(written->facts.state) || placing->is_due || placing->prefer.is_async)
		answer(call, written, true);
}

static void answer_as_is(struct api_call *call)
{
	const struct tracked *tracked = call->waiter.tracked;

	answer(call, &tracked->order, tracked->writing == 0);
}

static void answer_durable(struct api_call *call, const struct order *order)
{
	answer(call, order, true);
}

static void on_time_up(struct api_call *call)
{
	struct placing *placing = call->state;

	placing->is_due = true;
	if (placing->is_accepted)
		api_order_as_durable(call, call->waiter.tracked, answer_durable);
}

static void on_stop(struct api_call *call)
{
	struct placing *placing = call->state;

	if (placing->is_accepted)
		answer_as_is(call);
	else
		api_refuse(call, ERR_STOPPING, "the daemon is stopping");
}

static int64_t wait_left_ms(const struct api_call *call)
{
	const struct placing *placing = call->state;
	int64_t waited_ms = mono_diff_ms(loop_now(call->daemon->loop), http_arrived(call->request));
	int64_t left_ms = placing->prefer.wait_ms - waited_ms;

	return left_ms > 0 ? left_ms : 0;
}

static void look_up(struct api_call *call, const struct err *err, int64_t retry_ms);

/* Its acceptance could not be journalled: for all who wait for it. */
static void on_refused(struct waiter *waiter, const struct err *err)
{
	if (err->code == ERR_ID_CONFLICT)
		look_up(waiter->call, err, -1);
	else
		api_reply_err(waiter->call, err);
}

static void wait_for(struct api_call *call, struct tracked *tracked)
{
	call->waiter.news = on_news;
	call->waiter.refused = on_refused;
	call->on_stop = on_stop;
	api_wait_for(call, &call->waiter, tracked);
	api_wait(call, wait_left_ms(call), on_time_up);
}

/* ---- replays ---------------------------------------------------------------------------- */

static void refuse_conflict(struct api_call *call, const struct order *order)
{
	struct err err;

	err_set(&err, ERR_ID_CONFLICT, "client_order_id %s was used for another order, %s",
		order->terms.client_order_id, order->terms.order_id);
	api_reply_err(call, &err);
}

static bool is_same_request(const struct placing *placing, const struct order *order)
{
	return strcmp(placing->terms.body_hash, order->terms.body_hash) == 0;
}

/* Answers with an order that is in memory, once what it shows is durable. */
static void replay(struct api_call *call, struct tracked *tracked)
{
	struct placing *placing = call->state;
	const struct order *order = &tracked->order;
	bool is_async = placing->prefer.is_async || placing->prefer.wait_ms == 0;

	if (!is_same_request(placing, order)) {
		refuse_conflict(call, order);
		return;
	}
	placing->is_replay = true;
	placing->is_accepted = order->facts.state != ORDER_ACCEPTED || tracked->writing == 0;
	if (tracked->writing == 0 && (is_async || is_outcome(order->facts.state)))
		answer(call, order, true);
	else
		wait_for(call, tracked);
}

static void looked_up(void *arg, const struct err *err, const struct order *orders, size_t count)
{
	struct api_call *call = arg;
	struct placing *placing = call->state;

	if (!api_release(call))
		return;
	if (err || count == 0) {
		api_reply_problem(call, &placing->err, placing->retry_ms, NULL);
	} else if (is_same_request(placing, orders)) {
		placing->is_replay = true;
		answer(call, orders, true);
	} else {
		refuse_conflict(call, orders);
	}
}

/* A refusal of what may be a repeated request: the journal may have its order. */
static void look_up(struct api_call *call, const struct err *err, int64_t retry_ms)
{
	struct placing *placing = call->state;
	struct journal_order_query query = { .limit = 1 };

	if (placing->terms.client_order_id[0] == '\0') {
		api_reply_problem(call, err, retry_ms, NULL);
		return;
	}
	placing->err = *err;
	placing->retry_ms = retry_ms;
	STR_SET(query.token_id, call->token.token_id);
	STR_SET(query.client_order_id, placing->terms.client_order_id);
	api_hold(call);
	journal_find_orders(call->daemon->journal, &query, looked_up, call);
}

/* ---- acceptance ------------------------------------------------------------------------- */

static void refuse_waiters(struct tracked *tracked, const struct err *err)
{
	struct list_node *node;

	while ((node = list_pop_front(&tracked->waiters))) {
		struct waiter *waiter = CONTAINER_OF(node, struct waiter, node);

		waiter->refused(waiter, err);
	}
}

static void begin(struct daemon *daemon, struct tracked *tracked)
{
	const struct order_terms *terms = &tracked->order.terms;
	struct journal_step step = { .cause = "app", .detail = "cancelled before it was queued" };

	LOG(INFO, "order.accepted", F_STR("order", terms->order_id),
	    F_STR("client_order_id", terms->client_order_id), F_STR("app", terms->app),
	    F_STR("symbol", terms->symbol), F_STR("side", order_side_name(terms->side)));
	if (tracked->order.facts.cancel_requested)
		orders_move(daemon->orders, tracked, EV_CANCEL, &step);
	else
		place_start(daemon->place, tracked);
}

static void accepted(void *arg, const struct err *err)
{
	struct acceptance *acceptance = arg;
	struct daemon *daemon = acceptance->daemon;
	struct tracked *tracked = acceptance->tracked;

	mem_free(acceptance);
	if (!err) {
		begin(daemon, tracked);
		return;
	}
	refuse_waiters(tracked, err);
	orders_forget(daemon->orders, tracked);
}

static void accept_order(struct api_call *call)
{
	struct placing *placing = call->state;
	struct daemon *daemon = call->daemon;
	struct acceptance *acceptance = mem_alloc(sizeof(*acceptance));
	struct journal_step step = { .event = "accepted",
				     .cause = "app",
				     .request_id = call->request_id,
				     .token_id = call->token.token_id };
	struct order order = { .terms = placing->terms, .facts.state = ORDER_ACCEPTED };

	order.terms.created_at = wall_now();
	order_make_id("ord_", order.terms.created_at, order.terms.order_id);
	if (order.terms.client_order_id[0] == '\0')
		order_make_id("auto_", order.terms.created_at, order.terms.client_order_id);
	STR_SET(order.terms.token_id, call->token.token_id);
	STR_SET(order.terms.app, call->token.name);
	STR_SET(order.terms.request_id, call->request_id);
	acceptance->daemon = daemon;
	acceptance->tracked = orders_add(daemon->orders, &order, call->token.weight);
	wait_for(call, acceptance->tracked);
	orders_record(daemon->orders, acceptance->tracked, &step, NULL, JOURNAL_INTENT, accepted,
		      acceptance);
}

/* ---- may it be accepted? ---------------------------------------------------------------- */

static void limits_of(const struct config *config, struct risk_limits *limits)
{
	limits->has_max_order_value = config->has_max_order_value;
	limits->max_order_value = config->max_order_value;
	limits->has_price_band = config->has_price_band;
	limits->price_band_pct = config->price_band_pct;
	limits->min_order_value = config->min_order_value;
	limits->max_open_orders = config->max_open_orders;
}

static void view_of(const struct api_call *call, const struct decimal *last_price,
		    struct risk_view *view)
{
	const struct placing *placing = call->state;
	const struct daemon *daemon = call->daemon;
	const struct journal_token *token = &call->token;

	view->rules = market_rules(daemon->market, placing->terms.symbol);
	view->last_price = last_price;
	view->open_orders = orders_open_count(daemon->orders, NULL);
	view->open_orders_own = orders_open_count(daemon->orders, token->token_id);
	view->symbols = token->symbols;
	view->max_order_value_own = token->has_max_order_value ? &token->max_order_value : NULL;
	view->max_open_orders_own = token->max_open_orders;
}

static bool check_risk(const struct api_call *call, const struct decimal *last_price,
		       struct err *err)
{
	const struct placing *placing = call->state;
	struct risk_limits limits;
	struct risk_view view;

	if (!market_has_rules(call->daemon->market))
		return err_set(err, ERR_NO_DATA, "the exchange's rules are not known yet");
	limits_of(call->daemon->config, &limits);
	view_of(call, last_price, &view);
	return risk_check(&limits, &view, &placing->terms, err);
}

/* Would it wait longer than it may? */
static bool check_wait(const struct api_call *call, int64_t *retry_ms, struct err *err)
{
	const struct placing *placing = call->state;
	struct scheduler *scheduler = call->daemon->scheduler;
	int64_t most_ms = call->daemon->config->queue_wait_max_ms;
	bool is_own_limit = placing->terms.valid_until.us != 0;
	struct scheduler_limits limits;

	scheduler_limits(scheduler, call->token.token_id, call->token.weight, &limits);
	*retry_ms = limits.wait_ms > 1000 ? limits.wait_ms : 1000;
	if (!scheduler_has_room(scheduler, call->token.token_id, err))
		return false;
	if (is_own_limit)
		most_ms = (placing->terms.valid_until.us - wall_now().us) / 1000;
	if (limits.wait_ms <= most_ms && most_ms > 0)
		return true;
	return err_set(err, is_own_limit ? ERR_EXPIRED : ERR_QUEUE_FULL,
		       "it would wait for about %lld ms, and may for %lld",
		       (long long)limits.wait_ms, (long long)(most_ms > 0 ? most_ms : 0));
}

static void admit(struct api_call *call, const struct decimal *last_price)
{
	struct placing *placing = call->state;
	const struct order_terms *terms = &placing->terms;
	struct tracked *same = NULL;
	int64_t retry_ms = -1;
	struct err err;

	if (terms->client_order_id[0] != '\0')
		same = orders_find_client(call->daemon->orders, call->token.token_id,
					  terms->client_order_id);
	if (same)
		replay(call, same);
	else if (daemon_takes_orders(call->daemon, &err) &&
		 venue_may_trade(call->daemon->venue, &err) && check_risk(call, last_price, &err) &&
		 check_wait(call, &retry_ms, &err))
		accept_order(call);
	else
		look_up(call, &err, retry_ms);
}

/* ---- the price, where a limit cannot be checked without it ------------------------------ */

static void price_known(void *arg, const struct err *err, const struct market_price *known)
{
	struct api_call *call = arg;
	const struct placing *placing = call->state;
	struct decimal price = known ? known->value : DECIMAL_ZERO;
	struct err refusal;

	if (!api_release(call))
		return;
	if (!err || market_last_price(call->daemon->market, placing->terms.symbol, &price)) {
		admit(call, &price);
		return;
	}
	err_set(&refusal, ERR_NO_DATA, "the risk limits need a price: %s", err->text);
	look_up(call, &refusal, -1);
}

static bool needs_price(const struct api_call *call)
{
	const struct placing *placing = call->state;
	struct risk_limits limits;
	struct venue_state venue;
	struct risk_view view;

	venue_state(call->daemon->venue, &venue);
	limits_of(call->daemon->config, &limits);
	view_of(call, NULL, &view);
	return venue.has_operation_key && view.rules &&
	       risk_needs_price(&limits, &view, &placing->terms);
}

void api_orders_post(struct api_call *call)
{
	struct placing *placing = mem_alloc(sizeof(*placing));
	struct err err;

	call->state = placing;
	call->drop = mem_free;
	if (!json_read_order(http_body(call->request), http_body_len(call->request),
			     &placing->terms, &err)) {
		api_reply_err(call, &err);
		return;
	}
	api_prefer(call, &placing->prefer);
	if (!needs_price(call)) {
		admit(call, NULL);
		return;
	}
	api_hold(call);
	market_price(call->daemon->market, placing->terms.symbol, -1, price_known, call);
}
