/* front.h - one TCP port and one Unix socket for REST and WebSocket alike.
 *
 * Accepts, peeks at the head without consuming it, and hands the socket to httpd or to ws. What
 * http_screen.h finds wrong goes to httpd too, to be refused: so all errors have one format. A
 * socket whose head does not come within the deadline is closed. Loop thread only. */
#ifndef NET_FRONT_H
#define NET_FRONT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct front;
struct http_peer;
struct httpd;
struct loop;
struct upgrade;
struct ws;

/* A request to upgrade to WebSocket that has everything RFC 6455 asks for: GET, HTTP/1.1, version
 * 13, a key, and no body. For the time of the call only. */
const char *upgrade_path(const struct upgrade *upgrade);  /* percent-encoded, without query */
const char *upgrade_query(const struct upgrade *upgrade); /* "" when none */
const char *upgrade_header(const struct upgrade *upgrade, const char *name); /* NULL: absent */
size_t upgrade_header_count(const struct upgrade *upgrade, const char *name);
const struct http_peer *upgrade_peer(const struct upgrade *upgrade);

struct front_config {
	int64_t head_timeout_ms;
	unsigned undecided_max; /* sockets whose head is not whole yet; more are closed at once */
	/* NULL: every request is httpd's. True: *session goes to ws_take_socket(). False: the
	 * request goes to httpd, whose handler says what is wrong with it. */
	bool (*upgrade)(void *arg, const struct upgrade *upgrade, void **session);
	void *arg;
	struct ws *ws; /* borrowed */
};

MUST_CHECK bool front_create(struct loop *loop, struct httpd *httpd,
			     const struct front_config *config, struct front **result,
			     struct err *err); /* borrows both */
/* Closes the listeners, removes the socket file, drops who is undecided. NULL is fine. */
void front_destroy(struct front *front);

/* address: "127.0.0.1:8790", "[::1]:8790"; port 0 picks a free one. ERR_IO when it is taken. */
MUST_CHECK bool front_listen_tcp(struct front *front, const char *address, struct err *err);
/* Mode 0600. A socket file that nobody listens on is replaced; a live one is ERR_IO. */
MUST_CHECK bool front_listen_unix(struct front *front, const char *path, struct err *err);
const char *front_address(const struct front *front); /* "127.0.0.1:39415", as bound */
void front_stop_accepting(struct front *front); /* closes the listeners, removes the socket file */
#endif
