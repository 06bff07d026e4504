/* book.h - the last known book of one market: a copy of what a depth message said, and when.
 *
 * Every message replaces the whole book. Right after a connection the exchange may send an empty
 * or one-sided one before the real one; it is no news while a better one is known. Pure. */
#ifndef SERVER_BOOK_H
#define SERVER_BOOK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "client/stream.h"

#define BOOK_EARLY_MS 1000 /* after a connection */

struct book {
	struct wall at, received;
	struct mono taken; /* 0: never */
	struct dd_level *bids, *asks;
	size_t bid_count, ask_count;
};

void book_fini(struct book *book); /* a zeroed struct is an empty book */
void book_take(struct book *book, const struct dd_depth *depth, struct mono now);
/* False: none was ever taken. Borrows from the book. */
bool book_depth(const struct book *book, struct dd_depth *depth);
/* Not yet, when it is early, told has no two sides, and known has something. */
bool book_may_replace(const struct dd_depth *known, const struct dd_depth *told,
		      int64_t connected_ms);
#endif
