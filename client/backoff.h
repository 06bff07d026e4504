/* backoff.h - how long to wait before the next try.
 *
 * The first try after a loss comes at once, give or take a quarter second, so that the streams of
 * many hosts do not return as one; then min_ms, doubling up to max_ms, each half fixed and half
 * random. Pure arithmetic on a random number passed in. */
#ifndef CLIENT_BACKOFF_H
#define CLIENT_BACKOFF_H
#include <limits.h>
#include <stdint.h>

#define BACKOFF_FIRST_MS 250
#define BACKOFF_LONGEST  UINT_MAX /* as failures: max_ms at once */

/* failures: tries that have failed since it last worked. */
int64_t backoff_ms(int64_t min_ms, int64_t max_ms, unsigned failures, uint32_t random);
#endif
