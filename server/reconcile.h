/* reconcile.h - holds the journal against the exchange, every interval_ms and on demand.
 *
 * A run looks once (look.h: executions, open and traded orders; drift.h: balances). If all agrees
 * that was it. Otherwise it waits until what was under way has settled, two seconds under a live
 * stream of the account, longer while only polling tells of changes, and, when that stream went
 * meanwhile, until it is back and what it did not tell is made up for; then it looks again. What is
 * still so is a finding: journalled, told on the channel `system`, and acted on as its class
 * allows:
 *
 *   foreign_order    made elsewhere with this account: followed, never cancelled
 *   missed_fill      an execution that nobody told: booked
 *   state_lag        another state there: asked for by its id, and the answer taken over; or, when
 *                    the journal has its end, or the exchange denies it, reported
 *   balance_drift    a total moved by what own executions do not explain: reported
 *   unknown_settled  its fate was unknown, and is not any more
 *   amount_mismatch  what was ordered, executed or paid differs: reported
 *
 * An order that the exchange took and then denies (4200, or "building") is asked for again and
 * again (denial.h) and stays as it is; one that it denies for give_up_ms, with no trace in any
 * list, and that was never seen on its book, is failed.
 *
 * Runs that find nothing share one row of the journal, written once a minute. Loop thread only. */
#ifndef SERVER_RECONCILE_H
#define SERVER_RECONCILE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "server/backfill.h"
#include "server/findings.h"
#include "server/journal.h"

struct reconcile;

/* How the account's stream is; what stays the same says that it neither came nor went. */
struct reconcile_stream {
	bool is_live;
	uint64_t reconnects;
};
struct reconcile_config {
	int64_t interval_ms, poll_ms, give_up_ms;
	void (*stream)(void *arg, struct reconcile_stream *stream);
	void *arg;
};
struct reconcile *reconcile_create(struct loop *loop, const struct reconcile_config *config,
				   const struct backfill_parts *parts,
				   struct backfill *backfill); /* borrows all but config */
void reconcile_start(struct reconcile *reconcile);
/* Nothing is begun any more, and who waits is told ERR_STOPPING. Before the exchange's client goes;
 * reconcile_destroy() after all that calls back is gone. NULL is fine for both. */
void reconcile_stop(struct reconcile *reconcile);
void reconcile_destroy(struct reconcile *reconcile);

/* A run that begins now, or after the one under way. done: once, perhaps within this call; its
 * findings are durable. err: it could not be carried through. */
struct reconcile_report {
	struct journal_run run;
	const struct journal_finding *findings; /* borrowed */
};
typedef void reconcile_done_fn(void *arg, const struct err *err,
			       const struct reconcile_report *report);
void reconcile_now(struct reconcile *reconcile, reconcile_done_fn *done, void *arg);

struct reconcile_status {
	bool is_running;
	uint64_t runs, failed; /* since the start */
	uint64_t counts[FINDING_CLASS_COUNT];
	size_t following;        /* live foreign orders */
	struct journal_run last; /* began_at 0: none yet */
	const char *last_error;  /* of the last run; "" when it went well; borrowed */
	struct wall next;
};
void reconcile_status(const struct reconcile *reconcile, struct reconcile_status *status);
#endif
