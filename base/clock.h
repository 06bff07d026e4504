/* clock.h - two clocks that do not mix.
 *
 * struct mono runs evenly and means nothing to people: deadlines and rates. struct wall is for
 * people, the journal and the exchange, and may jump. The loop reads mono once a turn and passes
 * it down, so that modules under test are handed any time. Any thread. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mono {
	int64_t us; /* microseconds since some start; 0 means "never" in a deadline */
};
struct wall {
	int64_t us; /* microseconds since 1970-01-01T00:00:00Z; 0 means "not known" */
};

#define WALL_TEXT_LEN 28 /* 2026-11-22T11:02:05.123456Z and NUL */

struct mono mono_now(void);
struct wall wall_now(void);

struct mono mono_after_ms(struct mono from, int64_t ms);
int64_t mono_diff_us(struct mono later, struct mono earlier); /* negative when it is not later */
int64_t mono_diff_ms(struct mono later, struct mono earlier); /* rounded towards zero */
bool mono_is_past(struct mono deadline, struct mono now);     /* false for "never" */

const char *wall_print(struct wall time, char text[WALL_TEXT_LEN]); /* RFC 3339 UTC */
/* RFC 3339 with 0 to 9 digits of fraction (what is below a microsecond is dropped) and Z or an
 * offset; years 1970 to 9999 in UTC. False for dates that do not exist and for second 60. */
bool wall_parse(const char *text, struct wall *time);
#endif
