/* rest_market.c - prices, candles, configuration, health. Market numbers are JSON numbers; they
 * are written digit by digit, since a double could not hold them all. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/httpd.h"
#include "sim/exchange.h"
#include "sim/rest.h"
#include "sim/wire.h"

#define JSON_TYPE   "application/json; charset=utf-8"
#define CANDLES_MAX (1u << 24) /* bytes of an answer */
#define CYCLE_US    (INT64_C(6) * 3600 * 1000000)
#define TERMS       "Simulated exchange: nothing here is worth anything."

int rest_market_price(struct rest_call *call, struct reply *reply)
{
	char symbol[32], price[DECIMAL_TEXT_LEN];
	const struct pair *pair;
	struct buf body;

	if (!http_query_get(call->request, "symbol", symbol, sizeof(symbol)))
		return CODE_INVALID;
	if (!(pair = market_pair(symbol)))
		return CODE_SYMBOL;
	buf_init(&body, 256);
	buf_printf(&body, "{\"price\":%s}",
		   price_print(call->sim->exchange->markets[pair->id].last_price, price));
	reply_text(reply, 200, JSON_TYPE, buf_str(&body));
	buf_fini(&body);
	return CODE_DONE;
}

/* ---- candles ---- */

struct candle {
	int64_t start, open, high, low, close, volume; /* seconds, prices, base units */
};

/* Weeks and months are counted from 1970; real boundaries are not known. */
static int64_t interval_seconds(const char *word)
{
	static const struct {
		const char *word;
		int64_t seconds;
	} intervals[] = { { "5m", 300 },   { "15m", 900 },   { "30m", 1800 },  { "1h", 3600 },
			  { "1d", 86400 }, { "1w", 604800 }, { "1M", 2592000 } };

	for (size_t i = 0; i < ARRAY_LEN(intervals); i++)
		if (strcmp(intervals[i].word, word) == 0)
			return intervals[i].seconds;
	return 0;
}

static void candle_take(struct candle *candle, const struct trade *trade)
{
	if (candle->volume == 0)
		candle->open = candle->high = candle->low = trade->price;
	if (trade->price > candle->high)
		candle->high = trade->price;
	if (trade->price < candle->low)
		candle->low = trade->price;
	candle->close = trade->price;
	candle->volume += trade->base_units;
}

static void candle_print(struct buf *to, const struct candle *candle, const struct pair *pair)
{
	char open[DECIMAL_TEXT_LEN], high[DECIMAL_TEXT_LEN], low[DECIMAL_TEXT_LEN];
	char close[DECIMAL_TEXT_LEN], volume[DECIMAL_TEXT_LEN];

	buf_printf(to, "%s{\"t\":%lld,\"s\":\"%s\",\"o\":%s,\"h\":%s,\"l\":%s,\"c\":%s,\"v\":%s}",
		   to->len > 1 ? "," : "", (long long)candle->start, pair->symbol,
		   price_print(candle->open, open), price_print(candle->high, high),
		   price_print(candle->low, low), price_print(candle->close, close),
		   amount_print(candle->volume, volume));
}

struct graph {
	const struct pair *pair;
	int64_t interval, start, end; /* seconds */
	bool is_descending;
};

/* As many candles as there are stretches with trades, oldest first; mem_ memory. */
static struct candle *gather(const struct graph *graph, const struct exchange_market *market,
			     size_t *count)
{
	struct candle *candles = mem_array(market->trade_count + 1, sizeof(*candles));

	*count = 0;
	LIST_EACH (&market->trades, node) {
		const struct trade *trade = CONTAINER_OF(node, struct trade, node);
		int64_t second = trade->at.us / 1000000;
		int64_t start = second - second % graph->interval;

		if (start + graph->interval <= graph->start || start > graph->end)
			continue;
		if (*count == 0 || candles[*count - 1].start != start)
			candles[(*count)++].start = start;
		candle_take(&candles[*count - 1], trade);
	}
	return candles;
}

static void print_graph(struct buf *body, const struct graph *graph,
			const struct exchange_market *market)
{
	size_t count;
	struct candle *candles = gather(graph, market, &count);

	buf_add_char(body, '[');
	for (size_t i = 0; i < count; i++)
		candle_print(body, &candles[graph->is_descending ? count - 1 - i : i], graph->pair);
	buf_add_char(body, ']');
	mem_free(candles);
}

static bool read_seconds(const struct rest_call *call, const char *name, int64_t *seconds)
{
	char text[20];
	size_t len;

	if (!http_query_get(call->request, name, text, sizeof(text)))
		return false;
	len = strspn(text, "0123456789");
	*seconds = strtoll(text, NULL, 10);
	return len > 0 && len < 12 && text[len] == '\0';
}

static enum code read_graph(const struct rest_call *call, struct graph *graph)
{
	char interval[8] = "", order[8] = "asc";

	if (!(graph->pair = market_pair(call->param)))
		return CODE_SYMBOL;
	(void)http_query_get(call->request, "interval", interval, sizeof(interval));
	if (!(graph->interval = interval_seconds(interval)))
		return CODE_INTERVAL;
	(void)http_query_get(call->request, "order_by", order, sizeof(order));
	graph->is_descending = strcmp(order, "desc") == 0;
	if (!graph->is_descending && strcmp(order, "asc") != 0)
		return CODE_INVALID;
	return read_seconds(call, "start", &graph->start) && read_seconds(call, "end", &graph->end)
		       ? CODE_DONE
		       : CODE_INVALID;
}

int rest_graph(struct rest_call *call, struct reply *reply)
{
	struct graph graph;
	struct buf body;
	enum code code = read_graph(call, &graph);

	if (code)
		return code;
	buf_init(&body, CANDLES_MAX);
	print_graph(&body, &graph, &call->sim->exchange->markets[graph.pair->id]);
	reply_text(reply, 200, JSON_TYPE, buf_str(&body));
	buf_fini(&body);
	return CODE_DONE;
}

/* ---- app and health ---- */

int rest_market_config(struct rest_call *call, struct reply *reply)
{
	(void)call;
	reply_json(reply, 200, wire_market_config());
	return CODE_DONE;
}

/* Format and length of a cycle are not known; RFC 3339 and six hours are guesses. */
int rest_hydra_cycle(struct rest_call *call, struct reply *reply)
{
	struct wall now = call->sim->exchange->now;
	struct wall start = { now.us - now.us % CYCLE_US }, end = { start.us + CYCLE_US };

	reply_json(reply, 200,
		   json_pack("{s:o,s:o}", "start", wire_time(start), "end", wire_time(end)));
	return CODE_DONE;
}

int rest_terms(struct rest_call *call, struct reply *reply)
{
	(void)call;
	reply_json(reply, 200, json_pack("{s:s}", "value", TERMS));
	return CODE_DONE;
}

/* The real shape is not known. */
int rest_lock_status(struct rest_call *call, struct reply *reply)
{
	reply_json(reply, 200,
		   json_pack("{s:b}", "trading_locked", call->sim->exchange->is_locked));
	return CODE_DONE;
}
