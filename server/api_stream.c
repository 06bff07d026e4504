#include "server/api_stream.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "client/limiter.h"
#include "net/front.h"
#include "net/httpd.h"
#include "net/loop.h"
#include "net/ws.h"
#include "server/api.h"
#include "server/auth.h"
#include "server/config.h"
#include "server/daemon.h"
#include "server/foreign.h"
#include "server/hub.h"
#include "server/json_out.h"
#include "server/stream_in.h"

#define AUTH_MS         5000 /* for the first message, without a token in the header */
#define HANDSHAKE_MS    5000
#define MESSAGES_BURST  100   /* of one connection */
#define MESSAGES_RATE_M 20000 /* thousandths of a message per second */
#define NONSENSE_MAX    5     /* refused messages in a row */
#define RETRY_MS        1000
#define BEARER          "Bearer "

struct api_stream {
	struct daemon *daemon;
	int64_t heartbeat_ms; /* as the hub and ws were told; a reload does not reach them */
	struct list subscribers;
	size_t count, unknown_count;
	bool is_stopping;
};

/* One WebSocket, from the decision to take it to its end. */
struct session {
	struct subscriber subscriber;
	struct api_stream *stream;
	struct http_peer from;
	struct journal_token token; /* with scopes as they count here; token_id "": none yet */
	struct ws_peer *ws;         /* NULL until the handshake is done */
	struct timer *patience;     /* with those that are not */
	struct bucket messages;
	unsigned refused; /* in a row */
	bool is_closing;
};

/* ---- who is there ----------------------------------------------------------------------- */

static size_t count_of(const struct api_stream *stream, const char *token_id)
{
	size_t count = 0;

	LIST_EACH (&stream->subscribers, node)
		count += strcmp(CONTAINER_OF(node, const struct subscriber, node)->token_id,
				token_id) == 0;
	return count;
}

/* Strangers, until they have said who they are, leave room for those who are known. */
static size_t unknown_max(const struct config *config)
{
	return (size_t)config->subscribers_max / 4 + 1;
}

/* Of those who are in already, too: a stranger becomes known. */
static bool admits_token(const struct api_stream *stream, const char *token_id, struct err *err)
{
	if (count_of(stream, token_id) < (size_t)stream->daemon->config->subscribers_per_token)
		return true;
	return err_set(err, ERR_BUSY, "too many connections of this token to the stream");
}

bool api_stream_admits(const struct api_stream *stream, const char *token_id, struct err *err)
{
	const struct config *config = stream->daemon->config;

	if (stream->is_stopping)
		return err_set(err, ERR_STOPPING, "the daemon is stopping");
	if (stream->count >= (size_t)config->subscribers_max ||
	    (token_id[0] == '\0' && stream->unknown_count >= unknown_max(config)))
		return err_set(err, ERR_BUSY, "too many connections to the stream");
	return token_id[0] == '\0' || admits_token(stream, token_id, err);
}

void subscriber_join(struct api_stream *stream, struct subscriber *subscriber, const char *token_id)
{
	(void)STR_SET(subscriber->token_id, token_id);
	list_push_back(&stream->subscribers, &subscriber->node);
	stream->count++;
	stream->unknown_count += token_id[0] == '\0';
}

void subscriber_leave(struct api_stream *stream, struct subscriber *subscriber)
{
	list_remove(&subscriber->node);
	stream->count--;
	stream->unknown_count -= subscriber->token_id[0] == '\0';
}

/* ---- what is said ----------------------------------------------------------------------- */

void api_stream_hello(const struct api_stream *stream, bool is_authenticated, struct json_out *out)
{
	json_out_object(out, NULL);
	json_out_str(out, "op", "hello");
	json_out_str(out, "protocol", STREAM_PROTOCOL);
	json_out_str(out, "epoch", journal_epoch(stream->daemon->journal));
	json_out_int(out, "heartbeat_ms", stream->heartbeat_ms);
	json_out_bool(out, "authenticated", is_authenticated);
	json_out_time(out, "ts", wall_now());
	json_out_object_end(out);
}

