/* deltadefi.h - a client for the DeltaDeFi exchange, usable without the daemon.
 *
 * Asynchronous, on one loop (net/loop.h). Every call gives exactly one completion, on a later
 * turn, on the loop thread; what it hands over is borrowed for the completion's duration. Calls
 * are single attempts: nothing is repeated here, since only the caller knows what may be.
 *
 * Placing an order is three steps that stay apart on purpose: dd_order_build() puts nothing on
 * the book and names the order's id, dd_sign() is local, dd_order_submit() is the irreversible
 * one. Keep the id and the signed bytes before submitting; after that only ask
 * (dd_order_get()), or submit the very same bytes again.
 *
 * The client holds the API key and, once unlocked, the operation key, both in guarded memory.
 * TLS is always verified; http:// is for loopback only. */
#ifndef CLIENT_DELTADEFI_H
#define CLIENT_DELTADEFI_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/decimal.h"
#include "base/err.h"
#include "client/codes.h"

struct dd_client;
struct loop;
struct secret;

#define DD_ID_LEN     40 /* room for a UUID and its NUL */
#define DD_SYMBOL_LEN 24
#define DD_UNIT_LEN   132 /* policy id and asset name in hex */
#define DD_ASSET_LEN  24

/* What is known of the request:
 *   NOT_SENT  it never left this host: repeat freely
 *   REFUSED   the exchange answered that it did not do it (see class and code); or it was never
 *             asked, as the request makes no sense (http_status 0, err says why)
 *   DONE      it did it
 *   UNKNOWN   it may have done it: the answer was lost, cut, unreadable or ambiguous */
enum dd_verdict { DD_NOT_SENT, DD_REFUSED, DD_DONE, DD_UNKNOWN };

enum dd_class {
#define X(name, word) DD_CLASS_##name,
	DD_CLASSES(X)
#undef X
		DD_CLASS_COUNT
};

enum dd_status {
#define X(name, word) DD_STATUS_##name,
	DD_STATUSES(X)
#undef X
		DD_STATUS_COUNT
};

struct dd_result {
	enum dd_verdict verdict;
	enum dd_class class_;   /* NONE when done */
	int http_status;        /* 0 when there was no answer */
	int code;               /* the exchange's integer, 0 when it gave none */
	int64_t retry_after_ms; /* from Retry-After; -1 when absent */
	struct mono sent;       /* when the first byte left; 0 if never */
	struct mono done;
	struct err err; /* when not done; err.exchange_code == code; no secret in the text */
};

/* Gateway trouble is no verdict of the exchange: an empty 403 or a text 503 during restarts
 * counts as UNKNOWN, class RETRY on calls that may be repeated freely. Only code 4010 or HTTP 401
 * is DD_CLASS_AUTH. */

struct dd_config {
	const char *rest_url; /* "https://api.deltadefi.io" */
	const char *ca_file;  /* NULL: the system's roots */
	int64_t connect_timeout_ms;
	int64_t timeout_ms;
	const char *user_agent;
};

/* Borrows loop; copies config and api_key (which may be NULL: only public calls work then). */
MUST_CHECK bool dd_client_create(struct loop *loop, const struct dd_config *config,
				 const struct secret *api_key, struct dd_client **result,
				 struct err *err);
/* Calls in flight complete first (NOT_SENT or UNKNOWN). Wipes the keys. NULL is fine. */
void dd_client_destroy(struct dd_client *client);
void dd_client_set_api_key(struct dd_client *client, const struct secret *api_key); /* copies */

/* The network addresses and the name of a network: "mainnet" or "preprod"; NULL for another. */
const char *dd_network_rest_url(const char *network);
const char *dd_network_stream_url(const char *network);

const char *dd_class_word(enum dd_class class_);
const char *dd_status_word(enum dd_status status);
enum dd_class dd_class_of(int code);              /* from the table, else by its thousand */
const char *dd_code_message(int code);            /* the exchange's own; "" for an unknown code */
enum dd_status dd_status_parse(const char *word); /* UNKNOWN for a word we do not know */

/* ---- accounts ------------------------------------------------------------------------- */

