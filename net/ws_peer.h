/* ws_peer.h - what both ends of a WebSocket share; for net/ws*.c only.
 *
 * ws.c has the life of a peer, its send queue, and the flushing once a turn. How bytes travel is
 * each end's own: ws_server.c speaks the protocol over a plain socket, ws_client.c through
 * libwebsockets. A peer is embedded, as the first member, in what its end keeps of it.
 *
 *   OPENING -> OPEN -> CLOSING -> OVER, and to OVER from anywhere
 *
 * Once OVER nothing is sent or delivered any more; closed() follows in the hook at the end of a
 * turn, and the memory goes after that. */
#ifndef NET_WS_PEER_H
#define NET_WS_PEER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "net/patience.h"
#include "net/ws.h"
#include "net/ws_queue.h"
#include "net/ws_run.h"

struct hook;
struct ws_context;

enum ws_state { WS_OPENING, WS_OPEN, WS_CLOSING, WS_OVER };

/* What an end does for its peers. Each is called outside its own callbacks as well as inside. */
struct ws_transport {
	/* Sends what it can of the queue: ws_queue_...(). Not called while is_blocked or is_muted.
	 * When the kernel takes no more: set is_blocked, and ws_peer_unblock() when it does again.
	 * A failure is ws_peer_over(). */
	void (*flush)(struct ws_peer *peer);
	/* Once, when CLOSING and the queue is empty: send a close frame with end.code and reason,
	 * and ws_peer_over(peer, &peer->end) when the other side has answered. */
	void (*finish)(struct ws_peer *peer);
	/* Lets go of the connection at once; nothing of it may reach the peer after that. */
	void (*cut)(struct ws_peer *peer);
	/* From or to is_muted: stop or go on reading. */
	void (*mute)(struct ws_peer *peer);
};

struct ws_peer {
	struct list_node node;  /* of ws->peers, or ws->over */
	struct list_node dirty; /* of ws->dirty: to be flushed */
	struct ws *ws;
	const struct ws_transport *transport;
	const struct ws_handlers *handlers;
	void *arg;
	enum ws_state state;
	bool is_blocked, is_muted, is_finishing;
	struct ws_queue queue;
	uint64_t sent;
	struct mono heard;      /* see ws_heard() */
	struct patient patient; /* CLOSING: ws.c's. Before that the end's, for what it likes */
	struct ws_end end;      /* once CLOSING */
	char *reason;           /* once CLOSING; of the close frame */
};

struct ws {
	struct loop *loop;
	struct ws_config config;
	struct hook *hook;
	bool is_awake; /* the hook is sure to come soon */
	struct list peers, dirty, over;
	size_t peer_count, dirty_count;
	struct patience *closing;
	struct ws_context *context; /* libwebsockets, for the asking end */
	/* The serving end. */
	struct ws_server_config server;
	struct patience *handshakes, *pings, *pongs; /* NULL: not served, or no pings */
	struct ws_frame *ping;
	struct ws_run run;
	char *scratch; /* WS_SCRATCH bytes: what was read, for the time of a callback */
};

#define WS_SCRATCH 65536

/* Memory for peer must come from mem_alloc() and start with it. False: too many; then nothing has
 * happened, but for the peer to be told so: it is OVER, and closed() comes. */
bool ws_peer_init(struct ws_peer *peer, struct ws *ws, const struct ws_transport *transport,
		  const struct ws_handlers *handlers, void *arg);
void ws_peer_opened(struct ws_peer *peer); /* to OPEN; the peer may be OVER after it */
void ws_peer_message(struct ws_peer *peer, const char *bytes, size_t len, bool is_text);
void ws_peer_heard(struct ws_peer *peer); /* a ping or pong came; messages count by themselves */
void ws_peer_dirty(struct ws_peer *peer); /* there is something to flush */
void ws_peer_unblock(struct ws_peer *peer);
/* To CLOSING, as ws_close(), for a reason of our own: err goes to closed(). */
void ws_peer_fail(struct ws_peer *peer, int code, const struct err *err);
/* To OVER: lets go of the connection; closed() comes later with a copy of end. Again is fine. */
void ws_peer_over(struct ws_peer *peer, const struct ws_end *end);
/* The same for a connection that ended without a close frame. */
void ws_peer_lost(struct ws_peer *peer, const char *why);

/* In ws_server.c. */
void ws_server_fini(struct ws *ws);
#endif
