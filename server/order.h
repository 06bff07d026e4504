/* order.h - one order and its state machine. Pure: no I/O, no clock, no allocation.
 *
 * The state names, their numbers and what each means are the contract of the journal and the
 * API. An order is what an app asked for (terms, never changed), what became of it (facts, moved
 * only by order_step() and order_book_fill()), and nothing else: what the daemon is doing about
 * it lives in place.c and settle.c. */
#ifndef SERVER_ORDER_H
#define SERVER_ORDER_H
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/decimal.h"
#include "base/err.h"

/* Numbers are in the journal and words are in the API: append, never renumber or rename. */
#define ORDER_STATES(X)                                                                           \
	X(NONE, 0, "none")                         /* an empty cell of the move table */          \
	X(ACCEPTED, 1, "accepted")                 /* journalled, nothing sent */                 \
	X(BUILDING, 2, "building")                 /* build in flight: not signed, not live */    \
	X(SUBMITTING, 3, "submitting")             /* signed bytes durable: may be live */        \
	X(UNKNOWN, 4, "unknown")                   /* the answer was lost: may be live */         \
	X(OPEN, 5, "open")                         /* on the book */                              \
	X(PARTIALLY_FILLED, 6, "partially_filled") /* on the book, some executed */               \
	X(FILLED, 7, "filled")                     /* executed in full; final */                  \
	X(CANCELLED, 8, "cancelled")               /* final; some may have executed */            \
	X(REJECTED, 9, "rejected")                 /* the exchange or a rule refused it; final */ \
	X(FAILED, 10, "failed") /* proven never to have been on the book; final */

#define ORDER_EVENTS(X)                                                                           \
	X(DISPATCH, "dispatch")   /* its turn has come: the build goes out */                     \
	X(REQUEUE, "requeue")     /* the build was certainly not acted on: back into the queue */ \
	X(SIGN, "sign")           /* built, signed and about to be submitted */                   \
	X(ACK, "ack")             /* the exchange has it: live */                                 \
	X(LOSE, "lose")           /* the answer to a submit is lost or ambiguous */               \
	X(REFUSE, "refuse")       /* a definite no */                                             \
	X(EXPIRE, "expire")       /* the transaction expired and, asked, it never lived */        \
	X(FAIL, "fail")           /* proven not to be on the book */                              \
	X(FILL_PART, "fill_part") /* executed in part */                                          \
	X(FILL_ALL, "fill_all")   /* executed in full */                                          \
	X(CANCEL, "cancel")       /* the exchange says cancelled */

enum order_state {
#define X(name, number, word) ORDER_##name = number,
	ORDER_STATES(X)
#undef X
		ORDER_STATE_COUNT
};
enum order_event {
#define X(name, word) EV_##name,
	ORDER_EVENTS(X)
#undef X
		ORDER_EVENT_COUNT
};
enum order_side { ORDER_BUY, ORDER_SELL };
enum order_type { ORDER_LIMIT, ORDER_MARKET };

#define ORDER_ID_LEN        32 /* "ord_" and 26 characters, which sort by time */
#define ORDER_CLIENT_ID_LEN 65
#define ORDER_EXCHANGE_LEN  40
#define ORDER_SYMBOL_LEN    24
#define ORDER_UNIT_LEN      132
#define ORDER_WORD_LEN      32
#define TOKEN_ID_LEN        24
#define TOKEN_NAME_LEN      65
#define BODY_HASH_LEN       65 /* hex */

/* What was asked for. */
struct order_terms {
	char order_id[ORDER_ID_LEN];
	char client_order_id[ORDER_CLIENT_ID_LEN];
	char token_id[TOKEN_ID_LEN]; /* whose it is; "local" for the Unix socket's own user */
	char app[TOKEN_NAME_LEN];    /* the token's name then */
	char request_id[ORDER_ID_LEN];
	char body_hash[BODY_HASH_LEN]; /* of the normalised request: tells a replay from a conflict
					*/
	char symbol[ORDER_SYMBOL_LEN];
	enum order_side side;
	enum order_type type;
	bool has_base_qty, has_quote_qty, has_price;
	struct decimal base_qty, quote_qty, price;
	int max_slippage_bp; /* -1: none given */
	bool post_only;
	struct wall valid_until; /* 0: none */
	struct wall created_at;
};

