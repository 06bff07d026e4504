/* fields.h - which members of the exchange's structs a data file keeps, as tables.
 *
 * Whole numbers and texts only; lists, pointers and what is computed again are store.c's. */
#ifndef SIM_FIELDS_H
#define SIM_FIELDS_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct field {
	const char *name; /* NULL ends a table */
	enum { FIELD_INT64, FIELD_INT, FIELD_BOOL, FIELD_TEXT } kind;
	size_t offset, size;
	int below; /* enums: values from 0 to below - 1; 0: any */
};

extern const struct field order_fields[], execution_fields[], account_fields[], transfer_fields[];

void fields_save(json_t *object, const void *from, const struct field *fields);
/* False when a field is missing, of another kind, too long or out of its range. */
bool fields_load(const json_t *object, void *to, const struct field *fields);
#endif
