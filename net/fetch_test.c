#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/fetch.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "base/secret.h"
#include "net/front.h"
#include "net/httpd.h"
#include "net/net_test.h"

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define SEEN_MAX  16384

/* An exchange of our own: serves one connection after the other on a thread beside the loop. */
struct server {
	int listener, port;
	int told[2]; /* a byte comes out of the first when never_answer() has read */
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
	int done, awaited, lost;
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

static void answer_and_close(struct server *server, int fd, int nth)
{
	(void)nth;
	if (read_request(server, fd))
		send_text(fd, server->answer);
}

static void never_answer(struct server *server, int fd, int nth)
{
	char rest[64];

	(void)nth;
	read_request(server, fd);
	send_text(server->told[1], "!");
	read_to_end(fd, rest, sizeof(rest));
}

/* ---- The rig ---- */

static void trust(struct rig *rig, const char *ca_file)
{
	const struct fetcher_config config = { .ca_file = ca_file,
					       .connect_timeout_ms = 2000,
					       .host_connections_max = 2 };
	struct err err;

	fetcher_destroy(rig->fetcher);
	assert_true(fetcher_create(rig->loop, &config, &rig->fetcher, &err));
}

static int set_up(void **state)
{
	struct rig *rig = mem_alloc(sizeof(*rig));
	bool is_locked;
	struct err err;

	assert_true(secret_init(&is_locked, &err));
	rig->loop = loop_create();
	trust(rig, NULL);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, rig->server.told), 0);
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
	close(rig->server.told[0]);
	close(rig->server.told[1]);
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
	rig->lost += result->outcome == FETCH_LOST;
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
		bool is_once;
	} cases[] = { { "POST", "{\"order\":1}", false },
		      { "POST", NULL, false },
		      { "DELETE", NULL, false },
		      { "GET", NULL, true } };
	static void (*const deaths[])(struct server * server, int fd,
				      int nth) = { die_on_the_second, reset_on_the_second };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t death = 0; death < ARRAY_LEN(deaths); death++) {
			struct rig *rig;
			struct fetch_request request;
			const struct fetch_result *result;

			set_up((void **)&rig);
			start_server(rig, deaths[death]);
			request = a_request(rig, cases[i].method, cases[i].body);
			request.is_once = cases[i].is_once;
			result = run(rig, &request);
			assert_int_equal(result->outcome, FETCH_ANSWERED);
			result = run(rig, &request);
			assert_int_equal(result->outcome, FETCH_LOST);
			assert_true(result->sent.us > 0);
			assert_int_equal(result->err.code, ERR_UNREACHABLE);
			stop_server(rig);
			assert_int_equal(rig->server.requests, 2);
			tear_down((void **)&rig);
		}
	(void)state;
}

static void a_failed_second_connect_does_not_hide_the_first_sending(void **state)
{
	struct rig *rig = *state;

	start_server(rig, die_on_the_second_and_refuse);
	assert_int_equal(ask(rig, "POST", "{}")->outcome, FETCH_ANSWERED);
	assert_int_equal(ask(rig, "POST", "{}")->outcome, FETCH_LOST);
	stop_server(rig);
	assert_int_equal(rig->server.requests, 2);
}

/* Asking twice does no harm, and spares the caller a useless failure. */
static void a_get_may_be_repeated_on_a_dead_connection(void **state)
{
	struct rig *rig = *state;

	start_server(rig, die_on_the_second);
	assert_int_equal(ask(rig, "GET", NULL)->outcome, FETCH_ANSWERED);
	assert_int_equal(ask(rig, "GET", NULL)->outcome, FETCH_ANSWERED);
	stop_server(rig);
	assert_int_equal(rig->server.requests, 3);
}

static void connections_are_reused(void **state)
{
	struct rig *rig = *state;

	start_server(rig, answer_all);
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask(rig, "POST", "{}")->outcome, FETCH_ANSWERED);
	stop_server(rig);
	assert_int_equal(rig->server.connections, 1);
	assert_int_equal(rig->server.requests, 3);
}

