/* vectors_keys.c - from the sealed operation key to the signing key. */
#include "tests/vectors.h"

#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "client/bech32.h"
#include "client/bip32.h"
#include "client/opkey.h"
#include "client/sealed.h"

/* ---- decrypt.json ---------------------------------------------------------------------- */

/* A refusal must come at the stage the case names: "gcm" or one before it. */
static void check_refusal(struct run *run, const json_t *item, bool is_gcm, const struct err *err)
{
	enum expect expect = vectors_expect(run, item);
	const char *stage;

	if (expect == EXPECT_EITHER)
		return;
	if (expect == EXPECT_OK) {
		vectors_fail(run, "refused: %s", err->text);
		return;
	}
	stage = vectors_text(run, item, "refused_at");
	if (is_gcm != (strcmp(stage, "gcm") == 0))
		vectors_fail(run, "refused at another stage than %s: %s", stage, err->text);
	if (err->code != ERR_OPKEY)
		vectors_fail(run, "refused with code %s", err_word(err->code));
}

static void check_sealed(struct run *run, const json_t *item, const struct sealed *sealed)
{
	size_t ciphertext_len = sealed->box_len - SEALED_TAG_LEN;

	vectors_check(run, item, "iv_hex", sealed->iv, sealed->iv_len);
	vectors_check(run, item, "salt_hex", sealed->salt, sealed->salt_len);
	vectors_check(run, item, "ciphertext_hex", sealed->box, ciphertext_len);
	vectors_check(run, item, "tag_hex", sealed->box + ciphertext_len, SEALED_TAG_LEN);
}

static void check_secret(struct run *run, const json_t *item, const char *name,
			 const struct secret *secret)
{
	vectors_check(run, item, name, secret_open(secret), secret_len(secret));
	secret_close(secret);
}

static void check_root_text(struct run *run, const json_t *item, const struct secret *text)
{
	const char *verdict = vectors_text(run, item, "as_root_key");
	struct err err;
	struct opkey *key = opkey_from_root(text, &err);

	if ((key != NULL) != (strcmp(verdict, "ok") == 0))
		vectors_fail(run, "as a root key: %s", key ? "taken" : err.text);
	if (key) {
		vectors_check(run, item, "vkey_hex", opkey_vkey(key), BIP32_VKEY_LEN);
		vectors_check(run, item, "key_hash_hex", opkey_hash(key), BIP32_HASH_LEN);
	}
	opkey_destroy(key);
}

static void open_sealed(struct run *run, const json_t *item, const struct sealed *sealed,
			const struct secret *password)
{
	struct err err;
	struct secret *aes_key = opkey_stretch_password(sealed, password, &err);
	struct secret *text = NULL;

	check_secret(run, item, "kdf_key_hex", aes_key);
	text = opkey_open_box(sealed, aes_key, &err);
	if (!text) {
		check_refusal(run, item, true, &err);
	} else if (vectors_expect(run, item) == EXPECT_REFUSE) {
		vectors_fail(run, "opened");
	} else {
		check_secret(run, item, "plaintext_hex", text);
		check_root_text(run, item, text);
	}
	secret_destroy(text);
	secret_destroy(aes_key);
}

static void decrypt_case(struct run *run, const json_t *item, void *arg)
{
	const json_t *text = json_object_get(item, "encrypted_operation_key");
	uint8_t bytes[4096];
	struct secret *password;
	struct sealed sealed;
	struct err err;

	(void)arg;
	vectors_text(run, item, "encrypted_operation_key");
	password =
		secret_from(bytes, vectors_bytes(run, item, "password_hex", bytes, sizeof(bytes)));
	if (!sealed_parse(json_string_value(text), json_string_length(text), &sealed, &err)) {
		check_refusal(run, item, false, &err);
	} else {
		check_sealed(run, item, &sealed);
		open_sealed(run, item, &sealed, password);
	}
	secret_destroy(password);
}

void vectors_decrypt(struct run *run, const json_t *root)
{
	vectors_each(run, json_object_get(root, "cases"), decrypt_case, NULL);
}

/* ---- bech32.json ----------------------------------------------------------------------- */

static void check_key(struct run *run, const json_t *item, const struct bip32_key *key)
{
	vectors_check(run, item, "kL", key->kl, sizeof(key->kl));
	vectors_check(run, item, "kR", key->kr, sizeof(key->kr));
	vectors_check(run, item, "chain_code", key->chain_code, sizeof(key->chain_code));
}

