#include "server/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SECOND        1000000
#define USDM_DECIMALS 6

static struct decimal of(const char *text)
{
	struct decimal value;
	struct err err;

	assert_true(decimal_parse(text, strlen(text), &value, &err));
	return value;
}

static struct mono at(int64_t seconds)
{
	return (struct mono){ seconds * SECOND };
}

static void buy(struct ledger *ledger, const char *base_qty, const char *quote_qty, int64_t now_s)
{
	ledger_trade(ledger,
		     &(struct ledger_trade){ .base = "ADA",
					     .quote = "USDM",
					     .is_buy = true,
					     .base_qty = of(base_qty),
					     .quote_qty = of(quote_qty),
					     .commission = of("0.1") },
		     at(now_s));
}

static void assert_drift(struct ledger *ledger, const char *asset, const char *total,
			 int64_t since_s, const char *drift)
{
	struct decimal found;
	char text[DECIMAL_TEXT_LEN];

	assert_true(
		ledger_explain(ledger, asset, USDM_DECIMALS, of(total), at(since_s), true, &found));
	assert_string_equal(decimal_print(found, text), drift);
}

static void our_own_executions_and_their_fees_explain_a_balance(void **unused)
{
	struct ledger *ledger = ledger_create();

	(void)unused;
	assert_drift(ledger, "ADA", "1000", 10, "0");
	assert_drift(ledger, "usdm", "500", 10, "0");
	buy(ledger, "100", "45.5", 20);
	assert_drift(ledger, "ada", "1099.9", 30, "0");
	assert_drift(ledger, "USDM", "454.5", 30, "0");
	ledger_destroy(ledger);
}

static void a_deposit_is_a_drift_until_it_is_accepted(void **unused)
{
	struct ledger *ledger = ledger_create();

	(void)unused;
	assert_drift(ledger, "ADA", "1000", 10, "0");
	buy(ledger, "100", "45.5", 20);
	assert_drift(ledger, "ADA", "1106.9", 30, "7");
	assert_drift(ledger, "ADA", "1106.9", 40, "7");
	ledger_accept(ledger, "ADA", of("7"));
	assert_drift(ledger, "ADA", "1106.9", 50, "0");
	ledger_destroy(ledger);
}

/* The figure was asked for at 20 and may be from before or after the execution booked at 21. */
static void an_execution_under_way_is_no_drift(void **unused)
{
	struct ledger *ledger = ledger_create();

	(void)unused;
	assert_drift(ledger, "ADA", "1000", 10, "0");
	buy(ledger, "100", "45.5", 21);
	assert_drift(ledger, "ADA", "1000", 20, "0");
	assert_drift(ledger, "ADA", "1099.9", 20, "0");
	assert_drift(ledger, "ADA", "1000", 22, "-99.9");
	ledger_destroy(ledger);
}

static void a_base_is_not_taken_while_executions_come(void **unused)
{
	struct ledger *ledger = ledger_create();
	struct decimal drift;

	(void)unused;
	assert_true(ledger_explain(ledger, "ADA", 6, of("1000"), at(10), false, &drift));
	buy(ledger, "100", "45.5", 11);
	assert_drift(ledger, "ADA", "1000", 10, "0"); /* it may be in there already */
	assert_drift(ledger, "ADA", "1000", 20, "0"); /* it was */
	assert_drift(ledger, "ADA", "1001", 30, "1");
	ledger_destroy(ledger);
}

static void what_rounding_leaves_does_not_add_up(void **unused)
{
	struct ledger *ledger = ledger_create();

	(void)unused;
	assert_drift(ledger, "USDM", "500", 10, "0");
	buy(ledger, "1", "1.0000007", 20);
	assert_drift(ledger, "USDM", "499", 30, "0");
	buy(ledger, "1", "1.0000007", 40);
	assert_drift(ledger, "USDM", "498", 50, "0");
	assert_drift(ledger, "USDM", "498.000001", 60, "0.000001");
	ledger_destroy(ledger);
}

static void an_asset_that_comes_up_later_was_none_before(void **unused)
{
	struct ledger *ledger = ledger_create();

	(void)unused;
	assert_drift(ledger, "ADA", "1000", 10, "0");
	ledger_begin(ledger);
	assert_drift(ledger, "IAG", "3", 20, "3");
	ledger_destroy(ledger);
}

static void a_long_history_keeps_its_sum(void **unused)
{
	struct ledger *ledger = ledger_create();

	(void)unused;
	assert_drift(ledger, "USDM", "5000", 10, "0");
	for (int i = 0; i < 1000; i++)
		buy(ledger, "1", "1", 20 + i);
	assert_drift(ledger, "USDM", "4000", 2000, "0");
	ledger_destroy(ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_own_executions_and_their_fees_explain_a_balance),
		cmocka_unit_test(a_deposit_is_a_drift_until_it_is_accepted),
		cmocka_unit_test(an_execution_under_way_is_no_drift),
		cmocka_unit_test(a_base_is_not_taken_while_executions_come),
		cmocka_unit_test(what_rounding_leaves_does_not_add_up),
		cmocka_unit_test(an_asset_that_comes_up_later_was_none_before),
		cmocka_unit_test(a_long_history_keeps_its_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
