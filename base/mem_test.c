#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

static void fresh_memory_is_zeroed_and_never_null(void **unused)
{
	char *bytes = mem_alloc(100);
	int *numbers = mem_array(25, sizeof(*numbers));
	void *nothing = mem_alloc(0);

	(void)unused;
	for (int i = 0; i < 25; i++)
		assert_int_equal(numbers[i] | bytes[4 * i], 0);
	assert_non_null(nothing);
	mem_free(bytes);
	mem_free(numbers);
	mem_free(nothing);
	mem_free(NULL);
}

static void growing_keeps_what_was_there(void **unused)
{
	char *bytes = mem_grow(NULL, 4);

	(void)unused;
	memcpy(bytes, "abc", 4);
	bytes = mem_grow(bytes, 100000);
	assert_string_equal(bytes, "abc");
	bytes = mem_grow(bytes, 0); /* still ours to free */
	assert_non_null(bytes);
	mem_free(bytes);
}

static void copies_are_terminated(void **unused)
{
	char *whole = mem_strdup("whole"), *part = mem_strndup("part of it", 4);

	(void)unused;
	assert_string_equal(whole, "whole");
	assert_string_equal(part, "part");
	assert_null(mem_strdup(NULL));
	mem_free(whole);
	mem_free(part);
}

static void a_fixed_array_takes_what_fits(void **unused)
{
	char text[6];

	(void)unused;
	assert_true(STR_SET(text, "abcde"));
	assert_string_equal(text, "abcde");
	assert_false(STR_SET(text, "abcdef"));
	assert_string_equal(text, "abcde");
	assert_true(STR_SET(text, ""));
	assert_string_equal(text, "");
	assert_false(STR_SET(text, "abc\xe2\x82\xac"));
	assert_string_equal(text, "abc");
}

/* What a child that does act says on stderr; its exit status. */
static int watch_child(void (*act)(void), char *said, size_t room)
{
	int ends[2], status;
	ssize_t len;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		act();
		_exit(0);
	}
	close(ends[1]);
	len = read(ends[0], said, room - 1);
	said[len > 0 ? len : 0] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void ask_for_too_many(void)
{
	mem_free(mem_array(SIZE_MAX / 2, 4));
}

static void an_overflowing_product_ends_the_process_with_a_line(void **unused)
{
	char said[200];
	int status = watch_child(ask_for_too_many, said, sizeof(said));

	(void)unused;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_int_equal(strncmp(said, "out of memory: ", 15), 0);
	assert_int_equal(said[strlen(said) - 1], '\n');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fresh_memory_is_zeroed_and_never_null),
		cmocka_unit_test(growing_keeps_what_was_there),
		cmocka_unit_test(copies_are_terminated),
		cmocka_unit_test(a_fixed_array_takes_what_fits),
		cmocka_unit_test(an_overflowing_product_ends_the_process_with_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