static void check_payment_vkey(struct run *run, const json_t *item, const char *text, size_t len)
{
	struct secret *secret = secret_from(text, len);
	struct err err;
	struct opkey *key = opkey_from_root(secret, &err);

	if (!key)
		vectors_fail(run, "no operation key: %s", err.text);
	else
		vectors_check(run, item, "payment_vkey", opkey_vkey(key), BIP32_VKEY_LEN);
	opkey_destroy(key);
	secret_destroy(secret);
}

static void bech32_case(struct run *run, const json_t *item, void *arg)
{
	char text[1024];
	size_t len = vectors_bytes(run, item, "input_hex", text, sizeof(text));
	enum expect expect = vectors_expect(run, item);
	struct bip32_key key;
	struct err err;

	(void)arg;
	if (!bip32_read_root(text, len, &key, &err)) {
		if (expect == EXPECT_OK)
			vectors_fail(run, "refused: %s", err.text);
	} else if (expect == EXPECT_REFUSE) {
		vectors_fail(run, "taken");
	} else {
		check_key(run, item, &key);
		check_payment_vkey(run, item, text, len);
	}
}

void vectors_bech32(struct run *run, const json_t *root)
{
	vectors_each(run, json_object_get(root, "cases"), bech32_case, NULL);
}

/* ---- derivation.json ------------------------------------------------------------------- */

static bool check_vkey(struct run *run, const json_t *item, const struct bip32_key *key,
		       uint8_t vkey[BIP32_VKEY_LEN])
{
	struct err err;

	if (!bip32_vkey(key, vkey, &err))
		return vectors_fail(run, "no public key: %s", err.text);
	return vectors_check(run, item, "vkey", vkey, BIP32_VKEY_LEN);
}

static void check_vkey_and_hash(struct run *run, const json_t *item, const struct bip32_key *key,
				uint8_t hash[BIP32_HASH_LEN])
{
	uint8_t vkey[BIP32_VKEY_LEN];

	if (!check_vkey(run, item, key, vkey))
		return;
	bip32_hash_vkey(vkey, hash);
	vectors_check(run, item, "key_hash", hash, BIP32_HASH_LEN);
}

static bool derive(struct run *run, struct bip32_key *key, const json_t *index)
{
	struct err err;

	if (!json_is_integer(index))
		return vectors_fail(run, "an index is missing");
	if (!bip32_derive(key, (uint32_t)json_integer_value(index), key, &err))
		return vectors_fail(run, "not derived: %s", err.text);
	return true;
}

static void check_step(struct run *run, const json_t *step, struct bip32_key *key)
{
	const json_t *index = json_object_get(step, "index");
	uint8_t vkey[BIP32_VKEY_LEN];
	struct bip32_hmacs hmacs;
	struct bip32_key before = *key;
	struct err err;
	bool has_wrapped;

	if (!bip32_hmacs(key, (uint32_t)json_integer_value(index), &hmacs, &err)) {
		vectors_fail(run, "no HMACs: %s", err.text);
		return;
	}
	vectors_check(run, step, "z_hex", hmacs.z, sizeof(hmacs.z));
	vectors_check(run, step, "c_hex", hmacs.c, sizeof(hmacs.c));
	if (!derive(run, key, index))
		return;
	check_key(run, step, key);
	check_vkey(run, step, key, vkey);
	/* The sum is below one of its parts exactly when it passed 2^256. */
	has_wrapped = false;
	for (int i = 31; i >= 0 && !has_wrapped && key->kr[i] <= before.kr[i]; i--)
		has_wrapped = key->kr[i] < before.kr[i];
	if (has_wrapped != json_is_true(json_object_get(step, "kr_wrapped")))
		vectors_fail(run, "\"kr_wrapped\" is another");
}

static void check_other_key(struct run *run, const json_t *item, const struct bip32_key *root)
{
	const json_t *indices = json_object_get(item, "indices");
	struct bip32_key key = *root;
	uint8_t hash[BIP32_HASH_LEN];
	size_t i;
	const json_t *index;

	if (json_array_size(indices) == 0)
		vectors_fail(run, "a key without a path");
	json_array_foreach(indices, i, index) if (!derive(run, &key, index)) return;
	check_key(run, item, &key);
	check_vkey_and_hash(run, item, &key, hash);
}

