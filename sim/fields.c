#include "sim/fields.h"

#include <limits.h>
#include <string.h>

#include "base/mem.h"
#include "sim/order.h"
#include "sim/transfer.h"

#define SIZE_OF(type, member) sizeof(((struct type *)0)->member)
#define I64(type, member)                                                 \
	{                                                                 \
#member, FIELD_INT64, offsetof(struct type, member), 8, 0 \
	}
#define TIME(type, member)                                                   \
	{                                                                    \
#member, FIELD_INT64, offsetof(struct type, member.us), 8, 0 \
	}
#define INT(type, member)                                                         \
	{                                                                         \
#member, FIELD_INT, offsetof(struct type, member), sizeof(int), 0 \
	}
#define BOOL(type, member)                                                          \
	{                                                                           \
#member, FIELD_BOOL, offsetof(struct type, member), sizeof(bool), 0 \
	}
#define ENUM(type, member, max)                                                     \
	{                                                                           \
#member, FIELD_INT, offsetof(struct type, member), sizeof(int), max \
	}
#define TEXT(type, member)                                                                   \
	{                                                                                    \
#member, FIELD_TEXT, offsetof(struct type, member), SIZE_OF(type, member), 0 \
	}
#define END                              \
	{                                \
		NULL, FIELD_INT, 0, 0, 0 \
	}

_Static_assert(sizeof(enum order_status) == sizeof(int), "enums are kept as int");

const struct field order_fields[] = {
	TEXT(order, id),
	ENUM(order, status, ORDER_STATUS_COUNT),
	ENUM(order, side, 2),
	ENUM(order, type, 2),
	BOOL(order, post_only),
	BOOL(order, is_submitted),
	BOOL(order, is_quote_sized),
	TEXT(order, price_text),
	I64(order, price),
	I64(order, bound),
	INT(order, slippage_bp),
	I64(order, base_units),
	I64(order, quote_units),
	I64(order, locked_base_units),
	I64(order, locked_quote_units),
	I64(order, executed_base_units),
	I64(order, executed_quote_units),
	I64(order, told_quote_units),
	I64(order, fee_units),
	TIME(order, created),
	TIME(order, updated),
	TIME(order, expires),
	I64(order, rank),
	ENUM(order, due_kind, DUE_CANCEL + 1),
	TIME(order, due),
	TEXT(order, failure),
	INT(order, submits),
	INT(order, cancels),
	END,
};

const struct field execution_fields[] = {
	TEXT(execution, id),         TEXT(execution, counter_id),
	I64(execution, price),       I64(execution, base_units),
	I64(execution, quote_units), I64(execution, told_quote_units),
	I64(execution, fee_units),   ENUM(execution, role, ROLE_TAKER + 1),
	TIME(execution, at),         END,
};

const struct field account_fields[] = {
	TEXT(account, name),
	TEXT(account, api_key),
	TIME(account, created),
	TIME(account, key_created),
	I64(account, keys_made),
	BOOL(account, is_maker),
	BOOL(account, is_house),
	BOOL(account, has_opkey),
	TEXT(account, opkey_hash),
	TEXT(account, blob),
	END,
};

const struct field transfer_fields[] = {
	ENUM(transfer, kind, TRANSFER_KINDS),
	TIME(transfer, created),
	TEXT(transfer, status),
	TEXT(transfer, tx_hash),
	TEXT(transfer, type),
	TEXT(transfer, direction),
	TEXT(transfer, to_address),
	TEXT(transfer, from_address),
	END,
};

static json_t *save(const struct field *field, const void *at)
{
	int64_t wide;
	int narrow;
	bool flag;

	switch (field->kind) {
	case FIELD_INT64:
		memcpy(&wide, at, sizeof(wide));
		return json_integer(wide);
	case FIELD_INT:
		memcpy(&narrow, at, sizeof(narrow));
		return json_integer(narrow);
	case FIELD_BOOL:
		memcpy(&flag, at, sizeof(flag));
		return json_boolean(flag);
	case FIELD_TEXT:
		break;
	}
	return json_string(at);
}

void fields_save(json_t *object, const void *from, const struct field *fields)
{
	for (; fields->name; fields++)
		json_object_set_new(object, fields->name,
				    save(fields, (const char *)from + fields->offset));
}

static bool load(const struct field *field, const json_t *value, void *at)
{
	int64_t wide = json_integer_value(value);
	int narrow = (int)wide;
	bool flag = json_is_true(value);

	switch (field->kind) {
	case FIELD_INT64:
		memcpy(at, &wide, sizeof(wide));
		return json_is_integer(value);
	case FIELD_INT:
		if (wide < INT_MIN || wide > INT_MAX ||
		    (field->below && (wide < 0 || wide >= field->below)))
			return false;
		memcpy(at, &narrow, sizeof(narrow));
		return json_is_integer(value);
	case FIELD_BOOL:
		memcpy(at, &flag, sizeof(flag));
		return json_is_boolean(value);
	case FIELD_TEXT:
		break;
	}
	return json_is_string(value) && mem_str_set(at, field->size, json_string_value(value));
}

bool fields_load(const json_t *object, void *to, const struct field *fields)
{
	for (; fields->name; fields++)
		if (!load(fields, json_object_get(object, fields->name),
			  (char *)to + fields->offset))
			return false;
	return true;
}
