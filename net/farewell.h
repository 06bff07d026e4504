/* farewell.h - the last words on a socket that is not read any more.
 *
 * A socket closed while there is something to read resets the connection, and the other side may
 * lose the answer that it was about to read. So what still comes is read away for a while. Loop
 * thread only. */
#ifndef NET_FAREWELL_H
#define NET_FAREWELL_H
#include <stddef.h>

struct farewells;
struct loop;

struct farewells *farewells_create(struct loop *loop);
void farewells_destroy(struct farewells *farewells); /* closes them all; NULL is fine */

/* Takes over a non-blocking socket: sends what fits at once, which is meant to be all, and closes
 * it when the other side has finished too, or has sent or waited too long. */
void farewell_say(struct farewells *farewells, int fd, const void *bytes, size_t len);
#endif
