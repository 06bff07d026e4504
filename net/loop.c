#include "net/loop.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <uv.h>

#include "base/list.h"
#include "base/mem.h"

/* What is put off may put off more; this often within one turn, then the next turn goes on. */
#define LATER_ROUNDS 8

struct loop {
	uv_loop_t uv;
	uv_prepare_t prepare; /* the end of the turn: just before the loop would sleep */
	uv_idle_t awake;      /* while active, the loop does not sleep */
	struct list laters;
	struct list due; /* timers for the next turn */
	struct list hooks;
	struct mono now; /* 0: not read yet this turn */
	pthread_t thread;
	atomic_bool is_running;
};

struct later {
	struct list_node node;
	void (*fn)(void *arg);
	void *arg;
};

struct timer {
	uv_timer_t uv;
	struct list_node node; /* in loop->due, when it is to fire at once */
	struct loop *loop;
	struct mono deadline;
	void (*fn)(void *arg);
	void *arg;
};

struct watch {
	uv_poll_t uv;
	unsigned events;
	void (*fn)(void *arg, unsigned events);
	void *arg;
};

struct hook {
	struct list_node node;
	struct loop *loop;
	void (*fn)(void *arg); /* NULL once destroyed */
	void *arg;
};

struct wake {
	uv_async_t uv;
	void (*fn)(void *arg);
	void *arg;
};

struct signal_watch {
	uv_signal_t uv;
	void (*fn)(void *arg, int signum);
	void *arg;
};

struct work {
	uv_work_t uv;
	void (*work)(void *arg);
	void (*done)(void *arg);
	void *arg;
};

/* Fails only for want of memory or descriptors at start, or by misuse: both are our own. */
static void must(int status)
{
	assert(status == 0);
	(void)status;
}

static void run_laters_once(struct loop *loop)
{
	struct list batch;
	struct list_node *node;

	list_init(&batch);
	list_move_all(&loop->laters, &batch);
	while ((node = list_pop_front(&batch))) {
		struct later *later = CONTAINER_OF(node, struct later, node);

		later->fn(later->arg);
		mem_free(later);
	}
}

static void fire(struct timer *timer)
{
	timer->loop->now = mono_now();
	timer->fn(timer->arg);
}

/* libuv itself would run a timer that starts itself again at once for ever, without a look at
 * anything else. */
static void run_due(uv_idle_t *awake)
{
	struct loop *loop = awake->data;
	struct list batch;
	struct list_node *node;

	list_init(&batch);
	list_move_all(&loop->due, &batch);
	while ((node = list_pop_front(&batch)))
		fire(CONTAINER_OF(node, struct timer, node));
	if (list_is_empty(&loop->due))
		must(uv_idle_stop(awake));
}

static void stay_awake(struct loop *loop)
{
	must(uv_idle_start(&loop->awake, run_due));
}

/* Hooks come last, so that they see all the turn has done. What they put off waits for the next
 * turn, which then comes without sleep and ends with all hooks again. */
static void end_turn(uv_prepare_t *prepare)
{
	struct loop *loop = prepare->data;

	for (int round = 0; round < LATER_ROUNDS && !list_is_empty(&loop->laters); round++)
		run_laters_once(loop);
	LIST_EACH (&loop->hooks, node) {
		struct hook *hook = CONTAINER_OF(node, struct hook, node);

		if (hook->fn)
			hook->fn(hook->arg);
	}
	if (!list_is_empty(&loop->laters))
		stay_awake(loop);
	loop->now = (struct mono){ 0 };
}

struct loop *loop_create(void)
{
	struct loop *loop = mem_alloc(sizeof(*loop));

	/* A peer that leaves is an error of write(), not the end of the process. */
	signal(SIGPIPE, SIG_IGN);
	list_init(&loop->laters);
	list_init(&loop->hooks);
	list_init(&loop->due);
	must(uv_loop_init(&loop->uv));
	must(uv_prepare_init(&loop->uv, &loop->prepare));
	must(uv_idle_init(&loop->uv, &loop->awake));
	loop->prepare.data = loop;
	loop->awake.data = loop;
	must(uv_prepare_start(&loop->prepare, end_turn));
	return loop;
}

