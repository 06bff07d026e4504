#include "sim/storm.h"

#include <assert.h>

#include "base/mem.h"
#include "net/loop.h"

#define CALLS_A_TURN 100 /* who asks for more than can be done is to be heard all the same */

struct storm {
	struct timer *timer;
	struct mono started;
	int64_t per_second;
	uint64_t made, total;
	void (*fn)(void *arg, uint64_t n);
	void *arg;
};

static void on_time(void *arg)
{
	struct storm *storm = arg;
	int64_t elapsed_us = mono_diff_us(mono_now(), storm->started);
	uint64_t due = (uint64_t)(elapsed_us * storm->per_second / 1000000) + 1;
	struct mono next = storm->started;

	if (due > storm->total)
		due = storm->total;
	if (due > storm->made + CALLS_A_TURN)
		due = storm->made + CALLS_A_TURN;
	while (storm->made < due)
		storm->fn(storm->arg, storm->made++);
	next.us += (int64_t)storm->made * 1000000 / storm->per_second;
	if (!storm_is_over(storm))
		timer_start_at(storm->timer, next);
}

struct storm *storm_create(struct loop *loop, int64_t per_second, int64_t for_ms,
			   void (*fn)(void *arg, uint64_t n), void *arg)
{
	struct storm *storm = mem_alloc(sizeof(*storm));

	assert(per_second > 0 && per_second <= STORM_RATE_MAX && for_ms <= STORM_MS_MAX);
	storm->per_second = per_second;
	storm->total = (uint64_t)(per_second * for_ms / 1000);
	storm->started = mono_now();
	storm->fn = fn;
	storm->arg = arg;
	storm->timer = loop_timer_create(loop, on_time, storm);
	timer_start(storm->timer, 0);
	return storm;
}

bool storm_is_over(const struct storm *storm)
{
	return storm->made >= storm->total;
}

void storm_destroy(struct storm *storm)
{
	if (!storm)
		return;
	timer_destroy(storm->timer);
	mem_free(storm);
}
