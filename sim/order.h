/* order.h - one order, its executions, and the account they belong to.
 *
 * Plain data: exchange.c owns and changes it, everyone else reads. All lists are intrusive and in
 * the order of creation. Amounts and prices as in market.h; times are the exchange's own. */
#ifndef SIM_ORDER_H
#define SIM_ORDER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/list.h"
#include "sim/draw.h"
#include "sim/market.h"
#include "sim/opkey.h"

/* The words are those of the wire. */
#define ORDER_STATUSES(X)                                                      \
	X(BUILDING, "building")     /* transaction made, not submitted */      \
	X(PROCESSING, "processing") /* submitted, on its way to the book */    \
	X(OPEN, "open")             /* on the book, also when partly filled */ \
	X(CLOSED, "closed")         /* completely filled */                    \
	X(CANCELLED, "cancelled")   /* may carry fills */                      \
	X(FAILED, "failed")         /* never reached the book */

enum order_status {
#define X(name, word) ORDER_##name,
	ORDER_STATUSES(X)
#undef X
		ORDER_STATUS_COUNT
};

enum order_type { TYPE_LIMIT, TYPE_MARKET };
enum role { ROLE_MAKER, ROLE_TAKER };

/* What the exchange will do with an order by itself, and when. */
enum due_kind { DUE_NOTHING, DUE_EXPIRE, DUE_MATCH, DUE_CANCEL };

#define API_KEY_MAX  128
#define NAME_MAX_LEN 64
#define BLOB_MAX     4096
#define SUBMITS_MAX  16 /* answers remembered per order */

struct balance {
	int64_t free, locked; /* units */
	bool is_known;        /* listed to the owner, even at zero, once something was there */
};

struct account {
	struct list_node node;   /* exchange->accounts */
	struct list executions;  /* execution.of_account */
	char name[NAME_MAX_LEN]; /* the simulator's own name for it */
	char id[UUID_TEXT_LEN], user_id[UUID_TEXT_LEN];
	char api_key[API_KEY_MAX + 1]; /* "" for those without REST access */
	char password[256];            /* opens the operation key; "" when it has none */
	struct wall created, key_created;
	uint64_t keys_made, orders_made;
	unsigned live_orders; /* processing or open */
	bool is_maker;        /* the built-in market maker: nothing it did unfilled is kept */
	bool is_house;        /* other traders of the simulator: always rich enough */
	bool has_opkey;
	char opkey_hash[OPKEY_HASH_HEX];       /* BLAKE2b-224 of the operation key, hex */
	struct opkey_root opkey;               /* what is sealed with the password */
	char blob[BLOB_MAX];                   /* uploaded instead of ours; "" when not */
	char sealed[OPKEY_VARIANTS][BLOB_MAX]; /* made when first asked for */
	struct balance balances[ASSET_COUNT];
};

/* One side of a match. */
struct execution {
	struct list_node of_order, of_account, of_exchange;
	struct order *order;
	char id[UUID_TEXT_LEN], counter_id[UUID_TEXT_LEN];
	int64_t price, base_units, quote_units;
	int64_t told_quote_units; /* differs from quote_units under the overflow quirk only */
	int64_t fee_units;        /* in the received asset */
	enum role role;
	struct wall at;
};

struct order {
	struct list_node node;    /* exchange->orders */
	struct list_node on_book; /* one side of a book, best first */
	struct list_node on_due;  /* exchange->due, soonest first */
	struct list executions;
	struct account *account;
	const struct pair *pair;
	char id[UUID_TEXT_LEN];
	enum order_status status;
	enum side side;
	enum order_type type;
	bool post_only;
	bool is_submitted;   /* a submit was accepted once */
	bool is_quote_sized; /* asked for in the quote asset and not turned into a base size yet */
	char price_text[DECIMAL_TEXT_LEN]; /* as submitted, echoed */
	int64_t price;   /* limit; for a market order what its rest would be listed at */
	int64_t bound;   /* worst price allowed; 0: none (market without slippage) */
	int slippage_bp; /* -1: none given */
	int64_t base_units, quote_units; /* ordered */
	int64_t locked_base_units, locked_quote_units;
	int64_t executed_base_units, executed_quote_units;
	int64_t told_quote_units; /* sum of what executions told */
	int64_t fee_units;
	struct wall created, updated, expires;
	uint64_t rank; /* when it came to the book, among all */
	enum due_kind due_kind;
	struct wall due;
	char failure[80]; /* why it failed, for the simulator's record; "" */
	uint8_t *tx;      /* as built; NULL for house orders */
	size_t tx_len;
	unsigned submits, cancels;       /* how often each arrived */
	int submit_answers[SUBMITS_MAX]; /* codes, 0 for accepted */
};

const char *order_status_name(enum order_status status);
bool order_status_parse(const char *word, enum order_status *status);
bool order_is_final(const struct order *order);
int64_t order_rest_units(const struct order *order);    /* base not executed yet */
int64_t order_average_price(const struct order *order); /* as told; 0 when nothing executed */
const struct asset *order_pays(const struct order *order);
const struct asset *order_receives(const struct order *order);
void order_destroy(struct order *order); /* and its executions; leaves every list */
#endif