struct dd_account {
	char account_id[DD_ID_LEN];
	char account_type[DD_ASSET_LEN];
	struct wall created_at;
	struct wall updated_at; /* 0: absent, as everywhere but in the answer to an update */
};
struct dd_balance {
	char asset[DD_ASSET_LEN]; /* ticker as given: any letter case */
	char unit[DD_UNIT_LEN];   /* on-chain unit; "" or "lovelace" for ADA */
	struct decimal free;      /* digits as given */
	struct decimal locked;    /* open orders, deposits and withdrawals under way */
};

/* Amounts of deposits, withdrawals and transferals are integers in the smallest unit. */
struct dd_transfer_asset {
	char asset[DD_ASSET_LEN];
	char unit[DD_UNIT_LEN];
	struct decimal qty;
};
struct dd_transfer {
	char status[DD_ASSET_LEN]; /* "building", "submitted", "confirmed", "pending", ... */
	char tx_hash[72];          /* "" when there is none */
	char type[DD_ASSET_LEN];   /* transferals only */
	char direction[16];        /* transferals only: "incoming", "outgoing" */
	struct wall created_at;
	struct dd_transfer_asset *assets;
	size_t asset_count;
};
enum dd_transfer_kind { DD_DEPOSIT, DD_WITHDRAWAL, DD_TRANSFERAL };

typedef void dd_done_fn(void *arg, const struct dd_result *result);
typedef void dd_account_fn(void *arg, const struct dd_result *result,
			   const struct dd_account *account);
typedef void dd_balances_fn(void *arg, const struct dd_result *result,
			    const struct dd_balance *balances, size_t count);
typedef void dd_transfers_fn(void *arg, const struct dd_result *result,
			     const struct dd_transfer *transfers, size_t count, int64_t total);

/* Asks with another key than the client's own, to try it before it is used; NULL: the client's. */
void dd_account_get(struct dd_client *client, const struct secret *api_key, dd_account_fn *done,
		    void *arg);
void dd_balances_get(struct dd_client *client, dd_balances_fn *done, void *arg);
void dd_transfers_get(struct dd_client *client, enum dd_transfer_kind kind, unsigned limit,
		      unsigned page, dd_transfers_fn *done, void *arg);
typedef void dd_text_fn(void *arg, const struct dd_result *result, const char *text);
void dd_transfer_get(struct dd_client *client, const char *tx_hash, dd_transfers_fn *done,
		     void *arg);
void dd_max_deposit_get(struct dd_client *client, dd_text_fn *done, void *arg);
void dd_api_key_get(struct dd_client *client, dd_text_fn *done,
		    void *arg); /* masked by the exchange */

/* A GET that kills the present key at once and answers the new one. Never repeat it; the answer
 * is the only copy. new_key is borrowed. The client goes on with the old key until told. */
typedef void dd_new_key_fn(void *arg, const struct dd_result *result, const struct secret *new_key);
void dd_api_key_renew(struct dd_client *client, dd_new_key_fn *done, void *arg);

/* Making an account and changing its operation key belong to the onboarding of a new user; the
 * daemon does neither. Never repeat them blindly: a lost answer leaves open what happened. */
struct dd_account_request {
	const char *user_id;       /* an update may leave it out (NULL) when it gives the hash */
	const char *sealed_key;    /* the sealed operation key, a JSON text */
	const char *key_hash;      /* hex of 28 bytes; an update may leave it out */
	bool is_script_key;        /* creation only */
	const char *referral_code; /* creation only; NULL: none */
};
void dd_account_create(struct dd_client *client, const struct dd_account_request *request,
		       dd_account_fn *done, void *arg);
void dd_account_update(struct dd_client *client, const struct dd_account_request *request,
		       dd_account_fn *done, void *arg);

/* ---- the operation key ---------------------------------------------------------------- */

/* Fetches the sealed key and opens it with the password (on a pool thread). Completion: DONE, or
 * the fetch's failure, or REFUSED with ERR_OPKEY when it does not open. hash_matches is false
 * when the key's hash is not the one the exchange states, or it states none: warn, since that
 * field's meaning is not confirmed on live data. The password is copied and wiped. */
