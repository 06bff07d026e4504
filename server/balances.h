/* balances.h - the account's balances as a list that can be replaced or added to.
 *
 * REST tells all of them, the stream perhaps only those that changed, in other letter case and with
 * another word for ADA's unit: an asset is recognised by its unit or by its ticker, and keeps the
 * words it came with first. Pure. */
#ifndef SERVER_BALANCES_H
#define SERVER_BALANCES_H
#include <stdbool.h>
#include <stddef.h>

#include "client/deltadefi.h"

struct balances { /* zeroed: none */
	struct dd_balance *items;
	size_t count;
};

void balances_fini(struct balances *balances); /* empty again */
void balances_set(struct balances *balances, const struct dd_balance *items, size_t count);
/* Those that are there already get new figures; others are appended, up to a bound that no account
 * comes near. */
void balances_merge(struct balances *balances, const struct dd_balance *items, size_t count);
/* What was there before and is not told of now, as the exchange may leave out what is zero. */
void balances_add_gone(struct balances *balances, const struct balances *before);
bool balances_are_same(const struct balances *balances, const struct dd_balance *items,
		       size_t count);
#endif
