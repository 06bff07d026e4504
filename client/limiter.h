/* limiter.h - how many requests may leave, and when. Pure arithmetic on a `now` passed in.
 *
 * Two rules at once. A token bucket as users know it: `capacity` tokens, refilled evenly, full at
 * the start. And a promise on top that a bucket alone does not give (a full bucket plus its
 * refill lets nearly twice the capacity out within the first second): a window of `capacity`
 * slots, each of which is taken when a request is dispatched and comes free one window after
 * that request's first byte really left. So no sliding window of that length holds more than
 * `capacity` requests, however long connecting took. */
#ifndef CLIENT_LIMITER_H
#define CLIENT_LIMITER_H
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct bucket {
	int64_t capacity_u; /* in millionths of a token */
	int64_t tokens_u;
	int64_t spare_n;    /* below a millionth: 0 to 999 thousandths of one */
	int64_t refill_m;   /* thousandths of a token per second */
	struct mono filled; /* tokens_u was right then */
};

void bucket_init(struct bucket *bucket, int64_t capacity, int64_t refill_m, struct mono now);
bool bucket_has(struct bucket *bucket, struct mono now); /* a whole token? */
bool bucket_take(struct bucket *bucket, struct mono now);
int64_t bucket_tokens_u(struct bucket *bucket, struct mono now);
struct mono bucket_ready(struct bucket *bucket, struct mono now); /* when a token will be there */

#define WINDOW_SLOTS_MAX 1000

struct window {
	int slots; /* 1 to WINDOW_SLOTS_MAX */
	int64_t length_us;
	struct {
		struct mono sent; /* 0: never used */
		bool in_flight;   /* taken, and its time of sending not known yet */
	} slot[WINDOW_SLOTS_MAX];
};

void window_init(struct window *window, int slots, int64_t length_us);
int window_take(struct window *window, struct mono now); /* a slot, or -1 */
bool window_has(const struct window *window, struct mono now);
/* The request of this slot left at `sent` (0: it never left, the slot is free again). */
void window_sent(struct window *window, int slot, struct mono sent);
/* When a slot comes free: now if one is, 0 ("never") while all are in flight. */
struct mono window_ready(const struct window *window, struct mono now);
int window_used(const struct window *window, struct mono now);
#endif
