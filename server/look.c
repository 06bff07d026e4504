#include "server/look.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "client/deltadefi.h"
#include "net/loop.h"
#include "server/check.h"
#include "server/compare.h"
#include "server/feed.h"
#include "server/findings.h"
#include "server/latest.h"
#include "server/look_memory.h"
#include "server/market.h"
#include "server/order_pages.h"
#include "server/orders.h"
#include "server/scheduler.h"
#include "server/venue.h"
#include "server/walk.h"

#define CAUSE         "reconciliation"
#define WALK_AGAIN_MS 250 /* somebody else goes through the executions */
#define WALKS_MAX     120
#define DENIALS_MIN   3 /* before a denial is steady */

/* An order of the exchange that is not in memory. */
struct stranger {
	struct list_node node;
	struct dd_order seen; /* without its executions */
};

/* An order to be asked for by its id. */
struct question {
	struct list_node node;
	char exchange_order_id[DD_ID_LEN];
	char order_id[ORDER_ID_LEN]; /* "": a foreign one */
	char symbol[DD_SYMBOL_LEN];
};

enum phase {
	PHASE_WALK,
	PHASE_FILLS,
	PHASE_OPEN,
	PHASE_TRADED,
	PHASE_STRANGERS,
	PHASE_QUESTIONS,
	PHASE_END
};

struct look {
	struct look_config config;
	enum phase phase;
	size_t market;          /* index of market_all() */
	struct mono lists_from; /* when the first list was asked for */
	struct latest *latest;  /* executions */
	struct wall walked_from;
	struct order_pages *pages;
	struct map *listed; /* exchange ids that a list had */
	struct list strangers, questions;
	struct stranger *stranger; /* the one the journal is asked about */
	struct question *question; /* the one the exchange is asked about */
	struct ticket ticket;
	struct timer *turn;
	struct look_counts counts;
	bool is_away; /* an answer is to come that holds on to the look */
	bool is_abandoned;
	bool is_full; /* of findings: the next run goes on */
	bool is_walking;
	int walks; /* in vain */
};

static void go_on(struct look *look);

/* ---- coming and going ------------------------------------------------------------------- */

static void free_list(struct list *list, bool is_strangers)
{
	struct list_node *node;

	while ((node = list_pop_front(list)))
		mem_free(is_strangers ? (void *)CONTAINER_OF(node, struct stranger, node)
				      : (void *)CONTAINER_OF(node, struct question, node));
}

static void look_free(struct look *look)
{
	free_list(&look->strangers, true);
	free_list(&look->questions, false);
	mem_free(look->stranger);
	mem_free(look->question);
	map_destroy(look->listed);
	latest_destroy(look->latest);
	timer_destroy(look->turn);
	scheduler_remove(look->config.parts->scheduler, &look->ticket);
	loop_free_later(look->config.loop, look);
}

void look_abandon(struct look *look)
{
	if (!look)
		return;
	look->is_abandoned = true;
	order_pages_abandon(look->pages);
	look->pages = NULL;
	if (look->is_walking)
		backfill_walk_abandon(look->config.backfill);
	if (!look->is_away)
		look_free(look);
}

static bool is_back(struct look *look)
{
	look->is_away = false;
	if (look->is_abandoned)
		look_free(look);
	return !look->is_abandoned;
}

static void end(struct look *look, const struct err *err)
{
	look->config.done(look->config.arg, err, &look->counts);
	look_free(look);
}

/* ---- telling ---------------------------------------------------------------------------- */

static struct journal_finding finding_of(enum finding_class class_, const char *about,
					 const struct order *order)
{
	struct journal_finding finding = { .at = wall_now() };

	STR_SET(finding.class_, finding_class_word(class_));
	STR_SET(finding.about, about);
	if (order) {
		STR_SET(finding.order_id, order->terms.order_id);
		STR_SET(finding.exchange_order_id, order->facts.exchange_order_id);
		STR_SET(finding.symbol, order->terms.symbol);
	}
	return finding;
}

