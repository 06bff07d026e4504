#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "client/wire_json.h"

#include "client/reader_test.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_json_within_the_bounds_is_refused),
		cmocka_unit_test(nesting_beyond_32_is_refused_before_it_is_built),
		cmocka_unit_test(a_million_small_values_are_refused_before_they_are_built),
		cmocka_unit_test(a_number_too_large_for_an_integer_costs_only_its_field),
		cmocka_unit_test(times_read_in_every_unit_they_have_come_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
