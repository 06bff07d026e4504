#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "client/call.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/rig_test.h"

/* One call of each sort; what holds for them holds for the others. */
static void (*const repeatable[])(struct rig *rig) = { ask_build,      ask_order, ask_cancel,
						       ask_cancel_all, ask_price, ask_open_orders };

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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests(tests, start_all, NULL);
}
