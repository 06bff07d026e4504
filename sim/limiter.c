#include "sim/limiter.h"

#include "base/mem.h"

void limiter_init(struct limiter *limiter, unsigned max, int64_t window_ms)
{
	*limiter = (struct limiter){ .max = max > LIMITER_MAX ? LIMITER_MAX : max,
				     .window_us = window_ms * 1000 };
	limiter->times = mem_array(limiter->max + 1, sizeof(*limiter->times));
}

void limiter_fini(struct limiter *limiter)
{
	mem_free(limiter->times);
	limiter->times = NULL;
}

bool limiter_take(struct limiter *limiter, struct mono came, struct mono now)
{
	struct mono oldest;

	if (limiter->max == 0)
		return true;
	oldest = limiter->times[limiter->next];
	if (oldest.us != 0 && mono_diff_us(now, oldest) < limiter->window_us)
		return false;
	limiter->times[limiter->next] = came;
	limiter->next = (limiter->next + 1) % limiter->max;
	return true;
}
