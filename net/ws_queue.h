/* ws_queue.h - what waits to be sent to one peer: references to shared frames; for net/ws*.c only.
 *
 * Grows as needed and gives the memory back when empty, since there are thousands of them and
 * nearly all are empty nearly always. Its user bounds it. One owner, no thread of its own. */
#ifndef NET_WS_QUEUE_H
#define NET_WS_QUEUE_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

struct ws_frame;

struct ws_queue {
	struct ws_frame **frames; /* a ring of room */
	unsigned first, count, room;
	size_t first_sent; /* bytes of the first one that are gone already */
	size_t bytes;      /* that wait */
};

void ws_queue_fini(struct ws_queue *queue);
void ws_queue_push(struct ws_queue *queue, struct ws_frame *frame); /* refs frame */
struct ws_frame *ws_queue_first(const struct ws_queue *queue);      /* NULL when empty; borrowed */
struct ws_frame *ws_queue_at(const struct ws_queue *queue, unsigned index); /* borrowed */
/* Are these what waits, all of it and in this order? */
bool ws_queue_is(const struct ws_queue *queue, struct ws_frame *const *frames, unsigned count);
/* What comes first, in at most max pieces; their number. */
unsigned ws_queue_iov(const struct ws_queue *queue, struct iovec *iov, unsigned max);
void ws_queue_sent(struct ws_queue *queue, size_t len); /* so many bytes, from the front */
void ws_queue_drop(struct ws_queue *queue); /* all but the rest of a frame that is on its way */
#endif
