#include "server/recover.h"

#include "base/crash_point.h"
#include "base/log.h"
#include "server/auth.h"
#include "server/cancel.h"
#include "server/config.h"
#include "server/daemon.h"
#include "server/journal.h"
#include "server/orders.h"
#include "server/place.h"
#include "server/settle.h"

struct recovering {
	struct daemon *daemon;
	struct recovery *counts;
	struct err err;
	bool has_failed;
};

static void add_order(void *arg, const struct order *order)
{
	struct recovering *recovering = arg;
	const struct journal_token *token =
		auth_token_find(recovering->daemon->auth, order->terms.token_id);

	orders_mark_told(orders_add(recovering->daemon->orders, order, token ? token->weight : 1));
}

static void add_fill(void *arg, const struct fill *fill)
{
	orders_mark_booked(arg, fill->execution_id);
}

/* Without valid_until an order waits no longer than it would have waited in the queue. */
static bool is_in_time(const struct daemon *daemon, const struct order *order)
{
	int64_t until_us = order->terms.valid_until.us;

	if (until_us == 0)
		until_us = order->terms.created_at.us + daemon->config->queue_wait_max_ms * 1000;
	return wall_now().us < until_us;
}

static void fail(struct daemon *daemon, struct tracked *tracked, enum err_code code,
		 const char *why)
{
	struct err err;
	struct journal_step step = { .cause = "recovery", .detail = why };

	err_set(&err, code, "%s", why);
	order_set_error(&tracked->order, &err);
	orders_move(daemon->orders, tracked, EV_FAIL, &step);
}

/* Nothing was submitted. */
static void take_up_unsent(struct recovering *recovering, struct tracked *tracked)
{
	struct daemon *daemon = recovering->daemon;
	const struct order *order = &tracked->order;
	struct journal_step step = { .cause = "recovery" };

	if (daemon->config->resume_accepted && is_in_time(daemon, order) &&
	    !order->facts.cancel_requested) {
		if (order->facts.state == ORDER_BUILDING)
			orders_move(daemon->orders, tracked, EV_REQUEUE, &step);
		tracked->is_resumed = true; /* recover_resume() starts it */
		recovering->counts->resumed++;
		return;
	}
	fail(daemon, tracked, ERR_NOT_PLACED, "the daemon stopped before it was submitted");
	recovering->counts->failed++;
}

static void take_up(void *arg, struct tracked *tracked)
{
	struct recovering *recovering = arg;
	struct daemon *daemon = recovering->daemon;
	struct journal_step step = { .cause = "recovery",
				     .detail = "the daemon stopped while it was submitted" };

	if (recovering->has_failed ||
	    !journal_load_fills(daemon->journal, tracked->order.terms.order_id, add_fill, tracked,
				&recovering->err)) {
		recovering->has_failed = true;
		return;
	}
	switch (tracked->order.facts.state) {
	case ORDER_ACCEPTED:
	case ORDER_BUILDING:
		take_up_unsent(recovering, tracked);
		return;
	case ORDER_SUBMITTING:
	case ORDER_UNKNOWN:
		recovering->counts->settling++;
		settle_start(daemon->settle, tracked, DD_CLASS_NONE, step.detail);
		/* Last: the record's new time would make its doubt look young. */
		if (tracked->order.facts.state == ORDER_SUBMITTING)
			orders_move(daemon->orders, tracked, EV_LOSE, &step);
		return;
	case ORDER_OPEN:
	case ORDER_PARTIALLY_FILLED:
		recovering->counts->live++;
		/* For all we know now. The first sweep looks at all of them in a few requests,
		 * and asks for those alone that differ: one by one they would take the reads'
		 * budget of many seconds from the orders in doubt. */
		tracked->is_seen_live = true;
		cancel_if_asked(daemon->cancel, tracked);
		return;
	case ORDER_FILLED:
	case ORDER_CANCELLED:
	case ORDER_REJECTED:
	case ORDER_FAILED:
	case ORDER_NONE:
	case ORDER_STATE_COUNT:
		return;
	}
}

bool recover_orders(struct daemon *daemon, struct recovery *counts, struct err *err)
{
	struct recovering recovering = { .daemon = daemon, .counts = counts };

	*counts = (struct recovery){ 0 };
	CRASH_POINT("recover.begin");
	if (!journal_load_live_orders(daemon->journal, add_order, &recovering, err))
		return false;
	CRASH_POINT("recover.loaded");
	orders_each(daemon->orders, take_up, &recovering);
	CRASH_POINT("recover.taken_up");
	if (recovering.has_failed) {
		*err = recovering.err;
		return false;
	}
	LOG(INFO, "recovery.begun", F_INT("failed", (int64_t)counts->failed),
	    F_INT("resumed", (int64_t)counts->resumed),
	    F_INT("settling", (int64_t)counts->settling), F_INT("live", (int64_t)counts->live));
	return true;
}

static void drop_late(void *arg, struct tracked *tracked)
{
	struct daemon *daemon = arg;

	if (tracked->order.facts.state != ORDER_ACCEPTED || tracked->place ||
	    !tracked->is_resumed || is_in_time(daemon, &tracked->order))
		return;
	tracked->is_resumed = false;
	fail(daemon, tracked, ERR_EXPIRED, "its time ran out before it could be sent");
}

void recover_drop_late(struct daemon *daemon)
{
	orders_each(daemon->orders, drop_late, daemon);
}

static void resume(void *arg, struct tracked *tracked)
{
	struct daemon *daemon = arg;

	if (tracked->order.facts.state != ORDER_ACCEPTED || tracked->place || !tracked->is_resumed)
		return;
	tracked->is_resumed = false;
	place_start(daemon->place, tracked);
}

void recover_resume(struct daemon *daemon)
{
	recover_drop_late(daemon);
	orders_each(daemon->orders, resume, daemon);
}
