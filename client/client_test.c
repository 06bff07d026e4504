#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "client/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "net/front.h"
#include "net/httpd.h"
#include "net/loop.h"

#define API_KEY  "dk_live_abc123def456ghi789jkl012mno345"
#define ORDER_ID "550e8400-e29b-41d4-a716-446655440000"
#define OTHER_ID "11111111-2222-4333-8444-555555555555"
/* The smallest transaction that names the order. */
#define TX_HEX "84a10050550e8400e29b41d4a716446655440000a0f5f6"

/* ---- an exchange that answers as it is told ---- */

enum manner { REPLY, DROP, CUT, HOLD };

struct answer {
	int status;
	const char *body; /* NULL: huge */
	enum manner manner;
	const char *retry_after;
};

/* What a completion brought, copied; the same for all of them. */
struct outcome {
	int completions;
	bool was_early;
	struct dd_result result;
	bool has_value;
	size_t count;
	int64_t total;
	char text[1024];
	bool hash_matches;
};

struct rig {
	struct loop *loop;
	struct httpd *httpd;
	struct front *front;
	struct dd_client *client;
	struct answer answer;
	struct http_request *held;
	int requests;
	char target[512]; /* of the last request: "GET /path?query" */
	char body[4096], key[128], type[64];
	struct outcome outcome;
	bool is_starting;
	void (*on_turn)(struct rig *rig);
};

static void reply_huge(struct http_request *request)
{
	size_t len = 10 * 1024 * 1024;
	char *body = mem_alloc(len);

	memset(body, ' ', len);
	http_reply_take(request, 200, "application/json", body, len);
}

static void reply(struct http_request *request, const struct answer *answer)
{
	size_t len;

	if (answer->retry_after)
		http_reply_header(request, "Retry-After", answer->retry_after);
	if (!answer->body) {
		reply_huge(request);
		return;
	}
	len = strlen(answer->body);
	if (answer->manner == DROP)
		http_drop(request);
	else if (answer->manner == CUT)
		http_reply_cut(request, answer->status, "application/json", answer->body, len,
			       len / 2);
	else
		http_reply(request, answer->status, "application/json", answer->body, len);
}

static void handle(void *arg, struct http_request *request)
{
	struct rig *rig = arg;
	const char *query = http_query(request);
	const char *key = http_header(request, "X-API-KEY");
	const char *type = http_header(request, "Content-Type");

	rig->requests++;
	snprintf(rig->target, sizeof(rig->target), "%s %s%s%s", http_method(request),
		 http_path(request), *query ? "?" : "", query);
	STR_SET(rig->body, http_body(request));
	STR_SET(rig->key, key ? key : "");
	STR_SET(rig->type, type ? type : "");
	if (rig->answer.manner == HOLD)
		rig->held = request;
	else
		reply(request, &rig->answer);
}

/* ---- the rig ---- */

static void open_client(struct rig *rig, const char *address, const char *key)
{
	struct secret *api_key = key ? secret_from_str(key) : NULL;
	char url[128];
	struct dd_config config = {
		.rest_url = url,
		.connect_timeout_ms = 5000,
		.timeout_ms = 10000,
		.user_agent = "deltagate-test",
	};
	struct err err;

	snprintf(url, sizeof(url), "http://%s/", address);
	assert_true(dd_client_create(rig->loop, &config, api_key, &rig->client, &err));
	secret_destroy(api_key);
}

static int start(void **state)
{
	struct rig *rig = mem_alloc(sizeof(*rig));
	const struct httpd_config httpd_config = {
		.body_max = 1 << 20,
		.connections_max = 16,
		.head_timeout_ms = 10000,
		.body_timeout_ms = 10000,
		.handle = handle,
		.arg = rig,
	};
	const struct front_config front_config = { .head_timeout_ms = 10000, .undecided_max = 16 };
	struct err err;

	rig->loop = loop_create();
	if (!httpd_create(rig->loop, &httpd_config, &rig->httpd, &err) ||
	    !front_create(rig->loop, rig->httpd, &front_config, &rig->front, &err) ||
	    !front_listen_tcp(rig->front, "127.0.0.1:0", &err))
		return -1;
	open_client(rig, front_address(rig->front), API_KEY);
	*state = rig;
	return 0;
}

static int stop(void **state)
{
	struct rig *rig = *state;

	dd_client_destroy(rig->client);
	if (rig->held)
		http_drop(rig->held);
	front_destroy(rig->front);
	httpd_destroy(rig->httpd);
	loop_destroy(rig->loop);
	mem_free(rig);
	return 0;
}

static void note(struct rig *rig, const struct dd_result *result)
{
	rig->outcome.completions++;
	rig->outcome.was_early = rig->is_starting;
	rig->outcome.result = *result;
	loop_stop(rig->loop);
}

static void on_built(void *arg, const struct dd_result *result, const char *order_id,
		     const char *tx_hex)
{
	struct rig *rig = arg;

	rig->outcome.has_value = order_id && tx_hex;
	if (order_id)
		snprintf(rig->outcome.text, sizeof(rig->outcome.text), "%s %s", order_id, tx_hex);
	note(rig, result);
}

