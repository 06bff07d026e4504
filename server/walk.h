/* walk.h - through the account's executions, market by market and page by page, newest first, until
 * a page has nothing new and reaches back to where they are known to be complete.
 *
 * An execution of an order in memory is booked, and the order asked for; one of an order that is
 * final and only in the journal is booked there (late fills, also across restarts); one of an
 * order made elsewhere with the same account is kept without an order, unless it was there before
 * the journal's first look. One that names no order is nobody's. Nothing is asked until it is known
 * that the API key is of the journal's account. What fails is tried again for ever, but for a
 * market that the exchange refuses to tell of: the others do not wait for it. Loop thread only. */
#ifndef SERVER_WALK_H
#define SERVER_WALK_H
#include "base/clock.h"
#include "server/backfill.h"

struct dd_execution;
struct order;
struct walk;

struct walk_range {         /* the exchange's times; ours may be others */
	bool is_first_look; /* the next two are not known: what is there now was there before */
	struct wall since;  /* the first look was after this */
	struct wall until;  /* complete up to then */
};
/* Who wants to know what there is, and what was missing. */
struct walk_watch {
	/* A page as the exchange gave it, before it is gone through. May be NULL. */
	void (*page)(void *arg, const char *symbol, const struct dd_execution *executions,
		     size_t count);
	/* An execution that is not booked; false leaves it for another time. */
	bool (*is_due)(void *arg, const struct dd_execution *execution);
	/* It was booked just now; order: whose, NULL for one that is none of ours. */
	void (*booked)(void *arg, const struct dd_execution *execution, const struct order *order);
	void *arg;
};
/* Begins. done(arg, newest): newest is the latest execution up to which all have been seen, 0 for
 * none. Not within this call; the walk is gone then. Borrows parts. watch: copied; NULL: books
 * all. */
struct walk *walk_create(struct loop *loop, const struct backfill_parts *parts,
			 const struct walk_range *range, const struct walk_watch *watch,
			 void (*done)(void *arg, struct wall newest), void *arg);
void walk_abandon(struct walk *walk); /* done is not called any more; NULL is fine */
#endif
