#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "client/sealed.h"
#include "client/wire.h"
#include "client/wire_json.h"

#define TRANSFER_ASSETS_MAX 100
#define API_KEY_MAX         128

static const char *const data_wrapper[] = { "data", NULL };

bool wire_account_read(const struct wire_doc *doc, struct dd_account *account, struct err *err)
{
	const json_t *object = wire_unwrap(doc->root, data_wrapper);

	memset(account, 0, sizeof(*account));
	if (!wire_get_text(wire_find(object, "account_id", NULL), account->account_id,
			   sizeof(account->account_id)) ||
	    !wire_is_id(account->account_id))
		return err_set(err, ERR_EXCHANGE_ANSWER,
			       "the exchange's answer has no usable account_id");
	wire_get_text(wire_find(object, "account_type", NULL), account->account_type,
		      sizeof(account->account_type));
	wire_get_time(wire_find(object, "created_at", NULL), &account->created_at);
	wire_get_time(wire_find(object, "updated_at", NULL), &account->updated_at);
	return true;
}

/* The sealed key is a JSON text inside a string; an object in its place means the same. */
static char *sealed_text(const json_t *value)
{
	char *text = NULL;
	size_t len;

	if (json_is_string(value) && json_string_length(value) <= SEALED_TEXT_MAX)
		return mem_strdup(json_string_value(value));
	if (!json_is_object(value))
		return NULL;
	len = json_dumpb(value, NULL, 0, JSON_COMPACT);
	if (len == 0 || len > SEALED_TEXT_MAX)
		return NULL;
	text = mem_alloc(len + 1);
	json_dumpb(value, text, len, JSON_COMPACT);
	return text;
}

bool wire_sealed_key_read(const struct wire_doc *doc, struct wire_sealed_key *key, struct err *err)
{
	const json_t *object = wire_unwrap(doc->root, data_wrapper);

	memset(key, 0, sizeof(*key));
	key->text =
		sealed_text(wire_find(object, "encrypted_operation_key", "encrypted_key", NULL));
	if (!key->text)
		return err_set(err, ERR_EXCHANGE_ANSWER,
			       "the exchange's answer has no usable encrypted_operation_key");
	wire_get_text(wire_find(object, "operation_key_hash", NULL), key->hash, sizeof(key->hash));
	return true;
}

struct secret *wire_new_key_read(struct wire_doc *doc, struct err *err)
{
	const json_t *object = wire_unwrap(doc->root, data_wrapper);
	const json_t *value = wire_find(object, "api_key", NULL);
	size_t len = json_string_length(value);
	struct secret *key;

	if (len == 0 || len > API_KEY_MAX) {
		err_set(err, ERR_EXCHANGE_ANSWER, "the exchange's answer has no usable api_key");
		return NULL;
	}
	key = secret_from(json_string_value(value), len);
	secret_wipe((void *)(uintptr_t)json_string_value(value), len);
	return key;
}

/* An amount left out or null is none; one that is there and cannot be read is not guessed at. */
static bool get_amount(const json_t *value, struct decimal *amount)
{
	*amount = DECIMAL_ZERO;
	return !value || wire_get_decimal(value, amount);
}

static bool read_balance(const json_t *value, void *item, struct err *err)
{
	struct dd_balance *to = item;

	wire_get_text(wire_find(value, "asset", NULL), to->asset, sizeof(to->asset));
	wire_get_unit(wire_find(value, "asset_unit", "unit", NULL), to->unit, sizeof(to->unit));
	if (to->asset[0] == '\0' && to->unit[0] == '\0')
		return err_set(err, ERR_EXCHANGE_ANSWER, "no usable asset");
	if (!get_amount(wire_find(value, "free", NULL), &to->free) ||
	    !get_amount(wire_find(value, "locked", NULL), &to->locked))
		return err_set(err, ERR_EXCHANGE_ANSWER, "no usable amount of %s", to->asset);
	return true;
}

bool wire_balances_read(const struct wire_doc *doc, struct dd_balance **items, size_t *count,
			struct err *err)
{
	static const struct wire_kind kind = {
		.name = "balance",
		.size = sizeof(struct dd_balance),
		.count_max = WIRE_LIST_MAX,
		.read = read_balance,
	};
	void *list;

	if (!wire_list_read(doc, "balance", &kind, &list, count, NULL, err))
		return false;
	*items = list;
	return true;
}

void wire_balances_free(struct dd_balance *items)
{
	mem_free(items);
}

static bool read_transfer_asset(const json_t *value, void *item, struct err *err)
{
	struct dd_transfer_asset *to = item;

	wire_get_text(wire_find(value, "asset", NULL), to->asset, sizeof(to->asset));
	wire_get_unit(wire_find(value, "asset_unit", "unit", NULL), to->unit, sizeof(to->unit));
	if (!get_amount(wire_find(value, "qty", "quantity", NULL), &to->qty))
		return err_set(err, ERR_EXCHANGE_ANSWER, "no usable qty of %s", to->asset);
	return true;
}

static bool read_transfer(const json_t *value, void *item, struct err *err)
{
	static const struct wire_kind kind = {
		.name = "asset",
		.size = sizeof(struct dd_transfer_asset),
		.count_max = TRANSFER_ASSETS_MAX,
		.read = read_transfer_asset,
	};
	struct dd_transfer *to = item;
	const json_t *assets = wire_find(value, "assets", NULL);
	void *list;

	if (!wire_get_text(wire_find(value, "status", NULL), to->status, sizeof(to->status)) ||
	    (assets && !json_is_array(assets)))
		return err_set(err, ERR_EXCHANGE_ANSWER, "no usable status or assets");
	wire_get_text(wire_find(value, "tx_hash", NULL), to->tx_hash, sizeof(to->tx_hash));
	wire_get_text(wire_find(value, "transferal_type", NULL), to->type, sizeof(to->type));
	wire_get_text(wire_find(value, "direction", NULL), to->direction, sizeof(to->direction));
	wire_get_time(wire_find(value, "created_at", NULL), &to->created_at);
	if (!wire_array_read(assets, &kind, &list, &to->asset_count, err))
		return false;
	to->assets = list;
	return true;
}

static void fini_transfer(void *item)
{
	struct dd_transfer *transfer = item;

	mem_free(transfer->assets);
}

static const struct wire_kind transfer_kind = {
	.name = "transfer",
	.size = sizeof(struct dd_transfer),
	.count_max = WIRE_ORDERS_MAX,
	.read = read_transfer,
	.fini = fini_transfer,
};

bool wire_transfers_read(const struct wire_doc *doc, struct dd_transfer **items, size_t *count,
			 int64_t *total, struct err *err)
{
	void *list;

	if (!wire_list_read(doc, "records", &transfer_kind, &list, count, total, err))
		return false;
	*items = list;
	return true;
}

bool wire_transfer_read(const struct wire_doc *doc, struct dd_transfer **item, struct err *err)
{
	const char *const wrappers[] = { "data", "transferal_record", NULL };
	struct dd_transfer *found = mem_alloc(sizeof(*found));

	if (!read_transfer(wire_unwrap(doc->root, wrappers), found, err)) {
		mem_free(found);
		return err_prefix(err, "the exchange's answer, transfer");
	}
	*item = found;
	return true;
}

void wire_transfers_free(struct dd_transfer *items, size_t count)
{
	wire_items_free(&transfer_kind, items, count);
}
