#include "net/fetch.h"

#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/crash_point.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/secret.h"
#include "net/fetch_url.h"
#include "net/loop.h"
#include "net/multi.h"

#define ANSWER_HEAD_MAX   65536 /* bytes of status line and headers */
#define CONNECTION_AGE_S  50    /* idle ones are not used again later; others close them at 60 */
#define KEEPALIVE_IDLE_S  20
#define KEEPALIVE_EVERY_S 5
#define RETRY_AFTER_MAX_S 86400

struct fetcher {
	struct loop *loop;
	struct multi *multi;
	struct list fetches; /* all that owe a callback */
	char *ca_file, *unix_socket, *user_agent;
	long connect_timeout_ms;
	bool is_closing;
};

struct fetch {
	struct list_node node; /* in fetcher->fetches, until done was called or cancelled */
	struct fetcher *fetcher;
	fetch_done_fn *done;
	void *arg;
	CURL *easy; /* NULL once finished */
	struct curl_slist *headers;
	char *body;
	size_t body_len, body_sent;
	bool may_repeat;    /* asks only: libcurl may ask again on a new connection */
	bool is_delivering; /* finished; deliver() was put off */
	char *name;         /* "POST host/path", for errors */
	size_t answer_head_len;
	bool is_head_whole, has_framing;
	struct buf answer;
	fetch_piece_fn *piece; /* NULL: the body is kept */
	struct timer *silence; /* with piece: until it has been silent for too long */
	int64_t silence_ms;
	bool is_in_piece, is_refused, was_silent, has_pieces;
	struct fetch_result result;
	char reason[CURL_ERROR_SIZE];
};

/* ---- The request on its way ---- */

/* Called whenever the request is about to go out; a second time is libcurl's own repeat, on a new
 * connection, since the first one died. What the first one carried may have been received. */
static int before_request(void *arg, char *peer, char *local, int peer_port, int local_port)
{
	struct fetch *fetch = arg;

	(void)peer, (void)local, (void)peer_port, (void)local_port;
	if (fetch->result.sent.us != 0)
		return fetch->may_repeat ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
	fetch->result.sent = mono_now();
	CRASH_FETCH_LEAVES(fetch);
	return CURL_PREREQFUNC_OK;
}

static size_t read_body(char *to, size_t size, size_t count, void *arg)
{
	struct fetch *fetch = arg;
	size_t room = size * count;
	size_t left = fetch->body_len - fetch->body_sent;
	size_t len = left < room ? left : room;

	if (len > 0)
		memcpy(to, fetch->body + fetch->body_sent, len);
	fetch->body_sent += len;
	return len;
}

/* The other half of the rule: a body that went out cannot go out again. */
static int refuse_rewind(void *arg, curl_off_t offset, int origin)
{
	(void)arg, (void)offset, (void)origin;
	return CURL_SEEKFUNC_CANTSEEK;
}

/* ---- The answer ---- */

/* Something came, or another time was set. */
static void restart_silence(struct fetch *fetch)
{
	fetch->was_silent = false;
	if (fetch->silence)
		timer_start(fetch->silence, fetch->silence_ms);
}

static bool has_prefix(const char *text, size_t len, const char *prefix)
{
	return len >= strlen(prefix) && strncasecmp(text, prefix, strlen(prefix)) == 0;
}

/* Seconds only; a date would need the other side's clock. */
static int64_t parse_retry_after(const char *text, size_t len)
{
	int64_t seconds = 0;
	size_t at = 0;

	while (at < len && text[at] == ' ')
		at++;
	if (at == len || text[at] < '0' || text[at] > '9')
		return -1;
	for (; at < len && text[at] >= '0' && text[at] <= '9'; at++)
		if (seconds < RETRY_AFTER_MAX_S)
			seconds = seconds * 10 + (text[at] - '0');
	return (seconds < RETRY_AFTER_MAX_S ? seconds : RETRY_AFTER_MAX_S) * 1000;
}

/* libcurl hands over a line that the connection's end cut short as if it were whole, and reports
 * success. Only the empty line proves that the head was. */
