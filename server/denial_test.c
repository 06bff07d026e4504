#include "server/denial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SECOND 1000000

static void it_is_asked_for_less_and_less_often(void **unused)
{
	static const int64_t waits_s[] = { 1, 2, 4, 8, 16, 32, 60, 60 };
	struct denial denial = { .asked = 0 };
	struct mono now = { 5 * SECOND };

	(void)unused;
	for (size_t i = 0; i < sizeof(waits_s) / sizeof(*waits_s); i++) {
		denial_note(&denial, now);
		now.us += waits_s[i] * SECOND - 1;
		assert_false(denial_may_ask(&denial, now));
		now.us += 1;
		assert_true(denial_may_ask(&denial, now));
	}
	assert_int_equal(denial.since.us, 5 * SECOND);
	assert_int_equal(denial.asked, 8);
}

static void one_good_answer_ends_it(void **unused)
{
	struct denial denial = { .asked = 0 };

	(void)unused;
	assert_false(denial_is_on(&denial));
	denial_note(&denial, (struct mono){ SECOND });
	assert_true(denial_is_on(&denial));
	assert_int_equal(denial_next(&denial).us - denial.since_wall.us, SECOND);
	denial_clear(&denial);
	assert_false(denial_is_on(&denial));
	assert_true(denial_may_ask(&denial, (struct mono){ SECOND }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_asked_for_less_and_less_often),
		cmocka_unit_test(one_good_answer_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
