#include "server/cancel.h"

#include "base/crash_point.h"
#include "base/log.h"
#include "base/mem.h"
#include "client/deltadefi.h"
#include "net/loop.h"
#include "server/feed.h"
#include "server/scheduler.h"
#include "server/venue.h"

#define RETRY_FIRST_MS 150
#define RETRY_MAX_MS   10000
#define LOCKED_MS      5000 /* during a trading lock a cancel waits, and is tried again so often */
#define ASK_MAX        5    /* times an accepted cancel is asked for before it is sent again */

struct cancel {
	struct loop *loop;
	struct dd_client *exchange;
	struct scheduler *scheduler;
	struct orders *orders;
	struct venue *venue;
};

/* One order on its way off the book. Pins the order. */
struct cancel_job {
	struct cancel *cancel;
	struct tracked *tracked;
	struct ticket ticket; /* of the cancel or of a question, one at a time */
	struct timer *timer;
	void (*next)(void *arg); /* what the timer leads to */
	unsigned tries, asked;
	bool is_accepted; /* by the exchange: then only asking is left, for a while */
};

static void send_cancel(void *arg);
static void ask(void *arg);

static void order_changed(void *arg, struct tracked *tracked, const struct order *written)
{
	if (order_is_live(written->facts.state))
		cancel_if_asked(arg, tracked);
}

struct cancel *cancel_create(struct loop *loop, struct dd_client *exchange,
			     struct scheduler *scheduler, struct orders *orders,
			     struct venue *venue)
{
	struct cancel *cancel = mem_alloc(sizeof(*cancel));

	cancel->loop = loop;
	cancel->exchange = exchange;
	cancel->scheduler = scheduler;
	cancel->orders = orders;
	cancel->venue = venue;
	orders_on_change(orders, order_changed, cancel);
	return cancel;
}

static void job_end(struct cancel_job *job)
{
	struct tracked *tracked = job->tracked;

	tracked->cancel = NULL;
	scheduler_remove(job->cancel->scheduler, &job->ticket);
	timer_destroy(job->timer);
	loop_free_later(job->cancel->loop, job);
	orders_unpin(job->cancel->orders, tracked);
}

static void end_job_of(void *arg, struct tracked *tracked)
{
	(void)arg;
	if (tracked->cancel)
		job_end(tracked->cancel);
}

void cancel_destroy(struct cancel *cancel)
{
	if (!cancel)
		return;
	orders_each_tracked(cancel->orders, end_job_of, NULL);
	mem_free(cancel);
}

static void queue(struct cancel_job *job, enum lane lane, void (*go)(void *arg), bool is_repeat)
{
	job->ticket.lane = lane;
	job->ticket.token_id =
		lane == LANE_READ ? READER_DOUBTS : job->tracked->order.terms.token_id;
	job->ticket.weight = lane == LANE_READ ? READER_DOUBTS_WEIGHT : job->tracked->weight;
	job->ticket.is_repeat = is_repeat;
	job->ticket.go = go;
	job->ticket.arg = job;
	scheduler_add(job->cancel->scheduler, &job->ticket);
}

static void timer_rang(void *arg)
{
	struct cancel_job *job = arg;

	queue(job, job->next == ask ? LANE_READ : LANE_CANCEL, job->next, true);
}

static void later(struct cancel_job *job, void (*next)(void *arg), int64_t wait_ms)
{
	job->next = next;
	timer_start(job->timer, wait_ms);
}

static int64_t retry_ms(unsigned tries)
{
	int64_t wait_ms = tries < 8 ? (int64_t)RETRY_FIRST_MS << tries : RETRY_MAX_MS;

	return wait_ms < RETRY_MAX_MS ? wait_ms : RETRY_MAX_MS;
}

/* ---- was it cancelled? ------------------------------------------------------------------ */

/* Accepted, it takes a moment. Not taken (4202: it was not on the book yet), it is sent again. */
static void still_live(struct cancel_job *job)
{
	if (!job->is_accepted || job->asked >= ASK_MAX) {
		job->asked = 0;
		later(job, send_cancel, retry_ms(job->tries));
	} else {
		later(job, ask, (int64_t)100 << job->asked);
	}
}

static void answered(void *arg, const struct dd_result *result, const struct dd_order *seen)
{
	struct cancel_job *job = arg;
	bool is_denied = result->verdict == DD_REFUSED && result->code == 4200;

	CRASH_POINT("cancel.ask.answered");
	venue_note(job->cancel->venue, result, true);
	if (result->class_ == DD_CLASS_RATE)
		scheduler_slow_down(job->cancel->scheduler, result->retry_after_ms);
	job->asked++;
	if (result->verdict == DD_DONE) /* missing fills are check.c's affair */
		is_denied = feed_order(job->cancel->orders, job->tracked, seen, "cancel") ==
			    FEED_ABSENT;
	if (order_is_final(job->tracked->order.facts.state))
		job_end(job);
	else if (is_denied) /* another cancel would cost a trade, and be told the same */
		later(job, ask, retry_ms(job->asked));
	else
		still_live(job);
}

