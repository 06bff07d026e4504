#include "server/ledger.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

#define ASSET_LEN 24
#define STEPS_MAX 1024 /* of history; the oldest go first */
#define BASES_MAX 256

/* What an execution added, and when it was told here. */
struct step {
	struct wall executed;
	struct mono told;
	struct decimal amount;
};

/* A base that a statement allows, and how far from the likeliest one it is, in executions. */
struct candidate {
	struct decimal base;
	size_t distance;
};

struct account {
	struct candidate bases[BASES_MAX]; /* the likeliest first */
	size_t base_count;                 /* 0: none yet */
	int64_t trades;                    /* since the bases were last learnt */
	struct decimal start;              /* the sum of what is history no more */
	struct mono forgotten;             /* when the newest of that was told */
	struct step *steps;                /* as the exchange made them */
	size_t count, room;
	int64_t clocks_us; /* ours against the exchange's: no execution is told before it is made */
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
	void *value;
	size_t at = 0;

	if (!ledger)
		return;
	while (map_next(ledger->accounts, &at, &key, &value)) {
		struct account *account = value;

		mem_free(account->steps);
		mem_free(account);
	}
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
		account->base_count = ledger->has_begun; /* of one base, which is 0 */
		account->forgotten.us = INT64_MIN;
		account->clocks_us = INT64_MAX;
		map_put(ledger->accounts, key, account);
	}
	return account;
}

/* ---- executions ------------------------------------------------------------------------- */

/* Beyond any balance the sum stands still: the drift that this leaves is worth a look. */
static void add_to(struct decimal *sum, struct decimal amount)
{
	struct decimal more;
	struct err err;

	if (decimal_add(*sum, amount, &more, &err))
		*sum = decimal_trim(more);
}

static void make_room(struct account *account)
{
	if (account->count == STEPS_MAX) {
		add_to(&account->start, account->steps[0].amount);
		if (account->steps[0].told.us > account->forgotten.us)
			account->forgotten = account->steps[0].told;
		account->count--;
		memmove(account->steps, account->steps + 1,
			account->count * sizeof(*account->steps));
	}
	if (account->count < account->room)
		return;
	account->room = account->room ? 2 * account->room : 16;
	account->steps = mem_grow(account->steps, account->room * sizeof(*account->steps));
}

static void move(struct account *account, struct decimal amount, struct wall executed,
		 struct mono now)
{
	size_t at;

	make_room(account);
	at = account->count;
	if (executed.us == 0 && at > 0)
		executed = account->steps[at - 1].executed;
	while (at > 0 && account->steps[at - 1].executed.us > executed.us)
		at--;
	memmove(account->steps + at + 1, account->steps + at,
		(account->count - at) * sizeof(*account->steps));
	account->steps[at] = (struct step){ .executed = executed, .told = now, .amount = amount };
	account->count++;
	account->trades++;
	if (executed.us != 0 && now.us - executed.us < account->clocks_us)
		account->clocks_us = now.us - executed.us;
}

static struct decimal negative(struct decimal value)
{
	value.units = -value.units;
	return value;
}

void ledger_trade(struct ledger *ledger, const struct ledger_trade *trade, struct mono now)
{
	struct decimal base = trade->is_buy ? trade->base_qty : negative(trade->base_qty);
	struct decimal quote = trade->is_buy ? negative(trade->quote_qty) : trade->quote_qty;
	bool is_fee_in_base = trade->is_buy != trade->is_commission_other;

	add_to(is_fee_in_base ? &base : &quote, negative(trade->commission));
	move(account_of(ledger, trade->base), base, trade->executed, now);
	move(account_of(ledger, trade->quote), quote, trade->executed, now);
}

/* ---- what a statement allows ------------------------------------------------------------ */

/* The first execution that may not be in the figure. */
static size_t first_open(const struct account *account, struct mono since)
{
	size_t i = 0;

	while (i < account->count && account->steps[i].told.us < since.us)
		i++;
	return i;
}

/* As many executions are likely to be in it. */
static size_t likely_count(const struct account *account, struct mono answered)
{
	size_t i = account->count;

	while (i > 0 && account->clocks_us != INT64_MAX &&
	       account->steps[i - 1].executed.us + account->clocks_us > answered.us)
		i--;
	return i;
}

/* Its window goes back to what is history no more. */
static bool is_blind(const struct account *account, const struct ledger_statement *statement)
{
	return account->forgotten.us >= statement->since.us;
}

/* All bases that it allows; to be freed by the caller. */
static struct candidate *list_allowed(const struct account *account,
				      const struct ledger_statement *statement, size_t *count)
{
	size_t from = first_open(account, statement->since);
	size_t likely = likely_count(account, statement->answered);
	struct candidate *allowed = mem_array(account->count - from + 1, sizeof(*allowed));
	struct decimal sum = account->start;
	struct err err;

	*count = 0;
	for (size_t i = 0; i <= account->count; i++) {
		if (i >= from && decimal_sub(statement->total, sum, &allowed[*count].base, &err))
			allowed[(*count)++].distance = i > likely ? i - likely : likely - i;
		if (i < account->count)
			add_to(&sum, account->steps[i].amount);
	}
	return allowed;
}