static void tell(struct look *look, enum finding_class class_, struct journal_finding *finding,
		 enum finding_action action, const char *token_id)
{
	struct findings *findings = look->config.memory->findings;

	if (findings_is_told(findings, class_, finding->about, finding->journal, finding->exchange))
		return;
	STR_SET(finding->action, finding_action_word(action));
	look->is_full = !look->config.found(look->config.arg, finding, token_id);
	if (!look->is_full)
		findings_tell(findings, class_, finding->about, finding->journal,
			      finding->exchange);
}

/* ---- executions ------------------------------------------------------------------------- */

static void leave(struct look *look, const struct tracked *tracked,
		  const struct dd_execution *execution)
{
	if (tracked)
		look->config.seen(look->config.arg, &tracked->order, execution);
	else
		look->counts.is_whole = false;
}

static bool is_due(void *arg, const struct dd_execution *execution)
{
	struct look *look = arg;
	struct look_memory *memory = look->config.memory;
	const struct tracked *tracked =
		orders_find_exchange(look->config.parts->orders, execution->order_id);

	/* Booked, and the journal is about to have it; or known not to be usable. */
	if ((tracked && orders_has_booked(tracked, execution->id)) ||
	    map_get(memory->unusable, execution->id))
		return true;
	if (!findings_note(memory->findings, FINDING_MISSED_FILL, execution->id, 0) ||
	    look->is_full) {
		leave(look, tracked, execution);
		return false;
	}
	/* If it is booked now, it does not come again. */
	if (map_len(memory->unusable) < LOOK_MEMORY_MAX)
		map_put(memory->unusable, execution->id, memory);
	return true;
}

/* One of an order that is none of ours tells of the order, which the lists have. */
static void booked(void *arg, const struct dd_execution *execution, const struct order *order)
{
	struct look *look = arg;
	struct journal_finding finding;
	char qty[DECIMAL_TEXT_LEN], price[DECIMAL_TEXT_LEN];

	map_remove(look->config.memory->unusable, execution->id);
	if (!order)
		return;
	finding = finding_of(FINDING_MISSED_FILL, execution->id, order);
	STR_SET(finding.exchange_order_id, execution->order_id);
	STR_SET(finding.journal, "none");
	snprintf(finding.exchange, sizeof(finding.exchange), "%s at %s",
		 decimal_print(decimal_trim(execution->base_qty), qty),
		 decimal_print(decimal_trim(execution->price), price));
	tell(look, FINDING_MISSED_FILL, &finding, FINDING_BOOKED, order->terms.token_id);
}

static void walked(void *arg, bool is_whole)
{
	struct look *look = arg;

	look->is_walking = false;
	if (is_whole)
		look->phase = PHASE_FILLS;
	timer_start(look->turn, is_whole ? 0 : WALK_AGAIN_MS);
}

static void page_told(void *arg, const char *symbol, const struct dd_execution *executions,
		      size_t count)
{
	struct look *look = arg;

	look->counts.executions += count;
	latest_take(look->latest, symbol, executions, count);
}

static void walk(struct look *look)
{
	const struct walk_watch watch = {
		.page = page_told, .is_due = is_due, .booked = booked, .arg = look
	};
	struct err err;

	look->counts.executions = 0;
	look->walked_from = wall_now();
	latest_clear(look->latest);
	look->is_walking = backfill_walk(look->config.backfill, &watch, walked, look);
	if (look->is_walking)
		return;
	if (look->walks++ < WALKS_MAX) {
		timer_start(look->turn, WALK_AGAIN_MS);
		return;
	}
	err_set(&err, ERR_BUSY, "the executions are being looked through for another");
	end(look, &err);
}

/* ---- fills ------------------------------------------------------------------------------ */

