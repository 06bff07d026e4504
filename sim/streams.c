#include "sim/streams.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/loop.h"
#include "net/ws.h"
#include "sim/storm.h"
#include "sim/stream_door.h"
#include "sim/stream_wire.h"
#include "sim/streams_in.h"
#include "sim/wire.h"

#define HANDSHAKE_MS 10000
#define INCOMING_MAX 4096
#define QUEUED_MAX   ((size_t)16 << 20) /* who lags further behind is dropped */
#define DRAW_MS      100                /* how often ws_drop looks for a victim */

bool streams_have(const struct streams *streams, enum fault_switch which)
{
	return streams->sim->faults.switches[which];
}

void streams_poke(struct streams *streams)
{
	timer_start(streams->timer, 0);
}

/* ---- what comes with time ---- */

static int64_t switch_ms(const struct streams *streams, enum fault_switch which)
{
	return streams_have(streams, which) ? streams->sim->faults.switch_ms[which] : 0;
}

/* True each time next has come; it is set anew then. Nothing ever comes with every_ms 0. */
static bool comes_round(struct mono *next, int64_t every_ms, struct mono now)
{
	bool is_due = every_ms > 0 && mono_is_past(*next, now);

	if (every_ms == 0)
		next->us = 0;
	else if (is_due || next->us == 0)
		*next = mono_after_ms(now, every_ms);
	return is_due;
}

static void ping_all(struct streams *streams)
{
	LIST_EACH_SAFE (&streams->sockets, node) {
		struct stream_socket *socket = CONTAINER_OF(node, struct stream_socket, node);

		if (socket->peer)
			line_send_raw(&socket->line, "ping", 4);
	}
}

/* Each draw ends a socket with the same small chance, however old it is. */
static void drop_some(struct streams *streams, int64_t mean_ms)
{
	uint64_t seed = streams->sim->config.exchange.seed;

	LIST_EACH_SAFE (&streams->sockets, node) {
		struct stream_socket *socket = CONTAINER_OF(node, struct stream_socket, node);

		if (!socket->peer || socket->is_ending ||
		    draw_range(seed, "ws_drop", streams->draws++, 0, mean_ms - 1) >= DRAW_MS)
			continue;
		socket->is_ending = true;
		ws_drop(socket->peer);
	}
}

static struct mono next_due(const struct streams *streams)
{
	struct mono trouble = pace_sooner(streams->next_ping, streams->next_draw);

	return pace_sooner(trouble, stream_news_due(streams));
}

static void on_time(void *arg)
{
	struct streams *streams = arg;
	int64_t drop_ms = switch_ms(streams, SWITCH_WS_DROP);
	struct mono now = mono_now();

	stream_news_flush(streams, now);
	if (comes_round(&streams->next_ping, switch_ms(streams, SWITCH_TEXT_PING), now))
		ping_all(streams);
	if (comes_round(&streams->next_draw, drop_ms > 0 ? DRAW_MS : 0, now))
		drop_some(streams, drop_ms);
	timer_start_at(streams->timer, next_due(streams));
}

void streams_wake(struct streams *streams)
{
	if (!streams)
		return;
	streams->next_ping = streams->next_draw = (struct mono){ 0 };
	streams_poke(streams);
}

/* ---- sockets ---- */

static void socket_send(void *arg, const char *text, size_t len)
{
	struct stream_socket *socket = arg;

	ws_send_text(socket->peer, text, len);
	if (ws_queued(socket->peer) <= QUEUED_MAX)
		return;
	socket->is_ending = true;
	ws_drop(socket->peer);
}

static void socket_end(void *arg, int code)
{
	struct stream_socket *socket = arg;

	socket->is_ending = true;
	if (code)
		ws_close(socket->peer, code, "");
	else if (ws_queued(socket->peer) > 0)
		socket->is_dropping = true; /* what was said before is to arrive */
	else
		ws_drop(socket->peer);
}

