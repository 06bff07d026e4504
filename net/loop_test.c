#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/loop.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/mem.h"
#include "net/net_test.h"

#define TRACE_MAX 64

/* What happened, one letter each, in order. */
struct rig {
	struct loop *loop;
	char trace[TRACE_MAX];
	size_t len;
	struct timer *timer, *other;
	struct watch *watch;
	struct hook *hook, *second_hook;
	struct signal_watch *signal;
	struct mono deadline;
	int fds[2], started[2];
	unsigned hooks, events;
	bool was_mine_there, was_mine_here;
};

static void note(struct rig *rig, char letter)
{
	if (rig->len + 1 < TRACE_MAX)
		rig->trace[rig->len++] = letter;
}

static int set_up(void **state)
{
	struct rig *rig = mem_alloc(sizeof(*rig));

	rig->loop = loop_create();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, rig->fds), 0);
	*state = rig;
	return 0;
}

/* loop_destroy() itself asserts that nothing was left behind. */
static int tear_down(void **state)
{
	struct rig *rig = *state;

	timer_destroy(rig->timer);
	timer_destroy(rig->other);
	watch_destroy(rig->watch);
	hook_destroy(rig->hook);
	hook_destroy(rig->second_hook);
	signal_destroy(rig->signal);
	loop_destroy(rig->loop);
	close(rig->fds[0]);
	close(rig->fds[1]);
	mem_free(rig);
	return 0;
}

static void note_a(void *arg)
{
	note(arg, 'a');
}

static void note_b(void *arg)
{
	note(arg, 'b');
}

static void note_and_stop(void *arg)
{
	struct rig *rig = arg;

	note(rig, '.');
	loop_stop(rig->loop);
}

/* ---- Timers ---- */

static void check_deadline(void *arg)
{
	struct rig *rig = arg;

	note(rig, mono_is_past(rig->deadline, loop_now(rig->loop)) ? 'y' : 'n');
	if (rig->len == 20) {
		loop_stop(rig->loop);
		return;
	}
	rig->deadline.us = loop_now(rig->loop).us + 700;
	timer_start_at(rig->timer, rig->deadline);
}

/* A long callback leaves libuv's idea of the time behind ours. */
static void dawdle_and_start(void *arg, unsigned events)
{
	struct rig *rig = arg;
	struct mono start = mono_now();

	(void)events;
	watch_set(rig->watch, 0);
	while (mono_diff_ms(mono_now(), start) < 5)
		;
	rig->deadline = mono_after_ms(loop_now(rig->loop), 3);
	timer_start_at(rig->timer, rig->deadline);
}

static void a_timer_never_fires_before_its_time(void **state)
{
	struct rig *rig = *state;

	rig->timer = loop_timer_create(rig->loop, check_deadline, rig);
	rig->watch = watch_create(rig->loop, rig->fds[0], dawdle_and_start, rig);
	watch_set(rig->watch, WATCH_WRITE);
	loop_run(rig->loop);
	assert_string_equal(rig->trace, "yyyyyyyyyyyyyyyyyyyy");
}

static void a_stopped_timer_stays_quiet_and_a_restart_replaces(void **state)
{
	struct rig *rig = *state;

	rig->timer = loop_timer_create(rig->loop, note_a, rig);
	rig->other = loop_timer_create(rig->loop, note_and_stop, rig);
	timer_start(rig->timer, 1);
	timer_stop(rig->timer);
	assert_false(timer_is_running(rig->timer));
	timer_start(rig->timer, 1);
	timer_start_at(rig->timer, (struct mono){ 0 }); /* never */
	assert_false(timer_is_running(rig->timer));
	timer_start(rig->other, 600000);
	timer_start(rig->other, 5);
	assert_true(timer_is_running(rig->other));
	loop_run(rig->loop);
	assert_string_equal(rig->trace, ".");
	assert_false(timer_is_running(rig->other));
}

static void start_again_at_once(void *arg)
{
	struct rig *rig = arg;

	note(rig, 't');
	timer_start(rig->timer, 0);
}

