#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/httpd.h"

#include "base/mem.h"
#include "net/net_test.h"

#define SEEN_MAX  65536
#define PIECE_LEN 10000
#define FLOOD_LEN 20000000
#define STALL_MS  300
#define LONG_MS   60000

/* A server with one connection, whose other end is in the hands of a script, and one stream. */
struct rig {
	struct loop *loop;
	struct httpd *httpd;
	struct timer *timer;
	int client;
	const char *ask;
	char seen[SEEN_MAX]; /* all that came back, or the last of it */
	size_t seen_len;     /* in all */
	int64_t stall_ms;
	/* What the handler does, at once or later, and what the timer does next. */
	void (*start)(struct rig *rig);
	void (*next)(struct rig *rig);
	int64_t next_ms;
	bool starts_later, stops_when_gone;
	/* What became of it. */
	struct http_request *request;
	struct http_stream *stream; /* NULL: gone */
	unsigned handled, drained, gone, sends;
	size_t queued_max;
	uint64_t sent; /* at the end */
};

static void on_drained(void *arg, struct http_stream *stream)
{
	struct rig *rig = arg;

	assert_ptr_equal(stream, rig->stream);
	assert_int_equal(http_stream_queued(stream), 0);
	rig->drained++;
}

static void on_gone(void *arg, struct http_stream *stream)
{
	struct rig *rig = arg;

	assert_ptr_equal(stream, rig->stream);
	rig->sent = http_stream_sent(stream);
	rig->stream = NULL;
	rig->gone++;
	timer_stop(rig->timer);
	if (rig->stops_when_gone)
		loop_stop(rig->loop);
}

static void send_piece(struct rig *rig, const char *text)
{
	http_stream_send(rig->stream, text, strlen(text));
	rig->sends++;
	if (http_stream_queued(rig->stream) > rig->queued_max)
		rig->queued_max = http_stream_queued(rig->stream);
}

static void open_stream(struct rig *rig)
{
	const struct http_stream_config config = { .status = 200,
						   .content_type = "text/event-stream",
						   .stall_ms = rig->stall_ms,
						   .drained = on_drained,
						   .gone = on_gone,
						   .arg = rig };

	http_reply_header(rig->request, "Cache-Control", "no-store");
	rig->stream = http_reply_stream(rig->request, &config);
	rig->request = NULL;
	if (rig->start)
		rig->start(rig);
	if (rig->next)
		timer_start(rig->timer, rig->next_ms);
}

static void on_timer(void *arg)
{
	struct rig *rig = arg;

	if (rig->request)
		open_stream(rig);
	else if (rig->stream)
		rig->next(rig);
}

static void handle(void *arg, struct http_request *request)
{
	struct rig *rig = arg;

	rig->handled++;
	if (rig->handled > 1) {
		http_reply_static(request, 200, "text/plain", "ordinary", 8);
		return;
	}
	rig->request = request;
	if (rig->starts_later)
		timer_start(rig->timer, 5);
	else
		open_stream(rig);
}

static void take_socket(struct rig *rig)
{
	const struct http_peer peer = { .address = "127.0.0.1" };
	int port, listener = listen_somewhere(&port);

	if (rig->client > 0)
		close(rig->client);
	rig->client = connect_tcp(port);
	httpd_take_socket(rig->httpd, accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC),
			  &peer);
	close(listener);
}

static int set_up(void **state)
{
	struct rig *rig = mem_alloc(sizeof(*rig));
	const struct httpd_config config = { .body_max = 1000,
					     .connections_max = 3,
					     .head_timeout_ms = 10000,
					     .body_timeout_ms = 10000,
					     .handle = handle,
					     .arg = rig };
	struct err err;

	rig->ask = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
	rig->stall_ms = LONG_MS;
	rig->next_ms = 5;
	rig->loop = loop_create();
	rig->timer = loop_timer_create(rig->loop, on_timer, rig);
	assert_true(httpd_create(rig->loop, &config, &rig->httpd, &err));
	take_socket(rig);
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	httpd_destroy(rig->httpd);
	assert_null(rig->stream);
	timer_destroy(rig->timer);
	loop_destroy(rig->loop);
	close(rig->client);
	mem_free(rig);
	return 0;
}

static void ask_and_listen(void *arg)
{
	struct rig *rig = arg;

	send_text(rig->client, rig->ask);
	rig->seen_len = read_to_end(rig->client, rig->seen, sizeof(rig->seen));
}