static void fill_differs(void *arg, const struct fill *fill, const struct difference *difference)
{
	struct look *look = arg;
	struct findings *findings = look->config.memory->findings;
	struct journal_finding finding = finding_of(difference->class_, fill->execution_id, NULL);

	if (findings_is_told(findings, difference->class_, fill->execution_id, difference->journal,
			     difference->exchange) ||
	    !findings_note(findings, difference->class_, fill->execution_id, 0))
		return;
	STR_SET(finding.order_id, fill->order_id);
	STR_SET(finding.exchange_order_id, fill->exchange_order_id);
	STR_SET(finding.symbol, fill->symbol);
	STR_SET(finding.journal, difference->journal);
	STR_SET(finding.exchange, difference->exchange);
	tell(look, difference->class_, &finding, FINDING_REPORTED, fill->token_id);
}

static void fills_found(void *arg, const struct err *err, const struct fill *fills,
			const int64_t *numbers, size_t count)
{
	struct look *look = arg;
	struct err why;

	(void)numbers;
	if (!is_back(look))
		return;
	if (err) {
		why = *err;
		end(look, &why);
		return;
	}
	latest_compare(look->latest, fills, count, look->walked_from, fill_differs, look);
	go_on(look);
}

static bool ask_fills(struct look *look)
{
	struct journal_fill_query query;

	if (!latest_next(look->latest, &query))
		return false;
	look->is_away = true;
	journal_find_fills(look->config.parts->journal, &query, fills_found, look);
	return true;
}

/* ---- orders in memory ------------------------------------------------------------------- */

static int quote_decimals(const struct look *look, const char *symbol)
{
	const struct dd_market *rules = market_rules(look->config.parts->market, symbol);

	return rules ? rules->quote.decimals : 0;
}

static void ask_for(struct look *look, const char *exchange_order_id, const char *order_id,
		    const char *symbol)
{
	struct question *question = mem_alloc(sizeof(*question));

	STR_SET(question->exchange_order_id, exchange_order_id);
	STR_SET(question->order_id, order_id);
	STR_SET(question->symbol, symbol);
	list_push_back(&look->questions, &question->node);
}

static void ask_for_tracked(struct look *look, const struct tracked *tracked)
{
	const struct order *order = &tracked->order;

	ask_for(look, order->facts.exchange_order_id, order->terms.order_id, order->terms.symbol);
}

/* In doubt here, and there it is. */
static void settle_by_list(struct look *look, struct tracked *tracked, const struct dd_order *seen)
{
	struct order *order = &tracked->order;
	struct journal_finding finding =
		finding_of(FINDING_UNKNOWN_SETTLED, order->terms.order_id, order);
	enum feed_news news;

	if (seen->status == DD_STATUS_BUILDING ||
	    !findings_note(look->config.memory->findings, FINDING_UNKNOWN_SETTLED,
			   order->terms.order_id, order->facts.updated_at.us))
		return;
	STR_SET(finding.journal, order_state_name(order->facts.state));
	news = feed_order(look->config.parts->orders, tracked, seen, CAUSE);
	if (news == FEED_ABSENT || news == FEED_UNREADABLE)
		return; /* in doubt as before */
	if (news == FEED_INCOMPLETE)
		check_order(look->config.parts->check, tracked, 0);
	STR_SET(finding.exchange, order_state_name(order->facts.state));
	tell(look, FINDING_UNKNOWN_SETTLED, &finding, FINDING_SETTLED, order->terms.token_id);
}

static void tell_difference(struct look *look, const struct order *order,
			    const struct difference *difference, enum finding_action action)
{
	struct journal_finding finding =
		finding_of(difference->class_, order->terms.order_id, order);

	STR_SET(finding.journal, difference->journal);
	STR_SET(finding.exchange, difference->exchange);
	tell(look, difference->class_, &finding, action, order->terms.token_id);
}

/* Changes whenever our side does, and with who is behind: an answer that was old when it came to
 * the first look, and news that is on its way at the second, are no difference together. */
