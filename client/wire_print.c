/* Request bodies, printed by hand: every value is checked to be of characters that JSON takes as
 * they are (a sealed key, which is JSON itself, is escaped), and the exchange gets amounts as plain
 * decimal strings, never as numbers. */
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/secret.h"
#include "client/sealed.h"
#include "client/wire.h"
#include "client/wire_json.h"

#define WORD_MAX         200 /* ids, codes and addresses of others */
#define KEY_HASH_HEX_LEN (2 * 28)

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

/* ---- onboarding and testing ----------------------------------------------------------- */

/* An id of a user, a referral code, an address: what they look like is for the exchange to say. */
static bool is_word(const char *text)
{
	size_t len = strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "-_.:@|+");

	return len > 0 && len <= WORD_MAX && text[len] == '\0';
}

static void print_escaped(struct buf *body, const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20) {
			buf_printf(body, "\\u%04x", (unsigned)*text);
			continue;
		}
		if (*text == '"' || *text == '\\')
			buf_add_char(body, '\\');
		buf_add_char(body, *text);
	}
}

static bool check_sealed_key(const char *text, struct err *err)
{
	struct sealed sealed;
	struct err ignored;
	bool ok = text && sealed_parse(text, strlen(text), &sealed, &ignored);

	secret_wipe(&sealed, sizeof(sealed));
	return ok || err_set(err, ERR_INVALID, "the sealed operation key is not readable");
}

/* What is left out (NULL) is fine here. */
static bool check_account(const struct dd_account_request *request, struct err *err)
{
	if (request->user_id && !is_word(request->user_id))
		return err_set(err, ERR_INVALID, "the user id has characters we do not send");
	if (request->key_hash && (strlen(request->key_hash) != KEY_HASH_HEX_LEN ||
				  !wire_is_hex(request->key_hash, KEY_HASH_HEX_LEN)))
		return err_set(err, ERR_INVALID, "the key hash is not hex of 28 bytes");
	if (request->referral_code && !is_word(request->referral_code))
		return err_set(err, ERR_INVALID, "the referral code has characters we do not send");
	return check_sealed_key(request->sealed_key, err);
}

static void print_account(struct buf *body, const struct dd_account_request *request)
{
	buf_add_str(body, "{\"encrypted_operation_key\":\"");
	print_escaped(body, request->sealed_key);
	buf_add_char(body, '"');
	if (request->user_id)
		buf_printf(body, ",\"user_id\":\"%s\"", request->user_id);
	if (request->key_hash)
		buf_printf(body, ",\"operation_key_hash\":\"%s\"", request->key_hash);
}

bool wire_account_create_print(struct buf *body, const struct dd_account_request *request,
			       struct err *err)
{
	if (!request->user_id || !request->key_hash)
		return err_set(err, ERR_INVALID, "a new account needs a user id and a key hash");
	if (!check_account(request, err))
		return false;
	print_account(body, request);
	buf_printf(body, ",\"is_script_operation_key\":%s",
		   request->is_script_key ? "true" : "false");
	if (request->referral_code)
		buf_printf(body, ",\"referral_code\":\"%s\"", request->referral_code);
	buf_add_char(body, '}');
	return true;
}

bool wire_account_update_print(struct buf *body, const struct dd_account_request *request,
			       struct err *err)
{
	if (!request->user_id && !request->key_hash)
		return err_set(err, ERR_INVALID, "an update needs a user id or a key hash");
	if (request->is_script_key || request->referral_code)
		return err_set(err, ERR_INVALID,
			       "the kind of key and a referral are only for a new account");
	if (!check_account(request, err))
		return false;
	print_account(body, request);
	buf_add_char(body, '}');
	return true;
}

static bool check_utxos(const char *text, struct err *err)
{
	size_t len = strnlen(text, WIRE_UTXOS_MAX + 1);
	struct err ignored;
	json_t *root = len <= WIRE_UTXOS_MAX ? wire_json_parse(text, len, &ignored) : NULL;
	bool is_array = json_is_array(root);

	json_decref(root);
	return is_array ||
	       err_set(err, ERR_INVALID, "the input UTxOs are no JSON array, or too many");
}

bool wire_mock_usdx_print(struct buf *body, const char *input_utxos, int64_t quantity,
			  const char *wallet_address, struct err *err)
{
	if (quantity <= 0)
		return err_set(err, ERR_INVALID, "the quantity must be above 0");
	if (!is_word(wallet_address))
		return err_set(err, ERR_INVALID, "the wallet address is none");
	if (!check_utxos(input_utxos, err))
		return false;
	buf_add_str(body, "{\"input_utxos\":");
	buf_add_str(body, input_utxos);
	buf_printf(body, ",\"quantity\":%" PRId64 ",\"wallet_address\":\"%s\"}", quantity,
		   wallet_address);
	return true;
}
