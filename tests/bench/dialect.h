/* dialect.h - how a crowd of subscribers speaks to each kind of server that it measures.
 *
 * Just enough of WebSocket (RFC 6455), MQTT 3.1.1 and the NATS protocol to subscribe, to publish
 * and to find the messages in what comes. Joining blocks; whatever goes wrong there ends the
 * program, as everything here that serves is meant to be up and well. */
#ifndef TESTS_BENCH_DIALECT_H
#define TESTS_BENCH_DIALECT_H
#include <stdbool.h>
#include <stddef.h>

#define DIALECT_MESSAGE_MAX 65536 /* with everything around it */
#define DIALECT_AROUND_MAX  64    /* bytes around a payload that is published */

/* Borrowed from the bytes it was found in. payload: NULL for whatever carries none. */
struct dialect_message {
	const char *payload;
	size_t len;
	bool is_ping; /* to be answered by dialect_pong() */
};

struct dialect {
	const char *name;
	bool is_broker; /* who publishes is not among the subscribers, and does it message by
			   message */
	/* Shakes hands and subscribes. topic: a channel of the daemon; others have one only. */
	void (*join)(int fd, unsigned number, const char *topic);
	/* The first message: its bytes, 0 when it is not whole yet. */
	size_t (*next)(const char *bytes, size_t len, struct dialect_message *message);
	/* What publishes a text; to has room for DIALECT_AROUND_MAX more. */
	size_t (*publish)(char *to, const char *text, size_t len);
};

int dialect_connect(unsigned port);                       /* to 127.0.0.1, blocking */
const struct dialect *dialect_find(const char *name);     /* plain, websocket, stream, mqtt, nats */
void dialect_pong(int fd);                                /* of a WebSocket */
void dialect_send(int fd, const void *bytes, size_t len); /* all of it */
#endif
