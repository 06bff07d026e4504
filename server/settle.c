#include "server/settle.h"

#include <assert.h>
#include <string.h>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/mem.h"
#include "client/deltadefi.h"
#include "net/loop.h"
#include "server/event.h"
#include "server/feed.h"
#include "server/journal.h"
#include "server/scheduler.h"
#include "server/venue.h"

/* That it does not know an order may be the exchange's own lag: it leads to nothing before it was
 * said so often, for so long. */
#define DENIALS_MIN    2
#define DENIED_MS      1000
#define REPEAT_WAIT_MS 10000 /* for its turn; then the order is asked for again first */
#define TELL_NEWS_MS   5000  /* on the channel system, after what was told last: another reason, */
#define TELL_AGAIN_MS  60000 /* and the same one */

static const int64_t ask_after_ms[] = { 0, 300, 1000, 2000, 5000, 10000 };

struct settle {
	struct loop *loop;
	struct settle_config config;
	struct dd_client *exchange;
	struct scheduler *scheduler;
	struct orders *orders;
	struct venue *venue;
	struct journal *journal;
	void (*rebuild)(void *arg, struct tracked *tracked);
	void *rebuild_arg;
	size_t unexplained;
};

/* An order whose fate is open. Pins the order. */
struct settle_job {
	struct settle *settle;
	struct tracked *tracked;
	struct ticket ticket; /* of a question or of a repeated submit, one at a time */
	struct timer *timer;
	struct mono open_since, sent_again;
	struct wall since, next;
	int asked;
	int denials; /* in a row, since the last submit */
	struct mono denied_since;
	char *signed_hex; /* once fetched from the journal */
	struct wall signed_at;
	char reason[192], told_reason[192];
	struct mono told;
	bool is_taken;     /* so the exchange said of a submit of these bytes: no new ones, then */
	bool is_explained; /* the exchange gave a definite answer at least once */
	bool is_ended;     /* settled while a journal query was under way */
	bool is_reading;
	bool is_in_flight; /* a question or a repeated submit */
};

static void ask(void *arg);
static void submit_again(void *arg);
static void heard(struct settle_job *job, const struct dd_order *seen, const char *cause);
static void settled(struct settle_job *job);
static void order_changed(void *arg, struct tracked *tracked, const struct order *written);

struct settle *settle_create(struct loop *loop, const struct settle_config *config,
			     struct dd_client *exchange, struct scheduler *scheduler,
			     struct orders *orders, struct venue *venue, struct journal *journal)
{
	struct settle *settle = mem_alloc(sizeof(*settle));

	settle->loop = loop;
	settle->config = *config;
	settle->exchange = exchange;
	settle->scheduler = scheduler;
	settle->orders = orders;
	settle->venue = venue;
	settle->journal = journal;
	orders_on_change(orders, order_changed, settle);
	return settle;
}

void settle_on_expiry(struct settle *settle, void (*rebuild)(void *arg, struct tracked *tracked),
		      void *arg)
{
	settle->rebuild = rebuild;
	settle->rebuild_arg = arg;
}

static void explain(struct settle_job *job)
{
	if (!job->is_explained)
		job->settle->unexplained--;
	job->is_explained = true;
}

static void job_free(struct settle_job *job)
{
	mem_free(job->signed_hex);
	loop_free_later(job->settle->loop, job);
}

static void job_end(struct settle_job *job)
{
	struct tracked *tracked = job->tracked;

	explain(job);
	tracked->settle = NULL;
	tracked->is_expired = false;
	scheduler_remove(job->settle->scheduler, &job->ticket);
	timer_destroy(job->timer);
	orders_unpin(job->settle->orders, tracked);
	job->is_ended = true;
	if (!job->is_reading)
		job_free(job);
}

static void end_job_of(void *arg, struct tracked *tracked)
{
	(void)arg;
	if (tracked->settle)
		job_end(tracked->settle);
}

void settle_destroy(struct settle *settle)
{
	if (!settle)
		return;
	orders_each_tracked(settle->orders, end_job_of, NULL);
	mem_free(settle);
}

/* The stream, or a list, may have told meanwhile what became of it. */
static bool is_in_doubt(const struct settle_job *job)
{
	enum order_state state = job->tracked->order.facts.state;

	return order_may_be_live(state) && !order_is_live(state);
}

static void order_changed(void *arg, struct tracked *tracked, const struct order *written)
{
	struct settle_job *job = tracked->settle;

	(void)arg, (void)written;
	if (job && !is_in_doubt(job) && !job->is_in_flight && !job->is_reading)
		settled(job);
}

/* ---- asking later ----------------------------------------------------------------------- */

