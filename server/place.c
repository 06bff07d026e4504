#include "server/place.h"

#include <assert.h>
#include <string.h>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/mem.h"
#include "client/deltadefi.h"
#include "net/loop.h"
#include "server/feed.h"
#include "server/scheduler.h"
#include "server/settle.h"
#include "server/venue.h"

#define RETRY_FIRST_MS 1000
#define REBUILD_MAX    2 /* signed builds of one order: the first and one after an expiry */

struct place {
	struct loop *loop;
	struct place_config config;
	struct dd_client *exchange;
	struct scheduler *scheduler;
	struct orders *orders;
	struct venue *venue;
	struct settle *settle;
};

/* An order between its turn and its outcome. Pins the order. */
struct place_job {
	struct place *place;
	struct tracked *tracked;
	struct ticket ticket;
	struct timer *retry;
	struct mono accepted; /* for queued_ms */
	int build_tries, submit_tries;
	char *signed_hex;
	struct err late;   /* what to say if the deadline passes while waiting */
	bool is_in_flight; /* a request or a write of ours is on its way: its end uses the job */
	bool is_withdrawn; /* the app wants it gone, if it is not too late */
};

static void build(void *arg);
static void submit(void *arg);
static void rebuild(void *arg, struct tracked *tracked);

struct place *place_create(struct loop *loop, const struct place_config *config,
			   struct dd_client *exchange, struct scheduler *scheduler,
			   struct orders *orders, struct venue *venue, struct settle *settle)
{
	struct place *place = mem_alloc(sizeof(*place));

	place->loop = loop;
	place->config = *config;
	place->exchange = exchange;
	place->scheduler = scheduler;
	place->orders = orders;
	place->venue = venue;
	place->settle = settle;
	settle_on_expiry(settle, rebuild, place);
	return place;
}

static void job_end(struct place_job *job)
{
	struct tracked *tracked = job->tracked;
	struct place *place = job->place;

	tracked->place = NULL;
	scheduler_remove(place->scheduler, &job->ticket);
	timer_destroy(job->retry);
	mem_free(job->signed_hex);
	loop_free_later(place->loop, job); /* its ticket or timer may be on the stack */
	orders_unpin(place->orders, tracked);
}

static void end_job_of(void *arg, struct tracked *tracked)
{
	(void)arg;
	if (tracked->place)
		job_end(tracked->place);
}

void place_destroy(struct place *place)
{
	if (!place)
		return;
	orders_each_tracked(place->orders, end_job_of, NULL);
	mem_free(place);
}

/* ---- the ends ------------------------------------------------------------------------- */

/* A definite end without an order on the book. */
static void end_with(struct place_job *job, enum order_event event, const struct err *err,
		     int http_status, const char *cause)
{
	struct tracked *tracked = job->tracked;
	struct journal_step step = { .cause = cause,
				     .http_status = http_status,
				     .exchange_code = err->exchange_code,
				     .detail = err->text };

	order_set_error(&tracked->order, err);
	LOG(WARN, "order.failed", F_STR("order", tracked->order.terms.order_id),
	    F_STR("state", event == EV_REFUSE ? "rejected" : "failed"),
	    F_INT("exchange_code", err->exchange_code), F_ERR(err));
	orders_move(job->place->orders, tracked, event, &step);
	job_end(job);
}

/* The stream was faster, or spoke of a build that was given up as expired: the order lives or
 * lived. What becomes of it is not ours any more. */
static bool is_overtaken(const struct place_job *job)
{
	enum order_state state = job->tracked->order.facts.state;

	return order_is_live(state) || order_is_final(state);
}

/* At its turn: then it is not taken. */
static bool leaves_turn(struct place_job *job)
{
	if (!is_overtaken(job))
		return false;
	scheduler_sent(job->place->scheduler, &job->ticket, (struct mono){ 0 }, (struct mono){ 0 });
	job_end(job);
	return true;
}

/* Its app asked for that, and nothing of it was acted on. */
static void withdraw_now(struct place_job *job)
{
	struct journal_step step = { .cause = "app", .detail = "cancelled before it was sent" };

	orders_move(job->place->orders, job->tracked, EV_CANCEL, &step);
	job_end(job);
}

