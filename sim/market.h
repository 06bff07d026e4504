/* market.h - what is traded, and the arithmetic of amounts and prices.
 *
 * Amounts are whole smallest units (`int64_t ..._units`; every asset here has six places), prices
 * are whole billionths of the quote asset for one base asset (`int64_t price`). Products go
 * through 128 bits; amounts stay below AMOUNT_MAX. Pure.
 *
 * Assets, units and places are those of the exchange's preprod network as published; the unit of
 * IAG there is not known and made up, and so are starting prices and price limits. */
#ifndef SIM_MARKET_H
#define SIM_MARKET_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/decimal.h"

#define AMOUNT_SCALE 6
#define AMOUNT_MAX   INT64_C(100000000000000000) /* 10^17 units: 10^11 ADA */
#define PRICE_SCALE  9
#define PRICE_ONE    INT64_C(1000000000)
#define PRICE_MAX    (INT64_C(1000000) * PRICE_ONE)
#define FEE_BP       10

enum asset_id { ASSET_ADA, ASSET_USDM, ASSET_NIGHT, ASSET_IAG, ASSET_COUNT };
enum pair_id { PAIR_ADAUSDM, PAIR_NIGHTUSDM, PAIR_IAGUSDM, PAIR_COUNT };
enum side { SIDE_BUY, SIDE_SELL };

struct asset {
	enum asset_id id;
	const char *symbol, *unit;
	uint8_t decimals;   /* AMOUNT_SCALE */
	uint8_t max_qty_dp; /* places allowed in quantities */
};

struct pair {
	enum pair_id id;
	const char *symbol;
	const struct asset *base, *quote;
	uint8_t price_max_dp;
	int64_t price_start; /* told as market price until the first trade */
};

extern const struct asset market_assets[ASSET_COUNT];
extern const struct pair market_pairs[PAIR_COUNT];

const struct pair *market_pair(const char *symbol);   /* NULL when unknown */
const struct asset *market_asset(const char *symbol); /* ticker in any case, or unit; NULL */
const char *side_name(enum side side);
bool side_parse(const char *word, enum side *side);

/* False when value is negative, needs more than scale places or is above max. */
bool units_of(struct decimal value, uint8_t scale, int64_t max, int64_t *units);
const char *amount_print(int64_t units, char text[DECIMAL_TEXT_LEN]); /* "4302.1", no padding */
const char *price_print(int64_t price, char text[DECIMAL_TEXT_LEN]);

/* floor(base x price) and floor(quote / price); what passes AMOUNT_MAX gives AMOUNT_MAX. */
int64_t quote_units_of(int64_t base_units, int64_t price);
int64_t base_units_of(int64_t quote_units, int64_t price);

/* The smallest step of a quantity or a price with so many places. */
int64_t amount_step(uint8_t places);
int64_t price_step(uint8_t places);
int64_t round_down_to(int64_t value, int64_t step);
int64_t round_up_to(int64_t value, int64_t step);
int64_t fee_of(int64_t units); /* floor(units x FEE_BP / 10000) */
#endif
