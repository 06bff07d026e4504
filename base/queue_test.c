#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>

#include "base/mem.h"
#include "base/queue.h"

#define ITEMS 100000

struct item {
	struct list_node node;
	int number;
};

static int pop_number(struct list *list)
{
	return CONTAINER_OF(list_pop_front(list), struct item, node)->number;
}

static void count_call(void *calls)
{
	++*(int *)calls;
}

static void wake_is_called_only_when_the_queue_was_empty(void **unused)
{
	struct item items[3] = { { .number = 1 }, { .number = 2 }, { .number = 3 } };
	int calls = 0;
	struct queue *queue = queue_create(10, count_call, &calls);
	struct list taken;

	(void)unused;
	list_init(&taken);
	assert_true(queue_push(queue, &items[0].node));
	assert_true(queue_push(queue, &items[1].node));
	assert_int_equal(calls, 1);
	assert_int_equal(queue_take(queue, &taken), 2);
	assert_true(queue_push_always(queue, &items[2].node));
	assert_int_equal(calls, 2);
	assert_int_equal(queue_take(queue, &taken), 1); /* goes to the back of what is there */
	for (int i = 1; i <= 3; i++)
		assert_int_equal(pop_number(&taken), i);
	assert_int_equal(queue_take(queue, &taken), 0);
	queue_destroy(queue);
	queue_destroy(NULL);
}

static void a_full_queue_refuses_but_answers_pass(void **unused)
{
	struct item items[3];
	struct queue *queue = queue_create(1, NULL, NULL);
	struct list taken;

	(void)unused;
	list_init(&taken);
	assert_true(queue_push(queue, &items[0].node));
	assert_false(queue_push(queue, &items[1].node));
	assert_true(queue_push_always(queue, &items[2].node));
	assert_int_equal(queue_len(queue), 2);
	assert_int_equal(queue_take(queue, &taken), 2);
	assert_int_equal(queue_len(queue), 0);
	queue_destroy(queue);
}

static void a_closed_queue_gives_what_it_has_and_takes_nothing(void **unused)
{
	struct item items[2];
	struct queue *queue = queue_create(10, NULL, NULL);
	struct list taken;

	(void)unused;
	list_init(&taken);
	queue_push(queue, &items[0].node);
	assert_false(queue_is_closed(queue));
	queue_close(queue);
	assert_true(queue_is_closed(queue));
	assert_false(queue_push(queue, &items[1].node));
	assert_false(queue_push_always(queue, &items[1].node));
	assert_int_equal(queue_wait(queue, &taken, -1), 1);
	assert_int_equal(queue_wait(queue, &taken, -1), 0);
	queue_destroy(queue);
}

static void waiting_ends_when_the_time_is_up(void **unused)
{
	struct queue *queue = queue_create(10, NULL, NULL);
	struct list taken;

	(void)unused;
	list_init(&taken);
	assert_int_equal(queue_wait(queue, &taken, 0), 0);
	assert_int_equal(queue_wait(queue, &taken, 1), 0);
	queue_destroy(queue);
}

static void *push_numbers(void *arg)
{
	struct queue *queue = arg;

	for (int i = 0; i < ITEMS; i++) {
		struct item *item = mem_alloc(sizeof(*item));

		item->number = i;
		while (!queue_push(queue, &item->node))
			sched_yield();
	}
	queue_close(queue);
	return NULL;
}

static void order_is_kept_from_one_thread_to_the_other(void **unused)
{
	struct queue *queue = queue_create(100, NULL, NULL);
	struct list taken;
	pthread_t pusher;
	int expected = 0;

	(void)unused;
	list_init(&taken);
	assert_int_equal(pthread_create(&pusher, NULL, push_numbers, queue), 0);
	while (queue_wait(queue, &taken, -1) > 0)
		while (!list_is_empty(&taken)) {
			struct item *item = CONTAINER_OF(list_pop_front(&taken), struct item, node);

			assert_int_equal(item->number, expected++);
			mem_free(item);
		}
	assert_int_equal(expected, ITEMS);
	pthread_join(pusher, NULL);
	queue_destroy(queue);
}

static void *wait_for_close(void *arg)
{
	struct list taken;

	list_init(&taken);
	return queue_wait(arg, &taken, -1) == 0 ? arg : NULL;
}

static void closing_wakes_the_waiter(void **unused)
{
	struct queue *queue = queue_create(1, NULL, NULL);
	pthread_t waiter;
	void *result;

	(void)unused;
	assert_int_equal(pthread_create(&waiter, NULL, wait_for_close, queue), 0);
	sched_yield(); /* most often it waits by now; it must work either way */
	queue_close(queue);
	pthread_join(waiter, &result);
	assert_ptr_equal(result, queue); /* got nothing */
	queue_destroy(queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wake_is_called_only_when_the_queue_was_empty),
		cmocka_unit_test(a_full_queue_refuses_but_answers_pass),
		cmocka_unit_test(a_closed_queue_gives_what_it_has_and_takes_nothing),
		cmocka_unit_test(waiting_ends_when_the_time_is_up),
		cmocka_unit_test(order_is_kept_from_one_thread_to_the_other),
		cmocka_unit_test(closing_wakes_the_waiter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
