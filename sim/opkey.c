#include "sim/opkey.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "sim/bech32.h"
#include "sim/draw.h"

#define HARDENED  0x80000000u
#define ROUNDS    100000
#define KEY_LEN   32
#define TAG_LEN   16
#define SALT_MAX  64
#define IV_MAX    64
#define XPRV_ROOM BECH32_ROOM(4, 96)

void opkey_make(uint64_t seed, const char *name, struct opkey_root *root)
{
	char series[128];

	snprintf(series, sizeof(series), "opkey:%s", name);
	draw_bytes(seed, series, 0, root->kl, 32);
	draw_bytes(seed, series, 1, root->kr, 32);
	draw_bytes(seed, series, 2, root->chain, 32);
	root->kl[0] &= 0xf8;
	root->kl[31] = (uint8_t)((root->kl[31] & 0x1f) | 0x40);
}

static void public_of(const uint8_t kl[32], uint8_t public_key[32])
{
	/* Fails only for a scalar of zero, which the set bit of a root rules out. */
	if (crypto_scalarmult_ed25519_base_noclamp(public_key, kl) != 0)
		memset(public_key, 0, 32);
}

/* HMAC-SHA-512 keyed with the chain code, over tag, one or two keys, and the index. */
static void child_mac(const struct opkey_root *parent, uint8_t tag, const uint8_t *keys,
		      size_t keys_len, uint32_t index, uint8_t mac[64])
{
	uint8_t le[4] = { (uint8_t)index, (uint8_t)(index >> 8), (uint8_t)(index >> 16),
			  (uint8_t)(index >> 24) };
	crypto_auth_hmacsha512_state state;

	crypto_auth_hmacsha512_init(&state, parent->chain, 32);
	crypto_auth_hmacsha512_update(&state, &tag, 1);
	crypto_auth_hmacsha512_update(&state, keys, keys_len);
	crypto_auth_hmacsha512_update(&state, le, 4);
	crypto_auth_hmacsha512_final(&state, mac);
}

/* to += from x factor, little-endian; what passes 32 bytes is lost. */
static void add_scaled(uint8_t to[32], const uint8_t *from, size_t len, unsigned factor)
{
	unsigned carry = 0;

	for (size_t i = 0; i < 32; i++) {
		carry += to[i] + (i < len ? from[i] * factor : 0);
		to[i] = (uint8_t)carry;
		carry >>= 8;
	}
}

static void derive_child(struct opkey_root *key, uint32_t index)
{
	uint8_t keys[64], z[64], c[64];
	size_t keys_len = index & HARDENED ? 64 : 32;

	if (index & HARDENED) {
		memcpy(keys, key->kl, 32);
		memcpy(keys + 32, key->kr, 32);
	} else {
		public_of(key->kl, keys);
	}
	child_mac(key, index & HARDENED ? 0 : 2, keys, keys_len, index, z);
	child_mac(key, index & HARDENED ? 1 : 3, keys, keys_len, index, c);
	add_scaled(key->kl, z, 28, 8);
	add_scaled(key->kr, z + 32, 32, 1);
	memcpy(key->chain, c + 32, 32);
}

void opkey_leaf(const struct opkey_root *root, struct opkey_root *leaf, uint8_t public_key[32])
{
	static const uint32_t path[] = { HARDENED | 1852, HARDENED | 1815, HARDENED, 0, 0 };

	*leaf = *root;
	for (size_t i = 0; i < ARRAY_LEN(path); i++)
		derive_child(leaf, path[i]);
	public_of(leaf->kl, public_key);
}

void opkey_hash(const uint8_t public_key[32], char hash[OPKEY_HASH_HEX])
{
	uint8_t digest[28];

	crypto_generichash(digest, sizeof(digest), public_key, 32, NULL, 0);
	hex_encode(digest, sizeof(digest), hash);
}

