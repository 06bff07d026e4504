#include "client/wire_stream.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "client/wire.h"
#include "client/wire_json.h"

#define LEVELS_READ_MAX 20000 /* of a side, before the worst are dropped */

static bool unreadable(struct err *err, const char *what)
{
	return err_set(err, ERR_EXCHANGE_ANSWER, "the exchange's message %s", what);
}

/* ---- what may be shown of a message ------------------------------------------------------ */

/* No number, and no key of ours: those have digits first or are longer. */
static bool is_plain_word(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
	size_t len = strlen(text);

	return len > 0 && len < WIRE_WORD_LEN && strspn(text, letters) > 0 &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") ==
		       len;
}

static void get_word(const json_t *value, char word[WIRE_WORD_LEN])
{
	if (!value)
		word[0] = '\0';
	else if (!wire_get_text(value, word, WIRE_WORD_LEN) || !is_plain_word(word))
		mem_str_set(word, WIRE_WORD_LEN, "?");
}

/* The last of the room is kept for saying that there are more. */
static void list_keys(json_t *object, char keys[WIRE_KEYS_LEN])
{
	static const char more[] = ",...";
	size_t used = 0;
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		const char *word = is_plain_word(name) ? name : "?";
		size_t len = strlen(word) + (used > 0);

		if (used + len + sizeof(more) > WIRE_KEYS_LEN) {
			memcpy(keys + used, more, sizeof(more));
			return;
		}
		if (used > 0)
			keys[used] = ',';
		memcpy(keys + used + (used > 0), word, strlen(word) + 1);
		used += len;
	}
}

/* ---- the account's ----------------------------------------------------------------------- */

static bool read_order(const struct wire_doc *doc, const char *symbol, struct wire_message *message,
		       struct err *err)
{
	(void)symbol;
	message->content = WIRE_ORDER;
	return wire_order_read(doc, &message->order, err);
}

static bool read_balances(const struct wire_doc *doc, const char *symbol,
			  struct wire_message *message, struct err *err)
{
	struct err why; /* names the asset, which is not for the log */

	(void)symbol;
	message->content = WIRE_BALANCES;
	return wire_balances_read(doc, &message->balances, &message->balance_count, &why) ||
	       unreadable(err, "has no usable list of balances");
}

/* ---- depth ------------------------------------------------------------------------------- */

static bool read_level(const json_t *value, void *item, struct err *err)
{
	struct dd_level *to = item;
	bool is_pair = json_is_array(value);
	const json_t *price = is_pair ? json_array_get(value, 0) : wire_find(value, "price", NULL);
	const json_t *quantity =
		is_pair ? json_array_get(value, 1) : wire_find(value, "quantity", NULL);

	if (!wire_get_quote(price, &to->price) || decimal_sign(to->price) <= 0)
		return err_set(err, ERR_EXCHANGE_ANSWER, "no usable price");
	if (!wire_get_quote(quantity, &to->quantity) || decimal_sign(to->quantity) < 0)
		return err_set(err, ERR_EXCHANGE_ANSWER, "no usable quantity");
	return true;
}

static int by_price_rising(const void *a, const void *b)
{
	return decimal_cmp(((const struct dd_level *)a)->price,
			   ((const struct dd_level *)b)->price);
}

static int by_price_falling(const void *a, const void *b)
{
	return by_price_rising(b, a);
}

static size_t drop_empty(struct dd_level *levels, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (decimal_sign(levels[i].quantity) > 0)
			levels[kept++] = levels[i];
	return kept;
}

static bool is_sorted(const struct dd_level *levels, size_t count,
		      int (*order)(const void *a, const void *b))
{
	for (size_t i = 1; i < count; i++)
		if (order(&levels[i - 1], &levels[i]) > 0)
			return false;
	return true;
}

/* One level that cannot be read makes the whole book wrong. */
static bool read_side(const json_t *list, int (*order)(const void *a, const void *b),
		      struct dd_level **levels, size_t *count, struct err *err)
{
	static const struct wire_kind kind = {
		.name = "level",
		.size = sizeof(struct dd_level),
		.count_max = LEVELS_READ_MAX,
		.read = read_level,
	};
	void *items;

	if (list && !json_is_array(list))
		return unreadable(err, "has a side of the book that is no list");
	if (!wire_array_read(list, &kind, &items, count, err))
		return false;
	*levels = items;
	*count = drop_empty(items, *count);
	if (!is_sorted(items, *count, order))
		qsort(items, *count, sizeof(**levels), order);
	if (*count > WIRE_LEVELS_MAX)
		*count = WIRE_LEVELS_MAX;
	return true;
}

static bool read_depth(const struct wire_doc *doc, const char *symbol, struct wire_message *message,
		       struct err *err)
{
	const json_t *book = wire_unwrap(doc->root, (const char *const[]){ "data", NULL });
	struct dd_depth *depth = &message->depth;