static void hand_to_settle(struct place_job *job, const struct dd_result *result)
{
	struct place *place = job->place;
	struct tracked *tracked = job->tracked;
	struct journal_step step = { .cause = "exchange",
				     .http_status = result->http_status,
				     .exchange_code = result->code,
				     .detail = result->err.text };

	if (tracked->order.facts.state != ORDER_SUBMITTING) {
		job_end(job); /* the stream was faster: it lives or lived */
		return;
	}
	LOG(WARN, "order.unknown", F_STR("order", tracked->order.terms.order_id),
	    F_STR("exchange_order_id", tracked->order.facts.exchange_order_id),
	    F_ERR(&result->err));
	if (result->class_ != DD_CLASS_EXPIRED) /* a definite no, which asking is to confirm */
		orders_move(place->orders, tracked, EV_LOSE, &step);
	job_end(job);
	settle_start(place->settle, tracked, result->class_, result->err.text);
}

/* ---- waiting -------------------------------------------------------------------------- */

static void too_late(void *arg)
{
	struct place_job *job = arg;

	/* Signed or not: what waits here was never sent, or the exchange did not act on it. */
	if (is_overtaken(job))
		job_end(job);
	else
		end_with(job, EV_FAIL, &job->late, 0, "scheduler");
}

static void queue(struct place_job *job, enum lane lane, bool is_repeat)
{
	struct ticket *ticket = &job->ticket;
	const struct order_terms *terms = &job->tracked->order.terms;

	ticket->lane = lane;
	ticket->token_id = terms->token_id;
	ticket->weight = job->tracked->weight;
	ticket->is_repeat = is_repeat;
	ticket->go = lane == LANE_ORDER ? build : submit;
	ticket->late = too_late;
	ticket->arg = job;
	scheduler_add(job->place->scheduler, ticket);
}

/* valid_until is wall time; the wait is measured evenly from now on. */
static struct mono deadline_of(const struct place *place, const struct order_terms *terms)
{
	struct mono now = loop_now(place->loop);
	struct mono longest = mono_after_ms(now, place->config.queue_wait_ms);
	struct mono deadline = longest;

	if (terms->valid_until.us != 0) {
		deadline.us = now.us + terms->valid_until.us - wall_now().us;
		if (deadline.us <= now.us)
			deadline.us = now.us;
	}
	return deadline;
}

/* What is said if the time runs out now: no word of a step that was done after all. */
static void forget_last_try(struct place_job *job)
{
	err_set(&job->late, ERR_EXPIRED, "its time ran out before it could be sent");
}

static struct place_job *job_create(struct place *place, struct tracked *tracked)
{
	struct place_job *job = mem_alloc(sizeof(*job));

	assert(!tracked->place);
	job->place = place;
	job->tracked = tracked;
	job->accepted = loop_now(place->loop);
	job->ticket.deadline = deadline_of(place, &tracked->order.terms);
	forget_last_try(job);
	tracked->place = job;
	orders_pin(tracked);
	return job;
}

void place_start(struct place *place, struct tracked *tracked)
{
	queue(job_create(place, tracked), LANE_ORDER, false);
}

static void retry_build(void *arg)
{
	queue(arg, LANE_ORDER, true);
}

static void retry_submit(void *arg)
{
	queue(arg, LANE_SUBMIT, true);
}

/* 1, 2, 4 ... s; a step that is proven not to have happened, or to be harmless, is repeated. */
static void retry_later(struct place_job *job, int tries, void (*again)(void *arg),
			const struct err *err)
{
	int64_t wait_ms = (int64_t)RETRY_FIRST_MS << (tries - 1);

	LOG(WARN, "order.retry", F_STR("order", job->tracked->order.terms.order_id),
	    F_STR("step", again == retry_build ? "build" : "submit"), F_INT("attempt", tries),
	    F_INT("wait_ms", wait_ms), F_ERR(err));
	timer_destroy(job->retry);
	job->retry = loop_timer_create(job->place->loop, again, job);
	timer_start(job->retry, wait_ms);
}

/* ---- submit --------------------------------------------------------------------------- */

