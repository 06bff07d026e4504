/* streams.h - the exchange's streams: who listens to what, and what they are told when.
 *
 * Handshakes come through the front (streams_upgrade), messages from the exchange's events. Each
 * message of each socket passes the fault rules (stream_line.h). Messages leave at the end of the
 * loop's turn, so that none tells what is not durable yet. Loop thread only. Not over TLS.
 *
 * Known of the real exchange (its documents, SDKs, logged traffic): paths, one socket one stream,
 * the key in the query and wanted for market streams too, the shapes of the messages, depth and
 * price when they change, order_info on each status and fill, a text "ping" is tolerated, 1001 at
 * restarts with 503 and then an empty 403 at the handshakes, connections that end without a close
 * frame every hour or two, lost and late events.
 * Guesses: depth at once and then at most every 100 ms a market; 50 trades to begin with, 500 at
 * most; the last price at once; nothing at once on the account's stream; later messages of trades
 * hold one match each (the switch repeat_trades: the whole list); the changed balances of one
 * moment in one message, after the order they belong to; no order_info for an order that was built
 * and not submitted; 401 with the usual error body for a wrong key, 404 with that of 4106 for an
 * unknown symbol, 400 for what is no handshake; pings are answered and never sent; a rotated key
 * leaves open sockets open. */
#ifndef SIM_STREAMS_H
#define SIM_STREAMS_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct sim;
struct stream_door;
struct streams;
struct upgrade;
struct ws;

struct streams *streams_create(struct sim *sim, struct ws *ws); /* borrows both, and serves ws */
void streams_destroy(struct streams *streams); /* after ws_destroy(); NULL is fine */

/* The front's callback; arg: struct streams. */
bool streams_upgrade(void *arg, const struct upgrade *upgrade, void **session);
struct stream_door *streams_door(struct streams *streams); /* borrowed */

/* After the fault switches have changed. */
void streams_wake(struct streams *streams); /* NULL is fine */

/* For the control: glob as in stream_matches(); the number of sockets met. */
size_t streams_close(struct streams *streams, const char *glob, int code); /* 0: without a frame */
size_t streams_mute(struct streams *streams, const char *glob, bool is_muted);
size_t streams_send(struct streams *streams, const char *glob, const char *text, size_t len);
json_t *streams_list(const struct streams *streams);

/* Sends made-up depth messages for a while. ERR_INVALID for other streams and too many storms. */
MUST_CHECK bool streams_storm(struct streams *streams, const char *stream, int64_t per_second,
			      int64_t for_ms, struct err *err);
void streams_calm(struct streams *streams); /* ends all storms */
#endif
