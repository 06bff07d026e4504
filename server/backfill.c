#include "server/backfill.h"

#include <assert.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "server/check.h"
#include "server/journal.h"
#include "server/market.h"
#include "server/walk.h"

#define SINCE          "executions_since"    /* names of settings */
#define UNTIL          "executions_complete" /* up to this time of the exchange */
#define ROUTINE_MS     60000
#define LOOK_MS        1000
#define RETRY_FIRST_MS 500 /* doubling */
#define RETRY_MAX_MS   30000

struct backfill {
	struct loop *loop;
	struct backfill_parts parts;
	struct walk_range range;
	struct timer *routine, *retry;
	bool is_looking_soon;
	struct walk *walk;              /* of a run, of the routine or a guest's; NULL: none */
	backfill_walked_fn *guest_done; /* NULL: it is no guest's */
	void *guest;
	bool is_running;
	uint64_t run;       /* counts them */
	uint64_t run_swept; /* whose sweep it is that is under way */
	uint64_t ended;     /* the latest that was carried through */
	int64_t retry_ms;
	void (*again)(struct backfill *backfill);
	void (*done)(void *arg);
	void *arg;
};

/* A reader of the balances, for one run. */
struct balance_wish {
	struct backfill *backfill;
	uint64_t run;
};

static void ask_balances(struct backfill *backfill);
static void sweep(struct backfill *backfill);

/* ---- settings --------------------------------------------------------------------------- */

static void remember(struct backfill *backfill, const char *name, struct wall time)
{
	struct journal_write *write = journal_write_create();
	char text[WALL_TEXT_LEN];

	journal_write_setting(write, name, wall_print(time, text));
	journal_append(backfill->parts.journal, JOURNAL_FACT, write, NULL, NULL);
}

static bool recall(struct backfill *backfill, const char *name, struct wall *time, bool *is_known,
		   struct err *err)
{
	char *text = NULL;

	if (!journal_load_setting(backfill->parts.journal, name, &text, err))
		return false;
	*is_known = text && wall_parse(text, time);
	mem_free(text);
	return true;
}

static bool recall_range(struct backfill *backfill, struct err *err)
{
	struct walk_range *range = &backfill->range;
	bool has_since, has_until;

	if (!recall(backfill, SINCE, &range->since, &has_since, err) ||
	    !recall(backfill, UNTIL, &range->until, &has_until, err))
		return false;
	range->is_first_look = !has_since;
	if (!has_until)
		range->until = range->since;
	return true;
}

/* ---- the routine ------------------------------------------------------------------------ */

static void rest(struct backfill *backfill)
{
	timer_start(backfill->routine, backfill->is_looking_soon ? LOOK_MS : ROUTINE_MS);
}

/* The net under lost and belated messages of balances. */
static void refreshed(void *arg, const struct err *err, const struct dd_balance *balances,
		      size_t count, struct wall as_of, int64_t age_ms)
{
	(void)arg, (void)err, (void)balances, (void)count, (void)as_of, (void)age_ms;
}

static void tell_guest(struct backfill *backfill, bool is_whole)
{
	backfill_walked_fn *done = backfill->guest_done;

	backfill->guest_done = NULL;
	if (done)
		done(backfill->guest, is_whole);
}

static void walked(void *arg, struct wall newest)
{
	struct backfill *backfill = arg;

	backfill->walk = NULL;
	if (backfill->range.is_first_look) {
		backfill->range.is_first_look = false;
		backfill->range.since.us = newest.us > 0 ? newest.us + 1 : 0;
		remember(backfill, SINCE, backfill->range.since);
	}
	if (newest.us > backfill->range.until.us) {
		backfill->range.until = newest;
		remember(backfill, UNTIL, newest);
	}
	if (backfill->is_running) {
		sweep(backfill);
	} else {
		if (!backfill->guest_done) /* who asks by itself */
			market_balances(backfill->parts.market, 0, refreshed, NULL);
		rest(backfill);
	}
	tell_guest(backfill, true);
}

static void begin_walk(struct backfill *backfill)
{
	timer_stop(backfill->routine);
	backfill->is_looking_soon = false;
	walk_abandon(backfill->walk);
	backfill->walk = walk_create(backfill->loop, &backfill->parts, &backfill->range, NULL,
				     walked, backfill);
	tell_guest(backfill, false);
}

bool backfill_walk(struct backfill *backfill, const struct walk_watch *watch,
		   backfill_walked_fn *done, void *arg)
{
	if (backfill->walk || backfill->is_running)
		return false;
	if (backfill->range.is_first_look) { /* of which nothing may be left for later */
		begin_walk(backfill);
		return false;
	}
	timer_stop(backfill->routine);
	backfill->guest_done = done;
	backfill->guest = arg;
	backfill->walk = walk_create(backfill->loop, &backfill->parts, &backfill->range, watch,
				     walked, backfill);
	return true;
}