static int64_t stamp_of(const struct order *order, const struct difference *difference)
{
	return order->facts.updated_at.us * 2 + difference->is_behind;
}

/* Told already, or not yet to be counted? */
static bool counts(struct look *look, const struct order *order,
		   const struct difference *difference)
{
	struct findings *findings = look->config.memory->findings;
	const char *about = order->terms.order_id;

	return !findings_is_told(findings, difference->class_, about, difference->journal,
				 difference->exchange) &&
	       findings_note(findings, difference->class_, about, stamp_of(order, difference));
}

static void compare_tracked(struct look *look, struct tracked *tracked, const struct dd_order *seen)
{
	const struct order *order = &tracked->order;
	struct difference difference;

	if (tracked->settle)
		settle_by_list(look, tracked, seen);
	if (tracked->settle || tracked->place || tracked->cancel ||
	    !compare_order(order, seen, quote_decimals(look, order->terms.symbol), &difference) ||
	    !counts(look, order, &difference))
		return;
	if (difference.class_ == FINDING_STATE_LAG && difference.is_behind) {
		ask_for_tracked(look, tracked);
		return;
	}
	if (difference.is_behind)
		check_order(look->config.parts->check, tracked, 0);
	tell_difference(look, order, &difference,
			difference.is_behind ? FINDING_ASKED : FINDING_REPORTED);
}

/* ---- orders that are not in memory ------------------------------------------------------ */

static void follow(struct look *look, const struct dd_order *seen, bool is_new)
{
	struct look_memory *memory = look->config.memory;
	struct journal_finding finding = finding_of(FINDING_FOREIGN_ORDER, seen->id, NULL);

	STR_SET(finding.exchange_order_id, seen->id);
	STR_SET(finding.symbol, seen->symbol);
	STR_SET(finding.journal, "none");
	compare_print_whole(seen, finding.exchange);
	if (!is_new ||
	    findings_is_told(memory->findings, FINDING_FOREIGN_ORDER, seen->id, finding.journal,
			     finding.exchange) ||
	    findings_note(memory->findings, FINDING_FOREIGN_ORDER, seen->id, 0)) {
		tell(look, FINDING_FOREIGN_ORDER, &finding, FINDING_FOLLOWED, "");
		if (compare_is_live(seen->status))
			look_memory_follow(memory, seen->id, seen->symbol);
		else
			look_memory_forget(memory, seen->id);
	}
}

static void meet_foreign(struct look *look, const struct dd_order *seen)
{
	bool is_new = !map_get(look->config.memory->foreign, seen->id);

	if (seen->status == DD_STATUS_BUILDING || seen->status == DD_STATUS_UNKNOWN)
		return;
	/* What had its end before the journal began is none of its business. */
	if (is_new && !compare_is_live(seen->status) &&
	    seen->created_at.us < backfill_since(look->config.backfill).us)
		return;
	follow(look, seen, is_new);
}

/* Final here, and not in memory any more; or the order of an earlier build. */
static void compare_written(struct look *look, const struct order *order,
			    const struct dd_order *seen)
{
	struct difference difference;
	bool is_other_build = strcmp(order->facts.exchange_order_id, seen->id) != 0;

	if (is_other_build && !compare_is_live(seen->status) &&
	    decimal_sign(seen->executed_base_qty.value) == 0)
		return;
	if (is_other_build) {
		difference = (struct difference){ .class_ = FINDING_STATE_LAG };
		STR_SET(difference.journal, "expired, and built anew");
		compare_print_whole(seen, difference.exchange);
	} else if (!compare_order(order, seen, quote_decimals(look, order->terms.symbol),
				  &difference)) {
		look_memory_note_agreement(look->config.memory, seen);
		return;
	}
	if (counts(look, order, &difference))
		tell_difference(look, order, &difference, FINDING_REPORTED);
}

