#include "server/stream_in.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/secret.h"

static bool parse(const char *text, struct stream_message *message, struct err *err)
{
	return stream_in_parse(text, strlen(text), message, err);
}

static void an_auth_carries_its_token(void **unused)
{
	struct stream_message message;
	struct err err;

	(void)unused;
	assert_true(parse("{\"op\":\"auth\",\"token\":\"dg_a_b\",\"id\":0}", &message, &err));
	assert_int_equal(message.op, STREAM_AUTH);
	assert_int_equal(message.id, 0);
	assert_int_equal(secret_len(message.token), 6);
	stream_message_fini(&message);
	assert_null(message.token);
}

static void a_subscription_says_channel_position_and_owner(void **unused)
{
	struct stream_message message;
	struct err err;

	(void)unused;
	assert_true(parse("{\"op\":\"subscribe\",\"id\":9007199254740992,\"ch\":\"trades:ADAUSDM\","
			  "\"after\":{\"epoch\":\"e1\",\"seq\":1795358000000001},"
			  "\"owner\":\"any\"}",
			  &message, &err));
	assert_int_equal(message.op, STREAM_SUBSCRIBE);
	assert_int_equal(message.id, STREAM_NUMBER_MAX);
	assert_int_equal(message.wish.id, STREAM_NUMBER_MAX);
	assert_string_equal(message.wish.channel, "trades:ADAUSDM");
	assert_true(message.wish.has_after);
	assert_string_equal(message.wish.epoch, "e1");
	assert_true(message.wish.seq == 1795358000000001u);
	assert_int_equal(message.wish.owner, HUB_OWNER_ANY);
}

static void what_may_be_left_out_has_no_effect(void **unused)
{
	struct stream_message message;
	struct err err;

	(void)unused;
	assert_true(
		parse("{\"ch\":\"orders\",\"op\":\"subscribe\",\"after\":null}", &message, &err));
	assert_int_equal(message.id, -1);
	assert_int_equal(message.wish.id, -1);
	assert_false(message.wish.has_after);
	assert_int_equal(message.wish.owner, HUB_OWNER_DEFAULT);
	assert_true(parse("{\"op\":\"ping\"}", &message, &err));
	assert_int_equal(message.op, STREAM_PING);
	assert_true(parse("{\"op\":\"unsubscribe\",\"ch\":\"orders\",\"id\":3}", &message, &err));
	assert_int_equal(message.op, STREAM_UNSUBSCRIBE);
	assert_string_equal(message.wish.channel, "orders");
}

static void nonsense_is_refused_by_name_and_keeps_its_id(void **unused)
{
	static const struct {
		const char *text;
		enum err_code code;
		int64_t id;
	} cases[] = {
		{ "", ERR_BAD_JSON, -1 },
		{ "hello", ERR_BAD_JSON, -1 },
		{ "[]", ERR_BAD_JSON, -1 },
		{ "{\"op\":\"ping\",\"op\":\"ping\"}", ERR_BAD_JSON, -1 },
		{ "{\"op\":\"ping\"}{", ERR_BAD_JSON, -1 },
		{ "{\"op\":\"ping\",\"id\":99999999999999999}", ERR_DECIMAL, -1 },
		{ "{\"id\":1}", ERR_INVALID, 1 },
		{ "{\"op\":\"pong\",\"id\":2}", ERR_INVALID, 2 },
		{ "{\"op\":1,\"id\":3}", ERR_INVALID, 3 },
		{ "{\"op\":\"ping\",\"id\":-1}", ERR_INVALID, -1 },
		{ "{\"op\":\"ping\",\"id\":1.5}", ERR_INVALID, -1 },
		{ "{\"op\":\"ping\",\"id\":\"1\"}", ERR_INVALID, -1 },
		{ "{\"op\":\"ping\",\"id\":9007199254740993}", ERR_INVALID, -1 },
		{ "{\"op\":\"ping\",\"id\":4,\"ch\":\"orders\"}", ERR_UNKNOWN_FIELD, 4 },
		{ "{\"op\":\"auth\",\"id\":5}", ERR_INVALID, 5 },
		{ "{\"op\":\"auth\",\"token\":\"\"}", ERR_INVALID, -1 },
		{ "{\"op\":\"auth\",\"token\":7}", ERR_INVALID, -1 },
		{ "{\"op\":\"auth\",\"token\":\"a\",\"ch\":\"orders\"}", ERR_UNKNOWN_FIELD, -1 },
		{ "{\"op\":\"subscribe\",\"id\":6}", ERR_INVALID, 6 },
		{ "{\"op\":\"subscribe\",\"ch\":\"\"}", ERR_INVALID, -1 },
		{ "{\"op\":\"subscribe\",\"ch\":[\"orders\"]}", ERR_INVALID, -1 },
		{ "{\"op\":\"subscribe\",\"ch\":\"a234567890123456789012345678901234567890\"}",
		  ERR_INVALID, -1 },
		{ "{\"op\":\"subscribe\",\"ch\":\"orders\",\"owner\":\"all\"}", ERR_INVALID, -1 },
		{ "{\"op\":\"subscribe\",\"ch\":\"orders\",\"after\":812}", ERR_INVALID, -1 },
		{ "{\"op\":\"subscribe\",\"ch\":\"orders\",\"after\":{\"seq\":812}}", ERR_INVALID,
		  -1 },
		{ "{\"op\":\"subscribe\",\"ch\":\"orders\",\"after\":{\"epoch\":\"e\"}}",
		  ERR_INVALID, -1 },
		{ "{\"op\":\"subscribe\",\"ch\":\"orders\","
		  "\"after\":{\"epoch\":\"e\",\"seq\":-1}}",
		  ERR_INVALID, -1 },
		{ "{\"op\":\"subscribe\",\"ch\":\"orders\","
		  "\"after\":{\"epoch\":\"e\",\"seq\":1,\"sqe\":1}}",
		  ERR_UNKNOWN_FIELD, -1 },
		{ "{\"op\":\"subscribe\",\"ch\":\"orders\",\"afer\":{}}", ERR_UNKNOWN_FIELD, -1 },
		{ "{\"op\":\"unsubscribe\",\"ch\":\"orders\",\"after\":null}", ERR_UNKNOWN_FIELD,
		  -1 },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct stream_message message;
		struct err err = { .code = ERR_NONE };

		if (parse(cases[i].text, &message, &err) || err.code != cases[i].code ||
		    message.id != cases[i].id)
			fail_msg("%s: %s, id %lld", cases[i].text, err_word(err.code),
				 (long long)message.id);
		stream_message_fini(&message);
	}
}

