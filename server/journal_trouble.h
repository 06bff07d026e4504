/* journal_trouble.h - what is wrong with the journal's disk, and whether it is worth another try.
 *
 * Troubles come and go one by one; each keeps its reason. Any of them is a reason not to take new
 * orders. Only the first means that nothing can be written at all. A change is logged once. */
#ifndef SERVER_JOURNAL_TROUBLE_H
#define SERVER_JOURNAL_TROUBLE_H
#include <stdbool.h>

#include "base/err.h"
#include "server/journal.h"

/* X(name, began, ended): as logged. The gravest first. */
#define JOURNAL_TROUBLES(X)                                                                        \
	X(WRITE, "journal.unwritable", "journal.writable") /* commits fail */                      \
	X(DAMAGE, "journal.damaged", NULL)               /* a page is not what it was; for good */ \
	X(COPY, "journal.copy_failed", "journal.copied") /* of log into database */                \
	X(ROOM, "journal.room_missing", "journal.room_held") /* for more orders */
enum journal_trouble {
#define X(name, began, ended) TROUBLE_##name,
	JOURNAL_TROUBLES(X)
#undef X
		TROUBLE_COUNT
};

struct journal_troubles {
	bool is_on[TROUBLE_COUNT];
	char reasons[TROUBLE_COUNT][192];
};

void journal_trouble_begin(struct journal_troubles *troubles, enum journal_trouble trouble,
			   const struct err *err); /* also while it is on: the newer reason */
/* True if it was on. */
bool journal_trouble_end(struct journal_troubles *troubles, enum journal_trouble trouble);
/* Any that may end by itself. */
bool journal_trouble_may_pass(const struct journal_troubles *troubles);
/* is_writable, takes_orders and the reason. */
void journal_trouble_tell(const struct journal_troubles *troubles, struct journal_status *status);
#endif
