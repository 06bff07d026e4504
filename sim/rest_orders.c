/* rest_orders.c - build, submit, cancel, cancel-all. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/httpd.h"
#include "sim/exchange.h"
#include "sim/intake.h"
#include "sim/rest.h"
#include "sim/tx.h"
#include "sim/wire.h"

/* ---- build ---- */

/* Absent and null are alike. False for anything that is not a decimal string: the numbers of 2025
 * are no longer taken. */
static bool read_decimal(const json_t *body, const char *name, bool *is_there,
			 struct decimal *value)
{
	const json_t *field = json_object_get(body, name);
	struct err err;

	*is_there = field && !json_is_null(field);
	if (!*is_there)
		return true;
	return json_is_string(field) &&
	       decimal_parse(json_string_value(field), json_string_length(field), value, &err);
}

static bool read_words(const json_t *body, struct intake *in)
{
	const char *symbol = rest_string(body, "symbol");
	const char *side = rest_string(body, "side");
	const char *type = rest_string(body, "type");

	if (!symbol || !side || !type || !side_parse(side, &in->side))
		return false;
	in->type = strcmp(type, "market") == 0 ? TYPE_MARKET : TYPE_LIMIT;
	if (in->type == TYPE_LIMIT && strcmp(type, "limit") != 0)
		return false;
	if (!STR_SET(in->symbol, symbol))
		in->symbol[0] = '\0'; /* too long for any pair: refused as unknown */
	return true;
}

/* The documents name the field in two ways and type it as string or integer. */
static bool read_slippage(const json_t *body, struct intake *in)
{
	const json_t *field = json_object_get(body, "max_slippage_basis_point");
	const char *text;
	char *end;

	if (!field)
		field = json_object_get(body, "max_slippage_basis_points");
	in->has_slippage = field && !json_is_null(field);
	if (!in->has_slippage)
		return true;
	if (json_is_integer(field)) {
		in->slippage_bp = json_integer_value(field);
		return true;
	}
	text = json_string_value(field);
	if (!text || !*text || strlen(text) > 10)
		return false;
	in->slippage_bp = strtol(text, &end, 10);
	return *end == '\0';
}

static bool read_post_only(const json_t *body, struct intake *in)
{
	const json_t *field = json_object_get(body, "post_only");

	in->post_only = json_is_true(field);
	return !field || json_is_boolean(field) || json_is_null(field);
}

/* The price is echoed as it came. */
static bool read_price(const json_t *body, struct intake *in)
{
	const char *text = rest_string(body, "price");

	if (in->type == TYPE_MARKET)
		return true;
	if (!read_decimal(body, "price", &in->has_price, &in->price))
		return false;
	return !text || STR_SET(in->price_text, text);
}

static bool read_build(const json_t *body, struct intake *in)
{
	return body && read_words(body, in) &&
	       read_decimal(body, "base_quantity", &in->has_base, &in->base) &&
	       read_decimal(body, "quote_quantity", &in->has_quote, &in->quote) &&
	       read_price(body, in) && read_slippage(body, in) && read_post_only(body, in);
}

static json_t *tx_hex(const struct order *order)
{
	struct buf hex;
	json_t *text;

	buf_init(&hex, 2 * TX_MAX);
	buf_add_hex(&hex, order->tx, order->tx_len);
	text = json_string(buf_str(&hex));
	buf_fini(&hex);
	return text;
}

int rest_build(struct rest_call *call, struct reply *reply)
{
	json_t *body = rest_body(call);
	struct intake in = {
		.has_foreign_payee = call->sim->faults.switches[SWITCH_FOREIGN_PAYEE],
	};
	struct order *order = NULL;
	enum code code = CODE_INVALID;

	/* A lock is told before anything that may be wrong with the request. */
	if (call->sim->exchange->is_locked)
		code = CODE_LOCKED;
	else if (read_build(body, &in))
		code = intake_build(call->sim->exchange, call->account, &in, &order);
	if (!code)
		reply_json(reply, 200,
			   json_pack("{s:s,s:o}", "order_id", order->id, "tx_hex", tx_hex(order)));
	json_decref(body);
	return code;
}

/* ---- submit ---- */

/* Text that is no hex is no transaction: zero bytes. */
static size_t read_tx(const json_t *body, uint8_t tx[TX_MAX])
{
	const json_t *field = json_object_get(body, "signed_tx");
	size_t len = 0;

	if (!json_is_string(field) ||
	    !hex_decode(json_string_value(field), json_string_length(field), tx, TX_MAX, &len))
		return 0;
	return len;
}

static json_t *submit_answer(const struct sim *sim, const struct order *order)
{
	json_t *object = wire_order(order, true);

	if (!sim->faults.switches[SWITCH_WRAP_ORDER])
		return object;
	return json_pack("{s:o}", "order", object);
}

int rest_submit(struct rest_call *call, struct reply *reply)
{
	json_t *body = rest_body(call);
	const char *id = rest_string(body, "order_id");
	struct order *order = NULL;
	const char *why;
	uint8_t tx[TX_MAX];
	size_t len = read_tx(body, tx);
	enum code code = CODE_INVALID;

	if (id)
		code = intake_submit(call->sim->exchange, call->account, id, tx, len, &order, &why);
	if (!code)
		reply_json(reply, 200, submit_answer(call->sim, order));
	json_decref(body);
	return code;
}

/* ---- cancel ---- */

int rest_cancel(struct rest_call *call, struct reply *reply)
{
	enum code code = exchange_cancel(call->sim->exchange, call->account, call->param);

	if (!code)
		reply_json(reply, 200, json_pack("{s:s}", "order_id", call->param));
	return code;
}

static void add_id(void *arg, const struct order *order)
{
	json_array_append_new(arg, json_string(order->id));
}

int rest_cancel_all(struct rest_call *call, struct reply *reply)
{
	json_t *body = rest_body(call);
	json_t *ids = json_array();
	const char *symbol = rest_string(body, "symbol");
	enum code code = CODE_INVALID;

	if (symbol)
		code = exchange_cancel_all(call->sim->exchange, call->account, symbol, add_id, ids);
	if (!code)
		reply_json(reply, 200, json_pack("{s:s,s:O}", "symbol", symbol, "order_ids", ids));
	json_decref(ids);
	json_decref(body);
	return code;
}
