/* latest.h - the latest executions that the exchange lists, kept to be held against the journal's
 * fills: those booked must have the same figures there, and be there at all.
 *
 * What is there and not booked is for walk.h. Pure. */
#ifndef SERVER_LATEST_H
#define SERVER_LATEST_H
#include <stdbool.h>
#include <stddef.h>

#include "server/compare.h"
#include "server/journal.h"

struct latest;

struct latest *latest_create(void);
void latest_destroy(struct latest *latest); /* NULL is fine */

/* Of each market the first page, newest first; others are not kept. */
void latest_take(struct latest *latest, const char *symbol, const struct dd_execution *executions,
		 size_t count);
void latest_clear(struct latest *latest);
/* The next market's fills of the same time; false: that was the last. */
bool latest_next(struct latest *latest, struct journal_fill_query *query);
/* The answer to it. Fills booked since `begun` may have been executed after the page was made. */
void latest_compare(const struct latest *latest, const struct fill *fills, size_t count,
		    struct wall begun,
		    void (*differs)(void *arg, const struct fill *fill,
				    const struct difference *difference),
		    void *arg);
#endif
