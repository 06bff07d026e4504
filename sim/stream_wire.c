#include "sim/stream_wire.h"

#include <stdlib.h>

#include "base/buf.h"
#include "sim/exchange.h"
#include "sim/wire.h"

#define STORM_LEVELS 10
#define STORM_SWING  20 /* price steps, each way */

/* ---- markets ---- */

static void add_level(struct buf *to, int64_t price, int64_t units, bool is_first)
{
	char price_text[DECIMAL_TEXT_LEN], units_text[DECIMAL_TEXT_LEN];

	buf_printf(to, "%s{\"price\":%s,\"quantity\":%s}", is_first ? "" : ",",
		   price_print(price, price_text), amount_print(units, units_text));
}

struct levels {
	struct buf *to;
	unsigned count;
};

static bool add_book_level(void *arg, const struct book_level *level)
{
	struct levels *levels = arg;

	add_level(levels->to, level->price, level->base_units, levels->count == 0);
	return ++levels->count < STREAM_LEVELS_MAX;
}

static void add_side(struct buf *to, const struct book *book, enum side side)
{
	struct levels levels = { .to = to };

	book_each_level(book, side, add_book_level, &levels);
}

void stream_add_depth(struct buf *to, const struct exchange_market *market, struct wall now)
{
	buf_printf(to, "{\"timestamp\":%lld,\"bids\":[", (long long)(now.us / 1000));
	add_side(to, &market->book, SIDE_BUY);
	buf_add_str(to, "],\"asks\":[");
	add_side(to, &market->book, SIDE_SELL);
	buf_add_str(to, "]}");
}

void stream_add_price(struct buf *to, int64_t price, bool is_bare)
{
	char text[DECIMAL_TEXT_LEN];

	buf_printf(to, "{%s\"price\":%s}",
		   is_bare ? "" : "\"type\":\"Market\",\"sub_type\":\"market_price\",",
		   price_print(price, text));
}

static void add_trade(struct buf *to, const struct pair *pair, const struct trade *trade)
{
	char at[WALL_TEXT_LEN], price[DECIMAL_TEXT_LEN], amount[DECIMAL_TEXT_LEN];

	buf_printf(to,
		   "{\"timestamp\":\"%s\",\"symbol\":\"%s\",\"side\":\"%s\",\"price\":%s,"
		   "\"amount\":%s}",
		   wall_print(trade->at, at), pair->symbol, side_name(trade->taker_side),
		   price_print(trade->price, price), amount_print(trade->base_units, amount));
}

void stream_add_trade(struct buf *to, const struct pair *pair, const struct trade *trade)
{
	buf_add_char(to, '[');
	add_trade(to, pair, trade);
	buf_add_char(to, ']');
}

void stream_add_trades(struct buf *to, const struct exchange_market *market,
		       const struct pair *pair, size_t limit)
{
	size_t count = 0;

	buf_add_char(to, '[');
	for (struct list_node *node = market->trades.head.prev;
	     node != &market->trades.head && count < limit; node = node->prev) {
		if (count++ > 0)
			buf_add_char(to, ',');
		add_trade(to, pair, CONTAINER_OF(node, struct trade, node));
	}
	buf_add_char(to, ']');
}

/* ---- the account ---- */

void stream_add_order(struct buf *to, const struct order *order, bool has_executions)
{
	json_t *object = wire_order(order, has_executions);
	char *text;

	if (!has_executions)
		json_object_set_new(object, "order_execution_records", json_array());
	text = json_dumps(object, JSON_COMPACT);
	buf_printf(to, "{\"type\":\"Account\",\"sub_type\":\"order_info\",\"order\":%s}",
		   text ? text : "null");
	free(text);
	json_decref(object);
}

static void add_balance(struct buf *to, const struct account *account, size_t asset,
			const char *quote)
{
	const struct balance *balance = &account->balances[asset];
	char free_text[DECIMAL_TEXT_LEN], locked_text[DECIMAL_TEXT_LEN];

	buf_printf(to,
		   "{\"asset\":\"%s\",\"asset_unit\":\"%s\",\"free\":%s%s%s,"
		   "\"locked\":%s%s%s}",
		   market_assets[asset].symbol, market_assets[asset].unit, quote,
		   amount_print(balance->free, free_text), quote, quote,
		   amount_print(balance->locked, locked_text), quote);
}

void stream_add_balances(struct buf *to, const struct account *account, unsigned assets,
			 bool has_strings)
{
	bool is_first = true;

	buf_add_str(to, "{\"type\":\"Account\",\"sub_type\":\"balance\",\"balance\":[");
	for (size_t i = 0; i < ASSET_COUNT; i++) {
		if (!(assets & 1u << i))
			continue;
		if (!is_first)
			buf_add_char(to, ',');
		add_balance(to, account, i, has_strings ? "\"" : "");
		is_first = false;
	}
	buf_add_str(to, "]}");
}

/* ---- storms ---- */

static void add_storm_side(struct buf *to, const struct pair *pair, uint64_t n, int64_t mid,
			   int way)
{
	int64_t step = price_step(pair->price_max_dp);
	int64_t unit = amount_step(pair->base->max_qty_dp);

	for (unsigned i = 0; i < STORM_LEVELS; i++) {
		int64_t count = (int64_t)(1000 + (n * 31 + i * 977) % 90000);

		add_level(to, mid + way * (int64_t)(i + 1) * step, count * unit, i == 0);
	}
}

void stream_add_storm(struct buf *to, const struct pair *pair, uint64_t n, struct wall now)
{
	int64_t swing = (int64_t)(n * 7 % (2 * STORM_SWING + 1)) - STORM_SWING;
	int64_t mid = pair->price_start + swing * price_step(pair->price_max_dp);

	buf_printf(to, "{\"timestamp\":%lld,\"bids\":[", (long long)(now.us / 1000));
	add_storm_side(to, pair, n, mid, -1);
	buf_add_str(to, "],\"asks\":[");
	add_storm_side(to, pair, n, mid, 1);
	buf_add_str(to, "]}");
}
