/* stream_in.h - reads what a subscriber of the local stream says, strictly.
 *
 *   {"op":"auth","id":1,"token":"dg_..."}
 *   {"op":"subscribe","id":2,"ch":"orders","after":{"epoch":"...","seq":812},"owner":"own"}
 *   {"op":"unsubscribe","id":3,"ch":"orders"}
 *   {"op":"ping","id":4}
 *
 * id is the subscriber's own and may be left out. Unknown members are refused: a typo in `after`
 * would look like a resumption that never was. Described in schema/asyncapi.yaml. Any thread. */
#ifndef SERVER_STREAM_IN_H
#define SERVER_STREAM_IN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "server/hub.h"

struct secret;

#define STREAM_MESSAGE_MAX 4096
#define STREAM_NUMBER_MAX  ((int64_t)1 << 53) /* what every reader of JSON keeps */

enum stream_op { STREAM_AUTH, STREAM_SUBSCRIBE, STREAM_UNSUBSCRIBE, STREAM_PING };

struct stream_message {
	enum stream_op op;
	int64_t id;           /* -1: none */
	struct secret *token; /* of auth */
	struct hub_wish wish; /* of subscribe; of unsubscribe the channel */
};

/* False with err for what is no such message; id is set as far as it could be read. */
MUST_CHECK bool stream_in_parse(const char *text, size_t len, struct stream_message *message,
				struct err *err);
void stream_message_fini(struct stream_message *message); /* wipes; also one that was refused */

/* A reader's positions in one line, as server-sent events carry them in `id`:
 * "<epoch>;orders=831;trades:ADAUSDM=901". What is not in it is asked for afresh. */
MUST_CHECK bool stream_in_check_positions(const char *text, struct err *err); /* ERR_INVALID */
/* Of a line that was checked: fills wish's `after`, if it has the wish's channel. */
void stream_in_position(const char *text, struct hub_wish *wish);
#endif
