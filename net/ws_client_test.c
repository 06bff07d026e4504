#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/ws.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "base/mem.h"
#include "net/net_test.h"

#define SEEN_MAX    65536
#define MESSAGE_MAX 1000000
#define LARGE_LEN   5000000
#define PATH        "/accounts/stream?api_key=SECRET"
#define GUID        "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define LONG_MS     8000

/* A client under test, and a server by hand for one connection. */
struct rig {
	struct loop *loop;
	struct ws *ws;
	struct ws_peer *peer;
	struct timer *limit;
	int listener, port, fd;
	struct ws_connect_config config;
	char url[64];
	/* What the server does, after the handshake unless it is raw. */
	void (*serve)(struct rig *rig);
	const char *answer; /* to the handshake, if not the right one */
	char head[4096];    /* the handshake */
	char seen[SEEN_MAX];
	size_t seen_len;
	unsigned pings, bad_frames;
	/* What the client does. */
	void (*on_opened)(struct rig *rig);
	void (*on_message)(struct rig *rig);
	bool is_inside; /* of a call that must not call back */
	/* What it saw. */
	unsigned opened, messages, texts, drained, closed;
	char last[SEEN_MAX];
	size_t last_len, all_len;
	struct ws_end end;
};

static void on_opened(void *arg, struct ws_peer *peer)
{
	struct rig *rig = arg;

	assert_false(rig->is_inside);
	assert_ptr_equal(peer, rig->peer);
	rig->opened++;
	if (rig->on_opened)
		rig->on_opened(rig);
}

static void on_message(void *arg, struct ws_peer *peer, const char *bytes, size_t len, bool is_text)
{
	struct rig *rig = arg;
	size_t kept = len < sizeof(rig->last) - 1 ? len : sizeof(rig->last) - 1;

	assert_ptr_equal(peer, rig->peer);
	rig->messages++;
	rig->texts += is_text;
	rig->last_len = len;
	rig->all_len += len;
	memcpy(rig->last, bytes, kept);
	rig->last[kept] = '\0';
	if (rig->on_message)
		rig->on_message(rig);
	assert_int_equal(memcmp(rig->last, bytes, kept), 0); /* whatever was called meanwhile */
}

static void on_drained(void *arg, struct ws_peer *peer)
{
	struct rig *rig = arg;

	assert_int_equal(ws_queued(peer), 0);
	rig->drained++;
}

static void on_closed(void *arg, struct ws_peer *peer, const struct ws_end *end)
{
	struct rig *rig = arg;

	assert_false(rig->is_inside);
	assert_ptr_equal(peer, rig->peer);
	assert_null(strstr(end->err.text, "SECRET"));
	assert_null(strstr(end->err.text, "stream"));
	rig->end = *end;
	rig->peer = NULL;
	rig->closed++;
	loop_stop(rig->loop);
}

static const struct ws_handlers handlers = {
	.opened = on_opened, .message = on_message, .drained = on_drained, .closed = on_closed
};

static void give_up(void *arg)
{
	loop_stop(arg);
}

static void create_ws(struct rig *rig, const char *ca_file)
{
	const struct ws_config config = { .peers_max = 10, .ca_file = ca_file };
	struct err err;

	assert_true(ws_create(rig->loop, &config, &rig->ws, &err));
}

static int set_up_without_ws(void **state)
{
	struct rig *rig = mem_alloc(sizeof(*rig));

	rig->loop = loop_create();
	rig->limit = loop_timer_create(rig->loop, give_up, rig->loop);
	rig->listener = listen_somewhere(&rig->port);
	rig->fd = -1;
	rig->config = (struct ws_connect_config){ .url = rig->url,
						  .path = PATH,
						  .timeout_ms = LONG_MS,
						  .message_max = MESSAGE_MAX,
						  .handlers = &handlers };
	snprintf(rig->url, sizeof(rig->url), "ws://127.0.0.1:%d", rig->port);
	*state = rig;
	return 0;
}

static int set_up(void **state)
{
	set_up_without_ws(state);
	create_ws(*state, NULL);
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	ws_destroy(rig->ws);
	assert_null(rig->peer);
	timer_destroy(rig->limit);
	loop_destroy(rig->loop);
	close(rig->listener);
	if (rig->fd >= 0)
		close(rig->fd);
	mem_free(rig);
	return 0;
}

static void connect_peer(struct rig *rig)
{
	rig->is_inside = true;
	rig->peer = ws_connect(rig->ws, &rig->config, rig);
	rig->is_inside = false;
}

static void run_until_closed(struct rig *rig)
{
	timer_start(rig->limit, 20000);
	while (rig->closed == 0 && timer_is_running(rig->limit))
		loop_run(rig->loop);
	timer_stop(rig->limit);
	assert_int_equal(rig->closed, 1);
}

/* ---- the server by hand ------------------------------------------------------------------ */