static void queue_question(void *arg)
{
	struct settle_job *job = arg;

	if (!is_in_doubt(job)) {
		settled(job);
		return;
	}
	job->ticket = (struct ticket){ .lane = LANE_READ,
				       .token_id = READER_DOUBTS,
				       .weight = READER_DOUBTS_WEIGHT,
				       .go = ask,
				       .arg = job };
	scheduler_add(job->settle->scheduler, &job->ticket);
}

/* That it is in doubt was told when it began. */
static void tell_again(struct settle_job *job)
{
	struct mono now = loop_now(job->settle->loop);
	bool is_news = strcmp(job->reason, job->told_reason) != 0;

	if (job->tracked->order.facts.state != ORDER_UNKNOWN ||
	    mono_diff_ms(now, job->told) < (is_news ? TELL_NEWS_MS : TELL_AGAIN_MS))
		return;
	job->told = now;
	STR_SET(job->told_reason, job->reason);
	event_unknown(job->settle->journal, &job->tracked->order, job->reason, job->next);
}

static void ask_later(struct settle_job *job, const char *reason)
{
	size_t last = ARRAY_LEN(ask_after_ms) - 1;
	int64_t wait_ms = ask_after_ms[(size_t)job->asked < last ? (size_t)job->asked : last];

	STR_SET(job->reason, reason);
	job->next.us = wall_now().us + wait_ms * 1000;
	timer_start(job->timer, wait_ms);
	tell_again(job);
}

/* ---- the ends ------------------------------------------------------------------------- */

static void settled(struct settle_job *job)
{
	const struct order *order = &job->tracked->order;

	LOG(INFO, "order.settled", F_STR("order", order->terms.order_id),
	    F_STR("exchange_order_id", order->facts.exchange_order_id),
	    F_STR("state", order_state_name(order->facts.state)), F_INT("asked", job->asked));
	job_end(job);
}

static void never_lived(struct settle_job *job, const char *why)
{
	struct tracked *tracked = job->tracked;
	struct settle *settle = job->settle;
	struct err err;
	struct journal_step step = { .cause = "settling", .detail = err.text };

	err_set(&err, ERR_NOT_PLACED, "%s", why);
	order_set_error(&tracked->order, &err);
	LOG(WARN, "order.failed", F_STR("order", tracked->order.terms.order_id),
	    F_STR("state", "failed"), F_ERR(&err));
	orders_move(settle->orders, tracked, EV_FAIL, &step);
	job_end(job);
}

static bool may_still_trade(const struct settle_job *job)
{
	const struct order *order = &job->tracked->order;

	return !order->facts.cancel_requested &&
	       (order->terms.valid_until.us == 0 || wall_now().us < order->terms.valid_until.us);
}

/* 4302, like a yes, means that an earlier submit got through; a 4300 that comes after that is of no
 * account, nor is it after a restart. */
static void note_answer(struct settle_job *job, enum dd_class said)
{
	const struct journal_step step = { .event = JOURNAL_TAKEN, .cause = "exchange" };

	if (said == DD_CLASS_DUPLICATE && !job->is_taken) {
		job->is_taken = true;
		if (is_in_doubt(job))
			orders_record(job->settle->orders, job->tracked, &step, NULL, JOURNAL_FACT,
				      NULL, NULL);
	}
	job->tracked->is_expired =
		!job->is_taken && (job->tracked->is_expired || said == DD_CLASS_EXPIRED);
}

/* 4300, and the exchange, asked, knows no live order: the only licence to build anew. */
static void expired(struct settle_job *job)
{
	struct settle *settle = job->settle;
	struct tracked *tracked = job->tracked;
	struct journal_step step = { .cause = "settling",
				     .exchange_code = 4300,
				     .detail = "expired, and the exchange knows no live order" };

	if (!may_still_trade(job)) {
		never_lived(job, "the transaction expired before the exchange took it");
		return;
	}
	if (!orders_move(settle->orders, tracked, EV_EXPIRE, &step)) {
		job_end(job);
		return;
	}
	job_end(job);
	settle->rebuild(settle->rebuild_arg, tracked);
}

/* ---- the very same bytes again ---------------------------------------------------------- */

/* What can only be answered with 4300 is not sent: it would be built anew, long after its time. */
static bool may_still_be_valid(const struct settle_job *job)
{
	return !job->signed_hex ||
	       wall_now().us - job->signed_at.us < job->settle->config.give_up_ms * 1000;
}

static const char *meaning_of_denial(const struct settle_job *job)
{
	if (job->tracked->order.facts.cancel_requested)
		return "the exchange does not know the order (yet), and its app wants it gone: it "
		       "is not sent again";
	if (!may_still_trade(job))
		return "the exchange does not know the order (yet), and its valid_until has "
		       "passed: it is not sent again";
	if (!may_still_be_valid(job))
		return "the exchange does not know the order, and it was signed too long ago to be "
		       "sent again";
	return "the exchange does not know the order (yet)";
}

