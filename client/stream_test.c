#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "client/stream_rig.h"

#define ORDER_ID "550e8400-e29b-41d4-a716-446655440000"
#define ORDER                                                                             \
	"{\"type\":\"Account\",\"sub_type\":\"order_info\",\"order\":{\"id\":\"" ORDER_ID \
	"\",\"status\":\"open\",\"base_qty\":\"31337.5\"}}"
#define TRADE(symbol)                                                                       \
	"{\"timestamp\":1766000000,\"symbol\":\"" symbol "\",\"side\":\"buy\",\"price\":1," \
	"\"amount\":1}"
#define DEPTH "{\"timestamp\":1755747950587,\"bids\":[[\"0.31337\",1]],\"asks\":[]}"

static void assert_states(const struct rig *rig, const enum dd_stream_state *states, size_t count)
{
	assert_int_equal(rig->state_count, count);
	assert_memory_equal(rig->states, states, count * sizeof(*states));
}

#define ASSERT_STATES(rig, ...)                                             \
	assert_states((rig), (const enum dd_stream_state[]){ __VA_ARGS__ }, \
		      ARRAY_LEN(((const enum dd_stream_state[]){ __VA_ARGS__ })))

/* ---- connecting ---- */

static void each_kind_of_stream_has_its_path_with_the_key(void **state)
{
	static const char *const targets[DD_STREAM_KINDS] = {
		[DD_STREAM_ACCOUNT] = "/accounts/stream?api_key=" API_KEY_URL,
		[DD_STREAM_DEPTH] = "/market/depth/ADAUSDM?api_key=" API_KEY_URL,
		[DD_STREAM_PRICE] = "/market/market-price/ADAUSDM?api_key=" API_KEY_URL,
		[DD_STREAM_TRADES] =
			"/market/recent-trades/ADAUSDM?api_key=" API_KEY_URL "&limit=50",
	};
	struct rig *rig = *state;

	rig_connect_with(rig, API_KEY);
	for (int kind = 0; kind < DD_STREAM_KINDS; kind++) {
		rig_open(rig, (enum dd_stream_kind)kind);
		wait_state(rig, DD_STREAM_CONNECTED);
		assert_string_equal(rig->target, targets[kind]);
		ASSERT_STATES(rig, DD_STREAM_CONNECTING, DD_STREAM_CONNECTED);
		rig->state_count = 0;
		rig_close(rig);
		wait_count(rig, &rig->gone, (unsigned)kind + 1);
		assert_int_equal(rig->close_code, WS_CLOSE_NORMAL);
	}
	assert_int_equal(rig->asked, DD_STREAM_KINDS);
}

static void a_path_in_the_address_stands_before_the_streams(void **state)
{
	struct rig *rig = *state;

	memcpy(rig->url + strlen(rig->url), "/a/b//", sizeof("/a/b//"));
	rig_begin(rig, DD_STREAM_ACCOUNT);
	wait_state(rig, DD_STREAM_CONNECTED);
	assert_string_equal(rig->target, "/a/b/accounts/stream?api_key=" API_KEY_URL);
}

static void connected_is_not_live_until_the_gap_is_filled(void **state)
{
	struct rig *rig = *state;
	struct dd_stream_status status;

	rig_begin(rig, DD_STREAM_ACCOUNT);
	assert_int_equal(rig_status(rig).state, DD_STREAM_DOWN);
	assert_int_equal(rig_status(rig).why.code, ERR_NONE);
	dd_stream_filled(rig->stream, 0); /* of no connection */
	wait_state(rig, DD_STREAM_CONNECTED);
	assert_int_equal(dd_stream_generation(rig->stream), 1);
	dd_stream_filled(rig->stream, 2);
	assert_int_equal(rig_status(rig).state, DD_STREAM_CONNECTED);
	dd_stream_filled(rig->stream, 1);
	dd_stream_filled(rig->stream, 1);
	ASSERT_STATES(rig, DD_STREAM_CONNECTING, DD_STREAM_CONNECTED, DD_STREAM_LIVE);
	ws_drop(rig->peer);
	wait_state(rig, DD_STREAM_CONNECTED);
	status = rig_status(rig);
	assert_int_equal(dd_stream_generation(rig->stream), 2);
	assert_int_equal(status.reconnects, 1);
	assert_int_equal(status.why.code, ERR_NONE);
	dd_stream_filled(rig->stream, 1); /* what was asked before the loss comes too late */
	ASSERT_STATES(rig, DD_STREAM_CONNECTING, DD_STREAM_CONNECTED, DD_STREAM_LIVE,
		      DD_STREAM_DOWN, DD_STREAM_CONNECTING, DD_STREAM_CONNECTED);
}