static void on_order(void *arg, const struct dd_result *result, const struct dd_order *order)
{
	struct rig *rig = arg;

	rig->outcome.has_value = order != NULL;
	if (order)
		STR_SET(rig->outcome.text, order->status_text);
	note(rig, result);
}

static void on_plain(void *arg, const struct dd_result *result)
{
	note(arg, result);
}

static void on_ids(void *arg, const struct dd_result *result, const char *const *ids, size_t count)
{
	struct rig *rig = arg;

	rig->outcome.count = count;
	if (count > 0)
		STR_SET(rig->outcome.text, ids[0]);
	note(rig, result);
}

static void on_orders(void *arg, const struct dd_result *result, const struct dd_order *orders,
		      size_t count, int64_t total)
{
	struct rig *rig = arg;

	(void)orders;
	rig->outcome.count = count;
	rig->outcome.total = total;
	note(rig, result);
}

static void on_executions(void *arg, const struct dd_result *result,
			  const struct dd_execution *executions, size_t count, int64_t total)
{
	(void)executions;
	on_orders(arg, result, NULL, count, total);
}

static void on_transfers(void *arg, const struct dd_result *result,
			 const struct dd_transfer *transfers, size_t count, int64_t total)
{
	(void)transfers;
	on_orders(arg, result, NULL, count, total);
}

static void on_balances(void *arg, const struct dd_result *result,
			const struct dd_balance *balances, size_t count)
{
	(void)balances;
	on_orders(arg, result, NULL, count, -1);
}

static void on_markets(void *arg, const struct dd_result *result, const struct dd_market *markets,
		       size_t count)
{
	(void)markets;
	on_orders(arg, result, NULL, count, -1);
}

static void on_candles(void *arg, const struct dd_result *result, const struct dd_candle *candles,
		       size_t count)
{
	(void)candles;
	on_orders(arg, result, NULL, count, -1);
}

static void on_account(void *arg, const struct dd_result *result, const struct dd_account *account)
{
	struct rig *rig = arg;

	if (account)
		STR_SET(rig->outcome.text, account->account_id);
	note(rig, result);
}

static void on_text(void *arg, const struct dd_result *result, const char *text)
{
	struct rig *rig = arg;

	if (text)
		STR_SET(rig->outcome.text, text);
	note(rig, result);
}

static void on_cycle(void *arg, const struct dd_result *result, const char *begin, const char *end)
{
	struct rig *rig = arg;

	if (begin)
		snprintf(rig->outcome.text, sizeof(rig->outcome.text), "%s %s", begin, end);
	note(rig, result);
}

static void on_price(void *arg, const struct dd_result *result, struct decimal price)
{
	char digits[DECIMAL_TEXT_LEN];

	on_text(arg, result, decimal_print(price, digits));
}

static void on_new_key(void *arg, const struct dd_result *result, const struct secret *new_key)
{
	struct rig *rig = arg;

	if (new_key) {
		STR_SET(rig->outcome.text, (const char *)secret_open(new_key));
		secret_close(new_key);
	}
	note(rig, result);
}

static void on_unlocked(void *arg, const struct dd_result *result, bool hash_matches)
{
	struct rig *rig = arg;

	rig->outcome.hash_matches = hash_matches;
	note(rig, result);
}

/* ---- the calls, by name ---- */

static struct decimal decimal(const char *text)
{
	struct decimal value;
	struct err err;

	assert_true(decimal_parse(text, strlen(text), &value, &err));
	return value;
}

static void ask_build(struct rig *rig)
{
	struct decimal quantity = decimal("100"), price = decimal("0.25470");
	const struct dd_order_request request = {
		.symbol = "ADAUSDM",
		.base_quantity = &quantity,
		.price = &price,
		.max_slippage_bp = -1,
		.post_only = true,
	};

	dd_order_build(rig->client, &request, on_built, rig);
}

static void ask_submit(struct rig *rig)
{
	dd_order_submit(rig->client, ORDER_ID, "84a400", on_order, rig);
}

static void ask_order(struct rig *rig)
{
	dd_order_get(rig->client, ORDER_ID, on_order, rig);
}

static void ask_cancel(struct rig *rig)
{
	dd_order_cancel(rig->client, ORDER_ID, on_plain, rig);
}

static void ask_cancel_all(struct rig *rig)
{
	dd_order_cancel_all(rig->client, "ADAUSDM", on_ids, rig);
}

static void ask_open_orders(struct rig *rig)
{
	dd_open_orders_get(rig->client, "ADAUSDM", (struct dd_page){ 250, 3 }, on_orders, rig);
}

static void ask_trade_orders(struct rig *rig)
{
	dd_trade_orders_get(rig->client, "ADAUSDM", (struct dd_page){ 10, 1 }, on_orders, rig);
}

static void ask_trades(struct rig *rig)
{
	dd_trades_get(rig->client, "ADAUSDM", (struct dd_page){ 1, 1000 }, on_executions, rig);
}

static void ask_account(struct rig *rig)
{
	dd_account_get(rig->client, NULL, on_account, rig);
}

static void ask_account_with_another_key(struct rig *rig)
{
	struct secret *key = secret_from_str("another key");

	dd_account_get(rig->client, key, on_account, rig);
	secret_destroy(key);
}