void backfill_walk_abandon(struct backfill *backfill)
{
	if (!backfill->guest_done)
		return;
	backfill->guest_done = NULL;
	walk_abandon(backfill->walk);
	backfill->walk = NULL;
	rest(backfill);
}

struct wall backfill_since(const struct backfill *backfill)
{
	return backfill->range.since;
}

static void look_through(void *arg)
{
	begin_walk(arg);
}

void backfill_look(struct backfill *backfill)
{
	if (backfill->is_looking_soon)
		return;
	backfill->is_looking_soon = true;
	if (!backfill->is_running && !backfill->walk)
		rest(backfill);
}

static void missing(void *arg)
{
	backfill_look(arg);
}

/* ---- a run ------------------------------------------------------------------------------ */

static void try_again(void *arg)
{
	struct backfill *backfill = arg;

	backfill->again(backfill);
}

static void retry_later(struct backfill *backfill, void (*again)(struct backfill *backfill))
{
	backfill->again = again;
	timer_start(backfill->retry, backfill->retry_ms);
	backfill->retry_ms *= 2;
	if (backfill->retry_ms > RETRY_MAX_MS)
		backfill->retry_ms = RETRY_MAX_MS;
}

static void finish(struct backfill *backfill)
{
	backfill->is_running = false;
	backfill->ended = backfill->run;
	LOG(INFO, "backfill.done", F_INT("run", (int64_t)backfill->run));
	rest(backfill);
	backfill->done(backfill->arg);
}

static void balances_read(void *arg, const struct err *err, const struct dd_balance *balances,
			  size_t count, struct wall as_of, int64_t age_ms)
{
	struct balance_wish *wish = arg;
	struct backfill *backfill = wish->backfill;
	bool is_current = backfill->is_running && wish->run == backfill->run;

	(void)balances, (void)count, (void)as_of, (void)age_ms;
	mem_free(wish);
	if (!is_current)
		return;
	if (err)
		retry_later(backfill, ask_balances);
	else
		finish(backfill);
}

static void ask_balances(struct backfill *backfill)
{
	struct balance_wish *wish = mem_alloc(sizeof(*wish));

	*wish = (struct balance_wish){ .backfill = backfill, .run = backfill->run };
	market_balances_stale(backfill->parts.market);
	market_balances(backfill->parts.market, 0, balances_read, wish);
}

/* What was asked for an earlier connection says nothing of the gap before this one. */
static void swept(void *arg, bool is_fine)
{
	struct backfill *backfill = arg;

	if (!backfill->is_running || backfill->run_swept != backfill->run)
		return;
	if (is_fine)
		ask_balances(backfill);
	else
		retry_later(backfill, sweep);
}

static void sweep(struct backfill *backfill)
{
	backfill->run_swept = backfill->run;
	check_sweep(backfill->parts.check, swept, backfill);
}

void backfill_run(struct backfill *backfill, void (*done)(void *arg), void *arg)
{
	backfill_cancel(backfill);
	backfill->is_running = true;
	backfill->run++;
	backfill->retry_ms = RETRY_FIRST_MS;
	backfill->done = done;
	backfill->arg = arg;
	begin_walk(backfill);
}

/* The routine goes on: over REST there may be something to be had. */
void backfill_cancel(struct backfill *backfill)
{
	if (!backfill->is_running)
		return;
	backfill->is_running = false;
	timer_stop(backfill->retry);
	walk_abandon(backfill->walk);
	backfill->walk = NULL;
	rest(backfill);
}

bool backfill_is_running(const struct backfill *backfill)
{
	return backfill->is_running;
}

uint64_t backfill_begun(const struct backfill *backfill)
{
	return backfill->run;
}

uint64_t backfill_ended(const struct backfill *backfill)
{
	return backfill->ended;
}

/* ---- the whole -------------------------------------------------------------------------- */

struct backfill *backfill_create(struct loop *loop, const struct backfill_parts *parts)
{
	struct backfill *backfill = mem_alloc(sizeof(*backfill));

	backfill->loop = loop;
	backfill->parts = *parts;
	backfill->routine = loop_timer_create(loop, look_through, backfill);
	backfill->retry = loop_timer_create(loop, try_again, backfill);
	check_on_missing(parts->check, missing, backfill);
	return backfill;
}

bool backfill_start(struct backfill *backfill, struct err *err)
{
	assert(loop_is_mine(backfill->loop));
	if (!recall_range(backfill, err))
		return false;
	rest(backfill);
	return true;
}

void backfill_destroy(struct backfill *backfill)
{
	if (!backfill)
		return;
	check_on_missing(backfill->parts.check, NULL, NULL);
	walk_abandon(backfill->walk);
	timer_destroy(backfill->routine);
	timer_destroy(backfill->retry);
	mem_free(backfill);
}
