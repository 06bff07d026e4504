#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "client/reader_test.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_build_body_is_exact),
		cmocka_unit_test(an_order_that_could_not_mean_one_thing_is_not_printed),
		cmocka_unit_test(a_submit_body_is_exact_and_takes_only_ids_and_hex),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
