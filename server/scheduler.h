/* scheduler.h - who may speak to the exchange, and when.
 *
 * One scheduler for all apps, since the exchange's limits are per API key. Requests wait as
 * tickets in four lanes: cancels, submits, orders (that is: builds) and reads. Cancels and
 * orders pay from one token bucket; on top, no sliding second holds more than `capacity` builds,
 * nor more than `capacity` submits and cancels together (client/limiter.h). Submits were paid
 * for by their build. Reads have a bucket of their own and never use order tokens.
 *
 * Cancels go first, but of `capacity` tokens in a row at least one goes to a waiting order.
 * Within a lane, apps take turns by weight (start-time fair queueing), and an app's own tickets
 * leave in the order they came: one flooding app delays nobody else beyond its share.
 *
 * Loop thread only. */
#ifndef SERVER_SCHEDULER_H
#define SERVER_SCHEDULER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/decimal.h"
#include "base/err.h"
#include "base/list.h"
#include "server/order.h"

struct journal;
struct loop;
struct scheduler;

enum lane { LANE_CANCEL, LANE_SUBMIT, LANE_ORDER, LANE_READ, LANE_COUNT };

/* In the lane of reads the daemon itself takes part under several names: a few lists, prices and
 * balances as "", and the two that may come by the hundred. What becomes of an order in doubt or a
 * cancel must be known soon: after a restart new orders wait for it. */
#define READER_CHECKS        "checks"
#define READER_DOUBTS        "doubts"
#define READER_DOUBTS_WEIGHT 4

struct scheduler_config {
	struct decimal per_second; /* max_orders_per_second */
	int64_t guard_ms;          /* the window is a second and this, for jitter on the way */
	int64_t reads_per_second;
	size_t queue_max; /* orders waiting, of all apps */
	size_t queue_max_per_token;
};

/* Embedded in whoever waits. go() is called once, when the ticket has left its queue; its
 * request must go out at once, and scheduler_sent() tell when it left. */
struct ticket {
	struct list_node node; /* private: zero, or left by the scheduler */
	enum lane lane;
	const char *token_id; /* borrowed; the daemon's own work is "" or READER_... */
	int weight;           /* 1 and up */
	struct mono deadline; /* 0: none. Once past, late() is called instead of go() */
	bool is_repeat;       /* was out before: goes ahead of its app's other tickets */
	struct mono queued;   /* set by scheduler_add() */
	int slot;             /* private */
	void (*go)(void *arg);
	void (*late)(void *arg);
	void *arg;
};

struct scheduler *scheduler_create(struct loop *loop, const struct scheduler_config *config);
void scheduler_destroy(
	struct scheduler *scheduler); /* tickets still waiting are dropped silently */

/* Tells on the channel `system` when most of the rate is used, once a minute at most. */
void scheduler_tell(struct scheduler *scheduler, struct journal *journal); /* borrows */

/* May this app queue one more order? ERR_QUEUE_FULL if not: ask before an order is accepted. */
MUST_CHECK bool scheduler_has_room(const struct scheduler *scheduler, const char *token_id,
				   struct err *err);
/* go() comes on a later turn. */
void scheduler_add(struct scheduler *scheduler, struct ticket *ticket);
bool scheduler_remove(struct scheduler *scheduler, struct ticket *ticket); /* false: not waiting */
/* After go(): the request's first byte left at `sent` (0: it never left), and its answer was there
 * at `done`. Exactly once. */
void scheduler_sent(struct scheduler *scheduler, struct ticket *ticket, struct mono sent,
		    struct mono done);

/* The exchange said "too fast" (4290, HTTP 429). Nothing leaves for retry_after_ms; -1: one
 * second, doubling to 30 s until scheduler_went_well(). */
void scheduler_slow_down(struct scheduler *scheduler, int64_t retry_after_ms);
void scheduler_went_well(struct scheduler *scheduler);
/* While held, orders, submits and cancels wait: the API key is being swapped. Reads go on. */
void scheduler_hold(struct scheduler *scheduler, bool is_held);
bool scheduler_is_held(const struct scheduler *scheduler);

struct scheduler_limits {
	int capacity;
	int64_t available_m; /* thousandths of a token */
	int64_t refill_m;    /* thousandths of a token per second */
	size_t queued, queued_own;
	int64_t wait_ms, paused_ms; /* estimated for a new order of this app; left of a pause */
	int share_own, share_all; /* weights of this app and of all that wait, this one included */
};
void scheduler_limits(struct scheduler *scheduler, const char *token_id, int weight,
		      struct scheduler_limits *limits);
#endif
