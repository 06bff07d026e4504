#include "server/scheduler.h"

#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "client/limiter.h"
#include "net/loop.h"
#include "server/event_switch.h"

#define PAUSE_FIRST_MS  1000
#define PAUSE_MAX_MS    30000
#define VTIME_UNIT      1000000 /* of virtual time per ticket of weight 1 */
#define LATE_GUARDS_MAX 5       /* most that jitter on the way counts for, in guards */
#define WARN_AT_PCT     80
#define TELL_MS         60000

/* One app in one lane. Virtual time runs slower for a heavier app, so it gets more turns. */
struct turn {
	struct list waiting;   /* tickets, in the order they came */
	struct list_node node; /* in the lane's active list while something waits */
	size_t count;
	int64_t vtime;
	int weight;
};

struct app {
	struct list_node node; /* in scheduler->apps */
	char token_id[TOKEN_ID_LEN];
	struct turn turns[LANE_COUNT];
};

struct scheduler {
	struct loop *loop;
	struct timer *timer;
	struct scheduler_config config;
	struct map *apps_by_token;
	struct list apps;
	struct list active[LANE_COUNT]; /* turns that have something waiting */
	int64_t vnow[LANE_COUNT];
	size_t count[LANE_COUNT];
	int capacity;
	struct bucket orders; /* tokens of orders and cancels */
	struct bucket reads;
	struct window builds;
	struct window sends;         /* submits and cancels */
	int64_t best_us[LANE_COUNT]; /* the quickest answer of late */
	int cancels_in_a_row;
	int64_t pause_ms; /* of the last pause; 0: all was well since */
	struct mono paused_until;
	bool is_held, has_warned, is_armed;
	struct event_switch *high; /* NULL: nobody is told */
};

static void scheduler_run(void *arg);

struct scheduler *scheduler_create(struct loop *loop, const struct scheduler_config *config)
{
	struct scheduler *scheduler = mem_alloc(sizeof(*scheduler));
	struct decimal thousandths = decimal_round(config->per_second, 3, DECIMAL_DOWN);
	int64_t refill_m = (int64_t)thousandths.units;
	struct mono now = loop_now(loop);

	for (int scale = thousandths.scale; scale < 3; scale++)
		refill_m *= 10;
	scheduler->loop = loop;
	scheduler->config = *config;
	scheduler->capacity = refill_m < 2000 ? 1 : (int)(refill_m / 1000);
	scheduler->timer = loop_timer_create(loop, scheduler_run, scheduler);
	scheduler->apps_by_token = map_create();
	list_init(&scheduler->apps);
	for (int lane = 0; lane < LANE_COUNT; lane++)
		list_init(&scheduler->active[lane]);
	bucket_init(&scheduler->orders, scheduler->capacity, refill_m, now);
	bucket_init(&scheduler->reads, config->reads_per_second, config->reads_per_second * 1000,
		    now);
	window_init(&scheduler->builds, scheduler->capacity, (1000 + config->guard_ms) * 1000);
	window_init(&scheduler->sends, scheduler->capacity, (1000 + config->guard_ms) * 1000);
	return scheduler;
}

void scheduler_tell(struct scheduler *scheduler, struct journal *journal)
{
	scheduler->high = event_switch_create(scheduler->loop, journal, SYSTEM_RATE_HIGH,
					      SYSTEM_RATE_HIGH, TELL_MS);
}

void scheduler_destroy(struct scheduler *scheduler)
{
	if (!scheduler)
		return;
	event_switch_destroy(scheduler->high);
	timer_destroy(scheduler->timer);
	LIST_EACH_SAFE (&scheduler->apps, node) {
		struct app *app = CONTAINER_OF(node, struct app, node);

		for (int lane = 0; lane < LANE_COUNT; lane++) {
			while (list_pop_front(&app->turns[lane].waiting))
				;
		}
		mem_free(app);
	}
	map_destroy(scheduler->apps_by_token);
	mem_free(scheduler);
}

