/* ws.h - both ends of a WebSocket, with a bounded-by-its-user send queue for each peer.
 *
 * The asking end is libwebsockets' on our loop; the serving end is our own, on plain sockets. What
 * is sent to many peers is one shared, ready-made frame; sending only queues, and once a turn
 * everything that waits for a peer leaves in one write, for a twentieth of a millisecond a turn,
 * so that nothing else on the loop waits for a crowd. Pings, pongs and dead peers are seen to here;
 * a peer that takes nothing while there is something to send is its user's to judge, by ws_queued()
 * and ws_sent(). Every peer gets exactly one closed() call, its last; it never comes from inside
 * another call here but ws_destroy(). Loop thread only. */
#ifndef NET_WS_H
#define NET_WS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"

struct http_peer;
struct loop;
struct ws;
struct ws_frame;
struct ws_peer;

/* Close codes of RFC 6455 that we name. */
#define WS_CLOSE_NORMAL   1000
#define WS_CLOSE_AWAY     1001
#define WS_CLOSE_PROTOCOL 1002
#define WS_CLOSE_NO_CODE  1005 /* never on the wire: a close frame without a code came */
#define WS_CLOSE_ABNORMAL 1006 /* never on the wire: the connection ended without a close frame */
#define WS_CLOSE_INVALID  1007
#define WS_CLOSE_TOO_BIG  1009

struct ws_end {
	int code;        /* as received or sent; WS_CLOSE_ABNORMAL without a close frame */
	int http_status; /* of a refused handshake of ours; 0 when it got through or never answered
			  */
	struct err err; /* code ERR_NONE for an orderly close; never a URL, query or header in it */
};

struct ws_handlers {
	void (*opened)(void *arg, struct ws_peer *peer); /* the handshake is done: one may send */
	/* A whole message, its fragments joined. Text is valid UTF-8. Borrowed. */
	void (*message)(void *arg, struct ws_peer *peer, const char *bytes, size_t len,
			bool is_text);
	/* The queue has just become empty: all that was sent is with the kernel. May be NULL. */
	void (*drained)(void *arg, struct ws_peer *peer);
	/* opened() may never have been called. The peer is gone when this returns. */
	void (*closed)(void *arg, struct ws_peer *peer, const struct ws_end *end);
};

struct ws_config {
	size_t peers_max;    /* sockets of both kinds; also raises the limit on open files */
	const char *ca_file; /* for wss://; NULL: the system's roots */
};

MUST_CHECK bool ws_create(struct loop *loop, const struct ws_config *config, struct ws **result,
			  struct err *err);
/* Cuts every peer (closed() is called for each). Turns the loop for as long as libwebsockets needs
 * to let go, so not from within a callback; before the loop is destroyed. NULL is fine. */
void ws_destroy(struct ws *ws);

/* ---- frames ------------------------------------------------------------------------------ */

/* A text message as a server sends it, head included. Copies; starts with one reference. */
struct ws_frame *ws_frame_text(const char *text, size_t len);
struct ws_frame *ws_frame_ref(struct ws_frame *frame);                   /* returns frame */
void ws_frame_unref(struct ws_frame *frame);                             /* NULL is fine */
const char *ws_frame_payload(const struct ws_frame *frame, size_t *len); /* NUL-terminated */
size_t ws_frame_size(const struct ws_frame *frame);                      /* on the wire */

/* ---- the serving end --------------------------------------------------------------------- */

struct ws_server_config {
	const char *protocol; /* subprotocol we speak, or NULL; offered others are not chosen */
	size_t message_max;   /* a longer one is closed with WS_CLOSE_TOO_BIG */
	int64_t handshake_ms; /* from take-over to opened() */
	int64_t ping_ms,
		pong_ms;    /* a peer that answers no ping for pong_ms is closed; 0: no pings */
	int heartbeat_code; /* ... with this code */
	const struct ws_handlers *handlers;
};
/* Borrows handlers. One kind of server for each ws. */
void ws_serve(struct ws *ws, const struct ws_server_config *config);
/* Takes over a non-blocking socket whose first bytes are a whole, checked upgrade request, not
 * yet read. arg is for the handlers, and closed() tells when it is no longer needed: that is
 * called also when this fails, then on a later turn. */
void ws_take_socket(struct ws *ws, int fd, void *arg);

/* ---- the asking end ---------------------------------------------------------------------- */

struct ws_connect_config {
	const char *url;    /* "wss://host:port" */
	const char *path;   /* "/a?b=c"; a secret: copied for the handshake, never told to anyone */
	int64_t timeout_ms; /* name look-up, connection, TLS and handshake together */
	int64_t ping_ms, pong_ms;
	size_t message_max;
	const struct ws_handlers *handlers; /* borrowed */
};
/* Never fails at once: whatever goes wrong comes as closed(), on a later turn. Names are looked
 * up off the loop thread. */
struct ws_peer *ws_connect(struct ws *ws, const struct ws_connect_config *config, void *arg);

/* ---- either end -------------------------------------------------------------------------- */

/* Queues; the frame is shared, not taken. Nothing happens once the peer is closing. The client's
 * end masks a copy. */
void ws_send(struct ws_peer *peer, struct ws_frame *frame);
void ws_send_text(struct ws_peer *peer, const char *text, size_t len);
size_t ws_queued(const struct ws_peer *peer); /* bytes not yet with the kernel */
uint64_t ws_sent(const struct ws_peer *peer); /* bytes that were: rises while it reads */
/* When anything came last: data, a ping or a pong; 0 until opened(). For telling a quiet peer from
 * one that is about to be given up. */
struct mono ws_heard(const struct ws_peer *peer);
/* A close frame after what is queued, if that leaves within two seconds; else the connection is
 * cut. reason: at most 123 bytes. closed() comes later, with this code. */
void ws_close(struct ws_peer *peer, int code, const char *reason);
void ws_set_arg(struct ws_peer *peer, void *arg);
/* Peers that are to be written to in the next turns. While there are any the loop does not sleep;
 * one that takes nothing is not among them. */
size_t ws_waiting(const struct ws *ws);

/* Misbehaviour on purpose, for the simulator. */
void ws_drop(struct ws_peer *peer);                /* ends the connection without a close frame */
void ws_mute(struct ws_peer *peer, bool is_muted); /* neither reads, writes nor answers pings */
void ws_send_bytes(struct ws_peer *peer, const void *bytes, size_t len); /* as they are, unframed */
#endif
