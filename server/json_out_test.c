#include "server/json_out.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"

static void values_are_separated_and_nested(void **unused)
{
	struct json_out out;

	(void)unused;
	json_out_init(&out);
	json_out_object(&out, NULL);
	json_out_array(&out, "empty");
	json_out_array_end(&out);
	json_out_array(&out, "list");
	json_out_int(&out, NULL, -1);
	json_out_bool(&out, NULL, true);
	json_out_object(&out, NULL);
	json_out_null(&out, "n");
	json_out_object_end(&out);
	json_out_array_end(&out);
	json_out_text(&out, "t", "");
	json_out_str(&out, "s", "");
	json_out_object_end(&out);
	assert_string_equal(buf_str(&out.buf),
			    "{\"empty\":[],\"list\":[-1,true,{\"n\":null}],\"t\":null,\"s\":\"\"}");
	json_out_fini(&out);
}

static void any_text_becomes_a_json_string(void **unused)
{
	static const struct {
		const char *text, *json;
	} cases[] = {
		{ "plain", "\"plain\"" },
		{ "a\"b\\c/", "\"a\\\"b\\\\c/\"" },
		{ "\n\t\x01\x7f", "\"\\u000a\\u0009\\u0001\\u007f\"" },
		{ "h\xc3\xa9 \xf0\x9f\x98\x80", "\"h\xc3\xa9 \xf0\x9f\x98\x80\"" },
		{ "\xff\xfe", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "cut \xf0\x9f", "\"cut \xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xc2\x85", "\"\\u0085\"" },
	};
	struct json_out out;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		json_out_init(&out);
		json_out_str(&out, NULL, cases[i].text);
		assert_string_equal(buf_str(&out.buf), cases[i].json);
		json_out_fini(&out);
	}
}

static void numbers_and_times_are_exact(void **unused)
{
	struct json_out out;

	(void)unused;
	json_out_init(&out);
	json_out_array(&out, NULL);
	json_out_thousandths(&out, NULL, 4250);
	json_out_thousandths(&out, NULL, 5000);
	json_out_thousandths(&out, NULL, 1);
	json_out_thousandths(&out, NULL, 0);
	json_out_decimal(&out, NULL, decimal_of(25470, 5));
	json_out_decimal_if(&out, NULL, false, decimal_of(1, 0));
	json_out_time(&out, NULL, (struct wall){ 1795345325123456 });
	json_out_time(&out, NULL, (struct wall){ 0 });
	json_out_array_end(&out);
	assert_string_equal(buf_str(&out.buf), "[4.25,5,0.001,0,\"0.25470\",null,"
					       "\"2026-11-22T11:02:05.123456Z\",null]");
	json_out_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_separated_and_nested),
		cmocka_unit_test(any_text_becomes_a_json_string),
		cmocka_unit_test(numbers_and_times_are_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
