#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"

/* stderr while a test runs; what was logged is read back from it. */
static struct {
	int read_end;
	int real_stderr;
	char line[2 * PIPE_BUF];
} pipe_;

static int catch_stderr(void **unused)
{
	int ends[2];

	(void)unused;
	if (pipe(ends) < 0)
		return -1;
	pipe_.real_stderr = dup(STDERR_FILENO);
	pipe_.read_end = ends[0];
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	log_configure(LOG_INFO, LOG_JSON);
	return 0;
}

static int release_stderr(void **unused)
{
	(void)unused;
	dup2(pipe_.real_stderr, STDERR_FILENO);
	close(pipe_.real_stderr);
	close(pipe_.read_end);
	return 0;
}

/* The one line that waits; a mark tells "nothing" from "not yet". */
static const char *logged(void)
{
	ssize_t len;

	assert_int_equal(write(STDERR_FILENO, "#", 1), 1);
	len = read(pipe_.read_end, pipe_.line, sizeof(pipe_.line) - 1);
	assert_true(len > 0 && pipe_.line[len - 1] == '#');
	pipe_.line[len - 1] = '\0';
	return pipe_.line;
}

/* The line without its time, which must be one. */
static const char *logged_after_time(const char *before)
{
	const char *line = logged();
	char text[WALL_TEXT_LEN];
	struct wall time;

	assert_memory_equal(line, before, strlen(before));
	memcpy(text, line + strlen(before), WALL_TEXT_LEN - 1);
	text[WALL_TEXT_LEN - 1] = '\0';
	assert_true(wall_parse(text, &time));
	return line + strlen(before) + WALL_TEXT_LEN - 1;
}

static void every_kind_of_field_has_its_json(void **unused)
{
	struct err err, refused;

	(void)unused;
	err_set(&err, ERR_JOURNAL, "disk \"full\"");
	err_set(&refused, ERR_REFUSED, "no balance");
	refused.exchange_code = 4203;
	LOG(INFO, "order.submitted", F_STR("order", "ord_1"), F_STR("app", NULL),
	    F_INT("ms", INT64_MIN), F_BOOL("is_open", true), F_BOOL("has_fill", false),
	    F_DECIMAL("price", decimal_of(-4500, 4)));
	assert_string_equal(logged_after_time("{\"ts\":\""),
			    "\",\"level\":\"info\",\"event\":\"order.submitted\","
			    "\"order\":\"ord_1\",\"app\":null,\"ms\":-9223372036854775808,"
			    "\"is_open\":true,\"has_fill\":false,\"price\":\"-0.4500\"}\n");
	LOG(ERROR, "journal.failed", F_ERR(&err), F_ERR(NULL));
	assert_string_equal(logged_after_time("{\"ts\":\""),
			    "\",\"level\":\"error\",\"event\":\"journal.failed\","
			    "\"code\":\"journal-unavailable\",\"error\":\"disk \\\"full\\\"\","
			    "\"code\":null}\n");
	LOG(WARN, "order.refused", F_ERR(&refused));
	assert_string_equal(logged_after_time("{\"ts\":\""),
			    "\",\"level\":\"warn\",\"event\":\"order.refused\","
			    "\"code\":\"exchange-refused\",\"exchange_code\":4203,"
			    "\"error\":\"no balance\"}\n");
}

