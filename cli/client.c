#include "cli/client.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/version.h"
#include "net/loop.h"

#define CONNECT_TIMEOUT_MS 5000
#define ANSWER_MAX         (64 * 1024 * 1024)
#define TOKEN_MAX          256
#define URL_MAX            1024
#define HEADER_MAX         8192
#define HEADERS_MAX        4

struct call;

struct client {
	struct loop *loop;
	struct fetcher *fetcher;
	char *socket;                 /* NULL: over the URL */
	char *url;                    /* without a slash at its end */
	struct secret *authorization; /* "Bearer dg_..."; NULL: none */
	struct signal_watch *interrupt, *terminate;
	bool holds_signals; /* those two are there between calls, too */
	int signum;         /* the last that came; 0: none did */
	struct call *call;  /* NULL between calls */
};

/* One call on its way. */
struct call {
	struct client *client;
	const struct client_request *request;
	struct fetch *fetch; /* NULL once it is over */
	struct answer *answer;
	struct err *err;
};

/* ---- signals ----------------------------------------------------------------------------- */

static void end_call(struct client *client)
{
	struct call *call = client->call;

	if (!call || !call->fetch)
		return;
	fetch_cancel(call->fetch);
	call->fetch = NULL;
	call->answer->signum = client->signum;
	err_set(call->err, ERR_UNREACHABLE, "interrupted while waiting for the answer");
}

static void on_signal(void *arg, int signum)
{
	struct client *client = arg;

	client->signum = signum;
	end_call(client);
	loop_stop(client->loop);
}

static void watch_signals(struct client *client)
{
	if (client->interrupt)
		return;
	client->signum = 0;
	client->interrupt = signal_create(client->loop, SIGINT, on_signal, client);
	client->terminate = signal_create(client->loop, SIGTERM, on_signal, client);
}

static void unwatch_signals(struct client *client)
{
	signal_destroy(client->interrupt);
	signal_destroy(client->terminate);
	client->interrupt = client->terminate = NULL;
}

void client_hold_signals(struct client *client)
{
	watch_signals(client);
	client->holds_signals = true;
}

/* ---- what a call needs ------------------------------------------------------------------- */

static bool read_token(const char *path, struct secret **authorization, struct err *err)
{
	static const char scheme[] = "Bearer ";
	struct secret *token;
	uint8_t *text;

	if (!secret_read_file(path, TOKEN_MAX, &token, err))
		return false;
	*authorization = secret_create(strlen(scheme) + secret_len(token));
	text = secret_open(*authorization);
	memcpy(text, scheme, strlen(scheme));
	memcpy(text + strlen(scheme), secret_open(token), secret_len(token));
	secret_close(token);
	secret_close(*authorization);
	secret_destroy(token);
	return true;
}

static bool check_url(const char *url, struct err *err)
{
	if (strlen(url) > URL_MAX || strpbrk(url, "?#"))
		return err_set(err, ERR_USAGE,
			       "--url takes only https://host:port, or http:// "
			       "for this host itself");
	return fetch_url_check(url, err) || err_prefix(err, "--url");
}

static char *without_slash(const char *url)
{
	size_t len = strlen(url);

	while (len > 0 && url[len - 1] == '/')
		len--;
	return mem_strndup(url, len);
}

bool client_create(const struct client_config *config, struct client **result, struct err *err)
{
	struct client *client = mem_alloc(sizeof(*client));
	struct fetcher_config settings = {
		.unix_socket = config->url ? NULL : config->socket,
		.connect_timeout_ms = CONNECT_TIMEOUT_MS,
		.user_agent = "deltagate/" DELTAGATE_VERSION,
	};
	bool is_fine = false;

	client->loop = loop_create();
	if (config->url && !check_url(config->url, err))
		goto out;
	if (config->token_file && !read_token(config->token_file, &client->authorization, err))
		goto out;
	if (!fetcher_create(client->loop, &settings, &client->fetcher, err))
		goto out;
	client->socket = mem_strdup(settings.unix_socket);
	client->url = without_slash(config->url ? config->url : "http://localhost");
	*result = client;
	client = NULL;
	is_fine = true;
out:
	client_destroy(client);
	return is_fine;
}

void client_destroy(struct client *client)
{
	if (!client)
		return;
	fetcher_destroy(client->fetcher);
	unwatch_signals(client);
	loop_destroy(client->loop);
	secret_destroy(client->authorization);
	mem_free(client->socket);
	mem_free(client->url);
	mem_free(client);
}

/* ---- why nobody answers ------------------------------------------------------------------ */

/* libcurl does not tell one reason from the other, and they need different cures. */
static int try_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, problem = 0;

	if (!STR_SET(address.sun_path, path))
		return ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		problem = errno;
	close(fd);
	return problem;
}

