#include "net/ws_rig.h"

/* ---- handshakes -------------------------------------------------------------------------- */

struct offer {
	const char *headers;
	bool is_chosen;
};

static const struct offer offers[] = {
	{ "", false },
	{ "Sec-WebSocket-Protocol: deltagate.v1\r\n", true },
	{ "Sec-WebSocket-Protocol: chat, deltagate.v1 ,x\r\n", true },
	{ "Sec-WebSocket-Protocol: chat\r\nsec-websocket-protocol: deltagate.v1\r\n", true },
	{ "Sec-WebSocket-Protocol: chat, superchat\r\n", false },
	{ "Sec-WebSocket-Protocol: deltagate.v11\r\n", false },
	{ "Sec-WebSocket-Protocol: Deltagate.v1\r\n", false },
	{ "Sec-WebSocket-Protocol: \r\n", false },
	{ "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n", false },
};

static void offer_all(void *arg)
{
	struct rig *rig = arg;

	for (size_t i = 0; i < ARRAY_LEN(offers); i++) {
		int fd = shake(rig, connect_tcp(rig->port), offers[i].headers);

		if (strstr(rig->seen, "HTTP/1.1 101 ") == rig->seen &&
		    strstr(rig->seen, "\r\nSec-WebSocket-Accept: " ACCEPT "\r\n") &&
		    !strstr(rig->seen, "Extensions") &&
		    !!strstr(rig->seen, "\r\nSec-WebSocket-Protocol: deltagate.v1\r\n") ==
			    offers[i].is_chosen &&
		    count_of(rig->seen, "Protocol:") == offers[i].is_chosen) {
			say(fd, "hello");
			rig->count += hears(rig, fd, "hello");
		}
		close(fd);
	}
}

static void our_subprotocol_is_chosen_only_when_offered_and_others_do_no_harm(void **state)
{
	struct rig *rig = *state;

	rig->on_message = echo;
	run_beside(rig->loop, offer_all, rig);
	assert_int_equal(rig->count, ARRAY_LEN(offers));
}

static void send_all_in_one(void *arg)
{
	struct rig *rig = arg;
	int fds[] = { connect_tcp(rig->port), connect_unix(rig->path) };

	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		char bytes[1024];
		size_t len = print_request(bytes, sizeof(bytes), "/a?b=c", "");

		len += print_frame(bytes + len, 0x80 | WS_OP_TEXT, "one", 3);
		len += print_frame(bytes + len, 0x80 | WS_OP_TEXT, "two", 3);
		send_bytes(fds[i], bytes, len);
		read_head(fds[i], rig->seen, sizeof(rig->seen));
		rig->count += hears(rig, fds[i], "one") && hears(rig, fds[i], "two");
		close(fds[i]);
	}
}

static void first_frames_may_come_with_the_handshake(void **state)
{
	struct rig *rig = *state;

	rig->on_message = echo;
	run_beside(rig->loop, send_all_in_one, rig);
	assert_int_equal(rig->count, 2);
	assert_string_equal(first(rig)->path, "/a");
}

static void send_half(void *arg)
{
	struct rig *rig = arg;
	char bytes[1024];
	size_t len = print_request(bytes, sizeof(bytes), "/", "");

	rig->fd = connect_tcp(rig->port);
	send_bytes(rig->fd, bytes, len - 2);
	rig->count = (unsigned)read_to_end(rig->fd, rig->seen, sizeof(rig->seen));
}

static void half_a_handshake_is_closed_at_the_deadline(void **state)
{
	struct ws_server_config server = rig_config();
	struct rig *rig;

	tear_down(state);
	*state = rig = rig_create_with(&server, SESSIONS, 150);
	run_beside(rig->loop, send_half, rig);
	assert_int_equal(rig->count, 0);
	assert_int_equal(rig->session_count, 0);
}

static void come_one_too_many(void *arg)
{
	struct rig *rig = arg;

	rig->fd = join(rig);
	rig->other = connect_tcp(rig->port);
	print_request(rig->seen, sizeof(rig->seen), "/", "");
	send_text(rig->other, rig->seen);
	rig->is_fine = read_to_end(rig->other, rig->seen, sizeof(rig->seen)) == 0;
	say(rig->fd, "still here");
	rig->is_fine = rig->is_fine && hears(rig, rig->fd, "still here");
}

static void more_peers_than_allowed_are_closed_and_told(void **state)
{
	struct ws_server_config server = rig_config();
	struct rig *rig;

	tear_down(state);
	*state = rig = rig_create_with(&server, 1, PATIENT_MS);
	rig->on_message = echo;
	run_beside(rig->loop, come_one_too_many, rig);
	assert_true(rig->is_fine);
	assert_int_equal(rig->sessions[1].opened, 0);
	assert_int_equal(rig->sessions[1].closed, 1);
	assert_int_equal(rig->sessions[1].end.err.code, ERR_BUSY);
}