static void print_accept(const char *head, char accept[64])
{
	const char *name = strstr(head, "Sec-WebSocket-Key: ");
	const char *key = name ? name + strlen("Sec-WebSocket-Key: ") : "";
	unsigned char hash[SHA_DIGEST_LENGTH];
	char text[128];

	snprintf(text, sizeof(text), "%.24s" GUID, key);
	SHA1((unsigned char *)text, strlen(text), hash);
	EVP_EncodeBlock((unsigned char *)accept, hash, sizeof(hash));
}

static void accept_client(struct rig *rig)
{
	rig->fd = accept(rig->listener, NULL, NULL);
	be_patient(rig->fd);
	read_until(rig->fd, "\r\n\r\n", rig->head, sizeof(rig->head));
}

static void shake_hands(struct rig *rig)
{
	char text[256], accept_key[64];

	accept_client(rig);
	print_accept(rig->head, accept_key);
	snprintf(text, sizeof(text),
		 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		 "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		 accept_key);
	send_text(rig->fd, rig->answer ? rig->answer : text);
}

/* first: FIN is 0x80, then the opcode. Not masked. */
static void send_frame(struct rig *rig, unsigned first, const void *payload, size_t len)
{
	unsigned char head[10] = { (unsigned char)first };
	size_t at = 2;

	head[1] = (unsigned char)(len < 126 ? len : len < 65536 ? 126 : 127);
	for (int shift = len < 126 ? -8 : len < 65536 ? 8 : 56; shift >= 0; shift -= 8)
		head[at++] = (unsigned char)((uint64_t)len >> shift);
	send_bytes(rig->fd, head, at);
	send_bytes(rig->fd, payload, len);
}

static void say(struct rig *rig, const char *text)
{
	send_frame(rig, 0x81, text, strlen(text));
}

static void say_close(struct rig *rig, int code, const char *reason)
{
	char payload[125] = { (char)(code >> 8), (char)code };

	memcpy(payload + 2, reason, strlen(reason));
	send_frame(rig, 0x88, payload, 2 + strlen(reason));
}

static bool read_exactly(int fd, void *to, size_t len)
{
	char *at = to;
	ssize_t got;

	for (; len > 0; at += got, len -= (size_t)got)
		if ((got = recv(fd, at, len, 0)) <= 0)
			return false;
	return true;
}

/* The opcode of the client's next frame, its payload unmasked in seen; -1 at the end. */
static int hear(struct rig *rig)
{
	unsigned char head[2], more[8], key[4];
	uint64_t len;

	if (!read_exactly(rig->fd, head, 2))
		return -1;
	if (!(head[0] & 0x80) || !(head[1] & 0x80))
		rig->bad_frames++;
	len = head[1] & 0x7f;
	if (len >= 126) {
		unsigned count = len == 126 ? 2 : 8;

		len = 0;
		if (!read_exactly(rig->fd, more, count))
			return -1;
		for (unsigned i = 0; i < count; i++)
			len = len << 8 | more[i];
	}
	if (len >= sizeof(rig->seen) || !read_exactly(rig->fd, key, 4) ||
	    !read_exactly(rig->fd, rig->seen, len))
		return -1;
	for (uint64_t i = 0; i < len; i++)
		rig->seen[i] = (char)(rig->seen[i] ^ key[i & 3]);
	rig->seen[len] = '\0';
	rig->seen_len = len;
	return head[0] & 0x0f;
}

/* The code of the client's next close frame; 0: the connection ended without. */
static int hear_close(struct rig *rig)
{
	int opcode;

	while ((opcode = hear(rig)) >= 0)
		if (opcode == 8)
			return rig->seen_len < 2 ? 1005
						 : (unsigned char)rig->seen[0] << 8 |
							   (unsigned char)rig->seen[1];
	return 0;
}

static void shake_and_serve(void *arg)
{
	struct rig *rig = arg;

	shake_hands(rig);
	if (rig->serve)
		rig->serve(rig);
}

static void raw_serve(void *arg)
{
	struct rig *rig = arg;

	rig->serve(rig);
}

/* Connects, and runs until the server has done its part and the client is closed. */
static void talk(struct rig *rig, void (*serve)(struct rig *rig))
{
	rig->serve = serve;
	connect_peer(rig);
	run_beside(rig->loop, shake_and_serve, rig);
	run_until_closed(rig);
	assert_int_equal(rig->bad_frames, 0);
}

static void talk_raw(struct rig *rig, void (*serve)(struct rig *rig))
{
	rig->serve = serve;
	connect_peer(rig);
	run_beside(rig->loop, raw_serve, rig);
	run_until_closed(rig);
}

static int64_t ms_of(struct mono start)
{
	return mono_diff_ms(mono_now(), start);
}

/* ---- talking ----------------------------------------------------------------------------- */

static void echo_once(struct rig *rig)
{
	if (hear(rig) == 1)
		say(rig, rig->seen);
	say_close(rig, 1000, "");
	hear_close(rig);
}

static void send_hello(struct rig *rig)
{
	ws_send_text(rig->peer, "hello", 5);
}

static void messages_go_both_ways(void **state)
{
	struct rig *rig = *state;
	char host[64];

	rig->on_opened = send_hello;
	talk(rig, echo_once);
	assert_int_equal(rig->opened, 1);
	assert_int_equal(rig->messages, 1);
	assert_int_equal(rig->texts, 1);
	assert_string_equal(rig->last, "hello");
	assert_int_equal(rig->drained, 1);
	assert_int_equal(rig->end.code, WS_CLOSE_NORMAL);
	assert_int_equal(rig->end.err.code, ERR_NONE);
	assert_int_equal(rig->end.http_status, 0);
	assert_int_equal(strncmp(rig->head, "GET " PATH " HTTP/1.1\r\n", strlen(PATH) + 15), 0);
	snprintf(host, sizeof(host), "\r\nHost: 127.0.0.1:%d\r\n", rig->port);
	assert_non_null(strstr(rig->head, host));
	assert_non_null(strstr(rig->head, "\r\nSec-WebSocket-Version: 13\r\n"));
	assert_null(strstr(rig->head, "Origin"));
	assert_null(strstr(rig->head, "Sec-WebSocket-Protocol"));
	assert_null(strstr(rig->head, "Sec-WebSocket-Extensions"));
}

static void a_name_is_looked_up(void **state)
{
	struct rig *rig = *state;
	char host[64];

	snprintf(rig->url, sizeof(rig->url), "ws://localhost:%d/", rig->port);
	rig->on_opened = send_hello;
	talk(rig, echo_once);
	assert_string_equal(rig->last, "hello");
	snprintf(host, sizeof(host), "\r\nHost: localhost:%d\r\n", rig->port);
	assert_non_null(strstr(rig->head, host));
}

static void an_ipv6_address_is_reached(void **state)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6,
					.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	socklen_t len = sizeof(address);
	struct rig *rig = *state;
	char host[64];

	close(rig->listener);
	rig->listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(rig->listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(rig->listener, 4), 0);
	getsockname(rig->listener, (struct sockaddr *)&address, &len);
	snprintf(rig->url, sizeof(rig->url), "ws://[::1]:%d", ntohs(address.sin6_port));
	rig->on_opened = send_hello;
	talk(rig, echo_once);
	assert_string_equal(rig->last, "hello");
	snprintf(host, sizeof(host), "\r\nHost: [::1]:%d\r\n", ntohs(address.sin6_port));
	assert_non_null(strstr(rig->head, host));
}

