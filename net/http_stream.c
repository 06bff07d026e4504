#include "net/http_stream.h"

#include <assert.h>
#include <linux/sockios.h>
#include <microhttpd.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/http_request.h"
#include "net/httpd.h"
#include "net/loop.h"

#define PIECE_MAX 16384 /* at a time */
#define ROOM_KEPT 65536 /* memory for what waits, kept when nothing does */
/* What the kernel holds for a client that does not read: enough for a burst, and little enough for
 * slowness to be seen soon. */
#define SEND_BUFFER  131072
#define STALL_CHECKS 4 /* without progress between them: stalled */

struct http_streams {
	struct loop *loop;
	struct list streams;
	struct list news; /* streams whose application is to be told something */
};

struct http_stream {
	struct list_node node, news_node;
	struct http_streams *streams;
	struct http_request *request; /* NULL: lost, only gone() is left to do */
	struct http_stream_config config;
	struct buf waiting;
	size_t taken;    /* of waiting: with the library */
	uint64_t queued; /* bytes, since the start */
	uint64_t sent;   /* ... of which so many are with the kernel */
	struct watch *watch;
	struct timer *stall;
	unsigned idle_checks;
	uint64_t
		seen_sent; /* at the last check: so much with the kernel, and so much of that not */
	int seen_unread;   /* yet with the client's */
	bool is_ending;
	bool is_cut;
	bool is_undrained; /* drained() is due once all is sent */
};

static struct loop *loop_of(const struct http_stream *stream)
{
	return stream->streams->loop;
}

static void put_into_news(struct http_stream *stream)
{
	if (!list_has(&stream->news_node))
		list_push_back(&stream->streams->news, &stream->news_node);
}

/* ---- Time ---- */

static bool is_owed_something(const struct http_stream *stream)
{
	return stream->is_ending || http_stream_queued(stream) > 0;
}

/* The kernel asks for more only when much of its buffer is free. */
static int count_unread(const struct http_stream *stream)
{
	int count = 0;

	ioctl(stream->request->conn->fd, SIOCOUTQ, &count);
	return count;
}

static bool has_moved(struct http_stream *stream)
{
	int unread = count_unread(stream);
	bool result = stream->sent != stream->seen_sent || unread < stream->seen_unread;

	stream->seen_sent = stream->sent;
	stream->seen_unread = unread;
	return result;
}

static void on_check(void *arg)
{
	struct http_stream *stream = arg;

	if (!is_owed_something(stream))
		return; /* started anew by the next piece */
	stream->idle_checks = has_moved(stream) ? 0 : stream->idle_checks + 1;
	if (stream->idle_checks < STALL_CHECKS) {
		timer_start(stream->stall, stream->config.stall_ms / STALL_CHECKS);
		return;
	}
	LOG(INFO, "httpd.stream_stalled", F_STR("peer", stream->request->conn->peer.address),
	    F_INT("queued", (int64_t)http_stream_queued(stream)));
	http_stream_cut(stream);
}

static void start_checks(struct http_stream *stream)
{
	has_moved(stream);
	stream->idle_checks = 0;
	timer_start(stream->stall, stream->config.stall_ms / STALL_CHECKS);
}

unsigned http_stream_patience_s(const struct http_stream *stream)
{
	return (unsigned)(stream->config.stall_ms / 1000) + 1;
}

/* ---- What the library asks for ---- */

static ssize_t pause_stream(struct http_stream *stream)
{
	if (stream->is_undrained)
		put_into_news(stream);
	stream->request->is_suspended = true;
	MHD_suspend_connection(stream->request->mhd);
	return 0;
}

static void forget_taken(struct http_stream *stream)
{
	struct buf *waiting = &stream->waiting;

	if (stream->taken < waiting->len)
		return;
	stream->taken = 0;
	if (waiting->room > ROOM_KEPT)
		buf_fini(waiting);
	else
		buf_clear(waiting);
}

/* It asks when all before `at` is with the kernel. */
static ssize_t read_stream(void *arg, uint64_t at, char *to, size_t room)
{
	struct http_stream *stream = arg;
	size_t len = stream->waiting.len - stream->taken;

	stream->sent = at;
	if (stream->is_cut)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (len == 0)
		return stream->is_ending ? MHD_CONTENT_READER_END_OF_STREAM : pause_stream(stream);
	if (len > room)
		len = room;
	if (len > PIECE_MAX)
		len = PIECE_MAX;
	memcpy(to, buf_str(&stream->waiting) + stream->taken, len);
	stream->taken += len;
	forget_taken(stream);
	return (ssize_t)len;
}

/* ---- The other end ---- */

static void on_disconnect(void *arg, unsigned events)
{
	(void)events;
	http_stream_cut(arg);
}

static void watch_client(struct http_stream *stream)
{
	int fd = stream->request->conn->fd, room = SEND_BUFFER;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	stream->watch = watch_create(loop_of(stream), fd, on_disconnect, stream);
	watch_set(stream->watch, WATCH_DISCONNECT);
}