	(void)symbol;
	message->content = WIRE_DEPTH;
	/* Either may be null or left out when it is empty, but a book it must be. */
	if (!json_object_get(book, "bids") && !json_object_get(book, "asks"))
		return unreadable(err, "has neither bids nor asks");
	if (!read_side(wire_find(book, "bids", NULL), by_price_falling, &message->bids,
		       &depth->bid_count, err) ||
	    !read_side(wire_find(book, "asks", NULL), by_price_rising, &message->asks,
		       &depth->ask_count, err))
		return false;
	depth->bids = message->bids;
	depth->asks = message->asks;
	wire_get_time(wire_find(book, "timestamp", NULL), &depth->at);
	return true;
}

/* ---- price ------------------------------------------------------------------------------- */

static bool read_price(const struct wire_doc *doc, const char *symbol, struct wire_message *message,
		       struct err *err)
{
	(void)symbol;
	if (!wire_price_read(doc, &message->price, err))
		return false;
	if (decimal_sign(message->price) < 0)
		return unreadable(err, "has a price below zero");
	/* Zero: nothing was traded yet. */
	message->content = decimal_sign(message->price) > 0 ? WIRE_PRICE : WIRE_NOTHING;
	return true;
}

/* ---- trades ------------------------------------------------------------------------------ */

struct ranked {
	struct dd_trade trade;
	size_t rank; /* where it stood; newest first */
};

static bool get_symbol(const json_t *value, char symbol[DD_SYMBOL_LEN])
{
	return !value || wire_get_text(value, symbol, DD_SYMBOL_LEN);
}

static bool read_trade(const json_t *value, void *item, struct err *err)
{
	struct dd_trade *to = &((struct ranked *)item)->trade;
	char side[8] = "";

	wire_get_text(wire_find(value, "side", NULL), side, sizeof(side));
	to->side = strcasecmp(side, "sell") == 0 ? DD_SELL : DD_BUY;
	if (to->side == DD_BUY && strcasecmp(side, "buy") != 0)
		return err_set(err, ERR_EXCHANGE_ANSWER, "no usable side");
	if (!get_symbol(wire_find(value, "symbol", NULL), to->symbol))
		return err_set(err, ERR_EXCHANGE_ANSWER, "no usable symbol");
	if (!wire_get_time(wire_find(value, "timestamp", NULL), &to->at))
		return err_set(err, ERR_EXCHANGE_ANSWER, "no usable timestamp");
	if (!wire_get_quote(wire_find(value, "price", NULL), &to->price) ||
	    decimal_sign(to->price) <= 0)
		return err_set(err, ERR_EXCHANGE_ANSWER, "no usable price");
	if (!wire_get_quote(wire_find(value, "amount", "quantity", NULL), &to->base_qty) ||
	    decimal_sign(to->base_qty) <= 0)
		return err_set(err, ERR_EXCHANGE_ANSWER, "no usable amount");
	return true;
}

/* Trades of one moment, which one taker's order makes, keep their order. */
static int oldest_first(const void *a, const void *b)
{
	const struct ranked *one = a, *two = b;

	if (one->trade.at.us != two->trade.at.us)
		return one->trade.at.us < two->trade.at.us ? -1 : 1;
	return one->rank > two->rank ? -1 : 1;
}

/* A new reference: the array, or one made around a lone object. */
static json_t *list_of_trades(json_t *root)
{
	json_t *inner = wire_find(root, "data", NULL);
	json_t *list;

	if (!inner)
		inner = root;
	if (json_is_array(inner))
		return json_incref(inner);
	list = json_array();
	json_array_append(list, inner);
	return list;
}

static void keep_trades(struct ranked *ranked, size_t count, const char *symbol,
			struct wire_message *message)
{
	message->trades = count > 0 ? mem_array(count, sizeof(*message->trades)) : NULL;
	for (size_t i = 0; i < count; i++) {
		struct dd_trade *trade = &ranked[i].trade;

		if (trade->symbol[0] != '\0' && strcasecmp(trade->symbol, symbol) != 0)
			continue;
		STR_SET(trade->symbol, symbol);
		message->trades[message->trade_count++] = *trade;
	}
}

static bool read_trades(const struct wire_doc *doc, const char *symbol,
			struct wire_message *message, struct err *err)
{
	static const struct wire_kind kind = {
		.name = "trade",
		.size = sizeof(struct ranked),
		.count_max = WIRE_TRADES_MAX,
		.read = read_trade,
		.skips_bad = true,
	};
	json_t *list = list_of_trades(doc->root);
	size_t told = json_array_size(list), count;
	struct ranked *ranked;
	void *items;
	bool ok;

