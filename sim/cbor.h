/* cbor.h - as much CBOR as a Cardano transaction needs: a writer and a bounded walker. Pure. */
#ifndef SIM_CBOR_H
#define SIM_CBOR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

enum cbor_major {
	CBOR_UINT,
	CBOR_NINT,
	CBOR_BYTES,
	CBOR_TEXT,
	CBOR_ARRAY,
	CBOR_MAP,
	CBOR_TAG,
	CBOR_OTHER
};

#define CBOR_TAG_SET   258 /* a Conway set */
#define CBOR_TAG_BYTES 24  /* CBOR inside a byte string */
#define CBOR_CONSTR0   121 /* first constructor of Plutus data */

void cbor_head(struct buf *to, enum cbor_major major, uint64_t value);
void cbor_uint(struct buf *to, uint64_t value);
void cbor_bytes(struct buf *to, const void *bytes, size_t len);
void cbor_open(struct buf *to, enum cbor_major major); /* indefinite length */
void cbor_close(struct buf *to);
void cbor_true(struct buf *to);
void cbor_null(struct buf *to);

/* A position in borrowed bytes. */
struct cbor_in {
	const uint8_t *at, *end;
};
struct cbor_item {
	enum cbor_major major;
	uint64_t value; /* number, length, count, tag */
	bool is_open;   /* indefinite length: items up to a break */
};

/* The head of the next item; false at the end of the bytes or for reserved forms. */
bool cbor_next(struct cbor_in *in, struct cbor_item *item);
/* Steps over one whole item, at most 32 levels deep. */
bool cbor_skip(struct cbor_in *in);
/* Is there another element of a container whose head was item? seen counts those taken; the break
 * of an open container is consumed. */
bool cbor_has_more(struct cbor_in *in, const struct cbor_item *item, uint64_t *seen);
/* A byte string of exactly len bytes. */
bool cbor_fixed_bytes(struct cbor_in *in, size_t len, const uint8_t **bytes);
#endif
