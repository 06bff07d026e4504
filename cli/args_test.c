#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/args.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

#define TEXT_MAX  1024
#define WORDS_MAX (2 * ARGS_MAX + 8)

static const struct flag own[] = {
	{ "--price", "P", "", false },
	{ "--market", NULL, "", false },
	{ "--scope", "LIST", "", true },
	{ 0 },
};
static const struct flag common[] = {
	{ "--json", NULL, "", false },
	{ "--url", "URL", "", false },
	{ 0 },
};

/* A command line cut at spaces; "_" stands for an empty word. */
struct line {
	char text[TEXT_MAX];
	char *words[WORDS_MAX];
};

static char **cut(struct line *line, const char *text)
{
	char *rest, *word;
	size_t count = 0;

	assert_true(STR_SET(line->text, text));
	rest = line->text;
	while (*line->text && count + 1 < WORDS_MAX && (word = strsep(&rest, " "))) {
		if (strcmp(word, "_") == 0)
			*word = '\0';
		line->words[count++] = word;
	}
	line->words[count] = NULL;
	return line->words;
}

static bool parse(struct args *args, struct line *line, const char *text, struct err *err)
{
	*args = (struct args){ 0 };
	return args_parse(args, cut(line, text), own, common, err);
}

/* "--price=1 --market | SYM QTY" */
static void describe(const struct args *args, struct buf *to)
{
	buf_init(to, TEXT_MAX);
	for (size_t i = 0; i < args->given_count; i++) {
		const char *value = args->given[i].value;

		buf_printf(to, "%s%s%s ", args->given[i].flag->name, value ? "=" : "",
			   value ? value : "");
	}
	buf_add_char(to, '|');
	for (size_t i = 0; i < args->operand_count; i++)
		buf_printf(to, " %s", args->operands[i]);
}

