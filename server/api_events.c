/* The local stream as server-sent events: one channel list in the query, and no way to say more.
 *
 * Whatever can be wrong is told before the answer begins, as a problem. Then each message of the
 * stream is an event whose id holds the reader's positions, so that a browser, or anybody who
 * sends the last one back, resumes by itself. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/httpd.h"
#include "net/loop.h"
#include "net/ws.h"
#include "server/api.h"
#include "server/api_stream.h"
#include "server/config.h"
#include "server/daemon.h"
#include "server/hub.h"
#include "server/stream_in.h"

#define VALUE_LEN     1001        /* of a parameter; routes.c takes no longer ones */
#define LAST_WORDS_MS 5000        /* for a reader that was closed for being slow to hear so */
#define EVENT_ROOM    (64 * 1024) /* beside the message: its id */

/* A channel that was asked for, and how far the reader is there. */
struct place {
	struct hub_wish wish;
	bool has_seq;
	uint64_t seq;
};

struct listener {
	struct subscriber subscriber;
	struct daemon *daemon;
	struct http_stream *http;
	char token_id[TOKEN_ID_LEN];
	char epoch[40];
	struct place *places;
	size_t place_count;
	bool is_ending;
};

/* ---- what is asked for ------------------------------------------------------------------- */

/* What the last event's id was: the header is newer than the URL. "" for a fresh start. */
static bool read_position(const struct api_call *call, char room[VALUE_LEN], const char **position,
			  struct err *err)
{
	if (http_header_count(call->request, "Last-Event-ID") > 1)
		return err_set(err, ERR_INVALID, "more than one Last-Event-ID");
	if (!api_query(call, "after", room, VALUE_LEN, err))
		return false;
	*position = http_header(call->request, "Last-Event-ID");
	if (!*position)
		*position = room;
	return **position == '\0' || stream_in_check_positions(*position, err);
}

static bool read_owner(const struct api_call *call, enum hub_owner *owner, struct err *err)
{
	char word[8];

	if (!api_query(call, "owner", word, sizeof(word), err))
		return false;
	*owner = HUB_OWNER_DEFAULT;
	if (strcmp(word, "own") == 0)
		*owner = HUB_OWNER_OWN;
	else if (strcmp(word, "any") == 0)
		*owner = HUB_OWNER_ANY;
	else if (word[0] != '\0')
		return err_set(err, ERR_INVALID, "owner must be own or any");
	return true;
}

static bool is_wished(const struct listener *listener, const char *channel)
{
	for (size_t i = 0; i < listener->place_count; i++)
		if (strcmp(listener->places[i].wish.channel, channel) == 0)
			return true;
	return false;
}

static bool add_wish(struct listener *listener, const char *channel, size_t max, struct err *err)
{
	struct hub_wish *wish = &listener->places[listener->place_count].wish;

	if (listener->place_count == max)
		return err_set(err, ERR_INVALID, "ch has more than %zu channels", max);
	if (is_wished(listener, channel))
		return err_set(err, ERR_INVALID, "ch names a channel twice");
	wish->id = -1;
	if (!STR_SET(wish->channel, channel))
		return err_set(err, ERR_INVALID, "ch names a channel that does not exist");
	listener->place_count++;
	return true;
}

static bool read_channels(const struct api_call *call, struct listener *listener, struct err *err)
{
	size_t max = (size_t)call->daemon->config->subscriptions_max;
	char list[VALUE_LEN];
	char *rest = list, *channel;

	if (!api_query(call, "ch", list, sizeof(list), err))
		return false;
	if (list[0] == '\0')
		return err_set(err, ERR_INVALID, "ch is needed: channels between commas");
	listener->places = mem_alloc(max * sizeof(*listener->places));
	while ((channel = strsep(&rest, ",")))
		if (!add_wish(listener, channel, max, err))
			return false;
	return true;
}

static bool complete_wishes(const struct api_call *call, struct listener *listener, struct err *err)
{
	char room[VALUE_LEN];
	const char *position = "";
	enum hub_owner owner;

	if (!read_owner(call, &owner, err) || !read_position(call, room, &position, err))
		return false;
	for (size_t i = 0; i < listener->place_count; i++) {
		struct hub_wish *wish = &listener->places[i].wish;

		wish->owner = owner;
		if (*position != '\0')
			stream_in_position(position, wish);
		if (!hub_may_subscribe(call->daemon->hub, &call->token, wish, err))
			return false;
	}
	return true;
}

static bool read_request(const struct api_call *call, struct listener *listener, struct err *err)
{
	return api_stream_admits(call->daemon->api_stream, call->token.token_id, err) &&
	       read_channels(call, listener, err) && complete_wishes(call, listener, err);
}

/* ---- what is told ------------------------------------------------------------------------ */

/* Channels of which only the latest counts are asked for afresh. */
static bool has_position(const char *channel)
{
	return strncmp(channel, "depth:", 6) != 0 && strncmp(channel, "price:", 6) != 0;
}

/* Where the hub does not know (the subscription has not begun, or has ended), what was known
 * before holds; but a browser sends back what it got last, and would be refused for ever. */
