#include "server/order.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "base/mem.h"

#define AVERAGE_PLACES 12 /* as many as the exchange's datum gives to a price */

static const char *const state_names[ORDER_STATE_COUNT] = {
#define X(name, number, word) [ORDER_##name] = word,
	ORDER_STATES(X)
#undef X
};

static const char *const event_names[ORDER_EVENT_COUNT] = {
#define X(name, word) [EV_##name] = word,
	ORDER_EVENTS(X)
#undef X
};

/* Messages overtake each other: a fill can come before the ACK or after the CANCEL. A cell that is
 * absent is ORDER_NONE, a move that nobody may make. What the rows rest on:
 *  - only EXPIRE, which means that the exchange was asked, leads from where the order may be live
 *    back to where it is built anew; what is heard of the build before, which may live after all,
 *    ends that;
 *  - LOSE is about the answer to a submit, so it says nothing once the order was seen alive;
 *  - FAIL leads away from OPEN because the exchange may take an order and fail it before it is on
 *    the book, but never from where something has executed;
 *  - fills are booked in final states, and the state stays. */
static const enum order_state next_state[ORDER_STATE_COUNT][ORDER_EVENT_COUNT] = {
	[ORDER_ACCEPTED] = { [EV_DISPATCH] = ORDER_BUILDING,
			     [EV_ACK] = ORDER_OPEN,
			     [EV_REFUSE] = ORDER_REJECTED,
			     [EV_FAIL] = ORDER_FAILED,
			     [EV_FILL_PART] = ORDER_PARTIALLY_FILLED,
			     [EV_FILL_ALL] = ORDER_FILLED,
			     [EV_CANCEL] = ORDER_CANCELLED /* by its app, while it waits */ },
	[ORDER_BUILDING] = { [EV_REQUEUE] = ORDER_ACCEPTED,
			     [EV_SIGN] = ORDER_SUBMITTING,
			     [EV_ACK] = ORDER_OPEN,
			     [EV_REFUSE] = ORDER_REJECTED,
			     [EV_FAIL] = ORDER_FAILED,
			     [EV_FILL_PART] = ORDER_PARTIALLY_FILLED,
			     [EV_FILL_ALL] = ORDER_FILLED,
			     [EV_CANCEL] = ORDER_CANCELLED /* by its app; nothing was signed */ },
	[ORDER_SUBMITTING] = { [EV_ACK] = ORDER_OPEN,
			       [EV_LOSE] = ORDER_UNKNOWN,
			       [EV_REFUSE] = ORDER_REJECTED,
			       [EV_EXPIRE] = ORDER_BUILDING /* asked: it never lived */,
			       [EV_FAIL] = ORDER_FAILED,
			       [EV_FILL_PART] = ORDER_PARTIALLY_FILLED,
			       [EV_FILL_ALL] = ORDER_FILLED,
			       [EV_CANCEL] = ORDER_CANCELLED },
	[ORDER_UNKNOWN] = { [EV_ACK] = ORDER_OPEN,
			    [EV_LOSE] = ORDER_UNKNOWN,
			    [EV_REFUSE] = ORDER_REJECTED,
			    [EV_EXPIRE] = ORDER_BUILDING,
			    [EV_FAIL] = ORDER_FAILED,
			    [EV_FILL_PART] = ORDER_PARTIALLY_FILLED,
			    [EV_FILL_ALL] = ORDER_FILLED,
			    [EV_CANCEL] = ORDER_CANCELLED },
	[ORDER_OPEN] = { [EV_ACK] = ORDER_OPEN,
			 [EV_FAIL] = ORDER_FAILED,
			 [EV_FILL_PART] = ORDER_PARTIALLY_FILLED,
			 [EV_FILL_ALL] = ORDER_FILLED,
			 [EV_CANCEL] = ORDER_CANCELLED },
	[ORDER_PARTIALLY_FILLED] = { [EV_ACK] = ORDER_PARTIALLY_FILLED,
				     [EV_FILL_PART] = ORDER_PARTIALLY_FILLED,
				     [EV_FILL_ALL] = ORDER_FILLED,
				     [EV_CANCEL] = ORDER_CANCELLED },
	[ORDER_FILLED] = { [EV_FILL_PART] = ORDER_FILLED, [EV_FILL_ALL] = ORDER_FILLED },
	[ORDER_CANCELLED] = { [EV_FILL_PART] = ORDER_CANCELLED,
			      [EV_FILL_ALL] = ORDER_CANCELLED,
			      [EV_CANCEL] = ORDER_CANCELLED },
};

bool order_step(struct order *order, enum order_event event, struct err *err)
{
	enum order_state from = order->facts.state;
	enum order_state to = next_state[from][event];

	if (to == ORDER_NONE)
		return err_set(err, ERR_ORDER_STATE, "%s while %s", order_event_name(event),
			       order_state_name(from));
	order->facts.state = to;
	return true;
}

