/* exchange.h - the exchange itself: accounts, balances, orders, books, time.
 *
 * Pure: no sockets, no JSON, no clock and no randomness of its own. Time is passed in and ids,
 * keys and delays come from the seed, so the same calls at the same times give the same
 * exchange. Everything that changes goes through these functions (intake.h for build and submit,
 * match.h for fills), and each change is told to the subscribers at once; they must not change
 * the exchange from inside the call. The structs are open to read. One thread.
 *
 * What is known of the real exchange (its documents, SDKs, logged traffic): paths, field names,
 * error codes and messages, statuses, fees and their rounding, precision per pair, that a
 * resting order keeps status `open` while it fills, that a market buy without slippage locks
 * the whole quote balance, that the rest of a market order with slippage is listed as a limit
 * order, the 64-bit overflow in told fill amounts, 400 for nearly every error.
 * What is a guess: a `building` order locks nothing and becomes `failed` when its transaction
 * expires (120 s); a refused submit leaves it `building`; cancels take effect at once;
 * `processing` orders cannot be cancelled; a submitted order that can no longer be matched as
 * asked becomes `failed`; price limits, number of open orders, rate limits and their windows;
 * the price at which the rest of a market order is listed (best opposite price at submission). */
#ifndef SIM_EXCHANGE_H
#define SIM_EXCHANGE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/list.h"
#include "sim/book.h"
#include "sim/codes.h"
#include "sim/order.h"
#include "sim/transfer.h"

struct map;

struct range_ms {
	int64_t low, high;
};

struct exchange_config {
	uint64_t seed;
	int64_t tx_lifetime_ms;
	unsigned open_orders_max;     /* per account */
	struct range_ms match_delay;  /* from submit to the book */
	struct range_ms cancel_delay; /* from the accepted cancel to its effect */
};

struct trade {                 /* one match, as the market sees it */
	struct list_node node; /* exchange_market.trades, oldest first */
	struct wall at;
	int64_t price, base_units;
	enum side taker_side;
};

struct exchange_market {
	struct book book;
	struct list trades; /* the last TRADES_KEPT */
	size_t trade_count;
	int64_t last_price; /* price_start until the first trade */
	int64_t price_min, price_max;
};

/* What subscribers are told; only the named members are set. */
enum exchange_event_kind {
	EVENT_ORDER,     /* order: status, fills or amounts changed */
	EVENT_SUBMIT,    /* order: a submit of it was answered; nothing its owner is told */
	EVENT_EXECUTION, /* execution: one side of a match; comes before its order's EVENT_ORDER */
	EVENT_BALANCE,   /* account, asset */
	EVENT_ACCOUNT,   /* account: new, new API key, new operation key */
	EVENT_TRADE,     /* pair, trade */
	EVENT_BOOK,      /* pair */
	EVENT_TRANSFER,  /* account, transfer */
	EVENT_SETTINGS   /* quirks, limits, lock */
};
struct exchange_event {
	enum exchange_event_kind kind;
	const struct order *order;
	const struct execution *execution;
	const struct account *account;
	const struct asset *asset;
	const struct pair *pair;
	const struct trade *trade;
	const struct transfer *transfer;
};
typedef void exchange_event_fn(void *arg, const struct exchange_event *event);

#define SUBSCRIBERS_MAX 8
#define TRADES_KEPT     100000
#define RETIRED_KEPT    2000

struct exchange {
	struct exchange_config config;
	struct wall now; /* never goes back */
	struct list accounts, orders, executions, transfers, due;
	struct map *orders_by_id, *accounts_by_key, *accounts_by_name;
	struct exchange_market markets[PAIR_COUNT];
	uint64_t submits_made, executions_made, ranks_made;
	struct list retired; /* the market maker's orders that ended unfilled, by on_due; a few are
				kept */
	size_t retired_count;
	bool is_locked;           /* trading lock: 5002 */
	struct wall locked_until; /* 0: until unlocked */
	bool has_overflow_quirk;
	struct {
		exchange_event_fn *fn;
		void *arg;
	} subscribers[SUBSCRIBERS_MAX];
	size_t subscriber_count;
};

struct exchange *exchange_create(const struct exchange_config *config);
void exchange_destroy(struct exchange *x); /* NULL is fine */

void exchange_subscribe(struct exchange *x, exchange_event_fn *fn, void *arg);
void exchange_tell(struct exchange *x, const struct exchange_event *event);

/* Does everything that is due up to now, each at its own time. Call it before every other call
 * that changes or reads, and whenever exchange_next_due() says so. */
void exchange_run(struct exchange *x, struct wall now);
struct wall exchange_next_due(const struct exchange *x); /* 0: nothing waits */

/* Accounts. Ids and operation key come from seed and name. password "" makes an account without
 * operation key, api_key "" one without REST access. NULL when name or key is taken or too long. */
struct account *exchange_add_account(struct exchange *x, const char *name, const char *api_key,
				     const char *password);
/* The same for an account that is there: password and, unless it was rotated, key are set anew. */
bool exchange_identify(struct exchange *x, struct account *account, const char *api_key,
		       const char *password);
struct account *exchange_account(const struct exchange *x, const char *name);
struct account *exchange_account_by_key(const struct exchange *x, const char *api_key);
void exchange_new_key(struct exchange *x,
		      struct account *account); /* the old one is dead at once */
void exchange_set_opkey(struct exchange *x, struct account *account, const char *blob,
			const char *hash);
/* units may be negative; never below what is free. False when it does not fit. */
bool exchange_credit(struct exchange *x, struct account *account, const struct asset *asset,
		     int64_t units);

struct order *exchange_order(const struct exchange *x, const char *id); /* NULL when unknown */

/* Adds a record; nothing is moved. account and tx_hash are set, created is set here. */
void exchange_take_transfer(struct exchange *x, struct transfer *transfer);

/* CODE_DONE: accepted. account NULL: any account's order. */
MUST_USE enum code exchange_cancel(struct exchange *x, struct account *account, const char *id);
/* Takes every open order of the pair; fn is told each. CODE_NO_ORDER when there is none. Not for
 * the market maker's account, whose orders may vanish as they end. */
MUST_USE enum code exchange_cancel_all(struct exchange *x, struct account *account,
				       const char *symbol,
				       void (*fn)(void *arg, const struct order *order), void *arg);
bool exchange_expire(struct exchange *x, struct order *order); /* false unless it is building */

void exchange_lock(struct exchange *x, bool is_locked, int64_t for_ms); /* 0: until told */

/* For intake.c, match.c, store.c: the moves every change is made of. */
struct order *exchange_draft(struct account *account,
			     const struct pair *pair);        /* belongs to nobody */
void exchange_admit(struct exchange *x, struct order *draft); /* gives it id, times and a place */
void exchange_adopt(struct exchange *x, struct order *order); /* takes one that has an id already */
void exchange_set_due(struct exchange *x, struct order *order, enum due_kind kind, struct wall due);
void exchange_set_status(struct exchange *x, struct order *order, enum order_status status);
/* Lets the order hold so many units of what it pays with: takes from free, or gives back. */
void exchange_hold(struct exchange *x, struct order *order, int64_t units);
int64_t order_held(const struct order *order);
void exchange_finish(struct exchange *x, struct order *order, enum order_status status,
		     const char *failure); /* releases, leaves the book, tells */
void exchange_tell_order(struct exchange *x, const struct order *order);
void exchange_tell_balance(struct exchange *x, const struct account *account,
			   const struct asset *asset);
void exchange_tell_book(struct exchange *x, const struct pair *pair);
#endif
