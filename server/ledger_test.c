#include "server/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SECOND   1000000
#define DECIMALS 6

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

/* The exchange's clock is an hour ahead. */
static void trade(struct ledger *ledger, bool is_buy, const char *base_qty, const char *quote_qty,
		  int64_t executed_s, int64_t told_s)
{
	ledger_trade(ledger,
		     &(struct ledger_trade){ .base = "ADA",
					     .quote = "USDM",
					     .is_buy = is_buy,
					     .base_qty = of(base_qty),
					     .quote_qty = of(quote_qty),
					     .commission = of("0.1"),
					     .executed = { (executed_s + 3600) * SECOND } },
		     at(told_s));
}

static void buy(struct ledger *ledger, const char *base_qty, const char *quote_qty, int64_t now_s)
{
	trade(ledger, true, base_qty, quote_qty, now_s, now_s);
}

static struct ledger_statement stated(const char *total, int64_t since_s, int64_t answered_s)
{
	return (struct ledger_statement){ .total = of(total),
					  .decimals = DECIMALS,
					  .since = at(since_s),
					  .answered = at(answered_s) };
}

static void learn(struct ledger *ledger, const char *asset, const char *total, int64_t since_s)
{
	struct ledger_statement statement = stated(total, since_s, since_s);

	ledger_learn(ledger, asset, &statement);
}

static void assert_verdict(struct ledger *ledger, const char *asset, const char *total,
			   int64_t since_s, enum ledger_verdict verdict)
{
	struct ledger_statement statement = stated(total, since_s, since_s);

	assert_int_equal(ledger_judge(ledger, asset, &statement), verdict);
}

/* Both asked for at the time they were answered. */
static bool accept(struct ledger *ledger, const char *asset, const char *first, int64_t first_s,
		   const char *second, int64_t second_s, const char *drift)
{
	struct ledger_statement one = stated(first, first_s, first_s);
	struct ledger_statement other = stated(second, second_s, second_s);
	struct decimal amount;
	char text[DECIMAL_TEXT_LEN];

	if (!ledger_accept(ledger, asset, &one, &other, &amount))
		return false;
	assert_string_equal(decimal_print(amount, text), drift);
	return true;
}

static void our_own_executions_and_their_fees_explain_a_balance(void **unused)
{
	struct ledger *ledger = ledger_create();

	(void)unused;
	assert_verdict(ledger, "ADA", "1000", 10, LEDGER_NO_BASE);
	learn(ledger, "ADA", "1000", 10);
	learn(ledger, "usdm", "500", 10);
	buy(ledger, "100", "45.5", 20);
	assert_verdict(ledger, "ada", "1099.9", 30, LEDGER_EXPLAINED);
	assert_verdict(ledger, "USDM", "454.5", 30, LEDGER_EXPLAINED);
	trade(ledger, false, "50", "25", 40, 40);
	assert_verdict(ledger, "ADA", "1049.9", 50, LEDGER_EXPLAINED);
	assert_verdict(ledger, "USDM", "479.4", 50, LEDGER_EXPLAINED);
	ledger_destroy(ledger);
}

static void a_deposit_is_a_drift_until_it_is_accepted(void **unused)
{
	struct ledger *ledger = ledger_create();

	(void)unused;
	learn(ledger, "ADA", "1000", 10);
	buy(ledger, "100", "45.5", 20);
	assert_verdict(ledger, "ADA", "1106.9", 30, LEDGER_DRIFT);
	learn(ledger, "ADA", "1106.9", 30); /* what is not explained teaches nothing */
	assert_verdict(ledger, "ADA", "1106.9", 40, LEDGER_DRIFT);
	assert_true(accept(ledger, "ADA", "1106.9", 30, "1106.9", 40, "7"));
	assert_verdict(ledger, "ADA", "1106.9", 50, LEDGER_EXPLAINED);
	ledger_destroy(ledger);
}

static void what_moves_in_another_way_each_time_is_not_accepted(void **unused)
{
	struct ledger *ledger = ledger_create();

	(void)unused;
	learn(ledger, "ADA", "1000", 10);
	assert_false(accept(ledger, "ADA", "1007", 20, "1009", 30, ""));
	assert_verdict(ledger, "ADA", "1009", 40, LEDGER_DRIFT);
	ledger_destroy(ledger);
}

/* The figure was asked for at 20 and may be from before or after the execution told at 21. */
static void an_execution_under_way_is_no_drift(void **unused)
{
	struct ledger *ledger = ledger_create();

	(void)unused;
	learn(ledger, "ADA", "1000", 10);
	buy(ledger, "100", "45.5", 21);
	assert_verdict(ledger, "ADA", "1000", 20, LEDGER_EXPLAINED);
	assert_verdict(ledger, "ADA", "1099.9", 20, LEDGER_EXPLAINED);
	assert_verdict(ledger, "ADA", "1000", 22, LEDGER_DRIFT);
	ledger_destroy(ledger);
}

