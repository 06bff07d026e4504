#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/patience.h"

#include "base/mem.h"
#include "net/loop.h"

#define LIMIT_MS 20

struct rig {
	struct loop *loop;
	struct patience *patience;
	struct timer *timer;
	struct mono start;
};

struct visitor {
	struct patient patient;
	struct rig *rig;
	int64_t late_after_ms; /* 0: never late */
	bool is_last;
};

static void on_late(struct patient *patient)
{
	struct visitor *visitor = CONTAINER_OF(patient, struct visitor, patient);
	struct rig *rig = visitor->rig;

	assert_int_equal(visitor->late_after_ms, 0);
	visitor->late_after_ms = mono_diff_ms(loop_now(rig->loop), rig->start);
	if (visitor->is_last)
		loop_stop(rig->loop);
}

static int set_up(void **state)
{
	struct rig *rig = mem_alloc(sizeof(*rig));

	rig->loop = loop_create();
	rig->patience = patience_create(rig->loop, LIMIT_MS, on_late);
	rig->start = loop_now(rig->loop);
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	patience_destroy(rig->patience);
	timer_destroy(rig->timer);
	loop_destroy(rig->loop);
	mem_free(rig);
	return 0;
}

static void start_waiting(void *arg)
{
	struct visitor *visitor = arg;

	patient_wait(&visitor->patient, visitor->rig->patience);
}

/* The first is done in time, the second late, the third comes while the second waits. */
static void whoever_is_not_done_in_time_is_late(void **state)
{
	struct rig *rig = *state;
	struct visitor visitors[3] = { { .rig = rig }, { .rig = rig }, { .rig = rig } };

	for (size_t i = 0; i < ARRAY_LEN(visitors); i++)
		patient_init(&visitors[i].patient);
	patient_wait(&visitors[0].patient, rig->patience);
	patient_wait(&visitors[1].patient, rig->patience);
	patient_done(&visitors[0].patient);
	visitors[2].is_last = true;
	rig->timer = loop_timer_create(rig->loop, start_waiting, &visitors[2]);
	timer_start(rig->timer, LIMIT_MS / 2);
	loop_run(rig->loop);
	assert_int_equal(visitors[0].late_after_ms, 0);
	assert_in_range(visitors[1].late_after_ms, LIMIT_MS, 5000);
	assert_in_range(visitors[2].late_after_ms, LIMIT_MS + LIMIT_MS / 2, 5000);
}

static void waiting_again_starts_anew(void **state)
{
	struct rig *rig = *state;
	struct visitor visitor = { .rig = rig, .is_last = true };

	patient_init(&visitor.patient);
	patient_wait(&visitor.patient, rig->patience);
	rig->timer = loop_timer_create(rig->loop, start_waiting, &visitor);
	timer_start(rig->timer, LIMIT_MS / 2);
	loop_run(rig->loop);
	assert_in_range(visitor.late_after_ms, LIMIT_MS + LIMIT_MS / 2, 5000);
}

static void being_done_twice_is_fine(void **state)
{
	struct rig *rig = *state;
	struct visitor visitor = { .rig = rig };

	patient_init(&visitor.patient);
	patient_done(&visitor.patient);
	patient_wait(&visitor.patient, rig->patience);
	patient_done(&visitor.patient);
	patient_done(&visitor.patient);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(whoever_is_not_done_in_time_is_late),
		TEST(waiting_again_starts_anew),
		TEST(being_done_twice_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