static void submitted(void *arg, const struct dd_result *result, const struct dd_order *seen)
{
	struct settle_job *job = arg;
	struct settle *settle = job->settle;

	CRASH_POINT("settle.submit.answered");
	job->is_in_flight = false;
	scheduler_sent(settle->scheduler, &job->ticket, result->sent, result->done);
	venue_note(settle->venue, result, true);
	if (result->class_ == DD_CLASS_RATE)
		scheduler_slow_down(settle->scheduler, result->retry_after_ms);
	if (result->verdict == DD_DONE) {
		scheduler_went_well(settle->scheduler);
		venue_trade_went_through(settle->venue);
	}
	if (result->verdict == DD_DONE && seen && seen->status != DD_STATUS_BUILDING) {
		heard(job, seen, "exchange");
		return;
	}
	/* Whatever it said, asking decides, and only what is asked from now on. */
	note_answer(job, result->verdict == DD_DONE ? DD_CLASS_DUPLICATE : result->class_);
	job->denials = 0;
	job->asked = 1;
	ask_later(job, result->verdict == DD_DONE ? "submitted again" : result->err.text);
}

static void submit_again(void *arg)
{
	struct settle_job *job = arg;

	/* It may have waited for long, through a pause. */
	if (!is_in_doubt(job) || !may_still_trade(job) || !may_still_be_valid(job)) {
		scheduler_sent(job->settle->scheduler, &job->ticket, (struct mono){ 0 },
			       (struct mono){ 0 });
		ask_later(job, meaning_of_denial(job));
		return;
	}
	LOG(INFO, "order.submitting_again", F_STR("order", job->tracked->order.terms.order_id),
	    F_STR("exchange_order_id", job->tracked->order.facts.exchange_order_id));
	job->sent_again = loop_now(job->settle->loop);
	job->is_in_flight = true;
	CRASH_POINT("settle.submit.before");
	CRASH_POINT_LEFT("settle.submit.left");
	dd_order_submit(job->settle->exchange, job->tracked->order.facts.exchange_order_id,
			job->signed_hex, submitted, job);
}

static void waited_in_vain(void *arg)
{
	ask_later(arg, "it waits for its turn to be sent again");
}

static void queue_repeat(struct settle_job *job)
{
	const struct order_terms *terms = &job->tracked->order.terms;

	if (!may_still_be_valid(job)) {
		ask_later(job, meaning_of_denial(job));
		return;
	}
	job->ticket = (struct ticket){
		.lane = LANE_SUBMIT,
		.token_id = terms->token_id,
		.weight = job->tracked->weight,
		.deadline = mono_after_ms(loop_now(job->settle->loop), REPEAT_WAIT_MS),
		.go = submit_again,
		.late = waited_in_vain,
		.arg = job,
	};
	STR_SET(job->reason, "the exchange does not know the order: it is being sent again");
	job->next = wall_now();
	scheduler_add(job->settle->scheduler, &job->ticket);
}

static void bytes_read(void *arg, const struct err *err, const char *signed_hex,
		       struct wall signed_at, bool is_taken)
{
	struct settle_job *job = arg;

	job->is_reading = false;
	if (job->is_ended) {
		job_free(job);
		return;
	}
	if (err || !signed_hex) {
		ask_later(job, err ? err->text : "its signed bytes are not in the journal");
		return;
	}
	job->signed_hex = mem_strdup(signed_hex);
	job->signed_at = signed_at;
	job->is_taken |= is_taken;
	queue_repeat(job);
}

static void send_again(struct settle_job *job)
{
	const struct order *order = &job->tracked->order;

#ifdef BREAK_REBUILD /* never in a real build: what `make crash-broken` must catch */
	expired(job);
	return;
#endif
	if (job->signed_hex) {
		queue_repeat(job);
		return;
	}
	job->is_reading = true;
	journal_find_submission(job->settle->journal, order->terms.order_id,
				order->facts.exchange_order_id, bytes_read, job);
}

/* ---- asking --------------------------------------------------------------------------- */

static bool may_be_sent_again(const struct settle_job *job, int64_t open_ms)
{
	const struct settle_config *config = &job->settle->config;
	int64_t quiet_ms = mono_diff_ms(loop_now(job->settle->loop), job->sent_again);

	return !job->tracked->is_expired && may_still_trade(job) && may_still_be_valid(job) &&
	       open_ms < config->give_up_ms && quiet_ms >= config->resubmit_ms;
}

static bool is_steadily_denied(struct settle_job *job)
{
	struct mono now = loop_now(job->settle->loop);

	if (job->denials++ == 0)
		job->denied_since = now;
	return job->denials >= DENIALS_MIN && mono_diff_ms(now, job->denied_since) >= DENIED_MS;
}

/* The exchange does not know the order as live: it may still come to be, while the submitted
 * bytes are under way or can be sent again. Of another account it knows no order of ours. */
