/* utf8.h - tells what is UTF-8 and what is not.
 *
 * Bytes from outside end up in error texts, logs and answers; all of these must be UTF-8 or the
 * reader refuses the whole of it. Strict: no overlong forms, no surrogates, nothing above
 * U+10FFFF. Pure; any thread. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length of the character that text starts with and its number in *point; 0 when text is empty or
 * does not start with a whole, valid character. NUL is a character like any other. */
size_t utf8_next(const char *text, size_t len, uint32_t *point);

/* The longest beginning of text that is not above max bytes and does not cut a character in two.
 * Bytes that are no UTF-8 count as one character each. */
size_t utf8_fit(const char *text, size_t len, size_t max);

bool utf8_is_valid(const char *text, size_t len);
bool utf8_is_control(uint32_t point); /* C0, DEL and C1 */
#endif
