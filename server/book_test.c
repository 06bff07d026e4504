#include "server/book.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"

static const struct dd_level levels[] = { { { 75, 2 }, { 10, 0 } }, { { 74, 2 }, { 20, 0 } } };
static const struct mono now = { 1000 };

static struct dd_depth depth_of(size_t bid_count, size_t ask_count)
{
	return (struct dd_depth){ .at = { 7 },
				  .bids = levels,
				  .asks = levels,
				  .bid_count = bid_count,
				  .ask_count = ask_count };
}

static void a_message_replaces_the_whole_book(void **unused)
{
	struct dd_depth told = depth_of(2, 1), known;
	struct book book = { .bid_count = 0 };

	(void)unused;
	assert_false(book_depth(&book, &known));
	book_take(&book, &told, now);
	told = depth_of(1, 0);
	book_take(&book, &told, now);
	assert_true(book_depth(&book, &known));
	assert_int_equal(known.bid_count, 1);
	assert_int_equal(known.ask_count, 0);
	assert_int_equal(known.at.us, 7);
	assert_true(known.bids != levels);
	assert_int_equal(decimal_cmp(known.bids[0].price, levels[0].price), 0);
	book_fini(&book);
}

static void half_a_book_right_after_connecting_does_not_replace_one(void **unused)
{
	static const struct {
		size_t known, bids, asks;
		int64_t connected_ms;
		bool may;
	} rows[] = {
		{ 0, 0, 0, 0, true },                /* nothing better is known */
		{ 0, 1, 0, 0, true },                /* neither */
		{ 1, 1, 1, 0, true },                /* a whole one */
		{ 1, 0, 0, 0, false },               /* empty, and early */
		{ 1, 1, 0, 999, false },             /* one-sided, and early */
		{ 1, 0, 1, 0, false },               /* the other side */
		{ 1, 0, 0, BOOK_EARLY_MS, true },    /* it is the truth */
		{ 1, 1, 0, BOOK_EARLY_MS + 1, true } /* so is this */
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dd_depth known = depth_of(rows[i].known, rows[i].known);
		struct dd_depth told = depth_of(rows[i].bids, rows[i].asks);

		assert_int_equal(book_may_replace(&known, &told, rows[i].connected_ms),
				 rows[i].may);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_replaces_the_whole_book),
		cmocka_unit_test(half_a_book_right_after_connecting_does_not_replace_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