static const struct stream_line_out line_out = { socket_send, socket_end };

bool streams_upgrade(void *arg, const struct upgrade *upgrade, void **session)
{
	struct streams *streams = arg;
	struct door_visit visit;
	struct stream_socket *socket;

	if (!door_admit(streams->door, upgrade, &visit))
		return false;
	socket = mem_alloc(sizeof(*socket));
	socket->streams = streams;
	socket->id = ++streams->sockets_made;
	socket->record_seq = visit.record_seq;
	socket->name = visit.name;
	socket->account = visit.account;
	socket->first_trades = visit.limit > 0 ? visit.limit : TRADES_FIRST;
	if (socket->first_trades > STREAM_TRADES_MAX)
		socket->first_trades = STREAM_TRADES_MAX;
	stream_print(&socket->name, socket->text);
	line_init(&socket->line, &line_out, socket, socket->text,
		  socket->account ? socket->account->name : "");
	list_push_back(&streams->sockets, &socket->node);
	*session = socket;
	return true;
}

static void on_opened(void *arg, struct ws_peer *peer)
{
	struct stream_socket *socket = arg;

	socket->peer = peer;
	socket->since = sim_now(socket->streams->sim);
	stream_news_first(socket);
}

/* Clients have nothing to say; a text "ping" is tolerated like anything else. */
static void on_message(void *arg, struct ws_peer *peer, const char *bytes, size_t len, bool is_text)
{
	(void)arg;
	(void)peer;
	(void)bytes;
	(void)len;
	(void)is_text;
}

static void on_drained(void *arg, struct ws_peer *peer)
{
	const struct stream_socket *socket = arg;

	if (socket->is_dropping)
		ws_drop(peer);
}

static void on_closed(void *arg, struct ws_peer *peer, const struct ws_end *end)
{
	struct stream_socket *socket = arg;
	struct record *record = &socket->streams->sim->record;
	struct record_entry *entry = record_find(record, socket->record_seq);

	(void)peer;
	if (entry)
		record_end(entry, socket->peer ? RECORD_ANSWERED : RECORD_DROPPED,
			   socket->peer ? 101 : 0, end->code, mono_now());
	list_remove(&socket->node);
	line_fini(&socket->line);
	mem_free(socket);
}

static const struct ws_handlers handlers = {
	.opened = on_opened, .message = on_message, .drained = on_drained, .closed = on_closed
};

/* ---- life ---- */

struct streams *streams_create(struct sim *sim, struct ws *ws)
{
	static const struct ws_server_config config = { .message_max = INCOMING_MAX,
							.handshake_ms = HANDSHAKE_MS,
							.handlers = &handlers };
	struct streams *streams = mem_alloc(sizeof(*streams));

	streams->sim = sim;
	streams->door = door_create(sim);
	streams->was_locked = sim->exchange->is_locked;
	list_init(&streams->sockets);
	streams->timer = loop_timer_create(sim->loop, on_time, streams);
	streams_poke(streams);
	ws_serve(ws, &config);
	exchange_subscribe(sim->exchange, stream_news_on_event, streams);
	return streams;
}

void streams_destroy(struct streams *streams)
{
	if (!streams)
		return;
	streams_calm(streams);
	timer_destroy(streams->timer);
	door_destroy(streams->door);
	mem_free(streams);
}

struct stream_door *streams_door(struct streams *streams)
{
	return streams->door;
}

/* ---- the control ---- */

static bool is_meant(const struct stream_socket *socket, const char *glob)
{
	return socket->peer && stream_matches(glob, socket->text);
}

size_t streams_close(struct streams *streams, const char *glob, int code)
{
	size_t count = 0;

	LIST_EACH_SAFE (&streams->sockets, node) {
		struct stream_socket *socket = CONTAINER_OF(node, struct stream_socket, node);

		if (!is_meant(socket, glob) || socket->is_ending)
			continue;
		count++;
		socket->is_ending = true;
		if (code)
			ws_close(socket->peer, code, "");
		else
			ws_drop(socket->peer);
	}
	return count;
}

