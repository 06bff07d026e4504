/* wire_json.h - bounded parsing and tolerant reading of the exchange's JSON, for client/wire*.c.
 *
 * The exchange has sent the same field as a string and as a number, left fields out and sent
 * null for them, and renamed them over the years; official clients differ likewise. So a reader
 * takes the value that wire_find() found, which is NULL for absent and null alike, and leaves
 * its output untouched when it cannot use it. Any thread; values are borrowed from the root. */
#ifndef CLIENT_WIRE_JSON_H
#define CLIENT_WIRE_JSON_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/decimal.h"
#include "base/err.h"

#define WIRE_DEPTH_MAX  32
#define WIRE_VALUES_MAX 300000 /* bounds the memory of the parsed form, some 50 MB at worst */

/* ERR_EXCHANGE_ANSWER for what is not one JSON value within the bounds; its text quotes nothing
 * of the input, which may hold a key. The caller drops the root with json_decref(). */
json_t *wire_json_parse(const char *text, size_t len, struct err *err);

/* The first of these members that is there and not null; end the names with NULL. */
json_t *wire_find(const json_t *object, const char *name, ...) __attribute__((sentinel));

/* Follows members of these names (NULL-terminated) as long as they are objects:
 * {"data":{"order":{...}}} gives the innermost. */
const json_t *wire_unwrap(const json_t *value, const char *const *wrappers);

/* A string that fits whole, without control characters. */
bool wire_get_text(const json_t *value, char *text, size_t room);
/* The same, with what is not part of an on-chain unit taken out: the dot after the policy. */
bool wire_get_unit(const json_t *value, char *unit, size_t room);
/* A plain decimal as a string, or a number whose digits are certain. */
bool wire_get_decimal(const json_t *value, struct decimal *number);
/* The same for market data, which comes as binary floating point: noise after the 15th digit is
 * rounded away (0.30000000000000004 is 0.3). Never for an amount of ours. */
bool wire_get_quote(const json_t *value, struct decimal *number);
bool wire_get_int(const json_t *value, int64_t min, int64_t max, int64_t *number);
/* RFC 3339, or a count since 1970 in seconds, milliseconds or microseconds by its size. */
bool wire_get_time(const json_t *value, struct wall *time);

struct wire_doc {
	json_t *root;
};

/* How the elements of one kind of list are read. */
struct wire_kind {
	const char *name; /* of one element, for errors */
	size_t size;      /* of its struct */
	size_t count_max;
	bool (*read)(const json_t *value, void *item, struct err *err);
	void (*fini)(void *item); /* NULL: nothing to free */
	bool skips_bad;           /* leaves out what cannot be read, unless that is everything */
};

/* Reads a JSON array. *items is NULL when *count is 0. array NULL counts as empty. */
bool wire_array_read(const json_t *array, const struct wire_kind *kind, void **items, size_t *count,
		     struct err *err);
/* The same for an array, {"data": array} or {name: array}, with an outer "data" or not. A page
 * whose list is null or left out is empty. total may be NULL. */
bool wire_list_read(const struct wire_doc *doc, const char *name, const struct wire_kind *kind,
		    void **items, size_t *count, int64_t *total, struct err *err);
void wire_items_free(const struct wire_kind *kind, void *items, size_t count);
#endif
