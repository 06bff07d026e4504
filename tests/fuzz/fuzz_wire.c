/* Any answer of the exchange, given to every reader of answers: whoever sits in its place, or a
 * gateway before it, chooses these bytes. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "client/wire.h"

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

/* What an error quotes goes into logs and answers. */
static void read_error(const struct wire_doc *doc, const char *text, size_t size)
{
	struct wire_error error;

	wire_error_read(doc, text, size, &error);
	assert(error.code >= 0 && error.code <= 99999);
	assert(utf8_is_valid(error.text, strlen(error.text)));
	for (const char *at = error.text; *at; at++)
		assert((unsigned char)*at >= ' ');
}

/* Ids go into URLs, where they must mean nothing. */
static void check_order(const struct dd_order *order)
{
	assert(wire_is_id(order->id));
	assert(order->account_id[0] == '\0' || wire_is_id(order->account_id));
	assert(order->has_executions || order->execution_count == 0);
	for (size_t i = 0; i < order->execution_count; i++)
		assert(wire_is_id(order->executions[i].id));
}

static void read_orders(const struct wire_doc *doc)
{
	struct dd_execution *executions;
	struct dd_order *orders;
	struct wire_built built;
	int64_t total;
	const char **ids;
	size_t count;
	struct err err;

	if (wire_order_read(doc, &orders, &err)) {
		check_order(orders);
		wire_orders_free(orders, 1);
	}
	if (wire_orders_read(doc, &orders, &count, &total, &err)) {
		for (size_t i = 0; i < count; i++)
			check_order(&orders[i]);
		wire_orders_free(orders, count);
	}
	if (wire_executions_read(doc, &executions, &count, &total, &err))
		wire_executions_free(executions);
	if (wire_built_read(doc, &built, &err))
		assert(wire_is_id(built.order_id) && built.tx_hex[0] != '\0');
	if (wire_ids_read(doc, &ids, &count, &err))
		wire_ids_free(ids);
}

static void read_account(struct wire_doc *doc)
{
	struct wire_sealed_key sealed;
	struct dd_transfer *transfers;
	struct dd_account account;
	struct dd_balance *balances;
	int64_t total;
	size_t count;
	struct err err;

	if (wire_account_read(doc, &account, &err))
		assert(wire_is_id(account.account_id));
	if (wire_sealed_key_read(doc, &sealed, &err))
		mem_free(sealed.text);
	if (wire_balances_read(doc, &balances, &count, &err))
		wire_balances_free(balances);
	if (wire_transfers_read(doc, &transfers, &count, &total, &err))
		wire_transfers_free(transfers, count);
	if (wire_transfer_read(doc, &transfers, &err))
		wire_transfers_free(transfers, 1);
	secret_destroy(wire_new_key_read(doc, &err));
}

static void read_market(const struct wire_doc *doc)
{
	struct dd_candle *candles;
	struct dd_market *markets;
	struct decimal price;
	size_t count;
	struct err err;

	if (wire_markets_read(doc, &markets, &count, &err)) {
		for (size_t i = 0; i < count; i++)
			assert(wire_is_symbol(markets[i].symbol));
		wire_markets_free(markets);
	}
	if (wire_candles_read(doc, &candles, &count, &err))
		wire_candles_free(candles);
	if (wire_price_read(doc, &price, &err))
		assert(price.scale <= DECIMAL_SCALE_MAX);
	mem_free(wire_text_read(doc, "value", &err));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct err err;
	struct wire_doc *doc = wire_parse(text, size, &err);

	read_error(doc, text, size);
	if (doc) {
		read_orders(doc);
		read_market(doc);
		read_account(doc);
	}
	wire_free(doc);
	return 0;
}
