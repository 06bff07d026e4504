/* stream_line.h - the messages of one socket on their way out, and what fault rules do to them.
 *
 * Each message passes the rules once: it is lost, doubled, delayed so that later ones overtake
 * it, replaced, or ends the socket. What is to be sent goes to a callback. Pure: time is passed
 * in. */
#ifndef SIM_STREAM_LINE_H
#define SIM_STREAM_LINE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/list.h"

struct faults;

#define LINE_LATE_MAX 1000

struct stream_line_out {
	void (*send)(void *arg, const char *text, size_t len);
	void (*end)(void *arg, int code); /* the line's last call; code 0: without a close frame */
};

struct stream_line {
	const struct stream_line_out *out; /* borrowed */
	void *arg;
	const char *stream, *account; /* for the rules; borrowed */
	struct list late;             /* messages that wait */
	size_t late_count;
	bool is_stalled, is_over;
	uint64_t sent;
};

void line_init(struct stream_line *line, const struct stream_line_out *out, void *arg,
	       const char *stream, const char *account);
void line_fini(struct stream_line *line); /* forgets what waits */

void line_say(struct stream_line *line, struct faults *faults, const char *text, size_t len,
	      struct mono now);
void line_send_raw(struct stream_line *line, const char *text, size_t len); /* past the rules */
struct mono line_due(const struct stream_line *line); /* when line_run() is wanted; 0: never */
void line_run(struct stream_line *line, struct mono now);
#endif
