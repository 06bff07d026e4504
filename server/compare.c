#include "server/compare.h"

#include <stdio.h>
#include <string.h>

#define ROUNDINGS_MAX 1000

enum place { PLACE_NONE, PLACE_LIVE, PLACE_FILLED, PLACE_CANCELLED, PLACE_UNKNOWN };

static enum place place_of_status(enum dd_status status)
{
	switch (status) {
	case DD_STATUS_PROCESSING:
	case DD_STATUS_OPEN:
	case DD_STATUS_PARTIALLY_FILLED:
		return PLACE_LIVE;
	case DD_STATUS_CLOSED:
	case DD_STATUS_FULLY_FILLED:
		return PLACE_FILLED;
	case DD_STATUS_CANCELLED:
	case DD_STATUS_PARTIALLY_CANCELLED:
		return PLACE_CANCELLED;
	case DD_STATUS_BUILDING:
	case DD_STATUS_FAILED:
		return PLACE_NONE;
	case DD_STATUS_UNKNOWN:
	case DD_STATUS_COUNT:
		break;
	}
	return PLACE_UNKNOWN;
}

static enum place place_of_state(enum order_state state)
{
	if (order_is_live(state))
		return PLACE_LIVE;
	if (state == ORDER_FILLED)
		return PLACE_FILLED;
	if (state == ORDER_CANCELLED)
		return PLACE_CANCELLED;
	return order_is_final(state) ? PLACE_NONE : PLACE_UNKNOWN;
}

bool compare_is_live(enum dd_status status)
{
	return place_of_status(status) == PLACE_LIVE;
}

/* An order cancelled here before it was sent was never there; one that failed there after it had
 * executed is cancelled here. */
static bool is_same_place(const struct order *order, const struct dd_order *seen)
{
	enum place ours = place_of_state(order->facts.state);
	enum place theirs = place_of_status(seen->status);

	return ours == theirs || ours == PLACE_UNKNOWN || theirs == PLACE_UNKNOWN ||
	       (ours == PLACE_CANCELLED && theirs == PLACE_NONE);
}

static const char *status_word(const struct dd_order *seen)
{
	return seen->status == DD_STATUS_UNKNOWN ? seen->status_text : dd_status_word(seen->status);
}

void compare_print_ours(const struct order *order, char text[JOURNAL_EVIDENCE_LEN])
{
	char executed[DECIMAL_TEXT_LEN];

	snprintf(text, JOURNAL_EVIDENCE_LEN, "%s, executed %s",
		 order_state_name(order->facts.state),
		 decimal_print(order->facts.executed_base_qty, executed));
}

static const char *print_number(const struct dd_number *number, char text[DECIMAL_TEXT_LEN])
{
	return number->is_set ? decimal_print(decimal_trim(number->value), text) : "not stated";
}

void compare_print_theirs(const struct dd_order *seen, char text[JOURNAL_EVIDENCE_LEN])
{
	char executed[DECIMAL_TEXT_LEN];

	snprintf(text, JOURNAL_EVIDENCE_LEN, "%s, executed %s", status_word(seen),
		 print_number(&seen->executed_base_qty, executed));
}

void compare_print_whole(const struct dd_order *seen, char text[JOURNAL_EVIDENCE_LEN])
{
	char qty[DECIMAL_TEXT_LEN], price[DECIMAL_TEXT_LEN], executed[DECIMAL_TEXT_LEN];

	snprintf(text, JOURNAL_EVIDENCE_LEN, "%s, %s %s at %s, executed %s", status_word(seen),
		 !seen->has_side        ? "order of"
		 : seen->side == DD_BUY ? "buy"
					: "sell",
		 print_number(&seen->base_qty, qty), print_number(&seen->price, price),
		 print_number(&seen->executed_base_qty, executed));
}

/* ---- amounts ---------------------------------------------------------------------------- */

static bool differ(struct difference *difference, const char *what, struct decimal ours,
		   struct decimal theirs)
{
	char number[DECIMAL_TEXT_LEN];

	difference->class_ = FINDING_AMOUNT_MISMATCH;
	snprintf(difference->journal, JOURNAL_EVIDENCE_LEN, "%s %s", what,
		 decimal_print(decimal_trim(ours), number));
	snprintf(difference->exchange, JOURNAL_EVIDENCE_LEN, "%s %s", what,
		 decimal_print(decimal_trim(theirs), number));
	return true;
}

static bool is_other(bool has_ours, struct decimal ours, const struct dd_number *theirs)
{
	return has_ours && theirs->is_set && decimal_cmp(ours, theirs->value) != 0;
}