static void check_signature(struct run *run, const json_t *item, const struct bip32_key *key)
{
	struct bip32_signing steps;
	uint8_t vkey[BIP32_VKEY_LEN];
	uint8_t message[256];
	uint8_t signature[BIP32_SIGNATURE_LEN];
	size_t len = vectors_bytes(run, item, "message_hex", message, sizeof(message));
	struct err err;

	if (!bip32_vkey(key, vkey, &err) ||
	    !bip32_sign_steps(key, vkey, message, len, &steps, &err) ||
	    !bip32_sign(key, vkey, message, len, signature, &err)) {
		vectors_fail(run, "not signed: %s", err.text);
		return;
	}
	vectors_check(run, item, "nonce_hash", steps.nonce_hash, sizeof(steps.nonce_hash));
	vectors_check(run, item, "r", steps.r, sizeof(steps.r));
	vectors_check(run, item, "R", steps.R, sizeof(steps.R));
	vectors_check(run, item, "k", steps.k, sizeof(steps.k));
	vectors_check(run, item, "S", steps.S, sizeof(steps.S));
	vectors_check(run, item, "signature", signature, sizeof(signature));
}

/* An address is a head byte, kind and network, and one or two key hashes. */
static void check_address(struct run *run, const json_t *addresses, const char *name,
			  const char *prefix, unsigned head, const uint8_t *hashes,
			  size_t hashes_len)
{
	const char *text = vectors_text(run, addresses, name);
	uint8_t bytes[1 + 2 * BIP32_HASH_LEN];
	struct err err;

	if (run->has_failed)
		return;
	if (!bech32_decode(text, strlen(text), prefix, bytes, 1 + hashes_len, &err))
		vectors_fail(run, "address \"%s\": %s", name, err.text);
	else if (bytes[0] != head || memcmp(bytes + 1, hashes, hashes_len) != 0)
		vectors_fail(run, "address \"%s\" is another", name);
}

static void check_addresses(struct run *run, const json_t *item, const uint8_t *hashes)
{
	static const struct {
		const char *id;
		const char *prefix, *stake_prefix;
	} networks[] = { { "0", "addr_test", "stake_test" }, { "1", "addr", "stake" } };
	const json_t *all = json_object_get(item, "addresses");

	for (unsigned i = 0; i < ARRAY_LEN(networks); i++) {
		const json_t *addresses = json_object_get(all, networks[i].id);

		check_address(run, addresses, "base", networks[i].prefix, 0x00 | i, hashes,
			      2 * BIP32_HASH_LEN);
		check_address(run, addresses, "enterprise", networks[i].prefix, 0x60 | i, hashes,
			      BIP32_HASH_LEN);
		check_address(run, addresses, "reward", networks[i].stake_prefix, 0xe0 | i,
			      hashes + BIP32_HASH_LEN, BIP32_HASH_LEN);
	}
}

static void check_stake(struct run *run, const json_t *item, const struct bip32_key *account,
			uint8_t hash[BIP32_HASH_LEN])
{
	struct bip32_key key;
	struct err err;

	if (!bip32_derive(account, 2, &key, &err) || !bip32_derive(&key, 0, &key, &err)) {
		vectors_fail(run, "stake key: %s", err.text);
		return;
	}
	check_key(run, item, &key);
	check_vkey_and_hash(run, item, &key, hash);
}

static void derivation_case(struct run *run, const json_t *item, void *arg)
{
	const char *text = vectors_text(run, item, "root_xprv");
	const json_t *steps = json_object_get(item, "steps");
	const json_t *others = json_object_get(item, "other_keys");
	uint8_t hashes[2 * BIP32_HASH_LEN], vkey[BIP32_VKEY_LEN];
	struct bip32_key root, key, account;
	struct err err;
	size_t i;
	const json_t *each;

	(void)arg;
	if (!bip32_read_root(text, strlen(text), &root, &err)) {
		vectors_fail(run, "root key: %s", err.text);
		return;
	}
	check_key(run, json_object_get(item, "root"), &root);
	check_vkey(run, json_object_get(item, "root"), &root, vkey);
	account = key = root;
	json_array_foreach(steps, i, each)
	{
		check_step(run, each, &key);
		if (i == 2)
			account = key;
	}
	if (i != 5 || json_array_size(others) == 0)
		vectors_fail(run, "five steps and some other keys are expected");
	check_vkey_and_hash(run, json_object_get(item, "payment"), &key, hashes);
	check_stake(run, json_object_get(item, "stake"), &account, hashes + BIP32_HASH_LEN);
	check_addresses(run, item, hashes);
	check_signature(run, json_object_get(item, "sign_check"), &key);
	json_array_foreach(others, i, each) check_other_key(run, each, &root);
}

void vectors_derivation(struct run *run, const json_t *root)
{
	vectors_each(run, json_object_get(root, "cases"), derivation_case, NULL);
}
