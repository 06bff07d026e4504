#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "sim/stream_wire.h"

#include <jansson.h>

#include "sim/testing.h"

static int set_up(void **state)
{
	*state = test_exchange();
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	exchange_destroy(*state);
	return 0;
}

static const struct pair *ada(void)
{
	return &market_pairs[PAIR_ADAUSDM];
}

static struct exchange_market *market(struct exchange *x)
{
	return &x->markets[PAIR_ADAUSDM];
}

/* Alice rests at 0.5 (twice) and 0.4, and sells at 0.6; bob takes 15 of the first. */
static struct order *trade_a_little(struct exchange *x)
{
	struct order *maker = test_place_now(x, "alice", SIDE_BUY, "20.5", "0.5000");

	test_place_now(x, "alice", SIDE_BUY, "13", "0.4");
	test_place_now(x, "alice", SIDE_BUY, "30", "0.5");
	test_place_now(x, "alice", SIDE_SELL, "100", "0.6");
	test_place_now(x, "bob", SIDE_SELL, "15", "0.5");
	return maker;
}

#define assert_message(buf, expected)                           \
	do {                                                    \
		assert_string_equal(buf_str(&(buf)), expected); \
		buf_clear(&(buf));                              \
	} while (0)

static void market_messages_are_as_the_documents_show_them(void **state)
{
	struct exchange *x = *state;
	struct buf text;

	buf_init(&text, STREAM_MESSAGE_MAX);
	stream_add_depth(&text, market(x), after_ms(7));
	assert_message(text, "{\"timestamp\":1700000000007,\"bids\":[],\"asks\":[]}");
	stream_add_trades(&text, market(x), ada(), 50);
	assert_message(text, "[]");
	trade_a_little(x);
	stream_add_depth(&text, market(x), after_ms(7));
	assert_message(text, "{\"timestamp\":1700000000007,\"bids\":[{\"price\":0.5,\"quantity\":"
			     "35.5},{\"price\":0.4,\"quantity\":13}],"
			     "\"asks\":[{\"price\":0.6,\"quantity\":100}]}");
	stream_add_trades(&text, market(x), ada(), 50);
	assert_message(text, "[{\"timestamp\":\"2023-11-14T22:13:20.250000Z\",\"symbol\":"
			     "\"ADAUSDM\",\"side\":\"sell\",\"price\":0.5,\"amount\":15}]");
	stream_add_price(&text, market(x)->last_price, false);
	assert_message(text, "{\"type\":\"Market\",\"sub_type\":\"market_price\",\"price\":0.5}");
	stream_add_price(&text, 269000000, true);
	assert_message(text, "{\"price\":0.269}");
	buf_fini(&text);
}

static void trades_are_listed_newest_first_up_to_the_limit(void **state)
{
	struct exchange *x = *state;
	static const struct {
		size_t limit, count;
	} cases[] = { { 0, 0 }, { 1, 1 }, { 2, 2 }, { 3, 3 }, { 50, 3 } };

	test_place_now(x, "alice", SIDE_BUY, "60", "0.5");
	for (int i = 0; i < 3; i++)
		test_place_now(x, "bob", SIDE_SELL, i == 0 ? "10" : i == 1 ? "11" : "12", "0.5");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf text;
		json_t *array;

		buf_init(&text, STREAM_MESSAGE_MAX);
		stream_add_trades(&text, market(x), ada(), cases[i].limit);
		array = json_loads(buf_str(&text), 0, NULL);
		assert_int_equal(json_array_size(array), cases[i].count);
		for (size_t at = 0; at < cases[i].count; at++)
			assert_int_equal(json_integer_value(json_object_get(
						 json_array_get(array, at), "amount")),
					 12 - (int)at);
		json_decref(array);
		buf_fini(&text);
	}
}

