#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED
#include <sanitizer/common_interface_defs.h>
#endif

#include "base/mem.h"
#include "base/secret.h"

#define CANARY "canary-0f1e2d3c"

static char folder[] = "/tmp/secret_test.XXXXXX";
static char path[64];

static int start(void **unused)
{
	bool is_locked;
	struct err err;

	(void)unused;
	if (!secret_init(&is_locked, &err) || !mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/file", folder);
	return 0;
}

static int finish(void **unused)
{
	(void)unused;
	unlink(path);
	return rmdir(folder);
}

static void assert_holds(const struct secret *secret, const char *text)
{
	assert_non_null(secret);
	assert_int_equal(secret_len(secret), strlen(text));
	/* Compared with its NUL. */
	assert_memory_equal(secret_open(secret), text, strlen(text) + 1);
	secret_close(secret);
}

static void bytes_are_kept_and_terminated(void **unused)
{
	struct secret *text = secret_from_str(CANARY);
	struct secret *bytes = secret_from("a\0b", 3);
	struct secret *fresh = secret_create(40), *empty = secret_create(0);
	struct secret *copy = secret_copy(text);

	(void)unused;
	assert_holds(text, CANARY);
	assert_holds(copy, CANARY);
	assert_holds(empty, "");
	assert_int_equal(secret_len(bytes), 3);
	assert_memory_equal(secret_open(bytes), "a\0b", 4);
	secret_close(bytes);
	for (size_t i = 0; i <= 40; i++)
		assert_int_equal(secret_open(fresh)[i], 0);
	assert_null(secret_copy(NULL));
	secret_destroy(text);
	secret_destroy(bytes);
	secret_destroy(fresh);
	secret_destroy(empty);
	secret_destroy(copy);
	secret_destroy(NULL);
}

static void equal_means_same_length_and_bytes(void **unused)
{
	static const struct {
		const char *a, *b;
		bool is_equal;
	} cases[] = {
		{ CANARY, CANARY, true }, { "", "", true },   { "abc", "abd", false },
		{ "abc", "ab", false },   { "", "a", false }, { "xbc", "abc", false },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct secret *a = secret_from_str(cases[i].a), *b = secret_from_str(cases[i].b);

		assert_int_equal(secret_equal(a, b), cases[i].is_equal);
		assert_true(secret_equal(a, a));
		secret_destroy(a);
		secret_destroy(b);
	}
}

static void wiping_leaves_zeros(void **unused)
{
	char bytes[] = CANARY;

	(void)unused;
	secret_wipe(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], 0);
}

/* Does reading this byte end the process? A child tries it. */
static bool reading_kills(const volatile uint8_t *byte)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		int null = open("/dev/null", O_WRONLY);

		signal(SIGSEGV, SIG_DFL);
#ifdef IS_SANITIZED
		__sanitizer_set_report_fd((void *)(intptr_t)null); /* it is meant to happen */
#endif
		dup2(null, STDERR_FILENO);
		_exit(*(const volatile uint8_t *)byte & 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
#ifdef IS_SANITIZED
	return !WIFEXITED(status) || WEXITSTATUS(status) != 0; /* its handler exits instead */
#else
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
#endif
}

static void a_closed_secret_cannot_be_read(void **unused)
{
	struct secret *secret = secret_from_str(CANARY);
	const uint8_t *bytes = secret_open(secret);

	(void)unused;
	assert_false(reading_kills(bytes));
	secret_close(secret);
	assert_true(reading_kills(bytes));
	secret_destroy(secret);
}

static void opening_nests(void **unused)
{
	struct secret *secret = secret_from_str(CANARY);
	const uint8_t *bytes = secret_open(secret);

	(void)unused;
	assert_ptr_equal(secret_open(secret), bytes);
	secret_close(secret);
	assert_false(reading_kills(bytes));
	secret_close(secret);
	assert_true(reading_kills(bytes));
	secret_destroy(secret);
}

static void reading_past_the_end_hits_the_guard_page(void **unused)
{
	struct secret *secret = secret_from_str(CANARY);
	const uint8_t *bytes = secret_open(secret);

	(void)unused;
	assert_false(reading_kills(bytes + strlen(CANARY))); /* the NUL */
	assert_true(reading_kills(bytes + strlen(CANARY) + 1));
	secret_close(secret);
	secret_destroy(secret);
}

static void write_file(const char *bytes, size_t len, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, bytes, len), len);
	fchmod(fd, mode);
	close(fd);
}

