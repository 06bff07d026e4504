#include "server/tape.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"

#define MANY 600

struct heard {
	struct dd_trade trades[MANY];
	size_t count;
};

static void hear(void *arg, const struct dd_trade *trade)
{
	struct heard *heard = arg;

	assert_true(heard->count < MANY);
	heard->trades[heard->count++] = *trade;
}

/* A trade at this microsecond, of that quantity. */
static struct dd_trade trade(int64_t at, int64_t qty)
{
	return (struct dd_trade){ .at = { at },
				  .symbol = "ADAUSDM",
				  .side = DD_BUY,
				  .price = decimal_of(75, 2),
				  .base_qty = decimal_of(qty, 0) };
}

/* From these times on, each of quantity 1. */
static bool take_range(struct tape *tape, int64_t first, int64_t last, struct heard *heard)
{
	struct dd_trade trades[MANY];
	size_t count = 0;
	bool follows;

	for (int64_t at = first; at <= last; at++)
		trades[count++] = trade(at, 1);
	follows = tape_follows(tape, trades, count);
	tape_take(tape, trades, count, hear, heard);
	return follows;
}

static void the_first_backlog_is_all_new_and_no_gap(void **unused)
{
	struct tape *tape = tape_create(100);
	struct heard heard = { .count = 0 };
	size_t count;

	(void)unused;
	assert_true(take_range(tape, 1, 50, &heard));
	assert_int_equal(heard.count, 50);
	assert_int_equal(tape_trades(tape, &count)[0].at.us, 1);
	assert_int_equal(count, 50);
	tape_destroy(tape);
}

static void a_repeated_backlog_brings_only_what_is_new(void **unused)
{
	struct tape *tape = tape_create(100);
	struct heard heard = { .count = 0 };

	(void)unused;
	assert_true(take_range(tape, 1, 50, &heard));
	assert_true(take_range(tape, 11, 60, &heard));
	assert_int_equal(heard.count, 60);
	for (size_t i = 0; i < heard.count; i++)
		assert_int_equal(heard.trades[i].at.us, i + 1);
	tape_destroy(tape);
}

static void equal_trades_are_counted(void **unused)
{
	struct tape *tape = tape_create(100);
	struct heard heard = { .count = 0 };
	const struct dd_trade twins[] = { trade(5, 1), trade(5, 1) };
	const struct dd_trade triplets[] = { trade(5, 1), trade(5, 1), trade(5, 1), trade(5, 2) };

	(void)unused;
	tape_take(tape, twins, 2, hear, &heard);
	assert_int_equal(heard.count, 2);
	tape_take(tape, twins, 2, hear, &heard);
	tape_take(tape, twins, 1, hear, &heard);
	assert_int_equal(heard.count, 2);
	tape_take(tape, triplets, 4, hear, &heard);
	assert_int_equal(heard.count, 4);
	tape_destroy(tape);
}

static void differing_in_one_thing_is_another_trade(void **unused)
{
	struct tape *tape = tape_create(100);
	struct heard heard = { .count = 0 };
	struct dd_trade trades[4] = { trade(5, 1), trade(5, 1), trade(5, 1), trade(5, 2) };

	(void)unused;
	trades[1].side = DD_SELL;
	trades[2].price = decimal_of(76, 2);
	tape_take(tape, trades, 4, hear, &heard);
	assert_int_equal(heard.count, 4);
	trades[2].price = decimal_of(7600, 4); /* the same number */
	tape_take(tape, trades, 4, hear, &heard);
	assert_int_equal(heard.count, 4);
	tape_destroy(tape);
}

static void a_message_that_does_not_overlap_may_hide_a_gap(void **unused)
{
	struct tape *tape = tape_create(100);
	struct heard heard = { .count = 0 };

	(void)unused;
	assert_true(take_range(tape, 1, 50, &heard));
	assert_false(take_range(tape, 60, 109, &heard));
	assert_int_equal(heard.count, 100);
	assert_false(tape_follows(tape, NULL, 0));
	tape_destroy(tape);
}

static void the_first_trades_after_none_may_hide_others(void **unused)
{
	struct tape *tape = tape_create(100);
	struct heard heard = { .count = 0 };

	(void)unused;
	assert_true(take_range(tape, 1, 0, &heard));
	assert_true(take_range(tape, 1, 0, &heard)); /* and there are none yet */
	assert_false(take_range(tape, 11, 60, &heard));
	assert_int_equal(heard.count, 50);
	tape_destroy(tape);
}

static void a_late_trade_takes_its_place_by_time(void **unused)
{
	struct tape *tape = tape_create(100);
	struct heard heard = { .count = 0 };
	const struct dd_trade late = trade(2, 7);
	const struct dd_trade *trades;
	size_t count;

	(void)unused;
	assert_true(take_range(tape, 1, 3, &heard));
	tape_take(tape, &late, 1, hear, &heard);
	trades = tape_trades(tape, &count);
	assert_int_equal(count, 4);
	assert_int_equal(trades[2].at.us, 2);
	assert_int_equal((int)trades[2].base_qty.units, 7);
	assert_int_equal(trades[3].at.us, 3);
	tape_destroy(tape);
}

static void a_short_tape_still_knows_a_backlog(void **unused)
{
	struct tape *tape = tape_create(3);
	struct heard heard = { .count = 0 };
	size_t count;

	(void)unused;
	assert_true(take_range(tape, 1, 50, &heard));
	assert_true(take_range(tape, 1, 50, &heard));
	assert_int_equal(heard.count, 50);
	assert_int_equal(tape_trades(tape, &count)[0].at.us, 48);
	assert_int_equal(count, 3);
	tape_destroy(tape);
}

static void what_has_left_the_tape_is_not_told_again(void **unused)
{
	struct tape *tape = tape_create(1);
	struct heard heard = { .count = 0 };

	(void)unused;
	assert_true(take_range(tape, 1, 590, &heard));
	assert_true(take_range(tape, 1, 590, &heard));
	assert_int_equal(heard.count, 590);
	tape_destroy(tape);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_backlog_is_all_new_and_no_gap),
		cmocka_unit_test(a_repeated_backlog_brings_only_what_is_new),
		cmocka_unit_test(equal_trades_are_counted),
		cmocka_unit_test(differing_in_one_thing_is_another_trade),
		cmocka_unit_test(a_message_that_does_not_overlap_may_hide_a_gap),
		cmocka_unit_test(the_first_trades_after_none_may_hide_others),
		cmocka_unit_test(a_late_trade_takes_its_place_by_time),
		cmocka_unit_test(a_short_tape_still_knows_a_backlog),
		cmocka_unit_test(what_has_left_the_tape_is_not_told_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
