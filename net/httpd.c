#include "net/httpd.h"

#include <assert.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"

#define HEAD_MAX         16384 /* bytes of request line and headers */
#define POOL_SIZE        65536 /* for each connection: the head, what is parsed of it, the reply's */
#define DRAIN_FACTOR     16    /* a body up to this many times too large is read before the 413 */
#define IDLE_TIMEOUT_MS  75000 /* unless configured */
#define REPLY_STALL_MS   30000 /* a client that reads nothing of its reply for so long is gone */
#define CONTENT_TYPE_TXT "text/plain; charset=utf-8"

/* Waiting for the same kind of thing, for the same time: the first one is the next to expire. */
struct patience {
	struct list conns;
	int64_t timeout_ms;
};

struct httpd {
	struct loop *loop;
	struct httpd_config config;
	struct MHD_Daemon *mhd;
	struct watch *watch;  /* of the library's own epoll descriptor */
	struct timer *timer;  /* the library's */
	struct timer *reaper; /* ours, for those who keep us waiting */
	struct mono reaps_at;
	struct patience idle, head, body;
	struct list handed_out; /* requests without an answer */
	struct list answered;   /* requests whose connection is to be resumed */
	size_t pending;
	unsigned stall_s;
	const struct http_peer *incoming; /* while the library takes over a socket */
	bool is_kicked;
	bool is_stopping; /* no more keep-alive */
	bool is_full;     /* told so already */
	bool is_dead;
};

struct conn {
	struct list_node node; /* in a struct patience, or nowhere */
	struct mono deadline;
	struct http_peer peer;
	int fd;
};

enum phase {
	PHASE_HEAD,       /* the library still reads it */
	PHASE_BODY,       /* gathering */
	PHASE_DRAIN,      /* reading a body that is too large, to be able to say so */
	PHASE_HANDED_OUT, /* the application has it */
	PHASE_ANSWERED,   /* the application must not touch it any more */
};

struct http_header {
	struct list_node node;
	char *name, *value;
};

struct http_request {
	struct list_node node; /* in handed_out, then in answered */
	struct httpd *httpd;
	struct conn *conn;
	struct MHD_Connection *mhd;
	enum phase phase;
	bool is_suspended;
	char *target;      /* path, NUL, query */
	const char *query; /* in target */
	size_t target_len;
	const char *raw_target; /* the library's memory; only its address is of use */
	const char *method;
	struct mono arrived;
	struct buf body;
	size_t drained;
	void *data;
	struct list headers;        /* of the reply */
	struct MHD_Response *reply; /* NULL when answered: drop the connection */
	int status;
};

struct cut {
	size_t sent, len;
	char bytes[];
};

/* ---- The library's turn. Everything asks for it; it comes once, at the end of our turn. ---- */

static void on_turn(void *arg);

static void kick(struct httpd *httpd)
{
	if (httpd->is_kicked)
		return;
	httpd->is_kicked = true;
	loop_later(httpd->loop, on_turn, httpd);
}

static void on_readable(void *arg, unsigned events)
{
	(void)events;
	kick(arg);
}

/* A timeout of its own makes the library let a resumed connection answer before it reads again.
 * Otherwise it may read first, and a client that has said that it will send no more would be
 * taken for gone. Undone after the reply: such connections are all walked through each turn. */
static void put_answer_first(struct http_request *request, bool is_first)
{
	MHD_set_connection_option(request->mhd, MHD_CONNECTION_OPTION_TIMEOUT,
				  request->httpd->stall_s + (is_first ? 1u : 0u));
}

static void resume_answered(struct httpd *httpd)
{
	struct list_node *node;

	while ((node = list_pop_front(&httpd->answered))) {
		struct http_request *request = CONTAINER_OF(node, struct http_request, node);

		request->is_suspended = false;
		put_answer_first(request, true);
		MHD_resume_connection(request->mhd);
	}
}

