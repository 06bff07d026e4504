#include "sim/wire.h"

#include <string.h>

#include "base/buf.h"
#include "sim/codes.h"
#include "sim/exchange.h"

json_t *wire_amount(int64_t units)
{
	char text[DECIMAL_TEXT_LEN];

	return json_string(amount_print(units, text));
}

json_t *wire_price(int64_t price)
{
	char text[DECIMAL_TEXT_LEN];

	return json_string(price_print(price, text));
}

json_t *wire_time(struct wall time)
{
	char text[WALL_TEXT_LEN];

	return json_string(wall_print(time, text));
}

static json_t *whole(int64_t units)
{
	char text[DECIMAL_TEXT_LEN];

	return json_string(decimal_print(decimal_of(units, 0), text));
}

static void set_amount(json_t *object, const char *name, int64_t units)
{
	json_object_set_new(object, name, wire_amount(units));
}

static void set_text(json_t *object, const char *name, const char *text)
{
	json_object_set_new(object, name, json_string(text));
}

/* ---- orders and executions ---- */

/* Opaque to clients: a transaction and an output index. */
static void set_utxo(json_t *object, const struct order *order)
{
	uint8_t hash[32];
	char text[67];

	draw_bytes(0, order->id, 1, hash, sizeof(hash));
	hex_encode(hash, sizeof(hash), text);
	memcpy(text + 64, "#0", 3);
	set_text(object, "active_order_utxo_id", text);
}

static void set_sizes(json_t *object, const struct order *order)
{
	bool is_open = order->status == ORDER_OPEN;

	set_amount(object, "base_qty", order->base_units);
	set_amount(object, "quote_qty", order->quote_units);
	set_amount(object, "locked_base_qty", order->locked_base_units);
	set_amount(object, "locked_quote_qty", order->locked_quote_units);
	set_amount(object, "executed_base_qty", order->executed_base_units);
	set_amount(object, "executed_quote_qty", order->told_quote_units);
	set_amount(object, "ob_open_order_base_qty", is_open ? order_rest_units(order) : 0);
}

static void set_market_fields(json_t *object, const struct order *order)
{
	if (order->type != TYPE_MARKET || order->slippage_bp < 0)
		return;
	json_object_set_new(object, "slippage_bp", json_integer(order->slippage_bp));
	json_object_set_new(object, "market_order_limit_price", wire_price(order->bound));
}

static json_t *executions_of(const struct order *order)
{
	json_t *records = json_array();

	LIST_EACH (&order->executions, node) {
		json_array_append_new(
			records, wire_execution(CONTAINER_OF(node, struct execution, of_order)));
	}
	return records;
}

json_t *wire_order(const struct order *order, bool has_executions)
{
	json_t *object = json_object();

	set_text(object, "id", order->id);
	set_text(object, "account_id", order->account->id);
	if (order->status == ORDER_OPEN)
		set_utxo(object, order);
	set_text(object, "status", order_status_name(order->status));
	set_text(object, "symbol", order->pair->symbol);
	set_text(object, "side", side_name(order->side));
	set_text(object, "type", order->type == TYPE_LIMIT ? "limit" : "market");
	set_text(object, "price", order->price_text);
	set_sizes(object, order);
	set_market_fields(object, order);
	set_text(object, "commission_unit", order_receives(order)->unit);
	set_amount(object, "commission", order->fee_units);
	json_object_set_new(object, "commission_rate_bp", json_integer(FEE_BP));
	json_object_set_new(object, "executed_price", wire_price(order_average_price(order)));
	json_object_set_new(object, "created_at", wire_time(order->created));
	json_object_set_new(object, "updated_at", wire_time(order->updated));
	if (has_executions)
		json_object_set_new(object, "order_execution_records", executions_of(order));
	return object;
}

json_t *wire_execution(const struct execution *execution)
{
	const struct order *order = execution->order;
	json_t *object = json_object();

	set_text(object, "id", execution->id);
	set_text(object, "order_id", order->id);
	set_text(object, "account_id", order->account->id);
	json_object_set_new(object, "execution_price", wire_price(execution->price));
	set_amount(object, "filled_base_qty", execution->base_units);
	set_amount(object, "filled_quote_qty", execution->told_quote_units);
	set_text(object, "commission_unit", order_receives(order)->unit);
	set_amount(object, "commission", execution->fee_units);
	set_text(object, "role", execution->role == ROLE_MAKER ? "maker" : "taker");
	set_text(object, "counter_party_order_id", execution->counter_id);
	json_object_set_new(object, "created_at", wire_time(execution->at));
	return object;
}

/* ---- balances, markets, errors ---- */

json_t *wire_balance(const struct account *account, const struct asset *asset)
{
	const struct balance *balance = &account->balances[asset->id];
	json_t *object = json_object();

	set_text(object, "asset", asset->symbol);
	set_text(object, "asset_unit", asset->unit);
	set_amount(object, "free", balance->free);
	set_amount(object, "locked", balance->locked);
	return object;
}

