#include "server/walk.h"

#include <string.h>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/mem.h"
#include "client/deltadefi.h"
#include "net/loop.h"
#include "server/check.h"
#include "server/feed.h"
#include "server/journal.h"
#include "server/market.h"
#include "server/orders.h"
#include "server/scheduler.h"
#include "server/venue.h"

#define PAGE_LIMIT     250
#define PAGES_MAX      1000 /* of the exchange */
#define FILLS_LIMIT    JOURNAL_PAGE_MAX
#define RETRY_FIRST_MS 500 /* doubling */
#define RETRY_MAX_MS   30000
#define OVERLAP_US     60000000  /* executions of one moment may show up in any order */
#define EARLIER_US     600000000 /* so much older ones may be of an order of ours, too */
#define FRESH_MS       30000 /* half of OVERLAP_US: pages of so long tell how far it is complete */
#define REFUSED_MAX    3     /* times in a row, of one market */
#define AHEAD_MAX_US   31536000000000 /* clocks may differ; what is a year ahead is no time */

/* An order that is final and not in memory, on its way back: with all that is booked of it, so
 * that nothing is added to its sums twice. */
struct late_order {
	struct order order;
	char (*booked)[ORDER_EXCHANGE_LEN];
	size_t booked_count;
	int64_t last_number;
};

struct walk {
	struct loop *loop;
	const struct backfill_parts *parts;
	struct walk_range range;
	struct walk_watch watch; /* is_due NULL: nobody's */
	void (*done)(void *arg, struct wall newest);
	void *arg;
	struct timer *retry;
	void (*again)(struct walk *walk); /* what is tried again */
	int64_t retry_ms;
	struct ticket ticket;
	size_t market; /* index of market_all() */
	char symbol[DD_SYMBOL_LEN];
	struct dd_page page;
	struct dd_execution *executions; /* of the page */
	bool *is_unbooked;
	size_t count, left;    /* left: not looked at yet; the oldest is looked at first */
	int64_t total, so_far; /* of the market */
	bool has_news;
	bool has_left; /* something for another time, so that it is not complete */
	struct wall newest;
	struct mono begun;  /* the first page was told; 0: none yet */
	unsigned refused;   /* times in a row */
	bool is_incomplete; /* a market was left out */
	struct late_order late;
	char foreign_id[DD_ID_LEN]; /* the last foreign order, and its side */
	enum dd_side foreign_side;
	bool is_foreign_known;
	bool is_away, is_abandoned; /* a question or query is under way */
};

static void ask_page(struct walk *walk);
static void take_rest(struct walk *walk);
static void ask_foreign(struct walk *walk);
static void find_late_fills(struct walk *walk);

/* ---- coming and going ------------------------------------------------------------------- */

static void free_page(struct walk *walk)
{
	mem_free(walk->executions);
	mem_free(walk->is_unbooked);
	walk->executions = NULL;
	walk->is_unbooked = NULL;
	walk->count = walk->left = 0;
}

static void free_late(struct walk *walk)
{
	mem_free(walk->late.booked);
	memset(&walk->late, 0, sizeof(walk->late));
}

static void walk_free(struct walk *walk)
{
	scheduler_remove(walk->parts->scheduler, &walk->ticket);
	timer_destroy(walk->retry);
	free_page(walk);
	free_late(walk);
	loop_free_later(walk->loop, walk);
}

void walk_abandon(struct walk *walk)
{
	if (!walk)
		return;
	walk->is_abandoned = true;
	if (!walk->is_away)
		walk_free(walk);
}

/* An answer is there. False: nobody waits for it any more. */
static bool is_back(struct walk *walk)
{
	walk->is_away = false;
	if (walk->is_abandoned)
		walk_free(walk);
	return !walk->is_abandoned;
}

static void try_again(void *arg)
{
	struct walk *walk = arg;

	walk->again(walk);
}

static void retry_later(struct walk *walk, void (*again)(struct walk *walk))
{
	walk->again = again;
	timer_start(walk->retry, walk->retry_ms);
	walk->retry_ms *= 2;
	if (walk->retry_ms > RETRY_MAX_MS)
		walk->retry_ms = RETRY_MAX_MS;
}

static void queue(struct walk *walk, void (*go)(void *arg))
{
	walk->ticket = (struct ticket){
		.lane = LANE_READ, .token_id = "", .weight = 1, .go = go, .arg = walk
	};
	scheduler_add(walk->parts->scheduler, &walk->ticket);
}

