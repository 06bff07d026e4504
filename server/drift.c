#include "server/drift.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "net/loop.h"
#include "server/feed.h"
#include "server/findings.h"
#include "server/ledger.h"
#include "server/market.h"
#include "server/orders.h"

#define LOOKS     2
#define BEFORE_MS 2000  /* what a stream told so long ago may be in the figure still */
#define SEEN_MAX  10000 /* that are not booked; more are not expected, and show as a drift */

struct stated {
	char asset[DD_ASSET_LEN];
	struct ledger_statement statement;
};

struct statement {
	struct stated *assets;
	size_t count;
	struct mono since;
	bool is_told;
};

struct drift {
	struct loop *loop;
	struct market *market;
	struct ledger *ledger;
	struct map *seen; /* execution ids in the ledger that are not booked */
	struct statement statements[LOOKS];
	bool has_base;
	bool is_sure; /* every execution in the first statement is known */
	int asked;    /* look of the latest question; -1: none yet */
	void (*done)(void *arg, const struct err *err);
	void *done_arg;
};

/* ---- executions ------------------------------------------------------------------------- */

static void enter(struct drift *drift, const struct fill *fill)
{
	const struct dd_market *rules = market_rules(drift->market, fill->symbol);
	struct ledger_trade trade = { .is_buy = fill->side == ORDER_BUY,
				      .base_qty = fill->base_qty,
				      .quote_qty = fill->quote_qty,
				      .commission = fill->commission,
				      .executed = fill->executed_at };
	const struct dd_token *received;

	if (!rules)
		return; /* it shows as a drift */
	received = trade.is_buy ? &rules->base : &rules->quote;
	trade.base = rules->base.symbol;
	trade.quote = rules->quote.symbol;
	trade.is_commission_other =
		strcmp(fill->commission_unit, received->unit) != 0 &&
		strcmp(fill->commission_unit,
		       (trade.is_buy ? &rules->quote : &rules->base)->unit) == 0;
	ledger_trade(drift->ledger, &trade, loop_now(drift->loop));
}

static void booked(void *arg, const struct fill *fill)
{
	struct drift *drift = arg;

	if (!map_remove(drift->seen, fill->execution_id))
		enter(drift, fill);
}

void drift_see(struct drift *drift, const struct order *order, const struct dd_execution *execution)
{
	struct fill fill;

	if (map_get(drift->seen, execution->id) || map_len(drift->seen) >= SEEN_MAX ||
	    !feed_read_fill(execution, &fill))
		return;
	STR_SET(fill.symbol, order->terms.symbol);
	fill.side = order->terms.side;
	map_put(drift->seen, execution->id, drift);
	enter(drift, &fill);
}

struct drift *drift_create(struct loop *loop, struct market *market, struct orders *orders)
{
	struct drift *drift = mem_alloc(sizeof(*drift));

	drift->loop = loop;
	drift->market = market;
	drift->ledger = ledger_create();
	drift->seen = map_create();
	drift->asked = -1;
	orders_on_booked(orders, booked, drift);
	return drift;
}

void drift_destroy(struct drift *drift)
{
	if (!drift)
		return;
	for (int i = 0; i < LOOKS; i++)
		mem_free(drift->statements[i].assets);
	map_destroy(drift->seen);
	ledger_destroy(drift->ledger);
	mem_free(drift);
}

/* ---- asking ----------------------------------------------------------------------------- */

static int decimals_of(const struct drift *drift, const char *asset)
{
	const struct dd_market *markets;
	struct wall as_of;
	size_t count;

	markets = market_all(drift->market, &count, &as_of);
	for (size_t i = 0; i < count; i++) {
		if (strcasecmp(markets[i].base.symbol, asset) == 0)
			return markets[i].base.decimals;
		if (strcasecmp(markets[i].quote.symbol, asset) == 0)
			return markets[i].quote.decimals;
	}
	return 0;
}

static bool keep(struct drift *drift, const struct dd_balance *balances, size_t count,
		 struct err *err)
{
	struct statement *statement = &drift->statements[drift->asked];

