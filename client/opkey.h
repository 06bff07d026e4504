/* opkey.h - the operation key: unseal it, hold it, sign with it, destroy it.
 *
 * An order counts only with this key's signature, so it is the one secret that trades. It comes
 * from the exchange sealed with the trading password: PBKDF2-HMAC-SHA256 with 100000 rounds gives
 * an AES-256-GCM key, which opens the text of a BIP32-Ed25519 root key, of which the key at
 * m/1852'/1815'/0'/0/0 signs. The root key is dropped at once; the signing key stays in guarded
 * memory, readable only while a signature is made.
 *
 * Unsealing takes some 25 ms: not on the loop thread. It touches nothing but its arguments, so
 * any other will do. A key belongs to one thread at a time. secret_init() comes first. */
#ifndef CLIENT_OPKEY_H
#define CLIENT_OPKEY_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "client/bip32.h"

struct opkey;
struct sealed;
struct secret;

/* NULL when it does not open or holds no root key: ERR_OPKEY. Borrows both arguments. */
MUST_CHECK struct opkey *opkey_unseal(const struct sealed *sealed, const struct secret *password,
				      struct err *err);
void opkey_destroy(struct opkey *key); /* wipes; NULL is fine */

const uint8_t *opkey_vkey(const struct opkey *key); /* BIP32_VKEY_LEN bytes, public */
const uint8_t *opkey_hash(const struct opkey *key); /* BIP32_HASH_LEN bytes, public */

/* Signs the 32 bytes of a transaction's hash. */
MUST_CHECK bool opkey_sign(const struct opkey *key, const uint8_t hash[32],
			   uint8_t signature[BIP32_SIGNATURE_LEN], struct err *err);

/* The three steps of opkey_unseal(), apart so that they can be held against test vectors. Each
 * gives a new object, the caller's, or NULL with ERR_OPKEY. */
MUST_CHECK struct secret *opkey_stretch_password(const struct sealed *sealed,
						 const struct secret *password, struct err *err);
MUST_CHECK struct secret *opkey_open_box(const struct sealed *sealed, const struct secret *aes_key,
					 struct err *err);
MUST_CHECK struct opkey *opkey_from_root(const struct secret *root_text, struct err *err);
#endif