/* False: there is no answer to be had now, and it is asked again. */
static bool note_answer(struct walk *walk, const struct dd_result *result, bool is_no_an_answer,
			void (*again)(struct walk *walk))
{
	bool is_no = result->verdict == DD_REFUSED &&
		     (result->class_ == DD_CLASS_STATE || result->class_ == DD_CLASS_REFUSED);

	venue_note(walk->parts->venue, result, true);
	if (result->class_ == DD_CLASS_RATE)
		scheduler_slow_down(walk->parts->scheduler, result->retry_after_ms);
	if (result->verdict == DD_DONE || (is_no && is_no_an_answer)) {
		walk->retry_ms = RETRY_FIRST_MS;
		return true;
	}
	LOG(WARN, "backfill.read_failed", F_STR("symbol", walk->symbol), F_ERR(&result->err));
	retry_later(walk, again);
	return false;
}

static void tell_booked(const struct walk *walk, const struct dd_execution *execution,
			const struct order *order)
{
	if (walk->watch.booked)
		walk->watch.booked(walk->watch.arg, execution, order);
}

/* ---- executions of foreign orders ------------------------------------------------------- */

static void take_foreign(struct walk *walk)
{
	const struct dd_execution *execution = &walk->executions[walk->left];

	if (!walk->is_foreign_known)
		return;
	feed_foreign(walk->parts->journal, walk->symbol, walk->foreign_side, execution);
	tell_booked(walk, execution, NULL);
	walk->has_news = true;
}

static void foreign_told(void *arg, const struct dd_result *result, const struct dd_order *order)
{
	struct walk *walk = arg;

	if (!is_back(walk) || !note_answer(walk, result, true, ask_foreign))
		return;
	walk->is_foreign_known = result->verdict == DD_DONE && order->has_side;
	if (walk->is_foreign_known)
		walk->foreign_side = order->side;
	else
		LOG(WARN, "backfill.side_unknown", F_STR("exchange_order_id", walk->foreign_id),
		    F_STR("meaning", "its executions are not booked"));
	take_foreign(walk);
	take_rest(walk);
}

static void ask_foreign_now(void *arg)
{
	struct walk *walk = arg;

	walk->is_away = true;
	dd_order_get(walk->parts->exchange, walk->foreign_id, foreign_told, walk);
}

static void ask_foreign(struct walk *walk)
{
	queue(walk, ask_foreign_now);
}

/* An execution does not say its side; its order does. */
static void found_foreign(struct walk *walk)
{
	const struct dd_execution *execution = &walk->executions[walk->left];

	if (walk->range.is_first_look || execution->created_at.us < walk->range.since.us) {
		take_rest(walk);
	} else if (strcmp(walk->foreign_id, execution->order_id) == 0) {
		take_foreign(walk);
		take_rest(walk);
	} else {
		STR_SET(walk->foreign_id, execution->order_id);
		ask_foreign(walk);
	}
}

/* ---- executions of orders that were final long ago -------------------------------------- */

static void take_late(struct walk *walk, struct tracked *tracked)
{
	const struct dd_execution *execution = &walk->executions[walk->left];

	if (!feed_execution(walk->parts->orders, tracked, execution, "backfill"))
		return;
	walk->has_news = true;
	tell_booked(walk, execution, &tracked->order);
	LOG(WARN, "fill.late", F_STR("order", tracked->order.terms.order_id),
	    F_STR("state", order_state_name(tracked->order.facts.state)));
}

static void bring_back(struct walk *walk)
{
	struct tracked *tracked = orders_add(walk->parts->orders, &walk->late.order, 1);

	orders_mark_told(tracked);
	for (size_t i = 0; i < walk->late.booked_count; i++)
		orders_mark_booked(tracked, walk->late.booked[i]);
	take_late(walk, tracked);
}

static void late_fills_found(void *arg, const struct err *err, const struct fill *fills,
			     const int64_t *numbers, size_t count)
{
	struct walk *walk = arg;
	struct late_order *late = &walk->late;

	if (!is_back(walk))
		return;
	if (err) {
		retry_later(walk, find_late_fills);
		return;
	}
	late->booked =
		mem_grow(late->booked, (late->booked_count + count + 1) * sizeof(*late->booked));
	for (size_t i = 0; i < count; i++) {
		STR_SET(late->booked[late->booked_count], fills[i].execution_id);
		late->booked_count++;
		late->last_number = numbers[i];
	}
	if (count == FILLS_LIMIT) {
		find_late_fills(walk);
		return;
	}
	bring_back(walk);
	free_late(walk);
	take_rest(walk);
}

