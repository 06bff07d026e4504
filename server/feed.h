/* feed.h - what the exchange says of an order, turned into facts of the journal.
 *
 * Answers (and, with the streams, messages) overtake each other: an execution is booked once,
 * whoever brings it; fills are written before the state they lead to, in one transaction; a state
 * never goes backwards; a status we do not know is logged and leaves the order as it was. Fills
 * are complete when their sum equals what the exchange says was executed; until then an order
 * does not become final. Loop thread only. */
#ifndef SERVER_FEED_H
#define SERVER_FEED_H
#include <stdbool.h>

#include "client/deltadefi.h"
#include "server/orders.h"

struct journal;

enum feed_news {
	FEED_ABSENT,     /* built but not submitted, or expired, as far as the exchange knows */
	FEED_LIVE,       /* on its way to the book, or on it */
	FEED_FINAL,      /* filled, cancelled or failed there */
	FEED_INCOMPLETE, /* executions are missing: ask for the order, then for the trades */
	FEED_UNREADABLE, /* a status we do not know */
};

/* cause: who brought it, for the journal. */
enum feed_news feed_order(struct orders *orders, struct tracked *tracked,
			  const struct dd_order *seen, const char *cause);
/* As FEED_INCOMPLETE may be for ever (the exchange's own sums may be wrong): takes the state all
 * the same, and says so in log and journal. */
enum feed_news feed_order_as_is(struct orders *orders, struct tracked *tracked,
				const struct dd_order *seen, const char *cause);

/* A message of the account's stream. Messages may come doubled, late and in any order: one that
 * is older, by the exchange's own time, than another of this order is skipped. True: executions
 * are missing, so the order is to be asked for. */
bool feed_message(struct orders *orders, struct tracked *tracked, const struct dd_order *seen);
/* One execution by itself, whatever the order's state. False: it is booked already, or unusable. */
bool feed_execution(struct orders *orders, struct tracked *tracked, const struct dd_execution *seen,
		    const char *cause);
/* An execution without whose it is; false: its figures cannot be used. */
bool feed_read_fill(const struct dd_execution *seen, struct fill *fill);
/* One of an order that was made elsewhere with the same account: kept without an order. */
void feed_foreign(struct journal *journal, const char *symbol, enum dd_side side,
		  const struct dd_execution *seen);
#endif