/* A resumed connection is looked at by MHD_run() only: the library does not wake itself up, and
 * its timeout does not count what waits to be resumed. */
static void on_turn(void *arg)
{
	struct httpd *httpd = arg;
	MHD_UNSIGNED_LONG_LONG wait_ms;

	httpd->is_kicked = false;
	if (httpd->is_dead)
		return;
	resume_answered(httpd);
	MHD_run(httpd->mhd);
	/* Zero is not "nothing": connections are ready that no descriptor will tell of. */
	if (MHD_get_timeout(httpd->mhd, &wait_ms) == MHD_YES)
		timer_start(httpd->timer, (int64_t)wait_ms);
	else
		timer_stop(httpd->timer);
}

static void on_timer(void *arg)
{
	kick(arg);
}

/* ---- Patience with slow senders. The library's own timeout starts again with every byte. ---- */

static void expect_within(struct conn *conn, struct httpd *httpd, struct patience *patience)
{
	list_remove(&conn->node);
	conn->deadline = mono_after_ms(loop_now(httpd->loop), patience->timeout_ms);
	list_push_back(&patience->conns, &conn->node);
	if (!timer_is_running(httpd->reaper) || conn->deadline.us < httpd->reaps_at.us) {
		httpd->reaps_at = conn->deadline;
		timer_start_at(httpd->reaper, conn->deadline);
	}
}

/* Ends the patience of all that are due; the next deadline, or "never". The shut socket makes the
 * library close the connection in its own time. */
static struct mono reap(struct httpd *httpd, struct patience *patience)
{
	struct list_node *node;

	while ((node = list_first(&patience->conns))) {
		struct conn *conn = CONTAINER_OF(node, struct conn, node);

		if (!mono_is_past(conn->deadline, loop_now(httpd->loop)))
			return conn->deadline;
		list_remove(node);
		shutdown(conn->fd, SHUT_RDWR);
	}
	return (struct mono){ 0 };
}

static struct mono earlier(struct mono a, struct mono b)
{
	return a.us == 0 || (b.us != 0 && b.us < a.us) ? b : a;
}

static void on_reaper(void *arg)
{
	struct httpd *httpd = arg;
	struct mono next = reap(httpd, &httpd->idle);

	next = earlier(next, reap(httpd, &httpd->head));
	next = earlier(next, reap(httpd, &httpd->body));
	httpd->reaps_at = next;
	if (next.us != 0)
		timer_start_at(httpd->reaper, next);
}

static void on_connection(void *arg, struct MHD_Connection *mhd, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct httpd *httpd = arg;
	struct conn *conn = *context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		conn = mem_alloc(sizeof(*conn));
		list_node_init(&conn->node);
		conn->peer = *httpd->incoming;
		conn->fd =
			MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
		expect_within(conn, httpd, &httpd->head);
		*context = conn;
	} else {
		list_remove(&conn->node);
		mem_free(conn);
	}
}

/* ---- Requests ---- */

static struct http_request *request_create(struct httpd *httpd)
{
	struct http_request *request = mem_alloc(sizeof(*request));

	list_node_init(&request->node);
	list_init(&request->headers);
	buf_init(&request->body, httpd->config.body_max);
	request->httpd = httpd;
	return request;
}

static void drop_reply_headers(struct http_request *request)
{
	struct list_node *node;

	while ((node = list_pop_front(&request->headers))) {
		struct http_header *header = CONTAINER_OF(node, struct http_header, node);

		mem_free(header->name);
		mem_free(header->value);
		mem_free(header);
	}
}

static void request_destroy(struct http_request *request)
{
	assert(request->phase != PHASE_HANDED_OUT);
	list_remove(&request->node);
	drop_reply_headers(request);
	if (request->reply)
		MHD_destroy_response(request->reply);
	buf_fini(&request->body);
	mem_free(request->target);
	mem_free(request);
}

/* The earliest sight of a request, and the only one of its whole target. What it returns is the
 * library's context for the request from now on. */