static void find_late_fills(struct walk *walk)
{
	struct journal_fill_query query = { .after = walk->late.last_number, .limit = FILLS_LIMIT };

	STR_SET(query.order_id, walk->late.order.terms.order_id);
	walk->is_away = true;
	journal_find_fills(walk->parts->journal, &query, late_fills_found, walk);
}

static void find_order(struct walk *walk);

static void order_found(void *arg, const struct err *err, const struct order *orders, size_t count)
{
	struct walk *walk = arg;
	struct tracked *tracked;

	if (!is_back(walk))
		return;
	if (err) {
		retry_later(walk, find_order);
		return;
	}
	if (count == 0) {
		found_foreign(walk);
		return;
	}
	tracked = orders_find(walk->parts->orders, orders[0].terms.order_id);
	if (tracked) { /* of an earlier build of it */
		take_late(walk, tracked);
		take_rest(walk);
		return;
	}
	walk->late.order = orders[0];
	find_late_fills(walk);
}

static void find_order(struct walk *walk)
{
	struct journal_order_query query = { .limit = 1 };

	STR_SET(query.exchange_order_id, walk->executions[walk->left].order_id);
	walk->is_away = true;
	journal_find_orders(walk->parts->journal, &query, order_found, walk);
}

/* ---- a page ----------------------------------------------------------------------------- */

static void take_tracked(struct walk *walk, struct tracked *tracked)
{
	const struct dd_execution *execution = &walk->executions[walk->left];
	bool was_live = order_is_live(tracked->order.facts.state);

	if (!feed_execution(walk->parts->orders, tracked, execution, "backfill"))
		return;
	walk->has_news = true;
	tell_booked(walk, execution, &tracked->order);
	/* What it has come to; and if it is filled, what the exchange makes of that. */
	if (was_live)
		check_order(walk->parts->check, tracked, 0);
}

static void next_market(struct walk *walk)
{
	walk->market++;
	walk->page.page = 1;
	walk->so_far = 0;
	walk->refused = 0;
	ask_page(walk);
}

/* Nothing new, and back to where all is known. Newest first is what the exchange does today. */
static bool reaches_back(const struct walk *walk)
{
	int64_t first_us = walk->executions[0].created_at.us;
	int64_t last_us = walk->executions[walk->count - 1].created_at.us;

	return !walk->has_news && last_us <= first_us &&
	       (walk->range.is_first_look || last_us < walk->range.until.us - OVERLAP_US);
}

static void page_taken(struct walk *walk)
{
	bool is_over;

	walk->so_far += (int64_t)walk->count;
	is_over = walk->count == 0 || (walk->total >= 0 && walk->so_far >= walk->total) ||
		  walk->page.page == PAGES_MAX || reaches_back(walk);
	free_page(walk);
	if (is_over) {
		next_market(walk);
		return;
	}
	walk->page.page++;
	ask_page(walk);
}

/* May it be of an order that is only in the journal? Those of long before are not looked for. */
static bool may_be_ours(const struct walk *walk, const struct dd_execution *execution)
{
	return execution->order_id[0] != '\0' &&
	       (walk->range.is_first_look || execution->created_at.us == 0 ||
		execution->created_at.us >= walk->range.since.us - EARLIER_US);
}

/* Until one has to be asked about; what is answered goes on from here. */
static void take_rest(struct walk *walk)
{
	while (walk->left > 0) {
		const struct dd_execution *execution = &walk->executions[--walk->left];
		struct tracked *tracked =
			orders_find_exchange(walk->parts->orders, execution->order_id);

		if (!walk->is_unbooked[walk->left] || (!tracked && !may_be_ours(walk, execution)))
			continue;
		if (walk->watch.is_due && !walk->watch.is_due(walk->watch.arg, execution)) {
			walk->has_left = true;
			continue;
		}
		if (tracked) {
			take_tracked(walk, tracked);
		} else {
			find_order(walk);
			return;
		}
	}
	page_taken(walk);
}

static void find_unbooked(struct walk *walk);

static void unbooked_found(void *arg, const struct err *err, const char *const *ids, size_t count)
{
	struct walk *walk = arg;

	if (!is_back(walk))
		return;
	if (err) {
		retry_later(walk, find_unbooked);
		return;
	}
	for (size_t i = 0; i < walk->count; i++)
		for (size_t j = 0; j < count && !walk->is_unbooked[i]; j++)
			walk->is_unbooked[i] = strcmp(walk->executions[i].id, ids[j]) == 0;
	take_rest(walk);
}

