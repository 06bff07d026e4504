#include "net/httpd.h"

#include <assert.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/farewell.h"
#include "net/http_head.h"
#include "net/http_request.h"
#include "net/http_screen.h"
#include "net/http_stream.h"
#include "net/loop.h"
#include "net/patience.h"

/* For each connection: head, what is parsed of it, the reply's head. A head far too long must fit
 * in as well, to be refused in our own words; and with every request all of it is wiped. */
#define POOL_SIZE       (96 << 10)
#define DRAIN_FACTOR    16    /* a body up to this many times too large is read before the 413 */
#define IDLE_TIMEOUT_MS 75000 /* unless configured */
#define REPLY_STALL_MS  30000 /* a client that reads nothing of its reply for so long is gone */

struct httpd {
	struct loop *loop;
	struct httpd_config config;
	struct MHD_Daemon *mhd;
	struct watch *watch; /* of the library's own epoll descriptor */
	struct timer *timer; /* the library's */
	/* The library's own timeout starts again with every byte: these do not. */
	struct patience *idle, *head, *body;
	struct patience *ended; /* none at all, but for what the library has read already */
	struct farewells *farewells;
	struct http_streams *streams;
	struct list in_head;    /* requests whose first line was read */
	struct list handed_out; /* requests without an answer */
	struct list to_resume;  /* requests whose connection has something to send again */
	size_t pending;
	unsigned stall_s;                 /* the library's timeout, for replies */
	const struct http_peer *incoming; /* while the library takes over a socket */
	bool is_kicked;
	bool has_tls;
	bool is_stopping; /* no more keep-alive */
	bool is_full;     /* told so already */
	bool is_closed;   /* nothing is handed out any more */
	bool is_dead;
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

static void on_timer(void *arg)
{
	kick(arg);
}

/* A timeout of its own makes the library let a resumed connection answer before it reads again.
 * Otherwise it may read first, and a client that has said that it will send no more would be
 * taken for gone. Undone after the reply: such connections are all walked through each turn. */
static void put_answer_first(struct http_request *request, bool is_first)
{
	unsigned limit_s = request->httpd->stall_s + (is_first ? 1u : 0u);

	if (request->stream)
		limit_s += http_stream_patience_s(request->stream);
	MHD_set_connection_option(request->mhd, MHD_CONNECTION_OPTION_TIMEOUT, limit_s);
}

static void resume_all(struct httpd *httpd)
{
	struct list_node *node;

	while ((node = list_pop_front(&httpd->to_resume))) {
		struct http_request *request = CONTAINER_OF(node, struct http_request, node);

		request->is_suspended = false;
		request->was_suspended = true;
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
	resume_all(httpd);
	MHD_run(httpd->mhd);
	http_streams_tell(httpd->streams);
	/* Zero is not "nothing": connections are ready that no descriptor will tell of. */
	if (MHD_get_timeout(httpd->mhd, &wait_ms) == MHD_YES)
		timer_start(httpd->timer, (int64_t)wait_ms);
	else
		timer_stop(httpd->timer);
}

/* ---- Connections ---- */

/* The shut socket makes the library close the connection in its own time. */
static void on_late(struct patient *patient)
{
	struct http_conn *conn = CONTAINER_OF(patient, struct http_conn, patient);

	shutdown(conn->fd, SHUT_RDWR);
}

static void on_connection(void *arg, struct MHD_Connection *mhd, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct httpd *httpd = arg;
	struct http_conn *conn = *context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		conn = mem_alloc(sizeof(*conn));
		patient_init(&conn->patient);
		conn->peer = *httpd->incoming;
		conn->fd =
			MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
		patient_wait(&conn->patient, httpd->head);
		*context = conn;
	} else {
		patient_done(&conn->patient);
		mem_free(conn);
	}
}

/* The end of the client's sending that came together with its request is not told to the library a
 * second time: without this look it would wait for more until the idle time is over. */
static bool has_ended(const struct http_conn *conn)
{
	char byte;

	return recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void await_next(struct httpd *httpd, struct http_conn *conn)
{
	patient_wait(&conn->patient, has_ended(conn) ? httpd->ended : httpd->idle);
}

/* ---- Requests ---- */

static char *unconst(const char *text)
{
	union {
		const char *in;
		char *out;
	} pointer = { .in = text };

	return pointer.out;
}

/* The library would make a record of each parameter, and with the last of its memory forget the
 * request, so that nobody answers. We read the query ourselves. */
static void forget_query(const char *target)
{
	char *mark = target ? strchr(unconst(target), '?') : NULL;

	if (mark)
		mark[1] = '\0';
}

/* The earliest sight of a request, and the only one of its whole target. What it returns is the
 * library's context for the request from now on. */
static void *on_target(void *arg, const char *target, struct MHD_Connection *mhd)
{
	struct httpd *httpd = arg;
	struct http_request *request =
		http_request_create(httpd, mhd, target, httpd->config.body_max);

	request->conn =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	patient_wait(&request->conn->patient, httpd->head);
	list_push_back(&httpd->in_head, &request->node);
	forget_query(target);
	return request;
}

/* Escapes stay: whoever splits the path decodes its parts. */
static size_t keep_escapes(void *arg, struct MHD_Connection *mhd, char *text)
{
	(void)arg, (void)mhd;
	return strlen(text);
}

/* The connection closes now. Where the library has found that out while it asked for more to send,
 * it looks at the connection again only because of its timeout of its own, and only in its next
 * run. */
static void end_stream(struct http_request *request)
{
	http_stream_lost(request->stream);
	kick(request->httpd);
}

static void on_completed(void *arg, struct MHD_Connection *mhd, void **context,
			 enum MHD_RequestTerminationCode code)
{
	struct httpd *httpd = arg;
	struct http_request *request = *context;

	(void)mhd;
	if (!request)
		return;
	if (request->stream)
		end_stream(request);
	else if (request->was_suspended)
		put_answer_first(request, false);
	if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
		await_next(httpd, request->conn);
	http_request_destroy(request);
	*context = NULL;
}

static enum MHD_Result send_reply(struct http_request *request)
{
	struct MHD_Response *reply = request->reply;

	if (!reply)
		return MHD_NO; /* closes the connection */
	if (request->stream)
		put_answer_first(request, true);
	if (request->httpd->is_stopping)
		MHD_add_response_header(reply, MHD_HTTP_HEADER_CONNECTION, "close");
	return MHD_queue_response(request->mhd, (unsigned)request->status, reply);
}

static void refuse_plainly(struct http_request *request, int status)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "refused: %d\n", status);

