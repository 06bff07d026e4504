#include "sim/pace.h"

struct mono pace_due(const struct pace *pace, int64_t gap_ms)
{
	if (!pace->has_news)
		return (struct mono){ 0 };
	if (pace->told.us == 0)
		return (struct mono){ 1 };
	return mono_after_ms(pace->told, gap_ms);
}

bool pace_take(struct pace *pace, int64_t gap_ms, struct mono now)
{
	if (!mono_is_past(pace_due(pace, gap_ms), now))
		return false;
	pace->has_news = false;
	pace->told = now;
	return true;
}

struct mono pace_sooner(struct mono a, struct mono b)
{
	if (a.us == 0 || b.us == 0)
		return a.us == 0 ? b : a;
	return a.us < b.us ? a : b;
}