/* ---- what comes in ---- */

static void each_message_reaches_its_handler(void **state)
{
	static const struct {
		enum dd_stream_kind kind;
		const char *text;
		size_t counter;
		const char *last;
	} cases[] = {
		{ DD_STREAM_ACCOUNT, ORDER, offsetof(struct rig, orders), "open" },
		{ DD_STREAM_ACCOUNT,
		  "{\"sub_type\":\"balance\",\"balance\":[{\"asset\":\"ada\",\"free\":5}]}",
		  offsetof(struct rig, balances), "ada" },
		{ DD_STREAM_DEPTH, DEPTH, offsetof(struct rig, depths), "1/0" },
		{ DD_STREAM_PRICE, "{\"price\":0.750}", offsetof(struct rig, prices), "0.75" },
		{ DD_STREAM_TRADES,
		  "[{\"timestamp\":1766000000,\"side\":\"buy\",\"price\":\"0.750\",\"amount\":1},"
		  "7]",
		  offsetof(struct rig, trades), "0.750" },
		{ DD_STREAM_TRADES, "[]", offsetof(struct rig, trades), "" },
	};
	struct rig *rig = *state;

	rig_connect_with(rig, API_KEY);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		unsigned *counter = (unsigned *)(void *)((char *)rig + cases[i].counter);

		rig_open(rig, cases[i].kind);
		wait_state(rig, DD_STREAM_CONNECTED);
		rig_say(rig, cases[i].text);
		wait_count(rig, counter, 1);
		assert_string_equal(rig->last, cases[i].last);
		assert_int_equal(rig_status(rig).messages, 1);
		assert_true(rig_status(rig).last_message.us > 0);
		*counter = 0;
		rig_close(rig);
		rig->state_count = 0;
	}
}

static void what_cannot_be_read_costs_no_connection(void **state)
{
	static const char *const texts[] = {
		"{{{",
		"ping",
		"pong",
		"",
		"[]",
		"{\"type\":\"Account\"}",
		"Service Unavailable",
		"{\"type\":\"Account\",\"sub_type\":\"orders_history\",\"data\":[]}",
		"{\"type\":\"Account\",\"sub_type\":\"margin_call\"}",
		"{\"sub_type\":\"order_info\",\"order\":{\"id\":7}}",
	};
	struct rig *rig = *state;
	struct dd_stream_status status;

	rig_begin(rig, DD_STREAM_ACCOUNT);
	wait_state(rig, DD_STREAM_CONNECTED);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		rig_say(rig, texts[i]);
	rig_say(rig, ORDER);
	wait_count(rig, &rig->orders, 1);
	status = rig_status(rig);
	assert_int_equal(status.messages, 9); /* pings are none */
	assert_int_equal(status.unreadable, 6);
	assert_int_equal(rig->state_count, 2);
}