/* What became of it. */
struct order_facts {
	enum order_state state;
	char exchange_order_id[ORDER_EXCHANGE_LEN]; /* of the latest build; "" before */
	char tx_hash[65];
	int attempt; /* builds that were signed */
	bool cancel_requested;
	bool has_exchange_base_qty; /* what the exchange says was ordered, for quote-sized orders */
	struct decimal exchange_base_qty;
	struct decimal executed_base_qty;
	struct decimal executed_quote_qty;          /* sum of base x price over the fills */
	struct decimal exchange_executed_quote_qty; /* as the exchange states it, right or wrong */
	struct decimal commission;                  /* sum over the fills */
	char commission_unit[ORDER_UNIT_LEN];
	char error_code[ORDER_WORD_LEN]; /* our word; "" when there is none */
	int exchange_code;
	char error[192];
	int64_t queued_ms; /* time spent waiting for its turn */
	struct wall updated_at;
};

struct order {
	struct order_terms terms;
	struct order_facts facts;
};

/* One execution, booked once for ever. */
struct fill {
	char execution_id[ORDER_EXCHANGE_LEN];
	char order_id[ORDER_ID_LEN];
	char exchange_order_id[ORDER_EXCHANGE_LEN];
	char token_id[TOKEN_ID_LEN];
	char symbol[ORDER_SYMBOL_LEN];
	enum order_side side;
	struct decimal price, base_qty;
	struct decimal quote_qty; /* base x price, exact */
	bool has_exchange_quote_qty;
	struct decimal exchange_quote_qty; /* as the exchange states it */
	struct decimal commission;
	char commission_unit[ORDER_UNIT_LEN];
	bool is_maker;
	struct wall executed_at;
	struct wall booked_at;
};

/* Moves the state; a move that is not in the table is ERR_ORDER_STATE with both names in it. */
MUST_CHECK bool order_step(struct order *order, enum order_event event, struct err *err);
bool order_can(const struct order *order, enum order_event event);

/* Adds an execution to the sums and moves to PARTIALLY_FILLED or stays; final states stay final.
 * What executed is booked whatever the state: where no execution should be possible (rejected,
 * failed) order_can(order, EV_FILL_PART) is false, and the caller has a story to tell. The caller
 * has made sure that the execution is new, and knows when it was the last. ERR_OVERFLOW leaves the
 * order as it was. */
MUST_CHECK bool order_book_fill(struct order *order, const struct fill *fill, struct err *err);

bool order_is_final(enum order_state state);
bool order_is_live(enum order_state state);     /* OPEN or PARTIALLY_FILLED */
bool order_may_be_live(enum order_state state); /* live, SUBMITTING or UNKNOWN */
/* What was ordered in base, if known: the terms' or the exchange's figure. */
bool order_base_qty(const struct order *order, struct decimal *qty);
/* Executed quote / executed base to 12 places, the rest cut off; false: no fill. */
bool order_average_price(const struct order *order, struct decimal *price);

const char *order_state_name(enum order_state state);
const char *order_event_name(enum order_event event);
const char *order_side_name(enum order_side side);
const char *order_type_name(enum order_type type);
bool order_state_parse(const char *word, enum order_state *state); /* not "none" */

void order_set_error(struct order *order, const struct err *err);
/* A fresh id: prefix ("ord_", at most 5 characters), then 48 bits of now in ms and 80 random bits
 * in Crockford's base 32: later milliseconds sort later. */
void order_make_id(const char *prefix, struct wall now, char id[ORDER_ID_LEN]);
#endif
