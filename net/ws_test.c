#include "net/ws_rig.h"

#define PING_MS 200
#define PONG_MS 200

static int set_up_pinging(void **state)
{
	struct ws_server_config server = rig_config();

	server.ping_ms = PING_MS;
	server.pong_ms = PONG_MS;
	*state = rig_create_with(&server, SESSIONS, PATIENT_MS);
	return 0;
}

/* ---- readers of all speeds --------------------------------------------------------------- */

#define BIG      20000
#define BIG_ONES 400

static struct ws_frame *big_frame(void)
{
	char *text = mem_alloc(BIG);
	struct ws_frame *frame;

	memset(text, 'b', BIG);
	frame = ws_frame_text(text, BIG);
	mem_free(text);
	return frame;
}

/* "all" sends eight megabytes to the first session, which does not read; whoever asked gets an
 * answer, and the first one's numbers. */
static void flood_the_first(struct session *session, const char *bytes, size_t len, bool is_text)
{
	struct rig *rig = session->rig;
	struct session *slow = &rig->sessions[0];
	char text[64];

	(void)is_text;
	if (len == 3 && memcmp(bytes, "all", 3) == 0) {
		struct ws_frame *frame = big_frame();

		for (int i = 0; i < BIG_ONES; i++)
			ws_send(slow->peer, frame);
		ws_frame_unref(frame);
	}
	if (len == 5)
		ws_close(slow->peer, 4008, "slow");
	snprintf(text, sizeof(text), "%zu %llu", slow->peer ? ws_queued(slow->peer) : 0,
		 slow->peer ? (unsigned long long)ws_sent(slow->peer) : 0);
	ws_send_text(session->peer, text, strlen(text));
}

struct numbers {
	unsigned long long queued, sent;
};

static struct numbers ask(struct rig *rig, int fd, const char *text)
{
	struct numbers numbers = { 0 };
	size_t len;

	say(fd, text);
	if (read_frame(fd, rig->seen, sizeof(rig->seen), &len) == WS_OP_TEXT)
		sscanf(rig->seen, "%llu %llu", &numbers.queued, &numbers.sent);
	return numbers;
}

