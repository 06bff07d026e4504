#include "server/json_in.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/secret.h"

static struct json_in *parse(const char *text)
{
	struct err err;
	struct json_in *in = json_in_parse(text, strlen(text), &err);

	if (!in)
		fail_msg("%s: %s", text, err.text);
	return in;
}

static enum err_code refusal(const char *text, size_t len)
{
	struct err err = { .code = ERR_NONE };
	struct json_in *in = json_in_parse(text, len, &err);

	json_in_destroy(in);
	return in ? ERR_NONE : err.code;
}

static void what_is_not_one_sound_object_is_refused(void **unused)
{
	static const struct {
		const char *text;
		enum err_code code;
	} cases[] = {
		{ "", ERR_BAD_JSON },
		{ " ", ERR_BAD_JSON },
		{ "[]", ERR_BAD_JSON },
		{ "1", ERR_BAD_JSON },
		{ "\"a\"", ERR_BAD_JSON },
		{ "null", ERR_BAD_JSON },
		{ "{", ERR_BAD_JSON },
		{ "{}{}", ERR_BAD_JSON },
		{ "{} x", ERR_BAD_JSON },
		{ "{\"a\":1,}", ERR_BAD_JSON },
		{ "{'a':1}", ERR_BAD_JSON },
		{ "{\"a\":01}", ERR_BAD_JSON },
		{ "{\"a\":.5}", ERR_BAD_JSON },
		{ "{\"a\":+1}", ERR_BAD_JSON },
		{ "{\"a\":NaN}", ERR_BAD_JSON },
		{ "{\"a\":\"\\u0000\"}", ERR_BAD_JSON },
		{ "{\"a\\u0000b\":1}", ERR_BAD_JSON },
		{ "{\"a\":\"\xff\"}", ERR_BAD_JSON },
		{ "{\"a\":\"\n\"}", ERR_BAD_JSON },
		{ "{\"a\":\"\\ud800\"}", ERR_BAD_JSON },
		{ "{\"a\":1,\"a\":2}", ERR_BAD_JSON },
		{ "{\"a\":1,\"\\u0061\":2}", ERR_BAD_JSON },
		{ "{\"a\":{\"b\":1,\"b\":1}}", ERR_BAD_JSON },
		{ "{\"a\":\"", ERR_BAD_JSON },
		{ "{\"a\":\"\\", ERR_BAD_JSON },
		{ "{\"a\":1e999}", ERR_DECIMAL },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		enum err_code code = refusal(cases[i].text, strlen(cases[i].text));

		if (code != cases[i].code)
			fail_msg("%s: %s", cases[i].text, err_word(code));
	}
	assert_int_equal(refusal("{\"a\":1}\0", 8), ERR_BAD_JSON);
	assert_int_equal(refusal("{\"a\0\":1}", 8), ERR_BAD_JSON);
}

static void depth_and_values_are_bounded(void **unused)
{
	char text[4096];
	size_t len;

	(void)unused;
	for (int depth = JSON_IN_DEPTH_MAX - 1; depth <= JSON_IN_DEPTH_MAX; depth++) {
		len = (size_t)snprintf(text, sizeof(text), "{\"a\":");
		for (int i = 0; i < depth; i++)
			text[len++] = '[';
		for (int i = 0; i < depth; i++)
			text[len++] = ']';
		text[len++] = '}';
		assert_int_equal(refusal(text, len),
				 depth < JSON_IN_DEPTH_MAX ? ERR_NONE : ERR_BAD_JSON);
	}
	len = (size_t)snprintf(text, sizeof(text), "{\"a\":[0");
	for (int i = 0; i < JSON_IN_VALUES_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, ",0");
	len += (size_t)snprintf(text + len, sizeof(text) - len, "]}");
	assert_int_equal(refusal(text, len), ERR_BAD_JSON);
}

static void brackets_and_digits_in_texts_do_not_count(void **unused)
{
	const char *text = "{\"a\":\"[[[[[[[[[[[[[[[[[[[[ \\\" 12345678901234567890\","
			   "\"12345678901234567890\":\"b\"}";

	(void)unused;
	assert_int_equal(refusal(text, strlen(text)), ERR_NONE);
}

