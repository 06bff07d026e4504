#include "server/json.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "client/deltadefi.h"
#include "client/stream.h"
#include "client/wire.h"
#include "server/auth.h"
#include "server/json_in.h"

#define SLIPPAGE_MAX_BP 10000
#define WEIGHT_MAX      100
#define OPEN_ORDERS_MAX 1000000
#define NORMAL_FORM_MAX 1024

/* ---- orders ----------------------------------------------------------------------------- */

static void order_error(struct json_out *out, const struct order_facts *facts)
{
	if (facts->error_code[0] == '\0') {
		json_out_null(out, "error");
		return;
	}
	json_out_object(out, "error");
	json_out_str(out, "code", facts->error_code);
	json_out_str(out, "text", facts->error);
	if (facts->exchange_code != 0)
		json_out_int(out, "exchange_code", facts->exchange_code);
	else
		json_out_null(out, "exchange_code");
	json_out_object_end(out);
}

static void order_terms_members(struct json_out *out, const struct order_terms *terms)
{
	json_out_str(out, "app", terms->app);
	json_out_str(out, "symbol", terms->symbol);
	json_out_str(out, "side", order_side_name(terms->side));
	json_out_str(out, "type", order_type_name(terms->type));
	json_out_decimal_if(out, "base_qty", terms->has_base_qty, terms->base_qty);
	json_out_decimal_if(out, "quote_qty", terms->has_quote_qty, terms->quote_qty);
	json_out_decimal_if(out, "price", terms->has_price, terms->price);
	json_out_bool(out, "post_only", terms->post_only);
	if (terms->max_slippage_bp >= 0)
		json_out_int(out, "max_slippage_basis_point", terms->max_slippage_bp);
	else
		json_out_null(out, "max_slippage_basis_point");
	json_out_time(out, "valid_until", terms->valid_until);
}

void json_order_members(struct json_out *out, const struct order *order)
{
	const struct order_facts *facts = &order->facts;
	struct decimal average = DECIMAL_ZERO;
	bool has_average = order_average_price(order, &average);

	json_out_str(out, "order_id", order->terms.order_id);
	json_out_str(out, "client_order_id", order->terms.client_order_id);
	json_out_text(out, "exchange_order_id", facts->exchange_order_id);
	order_terms_members(out, &order->terms);
	json_out_str(out, "state", order_state_name(facts->state));
	json_out_decimal(out, "executed_base_qty", facts->executed_base_qty);
	json_out_decimal(out, "executed_quote_qty", facts->executed_quote_qty);
	json_out_decimal(out, "exchange_executed_quote_qty", facts->exchange_executed_quote_qty);
	json_out_decimal_if(out, "average_price", has_average, average);
	json_out_decimal(out, "commission", facts->commission);
	json_out_text(out, "commission_unit", facts->commission_unit);
	order_error(out, facts);
	json_out_bool(out, "cancel_requested", facts->cancel_requested);
	json_out_int(out, "queued_ms", facts->queued_ms);
	json_out_int(out, "attempt", facts->attempt);
	json_out_time(out, "created_at", order->terms.created_at);
	json_out_time(out, "updated_at", facts->updated_at);
}

void json_order(struct json_out *out, const char *name, const struct order *order)
{
	json_out_object(out, name);
	json_order_members(out, order);
	json_out_object_end(out);
}

void json_fill(struct json_out *out, const struct fill *fill)
{
	json_out_object(out, NULL);
	json_out_str(out, "execution_id", fill->execution_id);
	json_out_text(out, "order_id", fill->order_id);
	json_out_text(out, "exchange_order_id", fill->exchange_order_id);
	json_out_str(out, "symbol", fill->symbol);
	json_out_str(out, "side", order_side_name(fill->side));
	json_out_decimal(out, "price", fill->price);
	json_out_decimal(out, "base_qty", fill->base_qty);
	json_out_decimal(out, "quote_qty", fill->quote_qty);
	json_out_decimal_if(out, "exchange_quote_qty", fill->has_exchange_quote_qty,
			    fill->exchange_quote_qty);
	json_out_decimal(out, "commission", fill->commission);
	json_out_text(out, "commission_unit", fill->commission_unit);
	json_out_str(out, "role", fill->is_maker ? "maker" : "taker");
	json_out_time(out, "executed_at", fill->executed_at);
	json_out_object_end(out);
}

