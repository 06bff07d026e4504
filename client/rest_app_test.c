#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "client/wire.h"

#include "client/rig_test.h"

#define KEY_HASH "00112233445566778899aabbccddeeff00112233445566778899aabb"
#define SEALED   "{\"iv\":\"AAAAAAAAAAAAAAAA\",\n\"ciphertext\":\"AAAAAAAAAAAAAAAAAAAAAAAA\"}"
/* The same within a JSON string. */
#define SEALED_QUOTED                                    \
	"\"{\\\"iv\\\":\\\"AAAAAAAAAAAAAAAA\\\",\\u000a" \
	"\\\"ciphertext\\\":\\\"AAAAAAAAAAAAAAAAAAAAAAAA\\\"}\""
#define UTXOS   "[{\"input\":{\"tx_hash\":\"ab\",\"output_index\":0}}]"
#define ADDRESS "addr_test1qpzry9x8gf2tvdw0s3jn54khce6mua7l"

static void on_mock_usdx(void *arg, const struct dd_result *result, const char *signed_tx,
			 const char *tx_hash)
{
	on_cycle(arg, result, signed_tx, tx_hash);
}

static void on_dated_account(void *arg, const struct dd_result *result,
			     const struct dd_account *account)
{
	struct rig *rig = arg;
	char time[WALL_TEXT_LEN];

	if (account)
		snprintf(rig->outcome.text, sizeof(rig->outcome.text), "%s %s", account->account_id,
			 wall_print(account->updated_at, time));
	note(rig, result);
}

/* ---- the calls, by name ---- */

static void create_account(struct rig *rig)
{
	const struct dd_account_request request = {
		.user_id = "user-1",
		.sealed_key = SEALED,
		.key_hash = KEY_HASH,
		.is_script_key = true,
		.referral_code = "FRIEND_7",
	};

	dd_account_create(rig->client, &request, on_account, rig);
}

static void create_account_with_the_least(struct rig *rig)
{
	const struct dd_account_request request = {
		.user_id = "user-1",
		.sealed_key = SEALED,
		.key_hash = KEY_HASH,
	};

	dd_account_create(rig->client, &request, on_account, rig);
}

static void update_by_user(struct rig *rig)
{
	const struct dd_account_request request = { .user_id = "user-1", .sealed_key = SEALED };

	dd_account_update(rig->client, &request, on_dated_account, rig);
}

static void update_by_hash(struct rig *rig)
{
	const struct dd_account_request request = { .sealed_key = SEALED, .key_hash = KEY_HASH };

	dd_account_update(rig->client, &request, on_dated_account, rig);
}

static void mock_usdx(struct rig *rig)
{
	dd_mock_usdx(rig->client, UTXOS, 5000000, ADDRESS, on_mock_usdx, rig);
}

static void submit_tx(struct rig *rig)
{
	dd_tx_submit(rig->client, "84a400", on_text, rig);
}

static void ask_trading_lock(struct rig *rig)
{
	dd_trading_lock_get(rig->client, on_text, rig);
}

static void ask_points(struct rig *rig)
{
	dd_points_get(rig->client, "me", on_text, rig);
}

static void ask_points_history(struct rig *rig)
{
	dd_points_get(rig->client, "me/history?page=2&per_page=20", on_text, rig);
}

