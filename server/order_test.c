#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "server/order.h"

static struct decimal dec(const char *text)
{
	struct decimal value;
	struct err err;

	if (!decimal_parse(text, strlen(text), &value, &err))
		fail_msg("%s", err.text);
	return value;
}

#define assert_decimal(value, text)                                            \
	do {                                                                   \
		char printed_[DECIMAL_TEXT_LEN];                               \
		assert_string_equal(decimal_print((value), printed_), (text)); \
	} while (0)

static struct order order_in(enum order_state state)
{
	return (struct order){ .facts = { .state = state } };
}

static struct fill fill_of(const char *base, const char *price)
{
	struct fill fill = { .base_qty = dec(base), .price = dec(price), .commission = dec("0.1") };
	struct err err;

	STR_SET(fill.commission_unit, "lovelace");
	assert_true(decimal_mul(fill.base_qty, fill.price, &fill.quote_qty, &err));
	return fill;
}

/* Every move there is; what is not here is no move. Kept apart from the code's own table so that
 * a change has to be made, and thought about, twice. */
static const struct {
	enum order_state from;
	enum order_event event;
	enum order_state to;
} moves[] = {
	{ ORDER_ACCEPTED, EV_DISPATCH, ORDER_BUILDING },
	{ ORDER_ACCEPTED, EV_ACK, ORDER_OPEN },
	{ ORDER_ACCEPTED, EV_REFUSE, ORDER_REJECTED },
	{ ORDER_ACCEPTED, EV_FAIL, ORDER_FAILED },
	{ ORDER_ACCEPTED, EV_FILL_PART, ORDER_PARTIALLY_FILLED },
	{ ORDER_ACCEPTED, EV_FILL_ALL, ORDER_FILLED },
	{ ORDER_ACCEPTED, EV_CANCEL, ORDER_CANCELLED },
	{ ORDER_BUILDING, EV_REQUEUE, ORDER_ACCEPTED },
	{ ORDER_BUILDING, EV_SIGN, ORDER_SUBMITTING },
	{ ORDER_BUILDING, EV_ACK, ORDER_OPEN },
	{ ORDER_BUILDING, EV_REFUSE, ORDER_REJECTED },
	{ ORDER_BUILDING, EV_FAIL, ORDER_FAILED },
	{ ORDER_BUILDING, EV_FILL_PART, ORDER_PARTIALLY_FILLED },
	{ ORDER_BUILDING, EV_FILL_ALL, ORDER_FILLED },
	{ ORDER_BUILDING, EV_CANCEL, ORDER_CANCELLED },
	{ ORDER_SUBMITTING, EV_ACK, ORDER_OPEN },
	{ ORDER_SUBMITTING, EV_LOSE, ORDER_UNKNOWN },
	{ ORDER_SUBMITTING, EV_REFUSE, ORDER_REJECTED },
	{ ORDER_SUBMITTING, EV_EXPIRE, ORDER_BUILDING },
	{ ORDER_SUBMITTING, EV_FAIL, ORDER_FAILED },
	{ ORDER_SUBMITTING, EV_FILL_PART, ORDER_PARTIALLY_FILLED },
	{ ORDER_SUBMITTING, EV_FILL_ALL, ORDER_FILLED },
	{ ORDER_SUBMITTING, EV_CANCEL, ORDER_CANCELLED },
	{ ORDER_UNKNOWN, EV_ACK, ORDER_OPEN },
	{ ORDER_UNKNOWN, EV_LOSE, ORDER_UNKNOWN },
	{ ORDER_UNKNOWN, EV_REFUSE, ORDER_REJECTED },
	{ ORDER_UNKNOWN, EV_EXPIRE, ORDER_BUILDING },
	{ ORDER_UNKNOWN, EV_FAIL, ORDER_FAILED },
	{ ORDER_UNKNOWN, EV_FILL_PART, ORDER_PARTIALLY_FILLED },
	{ ORDER_UNKNOWN, EV_FILL_ALL, ORDER_FILLED },
	{ ORDER_UNKNOWN, EV_CANCEL, ORDER_CANCELLED },
	{ ORDER_OPEN, EV_ACK, ORDER_OPEN },
	{ ORDER_OPEN, EV_FAIL, ORDER_FAILED },
	{ ORDER_OPEN, EV_FILL_PART, ORDER_PARTIALLY_FILLED },
	{ ORDER_OPEN, EV_FILL_ALL, ORDER_FILLED },
	{ ORDER_OPEN, EV_CANCEL, ORDER_CANCELLED },
	{ ORDER_PARTIALLY_FILLED, EV_ACK, ORDER_PARTIALLY_FILLED },
	{ ORDER_PARTIALLY_FILLED, EV_FILL_PART, ORDER_PARTIALLY_FILLED },
	{ ORDER_PARTIALLY_FILLED, EV_FILL_ALL, ORDER_FILLED },
	{ ORDER_PARTIALLY_FILLED, EV_CANCEL, ORDER_CANCELLED },
	{ ORDER_FILLED, EV_FILL_PART, ORDER_FILLED },
	{ ORDER_FILLED, EV_FILL_ALL, ORDER_FILLED },
	{ ORDER_CANCELLED, EV_FILL_PART, ORDER_CANCELLED },
	{ ORDER_CANCELLED, EV_FILL_ALL, ORDER_CANCELLED },
	{ ORDER_CANCELLED, EV_CANCEL, ORDER_CANCELLED },
};

