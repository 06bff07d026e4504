/* maker.h - the built-in market maker: keeps some levels on both sides of every book.
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

/* ERR_CONFIG when the name of its account is taken. */
MUST_CHECK bool maker_create(struct sim *sim, int64_t interval_ms, struct maker **result,
			     struct err *err);
void maker_destroy(struct maker *maker); /* its orders stay; NULL is fine */
void maker_quote(struct maker *maker);   /* one tick */
#endif