static void ask_balances(struct rig *rig)
{
	dd_balances_get(rig->client, on_balances, rig);
}

static void ask_deposits(struct rig *rig)
{
	dd_transfers_get(rig->client, DD_DEPOSIT, 10, 1, on_transfers, rig);
}

static void ask_withdrawals(struct rig *rig)
{
	dd_transfers_get(rig->client, DD_WITHDRAWAL, 10, 2, on_transfers, rig);
}

static void ask_transferals(struct rig *rig)
{
	dd_transfers_get(rig->client, DD_TRANSFERAL, 250, 1, on_transfers, rig);
}

static void ask_transferal(struct rig *rig)
{
	dd_transfer_get(rig->client, "ab12", on_transfers, rig);
}

static void ask_max_deposit(struct rig *rig)
{
	dd_max_deposit_get(rig->client, on_text, rig);
}

static void ask_api_key(struct rig *rig)
{
	dd_api_key_get(rig->client, on_text, rig);
}

static void ask_new_key(struct rig *rig)
{
	dd_api_key_renew(rig->client, on_new_key, rig);
}

static void ask_markets(struct rig *rig)
{
	dd_markets_get(rig->client, on_markets, rig);
}

static void ask_price(struct rig *rig)
{
	dd_price_get(rig->client, "ADAUSDM", on_price, rig);
}

static void ask_candles(struct rig *rig)
{
	dd_candles_get(rig->client, "ADAUSDM", "15m", 1766000000, 1766003600, on_candles, rig);
}

static void ask_cycle(struct rig *rig)
{
	dd_hydra_cycle_get(rig->client, on_cycle, rig);
}

static void ask_terms(struct rig *rig)
{
	dd_terms_get(rig->client, on_text, rig);
}

static void unlock_with(struct rig *rig, const char *password)
{
	struct secret *secret = secret_from_str(password);

	dd_unlock(rig->client, secret, on_unlocked, rig);
	secret_destroy(secret);
}

static void ask_unlock(struct rig *rig)
{
	unlock_with(rig, "testing123456");
}

/* Runs one call to its completion, which must be the only one and not come from within. */
static const struct dd_result *ask(struct rig *rig, void (*call)(struct rig *rig))
{
	memset(&rig->outcome, 0, sizeof(rig->outcome));
	rig->is_starting = true;
	call(rig);
	rig->is_starting = false;
	loop_run(rig->loop);
	assert_int_equal(rig->outcome.completions, 1);
	assert_false(rig->outcome.was_early);
	return &rig->outcome.result;
}

static const struct dd_result *ask_for(struct rig *rig, int status, const char *body,
				       void (*call)(struct rig *rig))
{
	rig->answer = (struct answer){ .status = status, .body = body };
	return ask(rig, call);
}

static void assert_done(const struct dd_result *result)
{
	if (result->verdict != DD_DONE)
		print_message("%s\n", result->err.text);
	assert_int_equal(result->verdict, DD_DONE);
	assert_int_equal(result->class_, DD_CLASS_NONE);
	assert_int_equal(result->err.code, ERR_NONE);
}

/* ---- requests ---- */

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

/* ---- verdicts ---- */

/* One call of each sort; what holds for them holds for the others. */
static void (*const repeatable[])(struct rig *rig) = { ask_build,      ask_order, ask_cancel,
						       ask_cancel_all, ask_price, ask_open_orders };

static void assert_verdict(const struct dd_result *result, enum dd_verdict verdict,
			   enum dd_class class_)
{
	if (result->verdict != verdict || result->class_ != class_)
		print_message("%d %s: %s\n", result->verdict, dd_class_word(result->class_),
			      result->err.text);
	assert_int_equal(result->verdict, verdict);
	assert_int_equal(result->class_, class_);
	if (verdict != DD_DONE)
		assert_int_not_equal(result->err.code, ERR_NONE);
	assert_int_equal(result->err.exchange_code, verdict == DD_DONE ? 0 : result->code);
}

static void trouble_on_the_way_is_no_verdict_of_the_exchange(void **state)
{
	static const struct answer answers[] = {
		{ .status = 403, .body = "" },
		{ .status = 403, .body = "<html>Forbidden</html>" },
		{ .status = 404, .body = "404 page not found" },
		{ .status = 503,
		  .body = "upstream connect error or disconnect/reset before headers" },
		{ .status = 503, .body = "no healthy upstream" },
		{ .status = 502, .body = "" },
		{ .status = 504, .body = "{\"error\":\"gateway\"}" },
		{ .status = 503, .body = "{\"code\":503,\"message\":\"no healthy upstream\"}" },
		{ .status = 500, .body = "{\"error\":\"Internal Server Error\"}" },
		{ .status = 302, .body = "{\"order_id\":\"" ORDER_ID "\",\"tx_hex\":\"84\"}" },
		{ .status = 200, .body = "" },
		{ .status = 200, .body = "ok" },
		{ .status = 200, .body = "{\"order_id\":" },
		{ .status = 200, .body = "<html></html>" },
		{ .status = 200, .body = "{\"error\":\"something\"}" },
		{ .status = 200, .body = NULL },
		{ .status = 200, .body = "{\"order_id\":\"" ORDER_ID "\"}", .manner = CUT },
		{ .status = 500, .body = "{\"error\":\"x\",\"code\":4000}", .manner = CUT },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		rig->answer = answers[i];
		for (size_t k = 0; k < ARRAY_LEN(repeatable); k++) {
			assert_verdict(ask(rig, repeatable[k]), DD_UNKNOWN, DD_CLASS_RETRY);
			assert_false(rig->outcome.has_value);
		}
		assert_verdict(ask(rig, ask_submit), DD_UNKNOWN, DD_CLASS_UNKNOWN);
		assert_verdict(ask(rig, ask_new_key), DD_UNKNOWN, DD_CLASS_UNKNOWN);
	}
}

