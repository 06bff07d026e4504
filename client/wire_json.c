#include "client/wire_json.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* jansson recurses and allocates per value, so both are bounded before it sees the text. */
static bool is_within_bounds(const char *text, size_t len)
{
	size_t depth = 0, values = 1;
	bool is_string = false;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (is_string && c == '\\')
			i++;
		else if (c == '"')
			is_string = !is_string;
		else if (is_string)
			continue;
		else if (c == ',')
			values++;
		else if (c == '[' || c == '{')
			depth++, values++;
		else if ((c == ']' || c == '}') && depth > 0)
			depth--;
		if (depth > WIRE_DEPTH_MAX || values > WIRE_VALUES_MAX)
			return false;
	}
	return true;
}

json_t *wire_json_parse(const char *text, size_t len, struct err *err)
{
	json_error_t where;
	json_t *root;

	if (!is_within_bounds(text, len)) {
		err_set(err, ERR_EXCHANGE_ANSWER, "the exchange's answer is too large or too deep");
		return NULL;
	}
	root = json_loadb(text, len, JSON_DECODE_ANY, &where);
	/* An integer beyond 64 bits in some field must not cost us all the others. */
	if (!root && json_error_code(&where) == json_error_numeric_overflow)
		root = json_loadb(text, len, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &where);
	if (!root)
		err_set(err, ERR_EXCHANGE_ANSWER, "the exchange's answer is not JSON (byte %d)",
			where.position);
	return root;
}

json_t *wire_find(const json_t *object, const char *name, ...)
{
	json_t *value = NULL;
	va_list names;

	va_start(names, name);
	for (; name && !value; name = va_arg(names, const char *)) {
		value = json_object_get(object, name);
		if (json_is_null(value))
			value = NULL;
	}
	va_end(names);
	return value;
}

static const json_t *unwrap_once(const json_t *value, const char *const *wrappers)
{
	for (; *wrappers; wrappers++) {
		const json_t *inner = json_object_get(value, *wrappers);

		if (json_is_object(inner))
			return inner;
	}
	return NULL;
}

const json_t *wire_unwrap(const json_t *value, const char *const *wrappers)
{
	const json_t *inner;

	while ((inner = unwrap_once(value, wrappers)))
		value = inner;
	return value;
}

bool wire_get_text(const json_t *value, char *text, size_t room)
{
	const char *from = json_string_value(value);
	size_t len = json_string_length(value);

	if (!from || len >= room)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)from[i] < 0x20 || from[i] == 0x7f)
			return false;
	memcpy(text, from, len + 1);
	return true;
}

bool wire_get_unit(const json_t *value, char *unit, size_t room)
{
	char *to = unit;

	if (!wire_get_text(value, unit, room))
		return false;
	for (const char *from = unit; *from; from++)
		if (*from != '.')
			*to++ = *from;
	*to = '\0';
	return true;
}

bool wire_get_decimal(const json_t *value, struct decimal *number)
{
	struct err ignored;

	if (json_is_string(value))
		return decimal_parse(json_string_value(value), json_string_length(value), number,
				     &ignored);
	if (json_is_real(value))
		return decimal_from_double(json_real_value(value), number, &ignored);
	if (!json_is_integer(value))
		return false;
	*number = decimal_of(json_integer_value(value), 0);
	return true;
}

bool wire_get_quote(const json_t *value, struct decimal *number)
{
	struct err ignored;
	char digits[32];

	if (wire_get_decimal(value, number))
		return true;
	if (!json_is_real(value))
		return false;
	snprintf(digits, sizeof(digits), "%.15g", json_real_value(value));
	return decimal_from_double(strtod(digits, NULL), number, &ignored);
}

static bool int_of(const json_t *value, int64_t *number)
{
	double real = json_real_value(value);
	struct decimal decimal;

	if (json_is_real(value) && real == floor(real) && fabs(real) < 9e15)
		*number = (int64_t)real;
	else if (json_is_integer(value))
		*number = json_integer_value(value);
	else if (json_is_string(value) && wire_get_decimal(value, &decimal) && decimal.scale == 0 &&
		 decimal.units >= INT64_MIN && decimal.units <= INT64_MAX)
		*number = (int64_t)decimal.units;
	else
		return false;
	return true;
}

bool wire_get_int(const json_t *value, int64_t min, int64_t max, int64_t *number)
{
	int64_t found;

	if (!int_of(value, &found) || found < min || found > max)
		return false;
	*number = found;
	return true;
}

#define SECONDS_MAX 100000000000 /* the year 5138 */
#define MILLIS_MAX  100000000000000

bool wire_get_time(const json_t *value, struct wall *time)
{
	int64_t count;

	if (json_is_string(value) && wall_parse(json_string_value(value), time))
		return true;
	if (!wire_get_int(value, 1, INT64_MAX, &count))
		return false;
	if (count < SECONDS_MAX)
		count *= 1000000;
	else if (count < MILLIS_MAX)
		count *= 1000;
	*time = (struct wall){ count };
	return true;
}

void wire_items_free(const struct wire_kind *kind, void *items, size_t count)
{
	for (size_t i = 0; kind->fini && i < count; i++)
		kind->fini((char *)items + i * kind->size);
	mem_free(items);
}

bool wire_array_read(const json_t *array, const struct wire_kind *kind, void **items, size_t *count,
		     struct err *err)
{
	size_t len = json_array_size(array);
	size_t read = 0;
	char *list;

	if (len > kind->count_max)
		return err_set(err, ERR_EXCHANGE_ANSWER,
			       "the exchange's answer has %zu of %s, above the %zu we take", len,
			       kind->name, kind->count_max);
	list = len > 0 ? mem_array(len, kind->size) : NULL;
	for (size_t i = 0; i < len; i++) {
		void *item = list + read * kind->size;

		if (kind->read(json_array_get(array, i), item, err)) {
			read++;
		} else if (kind->skips_bad && (i + 1 < len || read > 0)) {
			memset(item, 0, kind->size);
		} else {
			wire_items_free(kind, list, read);
			return err_prefix(err, "the exchange's answer, %s %zu", kind->name, i + 1);
		}
	}
	*items = list;
	*count = read;
	return true;
}

bool wire_list_read(const struct wire_doc *doc, const char *name, const struct wire_kind *kind,
		    void **items, size_t *count, int64_t *total, struct err *err)
{
	const json_t *page = wire_unwrap(doc->root, (const char *const[]){ "data", NULL });
	const json_t *array = json_is_array(page) ? page : wire_find(page, "data", name, NULL);
	bool is_page = json_object_get(page, "data") || json_object_get(page, name) ||
		       json_object_get(page, "total_count");
	int64_t told = json_is_array(page) ? (int64_t)json_array_size(page) : -1;

	if (array ? !json_is_array(array) : !is_page)
		return err_set(err, ERR_EXCHANGE_ANSWER,
			       "the exchange's answer holds no list of %s", kind->name);
	wire_get_int(wire_find(page, "total_count", NULL), 0, INT64_MAX, &told);
	if (total)
		*total = told;
	return wire_array_read(array, kind, items, count, err);
}