bool order_can(const struct order *order, enum order_event event)
{
	return next_state[order->facts.state][event] != ORDER_NONE;
}

/* A commission in another unit than the others of its order is no addend; its fill keeps it. */
static bool add_commission(struct order_facts *facts, const struct fill *fill, struct err *err)
{
	if (!facts->commission_unit[0])
		STR_SET(facts->commission_unit, fill->commission_unit);
	if (strcmp(facts->commission_unit, fill->commission_unit) != 0)
		return true;
	return decimal_add(facts->commission, fill->commission, &facts->commission, err);
}

bool order_book_fill(struct order *order, const struct fill *fill, struct err *err)
{
	struct order_facts facts = order->facts;
	enum order_state to = next_state[facts.state][EV_FILL_PART];

	if (!decimal_add(facts.executed_base_qty, fill->base_qty, &facts.executed_base_qty, err) ||
	    !decimal_add(facts.executed_quote_qty, fill->quote_qty, &facts.executed_quote_qty,
			 err) ||
	    !add_commission(&facts, fill, err))
		return false;
	facts.executed_base_qty = decimal_trim(facts.executed_base_qty);
	facts.executed_quote_qty = decimal_trim(facts.executed_quote_qty);
	facts.commission = decimal_trim(facts.commission);
	if (to != ORDER_NONE)
		facts.state = to;
	order->facts = facts;
	return true;
}

bool order_is_final(enum order_state state)
{
	return state == ORDER_FILLED || state == ORDER_CANCELLED || state == ORDER_REJECTED ||
	       state == ORDER_FAILED;
}

bool order_is_live(enum order_state state)
{
	return state == ORDER_OPEN || state == ORDER_PARTIALLY_FILLED;
}

bool order_may_be_live(enum order_state state)
{
	return order_is_live(state) || state == ORDER_SUBMITTING || state == ORDER_UNKNOWN;
}

bool order_base_qty(const struct order *order, struct decimal *qty)
{
	if (order->terms.has_base_qty)
		*qty = order->terms.base_qty;
	else if (order->facts.has_exchange_base_qty)
		*qty = order->facts.exchange_base_qty;
	else
		return false;
	return true;
}

bool order_average_price(const struct order *order, struct decimal *price)
{
	const struct order_facts *facts = &order->facts;
	struct err err;

	if (decimal_sign(facts->executed_base_qty) <= 0 ||
	    !decimal_div(facts->executed_quote_qty, facts->executed_base_qty, AVERAGE_PLACES,
			 DECIMAL_DOWN, price, &err))
		return false;
	*price = decimal_trim(*price);
	return true;
}

const char *order_state_name(enum order_state state)
{
	return state_names[state];
}

const char *order_event_name(enum order_event event)
{
	return event_names[event];
}

const char *order_side_name(enum order_side side)
{
	return side == ORDER_BUY ? "buy" : "sell";
}

const char *order_type_name(enum order_type type)
{
	return type == ORDER_LIMIT ? "limit" : "market";
}

bool order_state_parse(const char *word, enum order_state *state)
{
	for (int i = ORDER_NONE + 1; i < ORDER_STATE_COUNT; i++) {
		if (strcmp(word, state_names[i]) == 0) {
			*state = (enum order_state)i;
			return true;
		}
	}
	return false;
}

void order_set_error(struct order *order, const struct err *err)
{
	STR_SET(order->facts.error_code, err_word(err->code));
	order->facts.exchange_code = err->exchange_code;
	STR_SET(order->facts.error, err->text);
}

/* 16 bytes in 26 characters of five bits, most significant first: text order is number order. */
static void print_base32(const uint8_t bytes[16], char text[27])
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	unsigned pending = 0;
	int bits = 2; /* 130 - 128: the first character carries three bits */
	char *at = text;

	for (int i = 0; i < 16; i++) {
		pending = pending << 8 | bytes[i];
		for (bits += 8; bits >= 5; bits -= 5)
			*at++ = digits[pending >> (bits - 5) & 31];
		pending &= (1u << bits) - 1;
	}
	*at = '\0';
}

void order_make_id(const char *prefix, struct wall now, char id[ORDER_ID_LEN])
{
	uint64_t ms = (uint64_t)now.us / 1000;
	size_t prefix_len = strlen(prefix);
	uint8_t bytes[16];

	assert(prefix_len + 27 <= ORDER_ID_LEN);
	randombytes_buf(bytes, sizeof(bytes));
	for (int i = 0; i < 6; i++)
		bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
	memcpy(id, prefix, prefix_len);
	print_base32(bytes, id + prefix_len);
}
