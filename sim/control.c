#include "sim/control.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/httpd.h"
#include "sim/fault_wire.h"
#include "sim/intake.h"
#include "sim/match.h"
#include "sim/rest.h"
#include "sim/serve.h"
#include "sim/store.h"
#include "sim/wire.h"

#define FOR_MS_MAX INT64_C(86400000)

/* One request below /_sim/. A handler fills reply, or says what is wrong. */
struct control {
	struct sim *sim;
	struct http_request *request;
	const char *param; /* what follows the route's path, for those that end in / */
	json_t *body;      /* an object or array; NULL when there is none */
	struct reply reply;
};

static bool done(struct control *c)
{
	reply_json(&c->reply, 200, json_object());
	return true;
}

static bool filter_get(const struct control *c, const char *name, char *value, size_t room)
{
	value[0] = '\0';
	return http_query_get(c->request, name, value, room) && *value;
}

static struct account *account_of(const struct control *c, struct err *err)
{
	const char *name = rest_string(c->body, "account");
	struct account *account = exchange_account(c->sim->exchange, name ? name : "main");

	if (!account)
		(void)err_set(err, ERR_INVALID, "no account \"%s\"", name ? name : "main");
	return account;
}

/* ---- what happened ---- */

static json_t *headers_of(const struct record_entry *entry)
{
	json_t *object = json_object();

	for (size_t i = 0; i < entry->header_count; i++)
		json_object_set_new(object, entry->headers[i].name,
				    json_string(entry->headers[i].value));
	return object;
}

static json_t *text_or_null(const char *text)
{
	json_t *string = text ? json_string(text) : NULL;

	return string ? string : json_null(); /* also for what is not UTF-8 */
}

static json_t *outcome_of(const struct record_entry *entry)
{
	switch (entry->state) {
	case RECORD_PENDING:
		return json_null();
	case RECORD_DROPPED:
		return json_string("dropped");
	case RECORD_ANSWERED:
		break;
	}
	return json_integer(entry->status);
}

static json_t *log_entry(const struct record_entry *entry)
{
	json_t *object =
		json_pack("{s:I,s:s,s:I,s:I,s:s,s:b}", "seq", (json_int_t)entry->seq, "proto",
			  entry->proto, "arrived_us", (json_int_t)entry->arrived.us, "mono_us",
			  (json_int_t)entry->arrived_mono.us, "method", entry->method, "fault",
			  entry->is_fault);

	json_object_set_new(object, "ended_mono_us", json_integer(entry->ended_mono.us));
	json_object_set_new(object, "path", text_or_null(entry->path));
	json_object_set_new(object, "query", text_or_null(entry->query));
	json_object_set_new(object, "headers", headers_of(entry));
	json_object_set_new(object, "body", text_or_null(entry->body));
	json_object_set_new(object, "body_len", json_integer((json_int_t)entry->body_len));
	json_object_set_new(object, "account", text_or_null(entry->account));
	json_object_set_new(object, "status", outcome_of(entry));
	json_object_set_new(object, "code", json_integer(entry->code));
	return object;
}

static bool get_log(struct control *c, struct err *err)
{
	char since[24], path[256], method[16];
	uint64_t after =
		filter_get(c, "since", since, sizeof(since)) ? strtoull(since, NULL, 10) : 0;
	bool has_path = filter_get(c, "path", path, sizeof(path));
	bool has_method = filter_get(c, "method", method, sizeof(method));
	json_t *array = json_array();

	(void)err;
	LIST_EACH (&c->sim->record.entries, node) {
		const struct record_entry *entry = CONTAINER_OF(node, struct record_entry, node);

		if (entry->seq <= after || (has_path && fnmatch(path, entry->path, 0) != 0) ||
		    (has_method && strcmp(method, entry->method) != 0))
			continue;
		json_array_append_new(array, log_entry(entry));
	}
	reply_json(&c->reply, 200, array);
	return true;
}

static bool clear_log(struct control *c, struct err *err)
{
	(void)err;
	record_clear(&c->sim->record);
	return done(c);
}

