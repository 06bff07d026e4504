#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/when.h"

#include "base/mem.h"

static const struct wall now = { 1795345325123456 }; /* 2026-11-22T11:02:05.123456Z */

static void moments_and_spans_are_read(void **unused)
{
	static const char *const cases[][2] = {
		{ "2026-12-31T00:00:00Z", "2026-12-31T00:00:00.000000Z" },
		{ "2026-12-31T01:00:00+01:00", "2026-12-31T00:00:00.000000Z" },
		{ "2020-01-01T00:00:00Z", "2020-01-01T00:00:00.000000Z" },
		{ "+1s", "2026-11-22T11:02:06.123456Z" },
		{ "+90s", "2026-11-22T11:03:35.123456Z" },
		{ "+15m", "2026-11-22T11:17:05.123456Z" },
		{ "+24h", "2026-11-23T11:02:05.123456Z" },
		{ "+30d", "2026-12-22T11:02:05.123456Z" },
		{ "+36600d", "2127-02-06T11:02:05.123456Z" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char at[WALL_TEXT_LEN];
		struct err err;

		if (!when_parse(cases[i][0], now, at, &err))
			fail_msg("%s was refused", cases[i][0]);
		assert_string_equal(at, cases[i][1]);
	}
}

static void what_is_neither_is_a_usage_error(void **unused)
{
	static const char *const cases[] = {
		"",      "now",     "tomorrow",    "2026-12-31",   "+",
		"+s",    "+5",      "+5w",         "+-5s",         "+0s",
		"+5ss",  "+5s ",    "+ 5s",        "5s",           "-5s",
		"+1.5h", "+36601d", "+999999999d", "+9999999999s", "2026-11-22T11:02:05",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char at[WALL_TEXT_LEN];
		struct err err;

		if (when_parse(cases[i], now, at, &err))
			fail_msg("\"%s\" was taken", cases[i]);
		assert_int_equal(err.code, ERR_USAGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moments_and_spans_are_read),
		cmocka_unit_test(what_is_neither_is_a_usage_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