void http_stream_lost(struct http_stream *stream)
{
	watch_destroy(stream->watch); /* before the library closes the socket */
	stream->watch = NULL;
	timer_stop(stream->stall);
	stream->request = NULL;
	put_into_news(stream);
}

/* ---- What the application does ---- */

static struct MHD_Response *make_reply(struct http_stream *stream, bool is_head)
{
	struct MHD_Response *reply = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PIECE_MAX,
								       read_stream, stream, NULL);

	assert(reply);
	/* To a HEAD request the library would send the mark of the last chunk. */
	if (is_head)
		MHD_set_response_options(reply, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
	return reply;
}

struct http_stream *http_reply_stream(struct http_request *request,
				      const struct http_stream_config *config)
{
	struct http_streams *streams = httpd_streams(request->httpd);
	struct http_stream *stream = mem_alloc(sizeof(*stream));

	assert(request->mhd && loop_is_mine(streams->loop));
	list_node_init(&stream->news_node);
	list_push_back(&streams->streams, &stream->node);
	stream->streams = streams;
	stream->request = request;
	stream->config = *config;
	buf_init(&stream->waiting, SIZE_MAX / 2);
	stream->stall = loop_timer_create(streams->loop, on_check, stream);
	watch_client(stream);
	request->stream = stream;
	http_reply_header(request, MHD_HTTP_HEADER_CONNECTION, "close");
	http_request_answer(request, config->status, config->content_type,
			    make_reply(stream, request->is_head));
	return stream;
}

static bool is_open(const struct http_stream *stream)
{
	return stream->request && !stream->is_ending && !stream->is_cut;
}

/* Half of it is taken before it is moved, so that each byte is moved once at most, on average. */
static void move_up(struct http_stream *stream)
{
	struct buf *waiting = &stream->waiting;

	if (stream->taken <= waiting->len / 2)
		return;
	memmove(waiting->data, waiting->data + stream->taken, waiting->len - stream->taken);
	buf_truncate(waiting, waiting->len - stream->taken);
	stream->taken = 0;
}

void http_stream_send(struct http_stream *stream, const void *bytes, size_t len)
{
	assert(loop_is_mine(loop_of(stream)));
	if (!is_open(stream) || len == 0)
		return;
	if (!is_owed_something(stream))
		start_checks(stream);
	move_up(stream);
	buf_add(&stream->waiting, bytes, len);
	stream->queued += len;
	stream->is_undrained = true;
	httpd_wake(stream->request);
}

size_t http_stream_queued(const struct http_stream *stream)
{
	return (size_t)(stream->queued - stream->sent);
}

uint64_t http_stream_sent(const struct http_stream *stream)
{
	return stream->sent;
}

void http_stream_end(struct http_stream *stream)
{
	assert(loop_is_mine(loop_of(stream)));
	if (!is_open(stream))
		return;
	if (!is_owed_something(stream))
		start_checks(stream);
	stream->is_ending = true;
	httpd_wake(stream->request);
}

/* What a client does not take would stay with the kernel, megabytes of it, long after the close. */
static void forget_unsent(const struct http_stream *stream)
{
	const struct linger none = { .l_onoff = 1 };

	setsockopt(stream->request->conn->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

/* The shut socket is what the library sees that waits for it; and one that does not is woken. */
void http_stream_cut(struct http_stream *stream)
{
	assert(loop_is_mine(loop_of(stream)));
	if (!stream->request || stream->is_cut)
		return;
	stream->is_cut = true;
	watch_set(stream->watch, 0);
	if (http_stream_queued(stream) > 0)
		forget_unsent(stream);
	shutdown(stream->request->conn->fd, SHUT_RDWR);
	httpd_wake(stream->request);
}

/* ---- All of them ---- */

struct http_streams *http_streams_create(struct loop *loop)
{
	struct http_streams *streams = mem_alloc(sizeof(*streams));

	streams->loop = loop;
	list_init(&streams->streams);
	list_init(&streams->news);
	return streams;
}

void http_streams_cut(struct http_streams *streams)
{
	LIST_EACH (&streams->streams, node)
		http_stream_cut(CONTAINER_OF(node, struct http_stream, node));
}

static void part(struct http_stream *stream)
{
	struct loop *loop = loop_of(stream);

	stream->config.gone(stream->config.arg, stream);
	list_remove(&stream->node);
	timer_destroy(stream->stall);
	buf_fini(&stream->waiting);
	loop_free_later(loop, stream);
}

static void tell_drained(struct http_stream *stream)
{
	if (http_stream_queued(stream) > 0 || !is_open(stream))
		return;
	stream->is_undrained = false;
	if (stream->config.drained)
		stream->config.drained(stream->config.arg, stream);
}

void http_streams_tell(struct http_streams *streams)
{
	struct list_node *node;

	while ((node = list_pop_front(&streams->news))) {
		struct http_stream *stream = CONTAINER_OF(node, struct http_stream, news_node);

		if (stream->request)
			tell_drained(stream);
		else
			part(stream);
	}
}

void http_streams_destroy(struct http_streams *streams)
{
	http_streams_tell(streams);
	assert(list_is_empty(&streams->streams));
	loop_free_later(streams->loop, streams);
}
