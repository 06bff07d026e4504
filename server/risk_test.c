#include "server/risk.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "client/deltadefi.h"

static const struct dd_market rules = {
	.symbol = "ADAUSDM",
	.base = { .symbol = "ADA", .decimals = 6, .max_qty_dp = 2 },
	.quote = { .symbol = "USDM", .decimals = 6, .max_qty_dp = 2 },
	.price_max_dp = 4
};

static struct decimal dec(const char *text)
{
	struct decimal value;
	struct err err;

	assert_true(decimal_parse(text, strlen(text), &value, &err));
	return value;
}

/* Only the exchange's own minimum. */
static struct risk_limits no_limits(void)
{
	return (struct risk_limits){ .min_order_value = decimal_of(5, 0) };
}

static struct risk_view plain_view(void)
{
	return (struct risk_view){ .rules = &rules, .symbols = "" };
}

static struct order_terms limit_order(const char *base, const char *price)
{
	struct order_terms terms = { .type = ORDER_LIMIT, .has_base_qty = true, .has_price = true };

	STR_SET(terms.symbol, "ADAUSDM");
	terms.base_qty = dec(base);
	terms.price = dec(price);
	return terms;
}

static struct order_terms market_order(const char *base, const char *quote)
{
	struct order_terms terms = { .type = ORDER_MARKET,
				     .has_base_qty = base != NULL,
				     .has_quote_qty = quote != NULL };

	STR_SET(terms.symbol, "ADAUSDM");
	terms.base_qty = dec(base ? base : "0");
	terms.quote_qty = dec(quote ? quote : "0");
	return terms;
}

static enum err_code outcome(const struct risk_limits *limits, const struct risk_view *view,
			     const struct order_terms *terms)
{
	struct err err;

	return risk_check(limits, view, terms, &err) ? ERR_NONE : err.code;
}

static void what_the_exchange_would_refuse_is_not_sent(void **unused)
{
	static const struct {
		const char *base, *price;
		enum err_code code;
	} cases[] = {
		{ "100", "0.45", ERR_NONE },
		{ "100.25", "0.4512", ERR_NONE },
		{ "100.2500", "0.451200", ERR_NONE }, /* zeros at the end are no places */
		{ "100.251", "0.45", ERR_INVALID },
		{ "100", "0.45123", ERR_INVALID },
		{ "0", "0.45", ERR_INVALID },
		{ "100", "0", ERR_INVALID },
		{ "-100", "0.45", ERR_INVALID },
		{ "10", "0.5", ERR_NONE }, /* the minimum itself */
		{ "10", "0.4999", ERR_INVALID },
		{ "9999999999999999999", "9999999999999999999", ERR_OVERFLOW },
	};
	struct risk_limits limits = no_limits();
	struct risk_view view = plain_view();

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct order_terms terms = limit_order(cases[i].base, cases[i].price);
		enum err_code code = outcome(&limits, &view, &terms);

		if (code != cases[i].code)
			fail_msg("%s at %s: %s", cases[i].base, cases[i].price, err_word(code));
	}
}

static void quote_quantities_follow_the_quotes_places(void **unused)
{
	struct risk_limits limits = no_limits();
	struct risk_view view = plain_view();
	struct order_terms terms = market_order(NULL, "50.25");

	(void)unused;
	assert_int_equal(outcome(&limits, &view, &terms), ERR_NONE);
	terms = market_order(NULL, "50.251");
	assert_int_equal(outcome(&limits, &view, &terms), ERR_INVALID);
	terms = market_order(NULL, "4.99");
	assert_int_equal(outcome(&limits, &view, &terms), ERR_INVALID);
}

static void a_pair_must_exist_and_be_one_of_the_tokens(void **unused)
{
	static const struct {
		const char *symbols;
		enum err_code code;
	} cases[] = {
		{ "", ERR_NONE },
		{ "ADAUSDM", ERR_NONE },
		{ "NIGHTUSDM,ADAUSDM", ERR_NONE },
		{ "NIGHTUSDM", ERR_RISK },
		{ "ADAUSDMX,XADAUSDM,ADA", ERR_RISK },
	};
	struct risk_limits limits = no_limits();
	struct risk_view view = plain_view();
	struct order_terms terms = limit_order("100", "0.45");

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		view.symbols = cases[i].symbols;
		assert_int_equal(outcome(&limits, &view, &terms), cases[i].code);
	}
	view = plain_view();
	view.rules = NULL;
	assert_int_equal(outcome(&limits, &view, &terms), ERR_INVALID);
}

