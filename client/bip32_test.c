#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "client/bip32.h"

/* The group order L, little-endian. */
#define ORDER "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"

/* An ordinary Ed25519 key as an extended one: that is how its seed is expanded. */
static struct bip32_key from_seed(uint8_t filler)
{
	struct bip32_key key;
	uint8_t seed[32], hash[64];

	memset(seed, filler, sizeof(seed));
	crypto_hash_sha512(hash, seed, sizeof(seed));
	hash[0] &= 0xf8;
	hash[31] = (hash[31] & 0x7f) | 0x40;
	memcpy(key.kl, hash, 32);
	memcpy(key.kr, hash + 32, 32);
	memset(key.chain_code, filler, 32);
	return key;
}

static void a_key_from_a_seed_signs_as_libsodium_does(void **unused)
{
	(void)unused;
	for (unsigned filler = 0; filler < 64; filler++) {
		struct bip32_key key = from_seed((uint8_t)filler);
		uint8_t seed[32], vkey[32], other_vkey[32], secret_key[64];
		uint8_t signature[64], other_signature[64], message[100];
		struct err err;

		memset(seed, (int)filler, sizeof(seed));
		memset(message, (int)(filler * 3), sizeof(message));
		crypto_sign_seed_keypair(other_vkey, secret_key, seed);
		assert_true(bip32_vkey(&key, vkey, &err));
		assert_memory_equal(vkey, other_vkey, 32);
		crypto_sign_detached(other_signature, NULL, message, filler, secret_key);
		assert_true(bip32_sign(&key, vkey, message, filler, signature, &err));
		assert_memory_equal(signature, other_signature, 64);
	}
}

/* A derived kL is no clamped scalar any more; down some paths it is even above 2^255. */
static void signatures_of_derived_keys_verify(void **unused)
{
	(void)unused;
	for (unsigned filler = 0; filler < 32; filler++) {
		struct bip32_key key = from_seed((uint8_t)filler);
		uint8_t vkey[32], signature[64];
		struct err err;

		if (filler % 2)
			memset(key.kl, 0xff, sizeof(key.kl));
		for (uint32_t step = 0; step < 8; step++)
			assert_true(bip32_derive(&key, filler + (step % 2) * BIP32_HARDENED, &key,
						 &err));
		assert_true(bip32_vkey(&key, vkey, &err));
		assert_true(bip32_sign(&key, vkey, (const uint8_t *)"message", 7, signature, &err));
		assert_int_equal(
			crypto_sign_verify_detached(signature, (const uint8_t *)"message", 7, vkey),
			0);
		assert_int_not_equal(
			crypto_sign_verify_detached(signature, (const uint8_t *)"massage", 7, vkey),
			0);
	}
}

/* The public half of a soft step: vkey' = vkey + 8 zL B. It proves the addition to kL. */
static void a_soft_step_can_be_followed_with_the_public_key_alone(void **unused)
{
	(void)unused;
	for (uint32_t index = 0; index < 32; index++) {
		struct bip32_key parent = from_seed((uint8_t)index), child;
		struct bip32_hmacs hmacs;
		uint8_t wide[64] = { 0 }, eight[32] = { 8 }, scalar[32], point[32];
		uint8_t vkey[32], child_vkey[32], sum[32];
		struct err err;

		assert_true(bip32_hmacs(&parent, index, &hmacs, &err));
		assert_true(bip32_derive(&parent, index, &child, &err));
		memcpy(wide, hmacs.z, 28);
		crypto_core_ed25519_scalar_reduce(scalar, wide);
		crypto_core_ed25519_scalar_mul(scalar, scalar, eight);
		assert_int_equal(crypto_scalarmult_ed25519_base_noclamp(point, scalar), 0);
		assert_true(bip32_vkey(&parent, vkey, &err));
		assert_int_equal(crypto_core_ed25519_add(sum, vkey, point), 0);
		assert_true(bip32_vkey(&child, child_vkey, &err));
		assert_memory_equal(child_vkey, sum, 32);
	}
}

