/* tape.h - the last public trades of one market, each once.
 *
 * The exchange gives trades no id, repeats the last ones on every connection and may repeat any
 * at any time. So a trade is known by when, price, quantity and side, and counted: a message with
 * as many equal ones as the tape has brings nothing new, one more brings one. Kept in the order
 * of their times, whatever order they come in. Pure. */
#ifndef SERVER_TAPE_H
#define SERVER_TAPE_H
#include <stdbool.h>
#include <stddef.h>

#include "client/stream.h"

struct tape;

/* Shows `kept` trades; remembers some more, so that a repeated backlog is always known. */
struct tape *tape_create(size_t kept);
void tape_destroy(struct tape *tape);

/* False: none of these was on the tape, nor are they the first that it is told; so others may be
 * missing between. */
bool tape_follows(const struct tape *tape, const struct dd_trade *trades, size_t count);
/* trades: oldest first. fn for each new one, in that order. */
void tape_take(struct tape *tape, const struct dd_trade *trades, size_t count,
	       void (*fn)(void *arg, const struct dd_trade *trade), void *arg);

/* Oldest first; borrowed until the next tape_take(). */
const struct dd_trade *tape_trades(const struct tape *tape, size_t *count);
#endif
