#include "server/hub_text.h"

#include <string.h>

#include "net/ws.h"
#include "server/journal.h"
#include "server/order.h"

static const char *const sides[] = { [DD_BUY] = "buy", [DD_SELL] = "sell" };

/* ---- messages ---------------------------------------------------------------------------- */

static void begin(struct json_out *out, const char *op)
{
	json_out_object(out, NULL);
	json_out_str(out, "op", op);
}

static void add_id(struct json_out *out, int64_t id)
{
	if (id < 0)
		json_out_null(out, "id");
	else
		json_out_int(out, "id", id);
}

static void add_number(struct json_out *out, const char *name, uint64_t number)
{
	json_out_int(out, name, (int64_t)number); /* below 2^53 for thousands of years */
}

/* What is JSON already. */
static void add_data(struct json_out *out, const char *data, size_t len)
{
	json_out_null(out, "data");
	buf_truncate(&out->buf, out->buf.len - strlen("null"));
	buf_add(&out->buf, data, len);
}

void hub_text_clear(struct json_out *out)
{
	buf_clear(&out->buf);
	out->needs_comma = false;
}

static struct ws_frame *end(struct json_out *out)
{
	struct ws_frame *frame;

	json_out_object_end(out);
	frame = ws_frame_text(buf_str(&out->buf), out->buf.len);
	hub_text_clear(out);
	return frame;
}

struct ws_frame *hub_text_subscribed(struct json_out *out, int64_t id, const char *channel,
				     uint64_t seq, bool is_recovered, const bool *market_live)
{
	begin(out, "subscribed");
	add_id(out, id);
	json_out_str(out, "ch", channel);
	add_number(out, "seq", seq);
	json_out_bool(out, "recovered", is_recovered);
	if (market_live)
		json_out_bool(out, "live", *market_live);
	return end(out);
}

struct ws_frame *hub_text_unsubscribed(struct json_out *out, int64_t id, const char *channel)
{
	begin(out, "unsubscribed");
	add_id(out, id);
	json_out_str(out, "ch", channel);
	return end(out);
}

struct ws_frame *hub_text_error(struct json_out *out, int64_t id, const struct err *err)
{
	begin(out, "error");
	add_id(out, id);
	json_out_str(out, "code", err_word(err->code));
	json_out_str(out, "detail", err->text);
	return end(out);
}

struct ws_frame *hub_text_status(struct json_out *out, const char *channel, bool is_live,
				 struct wall at)
{
	begin(out, "status");
	json_out_str(out, "ch", channel);
	json_out_bool(out, "live", is_live);
	json_out_time(out, "ts", at);
	return end(out);
}

struct ws_frame *hub_text_gap(struct json_out *out, const char *channel, uint64_t seq,
			      uint64_t prev, struct wall at, const char *reason)
{
	begin(out, "gap");
	json_out_str(out, "ch", channel);
	add_number(out, "seq", seq);
	add_number(out, "prev", prev);
	json_out_time(out, "ts", at);
	json_out_str(out, "reason", reason);
	return end(out);
}

struct ws_frame *hub_text_event(struct json_out *out, const struct hub_text_event *event)
{
	begin(out, "event");
	json_out_str(out, "ch", event->channel);
	add_number(out, "seq", event->seq);
	add_number(out, "prev", event->prev);
	json_out_time(out, "ts", event->at);
	json_out_str(out, "type", event->type);
	if (event->is_conflated)
		add_number(out, "skipped", event->seq - event->prev - 1);
	add_data(out, event->data, event->data_len);
	return end(out);
}

struct ws_frame *hub_text_snapshot(struct json_out *out, const struct hub_text_snapshot *snapshot)
{
	begin(out, "snapshot");
	add_id(out, snapshot->id);
	json_out_str(out, "ch", snapshot->channel);
	add_number(out, "seq", snapshot->seq);
	json_out_time(out, "ts", snapshot->at);
	add_data(out, snapshot->data, snapshot->data_len);
	return end(out);
}

void hub_text_hb_begin(struct json_out *out, struct wall at)
{
	begin(out, "hb");
	json_out_time(out, "ts", at);
	json_out_object(out, "last");
}

void hub_text_hb_add(struct json_out *out, const char *channel, uint64_t seq)
{
	add_number(out, channel, seq);
}

struct ws_frame *hub_text_hb_end(struct json_out *out)
{
	json_out_object_end(out);
	return end(out);
}

/* ---- data -------------------------------------------------------------------------------- */

static void levels(struct json_out *out, const char *name, const struct dd_level *side,
		   size_t count)
{
	json_out_array(out, name);
	for (size_t i = 0; i < count; i++) {
		json_out_array(out, NULL);
		json_out_decimal(out, NULL, side[i].price);
		json_out_decimal(out, NULL, side[i].quantity);
		json_out_array_end(out);
	}
	json_out_array_end(out);
}

void hub_text_depth(struct json_out *out, const char *symbol, const struct dd_depth *depth)
{
	json_out_object(out, NULL);
	json_out_str(out, "symbol", symbol);
	json_out_time(out, "exchange_time", depth->at);
	levels(out, "bids", depth->bids, depth->bid_count);
	levels(out, "asks", depth->asks, depth->ask_count);
	json_out_object_end(out);
}

void hub_text_price(struct json_out *out, const char *symbol, struct decimal price, struct wall at)
{
	json_out_object(out, NULL);
	json_out_str(out, "symbol", symbol);
	json_out_decimal(out, "price", price);
	json_out_time(out, "exchange_time", at);
	json_out_object_end(out);
}

void hub_text_trade(struct json_out *out, const struct dd_trade *trade)
{
	json_out_object(out, NULL);
	json_out_str(out, "symbol", trade->symbol);
	json_out_str(out, "side", sides[trade->side]);
	json_out_decimal(out, "price", trade->price);
	json_out_decimal(out, "base_qty", trade->base_qty);
	json_out_time(out, "executed_at", trade->at);
	json_out_object_end(out);
}

void hub_text_balance(struct json_out *out, const struct journal_balance *balance,
		      struct wall as_of)
{
	json_out_object(out, NULL);
	json_out_str(out, "asset", balance->asset);
	json_out_text(out, "unit", balance->unit);
	json_out_decimal(out, "free", balance->free);
	json_out_decimal(out, "locked", balance->locked);
	json_out_time(out, "as_of", as_of);
	json_out_object_end(out);
}
