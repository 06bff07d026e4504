#include "server/feed.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "server/event.h"

/* base x price is what was paid; the exchange's own figure has been wrong on the wire and is
 * kept beside it. */
bool feed_read_fill(const struct dd_execution *seen, struct fill *fill)
{
	struct err err;

	memset(fill, 0, sizeof(*fill));
	STR_SET(fill->execution_id, seen->id);
	STR_SET(fill->exchange_order_id, seen->order_id);
	fill->price = seen->price;
	fill->base_qty = seen->base_qty;
	fill->has_exchange_quote_qty = seen->quote_qty.is_set;
	fill->exchange_quote_qty = seen->quote_qty.value;
	fill->commission = seen->commission.is_set ? seen->commission.value : DECIMAL_ZERO;
	STR_SET(fill->commission_unit, seen->commission_unit);
	fill->is_maker = seen->is_maker;
	fill->executed_at = seen->created_at;
	fill->booked_at = wall_now();
	if (!decimal_mul(seen->base_qty, seen->price, &fill->quote_qty, &err)) {
		LOG(ERROR, "fill.unusable", F_STR("exchange_order_id", seen->order_id),
		    F_STR("execution", seen->id), F_ERR(&err));
		return false;
	}
	fill->quote_qty = decimal_trim(fill->quote_qty);
	return true;
}

static bool book(struct orders *orders, struct tracked *tracked, const struct dd_execution *seen,
		 struct journal_write *write)
{
	const struct order *order = &tracked->order;
	struct fill fill;

	if (seen->id[0] == '\0' || orders_has_booked(tracked, seen->id) ||
	    !feed_read_fill(seen, &fill))
		return false;
	STR_SET(fill.order_id, order->terms.order_id);
	if (fill.exchange_order_id[0] == '\0') /* else it may be of an earlier build */
		STR_SET(fill.exchange_order_id, order->facts.exchange_order_id);
	STR_SET(fill.token_id, order->terms.token_id);
	STR_SET(fill.symbol, order->terms.symbol);
	fill.side = order->terms.side;
	if (!orders_book(orders, tracked, &fill))
		return false;
	journal_write_fill(write, &fill);
	event_fill(write, &fill);
	LOG(INFO, "order.filled", F_STR("order", order->terms.order_id),
	    F_STR("execution", fill.execution_id), F_STR("symbol", fill.symbol),
	    F_DECIMAL("price", fill.price), F_DECIMAL("base_qty", fill.base_qty));
	return true;
}

static int book_new_fills(struct orders *orders, struct tracked *tracked,
			  const struct dd_order *seen, struct journal_write *write)
{
	int booked = 0;

	for (size_t i = 0; i < seen->execution_count; i++)
		booked += book(orders, tracked, &seen->executions[i], write);
	return booked;
}

static bool is_final_status(enum dd_status status)
{
	return status == DD_STATUS_CLOSED || status == DD_STATUS_FULLY_FILLED ||
	       status == DD_STATUS_CANCELLED || status == DD_STATUS_PARTIALLY_CANCELLED ||
	       status == DD_STATUS_FAILED;
}

/* Fewer executions booked than the exchange says there were? Without any, none is filled. */
static bool is_short(const struct order *order, const struct dd_order *seen)
{
	bool is_filled = seen->status == DD_STATUS_CLOSED || seen->status == DD_STATUS_FULLY_FILLED;
	struct decimal ordered;

	if (is_filled && decimal_sign(order->facts.executed_base_qty) <= 0)
		return true;
	if (seen->executed_base_qty.is_set)
		return decimal_cmp(order->facts.executed_base_qty, seen->executed_base_qty.value) <
		       0;
	if (!is_filled)
		return is_final_status(seen->status) && !seen->has_executions;
	return !seen->has_executions || (order_base_qty(order, &ordered) &&
					 decimal_cmp(order->facts.executed_base_qty, ordered) < 0);
}

/* The event that takes the order where the exchange says it is; EV_ACK for "live". */
static enum order_event event_of(enum dd_status status)
{
	switch (status) {
	case DD_STATUS_CLOSED:
	case DD_STATUS_FULLY_FILLED:
		return EV_FILL_ALL;
	case DD_STATUS_CANCELLED:
	case DD_STATUS_PARTIALLY_CANCELLED:
		return EV_CANCEL;
	case DD_STATUS_FAILED:
		return EV_FAIL;
	case DD_STATUS_PROCESSING:
	case DD_STATUS_OPEN:
	case DD_STATUS_PARTIALLY_FILLED:
	case DD_STATUS_BUILDING:
	case DD_STATUS_UNKNOWN:
	case DD_STATUS_COUNT:
		break;
	}
	return EV_ACK;
}