static void trades_that_cannot_be_read_are_told_of(void **state)
{
	static const struct {
		const char *text;
		unsigned calls, torn;
	} cases[] = {
		{ "[" TRADE("ADAUSDM") "]", 1, 0 },
		{ "[" TRADE("ADAUSDM") ",7]", 1, 1 },
		{ "[" TRADE("NIGHTUSDM") "]", 1, 0 },
		{ "[7]", 1, 1 },
		{ "{{{", 1, 1 },
		{ "ping", 0, 0 },
		{ "{\"error\":\"too many\",\"code\":4290}", 0, 0 },
	};
	struct rig *rig = *state;

	rig_begin(rig, DD_STREAM_TRADES);
	wait_state(rig, DD_STREAM_CONNECTED);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		rig->trades = rig->torn = 0;
		rig_say(rig, cases[i].text);
		rig_say(rig, "[]");
		wait_count(rig, &rig->trades, cases[i].calls + 1);
		assert_string_equal(rig->last, "");
		assert_int_equal(rig->torn, cases[i].torn);
	}
}

static void a_message_too_large_ends_the_connection_and_a_new_one_follows(void **state)
{
	struct rig *rig = *state;
	char *text = mem_alloc(WIRE_MESSAGE_MAX + 2);

	rig_begin(rig, DD_STREAM_ACCOUNT);
	wait_state(rig, DD_STREAM_CONNECTED);
	memset(text, ' ', WIRE_MESSAGE_MAX + 1);
	rig_say(rig, text);
	mem_free(text);
	wait_state(rig, DD_STREAM_DOWN);
	wait_state(rig, DD_STREAM_CONNECTED);
	assert_int_equal(rig_status(rig).messages, 0);
}

/* ---- what is logged ---- */

static void the_log_shows_names_and_never_a_value_or_the_key(void **state)
{
	struct rig *rig = *state;
	int real, fd = log_catch(&real);
	char *log;

	rig->refusal = 503;
	rig_begin(rig, DD_STREAM_ACCOUNT);
	wait_count(rig, &rig->asked, 2);
	rig->refusal = 401;
	wait_count(rig, &rig->asked, 4);
	rig->refusal = 0;
	wait_state(rig, DD_STREAM_CONNECTED);
	rig_say(rig, "{\"sub_type\":\"x_1\",\"31337\":31337}");
	rig_say(rig, "{\"sub_type\":\"x_1\",\"31337\":31337}");
	rig_say(rig, "{\"31337.5\":");
	rig_say(rig, ORDER);
	wait_count(rig, &rig->orders, 1);
	ws_close(rig->peer, WS_CLOSE_AWAY, API_KEY);
	wait_state(rig, DD_STREAM_DOWN);
	log = log_release(fd, real);
	assert_non_null(strstr(log, "\"event\":\"stream.message\",\"stream\":\"account\",\"kind\":"
				    "\"account\",\"sub_type\":\"order_info\",\"keys\":"
				    "\"type,sub_type,order\"}"));
	assert_non_null(strstr(log, "\"event\":\"stream.connected\""));
	assert_non_null(strstr(log, "\"http_status\":503"));
	assert_non_null(strstr(log, "\"close_code\":1001"));
	assert_int_equal(count_of(log, "stream.unknown_sub_type"), 1);
	assert_int_equal(count_of(log, "stream.key_refused"), 1);
	assert_int_equal(count_of(log, "stream.unreadable"), 1);
	assert_null(strstr(log, "31337"));
	assert_null(strstr(log, "dk_live"));
	assert_null(strstr(log, "ws://"));
	assert_null(strstr(log, "/accounts"));
	mem_free(log);
}

static void a_flood_of_rubbish_makes_no_flood_of_lines(void **state)
{
	struct rig *rig = *state;
	int real, fd = log_catch(&real);
	size_t lines;
	char *log;

	rig_begin(rig, DD_STREAM_ACCOUNT);
	wait_state(rig, DD_STREAM_CONNECTED);
	for (int i = 0; i < 500; i++)
		rig_say(rig, "{{{");
	rig_say(rig, ORDER);
	wait_count(rig, &rig->orders, 1);
	log = log_release(fd, real);
	lines = count_of(log, "stream.unreadable");
	assert_in_range(lines, 10, 20);
	assert_int_equal(rig_status(rig).unreadable, 500);
	mem_free(log);
}

