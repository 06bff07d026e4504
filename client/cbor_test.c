#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "client/cbor.h"

/* Bytes from hex, in memory of exactly their length, so that reading past the end is seen. */
static struct cbor_reader reader_of(const char *hex)
{
	size_t len = strlen(hex) / 2;
	uint8_t *bytes = mem_alloc(len);

	assert_true(hex_decode(hex, strlen(hex), bytes, len, &len));
	return (struct cbor_reader){ .bytes = bytes, .len = len };
}

static void reader_free(struct cbor_reader *reader)
{
	mem_free((void *)(uintptr_t)reader->bytes);
}

static bool skips(const char *hex, size_t *at)
{
	struct cbor_reader reader = reader_of(hex);
	struct err err;
	bool ok = cbor_skip(&reader, &err);

	if (!ok)
		assert_int_equal(err.code, ERR_TX);
	*at = reader.at;
	reader_free(&reader);
	return ok;
}

static void a_well_formed_item_is_passed_to_its_last_byte(void **unused)
{
	static const struct {
		const char *hex;
		size_t len;
	} cases[] = {
		{ "00", 1 },
		{ "17", 1 },
		{ "1818", 2 },
		{ "1800", 2 }, /* wider than needed */
		{ "1bffffffffffffffff", 9 },
		{ "3b7fffffffffffffff", 9 },
		{ "40", 1 },
		{ "43010203", 4 },
		{ "58020102", 4 },
		{ "61ff", 2 }, /* text is not checked for UTF-8 */
		{ "80", 1 },
		{ "830102820304", 6 },
		{ "9b000000000000000100", 10 },
		{ "9fff", 2 },
		{ "9f018202039fffff", 8 },
		{ "a0", 1 },
		{ "a201020304", 5 },
		{ "bfff", 2 },
		{ "bf0102a0a0ff", 6 },
		{ "a10000", 3 },
		{ "5fff", 2 },
		{ "5f4101420203ff", 7 },
		{ "7f61616162ff", 6 },
		{ "c100", 2 },
		{ "d9010280", 4 },
		{ "9fc19fffff", 5 },
		{ "bfc100c1c100ff", 7 },
		{ "f4", 1 },
		{ "f7", 1 },
		{ "f820", 2 },
		{ "f8ff", 2 },
		{ "f93c00", 3 },
		{ "fb3ff0000000000000", 9 },
		{ "e0", 1 },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf longer;
		size_t at;

		if (!skips(cases[i].hex, &at) || at != cases[i].len)
			fail_msg("%s: at %zu", cases[i].hex, at);
		/* What follows is not looked at. */
		buf_init(&longer, 64);
		buf_printf(&longer, "%sff1c", cases[i].hex);
		if (!skips(buf_str(&longer), &at) || at != cases[i].len)
			fail_msg("%s: at %zu", buf_str(&longer), at);
		buf_fini(&longer);
	}
}

static void an_item_that_is_cut_off_is_refused_at_every_byte(void **unused)
{
	static const char *const whole[] = {
		"1bffffffffffffffff", "43010203", "830102820304",   "9f018202039fffff",
		"a201020304",         "5f4101ff", "d901029fc1c1ff", "bf00bf00bf0000ffffff",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(whole); i++)
		for (size_t len = 0; len < strlen(whole[i]); len += 2) {
			char *part = mem_strndup(whole[i], len);
			size_t at;

			if (skips(part, &at))
				fail_msg("%s", part);
			mem_free(part);
		}
}

