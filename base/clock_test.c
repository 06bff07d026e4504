#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"

#define US_PER_DAY 86400000000
#define WALL_MAX   253402300799999999 /* 9999-12-31T23:59:59.999999Z */

static void wall_times_are_read(void **unused)
{
	static const struct {
		const char *text;
		int64_t us;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01T00:00:00.000001Z", 1 },
		{ "2026-11-22T11:02:05.123456Z", 1795345325123456 },
		{ "2026-11-22T11:02:05.1Z", 1795345325100000 },
		{ "2026-11-22T11:02:05.123456999Z", 1795345325123456 },
		{ "2026-11-22t11:02:05z", 1795345325000000 },
		{ "2026-11-22T12:32:05+01:30", 1795345325000000 },
		{ "2026-11-21T23:02:05-12:00", 1795345325000000 },
		{ "2026-11-22T11:02:05-00:00", 1795345325000000 },
		{ "2024-02-29T00:00:00Z", 1709164800000000 },
		{ "2000-02-29T23:59:59Z", 951868799000000 },
		{ "1969-12-31T23:00:00-01:00", 0 },
		{ "9999-12-31T23:59:59.999999Z", WALL_MAX },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct wall time = { -1 };

		if (!wall_parse(cases[i].text, &time))
			fail_msg("%s was refused", cases[i].text);
		assert_int_equal(time.us, cases[i].us);
	}
}

static void what_is_no_wall_time_is_refused(void **unused)
{
	static const char *const cases[] = {
		"",
		"2026",
		"2026-11-22",
		"2026-11-22T11:02",
		"2026-11-22T11:02Z",
		"2026-11-22T11:02:05",
		"2026-11-22 11:02:05Z",
		"2026-11-22T11:02:05 Z",
		"2026-11-22T11:02:05Z ",
		" 2026-11-22T11:02:05Z",
		"2026-11-22T11:02:05.Z",
		"2026-11-22T11:02:05,5Z",
		"2026-11-22T11:02:05.1234567890Z",
		"2026-11-22T11:02:05+0100",
		"2026-11-22T11:02:05+24:00",
		"2026-11-22T11:02:05+01:60",
		"2026-11-22T11:02:05+1:00",
		"2026-11-22T24:00:00Z",
		"2026-11-22T11:60:00Z",
		"2026-11-22T11:02:60Z", /* a leap second: no clock here counts it */
		"2016-12-31T23:59:60Z",
		"2026-00-22T11:02:05Z",
		"2026-13-22T11:02:05Z",
		"2026-11-00T11:02:05Z",
		"2026-11-31T11:02:05Z",
		"2026-02-29T11:02:05Z",
		"2100-02-29T11:02:05Z",
		"2026-1-22T11:02:05Z",
		"+026-11-22T11:02:05Z",
		"-026-11-22T11:02:05Z",
		"12026-11-22T11:02:05Z",
		"1969-12-31T23:59:59Z",
		"1970-01-01T00:00:00+00:01",
		"9999-12-31T23:59:59-00:01",
		"0000-01-01T00:00:00Z",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct wall time;

		if (wall_parse(cases[i], &time))
			fail_msg("%s was taken", cases[i]);
	}
}

/* The C library counts for itself; every 13th day sees every date of the year and every kind of
 * century. */
static void dates_agree_with_the_c_library_up_to_9999(void **unused)
{
	(void)unused;
	for (int64_t us = 0; us <= WALL_MAX; us += 13 * US_PER_DAY + 3723000007) {
		time_t second = us / 1000000;
		char expected[64], text[WALL_TEXT_LEN];
		struct wall again;
		struct tm date;

		gmtime_r(&second, &date);
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S.", &date);
		wall_print((struct wall){ us }, text);
		assert_memory_equal(text, expected, strlen(expected));
		assert_true(wall_parse(text, &again));
		assert_int_equal(again.us, us);
	}
}

static void what_cannot_be_printed_is_clamped(void **unused)
{
	char text[WALL_TEXT_LEN];

	(void)unused;
	assert_string_equal(wall_print((struct wall){ -1 }, text), "1970-01-01T00:00:00.000000Z");
	assert_string_equal(wall_print((struct wall){ INT64_MIN }, text),
			    "1970-01-01T00:00:00.000000Z");
	assert_string_equal(wall_print((struct wall){ INT64_MAX }, text),
			    "9999-12-31T23:59:59.999999Z");
}

static void deadlines_pass_when_now_reaches_them(void **unused)
{
	struct mono start = { 5000000 };
	struct mono deadline = mono_after_ms(start, 250);

	(void)unused;
	assert_int_equal(deadline.us, 5250000);
	assert_false(mono_is_past(deadline, (struct mono){ 5249999 }));
	assert_true(mono_is_past(deadline, (struct mono){ 5250000 }));
	assert_false(mono_is_past((struct mono){ 0 }, start)); /* never */
	assert_int_equal(mono_diff_us(deadline, start), 250000);
	assert_int_equal(mono_diff_us(start, deadline), -250000);
	assert_int_equal(mono_diff_ms((struct mono){ 1999 }, (struct mono){ 0 }), 1);
	assert_int_equal(mono_diff_ms((struct mono){ 0 }, (struct mono){ 1999 }), -1);
}

static void far_deadlines_saturate(void **unused)
{
	struct mono start = { 5000000 };

	(void)unused;
	assert_int_equal(mono_after_ms(start, INT64_MAX).us, INT64_MAX);
	assert_int_equal(mono_after_ms(start, INT64_MAX / 1000).us, INT64_MAX);
	assert_int_equal(mono_diff_us((struct mono){ INT64_MAX }, (struct mono){ -1 }), INT64_MAX);
}

static void the_clocks_run(void **unused)
{
	struct mono before = mono_now();
	struct wall wall = wall_now();

	(void)unused;
	assert_true(before.us > 0);
	assert_true(mono_diff_us(mono_now(), before) >= 0);
	assert_true(wall.us > 1700000000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wall_times_are_read),
		cmocka_unit_test(what_is_no_wall_time_is_refused),
		cmocka_unit_test(dates_agree_with_the_c_library_up_to_9999),
		cmocka_unit_test(what_cannot_be_printed_is_clamped),
		cmocka_unit_test(deadlines_pass_when_now_reaches_them),
		cmocka_unit_test(far_deadlines_saturate),
		cmocka_unit_test(the_clocks_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
