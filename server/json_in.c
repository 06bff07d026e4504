#include "server/json_in.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"

#define DIGITS_MAX 15 /* that any double keeps */
#define WHOLE_MAX  16 /* digits of 2^53: up to there a double keeps whole numbers */

struct json_in {
	json_t *root; /* what has not been taken yet */
	struct err err;
	bool is_refused;
};

/* ---- before parsing --------------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Significant digits of the number literal at text; *len is how far it goes. */
static size_t significant_digits(const char *text, size_t max, size_t *len)
{
	size_t at = 0, count = 0;

	for (; at < max && (is_digit(text[at]) || text[at] == '.' || text[at] == '-'); at++)
		count += is_digit(text[at]) && (count > 0 || text[at] != '0');
	*len = at;
	if (at == max || (text[at] != 'e' && text[at] != 'E'))
		return count;
	for (at++; at < max && (is_digit(text[at]) || text[at] == '-' || text[at] == '+');)
		at++;
	*len = at;
	return count;
}

static size_t string_end(const char *text, size_t at, size_t len)
{
	for (at++; at < len && text[at] != '"'; at++)
		at += text[at] == '\\';
	return at + 1;
}

static bool is_whole(const char *literal, size_t len)
{
	return !memchr(literal, '.', len) && !memchr(literal, 'e', len) &&
	       !memchr(literal, 'E', len);
}

/* jansson recurses, allocates for each value and reads numbers as doubles: bounds come first. */
static bool check_text(const char *text, size_t len, size_t whole_max, struct err *err)
{
	size_t depth = 0, values = 1, number_len, digits;

	for (size_t at = 0; at < len;) {
		char c = text[at];

		if (c == '"') {
			at = string_end(text, at, len);
			continue;
		}
		if (c == '-' || is_digit(c)) {
			digits = significant_digits(text + at, len - at, &number_len);
			if (digits > (is_whole(text + at, number_len) ? whole_max : DIGITS_MAX))
				return err_set(err, ERR_DECIMAL,
					       "a number of more than %d digits must be a string",
					       DIGITS_MAX);
			at += number_len;
			continue;
		}
		depth += c == '{' || c == '[';
		depth -= (c == '}' || c == ']') && depth > 0;
		values += c == ',' || c == '{' || c == '[';
		if (depth > JSON_IN_DEPTH_MAX || values > JSON_IN_VALUES_MAX)
			return err_set(err, ERR_BAD_JSON,
				       "this has more than %d levels or %d values",
				       JSON_IN_DEPTH_MAX, JSON_IN_VALUES_MAX);
		at++;
	}
	return true;
}

static bool refuse_syntax(const json_error_t *where, struct err *err)
{
	if (json_error_code(where) == json_error_duplicate_key)
		return err_set(err, ERR_BAD_JSON, "a member is given twice (line %d)", where->line);
	if (json_error_code(where) == json_error_numeric_overflow)
		return err_set(err, ERR_DECIMAL, "a number is too large (line %d)", where->line);
	return err_set(err, ERR_BAD_JSON, "this is not JSON (line %d, column %d)", where->line,
		       where->column);
}

/* Takes root. */
static struct json_in *json_in_create(json_t *root)
{
	struct json_in *in = mem_alloc(sizeof(*in));

	in->root = root;
	return in;
}

static struct json_in *parse(const char *text, size_t len, size_t whole_max, struct err *err)
{
	json_error_t where;
	json_t *root;

	if (!check_text(text, len, whole_max, err))
		return NULL;
	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
	if (!root) {
		refuse_syntax(&where, err);
		return NULL;
	}
	if (!json_is_object(root)) {
		json_decref(root);
		err_set(err, ERR_BAD_JSON, "this is not a JSON object");
		return NULL;
	}
	return json_in_create(root);
}

struct json_in *json_in_parse(const char *text, size_t len, struct err *err)
{
	return parse(text, len, DIGITS_MAX, err);
}

struct json_in *json_in_parse_message(const char *text, size_t len, struct err *err)
{
	return parse(text, len, WHOLE_MAX, err);
}

/* The parsed copy of a string, writable. */
static char *bytes_of(json_t *value)
{
	union {
		const char *in;
		char *out;
	} pointer = { .in = json_string_value(value) };

	return pointer.out;
}

/* A secret under a mistyped name is a secret still. */
static void wipe_texts(json_t *root)
{
	const char *name;
	json_t *value;

	json_object_foreach(root, name, value) if (json_is_string(value))
		secret_wipe(bytes_of(value), json_string_length(value));
}

void json_in_destroy(struct json_in *in)
{
	if (!in)
		return;
	wipe_texts(in->root);
	json_decref(in->root);
	mem_free(in);
}

/* ---- taking ----------------------------------------------------------------------------- */

void json_in_refuse(struct json_in *in, enum err_code code, const char *text)
{
	if (!in->is_refused)
		err_set(&in->err, code, "%s", text);
	in->is_refused = true;
}

static bool refuse_member(struct json_in *in, const char *name, const char *what)
{
	if (!in->is_refused)
		err_set(&in->err, ERR_INVALID, "%s must be %s", name, what);
	in->is_refused = true;
	return false;
}

/* The caller's own reference; NULL when absent or null. */
static json_t *take(struct json_in *in, const char *name)
{
	json_t *value = json_incref(json_object_get(in->root, name));

	json_object_del(in->root, name);
	if (!json_is_null(value))
		return value;
	json_decref(value);
	return NULL;
}