static void every_request_is_exact(void **state)
{
	static const struct {
		void (*call)(struct rig *rig);
		const char *answer, *target, *body, *text;
	} rows[] = {
		{ create_account, "{\"account_id\":\"acc-1\"}", "POST /accounts/spot-account",
		  "{\"encrypted_operation_key\":" SEALED_QUOTED ",\"user_id\":\"user-1\","
		  "\"operation_key_hash\":\"" KEY_HASH "\",\"is_script_operation_key\":true,"
		  "\"referral_code\":\"FRIEND_7\"}",
		  "acc-1" },
		{ create_account_with_the_least, "{\"data\":{\"account_id\":\"acc-1\"}}",
		  "POST /accounts/spot-account",
		  "{\"encrypted_operation_key\":" SEALED_QUOTED ",\"user_id\":\"user-1\","
		  "\"operation_key_hash\":\"" KEY_HASH "\",\"is_script_operation_key\":false}",
		  "acc-1" },
		{ update_by_user,
		  "{\"account_id\":\"acc-1\",\"created_at\":\"2026-01-13T09:00:00Z\","
		  "\"updated_at\":\"2026-02-01T10:00:00Z\"}",
		  "PUT /accounts/spot-account",
		  "{\"encrypted_operation_key\":" SEALED_QUOTED ",\"user_id\":\"user-1\"}",
		  "acc-1 2026-02-01T10:00:00.000000Z" },
		{ update_by_hash,
		  "{\"account_id\":\"acc-1\",\"updated_at\":\"2026-02-01T10:00:00Z\"}",
		  "PUT /accounts/spot-account",
		  "{\"encrypted_operation_key\":" SEALED_QUOTED
		  ",\"operation_key_hash\":\"" KEY_HASH "\"}",
		  "acc-1 2026-02-01T10:00:00.000000Z" },
		{ mock_usdx, "{\"signed_tx\":\"84a4\",\"tx_hash\":\"ab12\"}", "POST /app/mock-usdx",
		  "{\"input_utxos\":" UTXOS ",\"quantity\":5000000,\"wallet_address\":\"" ADDRESS
		  "\"}",
		  "84a4 ab12" },
		{ submit_tx, "{\"tx_hash\":\"ab12\"}", "POST /app/submit-tx",
		  "{\"signed_tx\":\"84a400\"}", "ab12" },
		{ ask_trading_lock, "{\"trading_locked\": 0.1}", "GET /health/trading-lock-status",
		  "", "{\"trading_locked\": 0.1}" },
		{ ask_trading_lock, "true", "GET /health/trading-lock-status", "", "true" },
		{ ask_points, "{\"total_points\":\"12\",\"league\":null}", "GET /points/me", "",
		  "{\"total_points\":\"12\",\"league\":null}" },
		{ ask_points_history, "[]", "GET /points/me/history?page=2&per_page=20", "", "[]" },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_done(ask_for(rig, 200, rows[i].answer, rows[i].call));
		assert_string_equal(rig->target, rows[i].target);
		assert_string_equal(rig->body, rows[i].body);
		assert_string_equal(rig->key, API_KEY);
		assert_string_equal(rig->type, rows[i].body[0] ? "application/json" : "");
		assert_string_equal(rig->outcome.text, rows[i].text);
	}
	assert_int_equal(rig->requests, (int)ARRAY_LEN(rows));
}

static const char *points_path;

static void ask_points_path(struct rig *rig)
{
	dd_points_get(rig->client, points_path, on_text, rig);
}

static void the_points_service_is_asked_only_for_what_it_has(void **state)
{
	static const struct {
		const char *path;
		bool ok;
	} rows[] = {
		{ "me", true },
		{ "me/history", true },
		{ "me/referral", true },
		{ "me/breakdown", true },
		{ "leaderboard", true },
		{ "leaderboard?page=1&per_page=50&season_id=3f-a", true },
		{ "leaderboard/me", true },
		{ "leagues", true },
		{ "quests/active", true },
		{ "quests/claims", true },
		{ "", false },
		{ "m", false },
		{ "me/", false },
		{ "/me", false },
		{ "me/referral-code", false },
		{ "quests/1/claim", false },
		{ "../accounts/new-api-key", false },
		{ "me?page=1", false },
		{ "me/history?", false },
		{ "me/history?page=1#x", false },
		{ "me/history?page=1/../..", false },
		{ "me/history?a=%20", false },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int before = rig->requests;
		const struct dd_result *result;
		char target[128];

		points_path = rows[i].path;
		result = ask_for(rig, 200, "{}", ask_points_path);
		assert_int_equal(rig->requests - before, rows[i].ok);
		assert_int_equal(result->verdict, rows[i].ok ? DD_DONE : DD_REFUSED);
		snprintf(target, sizeof(target), "GET /points/%s", rows[i].path);
		if (rows[i].ok)
			assert_string_equal(rig->target, target);
		else
			assert_int_equal(result->err.code, ERR_INVALID);
	}
}

