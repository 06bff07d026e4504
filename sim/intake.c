#include "sim/intake.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "sim/exchange.h"
#include "sim/match.h"
#include "sim/tx.h"

#define VALUE_MIN_UNITS INT64_C(5000000) /* 5 of the quote asset */
#define BP_ONE          10000

static enum side other(enum side side)
{
	return side == SIDE_BUY ? SIDE_SELL : SIDE_BUY;
}

/* ---- the request by itself ---- */

static enum code check_shape(const struct intake *in)
{
	if (in->has_base == in->has_quote)
		return CODE_INVALID;
	if (in->type == TYPE_LIMIT && !in->has_price)
		return CODE_INVALID;
	return CODE_DONE;
}

static enum code check_signs(const struct intake *in)
{
	if (decimal_sign(in->has_base ? in->base : in->quote) <= 0)
		return CODE_QUANTITY_ZERO;
	if (in->type == TYPE_LIMIT && decimal_sign(in->price) <= 0)
		return CODE_PRICE_ZERO;
	return CODE_DONE;
}

static enum code check_places(const struct intake *in, const struct pair *pair)
{
	if (in->has_base && decimal_places(in->base) > pair->base->max_qty_dp)
		return CODE_QUANTITY_PLACES;
	if (in->has_quote && decimal_places(in->quote) > pair->quote->max_qty_dp)
		return CODE_QUANTITY_PLACES;
	if (in->type == TYPE_LIMIT && decimal_places(in->price) > pair->price_max_dp)
		return CODE_PRICE_PLACES;
	return CODE_DONE;
}

static enum code check_flags(const struct intake *in)
{
	if (in->has_slippage && (in->slippage_bp < 0 || in->slippage_bp > BP_ONE))
		return CODE_SLIPPAGE;
	if (in->post_only && in->type != TYPE_LIMIT)
		return CODE_POST_ONLY_TYPE;
	return CODE_DONE;
}

static enum code check_request(const struct intake *in, const struct pair **pair)
{
	enum code code = check_shape(in);

	if (code)
		return code;
	*pair = market_pair(in->symbol);
	if (!*pair)
		return CODE_SYMBOL;
	if ((code = check_signs(in)) || (code = check_places(in, *pair)))
		return code;
	return check_flags(in);
}

/* ---- the order it asks for ---- */

/* The worst price that slippage allows, in whole steps; never zero, which would mean any. */
static int64_t bound_of(const struct pair *pair, enum side side, int64_t price, int64_t bp)
{
	int64_t step = price_step(pair->price_max_dp);
	int64_t shift = (int64_t)((int128)price * bp / BP_ONE);
	int64_t bound;

	if (side == SIDE_BUY)
		return round_down_to(price + shift, step);
	bound = round_up_to(price - shift, step);
	return bound > 0 ? bound : step;
}

static bool set_price(const struct exchange *x, struct order *order, const struct intake *in)
{
	const struct order *best;

	if (order->type == TYPE_LIMIT) {
		(void)STR_SET(order->price_text, in->price_text);
		if (!units_of(in->price, PRICE_SCALE, PRICE_MAX, &order->price))
			return false;
		order->bound = order->price;
		return true;
	}
	/* The market's price now; an empty book is found out later, in its turn. */
	best = book_best(&x->markets[order->pair->id].book, other(order->side));
	order->price = best ? best->price : x->markets[order->pair->id].last_price;
	(void)price_print(order->price, order->price_text);
	if (in->has_slippage) {
		order->slippage_bp = (int)in->slippage_bp;
		order->bound = bound_of(order->pair, order->side, order->price, in->slippage_bp);
	}
	return true;
}

static bool set_size(struct order *order, const struct intake *in)
{
	int64_t step = amount_step(order->pair->base->max_qty_dp);

	if (in->has_base) {
		if (!units_of(in->base, AMOUNT_SCALE, AMOUNT_MAX, &order->base_units))
			return false;
		order->quote_units = quote_units_of(order->base_units, order->price);
	} else {
		if (!units_of(in->quote, AMOUNT_SCALE, AMOUNT_MAX, &order->quote_units))
			return false;
		order->base_units =
			round_down_to(base_units_of(order->quote_units, order->price), step);
		order->is_quote_sized = order->type == TYPE_MARKET;
	}
	return order->quote_units < AMOUNT_MAX && order->base_units < AMOUNT_MAX;
}