static void note_live(struct place_job *job)
{
	const struct order *order = &job->tracked->order;

	LOG(INFO, "order.submitted", F_STR("order", order->terms.order_id),
	    F_STR("exchange_order_id", order->facts.exchange_order_id),
	    F_STR("state", order_state_name(order->facts.state)));
}

static void submit_done(struct place_job *job, const struct dd_order *seen)
{
	struct place *place = job->place;
	struct tracked *tracked = job->tracked;
	struct journal_step step = { .cause = "exchange", .http_status = 200 };
	enum feed_news news = FEED_UNREADABLE;

	venue_trade_went_through(place->venue);
	if (seen && seen->status != DD_STATUS_BUILDING)
		news = feed_order(place->orders, tracked, seen, "exchange");
	/* The exchange took it, whatever we could read of the answer. */
	if (news == FEED_UNREADABLE && tracked->order.facts.state == ORDER_SUBMITTING)
		orders_move(place->orders, tracked, EV_ACK, &step);
	note_live(job);
	job_end(job);
}

/* Not executed: the very same bytes again, unless nobody wants them there any more. */
static void submit_once_more(struct place_job *job, const struct dd_result *result)
{
	job->late = result->err;
	if (job->is_withdrawn)
		withdraw_now(job);
	else
		queue(job, LANE_SUBMIT, true);
}

static void submit_refused(struct place_job *job, const struct dd_result *result)
{
	switch (result->class_) {
	case DD_CLASS_RATE:
	case DD_CLASS_AUTH: /* held by venue.c until the key is right again */
		submit_once_more(job, result);
		return;
	case DD_CLASS_REFUSED:
		end_with(job, EV_REFUSE, &result->err, result->http_status, "exchange");
		return;
	case DD_CLASS_STATE:
	case DD_CLASS_EXPIRED:
	case DD_CLASS_SPENT:
	case DD_CLASS_DUPLICATE:
	case DD_CLASS_LOCKED:
	case DD_CLASS_RETRY:
	case DD_CLASS_UNKNOWN:
	case DD_CLASS_NONE:
	case DD_CLASS_COUNT:
		break;
	}
	hand_to_settle(job, result); /* it may exist, or may come to exist: ask */
}

static void submit_not_sent(struct place_job *job, const struct dd_result *result)
{
	struct err err = result->err;

	if (job->is_withdrawn) {
		withdraw_now(job);
		return;
	}
	if (job->submit_tries < job->place->config.tries) {
		retry_later(job, job->submit_tries, retry_submit, &result->err);
		return;
	}
	/* None of the tries left this host: that proves it. */
	err.code = result->err.code == ERR_TLS ? ERR_TLS : ERR_NOT_PLACED;
	end_with(job, EV_FAIL, &err, 0, "network");
}

static void submitted(void *arg, const struct dd_result *result, const struct dd_order *seen)
{
	struct place_job *job = arg;

	CRASH_POINT("place.submit.answered");
	job->is_in_flight = false;
	scheduler_sent(job->place->scheduler, &job->ticket, result->sent, result->done);
	venue_note(job->place->venue, result, true);
	if (result->class_ == DD_CLASS_RATE)
		scheduler_slow_down(job->place->scheduler, result->retry_after_ms);
	if (result->verdict != DD_DONE && is_overtaken(job)) {
		job_end(job);
		return;
	}
	switch (result->verdict) {
	case DD_DONE:
		scheduler_went_well(job->place->scheduler);
		submit_done(job, seen);
		return;
	case DD_REFUSED:
		submit_refused(job, result);
		return;
	case DD_NOT_SENT:
		submit_not_sent(job, result);
		return;
	case DD_UNKNOWN:
		hand_to_settle(job, result);
		return;
	}
}

static void submit(void *arg)
{
	struct place_job *job = arg;
	const struct order_facts *facts = &job->tracked->order.facts;

	if (leaves_turn(job))
		return;
	job->submit_tries++;
	job->is_in_flight = true;
	CRASH_POINT("place.submit.before");
	CRASH_POINT_LEFT("place.submit.left");
	dd_order_submit(job->place->exchange, facts->exchange_order_id, job->signed_hex, submitted,
			job);
}