static void stop_loop(void *arg)
{
	struct rig *rig = arg;

	loop_stop(rig->loop);
}

static void a_connection_closed_while_idle_is_replaced(void **state)
{
	struct rig *rig = *state;

	start_server(rig, answer_and_close);
	for (int i = 0; i < 3; i++) {
		struct timer *pause = loop_timer_create(rig->loop, stop_loop, rig);

		assert_int_equal(ask(rig, "POST", "{}")->outcome, FETCH_ANSWERED);
		timer_start(pause, 20); /* the end of the connection is on its way */
		loop_run(rig->loop);
		timer_destroy(pause);
	}
	stop_server(rig);
	assert_int_equal(rig->server.requests, 3);
}

static void what_counts_as_an_answer(void **state)
{
	static const struct {
		const char *answer;
		enum fetch_outcome outcome;
		int status;
		const char *body;
	} cases[] = {
		{ OK_ANSWER, FETCH_ANSWERED, 200, "ok" },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		  FETCH_ANSWERED, 200, "ok" },
		{ "HTTP/1.1 200 OK\r\n\r\nok", FETCH_ANSWERED, 200, "ok" },
		{ "HTTP/1.1 204 No Content\r\n\r\n", FETCH_ANSWERED, 204, "" },
		{ "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", FETCH_ANSWERED, 403, "" },
		{ "HTTP/1.1 503 x\r\ncontent-length: 4\r\n\r\ndown", FETCH_ANSWERED, 503, "down" },
		{ "HTTP/1.1 100 Continue\r\n\r\n" OK_ANSWER, FETCH_ANSWERED, 200, "ok" },
		{ "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: "
		  "0\r\n\r\n",
		  FETCH_ANSWERED, 302, "" },
		{ "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", FETCH_ANSWERED, 200, "ok" },
		{ "", FETCH_LOST, 0, "" },
		{ "HTTP/1.1 20", FETCH_LOST, 0, "" },
		{ "HTTP/1.1 200", FETCH_LOST, 0, "" },
		{ "HTTP/1.1 200 OK\r\n", FETCH_LOST, 0, "" },
		{ "HTTP/1.1 200 OK\r\nContent-Le", FETCH_LOST, 0, "" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", FETCH_LOST, 0, "" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no", FETCH_LOST, 0, "" },
		{ "HTTP/1.1 200 OK\r\n\r\n", FETCH_LOST, 0, "" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", FETCH_LOST, 0, "" },
		{ "HTTP/1.1 204 No Content\r\n", FETCH_LOST, 0, "" },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", FETCH_LOST, 0,
		  "" },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", FETCH_LOST, 0,
		  "" },
		{ "HTTP/1.1 100 Continue\r\n\r\n", FETCH_LOST, 0, "" },
		{ "HTTP/1.1 000 Zero\r\nContent-Length: 0\r\n\r\n", FETCH_LOST, 0, "" },
		{ "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", FETCH_LOST,
		  0, "" },
		{ "{\"old\":\"http\"}", FETCH_LOST, 0, "" },
		{ "\xff\xff\xff\xff", FETCH_LOST, 0, "" },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct fetch_result *result;
		struct rig *rig;

		set_up((void **)&rig);
		rig->server.answer = cases[i].answer;
		start_server(rig, answer_and_close);
		result = ask(rig, "POST", "{}");
		if (result->outcome != cases[i].outcome)
			print_error("case %zu: %s\n", i, result->err.text);
		assert_int_equal(result->outcome, cases[i].outcome);
		assert_int_equal(result->status, cases[i].status);
		assert_string_equal(result->body, cases[i].body);
		assert_int_equal(result->body_len, strlen(cases[i].body));
		assert_true(result->sent.us > 0);
		stop_server(rig);
		assert_int_equal(rig->server.requests, 1);
		tear_down((void **)&rig);
	}
}

