#include "net/multi.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/crash_point.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/secret.h"
#include "net/loop.h"

#define HOST_CONNECTIONS 4 /* unless configured */

struct multi {
	struct loop *loop;
	CURLM *curl;
	struct timer *timer;
	struct list socks;
	void (*finished)(CURL *easy, CURLcode code);
};

/* One of libcurl's sockets. */
struct sock {
	struct list_node node;
	struct multi *multi;
	struct watch *watch;
	curl_socket_t fd;
};

/* ---- Memory ---- */

static void wipe_and_free(void *memory)
{
	if (memory)
		secret_wipe(memory, malloc_usable_size(memory));
	free(memory);
}

static void *wiping_realloc(void *old, size_t size)
{
	size_t old_size = old ? malloc_usable_size(old) : 0;
	void *new = malloc(size);

	if (new &&old) {
		memcpy(new, old, old_size < size ? old_size : size);
		wipe_and_free(old);
	}
	return new;
}

static bool start_curl(struct err *err)
{
	static bool
		is_started; /* the loop thread's; libcurl counts for itself, but not the memory */

	if (!is_started && curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wipe_and_free,
						wiping_realloc, strdup, calloc) != CURLE_OK)
		return err_set(err, ERR_INTERNAL, "libcurl does not start");
	is_started = true;
	return true;
}

/* ---- The loop ---- */

static void collect_finished(struct multi *multi)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(multi->curl, &left))) {
		if (message->msg == CURLMSG_DONE)
			multi->finished(message->easy_handle, message->data.result);
	}
}

static void on_sock_ready(void *arg, unsigned events)
{
	struct sock *sock = arg;
	struct multi *multi = sock->multi; /* the call may take the sock away */
	int ready = (events & WATCH_READ ? CURL_CSELECT_IN : 0) |
		    (events & WATCH_WRITE ? CURL_CSELECT_OUT : 0);
	int running;

	curl_multi_socket_action(multi->curl, sock->fd, ready, &running);
	CRASH_FETCH_LEFT();
	collect_finished(multi);
}

static void on_timer(void *arg)
{
	struct multi *multi = arg;
	int running;

	curl_multi_socket_action(multi->curl, CURL_SOCKET_TIMEOUT, 0, &running);
	CRASH_FETCH_LEFT();
	collect_finished(multi);
}

/* -1 stops; 0 fires from the loop too, never from within this call. */
static int set_timer(CURLM *curl, long wait_ms, void *arg)
{
	struct multi *multi = arg;

	(void)curl;
	if (wait_ms < 0)
		timer_stop(multi->timer);
	else
		timer_start(multi->timer, wait_ms);
	return 0;
}

static void sock_destroy(struct sock *sock)
{
	watch_destroy(sock->watch); /* at once: libcurl closes the descriptor next */
	list_remove(&sock->node);
	loop_free_later(sock->multi->loop, sock);
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *sock_arg)
{
	struct multi *multi = arg;
	struct sock *sock = sock_arg;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (sock)
			sock_destroy(sock);
		return 0;
	}
	if (!sock) {
		sock = mem_alloc(sizeof(*sock));
		sock->multi = multi;
		sock->fd = fd;
		sock->watch = watch_create(multi->loop, fd, on_sock_ready, sock);
		list_push_back(&multi->socks, &sock->node);
		curl_multi_assign(multi->curl, fd, sock);
	}
	watch_set(sock->watch, (what & CURL_POLL_IN ? WATCH_READ : 0) |
				       (what & CURL_POLL_OUT ? WATCH_WRITE : 0));
	return 0;
}

bool multi_add(struct multi *multi, CURL *easy)
{
	return curl_multi_add_handle(multi->curl, easy) == CURLM_OK;
}

void multi_remove(struct multi *multi, CURL *easy)
{
	curl_multi_remove_handle(multi->curl, easy);
}

static CURLM *curl_create(struct multi *multi, long host_connections_max)
{
	CURLM *curl = curl_multi_init();

	if (!curl)
		return NULL;
	curl_multi_setopt(curl, CURLMOPT_SOCKETFUNCTION, set_socket);
	curl_multi_setopt(curl, CURLMOPT_SOCKETDATA, multi);
	curl_multi_setopt(curl, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(curl, CURLMOPT_TIMERDATA, multi);
	curl_multi_setopt(curl, CURLMOPT_MAX_HOST_CONNECTIONS, host_connections_max);
	curl_multi_setopt(curl, CURLMOPT_MAXCONNECTS, host_connections_max);
	return curl;
}

bool multi_create(struct loop *loop, unsigned host_connections_max,
		  void (*finished)(CURL *easy, CURLcode code), struct multi **result,
		  struct err *err)
{
	struct multi *multi;

	if (!start_curl(err))
		return false;
	multi = mem_alloc(sizeof(*multi));
	multi->curl = curl_create(multi, host_connections_max ? (long)host_connections_max
							      : HOST_CONNECTIONS);
	if (!multi->curl) {
		mem_free(multi);
		return err_set(err, ERR_INTERNAL, "libcurl does not start");
	}
	multi->loop = loop;
	multi->finished = finished;
	multi->timer = loop_timer_create(loop, on_timer, multi);
	list_init(&multi->socks);
	*result = multi;
	return true;
}

void multi_destroy(struct multi *multi)
{
	struct list_node *node;

	if (!multi)
		return;
	curl_multi_cleanup(multi->curl);
	while ((node = list_first(&multi->socks)))
		sock_destroy(CONTAINER_OF(node, struct sock, node));
	timer_destroy(multi->timer);
	loop_free_later(multi->loop, multi);
}
