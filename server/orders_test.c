#include "server/journal_rig.h"

#include "base/log.h"
#include "server/orders.h"

#define MORE_THAN_ARE_KEPT 4097 /* final orders */

static void nothing_is_let_go_after_the_end(void **state)
{
	struct rig *rig = *state;
	struct journal_step step = { .cause = "shutdown" };
	struct orders *orders;
	size_t lost;

	rig_open(rig);
	orders = orders_create(rig->loop, rig->journal);
	for (int i = 0; i < MORE_THAN_ARE_KEPT; i++) {
		char id[16];
		struct order order;

		snprintf(id, sizeof(id), "%d", i);
		order = rig_order(id);
		assert_true(orders_move(orders, orders_add(orders, &order, 1), EV_FAIL, &step));
	}
	/* As at the end of the daemon: acknowledged at the close, and the loop turns no more. */
	assert_true(journal_close(rig->journal, &lost));
	orders_destroy(orders);
	timer_destroy(rig->patience);
	loop_destroy(rig->loop); /* what was put off until the end of the turn comes now */
	rig->loop = NULL;
}

static void count(void *arg, struct tracked *tracked, const struct order *written)
{
	int *told = arg;

	assert_int_equal(written->facts.state, tracked->order.facts.state);
	(*told)++;
}

static void whoever_listens_is_told_of_a_change(void **state)
{
	struct rig *rig = *state;
	struct journal_step step = { .cause = "test" };
	struct order order = rig_order("1");
	int told[20] = { 0 };
	struct orders *orders;
	size_t lost;

	rig_open(rig);
	orders = orders_create(rig->loop, rig->journal);
	for (size_t i = 0; i < ARRAY_LEN(told); i++)
		orders_on_change(orders, count, &told[i]);
	assert_true(orders_move(orders, orders_add(orders, &order, 1), EV_FAIL, &step));
	assert_true(journal_close(rig->journal, &lost));
	for (size_t i = 0; i < ARRAY_LEN(told); i++)
		assert_int_equal(told[i], 1);
	orders_destroy(orders);
	timer_destroy(rig->patience);
	loop_destroy(rig->loop);
	rig->loop = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_is_let_go_after_the_end, rig_setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(whoever_listens_is_told_of_a_change, rig_setup,
						rig_teardown),
	};

	log_configure(LOG_ERROR, LOG_JSON);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