	http_reply(request, status, "text/plain; charset=utf-8", text, (size_t)len);
}

static void tell_application(struct http_request *request, int refusal)
{
	struct httpd *httpd = request->httpd;

	request->phase = HTTP_HANDED_OUT;
	list_push_back(&httpd->handed_out, &request->node);
	httpd->pending++;
	if (refusal == 0)
		httpd->config.handle(httpd->config.arg, request);
	else if (httpd->config.refuse)
		httpd->config.refuse(httpd->config.arg, request, refusal);
	else
		refuse_plainly(request, refusal);
}

/* Gives the request to the application, refused with status unless that is 0. An answer that is
 * there at once costs no suspending, which is half as dear as the request itself. */
static enum MHD_Result hand_out(struct http_request *request, int refusal)
{
	patient_done(&request->conn->patient);
	tell_application(request, refusal);
	if (request->phase == HTTP_ANSWERED)
		return send_reply(request);
	request->is_suspended = true;
	MHD_suspend_connection(request->mhd);
	return MHD_YES;
}

static void part_from_stray(struct http_request *request)
{
	struct http_conn *conn = request->conn;
	const struct buf *reply = &request->stray_reply;

	farewell_say(request->httpd->farewells, conn->fd, buf_str(reply), reply->len);
	mem_free(conn);
	http_request_destroy(request);
}

void httpd_answered(struct http_request *request)
{
	struct httpd *httpd = request->httpd;

	assert(loop_is_mine(httpd->loop));
	httpd->pending--;
	list_remove(&request->node);
	if (!request->mhd) {
		part_from_stray(request);
		return;
	}
	httpd_wake(request); /* unless still inside hand_out(), which goes on */
}

void httpd_wake(struct http_request *request)
{
	if (!request->is_suspended || list_has(&request->node))
		return;
	list_push_back(&request->httpd->to_resume, &request->node);
	kick(request->httpd);
}

