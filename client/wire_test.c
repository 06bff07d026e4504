#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "client/wire.h"

#define ORDER_ID "550e8400-e29b-41d4-a716-446655440000"
#define TX_HEX   "84a400"

static struct wire_doc *parse(const char *text)
{
	struct err err;
	struct wire_doc *doc = wire_parse(text, strlen(text), &err);

	if (!doc)
		print_message("%s: %s\n", text, err.text);
	assert_non_null(doc);
	return doc;
}

static void assert_decimal(struct decimal value, const char *text)
{
	char digits[DECIMAL_TEXT_LEN];

	assert_string_equal(decimal_print(value, digits), text);
}

/* text NULL: must not be set. */
static void assert_number(struct dd_number number, const char *text)
{
	assert_int_equal(number.is_set, text != NULL);
	if (text)
		assert_decimal(number.value, text);
}

static void assert_time(struct wall time, const char *text)
{
	char printed[WALL_TEXT_LEN];

	assert_string_equal(wall_print(time, printed), text);
}

/* ---- JSON itself ---- */

static char *repeat(const char *text, size_t times)
{
	struct buf buf;

	buf_init(&buf, 1 << 24);
	for (size_t i = 0; i < times; i++)
		buf_add_str(&buf, text);
	return buf_take(&buf);
}

static void what_is_not_json_within_the_bounds_is_refused(void **unused)
{
	static const char *const bodies[] = {
		"",
		" ",
		"{",
		"{\"a\":1",
		"{\"a\":1}}",
		"{} {}",
		"{'a':1}",
		"[1,]",
		"nonsense",
		"<html><body>503</body></html>",
		"upstream connect error or disconnect/reset before headers",
		"404 page not found",
		"{\"a\":\"\\u0000\"}",
		"{\"a\":\"\xff\"}",
		"{\"a\":1e999}",
		"\"",
		"\\",
		"\"\\",
		"NaN",
		"]]]]",
	};
	struct err err;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		assert_null(wire_parse(bodies[i], strlen(bodies[i]), &err));
		assert_int_equal(err.code, ERR_EXCHANGE_ANSWER);
	}
	assert_null(wire_parse("{\"a\":\"x\0y\"}", 11, &err));
}

static void nesting_beyond_32_is_refused_before_it_is_built(void **unused)
{
	static const struct {
		const char *part;
		size_t times;
	} bodies[] = { { "[", 33 }, { "{\"a\":", 33 }, { "[", 8 << 20 } };
	struct err err;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		char *text = repeat(bodies[i].part, bodies[i].times);

		assert_null(wire_parse(text, strlen(text), &err));
		assert_non_null(strstr(err.text, "too deep"));
		mem_free(text);
	}
	wire_free(parse("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"));
	/* Brackets in strings are text. */
	wire_free(parse("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[[[\""));
}

static void a_million_small_values_are_refused_before_they_are_built(void **unused)
{
	char *text = repeat("[],", 1000000);
	struct err err;

	(void)unused;
	assert_null(wire_parse(text, strlen(text), &err));
	assert_non_null(strstr(err.text, "too large"));
	mem_free(text);
}

static void a_number_too_large_for_an_integer_costs_only_its_field(void **unused)
{
	struct wire_doc *doc = parse("{\"id\":\"" ORDER_ID "\",\"status\":\"open\","
				     "\"new_field\":18446744073709551616,\"quote_qty\":7}");
	struct dd_order *order;
	struct err err;

	(void)unused;
	assert_true(wire_order_read(doc, &order, &err));
	assert_number(order->quote_qty, "7");
	wire_orders_free(order, 1);
	wire_free(doc);
}

/* ---- errors ---- */

