/* http_request.h - a request between its first line and the end of its reply; for net/ only.
 *
 * httpd.c moves it from phase to phase as libmicrohttpd calls; http_request.c holds what the
 * application sees of it and the making of replies. The application's pointer is good in
 * HTTP_HANDED_OUT; the memory lives until the library has finished with the request. */
#ifndef NET_HTTP_REQUEST_H
#define NET_HTTP_REQUEST_H
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "net/httpd.h"
#include "net/patience.h"

struct MHD_Connection;
struct MHD_Response;
struct http_stream;
struct http_streams;

enum http_phase {
	HTTP_HEAD,       /* the library still reads it */
	HTTP_BODY,       /* gathering */
	HTTP_DRAIN,      /* reading a body that is too large, to be able to say so */
	HTTP_HANDED_OUT, /* the application has it */
	HTTP_ANSWERED,   /* the application must not touch it any more */
};

struct http_conn {
	struct patient patient;
	struct http_peer peer;
	int fd;
};

struct http_request {
	struct list_node node; /* of httpd: in its head, then handed out, then to be resumed */
	struct httpd *httpd;
	struct http_conn *conn;
	struct MHD_Connection *mhd; /* NULL: a stray, which the library does not know */
	enum http_phase phase;
	bool is_suspended, was_suspended;
	bool is_head;           /* HEAD, though method says GET */
	char *path;             /* and after its NUL, the query */
	const char *query;      /* "" when none */
	const char *raw_target; /* the library's memory, for http_head_read() */
	size_t target_len;
	const char *method;
	struct mono arrived;
	struct buf body;
	size_t drained;
	void *data; /* the application's */
	struct list reply_headers;
	struct MHD_Response *reply; /* NULL once answered: drop the connection */
	struct buf stray_reply;     /* a stray's, head and body; empty: likewise */
	struct http_stream *stream; /* what the reply is made of, or NULL */
	int status;
};

/* target: as it came, or NULL. mhd: NULL makes a stray. */
struct http_request *http_request_create(struct httpd *httpd, struct MHD_Connection *mhd,
					 const char *target, size_t body_max);
void http_request_destroy(struct http_request *request);

/* The reply is made: adds the headers that were asked for, and takes it. Not for a stray. */
void http_request_answer(struct http_request *request, int status, const char *content_type,
			 struct MHD_Response *reply);

/* In httpd.c: the reply is made, the application has let go. */
void httpd_answered(struct http_request *request);
/* ... an answered request that is suspended goes on at the end of this turn; else nothing. */
void httpd_wake(struct http_request *request);
struct http_streams *httpd_streams(struct httpd *httpd);
#endif
