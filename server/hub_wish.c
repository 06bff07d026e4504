#include "server/hub_parts.h"

#include <string.h>

#include "base/mem.h"
#include "server/auth.h"

static const enum dd_stream_kind market_kinds[] = { DD_STREAM_DEPTH, DD_STREAM_PRICE,
						    DD_STREAM_TRADES };
static const enum channel lossless[] = {
#define X(name, number, word) CHANNEL_##name,
	CHANNELS(X)
#undef X
};

static bool lists(const char *symbols, const char *symbol)
{
	size_t len = strlen(symbol);

	while (*symbols != '\0') {
		size_t item_len = strcspn(symbols, ",");

		if (item_len == len && strncmp(symbols, symbol, len) == 0)
			return true;
		symbols += item_len + (symbols[item_len] == ',');
	}
	return false;
}

/* "depth:ADAUSDM": the symbol begins behind the colon. */
static bool find_market(const char *channel, struct hub_target *target)
{
	for (size_t i = 0; i < ARRAY_LEN(market_kinds); i++) {
		const char *word = dd_stream_kind_word(market_kinds[i]);
		size_t len = strlen(word);

		if (strncmp(channel, word, len) != 0 || channel[len] != ':')
			continue;
		target->is_market = true;
		target->kind = market_kinds[i];
		target->symbol = channel + len + 1;
		return true;
	}
	return false;
}

static bool find_lossless(const char *channel, struct hub_target *target)
{
	for (size_t i = 0; i < ARRAY_LEN(lossless); i++) {
		if (strcmp(channel, channel_word(lossless[i])) != 0)
			continue;
		target->what.channel = lossless[i];
		return true;
	}
	return false;
}

/* Those who look after the daemon, and those who only look. */
static bool sees_all(const struct journal_token *token)
{
	return auth_allows(token, AUTH_OPS) || !auth_allows(token, AUTH_TRADE);
}

static bool check_market(const struct hub *hub, const struct journal_token *token,
			 const struct hub_target *target, struct err *err)
{
	if (!auth_allows(token, AUTH_MARKET))
		return err_set(err, ERR_SCOPE, "this channel needs the scope market");
	if (strlen(target->symbol) >= ORDER_SYMBOL_LEN ||
	    !hub->outside.is_symbol(hub->outside.arg, target->symbol))
		return err_set(err, ERR_INVALID, "there is no market %s", target->symbol);
	if (token->symbols[0] && !lists(token->symbols, target->symbol))
		return err_set(err, ERR_SCOPE, "this token is not for %s", target->symbol);
	return true;
}

/* Balances are the account's: nobody owns them, and no symbol is theirs. */
static bool choose_view(const struct journal_token *token, enum hub_owner owner,
			struct channel_view *what, struct err *err)
{
	if (!auth_allows(token, AUTH_READ))
		return err_set(err, ERR_SCOPE, "this channel needs the scope read");
	if (owner == HUB_OWNER_ANY && !sees_all(token))
		return err_set(err, ERR_SCOPE,
			       "the owner any needs the scope ops, or a token that cannot trade");
	if (what->channel == CHANNEL_BALANCES)
		return true;
	if (owner == HUB_OWNER_OWN || !sees_all(token))
		STR_SET(what->token_id, token->token_id);
	STR_SET(what->symbols, token->symbols);
	return true;
}

bool hub_wish_target(const struct hub *hub, const struct journal_token *token,
		     const struct hub_wish *wish, struct hub_target *target, struct err *err)
{
	*target = (struct hub_target){ .is_market = false };
	if (find_market(wish->channel, target))
		return check_market(hub, token, target, err);
	if (find_lossless(wish->channel, target))
		return choose_view(token, wish->owner, &target->what, err);
	return err_set(err, ERR_INVALID, "there is no channel %s", wish->channel);
}

bool hub_may_subscribe(struct hub *hub, const struct journal_token *token,
		       const struct hub_wish *wish, struct err *err)
{
	struct hub_target target;

	return hub_wish_target(hub, token, wish, &target, err);
}