/* Through the hub, if it knows the peer: answers and events stay in order. Takes what is written.
 */
static void tell(struct session *session, struct json_out *out)
{
	if (session->subscriber.peer)
		hub_peer_send(session->subscriber.peer, out->buf.data, out->buf.len);
	else
		ws_send_text(session->ws, out->buf.data, out->buf.len);
	json_out_fini(out);
}

static void begin_answer(struct json_out *out, const char *op, int64_t id)
{
	json_out_init(out);
	json_out_object(out, NULL);
	json_out_str(out, "op", op);
	if (id >= 0)
		json_out_int(out, "id", id);
	else
		json_out_null(out, "id");
}

static void tell_hello(struct session *session)
{
	struct json_out out;

	json_out_init(&out);
	api_stream_hello(session->stream, session->token.token_id[0] != '\0', &out);
	tell(session, &out);
}

static void tell_error(struct session *session, int64_t id, const struct err *err)
{
	struct json_out out;

	begin_answer(&out, "error", id);
	json_out_str(&out, "code", err_word(err->code));
	json_out_str(&out, "detail", err->text);
	json_out_object_end(&out);
	tell(session, &out);
}

static void tell_authenticated(struct session *session, int64_t id)
{
	struct json_out out;

	begin_answer(&out, "authenticated", id);
	json_out_str(&out, "token_id", session->token.token_id);
	json_out_array(&out, "scopes");
	for (int bit = 0; bit < AUTH_BIT_COUNT; bit++)
		if (session->token.scopes & (1u << bit))
			json_out_str(&out, NULL, auth_scope_word((enum auth_scope_bit)bit));
	json_out_array_end(&out);
	json_out_object_end(&out);
	tell(session, &out);
}

static void tell_pong(struct session *session, int64_t id)
{
	struct json_out out;

	begin_answer(&out, "pong", id);
	json_out_time(&out, "ts", wall_now());
	json_out_object_end(&out);
	tell(session, &out);
}

/* ---- its end ---------------------------------------------------------------------------- */

/* Of our own accord; never from inside the hub. */
static void session_close(struct session *session, int code, const char *reason)
{
	if (session->is_closing)
		return;
	session->is_closing = true;
	timer_stop(session->patience);
	hub_peer_destroy(session->subscriber.peer);
	session->subscriber.peer = NULL;
	ws_close(session->ws, code, reason);
}

static void session_destroy(struct session *session)
{
	hub_peer_destroy(session->subscriber.peer);
	timer_destroy(session->patience);
	subscriber_leave(session->stream, &session->subscriber);
	loop_free_later(session->stream->daemon->loop, session);
}

static void on_impatience(void *arg)
{
	session_close(arg, HUB_CLOSE_AUTH, "no auth within 5 s");
}

/* ---- the hub's way to it ---------------------------------------------------------------- */

static void sink_send(void *arg, struct ws_frame *frame)
{
	struct session *session = arg;

	ws_send(session->ws, frame);
}

static size_t sink_queued(void *arg)
{
	const struct session *session = arg;

	return ws_queued(session->ws);
}

static uint64_t sink_sent(void *arg)
{
	const struct session *session = arg;

	return ws_sent(session->ws);
}

/* The hub is in the middle of something: its peer goes when the socket does. */
static void sink_close(void *arg, int code, const char *reason)
{
	struct session *session = arg;

	if (session->is_closing)
		return;
	session->is_closing = true;
	ws_close(session->ws, code, reason);
}

static void join_hub(struct session *session)
{
	const struct hub_sink sink = { .send = sink_send,
				       .queued = sink_queued,
				       .sent = sink_sent,
				       .close = sink_close,
				       .arg = session };

	session->subscriber.peer =
		hub_peer_create(session->stream->daemon->hub, &sink, &session->token);
}

/* ---- what it may ask for ---------------------------------------------------------------- */

