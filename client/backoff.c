#include "client/backoff.h"

static int64_t step_ms(int64_t min_ms, int64_t max_ms, unsigned failures)
{
	int64_t step = min_ms;

	for (unsigned i = 1; i < failures && step < max_ms; i++)
		step *= 2;
	return step < max_ms ? step : max_ms;
}

/* 0 to limit, both included. */
static int64_t up_to(int64_t limit, uint32_t random)
{
	return random % (limit + 1);
}

int64_t backoff_ms(int64_t min_ms, int64_t max_ms, unsigned failures, uint32_t random)
{
	int64_t step, fixed;

	if (failures == 0)
		return up_to(BACKOFF_FIRST_MS, random);
	step = step_ms(min_ms, max_ms, failures);
	fixed = step / 2;
	return fixed + up_to(step - fixed, random);
}
