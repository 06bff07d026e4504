/* foreign.h - keeps web pages of others out: what Host and Origin of a request must be.
 *
 * A page that any browser on this machine has open can send requests to any port of it, and by
 * rebinding its own name to our address it can even read the answers. Its Host is then that name,
 * its Origin the page: neither is ours. Over the Unix socket, which no browser reaches, Host does
 * not matter. For REST and WebSocket alike. Pure. */
#ifndef SERVER_FOREIGN_H
#define SERVER_FOREIGN_H
#include <stddef.h>

#include "base/err.h"

struct http_peer;

struct foreign_head {
	const struct http_peer *peer;
	const char *host, *origin; /* the first of each; NULL: absent */
	size_t host_count, origin_count;
};

/* address: where we listen, as bound. allowed: names, or names with a port, between commas; a name
 * counts with our own port, too. ERR_FOREIGN_HOST. */
MUST_CHECK bool foreign_check_host(const struct foreign_head *head, const char *address,
				   const char *allowed, struct err *err);
/* After foreign_check_host(). No Origin is fine: no page sends that. Nor is it foreign when it is
 * the page of this very Host, our own dashboard. ERR_FOREIGN_ORIGIN. */
MUST_CHECK bool foreign_check_origin(const struct foreign_head *head, const char *allowed,
				     struct err *err);
#endif