static void stop_on_event(void *arg, unsigned events)
{
	(void)events;
	note_and_stop(arg);
}

static void a_timer_that_starts_again_at_once_starves_nobody(void **state)
{
	struct rig *rig = *state;

	rig->timer = loop_timer_create(rig->loop, start_again_at_once, rig);
	timer_start(rig->timer, 0);
	rig->watch = watch_create(rig->loop, rig->fds[0], stop_on_event, rig);
	watch_set(rig->watch, WATCH_WRITE);
	loop_run(rig->loop);
	assert_string_equal(rig->trace, "t.");
	assert_true(timer_is_running(rig->timer));
	timer_stop(rig->timer);
	assert_false(timer_is_running(rig->timer));
}

static void destroy_other_timer(void *arg)
{
	struct rig *rig = arg;

	note(rig, 'd');
	timer_destroy(rig->other);
	rig->other = NULL;
	loop_later(rig->loop, note_and_stop, rig);
}

static void a_timer_that_is_due_may_be_destroyed_by_another(void **state)
{
	struct rig *rig = *state;

	rig->timer = loop_timer_create(rig->loop, destroy_other_timer, rig);
	rig->other = loop_timer_create(rig->loop, note_a, rig);
	timer_start(rig->timer, 0);
	timer_start(rig->other, 0);
	loop_run(rig->loop);
	assert_string_equal(rig->trace, "d.");
}

static void destroy_own_timer(void *arg)
{
	struct rig *rig = arg;

	timer_destroy(rig->timer);
	rig->timer = NULL;
	loop_later(rig->loop, note_and_stop, rig);
}

static void a_timer_may_be_destroyed_in_its_own_callback(void **state)
{
	struct rig *rig = *state;

	rig->timer = loop_timer_create(rig->loop, destroy_own_timer, rig);
	timer_start(rig->timer, 0);
	loop_run(rig->loop);
	assert_string_equal(rig->trace, ".");
}

/* ---- The end of the turn ---- */

static void put_off_and_return(void *arg)
{
	struct rig *rig = arg;

	loop_later(rig->loop, note_a, rig);
	loop_later(rig->loop, note_and_stop, rig);
	loop_free_later(rig->loop, mem_alloc(10));
	note(rig, 'r');
}

static void what_is_put_off_runs_in_order_after_the_callback(void **state)
{
	struct rig *rig = *state;

	rig->timer = loop_timer_create(rig->loop, put_off_and_return, rig);
	timer_start(rig->timer, 0);
	loop_run(rig->loop);
	assert_string_equal(rig->trace, "ra.");
}

static void put_off_again(void *arg)
{
	struct rig *rig = arg;

	note(rig, 'a');
	loop_later(rig->loop, rig->len < 30 ? put_off_again : note_and_stop, rig);
}

/* More than one turn holds: the rest must not wait for an event. */
static void what_puts_off_more_keeps_the_loop_awake(void **state)
{
	struct rig *rig = *state;

	loop_later(rig->loop, put_off_again, rig);
	loop_run(rig->loop);
	assert_int_equal(rig->len, 31);
}

static void put_off_from_hook(void *arg)
{
	struct rig *rig = arg;

	if (rig->hooks++ == 0)
		loop_later(rig->loop, note_and_stop, rig);
}

static void a_hook_that_puts_off_keeps_the_loop_awake(void **state)
{
	struct rig *rig = *state;

	rig->hook = hook_create(rig->loop, put_off_from_hook, rig);
	loop_run(rig->loop);
	assert_string_equal(rig->trace, ".");
	assert_true(rig->hooks >= 2);
}

static void hooks_run_after_all_that_was_put_off(void **state)
{
	struct rig *rig = *state;

	rig->hook = hook_create(rig->loop, note_b, rig);
	loop_later(rig->loop, put_off_and_return, rig);
	loop_run(rig->loop);
	assert_string_equal(rig->trace, "ra.b");
}

static void destroy_hooks(void *arg)
{
	struct rig *rig = arg;

	note(rig, 'h');
	hook_destroy(rig->hook);
	hook_destroy(rig->second_hook);
	rig->hook = rig->second_hook = NULL;
	loop_later(rig->loop, note_and_stop, rig);
}

