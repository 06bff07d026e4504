#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

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

/* ---- build ---- */

#define LIMIT(p) TYPE_LIMIT, p
#define MARKET   TYPE_MARKET, NULL

static const struct {
	const char *name, *symbol, *base, *quote;
	enum side side;
	enum order_type type;
	const char *price, *slippage;
	bool post_only;
	enum code code;
} builds[] = {
	{ "good", "ADAUSDM", "100.25", NULL, SIDE_BUY, LIMIT("0.7000"), NULL, false, CODE_DONE },
	{ "by quote", "ADAUSDM", NULL, "70.5", SIDE_BUY, LIMIT("0.7"), NULL, false, CODE_DONE },
	{ "both sizes", "ADAUSDM", "1", "1", SIDE_BUY, LIMIT("0.7"), NULL, false, CODE_INVALID },
	{ "no size", "ADAUSDM", NULL, NULL, SIDE_BUY, LIMIT("0.7"), NULL, false, CODE_INVALID },
	{ "no price", "ADAUSDM", "1", NULL, SIDE_BUY, LIMIT(NULL), NULL, false, CODE_INVALID },
	{ "symbol", "ADAUSDX", "0", NULL, SIDE_BUY, LIMIT("0"), NULL, false, CODE_SYMBOL },
	{ "quantity 0", "ADAUSDM", "0.000", NULL, SIDE_BUY, LIMIT("0"), NULL, false,
	  CODE_QUANTITY_ZERO },
	{ "quantity < 0", "ADAUSDM", "-5", NULL, SIDE_BUY, LIMIT("1"), NULL, false,
	  CODE_QUANTITY_ZERO },
	{ "price 0", "ADAUSDM", "1.234", NULL, SIDE_BUY, LIMIT("0"), NULL, false, CODE_PRICE_ZERO },
	{ "quantity places", "ADAUSDM", "1.234", NULL, SIDE_BUY, LIMIT("0.12345"), NULL, false,
	  CODE_QUANTITY_PLACES },
	{ "trailing zeros are no places", "ADAUSDM", "100.2500", NULL, SIDE_BUY, LIMIT("0.70000"),
	  NULL, false, CODE_DONE },
	{ "three places of IAG", "IAGUSDM", "2173.913", NULL, SIDE_BUY, LIMIT("0.26900"), NULL,
	  false, CODE_DONE },
	{ "price places", "ADAUSDM", "1", NULL, SIDE_BUY, LIMIT("0.12345"), "10001", false,
	  CODE_PRICE_PLACES },
	{ "slippage", "ADAUSDM", "1", NULL, SIDE_BUY, MARKET, "10001", true, CODE_SLIPPAGE },
	{ "slippage < 0", "ADAUSDM", "1", NULL, SIDE_BUY, MARKET, "-1", false, CODE_SLIPPAGE },
	{ "post-only market", "ADAUSDM", "1", NULL, SIDE_BUY, MARKET, NULL, true,
	  CODE_POST_ONLY_TYPE },
	{ "price high", "ADAUSDM", "1", NULL, SIDE_BUY, LIMIT("751"), NULL, false,
	  CODE_PRICE_HIGH },
	{ "price low", "ADAUSDM", "1", NULL, SIDE_BUY, LIMIT("0.0007"), NULL, false,
	  CODE_PRICE_LOW },
	{ "too small", "ADAUSDM", "7.14", NULL, SIDE_BUY, LIMIT("0.7000"), NULL, false,
	  CODE_TOO_SMALL },
	{ "just large enough", "ADAUSDM", "7.15", NULL, SIDE_BUY, LIMIT("0.7000"), NULL, false,
	  CODE_DONE },
	{ "no liquidity", "ADAUSDM", "100", NULL, SIDE_BUY, MARKET, NULL, false, CODE_LIQUIDITY },
	{ "no liquidity within", "ADAUSDM", "100", NULL, SIDE_BUY, MARKET, "100", false,
	  CODE_LIQUIDITY },
	{ "balance", "ADAUSDM", "14285.72", NULL, SIDE_BUY, LIMIT("0.7"), NULL, false,
	  CODE_BALANCE },
	{ "the whole balance", "ADAUSDM", "10000", NULL, SIDE_SELL, LIMIT("0.9"), NULL, false,
	  CODE_DONE },
	{ "more than there is", "ADAUSDM", "10000.01", NULL, SIDE_SELL, LIMIT("0.9"), NULL, false,
	  CODE_BALANCE },
	{ "absurd", "ADAUSDM", "99999999999999999999", NULL, SIDE_SELL, LIMIT("0.9"), NULL, false,
	  CODE_INVALID },
};

