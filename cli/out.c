#include "cli/out.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "base/buf.h"

/* A pipe that poll() calls writable takes as much at once, and write() does not wait there, where a
 * signal would not end it. */
#define PART_MAX PIPE_BUF

static enum out_result failure(void)
{
	if (errno == EINTR)
		return OUT_SIGNAL;
	return errno == EPIPE ? OUT_CLOSED : OUT_FAILED;
}

static enum out_result write_all(int fd, const char *bytes, size_t len)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };
	ssize_t written;

	for (; len > 0; bytes += written, len -= (size_t)written) {
		if (poll(&room, 1, -1) < 0)
			return failure();
		written = write(fd, bytes, len < PART_MAX ? len : PART_MAX);
		if (written < 0 && errno == EAGAIN)
			written = 0; /* somebody made it so */
		if (written < 0)
			return failure();
	}
	return OUT_DONE;
}

enum out_result out_line(int fd, const char *text, size_t len)
{
	enum out_result result;
	struct buf line;

	buf_init(&line, len + 1);
	buf_add(&line, text, len);
	buf_add_char(&line, '\n');
	result = write_all(fd, line.data, line.len);
	buf_fini(&line);
	return result;
}

bool out_is_open(int fd)
{
	struct pollfd end = { .fd = fd };

	return poll(&end, 1, 0) <= 0 || !(end.revents & (POLLERR | POLLNVAL));
}
