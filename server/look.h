/* look.h - one look of a reconciliation: what the exchange says of the account, held against what
 * is here.
 *
 * One question after the other, on the reads' budget, so that there is never more than one of them
 * ahead of a question about an order: the executions of every market (walk.h), then of every
 * symbol the open orders and the latest traded ones, then what the journal alone knows of orders
 * that are not in memory, then those by their id that no list had. Orders that something is being
 * done about (placed, settled, cancelled) are left to whoever does it.
 *
 * The first look only notes; the second acts on what was noted and is still so. Loop thread only.
 */
#ifndef SERVER_LOOK_H
#define SERVER_LOOK_H
#include "server/backfill.h"
#include "server/journal.h"

struct dd_execution;
struct look;
struct look_memory;

struct look_counts {
	size_t orders, executions;
	bool is_whole; /* every execution there was before the look is booked, or was seen() */
};
struct look_config {
	struct loop *loop; /* all borrowed */
	const struct backfill_parts *parts;
	struct backfill *backfill;
	struct look_memory *memory;
	bool is_second;
	int64_t give_up_ms; /* of steady denial */
	/* False: there is no room for more in this run. */
	bool (*found)(void *arg, const struct journal_finding *finding, const char *token_id);
	/* An execution of ours that is not booked, and is left for another time. */
	void (*seen)(void *arg, const struct order *order, const struct dd_execution *execution);
	/* err: it could not be carried through. The look is gone then. */
	void (*done)(void *arg, const struct err *err, const struct look_counts *counts);
	void *arg;
};
struct look *look_create(const struct look_config *config); /* nothing is called within this call */
void look_abandon(struct look *look); /* nothing is called any more; NULL is fine */
#endif
