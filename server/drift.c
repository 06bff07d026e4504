#include "server/drift.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "server/findings.h"
#include "server/ledger.h"
#include "server/market.h"
#include "server/orders.h"

#define LOOKS     2
#define BEFORE_MS 2000 /* what a stream told so long ago may be in the figure still */

struct stated {
	char asset[DD_ASSET_LEN];
	struct decimal total, drift;
};

struct statement {
	struct stated *assets;
	size_t count;
	struct mono since;
};

struct drift {
	struct loop *loop;
	struct market *market;
	struct ledger *ledger;
	struct statement statements[LOOKS];
	bool has_base; /* every asset that was stated has one */
	int asked;     /* look of the question under way */
	void (*done)(void *arg, const struct err *err);
	void *done_arg;
};

/* ---- executions ------------------------------------------------------------------------- */

static void executed(void *arg, const struct fill *fill)
{
	const struct drift *drift = arg;
	const struct dd_market *rules = market_rules(drift->market, fill->symbol);
	struct ledger_trade trade = { .is_buy = fill->side == ORDER_BUY,
				      .base_qty = fill->base_qty,
				      .quote_qty = fill->quote_qty,
				      .commission = fill->commission };
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

struct drift *drift_create(struct loop *loop, struct market *market, struct orders *orders)
{
	struct drift *drift = mem_alloc(sizeof(*drift));

	drift->loop = loop;
	drift->market = market;
	drift->ledger = ledger_create();
	orders_on_booked(orders, executed, drift);
	return drift;
}

void drift_destroy(struct drift *drift)
{
	if (!drift)
		return;
	for (int i = 0; i < LOOKS; i++)
		mem_free(drift->statements[i].assets);
	ledger_destroy(drift->ledger);
	mem_free(drift);
}

/* ---- asking ----------------------------------------------------------------------------- */

static bool keep(struct statement *statement, const struct dd_balance *balances, size_t count,
		 struct err *err)
{
	mem_free(statement->assets);
	statement->assets = mem_array(count, sizeof(*statement->assets));
	statement->count = count;
	for (size_t i = 0; i < count; i++) {
		STR_SET(statement->assets[i].asset, balances[i].asset);
		if (!decimal_add(balances[i].free, balances[i].locked, &statement->assets[i].total,
				 err))
			return err_prefix(err, "the balance of %s", balances[i].asset);
	}
	return true;
}

static void balances_told(void *arg, const struct err *err, const struct dd_balance *balances,
			  size_t count, struct wall as_of, int64_t age_ms)
{
	struct drift *drift = arg;
	struct err unusable;

	(void)as_of, (void)age_ms;
	if (!err && !keep(&drift->statements[drift->asked], balances, count, &unusable))
		err = &unusable;
	drift->done(drift->done_arg, err);
}

void drift_ask(struct drift *drift, int look, void (*done)(void *arg, const struct err *err),
	       void *arg)
{
	drift->asked = look;
	drift->done = done;
	drift->done_arg = arg;
	drift->statements[look].count = 0;
	drift->statements[look].since = mono_after_ms(loop_now(drift->loop), -BEFORE_MS);
	market_balances_stale(drift->market);
	market_balances(drift->market, 0, balances_told, drift);
}

/* ---- judging ---------------------------------------------------------------------------- */

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

size_t drift_judge(struct drift *drift, int look, bool is_settled)
{
	const struct statement *statement = &drift->statements[look];
	size_t open = 0;

	for (size_t i = 0; i < statement->count; i++) {
		struct stated *stated = &statement->assets[i];

		if (!ledger_explain(drift->ledger, stated->asset, decimals_of(drift, stated->asset),
				    stated->total, statement->since, is_settled, &stated->drift))
			LOG(ERROR, "balance.unusable", F_STR("asset", stated->asset));
		open += decimal_sign(stated->drift) != 0;
	}
	if (!drift->has_base && !is_settled)
		return open + 1;
	if (!drift->has_base)
		ledger_begin(drift->ledger);
	drift->has_base = true;
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

/* Either the total stood still, whatever was booked meanwhile, or it moved as our own executions
 * did. */
static bool is_steady(const struct stated *before, const struct stated *now)
{
	return decimal_cmp(before->total, now->total) == 0 ||
	       decimal_cmp(before->drift, now->drift) == 0;
}

static void describe(const struct stated *stated, struct journal_finding *finding)
{
	struct decimal expected;
	char text[DECIMAL_TEXT_LEN];
	struct err err;

	*finding = (struct journal_finding){ .at = wall_now() };
	STR_SET(finding->class_, finding_class_word(FINDING_BALANCE_DRIFT));
	STR_SET(finding->action, finding_action_word(FINDING_REPORTED));
	STR_SET(finding->about, stated->asset);
	if (!decimal_sub(stated->total, stated->drift, &expected, &err))
		expected = DECIMAL_ZERO;
	snprintf(finding->journal, sizeof(finding->journal), "%s after own executions",
		 decimal_print(decimal_trim(expected), text));
	snprintf(finding->exchange, sizeof(finding->exchange), "%s free and locked",
		 decimal_print(decimal_trim(stated->total), text));
}

void drift_tell(struct drift *drift,
		void (*found)(void *arg, const struct journal_finding *finding), void *arg)
{
	const struct statement *second = &drift->statements[1];

	for (size_t i = 0; i < second->count; i++) {
		const struct stated *stated = &second->assets[i];
		const struct stated *before = find(&drift->statements[0], stated->asset);
		struct journal_finding finding;

		if (decimal_sign(stated->drift) == 0 || !before || !is_steady(before, stated))
			continue;
		describe(stated, &finding);
		ledger_accept(drift->ledger, stated->asset, stated->drift);
		found(arg, &finding);
	}
}
