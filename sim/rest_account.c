/* rest_account.c - the account, its keys, balances, orders, trades and transfer records. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/httpd.h"
#include "sim/exchange.h"
#include "sim/rest.h"
#include "sim/wire.h"

#define MAX_DEPOSIT "100000000000" /* lovelace; made up */

/* ---- operation key and account ---- */

static enum opkey_variant variant_of(const struct sim *sim)
{
	if (sim->faults.switches[SWITCH_IV16])
		return OPKEY_IV16;
	return sim->faults.switches[SWITCH_NO_SALT] ? OPKEY_NO_SALT : OPKEY_USUAL;
}

/* Sealed when first asked for; NULL if libcrypto fails. */
static const char *blob_of(struct sim *sim, struct account *account)
{
	enum opkey_variant variant = variant_of(sim);
	char *sealed = account->sealed[variant];
	struct buf blob;
	struct err err;

	if (*account->blob)
		return account->blob;
	if (*sealed)
		return sealed;
	buf_init(&blob, BLOB_MAX - 1);
	if (opkey_seal(&account->opkey, account->password, sim->config.exchange.seed, variant,
		       &blob, &err))
		(void)mem_str_set(sealed, BLOB_MAX, buf_str(&blob));
	buf_fini(&blob);
	return *sealed ? sealed : NULL;
}

int rest_operation_key(struct rest_call *call, struct reply *reply)
{
	const char *blob;

	if (!call->account->has_opkey)
		return CODE_NO_OPKEY;
	if (!(blob = blob_of(call->sim, call->account)))
		return CODE_INTERNAL;
	reply_json(reply, 200,
		   json_pack("{s:s,s:s}", "encrypted_operation_key", blob, "operation_key_hash",
			     call->account->opkey_hash));
	return CODE_DONE;
}

static json_t *spot_account(struct sim *sim, struct account *account)
{
	const char *blob = account->has_opkey ? blob_of(sim, account) : "";

	return json_pack("{s:s,s:s,s:s,s:s,s:o}", "account_id", account->id, "account_type", "spot",
			 "encrypted_operation_key", blob ? blob : "", "operation_key_hash",
			 account->opkey_hash, "created_at", wire_time(account->created));
}

int rest_spot_account(struct rest_call *call, struct reply *reply)
{
	reply_json(reply, 200, spot_account(call->sim, call->account));
	return CODE_DONE;
}

static bool is_hash(const char *text)
{
	return text && strlen(text) == OPKEY_HASH_HEX - 1 &&
	       strspn(text, "0123456789abcdef") == OPKEY_HASH_HEX - 1;
}

/* The user of the key may give the account another operation key. Without a hash (some clients
 * send none) the same key is taken to be sealed anew. */
static enum code take_opkey(struct rest_call *call, bool needs_hash)
{
	json_t *body = rest_body(call);
	const char *user = rest_string(body, "user_id");
	const char *blob = rest_string(body, "encrypted_operation_key");
	const char *hash = rest_string(body, "operation_key_hash");
	enum code code = CODE_DONE;

	if (!hash && !needs_hash)
		hash = call->account->opkey_hash;
	if (!blob || !*blob || strlen(blob) >= BLOB_MAX || !is_hash(hash) || (needs_hash && !user))
		code = CODE_INVALID;
	else if (user && strcmp(user, call->account->user_id) != 0)
		code = CODE_NO_USER;
	else
		exchange_set_opkey(call->sim->exchange, call->account, blob, hash);
	json_decref(body);
	return code;
}

int rest_create_spot_account(struct rest_call *call, struct reply *reply)
{
	enum code code = call->account->has_opkey ? CODE_INVALID : take_opkey(call, true);

	if (!code)
		reply_json(reply, 200, spot_account(call->sim, call->account));
	return code;
}

int rest_update_spot_account(struct rest_call *call, struct reply *reply)
{
	enum code code = take_opkey(call, false);
	json_t *object;

	if (code)
		return code;
	object = spot_account(call->sim, call->account);
	json_object_set_new(object, "updated_at", wire_time(call->sim->exchange->now));
	reply_json(reply, 200, object);
	return CODE_DONE;
}

