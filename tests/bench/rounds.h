/* rounds.h - how bench.py talks to the programs that measure: numbers in, one JSON line out.
 *
 * A program stays up and does one round for each line of its stdin, so that it can take turns
 * with what it is measured against, both warm. Whatever goes wrong ends it with a line on
 * stderr: half a measurement is none. */
#ifndef TESTS_BENCH_ROUNDS_H
#define TESTS_BENCH_ROUNDS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define ROUNDS_MAX 1000000 /* the largest number in a line */

int64_t rounds_now_ns(void);

/* Reads the numbers of the next round, 0 to ROUNDS_MAX each; false at the end of the input. */
bool rounds_next(int64_t *numbers, size_t count);

/* Takes as many samples as a round wants. */
struct samples {
	int64_t *ns; /* how long each one took */
	size_t count, wanted;
	int64_t since; /* when the current one began */
};
void samples_begin(struct samples *samples, int64_t wanted); /* frees those of the last round */
void samples_start(struct samples *samples);
bool samples_stop(struct samples *samples); /* false: that was the last one */
void samples_print(const struct samples *samples);
void samples_fini(struct samples *samples);

__attribute__((noreturn)) void rounds_fail(const char *format, ...) PRINTF_LIKE(1, 2);
#endif
