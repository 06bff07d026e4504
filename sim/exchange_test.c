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

static struct order *place(struct exchange *x, const char *account, enum side side,
			   const char *base, const char *price)
{
	struct order *order = NULL;

	assert_int_equal(test_place(x, account, request("ADAUSDM", side, base, price), &order),
			 CODE_DONE);
	return order;
}

/* To the book, or as far as it goes. */
static struct order *place_now(struct exchange *x, const char *account, enum side side,
			       const char *base, const char *price)
{
	struct order *order = place(x, account, side, base, price);

	exchange_run(x, (struct wall){ x->now.us + 50000 });
	return order;
}

static const struct balance *balance_of(struct exchange *x, const char *account,
					enum asset_id asset)
{
	return &exchange_account(x, account)->balances[asset];
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
	assert_int_equal(balance_of(x, "alice", ASSET_USDM)->locked, 0);
}

static void post_only_is_refused_when_it_would_meet_another(void **state)
{
	struct exchange *x = *state;
	struct intake in = request("ADAUSDM", SIDE_BUY, "100", "0.7600");
	struct order *order;

	place_now(x, "bob", SIDE_SELL, "50", "0.7600");
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
	place(x, "bob", SIDE_SELL, "50", "0.7600");
	exchange_run(x, after_ms(10));
	assert_int_equal(test_place(x, "alice", in, &order), CODE_DONE);
	exchange_run(x, after_ms(100));
	assert_int_equal(order->status, ORDER_FAILED);
	assert_int_equal(balance_of(x, "alice", ASSET_USDM)->locked, 0);
}