	statement->assets = mem_array(count, sizeof(*statement->assets));
	for (size_t i = 0; i < count; i++) {
		struct stated *stated = &statement->assets[i];

		STR_SET(stated->asset, balances[i].asset);
		stated->statement =
			(struct ledger_statement){ .decimals = decimals_of(drift, stated->asset),
						   .since = statement->since,
						   .answered = loop_now(drift->loop) };
		if (!decimal_add(balances[i].free, balances[i].locked, &stated->statement.total,
				 err))
			return err_prefix(err, "the balance of %s", balances[i].asset);
	}
	statement->count = count;
	statement->is_told = true;
	return true;
}

static void balances_told(void *arg, const struct err *err, const struct dd_balance *balances,
			  size_t count, struct wall as_of, int64_t age_ms)
{
	struct drift *drift = arg;
	struct err unusable;

	(void)as_of, (void)age_ms;
	if (!err && !keep(drift, balances, count, &unusable))
		err = &unusable;
	drift->done(drift->done_arg, err);
}

/* The latest statement, now that all executions are known that may be in it. */
static void learn(struct drift *drift)
{
	const struct statement *statement;

	if (drift->asked < 0)
		return;
	statement = &drift->statements[drift->asked];
	if (!statement->is_told)
		return;
	for (size_t i = 0; i < statement->count; i++)
		ledger_learn(drift->ledger, statement->assets[i].asset,
			     &statement->assets[i].statement);
	if (!drift->has_base)
		ledger_begin(drift->ledger);
	drift->has_base = true;
}

void drift_ask(struct drift *drift, int look, bool is_whole,
	       void (*done)(void *arg, const struct err *err), void *arg)
{
	struct statement *statement = &drift->statements[look];

	if (is_whole)
		learn(drift);
	drift->is_sure = is_whole;
	drift->asked = look;
	drift->done = done;
	drift->done_arg = arg;
	mem_free(statement->assets);
	*statement =
		(struct statement){ .since = mono_after_ms(loop_now(drift->loop), -BEFORE_MS) };
	market_balances_stale(drift->market);
	market_balances(drift->market, 0, balances_told, drift);
}

/* ---- judging ---------------------------------------------------------------------------- */

size_t drift_judge(struct drift *drift, int look)
{
	const struct statement *statement = &drift->statements[look];
	size_t open = !drift->has_base;

	for (size_t i = 0; i < statement->count; i++)
		open += ledger_judge(drift->ledger, statement->assets[i].asset,
				     &statement->assets[i].statement) == LEDGER_DRIFT;
	return open;
}

size_t drift_assets(const struct drift *drift, int look)
{
	return drift->statements[look].count;
}

static const struct stated *find(const struct statement *statement, const char *asset)
{
	for (size_t i = 0; i < statement->count; i++)
		if (strcasecmp(statement->assets[i].asset, asset) == 0)
			return &statement->assets[i];
	return NULL;
}

static void describe(const struct stated *stated, struct decimal drift,
		     struct journal_finding *finding)
{
	struct decimal total = stated->statement.total, expected;
	char text[DECIMAL_TEXT_LEN];
	struct err err;

	*finding = (struct journal_finding){ .at = wall_now() };
	STR_SET(finding->class_, finding_class_word(FINDING_BALANCE_DRIFT));
	STR_SET(finding->action, finding_action_word(FINDING_REPORTED));
	STR_SET(finding->about, stated->asset);
	if (!decimal_sub(total, drift, &expected, &err))
		expected = DECIMAL_ZERO;
	snprintf(finding->journal, sizeof(finding->journal), "%s after own executions",
		 decimal_print(decimal_trim(expected), text));
	snprintf(finding->exchange, sizeof(finding->exchange), "%s free and locked",
		 decimal_print(decimal_trim(total), text));
}

static bool is_drift(struct drift *drift, const struct stated *stated)
{
	return ledger_judge(drift->ledger, stated->asset, &stated->statement) == LEDGER_DRIFT;
}

void drift_tell(struct drift *drift,
		void (*found)(void *arg, const struct journal_finding *finding), void *arg)
{
	const struct statement *second = &drift->statements[1];

	for (size_t i = 0; i < second->count && drift->is_sure; i++) {
		const struct stated *now = &second->assets[i];
		const struct stated *before = find(&drift->statements[0], now->asset);
		struct journal_finding finding;
		struct decimal amount;

		if (!before || !is_drift(drift, before) || !is_drift(drift, now) ||
		    !ledger_accept(drift->ledger, now->asset, &before->statement, &now->statement,
				   &amount))
			continue;
		describe(now, amount, &finding);
		found(arg, &finding);
	}
}
