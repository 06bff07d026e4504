#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/list.h"

struct item {
	int number;
	struct list_node node;
};

static int number_of(struct list_node *node)
{
	return CONTAINER_OF(node, struct item, node)->number;
}

/* The numbers in order, as one decimal number. */
static int digits_of(const struct list *list)
{
	int digits = 0;

	LIST_EACH (list, node)
		digits = digits * 10 + number_of(node);
	return digits;
}

static void items_stay_in_order(void **unused)
{
	struct item items[4] = {
		{ .number = 1 }, { .number = 2 }, { .number = 3 }, { .number = 4 }
	};
	struct list list;

	(void)unused;
	list_init(&list);
	assert_null(list_first(&list));
	list_push_back(&list, &items[1].node);
	list_push_back(&list, &items[3].node);
	list_push_front(&list, &items[0].node);
	list_insert_before(&items[3].node, &items[2].node);
	assert_int_equal(digits_of(&list), 1234);
	assert_int_equal(number_of(list_pop_front(&list)), 1);
	list_remove(&items[2].node);
	assert_false(list_has(&items[2].node));
	list_remove(&items[2].node); /* again does nothing */
	assert_int_equal(digits_of(&list), 24);
}

static void the_current_item_may_leave_a_safe_walk(void **unused)
{
	struct item items[4] = {
		{ .number = 1 }, { .number = 2 }, { .number = 3 }, { .number = 4 }
	};
	struct list list;

	(void)unused;
	list_init(&list);
	for (int i = 0; i < 4; i++)
		list_push_back(&list, &items[i].node);
	LIST_EACH_SAFE (&list, node)
		if (number_of(node) % 2 == 0)
			list_remove(node);
	assert_int_equal(digits_of(&list), 13);
}

static void moving_all_keeps_order_and_empties_the_source(void **unused)
{
	struct item items[4] = {
		{ .number = 1 }, { .number = 2 }, { .number = 3 }, { .number = 4 }
	};
	struct list from, to;

	(void)unused;
	list_init(&from);
	list_init(&to);
	list_move_all(&from, &to);
	assert_true(list_is_empty(&to));
	list_push_back(&to, &items[0].node);
	for (int i = 1; i < 4; i++)
		list_push_back(&from, &items[i].node);
	list_move_all(&from, &to);
	assert_true(list_is_empty(&from));
	assert_int_equal(digits_of(&to), 1234);
	list_move_all(&to, &from);
	assert_int_equal(digits_of(&from), 1234);
	assert_int_equal(number_of(from.head.prev), 4);
	assert_true(list_is_empty(&to));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_stay_in_order),
		cmocka_unit_test(the_current_item_may_leave_a_safe_walk),
		cmocka_unit_test(moving_all_keeps_order_and_empties_the_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
