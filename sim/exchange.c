#include "sim/exchange.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"
#include "sim/match.h"

#define PRICE_LIMIT_FACTOR 1000 /* away from the starting price, either way */

static void open_market(struct exchange_market *market, const struct pair *pair)
{
	book_init(&market->book);
	list_init(&market->trades);
	market->last_price = pair->price_start;
	market->price_min = pair->price_start / PRICE_LIMIT_FACTOR;
	market->price_max = pair->price_start * PRICE_LIMIT_FACTOR;
}

struct exchange *exchange_create(const struct exchange_config *config)
{
	struct exchange *x = mem_alloc(sizeof(*x));

	x->config = *config;
	list_init(&x->accounts);
	list_init(&x->orders);
	list_init(&x->executions);
	list_init(&x->transfers);
	list_init(&x->due);
	list_init(&x->retired);
	x->orders_by_id = map_create();
	x->accounts_by_key = map_create();
	x->accounts_by_name = map_create();
	for (size_t i = 0; i < PAIR_COUNT; i++)
		open_market(&x->markets[i], &market_pairs[i]);
	return x;
}

void exchange_destroy(struct exchange *x)
{
	struct list_node *node;

	if (!x)
		return;
	LIST_EACH_SAFE (&x->orders, at) {
		order_destroy(CONTAINER_OF(at, struct order, node));
	}
	while ((node = list_pop_front(&x->transfers)))
		mem_free(CONTAINER_OF(node, struct transfer, node));
	while ((node = list_pop_front(&x->accounts)))
		mem_free(CONTAINER_OF(node, struct account, node));
	for (size_t i = 0; i < PAIR_COUNT; i++)
		while ((node = list_pop_front(&x->markets[i].trades)))
			mem_free(CONTAINER_OF(node, struct trade, node));
	map_destroy(x->orders_by_id);
	map_destroy(x->accounts_by_key);
	map_destroy(x->accounts_by_name);
	mem_free(x);
}

/* ---- telling ---- */

void exchange_subscribe(struct exchange *x, exchange_event_fn *fn, void *arg)
{
	if (x->subscriber_count == SUBSCRIBERS_MAX)
		return;
	x->subscribers[x->subscriber_count].fn = fn;
	x->subscribers[x->subscriber_count++].arg = arg;
}

void exchange_tell(struct exchange *x, const struct exchange_event *event)
{
	for (size_t i = 0; i < x->subscriber_count; i++)
		x->subscribers[i].fn(x->subscribers[i].arg, event);
}

void exchange_tell_order(struct exchange *x, const struct order *order)
{
	exchange_tell(x, &(struct exchange_event){ .kind = EVENT_ORDER,
						   .order = order,
						   .account = order->account,
						   .pair = order->pair });
}

void exchange_tell_balance(struct exchange *x, const struct account *account,
			   const struct asset *asset)
{
	exchange_tell(x, &(struct exchange_event){
				 .kind = EVENT_BALANCE, .account = account, .asset = asset });
}

void exchange_tell_book(struct exchange *x, const struct pair *pair)
{
	exchange_tell(x, &(struct exchange_event){ .kind = EVENT_BOOK, .pair = pair });
}

static void tell_account(struct exchange *x, const struct account *account)
{
	exchange_tell(x, &(struct exchange_event){ .kind = EVENT_ACCOUNT, .account = account });
}

static void tell_settings(struct exchange *x)
{
	exchange_tell(x, &(struct exchange_event){ .kind = EVENT_SETTINGS });
}

/* ---- time ---- */

void exchange_set_due(struct exchange *x, struct order *order, enum due_kind kind, struct wall due)
{
	list_remove(&order->on_due);
	order->due_kind = kind;
	order->due = due;
	if (kind == DUE_NOTHING)
		return;
	for (struct list_node *node = x->due.head.prev; node != &x->due.head; node = node->prev)
		if (CONTAINER_OF(node, struct order, on_due)->due.us <= due.us) {
			list_insert_before(node->next, &order->on_due);
			return;
		}
	list_push_front(&x->due, &order->on_due);
}

struct wall exchange_next_due(const struct exchange *x)
{
	struct list_node *first = list_first(&x->due);
	struct wall due = { 0 };

	if (first)
		due = CONTAINER_OF(first, struct order, on_due)->due;
	if (x->is_locked && x->locked_until.us && (!due.us || x->locked_until.us < due.us))
		due = x->locked_until;
	return due;
}

static void do_due(struct exchange *x, struct order *order)
{
	enum due_kind kind = order->due_kind;

	exchange_set_due(x, order, DUE_NOTHING, order->due);
	switch (kind) {
	case DUE_NOTHING:
		break;
	case DUE_EXPIRE:
		exchange_expire(x, order);
		break;
	case DUE_MATCH:
		match_order(x, order);
		break;
	case DUE_CANCEL:
		exchange_finish(x, order, ORDER_CANCELLED, "");
		break;
	}
}