static void stop_reading(void *arg)
{
	struct rig *rig = arg;
	struct numbers before, stuck, after;
	int opcode, small = 65536;
	size_t len;

	rig->fd = connect_tcp(rig->port);
	setsockopt(rig->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	shake(rig, rig->fd, "");
	rig->other = join(rig);
	before = ask(rig, rig->other, "all");
	for (int i = 0; i < 100; i++)
		stuck = ask(rig, rig->other, "?");
	rig->is_fine = before.queued > (size_t)BIG * BIG_ONES && before.sent < 1000 &&
		       stuck.queued > (size_t)BIG * BIG_ONES / 2 && stuck.sent > 1000 &&
		       stuck.queued + stuck.sent == before.queued + before.sent;
	while (rig->count < BIG_ONES &&
	       (opcode = read_frame(rig->fd, rig->seen, sizeof(rig->seen), &len)) == WS_OP_TEXT)
		rig->count += len == BIG && strspn(rig->seen, "b") == BIG;
	after = ask(rig, rig->other, "?");
	rig->is_fine = rig->is_fine && after.queued == 0 && after.sent == stuck.queued + stuck.sent;
}

static void a_reader_that_stops_keeps_its_place_and_delays_nobody(void **state)
{
	struct rig *rig = *state;

	rig->on_message = flood_the_first;
	run_beside(rig->loop, stop_reading, rig);
	assert_true(rig->is_fine);
	assert_int_equal(rig->count, BIG_ONES);
}

static void never_read(void *arg)
{
	struct rig *rig = arg;
	struct mono start;
	struct pollfd gone;

	rig->fd = join(rig);
	rig->other = join(rig);
	ask(rig, rig->other, "all");
	start = mono_now();
	ask(rig, rig->other, "close");
	gone = (struct pollfd){ .fd = rig->fd, .events = POLLHUP | POLLRDHUP };
	poll(&gone, 1, 10000);
	rig->took_ms = mono_diff_ms(mono_now(), start);
	rig->is_fine = ask(rig, rig->other, "?").sent == 0;
}

static void a_close_that_cannot_leave_cuts_after_two_seconds(void **state)
{
	struct rig *rig = *state;

	rig->on_message = flood_the_first;
	run_beside(rig->loop, never_read, rig);
	assert_true(rig->is_fine);
	assert_in_range(rig->took_ms, 1900, 4000);
	assert_int_equal(first(rig)->end.code, 4008);
}

/* Sends the next only when all before has left. */
static void send_next(struct session *session)
{
	struct rig *rig = session->rig;

	if (rig->count >= 200)
		return;
	rig->count++;
	ws_send_text(session->peer, rig->seen, 30000);
}

static void read_slowly(void *arg)
{
	struct rig *rig = arg;
	char *text = mem_alloc(40000);
	size_t len, frames = 0;

	rig->fd = join(rig);
	while (frames < 200 && read_frame(rig->fd, text, 40000, &len) == WS_OP_TEXT && len == 30000)
		frames++;
	rig->is_fine = frames == 200;
	mem_free(text);
}

static void a_reader_can_be_fed_at_its_own_pace(void **state)
{
	struct rig *rig = *state;

	rig->on_drained = send_next;
	run_beside(rig->loop, read_slowly, rig);
	assert_true(rig->is_fine);
}

static void tell_all(struct session *session, const char *bytes, size_t len, bool is_text)
{
	struct rig *rig = session->rig;
	struct ws_frame *frame = ws_frame_text(bytes, len);

	(void)is_text;
	for (unsigned i = 0; i < rig->session_count; i++)
		if (rig->sessions[i].peer)
			ws_send(rig->sessions[i].peer, frame);
	ws_frame_unref(frame);
}

static void come_in_a_crowd(void *arg)
{
	struct rig *rig = arg;

	for (int i = 0; i < CROWD; i++)
		rig->crowd[i] = join(rig);
	for (int round = 0; round < 3; round++)
		say(rig->crowd[round], round == 0 ? "zero" : round == 1 ? "one" : "two");
	for (int i = 0; i < CROWD; i++) {
		size_t len;

		for (int round = 0; round < 3; round++)
			rig->count += read_frame(rig->crowd[i], rig->seen, sizeof(rig->seen),
						 &len) == WS_OP_TEXT;
		close(rig->crowd[i]);
	}
}

static void a_crowd_gets_every_message(void **state)
{
	struct rig *rig = *state;

	rig->on_message = tell_all;
	run_beside(rig->loop, come_in_a_crowd, rig);
	assert_int_equal(rig->count, 3 * CROWD);
}

/* ---- pings ------------------------------------------------------------------------------- */

static void answer_pings_for_a_while(void *arg)
{
	struct rig *rig = arg;
	struct mono start = mono_now();
	size_t len;

	rig->fd = join(rig);
	for (int i = 0; i < 3; i++) {
		if (read_frame(rig->fd, rig->seen, sizeof(rig->seen), &len) != WS_OP_PING)
			return;
		send_frame(rig->fd, 0x80 | WS_OP_PONG, rig->seen, len);
		rig->count++;
	}
	rig->is_fine = mono_diff_ms(mono_now(), start) >= 3 * PING_MS;
	start = mono_now();
	rig->count += (unsigned)read_close(rig, rig->fd);
	rig->took_ms = mono_diff_ms(mono_now(), start);
}

static void who_answers_pings_stays_and_who_does_not_is_closed(void **state)
{
	struct rig *rig = *state;

	run_beside(rig->loop, answer_pings_for_a_while, rig);
	assert_true(rig->is_fine);
	assert_int_equal(rig->count, 3 + 4408);
	assert_in_range(rig->took_ms, PING_MS + PONG_MS - 20, 2000);
}

static void chatter(void *arg)
{
	struct rig *rig = arg;
	struct pollfd quiet;

	rig->fd = join(rig);
	quiet = (struct pollfd){ .fd = rig->fd, .events = POLLIN };
	for (int i = 0; i < 10; i++) {
		say(rig->fd, "busy");
		rig->count += poll(&quiet, 1, PING_MS / 5) == 0;
	}
}

static void who_talks_is_not_pinged(void **state)
{
	struct rig *rig = *state;

	run_beside(rig->loop, chatter, rig);
	assert_int_equal(rig->count, 10);
}

static void stay_blocked(void *arg)
{
	struct rig *rig = arg;
	struct pollfd gone;
	int opcode;
	size_t len;

	rig->fd = join(rig);
	rig->other = join(rig);
	say(rig->other, "all");
	gone = (struct pollfd){ .fd = rig->fd, .events = POLLRDHUP };
	rig->is_fine = poll(&gone, 1, 2 * (PING_MS + PONG_MS)) == 0;
	while (rig->count < BIG_ONES &&
	       (opcode = read_frame(rig->fd, rig->seen, sizeof(rig->seen), &len)) >= 0)
		rig->count += opcode == WS_OP_TEXT;
}

/* It could not answer if it would: its user decides how long that may last. */
static void who_takes_nothing_is_not_taken_for_dead(void **state)
{
	struct rig *rig = *state;

	rig->on_message = flood_the_first;
	run_beside(rig->loop, stay_blocked, rig);
	assert_true(rig->is_fine);
	assert_int_equal(rig->count, BIG_ONES);
}

static void ping_without_reading(void *arg)
{
	struct rig *rig = arg;
	char last[16] = "";
	size_t len;
	int opcode;

	rig->fd = join(rig);
	rig->other = join(rig);
	ask(rig, rig->other, "all");
	for (int i = 0; i < 1000; i++) {
		snprintf(last, sizeof(last), "%d", i);
		send_frame(rig->fd, 0x80 | WS_OP_PING, last, strlen(last));
	}
	rig->is_fine = ask(rig, rig->other, "?").queued < (size_t)BIG * BIG_ONES;
	while ((opcode = read_frame(rig->fd, rig->seen, sizeof(rig->seen), &len)) >= 0)
		if (opcode == WS_OP_PONG && strcmp(rig->seen, last) == 0)
			return;
	rig->is_fine = false;
}

static void pings_behind_a_blocked_socket_pile_up_nowhere(void **state)
{
	struct rig *rig = *state;

	rig->on_message = flood_the_first;
	run_beside(rig->loop, ping_without_reading, rig);
	assert_true(rig->is_fine);
}

/* ---- misbehaviour on purpose ------------------------------------------------------------- */

static void misbehave(struct session *session, const char *bytes, size_t len, bool is_text)
{
	struct rig *rig = session->rig;

	rig->is_inside = true;
	if (len == 4)
		ws_drop(session->peer);
	else if (len == 4 + 1)
		ws_send_bytes(session->peer, "\x83\x03raw", 5);
	else if (*bytes == 'm')
		ws_mute(rig->sessions[0].peer, true);
	else if (*bytes == 'u')
		ws_mute(rig->sessions[0].peer, false);
	rig->is_inside = false;
	if (len > 5)
		echo(session, bytes, len, is_text);
}

static void be_dropped(void *arg)
{
	struct rig *rig = arg;
	char raw[6] = "";

	rig->fd = join(rig);
	say(rig->fd, "bytes");
	rig->is_fine = read_exactly(rig->fd, raw, 5) && strcmp(raw, "\x83\x03raw") == 0;
	say(rig->fd, "drop");
	say(rig->fd, "drop");
	rig->is_fine = rig->is_fine && hears_end(rig->fd);
}

static void a_dropped_peer_gets_no_close_frame_and_raw_bytes_go_out_raw(void **state)
{
	struct rig *rig = *state;

	rig->on_message = misbehave;
	run_beside(rig->loop, be_dropped, rig);
	assert_true(rig->is_fine);
	assert_int_equal(first(rig)->messages, 2);
	assert_int_equal(first(rig)->closed, 1);
	assert_int_equal(first(rig)->end.code, WS_CLOSE_ABNORMAL);
}

static void be_muted(void *arg)
{
	struct rig *rig = arg;
	struct pollfd quiet;
	size_t len;

	rig->fd = join(rig);
	rig->other = join(rig);
	say(rig->other, "mute it");
	rig->is_fine = hears(rig, rig->other, "mute it");
	send_frame(rig->fd, 0x80 | WS_OP_PING, "p", 1);
	say(rig->fd, "anyone?");
	quiet = (struct pollfd){ .fd = rig->fd, .events = POLLIN };
	rig->is_fine = rig->is_fine && poll(&quiet, 1, PING_MS + PONG_MS) == 0;
	say(rig->other, "unmute it");
	while (read_frame(rig->fd, rig->seen, sizeof(rig->seen), &len) == WS_OP_PING)
		;
	rig->is_fine =
		rig->is_fine && strcmp(rig->seen, "p") == 0 && hears(rig, rig->fd, "anyone?");
}

static void a_muted_peer_hears_nothing_until_it_is_unmuted(void **state)
{
	struct ws_server_config server = rig_config();
	struct rig *rig;

	tear_down(state);
	server.ping_ms = 4 * PING_MS; /* the other one is silent as well */
	server.pong_ms = PATIENT_MS;
	*state = rig = rig_create_with(&server, SESSIONS, PATIENT_MS);
	rig->on_message = misbehave;
	run_beside(rig->loop, be_muted, rig);
	assert_true(rig->is_fine);
}

/* ---- the end ----------------------------------------------------------------------------- */

static void send_in_closed(struct session *session)
{
	for (unsigned i = 0; i < session->rig->session_count; i++)
		if (session->rig->sessions[i].peer)
			ws_send_text(session->rig->sessions[i].peer, "bye", 3);
}

static void leave_many_open(void *arg)
{
	struct rig *rig = arg;

	rig->fd = join(rig);
	rig->other = join(rig);
	for (int i = 0; i < 8; i++)
		rig->crowd[i] = join(rig);
	ask(rig, rig->other, "all");
	send_frame(rig->other, WS_OP_TEXT, "half a message", 14);
	say_close(rig->crowd[0], 1000);
}

static void those_still_there_at_the_end_are_closed_and_told(void **state)
{
	struct rig *rig = *state;

	rig->on_message = flood_the_first;
	rig->on_closed = send_in_closed;
	run_beside(rig->loop, leave_many_open, rig);
	ws_destroy(rig->ws);
	rig->ws = NULL;
	for (int i = 0; i < 10; i++)
		assert_int_equal(rig->sessions[i].closed, 1);
	assert_int_equal(first(rig)->end.err.code, ERR_STOPPING);
	for (int i = 0; i < 8; i++)
		close(rig->crowd[i]);
}

#define TEST(name)      cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define PING_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_pinging, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_reader_that_stops_keeps_its_place_and_delays_nobody),
		TEST(a_close_that_cannot_leave_cuts_after_two_seconds),
		TEST(a_reader_can_be_fed_at_its_own_pace),
		TEST(a_crowd_gets_every_message),
		PING_TEST(who_answers_pings_stays_and_who_does_not_is_closed),
		PING_TEST(who_talks_is_not_pinged),
		PING_TEST(who_takes_nothing_is_not_taken_for_dead),
		TEST(pings_behind_a_blocked_socket_pile_up_nowhere),
		TEST(a_dropped_peer_gets_no_close_frame_and_raw_bytes_go_out_raw),
		TEST(a_muted_peer_hears_nothing_until_it_is_unmuted),
		TEST(those_still_there_at_the_end_are_closed_and_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