static bool get_orders(struct control *c, struct err *err)
{
	char account[NAME_MAX_LEN], symbol[32], status[32], maker[4];
	bool has_account = filter_get(c, "account", account, sizeof(account));
	bool has_symbol = filter_get(c, "symbol", symbol, sizeof(symbol));
	bool has_status = filter_get(c, "status", status, sizeof(status));
	bool has_maker = filter_get(c, "market_maker", maker, sizeof(maker));
	json_t *array = json_array();

	(void)err;
	LIST_EACH (&c->sim->exchange->orders, node) {
		const struct order *order = CONTAINER_OF(node, struct order, node);

		if ((has_account && strcmp(account, order->account->name) != 0) ||
		    (has_symbol && strcmp(symbol, order->pair->symbol) != 0) ||
		    (has_status && strcmp(status, order_status_name(order->status)) != 0) ||
		    (has_maker && (*maker != '0') != order->account->is_maker))
			continue;
		json_array_append_new(array, wire_order_record(order));
	}
	reply_json(&c->reply, 200, array);
	return true;
}

static bool get_order(struct control *c, struct err *err)
{
	const struct order *order = exchange_order(c->sim->exchange, c->param);

	if (!order)
		return err_set(err, ERR_NOT_FOUND, "no order %s", c->param);
	reply_json(&c->reply, 200, wire_order_record(order));
	return true;
}

static bool get_executions(struct control *c, struct err *err)
{
	json_t *array = json_array();

	(void)err;
	LIST_EACH (&c->sim->exchange->executions, node) {
		const struct execution *fill = CONTAINER_OF(node, struct execution, of_exchange);
		json_t *object = wire_execution(fill);

		json_object_set_new(object, "account", json_string(fill->order->account->name));
		json_object_set_new(object, "symbol", json_string(fill->order->pair->symbol));
		json_object_set_new(object, "exact_quote_qty", wire_amount(fill->quote_units));
		json_array_append_new(array, object);
	}
	reply_json(&c->reply, 200, array);
	return true;
}

static bool get_balances(struct control *c, struct err *err)
{
	json_t *object = json_object();

	(void)err;
	LIST_EACH (&c->sim->exchange->accounts, node) {
		const struct account *account = CONTAINER_OF(node, struct account, node);

		json_object_set_new(object, account->name, wire_balances(account));
	}
	reply_json(&c->reply, 200, object);
	return true;
}

static bool get_accounts(struct control *c, struct err *err)
{
	json_t *array = json_array();

	(void)err;
	LIST_EACH (&c->sim->exchange->accounts, node) {
		const struct account *account = CONTAINER_OF(node, struct account, node);

		json_array_append_new(
			array, json_pack("{s:s,s:s,s:s,s:s,s:s,s:b,s:i}", "name", account->name,
					 "account_id", account->id, "user_id", account->user_id,
					 "api_key", account->api_key, "operation_key_hash",
					 account->opkey_hash, "market_maker", account->is_maker,
					 "live_orders", (int)account->live_orders));
	}
	reply_json(&c->reply, 200, array);
	return true;
}

static bool get_book(struct control *c, struct err *err)
{
	char symbol[32];
	const struct pair *pair;

	filter_get(c, "symbol", symbol, sizeof(symbol));
	if (!(pair = market_pair(symbol)))
		return err_set(err, ERR_INVALID, "no symbol \"%s\"", symbol);
	reply_json(&c->reply, 200, wire_book(c->sim->exchange, pair));
	return true;
}

/* There are no streams yet, so nobody is connected. */
static bool get_sockets(struct control *c, struct err *err)
{
	(void)err;
	reply_json(&c->reply, 200, json_array());
	return true;
}

/* ---- making things happen ---- */

static bool read_amount(const struct control *c, const char *name, bool is_signed, int64_t *units,
			struct err *err)
{
	const char *text = rest_string(c->body, name);
	bool is_negative = text && is_signed && *text == '-';
	struct decimal value;

	if (!text || !decimal_parse(text + is_negative, strlen(text + is_negative), &value, err) ||
	    !units_of(value, AMOUNT_SCALE, AMOUNT_MAX, units))
		return err_set(err, ERR_INVALID, "\"%s\" must be a decimal string", name);
	if (is_negative)
		*units = -*units;
	return true;
}

static bool post_credit(struct control *c, struct err *err)
{
	const char *symbol = rest_string(c->body, "asset");
	const struct asset *asset = symbol ? market_asset(symbol) : NULL;
	struct account *account = account_of(c, err);
	int64_t units;

	if (!account || !read_amount(c, "amount", true, &units, err))
		return false;
	if (!asset)
		return err_set(err, ERR_INVALID, "no such asset");
	if (!exchange_credit(c->sim->exchange, account, asset, units))
		return err_set(err, ERR_INVALID, "the balance would be below zero or too large");
	reply_json(&c->reply, 200, wire_balance(account, asset));
	return true;
}