static void an_answer_longer_than_allowed_is_lost(void **state)
{
	struct rig *rig = *state;
	struct fetch_request request = a_request(rig, "POST", "{}");

	start_server(rig, answer_all);
	request.answer_max = 2;
	assert_int_equal(run(rig, &request)->outcome, FETCH_ANSWERED);
	request.answer_max = 1;
	assert_int_equal(run(rig, &request)->outcome, FETCH_LOST);
	assert_int_equal(rig->result.body_len, 0);
}

/* More than the bound on heads, in lines that are each short. */
static void send_endless_head(struct server *server, int fd, int nth)
{
	(void)nth;
	if (!read_request(server, fd))
		return;
	send_text(fd, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 2000; i++)
		send_text(fd, "X-Filler: 0123456789012345678901234567890123456789\r\n");
	send_text(fd, "Content-Length: 0\r\n\r\n");
}

static void an_endless_head_is_lost(void **state)
{
	struct rig *rig = *state;

	start_server(rig, send_endless_head);
	assert_int_equal(ask(rig, "POST", "{}")->outcome, FETCH_LOST);
}

static void silence_is_lost_after_the_timeout(void **state)
{
	struct rig *rig = *state;
	struct fetch_request request = a_request(rig, "POST", "{}");
	struct mono start = mono_now();

	start_server(rig, never_answer);
	request.timeout_ms = 300;
	assert_int_equal(run(rig, &request)->outcome, FETCH_LOST);
	assert_int_equal(rig->result.err.code, ERR_UNREACHABLE);
	assert_in_range(mono_diff_ms(mono_now(), start), 290, 5000);
}

/* ---- Not sent ---- */

static void a_refused_connection_is_not_sent(void **state)
{
	struct rig *rig = *state;

	close(rig->server.listener);
	rig->server.listener = -1;
	assert_int_equal(ask(rig, "POST", "{}")->outcome, FETCH_NOT_SENT);
	assert_int_equal(rig->result.err.code, ERR_UNREACHABLE);
	assert_int_equal(rig->result.sent.us, 0);
	assert_int_equal(rig->result.status, 0);
}

/* The name is reserved for never being found; a look-up that hangs must not hang the loop. */
static void an_unknown_host_is_not_sent(void **state)
{
	struct rig *rig = *state;
	struct fetch_request request = a_request(rig, "POST", "{}");
	struct mono start = mono_now();

	request.url = "https://no-such-host.invalid/";
	assert_int_equal(run(rig, &request)->outcome, FETCH_NOT_SENT);
	assert_int_equal(rig->result.err.code, ERR_UNREACHABLE);
	assert_true(mono_diff_ms(mono_now(), start) < 4000);
}

/* Connects, but never says a word of TLS. */
static void a_handshake_that_never_answers_is_not_sent(void **state)
{
	struct rig *rig = *state;
	struct fetch_request request = a_request(rig, "POST", "{}");
	char url[64];

	start_server(rig, never_answer);
	snprintf(url, sizeof(url), "https://127.0.0.1:%d/", rig->server.port);
	request.url = url;
	request.timeout_ms = 60;
	assert_int_equal(run(rig, &request)->outcome, FETCH_NOT_SENT);
	assert_int_equal(rig->result.sent.us, 0);
}