static void a_hook_may_destroy_itself_and_the_next(void **state)
{
	struct rig *rig = *state;

	rig->hook = hook_create(rig->loop, destroy_hooks, rig);
	rig->second_hook = hook_create(rig->loop, note_b, rig);
	loop_run(rig->loop);
	assert_string_equal(rig->trace, "h.");
}

static void count_turn(void *arg)
{
	struct rig *rig = arg;

	rig->hooks++;
}

static void a_loop_without_work_sleeps(void **state)
{
	struct rig *rig = *state;

	rig->hook = hook_create(rig->loop, count_turn, rig);
	rig->timer = loop_timer_create(rig->loop, note_and_stop, rig);
	timer_start(rig->timer, 30);
	loop_later(rig->loop, note_a, rig);
	loop_run(rig->loop);
	assert_true(rig->hooks < 10);
}

/* ---- Descriptors ---- */

static void on_events(void *arg, unsigned events)
{
	struct rig *rig = arg;

	rig->events = events;
	loop_stop(rig->loop);
}

static void a_watch_tells_what_is_ready(void **state)
{
	struct rig *rig = *state;

	rig->watch = watch_create(rig->loop, rig->fds[0], on_events, rig);
	watch_set(rig->watch, WATCH_READ | WATCH_WRITE);
	loop_run(rig->loop);
	assert_int_equal(rig->events, WATCH_WRITE);
	watch_set(rig->watch, WATCH_READ);
	send_text(rig->fds[1], "x");
	loop_run(rig->loop);
	assert_int_equal(rig->events, WATCH_READ);
	watch_set(rig->watch, WATCH_DISCONNECT);
	shutdown(rig->fds[1], SHUT_WR);
	loop_run(rig->loop);
	assert_int_equal(rig->events, WATCH_DISCONNECT);
}

static void a_watch_set_to_nothing_is_quiet(void **state)
{
	struct rig *rig = *state;

	rig->watch = watch_create(rig->loop, rig->fds[0], on_events, rig);
	watch_set(rig->watch, WATCH_READ);
	watch_set(rig->watch, 0);
	send_text(rig->fds[1], "x");
	rig->timer = loop_timer_create(rig->loop, note_and_stop, rig);
	timer_start(rig->timer, 5);
	loop_run(rig->loop);
	assert_int_equal(rig->events, 0);
}

static void hand_over(void *arg, unsigned events)
{
	struct rig *rig = arg;

	(void)events;
	watch_destroy(rig->watch);
	rig->watch = watch_create(rig->loop, rig->fds[0], on_events, rig);
	watch_set(rig->watch, WATCH_READ);
}

/* A handle that closed later would take the descriptor out of epoll behind the new one's back. */
static void a_descriptor_handed_on_in_the_same_callback_stays_alive(void **state)
{
	struct rig *rig = *state;

	rig->watch = watch_create(rig->loop, rig->fds[0], hand_over, rig);
	watch_set(rig->watch, WATCH_READ);
	send_text(rig->fds[1], "x");
	loop_run(rig->loop);
	assert_int_equal(rig->events, WATCH_READ);
	rig->events = 0;
	loop_run(rig->loop); /* not read yet: still ready, one full turn later */
	assert_int_equal(rig->events, WATCH_READ);
}

static void count_events(void *arg, unsigned events)
{
	struct rig *rig = arg;

	rig->events++;
	note(rig, events == WATCH_READ ? 'r' : '?');
}

