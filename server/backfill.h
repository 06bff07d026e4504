/* backfill.h - after each connection of the account's stream: over REST, until nothing is missing.
 *
 * Open orders of every symbol, executions by page (newest first) until a page has nothing new,
 * and balances, all on the reads' budget. Executions of orders that are final here already are
 * booked too, and those of a foreign order (made elsewhere with the same account) are kept
 * without an order. What fails is tried again until it works or a newer run replaces it. Also
 * runs when an order's fills do not add up and asking for it did not help. Loop thread only. */
#ifndef SERVER_BACKFILL_H
#define SERVER_BACKFILL_H
#include <stdbool.h>
#include <stdint.h>

struct backfill;
struct check;
struct dd_client;
struct journal;
struct loop;
struct market;
struct orders;
struct scheduler;
struct venue;

struct backfill_parts { /* borrowed */
	struct dd_client *exchange;
	struct scheduler *scheduler;
	struct orders *orders;
	struct venue *venue;
	struct market *market;
	struct check *check;
	struct journal *journal;
};
struct backfill *backfill_create(struct loop *loop, const struct backfill_parts *parts);
void backfill_destroy(struct backfill *backfill);

/* done(arg) when nothing is missing; a later run replaces an earlier one, whose done is then not
 * called. */
void backfill_run(struct backfill *backfill, void (*done)(void *arg), void *arg);
void backfill_cancel(struct backfill *backfill); /* the stream went down meanwhile */
bool backfill_is_running(const struct backfill *backfill);
#endif