static bool differs_in_terms(const struct order *order, const struct dd_order *seen,
			     struct difference *difference)
{
	const struct order_terms *terms = &order->terms;
	bool is_buy = terms->side == ORDER_BUY;

	if (is_other(terms->has_base_qty, terms->base_qty, &seen->base_qty))
		return differ(difference, "ordered", terms->base_qty, seen->base_qty.value);
	if (is_other(terms->type == ORDER_LIMIT && terms->has_price, terms->price, &seen->price))
		return differ(difference, "price", terms->price, seen->price.value);
	if (!seen->has_side || is_buy == (seen->side == DD_BUY))
		return false;
	difference->class_ = FINDING_AMOUNT_MISMATCH;
	snprintf(difference->journal, JOURNAL_EVIDENCE_LEN, "side %s", is_buy ? "buy" : "sell");
	snprintf(difference->exchange, JOURNAL_EVIDENCE_LEN, "side %s", is_buy ? "sell" : "buy");
	return true;
}

/* Each execution may be rounded by a unit, and how many there were is not always told. */
static bool is_rounding(struct decimal ours, struct decimal theirs, const struct dd_order *seen,
			int quote_decimals)
{
	int64_t executions =
		seen->has_executions ? (int64_t)seen->execution_count + 1 : ROUNDINGS_MAX;
	struct decimal rest;
	struct err err;

	if (!decimal_sub(ours, theirs, &rest, &err))
		return false;
	if (decimal_sign(rest) < 0)
		rest.units = -rest.units;
	return decimal_cmp(rest, decimal_of(executions, (uint8_t)quote_decimals)) <= 0;
}

static bool differs_in_executed(const struct order *order, const struct dd_order *seen,
				int quote_decimals, struct difference *difference)
{
	const struct order_facts *facts = &order->facts;

	if (is_other(true, facts->executed_base_qty, &seen->executed_base_qty)) {
		difference->is_behind =
			decimal_cmp(facts->executed_base_qty, seen->executed_base_qty.value) < 0;
		return differ(difference, "executed", facts->executed_base_qty,
			      seen->executed_base_qty.value);
	}
	return is_other(true, facts->executed_quote_qty, &seen->executed_quote_qty) &&
	       !is_rounding(facts->executed_quote_qty, seen->executed_quote_qty.value, seen,
			    quote_decimals) &&
	       differ(difference, "executed in quote", facts->executed_quote_qty,
		      seen->executed_quote_qty.value);
}

bool compare_order(const struct order *order, const struct dd_order *seen, int quote_decimals,
		   struct difference *difference)
{
	memset(difference, 0, sizeof(*difference));
	if (place_of_status(seen->status) == PLACE_UNKNOWN ||
	    place_of_state(order->facts.state) == PLACE_UNKNOWN)
		return false;
	if (is_same_place(order, seen))
		return differs_in_terms(order, seen, difference) ||
		       differs_in_executed(order, seen, quote_decimals, difference);
	difference->class_ = FINDING_STATE_LAG;
	difference->is_behind = order_is_live(order->facts.state);
	compare_print_ours(order, difference->journal);
	compare_print_theirs(seen, difference->exchange);
	return true;
}

/* ---- fills ------------------------------------------------------------------------------ */

static void print_fill(struct decimal base_qty, struct decimal price, struct decimal commission,
		       char text[JOURNAL_EVIDENCE_LEN])
{
	char qty[DECIMAL_TEXT_LEN], at[DECIMAL_TEXT_LEN], fee[DECIMAL_TEXT_LEN];

	snprintf(text, JOURNAL_EVIDENCE_LEN, "executed %s at %s, fee %s",
		 decimal_print(decimal_trim(base_qty), qty), decimal_print(decimal_trim(price), at),
		 decimal_print(decimal_trim(commission), fee));
}

bool compare_fill(const struct fill *fill, const struct dd_execution *seen,
		  struct difference *difference)
{
	struct decimal commission = fill->commission;

	memset(difference, 0, sizeof(*difference));
	difference->class_ = FINDING_AMOUNT_MISMATCH;
	print_fill(fill->base_qty, fill->price, commission, difference->journal);
	if (!seen) {
		snprintf(difference->exchange, JOURNAL_EVIDENCE_LEN, "not listed");
		return true;
	}
	if (seen->commission.is_set)
		commission = seen->commission.value;
	print_fill(seen->base_qty, seen->price, commission, difference->exchange);
	return decimal_cmp(fill->base_qty, seen->base_qty) != 0 ||
	       decimal_cmp(fill->price, seen->price) != 0 ||
	       decimal_cmp(fill->commission, commission) != 0;
}
