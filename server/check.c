#include "server/check.h"

#include <string.h>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/mem.h"
#include "client/deltadefi.h"
#include "net/loop.h"
#include "server/feed.h"
#include "server/order_pages.h"
#include "server/scheduler.h"
#include "server/venue.h"

#define INCOMPLETE_FIRST_MS 200 /* doubling */
#define INCOMPLETE_MAX      5   /* times fills may be missing before the state is taken as it is, */
#define LATE_MAX            13  /* and before they are not asked for any more: half an hour */
#define FIRST_MS            300 /* a taker's order fills within so long of being taken */
#define PROCESSING_MS       1000 /* an order on its way to the book is asked for again so soon */
#define RELAXED_TIMES       6 /* longer between sweeps under a live stream: reconcile.c's come first */

struct check {
	struct loop *loop;
	struct timer *timer;
	int64_t poll_ms;
	bool is_relaxed;
	struct dd_client *exchange;
	struct scheduler *scheduler;
	struct orders *orders;
	struct venue *venue;
	struct list sweeps;
	unsigned sweep_number;
	check_done_fn *done; /* of check_sweep() */
	void *done_arg;
	void (*missing)(void *arg);
	void *missing_arg;
	unsigned wish;         /* counts check_sweep() */
	unsigned wish_pending; /* sweeps and questions of the latest that are not answered yet */
	bool wish_failed;
};

/* One symbol's open orders, page by page. */
struct sweep {
	struct list_node node;
	struct check *check;
	struct order_pages *pages;
	char symbol[ORDER_SYMBOL_LEN];
	unsigned number;
	unsigned wish; /* which check_sweep() it serves; 0: none */
	struct mono begun;
};

/* One order to be asked for. Pins it. */
struct check_job {
	struct check *check;
	struct tracked *tracked;
	struct timer *timer;
	struct ticket ticket;
	struct mono due;
	int incomplete;
	unsigned wish;     /* which check_sweep() waits for its answer; 0: none */
	bool is_late;      /* it was final when it was to be asked for: fills came after */
	bool is_asking;    /* queued or in flight */
	bool is_in_flight; /* so that the answer may be from before now */
	bool is_again;     /* asked for meanwhile */
};

static void sweep_all(void *arg);

static void order_changed(void *arg, struct tracked *tracked, const struct order *written)
{
	if (tracked->is_followed || !order_is_live(written->facts.state))
		return;
	tracked->is_followed = true;
	check_order(arg, tracked, FIRST_MS);
}

struct check *check_create(struct loop *loop, int64_t poll_ms, struct dd_client *exchange,
			   struct scheduler *scheduler, struct orders *orders, struct venue *venue)
{
	struct check *check = mem_alloc(sizeof(*check));

	check->loop = loop;
	check->poll_ms = poll_ms;
	check->exchange = exchange;
	check->scheduler = scheduler;
	check->orders = orders;
	check->venue = venue;
	check->timer = loop_timer_create(loop, sweep_all, check);
	list_init(&check->sweeps);
	orders_on_change(orders, order_changed, check);
	return check;
}

/* ---- wishes --------------------------------------------------------------------------- */

static void wish_begins(struct check *check, unsigned *wish, unsigned for_wish)
{
	if (for_wish == 0 || for_wish != check->wish || *wish == for_wish)
		return;
	*wish = for_wish;
	check->wish_pending++;
}

static void wish_ends(struct check *check, unsigned *wish, bool is_fine)
{
	bool is_latest = *wish != 0 && *wish == check->wish;
	check_done_fn *done = check->done;

	*wish = 0;
	if (!is_latest)
		return;
	check->wish_failed |= !is_fine;
	if (--check->wish_pending > 0 || !done)
		return;
	check->done = NULL;
	done(check->done_arg, !check->wish_failed);
}

/* ---- one order ------------------------------------------------------------------------ */

static void job_end(struct check_job *job)
{
	struct check *check = job->check;
	struct tracked *tracked = job->tracked;
	unsigned wish = job->wish;

	tracked->check = NULL;
	timer_destroy(job->timer);
	scheduler_remove(check->scheduler, &job->ticket);
	loop_free_later(check->loop, job);
	orders_unpin(check->orders, tracked);
	wish_ends(check, &wish, true); /* nothing to ask any more */
}

static void ask_after(struct check_job *job, int64_t delay_ms)
{
	job->is_asking = false;
	job->is_again = false;
	job->due = mono_after_ms(loop_now(job->check->loop), delay_ms);
	timer_start(job->timer, delay_ms);
}

/* The exchange took it, so it is asked again for as long as the order is live: when it knows it
 * again, neither a sweep nor a reconciliation may be near. */
static void denied(struct check_job *job, const char *how)
{
	struct denial *denial = &job->tracked->denial;
	struct mono now = loop_now(job->check->loop);

	LOG(WARN, "order.denied", F_STR("order", job->tracked->order.terms.order_id),
	    F_STR("how", how));
	denial_note(denial, now);
	ask_after(job, mono_diff_ms(denial->next, now));
}

