#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sim/match.h"
#include "sim/testing.h"

#define UNIT INT64_C(1000000)

static int set_up(void **state)
{
	*state = test_exchange();
	return 0;
}

static int take_down(void **state)
{
	exchange_destroy(*state);
	return 0;
}

/* ---- matching ---- */

static void a_crossing_order_fills_at_the_resting_price_and_rests_with_what_is_left(void **state)
{
	struct exchange *x = *state;
	struct order *maker = test_place_now(x, "bob", SIDE_SELL, "100", "0.7500");
	struct order *taker = test_place_now(x, "alice", SIDE_BUY, "250", "0.7700");

	assert_int_equal(maker->status, ORDER_CLOSED);
	assert_int_equal(taker->status, ORDER_OPEN);
	assert_int_equal(taker->executed_base_units, 100 * UNIT);
	assert_int_equal(taker->executed_quote_units, 75 * UNIT);
	assert_int_equal(taker->fee_units, 100000); /* 0.1 ADA */
	assert_int_equal(maker->fee_units, 75000);  /* 0.075 USDM */
	/* 150 at 0.77 are still held; what the better price saved is free. */
	assert_int_equal(taker->locked_quote_units, 115500000);
	assert_int_equal(test_balance(x, "alice", ASSET_USDM)->free,
			 10000 * UNIT - 75 * UNIT - 115500000);
	assert_int_equal(test_balance(x, "alice", ASSET_ADA)->free, 10000 * UNIT + 99900000);
	assert_int_equal(test_balance(x, "bob", ASSET_USDM)->free, 10000 * UNIT + 74925000);
	assert_int_equal(test_balance(x, "bob", ASSET_ADA)->locked, 0);
	assert_int_equal(x->markets[PAIR_ADAUSDM].last_price, 750000000);
}

static void a_partly_filled_order_stays_open(void **state)
{
	struct exchange *x = *state;
	struct order *maker = test_place_now(x, "bob", SIDE_SELL, "100", "0.7500");
	struct order *taker = test_place_now(x, "alice", SIDE_BUY, "30", "0.7500");

	assert_int_equal(taker->status, ORDER_CLOSED);
	assert_int_equal(maker->status, ORDER_OPEN);
	assert_int_equal(order_rest_units(maker), 70 * UNIT);
	assert_int_equal(exchange_cancel(x, maker->account, maker->id), CODE_DONE);
	assert_int_equal(maker->status, ORDER_CANCELLED);
	assert_int_equal(maker->executed_base_units, 30 * UNIT);
	assert_int_equal(test_balance(x, "bob", ASSET_ADA)->locked, 0);
	assert_int_equal(exchange_cancel(x, maker->account, maker->id), CODE_NOT_OPEN);
}

/* IAGUSDM maker buy 2173.913 at 0.26900 -> commission 2.173913; sell 2357.078 at 0.2701 ->
 * 0.636646: both from logs of the real exchange. */
static void commissions_are_those_of_the_logs(void **state)
{
	struct exchange *x = *state;
	struct order *maker, *taker;

	assert_int_equal(
		test_place(x, "alice", request("IAGUSDM", SIDE_BUY, "2173.913", "0.26900"), &maker),
		CODE_DONE);
	exchange_run(x, after_ms(100));
	assert_int_equal(
		test_place(x, "bob", request("IAGUSDM", SIDE_SELL, "2173.913", "0.26900"), &taker),
		CODE_DONE);
	exchange_run(x, after_ms(200));
	assert_int_equal(maker->fee_units, 2173913);
	assert_int_equal(
		test_place(x, "alice", request("IAGUSDM", SIDE_BUY, "2357.078", "0.2701"), &maker),
		CODE_DONE);
	exchange_run(x, after_ms(300));
	assert_int_equal(
		test_place(x, "bob", request("IAGUSDM", SIDE_SELL, "2357.078", "0.2701"), &taker),
		CODE_DONE);
	exchange_run(x, after_ms(400));
	assert_int_equal(taker->fee_units, 636646);
}

/* 24663.59 NIGHT at 0.04464 was told as 353.048391 instead of 1100.982657. */
static void the_overflow_of_the_logs_is_told_when_switched_on_only(void **state)
{
	struct exchange *x = *state;
	struct order *maker, *taker;

	assert_true(exchange_credit(x, exchange_account(x, "bob"), &market_assets[ASSET_NIGHT],
				    100000 * UNIT));
	for (int is_on = 0; is_on <= 1; is_on++) {
		x->has_overflow_quirk = is_on;
		assert_int_equal(test_place(x, "alice",
					    request("NIGHTUSDM", SIDE_BUY, "24663.59", "0.04464"),
					    &maker),
				 CODE_DONE);
		exchange_run(x, after_ms(100 + 200 * is_on));
		assert_int_equal(test_place(x, "bob",
					    request("NIGHTUSDM", SIDE_SELL, "24663.59", "0.04464"),
					    &taker),
				 CODE_DONE);
		exchange_run(x, after_ms(200 + 200 * is_on));
		assert_int_equal(maker->executed_quote_units, 1100982657);
		assert_int_equal(maker->told_quote_units, is_on ? 353048391 : 1100982657);
		assert_int_equal(taker->told_quote_units, 1100982657);
	}
}

