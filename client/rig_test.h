/* rig_test.h - what the tests of the REST half share: a client, and on the same loop an
 * exchange that answers as it is told and notes what it was asked. */
#ifndef CLIENT_RIG_TEST_H
#define CLIENT_RIG_TEST_H
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "client/deltadefi.h"
#include "net/front.h"
#include "net/httpd.h"
#include "net/loop.h"

#define API_KEY  "dk_live_abc123def456ghi789jkl012mno345"
#define ORDER_ID "550e8400-e29b-41d4-a716-446655440000"
#define OTHER_ID "11111111-2222-4333-8444-555555555555"
/* The smallest transaction that names the order. */
#define TX_HEX "84a201800050550e8400e29b41d4a716446655440000a0f5f6"

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

static inline void reply_huge(struct http_request *request)
{
	size_t len = 10 * 1024 * 1024;
	char *body = mem_alloc(len);

	memset(body, ' ', len);
	http_reply_take(request, 200, "application/json", body, len);
}

static inline void reply(struct http_request *request, const struct answer *answer)
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

static inline void handle(void *arg, struct http_request *request)
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

static inline void open_client(struct rig *rig, const char *address, const char *key)
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

static inline int start(void **state)
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

static inline int stop(void **state)
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

static inline void note(struct rig *rig, const struct dd_result *result)
{
	rig->outcome.completions++;
	rig->outcome.was_early = rig->is_starting;
	rig->outcome.result = *result;
	loop_stop(rig->loop);
}

/* ---- completions ---- */

static inline void on_built(void *arg, const struct dd_result *result, const char *order_id,
			    const char *tx_hex)
{
	struct rig *rig = arg;

	rig->outcome.has_value = order_id && tx_hex;
	if (order_id)
		snprintf(rig->outcome.text, sizeof(rig->outcome.text), "%s %s", order_id, tx_hex);
	note(rig, result);
}

static inline void on_order(void *arg, const struct dd_result *result, const struct dd_order *order)
{
	struct rig *rig = arg;

	rig->outcome.has_value = order != NULL;
	if (order)
		STR_SET(rig->outcome.text, order->status_text);
	note(rig, result);
}

static inline void on_plain(void *arg, const struct dd_result *result)
{
	note(arg, result);
}

static inline void on_ids(void *arg, const struct dd_result *result, const char *const *ids,
			  size_t count)
{
	struct rig *rig = arg;

	rig->outcome.count = count;
	if (count > 0)
		STR_SET(rig->outcome.text, ids[0]);
	note(rig, result);
}

static inline void on_orders(void *arg, const struct dd_result *result,
			     const struct dd_order *orders, size_t count, int64_t total)
{
	struct rig *rig = arg;

	(void)orders;
	rig->outcome.count = count;
	rig->outcome.total = total;
	note(rig, result);
}

static inline void on_executions(void *arg, const struct dd_result *result,
				 const struct dd_execution *executions, size_t count, int64_t total)
{
	(void)executions;
	on_orders(arg, result, NULL, count, total);
}

static inline void on_transfers(void *arg, const struct dd_result *result,
				const struct dd_transfer *transfers, size_t count, int64_t total)
{
	(void)transfers;
	on_orders(arg, result, NULL, count, total);
}

static inline void on_balances(void *arg, const struct dd_result *result,
			       const struct dd_balance *balances, size_t count)
{
	(void)balances;
	on_orders(arg, result, NULL, count, -1);
}

static inline void on_markets(void *arg, const struct dd_result *result,
			      const struct dd_market *markets, size_t count)
{
	(void)markets;
	on_orders(arg, result, NULL, count, -1);
}

static inline void on_candles(void *arg, const struct dd_result *result,
			      const struct dd_candle *candles, size_t count)
{
	(void)candles;
	on_orders(arg, result, NULL, count, -1);
}

static inline void on_account(void *arg, const struct dd_result *result,
			      const struct dd_account *account)
{
	struct rig *rig = arg;

	if (account)
		STR_SET(rig->outcome.text, account->account_id);
	note(rig, result);
}

static inline void on_text(void *arg, const struct dd_result *result, const char *text)
{
	struct rig *rig = arg;

	if (text)
		STR_SET(rig->outcome.text, text);
	note(rig, result);
}

static inline void on_cycle(void *arg, const struct dd_result *result, const char *begin,
			    const char *end)
{
	struct rig *rig = arg;

	if (begin)
		snprintf(rig->outcome.text, sizeof(rig->outcome.text), "%s %s", begin, end);
	note(rig, result);
}

static inline void on_price(void *arg, const struct dd_result *result, struct decimal price)
{
	char digits[DECIMAL_TEXT_LEN];

	on_text(arg, result, decimal_print(price, digits));
}

static inline void on_new_key(void *arg, const struct dd_result *result,
			      const struct secret *new_key)
{
	struct rig *rig = arg;

	if (new_key) {
		STR_SET(rig->outcome.text, (const char *)secret_open(new_key));
		secret_close(new_key);
	}
	note(rig, result);
}

static inline void on_unlocked(void *arg, const struct dd_result *result, bool hash_matches)
{
	struct rig *rig = arg;

	rig->outcome.hash_matches = hash_matches;
	note(rig, result);
}

/* ---- the calls, by name ---- */

