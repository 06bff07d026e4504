#include "sim/store.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"
#include "sim/exchange.h"
#include "sim/fields.h"

#define GROUP_MAX   ((size_t)1 << 28) /* bytes between two commits */
#define FORMAT      1
#define TX_TEXT_MAX 65536

struct store {
	struct exchange *x;
	int64_t advanced_us;
	int fd;
	bool is_changed; /* settings that only the commit line carries */
	struct buf group;
};

/* ---- writing ---- */

static void put_line(struct buf *to, json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);

	if (text) {
		buf_add_str(to, text);
		buf_add_char(to, '\n');
	}
	free(text);
	json_decref(object);
}

static void put_order(struct buf *to, const struct order *order)
{
	json_t *object = json_pack("{s:s,s:s,s:s,s:I}", "t", "order", "account",
				   order->account->name, "symbol", order->pair->symbol, "made",
				   (json_int_t)order->account->orders_made);
	json_t *answers = json_array();

	fields_save(object, order, order_fields);
	for (unsigned i = 0; i < order->submits && i < SUBMITS_MAX; i++)
		json_array_append_new(answers, json_integer(order->submit_answers[i]));
	json_object_set_new(object, "submit_answers", answers);
	put_line(to, object);
}

/* Needed until the order is submitted. */
static void put_tx(struct buf *to, const struct order *order)
{
	struct buf hex;

	buf_init(&hex, TX_TEXT_MAX);
	buf_add_hex(&hex, order->tx, order->tx_len);
	put_line(to, json_pack("{s:s,s:s,s:s}", "t", "tx", "id", order->id, "tx", buf_str(&hex)));
	buf_fini(&hex);
}

static void put_fill(struct buf *to, const struct execution *fill)
{
	json_t *object = json_pack("{s:s,s:s}", "t", "fill", "order", fill->order->id);

	fields_save(object, fill, execution_fields);
	put_line(to, object);
}

static void put_account(struct buf *to, const struct account *account)
{
	json_t *object = json_pack("{s:s}", "t", "account");

	fields_save(object, account, account_fields);
	put_line(to, object);
}

static void put_balance(struct buf *to, const struct account *account, const struct asset *asset)
{
	const struct balance *balance = &account->balances[asset->id];

	put_line(to, json_pack("{s:s,s:s,s:s,s:I,s:I}", "t", "balance", "account", account->name,
			       "asset", asset->symbol, "free", (json_int_t)balance->free, "locked",
			       (json_int_t)balance->locked));
}

static void put_transfer(struct buf *to, const struct transfer *transfer)
{
	json_t *object =
		json_pack("{s:s,s:s}", "t", "transfer", "account", transfer->account->name);
	json_t *units = json_array();

	fields_save(object, transfer, transfer_fields);
	for (size_t i = 0; i < ASSET_COUNT; i++)
		json_array_append_new(units, json_integer(transfer->units[i]));
	json_object_set_new(object, "units", units);
	put_line(to, object);
}

static void put_commit(struct store *store)
{
	const struct exchange *x = store->x;

	put_line(&store->group,
		 json_pack("{s:s,s:i,s:I,s:I,s:I,s:b,s:I}", "t", "commit", "format", FORMAT, "seed",
			   (json_int_t)x->config.seed, "submits", (json_int_t)x->submits_made,
			   "advanced_us", (json_int_t)store->advanced_us, "is_locked", x->is_locked,
			   "locked_until", (json_int_t)x->locked_until.us));
}

/* The market maker's doings matter only where others traded with it. */
static bool is_kept(const struct order *order)
{
	return !order->account->is_maker || order->executed_base_units > 0;
}

static void on_event(void *arg, const struct exchange_event *event)
{
	struct store *store = arg;
	struct buf *to = &store->group;

	switch (event->kind) {
	case EVENT_ORDER:
	case EVENT_SUBMIT:
		if (!is_kept(event->order))
			break;
		put_order(to, event->order);
		if (event->order->status == ORDER_BUILDING && event->kind == EVENT_ORDER)
			put_tx(to, event->order);
		break;
	case EVENT_EXECUTION:
		put_order(to, event->order); /* a fill line names an order that is there */
		put_fill(to, event->execution);
		break;
	case EVENT_BALANCE:
		if (!event->account->is_maker)
			put_balance(to, event->account, event->asset);
		break;
	case EVENT_ACCOUNT:
		put_account(to, event->account);
		break;
	case EVENT_TRANSFER:
		put_transfer(to, event->transfer);
		break;
	case EVENT_SETTINGS:
		store->is_changed = true;
		break;
	case EVENT_TRADE: /* the taker's execution tells as much */
	case EVENT_BOOK:
		break;
	}
}

