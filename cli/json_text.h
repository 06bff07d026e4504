/* json_text.h - the inside of a JSON string.
 *
 * For the two places where jansson will not do: secrets, which must not be copied about, and rows
 * of a database, which must not be gathered first. */
#ifndef CLI_JSON_TEXT_H
#define CLI_JSON_TEXT_H
#include <stddef.h>

#define JSON_TEXT_GROWTH 6 /* a byte becomes \u0000 at the longest */

/* Writes text escaped, without the quotes; what is not UTF-8 becomes U+FFFD. to has room for
 * JSON_TEXT_GROWTH * len. Returns how many bytes it wrote; no NUL. */
size_t json_text_escape(char *to, const char *text, size_t len);
#endif
