/* out.h - lines to stdout, for a command that never ends by itself.
 *
 * stdout may be a pipe whose reader has stopped, or gone away. A line is out once this returns; a
 * signal with a handler ends the wait for a reader, so that Ctrl-C works then too. */
#ifndef CLI_OUT_H
#define CLI_OUT_H
#include <stdbool.h>
#include <stddef.h>

enum out_result {
	OUT_DONE,
	OUT_CLOSED, /* nobody reads any more; SIGPIPE must be ignored */
	OUT_SIGNAL, /* came while it waited; part of the line may be out */
	OUT_FAILED, /* a full disk, say: errno tells */
};

enum out_result out_line(int fd, const char *text, size_t len); /* and a newline */
/* Without writing anything. True while somebody may read. */
bool out_is_open(int fd);
#endif
