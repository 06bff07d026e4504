/* ws_rig.h - what the tests of WebSockets share: a server with its front door, and a client by
 * hand, made of blocking sockets, that can send anything. */
#ifndef NET_WS_RIG_H
#define NET_WS_RIG_H
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/front.h"
#include "net/httpd.h"
#include "net/net_test.h"
#include "net/ws.h"
#include "net/ws_frame.h"

#define MESSAGE_MAX 100000
#define SESSIONS    400
#define CROWD       300
#define PATIENT_MS  5000

/* One subscriber, as the server sees it. */
struct session {
	struct rig *rig;
	struct ws_peer *peer;
	unsigned opened, messages, drained, closed;
	struct ws_end end;
	char path[64], last[64];
};

struct rig {
	struct loop *loop;
	struct httpd *httpd;
	struct front *front;
	struct ws *ws;
	int port;
	char dir[32], path[64];
	struct session sessions[SESSIONS];
	unsigned session_count, refused;
	bool is_inside; /* of a ws_...() call, which must not call back */
	/* What a test wants done besides. */
	void (*on_open)(struct session *session);
	void (*on_message)(struct session *session, const char *bytes, size_t len, bool is_text);
	void (*on_drained)(struct session *session);
	void (*on_closed)(struct session *session);
	/* The other side's notes. */
	int fd, other, crowd[CROWD];
	char seen[65536];
	unsigned count;
	int64_t took_ms;
	bool is_fine;
};

static inline void rig_opened(void *arg, struct ws_peer *peer)
{
	struct session *session = arg;

	session->peer = peer;
	session->opened++;
	if (session->rig->on_open)
		session->rig->on_open(session);
}

static inline void rig_message(void *arg, struct ws_peer *peer, const char *bytes, size_t len,
			       bool is_text)
{
	struct session *session = arg;
	size_t kept = len < sizeof(session->last) - 1 ? len : sizeof(session->last) - 1;

	assert_ptr_equal(peer, session->peer);
	session->messages++;
	memcpy(session->last, bytes, kept);
	session->last[kept] = '\0';
	if (session->rig->on_message)
		session->rig->on_message(session, bytes, len, is_text);
}

static inline void rig_drained(void *arg, struct ws_peer *peer)
{
	struct session *session = arg;

	assert_int_equal(ws_queued(peer), 0);
	session->drained++;
	if (session->rig->on_drained)
		session->rig->on_drained(session);
}

static inline void rig_closed(void *arg, struct ws_peer *peer, const struct ws_end *end)
{
	struct session *session = arg;

	(void)peer;
	assert_false(session->rig->is_inside);
	session->closed++;
	session->end = *end;
	session->peer = NULL;
	if (session->rig->on_closed)
		session->rig->on_closed(session);
}

static const struct ws_handlers rig_handlers = {
	.opened = rig_opened, .message = rig_message, .drained = rig_drained, .closed = rig_closed
};

static inline bool rig_upgrade(void *arg, const struct upgrade *upgrade, void **session)
{
	struct rig *rig = arg;
	struct session *mine;

	if (strcmp(upgrade_path(upgrade), "/no") == 0 || rig->session_count == SESSIONS)
		return false;
	mine = &rig->sessions[rig->session_count++];
	mine->rig = rig;
	STR_SET(mine->path, upgrade_path(upgrade));
	*session = mine;
	return true;
}

static inline void rig_handle(void *arg, struct http_request *request)
{
	struct rig *rig = arg;

	rig->refused++;
	http_reply(request, 426, "text/plain", "upgrade", 7);
}

static inline struct rig *rig_create_with(const struct ws_server_config *server, size_t peers_max,
					  int64_t head_timeout_ms)
{
	struct rig *rig = mem_alloc(sizeof(*rig));
	const struct ws_config ws = { .peers_max = peers_max };
	const struct httpd_config httpd = { .body_max = 1000,
					    .connections_max = 100,
					    .head_timeout_ms = head_timeout_ms,
					    .body_timeout_ms = head_timeout_ms,
					    .handle = rig_handle,
					    .arg = rig };
	struct front_config front = { .head_timeout_ms = head_timeout_ms,
				      .undecided_max = 100,
				      .upgrade = rig_upgrade,
				      .arg = rig };
	struct err err;

	STR_SET(rig->dir, "/tmp/ws_test.XXXXXX");
	assert_non_null(mkdtemp(rig->dir));
	snprintf(rig->path, sizeof(rig->path), "%s/socket", rig->dir);
	rig->fd = rig->other = -1;
	rig->loop = loop_create();
	assert_true(httpd_create(rig->loop, &httpd, &rig->httpd, &err));
	assert_true(ws_create(rig->loop, &ws, &rig->ws, &err));
	ws_serve(rig->ws, server);
	front.ws = rig->ws;
	assert_true(front_create(rig->loop, rig->httpd, &front, &rig->front, &err));
	assert_true(front_listen_tcp(rig->front, "127.0.0.1:0", &err));
	assert_true(front_listen_unix(rig->front, rig->path, &err));
	rig->port = atoi(strchr(front_address(rig->front), ':') + 1);
	return rig;
}

static inline struct ws_server_config rig_config(void)
{
	return (struct ws_server_config){ .protocol = "deltagate.v1",
					  .message_max = MESSAGE_MAX,
					  .handshake_ms = PATIENT_MS,
					  .heartbeat_code = 4408,
					  .handlers = &rig_handlers };
}

static inline struct rig *rig_create(void)
{
	struct ws_server_config server = rig_config();

	return rig_create_with(&server, SESSIONS, PATIENT_MS);
}

