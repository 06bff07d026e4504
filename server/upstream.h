/* upstream.h - the modules that follow the exchange's streams, built and taken down together.
 *
 * daemon->exchange_streams (sockets), daemon->backfill and daemon->streams. They need the daemon's
 * ws, hub, journal, market, orders, check, scheduler and venue. After a swap of the API key every
 * stream connects anew. Loop thread only. */
#ifndef SERVER_UPSTREAM_H
#define SERVER_UPSTREAM_H
#include <stdbool.h>

#include "base/err.h"
#include "client/stream.h"

struct daemon;

void upstream_create(struct daemon *daemon);
/* Begins to connect. Reads the journal, so before the loop runs. */
MUST_CHECK bool upstream_start(struct daemon *daemon, struct err *err);
/* What a subscriber of the local stream wants; nothing before upstream_create() and after
 * upstream_stop(). */
void upstream_want(struct daemon *daemon, enum dd_stream_kind kind, const char *symbol,
		   bool is_wanted);
/* Closes the streams: before the exchange client, the journal and ws go. */
void upstream_stop(struct daemon *daemon);
/* The rest: after the market, before check, orders and scheduler. */
void upstream_destroy(struct daemon *daemon);
#endif
