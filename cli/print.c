#include "cli/print.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"

#define VALUE_MAX   (1024 * 1024)
#define LINES_KEPT  1000
#define KEY_MAX     64
#define TIME_TO_SEC 19 /* 2026-11-22T11:02:05 */

/* ---- tables of text ---------------------------------------------------------------------- */

struct table {
	FILE *out;
	size_t columns, cell_count;
	char **cells; /* LINES_KEPT lines of them */
	char **titles;
	size_t *widths;
	bool *is_right;
	bool has_head; /* it was printed */
};

struct table *table_create(FILE *out, size_t columns)
{
	struct table *table = mem_alloc(sizeof(*table));

	assert(columns > 0);
	table->out = out;
	table->columns = columns;
	table->cells = mem_array(columns * LINES_KEPT, sizeof(*table->cells));
	table->titles = mem_array(columns, sizeof(*table->titles));
	table->widths = mem_array(columns, sizeof(*table->widths));
	table->is_right = mem_array(columns, sizeof(*table->is_right));
	return table;
}

static size_t width_of(const char *text)
{
	size_t len = strlen(text), width = 0;
	uint32_t point;

	for (size_t at = 0; at < len; width++)
		at += utf8_next(text + at, len - at, &point);
	return width;
}

/* Nothing that could move the cursor, and nothing that is not UTF-8. */
static void add_clean(struct buf *to, const char *text, size_t len)
{
	uint32_t point;
	size_t used;

	for (size_t at = 0; at < len; at += used ? used : 1) {
		used = utf8_next(text + at, len - at, &point);
		if (used == 0 || utf8_is_control(point))
			buf_add_char(to, '?');
		else
			buf_add(to, text + at, used);
	}
}

static char *clean_copy(const char *text, size_t len)
{
	struct buf copy;

	buf_init(&copy, len);
	add_clean(&copy, text, len);
	return buf_take(&copy);
}

static void widen(struct table *table, size_t column, const char *text)
{
	size_t width = width_of(text);

	if (width > table->widths[column])
		table->widths[column] = width;
}

void table_head(struct table *table, size_t column, const char *title, bool is_right)
{
	assert(column < table->columns && !table->titles[column]);
	table->titles[column] = clean_copy(title, strlen(title));
	table->is_right[column] = is_right;
	widen(table, column, table->titles[column]);
}

/* No spaces behind the last column. */
static void print_line(const struct table *table, char *const *cells)
{
	for (size_t i = 0; i < table->columns; i++) {
		const char *text = cells[i] ? cells[i] : "";
		int gap = (int)(table->widths[i] - width_of(text));
		bool is_last = i + 1 == table->columns;

		if (table->is_right[i])
			fprintf(table->out, "%*s%s", gap, "", text);
		else
			fprintf(table->out, "%s%*s", text, is_last ? 0 : gap, "");
		fputs(is_last ? "\n" : "  ", table->out);
	}
}

static void print_kept(struct table *table)
{
	if (!table->has_head)
		print_line(table, table->titles);
	table->has_head = true;
	for (size_t at = 0; at < table->cell_count; at += table->columns)
		print_line(table, table->cells + at);
	for (size_t i = 0; i < table->cell_count; i++)
		mem_free(table->cells[i]);
	table->cell_count = 0;
}

void table_add(struct table *table, const char *text, size_t len)
{
	size_t column;

	assert(table->columns > 0);
	column = table->cell_count % table->columns;
	if (table->cell_count == table->columns * LINES_KEPT)
		print_kept(table);
	table->cells[table->cell_count] = clean_copy(text, len);
	widen(table, column, table->cells[table->cell_count++]);
}

void table_finish(struct table *table)
{
	assert(table->cell_count % table->columns == 0);
	print_kept(table);
	for (size_t i = 0; i < table->columns; i++)
		mem_free(table->titles[i]);
	mem_free(table->cells);
	mem_free(table->titles);
	mem_free(table->widths);
	mem_free(table->is_right);
	mem_free(table);
}

/* ---- JSON -------------------------------------------------------------------------------- */

const json_t *print_find(const json_t *object, const char *key)
{
	char name[KEY_MAX];
	size_t len = strcspn(key, ".");

	assert(len < sizeof(name));
	memcpy(name, key, len);
	name[len] = '\0';
	object = json_object_get(object, name);
	if (object && key[len] == '.')
		return print_find(object, key + len + 1);
	return json_is_null(object) ? NULL : object;
}

/* jansson keeps a number with a point as a binary fraction: 15 digits are all it is good for. The
 * API has amounts in strings, and such numbers only for rates and shares. */
static void add_json(struct buf *to, const json_t *value)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));

	if (text)
		add_clean(to, text, strlen(text));
	free(text);
}

static void add_list(struct buf *to, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (i > 0)
			buf_add_char(to, ',');
		print_value(to, json_array_get(list, i), PRINT_TEXT);
	}
	if (json_array_size(list) == 0)
		buf_add_char(to, '-');
}

static void add_time(struct buf *to, const char *text, size_t len)
{
	bool is_cut = len > TIME_TO_SEC && text[len - 1] == 'Z';

	add_clean(to, text, is_cut ? TIME_TO_SEC : len);
	if (is_cut)
		buf_add_char(to, 'Z');
}

void print_value(struct buf *to, const json_t *value, enum print_kind kind)
{
	if (!value || json_is_null(value) || (json_is_object(value) && !json_object_size(value)))
		buf_add_char(to, '-');
	else if (json_is_string(value) && kind == PRINT_TIME)
		add_time(to, json_string_value(value), json_string_length(value));
	else if (json_is_string(value))
		add_clean(to, json_string_value(value), json_string_length(value));
	else if (json_is_boolean(value))
		buf_add_str(to, json_is_true(value) ? "yes" : "no");
	else if (json_is_array(value))
		add_list(to, value);
	else
		add_json(to, value);
}

static void add_cell(struct table *table, const json_t *row, const struct column *column)
{
	struct buf text;

	buf_init(&text, VALUE_MAX);
	print_value(&text, print_find(row, column->key), column->kind);
	table_add(table, buf_str(&text), text.len);
	buf_fini(&text);
}

void print_rows(FILE *out, const json_t *rows, const struct column *columns, size_t count)
{
	struct table *table = table_create(out, count);

	for (size_t i = 0; i < count; i++)
		table_head(table, i, columns[i].title, columns[i].kind == PRINT_RIGHT);
	for (size_t row = 0; row < json_array_size(rows); row++)
		for (size_t i = 0; i < count; i++)
			add_cell(table, json_array_get(rows, row), &columns[i]);
	table_finish(table);
}

void print_members(FILE *out, const json_t *object, const struct column *columns, size_t count)
{
	size_t width = 0;

	for (size_t i = 0; i < count; i++)
		if (print_find(object, columns[i].key) && strlen(columns[i].title) > width)
			width = strlen(columns[i].title);
	for (size_t i = 0; i < count; i++) {
		const json_t *value = print_find(object, columns[i].key);
		struct buf text;

		if (!value)
			continue;
		buf_init(&text, VALUE_MAX);
		print_value(&text, value, columns[i].kind);
		fprintf(out, "%-*s  %s\n", (int)width, columns[i].title, buf_str(&text));
		buf_fini(&text);
	}
}