static void an_answer_that_never_comes_leaves_it_unknown(void **state)
{
	struct rig *rig = *state;

	rig->answer = (struct answer){ .body = "", .manner = DROP };
	assert_verdict(ask(rig, ask_submit), DD_UNKNOWN, DD_CLASS_UNKNOWN);
	assert_int_equal(rig->outcome.result.err.code, ERR_UNREACHABLE);
	assert_int_equal(rig->outcome.result.http_status, 0);
	assert_true(rig->outcome.result.sent.us > 0);
	assert_verdict(ask(rig, ask_build), DD_UNKNOWN, DD_CLASS_RETRY);
	assert_verdict(ask(rig, ask_cancel), DD_UNKNOWN, DD_CLASS_RETRY);
}

static void the_key_renewal_is_not_sent_again_behind_our_back(void **state)
{
	struct rig *rig = *state;

	/* A kept-alive connection that dies is where libcurl would ask again by itself. */
	assert_done(ask_for(rig, 200, "[]", ask_balances));
	rig->answer = (struct answer){ .body = "", .manner = DROP };
	assert_verdict(ask(rig, ask_new_key), DD_UNKNOWN, DD_CLASS_UNKNOWN);
	assert_int_equal(rig->requests, 2);
}

static void a_refused_connection_is_not_sent(void **state)
{
	struct rig *rig = *state;
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[32];

	/* Bound and not listening: nobody else gets the port, and nobody answers on it. */
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	snprintf(text, sizeof(text), "127.0.0.1:%d", ntohs(address.sin_port));
	dd_client_destroy(rig->client);
	open_client(rig, text, API_KEY);
	assert_verdict(ask(rig, ask_submit), DD_NOT_SENT, DD_CLASS_RETRY);
	assert_int_equal(rig->outcome.result.err.code, ERR_UNREACHABLE);
	assert_int_equal(rig->outcome.result.sent.us, 0);
	assert_verdict(ask(rig, ask_build), DD_NOT_SENT, DD_CLASS_RETRY);
	assert_verdict(ask(rig, ask_cancel), DD_NOT_SENT, DD_CLASS_RETRY);
	close(fd);
}

static const struct {
	int code;
	const char *message;
} codes[] = {
#define X(code, class_, message) { code, message },
	DD_ERROR_CODES(X)
#undef X
		{ 4999, "Something new" },
	{ 5999, "Something new" },
};

/* The status that the exchange's specification declares, where it is not 400. */
static int declared_status(int code)
{
	switch (code) {
	case 4010:
		return 401;
	case 4200:
		return 404;
	case 4290:
		return 429;
	default:
		return code >= 5000 ? 500 : 422;
	}
}

static enum dd_verdict verdict_of(enum dd_class class_)
{
	return class_ == DD_CLASS_UNKNOWN ? DD_UNKNOWN : DD_REFUSED;
}

static enum err_code err_code_of(enum dd_class class_)
{
	switch (class_) {
	case DD_CLASS_AUTH:
		return ERR_EXCHANGE_AUTH;
	case DD_CLASS_RATE:
		return ERR_BUSY;
	case DD_CLASS_LOCKED:
		return ERR_VENUE_LOCKED;
	case DD_CLASS_UNKNOWN:
		return ERR_EXCHANGE;
	default:
		return ERR_REFUSED;
	}
}

static void a_code_decides_whatever_the_http_status(void **state)
{
	struct rig *rig = *state;

	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		enum dd_class class_ = dd_class_of(codes[i].code);
		const int statuses[] = { 400, declared_status(codes[i].code), 503, 200 };
		char body[256];

		snprintf(body, sizeof(body), "{\"error\":\"%s\",\"code\":%d}", codes[i].message,
			 codes[i].code);
		for (size_t k = 0; k < ARRAY_LEN(statuses); k++) {
			const struct dd_result *result =
				ask_for(rig, statuses[k], body, ask_submit);

			assert_verdict(result, verdict_of(class_), class_);
			assert_int_equal(result->code, codes[i].code);
			assert_int_equal(result->http_status, statuses[k]);
			assert_int_equal(result->err.code, err_code_of(class_));
			assert_non_null(strstr(result->err.text, codes[i].message));
			assert_verdict(ask_for(rig, statuses[k], body, ask_build),
				       verdict_of(class_), class_);
			assert_verdict(ask_for(rig, statuses[k], body, ask_cancel),
				       verdict_of(class_), class_);
			assert_verdict(ask_for(rig, statuses[k], body, ask_order),
				       verdict_of(class_), class_);
		}
	}
}

