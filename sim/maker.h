/* maker.h - the built-in traders: a market maker that keeps some levels on both sides of every
 * book, and a crowd that takes a little now and then, so that there are trades to see.
 *
 * Its mid price walks slowly around the pair's starting price, as drawn from the seed; on every
 * tick it takes back what no longer fits and lists what is missing. Its quotes may meet resting
 * orders of others, which then fill. Loop thread only. */
#ifndef SIM_MAKER_H
#define SIM_MAKER_H
#include <stdint.h>

#include "base/err.h"

struct maker;
struct sim;

/* crowd_ms: between two trades of the crowd; 0: there is none. ERR_CONFIG when the name of its
 * account is taken. */
MUST_CHECK bool maker_create(struct sim *sim, int64_t interval_ms, int64_t crowd_ms,
			     struct maker **result, struct err *err);
void maker_destroy(struct maker *maker); /* its orders stay; NULL is fine */
void maker_quote(struct maker *maker);   /* one tick */
#endif
