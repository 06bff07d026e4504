/* quotes.h - what the market streams said last, by symbol: book, price and trades.
 *
 * What was known stays when a stream ends; is_live says which of it still follows the exchange.
 * Pure but for the wall clock. */
#ifndef SERVER_QUOTES_H
#define SERVER_QUOTES_H
#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/decimal.h"
#include "client/stream.h"
#include "server/book.h"
#include "server/tape.h"

struct quote {
	struct book book;
	struct tape *tape;
	struct mono tape_taken; /* when a message brought trades; 0: never */
	struct decimal price;
	struct wall price_as_of;
	struct mono price_taken; /* 0: never */
	bool is_live[DD_STREAM_KINDS];
};

struct quotes;
struct quotes *quotes_create(size_t trades_kept);
void quotes_destroy(struct quotes *quotes);                                       /* NULL is fine */
struct quote *quotes_of(struct quotes *quotes, const char *symbol);               /* makes it */
const struct quote *quotes_find(const struct quotes *quotes, const char *symbol); /* or NULL */
#endif
