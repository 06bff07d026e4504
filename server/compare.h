/* compare.h - an order or a fill as the journal has it against the same one as the exchange states
 * it.
 *
 * States count as the same when they say the same of the book: live, filled, cancelled, or never
 * there. A status we do not know says nothing. Amounts: what was ordered, what was executed, and
 * what was paid, which the exchange states in whole units, rounded for each execution. Pure. */
#ifndef SERVER_COMPARE_H
#define SERVER_COMPARE_H
#include <stdbool.h>

#include "client/deltadefi.h"
#include "server/findings.h"
#include "server/journal.h"
#include "server/order.h"

struct difference {
	enum finding_class class_; /* STATE_LAG or AMOUNT_MISMATCH */
	bool is_behind;            /* asking for the order may bring the journal up to date */
	char journal[JOURNAL_EVIDENCE_LEN], exchange[JOURNAL_EVIDENCE_LEN];
};

/* quote_decimals: of the quote's smallest unit. False: they agree. */
bool compare_order(const struct order *order, const struct dd_order *seen, int quote_decimals,
		   struct difference *difference);

/* A fill of the journal against the same execution; seen NULL: the exchange does not list it. */
bool compare_fill(const struct fill *fill, const struct dd_execution *seen,
		  struct difference *difference);

bool compare_is_live(enum dd_status status); /* on the book or on its way */

/* "open, executed 25" */
void compare_print_ours(const struct order *order, char text[JOURNAL_EVIDENCE_LEN]);
void compare_print_theirs(const struct dd_order *seen, char text[JOURNAL_EVIDENCE_LEN]);
/* "open, buy 100 at 0.45, executed 25": of an order the journal does not have. */
void compare_print_whole(const struct dd_order *seen, char text[JOURNAL_EVIDENCE_LEN]);
#endif