static struct app *app_of(struct scheduler *scheduler, const char *token_id)
{
	struct app *app = map_get(scheduler->apps_by_token, token_id);

	if (app)
		return app;
	app = mem_alloc(sizeof(*app));
	STR_SET(app->token_id, token_id);
	for (int lane = 0; lane < LANE_COUNT; lane++) {
		list_init(&app->turns[lane].waiting);
		list_node_init(&app->turns[lane].node);
		app->turns[lane].weight = 1;
	}
	list_push_back(&scheduler->apps, &app->node);
	map_put(scheduler->apps_by_token, token_id, app);
	return app;
}

/* At most once a turn of the loop, however many tickets came. */
static void scheduler_arm(struct scheduler *scheduler)
{
	if (scheduler->is_armed)
		return;
	scheduler->is_armed = true;
	timer_start(scheduler->timer, 0);
}

bool scheduler_has_room(const struct scheduler *scheduler, const char *token_id, struct err *err)
{
	const struct app *app = map_get(scheduler->apps_by_token, token_id);

	if (scheduler->count[LANE_ORDER] >= scheduler->config.queue_max)
		return err_set(err, ERR_QUEUE_FULL, "%zu orders wait for their turn",
			       scheduler->count[LANE_ORDER]);
	if (app && app->turns[LANE_ORDER].count >= scheduler->config.queue_max_per_token)
		return err_set(err, ERR_QUEUE_FULL, "%zu orders of this token wait for their turn",
			       app->turns[LANE_ORDER].count);
	return true;
}

void scheduler_add(struct scheduler *scheduler, struct ticket *ticket)
{
	struct app *app = app_of(scheduler, ticket->token_id);
	struct turn *turn = &app->turns[ticket->lane];

	assert(ticket->weight > 0);
	if (list_is_empty(&turn->waiting)) {
		/* Time spent idle earns no credit. */
		if (turn->vtime < scheduler->vnow[ticket->lane])
			turn->vtime = scheduler->vnow[ticket->lane];
		list_push_back(&scheduler->active[ticket->lane], &turn->node);
	}
	turn->weight = ticket->weight;
	ticket->queued = loop_now(scheduler->loop);
	ticket->slot = -1;
	if (ticket->is_repeat)
		list_push_front(&turn->waiting, &ticket->node);
	else
		list_push_back(&turn->waiting, &ticket->node);
	turn->count++;
	scheduler->count[ticket->lane]++;
	scheduler_arm(scheduler);
}

static void unqueue(struct scheduler *scheduler, struct turn *turn, struct ticket *ticket)
{
	list_remove(&ticket->node);
	turn->count--;
	scheduler->count[ticket->lane]--;
	if (list_is_empty(&turn->waiting))
		list_remove(&turn->node);
}

bool scheduler_remove(struct scheduler *scheduler, struct ticket *ticket)
{
	struct app *app;

	if (!ticket->node.next || !list_has(&ticket->node))
		return false;
	app = map_get(scheduler->apps_by_token, ticket->token_id);
	assert(app);
	unqueue(scheduler, &app->turns[ticket->lane], ticket);
	return true;
}

/* The app whose turn it is: the least virtual time, the longest in the list on a tie. */
static struct turn *next_turn(struct scheduler *scheduler, enum lane lane)
{
	struct turn *best = NULL;

	LIST_EACH (&scheduler->active[lane], node) {
		struct turn *turn = CONTAINER_OF(node, struct turn, node);

		if (!best || turn->vtime < best->vtime)
			best = turn;
	}
	return best;
}

static void dispatch(struct scheduler *scheduler, enum lane lane, struct window *window,
		     struct mono now)
{
	struct turn *turn = next_turn(scheduler, lane);
	struct ticket *ticket = CONTAINER_OF(list_first(&turn->waiting), struct ticket, node);

