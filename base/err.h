/* err.h - the one error type.
 *
 * A function that can fail returns bool, is MUST_CHECK and fills err once, where the failure
 * is noticed. The code decides the HTTP status and whether a repeat is sensible (err_codes.h);
 * nobody compares text. No text ever holds a secret. Any thread. */
#ifndef BASE_ERR_H
#define BASE_ERR_H
#include <stdbool.h>

#include "base/err_codes.h"

#define MUST_CHECK        __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

enum err_code {
#define X(name, word, status, retry, title) ERR_##name,
	ERR_CODES(X) ERR_CODE_COUNT
#undef X
};

/* exchange_code: the integer code the exchange gave, 0 when it did not speak.
 * A struct err needs no initialisation: whoever fails fills all of it. */
struct err {
	enum err_code code;
	int exchange_code;
	char text[192];
};

/* Always returns false, so that a failing function can end with `return err_set(...)`.
 * Text that does not fit is cut at a UTF-8 boundary; control characters and what is
 * not UTF-8 become '?'. Arguments may point into err->text. */
bool err_set(struct err *err, enum err_code code, const char *format, ...) PRINTF_LIKE(3, 4);

/* Puts "prefix: " before the text; code stays. Always returns false. */
bool err_prefix(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

const char *err_word(enum err_code code);  /* stable word of the API, "journal-unavailable" */
const char *err_title(enum err_code code); /* for people, fixed per code */
int err_http_status(enum err_code code);   /* status of the local API */
const char *err_retry(enum err_code code); /* "never", "same_key" or "after" */
#endif