/* Refused for what it is, not for its end: more bytes than any head needs follow. */
static void what_is_not_well_formed_is_refused(void **unused)
{
	static const char *const cases[] = {
		/* reserved heads */
		"1c",
		"1d",
		"1e",
		"3c",
		"5c",
		"7d",
		"9e",
		"bc",
		"dd",
		"fc",
		"fd",
		"fe",
		/* indefinite numbers and tags */
		"1f",
		"1fff",
		"3f",
		"3fff",
		"df",
		"dfff",
		"df00ff",
		/* breaks in the wrong place */
		"ff",
		"81ff",
		"a1ff",
		"a100ff",
		"c1ff",
		"9fc1ff",
		"bf00ff",
		"bf00c1ff",
		"bf000102ff",
		/* simple values in two bytes */
		"f800",
		"f814",
		"f815",
		"f81f",
		/* chunks of another kind */
		"5f00ff",
		"5f6161ff",
		"5f5f4100ffff",
		"5f80ff",
		"5fc14100ff",
		"5ff4ff",
		"7f4161ff",
		"7f7f6161ffff",
		/* counts and lengths beyond the end, or beyond the address space */
		"98ff",
		"9b0000000100000000",
		"9bffffffffffffffff",
		"b8ff",
		"bb8000000000000000",
		"bb8000000000000001",
		"58ff",
		"5b0000000100000000",
		"5bfffffffffffffff7",
		"5bffffffffffffffff",
		"5f5bffffffffffffffff",
		"78ff",
		"7b4000000000000000",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf longer;
		size_t at;

		buf_init(&longer, 256);
		buf_printf(&longer, "%s%064x", cases[i], 0);
		if (skips(cases[i], &at) || skips(buf_str(&longer), &at))
			fail_msg("%s: at %zu", cases[i], at);
		buf_fini(&longer);
	}
}