	scheduler->vnow[lane] = turn->vtime;
	turn->vtime += VTIME_UNIT / turn->weight;
	unqueue(scheduler, turn, ticket);
	if (window)
		ticket->slot = window_take(window, now);
	ticket->go(ticket->arg);
}

static bool may_send_paid(struct scheduler *scheduler, struct mono now)
{
	return !scheduler->is_held && !(scheduler->paused_until.us > now.us) &&
	       bucket_has(&scheduler->orders, now);
}

static void warn_of_utilization(struct scheduler *scheduler, struct mono now)
{
	int64_t capacity_u = (int64_t)scheduler->capacity * 1000000;
	int64_t used_u = capacity_u - bucket_tokens_u(&scheduler->orders, now);
	bool is_high = used_u * 100 > capacity_u * WARN_AT_PCT;

	if (is_high && !scheduler->has_warned)
		LOG(WARN, "limits.high", F_INT("utilization_pct", used_u * 100 / capacity_u),
		    F_INT("queued", (int64_t)scheduler->count[LANE_ORDER]));
	scheduler->has_warned = is_high;
	if (scheduler->high)
		event_switch_set(scheduler->high, is_high,
				 "more than 80 % of the orders that may be sent are used");
}

/* Of `capacity` tokens in a row one is left to orders that wait, so that a flood of cancels
 * cannot stop trade altogether. */
static bool cancels_had_their_share(const struct scheduler *scheduler)
{
	return scheduler->cancels_in_a_row >=
	       (scheduler->capacity > 1 ? scheduler->capacity - 1 : 1);
}

/* A built transaction goes stale: nothing more is built while submits queue up. And a cancel that
 * waits for its slot keeps its token: an order would only take the next slot from it, too. */
static bool orders_must_wait(const struct scheduler *scheduler)
{
	return scheduler->count[LANE_SUBMIT] >= (size_t)scheduler->capacity ||
	       (scheduler->count[LANE_CANCEL] > 0 && !cancels_had_their_share(scheduler));
}

static bool run_cancel(struct scheduler *scheduler, struct mono now)
{
	bool is_orders_turn = scheduler->count[LANE_ORDER] > 0 && !orders_must_wait(scheduler) &&
			      window_has(&scheduler->builds, now);

	if (scheduler->count[LANE_CANCEL] == 0 || is_orders_turn ||
	    !may_send_paid(scheduler, now) || !window_has(&scheduler->sends, now))
		return false;
	(void)bucket_take(&scheduler->orders, now);
	scheduler->cancels_in_a_row++;
	dispatch(scheduler, LANE_CANCEL, &scheduler->sends, now);
	return true;
}

static bool run_submit(struct scheduler *scheduler, struct mono now)
{
	if (scheduler->count[LANE_SUBMIT] == 0 || scheduler->is_held ||
	    scheduler->paused_until.us > now.us || !window_has(&scheduler->sends, now))
		return false;
	dispatch(scheduler, LANE_SUBMIT, &scheduler->sends, now);
	return true;
}

static bool run_order(struct scheduler *scheduler, struct mono now)
{
	if (scheduler->count[LANE_ORDER] == 0 || orders_must_wait(scheduler) ||
	    !may_send_paid(scheduler, now) || !window_has(&scheduler->builds, now))
		return false;
	(void)bucket_take(&scheduler->orders, now);
	scheduler->cancels_in_a_row = 0;
	dispatch(scheduler, LANE_ORDER, &scheduler->builds, now);
	return true;
}

static bool run_read(struct scheduler *scheduler, struct mono now)
{
	if (scheduler->count[LANE_READ] == 0 || scheduler->paused_until.us > now.us ||
	    !bucket_take(&scheduler->reads, now))
		return false;
	dispatch(scheduler, LANE_READ, NULL, now);
	return true;
}

