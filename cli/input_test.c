#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/secret.h"

#define SECRET_MAX 16

/* The terminal is tried in tests/test_cli.py; here stdin is a pipe. */
static void pipe_in(const char *text, size_t len)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], text, len), len);
	close(fds[1]);
	assert_int_equal(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
	close(fds[0]);
}

static void assert_secret(const struct secret *secret, const char *expected)
{
	assert_int_equal(secret_len(secret), strlen(expected));
	assert_memory_equal(secret_open(secret), expected, strlen(expected));
	secret_close(secret);
}

static void a_secret_comes_through_a_pipe(void **unused)
{
	static const char *const cases[][2] = {
		{ "hunter2\n", "hunter2" },
		{ "hunter2", "hunter2" },
		{ "hunter2\r\n", "hunter2" },
		{ "a b \n", "a b " },
		{ "two\nlines\n", "two\nlines" },
		{ "0123456789abcdef\n", "0123456789abcdef" },
		{ "0123456789abcdef\r\n", "0123456789abcdef" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct secret *secret;
		struct err err;

		pipe_in(cases[i][0], strlen(cases[i][0]));
		if (!input_secret(NULL, "", SECRET_MAX, &secret, &err))
			fail_msg("%zu: %s", i, err.text);
		assert_secret(secret, cases[i][1]);
		secret_destroy(secret);
	}
}

static void nothing_and_too_much_are_refused_without_repeating_it(void **unused)
{
	static const char *const cases[] = { "", "\n", "\r\n", "0123456789abcdef0\n",
					     "0123456789abcdef0123456789" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct secret *secret;
		struct err err;

		pipe_in(cases[i], strlen(cases[i]));
		assert_false(input_secret(NULL, "", SECRET_MAX, &secret, &err));
		assert_int_equal(err.code, ERR_CONFIG);
		assert_null(strstr(err.text, "0123"));
	}
}

static void a_file_must_be_its_owners_alone(void **unused)
{
	char path[] = "/tmp/input_test.XXXXXX";
	int fd = mkstemp(path);
	struct secret *secret;
	struct err err;

	(void)unused;
	assert_int_equal(write(fd, "hunter2\n", 8), 8);
	assert_true(input_secret(path, "", SECRET_MAX, &secret, &err));
	assert_secret(secret, "hunter2");
	secret_destroy(secret);
	assert_int_equal(fchmod(fd, 0640), 0);
	assert_false(input_secret(path, "", SECRET_MAX, &secret, &err));
	assert_int_equal(err.code, ERR_CONFIG);
	unlink(path);
	assert_false(input_secret(path, "", SECRET_MAX, &secret, &err));
	assert_int_equal(err.code, ERR_IO);
	close(fd);
}

static void a_body_holds_the_secret_escaped(void **unused)
{
	static const char *const cases[][2] = {
		{ "hunter2", "{\"api_key\":\"hunter2\"}" },
		{ "a\"b\\c", "{\"api_key\":\"a\\\"b\\\\c\"}" },
		{ "\n", "{\"api_key\":\"\\u000a\"}" },
		{ "\xc3\xa4", "{\"api_key\":\"\xc3\xa4\"}" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct secret *value = secret_from_str(cases[i][0]), *body;
		struct err err;

		assert_true(input_secret_body("api_key", value, &body, &err));
		assert_secret(body, cases[i][1]);
		secret_destroy(body);
		secret_destroy(value);
	}
}

static void a_secret_that_json_cannot_hold_is_refused(void **unused)
{
	struct secret *value = secret_from_str("a\xff"), *body;
	struct err err;

	(void)unused;
	assert_false(input_secret_body("api_key", value, &body, &err));
	assert_int_equal(err.code, ERR_CONFIG);
	secret_destroy(value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_comes_through_a_pipe),
		cmocka_unit_test(nothing_and_too_much_are_refused_without_repeating_it),
		cmocka_unit_test(a_file_must_be_its_owners_alone),
		cmocka_unit_test(a_body_holds_the_secret_escaped),
		cmocka_unit_test(a_secret_that_json_cannot_hold_is_refused),
	};
	bool is_locked;
	struct err err;

	if (!secret_init(&is_locked, &err))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
