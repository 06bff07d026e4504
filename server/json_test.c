#include "server/json.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/secret.h"
#include "client/deltadefi.h"
#include "server/auth.h"

#define LIMIT "\"symbol\":\"ADAUSDM\",\"side\":\"buy\",\"type\":\"limit\","

static bool read_order(const char *body, struct order_terms *terms, struct err *err)
{
	return json_read_order(body, strlen(body), terms, err);
}

/* ---- orders in -------------------------------------------------------------------------- */

static void every_field_of_an_order_is_read(void **unused)
{
	struct order_terms terms;
	char text[DECIMAL_TEXT_LEN];
	struct err err;

	(void)unused;
	assert_true(read_order("{" LIMIT "\"base_quantity\":100,\"price\":\"0.4500\","
			       "\"post_only\":true,\"client_order_id\":\"a.B_c:1-2\","
			       "\"valid_until\":\"2030-01-02T03:04:05+01:00\"}",
			       &terms, &err));
	assert_string_equal(terms.symbol, "ADAUSDM");
	assert_int_equal(terms.side, ORDER_BUY);
	assert_int_equal(terms.type, ORDER_LIMIT);
	assert_true(terms.has_base_qty && !terms.has_quote_qty && terms.has_price);
	assert_string_equal(decimal_print(terms.base_qty, text), "100");
	assert_string_equal(decimal_print(terms.price, text), "0.45");
	assert_true(terms.post_only);
	assert_int_equal(terms.max_slippage_bp, -1);
	assert_string_equal(terms.client_order_id, "a.B_c:1-2");
	assert_int_equal(terms.valid_until.us, 1893549845000000);
	assert_true(read_order("{\"symbol\":\"ADAUSDM\",\"side\":\"sell\",\"type\":\"market\","
			       "\"quote_quantity\":\"50\",\"max_slippage_basis_point\":0}",
			       &terms, &err));
	assert_int_equal(terms.side, ORDER_SELL);
	assert_int_equal(terms.max_slippage_bp, 0);
	assert_true(terms.has_quote_qty && !terms.has_base_qty && !terms.has_price);
	assert_string_equal(terms.client_order_id, "");
}

static void an_order_that_does_not_make_sense_is_refused(void **unused)
{
	static const struct {
		const char *body;
		enum err_code code;
	} cases[] = {
		{ "{}", ERR_INVALID },
		{ "{" LIMIT "\"price\":1}", ERR_INVALID },
		{ "{" LIMIT "\"base_quantity\":1}", ERR_INVALID },
		{ "{" LIMIT "\"base_quantity\":1,\"quote_quantity\":1,\"price\":1}", ERR_INVALID },
		{ "{" LIMIT "\"base_quantity\":1,\"quantity\":1,\"price\":1}", ERR_INVALID },
		{ "{" LIMIT "\"base_quantity\":0,\"price\":1}", ERR_INVALID },
		{ "{" LIMIT "\"base_quantity\":1,\"price\":-1}", ERR_INVALID },
		{ "{" LIMIT "\"base_quantity\":1,\"price\":\"0.00\"}", ERR_INVALID },
		{ "{" LIMIT "\"base_quantity\":\"1,5\",\"price\":1}", ERR_DECIMAL },
		{ "{" LIMIT "\"base_quantity\":true,\"price\":1}", ERR_DECIMAL },
		{ "{" LIMIT "\"base_quantity\":1,\"price\":1,\"max_slippage_basis_point\":1}",
		  ERR_INVALID },
		{ "{" LIMIT "\"base_quantity\":1,\"price\":1,\"allow_unbounded_slippage\":true}",
		  ERR_INVALID },
		{ "{" LIMIT "\"base_quantity\":1,\"price\":1,\"post_only\":1}", ERR_INVALID },
		{ "{" LIMIT "\"base_quantity\":1,\"price\":1,\"client_order_id\":\"a b\"}",
		  ERR_INVALID },
		{ "{" LIMIT "\"base_quantity\":1,\"price\":1,\"client_order_id\":\"\"}",
		  ERR_INVALID },
		{ "{" LIMIT "\"base_quantity\":1,\"price\":1,\"valid_until\":\"soon\"}",
		  ERR_INVALID },
		{ "{" LIMIT "\"base_quantity\":1,\"price\":1,\"valid_until\":1}", ERR_INVALID },
		{ "{" LIMIT
		  "\"base_quantity\":1,\"price\":1,\"valid_until\":\"1970-01-01T00:00:00Z\"}",
		  ERR_INVALID },
		{ "{" LIMIT "\"base_quantity\":1,\"prise\":1}", ERR_UNKNOWN_FIELD },
		{ "{\"symbol\":\"adausdm\",\"side\":\"buy\",\"type\":\"limit\",\"quantity\":1,"
		  "\"price\":1}",
		  ERR_INVALID },
		{ "{\"symbol\":\"A\",\"side\":\"BUY\",\"type\":\"limit\",\"quantity\":1,"
		  "\"price\":1}",
		  ERR_INVALID },
		{ "{\"symbol\":\"A\",\"side\":\"buy\",\"type\":\"stop\",\"quantity\":1,"
		  "\"price\":1}",
		  ERR_INVALID },
		{ "{\"symbol\":\"A\",\"side\":\"buy\",\"type\":\"market\",\"quantity\":1}",
		  ERR_INVALID },
		{ "{\"symbol\":\"A\",\"side\":\"buy\",\"type\":\"market\",\"quantity\":1,"
		  "\"max_slippage_basis_point\":10001}",
		  ERR_INVALID },
		{ "{\"symbol\":\"A\",\"side\":\"buy\",\"type\":\"market\",\"quantity\":1,"
		  "\"max_slippage_basis_point\":1,\"price\":1}",
		  ERR_INVALID },
		{ "{\"symbol\":\"A\",\"side\":\"buy\",\"type\":\"market\",\"quantity\":1,"
		  "\"max_slippage_basis_point\":1,\"post_only\":true}",
		  ERR_INVALID },
		{ "{\"symbol\":\"A\",\"side\":\"buy\",\"type\":\"market\",\"quantity\":1,"
		  "\"max_slippage_basis_point\":1,\"allow_unbounded_slippage\":true}",
		  ERR_INVALID },
		{ "{" LIMIT "\"base_quantity\":12345678901234567,\"price\":1}", ERR_DECIMAL },
		{ "{" LIMIT "\"base_quantity\":1,\"base_quantity\":2,\"price\":1}", ERR_BAD_JSON },
	};
	struct order_terms terms;
	struct err err;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (read_order(cases[i].body, &terms, &err))
			fail_msg("taken: %s", cases[i].body);
		if (err.code != cases[i].code)
			fail_msg("%s: %s", cases[i].body, err.text);
	}
}