/* The tag follows the ciphertext. */
static bool gcm_seal(const uint8_t key[KEY_LEN], const uint8_t *iv, size_t iv_len,
		     const uint8_t *plain, size_t len, uint8_t *sealed)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int part = 0, rest = 0;
	bool is_done = ctx && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, NULL, NULL) == 1 &&
		       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_IVLEN, (int)iv_len, NULL) == 1 &&
		       EVP_EncryptInit_ex(ctx, NULL, NULL, key, iv) == 1 &&
		       EVP_EncryptUpdate(ctx, sealed, &part, plain, (int)len) == 1 &&
		       EVP_EncryptFinal_ex(ctx, sealed + part, &rest) == 1 &&
		       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_LEN, sealed + len) == 1;

	EVP_CIPHER_CTX_free(ctx);
	return is_done;
}

static void add_base64(struct buf *to, const uint8_t *bytes, size_t len)
{
	size_t room = sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL);
	char *text = mem_alloc(room);

	sodium_bin2base64(text, room, bytes, len, sodium_base64_VARIANT_ORIGINAL);
	buf_add_str(to, text);
	mem_free(text);
}

static void print_root(const struct opkey_root *root, char text[XPRV_ROOM])
{
	uint8_t payload[96];

	memcpy(payload, root->kl, 32);
	memcpy(payload + 32, root->kr, 32);
	memcpy(payload + 64, root->chain, 32);
	bech32_encode("xprv", payload, sizeof(payload), text);
}

static void add_blob(struct buf *blob, const uint8_t *iv, size_t iv_len, const uint8_t *salt,
		     size_t salt_len, const uint8_t *sealed, size_t sealed_len)
{
	buf_add_str(blob, "{\"iv\":\"");
	add_base64(blob, iv, iv_len);
	if (salt_len > 0) {
		buf_add_str(blob, "\",\"salt\":\"");
		add_base64(blob, salt, salt_len);
	}
	buf_add_str(blob, "\",\"ciphertext\":\"");
	add_base64(blob, sealed, sealed_len);
	buf_add_str(blob, "\"}");
}

bool opkey_seal_with(const struct opkey_root *root, const char *password, const uint8_t *iv,
		     size_t iv_len, const uint8_t *salt, size_t salt_len, struct buf *blob,
		     struct err *err)
{
	static const uint8_t zeros[IV_MAX];
	char plain[XPRV_ROOM];
	uint8_t key[KEY_LEN], sealed[XPRV_ROOM + TAG_LEN];
	size_t len;

	if (iv_len == 0 || iv_len > IV_MAX || salt_len > SALT_MAX)
		return err_set(err, ERR_INTERNAL, "IV or salt of an impossible length");
	print_root(root, plain);
	len = strlen(plain);
	if (PKCS5_PBKDF2_HMAC(password, (int)strlen(password), salt_len ? salt : zeros,
			      (int)(salt_len ? salt_len : iv_len), ROUNDS, EVP_sha256(), KEY_LEN,
			      key) != 1 ||
	    !gcm_seal(key, iv, iv_len, (const uint8_t *)plain, len, sealed))
		return err_set(err, ERR_INTERNAL, "libcrypto failed to seal an operation key");
	add_blob(blob, iv, iv_len, salt, salt_len, sealed, len + TAG_LEN);
	return true;
}

bool opkey_seal(const struct opkey_root *root, const char *password, uint64_t seed,
		enum opkey_variant variant, struct buf *blob, struct err *err)
{
	uint8_t iv[16], salt[16];
	char series[OPKEY_HASH_HEX];

	/* One IV for each root and variant: the same blob every time it is asked for. */
	opkey_hash(root->chain, series);
	draw_bytes(seed, series, 2 * variant, iv, sizeof(iv));
	draw_bytes(seed, series, 2 * variant + 1, salt, sizeof(salt));
	return opkey_seal_with(root, password, iv, variant == OPKEY_IV16 ? 16 : 12, salt,
			       variant == OPKEY_NO_SALT ? 0 : sizeof(salt), blob, err);
}
