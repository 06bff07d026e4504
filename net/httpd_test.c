#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/httpd.h"

#include <sched.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/net_test.h"

#define SEEN_MAX        65536
#define BODY_MAX        1000
#define LARGE_LEN       8000000
#define HEAD_TIMEOUT_MS 100
#define BODY_TIMEOUT_MS 250
#define IDLE_TIMEOUT_MS 400
#define WAITING_MAX     8

/* A server with one connection, whose other end is in the hands of a script. */
struct rig {
	struct loop *loop;
	struct httpd *httpd;
	int client;
	const char *send;
	char seen[SEEN_MAX]; /* all that came back */
	size_t seen_len;
	bool keeps_open; /* the script does not say that nothing more will come */
	/* How the handler behaves. */
	void (*reply)(struct http_request *request);
	bool replies_later, stops_when_handled;
	struct timer *later;
	/* What it saw. */
	unsigned handled, refused;
	int refused_status;
	size_t pending; /* at the last request */
	char method[16], path[256], query[256], body[BODY_MAX + 1], header[256];
	struct http_request *waiting[WAITING_MAX];
	size_t waiting_count;
	struct http_peer peer;
};

static void reply_path(struct http_request *request)
{
	http_reply(request, 200, "text/plain", http_path(request), strlen(http_path(request)));
}

static void reply_all(void *arg)
{
	struct rig *rig = arg;

	for (size_t i = 0; i < rig->waiting_count; i++)
		rig->reply(rig->waiting[i]);
	rig->waiting_count = 0;
}

static void handle(void *arg, struct http_request *request)
{
	struct rig *rig = arg;
	const char *header = http_header(request, "X-Test");

	rig->handled++;
	http_set(request, rig);
	rig->pending = httpd_pending(rig->httpd);
	rig->peer = *http_peer(request);
	STR_SET(rig->method, http_method(request));
	STR_SET(rig->path, http_path(request));
	STR_SET(rig->query, http_query(request));
	STR_SET(rig->body, http_body(request));
	STR_SET(rig->header, header ? header : "(none)");
	if (rig->stops_when_handled)
		loop_stop(rig->loop);
	if (!rig->replies_later) {
		rig->reply(request);
		return;
	}
	rig->waiting[rig->waiting_count++] = request;
	timer_start(rig->later, 5);
}

static void reply_refused(struct http_request *request)
{
	const struct rig *rig = http_get(request);
	char *text = mem_strdup("in our own words");

	http_reply_header(request, "X-Refused", "yes");
	http_reply_take(request, rig->refused_status, "text/plain", text, strlen(text));
}

static void refuse(void *arg, struct http_request *request, int status)
{
	struct rig *rig = arg;

	rig->refused++;
	rig->refused_status = status;
	http_set(request, rig);
	if (!rig->replies_later) {
		reply_refused(request);
		return;
	}
	rig->reply = reply_refused;
	rig->waiting[rig->waiting_count++] = request;
	timer_start(rig->later, 5);
}

static void take_socket(struct rig *rig)
{
	const struct http_peer peer = { .is_unix = true, .uid = 7, .address = "unix" };
	int ends[2];

	if (rig->client > 0)
		close(rig->client);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	be_patient(ends[0]);
	rig->client = ends[0];
	httpd_take_socket(rig->httpd, ends[1], &peer);
}

static int set_up_with(void **state, int64_t idle_ms, int64_t head_ms, int64_t body_ms)
{
	struct rig *rig = mem_alloc(sizeof(*rig));
	const struct httpd_config config = { .body_max = BODY_MAX,
					     .connections_max = 3,
					     .idle_timeout_ms = idle_ms,
					     .head_timeout_ms = head_ms,
					     .body_timeout_ms = body_ms,
					     .handle = handle,
					     .refuse = refuse,
					     .arg = rig };
	struct err err;

	rig->reply = reply_path;
	rig->loop = loop_create();
	rig->later = loop_timer_create(rig->loop, reply_all, rig);
	assert_true(httpd_create(rig->loop, &config, &rig->httpd, &err));
	take_socket(rig);
	*state = rig;
	return 0;
}

static int set_up(void **state)
{
	return set_up_with(state, 0, 10000, 10000);
}

static int set_up_impatient(void **state)
{
	return set_up_with(state, IDLE_TIMEOUT_MS, HEAD_TIMEOUT_MS, BODY_TIMEOUT_MS);
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	httpd_destroy(rig->httpd);
	timer_destroy(rig->later);
	loop_destroy(rig->loop);
	close(rig->client);
	mem_free(rig);
	return 0;
}

static void say_and_listen(void *arg)
{
	struct rig *rig = arg;

	send_text(rig->client, rig->send);
	if (!rig->keeps_open)
		shutdown(rig->client, SHUT_WR);
	read_to_end(rig->client, rig->seen, sizeof(rig->seen));
}

