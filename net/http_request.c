#include "net/http_request.h"

#include <assert.h>
#include <microhttpd.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"

#define STRAY_REPLY_MAX 65536

struct reply_header {
	struct list_node node;
	char *name, *value;
};

/* A reply that breaks off on purpose. */
struct cut {
	size_t sent;
	char bytes[];
};

struct http_request *http_request_create(struct httpd *httpd, struct MHD_Connection *mhd,
					 const char *target, size_t body_max)
{
	struct http_request *request = mem_alloc(sizeof(*request));
	char *mark;

	list_node_init(&request->node);
	list_init(&request->reply_headers);
	buf_init(&request->body, body_max);
	buf_init(&request->stray_reply, STRAY_REPLY_MAX);
	request->httpd = httpd;
	request->mhd = mhd;
	request->raw_target = target;
	request->target_len = target ? strlen(target) : 0;
	request->path = mem_strdup(target ? target : "");
	mark = strchr(request->path, '?');
	if (mark)
		*mark++ = '\0';
	request->query = mark ? mark : "";
	return request;
}

static void drop_reply_headers(struct http_request *request)
{
	struct list_node *node;

	while ((node = list_pop_front(&request->reply_headers))) {
		struct reply_header *header = CONTAINER_OF(node, struct reply_header, node);

		mem_free(header->name);
		mem_free(header->value);
		mem_free(header);
	}
}

void http_request_destroy(struct http_request *request)
{
	assert(request->phase != HTTP_HANDED_OUT);
	list_remove(&request->node);
	drop_reply_headers(request);
	if (request->reply)
		MHD_destroy_response(request->reply);
	buf_fini(&request->body);
	buf_fini(&request->stray_reply);
	mem_free(request->path);
	mem_free(request);
}

/* ---- Replies ---- */

static void answer(struct http_request *request, int status, struct MHD_Response *reply)
{
	assert(request->phase == HTTP_HANDED_OUT);
	request->phase = HTTP_ANSWERED;
	request->status = status;
	request->reply = reply;
	httpd_answered(request);
}