/* ---- losses ---- */

static void tries_come_at_once_and_then_ever_later(void **state)
{
	static const struct {
		int64_t least, most;
	} waits[] = { { 0, 250 }, { 5, 10 }, { 10, 20 }, { 20, 40 }, { 20, 40 }, { 20, 40 } };
	struct rig *rig = *state;

	rig->refusal = 503;
	rig_begin(rig, DD_STREAM_DEPTH);
	wait_count(rig, &rig->state_count, 2 * ARRAY_LEN(waits));
	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		assert_int_equal(rig->states[2 * i], DD_STREAM_CONNECTING);
		assert_int_equal(rig->states[2 * i + 1], DD_STREAM_DOWN);
		assert_in_range(rig->waits_ms[2 * i + 1], waits[i].least, waits[i].most);
	}
	assert_int_not_equal(rig_status(rig).why.code, ERR_NONE);
	assert_int_not_equal(rig_status(rig).why.code, ERR_EXCHANGE_AUTH);
	assert_int_equal(dd_stream_generation(rig->stream), 0);
}

/* Dropped right after the handshake, again and again. */
static void only_a_connection_that_held_starts_the_row_anew(void **state)
{
	struct rig *rig = *state;

	rig->farewell = -1;
	rig->config.retry_min_ms = rig->config.retry_max_ms = 600;
	rig_begin(rig, DD_STREAM_DEPTH);
	wait_count(rig, &rig->state_count, 6);
	assert_int_equal(rig->states[2], DD_STREAM_DOWN);
	assert_in_range(rig->waits_ms[2], 0, 250);
	assert_int_equal(rig->states[5], DD_STREAM_DOWN);
	assert_in_range(rig->waits_ms[5], 300, 600);
}

static void a_connection_that_held_is_followed_at_once(void **state)
{
	struct rig *rig = *state;

	rig->farewell = WS_CLOSE_AWAY;
	rig->config.retry_min_ms = rig->config.retry_max_ms = LONG_MS;
	rig->config.steady_ms = 0;
	rig_begin(rig, DD_STREAM_DEPTH);
	wait_count(rig, &rig->state_count, 9);
	for (unsigned i = 2; i < 9; i += 3) {
		assert_int_equal(rig->states[i], DD_STREAM_DOWN);
		assert_in_range(rig->waits_ms[i], 0, 250);
	}
}

static void a_refused_key_is_named_and_tried_at_the_longest_interval(void **state)
{
	static const struct {
		int refusal, farewell;
		const char *greeting;
		bool is_auth;
	} cases[] = {
		{ 401, 0, NULL, true },
		{ 0, 4010, NULL, true },
		{ 0, WS_CLOSE_NORMAL, "{\"error\":\"Unauthorized access\",\"code\":4010}", true },
		{ 0, WS_CLOSE_AWAY, "{\"code\":4010,\"message\":\"no\"}", true },
		{ 403, 0, NULL, false }, /* a gateway that restarts */
		{ 503, 0, NULL, false },
		{ 0, WS_CLOSE_AWAY, NULL, false },
		{ 0, WS_CLOSE_AWAY, "{\"error\":\"busy\",\"code\":5001}", false },
		{ 0, WS_CLOSE_AWAY, "unauthorized 4010", false },
	};
	struct rig *rig = *state;

	rig->config.retry_max_ms = 1000;
	rig_connect_with(rig, API_KEY);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		rig->refusal = cases[i].refusal;
		rig->farewell = cases[i].farewell;
		rig->greeting = cases[i].greeting;
		rig_open(rig, DD_STREAM_ACCOUNT);
		wait_state(rig, DD_STREAM_DOWN);
		assert_int_equal(rig_status(rig).why.code == ERR_EXCHANGE_AUTH, cases[i].is_auth);
		assert_true(rig_status(rig).why.text[0] != '\0');
		assert_null(strstr(rig_status(rig).why.text, "dk_live"));
		if (cases[i].is_auth)
			assert_in_range(rig->waits_ms[rig->state_count - 1], 500, 1000);
		else
			assert_in_range(rig->waits_ms[rig->state_count - 1], 0, 250);
		rig_close(rig);
		rig->state_count = 0;
	}
}