/* Sends text and returns all that comes back until the server closes. */
static const char *exchange(struct rig *rig, const char *text)
{
	rig->send = text;
	run_beside(rig->loop, say_and_listen, rig);
	return rig->seen;
}

static int64_t ms_of(struct mono start)
{
	return mono_diff_ms(mono_now(), start);
}

/* ---- Requests and replies ---- */

static void a_get_is_answered_at_once(void **state)
{
	struct rig *rig = *state;
	const char *seen = exchange(rig, "GET /v1/a%20b?x=1&y=%41 HTTP/1.1\r\n"
					 "Host: h\r\nx-test: value\r\n\r\n");

	assert_non_null(strstr(seen, "HTTP/1.1 200 OK\r\n"));
	assert_non_null(strstr(seen, "Content-Type: text/plain\r\n"));
	assert_non_null(strstr(seen, "\r\n\r\n/v1/a%20b"));
	assert_non_null(strstr(seen, "Date: "));
	assert_string_equal(rig->method, "GET");
	assert_string_equal(rig->path, "/v1/a%20b");
	assert_string_equal(rig->query, "x=1&y=%41");
	assert_string_equal(rig->header, "value");
	assert_true(rig->peer.is_unix);
	assert_int_equal(rig->peer.uid, 7);
	assert_int_equal(rig->handled, 1);
	assert_int_equal(rig->pending, 1);
	assert_int_equal(httpd_pending(rig->httpd), 0);
}

