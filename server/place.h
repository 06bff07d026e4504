/* place.h - carries one order from accepted to an outcome, the journal before each step.
 *
 *   queue --> build --> sign --> journal: submitting (durable) --> submit --> journal: outcome
 *
 * The exchange's order id and the signed bytes are durable before submit is sent. After that
 * nothing is ever built anew for the order, except when the exchange said that the transaction
 * expired (4300) and, asked, knew no live order: then it is built anew, once.
 * A step is repeated only when it is proven not to have happened. Loop thread only. */
#ifndef SERVER_PLACE_H
#define SERVER_PLACE_H
#include <stdbool.h>
#include <stdint.h>

#include "server/orders.h"

struct dd_client;
struct loop;
struct place;
struct scheduler;
struct settle;
struct venue;

struct place_config {
	int64_t tries;         /* of a build, and of a submit that never left */
	int64_t queue_wait_ms; /* without valid_until, an order waits no longer than this */
};

struct place *place_create(struct loop *loop, const struct place_config *config,
			   struct dd_client *exchange, struct scheduler *scheduler,
			   struct orders *orders, struct venue *venue,
			   struct settle *settle); /* borrows all */
void place_destroy(struct place *place); /* orders under way stay as the journal has them */

/* The order is ACCEPTED and that is durable: queue it. */
void place_start(struct place *place, struct tracked *tracked);
/* The daemon stops: orders whose turn has not come fail with ERR_STOPPING; true when nothing is
 * under way any more. */
bool place_stop(struct place *place);
/* Its app wants it gone: true when that is done (it was waiting, signed or not); else it is
 * marked, and stopped before its next step unless the exchange may have taken it by then. */
bool place_withdraw(struct place *place, struct tracked *tracked, const struct journal_step *step);
#endif
