/* api_stream.h - the local stream: who is on it, what they may say, and how long they stay.
 *
 * Over WebSocket (api_stream.c) and as server-sent events (api_events.c); both are sinks of the
 * hub, which alone knows what is told. Here: the decision about an upgrade, with the checks of
 * routes.h; the token, in the header or as the first message; limits on connections and messages;
 * and the end of those whose token has ceased to be. Messages: schema/asyncapi.yaml. Loop thread
 * only. */
#ifndef SERVER_API_STREAM_H
#define SERVER_API_STREAM_H
#include <stdbool.h>

#include "base/err.h"
#include "base/list.h"
#include "server/journal.h"

struct api_stream;
struct daemon;
struct hub_peer;
struct json_out;
struct upgrade;

#define STREAM_PATH     "/v1/stream"
#define STREAM_PROTOCOL "deltagate.v1"

/* Makes daemon->api_stream. Needs the daemon's ws, hub and auth; serves the one, listens to the
 * other. */
void api_stream_create(struct daemon *daemon);
/* After ws and httpd: nobody is left. NULL is fine. */
void api_stream_destroy(struct daemon *daemon);
/* front's callback; arg is the struct daemon, *session for ws_take_socket(). */
bool api_stream_upgrade(void *arg, const struct upgrade *upgrade, void **session);
/* Nobody comes any more, and all are closed with WS_CLOSE_AWAY after what they have queued. True
 * when nobody is left; may be called again. */
bool api_stream_stop(struct daemon *daemon);
/* Whoever is still there hears no more of the hub, which may be destroyed then. */
void api_stream_leave_hub(struct daemon *daemon);

/* ---- those who listen, for both ways of it ------------------------------------------------ */

/* Embedded in the session. */
struct subscriber {
	struct list_node node;
	char token_id[TOKEN_ID_LEN]; /* "": has not said yet */
	struct hub_peer *peer;       /* NULL: the hub does not know it (yet, or any more) */
};

/* Is there room for one more of this token? ERR_BUSY, ERR_STOPPING. */
MUST_CHECK bool api_stream_admits(const struct api_stream *stream, const char *token_id,
				  struct err *err);
void subscriber_join(struct api_stream *stream, struct subscriber *subscriber,
		     const char *token_id);
void subscriber_leave(struct api_stream *stream, struct subscriber *subscriber);
/* {"op":"hello",...}, the first message of both. */
void api_stream_hello(const struct api_stream *stream, bool is_authenticated, struct json_out *out);
#endif