struct http_streams *httpd_streams(struct httpd *httpd)
{
	return httpd->streams;
}

/* A path and a query in visible ASCII: no host, no blanks. */
static bool is_plain_target(const struct http_request *request)
{
	const char *parts[] = { request->path, request->query };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		for (const char *c = parts[i]; *c; c++)
			if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
				return false;
	return request->path[0] == '/';
}

static enum MHD_Result take_head(struct http_request *request, const char *method,
				 const char *version)
{
	struct httpd *httpd = request->httpd;
	size_t body_max = httpd->config.body_max;
	struct http_head head;

	http_head_read(&head, request->mhd, method, request->raw_target, request->target_len,
		       version);
	request->arrived = mono_now();
	request->is_head = strcmp(method, "HEAD") == 0;
	request->method = request->is_head ? "GET" : method;
	request->phase = HTTP_BODY;
	list_remove(&request->node);
	if (head.len > HTTP_HEAD_MAX)
		return hand_out(request, 431);
	if (!head.is_well_formed || !is_plain_target(request))
		return hand_out(request, 400);
	if (head.has_length && head.length > body_max) {
		if (head.expects_continue || head.length > body_max * DRAIN_FACTOR)
			return hand_out(request, 413);
		request->phase = HTTP_DRAIN;
	}
	patient_wait(&request->conn->patient, httpd->body);
	return MHD_YES;
}

static enum MHD_Result take_body(struct http_request *request, const char *bytes, size_t len)
{
	size_t body_max = request->httpd->config.body_max;