static void without_a_code_the_http_status_says_the_little_it_can(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum dd_verdict verdict, submit_verdict;
		enum dd_class class_, submit_class;
	} rows[] = {
		{ 401, "", DD_REFUSED, DD_REFUSED, DD_CLASS_AUTH, DD_CLASS_AUTH },
		{ 401, "{\"error\":\"x\"}", DD_REFUSED, DD_REFUSED, DD_CLASS_AUTH, DD_CLASS_AUTH },
		{ 429, "", DD_REFUSED, DD_REFUSED, DD_CLASS_RATE, DD_CLASS_RATE },
		{ 429, "slow down", DD_REFUSED, DD_REFUSED, DD_CLASS_RATE, DD_CLASS_RATE },
		{ 400, "{\"error\":\"Invalid symbol\"}", DD_REFUSED, DD_UNKNOWN, DD_CLASS_REFUSED,
		  DD_CLASS_UNKNOWN },
		{ 403, "{\"error\":\"no\",\"code\":403}", DD_REFUSED, DD_UNKNOWN, DD_CLASS_REFUSED,
		  DD_CLASS_UNKNOWN },
		{ 400, "Invalid symbol", DD_UNKNOWN, DD_UNKNOWN, DD_CLASS_RETRY, DD_CLASS_UNKNOWN },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_verdict(ask_for(rig, rows[i].status, rows[i].body, ask_build),
			       rows[i].verdict, rows[i].class_);
		assert_verdict(ask_for(rig, rows[i].status, rows[i].body, ask_submit),
			       rows[i].submit_verdict, rows[i].submit_class);
	}
}

