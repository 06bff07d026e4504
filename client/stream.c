#include "client/stream.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "client/backoff.h"
#include "client/limiter.h"
#include "client/stream_path.h"
#include "client/wire.h"
#include "client/wire_stream.h"
#include "net/loop.h"
#include "net/ws.h"

#define NAME_LEN            40   /* "price:ADAUSDM" and NUL */
#define STRANGERS_MAX       32   /* sub_types that were told of */
#define CLOSED_UNAUTHORIZED 4010 /* the exchange's error code, where its close code should be */

/* Of what cannot be read, a line each; then one now and then, so that no log fills up. */
#define COMPLAINTS       10
#define COMPLAINTS_PER_S 200 /* thousandths */

struct dd_streams {
	struct loop *loop;
	struct ws *ws;
	struct dd_streams_config config;
	char *url;              /* "wss://host:port" */
	char *prefix;           /* what config.url has after that, before every path */
	struct secret *api_key; /* NULL: none yet */
	struct list streams;
	char strangers[STRANGERS_MAX][WIRE_WORD_LEN];
	size_t stranger_count;
};

/* One connection. It outlives its stream, as closing takes time. */
struct link {
	struct dd_stream *stream; /* NULL: nobody's any more */
	struct ws_peer *peer;
};

struct dd_stream {
	struct list_node node;
	struct dd_streams *streams;
	enum dd_stream_kind kind;
	char symbol[DD_SYMBOL_LEN]; /* "" for the account's */
	char name[NAME_LEN];        /* for the log */
	const struct dd_stream_handlers *handlers;
	void *arg;

	struct link *link; /* NULL while DOWN */
	struct timer *retry, *pulse;
	struct mono opened; /* this connection; 0: not yet */
	uint64_t generation;
	bool is_filled;    /* nothing of before this connection is missing */
	bool is_refused;   /* the exchange said so, on this connection */
	bool is_rekeyed;   /* we close this connection to use another key */
	unsigned failures; /* tries since a connection that held */
	struct dd_stream_status status;
	struct bucket complaints;
	int64_t unsaid; /* complaints since the last one logged */
};

static const char *const kind_words[DD_STREAM_KINDS] = {
	[DD_STREAM_ACCOUNT] = "account",
	[DD_STREAM_DEPTH] = "depth",
	[DD_STREAM_PRICE] = "price",
	[DD_STREAM_TRADES] = "trades",
};

const char *dd_stream_kind_word(enum dd_stream_kind kind)
{
	return kind_words[kind];
}

static const char *const state_words[] = {
	[DD_STREAM_DOWN] = "down",           [DD_STREAM_CONNECTING] = "connecting",
	[DD_STREAM_CONNECTED] = "connected", [DD_STREAM_LIVE] = "live",
	[DD_STREAM_STALE] = "stale",
};

const char *dd_stream_state_word(enum dd_stream_state state)
{
	return state_words[state];
}

/* The handler may close the stream: nothing of it is touched after this. */
static void enter(struct dd_stream *stream, enum dd_stream_state state)
{
	stream->status.state = state;
	stream->status.since = loop_now(stream->streams->loop);
	stream->handlers->state(stream->arg, stream, state);
}

/* ---- what comes in ----------------------------------------------------------------------- */

static void complain(struct dd_stream *stream, const struct wire_message *message,
		     const struct err *err)
{
	if (!bucket_take(&stream->complaints, loop_now(stream->streams->loop))) {
		stream->unsaid++;
		return;
	}
	LOG(WARN, "stream.unreadable", F_STR("stream", stream->name),
	    F_STR("sub_type", message->sub_type), F_STR("keys", message->keys), F_ERR(err),
	    F_INT("not_logged", stream->unsaid));
	stream->unsaid = 0;
}

static void complain_of_trades(struct dd_stream *stream, const struct wire_message *message)
{
	struct err err;

	err_set(&err, ERR_EXCHANGE_ANSWER, "%zu of %zu trades cannot be used", message->skipped,
		message->skipped + message->trade_count);
	complain(stream, message, &err);
}

/* Once each; past the bound nothing is told any more. */
static void tell_of_stranger(struct dd_stream *stream, const struct wire_message *message)
{
	struct dd_streams *streams = stream->streams;

	for (size_t i = 0; i < streams->stranger_count; i++)
		if (strcmp(streams->strangers[i], message->sub_type) == 0)
			return;
	if (streams->stranger_count == STRANGERS_MAX)
		return;
	STR_SET(streams->strangers[streams->stranger_count], message->sub_type);
	streams->stranger_count++;
	LOG(INFO, "stream.unknown_sub_type", F_STR("stream", stream->name),
	    F_STR("sub_type", message->sub_type), F_STR("keys", message->keys));
}

