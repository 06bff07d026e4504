/* stream_rig.h - what the tests of streams share: an exchange's serving end and our asking end on
 * one loop, with a note of what each saw. */
#ifndef CLIENT_STREAM_RIG_H
#define CLIENT_STREAM_RIG_H
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "client/stream.h"
#include "client/wire_stream.h"
#include "net/front.h"
#include "net/httpd.h"
#include "net/loop.h"
#include "net/ws.h"

#define API_KEY     "dk_live_abc/123&x=1" /* canary: never to be seen but by the exchange */
#define API_KEY_URL "dk_live_abc%2F123%26x%3D1"
#define PATIENCE_MS 10000 /* no test waits so long unless it is broken */
#define STATES_MAX  256
#define LONG_MS     60000 /* will not come about */

struct rig {
	struct loop *loop;
	struct ws *ws;
	struct httpd *httpd;
	struct front *front;
	char url[64];
	struct dd_streams_config config;
	struct dd_streams *streams;
	struct dd_stream *stream;

	/* The exchange's end. */
	int refusal;           /* HTTP status of every handshake; 0: they are accepted */
	const char *greeting;  /* sent to whoever connects */
	int farewell;          /* ... and closed with this code; -1: dropped; 0: not */
	struct ws_peer *peer;  /* the newest, NULL when it has gone */
	char target[256];      /* "/path?query" of the newest */
	unsigned asked;        /* handshakes, also the refused ones */
	unsigned served, gone; /* connections */
	unsigned most;         /* at the same time */
	int close_code;        /* of the last that went */

	/* What the handlers got. */
	enum dd_stream_state states[STATES_MAX];
	int64_t waits_ms[STATES_MAX]; /* for each: how long until the next try */
	unsigned state_count;
	unsigned orders, balances, depths, prices, trades; /* calls */
	unsigned torn;                                     /* trades that were not whole */
	char last[128];                                    /* of what came last */
	bool is_inside;                                    /* of a call that must not call back */
	bool fills; /* says dd_stream_filled() as soon as it is connected */
	/* Closes itself within: a state, or with the next message. */
	int closing_state;
	bool is_closing_on_data;

	/* What a test waits for. */
	const unsigned *counter;
	unsigned goal;
	int wanted; /* a state; -1: none */
	struct timer *guard;
	bool is_late;
};

/* ---- our end ---- */

static inline void rig_close(struct rig *rig)
{
	dd_stream_close(rig->stream);
	rig->stream = NULL;
}

static inline void on_state(void *arg, struct dd_stream *stream, enum dd_stream_state state)
{
	struct rig *rig = arg;
	struct dd_stream_status status;

	assert_false(rig->is_inside);
	assert_ptr_equal(stream, rig->stream);
	dd_stream_status(stream, &status);
	assert_int_equal(status.state, state);
	assert_int_equal(status.since.us, loop_now(rig->loop).us);
	assert_true(rig->state_count < STATES_MAX);
	rig->waits_ms[rig->state_count] = mono_diff_ms(status.retry_at, status.since);
	rig->states[rig->state_count++] = state;
	if ((int)state == rig->closing_state)
		rig_close(rig);
	else if (state == DD_STREAM_CONNECTED && rig->farewell < 0)
		ws_drop(rig->peer);
	else if (state == DD_STREAM_CONNECTED && rig->fills)
		dd_stream_filled(stream, dd_stream_generation(stream));
}

static inline void note(struct rig *rig, unsigned *counter, const char *text)
{
	assert_false(rig->is_inside);
	++*counter;
	STR_SET(rig->last, text);
	if (rig->is_closing_on_data)
		rig_close(rig);
}

static inline void on_order(void *arg, const struct dd_order *order)
{
	struct rig *rig = arg;

	note(rig, &rig->orders, order->status_text);
}

static inline void on_balances(void *arg, const struct dd_balance *balances, size_t count)
{
	struct rig *rig = arg;

	assert_true(count > 0);
	note(rig, &rig->balances, balances[count - 1].asset);
}

static inline void on_depth(void *arg, const struct dd_depth *depth)
{
	struct rig *rig = arg;
	char text[32];

	snprintf(text, sizeof(text), "%zu/%zu", depth->bid_count, depth->ask_count);
	note(rig, &rig->depths, text);
}