static size_t take_header(char *line, size_t size, size_t count, void *arg)
{
	static const char retry_after[] = "Retry-After:";
	struct fetch *fetch = arg;
	size_t len = size * count;

	restart_silence(fetch);
	fetch->answer_head_len += len;
	if (fetch->answer_head_len > ANSWER_HEAD_MAX)
		return 0;
	if (has_prefix(line, len, "HTTP/")) {
		fetch->is_head_whole = fetch->has_framing = false;
		fetch->result.retry_after_ms = -1;
	} else if (has_prefix(line, len, retry_after)) {
		fetch->result.retry_after_ms =
			parse_retry_after(line + strlen(retry_after), len - strlen(retry_after));
	} else if (has_prefix(line, len, "Content-Length:") ||
		   has_prefix(line, len, "Transfer-Encoding:")) {
		fetch->has_framing = true;
	} else if (len == 2 && line[0] == '\r' && line[1] == '\n') {
		fetch->is_head_whole = true;
	} else if (len == 1 && line[0] == '\n') {
		fetch->is_head_whole = true;
	}
	return len;
}

/* A refusal is no piece of what was asked for. */
static bool is_for_piece(const struct fetch *fetch)
{
	long status = 0;

	if (!fetch->piece)
		return false;
	curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &status);
	return status >= 200 && status < 300;
}

static bool hand_over(struct fetch *fetch, const char *bytes, size_t len)
{
	fetch->is_in_piece = fetch->has_pieces = true;
	fetch->is_refused = !fetch->piece(fetch->arg, bytes, len);
	fetch->is_in_piece = false;
	return !fetch->is_refused;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct fetch *fetch = arg;

	restart_silence(fetch);
	if (is_for_piece(fetch))
		return hand_over(fetch, bytes, size * count) ? size * count : 0;
	buf_add(&fetch->answer, bytes, size * count);
	return fetch->answer.is_full ? 0 : size * count;
}

/* A body without a length ends with the connection: it may be whole, and its reader will know.
 * But nothing at all, with no length to say so, proves nothing. */
static bool is_whole(const struct fetch *fetch, long status)
{
	if (!fetch->is_head_whole || status < 200 || status > 999)
		return false;
	return fetch->has_framing || fetch->answer.len > 0 || fetch->has_pieces || status == 204 ||
	       status == 304;
}

static enum fetch_outcome judge(const struct fetch *fetch, CURLcode code)
{
	long status = 0, request_size = 0;

	curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(fetch->easy, CURLINFO_REQUEST_SIZE, &request_size);
	if (code == CURLE_OK && is_whole(fetch, status))
		return FETCH_ANSWERED;
	return request_size == 0 ? FETCH_NOT_SENT : FETCH_LOST;
}

static enum err_code err_code_of(CURLcode code)
{
	switch ((int)code) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CRL_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
		return ERR_TLS;
	default:
		return ERR_UNREACHABLE;
	}
}

/* libcurl's texts name hosts, not queries or headers; one that holds a '?' is not trusted. */
static const char *reason_of(const struct fetch *fetch, CURLcode code)
{
	if (code == CURLE_OK)
		return "the answer was cut short";
	if (code == CURLE_WRITE_ERROR)
		return fetch->is_refused ? "its reader wants no more" : "the answer is too long";
	if (code == CURLE_SEND_FAIL_REWIND || code == CURLE_ABORTED_BY_CALLBACK)
		return "the connection died after the request was sent";
	if (fetch->reason[0] && !strchr(fetch->reason, '?'))
		return fetch->reason;
	return curl_easy_strerror(code);
}

/* ---- Completion ---- */

/* What libcurl holds of the request, the secret header above all. */
static void release_easy(struct fetch *fetch)
{
	assert(!fetch->is_in_piece);
	timer_destroy(fetch->silence);
	fetch->silence = NULL;
	for (struct curl_slist *header = fetch->headers; header; header = header->next)
		secret_wipe(header->data, strlen(header->data));
	if (fetch->easy) {
		multi_remove(fetch->fetcher->multi, fetch->easy);
		curl_easy_cleanup(fetch->easy);
	}
	curl_slist_free_all(fetch->headers);
	fetch->easy = NULL;
	fetch->headers = NULL;
}

static void fetch_destroy(struct fetch *fetch)
{
	release_easy(fetch);
	list_remove(&fetch->node);
	buf_fini(&fetch->answer);
	if (fetch->body)
		secret_wipe(fetch->body, fetch->body_len);
	mem_free(fetch->body);
	mem_free(fetch->name);
	mem_free(fetch);
}

