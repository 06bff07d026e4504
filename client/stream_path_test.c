#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "client/stream_path.h"

static void the_path_names_stream_symbol_and_key(void **unused)
{
	static const struct {
		const char *prefix;
		enum dd_stream_kind kind;
		const char *symbol, *key;
		unsigned backlog;
		const char *path;
	} cases[] = {
		{ "", DD_STREAM_ACCOUNT, NULL, "dk_live_a-b.c~1", 50,
		  "/accounts/stream?api_key=dk_live_a-b.c~1" },
		{ "", DD_STREAM_DEPTH, "ADAUSDM", "k", 50, "/market/depth/ADAUSDM?api_key=k" },
		{ "", DD_STREAM_PRICE, "ADAUSDM", "k", 50,
		  "/market/market-price/ADAUSDM?api_key=k" },
		{ "", DD_STREAM_TRADES, "ADAUSDM", "k", 50,
		  "/market/recent-trades/ADAUSDM?api_key=k&limit=50" },
		{ "", DD_STREAM_TRADES, "ADAUSDM", "k", 0,
		  "/market/recent-trades/ADAUSDM?api_key=k" },
		{ "/proxy", DD_STREAM_TRADES, "A", "k", 4294967295,
		  "/proxy/market/recent-trades/A?api_key=k&limit=4294967295" },
		{ "", DD_STREAM_ACCOUNT, "ADAUSDM", "a b&c=d%/?#\"\xff\n", 0,
		  "/accounts/stream?api_key=a%20b%26c%3Dd%25%2F%3F%23%22%FF%0A" },
		{ "", DD_STREAM_DEPTH, "A/../B", "k", 0, "/market/depth/A%2F..%2FB?api_key=k" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct secret *key = secret_from_str(cases[i].key);
		char *path = stream_path_make(cases[i].prefix, cases[i].kind, cases[i].symbol, key,
					      cases[i].backlog);

		assert_string_equal(path, cases[i].path);
		stream_path_wipe(path);
		secret_destroy(key);
	}
}

static void a_key_of_nothing_but_odd_bytes_fits(void **unused)
{
	uint8_t bytes[1000];
	struct secret *key;
	char *path;

	(void)unused;
	memset(bytes, 0, sizeof(bytes));
	key = secret_from(bytes, sizeof(bytes));
	path = stream_path_make("", DD_STREAM_TRADES, "ADAUSDM", key, 4294967295);
	assert_int_equal(strlen(path), strlen("/market/recent-trades/ADAUSDM?api_key=") +
					       3 * sizeof(bytes) + strlen("&limit=4294967295"));
	stream_path_wipe(path);
	stream_path_wipe(NULL);
	secret_destroy(key);
}

static int start_all(void **state)
{
	bool is_locked;
	struct err err;

	(void)state;
	return secret_init(&is_locked, &err) ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_path_names_stream_symbol_and_key),
		cmocka_unit_test(a_key_of_nothing_but_odd_bytes_fits),
	};

	return cmocka_run_group_tests(tests, start_all, NULL);
}