static const char *exchange(struct rig *rig)
{
	run_beside(rig->loop, ask_and_listen, rig);
	return rig->seen;
}

static int64_t ms_of(struct mono start)
{
	return mono_diff_ms(mono_now(), start);
}

/* ---- Pieces ---- */

static void send_two_more_and_end(struct rig *rig)
{
	if (rig->sends < 3) {
		send_piece(rig, rig->sends == 1 ? "two," : "three");
		timer_start(rig->timer, 5);
		return;
	}
	http_stream_end(rig->stream);
	http_stream_end(rig->stream);
	http_stream_send(rig->stream, "too late", 8);
}

static void send_one(struct rig *rig)
{
	send_piece(rig, "one,");
}

static void pieces_arrive_as_chunks_until_the_end(void **state)
{
	struct rig *rig = *state;
	const char *seen;

	rig->start = send_one;
	rig->next = send_two_more_and_end;
	seen = exchange(rig);
	assert_int_equal(strncmp(seen, "HTTP/1.1 200 OK\r\n", 17), 0);
	assert_non_null(strstr(seen, "Content-Type: text/event-stream\r\n"));
	assert_non_null(strstr(seen, "Cache-Control: no-store\r\n"));
	assert_non_null(strstr(seen, "Transfer-Encoding: chunked\r\n"));
	assert_non_null(strstr(seen, "Connection: close\r\n"));
	assert_string_equal(strstr(seen, "\r\n\r\n"),
			    "\r\n\r\n4\r\none,\r\n4\r\ntwo,\r\n5\r\nthree\r\n0\r\n\r\n");
	assert_int_equal(rig->drained, 3);
	assert_int_equal(rig->gone, 1);
	assert_int_equal(rig->sent, 13);
	assert_int_equal(httpd_pending(rig->httpd), 0);
}

static void a_request_that_waited_may_get_a_stream(void **state)
{
	struct rig *rig = *state;

	rig->starts_later = true;
	rig->start = send_one;
	rig->next = send_two_more_and_end;
	assert_non_null(strstr(exchange(rig), "\r\none,\r\n4\r\ntwo,\r\n5\r\nthree\r\n0\r\n"));
	assert_int_equal(rig->gone, 1);
}

static void an_old_client_gets_the_bytes_alone(void **state)
{
	struct rig *rig = *state;
	const char *seen;

	rig->ask = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
	rig->start = send_one;
	rig->next = send_two_more_and_end;
	seen = exchange(rig);
	assert_null(strstr(seen, "Transfer-Encoding"));
	assert_null(strstr(seen, "Content-Length"));
	assert_string_equal(strstr(seen, "\r\n\r\n"), "\r\n\r\none,two,three");
	assert_int_equal(rig->drained, 3);
	assert_int_equal(rig->gone, 1);
	assert_int_equal(rig->sent, 13);
}

static void a_head_request_gets_the_head_and_no_stream(void **state)
{
	struct rig *rig = *state;
	const char *seen;

	rig->ask = "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n";
	rig->start = send_one;
	seen = exchange(rig);
	assert_non_null(strstr(seen, "Content-Type: text/event-stream\r\n"));
	assert_string_equal(strstr(seen, "\r\n\r\n"), "\r\n\r\n");
	assert_int_equal(rig->gone, 1);
	assert_int_equal(rig->drained, 0);
}

static void end_at_once(struct rig *rig)
{
	http_stream_end(rig->stream);
}

static void send_and_end_at_once(struct rig *rig)
{
	send_piece(rig, "one,");
	send_piece(rig, "two");
	http_stream_end(rig->stream);
}

static void an_end_comes_after_what_is_queued(void **state)
{
	struct rig *rig = *state;

	rig->start = send_and_end_at_once;
	assert_non_null(strstr(exchange(rig), "\r\n\r\n7\r\none,two\r\n0\r\n\r\n"));
	assert_int_equal(rig->gone, 1);
}

static void a_stream_may_end_without_a_byte(void **state)
{
	struct rig *rig = *state;

	rig->start = end_at_once;
	assert_non_null(strstr(exchange(rig), "\r\n\r\n0\r\n\r\n"));
	assert_int_equal(rig->gone, 1);
	assert_int_equal(rig->drained, 0);
}

static void cut_now(struct rig *rig)
{
	http_stream_cut(rig->stream);
	http_stream_cut(rig->stream);
	http_stream_send(rig->stream, "too late", 8);
	http_stream_end(rig->stream);
}

