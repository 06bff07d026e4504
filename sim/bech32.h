/* bech32.h - writes BIP-173 text (checksum constant 1), without its limit of 90 characters. */
#ifndef SIM_BECH32_H
#define SIM_BECH32_H
#include <stddef.h>
#include <stdint.h>

/* Characters of a text with this many bytes of payload, and its NUL. */
#define BECH32_ROOM(prefix_len, bytes) ((prefix_len) + 1 + ((bytes)*8 + 4) / 5 + 6 + 1)

/* text has room for BECH32_ROOM(strlen(prefix), len); prefix is lower case, at most 16 long. */
void bech32_encode(const char *prefix, const uint8_t *bytes, size_t len, char *text);
#endif
