#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "client/opkey.h"
#include "client/tx.h"

/* A published payment (the Python SDK's signing test) and root keys that never held anything. */
#define PAYMENT_BODY                                                                               \
	"a4008182582004509185eb98edd8e2420c1ceea914d6a7a3142041039b2f12b4d4f03162d56f04018282581d" \
	"605867c3b8e27840f556ac268b781578b14c5661fc63ee720dbeab663f1a000f42408258390004845038ee49" \
	"9ee8bc0afe56f688f27b2dd76f230d3698a9afcc1b66e0464447c1f51adaefe1ebfb0dd485a349a70479ced1" \
	"d198cbdf7fe71a15d35396021a0002917d075820bdaa99eb158414dea0a91d6c727e2268574b23efe6e08ab3" \
	"b841abe8059a030c"
#define PAYMENT "84" PAYMENT_BODY "a0f5d90103a0"
#define FIRST_ROOT                                                                               \
	"xprv1cqa46gk29plgkg98upclnjv5t425fcpl4rgf9mq2txdxuga7jfq5shk7np6l55nj00sl3m4syzna3uwgr" \
	"wppdm0azgy9d8zahyf32s62klfyhe0ayyxkc7x92nv4s77fa0v25tufk9tnv7x6dgexe9kdz5gpeqgu"
#define FIRST_VKEY "c32dfdb461dd016e8fdd9b6d424a77439eab8f8c644a804b013b6cefa2454f95"
#define FIRST_SIGNATURE                                                                            \
	"2bfcad51fc81ecf7bd2e0fb3dbda51630d9457353e30f8cc04e12737d2753ec712148e34f78d5633ceb99e00" \
	"4534cc22216b265bc308a1f154952eaf72ae2e0d"
#define SECOND_ROOT                                                                              \
	"xprv1kz9nxfrcsv6nc3m35as9jywusecclgyjc964yt73rpsxfu3txp9eex7zplvnev2a4xrcwu2ljudmm8wss" \
	"7p329nzdkcp2jnzufvuvpf44nm839frqyctf7g75spk29huygkcz0emjs8all7vdnmczj62tu6z8snf"
#define SECOND_VKEY "663dda822d270f80cd52776b6a599a99b7a710f76d11d4bc4de06b6f369b7b90"
#define SECOND_SIGNATURE                                                                           \
	"2c225fd8172310b841228c1b5a78a1c0852085f88b7d6af8cbd92b479b30b6ad03e1112a6e074eb894017ef1" \
	"18e47bebc5fac52dac6578f8f62786e8e066580c"
#define WITNESS(vkey, signature) "825820" vkey "5840" signature

static struct opkey *key_of(const char *root)
{
	struct secret *text = secret_from_str(root);
	struct err err;
	struct opkey *key = opkey_from_root(text, &err);

	if (!key)
		fail_msg("%s", err.text);
	secret_destroy(text);
	return key;
}

static struct tx *tx_of(const char *hex)
{
	struct tx *tx;
	struct err err;

	if (!tx_parse(hex, strlen(hex), &tx, &err))
		fail_msg("%s: %s", hex, err.text);
	return tx;
}

/* The transaction signed with the key of this root; mem_ allocated. */
static char *signed_by(const char *root, const char *hex)
{
	struct opkey *key = key_of(root);
	struct tx *tx = tx_of(hex);
	struct buf signed_hex;
	struct err err;

	buf_init(&signed_hex, TX_SIGNED_HEX_MAX);
	if (!tx_sign(tx, key, &signed_hex, &err))
		fail_msg("%s", err.text);
	tx_destroy(tx);
	opkey_destroy(key);
	return buf_take(&signed_hex);
}

static void the_hash_is_that_of_the_body_alone(void **unused)
{
	static const char *const same_body[] = {
		PAYMENT,
		"84" PAYMENT_BODY "a0f4f6",
		"9f" PAYMENT_BODY "bfff"
		"f5f6ff",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(same_body); i++) {
		struct tx *tx = tx_of(same_body[i]);
		uint8_t hash[TX_HASH_LEN];
		char hex[2 * TX_HASH_LEN + 1];

		tx_hash(tx, hash);
		hex_encode(hash, sizeof(hash), hex);
		assert_string_equal(
			hex, "73acc5520882e87e83d465fc3e20caaef55818b57a3a35951d316743a5511bf6");
		tx_destroy(tx);
	}
}

static void two_keys_sign_one_after_the_other(void **unused)
{
	char *first = signed_by(FIRST_ROOT, PAYMENT);
	char *both = signed_by(SECOND_ROOT, first);

	(void)unused;
	assert_string_equal(first, "84" PAYMENT_BODY
				   "a10081" WITNESS(FIRST_VKEY, FIRST_SIGNATURE) "f5d90103a0");
	assert_string_equal(both, "84" PAYMENT_BODY "a10082" WITNESS(FIRST_VKEY, FIRST_SIGNATURE)
					  WITNESS(SECOND_VKEY, SECOND_SIGNATURE) "f5d90103a0");
	mem_free(first);
	mem_free(both);
}

static void signing_again_changes_nothing(void **unused)
{
	char *once = signed_by(FIRST_ROOT, PAYMENT);
	char *twice = signed_by(FIRST_ROOT, once);

	(void)unused;
	assert_string_equal(once, twice);
	mem_free(once);
	mem_free(twice);
}