	if (request->phase == HTTP_BODY) {
		buf_add(&request->body, bytes, len);
		if (!request->body.is_full)
			return MHD_YES;
		request->phase = HTTP_DRAIN;
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
	if (request->phase == HTTP_ANSWERED)
		return send_reply(request);
	if (httpd->is_closed)
		return MHD_NO;
	*len = 0;
	if (request->phase == HTTP_HEAD)
		return take_head(request, method, version);
	if (taken > 0)
		return take_body(request, bytes, taken);
	return hand_out(request, request->phase == HTTP_DRAIN ? 413 : 0);
}

/* ---- What the library would answer itself ---- */

void httpd_refuse_socket(struct httpd *httpd, int fd, const struct http_peer *peer, int status)
{
	struct http_request *request = http_request_create(httpd, NULL, NULL, 0);

	assert(loop_is_mine(httpd->loop) && !httpd_has_tls(httpd));
	request->conn = mem_alloc(sizeof(*request->conn));
	patient_init(&request->conn->patient);
	request->conn->peer = *peer;
	request->conn->fd = fd;
	request->method = "-";
	request->arrived = mono_now();
	tell_application(request, status);
}

/* Has the library read the head, but not shown it to us nor answered it? */
static bool is_withheld(const struct http_request *request)
{
	return MHD_get_connection_info(request->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE) &&
	       !MHD_get_connection_info(request->mhd, MHD_CONNECTION_INFO_HTTP_STATUS);
}

/* A length that the library cannot read, or cookies that are too many for its memory, it answers
 * itself, and by mistake goes on and sends a second answer within the first. This is said in its
 * log before anything is sent: so the log is where we can be first. */
static void answer_withheld(struct httpd *httpd)
{
	LIST_EACH_SAFE (&httpd->in_head, node) {
		struct http_request *request = CONTAINER_OF(node, struct http_request, node);
		struct http_conn *conn = request->conn;
		int fd;

		if (httpd->is_closed || !is_withheld(request))
			continue;
		list_remove(&request->node);
		fd = httpd_has_tls(httpd) ? -1 : fcntl(conn->fd, F_DUPFD_CLOEXEC, 0);
		if (fd >= 0)
			httpd_refuse_socket(httpd, fd, &conn->peer, 400);
		shutdown(conn->fd, SHUT_WR);
	}
}

/* ---- The server ---- */

static void on_log(void *arg, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static void on_log(void *arg, const char *format, va_list args)
{
	char text[160];

	answer_withheld(arg);
	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\r\n")] = '\0';
	LOG(TRACE, "httpd.library", F_STR("text", text));
}

/* The library knows one timeout for all phases: in those that are ours, ours must come first. */
static unsigned stall_seconds(const struct httpd_config *config)
{
	const int64_t ours[] = { config->idle_timeout_ms, config->head_timeout_ms,
				 config->body_timeout_ms };
	int64_t ms = REPLY_STALL_MS;

	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (ms < ours[i])
			ms = ours[i];
	return (unsigned)(ms / 1000 + 1);
}

static struct MHD_Daemon *start_mhd(struct httpd *httpd)
{
	const struct httpd_config *config = &httpd->config;
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
		httpd->stall_s, MHD_OPTION_CONNECTION_LIMIT, (unsigned)config->connections_max,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_SIZE, MHD_OPTION_ARRAY, tls,
		MHD_OPTION_END);
}

static void watch_mhd(struct httpd *httpd)
{
	int epoll_fd = MHD_get_daemon_info(httpd->mhd, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;

	httpd->watch = watch_create(httpd->loop, epoll_fd, on_readable, httpd);
	watch_set(httpd->watch, WATCH_READ);
	httpd->timer = loop_timer_create(httpd->loop, on_timer, httpd);
}

bool httpd_create(struct loop *loop, const struct httpd_config *config, struct httpd **result,
		  struct err *err)
{
	struct httpd *httpd = mem_alloc(sizeof(*httpd));

	httpd->loop = loop;
	httpd->config = *config;
	if (httpd->config.idle_timeout_ms == 0)
		httpd->config.idle_timeout_ms = IDLE_TIMEOUT_MS;
	httpd->stall_s = stall_seconds(&httpd->config);
	httpd->has_tls = config->tls_cert_pem != NULL;
	list_init(&httpd->in_head);
	list_init(&httpd->handed_out);
	list_init(&httpd->to_resume);
	httpd->mhd = start_mhd(httpd);
	httpd->config.tls_cert_pem = httpd->config.tls_key_pem = NULL;
	if (!httpd->mhd) {
		mem_free(httpd);
		return err_set(err, ERR_IO, "the HTTP server does not start%s",
			       config->tls_cert_pem ? ": unusable certificate or key?" : "");
	}
	watch_mhd(httpd);
	httpd->streams = http_streams_create(loop);
	httpd->farewells = farewells_create(loop);
	httpd->idle = patience_create(loop, httpd->config.idle_timeout_ms, on_late);
	httpd->ended = patience_create(loop, 0, on_late);
	httpd->head = patience_create(loop, httpd->config.head_timeout_ms, on_late);
	httpd->body = patience_create(loop, httpd->config.body_timeout_ms, on_late);
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
	httpd->is_closed = true;
	httpd->is_dead = true;
	http_streams_cut(httpd->streams);
	resume_all(httpd);
	MHD_run(httpd->mhd);
	watch_destroy(httpd->watch); /* before its descriptor closes */
	MHD_stop_daemon(httpd->mhd);
	http_streams_destroy(httpd->streams);
	farewells_destroy(httpd->farewells);
	timer_destroy(httpd->timer);
	patience_destroy(httpd->idle);
	patience_destroy(httpd->ended);
	patience_destroy(httpd->head);
	patience_destroy(httpd->body);
	loop_free_later(httpd->loop, httpd);
}

void httpd_close(struct httpd *httpd)
{
	if (httpd)
		httpd->is_closed = true;
}

void httpd_stop_keepalive(struct httpd *httpd)
{
	httpd->is_stopping = true;
}

bool httpd_has_tls(const struct httpd *httpd)
{
	return httpd->has_tls;
}

size_t httpd_pending(const struct httpd *httpd)
{
	return httpd->pending;
}

void httpd_take_socket(struct httpd *httpd, int fd, const struct http_peer *peer)
{
	const struct sockaddr none = { .sa_family = AF_UNSPEC };
	bool was_full = httpd->is_full;

	assert(loop_is_mine(httpd->loop));
	httpd->incoming = peer;
	/* On failure the library has closed the socket. */
	httpd->is_full = MHD_add_connection(httpd->mhd, fd, &none, sizeof(none)) != MHD_YES;
	if (httpd->is_full && !was_full)
		LOG(WARN, "httpd.full", F_STR("refused", peer->address));
	httpd->incoming = NULL;
	kick(httpd);
}
