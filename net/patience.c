#include "net/patience.h"

#include "base/mem.h"
#include "net/loop.h"

struct patience {
	struct loop *loop;
	struct timer *timer; /* at the latest, at the first one's deadline */
	struct list patients;
	int64_t timeout_ms;
	void (*late)(struct patient *patient);
};

static void on_timer(void *arg)
{
	struct patience *patience = arg;
	struct list_node *node;

	while ((node = list_first(&patience->patients))) {
		struct patient *patient = CONTAINER_OF(node, struct patient, node);

		if (!mono_is_past(patient->deadline, loop_now(patience->loop))) {
			timer_start_at(patience->timer, patient->deadline);
			return;
		}
		list_remove(node);
		patience->late(patient);
	}
}

struct patience *patience_create(struct loop *loop, int64_t timeout_ms,
				 void (*late)(struct patient *patient))
{
	struct patience *patience = mem_alloc(sizeof(*patience));

	patience->loop = loop;
	patience->timer = loop_timer_create(loop, on_timer, patience);
	list_init(&patience->patients);
	patience->timeout_ms = timeout_ms;
	patience->late = late;
	return patience;
}

void patience_destroy(struct patience *patience)
{
	if (!patience)
		return;
	while (list_pop_front(&patience->patients))
		;
	timer_destroy(patience->timer);
	loop_free_later(patience->loop, patience);
}

void patient_init(struct patient *patient)
{
	list_node_init(&patient->node);
}

/* The timer is left alone when it runs: it is then due earlier, and looks whose turn it is. So
 * those who are done in time, nearly all, cost no timer. */
void patient_wait(struct patient *patient, struct patience *patience)
{
	list_remove(&patient->node);
	patient->deadline = mono_after_ms(loop_now(patience->loop), patience->timeout_ms);
	list_push_back(&patience->patients, &patient->node);
	if (!timer_is_running(patience->timer))
		timer_start_at(patience->timer, patient->deadline);
}

void patient_done(struct patient *patient)
{
	list_remove(&patient->node);
}
