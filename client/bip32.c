#include "client/bip32.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "base/secret.h"
#include "client/bech32.h"

static_assert(sizeof(struct bip32_key) == 96, "the serialised form is read straight into it");

bool bip32_read_root(const char *text, size_t len, struct bip32_key *key, struct err *err)
{
	if (!bech32_decode(text, len, "xprv", (uint8_t *)key, sizeof(*key), err))
		return false;
	/* Bit 253 is clear in keys made by Icarus; the exchange's own libraries take both. */
	if ((key->kl[0] & 0x07) == 0 && (key->kl[31] & 0xc0) == 0x40)
		return true;
	secret_wipe(key, sizeof(*key));
	return err_set(err, ERR_OPKEY, "not a root key: its fixed bits are wrong");
}

/* libsodium would clear bit 255 of an unreduced scalar, which a derived kL may use. */
static void reduce_kl(const struct bip32_key *key, uint8_t scalar[32])
{
	uint8_t wide[64] = { 0 };

	memcpy(wide, key->kl, 32);
	crypto_core_ed25519_scalar_reduce(scalar, wide);
	secret_wipe(wide, sizeof(wide));
}

bool bip32_vkey(const struct bip32_key *key, uint8_t vkey[BIP32_VKEY_LEN], struct err *err)
{
	uint8_t scalar[32];
	int failed;

	reduce_kl(key, scalar);
	failed = crypto_scalarmult_ed25519_base_noclamp(vkey, scalar);
	secret_wipe(scalar, sizeof(scalar));
	return !failed || err_set(err, ERR_OPKEY, "the private key has no public key");
}

void bip32_hash_vkey(const uint8_t vkey[BIP32_VKEY_LEN], uint8_t hash[BIP32_HASH_LEN])
{
	crypto_generichash(hash, BIP32_HASH_LEN, vkey, BIP32_VKEY_LEN, NULL, 0);
}

static void hmac(const struct bip32_key *parent, uint8_t tag, const uint8_t *material,
		 size_t material_len, uint32_t index, uint8_t out[64])
{
	crypto_auth_hmacsha512_state state;
	uint8_t index_le[4] = { (uint8_t)index, (uint8_t)(index >> 8), (uint8_t)(index >> 16),
				(uint8_t)(index >> 24) };

	crypto_auth_hmacsha512_init(&state, parent->chain_code, sizeof(parent->chain_code));
	crypto_auth_hmacsha512_update(&state, &tag, 1);
	crypto_auth_hmacsha512_update(&state, material, material_len);
	crypto_auth_hmacsha512_update(&state, index_le, sizeof(index_le));
	crypto_auth_hmacsha512_final(&state, out);
	secret_wipe(&state, sizeof(state));
}

bool bip32_hmacs(const struct bip32_key *parent, uint32_t index, struct bip32_hmacs *hmacs,
		 struct err *err)
{
	uint8_t vkey[BIP32_VKEY_LEN];

	if (index & BIP32_HARDENED) {
		hmac(parent, 0, (const uint8_t *)parent, 64, index, hmacs->z); /* kL, kR */
		hmac(parent, 1, (const uint8_t *)parent, 64, index, hmacs->c);
		return true;
	}
	if (!bip32_vkey(parent, vkey, err))
		return false;
	hmac(parent, 2, vkey, sizeof(vkey), index, hmacs->z);
	hmac(parent, 3, vkey, sizeof(vkey), index, hmacs->c);
	return true;
}

/* kL + 8 zL as plain integers: nothing is reduced, and the sum keeps below 2^256. */
static void add_zl(const uint8_t z[64], uint8_t kl[32])
{
	uint8_t zl8[32] = { 0 };

	for (size_t i = 0; i < 28; i++) {
		zl8[i] |= (uint8_t)(z[i] << 3);
		zl8[i + 1] = z[i] >> 5;
	}
	sodium_add(kl, zl8, 32);
	secret_wipe(zl8, sizeof(zl8));
}

bool bip32_derive(const struct bip32_key *parent, uint32_t index, struct bip32_key *child,
		  struct err *err)
{
	struct bip32_hmacs hmacs;

	if (!bip32_hmacs(parent, index, &hmacs, err)) {
		secret_wipe(child, sizeof(*child));
		return false;
	}
	*child = *parent;
	add_zl(hmacs.z, child->kl);
	sodium_add(child->kr, hmacs.z + 32, 32); /* modulo 2^256 */
	memcpy(child->chain_code, hmacs.c + 32, 32);
	secret_wipe(&hmacs, sizeof(hmacs));
	return true;
}

static void hash_parts(uint8_t hash[64], const uint8_t *a, const uint8_t *b, const uint8_t *message,
		       size_t len)
{
	crypto_hash_sha512_state state;

	crypto_hash_sha512_init(&state);
	crypto_hash_sha512_update(&state, a, 32);
	if (b)
		crypto_hash_sha512_update(&state, b, 32);
	crypto_hash_sha512_update(&state, message, len);
	crypto_hash_sha512_final(&state, hash);
	secret_wipe(&state, sizeof(state));
}

bool bip32_sign_steps(const struct bip32_key *key, const uint8_t vkey[BIP32_VKEY_LEN],
		      const uint8_t *message, size_t len, struct bip32_signing *steps,
		      struct err *err)
{
	uint8_t challenge[64];
	uint8_t scalar[32];

	hash_parts(steps->nonce_hash, key->kr, NULL, message, len);
	crypto_core_ed25519_scalar_reduce(steps->r, steps->nonce_hash);
	if (crypto_scalarmult_ed25519_base_noclamp(steps->R, steps->r) != 0)
		return err_set(err, ERR_OPKEY, "the nonce of the signature is zero");
	hash_parts(challenge, steps->R, vkey, message, len);
	crypto_core_ed25519_scalar_reduce(steps->k, challenge);
	reduce_kl(key, scalar);
	crypto_core_ed25519_scalar_mul(steps->S, steps->k, scalar);
	crypto_core_ed25519_scalar_add(steps->S, steps->S, steps->r);
	secret_wipe(scalar, sizeof(scalar));
	return true;
}

bool bip32_sign(const struct bip32_key *key, const uint8_t vkey[BIP32_VKEY_LEN],
		const uint8_t *message, size_t len, uint8_t signature[BIP32_SIGNATURE_LEN],
		struct err *err)
{
	struct bip32_signing steps;
	bool ok = bip32_sign_steps(key, vkey, message, len, &steps, err);

	if (ok) {
		memcpy(signature, steps.R, 32);
		memcpy(signature + 32, steps.S, 32);
	}
	secret_wipe(&steps, sizeof(steps));
	return ok;
}