static void *on_target(void *arg, const char *target, struct MHD_Connection *mhd)
{
	struct httpd *httpd = arg;
	struct http_request *request = request_create(httpd);
	char *mark;

	request->mhd = mhd;
	request->conn =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	expect_within(request->conn, httpd, &httpd->head);
	request->raw_target = target;
	request->target_len = target ? strlen(target) : 0;
	request->target = mem_strdup(target ? target : "");
	mark = strchr(request->target, '?');
	if (mark)
		*mark++ = '\0';
	request->query = mark ? mark : "";
	return request;
}

/* Escapes stay: whoever splits the path decodes its parts. */
static size_t keep_escapes(void *arg, struct MHD_Connection *mhd, char *text)
{
	(void)arg, (void)mhd;
	return strlen(text);
}

static void on_completed(void *arg, struct MHD_Connection *mhd, void **context,
			 enum MHD_RequestTerminationCode code)
{
	struct httpd *httpd = arg;
	struct http_request *request = *context;

	(void)mhd;
	if (!request)
		return;
	if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK) {
		put_answer_first(request, false);
		expect_within(request->conn, httpd, &httpd->idle);
	}
	request_destroy(request);
	*context = NULL;
}

static enum MHD_Result send_reply(struct http_request *request)
{
	struct MHD_Response *reply = request->reply;

	if (!reply)
		return MHD_NO;
	if (request->httpd->is_stopping)
		MHD_add_response_header(reply, MHD_HTTP_HEADER_CONNECTION, "close");
	return MHD_queue_response(request->mhd, (unsigned)request->status, reply);
}

static void plain_refusal(struct http_request *request, int status)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "refused: %d\n", status);

	http_reply(request, status, CONTENT_TYPE_TXT, text, (size_t)len);
}

/* Gives the request to the application, refused with status unless that is 0. An answer that is
 * there at once costs no suspending, which is half as dear as the request itself. */
static enum MHD_Result hand_out(struct http_request *request, int refusal)
{
	struct httpd *httpd = request->httpd;

	list_remove(&request->conn->node);
	request->phase = PHASE_HANDED_OUT;
	list_push_back(&httpd->handed_out, &request->node);
	httpd->pending++;
	if (refusal == 0)
		httpd->config.handle(httpd->config.arg, request);
	else if (httpd->config.refuse)
		httpd->config.refuse(httpd->config.arg, request, refusal);
	else
		plain_refusal(request, refusal);
	if (request->phase == PHASE_ANSWERED)
		return send_reply(request);
	request->is_suspended = true;
	MHD_suspend_connection(request->mhd);
	return MHD_YES;
}

/* ---- The head: what the library lets through and we do not ---- */

/* The library cuts each line at a NUL, takes a bare newline for a line's end and joins folded
 * lines wrongly, all without a word. But it parses in place: names and values point into the head
 * as it came, so that whatever lies between two of them, beyond a line's end, is noticed. */
struct head_walk {
	const char *end; /* of what has been seen so far */
	bool is_gapless;
	size_t hosts, lengths, encodings;
	const char *length, *encoding;
	bool has_bad_name, expects_continue;
};

static bool is_token(const char *text)
{
	static const char allowed[] = "!#$%&'*+-.^_`|~0123456789"
				      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return *text != '\0' && text[strspn(text, allowed)] == '\0';
}

/* Does next start where a line that ends at end lets it: after CR LF? */
static bool is_next_line(const char *end, const char *next)
{
	return next == end + 2;
}

static void walk_on(struct head_walk *walk, const char *name, const char *value)
{
	const char *blank = name + strlen(name) + 1; /* past the colon */

	while (blank < value && (*blank == ' ' || *blank == '\t'))
		blank++;
	walk->is_gapless = walk->is_gapless && is_next_line(walk->end, name) && blank == value;
	walk->end = value + strlen(value);
}

