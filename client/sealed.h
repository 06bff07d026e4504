/* sealed.h - the operation key as the exchange keeps it: sealed with the user's password.
 *
 * The exchange gives it as a JSON text of its own, {"iv": ..., "salt": ..., "ciphertext": ...} in
 * standard base64. Whoever has it may guess passwords at leisure, so the strings read from it are
 * wiped before they are freed; that is why this is not left to wire.c, and why this file too
 * includes jansson. Values, no ownership; any thread. */
#ifndef CLIENT_SEALED_H
#define CLIENT_SEALED_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SEALED_TEXT_MAX 16384 /* bytes of JSON; a root key needs some 330 */
#define SEALED_IV_MAX   128   /* 12 and 16 are in use; GCM takes any size */
#define SEALED_SALT_MAX 1024
#define SEALED_BOX_MAX  12288 /* what SEALED_TEXT_MAX can hold */
#define SEALED_TAG_LEN  16

struct sealed {
	uint8_t iv[SEALED_IV_MAX];
	size_t iv_len; /* 1 at least */
	/* The oldest keys have no salt; sealed then means: zero bytes, as many as the IV has. */
	uint8_t salt[SEALED_SALT_MAX];
	size_t salt_len;
	uint8_t box[SEALED_BOX_MAX]; /* ciphertext and then its tag */
	size_t box_len;              /* SEALED_TAG_LEN at least */
};

/* Fields in any order, unknown ones ignored; a field given twice, padding that is missing and
 * characters outside base64 are refused. ERR_OPKEY, without a word of the content. */
MUST_CHECK bool sealed_parse(const char *text, size_t len, struct sealed *sealed, struct err *err);
#endif