/* ---- messages ---------------------------------------------------------------------------- */

static const size_t sizes[] = { 0, 1, 125, 126, 127, 65535, 65536, MESSAGE_MAX };

static void echo_sizes(void *arg)
{
	struct rig *rig = arg;
	char *sent = mem_alloc(MESSAGE_MAX), *got = mem_alloc(MESSAGE_MAX + 1);

	memset(sent, 'x', MESSAGE_MAX);
	rig->fd = shake(rig, connect_unix(rig->path), "");
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		for (unsigned opcode = WS_OP_TEXT; opcode <= WS_OP_BINARY; opcode++) {
			size_t len = 0;

			send_frame(rig->fd, 0x80 | opcode, sent, sizes[i]);
			rig->count +=
				read_frame(rig->fd, got, MESSAGE_MAX + 1, &len) == (int)opcode &&
				len == sizes[i] && memcmp(sent, got, len) == 0;
		}
	mem_free(sent);
	mem_free(got);
}

static void messages_of_every_size_come_whole(void **state)
{
	struct rig *rig = *state;

	rig->on_message = echo;
	run_beside(rig->loop, echo_sizes, rig);
	assert_int_equal(rig->count, 2 * ARRAY_LEN(sizes));
}

static void send_fragments(void *arg)
{
	struct rig *rig = arg;
	size_t len;

	rig->fd = join(rig);
	send_frame(rig->fd, WS_OP_TEXT, "one \xe2", 5);
	send_frame(rig->fd, WS_OP_CONTINUE, "", 0);
	send_frame(rig->fd, 0x80 | WS_OP_PING, "p", 1);
	send_frame(rig->fd, WS_OP_CONTINUE, "\x82", 1);
	send_frame(rig->fd, 0x80 | WS_OP_PONG, "", 0);
	send_frame(rig->fd, 0x80 | WS_OP_CONTINUE, "\xac two", 5);
	rig->is_fine = read_frame(rig->fd, rig->seen, sizeof(rig->seen), &len) == WS_OP_PONG &&
		       strcmp(rig->seen, "p") == 0 && hears(rig, rig->fd, "one \xe2\x82\xac two");
}

static void fragments_are_joined_and_pings_in_between_answered(void **state)
{
	struct rig *rig = *state;

	rig->on_message = echo;
	run_beside(rig->loop, send_fragments, rig);
	assert_true(rig->is_fine);
	assert_int_equal(first(rig)->messages, 1);
}

struct violation {
	const char *bytes;
	size_t len;
	int code;
};

#define BYTES(text) text, sizeof(text) - 1
#define MASK        "\0\0\0\0"

/* clang-format off: one violation, one line. With a mask of zeros, so that the payload can be
 * read here. */
static const struct violation violations[] = {
	{ BYTES("\x81\x05hello"), 1002 },                          /* not masked */
	{ BYTES("\x88\x02\x03\xe8"), 1002 },                       /* not even the close */
	{ BYTES("\xc1\x85" MASK "hello"), 1002 },                  /* a reserved bit */
	{ BYTES("\x91\x85" MASK "hello"), 1002 },                  /* another */
	{ BYTES("\x83\x80" MASK), 1002 },                          /* an opcode of nobody's */
	{ BYTES("\x8b\x80" MASK), 1002 },                          /* likewise */
	{ BYTES("\x09\x80" MASK), 1002 },                          /* a ping in fragments */
	{ BYTES("\x89\xfe\x00\x7e" MASK), 1002 },                  /* a ping too long */
	{ BYTES("\x80\x80" MASK), 1002 },                          /* continues nothing */
	{ BYTES("\x01\x80" MASK "\x81\x80" MASK), 1002 },          /* one within another */
	{ BYTES("\x81\xfe\x00\x05" MASK "hello"), 1002 },          /* 5 in two bytes */
	{ BYTES("\x81\xff\0\0\0\0\0\0\xff\xff" MASK), 1002 },      /* 65535 in eight */
	{ BYTES("\x81\xff\x80\0\0\0\0\1\0\0" MASK), 1002 },        /* a negative length */
	{ BYTES("\x88\x81" MASK "\x03"), 1002 },                   /* half a close code */
	{ BYTES("\x88\x82" MASK "\x03\xe7"), 1002 },               /* 999 */
	{ BYTES("\x88\x82" MASK "\x03\xed"), 1002 },               /* 1005 */
	{ BYTES("\x88\x82" MASK "\x03\xee"), 1002 },               /* 1006 */
	{ BYTES("\x88\x82" MASK "\x07\xd0"), 1002 },               /* 2000 */
	{ BYTES("\x88\x82" MASK "\x13\x88"), 1002 },               /* 5000 */
	{ BYTES("\x88\x83" MASK "\x03\xe8\xff"), 1007 },           /* its reason */
	{ BYTES("\x81\x82" MASK "\xc0\xaf"), 1007 },               /* overlong */
	{ BYTES("\x81\x81" MASK "\xe2"), 1007 },                   /* cut short */
	{ BYTES("\x81\x83" MASK "\xed\xa0\x80"), 1007 },           /* a surrogate */
	{ BYTES("\x01\x81" MASK "\xe2\x80\x82" MASK "ab"), 1007 }, /* over two fragments */
	{ BYTES("\x81\xff\0\0\0\0\0\x01\x86\xa1" MASK), 1009 },    /* MESSAGE_MAX + 1 */
	{ BYTES("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff" MASK), 1009 },
};
/* clang-format on */