static enum MHD_Result note_header(void *arg, enum MHD_ValueKind kind, const char *name,
				   const char *value)
{
	struct head_walk *walk = arg;

	(void)kind;
	walk_on(walk, name, value);
	if (!is_token(name))
		walk->has_bad_name = true;
	if (strcasecmp(name, "Host") == 0)
		walk->hosts++;
	if (strcasecmp(name, "Expect") == 0)
		walk->expects_continue = true;
	if (strcasecmp(name, "Content-Length") == 0) {
		walk->lengths++;
		walk->length = value;
	}
	if (strcasecmp(name, "Transfer-Encoding") == 0) {
		walk->encodings++;
		walk->encoding = value;
	}
	return MHD_YES;
}

static bool is_plain_target(const struct http_request *request)
{
	if (request->target[0] != '/')
		return false;
	for (const char *c = request->target; c < request->target + request->target_len; c++)
		if (*c != '\0' && ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f))
			return false;
	return true;
}

/* Framing that two readers could read in two ways is refused, whatever we would make of it. */
static bool is_well_framed(const struct http_request *request, const struct head_walk *walk,
			   const char *version, const char *head_end)
{
	if (!walk->is_gapless || !is_next_line(walk->end, head_end - 2))
		return false;
	if (version != request->raw_target + request->target_len + 1)
		return false;
	if (walk->has_bad_name || walk->hosts > 1 || walk->lengths + walk->encodings > 1)
		return false;
	if (walk->hosts == 0 && strcmp(version, "HTTP/1.0") != 0)
		return false;
	if (walk->encoding && strcasecmp(walk->encoding, "chunked") != 0)
		return false;
	return is_plain_target(request);
}

/* The length was checked to be a number by the library. */
static bool is_longer(const char *length, size_t max)
{
	char digits[24];
	const char *start = length + strspn(length, "0");

	snprintf(digits, sizeof(digits), "%zu", max);
	if (strlen(start) != strlen(digits))
		return strlen(start) > strlen(digits);
	return strcmp(start, digits) > 0;
}

static enum MHD_Result take_head(struct http_request *request, const char *method,
				 const char *version)
{
	size_t body_max = request->httpd->config.body_max;
	struct head_walk walk = { .end = version + strlen(version), .is_gapless = true };
	size_t head_len =
		MHD_get_connection_info(request->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)
			->header_size;

	request->arrived = mono_now();
	request->method = strcmp(method, "HEAD") == 0 ? "GET" : method;
	request->phase = PHASE_BODY;
	MHD_get_connection_values(request->mhd, MHD_HEADER_KIND, note_header, &walk);
	if (head_len > HEAD_MAX)
		return hand_out(request, 431);
	if (!is_well_framed(request, &walk, version, method + head_len))
		return hand_out(request, 400);
	if (walk.length && is_longer(walk.length, body_max)) {
		if (walk.expects_continue || is_longer(walk.length, body_max * DRAIN_FACTOR))
			return hand_out(request, 413);
		request->phase = PHASE_DRAIN;
	}
	expect_within(request->conn, request->httpd, &request->httpd->body);
	return MHD_YES;
}

static enum MHD_Result take_body(struct http_request *request, const char *bytes, size_t len)
{
	size_t body_max = request->httpd->config.body_max;

	if (request->phase == PHASE_BODY) {
		buf_add(&request->body, bytes, len);
		if (!request->body.is_full)
			return MHD_YES;
		request->phase = PHASE_DRAIN;
		request->drained = request->body.len;
		buf_clear(&request->body);
	}
	/* No answer can be given in mid-body: past this bound the connection just closes. */
	request->drained += len;
	return request->drained <= body_max * DRAIN_FACTOR ? MHD_YES : MHD_NO;
}