static bool read_decimal(const json_t *body, const char *name, struct decimal *value,
			 struct err *err)
{
	const char *text = rest_string(body, name);

	if (!text)
		return err_set(err, ERR_INVALID, "\"%s\" must be a decimal string", name);
	return decimal_parse(text, strlen(text), value, err);
}

/* Without a price it is a market order that takes what there is. */
static bool read_trade(struct control *c, struct intake *in, struct err *err)
{
	const char *symbol = rest_string(c->body, "symbol");
	const char *side = rest_string(c->body, "side");
	const char *price = rest_string(c->body, "price");

	if (!symbol || !STR_SET(in->symbol, symbol) || !side || !side_parse(side, &in->side))
		return err_set(err, ERR_INVALID, "symbol and side, or order_id, are needed");
	in->type = price ? TYPE_LIMIT : TYPE_MARKET;
	in->has_price = price;
	if (price && (!STR_SET(in->price_text, price) ||
		      !decimal_parse(price, strlen(price), &in->price, err)))
		return false;
	in->has_base = true;
	in->post_only = json_is_true(json_object_get(c->body, "post_only"));
	return read_decimal(c->body, "base_quantity", &in->base, err);
}

static bool trade_on_book(struct control *c, struct err *err)
{
	struct intake in = { 0 };
	struct order *order;
	enum code code;

	if (!read_trade(c, &in, err))
		return false;
	code = intake_place(c->sim->exchange, c->sim->house, &in, &order);
	if (code)
		return err_set(err, ERR_REFUSED, "%d: %s", code, code_message(code));
	reply_json(&c->reply, 200, wire_order_record(order));
	return true;
}

/* Another trader takes from this very order, whatever else rests on the book. */
static bool trade_with(struct control *c, const char *id, struct err *err)
{
	struct exchange *x = c->sim->exchange;
	struct order *maker = exchange_order(x, id);
	struct order *taker;
	int64_t units;

	if (!maker || maker->status != ORDER_OPEN)
		return err_set(err, ERR_INVALID, "order %s does not rest on the book", id);
	units = order_rest_units(maker);
	if (json_object_get(c->body, "base_quantity") &&
	    !read_amount(c, "base_quantity", false, &units, err))
		return false;
	if (units == 0 || units > order_rest_units(maker))
		return err_set(err, ERR_INVALID, "the order does not have so much left");
	if (!(taker = intake_counter(x, c->sim->house, maker, units)))
		return err_set(err, ERR_INVALID, "the other trader cannot pay for it");
	match_one(x, maker, taker, units);
	reply_json(&c->reply, 200, wire_order_record(maker));
	return true;
}

static bool post_trade(struct control *c, struct err *err)
{
	const char *id = rest_string(c->body, "order_id");

	return id ? trade_with(c, id, err) : trade_on_book(c, err);
}

static bool post_faults(struct control *c, struct err *err)
{
	if (!fault_wire_add(&c->sim->faults, c->body, err))
		return false;
	reply_json(&c->reply, 200, fault_wire_list(&c->sim->faults));
	return true;
}

static bool get_faults(struct control *c, struct err *err)
{
	(void)err;
	reply_json(&c->reply, 200, fault_wire_list(&c->sim->faults));
	return true;
}

static bool clear_faults(struct control *c, struct err *err)
{
	(void)err;
	faults_clear(&c->sim->faults);
	return done(c);
}

static bool read_ms(const struct control *c, const char *name, int64_t *ms, struct err *err)
{
	const json_t *field = json_object_get(c->body, name);

	*ms = json_integer_value(field);
	if ((field && !json_is_integer(field)) || *ms < 0 || *ms > FOR_MS_MAX)
		return err_set(err, ERR_INVALID, "\"%s\" must be 0 to a day, in milliseconds",
			       name);
	return true;
}

static bool post_lock(struct control *c, struct err *err)
{
	const json_t *locked = json_object_get(c->body, "locked");
	int64_t for_ms;

	if (!read_ms(c, "for_ms", &for_ms, err))
		return false;
	exchange_lock(c->sim->exchange, !locked || json_is_true(locked), for_ms);
	return done(c);
}