static void a_transaction_with_our_witness_twice_is_not_signed(void **unused)
{
	static const char *const texts[] = {
		"84" PAYMENT_BODY "a10082" WITNESS(FIRST_VKEY, FIRST_SIGNATURE)
			WITNESS(FIRST_VKEY, FIRST_SIGNATURE) "f5d90103a0",
		"84" PAYMENT_BODY "a10082" WITNESS(FIRST_VKEY, SECOND_SIGNATURE)
			WITNESS(FIRST_VKEY, FIRST_SIGNATURE) "f5d90103a0",
	};
	struct opkey *key = key_of(FIRST_ROOT);

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct tx *tx = tx_of(texts[i]);
		struct buf signed_hex;
		struct err err;

		buf_init(&signed_hex, TX_SIGNED_HEX_MAX);
		assert_false(tx_sign(tx, key, &signed_hex, &err));
		assert_int_equal(err.code, ERR_TX);
		assert_int_equal(signed_hex.len, 0);
		buf_fini(&signed_hex);
		tx_destroy(tx);
	}
	opkey_destroy(key);
}

static void what_is_signed_fits_its_buffer_or_is_an_error(void **unused)
{
	struct opkey *key = key_of(FIRST_ROOT);
	struct tx *tx = tx_of(PAYMENT);
	const size_t needed = strlen(PAYMENT) + 2 * (2 + 101);

	(void)unused;
	for (size_t max = 0; max <= needed; max += 1 + (needed - max) / 8) {
		struct buf signed_hex;
		struct err err;

		buf_init(&signed_hex, max);
		assert_int_equal(tx_sign(tx, key, &signed_hex, &err), max >= needed);
		buf_fini(&signed_hex);
	}
	tx_destroy(tx);
	opkey_destroy(key);
}

/* A transaction of len bytes, padded in its auxiliary data. */
static char *sized_tx(size_t len)
{
	struct buf hex;

	buf_init(&hex, 4 * TX_MAX);
	buf_add_str(&hex, "84a0a0f5");
	buf_printf(&hex, "5a%08zx", len - 9);
	while (hex.len < 2 * len)
		buf_add_str(&hex, "00");
	return buf_take(&hex);
}

static void the_largest_transaction_is_signed_and_one_byte_more_is_refused(void **unused)
{
	char *largest = sized_tx(TX_MAX), *larger = sized_tx(TX_MAX + 1);
	char *signed_hex = signed_by(FIRST_ROOT, largest);
	struct tx *tx;
	struct err err;

	(void)unused;
	assert_int_equal(strlen(signed_hex), 2 * (TX_MAX + 2 + 101));
	assert_false(tx_parse(larger, strlen(larger), &tx, &err));
	assert_int_equal(err.code, ERR_TX);
	mem_free(signed_hex);
	mem_free(largest);
	mem_free(larger);
}

/* What the vectors leave open: a reading that slips by one item must not come out right. */
static void what_is_nearly_a_transaction_is_refused(void **unused)
{
	static const struct {
		const char *hex;
		bool ok;
	} cases[] = {
		{ "84a0a0f5f6", true },
		{ "84a0a014f6", false }, /* is_valid 20, which is false only as a simple value */
		{ "84a0a015f6", false },
		{ "84a0a0f6f5f6", false },
		{ "84a0a12080f5f6", false }, /* key -1, whose argument is 0 */
		{ "84a0a14080f5f6", false }, /* key "" */
		{ "84a0a118ff80f5f6", true },
		{ "84a0a119010080f5f6", false },
		{ "84a0a10080f5f6", true },
		{ "84a0a10081" WITNESS(FIRST_VKEY, FIRST_SIGNATURE) "f5f6", true },
		/* three items in the pair, two in the transaction behind it */
		{ "84a0a100818358"
		  "20" FIRST_VKEY "5840" FIRST_SIGNATURE "f5f5f6",
		  false },
		{ "84a0a100818158"
		  "20" FIRST_VKEY "f5f6",
		  false },
		{ "84a0a1008182581f"
		  "2dfdb461dd016e8fdd9b6d424a77439eab8f8c644a804b013b6cefa2454f95"
		  "5840" FIRST_SIGNATURE "f5f6",
		  false },
		{ "84a0a10081a158"
		  "20" FIRST_VKEY "5840" FIRST_SIGNATURE "f5f6",
		  false },
		{ "84a0a0f5f600", false },
		{ "9fa0a0f5f6", false },
		{ "9fa0a0f5f6ff", true },
		{ "9fa0a0f5ff", false },
		{ "9fa0a0f5f6f6ff", false },
		{ "84a0a0ff", false },
		{ "", false },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tx *tx = NULL;
		struct err err;

		if (tx_parse(cases[i].hex, strlen(cases[i].hex), &tx, &err) != cases[i].ok)
			fail_msg("%s", cases[i].hex);
		if (!cases[i].ok)
			assert_int_equal(err.code, ERR_TX);
		tx_destroy(tx);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hash_is_that_of_the_body_alone),
		cmocka_unit_test(two_keys_sign_one_after_the_other),
		cmocka_unit_test(signing_again_changes_nothing),
		cmocka_unit_test(a_transaction_with_our_witness_twice_is_not_signed),
		cmocka_unit_test(what_is_signed_fits_its_buffer_or_is_an_error),
		cmocka_unit_test(the_largest_transaction_is_signed_and_one_byte_more_is_refused),
		cmocka_unit_test(what_is_nearly_a_transaction_is_refused),
	};
	struct err err;
	bool is_locked;

	if (!secret_init(&is_locked, &err))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
