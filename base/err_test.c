#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/err.h"
#include "base/utf8.h"

static void setting_fills_everything_and_returns_false(void **unused)
{
	struct err err = { .exchange_code = 4302 };

	(void)unused;
	assert_false(err_set(&err, ERR_INVALID, "price: %d", 12));
	assert_int_equal(err.code, ERR_INVALID);
	assert_int_equal(err.exchange_code, 0);
	assert_string_equal(err.text, "price: 12");
}

static void a_prefix_keeps_code_and_text(void **unused)
{
	struct err err;

	(void)unused;
	err_set(&err, ERR_EXCHANGE, "no answer");
	err.exchange_code = 5002;
	assert_false(err_prefix(&err, "order %s", "ord_1"));
	assert_int_equal(err.code, ERR_EXCHANGE);
	assert_int_equal(err.exchange_code, 5002);
	assert_string_equal(err.text, "order ord_1: no answer");
}

static void an_error_may_quote_itself(void **unused)
{
	struct err err;

	(void)unused;
	err_set(&err, ERR_IO, "disk full");
	err_set(&err, ERR_JOURNAL, "journal: %s", err.text);
	assert_string_equal(err.text, "journal: disk full");
	err_prefix(&err, "%s", err.text);
	assert_string_equal(err.text, "journal: disk full: journal: disk full");
}

static void long_text_is_cut_between_characters(void **unused)
{
	char snowmen[301] = "";

	(void)unused;
	for (int i = 0; i < 100; i++)
		memcpy(snowmen + 3 * i, "\xe2\x98\x83", 3);
	/* Each start shifts the cut by a byte. */
	for (int i = 0; i < 3; i++) {
		struct err err;

		err_set(&err, ERR_IO, "%.*s%s", i, "ab", snowmen);
		assert_true(utf8_is_valid(err.text, strlen(err.text)));
		assert_in_range(strlen(err.text), sizeof(err.text) - 3, sizeof(err.text) - 1);
		assert_null(strchr(err.text, '?'));
		err_prefix(&err, "x");
		assert_true(utf8_is_valid(err.text, strlen(err.text)));
		assert_null(strchr(err.text, '?'));
	}
}

static void controls_and_broken_bytes_become_question_marks(void **unused)
{
	struct err err;

	(void)unused;
	err_set(&err, ERR_IO, "a\nb\x1b[1m\x7f\xff\xc2\x9bz");
	assert_string_equal(err.text, "a?b?[1m???z");
}

static void every_code_has_a_word_a_status_and_advice(void **unused)
{
	(void)unused;
	for (int code = 0; code < ERR_CODE_COUNT; code++) {
		const char *retry = err_retry((enum err_code)code);

		assert_true(strlen(err_word((enum err_code)code)) > 0);
		assert_true(strlen(err_title((enum err_code)code)) > 0);
		assert_in_range(err_http_status((enum err_code)code), code ? 400 : 200, 599);
		assert_true(!strcmp(retry, "never") || !strcmp(retry, "same_key") ||
			    !strcmp(retry, "after"));
		for (int other = 0; other < code; other++)
			assert_string_not_equal(err_word((enum err_code)code),
						err_word((enum err_code)other));
	}
	assert_string_equal(err_word(ERR_JOURNAL), "journal-unavailable");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(setting_fills_everything_and_returns_false),
		cmocka_unit_test(a_prefix_keeps_code_and_text),
		cmocka_unit_test(an_error_may_quote_itself),
		cmocka_unit_test(long_text_is_cut_between_characters),
		cmocka_unit_test(controls_and_broken_bytes_become_question_marks),
		cmocka_unit_test(every_code_has_a_word_a_status_and_advice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
