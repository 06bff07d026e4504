/* resolve.h - host names, looked up off the loop thread.
 *
 * The system's resolver on a pool thread; a number needs none. One completion each, on a later
 * turn, unless cancelled. A look-up that has begun cannot be interrupted: loop_destroy() waits for
 * it, as long as the system's own limit is. Loop thread only. */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H
#include <stdbool.h>

#include "base/err.h"

struct loop;
struct resolve;

#define RESOLVE_ADDRESS_LEN 64

/* addresses: numeric, in the system's order of preference, each once; borrowed. err: NULL, or
 * ERR_UNREACHABLE and no addresses. */
typedef void resolve_fn(void *arg, const struct err *err,
			const char (*addresses)[RESOLVE_ADDRESS_LEN], unsigned count);
/* host: a name or a number without brackets, copied. */
struct resolve *resolve_start(struct loop *loop, const char *host, resolve_fn *done, void *arg);
/* done is not called; only before it was. NULL is fine. */
void resolve_cancel(struct resolve *resolve);
#endif