/* ---- API key ---- */

static void reply_key(struct reply *reply, const char *key, struct wall created)
{
	reply_json(reply, 200,
		   json_pack("{s:s,s:o}", "api_key", key, "created_at", wire_time(created)));
}

int rest_api_key(struct rest_call *call, struct reply *reply)
{
	const char *key = call->account->api_key;
	size_t len = strlen(key);
	char masked[API_KEY_MAX + 1];

	(void)STR_SET(masked, key);
	for (size_t i = len > 8 ? 4 : 0; i < (len > 8 ? len - 4 : len); i++)
		masked[i] = '*';
	reply_key(reply, masked, call->account->key_created);
	return CODE_DONE;
}

int rest_new_api_key(struct rest_call *call, struct reply *reply)
{
	exchange_new_key(call->sim->exchange, call->account);
	reply_key(reply, call->account->api_key, call->account->key_created);
	return CODE_DONE;
}

/* ---- balances ---- */

int rest_balance(struct rest_call *call, struct reply *reply)
{
	reply_json(reply, 200, wire_balances(call->account));
	return CODE_DONE;
}

int rest_max_deposit(struct rest_call *call, struct reply *reply)
{
	(void)call;
	reply_json(reply, 200, json_pack("{s:s}", "max_deposit", MAX_DEPOSIT));
	return CODE_DONE;
}

/* ---- pages, newest first ---- */

#define LIMIT_MAX     250
#define LIMIT_DEFAULT 10
#define PAGE_MAX      1000

struct page {
	long limit, first; /* index of the first one on the page */
	long total;
	json_t *data;
};

/* False for what is no number from 1 to max; absent keeps value. */
static bool read_number(const struct rest_call *call, const char *name, long max, long *value)
{
	char text[16], *end;

	if (!http_query_get(call->request, name, text, sizeof(text)))
		return true;
	*value = strtol(text, &end, 10);
	return end != text && *end == '\0' && *value >= 1 && *value <= max;
}

static bool page_begin(const struct rest_call *call, struct page *page)
{
	long number = 1;

	*page = (struct page){ .limit = LIMIT_DEFAULT };
	if (!read_number(call, "limit", LIMIT_MAX, &page->limit) ||
	    !read_number(call, "page", PAGE_MAX, &number))
		return false;
	page->first = (number - 1) * page->limit;
	page->data = json_array();
	return true;
}

/* Counts one; true when it belongs on the page and is to be appended to page->data. */
static bool page_takes(struct page *page)
{
	long index = page->total++;

	return index >= page->first && index < page->first + page->limit;
}

static void page_end(struct page *page, struct reply *reply)
{
	reply_json(reply, 200,
		   json_pack("{s:o,s:I,s:I}", "data", page->data, "total_count",
			     (json_int_t)page->total, "total_page",
			     (json_int_t)((page->total + page->limit - 1) / page->limit)));
}

/* The symbol is demanded, as the exchange does since 2026. */
static enum code begin_list(const struct rest_call *call, struct page *page,
			    const struct pair **pair)
{
	char symbol[32];

	if (!http_query_get(call->request, "symbol", symbol, sizeof(symbol)) || !*symbol)
		return CODE_INVALID;
	*pair = market_pair(symbol);
	if (!*pair)
		return CODE_SYMBOL;
	return page_begin(call, page) ? CODE_DONE : CODE_INVALID;
}

static bool is_open(const struct order *order)
{
	return order->status == ORDER_OPEN;
}

static bool has_traded(const struct order *order)
{
	return !list_is_empty(&order->executions);
}