static void unusable_requests_are_not_sent(void **state)
{
	static const char *const breaking[] = { "X-A: b\r\nX-Evil: yes", NULL };
	static const char *const nameless[] = { ": b", NULL };
	static const char *const valueless[] = { "X-A", NULL };
	struct rig *rig = *state;
	struct secret *evil = secret_from_str("key\r\nX-Evil: yes"), *empty = secret_create(0);
	struct fetch_request cases[7];

	start_server(rig, answer_all);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cases[i] = a_request(rig, "POST", "{}");
	cases[0].url = "https://";
	cases[1].url = "http://example.com/?key=hidden";
	cases[2].headers = breaking;
	cases[3].headers = nameless;
	cases[4].headers = valueless;
	cases[5].secret_header_name = cases[6].secret_header_name = "X-API-KEY";
	cases[5].secret_header = evil;
	cases[6].secret_header = empty;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(run(rig, &cases[i])->outcome, FETCH_NOT_SENT);
		assert_null(strstr(rig->result.err.text, "hidden"));
		assert_null(strstr(rig->result.err.text, "Evil"));
	}
	secret_destroy(evil);
	secret_destroy(empty);
	stop_server(rig);
	assert_int_equal(rig->server.requests, 0);
}

static void only_https_and_loopback_http_are_urls(void **state)
{
	static const struct {
		const char *url;
		bool is_fine;
	} cases[] = {
		{ "https://api.example.com", true },
		{ "https://api.example.com:8443/path?x=y", true },
		{ "https://[2001:db8::1]/", true },
		{ "http://127.0.0.1:8791", true },
		{ "http://127.8.9.10/", true },
		{ "http://localhost:8791/x", true },
		{ "http://[::1]:8791/", true },
		{ "HTTP://LOCALHOST/", true },
		{ "http://api.example.com", false },
		{ "http://127.0.0.1.example.com/", false },
		{ "http://localhost.example.com/", false },
		{ "http://128.0.0.1/", false },
		{ "http://0.0.0.0/", false },
		{ "http://[::2]/", false },
		{ "http://user:pass@127.0.0.1/", false },
		{ "https://user@example.com/", false },
		{ "ftp://127.0.0.1/", false },
		{ "file:///etc/passwd", false },
		{ "ws://127.0.0.1/", false },
		{ "127.0.0.1:80", false },
		{ "https://", false },
		{ "https:///path", false },
		{ "https:/path", false },
		{ "https://a b/", false },
		{ "", false },
	};
	struct err err;
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (fetch_url_check(cases[i].url, &err) != cases[i].is_fine)
			print_error("%s\n", cases[i].url);
		assert_int_equal(fetch_url_check(cases[i].url, &err), cases[i].is_fine);
	}
}

