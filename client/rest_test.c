#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "client/rig_test.h"

static void every_request_is_exact(void **state)
{
	static const struct {
		void (*call)(struct rig *rig);
		const char *answer, *target, *body;
	} rows[] = {
		{ ask_build, "{\"order_id\":\"" ORDER_ID "\",\"tx_hex\":\"84\"}",
		  "POST /order/build",
		  "{\"symbol\":\"ADAUSDM\",\"side\":\"buy\",\"type\":\"limit\","
		  "\"base_quantity\":\"100\",\"price\":\"0.25470\",\"post_only\":true}" },
		{ ask_submit, "{\"id\":\"" ORDER_ID "\",\"status\":\"processing\"}",
		  "POST /order/submit",
		  "{\"order_id\":\"" ORDER_ID "\",\"signed_tx\":\"84a400\"}" },
		{ ask_order, "{\"id\":\"" ORDER_ID "\",\"status\":\"open\"}",
		  "GET /accounts/order/" ORDER_ID, "" },
		{ ask_cancel, "{\"order_id\":\"" ORDER_ID "\"}", "POST /order/" ORDER_ID "/cancel",
		  "{}" },
		{ ask_cancel_all, "{\"symbol\":\"ADAUSDM\",\"order_ids\":[]}",
		  "POST /order/cancel-all", "{\"symbol\":\"ADAUSDM\"}" },
		{ ask_open_orders, "[]",
		  "GET /accounts/open-orders?symbol=ADAUSDM&limit=250&page=3", "" },
		{ ask_trade_orders, "[]",
		  "GET /accounts/trade-orders?symbol=ADAUSDM&limit=10&page=1", "" },
		{ ask_trades, "[]", "GET /accounts/trades?symbol=ADAUSDM&limit=1&page=1000", "" },
		{ ask_account, "{\"account_id\":\"a\"}", "GET /accounts/spot-account", "" },
		{ ask_balances, "[]", "GET /accounts/balance", "" },
		{ ask_deposits, "[]", "GET /accounts/deposit-records?limit=10&page=1", "" },
		{ ask_withdrawals, "[]", "GET /accounts/withdrawal-records?limit=10&page=2", "" },
		{ ask_transferals, "[]", "GET /accounts/transferal-records?limit=250&page=1", "" },
		{ ask_transferal, "{\"status\":\"x\"}", "GET /accounts/transferal-records/ab12",
		  "" },
		{ ask_max_deposit, "{\"max_deposit\":\"1\"}", "GET /accounts/max-deposit", "" },
		{ ask_api_key, "{\"api_key\":\"****\"}", "GET /accounts/api-key", "" },
		{ ask_new_key, "{\"api_key\":\"n\"}", "GET /accounts/new-api-key", "" },
		{ ask_markets, "{\"trading_pairs\":[]}", "GET /app/market-config", "" },
		{ ask_price, "{\"price\":0.75}", "GET /market/market-price?symbol=ADAUSDM", "" },
		{ ask_candles, "[]",
		  "GET /market/graph/ADAUSDM?interval=15m&start=1766000000&end=1766003600"
		  "&order_by=asc",
		  "" },
		{ ask_cycle, "{\"start\":\"1\",\"end\":2}", "GET /app/hydra-cycle", "" },
		{ ask_terms, "{\"value\":\"terms\"}", "GET /app/terms-and-conditions", "" },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct dd_result *result = ask_for(rig, 200, rows[i].answer, rows[i].call);

		assert_string_equal(rig->target, rows[i].target);
		assert_string_equal(rig->body, rows[i].body);
		assert_string_equal(rig->key, API_KEY);
		assert_string_equal(rig->type, rows[i].body[0] ? "application/json" : "");
		assert_done(result);
		assert_int_equal(result->http_status, 200);
		assert_int_equal(result->retry_after_ms, -1);
		assert_true(result->sent.us > 0 && result->done.us >= result->sent.us);
	}
	assert_int_equal(rig->requests, (int)ARRAY_LEN(rows));
}

static void what_is_answered_arrives(void **state)
{
	struct rig *rig = *state;

	ask_for(rig, 200, "{\"order_id\":\"" ORDER_ID "\",\"tx_hex\":\"84a4\"}", ask_build);
	assert_string_equal(rig->outcome.text, ORDER_ID " 84a4");
	ask_for(rig, 200, "{\"order\":{\"order_id\":\"" ORDER_ID "\",\"status\":\"processing\"}}",
		ask_submit);
	assert_string_equal(rig->outcome.text, "processing");
	ask_for(rig, 200, "{\"order_ids\":[\"" ORDER_ID "\"]}", ask_cancel_all);
	assert_string_equal(rig->outcome.text, ORDER_ID);
	ask_for(rig, 200, "{\"data\":[{\"id\":\"a\",\"status\":\"open\"}],\"total_count\":12}",
		ask_open_orders);
	assert_int_equal(rig->outcome.count, 1);
	assert_int_equal(rig->outcome.total, 12);
	ask_for(rig, 200, "{\"api_key\":\"dk_live_new\"}", ask_new_key);
	assert_string_equal(rig->outcome.text, "dk_live_new");
	ask_for(rig, 200, "{\"start\":\"1\",\"end\":2}", ask_cycle);
	assert_string_equal(rig->outcome.text, "1 2");
	ask_for(rig, 200, "{\"price\":0.75}", ask_price);
	assert_string_equal(rig->outcome.text, "0.75");
	ask_for(rig, 200, "{\"account_id\":\"acc\"}", ask_account);
	assert_string_equal(rig->outcome.text, "acc");
}