/* Tickets whose deadline has passed leave first, so that nothing is ever sent late. */
static void drop_late(struct scheduler *scheduler, enum lane lane, struct mono now)
{
	LIST_EACH_SAFE (&scheduler->active[lane], node) {
		struct turn *turn = CONTAINER_OF(node, struct turn, node);

		LIST_EACH_SAFE (&turn->waiting, waiting) {
			struct ticket *ticket = CONTAINER_OF(waiting, struct ticket, node);

			if (!ticket->late || !mono_is_past(ticket->deadline, now))
				continue;
			unqueue(scheduler, turn, ticket);
			ticket->late(ticket->arg);
		}
	}
}

static void sooner(struct mono *first, struct mono candidate)
{
	if (candidate.us != 0 && (first->us == 0 || candidate.us < first->us))
		*first = candidate;
}

/* The next moment at which something that waits may leave or is late; 0 if only an event
 * (a ticket, an answer, the end of a hold) can change anything. */
static struct mono next_moment(struct scheduler *scheduler, struct mono now)
{
	struct mono first = { 0 };

	for (int lane = 0; lane < LANE_COUNT; lane++) {
		LIST_EACH (&scheduler->active[lane], node) {
			struct turn *turn = CONTAINER_OF(node, struct turn, node);

			LIST_EACH (&turn->waiting, waiting)
				sooner(&first,
				       CONTAINER_OF(waiting, struct ticket, node)->deadline);
		}
		if (scheduler->count[lane] == 0)
			continue;
		if (scheduler->paused_until.us > now.us) {
			sooner(&first, scheduler->paused_until);
			continue;
		}
		if (lane == LANE_READ) {
			sooner(&first, bucket_ready(&scheduler->reads, now));
			continue;
		}
		if (scheduler->is_held || (lane == LANE_ORDER && orders_must_wait(scheduler)))
			continue; /* some other ticket has to leave first */
		if (lane != LANE_SUBMIT && !bucket_has(&scheduler->orders, now))
			sooner(&first, bucket_ready(&scheduler->orders, now));
		else
			sooner(&first, window_ready(lane == LANE_ORDER ? &scheduler->builds
								       : &scheduler->sends,
						    now));
	}
	return first;
}

static void scheduler_run(void *arg)
{
	struct scheduler *scheduler = arg;
	struct mono now = loop_now(scheduler->loop);
	struct mono next;

	scheduler->is_armed = true; /* go() may add tickets: they are seen below or next time */
	for (int lane = 0; lane < LANE_COUNT; lane++)
		drop_late(scheduler, (enum lane)lane, now);
	while (run_cancel(scheduler, now) || run_submit(scheduler, now) ||
	       run_order(scheduler, now) || run_read(scheduler, now))
		;
	warn_of_utilization(scheduler, now);
	scheduler->is_armed = false;
	next = next_moment(scheduler, now);
	if (next.us == 0 && scheduler->has_warned)
		next = mono_after_ms(now, 200); /* to notice that utilization has fallen */
	if (next.us != 0)
		timer_start_at(scheduler->timer, next.us > now.us ? next : mono_after_ms(now, 1));
}

/* When the request reached the exchange: after it was sent, by what this answer took longer than
 * the quickest of late. That may have been the exchange's own time, so it counts up to a bound. */
static struct mono arrival(struct scheduler *scheduler, enum lane lane, struct mono sent,
			   struct mono done)
{
	int64_t took_us = mono_diff_us(done, sent);
	int64_t *best_us = &scheduler->best_us[lane];
	int64_t late_us, late_max_us = scheduler->config.guard_ms * 1000 * LATE_GUARDS_MAX;

	if (sent.us == 0 || took_us < 0)
		return sent;
	*best_us += *best_us / 64 + 1; /* forgets slowly */
	if (*best_us <= 1 || took_us < *best_us)
		*best_us = took_us;
	late_us = took_us - *best_us;
	return (struct mono){ sent.us + (late_us < late_max_us ? late_us : late_max_us) };
}