static void a_message_above_the_bound_is_not_looked_at(void **unused)
{
	static char text[STREAM_MESSAGE_MAX + 1];
	struct stream_message message;
	struct err err;

	(void)unused;
	memset(text, ' ', sizeof(text));
	memcpy(text, "{\"op\":\"ping\"}", 13);
	assert_true(stream_in_parse(text, STREAM_MESSAGE_MAX, &message, &err));
	assert_false(stream_in_parse(text, STREAM_MESSAGE_MAX + 1, &message, &err));
	assert_int_equal(err.code, ERR_BAD_JSON);
}

static void a_line_of_positions_gives_each_channel_its_own(void **unused)
{
	static const char line[] = "01abc;orders=831;trades:ADAUSDM=1795358000000001;fills=0";
	static const struct {
		const char *channel;
		bool has_after;
		uint64_t seq;
	} cases[] = {
		{ "orders", true, 831 },   { "trades:ADAUSDM", true, 1795358000000001 },
		{ "fills", true, 0 },      { "balances", false, 0 },
		{ "order", false, 0 },     { "trades:ADA", false, 0 },
		{ "depth:ADA", false, 0 },
	};
	struct err err;

	(void)unused;
	assert_true(stream_in_check_positions(line, &err));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct hub_wish wish = { .id = -1 };

		assert_true(STR_SET(wish.channel, cases[i].channel));
		stream_in_position(line, &wish);
		assert_int_equal(wish.has_after, cases[i].has_after);
		assert_true(wish.seq == cases[i].seq);
		assert_string_equal(wish.epoch, cases[i].has_after ? "01abc" : "");
	}
}

static void other_lines_are_refused(void **unused)
{
	static const char *const lines[] = {
		"",
		";orders=1",
		"orders=1",
		"e;",
		"e;orders",
		"e;orders=",
		"e;=1",
		"e;orders=x",
		"e;orders=-1",
		"e;orders=1;",
		"e;orders=1;;fills=2",
		"e;orders=12345678901234567",
		"1234567890123456789012345678901234567890;orders=1",
		"e;a234567890123456789012345678901234567890=1",
	};
	struct err err;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		if (stream_in_check_positions(lines[i], &err))
			fail_msg("%s", lines[i]);
	assert_true(stream_in_check_positions("e", &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_auth_carries_its_token),
		cmocka_unit_test(a_subscription_says_channel_position_and_owner),
		cmocka_unit_test(what_may_be_left_out_has_no_effect),
		cmocka_unit_test(nonsense_is_refused_by_name_and_keeps_its_id),
		cmocka_unit_test(a_message_above_the_bound_is_not_looked_at),
		cmocka_unit_test(a_line_of_positions_gives_each_channel_its_own),
		cmocka_unit_test(other_lines_are_refused),
	};
	bool is_locked;
	struct err err;

	if (!secret_init(&is_locked, &err))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
