#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/fetch.h"

#include "base/mem.h"
#include "base/secret.h"
#include "net/net_test.h"

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define SEEN_MAX  16384

/* An exchange of our own: serves one connection after the other on a thread beside the loop. */
struct server {
	int listener, port;
	pthread_t thread;
	void (*serve)(struct server *server, int fd, int nth);
	const char *answer; /* for the scripts that have just one */
	int connections;
	int requests;
	char coming[SEEN_MAX];
	char seen[SEEN_MAX]; /* the last request, with its body */
};

struct rig {
	struct loop *loop;
	struct fetcher *fetcher;
	struct server server;
	char url[128];
	/* The last result, copied. */
	struct fetch_result result;
	char body[1024];
	int done, awaited;
	bool is_starting, was_early;
};

/* Reads one request with a body of Content-Length, if any; false when the client has left. */
static bool read_request(struct server *server, int fd)
{
	char *body;
	size_t want = 0, len = 0;
	ssize_t got;

	memset(server->coming, 0, sizeof(server->coming));
	for (;;) {
		body = strstr(server->coming, "\r\n\r\n");
		if (body) {
			const char *length = strstr(server->coming, "Content-Length: ");

			want = length ? strtoul(length + 16, NULL, 10) : 0;
			if (len >= (size_t)(body + 4 - server->coming) + want)
				break;
		}
		got = recv(fd, server->coming + len, sizeof(server->coming) - 1 - len, 0);
		if (got <= 0)
			return false;
		len += (size_t)got;
	}
	memcpy(server->seen, server->coming, sizeof(server->seen));
	server->requests++;
	return true;
}

static void *server_main(void *arg)
{
	struct server *server = arg;
	int fd;

	while ((fd = accept(server->listener, NULL, NULL)) >= 0) {
		be_patient(fd);
		server->serve(server, fd, ++server->connections);
		close(fd);
	}
	return NULL;
}

/* ---- Scripts of the server ---- */

static void answer_all(struct server *server, int fd, int nth)
{
	(void)nth;
	while (read_request(server, fd))
		send_text(fd, server->answer);
}

static void answer_and_close(struct server *server, int fd, int nth)
{
	(void)nth;
	if (read_request(server, fd))
		send_text(fd, server->answer);
}

/* The trap: a kept-alive connection that dies after its second request was read. */
static void die_on_the_second(struct server *server, int fd, int nth)
{
	if (nth > 1) {
		answer_all(server, fd, nth);
		return;
	}
	if (read_request(server, fd))
		send_text(fd, OK_ANSWER);
	read_request(server, fd);
}

static void reset_on_the_second(struct server *server, int fd, int nth)
{
	const struct linger hard = { .l_onoff = 1 };

	die_on_the_second(server, fd, nth);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
}

static void die_on_the_second_and_refuse(struct server *server, int fd, int nth)
{
	if (read_request(server, fd))
		send_text(fd, OK_ANSWER);
	read_request(server, fd);
	if (nth == 1)
		shutdown(server->listener, SHUT_RDWR);
}

static void never_answer(struct server *server, int fd, int nth)
{
	char rest[64];

	(void)nth;
	read_request(server, fd);
	read_to_end(fd, rest, sizeof(rest));
}

/* ---- The rig ---- */

static int set_up(void **state)
{
	struct rig *rig = mem_alloc(sizeof(*rig));
	struct fetcher_config config = { .connect_timeout_ms = 2000, .host_connections_max = 2 };
	bool is_locked;
	struct err err;

	assert_true(secret_init(&is_locked, &err));
	rig->loop = loop_create();
	assert_true(fetcher_create(rig->loop, &config, &rig->fetcher, &err));
	rig->server.listener = listen_somewhere(&rig->server.port);
	rig->server.answer = OK_ANSWER;
	snprintf(rig->url, sizeof(rig->url), "http://127.0.0.1:%d/order/submit?key=hidden",
		 rig->server.port);
	*state = rig;
	return 0;
}

static void start_server(struct rig *rig, void (*serve)(struct server *server, int fd, int nth))
{
	rig->server.serve = serve;
	assert_int_equal(pthread_create(&rig->server.thread, NULL, server_main, &rig->server), 0);
}