static void find_unbooked(struct walk *walk)
{
	const char **ids = mem_array(walk->count, sizeof(*ids));

	for (size_t i = 0; i < walk->count; i++)
		ids[i] = walk->executions[i].id;
	walk->is_away = true;
	journal_find_unbooked(walk->parts->journal, ids, walk->count, unbooked_found, walk);
	mem_free(ids);
}

/* What comes while the walk goes on is looked for from page 1 of each market next time, so only
 * what the early pages told of says how far nothing is missing. */
static void note_newest(struct walk *walk, const struct dd_execution *execution)
{
	struct mono now = loop_now(walk->loop);

	if (walk->begun.us == 0)
		walk->begun = now;
	if (execution->created_at.us > wall_now().us + AHEAD_MAX_US)
		return; /* complete up to then, all to come would be long known */
	if (execution->created_at.us > walk->newest.us &&
	    (walk->range.is_first_look || mono_diff_ms(now, walk->begun) < FRESH_MS))
		walk->newest = execution->created_at;
}

/* True: it is asked for no more on this walk. */
static bool is_refused_market(struct walk *walk, const struct dd_result *result)
{
	if (result->verdict != DD_REFUSED || result->class_ != DD_CLASS_REFUSED) {
		walk->refused = 0;
		return false;
	}
	return ++walk->refused == REFUSED_MAX;
}

static void leave_market(struct walk *walk)
{
	LOG(ERROR, "backfill.market_refused", F_STR("symbol", walk->symbol),
	    F_STR("meaning", "executions that nothing else tells of are missed there"));
	walk->is_incomplete = true;
	next_market(walk);
}

static void page_told(void *arg, const struct dd_result *result,
		      const struct dd_execution *executions, size_t count, int64_t total)
{
	struct walk *walk = arg;
	bool is_refused;

	CRASH_POINT("backfill.page.answered");
	if (!is_back(walk))
		return;
	is_refused = is_refused_market(walk, result);
	if (!note_answer(walk, result, is_refused, ask_page))
		return;
	if (is_refused) {
		leave_market(walk);
		return;
	}
	walk->total = total;
	walk->has_news = false;
	walk->count = walk->left = count;
	walk->executions = mem_array(count, sizeof(*executions));
	walk->is_unbooked = mem_array(count, sizeof(*walk->is_unbooked));
	for (size_t i = 0; i < count; i++) {
		walk->executions[i] = executions[i];
		note_newest(walk, &executions[i]);
	}
	if (walk->watch.page)
		walk->watch.page(walk->watch.arg, walk->symbol, executions, count);
	if (count == 0)
		page_taken(walk);
	else
		find_unbooked(walk);
}

static void ask_page_now(void *arg)
{
	struct walk *walk = arg;

	walk->is_away = true;
	CRASH_POINT("backfill.page.before");
	CRASH_POINT_LEFT("backfill.page.left");
	dd_trades_get(walk->parts->exchange, walk->symbol, walk->page, page_told, walk);
}

static void ask_page(struct walk *walk)
{
	const struct dd_market *markets;
	struct wall as_of;
	size_t count;

	markets = market_all(walk->parts->market, &count, &as_of);
	if (count == 0 || !venue_is_own_account(walk->parts->venue)) {
		retry_later(walk, ask_page); /* the pairs, or the account, are not known yet */
	} else if (walk->market < count) {
		STR_SET(walk->symbol, markets[walk->market].symbol);
		queue(walk, ask_page_now);
	} else {
		if (walk->has_left || (walk->is_incomplete && !walk->range.is_first_look))
			walk->newest = (struct wall){ 0 };
		walk->done(walk->arg, walk->newest);
		walk_free(walk);
	}
}

struct walk *walk_create(struct loop *loop, const struct backfill_parts *parts,
			 const struct walk_range *range, const struct walk_watch *watch,
			 void (*done)(void *arg, struct wall newest), void *arg)
{
	struct walk *walk = mem_alloc(sizeof(*walk));

	walk->loop = loop;
	walk->parts = parts;
	walk->range = *range;
	if (watch)
		walk->watch = *watch;
	walk->done = done;
	walk->arg = arg;
	walk->retry = loop_timer_create(loop, try_again, walk);
	walk->retry_ms = RETRY_FIRST_MS;
	walk->page = (struct dd_page){ .limit = PAGE_LIMIT, .page = 1 };
	ask_page(walk);
	return walk;
}
