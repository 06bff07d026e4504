#include "net/ws_run.h"

#include <string.h>

#include "base/mem.h"
#include "net/ws.h"
#include "net/ws_frame.h"
#include "net/ws_queue.h"

void ws_run_init(struct ws_run *run)
{
	*run = (struct ws_run){ .bytes = mem_alloc(WS_RUN_BYTES) };
}

static void clear(struct ws_run *run)
{
	for (unsigned i = 0; i < run->count; i++)
		ws_frame_unref(run->frames[i]);
	run->count = 0;
	run->len = 0;
}

void ws_run_fini(struct ws_run *run)
{
	clear(run);
	mem_free(run->bytes);
	run->bytes = NULL;
}

static void add(struct ws_run *run, struct ws_frame *frame)
{
	memcpy(run->bytes + run->len, ws_frame_bytes(frame), ws_frame_size(frame));
	run->len += ws_frame_size(frame);
	run->frames[run->count++] = ws_frame_ref(frame);
}

bool ws_run_join(struct ws_run *run, const struct ws_queue *queue)
{
	if (queue->first_sent > 0 || queue->count > WS_RUN_FRAMES || queue->bytes > WS_RUN_BYTES)
		return false;
	if (ws_queue_is(queue, run->frames, run->count))
		return true;
	clear(run);
	for (unsigned i = 0; i < queue->count; i++)
		add(run, ws_queue_at(queue, i));
	return true;
}