static inline void rig_destroy(struct rig *rig)
{
	front_destroy(rig->front);
	ws_destroy(rig->ws);
	httpd_destroy(rig->httpd);
	loop_destroy(rig->loop);
	for (unsigned i = 0; i < rig->session_count; i++)
		assert_int_equal(rig->sessions[i].closed, 1);
	if (rig->fd >= 0)
		close(rig->fd);
	if (rig->other >= 0)
		close(rig->other);
	unlink(rig->path);
	rmdir(rig->dir);
	mem_free(rig);
}

static inline int set_up(void **state)
{
	*state = rig_create();
	return 0;
}

static inline int tear_down(void **state)
{
	rig_destroy(*state);
	return 0;
}

static inline struct session *first(struct rig *rig)
{
	assert_in_range(rig->session_count, 1, SESSIONS);
	return &rig->sessions[0];
}

static inline void echo(struct session *session, const char *bytes, size_t len, bool is_text)
{
	struct ws_frame *frame =
		is_text ? ws_frame_text(bytes, len) : ws_frame_create(WS_OP_BINARY, bytes, len);

	ws_send(session->peer, frame);
	ws_frame_unref(frame);
}

/* ---- a client by hand -------------------------------------------------------------------- */

#define KEY    "dGhlIHNhbXBsZSBub25jZQ==" /* RFC 6455's example, and its answer */
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static inline size_t print_request(char *to, size_t room, const char *path, const char *more)
{
	return (size_t)snprintf(to, room,
				"GET %s HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\n"
				"Upgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n"
				"Sec-WebSocket-Key: " KEY "\r\n%s\r\n",
				path, more);
}

/* Reads exactly so much; false at the end. */
static inline bool read_exactly(int fd, void *to, size_t len)
{
	char *at = to;
	ssize_t got;

	for (; len > 0; at += got, len -= (size_t)got)
		if ((got = recv(fd, at, len, 0)) <= 0)
			return false;
	return true;
}

/* The answer's head, and not a byte more. */
static inline void read_head(int fd, char *to, size_t room)
{
	size_t len = 0;

	to[0] = '\0';
	while (len + 1 < room && !strstr(to, "\r\n\r\n") && read_exactly(fd, to + len, 1))
		to[++len] = '\0';
}

static inline int shake(struct rig *rig, int fd, const char *more)
{
	char request[1024];

	assert(fd >= 0);
	print_request(request, sizeof(request), "/", more);
	send_text(fd, request);
	read_head(fd, rig->seen, sizeof(rig->seen));
	return fd;
}

static inline int join(struct rig *rig)
{
	return shake(rig, connect_tcp(rig->port), "");
}

/* The first byte as it is to be: FIN is 0x80. */
static inline size_t print_frame(char *to, unsigned first, const void *payload, size_t len)
{
	static const unsigned char mask[4] = { 0x12, 0x00, 0xff, 0x81 };
	unsigned char *head = (unsigned char *)to;
	size_t at = 2;

	head[0] = (unsigned char)first;
	head[1] = (unsigned char)(0x80 | (len < 126 ? len : len < 65536 ? 126 : 127));
	for (int shift = len < 126 ? -8 : len < 65536 ? 8 : 56; shift >= 0; shift -= 8)
		head[at++] = (unsigned char)((uint64_t)len >> shift);
	memcpy(head + at, mask, 4);
	at += 4;
	for (size_t i = 0; i < len; i++)
		to[at + i] = (char)(((const char *)payload)[i] ^ mask[i & 3]);
	return at + len;
}

static inline void send_frame(int fd, unsigned first, const void *payload, size_t len)
{
	char *frame = mem_alloc(len + 14);

	send_bytes(fd, frame, print_frame(frame, first, payload, len));
	mem_free(frame);
}

static inline void say(int fd, const char *text)
{
	send_frame(fd, 0x80 | WS_OP_TEXT, text, strlen(text));
}

static inline void say_close(int fd, int code)
{
	const char payload[2] = { (char)(code >> 8), (char)code };

	send_frame(fd, 0x80 | WS_OP_CLOSE, payload, 2);
}

/* The opcode of the next frame, its payload in to, terminated; -1 at the end of the connection,
 * -2 for a frame that a server must not send. */
static inline int read_frame(int fd, char *to, size_t room, size_t *len)
{
	unsigned char head[2], more[8];
	uint64_t size;

	if (!read_exactly(fd, head, 2))
		return -1;
	size = head[1];
	if (size > 127 || !(head[0] & 0x80) || (head[0] & 0x70))
		return -2;
	if (size >= 126) {
		unsigned count = size == 126 ? 2 : 8;

		if (!read_exactly(fd, more, count))
			return -1;
		size = 0;
		for (unsigned i = 0; i < count; i++)
			size = size << 8 | more[i];
	}
	if (size >= room)
		return -2;
	if (!read_exactly(fd, to, size))
		return -1;
	to[size] = '\0';
	*len = size;
	return head[0] & 0x0f;
}

/* The code of the close frame that comes next, after whatever else; 0: the connection ended
 * without one. WS_CLOSE_NO_CODE when it has none. */
static inline int read_close(struct rig *rig, int fd)
{
	size_t len;
	int opcode;

	while ((opcode = read_frame(fd, rig->seen, sizeof(rig->seen), &len)) >= 0)
		if (opcode == WS_OP_CLOSE)
			return len < 2 ? WS_CLOSE_NO_CODE
				       : (unsigned char)rig->seen[0] << 8 |
						 (unsigned char)rig->seen[1];
	return 0;
}

static inline bool hears(struct rig *rig, int fd, const char *text)
{
	size_t len;

	return read_frame(fd, rig->seen, sizeof(rig->seen), &len) == WS_OP_TEXT &&
	       strcmp(rig->seen, text) == 0;
}

static inline bool hears_end(int fd)
{
	char byte;

	return recv(fd, &byte, 1, 0) <= 0;
}
#endif