static void the_same_request_has_the_same_hash_however_it_is_written(void **unused)
{
	static const char *const same[] = {
		"{" LIMIT "\"base_quantity\":100,\"price\":0.45}",
		"{" LIMIT "\"base_quantity\":\"100\",\"price\":\"0.45\"}",
		"{" LIMIT "\"quantity\":\"100.00\",\"price\":\"0.4500\"}",
		"{" LIMIT "\"base_quantity\":1e2,\"price\":45e-2,\"post_only\":false}",
		"{\"price\":0.45,\"quantity\":100," LIMIT "\"client_order_id\":\"x\"}",
		"{" LIMIT "\"base_quantity\":100,\"price\":0.45,\"valid_until\":null}",
	};
	static const char *const other[] = {
		"{" LIMIT "\"base_quantity\":100,\"price\":0.46}",
		"{" LIMIT "\"base_quantity\":101,\"price\":0.45}",
		"{" LIMIT "\"quote_quantity\":100,\"price\":0.45}",
		"{" LIMIT "\"base_quantity\":100,\"price\":0.45,\"post_only\":true}",
		"{" LIMIT
		"\"base_quantity\":100,\"price\":0.45,\"valid_until\":\"2030-01-01T00:00:00Z\"}",
		"{\"symbol\":\"ADAUSDM\",\"side\":\"sell\",\"type\":\"limit\",\"quantity\":100,"
		"\"price\":0.45}",
		"{\"symbol\":\"IAGUSDM\",\"side\":\"buy\",\"type\":\"limit\",\"quantity\":100,"
		"\"price\":0.45}",
	};
	struct order_terms first, terms;
	struct err err;

	(void)unused;
	assert_true(read_order(same[0], &first, &err));
	assert_int_equal(strlen(first.body_hash), BODY_HASH_LEN - 1);
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		if (!read_order(same[i], &terms, &err))
			fail_msg("%s: %s", same[i], err.text);
		assert_string_equal(terms.body_hash, first.body_hash);
	}
	for (size_t i = 0; i < ARRAY_LEN(other); i++) {
		if (!read_order(other[i], &terms, &err))
			fail_msg("%s: %s", other[i], err.text);
		assert_string_not_equal(terms.body_hash, first.body_hash);
	}
}

/* ---- tokens in -------------------------------------------------------------------------- */

static void every_field_of_a_token_is_read(void **unused)
{
	const char *body = "{\"name\":\"bot\",\"scopes\":[\"read\",\"trade\",\"read\"],"
			   "\"symbols\":[\"ADAUSDM\",\"IAGUSDM\"],\"max_order_value\":1000,"
			   "\"max_open_orders\":3,\"weight\":2,"
			   "\"expires_at\":\"2999-01-01T00:00:00Z\"}";
	struct journal_token token;
	struct err err;

	(void)unused;
	assert_true(json_read_token(body, strlen(body), &token, &err));
	assert_string_equal(token.name, "bot");
	assert_int_equal(token.scopes, AUTH_READ | AUTH_TRADE);
	assert_string_equal(token.symbols, "ADAUSDM,IAGUSDM");
	assert_true(token.has_max_order_value);
	assert_int_equal(token.max_open_orders, 3);
	assert_int_equal(token.weight, 2);
	assert_true(token.expires_at.us > 0);
	assert_true(token.revoked_at.us == 0);
}

