#include "server/event.h"

#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "server/json.h"

/* While the disk refuses, facts wait in memory: those of the system give way to orders and fills.
 */
#define SYSTEM_WAITING_MAX 1000

static const char *const system_types[] = {
#define X(name, type) [SYSTEM_##name] = (type),
	SYSTEM_EVENTS(X)
#undef X
};

const char *system_event_type(enum system_event event)
{
	return system_types[event];
}

static void add(struct journal_write *write, struct channel_event *event, bool follows_row,
		struct json_out *out)
{
	event->data = buf_str(&out->buf);
	journal_write_event(write, event, follows_row);
	json_out_fini(out);
}

void event_order(struct journal_write *write, const struct order *order)
{
	struct channel_event event = { .channel = CHANNEL_ORDERS, .type = "order.updated" };
	struct json_out out;

	STR_SET(event.token_id, order->terms.token_id);
	STR_SET(event.symbol, order->terms.symbol);
	event.at = order->facts.updated_at;
	json_out_init(&out);
	json_order(&out, NULL, order);
	add(write, &event, false, &out);
}

uint64_t event_order_digest(const struct order *order)
{
	struct order timeless = *order;
	uint64_t digest = 14695981039346656037u; /* FNV-1a, of what event_order() would tell */
	struct json_out out;

	timeless.facts.updated_at = (struct wall){ 0 };
	json_out_init(&out);
	json_order(&out, NULL, &timeless);
	for (const char *at = buf_str(&out.buf); *at != '\0'; at++)
		digest = (digest ^ (unsigned char)*at) * 1099511628211u;
	json_out_fini(&out);
	return digest;
}

void event_fill(struct journal_write *write, const struct fill *fill)
{
	struct channel_event event = { .channel = CHANNEL_FILLS, .type = "fill.created" };
	struct json_out out;

	STR_SET(event.token_id, fill->token_id);
	STR_SET(event.symbol, fill->symbol);
	event.at = fill->booked_at;
	json_out_init(&out);
	json_fill(&out, fill);
	add(write, &event, true, &out);
}

void event_balance(struct journal_write *write, const struct journal_balance *balance,
		   struct wall as_of)
{
	struct channel_event event = { .channel = CHANNEL_BALANCES, .type = "balance.updated" };
	struct json_out out;

	event.at = as_of;
	json_out_init(&out);
	json_out_object(&out, NULL);
	json_out_str(&out, "asset", balance->asset);
	json_out_text(&out, "unit", balance->unit);
	json_out_decimal(&out, "free", balance->free);
	json_out_decimal(&out, "locked", balance->locked);
	json_out_time(&out, "as_of", as_of);
	json_out_object_end(&out);
	add(write, &event, true, &out);
}

/* ---- system ----------------------------------------------------------------------------- */

static void begin_fact(struct json_out *out, const char *about, const char *text)
{
	json_out_init(out);
	json_out_object(out, NULL);
	json_out_text(out, "about", about);
	json_out_str(out, "text", text);
}

static void end_fact(struct journal_write *write, enum system_event event, const char *token_id,
		     const char *symbol, struct json_out *out)
{
	struct channel_event told = { .channel = CHANNEL_SYSTEM };

	STR_SET(told.type, system_types[event]);
	STR_SET(told.token_id, token_id);
	STR_SET(told.symbol, symbol);
	told.at = wall_now();
	json_out_object_end(out);
	add(write, &told, false, out);
}

void event_system_with(struct journal_write *write, enum system_event event, const char *about,
		       const char *token_id, const char *symbol, const char *text)
{
	struct json_out out;

	begin_fact(&out, about, text);
	end_fact(write, event, token_id, symbol, &out);
}

void event_unknown_with(struct journal_write *write, const struct order *order, const char *reason,
			struct wall next_attempt)
{
	char text[320];
	struct json_out out;

	snprintf(text, sizeof(text), "it may be live, and is asked for: %s", reason);
	begin_fact(&out, order->terms.order_id, text);
	json_out_str(&out, "reason", reason);
	json_out_time(&out, "next_attempt_at", next_attempt);
	end_fact(write, SYSTEM_ORDER_UNKNOWN, order->terms.token_id, order->terms.symbol, &out);
}

static bool is_dropped(struct journal *journal, enum system_event event, const char *about,
		       const char *text)
{
	struct journal_status status;

	journal_status(journal, &status);
	if (status.is_writable || status.waiting < SYSTEM_WAITING_MAX)
		return false;
	LOG(WARN, "event.dropped", F_STR("type", system_types[event]), F_STR("about", about),
	    F_STR("text", text));
	return true;
}

void event_system(struct journal *journal, enum system_event event, const char *about,
		  const char *token_id, const char *symbol, const char *text)
{
	struct journal_write *write;

	if (is_dropped(journal, event, about, text))
		return;
	write = journal_write_create();
	event_system_with(write, event, about, token_id, symbol, text);
	journal_append(journal, JOURNAL_FACT, write, NULL, NULL);
}

void event_unknown(struct journal *journal, const struct order *order, const char *reason,
		   struct wall next_attempt)
{
	struct journal_write *write;

	if (is_dropped(journal, SYSTEM_ORDER_UNKNOWN, order->terms.order_id, reason))
		return;
	write = journal_write_create();
	event_unknown_with(write, order, reason, next_attempt);
	journal_append(journal, JOURNAL_FACT, write, NULL, NULL);
}
