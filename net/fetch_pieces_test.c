#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/fetch.h"

#include "base/buf.h"
#include "base/mem.h"
#include "net/net_test.h"

#define HEAD       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define SILENCE_MS 100
#define TAKEN_MAX  (4 * 1024 * 1024)

/* A daemon of our own, for one connection: each word of the script is sent when what went before
 * was taken, so that pieces are as they are meant to be. NULL at the end: it closes. */
struct server {
	int listener, port;
	int taken[2]; /* one way for each piece that was taken, the other for each word but the
		       * first two that was sent */
	pthread_t thread;
	const char *const *script;
	bool stays; /* rather than close */
};

struct rig {
	struct loop *loop;
	struct fetcher *fetcher;
	struct server server;
	struct fetch *fetch;
	struct buf taken;
	size_t pieces, pieces_wanted; /* it refuses the next */
	int64_t silence_ms;           /* set when the first piece comes; 0: none */
	struct wake *hold; /* how the loop is held up after each piece; NULL: it is not */
	bool is_done;
	enum fetch_outcome outcome;
	int status;
	char body[256];
	struct err err;
};

static void *server_main(void *arg)
{
	struct server *server = arg;
	int fd = accept(server->listener, NULL, NULL);
	char seen[4096];

	be_patient(fd);
	read_until(fd, "\r\n\r\n", seen, sizeof(seen));
	for (const char *const *word = server->script; *word; word++) {
		send_text(fd, *word);
		if (word == server->script)
			continue;
		if (word > server->script + 1)
			send_text(server->taken[0], "s");
		if (word[1])
			read_until(server->taken[0], "!", seen, sizeof(seen));
	}
	if (server->stays)
		read_to_end(fd, seen, sizeof(seen));
	close(fd);
	return NULL;
}

static int set_up(void **state)
{
	const struct fetcher_config config = { .connect_timeout_ms = 2000 };
	struct rig *rig = mem_alloc(sizeof(*rig));
	struct err err;

	rig->loop = loop_create();
	assert_true(fetcher_create(rig->loop, &config, &rig->fetcher, &err));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, rig->server.taken), 0);
	be_patient(rig->server.taken[0]);
	rig->server.listener = listen_somewhere(&rig->server.port);
	rig->pieces_wanted = SIZE_MAX;
	buf_init(&rig->taken, TAKEN_MAX);
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	fetcher_destroy(rig->fetcher);
	loop_destroy(rig->loop);
	pthread_join(rig->server.thread, NULL);
	close(rig->server.listener);
	close(rig->server.taken[0]);
	close(rig->server.taken[1]);
	buf_fini(&rig->taken);
	mem_free(rig);
	return 0;
}

/* The next word comes while the loop is kept from reading it, and from the time. */
static void hold_up(void *arg)
{
	const struct rig *rig = arg;
	char sent;

	send_text(rig->server.taken[1], "!");
	assert_int_equal(recv(rig->server.taken[1], &sent, 1, 0), 1);
	(void)poll(NULL, 0, 2 * SILENCE_MS);
}

static bool take(void *arg, const char *bytes, size_t len)
{
	struct rig *rig = arg;

	if (rig->pieces++ == rig->pieces_wanted)
		return false;
	buf_add(&rig->taken, bytes, len);
	if (rig->silence_ms > 0)
		fetch_set_silence(rig->fetch, rig->silence_ms);
	if (rig->hold)
		wake_send(rig->hold);
	else
		send_text(rig->server.taken[1], "!");
	return true;
}

static void on_done(void *arg, const struct fetch_result *result)
{
	struct rig *rig = arg;

	rig->is_done = true;
	rig->outcome = result->outcome;
	rig->status = result->status;
	rig->err = result->err;
	STR_SET(rig->body, result->body);
	loop_stop(rig->loop);
}

static void ask(struct rig *rig, const char *const *script, int64_t timeout_ms)
{
	char url[128];
	const struct fetch_request request = { .method = "GET",
					       .url = url,
					       .timeout_ms = timeout_ms,
					       .answer_max = 100,
					       .piece = take };

	snprintf(url, sizeof(url), "http://127.0.0.1:%d/v1/events", rig->server.port);
	rig->server.script = script;
	assert_int_equal(pthread_create(&rig->server.thread, NULL, server_main, &rig->server), 0);
	rig->fetch = fetch_start(rig->fetcher, &request, on_done, rig);
	loop_run(rig->loop);
}

static void pieces_are_handed_over_as_they_come(void **state)
{
	static const char *const script[] = { HEAD, "3\r\none\r\n", "5\r\n, two\r\n", "0\r\n\r\n",
					      NULL };
	struct rig *rig = *state;

	ask(rig, script, PATIENCE_S * 1000);
	assert_int_equal(rig->outcome, FETCH_ANSWERED);
	assert_int_equal(rig->status, 200);
	assert_string_equal(buf_str(&rig->taken), "one, two");
	assert_int_equal(rig->pieces, 2);
	assert_string_equal(rig->body, "");
}