static void note_position(const struct hub_peer *peer, struct place *place)
{
	const char *channel = place->wish.channel;

	if (hub_peer_is_refused(peer, channel))
		place->has_seq = false;
	else if (hub_peer_position(peer, channel, &place->seq))
		place->has_seq = true;
}

static void add_positions(struct listener *listener, struct buf *event)
{
	buf_add_str(event, listener->epoch);
	for (size_t i = 0; i < listener->place_count; i++) {
		struct place *place = &listener->places[i];
		const char *channel = place->wish.channel;

		if (listener->subscriber.peer)
			note_position(listener->subscriber.peer, place);
		if (has_position(channel) && place->has_seq)
			buf_printf(event, ";%s=%" PRIu64, channel, place->seq);
	}
}

static void send_message(struct listener *listener, const char *text, size_t len)
{
	struct buf event;

	if (listener->is_ending)
		return;
	buf_init(&event, len + EVENT_ROOM);
	buf_add_str(&event, "id: ");
	add_positions(listener, &event);
	buf_add_str(&event, "\ndata: ");
	buf_add(&event, text, len);
	buf_add_str(&event, "\n\n");
	http_stream_send(listener->http, event.data, event.len);
	buf_fini(&event);
}

static void sink_send(void *arg, struct ws_frame *frame)
{
	size_t len;
	const char *text = ws_frame_payload(frame, &len);

	send_message(arg, text, len);
}

static size_t sink_queued(void *arg)
{
	const struct listener *listener = arg;

	return http_stream_queued(listener->http);
}

static uint64_t sink_sent(void *arg)
{
	const struct listener *listener = arg;

	return http_stream_sent(listener->http);
}

/* There is no close frame here: the last message says why. */
static void sink_close(void *arg, int code, const char *reason)
{
	struct listener *listener = arg;
	struct json_out out;

	if (listener->is_ending)
		return;
	json_out_init(&out);
	json_out_object(&out, NULL);
	json_out_str(&out, "op", "closing");
	json_out_int(&out, "code", code);
	json_out_str(&out, "reason", reason);
	json_out_object_end(&out);
	send_message(listener, out.buf.data, out.buf.len);
	json_out_fini(&out);
	listener->is_ending = true;
	http_stream_end(listener->http);
}

/* ---- its life ---------------------------------------------------------------------------- */

static void listener_destroy(struct listener *listener)
{
	hub_peer_destroy(listener->subscriber.peer);
	mem_free(listener->places);
	loop_free_later(listener->daemon->loop, listener);
}

static void on_drained(void *arg, struct http_stream *http)
{
	struct listener *listener = arg;

	(void)http;
	if (listener->subscriber.peer && !listener->is_ending)
		hub_peer_drained(listener->subscriber.peer);
}

static void on_gone(void *arg, struct http_stream *http)
{
	struct listener *listener = arg;

	(void)http;
	LOG(DEBUG, "events.closed", F_STR("token", listener->token_id));
	subscriber_leave(listener->daemon->api_stream, &listener->subscriber);
	listener_destroy(listener);
}

static void open_stream(struct api_call *call, struct listener *listener)
{
	const struct http_stream_config config = {
		.status = 200,
		.content_type = "text/event-stream",
		.stall_ms = call->daemon->config->subscriber_slow_ms + LAST_WORDS_MS,
		.drained = on_drained,
		.gone = on_gone,
		.arg = listener,
	};

	(void)STR_SET(listener->token_id, call->token.token_id);
	(void)STR_SET(listener->epoch, journal_epoch(call->daemon->journal));
	for (size_t i = 0; i < listener->place_count; i++) {
		struct place *place = &listener->places[i];

		place->seq = place->wish.seq;
		place->has_seq =
			place->wish.has_after && strcmp(place->wish.epoch, listener->epoch) == 0;
	}
	subscriber_join(call->daemon->api_stream, &listener->subscriber, call->token.token_id);
	api_header(call, "X-Accel-Buffering", "no");
	listener->http = api_reply_stream(call, &config);
}

static void greet(struct listener *listener)
{
	struct json_out out;

	json_out_init(&out);
	api_stream_hello(listener->daemon->api_stream, true, &out);
	send_message(listener, out.buf.data, out.buf.len);
	json_out_fini(&out);
}

static void subscribe_all(struct listener *listener)
{
	struct err err;

	for (size_t i = 0; i < listener->place_count && !listener->is_ending; i++)
		if (!hub_subscribe(listener->subscriber.peer, &listener->places[i].wish, &err)) {
			LOG(ERROR, "events.subscribe_failed", F_ERR(&err));
			sink_close(listener, HUB_CLOSE_INTERNAL, err.text);
		}
}

void api_events_get(struct api_call *call)
{
	struct listener *listener = mem_alloc(sizeof(*listener));
	const struct hub_sink sink = { .send = sink_send,
				       .queued = sink_queued,
				       .sent = sink_sent,
				       .close = sink_close,
				       .arg = listener };
	struct journal_token token = call->token;
	struct err err;

	listener->daemon = call->daemon;
	if (!read_request(call, listener, &err)) {
		listener_destroy(listener);
		api_reply_err(call, &err);
		return;
	}
	open_stream(call, listener);
	greet(listener);
	listener->subscriber.peer = hub_peer_create(listener->daemon->hub, &sink, &token);
	subscribe_all(listener);
}