void exchange_run(struct exchange *x, struct wall now)
{
	struct wall due;

	while ((due = exchange_next_due(x)).us && due.us <= now.us) {
		if (x->now.us < due.us)
			x->now = due;
		if (x->is_locked && x->locked_until.us && x->locked_until.us <= x->now.us)
			exchange_lock(x, false, 0);
		else
			do_due(x, CONTAINER_OF(list_first(&x->due), struct order, on_due));
	}
	if (x->now.us < now.us)
		x->now = now;
}

void exchange_lock(struct exchange *x, bool is_locked, int64_t for_ms)
{
	x->is_locked = is_locked;
	x->locked_until.us = is_locked && for_ms > 0 ? x->now.us + for_ms * 1000 : 0;
	tell_settings(x);
}

/* ---- accounts ---- */

struct account *exchange_account(const struct exchange *x, const char *name)
{
	return map_get(x->accounts_by_name, name);
}

struct account *exchange_account_by_key(const struct exchange *x, const char *api_key)
{
	return map_get(x->accounts_by_key, api_key);
}

static void give_opkey(struct exchange *x, struct account *account)
{
	struct opkey_root leaf;
	uint8_t public_key[32];

	opkey_make(x->config.seed, account->name, &account->opkey);
	opkey_leaf(&account->opkey, &leaf, public_key);
	opkey_hash(public_key, account->opkey_hash);
	account->has_opkey = true;
}

struct account *exchange_add_account(struct exchange *x, const char *name, const char *api_key,
				     const char *password)
{
	struct account *account = mem_alloc(sizeof(*account));

	list_node_init(&account->node);
	list_init(&account->executions);
	if (!*name || !STR_SET(account->name, name) || !STR_SET(account->api_key, api_key) ||
	    !STR_SET(account->password, password) || exchange_account(x, name) ||
	    (*api_key && exchange_account_by_key(x, api_key))) {
		mem_free(account);
		return NULL;
	}
	draw_uuid(x->config.seed, name, 0, account->id);
	draw_uuid(x->config.seed, name, 1, account->user_id);
	account->created = account->key_created = x->now;
	if (*password)
		give_opkey(x, account);
	list_push_back(&x->accounts, &account->node);
	map_put(x->accounts_by_name, name, account);
	if (*api_key)
		map_put(x->accounts_by_key, api_key, account);
	tell_account(x, account);
	return account;
}

static void change_key(struct exchange *x, struct account *account, const char *key)
{
	if (*account->api_key)
		map_remove(x->accounts_by_key, account->api_key);
	(void)STR_SET(account->api_key, key);
	account->key_created = x->now;
	if (*key)
		map_put(x->accounts_by_key, key, account);
	tell_account(x, account);
}

bool exchange_identify(struct exchange *x, struct account *account, const char *api_key,
		       const char *password)
{
	const struct account *owner = exchange_account_by_key(x, api_key);

	if (!STR_SET(account->password, password))
		return false;
	if (*password && !account->has_opkey)
		give_opkey(x, account);
	if (account->keys_made > 0 || owner == account)
		return true;
	if (owner || strlen(api_key) > API_KEY_MAX)
		return false;
	change_key(x, account, api_key);
	return true;
}

void exchange_new_key(struct exchange *x, struct account *account)
{
	uint8_t bytes[16];
	char key[2 * sizeof(bytes) + 1];

	draw_bytes(x->config.seed, account->id, ++account->keys_made, bytes, sizeof(bytes));
	hex_encode(bytes, sizeof(bytes), key);
	change_key(x, account, key);
}

void exchange_set_opkey(struct exchange *x, struct account *account, const char *blob,
			const char *hash)
{
	if (!STR_SET(account->blob, blob) || !STR_SET(account->opkey_hash, hash))
		return;
	account->has_opkey = true;
	tell_account(x, account);
}

bool exchange_credit(struct exchange *x, struct account *account, const struct asset *asset,
		     int64_t units)
{
	struct balance *balance = &account->balances[asset->id];

	if (units > AMOUNT_MAX || units < -balance->free || balance->free > AMOUNT_MAX - units)
		return false;
	balance->free += units;
	balance->is_known = true;
	exchange_tell_balance(x, account, asset);
	return true;
}

void exchange_take_transfer(struct exchange *x, struct transfer *transfer)
{
	transfer->created = x->now;
	list_push_back(&x->transfers, &transfer->node);
	exchange_tell(x, &(struct exchange_event){ .kind = EVENT_TRANSFER,
						   .account = transfer->account,
						   .transfer = transfer });
}

/* ---- orders ---- */

struct order *exchange_order(const struct exchange *x, const char *id)
{
	return map_get(x->orders_by_id, id);
}

struct order *exchange_draft(struct account *account, const struct pair *pair)
{
	struct order *order = mem_alloc(sizeof(*order));