/* The last thing done with the stream: any handler may close it. */
static void deliver(struct dd_stream *stream, const struct wire_message *message)
{
	const struct dd_stream_handlers *handlers = stream->handlers;

	switch (message->content) {
	case WIRE_KEEP_ALIVE:
	case WIRE_NOTHING:
		break;
	case WIRE_UNKNOWN:
		tell_of_stranger(stream, message);
		break;
	case WIRE_ORDER:
		if (handlers->order)
			handlers->order(stream->arg, message->order);
		break;
	case WIRE_BALANCES:
		if (handlers->balances && message->balance_count > 0)
			handlers->balances(stream->arg, message->balances, message->balance_count);
		break;
	case WIRE_DEPTH:
		if (handlers->depth)
			handlers->depth(stream->arg, &message->depth);
		break;
	case WIRE_PRICE:
		if (handlers->price)
			handlers->price(stream->arg, message->price);
		break;
	case WIRE_TRADES:
		if (handlers->trades)
			handlers->trades(stream->arg, message->trades, message->trade_count,
					 message->unread == 0);
		break;
	}
}

/* Likewise. Of the account, and of a book, REST or the next message tells what this one may have
 * said; of trades nothing does. */
static void deliver_unread(struct dd_stream *stream, const struct err *err)
{
	const struct dd_stream_handlers *handlers = stream->handlers;

	if (stream->kind == DD_STREAM_TRADES && handlers->trades &&
	    err->code == ERR_EXCHANGE_ANSWER)
		handlers->trades(stream->arg, NULL, 0, false);
}

static void count(struct dd_stream *stream, const struct wire_message *message, bool is_readable)
{
	stream->status.last_message = loop_now(stream->streams->loop);
	stream->status.messages++;
	stream->status.unreadable += !is_readable;
	LOG(DEBUG, "stream.message", F_STR("stream", stream->name),
	    F_STR("kind", dd_stream_kind_word(stream->kind)), F_STR("sub_type", message->sub_type),
	    F_STR("keys", message->keys));
}

static void receive(struct dd_stream *stream, const char *bytes, size_t len)
{
	struct wire_message message;
	struct err err;
	bool ok = wire_message_read(stream->kind, stream->symbol, bytes, len, &message, &err);

	if (ok && message.content == WIRE_KEEP_ALIVE)
		return;
	count(stream, &message, ok);
	stream->is_refused = !ok && err.code == ERR_EXCHANGE_AUTH;
	if (!ok)
		complain(stream, &message, &err);
	else if (message.skipped > 0)
		complain_of_trades(stream, &message);
	if (ok)
		deliver(stream, &message);
	else
		deliver_unread(stream, &err);
	wire_message_fini(&message);
}

/* ---- alive or not ------------------------------------------------------------------------ */

static struct mono last_alive(const struct dd_stream *stream)
{
	struct mono heard = stream->link ? ws_heard(stream->link->peer) : (struct mono){ 0 };

	return heard.us > stream->status.last_alive.us ? heard : stream->status.last_alive;
}

/* A ping has had no answer for half the time it may take. The other half on, the socket is closed
 * without our doing. */
static void check_pulse(void *arg)
{
	struct dd_stream *stream = arg;
	const struct dd_streams_config *config = &stream->streams->config;
	int64_t limit_ms = config->ping_ms + config->pong_ms / 2;
	int64_t quiet_ms = mono_diff_ms(loop_now(stream->streams->loop), last_alive(stream));
	bool is_stale = quiet_ms >= limit_ms;

	timer_start(stream->pulse, is_stale ? config->pong_ms / 4 + 1 : limit_ms - quiet_ms);
	if (is_stale == (stream->status.state == DD_STREAM_STALE))
		return;
	LOG(INFO, is_stale ? "stream.stale" : "stream.revived", F_STR("stream", stream->name),
	    F_INT("quiet_ms", quiet_ms));
	if (is_stale)
		enter(stream, DD_STREAM_STALE);
	else
		enter(stream, stream->is_filled ? DD_STREAM_LIVE : DD_STREAM_CONNECTED);
}

/* ---- connecting, again and again --------------------------------------------------------- */

static void plan(struct dd_stream *stream, int64_t wait_ms)
{
	struct dd_streams *streams = stream->streams;

	if (!streams->api_key) {
		err_set(&stream->status.why, ERR_EXCHANGE_AUTH, "there is no API key");
		stream->status.retry_at = (struct mono){ 0 };
		timer_stop(stream->retry);
		return;
	}
	stream->status.retry_at = mono_after_ms(loop_now(streams->loop), wait_ms);
	timer_start_at(stream->retry, stream->status.retry_at);
}

