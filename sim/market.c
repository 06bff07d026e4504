#include "sim/market.h"

#include <string.h>
#include <strings.h>

#define USDM_UNIT  "c69b981db7a65e339a6d783755f85a2e03afa1cece9714c55fe4c9135553444d"
#define NIGHT_UNIT "3363b99384d6ee4c4b009068af396c8fdf92dafd111e58a857af04294e49474854"
#define IAG_UNIT   "5d16cc1a177b5d9ba9cfa9793b07e60f1fb70fea1f8aef064415d114494147"

const struct asset market_assets[ASSET_COUNT] = {
	[ASSET_ADA] = { ASSET_ADA, "ADA", "lovelace", AMOUNT_SCALE, 2 },
	[ASSET_USDM] = { ASSET_USDM, "USDM", USDM_UNIT, AMOUNT_SCALE, 2 },
	[ASSET_NIGHT] = { ASSET_NIGHT, "NIGHT", NIGHT_UNIT, AMOUNT_SCALE, 2 },
	[ASSET_IAG] = { ASSET_IAG, "IAG", IAG_UNIT, AMOUNT_SCALE, 3 },
};

#define ASSET(name) &market_assets[ASSET_##name]
const struct pair market_pairs[PAIR_COUNT] = {
	[PAIR_ADAUSDM] = { PAIR_ADAUSDM, "ADAUSDM", ASSET(ADA), ASSET(USDM), 4, 750000000 },
	[PAIR_NIGHTUSDM] = { PAIR_NIGHTUSDM, "NIGHTUSDM", ASSET(NIGHT), ASSET(USDM), 5, 45000000 },
	[PAIR_IAGUSDM] = { PAIR_IAGUSDM, "IAGUSDM", ASSET(IAG), ASSET(USDM), 5, 270000000 },
};

const struct pair *market_pair(const char *symbol)
{
	for (size_t i = 0; i < PAIR_COUNT; i++)
		if (strcmp(market_pairs[i].symbol, symbol) == 0)
			return &market_pairs[i];
	return NULL;
}

const struct asset *market_asset(const char *symbol)
{
	for (size_t i = 0; i < ASSET_COUNT; i++)
		if (strcasecmp(market_assets[i].symbol, symbol) == 0 ||
		    strcmp(market_assets[i].unit, symbol) == 0)
			return &market_assets[i];
	return NULL;
}

const char *side_name(enum side side)
{
	return side == SIDE_BUY ? "buy" : "sell";
}

bool side_parse(const char *word, enum side *side)
{
	*side = strcmp(word, "sell") == 0 ? SIDE_SELL : SIDE_BUY;
	return strcmp(word, side_name(*side)) == 0;
}

bool units_of(struct decimal value, uint8_t scale, int64_t max, int64_t *units)
{
	int128 whole;

	value = decimal_trim(value);
	if (value.units < 0 || value.scale > scale || value.units > max)
		return false;
	whole = value.units;
	for (uint8_t place = value.scale; place < scale; place++)
		whole *= 10;
	if (whole > max)
		return false;
	*units = (int64_t)whole;
	return true;
}

const char *amount_print(int64_t units, char text[DECIMAL_TEXT_LEN])
{
	return decimal_print(decimal_trim(decimal_of(units, AMOUNT_SCALE)), text);
}

const char *price_print(int64_t price, char text[DECIMAL_TEXT_LEN])
{
	return decimal_print(decimal_trim(decimal_of(price, PRICE_SCALE)), text);
}

static int64_t capped(int128 units)
{
	return units > AMOUNT_MAX ? AMOUNT_MAX : (int64_t)units;
}

int64_t quote_units_of(int64_t base_units, int64_t price)
{
	return capped((int128)base_units * price / PRICE_ONE);
}

int64_t base_units_of(int64_t quote_units, int64_t price)
{
	return price > 0 ? capped((int128)quote_units * PRICE_ONE / price) : AMOUNT_MAX;
}

static int64_t step_of(uint8_t scale, uint8_t places)
{
	int64_t step = 1;

	for (uint8_t place = places; place < scale; place++)
		step *= 10;
	return step;
}

int64_t amount_step(uint8_t places)
{
	return step_of(AMOUNT_SCALE, places);
}

int64_t price_step(uint8_t places)
{
	return step_of(PRICE_SCALE, places);
}

int64_t round_down_to(int64_t value, int64_t step)
{
	return value - value % step;
}

int64_t round_up_to(int64_t value, int64_t step)
{
	return round_down_to(value + step - 1, step);
}

int64_t fee_of(int64_t units)
{
	return (int64_t)((int128)units * FEE_BP / 10000);
}