static void errors_are_understood_in_every_shape_they_have_had(void **unused)
{
	static const struct {
		const char *body;
		bool is_error;
		int code;
		const char *text;
	} rows[] = {
		{ "{\"error\":\"Order not found\",\"code\":4200}", true, 4200, "Order not found" },
		{ "{\"error\":\"Order not found\",\"code\":\"4200\"}", true, 4200,
		  "Order not found" },
		{ "{\"error\":\"Order not found\",\"code\":4200.0}", true, 4200,
		  "Order not found" },
		{ "{\"code\":4050,\"msg\":\"Insufficient balance\"}", true, 4050,
		  "Insufficient balance" },
		{ "{\"code\":4050,\"message\":\"Insufficient balance\"}", true, 4050,
		  "Insufficient balance" },
		{ "{\"error\":\"a\",\"message\":\"b\",\"msg\":\"c\",\"code\":5000}", true, 5000,
		  "a" },
		{ "{\"error\":{\"message\":\"inner\",\"code\":4010}}", true, 4010, "inner" },
		{ "{\"error\":\"no code\"}", true, 0, "no code" },
		{ "{\"error\":\"no code\",\"code\":null}", true, 0, "no code" },
		{ "{\"error\":\"x\",\"code\":\"many\"}", true, 0, "x" },
		{ "{\"error\":\"x\",\"code\":-4200}", true, 0, "x" },
		{ "{\"error\":\"x\",\"code\":99999999999999999999}", true, 0, "x" },
		{ "{\"error\":true}", true, 0, "{\"error\":true}" },
		{ "{\"error\":\"tab\\tnew\\nline \\u001b[31m\",\"code\":4000}", true, 4000,
		  "tab new line  [31m" },
		{ "{\"error\":null,\"order_id\":\"x\"}", false, 0, NULL },
		{ "{\"error\":\"\",\"order_id\":\"x\"}", false, 0, NULL },
		{ "{\"error\":false}", false, 0, NULL },
		{ "{}", false, 0, "{}" },
		{ "[]", false, 0, "[]" },
		{ "[{\"error\":\"x\"}]", false, 0, NULL },
		{ "404 page not found", false, 0, "404 page not found" },
		{ "two\r\nlines \x01\xff", false, 0, "two  lines  ?" },
		{ "", false, 0, "" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = strlen(rows[i].body);
		struct err err;
		struct wire_doc *doc = wire_parse(rows[i].body, len, &err);
		struct wire_error error;

		wire_error_read(doc, rows[i].body, len, &error);
		assert_int_equal(error.is_error, rows[i].is_error);
		assert_int_equal(error.code, rows[i].code);
		if (rows[i].text)
			assert_string_equal(error.text, rows[i].text);
		wire_free(doc);
	}
}

static void a_long_error_is_cut_between_characters(void **unused)
{
	struct wire_error error;
	char *body = repeat("\xe2\x82\xac", 4000); /* three bytes, one character */

	(void)unused;
	wire_error_read(NULL, body, strlen(body), &error);
	assert_int_equal(strlen(error.text), 159);
	mem_free(body);
}

/* ---- orders ---- */

#define ORDER_TODAY                                                                               \
	"{\"id\":\"" ORDER_ID "\",\"account_id\":\"7d9f0a52-0000-4000-8000-000000000001\","       \
	"\"active_order_utxo_id\":\"73acc5#0\",\"status\":\"open\",\"symbol\":\"ADAUSDM\","       \
	"\"base_qty\":\"100.00\",\"quote_qty\":\"93.00\",\"side\":\"buy\",\"price\":\"0.25470\"," \
	"\"type\":\"limit\",\"locked_base_qty\":\"0\",\"locked_quote_qty\":\"93.00\","            \
	"\"executed_base_qty\":\"40.5\",\"executed_quote_qty\":\"37.665\","                       \
	"\"ob_open_order_base_qty\":\"59.5\",\"commission_unit\":\"lovelace\","                   \
	"\"commission\":\"0.0405\",\"commission_rate_bp\":10,\"executed_price\":\"0.93\","        \
	"\"created_at\":\"2024-01-01T00:00:00Z\",\"updated_at\":\"2024-01-01T00:00:01.204624Z\"," \
	"\"order_execution_records\":[{\"id\":\"e1\",\"order_id\":\"" ORDER_ID "\","              \
	"\"account_id\":\"a\",\"execution_price\":\"0.93\",\"filled_base_qty\":\"40.5\","         \
	"\"filled_quote_qty\":\"37.665\",\"commission_unit\":\"lovelace\","                       \
	"\"commission\":\"0.0405\",\"role\":\"maker\",\"counter_party_order_id\":\"c-1\","        \
	"\"created_at\":\"2024-01-01T00:00:01Z\"}]}"

static void assert_is_the_order_of_today(const struct dd_order *order)
{
	assert_string_equal(order->id, ORDER_ID);
	assert_string_equal(order->account_id, "7d9f0a52-0000-4000-8000-000000000001");
	assert_string_equal(order->symbol, "ADAUSDM");
	assert_int_equal(order->status, DD_STATUS_OPEN);
	assert_string_equal(order->status_text, "open");
	assert_true(order->has_side && order->has_type);
	assert_int_equal(order->side, DD_BUY);
	assert_int_equal(order->type, DD_LIMIT);
	assert_number(order->base_qty, "100.00");
	assert_number(order->quote_qty, "93.00");
	assert_number(order->price, "0.25470");
	assert_number(order->market_order_limit_price, NULL);
	assert_number(order->executed_base_qty, "40.5");
	assert_number(order->executed_quote_qty, "37.665");
	assert_number(order->executed_price, "0.93");
	assert_number(order->locked_base_qty, "0");
	assert_number(order->locked_quote_qty, "93.00");
	assert_number(order->open_base_qty, "59.5");
	assert_number(order->commission, "0.0405");
	assert_string_equal(order->commission_unit, "lovelace");
	assert_int_equal(order->commission_rate_bp, 10);
	assert_int_equal(order->slippage_bp, -1);
	assert_time(order->created_at, "2024-01-01T00:00:00.000000Z");
	assert_time(order->updated_at, "2024-01-01T00:00:01.204624Z");
	assert_true(order->has_executions);
	assert_int_equal(order->execution_count, 1);
	assert_string_equal(order->executions[0].id, "e1");
	assert_string_equal(order->executions[0].order_id, ORDER_ID);
	assert_string_equal(order->executions[0].counter_order_id, "c-1");
	assert_decimal(order->executions[0].price, "0.93");
	assert_decimal(order->executions[0].base_qty, "40.5");
	assert_number(order->executions[0].quote_qty, "37.665");
	assert_number(order->executions[0].commission, "0.0405");
	assert_string_equal(order->executions[0].commission_unit, "lovelace");
	assert_true(order->executions[0].is_maker);
	assert_time(order->executions[0].created_at, "2024-01-01T00:00:01.000000Z");
}

static void an_order_reads_the_same_bare_and_in_every_wrapper(void **unused)
{
	static const char *const bodies[] = {
		ORDER_TODAY,
		"{\"data\":" ORDER_TODAY "}",
		"{\"order\":" ORDER_TODAY "}",
		"{\"order_json\":" ORDER_TODAY "}",
		"{\"data\":{\"order\":" ORDER_TODAY "}}",
		"{\"type\":\"Account\",\"sub_type\":\"order_info\",\"order\":" ORDER_TODAY "}",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct wire_doc *doc = parse(bodies[i]);
		char id[DD_ID_LEN];
		struct dd_order *order;
		struct err err;

		assert_true(wire_order_read(doc, &order, &err));
		assert_is_the_order_of_today(order);
		wire_orders_free(order, 1);
		assert_true(wire_order_id_read(doc, id));
		assert_string_equal(id, ORDER_ID);
		wire_free(doc);
	}
}

static void an_order_of_2025_reads_with_its_old_names_and_numbers(void **unused)
{
	struct wire_doc *doc = parse(
		"{\"order\":{\"order_id\":\"" ORDER_ID "\",\"status\":\"PROCESSING\","
		"\"symbol\":\"ADAUSDX\",\"orig_qty\":\"15\",\"executed_qty\":\"3\",\"side\":"
		"\"sell\",\"price\":0.6514,\"type\":\"market\",\"fee_charged\":\"0.0195\","
		"\"fee_unit\":\"5066154a102ee037390c5236f78db23239b49c5748d3d349f3ccf04b."
		"55534458\",\"executed_price\":0.65,\"slippage\":\"118205\",\"slippage_bp\":"
		"\"100\","
		"\"create_time\":1761000000,\"update_time\":1761000001,\"fills\":[{\"id\":\"f-1\","
		"\"execution_price\":0.65,\"filled_amount\":\"3\",\"fee_unit\":\"lovelace\","
		"\"fee_amount\":\"0.003\",\"role\":\"taker\",\"create_time\":1761000000}]}}");
	struct dd_order *order;
	struct err err;

	(void)unused;
	assert_true(wire_order_read(doc, &order, &err));
	assert_string_equal(order->id, ORDER_ID);
	assert_int_equal(order->status, DD_STATUS_PROCESSING);
	assert_int_equal(order->side, DD_SELL);
	assert_int_equal(order->type, DD_MARKET);
	assert_number(order->base_qty, "15");
	assert_number(order->executed_base_qty, "3");
	assert_number(order->price, "0.6514");
	assert_number(order->executed_price, "0.65");
	assert_number(order->commission, "0.0195");
	assert_string_equal(order->commission_unit,
			    "5066154a102ee037390c5236f78db23239b49c5748d3d349f3ccf04b55534458");
	assert_int_equal(order->slippage_bp, 100);
	assert_time(order->created_at, "2025-10-20T22:40:00.000000Z");
	assert_time(order->updated_at, "2025-10-20T22:40:01.000000Z");
	assert_int_equal(order->execution_count, 1);
	assert_string_equal(order->executions[0].order_id, ORDER_ID);
	assert_decimal(order->executions[0].base_qty, "3");
	assert_number(order->executions[0].commission, "0.003");
	assert_false(order->executions[0].is_maker);
	wire_orders_free(order, 1);
	wire_free(doc);
}

static void every_field_but_id_and_status_may_be_absent_null_or_nonsense(void **unused)
{
	static const char *const bodies[] = {
		"{\"id\":\"" ORDER_ID "\",\"status\":\"resting\"}",
		"{\"id\":\"" ORDER_ID "\",\"status\":\"resting\",\"symbol\":null,\"side\":null,"
		"\"type\":null,\"price\":null,\"order_execution_records\":null,"
		"\"created_at\":null,\"commission_rate_bp\":null}",
		"{\"id\":\"" ORDER_ID "\",\"status\":\"resting\",\"symbol\":7,\"side\":\"hold\","
		"\"type\":[],\"price\":\"1e5\",\"base_qty\":\"\",\"order_execution_records\":{},"
		"\"created_at\":\"yesterday\",\"commission_rate_bp\":\"ten\",\"new\":{\"a\":[1]}}",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct wire_doc *doc = parse(bodies[i]);
		struct dd_order *order;
		struct err err;

		assert_true(wire_order_read(doc, &order, &err));
		assert_int_equal(order->status, DD_STATUS_UNKNOWN);
		assert_string_equal(order->status_text, "resting");
		assert_string_equal(order->symbol, "");
		assert_false(order->has_side || order->has_type || order->has_executions);
		assert_number(order->price, NULL);
		assert_number(order->base_qty, NULL);
		assert_int_equal(order->commission_rate_bp, -1);
		assert_int_equal(order->created_at.us, 0);
		wire_orders_free(order, 1);
		wire_free(doc);
	}
}

static void an_order_without_a_usable_id_or_status_is_refused(void **unused)
{
	static const char *const bodies[] = {
		"{}",
		"[]",
		"7",
		"null",
		"{\"status\":\"open\"}",
		"{\"id\":\"\",\"status\":\"open\"}",
		"{\"id\":7,\"status\":\"open\"}",
		"{\"id\":\"../../accounts/new-api-key\",\"status\":\"open\"}",
		"{\"id\":\"a?b\",\"status\":\"open\"}",
		"{\"id\":\"0123456789012345678901234567890123456789\",\"status\":\"open\"}",
		"{\"id\":\"" ORDER_ID "\"}",
		"{\"id\":\"" ORDER_ID "\",\"status\":\"\"}",
		"{\"id\":\"" ORDER_ID "\",\"status\":null}",
		"{\"id\":\"" ORDER_ID "\",\"status\":\"a\\nb\"}",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct wire_doc *doc = parse(bodies[i]);
		struct dd_order *order = NULL;
		struct err err;

		assert_false(wire_order_read(doc, &order, &err));
		assert_null(order);
		assert_int_equal(err.code, ERR_EXCHANGE_ANSWER);
		wire_free(doc);
	}
}

static void statuses_old_and_new_have_one_meaning_each(void **unused)
{
	static const struct {
		const char *word;
		enum dd_status status;
	} rows[] = {
		{ "building", DD_STATUS_BUILDING },
		{ "processing", DD_STATUS_PROCESSING },
		{ "open", DD_STATUS_OPEN },
		{ "closed", DD_STATUS_CLOSED },
		{ "cancelled", DD_STATUS_CANCELLED },
		{ "canceled", DD_STATUS_CANCELLED },
		{ "failed", DD_STATUS_FAILED },
		{ "partially_filled", DD_STATUS_PARTIALLY_FILLED },
		{ "fully_filled", DD_STATUS_FULLY_FILLED },
		{ "partially_cancelled", DD_STATUS_PARTIALLY_CANCELLED },
		{ "partially_canceled", DD_STATUS_PARTIALLY_CANCELLED },
		{ "FULLY_FILLED", DD_STATUS_FULLY_FILLED },
		{ "Open", DD_STATUS_OPEN },
		{ "openOrder", DD_STATUS_UNKNOWN },
		{ "resting", DD_STATUS_UNKNOWN },
		{ "", DD_STATUS_UNKNOWN },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(dd_status_parse(rows[i].word), rows[i].status);
	for (int status = 1; status < DD_STATUS_COUNT; status++)
		assert_int_equal(dd_status_parse(dd_status_word((enum dd_status)status)), status);
}

static void executions_that_cannot_all_be_read_count_as_not_told(void **unused)
{
	static const char *const lists[] = {
		"[{\"id\":\"e1\",\"execution_price\":\"1\",\"filled_base_qty\":\"1\"},{}]",
		"[{\"id\":\"e1\",\"execution_price\":\"1\"}]",
		"[{\"id\":\"e1\",\"filled_base_qty\":\"1\"}]",
		"[{\"execution_price\":\"1\",\"filled_base_qty\":\"1\"}]",
		"[{\"id\":\"e1\",\"execution_price\":\"1,5\",\"filled_base_qty\":\"1\"}]",
		"[7]",
		"\"none\"",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct dd_order *order;
		struct wire_doc *doc;
		struct buf body;
		struct err err;

		buf_init(&body, 4096);
		buf_printf(&body,
			   "{\"id\":\"" ORDER_ID "\",\"status\":\"closed\","
			   "\"order_execution_records\":%s}",
			   lists[i]);
		doc = parse(buf_str(&body));
		assert_true(wire_order_read(doc, &order, &err));
		assert_int_equal(order->status, DD_STATUS_CLOSED);
		assert_false(order->has_executions);
		assert_int_equal(order->execution_count, 0);
		wire_orders_free(order, 1);
		wire_free(doc);
		buf_fini(&body);
	}
}

static void an_empty_list_of_executions_is_told(void **unused)
{
	struct wire_doc *doc = parse("{\"id\":\"" ORDER_ID "\",\"status\":\"open\","
				     "\"order_execution_records\":[]}");
	struct dd_order *order;
	struct err err;

	(void)unused;
	assert_true(wire_order_read(doc, &order, &err));
	assert_true(order->has_executions);
	assert_int_equal(order->execution_count, 0);
	wire_orders_free(order, 1);
	wire_free(doc);
}

static void lists_come_as_pages_arrays_or_wrapped(void **unused)
{
	static const struct {
		const char *body;
		size_t count;
		int64_t total;
	} rows[] = {
		{ "{\"data\":[" ORDER_TODAY "," ORDER_TODAY
		  "],\"total_count\":311,\"total_page\":2}",
		  2, 311 },
		{ "{\"data\":[" ORDER_TODAY "],\"total_count\":\"1\"}", 1, 1 },
		{ "[" ORDER_TODAY "]", 1, 1 },
		{ "{\"data\":{\"data\":[" ORDER_TODAY "],\"total_count\":5}}", 1, 5 },
		{ "{\"data\":[" ORDER_TODAY "]}", 1, -1 },
		{ "{\"orders\":[" ORDER_TODAY "]}", 1, -1 },
		{ "[]", 0, 0 },
		{ "{\"data\":[],\"total_count\":0,\"total_page\":0}", 0, 0 },
		{ "{\"data\":null,\"total_count\":0,\"total_page\":0}", 0, 0 },
		{ "{\"total_count\":0}", 0, 0 },
		{ "{\"data\":null}", 0, -1 },
		{ "{\"data\":[],\"total_count\":-7}", 0, -1 },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wire_doc *doc = parse(rows[i].body);
		struct dd_order *orders;
		int64_t total;
		size_t count;
		struct err err;

		assert_true(wire_orders_read(doc, &orders, &count, &total, &err));
		assert_int_equal(count, rows[i].count);
		assert_int_equal(total, rows[i].total);
		for (size_t k = 0; k < count; k++)
			assert_is_the_order_of_today(&orders[k]);
		wire_orders_free(orders, count);
		wire_free(doc);
	}
}

static void a_list_that_hides_something_is_refused_whole(void **unused)
{
	static const char *const bodies[] = {
		"{}",
		"7",
		"\"data\"",
		"{\"data\":7}",
		"{\"data\":\"none\"}",
		"{\"order_id\":\"" ORDER_ID "\"}",
		"[" ORDER_TODAY ",{}]",
		"{\"data\":[" ORDER_TODAY ",null]}",
		"[[" ORDER_TODAY "]]",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct wire_doc *doc = parse(bodies[i]);
		struct dd_order *orders = NULL;
		int64_t total;
		size_t count;
		struct err err;

		assert_false(wire_orders_read(doc, &orders, &count, &total, &err));
		assert_null(orders);
		assert_int_equal(err.code, ERR_EXCHANGE_ANSWER);
		wire_free(doc);
	}
}

static void a_list_longer_than_its_bound_is_refused(void **unused)
{
	char *many = repeat("{\"id\":\"x\",\"status\":\"open\"},", WIRE_ORDERS_MAX);
	struct wire_doc *doc;
	struct dd_order *orders;
	int64_t total;
	size_t count;
	struct buf body;
	struct err err;

	(void)unused;
	buf_init(&body, 1 << 24);
	buf_printf(&body, "[%s{\"id\":\"x\",\"status\":\"open\"}]", many);
	doc = parse(buf_str(&body));
	assert_false(wire_orders_read(doc, &orders, &count, &total, &err));
	assert_non_null(strstr(err.text, "1001 of order"));
	wire_free(doc);
	mem_free(many);
	buf_fini(&body);
}

static void a_page_of_trades_reads_as_executions(void **unused)
{
	struct wire_doc *doc =
		parse("{\"data\":[{\"id\":\"e1\",\"order_id\":\"" ORDER_ID "\","
		      "\"execution_price\":\"0.26900\",\"filled_base_qty\":\"2173.913\","
		      "\"filled_quote_qty\":18446744073709551615,\"commission\":\"2.173913\","
		      "\"role\":\"MAKER\"},{\"execution_id\":\"e2\",\"executed_price\":0.2701,"
		      "\"executed_qty\":\"2357.078\",\"fee_charged\":\"0.636646\","
		      "\"created_time\":1774943460}],\"total_count\":2,\"total_page\":1}");
	struct dd_execution *executions;
	int64_t total;
	size_t count;
	struct err err;

	(void)unused;
	assert_true(wire_executions_read(doc, &executions, &count, &total, &err));
	assert_int_equal(count, 2);
	assert_int_equal(total, 2);
	assert_decimal(executions[0].price, "0.26900");
	/* Not exactly known any more, so not known. */
	assert_number(executions[0].quote_qty, NULL);
	assert_true(executions[0].is_maker);
	assert_string_equal(executions[1].id, "e2");
	assert_decimal(executions[1].base_qty, "2357.078");
	assert_number(executions[1].commission, "0.636646");
	wire_executions_free(executions);
	wire_free(doc);
}

static void a_build_answer_needs_both_id_and_transaction(void **unused)
{
	static const struct {
		const char *body;
		bool ok;
	} rows[] = {
		{ "{\"order_id\":\"" ORDER_ID "\",\"tx_hex\":\"" TX_HEX "\"}", true },
		{ "{\"data\":{\"order_id\":\"" ORDER_ID "\",\"tx_hex\":\"" TX_HEX "\"}}", true },
		{ "{\"order_id\":\"\",\"tx_hex\":\"" TX_HEX "\"}", false },
		{ "{\"order_id\":\"" ORDER_ID "\",\"tx_hex\":\"\"}", false },
		{ "{\"order_id\":\"" ORDER_ID "\",\"tx_hex\":null}", false },
		{ "{\"order_id\":\"" ORDER_ID "\"}", false },
		{ "{\"tx_hex\":\"" TX_HEX "\"}", false },
		{ "{\"order_id\":\"a/b\",\"tx_hex\":\"" TX_HEX "\"}", false },
		{ "{}", false },
		{ "[]", false },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wire_doc *doc = parse(rows[i].body);
		struct wire_built built;
		struct err err;

		assert_int_equal(wire_built_read(doc, &built, &err), rows[i].ok);
		if (rows[i].ok) {
			assert_string_equal(built.order_id, ORDER_ID);
			assert_string_equal(built.tx_hex, TX_HEX);
		}
		wire_free(doc);
	}
}

static void cancel_all_lists_what_it_took_under_either_name(void **unused)
{
	static const struct {
		const char *body;
		int count; /* -1: refused */
	} rows[] = {
		{ "{\"symbol\":\"ADAUSDM\",\"order_ids\":[\"a\",\"b\"]}", 2 },
		{ "{\"cancelled_order_ids\":[\"a\"]}", 1 },
		{ "{\"data\":{\"order_ids\":[\"a\"]}}", 1 },
		{ "{\"symbol\":\"ADAUSDM\",\"order_ids\":[]}", 0 },
		{ "{\"symbol\":\"ADAUSDM\",\"order_ids\":null}", 0 },
		{ "{\"symbol\":\"ADAUSDM\"}", 0 },
		{ "{\"order_ids\":[7]}", -1 },
		{ "{\"order_ids\":[\"\"]}", -1 },
		{ "{\"order_ids\":\"a\"}", -1 },
		{ "[]", -1 },
		{ "true", -1 },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wire_doc *doc = parse(rows[i].body);
		const char **ids = NULL;
		size_t count = 0;
		struct err err;

		assert_int_equal(wire_ids_read(doc, &ids, &count, &err), rows[i].count >= 0);
		if (rows[i].count >= 0)
			assert_int_equal(count, rows[i].count);
		if (count > 0)
			assert_string_equal(ids[0], "a");
		wire_ids_free(ids);
		wire_free(doc);
	}
}

/* ---- accounts ---- */

static void balances_read_as_strings_and_as_numbers(void **unused)
{
	static const char *const bodies[] = {
		"[{\"asset\":\"ADA\",\"asset_unit\":\"lovelace\",\"free\":\"1383.52097\","
		"\"locked\":\"0\"},{\"asset\":\"usdm\",\"asset_unit\":\"aa.bb\",\"free\":\"0.10\"}"
		"]",
		"{\"type\":\"Account\",\"sub_type\":\"balance\",\"balance\":[{\"asset\":\"ADA\","
		"\"asset_unit\":\"lovelace\",\"free\":1383.52097,\"locked\":0},{\"asset\":\"usdm\","
		"\"asset_unit\":\"aabb\",\"free\":\"0.10\",\"locked\":null}]}",
		"{\"data\":[{\"asset\":\"ADA\",\"asset_unit\":\"lovelace\",\"free\":\"1383.52097\","
		"\"locked\":\"0\"},{\"asset\":\"usdm\",\"asset_unit\":\"aabb\",\"free\":\"0.10\"}]"
		"}",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct wire_doc *doc = parse(bodies[i]);
		struct dd_balance *balances;
		size_t count;
		struct err err;

		assert_true(wire_balances_read(doc, &balances, &count, &err));
		assert_int_equal(count, 2);
		assert_string_equal(balances[0].asset, "ADA");
		assert_string_equal(balances[0].unit, "lovelace");
		assert_decimal(balances[0].free, "1383.52097");
		assert_decimal(balances[0].locked, "0");
		assert_string_equal(balances[1].unit, "aabb");
		assert_decimal(balances[1].free, "0.10");
		assert_decimal(balances[1].locked, "0");
		wire_balances_free(balances);
		wire_free(doc);
	}
}

static void an_amount_that_is_not_certain_is_refused(void **unused)
{
	static const char *const amounts[] = {
		"0.30000000000000004",
		"123456789012.1234567",
		"\"1e3\"",
		"\"\"",
		"\"1,5\"",
		"\" 1\"",
		"true",
		"[]",
		"\"0x10\"",
		"\"NaN\"",
		"1e400",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(amounts); i++) {
		struct buf body;
		struct err err;
		struct wire_doc *doc;
		struct dd_balance *balances;
		size_t count;

		buf_init(&body, 256);
		buf_printf(&body, "[{\"asset\":\"ADA\",\"free\":%s}]", amounts[i]);
		doc = wire_parse(buf_str(&body), body.len, &err);
		assert_false(doc && wire_balances_read(doc, &balances, &count, &err));
		assert_int_equal(err.code, ERR_EXCHANGE_ANSWER);
		wire_free(doc);
		buf_fini(&body);
	}
}

static void the_account_is_known_by_its_id(void **unused)
{
	struct wire_doc *doc =
		parse("{\"data\":{\"account_id\":\"acc-1\",\"account_type\":\"spot\","
		      "\"encrypted_operation_key\":\"{}\",\"created_at\":"
		      "\"2026-01-13T10:00:00+01:00\"}}");
	struct dd_account account;
	struct err err;

	(void)unused;
	assert_true(wire_account_read(doc, &account, &err));
	assert_string_equal(account.account_id, "acc-1");
	assert_string_equal(account.account_type, "spot");
	assert_time(account.created_at, "2026-01-13T09:00:00.000000Z");
	wire_free(doc);
	doc = parse("{\"account_type\":\"spot\"}");
	assert_false(wire_account_read(doc, &account, &err));
	wire_free(doc);
}

static void the_sealed_key_reads_under_either_name_and_as_text_or_object(void **unused)
{
	static const char *const bodies[] = {
		"{\"encrypted_operation_key\":\"{\\\"iv\\\":\\\"aa\\\"}\","
		"\"operation_key_hash\":\"ab\"}",
		"{\"data\":{\"encrypted_operation_key\":\"{\\\"iv\\\":\\\"aa\\\"}\","
		"\"operation_key_hash\":\"ab\"}}",
		"{\"encrypted_key\":\"{\\\"iv\\\":\\\"aa\\\"}\",\"operation_key_hash\":\"ab\"}",
		"{\"encrypted_operation_key\":{\"iv\":\"aa\"},\"operation_key_hash\":\"ab\"}",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct wire_doc *doc = parse(bodies[i]);
		struct wire_sealed_key key;
		struct err err;

		assert_true(wire_sealed_key_read(doc, &key, &err));
		assert_string_equal(key.text, "{\"iv\":\"aa\"}");
		assert_string_equal(key.hash, "ab");
		mem_free(key.text);
		wire_free(doc);
	}
}

static void a_sealed_key_that_is_missing_or_huge_is_refused(void **unused)
{
	char *huge = repeat("x", 20000);
	struct wire_sealed_key key;
	struct wire_doc *doc;
	struct buf body;
	struct err err;

	(void)unused;
	doc = parse("{\"operation_key_hash\":\"ab\"}");
	assert_false(wire_sealed_key_read(doc, &key, &err));
	wire_free(doc);
	buf_init(&body, 32768);
	buf_printf(&body, "{\"encrypted_operation_key\":\"%s\"}", huge);
	doc = parse(buf_str(&body));
	assert_false(wire_sealed_key_read(doc, &key, &err));
	wire_free(doc);
	buf_fini(&body);
	mem_free(huge);
}

static void a_new_key_is_taken_out_of_its_document(void **unused)
{
	struct wire_doc *doc = parse("{\"api_key\":\"dk_live_abc\",\"created_at\":\"now\"}");
	struct secret *key, *again;
	struct err err;

	(void)unused;
	key = wire_new_key_read(doc, &err);
	assert_non_null(key);
	assert_int_equal(secret_len(key), 11);
	assert_memory_equal(secret_open(key), "dk_live_abc", 11);
	secret_close(key);
	again = wire_new_key_read(doc, &err);
	assert_false(again && secret_equal(key, again));
	secret_destroy(again);
	secret_destroy(key);
	wire_free(doc);
	doc = parse("{\"api_key\":\"\"}");
	assert_null(wire_new_key_read(doc, &err));
	wire_free(doc);
}

static void transfers_read_with_their_assets(void **unused)
{
	struct wire_doc *doc = parse(
		"{\"data\":[{\"created_at\":\"2026-01-13T09:00:00Z\",\"status\":\"confirmed\","
		"\"assets\":[{\"asset\":\"ADA\",\"asset_unit\":\"lovelace\",\"qty\":\"10000000\"},"
		"{\"asset\":\"USDM\",\"asset_unit\":\"c69b.0014\",\"qty\":5}],\"tx_hash\":\"ab12\","
		"\"transferal_type\":\"normal\",\"direction\":\"incoming\"},"
		"{\"status\":\"building\",\"assets\":null}],\"total_count\":2,\"total_page\":1}");
	struct dd_transfer *transfers;
	int64_t total;
	size_t count;
	struct err err;

	(void)unused;
	assert_true(wire_transfers_read(doc, &transfers, &count, &total, &err));
	assert_int_equal(count, 2);
	assert_int_equal(total, 2);
	assert_string_equal(transfers[0].status, "confirmed");
	assert_string_equal(transfers[0].tx_hash, "ab12");
	assert_string_equal(transfers[0].type, "normal");
	assert_string_equal(transfers[0].direction, "incoming");
	assert_int_equal(transfers[0].asset_count, 2);
	assert_decimal(transfers[0].assets[0].qty, "10000000");
	assert_string_equal(transfers[0].assets[1].unit, "c69b0014");
	assert_decimal(transfers[0].assets[1].qty, "5");
	assert_int_equal(transfers[1].asset_count, 0);
	wire_transfers_free(transfers, count);
	wire_free(doc);
}

static void one_transfer_reads_bare_and_wrapped(void **unused)
{
	static const struct {
		const char *body;
		bool ok;
	} rows[] = {
		{ "{\"status\":\"pending\",\"assets\":[{\"qty\":\"1\"}]}", true },
		{ "{\"transferal_record\":{\"status\":\"pending\"}}", true },
		{ "{\"data\":{\"transferal_record\":{\"status\":\"pending\"}}}", true },
		{ "{\"status\":\"pending\",\"assets\":[{\"qty\":\"many\"}]}", false },
		{ "{\"status\":\"pending\",\"assets\":{}}", false },
		{ "{}", false },
		{ "[]", false },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wire_doc *doc = parse(rows[i].body);
		struct dd_transfer *transfer = NULL;
		struct err err;

		assert_int_equal(wire_transfer_read(doc, &transfer, &err), rows[i].ok);
		if (rows[i].ok)
			assert_string_equal(transfer->status, "pending");
		wire_transfers_free(transfer, transfer ? 1 : 0);
		wire_free(doc);
	}
}

/* ---- market and app ---- */

#define MARKET                                                                              \
	"{\"symbol\":\"ADAUSDM\",\"base_token\":{\"symbol\":\"ADA\",\"unit\":\"lovelace\"," \
	"\"decimals\":6,\"max_qty_dp\":2},\"quote_token\":{\"symbol\":\"USDM\",\"unit\":"   \
	"\"c48c.0014df\",\"decimals\":\"6\",\"max_qty_dp\":2.0},\"price_max_dp\":4}"

static void markets_read_with_units_without_dots(void **unused)
{
	struct wire_doc *doc = parse("{\"assets\":[{\"symbol\":\"ADA\"}],\"trading_pairs\":["
				     "{\"symbol\":\"odd pair\"}," MARKET ",{\"symbol\":\"X\"}]}");
	struct dd_market *markets;
	size_t count;
	struct err err;

	(void)unused;
	assert_true(wire_markets_read(doc, &markets, &count, &err));
	assert_int_equal(count, 1);
	assert_string_equal(markets[0].symbol, "ADAUSDM");
	assert_string_equal(markets[0].base.symbol, "ADA");
	assert_int_equal(markets[0].base.decimals, 6);
	assert_int_equal(markets[0].base.max_qty_dp, 2);
	assert_string_equal(markets[0].quote.unit, "c48c0014df");
	assert_int_equal(markets[0].quote.decimals, 6);
	assert_int_equal(markets[0].quote.max_qty_dp, 2);
	assert_int_equal(markets[0].price_max_dp, 4);
	wire_markets_free(markets);
	wire_free(doc);
}

static void a_market_config_without_one_readable_pair_is_refused(void **unused)
{
	static const char *const bodies[] = {
		"{\"trading_pairs\":[{\"symbol\":\"ADAUSDM\"}]}",
		"{\"trading_pairs\":[{\"symbol\":\"A\"},{\"symbol\":\"B\"}]}",
		"{\"trading_pairs\":{}}",
		"{}",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct wire_doc *doc = parse(bodies[i]);
		struct dd_market *markets;
		size_t count;
		struct err err;

		assert_false(wire_markets_read(doc, &markets, &count, &err));
		wire_free(doc);
	}
}

static void candles_and_prices_lose_only_the_noise_of_binary_fractions(void **unused)
{
	struct wire_doc *doc =
		parse("[{\"t\":1766000000,\"s\":\"ADAUSDM\",\"o\":0.75,\"h\":0.8,\"l\":0.7,"
		      "\"c\":0.30000000000000004,\"v\":123456.78900000002},"
		      "{\"time\":1766000300,\"open\":1,\"high\":\"2\",\"low\":1,\"close\":2,"
		      "\"volume\":0}]");
	struct dd_candle *candles;
	struct decimal price;
	size_t count;
	struct err err;

	(void)unused;
	assert_true(wire_candles_read(doc, &candles, &count, &err));
	assert_int_equal(count, 2);
	assert_int_equal(candles[0].time_s, 1766000000);
	assert_decimal(candles[0].close, "0.3");
	assert_decimal(candles[0].volume, "123456.789");
	assert_int_equal(candles[1].time_s, 1766000300);
	assert_decimal(candles[1].high, "2");
	wire_candles_free(candles);
	wire_free(doc);
	doc = parse("{\"price\":0.75}");
	assert_true(wire_price_read(doc, &price, &err));
	assert_decimal(price, "0.75");
	wire_free(doc);
	doc = parse("{\"price\":null}");
	assert_false(wire_price_read(doc, &price, &err));
	wire_free(doc);
}

static void a_single_text_reads_bare_wrapped_and_as_number(void **unused)
{
	static const struct {
		const char *body, *text;
	} rows[] = {
		{ "{\"value\":\"some terms\\nmore\"}", "some terms\nmore" },
		{ "{\"data\":{\"value\":\"x\"}}", "x" },
		{ "\"bare\"", "bare" },
		{ "{\"value\":12000000}", "12000000" },
		{ "{\"value\":null}", NULL },
		{ "{\"value\":{}}", NULL },
		{ "[]", NULL },
		{ "null", NULL },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wire_doc *doc = parse(rows[i].body);
		struct err err;
		char *text = wire_text_read(doc, "value", &err);

		if (rows[i].text)
			assert_string_equal(text, rows[i].text);
		else
			assert_null(text);
		mem_free(text);
		wire_free(doc);
	}
}

static void times_read_in_every_unit_they_have_come_in(void **unused)
{
	static const struct {
		const char *value, *text;
	} rows[] = {
		{ "\"2025-08-21T03:43:00.204624Z\"", "2025-08-21T03:43:00.204624Z" },
		{ "\"2025-08-21T03:43:00.204624999Z\"", "2025-08-21T03:43:00.204624Z" },
		{ "1755747950", "2025-08-21T03:45:50.000000Z" },
		{ "\"1755747950\"", "2025-08-21T03:45:50.000000Z" },
		{ "1755747950587", "2025-08-21T03:45:50.587000Z" },
		{ "1755747950587123", "2025-08-21T03:45:50.587123Z" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf body;
		struct wire_doc *doc;
		struct dd_order *order;
		struct err err;

		buf_init(&body, 256);
		buf_printf(&body, "{\"id\":\"x\",\"status\":\"open\",\"created_at\":%s}",
			   rows[i].value);
		doc = parse(buf_str(&body));
		assert_true(wire_order_read(doc, &order, &err));
		assert_time(order->created_at, rows[i].text);
		wire_orders_free(order, 1);
		wire_free(doc);
		buf_fini(&body);
	}
}

/* ---- requests ---- */

static struct decimal decimal(const char *text)
{
	struct decimal value;
	struct err err;

	assert_true(decimal_parse(text, strlen(text), &value, &err));
	return value;
}

static void a_build_body_is_exact(void **unused)
{
	struct decimal quantity = decimal("100"), price = decimal("0.25470");
	struct decimal quote = decimal("93.000001"), large = decimal("1000000000000");
	const struct {
		struct dd_order_request request;
		const char *body;
	} rows[] = {
		{ { .symbol = "ADAUSDM",
		    .side = DD_BUY,
		    .type = DD_LIMIT,
		    .base_quantity = &quantity,
		    .price = &price,
		    .max_slippage_bp = -1 },
		  "{\"symbol\":\"ADAUSDM\",\"side\":\"buy\",\"type\":\"limit\","
		  "\"base_quantity\":\"100\",\"price\":\"0.25470\"}" },
		{ { .symbol = "ADAUSDM",
		    .side = DD_SELL,
		    .type = DD_LIMIT,
		    .quote_quantity = &quote,
		    .price = &price,
		    .max_slippage_bp = -1,
		    .post_only = true },
		  "{\"symbol\":\"ADAUSDM\",\"side\":\"sell\",\"type\":\"limit\","
		  "\"quote_quantity\":\"93.000001\",\"price\":\"0.25470\",\"post_only\":true}" },
		{ { .symbol = "NIGHTUSDM",
		    .side = DD_SELL,
		    .type = DD_MARKET,
		    .base_quantity = &large,
		    .max_slippage_bp = 100 },
		  "{\"symbol\":\"NIGHTUSDM\",\"side\":\"sell\",\"type\":\"market\","
		  "\"base_quantity\":\"1000000000000\",\"max_slippage_basis_point\":\"100\"}" },
		{ { .symbol = "NIGHTUSDM",
		    .side = DD_BUY,
		    .type = DD_MARKET,
		    .base_quantity = &quantity,
		    .max_slippage_bp = 0 },
		  "{\"symbol\":\"NIGHTUSDM\",\"side\":\"buy\",\"type\":\"market\","
		  "\"base_quantity\":\"100\",\"max_slippage_basis_point\":\"0\"}" },
		{ { .symbol = "NIGHTUSDM",
		    .side = DD_BUY,
		    .type = DD_MARKET,
		    .base_quantity = &quantity,
		    .max_slippage_bp = -1 },
		  "{\"symbol\":\"NIGHTUSDM\",\"side\":\"buy\",\"type\":\"market\","
		  "\"base_quantity\":\"100\"}" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf body;
		struct err err;

		buf_init(&body, 1024);
		assert_true(wire_build_print(&body, &rows[i].request, &err));
		assert_string_equal(buf_str(&body), rows[i].body);
		buf_fini(&body);
	}
}

static void an_order_that_could_not_mean_one_thing_is_not_printed(void **unused)
{
	struct decimal one = decimal("1"), zero = decimal("0.00"), minus = decimal("-1");
	const struct dd_order_request rows[] = {
		{ "ADAUSDM", DD_BUY, DD_LIMIT, NULL, NULL, &one, -1, false },
		{ "ADAUSDM", DD_BUY, DD_LIMIT, &one, &one, &one, -1, false },
		{ "ADAUSDM", DD_BUY, DD_LIMIT, &zero, NULL, &one, -1, false },
		{ "ADAUSDM", DD_BUY, DD_LIMIT, NULL, &minus, &one, -1, false },
		{ "ADAUSDM", DD_BUY, DD_LIMIT, &one, NULL, NULL, -1, false },
		{ "ADAUSDM", DD_BUY, DD_LIMIT, &one, NULL, &zero, -1, false },
		{ "ADAUSDM", DD_BUY, DD_LIMIT, &one, NULL, &one, 5, false },
		{ "ADAUSDM", DD_BUY, DD_MARKET, &one, NULL, &one, -1, false },
		{ "ADAUSDM", DD_BUY, DD_MARKET, &one, NULL, NULL, 10001, false },
		{ "ADAUSDM", DD_BUY, DD_MARKET, &one, NULL, NULL, -2, false },
		{ "adausdm", DD_BUY, DD_LIMIT, &one, NULL, &one, -1, false },
		{ "ADA\"", DD_BUY, DD_LIMIT, &one, NULL, &one, -1, false },
		{ "", DD_BUY, DD_LIMIT, &one, NULL, &one, -1, false },
		{ NULL, DD_BUY, DD_LIMIT, &one, NULL, &one, -1, false },
		{ "ABCDEFGHIJKLMNOPQRSTU", DD_BUY, DD_LIMIT, &one, NULL, &one, -1, false },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf body;
		struct err err;

		buf_init(&body, 1024);
		assert_false(wire_build_print(&body, &rows[i], &err));
		assert_int_equal(err.code, ERR_INVALID);
		assert_int_equal(body.len, 0);
		buf_fini(&body);
	}
}

static void a_submit_body_is_exact_and_takes_only_ids_and_hex(void **unused)
{
	static const struct {
		const char *order_id, *signed_hex, *body; /* NULL: refused */
	} rows[] = {
		{ ORDER_ID, "84a4", "{\"order_id\":\"" ORDER_ID "\",\"signed_tx\":\"84a4\"}" },
		{ ORDER_ID, "", NULL },
		{ ORDER_ID, "84a4\"", NULL },
		{ ORDER_ID, "84 a4", NULL },
		{ "", "84a4", NULL },
		{ "a\"b", "84a4", NULL },
		{ "a/../b", "84a4", NULL },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf body;
		struct err err;

		buf_init(&body, 1024);
		assert_int_equal(
			wire_submit_print(&body, rows[i].order_id, rows[i].signed_hex, &err),
			rows[i].body != NULL);
		assert_string_equal(buf_str(&body), rows[i].body ? rows[i].body : "");
		buf_fini(&body);
	}
}

/* ---- codes ---- */

static void every_code_has_its_class_and_unknown_ones_that_of_their_thousand(void **unused)
{
	static const struct {
		int code;
		enum dd_class class_;
	} rows[] = {
		{ 4000, DD_CLASS_REFUSED },   { 4010, DD_CLASS_AUTH },
		{ 4050, DD_CLASS_REFUSED },   { 4112, DD_CLASS_REFUSED },
		{ 4200, DD_CLASS_STATE },     { 4201, DD_CLASS_STATE },
		{ 4202, DD_CLASS_STATE },     { 4290, DD_CLASS_RATE },
		{ 4300, DD_CLASS_EXPIRED },   { 4301, DD_CLASS_SPENT },
		{ 4302, DD_CLASS_DUPLICATE }, { 4407, DD_CLASS_REFUSED },
		{ 5000, DD_CLASS_UNKNOWN },   { 5001, DD_CLASS_UNKNOWN },
		{ 5002, DD_CLASS_LOCKED },    { 4999, DD_CLASS_REFUSED },
		{ 5003, DD_CLASS_UNKNOWN },   { 0, DD_CLASS_UNKNOWN },
		{ 429, DD_CLASS_UNKNOWN },    { 6000, DD_CLASS_UNKNOWN },
		{ -1, DD_CLASS_UNKNOWN },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(dd_class_of(rows[i].code), rows[i].class_);
	assert_string_equal(dd_class_word(DD_CLASS_DUPLICATE), "duplicate");
	assert_string_equal(dd_code_message(4200), "Order not found");
	assert_string_equal(dd_code_message(1), "");
}

static int start(void **unused)
{
	bool is_locked;
	struct err err;

	(void)unused;
	return secret_init(&is_locked, &err) ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_json_within_the_bounds_is_refused),
		cmocka_unit_test(nesting_beyond_32_is_refused_before_it_is_built),
		cmocka_unit_test(a_million_small_values_are_refused_before_they_are_built),
		cmocka_unit_test(a_number_too_large_for_an_integer_costs_only_its_field),
		cmocka_unit_test(errors_are_understood_in_every_shape_they_have_had),
		cmocka_unit_test(a_long_error_is_cut_between_characters),
		cmocka_unit_test(an_order_reads_the_same_bare_and_in_every_wrapper),
		cmocka_unit_test(an_order_of_2025_reads_with_its_old_names_and_numbers),
		cmocka_unit_test(every_field_but_id_and_status_may_be_absent_null_or_nonsense),
		cmocka_unit_test(an_order_without_a_usable_id_or_status_is_refused),
		cmocka_unit_test(statuses_old_and_new_have_one_meaning_each),
		cmocka_unit_test(executions_that_cannot_all_be_read_count_as_not_told),
		cmocka_unit_test(an_empty_list_of_executions_is_told),
		cmocka_unit_test(lists_come_as_pages_arrays_or_wrapped),
		cmocka_unit_test(a_list_that_hides_something_is_refused_whole),
		cmocka_unit_test(a_list_longer_than_its_bound_is_refused),
		cmocka_unit_test(a_page_of_trades_reads_as_executions),
		cmocka_unit_test(a_build_answer_needs_both_id_and_transaction),
		cmocka_unit_test(cancel_all_lists_what_it_took_under_either_name),
		cmocka_unit_test(balances_read_as_strings_and_as_numbers),
		cmocka_unit_test(an_amount_that_is_not_certain_is_refused),
		cmocka_unit_test(the_account_is_known_by_its_id),
		cmocka_unit_test(the_sealed_key_reads_under_either_name_and_as_text_or_object),
		cmocka_unit_test(a_sealed_key_that_is_missing_or_huge_is_refused),
		cmocka_unit_test(a_new_key_is_taken_out_of_its_document),
		cmocka_unit_test(transfers_read_with_their_assets),
		cmocka_unit_test(one_transfer_reads_bare_and_wrapped),
		cmocka_unit_test(markets_read_with_units_without_dots),
		cmocka_unit_test(a_market_config_without_one_readable_pair_is_refused),
		cmocka_unit_test(candles_and_prices_lose_only_the_noise_of_binary_fractions),
		cmocka_unit_test(a_single_text_reads_bare_wrapped_and_as_number),
		cmocka_unit_test(times_read_in_every_unit_they_have_come_in),
		cmocka_unit_test(a_build_body_is_exact),
		cmocka_unit_test(an_order_that_could_not_mean_one_thing_is_not_printed),
		cmocka_unit_test(a_submit_body_is_exact_and_takes_only_ids_and_hex),
		cmocka_unit_test(every_code_has_its_class_and_unknown_ones_that_of_their_thousand),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