static void send_one_after_the_other(struct rig *rig)
{
	send_frame(rig, 0x01, "one,\xe2", 5);
	send_frame(rig, 0x89, "p", 1);
	send_frame(rig, 0x00, "\x82", 1);
	send_frame(rig, 0x00, "", 0);
	send_frame(rig, 0x80, "\xac", 1);
	rig->pings = hear(rig) == 10 && strcmp(rig->seen, "p") == 0;
	say_close(rig, 1000, "");
	hear_close(rig);
}

static void fragments_are_joined_and_pings_between_them_answered(void **state)
{
	struct rig *rig = *state;

	talk(rig, send_one_after_the_other);
	assert_int_equal(rig->messages, 1);
	assert_string_equal(rig->last, "one,\xe2\x82\xac");
	assert_int_equal(rig->pings, 1);
}

static void send_of_all_kinds(struct rig *rig)
{
	say(rig, "");
	send_frame(rig, 0x82, "\0\xff", 2);
	send_frame(rig, 0x82, "", 0);
	send_frame(rig, 0x81, "a\0b", 3);
	say_close(rig, 1000, "");
	hear_close(rig);
}

static void text_binary_and_nothing_arrive(void **state)
{
	struct rig *rig = *state;

	talk(rig, send_of_all_kinds);
	assert_int_equal(rig->messages, 4);
	assert_int_equal(rig->texts, 2);
	assert_int_equal(rig->all_len, 5);
	assert_int_equal(rig->last_len, 3);
	assert_memory_equal(rig->last, "a\0b", 3);
}

static void send_largest(struct rig *rig)
{
	char *bytes = mem_alloc(MESSAGE_MAX);

	memset(bytes, 'x', MESSAGE_MAX);
	for (int i = 0; i < 3; i++)
		send_frame(rig, 0x81, bytes, MESSAGE_MAX);
	mem_free(bytes);
	say(rig, "end");
	say_close(rig, 1000, "");
	hear_close(rig);
}