/* Tells the owner, who may start, cancel and destroy whatever it likes meanwhile. */
static void tell(struct fetch *fetch)
{
	fetch_done_fn *done = fetch->done;

	list_remove(&fetch->node);
	fetch->done = NULL;
	if (done)
		done(fetch->arg, &fetch->result);
}

static void deliver(void *arg)
{
	tell(arg);
	fetch_destroy(arg);
}

static void conclude(struct fetch *fetch, enum fetch_outcome outcome, int status)
{
	struct fetch_result *result = &fetch->result;

	result->outcome = outcome;
	result->done = mono_now();
	result->status = status;
	if (outcome == FETCH_NOT_SENT)
		result->sent = (struct mono){ 0 };
	if (outcome != FETCH_ANSWERED) {
		result->retry_after_ms = -1;
		buf_clear(&fetch->answer);
	}
	result->body = buf_str(&fetch->answer);
	result->body_len = fetch->answer.len;
}

/* Reads the verdict from libcurl while it still has the request. */
static void settle(struct fetch *fetch, CURLcode code, const char *reason)
{
	enum fetch_outcome outcome = judge(fetch, code);
	long status = 0;

	if (outcome == FETCH_ANSWERED)
		curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &status);
	else
		err_set(&fetch->result.err, err_code_of(code), "%s: %s", fetch->name, reason);
	conclude(fetch, outcome, (int)status);
	release_easy(fetch);
}

static void deliver_later(struct fetch *fetch)
{
	fetch->is_delivering = true;
	loop_later(fetch->fetcher->loop, deliver, fetch);
}

static void on_finished(CURL *easy, CURLcode code)
{
	struct fetch *fetch = NULL;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &fetch);
	settle(fetch, code, reason_of(fetch, code));
	deliver_later(fetch);
}

/* The loop may have been held up (by a piece that took its time): what came meanwhile is looked at
 * before it is called silence. */
static void on_silence(void *arg)
{
	struct fetch *fetch = arg;

	if (fetch->was_silent) {
		settle(fetch, CURLE_OPERATION_TIMEDOUT, "nothing came for too long");
		deliver_later(fetch);
		return;
	}
	fetch->was_silent = true;
	timer_start(fetch->silence, 1);
}

static void never_sent(struct fetch *fetch, const char *reason)
{
	err_set(&fetch->result.err, ERR_UNREACHABLE, "%s: %s", fetch->name, reason);
	conclude(fetch, FETCH_NOT_SENT, 0);
	release_easy(fetch);
	deliver_later(fetch);
}

/* ---- Building a request ---- */

/* A line break would make two headers of one. */
static bool is_header(const char *text, size_t len)
{
	const char *colon = memchr(text, ':', len);

	for (size_t at = 0; at < len; at++)
		if (((unsigned char)text[at] < ' ' && text[at] != '\t') || text[at] == 0x7f)
			return false;
	return colon && colon != text && colon + 1 < text + len;
}

static bool add_header(struct fetch *fetch, const char *text)
{
	struct curl_slist *longer = curl_slist_append(fetch->headers, text);

	if (longer)
		fetch->headers = longer;
	return longer != NULL;
}

/* The value goes from one guarded place to another, and from there only to libcurl's list. */
static bool add_secret_header(struct fetch *fetch, const struct fetch_request *request)
{
	size_t name_len = strlen(request->secret_header_name);
	size_t value_len = secret_len(request->secret_header);
	struct secret *line = secret_create(name_len + 2 + value_len);
	char *text = (char *)secret_open(line);
	bool is_fine;

	memcpy(text, request->secret_header_name, name_len);
	memcpy(text + name_len, ": ", 2);
	memcpy(text + name_len + 2, secret_open(request->secret_header), value_len);
	secret_close(request->secret_header);
	is_fine = value_len > 0 && is_header(text, name_len + 2 + value_len) &&
		  add_header(fetch, text);
	secret_close(line);
	secret_destroy(line);
	return is_fine;
}

