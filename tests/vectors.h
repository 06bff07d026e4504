/* vectors.h - the harness of the signing vectors: one tally per file, one verdict per case.
 *
 * A case fails with the first wrong value, which is printed; a value that the file lacks is
 * wrong too, so that an empty file cannot pass. A sweep over many inputs counts as one case. */
#ifndef TESTS_VECTORS_H
#define TESTS_VECTORS_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct run {
	const char *file;
	const char *id; /* of the current case */
	bool has_failed;
	size_t passed;
	size_t failed;
};

/* Always false, so that a check can end with it. */
bool vectors_fail(struct run *run, const char *format, ...) PRINTF_LIKE(2, 3);

/* The text under a name, or "" and a failed case. */
const char *vectors_text(struct run *run, const json_t *object, const char *name);
/* The bytes under a name, in hex, and their count; a failed case if they are not there. */
size_t vectors_bytes(struct run *run, const json_t *object, const char *name, void *bytes,
		     size_t room);

/* Are these the bytes under the name? */
bool vectors_check(struct run *run, const json_t *object, const char *name, const void *bytes,
		   size_t len);

/* What a case demands; anything but the three words fails it. */
enum expect { EXPECT_OK, EXPECT_REFUSE, EXPECT_EITHER };
enum expect vectors_expect(struct run *run, const json_t *item);

/* Runs body on each element of an array, as a case of its own. */
typedef void vectors_case_fn(struct run *run, const json_t *item, void *arg);
void vectors_each(struct run *run, const json_t *array, vectors_case_fn *body, void *arg);

void vectors_decrypt(struct run *run, const json_t *root);
void vectors_bech32(struct run *run, const json_t *root);
void vectors_derivation(struct run *run, const json_t *root);
void vectors_signing(struct run *run, const json_t *root);
void vectors_malformed(struct run *run, const json_t *root);
#endif
