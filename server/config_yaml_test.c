#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "server/config_yaml.h"

/* Writes down what it is told; refuses the key "bad". */
static bool note_section(void *arg, const char *section, int line, struct err *err)
{
	(void)err;
	buf_printf(arg, "[%s %d]", section, line);
	return true;
}

static bool note_value(void *arg, const char *section, const char *key, const char *text,
		       size_t len, int line, struct err *err)
{
	(void)section;
	if (strcmp(key, "bad") == 0)
		return err_set(err, ERR_CONFIG, "is bad");
	buf_printf(arg, " %s=%.*s@%d", key, (int)len, text, line);
	return true;
}

/* What was told, or the error; the caller frees. */
static char *parse(const char *text)
{
	struct buf notes;
	const struct config_yaml reader = { note_section, note_value, &notes };
	struct err err;

	buf_init(&notes, 4096);
	if (config_yaml_parse("f", text, strlen(text), &reader, &err))
		return buf_take(&notes);
	assert_int_equal(err.code, ERR_CONFIG);
	buf_fini(&notes);
	return mem_strdup(err.text);
}

static void check(const char *text, const char *expected)
{
	char *got = parse(text);

	if (strcmp(got, expected) != 0)
		fail_msg("%s\ngave:     %s\nexpected: %s", text, got, expected);
	mem_free(got);
}

static void sections_hold_values_with_their_lines(void **unused)
{
	(void)unused;
	check("a:\n  x: 1\n  y: \"two words\"\n\nb: { z: 'it''s' }\n",
	      "[a 1] x=1@2 y=two words@3[b 5] z=it's@5");
	check("# a comment\r\na:\r\n  x: 5 # why\r\n", "[a 2] x=5@3");
	check("---\na:\n  x: 010\n...\n", "[a 2] x=010@3");
}

static void what_is_commented_out_is_no_setting(void **unused)
{
	(void)unused;
	check("", "");
	check("# nothing\n", "");
	check("---\n", "");
	check("a:\n  # x: 1\nb: {}\n", "[a 1][b 3]");
}

static void an_error_names_file_line_column_and_key(void **unused)
{
	(void)unused;
	check("a:\n  x: 1\n  bad: 2\n", "f:3:8: a.bad: is bad");
}

static void what_yaml_has_beyond_maps_of_scalars_is_refused(void **unused)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "a:\n  x: &one 1\n", "f:2:6: a.x: anchors, aliases and tags are not allowed" },
		{ "a:\n  x: *one\n", "f:2:6: a.x: anchors, aliases and tags are not allowed" },
		{ "a:\n  x: !!int 1\n", "f:2:6: a.x: anchors, aliases and tags are not allowed" },
		{ "a:\n  x: ! 1\n", "f:2:6: a.x: anchors, aliases and tags are not allowed" },
		{ "a: &m\n  x: 1\n", "f:1:4: a: anchors, aliases and tags are not allowed" },
		{ "&d a:\n  x: 1\n", "f:1:1: anchors, aliases and tags are not allowed" },
		{ "a:\n  x: [1, 2]\n", "f:2:6: a.x: must be one value on one line" },
		{ "a:\n  x: { y: 1 }\n", "f:2:6: a.x: must be one value on one line" },
		{ "a:\n  x: |\n    text\n", "f:2:6: a.x: must be one value on one line" },
		{ "a:\n  x: one\n    two\n", "f:2:6: a.x: must be one value on one line" },
		{ "a:\n  x:\n",
		  "f:2:5: a.x: has no value: leave the line out to keep the default" },
		{ "a:\n  x: ~\n",
		  "f:2:6: a.x: has no value: leave the line out to keep the default" },
		{ "a:\n  x: null\n",
		  "f:2:6: a.x: has no value: leave the line out to keep the default" },
		{ "a: 1\n", "f:1:4: a: must hold lines of the form \"key: value\"" },
		{ "a:\n  - x\n", "f:2:3: a: must hold lines of the form \"key: value\"" },
		{ "word\n", "f:1:1: must hold sections, such as \"exchange:\"" },
		{ "- a\n", "f:1:1: must hold sections, such as \"exchange:\"" },
		{ "a:\n  ? [x]\n  : 1\n", "f:2:5: a: expected a name and a colon" },
		{ "? { x: 1 }\n: 1\n", "f:1:3: expected a name and a colon" },
		{ "a:\n  \"x\\0y\": 1\n",
		  "f:2:3: a: the name is too long or holds control characters" },
		{ "a:\n  x: 1\n---\nb:\n  y: 2\n", "f:3:1: a second document is not allowed" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check(cases[i].text, cases[i].error);
}

static void what_is_no_yaml_is_refused(void **unused)
{
	static const char *const cases[] = {
		"a: {\n",    "a:\n\tx: 1\n",        "a: \"open\n", "a:\n  x: 1\n y: 2\n",
		"a: \xff\n", "a:\n  x: \x01\x02\n", "}",           "%TAG ! x\n",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *got = parse(cases[i]);

		if (strncmp(got, "f:", 2) != 0 || !strstr(got, "no YAML: "))
			fail_msg("case %zu: %s", i, got);
		mem_free(got);
	}
}

static void every_cut_of_a_file_is_read_or_refused(void **unused)
{
	static const char whole[] =
		"---\na: { x: \"1\", y: 'b' }\n? b\n: &n\n  !t z: |\n   q\n...\n";

	(void)unused;
	for (size_t len = 0; len < sizeof(whole); len++) {
		char *cut = mem_strndup(whole, len);
		char *got = parse(cut);

		assert_non_null(got);
		mem_free(got);
		mem_free(cut);
	}
}

static void a_file_has_a_largest_size_and_must_be_there(void **unused)
{
	struct buf notes;
	const struct config_yaml reader = { note_section, note_value, &notes };
	mode_t mode;
	struct err err;

	(void)unused;
	buf_init(&notes, 4096);
	assert_false(config_yaml_read("/dev/zero", &reader, &mode, &err));
	assert_string_equal(err.text, "/dev/zero: larger than 256 KiB");
	assert_false(config_yaml_read("/nonexistent", &reader, &mode, &err));
	assert_string_equal(err.text, "/nonexistent: No such file or directory");
	assert_false(config_yaml_read("/tmp", &reader, &mode, &err));
	assert_string_equal(err.text, "/tmp: Is a directory");
	assert_true(config_yaml_read("/dev/null", &reader, &mode, &err));
	assert_int_equal(mode, 0);
	buf_fini(&notes);
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
		cmocka_unit_test(sections_hold_values_with_their_lines),
		cmocka_unit_test(what_is_commented_out_is_no_setting),
		cmocka_unit_test(an_error_names_file_line_column_and_key),
		cmocka_unit_test(what_yaml_has_beyond_maps_of_scalars_is_refused),
		cmocka_unit_test(what_is_no_yaml_is_refused),
		cmocka_unit_test(every_cut_of_a_file_is_read_or_refused),
		cmocka_unit_test(a_file_has_a_largest_size_and_must_be_there),
	};
	return cmocka_run_group_tests(tests, start, NULL);
}