static bool add_headers(struct fetch *fetch, const struct fetch_request *request)
{
	bool has_type = false;

	/* No waiting for "100 Continue", and no form's type unless the caller names one. */
	if (!add_header(fetch, "Expect:"))
		return false;
	for (const char *const *header = request->headers; header && *header; header++) {
		has_type = has_type || has_prefix(*header, strlen(*header), "Content-Type:");
		if (!is_header(*header, strlen(*header)) || !add_header(fetch, *header))
			return false;
	}
	if (!has_type && !add_header(fetch, "Content-Type:"))
		return false;
	return !request->secret_header || add_secret_header(fetch, request);
}

#define SET(option, value) \
	(is_fine = is_fine && curl_easy_setopt(fetch->easy, CURLOPT_##option, (value)) == CURLE_OK)

static bool set_method(struct fetch *fetch, const struct fetch_request *request)
{
	bool is_post = strcmp(request->method, "POST") == 0;
	bool is_fine = true;

	if (is_post || request->body) {
		SET(POST, 1L);
		SET(POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
		SET(READFUNCTION, read_body);
		SET(READDATA, fetch);
		SET(SEEKFUNCTION, refuse_rewind);
		SET(SEEKDATA, fetch);
	} else {
		SET(HTTPGET, 1L);
	}
	if (!is_post)
		SET(CUSTOMREQUEST, request->method);
	return is_fine;
}

static bool set_tls(struct fetch *fetch)
{
	bool is_fine = true;

	SET(SSL_VERIFYPEER, 1L);
	SET(SSL_VERIFYHOST, 2L);
	SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (fetch->fetcher->ca_file) {
		SET(CAINFO, fetch->fetcher->ca_file);
		SET(CAPATH, (char *)NULL); /* else the system's roots count too */
	}
	return is_fine;
}

static bool set_connection(struct fetch *fetch, const struct fetch_request *request)
{
	struct fetcher *fetcher = fetch->fetcher;
	bool is_plain = has_prefix(request->url, strlen(request->url), "http:");
	bool is_fine = true;

	SET(PROTOCOLS_STR, is_plain ? "http" : "https");
	SET(REDIR_PROTOCOLS_STR, "https"); /* "" is refused; none is followed anyway */
	SET(FOLLOWLOCATION, 0L);
	SET(PROXY, "");
	SET(NOPROXY, "*");
	SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(TCP_NODELAY, 1L);
	SET(TCP_KEEPALIVE, 1L);
	SET(TCP_KEEPIDLE, (long)KEEPALIVE_IDLE_S);
	SET(TCP_KEEPINTVL, (long)KEEPALIVE_EVERY_S);
	SET(MAXAGE_CONN, (long)CONNECTION_AGE_S);
	SET(CONNECTTIMEOUT_MS, fetcher->connect_timeout_ms);
	if (!request->piece)
		SET(TIMEOUT_MS, (long)request->timeout_ms);
	SET(NOSIGNAL, 1L);
	SET(QUICK_EXIT, 1L); /* a name look-up that hangs is left to its thread, not waited for */
	if (fetcher->unix_socket)
		SET(UNIX_SOCKET_PATH, fetcher->unix_socket);
	if (fetcher->user_agent)
		SET(USERAGENT, fetcher->user_agent);
	return is_fine;
}

static bool set_callbacks(struct fetch *fetch)
{
	bool is_fine = true;

	SET(PRIVATE, fetch);
	SET(ERRORBUFFER, fetch->reason);
	SET(PREREQFUNCTION, before_request);
	SET(PREREQDATA, fetch);
	SET(HEADERFUNCTION, take_header);
	SET(HEADERDATA, fetch);
	SET(WRITEFUNCTION, take_body);
	SET(WRITEDATA, fetch);
	return is_fine;
}

static bool launch(struct fetch *fetch, const struct fetch_request *request)
{
	bool is_fine = true;

	fetch->easy = curl_easy_init();
	if (!fetch->easy)
		return false;
	SET(URL, request->url);
	if (!is_fine || !set_method(fetch, request) || !set_tls(fetch) ||
	    !set_connection(fetch, request) || !set_callbacks(fetch))
		return false;
	SET(HTTPHEADER, fetch->headers);
	return is_fine && multi_add(fetch->fetcher->multi, fetch->easy);
}

static struct fetch *fetch_create(struct fetcher *fetcher, const struct fetch_request *request,
				  fetch_done_fn *done, void *arg)
{
	struct fetch *fetch = mem_alloc(sizeof(*fetch));

	fetch->fetcher = fetcher;
	fetch->done = done;
	fetch->arg = arg;
	fetch->name = fetch_url_name(request->method, request->url);
	fetch->may_repeat = strcmp(request->method, "GET") == 0 && !request->is_once;
	if (request->body_len > 0) {
		fetch->body = mem_alloc(request->body_len);
		memcpy(fetch->body, request->body, request->body_len);
		fetch->body_len = request->body_len;
	}
	buf_init(&fetch->answer, request->answer_max);
	fetch->piece = request->piece;
	fetch->silence_ms = request->timeout_ms;
	if (fetch->piece)
		fetch->silence = loop_timer_create(fetcher->loop, on_silence, fetch);
	restart_silence(fetch);
	fetch->result.retry_after_ms = -1;
	list_push_back(&fetcher->fetches, &fetch->node);
	CRASH_FETCH_BEGUN(fetch);
	return fetch;
}

struct fetch *fetch_start(struct fetcher *fetcher, const struct fetch_request *request,
			  fetch_done_fn *done, void *arg)
{
	struct fetch *fetch;
	struct err err;

	assert(loop_is_mine(fetcher->loop));
	assert(request->timeout_ms > 0);
	fetch = fetch_create(fetcher, request, done, arg);
	if (fetcher->is_closing)
		never_sent(fetch, "stopping");
	else if (!fetch_url_check(request->url, &err))
		never_sent(fetch, err.text);
	else if (!add_headers(fetch, request))
		never_sent(fetch, "a header has no name, no value or a line break in it");
	else if (!launch(fetch, request))
		never_sent(fetch, "libcurl does not take the request");
	return fetch;
}

void fetch_cancel(struct fetch *fetch)
{
	assert(!fetch->is_in_piece);
	if (!fetch->is_delivering) {
		fetch_destroy(fetch);
		return;
	}
	fetch->done = NULL; /* deliver() is on its way, and frees */
	list_remove(&fetch->node);
}

void fetch_set_silence(struct fetch *fetch, int64_t silence_ms)
{
	assert(fetch->piece && silence_ms > 0);
	fetch->silence_ms = silence_ms;
	restart_silence(fetch);
}

/* ---- The fetcher ---- */

bool fetcher_create(struct loop *loop, const struct fetcher_config *config, struct fetcher **result,
		    struct err *err)
{
	struct fetcher *fetcher;
	struct multi *multi;

	if (config->ca_file && access(config->ca_file, R_OK) != 0)
		return err_set(err, ERR_CONFIG, "%s: %s", config->ca_file, strerror(errno));
	if (!multi_create(loop, config->host_connections_max, on_finished, &multi, err))
		return false;
	fetcher = mem_alloc(sizeof(*fetcher));
	fetcher->loop = loop;
	fetcher->multi = multi;
	list_init(&fetcher->fetches);
	fetcher->ca_file = mem_strdup(config->ca_file);
	fetcher->unix_socket = mem_strdup(config->unix_socket);
	fetcher->user_agent = mem_strdup(config->user_agent);
	fetcher->connect_timeout_ms = (long)config->connect_timeout_ms;
	*result = fetcher;
	return true;
}

/* Completes what is in flight, or finished but not yet told. */
static void tell_all(struct fetcher *fetcher)
{
	struct list_node *node;

	while ((node = list_first(&fetcher->fetches))) {
		struct fetch *fetch = CONTAINER_OF(node, struct fetch, node);

		if (!fetch->is_delivering)
			settle(fetch, CURLE_ABORTED_BY_CALLBACK, "stopping");
		tell(fetch);
		if (!fetch->is_delivering)
			fetch_destroy(fetch); /* else deliver() will */
	}
}

void fetcher_destroy(struct fetcher *fetcher)
{
	if (!fetcher)
		return;
	fetcher->is_closing = true;
	tell_all(fetcher);
	multi_destroy(fetcher->multi);
	mem_free(fetcher->ca_file);
	mem_free(fetcher->unix_socket);
	mem_free(fetcher->user_agent);
	loop_free_later(fetcher->loop, fetcher);
}
