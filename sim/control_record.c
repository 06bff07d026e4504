/* control_record.c - what happened: requests, orders, executions, balances. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "sim/control.h"
#include "sim/sim.h"
#include "sim/wire.h"

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
	case RECORD_OPEN:
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

	json_object_set_new(object, "came_after_mono_us", json_integer(entry->came_after.us));
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

bool control_get_log(struct control *c, struct err *err)
{
	char since[24], path[256], method[16];
	uint64_t after =
		control_filter(c, "since", since, sizeof(since)) ? strtoull(since, NULL, 10) : 0;
	bool has_path = control_filter(c, "path", path, sizeof(path));
	bool has_method = control_filter(c, "method", method, sizeof(method));
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

bool control_clear_log(struct control *c, struct err *err)
{
	(void)err;
	record_clear(&c->sim->record);
	return control_done(c);
}

bool control_get_orders(struct control *c, struct err *err)
{
	char account[NAME_MAX_LEN], symbol[32], status[32], maker[4];
	bool has_account = control_filter(c, "account", account, sizeof(account));
	bool has_symbol = control_filter(c, "symbol", symbol, sizeof(symbol));
	bool has_status = control_filter(c, "status", status, sizeof(status));
	bool has_maker = control_filter(c, "market_maker", maker, sizeof(maker));
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

bool control_get_order(struct control *c, struct err *err)
{
	const struct order *order = exchange_order(c->sim->exchange, c->param);

	if (!order)
		return err_set(err, ERR_NOT_FOUND, "no order %s", c->param);
	reply_json(&c->reply, 200, wire_order_record(order));
	return true;
}

bool control_get_executions(struct control *c, struct err *err)
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

bool control_get_balances(struct control *c, struct err *err)
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

bool control_get_accounts(struct control *c, struct err *err)
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

bool control_get_book(struct control *c, struct err *err)
{
	char symbol[32];
	const struct pair *pair;

	control_filter(c, "symbol", symbol, sizeof(symbol));
	if (!(pair = market_pair(symbol)))
		return err_set(err, ERR_INVALID, "no symbol \"%s\"", symbol);
	reply_json(&c->reply, 200, wire_book(c->sim->exchange, pair));
	return true;
}