static void what_changes_something_is_sent_once_and_doubted_without_a_clear_answer(void **state)
{
	static void (*const calls[])(struct rig * rig) = {
		create_account,
		update_by_user,
		mock_usdx,
		submit_tx,
	};
	static const struct answer answers[] = {
		{ .status = 200, .body = "{}", .manner = DROP },
		{ .status = 200, .body = "{\"tx_hash\":\"ab12\"}", .manner = CUT },
		{ .status = 200, .body = "" },
		{ .status = 200, .body = "{}" },
		{ .status = 400, .body = "{\"error\":\"no code\"}" },
		{ .status = 503, .body = "restarting" },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		for (size_t j = 0; j < ARRAY_LEN(answers); j++) {
			int before;

			ask_for(rig, 200, "[]", ask_balances); /* a connection to be reused */
			before = rig->requests;
			rig->answer = answers[j];
			assert_verdict(ask(rig, calls[i]), DD_UNKNOWN, DD_CLASS_UNKNOWN);
			assert_int_equal(rig->requests, before + 1);
			assert_string_equal(rig->outcome.text, "");
		}
		assert_verdict(ask_for(rig, 400, "{\"error\":\"no\",\"code\":4000}", calls[i]),
			       DD_REFUSED, DD_CLASS_REFUSED);
	}
}

static void an_answer_that_is_not_json_is_not_handed_over(void **state)
{
	struct rig *rig = *state;

	assert_verdict(ask_for(rig, 200, "locked", ask_trading_lock), DD_UNKNOWN, DD_CLASS_RETRY);
	assert_string_equal(rig->outcome.text, "");
	assert_verdict(ask_for(rig, 404, "404 page not found", ask_trading_lock), DD_UNKNOWN,
		       DD_CLASS_RETRY);
	assert_verdict(ask_for(rig, 400, "{\"error\":\"no\",\"code\":4010}", ask_points),
		       DD_REFUSED, DD_CLASS_AUTH);
	assert_string_equal(rig->outcome.text, "");
}

static void without_a_key_only_the_trading_lock_is_asked(void **state)
{
	static void (*const calls[])(struct rig * rig) = { create_account, update_by_user,
							   mock_usdx, submit_tx, ask_points };
	struct rig *rig = *state;

	dd_client_set_api_key(rig->client, NULL);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		assert_verdict(ask(rig, calls[i]), DD_REFUSED, DD_CLASS_AUTH);
	assert_int_equal(rig->requests, 0);
	assert_done(ask_for(rig, 200, "false", ask_trading_lock));
	assert_string_equal(rig->key, "");
}

/* ---- what is refused here ---- */

static void an_account_that_makes_no_sense_is_not_printed(void **unused)
{
	static const struct {
		struct dd_account_request request;
		bool create_ok, update_ok;
	} rows[] = {
		{ { "u", SEALED, KEY_HASH, false, NULL }, true, true },
		{ { "u", SEALED, KEY_HASH, true, NULL }, true, false },
		{ { "u", SEALED, KEY_HASH, false, "r" }, true, false },
		{ { "u", SEALED, NULL, false, NULL }, false, true },
		{ { NULL, SEALED, KEY_HASH, false, NULL }, false, true },
		{ { NULL, SEALED, NULL, false, NULL }, false, false },
		{ { "", SEALED, KEY_HASH, false, NULL }, false, false },
		{ { "u\"", SEALED, KEY_HASH, false, NULL }, false, false },
		{ { "u", NULL, KEY_HASH, false, NULL }, false, false },
		{ { "u", "", KEY_HASH, false, NULL }, false, false },
		{ { "u", "{}", KEY_HASH, false, NULL }, false, false },
		{ { "u", "a password", KEY_HASH, false, NULL }, false, false },
		{ { "u", SEALED, "", false, NULL }, false, false },
		{ { "u", SEALED, KEY_HASH "00", false, NULL }, false, false },
		{ { "u", SEALED, "ab", false, NULL }, false, false },
		{ { "u", SEALED, KEY_HASH, false, "r\\" }, false, false },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf body;
		struct err err;

		buf_init(&body, WIRE_ACCOUNT_MAX);
		assert_int_equal(wire_account_create_print(&body, &rows[i].request, &err),
				 rows[i].create_ok);
		assert_int_equal(body.len > 0, rows[i].create_ok);
		buf_clear(&body);
		assert_int_equal(wire_account_update_print(&body, &rows[i].request, &err),
				 rows[i].update_ok);
		assert_int_equal(body.len > 0, rows[i].update_ok);
		if (!rows[i].update_ok)
			assert_int_equal(err.code, ERR_INVALID);
		buf_fini(&body);
	}
}

