/* ledger.h - do our own executions explain how the account's balances moved?
 *
 * For each asset: `base`, what was there when it was first looked at, and the sum of what our own
 * executions have added and taken since, with its recent history. A stated total (free + locked,
 * so that placing and cancelling change nothing) is explained when it equals base and the sum as
 * it stood at some moment of the window between shortly before the question and now: an execution
 * may be in the figure before it is booked here, or the other way round. Each execution may leave
 * less than the asset's smallest unit unexplained, as the exchange keeps whole units. Pure. */
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
};
void ledger_trade(struct ledger *ledger, const struct ledger_trade *trade, struct mono now);

/* A total that was asked for at `since`, or shortly after. decimals: of the asset's smallest unit.
 * is_settled: whatever was under way then is booked by now. *drift: what is not explained, as of
 * now; 0 when it is, and while there is no base. An asset gets its base from a settled total
 * without an execution in its window, since any other may lie before or after that execution.
 * False: the figures overflow. */
MUST_CHECK bool ledger_explain(struct ledger *ledger, const char *asset, int decimals,
			       struct decimal total, struct mono since, bool is_settled,
			       struct decimal *drift);
/* All assets were stated: those that come up later were 0 until then. */
void ledger_begin(struct ledger *ledger);
/* A drift that was told: from now on it is part of the base. */
void ledger_accept(struct ledger *ledger, const char *asset, struct decimal drift);
#endif
