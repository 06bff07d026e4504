/* client.h - asks the daemon: one request of the local API, one answer.
 *
 * Over the Unix socket, where the daemon's own user needs no token, or over a URL with the token
 * from a file. Calls wait for the answer; SIGINT and SIGTERM end the wait, and then the request may
 * have been received all the same. Bodies that hold a secret are wiped once they were sent. */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/fetch.h"

struct client;
struct secret;

struct client_config {
	const char *socket;     /* the path of the daemon's socket, unless url is set */
	const char *url;        /* "http://127.0.0.1:8790", or NULL */
	const char *token_file; /* NULL: no token; a file that only its owner may read */
};

struct client_request {
	const char *method;
	const char *target;               /* path and query, percent-encoded */
	const char *body;                 /* JSON; NULL: none */
	const struct secret *secret_body; /* instead of body */
	const char *prefer;               /* value of the Prefer header, or NULL */
	int64_t timeout_ms;
};

struct answer {
	enum fetch_outcome outcome;
	int signum; /* what ended the wait; 0: nothing did */
	int status;
	int64_t retry_after_ms; /* -1: not said */
	char *body;             /* NUL-terminated; NULL unless answered */
	size_t body_len;
	json_t *json; /* the body parsed; NULL when it is no JSON */
};

/* ERR_CONFIG, ERR_IO or ERR_USAGE when the URL or the token file cannot be used. */
MUST_CHECK bool client_create(const struct client_config *config, struct client **result,
			      struct err *err);
void client_destroy(struct client *client); /* NULL is fine */

/* True when there is an answer, whatever its status. Else ERR_UNREACHABLE or ERR_TLS, and
 * answer->outcome tells whether the request may have been received. answer_fini() in any case. */
MUST_CHECK bool client_call(struct client *client, const struct client_request *request,
			    struct answer *answer, struct err *err);
void answer_fini(struct answer *answer);
#endif