/* After this, what the server saw may be read. */
static void stop_server(struct rig *rig)
{
	fetcher_destroy(rig->fetcher);
	rig->fetcher = NULL;
	shutdown(rig->server.listener, SHUT_RDWR);
	if (rig->server.serve)
		pthread_join(rig->server.thread, NULL);
	rig->server.serve = NULL;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	stop_server(rig);
	close(rig->server.listener);
	loop_destroy(rig->loop);
	mem_free(rig);
	return 0;
}

static void on_done(void *arg, const struct fetch_result *result)
{
	struct rig *rig = arg;

	rig->was_early = rig->was_early || rig->is_starting;
	rig->result = *result;
	STR_SET(rig->body, result->body);
	rig->result.body = rig->body;
	if (++rig->done == rig->awaited)
		loop_stop(rig->loop);
}

static struct fetch_request a_request(struct rig *rig, const char *method, const char *body)
{
	return (struct fetch_request){ .method = method,
				       .url = rig->url,
				       .body = body,
				       .body_len = body ? strlen(body) : 0,
				       .timeout_ms = 5000,
				       .answer_max = 1000 };
}

static struct fetch *start(struct rig *rig, const struct fetch_request *request)
{
	struct fetch *fetch;

	rig->is_starting = true;
	fetch = fetch_start(rig->fetcher, request, on_done, rig);
	rig->is_starting = false;
	return fetch;
}

static const struct fetch_result *run(struct rig *rig, const struct fetch_request *request)
{
	rig->awaited = rig->done + 1;
	start(rig, request);
	loop_run(rig->loop);
	assert_int_equal(rig->done, rig->awaited);
	assert_false(rig->was_early);
	return &rig->result;
}

static const struct fetch_result *ask(struct rig *rig, const char *method, const char *body)
{
	struct fetch_request request = a_request(rig, method, body);

	return run(rig, &request);
}

/* ---- The tests ---- */

static void an_answer_arrives_whole(void **state)
{
	struct rig *rig = *state;
	const struct fetch_result *result;

	start_server(rig, answer_all);
	result = ask(rig, "POST", "{\"a\":1}");
assert_int_equal(result->outcome, FETCH_ANSWERED);
	assert_int_equal(result->status, 200);
	assert_string_equal(result->body, "ok");
	assert_true(result->sent.us > 0 && result->done.us >= result->sent.us);
	stop_server(rig);
	assert_non_null(strstr(rig->server.seen, "POST /order/submit?key=hidden HTTP/1.1\r\n"));
	assert_non_null(strstr(rig->server.seen, "\r\n\r\n{\"a\":1}"));
	assert_null(strstr(rig->server.seen, "Expect:"));
	assert_null(strstr(rig->server.seen, "Content-Type:"));
	assert_null(strstr(rig->server.seen, "Accept-Encoding:"));
}

/* libcurl would send the request again, and report the second answer as the only one. */
static void a_request_is_never_repeated_on_a_dead_connection(void **state)
{
	static const struct {
		const char *method, *body;
	} cases[] = { { "POST", "{\"order\":1}" }, { "POST", NULL }, { "DELETE", NULL } };
	static void (*const deaths[])(struct server * server, int fd,
				      int nth) = { die_on_the_second, reset_on_the_second };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t death = 0; death < ARRAY_LEN(deaths); death++) {
			struct rig *rig;
			const struct fetch_result *result;

			set_up((void **)&rig);
			start_server(rig, deaths[death]);
			result = ask(rig, cases[i].method, cases[i].body);
			assert_int_equal(result->outcome, FETCH_ANSWERED);
			result = ask(rig, cases[i].method, cases[i].body);
			assert_int_equal(result->outcome, FETCH_LOST);
			assert_true(result->sent.us > 0);
			assert_int_equal(result->err.code, ERR_UNREACHABLE);
			stop_server(rig);
			assert_int_equal(rig->server.requests, 2);
			tear_down((void **)&rig);
		}
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_answer_arrives_whole, set_up, tear_down),
		cmocka_unit_test(a_request_is_never_repeated_on_a_dead_connection),
	};

	(void)never_answer, (void)answer_and_close, (void)die_on_the_second_and_refuse;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