static bool has_held(const struct dd_stream *stream)
{
	const struct dd_streams *streams = stream->streams;

	return stream->opened.us != 0 &&
	       mono_diff_ms(loop_now(streams->loop), stream->opened) >= streams->config.steady_ms;
}

static int64_t next_wait_ms(struct dd_stream *stream)
{
	const struct dd_streams_config *config = &stream->streams->config;
	unsigned failures;

	if (stream->is_rekeyed || has_held(stream))
		stream->failures = 0;
	if (stream->is_rekeyed)
		return 0;
	failures = stream->failures;
	if (stream->failures < BACKOFF_LONGEST)
		stream->failures++;
	/* A refused key stays refused: no hurry. */
	if (stream->status.why.code == ERR_EXCHANGE_AUTH)
		failures = BACKOFF_LONGEST;
	return backoff_ms(config->retry_min_ms, config->retry_max_ms, failures,
			  randombytes_random());
}

static void note_why(struct dd_stream *stream, const struct ws_end *end)
{
	struct err *why = &stream->status.why;
	bool was_refused = why->code == ERR_EXCHANGE_AUTH;

	if (stream->is_rekeyed)
		*why = (struct err){ .code = ERR_NONE };
	else if (end->http_status == 401 || end->code == CLOSED_UNAUTHORIZED || stream->is_refused)
		err_set(why, ERR_EXCHANGE_AUTH, "the exchange refused the API key");
	else if (end->err.code != ERR_NONE)
		*why = end->err;
	else
		err_set(why, ERR_UNREACHABLE, "the exchange closed the stream (%d)", end->code);
	if (why->code == ERR_EXCHANGE_AUTH && !was_refused)
		LOG(ERROR, "stream.key_refused", F_STR("stream", stream->name), F_ERR(why));
}

static void lose(struct dd_stream *stream, const struct ws_end *end)
{
	int64_t wait_ms;

	timer_stop(stream->pulse);
	note_why(stream, end);
	wait_ms = next_wait_ms(stream);
	plan(stream, wait_ms);
	LOG(INFO, "stream.lost", F_STR("stream", stream->name), F_INT("close_code", end->code),
	    F_INT("http_status", end->http_status), F_INT("retry_ms", wait_ms),
	    F_ERR(&stream->status.why));
	stream->opened = (struct mono){ 0 };
	stream->is_filled = stream->is_refused = stream->is_rekeyed = false;
	enter(stream, DD_STREAM_DOWN);
}

static void on_opened(void *arg, struct ws_peer *peer)
{
	struct link *link = arg;
	struct dd_stream *stream = link->stream;

	(void)peer;
	if (!stream)
		return;
	stream->opened = stream->status.last_alive = loop_now(stream->streams->loop);
	stream->status.reconnects += stream->generation++ > 0;
	stream->status.why = (struct err){ .code = ERR_NONE };
	if (stream->streams->config.ping_ms > 0)
		timer_start(stream->pulse, stream->streams->config.ping_ms);
	LOG(INFO, "stream.connected", F_STR("stream", stream->name),
	    F_INT("reconnects", stream->status.reconnects));
	enter(stream, DD_STREAM_CONNECTED);
}

static void on_message(void *arg, struct ws_peer *peer, const char *bytes, size_t len, bool is_text)
{
	struct link *link = arg;

	/* Binary frames were never seen; an official client takes them for text, and so do we. */
	(void)peer, (void)is_text;
	if (link->stream)
		receive(link->stream, bytes, len);
}

static void on_closed(void *arg, struct ws_peer *peer, const struct ws_end *end)
{
	struct link *link = arg;
	struct dd_stream *stream = link->stream;

	(void)peer;
	if (stream) {
		stream->status.last_alive = last_alive(stream);
		stream->link = NULL;
	}
	mem_free(link);
	if (stream)
		lose(stream, end);
}

static void begin(void *arg)
{
	static const struct ws_handlers handlers = {
		.opened = on_opened,
		.message = on_message,
		.closed = on_closed,
	};
	struct dd_stream *stream = arg;
	const struct dd_streams *streams = stream->streams;
	char *path = stream_path_make(streams->prefix, stream->kind, stream->symbol,
				      streams->api_key, streams->config.backlog);
	const struct ws_connect_config config = {
		.url = streams->url,
		.path = path,
		.timeout_ms = streams->config.connect_ms,
		.ping_ms = streams->config.ping_ms,
		.pong_ms = streams->config.pong_ms,
		.message_max = WIRE_MESSAGE_MAX,
		.handlers = &handlers,
	};

	stream->status.retry_at = (struct mono){ 0 };
	stream->link = mem_alloc(sizeof(*stream->link));
	stream->link->stream = stream;
	stream->link->peer = ws_connect(streams->ws, &config, stream->link);
	stream_path_wipe(path);
	enter(stream, DD_STREAM_CONNECTING);
}

