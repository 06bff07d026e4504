/* event.h - what the lossless channels tell, put into words.
 *
 * Each adds one channel event to a journal write, so that what is told and what is journalled
 * become durable together. Orders and fills are worded as the REST API words them. Any thread;
 * pure but for the clock. */
#ifndef SERVER_EVENT_H
#define SERVER_EVENT_H
#include <stdint.h>

#include "base/err.h"
#include "server/journal.h"
#include "server/json_out.h"

/* order.updated. After journal_write_order(). */
void event_order(struct journal_write *write, const struct order *order);
/* A number that changes when event_order() would tell something new, whatever the time. */
uint64_t event_order_digest(const struct order *order);
/* fill.created. Straight after journal_write_fill(), so that a fill is told once. */
void event_fill(struct journal_write *write, const struct fill *fill);
/* balance.updated. For each asset, straight after its row. */
void event_balance(struct journal_write *write, const struct journal_balance *balance,
		   struct wall as_of);

/* ---- system: one fact each, of its own ---------------------------------------------------- */

/* X(name, type): append. Told to people and programs alike; documented in schema/asyncapi.yaml. */
#define SYSTEM_EVENTS(X)                                                               \
	X(STARTED, "daemon.started")                                                   \
	X(STOPPING, "daemon.stopping")                                                 \
	X(STREAM_UP, "stream.live")                                                    \
	X(STREAM_DOWN, "stream.down")                                                  \
	X(STREAM_STOPPED, "stream.stopped") /* by the operator */                      \
	X(VENUE_UP, "exchange.reachable")                                              \
	X(VENUE_DOWN, "exchange.unreachable")                                          \
	X(VENUE_LOCKED, "exchange.trading_locked")                                     \
	X(VENUE_UNLOCKED, "exchange.trading_unlocked")                                 \
	X(KEY_REFUSED, "exchange.key_refused")                                         \
	X(OPKEY_LOADED, "operation_key.loaded")                                        \
	X(OPKEY_LOCKED, "operation_key.locked")                                        \
	X(RATE_HIGH, "rate.utilization_high")                                          \
	X(ORDER_UNKNOWN, "order.unknown")               /* its fate is; may be live */ \
	X(ORDER_UNKNOWN_STATUS, "order.unknown_status") /* a word we do not know */    \
	X(FILLS_INCOMPLETE, "order.fills_incomplete")                                  \
	X(RECONCILIATION, "reconciliation.finding") /* one each */
enum system_event {
#define X(name, type) SYSTEM_##name,
	SYSTEM_EVENTS(X)
#undef X
};
const char *system_event_type(enum system_event event);
/* text: one sentence for people. about: an order id, a stream, or "". Owner and symbol may be "".
 * Appended as a fact of its own; while the disk refuses and very many wait, it is only logged. */
void event_system(struct journal *journal, enum system_event event, const char *about,
		  const char *token_id, const char *symbol, const char *text);
/* The same as part of a write: for what comes with a row. */
void event_system_with(struct journal_write *write, enum system_event event, const char *about,
		       const char *token_id, const char *symbol, const char *text);
/* order.unknown: why its fate is not known, and when the exchange will be asked (again). */
void event_unknown(struct journal *journal, const struct order *order, const char *reason,
		   struct wall next_attempt);
void event_unknown_with(struct journal_write *write, const struct order *order, const char *reason,
			struct wall next_attempt);
#endif
