#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "client/sealed.h"

#define TEXT_ROOM (2 * SEALED_TEXT_MAX)

/* A sealed key whose parts have these sizes, all bytes 0xa5; salt_len < 0: no salt. */
static void print_sealed(struct buf *text, size_t iv_len, int salt_len, size_t box_len)
{
	static uint8_t bytes[TEXT_ROOM];
	static char base64[2 * TEXT_ROOM];
	const int variant = sodium_base64_VARIANT_ORIGINAL;

	memset(bytes, 0xa5, sizeof(bytes));
	buf_clear(text);
	buf_printf(text, "{\"iv\":\"%s\"",
		   sodium_bin2base64(base64, sizeof(base64), bytes, iv_len, variant));
	if (salt_len >= 0)
		buf_printf(text, ",\"salt\":\"%s\"",
			   sodium_bin2base64(base64, sizeof(base64), bytes, (size_t)salt_len,
					     variant));
	buf_printf(text, ",\"ciphertext\":\"%s\"}",
		   sodium_bin2base64(base64, sizeof(base64), bytes, box_len, variant));
}

static bool parses(const char *text, struct sealed *sealed)
{
	struct err err;
	bool ok = sealed_parse(text, strlen(text), sealed, &err);

	if (!ok)
		assert_int_equal(err.code, ERR_OPKEY);
	return ok;
}

static void every_size_is_taken_up_to_its_bound(void **unused)
{
	static const struct {
		size_t iv_len;
		int salt_len;
		size_t box_len;
		bool ok;
	} cases[] = {
		{ 12, 16, 181, true },
		{ 1, 1, SEALED_TAG_LEN, true },
		{ 0, 16, 181, false },
		{ SEALED_IV_MAX, 16, 181, true },
		{ SEALED_IV_MAX + 1, 16, 181, false },
		{ 12, SEALED_SALT_MAX, 181, true },
		{ 12, SEALED_SALT_MAX + 1, 181, false },
		{ 12, 16, SEALED_TAG_LEN - 1, false },
		{ 12, 16, 0, false },
		{ 12, 16, 12000, true },
		{ 12, 16, SEALED_BOX_MAX + 1, false },
		{ 12, 16, TEXT_ROOM / 2, false },
	};
	struct sealed sealed;
	struct buf text;

	(void)unused;
	buf_init(&text, 4 * TEXT_ROOM);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		print_sealed(&text, cases[i].iv_len, cases[i].salt_len, cases[i].box_len);
		if (parses(buf_str(&text), &sealed) != cases[i].ok)
			fail_msg("case %zu", i);
		if (!cases[i].ok)
			continue;
		assert_int_equal(sealed.iv_len, cases[i].iv_len);
		assert_int_equal(sealed.salt_len, cases[i].salt_len);
		assert_int_equal(sealed.box_len, cases[i].box_len);
		assert_int_equal(sealed.iv[sealed.iv_len - 1], 0xa5);
		assert_int_equal(sealed.salt[sealed.salt_len - 1], 0xa5);
		assert_int_equal(sealed.box[sealed.box_len - 1], 0xa5);
	}
	buf_fini(&text);
}

static void the_longest_text_is_taken_and_one_byte_more_is_not(void **unused)
{
	struct sealed sealed;
	struct buf text;

	(void)unused;
	buf_init(&text, TEXT_ROOM);
	print_sealed(&text, 12, 16, 181);
	while (text.len < SEALED_TEXT_MAX)
		buf_add_char(&text, ' ');
	assert_true(parses(buf_str(&text), &sealed));
	buf_add_char(&text, ' ');
	assert_false(parses(buf_str(&text), &sealed));
	buf_fini(&text);
}

static void a_missing_salt_is_zero_bytes_as_long_as_the_iv(void **unused)
{
	static const struct {
		const char *text;
		size_t len;
	} cases[] = {
		{ "{\"iv\":\"VWJACKsqaz5jWioK\",\"ciphertext\":\"nlncs+LUuU+0RI3ZNJ2Qpg==\"}", 12 },
		{ "{\"iv\":\"AAECAwQFBgcICQoLDA0ODw==\",\"salt\":null,"
		  "\"ciphertext\":\"nlncs+LUuU+0RI3ZNJ2Qpg==\"}",
		  16 },
		{ "{\"salt\":\"\",\"ciphertext\":\"nlncs+LUuU+0RI3ZNJ2Qpg==\",\"iv\":\"Kg==\"}",
		  1 },
	};
	static const uint8_t zeros[SEALED_IV_MAX];

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sealed sealed;

		memset(&sealed, 0x55, sizeof(sealed)); /* what was there before does not matter */
		assert_true(parses(cases[i].text, &sealed));
		assert_int_equal(sealed.salt_len, cases[i].len);
		assert_memory_equal(sealed.salt, zeros, sealed.salt_len);
	}
}

static void a_field_given_twice_is_refused(void **unused)
{
	static const char *const texts[] = {
		"{\"iv\":\"Kg==\",\"iv\":\"Kg==\",\"ciphertext\":\"nlncs+LUuU+0RI3ZNJ2Qpg==\"}",
		"{\"iv\":\"Kg==\",\"ciphertext\":\"nlncs+LUuU+0RI3ZNJ2Qpg==\",\"x\":1,\"x\":2}",
	};
	struct sealed sealed;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_false(parses(texts[i], &sealed));
}

static void text_that_does_not_end_in_nul_is_read_within_its_length(void **unused)
{
	static const char text[] = "{\"iv\":\"Kg==\",\"ciphertext\":\"nlncs+LUuU+0RI3ZNJ2Qpg==\"}";
	size_t len = sizeof(text) - 1;
	char *exact = mem_alloc(len);
	struct sealed sealed;
	struct err err;

	(void)unused;
	memcpy(exact, text, len);
	assert_true(sealed_parse(exact, len, &sealed, &err));
	assert_false(sealed_parse(exact, len - 1, &sealed, &err));
	assert_false(sealed_parse(exact, 0, &sealed, &err));
	mem_free(exact);
}

static void errors_do_not_quote_the_content(void **unused)
{
	static const char *const texts[] = {
		"secret",
		"{\"iv\":\"secret",
		"{\"iv\":\"secret!\",\"ciphertext\":\"secret!\"}",
		"{\"iv\":\"Kg==\",\"ciphertext\":\"secret!\"}",
		("{\"iv\":\"Kg==\",\"ciphertext\":\"nlncs+LUuU+0RI3ZNJ2Qpg==\","
		 "\"salt\":\"secret!\"}"),
		"{\"secret\":1,\"secret\":2}",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct sealed sealed;
		struct err err;

		assert_false(sealed_parse(texts[i], strlen(texts[i]), &sealed, &err));
		assert_null(strstr(err.text, "secret"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size_is_taken_up_to_its_bound),
		cmocka_unit_test(the_longest_text_is_taken_and_one_byte_more_is_not),
		cmocka_unit_test(a_missing_salt_is_zero_bytes_as_long_as_the_iv),
		cmocka_unit_test(a_field_given_twice_is_refused),
		cmocka_unit_test(text_that_does_not_end_in_nul_is_read_within_its_length),
		cmocka_unit_test(errors_do_not_quote_the_content),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