/* The library does not wake itself up when a connection is resumed. */
static void a_reply_from_a_timer_wakes_the_connection(void **state)
{
	struct rig *rig = *state;
	struct mono start = mono_now();

	rig->replies_later = true;
	assert_non_null(strstr(exchange(rig, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n"), "/later"));
	assert_int_equal(httpd_pending(rig->httpd), 0);
	assert_true(ms_of(start) < 1000);
}

static void a_body_arrives_whole(void **state)
{
	struct rig *rig = *state;

	exchange(rig, "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
	assert_string_equal(rig->method, "POST");
	assert_string_equal(rig->body, "hello");
}

static void a_chunked_body_arrives_whole(void **state)
{
	struct rig *rig = *state;

	exchange(rig, "POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
		      "2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n");
	assert_string_equal(rig->body, "hello");
}

static void ask_first(void *arg)
{
	struct rig *rig = arg;
	size_t len;

	send_text(rig->client, "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n"
			       "Expect: 100-continue\r\n\r\n");
	len = read_until(rig->client, "\r\n\r\n", rig->seen, sizeof(rig->seen));
	send_text(rig->client, "hello");
	shutdown(rig->client, SHUT_WR);
	read_to_end(rig->client, rig->seen + len, sizeof(rig->seen) - len);
}

static void a_client_that_asks_first_is_told_to_go_on(void **state)
{
	struct rig *rig = *state;

	run_beside(rig->loop, ask_first, rig);
	assert_non_null(strstr(rig->seen, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK"));
	assert_string_equal(rig->body, "hello");
}

static void a_head_request_comes_as_get_and_gets_no_body(void **state)
{
	struct rig *rig = *state;
	const char *seen = exchange(rig, "HEAD /path HTTP/1.1\r\nHost: h\r\n\r\n");

	assert_string_equal(rig->method, "GET");
	assert_non_null(strstr(seen, "Content-Length: 5\r\n"));
	assert_string_equal(strstr(seen, "\r\n\r\n"), "\r\n\r\n");
}

static const char three[] = "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"
			    "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab"
			    "GET /3 HTTP/1.1\r\nHost: h\r\n\r\n";

static void pipelined_requests_are_answered_in_order(void **state)
{
	struct rig *rig = *state;
	const char *seen = exchange(rig, three);
	const char *first = strstr(seen, "\r\n\r\n/1"), *second = strstr(seen, "\r\n\r\n/2"),
		   *third = strstr(seen, "\r\n\r\n/3");

	assert_true(first && first < second && second < third);
	assert_int_equal(count_of(seen, "HTTP/1.1 200"), 3);
}

static void pipelined_requests_may_all_be_answered_later(void **state)
{
	struct rig *rig = *state;

	rig->replies_later = true;
	assert_int_equal(count_of(exchange(rig, three), "HTTP/1.1 200"), 3);
	assert_string_equal(rig->path, "/3");
}

/* Two at once, both half-closed: the library reads on one of them before it lets it answer. */
static void a_client_that_sends_no_more_still_gets_its_late_reply(void **state)
{
	struct rig *rig = *state;
	int other;

	rig->replies_later = rig->stops_when_handled = true;
	send_text(rig->client, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
	loop_run(rig->loop);
	rig->stops_when_handled = false;
	shutdown(rig->client, SHUT_WR);
	other = rig->client;
	rig->client = -1;
	take_socket(rig);
	assert_non_null(strstr(exchange(rig, "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n"), "/2"));
	read_to_end(other, rig->seen, sizeof(rig->seen));
	assert_non_null(strstr(rig->seen, "/1"));
	close(other);
}

/* Both in one event: the library hears of the end no second time. */
static void an_end_that_came_with_the_request_is_noticed(void **state)
{
	struct rig *rig = *state;
	struct mono start = mono_now();

	send_text(rig->client, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
	shutdown(rig->client, SHUT_WR);
	rig->keeps_open = true;
	assert_non_null(strstr(exchange(rig, ""), "/1"));
	assert_true(ms_of(start) < 5000);
}

static void a_client_that_left_while_its_request_waited_does_no_harm(void **state)
{
	struct rig *rig = *state;

	rig->replies_later = rig->stops_when_handled = true;
	send_text(rig->client, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
	loop_run(rig->loop);
	close(rig->client);
	rig->client = -1;
	rig->stops_when_handled = false;
	take_socket(rig);
	assert_non_null(strstr(exchange(rig, "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n"), "/2"));
	assert_int_equal(rig->handled, 2);
	assert_int_equal(httpd_pending(rig->httpd), 0);
}

static void reply_with_headers(struct http_request *request)
{
	http_reply_header(request, "Location", "/v1/orders/1");
	http_reply_header(request, "X-Bad", "line\r\nbreak");
	http_reply_static(request, 202, "application/json", "{}", 2);
}

static void reply_headers_are_sent_unless_they_would_break_the_head(void **state)
{
	struct rig *rig = *state;
	const char *seen;

	rig->reply = reply_with_headers;
	seen = exchange(rig, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_non_null(strstr(seen, "HTTP/1.1 202 Accepted\r\n"));
	assert_non_null(strstr(seen, "Location: /v1/orders/1\r\n"));
	assert_null(strstr(seen, "X-Bad"));
}

static void a_stopping_server_closes_after_each_reply(void **state)
{
	struct rig *rig = *state;
	const char *seen;

	httpd_stop_keepalive(rig->httpd);
	rig->keeps_open = true;
	seen = exchange(rig, three);
	assert_non_null(strstr(seen, "Connection: close\r\n"));
	assert_int_equal(count_of(seen, "HTTP/1.1 200"), 1);
}

static void a_closed_server_hands_nothing_out_and_takes_late_answers(void **state)
{
	struct rig *rig = *state;
	int other;

	rig->replies_later = rig->stops_when_handled = true;
	send_text(rig->client, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
	loop_run(rig->loop);
	other = rig->client;
	rig->client = -1;
	httpd_close(rig->httpd);
	take_socket(rig);
	assert_string_equal(exchange(rig, "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n"), "");
	assert_int_equal(rig->handled, 1);
	shutdown(other, SHUT_WR);
	reply_all(rig);
	rig->client = other;
	assert_non_null(strstr(exchange(rig, ""), "/1"));
}

static void destroying_drops_what_was_not_answered(void **state)
{
	struct rig *rig = *state;
	char rest[64];

	rig->replies_later = rig->stops_when_handled = true;
	send_text(rig->client, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
	loop_run(rig->loop);
	timer_stop(rig->later);
	assert_int_equal(httpd_pending(rig->httpd), 1);
	httpd_destroy(rig->httpd);
	rig->httpd = NULL;
	assert_int_equal(read_to_end(rig->client, rest, sizeof(rest)), 0);
}

static void reply_large(struct http_request *request)
{
	char *body = mem_alloc(LARGE_LEN);

	memset(body, 'x', LARGE_LEN);
	http_reply_take(request, 200, "text/plain", body, LARGE_LEN);
}

static void count_slowly(void *arg)
{
	struct rig *rig = arg;
	char piece[50000];
	ssize_t got;

	send_text(rig->client, rig->send);
	shutdown(rig->client, SHUT_WR);
	while ((got = recv(rig->client, piece, sizeof(piece), 0)) > 0) {
		rig->seen_len += (size_t)got;
		sched_yield();
	}
}

static void a_large_reply_reaches_a_slow_reader_whole(void **state)
{
	struct rig *rig = *state;

	rig->reply = reply_large;
	rig->send = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
	run_beside(rig->loop, count_slowly, rig);
	assert_in_range(rig->seen_len, LARGE_LEN + 50, LARGE_LEN + 500);
}

static void more_connections_than_allowed_are_closed(void **state)
{
	struct rig *rig = *state;
	const struct http_peer peer = { .address = "unix" };
	int ends[4][2];
	char rest[8];

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends[i]), 0);
		be_patient(ends[i][0]);
		httpd_take_socket(rig->httpd, ends[i][1], &peer);
	}
	assert_int_equal(recv(ends[3][0], rest, sizeof(rest), 0), 0);
	assert_int_equal(recv(ends[0][0], rest, sizeof(rest), MSG_DONTWAIT), -1);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		close(ends[i][0]);
}

/* ---- What is refused ---- */

#define HEAD(line) line " HTTP/1.1\r\nHost: h\r\n"

static void doubtful_requests_are_refused_in_our_own_words(void **state)
{
	static const struct {
		int status;
		const char *text;
		size_t len;
	} cases[] = {
#define CASE(status, text) { status, text, sizeof(text) - 1 }
		CASE(413, HEAD("POST /") "Content-Length: 999999999999999999\r\n\r\n"),
		CASE(413, HEAD("POST /") "Content-Length: 1001\r\nExpect: 100-continue\r\n\r\n"),
		CASE(400, HEAD("POST /") "Content-Length: 1\r\nContent-Length: 1\r\n\r\na"),
		CASE(400, HEAD("POST /") "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
					 "0\r\n\r\n" HEAD("GET /smuggled") "\r\n"),
		CASE(400, HEAD("POST /") "Transfer-Encoding: gzip\r\n\r\nabc"),
		CASE(400, HEAD("POST /") "Transfer-Encoding: chunked\r\n"
					 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
		CASE(400, HEAD("POST /") "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
		CASE(400, HEAD("POST /") "Content-Length : 1\r\n\r\na"),
		CASE(400, HEAD("GET /") "Content-Length: 0\r\n 5\r\n\r\n"),
		CASE(400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
		CASE(400, HEAD("GET /") "X: a\rY: b\r\n\r\n"),
		CASE(400, HEAD("GET /") "X: a\x1b[1m\r\n\r\n"),
		CASE(400, HEAD("GET /") "X: a\x7f\r\n\r\n"),
		CASE(400, HEAD("GET /") "X: a\0b\r\n\r\n"),
		CASE(400, HEAD("GET /") "X: a\0\r\n\r\n"),
		CASE(400, HEAD("GET /") "X: \0\r\n\r\n"),
		CASE(400, HEAD("GET /") "X: a\nY: b\r\n\r\n"),
		CASE(400, HEAD("GET\0X /a") "\r\n"),
		CASE(400, HEAD("GET  /a") "\r\n"),
		CASE(400, HEAD("GET /a\0b") "\r\n"),
		CASE(400, HEAD("GET /a\0 HTTP/1.1 ") "\r\n"),
		CASE(400, HEAD("GET /a?b=\0c") "\r\n"),
		CASE(400, HEAD("GET /a b") "\r\n"),
		CASE(400, HEAD("GET /\x7f") "\r\n"),
		CASE(400, HEAD("GET /\xc3\xa4") "\r\n"),
		CASE(400, HEAD("GET http://h/") "\r\n"),
		CASE(400, HEAD("GET *") "\r\n"),
		CASE(400, HEAD("GET /") "Host: other\r\n\r\n"),
		CASE(400, HEAD("GET /") "X(y): 1\r\n\r\n"),
		CASE(400, HEAD("GET /") ": 1\r\n\r\n"),
		CASE(400, "GET / HTTP/1.1\r\n\r\n"),
		CASE(400, "GET / HTTP/1.1\r\nX: y\r\n\r\n"),
		/* These the library would answer itself, twice over. */
		CASE(400, HEAD("POST /") "Content-Length: -1\r\n\r\n"),
		CASE(400, HEAD("POST /") "Content-Length: 0x10\r\n\r\n"),
		CASE(400, HEAD("POST /") "Content-Length: \r\n\r\n"),
		CASE(400, HEAD("POST /") "Content-Length: 5 \r\n\r\nhello"),
		CASE(400, HEAD("POST /") "Content-Length: 99999999999999999999999\r\n\r\n" HEAD(
				  "GET /smuggled") "\r\n"),
#undef CASE
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rig *rig;

		set_up((void **)&rig);
		rig->keeps_open = true; /* the server must close by itself */
		send_bytes(rig->client, cases[i].text, cases[i].len);
		exchange(rig, "");
		if (rig->refused_status != cases[i].status || rig->handled != 0)
			print_error("case %zu\n", i);
		assert_int_equal(rig->refused_status, cases[i].status);
		assert_int_equal(rig->refused, 1);
		assert_int_equal(rig->handled, 0);
		assert_non_null(strstr(rig->seen, "X-Refused: yes\r\n"));
		assert_non_null(strstr(rig->seen, "\r\n\r\nin our own words"));
		assert_int_equal(count_of(rig->seen, "HTTP/1.1 "), 1);
		tear_down((void **)&rig);
	}
}

static void what_the_library_itself_refuses_never_reaches_the_handler(void **state)
{
	static const char *const cases[] = {
		"\r\n\r\n",
		"rubbish\r\n\r\n",
		"GET\r\n\r\n",
		"GET \r\n\r\n",
		"GET / HTTP/2.0\r\nHost: h\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		HEAD("GET /") "no colon\r\n\r\n",
		HEAD("POST /") "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
		HEAD("POST /") "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
		HEAD("POST /") "Content-Length: 5\r\n\r\nabc", /* and no more */
		HEAD("GET /") "X: y\r\n",
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rig *rig;

		set_up_impatient((void **)&rig);
		exchange(rig, cases[i]);
		if (rig->handled != 0)
			print_error("case %zu\n", i);
		assert_int_equal(rig->handled, 0);
		tear_down((void **)&rig);
	}
}

/* Told after the body was read, so that the client gets to read the answer. */
static void a_body_somewhat_too_large_is_read_refused_and_forgotten(void **state)
{
	struct rig *rig = *state;
	char *text = mem_alloc(8000);
	const char *seen;

	snprintf(text, 8000,
		 HEAD("POST /") "Content-Length: 1001\r\n\r\n%01001d" HEAD("GET /next") "\r\n", 0);
	seen = exchange(rig, text);
	assert_int_equal(rig->refused_status, 413);
	assert_non_null(strstr(seen, "in our own words"));
	assert_non_null(strstr(seen, "\r\n\r\n/next"));
	mem_free(text);
}

static void a_chunked_body_somewhat_too_large_is_refused(void **state)
{
	struct rig *rig = *state;
	char *text = mem_alloc(8000);

	snprintf(text, 8000,
		 HEAD("POST /") "Transfer-Encoding: chunked\r\n\r\n"
				"3e8\r\n%01000d\r\n1\r\n0\r\n0\r\n\r\n",
		 0);
	assert_non_null(strstr(exchange(rig, text), "in our own words"));
	assert_int_equal(rig->refused_status, 413);
	assert_int_equal(rig->handled, 0);
	mem_free(text);
}

static void a_refusal_may_come_later(void **state)
{
	struct rig *rig = *state;
	const char *seen;

	rig->replies_later = rig->keeps_open = true;
	seen = exchange(rig, HEAD("POST /") "Content-Length: 99999\r\n\r\nabc");
	assert_non_null(strstr(seen, "HTTP/1.1 413 "));
	assert_non_null(strstr(seen, "in our own words"));
	assert_int_equal(rig->refused, 1);
}

static void a_body_of_exactly_the_bound_is_taken(void **state)
{
	struct rig *rig = *state;
	char text[2000];

	snprintf(text, sizeof(text), HEAD("POST /") "Content-Length: 001000\r\n\r\n%01000d", 0);
	exchange(rig, text);
	assert_int_equal(rig->handled, 1);
	assert_int_equal(strlen(rig->body), 1000);
}

static void send_chunks_for_ever(void *arg)
{
	struct rig *rig = arg;
	char chunk[1100];
	ssize_t sent;

	snprintf(chunk, sizeof(chunk), "400\r\n%01024d\r\n", 0);
	send_text(rig->client, HEAD("POST /") "Transfer-Encoding: chunked\r\n\r\n");
	do
		sent = send(rig->client, chunk, strlen(chunk), MSG_NOSIGNAL);
	while (sent > 0);
}

static void an_endless_body_is_cut_off(void **state)
{
	struct rig *rig = *state;

	run_beside(rig->loop, send_chunks_for_ever, rig);
	assert_int_equal(rig->handled, 0);
}

static void a_head_too_long_is_refused_in_our_own_words(void **state)
{
	struct rig *rig = *state;
	char *text = mem_alloc(40000);

	snprintf(text, 40000, HEAD("GET /") "X: %030000d\r\n\r\n", 0);
	assert_non_null(strstr(exchange(rig, text), "in our own words"));
	assert_int_equal(rig->refused_status, 431);
	mem_free(text);
}

static void a_head_far_too_long_is_refused(void **state)
{
	struct rig *rig = *state;
	char *text = mem_alloc(200000);

	snprintf(text, 200000, HEAD("GET /") "X: %0150000d\r\n\r\n", 0);
	assert_non_null(strstr(exchange(rig, text), "HTTP/1.1 431 "));
	assert_int_equal(rig->handled, 0);
	mem_free(text);
}

static void a_later_head_of_64_kib_is_refused_in_our_own_words(void **state)
{
	struct rig *rig = *state;
	char *text = mem_alloc(80000);

	snprintf(text, 80000, HEAD("GET /") "\r\n" HEAD("GET /") "X: %065536d\r\n\r\n", 0);
	assert_non_null(strstr(exchange(rig, text), "in our own words"));
	assert_int_equal(rig->refused_status, 431);
	assert_int_equal(rig->handled, 1);
	mem_free(text);
}

/* As many small parts as one likes: each would be a record in the library's memory. */
static char *fill_head(const char *start, const char *part, const char *end)
{
	struct buf text;

	buf_init(&text, 20000);
	buf_add_str(&text, start);
	for (int i = 0; i < 7000; i++)
		buf_add_str(&text, part);
	buf_add_str(&text, end);
	return buf_take(&text);
}

static void very_many_parameters_are_just_a_long_query(void **state)
{
	struct rig *rig = *state;
	char *text = fill_head("GET /?", "a&", " HTTP/1.1\r\nHost: h\r\n\r\n");

	assert_non_null(strstr(exchange(rig, text), "200 OK"));
	assert_int_equal(rig->handled, 1);
	assert_int_equal(strncmp(rig->query, "a&a&a&", 6), 0);
	mem_free(text);
}

static void more_cookies_than_the_library_has_room_for_are_refused_once(void **state)
{
	struct rig *rig = *state;
	char *text = fill_head(HEAD("GET /") "Cookie: ", "a;", "\r\n\r\n");

	assert_non_null(strstr(exchange(rig, text), "in our own words"));
	assert_int_equal(count_of(rig->seen, "HTTP/1.1 "), 1);
	assert_int_equal(rig->handled, 0);
	mem_free(text);
}

/* ---- Refused unread ---- */

static void refuse_unread(struct rig *rig, int status)
{
	const struct http_peer peer = { .is_unix = true, .uid = 8, .address = "unix" };
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	be_patient(ends[0]);
	close(rig->client);
	rig->client = ends[0];
	httpd_refuse_socket(rig->httpd, ends[1], &peer, status);
}

static void a_socket_refused_unread_gets_our_own_words(void **state)
{
	struct rig *rig = *state;
	const char *seen;

	refuse_unread(rig, 431);
	seen = exchange(rig, "whatever");
	assert_int_equal(
		strncmp(seen, "HTTP/1.1 431 Request Header Fields Too Large\r\nDate: ", 51), 0);
	assert_non_null(strstr(seen, "\r\nX-Refused: yes\r\n"));
	assert_non_null(strstr(seen, "\r\nContent-Type: text/plain\r\n"));
	assert_non_null(strstr(seen, "\r\nConnection: close\r\n"));
	assert_non_null(strstr(seen, "\r\nContent-Length: 16\r\n\r\nin our own words"));
	assert_int_equal(httpd_pending(rig->httpd), 0);
}

static void a_socket_may_be_refused_later(void **state)
{
	struct rig *rig = *state;

	rig->replies_later = true;
	refuse_unread(rig, 400);
	assert_int_equal(httpd_pending(rig->httpd), 1);
	assert_non_null(strstr(exchange(rig, "whatever"), "in our own words"));
	assert_int_equal(httpd_pending(rig->httpd), 0);
}

static void destroying_drops_what_was_not_refused_yet(void **state)
{
	struct rig *rig = *state;
	char rest[64];

	rig->replies_later = true;
	refuse_unread(rig, 400);
	timer_stop(rig->later);
	httpd_destroy(rig->httpd);
	rig->httpd = NULL;
	assert_int_equal(read_to_end(rig->client, rest, sizeof(rest)), 0);
}

static void send_for_ever(void *arg)
{
	struct rig *rig = arg;
	char piece[4096] = { 0 };

	while (send(rig->client, piece, sizeof(piece), MSG_NOSIGNAL) > 0)
		rig->seen_len += sizeof(piece);
}

static void who_goes_on_sending_is_closed(void **state)
{
	struct rig *rig = *state;

	refuse_unread(rig, 400);
	run_beside(rig->loop, send_for_ever, rig);
	assert_in_range(rig->seen_len, 1 << 20, 2 << 20);
}

static void listen_only(void *arg)
{
	struct rig *rig = arg;

	read_to_end(rig->client, rig->seen, sizeof(rig->seen));
	while (send(rig->client, "x", 1, MSG_NOSIGNAL) > 0) /* until the other end is closed */
		poll(NULL, 0, 50);
}

static void who_keeps_silent_is_closed(void **state)
{
	struct rig *rig = *state;
	struct mono start = mono_now();

	refuse_unread(rig, 400);
	run_beside(rig->loop, listen_only, rig);
	assert_non_null(strstr(rig->seen, "in our own words"));
	assert_in_range(ms_of(start), 1000, 6000);
}

static void an_old_client_needs_no_host(void **state)
{
	struct rig *rig = *state;

	assert_non_null(strstr(exchange(rig, "GET /old HTTP/1.0\r\n\r\n"), "\r\n\r\n/old"));
}

static void without_a_refuse_callback_the_answer_is_plain(void **state)
{
	struct rig *rig = *state;
	const struct httpd_config config = { .body_max = BODY_MAX,
					     .connections_max = 1,
					     .head_timeout_ms = 1000,
					     .body_timeout_ms = 1000,
					     .handle = handle,
					     .arg = rig };
	struct err err;

	httpd_destroy(rig->httpd);
	assert_true(httpd_create(rig->loop, &config, &rig->httpd, &err));
	take_socket(rig);
	assert_non_null(strstr(exchange(rig, "GET / HTTP/1.1\r\n\r\n"), "refused: 400\n"));
}

/* ---- Slow senders ---- */

/* One byte every 20 ms: the library's own timeout would start again with each. */
static void drip(void *arg)
{
	struct rig *rig = arg;
	struct pollfd poll_fd = { .fd = rig->client, .events = POLLIN };
	char rest[16];

	send_text(rig->client, rig->send);
	read_until(rig->client, rig->keeps_open ? "/first" : "", rig->seen, sizeof(rig->seen));
	for (int i = 0; i < 200 && poll(&poll_fd, 1, 20) == 0; i++)
		send_text(rig->client, "x");
	rig->seen_len = read_to_end(rig->client, rest, sizeof(rest));
}

static void a_dripping_body_is_closed(void **state)
{
	struct rig *rig = *state;
	struct mono start = mono_now();

	rig->send = HEAD("POST /") "Content-Length: 900\r\n\r\n";
	run_beside(rig->loop, drip, rig);
	assert_in_range(ms_of(start), BODY_TIMEOUT_MS, 3000);
	assert_int_equal(rig->handled, 0);
	assert_int_equal(rig->seen_len, 0);
}

static void a_dripping_head_is_closed(void **state)
{
	struct rig *rig = *state;
	struct mono start = mono_now();

	rig->send = HEAD("GET /") "X: ";
	run_beside(rig->loop, drip, rig);
	assert_in_range(ms_of(start), HEAD_TIMEOUT_MS, 3000);
	assert_int_equal(rig->handled, 0);
}

static void a_dripping_head_on_a_used_connection_is_closed(void **state)
{
	struct rig *rig = *state;
	struct mono start = mono_now();

	rig->keeps_open = true;
	rig->send = HEAD("GET /first") "\r\n" HEAD("GET /second") "X: ";
	run_beside(rig->loop, drip, rig);
	assert_in_range(ms_of(start), HEAD_TIMEOUT_MS, 3000);
	assert_int_equal(rig->handled, 1);
}

static void an_idle_connection_is_closed(void **state)
{
	struct rig *rig = *state;
	struct mono start = mono_now();

	rig->keeps_open = true;
	assert_non_null(strstr(exchange(rig, HEAD("GET /") "\r\n"), "200 OK"));
	assert_in_range(ms_of(start), IDLE_TIMEOUT_MS, 3000);
}

/* ---- Misbehaviour on purpose ---- */

static void reply_cut_at_4(struct http_request *request)
{
	http_reply_cut(request, 200, "text/plain", "0123456789", 10, 4);
}

static void reply_cut_at_0(struct http_request *request)
{
	http_reply_cut(request, 200, "text/plain", "0123456789", 10, 0);
}

static void a_dropped_request_gets_not_a_byte(void **state)
{
	struct rig *rig = *state;

	rig->keeps_open = true;
	rig->reply = http_drop;
	assert_string_equal(exchange(rig, HEAD("GET /") "\r\n"), "");
	take_socket(rig);
	rig->replies_later = true;
	assert_string_equal(exchange(rig, HEAD("GET /") "\r\n"), "");
	assert_int_equal(rig->handled, 2);
}

static void a_cut_reply_announces_all_and_sends_a_part(void **state)
{
	struct rig *rig = *state;
	const char *seen;

	rig->keeps_open = true;
	rig->reply = reply_cut_at_4;
	seen = exchange(rig, HEAD("GET /") "\r\n");
	assert_non_null(strstr(seen, "Content-Length: 10\r\n"));
	assert_string_equal(strstr(seen, "\r\n\r\n"), "\r\n\r\n0123");
	take_socket(rig);
	rig->reply = reply_cut_at_0;
	seen = exchange(rig, HEAD("GET /") "\r\n");
	assert_non_null(strstr(seen, "Content-Length: 10\r\n"));
	assert_string_equal(strstr(seen, "\r\n\r\n"), "\r\n\r\n");
}

/* ---- Queries ---- */

static bool append_pair(void *arg, const char *name, const char *value)
{
	struct rig *rig = arg;
	size_t len = strlen(rig->body);

	snprintf(rig->body + len, sizeof(rig->body) - len, "[%s=%s]", name, value);
	return true;
}

static void reply_query(struct http_request *request)
{
	struct rig *rig = http_get(request);

	rig->body[0] = '\0';
	if (!http_query_each(request, append_pair, rig))
		strcat(rig->body, "!");
	STR_SET(rig->header, "-");
	if (http_query_get(request, "a", rig->header, 5))
		strcat(rig->header, "$");
	reply_path(request);
}

static void a_query_is_decoded_or_malformed(void **state)
{
	static const struct {
		const char *target, *pairs, *a;
	} cases[] = {
		{ "/", "", "-" },
		{ "/?", "", "-" },
		{ "/?a=1&b=2", "[a=1][b=2]", "1$" },
		{ "/?b=2&a=x%20y", "[b=2][a=x y]", "x y$" },
		{ "/?a=x+y", "[a=x y]", "x y$" },
		{ "/?%61=%C3%a4", "[a=\xc3\xa4]", "\xc3\xa4$" },
		{ "/?a", "[a=]", "$" },
		{ "/?a=1=2", "[a=1=2]", "1=2$" },
		{ "/?a=1&a=2", "[a=1][a=2]", "1$" },
		{ "/?x=1&&a=3", "[x=1][=][a=3]", "3$" },
		{ "/?a=1?2", "[a=1?2]", "1?2$" },
		{ "/?a=12345", "[a=12345]", "1234" }, /* no room for it */
		{ "/?a=%", "!", "" },
		{ "/?a=%4", "!", "" },
		{ "/?a=%4g", "!", "" },
		{ "/?a=%00", "!", "" },
		{ "/?b=1&%zz=1", "[b=1]!", "-" },
	};
	struct rig *rig = *state;
	char text[100];

	rig->reply = reply_query;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		take_socket(rig);
		snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", cases[i].target);
		exchange(rig, text);
		assert_string_equal(rig->body, cases[i].pairs);
		if (strchr(cases[i].a, '$') || cases[i].a[0] == '-')
			assert_string_equal(rig->header, cases[i].a);
		else
			assert_null(strchr(rig->header, '$'));
	}
}

static void percent_decoding_leaves_a_plus_alone(void **state)
{
	char text[4];

	(void)state;
	assert_true(http_percent_decode("a+%2b", 5, text, sizeof(text)));
	assert_string_equal(text, "a++");
	assert_false(http_percent_decode("abcd", 4, text, sizeof(text)));
	assert_false(http_percent_decode("%4", 2, text, sizeof(text)));
	assert_true(http_percent_decode("", 0, text, 1));
	assert_false(http_percent_decode("", 0, text, 0));
}

#define TEST(name)      cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define SLOW_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_impatient, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_get_is_answered_at_once),
		TEST(a_reply_from_a_timer_wakes_the_connection),
		TEST(a_body_arrives_whole),
		TEST(a_chunked_body_arrives_whole),
		TEST(a_client_that_asks_first_is_told_to_go_on),
		TEST(a_head_request_comes_as_get_and_gets_no_body),
		TEST(pipelined_requests_are_answered_in_order),
		TEST(pipelined_requests_may_all_be_answered_later),
		TEST(a_client_that_sends_no_more_still_gets_its_late_reply),
		TEST(an_end_that_came_with_the_request_is_noticed),
		TEST(a_client_that_left_while_its_request_waited_does_no_harm),
		TEST(reply_headers_are_sent_unless_they_would_break_the_head),
		TEST(a_stopping_server_closes_after_each_reply),
		TEST(a_closed_server_hands_nothing_out_and_takes_late_answers),
		TEST(destroying_drops_what_was_not_answered),
		TEST(a_large_reply_reaches_a_slow_reader_whole),
		TEST(more_connections_than_allowed_are_closed),
		cmocka_unit_test(doubtful_requests_are_refused_in_our_own_words),
		cmocka_unit_test(what_the_library_itself_refuses_never_reaches_the_handler),
		TEST(a_body_somewhat_too_large_is_read_refused_and_forgotten),
		TEST(a_chunked_body_somewhat_too_large_is_refused),
		TEST(a_refusal_may_come_later),
		TEST(a_body_of_exactly_the_bound_is_taken),
		TEST(an_endless_body_is_cut_off),
		TEST(a_head_too_long_is_refused_in_our_own_words),
		TEST(a_head_far_too_long_is_refused),
		TEST(a_later_head_of_64_kib_is_refused_in_our_own_words),
		TEST(very_many_parameters_are_just_a_long_query),
		TEST(more_cookies_than_the_library_has_room_for_are_refused_once),
		TEST(a_socket_refused_unread_gets_our_own_words),
		TEST(a_socket_may_be_refused_later),
		TEST(destroying_drops_what_was_not_refused_yet),
		TEST(who_goes_on_sending_is_closed),
		TEST(who_keeps_silent_is_closed),
		TEST(an_old_client_needs_no_host),
		TEST(without_a_refuse_callback_the_answer_is_plain),
		SLOW_TEST(a_dripping_body_is_closed),
		SLOW_TEST(a_dripping_head_is_closed),
		SLOW_TEST(a_dripping_head_on_a_used_connection_is_closed),
		SLOW_TEST(an_idle_connection_is_closed),
		TEST(a_dropped_request_gets_not_a_byte),
		TEST(a_cut_reply_announces_all_and_sends_a_part),
		TEST(a_query_is_decoded_or_malformed),
		cmocka_unit_test(percent_decoding_leaves_a_plus_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