static void a_proxy_in_the_environment_is_ignored(void **state)
{
	struct rig *rig = *state;

	start_server(rig, answer_all);
	setenv("http_proxy", "http://127.0.0.1:1/", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1/", 1);
	assert_int_equal(ask(rig, "GET", NULL)->outcome, FETCH_ANSWERED);
	unsetenv("http_proxy");
	unsetenv("ALL_PROXY");
}

/* ---- Headers ---- */

static void headers_go_out_as_given(void **state)
{
	static const char *const headers[] = { "Content-Type: application/json",
					       "Authorization: Bearer x", NULL };
	struct rig *rig = *state;
	struct secret *key = secret_from_str("the-api-key");
	struct fetch_request request = a_request(rig, "DELETE", "{}");

	start_server(rig, answer_all);
	request.headers = headers;
	request.secret_header_name = "X-API-KEY";
	request.secret_header = key;
	assert_int_equal(run(rig, &request)->outcome, FETCH_ANSWERED);
	secret_destroy(key);
	stop_server(rig);
	assert_non_null(strstr(rig->server.seen, "DELETE /order/submit"));
	assert_non_null(strstr(rig->server.seen, "\r\nX-API-KEY: the-api-key\r\n"));
	assert_non_null(strstr(rig->server.seen, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(rig->server.seen, "\r\nAuthorization: Bearer x\r\n"));
	assert_int_equal(count_of(rig->server.seen, "Content-Type:"), 1);
}

static void retry_after_is_read_in_seconds(void **state)
{
	static const struct {
		const char *answer;
		int64_t ms;
	} cases[] = {
		{ OK_ANSWER, -1 },
		{ "HTTP/1.1 429 x\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n", 3000 },
		{ "HTTP/1.1 429 x\r\nretry-after:0\r\nContent-Length: 0\r\n\r\n", 0 },
		{ "HTTP/1.1 429 x\r\nRetry-After: 99999999999999999999\r\nContent-Length: "
		  "0\r\n\r\n",
		  86400000 },
		{ "HTTP/1.1 429 x\r\nRetry-After: -1\r\nContent-Length: 0\r\n\r\n", -1 },
		{ "HTTP/1.1 429 x\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n"
		  "Content-Length: 0\r\n\r\n",
		  -1 },
		{ "HTTP/1.1 100 x\r\nRetry-After: 5\r\n\r\n" OK_ANSWER, -1 },
	};
	struct rig *rig = *state;

	start_server(rig, answer_all);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		rig->server.answer = cases[i].answer;
		assert_int_equal(ask(rig, "POST", "{}")->retry_after_ms, cases[i].ms);
	}
}

/* Canaries are kept crooked, so that the search does not find itself. */
static void make_canary(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		text[i] = (char)('A' + (int)(i * 7 + 3) % 23);
	text[len] = '\0';
}

static bool is_canary(const char *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (at[i] != (char)('A' + (int)(i * 7 + 3) % 23))
			return false;
	return true;
}

static size_t count_canaries(FILE *memory, unsigned long start, unsigned long end, size_t len)
{
	size_t size = end - start, count = 0, got;
	char *copy = malloc(size);

	got = fseek(memory, (long)start, SEEK_SET) == 0 ? fread(copy, 1, size, memory) : 0;
	for (size_t at = 0; at + len <= got; at++)
		count += is_canary(copy + at, len);
	explicit_bzero(copy, size);
	free(copy);
	return count;
}

static size_t count_canaries_in_memory(size_t len)
{
	FILE *maps = fopen("/proc/self/maps", "r"), *memory = fopen("/proc/self/mem", "r");
	unsigned long start, end;
	char line[512];
	size_t count = 0;

	setvbuf(memory, NULL, _IONBF, 0);
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx rw", &start, &end) == 2 && strstr(line, " rw") &&
		    end - start < 64 << 20)
			count += count_canaries(memory, start, end, len);
	fclose(maps);
	fclose(memory);
	return count;
}

static void forget_and_answer(struct server *server, int fd, int nth)
{
	answer_all(server, fd, nth);
	explicit_bzero(server->coming, sizeof(server->coming));
	explicit_bzero(server->seen, sizeof(server->seen));
}

static void the_secret_header_does_not_linger_in_memory(void **state)
{
	struct rig *rig = *state;
	struct fetch_request request = a_request(rig, "POST", "{}");
	char canary[41];
	struct secret *key;

	make_canary(canary, 40);
	assert_true(count_canaries_in_memory(40) > 0);
	key = secret_from_str(canary);
	explicit_bzero(canary, sizeof(canary));
	start_server(rig, forget_and_answer);
	request.secret_header_name = "X-API-KEY";
	request.secret_header = key;
	assert_int_equal(run(rig, &request)->outcome, FETCH_ANSWERED);
	secret_destroy(key);
	stop_server(rig);
	assert_int_equal(count_canaries_in_memory(40), 0);
}

/* ---- Cancelling and the end ---- */

static void a_cancelled_request_is_not_told(void **state)
{
	struct rig *rig = *state;
	struct fetch_request request = a_request(rig, "POST", "{}");
	struct fetch_request unusable = request;

	start_server(rig, answer_all);
	unusable.url = "nonsense";
	fetch_cancel(start(rig, &request));
	fetch_cancel(start(rig, &unusable)); /* over already, but not told yet */
	assert_int_equal(run(rig, &request)->outcome, FETCH_ANSWERED);
	assert_int_equal(rig->done, 1);
}

static void wait_for_request(void *arg)
{
	struct rig *rig = arg;
	char byte[2];

	recv(rig->server.told[0], byte, 1, 0);
}