static enum order_state expected(enum order_state from, enum order_event event)
{
	for (size_t i = 0; i < ARRAY_LEN(moves); i++)
		if (moves[i].from == from && moves[i].event == event)
			return moves[i].to;
	return ORDER_NONE;
}

static void every_pair_of_state_and_event_does_what_the_list_says(void **unused)
{
	(void)unused;
	for (int from = 0; from < ORDER_STATE_COUNT; from++) {
		for (int event = 0; event < ORDER_EVENT_COUNT; event++) {
			struct order order = order_in((enum order_state)from);
			enum order_state to = expected(order.facts.state, (enum order_event)event);
			struct err err;

			assert_int_equal(order_can(&order, (enum order_event)event),
					 to != ORDER_NONE);
			if (order_step(&order, (enum order_event)event, &err)) {
				assert_int_equal(order.facts.state, to);
				continue;
			}
			assert_int_equal(to, ORDER_NONE);
			assert_int_equal(order.facts.state, from);
		}
	}
}

static void a_move_that_is_not_in_the_table_names_both(void **unused)
{
	struct order order = order_in(ORDER_FILLED);
	struct err err;

	(void)unused;
	assert_false(order_step(&order, EV_LOSE, &err));
	assert_int_equal(err.code, ERR_ORDER_STATE);
	assert_non_null(strstr(err.text, "lose"));
	assert_non_null(strstr(err.text, "filled"));
}

/* An order that may be live must not be built anew: that could buy twice. */
static void only_a_proven_expiry_allows_a_rebuild(void **unused)
{
	(void)unused;
	for (int from = ORDER_BUILDING; from < ORDER_STATE_COUNT; from++) {
		for (int event = 0; event < ORDER_EVENT_COUNT; event++) {
			struct order order = order_in((enum order_state)from);
			struct err err;

			if (!order_step(&order, (enum order_event)event, &err))
				continue;
			if (order.facts.state == ORDER_BUILDING)
				assert_int_equal(event, EV_EXPIRE);
			if (order.facts.state == ORDER_ACCEPTED) {
				assert_int_equal(from, ORDER_BUILDING);
				assert_int_equal(event, EV_REQUEUE);
			}
		}
	}
}

static void nothing_leaves_a_final_state(void **unused)
{
	(void)unused;
	for (int from = 0; from < ORDER_STATE_COUNT; from++) {
		if (!order_is_final((enum order_state)from))
			continue;
		for (int event = 0; event < ORDER_EVENT_COUNT; event++) {
			struct order order = order_in((enum order_state)from);
			struct err err;

			if (order_step(&order, (enum order_event)event, &err))
				assert_int_equal(order.facts.state, from);
		}
	}
}

static void nothing_that_executed_becomes_failed_or_rejected(void **unused)
{
	static const enum order_state executed[] = { ORDER_PARTIALLY_FILLED, ORDER_FILLED,
						     ORDER_CANCELLED };

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(executed); i++) {
		struct order order = order_in(executed[i]);

		assert_false(order_can(&order, EV_FAIL));
		assert_false(order_can(&order, EV_REFUSE));
	}
}