static void flags_and_operands_come_in_any_order(void **unused)
{
	static const struct {
		const char *line, *meaning;
	} cases[] = {
		{ "", "|" },
		{ "SYM 5", "| SYM 5" },
		{ "SYM --price 1 5", "--price=1 | SYM 5" },
		{ "--price=1 SYM 5 --market", "--price=1 --market | SYM 5" },
		{ "--price=a=b", "--price=a=b |" },
		{ "--price= SYM", "--price= | SYM" },
		{ "--price _ SYM", "--price= | SYM" },
		{ "--price -1", "--price=-1 |" },
		{ "SYM --json --url http://x", "--json --url=http://x | SYM" },
		{ "-- --price SYM", "| --price SYM" },
		{ "--market -- --", "--market | --" },
		{ "- _", "| - " },
		{ "--scope a,b --scope c", "--scope=a,b --scope=c |" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct args args;
		struct line line;
		struct buf text;
		struct err err;

		if (!parse(&args, &line, cases[i].line, &err))
			fail_msg("\"%s\": %s", cases[i].line, err.text);
		describe(&args, &text);
		assert_string_equal(buf_str(&text), cases[i].meaning);
		buf_fini(&text);
	}
}

static void a_typo_is_a_usage_error(void **unused)
{
	static const struct {
		const char *line, *text;
	} cases[] = {
		{ "--prize 1", "--prize: no such flag" },
		{ "--pric 1", "--pric: no such flag" },
		{ "--prices 1", "--prices: no such flag" },
		{ "--password=hunter2", "--password: no such flag" },
		{ "-p 1", "-p: no such flag" },
		{ "-5", "-5: no such flag" },
		{ "--price", "--price needs a value: P" },
		{ "--price --market", "--price needs a value: P" },
		{ "--market=yes", "--market takes no value" },
		{ "--price 1 --price 1", "--price is given twice" },
		{ "--json SYM --json", "--json is given twice" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct args args;
		struct line line;
		struct err err;

		if (parse(&args, &line, cases[i].line, &err))
			fail_msg("\"%s\" was taken", cases[i].line);
		assert_int_equal(err.code, ERR_USAGE);
		assert_ptr_equal(strstr(err.text, cases[i].text), err.text);
	}
}

static void no_number_of_words_is_too_many_for_the_arrays(void **unused)
{
	static const char *const words[] = { "SYM", "--scope=a" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		struct args args;
		struct line line;
		struct buf text;
		struct err err;

		buf_init(&text, TEXT_MAX);
		for (size_t count = 1; count <= ARGS_MAX; count++) {
			buf_add_str(&text, words[i]);
			assert_true(parse(&args, &line, buf_str(&text), &err));
			buf_add_char(&text, ' ');
		}
		buf_add_str(&text, words[i]);
		assert_false(text.is_full);
		assert_false(parse(&args, &line, buf_str(&text), &err));
		assert_int_equal(err.code, ERR_USAGE);
		buf_fini(&text);
	}
}

static void leading_flags_end_at_the_command(void **unused)
{
	struct args args = { 0 };
	struct line line;
	char *const *words = cut(&line, "--json --url x orders --state open");
	struct err err;

	(void)unused;
	assert_true(args_parse_leading(&args, &words, common, &err));
	assert_string_equal(words[0], "orders");
	assert_true(args_has(&args, "--json"));
	assert_string_equal(args_get(&args, "--url"), "x");
	words = cut(&line, "--price 1 orders");
	assert_false(args_parse_leading(&args, &words, common, &err));
	assert_int_equal(err.code, ERR_USAGE);
}

static void a_flag_that_was_not_given_is_absent(void **unused)
{
	struct args args;
	struct line line;
	struct err err;

	(void)unused;
	assert_true(parse(&args, &line, "--market", &err));
	assert_true(args_has(&args, "--market"));
	assert_null(args_get(&args, "--market"));
	assert_false(args_has(&args, "--price"));
	assert_null(args_get(&args, "--price"));
}

static bool join_items(void *arg, const char *item, struct err *err)
{
	if (strcmp(item, "bad") == 0)
		return err_set(err, ERR_INVALID, "bad");
	buf_printf(arg, "%s;", item);
	return true;
}

static void items_of_lists_come_in_order(void **unused)
{
	static const struct {
		const char *line, *items;
	} cases[] = {
		{ "", "" },
		{ "--scope a", "a;" },
		{ "--scope a,b --scope c", "a;b;c;" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct args args;
		struct line line;
		struct buf items;
		struct err err;

		buf_init(&items, TEXT_MAX);
		assert_true(parse(&args, &line, cases[i].line, &err));
		assert_true(args_each(&args, "--scope", join_items, &items, &err));
		assert_string_equal(buf_str(&items), cases[i].items);
		buf_fini(&items);
	}
}

static void lists_with_holes_are_refused(void **unused)
{
	static const char *const cases[] = { "--scope=",   "--scope ,",    "--scope a,",
					     "--scope ,a", "--scope a,,b", "--scope a --scope=",
					     "--scope bad" };
	char long_item[ARGS_ITEM_MAX + 16];
	struct args args;
	struct line line;
	struct buf items;
	struct err err;

	(void)unused;
	buf_init(&items, TEXT_MAX);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_true(parse(&args, &line, cases[i], &err));
		assert_false(args_each(&args, "--scope", join_items, &items, &err));
	}
	memset(long_item, 'a', sizeof(long_item));
	memcpy(long_item, "--scope=", strlen("--scope="));
	long_item[sizeof(long_item) - 1] = '\0';
	assert_true(parse(&args, &line, long_item, &err));
	assert_false(args_each(&args, "--scope", join_items, &items, &err));
	assert_int_equal(err.code, ERR_USAGE);
	buf_fini(&items);
}

static void numbers_are_whole_and_within_bounds(void **unused)
{
	static const struct {
		const char *line;
		bool is_fine;
		long value;
	} cases[] = {
		{ "", true, 7 },
		{ "--price 1", true, 1 },
		{ "--price 60", true, 60 },
		{ "--price 0060", true, 60 },
		{ "--price 0", false, 0 },
		{ "--price 61", false, 0 },
		{ "--price=", false, 0 },
		{ "--price 1.0", false, 0 },
		{ "--price -1", false, 0 },
		{ "--price +1", false, 0 },
		{ "--price 1e1", false, 0 },
		{ "--price 99999999999999999999999999", false, 0 },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct args args;
		struct line line;
		struct err err;
		long value;

		assert_true(parse(&args, &line, cases[i].line, &err));
		assert_int_equal(args_get_int(&args, "--price", 1, 60, 7, &value, &err),
				 cases[i].is_fine);
		if (cases[i].is_fine)
			assert_int_equal(value, cases[i].value);
		else
			assert_int_equal(err.code, ERR_USAGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags_and_operands_come_in_any_order),
		cmocka_unit_test(a_typo_is_a_usage_error),
		cmocka_unit_test(no_number_of_words_is_too_many_for_the_arrays),
		cmocka_unit_test(leading_flags_end_at_the_command),
		cmocka_unit_test(a_flag_that_was_not_given_is_absent),
		cmocka_unit_test(items_of_lists_come_in_order),
		cmocka_unit_test(lists_with_holes_are_refused),
		cmocka_unit_test(numbers_are_whole_and_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
