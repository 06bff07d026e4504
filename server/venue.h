/* venue.h - our standing with the exchange: reachable, authenticated, locked, able to sign.
 *
 * Every answer of the exchange is shown to venue_note(); while there is none, a probe asks now
 * and then, so that health is always a matter of memory. Also here: the operation key (fetched
 * and opened with the trading password, for ever until it works or the password is wrong), the
 * API key (a refused key holds all trading until it is swapped or accepted again; a new key is
 * tried before it is used), and the account the journal belongs to. Loop thread only. */
#ifndef SERVER_VENUE_H
#define SERVER_VENUE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "client/deltadefi.h"

struct journal;
struct loop;
struct scheduler;
struct secret;
struct venue;

struct venue_config {
	int64_t probe_ms;
	const char *account_id; /* the journal's, or NULL while it has none; copied */
};

/* Borrows all. */
struct venue *venue_create(struct loop *loop, const struct venue_config *config,
			   struct dd_client *exchange, struct scheduler *scheduler,
			   struct journal *journal);
/* The exchange client was destroyed: acknowledgements that still come leave it alone. */
void venue_exchange_gone(struct venue *venue);
void venue_destroy(struct venue *venue);
/* Starts probing; with a password (copied, may be NULL) also loads the operation key. */
void venue_start(struct venue *venue, const struct secret *password);

/* Shows an answer. is_keyed: the call carried the API key. */
void venue_note(struct venue *venue, const struct dd_result *result, bool is_keyed);

struct venue_state {
	bool is_reachable;     /* rest_api: the last call was answered by the exchange */
	bool is_authenticated; /* ... and did not refuse the API key */
	bool has_operation_key;
	bool is_locked;        /* 5002 was the last word on trading */
	bool key_hash_differs; /* the operation key is not the one the exchange names: warned */
	bool is_wrong_account; /* the API key is another account's: no trading */
	struct wall locked_since;
	struct wall last_answer;
	const char *account_id; /* "" while unknown; borrowed */
};
void venue_state(const struct venue *venue, struct venue_state *state);
/* The exchange has said whose the API key is, since the daemon started, and the journal is of that
 * account. Before that, what is told of "the account" may be told of a stranger's. */
bool venue_is_own_account(const struct venue *venue);

/* May an order be sent now? ERR_OPKEY_LOCKED, ERR_VENUE_LOCKED, ERR_ACCOUNT. During a lock one
 * order now and then is let through, to see whether it has ended. */
MUST_CHECK bool venue_may_trade(struct venue *venue, struct err *err);
/* An order was built or a cancel taken: so there is no lock (any more). */
void venue_trade_went_through(struct venue *venue);

typedef void venue_done_fn(void *arg, const struct err *err); /* err NULL: done */
/* Fetches and opens the operation key. One at a time: ERR_BUSY. password is copied. */
void venue_unlock(struct venue *venue, const struct secret *password, venue_done_fn *done,
		  void *arg);
void venue_lock(struct venue *venue);
/* Tries the key, records the swap, then uses it. ERR_EXCHANGE_AUTH, ERR_ACCOUNT, ERR_UNREACHABLE,
 * ERR_JOURNAL: the old key stays. api_key is copied. */
void venue_swap_api_key(struct venue *venue, const struct secret *api_key, venue_done_fn *done,
			void *arg);
/* fn(arg, api_key) whenever another key is in use, for those that use it besides. */
void venue_on_swap(struct venue *venue, void (*fn)(void *arg, const struct secret *api_key),
		   void *arg);
#endif