static void violate_all(void *arg)
{
	struct rig *rig = arg;

	for (size_t i = 0; i < ARRAY_LEN(violations); i++) {
		int fd = join(rig), code;

		send_bytes(fd, violations[i].bytes, violations[i].len);
		code = read_close(rig, fd);
		if (code == violations[i].code)
			rig->count++;
		else
			fprintf(stderr, "violation %zu: closed with %d\n", i, code);
		close(fd);
	}
}

static void violations_are_closed_with_the_code_for_them(void **state)
{
	struct rig *rig = *state;

	run_beside(rig->loop, violate_all, rig);
	assert_int_equal(rig->count, ARRAY_LEN(violations));
	for (size_t i = 0; i < ARRAY_LEN(violations); i++) {
		assert_int_equal(rig->sessions[i].messages, 0);
		if (!rig->sessions[i].closed) /* the last one's end is seen at the end */
			continue;
		assert_int_equal(rig->sessions[i].end.code, violations[i].code);
		assert_int_equal(rig->sessions[i].end.err.code, ERR_BAD_REQUEST);
	}
}

static void send_too_long_in_fragments(void *arg)
{
	struct rig *rig = arg;
	char *part = mem_alloc(MESSAGE_MAX / 2);

	rig->fd = join(rig);
	send_frame(rig->fd, WS_OP_BINARY, part, MESSAGE_MAX / 2);
	send_frame(rig->fd, WS_OP_CONTINUE, part, MESSAGE_MAX / 2);
	send_frame(rig->fd, 0x80 | WS_OP_CONTINUE, part, 1);
	rig->count = (unsigned)read_close(rig, rig->fd);
	mem_free(part);
}

static void fragments_together_are_bounded_too(void **state)
{
	struct rig *rig = *state;

	run_beside(rig->loop, send_too_long_in_fragments, rig);
	assert_int_equal(rig->count, WS_CLOSE_TOO_BIG);
	assert_int_equal(first(rig)->messages, 0);
}

#define BURST 3000

static void burst(struct session *session, const char *bytes, size_t len, bool is_text)
{
	char text[400] = "";

	(void)bytes;
	(void)len;
	(void)is_text;
	for (int i = 0; i < BURST; i++) {
		memset(text, 'x', sizeof(text));
		snprintf(text + i % 300, 12, "%d", i);
		ws_send_text(session->peer, text, (size_t)(i % 300) + strlen(text + i % 300));
	}
}

static void read_burst(void *arg)
{
	struct rig *rig = arg;
	size_t len;

	rig->fd = join(rig);
	say(rig->fd, "go");
	for (int i = 0; i < BURST; i++)
		if (read_frame(rig->fd, rig->seen, sizeof(rig->seen), &len) == WS_OP_TEXT &&
		    atoi(rig->seen + i % 300) == i && strspn(rig->seen, "x") == (size_t)i % 300)
			rig->count++;
}

static void many_frames_in_one_write_come_whole_and_in_order(void **state)
{
	struct rig *rig = *state;

	rig->on_message = burst;
	run_beside(rig->loop, read_burst, rig);
	assert_int_equal(rig->count, BURST);
	assert_int_equal(first(rig)->drained, 2); /* the handshake's answer; and once for all */
}

/* ---- closing ----------------------------------------------------------------------------- */

static const int codes[] = { 1000, 1001, 1011, 3000, 4408, 4999 };

static void close_with_all(void *arg)
{
	struct rig *rig = arg;

	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		rig->fd = join(rig);
		say_close(rig->fd, codes[i]);
		rig->count += read_close(rig, rig->fd) == codes[i] && hears_end(rig->fd);
		close(rig->fd);
	}
	rig->fd = join(rig);
	send_frame(rig->fd, 0x80 | WS_OP_CLOSE, "", 0);
	rig->count += read_close(rig, rig->fd) == WS_CLOSE_NO_CODE && hears_end(rig->fd);
}