static void messages_may_be_as_long_as_the_bound(void **state)
{
	struct rig *rig = *state;

	talk(rig, send_largest);
	assert_int_equal(rig->messages, 4);
	assert_int_equal(rig->all_len, 3 * MESSAGE_MAX + 3);
	assert_string_equal(rig->last, "end");
	assert_int_equal(rig->end.code, WS_CLOSE_NORMAL);
}

static void send_too_much(struct rig *rig)
{
	char *bytes = mem_alloc(MESSAGE_MAX);

	memset(bytes, 'x', MESSAGE_MAX);
	send_frame(rig, 0x01, bytes, MESSAGE_MAX);
	send_frame(rig, 0x80, "x", 1);
	say(rig, "not heard");
	mem_free(bytes);
	rig->seen_len = (size_t)hear_close(rig);
	say_close(rig, 1009, "");
}

static void a_longer_one_closes(void **state)
{
	struct rig *rig = *state;

	talk(rig, send_too_much);
	assert_int_equal(rig->messages, 0);
	assert_int_equal(rig->seen_len, WS_CLOSE_TOO_BIG);
	assert_int_equal(rig->end.code, WS_CLOSE_TOO_BIG);
	assert_int_equal(rig->end.err.code, ERR_EXCHANGE_ANSWER);
}

static void send_no_utf8(struct rig *rig)
{
	say(rig, "bad\xc0\x80");
	say(rig, "not heard");
	rig->seen_len = (size_t)hear_close(rig);
}

static void text_that_is_not_utf8_closes(void **state)
{
	struct rig *rig = *state;

	talk(rig, send_no_utf8);
	assert_int_equal(rig->messages, 0);
	assert_int_equal(rig->seen_len, WS_CLOSE_INVALID);
	assert_int_equal(rig->end.code, WS_CLOSE_INVALID);
}

static void send_large(struct rig *rig)
{
	char *text = mem_alloc(50000);

	memset(text, 'y', 50000);
	for (size_t i = 0; i < LARGE_LEN / 50000; i++)
		ws_send_text(rig->peer, text, 50000);
	mem_free(text);
	ws_close(rig->peer, 4000, "that was all");
}

static void read_slowly(struct rig *rig)
{
	size_t all = 0;
	int opcode;

	poll(NULL, 0, 100);
	while ((opcode = hear(rig)) == 1) {
		all += rig->seen_len;
		rig->bad_frames += strspn(rig->seen, "y") != rig->seen_len;
	}
	rig->bad_frames += all != LARGE_LEN || opcode != 8 || rig->seen_len != 14 ||
			   memcmp(rig->seen, "\x0f\xa0that was all", 14) != 0;
	say_close(rig, 4000, "");
}

static void a_slow_server_gets_it_all_and_the_close_at_last(void **state)
{
	struct rig *rig = *state;

	rig->on_opened = send_large;
	talk(rig, read_slowly);
	assert_int_equal(rig->end.code, 4000);
	assert_int_equal(rig->end.err.code, ERR_NONE);
}

static void send_unframed(struct rig *rig)
{
	ws_send_bytes(rig->peer, "unframed", 8);
	ws_close(rig->peer, 1000, "");
}

static void read_unframed(struct rig *rig)
{
	read_exactly(rig->fd, rig->seen, 8);
	rig->pings = memcmp(rig->seen, "unframed", 8) == 0;
	hear_close(rig);
	say_close(rig, 1000, "");
}

static void bytes_may_be_sent_unframed(void **state)
{
	struct rig *rig = *state;

	rig->on_opened = send_unframed;
	talk(rig, read_unframed);
	assert_int_equal(rig->pings, 1);
}

/* ---- endings ----------------------------------------------------------------------------- */

static void close_away(struct rig *rig)
{
	say(rig, "x");
	say_close(rig, 1001, "restart");
	rig->seen_len = (size_t)hear_close(rig);
}

static void the_servers_code_is_told_and_answered(void **state)
{
	struct rig *rig = *state;

	talk(rig, close_away);
	assert_int_equal(rig->messages, 1);
	assert_int_equal(rig->end.code, WS_CLOSE_AWAY);
	assert_int_equal(rig->end.err.code, ERR_NONE);
	assert_int_equal(rig->seen_len, WS_CLOSE_AWAY);
}

static void close_without_code(struct rig *rig)
{
	send_frame(rig, 0x88, "", 0);
	rig->seen_len = (size_t)hear_close(rig);
}

static void a_close_without_a_code_is_1005(void **state)
{
	struct rig *rig = *state;

	talk(rig, close_without_code);
	assert_int_equal(rig->end.code, WS_CLOSE_NO_CODE);
	assert_int_equal(rig->seen_len, WS_CLOSE_NO_CODE);
}

static void hang_up(struct rig *rig)
{
	say(rig, "x");
	shutdown(rig->fd, SHUT_RDWR);
}

