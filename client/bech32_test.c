#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "client/bech32.h"

/* From memory of exactly the text's length, so that reading past the end is seen. */
static bool decodes(const char *text, const char *prefix, uint8_t *bytes, size_t len)
{
	char *exact = mem_alloc(strlen(text));
	struct err err;
	bool ok;

	memcpy(exact, text, strlen(text));
	ok = bech32_decode(exact, strlen(text), prefix, bytes, len, &err);
	if (!ok)
		assert_int_equal(err.code, ERR_OPKEY);
	mem_free(exact);
	return ok;
}

/* The good strings of BIP-173 that hold whole bytes, and one longer than its limit. */
static void published_strings_are_decoded(void **unused)
{
	static const struct {
		const char *text, *prefix, *hex;
	} cases[] = {
		{ "A12UEL5L", "a", "" },
		{ "a12uel5l", "a", "" },
		{ "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", "abcdef",
		  "00443214c74254b635cf84653a56d7c675be77df" },
		{ "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w", "split",
		  "c5f38b70305f519bf66d85fb6cf03058f3dde463ecd7918f2dc743918f2d" },
		{ "?1ezyfcl", "?", "" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t len = strlen(cases[i].hex) / 2;
		uint8_t bytes[64], wanted[64];

		assert_true(hex_decode(cases[i].hex, 2 * len, wanted, sizeof(wanted), &len));
		if (!decodes(cases[i].text, cases[i].prefix, bytes, len))
			fail_msg("%s", cases[i].text);
		assert_memory_equal(bytes, wanted, len);
	}
}

static void another_prefix_length_case_or_checksum_is_refused(void **unused)
{
	static const struct {
		const char *text, *prefix;
		size_t len;
	} cases[] = {
		{ "a12uel5l", "b", 0 },
		{ "a12uel5l", "a1", 0 },
		{ "a12uel5l", "", 0 },
		{ "a12uel5l", "a", 1 },
		{ "A12uEL5L", "a", 0 },
		{ "a12UEL5L", "a", 0 },
		{ "ABCDEF1QPzRY9X8GF2TVDW0S3JN54KHCE6MUA7LMQQQXW", "abcdef", 20 },
		{ "a12uel5m", "a", 0 },
		{ "a12uel5", "a", 0 },
		{ "a12uel5l ", "a", 0 },
		{ "a1lqfn3a", "a", 0 }, /* a bech32m checksum */
		{ "a", "a", 0 },
		{ "", "a", 0 },
		{ "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", "abcdef", 19 },
		{ "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", "abcdef", 21 },
		{ "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7\xe2mqqqxw", "abcdef", 20 },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t bytes[64];

		if (decodes(cases[i].text, cases[i].prefix, bytes, cases[i].len))
			fail_msg("%s", cases[i].text);
	}
}

/* Any single character changed to any other is noticed: four errors always are, says BIP-173. */
static void no_changed_character_passes(void **unused)
{
	static const char good[] = "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw";
	char text[sizeof(good)];
	uint8_t bytes[20];

	(void)unused;
	for (size_t at = 0; at < sizeof(good) - 1; at++)
		for (int c = 1; c < 256; c++) {
			memcpy(text, good, sizeof(good));
			text[at] = (char)c;
			if (text[at] != good[at] && decodes(text, "abcdef", bytes, sizeof(bytes)))
				fail_msg("character %zu as %d", at, c);
		}
}

static void padding_bits_are_refused_and_nothing_stays(void **unused)
{
	static const char text[] =
		"xprv1erfyswdl2lv377eeljvkxg903jvlwp8xtqukcm55urlqlm0lf4pwrk0y2a9wnwpkh08tcltwhumjz"
		"6aplre2nkww0vrlg3w96kwqmydxkkhdaaegdu3rzxzfcj4r2wu7a3eday0hwt7fuxvl6dkc32twd3a3g84"
		"u";
	static const uint8_t zeros[96];
	uint8_t bytes[96];

	(void)unused;
	memset(bytes, 0xa5, sizeof(bytes));
	assert_false(decodes(text, "xprv", bytes, sizeof(bytes)));
	assert_memory_equal(bytes, zeros, sizeof(bytes));
}

/* The string of such an error may be a key. */
static void errors_do_not_quote_the_string(void **unused)
{
	static const char *const texts[] = { "xprv1secretsecret", "secret1xprvxprvxprvxprv",
					     "xprv1SECRETSECRET", "XPRV1secret" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		uint8_t bytes[96];
		struct err err;

		assert_false(bech32_decode(texts[i], strlen(texts[i]), "xprv", bytes, 96, &err));
		assert_null(strcasestr(err.text, "secret"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_strings_are_decoded),
		cmocka_unit_test(another_prefix_length_case_or_checksum_is_refused),
		cmocka_unit_test(no_changed_character_passes),
		cmocka_unit_test(padding_bits_are_refused_and_nothing_stays),
		cmocka_unit_test(errors_do_not_quote_the_string),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