/* ---- one stream -------------------------------------------------------------------------- */

struct dd_stream *dd_stream_open(struct dd_streams *streams, enum dd_stream_kind kind,
				 const char *symbol, const struct dd_stream_handlers *handlers,
				 void *arg)
{
	struct dd_stream *stream = mem_alloc(sizeof(*stream));
	struct mono now = loop_now(streams->loop);

	assert(loop_is_mine(streams->loop));
	assert(kind == DD_STREAM_ACCOUNT || wire_is_symbol(symbol));
	stream->streams = streams;
	stream->kind = kind;
	if (kind != DD_STREAM_ACCOUNT)
		STR_SET(stream->symbol, symbol);
	snprintf(stream->name, sizeof(stream->name), "%s%s%s", dd_stream_kind_word(kind),
		 stream->symbol[0] == '\0' ? "" : ":", stream->symbol);
	stream->handlers = handlers;
	stream->arg = arg;
	stream->status.since = now;
	stream->retry = loop_timer_create(streams->loop, begin, stream);
	stream->pulse = loop_timer_create(streams->loop, check_pulse, stream);
	bucket_init(&stream->complaints, COMPLAINTS, COMPLAINTS_PER_S, now);
	list_push_back(&streams->streams, &stream->node);
	plan(stream, 0);
	return stream;
}

void dd_stream_close(struct dd_stream *stream)
{
	if (!stream)
		return;
	if (stream->link) {
		stream->link->stream = NULL;
		ws_close(stream->link->peer, WS_CLOSE_NORMAL, "");
	}
	timer_destroy(stream->retry);
	timer_destroy(stream->pulse);
	list_remove(&stream->node);
	loop_free_later(stream->streams->loop, stream);
}

void dd_stream_filled(struct dd_stream *stream, uint64_t generation)
{
	if (stream->opened.us == 0 || stream->generation != generation || stream->is_filled)
		return;
	stream->is_filled = true;
	LOG(INFO, "stream.live", F_STR("stream", stream->name));
	if (stream->status.state == DD_STREAM_CONNECTED)
		enter(stream, DD_STREAM_LIVE);
}

uint64_t dd_stream_generation(const struct dd_stream *stream)
{
	return stream->generation;
}

void dd_stream_status(const struct dd_stream *stream, struct dd_stream_status *status)
{
	*status = stream->status;
	status->last_alive = last_alive(stream);
}

/* ---- all of them ------------------------------------------------------------------------- */

/* "wss://host:port" and, for an exchange behind somebody's gateway, "/path". */
static void split_url(struct dd_streams *streams, const char *url)
{
	const char *host = strstr(url, "://");
	const char *path = strchr(host ? host + 3 : url, '/');
	size_t len = strlen(url);

	while (path && url[len - 1] == '/')
		len--;
	if (!path || path > url + len)
		path = url + len;
	streams->url = mem_strndup(url, (size_t)(path - url));
	streams->prefix = mem_strndup(path, (size_t)(url + len - path));
}

struct dd_streams *dd_streams_create(struct loop *loop, struct ws *ws,
				     const struct dd_streams_config *config,
				     const struct secret *api_key)
{
	struct dd_streams *streams = mem_alloc(sizeof(*streams));

	streams->loop = loop;
	streams->ws = ws;
	streams->config = *config;
	split_url(streams, config->url);
	streams->config.url = streams->url;
	streams->api_key = secret_copy(api_key);
	list_init(&streams->streams);
	return streams;
}

void dd_streams_destroy(struct dd_streams *streams)
{
	struct list_node *node;

	if (!streams)
		return;
	while ((node = list_first(&streams->streams)))
		dd_stream_close(CONTAINER_OF(node, struct dd_stream, node));
	secret_destroy(streams->api_key);
	mem_free(streams->url);
	mem_free(streams->prefix);
	loop_free_later(streams->loop, streams);
}

/* The old connection goes first: there is never more than one. */
static void connect_anew(struct dd_stream *stream)
{
	if (stream->link) {
		stream->is_rekeyed = true;
		ws_close(stream->link->peer, WS_CLOSE_NORMAL, "");
	} else {
		stream->failures = 0;
		plan(stream, 0);
	}
}

void dd_streams_set_api_key(struct dd_streams *streams, const struct secret *api_key)
{
	struct secret *old = streams->api_key;

	streams->api_key = secret_copy(api_key);
	secret_destroy(old);
	LIST_EACH (&streams->streams, node)
		connect_anew(CONTAINER_OF(node, struct dd_stream, node));
}