static void reset(struct rig *rig)
{
	const struct linger none = { .l_onoff = 1 };

	setsockopt(rig->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	close(rig->fd);
	rig->fd = -1;
}

static void an_end_without_a_close_frame_is_1006(void **state)
{
	struct rig *rig = *state;

	talk(rig, hang_up);
	assert_int_equal(rig->messages, 1);
	assert_int_equal(rig->end.code, WS_CLOSE_ABNORMAL);
	assert_int_not_equal(rig->end.err.code, ERR_NONE);
	assert_int_equal(rig->end.http_status, 0);
	rig->closed = 0;
	close(rig->fd);
	talk(rig, reset);
	assert_int_equal(rig->end.code, WS_CLOSE_ABNORMAL);
}

static void freeze(struct rig *rig)
{
	struct pollfd poll_fd = { .fd = rig->fd, .events = POLLRDHUP };

	rig->pings += hear(rig) == 9;
	poll(&poll_fd, 1, PATIENCE_S * 1000);
}

static void a_frozen_server_is_given_up(void **state)
{
	struct rig *rig = *state;
	struct mono start = mono_now();

	rig->config.ping_ms = 100;
	rig->config.pong_ms = 200;
	talk(rig, freeze);
	assert_int_equal(rig->pings, 1);
	assert_int_equal(rig->end.code, WS_CLOSE_ABNORMAL);
	assert_int_equal(rig->end.err.code, ERR_UNREACHABLE);
	assert_string_equal(rig->end.err.text, "no answer to a ping within 200 ms");
	assert_in_range(ms_of(start), 300, 3000);
}

static void answer_pings(struct rig *rig)
{
	for (int i = 0; i < 8 && hear(rig) == 9; i++) {
		rig->pings++;
		send_frame(rig, 0x8a, rig->seen, rig->seen_len);
	}
	say_close(rig, 1000, "");
	hear_close(rig);
}

static void a_server_that_answers_pings_is_kept(void **state)
{
	struct rig *rig = *state;
	struct mono start = mono_now();

	rig->config.ping_ms = 50;
	rig->config.pong_ms = 200;
	talk(rig, answer_pings);
	assert_int_equal(rig->pings, 8);
	assert_int_equal(rig->end.code, WS_CLOSE_NORMAL);
	assert_true(ms_of(start) >= 400);
}

static void say_much(struct rig *rig)
{
	for (int i = 0; i < 20; i++) {
		say(rig, "still here");
		poll(NULL, 0, 20);
	}
	say_close(rig, 1000, "");
	rig->pings = hear_close(rig) == 1000;
}

static void data_shows_life_as_well_as_a_pong(void **state)
{
	struct rig *rig = *state;

	rig->config.ping_ms = 150;
	rig->config.pong_ms = 100;
	talk(rig, say_much);
	assert_int_equal(rig->messages, 20);
	assert_int_equal(rig->end.code, WS_CLOSE_NORMAL);
}

static void close_with_reason(struct rig *rig)
{
	ws_close(rig->peer, 4321, "enough");
	ws_close(rig->peer, 4322, "again");
	ws_send_text(rig->peer, "too late", 8);
}

static void never_answer_close(struct rig *rig)
{
	rig->seen_len = (size_t)hear_close(rig);
	while (recv(rig->fd, rig->last, 1, 0) > 0)
		;
}

static void a_close_that_is_not_answered_ends_all_the_same(void **state)
{
	struct rig *rig = *state;
	struct mono start = mono_now();

	rig->on_opened = close_with_reason;
	talk(rig, never_answer_close);
	assert_int_equal(rig->seen_len, 4321);
	assert_int_equal(rig->end.code, 4321);
	assert_in_range(ms_of(start), 1500, 5000);
}

static void drop_peer(struct rig *rig)
{
	ws_drop(rig->peer);
	ws_send_text(rig->peer, "too late", 8);
}

static void send_two(struct rig *rig)
{
	say(rig, "one");
	say(rig, "two");
	rig->seen_len = (size_t)hear_close(rig);
}

static void a_handler_may_drop_its_peer(void **state)
{
	struct rig *rig = *state;

	rig->on_message = drop_peer;
	talk(rig, send_two);
	assert_int_equal(rig->messages, 1);
	assert_int_equal(rig->seen_len, 0);
	assert_int_equal(rig->end.code, WS_CLOSE_ABNORMAL);
	rig->closed = rig->messages = 0;
	close(rig->fd);
	rig->on_opened = drop_peer;
	talk(rig, send_two);
	assert_int_equal(rig->messages, 0);
}

static void a_handler_may_close_its_peer(void **state)
{
	struct rig *rig = *state;

	rig->on_message = close_with_reason;
	talk(rig, send_two);
	assert_int_equal(rig->messages, 1);
	assert_int_equal(rig->seen_len, 4321);
	assert_int_equal(rig->end.code, 4321);
}

static void mute_for_a_while(struct rig *rig)
{
	ws_mute(rig->peer, true);
}

static void unmute(struct rig *rig)
{
	assert_int_equal(rig->messages, 0);
	ws_mute(rig->peer, false);
}

static void send_two_and_wait(struct rig *rig)
{
	say(rig, "one");
	say(rig, "two");
	poll(NULL, 0, 300);
}

static void a_muted_peer_reads_nothing_until_it_is_unmuted(void **state)
{
	struct rig *rig = *state;

	rig->config.ping_ms = rig->config.pong_ms = 50;
	rig->on_opened = mute_for_a_while;
	rig->serve = send_two_and_wait;
	connect_peer(rig);
	run_beside(rig->loop, shake_and_serve, rig);
	assert_int_equal(rig->closed, 0);
	unmute(rig);
	rig->on_message = close_with_reason;
	run_until_closed(rig);
	assert_int_equal(rig->messages, 1);
	assert_string_equal(rig->last, "one");
}

/* ---- what a server may do wrong ---------------------------------------------------------- */

struct violation {
	const char *name, *bytes;
	size_t len;
};
#define BYTES(name, text)                    \
	{                                    \
		name, text, sizeof(text) - 1 \
	}

static const struct violation violations[] = {
	BYTES("a reserved opcode", "\x83\x01x"),
	BYTES("a reserved control opcode", "\x8b\x00"),
	BYTES("a reserved bit", "\xc1\x01x"),
	BYTES("a continuation of nothing", "\x80\x01x"),
	BYTES("a new message within one", "\x01\x01x\x81\x01x"),
	BYTES("a ping in fragments", "\x09\x01x"),
	BYTES("a ping that is too long", "\x89\x7e\x00\x80"),
	BYTES("a length of 2^63", "\x81\x7f\x80\0\0\0\0\0\0\0"),
};

static const struct violation *violation;

static void violate(struct rig *rig)
{
	send_bytes(rig->fd, violation->bytes, violation->len);
	hear_close(rig);
}

static void violations_end_the_connection(void **state)
{
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(violations); i++) {
		struct rig *rig;

		set_up((void **)&rig);
		violation = &violations[i];
		talk(rig, violate);
		if (rig->messages > 0 || rig->end.err.code == ERR_NONE)
			print_error("%s\n", violation->name);
		assert_int_equal(rig->messages, 0);
		assert_int_not_equal(rig->end.err.code, ERR_NONE);
		tear_down((void **)&rig);
	}
}

