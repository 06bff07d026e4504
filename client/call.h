/* call.h - one call to the exchange: its request, the verdict on it, its one completion.
 *
 * An endpoint creates a call with the function that reads its answer, and starts it or refuses
 * it; either way the completion comes on a later turn, and the call frees itself after it. The
 * verdict is given here and nowhere else, by the integer code of the body where there is one: the
 * exchange has used HTTP 400, 404, 422 and 500 for the same code. Loop thread only. */
#ifndef CLIENT_CALL_H
#define CLIENT_CALL_H
#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "client/deltadefi.h"

struct call;
struct dd_client;
struct secret;
struct wire_doc;

#define CALL_ANSWER_MAX (1024 * 1024)
#define CALL_PAGE_MAX   (8 * 1024 * 1024) /* 250 orders with their executions */

enum call_kind {
	CALL_PUBLIC, /* a GET that needs no key */
	CALL_REPEAT, /* GET, build, cancel: the caller may repeat it when its answer is lost */
	CALL_ONCE,   /* submit, key renewal and the like: a lost answer leaves open what happened */
};

/* Reads the answer and calls call->done. doc is there only when the verdict is DONE so far; what
 * is found unreadable in it takes the verdict back with call_unreadable(). */
typedef void call_finish_fn(struct call *call, struct wire_doc *doc);

struct call {
	/* For the endpoint's use. */
	struct dd_result result;
	union {
		dd_done_fn *plain;
		dd_account_fn *account;
		dd_balances_fn *balances;
		dd_transfers_fn *transfers;
		dd_text_fn *text;
		dd_new_key_fn *new_key;
		dd_built_fn *built;
		dd_order_fn *order;
		dd_ids_fn *ids;
		dd_orders_fn *orders;
		dd_executions_fn *executions;
		dd_markets_fn *markets;
		dd_price_fn *price;
		dd_candles_fn *candles;
		dd_cycle_fn *cycle;
		dd_mock_usdx_fn *mock_usdx;
	} done;
	void *arg;
	char order_id[DD_ID_LEN]; /* which order it is about, "" when none */
	const char *text_name;    /* member wanted of the answer, for call_text_finish() */
	size_t answer_max;        /* CALL_ANSWER_MAX unless set before the start */
	const char *answer;       /* as it came, while doc is there; NUL-terminated */
	bool has_secret;          /* the answer is a secret: wiped after reading */
	/* The rest is call.c's own. */
	struct list_node node;
	struct dd_client *client;
	enum call_kind kind;
	call_finish_fn *finish;
	struct secret *key; /* instead of the client's; NULL: the client's */
	bool is_completed;
};

struct call *call_create(struct dd_client *client, enum call_kind kind, call_finish_fn *finish,
			 void *arg);
void call_use_key(struct call *call, const struct secret *key); /* copies; NULL changes nothing */

/* Both end the caller's part: the call must not be touched any more. body is copied. */
void call_get(struct call *call, const char *path, ...) PRINTF_LIKE(2, 3);
void call_post(struct call *call, const char *body, size_t len, const char *path, ...)
	PRINTF_LIKE(4, 5);
void call_put(struct call *call, const char *body, size_t len, const char *path, ...)
	PRINTF_LIKE(4, 5);
/* Likewise, for what is not worth sending; err is copied. Verdict REFUSED, class REFUSED. */
void call_refuse(struct call *call, const struct err *err);
/* The same, with ERR_INVALID and this text. */
void call_refuse_invalid(struct call *call, const char *text);

/* Those refused whose turn has not come yet, when the client goes before it. */
void call_complete_all(struct list *calls);

bool call_is_page(unsigned limit, unsigned page); /* within what the exchange allows */

/* A 2xx that does not say what it should: UNKNOWN. */
void call_unreadable(struct call *call, const struct err *err);
/* The answer is one text, under call->text_name. */
void call_text_finish(struct call *call, struct wire_doc *doc);
#endif