static void strings_are_escaped(void **unused)
{
	static const struct {
		const char *text, *json;
	} cases[] = {
		{ "", "" },
		{ "a\"b\\c/", "a\\\"b\\\\c/" },
		{ "\b\f\n\r\t", "\\u0008\\u000c\\n\\u000d\\u0009" },
		{ "bnt", "bnt" },
		{ "\x01\x1b[1m\x7f", "\\u0001\\u001b[1m\\u007f" },
		{ "\xc2\x9b", "\\u009b" },
		{ "\xe2\x82\xac \xf0\x9f\x92\xa9", "\xe2\x82\xac \xf0\x9f\x92\xa9" },
		{ "a\xff\xfez", "a\\ufffd\\ufffdz" },
		{ "\xe2\x82", "\\ufffd\\ufffd" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char expected[200];

		LOG(INFO, "e", F_STR("s", cases[i].text));
		snprintf(expected, sizeof(expected),
			 "\",\"level\":\"info\",\"event\":\"e\",\"s\":\"%s\"}\n", cases[i].json);
		assert_string_equal(logged_after_time("{\"ts\":\""), expected);
	}
}

static void the_text_format_quotes_only_what_needs_it(void **unused)
{
	(void)unused;
	log_configure(LOG_INFO, LOG_TEXT);
	LOG(WARN, "stream.lost", F_STR("stream", "depth:ADAUSDM"), F_STR("why", "no \"pong\"\n"),
	    F_STR("empty", ""), F_STR("none", NULL), F_INT("n", 3),
	    F_DECIMAL("price", decimal_of(25, 2)), F_STR("trick", "a=b"));
	assert_string_equal(logged_after_time(""),
			    " WARN stream.lost stream=depth:ADAUSDM why=\"no \\\"pong\\\"\\n\" "
			    "empty=\"\" none=null n=3 price=0.25 trick=\"a=b\"\n");
}

static void lines_below_the_level_are_not_written(void **unused)
{
	(void)unused;
	LOG(DEBUG, "e", F_INT("n", 1));
	LOG(TRACE, "e", F_INT("n", 1));
	assert_string_equal(logged(), "");
	log_configure(LOG_TRACE, LOG_JSON);
	LOG(TRACE, "e", F_INT("n", 1));
	assert_string_equal(logged_after_time("{\"ts\":\""),
			    "\",\"level\":\"trace\",\"event\":\"e\",\"n\":1}\n");
	log_configure(LOG_ERROR, LOG_JSON);
	LOG(WARN, "e", F_INT("n", 1));
	assert_string_equal(logged(), "");
}

static void a_long_string_is_cut_and_the_line_stays_whole(void **unused)
{
	static char snow[30001];
	const char *line;

	(void)unused;
	for (int i = 0; i < 10000; i++)
		memcpy(snow + 3 * i, "\xe2\x98\x83", 3);
	LOG(INFO, "e", F_STR("long", snow), F_INT("after", 7));
	line = logged();
	assert_in_range(strlen(line), 1000, 1200);
	assert_true(utf8_is_valid(line, strlen(line)));
	assert_non_null(strstr(line, "\xe2\x98\x83...\",\"after\":7}\n"));
	log_configure(LOG_INFO, LOG_TEXT);
	memset(snow, 'a', 30000);
	LOG(INFO, "e", F_STR("long", snow), F_INT("after", 7));
	assert_non_null(strstr(logged(), "aaa...\" after=7\n"));
}

static void a_line_never_exceeds_what_a_pipe_takes_at_once(void **unused)
{
	static char noise[5001];

	(void)unused;
	memset(noise, '\x01', 5000);
	LOG(INFO, "e", F_STR("a", noise), F_STR("b", noise), F_STR("c", noise), F_STR("d", noise),
	    F_STR("e", noise), F_INT("after", 7));
	assert_true(strlen(logged()) <= PIPE_BUF);
	/* Whole fields were left out, and what was short enough is there. */
	assert_null(strstr(pipe_.line, "\"e\":"));
	assert_non_null(strstr(pipe_.line, "...\",\"after\":7,\"cut\":true}\n"));
}

static void level_words_are_read_as_they_are_written(void **unused)
{
	static const char *const wrong[] = { "", "INFO", "warning", "info ", "inf" };
	enum log_level level = LOG_LEVEL_COUNT;

	(void)unused;
	for (int i = 0; i < LOG_LEVEL_COUNT; i++) {
		assert_true(log_level_parse(log_level_name((enum log_level)i), &level));
		assert_int_equal(level, i);
	}
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_false(log_level_parse(wrong[i], &level));
}

#define caught(test) cmocka_unit_test_setup_teardown(test, catch_stderr, release_stderr)

int main(void)
{
	const struct CMUnitTest tests[] = {
		caught(every_kind_of_field_has_its_json),
		caught(strings_are_escaped),
		caught(the_text_format_quotes_only_what_needs_it),
		caught(lines_below_the_level_are_not_written),
		caught(a_long_string_is_cut_and_the_line_stays_whole),
		caught(a_line_never_exceeds_what_a_pipe_takes_at_once),
		cmocka_unit_test(level_words_are_read_as_they_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