static inline struct decimal decimal(const char *text)
{
	struct decimal value;
	struct err err;

	assert_true(decimal_parse(text, strlen(text), &value, &err));
	return value;
}

static inline void ask_build(struct rig *rig)
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

static inline void ask_submit(struct rig *rig)
{
	dd_order_submit(rig->client, ORDER_ID, "84a400", on_order, rig);
}

static inline void ask_order(struct rig *rig)
{
	dd_order_get(rig->client, ORDER_ID, on_order, rig);
}

static inline void ask_cancel(struct rig *rig)
{
	dd_order_cancel(rig->client, ORDER_ID, on_plain, rig);
}

static inline void ask_cancel_all(struct rig *rig)
{
	dd_order_cancel_all(rig->client, "ADAUSDM", on_ids, rig);
}

static inline void ask_open_orders(struct rig *rig)
{
	dd_open_orders_get(rig->client, "ADAUSDM", (struct dd_page){ 250, 3 }, on_orders, rig);
}

static inline void ask_trade_orders(struct rig *rig)
{
	dd_trade_orders_get(rig->client, "ADAUSDM", (struct dd_page){ 10, 1 }, on_orders, rig);
}

static inline void ask_trades(struct rig *rig)
{
	dd_trades_get(rig->client, "ADAUSDM", (struct dd_page){ 1, 1000 }, on_executions, rig);
}

static inline void ask_account(struct rig *rig)
{
	dd_account_get(rig->client, NULL, on_account, rig);
}

static inline void ask_account_with_another_key(struct rig *rig)
{
	struct secret *key = secret_from_str("another key");

	dd_account_get(rig->client, key, on_account, rig);
	secret_destroy(key);
}

static inline void ask_balances(struct rig *rig)
{
	dd_balances_get(rig->client, on_balances, rig);
}

static inline void ask_deposits(struct rig *rig)
{
	dd_transfers_get(rig->client, DD_DEPOSIT, 10, 1, on_transfers, rig);
}

static inline void ask_withdrawals(struct rig *rig)
{
	dd_transfers_get(rig->client, DD_WITHDRAWAL, 10, 2, on_transfers, rig);
}

static inline void ask_transferals(struct rig *rig)
{
	dd_transfers_get(rig->client, DD_TRANSFERAL, 250, 1, on_transfers, rig);
}

static inline void ask_transferal(struct rig *rig)
{
	dd_transfer_get(rig->client, "ab12", on_transfers, rig);
}

static inline void ask_max_deposit(struct rig *rig)
{
	dd_max_deposit_get(rig->client, on_text, rig);
}

static inline void ask_api_key(struct rig *rig)
{
	dd_api_key_get(rig->client, on_text, rig);
}

static inline void ask_new_key(struct rig *rig)
{
	dd_api_key_renew(rig->client, on_new_key, rig);
}

static inline void ask_markets(struct rig *rig)
{
	dd_markets_get(rig->client, on_markets, rig);
}

static inline void ask_price(struct rig *rig)
{
	dd_price_get(rig->client, "ADAUSDM", on_price, rig);
}

static inline void ask_candles(struct rig *rig)
{
	dd_candles_get(rig->client, "ADAUSDM", "15m", 1766000000, 1766003600, on_candles, rig);
}

static inline void ask_cycle(struct rig *rig)
{
	dd_hydra_cycle_get(rig->client, on_cycle, rig);
}

static inline void ask_terms(struct rig *rig)
{
	dd_terms_get(rig->client, on_text, rig);
}

static inline void unlock_with(struct rig *rig, const char *password)
{
	struct secret *secret = secret_from_str(password);

	dd_unlock(rig->client, secret, on_unlocked, rig);
	secret_destroy(secret);
}

static inline void ask_unlock(struct rig *rig)
{
	unlock_with(rig, "testing123456");
}

/* Runs one call to its completion, which must be the only one and not come from within. */
static inline const struct dd_result *ask(struct rig *rig, void (*call)(struct rig *rig))
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

static inline const struct dd_result *ask_for(struct rig *rig, int status, const char *body,
					      void (*call)(struct rig *rig))
{
	rig->answer = (struct answer){ .status = status, .body = body };
	return ask(rig, call);
}

static inline void assert_done(const struct dd_result *result)
{
	if (result->verdict != DD_DONE)
		print_message("%s\n", result->err.text);
	assert_int_equal(result->verdict, DD_DONE);
	assert_int_equal(result->class_, DD_CLASS_NONE);
	assert_int_equal(result->err.code, ERR_NONE);
}

static inline void assert_verdict(const struct dd_result *result, enum dd_verdict verdict,
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

static inline void turn(void *arg)
{
	struct rig *rig = arg;

	rig->on_turn(rig);
}

static inline const struct dd_result *ask_while(struct rig *rig, void (*on_turn)(struct rig *rig),
						void (*call)(struct rig *rig))
{
	struct hook *hook = hook_create(rig->loop, turn, rig);

	rig->on_turn = on_turn;
	ask(rig, call);
	hook_destroy(hook);
	return &rig->outcome.result;
}

static inline int start_all(void **state)
{
	bool is_locked;
	struct err err;

	(void)state;
	return secret_init(&is_locked, &err) ? 0 : -1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
#endif