	message->content = WIRE_TRADES;
	ok = wire_array_read(list, &kind, &items, &count, err);
	json_decref(list);
	if (!ok)
		return false;
	ranked = items;
	for (size_t i = 0; i < count; i++)
		ranked[i].rank = i;
	if (count > 1)
		qsort(ranked, count, sizeof(*ranked), oldest_first);
	keep_trades(ranked, count, symbol, message);
	message->skipped = told - message->trade_count;
	message->unread = told - count;
	mem_free(ranked);
	return true;
}

/* ---- any message ------------------------------------------------------------------------- */

static const struct form {
	enum dd_stream_kind kind;
	const char *sub_type; /* NULL: whatever it says; "": none */
	/* NULL: of no use to us */
	bool (*read)(const struct wire_doc *doc, const char *symbol, struct wire_message *message,
		     struct err *err);
} forms[] = {
	{ DD_STREAM_ACCOUNT, "order_info", read_order },
	{ DD_STREAM_ACCOUNT, "balance", read_balances },
	{ DD_STREAM_ACCOUNT, "dlta_points", NULL },
	/* Pages of 2025, pushed after connecting; removed from the documents in January 2026. */
	{ DD_STREAM_ACCOUNT, "open_orders", NULL },
	{ DD_STREAM_ACCOUNT, "orders_history", NULL },
	{ DD_STREAM_ACCOUNT, "trading_history", NULL },
	{ DD_STREAM_ACCOUNT, "positions", NULL },
	{ DD_STREAM_DEPTH, NULL, read_depth },
	{ DD_STREAM_PRICE, "", read_price },
	{ DD_STREAM_PRICE, "market_price", read_price },
	{ DD_STREAM_TRADES, NULL, read_trades },
};

static const struct form *form_of(enum dd_stream_kind kind, const char *sub_type)
{
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (forms[i].kind == kind &&
		    (!forms[i].sub_type || strcasecmp(forms[i].sub_type, sub_type) == 0))
			return &forms[i];
	return NULL;
}

/* Capital on the wire, small in one of the exchange's clients, often left out. */
static bool is_other_type(enum dd_stream_kind kind, const json_t *root)
{
	const char *meant = kind == DD_STREAM_ACCOUNT ? "account" : "market";
	const char *type = json_string_value(wire_find(root, "type", NULL));

	return type && strcasecmp(type, meant) != 0;
}

static bool is_keep_alive(const char *text, size_t len)
{
	while (len > 0 && strchr(" \t\r\n", text[len - 1]))
		len--;
	return len == 4 && (strncasecmp(text, "ping", 4) == 0 || strncasecmp(text, "pong", 4) == 0);
}

/* Told in place of a message, as on REST: {"error":...,"code":4010}. Decided by the integer. */
static bool is_error(const struct wire_doc *doc, struct err *err)
{
	struct wire_error error;

	wire_error_read(doc, "", 0, &error);
	if (!error.is_error)
		return false;
	if (error.code > 0 && dd_class_of(error.code) == DD_CLASS_AUTH)
		err_set(err, ERR_EXCHANGE_AUTH, "the exchange refused the API key");
	else
		err_set(err, ERR_EXCHANGE, "the exchange sent an error in place of a message");
	err->exchange_code = error.code;
	return true;
}

static bool read_content(const struct wire_doc *doc, enum dd_stream_kind kind, const char *symbol,
			 struct wire_message *message, struct err *err)
{
	const struct form *form = form_of(kind, message->sub_type);

	if (message->sub_type[0] == '\0' && is_error(doc, err))
		return false;
	if (is_other_type(kind, doc->root) || (!form && message->sub_type[0] != '\0')) {
		message->content = WIRE_UNKNOWN;
		return true;
	}
	if (!form)
		return unreadable(err, "has no sub_type");
	return !form->read || form->read(doc, symbol, message, err);
}

bool wire_message_read(enum dd_stream_kind kind, const char *symbol, const char *text, size_t len,
		       struct wire_message *message, struct err *err)
{
	struct wire_doc doc;
	bool ok;

	memset(message, 0, sizeof(*message));
	if (is_keep_alive(text, len))
		return true;
	if (len > WIRE_MESSAGE_MAX)
		return unreadable(err, "is too long");
	doc.root = wire_json_parse(text, len, err);
	if (!doc.root)
		return false;
	get_word(wire_find(doc.root, "sub_type", NULL), message->sub_type);
	message->content = WIRE_NOTHING;
	list_keys(json_is_array(doc.root) ? json_array_get(doc.root, 0) : doc.root, message->keys);
	ok = read_content(&doc, kind, symbol, message, err);
	json_decref(doc.root);
	return ok;
}

void wire_message_fini(struct wire_message *message)
{
	if (message->order)
		wire_orders_free(message->order, 1);
	wire_balances_free(message->balances);
	mem_free(message->bids);
	mem_free(message->asks);
	mem_free(message->trades);
	memset(message, 0, sizeof(*message));
}
