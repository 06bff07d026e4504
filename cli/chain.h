/* chain.h - what was received on each channel of the local stream, so that nothing is missed
 * unknowingly and a new connection goes on where the last one ended.
 *
 * Every event names the number of the one before it on its channel; that must be the last one that
 * came. A position is what an event's id is as well: "<epoch>;orders=831;trades:ADAUSDM=90". Of
 * depth:SYM and price:SYM only the latest counts, so they have no place in it. Pure. */
#ifndef CLI_CHAIN_H
#define CLI_CHAIN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct buf;

#define CHAIN_CHANNELS_MAX 64
#define CHAIN_NAME_LEN     64
#define CHAIN_EPOCH_LEN    64

struct chain {
	char name[CHAIN_NAME_LEN];
	bool has_seq;
	int64_t seq; /* of the last that came */
};

struct chains {
	char epoch[CHAIN_EPOCH_LEN]; /* "": not known yet */
	struct chain items[CHAIN_CHANNELS_MAX];
	size_t count;
};

enum chain_verdict {
	CHAIN_FINE,
	CHAIN_HOLE,    /* something between was missed */
	CHAIN_AGAIN,   /* it came before */
	CHAIN_STRANGE, /* of a channel that is none of these */
};

/* One that is there already is not added again. ERR_USAGE: too long, empty, or too many. */
MUST_CHECK bool chains_add(struct chains *chains, const char *channel, struct err *err);
/* Takes a position; other channels than those that were added are passed over. ERR_USAGE. */
MUST_CHECK bool chains_set_position(struct chains *chains, const char *text, struct err *err);
void chains_print_position(const struct chains *chains, struct buf *to); /* "" when none is known */
void chains_forget(struct chains *chains); /* the next connection begins with snapshots */

/* In the order of the messages. A hole: what came before this epoch, or since the position. */
enum chain_verdict chains_hello(struct chains *chains, const char *epoch);
enum chain_verdict chains_subscribed(struct chains *chains, const char *channel, bool is_recovered);
enum chain_verdict chains_snapshot(struct chains *chains, const char *channel, int64_t seq);
enum chain_verdict chains_event(struct chains *chains, const char *channel, int64_t seq,
				int64_t prev);
/* The daemon says which was the last. */
enum chain_verdict chains_last(struct chains *chains, const char *channel, int64_t seq);
/* It was not taken after all, and prev was the one before it. */
void chains_undo(struct chains *chains, const char *channel, int64_t prev);
#endif
