#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "server/config_address.h"

static void https_is_needed_unless_the_host_is_loopback(void **unused)
{
	static const struct {
		const char *text, *url; /* url NULL: refused */
	} cases[] = {
		{ "https://api.deltadefi.io", "https://api.deltadefi.io" },
		{ "HTTPS://api.deltadefi.io/", "https://api.deltadefi.io" },
		{ "https://api.deltadefi.io:8443/v1//", "https://api.deltadefi.io:8443/v1" },
		{ "https://[2001:db8::1]:443", "https://[2001:db8::1]:443" },
		{ "http://127.0.0.1:8791", "http://127.0.0.1:8791" },
		{ "http://127.200.3.4", "http://127.200.3.4" },
		{ "http://localhost:8791/", "http://localhost:8791" },
		{ "http://LocalHost", "http://LocalHost" },
		{ "http://[::1]:8791", "http://[::1]:8791" },
		{ "http://x", NULL },
		{ "http://10.0.0.1", NULL },
		{ "http://127.0.0.1.example.org", NULL },
		{ "http://localhost.example.org", NULL },
		{ "http://127.1", NULL },
		{ "http://0177.0.0.1", NULL },
		{ "http://[::ffff:127.0.0.1]", NULL },
		{ "http://[::2]", NULL },
		{ "http://127.0.0.1@example.org", NULL },
		{ "https://user:word@api.deltadefi.io", NULL },
		{ "https://api.deltadefi.io?key=1", NULL },
		{ "https://api.deltadefi.io/#top", NULL },
		{ "https://api.deltadefi.io/a b", NULL },
		{ "https://api.deltadefi.io\\@example.org", NULL },
		{ "https://api.deltadefi.io:", NULL },
		{ "https://api.deltadefi.io:70000", NULL },
		{ "https://api.deltadefi.io:80x", NULL },
		{ "https://", NULL },
		{ "https:///path", NULL },
		{ "https://[::1", NULL },
		{ "https://[zz]", NULL },
		{ "https://[::1]x", NULL },
		{ "wss://stream.deltadefi.io", NULL },
		{ "ftp://localhost", NULL },
		{ "api.deltadefi.io", NULL },
		{ "", NULL },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *url = NULL;
		struct err err;
		bool is_url = config_address_rest_url(cases[i].text, &url, &err);

		if (is_url != (cases[i].url != NULL))
			fail_msg("%s: %s", cases[i].text, is_url ? url : err.text);
		if (is_url)
			assert_string_equal(url, cases[i].url);
		else
			assert_int_equal(err.code, ERR_CONFIG);
		mem_free(url);
	}
}

static void streams_have_schemes_of_their_own(void **unused)
{
	char *url;
	struct err err;

	(void)unused;
	assert_true(config_address_stream_url("wss://stream.deltadefi.io/", &url, &err));
	assert_string_equal(url, "wss://stream.deltadefi.io");
	mem_free(url);
	assert_true(config_address_stream_url("ws://127.0.0.1:8791", &url, &err));
	mem_free(url);
	assert_false(config_address_stream_url("ws://stream.deltadefi.io", &url, &err));
	assert_string_equal(err.text, "must be wss://, as ws:// is only for a loopback host");
	assert_false(config_address_stream_url("https://stream.deltadefi.io", &url, &err));
}

static void an_error_does_not_quote_the_url(void **unused)
{
	char *url;
	struct err err;

	(void)unused;
	assert_false(config_address_rest_url("https://joe:canary@example.org", &url, &err));
	assert_null(strstr(err.text, "canary"));
}

static void a_listen_address_is_numbers(void **unused)
{
	static const struct {
		const char *text;
		bool is_valid, is_loopback;
	} cases[] = {
		{ "127.0.0.1:8790", true, true },
		{ "127.9.9.9:0", true, true },
		{ "[::1]:8790", true, true },
		{ "0.0.0.0:8790", true, false },
		{ "[::]:8790", true, false },
		{ "192.168.1.4:1", true, false },
		{ "localhost:8790", false, 0 },
		{ "127.0.0.1", false, 0 },
		{ "127.0.0.1:", false, 0 },
		{ "127.0.0.1:65536", false, 0 },
		{ "127.0.0.1:-1", false, 0 },
		{ ":8790", false, 0 },
		{ "8790", false, 0 },
		{ "::1:8790", false, 0 },
		{ "[127.0.0.1]:8790", false, 0 },
		{ "[fe80::1%lo]:80", false, 0 },
		{ "127.0.0.1:8790 ", false, 0 },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool is_loopback = false;
		struct err err;

		if (config_address_listen(cases[i].text, &is_loopback, &err) != cases[i].is_valid)
			fail_msg("%s", cases[i].text);
		assert_int_equal(is_loopback, cases[i].is_loopback);
	}
}

static void lists_are_split_at_commas(void **unused)
{
	struct err err;

	(void)unused;
	assert_true(config_address_hosts("", &err));
	assert_true(config_address_hosts("gateway.lan,gateway:8790,[::1]:8790", &err));
	assert_false(config_address_hosts("a,,b", &err));
	assert_false(config_address_hosts("a,b,", &err));
	assert_string_equal(err.text, "must not end in a comma");
	assert_false(config_address_hosts("a, b", &err));
	assert_false(config_address_hosts("*", &err));
	assert_true(config_address_origins("https://a.example,http://localhost:3000", &err));
	assert_false(config_address_origins("https://a.example/", &err));
	assert_false(config_address_origins("a.example", &err));
	assert_false(config_address_origins("null", &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(https_is_needed_unless_the_host_is_loopback),
		cmocka_unit_test(streams_have_schemes_of_their_own),
		cmocka_unit_test(an_error_does_not_quote_the_url),
		cmocka_unit_test(a_listen_address_is_numbers),
		cmocka_unit_test(lists_are_split_at_commas),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