static void heard(struct check_job *job, const struct dd_order *seen)
{
	struct orders *orders = job->check->orders;
	bool is_as_is = job->incomplete == INCOMPLETE_MAX;
	enum feed_news news = is_as_is ? feed_order_as_is(orders, job->tracked, seen, "poll")
				       : feed_order(orders, job->tracked, seen, "poll");

	/* Its state must not wait for ever for fills, nor must these be lost if they come later. */
	if ((news == FEED_INCOMPLETE || is_as_is) && job->incomplete < LATE_MAX) {
		if (is_as_is && job->check->missing)
			job->check->missing(job->check->missing_arg);
		ask_after(job, (int64_t)INCOMPLETE_FIRST_MS << job->incomplete++);
		return;
	}
	if (job->is_again) {
		ask_after(job, 0);
		return;
	}
	if (news == FEED_LIVE && seen->status == DD_STATUS_PROCESSING) {
		ask_after(job, PROCESSING_MS);
		return;
	}
	if (news == FEED_ABSENT && order_is_live(job->tracked->order.facts.state))
		denied(job, "it calls it building");
	else
		job_end(job);
}

static void answered(void *arg, const struct dd_result *result, const struct dd_order *seen)
{
	struct check_job *job = arg;
	struct check *check = job->check;
	unsigned wish = job->wish;

	CRASH_POINT("check.ask.answered");
	job->wish = 0;
	job->is_in_flight = false;
	venue_note(check->venue, result, true);
	if (result->class_ == DD_CLASS_RATE)
		scheduler_slow_down(check->scheduler, result->retry_after_ms);
	if (result->verdict == DD_DONE) {
		heard(job, seen);
		wish_ends(check, &wish, true);
		return;
	}
	if (result->verdict == DD_REFUSED && result->code == 4200 &&
	    order_is_live(job->tracked->order.facts.state)) {
		denied(job, result->err.text);
		wish_ends(check, &wish, true);
		return;
	}
	LOG(WARN, "order.check_failed", F_STR("order", job->tracked->order.terms.order_id),
	    F_ERR(&result->err));
	if (order_is_final(job->tracked->order.facts.state) && job->incomplete < LATE_MAX)
		ask_after(job, (int64_t)INCOMPLETE_FIRST_MS << job->incomplete++);
	else
		job_end(job); /* the next sweep finds it again */
	wish_ends(check, &wish, false);
}

static void ask(void *arg)
{
	struct check_job *job = arg;

	if (order_is_final(job->tracked->order.facts.state) && !job->is_late &&
	    job->incomplete <= INCOMPLETE_MAX) {
		job_end(job);
		return;
	}
	job->is_in_flight = true;
	CRASH_POINT("check.ask.before");
	CRASH_POINT_LEFT("check.ask.left");
	dd_order_get(job->check->exchange, job->tracked->order.facts.exchange_order_id, answered,
		     job);
}

static void queue_question(void *arg)
{
	struct check_job *job = arg;

	job->is_asking = true;
	job->ticket.lane = LANE_READ;
	job->ticket.token_id = READER_CHECKS;
	job->ticket.weight = 1;
	job->ticket.go = ask;
	job->ticket.arg = job;
	scheduler_add(job->check->scheduler, &job->ticket);
}

void check_on_missing(struct check *check, void (*fn)(void *arg), void *arg)
{
	check->missing = fn;
	check->missing_arg = arg;
}

void check_order(struct check *check, struct tracked *tracked, int64_t delay_ms)
{
	struct check_job *job = tracked->check;
	struct mono due = mono_after_ms(loop_now(check->loop), delay_ms);
	bool is_new = !job;

	if (is_new) {
		job = mem_alloc(sizeof(*job));
		job->check = check;
		job->tracked = tracked;
		job->timer = loop_timer_create(check->loop, queue_question, job);
		tracked->check = job;
		orders_pin(tracked);
	}
	job->is_late |= order_is_final(tracked->order.facts.state);
	job->is_again |= job->is_in_flight;
	if (is_new || (!job->is_asking && job->due.us > due.us))
		ask_after(job, delay_ms);
}

/* ---- sweeps --------------------------------------------------------------------------- */

static void sweep_free(struct sweep *sweep)
{
	list_remove(&sweep->node);
	order_pages_abandon(sweep->pages);
	loop_free_later(sweep->check->loop, sweep);
}

static void sweep_end(struct sweep *sweep, bool is_fine)
{
	struct check *check = sweep->check;
	unsigned wish = sweep->wish;

	sweep_free(sweep);
	wish_ends(check, &wish, is_fine);
}

static void ask_for_difference(const struct sweep *sweep, struct tracked *tracked)
{
	check_order(sweep->check, tracked, 0);
	wish_begins(sweep->check, &tracked->check->wish, sweep->wish);
}

