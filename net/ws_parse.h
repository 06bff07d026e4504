/* ws_parse.h - frames as clients send them, into whole messages. RFC 6455, section 5.
 *
 * Fed with pieces of any size. Unmasks in place; a message that lies whole within one piece is
 * not copied. Strict: no extensions, no unmasked frames, close codes that may be on the wire,
 * and text that is UTF-8. Pure; for net/ws*.c only. */
#ifndef NET_WS_PARSE_H
#define NET_WS_PARSE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/ws_frame.h"

#define WS_HEAD_MAX 14

enum ws_event_kind {
	WS_EVENT_MORE, /* all is used up, nothing is whole */
	WS_EVENT_MESSAGE,
	WS_EVENT_PING,
	WS_EVENT_PONG,
	WS_EVENT_CLOSE,
	WS_EVENT_BAD, /* close with code and why; what follows cannot be read */
};

struct ws_event {
	enum ws_event_kind kind;
	const char *bytes; /* of a message or ping, until the next call */
	size_t len;
	bool is_text;
	int code; /* of a close, WS_CLOSE_NO_CODE when it has none; or of what is bad */
	const char *why;
};

struct ws_parse {
	size_t message_max;
	struct buf joined;   /* what has come of a message, when it is not one piece */
	unsigned message_op; /* of a message whose last fragment is still to come; else 0 */
	bool is_delivered;   /* joined is not needed any more */
	unsigned char head[WS_HEAD_MAX];
	unsigned head_len; /* what has come of it */
	uint64_t left;     /* of the payload, once the head is whole */
	unsigned mask_at;
	unsigned control_len;
	char control[WS_CONTROL_MAX];
};

void ws_parse_init(struct ws_parse *parse, size_t message_max);
void ws_parse_fini(struct ws_parse *parse);
/* Reads up to the next event; how many bytes it used. Call it again, also with none left, until it
 * says WS_EVENT_MORE. Not after WS_EVENT_BAD or WS_EVENT_CLOSE. */
size_t ws_parse_next(struct ws_parse *parse, char *bytes, size_t len, struct ws_event *event);
#endif
