/* streams.h - the exchange's streams as the daemon uses them.
 *
 * The account's stream is always open; a market's while somebody wants it (a subscriber, a reader
 * of its REST figures, the configuration) and for a linger time after. One socket each, however
 * many want it. Messages go to feed.h and market.h, and on to the hub. The account's stream counts
 * as live once the gap before its connection is filled (backfill.h), a market's with its first
 * message: there is no other source for what it missed. An operator may stop a stream: then it
 * stays stopped, whoever wants it, until it is started again. Loop thread only. */
#ifndef SERVER_STREAMS_H
#define SERVER_STREAMS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "client/stream.h"

struct backfill;
struct check;
struct hub;
struct journal;
struct loop;
struct market;
struct orders;
struct streams;

struct streams_config {
	const char *symbols; /* "ADAUSDM,NIGHTUSDM": always followed; copied */
	int64_t linger_ms;
};
struct streams_parts { /* borrowed */
	struct dd_streams *exchange;
	struct backfill *backfill;
	struct check *check;
	struct hub *hub;
	struct journal *journal;
	struct market *market;
	struct orders *orders;
};
struct streams *streams_create(struct loop *loop, const struct streams_config *config,
			       const struct streams_parts *parts);
void streams_destroy(struct streams *streams);
void streams_start(struct streams *streams);

/* The hub's wish; is_wanted comes in pairs. */
void streams_want(struct streams *streams, enum dd_stream_kind kind, const char *symbol,
		  bool is_wanted);
/* A reader of REST figures looked: as a wish that ends at once, so the linger time counts. True:
 * the stream was opened only a moment ago, so its first message may still be on its way. */
bool streams_touch(struct streams *streams, enum dd_stream_kind kind, const char *symbol);

/* name: "account", "depth:ADAUSDM", ... or "all", which is also those that are not wanted yet.
 * ERR_NOT_FOUND for what is none. Stopping is final until a start (or a restart of the daemon). */
MUST_CHECK bool streams_stop(struct streams *streams, const char *name, struct err *err);
MUST_CHECK bool streams_resume(struct streams *streams, const char *name, struct err *err);

struct streams_line {
	char name[40];
	bool is_stopped, is_wanted;
	bool is_connected;
	struct dd_stream_status status;
};
/* The account's first. */
void streams_each(const struct streams *streams,
		  void (*fn)(void *arg, const struct streams_line *line), void *arg);
/* Health's `websocket`: every stream that is meant to be up is connected, the account's at least.
 */
bool streams_are_up(const struct streams *streams);
#endif
