/* tx.h - a transaction as the exchange built it: its hash, and the witness we add to it.
 *
 * CBOR, [body, witness set, is_valid, auxiliary data]. What is signed is the BLAKE2b-256 of the
 * body's bytes as they came, so nothing is ever encoded anew: the witness is spliced in and all
 * other bytes stay. The exchange is not trusted further than needed: the whole input must be
 * well-formed (cbor.h), the four parts of the right kind, the vkey witnesses readable, and no
 * witness-set key may come twice; parsing judges nothing inside the body and the auxiliary data.
 *
 * The witness goes where the ledger's own libraries put it: last in the list under key 0, whose
 * kind (plain or tag 258, definite or not) stays; as a new first pair when there is no key 0. A
 * signature of ours that is there already is kept when it is right and replaced when it is stale.
 *
 * Immutable once parsed; any thread. */
#ifndef CLIENT_TX_H
#define CLIENT_TX_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define TX_MAX            65536 /* bytes; the ledger takes 16 KiB */
#define TX_HASH_LEN       32
#define TX_SIGNED_HEX_MAX (2 * (TX_MAX + 128)) /* for the buffer of tx_sign() */

struct buf;
struct cbor_reader;
struct opkey;
struct tx;

/* hex in either letter case, without white space. ERR_TX. */
MUST_CHECK bool tx_parse(const char *hex, size_t hex_len, struct tx **result, struct err *err);
void tx_destroy(struct tx *tx); /* NULL is fine */

void tx_hash(const struct tx *tx, uint8_t hash[TX_HASH_LEN]); /* the transaction id */

/* Appends the whole transaction with our witness, in lower-case hex, to signed_hex. ERR_TX when
 * it holds two witnesses of our key, or the buffer is too small. */
MUST_CHECK bool tx_sign(const struct tx *tx, const struct opkey *key, struct buf *signed_hex,
			struct err *err);

/* The key signs whatever it is given, so two things are asked before: does the transaction belong
 * to the order, and does it pay only whom it should? Both checks are weak on purpose. They hold for
 * every layout of an order's transaction that is published, while the format is in motion; they
 * prove neither price nor size. */

/* Does the body name the order: its id, a UUID, as 16 bytes or as text? ERR_TX. */
MUST_CHECK bool tx_check_order(const struct tx *tx, const char *order_uuid, struct err *err);

/* Do the body's outputs (key 1) pay to nobody unknown: only to scripts, and to keys that the body
 * names as required signers (key 14)? In the one order transaction that the exchange's code
 * publishes the intent goes to a script and the change to a required signer. Where a stake part
 * points is not judged; nor is the collateral's return, which is paid only when a script fails.
 * ERR_TX, also for a Byron address, for an output that cannot be read, and without outputs. */
MUST_CHECK bool tx_check_payees(const struct tx *tx, struct err *err);

/* Does the body say whose signatures it needs (key 14), and is the key of this hash
 * (BIP32_HASH_LEN bytes) one of them? A warning rather than a refusal, since what the field
 * holds on the exchange is not confirmed. A list that cannot be read names nobody. */
enum tx_signers { TX_SIGNERS_ABSENT, TX_SIGNERS_NAME_US, TX_SIGNERS_NAME_OTHERS };
enum tx_signers tx_required_signers(const struct tx *tx, const uint8_t *key_hash);

/* Where things lie in the bytes of hex; for tx_check.c and tests. */
struct tx_range {
	size_t at;
	size_t len;
};
struct cbor_reader tx_body_reader(const struct tx *tx); /* at the body's map; borrows */
struct tx_range tx_body(const struct tx *tx);
struct tx_range tx_witness_set(const struct tx *tx);

/* The vkey witnesses that are there, in order; borrowed. */
size_t tx_witness_count(const struct tx *tx);
const uint8_t *tx_witness_vkey(const struct tx *tx, size_t i);
const uint8_t *tx_witness_signature(const struct tx *tx, size_t i);
#endif
