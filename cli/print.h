/* print.h - JSON answers as tables for people.
 *
 * Text from elsewhere reaches a terminal here: control characters and what is not UTF-8 are shown
 * as '?'. What is absent or null is a dash. */
#ifndef CLI_PRINT_H
#define CLI_PRINT_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct buf;
struct table;

enum print_kind {
	PRINT_TEXT,
	PRINT_RIGHT, /* numbers and amounts */
	PRINT_TIME,  /* RFC 3339, shown to the second */
};

struct column {
	const char *title;
	const char *key; /* of the JSON object; "error.code" is code in error */
	enum print_kind kind;
};

/* A table; one line for each object of rows. */
void print_rows(FILE *out, const json_t *rows, const struct column *columns, size_t count);
/* A line for each column: title and value. Those that are absent or null are left out. */
void print_members(FILE *out, const json_t *object, const struct column *columns, size_t count);

/* A member as one would write it: strings as they are, numbers digit for digit, lists with commas.
 * NULL gives a dash. */
void print_value(struct buf *to, const json_t *value, enum print_kind kind);
const json_t *print_find(const json_t *object, const char *key); /* NULL when absent */

/* A table of any text. Lines are kept until they are many or the table is finished, as the widest
 * of them decides; so there may be any number. */
struct table *table_create(FILE *out, size_t columns); /* at least one */
void table_head(struct table *table, size_t column, const char *title, bool is_right);
void table_add(struct table *table, const char *text, size_t len); /* the next cell */
void table_finish(struct table *table);                            /* prints the rest, and frees */
#endif
