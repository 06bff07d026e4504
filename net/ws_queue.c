#include "net/ws_queue.h"

#include <assert.h>

#include "base/mem.h"
#include "net/ws.h"
#include "net/ws_frame.h"

#define ROOM_FIRST 8   /* and doubled: always a power of two */
#define ROOM_KEPT  128 /* while empty, for the next burst; more is given back */

static struct ws_frame **slot(const struct ws_queue *queue, unsigned index)
{
	/* Not by division: this is most of what a frame costs that leaves in a burst. */
	return &queue->frames[(queue->first + index) & (queue->room - 1)];
}

static void resize(struct ws_queue *queue, unsigned room)
{
	struct ws_frame **frames = mem_array(room, sizeof(struct ws_frame *));

	for (unsigned i = 0; i < queue->count; i++)
		frames[i] = *slot(queue, i);
	mem_free(queue->frames);
	queue->frames = frames;
	queue->first = 0;
	queue->room = room;
}

static void forget(struct ws_queue *queue)
{
	mem_free(queue->frames);
	queue->frames = NULL;
	queue->first = queue->room = 0;
}

void ws_queue_fini(struct ws_queue *queue)
{
	for (unsigned i = 0; i < queue->count; i++)
		ws_frame_unref(*slot(queue, i));
	queue->count = 0;
	queue->first_sent = queue->bytes = 0;
	forget(queue);
}

void ws_queue_push(struct ws_queue *queue, struct ws_frame *frame)
{
	if (queue->count == queue->room)
		resize(queue, queue->room ? 2 * queue->room : ROOM_FIRST);
	queue->count++;
	*slot(queue, queue->count - 1) = ws_frame_ref(frame);
	queue->bytes += ws_frame_size(frame);
}

struct ws_frame *ws_queue_first(const struct ws_queue *queue)
{
	return queue->count > 0 ? *slot(queue, 0) : NULL;
}

struct ws_frame *ws_queue_at(const struct ws_queue *queue, unsigned index)
{
	return *slot(queue, index);
}

bool ws_queue_is(const struct ws_queue *queue, struct ws_frame *const *frames, unsigned count)
{
	if (queue->count != count || queue->first_sent > 0)
		return false;
	for (unsigned i = 0; i < count; i++)
		if (*slot(queue, i) != frames[i])
			return false;
	return true;
}

unsigned ws_queue_iov(const struct ws_queue *queue, struct iovec *iov, unsigned max)
{
	unsigned count = queue->count < max ? queue->count : max;
	size_t skip = queue->first_sent;

	for (unsigned i = 0; i < count; i++, skip = 0) {
		const struct ws_frame *frame = *slot(queue, i);

		/* Only ever read: the frame is shared. */
		iov[i].iov_base = (void *)(uintptr_t)(ws_frame_bytes(frame) + skip);
		iov[i].iov_len = ws_frame_size(frame) - skip;
	}
	return count;
}

static void pop(struct ws_queue *queue)
{
	ws_frame_unref(*slot(queue, 0));
	queue->first = (queue->first + 1) & (queue->room - 1);
	queue->count--;
	queue->first_sent = 0;
	if (queue->count == 0 && queue->room > ROOM_KEPT)
		forget(queue);
}

void ws_queue_sent(struct ws_queue *queue, size_t len)
{
	assert(len <= queue->bytes);
	queue->bytes -= len;
	if (queue->bytes == 0) {
		while (queue->count > 0) /* whatever their sizes */
			pop(queue);
		return;
	}
	queue->first_sent += len;
	while (queue->count > 0 && queue->first_sent >= ws_frame_size(*slot(queue, 0))) {
		size_t rest = queue->first_sent - ws_frame_size(*slot(queue, 0));

		pop(queue);
		queue->first_sent = rest;
	}
}

void ws_queue_drop(struct ws_queue *queue)
{
	unsigned keep = queue->first_sent > 0 ? 1 : 0;

	while (queue->count > keep) {
		struct ws_frame *last = *slot(queue, queue->count - 1);

		queue->bytes -= ws_frame_size(last);
		ws_frame_unref(last);
		queue->count--;
	}
}
