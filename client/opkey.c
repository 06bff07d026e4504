#include "client/opkey.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "client/sealed.h"

#define PBKDF2_ROUNDS 100000
#define AES_KEY_LEN   32
#define STACK_USED    32768 /* bytes, more than the libraries' functions take */

struct opkey {
	struct secret *key; /* struct bip32_key */
	uint8_t vkey[BIP32_VKEY_LEN];
	uint8_t hash[BIP32_HASH_LEN];
};

struct secret *opkey_stretch_password(const struct sealed *sealed, const struct secret *password,
				      struct err *err)
{
	struct secret *aes_key = secret_create(AES_KEY_LEN);
	const char *typed = (const char *)secret_open(password);
	int ok = PKCS5_PBKDF2_HMAC(typed, (int)secret_len(password), sealed->salt,
				   (int)sealed->salt_len, PBKDF2_ROUNDS, EVP_sha256(), AES_KEY_LEN,
				   secret_open(aes_key));

	secret_close(aes_key);
	secret_close(password);
	if (ok)
		return aes_key;
	secret_destroy(aes_key);
	err_set(err, ERR_INTERNAL, "libcrypto has no PBKDF2");
	return NULL;
}

static bool gcm_open(EVP_CIPHER_CTX *ctx, const struct sealed *sealed, const uint8_t *aes_key,
		     uint8_t *plain)
{
	int box_len = (int)(sealed->box_len - SEALED_TAG_LEN);
	uint8_t tag[SEALED_TAG_LEN];
	int len;

	memcpy(tag, sealed->box + box_len, SEALED_TAG_LEN);
	/* An IV that is not 12 bytes long needs its length set before it is given. */
	return EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, NULL, NULL) == 1 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, (int)sealed->iv_len, NULL) == 1 &&
	       EVP_DecryptInit_ex(ctx, NULL, NULL, aes_key, sealed->iv) == 1 &&
	       EVP_DecryptUpdate(ctx, plain, &len, sealed->box, box_len) == 1 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, SEALED_TAG_LEN, tag) == 1 &&
	       EVP_DecryptFinal_ex(ctx, plain + len, &len) == 1;
}

struct secret *opkey_open_box(const struct sealed *sealed, const struct secret *aes_key,
			      struct err *err)
{
	struct secret *plain = secret_create(sealed->box_len - SEALED_TAG_LEN);
	const uint8_t *aes_bytes = secret_open(aes_key);
	uint8_t *plain_bytes = secret_open(plain);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	bool ok = ctx && gcm_open(ctx, sealed, aes_bytes, plain_bytes);

	secret_close(plain);
	secret_close(aes_key);
	EVP_CIPHER_CTX_free(ctx); /* wipes the key schedule */
	if (ok)
		return plain;
	secret_destroy(plain);
	/* Damage and a wrong password look the same, to us and to a thief. */
	err_set(err, ERR_OPKEY, "the operation key does not open with this password");
	return NULL;
}

static bool derive_signing_key(struct bip32_key *key, struct err *err)
{
	static const uint32_t path[] = { BIP32_HARDENED + 1852, BIP32_HARDENED + 1815,
					 BIP32_HARDENED, 0, 0 };

	for (size_t i = 0; i < ARRAY_LEN(path); i++)
		if (!bip32_derive(key, path[i], key, err))
			return false;
	return true;
}

struct opkey *opkey_from_root(const struct secret *root_text, struct err *err)
{
	struct opkey *key = mem_alloc(sizeof(*key));
	struct bip32_key *bytes;
	bool ok;

	key->key = secret_create(sizeof(*bytes));
	bytes = (struct bip32_key *)secret_open(key->key);
	ok = bip32_read_root((const char *)secret_open(root_text), secret_len(root_text), bytes,
			     err) &&
	     derive_signing_key(bytes, err) && bip32_vkey(bytes, key->vkey, err);
	secret_close(root_text);
	secret_close(key->key);
	if (!ok) {
		opkey_destroy(key);
		return NULL;
	}
	bip32_hash_vkey(key->vkey, key->hash);
	return key;
}

struct opkey *opkey_unseal(const struct sealed *sealed, const struct secret *password,
			   struct err *err)
{
	struct secret *root_text = NULL;
	struct opkey *key = NULL;
	struct secret *aes_key = opkey_stretch_password(sealed, password, err);

	if (!aes_key)
		goto out;
	root_text = opkey_open_box(sealed, aes_key, err);
	if (!root_text)
		goto out;
	key = opkey_from_root(root_text, err);
	if (!key)
		err_prefix(err, "the operation key opened, but holds no root key");
out:
	secret_destroy(root_text);
	secret_destroy(aes_key);
	/* libcrypto leaves pieces of what it decrypted in its stack frames. */
	sodium_stackzero(STACK_USED);
	return key;
}

void opkey_destroy(struct opkey *key)
{
	if (!key)
		return;
	secret_destroy(key->key);
	mem_free(key);
}

const uint8_t *opkey_vkey(const struct opkey *key)
{
	return key->vkey;
}

const uint8_t *opkey_hash(const struct opkey *key)
{
	return key->hash;
}

bool opkey_sign(const struct opkey *key, const uint8_t hash[32],
		uint8_t signature[BIP32_SIGNATURE_LEN], struct err *err)
{
	const struct bip32_key *bytes = (const struct bip32_key *)secret_open(key->key);
	bool ok = bip32_sign(bytes, key->vkey, hash, 32, signature, err);

	secret_close(key->key);
	sodium_stackzero(STACK_USED);
	return ok;
}
