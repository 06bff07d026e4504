#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/print.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

#define MANY 2500 /* lines; more than a table keeps */

static json_t *parse(const char *text)
{
	json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);

	assert_non_null(json);
	return json;
}

/* What print writes, as a string to free(). */
struct page {
	FILE *out;
	char *text;
	size_t len;
};

static void page_open(struct page *page)
{
	page->out = open_memstream(&page->text, &page->len);
	assert_non_null(page->out);
}

static void assert_page(struct page *page, const char *expected)
{
	assert_int_equal(fclose(page->out), 0);
	assert_string_equal(page->text, expected);
	free(page->text);
}

static void values_look_as_one_would_write_them(void **unused)
{
	static const struct {
		const char *json, *text;
		enum print_kind kind;
	} cases[] = {
		{ "\"0.450\"", "0.450", PRINT_TEXT },
		{ "\"\"", "", PRINT_TEXT },
		{ "null", "-", PRINT_TEXT },
		{ "true", "yes", PRINT_TEXT },
		{ "false", "no", PRINT_TEXT },
		{ "9007199254740993", "9007199254740993", PRINT_RIGHT },
		{ "0.1", "0.1", PRINT_RIGHT },
		{ "4.997", "4.997", PRINT_RIGHT },
		{ "[]", "-", PRINT_TEXT },
		{ "{}", "-", PRINT_TEXT },
		{ "[\"read\",\"trade\"]", "read,trade", PRINT_TEXT },
		{ "{\"a\":1}", "{\"a\":1}", PRINT_TEXT },
		{ "\"2026-11-22T11:02:05.123456Z\"", "2026-11-22T11:02:05Z", PRINT_TIME },
		{ "\"2026-11-22T11:02:05.123456Z\"", "2026-11-22T11:02:05.123456Z", PRINT_TEXT },
		{ "\"2026-11-22T11:02:05Z\"", "2026-11-22T11:02:05Z", PRINT_TIME },
		{ "\"soon\"", "soon", PRINT_TIME },
		{ "\"2026-11-22T11:02:05\"", "2026-11-22T11:02:05", PRINT_TIME },
		{ "\"a\\u001b[2J\\u009b\"", "a?[2J?", PRINT_TEXT },
		{ "{\"a\":\"\\u009b\"}", "{\"a\":\"?\"}", PRINT_TEXT },
		{ "null", "-", PRINT_TIME },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		json_t *json = parse(cases[i].json);
		struct buf text;

		buf_init(&text, 256);
		print_value(&text, json, cases[i].kind);
		assert_string_equal(buf_str(&text), cases[i].text);
		buf_fini(&text);
		json_decref(json);
	}
}

static void a_dot_leads_into_an_object(void **unused)
{
	json_t *json = parse("{\"error\":{\"code\":\"risk\",\"text\":null},\"n\":1}");

	(void)unused;
	assert_string_equal(json_string_value(print_find(json, "error.code")), "risk");
	assert_null(print_find(json, "error.text"));
	assert_null(print_find(json, "error.none"));
	assert_null(print_find(json, "n.code"));
	assert_null(print_find(json, "none.code"));
	assert_null(print_find(NULL, "code"));
	json_decref(json);
}

static const struct column columns[] = {
	{ "NAME", "name", PRINT_TEXT },
	{ "QTY", "qty", PRINT_RIGHT },
	{ "NOTE", "note", PRINT_TEXT },
};

static void columns_are_as_wide_as_their_widest_cell(void **unused)
{
	json_t *rows = parse("[{\"name\":\"a\",\"qty\":\"100000\",\"note\":\"x\"},"
			     "{\"name\":\"longer\",\"qty\":\"1\"},"
			     "{\"name\":\"\xc3\xa4\xe2\x82\xac\",\"qty\":null,\"note\":\"y z\"}]");
	struct page page;

	(void)unused;
	page_open(&page);
	print_rows(page.out, rows, columns, ARRAY_LEN(columns));
	assert_page(&page, "NAME       QTY  NOTE\n"
			   "a       100000  x\n"
			   "longer       1  -\n"
			   "\xc3\xa4\xe2\x82\xac           -  y z\n");
	json_decref(rows);
}

