/* wire.h - the exchange's JSON <-> the structs of deltadefi.h.
 *
 * Written after the exchange's published types, the clients it ships and what was seen on the
 * wire, which disagree: objects come bare or wrapped ({"data":...}, {"order":...}), lists as an
 * array or as a page, numbers as strings or as numbers, fields under an old and a new name. All
 * of that is taken, unknown fields are ignored, and all but a few fields may be absent or null.
 * What is refused is ERR_EXCHANGE_ANSWER, with a text that names the place.
 *
 * Size, depth and number of values are bounded before anything is built. Any thread. */
#ifndef CLIENT_WIRE_H
#define CLIENT_WIRE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "client/deltadefi.h"
#include "client/tx.h"

struct buf;
struct secret;
struct wire_doc;

#define WIRE_ORDERS_MAX     1000 /* a page has 250 at most */
#define WIRE_EXECUTIONS_MAX 10000
#define WIRE_CANDLES_MAX    20000
#define WIRE_LIST_MAX       2000 /* anything else */
#define WIRE_TX_HEX_MAX     TX_SIGNED_HEX_MAX
#define WIRE_ERROR_TEXT_MAX 160
#define WIRE_ACCOUNT_MAX    (128 * 1024) /* of a request; every byte of a key may be escaped */
#define WIRE_UTXOS_MAX      (256 * 1024)

/* NULL, with err, when text is not one JSON value within the bounds. */
struct wire_doc *wire_parse(const char *text, size_t len, struct err *err);
void wire_free(struct wire_doc *doc); /* NULL is fine */

/* What a body says of a failure: {"error","code"}, {"code","msg"}, {"code","message"}, a text. */
struct wire_error {
	bool is_error;                      /* the body says so itself, whatever the HTTP status */
	bool is_object;                     /* JSON, so not from a gateway on the way */
	int code;                           /* 0: none */
	char text[WIRE_ERROR_TEXT_MAX + 1]; /* control characters and broken UTF-8 taken out */
};
/* doc is the parsed body, or NULL when it does not parse. */
void wire_error_read(const struct wire_doc *doc, const char *body, size_t len,
		     struct wire_error *error);

/* ---- answers. Strings and arrays of a result are borrowed from doc unless it says "free". ---- */

MUST_CHECK bool wire_account_read(const struct wire_doc *doc, struct dd_account *account,
				  struct err *err);
struct wire_sealed_key {
	char *text;            /* JSON of its own: client/sealed.h; free with mem_free() */
	char hash[2 * 28 + 1]; /* as the exchange states it, "" when it does not */
};
MUST_CHECK bool wire_sealed_key_read(const struct wire_doc *doc, struct wire_sealed_key *key,
				     struct err *err);
/* Takes the key out of doc: it is wiped there. NULL, with err, when there is none. */
struct secret *wire_new_key_read(struct wire_doc *doc, struct err *err);

struct wire_built {
	char order_id[DD_ID_LEN];
	const char *tx_hex;
};
MUST_CHECK bool wire_built_read(const struct wire_doc *doc, struct wire_built *built,
				struct err *err);
/* The order id of any answer that has one (id or order_id, wrapped or not); false when none. */
bool wire_order_id_read(const struct wire_doc *doc, char id[DD_ID_LEN]);

/* Lists: *items is NULL when *count is 0, and freed with the function of its kind. total: of all
 * pages, -1 when the exchange does not say. An order whose executions cannot all be read counts
 * as one without the list (has_executions is false). */
MUST_CHECK bool wire_order_read(const struct wire_doc *doc, struct dd_order **order,
				struct err *err);
MUST_CHECK bool wire_orders_read(const struct wire_doc *doc, struct dd_order **items, size_t *count,
				 int64_t *total, struct err *err);
void wire_orders_free(struct dd_order *items, size_t count);
MUST_CHECK bool wire_executions_read(const struct wire_doc *doc, struct dd_execution **items,
				     size_t *count, int64_t *total, struct err *err);
void wire_executions_free(struct dd_execution *items);
MUST_CHECK bool wire_balances_read(const struct wire_doc *doc, struct dd_balance **items,
				   size_t *count, struct err *err);
void wire_balances_free(struct dd_balance *items);
MUST_CHECK bool wire_transfers_read(const struct wire_doc *doc, struct dd_transfer **items,
				    size_t *count, int64_t *total, struct err *err);
MUST_CHECK bool wire_transfer_read(const struct wire_doc *doc, struct dd_transfer **item,
				   struct err *err);
void wire_transfers_free(struct dd_transfer *items, size_t count);
/* The ids a cancel-all took: order_ids or cancelled_order_ids. */
MUST_CHECK bool wire_ids_read(const struct wire_doc *doc, const char ***ids, size_t *count,
			      struct err *err);
void wire_ids_free(const char **ids);
/* A pair that cannot be read is left out; no readable pair at all is an error. */
MUST_CHECK bool wire_markets_read(const struct wire_doc *doc, struct dd_market **items,
				  size_t *count, struct err *err);
void wire_markets_free(struct dd_market *items);
MUST_CHECK bool wire_candles_read(const struct wire_doc *doc, struct dd_candle **items,
				  size_t *count, struct err *err);
void wire_candles_free(struct dd_candle *items);
MUST_CHECK bool wire_price_read(const struct wire_doc *doc, struct decimal *price, struct err *err);

/* A member (or the whole document, if it is no object) as text: a string, or a number in its own
 * digits. Free with mem_free(); NULL, with err, when there is neither. */
char *wire_text_read(const struct wire_doc *doc, const char *name, struct err *err);

/* ---- requests. Checked here, since nothing else stands between a caller and the wire. ---- */

bool wire_is_id(const char *id);         /* 1 to DD_ID_LEN - 1 letters, digits and hyphens */
bool wire_is_symbol(const char *symbol); /* 1 to 20 capital letters and digits */
bool wire_is_hex(const char *text, size_t len_max);

/* ERR_INVALID for what could not be placed as meant. */
MUST_CHECK bool wire_build_print(struct buf *body, const struct dd_order_request *request,
				 struct err *err);
MUST_CHECK bool wire_submit_print(struct buf *body, const char *order_id, const char *signed_hex,
				  struct err *err);
MUST_CHECK bool wire_account_create_print(struct buf *body,
					  const struct dd_account_request *request,
					  struct err *err);
MUST_CHECK bool wire_account_update_print(struct buf *body,
					  const struct dd_account_request *request,
					  struct err *err);
MUST_CHECK bool wire_mock_usdx_print(struct buf *body, const char *input_utxos, int64_t quantity,
				     const char *wallet_address, struct err *err);
#endif
