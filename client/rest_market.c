#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "client/call.h"
#include "client/wire.h"

static void markets_finish(struct call *call, struct wire_doc *doc)
{
	struct dd_market *markets = NULL;
	size_t count = 0;
	struct err err;

	if (doc && !wire_markets_read(doc, &markets, &count, &err))
		call_unreadable(call, &err);
	call->done.markets(call->arg, &call->result, markets, count);
	wire_markets_free(markets);
}

void dd_markets_get(struct dd_client *client, dd_markets_fn *done, void *arg)
{
	struct call *call = call_create(client, CALL_PUBLIC, markets_finish, arg);

	call->done.markets = done;
	call_get(call, "/app/market-config");
}

static void price_finish(struct call *call, struct wire_doc *doc)
{
	struct decimal price = DECIMAL_ZERO;
	struct err err;

	if (doc && !wire_price_read(doc, &price, &err))
		call_unreadable(call, &err);
	call->done.price(call->arg, &call->result, price);
}

void dd_price_get(struct dd_client *client, const char *symbol, dd_price_fn *done, void *arg)
{
	struct call *call = call_create(client, CALL_PUBLIC, price_finish, arg);

	call->done.price = done;
	if (wire_is_symbol(symbol))
		call_get(call, "/market/market-price?symbol=%s", symbol);
	else
		call_refuse_invalid(call, "the symbol is not one of the exchange's");
}

static void candles_finish(struct call *call, struct wire_doc *doc)
{
	struct dd_candle *candles = NULL;
	size_t count = 0;
	struct err err;

	if (doc && !wire_candles_read(doc, &candles, &count, &err))
		call_unreadable(call, &err);
	call->done.candles(call->arg, &call->result, candles, count);
	wire_candles_free(candles);
}

/* "5m", "1d", "1M": which of them there are is for the exchange to say. */
static bool is_interval(const char *interval)
{
	size_t digits = strspn(interval, "0123456789");

	return digits > 0 && digits <= 4 && strspn(interval + digits, "smhdwM") == 1 &&
	       interval[digits + 1] == '\0';
}

void dd_candles_get(struct dd_client *client, const char *symbol, const char *interval,
		    int64_t start_s, int64_t end_s, dd_candles_fn *done, void *arg)
{
	struct call *call = call_create(client, CALL_PUBLIC, candles_finish, arg);

	call->done.candles = done;
	call->answer_max = CALL_PAGE_MAX;
	if (!wire_is_symbol(symbol))
		call_refuse_invalid(call, "the symbol is not one of the exchange's");
	else if (!is_interval(interval))
		call_refuse_invalid(call, "an interval is a number and one of s, m, h, d, w, M");
	else if (start_s < 0 || end_s < start_s)
		call_refuse_invalid(call, "candles end after they start");
	else
		call_get(call,
			 "/market/graph/%s?interval=%s&start=%" PRId64 "&end=%" PRId64
			 "&order_by=asc",
			 symbol, interval, start_s, end_s);
}

static void cycle_finish(struct call *call, struct wire_doc *doc)
{
	struct err err;
	char *start = doc ? wire_text_read(doc, "start", &err) : NULL;
	char *end = start ? wire_text_read(doc, "end", &err) : NULL;

	if (doc && !end) {
		call_unreadable(call, &err);
		mem_free(start);
		start = NULL;
	}
	call->done.cycle(call->arg, &call->result, start, end);
	mem_free(start);
	mem_free(end);
}

void dd_hydra_cycle_get(struct dd_client *client, dd_cycle_fn *done, void *arg)
{
	struct call *call = call_create(client, CALL_PUBLIC, cycle_finish, arg);

	call->done.cycle = done;
	call_get(call, "/app/hydra-cycle");
}

void dd_terms_get(struct dd_client *client, dd_text_fn *done, void *arg)
{
	struct call *call = call_create(client, CALL_PUBLIC, call_text_finish, arg);

	call->done.text = done;
	call->text_name = "value";
	call_get(call, "/app/terms-and-conditions");
}
