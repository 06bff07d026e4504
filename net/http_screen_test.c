#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/http_screen.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define GET  "GET / HTTP/1.1\r\n"
#define MORE HTTP_SCREEN_MORE
#define FINE HTTP_SCREEN_FINE

static void the_library_gets_what_it_leaves_to_us(void **state)
{
	static const struct {
		int verdict;
		const char *text;
		size_t len;
	} cases[] = {
#define CASE(verdict, text) { verdict, text, sizeof(text) - 1 }
		CASE(FINE, GET "Host: h\r\n\r\n"),
		CASE(FINE, GET "\r\n"),
		CASE(FINE, GET "Host: h\r\n\r\nwhatever comes next\n"),
		CASE(FINE, "\r\n\n\r\n" GET "\r\n"),
		CASE(FINE, "GET / HTTP/1.0\n\n"),
		CASE(FINE, "ODD-method a b c HTTP/1.9\r\n\r\n"),
		CASE(FINE, GET "Content-Length: 0\r\n\r\n"),
		CASE(FINE, GET "content-length:\t 18446744073709551615\r\n\r\n"),
		CASE(FINE, GET "X:\r\n\r\n"),
		/* Not whole. */
		CASE(MORE, "\r\n"),
		CASE(MORE, "\r"),
		CASE(MORE, "G"),
		CASE(MORE, "GET / HTTP/1.1"),
		CASE(MORE, GET),
		CASE(MORE, GET "\r"),
		CASE(MORE, GET "Host: h\r\n"),
		CASE(MORE, GET "nonsense, but who knows yet"),
		/* No request line. */
		CASE(400, "\r\r\n"),
		CASE(400, " GET / HTTP/1.1\r\n\r\n"),
		CASE(400, "\x16\x03\x01"),
		CASE(400, "\0"),
		CASE(400, "rubbish\r\n"),
		CASE(400, "GET /\r\n\r\n"),
		CASE(400, "GET HTTP/1.1\r\n\r\n"),
		CASE(400, "GET  HTTP/1.1\r\n\r\n"),
		CASE(400, "GET   HTTP/1.1\r\n\r\n"),
		CASE(400, "GET  / HTTP/1.1\r\n\r\n"),
		CASE(400, "GET / HTTP/1.\r\n\r\n"),
		CASE(400, "GET / HTTP/1.1 \r\n\r\n"),
		CASE(400, "GET / http/1.1\r\n\r\n"),
		CASE(400, "GET / HTTP/0.9\r\n\r\n"),
		CASE(400, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
		CASE(400, "GET\0X / HTTP/1.1\r\n\r\n"),
		/* No headers. */
		CASE(400, GET "no colon\r\n"),
		CASE(400, GET ": no name\r\n"),
		CASE(400, GET "X: 1\r\n folded: 2\r\n"),
		CASE(400, GET "X\0: 1\r\n"),
		CASE(400, GET "X: \0\r\n"),
		/* No length. */
		CASE(400, GET "Content-Length:\r\n"),
		CASE(400, GET "Content-Length: -1\r\n"),
		CASE(400, GET "Content-Length: +1\r\n"),
		CASE(400, GET "Content-Length: 0x1\r\n"),
		CASE(400, GET "Content-Length: 1 \r\n"),
		CASE(400, GET "Content-Length: 1, 1\r\n"),
		CASE(413, GET "Content-Length: 18446744073709551616\r\n"),
		CASE(413, GET "CONTENT-LENGTH: 99999999999999999999999\r\n"),
#undef CASE
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int verdict = http_screen(cases[i].text, cases[i].len);

		if (verdict != cases[i].verdict)
			print_error("case %zu: %s\n", i, cases[i].text);
		assert_int_equal(verdict, cases[i].verdict);
	}
}

static void no_prefix_of_a_good_head_is_refused(void **state)
{
	static const char head[] = "\r\nPOST /v1/orders?x HTTP/1.1\r\nHost: h\r\n"
				   "Content-Length: 12\r\nCookie: a=1; b=2\r\n\r\n";
	(void)state;

	for (size_t len = 1; len < sizeof(head) - 1; len++)
		assert_int_equal(http_screen(head, len), MORE);
	assert_int_equal(http_screen(head, sizeof(head) - 1), FINE);
}

/* start, then as many fill as there is room for, then end, which the head's bound may cut off. */
static int screen_filled(const char *start, const char *fill, const char *end, size_t len)
{
	char *text = mem_alloc(len + 1);
	size_t at = strlen(start), fill_len = strlen(fill), end_len = strlen(end);
	int verdict;

	memcpy(text, start, at);
	while (at + end_len < len) {
		size_t part = len - end_len - at < fill_len ? len - end_len - at : fill_len;

		memcpy(text + at, fill, part);
		at += part;
	}
	memcpy(text + at, end, end_len);
	verdict = http_screen(text, len);
	mem_free(text);
	return verdict;
}

static void a_head_of_just_the_bound_is_fine(void **state)
{
	(void)state;
	assert_int_equal(screen_filled(GET "X: ", "x", "\r\n\r\n", HTTP_HEAD_MAX), FINE);
	assert_int_equal(screen_filled(GET "X: ", "x", "\r\n\r\n", HTTP_HEAD_MAX + 1), 431);
	assert_int_equal(screen_filled(GET "X: ", "x", "", HTTP_HEAD_MAX - 1), MORE);
	assert_int_equal(screen_filled(GET "X: ", "x", "", HTTP_HEAD_MAX), 431);
}

static void a_request_line_without_an_end_is_too_long(void **state)
{
	(void)state;
	assert_int_equal(screen_filled("GET /", "x", "", HTTP_HEAD_MAX - 1), MORE);
	assert_int_equal(screen_filled("GET /", "x", "", HTTP_HEAD_MAX), 414);
	assert_int_equal(screen_filled("", "\r\n", "", HTTP_HEAD_MAX), 400);
}

/* Each would be a record in the library's memory. */
static void more_parts_than_the_library_has_room_for_are_too_many(void **state)
{
	(void)state;
	assert_int_equal(screen_filled(GET, "X:\n", "\r\n", strlen(GET) + 3 * 499 + 2), FINE);
	assert_int_equal(screen_filled(GET, "X:\n", "\r\n", strlen(GET) + 3 * 501 + 2), 431);
	assert_int_equal(screen_filled(GET "Cookie: ", "a;", "\r\n\r\n", 2 * 499), FINE);
	assert_int_equal(screen_filled(GET "Cookie: ", "a;", "\r\n\r\n", 2 * 600), 431);
	assert_int_equal(screen_filled(GET "Cookie: ", "a,", "\r\n\r\n", 2 * 600), 431);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_library_gets_what_it_leaves_to_us),
		cmocka_unit_test(no_prefix_of_a_good_head_is_refused),
		cmocka_unit_test(a_head_of_just_the_bound_is_fine),
		cmocka_unit_test(a_request_line_without_an_end_is_too_long),
		cmocka_unit_test(more_parts_than_the_library_has_room_for_are_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