bool json_in_text(struct json_in *in, const char *name, char *text, size_t room)
{
	json_t *value = take(in, name);
	size_t len = json_string_length(value);
	bool is_fine = json_is_string(value) && len > 0 && len < room;
	char what[48];

	if (is_fine) {
		memcpy(text, json_string_value(value), len + 1);
	} else if (value) {
		snprintf(what, sizeof(what), "a text of 1 to %zu bytes", room - 1);
		refuse_member(in, name, what);
	}
	json_decref(value);
	return is_fine;
}

static bool decimal_of_value(const json_t *value, struct decimal *decimal, struct err *err)
{
	if (json_is_string(value))
		return decimal_parse(json_string_value(value), json_string_length(value), decimal,
				     err);
	if (json_is_real(value))
		return decimal_from_double(json_real_value(value), decimal, err);
	if (!json_is_integer(value))
		return err_set(err, ERR_DECIMAL, "neither a text nor a number");
	*decimal = decimal_of(json_integer_value(value), 0);
	return true;
}

bool json_in_decimal(struct json_in *in, const char *name, struct decimal *value)
{
	json_t *taken = take(in, name);
	struct decimal decimal;
	struct err err;
	bool is_fine = taken && decimal_of_value(taken, &decimal, &err);

	if (is_fine) {
		*value = decimal;
	} else if (taken) {
		err_prefix(&err, "%s", name);
		json_in_refuse(in, err.code, err.text);
	}
	json_decref(taken);
	return is_fine;
}

bool json_in_int(struct json_in *in, const char *name, int64_t min, int64_t max, int64_t *value)
{
	json_t *taken = take(in, name);
	int64_t number = json_integer_value(taken);
	bool is_fine = json_is_integer(taken) && number >= min && number <= max;
	char what[80];

	if (is_fine) {
		*value = number;
	} else if (taken) {
		snprintf(what, sizeof(what), "a whole number from %lld to %lld", (long long)min,
			 (long long)max);
		refuse_member(in, name, what);
	}
	json_decref(taken);
	return is_fine;
}

bool json_in_bool(struct json_in *in, const char *name, bool *value)
{
	json_t *taken = take(in, name);
	bool is_fine = json_is_boolean(taken);

	if (is_fine)
		*value = json_is_true(taken);
	else if (taken)
		refuse_member(in, name, "true or false");
	json_decref(taken);
	return is_fine;
}

bool json_in_time(struct json_in *in, const char *name, struct wall *time)
{
	json_t *taken = take(in, name);
	/* The epoch itself means "no time" in a struct wall. */
	bool is_fine =
		json_is_string(taken) && wall_parse(json_string_value(taken), time) && time->us > 0;

	if (taken && !is_fine)
		refuse_member(in, name, "a time such as 2026-11-22T11:02:05Z");
	json_decref(taken);
	return is_fine;
}

bool json_in_word(struct json_in *in, const char *name, const char *const *words, size_t count,
		  size_t *index)
{
	json_t *taken = take(in, name);
	bool is_fine = false;
	char what[96] = "one of";

	for (size_t i = 0; json_is_string(taken) && !is_fine && i < count; i++) {
		is_fine = strcmp(json_string_value(taken), words[i]) == 0;
		if (is_fine)
			*index = i;
	}
	if (taken && !is_fine) {
		for (size_t i = 0; i < count; i++)
			snprintf(what + strlen(what), sizeof(what) - strlen(what), "%s %s",
				 i > 0 ? "," : "", words[i]);
		refuse_member(in, name, what);
	}
	json_decref(taken);
	return is_fine;
}

static bool each_word(struct json_in *in, const char *name, const json_t *array,
		      json_in_word_fn *fn, void *arg)
{
	struct err err;

	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *word = json_array_get(array, i);

		if (!json_is_string(word))
			return refuse_member(in, name, "an array of texts");
		if (!fn(arg, json_string_value(word), &err)) {
			err_prefix(&err, "%s", name);
			json_in_refuse(in, err.code, err.text);
			return false;
		}
	}
	return true;
}

bool json_in_words(struct json_in *in, const char *name, json_in_word_fn *fn, void *arg)
{
	json_t *taken = take(in, name);
	bool is_fine = json_is_array(taken) && each_word(in, name, taken, fn, arg);

	if (taken && !json_is_array(taken))
		refuse_member(in, name, "an array of texts");
	json_decref(taken);
	return is_fine;
}

bool json_in_secret(struct json_in *in, const char *name, size_t max, struct secret **secret)
{
	json_t *taken = take(in, name);
	size_t len = json_string_length(taken);
	bool is_fine = json_is_string(taken) && len > 0 && len <= max;
	char what[48];

	if (is_fine) {
		*secret = secret_from(json_string_value(taken), len);
	} else if (taken) {
		snprintf(what, sizeof(what), "a text of 1 to %zu bytes", max);
		refuse_member(in, name, what);
	}
	if (json_is_string(taken))
		secret_wipe(bytes_of(taken), len);
	json_decref(taken);
	return is_fine;
}

struct json_in *json_in_object(struct json_in *in, const char *name)
{
	json_t *taken = take(in, name);

	if (json_is_object(taken))
		return json_in_create(taken);
	if (taken)
		refuse_member(in, name, "an object");
	json_decref(taken);
	return NULL;
}

void json_in_object_end(struct json_in *in, struct json_in *member, const char *name)
{
	struct err err;

	if (!json_in_end(member, &err)) {
		err_prefix(&err, "%s", name);
		json_in_refuse(in, err.code, err.text);
	}
	json_in_destroy(member);
}

bool json_in_end(const struct json_in *in, struct err *err)
{
	const char *stranger = json_object_iter_key(json_object_iter(in->root));

	if (stranger)
		return err_set(err, ERR_UNKNOWN_FIELD, "unknown field \"%s\"", stranger);
	if (in->is_refused)
		*err = in->err;
	return !in->is_refused;
}
