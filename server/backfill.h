/* backfill.h - what the account's stream did not tell: over REST, until nothing is missing.
 *
 * After each connection of the stream: executions of every market (walk.h), then the open orders
 * of every symbol that has live ones here (check.h), then the balances; all on the reads' budget.
 * What fails is tried again until it works, or a newer run replaces it. Between runs the
 * executions are looked through now and then, and when there is a sign that one was missed: that
 * is the net under a stream that loses events.
 *
 * How far back executions are complete is in the journal's settings, so that a restart goes on
 * from there. What was traded before the journal's first look stays out of it: told by the
 * exchange's own times alone, as the clocks may differ. Loop thread only. */
#ifndef SERVER_BACKFILL_H
#define SERVER_BACKFILL_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

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
/* Reads the settings, which blocks, so before the loop runs. */
MUST_CHECK bool backfill_start(struct backfill *backfill, struct err *err);

/* done(arg) when nothing is missing; a later run replaces an earlier one, whose done is then not
 * called. */
void backfill_run(struct backfill *backfill, void (*done)(void *arg), void *arg);
void backfill_cancel(struct backfill *backfill); /* the stream went down meanwhile */
bool backfill_is_running(const struct backfill *backfill);
/* Numbers rise: of the latest run, and of the latest that came to its end. */
uint64_t backfill_begun(const struct backfill *backfill);
uint64_t backfill_ended(const struct backfill *backfill);
/* Goes through the executions now, on behalf of another (server/walk.h); done(arg) at the end.
 * False: they are being gone through already. A run that begins meanwhile goes first: then is_whole
 * is false, and the walk did not come to its end. */
struct walk_watch;
typedef void backfill_walked_fn(void *arg, bool is_whole);
MUST_CHECK bool backfill_walk(struct backfill *backfill, const struct walk_watch *watch,
			      backfill_walked_fn *done, void *arg);
void backfill_walk_abandon(struct backfill *backfill);       /* done is not called any more */
struct wall backfill_since(const struct backfill *backfill); /* what is older stays out */
/* There was a sign of an execution that is not booked: looks soon, once for many signs. */
void backfill_look(struct backfill *backfill);
#endif