static void errors_are_told_in_the_exchanges_words(void **state)
{
	static const struct {
		int status;
		const char *body, *text;
	} rows[] = {
		{ 400, "{\"error\":\"Insufficient balance to place order\",\"code\":4050}",
		  "the exchange refused: Insufficient balance to place order (4050)" },
		{ 400, "{\"code\":4050}", "the exchange refused: {\"code\":4050} (4050)" },
		{ 401, "{\"error\":\"Unauthorized access\",\"code\":4010}",
		  "the exchange refused the API key: Unauthorized access (4010)" },
		{ 429, "{\"error\":\"Rate limit exceeded\",\"code\":4290}",
		  "the exchange limits our rate: Rate limit exceeded (4290)" },
		{ 400, "{\"error\":\"Trading is currently locked\",\"code\":5002}",
		  "the exchange has locked trading: Trading is currently locked (5002)" },
		{ 503, "no healthy upstream",
		  "the exchange failed: HTTP 503: no healthy upstream" },
		{ 403, "", "the exchange failed: HTTP 403: an empty answer" },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(ask_for(rig, rows[i].status, rows[i].body, ask_build)->err.text,
				    rows[i].text);
}

static void a_key_that_comes_back_in_an_error_is_blotted_out(void **state)
{
	struct rig *rig = *state;
	char body[512];

	ask_for(rig, 400, "{\"error\":\"bad key " API_KEY "!\",\"code\":4000}", ask_build);
	assert_null(strstr(rig->outcome.result.err.text, "dk_live"));
	assert_non_null(strstr(rig->outcome.result.err.text, "bad key ******"));
	ask_for(rig, 400, "{\"error\":\"bad key another key\",\"code\":4000}",
		ask_account_with_another_key);
	assert_null(strstr(rig->outcome.result.err.text, "another key"));
	/* Cut by the end of what is quoted. */
	for (int before = 100; before < 160; before++) {
		snprintf(body, sizeof(body), "%0*d%s", before, 0, API_KEY);
		ask_for(rig, 400, body, ask_build);
		assert_null(strstr(rig->outcome.result.err.text, "dk_l"));
	}
}

static void retry_after_is_handed_on(void **state)
{
	struct rig *rig = *state;

	rig->answer = (struct answer){ .status = 429,
				       .body = "{\"error\":\"x\",\"code\":4290}",
				       .retry_after = "7" };
	assert_int_equal(ask(rig, ask_build)->retry_after_ms, 7000);
}

static void an_accepted_submit_is_done_even_when_the_rest_is_unreadable(void **state)
{
	static const struct {
		const char *body;
		bool is_done, has_order;
	} rows[] = {
		{ "{\"id\":\"" ORDER_ID "\",\"status\":\"processing\"}", true, true },
		{ "{\"order\":{\"id\":\"" ORDER_ID "\",\"status\":\"new word\"}}", true, true },
		{ "{\"order_id\":\"" ORDER_ID "\"}", true, false },
		{ "{\"data\":{\"order_id\":\"" ORDER_ID "\",\"status\":7}}", true, false },
		{ "{\"order_id\":\"550E8400-E29B-41D4-A716-446655440000\"}", true, false },
		{ "{\"order_id\":\"\"}", false, false },
		{ "{\"order_id\":\"" OTHER_ID "\"}", false, false },
		{ "{\"id\":\"" OTHER_ID "\",\"status\":\"open\"}", false, false },
		{ "{}", false, false },
		{ "[]", false, false },
		{ "null", false, false },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ask_for(rig, 200, rows[i].body, ask_submit);
		assert_verdict(&rig->outcome.result, rows[i].is_done ? DD_DONE : DD_UNKNOWN,
			       rows[i].is_done ? DD_CLASS_NONE : DD_CLASS_UNKNOWN);
		assert_int_equal(rig->outcome.has_value, rows[i].has_order);
	}
}

static void a_200_with_nothing_usable_in_it_is_a_failure(void **state)
{
	static const struct {
		void (*call)(struct rig *rig);
		const char *body;
	} rows[] = {
		{ ask_build, "{\"order_id\":\"\",\"tx_hex\":\"\"}" },
		{ ask_build, "{\"order_id\":\"" ORDER_ID "\",\"tx_hex\":\"\"}" },
		{ ask_build, "{}" },
		{ ask_order, "{}" },
		{ ask_order, "{\"id\":\"" ORDER_ID "\"}" },
		{ ask_order, "{\"id\":\"" OTHER_ID "\",\"status\":\"open\"}" },
		{ ask_cancel, "{\"order_id\":\"" OTHER_ID "\"}" },
		{ ask_cancel_all, "[]" },
		{ ask_open_orders, "{}" },
		{ ask_trades, "{\"data\":[{}]}" },
		{ ask_account, "{}" },
		{ ask_balances, "{}" },
		{ ask_deposits, "{}" },
		{ ask_transferal, "{}" },
		{ ask_max_deposit, "{}" },
		{ ask_markets, "{}" },
		{ ask_price, "{}" },
		{ ask_candles, "{}" },
		{ ask_cycle, "{\"start\":\"1\"}" },
		{ ask_terms, "{}" },
		{ ask_unlock, "{}" },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct dd_result *result = ask_for(rig, 200, rows[i].body, rows[i].call);

		assert_verdict(result, DD_UNKNOWN, DD_CLASS_RETRY);
		assert_int_equal(result->err.code, ERR_EXCHANGE_ANSWER);
		assert_int_equal(rig->outcome.count, 0);
	}
	assert_verdict(ask_for(rig, 200, "{\"api_key\":\"\"}", ask_new_key), DD_UNKNOWN,
		       DD_CLASS_UNKNOWN);
}

static void a_cancel_is_accepted_by_any_2xx_and_nothing_to_cancel_is_done(void **state)
{
	struct rig *rig = *state;
	const struct dd_result *result;

	assert_done(ask_for(rig, 200, "{\"order_id\":\"" ORDER_ID "\"}", ask_cancel));
	assert_done(ask_for(rig, 200, "{}", ask_cancel));
	assert_done(ask_for(rig, 202, "{\"status\":\"accepted\"}", ask_cancel));
	result = ask_for(rig, 400, "{\"error\":\"Order not found\",\"code\":4200}", ask_cancel_all);
	assert_done(result);
	assert_int_equal(result->code, 4200);
	assert_int_equal(rig->outcome.count, 0);
	assert_done(
		ask_for(rig, 404, "{\"error\":\"Order not found\",\"code\":4200}", ask_cancel_all));
	assert_verdict(
		ask_for(rig, 400, "{\"error\":\"Order not found\",\"code\":4200}", ask_cancel),
		DD_REFUSED, DD_CLASS_STATE);
}

/* ---- the end of a client ---- */

static void destroy_from_within(void *arg, const struct dd_result *result)
{
	struct rig *rig = arg;

	note(rig, result);
	dd_client_destroy(rig->client);
	rig->client = NULL;
}

static void ask_and_destroy_from_within(struct rig *rig)
{
	dd_order_cancel(rig->client, ORDER_ID, destroy_from_within, rig);
}

static void a_client_may_go_inside_its_own_completion(void **state)
{
	struct rig *rig = *state;

	assert_done(ask_for(rig, 200, "{}", ask_and_destroy_from_within));
}

static void destroy_when_held(struct rig *rig)
{
	if (!rig->held || !rig->client)
		return;
	dd_client_destroy(rig->client);
	rig->client = NULL;
}

static void destroy_when_opening(struct rig *rig)
{
	if (!rig->client || list_is_empty(&rig->client->unlocks))
		return;
	dd_client_destroy(rig->client);
	rig->client = NULL;
}

static void lock_when_opening(struct rig *rig)
{
	if (!list_is_empty(&rig->client->unlocks))
		dd_lock(rig->client);
}

static void turn(void *arg)
{
	struct rig *rig = arg;

	rig->on_turn(rig);
}

static const struct dd_result *ask_while(struct rig *rig, void (*on_turn)(struct rig *rig),
					 void (*call)(struct rig *rig))
{
	struct hook *hook = hook_create(rig->loop, turn, rig);

	rig->on_turn = on_turn;
	ask(rig, call);
	hook_destroy(hook);
	return &rig->outcome.result;
}

static void a_call_in_flight_completes_when_its_client_goes(void **state)
{
	struct rig *rig = *state;

	rig->answer = (struct answer){ .manner = HOLD };
	assert_verdict(ask_while(rig, destroy_when_held, ask_submit), DD_UNKNOWN, DD_CLASS_UNKNOWN);
}

static void ask_again(void *arg, const struct dd_result *result)
{
	struct rig *rig = arg;

	rig->outcome.completions++;
	rig->outcome.result = *result;
	dd_order_cancel(rig->client, ORDER_ID, on_plain, rig);
}

static void a_call_refused_or_begun_while_its_client_goes_completes_too(void **state)
{
	struct rig *rig = *state;

	memset(&rig->outcome, 0, sizeof(rig->outcome));
	dd_order_cancel(rig->client, "a?b", ask_again, rig);
	dd_client_destroy(rig->client);
	rig->client = NULL;
	assert_int_equal(rig->outcome.completions, 1);
	assert_int_equal(rig->outcome.result.verdict, DD_REFUSED);
	loop_run(rig->loop);
	assert_int_equal(rig->outcome.completions, 2);
	assert_int_equal(rig->outcome.result.verdict, DD_NOT_SENT);
	assert_int_equal(rig->outcome.result.err.code, ERR_STOPPING);
}

static void a_client_needs_an_address_it_may_use(void **state)
{
	static const char *const urls[] = { "http://api.deltadefi.io", "ftp://127.0.0.1",
					    "https://api.deltadefi.io/?a=b", "", "deltadefi" };
	struct rig *rig = *state;

	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		const struct dd_config config = { .rest_url = urls[i], .timeout_ms = 1000 };
		struct dd_client *client;
		struct err err;

		assert_false(dd_client_create(rig->loop, &config, NULL, &client, &err));
	}
	assert_string_equal(dd_network_rest_url("mainnet"), "https://api.deltadefi.io");
	assert_string_equal(dd_network_stream_url("preprod"), "wss://stream-staging.deltadefi.io");
	assert_null(dd_network_rest_url("staging"));
	assert_null(dd_network_stream_url(""));
}