/* The status may lag behind the fills; their sum does not. What a size in quote comes to in base is
 * an estimate until the exchange calls the order closed: at other prices more may follow. */
static bool is_executed_in_full(const struct order *order)
{
	const struct order_terms *terms = &order->terms;

	return terms->has_base_qty &&
	       decimal_cmp(order->facts.executed_base_qty, terms->base_qty) >= 0;
}

static void take_figures(struct order *order, const struct dd_order *seen)
{
	struct order_facts *facts = &order->facts;

	if (seen->base_qty.is_set) {
		facts->has_exchange_base_qty = true;
		facts->exchange_base_qty = seen->base_qty.value;
	}
	if (seen->executed_quote_qty.is_set)
		facts->exchange_executed_quote_qty = seen->executed_quote_qty.value;
	if (facts->commission_unit[0] == '\0')
		STR_SET(facts->commission_unit, seen->commission_unit);
}

/* Whether a move says anything new: an ACK of what is live already does not. */
static bool is_news(const struct order *order, enum order_event event)
{
	if (order_is_final(order->facts.state))
		return false;
	return event != EV_ACK || !order_is_live(order->facts.state);
}

static void note_failure(struct order *order, const struct dd_order *seen)
{
	bool has_executed = decimal_sign(order->facts.executed_base_qty) > 0;
	struct err err;

	if (seen->status != DD_STATUS_FAILED)
		return;
	err_set(&err, has_executed ? ERR_EXCHANGE : ERR_NOT_PLACED,
		"the exchange reports the order as failed");
	order_set_error(order, &err);
}

static enum feed_news take_order(struct orders *orders, struct tracked *tracked,
				 const struct dd_order *seen, const char *cause, bool is_as_is)
{
	struct order *order = &tracked->order;
	struct journal_write *write = journal_write_create();
	enum order_event event = event_of(seen->status);
	bool is_incomplete;
	int booked;
	struct journal_step step = { .cause = cause };
	struct decimal stated = order->facts.exchange_executed_quote_qty;

	take_figures(order, seen);
	booked = book_new_fills(orders, tracked, seen, write);
	if (booked > 0)
		step.event = order_event_name(EV_FILL_PART);
	if (event == EV_ACK && is_executed_in_full(order))
		event = EV_FILL_ALL;
	if (event == EV_FAIL && decimal_sign(order->facts.executed_base_qty) > 0)
		event = EV_CANCEL; /* what executed stays, and nothing more will */
	is_incomplete = is_short(order, seen);
	if (is_final_status(seen->status) && is_incomplete && !is_as_is)
		event = EV_ACK; /* live until its fills are whole */
	if (is_incomplete && is_as_is) {
		step.detail = "the executions do not add up to the executed quantity";
		LOG(ERROR, "fills.incomplete", F_STR("order", order->terms.order_id),
		    F_DECIMAL("booked", order->facts.executed_base_qty),
		    F_DECIMAL("executed", seen->executed_base_qty.value));
		orders_tell(orders, tracked, SYSTEM_FILLS_INCOMPLETE,
			    "its fills do not add up to what the exchange says was executed");
	}
	if (is_news(order, event)) {
		if (step.event) /* the fills get a line of history of their own */
			orders_write(tracked, &step, write);
		note_failure(order, seen);
		if (orders_step(orders, tracked, event))
			step.event = order_event_name(event);
	}
	/* It was filled by its executions alone, which do not have it. */
	if (!step.event && order_is_final(order->facts.state) &&
	    decimal_cmp(stated, order->facts.exchange_executed_quote_qty) != 0)
		step.event = order_event_name(event);
	if (step.event)
		orders_record(orders, tracked, &step, write, JOURNAL_FACT, NULL, NULL);
	else
		journal_write_destroy(write);
	if (is_incomplete && !is_as_is)
		return FEED_INCOMPLETE;
	return order_is_final(order->facts.state) ? FEED_FINAL : FEED_LIVE;
}