/* Equal but for what so many roundings may leave? */
static bool is_same(struct decimal one, struct decimal other, int64_t trades, int decimals)
{
	struct decimal rest;
	struct err err;

	if (!decimal_sub(one, other, &rest, &err))
		return false;
	if (decimal_sign(rest) < 0)
		rest = negative(rest);
	return decimal_cmp(rest, decimal_of(trades, (uint8_t)decimals)) <= 0;
}

static bool is_among(struct decimal base, const struct candidate *list, size_t count,
		     int64_t trades, int decimals)
{
	for (size_t i = 0; i < count; i++)
		if (is_same(base, list[i].base, trades, decimals))
			return true;
	return false;
}

/* Keeps the likeliest in front. False: too many to be kept. */
static bool add_base(struct candidate bases[BASES_MAX], size_t *count,
		     const struct candidate *candidate)
{
	size_t at = 0;

	while (at < *count && decimal_cmp(bases[at].base, candidate->base) != 0)
		at++;
	if (at == BASES_MAX)
		return false;
	if (at == *count)
		bases[(*count)++] = *candidate;
	else if (candidate->distance < bases[at].distance)
		bases[at].distance = candidate->distance;
	if (bases[at].distance < bases[0].distance) {
		struct candidate first = bases[0];

		bases[0] = bases[at];
		bases[at] = first;
	}
	return true;
}

/* Those allowed that are among `known`, or all of them when that is NULL, become the bases. False:
 * there are none, or too many, and nothing changes. */
static bool take_bases(struct account *account, const struct ledger_statement *statement,
		       const struct candidate *known, size_t known_count, int64_t trades)
{
	size_t allowed_count, count = 0;
	struct candidate *allowed = list_allowed(account, statement, &allowed_count);
	struct candidate *bases = mem_array(BASES_MAX, sizeof(*bases));
	bool is_taken = true;

	for (size_t i = 0; i < allowed_count && is_taken; i++)
		if (!known ||
		    is_among(allowed[i].base, known, known_count, trades, statement->decimals))
			is_taken = add_base(bases, &count, &allowed[i]);
	is_taken = is_taken && count > 0;
	if (is_taken) {
		memcpy(account->bases, bases, count * sizeof(*bases));
		account->base_count = count;
		account->trades = (int64_t)(account->count - first_open(account, statement->since));
	}
	mem_free(bases);
	mem_free(allowed);
	return is_taken;
}

/* ---- judging ---------------------------------------------------------------------------- */

enum ledger_verdict ledger_judge(struct ledger *ledger, const char *asset,
				 const struct ledger_statement *statement)
{
	const struct account *account = account_of(ledger, asset);
	struct candidate *allowed;
	bool is_explained = false;
	size_t count;

	if (account->base_count == 0)
		return LEDGER_NO_BASE;
	if (is_blind(account, statement))
		return LEDGER_EXPLAINED;
	allowed = list_allowed(account, statement, &count);
	for (size_t i = count; i-- > 0 && !is_explained;)
		is_explained = is_among(allowed[i].base, account->bases, account->base_count,
					account->trades, statement->decimals);
	mem_free(allowed);
	return is_explained ? LEDGER_EXPLAINED : LEDGER_DRIFT;
}

void ledger_learn(struct ledger *ledger, const char *asset,
		  const struct ledger_statement *statement)
{
	struct account *account = account_of(ledger, asset);
	bool has_base = account->base_count > 0;

	if (is_blind(account, statement))
		return;
	(void)take_bases(account, statement, has_base ? account->bases : NULL, account->base_count,
			 account->trades);
}

void ledger_begin(struct ledger *ledger)
{
	ledger->has_begun = true;
}

bool ledger_accept(struct ledger *ledger, const char *asset, const struct ledger_statement *first,
		   const struct ledger_statement *second, struct decimal *drift)
{
	struct account *account = account_of(ledger, asset);
	struct decimal before = account->bases[0].base;
	struct candidate *allowed;
	bool is_accepted;
	struct err err;
	size_t count;

	if (account->base_count == 0 || is_blind(account, first))
		return false;
	allowed = list_allowed(account, first, &count);
	is_accepted = take_bases(account, second, allowed, count,
				 (int64_t)(account->count - first_open(account, first->since))) &&
		      decimal_sub(account->bases[0].base, before, drift, &err);
	if (is_accepted)
		*drift = decimal_trim(*drift);
	mem_free(allowed);
	return is_accepted;
}
