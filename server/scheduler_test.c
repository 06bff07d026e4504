#include "server/scheduler.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/log.h"
#include "net/loop.h"

#define TICKETS_MAX 64

/* What left, in order, as one letter each. */
struct track {
	struct loop *loop;
	struct scheduler *scheduler;
	char left[TICKETS_MAX + 1];
	size_t count, expected;
};
struct passenger {
	struct ticket ticket;
	struct track *track;
	char letter;
	bool keeps_slot; /* does not say when it was sent */
};

static struct passenger passengers[TICKETS_MAX];

static void note(struct passenger *passenger, char letter)
{
	struct track *track = passenger->track;

	track->left[track->count++] = letter;
	if (track->count == track->expected)
		loop_stop(track->loop);
}

static void went(void *arg)
{
	struct passenger *passenger = arg;

	note(passenger, passenger->letter);
	if (!passenger->keeps_slot)
		scheduler_sent(passenger->track->scheduler, &passenger->ticket,
			       loop_now(passenger->track->loop), loop_now(passenger->track->loop));
}

static void was_late(void *arg)
{
	note(arg, '!');
}

static struct passenger *add(struct track *track, size_t index, enum lane lane, const char *app,
			     int weight, char letter)
{
	struct passenger *passenger = &passengers[index];

	memset(passenger, 0, sizeof(*passenger));
	passenger->track = track;
	passenger->letter = letter;
	passenger->ticket = (struct ticket){ .lane = lane,
					     .token_id = app,
					     .weight = weight,
					     .go = went,
					     .late = was_late,
					     .arg = passenger };
	scheduler_add(track->scheduler, &passenger->ticket);
	return passenger;
}

static void begin(struct track *track, int64_t per_second)
{
	struct scheduler_config config = { .per_second = decimal_of(per_second, 0),
					   .guard_ms = 0,
					   .reads_per_second = 100,
					   .queue_max = 40,
					   .queue_max_per_token = 20 };

	memset(track, 0, sizeof(*track));
	log_configure(LOG_ERROR, LOG_JSON);
	track->loop = loop_create();
	track->scheduler = scheduler_create(track->loop, &config);
}

static void run(struct track *track, size_t expected)
{
	track->expected = expected;
	loop_run(track->loop);
}

static void end(struct track *track)
{
	scheduler_destroy(track->scheduler);
	loop_destroy(track->loop);
}

static void apps_take_turns_by_weight(void **unused)
{
	struct track track;

	(void)unused;
	begin(&track, 100);
	for (size_t i = 0; i < 6; i++)
		add(&track, i, LANE_ORDER, "flood", 1, 'f');
	for (size_t i = 6; i < 8; i++)
		add(&track, i, LANE_ORDER, "quiet", 1, 'q');
	for (size_t i = 8; i < 12; i++)
		add(&track, i, LANE_ORDER, "heavy", 2, 'h');
	run(&track, 12);
	/* In each round one of each, and heavy twice; then the flood has the rest to itself. */
	for (size_t round = 0; round < 2; round++) {
		size_t f = 0, q = 0, h = 0;

		for (size_t i = round * 4; i < round * 4 + 4; i++) {
			f += track.left[i] == 'f';
			q += track.left[i] == 'q';
			h += track.left[i] == 'h';
		}
		assert_int_equal(f, 1);
		assert_int_equal(q, 1);
		assert_int_equal(h, 2);
	}
	assert_string_equal(track.left + 8, "ffff");
	end(&track);
}

static void an_apps_own_tickets_leave_in_the_order_they_came(void **unused)
{
	struct track track;

	(void)unused;
	begin(&track, 100);
	for (size_t i = 0; i < 10; i++)
		add(&track, i, LANE_ORDER, "app", 3, (char)('a' + i));
	run(&track, 10);
	assert_string_equal(track.left, "abcdefghij");
	end(&track);
}

