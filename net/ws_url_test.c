#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/ws_url.h"

#include <string.h>

#include "base/mem.h"

#define TEN "abcdefghij"

static void an_address_has_a_scheme_a_host_and_perhaps_a_port(void **state)
{
	static const struct {
		const char *text;
		bool is_secure, is_number;
		const char *host;
		int port;
		const char *authority;
	} cases[] = {
		{ "wss://a.b-c.io", true, false, "a.b-c.io", 443, "a.b-c.io" },
		{ "wss://a/", true, false, "a", 443, "a" },
		{ "wss://a:443", true, false, "a", 443, "a" },
		{ "wss://a:80", true, false, "a", 80, "a:80" },
		{ "ws://localhost:8791/", false, false, "localhost", 8791, "localhost:8791" },
		{ "ws://localhost:80", false, false, "localhost", 80, "localhost" },
		{ "ws://127.0.0.1:65535", false, true, "127.0.0.1", 65535, "127.0.0.1:65535" },
		{ "wss://[::1]", true, true, "::1", 443, "[::1]" },
		{ "ws://[2001:db8::7]:81/", false, true, "2001:db8::7", 81, "[2001:db8::7]:81" },
		{ "wss://1.2.3", true, false, "1.2.3", 443, "1.2.3" },
	};
	struct ws_url url;
	struct err err;
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_true(ws_url_parse(cases[i].text, &url, &err));
		assert_int_equal(url.is_secure, cases[i].is_secure);
		assert_int_equal(url.is_number, cases[i].is_number);
		assert_string_equal(url.host, cases[i].host);
		assert_int_equal(url.port, cases[i].port);
		assert_string_equal(url.authority, cases[i].authority);
	}
}

static void anything_else_is_refused_and_not_quoted(void **state)
{
	static const char *const cases[] = {
		"",
		"secret",
		"http://secret",
		"WSS://secret",
		"wss:secret",
		"wss://",
		"wss:///secret",
		"wss://:443",
		"wss://secret:",
		"wss://secret:0",
		"wss://secret:65536",
		"wss://secret:99999999999999999999",
		"wss://secret:-1",
		"wss://secret:1a",
		"wss://secret//",
		"wss://a/secret",
		"wss://a?secret",
		"wss://secret@a",
		"wss://secret:secret@a",
		"wss://secret a",
		"wss://secret\r\nX: y",
		"wss://[::1",
		"wss://[::1]1",
		"wss://[secret]",
		"wss://[]",
		"wss://::1",
		"wss://" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "k",
	};
	struct ws_url url;
	struct err err;
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (ws_url_parse(cases[i], &url, &err))
			fail_msg("taken: %s", cases[i]);
		assert_int_equal(err.code, ERR_CONFIG);
		assert_null(strstr(err.text, "secret"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_has_a_scheme_a_host_and_perhaps_a_port),
		cmocka_unit_test(anything_else_is_refused_and_not_quoted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