static bool write_all(int fd, const char *bytes, size_t len, struct err *err)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, ERR_IO, "data file: %s", strerror(errno));
		bytes += n;
		len -= (size_t)n;
	}
	if (fdatasync(fd) != 0)
		return err_set(err, ERR_IO, "data file: %s", strerror(errno));
	return true;
}

bool store_commit(struct store *store, struct err *err)
{
	bool is_done;

	if (!store || (store->group.len == 0 && !store->is_changed))
		return true;
	put_commit(store);
	if (store->group.is_full)
		return err_set(err, ERR_IO, "data file: a group of changes is too large");
	is_done = write_all(store->fd, store->group.data, store->group.len, err);
	buf_clear(&store->group);
	store->is_changed = false;
	return is_done;
}

void store_set_advanced(struct store *store, int64_t advanced_us)
{
	if (!store)
		return;
	store->advanced_us = advanced_us;
	store->is_changed = true;
}

/* ---- reading ---- */

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static bool load_account(struct store *store, const json_t *object)
{
	struct exchange *x = store->x;
	const char *name = text_of(object, "name");
	struct account *account = exchange_account(x, name);

	/* Made without key: the key that counts is the one of the last line. */
	if (!account && !(account = exchange_add_account(x, name, "", "")))
		return false;
	return fields_load(object, account, account_fields);
}

static bool load_balance(struct store *store, const json_t *object)
{
	struct account *account = exchange_account(store->x, text_of(object, "account"));
	const struct asset *asset = market_asset(text_of(object, "asset"));
	struct balance *balance;

	if (!account || !asset)
		return false;
	balance = &account->balances[asset->id];
	balance->free = json_integer_value(json_object_get(object, "free"));
	balance->locked = json_integer_value(json_object_get(object, "locked"));
	balance->is_known = true;
	return true;
}

static void load_answers(const json_t *object, struct order *order)
{
	const json_t *answers = json_object_get(object, "submit_answers");

	for (size_t i = 0; i < SUBMITS_MAX; i++)
		order->submit_answers[i] = (int)json_integer_value(json_array_get(answers, i));
}

static bool load_order(struct store *store, const json_t *object)
{
	struct account *account = exchange_account(store->x, text_of(object, "account"));
	const struct pair *pair = market_pair(text_of(object, "symbol"));
	struct order *order = exchange_order(store->x, text_of(object, "id"));
	bool is_new = !order;

	if (!account || !pair)
		return false;
	if (is_new)
		order = exchange_draft(account, pair);
	if (!fields_load(object, order, order_fields)) {
		if (is_new)
			order_destroy(order);
		return false;
	}
	load_answers(object, order);
	account->orders_made = (uint64_t)json_integer_value(json_object_get(object, "made"));
	if (is_new)
		exchange_adopt(store->x, order);
	return true;
}

static bool load_tx(struct store *store, const json_t *object)
{
	struct order *order = exchange_order(store->x, text_of(object, "id"));
	const char *hex = text_of(object, "tx");
	size_t room = strlen(hex) / 2;

	if (!order || room == 0 || room > TX_TEXT_MAX)
		return false;
	mem_free(order->tx);
	order->tx = mem_alloc(room);
	return hex_decode(hex, strlen(hex), order->tx, room, &order->tx_len);
}

static void load_trade(struct exchange *x, const struct execution *fill)
{
	struct exchange_market *market = &x->markets[fill->order->pair->id];
	struct trade *trade;

	if (fill->role != ROLE_TAKER)
		return;
	trade = mem_alloc(sizeof(*trade));
	trade->at = fill->at;
	trade->price = fill->price;
	trade->base_units = fill->base_units;
	trade->taker_side = fill->order->side;
	list_push_back(&market->trades, &trade->node);
	market->trade_count++;
	market->last_price = fill->price;
}