static void another_key_is_tried_without_being_taken(void **state)
{
	struct rig *rig = *state;

	ask_for(rig, 200, "{\"account_id\":\"acc\"}", ask_account_with_another_key);
	assert_string_equal(rig->key, "another key");
	ask_for(rig, 200, "{\"account_id\":\"acc\"}", ask_account);
	assert_string_equal(rig->key, API_KEY);
}

static void a_new_api_key_counts_from_the_next_call(void **state)
{
	struct rig *rig = *state;
	struct secret *key = secret_from_str("new key");

	dd_client_set_api_key(rig->client, key);
	secret_destroy(key);
	ask_for(rig, 200, "[]", ask_balances);
	assert_string_equal(rig->key, "new key");
}

static void without_a_key_only_public_calls_leave(void **state)
{
	struct rig *rig = *state;
	const struct dd_result *result;

	dd_client_set_api_key(rig->client, NULL);
	result = ask(rig, ask_balances);
	assert_int_equal(result->verdict, DD_REFUSED);
	assert_int_equal(result->class_, DD_CLASS_AUTH);
	assert_int_equal(result->err.code, ERR_EXCHANGE_AUTH);
	assert_int_equal(rig->requests, 0);
	assert_done(ask_for(rig, 200, "{\"price\":1}", ask_price));
	assert_string_equal(rig->key, "");
}

static void ask_hostile_id(struct rig *rig)
{
	dd_order_get(rig->client, "../new-api-key", on_order, rig);
}

static void ask_empty_id(struct rig *rig)
{
	dd_order_get(rig->client, "", on_order, rig);
}

static void cancel_hostile_id(struct rig *rig)
{
	dd_order_cancel(rig->client, "a?b", on_plain, rig);
}

static void submit_no_hex(struct rig *rig)
{
	dd_order_submit(rig->client, ORDER_ID, "", on_order, rig);
}

static void ask_hostile_symbol(struct rig *rig)
{
	dd_price_get(rig->client, "ADA&x=1", on_price, rig);
}

static void cancel_all_lower_case(struct rig *rig)
{
	dd_order_cancel_all(rig->client, "adausdm", on_ids, rig);
}

static void ask_page_0(struct rig *rig)
{
	dd_open_orders_get(rig->client, "ADAUSDM", (struct dd_page){ 10, 0 }, on_orders, rig);
}

static void ask_limit_251(struct rig *rig)
{
	dd_transfers_get(rig->client, DD_DEPOSIT, 251, 1, on_transfers, rig);
}

static void ask_hostile_hash(struct rig *rig)
{
	dd_transfer_get(rig->client, "ab/../cd", on_transfers, rig);
}

static void ask_hostile_interval(struct rig *rig)
{
	dd_candles_get(rig->client, "ADAUSDM", "1m&x", 0, 1, on_candles, rig);
}

static void ask_backward_candles(struct rig *rig)
{
	dd_candles_get(rig->client, "ADAUSDM", "1d", 2, 1, on_candles, rig);
}

static void build_nothing(struct rig *rig)
{
	const struct dd_order_request request = { .symbol = "ADAUSDM" };

	dd_order_build(rig->client, &request, on_built, rig);
}

static void what_makes_no_sense_never_leaves(void **state)
{
	static void (*const calls[])(struct rig * rig) = {
		ask_hostile_id,     ask_empty_id,          cancel_hostile_id, submit_no_hex,
		ask_hostile_symbol, cancel_all_lower_case, ask_page_0,        ask_limit_251,
		ask_hostile_hash,   ask_hostile_interval,  build_nothing,     ask_backward_candles,
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		const struct dd_result *result = ask(rig, calls[i]);

		assert_int_equal(result->verdict, DD_REFUSED);
		assert_int_equal(result->class_, DD_CLASS_REFUSED);
		assert_int_equal(result->err.code, ERR_INVALID);
		assert_int_equal(result->http_status, 0);
		assert_int_equal(result->sent.us, 0);
	}
	assert_int_equal(rig->requests, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_request_is_exact),
		TEST(what_is_answered_arrives),
		TEST(another_key_is_tried_without_being_taken),
		TEST(a_new_api_key_counts_from_the_next_call),
		TEST(without_a_key_only_public_calls_leave),
		TEST(what_makes_no_sense_never_leaves),
	};

	return cmocka_run_group_tests(tests, start_all, NULL);
}
