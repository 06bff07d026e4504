#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "client/reader_test.h"

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
		{ "{\"order_id\":\"" ORDER_ID "\",\"tx_hex\":\"84a400\"}", true },
		{ "{\"data\":{\"order_id\":\"" ORDER_ID "\",\"tx_hex\":\"84a400\"}}", true },
		{ "{\"order_id\":\"\",\"tx_hex\":\"84a400\"}", false },
		{ "{\"order_id\":\"" ORDER_ID "\",\"tx_hex\":\"\"}", false },
		{ "{\"order_id\":\"" ORDER_ID "\",\"tx_hex\":null}", false },
		{ "{\"order_id\":\"" ORDER_ID "\"}", false },
		{ "{\"tx_hex\":\"84a400\"}", false },
		{ "{\"order_id\":\"a/b\",\"tx_hex\":\"84a400\"}", false },
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
			assert_string_equal(built.tx_hex, "84a400");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_order_reads_the_same_bare_and_in_every_wrapper),
		cmocka_unit_test(an_order_of_2025_reads_with_its_old_names_and_numbers),
		cmocka_unit_test(every_field_but_id_and_status_may_be_absent_null_or_nonsense),
		cmocka_unit_test(an_order_without_a_usable_id_or_status_is_refused),
		cmocka_unit_test(executions_that_cannot_all_be_read_count_as_not_told),
		cmocka_unit_test(an_empty_list_of_executions_is_told),
		cmocka_unit_test(lists_come_as_pages_arrays_or_wrapped),
		cmocka_unit_test(a_list_that_hides_something_is_refused_whole),
		cmocka_unit_test(a_list_longer_than_its_bound_is_refused),
		cmocka_unit_test(a_page_of_trades_reads_as_executions),
		cmocka_unit_test(a_build_answer_needs_both_id_and_transaction),
		cmocka_unit_test(cancel_all_lists_what_it_took_under_either_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