/* Called once with the head, once for each piece of the body, once at its end, and once more
 * after each resume. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *mhd, const char *url,
				  const char *method, const char *version, const char *bytes,
				  size_t *len, void **context)
{
	struct httpd *httpd = arg;
	struct http_request *request = *context;
	size_t taken = *len;

	(void)mhd, (void)url;
	if (request->phase == PHASE_ANSWERED)
		return send_reply(request);
	if (httpd->is_dead)
		return MHD_NO;
	*len = 0;
	if (request->phase == PHASE_HEAD)
		return take_head(request, method, version);
	if (taken > 0)
		return take_body(request, bytes, taken);
	return hand_out(request, request->phase == PHASE_DRAIN ? 413 : 0);
}

/* ---- Replies ---- */

static void answer(struct http_request *request, int status, struct MHD_Response *reply)
{
	struct httpd *httpd = request->httpd;

	assert(loop_is_mine(httpd->loop));
	assert(request->phase == PHASE_HANDED_OUT);
	request->phase = PHASE_ANSWERED;
	request->status = status;
	request->reply = reply;
	httpd->pending--;
	list_remove(&request->node);
	if (!request->is_suspended)
		return; /* still inside hand_out(), which goes on */
	list_push_back(&httpd->answered, &request->node);
	kick(httpd);
}

static void answer_with(struct http_request *request, int status, const char *content_type,
			struct MHD_Response *reply)
{
	assert(reply);
	if (content_type)
		MHD_add_response_header(reply, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
	LIST_EACH (&request->headers, node) {
		struct http_header *header = CONTAINER_OF(node, struct http_header, node);

		if (MHD_add_response_header(reply, header->name, header->value) != MHD_YES)
			LOG(ERROR, "httpd.header_dropped", F_STR("name", header->name));
	}
	answer(request, status, reply);
}

void http_reply_header(struct http_request *request, const char *name, const char *value)
{
	struct http_header *header = mem_alloc(sizeof(*header));

	assert(request->phase == PHASE_HANDED_OUT);
	header->name = mem_strdup(name);
	header->value = mem_strdup(value);
	list_push_back(&request->headers, &header->node);
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
	answer_with(request, status, content_type,
		    MHD_create_response_from_buffer(len, unconst(body), MHD_RESPMEM_MUST_COPY));
}

void http_reply_take(struct http_request *request, int status, const char *content_type, char *body,
		     size_t len)
{
	answer_with(request, status, content_type,
		    MHD_create_response_from_buffer_with_free_callback(len, body, mem_free));
}

void http_reply_static(struct http_request *request, int status, const char *content_type,
		       const void *body, size_t len)
{
	answer_with(request, status, content_type,
		    MHD_create_response_from_buffer(len, unconst(body), MHD_RESPMEM_PERSISTENT));
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
	cut = mem_alloc(sizeof(*cut) + sent);
	cut->sent = sent;
	memcpy(cut->bytes, body, sent);
	answer_with(request, status, content_type,
		    MHD_create_response_from_callback(len, 4096, read_cut, cut, mem_free));
}

/* ---- What the application may ask ---- */

const char *http_method(const struct http_request *request)
{
	return request->method;
}

const char *http_path(const struct http_request *request)
{
	return request->target;
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

/* ---- The server ---- */

static void on_log(void *arg, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static void on_log(void *arg, const char *format, va_list args)
{
	char text[160];

	(void)arg;
	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\r\n")] = '\0';
	LOG(TRACE, "httpd.library", F_STR("text", text));
}

static void patience_init(struct patience *patience, int64_t timeout_ms)
{
	list_init(&patience->conns);
	patience->timeout_ms = timeout_ms;
}

/* The library knows one timeout for all phases: in those that are ours, ours must come first. */
static unsigned stall_seconds(const struct httpd *httpd)
{
	const int64_t all[] = { httpd->idle.timeout_ms, httpd->head.timeout_ms,
				httpd->body.timeout_ms };
	int64_t ms = REPLY_STALL_MS;

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (ms < all[i])
			ms = all[i];
	return (unsigned)(ms / 1000 + 1);
}

static struct MHD_Daemon *start_mhd(struct httpd *httpd, const struct httpd_config *config)
{
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET |
			 MHD_USE_ERROR_LOG | (config->tls_cert_pem ? MHD_USE_TLS : 0);
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, unconst(config->tls_cert_pem) },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, unconst(config->tls_key_pem) },
		{ MHD_OPTION_END, 0, NULL },
	};