static bool clear_lock(struct control *c, struct err *err)
{
	(void)err;
	exchange_lock(c->sim->exchange, false, 0);
	return done(c);
}

static bool get_lock(struct control *c, struct err *err)
{
	(void)err;
	reply_json(&c->reply, 200, json_pack("{s:b}", "locked", c->sim->exchange->is_locked));
	return true;
}

static bool post_restart(struct control *c, struct err *err)
{
	const char *phase = rest_string(c->body, "phase");
	struct mono now = mono_now();
	int64_t for_ms, unavailable_ms;

	if (!read_ms(c, "for_ms", &for_ms, err))
		return false;
	unavailable_ms = for_ms / 2;
	if (phase && strcmp(phase, "503") == 0)
		unavailable_ms = for_ms;
	else if (phase && strcmp(phase, "403") == 0)
		unavailable_ms = 0;
	else if (phase)
		return err_set(err, ERR_INVALID, "\"phase\" must be \"503\" or \"403\"");
	c->sim->restart.until = mono_after_ms(now, for_ms);
	c->sim->restart.forbidden_from = mono_after_ms(now, unavailable_ms);
	return done(c);
}

static bool clear_restart(struct control *c, struct err *err)
{
	(void)err;
	c->sim->restart.until.us = 0;
	return done(c);
}

static bool post_drop(struct control *c, struct err *err)
{
	(void)err;
	reply_json(&c->reply, 200,
		   json_pack("{s:I}", "dropped", (json_int_t)serve_drop_all(c->sim)));
	return true;
}

static bool post_clock(struct control *c, struct err *err)
{
	int64_t ms;

	if (!read_ms(c, "advance_ms", &ms, err))
		return false;
	c->sim->advanced_us += ms * 1000;
	store_set_advanced(c->sim->store, c->sim->advanced_us);
	sim_run(c->sim);
	reply_json(&c->reply, 200, json_pack("{s:o}", "now", wire_time(sim_now(c->sim))));
	return true;
}

static bool post_expire(struct control *c, struct err *err)
{
	const char *id = rest_string(c->body, "order_id");
	struct order *order = id ? exchange_order(c->sim->exchange, id) : NULL;

	if (!order || !exchange_expire(c->sim->exchange, order))
		return err_set(err, ERR_INVALID, "no such building order");
	reply_json(&c->reply, 200, wire_order_record(order));
	return true;
}

static bool read_market_price(const struct control *c, const char *name, int64_t *price,
			      struct err *err)
{
	struct decimal value;

	if (!json_object_get(c->body, name))
		return true;
	if (!read_decimal(c->body, name, &value, err))
		return false;
	if (!units_of(value, PRICE_SCALE, PRICE_MAX, price))
		return err_set(err, ERR_INVALID, "\"%s\" is no price", name);
	return true;
}

static bool post_market(struct control *c, struct err *err)
{
	const char *symbol = rest_string(c->body, "symbol");
	const struct pair *pair = symbol ? market_pair(symbol) : NULL;
	struct exchange_market *market;

	if (!pair)
		return err_set(err, ERR_INVALID, "no such symbol");
	market = &c->sim->exchange->markets[pair->id];
	return read_market_price(c, "min_price", &market->price_min, err) &&
	       read_market_price(c, "max_price", &market->price_max, err) && done(c);
}

/* ---- transfer records ---- */

static bool read_assets(const struct control *c, struct transfer *transfer, struct err *err)
{
	json_t *assets = json_object_get(c->body, "assets");
	const char *name;
	json_t *value;

	json_object_foreach(assets, name, value)
	{
		const struct asset *asset = market_asset(name);
		struct decimal amount;

		if (!asset || !json_is_string(value) ||
		    !decimal_parse(json_string_value(value), json_string_length(value), &amount,
				   err) ||
		    !units_of(amount, AMOUNT_SCALE, AMOUNT_MAX, &transfer->units[asset->id]))
			return err_set(err, ERR_INVALID, "\"assets\" maps tickers to amounts");
	}
	return true;
}

static bool read_part(const struct control *c, const char *name, char *to, size_t room,
		      const char *otherwise, struct err *err)
{
	const char *text = rest_string(c->body, name);

	if (mem_str_set(to, room, text ? text : otherwise))
		return true;
	return err_set(err, ERR_INVALID, "\"%s\" is too long", name);
}