static void the_largest_order_is_the_stricter_of_both_limits(void **unused)
{
	struct risk_limits limits = no_limits();
	struct risk_view view = plain_view();
	struct order_terms terms = limit_order("100", "0.45"); /* 45 */
	struct decimal own = dec("44.99");

	(void)unused;
	limits.has_max_order_value = true;
	limits.max_order_value = dec("45");
	assert_int_equal(outcome(&limits, &view, &terms), ERR_NONE);
	limits.max_order_value = dec("44.999");
	assert_int_equal(outcome(&limits, &view, &terms), ERR_RISK);
	limits.max_order_value = dec("1000");
	view.max_order_value_own = &own;
	assert_int_equal(outcome(&limits, &view, &terms), ERR_RISK);
}

static void a_market_order_is_valued_at_the_last_price(void **unused)
{
	struct risk_limits limits = no_limits();
	struct risk_view view = plain_view();
	struct order_terms terms = market_order("100", NULL);
	struct decimal price = dec("0.75");

	(void)unused;
	assert_false(risk_needs_price(&limits, &view, &terms));
	limits.has_max_order_value = true;
	limits.max_order_value = dec("70");
	assert_true(risk_needs_price(&limits, &view, &terms));
	view.last_price = &price;
	assert_int_equal(outcome(&limits, &view, &terms), ERR_RISK);
	limits.max_order_value = dec("75");
	assert_int_equal(outcome(&limits, &view, &terms), ERR_NONE);
	/* Its smallest value is for the exchange to judge. */
	terms = market_order("1", NULL);
	assert_int_equal(outcome(&limits, &view, &terms), ERR_NONE);
	terms = market_order(NULL, "50");
	assert_false(risk_needs_price(&limits, &view, &terms));
}

static void the_price_band_reaches_both_ways(void **unused)
{
	static const struct {
		const char *price;
		enum err_code code;
	} cases[] = {
		{ "0.5", ERR_NONE },  { "0.55", ERR_NONE },   { "0.5501", ERR_RISK },
		{ "0.45", ERR_NONE }, { "0.4499", ERR_RISK }, { "5", ERR_RISK },
	};
	struct risk_limits limits = no_limits();
	struct risk_view view = plain_view();
	struct decimal price = dec("0.5");

	(void)unused;
	limits.has_price_band = true;
	limits.price_band_pct = dec("10");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct order_terms terms = limit_order("100", cases[i].price);

		assert_true(risk_needs_price(&limits, &view, &terms));
		view.last_price = NULL;
		assert_int_equal(outcome(&limits, &view, &terms), ERR_NONE);
		view.last_price = &price;
		assert_int_equal(outcome(&limits, &view, &terms), cases[i].code);
	}
}

static void open_orders_are_counted_for_all_and_for_each(void **unused)
{
	struct risk_limits limits = no_limits();
	struct risk_view view = plain_view();
	struct order_terms terms = limit_order("100", "0.45");

	(void)unused;
	view.open_orders = 1000000;
	view.open_orders_own = 1000000;
	assert_int_equal(outcome(&limits, &view, &terms), ERR_NONE); /* 0: no limit */
	limits.max_open_orders = 10;
	view.open_orders = 9;
	assert_int_equal(outcome(&limits, &view, &terms), ERR_NONE);
	view.open_orders = 10;
	assert_int_equal(outcome(&limits, &view, &terms), ERR_RISK);
	view.open_orders = 3;
	view.open_orders_own = 3;
	view.max_open_orders_own = 3;
	assert_int_equal(outcome(&limits, &view, &terms), ERR_RISK);
	view.max_open_orders_own = 4;
	assert_int_equal(outcome(&limits, &view, &terms), ERR_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_exchange_would_refuse_is_not_sent),
		cmocka_unit_test(quote_quantities_follow_the_quotes_places),
		cmocka_unit_test(a_pair_must_exist_and_be_one_of_the_tokens),
		cmocka_unit_test(the_largest_order_is_the_stricter_of_both_limits),
		cmocka_unit_test(a_market_order_is_valued_at_the_last_price),
		cmocka_unit_test(the_price_band_reaches_both_ways),
		cmocka_unit_test(open_orders_are_counted_for_all_and_for_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