static void open_orders_are_limited(void **state)
{
	struct exchange *x = *state;
	struct order *order;
	struct intake in = request("ADAUSDM", SIDE_BUY, "10", "0.7");

	for (int i = 0; i < 5; i++)
		place(x, "alice", SIDE_BUY, "10", "0.7");
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

static enum code submit_again(struct exchange *x, struct order *order)
{
	const char *why;
	struct buf signed_tx;
	enum code code;

	buf_init(&signed_tx, TX_MAX);
	sign_tx(&order->account->opkey, order->tx, order->tx_len, false, &signed_tx);
	code = intake_submit(x, order->account, order->id, (uint8_t *)signed_tx.data, signed_tx.len,
			     &order, &why);
	buf_fini(&signed_tx);
	return code;
}

static void a_submitted_order_is_processing_then_open(void **state)
{
	struct exchange *x = *state;
	struct order *order = place(x, "alice", SIDE_BUY, "100", "0.7000");

	assert_int_equal(order->status, ORDER_PROCESSING);
	assert_int_equal(balance_of(x, "alice", ASSET_USDM)->locked, 70 * UNIT);
	assert_int_equal(balance_of(x, "alice", ASSET_USDM)->free, 9930 * UNIT);
	assert_int_equal(exchange_next_due(x).us, after_ms(50).us);
	exchange_run(x, after_ms(49));
	assert_int_equal(order->status, ORDER_PROCESSING);
	exchange_run(x, after_ms(50));
	assert_int_equal(order->status, ORDER_OPEN);
}

static void a_second_submit_is_told_apart_and_changes_nothing(void **state)
{
	struct exchange *x = *state;
	struct order *order = place(x, "alice", SIDE_BUY, "100", "0.7000");

	assert_int_equal(submit_again(x, order), CODE_TX_TWICE);
	exchange_run(x, after_ms(50));
	assert_int_equal(submit_again(x, order), CODE_TX_TWICE);
	assert_int_equal(order->submits, 3);
	assert_int_equal(order->submit_answers[0], CODE_DONE);
	assert_int_equal(order->submit_answers[2], CODE_TX_TWICE);
	assert_int_equal(balance_of(x, "alice", ASSET_USDM)->locked, 70 * UNIT);
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
	assert_int_equal(submit_again(x, order), CODE_TX_EXPIRED);
}

static void an_order_of_another_account_is_not_found(void **state)
{
	struct exchange *x = *state;
	struct account *bob = exchange_account(x, "bob");
	struct order *order = place_now(x, "alice", SIDE_BUY, "100", "0.7");
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
	assert_int_equal(submit_again(x, order), CODE_BALANCE);
	assert_int_equal(order->status, ORDER_BUILDING);
	assert_true(exchange_credit(x, alice, &market_assets[ASSET_USDM], 9990 * UNIT));
	assert_int_equal(submit_again(x, order), CODE_DONE);
}

static void a_trading_lock_stops_build_submit_and_cancel_and_ends_by_itself(void **state)
{
	struct exchange *x = *state;
	struct order *order = place_now(x, "alice", SIDE_BUY, "100", "0.7"), *other;
	struct intake in = request("ADAUSDX", SIDE_BUY, "0", "0");
	struct account *alice = exchange_account(x, "alice");

	exchange_lock(x, true, 1000);
	assert_int_equal(intake_build(x, alice, &in, &other), CODE_LOCKED);
	assert_int_equal(submit_again(x, order), CODE_LOCKED);
	assert_int_equal(exchange_cancel(x, alice, order->id), CODE_LOCKED);
	assert_int_equal(exchange_next_due(x).us, after_ms(1050).us);
	exchange_run(x, after_ms(1049));
	assert_true(x->is_locked);
	exchange_run(x, after_ms(1050));
	assert_int_equal(exchange_cancel(x, alice, order->id), CODE_DONE);
}

/* ---- matching ---- */

static void a_crossing_order_fills_at_the_resting_price_and_rests_with_what_is_left(void **state)
{
	struct exchange *x = *state;
	struct order *maker = place_now(x, "bob", SIDE_SELL, "100", "0.7500");
	struct order *taker = place_now(x, "alice", SIDE_BUY, "250", "0.7700");

	assert_int_equal(maker->status, ORDER_CLOSED);
	assert_int_equal(taker->status, ORDER_OPEN);
	assert_int_equal(taker->executed_base_units, 100 * UNIT);
	assert_int_equal(taker->executed_quote_units, 75 * UNIT);
	assert_int_equal(taker->fee_units, 100000); /* 0.1 ADA */
	assert_int_equal(maker->fee_units, 75000);  /* 0.075 USDM */
	/* 150 at 0.77 are still held; what the better price saved is free. */
	assert_int_equal(taker->locked_quote_units, 115500000);
	assert_int_equal(balance_of(x, "alice", ASSET_USDM)->free,
			 10000 * UNIT - 75 * UNIT - 115500000);
	assert_int_equal(balance_of(x, "alice", ASSET_ADA)->free, 10000 * UNIT + 99900000);
	assert_int_equal(balance_of(x, "bob", ASSET_USDM)->free, 10000 * UNIT + 74925000);
	assert_int_equal(balance_of(x, "bob", ASSET_ADA)->locked, 0);
	assert_int_equal(x->markets[PAIR_ADAUSDM].last_price, 750000000);
}

static void a_partly_filled_order_stays_open(void **state)
{
	struct exchange *x = *state;
	struct order *maker = place_now(x, "bob", SIDE_SELL, "100", "0.7500");
	struct order *taker = place_now(x, "alice", SIDE_BUY, "30", "0.7500");

	assert_int_equal(taker->status, ORDER_CLOSED);
	assert_int_equal(maker->status, ORDER_OPEN);
	assert_int_equal(order_rest_units(maker), 70 * UNIT);
	assert_int_equal(exchange_cancel(x, maker->account, maker->id), CODE_DONE);
	assert_int_equal(maker->status, ORDER_CANCELLED);
	assert_int_equal(maker->executed_base_units, 30 * UNIT);
	assert_int_equal(balance_of(x, "bob", ASSET_ADA)->locked, 0);
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

	place_now(x, "bob", SIDE_SELL, "50", "0.7500");
	place_now(x, "bob", SIDE_SELL, "50", "0.9000");
	order = market(x, SIDE_BUY, "80", NULL, -1);
	assert_int_equal(balance_of(x, "alice", ASSET_USDM)->free, 0);
	assert_int_equal(test_place(x, "alice", request("ADAUSDM", SIDE_BUY, "10", NULL), &second),
			 CODE_BALANCE);
	exchange_run(x, after_ms(1000));
	assert_int_equal(order->status, ORDER_CLOSED);
	assert_int_equal(order->executed_quote_units, 64500000);
	assert_int_equal(balance_of(x, "alice", ASSET_USDM)->locked, 0);
	assert_int_equal(balance_of(x, "alice", ASSET_USDM)->free, 10000 * UNIT - 64500000);
}

static void the_rest_of_a_market_order_with_slippage_is_listed(void **state)
{
	struct exchange *x = *state;
	struct order *order;

	place_now(x, "bob", SIDE_SELL, "50", "0.7500");
	place_now(x, "bob", SIDE_SELL, "50", "0.7550");
	place_now(x, "bob", SIDE_SELL, "50", "0.7600");
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

	place_now(x, "bob", SIDE_SELL, "50", "0.7500");
	place_now(x, "bob", SIDE_SELL, "50", "0.8000");
	order = market(x, SIDE_BUY, NULL, "45.50", -1); /* 50 for 37.5, 10 for 8 */
	exchange_run(x, after_ms(1000));
	assert_int_equal(order->status, ORDER_CLOSED);
	assert_int_equal(order->base_units, 60 * UNIT);
	assert_int_equal(order->executed_quote_units, 45500000);
	place_now(x, "bob", SIDE_BUY, "100", "0.7000");
	order = market(x, SIDE_SELL, NULL, "35", 50);
	exchange_run(x, after_ms(2000));
	assert_int_equal(order->status, ORDER_CLOSED);
	assert_int_equal(order->executed_base_units, 50 * UNIT);
	assert_int_equal(balance_of(x, "alice", ASSET_ADA)->locked, 0);
}

static void a_market_order_that_comes_too_late_ends(void **state)
{
	struct exchange *x = *state;
	struct order *resting = place_now(x, "bob", SIDE_SELL, "50", "0.7500");
	struct order *order = market(x, SIDE_BUY, "40", NULL, -1);

	assert_int_equal(exchange_cancel(x, resting->account, resting->id), CODE_DONE);
	exchange_run(x, after_ms(1000));
	assert_int_equal(order->status, ORDER_FAILED);
	assert_int_equal(balance_of(x, "alice", ASSET_USDM)->locked, 0);
}

static void one_resting_order_can_be_filled_past_all_others(void **state)
{
	struct exchange *x = *state;
	struct account *house = exchange_add_account(x, "house", "", "");
	struct order *best = place_now(x, "alice", SIDE_BUY, "100", "0.7400");
	struct order *deep = place_now(x, "alice", SIDE_BUY, "100", "0.7000");

	house->is_house = true;
	match_one(x, deep, intake_counter(x, house, deep, 40 * UNIT), 40 * UNIT);
	assert_int_equal(best->executed_base_units, 0);
	assert_int_equal(deep->executed_base_units, 40 * UNIT);
	assert_int_equal(deep->executed_quote_units, 28 * UNIT);
	assert_int_equal(deep->status, ORDER_OPEN);
}

/* ---- cancel ---- */

static void count_order(void *arg, const struct order *order)
{
	(void)order;
	++*(int *)arg;
}

static void cancel_all_takes_open_orders_of_one_symbol(void **state)
{
	struct exchange *x = *state;
	struct account *alice = exchange_account(x, "alice");
	struct order *night;
	int count = 0;

	place_now(x, "alice", SIDE_BUY, "100", "0.7");
	place_now(x, "alice", SIDE_BUY, "100", "0.6");
	place_now(x, "bob", SIDE_BUY, "100", "0.5");
	assert_int_equal(
		test_place(x, "alice", request("NIGHTUSDM", SIDE_BUY, "1000", "0.04"), &night),
		CODE_DONE);
	exchange_run(x, after_ms(1000));
	assert_int_equal(exchange_cancel_all(x, alice, "ADAUSDM", count_order, &count), CODE_DONE);
	assert_int_equal(count, 2);
	assert_int_equal(night->status, ORDER_OPEN);
	assert_int_equal(exchange_cancel_all(x, alice, "ADAUSDM", count_order, &count),
			 CODE_NO_ORDER);
	assert_int_equal(exchange_cancel_all(x, alice, "ADAUSDX", count_order, &count),
			 CODE_SYMBOL);
}

static void an_order_on_its_way_cannot_be_cancelled_yet(void **state)
{
	struct exchange *x = *state;
	struct intake in = request("ADAUSDM", SIDE_BUY, "100", "0.7");
	struct order *order;

	assert_int_equal(intake_build(x, exchange_account(x, "alice"), &in, &order), CODE_DONE);
	assert_int_equal(exchange_cancel(x, NULL, order->id), CODE_ORDER_STATE);
	assert_int_equal(submit_again(x, order), CODE_DONE);
	assert_int_equal(exchange_cancel(x, NULL, order->id), CODE_ORDER_STATE);
}

static void a_delayed_cancel_competes_with_fills(void **state)
{
	struct exchange *x = *state;
	struct order *order;

	x->config.cancel_delay = (struct range_ms){ 200, 200 };
	order = place_now(x, "alice", SIDE_BUY, "100", "0.7");
	assert_int_equal(exchange_cancel(x, NULL, order->id), CODE_DONE);
	assert_int_equal(order->status, ORDER_OPEN);
	place_now(x, "bob", SIDE_SELL, "100", "0.7");
	assert_int_equal(order->status, ORDER_CLOSED);
	exchange_run(x, after_ms(1000));
	assert_int_equal(order->status, ORDER_CLOSED);
}

/* ---- the whole ---- */

static void a_new_api_key_ends_the_old_one(void **state)
{
	struct exchange *x = *state;
	struct account *alice = exchange_account(x, "alice");

	exchange_new_key(x, alice);
	assert_null(exchange_account_by_key(x, "alice"));
	assert_ptr_equal(exchange_account_by_key(x, alice->api_key), alice);
	assert_int_equal(strlen(alice->api_key), 32);
}

struct totals {
	int64_t of[ASSET_COUNT];
};

static struct totals totals_of(const struct exchange *x)
{
	struct totals totals = { { 0 } };

	LIST_EACH (&x->accounts, node) {
		const struct account *account = CONTAINER_OF(node, struct account, node);

		for (size_t i = 0; i < ASSET_COUNT; i++) {
			assert_true(account->balances[i].free >= 0);
			assert_true(account->balances[i].locked >= 0);
			totals.of[i] += account->balances[i].free + account->balances[i].locked;
		}
	}
	LIST_EACH (&x->executions, node) {
		const struct execution *fill = CONTAINER_OF(node, struct execution, of_exchange);

		totals.of[order_receives(fill->order)->id] += fill->fee_units;
	}
	return totals;
}

/* What is locked is what the live orders hold, to the last unit. */
static void assert_locks_add_up(const struct exchange *x)
{
	struct totals held = { { 0 } };

	LIST_EACH (&x->orders, node) {
		const struct order *order = CONTAINER_OF(node, struct order, node);

		held.of[order_pays(order)->id] += order_held(order);
	}
	LIST_EACH (&x->accounts, node) {
		const struct account *account = CONTAINER_OF(node, struct account, node);

		for (size_t i = 0; i < ASSET_COUNT; i++)
			held.of[i] -= account->balances[i].locked;
	}
	for (size_t i = 0; i < ASSET_COUNT; i++)
		assert_int_equal(held.of[i], 0);
}

static struct intake random_request(uint64_t seed, uint64_t n)
{
	const struct pair *pair = &market_pairs[draw_range(seed, "pair", n, 0, PAIR_COUNT - 1)];
	enum side side = draw_range(seed, "side", n, 0, 1) ? SIDE_SELL : SIDE_BUY;
	int64_t base =
		base_units_of(draw_range(seed, "value", n, 5, 300) * UNIT, pair->price_start);
	int64_t price = pair->price_start / 100 * draw_range(seed, "price", n, 97, 103);
	struct intake in = { .side = side, .has_base = true };

	(void)STR_SET(in.symbol, pair->symbol);
	in.type = draw_range(seed, "type", n, 0, 3) ? TYPE_LIMIT : TYPE_MARKET;
	in.has_price = in.type == TYPE_LIMIT;
	in.base =
		decimal_of(round_down_to(base, amount_step(pair->base->max_qty_dp)), AMOUNT_SCALE);
	in.price = decimal_of(round_down_to(price, price_step(pair->price_max_dp)), PRICE_SCALE);
	if (in.type == TYPE_MARKET && draw_range(seed, "by quote", n, 0, 1)) {
		in.has_base = false;
		in.has_quote = true;
		in.quote = decimal_of(draw_range(seed, "quote", n, 500, 20000), 2);
	}
	in.has_slippage = in.type == TYPE_MARKET && draw_range(seed, "slip", n, 0, 1);
	in.slippage_bp = draw_range(seed, "bp", n, 0, 300);
	in.post_only = in.type == TYPE_LIMIT && !draw_range(seed, "post", n, 0, 4);
	return in;
}

/* A digest of all that happened. */
static uint64_t play(uint64_t seed, int count)
{
	struct exchange *x = test_exchange();
	struct totals before = totals_of(x), after;
	uint64_t digest = 0;

	x->config.open_orders_max = 1000;
	for (int i = 0; i < count; i++) {
		const char *who = draw_range(seed, "who", (uint64_t)i, 0, 1) ? "alice" : "bob";
		struct order *order = NULL;
		enum code code = test_place(x, who, random_request(seed, (uint64_t)i), &order);

		digest = digest * 31 + (uint64_t)code;
		exchange_run(x, after_ms(20 * i));
		if (i % 7 == 0 && order && exchange_cancel(x, NULL, order->id))
			digest++;
		assert_locks_add_up(x);
	}
	exchange_run(x, after_ms(20 * count + 1000));
	after = totals_of(x);
	assert_memory_equal(&before, &after, sizeof(after));
	LIST_EACH (&x->executions, node) {
		const struct execution *fill = CONTAINER_OF(node, struct execution, of_exchange);

		digest = digest * 31 + (uint64_t)fill->quote_units + (uint64_t)fill->id[0];
	}
	exchange_destroy(x);
	return digest;
}

static void nothing_is_made_or_lost_whatever_is_traded(void **unused)
{
	(void)unused;
	for (uint64_t seed = 1; seed <= 5; seed++)
		play(seed, 300);
}

static void the_same_seed_and_calls_give_the_same_exchange(void **unused)
{
	(void)unused;
	assert_int_equal(play(3, 200), play(3, 200));
	assert_int_not_equal(play(3, 200), play(4, 200));
}

/* ---- events ---- */

struct seen {
	char text[2048];
};

static void note_event(void *arg, const struct exchange_event *event)
{
	static const char letters[] = {
		[EVENT_ORDER] = 'o',   [EVENT_SUBMIT] = 's',   [EVENT_EXECUTION] = 'x',
		[EVENT_BALANCE] = 'b', [EVENT_ACCOUNT] = 'a',  [EVENT_TRADE] = 't',
		[EVENT_BOOK] = 'k',    [EVENT_TRANSFER] = 'r', [EVENT_SETTINGS] = '*'
	};
	struct seen *seen = arg;
	size_t len = strlen(seen->text);

	assert_true(len + 1 < sizeof(seen->text));
	seen->text[len] = letters[event->kind];
}

static void subscribers_are_told_each_step_executions_first(void **state)
{
	struct exchange *x = *state;
	struct seen seen = { "" };

	place_now(x, "bob", SIDE_SELL, "100", "0.7500");
	exchange_subscribe(x, note_event, &seen);
	place_now(x, "alice", SIDE_BUY, "100", "0.7500");
	/* built; held, processing, answered; both sides with their balances; the trade; the maker
	 * closed, then the taker */
	assert_string_equal(seen.text, "obosbbxbbxtokok");
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
		TEST(a_crossing_order_fills_at_the_resting_price_and_rests_with_what_is_left),
		TEST(a_partly_filled_order_stays_open),
		TEST(commissions_are_those_of_the_logs),
		TEST(the_overflow_of_the_logs_is_told_when_switched_on_only),
		TEST(a_market_buy_without_slippage_holds_everything_until_it_is_matched),
		TEST(the_rest_of_a_market_order_with_slippage_is_listed),
		TEST(a_market_order_may_be_sized_in_quote),
		TEST(a_market_order_that_comes_too_late_ends),
		TEST(one_resting_order_can_be_filled_past_all_others),
		TEST(cancel_all_takes_open_orders_of_one_symbol),
		TEST(an_order_on_its_way_cannot_be_cancelled_yet),
		TEST(a_delayed_cancel_competes_with_fills),
		TEST(a_new_api_key_ends_the_old_one),
		cmocka_unit_test(nothing_is_made_or_lost_whatever_is_traded),
		cmocka_unit_test(the_same_seed_and_calls_give_the_same_exchange),
		TEST(subscribers_are_told_each_step_executions_first),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
