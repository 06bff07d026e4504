/* resolve.h - host names, looked up off the loop thread.
 *
 * The system's resolver on a pool thread. One completion each, on a later turn, unless cancelled.
 * Loop thread only. */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H
#include <stdbool.h>

#include "base/err.h"

struct loop;
struct resolve;

#define RESOLVE_ADDRESS_LEN 64

/* addresses: numeric, in the system's order of preference; borrowed. err: ERR_UNREACHABLE. */
typedef void resolve_fn(void *arg, const struct err *err,
			const char (*addresses)[RESOLVE_ADDRESS_LEN], unsigned count);
/* host: a name or a number, copied. */
struct resolve *resolve_start(struct loop *loop, const char *host, resolve_fn *done, void *arg);
void resolve_cancel(struct resolve *resolve); /* done is not called; only before it was */
#endif