static void int_or_null(struct json_out *out, const char *name, int64_t value)
{
	if (value != 0)
		json_out_int(out, name, value);
	else
		json_out_null(out, name);
}

void json_event(struct json_out *out, const struct journal_event *event)
{
	json_out_object(out, NULL);
	json_out_int(out, "event_id", event->event_id);
	json_out_str(out, "order_id", event->order_id);
	json_out_time(out, "at", event->at);
	json_out_str(out, "event", event->event);
	json_out_str(out, "state", order_state_name(event->state));
	json_out_text(out, "cause", event->cause);
	json_out_text(out, "request_id", event->request_id);
	json_out_text(out, "token_id", event->token_id);
	json_out_text(out, "exchange_order_id", event->exchange_order_id);
	int_or_null(out, "http_status", event->http_status);
	int_or_null(out, "exchange_code", event->exchange_code);
	json_out_text(out, "detail", event->detail);
	json_out_object_end(out);
}

/* ---- market and account ----------------------------------------------------------------- */

void json_balance(struct json_out *out, const struct dd_balance *balance)
{
	json_out_object(out, NULL);
	json_out_str(out, "asset", balance->asset);
	json_out_text(out, "unit", balance->unit);
	json_out_decimal(out, "free", balance->free);
	json_out_decimal(out, "locked", balance->locked);
	json_out_object_end(out);
}

static void market_token(struct json_out *out, const char *name, const struct dd_token *token)
{
	json_out_object(out, name);
	json_out_str(out, "symbol", token->symbol);
	json_out_text(out, "unit", token->unit);
	json_out_int(out, "decimals", token->decimals);
	json_out_int(out, "max_quantity_places", token->max_qty_dp);
	json_out_object_end(out);
}

void json_market(struct json_out *out, const struct dd_market *market)
{
	json_out_object(out, NULL);
	json_out_str(out, "symbol", market->symbol);
	market_token(out, "base", &market->base);
	market_token(out, "quote", &market->quote);
	json_out_int(out, "max_price_places", market->price_max_dp);
	json_out_object_end(out);
}

void json_candle(struct json_out *out, const struct dd_candle *candle)
{
	json_out_object(out, NULL);
	json_out_time(out, "start", (struct wall){ candle->time_s * 1000000 });
	json_out_decimal(out, "open", candle->open);
	json_out_decimal(out, "high", candle->high);
	json_out_decimal(out, "low", candle->low);
	json_out_decimal(out, "close", candle->close);
	json_out_decimal(out, "volume", candle->volume);
	json_out_object_end(out);
}

void json_levels(struct json_out *out, const char *name, const struct dd_level *levels,
		 size_t count)
{
	json_out_array(out, name);
	for (size_t i = 0; i < count; i++) {
		json_out_array(out, NULL);
		json_out_decimal(out, NULL, levels[i].price);
		json_out_decimal(out, NULL, levels[i].quantity);
		json_out_array_end(out);
	}
	json_out_array_end(out);
}

void json_trade(struct json_out *out, const struct dd_trade *trade)
{
	json_out_object(out, NULL);
	json_out_str(out, "symbol", trade->symbol);
	json_out_str(out, "side", trade->side == DD_BUY ? "buy" : "sell");
	json_out_decimal(out, "price", trade->price);
	json_out_decimal(out, "base_qty", trade->base_qty);
	json_out_time(out, "executed_at", trade->at);
	json_out_object_end(out);
}