static void check_destroyed(uv_handle_t *handle, void *arg)
{
	struct loop *loop = arg;

	assert(uv_is_closing(handle) || handle == (uv_handle_t *)&loop->prepare ||
	       handle == (uv_handle_t *)&loop->awake);
}

void loop_destroy(struct loop *loop)
{
	if (!loop)
		return;
	while (!list_is_empty(&loop->laters))
		run_laters_once(loop);
	uv_walk(&loop->uv, check_destroyed, loop);
	assert(list_is_empty(&loop->hooks));
	/* What still closes, and what the thread pool still does, ends here. */
	uv_unref((uv_handle_t *)&loop->prepare);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	uv_close((uv_handle_t *)&loop->prepare, NULL);
	uv_close((uv_handle_t *)&loop->awake, NULL);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	assert(list_is_empty(&loop->laters));
	must(uv_loop_close(&loop->uv));
	mem_free(loop);
}

void loop_run(struct loop *loop)
{
	loop->thread = pthread_self();
	atomic_store(&loop->is_running, true);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	atomic_store(&loop->is_running, false);
}

void loop_stop(struct loop *loop)
{
	uv_stop(&loop->uv);
}

bool loop_is_mine(const struct loop *loop)
{
	return !atomic_load(&loop->is_running) || pthread_equal(loop->thread, pthread_self());
}

struct mono loop_now(struct loop *loop)
{
	if (loop->now.us == 0)
		loop->now = mono_now();
	return loop->now;
}

void *loop_uv(struct loop *loop)
{
	return &loop->uv;
}

void loop_later(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	struct later *later = mem_alloc(sizeof(*later));

	assert(loop_is_mine(loop));
	later->fn = fn;
	later->arg = arg;
	list_push_back(&loop->laters, &later->node);
}

void loop_free_later(struct loop *loop, void *memory)
{
	if (memory)
		loop_later(loop, mem_free, memory);
}

/* Every handle is the first member of its object, so that one function frees them all. */
static void free_closed(uv_handle_t *handle)
{
	mem_free(handle);
}

static void arm(struct timer *timer);

/* libuv counts whole milliseconds from a time it read earlier, and may be early by that much. */
static void on_timer(uv_timer_t *uv)
{
	struct timer *timer = CONTAINER_OF(uv, struct timer, uv);

	if (mono_is_past(timer->deadline, mono_now()))
		fire(timer);
	else
		arm(timer);
}

static void arm(struct timer *timer)
{
	int64_t wait_us = mono_diff_us(timer->deadline, loop_now(timer->loop));

	timer_stop(timer);
	if (wait_us > 0) {
		must(uv_timer_start(&timer->uv, on_timer, ((uint64_t)wait_us + 999) / 1000, 0));
	} else {
		list_push_back(&timer->loop->due, &timer->node);
		stay_awake(timer->loop);
	}
}

struct timer *loop_timer_create(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	struct timer *timer = mem_alloc(sizeof(*timer));

	list_node_init(&timer->node);
	timer->loop = loop;
	timer->fn = fn;
	timer->arg = arg;
	must(uv_timer_init(&loop->uv, &timer->uv));
	return timer;
}

void timer_start(struct timer *timer, int64_t after_ms)
{
	timer_start_at(timer, mono_after_ms(loop_now(timer->loop), after_ms));
}

void timer_start_at(struct timer *timer, struct mono deadline)
{
	assert(loop_is_mine(timer->loop));
	timer->deadline = deadline;
	if (deadline.us == 0)
		timer_stop(timer);
	else
		arm(timer);
}

void timer_stop(struct timer *timer)
{
	must(uv_timer_stop(&timer->uv));
	list_remove(&timer->node);
}

bool timer_is_running(const struct timer *timer)
{
	return list_has(&timer->node) || uv_is_active((const uv_handle_t *)&timer->uv);
}

void timer_destroy(struct timer *timer)
{
	if (!timer)
		return;
	list_remove(&timer->node);
	uv_close((uv_handle_t *)&timer->uv, free_closed);
}

