/* record.h - every request the exchange received, streams among them, and what became of it.
 *
 * What tests hold a client against. Bounded: past RECORD_KEPT entries or RECORD_BYTES_MAX the
 * oldest are forgotten. It keeps keys and bodies as they came: a simulator has no secrets. */
#ifndef SIM_RECORD_H
#define SIM_RECORD_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/list.h"

#define RECORD_KEPT        50000
#define RECORD_BYTES_MAX   ((size_t)1 << 27) /* of all bodies together */
#define RECORD_BODY_MAX    65536             /* bytes of a body that are kept */
#define RECORD_HEADERS_MAX 32

enum record_state {
	RECORD_PENDING,
	RECORD_ANSWERED,
	RECORD_DROPPED,
	RECORD_OPEN /* a stream that lives; ends as RECORD_ANSWERED */
};

struct record_header {
	char *name, *value; /* name in lower case */
};

struct record_entry {
	struct list_node node;
	uint64_t seq;      /* from 1, never used twice */
	const char *proto; /* "http", or "ws": a stream, or its refused handshake */
	struct wall arrived;
	struct mono came_after, arrived_mono; /* it was read at the latter */
	struct mono ended_mono;               /* 0 while pending */
	char *method, *path, *query, *body;   /* path as it came; body NUL-terminated */
	size_t body_kept;                     /* bytes */
	size_t body_len;                      /* as it came; more than kept when it was cut */
	struct record_header headers[RECORD_HEADERS_MAX];
	size_t header_count;
	char *account; /* NULL: no or an unknown key */
	enum record_state state;
	int status, code; /* as answered; code 0 when the answer had none. Of a stream: 101, and
			   * the close code once it has ended */
	bool is_fault;    /* a fault rule had a hand in it */
};

struct record {
	struct list entries;
	size_t count, bytes;
	uint64_t made;
};

void record_init(struct record *record);
void record_fini(struct record *record);
void record_clear(struct record *record); /* forgets all but those still pending */

/* The entry stays valid until it was ended, or left open, and forgotten. Copies all strings. */
struct record_entry *record_begin(struct record *record, const char *method, const char *path,
				  const char *query, const char *body, size_t body_len);
struct record_entry *record_find(const struct record *record, uint64_t seq); /* or NULL */
void record_add_header(struct record_entry *entry, const char *name, const char *value);
void record_end(struct record_entry *entry, enum record_state state, int status, int code,
		struct mono now);
#endif
