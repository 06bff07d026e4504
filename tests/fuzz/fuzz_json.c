/* Any body of a local request: refused, or an order that means the same when it is written again
 * in other words, and a token within its bounds. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "client/wire.h"
#include "server/json.h"
#include "server/json_in.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	bool is_locked;
	struct err err;

	(void)argc, (void)argv;
	assert(secret_init(&is_locked, &err));
	return 0;
}

static void write_order(const struct order_terms *terms, struct json_out *out)
{
	json_out_object(out, NULL);
	json_out_str(out, "type", order_type_name(terms->type));
	json_out_str(out, "side", order_side_name(terms->side));
	json_out_str(out, "symbol", terms->symbol);
	json_out_decimal_if(out, "quantity", terms->has_base_qty, terms->base_qty);
	json_out_decimal_if(out, "quote_quantity", terms->has_quote_qty, terms->quote_qty);
	json_out_decimal_if(out, "price", terms->has_price, terms->price);
	json_out_bool(out, "post_only", terms->post_only);
	if (terms->max_slippage_bp >= 0)
		json_out_int(out, "max_slippage_basis_point", terms->max_slippage_bp);
	else
		json_out_bool(out, "allow_unbounded_slippage", terms->type == ORDER_MARKET);
	json_out_time(out, "valid_until", terms->valid_until);
	json_out_object_end(out);
}

static void check_order(const struct order_terms *terms)
{
	struct order_terms again;
	struct json_out out;
	struct err err;

	assert(wire_is_symbol(terms->symbol));
	assert(terms->client_order_id[0] == '\0' ||
	       json_is_client_order_id(terms->client_order_id));
	assert(terms->has_base_qty != terms->has_quote_qty);
	assert(terms->has_price == (terms->type == ORDER_LIMIT));
	assert(!terms->has_price || decimal_sign(terms->price) > 0);
	json_out_init(&out);
	write_order(terms, &out);
	assert(json_read_order(out.buf.data, out.buf.len, &again, &err));
	assert(strcmp(terms->body_hash, again.body_hash) == 0);
	json_out_fini(&out);
}

static void check_token(const struct journal_token *token)
{
	assert(token->scopes != 0 && token->weight >= 1);
	assert(utf8_is_valid(token->name, strlen(token->name)));
	assert(strlen(token->symbols) < sizeof(token->symbols));
}

static void read_secret(const char *text, size_t size)
{
	struct secret *secret = NULL;
	struct err err;
	struct json_in *in = json_in_parse(text, size, &err);

	if (in && json_in_secret(in, "api_key", 128, &secret))
		assert(secret_len(secret) >= 1 && secret_len(secret) <= 128);
	secret_destroy(secret);
	json_in_destroy(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* As httpd hands it over: of its own size, with a NUL past the end. */
	char *text = mem_strndup((const char *)data, size);
	struct order_terms terms;
	struct journal_token token;
	struct err err;

	if (json_read_order(text, size, &terms, &err))
		check_order(&terms);
	else
		assert(err.text[0] != '\0' && utf8_is_valid(err.text, strlen(err.text)));
	if (json_read_token(text, size, &token, &err))
		check_token(&token);
	read_secret(text, size);
	mem_free(text);
	return 0;
}