static void destroying_completes_what_is_in_flight(void **state)
{
	struct rig *rig = *state;
	struct fetch_request request = a_request(rig, "POST", "{}");
	struct fetch_request unusable = request;

	start_server(rig, never_answer);
	unusable.url = "nonsense";
	start(rig, &request);
	fetcher_destroy(rig->fetcher); /* before the loop ran at all */
	assert_int_equal(rig->done, 1);
	assert_int_equal(rig->result.outcome, FETCH_NOT_SENT);
	rig->fetcher = NULL;
	trust(rig, NULL);
	rig->awaited = -1;
	start(rig, &request);
	run_beside(rig->loop, wait_for_request, rig);
	start(rig, &unusable);
	stop_server(rig);
	assert_int_equal(rig->done, 3);
	assert_int_equal(rig->lost, 1);
}

static void start_again(void *arg, const struct fetch_result *result)
{
	struct rig *rig = arg;
	struct fetch_request request = a_request(rig, "POST", "{}");

	assert_int_equal(result->outcome, FETCH_NOT_SENT);
	fetch_start(rig->fetcher, &request, on_done, rig);
}

static void a_request_started_while_destroying_is_completed_too(void **state)
{
	struct rig *rig = *state;
	struct fetch_request request = a_request(rig, "POST", "{}");

	fetch_start(rig->fetcher, &request, start_again, rig);
	stop_server(rig);
	assert_int_equal(rig->done, 1);
	assert_int_equal(rig->result.outcome, FETCH_NOT_SENT);
}

static void destroy_inside(void *arg, const struct fetch_result *result)
{
	struct rig *rig = arg;

	on_done(arg, result);
	fetcher_destroy(rig->fetcher);
	rig->fetcher = NULL;
}

static void the_fetcher_may_be_destroyed_in_a_callback(void **state)
{
	struct rig *rig = *state;
	struct fetch_request request = a_request(rig, "POST", "{}");

	start_server(rig, answer_all);
	rig->awaited = 1;
	fetch_start(rig->fetcher, &request, destroy_inside, rig);
	loop_run(rig->loop);
	assert_int_equal(rig->result.outcome, FETCH_ANSWERED);
}

/* ---- Sockets and TLS ---- */

/* A whole daemon's way in, on the same loop: front, httpd, and TLS if cert is not NULL. */
struct house {
	struct front *front;
	struct httpd *httpd;
	int handled;
	bool drops_second, saw_expect;
};

static void handle(void *arg, struct http_request *request)
{
	struct house *house = arg;

	house->saw_expect = house->saw_expect || http_header(request, "Expect");
	if (++house->handled == 2 && house->drops_second)
		http_drop(request);
	else
		http_reply_static(request, 200, "text/plain", "ok", 2);
}

static void build_house(struct rig *rig, struct house *house, const char *cert, const char *key)
{
	const struct httpd_config config = { .body_max = 4 << 20,
					     .connections_max = 10,
					     .head_timeout_ms = 5000,
					     .body_timeout_ms = 5000,
					     .tls_cert_pem = cert,
					     .tls_key_pem = key,
					     .handle = handle,
					     .arg = house };
	const struct front_config front_config = { .head_timeout_ms = 5000, .undecided_max = 10 };
	struct err err;

	memset(house, 0, sizeof(*house));
	assert_true(httpd_create(rig->loop, &config, &house->httpd, &err));
	assert_true(front_create(rig->loop, house->httpd, &front_config, &house->front, &err));
	assert_true(front_listen_tcp(house->front, "127.0.0.1:0", &err));
	snprintf(rig->url, sizeof(rig->url), "%s://%s/", cert ? "https" : "http",
		 front_address(house->front));
}

static void leave_house(struct house *house)
{
	front_destroy(house->front);
	httpd_destroy(house->httpd);
}