static bool load_fill(struct store *store, const json_t *object)
{
	struct exchange *x = store->x;
	struct order *order = exchange_order(x, text_of(object, "order"));
	struct execution *fill = mem_alloc(sizeof(*fill));

	if (!order || !fields_load(object, fill, execution_fields)) {
		mem_free(fill);
		return false;
	}
	fill->order = order;
	list_push_back(&order->executions, &fill->of_order);
	list_push_back(&order->account->executions, &fill->of_account);
	list_push_back(&x->executions, &fill->of_exchange);
	x->executions_made++;
	load_trade(x, fill);
	return true;
}

static bool load_transfer(struct store *store, const json_t *object)
{
	struct transfer *transfer = mem_alloc(sizeof(*transfer));
	const json_t *units = json_object_get(object, "units");

	transfer->account = exchange_account(store->x, text_of(object, "account"));
	if (!transfer->account || !fields_load(object, transfer, transfer_fields)) {
		mem_free(transfer);
		return false;
	}
	for (size_t i = 0; i < ASSET_COUNT; i++)
		transfer->units[i] = json_integer_value(json_array_get(units, i));
	list_push_back(&store->x->transfers, &transfer->node);
	return true;
}

static const struct {
	const char *type;
	bool (*load)(struct store *store, const json_t *object);
} loaders[] = {
	{ "account", load_account }, { "balance", load_balance }, { "order", load_order },
	{ "tx", load_tx },           { "fill", load_fill },       { "transfer", load_transfer },
};

static bool load_line(struct store *store, const json_t *object)
{
	const char *type = text_of(object, "t");

	for (size_t i = 0; i < ARRAY_LEN(loaders); i++)
		if (strcmp(loaders[i].type, type) == 0)
			return loaders[i].load(store, object);
	return false;
}

static bool load_commit(struct store *store, const json_t *object, struct err *err)
{
	struct exchange *x = store->x;

	if (json_integer_value(json_object_get(object, "format")) != FORMAT)
		return err_set(err, ERR_CONFIG, "the data file is of another version");
	if ((uint64_t)json_integer_value(json_object_get(object, "seed")) != x->config.seed)
		return err_set(err, ERR_CONFIG, "the data file is of another seed");
	x->submits_made = (uint64_t)json_integer_value(json_object_get(object, "submits"));
	x->is_locked = json_is_true(json_object_get(object, "is_locked"));
	x->locked_until.us = json_integer_value(json_object_get(object, "locked_until"));
	store->advanced_us = json_integer_value(json_object_get(object, "advanced_us"));
	return true;
}

/* Applies the lines before a commit line. */
static bool load_group(struct store *store, const json_t *lines, const json_t *commit,
		       struct err *err)
{
	size_t i;
	json_t *line;

	json_array_foreach(lines, i, line)
	{
		if (!load_line(store, line))
			return err_set(err, ERR_CONFIG, "the data file is damaged");
	}
	return load_commit(store, commit, err);
}

/* A tail without its commit line was never answered for, and is left out. */
static bool load_file(struct store *store, FILE *file, struct err *err)
{
	json_t *lines = json_array();
	char *text = NULL;
	size_t room = 0;
	ssize_t len;
	bool is_good = true;

	while (is_good && (len = getline(&text, &room, file)) > 0) {
		json_t *line = json_loadb(text, (size_t)len, 0, NULL);

		if (!line)
			break;
		if (strcmp(text_of(line, "t"), "commit") != 0) {
			json_array_append_new(lines, line);
			continue;
		}
		is_good = load_group(store, lines, line, err);
		json_array_clear(lines);
		json_decref(line);
	}
	free(text);
	json_decref(lines);
	return is_good;
}

/* ---- after reading: books, timers, counts ---- */

static int by_rank(const void *a, const void *b)
{
	const struct order *first = *(struct order *const *)a, *second = *(struct order *const *)b;

	return (first->rank > second->rank) - (first->rank < second->rank);
}

static void relist(struct exchange *x, struct order **open, size_t count)
{
	qsort(open, count, sizeof(struct order *), by_rank);
	for (size_t i = 0; i < count; i++) {
		book_add(&x->markets[open[i]->pair->id].book, open[i]);
		x->ranks_made = open[i]->rank;
	}
}