static const char *cure_for(int problem)
{
	switch (problem) {
	case ENOENT:
	case ENOTDIR:
	case ECONNREFUSED:
		return "is deltagated running, and with this --data-dir?";
	case EACCES:
		return "run this as the daemon's user, or use --url and --token-file";
	case ENAMETOOLONG:
		return "a socket's path has 107 bytes at most";
	default:
		return "the daemon does not take the connection";
	}
}

static void explain(const struct client *client, struct err *err)
{
	int problem;

	if (!client->socket)
		return;
	problem = try_socket(client->socket);
	/* The path last: it may be long, and cut. */
	err_set(err, ERR_UNREACHABLE, "no daemon answers: %s; %s (%s)",
		problem ? strerror(problem) : "no connection", cure_for(problem), client->socket);
}

/* ---- the call ---------------------------------------------------------------------------- */

static void on_answer(void *arg, const struct fetch_result *result)
{
	struct call *call = arg;
	struct answer *answer = call->answer;

	call->fetch = NULL;
	answer->outcome = result->outcome;
	answer->retry_after_ms = result->retry_after_ms;
	if (result->outcome == FETCH_ANSWERED) {
		answer->status = result->status;
		answer->body = mem_strndup(result->body, result->body_len);
		answer->body_len = result->body_len;
		answer->json =
			json_loadb(result->body, result->body_len, JSON_REJECT_DUPLICATES, NULL);
	} else {
		*call->err = result->err;
	}
	loop_stop(call->client->loop);
}

static bool on_piece(void *arg, const char *bytes, size_t len)
{
	const struct call *call = arg;

	return call->request->piece(call->request->piece_arg, bytes, len);
}

static const char *header_of(char room[HEADER_MAX], const char *name, const char *value)
{
	snprintf(room, HEADER_MAX, "%s: %s", name, value);
	return room;
}

static void start(struct call *call)
{
	const struct client_request *request = call->request;
	struct client *client = call->client;
	const char *headers[HEADERS_MAX] = { NULL };
	char prefer[HEADER_MAX], position[HEADER_MAX];
	struct buf url;
	struct fetch_request wanted = {
		.method = request->method,
		.headers = headers,
		.secret_header_name = client->authorization ? "Authorization" : NULL,
		.secret_header = client->authorization,
		.body = request->body,
		.body_len = request->body ? strlen(request->body) : 0,
		.timeout_ms = request->timeout_ms,
		.answer_max = ANSWER_MAX,
		.piece = request->piece ? on_piece : NULL,
	};
	size_t count = 0;

	buf_init(&url, strlen(client->url) + strlen(request->target));
	buf_add_str(&url, client->url);
	buf_add_str(&url, request->target);
	wanted.url = buf_str(&url);
	if (request->secret_body) {
		wanted.body = (const char *)secret_open(request->secret_body);
		wanted.body_len = secret_len(request->secret_body);
	}
	if (wanted.body)
		headers[count++] = "Content-Type: application/json";
	if (request->prefer)
		headers[count++] = header_of(prefer, "Prefer", request->prefer);
	if (request->last_event_id)
		headers[count++] = header_of(position, "Last-Event-ID", request->last_event_id);
	call->fetch = fetch_start(client->fetcher, &wanted, on_answer, call);
	if (request->secret_body)
		secret_close(request->secret_body);
	buf_fini(&url);
}

bool client_call(struct client *client, const struct client_request *request, struct answer *answer,
		 struct err *err)
{
	struct call call = { .client = client, .request = request, .answer = answer, .err = err };

	*answer = (struct answer){ .outcome = FETCH_LOST, .retry_after_ms = -1 };
	watch_signals(client);
	client->call = &call;
	start(&call);
	if (client->signum)
		end_call(client);
	else
		loop_run(client->loop);
	client->call = NULL;
	if (!client->holds_signals)
		unwatch_signals(client);
	if (answer->outcome == FETCH_NOT_SENT)
		explain(client, err);
	return answer->outcome == FETCH_ANSWERED;
}

void client_set_silence(struct client *client, int64_t silence_ms)
{
	fetch_set_silence(client->call->fetch, silence_ms);
}

static void on_paused(void *arg)
{
	loop_stop(arg);
}

int client_pause(struct client *client, int64_t ms)
{
	struct timer *timer = loop_timer_create(client->loop, on_paused, client->loop);

	timer_start(timer, ms);
	if (!client->signum)
		loop_run(client->loop);
	timer_destroy(timer);
	return client->signum;
}

void answer_fini(struct answer *answer)
{
	if (answer->body)
		secret_wipe(answer->body, answer->body_len);
	mem_free(answer->body);
	json_decref(answer->json);
	*answer = (struct answer){ .outcome = FETCH_NOT_SENT };
}
