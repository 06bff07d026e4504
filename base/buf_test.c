#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

static void appends_follow_each_other(void **unused)
{
	struct buf buf;

	(void)unused;
	buf_init(&buf, 1000);
	assert_string_equal(buf_str(&buf), "");
	buf_add_str(&buf, "one ");
	buf_add_char(&buf, '2');
	buf_printf(&buf, " %s %d ", "three", 4);
	buf_add_hex(&buf, "\x00\xff\x1a", 3);
	buf_add(&buf, "", 0);
	assert_string_equal(buf_str(&buf), "one 2 three 4 00ff1a");
	assert_int_equal(buf.len, strlen(buf_str(&buf)));
	assert_false(buf.is_full);
	buf_fini(&buf);
}

static void a_long_text_grows_the_buffer(void **unused)
{
	struct buf buf;

	(void)unused;
	buf_init(&buf, 1 << 20);
	for (int i = 0; i < 10000; i++)
		buf_printf(&buf, "%08d", i);
	assert_int_equal(buf.len, 80000);
	assert_memory_equal(buf.data + 79992, "00009999", 9);
	buf_fini(&buf);
}

static void the_bound_is_exact_and_full_is_forever(void **unused)
{
	struct buf buf;

	(void)unused;
	buf_init(&buf, 5);
	buf_add_str(&buf, "abc");
	buf_add_str(&buf, "de");
	assert_false(buf.is_full);
	buf_add_str(&buf, "f");
	assert_true(buf.is_full);
	buf_clear(&buf);
	buf_add_str(&buf, "abcd");
	buf_printf(&buf, "%d", 10);
	assert_true(buf.is_full);
	buf_add_char(&buf, 'x'); /* would fit, but comes too late */
	buf_add_hex(&buf, "", 0);
	assert_string_equal(buf_str(&buf), "abcd");
	buf_truncate(&buf, 2);
	buf_add_hex(&buf, "\x12", 1);
	assert_string_equal(buf_str(&buf), "ab12");
	buf_add_hex(&buf, "\x12", 1);
	assert_true(buf.is_full);
	buf_fini(&buf);
}

static void a_bound_of_nothing_takes_nothing(void **unused)
{
	struct buf buf;

	(void)unused;
	buf_init(&buf, 0);
	buf_add(&buf, NULL, 0);
	assert_false(buf.is_full);
	buf_add_char(&buf, 'x');
	assert_true(buf.is_full);
	assert_string_equal(buf_str(&buf), "");
	buf_fini(&buf);
}

static void taking_hands_the_bytes_over(void **unused)
{
	struct buf buf;
	char *empty, *text;

	(void)unused;
	buf_init(&buf, 10);
	empty = buf_take(&buf);
	buf_add_str(&buf, "abc");
	text = buf_take(&buf);
	assert_string_equal(empty, "");
	assert_string_equal(text, "abc");
	assert_string_equal(buf_str(&buf), "");
	buf_add_str(&buf, "0123456789"); /* the bound is still there */
	assert_false(buf.is_full);
	mem_free(empty);
	mem_free(text);
	buf_fini(&buf);
}

static void hex_is_read_in_either_case(void **unused)
{
	uint8_t bytes[4] = { 0 };
	char hex[9];
	size_t len;

	(void)unused;
	assert_true(hex_decode("00aFFa1b", 8, bytes, 4, &len));
	assert_int_equal(len, 4);
	hex_encode(bytes, len, hex);
	assert_string_equal(hex, "00affa1b");
	assert_true(hex_decode("", 0, bytes, 0, &len));
	assert_int_equal(len, 0);
}

static void what_is_no_hex_is_refused(void **unused)
{
	static const char *const cases[] = { "0",  "abc", "0g", "g0", "0x",
					     " 0", "0:",  "@0", "`0", "/0" };
	uint8_t bytes[4];
	size_t len;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_false(hex_decode(cases[i], strlen(cases[i]), bytes, sizeof(bytes), &len));
	assert_false(hex_decode("0000000000", 10, bytes, sizeof(bytes), &len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_follow_each_other),
		cmocka_unit_test(a_long_text_grows_the_buffer),
		cmocka_unit_test(the_bound_is_exact_and_full_is_forever),
		cmocka_unit_test(a_bound_of_nothing_takes_nothing),
		cmocka_unit_test(taking_hands_the_bytes_over),
		cmocka_unit_test(hex_is_read_in_either_case),
		cmocka_unit_test(what_is_no_hex_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
