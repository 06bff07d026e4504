/* pace.h - tells the latest, but not too often: news within gap_ms of the last telling waits for
 * its time, and one telling takes all of it. Pure. */
#ifndef SIM_PACE_H
#define SIM_PACE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct pace {
	bool has_news;
	struct mono told; /* 0: never */
};

struct mono pace_due(const struct pace *pace, int64_t gap_ms); /* 0: nothing to tell */
/* True: tell it now; the news is taken. */
bool pace_take(struct pace *pace, int64_t gap_ms, struct mono now);

struct mono pace_sooner(struct mono a, struct mono b); /* of two deadlines; 0 is never */
#endif
