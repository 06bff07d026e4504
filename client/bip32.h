/* bip32.h - BIP32-Ed25519 keys: derivation and signatures with an extended private key.
 *
 * The scheme is version 2 of BIP32-Ed25519 as Icarus and CIP-1852 use it. A private key is a
 * scalar kL, a nonce key kR and a chain code; there is no seed it could be made from again, so
 * the usual Ed25519 functions cannot sign with it, while its signatures verify as ordinary ones.
 *
 * Every struct here but the public outputs is a secret: callers keep it in guarded memory or
 * wipe it. The intermediate values are public so that they can be held against test vectors.
 * Any thread. */
#ifndef CLIENT_BIP32_H
#define CLIENT_BIP32_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define BIP32_HARDENED      0x80000000u /* added to an index: needs the private key */
#define BIP32_VKEY_LEN      32
#define BIP32_SIGNATURE_LEN 64
#define BIP32_HASH_LEN      28

/* 96 bytes in the order of the serialised form, without padding; little-endian integers. */
struct bip32_key {
	uint8_t kl[32];
	uint8_t kr[32];
	uint8_t chain_code[32];
};

/* Of one derivation step: HMAC-SHA512 under the parent's chain code. */
struct bip32_hmacs {
	uint8_t z[64]; /* 28 bytes of the left half go into kL, the right half into kR */
	uint8_t c[64]; /* the right half is the child's chain code */
};

/* Of one signature: nonce = SHA512(kR || message), r = nonce mod L, R = rB,
 * k = SHA512(R || vkey || message) mod L, S = r + k kL mod L. The signature is R || S. */
struct bip32_signing {
	uint8_t nonce_hash[64];
	uint8_t r[32];
	uint8_t R[32];
	uint8_t k[32];
	uint8_t S[32];
};

/* Reads a root key from its text form, bech32 with prefix "xprv": 96 bytes with the low three
 * bits of kL and bit 255 clear and bit 254 set. ERR_OPKEY; key is wiped then. */
MUST_CHECK bool bip32_read_root(const char *text, size_t len, struct bip32_key *key,
				struct err *err);

/* vkey = kL B. False only if kL is a multiple of the group order, which no honest key is. */
MUST_CHECK bool bip32_vkey(const struct bip32_key *key, uint8_t vkey[BIP32_VKEY_LEN],
			   struct err *err);
/* BLAKE2b-224: how addresses and required signers name a key. */
void bip32_hash_vkey(const uint8_t vkey[BIP32_VKEY_LEN], uint8_t hash[BIP32_HASH_LEN]);

MUST_CHECK bool bip32_hmacs(const struct bip32_key *parent, uint32_t index,
			    struct bip32_hmacs *hmacs, struct err *err);
/* child may be parent itself; it is wiped on failure. */
MUST_CHECK bool bip32_derive(const struct bip32_key *parent, uint32_t index,
			     struct bip32_key *child, struct err *err);

MUST_CHECK bool bip32_sign_steps(const struct bip32_key *key, const uint8_t vkey[BIP32_VKEY_LEN],
				 const uint8_t *message, size_t len, struct bip32_signing *steps,
				 struct err *err);
MUST_CHECK bool bip32_sign(const struct bip32_key *key, const uint8_t vkey[BIP32_VKEY_LEN],
			   const uint8_t *message, size_t len,
			   uint8_t signature[BIP32_SIGNATURE_LEN], struct err *err);
#endif
