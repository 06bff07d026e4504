#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/json_text.h"

#include <jansson.h>
#include <string.h>

#include "base/mem.h"

#define ROOM 1024

static size_t escape(const char *text, size_t len, char to[ROOM])
{
	size_t written;

	assert_true(JSON_TEXT_GROWTH * len < ROOM);
	written = json_text_escape(to, text, len);
	assert_true(written <= JSON_TEXT_GROWTH * len);
	to[written] = '\0';
	return written;
}

static void special_characters_are_escaped(void **unused)
{
	static const char *const cases[][2] = {
		{ "", "" },
		{ "plain 100 %", "plain 100 %" },
		{ "\"\\/", "\\\"\\\\/" },
		{ "a\nb\r\t", "a\\u000ab\\u000d\\u0009" },
		{ "\x01\x1f\x7f", "\\u0001\\u001f\\u007f" },
		{ "\xc2\x85", "\\u0085" },
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ "a\xff\xe2\x82z", "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[ROOM];

		escape(cases[i][0], strlen(cases[i][0]), text);
		assert_string_equal(text, cases[i][1]);
	}
}

/* jansson wrote none of it, so it is a second opinion. */
static void every_character_comes_back(void **unused)
{
	char plain[128], inside[ROOM], text[ROOM + 3];
	json_t *json;

	(void)unused;
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (char)i;
	escape(plain, sizeof(plain), inside);
	snprintf(text, sizeof(text), "\"%s\"", inside);
	json = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	assert_non_null(json);
	assert_int_equal(json_string_length(json), sizeof(plain));
	assert_memory_equal(json_string_value(json), plain, sizeof(plain));
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(special_characters_are_escaped),
		cmocka_unit_test(every_character_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