/* Whatever may be live can be seen to execute and to be cancelled: messages overtake each other. */
static void what_may_be_live_takes_fills_and_cancels(void **unused)
{
	(void)unused;
	for (int state = 0; state < ORDER_STATE_COUNT; state++) {
		struct order order = order_in((enum order_state)state);

		if (!order_may_be_live((enum order_state)state))
			continue;
		assert_true(order_can(&order, EV_ACK));
		assert_true(order_can(&order, EV_FILL_PART));
		assert_true(order_can(&order, EV_FILL_ALL));
		assert_true(order_can(&order, EV_CANCEL));
	}
}

static void every_state_is_either_final_or_can_become_so(void **unused)
{
	(void)unused;
	for (int state = ORDER_ACCEPTED; state < ORDER_STATE_COUNT; state++) {
		struct order order = order_in((enum order_state)state);

		assert_true(order_is_final((enum order_state)state) ||
			    order_can(&order, EV_CANCEL));
		assert_false(order_is_final((enum order_state)state) &&
			     order_may_be_live((enum order_state)state));
		if (order_is_live((enum order_state)state))
			assert_true(order_may_be_live((enum order_state)state));
	}
}

static void state_words_are_read_back_as_the_same_state(void **unused)
{
	enum order_state parsed;

	(void)unused;
	for (int state = ORDER_NONE + 1; state < ORDER_STATE_COUNT; state++) {
		assert_true(order_state_parse(order_state_name((enum order_state)state), &parsed));
		assert_int_equal(parsed, state);
	}
	assert_false(order_state_parse("none", &parsed));
	assert_false(order_state_parse("Open", &parsed));
	assert_false(order_state_parse("", &parsed));
}

static void fills_add_up_and_mark_the_order_as_partially_filled(void **unused)
{
	struct order order = order_in(ORDER_OPEN);
	struct fill first = fill_of("40", "0.45"), second = fill_of("60.5", "0.449");
	struct decimal average;
	struct err err;

	(void)unused;
	assert_false(order_average_price(&order, &average));
	assert_true(order_book_fill(&order, &first, &err));
	assert_int_equal(order.facts.state, ORDER_PARTIALLY_FILLED);
	assert_true(order_average_price(&order, &average));
	assert_decimal(average, "0.45");
	assert_true(order_book_fill(&order, &second, &err));
	assert_decimal(order.facts.executed_base_qty, "100.5");
	assert_decimal(order.facts.executed_quote_qty, "45.1645");
	assert_decimal(order.facts.commission, "0.2");
	assert_string_equal(order.facts.commission_unit, "lovelace");
	assert_true(order_average_price(&order, &average));
	assert_decimal(average, "0.44939800995");
}

static void a_fill_is_booked_whatever_the_state_and_final_states_stay(void **unused)
{
	(void)unused;
	for (int state = ORDER_ACCEPTED; state < ORDER_STATE_COUNT; state++) {
		struct order order = order_in((enum order_state)state);
		struct fill fill = fill_of("1", "2");
		struct err err;

		assert_true(order_book_fill(&order, &fill, &err));
		assert_decimal(order.facts.executed_base_qty, "1");
		if (!order_is_final((enum order_state)state))
			assert_int_equal(order.facts.state, ORDER_PARTIALLY_FILLED);
		else
			assert_int_equal(order.facts.state, state);
	}
}

static void a_fill_that_does_not_fit_leaves_the_order_as_it_was(void **unused)
{
	struct order order = order_in(ORDER_OPEN);
	struct fill fill = fill_of("1", "1");
	struct err err;

	(void)unused;
	order.facts.executed_quote_qty = dec("9999999999999999999999999999999999999");
	assert_false(order_book_fill(&order, &fill, &err));
	assert_int_equal(err.code, ERR_OVERFLOW);
	assert_int_equal(order.facts.state, ORDER_OPEN);
	assert_decimal(order.facts.executed_base_qty, "0");
	assert_string_equal(order.facts.commission_unit, "");
}

