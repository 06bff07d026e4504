/* queue.h - a bounded queue between two threads; the only mutex in the tree.
 *
 * Ownership of an item moves with it. One side pushes, the other takes everything at once.
 * wake is called on the pushing thread whenever an item enters an empty queue, outside the lock;
 * it may be NULL, when the taker blocks in queue_wait(). */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H
#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"

struct queue;

struct queue *queue_create(size_t max, void (*wake)(void *arg), void *arg);
void queue_destroy(struct queue *queue); /* must be empty; NULL is fine */

bool queue_push(struct queue *queue,
		struct list_node *item); /* false when full or closed: item stays yours */
/* Past the bound, for answers. False only after queue_close(): item stays yours. */
bool queue_push_always(struct queue *queue, struct list_node *item);

/* Moves everything that waits to the back of to, in order; the number of items. */
size_t queue_take(struct queue *queue, struct list *to);
/* As queue_take(), but blocks until something is there, timeout_ms passed (-1: never) or the
 * queue was closed. 0 after close means: nothing will come any more. */
size_t queue_wait(struct queue *queue, struct list *to, int timeout_ms);
void queue_close(struct queue *queue); /* wakes the waiter; pushes are refused from now on */
bool queue_is_closed(struct queue *queue);
size_t queue_len(struct queue *queue);
#endif
