/* match.h - what happens to an order when it reaches the book, and how a fill is booked.
 *
 * A crossing order fills at the resting order's price; quote amounts are floor(base x price) and
 * the fee is taken from what each side receives. */
#ifndef SIM_MATCH_H
#define SIM_MATCH_H
#include <stdbool.h>
#include <stdint.h>

struct exchange;
struct order;

/* order is processing and holds its funds; afterwards it is open, closed, cancelled or failed. */
void match_order(struct exchange *x, struct order *order);

/* Fills a resting order with a house order that pays for it, whatever else rests on the book.
 * base_units is at most the rest of maker. */
void match_one(struct exchange *x, struct order *maker, struct order *taker, int64_t base_units);

/* What the buggy 64-bit arithmetic of the real exchange told for a maker's fill. */
int64_t match_overflowed_quote(int64_t order_base_units, int64_t order_quote_units,
			       int64_t filled_base_units);
#endif