static bool check_token(const struct daemon *daemon, const struct http_peer *from,
			const char *authorization, struct journal_token *token, struct err *err)
{
	const struct journal_token *known;

	if (!auth_check(daemon->auth, from, authorization, &known, err))
		return false;
	*token = *known;
	api_limit_scopes(daemon, from, token);
	return auth_allows(token, AUTH_READ | AUTH_MARKET) ||
	       err_set(err, ERR_SCOPE, "the stream needs a token of scope read or market");
}

static bool check_secret(struct session *session, const struct secret *secret, struct err *err)
{
	const struct api_stream *stream = session->stream;
	char header[sizeof(BEARER) + AUTH_TOKEN_TEXT_LEN];
	int64_t retry_ms;
	bool is_fine;

	snprintf(header, sizeof(header), BEARER "%s", (const char *)secret_open(secret));
	secret_close(secret);
	is_fine = check_token(stream->daemon, &session->from, header, &session->token, err) &&
		  admits_token(stream, session->token.token_id, err) &&
		  auth_charge(stream->daemon->auth, &session->token, &retry_ms, err);
	secret_wipe(header, sizeof(header));
	return is_fine;
}

static int close_code(enum err_code code)
{
	if (code == ERR_SCOPE)
		return HUB_CLOSE_SCOPE;
	if (code == ERR_BUSY)
		return HUB_CLOSE_FLOOD;
	return code == ERR_STOPPING ? WS_CLOSE_AWAY : HUB_CLOSE_AUTH;
}

/* A wrong token has one try a connection: guessing costs a handshake each. */
static bool authenticate(struct session *session, const struct stream_message *message,
			 struct err *err)
{
	if (session->subscriber.peer)
		return err_set(err, ERR_INVALID, "this connection has its token already");
	if (!check_secret(session, message->token, err)) {
		session->token.token_id[0] = '\0';
		tell_error(session, message->id, err);
		session_close(session, close_code(err->code), err->text);
		return true;
	}
	timer_stop(session->patience);
	subscriber_leave(session->stream, &session->subscriber);
	subscriber_join(session->stream, &session->subscriber, session->token.token_id);
	join_hub(session);
	tell_authenticated(session, message->id);
	return true;
}

static bool obey(struct session *session, const struct stream_message *message, struct err *err)
{
	if (message->op == STREAM_AUTH)
		return authenticate(session, message, err);
	if (!session->subscriber.peer)
		return err_set(err, ERR_UNAUTHORIZED, "auth comes first");
	switch (message->op) {
	case STREAM_SUBSCRIBE:
		return hub_subscribe(session->subscriber.peer, &message->wish, err);
	case STREAM_UNSUBSCRIBE:
		return hub_unsubscribe(session->subscriber.peer, message->id, message->wish.channel,
				       err);
	case STREAM_PING:
		tell_pong(session, message->id);
		return true;
	case STREAM_AUTH:
		break;
	}
	return false;
}

static void refuse(struct session *session, int64_t id, const struct err *err)
{
	tell_error(session, id, err);
	if (++session->refused >= NONSENSE_MAX)
		session_close(session, HUB_CLOSE_MESSAGE, "too many wrong messages in a row");
}

static bool read_message(const char *bytes, size_t len, bool is_text,
			 struct stream_message *message, struct err *err)
{
	if (is_text)
		return stream_in_parse(bytes, len, message, err);
	*message = (struct stream_message){ .id = -1 };
	return err_set(err, ERR_BAD_JSON, "messages are texts");
}

/* There may be a token in it, also where it is none of ours. */
static void wipe_message(const char *bytes, size_t len)
{
	union {
		const char *in;
		char *out;
	} message = { .in = bytes };

	if (len > 0)
		secret_wipe(message.out, len);
}

/* ---- the socket's way to us -------------------------------------------------------------- */

