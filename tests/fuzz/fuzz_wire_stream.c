/* Any message of any stream of the exchange: refused, or what is handed on keeps its promises. And
 * what is noted for the log is made of words, whatever the bytes. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"
#include "client/wire.h"
#include "client/wire_stream.h"

#define SYMBOL "ADAUSDM"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_words(const struct wire_message *message)
{
	static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
				   "0123456789?";

	assert(message->sub_type[strspn(message->sub_type, word)] == '\0');
	for (const char *at = message->keys; *at; at += *at == ',') {
		assert(*at < '0' || *at > '9');
		at += strcmp(at, "...") == 0 ? 3 : strspn(at, word);
		assert(*at == ',' || *at == '\0');
	}
}

static void check_order(const struct dd_order *order)
{
	assert(wire_is_id(order->id) && order->status_text[0] != '\0');
	assert(order->has_executions || order->execution_count == 0);
	for (size_t i = 0; i < order->execution_count; i++)
		assert(wire_is_id(order->executions[i].id));
}

/* sign: of the price's way from one level to the next. */
static void check_side(const struct dd_level *levels, size_t count, int sign)
{
	assert(count <= WIRE_LEVELS_MAX);
	for (size_t i = 0; i < count; i++) {
		assert(decimal_sign(levels[i].price) > 0 && decimal_sign(levels[i].quantity) > 0);
		if (i > 0)
			assert(sign * decimal_cmp(levels[i].price, levels[i - 1].price) >= 0);
	}
}

static void check_trades(const struct dd_trade *trades, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		assert(strcmp(trades[i].symbol, SYMBOL) == 0);
		assert(decimal_sign(trades[i].price) > 0 && decimal_sign(trades[i].base_qty) > 0);
		assert(i == 0 || trades[i].at.us >= trades[i - 1].at.us);
	}
}

static void check_content(const struct wire_message *message)
{
	switch (message->content) {
	case WIRE_KEEP_ALIVE:
	case WIRE_NOTHING:
	case WIRE_UNKNOWN:
		break;
	case WIRE_ORDER:
		check_order(message->order);
		break;
	case WIRE_BALANCES:
		for (size_t i = 0; i < message->balance_count; i++)
			assert(message->balances[i].asset[0] || message->balances[i].unit[0]);
		break;
	case WIRE_DEPTH:
		check_side(message->depth.bids, message->depth.bid_count, -1);
		check_side(message->depth.asks, message->depth.ask_count, 1);
		break;
	case WIRE_PRICE:
		assert(decimal_sign(message->price) > 0);
		break;
	case WIRE_TRADES:
		check_trades(message->trades, message->trade_count);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int kind = 0; kind < DD_STREAM_KINDS; kind++) {
		struct wire_message message;
		struct err err;

		if (wire_message_read((enum dd_stream_kind)kind, SYMBOL, (const char *)data, size,
				      &message, &err))
			check_content(&message);
		else
			assert(err.text[0] != '\0' && utf8_is_valid(err.text, strlen(err.text)));
		check_words(&message);
		wire_message_fini(&message);
	}
	return 0;
}
