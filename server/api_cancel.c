/* DELETE /v1/orders/{id} and DELETE /v1/orders?symbol=: off the book, and the answer when it is
 * known whether that worked. Cancels need no operation key, and work during recovery. */
#include <string.h>

#include "base/mem.h"
#include "net/httpd.h"
#include "net/loop.h"
#include "server/api.h"
#include "server/cancel.h"
#include "server/daemon.h"
#include "server/json.h"
#include "server/place.h"

/* ---- the answer ------------------------------------------------------------------------- */

static void refuse_final(struct api_call *call, const struct order *order)
{
	struct err err;

	err_set(&err, ERR_ORDER_FINAL, "the order is %s", order_state_name(order->facts.state));
	api_reply_problem(call, &err, -1, order);
}

/* is_known: the order's state is durable. */
static void answer(struct api_call *call, const struct order *order, bool is_known)
{
	bool is_over = is_known && order_is_final(order->facts.state);
	struct api_prefer prefer;
	struct json_out out;

	api_prefer(call, &prefer);
	api_prefer_header(call, &prefer);
	if (is_over && order->facts.state != ORDER_CANCELLED) {
		refuse_final(call, order);
		return;
	}
	json_out_init(&out);
	json_order(&out, NULL, order);
	api_reply(call, is_over ? 200 : 202, &out);
}

/* ---- one order -------------------------------------------------------------------------- */

static void on_news(struct waiter *waiter, const struct order *written)
{
	if (order_is_final(written->facts.state))
		answer(waiter->call, written, true);
}

static void on_refused(struct waiter *waiter, const struct err *err)
{
	api_reply_err(waiter->call, err);
}

static void answer_durable(struct api_call *call, const struct order *order)
{
	answer(call, order, true);
}

static void on_time_up(struct api_call *call)
{
	api_order_as_durable(call, call->waiter.tracked, answer_durable);
}

static void on_stop(struct api_call *call)
{
	const struct tracked *tracked = call->waiter.tracked;

	answer(call, &tracked->order, tracked->writing == 0);
}

/* It is on its way, or waits to be: not on the book as far as anyone knows. */
static void withdraw_unsent(struct daemon *daemon, struct tracked *tracked,
			    const struct journal_step *asked)
{
	bool is_first = !tracked->order.facts.cancel_requested;
	struct journal_step gone = *asked;

	gone.event = order_event_name(EV_CANCEL);
	if (tracked->place) {
		if (!place_withdraw(daemon->place, tracked, &gone) && is_first)
			orders_record(daemon->orders, tracked, asked, NULL, JOURNAL_FACT, NULL,
				      NULL);
		return;
	}
	tracked->order.facts.cancel_requested = true;
	/* Else its acceptance is on its way to the journal, and whoever waits for that sees it. */
	if (tracked->is_resumed)
		orders_move(daemon->orders, tracked, EV_CANCEL, &gone);
}

static void withdraw(struct api_call *call, struct tracked *tracked)
{
	struct daemon *daemon = call->daemon;
	struct journal_step asked = { .event = "cancel_requested",
				      .cause = "app",
				      .request_id = call->request_id,
				      .token_id = call->token.token_id };

	if (order_is_final(tracked->order.facts.state))
		return;
	if (order_may_be_live(tracked->order.facts.state) && !tracked->place)
		cancel_start(daemon->cancel, tracked, &asked);
	else
		withdraw_unsent(daemon, tracked, &asked);
}

static void found(struct api_call *call, struct tracked *tracked, const struct order *order)
{
	struct api_prefer prefer;

	if (!tracked || (order_is_final(order->facts.state) && tracked->writing == 0)) {
		answer(call, order, true);
		return;
	}
	api_prefer(call, &prefer);
	call->waiter.news = on_news;
	call->waiter.refused = on_refused;
	call->on_stop = on_stop;
	api_wait_for(call, &call->waiter, tracked);
	api_wait(call, prefer.is_async ? 0 : prefer.wait_ms, on_time_up);
	withdraw(call, tracked);
}

void api_order_delete(struct api_call *call)
{
	api_find_order(call, found);
}

/* ---- all of a symbol -------------------------------------------------------------------- */

struct sweep {
	char symbol[ORDER_SYMBOL_LEN];
	char token_id[TOKEN_ID_LEN]; /* "" for any */
	struct waiter *waiters;      /* each holds its order in memory until the answer */
	size_t count, room;
	size_t open; /* of them not known to be final yet */
};

static void sweep_leave(struct sweep *sweep)
{
	for (size_t i = 0; i < sweep->count; i++)
		api_wait_no_more(&sweep->waiters[i]);
}

static void sweep_free(void *state)
{
	struct sweep *sweep = state;

	mem_free(sweep->waiters);
	mem_free(sweep);
}

static void sweep_known(struct waiter *waiter, const struct order *written)
{
	(void)waiter, (void)written; /* its end was durable before */
}

