/* secret.h - guarded bytes for keys, passwords and tokens.
 *
 * The bytes live in sodium_malloc() memory: off core dumps, locked where the limit allows,
 * between guard pages, and unreadable except inside a short secret_open()/secret_close() pair.
 * Destroying wipes. Nothing here prints, and no log field takes a secret. Each one costs some
 * four pages: a handful of secrets, not one for each request. Opening nests; a secret belongs to
 * one thread at a time. secret_init() must have succeeded first. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct secret;

/* Starts libsodium; proves that memory can be locked. False only if libsodium cannot start.
 * *is_locked tells whether mlock works (the caller warns when not). */
MUST_CHECK bool secret_init(bool *is_locked, struct err *err);

struct secret *secret_create(size_t len);                  /* zeroed */
struct secret *secret_from(const void *bytes, size_t len); /* copies; the caller wipes its own */
struct secret *secret_from_str(const char *text);          /* without the NUL */
struct secret *secret_copy(const struct secret *from);     /* NULL gives NULL */
void secret_destroy(struct secret *secret);                /* wipes; NULL is fine */

/* The bytes, writable, NUL-terminated past the end, until the matching close. */
uint8_t *secret_open(const struct secret *secret);
void secret_close(const struct secret *secret);

size_t secret_len(const struct secret *secret);
bool secret_equal(const struct secret *a,
		  const struct secret *b); /* constant time for equal lengths */
void secret_wipe(void *bytes, size_t len); /* not optimised away */

/* Reads a file, a pipe or /dev/stdin; one trailing newline is dropped. ERR_IO when it cannot be
 * read; ERR_CONFIG when it is empty, longer than max bytes, of another kind, or a regular file
 * whose mode gives group or others any right. */
MUST_CHECK bool secret_read_file(const char *path, size_t max, struct secret **result,
				 struct err *err);
/* Takes an environment variable: overwrites its bytes in the environment block and unsets it.
 * NULL when it is unset or empty. Before the second thread starts. */
struct secret *secret_take_env(const char *name);
#endif