size_t streams_mute(struct streams *streams, const char *glob, bool is_muted)
{
	size_t count = 0;

	LIST_EACH (&streams->sockets, node) {
		struct stream_socket *socket = CONTAINER_OF(node, struct stream_socket, node);

		if (!is_meant(socket, glob))
			continue;
		count++;
		socket->is_muted = is_muted;
		ws_mute(socket->peer, is_muted);
	}
	return count;
}

size_t streams_send(struct streams *streams, const char *glob, const char *text, size_t len)
{
	size_t count = 0;

	LIST_EACH_SAFE (&streams->sockets, node) {
		struct stream_socket *socket = CONTAINER_OF(node, struct stream_socket, node);

		if (!is_meant(socket, glob))
			continue;
		count++;
		line_send_raw(&socket->line, text, len);
	}
	return count;
}

static json_t *socket_object(const struct stream_socket *socket)
{
	json_t *object = json_pack(
		"{s:I,s:s,s:o,s:I,s:I,s:b}", "id", (json_int_t)socket->id, "stream", socket->text,
		"since", wire_time(socket->since), "messages_sent", (json_int_t)socket->line.sent,
		"queued", (json_int_t)ws_queued(socket->peer), "alive",
		!socket->is_muted && !socket->is_ending && !socket->line.is_stalled);

	if (socket->name.pair)
		json_object_set_new(object, "symbol", json_string(socket->name.pair->symbol));
	if (socket->account)
		json_object_set_new(object, "account", json_string(socket->account->name));
	return object;
}

json_t *streams_list(const struct streams *streams)
{
	json_t *array = json_array();

	LIST_EACH (&streams->sockets, node) {
		const struct stream_socket *socket = CONTAINER_OF(node, struct stream_socket, node);

		if (socket->peer)
			json_array_append_new(array, socket_object(socket));
	}
	return array;
}

/* ---- storms ---- */

static void on_storm(void *arg, uint64_t n)
{
	const struct storm_slot *slot = arg;
	struct buf message;

	buf_init(&message, STREAM_MESSAGE_MAX);
	stream_add_storm(&message, slot->name.pair, n, sim_now(slot->streams->sim));
	stream_news_say(slot->streams, &slot->name, NULL, &message);
	buf_fini(&message);
}

static struct storm_slot *free_slot(struct streams *streams)
{
	for (size_t i = 0; i < STORMS_MAX; i++) {
		struct storm_slot *slot = &streams->storms[i];

		if (!slot->storm || storm_is_over(slot->storm)) {
			storm_destroy(slot->storm);
			*slot = (struct storm_slot){ .streams = streams };
			return slot;
		}
	}
	return NULL;
}

bool streams_storm(struct streams *streams, const char *stream, int64_t per_second, int64_t for_ms,
		   struct err *err)
{
	struct stream_name name;
	struct storm_slot *slot;

	if (!stream_parse(stream, &name) || name.kind != STREAM_DEPTH)
		return err_set(err, ERR_INVALID, "a storm needs a depth stream");
	if (per_second < 1 || per_second > STORM_RATE_MAX || for_ms < 1 || for_ms > STORM_MS_MAX)
		return err_set(err, ERR_INVALID,
			       "a storm has 1 to %d messages a second, for an hour",
			       STORM_RATE_MAX);
	slot = free_slot(streams);
	if (!slot)
		return err_set(err, ERR_INVALID, "there are %d storms already", STORMS_MAX);
	slot->name = name;
	slot->storm = storm_create(streams->sim->loop, per_second, for_ms, on_storm, slot);
	return true;
}

void streams_calm(struct streams *streams)
{
	for (size_t i = 0; i < STORMS_MAX; i++) {
		storm_destroy(streams->storms[i].storm);
		streams->storms[i].storm = NULL;
	}
}