static struct order *draft(const struct exchange *x, struct account *account,
			   const struct pair *pair, const struct intake *in)
{
	struct order *order = exchange_draft(account, pair);

	order->side = in->side;
	order->type = in->type;
	order->post_only = in->post_only;
	if (set_price(x, order, in) && set_size(order, in))
		return order;
	order_destroy(order);
	return NULL;
}

/* ---- the order against the exchange as it is now ---- */

/* What the order would take from the book and pay with at this moment. */
struct prospect {
	bool is_served; /* market orders: the book has all of it, up to the bound */
	int64_t pays;   /* units of what it pays with, if it is served */
};

static struct prospect look_ahead(const struct exchange *x, const struct order *order)
{
	const struct book *book = &x->markets[order->pair->id].book;
	int64_t base, quote;
	struct prospect prospect;

	prospect.is_served = book_reach(book, order->side, order->bound,
					order->is_quote_sized ? AMOUNT_MAX : order->base_units,
					order->is_quote_sized ? order->quote_units : AMOUNT_MAX,
					amount_step(order->pair->base->max_qty_dp), &base, &quote);
	prospect.pays = order->side == SIDE_BUY ? quote : base;
	return prospect;
}

/* What the order holds from submit on. Without a bound a buyer's whole balance is held, as the
 * exchange's FAQ says; a seller's too when the size is given in the quote asset. */
static int64_t hold_of(const struct order *order)
{
	int64_t all = order->account->balances[order_pays(order)->id].free;

	if (order->side == SIDE_BUY) {
		if (order->bound == 0)
			return all;
		return order->is_quote_sized ? order->quote_units
					     : quote_units_of(order->base_units, order->bound);
	}
	if (!order->is_quote_sized)
		return order->base_units;
	if (order->bound == 0)
		return all;
	return round_up_to(base_units_of(order->quote_units, order->bound) + 1,
			   amount_step(order->pair->base->max_qty_dp));
}

static enum code check_market(const struct exchange *x, const struct order *order)
{
	const struct book *book = &x->markets[order->pair->id].book;

	if (order->type == TYPE_MARKET) {
		if (!book_crosses(book, order->side, order->bound))
			return CODE_LIQUIDITY;
		if (order->bound == 0 && !look_ahead(x, order).is_served)
			return CODE_LIQUIDITY;
	}
	if (order->post_only && book_crosses(book, order->side, order->bound))
		return CODE_WOULD_MATCH;
	return CODE_DONE;
}

static enum code check_now(const struct exchange *x, const struct order *order)
{
	int64_t free = order->account->balances[order_pays(order)->id].free;
	int64_t needs = hold_of(order);
	enum code code;

	if (order->account->live_orders >= x->config.open_orders_max)
		return CODE_OPEN_ORDERS;
	if ((code = check_market(x, order)))
		return code;
	if (order->bound == 0)
		needs = look_ahead(x, order).pays;
	return needs > free || free == 0 ? CODE_BALANCE : CODE_DONE;
}

static enum code check_limits(const struct exchange *x, const struct order *order)
{
	const struct exchange_market *market = &x->markets[order->pair->id];

	if (order->base_units == 0)
		return CODE_TOO_SMALL;
	if (order->type == TYPE_LIMIT && order->price > market->price_max)
		return CODE_PRICE_HIGH;
	if (order->type == TYPE_LIMIT && order->price < market->price_min)
		return CODE_PRICE_LOW;
	return order->quote_units < VALUE_MIN_UNITS ? CODE_TOO_SMALL : CODE_DONE;
}

/* ---- build ---- */

static void attach_tx(struct exchange *x, struct order *order, bool has_foreign_payee)
{
	struct buf tx;

	buf_init(&tx, TX_MAX);
	tx_build(x->config.seed, order, has_foreign_payee, &tx);
	order->tx_len = tx.len;
	order->tx = (uint8_t *)buf_take(&tx);
	buf_fini(&tx);
}

static void admit_building(struct exchange *x, struct order *order, bool has_foreign_payee)
{
	exchange_admit(x, order);
	attach_tx(x, order, has_foreign_payee);
	order->expires.us = x->now.us + x->config.tx_lifetime_ms * 1000;
	exchange_set_due(x, order, DUE_EXPIRE, order->expires);
	exchange_tell_order(x, order);
}

enum code intake_build(struct exchange *x, struct account *account, const struct intake *in,
		       struct order **order)
{
	const struct pair *pair;
	struct order *wanted;
	enum code code;