/* Live for us, but not in the list that was begun after we knew. */
static void check_missing(void *arg, struct tracked *tracked)
{
	struct sweep *sweep = arg;
	const struct order *order = &tracked->order;

	if (order_is_live(order->facts.state) && tracked->swept < sweep->number &&
	    tracked->changed.us < sweep->begun.us &&
	    strcmp(order->terms.symbol, sweep->symbol) == 0 &&
	    denial_may_ask(&tracked->denial, loop_now(sweep->check->loop)))
		ask_for_difference(sweep, tracked);
}

static void take_page(void *arg, const struct dd_order *seen, size_t count)
{
	const struct sweep *sweep = arg;
	struct check *check = sweep->check;

	for (size_t i = 0; i < count; i++) {
		struct tracked *tracked = orders_find_exchange(check->orders, seen[i].id);

		if (!tracked)
			continue;
		if (tracked->swept < sweep->number)
			tracked->swept = sweep->number;
		/* What is being settled or placed is left to those; they ask by themselves. */
		if (order_is_live(tracked->order.facts.state) &&
		    feed_order(check->orders, tracked, &seen[i], "poll") == FEED_INCOMPLETE)
			ask_for_difference(sweep, tracked);
	}
}

static void swept(void *arg, const struct err *err)
{
	struct sweep *sweep = arg;

	sweep->pages = NULL; /* gone by itself */
	if (err)
		LOG(WARN, "sweep.failed", F_STR("symbol", sweep->symbol), F_ERR(err));
	else
		orders_each(sweep->check->orders, check_missing, sweep);
	sweep_end(sweep, !err);
}

/* By a sweep that is under way; for a wish only one that began with it counts. */
static bool is_swept(const struct check *check, const char *symbol, unsigned wish)
{
	LIST_EACH (&check->sweeps, node) {
		const struct sweep *sweep = CONTAINER_OF(node, struct sweep, node);

		if (strcmp(sweep->symbol, symbol) == 0 && (wish == 0 || sweep->wish == wish))
			return true;
	}
	return false;
}

static void sweep_symbol(struct check *check, const char *symbol, unsigned wish)
{
	struct sweep *sweep = mem_alloc(sizeof(*sweep));

	sweep->check = check;
	STR_SET(sweep->symbol, symbol);
	sweep->number = check->sweep_number;
	sweep->begun = loop_now(check->loop);
	list_push_back(&check->sweeps, &sweep->node);
	wish_begins(check, &sweep->wish, wish);
	sweep->pages =
		order_pages_create(&(struct order_pages_config){ .loop = check->loop,
								 .exchange = check->exchange,
								 .scheduler = check->scheduler,
								 .venue = check->venue,
								 .list = ORDER_LIST_OPEN,
								 .symbol = symbol,
								 .page = take_page,
								 .done = swept,
								 .arg = sweep });
}

static void sweep_symbol_of(void *arg, struct tracked *tracked)
{
	struct check *check = arg;
	const struct order *order = &tracked->order;

	if (order_is_live(order->facts.state) && !is_swept(check, order->terms.symbol, 0))
		sweep_symbol(check, order->terms.symbol, 0);
}

static void sweep_symbol_as_wished(void *arg, struct tracked *tracked)
{
	struct check *check = arg;
	const struct order *order = &tracked->order;

	if (order_is_live(order->facts.state) && !is_swept(check, order->terms.symbol, check->wish))
		sweep_symbol(check, order->terms.symbol, check->wish);
}

static void sweep_later(struct check *check)
{
	timer_start(check->timer, check->poll_ms * (check->is_relaxed ? RELAXED_TIMES : 1));
}

static void sweep_all(void *arg)
{
	struct check *check = arg;

	check->sweep_number++;
	orders_each(check->orders, sweep_symbol_of, check);
	sweep_later(check);
}

void check_put_off(struct check *check)
{
	if (check->is_relaxed)
		sweep_later(check);
}

void check_sweep(struct check *check, check_done_fn *done, void *arg)
{
	unsigned whole = ++check->wish; /* itself pending until all are begun */

	check->sweep_number++;
	check->done = done;
	check->done_arg = arg;
	check->wish_failed = false;
	check->wish_pending = 1;
	orders_each(check->orders, sweep_symbol_as_wished, check);
	wish_ends(check, &whole, true);
}

void check_relax(struct check *check, bool is_stream_live)
{
	if (check->is_relaxed && !is_stream_live)
		timer_start(check->timer, 0); /* who knows since when it was silent */
	check->is_relaxed = is_stream_live;
}

void check_start(struct check *check)
{
	sweep_all(check);
}

static void end_job_of(void *arg, struct tracked *tracked)
{
	(void)arg;
	if (tracked->check)
		job_end(tracked->check);
}

void check_destroy(struct check *check)
{
	if (!check)
		return;
	check->done = NULL;
	orders_each_tracked(check->orders, end_job_of, NULL);
	LIST_EACH_SAFE (&check->sweeps, node)
		sweep_free(CONTAINER_OF(node, struct sweep, node));
	timer_destroy(check->timer);
	mem_free(check);
}