static inline void on_price(void *arg, struct decimal price)
{
	struct rig *rig = arg;
	char text[DECIMAL_TEXT_LEN];

	note(rig, &rig->prices, decimal_print(price, text));
}

static inline void on_trades(void *arg, const struct dd_trade *trades, size_t count, bool is_whole)
{
	struct rig *rig = arg;
	char text[DECIMAL_TEXT_LEN];

	rig->torn += !is_whole;
	note(rig, &rig->trades, count == 0 ? "" : decimal_print(trades[0].price, text));
}

static const struct dd_stream_handlers all_handlers = {
	.state = on_state,
	.order = on_order,
	.balances = on_balances,
	.depth = on_depth,
	.price = on_price,
	.trades = on_trades,
};

static inline void rig_open(struct rig *rig, enum dd_stream_kind kind)
{
	rig->is_inside = true;
	rig->stream = dd_stream_open(rig->streams, kind, "ADAUSDM", &all_handlers, rig);
	rig->is_inside = false;
}

static inline void rig_set_key(struct rig *rig, const char *text)
{
	struct secret *key = text ? secret_from_str(text) : NULL;

	rig->is_inside = true;
	dd_streams_set_api_key(rig->streams, key);
	rig->is_inside = false;
	secret_destroy(key);
}

/* With the settings of rig->config. */
static inline void rig_connect_with(struct rig *rig, const char *text)
{
	struct secret *key = text ? secret_from_str(text) : NULL;

	rig->streams = dd_streams_create(rig->loop, rig->ws, &rig->config, key);
	secret_destroy(key);
}

static inline void rig_begin(struct rig *rig, enum dd_stream_kind kind)
{
	rig_connect_with(rig, API_KEY);
	rig_open(rig, kind);
}

static inline struct dd_stream_status rig_status(const struct rig *rig)
{
	struct dd_stream_status status;

	dd_stream_status(rig->stream, &status);
	return status;
}

/* ---- the exchange's end ---- */

static inline void rig_say(struct rig *rig, const char *text)
{
	ws_send_text(rig->peer, text, strlen(text));
}

static inline void served(void *arg, struct ws_peer *peer)
{
	struct rig *rig = arg;

	rig->peer = peer;
	rig->served++;
	if (rig->served - rig->gone > rig->most)
		rig->most = rig->served - rig->gone;
	if (rig->greeting)
		rig_say(rig, rig->greeting);
	if (rig->farewell > 0)
		ws_close(peer, rig->farewell, "");
}

static inline void told(void *arg, struct ws_peer *peer, const char *bytes, size_t len,
			bool is_text)
{
	(void)arg, (void)peer, (void)bytes, (void)len, (void)is_text;
	fail_msg("a client of the exchange says nothing");
}

static inline void gone(void *arg, struct ws_peer *peer, const struct ws_end *end)
{
	struct rig *rig = arg;

	rig->gone++;
	rig->close_code = end->code;
	if (rig->peer == peer)
		rig->peer = NULL;
}

static inline bool on_upgrade(void *arg, const struct upgrade *upgrade, void **session)
{
	struct rig *rig = arg;

	rig->asked++;
	snprintf(rig->target, sizeof(rig->target), "%s?%s", upgrade_path(upgrade),
		 upgrade_query(upgrade));
	*session = rig;
	return rig->refusal == 0;
}

static inline void on_refused(void *arg, struct http_request *request)
{
	struct rig *rig = arg;

	http_reply(request, rig->refusal, "text/plain", "no", 2);
}

/* ---- waiting ---- */

static inline bool is_met(const struct rig *rig)
{
	if (rig->counter)
		return *rig->counter >= rig->goal;
	return rig->state_count > 0 && (int)rig->states[rig->state_count - 1] == rig->wanted;
}

static inline void look(void *arg)
{
	struct rig *rig = arg;

	if (is_met(rig))
		loop_stop(rig->loop);
}

static inline void on_late(void *arg)
{
	struct rig *rig = arg;

	rig->is_late = true;
	loop_stop(rig->loop);
}