/* libcurl asks before it sends much, and waits a second for the word to go on. */
static void a_large_body_is_sent_without_asking_first(void **state)
{
	struct rig *rig = *state;
	char *body = mem_alloc(3 << 20);
	struct fetch_request request = a_request(rig, "POST", body);
	struct house house;

	build_house(rig, &house, NULL, NULL);
	request.body_len = 3 << 20;
	assert_int_equal(run(rig, &request)->outcome, FETCH_ANSWERED);
	assert_int_equal(house.handled, 1);
	assert_false(house.saw_expect);
	leave_house(&house);
	mem_free(body);
}

static void a_unix_socket_can_stand_for_any_host(void **state)
{
	struct rig *rig = *state;
	struct fetcher_config config = { .connect_timeout_ms = 2000, .host_connections_max = 2 };
	char dir[] = "/tmp/fetch_test.XXXXXX", path[64];
	struct fetch_request request = a_request(rig, "POST", "{}");
	struct house house;
	struct err err;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/socket", dir);
	build_house(rig, &house, NULL, NULL);
	assert_true(front_listen_unix(house.front, path, &err));
	config.unix_socket = path;
	fetcher_destroy(rig->fetcher);
	assert_true(fetcher_create(rig->loop, &config, &rig->fetcher, &err));
	request.url = "http://localhost/";
	assert_int_equal(run(rig, &request)->outcome, FETCH_ANSWERED);
	assert_int_equal(house.handled, 1);
	leave_house(&house);
	assert_int_equal(rmdir(dir), 0);
}

struct identity {
	char *cert, *key; /* PEM */
	char path[32];    /* of a file with the certificate */
};

static char *pem_of(BIO *bio)
{
	char *bytes;
	long len = BIO_get_mem_data(bio, &bytes);
	char *text = mem_strndup(bytes, (size_t)len);

	BIO_free(bio);
	return text;
}

/* A self-signed certificate for the names in san that ends ends_s seconds from now. */
static void identity_init(struct identity *identity, const char *san, long ends_s)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
	X509_NAME *name = X509_get_subject_name(cert);
	BIO *cert_pem = BIO_new(BIO_s_mem()), *key_pem = BIO_new(BIO_s_mem());
	int fd;

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -86400);
	X509_gmtime_adj(X509_getm_notAfter(cert), ends_s);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1,
				   0);
	X509_set_issuer_name(cert, name);
	X509_set_pubkey(cert, key);
	X509_add_ext(cert, names, -1);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	PEM_write_bio_X509(cert_pem, cert);
	PEM_write_bio_PrivateKey(key_pem, key, NULL, NULL, 0, NULL, NULL);
	identity->cert = pem_of(cert_pem);
	identity->key = pem_of(key_pem);
	STR_SET(identity->path, "/tmp/fetch_test.XXXXXX");
	fd = mkstemp(identity->path);
	assert_int_equal(write(fd, identity->cert, strlen(identity->cert)), strlen(identity->cert));
	close(fd);
	X509_EXTENSION_free(names);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void identity_fini(struct identity *identity)
{
	unlink(identity->path);
	mem_free(identity->cert);
	mem_free(identity->key);
}

static void a_trusted_certificate_for_the_host_is_accepted(void **state)
{
	struct rig *rig = *state;
	struct identity identity;
	struct house house;

	identity_init(&identity, "IP:127.0.0.1", 86400);
	build_house(rig, &house, identity.cert, identity.key);
	trust(rig, identity.path);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ask(rig, "POST", "{}")->outcome, FETCH_ANSWERED);
		assert_string_equal(rig->body, "ok");
	}
	assert_int_equal(house.handled, 2);
	leave_house(&house);
	identity_fini(&identity);
}

