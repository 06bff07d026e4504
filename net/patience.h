/* patience.h - one time limit for many: whoever is not done in time is late.
 *
 * All wait equally long, so that a list in order of arrival and one timer do for any number.
 * Loop thread only. */
#ifndef NET_PATIENCE_H
#define NET_PATIENCE_H
#include <stdint.h>

#include "base/clock.h"
#include "base/list.h"

struct loop;
struct patience;

/* Embedded in whatever waits; patient_init() it first. In one patience at a time. */
struct patient {
	struct list_node node;
	struct mono deadline;
};

struct patience *patience_create(struct loop *loop, int64_t timeout_ms,
				 void (*late)(struct patient *patient));
void patience_destroy(struct patience *patience); /* whoever still waits is let go; NULL is fine */

void patient_init(struct patient *patient);
void patient_wait(struct patient *patient, struct patience *patience); /* from now; moves it */
void patient_done(struct patient *patient);                            /* fine when not waiting */
#endif
