/* recover.h - takes up every order that was not final when the daemon last stopped or died.
 *
 * ACCEPTED and BUILDING: nothing was submitted, so they failed, or wait for their turn again when
 * recovery.resume_accepted is set and their time has not passed. SUBMITTING and UNKNOWN: settled
 * by asking. OPEN and PARTIALLY_FILLED: refreshed with their fills by the first sweep of check.h.
 * Before the loop runs. */
#ifndef SERVER_RECOVER_H
#define SERVER_RECOVER_H
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct daemon;

struct recovery {
	size_t failed, resumed, settling, live;
};
MUST_CHECK bool recover_orders(struct daemon *daemon, struct recovery *counts, struct err *err);
/* Queues the orders to be resumed: once nothing is in doubt and orders can be signed. */
void recover_resume(struct daemon *daemon);
/* Until then: what has waited for too long has failed. */
void recover_drop_late(struct daemon *daemon);
#endif