/* ---- sign ----------------------------------------------------------------------------- */

/* The exchange id and the signed bytes are durable now, or the order goes no further. */
static void signing_recorded(void *arg, const struct err *err)
{
	struct place_job *job = arg;

	job->is_in_flight = false;
	if (is_overtaken(job)) {
		job_end(job);
	} else if (err) {
		end_with(job, EV_FAIL, err, 0, "journal");
	} else if (job->is_withdrawn) {
		withdraw_now(job);
	} else {
		forget_last_try(job);
		queue(job, LANE_SUBMIT, false);
	}
}

static void sign(struct place_job *job, const char *order_id, const char *tx_hex)
{
	struct place *place = job->place;
	struct tracked *tracked = job->tracked;
	struct order_facts *facts = &tracked->order.facts;
	struct journal_step step = { .event = order_event_name(EV_SIGN),
				     .cause = "exchange",
				     .http_status = 200 };
	struct journal_write *write;
	struct err err;

	orders_set_exchange_id(place->orders, tracked, order_id);
	if (!dd_sign(place->exchange, order_id, tx_hex, &job->signed_hex, facts->tx_hash, &err)) {
		end_with(job, EV_FAIL, &err, 0, "signing");
		return;
	}
	if (!orders_step(place->orders, tracked, EV_SIGN)) {
		job_end(job);
		return;
	}
	facts->attempt++;
	LOG(INFO, "order.submitting", F_STR("order", tracked->order.terms.order_id),
	    F_STR("exchange_order_id", order_id), F_STR("tx_hash", facts->tx_hash));
#ifdef BREAK_SUBMIT_FIRST /* never in a real build: what `make crash-broken` must catch */
	queue(job, LANE_SUBMIT, false);
	return;
#endif
	job->is_in_flight = true;
	write = journal_write_create();
	journal_write_submission(write, &tracked->order, job->signed_hex);
	orders_record(place->orders, tracked, &step, write, JOURNAL_INTENT, signing_recorded, job);
}

/* ---- build ---------------------------------------------------------------------------- */

static void requeue(struct place_job *job, const struct dd_result *result)
{
	struct journal_step step = { .cause = "exchange",
				     .http_status = result->http_status,
				     .exchange_code = result->code,
				     .detail = result->err.text };

	job->late = result->err;
	if (orders_move(job->place->orders, job->tracked, EV_REQUEUE, &step))
		return;
	job_end(job);
}

static void build_failed(struct place_job *job, const struct dd_result *result)
{
	struct err err = result->err;

	if (job->build_tries < job->place->config.tries) {
		requeue(job, result);
		if (job->tracked->place == job)
			retry_later(job, job->build_tries, retry_build, &result->err);
		return;
	}
	if (err.code != ERR_TLS)
		err.code = ERR_NOT_PLACED;
	end_with(job, EV_FAIL, &err, result->http_status, "exchange");
}

static void build_refused(struct place_job *job, const struct dd_result *result)
{
	switch (result->class_) {
	case DD_CLASS_RATE:
		scheduler_slow_down(job->place->scheduler, result->retry_after_ms);
		/* fall through */
	case DD_CLASS_AUTH: /* held by venue.c until the key is right again */
		job->build_tries--;
		requeue(job, result);
		if (job->tracked->place == job)
			queue(job, LANE_ORDER, true);
		return;
	case DD_CLASS_REFUSED:
	case DD_CLASS_LOCKED:
	case DD_CLASS_STATE:
	case DD_CLASS_EXPIRED:
	case DD_CLASS_SPENT:
	case DD_CLASS_DUPLICATE:
		end_with(job, EV_REFUSE, &result->err, result->http_status, "exchange");
		return;
	case DD_CLASS_RETRY:
	case DD_CLASS_UNKNOWN:
	case DD_CLASS_NONE:
	case DD_CLASS_COUNT:
		break;
	}
	build_failed(job, result);
}

