/* denial.h - an order that the exchange took and now does not know (4200), or calls building.
 *
 * The denial of one moment may be the exchange's own lag, so nothing is concluded from it: the
 * order is asked for again, at 1, 2, 4 ... 60 seconds. reconcile.c says what a steady denial comes
 * to. Part of struct tracked; pure. */
#ifndef SERVER_DENIAL_H
#define SERVER_DENIAL_H
#include <stdbool.h>

#include "base/clock.h"

struct denial { /* zeroed: it is not denied */
	struct mono since;
	struct wall since_wall;
	int asked;        /* answers that denied it, in a row */
	struct mono next; /* not asked for before */
};

void denial_note(struct denial *denial, struct mono now);
void denial_clear(struct denial *denial); /* the exchange knows it (again) */
bool denial_is_on(const struct denial *denial);
bool denial_may_ask(const struct denial *denial, struct mono now);
/* When it will be asked for again, on the wall. */
struct wall denial_next(const struct denial *denial);
#endif
