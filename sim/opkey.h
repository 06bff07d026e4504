/* opkey.h - the operation key as the exchange's web app makes it, and its sealed form.
 *
 * A root key (Ed25519-BIP32) whose leaf m/1852'/1815'/0'/0/0 signs orders. The exchange keeps
 * the root only sealed: {"iv","salt","ciphertext"}, PBKDF2-HMAC-SHA-256 with 100 000 rounds,
 * AES-256-GCM, plaintext bech32 "xprv1...". Written from the exchange's published vectors.
 * A simulator's keys guard nothing: they are made from its seed. Pure, but sealing takes some
 * tens of milliseconds. */
#ifndef SIM_OPKEY_H
#define SIM_OPKEY_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct buf;

#define OPKEY_HASH_HEX 57 /* BLAKE2b-224 in hex, NUL included */

/* How a root is sealed: as today, with the 16 byte IV of some wallets, or as before 2025-11. */
enum opkey_variant { OPKEY_USUAL, OPKEY_IV16, OPKEY_NO_SALT, OPKEY_VARIANTS };

struct opkey_root { /* or any key below it */
	uint8_t kl[32], kr[32], chain[32];
};

void opkey_make(uint64_t seed, const char *name, struct opkey_root *root);
void opkey_leaf(const struct opkey_root *root, struct opkey_root *leaf, uint8_t public_key[32]);
void opkey_hash(const uint8_t public_key[32], char hash[OPKEY_HASH_HEX]);

/* An empty salt stands for zero bytes, as many as the IV has. ERR_INTERNAL if libcrypto fails. */
MUST_CHECK bool opkey_seal_with(const struct opkey_root *root, const char *password,
				const uint8_t *iv, size_t iv_len, const uint8_t *salt,
				size_t salt_len, struct buf *blob, struct err *err);
/* IV and salt from the seed, as the variant wants them. Appends the JSON text to blob. */
MUST_CHECK bool opkey_seal(const struct opkey_root *root, const char *password, uint64_t seed,
			   enum opkey_variant variant, struct buf *blob, struct err *err);
#endif
