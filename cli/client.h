/* client.h - asks the daemon: one request of the local API, one answer.
 *
 * Over the Unix socket, where the daemon's own user needs no token, or over a URL with the token
 * from a file. Calls wait for the answer; SIGINT and SIGTERM end the wait, and then the request may
 * have been received all the same. Bodies that hold a secret are wiped once they were sent. An
 * answer that goes on (events) can be taken piece by piece while the call lasts. */
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
	const char *last_event_id;        /* likewise */
	int64_t timeout_ms;               /* with piece: the longest silence */
	/* Takes the body of a 2xx answer, which is not kept; see net/fetch.h. NULL: none does. */
	fetch_piece_fn *piece;
	void *piece_arg;
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
/* Inside a call's piece: how long it may be silent from now on. */
void client_set_silence(struct client *client, int64_t silence_ms);

/* ---- for those who call again and again -------------------------------------------------- */

/* From now on SIGINT and SIGTERM end a call or pause, this or the next, and nothing else. */
void client_hold_signals(struct client *client);
/* Waits. The signal that ended it; 0: none did. */
int client_pause(struct client *client, int64_t ms);
#endif
