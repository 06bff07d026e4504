/* Markets, prices, books, public trades and candles. The exchange tells books and trades on its
 * streams only: who asks for them makes the daemon follow these for a while. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "client/deltadefi.h"
#include "net/loop.h"
#include "server/api.h"
#include "server/daemon.h"
#include "server/json.h"
#include "server/market.h"
#include "server/streams.h"

#define CANDLES_DEFAULT_S 86400 /* without a start */
#define INTERVAL_LEN      8
#define FIRST_WAIT_MS     2000 /* for the first message of a stream that was just opened */
#define FIRST_LOOK_MS     20

void api_markets_get(struct api_call *call)
{
	const struct dd_market *markets;
	struct json_out out;
	struct wall as_of;
	size_t count;

	markets = market_all(call->daemon->market, &count, &as_of);
	if (count == 0) {
		api_refuse(call, ERR_NO_DATA, "the pairs are not known yet");
		return;
	}
	json_out_init(&out);
	json_out_object(&out, NULL);
	json_out_array(&out, "data");
	for (size_t i = 0; i < count; i++)
		json_market(&out, &markets[i]);
	json_out_array_end(&out);
	json_out_time(&out, "as_of", as_of);
	json_out_object_end(&out);
	api_reply(call, 200, &out);
}

/* False, and answered, when the pair named in the path does not exist. */
static bool has_pair(struct api_call *call)
{
	if (market_rules(call->daemon->market, call->param))
		return true;
	if (market_has_rules(call->daemon->market))
		api_refuse(call, ERR_NOT_FOUND, "the exchange has no such pair");
	else
		api_refuse(call, ERR_NO_DATA, "the pairs are not known yet");
	return false;
}

/* ---- what only the streams tell ---------------------------------------------------------- */

/* A reader that waits for a stream's first message. */
struct first {
	enum dd_stream_kind kind;
	struct mono deadline;
	bool (*answer)(struct api_call *call, bool is_live_only); /* false: nothing to tell */
};

static void look(struct api_call *call)
{
	const struct first *first = call->state;
	struct daemon *daemon = call->daemon;
	bool is_opening = streams_touch(daemon->streams, first->kind, call->param);
	bool is_late = mono_is_past(first->deadline, loop_now(daemon->loop));

	if (first->answer(call, is_opening && !is_late))
		return;
	if (is_late)
		api_refuse(call, ERR_NO_DATA, "the exchange's stream has told nothing yet");
	else
		api_wait(call, FIRST_LOOK_MS, look);
}

static void tell_first(struct api_call *call, enum dd_stream_kind kind,
		       bool (*answer)(struct api_call *call, bool is_live_only))
{
	struct first *first = mem_alloc(sizeof(*first));

	first->kind = kind;
	first->deadline = mono_after_ms(loop_now(call->daemon->loop), FIRST_WAIT_MS);
	first->answer = answer;
	call->state = first;
	call->drop = mem_free;
	if (has_pair(call))
		look(call);
}

static void print_source(struct json_out *out, int64_t age_ms, bool is_live)
{
	json_out_int(out, "age_ms", age_ms);
	json_out_str(out, "source", "stream");
	json_out_bool(out, "is_live", is_live);
}

static bool answer_depth(struct api_call *call, bool is_live_only)
{
	struct market_book book;
	struct json_out out;

	if (!market_book(call->daemon->market, call->param, &book) ||
	    (is_live_only && !book.is_live))
		return false;
	json_out_init(&out);
	json_out_object(&out, NULL);
	json_out_str(&out, "symbol", call->param);
	json_levels(&out, "bids", book.depth.bids, book.depth.bid_count);
	json_levels(&out, "asks", book.depth.asks, book.depth.ask_count);
	json_out_time(&out, "exchange_time", book.depth.at);
	json_out_time(&out, "as_of", book.received);
	print_source(&out, book.age_ms, book.is_live);
	json_out_object_end(&out);
	api_reply(call, 200, &out);
	return true;
}

void api_depth_get(struct api_call *call)
{
	tell_first(call, DD_STREAM_DEPTH, answer_depth);
}