static void a_dropped_connection_is_told_without_its_address(void **state)
{
	struct rig *rig = *state;
	struct err why;

	rig->farewell = -1;
	rig_begin(rig, DD_STREAM_ACCOUNT);
	wait_state(rig, DD_STREAM_DOWN);
	why = rig_status(rig).why;
	assert_int_not_equal(why.code, ERR_NONE);
	assert_null(strstr(why.text, "dk_live"));
	assert_null(strstr(why.text, "/accounts"));
}

static void nobody_listening_is_tried_again(void **state)
{
	struct rig *rig = *state;

	snprintf(rig->url, sizeof(rig->url), "ws://127.0.0.1:1");
	rig_begin(rig, DD_STREAM_ACCOUNT);
	wait_count(rig, &rig->state_count, 4);
	ASSERT_STATES(rig, DD_STREAM_CONNECTING, DD_STREAM_DOWN, DD_STREAM_CONNECTING,
		      DD_STREAM_DOWN);
	assert_int_equal(rig_status(rig).why.code, ERR_UNREACHABLE);
}

/* ---- keys ---- */

static void another_key_is_used_once_the_old_connection_is_closed(void **state)
{
	struct rig *rig = *state;

	rig->fills = true;
	rig->config.retry_min_ms = rig->config.retry_max_ms = LONG_MS;
	rig_begin(rig, DD_STREAM_ACCOUNT);
	wait_state(rig, DD_STREAM_LIVE);
	rig_set_key(rig, "second");
	rig_set_key(rig, "third");
	wait_count(rig, &rig->served, 2);
	wait_state(rig, DD_STREAM_LIVE);
	assert_string_equal(rig->target, "/accounts/stream?api_key=third");
	assert_int_equal(rig->close_code, WS_CLOSE_NORMAL);
	assert_int_equal(rig->most, 1);
	ASSERT_STATES(rig, DD_STREAM_CONNECTING, DD_STREAM_CONNECTED, DD_STREAM_LIVE,
		      DD_STREAM_DOWN, DD_STREAM_CONNECTING, DD_STREAM_CONNECTED, DD_STREAM_LIVE);
}

static void another_key_ends_the_wait_after_a_refusal(void **state)
{
	struct rig *rig = *state;

	rig->config.retry_min_ms = rig->config.retry_max_ms = LONG_MS;
	rig->refusal = 401;
	rig_begin(rig, DD_STREAM_ACCOUNT);
	wait_state(rig, DD_STREAM_DOWN);
	assert_int_equal(rig_status(rig).why.code, ERR_EXCHANGE_AUTH);
	rig->refusal = 0;
	rig_set_key(rig, "second");
	wait_state(rig, DD_STREAM_CONNECTED);
	assert_string_equal(rig->target, "/accounts/stream?api_key=second");
	assert_int_equal(rig_status(rig).why.code, ERR_NONE);
}

static void another_key_replaces_a_handshake_under_way(void **state)
{
	struct rig *rig = *state;

	rig_begin(rig, DD_STREAM_ACCOUNT);
	wait_state(rig, DD_STREAM_CONNECTING);
	rig_set_key(rig, "second");
	wait_state(rig, DD_STREAM_CONNECTED);
	assert_string_equal(rig->target, "/accounts/stream?api_key=second");
}