static void announce_much(struct rig *rig)
{
	send_bytes(rig->fd, "\x81\x7f\0\0\0\x7f\xff\xff\xff\xff", 10);
	say_close(rig, 1000, "");
	shutdown(rig->fd, SHUT_WR);
	hear_close(rig);
}

static void a_huge_announced_length_costs_nothing(void **state)
{
	struct rig *rig = *state;

	talk(rig, announce_much);
	assert_int_equal(rig->messages, 0);
	assert_int_equal(rig->end.code, WS_CLOSE_ABNORMAL);
}

static void send_masked(struct rig *rig)
{
	send_bytes(rig->fd, "\x81\x81zzzz\x02", 7);
	say_close(rig, 1000, "");
	hear_close(rig);
}

/* The library takes the mask off, where the standard would have the connection closed. */
static void a_masked_frame_does_no_harm(void **state)
{
	struct rig *rig = *state;

	talk(rig, send_masked);
	assert_int_equal(rig->messages, 1);
	assert_string_equal(rig->last, "x");
}

/* ---- never getting there ----------------------------------------------------------------- */

static void a_refused_port_is_told_later(void **state)
{
	struct rig *rig = *state;
	char text[64];

	close(rig->listener);
	connect_peer(rig);
	assert_int_equal(rig->closed, 0);
	run_until_closed(rig);
	assert_int_equal(rig->opened, 0);
	assert_int_equal(rig->end.code, WS_CLOSE_ABNORMAL);
	assert_int_equal(rig->end.http_status, 0);
	assert_int_equal(rig->end.err.code, ERR_UNREACHABLE);
	snprintf(text, sizeof(text), "no connection to 127.0.0.1 port %d", rig->port);
	assert_string_equal(rig->end.err.text, text);
	rig->listener = listen_somewhere(&rig->port);
}

static void an_unknown_name_is_told(void **state)
{
	struct rig *rig = *state;

	snprintf(rig->url, sizeof(rig->url), "ws://no-such-host.invalid:%d", rig->port);
	connect_peer(rig);
	run_until_closed(rig);
	assert_int_equal(rig->end.err.code, ERR_UNREACHABLE);
	assert_non_null(strstr(rig->end.err.text, "no-such-host.invalid: "));
}