void json_transfer(struct json_out *out, const char *kind, const struct dd_transfer *transfer)
{
	json_out_object(out, NULL);
	json_out_str(out, "kind", kind);
	json_out_text(out, "status", transfer->status);
	json_out_text(out, "tx_hash", transfer->tx_hash);
	json_out_text(out, "type", transfer->type);
	json_out_text(out, "direction", transfer->direction);
	json_out_time(out, "created_at", transfer->created_at);
	json_out_array(out, "assets");
	for (size_t i = 0; i < transfer->asset_count; i++) {
		json_out_object(out, NULL);
		json_out_text(out, "asset", transfer->assets[i].asset);
		json_out_text(out, "unit", transfer->assets[i].unit);
		json_out_decimal(out, "qty", transfer->assets[i].qty);
		json_out_object_end(out);
	}
	json_out_array_end(out);
	json_out_object_end(out);
}

/* ---- tokens ----------------------------------------------------------------------------- */

static void token_scopes(struct json_out *out, uint32_t scopes)
{
	json_out_array(out, "scopes");
	for (int bit = 0; bit < AUTH_BIT_COUNT; bit++)
		if (scopes & (1u << bit))
			json_out_str(out, NULL, auth_scope_word((enum auth_scope_bit)bit));
	json_out_array_end(out);
}

static void token_symbols(struct json_out *out, const char *symbols)
{
	char symbol[ORDER_SYMBOL_LEN];

	json_out_array(out, "symbols");
	while (*symbols != '\0') {
		size_t len = strcspn(symbols, ",");

		snprintf(symbol, sizeof(symbol), "%.*s", (int)len, symbols);
		json_out_str(out, NULL, symbol);
		symbols += len + (symbols[len] == ',');
	}
	json_out_array_end(out);
}

void json_token_members(struct json_out *out, const struct journal_token *token)
{
	json_out_str(out, "token_id", token->token_id);
	json_out_str(out, "name", token->name);
	token_scopes(out, token->scopes);
	token_symbols(out, token->symbols);
	json_out_decimal_if(out, "max_order_value", token->has_max_order_value,
			    token->max_order_value);
	int_or_null(out, "max_open_orders", token->max_open_orders);
	json_out_int(out, "weight", token->weight);
	json_out_time(out, "created_at", token->created_at);
	json_out_time(out, "expires_at", token->expires_at);
	json_out_time(out, "revoked_at", token->revoked_at);
}

/* ---- problems --------------------------------------------------------------------------- */

static void problem_exchange(struct json_out *out, const struct err *err)
{
	const char *message = dd_code_message(err->exchange_code);

	if (err->exchange_code == 0)
		return;
	json_out_object(out, "exchange");
	json_out_int(out, "code", err->exchange_code);
	json_out_str(out, "error", message[0] != '\0' ? message : err->text);
	json_out_object_end(out);
}

void json_problem(struct json_out *out, const struct json_problem *problem)
{
	const struct err *err = problem->err;
	char type[64];

	snprintf(type, sizeof(type), "urn:deltagate:problem:%s", err_word(err->code));
	json_out_object(out, NULL);
	json_out_str(out, "type", type);
	json_out_str(out, "title", err_title(err->code));
	json_out_int(out, "status", err_http_status(err->code));
	json_out_str(out, "detail", err->text);
	json_out_str(out, "instance", problem->instance);
	json_out_str(out, "code", err_word(err->code));
	json_out_str(out, "retry", err_retry(err->code));
	if (problem->retry_ms >= 0)
		json_out_int(out, "retry_after_ms", problem->retry_ms);
	problem_exchange(out, err);
	if (problem->order)
		json_order(out, "order", problem->order);
	json_out_object_end(out);
}

/* ---- an order's request ----------------------------------------------------------------- */

bool json_is_client_order_id(const char *text)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._:-";
	size_t len = strspn(text, allowed);

	return len > 0 && len < ORDER_CLIENT_ID_LEN && text[len] == '\0';
}

static bool read_amount(struct json_in *in, const char *name, struct decimal *amount)
{
	char text[64];

	if (!json_in_decimal(in, name, amount))
		return false;
	*amount = decimal_trim(*amount);
	if (decimal_sign(*amount) > 0)
		return true;
	snprintf(text, sizeof(text), "%s must be above 0", name);
	json_in_refuse(in, ERR_INVALID, text);
	return false;
}

