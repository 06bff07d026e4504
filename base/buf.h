/* buf.h - a byte buffer that grows up to a bound set when it is made.
 *
 * Once an append would pass the bound, nothing more is taken and buf_is_full() stays true: check
 * it once, after the last append. The bytes are always followed by a NUL that is not counted.
 * One owner; any thread. */
#ifndef BASE_BUF_H
#define BASE_BUF_H
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct buf {
	char *data; /* never NULL after the first append; NUL-terminated */
	size_t len;
	size_t room; /* allocated */
	size_t max;  /* bound on len */
	bool is_full;
};

void buf_init(struct buf *buf, size_t max);
void buf_fini(struct buf *buf);                 /* frees; the buffer may be inited again */
void buf_clear(struct buf *buf);                /* empty and not full; keeps the memory */
void buf_truncate(struct buf *buf, size_t len); /* back to an earlier len, and not full */

void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_add_str(struct buf *buf, const char *text);
void buf_add_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_add_hex(struct buf *buf, const void *bytes, size_t len); /* lower case */

const char *buf_str(const struct buf *buf); /* "" when empty; borrowed until the next append */
char *buf_take(struct buf *buf); /* hands the bytes over, never NULL; the buffer is empty again */

/* Lower or upper case digits; false for an odd count, another character or too little room. */
MUST_CHECK bool hex_decode(const char *hex, size_t hex_len, void *bytes, size_t room, size_t *len);
void hex_encode(const void *bytes, size_t len, char *hex); /* writes 2 * len + 1 */
#endif
