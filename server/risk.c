#include "server/risk.h"

#include <string.h>

#include "client/deltadefi.h"

/* ---- what the exchange would refuse ----------------------------------------------------- */

static bool check_amount(const char *name, struct decimal amount, int places_max, struct err *err)
{
	if (decimal_sign(amount) <= 0)
		return err_set(err, ERR_INVALID, "%s must be above 0", name);
	if (decimal_places(amount) > places_max)
		return err_set(err, ERR_INVALID, "%s may have %d decimal places", name, places_max);
	return true;
}

static bool check_amounts(const struct dd_market *rules, const struct order_terms *terms,
			  struct err *err)
{
	return (!terms->has_base_qty ||
		check_amount("base_quantity", terms->base_qty, rules->base.max_qty_dp, err)) &&
	       (!terms->has_quote_qty ||
		check_amount("quote_quantity", terms->quote_qty, rules->quote.max_qty_dp, err)) &&
	       (!terms->has_price || check_amount("price", terms->price, rules->price_max_dp, err));
}

/* ---- the order's value in quote units --------------------------------------------------- */

static bool value_of(const struct order_terms *terms, const struct decimal *last_price,
		     struct decimal *value, bool *is_known, struct err *err)
{
	const struct decimal *price = terms->has_price ? &terms->price : last_price;

	*is_known = true;
	if (terms->has_quote_qty) {
		*value = terms->quote_qty;
		return true;
	}
	*is_known = price != NULL;
	return !price || decimal_mul(terms->base_qty, *price, value, err);
}

static bool check_max(struct decimal value, struct decimal max, const char *whose, struct err *err)
{
	char value_text[DECIMAL_TEXT_LEN], max_text[DECIMAL_TEXT_LEN];

	if (decimal_cmp(value, max) <= 0)
		return true;
	return err_set(err, ERR_RISK, "the order's value of %s quote units is above %s of %s",
		       decimal_print(decimal_trim(value), value_text), whose,
		       decimal_print(max, max_text));
}

static bool check_value(const struct risk_limits *limits, const struct risk_view *view,
			const struct order_terms *terms, struct err *err)
{
	char value_text[DECIMAL_TEXT_LEN], min_text[DECIMAL_TEXT_LEN];
	struct decimal value;
	bool is_known;

	if (!value_of(terms, view->last_price, &value, &is_known, err))
		return false;
	if (!is_known)
		return true;
	/* What a market order will fetch is only known roughly: its minimum is left to the
	 * exchange. */
	if ((terms->has_price || terms->has_quote_qty) &&
	    decimal_cmp(value, limits->min_order_value) < 0)
		return err_set(err, ERR_INVALID,
			       "the order's value of %s quote units is below the least of %s",
			       decimal_print(decimal_trim(value), value_text),
			       decimal_print(limits->min_order_value, min_text));
	if (limits->has_max_order_value &&
	    !check_max(value, limits->max_order_value, "the limit", err))
		return false;
	return !view->max_order_value_own ||
	       check_max(value, *view->max_order_value_own, "the token's limit", err);
}

/* ---- the operator's limits -------------------------------------------------------------- */

static bool is_listed(const char *list, const char *symbol)
{
	size_t len = strlen(symbol);

	while (*list != '\0') {
		size_t item_len = strcspn(list, ",");

		if (item_len == len && strncmp(list, symbol, len) == 0)
			return true;
		list += item_len + (list[item_len] == ',');
	}
	return false;
}

static bool check_symbol(const struct risk_view *view, const struct order_terms *terms,
			 struct err *err)
{
	if (!view->rules)
		return err_set(err, ERR_INVALID, "the exchange has no pair %s", terms->symbol);
	if (view->symbols && view->symbols[0] != '\0' && !is_listed(view->symbols, terms->symbol))
		return err_set(err, ERR_RISK, "this token may not trade %s", terms->symbol);
	return true;
}

static bool check_open_orders(const struct risk_limits *limits, const struct risk_view *view,
			      struct err *err)
{
	if (limits->max_open_orders > 0 && view->open_orders >= (size_t)limits->max_open_orders)
		return err_set(err, ERR_RISK, "%zu orders are open, as many as may be",
			       view->open_orders);
	if (view->max_open_orders_own > 0 &&
	    view->open_orders_own >= (size_t)view->max_open_orders_own)
		return err_set(err, ERR_RISK, "this token has %zu open orders, as many as it may",
			       view->open_orders_own);
	return true;
}

/* |price - last| * 100 <= last * band. */
static bool check_band(const struct risk_limits *limits, const struct risk_view *view,
		       const struct order_terms *terms, struct err *err)
{
	struct decimal distance, scaled, most;
	char last_text[DECIMAL_TEXT_LEN], band_text[DECIMAL_TEXT_LEN];

	if (!limits->has_price_band || !terms->has_price || !view->last_price)
		return true;
	if (!decimal_sub(terms->price, *view->last_price, &distance, err) ||
	    !decimal_mul(distance, decimal_of(100, 0), &scaled, err) ||
	    !decimal_mul(*view->last_price, limits->price_band_pct, &most, err))
		return false;
	scaled.units = scaled.units < 0 ? -scaled.units : scaled.units;
	if (decimal_cmp(scaled, most) <= 0)
		return true;
	return err_set(err, ERR_RISK, "the price is more than %s %% away from the last one of %s",
		       decimal_print(limits->price_band_pct, band_text),
		       decimal_print(*view->last_price, last_text));
}

bool risk_needs_price(const struct risk_limits *limits, const struct risk_view *view,
		      const struct order_terms *terms)
{
	bool has_max_value = limits->has_max_order_value || view->max_order_value_own;

	if (terms->has_price)
		return limits->has_price_band;
	return has_max_value && terms->has_base_qty;
}

bool risk_check(const struct risk_limits *limits, const struct risk_view *view,
		const struct order_terms *terms, struct err *err)
{
	return check_symbol(view, terms, err) && check_amounts(view->rules, terms, err) &&
	       check_value(limits, view, terms, err) && check_band(limits, view, terms, err) &&
	       check_open_orders(limits, view, err);
}
