/* tx.h - the transactions the exchange builds, and its check of what comes back signed.
 *
 * A built transaction is what a place-order transaction on the exchange's Hydra head looks like
 * as far as published code tells: [body, witness set, true, null]; the body spends one input,
 * mints one token, names the account's and the exchange's key as required signers, and pays to
 * the intent script with an inline datum that holds the order id. The exact datum of today is not
 * known. Some forms vary from order to order, as they do between versions of the tools: sets with
 * or without tag 258, redeemers as array, map or none, change for the exchange's key or none.
 * Pure. */
#ifndef SIM_TX_H
#define SIM_TX_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/codes.h"
#include "sim/opkey.h"

struct buf;
struct order;

#define TX_MAX 16384 /* bytes of a transaction, built or signed */

/* Appends order's transaction; the same seed and order id give the same bytes. A foreign payee is
 * a fault: one more output, to a key that no signature is asked of. */
void tx_build(uint64_t seed, const struct order *order, bool has_foreign_payee, struct buf *tx);

/* Is signed the built transaction with a good witness of the key with this hash, and nothing else
 * changed? CODE_DONE, CODE_INVALID for other bytes, CODE_UNSIGNED without the witness; *why tells
 * people which. */
MUST_USE enum code tx_check(const uint8_t *built, size_t built_len, const uint8_t *signed_tx,
			    size_t signed_len, const char *opkey_hash, const char **why);
#endif
