/* upgrade.h - a request to upgrade to WebSocket, checked; what front.h shows of it is here too.
 *
 * Stricter than HTTP: a line's end is CR and LF, nothing is folded, nothing comes twice. What is
 * not taken here is for httpd to answer. RFC 6455, section 4.2.1. Pure. Used by front.c and by
 * ws_server.c. */
#ifndef NET_UPGRADE_H
#define NET_UPGRADE_H
#include <stdbool.h>
#include <stddef.h>

#include "net/front.h"
#include "net/http_screen.h"

#define UPGRADE_HEADERS_MAX 64

struct upgrade_header {
	const char *name, *value;
};

struct upgrade {
	const struct http_peer *peer; /* front.c sets it */
	const char *path, *query;
	size_t header_count;
	struct upgrade_header headers[UPGRADE_HEADERS_MAX];
	char text[HTTP_HEAD_MAX + 1]; /* what the pointers above point into */
};

/* Reads the head that bytes start with. Its length; 0 when it is not whole, or is anything but a
 * faultless upgrade. */
size_t upgrade_read(struct upgrade *upgrade, const char *bytes, size_t len);
/* Is token among the comma-separated ones of all headers with this name? */
bool upgrade_offers(const struct upgrade *upgrade, const char *name, const char *token,
		    bool is_case_sensitive);
#endif
