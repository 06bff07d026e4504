/* control_trade.c - other traders, credits, limits of a market, transfer records. */
#include <string.h>

#include "base/mem.h"
#include "sim/control.h"
#include "sim/intake.h"
#include "sim/match.h"
#include "sim/sim.h"
#include "sim/wire.h"

static bool read_amount(const struct control *c, const char *name, bool is_signed, int64_t *units,
			struct err *err)
{
	const char *text = rest_string(c->body, name);
	bool is_negative = text && is_signed && *text == '-';
	struct decimal value;

	if (!text || !decimal_parse(text + is_negative, strlen(text + is_negative), &value, err) ||
	    !units_of(value, AMOUNT_SCALE, AMOUNT_MAX, units))
		return err_set(err, ERR_INVALID, "\"%s\" must be a decimal string", name);
	if (is_negative)
		*units = -*units;
	return true;
}

bool control_post_credit(struct control *c, struct err *err)
{
	const char *symbol = rest_string(c->body, "asset");
	const struct asset *asset = symbol ? market_asset(symbol) : NULL;
	struct account *account = control_account(c, err);
	int64_t units;

	if (!account || !read_amount(c, "amount", true, &units, err))
		return false;
	if (!asset)
		return err_set(err, ERR_INVALID, "no such asset");
	if (!exchange_credit(c->sim->exchange, account, asset, units))
		return err_set(err, ERR_INVALID, "the balance would be below zero or too large");
	reply_json(&c->reply, 200, wire_balance(account, asset));
	return true;
}

static bool read_decimal(const json_t *body, const char *name, struct decimal *value,
			 struct err *err)
{
	const char *text = rest_string(body, name);

	if (!text)
		return err_set(err, ERR_INVALID, "\"%s\" must be a decimal string", name);
	return decimal_parse(text, strlen(text), value, err);
}

/* Without a price it is a market order that takes what there is. */
static bool read_trade(struct control *c, struct intake *in, struct err *err)
{
	const char *symbol = rest_string(c->body, "symbol");
	const char *side = rest_string(c->body, "side");
	const char *price = rest_string(c->body, "price");

	if (!symbol || !STR_SET(in->symbol, symbol) || !side || !side_parse(side, &in->side))
		return err_set(err, ERR_INVALID, "symbol and side, or order_id, are needed");
	in->type = price ? TYPE_LIMIT : TYPE_MARKET;
	in->has_price = price;
	if (price && (!STR_SET(in->price_text, price) ||
		      !decimal_parse(price, strlen(price), &in->price, err)))
		return false;
	in->has_base = true;
	in->post_only = json_is_true(json_object_get(c->body, "post_only"));
	return read_decimal(c->body, "base_quantity", &in->base, err);
}

static bool trade_on_book(struct control *c, struct err *err)
{
	struct intake in = { 0 };
	struct order *order;
	enum code code;

	if (!read_trade(c, &in, err))
		return false;
	code = intake_place(c->sim->exchange, c->sim->house, &in, &order);
	if (code)
		return err_set(err, ERR_REFUSED, "%d: %s", code, code_message(code));
	reply_json(&c->reply, 200, wire_order_record(order));
	return true;
}

/* Another trader takes from this very order, whatever else rests on the book; all that is left
 * of it, unless the field named quantity says how much. */
static bool trade_with(struct control *c, struct order *maker, const char *quantity,
		       struct err *err)
{
	struct exchange *x = c->sim->exchange;
	int64_t units = order_rest_units(maker);
	struct order *taker;

	if (json_object_get(c->body, quantity) && !read_amount(c, quantity, false, &units, err))
		return false;
	if (units == 0 || units > order_rest_units(maker))
		return err_set(err, ERR_INVALID, "the order does not have so much left");
	if (!(taker = intake_counter(x, c->sim->house, maker, units)))
		return err_set(err, ERR_INVALID, "the other trader cannot pay for it");
	match_one(x, maker, taker, units);
	reply_json(&c->reply, 200, wire_order_record(maker));
	return true;
}

static struct order *resting_order(const struct control *c, const char *id, struct err *err)
{
	struct order *order = id ? exchange_order(c->sim->exchange, id) : NULL;

	if (order && order->status == ORDER_OPEN)
		return order;
	(void)err_set(err, ERR_INVALID, "order %s does not rest on the book", id ? id : "(none)");
	return NULL;
}

