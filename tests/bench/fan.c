/* fan - our fan-out alone: net/ws behind its front door, and every text goes to all who are there.
 *
 * What the daemon's hub does with a frame, without the hub: one shared frame, queued for each
 * peer. crowd.c says what it may be told. Prints its port, and ends when it is killed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "net/front.h"
#include "net/httpd.h"
#include "net/loop.h"
#include "net/ws.h"
#include "tests/bench/rounds.h"

#define PEERS_MAX   10000
#define MESSAGE_MAX 65536
#define PATIENT_MS  10000
#define QUEUE_MAX   262144 /* of a peer that does not read: as the daemon's hub */

struct fan {
	struct loop *loop;
	struct list sessions;
	size_t session_count, waiting; /* ... until all it was sent is with the kernel */
	struct ws_frame *last;
	unsigned burst, turns; /* turns: to come, of as many messages */
};

struct session {
	struct list_node node;
	struct fan *fan;
	struct ws_peer *peer;
};

static void publish(struct fan *fan)
{
	LIST_EACH (&fan->sessions, node) {
		struct session *session = CONTAINER_OF(node, struct session, node);

		if (ws_queued(session->peer) < QUEUE_MAX)
			ws_send(session->peer, fan->last);
	}
}

static void publish_burst(void *arg)
{
	struct fan *fan = arg;

	if (fan->turns == 0)
		return;
	fan->turns--;
	fan->waiting = fan->session_count;
	for (unsigned i = 0; i < fan->burst; i++)
		publish(fan);
}

static void on_opened(void *arg, struct ws_peer *peer)
{
	struct session *session = arg;

	session->peer = peer;
	list_push_back(&session->fan->sessions, &session->node);
	session->fan->session_count++;
}

static void on_drained(void *arg, struct ws_peer *peer)
{
	struct session *session = arg;
	struct fan *fan = session->fan;

	(void)peer;
	if (fan->waiting > 0 && --fan->waiting == 0)
		loop_later(fan->loop, publish_burst, fan);
}

/* "#64 10"; what comes is not terminated. */
static void read_order(struct fan *fan, const char *bytes, size_t len)
{
	char text[32] = "", *end;

	memcpy(text, bytes, len < sizeof(text) ? len : sizeof(text) - 1);
	fan->burst = (unsigned)strtoul(text + 1, &end, 10);
	fan->turns = (unsigned)strtoul(end, NULL, 10);
}

static void on_message(void *arg, struct ws_peer *peer, const char *bytes, size_t len, bool is_text)
{
	struct session *session = arg;
	struct fan *fan = session->fan;

	(void)peer, (void)is_text;
	if (bytes[0] == '#') {
		read_order(fan, bytes, len);
		publish_burst(fan);
		return;
	}
	ws_frame_unref(fan->last);
	fan->last = ws_frame_text(bytes, len);
	publish(fan);
}

static void on_closed(void *arg, struct ws_peer *peer, const struct ws_end *end)
{
	struct session *session = arg;

	(void)peer, (void)end;
	if (list_has(&session->node)) {
		list_remove(&session->node);
		session->fan->session_count--;
	}
	loop_free_later(session->fan->loop, session);
}

static const struct ws_handlers handlers = {
	.opened = on_opened, .message = on_message, .drained = on_drained, .closed = on_closed
};

static bool on_upgrade(void *arg, const struct upgrade *upgrade, void **result)
{
	struct session *session = mem_alloc(sizeof(*session));

	(void)upgrade;
	list_node_init(&session->node);
	session->fan = arg;
	*result = session;
	return true;
}

static void on_request(void *arg, struct http_request *request)
{
	(void)arg;
	http_reply(request, 426, "text/plain", "upgrade", 7);
}

static void serve(struct fan *fan)
{
	const struct ws_config ws_config = { .peers_max = PEERS_MAX };
	const struct ws_server_config server = { .message_max = MESSAGE_MAX,
						 .handshake_ms = PATIENT_MS,
						 .handlers = &handlers };
	const struct httpd_config httpd_config = { .body_max = 1000,
						   .connections_max = 100,
						   .head_timeout_ms = PATIENT_MS,
						   .body_timeout_ms = PATIENT_MS,
						   .handle = on_request };
	struct front_config front_config = { .head_timeout_ms = PATIENT_MS,
					     .undecided_max = 100,
					     .upgrade = on_upgrade,
					     .arg = fan };
	struct httpd *httpd;
	struct front *front;
	struct ws *ws;
	struct err err;

	if (!httpd_create(fan->loop, &httpd_config, &httpd, &err) ||
	    !ws_create(fan->loop, &ws_config, &ws, &err))
		rounds_fail("%s", err.text);
	ws_serve(ws, &server);
	front_config.ws = ws;
	if (!front_create(fan->loop, httpd, &front_config, &front, &err) ||
	    !front_listen_tcp(front, "127.0.0.1:0", &err))
		rounds_fail("%s", err.text);
	printf("{\"port\":%s}\n", strchr(front_address(front), ':') + 1);
	fflush(stdout);
	loop_run(fan->loop);
}

int main(void)
{
	struct fan fan = { .loop = loop_create() };

	list_init(&fan.sessions);
	serve(&fan);
	return 0;
}
