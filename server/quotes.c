#include "server/quotes.h"

#include "base/map.h"
#include "base/mem.h"

struct quotes {
	struct map *by_symbol; /* of pairs that there are, so not many */
	size_t trades_kept;
};

struct quotes *quotes_create(size_t trades_kept)
{
	struct quotes *quotes = mem_alloc(sizeof(*quotes));

	quotes->by_symbol = map_create();
	quotes->trades_kept = trades_kept;
	return quotes;
}

void quotes_destroy(struct quotes *quotes)
{
	const char *symbol;
	size_t at = 0;
	void *value;

	if (!quotes)
		return;
	while (map_next(quotes->by_symbol, &at, &symbol, &value)) {
		struct quote *quote = value;

		book_fini(&quote->book);
		tape_destroy(quote->tape);
		mem_free(quote);
	}
	map_destroy(quotes->by_symbol);
	mem_free(quotes);
}

struct quote *quotes_of(struct quotes *quotes, const char *symbol)
{
	struct quote *quote = map_get(quotes->by_symbol, symbol);

	if (quote)
		return quote;
	quote = mem_alloc(sizeof(*quote));
	quote->tape = tape_create(quotes->trades_kept);
	map_put(quotes->by_symbol, symbol, quote);
	return quote;
}

const struct quote *quotes_find(const struct quotes *quotes, const char *symbol)
{
	return map_get(quotes->by_symbol, symbol);
}