static void what_cannot_be_a_target_is_told_later(void **state)
{
	static const struct {
		const char *url, *path;
	} cases[] = {
		{ "http://SECRET", "/" },
		{ "ws://", "/" },
		{ "ws://127.0.0.1:1", "" },
		{ "ws://127.0.0.1:1", "SECRET" },
		{ "ws://127.0.0.1:1", "/SECRET HTTP/1.1" },
		{ "ws://127.0.0.1:1", "/SECRET\r\nX: y" },
		{ "ws://127.0.0.1:1", "/SECRET\x7f" },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		rig->config.url = cases[i].url;
		rig->config.path = cases[i].path;
		rig->closed = 0;
		connect_peer(rig);
		assert_int_equal(rig->closed, 0);
		run_until_closed(rig);
		assert_int_equal(rig->end.err.code, ERR_CONFIG);
	}
}

static void say_nothing(struct rig *rig)
{
	accept_client(rig);
	while (recv(rig->fd, rig->seen, sizeof(rig->seen), 0) > 0)
		;
}

static void a_server_that_never_answers_is_given_up_in_time(void **state)
{
	struct rig *rig = *state;
	struct mono start = mono_now();

	rig->config.timeout_ms = 300;
	talk_raw(rig, say_nothing);
	assert_in_range(ms_of(start), 300, 3000);
	assert_int_equal(rig->opened, 0);
	assert_int_equal(rig->end.err.code, ERR_UNREACHABLE);
	assert_string_equal(rig->end.err.text, "no answer to the handshake in time");
}

static void drip(struct rig *rig)
{
	accept_client(rig);
	send_text(rig->fd, "HTTP/1.1 101 Switching Protocols\r\nX: ");
	while (send(rig->fd, "x", 1, MSG_NOSIGNAL) > 0)
		poll(NULL, 0, 10);
}

static void a_dripping_answer_does_not_extend_the_time(void **state)
{
	struct rig *rig = *state;
	struct mono start = mono_now();

	rig->config.timeout_ms = 300;
	talk_raw(rig, drip);
	assert_in_range(ms_of(start), 300, 3000);
}

static void answer_and_wait(struct rig *rig)
{
	accept_client(rig);
	send_text(rig->fd, rig->answer);
	read_to_end(rig->fd, rig->seen, sizeof(rig->seen));
}

static void answer_and_hang_up(struct rig *rig)
{
	accept_client(rig);
	send_text(rig->fd, rig->answer);
	close(rig->fd);
	rig->fd = -1;
}

