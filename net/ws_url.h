/* ws_url.h - the address of a WebSocket server; for net/ws*.c only. Pure; any thread. */
#ifndef NET_WS_URL_H
#define NET_WS_URL_H
#include <stdbool.h>

#include "base/err.h"

#define WS_URL_HOST_LEN 101 /* libwebsockets has no room for more */

struct ws_url {
	bool is_secure;             /* wss:// */
	bool is_number;             /* the host is an IPv4 or IPv6 address */
	char host[WS_URL_HOST_LEN]; /* without brackets */
	int port;
	char authority[WS_URL_HOST_LEN +
		       8]; /* for the Host header: no port that goes without saying */
};

/* "wss://host", "ws://host:port", "wss://[::1]:port", each perhaps with one '/' after it.
 * ERR_CONFIG, whose text never quotes: what is no such thing may be anything. */
MUST_CHECK bool ws_url_parse(const char *text, struct ws_url *url, struct err *err);
#endif