/* The state in which it ended, or NONE: what is not durable yet is not told as done. */
static enum order_state end_of(const struct waiter *waiter)
{
	if (!waiter->tracked || waiter->news != sweep_known)
		return ORDER_NONE;
	return waiter->tracked->order.facts.state;
}

static void sweep_cancelled(struct json_out *out, const struct sweep *sweep)
{
	json_out_array(out, "cancelled");
	for (size_t i = 0; i < sweep->count; i++)
		if (end_of(&sweep->waiters[i]) == ORDER_CANCELLED)
			json_out_str(out, NULL, sweep->waiters[i].tracked->order.terms.order_id);
	json_out_array_end(out);
}

static void sweep_failed(struct json_out *out, const struct sweep *sweep)
{
	json_out_array(out, "failed");
	for (size_t i = 0; i < sweep->count; i++) {
		const struct waiter *waiter = &sweep->waiters[i];
		enum order_state end = end_of(waiter);

		if (end == ORDER_NONE || end == ORDER_CANCELLED)
			continue;
		json_out_object(out, NULL);
		json_out_str(out, "order_id", waiter->tracked->order.terms.order_id);
		json_out_str(out, "code", err_word(ERR_ORDER_FINAL));
		json_out_str(out, "detail", order_state_name(end));
		json_out_object_end(out);
	}
	json_out_array_end(out);
}

static void sweep_pending(struct json_out *out, const struct sweep *sweep)
{
	json_out_array(out, "pending");
	for (size_t i = 0; i < sweep->count; i++)
		if (sweep->waiters[i].tracked && end_of(&sweep->waiters[i]) == ORDER_NONE)
			json_out_str(out, NULL, sweep->waiters[i].tracked->order.terms.order_id);
	json_out_array_end(out);
}

static void sweep_answer(struct api_call *call)
{
	struct sweep *sweep = call->state;
	int status = sweep->open > 0 ? 202 : 200;
	struct api_prefer prefer;
	struct json_out out;

	api_prefer(call, &prefer);
	api_prefer_header(call, &prefer);
	json_out_init(&out);
	json_out_object(&out, NULL);
	sweep_cancelled(&out, sweep);
	sweep_failed(&out, sweep);
	sweep_pending(&out, sweep);
	json_out_object_end(&out);
	sweep_leave(sweep);
	api_reply(call, status, &out);
}

static void sweep_one_less(struct waiter *waiter)
{
	struct sweep *sweep = waiter->call->state;

	if (--sweep->open == 0)
		sweep_answer(waiter->call);
}

static void sweep_news(struct waiter *waiter, const struct order *written)
{
	if (!order_is_final(written->facts.state))
		return;
	waiter->news = sweep_known;
	sweep_one_less(waiter);
}

/* It never became an order, and is about to be forgotten. */
static void sweep_refused(struct waiter *waiter, const struct err *err)
{
	(void)err;
	waiter->tracked = NULL;
	sweep_one_less(waiter);
}

static void sweep_gather(void *arg, struct tracked *tracked)
{
	struct sweep *sweep = arg;
	const struct order_terms *terms = &tracked->order.terms;

	if (strcmp(terms->symbol, sweep->symbol) != 0 ||
	    (sweep->token_id[0] != '\0' && strcmp(terms->token_id, sweep->token_id) != 0))
		return;
	if (sweep->count == sweep->room) {
		sweep->room = sweep->room ? 2 * sweep->room : 16;
		sweep->waiters = mem_grow(sweep->waiters, sweep->room * sizeof(sweep->waiters[0]));
	}
	sweep->waiters[sweep->count++] =
		(struct waiter){ .tracked = tracked, .news = sweep_news, .refused = sweep_refused };
}

static void sweep_start(struct api_call *call)
{
	struct sweep *sweep = call->state;
	struct api_prefer prefer;

	orders_each(call->daemon->orders, sweep_gather, sweep);
	sweep->open = sweep->count;
	if (sweep->open == 0) {
		sweep_answer(call);
		return;
	}
	api_prefer(call, &prefer);
	call->on_stop = sweep_answer;
	api_wait(call, prefer.is_async ? 0 : prefer.wait_ms, sweep_answer);
	for (size_t i = 0; i < sweep->count; i++)
		api_wait_for(call, &sweep->waiters[i], sweep->waiters[i].tracked);
	for (size_t i = 0; i < sweep->count; i++)
		withdraw(call, sweep->waiters[i].tracked);
}

void api_orders_delete(struct api_call *call)
{
	struct sweep *sweep = mem_alloc(sizeof(*sweep));
	struct err err;

	call->state = sweep;
	call->drop = sweep_free;
	if (!api_query_symbol(call, sweep->symbol, &err) ||
	    !api_query_owner(call, sweep->token_id, &err))
		api_reply_err(call, &err);
	else if (sweep->symbol[0] == '\0')
		api_refuse(call, ERR_INVALID, "symbol is needed: all orders of which pair?");
	else
		sweep_start(call);
}