static void a_refused_handshake_tells_its_status(void **state)
{
	static const struct {
		int status;
		const char *answer;
	} cases[] = {
		{ 503, "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\n"
		       "Content-Length: 9\r\n\r\nno server" },
		{ 503, "HTTP/1.0 503 Service Unavailable\r\n\r\nno server" },
		{ 403, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n" },
		{ 403, "HTTP/1.1 403 Forbidden\r\n\r\n" },
		{ 401, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n" },
		{ 200, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" },
		{ 302, "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n" },
		{ 301, "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\n\r\n" },
		{ 101, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		       "Connection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n\r\n" },
		{ 101, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		       "Connection: Upgrade\r\n\r\n" },
		{ 101, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n"
		       "Connection: Upgrade\r\n\r\n" },
		{ 0, "" },
		{ 0, "HTTP/1.1 1" },
		{ 0, "rubbish\r\n\r\n" },
		{ 0, "SSH-2.0-x\r\n" },
	};
	(void)state;

	for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
		size_t n = i / 2;
		struct rig *rig;

		if (i % 2 == 0 && cases[n].status == 0)
			continue; /* would wait for the rest */
		set_up((void **)&rig);
		rig->answer = cases[n].answer;
		talk_raw(rig, i % 2 ? answer_and_hang_up : answer_and_wait);
		if (rig->end.http_status != cases[n].status)
			print_error("case %zu: %s\n", i, rig->end.err.text);
		assert_int_equal(rig->end.http_status, cases[n].status);
		assert_int_equal(rig->end.code, WS_CLOSE_ABNORMAL);
		assert_int_equal(rig->end.err.code, ERR_UNREACHABLE);
		assert_int_equal(rig->opened, 0);
		tear_down((void **)&rig);
	}
}

static void answer_endlessly(struct rig *rig)
{
	accept_client(rig);
	send_text(rig->fd, "HTTP/1.1 101 Switching Protocols\r\n");
	while (send(rig->fd, "X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n", 37, MSG_NOSIGNAL) > 0)
		;
}

static void an_endless_answer_is_cut_off(void **state)
{
	struct rig *rig = *state;

	rig->config.timeout_ms = 1000;
	talk_raw(rig, answer_endlessly);
	assert_int_equal(rig->opened, 0);
}

/* ---- taken down meanwhile ---------------------------------------------------------------- */

static void destroying_ends_whoever_is_on_the_way(void **state)
{
	struct rig *rig = *state;

	snprintf(rig->url, sizeof(rig->url), "ws://localhost:%d", rig->port);
	connect_peer(rig); /* looks up a name */
	ws_destroy(rig->ws);
	rig->ws = NULL;
	assert_int_equal(rig->closed, 1);
	assert_int_equal(rig->end.err.code, ERR_STOPPING);
}

static void destroying_ends_a_connection_that_begins(void **state)
{
	struct rig *rig = *state;

	connect_peer(rig);
	timer_start(rig->limit, 50);
	loop_run(rig->loop); /* connected, but not answered */
	assert_int_equal(rig->closed, 0);
	ws_destroy(rig->ws);
	rig->ws = NULL;
	assert_int_equal(rig->closed, 1);
	assert_int_equal(rig->opened, 0);
}

static void destroying_ends_an_open_connection(void **state)
{
	struct rig *rig = *state;

	connect_peer(rig);
	run_beside(rig->loop, shake_and_serve, rig);
	timer_start(rig->limit, 50);
	loop_run(rig->loop);
	assert_int_equal(rig->opened, 1);
	ws_send_text(rig->peer, "not sent", 8);
	ws_destroy(rig->ws);
	rig->ws = NULL;
	assert_int_equal(rig->closed, 1);
	assert_int_equal(hear(rig), -1);
}

static void closing_while_on_the_way_needs_no_server(void **state)
{
	struct rig *rig = *state;

	snprintf(rig->url, sizeof(rig->url), "ws://localhost:%d", rig->port);
	connect_peer(rig);
	ws_close(rig->peer, 1000, "");
	run_until_closed(rig);
	assert_int_equal(rig->opened, 0);
	assert_int_equal(rig->end.code, 1000);
	rig->closed = 0;
	connect_peer(rig);
	timer_start(rig->limit, 50);
	loop_run(rig->loop);
	ws_close(rig->peer, 1000, "");
	run_until_closed(rig);
	assert_int_equal(rig->opened, 0);
}

static void more_than_allowed_are_told(void **state)
{
	struct rig *rig = *state;
	const struct ws_config config = { .peers_max = 0 };
	struct err err;

	ws_destroy(rig->ws);
	assert_true(ws_create(rig->loop, &config, &rig->ws, &err));
	connect_peer(rig);
	run_until_closed(rig);
	assert_int_equal(rig->end.err.code, ERR_BUSY);
}

static void a_proxy_in_the_environment_is_ignored(void **state)
{
	struct rig *rig = *state;

	setenv("http_proxy", "http://127.0.0.1:1", 1);
	create_ws(rig, NULL);
	unsetenv("http_proxy");
	rig->on_opened = send_hello;
	talk(rig, echo_once);
	assert_string_equal(rig->last, "hello");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(messages_go_both_ways),
		TEST(a_name_is_looked_up),
		TEST(an_ipv6_address_is_reached),
		TEST(fragments_are_joined_and_pings_between_them_answered),
		TEST(text_binary_and_nothing_arrive),
		TEST(messages_may_be_as_long_as_the_bound),
		TEST(a_longer_one_closes),
		TEST(text_that_is_not_utf8_closes),
		TEST(a_slow_server_gets_it_all_and_the_close_at_last),
		TEST(bytes_may_be_sent_unframed),
		TEST(the_servers_code_is_told_and_answered),
		TEST(a_close_without_a_code_is_1005),
		TEST(an_end_without_a_close_frame_is_1006),
		TEST(a_frozen_server_is_given_up),
		TEST(a_server_that_answers_pings_is_kept),
		TEST(data_shows_life_as_well_as_a_pong),
		TEST(a_close_that_is_not_answered_ends_all_the_same),
		TEST(a_handler_may_drop_its_peer),
		TEST(a_handler_may_close_its_peer),
		TEST(a_muted_peer_reads_nothing_until_it_is_unmuted),
		cmocka_unit_test(violations_end_the_connection),
		TEST(a_huge_announced_length_costs_nothing),
		TEST(a_masked_frame_does_no_harm),
		TEST(a_refused_port_is_told_later),
		TEST(an_unknown_name_is_told),
		TEST(what_cannot_be_a_target_is_told_later),
		TEST(a_server_that_never_answers_is_given_up_in_time),
		TEST(a_dripping_answer_does_not_extend_the_time),
		cmocka_unit_test(a_refused_handshake_tells_its_status),
		TEST(an_endless_answer_is_cut_off),
		TEST(destroying_ends_whoever_is_on_the_way),
		TEST(destroying_ends_a_connection_that_begins),
		TEST(destroying_ends_an_open_connection),
		TEST(closing_while_on_the_way_needs_no_server),
		TEST(more_than_allowed_are_told),
		cmocka_unit_test_setup_teardown(a_proxy_in_the_environment_is_ignored,
						set_up_without_ws, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