#define READ_PART(field, otherwise) \
	read_part(c, #field, transfer->field, sizeof(transfer->field), otherwise, err)

static bool read_transfer(struct control *c, struct transfer *transfer, struct err *err)
{
	const char *kind = rest_string(c->body, "kind");

	if (!kind || !transfer_kind_parse(kind, &transfer->kind))
		return err_set(err, ERR_INVALID,
			       "\"kind\" must be deposit, withdrawal or transferal");
	return (transfer->account = account_of(c, err)) && read_assets(c, transfer, err) &&
	       READ_PART(status, "confirmed") && READ_PART(tx_hash, "") &&
	       READ_PART(type, "normal") && READ_PART(direction, "incoming") &&
	       READ_PART(to_address, "") && READ_PART(from_address, "");
}

static bool post_transfers(struct control *c, struct err *err)
{
	struct transfer *transfer = mem_alloc(sizeof(*transfer));

	list_node_init(&transfer->node);
	if (!read_transfer(c, transfer, err)) {
		mem_free(transfer);
		return false;
	}
	exchange_take_transfer(c->sim->exchange, transfer);
	reply_json(&c->reply, 200, wire_transfer(transfer));
	return true;
}

/* ---- routes ---- */

static const struct {
	const char *method, *path; /* a path that ends in / takes a parameter */
	bool (*fn)(struct control *c, struct err *err);
} controls[] = {
	{ "GET", "/_sim/log", get_log },
	{ "DELETE", "/_sim/log", clear_log },
	{ "GET", "/_sim/orders", get_orders },
	{ "GET", "/_sim/orders/", get_order },
	{ "GET", "/_sim/executions", get_executions },
	{ "GET", "/_sim/balances", get_balances },
	{ "GET", "/_sim/accounts", get_accounts },
	{ "GET", "/_sim/book", get_book },
	{ "GET", "/_sim/sockets", get_sockets },
	{ "POST", "/_sim/credit", post_credit },
	{ "POST", "/_sim/trade", post_trade },
	{ "GET", "/_sim/faults", get_faults },
	{ "POST", "/_sim/faults", post_faults },
	{ "DELETE", "/_sim/faults", clear_faults },
	{ "GET", "/_sim/lock", get_lock },
	{ "POST", "/_sim/lock", post_lock },
	{ "DELETE", "/_sim/lock", clear_lock },
	{ "POST", "/_sim/restart", post_restart },
	{ "DELETE", "/_sim/restart", clear_restart },
	{ "POST", "/_sim/drop", post_drop },
	{ "POST", "/_sim/clock", post_clock },
	{ "POST", "/_sim/expire", post_expire },
	{ "POST", "/_sim/market", post_market },
	{ "POST", "/_sim/transfers", post_transfers },
};

static bool route_matches(size_t i, struct control *c, const char *path)
{
	size_t len = strlen(controls[i].path);

	if (strcmp(controls[i].method, http_method(c->request)) != 0)
		return false;
	if (controls[i].path[len - 1] != '/')
		return strcmp(controls[i].path, path) == 0;
	c->param = path + len;
	return strncmp(controls[i].path, path, len) == 0 && *c->param;
}

static bool dispatch(struct control *c, const char *path, struct err *err)
{
	size_t len = http_body_len(c->request);
	json_error_t where;

	if (len > 0 && !(c->body = json_loadb(http_body(c->request), len, 0, &where)))
		return err_set(err, ERR_BAD_JSON, "%s", where.text);
	for (size_t i = 0; i < ARRAY_LEN(controls); i++)
		if (route_matches(i, c, path))
			return controls[i].fn(c, err);
	return err_set(err, ERR_NOT_FOUND, "no control %s %s", http_method(c->request), path);
}

void control_handle(struct sim *sim, struct http_request *request, const char *path)
{
	struct control c = { .sim = sim, .request = request, .param = "" };
	struct err err;

	sim_run(sim);
	if (!dispatch(&c, path, &err))
		reply_json(&c.reply, err.code == ERR_NOT_FOUND ? 404 : 400,
			   json_pack("{s:s}", "error", err.text));
	sim_settle(sim);
	http_reply(request, c.reply.status, c.reply.content_type, c.reply.body, c.reply.len);
	reply_fini(&c.reply);
	json_decref(c.body);
}