static void a_token_without_sense_is_refused(void **unused)
{
	static const char *const bodies[] = {
		"{}",
		"{\"name\":\"a\"}",
		"{\"name\":\"a\",\"scopes\":[]}",
		"{\"name\":\"a\",\"scopes\":[\"root\"]}",
		"{\"name\":\"a\",\"scopes\":\"read\"}",
		"{\"scopes\":[\"read\"]}",
		"{\"name\":\"a\\u001b[2J\",\"scopes\":[\"read\"]}",
		"{\"name\":\"a\",\"scopes\":[\"read\"],\"weight\":0}",
		"{\"name\":\"a\",\"scopes\":[\"read\"],\"max_order_value\":0}",
		"{\"name\":\"a\",\"scopes\":[\"read\"],\"symbols\":[\"a,b\"]}",
		"{\"name\":\"a\",\"scopes\":[\"read\"],\"expires_at\":\"2001-01-01T00:00:00Z\"}",
		"{\"name\":\"a\",\"scopes\":[\"read\"],\"expire\":\"2999-01-01T00:00:00Z\"}",
	};
	struct journal_token token;
	struct err err;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
		if (json_read_token(bodies[i], strlen(bodies[i]), &token, &err))
			fail_msg("taken: %s", bodies[i]);
}

static void symbols_that_do_not_fit_are_refused(void **unused)
{
	char body[1024];
	size_t len = (size_t)snprintf(body, sizeof(body),
				      "{\"name\":\"a\",\"scopes\":[\"read\"],\"symbols\":[");
	struct journal_token token;
	struct err err;

	(void)unused;
	for (int i = 0; i < 20; i++)
		len += (size_t)snprintf(body + len, sizeof(body) - len,
					"%s\"ABCDEFGHIJKLMNOPQR%02d\"", i > 0 ? "," : "", i);
	len += (size_t)snprintf(body + len, sizeof(body) - len, "]}");
	assert_false(json_read_token(body, len, &token, &err));
	assert_int_equal(err.code, ERR_INVALID);
}

/* ---- out -------------------------------------------------------------------------------- */

static void an_order_shows_what_is_absent_as_null(void **unused)
{
	struct order order = { .terms = { .max_slippage_bp = -1 },
			       .facts = { .state = ORDER_ACCEPTED } };
	struct json_out out;

	(void)unused;
	STR_SET(order.terms.order_id, "ord_1");
	json_out_init(&out);
	json_order(&out, NULL, &order);
	assert_string_equal(
		buf_str(&out.buf),
		"{\"order_id\":\"ord_1\",\"client_order_id\":\"\",\"exchange_order_id\":null,"
		"\"app\":\"\",\"symbol\":\"\",\"side\":\"buy\",\"type\":\"limit\","
		"\"base_qty\":null,\"quote_qty\":null,\"price\":null,\"post_only\":false,"
		"\"max_slippage_basis_point\":null,\"valid_until\":null,\"state\":\"accepted\","
		"\"executed_base_qty\":\"0\",\"executed_quote_qty\":\"0\","
		"\"exchange_executed_quote_qty\":\"0\",\"average_price\":null,"
		"\"commission\":\"0\",\"commission_unit\":null,\"error\":null,"
		"\"cancel_requested\":false,\"queued_ms\":0,\"attempt\":0,"
		"\"created_at\":null,\"updated_at\":null}");
	json_out_fini(&out);
}

static void a_problem_tells_what_the_exchange_said(void **unused)
{
	struct json_problem problem = { .instance = "req_1", .retry_ms = -1 };
	struct json_out out;
	struct err err;

	(void)unused;
	err_set(&err, ERR_REFUSED, "refused \"so\"");
	err.exchange_code = 4104;
	problem.err = &err;
	json_out_init(&out);
	json_problem(&out, &problem);
	assert_string_equal(
		buf_str(&out.buf),
		"{\"type\":\"urn:deltagate:problem:exchange-refused\","
		"\"title\":\"Refused by the exchange\",\"status\":422,"
		"\"detail\":\"refused \\\"so\\\"\",\"instance\":\"req_1\","
		"\"code\":\"exchange-refused\",\"retry\":\"never\",\"exchange\":{\"code\":4104,"
		"\"error\":\"Post-only order would match with existing orders\"}}");
	json_out_fini(&out);
}

static int start(void **unused)
{
	bool is_locked;
	struct err err;

	(void)unused;
	return secret_init(&is_locked, &err) ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_of_an_order_is_read),
		cmocka_unit_test(an_order_that_does_not_make_sense_is_refused),
		cmocka_unit_test(the_same_request_has_the_same_hash_however_it_is_written),
		cmocka_unit_test(every_field_of_a_token_is_read),
		cmocka_unit_test(a_token_without_sense_is_refused),
		cmocka_unit_test(symbols_that_do_not_fit_are_refused),
		cmocka_unit_test(an_order_shows_what_is_absent_as_null),
		cmocka_unit_test(a_problem_tells_what_the_exchange_said),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
