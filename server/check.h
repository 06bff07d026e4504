/* check.h - follows live orders by asking, so that fills and ends are booked.
 *
 * A sweep of each symbol's open orders every poll_ms while there are live ones; whatever differs
 * from what we know, or is missing from the list, is asked for by itself. A fresh order is asked
 * for soon after it went live, since takers fill at once. All on the reads' budget. While the
 * account's stream is live this is only the safety net under it, and sweeps a fifth as often.
 * Loop thread only. */
#ifndef SERVER_CHECK_H
#define SERVER_CHECK_H
#include <stdbool.h>
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
void check_relax(struct check *check, bool is_stream_live);

/* Sweeps all at once. done(arg, is_fine) when every answer is there, also those about the orders
 * that differed; perhaps within this call. Not called any more after a later check_sweep() or when
 * check is destroyed. done NULL: nobody is told. */
typedef void check_done_fn(void *arg, bool is_fine);
void check_sweep(struct check *check, check_done_fn *done, void *arg);

/* fn(arg) whenever asking for an order again and again did not bring its executions together. */
void check_on_missing(struct check *check, void (*fn)(void *arg), void *arg);

/* The open orders are being looked through by another: under a live stream that will do. */
void check_put_off(struct check *check);

/* Asks for this order after delay_ms; the soonest of several wishes counts. While a question is
 * under way it is asked once more after that, as the answer may be from before. */
void check_order(struct check *check, struct tracked *tracked, int64_t delay_ms);
#endif
