#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

static void each_character_is_measured_and_decoded(void **unused)
{
	static const struct {
		const char *text;
		size_t len;
		uint32_t point;
	} cases[] = {
		{ "a", 1, 'a' },
		{ "\x7f", 1, 0x7f },
		{ "\xc2\x80", 2, 0x80 },
		{ "\xdf\xbf", 2, 0x7ff },
		{ "\xe0\xa0\x80", 3, 0x800 },
		{ "\xe2\x82\xac", 3, 0x20ac },
		{ "\xed\x9f\xbf", 3, 0xd7ff },
		{ "\xee\x80\x80", 3, 0xe000 },
		{ "\xef\xbf\xbf", 3, 0xffff },
		{ "\xf0\x90\x80\x80", 4, 0x10000 },
		{ "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint32_t point = 0;

		assert_int_equal(utf8_next(cases[i].text, cases[i].len, &point), cases[i].len);
		assert_int_equal(point, cases[i].point);
		/* Cut short it is none. */
		assert_int_equal(utf8_next(cases[i].text, cases[i].len - 1, &point), 0);
		assert_true(utf8_is_valid(cases[i].text, cases[i].len));
	}
}

static void what_is_no_utf8_is_noticed(void **unused)
{
	static const char *const cases[] = {
		"\x80",             /* lone continuation */
		"\xbf",             /* the same */
		"\xc0\x80",         /* overlong NUL */
		"\xc1\xbf",         /* overlong */
		"\xe0\x9f\xbf",     /* overlong */
		"\xf0\x8f\xbf\xbf", /* overlong */
		"\xed\xa0\x80",     /* surrogate */
		"\xed\xbf\xbf",     /* surrogate */
		"\xf4\x90\x80\x80", /* above U+10FFFF */
		"\xf5\x80\x80\x80", /* the same */
		"\xff",
		"\xc3(",
		"\xe2\x82(",
		"\xf0\x9f\x92(",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint32_t point;

		assert_int_equal(utf8_next(cases[i], strlen(cases[i]), &point), 0);
		assert_false(utf8_is_valid(cases[i], strlen(cases[i])));
	}
}

/* All of the first three bytes: what is accepted, encoded again, is the same. */
static void every_accepted_sequence_is_the_shortest(void **unused)
{
	(void)unused;
	for (uint32_t bytes = 0; bytes < 1u << 24; bytes += 61) {
		const char text[] = { (char)(bytes >> 16), (char)(bytes >> 8), (char)bytes };
		uint32_t point = 0;
		size_t len = utf8_next(text, 3, &point);
		size_t needed = point < 0x80 ? 1 : point < 0x800 ? 2 : 3;

		if (len > 0) {
			assert_int_equal(len, needed);
			assert_true(point < 0xd800 || point > 0xdfff);
		}
	}
}

static void a_cut_never_splits_a_character(void **unused)
{
	static const struct {
		const char *text;
		size_t max, fits;
	} cases[] = {
		{ "abc", 5, 3 },
		{ "abc", 2, 2 },
		{ "a\xe2\x82\xac", 4, 4 },
		{ "a\xe2\x82\xac", 3, 1 },
		{ "a\xe2\x82\xac", 2, 1 },
		{ "a\xe2\x82\xac", 1, 1 },
		{ "\xf0\x9f\x92\xa9", 3, 0 },
		{ "\xf0\x9f\x92\xa9", 0, 0 },
		{ "\x80\x80\x80\x80\x80", 3, 3 }, /* not UTF-8: cut anywhere */
		{ "", 0, 0 },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(utf8_fit(cases[i].text, strlen(cases[i].text), cases[i].max),
				 cases[i].fits);
}

static void controls_are_c0_del_and_c1(void **unused)
{
	(void)unused;
	assert_true(utf8_is_control(0));
	assert_true(utf8_is_control('\n'));
	assert_true(utf8_is_control(0x7f));
	assert_true(utf8_is_control(0x9b));
	assert_false(utf8_is_control(' '));
	assert_false(utf8_is_control(0xa0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_character_is_measured_and_decoded),
		cmocka_unit_test(what_is_no_utf8_is_noticed),
		cmocka_unit_test(every_accepted_sequence_is_the_shortest),
		cmocka_unit_test(a_cut_never_splits_a_character),
		cmocka_unit_test(controls_are_c0_del_and_c1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