static void a_cut_stream_breaks_off(void **state)
{
	struct rig *rig = *state;
	const char *seen;

	rig->start = send_one;
	rig->next = cut_now;
	rig->next_ms = 50;
	seen = exchange(rig);
	assert_string_equal(strstr(seen, "\r\n\r\n"), "\r\n\r\n4\r\none,\r\n");
	assert_int_equal(rig->gone, 1);
}

static void a_stream_may_be_cut_before_its_head_is_sent(void **state)
{
	struct rig *rig = *state;

	rig->start = cut_now;
	assert_string_equal(exchange(rig), "");
	assert_int_equal(rig->gone, 1);
}

/* What the client still sends is nobody's business, and not read. */
static void the_connection_serves_no_second_request(void **state)
{
	struct rig *rig = *state;

	rig->ask = "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n";
	rig->start = send_one;
	rig->next = send_two_more_and_end;
	exchange(rig);
	assert_int_equal(rig->handled, 1);
	assert_int_equal(rig->gone, 1);
}

/* ---- Readers of all speeds ---- */

static char piece_byte(size_t at)
{
	return (char)('a' + at % 23);
}

static void send_flood(struct rig *rig)
{
	char piece[PIECE_LEN + 1];
	size_t at = 0;

	piece[PIECE_LEN] = '\0';
	while (at < FLOOD_LEN) {
		for (size_t i = 0; i < PIECE_LEN; i++, at++)
			piece[i] = piece_byte(at);
		send_piece(rig, piece);
	}
	http_stream_end(rig->stream);
}

/* The body of an old client's reply, checked byte by byte. */
static void read_flood(void *arg)
{
	struct rig *rig = arg;
	char piece[50000];
	size_t at = 0;
	ssize_t got;
	const char *body;

	send_text(rig->client, rig->ask);
	read_until(rig->client, "\r\n\r\n", rig->seen, 400);
	body = strstr(rig->seen, "\r\n\r\n") + 4;
	for (; *body; body++)
		rig->seen_len += *body == piece_byte(at++);
	while ((got = recv(rig->client, piece, sizeof(piece), 0)) > 0)
		for (ssize_t i = 0; i < got; i++)
			rig->seen_len += piece[i] == piece_byte(at++);
}

static void a_flood_reaches_the_reader_whole_and_in_order(void **state)
{
	struct rig *rig = *state;

	rig->ask = "GET / HTTP/1.0\r\n\r\n";
	rig->start = send_flood;
	run_beside(rig->loop, read_flood, rig);
	assert_int_equal(rig->seen_len, FLOOD_LEN);
	assert_int_equal(rig->sent, FLOOD_LEN);
	assert_int_equal(rig->queued_max, FLOOD_LEN);
	assert_int_equal(rig->gone, 1);
}

/* As a caller does that bounds what is queued. */
static void send_while_there_is_room(struct rig *rig)
{
	char piece[PIECE_LEN + 1];
	size_t at = 0;

	piece[PIECE_LEN] = '\0';
	while (http_stream_queued(rig->stream) < 10 * PIECE_LEN &&
	       http_stream_sent(rig->stream) + http_stream_queued(rig->stream) < FLOOD_LEN) {
		at = rig->sends * (size_t)PIECE_LEN;
		for (size_t i = 0; i < PIECE_LEN; i++)
			piece[i] = piece_byte(at + i);
		send_piece(rig, piece);
	}
	if (rig->sends == FLOOD_LEN / PIECE_LEN)
		http_stream_end(rig->stream);
	else
		timer_start(rig->timer, 1);
}

static void a_bounded_flood_stays_bounded(void **state)
{
	struct rig *rig = *state;

	rig->ask = "GET / HTTP/1.0\r\n\r\n";
	rig->next = send_while_there_is_room;
	run_beside(rig->loop, read_flood, rig);
	assert_int_equal(rig->seen_len, FLOOD_LEN);
	assert_in_range(rig->queued_max, 10 * PIECE_LEN, 11 * PIECE_LEN);
	assert_int_equal(rig->gone, 1);
}

static void ask_and_wait(void *arg)
{
	struct rig *rig = arg;
	struct pollfd poll_fd = { .fd = rig->client, .events = POLLRDHUP };

	send_text(rig->client, rig->ask);
	poll(&poll_fd, 1, PATIENCE_S * 1000); /* until it is hung up on */
}

