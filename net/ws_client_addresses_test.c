/* Names with several addresses, which no machine's resolver can be relied on to have: this test
 * brings its own resolver, in place of net/resolve.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/resolve.h"

#include "base/mem.h"
#include "net/net_test.h"
#include "net/ws.h"

#define TIMEOUT_MS 900

static const char (*addresses)[RESOLVE_ADDRESS_LEN];
static unsigned address_count;

struct resolve {
	resolve_fn *done;
	void *arg;
};

static void answer(void *arg)
{
	struct resolve *resolve = arg;

	if (resolve->done)
		resolve->done(resolve->arg, NULL, addresses, address_count);
	mem_free(resolve);
}

struct resolve *resolve_start(struct loop *loop, const char *host, resolve_fn *done, void *arg)
{
	struct resolve *resolve = mem_alloc(sizeof(*resolve));

	(void)host;
	resolve->done = done;
	resolve->arg = arg;
	loop_later(loop, answer, resolve);
	return resolve;
}

void resolve_cancel(struct resolve *resolve)
{
	if (resolve)
		resolve->done = NULL;
}

struct rig {
	struct loop *loop;
	struct ws *ws;
	struct timer *limit;
	int port, listener, refused;
	char head[4096];
	struct ws_end end;
	unsigned closed;
};

static void on_closed(void *arg, struct ws_peer *peer, const struct ws_end *end)
{
	struct rig *rig = arg;

	(void)peer;
	rig->end = *end;
	rig->closed++;
	loop_stop(rig->loop);
}

static const struct ws_handlers handlers = { .closed = on_closed };

static void give_up(void *arg)
{
	loop_stop(arg);
}

static int set_up(void **state)
{
	const struct ws_config config = { .peers_max = 10 };
	struct rig *rig = mem_alloc(sizeof(*rig));
	struct err err;

	rig->loop = loop_create();
	rig->limit = loop_timer_create(rig->loop, give_up, rig->loop);
	assert_true(ws_create(rig->loop, &config, &rig->ws, &err));
	rig->listener = listen_somewhere(&rig->port); /* at 127.0.0.1 only */
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	ws_destroy(rig->ws);
	timer_destroy(rig->limit);
	loop_destroy(rig->loop);
	close(rig->listener);
	mem_free(rig);
	return 0;
}

static void refuse_one(void *arg)
{
	struct rig *rig = arg;
	int fd = accept(rig->listener, NULL, NULL);

	be_patient(fd);
	read_until(fd, "\r\n\r\n", rig->head, sizeof(rig->head));
	send_text(fd, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
	read_to_end(fd, rig->head, sizeof(rig->head));
	close(fd);
	rig->refused++;
}

static void start(struct rig *rig, const char (*list)[RESOLVE_ADDRESS_LEN], unsigned count)
{
	char url[64];
	const struct ws_connect_config config = { .url = url,
						  .path = "/",
						  .timeout_ms = TIMEOUT_MS,
						  .message_max = 1000,
						  .handlers = &handlers };

	addresses = list;
	address_count = count;
	snprintf(url, sizeof(url), "ws://many.invalid:%d", rig->port);
	ws_connect(rig->ws, &config, rig);
	timer_start(rig->limit, 20000);
}

static void the_next_address_is_tried_when_one_is_out_of_reach(void **state)
{
	static const char list[][RESOLVE_ADDRESS_LEN] = { "127.0.0.2", "::1", "127.0.0.1" };
	struct rig *rig = *state;

	start(rig, list, ARRAY_LEN(list));
	run_beside(rig->loop, refuse_one, rig);
	if (rig->closed == 0)
		loop_run(rig->loop);
	assert_int_equal(rig->closed, 1);
	assert_int_equal(rig->end.http_status, 503);
}

static void no_other_is_tried_when_one_has_refused(void **state)
{
	static const char list[][RESOLVE_ADDRESS_LEN] = { "127.0.0.1", "127.0.0.1" };
	struct rig *rig = *state;

	start(rig, list, ARRAY_LEN(list));
	run_beside(rig->loop, refuse_one, rig);
	if (rig->closed == 0)
		loop_run(rig->loop);
	assert_int_equal(rig->closed, 1);
	assert_int_equal(rig->refused, 1);
	assert_int_equal(rig->end.http_status, 503);
}

static void when_all_are_out_of_reach_the_last_is_told(void **state)
{
	static const char list[][RESOLVE_ADDRESS_LEN] = { "127.0.0.2", "127.0.0.3" };
	struct rig *rig = *state;

	start(rig, list, ARRAY_LEN(list));
	loop_run(rig->loop);
	assert_int_equal(rig->closed, 1);
	assert_int_equal(rig->end.err.code, ERR_UNREACHABLE);
	assert_non_null(strstr(rig->end.err.text, "127.0.0.3"));
}

/* A queue that is full takes no more connections, and does not say so. */
static int listen_deaf(int port, int fillers[8])
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1),
				       .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 0), 0);
	for (int i = 0; i < 8; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(fillers[i], (struct sockaddr *)&address, sizeof(address));
	}
	return fd;
}

static void an_address_that_does_not_answer_leaves_time_for_the_next(void **state)
{
	static const char list[][RESOLVE_ADDRESS_LEN] = { "127.0.0.2", "127.0.0.1" };
	struct rig *rig = *state;
	int fillers[8], deaf = listen_deaf(rig->port, fillers);
	struct mono began = mono_now();

	start(rig, list, ARRAY_LEN(list));
	run_beside(rig->loop, refuse_one, rig);
	if (rig->closed == 0)
		loop_run(rig->loop);
	assert_int_equal(rig->closed, 1);
	assert_int_equal(rig->end.http_status, 503);
	assert_in_range(mono_diff_ms(mono_now(), began), TIMEOUT_MS / 2, 5000);
	for (int i = 0; i < 8; i++)
		close(fillers[i]);
	close(deaf);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_next_address_is_tried_when_one_is_out_of_reach),
		TEST(no_other_is_tried_when_one_has_refused),
		TEST(when_all_are_out_of_reach_the_last_is_told),
		TEST(an_address_that_does_not_answer_leaves_time_for_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