/* ---- the operation key ---- */

#define KEY_HASH "34204975e6f59b19d02ac6eeca521c1183c91c2abffaeb69901d33e4"
#define SEALED                                                                                     \
	"\"encrypted_operation_key\":\"{\\\"iv\\\":\\\"XRAGv22SYgpZiGhy\\\",\\\"salt\\\":"         \
	"\\\"5YowN2Txol1ejcvt9gJB1A==\\\",\\\"ciphertext\\\":\\\"SUJcKVu5/yLVXvcVRI0xLTT+HN0j0JQc" \
	"2YGL4uwmdErIAa4ZwTkfaKP3VNlclBeXoRfRqCRw9ioYZLSrZOsUlSKRDIGkrfHamZw3Nt+bTwWgzAecWmLOeU8K" \
	"s1ou6iQa1K9Yqt2+zJi6rDJfkEFEZJBOjC0iFnmeIMemYVD5UexqIkTlGZcKzwW57WU4HPKHpri/PhupcPRVpbZa" \
	"NurCTB9tfnDLsr83zgHqSFILOdnSwvUaMA==\\\"}\""

static void wrong_password(struct rig *rig)
{
	unlock_with(rig, "testing123457");
}

static void the_right_password_unlocks_and_lock_forgets(void **state)
{
	struct rig *rig = *state;
	char *signed_hex = NULL, tx_hash[65];
	struct err err;

	assert_false(dd_sign(rig->client, ORDER_ID, TX_HEX, &signed_hex, tx_hash, &err));
	assert_int_equal(err.code, ERR_OPKEY_LOCKED);
	assert_done(ask_for(rig, 200, "{" SEALED ",\"operation_key_hash\":\"" KEY_HASH "\"}",
			    ask_unlock));
	assert_string_equal(rig->target, "GET /accounts/operation-key");
	assert_true(rig->outcome.hash_matches);
	assert_true(dd_is_unlocked(rig->client));
	assert_string_equal(dd_key_hash(rig->client), KEY_HASH);
	assert_true(dd_sign(rig->client, ORDER_ID, TX_HEX, &signed_hex, tx_hash, &err));
	assert_int_equal(strlen(tx_hash), 64);
	assert_memory_equal(signed_hex, "84a10050550e8400e29b41d4a716446655440000a1008182582066",
			    54);
	mem_free(signed_hex);
	dd_lock(rig->client);
	assert_false(dd_is_unlocked(rig->client));
	assert_string_equal(dd_key_hash(rig->client), "");
}

static void only_a_transaction_that_names_the_order_is_signed(void **state)
{
	static const char *const hexes[] = { "", "84", "00", "xyz", "84a100505", "84a0a0f5f6" };
	struct rig *rig = *state;
	char *signed_hex = NULL, tx_hash[65];
	struct err err;

	assert_done(ask_for(rig, 200, "{" SEALED "}", ask_unlock));
	for (size_t i = 0; i < ARRAY_LEN(hexes); i++) {
		assert_false(dd_sign(rig->client, ORDER_ID, hexes[i], &signed_hex, tx_hash, &err));
		assert_int_equal(err.code, ERR_TX);
	}
	assert_false(dd_sign(rig->client, OTHER_ID, TX_HEX, &signed_hex, tx_hash, &err));
	assert_int_equal(err.code, ERR_TX);
	assert_null(signed_hex);
}

