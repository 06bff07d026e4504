#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/out.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

#define LONG_LEN 1000000 /* more than any pipe holds */
#define SOON_US  20000

static int set_up(void **state)
{
	int *ends = mem_array(2, sizeof(*ends));

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	*state = ends;
	return 0;
}

static void close_end(int *end)
{
	if (*end >= 0)
		close(*end);
	*end = -1;
}

static int tear_down(void **state)
{
	int *ends = *state;

	close_end(&ends[0]);
	close_end(&ends[1]);
	mem_free(ends);
	return 0;
}

static void a_line_ends_in_a_newline(void **state)
{
	const int *ends = *state;
	char seen[16] = "";

	assert_int_equal(out_line(ends[1], "one", 3), OUT_DONE);
	assert_int_equal(read(ends[0], seen, sizeof(seen)), 4);
	assert_string_equal(seen, "one\n");
	assert_true(out_is_open(ends[1]));
}

/* In a process of its own; its exit status is 0 when so much came. */
static pid_t read_slowly(int *ends, size_t wanted)
{
	char seen[1000];
	ssize_t got;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	close_end(&ends[1]);
	while ((got = read(ends[0], seen, sizeof(seen))) > 0)
		wanted -= (size_t)got;
	_exit(wanted == 0 ? 0 : 1);
}

static void a_line_longer_than_the_pipe_waits_for_its_reader(void **state)
{
	int *ends = *state;
	char *line = mem_alloc(LONG_LEN);
	pid_t reader = read_slowly(ends, LONG_LEN + 1);
	int status;

	memset(line, 'x', LONG_LEN);
	assert_int_equal(out_line(ends[1], line, LONG_LEN), OUT_DONE);
	close_end(&ends[1]);
	assert_int_equal(waitpid(reader, &status, 0), reader);
	assert_int_equal(status, 0);
	mem_free(line);
}

static void a_reader_that_has_left_is_noticed(void **state)
{
	int *ends = *state;

	close_end(&ends[0]);
	assert_int_equal(out_line(ends[1], "one", 3), OUT_CLOSED);
	assert_false(out_is_open(ends[1]));
}

static void on_alarm(int signum)
{
	(void)signum;
}

/* Again and again, so that it does not matter when the wait begins. */
static void a_signal_ends_the_wait_for_a_reader(void **state)
{
	const struct itimerval often = { { 0, SOON_US }, { 0, SOON_US } }, never = { 0 };
	const struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	const int *ends = *state;
	char *line = mem_alloc(LONG_LEN);

	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	assert_int_equal(out_line(ends[1], line, LONG_LEN), OUT_SIGNAL);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	mem_free(line);
}

static void what_cannot_be_written_is_a_failure(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(out_line(fd, "one", 3), OUT_FAILED);
	close(fd);
	assert_int_equal(out_line(fd, "one", 3), OUT_FAILED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_line_ends_in_a_newline),
		TEST(a_line_longer_than_the_pipe_waits_for_its_reader),
		TEST(a_reader_that_has_left_is_noticed),
		TEST(a_signal_ends_the_wait_for_a_reader),
		cmocka_unit_test(what_cannot_be_written_is_a_failure),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
