/* bech32.h - decodes bech32 strings: how keys and addresses are written on Cardano.
 *
 * BIP-173 without its limit of 90 characters, which a root key of 165 exceeds, and with its
 * checksum constant 1 (so not bech32m). Strict: one letter case throughout, the expected prefix,
 * no spare bits set, nothing before or after. The string may be a key: no error text quotes it.
 * Any thread. */
#ifndef CLIENT_BECH32_H
#define CLIENT_BECH32_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Decodes text (len bytes, no NUL needed) with exactly this prefix, given in lower case, into
 * exactly bytes_len bytes. ERR_OPKEY for anything else; bytes are wiped then. */
MUST_CHECK bool bech32_decode(const char *text, size_t len, const char *prefix, uint8_t *bytes,
			      size_t bytes_len, struct err *err);
#endif
