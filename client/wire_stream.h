/* wire_stream.h - one message of an exchange's stream -> the structs of stream.h.
 *
 * Written after the exchange's documents and what was seen besides: levels as objects or as pairs,
 * times as text or as a number, a lone object where a list belongs, pages of 2025 that say nothing
 * any more, plain words for keep-alive. What is taken is put in order and checked; what is not is
 * refused as a whole, but for single trades. Size, depth and number of values are bounded before
 * anything is built.
 *
 * Neither errors nor the names for the log quote a value: of a payload only the sub_type and the
 * names of members may be shown. Any thread. */
#ifndef CLIENT_WIRE_STREAM_H
#define CLIENT_WIRE_STREAM_H
#include <stdbool.h>
#include <stddef.h>

#include "base/decimal.h"
#include "base/err.h"
#include "client/deltadefi.h"
#include "client/stream.h"

#define WIRE_MESSAGE_MAX (2 * 1024 * 1024) /* bytes */
#define WIRE_LEVELS_MAX  5000              /* a side: of more, the best */
#define WIRE_TRADES_MAX  10000
#define WIRE_WORD_LEN    32
#define WIRE_KEYS_LEN    256

enum wire_content {
	WIRE_KEEP_ALIVE, /* a plain word, no data */
	WIRE_NOTHING,    /* known, and of no use to us */
	WIRE_UNKNOWN,    /* a type or sub_type we do not know */
	WIRE_ORDER,
	WIRE_BALANCES,
	WIRE_DEPTH,
	WIRE_PRICE,
	WIRE_TRADES,
};

struct wire_message {
	enum wire_content content;    /* says which of the members below are set */
	char sub_type[WIRE_WORD_LEN]; /* "" when absent, "?" when it is no plain word */
	char keys[WIRE_KEYS_LEN];     /* "type,sub_type,order"; of a list: its first element's */

	struct dd_order *order;
	struct dd_balance *balances;
	size_t balance_count;
	struct dd_depth depth; /* borrows bids and asks */
	struct dd_level *bids, *asks;
	struct decimal price;
	struct dd_trade *trades; /* oldest first; perhaps none */
	size_t trade_count;
	size_t skipped; /* trades left out: unreadable, or of another symbol */
	size_t unread;  /* ... of which these are the former */
};

/* symbol: of the stream; NULL for the account's. Fails with ERR_EXCHANGE_ANSWER for what cannot be
 * read; with ERR_EXCHANGE, or ERR_EXCHANGE_AUTH for a refused key, when the exchange sends an
 * error in place of a message. Then sub_type and keys are set all the same, as far as they could
 * be read. Finish it in either case. */
MUST_CHECK bool wire_message_read(enum dd_stream_kind kind, const char *symbol, const char *text,
				  size_t len, struct wire_message *message, struct err *err);
void wire_message_fini(struct wire_message *message);
#endif