json_t *wire_balances(const struct account *account)
{
	json_t *array = json_array();

	for (size_t i = 0; i < ASSET_COUNT; i++)
		if (account->balances[i].is_known)
			json_array_append_new(array, wire_balance(account, &market_assets[i]));
	return array;
}

/* Quantities of transfers are whole smallest units. */
static json_t *transfer_assets(const struct transfer *transfer)
{
	json_t *array = json_array();

	for (size_t i = 0; i < ASSET_COUNT; i++)
		if (transfer->units[i] > 0)
			json_array_append_new(array, json_pack("{s:s,s:s,s:o}", "asset",
							       market_assets[i].symbol,
							       "asset_unit", market_assets[i].unit,
							       "qty", whole(transfer->units[i])));
	return array;
}

json_t *wire_transfer(const struct transfer *transfer)
{
	json_t *object = json_object();

	json_object_set_new(object, "created_at", wire_time(transfer->created));
	set_text(object, "status", transfer->status);
	json_object_set_new(object, "assets", transfer_assets(transfer));
	if (transfer->kind != TRANSFER_WITHDRAWAL)
		set_text(object, "tx_hash", transfer->tx_hash);
	if (transfer->kind != TRANSFER_TRANSFERAL)
		return object;
	set_text(object, "transferal_type", transfer->type);
	set_text(object, "direction", transfer->direction);
	set_text(object, "to_address", transfer->to_address);
	set_text(object, "from_address", transfer->from_address);
	return object;
}

static json_t *token(const struct asset *asset)
{
	json_t *object = json_object();

	set_text(object, "symbol", asset->symbol);
	set_text(object, "unit", asset->unit);
	json_object_set_new(object, "decimals", json_integer(asset->decimals));
	json_object_set_new(object, "max_qty_dp", json_integer(asset->max_qty_dp));
	return object;
}

static json_t *token_with_pairs(const struct asset *asset)
{
	json_t *object = token(asset);
	json_t *symbols = json_array();

	for (size_t i = 0; i < PAIR_COUNT; i++)
		if (market_pairs[i].base == asset || market_pairs[i].quote == asset)
			json_array_append_new(symbols, json_string(market_pairs[i].symbol));
	json_object_set_new(object, "trading_pairs", symbols);
	return object;
}

static json_t *pair_object(const struct pair *pair)
{
	json_t *object = json_object();

	set_text(object, "symbol", pair->symbol);
	json_object_set_new(object, "base_token", token(pair->base));
	json_object_set_new(object, "quote_token", token(pair->quote));
	json_object_set_new(object, "price_max_dp", json_integer(pair->price_max_dp));
	return object;
}

json_t *wire_market_config(void)
{
	json_t *assets = json_array(), *pairs = json_array();

	for (size_t i = 0; i < ASSET_COUNT; i++)
		json_array_append_new(assets, token_with_pairs(&market_assets[i]));
	for (size_t i = 0; i < PAIR_COUNT; i++)
		json_array_append_new(pairs, pair_object(&market_pairs[i]));
	return json_pack("{s:o,s:o}", "assets", assets, "trading_pairs", pairs);
}

json_t *wire_error(int code, const char *text)
{
	json_t *object = json_object();

	set_text(object, "error", text ? text : code_message(code));
	json_object_set_new(object, "code", json_integer(code));
	return object;
}

/* ---- the simulator's record ---- */

static json_t *submit_answers(const struct order *order)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < order->submits && i < SUBMITS_MAX; i++)
		json_array_append_new(array, json_integer(order->submit_answers[i]));
	return array;
}

json_t *wire_order_record(const struct order *order)
{
	json_t *object = wire_order(order, true);

	set_text(object, "account", order->account->name);
	json_object_set_new(object, "market_maker", json_boolean(order->account->is_maker));
	json_object_set_new(object, "post_only", json_boolean(order->post_only));
	json_object_set_new(object, "submits", json_integer(order->submits));
	json_object_set_new(object, "submit_answers", submit_answers(order));
	json_object_set_new(object, "cancels", json_integer(order->cancels));
	json_object_set_new(object, "is_submitted", json_boolean(order->is_submitted));
	set_text(object, "failure", order->failure);
	if (order->expires.us)
		json_object_set_new(object, "expires_at", wire_time(order->expires));
	return object;
}

static bool add_level(void *arg, const struct book_level *level)
{
	json_t *object = json_object();

	json_object_set_new(object, "price", wire_price(level->price));
	set_amount(object, "quantity", level->base_units);
	json_object_set_new(object, "orders", json_integer(level->orders));
	json_array_append_new(arg, object);
	return true;
}

json_t *wire_book(const struct exchange *x, const struct pair *pair)
{
	const struct exchange_market *market = &x->markets[pair->id];
	json_t *bids = json_array(), *asks = json_array();

	book_each_level(&market->book, SIDE_BUY, add_level, bids);
	book_each_level(&market->book, SIDE_SELL, add_level, asks);
	return json_pack("{s:s,s:o,s:o,s:o}", "symbol", pair->symbol, "last_price",
			 wire_price(market->last_price), "bids", bids, "asks", asks);
}