static void a_reader_that_takes_nothing_is_cut(void **state)
{
	struct rig *rig = *state;
	struct mono start = mono_now();

	rig->stall_ms = STALL_MS;
	rig->start = send_flood;
	rig->stops_when_gone = true;
	run_beside(rig->loop, ask_and_wait, rig);
	assert_int_equal(rig->gone, 1);
	assert_int_equal(rig->drained, 0);
	assert_true(rig->sent < FLOOD_LEN);
	assert_in_range(ms_of(start), STALL_MS, 5000);
}

/* A busy machine may keep the reader itself from its turn for a while. */
#define STEADY_STALL_MS 1000

/* Too little for the kernel to ask for more, in the time that it may stand still. */
static void read_steadily(void *arg)
{
	struct rig *rig = arg;
	struct mono start = mono_now();
	char piece[500];
	ssize_t got = 1;

	send_text(rig->client, rig->ask);
	while (ms_of(start) < 2 * STEADY_STALL_MS && got > 0) {
		got = recv(rig->client, piece, sizeof(piece), 0);
		rig->seen_len += (size_t)got;
		poll(NULL, 0, 5);
	}
}

static void a_slow_but_steady_reader_is_not_cut(void **state)
{
	struct rig *rig = *state;
	int room = 4096;

	setsockopt(rig->client, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	rig->stall_ms = STEADY_STALL_MS;
	rig->start = send_flood;
	run_beside(rig->loop, read_steadily, rig);
	assert_true(rig->seen_len > 10000);
	assert_int_equal(rig->gone, 0);
}

static void read_one_and_wait(void *arg)
{
	struct rig *rig = arg;

	send_text(rig->client, rig->ask);
	read_until(rig->client, "one,", rig->seen, sizeof(rig->seen));
	poll(NULL, 0, 3 * STALL_MS);
}

static void a_stream_with_nothing_to_say_is_not_cut(void **state)
{
	struct rig *rig = *state;

	rig->stall_ms = STALL_MS;
	rig->start = send_one;
	run_beside(rig->loop, read_one_and_wait, rig);
	assert_int_equal(rig->gone, 0);
	rig->start = NULL;
	send_piece(rig, "two");
	http_stream_end(rig->stream);
	rig->ask = "";
	assert_non_null(strstr(exchange(rig), "two"));
}

/* ---- Partings ---- */

static void read_one_and_leave(void *arg)
{
	struct rig *rig = arg;

	send_text(rig->client, rig->ask);
	read_until(rig->client, "one,", rig->seen, sizeof(rig->seen));
	close(rig->client);
	rig->client = -1;
	poll(NULL, 0, PATIENCE_S * 100);
}

/* The connection is suspended: the library does not look at it. */
static void a_client_that_leaves_a_silent_stream_is_noticed(void **state)
{
	struct rig *rig = *state;
	struct mono start = mono_now();

	rig->start = send_one;
	rig->stops_when_gone = true;
	run_beside(rig->loop, read_one_and_leave, rig);
	assert_int_equal(rig->gone, 1);
	assert_true(ms_of(start) < PATIENCE_S * 1000);
}

static void half_close(void *arg)
{
	struct rig *rig = arg;

	send_text(rig->client, rig->ask);
	read_until(rig->client, "one,", rig->seen, sizeof(rig->seen));
	shutdown(rig->client, SHUT_WR);
	read_to_end(rig->client, rig->seen, sizeof(rig->seen));
}

static void a_client_that_sends_no_more_has_left(void **state)
{
	struct rig *rig = *state;

	rig->start = send_one;
	run_beside(rig->loop, half_close, rig);
	assert_int_equal(rig->gone, 1);
}

static void leave_unread(void *arg)
{
	struct rig *rig = arg;

	send_text(rig->client, rig->ask);
	read_until(rig->client, "\r\n\r\n", rig->seen, 400);
	poll(NULL, 0, 50);
	close(rig->client);
	rig->client = -1;
}

static void a_client_that_leaves_in_mid_flood_is_noticed(void **state)
{
	struct rig *rig = *state;

	rig->start = send_flood;
	rig->stops_when_gone = true;
	run_beside(rig->loop, leave_unread, rig);
	if (rig->gone == 0)
		loop_run(rig->loop);
	assert_int_equal(rig->gone, 1);
	assert_true(rig->sent < FLOOD_LEN);
}

static void ask_and_leave(void *arg)
{
	struct rig *rig = arg;

	send_text(rig->client, rig->ask);
	close(rig->client);
	rig->client = -1;
}

static void a_client_that_left_before_its_stream_began_is_noticed(void **state)
{
	struct rig *rig = *state;

	rig->starts_later = rig->stops_when_gone = true;
	rig->start = send_one;
	run_beside(rig->loop, ask_and_leave, rig);
	if (rig->gone == 0)
		loop_run(rig->loop);
	assert_int_equal(rig->gone, 1);
}

static void stop_soon(struct rig *rig)
{
	loop_stop(rig->loop);
}

static void run_with(struct rig *rig, void (*start)(struct rig *rig))
{
	rig->start = start;
	rig->next = stop_soon;
	rig->next_ms = 50;
	send_text(rig->client, rig->ask);
	loop_run(rig->loop);
	assert_int_equal(rig->gone, 0);
}

static void destroying_the_server_ends_a_silent_stream(void **state)
{
	struct rig *rig = *state;

	run_with(rig, send_one);
	httpd_destroy(rig->httpd);
	rig->httpd = NULL;
	assert_int_equal(rig->gone, 1);
	read_to_end(rig->client, rig->seen, sizeof(rig->seen));
	assert_non_null(strstr(rig->seen, "one,"));
}

static void destroying_the_server_ends_a_flood(void **state)
{
	struct rig *rig = *state;

	run_with(rig, send_flood);
	httpd_destroy(rig->httpd);
	rig->httpd = NULL;
	assert_int_equal(rig->gone, 1);
}

static void stop_now(struct rig *rig)
{
	loop_stop(rig->loop);
}

static void destroying_the_server_ends_a_stream_that_has_just_begun(void **state)
{
	struct rig *rig = *state;

	rig->start = stop_now;
	rig->starts_later = true;
	send_text(rig->client, rig->ask);
	loop_run(rig->loop);
	assert_int_equal(rig->gone, 0);
	httpd_destroy(rig->httpd);
	rig->httpd = NULL;
	assert_int_equal(rig->gone, 1);
}

static void a_stopping_server_lets_its_streams_end_by_themselves(void **state)
{
	struct rig *rig = *state;

	run_with(rig, send_one);
	httpd_stop_keepalive(rig->httpd);
	rig->next = send_two_more_and_end;
	timer_start(rig->timer, 5);
	rig->ask = "";
	assert_non_null(strstr(exchange(rig), "three\r\n0\r\n\r\n"));
	assert_int_equal(rig->gone, 1);
}

/* The connection that is over must not be left with the library, which counts it. */
static void the_place_of_a_stream_that_is_over_is_free_again(void **state)
{
	static void (*const ends[])(struct rig * rig) = { end_at_once, cut_now,
							  send_and_end_at_once };
	struct rig *rig = *state;

	for (unsigned round = 0; round < 4; round++) {
		for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
			rig->handled = 0;
			rig->ask = round % 2 ? "GET / HTTP/1.0\r\n\r\n"
					     : "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
			rig->start = round < 2 ? ends[i] : NULL;
			rig->next = round < 2 ? NULL : ends[i];
			exchange(rig);
			take_socket(rig);
		}
	}
	assert_int_equal(rig->gone, 12);
	rig->ask = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
	assert_non_null(strstr(exchange(rig), "ordinary"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pieces_arrive_as_chunks_until_the_end),
		TEST(a_request_that_waited_may_get_a_stream),
		TEST(an_old_client_gets_the_bytes_alone),
		TEST(a_head_request_gets_the_head_and_no_stream),
		TEST(an_end_comes_after_what_is_queued),
		TEST(a_stream_may_end_without_a_byte),
		TEST(a_cut_stream_breaks_off),
		TEST(a_stream_may_be_cut_before_its_head_is_sent),
		TEST(the_connection_serves_no_second_request),
		TEST(a_flood_reaches_the_reader_whole_and_in_order),
		TEST(a_bounded_flood_stays_bounded),
		TEST(a_reader_that_takes_nothing_is_cut),
		TEST(a_slow_but_steady_reader_is_not_cut),
		TEST(a_stream_with_nothing_to_say_is_not_cut),
		TEST(a_client_that_leaves_a_silent_stream_is_noticed),
		TEST(a_client_that_sends_no_more_has_left),
		TEST(a_client_that_leaves_in_mid_flood_is_noticed),
		TEST(a_client_that_left_before_its_stream_began_is_noticed),
		TEST(destroying_the_server_ends_a_silent_stream),
		TEST(destroying_the_server_ends_a_flood),
		TEST(destroying_the_server_ends_a_stream_that_has_just_begun),
		TEST(a_stopping_server_lets_its_streams_end_by_themselves),
		TEST(the_place_of_a_stream_that_is_over_is_free_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