static void the_hash_is_compared_in_any_letter_case_and_never_assumed(void **state)
{
	static const struct {
		const char *stated;
		bool matches;
	} rows[] = {
		{ "{" SEALED ",\"operation_key_hash\":"
		  "\"34204975E6F59B19D02AC6EECA521C1183C91C2ABFFAEB69901D33E4\"}",
		  true },
		{ "{" SEALED ",\"operation_key_hash\":\"" KEY_HASH "00\"}", false },
		{ "{" SEALED ",\"operation_key_hash\":\"\"}", false },
		{ "{" SEALED "}", false },
		{ "{\"data\":{" SEALED ",\"operation_key_hash\":\"" KEY_HASH "\"}}", true },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_done(ask_for(rig, 200, rows[i].stated, ask_unlock));
		assert_int_equal(rig->outcome.hash_matches, rows[i].matches);
		assert_string_equal(dd_key_hash(rig->client), KEY_HASH);
	}
}

static void a_key_that_does_not_open_is_refused(void **state)
{
	struct rig *rig = *state;

	assert_verdict(ask_for(rig, 200, "{" SEALED "}", wrong_password), DD_REFUSED,
		       DD_CLASS_REFUSED);
	assert_int_equal(rig->outcome.result.err.code, ERR_OPKEY);
	assert_false(dd_is_unlocked(rig->client));
	assert_verdict(ask_for(rig, 200, "{\"encrypted_operation_key\":\"{}\"}", ask_unlock),
		       DD_REFUSED, DD_CLASS_REFUSED);
	assert_int_equal(rig->outcome.result.err.code, ERR_OPKEY);
	assert_verdict(ask_for(rig, 403, "", ask_unlock), DD_UNKNOWN, DD_CLASS_RETRY);
	assert_verdict(ask_for(rig, 400, "{\"error\":\"x\",\"code\":4406}", ask_unlock), DD_REFUSED,
		       DD_CLASS_REFUSED);
}

static void a_failed_unlock_leaves_an_open_key_as_it_was(void **state)
{
	struct rig *rig = *state;

	assert_done(ask_for(rig, 200, "{" SEALED "}", ask_unlock));
	ask_for(rig, 200, "{" SEALED "}", wrong_password);
	assert_true(dd_is_unlocked(rig->client));
}

static void a_lock_while_the_key_is_being_opened_wins(void **state)
{
	struct rig *rig = *state;

	rig->answer = (struct answer){ .status = 200, .body = "{" SEALED "}" };
	assert_verdict(ask_while(rig, lock_when_opening, ask_unlock), DD_REFUSED, DD_CLASS_REFUSED);
	assert_int_equal(rig->outcome.result.err.code, ERR_OPKEY_LOCKED);
	assert_false(dd_is_unlocked(rig->client));
}

static void a_client_may_go_while_the_key_is_being_opened(void **state)
{
	struct rig *rig = *state;

	rig->answer = (struct answer){ .status = 200, .body = "{" SEALED "}" };
	assert_verdict(ask_while(rig, destroy_when_opening, ask_unlock), DD_UNKNOWN,
		       DD_CLASS_RETRY);
	assert_int_equal(rig->outcome.result.err.code, ERR_STOPPING);
}

static int start_all(void **state)
{
	bool is_locked;
	struct err err;

	(void)state;
	return secret_init(&is_locked, &err) ? 0 : -1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_request_is_exact),
		TEST(what_is_answered_arrives),
		TEST(another_key_is_tried_without_being_taken),
		TEST(a_new_api_key_counts_from_the_next_call),
		TEST(without_a_key_only_public_calls_leave),
		TEST(what_makes_no_sense_never_leaves),
		TEST(trouble_on_the_way_is_no_verdict_of_the_exchange),
		TEST(an_answer_that_never_comes_leaves_it_unknown),
		TEST(the_key_renewal_is_not_sent_again_behind_our_back),
		TEST(a_refused_connection_is_not_sent),
		TEST(a_code_decides_whatever_the_http_status),
		TEST(without_a_code_the_http_status_says_the_little_it_can),
		TEST(errors_are_told_in_the_exchanges_words),
		TEST(a_key_that_comes_back_in_an_error_is_blotted_out),
		TEST(retry_after_is_handed_on),
		TEST(an_accepted_submit_is_done_even_when_the_rest_is_unreadable),
		TEST(a_200_with_nothing_usable_in_it_is_a_failure),
		TEST(a_cancel_is_accepted_by_any_2xx_and_nothing_to_cancel_is_done),
		TEST(a_client_may_go_inside_its_own_completion),
		TEST(a_call_in_flight_completes_when_its_client_goes),
		TEST(a_call_refused_or_begun_while_its_client_goes_completes_too),
		TEST(a_client_needs_an_address_it_may_use),
		TEST(the_right_password_unlocks_and_lock_forgets),
		TEST(only_a_transaction_that_names_the_order_is_signed),
		TEST(the_hash_is_compared_in_any_letter_case_and_never_assumed),
		TEST(a_key_that_does_not_open_is_refused),
		TEST(a_failed_unlock_leaves_an_open_key_as_it_was),
		TEST(a_lock_while_the_key_is_being_opened_wins),
		TEST(a_client_may_go_while_the_key_is_being_opened),
	};

	return cmocka_run_group_tests(tests, start_all, NULL);
}