static void nothing_connects_without_a_key(void **state)
{
	struct rig *rig = *state;

	rig_connect_with(rig, NULL);
	rig_open(rig, DD_STREAM_ACCOUNT);
	assert_int_equal(rig_status(rig).why.code, ERR_EXCHANGE_AUTH);
	turn_for(rig, 30);
	assert_int_equal(rig->state_count, 0);
	rig_set_key(rig, API_KEY);
	wait_state(rig, DD_STREAM_CONNECTED);
	rig_set_key(rig, NULL);
	wait_state(rig, DD_STREAM_DOWN);
	assert_int_equal(rig_status(rig).retry_at.us, 0);
	turn_for(rig, 300);
	assert_int_equal(rig->asked, 1);
	assert_int_equal(rig->state_count, 3);
}

/* ---- closing ---- */

static void a_stream_may_be_closed_in_any_of_its_callbacks(void **state)
{
	struct rig *rig = *state;
	unsigned count = 0;

	rig->farewell = WS_CLOSE_AWAY;
	rig->fills = true;
	rig_connect_with(rig, API_KEY);
	for (int at = DD_STREAM_DOWN; at <= DD_STREAM_LIVE; at++) {
		rig->closing_state = at;
		rig_open(rig, DD_STREAM_ACCOUNT);
		rig->state_count = 0;
		wait_state(rig, (enum dd_stream_state)at);
		assert_null(rig->stream);
		count = rig->state_count;
		turn_for(rig, 20);
		assert_int_equal(rig->state_count, count);
	}
	wait_count(rig, &rig->gone, rig->served);
}

static void a_stream_may_be_closed_while_a_message_is_told(void **state)
{
	static const struct {
		enum dd_stream_kind kind;
		const char *text;
		size_t counter;
	} cases[] = {
		{ DD_STREAM_ACCOUNT, ORDER, offsetof(struct rig, orders) },
		{ DD_STREAM_ACCOUNT, "{\"sub_type\":\"balance\",\"balance\":[{\"asset\":\"ada\"}]}",
		  offsetof(struct rig, balances) },
		{ DD_STREAM_DEPTH, DEPTH, offsetof(struct rig, depths) },
		{ DD_STREAM_PRICE, "{\"price\":1}", offsetof(struct rig, prices) },
		{ DD_STREAM_TRADES, "[]", offsetof(struct rig, trades) },
	};
	struct rig *rig = *state;

	rig->is_closing_on_data = true;
	rig_connect_with(rig, API_KEY);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		unsigned *counter = (unsigned *)(void *)((char *)rig + cases[i].counter);

		rig_open(rig, cases[i].kind);
		wait_state(rig, DD_STREAM_CONNECTED);
		rig->state_count = 0;
		rig_say(rig, cases[i].text);
		rig_say(rig, cases[i].text);
		wait_count(rig, &rig->gone, (unsigned)i + 1);
		assert_int_equal(*counter, 1);
		assert_int_equal(rig->state_count, 0);
		*counter = 0;
	}
}

static void taking_all_down_closes_every_stream(void **state)
{
	struct rig *rig = *state;

	rig_connect_with(rig, API_KEY);
	rig_open(rig, DD_STREAM_ACCOUNT);
	wait_state(rig, DD_STREAM_CONNECTED);
	rig_open(rig, DD_STREAM_DEPTH);
	wait_count(rig, &rig->served, 2);
	dd_streams_destroy(rig->streams);
	rig->streams = NULL;
	rig->state_count = 0;
	wait_count(rig, &rig->gone, 2);
	assert_int_equal(rig->close_code, WS_CLOSE_NORMAL);
	assert_int_equal(rig->state_count, 0);
	dd_streams_destroy(NULL);
	dd_stream_close(NULL);
}

/* ---- alive or not ---- */

