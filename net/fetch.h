/* fetch.h - one HTTP request upstream, one completion, always exactly once.
 *
 * libcurl's multi interface underneath. TLS is always verified; http:// is for loopback only;
 * proxies from the environment and redirects are ignored. libcurl may repeat a request by
 * itself when a kept-alive connection dies, and tell only of the second try. A callback before each
 * sending forbids it to all but GET, and every body goes through a read callback that cannot be
 * rewound; fetch_test.c proves it. HTTP/1.1 only, since this was tried with nothing else.
 *
 * The outcome says what is known of the request, not of the answer:
 *   FETCH_NOT_SENT  not one byte of it left this host (CURLINFO_REQUEST_SIZE is 0)
 *   FETCH_ANSWERED  a status and a whole body came back
 *   FETCH_LOST      anything else: it may have been received.
 *
 * An answer that goes on (events, say) can be taken piece by piece: then nothing of it is kept, and
 * not its length in time counts but how long it was silent. Loop thread only. */
#ifndef NET_FETCH_H
#define NET_FETCH_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"

struct fetch;
struct fetcher;
struct loop;
struct secret;

enum fetch_outcome { FETCH_NOT_SENT, FETCH_ANSWERED, FETCH_LOST };

struct fetcher_config {
	const char *ca_file;        /* NULL: the system's roots; else only these */
	const char *unix_socket;    /* NULL, or connect here whatever the URL's host is */
	int64_t connect_timeout_ms; /* names, TCP and TLS */
	unsigned host_connections_max;
	const char *user_agent;
};

/* A part of the body, as it came; borrowed. False ends the request as FETCH_LOST. Called from
 * within libcurl: here no fetch may be started or cancelled, and no fetcher destroyed. */
typedef bool fetch_piece_fn(void *arg, const char *bytes, size_t len);

struct fetch_request {
	const char *method;             /* "GET", "POST", "PUT", "DELETE" */
	const char *url;                /* copied; never logged with its query */
	const char *const *headers;     /* "Name: value", NULL-terminated; copied; may be NULL */
	const char *secret_header_name; /* with secret_header: one more header, e.g. "X-API-KEY" */
	const struct secret *secret_header; /* borrowed until the call returns; wiped after use */
	const char *body; /* copied; NULL: none. A POST always has at least an empty body */
	size_t body_len;
	int64_t timeout_ms; /* from the call to the last byte; with piece, the longest silence */
	size_t answer_max;  /* a longer answer is FETCH_LOST, but for what piece takes */
	/* Takes the body of a 2xx answer; its arg is that of done. NULL: it is kept for done. */
	fetch_piece_fn *piece;
	bool is_once; /* a GET that changes something: libcurl may not ask again either */
};

struct fetch_result {
	enum fetch_outcome outcome;
	int status;       /* 0 unless answered */
	const char *body; /* NUL-terminated; borrowed for the callback */
	size_t body_len;
	int64_t retry_after_ms; /* from Retry-After in seconds; -1 when absent */
	struct mono sent;       /* when the first byte was handed to the socket; 0 if never */
	struct mono done;
	struct err err; /* when not answered: ERR_UNREACHABLE or ERR_TLS, and why */
};

typedef void fetch_done_fn(void *arg, const struct fetch_result *result);

MUST_CHECK bool fetcher_create(struct loop *loop, const struct fetcher_config *config,
			       struct fetcher **result, struct err *err);
/* Requests in flight complete first, inside this call, as FETCH_LOST or FETCH_NOT_SENT; one that a
 * callback starts meanwhile is FETCH_NOT_SENT. May be called inside a callback. NULL is fine. */
void fetcher_destroy(struct fetcher *fetcher);

/* Never fails at once: every trouble arrives through done, after the callback that called this has
 * returned. The fetch is gone once done was called. */
struct fetch *fetch_start(struct fetcher *fetcher, const struct fetch_request *request,
			  fetch_done_fn *done, void *arg);
/* No callback will come; the request may have been received. Not once done was called. */
void fetch_cancel(struct fetch *fetch);
/* With piece, and inside it too: from now on another silence is too long. */
void fetch_set_silence(struct fetch *fetch, int64_t silence_ms);

/* http:// only for loopback hosts (127.0.0.0/8, ::1, localhost), else https:// with a host. */
MUST_CHECK bool fetch_url_check(const char *url, struct err *err);
#endif