static void ask(void *arg)
{
	struct cancel_job *job = arg;

	if (order_is_final(job->tracked->order.facts.state)) {
		job_end(job);
		return;
	}
	CRASH_POINT("cancel.ask.before");
	CRASH_POINT_LEFT("cancel.ask.left");
	dd_order_get(job->cancel->exchange, job->tracked->order.facts.exchange_order_id, answered,
		     job);
}

/* ---- the cancel itself ------------------------------------------------------------------ */

static void refused(struct cancel_job *job, const struct dd_result *result)
{
	switch (result->class_) {
	case DD_CLASS_STATE: /* 4200 to 4202 are answers: gone, not open, or not yet open */
		queue(job, LANE_READ, ask, false);
		return;
	case DD_CLASS_RATE:
		scheduler_slow_down(job->cancel->scheduler, result->retry_after_ms);
		/* fall through */
	case DD_CLASS_AUTH: /* held by venue.c until the key is right again */
		queue(job, LANE_CANCEL, send_cancel, true);
		return;
	case DD_CLASS_LOCKED:
		later(job, send_cancel, LOCKED_MS);
		return;
	case DD_CLASS_REFUSED:
		LOG(ERROR, "order.cancel_refused",
		    F_STR("order", job->tracked->order.terms.order_id), F_ERR(&result->err));
		job_end(job);
		return;
	case DD_CLASS_EXPIRED:
	case DD_CLASS_SPENT:
	case DD_CLASS_DUPLICATE:
	case DD_CLASS_RETRY:
	case DD_CLASS_UNKNOWN:
	case DD_CLASS_NONE:
	case DD_CLASS_COUNT:
		break;
	}
	later(job, send_cancel, retry_ms(job->tries));
}

static void cancelled(void *arg, const struct dd_result *result)
{
	struct cancel_job *job = arg;

	CRASH_POINT("cancel.send.answered");
	scheduler_sent(job->cancel->scheduler, &job->ticket, result->sent, result->done);
	venue_note(job->cancel->venue, result, true);
	switch (result->verdict) {
	case DD_DONE:
		scheduler_went_well(job->cancel->scheduler);
		venue_trade_went_through(job->cancel->venue);
		job->is_accepted = true;
		queue(job, LANE_READ, ask, false); /* accepted: see how it ended */
		return;
	case DD_REFUSED:
		refused(job, result);
		return;
	case DD_NOT_SENT:
	case DD_UNKNOWN: /* harmless to repeat */
		LOG(WARN, "order.cancel_retry", F_STR("order", job->tracked->order.terms.order_id),
		    F_INT("attempt", job->tries), F_ERR(&result->err));
		later(job, send_cancel, retry_ms(job->tries));
		return;
	}
}

static void send_cancel(void *arg)
{
	struct cancel_job *job = arg;

	if (order_is_final(job->tracked->order.facts.state)) {
		scheduler_sent(job->cancel->scheduler, &job->ticket, (struct mono){ 0 },
			       (struct mono){ 0 });
		job_end(job);
		return;
	}
	job->tries++;
	job->is_accepted = false;
	LOG(INFO, "order.cancelling", F_STR("order", job->tracked->order.terms.order_id),
	    F_INT("attempt", job->tries));
	CRASH_POINT("cancel.send.before");
	CRASH_POINT_LEFT("cancel.send.left");
	dd_order_cancel(job->cancel->exchange, job->tracked->order.facts.exchange_order_id,
			cancelled, job);
}

void cancel_if_asked(struct cancel *cancel, struct tracked *tracked)
{
	struct cancel_job *job;

	if (!tracked->order.facts.cancel_requested || tracked->cancel ||
	    !order_is_live(tracked->order.facts.state))
		return;
	job = mem_alloc(sizeof(*job));
	job->cancel = cancel;
	job->tracked = tracked;
	job->timer = loop_timer_create(cancel->loop, timer_rang, job);
	tracked->cancel = job;
	orders_pin(tracked);
	queue(job, LANE_CANCEL, send_cancel, false);
}

void cancel_start(struct cancel *cancel, struct tracked *tracked, const struct journal_step *step)
{
	if (!tracked->order.facts.cancel_requested) {
		tracked->order.facts.cancel_requested = true;
		orders_record(cancel->orders, tracked, step, NULL, JOURNAL_FACT, NULL, NULL);
	}
	cancel_if_asked(cancel, tracked);
}