static void a_stream_that_answers_no_ping_is_stale_and_then_given_up(void **state)
{
	struct rig *rig = *state;

	rig->config.ping_ms = rig->config.pong_ms = 200;
	rig->fills = true;
	rig_begin(rig, DD_STREAM_ACCOUNT);
	wait_state(rig, DD_STREAM_LIVE);
	ws_mute(rig->peer, true);
	wait_state(rig, DD_STREAM_STALE);
	wait_state(rig, DD_STREAM_DOWN);
	wait_state(rig, DD_STREAM_LIVE);
	ASSERT_STATES(rig, DD_STREAM_CONNECTING, DD_STREAM_CONNECTED, DD_STREAM_LIVE,
		      DD_STREAM_STALE, DD_STREAM_DOWN, DD_STREAM_CONNECTING, DD_STREAM_CONNECTED,
		      DD_STREAM_LIVE);
}

static void a_stale_stream_that_answers_after_all_is_what_it_was(void **state)
{
	struct rig *rig = *state;

	rig->config.ping_ms = 100;
	rig->config.pong_ms = 1000;
	rig_begin(rig, DD_STREAM_ACCOUNT);
	wait_state(rig, DD_STREAM_CONNECTED);
	ws_mute(rig->peer, true);
	wait_state(rig, DD_STREAM_STALE);
	/* Filled meanwhile, which counts: nobody would do it again. */
	dd_stream_filled(rig->stream, dd_stream_generation(rig->stream));
	ws_mute(rig->peer, false);
	wait_state(rig, DD_STREAM_LIVE);
	ASSERT_STATES(rig, DD_STREAM_CONNECTING, DD_STREAM_CONNECTED, DD_STREAM_STALE,
		      DD_STREAM_LIVE);
}

/* Markets are silent for hours. */
static void silence_is_no_death_while_pings_are_answered(void **state)
{
	struct rig *rig = *state;
	struct mono connected;

	rig->config.ping_ms = 100;
	rig->config.pong_ms = 100;
	rig_begin(rig, DD_STREAM_ACCOUNT);
	wait_state(rig, DD_STREAM_CONNECTED);
	connected = rig_status(rig).since;
	turn_for(rig, 700);
	assert_int_equal(rig->state_count, 2);
	assert_true(mono_diff_ms(rig_status(rig).last_alive, connected) > 400);
	assert_int_equal(rig_status(rig).last_message.us, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_kind_of_stream_has_its_path_with_the_key),
		TEST(a_path_in_the_address_stands_before_the_streams),
		TEST(connected_is_not_live_until_the_gap_is_filled),
		TEST(each_message_reaches_its_handler),
		TEST(what_cannot_be_read_costs_no_connection),
		TEST(trades_that_cannot_be_read_are_told_of),
		TEST(a_message_too_large_ends_the_connection_and_a_new_one_follows),
		TEST(the_log_shows_names_and_never_a_value_or_the_key),
		TEST(a_flood_of_rubbish_makes_no_flood_of_lines),
		TEST(tries_come_at_once_and_then_ever_later),
		TEST(only_a_connection_that_held_starts_the_row_anew),
		TEST(a_connection_that_held_is_followed_at_once),
		TEST(a_refused_key_is_named_and_tried_at_the_longest_interval),
		TEST(a_dropped_connection_is_told_without_its_address),
		TEST(nobody_listening_is_tried_again),
		TEST(another_key_is_used_once_the_old_connection_is_closed),
		TEST(another_key_ends_the_wait_after_a_refusal),
		TEST(another_key_replaces_a_handshake_under_way),
		TEST(nothing_connects_without_a_key),
		TEST(a_stream_may_be_closed_in_any_of_its_callbacks),
		TEST(a_stream_may_be_closed_while_a_message_is_told),
		TEST(taking_all_down_closes_every_stream),
		TEST(a_stream_that_answers_no_ping_is_stale_and_then_given_up),
		TEST(a_stale_stream_that_answers_after_all_is_what_it_was),
		TEST(silence_is_no_death_while_pings_are_answered),
	};

	return cmocka_run_group_tests(tests, start_all, NULL);
}
