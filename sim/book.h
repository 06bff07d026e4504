/* book.h - one pair's order book: price first, then time of arrival.
 *
 * Borrows orders through their on_book node; an order must leave before it is destroyed. Pure. */
#ifndef SIM_BOOK_H
#define SIM_BOOK_H
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "sim/market.h"

struct order;

struct book {
	struct list sides[2]; /* by enum side: bids high to low, asks low to high */
};

struct book_level {
	int64_t price, base_units;
	unsigned orders;
};

void book_init(struct book *book);
void book_add(struct book *book, struct order *order); /* behind those of the same price */
void book_remove(struct order *order);                 /* fine when it is on no book */

struct order *book_best(const struct book *book, enum side side); /* NULL when empty */
struct order *book_next(const struct book *book, const struct order *order);

/* Would an order of this side and bound (0: any price) meet a resting one? */
bool book_crosses(const struct book *book, enum side side, int64_t bound);
bool price_is_within(enum side side, int64_t price,
		     int64_t bound); /* of a taker; bound 0: always */

/* What a taker would take, best price first, up to its bound, base_max and quote_max, in whole
 * steps of base. True when one of the two was reached, false when the book (or the bound) ended
 * before. */
bool book_reach(const struct book *book, enum side side, int64_t bound, int64_t base_max,
		int64_t quote_max, int64_t step, int64_t *base_units, int64_t *quote_units);

/* Calls fn for each price level of a side, best first, until it returns false. */
void book_each_level(const struct book *book, enum side side,
		     bool (*fn)(void *arg, const struct book_level *level), void *arg);
#endif