static enum code list_orders(struct rest_call *call, struct reply *reply,
			     bool (*is_wanted)(const struct order *), bool has_executions)
{
	struct list *orders = &call->sim->exchange->orders;
	const struct pair *pair;
	struct page page;
	enum code code = begin_list(call, &page, &pair);

	if (code)
		return code;
	for (struct list_node *at = orders->head.prev; at != &orders->head; at = at->prev) {
		const struct order *order = CONTAINER_OF(at, struct order, node);

		if (order->account == call->account && order->pair == pair && is_wanted(order) &&
		    page_takes(&page))
			json_array_append_new(page.data, wire_order(order, has_executions));
	}
	page_end(&page, reply);
	return CODE_DONE;
}

int rest_open_orders(struct rest_call *call, struct reply *reply)
{
	return list_orders(call, reply, is_open, false);
}

int rest_trade_orders(struct rest_call *call, struct reply *reply)
{
	return list_orders(call, reply, has_traded, true);
}

int rest_trades(struct rest_call *call, struct reply *reply)
{
	struct list *fills = &call->account->executions;
	const struct pair *pair;
	struct page page;
	enum code code = begin_list(call, &page, &pair);

	if (code)
		return code;
	for (struct list_node *at = fills->head.prev; at != &fills->head; at = at->prev) {
		const struct execution *fill = CONTAINER_OF(at, struct execution, of_account);

		if (fill->order->pair == pair && page_takes(&page))
			json_array_append_new(page.data, wire_execution(fill));
	}
	page_end(&page, reply);
	return CODE_DONE;
}

static enum code tell_order(struct rest_call *call, const char *id, struct reply *reply)
{
	const struct order *order = exchange_order(call->sim->exchange, id);

	if (!order || order->account != call->account)
		return CODE_NO_ORDER;
	reply_json(reply, 200, wire_order(order, true));
	return CODE_DONE;
}

int rest_order(struct rest_call *call, struct reply *reply)
{
	return tell_order(call, call->param, reply);
}

/* The form of the specification of 2026-01. */
int rest_order_by_query(struct rest_call *call, struct reply *reply)
{
	char id[PARAM_MAX];

	if (!http_query_get(call->request, "id", id, sizeof(id)))
		return CODE_INVALID;
	return tell_order(call, id, reply);
}

/* ---- transfer records ---- */

static enum code list_transfers(struct rest_call *call, struct reply *reply,
				enum transfer_kind kind, const char *status)
{
	struct list *transfers = &call->sim->exchange->transfers;
	struct page page;

	if (!page_begin(call, &page))
		return CODE_INVALID;
	for (struct list_node *at = transfers->head.prev; at != &transfers->head; at = at->prev) {
		const struct transfer *transfer = CONTAINER_OF(at, struct transfer, node);

		if (transfer->account == call->account && transfer->kind == kind &&
		    (!*status || strcmp(status, transfer->status) == 0) && page_takes(&page))
			json_array_append_new(page.data, wire_transfer(transfer));
	}
	page_end(&page, reply);
	return CODE_DONE;
}

int rest_deposits(struct rest_call *call, struct reply *reply)
{
	return list_transfers(call, reply, TRANSFER_DEPOSIT, "");
}

int rest_withdrawals(struct rest_call *call, struct reply *reply)
{
	return list_transfers(call, reply, TRANSFER_WITHDRAWAL, "");
}

int rest_transferals(struct rest_call *call, struct reply *reply)
{
	char status[32] = "";

	if (http_query_get(call->request, "status", status, sizeof(status)) &&
	    strcmp(status, "pending") != 0 && strcmp(status, "confirmed") != 0)
		return CODE_RECORD_STATUS;
	return list_transfers(call, reply, TRANSFER_TRANSFERAL, status);
}

int rest_transferal(struct rest_call *call, struct reply *reply)
{
	LIST_EACH (&call->sim->exchange->transfers, node) {
		const struct transfer *transfer = CONTAINER_OF(node, struct transfer, node);

		if (transfer->account == call->account && transfer->kind == TRANSFER_TRANSFERAL &&
		    strcmp(transfer->tx_hash, call->param) == 0) {
			reply_json(reply, 200, wire_transfer(transfer));
			return CODE_DONE;
		}
	}
	return CODE_NO_TX;
}
