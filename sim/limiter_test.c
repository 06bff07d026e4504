#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "sim/limiter.h"

static struct mono at_ms(int64_t ms)
{
	return (struct mono){ 5000000 + ms * 1000 };
}

static void no_stretch_of_a_window_holds_more_than_its_calls(void **unused)
{
	static const struct {
		int64_t ms;
		bool is_taken;
	} calls[] = { { 0, true },     { 1, true },    { 500, true },   { 600, false },
		      { 999, false },  { 1000, true }, { 1000, false }, { 1001, true },
		      { 1499, false }, { 1500, true } };
	struct limiter limiter;

	(void)unused;
	limiter_init(&limiter, 3, 1000);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		assert_int_equal(limiter_take(&limiter, at_ms(calls[i].ms), at_ms(calls[i].ms)),
				 calls[i].is_taken);
	limiter_fini(&limiter);
}

static void what_was_read_late_counts_from_when_it_can_have_come(void **unused)
{
	struct limiter limiter;

	(void)unused;
	limiter_init(&limiter, 1, 1000);
	assert_true(limiter_take(&limiter, at_ms(0), at_ms(200)));
	assert_false(limiter_take(&limiter, at_ms(999), at_ms(999)));
	assert_true(limiter_take(&limiter, at_ms(1000), at_ms(1000)));
	limiter_fini(&limiter);
}

static void no_limit_takes_everything(void **unused)
{
	struct limiter limiter;

	(void)unused;
	limiter_init(&limiter, 0, 1000);
	for (int i = 0; i < 100; i++)
		assert_true(limiter_take(&limiter, at_ms(0), at_ms(0)));
	limiter_fini(&limiter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_stretch_of_a_window_holds_more_than_its_calls),
		cmocka_unit_test(what_was_read_late_counts_from_when_it_can_have_come),
		cmocka_unit_test(no_limit_takes_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