static void a_repeat_goes_ahead_of_its_apps_other_tickets(void **unused)
{
	struct track track;

	(void)unused;
	begin(&track, 100);
	add(&track, 0, LANE_ORDER, "app", 1, 'a');
	memset(&passengers[1], 0, sizeof(passengers[1]));
	passengers[1] = (struct passenger){ .track = &track, .letter = 'r' };
	passengers[1].ticket = (struct ticket){ .lane = LANE_ORDER,
						.token_id = "app",
						.weight = 1,
						.is_repeat = true,
						.go = went,
						.late = was_late,
						.arg = &passengers[1] };
	scheduler_add(track.scheduler, &passengers[1].ticket);
	run(&track, 2);
	assert_string_equal(track.left, "ra");
	end(&track);
}

static void cancels_overtake_orders_but_leave_them_a_share(void **unused)
{
	struct track track;

	(void)unused;
	begin(&track, 5);
	for (size_t i = 0; i < 3; i++)
		add(&track, i, LANE_ORDER, "app", 1, 'o');
	for (size_t i = 3; i < 13; i++)
		add(&track, i, LANE_CANCEL, "app", 1, 'c');
	run(&track, 5); /* one bucket full */
	assert_string_equal(track.left, "cccco");
	end(&track);
}

static void an_order_takes_no_token_from_a_cancel_that_waits_for_its_slot(void **unused)
{
	struct track track;

	(void)unused;
	begin(&track, 5);
	for (size_t i = 0; i < 5; i++)
		add(&track, i, LANE_SUBMIT, "app", 1, 's')->keeps_slot = true;
	run(&track, 5);
	add(&track, 5, LANE_CANCEL, "app", 1, 'c');
	for (size_t i = 6; i < 9; i++) {
		add(&track, i, LANE_ORDER, "app", 1, 'o');
		passengers[i].ticket.deadline = mono_after_ms(loop_now(track.loop), 50);
	}
	run(&track, 8); /* five tokens are there, but only the cancel may have them */
	assert_string_equal(track.left, "sssss!!!");
	scheduler_sent(track.scheduler, &passengers[0].ticket, (struct mono){ 0 },
		       (struct mono){ 0 });
	run(&track, 9);
	assert_string_equal(track.left, "sssss!!!c");
	for (size_t i = 1; i < 5; i++)
		scheduler_sent(track.scheduler, &passengers[i].ticket, loop_now(track.loop),
			       loop_now(track.loop));
	end(&track);
}

static void a_full_bucket_lets_no_more_than_its_capacity_out_at_once(void **unused)
{
	struct track track;
	struct scheduler_limits limits;

	(void)unused;
	begin(&track, 5);
	for (size_t i = 0; i < 9; i++)
		add(&track, i, LANE_ORDER, "app", 1, 'o');
	run(&track, 5);
	scheduler_limits(track.scheduler, "app", 1, &limits);
	assert_int_equal(track.count, 5);
	assert_int_equal(limits.queued, 4);
	assert_int_equal(limits.capacity, 5);
	assert_true(limits.available_m < 1000);
	assert_true(limits.wait_ms > 500);
	end(&track);
}

static void builds_in_flight_keep_their_slots(void **unused)
{
	struct track track;

	(void)unused;
	begin(&track, 1);
	add(&track, 0, LANE_ORDER, "app", 1, 'o')->keeps_slot = true;
	add(&track, 1, LANE_ORDER, "app", 1, 'o');
	passengers[1].ticket.deadline = mono_after_ms(loop_now(track.loop), 1500);
	run(&track, 2); /* a token is there after a second, but the slot never comes free */
	assert_string_equal(track.left, "o!");
	scheduler_sent(track.scheduler, &passengers[0].ticket, loop_now(track.loop),
		       loop_now(track.loop));
	end(&track);
}

