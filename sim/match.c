#include "sim/match.h"

#include "base/mem.h"
#include "sim/exchange.h"

static struct exchange_market *market_of(struct exchange *x, const struct order *order)
{
	return &x->markets[order->pair->id];
}

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t match_overflowed_quote(int64_t order_base_units, int64_t order_quote_units,
			       int64_t filled_base_units)
{
	uint64_t product = (uint64_t)order_quote_units * (uint64_t)filled_base_units;

	return order_base_units > 0 ? (int64_t)(product / (uint64_t)order_base_units) : 0;
}

/* ---- booking ---- */

static void pay(struct exchange *x, struct order *order, int64_t pays, int64_t gets)
{
	struct account *account = order->account;

	account->balances[order_pays(order)->id].locked -= pays;
	if (order->side == SIDE_BUY)
		order->locked_quote_units -= pays;
	else
		order->locked_base_units -= pays;
	account->balances[order_receives(order)->id].free += gets;
	account->balances[order_receives(order)->id].is_known = true;
	exchange_tell_balance(x, account, order_pays(order));
	exchange_tell_balance(x, account, order_receives(order));
}

static void book_side(struct exchange *x, struct order *order, struct order *counter,
		      enum role role, int64_t price, int64_t base_units)
{
	struct execution *fill = mem_alloc(sizeof(*fill));
	int64_t quote_units = quote_units_of(base_units, price);
	bool is_buy = order->side == SIDE_BUY;

	*fill = (struct execution){ .order = order,
				    .price = price,
				    .base_units = base_units,
				    .quote_units = quote_units,
				    .told_quote_units = quote_units,
				    .fee_units = fee_of(is_buy ? base_units : quote_units),
				    .role = role,
				    .at = x->now };
	draw_uuid(x->config.seed, "execution", x->executions_made++, fill->id);
	(void)STR_SET(fill->counter_id, counter->id);
	if (role == ROLE_MAKER && x->has_overflow_quirk)
		fill->told_quote_units =
			match_overflowed_quote(order->base_units, order->quote_units, base_units);
	list_push_back(&order->executions, &fill->of_order);
	list_push_back(&order->account->executions, &fill->of_account);
	list_push_back(&x->executions, &fill->of_exchange);
	order->executed_base_units += base_units;
	order->executed_quote_units += quote_units;
	order->told_quote_units += fill->told_quote_units;
	order->fee_units += fill->fee_units;
	order->updated = x->now;
	pay(x, order, is_buy ? quote_units : base_units,
	    (is_buy ? base_units : quote_units) - fill->fee_units);
	exchange_tell(x, &(struct exchange_event){ .kind = EVENT_EXECUTION,
						   .execution = fill,
						   .order = order,
						   .account = order->account });
}

static void note_trade(struct exchange *x, const struct pair *pair, enum side taker_side,
		       int64_t price, int64_t base_units)
{
	struct exchange_market *market = &x->markets[pair->id];
	struct trade *trade = mem_alloc(sizeof(*trade));

	trade->at = x->now;
	trade->price = price;
	trade->base_units = base_units;
	trade->taker_side = taker_side;
	list_push_back(&market->trades, &trade->node);
	market->last_price = price;
	if (++market->trade_count > TRADES_KEPT) {
		mem_free(CONTAINER_OF(list_pop_front(&market->trades), struct trade, node));
		market->trade_count--;
	}
	exchange_tell(
		x, &(struct exchange_event){ .kind = EVENT_TRADE, .pair = pair, .trade = trade });
}

/* What a buyer with a bound still needs for its rest; all others hold until they are done. */
static void release_surplus(struct exchange *x, struct order *order)
{
	if (order->side == SIDE_BUY && order->bound > 0 && !order->is_quote_sized)
		exchange_hold(x, order, quote_units_of(order_rest_units(order), order->bound));
}

static void fill(struct exchange *x, struct order *maker, struct order *taker, int64_t base_units)
{
	int64_t price = maker->price;

	book_side(x, maker, taker, ROLE_MAKER, price, base_units);
	book_side(x, taker, maker, ROLE_TAKER, price, base_units);
	release_surplus(x, maker);
	release_surplus(x, taker);
	note_trade(x, maker->pair, taker->side, price, base_units);
	if (order_rest_units(maker) == 0)
		exchange_finish(x, maker, ORDER_CLOSED, "");
	else
		exchange_tell_order(x, maker);
}