bool control_post_trade(struct control *c, struct err *err)
{
	const char *id = rest_string(c->body, "order_id");
	struct order *maker;

	if (!id)
		return trade_on_book(c, err);
	maker = resting_order(c, id, err);
	return maker && trade_with(c, maker, "base_quantity", err);
}

bool control_post_fill(struct control *c, struct err *err)
{
	struct order *maker = resting_order(c, rest_string(c->body, "order"), err);
	const struct order *first;

	if (!maker)
		return false;
	first = book_best(&c->sim->exchange->markets[maker->pair->id].book, maker->side);
	if (first != maker)
		return err_set(err, ERR_INVALID, "order %s is not the next to fill: %s is, at %s",
			       maker->id, first->id, first->price_text);
	return trade_with(c, maker, "base_qty", err);
}

bool control_post_expire(struct control *c, struct err *err)
{
	const char *id = rest_string(c->body, "order_id");
	struct order *order = id ? exchange_order(c->sim->exchange, id) : NULL;

	if (!order || !exchange_expire(c->sim->exchange, order))
		return err_set(err, ERR_INVALID, "no such building order");
	reply_json(&c->reply, 200, wire_order_record(order));
	return true;
}

static bool read_market_price(const struct control *c, const char *name, int64_t *price,
			      struct err *err)
{
	struct decimal value;

	if (!json_object_get(c->body, name))
		return true;
	if (!read_decimal(c->body, name, &value, err))
		return false;
	if (!units_of(value, PRICE_SCALE, PRICE_MAX, price))
		return err_set(err, ERR_INVALID, "\"%s\" is no price", name);
	return true;
}

bool control_post_market(struct control *c, struct err *err)
{
	const char *symbol = rest_string(c->body, "symbol");
	const struct pair *pair = symbol ? market_pair(symbol) : NULL;
	struct exchange_market *market;

	if (!pair)
		return err_set(err, ERR_INVALID, "no such symbol");
	market = &c->sim->exchange->markets[pair->id];
	return read_market_price(c, "min_price", &market->price_min, err) &&
	       read_market_price(c, "max_price", &market->price_max, err) && control_done(c);
}

/* ---- transfer records ---- */

static bool read_assets(const struct control *c, struct transfer *transfer, struct err *err)
{
	json_t *assets = json_object_get(c->body, "assets");
	const char *name;
	json_t *value;

	json_object_foreach(assets, name, value)
	{
		const struct asset *asset = market_asset(name);
		struct decimal amount;

		if (!asset || !json_is_string(value) ||
		    !decimal_parse(json_string_value(value), json_string_length(value), &amount,
				   err) ||
		    !units_of(amount, AMOUNT_SCALE, AMOUNT_MAX, &transfer->units[asset->id]))
			return err_set(err, ERR_INVALID, "\"assets\" maps tickers to amounts");
	}
	return true;
}

static bool read_part(const struct control *c, const char *name, char *to, size_t room,
		      const char *otherwise, struct err *err)
{
	const char *text = rest_string(c->body, name);

	if (mem_str_set(to, room, text ? text : otherwise))
		return true;
	return err_set(err, ERR_INVALID, "\"%s\" is too long", name);
}

#define READ_PART(field, otherwise) \
	read_part(c, #field, transfer->field, sizeof(transfer->field), otherwise, err)

static bool read_transfer(struct control *c, struct transfer *transfer, struct err *err)
{
	const char *kind = rest_string(c->body, "kind");

	if (!kind || !transfer_kind_parse(kind, &transfer->kind))
		return err_set(err, ERR_INVALID,
			       "\"kind\" must be deposit, withdrawal or transferal");
	return (transfer->account = control_account(c, err)) && read_assets(c, transfer, err) &&
	       READ_PART(status, "confirmed") && READ_PART(tx_hash, "") &&
	       READ_PART(type, "normal") && READ_PART(direction, "incoming") &&
	       READ_PART(to_address, "") && READ_PART(from_address, "");
}

bool control_post_transfers(struct control *c, struct err *err)
{
	struct transfer *transfer = mem_alloc(sizeof(*transfer));

	list_node_init(&transfer->node);
	if (!read_transfer(c, transfer, err)) {
		mem_free(transfer);
		return false;
	}
	exchange_take_transfer(c->sim->exchange, transfer);
	reply_json(&c->reply, 200, wire_transfer(transfer));
	return true;
}
