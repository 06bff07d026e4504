#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "sim/pace.h"

#define GAP_MS 100

static struct mono at(int64_t ms)
{
	return (struct mono){ 1000000 + ms * 1000 };
}

static void the_first_news_is_told_at_once(void **unused)
{
	struct pace pace = { .has_news = true };

	(void)unused;
	assert_true(mono_is_past(pace_due(&pace, GAP_MS), at(0)));
	assert_true(pace_take(&pace, GAP_MS, at(0)));
	assert_false(pace_take(&pace, GAP_MS, at(0)));
	assert_int_equal(pace_due(&pace, GAP_MS).us, 0);
}

static void news_within_the_gap_waits_and_is_told_once(void **unused)
{
	struct pace pace = { .has_news = true };

	(void)unused;
	assert_true(pace_take(&pace, GAP_MS, at(0)));
	for (int64_t ms = 10; ms < GAP_MS; ms += 10) {
		pace.has_news = true;
		assert_false(pace_take(&pace, GAP_MS, at(ms)));
		assert_int_equal(pace_due(&pace, GAP_MS).us, at(GAP_MS).us);
	}
	assert_true(pace_take(&pace, GAP_MS, at(GAP_MS)));
	assert_false(pace_take(&pace, GAP_MS, at(10 * GAP_MS)));
}

static void the_sooner_of_two_deadlines_is_not_never(void **unused)
{
	static const struct mono never = { 0 };

	(void)unused;
	assert_int_equal(pace_sooner(never, never).us, 0);
	assert_int_equal(pace_sooner(never, at(1)).us, at(1).us);
	assert_int_equal(pace_sooner(at(1), never).us, at(1).us);
	assert_int_equal(pace_sooner(at(2), at(1)).us, at(1).us);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_news_is_told_at_once),
		cmocka_unit_test(news_within_the_gap_waits_and_is_told_once),
		cmocka_unit_test(the_sooner_of_two_deadlines_is_not_never),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