static void nothing_is_kept_so_there_is_no_bound_on_the_whole(void **state)
{
	static char piece[100001];
	const char *script[] = { HEAD, piece, piece, piece, "0\r\n\r\n", NULL };
	struct rig *rig = *state;
	int head = snprintf(piece, sizeof(piece), "%x\r\n", 90000);

	memset(piece + head, 'x', 90000);
	memcpy(piece + head + 90000, "\r\n", 3);
	ask(rig, script, PATIENCE_S * 1000);
	assert_int_equal(rig->outcome, FETCH_ANSWERED);
	assert_int_equal(rig->taken.len, 3 * 90000);
}

static void without_a_length_it_ends_with_the_connection(void **state)
{
	static const char *const script[] = { "HTTP/1.1 200 OK\r\n\r\n", "one", NULL };
	struct rig *rig = *state;

	ask(rig, script, PATIENCE_S * 1000);
	assert_int_equal(rig->outcome, FETCH_ANSWERED);
	assert_string_equal(buf_str(&rig->taken), "one");
}

static void a_refusal_is_kept_as_ever(void **state)
{
	static const char *const script[] = {
		"HTTP/1.1 403 Forbidden\r\nContent-Length: 8\r\n\r\nno scope", NULL
	};
	struct rig *rig = *state;

	ask(rig, script, PATIENCE_S * 1000);
	assert_int_equal(rig->outcome, FETCH_ANSWERED);
	assert_int_equal(rig->status, 403);
	assert_string_equal(rig->body, "no scope");
	assert_int_equal(rig->pieces, 0);
}

static void an_answer_cut_short_is_lost(void **state)
{
	static const char *const script[] = { HEAD, "3\r\none\r\n", "5\r\n, t", NULL };
	struct rig *rig = *state;

	ask(rig, script, PATIENCE_S * 1000);
	assert_int_equal(rig->outcome, FETCH_LOST);
	assert_int_equal(rig->err.code, ERR_UNREACHABLE);
	assert_memory_equal(rig->taken.data, "one", 3);
}

static void who_takes_no_more_ends_it(void **state)
{
	static const char *const script[] = { HEAD, "3\r\none\r\n", "3\r\ntwo\r\n", NULL };
	struct rig *rig = *state;

	rig->pieces_wanted = 1;
	rig->server.stays = true;
	ask(rig, script, PATIENCE_S * 1000);
	assert_int_equal(rig->outcome, FETCH_LOST);
	assert_non_null(strstr(rig->err.text, "its reader wants no more"));
	assert_string_equal(buf_str(&rig->taken), "one");
}

static void silence_before_the_answer_is_lost(void **state)
{
	static const char *const script[] = { NULL };
	struct rig *rig = *state;

	rig->server.stays = true;
	ask(rig, script, SILENCE_MS);
	assert_int_equal(rig->outcome, FETCH_LOST);
	assert_non_null(strstr(rig->err.text, "nothing came for too long"));
}

static void silence_within_the_answer_is_lost_and_what_came_was_taken(void **state)
{
	static const char *const script[] = { HEAD, "3\r\none\r\n", NULL };
	struct rig *rig = *state;

	rig->server.stays = true;
	rig->silence_ms = SILENCE_MS;
	ask(rig, script, PATIENCE_S * 1000);
	assert_int_equal(rig->outcome, FETCH_LOST);
	assert_non_null(strstr(rig->err.text, "nothing came for too long"));
	assert_string_equal(buf_str(&rig->taken), "one");
}

static void a_loop_that_was_held_up_is_no_silence(void **state)
{
	static const char *const script[] = { HEAD, "3\r\none\r\n", "3\r\ntwo\r\n", "0\r\n\r\n",
					      NULL };
	struct rig *rig = *state;

	rig->hold = wake_create(rig->loop, hold_up, rig);
	rig->silence_ms = SILENCE_MS;
	ask(rig, script, PATIENCE_S * 1000);
	wake_destroy(rig->hold);
	assert_int_equal(rig->outcome, FETCH_ANSWERED);
	assert_string_equal(buf_str(&rig->taken), "onetwo");
}

static void cancel(void *arg)
{
	struct rig *rig = arg;

	if (rig->pieces == 0)
		return;
	fetch_cancel(rig->fetch);
	loop_stop(rig->loop);
}

static void cancelled_between_two_pieces_it_is_not_told(void **state)
{
	static const char *const script[] = { HEAD, "3\r\none\r\n", NULL };
	struct rig *rig = *state;
	struct hook *hook = hook_create(rig->loop, cancel, rig);

	rig->server.stays = true;
	ask(rig, script, PATIENCE_S * 1000);
	assert_false(rig->is_done);
	assert_int_equal(rig->pieces, 1);
	hook_destroy(hook);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pieces_are_handed_over_as_they_come),
		TEST(nothing_is_kept_so_there_is_no_bound_on_the_whole),
		TEST(without_a_length_it_ends_with_the_connection),
		TEST(a_refusal_is_kept_as_ever),
		TEST(an_answer_cut_short_is_lost),
		TEST(who_takes_no_more_ends_it),
		TEST(silence_before_the_answer_is_lost),
		TEST(silence_within_the_answer_is_lost_and_what_came_was_taken),
		TEST(a_loop_that_was_held_up_is_no_silence),
		TEST(cancelled_between_two_pieces_it_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
