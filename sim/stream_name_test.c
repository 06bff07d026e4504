#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "sim/stream_name.h"

#include "base/mem.h"

static void every_path_and_alias_names_its_stream(void **unused)
{
	static const struct {
		const char *path;
		enum stream_path found;
		const char *name; /* when found */
	} cases[] = {
		{ "/accounts/stream", STREAM_PATH_FOUND, "account" },
		{ "/accounts/ws/stream", STREAM_PATH_FOUND, "account" },
		{ "/market/depth/ADAUSDM", STREAM_PATH_FOUND, "depth:ADAUSDM" },
		{ "/market/ws/depth/NIGHTUSDM", STREAM_PATH_FOUND, "depth:NIGHTUSDM" },
		{ "/market/market-price/IAGUSDM", STREAM_PATH_FOUND, "price:IAGUSDM" },
		{ "/market/ws/market-price/ADAUSDM", STREAM_PATH_FOUND, "price:ADAUSDM" },
		{ "/market/recent-trades/ADAUSDM", STREAM_PATH_FOUND, "trades:ADAUSDM" },
		{ "/market/recent-trade/ADAUSDM", STREAM_PATH_FOUND, "trades:ADAUSDM" },
		{ "/market/ws/recent-trade/ADAUSDM", STREAM_PATH_FOUND, "trades:ADAUSDM" },
		{ "/market/depth/adausdm", STREAM_PATH_NO_SYMBOL, "" },
		{ "/market/depth/ADAUSDM/x", STREAM_PATH_NO_SYMBOL, "" },
		{ "/market/depth/", STREAM_PATH_OTHER, "" },
		{ "/market/market-price", STREAM_PATH_OTHER, "" },
		{ "/accounts/stream/x", STREAM_PATH_OTHER, "" },
		{ "/accounts/balance", STREAM_PATH_OTHER, "" },
		{ "", STREAM_PATH_OTHER, "" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct stream_name name, again;
		char text[STREAM_NAME_LEN];

		assert_int_equal(stream_find(cases[i].path, &name), cases[i].found);
		if (cases[i].found != STREAM_PATH_FOUND)
			continue;
		assert_string_equal(stream_print(&name, text), cases[i].name);
		assert_true(stream_parse(text, &again));
		assert_true(stream_is(&name, &again));
	}
}

static void what_is_no_name_is_refused(void **unused)
{
	static const char *const texts[] = {
		"", "depth", "depth:", "depth:NONE", "account:ADAUSDM", "accounts", "*", "acc"
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct stream_name name;

		assert_false(stream_parse(texts[i], &name));
	}
}

static void a_glob_meets_the_streams_it_names(void **unused)
{
	static const struct {
		const char *glob, *text;
		bool matches;
	} cases[] = {
		{ "account", "account", true },          { "account", "depth:ADAUSDM", false },
		{ "depth:*", "depth:ADAUSDM", true },    { "*:ADAUSDM", "price:ADAUSDM", true },
		{ "stream:*", "account", true },         { "*", "trades:IAGUSDM", true },
		{ "depth:ADA", "depth:ADAUSDM", false },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(stream_matches(cases[i].glob, cases[i].text), cases[i].matches);
}

static void parameters_of_a_query_are_decoded(void **unused)
{
	static const struct {
		const char *query, *value; /* of api_key; NULL: none */
	} cases[] = {
		{ "api_key=abc", "abc" },
		{ "limit=50&api_key=abc", "abc" },
		{ "limit=50&&api_key=a%2Dc&x=1", "a-c" },
		{ "api_key=", "" },
		{ "my_api_key=abc", NULL },
		{ "api_key", NULL },
		{ "api_key=%zz", NULL },
		{ "api_key=0123456789abcdef", NULL },
		{ "", NULL },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char value[8];
		bool has_value = stream_query(cases[i].query, "api_key", value, sizeof(value));

		assert_int_equal(has_value, cases[i].value != NULL);
		if (has_value)
			assert_string_equal(value, cases[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_path_and_alias_names_its_stream),
		cmocka_unit_test(what_is_no_name_is_refused),
		cmocka_unit_test(a_glob_meets_the_streams_it_names),
		cmocka_unit_test(parameters_of_a_query_are_decoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
