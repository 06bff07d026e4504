/* Any bytes on a fresh connection: answered or closed, and what reaches the handler is sound. A
 * head that the front door would let in is never answered by the library itself. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/http_screen.h"
#include "net/httpd.h"
#include "net/loop.h"

#define BODY_MAX    1000
#define PATIENCE_MS 2 /* with half a request */
#define REPLY_ROOM  4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct loop *loop;
static struct httpd *httpd;
static int client;
static bool is_let_in; /* all that is sent is one head */

static bool check_pair(void *arg, const char *name, const char *value)
{
	(void)arg;
	assert(strlen(name) + strlen(value) < 65536);
	return true;
}

static void check_header(void *arg, const char *name, const char *value)
{
	const struct http_request *request = arg;

	assert(name[0] && value);
	assert(http_header_count(request, name) > 0 && http_header(request, name));
}

static void handle(void *arg, struct http_request *request)
{
	char value[16];

	(void)arg;
	assert(http_path(request)[0] == '/');
	assert(http_body_len(request) <= BODY_MAX);
	assert(http_header_count(request, "Content-Length") +
		       http_header_count(request, "Transfer-Encoding") <=
	       1);
	http_each_header(request, check_header, request);
	if (http_query_each(request, check_pair, NULL))
		(void)http_query_get(request, "a", value, sizeof(value));
	http_reply(request, 200, "text/plain", http_path(request), strlen(http_path(request)));
}

/* A page that does not say what it is. */
static bool is_of_library(const char *reply, size_t len)
{
	return memmem(reply, len, "<html>", 6) && !memmem(reply, len, "Content-Type: ", 14);
}

static void on_reply(void *arg, unsigned events)
{
	char reply[REPLY_ROOM];
	ssize_t len = recv(client, reply, sizeof(reply), MSG_DONTWAIT);

	(void)arg, (void)events;
	if (len <= 0)
		loop_stop(loop);
	else
		assert(!is_let_in || !is_of_library(reply, (size_t)len));
}

/* More bytes never change a verdict. */
static void screen(const char *bytes, size_t len)
{
	int verdict = http_screen(bytes, len);
	int before = len > 0 ? http_screen(bytes, len - 1) : HTTP_SCREEN_MORE;

	assert(before == HTTP_SCREEN_MORE || before == verdict);
	is_let_in = verdict == HTTP_SCREEN_FINE && before == HTTP_SCREEN_MORE;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct httpd_config config = { .body_max = BODY_MAX,
					     .connections_max = 10,
					     .head_timeout_ms = PATIENCE_MS,
					     .idle_timeout_ms = PATIENCE_MS,
					     .body_timeout_ms = PATIENCE_MS,
					     .handle = handle };
	struct err err;

	(void)argc, (void)argv;
	loop = loop_create();
	assert(httpd_create(loop, &config, &httpd, &err));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct http_peer peer = { .is_unix = true, .address = "unix" };
	struct watch *watch;
	int ends[2];

	screen((const char *)data, size);
	assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
	client = ends[0];
	send(client, data, size, MSG_NOSIGNAL);
	shutdown(client, SHUT_WR);
	httpd_take_socket(httpd, ends[1], &peer);
	watch = watch_create(loop, client, on_reply, NULL);
	watch_set(watch, WATCH_READ);
	loop_run(loop);
	watch_destroy(watch);
	close(client);
	return 0;
}
