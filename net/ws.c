#include "net/ws.h"

#include <assert.h>
#include <string.h>
#include <sys/resource.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "net/ws_context.h"
#include "net/ws_frame.h"
#include "net/ws_peer.h"

/* So long a turn is given to flushing, which whoever else is on the loop waits. The clock is looked
 * at after so many peers. */
#define FLUSHING_US        50
#define FLUSHES_PER_GLANCE 2
#define CLOSING_MS         2000
#define FILES_BESIDE       1024 /* what is open besides WebSockets */

/* ---- the hook ---------------------------------------------------------------------------- */

static void awoken(void *arg)
{
	struct ws *ws = arg;

	ws->is_awake = false;
}

/* The hook of this turn may have run already, and the loop must not sleep then. */
static void stay_awake(struct ws *ws)
{
	if (ws->is_awake)
		return;
	ws->is_awake = true;
	loop_later(ws->loop, awoken, ws);
}

static void clean(struct ws_peer *peer)
{
	if (!list_has(&peer->dirty))
		return;
	list_remove(&peer->dirty);
	peer->ws->dirty_count--;
}

static void flush(struct ws_peer *peer)
{
	bool has_sent = peer->queue.count > 0;

	if (peer->is_blocked || peer->is_muted || peer->state == WS_OPENING)
		return;
	if (has_sent)
		peer->transport->flush(peer);
	if (peer->queue.count > 0 || peer->state == WS_OVER)
		return;
	if (peer->state == WS_CLOSING && !peer->is_finishing) {
		peer->is_finishing = true;
		peer->transport->finish(peer);
	} else if (peer->state == WS_OPEN && has_sent && peer->handlers->drained) {
		peer->handlers->drained(peer->arg, peer);
	}
}

/* Who becomes dirty while this runs waits for the next turn. */
static void flush_some(struct ws *ws)
{
	struct mono start = mono_now();
	size_t count = ws->dirty_count;
	struct list_node *node;

	while (count-- > 0 && (node = list_first(&ws->dirty))) {
		struct ws_peer *peer = CONTAINER_OF(node, struct ws_peer, dirty);

		clean(peer);
		flush(peer);
		if (count % FLUSHES_PER_GLANCE == 0 &&
		    mono_diff_us(mono_now(), start) >= FLUSHING_US)
			break;
	}
	if (ws->dirty_count > 0)
		stay_awake(ws);
}

static void say_goodbye(struct ws *ws)
{
	struct list_node *node;

	while ((node = list_pop_front(&ws->over))) {
		struct ws_peer *peer = CONTAINER_OF(node, struct ws_peer, node);

		peer->handlers->closed(peer->arg, peer, &peer->end);
		mem_free(peer->reason);
		ws->peer_count--;
		loop_free_later(ws->loop, peer);
	}
}

static void end_turn(void *arg)
{
	struct ws *ws = arg;

	flush_some(ws);
	say_goodbye(ws);
}

/* ---- the life of a peer ------------------------------------------------------------------ */

bool ws_peer_init(struct ws_peer *peer, struct ws *ws, const struct ws_transport *transport,
		  const struct ws_handlers *handlers, void *arg)
{
	assert(loop_is_mine(ws->loop));
	list_node_init(&peer->dirty);
	patient_init(&peer->patient);
	peer->ws = ws;
	peer->transport = transport;
	peer->handlers = handlers;
	peer->arg = arg;
	list_push_back(&ws->peers, &peer->node);
	if (ws->peer_count++ < ws->config.peers_max)
		return true;
	peer->end.code = WS_CLOSE_ABNORMAL;
	err_set(&peer->end.err, ERR_BUSY, "no more than %zu WebSockets", ws->config.peers_max);
	ws_peer_over(peer, &peer->end);
	return false;
}

void ws_peer_opened(struct ws_peer *peer)
{
	assert(peer->state == WS_OPENING);
	peer->state = WS_OPEN;
	ws_peer_heard(peer);
	peer->handlers->opened(peer->arg, peer);
}

void ws_peer_heard(struct ws_peer *peer)
{
	peer->heard = loop_now(peer->ws->loop);
}

void ws_peer_message(struct ws_peer *peer, const char *bytes, size_t len, bool is_text)
{
	ws_peer_heard(peer);
	if (peer->state == WS_OPEN)
		peer->handlers->message(peer->arg, peer, bytes, len, is_text);
}

void ws_peer_dirty(struct ws_peer *peer)
{
	struct ws *ws = peer->ws;

	if (list_has(&peer->dirty) || peer->state == WS_OVER)
		return;
	list_push_back(&ws->dirty, &peer->dirty);
	ws->dirty_count++;
	stay_awake(ws);
}

void ws_peer_unblock(struct ws_peer *peer)
{
	peer->is_blocked = false;
	ws_peer_dirty(peer);
}

void ws_peer_over(struct ws_peer *peer, const struct ws_end *end)
{
	if (peer->state == WS_OVER)
		return;
	peer->state = WS_OVER;
	if (end != &peer->end)
		peer->end = *end;
	clean(peer);
	patient_done(&peer->patient);
	peer->transport->cut(peer);
	ws_queue_fini(&peer->queue);
	list_remove(&peer->node);
	list_push_back(&peer->ws->over, &peer->node);
	stay_awake(peer->ws);
}

