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

	test_place_now(x, "alice", SIDE_BUY, "100", "0.7");
	test_place_now(x, "alice", SIDE_BUY, "100", "0.6");
	test_place_now(x, "bob", SIDE_BUY, "100", "0.5");
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
	assert_int_equal(test_submit(x, order), CODE_DONE);
	assert_int_equal(exchange_cancel(x, NULL, order->id), CODE_ORDER_STATE);
}

static void a_delayed_cancel_competes_with_fills(void **state)
{
	struct exchange *x = *state;
	struct order *order;

	x->config.cancel_delay = (struct range_ms){ 200, 200 };
	order = test_place_now(x, "alice", SIDE_BUY, "100", "0.7");
	assert_int_equal(exchange_cancel(x, NULL, order->id), CODE_DONE);
	assert_int_equal(order->status, ORDER_OPEN);
	test_place_now(x, "bob", SIDE_SELL, "100", "0.7");
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

	test_place_now(x, "bob", SIDE_SELL, "100", "0.7500");
	exchange_subscribe(x, note_event, &seen);
	test_place_now(x, "alice", SIDE_BUY, "100", "0.7500");
	/* built; held, processing, answered; both sides with their balances; the trade; the maker
	 * closed, then the taker */
	assert_string_equal(seen.text, "obosbbxbbxtokok");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
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