static void stranger_found(void *arg, const struct err *err, const struct order *orders,
			   size_t count)
{
	struct look *look = arg;
	struct stranger *stranger;
	struct err why;

	if (!is_back(look))
		return;
	if (err) {
		why = *err;
		end(look, &why);
		return;
	}
	stranger = look->stranger;
	look->stranger = NULL;
	if (count == 0)
		meet_foreign(look, &stranger->seen);
	else if (order_is_final(orders[0].facts.state) ||
		 !orders_find(look->config.parts->orders, orders[0].terms.order_id))
		compare_written(look, &orders[0], &stranger->seen);
	mem_free(stranger);
	go_on(look);
}

static void ask_journal(struct look *look)
{
	struct journal_order_query query = { .limit = 1 };

	look->stranger = CONTAINER_OF(list_pop_front(&look->strangers), struct stranger, node);
	STR_SET(query.exchange_order_id, look->stranger->seen.id);
	look->is_away = true;
	journal_find_orders(look->config.parts->journal, &query, stranger_found, look);
}

static void meet_stranger(struct look *look, const struct dd_order *seen)
{
	struct stranger *stranger;

	if (look_memory_agrees(look->config.memory, seen))
		return;
	stranger = mem_alloc(sizeof(*stranger));
	stranger->seen = *seen;
	stranger->seen.executions = NULL;
	stranger->seen.has_executions = false;
	stranger->seen.execution_count = 0;
	list_push_back(&look->strangers, &stranger->node);
}

/* ---- lists ------------------------------------------------------------------------------ */

static void take_page(void *arg, const struct dd_order *seen, size_t count)
{
	struct look *look = arg;
	struct orders *orders = look->config.parts->orders;

	look->counts.orders += count;
	for (size_t i = 0; i < count; i++) {
		struct tracked *tracked = orders_find_exchange(orders, seen[i].id);
		bool is_again = map_put(look->listed, seen[i].id, look) != NULL;

		if (is_again) /* open and traded: the first list's word will do */
			continue;
		if (tracked)
			compare_tracked(look, tracked, &seen[i]);
		else
			meet_stranger(look, &seen[i]);
	}
}

static void list_done(void *arg, const struct err *err)
{
	struct look *look = arg;
	struct err why;

	look->pages = NULL;
	if (err) {
		why = *err;
		end(look, &why);
		return;
	}
	if (look->phase == PHASE_OPEN) {
		look->phase = PHASE_TRADED;
	} else {
		look->phase = PHASE_OPEN;
		look->market++;
	}
	go_on(look);
}

static bool ask_list(struct look *look)
{
	const struct backfill_parts *parts = look->config.parts;
	struct order_pages_config config = { .loop = look->config.loop,
					     .exchange = parts->exchange,
					     .scheduler = parts->scheduler,
					     .venue = parts->venue,
					     .page = take_page,
					     .done = list_done,
					     .arg = look };
	const struct dd_market *markets;
	struct wall as_of;
	size_t count;

	markets = market_all(parts->market, &count, &as_of);
	if (look->market >= count)
		return false;
	if (look->market == 0 && look->phase == PHASE_OPEN) {
		look->lists_from = loop_now(look->config.loop);
		check_put_off(parts->check);
	}
	config.symbol = markets[look->market].symbol;
	config.list = look->phase == PHASE_OPEN ? ORDER_LIST_OPEN : ORDER_LIST_TRADED;
	config.pages_max = look->phase == PHASE_OPEN ? 0 : 1; /* the latest */
	look->pages = order_pages_create(&config);
	return true;
}

/* ---- live here, and in no list ---------------------------------------------------------- */

static void tell_denial(struct look *look, struct tracked *tracked, const char *how)
{
	const struct order *order = &tracked->order;
	struct difference difference = { .class_ = FINDING_STATE_LAG };

	compare_print_ours(order, difference.journal);
	STR_SET(difference.exchange, how);
	tell_difference(look, order, &difference, FINDING_ASKED);
}

