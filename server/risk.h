/* risk.h - refuses orders before anything is sent. Pure.
 *
 * The exchange's own rules as far as they are known (places, positive amounts, the minimum value
 * of 5 quote units), so that a mistake costs no request; and the operator's limits (largest
 * order, price band, open orders, symbols of a token). */
#ifndef SERVER_RISK_H
#define SERVER_RISK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/decimal.h"
#include "base/err.h"
#include "server/order.h"

struct dd_market;

struct risk_limits {
	bool has_max_order_value, has_price_band;
	struct decimal max_order_value; /* quote units */
	struct decimal price_band_pct;  /* from the last price, either way */
	struct decimal min_order_value; /* quote units */
	int64_t max_open_orders;        /* 0: no limit */
};

struct risk_view {
	const struct dd_market *rules;    /* of the order's symbol; NULL: no such pair */
	const struct decimal *last_price; /* NULL: not known; then the band is not checked */
	size_t open_orders, open_orders_own;
	/* The token's own limits; NULL and 0: none. */
	const char *symbols; /* "ADAUSDM,NIGHTUSDM", "" for all */
	const struct decimal *max_order_value_own;
	int max_open_orders_own;
};

/* Must the last price be known to tell whether the order is within the limits? Without it the
 * band and the value of a market order in base units go unchecked: a caller who wants them kept
 * asks for the price first, and refuses the order if there is none. */
bool risk_needs_price(const struct risk_limits *limits, const struct risk_view *view,
		      const struct order_terms *terms);

/* ERR_INVALID for what the exchange would refuse, ERR_RISK for the operator's limits. */
MUST_CHECK bool risk_check(const struct risk_limits *limits, const struct risk_view *view,
			   const struct order_terms *terms, struct err *err);
#endif
