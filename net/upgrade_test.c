#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/upgrade.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define LINE "GET /v1/stream?a=b HTTP/1.1\r\n"
#define HOST "Host: h\r\n"
#define CON  "Connection: Upgrade\r\n"
#define UP   "Upgrade: websocket\r\n"
#define VER  "Sec-WebSocket-Version: 13\r\n"
#define KEY  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define ALL  LINE HOST CON UP VER KEY

static struct upgrade upgrade;

static size_t read_text(const char *text)
{
	return upgrade_read(&upgrade, text, strlen(text));
}

static void a_faultless_upgrade_is_read(void **state)
{
	static const char *const texts[] = {
		ALL "\r\n",
		ALL "\r\n\x81\x80 and frames",
		LINE "host:h\r\nCONNECTION:keep-alive,\tUPGRADE\r\nupgrade:WebSocket \r\n" VER KEY
		     "\r\n",
		LINE HOST "Connection: keep-alive\r\nConnection: upgrade\r\n" UP VER KEY "\r\n",
		ALL "Origin: http://h\r\nCookie: a=b; c=\"d\"\r\nX-Empty:\r\n\r\n",
		ALL "X: caf\xc3\xa9\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_int_equal(read_text(texts[i]), strstr(texts[i], "\r\n\r\n") + 4 - texts[i]);
		assert_string_equal(upgrade_path(&upgrade), "/v1/stream");
		assert_string_equal(upgrade_query(&upgrade), "a=b");
		assert_string_equal(upgrade_header(&upgrade, "hOST"), "h");
		assert_null(upgrade_header(&upgrade, "Authorization"));
	}
}

static void whatever_is_doubtful_is_not(void **state)
{
	static const char *const texts[] = {
		"",
		"\r\n",
		"\r\n\r\n",
		ALL, /* not whole */
		ALL "\r",
		"\r\n" ALL "\r\n", /* a line too many */
		"POST / HTTP/1.1\r\n" HOST CON UP VER KEY "\r\n",
		"GET / HTTP/1.0\r\n" HOST CON UP VER KEY "\r\n",
		"GET  / HTTP/1.1\r\n" HOST CON UP VER KEY "\r\n",
		"GET / HTTP/1.1 \r\n" HOST CON UP VER KEY "\r\n",
		"GET http://h/ HTTP/1.1\r\n" HOST CON UP VER KEY "\r\n",
		"GET * HTTP/1.1\r\n" HOST CON UP VER KEY "\r\n",
		"GET /#a HTTP/1.1\r\n" HOST CON UP VER KEY "\r\n",
		"GET /\xc3\xa9 HTTP/1.1\r\n" HOST CON UP VER KEY "\r\n",
		"GET /\tx HTTP/1.1\r\n" HOST CON UP VER KEY "\r\n",
		LINE CON UP VER KEY "\r\n", /* nobody's host */
		ALL HOST "\r\n",            /* two of what is to be one */
		ALL UP "\r\n",
		ALL VER "\r\n",
		ALL KEY "\r\n",
		LINE HOST UP VER KEY "\r\n",
		LINE HOST CON VER KEY "\r\n",
		LINE HOST CON UP KEY "\r\n",
		LINE HOST CON UP VER "\r\n",
		LINE HOST "Connection: keep-alive\r\n" UP VER KEY "\r\n",
		LINE HOST "Connection: upgrades\r\n" UP VER KEY "\r\n",
		LINE HOST CON "Upgrade: h2c\r\n" VER KEY "\r\n",
		LINE HOST CON "Upgrade: websocket, h2c\r\n" VER KEY "\r\n",
		LINE HOST CON UP "Sec-WebSocket-Version: 8\r\n" KEY "\r\n",
		LINE HOST CON UP "Sec-WebSocket-Version: 13, 8\r\n" KEY "\r\n",
		LINE HOST CON UP VER "Sec-WebSocket-Key: \r\n\r\n",
		LINE HOST CON UP VER "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=\r\n\r\n",
		LINE HOST CON UP VER "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ===\r\n\r\n",
		LINE HOST CON UP VER "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==\r\n\r\n",
		LINE HOST CON UP VER "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j!Q==\r\n\r\n",
		ALL "Content-Length: 0\r\n\r\n", /* a body, or the thought of one */
		ALL "Content-Length: 5\r\n\r\nhello",
		ALL "Transfer-Encoding: chunked\r\n\r\n",
		ALL "no colon\r\n\r\n",
		ALL " folded: x\r\n\r\n",
		ALL "bad name: x\r\n\r\n",
		ALL ": x\r\n\r\n",
		ALL "X: a\rb\r\n\r\n",
		ALL "X: a\nb: c\r\n\r\n",
		ALL "X: \x7f\r\n\r\n",
		ALL "X: \x1b[0m\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (read_text(texts[i]) != 0)
			fail_msg("taken: %s", texts[i]);
	assert_int_equal(upgrade_read(&upgrade, ALL "X: a\0b\r\n\r\n", sizeof(ALL) - 1 + 10), 0);
}

static void half_a_head_is_never_taken(void **state)
{
	const char *text = ALL "\r\n";

	(void)state;
	for (size_t len = 0; len < strlen(text); len++)
		assert_int_equal(upgrade_read(&upgrade, text, len), 0);
}

static void heads_are_bounded(void **state)
{
	static char text[HTTP_HEAD_MAX + 2000];
	size_t len = (size_t)snprintf(text, sizeof(text), ALL);

	(void)state;
	for (int i = 0; i < UPGRADE_HEADERS_MAX - 5; i++, len += 4)
		memcpy(text + len, "X:\r\n", 4);
	memcpy(text + len, "\r\n", 3);
	assert_int_equal(read_text(text), len + 2);
	memcpy(text + len, "X:\r\n\r\n", 7);
	assert_int_equal(read_text(text), 0);
	snprintf(text, sizeof(text), ALL "X: %0*d\r\n\r\n", HTTP_HEAD_MAX, 0);
	assert_int_equal(read_text(text), 0);
}

static void an_offer_is_a_whole_token(void **state)
{
	(void)state;
	assert_true(read_text(ALL "P: a , b.v1\r\np:,,c\r\nP:\r\n\r\n") > 0);
	assert_true(upgrade_offers(&upgrade, "P", "a", true));
	assert_true(upgrade_offers(&upgrade, "P", "b.v1", true));
	assert_true(upgrade_offers(&upgrade, "P", "c", true));
	assert_true(upgrade_offers(&upgrade, "P", "C", false));
	assert_false(upgrade_offers(&upgrade, "P", "C", true));
	assert_false(upgrade_offers(&upgrade, "P", "b", true));
	assert_false(upgrade_offers(&upgrade, "P", "b.v11", true));
	assert_false(upgrade_offers(&upgrade, "P", "", true));
	assert_false(upgrade_offers(&upgrade, "Q", "a", true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_faultless_upgrade_is_read),
		cmocka_unit_test(whatever_is_doubtful_is_not),
		cmocka_unit_test(half_a_head_is_never_taken),
		cmocka_unit_test(heads_are_bounded),
		cmocka_unit_test(an_offer_is_a_whole_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