static void read_quantities(struct json_in *in, struct order_terms *terms)
{
	struct decimal other;
	bool is_short = read_amount(in, "quantity", &terms->base_qty);
	bool is_long = read_amount(in, "base_quantity", is_short ? &other : &terms->base_qty);

	terms->has_base_qty = is_short || is_long;
	terms->has_quote_qty = read_amount(in, "quote_quantity", &terms->quote_qty);
	if (is_short + is_long + terms->has_quote_qty != 1)
		json_in_refuse(in, ERR_INVALID,
			       "exactly one of base_quantity and quote_quantity is needed");
}

static void check_limit(struct json_in *in, const struct order_terms *terms, bool is_unbounded)
{
	if (!terms->has_price)
		json_in_refuse(in, ERR_INVALID, "a limit order needs a price");
	if (terms->max_slippage_bp >= 0 || is_unbounded)
		json_in_refuse(in, ERR_INVALID, "only a market order has a slippage");
}

static void check_market(struct json_in *in, const struct order_terms *terms, bool is_unbounded)
{
	if (terms->has_price)
		json_in_refuse(in, ERR_INVALID, "a market order has no price");
	if (terms->post_only)
		json_in_refuse(in, ERR_INVALID, "only a limit order can be post_only");
	if ((terms->max_slippage_bp >= 0) == is_unbounded)
		json_in_refuse(in, ERR_INVALID,
			       "a market order needs either max_slippage_basis_point or "
			       "allow_unbounded_slippage: true");
}

static void read_kind(struct json_in *in, struct order_terms *terms)
{
	static const char *const sides[] = { "buy", "sell" };
	static const char *const types[] = { "limit", "market" };
	size_t side = 0, type = 0;
	int64_t slippage_bp = -1;
	bool is_unbounded = false;

	if (!json_in_word(in, "side", sides, ARRAY_LEN(sides), &side))
		json_in_refuse(in, ERR_INVALID, "side is needed: buy or sell");
	if (!json_in_word(in, "type", types, ARRAY_LEN(types), &type))
		json_in_refuse(in, ERR_INVALID, "type is needed: limit or market");
	terms->side = side == 0 ? ORDER_BUY : ORDER_SELL;
	terms->type = type == 0 ? ORDER_LIMIT : ORDER_MARKET;
	terms->has_price = read_amount(in, "price", &terms->price);
	json_in_bool(in, "post_only", &terms->post_only);
	json_in_bool(in, "allow_unbounded_slippage", &is_unbounded);
	json_in_int(in, "max_slippage_basis_point", 0, SLIPPAGE_MAX_BP, &slippage_bp);
	terms->max_slippage_bp = (int)slippage_bp;
	if (terms->type == ORDER_LIMIT)
		check_limit(in, terms, is_unbounded);
	else
		check_market(in, terms, is_unbounded);
}

static void read_names(struct json_in *in, struct order_terms *terms)
{
	if (!json_in_text(in, "symbol", terms->symbol, sizeof(terms->symbol)))
		json_in_refuse(in, ERR_INVALID, "symbol is needed");
	else if (!wire_is_symbol(terms->symbol))
		json_in_refuse(in, ERR_INVALID, "symbol is made of capital letters and digits");
	if (json_in_text(in, "client_order_id", terms->client_order_id,
			 sizeof(terms->client_order_id)) &&
	    !json_is_client_order_id(terms->client_order_id))
		json_in_refuse(in, ERR_INVALID,
			       "client_order_id is 1 to 64 of A-Z a-z 0-9 . _ : -");
	json_in_time(in, "valid_until", &terms->valid_until);
}

static void normal_decimal(struct buf *form, bool has_value, struct decimal value)
{
	char text[DECIMAL_TEXT_LEN];

	buf_printf(form, " %s", has_value ? decimal_print(value, text) : "-");
}

/* Every request for the same thing has the same form: no field can run into the next one, as none
 * holds a space. */