void ws_peer_lost(struct ws_peer *peer, const char *why)
{
	struct ws_end end = { .code = WS_CLOSE_ABNORMAL };

	/* Once we have begun to close, that is how it ended. */
	if (peer->state == WS_CLOSING) {
		ws_peer_over(peer, &peer->end);
		return;
	}
	err_set(&end.err, ERR_IO, "%s", why);
	ws_peer_over(peer, &end);
}

static void start_closing(struct ws_peer *peer, int code, const char *reason)
{
	peer->end.code = code;
	peer->reason = mem_strdup(reason);
	if (peer->state == WS_OPENING) {
		ws_peer_over(peer, &peer->end);
		return;
	}
	peer->state = WS_CLOSING;
	patient_wait(&peer->patient, peer->ws->closing);
	ws_peer_dirty(peer);
}

void ws_peer_fail(struct ws_peer *peer, int code, const struct err *err)
{
	if (peer->state >= WS_CLOSING)
		return;
	peer->end.err = *err;
	start_closing(peer, code, err->text);
}

static void on_closing_late(struct patient *patient)
{
	struct ws_peer *peer = CONTAINER_OF(patient, struct ws_peer, patient);

	ws_peer_over(peer, &peer->end);
}

/* ---- either end -------------------------------------------------------------------------- */

static void enqueue(struct ws_peer *peer, struct ws_frame *frame)
{
	assert(loop_is_mine(peer->ws->loop));
	if (peer->state >= WS_CLOSING)
		return;
	ws_queue_push(&peer->queue, frame);
	if (!peer->is_blocked && !peer->is_muted)
		ws_peer_dirty(peer);
}

void ws_send(struct ws_peer *peer, struct ws_frame *frame)
{
	enqueue(peer, frame);
}

void ws_send_text(struct ws_peer *peer, const char *text, size_t len)
{
	struct ws_frame *frame = ws_frame_text(text, len);

	enqueue(peer, frame);
	ws_frame_unref(frame);
}

void ws_send_bytes(struct ws_peer *peer, const void *bytes, size_t len)
{
	struct ws_frame *frame = ws_frame_raw(bytes, len);

	enqueue(peer, frame);
	ws_frame_unref(frame);
}

size_t ws_queued(const struct ws_peer *peer)
{
	return peer->queue.bytes;
}

uint64_t ws_sent(const struct ws_peer *peer)
{
	return peer->sent;
}

struct mono ws_heard(const struct ws_peer *peer)
{
	return peer->heard;
}

void ws_close(struct ws_peer *peer, int code, const char *reason)
{
	if (peer->state < WS_CLOSING)
		start_closing(peer, code, reason);
}

void ws_set_arg(struct ws_peer *peer, void *arg)
{
	peer->arg = arg;
}

size_t ws_waiting(const struct ws *ws)
{
	return ws->dirty_count;
}

void ws_drop(struct ws_peer *peer)
{
	struct ws_end end = { .code = WS_CLOSE_ABNORMAL };

	err_set(&end.err, ERR_IO, "dropped on purpose");
	ws_peer_over(peer, &end);
}

void ws_mute(struct ws_peer *peer, bool is_muted)
{
	if (peer->state == WS_OVER || peer->is_muted == is_muted)
		return;
	peer->is_muted = is_muted;
	peer->transport->mute(peer);
	if (!is_muted)
		ws_peer_dirty(peer);
}

/* ---- from start to end ------------------------------------------------------------------- */

/* libwebsockets looks at the limit once, at the start. */
static void raise_file_limit(size_t peers_max)
{
	struct rlimit limit;
	rlim_t wanted = (rlim_t)peers_max + FILES_BESIDE;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted)
		LOG(WARN, "ws.few_files", F_INT("wanted", (int64_t)wanted),
		    F_INT("allowed", (int64_t)limit.rlim_cur));
}

bool ws_create(struct loop *loop, const struct ws_config *config, struct ws **result,
	       struct err *err)
{
	struct ws_context *context;
	struct ws *ws;

	assert(loop_is_mine(loop));
	raise_file_limit(config->peers_max);
	if (!ws_context_create(loop, config->ca_file, ws_client_protocols, &context, err))
		return false;
	ws = mem_alloc(sizeof(*ws));
	ws->loop = loop;
	ws->config = *config;
	ws->context = context;
	list_init(&ws->peers);
	list_init(&ws->dirty);
	list_init(&ws->over);
	ws->hook = hook_create(loop, end_turn, ws);
	ws->closing = patience_create(loop, CLOSING_MS, on_closing_late);
	*result = ws;
	return true;
}

static void end_all(struct ws *ws)
{
	struct ws_end end = { .code = WS_CLOSE_ABNORMAL };
	struct list_node *node;

	err_set(&end.err, ERR_STOPPING, "the WebSocket side has been taken down");
	while ((node = list_first(&ws->peers)))
		ws_peer_over(CONTAINER_OF(node, struct ws_peer, node), &end);
	say_goodbye(ws);
}

void ws_destroy(struct ws *ws)
{
	if (!ws)
		return;
	end_all(ws);
	ws_server_fini(ws);
	hook_destroy(ws->hook);
	patience_destroy(ws->closing);
	ws_context_destroy(ws->context);
	loop_free_later(ws->loop, ws);
}
