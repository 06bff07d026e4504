/* sim.h - one running simulator: the exchange, and all that surrounds it.
 *
 * main.c creates it in order and takes it down in reverse; serve.c, rest*.c and control*.c work
 * on it. The exchange's time is wall time at start, carried on by the monotonic clock, plus what
 * /_sim/clock added. Loop thread only; with a data file the loop waits for the disk, which a
 * simulator may. */
#ifndef SIM_SIM_H
#define SIM_SIM_H
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/list.h"
#include "sim/exchange.h"
#include "sim/faults.h"
#include "sim/limiter.h"
#include "sim/record.h"

struct loop;
struct maker;
struct store;
struct streams;
struct timer;

/* What a request does, for latencies and rate limits. */
enum call_kind { CALL_READ, CALL_BUILD, CALL_SUBMIT, CALL_CANCEL, CALL_KINDS };

struct sim_config {
	struct exchange_config exchange;
	struct range_ms latency[CALL_KINDS]; /* drawn for each call, half before and half after */
	unsigned rate_orders; /* builds in a window, and as many submits and cancels; 0: off */
	unsigned rate_calls;  /* all other calls with a key; 0: off */
	int64_t rate_window_ms;
	const char *data_path; /* NULL: nothing is kept */
};

/* The rate limits of one account. */
struct sim_limits {
	struct list_node node;
	const struct account *account;
	struct limiter builds, moves, others;
};

#define SIM_TURNS_KEPT 64

struct sim {
	struct sim_config config;
	struct loop *loop;
	struct exchange *exchange;
	struct account *house; /* trades for /_sim/trade */
	struct maker *maker;   /* NULL without market maker */
	struct store *store;   /* NULL without --data */
	struct streams *streams;
	struct faults faults;
	struct record record;
	struct list limits; /* sim_limits.node */
	struct list calls;  /* requests not answered yet, see serve.h */
	struct timer *due;  /* the exchange's next own move */
	struct timer *tick; /* so that turns are short while nothing happens */
	struct hook *turn;
	struct mono turns[SIM_TURNS_KEPT]; /* when the latest ended, as a ring */
	size_t turn_count;
	struct wall started;
	struct mono started_mono;
	int64_t advanced_us;
	uint64_t latency_draws;
	struct {
		struct mono until, forbidden_from; /* 503 first, then an empty 403; until 0: off */
	} restart;
	int exit_status;
};

/* The store, if any, has been opened and the exchange holds what it kept. ERR_IO, ERR_CONFIG. */
MUST_CHECK bool sim_create(struct loop *loop, const struct sim_config *config, struct sim **result,
			   struct err *err);
void sim_destroy(struct sim *sim); /* NULL is fine */

/* When what was read at `read` can have come at the earliest: what came sooner would have been read
 * in an earlier turn. Far from `read` only when this process had to wait for its processor. */
struct mono sim_came_after(const struct sim *sim, struct mono read);

struct wall sim_now(const struct sim *sim);
/* Brings the exchange up to now; call it before anything that reads or changes the exchange. */
void sim_run(struct sim *sim);
/* Call it after changes: makes them durable and sets the timer to the exchange's next move. False
 * when the data file cannot be written: the simulator stops, and must not answer what it would
 * forget. */
bool sim_settle(struct sim *sim);

struct sim_limits *sim_limits_of(struct sim *sim, const struct account *account);
#endif
