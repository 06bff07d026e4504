#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "sim/book.h"
#include "sim/order.h"

#define CENT INT64_C(10000000) /* of a price */
#define UNIT INT64_C(1000000)  /* of an amount */

static struct order orders[8];

static struct order *rest(struct book *book, size_t i, enum side side, int64_t price, int64_t base)
{
	orders[i] = (struct order){ .side = side, .price = price, .base_units = base };
	list_node_init(&orders[i].on_book);
	book_add(book, &orders[i]);
	return &orders[i];
}

/* Bids 75 (two of them) and 74, asks 76 and 80. */
static void fill_book(struct book *book)
{
	book_init(book);
	rest(book, 0, SIDE_BUY, 74 * CENT, 10 * UNIT);
	rest(book, 1, SIDE_BUY, 75 * CENT, 20 * UNIT);
	rest(book, 2, SIDE_BUY, 75 * CENT, 30 * UNIT);
	rest(book, 3, SIDE_SELL, 80 * CENT, 40 * UNIT);
	rest(book, 4, SIDE_SELL, 76 * CENT, 50 * UNIT);
}

static void price_comes_first_then_arrival(void **unused)
{
	struct book book;
	struct order *order;

	(void)unused;
	fill_book(&book);
	order = book_best(&book, SIDE_BUY);
	assert_ptr_equal(order, &orders[1]);
	order = book_next(&book, order);
	assert_ptr_equal(order, &orders[2]);
	order = book_next(&book, order);
	assert_ptr_equal(order, &orders[0]);
	assert_null(book_next(&book, order));
	order = book_best(&book, SIDE_SELL);
	assert_ptr_equal(order, &orders[4]);
	assert_ptr_equal(book_next(&book, order), &orders[3]);
}

static void a_removed_order_is_passed_over(void **unused)
{
	struct book book;

	(void)unused;
	fill_book(&book);
	book_remove(&orders[1]);
	book_remove(&orders[1]);
	assert_ptr_equal(book_best(&book, SIDE_BUY), &orders[2]);
	book_remove(&orders[3]);
	book_remove(&orders[4]);
	assert_null(book_best(&book, SIDE_SELL));
}

static void an_order_crosses_when_its_bound_reaches_the_other_side(void **unused)
{
	static const struct {
		enum side side;
		int64_t bound;
		bool crosses;
	} cases[] = {
		{ SIDE_BUY, 75 * CENT, false },  { SIDE_BUY, 76 * CENT, true },
		{ SIDE_BUY, 77 * CENT, true },   { SIDE_SELL, 76 * CENT, false },
		{ SIDE_SELL, 75 * CENT, true },  { SIDE_SELL, 1, true },
		{ SIDE_BUY, 0, true /* any */ }, { SIDE_SELL, 0, true },
	};
	struct book book;

	(void)unused;
	fill_book(&book);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(book_crosses(&book, cases[i].side, cases[i].bound),
				 cases[i].crosses);
	book_init(&book);
	assert_false(book_crosses(&book, SIDE_BUY, 0));
}

static void what_a_taker_reaches_is_summed_up_to_its_limits(void **unused)
{
	static const struct {
		enum side side;
		int64_t bound, base_max, quote_max;
		bool is_served;
		int64_t base, quote;
	} cases[] = {
		/* 50 at 0.76, then 40 at 0.80 */
		{ SIDE_BUY, 0, 50 * UNIT, AMOUNT_MAX, true, 50 * UNIT, 38 * UNIT },
		{ SIDE_BUY, 0, 60 * UNIT, AMOUNT_MAX, true, 60 * UNIT, 46 * UNIT },
		{ SIDE_BUY, 0, 91 * UNIT, AMOUNT_MAX, false, 90 * UNIT, 70 * UNIT },
		{ SIDE_BUY, 76 * CENT, 60 * UNIT, AMOUNT_MAX, false, 50 * UNIT, 38 * UNIT },
		{ SIDE_BUY, 0, AMOUNT_MAX, 46 * UNIT, true, 60 * UNIT, 46 * UNIT },
		/* one quote unit more does not buy another step of 0.01 */
		{ SIDE_BUY, 0, AMOUNT_MAX, 46 * UNIT + 7999, true, 60 * UNIT, 46 * UNIT },
		{ SIDE_SELL, 0, 60 * UNIT, AMOUNT_MAX, true, 60 * UNIT, 44900000 },
		{ SIDE_SELL, 75 * CENT, 60 * UNIT, AMOUNT_MAX, false, 50 * UNIT, 37500000 },
	};
	struct book book;

	(void)unused;
	fill_book(&book);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t base, quote;

		assert_int_equal(book_reach(&book, cases[i].side, cases[i].bound, cases[i].base_max,
					    cases[i].quote_max, 10000, &base, &quote),
				 cases[i].is_served);
		assert_int_equal(base, cases[i].base);
		assert_int_equal(quote, cases[i].quote);
	}
}

struct levels {
	struct book_level seen[4];
	size_t count, max;
};

static bool note_level(void *arg, const struct book_level *level)
{
	struct levels *levels = arg;

	levels->seen[levels->count++] = *level;
	return levels->count < levels->max;
}

static void levels_are_summed_best_first_until_told_to_stop(void **unused)
{
	struct book book;
	struct levels all = { .max = 4 }, one = { .max = 1 };

	(void)unused;
	fill_book(&book);
	book_each_level(&book, SIDE_BUY, note_level, &all);
	assert_int_equal(all.count, 2);
	assert_int_equal(all.seen[0].price, 75 * CENT);
	assert_int_equal(all.seen[0].base_units, 50 * UNIT);
	assert_int_equal(all.seen[0].orders, 2);
	assert_int_equal(all.seen[1].price, 74 * CENT);
	book_each_level(&book, SIDE_SELL, note_level, &one);
	assert_int_equal(one.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(price_comes_first_then_arrival),
		cmocka_unit_test(a_removed_order_is_passed_over),
		cmocka_unit_test(an_order_crosses_when_its_bound_reaches_the_other_side),
		cmocka_unit_test(what_a_taker_reaches_is_summed_up_to_its_limits),
		cmocka_unit_test(levels_are_summed_best_first_until_told_to_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
