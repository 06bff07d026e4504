/* market.h - what is known of the markets and the account's balances, each with its age.
 *
 * Rules (pairs and precisions) are fetched at the start, until it works, and then now and then.
 * Prices and balances are kept for a moment: a reader whose demand the memory meets is answered
 * at once, in the same turn; others share one question to the exchange, on the reads' budget.
 * Loop thread only. */
#ifndef SERVER_MARKET_H
#define SERVER_MARKET_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/decimal.h"
#include "client/deltadefi.h"
#include "client/stream.h"

struct journal;
struct loop;
struct market;
struct scheduler;
struct venue;

struct market_config {
	int64_t rules_ms;   /* how often the rules are fetched again */
	int64_t max_age_ms; /* of prices and balances, unless the reader takes older ones */
	size_t trades_kept; /* of each market's public trades */
};

struct market *market_create(struct loop *loop, const struct market_config *config,
			     struct dd_client *exchange, struct scheduler *scheduler,
			     struct venue *venue, struct journal *journal); /* borrows all */
/* Readers still waiting are told ERR_STOPPING. */
void market_destroy(struct market *market);
void market_start(struct market *market);

/* NULL: no such pair, or the rules are not known yet (market_has_rules() tells). */
const struct dd_market *market_rules(const struct market *market, const char *symbol);
bool market_has_rules(const struct market *market);
const struct dd_market *market_all(const struct market *market, size_t *count, struct wall *as_of);

/* The last price known, whatever its age; false: none. For rules, not for readers. */
bool market_last_price(const struct market *market, const char *symbol, struct decimal *price);

/* Exactly one call of done, perhaps within this call. max_age_ms: -1 for the configured one, 0 to
 * ask in any case. err is set when the exchange failed; older figures are not given instead, and
 * price is NULL. The price of a live stream is fresh whatever its age: it holds until the next. */
struct market_price {
	struct decimal value;
	struct wall as_of;
	int64_t age_ms;
	bool is_live; /* told by a stream that is live, not asked for */
};
typedef void market_price_fn(void *arg, const struct err *err, const struct market_price *price);
void market_price(struct market *market, const char *symbol, int64_t max_age_ms,
		  market_price_fn *done, void *arg);
typedef void market_balances_fn(void *arg, const struct err *err, const struct dd_balance *balances,
				size_t count, struct wall as_of, int64_t age_ms);
void market_balances(struct market *market, int64_t max_age_ms, market_balances_fn *done,
		     void *arg);

/* What the streams say. The last book, price and trades of a symbol stay, with their age, when its
 * streams end; is_live tells which. */
void market_take_depth(struct market *market, const char *symbol, const struct dd_depth *depth);
void market_take_price(struct market *market, const char *symbol, struct decimal price);
/* False: some are known of this symbol and none of these is among them, so others may be missing
 * between. For the first message of a connection. */
bool market_trades_follow(const struct market *market, const char *symbol,
			  const struct dd_trade *trades, size_t count);
/* Adds those that are new (the exchange repeats), and tells fn each, oldest first. */
void market_take_trades(struct market *market, const char *symbol, const struct dd_trade *trades,
			size_t count, void (*fn)(void *arg, const struct dd_trade *trade),
			void *arg);
/* Merges by asset, as perhaps only some are told, and journals what changed. */
void market_take_balances(struct market *market, const struct dd_balance *balances, size_t count);
void market_set_live(struct market *market, enum dd_stream_kind kind, const char *symbol,
		     bool is_live);

struct market_book {
	struct dd_depth depth; /* borrowed, until the next turn */
	struct wall received;
	int64_t age_ms; /* since it was received */
	bool is_live;
};
bool market_book(const struct market *market, const char *symbol, struct market_book *book);
/* Newest last; borrowed until the next turn. */
const struct dd_trade *market_trades(const struct market *market, const char *symbol, size_t *count,
				     bool *is_live, int64_t *age_ms);

/* Something has moved them: the next reader asks the exchange. */
void market_balances_stale(struct market *market);
/* Counts up whenever the balances in memory are replaced: for replies kept ready-made. */
uint64_t market_balances_version(const struct market *market);
#endif