/* The exchange took it and has denied it ever since, in answers, lists and executions: a promise
 * it did not keep. What was seen on the book stays as it was, for people to look at. */
static void give_up(struct look *look, struct tracked *tracked)
{
	struct order *order = &tracked->order;
	struct journal_finding finding =
		finding_of(FINDING_STATE_LAG, order->terms.order_id, order);
	struct journal_step step = { .cause = CAUSE };
	struct err err;

	if (tracked->is_seen_live || decimal_sign(order->facts.executed_base_qty) > 0)
		return;
	compare_print_ours(order, finding.journal);
	STR_SET(finding.exchange, "not known to it, for longer than a transaction lives");
	err_set(&err, ERR_NOT_PLACED,
		"the exchange took it, never had it on the book, and has not known it since");
	order_set_error(order, &err);
	step.detail = err.text;
	LOG(WARN, "order.failed", F_STR("order", order->terms.order_id), F_STR("state", "failed"),
	    F_ERR(&err));
	orders_move(look->config.parts->orders, tracked, EV_FAIL, &step);
	tell(look, FINDING_STATE_LAG, &finding, FINDING_SETTLED, order->terms.token_id);
}

static bool is_steady(const struct look *look, const struct denial *denial)
{
	int64_t since_ms = mono_diff_ms(loop_now(look->config.loop), denial->since);

	return denial->asked >= DENIALS_MIN && since_ms >= look->config.give_up_ms;
}

static void look_for_missing(void *arg, struct tracked *tracked)
{
	struct look *look = arg;
	const struct order *order = &tracked->order;

	if (!order_is_live(order->facts.state) || tracked->place || tracked->settle ||
	    tracked->changed.us >= look->lists_from.us ||
	    map_get(look->listed, order->facts.exchange_order_id))
		return;
	/* Its app may want it gone: what is denied so long is on no way to that any more. */
	if (denial_is_on(&tracked->denial) && is_steady(look, &tracked->denial)) {
		give_up(look, tracked);
		return;
	}
	if (tracked->cancel)
		return;
	if (denial_is_on(&tracked->denial) && tracked->is_denial_told) {
		if (denial_may_ask(&tracked->denial, loop_now(look->config.loop)))
			ask_for_tracked(look, tracked);
		return;
	}
	if (findings_note(look->config.memory->findings, FINDING_STATE_LAG, order->terms.order_id,
			  order->facts.updated_at.us))
		ask_for_tracked(look, tracked);
}

static void ask_for_vanished(struct look *look)
{
	const char *exchange_order_id, *symbol;
	size_t at = 0;

	while (look_memory_next(look->config.memory, &at, &exchange_order_id, &symbol))
		if (!map_get(look->listed, exchange_order_id))
			ask_for(look, exchange_order_id, "", symbol);
}

/* ---- questions -------------------------------------------------------------------------- */

static void tracked_told(struct look *look, struct tracked *tracked, const struct dd_order *seen)
{
	const struct backfill_parts *parts = look->config.parts;
	struct order before = tracked->order;
	struct difference difference;
	bool differs = compare_order(&before, seen, quote_decimals(look, before.terms.symbol),
				     &difference);

	switch (feed_order(parts->orders, tracked, seen, CAUSE)) {
	case FEED_ABSENT:
		denial_note(&tracked->denial, loop_now(look->config.loop));
		tracked->is_denial_told = true;
		tell_denial(look, tracked, "building");
		return;
	case FEED_INCOMPLETE:
		check_order(parts->check, tracked, 0);
		break;
	case FEED_LIVE:
	case FEED_FINAL:
	case FEED_UNREADABLE:
		break;
	}
	if (differs)
		tell_difference(look, &before, &difference, FINDING_ASKED);
}

