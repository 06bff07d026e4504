#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "client/backoff.h"

static void each_wait_lies_between_half_of_its_step_and_the_whole(void **unused)
{
	static const struct {
		int64_t min_ms, max_ms;
		unsigned failures;
		int64_t least, most;
	} cases[] = {
		{ 500, 30000, 0, 0, 250 },
		{ 500, 30000, 1, 250, 500 },
		{ 500, 30000, 2, 500, 1000 },
		{ 500, 30000, 3, 1000, 2000 },
		{ 500, 30000, 6, 8000, 16000 },
		{ 500, 30000, 7, 15000, 30000 },
		{ 500, 30000, 8, 15000, 30000 },
		{ 500, 30000, 1000, 15000, 30000 },
		{ 500, 30000, BACKOFF_LONGEST, 15000, 30000 },
		{ 10, 10, 1, 5, 10 },
		{ 10, 10, BACKOFF_LONGEST, 5, 10 },
		{ 5000, 1000, 1, 500, 1000 }, /* the upper bound counts */
		{ 3, 100, 1, 1, 3 },
		{ 600000, 3600000, BACKOFF_LONGEST, 1800000, 3600000 },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t least = INT64_MAX, most = INT64_MIN;

		/* Steps of the golden ratio: they go round evenly. */
		for (uint32_t n = 0, random = 0; n < 200000; n++, random += 2654435761u) {
			int64_t wait = backoff_ms(cases[i].min_ms, cases[i].max_ms,
						  cases[i].failures, random);

			least = wait < least ? wait : least;
			most = wait > most ? wait : most;
		}
		assert_in_range(least, cases[i].least, cases[i].least + cases[i].most / 100);
		assert_in_range(most, cases[i].most - cases[i].most / 100, cases[i].most);
	}
}

static void the_bounds_are_reached_and_not_passed(void **unused)
{
	(void)unused;
	assert_int_equal(backoff_ms(500, 30000, 0, 0), 0);
	assert_int_equal(backoff_ms(500, 30000, 0, 250), 250);
	assert_int_equal(backoff_ms(500, 30000, 0, 251), 0);
	assert_int_equal(backoff_ms(500, 30000, 1, 0), 250);
	assert_int_equal(backoff_ms(500, 30000, 1, 250), 500);
	assert_int_equal(backoff_ms(500, 30000, 1, 251), 250);
	assert_true(backoff_ms(500, 30000, 9, UINT32_MAX) <= 30000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_wait_lies_between_half_of_its_step_and_the_whole),
		cmocka_unit_test(the_bounds_are_reached_and_not_passed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
