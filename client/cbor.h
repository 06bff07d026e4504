/* cbor.h - reads CBOR (RFC 8949) in place, to find where things lie; it never builds a tree.
 *
 * What arrives is not trusted: nothing here recurses, allocates, or believes a count that the
 * bytes left could not hold. cbor_skip() demands that an item is well-formed to its last byte:
 * reserved heads, chunks of another kind, a break in the wrong place, simple values in two bytes
 * that have one, and more than CBOR_DEPTH_MAX levels are refused. It does not demand shortest
 * heads, unique map keys or UTF-8, since the ledger's own rules are laxer there.
 *
 * The error texts name a byte offset and no content. Values, no ownership; any thread. */
#ifndef CLIENT_CBOR_H
#define CLIENT_CBOR_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CBOR_DEPTH_MAX 512 /* arrays, maps, tags and chunked strings inside each other */
#define CBOR_HEAD_MAX  9   /* bytes */
#define CBOR_TAG_SET   258 /* the ledger's "this list is a set" */

enum cbor_major {
	CBOR_UNSIGNED,
	CBOR_NEGATIVE,
	CBOR_BYTES,
	CBOR_TEXT,
	CBOR_ARRAY,
	CBOR_MAP,
	CBOR_TAG,
	CBOR_SIMPLE,
};

enum { CBOR_FALSE = 20, CBOR_TRUE = 21 }; /* values of CBOR_SIMPLE */

struct cbor_reader {
	const uint8_t *bytes; /* borrowed */
	size_t len;
	size_t at; /* offset of the next head */
};

struct cbor_head {
	enum cbor_major major;
	bool is_indefinite; /* CBOR_SIMPLE: a break */
	uint64_t value;     /* number, length, count, tag or simple value; 0 when indefinite */
};

/* The items of an array or the pairs of a map that are still to come. */
struct cbor_list {
	uint64_t left; /* unused when indefinite */
	bool is_indefinite;
};

/* Reads one head. The bytes of a definite string are known to be there, and so is room for the
 * announced items of an array or map. ERR_TX. */
MUST_CHECK bool cbor_read_head(struct cbor_reader *reader, struct cbor_head *head, struct err *err);

/* Passes over one whole item, whatever is inside. ERR_TX when it is not well-formed. */
MUST_CHECK bool cbor_skip(struct cbor_reader *reader, struct err *err);

/* The next item must be an array or a map (kind); then cbor_list_more() before each item or
 * pair: false at the end, whose break, if it is an indefinite one, has then been read. */
MUST_CHECK bool cbor_read_list(struct cbor_reader *reader, enum cbor_major kind,
			       struct cbor_list *list, struct err *err);
bool cbor_list_more(struct cbor_reader *reader, struct cbor_list *list);

/* Passes tag 258, if it comes next; another tag stays. ERR_TX when there is no readable head. */
MUST_CHECK bool cbor_skip_set_tag(struct cbor_reader *reader, struct err *err);

/* The next item must be a byte string in one piece, of exactly len bytes; *bytes is borrowed. */
MUST_CHECK bool cbor_read_bytes(struct cbor_reader *reader, size_t len, const uint8_t **bytes,
				struct err *err);

/* Writes the shortest head; returns its length. */
size_t cbor_write_head(enum cbor_major major, uint64_t value, uint8_t head[CBOR_HEAD_MAX]);
#endif