static struct intake build_request(size_t i)
{
	struct intake in =
		request(builds[i].symbol, builds[i].side, builds[i].base, builds[i].price);

	in.type = builds[i].type;
	in.has_quote = set_decimal(builds[i].quote, &in.quote);
	in.has_slippage = builds[i].slippage;
	in.slippage_bp = builds[i].slippage ? strtol(builds[i].slippage, NULL, 10) : 0;
	in.post_only = builds[i].post_only;
	return in;
}

static void the_first_fault_of_a_request_gives_its_code(void **state)
{
	struct exchange *x = *state;

	for (size_t i = 0; i < ARRAY_LEN(builds); i++) {
		struct intake in = build_request(i);
		struct order *order;
		enum code code = intake_build(x, exchange_account(x, "alice"), &in, &order);

		if (code != builds[i].code)
			print_message("build \"%s\"\n", builds[i].name);
		assert_int_equal(code, builds[i].code);
	}
}

static void a_building_order_holds_nothing_and_echoes_its_price(void **state)
{
	struct exchange *x = *state;
	struct intake in = request("NIGHTUSDM", SIDE_BUY, "4302.10", "0.25470");
	struct order *order;
	char text[DECIMAL_TEXT_LEN];

	assert_int_equal(intake_build(x, exchange_account(x, "alice"), &in, &order), CODE_DONE);
	assert_int_equal(order->status, ORDER_BUILDING);
	assert_string_equal(order->price_text, "0.25470");
	assert_string_equal(amount_print(order->base_units, text), "4302.1");
	assert_int_equal(order_held(order), 0);
	assert_int_equal(test_balance(x, "alice", ASSET_USDM)->locked, 0);
}

static void post_only_is_refused_when_it_would_meet_another(void **state)
{
	struct exchange *x = *state;
	struct intake in = request("ADAUSDM", SIDE_BUY, "100", "0.7600");
	struct order *order;

	test_place_now(x, "bob", SIDE_SELL, "50", "0.7600");
	in.post_only = true;
	assert_int_equal(test_place(x, "alice", in, &order), CODE_WOULD_MATCH);
	in = request("ADAUSDM", SIDE_BUY, "100", "0.7599");
	in.post_only = true;
	assert_int_equal(test_place(x, "alice", in, &order), CODE_DONE);
}

static void a_post_only_order_that_was_overtaken_fails(void **state)
{
	struct exchange *x = *state;
	struct intake in = request("ADAUSDM", SIDE_BUY, "100", "0.7600");
	struct order *order;

	in.post_only = true;
	test_place_ada(x, "bob", SIDE_SELL, "50", "0.7600");
	exchange_run(x, after_ms(10));
	assert_int_equal(test_place(x, "alice", in, &order), CODE_DONE);
	exchange_run(x, after_ms(100));
	assert_int_equal(order->status, ORDER_FAILED);
	assert_int_equal(test_balance(x, "alice", ASSET_USDM)->locked, 0);
}

static void open_orders_are_limited(void **state)
{
	struct exchange *x = *state;
	struct order *order;
	struct intake in = request("ADAUSDM", SIDE_BUY, "10", "0.7");

	for (int i = 0; i < 5; i++)
		test_place_ada(x, "alice", SIDE_BUY, "10", "0.7");
	assert_int_equal(test_place(x, "alice", in, &order), CODE_OPEN_ORDERS);
	exchange_run(x, after_ms(100));
	assert_int_equal(
		exchange_cancel(x, NULL,
				CONTAINER_OF(list_first(&x->orders), struct order, node)->id),
		CODE_DONE);
	assert_int_equal(test_place(x, "alice", in, &order), CODE_DONE);
}

static void an_account_without_operation_key_cannot_build(void **state)
{
	struct exchange *x = *state;
	struct account *carol = exchange_add_account(x, "carol", "carol", "");
	struct intake in = request("ADAUSDM", SIDE_BUY, "100", "0.7");
	struct order *order;

	assert_int_equal(intake_build(x, carol, &in, &order), CODE_NO_OPKEY);
}

/* ---- submit ---- */

static void a_submitted_order_is_processing_then_open(void **state)
{
	struct exchange *x = *state;
	struct order *order = test_place_ada(x, "alice", SIDE_BUY, "100", "0.7000");

	assert_int_equal(order->status, ORDER_PROCESSING);
	assert_int_equal(test_balance(x, "alice", ASSET_USDM)->locked, 70 * UNIT);
	assert_int_equal(test_balance(x, "alice", ASSET_USDM)->free, 9930 * UNIT);
	assert_int_equal(exchange_next_due(x).us, after_ms(50).us);
	exchange_run(x, after_ms(49));
	assert_int_equal(order->status, ORDER_PROCESSING);
	exchange_run(x, after_ms(50));
	assert_int_equal(order->status, ORDER_OPEN);
}

