#include "server/ledger.h"

#include <ctype.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

#define ASSET_LEN 24
#define STEPS_MAX 256 /* of history; the oldest go first */

/* The sum after an execution, and when that was booked. */
struct step {
	struct mono at;
	struct decimal sum;
};

struct account {
	struct decimal base, sum;
	bool has_base;
	int64_t trades; /* since the base was last set right */
	struct step steps[STEPS_MAX];
	size_t count; /* of steps; the first is the state before them */
};

struct ledger {
	struct map *accounts;
	bool has_begun;
};

struct ledger *ledger_create(void)
{
	struct ledger *ledger = mem_alloc(sizeof(*ledger));

	ledger->accounts = map_create();
	return ledger;
}

void ledger_destroy(struct ledger *ledger)
{
	const char *key;
	void *account;
	size_t at = 0;

	if (!ledger)
		return;
	while (map_next(ledger->accounts, &at, &key, &account))
		mem_free(account);
	map_destroy(ledger->accounts);
	mem_free(ledger);
}

static struct account *account_of(struct ledger *ledger, const char *asset)
{
	char key[ASSET_LEN] = "";
	struct account *account;

	for (size_t i = 0; i < sizeof(key) - 1 && asset[i] != '\0'; i++)
		key[i] = (char)toupper((unsigned char)asset[i]);
	account = map_get(ledger->accounts, key);
	if (!account) {
		account = mem_alloc(sizeof(*account));
		account->count = 1;
		account->has_base = ledger->has_begun;
		map_put(ledger->accounts, key, account);
	}
	return account;
}

static void move(struct account *account, struct decimal amount, bool is_out, struct mono now)
{
	struct decimal sum;
	struct err err;
	bool is_fine = is_out ? decimal_sub(account->sum, amount, &sum, &err)
			      : decimal_add(account->sum, amount, &sum, &err);

	if (!is_fine)
		return; /* beyond any balance: the drift that this leaves is worth a look */
	account->sum = decimal_trim(sum);
	account->trades++;
	if (account->count == STEPS_MAX) {
		account->count--;
		memmove(account->steps, account->steps + 1,
			account->count * sizeof(*account->steps));
	}
	account->steps[account->count++] = (struct step){ .at = now, .sum = account->sum };
}

void ledger_trade(struct ledger *ledger, const struct ledger_trade *trade, struct mono now)
{
	struct account *base = account_of(ledger, trade->base);
	struct account *quote = account_of(ledger, trade->quote);

	move(base, trade->base_qty, !trade->is_buy, now);
	move(quote, trade->quote_qty, trade->is_buy, now);
	if (decimal_sign(trade->commission) != 0)
		move(trade->is_buy == trade->is_commission_other ? quote : base, trade->commission,
		     true, now);
}

/* |rest| is less than what so many roundings may leave? */
static bool is_rounding(struct decimal rest, int64_t trades, int decimals)
{
	struct decimal most = decimal_of(trades, (uint8_t)decimals);

	if (decimal_sign(rest) < 0)
		rest.units = -rest.units;
	return decimal_cmp(rest, most) <= 0;
}

/* How the sum stood at some moment of the window, newest first. What rounding has left until the
 * newest becomes part of the base, so that it does not add up for ever. */
static bool is_explained(struct account *account, int decimals, struct decimal moved,
			 struct mono since)
{
	struct decimal rest;
	struct err err;

	for (size_t i = account->count; i-- > 0;) {
		if (!decimal_sub(moved, account->steps[i].sum, &rest, &err))
			return false;
		if (is_rounding(rest, account->trades, decimals)) {
			if (i == account->count - 1 &&
			    decimal_add(account->base, rest, &rest, &err)) {
				account->base = rest;
				account->trades = 0;
			}
			return true;
		}
		if (account->steps[i].at.us < since.us)
			break;
	}
	return false;
}

static bool take_base(struct account *account, struct decimal total, struct mono since,
		      bool is_settled)
{
	struct err err;

	if (!is_settled || account->steps[account->count - 1].at.us >= since.us)
		return true;
	account->trades = 0;
	account->has_base = decimal_sub(total, account->sum, &account->base, &err);
	return account->has_base;
}

bool ledger_explain(struct ledger *ledger, const char *asset, int decimals, struct decimal total,
		    struct mono since, bool is_settled, struct decimal *drift)
{
	struct account *account = account_of(ledger, asset);
	struct decimal moved;
	struct err err;

	*drift = DECIMAL_ZERO;
	if (!account->has_base)
		return take_base(account, total, since, is_settled);
	if (!decimal_sub(total, account->base, &moved, &err))
		return false;
	if (is_explained(account, decimals, moved, since))
		return true;
	if (!decimal_sub(moved, account->sum, drift, &err))
		return false;
	*drift = decimal_trim(*drift);
	return true;
}

void ledger_begin(struct ledger *ledger)
{
	ledger->has_begun = true;
}

void ledger_accept(struct ledger *ledger, const char *asset, struct decimal drift)
{
	struct account *account = account_of(ledger, asset);
	struct decimal base;
	struct err err;

	if (!decimal_add(account->base, drift, &base, &err))
		return;
	account->base = base;
	account->trades = 0;
}
