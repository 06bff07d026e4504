/* httpd.h - serves HTTP: a request in, a reply now or later.
 *
 * The handler gets each request once, whole, and must answer it exactly once with one of the
 * http_reply...() calls, from any later callback on the loop thread; the request is gone after
 * that. A client that leaves early is not told: the reply goes nowhere, and the request stays
 * valid until it is answered. libmicrohttpd underneath. Loop thread only. */
#ifndef NET_HTTPD_H
#define NET_HTTPD_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"

struct httpd;
struct http_request;
struct loop;

/* Who is at the other end; read once, at accept. */
struct http_peer {
	bool is_unix;
	uint32_t uid;     /* Unix socket: SO_PEERCRED */
	char address[64]; /* TCP: numeric address; Unix: "unix" */
};

struct httpd_config {
	size_t body_max;          /* a larger body gets 413 */
	size_t connections_max;   /* more are closed at once */
	int64_t head_timeout_ms;  /* from accept, or from a later request's first line, to the
				   * end of the head */
	int64_t idle_timeout_ms;  /* from a reply to the next request's first line; 0: 75 s, so
				   * that a client's pooled connection seldom dies under it */
	int64_t body_timeout_ms;  /* from the end of the head to the end of the body */
	const char *tls_cert_pem; /* NULL: plain HTTP. Both borrowed for the call only. */
	const char *tls_key_pem;
	/* Answers what the server itself refuses (oversized body or head, malformed framing), so
	 * that every error has one format. May be NULL: a plain text answer. */
	void (*refuse)(void *arg, struct http_request *request, int status);
	void (*handle)(void *arg, struct http_request *request);
	void *arg;
};

MUST_CHECK bool httpd_create(struct loop *loop, const struct httpd_config *config,
			     struct httpd **result, struct err *err);
/* Closes every connection. Requests not yet answered must be answered first, or are dropped
 * here (their later reply would be a bug). NULL is fine. */
void httpd_destroy(struct httpd *httpd);
/* From now on a request finds its connection closed: what handle() and refuse() use may be taken
 * down. What was handed out may still be answered. NULL is fine. */
void httpd_close(struct httpd *httpd);
void httpd_stop_keepalive(struct httpd *httpd);  /* from now on every reply closes its connection */
size_t httpd_pending(const struct httpd *httpd); /* requests handed out and not answered */
/* Takes over an accepted, non-blocking socket; closes it on failure. */
void httpd_take_socket(struct httpd *httpd, int fd, const struct http_peer *peer);
/* The same, to answer what waits in it with status unread, as refuse() would, and to close it. Not
 * with TLS. The request that refuse() gets then has a peer, and nothing else. */
void httpd_refuse_socket(struct httpd *httpd, int fd, const struct http_peer *peer, int status);
bool httpd_has_tls(const struct httpd *httpd);

/* "GET"; a HEAD request comes as GET too, and its reply goes out without the body. */
const char *http_method(const struct http_request *request);
const char *http_path(const struct http_request *request);  /* percent-encoded, without query */
const char *http_query(const struct http_request *request); /* raw text after '?', "" when none */
const char *http_body(const struct http_request *request);  /* NUL-terminated past the end */
size_t http_body_len(const struct http_request *request);
const char *http_header(const struct http_request *request, const char *name); /* NULL: absent */
size_t http_header_count(const struct http_request *request, const char *name);
void http_each_header(struct http_request *request,
		      void (*fn)(void *arg, const char *name, const char *value), void *arg);
const struct http_peer *http_peer(const struct http_request *request);
struct mono http_arrived(const struct http_request *request); /* when the head was read */

/* A query parameter, decoded into value, with '+' for a space; false when absent, malformed or too
 * long. */
bool http_query_get(const struct http_request *request, const char *name, char *value, size_t room);
/* Calls fn for each parameter, decoded; false (and no further call) when one is malformed. */
bool http_query_each(const struct http_request *request,
		     bool (*fn)(void *arg, const char *name, const char *value), void *arg);
bool http_percent_decode(const char *from, size_t len, char *to, size_t room);

void http_set(struct http_request *request, void *data); /* one pointer for the handler's use */
void *http_get(const struct http_request *request);

/* Adds a header to the coming reply; both strings are copied. */
void http_reply_header(struct http_request *request, const char *name, const char *value);
void http_reply(struct http_request *request, int status, const char *content_type,
		const void *body, size_t len); /* copies body */
void http_reply_take(struct http_request *request, int status, const char *content_type, char *body,
		     size_t len); /* takes a mem_ allocated body */
void http_reply_static(struct http_request *request, int status, const char *content_type,
		       const void *body, size_t len); /* body outlives the daemon */

/* An answer without an end, in pieces as they come (server-sent events). Answers the request, which
 * must be one that handle() got; the connection closes with the stream. The stream lives until
 * gone(), its last call, which comes when the client has left, after http_stream_end() or
 * http_stream_cut(), or from httpd_destroy(); never from inside a call of ours but that one. A
 * client that ends only its own sending has left as well: nothing else would tell the two apart.
 * Cut short when the client takes nothing for stall_ms. A HEAD request gets the head only, and
 * gone() follows. */
struct http_stream;
struct http_stream_config {
	int status;
	const char *content_type;
	int64_t stall_ms;
	/* Nothing waits any more: all is with the kernel. May be NULL. */
	void (*drained)(void *arg, struct http_stream *stream);
	void (*gone)(void *arg, struct http_stream *stream);
	void *arg;
};
struct http_stream *http_reply_stream(struct http_request *request,
				      const struct http_stream_config *config); /* copies config */
/* Copies. Bounded by nobody but the caller, who looks at what is queued. Nothing happens once the
 * stream is ending. */
void http_stream_send(struct http_stream *stream, const void *bytes, size_t len);
size_t http_stream_queued(const struct http_stream *stream); /* bytes not yet with the kernel */
uint64_t http_stream_sent(const struct http_stream *stream); /* bytes that are: rises as it reads */
void http_stream_end(struct http_stream *stream);            /* after what is queued */
void http_stream_cut(struct http_stream *stream);            /* at once */

/* Misbehaviour on purpose, for the simulator. */
void http_drop(struct http_request *request); /* closes without a byte of answer */
void http_reply_cut(struct http_request *request, int status, const char *content_type,
		    const void *body, size_t len,
		    size_t sent); /* announces len, closes after sent */
#endif