static void any_other_certificate_is_refused_before_a_byte_of_the_request(void **state)
{
	enum whose { SYSTEM, OWN, OTHER };
	static const struct {
		const char *san;
		long ends_s;
		enum whose trusted;
	} cases[] = {
		{ "IP:127.0.0.1", 86400, SYSTEM },   /* self-signed, and known to nobody */
		{ "IP:127.0.0.1", 86400, OTHER },    /* signed by someone else */
		{ "DNS:other.example", 86400, OWN }, /* for another host */
		{ "IP:127.0.0.2", 86400, OWN },      /* for another address */
		{ "IP:127.0.0.1", -3600, OWN },      /* expired */
	};
	struct rig *rig = *state;
	struct identity other;

	identity_init(&other, "IP:127.0.0.1", 86400);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct identity identity;
		struct house house;

		identity_init(&identity, cases[i].san, cases[i].ends_s);
		build_house(rig, &house, identity.cert, identity.key);
		trust(rig, cases[i].trusted == SYSTEM ? NULL
			   : cases[i].trusted == OWN  ? identity.path
						      : other.path);
		assert_int_equal(ask(rig, "POST", "{}")->outcome, FETCH_NOT_SENT);
		assert_int_equal(rig->result.err.code, ERR_TLS);
		assert_int_equal(rig->result.sent.us, 0);
		assert_int_equal(house.handled, 0);
		leave_house(&house);
		identity_fini(&identity);
	}
	identity_fini(&other);
}

static void a_request_is_never_repeated_over_tls_either(void **state)
{
	struct rig *rig = *state;
	struct identity identity;
	struct house house;

	identity_init(&identity, "IP:127.0.0.1", 86400);
	build_house(rig, &house, identity.cert, identity.key);
	house.drops_second = true;
	trust(rig, identity.path);
	assert_int_equal(ask(rig, "POST", "{}")->outcome, FETCH_ANSWERED);
	assert_int_equal(ask(rig, "POST", "{}")->outcome, FETCH_LOST);
	assert_int_equal(house.handled, 2);
	leave_house(&house);
	identity_fini(&identity);
}

static void a_missing_ca_file_is_told_at_once(void **state)
{
	const struct fetcher_config config = { .ca_file = "/nonexistent.pem",
					       .connect_timeout_ms = 2000,
					       .host_connections_max = 2 };
	struct rig *rig = *state;
	struct fetcher *fetcher;
	struct err err;

	assert_false(fetcher_create(rig->loop, &config, &fetcher, &err));
	assert_int_equal(err.code, ERR_CONFIG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_arrives_whole),
		cmocka_unit_test(a_request_is_never_repeated_on_a_dead_connection),
		TEST(a_failed_second_connect_does_not_hide_the_first_sending),
		TEST(a_get_may_be_repeated_on_a_dead_connection),
		TEST(connections_are_reused),
		TEST(a_connection_closed_while_idle_is_replaced),
		cmocka_unit_test(what_counts_as_an_answer),
		TEST(an_answer_longer_than_allowed_is_lost),
		TEST(an_endless_head_is_lost),
		TEST(silence_is_lost_after_the_timeout),
		TEST(a_refused_connection_is_not_sent),
		TEST(an_unknown_host_is_not_sent),
		TEST(a_handshake_that_never_answers_is_not_sent),
		TEST(unusable_requests_are_not_sent),
		cmocka_unit_test(only_https_and_loopback_http_are_urls),
		TEST(a_proxy_in_the_environment_is_ignored),
		TEST(headers_go_out_as_given),
		TEST(retry_after_is_read_in_seconds),
		TEST(the_secret_header_does_not_linger_in_memory),
		TEST(a_cancelled_request_is_not_told),
		TEST(destroying_completes_what_is_in_flight),
		TEST(a_request_started_while_destroying_is_completed_too),
		TEST(the_fetcher_may_be_destroyed_in_a_callback),
		TEST(a_large_body_is_sent_without_asking_first),
		TEST(a_unix_socket_can_stand_for_any_host),
		TEST(a_trusted_certificate_for_the_host_is_accepted),
		TEST(any_other_certificate_is_refused_before_a_byte_of_the_request),
		TEST(a_request_is_never_repeated_over_tls_either),
		TEST(a_missing_ca_file_is_told_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
