#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "client/wire.h"
#include "client/wire_json.h"

static bool missing(struct err *err, const char *field)
{
	return err_set(err, ERR_EXCHANGE_ANSWER, "no usable %s", field);
}

static void get_number(const json_t *value, struct dd_number *number)
{
	number->is_set = wire_get_decimal(value, &number->value);
}

static bool get_id(const json_t *value, char id[DD_ID_LEN])
{
	if (wire_get_text(value, id, DD_ID_LEN) && wire_is_id(id))
		return true;
	id[0] = '\0';
	return false;
}

/* The second and third names are those of the fills of 2025 and of the records of fills. */
static bool read_execution(const json_t *value, void *item, struct err *err)
{
	struct dd_execution *to = item;
	char role[16] = "";

	if (!get_id(wire_find(value, "id", "execution_id", NULL), to->id))
		return missing(err, "id");
	if (!wire_get_decimal(wire_find(value, "execution_price", "executed_price", NULL),
			      &to->price))
		return missing(err, "execution_price");
	if (!wire_get_decimal(
		    wire_find(value, "filled_base_qty", "filled_amount", "executed_qty", NULL),
		    &to->base_qty))
		return missing(err, "filled_base_qty");
	get_id(wire_find(value, "order_id", NULL), to->order_id);
	get_id(wire_find(value, "counter_party_order_id", NULL), to->counter_order_id);
	get_number(wire_find(value, "filled_quote_qty", NULL), &to->quote_qty);
	get_number(wire_find(value, "commission", "fee_amount", "fee_charged", NULL),
		   &to->commission);
	wire_get_unit(wire_find(value, "commission_unit", "fee_unit", NULL), to->commission_unit,
		      sizeof(to->commission_unit));
	wire_get_text(wire_find(value, "role", NULL), role, sizeof(role));
	to->is_maker = strcasecmp(role, "maker") == 0;
	wire_get_time(wire_find(value, "created_at", "create_time", "created_time", NULL),
		      &to->created_at);
	return true;
}

static const struct wire_kind execution_kind = {
	.name = "execution",
	.size = sizeof(struct dd_execution),
	.count_max = WIRE_EXECUTIONS_MAX,
	.read = read_execution,
};

static const struct {
	size_t offset;
	const char *name, *old_name;
} order_numbers[] = {
#define NUMBER(field, name, old_name)                            \
	{                                                        \
		offsetof(struct dd_order, field), name, old_name \
	}
	NUMBER(base_qty, "base_qty", "orig_qty"),
	NUMBER(quote_qty, "quote_qty", NULL),
	NUMBER(price, "price", NULL),
	NUMBER(market_order_limit_price, "market_order_limit_price", NULL),
	NUMBER(executed_base_qty, "executed_base_qty", "executed_qty"),
	NUMBER(executed_quote_qty, "executed_quote_qty", NULL),
	NUMBER(executed_price, "executed_price", NULL),
	NUMBER(locked_base_qty, "locked_base_qty", NULL),
	NUMBER(locked_quote_qty, "locked_quote_qty", NULL),
	NUMBER(open_base_qty, "ob_open_order_base_qty", NULL),
	NUMBER(commission, "commission", "fee_charged"),
#undef NUMBER
};

static void read_numbers(const json_t *value, struct dd_order *to)
{
	int64_t rate = -1, slippage = -1;

	for (size_t i = 0; i < ARRAY_LEN(order_numbers); i++)
		get_number(wire_find(value, order_numbers[i].name, order_numbers[i].old_name, NULL),
			   (struct dd_number *)((char *)to + order_numbers[i].offset));
	wire_get_int(wire_find(value, "commission_rate_bp", NULL), 0, 10000, &rate);
	wire_get_int(wire_find(value, "slippage_bp", NULL), 0, 10000, &slippage);
	to->commission_rate_bp = (int)rate;
	to->slippage_bp = (int)slippage;
}

static void read_words(const json_t *value, struct dd_order *to)
{
	char side[8] = "", type[8] = "";

	wire_get_text(wire_find(value, "side", NULL), side, sizeof(side));
	wire_get_text(wire_find(value, "type", NULL), type, sizeof(type));
	to->side = strcasecmp(side, "sell") == 0 ? DD_SELL : DD_BUY;
	to->has_side = to->side == DD_SELL || strcasecmp(side, "buy") == 0;
	to->type = strcasecmp(type, "market") == 0 ? DD_MARKET : DD_LIMIT;
	to->has_type = to->type == DD_MARKET || strcasecmp(type, "limit") == 0;
	get_id(wire_find(value, "account_id", NULL), to->account_id);
	wire_get_text(wire_find(value, "symbol", NULL), to->symbol, sizeof(to->symbol));
	wire_get_unit(wire_find(value, "commission_unit", "fee_unit", NULL), to->commission_unit,
		      sizeof(to->commission_unit));
	wire_get_time(wire_find(value, "created_at", "create_time", NULL), &to->created_at);
	wire_get_time(wire_find(value, "updated_at", "update_time", NULL), &to->updated_at);
}