static void on_opened(void *arg, struct ws_peer *ws)
{
	struct session *session = arg;
	const struct api_stream *stream = session->stream;
	bool is_known = session->token.token_id[0] != '\0';

	session->ws = ws;
	LOG(DEBUG, "subscriber.opened", F_STR("token", session->token.token_id));
	if (stream->is_stopping) {
		session_close(session, WS_CLOSE_AWAY, "restart");
	} else if (is_known && !auth_is_valid(stream->daemon->auth, session->token.token_id)) {
		session_close(session, HUB_CLOSE_AUTH, "the token is not valid any more");
	} else {
		tell_hello(session);
		if (is_known)
			join_hub(session);
		else
			timer_start(session->patience, AUTH_MS);
	}
}

static void on_message(void *arg, struct ws_peer *ws, const char *bytes, size_t len, bool is_text)
{
	struct session *session = arg;
	struct stream_message message;
	struct err err;

	(void)ws;
	if (session->is_closing) {
		wipe_message(bytes, len);
		return;
	}
	if (!bucket_take(&session->messages, loop_now(session->stream->daemon->loop))) {
		session_close(session, HUB_CLOSE_FLOOD, "more than 20 messages a second");
	} else if (read_message(bytes, len, is_text, &message, &err) &&
		   obey(session, &message, &err)) {
		session->refused = 0;
		stream_message_fini(&message);
	} else {
		refuse(session, message.id, &err);
		stream_message_fini(&message);
	}
	wipe_message(bytes, len);
}

static void on_drained(void *arg, struct ws_peer *ws)
{
	struct session *session = arg;

	(void)ws;
	if (session->subscriber.peer && !session->is_closing)
		hub_peer_drained(session->subscriber.peer);
}

static void on_closed(void *arg, struct ws_peer *ws, const struct ws_end *end)
{
	struct session *session = arg;

	(void)ws;
	LOG(DEBUG, "subscriber.closed", F_STR("token", session->token.token_id),
	    F_INT("close_code", end->code), F_ERR(&end->err));
	session_destroy(session);
}

static const struct ws_handlers handlers = {
	.opened = on_opened, .message = on_message, .drained = on_drained, .closed = on_closed
};

/* ---- the decision ----------------------------------------------------------------------- */

static bool is_from_here(const struct daemon *daemon, const struct upgrade *upgrade)
{
	const struct foreign_head head = {
		.peer = upgrade_peer(upgrade),
		.host = upgrade_header(upgrade, "Host"),
		.host_count = upgrade_header_count(upgrade, "Host"),
		.origin = upgrade_header(upgrade, "Origin"),
		.origin_count = upgrade_header_count(upgrade, "Origin"),
	};
	struct err err;

	return foreign_check_host(&head, front_address(daemon->front),
				  daemon->config->allowed_hosts, &err) &&
	       foreign_check_origin(&head, daemon->config->allowed_origins, &err);
}

/* Without a token it may come in and say it; with a wrong one it may not. Those of the Unix
 * socket need none, as in auth.h. */
static bool find_token(const struct daemon *daemon, const struct upgrade *upgrade,
		       struct journal_token *token)
{
	const char *authorization = upgrade_header(upgrade, "Authorization");
	const struct http_peer *from = upgrade_peer(upgrade);
	const struct journal_token *known;
	struct err err;

	if (!authorization && !auth_check(daemon->auth, from, NULL, &known, &err))
		return true;
	return upgrade_header_count(upgrade, "Authorization") <= 1 &&
	       check_token(daemon, from, authorization, token, &err);
}

static bool is_within_limits(const struct api_stream *stream, const struct journal_token *token)
{
	int64_t retry_ms;
	struct err err;

	return api_stream_admits(stream, token->token_id, &err) &&
	       (token->token_id[0] == '\0' ||
		auth_charge(stream->daemon->auth, token, &retry_ms, &err));
}

