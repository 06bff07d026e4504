#include "sim/maker.h"

#include <string.h>

#include "base/mem.h"
#include "net/loop.h"
#include "sim/intake.h"
#include "sim/sim.h"

#define LEVELS          5
#define LEVEL_BP        10                   /* between levels, and from the mid to the first one */
#define SPAN_BP         200                  /* the mid stays this close to the starting price */
#define STEP_BP         3                    /* at most, in one tick */
#define LEVEL_VALUE     INT64_C(10000000000) /* 10 000 of the quote asset on each level */
#define CROWD_VALUE_MIN INT64_C(5000000)
#define CROWD_VALUE_MAX INT64_C(50000000)
#define BP_ONE          10000

struct maker {
	struct sim *sim;
	struct account *account;
	struct timer *timer, *crowd_timer;
	int64_t interval_ms, crowd_ms;
	uint64_t ticks, crowd_trades;
	int64_t shift_bp[PAIR_COUNT]; /* of the mid from the starting price */
};

static int64_t walk(struct maker *maker, const struct pair *pair)
{
	int64_t *shift = &maker->shift_bp[pair->id];
	uint64_t seed = maker->sim->config.exchange.seed;

	*shift += draw_range(seed, pair->symbol, maker->ticks, -STEP_BP, STEP_BP);
	if (*shift > SPAN_BP)
		*shift = SPAN_BP;
	if (*shift < -SPAN_BP)
		*shift = -SPAN_BP;
	return pair->price_start + pair->price_start / BP_ONE * *shift;
}

static int64_t level_price(const struct pair *pair, enum side side, int64_t mid, int level)
{
	int64_t step = price_step(pair->price_max_dp);
	int64_t away = mid / BP_ONE * LEVEL_BP * (level + 1);

	if (side == SIDE_BUY)
		return round_down_to(mid - away, step);
	return round_up_to(mid + away, step);
}

static int64_t level_size(const struct pair *pair)
{
	int64_t units = base_units_of(LEVEL_VALUE, pair->price_start);

	return round_down_to(units, amount_step(pair->base->max_qty_dp));
}

/* Its live orders are few among many, and all of them rest on the books. */
static void take_back(struct maker *maker, const struct pair *pair, enum side side,
		      const int64_t prices[LEVELS], bool is_listed[LEVELS])
{
	struct exchange *x = maker->sim->exchange;
	struct order *next;

	for (struct order *order = book_best(&x->markets[pair->id].book, side); order;
	     order = next) {
		bool is_wanted = false;

		next = book_next(&x->markets[pair->id].book, order);
		if (order->account != maker->account)
			continue;
		for (int i = 0; i < LEVELS; i++)
			if (order->price == prices[i] && !is_listed[i] &&
			    order_rest_units(order) >= level_size(pair) / 2) {
				is_wanted = is_listed[i] = true;
				break;
			}
		if (!is_wanted)
			exchange_finish(x, order, ORDER_CANCELLED, "");
	}
}

static void list_level(struct maker *maker, const struct pair *pair, enum side side, int64_t price)
{
	struct intake in = { .side = side,
			     .type = TYPE_LIMIT,
			     .has_base = true,
			     .has_price = true,
			     .base = decimal_of(level_size(pair), AMOUNT_SCALE),
			     .price = decimal_of(price, PRICE_SCALE) };
	struct order *order;

	(void)STR_SET(in.symbol, pair->symbol);
	(void)price_print(price, in.price_text);
	/* Refused only when it is as rich as can be: the level is missing then. */
	if (intake_place(maker->sim->exchange, maker->account, &in, &order))
		return;
}

static void quote_pair(struct maker *maker, const struct pair *pair)
{
	int64_t mid = walk(maker, pair);
	int64_t prices[2][LEVELS];
	bool is_listed[2][LEVELS] = { { false } };

	for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
		for (int i = 0; i < LEVELS; i++)
			prices[side][i] = level_price(pair, (enum side)side, mid, i);
		take_back(maker, pair, (enum side)side, prices[side], is_listed[side]);
	}
	for (int side = SIDE_BUY; side <= SIDE_SELL; side++)
		for (int i = 0; i < LEVELS; i++)
			if (!is_listed[side][i])
				list_level(maker, pair, (enum side)side, prices[side][i]);
}

void maker_quote(struct maker *maker)
{
	for (size_t i = 0; i < PAIR_COUNT; i++)
		quote_pair(maker, &market_pairs[i]);
	maker->ticks++;
}

/* One small market order of the house; the best order of the book fills, whose ever it is. */
static void trade_a_little(struct maker *maker)
{
	uint64_t seed = maker->sim->config.exchange.seed, n = maker->crowd_trades++;
	const struct pair *pair =
		&market_pairs[draw_range(seed, "crowd:pair", n, 0, PAIR_COUNT - 1)];
	int64_t value = draw_range(seed, "crowd:value", n, CROWD_VALUE_MIN, CROWD_VALUE_MAX);
	int64_t units = base_units_of(value, pair->price_start);
	struct intake in = { .type = TYPE_MARKET,
			     .has_base = true,
			     .side = draw_range(seed, "crowd:side", n, 0, 1) ? SIDE_BUY
									     : SIDE_SELL };
	struct order *order;

	units = round_down_to(units, amount_step(pair->base->max_qty_dp));
	in.base = decimal_of(units, AMOUNT_SCALE);
	(void)STR_SET(in.symbol, pair->symbol);
	/* Refused when that side of the book is empty: no trade this time. */
	if (intake_place(maker->sim->exchange, maker->sim->house, &in, &order))
		return;
}

static void on_crowd(void *arg)
{
	struct maker *maker = arg;

	sim_run(maker->sim);
	trade_a_little(maker);
	sim_settle(maker->sim);
	timer_start(maker->crowd_timer, maker->crowd_ms);
}

static void on_tick(void *arg)
{
	struct maker *maker = arg;

	sim_run(maker->sim);
	maker_quote(maker);
	sim_settle(maker->sim);
	timer_start(maker->timer, maker->interval_ms);
}

bool maker_create(struct sim *sim, int64_t interval_ms, int64_t crowd_ms, struct maker **result,
		  struct err *err)
{
	struct maker *maker = mem_alloc(sizeof(*maker));

	maker->sim = sim;
	maker->interval_ms = interval_ms > 0 ? interval_ms : 1;
	maker->crowd_ms = crowd_ms;
	maker->account = exchange_account(sim->exchange, "market-maker");
	if (!maker->account)
		maker->account = exchange_add_account(sim->exchange, "market-maker", "", "");
	if (!maker->account) {
		mem_free(maker);
		return err_set(err, ERR_CONFIG, "the account name \"market-maker\" is taken");
	}
	maker->account->is_house = maker->account->is_maker = true;
	maker->timer = loop_timer_create(sim->loop, on_tick, maker);
	maker_quote(maker);
	timer_start(maker->timer, maker->interval_ms);
	maker->crowd_timer = loop_timer_create(sim->loop, on_crowd, maker);
	if (crowd_ms > 0)
		timer_start(maker->crowd_timer, crowd_ms);
	*result = maker;
	return true;
}

void maker_destroy(struct maker *maker)
{
	if (!maker)
		return;
	timer_destroy(maker->timer);
	timer_destroy(maker->crowd_timer);
	mem_free(maker);
}
