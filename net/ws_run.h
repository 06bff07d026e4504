/* ws_run.h - the frames that wait for a peer, joined for one send(); for net/ws*.c only.
 *
 * Peers that are flushed one after the other nearly always wait for the same frames, so the last
 * run is kept and used again as it is. Its frames are held as long, lest another frame should get
 * the place of one of them and be taken for it. Loop thread only. */
#ifndef NET_WS_RUN_H
#define NET_WS_RUN_H
#include <stdbool.h>
#include <stddef.h>

#define WS_RUN_BYTES  65536
#define WS_RUN_FRAMES 256

struct ws_frame;
struct ws_queue;

struct ws_run {
	char *bytes;
	size_t len;
	unsigned count;
	struct ws_frame *frames[WS_RUN_FRAMES];
};

void ws_run_init(struct ws_run *run);
void ws_run_fini(struct ws_run *run); /* also when it was zeroed only */
/* Makes run all that waits in the queue. False, and it is as it was, when that is too much, or
 * begins within a frame. */
bool ws_run_join(struct ws_run *run, const struct ws_queue *queue);
#endif