typedef void dd_unlock_fn(void *arg, const struct dd_result *result, bool hash_matches);
void dd_unlock(struct dd_client *client, const struct secret *password, dd_unlock_fn *done,
	       void *arg);
/* Wipes the operation key. An unlock under way is dropped: it still completes, REFUSED with
 * ERR_OPKEY_LOCKED. */
void dd_lock(struct dd_client *client);
bool dd_is_unlocked(const struct dd_client *client);
const char *dd_key_hash(const struct dd_client *client); /* hex of 28 bytes, "" while locked */

/* Signs a transaction that dd_order_build() gave for order_id. Refuses (ERR_TX) what is not a
 * well-formed transaction that names the order, and what pays to a key that is no required signer;
 * ERR_OPKEY_LOCKED while locked. Logs once a key when the transaction asks for other signatures
 * than ours. signed_hex is mem_ allocated and the caller's; tx_hash is the transaction id. */
MUST_CHECK bool dd_sign(struct dd_client *client, const char *order_id, const char *tx_hex,
			char **signed_hex, char tx_hash[65], struct err *err);

/* ---- orders --------------------------------------------------------------------------- */

enum dd_side { DD_BUY, DD_SELL };
enum dd_type { DD_LIMIT, DD_MARKET };

struct dd_order_request {
	const char *symbol;
	enum dd_side side;
	enum dd_type type;
	const struct decimal *base_quantity; /* exactly one of the two quantities */
	const struct decimal *quote_quantity;
	const struct decimal *price; /* limit only */
	int max_slippage_bp;         /* market only; -1: none, which is unlimited */
	bool post_only;
};

struct dd_number {
	struct decimal value;
	bool is_set; /* absent, null or unreadable: false */
};

struct dd_execution {
	char id[DD_ID_LEN]; /* unique per side of a match */
	char order_id[DD_ID_LEN];
	char counter_order_id[DD_ID_LEN];
	struct decimal price;
	struct decimal base_qty;
	struct dd_number
		quote_qty; /* has been wrong on the wire (64-bit overflow): compute base x price */
	struct dd_number commission;
	char commission_unit[DD_UNIT_LEN];
	bool is_maker;
	struct wall created_at;
};

struct dd_order {
	char id[DD_ID_LEN];
	char account_id[DD_ID_LEN];
	char symbol[DD_SYMBOL_LEN];
	enum dd_status status;
	char status_text[32]; /* as given, for a status we do not know */
	bool has_side,
		has_type; /* false: absent or an unknown word, and the next two say nothing */
	enum dd_side side;
	enum dd_type type;
	struct dd_number base_qty, quote_qty, price, market_order_limit_price;
	struct dd_number executed_base_qty, executed_quote_qty, executed_price;
	struct dd_number locked_base_qty, locked_quote_qty, open_base_qty;
	struct dd_number commission;
	char commission_unit[DD_UNIT_LEN];
	int commission_rate_bp;             /* -1: absent */
	int slippage_bp;                    /* -1: absent */
	struct wall created_at, updated_at; /* 0: absent */
	bool has_executions; /* false: the list was absent or null, which says nothing */
	struct dd_execution *executions;
	size_t execution_count;
};

typedef void dd_built_fn(void *arg, const struct dd_result *result, const char *order_id,
			 const char *tx_hex);
typedef void dd_order_fn(void *arg, const struct dd_result *result, const struct dd_order *order);
typedef void dd_ids_fn(void *arg, const struct dd_result *result, const char *const *ids,
		       size_t count);
struct dd_page {
	unsigned limit; /* 1 to 250 */
	unsigned page;  /* 1 to 1000 */
};
/* total: over all pages, -1 when the exchange does not say; a count of 0 ends any walk. */
typedef void dd_orders_fn(void *arg, const struct dd_result *result, const struct dd_order *orders,
			  size_t count, int64_t total);
typedef void dd_executions_fn(void *arg, const struct dd_result *result,
			      const struct dd_execution *executions, size_t count, int64_t total);

void dd_order_build(struct dd_client *client, const struct dd_order_request *request,
		    dd_built_fn *done, void *arg);