void http_request_answer(struct http_request *request, int status, const char *content_type,
			 struct MHD_Response *reply)
{
	assert(reply);
	if (content_type)
		MHD_add_response_header(reply, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
	LIST_EACH (&request->reply_headers, node) {
		struct reply_header *header = CONTAINER_OF(node, struct reply_header, node);

		if (MHD_add_response_header(reply, header->name, header->value) != MHD_YES)
			LOG(ERROR, "httpd.header_dropped", F_STR("name", header->name));
	}
	answer(request, status, reply);
}

/* What the library would make of a reply, for a request that it does not know. */
static void answer_stray(struct http_request *request, int status, const char *content_type,
			 const void *body, size_t len, size_t sent)
{
	struct buf *reply = &request->stray_reply;
	const time_t now = time(NULL);
	struct tm utc;
	char date[32];

	strftime(date, sizeof(date), "%a, %d %b %Y %T GMT", gmtime_r(&now, &utc));
	buf_printf(reply, "HTTP/1.1 %d %s\r\nDate: %s\r\nConnection: close\r\n", status,
		   MHD_get_reason_phrase_for((unsigned)status), date);
	if (content_type)
		buf_printf(reply, "Content-Type: %s\r\n", content_type);
	LIST_EACH (&request->reply_headers, node) {
		struct reply_header *header = CONTAINER_OF(node, struct reply_header, node);

		if (!strpbrk(header->value, "\r\n"))
			buf_printf(reply, "%s: %s\r\n", header->name, header->value);
	}
	buf_printf(reply, "Content-Length: %zu\r\n\r\n", len);
	buf_add(reply, body, sent);
	answer(request, status, NULL);
}

void http_reply_header(struct http_request *request, const char *name, const char *value)
{
	struct reply_header *header = mem_alloc(sizeof(*header));

	assert(request->phase == HTTP_HANDED_OUT);
	header->name = mem_strdup(name);
	header->value = mem_strdup(value);
	list_push_back(&request->reply_headers, &header->node);
}

/* The library asks for a writable pointer, also for bytes that it only reads. */
static void *unconst(const void *bytes)
{
	union {
		const void *in;
		void *out;
	} pointer = { .in = bytes };

	return pointer.out;
}

void http_reply(struct http_request *request, int status, const char *content_type,
		const void *body, size_t len)
{
	if (request->mhd)
		http_request_answer(
			request, status, content_type,
			MHD_create_response_from_buffer(len, unconst(body), MHD_RESPMEM_MUST_COPY));
	else
		answer_stray(request, status, content_type, body, len, len);
}

void http_reply_take(struct http_request *request, int status, const char *content_type, char *body,
		     size_t len)
{
	if (request->mhd) {
		http_request_answer(
			request, status, content_type,
			MHD_create_response_from_buffer_with_free_callback(len, body, mem_free));
	} else {
		answer_stray(request, status, content_type, body, len, len);
		mem_free(body);
	}
}

void http_reply_static(struct http_request *request, int status, const char *content_type,
		       const void *body, size_t len)
{
	if (request->mhd)
		http_request_answer(request, status, content_type,
				    MHD_create_response_from_buffer(len, unconst(body),
								    MHD_RESPMEM_PERSISTENT));
	else
		answer_stray(request, status, content_type, body, len, len);
}

void http_drop(struct http_request *request)
{
	answer(request, 0, NULL);
}

static ssize_t read_cut(void *arg, uint64_t at, char *to, size_t room)
{
	const struct cut *cut = arg;
	size_t left = at < cut->sent ? cut->sent - (size_t)at : 0;
	size_t len = left < room ? left : room;

	if (len == 0)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	memcpy(to, cut->bytes + at, len);
	return (ssize_t)len;
}

void http_reply_cut(struct http_request *request, int status, const char *content_type,
		    const void *body, size_t len, size_t sent)
{
	struct cut *cut;

	assert(sent < len);
	if (!request->mhd) {
		answer_stray(request, status, content_type, body, len, sent);
		return;
	}
	cut = mem_alloc(sizeof(*cut) + sent);
	cut->sent = sent;
	memcpy(cut->bytes, body, sent);
	http_request_answer(request, status, content_type,
			    MHD_create_response_from_callback(len, 4096, read_cut, cut, mem_free));
}

/* ---- What the application may ask ---- */

const char *http_method(const struct http_request *request)
{
	return request->method;
}

const char *http_path(const struct http_request *request)
{
	return request->path;
}

const char *http_query(const struct http_request *request)
{
	return request->query;
}

const char *http_body(const struct http_request *request)
{
	return buf_str(&request->body);
}

size_t http_body_len(const struct http_request *request)
{
	return request->body.len;
}

const char *http_header(const struct http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->mhd, MHD_HEADER_KIND, name);
}

struct counting {
	const char *name;
	size_t count;
};

static enum MHD_Result count_header(void *arg, enum MHD_ValueKind kind, const char *name,
				    const char *value)
{
	struct counting *counting = arg;

	(void)kind, (void)value;
	counting->count += strcasecmp(name, counting->name) == 0;
	return MHD_YES;
}

size_t http_header_count(const struct http_request *request, const char *name)
{
	struct counting counting = { .name = name };

	MHD_get_connection_values(request->mhd, MHD_HEADER_KIND, count_header, &counting);
	return counting.count;
}

struct each {
	void (*fn)(void *arg, const char *name, const char *value);
	void *arg;
};

static enum MHD_Result each_header(void *arg, enum MHD_ValueKind kind, const char *name,
				   const char *value)
{
	const struct each *each = arg;

	(void)kind;
	each->fn(each->arg, name, value);
	return MHD_YES;
}

void http_each_header(struct http_request *request,
		      void (*fn)(void *arg, const char *name, const char *value), void *arg)
{
	struct each each = { .fn = fn, .arg = arg };

	MHD_get_connection_values(request->mhd, MHD_HEADER_KIND, each_header, &each);
}

const struct http_peer *http_peer(const struct http_request *request)
{
	return &request->conn->peer;
}

struct mono http_arrived(const struct http_request *request)
{
	return request->arrived;
}

void http_set(struct http_request *request, void *data)
{
	request->data = data;
}

void *http_get(const struct http_request *request)
{
	return request->data;
}
