/* event_switch.h - something that is so or not so, told on the channel `system` as it changes.
 *
 * The first change is told at once; for quiet_ms after each telling further ones are only
 * remembered, and then what holds is told if it is not what was told last. So a link that flaps
 * cannot flood the journal, and nobody is left with an old word. Loop thread only. */
#ifndef SERVER_EVENT_SWITCH_H
#define SERVER_EVENT_SWITCH_H
#include <stdbool.h>
#include <stdint.h>

#include "server/event.h"

struct event_switch;
struct loop;

/* Borrows both. on and off: what is told; the same twice: only being on is told. At first it is
 * neither. */
struct event_switch *event_switch_create(struct loop *loop, struct journal *journal,
					 enum system_event on, enum system_event off,
					 int64_t quiet_ms);
void event_switch_destroy(struct event_switch *switch_); /* NULL is fine */
/* text: one sentence for people; copied. */
void event_switch_set(struct event_switch *switch_, bool is_on, const char *text);
#endif