	if (!config->tls_cert_pem)
		tls[0].option = MHD_OPTION_END;
	return MHD_start_daemon(
		flags, 0, NULL, NULL, on_request, httpd, MHD_OPTION_EXTERNAL_LOGGER, on_log, httpd,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, httpd, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, httpd, MHD_OPTION_URI_LOG_CALLBACK, on_target, httpd,
		MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, httpd, MHD_OPTION_CONNECTION_TIMEOUT,
		stall_seconds(httpd), MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)config->connections_max, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)POOL_SIZE, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
}

bool httpd_create(struct loop *loop, const struct httpd_config *config, struct httpd **result,
		  struct err *err)
{
	struct httpd *httpd = mem_alloc(sizeof(*httpd));
	int epoll_fd;

	httpd->loop = loop;
	httpd->config = *config;
	patience_init(&httpd->idle,
		      config->idle_timeout_ms ? config->idle_timeout_ms : IDLE_TIMEOUT_MS);
	patience_init(&httpd->head, config->head_timeout_ms);
	patience_init(&httpd->body, config->body_timeout_ms);
	list_init(&httpd->handed_out);
	list_init(&httpd->answered);
	httpd->stall_s = stall_seconds(httpd);
	httpd->mhd = start_mhd(httpd, config);
	httpd->config.tls_cert_pem = httpd->config.tls_key_pem = NULL;
	if (!httpd->mhd) {
		mem_free(httpd);
		return err_set(err, ERR_IO, "the HTTP server does not start%s",
			       config->tls_cert_pem ? ": unusable certificate or key?" : "");
	}
	epoll_fd = MHD_get_daemon_info(httpd->mhd, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	httpd->watch = watch_create(loop, epoll_fd, on_readable, httpd);
	watch_set(httpd->watch, WATCH_READ);
	httpd->timer = loop_timer_create(loop, on_timer, httpd);
	httpd->reaper = loop_timer_create(loop, on_reaper, httpd);
	*result = httpd;
	return true;
}

static void drop_handed_out(struct httpd *httpd)
{
	struct list_node *node;

	while ((node = list_first(&httpd->handed_out)))
		http_drop(CONTAINER_OF(node, struct http_request, node));
}

void httpd_destroy(struct httpd *httpd)
{
	if (!httpd)
		return;
	/* The library must not stop while a connection is suspended; from here on none will be. */
	drop_handed_out(httpd);
	httpd->is_dead = true;
	resume_answered(httpd);
	MHD_run(httpd->mhd);
	watch_destroy(httpd->watch); /* before its descriptor closes */
	MHD_stop_daemon(httpd->mhd);
	timer_destroy(httpd->timer);
	timer_destroy(httpd->reaper);
	loop_free_later(httpd->loop, httpd);
}

void httpd_stop_keepalive(struct httpd *httpd)
{
	httpd->is_stopping = true;
}

size_t httpd_pending(const struct httpd *httpd)
{
	return httpd->pending;
}

void httpd_take_socket(struct httpd *httpd, int fd, const struct http_peer *peer)
{
	const struct sockaddr none = { .sa_family = AF_UNSPEC };
	bool was_full;

	assert(loop_is_mine(httpd->loop));
	httpd->incoming = peer;
	/* On failure the library has closed the socket. */
	was_full = httpd->is_full;
	httpd->is_full = MHD_add_connection(httpd->mhd, fd, &none, sizeof(none)) != MHD_YES;
	if (httpd->is_full && !was_full)
		LOG(WARN, "httpd.full", F_STR("refused", peer->address));
	httpd->incoming = NULL;
	kick(httpd);
}