static struct order *market(struct exchange *x, enum side side, const char *base, const char *quote,
			    int64_t slippage_bp)
{
	struct intake in = request("ADAUSDM", side, base, NULL);
	struct order *order = NULL;

	in.has_quote = set_decimal(quote, &in.quote);
	in.has_slippage = slippage_bp >= 0;
	in.slippage_bp = slippage_bp;
	assert_int_equal(test_place(x, "alice", in, &order), CODE_DONE);
	return order;
}

static void a_market_buy_without_slippage_holds_everything_until_it_is_matched(void **state)
{
	struct exchange *x = *state;
	struct order *order, *second;

	test_place_now(x, "bob", SIDE_SELL, "50", "0.7500");
	test_place_now(x, "bob", SIDE_SELL, "50", "0.9000");
	order = market(x, SIDE_BUY, "80", NULL, -1);
	assert_int_equal(test_balance(x, "alice", ASSET_USDM)->free, 0);
	assert_int_equal(test_place(x, "alice", request("ADAUSDM", SIDE_BUY, "10", NULL), &second),
			 CODE_BALANCE);
	exchange_run(x, after_ms(1000));
	assert_int_equal(order->status, ORDER_CLOSED);
	assert_int_equal(order->executed_quote_units, 64500000);
	assert_int_equal(test_balance(x, "alice", ASSET_USDM)->locked, 0);
	assert_int_equal(test_balance(x, "alice", ASSET_USDM)->free, 10000 * UNIT - 64500000);
}

static void the_rest_of_a_market_order_with_slippage_is_listed(void **state)
{
	struct exchange *x = *state;
	struct order *order;

	test_place_now(x, "bob", SIDE_SELL, "50", "0.7500");
	test_place_now(x, "bob", SIDE_SELL, "50", "0.7550");
	test_place_now(x, "bob", SIDE_SELL, "50", "0.7600");
	order = market(x, SIDE_BUY, "130", NULL, 100); /* up to 0.7575 */
	assert_int_equal(order->bound, 757500000);
	exchange_run(x, after_ms(1000));
	assert_int_equal(order->status, ORDER_OPEN);
	assert_int_equal(order->executed_base_units, 100 * UNIT);
	assert_int_equal(order->price, 750000000);
	assert_int_equal(order->locked_quote_units, 22500000); /* 30 at 0.75 */
	assert_ptr_equal(book_best(&x->markets[PAIR_ADAUSDM].book, SIDE_BUY), order);
}

static void a_market_order_may_be_sized_in_quote(void **state)
{
	struct exchange *x = *state;
	struct order *order;

	test_place_now(x, "bob", SIDE_SELL, "50", "0.7500");
	test_place_now(x, "bob", SIDE_SELL, "50", "0.8000");
	order = market(x, SIDE_BUY, NULL, "45.50", -1); /* 50 for 37.5, 10 for 8 */
	exchange_run(x, after_ms(1000));
	assert_int_equal(order->status, ORDER_CLOSED);
	assert_int_equal(order->base_units, 60 * UNIT);
	assert_int_equal(order->executed_quote_units, 45500000);
	test_place_now(x, "bob", SIDE_BUY, "100", "0.7000");
	order = market(x, SIDE_SELL, NULL, "35", 50);
	exchange_run(x, after_ms(2000));
	assert_int_equal(order->status, ORDER_CLOSED);
	assert_int_equal(order->executed_base_units, 50 * UNIT);
	assert_int_equal(test_balance(x, "alice", ASSET_ADA)->locked, 0);
}

static void a_market_order_that_comes_too_late_ends(void **state)
{
	struct exchange *x = *state;
	struct order *resting = test_place_now(x, "bob", SIDE_SELL, "50", "0.7500");
	struct order *order = market(x, SIDE_BUY, "40", NULL, -1);

	assert_int_equal(exchange_cancel(x, resting->account, resting->id), CODE_DONE);
	exchange_run(x, after_ms(1000));
	assert_int_equal(order->status, ORDER_FAILED);
	assert_int_equal(test_balance(x, "alice", ASSET_USDM)->locked, 0);
}

static void one_resting_order_can_be_filled_past_all_others(void **state)
{
	struct exchange *x = *state;
	struct account *house = exchange_add_account(x, "house", "", "");
	struct order *best = test_place_now(x, "alice", SIDE_BUY, "100", "0.7400");
	struct order *deep = test_place_now(x, "alice", SIDE_BUY, "100", "0.7000");

	house->is_house = true;
	match_one(x, deep, intake_counter(x, house, deep, 40 * UNIT), 40 * UNIT);
	assert_int_equal(best->executed_base_units, 0);
	assert_int_equal(deep->executed_base_units, 40 * UNIT);
	assert_int_equal(deep->executed_quote_units, 28 * UNIT);
	assert_int_equal(deep->status, ORDER_OPEN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_crossing_order_fills_at_the_resting_price_and_rests_with_what_is_left),
		TEST(a_partly_filled_order_stays_open),
		TEST(commissions_are_those_of_the_logs),
		TEST(the_overflow_of_the_logs_is_told_when_switched_on_only),
		TEST(a_market_buy_without_slippage_holds_everything_until_it_is_matched),
		TEST(the_rest_of_a_market_order_with_slippage_is_listed),
		TEST(a_market_order_may_be_sized_in_quote),
		TEST(a_market_order_that_comes_too_late_ends),
		TEST(one_resting_order_can_be_filled_past_all_others),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