void scheduler_sent(struct scheduler *scheduler, struct ticket *ticket, struct mono sent,
		    struct mono done)
{
	struct mono arrived = arrival(scheduler, ticket->lane, sent, done);

	if (ticket->slot < 0)
		return;
	window_sent(ticket->lane == LANE_ORDER ? &scheduler->builds : &scheduler->sends,
		    ticket->slot, arrived);
	ticket->slot = -1;
	scheduler_arm(scheduler);
}

void scheduler_slow_down(struct scheduler *scheduler, int64_t retry_after_ms)
{
	struct mono until;

	if (retry_after_ms >= 0)
		scheduler->pause_ms = retry_after_ms;
	else if (scheduler->pause_ms == 0)
		scheduler->pause_ms = PAUSE_FIRST_MS;
	else if (loop_now(scheduler->loop).us >= scheduler->paused_until.us)
		scheduler->pause_ms *= 2; /* several 4290 of one burst count once */
	if (scheduler->pause_ms > PAUSE_MAX_MS)
		scheduler->pause_ms = PAUSE_MAX_MS;
	until = mono_after_ms(loop_now(scheduler->loop), scheduler->pause_ms);
	if (until.us > scheduler->paused_until.us)
		scheduler->paused_until = until;
	LOG(WARN, "limits.paused", F_INT("pause_ms", scheduler->pause_ms));
	scheduler_arm(scheduler);
}

void scheduler_went_well(struct scheduler *scheduler)
{
	if (loop_now(scheduler->loop).us >= scheduler->paused_until.us)
		scheduler->pause_ms = 0;
}

void scheduler_hold(struct scheduler *scheduler, bool is_held)
{
	scheduler->is_held = is_held;
	scheduler_arm(scheduler);
}

bool scheduler_is_held(const struct scheduler *scheduler)
{
	return scheduler->is_held;
}

/* Orders ahead of a new one of this app: its own, and of each other app its share meanwhile. */
static int64_t orders_ahead(struct scheduler *scheduler, const struct turn *own, int weight)
{
	int64_t mine = own ? (int64_t)own->count + 1 : 1;
	int64_t ahead = mine;

	LIST_EACH (&scheduler->active[LANE_ORDER], node) {
		struct turn *turn = CONTAINER_OF(node, struct turn, node);
		int64_t share;

		if (turn == own)
			continue;
		share = mine * turn->weight / weight;
		ahead += share < (int64_t)turn->count ? share : (int64_t)turn->count;
	}
	return ahead;
}

void scheduler_limits(struct scheduler *scheduler, const char *token_id, int weight,
		      struct scheduler_limits *limits)
{
	struct mono now = loop_now(scheduler->loop);
	struct app *app = map_get(scheduler->apps_by_token, token_id);
	const struct turn *own = app ? &app->turns[LANE_ORDER] : NULL;
	int64_t missing_m;

	memset(limits, 0, sizeof(*limits));
	limits->capacity = scheduler->capacity;
	limits->available_m = bucket_tokens_u(&scheduler->orders, now) / 1000;
	limits->refill_m = scheduler->orders.refill_m;
	limits->queued = scheduler->count[LANE_ORDER];
	limits->queued_own = own ? own->count : 0;
	limits->share_own = weight;
	limits->share_all = weight;
	LIST_EACH (&scheduler->active[LANE_ORDER], node) {
		struct turn *turn = CONTAINER_OF(node, struct turn, node);

		if (turn != own)
			limits->share_all += turn->weight;
	}
	if (scheduler->paused_until.us > now.us)
		limits->paused_ms = mono_diff_ms(scheduler->paused_until, now) + 1;
	missing_m =
		(orders_ahead(scheduler, own, weight) + (int64_t)scheduler->count[LANE_CANCEL]) *
			1000 -
		limits->available_m;
	limits->wait_ms = limits->paused_ms;
	if (missing_m > 0)
		limits->wait_ms += missing_m * 1000 / limits->refill_m;
}