/* DONE also with order NULL: accepted, but the body was not an order we can read. 4302 is
 * REFUSED with class DUPLICATE: an earlier submit got through, so ask. */
void dd_order_submit(struct dd_client *client, const char *order_id, const char *signed_hex,
		     dd_order_fn *done, void *arg);
void dd_order_get(struct dd_client *client, const char *order_id, dd_order_fn *done, void *arg);
void dd_order_cancel(struct dd_client *client, const char *order_id, dd_done_fn *done, void *arg);
/* One symbol. "Nothing there" (4200) is DONE with no ids. Orders not named may still be open. */
void dd_order_cancel_all(struct dd_client *client, const char *symbol, dd_ids_fn *done, void *arg);
void dd_open_orders_get(struct dd_client *client, const char *symbol, struct dd_page page,
			dd_orders_fn *done, void *arg);
void dd_trade_orders_get(struct dd_client *client, const char *symbol, struct dd_page page,
			 dd_orders_fn *done, void *arg);
void dd_trades_get(struct dd_client *client, const char *symbol, struct dd_page page,
		   dd_executions_fn *done, void *arg);

/* ---- market and app ------------------------------------------------------------------- */

struct dd_token {
	char symbol[DD_ASSET_LEN];
	char unit[DD_UNIT_LEN]; /* dots removed */
	int decimals;
	int max_qty_dp; /* places allowed in quantities */
};
struct dd_market {
	char symbol[DD_SYMBOL_LEN];
	struct dd_token base, quote;
	int price_max_dp;
};
struct dd_candle {
	int64_t time_s; /* start of the candle, unix seconds */
	struct decimal open, high, low, close, volume;
};
typedef void dd_markets_fn(void *arg, const struct dd_result *result,
			   const struct dd_market *markets, size_t count);
typedef void dd_price_fn(void *arg, const struct dd_result *result, struct decimal price);
typedef void dd_candles_fn(void *arg, const struct dd_result *result,
			   const struct dd_candle *candles, size_t count);

void dd_markets_get(struct dd_client *client, dd_markets_fn *done, void *arg);
void dd_price_get(struct dd_client *client, const char *symbol, dd_price_fn *done, void *arg);
void dd_candles_get(struct dd_client *client, const char *symbol, const char *interval,
		    int64_t start_s, int64_t end_s, dd_candles_fn *done, void *arg);
typedef void dd_cycle_fn(void *arg, const struct dd_result *result, const char *start,
			 const char *end);
void dd_hydra_cycle_get(struct dd_client *client, dd_cycle_fn *done, void *arg);
void dd_terms_get(struct dd_client *client, dd_text_fn *done, void *arg);

/* ---- testing, and what has no settled shape: the daemon uses none of it ---------------- */

/* Test money, on preprod only. input_utxos is a JSON array of the wallet's unspent outputs, sent
 * as it is. A lost answer leaves open whether it was given. */
typedef void dd_mock_usdx_fn(void *arg, const struct dd_result *result, const char *signed_tx,
			     const char *tx_hash);
void dd_mock_usdx(struct dd_client *client, const char *input_utxos, int64_t quantity,
		  const char *wallet_address, dd_mock_usdx_fn *done, void *arg);
/* Hands a signed transaction to the chain, on preprod only; completes with its hash. Never repeated
 * here. An empty 200, which older servers may give, is UNKNOWN: look for it on the chain. */
void dd_tx_submit(struct dd_client *client, const char *signed_hex, dd_text_fn *done, void *arg);

/* Both complete with the answer as it came, one JSON value. The shape of the lock's is published
 * nowhere: what can be relied on is code 5002, DD_CLASS_LOCKED. */
void dd_trading_lock_get(struct dd_client *client, dd_text_fn *done, void *arg);
/* path is what follows /points/: me, me/history, me/referral, me/breakdown, leaderboard,
 * leaderboard/me, leagues, quests/active or quests/claims. me/history and leaderboard may have a
 * query: "me/history?page=2&per_page=20". */
void dd_points_get(struct dd_client *client, const char *path, dd_text_fn *done, void *arg);
#endif