static void a_second_submit_is_told_apart_and_changes_nothing(void **state)
{
	struct exchange *x = *state;
	struct order *order = test_place_ada(x, "alice", SIDE_BUY, "100", "0.7000");

	assert_int_equal(test_submit(x, order), CODE_TX_TWICE);
	exchange_run(x, after_ms(50));
	assert_int_equal(test_submit(x, order), CODE_TX_TWICE);
	assert_int_equal(order->submits, 3);
	assert_int_equal(order->submit_answers[0], CODE_DONE);
	assert_int_equal(order->submit_answers[2], CODE_TX_TWICE);
	assert_int_equal(test_balance(x, "alice", ASSET_USDM)->locked, 70 * UNIT);
}

static void an_old_transaction_has_expired(void **state)
{
	struct exchange *x = *state;
	struct intake in = request("ADAUSDM", SIDE_BUY, "100", "0.7");
	struct order *order;

	assert_int_equal(intake_build(x, exchange_account(x, "alice"), &in, &order), CODE_DONE);
	exchange_run(x, after_ms(119999));
	assert_int_equal(order->status, ORDER_BUILDING);
	exchange_run(x, after_ms(120000));
	assert_int_equal(order->status, ORDER_FAILED);
	assert_int_equal(test_submit(x, order), CODE_TX_EXPIRED);
}

static void an_order_of_another_account_is_not_found(void **state)
{
	struct exchange *x = *state;
	struct account *bob = exchange_account(x, "bob");
	struct order *order = test_place_now(x, "alice", SIDE_BUY, "100", "0.7");
	const char *why;
	struct order *found;

	assert_int_equal(intake_submit(x, bob, order->id, order->tx, order->tx_len, &found, &why),
			 CODE_NO_ORDER);
	assert_int_equal(exchange_cancel(x, bob, order->id), CODE_NO_ORDER);
	assert_int_equal(exchange_cancel(x, bob, "no-such-id"), CODE_NO_ORDER);
}

static void balances_are_checked_again_at_submit(void **state)
{
	struct exchange *x = *state;
	struct account *alice = exchange_account(x, "alice");
	struct intake in = request("ADAUSDM", SIDE_BUY, "100", "0.7");
	struct order *order;

	assert_int_equal(intake_build(x, alice, &in, &order), CODE_DONE);
	assert_true(exchange_credit(x, alice, &market_assets[ASSET_USDM], -9990 * UNIT));
	assert_int_equal(test_submit(x, order), CODE_BALANCE);
	assert_int_equal(order->status, ORDER_BUILDING);
	assert_true(exchange_credit(x, alice, &market_assets[ASSET_USDM], 9990 * UNIT));
	assert_int_equal(test_submit(x, order), CODE_DONE);
}

static void a_trading_lock_stops_build_submit_and_cancel_and_ends_by_itself(void **state)
{
	struct exchange *x = *state;
	struct order *order = test_place_now(x, "alice", SIDE_BUY, "100", "0.7"), *other;
	struct intake in = request("ADAUSDX", SIDE_BUY, "0", "0");
	struct account *alice = exchange_account(x, "alice");

	exchange_lock(x, true, 1000);
	assert_int_equal(intake_build(x, alice, &in, &other), CODE_LOCKED);
	assert_int_equal(test_submit(x, order), CODE_LOCKED);
	assert_int_equal(exchange_cancel(x, alice, order->id), CODE_LOCKED);
	assert_int_equal(exchange_next_due(x).us, after_ms(1050).us);
	exchange_run(x, after_ms(1049));
	assert_true(x->is_locked);
	exchange_run(x, after_ms(1050));
	assert_int_equal(exchange_cancel(x, alice, order->id), CODE_DONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_fault_of_a_request_gives_its_code),
		TEST(a_building_order_holds_nothing_and_echoes_its_price),
		TEST(post_only_is_refused_when_it_would_meet_another),
		TEST(a_post_only_order_that_was_overtaken_fails),
		TEST(open_orders_are_limited),
		TEST(an_account_without_operation_key_cannot_build),
		TEST(a_submitted_order_is_processing_then_open),
		TEST(a_second_submit_is_told_apart_and_changes_nothing),
		TEST(an_old_transaction_has_expired),
		TEST(an_order_of_another_account_is_not_found),
		TEST(balances_are_checked_again_at_submit),
		TEST(a_trading_lock_stops_build_submit_and_cancel_and_ends_by_itself),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
