#include "server/denial.h"

#define FIRST_MS 1000 /* doubling */
#define LAST_MS  60000

void denial_note(struct denial *denial, struct mono now)
{
	int64_t wait_ms = FIRST_MS;

	if (denial->asked == 0) {
		denial->since = now;
		denial->since_wall = wall_now();
	}
	for (int i = 0; i < denial->asked && wait_ms < LAST_MS; i++)
		wait_ms *= 2;
	denial->asked++;
	denial->next = mono_after_ms(now, wait_ms < LAST_MS ? wait_ms : LAST_MS);
}

void denial_clear(struct denial *denial)
{
	*denial = (struct denial){ .asked = 0 };
}

bool denial_is_on(const struct denial *denial)
{
	return denial->asked > 0;
}

bool denial_may_ask(const struct denial *denial, struct mono now)
{
	return denial->asked == 0 || mono_is_past(denial->next, now);
}

struct wall denial_next(const struct denial *denial)
{
	return (struct wall){ denial->since_wall.us + denial->next.us - denial->since.us };
}
