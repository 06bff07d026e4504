/* The serving end: plain sockets. libwebsockets would take unmasked frames without a word, and
 * copy for each slow reader what it has not taken; here all readers share one frame, and what
 * waits for one of them leaves in one call. */
#include <assert.h>
#include <errno.h>
#include <libwebsockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/secret.h"
#include "net/loop.h"
#include "net/upgrade.h"
#include "net/ws_parse.h"
#include "net/ws_peer.h"

/* What the kernel holds for a peer that does not read: enough for a burst, and little enough for
 * slowness to be seen soon. */
#define SEND_BUFFER    131072
#define PIECES_A_WRITE 256
#define WRITES_A_TURN  8
#define ACCEPT_GUID    "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455, section 1.3 */

struct ws_socket {
	struct ws_peer peer;
	struct watch *watch;
	int fd;
	bool is_deaf;        /* what comes cannot be read any more: it is thrown away */
	bool has_said_close; /* our close frame is with the kernel */
	bool has_got_close;
	struct ws_frame *pong; /* the newest, while the socket takes nothing */
	struct ws_parse parse;
};

static struct ws_socket *socket_of(struct ws_peer *peer)
{
	return CONTAINER_OF(peer, struct ws_socket, peer);
}

static void watch_again(struct ws_socket *socket)
{
	const struct ws_peer *peer = &socket->peer;

	if (peer->is_muted)
		watch_set(socket->watch, 0);
	else
		watch_set(socket->watch, peer->is_blocked ? WATCH_READ | WATCH_WRITE : WATCH_READ);
}

/* ---- pings ------------------------------------------------------------------------------- */

/* It has sent something, or taken what it would not take before. */
static void sign_of_life(struct ws_peer *peer)
{
	if (peer->ws->pings && peer->state == WS_OPEN)
		patient_wait(&peer->patient, peer->ws->pings);
}

/* A peer that takes nothing could not answer either: how long that may last is for whoever sends
 * to decide. */
static bool cannot_answer(const struct ws_peer *peer)
{
	return peer->is_blocked || peer->is_muted;
}

static void on_silence(struct patient *patient)
{
	struct ws_peer *peer = CONTAINER_OF(patient, struct ws_peer, patient);

	if (cannot_answer(peer)) {
		sign_of_life(peer);
		return;
	}
	ws_queue_push(&peer->queue, peer->ws->ping);
	ws_peer_dirty(peer);
	patient_wait(patient, peer->ws->pongs);
}

static void on_no_pong(struct patient *patient)
{
	struct ws_peer *peer = CONTAINER_OF(patient, struct ws_peer, patient);
	struct err err;

	if (cannot_answer(peer)) {
		sign_of_life(peer);
		return;
	}
	err_set(&err, ERR_IO, "no answer to a ping");
	ws_peer_fail(peer, peer->ws->server.heartbeat_code, &err);
}

static void on_no_handshake(struct patient *patient)
{
	ws_peer_lost(CONTAINER_OF(patient, struct ws_peer, patient), "the handshake took too long");
}

/* ---- writing ----------------------------------------------------------------------------- */

/* One call for all that waits. Small frames are joined first, which costs less than letting the
 * kernel walk them. */
