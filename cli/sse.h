/* sse.h - server-sent events, read from pieces of any size.
 *
 * As the HTML standard has it: lines end in LF, CR or both; a colon begins a comment; several data
 * lines are joined by LF; an empty line ends the event, which is told only if it had data. Other
 * fields are passed over: deltagate names no events, and what an id says is in the message as well.
 * One owner; any thread. */
#ifndef CLI_SSE_H
#define CLI_SSE_H
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* data: borrowed, NUL-terminated, and may have other NULs in it. False: no more are wanted. */
typedef bool sse_event_fn(void *arg, const char *data, size_t len);

struct sse {
	sse_event_fn *on_event;
	void *arg;
	struct buf line, data;
	bool has_data, had_cr, is_begun;
};

/* event_max: bytes of one event's data, and of one line. */
void sse_init(struct sse *sse, size_t event_max, sse_event_fn *on_event, void *arg);
void sse_fini(struct sse *sse);
/* A new connection: what had come of an event is forgotten. */
void sse_restart(struct sse *sse);
/* Calls on_event for each event that the piece completes. False, and nothing more may be fed until
 * a restart: on_event said so (*is_enough), or an event is too long (ERR_OVERFLOW). */
MUST_CHECK bool sse_feed(struct sse *sse, const char *bytes, size_t len, bool *is_enough,
			 struct err *err);
#endif
