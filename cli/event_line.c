#include "cli/event_line.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/print.h"

#define TIME_TO_MS 23 /* 2026-11-22T11:02:05.123 */

/* Each % of the form is the member whose name follows in braces: "%{side} %{symbol}". */
static void add_form(struct buf *to, const json_t *data, const char *form)
{
	const char *start;

	while ((start = strstr(form, "%{"))) {
		const char *end = strchr(start, '}');
		char key[32] = "";

		buf_add(to, form, (size_t)(start - form));
		memcpy(key, start + 2, (size_t)(end - start - 2));
		print_value(to, print_find(data, key), PRINT_TEXT);
		form = end + 1;
	}
	buf_add_str(to, form);
}

static bool is_given(const json_t *data, const char *key)
{
	const json_t *value = print_find(data, key);

	return value && !json_is_null(value);
}

/* ---- what the channels tell -------------------------------------------------------------- */

static void add_order(struct buf *to, const json_t *order)
{
	add_form(to, order, "%{order_id} %{side} %{symbol} ");
	add_form(to, order, is_given(order, "base_qty") ? "%{base_qty}" : "%{quote_qty} in quote");
	add_form(to, order, is_given(order, "price") ? " @ %{price}" : " @ market");
	add_form(to, order, " %{state}, executed %{executed_base_qty}");
	if (is_given(order, "error.code"))
		add_form(to, order, ", %{error.code}: %{error.text}");
}

static void add_fill(struct buf *to, const json_t *fill)
{
	add_form(to, fill,
		 "%{order_id} %{side} %{symbol} %{base_qty} @ %{price} %{role}, commission "
		 "%{commission} %{commission_unit}, execution %{execution_id}");
}

static void add_balance(struct buf *to, const json_t *balance)
{
	add_form(to, balance, "%{asset} free %{free}, locked %{locked}");
}

static void add_level(struct buf *to, const char *name, const json_t *levels)
{
	const json_t *best = json_array_get(levels, 0);

	buf_add_str(to, name);
	if (!best) {
		buf_add_str(to, " none");
		return;
	}
	buf_add_char(to, ' ');
	print_value(to, json_array_get(best, 0), PRINT_TEXT);
	buf_add_str(to, " x ");
	print_value(to, json_array_get(best, 1), PRINT_TEXT);
}

static void add_depth(struct buf *to, const json_t *depth)
{
	add_level(to, "bid", print_find(depth, "bids"));
	add_level(to, ", ask", print_find(depth, "asks"));
}

static void add_price(struct buf *to, const json_t *price)
{
	add_form(to, price, "%{price}");
}

static void add_trade(struct buf *to, const json_t *trade)
{
	add_form(to, trade, "%{side} %{base_qty} @ %{price}");
}

/* The snapshot says how the daemon is, and events what happened to it. */
static void add_system(struct buf *to, const json_t *system)
{
	if (!is_given(system, "status")) {
		add_form(to, system, is_given(system, "about") ? "%{about}: %{text}" : "%{text}");
		return;
	}
	add_form(to, system, "%{status}");
	if (json_array_size(print_find(system, "reasons")) > 0)
		add_form(to, system, ": %{reasons}");
}

static void add_data(struct buf *to, const char *channel, const json_t *data)
{
	static const struct {
		const char *channel; /* up to its colon */
		void (*add)(struct buf *to, const json_t *data);
	} kinds[] = {
		{ "orders", add_order },  { "fills", add_fill },  { "balances", add_balance },
		{ "system", add_system }, { "depth", add_depth }, { "price", add_price },
		{ "trades", add_trade },
	};
	size_t len = strcspn(channel, ":");

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strlen(kinds[i].channel) == len &&
		    memcmp(channel, kinds[i].channel, len) == 0) {
			kinds[i].add(to, data);
			return;
		}
	print_value(to, data, PRINT_TEXT);
}

/* ---- lines ------------------------------------------------------------------------------- */

static void add_time(struct buf *to, const json_t *message)
{
	size_t start = to->len;

	print_value(to, print_find(message, "ts"), PRINT_TEXT);
	if (to->len - start > TIME_TO_MS && to->data[to->len - 1] == 'Z') {
		buf_truncate(to, start + TIME_TO_MS);
		buf_add_char(to, 'Z');
	}
}

static void add_head(struct buf *to, const json_t *message, const char *word)
{
	if (to->len > 0)
		buf_add_char(to, '\n');
	add_time(to, message);
	add_form(to, message, "  %{ch}");
	buf_add_str(to, word);
	buf_add_str(to, "  ");
}

static void add_snapshot(struct buf *to, const json_t *message, const char *channel)
{
	const json_t *data = print_find(message, "data");

	for (size_t i = 0; i < json_array_size(data); i++) {
		add_head(to, message, " now");
		add_data(to, channel, json_array_get(data, i));
	}
	if (json_is_array(data) && json_array_size(data) > 0)
		return;
	add_head(to, message, " now");
	if (json_is_object(data))
		add_data(to, channel, data);
	else
		buf_add_str(to, "none");
}

void event_lines(struct buf *to, const json_t *message)
{
	const char *op = json_string_value(json_object_get(message, "op"));
	const char *channel = json_string_value(json_object_get(message, "ch"));

	if (!op || !channel)
		return;
	if (strcmp(op, "snapshot") == 0) {
		add_snapshot(to, message, channel);
		return;
	}
	add_head(to, message, "");
	if (strcmp(op, "status") == 0)
		buf_add_str(to, json_is_true(json_object_get(message, "live"))
					? "live"
					: "not live: what follows may be late");
	else
		add_data(to, channel, print_find(message, "data"));
}
