#include "server/latest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static struct dd_execution listed(const char *id, int64_t at_s)
{
	struct dd_execution execution = { .price = decimal_of(45, 2),
					  .base_qty = decimal_of(100, 0),
					  .created_at = { at_s * 1000000 } };

	STR_SET(execution.id, id);
	return execution;
}

static struct fill booked(const char *id, int64_t qty, int64_t executed_s, int64_t booked_s)
{
	struct fill fill = { .price = decimal_of(45, 2),
			     .base_qty = decimal_of(qty, 0),
			     .executed_at = { executed_s * 1000000 },
			     .booked_at = { booked_s * 1000000 } };

	STR_SET(fill.execution_id, id);
	return fill;
}

static void note(void *arg, const struct fill *fill, const struct difference *difference)
{
	char *text = arg;

	snprintf(text + strlen(text), 200 - strlen(text), "%s: %s; ", fill->execution_id,
		 difference->exchange);
}

static void fills_that_the_exchange_lists_otherwise_or_not_at_all_differ(void **unused)
{
	struct latest *latest = latest_create();
	struct dd_execution page[] = { listed("d", 40), listed("c", 30), listed("a", 10) };
	struct fill fills[] = {
		booked("e", 100, 50, 51), /* not there: executed after all that are */
		booked("d", 100, 40, 41), booked("c", 99, 30, 31), /* another quantity */
		booked("b", 100, 20, 21),                          /* not there */
		booked("f", 100, 35, 60), /* booked since: it may not have been there yet */
		booked("0", 100, 10, 11), /* it may be on the next page */
	};
	struct journal_fill_query query;
	char text[200] = "";

	(void)unused;
	latest_take(latest, "ADAUSDM", page, 3);
	assert_true(latest_next(latest, &query));
	assert_string_equal(query.symbol, "ADAUSDM");
	assert_int_equal(query.since.us, 10000000);
	latest_compare(latest, fills, 6, (struct wall){ 55000000 }, note, text);
	assert_string_equal(text, "e: not listed; c: executed 100 at 0.45, fee 0; b: not listed; ");
	assert_false(latest_next(latest, &query));
	latest_destroy(latest);
}

static void what_is_not_in_order_says_nothing_of_what_is_not_there(void **unused)
{
	struct latest *latest = latest_create();
	struct dd_execution page[] = { listed("a", 10), listed("d", 40) };
	struct fill fill = booked("b", 100, 50, 51);
	struct journal_fill_query query;
	char text[200] = "";

	(void)unused;
	latest_take(latest, "ADAUSDM", page, 2);
	assert_true(latest_next(latest, &query));
	latest_compare(latest, &fill, 1, (struct wall){ 60000000 }, note, text);
	assert_string_equal(text, "");
	latest_destroy(latest);
}

static void the_first_page_of_each_market_is_kept(void **unused)
{
	struct latest *latest = latest_create();
	struct dd_execution one = listed("a", 10), other = listed("b", 20);
	struct journal_fill_query query;

	(void)unused;
	latest_take(latest, "ADAUSDM", &other, 1);
	latest_take(latest, "ADAUSDM", &one, 1);
	latest_take(latest, "IAGUSDM", &one, 0);
	latest_take(latest, "NIGHTUSDM", &one, 1);
	assert_true(latest_next(latest, &query));
	assert_int_equal(query.since.us, 20000000);
	assert_true(latest_next(latest, &query));
	assert_string_equal(query.symbol, "NIGHTUSDM");
	assert_false(latest_next(latest, &query));
	latest_clear(latest);
	latest_take(latest, "ADAUSDM", &one, 1);
	assert_true(latest_next(latest, &query));
	latest_destroy(latest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_that_the_exchange_lists_otherwise_or_not_at_all_differ),
		cmocka_unit_test(what_is_not_in_order_says_nothing_of_what_is_not_there),
		cmocka_unit_test(the_first_page_of_each_market_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
