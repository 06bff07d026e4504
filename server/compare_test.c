#include "server/compare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define QUOTE_DECIMALS 6

static struct decimal of(const char *text)
{
	struct decimal value;
	struct err err;

	assert_true(decimal_parse(text, strlen(text), &value, &err));
	return value;
}

static struct dd_number number(const char *text)
{
	return (struct dd_number){ .value = of(text), .is_set = true };
}

static struct order buy_of_100(enum order_state state, const char *executed, const char *paid)
{
	return (struct order){ .terms = { .side = ORDER_BUY,
					  .type = ORDER_LIMIT,
					  .has_base_qty = true,
					  .base_qty = of("100"),
					  .has_price = true,
					  .price = of("0.45") },
			       .facts = { .state = state,
					  .executed_base_qty = of(executed),
					  .executed_quote_qty = of(paid) } };
}

static struct dd_order seen_of_100(enum dd_status status, const char *executed, const char *paid)
{
	return (struct dd_order){ .status = status,
				  .has_side = true,
				  .side = DD_BUY,
				  .base_qty = number("100.000000"),
				  .price = number("0.450"),
				  .executed_base_qty = number(executed),
				  .executed_quote_qty = number(paid) };
}

static void states_that_say_the_same_of_the_book_agree(void **unused)
{
	static const struct {
		enum order_state ours;
		enum dd_status theirs;
		bool differ, is_behind;
	} cases[] = {
		{ ORDER_OPEN, DD_STATUS_OPEN, false, false },
		{ ORDER_OPEN, DD_STATUS_PROCESSING, false, false },
		{ ORDER_FILLED, DD_STATUS_CLOSED, false, false },
		{ ORDER_FAILED, DD_STATUS_BUILDING, false, false },
		{ ORDER_REJECTED, DD_STATUS_FAILED, false, false },
		{ ORDER_CANCELLED, DD_STATUS_FAILED, false, false },
		{ ORDER_CANCELLED, DD_STATUS_BUILDING, false, false },
		{ ORDER_UNKNOWN, DD_STATUS_CLOSED, false, false }, /* being settled */
		{ ORDER_OPEN, DD_STATUS_UNKNOWN, false, false },
		{ ORDER_OPEN, DD_STATUS_CANCELLED, true, true },
		{ ORDER_OPEN, DD_STATUS_CLOSED, true, true },
		{ ORDER_CANCELLED, DD_STATUS_OPEN, true, false },
		{ ORDER_FILLED, DD_STATUS_CANCELLED, true, false },
		{ ORDER_FAILED, DD_STATUS_OPEN, true, false },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct order order = buy_of_100(cases[i].ours, "0", "0");
		struct dd_order seen = seen_of_100(cases[i].theirs, "0", "0");
		struct difference difference;

		assert_int_equal(compare_order(&order, &seen, QUOTE_DECIMALS, &difference),
				 cases[i].differ);
		assert_int_equal(difference.is_behind, cases[i].is_behind);
		if (cases[i].differ)
			assert_int_equal(difference.class_, FINDING_STATE_LAG);
	}
}

static void amounts_are_what_was_ordered_executed_and_paid(void **unused)
{
	struct order order = buy_of_100(ORDER_OPEN, "25", "11.25");
	struct dd_order seen = seen_of_100(DD_STATUS_OPEN, "25.0", "11.250001");
	struct difference difference;

	(void)unused;
	assert_false(compare_order(&order, &seen, QUOTE_DECIMALS, &difference));
	seen.executed_quote_qty = number("7.5");
	assert_true(compare_order(&order, &seen, QUOTE_DECIMALS, &difference));
	assert_int_equal(difference.class_, FINDING_AMOUNT_MISMATCH);
	assert_string_equal(difference.journal, "executed in quote 11.25");
	assert_string_equal(difference.exchange, "executed in quote 7.5");
	seen.executed_base_qty = number("30");
	assert_true(compare_order(&order, &seen, QUOTE_DECIMALS, &difference));
	assert_true(difference.is_behind);
	seen.price = number("0.46");
	assert_true(compare_order(&order, &seen, QUOTE_DECIMALS, &difference));
	assert_string_equal(difference.exchange, "price 0.46");
	seen = seen_of_100(DD_STATUS_OPEN, "25", "11.25");
	seen.side = DD_SELL;
	assert_true(compare_order(&order, &seen, QUOTE_DECIMALS, &difference));
	assert_string_equal(difference.journal, "side buy");
}

static void a_fill_is_what_was_executed_at_what_price_and_fee(void **unused)
{
	struct fill fill = { .base_qty = number("25").value,
			     .price = number("0.45").value,
			     .commission = number("0.025").value };
	struct dd_execution seen = { .base_qty = number("25.000").value,
				     .price = number("0.4500").value };
	struct difference difference;

	(void)unused;
	assert_false(compare_fill(&fill, &seen, &difference)); /* no fee is stated */
	seen.commission = number("0.025000");
	assert_false(compare_fill(&fill, &seen, &difference));
	seen.commission = number("0.03");
	assert_true(compare_fill(&fill, &seen, &difference));
	assert_int_equal(difference.class_, FINDING_AMOUNT_MISMATCH);
	assert_string_equal(difference.journal, "executed 25 at 0.45, fee 0.025");
	assert_string_equal(difference.exchange, "executed 25 at 0.45, fee 0.03");
	assert_true(compare_fill(&fill, NULL, &difference));
	assert_string_equal(difference.exchange, "not listed");
}

static void what_is_not_stated_does_not_differ(void **unused)
{
	struct order order = buy_of_100(ORDER_PARTIALLY_FILLED, "25", "11.25");
	struct dd_order seen = { .status = DD_STATUS_OPEN };
	struct difference difference;

	(void)unused;
	assert_false(compare_order(&order, &seen, QUOTE_DECIMALS, &difference));
}

static void an_order_is_described_in_a_line(void **unused)
{
	struct dd_order seen = seen_of_100(DD_STATUS_OPEN, "25", "11.25");
	struct order order = buy_of_100(ORDER_OPEN, "25", "11.25");
	char text[JOURNAL_EVIDENCE_LEN];

	(void)unused;
	compare_print_whole(&seen, text);
	assert_string_equal(text, "open, buy 100 at 0.45, executed 25");
	compare_print_ours(&order, text);
	assert_string_equal(text, "open, executed 25");
	seen.executed_base_qty.is_set = false;
	compare_print_theirs(&seen, text);
	assert_string_equal(text, "open, executed not stated");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_that_say_the_same_of_the_book_agree),
		cmocka_unit_test(amounts_are_what_was_ordered_executed_and_paid),
		cmocka_unit_test(a_fill_is_what_was_executed_at_what_price_and_fee),
		cmocka_unit_test(what_is_not_stated_does_not_differ),
		cmocka_unit_test(an_order_is_described_in_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