static void deriving_in_place_gives_the_same_child(void **unused)
{
	static const uint32_t indices[] = { 0, 1, 0x7fffffff, BIP32_HARDENED, 0xffffffff };

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(indices); i++) {
		struct bip32_key parent = from_seed(7), copy = parent, child;
		struct err err;

		assert_true(bip32_derive(&parent, indices[i], &child, &err));
		assert_memory_equal(&parent, &copy, sizeof(parent));
		assert_true(bip32_derive(&copy, indices[i], &copy, &err));
		assert_memory_equal(&child, &copy, sizeof(child));
	}
}

static void a_private_key_without_a_public_one_is_refused(void **unused)
{
	static const char *const scalars[] = {
		"0000000000000000000000000000000000000000000000000000000000000000", ORDER,
		"daa7ebb934c624b0ac39ef45bdf3bd2900000000000000000000000000000020", /* 2 L */
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(scalars); i++) {
		struct bip32_key key = from_seed(1), child = from_seed(2);
		static const struct bip32_key zero;
		uint8_t vkey[32];
		struct err err;
		size_t len;

		assert_true(hex_decode(scalars[i], 64, key.kl, 32, &len));
		assert_false(bip32_vkey(&key, vkey, &err));
		assert_int_equal(err.code, ERR_OPKEY);
		/* A soft step needs the public key; nothing is left of what was in child. */
		assert_false(bip32_derive(&key, 0, &child, &err));
		assert_memory_equal(&child, &zero, sizeof(child));
	}
}

/* Neither the vectors nor the usual paths use all of an index's bytes. */
static void the_index_is_hashed_in_little_endian_order(void **unused)
{
	static const uint8_t index_le[] = { 0x78, 0x56, 0x34, 0x12 };
	struct bip32_key key = from_seed(3);
	crypto_auth_hmacsha512_state state;
	struct bip32_hmacs hmacs;
	uint8_t vkey[32], wanted[64];
	struct err err;

	(void)unused;
	assert_true(bip32_vkey(&key, vkey, &err));
	crypto_auth_hmacsha512_init(&state, key.chain_code, 32);
	crypto_auth_hmacsha512_update(&state, (const uint8_t *)"\2", 1);
	crypto_auth_hmacsha512_update(&state, vkey, 32);
	crypto_auth_hmacsha512_update(&state, index_le, 4);
	crypto_auth_hmacsha512_final(&state, wanted);
	assert_true(bip32_hmacs(&key, 0x12345678, &hmacs, &err));
	assert_memory_equal(hmacs.z, wanted, 64);
}

static void a_root_key_with_wrong_fixed_bits_is_wiped(void **unused)
{
	/* The lowest bit of kL is set. */
	static const char text[] =
		"xprv1e8fyswdl2lv377eeljvkxg903jvlwp8xtqukcm55urlqlm0lf4pwrk0y2a9wnwpkh08tcltwhumjz"
		"6a"
		"plre2nkww0vrlg3w96kwqmydxkkhdaaegdu3rzxzfcj4r2wu7a3eday0hwt7fuxvl6dkc32twds0yqhne";
	static const struct bip32_key zero;
	struct bip32_key key = from_seed(4);
	struct err err;

	(void)unused;
	assert_false(bip32_read_root(text, sizeof(text) - 1, &key, &err));
	assert_int_equal(err.code, ERR_OPKEY);
	assert_memory_equal(&key, &zero, sizeof(key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_from_a_seed_signs_as_libsodium_does),
		cmocka_unit_test(signatures_of_derived_keys_verify),
		cmocka_unit_test(a_soft_step_can_be_followed_with_the_public_key_alone),
		cmocka_unit_test(deriving_in_place_gives_the_same_child),
		cmocka_unit_test(a_private_key_without_a_public_one_is_refused),
		cmocka_unit_test(the_index_is_hashed_in_little_endian_order),
		cmocka_unit_test(a_root_key_with_wrong_fixed_bits_is_wiped),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