static void an_order_is_told_as_rest_gives_it(void **state)
{
	struct exchange *x = *state;
	const struct order *order = trade_a_little(x);

	for (int has_executions = 0; has_executions <= 1; has_executions++) {
		struct buf text;
		json_t *message, *told;

		buf_init(&text, STREAM_MESSAGE_MAX);
		stream_add_order(&text, order, has_executions);
		message = json_loads(buf_str(&text), 0, NULL);
		assert_string_equal(json_string_value(json_object_get(message, "type")), "Account");
		assert_string_equal(json_string_value(json_object_get(message, "sub_type")),
				    "order_info");
		told = json_object_get(message, "order");
		assert_string_equal(json_string_value(json_object_get(told, "status")), "open");
		assert_string_equal(json_string_value(json_object_get(told, "price")), "0.5000");
		assert_string_equal(json_string_value(json_object_get(told, "executed_base_qty")),
				    "15");
		assert_int_equal(json_array_size(json_object_get(told, "order_execution_records")),
				 has_executions);
		json_decref(message);
		buf_fini(&text);
	}
}

static void balances_list_what_changed_as_numbers_or_strings(void **state)
{
	struct exchange *x = *state;
	const struct account *alice = exchange_account(x, "alice");
	struct buf text;

	trade_a_little(x);
	buf_init(&text, STREAM_MESSAGE_MAX);
	stream_add_balances(&text, alice, 1u << ASSET_ADA, false);
	assert_message(text, "{\"type\":\"Account\",\"sub_type\":\"balance\",\"balance\":[{"
			     "\"asset\":\"ADA\",\"asset_unit\":\"lovelace\",\"free\":9914.985,"
			     "\"locked\":100}]}");
	stream_add_balances(&text, alice, 1u << ASSET_ADA | 1u << ASSET_NIGHT, true);
	assert_message(text,
		       "{\"type\":\"Account\",\"sub_type\":\"balance\",\"balance\":[{\"asset\":"
		       "\"ADA\",\"asset_unit\":\"lovelace\",\"free\":\"9914.985\",\"locked\":"
		       "\"100\"},{\"asset\":\"NIGHT\",\"asset_unit\":\"3363b99384d6ee4c4b009068af39"
		       "6c8fdf92dafd111e58a857af04294e49474854\",\"free\":\"10000\",\"locked\":"
		       "\"0\"}]}");
	buf_fini(&text);
}

static int64_t price_of(const json_t *message, const char *side, size_t at)
{
	const json_t *level = json_array_get(json_object_get(message, side), at);

	return (int64_t)(json_number_value(json_object_get(level, "price")) * 10000 + 0.5);
}

static void a_storm_has_real_books_and_never_the_same_twice(void **unused)
{
	char last[2048] = "";

	(void)unused;
	for (uint64_t n = 0; n < 100; n++) {
		struct buf text;
		json_t *message;

		buf_init(&text, STREAM_MESSAGE_MAX);
		stream_add_storm(&text, ada(), n, after_ms((int64_t)n));
		message = json_loads(buf_str(&text), 0, NULL);
		assert_int_equal(json_array_size(json_object_get(message, "bids")), 10);
		assert_int_equal(json_array_size(json_object_get(message, "asks")), 10);
		for (size_t i = 1; i < 10; i++) {
			assert_true(price_of(message, "bids", i) <
				    price_of(message, "bids", i - 1));
			assert_true(price_of(message, "asks", i) >
				    price_of(message, "asks", i - 1));
		}
		assert_true(price_of(message, "bids", 0) < price_of(message, "asks", 0));
		assert_string_not_equal(strstr(buf_str(&text), "bids"), last);
		assert_true(STR_SET(last, strstr(buf_str(&text), "bids")));
		json_decref(message);
		buf_fini(&text);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(market_messages_are_as_the_documents_show_them),
		TEST(trades_are_listed_newest_first_up_to_the_limit),
		TEST(an_order_is_told_as_rest_gives_it),
		TEST(balances_list_what_changed_as_numbers_or_strings),
		cmocka_unit_test(a_storm_has_real_books_and_never_the_same_twice),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