static inline void rig_wait(struct rig *rig)
{
	struct hook *hook;

	if (is_met(rig))
		return;
	hook = hook_create(rig->loop, look, rig);
	timer_start(rig->guard, PATIENCE_MS);
	loop_run(rig->loop);
	timer_stop(rig->guard);
	hook_destroy(hook);
	assert_false(rig->is_late);
}

static inline void wait_count(struct rig *rig, const unsigned *counter, unsigned goal)
{
	rig->counter = counter;
	rig->goal = goal;
	rig_wait(rig);
}

static inline void wait_state(struct rig *rig, enum dd_stream_state state)
{
	rig->counter = NULL;
	rig->wanted = (int)state;
	rig_wait(rig);
}

/* Lets so much time pass in which nothing is meant to happen. */
static inline void turn_for(struct rig *rig, int64_t ms)
{
	timer_start(rig->guard, ms);
	loop_run(rig->loop);
	rig->is_late = false;
}

/* ---- the log ---- */

/* Everything logged between the two; free what the second returns. */
static inline int log_catch(int *real)
{
	FILE *file = tmpfile();
	int fd;

	assert_non_null(file);
	fd = dup(fileno(file));
	fclose(file);
	fflush(stderr);
	*real = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	log_configure(LOG_DEBUG, LOG_JSON);
	return fd;
}

static inline char *log_release(int fd, int real)
{
	off_t len = lseek(fd, 0, SEEK_END);
	char *text = mem_alloc((size_t)len + 1);

	log_configure(LOG_INFO, LOG_JSON);
	dup2(real, STDERR_FILENO);
	close(real);
	assert_int_equal(pread(fd, text, (size_t)len, 0), len);
	close(fd);
	return text;
}

static inline size_t count_of(const char *text, const char *part)
{
	size_t count = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		count++;
	return count;
}

/* ---- from start to end ---- */

static inline int start(void **state)
{
	struct rig *rig = mem_alloc(sizeof(*rig));
	static const struct ws_handlers handlers = { .opened = served,
						     .message = told,
						     .closed = gone };
	const struct httpd_config httpd = { .body_max = 1000,
					    .connections_max = 100,
					    .head_timeout_ms = PATIENCE_MS,
					    .body_timeout_ms = PATIENCE_MS,
					    .handle = on_refused,
					    .arg = rig };
	const struct ws_server_config server = { .message_max = 1000,
						 .handshake_ms = PATIENCE_MS,
						 .handlers = &handlers };
	const struct ws_config ws = { .peers_max = 100 };
	struct front_config front = { .head_timeout_ms = PATIENCE_MS,
				      .undecided_max = 100,
				      .upgrade = on_upgrade,
				      .arg = rig };
	struct err err;

	rig->loop = loop_create();
	if (!httpd_create(rig->loop, &httpd, &rig->httpd, &err) ||
	    !ws_create(rig->loop, &ws, &rig->ws, &err))
		return -1;
	ws_serve(rig->ws, &server);
	front.ws = rig->ws;
	if (!front_create(rig->loop, rig->httpd, &front, &rig->front, &err) ||
	    !front_listen_tcp(rig->front, "127.0.0.1:0", &err))
		return -1;
	snprintf(rig->url, sizeof(rig->url), "ws://%s", front_address(rig->front));
	rig->config = (struct dd_streams_config){ .url = rig->url,
						  .connect_ms = PATIENCE_MS,
						  .ping_ms = LONG_MS,
						  .pong_ms = LONG_MS,
						  .retry_min_ms = 10,
						  .retry_max_ms = 40,
						  .steady_ms = LONG_MS,
						  .backlog = 50 };
	rig->closing_state = rig->wanted = -1;
	rig->guard = loop_timer_create(rig->loop, on_late, rig);
	*state = rig;
	return 0;
}

static inline int stop(void **state)
{
	struct rig *rig = *state;

	dd_streams_destroy(rig->streams);
	front_destroy(rig->front);
	ws_destroy(rig->ws);
	httpd_destroy(rig->httpd);
	timer_destroy(rig->guard);
	loop_destroy(rig->loop);
	mem_free(rig);
	return 0;
}

static inline int start_all(void **state)
{
	bool is_locked;
	struct err err;

	(void)state;
	return secret_init(&is_locked, &err) ? 0 : -1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
#endif