static void a_file_is_read_without_its_last_newline(void **unused)
{
	static const struct {
		const char *content, *secret;
	} cases[] = {
		{ CANARY, CANARY },
		{ CANARY "\n", CANARY },
		{ CANARY "\r\n", CANARY },
		{ CANARY "\n\n", CANARY "\n" },
		{ " a b ", " a b " },
		{ "0123456789abcdef", "0123456789abcdef" },
		{ "0123456789abcdef\r\n", "0123456789abcdef" },
		{ "a\r", "a\r" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct secret *secret = NULL;
		struct err err;

		write_file(cases[i].content, strlen(cases[i].content), 0600);
		assert_true(secret_read_file(path, 16, &secret, &err));
		assert_holds(secret, cases[i].secret);
		secret_destroy(secret);
	}
}

static void an_unfit_file_is_refused_without_quoting_it(void **unused)
{
	static const struct {
		const char *content;
		mode_t mode;
	} cases[] = {
		{ CANARY, 0640 },
		{ CANARY, 0604 },
		{ CANARY, 0620 },
		{ CANARY, 0644 },
		{ "", 0600 },
		{ "\n", 0600 },
		{ CANARY "-too-long", 0600 },
		{ CANARY "ab\n", 0600 },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct secret *secret = NULL;
		struct err err;

		write_file(cases[i].content, strlen(cases[i].content), cases[i].mode);
		assert_false(secret_read_file(path, 16, &secret, &err));
		assert_int_equal(err.code, ERR_CONFIG);
		assert_non_null(strstr(err.text, path));
		assert_null(strstr(err.text, "canary"));
		assert_null(secret);
	}
}

static void what_is_no_file_is_refused(void **unused)
{
	static const struct {
		const char *path;
		enum err_code code;
	} cases[] = {
		{ "/nonexistent/file", ERR_IO }, { "/tmp", ERR_CONFIG }, { "", ERR_IO },
		{ "/dev/null", ERR_CONFIG }, /* empty */
		{ "/dev/zero", ERR_CONFIG }, /* endless */
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct secret *secret = NULL;
		struct err err;

		assert_false(secret_read_file(cases[i].path, 16, &secret, &err));
		assert_int_equal(err.code, cases[i].code);
		assert_null(secret);
	}
}

/* As of `--token-file <(pass show token)`; the writer sends it in two pieces. */
static void a_pipe_is_read_by_its_descriptor(void **unused)
{
	struct secret *secret = NULL;
	struct err err;
	char name[32];
	int ends[2], status;
	pid_t child;

	(void)unused;
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0)
		_exit(write(ends[1], "canary-", 7) != 7 || write(ends[1], "0f1e2d3c\n", 9) != 9);
	close(ends[1]);
	snprintf(name, sizeof(name), "/dev/fd/%d", ends[0]);
	assert_true(secret_read_file(name, 16, &secret, &err));
	assert_holds(secret, CANARY);
	secret_destroy(secret);
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void standard_input_can_be_read(void **unused)
{
	struct secret *secret = NULL;
	struct err err;
	int ends[2], before = dup(STDIN_FILENO);

	(void)unused;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], CANARY "\n", 16), 16);
	close(ends[1]);
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	assert_true(secret_read_file("/dev/stdin", 16, &secret, &err));
	assert_holds(secret, CANARY);
	secret_destroy(secret);
	if (before >= 0) {
		dup2(before, STDIN_FILENO);
		close(before);
	}
}

static void a_taken_variable_is_gone(void **unused)
{
	struct secret *secret;

	(void)unused;
	setenv("DG_TEST_SECRET", CANARY, 1);
	secret = secret_take_env("DG_TEST_SECRET");
	assert_holds(secret, CANARY);
	assert_null(getenv("DG_TEST_SECRET"));
	assert_null(secret_take_env("DG_TEST_SECRET"));
	setenv("DG_TEST_SECRET", "", 1);
	assert_null(secret_take_env("DG_TEST_SECRET"));
	assert_null(getenv("DG_TEST_SECRET"));
	secret_destroy(secret);
}

/* Runs this program anew with a secret in its environment, see look_at_own_environment(). */
static void a_taken_variable_does_not_show_in_proc(void **unused)
{
	char *const argv[] = { (char[]){ "secret_test" }, (char[]){ "--look" }, NULL };
	char *const environment[] = { (char[]){ "DG_TEST_SECRETX=other" },
				      (char[]){ "DG_TEST_SECRET=" CANARY },
				      (char[]){ "DG_TEST_SECRET=" CANARY "-again" }, NULL };
	int status;
	pid_t child = fork();

	(void)unused;
	if (child == 0) {
		execve("/proc/self/exe", argv, environment);
		_exit(99);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* 0 when the secret was taken and is not to be seen from outside, but the rest is. */
static int look_at_own_environment(void)
{
	struct err err;
	bool is_locked, is_ready = secret_init(&is_locked, &err);
	struct secret *secret = is_ready ? secret_take_env("DG_TEST_SECRET") : NULL;
	char block[4096];
	int fd = open("/proc/self/environ", O_RDONLY);
	ssize_t len = read(fd, block, sizeof(block));
	int status = 0;

	close(fd);
	if (len <= 0 || !secret || secret_len(secret) != strlen(CANARY))
		status = 1;
	else if (memmem(block, (size_t)len, "canary", 6))
		status = 2;
	else if (!memmem(block, (size_t)len, "DG_TEST_SECRETX=other", 21))
		status = 3;
	secret_destroy(secret);
	return status;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_kept_and_terminated),
		cmocka_unit_test(equal_means_same_length_and_bytes),
		cmocka_unit_test(wiping_leaves_zeros),
		cmocka_unit_test(a_closed_secret_cannot_be_read),
		cmocka_unit_test(opening_nests),
		cmocka_unit_test(reading_past_the_end_hits_the_guard_page),
		cmocka_unit_test(a_file_is_read_without_its_last_newline),
		cmocka_unit_test(an_unfit_file_is_refused_without_quoting_it),
		cmocka_unit_test(what_is_no_file_is_refused),
		cmocka_unit_test(a_pipe_is_read_by_its_descriptor),
		cmocka_unit_test(standard_input_can_be_read),
		cmocka_unit_test(a_taken_variable_is_gone),
		cmocka_unit_test(a_taken_variable_does_not_show_in_proc),
	};

	if (argc == 2 && strcmp(argv[1], "--look") == 0)
		return look_at_own_environment();
	return cmocka_run_group_tests(tests, start, finish);
}
