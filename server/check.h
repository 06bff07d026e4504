/* check.h - follows live orders by asking, so that fills and ends are booked.
 *
 * A sweep of each symbol's open orders every poll_ms while there are live ones; whatever differs
 * from what we know, or is missing from the list, is asked for by itself. A fresh order is asked
 * for soon after it went live, since takers fill at once. All on the reads' budget. With the
 * streams this becomes the safety net. Loop thread only. */
#ifndef SERVER_CHECK_H
#define SERVER_CHECK_H
#include <stdint.h>

#include "server/orders.h"

struct check;
struct dd_client;
struct loop;
struct scheduler;
struct venue;

struct check *check_create(struct loop *loop, int64_t poll_ms, struct dd_client *exchange,
			   struct scheduler *scheduler, struct orders *orders,
			   struct venue *venue); /* borrows all */
void check_destroy(struct check *check);
void check_start(struct check *check); /* begins the sweeps */

/* Asks for this order after delay_ms; the soonest of several wishes counts. */
void check_order(struct check *check, struct tracked *tracked, int64_t delay_ms);
#endif