static void built(void *arg, const struct dd_result *result, const char *order_id,
		  const char *tx_hex)
{
	struct place_job *job = arg;

	CRASH_POINT("place.build.answered");
	job->is_in_flight = false;
	scheduler_sent(job->place->scheduler, &job->ticket, result->sent, result->done);
	venue_note(job->place->venue, result, true);
	if (is_overtaken(job)) {
		job_end(job);
		return;
	}
	if (job->is_withdrawn) {
		withdraw_now(job);
		return;
	}
	switch (result->verdict) {
	case DD_DONE:
		scheduler_went_well(job->place->scheduler);
		sign(job, order_id, tx_hex);
		return;
	case DD_REFUSED:
		build_refused(job, result);
		return;
	case DD_NOT_SENT:
	case DD_UNKNOWN: /* at worst an orphan that is never submitted stays behind */
		build_failed(job, result);
		return;
	}
}

static void send_build(struct place_job *job)
{
	const struct order_terms *terms = &job->tracked->order.terms;
	struct dd_order_request request = {
		.symbol = terms->symbol,
		.side = terms->side == ORDER_BUY ? DD_BUY : DD_SELL,
		.type = terms->type == ORDER_LIMIT ? DD_LIMIT : DD_MARKET,
		.base_quantity = terms->has_base_qty ? &terms->base_qty : NULL,
		.quote_quantity = terms->has_quote_qty ? &terms->quote_qty : NULL,
		.price = terms->has_price ? &terms->price : NULL,
		.max_slippage_bp = terms->max_slippage_bp,
		.post_only = terms->post_only,
	};

	job->build_tries++;
	job->is_in_flight = true;
	CRASH_POINT("place.build.before");
	CRASH_POINT_LEFT("place.build.left");
	dd_order_build(job->place->exchange, &request, built, job);
}

static void build(void *arg)
{
	struct place_job *job = arg;
	struct place *place = job->place;
	struct tracked *tracked = job->tracked;
	struct order_facts *facts = &tracked->order.facts;
	struct journal_step step = { .cause = "scheduler" };

	if (leaves_turn(job))
		return;
	facts->queued_ms = mono_diff_ms(loop_now(place->loop), job->accepted);
	LOG(INFO, "order.building", F_STR("order", tracked->order.terms.order_id),
	    F_STR("symbol", tracked->order.terms.symbol),
	    F_STR("side", order_side_name(tracked->order.terms.side)),
	    F_INT("queued_ms", facts->queued_ms));
	/* A rebuild is in BUILDING already: the expiry took it there. */
	if (facts->state == ORDER_ACCEPTED &&
	    !orders_move(place->orders, tracked, EV_DISPATCH, &step)) {
		job_end(job);
		return;
	}
	send_build(job);
}

/* The order is BUILDING again after a proven expiry: build, sign and submit it once more. */
static void rebuild(void *arg, struct tracked *tracked)
{
	struct place_job *job = job_create(arg, tracked);

	if (tracked->order.facts.attempt >= REBUILD_MAX || tracked->order.facts.cancel_requested) {
		err_set(&job->late, ERR_NOT_PLACED, "the transaction expired before it was taken");
		end_with(job, EV_FAIL, &job->late, 0, "exchange");
		return;
	}
	queue(job, LANE_ORDER, true);
}

bool place_withdraw(struct place *place, struct tracked *tracked, const struct journal_step *step)
{
	struct place_job *job = tracked->place;

	(void)place;
	tracked->order.facts.cancel_requested = true;
	if (!job || is_overtaken(job))
		return false;
	if (job->is_in_flight) {
		job->is_withdrawn = true;
		return false;
	}
	orders_move(job->place->orders, tracked, EV_CANCEL, step);
	job_end(job);
	return true;
}

static void stop_job_of(void *arg, struct tracked *tracked)
{
	bool *is_busy = arg;
	struct place_job *job = tracked->place;
	struct err err;

	if (!job)
		return;
	if (job->is_in_flight || order_may_be_live(tracked->order.facts.state)) {
		*is_busy = true;
		return;
	}
	err_set(&err, ERR_STOPPING, "the daemon stopped before its turn came");
	end_with(job, EV_FAIL, &err, 0, "shutdown");
}

bool place_stop(struct place *place)
{
	bool is_busy = false;

	orders_each(place->orders, stop_job_of, &is_busy);
	return !is_busy;
}