/* Executions that cannot all be read are as good as none told: whoever needs them asks again,
 * while the order's state is news that must not wait for them. */
static void read_executions(const json_t *value, struct dd_order *to)
{
	const json_t *list = wire_find(value, "order_execution_records", "fills", NULL);
	struct err ignored;
	void *items = NULL;

	if (!json_is_array(list) ||
	    !wire_array_read(list, &execution_kind, &items, &to->execution_count, &ignored))
		return;
	to->has_executions = true;
	to->executions = items;
	for (size_t i = 0; items && i < to->execution_count; i++)
		if (to->executions[i].order_id[0] == '\0')
			STR_SET(to->executions[i].order_id, to->id);
}

static bool read_order(const json_t *value, void *item, struct err *err)
{
	struct dd_order *to = item;

	if (!get_id(wire_find(value, "id", "order_id", NULL), to->id))
		return missing(err, "id");
	if (!wire_get_text(wire_find(value, "status", NULL), to->status_text,
			   sizeof(to->status_text)) ||
	    to->status_text[0] == '\0')
		return missing(err, "status");
	to->status = dd_status_parse(to->status_text);
	read_words(value, to);
	read_numbers(value, to);
	read_executions(value, to);
	return true;
}

static void fini_order(void *item)
{
	struct dd_order *order = item;

	wire_items_free(&execution_kind, order->executions, order->execution_count);
}

static const struct wire_kind order_kind = {
	.name = "order",
	.size = sizeof(struct dd_order),
	.count_max = WIRE_ORDERS_MAX,
	.read = read_order,
	.fini = fini_order,
};

bool wire_order_read(const struct wire_doc *doc, struct dd_order **order, struct err *err)
{
	const char *const wrappers[] = { "data", "order", "order_json", NULL };
	struct dd_order *found = mem_alloc(sizeof(*found));

	if (!read_order(wire_unwrap(doc->root, wrappers), found, err)) {
		mem_free(found);
		return err_prefix(err, "the exchange's answer, order");
	}
	*order = found;
	return true;
}

bool wire_orders_read(const struct wire_doc *doc, struct dd_order **items, size_t *count,
		      int64_t *total, struct err *err)
{
	void *list;

	if (!wire_list_read(doc, "orders", &order_kind, &list, count, total, err))
		return false;
	*items = list;
	return true;
}

void wire_orders_free(struct dd_order *items, size_t count)
{
	wire_items_free(&order_kind, items, count);
}

bool wire_executions_read(const struct wire_doc *doc, struct dd_execution **items, size_t *count,
			  int64_t *total, struct err *err)
{
	void *list;

	if (!wire_list_read(doc, "trades", &execution_kind, &list, count, total, err))
		return false;
	*items = list;
	return true;
}

void wire_executions_free(struct dd_execution *items)
{
	mem_free(items);
}

bool wire_built_read(const struct wire_doc *doc, struct wire_built *built, struct err *err)
{
	const json_t *object = wire_unwrap(doc->root, (const char *const[]){ "data", NULL });
	const json_t *tx_hex = wire_find(object, "tx_hex", NULL);

	if (!get_id(wire_find(object, "order_id", NULL), built->order_id) ||
	    json_string_length(tx_hex) == 0)
		return err_set(
			err, ERR_EXCHANGE_ANSWER,
			"the exchange's answer to a build lacks the order's id or transaction");
	built->tx_hex = json_string_value(tx_hex);
	return true;
}

static bool read_id(const json_t *value, void *item, struct err *err)
{
	const char **id = item;

	*id = json_string_value(value);
	return *id && wire_is_id(*id) ? true : missing(err, "id");
}

static const struct wire_kind id_kind = {
	.name = "id",
	.size = sizeof(const char *),
	.count_max = WIRE_EXECUTIONS_MAX,
	.read = read_id,
};

bool wire_ids_read(const struct wire_doc *doc, const char ***ids, size_t *count, struct err *err)
{
	const json_t *object = wire_unwrap(doc->root, (const char *const[]){ "data", NULL });
	const json_t *list = wire_find(object, "order_ids", "cancelled_order_ids", NULL);
	void *items;

	/* An empty list comes as [], as null, or not at all. */
	if (!json_is_object(object) || (list && !json_is_array(list)))
		return err_set(err, ERR_EXCHANGE_ANSWER,
			       "the exchange's answer to a cancel lists no orders");
	if (!wire_array_read(list, &id_kind, &items, count, err))
		return false;
	*ids = items;
	return true;
}

void wire_ids_free(const char **ids)
{
	mem_free(ids);
}