static void a_commission_in_another_unit_is_not_added(void **unused)
{
	struct order order = order_in(ORDER_OPEN);
	struct fill ada = fill_of("1", "1"), usdm = fill_of("1", "1");
	struct err err;

	(void)unused;
	STR_SET(usdm.commission_unit, "c48cbb3d");
	assert_true(order_book_fill(&order, &ada, &err));
	assert_true(order_book_fill(&order, &usdm, &err));
	assert_decimal(order.facts.commission, "0.1");
	assert_string_equal(order.facts.commission_unit, "lovelace");
	assert_decimal(order.facts.executed_base_qty, "2");
}

static void the_ordered_base_is_the_apps_figure_or_else_the_exchanges(void **unused)
{
	struct order order = order_in(ORDER_OPEN);
	struct decimal qty;

	(void)unused;
	assert_false(order_base_qty(&order, &qty));
	order.facts.has_exchange_base_qty = true;
	order.facts.exchange_base_qty = dec("22.1");
	assert_true(order_base_qty(&order, &qty));
	assert_decimal(qty, "22.1");
	order.terms.has_base_qty = true;
	order.terms.base_qty = dec("22");
	assert_true(order_base_qty(&order, &qty));
	assert_decimal(qty, "22");
}

static void an_error_is_kept_as_word_exchange_code_and_text(void **unused)
{
	struct order order = order_in(ORDER_REJECTED);
	struct err err;

	(void)unused;
	err_set(&err, ERR_REFUSED, "insufficient balance");
	err.exchange_code = 4050;
	order_set_error(&order, &err);
	assert_string_equal(order.facts.error_code, "exchange-refused");
	assert_string_equal(order.facts.error, "insufficient balance");
	assert_int_equal(order.facts.exchange_code, 4050);
}

static void a_later_millisecond_makes_a_greater_id(void **unused)
{
	static const int64_t ms[] = { 0,
				      1,
				      31,
				      32,
				      1023,
				      1024,
				      1795345325122,
				      1795345325123,
				      4102444800000,
				      253402300799999 };
	char last[ORDER_ID_LEN] = "";

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(ms); i++) {
		char id[ORDER_ID_LEN];

		order_make_id("ord_", (struct wall){ ms[i] * 1000 + 999 }, id);
		assert_true(strcmp(last, id) < 0);
		STR_SET(last, id);
	}
}

static void an_id_is_its_prefix_and_26_characters_of_base_32(void **unused)
{
	char id[ORDER_ID_LEN], other[ORDER_ID_LEN];

	(void)unused;
	order_make_id("ord_", (struct wall){ 1795345325123456 }, id);
	order_make_id("ord_", (struct wall){ 1795345325123456 }, other);
	assert_int_equal(strlen(id), 4 + 26);
	assert_memory_equal(id, "ord_", 4);
	assert_int_equal(strspn(id + 4, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), 26);
	assert_memory_equal(id, other, 4 + 10); /* the time, of which 50 bits hold 48 */
	assert_string_not_equal(id, other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair_of_state_and_event_does_what_the_list_says),
		cmocka_unit_test(a_move_that_is_not_in_the_table_names_both),
		cmocka_unit_test(only_a_proven_expiry_allows_a_rebuild),
		cmocka_unit_test(nothing_leaves_a_final_state),
		cmocka_unit_test(nothing_that_executed_becomes_failed_or_rejected),
		cmocka_unit_test(what_may_be_live_takes_fills_and_cancels),
		cmocka_unit_test(every_state_is_either_final_or_can_become_so),
		cmocka_unit_test(state_words_are_read_back_as_the_same_state),
		cmocka_unit_test(fills_add_up_and_mark_the_order_as_partially_filled),
		cmocka_unit_test(a_fill_is_booked_whatever_the_state_and_final_states_stay),
		cmocka_unit_test(a_fill_that_does_not_fit_leaves_the_order_as_it_was),
		cmocka_unit_test(a_commission_in_another_unit_is_not_added),
		cmocka_unit_test(the_ordered_base_is_the_apps_figure_or_else_the_exchanges),
		cmocka_unit_test(an_error_is_kept_as_word_exchange_code_and_text),
		cmocka_unit_test(a_later_millisecond_makes_a_greater_id),
		cmocka_unit_test(an_id_is_its_prefix_and_26_characters_of_base_32),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