static void a_ticket_past_its_deadline_is_never_sent(void **unused)
{
	struct track track;

	(void)unused;
	begin(&track, 100);
	add(&track, 0, LANE_ORDER, "app", 1, 'o');
	passengers[0].ticket.deadline = loop_now(track.loop);
	add(&track, 1, LANE_ORDER, "app", 1, 'x');
	run(&track, 2);
	assert_string_equal(track.left, "!x");
	end(&track);
}

static void while_held_only_reads_leave(void **unused)
{
	struct track track;

	(void)unused;
	begin(&track, 100);
	scheduler_hold(track.scheduler, true);
	add(&track, 0, LANE_ORDER, "app", 1, 'o');
	add(&track, 1, LANE_SUBMIT, "app", 1, 's');
	add(&track, 2, LANE_CANCEL, "app", 1, 'c');
	add(&track, 3, LANE_READ, "", 1, 'r');
	run(&track, 1);
	assert_string_equal(track.left, "r");
	scheduler_hold(track.scheduler, false);
	run(&track, 4);
	assert_string_equal(track.left, "rcso");
	end(&track);
}

static void too_many_waiting_orders_are_refused(void **unused)
{
	struct track track;
	struct err err;

	(void)unused;
	begin(&track, 1);
	scheduler_hold(track.scheduler, true);
	for (size_t i = 0; i < 20; i++)
		add(&track, i, LANE_ORDER, "one", 1, 'o');
	assert_false(scheduler_has_room(track.scheduler, "one", &err));
	assert_int_equal(err.code, ERR_QUEUE_FULL);
	assert_true(scheduler_has_room(track.scheduler, "two", &err));
	for (size_t i = 20; i < 40; i++)
		add(&track, i, LANE_ORDER, "two", 1, 'o');
	assert_false(scheduler_has_room(track.scheduler, "three", &err));
	end(&track);
}

static void a_removed_ticket_does_not_leave(void **unused)
{
	struct track track;

	(void)unused;
	begin(&track, 100);
	add(&track, 0, LANE_ORDER, "app", 1, 'a');
	add(&track, 1, LANE_ORDER, "app", 1, 'b');
	assert_true(scheduler_remove(track.scheduler, &passengers[0].ticket));
	assert_false(scheduler_remove(track.scheduler, &passengers[0].ticket));
	run(&track, 1);
	assert_string_equal(track.left, "b");
	end(&track);
}

static void slowing_down_stops_everything_for_a_while(void **unused)
{
	struct track track;
	struct scheduler_limits limits;

	(void)unused;
	begin(&track, 100);
	scheduler_slow_down(track.scheduler, -1);
	scheduler_slow_down(track.scheduler, -1); /* of the same burst: counts once */
	scheduler_limits(track.scheduler, "app", 1, &limits);
	assert_in_range(limits.paused_ms, 900, 1001);
	scheduler_slow_down(track.scheduler, 7000);
	scheduler_limits(track.scheduler, "app", 1, &limits);
	assert_in_range(limits.paused_ms, 6900, 7001);
	end(&track);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(apps_take_turns_by_weight),
		cmocka_unit_test(an_apps_own_tickets_leave_in_the_order_they_came),
		cmocka_unit_test(a_repeat_goes_ahead_of_its_apps_other_tickets),
		cmocka_unit_test(cancels_overtake_orders_but_leave_them_a_share),
		cmocka_unit_test(an_order_takes_no_token_from_a_cancel_that_waits_for_its_slot),
		cmocka_unit_test(a_full_bucket_lets_no_more_than_its_capacity_out_at_once),
		cmocka_unit_test(builds_in_flight_keep_their_slots),
		cmocka_unit_test(a_ticket_past_its_deadline_is_never_sent),
		cmocka_unit_test(while_held_only_reads_leave),
		cmocka_unit_test(too_many_waiting_orders_are_refused),
		cmocka_unit_test(a_removed_ticket_does_not_leave),
		cmocka_unit_test(slowing_down_stops_everything_for_a_while),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
