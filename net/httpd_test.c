#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/httpd.h"

#include <time.h>

#include "base/mem.h"
#include "net/net_test.h"

#define SEEN_MAX   65536
#define BODY_MAX   1000
#define EVENTS_MAX 64

/* A server with one connection, whose other end is in the hands of a script. */
struct rig {
	struct loop *loop;
	struct httpd *httpd;
	int client;
	const char *send; /* for the simple script */
	char seen[SEEN_MAX];
	size_t seen_len;
	/* What the handler saw. */
	unsigned handled, refused;
	int refused_status;
	char last_path[256], last_query[256], last_body[BODY_MAX + 1], last_method[16];
	bool replies_later;
	struct timer *later;
	struct http_request *waiting[8];
	size_t waiting_count;
	bool drops, cuts;
};

static void reply_to(struct rig *rig, struct http_request *request)
{
	if (rig->drops)
		http_drop(request);
	else if (rig->cuts)
		http_reply_cut(request, 200, "text/plain", "0123456789", 10, 4);
	else
		http_reply(request, 200, "text/plain", http_path(request),
			   strlen(http_path(request)));
}

static void reply_all(void *arg)
{
	struct rig *rig = arg;

	for (size_t i = 0; i < rig->waiting_count; i++)
		reply_to(rig, rig->waiting[i]);
	rig->waiting_count = 0;
}

static void handle(void *arg, struct http_request *request)
{
	struct rig *rig = arg;

	rig->handled++;
	STR_SET(rig->last_method, http_method(request));
	STR_SET(rig->last_path, http_path(request));
	STR_SET(rig->last_query, http_query(request));
	STR_SET(rig->last_body, http_body(request));
	if (!rig->replies_later) {
		reply_to(rig, request);
		return;
	}
	rig->waiting[rig->waiting_count++] = request;
	timer_start(rig->later, 5);
}

static void refuse(void *arg, struct http_request *request, int status)
{
	struct rig *rig = arg;
	char *text = mem_strdup("refused in our own words");

	rig->refused++;
	rig->refused_status = status;
	http_reply_header(request, "X-Refused", "yes");
	http_reply_take(request, status, "text/plain", text, strlen(text));
}

static int set_up(void **state)
{
	struct rig *rig = mem_alloc(sizeof(*rig));
	struct httpd_config config = { .body_max = BODY_MAX,
				       .connections_max = 10,
				       .head_timeout_ms = 200,
				       .body_timeout_ms = 200,
				       .handle = handle,
				       .refuse = refuse,
				       .arg = rig };
	struct http_peer peer = { .is_unix = true, .uid = 7, .address = "unix" };
	struct err err;
	int ends[2];

	rig->loop = loop_create();
	rig->later = loop_timer_create(rig->loop, reply_all, rig);
	assert_true(httpd_create(rig->loop, &config, &rig->httpd, &err));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	be_patient(ends[0]);
	rig->client = ends[0];
	httpd_take_socket(rig->httpd, ends[1], &peer);
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	httpd_destroy(rig->httpd);
	timer_destroy(rig->later);
	loop_destroy(rig->loop);
	close(rig->client);
	mem_free(rig);
	return 0;
}

/* Sends, says that nothing more will come, and reads to the end. */
static void say_and_listen(void *arg)
{
	struct rig *rig = arg;

	send_text(rig->client, rig->send);
	shutdown(rig->client, SHUT_WR);
	rig->seen_len = read_to_end(rig->client, rig->seen, sizeof(rig->seen));
}

static const char *exchange(struct rig *rig, const char *text)
{
	rig->send = text;
	run_beside(rig->loop, say_and_listen, rig);
	return rig->seen;
}

static void a_get_is_answered_at_once(void **state)
{
	struct rig *rig = *state;
	const char *seen = exchange(rig, "GET /v1/a%20b?x=1&y=%41 HTTP/1.1\r\nHost: h\r\n\r\n");

	assert_non_null(strstr(seen, "HTTP/1.1 200 OK\r\n"));
	assert_non_null(strstr(seen, "\r\n\r\n/v1/a%20b"));
	assert_string_equal(rig->last_query, "x=1&y=%41");
	assert_int_equal(rig->handled, 1);
}

static void a_reply_from_a_timer_wakes_the_connection(void **state)
{
	struct rig *rig = *state;

	rig->replies_later = true;
	assert_non_null(strstr(exchange(rig, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n"), "/later"));
	assert_int_equal(httpd_pending(rig->httpd), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_get_is_answered_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_reply_from_a_timer_wakes_the_connection, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