static void an_execution_that_is_told_late_is_where_it_was_made(void **unused)
{
	struct ledger *ledger = ledger_create();

	(void)unused;
	learn(ledger, "ADA", "1000", 10);
	trade(ledger, true, "10", "4.5", 22, 22);
	assert_verdict(ledger, "ADA", "1099.9", 20, LEDGER_DRIFT);
	trade(ledger, true, "100", "45", 21, 30); /* it was in the figure, before the other one */
	assert_verdict(ledger, "ADA", "1099.9", 20, LEDGER_EXPLAINED);
	assert_verdict(ledger, "ADA", "1109.8", 31, LEDGER_EXPLAINED);
	ledger_destroy(ledger);
}

/* Somebody trades every second: the base is never seen by itself. */
static void a_base_and_a_drift_are_found_without_a_quiet_moment(void **unused)
{
	struct ledger *ledger = ledger_create();

	(void)unused;
	buy(ledger, "10", "1", 11);
	buy(ledger, "20", "1", 12);
	learn(ledger, "ADA", "1009.9", 10); /* a base of 1009.9, 1000 or 980.1 */
	assert_verdict(ledger, "ADA", "1029.8", 13, LEDGER_EXPLAINED);
	assert_verdict(ledger, "ADA", "1009.9", 13, LEDGER_EXPLAINED);
	buy(ledger, "40", "1", 14);
	learn(ledger, "ADA", "1029.8", 13); /* 1000 or 960.1 */
	assert_verdict(ledger, "ADA", "1069.7", 15, LEDGER_EXPLAINED);
	assert_verdict(ledger, "ADA", "1049.8", 15, LEDGER_DRIFT);
	buy(ledger, "80", "1", 16); /* and 7 come in */
	buy(ledger, "90", "1", 17);
	assert_verdict(ledger, "ADA", "1156.6", 16, LEDGER_DRIFT);
	assert_verdict(ledger, "ADA", "1246.5", 17, LEDGER_DRIFT);
	assert_true(accept(ledger, "ADA", "1156.6", 16, "1246.5", 17, "7"));
	assert_verdict(ledger, "ADA", "1246.5", 18, LEDGER_EXPLAINED);
	ledger_destroy(ledger);
}

static void what_rounding_leaves_does_not_add_up(void **unused)
{
	struct ledger *ledger = ledger_create();

	(void)unused;
	learn(ledger, "USDM", "500", 10);
	buy(ledger, "1", "1.0000007", 20);
	assert_verdict(ledger, "USDM", "499", 30, LEDGER_EXPLAINED);
	learn(ledger, "USDM", "499", 30);
	buy(ledger, "1", "1.0000007", 40);
	assert_verdict(ledger, "USDM", "498", 50, LEDGER_EXPLAINED);
	learn(ledger, "USDM", "498", 50);
	assert_verdict(ledger, "USDM", "498.000001", 60, LEDGER_DRIFT);
	ledger_destroy(ledger);
}

static void an_asset_that_comes_up_later_was_none_before(void **unused)
{
	struct ledger *ledger = ledger_create();

	(void)unused;
	learn(ledger, "ADA", "1000", 10);
	ledger_begin(ledger);
	assert_verdict(ledger, "IAG", "3", 20, LEDGER_DRIFT);
	assert_true(accept(ledger, "IAG", "3", 20, "3", 30, "3"));
	ledger_destroy(ledger);
}

static void a_long_history_keeps_its_sum(void **unused)
{
	struct ledger *ledger = ledger_create();

	(void)unused;
	learn(ledger, "USDM", "5000", 10);
	for (int i = 0; i < 3000; i++)
		buy(ledger, "1", "1", 20 + i);
	assert_verdict(ledger, "USDM", "2000", 4000, LEDGER_EXPLAINED);
	assert_verdict(ledger, "USDM", "2001", 4000, LEDGER_DRIFT);
	/* From so far back nothing can be said. */
	assert_verdict(ledger, "USDM", "1", 30, LEDGER_EXPLAINED);
	ledger_destroy(ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_own_executions_and_their_fees_explain_a_balance),
		cmocka_unit_test(a_deposit_is_a_drift_until_it_is_accepted),
		cmocka_unit_test(what_moves_in_another_way_each_time_is_not_accepted),
		cmocka_unit_test(an_execution_under_way_is_no_drift),
		cmocka_unit_test(an_execution_that_is_told_late_is_where_it_was_made),
		cmocka_unit_test(a_base_and_a_drift_are_found_without_a_quiet_moment),
		cmocka_unit_test(what_rounding_leaves_does_not_add_up),
		cmocka_unit_test(an_asset_that_comes_up_later_was_none_before),
		cmocka_unit_test(a_long_history_keeps_its_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