/* ---- one order against the book ---- */

/* How much of it the taker wants, and can pay, at this price. */
static int64_t wanted_units(const struct order *taker, int64_t price)
{
	int64_t step = amount_step(taker->pair->base->max_qty_dp);
	int64_t wanted = order_rest_units(taker);

	if (taker->is_quote_sized)
		wanted = base_units_of(taker->quote_units - taker->executed_quote_units, price);
	/* With a bound, what is held is enough to the last unit, but rounding could hide that. */
	if (taker->side == SIDE_SELL)
		wanted = smaller(wanted, taker->locked_base_units);
	else if (taker->bound == 0)
		wanted = smaller(wanted, base_units_of(taker->locked_quote_units, price));
	return round_down_to(wanted, step);
}

static enum side other(enum side side)
{
	return side == SIDE_BUY ? SIDE_SELL : SIDE_BUY;
}

/* True when the taker has all it asked for, or all it can pay. */
static bool take(struct exchange *x, struct order *taker)
{
	struct book *book = &market_of(x, taker)->book;
	struct order *maker;

	while ((maker = book_best(book, other(taker->side))) &&
	       price_is_within(taker->side, maker->price, taker->bound)) {
		int64_t wanted = wanted_units(taker, maker->price);
		int64_t units = smaller(wanted, order_rest_units(maker));

		if (units == 0)
			return true;
		fill(x, maker, taker, units);
	}
	return !taker->is_quote_sized && order_rest_units(taker) == 0;
}

/* The rest of a market order with slippage is listed as a limit order. */
static void settle_size(struct order *taker)
{
	int64_t step = amount_step(taker->pair->base->max_qty_dp);
	int64_t rest;

	if (taker->is_quote_sized) {
		rest = base_units_of(taker->quote_units - taker->executed_quote_units,
				     taker->price);
		if (taker->side == SIDE_SELL)
			rest = smaller(rest, taker->locked_base_units);
		taker->base_units = taker->executed_base_units + round_down_to(rest, step);
		taker->is_quote_sized = false;
	}
	taker->bound = taker->price;
}

static void list_rest(struct exchange *x, struct order *order)
{
	int64_t rest;

	settle_size(order);
	rest = order_rest_units(order);
	if (rest == 0) {
		exchange_finish(x, order, ORDER_CLOSED, "");
		return;
	}
	exchange_hold(x, order,
		      order->side == SIDE_BUY ? quote_units_of(rest, order->price) : rest);
	exchange_set_status(x, order, ORDER_OPEN);
	order->rank = ++x->ranks_made;
	book_add(&market_of(x, order)->book, order);
	exchange_tell_order(x, order);
	exchange_tell_book(x, order->pair);
}

/* The size of an order in quote is known in base only now. */
static void close_taken(struct exchange *x, struct order *order)
{
	if (order->is_quote_sized)
		order->base_units = order->executed_base_units;
	order->is_quote_sized = false;
	if (order_rest_units(order) == 0 && order->base_units > 0)
		exchange_finish(x, order, ORDER_CLOSED, "");
	else
		exchange_finish(x, order,
				order->executed_base_units ? ORDER_CANCELLED : ORDER_FAILED,
				"balance exhausted");
}

void match_order(struct exchange *x, struct order *order)
{
	struct book *book = &market_of(x, order)->book;

	if (order->post_only && book_crosses(book, order->side, order->bound)) {
		exchange_finish(x, order, ORDER_FAILED, "post-only order would have matched");
		return;
	}
	if (take(x, order))
		close_taken(x, order);
	else if (order->bound > 0)
		list_rest(x, order);
	else
		exchange_finish(x, order,
				order->executed_base_units ? ORDER_CANCELLED : ORDER_FAILED,
				"the book ran out");
	exchange_tell_book(x, order->pair);
}

void match_one(struct exchange *x, struct order *maker, struct order *taker, int64_t base_units)
{
	fill(x, maker, taker, smaller(base_units, order_rest_units(maker)));
	close_taken(x, taker);
	exchange_tell_book(x, maker->pair);
}
