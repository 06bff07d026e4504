/* json_in.h - reads the JSON body of a local request, strictly: a typo must not trade.
 *
 * One object. Members are taken by name, once each; what nobody took is an unknown field in the
 * end. The first thing wrong is remembered and told by json_in_end(), so that a reader is a plain
 * list of fields. null counts as absent. Refused before anything is parsed: more than
 * JSON_IN_DEPTH_MAX levels, and number literals of more than 15 significant digits, which a double
 * cannot be trusted with (send a string). Duplicate members and NUL are refused too. No error
 * quotes a value. Any thread. */
#ifndef SERVER_JSON_IN_H
#define SERVER_JSON_IN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/decimal.h"
#include "base/err.h"

#define JSON_IN_DEPTH_MAX  16
#define JSON_IN_VALUES_MAX 1000

struct json_in;
struct secret;

/* NULL with err (ERR_BAD_JSON, or ERR_DECIMAL for a number of too many digits) when text is not one
 * such object. */
struct json_in *json_in_parse(const char *text, size_t len, struct err *err);
/* The same of a message of the local stream, where numbers are counters, not amounts: whole ones
 * may have 16 digits (2^53 is the last that every reader keeps). */
struct json_in *json_in_parse_message(const char *text, size_t len, struct err *err);
void json_in_destroy(struct json_in *in); /* wipes every text that was not taken; NULL is fine */

/* Each returns whether the member is there and of the right kind; the output is untouched if not.
 * A member of the wrong kind is ERR_INVALID, told at the end. */
bool json_in_text(struct json_in *in, const char *name, char *text, size_t room);
bool json_in_decimal(struct json_in *in, const char *name,
		     struct decimal *value); /* "1.5" or 1.5 */
bool json_in_int(struct json_in *in, const char *name, int64_t min, int64_t max, int64_t *value);
bool json_in_bool(struct json_in *in, const char *name, bool *value);
bool json_in_time(struct json_in *in, const char *name, struct wall *time);
/* One of words; *index is its place. */
bool json_in_word(struct json_in *in, const char *name, const char *const *words, size_t count,
		  size_t *index);
/* An array of strings, handed to fn one by one; fn refuses one with false and err. */
typedef bool json_in_word_fn(void *arg, const char *word, struct err *err);
bool json_in_words(struct json_in *in, const char *name, json_in_word_fn *fn, void *arg);
/* Not empty and up to max bytes; the parsed copy is wiped. The caller destroys *secret. */
bool json_in_secret(struct json_in *in, const char *name, size_t max, struct secret **secret);

/* An object within, to be read like the whole and given back; NULL when it is not there. */
struct json_in *json_in_object(struct json_in *in, const char *name);
/* What is wrong with member is wrong with in. Destroys member. */
void json_in_object_end(struct json_in *in, struct json_in *member, const char *name);

/* Something the reader itself found wrong. */
void json_in_refuse(struct json_in *in, enum err_code code, const char *text);
/* Nothing was wrong and everything was taken; else false, with ERR_UNKNOWN_FIELD first. */
MUST_CHECK bool json_in_end(const struct json_in *in, struct err *err);
#endif
