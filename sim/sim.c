#include "sim/sim.h"

#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "sim/serve.h"
#include "sim/store.h"

#define TICK_MS 10

static void on_due(void *arg)
{
	sim_run(arg);
	sim_settle(arg);
}

static void on_turn(void *arg)
{
	struct sim *sim = arg;

	sim->turns[sim->turn_count++ % SIM_TURNS_KEPT] = mono_now();
}

static void on_tick(void *arg)
{
	struct sim *sim = arg;

	timer_start(sim->tick, TICK_MS);
}

/* A turn begins with a look at all sockets, somewhen after the turn before has ended. */
struct mono sim_came_after(const struct sim *sim, struct mono read)
{
	size_t kept = sim->turn_count < SIM_TURNS_KEPT ? sim->turn_count : SIM_TURNS_KEPT;
	bool is_before = false;

	for (size_t back = 1; back <= kept; back++) {
		struct mono ended = sim->turns[(sim->turn_count - back) % SIM_TURNS_KEPT];

		if (is_before && ended.us < read.us)
			return ended;
		is_before |= ended.us < read.us;
	}
	return read;
}

/* The switch belongs to the fault rules, its effect to the exchange. */
bool sim_create(struct loop *loop, const struct sim_config *config, struct sim **result,
		struct err *err)
{
	struct sim *sim = mem_alloc(sizeof(*sim));

	sim->config = *config;
	sim->loop = loop;
	sim->started = wall_now();
	sim->started_mono = mono_now();
	sim->exchange = exchange_create(&config->exchange);
	faults_init(&sim->faults, config->exchange.seed);
	record_init(&sim->record);
	list_init(&sim->limits);
	list_init(&sim->calls);
	sim->due = loop_timer_create(loop, on_due, sim);
	sim->tick = loop_timer_create(loop, on_tick, sim);
	sim->turn = hook_create(loop, on_turn, sim);
	on_tick(sim);
	if (config->data_path &&
	    !store_open(config->data_path, sim->exchange, &sim->advanced_us, &sim->store, err)) {
		sim_destroy(sim);
		return false;
	}
	sim_run(sim);
	*result = sim;
	return true;
}

static void drop_limits(struct sim *sim)
{
	struct list_node *node;

	while ((node = list_pop_front(&sim->limits))) {
		struct sim_limits *limits = CONTAINER_OF(node, struct sim_limits, node);

		limiter_fini(&limits->builds);
		limiter_fini(&limits->moves);
		limiter_fini(&limits->others);
		mem_free(limits);
	}
}

void sim_destroy(struct sim *sim)
{
	if (!sim)
		return;
	serve_drop_all(sim);
	timer_destroy(sim->due);
	timer_destroy(sim->tick);
	hook_destroy(sim->turn);
	drop_limits(sim);
	store_close(sim->store);
	exchange_destroy(sim->exchange);
	faults_fini(&sim->faults);
	record_fini(&sim->record);
	mem_free(sim);
}

struct wall sim_now(const struct sim *sim)
{
	int64_t ran_us = mono_diff_us(mono_now(), sim->started_mono);

	return (struct wall){ sim->started.us + ran_us + sim->advanced_us };
}

void sim_run(struct sim *sim)
{
	sim->exchange->has_overflow_quirk = sim->faults.switches[SWITCH_OVERFLOW_U64];
	exchange_run(sim->exchange, sim_now(sim));
}

static void arm(struct sim *sim)
{
	struct wall due = exchange_next_due(sim->exchange);
	int64_t wait_us = due.us - sim_now(sim).us;

	if (due.us == 0)
		timer_stop(sim->due);
	else
		timer_start(sim->due, wait_us > 0 ? (wait_us + 999) / 1000 : 0);
}

bool sim_settle(struct sim *sim)
{
	struct err err;
	bool is_kept = store_commit(sim->store, &err);

	if (!is_kept) {
		LOG(ERROR, "sim.data_not_written", F_ERR(&err));
		sim->exit_status = 1;
		loop_stop(sim->loop);
	}
	arm(sim);
	return is_kept;
}

struct sim_limits *sim_limits_of(struct sim *sim, const struct account *account)
{
	const struct sim_config *config = &sim->config;
	struct sim_limits *limits;

	LIST_EACH (&sim->limits, node) {
		limits = CONTAINER_OF(node, struct sim_limits, node);
		if (limits->account == account)
			return limits;
	}
	limits = mem_alloc(sizeof(*limits));
	limits->account = account;
	limiter_init(&limits->builds, config->rate_orders, config->rate_window_ms);
	limiter_init(&limits->moves, config->rate_orders, config->rate_window_ms);
	limiter_init(&limits->others, config->rate_calls, config->rate_window_ms);
	list_push_back(&sim->limits, &limits->node);
	return limits;
}
