#include "server/book.h"

#include <string.h>

#include "base/mem.h"

void book_fini(struct book *book)
{
	mem_free(book->bids);
	mem_free(book->asks);
	memset(book, 0, sizeof(*book));
}

static void take_side(struct dd_level **to, size_t *to_count, const struct dd_level *levels,
		      size_t count)
{
	mem_free(*to);
	*to = mem_array(count, sizeof(*levels));
	if (count > 0)
		memcpy(*to, levels, count * sizeof(*levels));
	*to_count = count;
}

void book_take(struct book *book, const struct dd_depth *depth, struct mono now)
{
	take_side(&book->bids, &book->bid_count, depth->bids, depth->bid_count);
	take_side(&book->asks, &book->ask_count, depth->asks, depth->ask_count);
	book->at = depth->at;
	book->received = wall_now();
	book->taken = now;
}

bool book_depth(const struct book *book, struct dd_depth *depth)
{
	*depth = (struct dd_depth){ .at = book->at,
				    .bids = book->bids,
				    .asks = book->asks,
				    .bid_count = book->bid_count,
				    .ask_count = book->ask_count };
	return book->taken.us != 0;
}

bool book_may_replace(const struct dd_depth *known, const struct dd_depth *told,
		      int64_t connected_ms)
{
	bool is_known = known->bid_count + known->ask_count > 0;
	bool is_whole = told->bid_count > 0 && told->ask_count > 0;

	return is_whole || !is_known || connected_ms >= BOOK_EARLY_MS;
}