static void hash_terms(struct order_terms *terms)
{
	unsigned char hash[(BODY_HASH_LEN - 1) / 2];
	char until[WALL_TEXT_LEN];
	struct buf form;

	buf_init(&form, NORMAL_FORM_MAX);
	buf_printf(&form, "1 %s %s %s", terms->symbol, order_side_name(terms->side),
		   order_type_name(terms->type));
	normal_decimal(&form, terms->has_base_qty, terms->base_qty);
	normal_decimal(&form, terms->has_quote_qty, terms->quote_qty);
	normal_decimal(&form, terms->has_price, terms->price);
	buf_printf(&form, " %d %d %s", terms->post_only, terms->max_slippage_bp,
		   terms->valid_until.us ? wall_print(terms->valid_until, until) : "-");
	crypto_generichash(hash, sizeof(hash), (const unsigned char *)form.data, form.len, NULL, 0);
	hex_encode(hash, sizeof(hash), terms->body_hash);
	buf_fini(&form);
}

bool json_read_order(const char *body, size_t len, struct order_terms *terms, struct err *err)
{
	struct json_in *in = json_in_parse(body, len, err);
	bool is_fine;

	if (!in)
		return false;
	memset(terms, 0, sizeof(*terms));
	read_names(in, terms);
	read_kind(in, terms);
	read_quantities(in, terms);
	is_fine = json_in_end(in, err);
	json_in_destroy(in);
	if (is_fine)
		hash_terms(terms);
	return is_fine;
}

/* ---- a token's request ------------------------------------------------------------------ */

static bool add_scope(void *arg, const char *word, struct err *err)
{
	uint32_t *scopes = arg, bit;

	if (!auth_scope_parse(word, &bit))
		return err_set(err, ERR_INVALID,
			       "a scope is one of market, read, trade, ops, admin");
	*scopes |= bit;
	return true;
}

static bool add_symbol(void *arg, const char *word, struct err *err)
{
	struct journal_token *token = arg;
	size_t len = strlen(token->symbols);

	if (!wire_is_symbol(word))
		return err_set(err, ERR_INVALID, "a symbol is made of capital letters and digits");
	if (len + strlen(word) + 2 > sizeof(token->symbols))
		return err_set(err, ERR_INVALID, "too many symbols for one token");
	snprintf(token->symbols + len, sizeof(token->symbols) - len, "%s%s", len > 0 ? "," : "",
		 word);
	return true;
}

static bool is_printable(const char *text)
{
	size_t len = strlen(text), used;
	uint32_t point;

	for (size_t at = 0; at < len; at += used) {
		used = utf8_next(text + at, len - at, &point);
		if (used == 0 || utf8_is_control(point))
			return false;
	}
	return true;
}

static void read_token_limits(struct json_in *in, struct journal_token *token)
{
	int64_t open_orders = 0, weight = 1;

	json_in_words(in, "symbols", add_symbol, token);
	token->has_max_order_value = read_amount(in, "max_order_value", &token->max_order_value);
	json_in_int(in, "max_open_orders", 1, OPEN_ORDERS_MAX, &open_orders);
	json_in_int(in, "weight", 1, WEIGHT_MAX, &weight);
	token->max_open_orders = (int)open_orders;
	token->weight = (int)weight;
	if (json_in_time(in, "expires_at", &token->expires_at) &&
	    token->expires_at.us <= wall_now().us)
		json_in_refuse(in, ERR_INVALID, "expires_at has passed");
}

bool json_read_token(const char *body, size_t len, struct journal_token *token, struct err *err)
{
	struct json_in *in = json_in_parse(body, len, err);
	bool is_fine;

	if (!in)
		return false;
	memset(token, 0, sizeof(*token));
	if (!json_in_text(in, "name", token->name, sizeof(token->name)))
		json_in_refuse(in, ERR_INVALID, "name is needed");
	else if (!is_printable(token->name))
		json_in_refuse(in, ERR_INVALID, "name holds control characters");
	json_in_words(in, "scopes", add_scope, &token->scopes);
	if (token->scopes == 0)
		json_in_refuse(in, ERR_INVALID,
			       "scopes is needed: market, read, trade, ops, admin");
	read_token_limits(in, token);
	is_fine = json_in_end(in, err);
	json_in_destroy(in);
	return is_fine;
}