/* The deepest item that is taken, and one level more, built from one head and one foot. */
static void nesting_is_taken_up_to_the_bound_and_no_further(void **unused)
{
	static const struct {
		const char *head, *foot;
	} kinds[] = {
		{ "81", "" }, { "9f", "ff" }, { "a100", "" }, { "bf00", "ff" }, { "c1", "" }
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		for (size_t depth = CBOR_DEPTH_MAX; depth <= CBOR_DEPTH_MAX + 1; depth++) {
			struct buf hex;
			size_t at;

			buf_init(&hex, 1 << 16);
			for (size_t level = 0; level < depth; level++)
				buf_add_str(&hex, kinds[i].head);
			buf_add_str(&hex, "00");
			for (size_t level = 0; level < depth; level++)
				buf_add_str(&hex, kinds[i].foot);
			if (skips(buf_str(&hex), &at) != (depth == CBOR_DEPTH_MAX))
				fail_msg("%s, %zu levels", kinds[i].head, depth);
			buf_fini(&hex);
		}
}

/* A container that is closed frees its level: breadth costs no depth. */
static void many_small_containers_side_by_side_are_taken(void **unused)
{
	struct buf hex;
	size_t at;

	(void)unused;
	buf_init(&hex, 1 << 16);
	buf_add_str(&hex, "9f");
	for (int i = 0; i < 4 * CBOR_DEPTH_MAX; i++)
		buf_add_str(&hex, i % 2 ? "8100" : "9fff");
	buf_add_str(&hex, "ff");
	assert_true(skips(buf_str(&hex), &at));
	assert_int_equal(at, hex.len / 2);
	buf_fini(&hex);
}

static size_t count_items(const char *hex, enum cbor_major kind, size_t *end)
{
	struct cbor_reader reader = reader_of(hex);
	struct cbor_list list;
	struct err err;
	size_t count = 0;

	assert_true(cbor_read_list(&reader, kind, &list, &err));
	while (cbor_list_more(&reader, &list)) {
		for (int i = kind == CBOR_MAP ? 2 : 1; i > 0; i--)
			assert_true(cbor_skip(&reader, &err));
		count++;
	}
	*end = reader.at;
	reader_free(&reader);
	return count;
}

static void a_list_gives_its_items_and_then_ends_after_its_break(void **unused)
{
	static const struct {
		const char *hex;
		enum cbor_major kind;
		size_t count, end;
	} cases[] = {
		{ "8000", CBOR_ARRAY, 0, 1 },         { "9fff00", CBOR_ARRAY, 0, 2 },
		{ "83008100c100", CBOR_ARRAY, 3, 6 }, { "9f009fffff00", CBOR_ARRAY, 2, 5 },
		{ "a000", CBOR_MAP, 0, 1 },           { "bfff", CBOR_MAP, 0, 2 },
		{ "a2008001a0f6", CBOR_MAP, 2, 5 },   { "bf00bfffff", CBOR_MAP, 1, 5 },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t end;

		assert_int_equal(count_items(cases[i].hex, cases[i].kind, &end), cases[i].count);
		assert_int_equal(end, cases[i].end);
	}
}

static void a_list_of_another_kind_is_refused(void **unused)
{
	static const char *const cases[] = { "a0", "00", "40", "c180", "f6", "ff", "" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct cbor_reader reader = reader_of(cases[i]);
		struct cbor_list list;
		struct err err;

		assert_false(cbor_read_list(&reader, CBOR_ARRAY, &list, &err));
		assert_int_equal(err.code, ERR_TX);
		reader_free(&reader);
	}
}

static void the_tag_of_a_set_is_passed_and_another_stays(void **unused)
{
	static const struct {
		const char *hex;
		bool ok;
		size_t at;
	} cases[] = {
		{ "d9010280", true, 3 },
		{ "da0000010280", true, 5 },
		{ "80", true, 0 },
		{ "d9010380", true, 0 },
		{ "c280", true, 0 },
		{ "190102", true, 0 },
		{ "d90102d9010280", true, 3 }, /* one of two */
		{ "d901", false, 0 },
		{ "", false, 0 },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct cbor_reader reader = reader_of(cases[i].hex);
		struct err err;

		assert_int_equal(cbor_skip_set_tag(&reader, &err), cases[i].ok);
		assert_int_equal(reader.at, cases[i].at);
		reader_free(&reader);
	}
}

static void only_a_byte_string_of_the_wanted_length_is_read(void **unused)
{
	static const struct {
		const char *hex;
		bool ok;
	} cases[] = {
		{ "43010203", true },
		{ "5803010203", true },
		{ "5b0000000000000003010203", true },
		{ "420102", false },
		{ "4401020304", false },
		{ "63010203", false },
		{ "5f43010203ff", false },
		{ "83010203", false },
		{ "430102", false },
		{ "", false },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct cbor_reader reader = reader_of(cases[i].hex);
		const uint8_t *bytes;
		struct err err;

		if (cbor_read_bytes(&reader, 3, &bytes, &err) != cases[i].ok)
			fail_msg("%s", cases[i].hex);
		if (cases[i].ok)
			assert_memory_equal(bytes, "\1\2\3", 3);
		reader_free(&reader);
	}
}

static void heads_are_written_in_the_shortest_form(void **unused)
{
	static const struct {
		enum cbor_major major;
		uint64_t value;
		const char *hex;
	} cases[] = {
		{ CBOR_MAP, 0, "a0" },
		{ CBOR_ARRAY, 23, "97" },
		{ CBOR_ARRAY, 24, "9818" },
		{ CBOR_ARRAY, 255, "98ff" },
		{ CBOR_ARRAY, 256, "990100" },
		{ CBOR_TAG, 65535, "d9ffff" },
		{ CBOR_BYTES, 65536, "5a00010000" },
		{ CBOR_BYTES, UINT32_MAX, "5affffffff" },
		{ CBOR_UNSIGNED, (uint64_t)UINT32_MAX + 1, "1b0000000100000000" },
		{ CBOR_NEGATIVE, UINT64_MAX, "3bffffffffffffffff" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t head[CBOR_HEAD_MAX];
		char hex[2 * CBOR_HEAD_MAX + 1];
		struct cbor_reader reader;
		struct cbor_head back;
		struct err err;

		hex_encode(head, cbor_write_head(cases[i].major, cases[i].value, head), hex);
		assert_string_equal(hex, cases[i].hex);
		if (cases[i].major == CBOR_UNSIGNED || cases[i].major == CBOR_TAG) {
			reader = reader_of(hex);
			assert_true(cbor_read_head(&reader, &back, &err));
			assert_int_equal(back.major, cases[i].major);
			assert_int_equal(back.value, cases[i].value);
			reader_free(&reader);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_well_formed_item_is_passed_to_its_last_byte),
		cmocka_unit_test(an_item_that_is_cut_off_is_refused_at_every_byte),
		cmocka_unit_test(what_is_not_well_formed_is_refused),
		cmocka_unit_test(nesting_is_taken_up_to_the_bound_and_no_further),
		cmocka_unit_test(many_small_containers_side_by_side_are_taken),
		cmocka_unit_test(a_list_gives_its_items_and_then_ends_after_its_break),
		cmocka_unit_test(a_list_of_another_kind_is_refused),
		cmocka_unit_test(the_tag_of_a_set_is_passed_and_another_stays),
		cmocka_unit_test(only_a_byte_string_of_the_wanted_length_is_read),
		cmocka_unit_test(heads_are_written_in_the_shortest_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