static void foreign_told(struct look *look, const struct question *question,
			 const struct dd_result *result, const struct dd_order *seen)
{
	struct journal_finding finding;

	if (result->verdict == DD_DONE) {
		if (seen->status != DD_STATUS_UNKNOWN)
			follow(look, seen, false);
		return;
	}
	if (result->code != 4200)
		return;
	finding = finding_of(FINDING_FOREIGN_ORDER, question->exchange_order_id, NULL);
	STR_SET(finding.exchange_order_id, question->exchange_order_id);
	STR_SET(finding.symbol, question->symbol);
	STR_SET(finding.journal, "none");
	STR_SET(finding.exchange, "not known to it any more");
	tell(look, FINDING_FOREIGN_ORDER, &finding, FINDING_FOLLOWED, "");
	look_memory_forget(look->config.memory, question->exchange_order_id);
}

static void answered(void *arg, const struct dd_result *result, const struct dd_order *seen)
{
	struct look *look = arg;
	struct question *question;
	struct tracked *tracked;

	venue_note(look->config.parts->venue, result, true);
	if (result->class_ == DD_CLASS_RATE)
		scheduler_slow_down(look->config.parts->scheduler, result->retry_after_ms);
	if (!is_back(look))
		return;
	question = look->question;
	look->question = NULL;
	tracked = orders_find(look->config.parts->orders, question->order_id);
	if (question->order_id[0] == '\0') {
		foreign_told(look, question, result, seen);
	} else if (tracked && order_is_live(tracked->order.facts.state)) {
		if (result->verdict == DD_DONE) {
			tracked_told(look, tracked, seen);
		} else if (result->verdict == DD_REFUSED && result->code == 4200) {
			denial_note(&tracked->denial, loop_now(look->config.loop));
			tracked->is_denial_told = true;
			tell_denial(look, tracked, "not known to it");
		}
	}
	mem_free(question);
	go_on(look);
}

static void ask(void *arg)
{
	struct look *look = arg;

	look->is_away = true;
	dd_order_get(look->config.parts->exchange, look->question->exchange_order_id, answered,
		     look);
}

static void queue_question(struct look *look)
{
	look->question = CONTAINER_OF(list_pop_front(&look->questions), struct question, node);
	look->ticket = (struct ticket){
		.lane = LANE_READ, .token_id = "", .weight = 1, .go = ask, .arg = look
	};
	scheduler_add(look->config.parts->scheduler, &look->ticket);
}

/* ---- the whole -------------------------------------------------------------------------- */

static void go_on(struct look *look)
{
	switch (look->phase) {
	case PHASE_WALK:
		walk(look);
		return;
	case PHASE_FILLS:
		if (ask_fills(look))
			return;
		look->phase = PHASE_OPEN;
		/* fall through */
	case PHASE_OPEN:
	case PHASE_TRADED:
		if (ask_list(look))
			return;
		look->phase = PHASE_STRANGERS;
		/* fall through */
	case PHASE_STRANGERS:
		if (!list_is_empty(&look->strangers)) {
			ask_journal(look);
			return;
		}
		look->phase = PHASE_QUESTIONS;
		orders_each(look->config.parts->orders, look_for_missing, look);
		ask_for_vanished(look);
		/* fall through */
	case PHASE_QUESTIONS:
		if (!list_is_empty(&look->questions)) {
			queue_question(look);
			return;
		}
		look->phase = PHASE_END;
		/* fall through */
	case PHASE_END:
		end(look, NULL);
	}
}

static void take_turn(void *arg)
{
	go_on(arg);
}

struct look *look_create(const struct look_config *config)
{
	struct look *look = mem_alloc(sizeof(*look));

	look->config = *config;
	look->counts.is_whole = true;
	look->latest = latest_create();
	look->listed = map_create();
	list_init(&look->strangers);
	list_init(&look->questions);
	look->turn = loop_timer_create(config->loop, take_turn, look);
	if (config->is_second)
		findings_second_look(config->memory->findings);
	else
		findings_first_look(config->memory->findings);
	timer_start(look->turn, 0);
	return look;
}
