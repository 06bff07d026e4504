#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "base/buf.h"
#include "sim/bech32.h"
#include "sim/opkey.h"

/* The root key of the exchange's published Python tests: mnemonic 24 times "solution". */
static const char root_text[] =
	"xprv1cqa46gk29plgkg98upclnjv5t425fcpl4rgf9mq2txdxuga7jfq5shk7np6l55nj00sl3m4syzna3uwgrwppd"
	"m"
	"0azgy9d8zahyf32s62klfyhe0ayyxkc7x92nv4s77fa0v25tufk9tnv7x6dgexe9kdz5gpeqgu";
static const char root_hex[] = "c03b5d22ca287e8b20a7e071f9c9945d5544e03fa8d092ec0a599a6e23be9241"
			       "485ede9875fa52727be1f8eeb020a7d8f1c81b8216edfd1208569c5db9131543"
			       "4ab7d24be5fd210d6c78c554d9587bc9ebd8aa2f89b1573678da6a326c96cd15";

static struct opkey_root published_root(void)
{
	struct opkey_root root;
	uint8_t bytes[96];
	size_t len;

	assert_true(hex_decode(root_hex, strlen(root_hex), bytes, sizeof(bytes), &len));
	memcpy(root.kl, bytes, 32);
	memcpy(root.kr, bytes + 32, 32);
	memcpy(root.chain, bytes + 64, 32);
	return root;
}

static void the_leaf_of_the_published_root_has_the_published_key_and_hash(void **unused)
{
	struct opkey_root root = published_root(), leaf;
	uint8_t key[32];
	char hex[65], hash[OPKEY_HASH_HEX];

	(void)unused;
	opkey_leaf(&root, &leaf, key);
	hex_encode(key, 32, hex);
	assert_string_equal(hex,
			    "c32dfdb461dd016e8fdd9b6d424a77439eab8f8c644a804b013b6cefa2454f95");
	opkey_hash(key, hash);
	assert_string_equal(hash, "5867c3b8e27840f556ac268b781578b14c5661fc63ee720dbeab663f");
}

static void a_root_key_is_written_as_the_published_text(void **unused)
{
	struct opkey_root root = published_root();
	uint8_t bytes[96];
	char text[BECH32_ROOM(4, 96)];

	(void)unused;
	memcpy(bytes, root.kl, 32);
	memcpy(bytes + 32, root.kr, 32);
	memcpy(bytes + 64, root.chain, 32);
	bech32_encode("xprv", bytes, sizeof(bytes), text);
	assert_string_equal(text, root_text);
	assert_int_equal(strlen(text), sizeof(text) - 1);
}

static void an_iv_of_16_bytes_seals_as_in_the_published_vector(void **unused)
{
	static const char expected[] =
		"{\"iv\":\"AAECAwQFBgcICQoLDA0ODw==\",\"salt\":\"EBESExQVFhcYGRobHB0eHw==\","
		"\"ciphertext\":\"/2wvg2lElHS5hC62SkXKOJYkbu5Gb3aDbm442LMvqmmhZ2LfgukhbKbzRUILSpPRX"
		"qafTGNPPMHQppKQcr/FTCwjUg54ginZHp4VXOghHzL1ffQc2udsSS9uV1BQTRXfsy0mat+lD6/A/ju5aX"
		"ewqp3YoiPwbO09HTY3/inZ7YA2T92jFt7+4qiJnrNiAKPrdRkRrphGvIpu29nU9PQjZ61n0xP3aaL8a0L"
		"jd96aGAB7MRJc1w==\"}";
	struct opkey_root root = published_root();
	uint8_t iv[16], salt[16];
	struct buf blob;
	struct err err;

	(void)unused;
	for (uint8_t i = 0; i < 16; i++) {
		iv[i] = i;
		salt[i] = (uint8_t)(16 + i);
	}
	buf_init(&blob, 4096);
	assert_true(opkey_seal_with(&root, "correct horse", iv, 16, salt, 16, &blob, &err));
	assert_string_equal(buf_str(&blob), expected);
	buf_fini(&blob);
}

static void each_variant_has_its_own_lengths(void **unused)
{
	static const struct {
		enum opkey_variant variant;
		size_t iv_text_len;
		bool has_salt;
	} cases[] = { { OPKEY_USUAL, 16, true },
		      { OPKEY_IV16, 24, true },
		      { OPKEY_NO_SALT, 16, false } };
	struct opkey_root root = published_root();

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf blob;
		struct err err;

		buf_init(&blob, 4096);
		assert_true(opkey_seal(&root, "pw", 1, cases[i].variant, &blob, &err));
		assert_int_equal(strcspn(buf_str(&blob) + 7, "\""), cases[i].iv_text_len);
		assert_int_equal(strstr(buf_str(&blob), "\"salt\"") != NULL, cases[i].has_salt);
		buf_fini(&blob);
	}
}

static void roots_differ_by_seed_and_name_and_are_well_formed(void **unused)
{
	struct opkey_root a, again, by_name, by_seed;

	(void)unused;
	opkey_make(1, "main", &a);
	opkey_make(1, "main", &again);
	opkey_make(1, "other", &by_name);
	opkey_make(2, "main", &by_seed);
	assert_memory_equal(&a, &again, sizeof(a));
	assert_memory_not_equal(&a, &by_name, sizeof(a));
	assert_memory_not_equal(&a, &by_seed, sizeof(a));
	assert_int_equal(a.kl[0] & 7, 0);
	assert_int_equal(a.kl[31] & 0xe0, 0x40);
}

static void an_impossible_iv_is_refused(void **unused)
{
	struct opkey_root root = published_root();
	uint8_t iv[128] = { 0 };
	struct buf blob;
	struct err err;

	(void)unused;
	buf_init(&blob, 4096);
	assert_false(opkey_seal_with(&root, "pw", iv, 0, iv, 16, &blob, &err));
	assert_false(opkey_seal_with(&root, "pw", iv, 65, iv, 16, &blob, &err));
	assert_int_equal(blob.len, 0);
	buf_fini(&blob);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_leaf_of_the_published_root_has_the_published_key_and_hash),
		cmocka_unit_test(a_root_key_is_written_as_the_published_text),
		cmocka_unit_test(an_iv_of_16_bytes_seals_as_in_the_published_vector),
		cmocka_unit_test(each_variant_has_its_own_lengths),
		cmocka_unit_test(roots_differ_by_seed_and_name_and_are_well_formed),
		cmocka_unit_test(an_impossible_iv_is_refused),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