/* After an error libuv has stopped watching. The owner hears of everything it asked for and
 * meets the error itself when it reads or writes. */
static void on_ready(uv_poll_t *uv, int status, int events)
{
	struct watch *watch = CONTAINER_OF(uv, struct watch, uv);
	unsigned ready = (unsigned)events;

	if (status < 0) {
		ready = watch->events;
		watch->events = 0;
	}
	watch->fn(watch->arg, ready);
}

struct watch *watch_create(struct loop *loop, int fd, void (*fn)(void *arg, unsigned events),
			   void *arg)
{
	struct watch *watch = mem_alloc(sizeof(*watch));

	assert(loop_is_mine(loop));
	watch->fn = fn;
	watch->arg = arg;
	must(uv_poll_init(&loop->uv, &watch->uv, fd));
	return watch;
}

/* Starting anew costs several system calls, so it is done for real changes only. */
void watch_set(struct watch *watch, unsigned events)
{
	static_assert(WATCH_READ == UV_READABLE && WATCH_WRITE == UV_WRITABLE &&
			      WATCH_DISCONNECT == UV_DISCONNECT,
		      "events go to libuv as they are");

	if (events == watch->events)
		return;
	watch->events = events;
	if (events)
		must(uv_poll_start(&watch->uv, (int)events, on_ready));
	else
		must(uv_poll_stop(&watch->uv));
}

void watch_destroy(struct watch *watch)
{
	if (watch)
		uv_close((uv_handle_t *)&watch->uv, free_closed);
}

struct hook *hook_create(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	struct hook *hook = mem_alloc(sizeof(*hook));

	hook->loop = loop;
	hook->fn = fn;
	hook->arg = arg;
	list_push_back(&loop->hooks, &hook->node);
	return hook;
}

static void free_hook(void *arg)
{
	struct hook *hook = arg;

	list_remove(&hook->node);
	mem_free(hook);
}

void hook_destroy(struct hook *hook)
{
	if (!hook)
		return;
	hook->fn = NULL; /* the walk over all hooks may be on this one */
	loop_later(hook->loop, free_hook, hook);
}

static void on_wake(uv_async_t *uv)
{
	struct wake *wake = CONTAINER_OF(uv, struct wake, uv);

	wake->fn(wake->arg);
}

struct wake *wake_create(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	struct wake *wake = mem_alloc(sizeof(*wake));

	wake->fn = fn;
	wake->arg = arg;
	must(uv_async_init(&loop->uv, &wake->uv, on_wake));
	return wake;
}

void wake_send(struct wake *wake)
{
	must(uv_async_send(&wake->uv));
}

void wake_destroy(struct wake *wake)
{
	if (wake)
		uv_close((uv_handle_t *)&wake->uv, free_closed);
}

static void on_signal(uv_signal_t *uv, int signum)
{
	struct signal_watch *signal = CONTAINER_OF(uv, struct signal_watch, uv);

	signal->fn(signal->arg, signum);
}

struct signal_watch *signal_create(struct loop *loop, int signum, void (*fn)(void *arg, int signum),
				   void *arg)
{
	struct signal_watch *signal = mem_alloc(sizeof(*signal));

	signal->fn = fn;
	signal->arg = arg;
	must(uv_signal_init(&loop->uv, &signal->uv));
	must(uv_signal_start(&signal->uv, on_signal, signum));
	return signal;
}

void signal_destroy(struct signal_watch *signal)
{
	if (signal)
		uv_close((uv_handle_t *)&signal->uv, free_closed);
}

static void do_work(uv_work_t *uv)
{
	struct work *work = CONTAINER_OF(uv, struct work, uv);

	work->work(work->arg);
}

static void work_done(uv_work_t *uv, int status)
{
	struct work *work = CONTAINER_OF(uv, struct work, uv);

	(void)status; /* never cancelled */
	work->done(work->arg);
	mem_free(work);
}

void loop_work(struct loop *loop, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
	struct work *job = mem_alloc(sizeof(*job));

	assert(loop_is_mine(loop));
	job->work = work;
	job->done = done;
	job->arg = arg;
	must(uv_queue_work(&loop->uv, &job->uv, do_work, work_done));
}