static bool answer_trades(struct api_call *call, bool is_live_only)
{
	const struct dd_trade *trades;
	struct json_out out;
	int64_t age_ms;
	size_t count;
	bool is_live;

	trades = market_trades(call->daemon->market, call->param, &count, &is_live, &age_ms);
	if (!trades || (is_live_only && !is_live))
		return false;
	json_out_init(&out);
	json_out_object(&out, NULL);
	json_out_array(&out, "data");
	for (size_t i = 0; i < count; i++)
		json_trade(&out, &trades[i]);
	json_out_array_end(&out);
	print_source(&out, age_ms, is_live);
	json_out_object_end(&out);
	api_reply(call, 200, &out);
	return true;
}

void api_trades_get(struct api_call *call)
{
	tell_first(call, DD_STREAM_TRADES, answer_trades);
}

/* ---- price ------------------------------------------------------------------------------ */

static void price_known(void *arg, const struct err *err, const struct market_price *price)
{
	struct api_call *call = arg;
	struct json_out out;

	if (!api_release(call))
		return;
	if (err) {
		api_reply_err(call, err);
		return;
	}
	json_out_init(&out);
	json_out_object(&out, NULL);
	json_out_str(&out, "symbol", call->param);
	json_out_decimal(&out, "price", price->value);
	json_out_time(&out, "as_of", price->as_of);
	json_out_int(&out, "age_ms", price->age_ms);
	json_out_str(&out, "source", price->is_live ? "stream" : "exchange");
	json_out_bool(&out, "is_live", price->is_live);
	json_out_object_end(&out);
	api_reply(call, 200, &out);
}

void api_price_get(struct api_call *call)
{
	api_hold(call);
	market_price(call->daemon->market, call->param, -1, price_known, call);
}

/* ---- candles ---------------------------------------------------------------------------- */

struct candles {
	char interval[INTERVAL_LEN];
	struct wall start, end;
};

static void candles_told(void *arg, const struct dd_result *result, const struct dd_candle *candles,
			 size_t count)
{
	struct api_call *call = arg;
	struct json_out out;

	api_note_read(call, "candles", result, false);
	if (!api_release(call))
		return;
	if (result->verdict != DD_DONE) {
		api_reply_err(call, &result->err);
		return;
	}
	json_out_init(&out);
	json_out_object(&out, NULL);
	json_out_array(&out, "data");
	for (size_t i = 0; i < count; i++)
		json_candle(&out, &candles[i]);
	json_out_array_end(&out);
	json_out_object_end(&out);
	api_reply(call, 200, &out);
}

static void ask_candles(void *arg)
{
	struct api_call *call = arg;
	const struct candles *wanted = call->state;

	if (!api_release(call))
		return;
	api_hold(call);
	dd_candles_get(call->daemon->exchange, call->param, wanted->interval,
		       wanted->start.us / 1000000, wanted->end.us / 1000000, candles_told, call);
}

static bool query_candles(const struct api_call *call, struct candles *wanted, struct err *err)
{
	if (!api_query(call, "interval", wanted->interval, sizeof(wanted->interval), err) ||
	    !api_query_time(call, "start", &wanted->start, err) ||
	    !api_query_time(call, "end", &wanted->end, err))
		return false;
	if (wanted->interval[0] == '\0')
		STR_SET(wanted->interval, "15m");
	if (wanted->end.us == 0)
		wanted->end = wall_now();
	if (wanted->start.us == 0)
		wanted->start.us = wanted->end.us - (int64_t)CANDLES_DEFAULT_S * 1000000;
	if (wanted->start.us < 0)
		wanted->start.us = 0;
	if (wanted->start.us > wanted->end.us)
		return err_set(err, ERR_INVALID, "start is after end");
	return true;
}

void api_candles_get(struct api_call *call)
{
	struct candles *wanted = mem_alloc(sizeof(*wanted));
	struct err err;

	call->state = wanted;
	call->drop = mem_free;
	if (!query_candles(call, wanted, &err))
		api_reply_err(call, &err);
	else if (has_pair(call))
		api_queue_read(call, ask_candles);
}
