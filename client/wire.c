#include "client/wire.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "client/wire_json.h"

struct wire_doc *wire_parse(const char *text, size_t len, struct err *err)
{
	json_t *root = wire_json_parse(text, len, err);
	struct wire_doc *doc;

	if (!root)
		return NULL;
	doc = mem_alloc(sizeof(*doc));
	doc->root = root;
	return doc;
}

void wire_free(struct wire_doc *doc)
{
	if (!doc)
		return;
	json_decref(doc->root);
	mem_free(doc);
}

bool wire_is_id(const char *id)
{
	size_t len = strspn(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-");

	return len > 0 && len < DD_ID_LEN && id[len] == '\0';
}

bool wire_order_id_read(const struct wire_doc *doc, char id[DD_ID_LEN])
{
	const char *const wrappers[] = { "data", "order", "order_json", NULL };
	const json_t *object = wire_unwrap(doc->root, wrappers);

	return wire_get_text(wire_find(object, "id", "order_id", NULL), id, DD_ID_LEN) &&
	       wire_is_id(id);
}

static bool is_said(const json_t *error)
{
	return error && !json_is_false(error) &&
	       !(json_is_string(error) && json_string_length(error) == 0);
}

/* The beginning of a text as one line of clean UTF-8. */
static void quote(const char *from, size_t len, char *to)
{
	size_t room = utf8_fit(from, len, WIRE_ERROR_TEXT_MAX);

	for (size_t at = 0; at < room;) {
		uint32_t point;
		size_t step = utf8_next(from + at, room - at, &point);

		if (step > 0 && !utf8_is_control(point)) {
			memcpy(to, from + at, step);
			to += step;
		} else {
			*to++ = step > 0 ? ' ' : '?';
		}
		at += step > 0 ? step : 1;
	}
	*to = '\0';
}

static void quote_first(const json_t *object, const char *const *names, char *to)
{
	for (; *names; names++) {
		const json_t *text = json_object_get(object, *names);

		if (json_string_length(text) == 0)
			continue;
		quote(json_string_value(text), json_string_length(text), to);
		return;
	}
}

void wire_error_read(const struct wire_doc *doc, const char *body, size_t len,
		     struct wire_error *error)
{
	static const char *const names[] = { "error", "message", "msg", NULL };
	const json_t *object = doc ? doc->root : NULL;
	const json_t *said = wire_find(object, "error", NULL);
	int64_t code = 0;

	memset(error, 0, sizeof(*error));
	error->is_object = json_is_object(object);
	error->is_error = is_said(said);
	if (json_is_object(said))
		object = said;
	wire_get_int(wire_find(object, "code", NULL), 1, 99999, &code);
	error->code = (int)code;
	quote_first(object, names, error->text);
	/* A code with a text is what some clients of the exchange take for its error body. */
	error->is_error |= error->code > 0 && error->text[0] != '\0';
	if (error->text[0] == '\0')
		quote(body, len, error->text);
}

char *wire_text_read(const struct wire_doc *doc, const char *name, struct err *err)
{
	const json_t *object = wire_unwrap(doc->root, (const char *const[]){ "data", NULL });
	const json_t *value = json_is_object(object) ? wire_find(object, name, NULL) : object;
	char digits[DECIMAL_TEXT_LEN];
	struct decimal number;

	if (json_is_string(value))
		return mem_strdup(json_string_value(value));
	if (wire_get_decimal(value, &number))
		return mem_strdup(decimal_print(number, digits));
	err_set(err, ERR_EXCHANGE_ANSWER, "the exchange's answer has no %s", name);
	return NULL;
}
