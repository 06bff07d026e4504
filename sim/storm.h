/* storm.h - calls back so many times a second for a while, evenly; what a slow turn of the loop
 * has kept waiting is made up for. Loop thread only. */
#ifndef SIM_STORM_H
#define SIM_STORM_H
#include <stdbool.h>
#include <stdint.h>

#define STORM_RATE_MAX 100000
#define STORM_MS_MAX   INT64_C(3600000)

struct loop;
struct storm;

/* fn gets the number of the call, from 0. Rate and time within the bounds above, not 0. */
struct storm *storm_create(struct loop *loop, int64_t per_second, int64_t for_ms,
			   void (*fn)(void *arg, uint64_t n), void *arg);
bool storm_is_over(const struct storm *storm);
void storm_destroy(struct storm *storm); /* NULL is fine */
#endif