static void a_close_is_answered_with_its_code(void **state)
{
	struct rig *rig = *state;

	run_beside(rig->loop, close_with_all, rig);
	assert_int_equal(rig->count, ARRAY_LEN(codes) + 1);
	for (size_t i = 0; i <= ARRAY_LEN(codes); i++) {
		assert_int_equal(rig->sessions[i].end.code,
				 i < ARRAY_LEN(codes) ? codes[i] : WS_CLOSE_NO_CODE);
		assert_int_equal(rig->sessions[i].end.err.code, ERR_NONE);
	}
}

/* Says something, then closes, all from within a callback. */
static void say_and_close(struct session *session, const char *bytes, size_t len, bool is_text)
{
	struct rig *rig = session->rig;

	(void)bytes;
	(void)len;
	(void)is_text;
	rig->is_inside = true;
	ws_send_text(session->peer, "last words", 10);
	ws_close(session->peer, 4403, "no scope");
	ws_send_text(session->peer, "too late", 8);
	ws_close(session->peer, 1000, "");
	rig->is_inside = false;
}

static void hear_the_close(void *arg)
{
	struct rig *rig = arg;

	rig->fd = join(rig);
	say(rig->fd, "one");
	say(rig->fd, "two");
	rig->is_fine = hears(rig, rig->fd, "last words");
	rig->count = (unsigned)read_close(rig, rig->fd);
	rig->is_fine = rig->is_fine && strcmp(rig->seen + 2, "no scope") == 0;
	say(rig->fd, "three");
	say_close(rig->fd, 4403);
	rig->is_fine = rig->is_fine && hears_end(rig->fd);
}

static void a_close_goes_out_after_what_is_queued(void **state)
{
	struct rig *rig = *state;

	rig->on_message = say_and_close;
	run_beside(rig->loop, hear_the_close, rig);
	assert_true(rig->is_fine);
	assert_int_equal(rig->count, 4403);
	assert_int_equal(first(rig)->messages, 1);
	assert_int_equal(first(rig)->end.code, 4403);
	assert_int_equal(first(rig)->end.err.code, ERR_NONE);
}

static void ignore_the_close(void *arg)
{
	struct rig *rig = arg;
	struct mono start;

	rig->fd = join(rig);
	say(rig->fd, "one");
	start = mono_now();
	rig->count = (unsigned)read_close(rig, rig->fd);
	rig->is_fine = hears_end(rig->fd);
	rig->took_ms = mono_diff_ms(mono_now(), start);
}

static void a_close_that_is_not_answered_ends_after_two_seconds(void **state)
{
	struct rig *rig = *state;

	rig->on_message = say_and_close;
	run_beside(rig->loop, ignore_the_close, rig);
	assert_true(rig->is_fine);
	assert_int_equal(rig->count, 4403);
	assert_in_range(rig->took_ms, 1900, 4000);
	assert_int_equal(first(rig)->end.code, 4403);
}

static void leave_three_times(void *arg)
{
	struct rig *rig = arg;
	const struct linger reset = { .l_onoff = 1 };
	int fd = join(rig);

	close(fd);
	fd = join(rig);
	send_bytes(fd, "\x81\xfe\x01", 3);
	close(fd);
	fd = join(rig);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	send_bytes(fd, "\x81\xfe\x01\x00half", 8);
	close(fd);
	rig->fd = join(rig);
	say(rig->fd, "still here");
	rig->is_fine = hears(rig, rig->fd, "still here");
}

static void who_leaves_without_a_word_is_noticed_and_disturbs_nobody(void **state)
{
	struct rig *rig = *state;

	rig->on_message = echo;
	run_beside(rig->loop, leave_three_times, rig);
	assert_true(rig->is_fine);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(rig->sessions[i].closed, 1);
		assert_int_equal(rig->sessions[i].end.code, WS_CLOSE_ABNORMAL);
		assert_int_equal(rig->sessions[i].end.err.code, ERR_IO);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(our_subprotocol_is_chosen_only_when_offered_and_others_do_no_harm),
		TEST(first_frames_may_come_with_the_handshake),
		TEST(half_a_handshake_is_closed_at_the_deadline),
		TEST(more_peers_than_allowed_are_closed_and_told),
		TEST(messages_of_every_size_come_whole),
		TEST(fragments_are_joined_and_pings_in_between_answered),
		TEST(violations_are_closed_with_the_code_for_them),
		TEST(fragments_together_are_bounded_too),
		TEST(many_frames_in_one_write_come_whole_and_in_order),
		TEST(a_close_is_answered_with_its_code),
		TEST(a_close_goes_out_after_what_is_queued),
		TEST(a_close_that_is_not_answered_ends_after_two_seconds),
		TEST(who_leaves_without_a_word_is_noticed_and_disturbs_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
