#include "base/mem.h"
#include "client/wire.h"
#include "client/wire_json.h"

static bool get_places(const json_t *value, int *places)
{
	int64_t found;

	if (!wire_get_int(value, 0, DECIMAL_SCALE_MAX, &found))
		return false;
	*places = (int)found;
	return true;
}

static bool read_token(const json_t *value, struct dd_token *to)
{
	wire_get_unit(wire_find(value, "unit", NULL), to->unit, sizeof(to->unit));
	return wire_get_text(wire_find(value, "symbol", NULL), to->symbol, sizeof(to->symbol)) &&
	       to->symbol[0] != '\0' &&
	       get_places(wire_find(value, "decimals", NULL), &to->decimals) &&
	       get_places(wire_find(value, "max_qty_dp", NULL), &to->max_qty_dp);
}

static bool read_market(const json_t *value, void *item, struct err *err)
{
	struct dd_market *to = item;

	if (!wire_get_text(wire_find(value, "symbol", NULL), to->symbol, sizeof(to->symbol)) ||
	    !wire_is_symbol(to->symbol))
		return err_set(err, ERR_EXCHANGE_ANSWER, "no usable symbol");
	if (!read_token(wire_find(value, "base_token", NULL), &to->base) ||
	    !read_token(wire_find(value, "quote_token", NULL), &to->quote) ||
	    !get_places(wire_find(value, "price_max_dp", NULL), &to->price_max_dp))
		return err_set(err, ERR_EXCHANGE_ANSWER, "no usable precision of %s", to->symbol);
	return true;
}

bool wire_markets_read(const struct wire_doc *doc, struct dd_market **items, size_t *count,
		       struct err *err)
{
	static const struct wire_kind kind = {
		.name = "pair",
		.size = sizeof(struct dd_market),
		.count_max = WIRE_LIST_MAX,
		.read = read_market,
		.skips_bad = true,
	};
	void *list;

	if (!wire_list_read(doc, "trading_pairs", &kind, &list, count, NULL, err))
		return false;
	*items = list;
	return true;
}

void wire_markets_free(struct dd_market *items)
{
	mem_free(items);
}

/* The names of today are one letter long; the older path had whole words. */
static bool read_candle(const json_t *value, void *item, struct err *err)
{
	struct dd_candle *to = item;
	struct wall time;

	if (!wire_get_time(wire_find(value, "t", "time", NULL), &time) ||
	    !wire_get_quote(wire_find(value, "o", "open", NULL), &to->open) ||
	    !wire_get_quote(wire_find(value, "h", "high", NULL), &to->high) ||
	    !wire_get_quote(wire_find(value, "l", "low", NULL), &to->low) ||
	    !wire_get_quote(wire_find(value, "c", "close", NULL), &to->close) ||
	    !wire_get_quote(wire_find(value, "v", "volume", NULL), &to->volume))
		return err_set(err, ERR_EXCHANGE_ANSWER, "a time, price or volume is missing");
	to->time_s = time.us / 1000000;
	return true;
}

bool wire_candles_read(const struct wire_doc *doc, struct dd_candle **items, size_t *count,
		       struct err *err)
{
	static const struct wire_kind kind = {
		.name = "candle",
		.size = sizeof(struct dd_candle),
		.count_max = WIRE_CANDLES_MAX,
		.read = read_candle,
	};
	void *list;

	if (!wire_list_read(doc, "candles", &kind, &list, count, NULL, err))
		return false;
	*items = list;
	return true;
}

void wire_candles_free(struct dd_candle *items)
{
	mem_free(items);
}

bool wire_price_read(const struct wire_doc *doc, struct decimal *price, struct err *err)
{
	const json_t *object = wire_unwrap(doc->root, (const char *const[]){ "data", NULL });

	if (!wire_get_quote(wire_find(object, "price", NULL), price))
		return err_set(err, ERR_EXCHANGE_ANSWER,
			       "the exchange's answer has no usable price");
	return true;
}