static ssize_t write_waiting(struct ws_peer *peer)
{
	int fd = socket_of(peer)->fd;
	struct ws_run *run = &peer->ws->run;
	struct iovec pieces[PIECES_A_WRITE];
	struct msghdr message = { .msg_iov = pieces };

	if (peer->queue.count > 1 && ws_run_join(run, &peer->queue))
		return send(fd, run->bytes, run->len, MSG_NOSIGNAL | MSG_DONTWAIT);
	message.msg_iovlen = ws_queue_iov(&peer->queue, pieces, PIECES_A_WRITE);
	if (message.msg_iovlen == 1)
		return send(fd, pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL | MSG_DONTWAIT);
	return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* False when there is nothing more to be done now. */
static bool write_once(struct ws_socket *socket)
{
	struct ws_peer *peer = &socket->peer;
	ssize_t sent = write_waiting(peer);

	if (sent >= 0) {
		ws_queue_sent(&peer->queue, (size_t)sent);
		peer->sent += (uint64_t)sent;
		return peer->queue.count > 0;
	}
	if (errno == EAGAIN) {
		peer->is_blocked = true;
		watch_again(socket);
	} else if (errno != EINTR) {
		ws_peer_lost(peer, strerror(errno));
	}
	return false;
}

static void both_have_closed(struct ws_socket *socket)
{
	if (socket->has_said_close && socket->has_got_close)
		ws_peer_over(&socket->peer, &socket->peer.end);
}

/* Whom we do not understand any more we need not wait for: it sees the end at once. Closing the
 * socket now, with something unread in it, would take the close frame back. */
static void on_said_close(struct ws_socket *socket)
{
	socket->has_said_close = true;
	if (socket->is_deaf && !socket->has_got_close)
		shutdown(socket->fd, SHUT_WR);
	both_have_closed(socket);
}

static void flush(struct ws_peer *peer)
{
	struct ws_socket *socket = socket_of(peer);

	for (int i = 0; i < WRITES_A_TURN; i++)
		if (!write_once(socket))
			break;
	if (peer->state == WS_OVER)
		return;
	if (peer->queue.count > 0 && !peer->is_blocked)
		ws_peer_dirty(peer);
	if (peer->queue.count == 0 && peer->is_finishing)
		on_said_close(socket);
}

static void finish(struct ws_peer *peer)
{
	struct ws_frame *frame = ws_frame_close(peer->end.code, peer->reason);

	ws_queue_push(&peer->queue, frame);
	ws_frame_unref(frame);
	flush(peer);
}

/* What the kernel holds for a peer that takes nothing it would keep for minutes; a reset frees
 * it at once. */
static void cut(struct ws_peer *peer)
{
	struct ws_socket *socket = socket_of(peer);
	const struct linger reset = { .l_onoff = 1 };

	if (peer->is_blocked)
		setsockopt(socket->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	watch_destroy(socket->watch);
	close(socket->fd);
	ws_parse_fini(&socket->parse);
	ws_frame_unref(socket->pong);
}

static void mute(struct ws_peer *peer)
{
	watch_again(socket_of(peer));
}

static const struct ws_transport transport = {
	.flush = flush, .finish = finish, .cut = cut, .mute = mute
};

/* ---- reading ----------------------------------------------------------------------------- */

/* Only the newest is owed, so that pings cannot fill the memory behind a blocked socket. */
static void answer_ping(struct ws_socket *socket, const char *payload, size_t len)
{
	struct ws_peer *peer = &socket->peer;
	struct ws_frame *pong;

	if (peer->state != WS_OPEN)
		return;
	pong = ws_frame_create(WS_OP_PONG, payload, len);
	if (peer->is_blocked) {
		ws_frame_unref(socket->pong);
		socket->pong = pong;
		return;
	}
	ws_queue_push(&peer->queue, pong);
	ws_frame_unref(pong);
	ws_peer_dirty(peer);
}

static void on_close(struct ws_socket *socket, int code)
{
	struct ws_peer *peer = &socket->peer;

	socket->is_deaf = true;
	socket->has_got_close = true;
	if (peer->state == WS_OPEN) {
		ws_queue_drop(&peer->queue); /* it will not read on */
		ws_close(peer, code, "");
	}
	both_have_closed(socket);
}

static void on_violation(struct ws_socket *socket, int code, const char *why)
{
	struct err err;

	socket->is_deaf = true;
	err_set(&err, ERR_BAD_REQUEST, "%s", why);
	ws_peer_fail(&socket->peer, code, &err);
}

static void take_event(struct ws_socket *socket, const struct ws_event *event)
{
	switch (event->kind) {
	case WS_EVENT_MESSAGE:
		ws_peer_message(&socket->peer, event->bytes, event->len, event->is_text);
		break;
	case WS_EVENT_PING:
		answer_ping(socket, event->bytes, event->len);
		break;
	case WS_EVENT_CLOSE:
		on_close(socket, event->code);
		break;
	case WS_EVENT_BAD:
		on_violation(socket, event->code, event->why);
		break;
	case WS_EVENT_PONG:
	case WS_EVENT_MORE:
		break;
	}
}

static void take_bytes(struct ws_socket *socket, char *bytes, size_t len)
{
	struct ws_event event = { .kind = WS_EVENT_PONG };

	while (event.kind != WS_EVENT_MORE && !socket->is_deaf && socket->peer.state != WS_OVER) {
		size_t used = ws_parse_next(&socket->parse, bytes, len, &event);

		bytes += used;
		len -= used;
		take_event(socket, &event);
	}
}

static void print_accept(const char *key, char *accept, size_t room)
{
	unsigned char digest[20];
	char text[64];
	int len = snprintf(text, sizeof(text), "%s" ACCEPT_GUID, key);

	lws_SHA1((const unsigned char *)text, (size_t)len, digest);
	lws_b64_encode_string((const char *)digest, sizeof(digest), accept, (int)room);
}

static void answer_upgrade(struct ws_socket *socket, const struct upgrade *upgrade)
{
	struct ws_peer *peer = &socket->peer;
	const char *protocol = peer->ws->server.protocol;
	bool is_chosen =
		protocol && upgrade_offers(upgrade, "Sec-WebSocket-Protocol", protocol, true);
	char accept[32], text[512];
	struct ws_frame *frame;
	int len;

	print_accept(upgrade_header(upgrade, "Sec-WebSocket-Key"), accept, sizeof(accept));
	len = snprintf(text, sizeof(text),
		       "HTTP/1.1 101 Switching Protocols\r\n"
		       "Upgrade: websocket\r\n"
		       "Connection: Upgrade\r\n"
		       "Sec-WebSocket-Accept: %s\r\n"
		       "%s%s%s\r\n",
		       accept, is_chosen ? "Sec-WebSocket-Protocol: " : "",
		       is_chosen ? protocol : "", is_chosen ? "\r\n" : "");
	assert(len < (int)sizeof(text));
	frame = ws_frame_raw(text, (size_t)len);
	ws_queue_push(&peer->queue, frame);
	ws_frame_unref(frame);
	ws_peer_dirty(peer);
}

/* The whole request is there: whoever handed the socket over has seen it. */
static void shake_hands(struct ws_socket *socket, char *bytes, size_t len)
{
	struct ws_peer *peer = &socket->peer;
	struct upgrade *upgrade = mem_alloc(sizeof(*upgrade));
	size_t used = upgrade_read(upgrade, bytes, len);

	if (used > 0)
		answer_upgrade(socket, upgrade);
	secret_wipe(upgrade, sizeof(*upgrade)); /* a token may be in the head */
	secret_wipe(bytes, used);
	mem_free(upgrade);
	if (used == 0) {
		ws_peer_lost(peer, "not a request to upgrade");
		return;
	}
	patient_done(&peer->patient);
	ws_peer_opened(peer);
	sign_of_life(peer);
	take_bytes(socket, bytes + used, len - used);
}

static void on_readable(struct ws_socket *socket)
{
	struct ws_peer *peer = &socket->peer;
	char *bytes = peer->ws->scratch;
	ssize_t len = recv(socket->fd, bytes, WS_SCRATCH, MSG_DONTWAIT);

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len <= 0) {
		ws_peer_lost(peer, len == 0 ? "the other side left without a close frame"
					    : strerror(errno));
		return;
	}
	if (peer->state == WS_OPENING) {
		shake_hands(socket, bytes, (size_t)len);
		return;
	}
	ws_peer_heard(peer);
	sign_of_life(peer);
	take_bytes(socket, bytes, (size_t)len);
}

static void on_writable(struct ws_socket *socket)
{
	struct ws_peer *peer = &socket->peer;

	if (!peer->is_blocked)
		return;
	if (socket->pong && peer->state == WS_OPEN)
		ws_queue_push(&peer->queue, socket->pong);
	ws_frame_unref(socket->pong);
	socket->pong = NULL;
	sign_of_life(peer);
	ws_peer_unblock(peer);
}

static void on_ready(void *arg, unsigned events)
{
	struct ws_socket *socket = arg;

	if (events & WATCH_WRITE)
		on_writable(socket);
	if (events & WATCH_READ)
		on_readable(socket);
	/* After a reset the loop has stopped watching, and what came before it was read first. */
	if (socket->peer.state != WS_OVER)
		watch_again(socket);
}

/* ---- serving ----------------------------------------------------------------------------- */

void ws_serve(struct ws *ws, const struct ws_server_config *config)
{
	assert(!ws->handshakes);
	ws->server = *config;
	ws->scratch = mem_alloc(WS_SCRATCH);
	ws_run_init(&ws->run);
	ws->handshakes = patience_create(ws->loop, config->handshake_ms, on_no_handshake);
	if (config->ping_ms > 0) {
		ws->ping = ws_frame_create(WS_OP_PING, NULL, 0);
		ws->pings = patience_create(ws->loop, config->ping_ms, on_silence);
		ws->pongs = patience_create(ws->loop, config->pong_ms, on_no_pong);
	}
}

void ws_server_fini(struct ws *ws)
{
	patience_destroy(ws->handshakes);
	patience_destroy(ws->pings);
	patience_destroy(ws->pongs);
	ws_frame_unref(ws->ping);
	ws_run_fini(&ws->run);
	loop_free_later(ws->loop, ws->scratch);
}

void ws_take_socket(struct ws *ws, int fd, void *arg)
{
	struct ws_socket *socket = mem_alloc(sizeof(*socket));
	const int on = 1, room = SEND_BUFFER;

	assert(ws->handshakes);
	socket->fd = fd;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* Unix sockets need none */
	ws_parse_init(&socket->parse, ws->server.message_max);
	socket->watch = watch_create(ws->loop, fd, on_ready, socket);
	if (!ws_peer_init(&socket->peer, ws, &transport, ws->server.handlers, arg))
		return;
	watch_again(socket);
	patient_wait(&socket->peer.patient, ws->handshakes);
}
