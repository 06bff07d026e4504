/* look_memory.h - what lasts from one look of a reconciliation to the next: suspects and what was
 * told, foreign orders that are followed, and what need not be looked up in the journal again.
 * Bounded: what is forgotten is found out anew. Pure. */
#ifndef SERVER_LOOK_MEMORY_H
#define SERVER_LOOK_MEMORY_H
#include <stdbool.h>
#include <stddef.h>

#include "client/deltadefi.h"

#define LOOK_MEMORY_MAX 20000 /* ids of a kind */

struct findings;
struct map;

struct look_memory {
	struct findings *findings;
	struct map *foreign;  /* live ones by the exchange's id; private */
	struct map *agreeing; /* traded orders that are not in memory: a digest of what agreed */
	struct map *unusable; /* execution ids that could not be booked, so that is known */
};

void look_memory_init(struct look_memory *memory);
void look_memory_fini(struct look_memory *memory);

/* An order made elsewhere, to be followed until it ends. */
void look_memory_follow(struct look_memory *memory, const char *exchange_order_id,
			const char *symbol);
void look_memory_forget(struct look_memory *memory, const char *exchange_order_id); /* it has */
/* All that are followed; start with *at = 0. */
bool look_memory_next(const struct look_memory *memory, size_t *at, const char **exchange_order_id,
		      const char **symbol);

/* The journal agrees with exactly this, which then need not be asked again. */
void look_memory_note_agreement(struct look_memory *memory, const struct dd_order *seen);
bool look_memory_agrees(const struct look_memory *memory, const struct dd_order *seen);
#endif
