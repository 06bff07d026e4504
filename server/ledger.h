/* ledger.h - do our own executions explain how the account's balances moved?
 *
 * For each asset: what our own executions have added and taken, in the order in which the exchange
 * made them, and its `base`, what was there without them. A stated total (free + locked, so that
 * placing and cancelling change nothing) is explained when it equals the base and the sum of the
 * first so many executions. How many is not known: the figure was true at some moment between
 * shortly before the question and now, while executions go on. So a statement allows several
 * bases, one for each execution that may be the last in it, and so may be what is known of the
 * base: a set, that each further statement narrows. There is no need for a quiet moment.
 *
 * Each execution may leave less than the asset's smallest unit unexplained, as the exchange keeps
 * whole units. Pure. */
#ifndef SERVER_LEDGER_H
#define SERVER_LEDGER_H
#include <stdbool.h>

#include "base/clock.h"
#include "base/decimal.h"

struct ledger;

struct ledger *ledger_create(void);
void ledger_destroy(struct ledger *ledger); /* NULL is fine */

/* An execution of ours. Assets are tickers, in any letter case. */
struct ledger_trade {
	const char *base, *quote;
	bool is_buy;
	struct decimal base_qty, quote_qty;
	struct decimal commission; /* in what was received, */
	bool is_commission_other;  /* unless it is in the other one */
	struct wall executed;      /* the exchange's time; 0: after all that are known */
};
void ledger_trade(struct ledger *ledger, const struct ledger_trade *trade, struct mono now);

struct ledger_statement {
	struct decimal total;
	int decimals;         /* of the asset's smallest unit */
	struct mono since;    /* what was known of before is in the figure */
	struct mono answered; /* the likeliest moment is before this one */
};
enum ledger_verdict {
	LEDGER_NO_BASE, /* the asset has none yet */
	LEDGER_EXPLAINED,
	LEDGER_DRIFT,
};
/* By what is known of now: an execution that is told later may explain more. */
enum ledger_verdict ledger_judge(struct ledger *ledger, const char *asset,
				 const struct ledger_statement *statement);
/* By now every execution up to it is known: it gives the asset its base, or narrows it. */
void ledger_learn(struct ledger *ledger, const char *asset,
		  const struct ledger_statement *statement);
/* All assets were stated: those that come up later were 0 until then. */
void ledger_begin(struct ledger *ledger);
/* Two statements that are not explained. True: they drift by the same, which is from now on part
 * of the base. *drift: how much; where several amounts would do, the likeliest. */
bool ledger_accept(struct ledger *ledger, const char *asset, const struct ledger_statement *first,
		   const struct ledger_statement *second, struct decimal *drift);
#endif
