/* drift.h - asks for the account's balances and says what our own executions do not explain.
 *
 * Listens to executions as they are booked, and is told of those that a look has seen and that are
 * not booked yet; ledger.h has the arithmetic. Knows two stated sets of balances, one of each look
 * of a reconciliation. A drift counts when neither is explained, the executions were gone through
 * between the two, so that all of those in the first are known, and both drift by the same.
 * Deposits, withdrawals and transferals, trading elsewhere with the same account, and executions
 * that cannot be had are drifts. What was there is known from the first two looks of this process
 * on, so what moved while the daemon was down is not seen. Loop thread only. */
#ifndef SERVER_DRIFT_H
#define SERVER_DRIFT_H
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "server/journal.h"

struct dd_execution;
struct drift;
struct loop;
struct market;
struct orders;

struct drift *drift_create(struct loop *loop, struct market *market,
			   struct orders *orders); /* borrows all */
void drift_destroy(struct drift *drift); /* after market, which calls back; NULL is fine */

/* An execution of this order that is not booked yet, and may not be for a while. */
void drift_see(struct drift *drift, const struct order *order,
	       const struct dd_execution *execution);

/* Exactly one call of done, perhaps within this call. look: 0 or 1. is_whole: since it was last
 * asked all executions of the exchange were gone through, and what is not booked was seen. */
void drift_ask(struct drift *drift, int look, bool is_whole,
	       void (*done)(void *arg, const struct err *err), void *arg);
/* How many assets are not explained; and one more while no base is known. */
size_t drift_judge(struct drift *drift, int look);
size_t drift_assets(const struct drift *drift, int look);
/* After both looks: each drift that both have, which is then part of the base. */
void drift_tell(struct drift *drift,
		void (*found)(void *arg, const struct journal_finding *finding), void *arg);
#endif
