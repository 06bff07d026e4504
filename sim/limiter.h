/* limiter.h - a sliding window: at most so many calls in any stretch of this length. Pure. */
#ifndef SIM_LIMITER_H
#define SIM_LIMITER_H
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define LIMITER_MAX 1000

struct limiter {
	unsigned max; /* 0: no limit */
	int64_t window_us;
	unsigned next;      /* where the oldest time stands once the ring is full */
	struct mono *times; /* the last max accepted calls */
};

void limiter_init(struct limiter *limiter, unsigned max, int64_t window_ms);
void limiter_fini(struct limiter *limiter);
/* came: when it can have come at the earliest, from which its window counts; now: when it was read.
 * They differ where the simulator itself was slow. False: refused, and not counted. */
bool limiter_take(struct limiter *limiter, struct mono came, struct mono now);
#endif