static void a_number_keeps_its_digits_or_is_refused(void **unused)
{
	static const struct {
		const char *literal, *value; /* NULL: refused */
	} cases[] = {
		{ "0.45", "0.45" },
		{ "100", "100" },
		{ "100.0", "100" },
		{ "0.1", "0.1" },
		{ "1e2", "100" },
		{ "25E-2", "0.25" },
		{ "-1", "-1" },
		{ "0", "0" },
		{ "123456789012345", "123456789012345" },
		{ "0.000000123456789012345", NULL }, /* more than 18 places */
		{ "123456789012.345", "123456789012.345" },
		{ "1234567890123456", NULL },
		{ "0.1234567890123456", NULL },
		{ "0.3000000000000000", NULL },
		{ "9007199254740993", NULL },
		{ "123456789012345e5", "12345678901234500000" },
		{ "\"0.12345678901234567\"", "0.12345678901234567" },
		{ "\"0.4500\"", "0.4500" },
		{ "\"1e2\"", NULL },
		{ "\"\"", NULL },
		{ "\" 1\"", NULL },
		{ "\"+1\"", NULL },
		{ "\"0x10\"", NULL },
		{ "true", NULL },
		{ "[1]", NULL },
	};
	char text[128], printed[DECIMAL_TEXT_LEN];
	struct err err;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct decimal value;
		struct json_in *in;
		bool is_fine;

		snprintf(text, sizeof(text), "{\"a\":%s}", cases[i].literal);
		in = json_in_parse(text, strlen(text), &err);
		is_fine = in && json_in_decimal(in, "a", &value) && json_in_end(in, &err);
		if (is_fine != (cases[i].value != NULL))
			fail_msg("%s", text);
		if (is_fine)
			assert_string_equal(decimal_print(value, printed), cases[i].value);
		else if (in)
			assert_false(json_in_end(in, &err));
		json_in_destroy(in);
	}
}

static void only_in_messages_whole_numbers_have_sixteen_digits(void **unused)
{
	static const struct {
		const char *text;
		enum err_code code;
	} cases[] = {
		{ "{\"a\":9007199254740992}", ERR_NONE },
		{ "{\"a\":-1234567890123456}", ERR_NONE },
		{ "{\"a\":12345678901234567}", ERR_DECIMAL },
		{ "{\"a\":123456789012345.6}", ERR_DECIMAL },
		{ "{\"a\":1234567890123456e0}", ERR_DECIMAL },
		{ "{\"a\":1234567890123456E0}", ERR_DECIMAL },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t len = strlen(cases[i].text);
		struct err err = { .code = ERR_NONE };
		struct json_in *in = json_in_parse_message(cases[i].text, len, &err);

		if (err.code != cases[i].code)
			fail_msg("%s: %s", cases[i].text, err_word(err.code));
		json_in_destroy(in);
		assert_int_equal(refusal(cases[i].text, len), ERR_DECIMAL);
	}
}

static void what_is_wrong_within_an_object_is_wrong_with_the_whole(void **unused)
{
	static const struct {
		const char *text;
		enum err_code code;
		bool has_object;
	} cases[] = {
		{ "{\"o\":{\"n\":5}}", ERR_NONE, true },
		{ "{\"o\":{}}", ERR_NONE, true },
		{ "{}", ERR_NONE, false },
		{ "{\"o\":null}", ERR_NONE, false },
		{ "{\"o\":[]}", ERR_INVALID, false },
		{ "{\"o\":\"n\"}", ERR_INVALID, false },
		{ "{\"o\":{\"n\":6}}", ERR_INVALID, true },
		{ "{\"o\":{\"n\":5,\"x\":{}}}", ERR_UNKNOWN_FIELD, true },
		{ "{\"x\":1,\"o\":{\"n\":6}}", ERR_UNKNOWN_FIELD, true },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct json_in *in = parse(cases[i].text), *member = json_in_object(in, "o");
		struct err err = { .code = ERR_NONE };
		int64_t number;

		assert_int_equal(member != NULL, cases[i].has_object);
		if (member) {
			(void)json_in_int(member, "n", 0, 5, &number);
			json_in_object_end(in, member, "o");
		}
		if (json_in_end(in, &err) != (cases[i].code == ERR_NONE) ||
		    err.code != cases[i].code)
			fail_msg("%s: %s", cases[i].text, err_word(err.code));
		json_in_destroy(in);
	}
}

static void members_of_the_wrong_kind_are_named(void **unused)
{
	const char *text = "{\"t\":1,\"i\":\"1\",\"b\":0,\"w\":\"c\",\"at\":\"yesterday\"}";
	static const char *const words[] = { "a", "b" };
	const char *names[] = { "t", "i", "b", "w", "at" };
	struct err err;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct json_in *in = parse(text);
		struct wall time;
		int64_t number;
		char word[8];
		size_t at;
		bool flag;

		/* The first to be taken is the one to be told, once the others are taken too. */
		if (i == 0)
			assert_false(json_in_text(in, "t", word, sizeof(word)));
		if (i == 1)
			assert_false(json_in_int(in, "i", 0, 9, &number));
		if (i == 2)
			assert_false(json_in_bool(in, "b", &flag));
		if (i == 3)
			assert_false(json_in_word(in, "w", words, 2, &at));
		if (i == 4)
			assert_false(json_in_time(in, "at", &time));
		json_in_text(in, "t", word, sizeof(word));
		json_in_int(in, "i", 0, 9, &number);
		json_in_bool(in, "b", &flag);
		json_in_word(in, "w", words, 2, &at);
		json_in_time(in, "at", &time);
		assert_false(json_in_end(in, &err));
		assert_int_equal(err.code, ERR_INVALID);
		assert_true(strncmp(err.text, names[i], strlen(names[i])) == 0);
		json_in_destroy(in);
	}
}

