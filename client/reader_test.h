/* reader_test.h - what the tests of the readers share. */
#ifndef CLIENT_READER_TEST_H
#define CLIENT_READER_TEST_H
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "client/wire.h"

#define ORDER_ID "550e8400-e29b-41d4-a716-446655440000"

static inline struct wire_doc *parse(const char *text)
{
	struct err err;
	struct wire_doc *doc = wire_parse(text, strlen(text), &err);

	if (!doc)
		print_message("%s: %s\n", text, err.text);
	assert_non_null(doc);
	return doc;
}

static inline void assert_decimal(struct decimal value, const char *text)
{
	char digits[DECIMAL_TEXT_LEN];

	assert_string_equal(decimal_print(value, digits), text);
}

/* text NULL: must not be set. */
static inline void assert_number(struct dd_number number, const char *text)
{
	assert_int_equal(number.is_set, text != NULL);
	if (text)
		assert_decimal(number.value, text);
}

static inline void assert_time(struct wall time, const char *text)
{
	char printed[WALL_TEXT_LEN];

	assert_string_equal(wall_print(time, printed), text);
}

static inline char *repeat(const char *text, size_t times)
{
	struct buf buf;

	buf_init(&buf, 1 << 24);
	for (size_t i = 0; i < times; i++)
		buf_add_str(&buf, text);
	return buf_take(&buf);
}
#endif