static void a_reset_descriptor_is_told_once_and_does_not_spin(void **state)
{
	struct rig *rig = *state;
	const struct linger hard = { .l_onoff = 1 };
	int port, listener = listen_somewhere(&port);
	int near = connect_tcp(port), far = accept(listener, NULL, NULL);

	setsockopt(far, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(far); /* with a reset */
	rig->watch = watch_create(rig->loop, near, count_events, rig);
	watch_set(rig->watch, WATCH_READ);
	rig->timer = loop_timer_create(rig->loop, note_and_stop, rig);
	timer_start(rig->timer, 10);
	loop_run(rig->loop);
	assert_string_equal(rig->trace, "r.");
	watch_destroy(rig->watch);
	rig->watch = NULL;
	close(near);
	close(listener);
}

static void writing_to_a_closed_peer_is_an_error_and_no_signal(void **state)
{
	struct rig *rig = *state;
	int ends[2];

	(void)rig;
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	assert_int_equal(write(ends[1], "x", 1), -1);
	assert_int_equal(errno, EPIPE);
	close(ends[1]);
}

/* ---- Other threads, signals ---- */

static void ask_whose_it_is(void *arg)
{
	struct rig *rig = arg;
	char byte;

	/* A loop that does not run yet is anybody's. */
	assert(read(rig->started[0], &byte, 1) == 1);
	rig->was_mine_there = loop_is_mine(rig->loop);
}

static void ask_here(void *arg)
{
	struct rig *rig = arg;

	rig->was_mine_here = loop_is_mine(rig->loop);
	assert(write(rig->started[1], "x", 1) == 1);
}

static void the_loop_belongs_to_the_thread_that_runs_it(void **state)
{
	struct rig *rig = *state;

	assert_true(loop_is_mine(rig->loop));
	assert_int_equal(pipe(rig->started), 0);
	loop_later(rig->loop, ask_here, rig);
	run_beside(rig->loop, ask_whose_it_is, rig); /* which also wakes from that thread */
	close(rig->started[0]);
	close(rig->started[1]);
	assert_true(rig->was_mine_here);
	assert_false(rig->was_mine_there);
	assert_true(loop_is_mine(rig->loop));
}

static void work_elsewhere(void *arg)
{
	struct rig *rig = arg;

	rig->was_mine_there = loop_is_mine(rig->loop);
	note(rig, 'w');
}

static void send_to_work(void *arg)
{
	struct rig *rig = arg;

	loop_work(rig->loop, work_elsewhere, note_and_stop, rig);
}

static void work_is_done_elsewhere_and_reported_here(void **state)
{
	struct rig *rig = *state;

	loop_later(rig->loop, send_to_work, rig);
	loop_run(rig->loop);
	assert_string_equal(rig->trace, "w.");
	assert_false(rig->was_mine_there);
}

static void on_signal(void *arg, int signum)
{
	note(arg, signum == SIGUSR1 ? 's' : '?');
	note_and_stop(arg);
}

static void a_signal_arrives_as_a_callback(void **state)
{
	struct rig *rig = *state;

	rig->signal = signal_create(rig->loop, SIGUSR1, on_signal, rig);
	raise(SIGUSR1);
	loop_run(rig->loop);
	assert_string_equal(rig->trace, "s.");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_timer_never_fires_before_its_time),
		TEST(a_stopped_timer_stays_quiet_and_a_restart_replaces),
		TEST(a_timer_that_starts_again_at_once_starves_nobody),
		TEST(a_timer_that_is_due_may_be_destroyed_by_another),
		TEST(a_timer_may_be_destroyed_in_its_own_callback),
		TEST(what_is_put_off_runs_in_order_after_the_callback),
		TEST(what_puts_off_more_keeps_the_loop_awake),
		TEST(a_hook_that_puts_off_keeps_the_loop_awake),
		TEST(hooks_run_after_all_that_was_put_off),
		TEST(a_hook_may_destroy_itself_and_the_next),
		TEST(a_loop_without_work_sleeps),
		TEST(a_watch_tells_what_is_ready),
		TEST(a_watch_set_to_nothing_is_quiet),
		TEST(a_descriptor_handed_on_in_the_same_callback_stays_alive),
		TEST(a_reset_descriptor_is_told_once_and_does_not_spin),
		TEST(writing_to_a_closed_peer_is_an_error_and_no_signal),
		TEST(the_loop_belongs_to_the_thread_that_runs_it),
		TEST(work_is_done_elsewhere_and_reported_here),
		TEST(a_signal_arrives_as_a_callback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