bool api_stream_upgrade(void *arg, const struct upgrade *upgrade, void **result)
{
	struct daemon *daemon = arg;
	struct journal_token token = { .token_id = "" };
	struct session *session;

	assert(loop_is_mine(daemon->loop));
	if (strcmp(upgrade_path(upgrade), STREAM_PATH) != 0 || *upgrade_query(upgrade) != '\0' ||
	    !is_from_here(daemon, upgrade) || !find_token(daemon, upgrade, &token) ||
	    !is_within_limits(daemon->api_stream, &token))
		return false;
	session = mem_alloc(sizeof(*session));
	session->stream = daemon->api_stream;
	session->from = *upgrade_peer(upgrade);
	session->token = token;
	session->patience = loop_timer_create(daemon->loop, on_impatience, session);
	bucket_init(&session->messages, MESSAGES_BURST, MESSAGES_RATE_M, loop_now(daemon->loop));
	subscriber_join(daemon->api_stream, &session->subscriber, token.token_id);
	*result = session;
	return true;
}

/* What was not taken over comes here, after the checks of every request. */
void api_stream_get(struct api_call *call)
{
	struct err err;

	if (api_stream_admits(call->daemon->api_stream, call->token.token_id, &err)) {
		api_header(call, "Upgrade", "websocket");
		api_header(call, "Sec-WebSocket-Version", "13");
		api_refuse(call, ERR_UPGRADE, "this is a WebSocket: ask for an upgrade");
	} else {
		api_reply_problem(call, &err, RETRY_MS, NULL);
	}
}

/* ---- all of it -------------------------------------------------------------------------- */

static void token_gone(void *arg, const char *token_id)
{
	const struct daemon *daemon = arg;

	hub_close_token(daemon->hub, token_id, HUB_CLOSE_AUTH, "the token is not valid any more");
}

void api_stream_create(struct daemon *daemon)
{
	struct api_stream *stream = mem_alloc(sizeof(*stream));
	const struct ws_server_config server = { .protocol = STREAM_PROTOCOL,
						 .message_max = STREAM_MESSAGE_MAX,
						 .handshake_ms = HANDSHAKE_MS,
						 .ping_ms = daemon->config->heartbeat_ms,
						 .pong_ms = daemon->config->heartbeat_ms,
						 .heartbeat_code = HUB_CLOSE_HEARTBEAT,
						 .handlers = &handlers };

	stream->daemon = daemon;
	stream->heartbeat_ms = daemon->config->heartbeat_ms;
	list_init(&stream->subscribers);
	daemon->api_stream = stream;
	auth_on_void(daemon->auth, token_gone, daemon);
	ws_serve(daemon->ws, &server);
}

void api_stream_destroy(struct daemon *daemon)
{
	if (!daemon->api_stream)
		return;
	assert(daemon->api_stream->count == 0);
	if (daemon->auth)
		auth_on_void(daemon->auth, NULL, NULL);
	mem_free(daemon->api_stream);
	daemon->api_stream = NULL;
}

static void close_stranger(struct subscriber *subscriber)
{
	struct session *session = CONTAINER_OF(subscriber, struct session, subscriber);

	if (session->ws) /* else when its handshake is done */
		session_close(session, WS_CLOSE_AWAY, "restart");
}

bool api_stream_stop(struct daemon *daemon)
{
	daemon->api_stream->is_stopping = true;
	hub_close_all(daemon->hub, WS_CLOSE_AWAY, "restart");
	LIST_EACH_SAFE (&daemon->api_stream->subscribers, node) {
		struct subscriber *subscriber = CONTAINER_OF(node, struct subscriber, node);

		if (subscriber->token_id[0] == '\0') /* whom the hub does not know */
			close_stranger(subscriber);
	}
	return daemon->api_stream->count == 0;
}

void api_stream_leave_hub(struct daemon *daemon)
{
	if (!daemon->api_stream)
		return;
	LIST_EACH (&daemon->api_stream->subscribers, node) {
		struct subscriber *subscriber = CONTAINER_OF(node, struct subscriber, node);

		hub_peer_destroy(subscriber->peer);
		subscriber->peer = NULL;
	}
}
