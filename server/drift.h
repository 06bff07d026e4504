/* drift.h - asks for the account's balances and says what our own executions do not explain.
 *
 * Listens to executions as they are booked (ledger.h has the arithmetic), and knows two stated
 * sets of balances, one of each look of a reconciliation. A drift counts when the second has it
 * and it is steady: the total stood still between the two, or moved as our own executions did.
 * Deposits, withdrawals and transferals, trading elsewhere with the same account, and executions
 * that cannot be had are drifts. What was there is known from the first settled look of this
 * process on, so what moved while the daemon was down is not seen. Loop thread only. */
#ifndef SERVER_DRIFT_H
#define SERVER_DRIFT_H
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "server/journal.h"

struct drift;
struct loop;
struct market;
struct orders;

struct drift *drift_create(struct loop *loop, struct market *market,
			   struct orders *orders); /* borrows all */
void drift_destroy(struct drift *drift); /* after market, which calls back; NULL is fine */

/* Exactly one call of done, perhaps within this call. look: 0 or 1. */
void drift_ask(struct drift *drift, int look, void (*done)(void *arg, const struct err *err),
	       void *arg);
/* is_settled: what was under way when it was asked is booked by now. How many assets are not
 * explained, or have no base yet and wait for a settled look. */
size_t drift_judge(struct drift *drift, int look, bool is_settled);
size_t drift_assets(const struct drift *drift, int look);
/* After both were judged as settled: each drift that both have, which is then part of the base. */
void drift_tell(struct drift *drift,
		void (*found)(void *arg, const struct journal_finding *finding), void *arg);
#endif