	if (x->is_locked)
		return CODE_LOCKED;
	if (!account->has_opkey)
		return CODE_NO_OPKEY;
	if ((code = check_request(in, &pair)))
		return code;
	if (!(wanted = draft(x, account, pair, in)))
		return CODE_INVALID;
	if ((code = check_limits(x, wanted)) || (code = check_now(x, wanted))) {
		order_destroy(wanted);
		return code;
	}
	admit_building(x, wanted, in->has_foreign_payee);
	*order = wanted;
	return CODE_DONE;
}

/* ---- submit ---- */

static enum code check_state(const struct order *order)
{
	if (order->is_submitted)
		return CODE_TX_TWICE;
	return order->status == ORDER_BUILDING ? CODE_DONE : CODE_TX_EXPIRED;
}

static void send_to_book(struct exchange *x, struct order *order)
{
	int64_t delay_ms = draw_range(x->config.seed, "delay:match", x->submits_made++,
				      x->config.match_delay.low, x->config.match_delay.high);

	order->is_submitted = true;
	exchange_hold(x, order, hold_of(order));
	exchange_set_status(x, order, ORDER_PROCESSING);
	exchange_set_due(x, order, DUE_MATCH, (struct wall){ x->now.us + delay_ms * 1000 });
	exchange_tell_order(x, order);
	if (delay_ms == 0)
		exchange_run(x, x->now);
}

static enum code submit(struct exchange *x, struct account *account, struct order *order,
			const uint8_t *signed_tx, size_t len, const char **why)
{
	enum code code;

	if ((code = check_state(order)))
		return code;
	code = tx_check(order->tx, order->tx_len, signed_tx, len, account->opkey_hash, why);
	if (!code)
		code = check_now(x, order);
	if (!code)
		send_to_book(x, order);
	return code;
}

enum code intake_submit(struct exchange *x, struct account *account, const char *order_id,
			const uint8_t *signed_tx, size_t len, struct order **order,
			const char **why)
{
	struct order *found = exchange_order(x, order_id);
	enum code code;

	*why = "";
	if (!found || found->account != account)
		return x->is_locked ? CODE_LOCKED : CODE_NO_ORDER;
	code = x->is_locked ? CODE_LOCKED : submit(x, account, found, signed_tx, len, why);
	if (found->submits < SUBMITS_MAX)
		found->submit_answers[found->submits] = code;
	found->submits++;
	exchange_tell(x, &(struct exchange_event){ .kind = EVENT_SUBMIT, .order = found });
	*order = found;
	return code;
}

/* ---- the simulator's own traders ---- */

static bool make_rich(struct exchange *x, const struct order *order)
{
	const struct asset *asset = order_pays(order);
	int64_t missing = hold_of(order) - order->account->balances[asset->id].free;

	return missing <= 0 || exchange_credit(x, order->account, asset, missing);
}

static void start_house_order(struct exchange *x, struct order *order)
{
	exchange_admit(x, order);
	order->is_submitted = true;
	exchange_hold(x, order, hold_of(order));
	exchange_set_status(x, order, ORDER_PROCESSING);
}

/* A market order without slippage pays from what the account has, and needs some of it. */
static bool is_affordable(struct exchange *x, const struct order *order)
{
	const struct asset *asset = order_pays(order);
	int64_t missing = look_ahead(x, order).pays - order->account->balances[asset->id].free;

	if (order->bound > 0)
		return make_rich(x, order);
	return missing <= 0 || exchange_credit(x, order->account, asset, missing);
}

enum code intake_place(struct exchange *x, struct account *account, const struct intake *in,
		       struct order **order)
{
	const struct pair *pair;
	struct order *wanted;
	enum code code;

	if ((code = check_request(in, &pair)))
		return code;
	if (!(wanted = draft(x, account, pair, in)))
		return CODE_INVALID;
	code = check_market(x, wanted);
	if (!code && !is_affordable(x, wanted))
		code = CODE_BALANCE;
	if (code) {
		order_destroy(wanted);
		return code;
	}
	start_house_order(x, wanted);
	match_order(x, wanted);
	*order = wanted;
	return CODE_DONE;
}

struct order *intake_counter(struct exchange *x, struct account *account, const struct order *maker,
			     int64_t base_units)
{
	struct order *order = exchange_draft(account, maker->pair);

	order->side = other(maker->side);
	order->type = TYPE_LIMIT;
	order->price = order->bound = maker->price;
	(void)STR_SET(order->price_text, maker->price_text);
	order->base_units = base_units;
	order->quote_units = quote_units_of(base_units, maker->price);
	if (!make_rich(x, order)) {
		order_destroy(order);
		return NULL;
	}
	start_house_order(x, order);
	return order;
}
