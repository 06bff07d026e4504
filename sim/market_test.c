#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "base/mem.h"
#include "sim/codes.h"
#include "sim/draw.h"
#include "sim/market.h"

static void decimals_become_units_or_are_refused(void **unused)
{
	static const struct {
		const char *text;
		uint8_t scale;
		int64_t max;
		bool fits;
		int64_t units;
	} cases[] = {
		{ "1", 6, AMOUNT_MAX, true, 1000000 },
		{ "0.000001", 6, AMOUNT_MAX, true, 1 },
		{ "0.0000010", 6, AMOUNT_MAX, true, 1 },
		{ "0.0000001", 6, AMOUNT_MAX, false, 0 },
		{ "-1", 6, AMOUNT_MAX, false, 0 },
		{ "100000000000", 6, AMOUNT_MAX, true, AMOUNT_MAX },
		{ "100000000000.000001", 6, AMOUNT_MAX, false, 0 },
		{ "999999999999999999999999999999", 6, AMOUNT_MAX, false, 0 },
		{ "0.25470", 9, PRICE_MAX, true, 254700000 },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct decimal value;
		struct err err;
		int64_t units = 0;

		assert_true(decimal_parse(cases[i].text, strlen(cases[i].text), &value, &err));
		assert_int_equal(units_of(value, cases[i].scale, cases[i].max, &units),
				 cases[i].fits);
		assert_int_equal(units, cases[i].units);
	}
}

static void products_are_rounded_down_and_capped(void **unused)
{
	(void)unused;
	assert_int_equal(quote_units_of(2173913000, 269000000), 584782597);
	assert_int_equal(quote_units_of(1, 999999999), 0);
	assert_int_equal(quote_units_of(AMOUNT_MAX, PRICE_MAX), AMOUNT_MAX);
	assert_int_equal(base_units_of(584782597, 269000000), 2173913000);
	assert_int_equal(base_units_of(AMOUNT_MAX, 1), AMOUNT_MAX);
	assert_int_equal(base_units_of(1, 0), AMOUNT_MAX);
	assert_int_equal(fee_of(999), 0);
	assert_int_equal(fee_of(2173913000), 2173913);
	assert_int_equal(round_down_to(12345, 100), 12300);
	assert_int_equal(round_up_to(12301, 100), 12400);
	assert_int_equal(round_up_to(12300, 100), 12300);
}

static void assets_are_found_by_ticker_and_by_unit(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ASSET_COUNT; i++) {
		assert_ptr_equal(market_asset(market_assets[i].symbol), &market_assets[i]);
		assert_ptr_equal(market_asset(market_assets[i].unit), &market_assets[i]);
	}
	assert_ptr_equal(market_asset("ada"), &market_assets[ASSET_ADA]);
	assert_null(market_asset(""));
	assert_null(market_pair("adausdm"));
}

static void uuids_are_of_version_4_and_never_the_same(void **unused)
{
	char first[UUID_TEXT_LEN], text[UUID_TEXT_LEN];
	uint8_t bytes[16];

	(void)unused;
	draw_uuid(1, "order:main", 0, first);
	for (uint64_t n = 1; n < 1000; n++) {
		draw_uuid(1, "order:main", n, text);
		assert_int_equal(strlen(text), 36);
		assert_int_equal(text[14], '4');
		assert_non_null(strchr("89ab", text[19]));
		assert_string_not_equal(text, first);
	}
	draw_uuid(1, "order:main", 0, text);
	assert_string_equal(text, first);
	uuid_bytes("00112233-4455-6677-8899-aabbccddeeff", bytes);
	for (size_t i = 0; i < 16; i++)
		assert_int_equal(bytes[i], 0x11 * i);
}

static void a_range_is_reached_to_both_ends_and_no_further(void **unused)
{
	bool seen[4] = { false };

	(void)unused;
	for (uint64_t n = 0; n < 200; n++) {
		int64_t value = draw_range(5, "range", n, -1, 2);

		assert_in_range(value + 1, 0, 3);
		seen[value + 1] = true;
	}
	assert_true(seen[0] && seen[1] && seen[2] && seen[3]);
	assert_int_equal(draw_range(5, "range", 0, 7, 7), 7);
}

static void http_statuses_are_those_seen_or_those_declared(void **unused)
{
	static const struct {
		int code, seen, declared;
	} cases[] = { { CODE_UNAUTHORIZED, 401, 401 }, { CODE_RATE, 429, 429 },
		      { CODE_NO_ORDER, 400, 404 },     { CODE_INTERNAL, 400, 500 },
		      { CODE_PRICE_PLACES, 400, 422 }, { 12345, 400, 400 } };

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(code_status(cases[i].code, false), cases[i].seen);
		assert_int_equal(code_status(cases[i].code, true), cases[i].declared);
	}
	assert_string_equal(code_message(CODE_NO_ORDER), "Order not found");
	assert_string_equal(code_message(12345), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decimals_become_units_or_are_refused),
		cmocka_unit_test(products_are_rounded_down_and_capped),
		cmocka_unit_test(assets_are_found_by_ticker_and_by_unit),
		cmocka_unit_test(uuids_are_of_version_4_and_never_the_same),
		cmocka_unit_test(a_range_is_reached_to_both_ends_and_no_further),
		cmocka_unit_test(http_statuses_are_those_seen_or_those_declared),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