static void no_rows_are_a_head_alone(void **unused)
{
	static const char *const cases[] = { "[]", "{}", "null" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		json_t *rows = parse(cases[i]);
		struct page page;

		page_open(&page);
		print_rows(page.out, rows, columns, ARRAY_LEN(columns));
		assert_page(&page, "NAME  QTY  NOTE\n");
		json_decref(rows);
	}
}

static void rows_of_another_kind_are_dashes(void **unused)
{
	json_t *rows = parse("[1,null,[\"x\"],{\"name\":\"a\"}]");
	struct page page;

	(void)unused;
	page_open(&page);
	print_rows(page.out, rows, columns, 2);
	assert_page(&page, "NAME  QTY\n-       -\n-       -\n-       -\na       -\n");
	json_decref(rows);
}

static void no_text_can_move_the_cursor(void **unused)
{
	static const char *const cases[][2] = {
		{ "\x1b[2Jx", "?[2Jx" }, { "a\nb", "a?b" },
		{ "a\tb", "a?b" },       { "\x7f", "?" },
		{ "\xc2\x9b", "?" },     { "\xff\xfe", "??" },
		{ "\xe2\x82", "??" },    { "\xe2\x82\xac", "\xe2\x82\xac" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct page page;
		struct table *table;
		char expected[64];

		page_open(&page);
		table = table_create(page.out, 1);
		table_head(table, 0, cases[i][0], false);
		table_add(table, cases[i][0], strlen(cases[i][0]));
		table_finish(table);
		snprintf(expected, sizeof(expected), "%s\n%s\n", cases[i][1], cases[i][1]);
		assert_page(&page, expected);
	}
}

static void a_nul_does_not_cut_a_cell(void **unused)
{
	struct page page;
	struct table *table;

	(void)unused;
	page_open(&page);
	table = table_create(page.out, 1);
	table_head(table, 0, "x", false);
	table_add(table, "a\0b", 3);
	table_add(table, "", 0);
	table_finish(table);
	assert_page(&page, "x\na?b\n\n");
}

static void any_number_of_lines_is_printed_once_and_in_order(void **unused)
{
	struct page page;
	struct table *table;
	const char *at;

	(void)unused;
	page_open(&page);
	table = table_create(page.out, 2);
	table_head(table, 0, "N", true);
	table_head(table, 1, "M", true);
	for (int i = 0; i < 2 * MANY; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%d", i);
		table_add(table, text, strlen(text));
	}
	table_finish(table);
	assert_int_equal(fclose(page.out), 0);
	at = strchr(page.text, '\n') + 1;
	for (int i = 0; i < 2 * MANY; i++) {
		char *end;

		assert_int_equal(strtol(at, &end, 10), i);
		at = end;
	}
	assert_string_equal(at, "\n");
	free(page.text);
}

static void members_that_are_absent_are_left_out(void **unused)
{
	static const struct column members[] = {
		{ "order", "order_id", PRINT_TEXT },
		{ "a very long title", "none", PRINT_TEXT },
		{ "price", "price", PRINT_RIGHT },
		{ "error", "error.code", PRINT_TEXT },
	};
	json_t *json = parse("{\"order_id\":\"ord_1\",\"price\":null,"
			     "\"error\":{\"code\":\"a\\u001bb\"}}");
	struct page page;

	(void)unused;
	page_open(&page);
	print_members(page.out, json, members, ARRAY_LEN(members));
	assert_page(&page, "order  ord_1\nerror  a?b\n");
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_look_as_one_would_write_them),
		cmocka_unit_test(a_dot_leads_into_an_object),
		cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
		cmocka_unit_test(no_rows_are_a_head_alone),
		cmocka_unit_test(rows_of_another_kind_are_dashes),
		cmocka_unit_test(no_text_can_move_the_cursor),
		cmocka_unit_test(a_nul_does_not_cut_a_cell),
		cmocka_unit_test(any_number_of_lines_is_printed_once_and_in_order),
		cmocka_unit_test(members_that_are_absent_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