static void values_of_the_right_kind_are_taken_once(void **unused)
{
	struct json_in *in = parse("{\"t\":\"h\\u00e9\",\"i\":7,\"b\":true,\"w\":\"b\","
				   "\"at\":\"2026-11-22T11:02:05Z\",\"n\":null}");
	static const char *const words[] = { "a", "b" };
	struct wall time;
	struct err err;
	int64_t number;
	char text[8];
	size_t at;
	bool flag;

	(void)unused;
	assert_true(json_in_text(in, "t", text, sizeof(text)));
	assert_string_equal(text, "h\xc3\xa9");
	assert_false(json_in_text(in, "t", text, sizeof(text)));
	assert_true(json_in_int(in, "i", 7, 7, &number));
	assert_true(json_in_bool(in, "b", &flag) && flag);
	assert_true(json_in_word(in, "w", words, 2, &at));
	assert_int_equal(at, 1);
	assert_true(json_in_time(in, "at", &time));
	assert_false(json_in_text(in, "n", text, sizeof(text))); /* null is absent */
	assert_true(json_in_end(in, &err));
	json_in_destroy(in);
}

static void an_unknown_field_is_told_before_anything_else(void **unused)
{
	struct json_in *in = parse("{\"price\":\"x\",\"prise\":1}");
	struct decimal price;
	struct err err;

	(void)unused;
	assert_false(json_in_decimal(in, "price", &price));
	assert_false(json_in_end(in, &err));
	assert_int_equal(err.code, ERR_UNKNOWN_FIELD);
	assert_non_null(strstr(err.text, "\"prise\""));
	json_in_destroy(in);
}

static void texts_are_bounded_and_not_empty(void **unused)
{
	struct json_in *in = parse("{\"a\":\"12345678\",\"b\":\"1234567\",\"c\":\"\"}");
	char text[8] = "old";
	struct err err;

	(void)unused;
	assert_false(json_in_text(in, "a", text, sizeof(text)));
	assert_string_equal(text, "old");
	assert_true(json_in_text(in, "b", text, sizeof(text)));
	assert_false(json_in_text(in, "c", text, sizeof(text)));
	assert_false(json_in_end(in, &err));
	json_in_destroy(in);
}

static void a_secret_is_taken_and_never_quoted(void **unused)
{
	struct json_in *in = parse("{\"api_key\":\"canary\"}");
	struct secret *secret = NULL;
	struct err err;

	(void)unused;
	assert_true(json_in_secret(in, "api_key", 6, &secret));
	assert_memory_equal(secret_open(secret), "canary", 6);
	secret_close(secret);
	secret_destroy(secret);
	assert_true(json_in_end(in, &err));
	json_in_destroy(in);
	in = parse("{\"api_key\":\"canary\"}");
	assert_false(json_in_secret(in, "api_key", 5, &secret));
	assert_false(json_in_end(in, &err));
	assert_null(strstr(err.text, "canary"));
	json_in_destroy(in);
}

static bool count_word(void *arg, const char *word, struct err *err)
{
	size_t *count = arg;

	if (strcmp(word, "bad") == 0)
		return err_set(err, ERR_INVALID, "no");
	(*count)++;
	return true;
}

static void lists_of_words_are_walked_until_one_is_refused(void **unused)
{
	struct json_in *in = parse("{\"a\":[\"x\",\"y\"],\"b\":[\"x\",\"bad\",\"y\"],\"c\":[1],"
				   "\"d\":\"x\"}");
	size_t count = 0;
	struct err err;

	(void)unused;
	assert_true(json_in_words(in, "a", count_word, &count));
	assert_int_equal(count, 2);
	assert_false(json_in_words(in, "b", count_word, &count));
	assert_int_equal(count, 3);
	assert_false(json_in_words(in, "c", count_word, &count));
	assert_false(json_in_words(in, "d", count_word, &count));
	assert_false(json_in_words(in, "e", count_word, &count));
	assert_false(json_in_end(in, &err));
	assert_string_equal(err.text, "b: no");
	json_in_destroy(in);
}

static int start(void **unused)
{
	bool is_locked;
	struct err err;

	(void)unused;
	return secret_init(&is_locked, &err) ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_one_sound_object_is_refused),
		cmocka_unit_test(depth_and_values_are_bounded),
		cmocka_unit_test(brackets_and_digits_in_texts_do_not_count),
		cmocka_unit_test(a_number_keeps_its_digits_or_is_refused),
		cmocka_unit_test(only_in_messages_whole_numbers_have_sixteen_digits),
		cmocka_unit_test(what_is_wrong_within_an_object_is_wrong_with_the_whole),
		cmocka_unit_test(members_of_the_wrong_kind_are_named),
		cmocka_unit_test(values_of_the_right_kind_are_taken_once),
		cmocka_unit_test(an_unknown_field_is_told_before_anything_else),
		cmocka_unit_test(texts_are_bounded_and_not_empty),
		cmocka_unit_test(a_secret_is_taken_and_never_quoted),
		cmocka_unit_test(lists_of_words_are_walked_until_one_is_refused),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
