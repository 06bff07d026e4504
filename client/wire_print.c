/* Request bodies, printed by hand: every value is checked to be of characters that JSON takes as
 * they are, and the exchange gets amounts as plain decimal strings, never as numbers. */
#include <string.h>

#include "base/buf.h"
#include "client/wire.h"

bool wire_is_symbol(const char *symbol)
{
	size_t len = strspn(symbol, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

	return len > 0 && len <= 20 && symbol[len] == '\0';
}

bool wire_is_hex(const char *text, size_t len_max)
{
	size_t len = strspn(text, "0123456789abcdefABCDEF");

	return len > 0 && len <= len_max && text[len] == '\0';
}

static bool check_amount(const char *name, const struct decimal *amount, struct err *err)
{
	if (amount && decimal_sign(*amount) <= 0)
		return err_set(err, ERR_INVALID, "%s must be above 0", name);
	return true;
}

static bool check_type(const struct dd_order_request *request, struct err *err)
{
	bool is_limit = request->type == DD_LIMIT;

	if (is_limit != (request->price != NULL))
		return err_set(err, ERR_INVALID, "a limit order has a price, a market order none");
	if (is_limit && request->max_slippage_bp != -1)
		return err_set(err, ERR_INVALID, "only a market order has max_slippage_bp");
	if (request->max_slippage_bp < -1 || request->max_slippage_bp > 10000)
		return err_set(err, ERR_INVALID, "max_slippage_bp must be 0 to 10000");
	return true;
}

static bool check_request(const struct dd_order_request *request, struct err *err)
{
	if (!request->symbol || !wire_is_symbol(request->symbol))
		return err_set(err, ERR_INVALID, "the symbol is not one of the exchange's");
	if (!request->base_quantity == !request->quote_quantity)
		return err_set(err, ERR_INVALID,
			       "exactly one of base_quantity and quote_quantity is needed");
	return check_amount("base_quantity", request->base_quantity, err) &&
	       check_amount("quote_quantity", request->quote_quantity, err) &&
	       check_amount("price", request->price, err) && check_type(request, err);
}

static void print_amount(struct buf *body, const char *name, const struct decimal *amount)
{
	char digits[DECIMAL_TEXT_LEN];

	if (amount)
		buf_printf(body, ",\"%s\":\"%s\"", name, decimal_print(*amount, digits));
}

bool wire_build_print(struct buf *body, const struct dd_order_request *request, struct err *err)
{
	if (!check_request(request, err))
		return false;
	buf_printf(body, "{\"symbol\":\"%s\",\"side\":\"%s\",\"type\":\"%s\"", request->symbol,
		   request->side == DD_BUY ? "buy" : "sell",
		   request->type == DD_LIMIT ? "limit" : "market");
	print_amount(body, "base_quantity", request->base_quantity);
	print_amount(body, "quote_quantity", request->quote_quantity);
	print_amount(body, "price", request->price);
	if (request->max_slippage_bp >= 0)
		buf_printf(body, ",\"max_slippage_basis_point\":\"%d\"", request->max_slippage_bp);
	if (request->post_only)
		buf_add_str(body, ",\"post_only\":true");
	buf_add_char(body, '}');
	return true;
}

bool wire_submit_print(struct buf *body, const char *order_id, const char *signed_hex,
		       struct err *err)
{
	if (!wire_is_id(order_id))
		return err_set(err, ERR_INVALID, "the order id is not one of the exchange's");
	if (!wire_is_hex(signed_hex, WIRE_TX_HEX_MAX))
		return err_set(err, ERR_INVALID, "the signed transaction is not hex, or too long");
	buf_printf(body, "{\"order_id\":\"%s\",\"signed_tx\":\"", order_id);
	buf_add_str(body, signed_hex);
	buf_add_str(body, "\"}");
	return true;
}
