#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "client/wire.h"

#include "client/reader_test.h"

static void errors_are_understood_in_every_shape_they_have_had(void **unused)
{
	static const struct {
		const char *body;
		bool is_error;
		int code;
		const char *text;
	} rows[] = {
		{ "{\"error\":\"Order not found\",\"code\":4200}", true, 4200, "Order not found" },
		{ "{\"error\":\"Order not found\",\"code\":\"4200\"}", true, 4200,
		  "Order not found" },
		{ "{\"error\":\"Order not found\",\"code\":4200.0}", true, 4200,
		  "Order not found" },
		{ "{\"code\":4050,\"msg\":\"Insufficient balance\"}", true, 4050,
		  "Insufficient balance" },
		{ "{\"code\":4050,\"message\":\"Insufficient balance\"}", true, 4050,
		  "Insufficient balance" },
		{ "{\"error\":\"a\",\"message\":\"b\",\"msg\":\"c\",\"code\":5000}", true, 5000,
		  "a" },
		{ "{\"error\":{\"message\":\"inner\",\"code\":4010}}", true, 4010, "inner" },
		{ "{\"error\":\"no code\"}", true, 0, "no code" },
		{ "{\"error\":\"no code\",\"code\":null}", true, 0, "no code" },
		{ "{\"error\":\"x\",\"code\":\"many\"}", true, 0, "x" },
		{ "{\"error\":\"x\",\"code\":-4200}", true, 0, "x" },
		{ "{\"error\":\"x\",\"code\":99999999999999999999}", true, 0, "x" },
		{ "{\"error\":true}", true, 0, "{\"error\":true}" },
		{ "{\"error\":\"tab\\tnew\\nline \\u001b[31m\",\"code\":4000}", true, 4000,
		  "tab new line  [31m" },
		{ "{\"error\":null,\"order_id\":\"x\"}", false, 0, NULL },
		{ "{\"error\":\"\",\"order_id\":\"x\"}", false, 0, NULL },
		{ "{\"error\":false}", false, 0, NULL },
		{ "{}", false, 0, "{}" },
		{ "[]", false, 0, "[]" },
		{ "[{\"error\":\"x\"}]", false, 0, NULL },
		{ "404 page not found", false, 0, "404 page not found" },
		{ "two\r\nlines \x01\xff", false, 0, "two  lines  ?" },
		{ "", false, 0, "" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = strlen(rows[i].body);
		struct err err;
		struct wire_doc *doc = wire_parse(rows[i].body, len, &err);
		struct wire_error error;

		wire_error_read(doc, rows[i].body, len, &error);
		assert_int_equal(error.is_error, rows[i].is_error);
		assert_int_equal(error.code, rows[i].code);
		if (rows[i].text)
			assert_string_equal(error.text, rows[i].text);
		wire_free(doc);
	}
}

static void a_long_error_is_cut_between_characters(void **unused)
{
	struct wire_error error;
	char *body = repeat("\xe2\x82\xac", 4000); /* three bytes, one character */

	(void)unused;
	wire_error_read(NULL, body, strlen(body), &error);
	assert_int_equal(strlen(error.text), 159);
	mem_free(body);
}

static void a_single_text_reads_bare_wrapped_and_as_number(void **unused)
{
	static const struct {
		const char *body, *text;
	} rows[] = {
		{ "{\"value\":\"some terms\\nmore\"}", "some terms\nmore" },
		{ "{\"data\":{\"value\":\"x\"}}", "x" },
		{ "\"bare\"", "bare" },
		{ "{\"value\":12000000}", "12000000" },
		{ "{\"value\":null}", NULL },
		{ "{\"value\":{}}", NULL },
		{ "[]", NULL },
		{ "null", NULL },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wire_doc *doc = parse(rows[i].body);
		struct err err;
		char *text = wire_text_read(doc, "value", &err);

		if (rows[i].text)
			assert_string_equal(text, rows[i].text);
		else
			assert_null(text);
		mem_free(text);
		wire_free(doc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_are_understood_in_every_shape_they_have_had),
		cmocka_unit_test(a_long_error_is_cut_between_characters),
		cmocka_unit_test(a_single_text_reads_bare_wrapped_and_as_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