	list_node_init(&order->node);
	list_node_init(&order->on_book);
	list_node_init(&order->on_due);
	list_init(&order->executions);
	order->account = account;
	order->pair = pair;
	order->slippage_bp = -1;
	return order;
}

static bool is_live(enum order_status status)
{
	return status == ORDER_PROCESSING || status == ORDER_OPEN;
}

void exchange_adopt(struct exchange *x, struct order *order)
{
	list_push_back(&x->orders, &order->node);
	map_put(x->orders_by_id, order->id, order);
	order->account->live_orders += is_live(order->status);
}

void exchange_admit(struct exchange *x, struct order *draft)
{
	struct account *account = draft->account;
	char series[NAME_MAX_LEN + 8];

	snprintf(series, sizeof(series), "order:%s", account->name);
	draw_uuid(x->config.seed, series, account->orders_made++, draft->id);
	draft->created = draft->updated = x->now;
	exchange_adopt(x, draft);
}

void exchange_set_status(struct exchange *x, struct order *order, enum order_status status)
{
	order->account->live_orders -= is_live(order->status);
	order->account->live_orders += is_live(status);
	order->status = status;
	order->updated = x->now;
}

int64_t order_held(const struct order *order)
{
	return order->side == SIDE_BUY ? order->locked_quote_units : order->locked_base_units;
}

void exchange_hold(struct exchange *x, struct order *order, int64_t units)
{
	const struct asset *asset = order_pays(order);
	struct balance *balance = &order->account->balances[asset->id];
	int64_t more = units - order_held(order);

	if (more == 0)
		return;
	balance->free -= more;
	balance->locked += more;
	if (order->side == SIDE_BUY)
		order->locked_quote_units = units;
	else
		order->locked_base_units = units;
	exchange_tell_balance(x, order->account, asset);
}

/* The market maker requotes for ever; what it did in vain is forgotten after a while. */
static void retire(struct exchange *x, struct order *order)
{
	struct order *oldest;

	list_push_back(&x->retired, &order->on_due);
	if (x->retired_count++ < RETIRED_KEPT)
		return;
	x->retired_count--;
	oldest = CONTAINER_OF(list_first(&x->retired), struct order, on_due);
	map_remove(x->orders_by_id, oldest->id);
	order_destroy(oldest);
}

void exchange_finish(struct exchange *x, struct order *order, enum order_status status,
		     const char *failure)
{
	bool was_listed = list_has(&order->on_book);

	book_remove(order);
	exchange_set_due(x, order, DUE_NOTHING, order->due);
	exchange_hold(x, order, 0);
	(void)STR_SET(order->failure, failure);
	exchange_set_status(x, order, status);
	exchange_tell_order(x, order);
	if (was_listed)
		exchange_tell_book(x, order->pair);
	if (order->account->is_maker && list_is_empty(&order->executions))
		retire(x, order);
}

bool exchange_expire(struct exchange *x, struct order *order)
{
	if (order->status != ORDER_BUILDING)
		return false;
	exchange_finish(x, order, ORDER_FAILED, "expired before it was submitted");
	return true;
}

static void accept_cancel(struct exchange *x, struct order *order)
{
	int64_t delay_ms = draw_range(x->config.seed, "delay:cancel", x->submits_made++,
				      x->config.cancel_delay.low, x->config.cancel_delay.high);

	if (delay_ms == 0)
		exchange_finish(x, order, ORDER_CANCELLED, "");
	else if (order->due_kind != DUE_CANCEL)
		exchange_set_due(x, order, DUE_CANCEL,
				 (struct wall){ x->now.us + delay_ms * 1000 });
}

enum code exchange_cancel(struct exchange *x, struct account *account, const char *id)
{
	struct order *order = exchange_order(x, id);

	if (x->is_locked)
		return CODE_LOCKED;
	if (!order || (account && order->account != account))
		return CODE_NO_ORDER;
	order->cancels++;
	if (order_is_final(order))
		return CODE_NOT_OPEN;
	if (order->status != ORDER_OPEN)
		return CODE_ORDER_STATE;
	accept_cancel(x, order);
	return CODE_DONE;
}

enum code exchange_cancel_all(struct exchange *x, struct account *account, const char *symbol,
			      void (*fn)(void *arg, const struct order *order), void *arg)
{
	const struct pair *pair = market_pair(symbol);
	bool has_any = false;

	if (x->is_locked)
		return CODE_LOCKED;
	if (!pair)
		return CODE_SYMBOL;
	LIST_EACH_SAFE (&x->orders, node) {
		struct order *order = CONTAINER_OF(node, struct order, node);

		if (order->account != account || order->pair != pair || order->status != ORDER_OPEN)
			continue;
		has_any = true;
		order->cancels++;
		fn(arg, order);
		accept_cancel(x, order);
	}
	return has_any ? CODE_DONE : CODE_NO_ORDER;
}
