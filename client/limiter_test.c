#include "client/limiter.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define SECOND 1000000

static struct mono at(int64_t us)
{
	return (struct mono){ 1000 * (int64_t)SECOND + us };
}

static void a_full_bucket_gives_its_capacity_at_once_and_then_one_per_interval(void **unused)
{
	struct bucket bucket;

	(void)unused;
	bucket_init(&bucket, 5, 5000, at(0));
	for (int i = 0; i < 5; i++)
		assert_true(bucket_take(&bucket, at(0)));
	assert_false(bucket_take(&bucket, at(0)));
	assert_false(bucket_take(&bucket, at(199999)));
	assert_true(bucket_ready(&bucket, at(0)).us <= at(200001).us);
	assert_true(bucket_take(&bucket, at(200001)));
	assert_false(bucket_take(&bucket, at(200002)));
}

static void many_small_looks_do_not_lose_time(void **unused)
{
	struct bucket bucket;
	int taken = 0;

	(void)unused;
	bucket_init(&bucket, 2, 500, at(0)); /* one token in two seconds */
	for (int64_t us = 0; us <= 20 * (int64_t)SECOND; us += 7)
		taken += bucket_take(&bucket, at(us));
	assert_int_equal(taken, 2 + 9); /* the tenth would come at 20 s */
}

static void a_bucket_never_holds_more_than_its_capacity(void **unused)
{
	struct bucket bucket;

	(void)unused;
	bucket_init(&bucket, 3, 1000000, at(0));
	assert_int_equal(bucket_tokens_u(&bucket, at((int64_t)365 * 86400 * SECOND)), 3000000);
}

static void no_sliding_second_holds_more_than_the_slots(void **unused)
{
	struct bucket bucket;
	struct window window;
	int64_t sent[4096];
	int count = 0;

	(void)unused;
	bucket_init(&bucket, 5, 5000, at(0));
	window_init(&window, 5, SECOND);
	for (int64_t us = 0; us < 30 * (int64_t)SECOND; us += 1237) {
		int slot;

		if (!bucket_has(&bucket, at(us)) || !window_has(&window, at(us)))
			continue;
		assert_true(bucket_take(&bucket, at(us)));
		slot = window_take(&window, at(us));
		/* Connecting takes a while now and then. */
		sent[count] = us + (count % 3) * 150000;
		window_sent(&window, slot, at(sent[count]));
		count++;
	}
	assert_true(count > 100);
	for (int i = 0; i < count; i++) {
		int within = 0;

		for (int j = 0; j < count; j++)
			within += sent[j] >= sent[i] && sent[j] < sent[i] + SECOND;
		assert_in_range(within, 1, 5);
	}
}

static void a_request_in_flight_keeps_its_slot(void **unused)
{
	struct window window;
	int slot;

	(void)unused;
	window_init(&window, 1, SECOND);
	slot = window_take(&window, at(0));
	assert_int_equal(slot, 0);
	assert_int_equal(window_take(&window, at(5 * SECOND)), -1);
	assert_int_equal(window_ready(&window, at(5 * SECOND)).us, 0);
	window_sent(&window, slot, at(5 * SECOND));
	assert_int_equal(window_ready(&window, at(5 * SECOND)).us, at(6 * SECOND).us);
	assert_true(window_has(&window, at(6 * SECOND)));
}

static void a_request_that_never_left_gives_its_slot_back(void **unused)
{
	struct window window;

	(void)unused;
	window_init(&window, 1, SECOND);
	window_sent(&window, window_take(&window, at(0)), (struct mono){ 0 });
	assert_int_equal(window_take(&window, at(0)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_full_bucket_gives_its_capacity_at_once_and_then_one_per_interval),
		cmocka_unit_test(many_small_looks_do_not_lose_time),
		cmocka_unit_test(a_bucket_never_holds_more_than_its_capacity),
		cmocka_unit_test(no_sliding_second_holds_more_than_the_slots),
		cmocka_unit_test(a_request_in_flight_keeps_its_slot),
		cmocka_unit_test(a_request_that_never_left_gives_its_slot_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