static void absent(struct settle_job *job)
{
	const struct settle *settle = job->settle;
	int64_t open_ms = mono_diff_ms(loop_now(settle->loop), job->open_since);

	if (is_in_doubt(job) && !venue_is_own_account(settle->venue)) {
		ask_later(job, "it is not known that the API key is of the journal's account");
		return;
	}
	explain(job);
	if (!is_in_doubt(job))
		settled(job);
	else if (may_be_sent_again(job, open_ms))
		send_again(job);
	else if (!is_steadily_denied(job))
		ask_later(job, meaning_of_denial(job));
	else if (job->tracked->is_expired)
		expired(job);
	else if (open_ms >= settle->config.give_up_ms)
		never_lived(job, "the exchange never knew it for longer than a transaction lives");
	else
		ask_later(job, meaning_of_denial(job));
}

static void heard(struct settle_job *job, const struct dd_order *seen, const char *cause)
{
	switch (feed_order(job->settle->orders, job->tracked, seen, cause)) {
	case FEED_ABSENT:
		absent(job);
		return;
	case FEED_LIVE:
	case FEED_FINAL:
	case FEED_INCOMPLETE: /* live for us from now on: check.c asks for the missing fills */
		settled(job);
		return;
	case FEED_UNREADABLE: /* it knows the order: new ones need not wait for its meaning */
		explain(job);
		job->denials = 0;
		ask_later(job, "the exchange gives it a status we do not know");
		return;
	}
}

/* Expired or not is to be asked, and asking is in vain. */
static void no_answer(struct settle_job *job, const struct dd_result *result)
{
	struct journal_step step = { .cause = "settling",
				     .http_status = result->http_status,
				     .exchange_code = result->code,
				     .detail = result->err.text };

	if (job->tracked->order.facts.state == ORDER_SUBMITTING)
		orders_move(job->settle->orders, job->tracked, EV_LOSE, &step);
	ask_later(job, result->err.text);
}

static void answered(void *arg, const struct dd_result *result, const struct dd_order *seen)
{
	struct settle_job *job = arg;

	CRASH_POINT("settle.ask.answered");
	job->is_in_flight = false;
	venue_note(job->settle->venue, result, true);
	job->asked++;
	if (result->class_ == DD_CLASS_RATE)
		scheduler_slow_down(job->settle->scheduler, result->retry_after_ms);
	if (result->verdict == DD_DONE)
		heard(job, seen, "settling");
	else if (result->verdict == DD_REFUSED && result->code == 4200)
		absent(job);
	else
		no_answer(job, result);
}

static void ask(void *arg)
{
	struct settle_job *job = arg;

	job->is_in_flight = true;
	CRASH_POINT("settle.ask.before");
	CRASH_POINT_LEFT("settle.ask.left");
	dd_order_get(job->settle->exchange, job->tracked->order.facts.exchange_order_id, answered,
		     job);
}

void settle_start(struct settle *settle, struct tracked *tracked, enum dd_class said,
		  const char *reason)
{
	struct settle_job *job = mem_alloc(sizeof(*job));
	struct wall now = wall_now();
	int64_t age_us = now.us - tracked->order.facts.updated_at.us;

	assert(!tracked->settle);
	job->settle = settle;
	job->tracked = tracked;
	job->timer = loop_timer_create(settle->loop, queue_question, job);
	/* After a restart the time before counts too. */
	job->open_since = loop_now(settle->loop);
	if (age_us > 0)
		job->open_since.us -= age_us;
	job->since = age_us > 0 ? tracked->order.facts.updated_at : now;
	job->sent_again = job->open_since;
	job->told = loop_now(settle->loop);
	STR_SET(job->told_reason, reason);
	settle->unexplained++;
	tracked->settle = job;
	orders_pin(tracked);
	note_answer(job, said);
	ask_later(job, reason);
}

static void denial_status(const struct tracked *tracked, struct settle_status *status)
{
	const struct denial *denial = &tracked->denial;

	if (!denial_is_on(denial) || !order_is_live(tracked->order.facts.state))
		return;
	status->is_active = true;
	status->since = denial->since_wall;
	status->asked = denial->asked;
	status->next = denial_next(denial);
	status->reason = "the exchange took the order, and does not know it now";
}

void settle_status(const struct tracked *tracked, struct settle_status *status)
{
	const struct settle_job *job = tracked->settle;

	memset(status, 0, sizeof(*status));
	if (!job || !is_in_doubt(job)) {
		denial_status(tracked, status);
		return;
	}
	status->is_active = true;
	status->since = job->since;
	status->asked = job->asked;
	status->next = job->next;
	status->reason = job->reason;
}

size_t settle_unexplained(const struct settle *settle)
{
	return settle->unexplained;
}