static void restore_order(struct exchange *x, struct order *order)
{
	if (x->now.us < order->updated.us)
		x->now = order->updated;
	if (order->account->is_maker && !order_is_final(order)) {
		order->status = ORDER_CANCELLED;
		order->locked_base_units = order->locked_quote_units = 0;
	}
	if (order->status == ORDER_PROCESSING || order->status == ORDER_OPEN)
		order->account->live_orders++;
	exchange_set_due(x, order, order_is_final(order) ? DUE_NOTHING : order->due_kind,
			 order->due);
}

static void restore(struct exchange *x)
{
	struct order **open;
	size_t count = 0;

	LIST_EACH (&x->accounts, node) {
		struct account *account = CONTAINER_OF(node, struct account, node);

		account->live_orders = 0;
		if (*account->api_key)
			map_put(x->accounts_by_key, account->api_key, account);
		if (account->has_opkey)
			opkey_make(x->config.seed, account->name, &account->opkey);
	}
	LIST_EACH (&x->orders, node) {
		restore_order(x, CONTAINER_OF(node, struct order, node));
		count++;
	}
	open = mem_array(count + 1, sizeof(struct order *));
	count = 0;
	LIST_EACH (&x->orders, node) {
		struct order *order = CONTAINER_OF(node, struct order, node);

		if (order->status == ORDER_OPEN)
			open[count++] = order;
	}
	relist(x, open, count);
	mem_free(open);
}

/* ---- opening ---- */

static void put_everything(struct store *store)
{
	struct exchange *x = store->x;

	LIST_EACH (&x->accounts, node) {
		const struct account *account = CONTAINER_OF(node, struct account, node);

		put_account(&store->group, account);
		for (size_t i = 0; i < ASSET_COUNT; i++)
			if (account->balances[i].is_known && !account->is_maker)
				put_balance(&store->group, account, &market_assets[i]);
	}
	LIST_EACH (&x->orders, node) {
		const struct order *order = CONTAINER_OF(node, struct order, node);

		put_order(&store->group, order);
		if (order->status == ORDER_BUILDING)
			put_tx(&store->group, order);
	}
	LIST_EACH (&x->executions, node) {
		put_fill(&store->group, CONTAINER_OF(node, struct execution, of_exchange));
	}
	LIST_EACH (&x->transfers, node) {
		put_transfer(&store->group, CONTAINER_OF(node, struct transfer, node));
	}
}

/* The short form replaces the file in one step. */
static bool rewrite(struct store *store, const char *path, struct err *err)
{
	struct buf name;

	buf_init(&name, 4096);
	buf_printf(&name, "%s.new", path);
	store->fd = open(buf_str(&name), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (store->fd < 0) {
		(void)err_set(err, ERR_IO, "%s: %s", buf_str(&name), strerror(errno));
		goto out;
	}
	put_everything(store);
	store->is_changed = true;
	if (!store_commit(store, err))
		goto out;
	if (rename(buf_str(&name), path) != 0)
		(void)err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
	else {
		buf_fini(&name);
		return true;
	}
out:
	buf_fini(&name);
	return false;
}

static bool load(struct store *store, const char *path, struct err *err)
{
	FILE *file = fopen(path, "re");
	bool is_good;

	if (!file && errno == ENOENT)
		return true;
	if (!file)
		return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
	is_good = load_file(store, file, err) || err_prefix(err, "%s", path);
	fclose(file);
	restore(store->x);
	return is_good;
}

bool store_open(const char *path, struct exchange *x, int64_t *advanced_us, struct store **result,
		struct err *err)
{
	struct store *store = mem_alloc(sizeof(*store));

	store->x = x;
	store->fd = -1;
	buf_init(&store->group, GROUP_MAX);
	if (!load(store, path, err) || !rewrite(store, path, err)) {
		store_close(store);
		return false;
	}
	exchange_subscribe(x, on_event, store);
	*advanced_us = store->advanced_us;
	*result = store;
	return true;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	if (store->fd >= 0)
		close(store->fd);
	buf_fini(&store->group);
	mem_free(store);
}