/* It is asked for again and again: told once. */
static void note_unknown_status(struct orders *orders, struct tracked *tracked,
				const struct dd_order *seen)
{
	struct err err;

	LOG(WARN, "exchange.status_unknown", F_STR("order", tracked->order.terms.order_id),
	    F_STR("status", seen->status_text));
	if (tracked->has_unknown_status)
		return;
	tracked->has_unknown_status = true;
	err_set(&err, ERR_EXCHANGE, "the exchange gives it a status that is not known here: %s",
		seen->status_text);
	orders_tell(orders, tracked, SYSTEM_ORDER_UNKNOWN_STATUS, err.text);
}

/* What expired fails, which says no more than that. Of an order of which nothing is sent it is said
 * of a build before. That it lives would be news. */
static bool is_failure_by_expiry(const struct tracked *tracked, const struct dd_order *seen)
{
	enum order_state state = tracked->order.facts.state;
	bool is_unsent = !order_is_final(state) && !order_may_be_live(state);
	bool is_unplaced = !order_is_live(state) && tracked->is_expired;

	return (is_unsent || is_unplaced) && seen->status == DD_STATUS_FAILED &&
	       (!seen->executed_base_qty.is_set ||
		decimal_sign(seen->executed_base_qty.value) <= 0);
}

static enum feed_news feed(struct orders *orders, struct tracked *tracked,
			   const struct dd_order *seen, const char *cause, bool is_as_is)
{
	if (seen->status == DD_STATUS_UNKNOWN) {
		note_unknown_status(orders, tracked, seen);
		return FEED_UNREADABLE;
	}
	tracked->has_unknown_status = false;
	if (seen->status == DD_STATUS_BUILDING || is_failure_by_expiry(tracked, seen))
		return FEED_ABSENT;
	denial_clear(&tracked->denial);
	tracked->is_denial_told = false;
	/* The answer to the submit itself promises a place on the book, and is not yet one. */
	tracked->is_seen_live |= strcmp(cause, "exchange") != 0;
	return take_order(orders, tracked, seen, cause, is_as_is);
}

enum feed_news feed_order(struct orders *orders, struct tracked *tracked,
			  const struct dd_order *seen, const char *cause)
{
	return feed(orders, tracked, seen, cause, false);
}

enum feed_news feed_order_as_is(struct orders *orders, struct tracked *tracked,
				const struct dd_order *seen, const char *cause)
{
	return feed(orders, tracked, seen, cause, true);
}

bool feed_message(struct orders *orders, struct tracked *tracked, const struct dd_order *seen)
{
	if (seen->updated_at.us != 0 && seen->updated_at.us < tracked->told_at.us)
		return false;
	if (seen->updated_at.us != 0)
		tracked->told_at = seen->updated_at;
	return feed_order(orders, tracked, seen, "stream") == FEED_INCOMPLETE;
}

bool feed_execution(struct orders *orders, struct tracked *tracked, const struct dd_execution *seen,
		    const char *cause)
{
	struct journal_step step = { .event = order_event_name(EV_FILL_PART), .cause = cause };
	struct journal_write *write = journal_write_create();
	struct order *order = &tracked->order;

	if (!book(orders, tracked, seen, write)) {
		journal_write_destroy(write);
		return false;
	}
	/* Not by one of an earlier build: the latest may live on. */
	if (is_executed_in_full(order) && is_news(order, EV_FILL_ALL) &&
	    strcmp(seen->order_id, order->facts.exchange_order_id) == 0) {
		orders_write(tracked, &step, write);
		if (orders_step(orders, tracked, EV_FILL_ALL))
			step.event = order_event_name(EV_FILL_ALL);
	}
	orders_record(orders, tracked, &step, write, JOURNAL_FACT, NULL, NULL);
	return true;
}

void feed_foreign(struct journal *journal, const char *symbol, enum dd_side side,
		  const struct dd_execution *seen)
{
	struct journal_write *write;
	struct fill fill;

	if (!feed_read_fill(seen, &fill))
		return;
	STR_SET(fill.symbol, symbol);
	fill.side = side == DD_BUY ? ORDER_BUY : ORDER_SELL;
	write = journal_write_create();
	journal_write_fill(write, &fill);
	event_fill(write, &fill);
	journal_append(journal, JOURNAL_FACT, write, NULL, NULL);
	LOG(INFO, "fill.foreign", F_STR("exchange_order_id", fill.exchange_order_id),
	    F_STR("execution", fill.execution_id), F_STR("symbol", fill.symbol),
	    F_DECIMAL("price", fill.price), F_DECIMAL("base_qty", fill.base_qty));
}