static void test_money_is_asked_for_only_with_a_list_an_amount_and_an_address(void **unused)
{
	static const struct {
		const char *utxos;
		int64_t quantity;
		const char *address;
		bool ok;
	} rows[] = {
		{ "[]", 1, ADDRESS, true },   { UTXOS, INT64_MAX, ADDRESS, true },
		{ UTXOS, 0, ADDRESS, false }, { UTXOS, -1, ADDRESS, false },
		{ UTXOS, 1, "", false },      { UTXOS, 1, "addr\",\"x\":\"", false },
		{ "", 1, ADDRESS, false },    { "{}", 1, ADDRESS, false },
		{ "[", 1, ADDRESS, false },   { "[],\"quantity\":9", 1, ADDRESS, false },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf body;
		struct err err;

		buf_init(&body, WIRE_UTXOS_MAX);
		assert_int_equal(wire_mock_usdx_print(&body, rows[i].utxos, rows[i].quantity,
						      rows[i].address, &err),
				 rows[i].ok);
		assert_int_equal(body.len > 0, rows[i].ok);
		if (!rows[i].ok)
			assert_int_equal(err.code, ERR_INVALID);
		buf_fini(&body);
	}
}

static void the_largest_list_of_outputs_goes_out_whole_and_no_larger_one(void **unused)
{
	char *utxos = mem_alloc(WIRE_UTXOS_MAX + 2);
	struct buf body;
	struct err err;

	(void)unused;
	memset(utxos, ' ', WIRE_UTXOS_MAX);
	utxos[0] = '[';
	utxos[WIRE_UTXOS_MAX - 1] = ']';
	buf_init(&body, WIRE_UTXOS_MAX + 1024);
	assert_true(wire_mock_usdx_print(&body, utxos, INT64_MAX, ADDRESS, &err));
	assert_false(body.is_full);
	buf_clear(&body);
	utxos[WIRE_UTXOS_MAX] = ' ';
	assert_false(wire_mock_usdx_print(&body, utxos, 1, ADDRESS, &err));
	assert_int_equal(body.len, 0);
	buf_fini(&body);
	mem_free(utxos);
}

static void submit_nothing(struct rig *rig)
{
	dd_tx_submit(rig->client, "", on_text, rig);
}

static void submit_what_is_no_hex(struct rig *rig)
{
	dd_tx_submit(rig->client, "84a4\"", on_text, rig);
}

static void mock_nothing(struct rig *rig)
{
	dd_mock_usdx(rig->client, "[]", 0, ADDRESS, on_mock_usdx, rig);
}

static void create_nothing(struct rig *rig)
{
	dd_account_create(rig->client, &(struct dd_account_request){ 0 }, on_account, rig);
}

static void update_nothing(struct rig *rig)
{
	dd_account_update(rig->client, &(struct dd_account_request){ 0 }, on_account, rig);
}

static void what_makes_no_sense_never_leaves(void **state)
{
	static void (*const calls[])(struct rig * rig) = {
		submit_nothing, submit_what_is_no_hex, mock_nothing, create_nothing, update_nothing,
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		const struct dd_result *result = ask(rig, calls[i]);

		assert_verdict(result, DD_REFUSED, DD_CLASS_REFUSED);
		assert_int_equal(result->err.code, ERR_INVALID);
	}
	assert_int_equal(rig->requests, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_request_is_exact),
		TEST(the_points_service_is_asked_only_for_what_it_has),
		TEST(what_changes_something_is_sent_once_and_doubted_without_a_clear_answer),
		TEST(an_answer_that_is_not_json_is_not_handed_over),
		TEST(without_a_key_only_the_trading_lock_is_asked),
		TEST(what_makes_no_sense_never_leaves),
		cmocka_unit_test(an_account_that_makes_no_sense_is_not_printed),
		cmocka_unit_test(test_money_is_asked_for_only_with_a_list_an_amount_and_an_address),
		cmocka_unit_test(the_largest_list_of_outputs_goes_out_whole_and_no_larger_one),
	};

	return cmocka_run_group_tests(tests, start_all, NULL);
}
