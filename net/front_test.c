#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/front.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "base/mem.h"
#include "net/httpd.h"
#include "net/net_test.h"
#include "net/ws.h"

#define HEAD_TIMEOUT_MS 150
#define PATIENT_MS      5000
#define UNDECIDED_MAX   4

struct rig {
	struct loop *loop;
	struct httpd *httpd;
	struct front *front;
	struct ws *ws; /* NULL: no upgrades */
	struct hook *hook;
	int port;
	char dir[32], path[64];
	unsigned handled, turns, asked, opened, closed;
	struct http_peer peer;
	char wanted[64]; /* the path, query and origin of an upgrade that somebody wanted */
	/* The script of the other side. */
	int client;
	const char *pieces[8]; /* sent one by one, each after the loop has had time */
	bool hangs_up, was_silent;
	char seen[4096];
	int64_t cpu_ms; /* that the process used meanwhile */
};

static void handle(void *arg, struct http_request *request)
{
	struct rig *rig = arg;

	rig->handled++;
	rig->peer = *http_peer(request);
	if (http_header(request, "Upgrade")) {
		http_reply_header(request, "Connection", "close");
		http_reply(request, 426, "text/plain", "not so", 6);
	} else {
		http_reply(request, 200, "text/plain", "hello", 5);
	}
}

static bool want_streams(void *arg, const struct upgrade *upgrade, void **session)
{
	struct rig *rig = arg;

	rig->asked++;
	if (strcmp(upgrade_path(upgrade), "/stream") != 0)
		return false;
	rig->peer = *upgrade_peer(upgrade);
	snprintf(rig->wanted, sizeof(rig->wanted), "%s %s %s %zu", upgrade_path(upgrade),
		 upgrade_query(upgrade), upgrade_header(upgrade, "origin"),
		 upgrade_header_count(upgrade, "COOKIE"));
	*session = rig;
	return true;
}

static void stream_opened(void *arg, struct ws_peer *peer)
{
	struct rig *rig = arg;

	rig->opened++;
	ws_send_text(peer, "welcome", 7);
	ws_close(peer, 1000, "that was all");
}

static void stream_message(void *arg, struct ws_peer *peer, const char *bytes, size_t len,
			   bool is_text)
{
	(void)arg;
	(void)peer;
	(void)bytes;
	(void)len;
	(void)is_text;
}

static void stream_closed(void *arg, struct ws_peer *peer, const struct ws_end *end)
{
	struct rig *rig = arg;

	(void)peer;
	rig->closed++;
	assert_int_equal(end->code, 1000);
}

static const struct ws_handlers stream_handlers = { .opened = stream_opened,
						    .message = stream_message,
						    .closed = stream_closed };

static void count_turn(void *arg)
{
	struct rig *rig = arg;

	rig->turns++;
}

static void serve_streams(struct rig *rig, struct front_config *config)
{
	const struct ws_config ws_config = { .peers_max = 10 };
	const struct ws_server_config server = { .message_max = 1000,
						 .handshake_ms = PATIENT_MS,
						 .handlers = &stream_handlers };
	struct err err;

	assert_true(ws_create(rig->loop, &ws_config, &rig->ws, &err));
	ws_serve(rig->ws, &server);
	config->upgrade = want_streams;
	config->arg = rig;
	config->ws = rig->ws;
}

static int set_up_with(void **state, int64_t head_timeout_ms, bool has_streams)
{
	struct rig *rig = mem_alloc(sizeof(*rig));
	const struct httpd_config httpd_config = { .body_max = 1000,
						   .connections_max = 100,
						   .head_timeout_ms = head_timeout_ms,
						   .body_timeout_ms = head_timeout_ms,
						   .handle = handle,
						   .arg = rig };
	struct front_config config = { .head_timeout_ms = head_timeout_ms,
				       .undecided_max = UNDECIDED_MAX };
	struct err err;

	STR_SET(rig->dir, "/tmp/front_test.XXXXXX");
	assert_non_null(mkdtemp(rig->dir));
	snprintf(rig->path, sizeof(rig->path), "%s/socket", rig->dir);
	rig->loop = loop_create();
	rig->hook = hook_create(rig->loop, count_turn, rig);
	assert_true(httpd_create(rig->loop, &httpd_config, &rig->httpd, &err));
	if (has_streams)
		serve_streams(rig, &config);
	assert_true(front_create(rig->loop, rig->httpd, &config, &rig->front, &err));
	assert_true(front_listen_tcp(rig->front, "127.0.0.1:0", &err));
	assert_true(front_listen_unix(rig->front, rig->path, &err));
	rig->port = atoi(strchr(front_address(rig->front), ':') + 1);
	rig->client = -1;
	*state = rig;
	return 0;
}

static int set_up(void **state)
{
	return set_up_with(state, PATIENT_MS, false);
}

static int set_up_impatient(void **state)
{
	return set_up_with(state, HEAD_TIMEOUT_MS, false);
}

static int set_up_streams(void **state)
{
	return set_up_with(state, PATIENT_MS, true);
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	front_destroy(rig->front);
	ws_destroy(rig->ws);
	httpd_destroy(rig->httpd);
	hook_destroy(rig->hook);
	loop_destroy(rig->loop);
	if (rig->client >= 0)
		close(rig->client);
	unlink(rig->path);
	assert_int_equal(rmdir(rig->dir), 0);
	mem_free(rig);
	return 0;
}

/* Sends the pieces and reads to the end. */
static void talk(void *arg)
{
	struct rig *rig = arg;
	struct pollfd poll_fd = { .fd = rig->client, .events = POLLIN };

	for (size_t i = 0; i < ARRAY_LEN(rig->pieces) && rig->pieces[i]; i++) {
		if (i > 0)
			poll(&poll_fd, 1, 12);
		send_text(rig->client, rig->pieces[i]);
	}
	if (rig->hangs_up)
		shutdown(rig->client, SHUT_WR);
	read_to_end(rig->client, rig->seen, sizeof(rig->seen));
}

static int64_t cpu_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static const char *talk_over(struct rig *rig, int client)
{
	int64_t start = cpu_now_ms();

	if (rig->client >= 0)
		close(rig->client);
	assert_true(client >= 0);
	rig->client = client;
	rig->turns = 0;
	run_beside(rig->loop, talk, rig);
	rig->cpu_ms = cpu_now_ms() - start;
	return rig->seen;
}

static const char *talk_tcp(struct rig *rig)
{
	return talk_over(rig, connect_tcp(rig->port));
}

static const char *talk_unix(struct rig *rig)
{
	return talk_over(rig, connect_unix(rig->path));
}

#define WHOLE_HEAD "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"

static void requests_come_through_the_port(void **state)
{
	struct rig *rig = *state;

	rig->pieces[0] = WHOLE_HEAD;
	assert_non_null(strstr(talk_tcp(rig), "hello"));
	assert_false(rig->peer.is_unix);
	assert_string_equal(rig->peer.address, "127.0.0.1");
}

static void requests_come_through_the_socket_with_their_user(void **state)
{
	struct rig *rig = *state;

	rig->pieces[0] = WHOLE_HEAD;
	assert_non_null(strstr(talk_unix(rig), "hello"));
	assert_true(rig->peer.is_unix);
	assert_int_equal(rig->peer.uid, getuid());
}

static void a_head_in_pieces_is_put_together_without_spinning(void **state)
{
	struct rig *rig = *state;

	rig->pieces[0] = "GET / HT";
	rig->pieces[1] = "TP/1.1\r\n";
	rig->pieces[2] = "Host: h\r";
	rig->pieces[3] = "\n\r";
	rig->pieces[4] = "\nGET /second HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
	assert_int_equal(count_of(talk_tcp(rig), "hello"), 2);
	assert_in_range(rig->turns, 1, 100);
	assert_int_equal(count_of(talk_unix(rig), "hello"), 2);
	assert_in_range(rig->turns, 1, 100);
}

static void half_a_head_is_closed_at_the_deadline_without_spinning(void **state)
{
	struct rig *rig = *state;
	struct mono start = mono_now();

	rig->pieces[0] = "GET / HTTP/1.1\r\nHost:";
	assert_string_equal(talk_tcp(rig), "");
	assert_in_range(mono_diff_ms(mono_now(), start), HEAD_TIMEOUT_MS, 2000);
	assert_in_range(rig->turns, 1, 60);
	assert_true(rig->cpu_ms < HEAD_TIMEOUT_MS / 2);
	assert_string_equal(talk_unix(rig), "");
	assert_in_range(rig->turns, 1, 60);
}

static void half_a_head_and_no_more_to_come_is_closed_at_once(void **state)
{
	struct rig *rig = *state;
	struct mono start = mono_now();

	rig->hangs_up = true;
	rig->pieces[0] = "GET / HTTP/1.1\r\n";
	assert_string_equal(talk_tcp(rig), "");
	assert_string_equal(talk_unix(rig), "");
	rig->pieces[0] = "";
	assert_string_equal(talk_tcp(rig), "");
	assert_string_equal(talk_unix(rig), "");
	assert_true(mono_diff_ms(mono_now(), start) < PATIENT_MS);
	assert_in_range(rig->turns, 1, 60);
	assert_int_equal(rig->handled, 0);
}

static void silence_is_closed_at_the_deadline(void **state)
{
	struct rig *rig = *state;
	struct mono start = mono_now();

	assert_string_equal(talk_tcp(rig), "");
	assert_in_range(mono_diff_ms(mono_now(), start), HEAD_TIMEOUT_MS, 2000);
}

static void a_client_that_stops_sending_after_its_request_is_answered(void **state)
{
	struct rig *rig = *state;

	rig->hangs_up = true;
	rig->pieces[0] = WHOLE_HEAD;
	assert_non_null(strstr(talk_tcp(rig), "hello"));
	assert_non_null(strstr(talk_unix(rig), "hello"));
}

static const char *refused_to(struct rig *rig, const char *text)
{
	rig->pieces[0] = text;
	return talk_tcp(rig);
}

static void what_is_not_http_is_refused(void **state)
{
	static const char *const cases[] = { "\x16\x03\x01\x02", "rubbish\r\n", "GET /\r\n",
					     "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
					     "GET / HTTP/1.1\r\nrubbish\r\n" };
	struct rig *rig = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_non_null(strstr(refused_to(rig, cases[i]), "\r\n\r\nrefused: 400\n"));
	assert_int_equal(rig->handled, 0);
}

/* All of it is sent before the answer is read: it must not be lost with what nobody reads. */
static void a_head_too_long_is_refused(void **state)
{
	static const size_t lengths[] = { 17000, 60000, 200000, 900000 };
	struct rig *rig = *state;
	char *text = mem_alloc(1000000);

	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		snprintf(text, 1000000, "GET / HTTP/1.1\r\nHost: h\r\nX: %0*d\r\n\r\n",
			 (int)lengths[i], 0);
		assert_non_null(strstr(refused_to(rig, text), "\r\n\r\nrefused: 431\n"));
	}
	snprintf(text, 1000000, "GET /%0*d HTTP/1.1\r\nHost: h\r\n\r\n", 17000, 0);
	assert_non_null(strstr(refused_to(rig, text), "\r\n\r\nrefused: 414\n"));
	assert_int_equal(rig->handled, 0);
	mem_free(text);
}

/* ---- Upgrades ---- */

#define UPGRADE(path, more)                                                     \
	"GET " path " HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n"           \
	"Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" \
	"Origin: http://h\r\n" more "\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"

static void an_upgrade_that_somebody_wants_goes_to_him(void **state)
{
	static const char welcome[] = "\r\n\r\n\x81\x07welcome\x88\x0e\x03\xe8that was all";
	struct rig *rig = *state;

	rig->hangs_up = true;
	rig->pieces[0] = UPGRADE("/stream?a=b", VERSION);
	assert_non_null(strstr(talk_tcp(rig), welcome));
	assert_memory_equal(rig->seen, "HTTP/1.1 101 ", 13);
	assert_string_equal(rig->wanted, "/stream a=b http://h 0");
	assert_string_equal(rig->peer.address, "127.0.0.1");
	assert_non_null(strstr(talk_unix(rig), welcome));
	assert_true(rig->peer.is_unix);
	assert_int_equal(rig->peer.uid, getuid());
	assert_int_equal(rig->opened, 2);
	assert_int_equal(rig->handled, 0);
}

static void an_upgrade_in_pieces_is_put_together(void **state)
{
	struct rig *rig = *state;

	rig->hangs_up = true;
	rig->pieces[0] = "GET /stream HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade";
	rig->pieces[1] = ": websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
	rig->pieces[2] = VERSION "\r";
	rig->pieces[3] = "\n";
	assert_non_null(strstr(talk_tcp(rig), "welcome"));
	assert_in_range(rig->turns, 1, 100);
	assert_int_equal(rig->opened, 1);
}

/* The handler there says what is wrong, in the one format that errors have. */
static void an_upgrade_that_is_doubtful_or_unwanted_is_httpds(void **state)
{
	static const char *const cases[] = {
		UPGRADE("/elsewhere", VERSION),
		UPGRADE("/stream", ""),
		UPGRADE("/stream", "Sec-WebSocket-Version: 8\r\n"),
		UPGRADE("/stream", VERSION "Content-Length: 0\r\n"),
		UPGRADE("/stream", VERSION VERSION),
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_memory_equal(refused_to(rig, cases[i]), "HTTP/1.1 426 ", 13);
	assert_int_equal(rig->handled, ARRAY_LEN(cases));
	assert_int_equal(rig->asked, 1);
	assert_memory_equal(refused_to(rig, UPGRADE("/stream", "rubbish\r\n")), "HTTP/1.1 400 ",
			    13);
	assert_int_equal(rig->opened, 0);
}

static void requests_come_through_beside_streams(void **state)
{
	struct rig *rig = *state;

	rig->pieces[0] = WHOLE_HEAD;
	assert_non_null(strstr(talk_tcp(rig), "hello"));
	assert_non_null(strstr(talk_unix(rig), "hello"));
	assert_int_equal(rig->asked, 0);
}

/* ---- Crowds ---- */

struct crowd {
	struct rig *rig;
	int silent[UNDECIDED_MAX];
};

static void come_too_many(void *arg)
{
	struct crowd *crowd = arg;
	struct rig *rig = crowd->rig;

	for (size_t i = 0; i < UNDECIDED_MAX; i++)
		crowd->silent[i] = connect_tcp(rig->port);
	rig->client = connect_tcp(rig->port);
	read_to_end(rig->client, rig->seen, sizeof(rig->seen));
}

static void more_silent_clients_than_allowed_are_closed_at_once(void **state)
{
	struct rig *rig = *state;
	struct crowd crowd = { .rig = rig };
	struct mono start = mono_now();

	run_beside(rig->loop, come_too_many, &crowd);
	assert_true(mono_diff_ms(mono_now(), start) < PATIENT_MS);
	for (size_t i = 0; i < UNDECIDED_MAX; i++)
		close(crowd.silent[i]);
}

static void find_no_descriptor(void *arg)
{
	struct rig *rig = arg;
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				       .sin_port = htons((uint16_t)rig->port) };
	struct pollfd poll_fd = { .fd = socket(AF_INET, SOCK_STREAM, 0), .events = POLLIN };
	struct rlimit limit, none;

	/* The lowest free one is out of bounds from now on. */
	getrlimit(RLIMIT_NOFILE, &limit);
	none = limit;
	none.rlim_cur = (rlim_t)dup(0);
	close((int)none.rlim_cur);
	setrlimit(RLIMIT_NOFILE, &none);
	assert(connect(poll_fd.fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	send_text(poll_fd.fd, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	rig->was_silent = poll(&poll_fd, 1, 120) == 0;
	setrlimit(RLIMIT_NOFILE, &limit);
	be_patient(poll_fd.fd);
	read_to_end(poll_fd.fd, rig->seen, sizeof(rig->seen));
	close(poll_fd.fd);
}

/* The connection stays in the backlog, where it keeps the socket readable. */
static void out_of_descriptors_the_door_waits_without_spinning(void **state)
{
	struct rig *rig = *state;

	run_beside(rig->loop, find_no_descriptor, rig);
	assert_true(rig->was_silent);
	assert_non_null(strstr(rig->seen, "hello"));
	assert_in_range(rig->turns, 1, 60);
}

/* ---- Listening ---- */

static bool listens_at(struct rig *rig, const char *address, struct err *err)
{
	const struct front_config config = { .head_timeout_ms = 100, .undecided_max = 1 };
	struct front *front;
	bool is_fine;

	assert_true(front_create(rig->loop, rig->httpd, &config, &front, err));
	is_fine = address[0] == '/' ? front_listen_unix(front, address, err)
				    : front_listen_tcp(front, address, err);
	front_destroy(front);
	return is_fine;
}

static void addresses_are_numeric_and_free(void **state)
{
	static const char *const bad[] = {
		"",        ":",           "127.0.0.1",      "127.0.0.1:",
		":8790",   "localhost:0", "127.0.0.1:http", "127.0.0.1:70000",
		"[::1:80", "[]:80",       "300.0.0.1:80",   "[::1]80"
	};
	struct rig *rig = *state;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_false(listens_at(rig, bad[i], &err));
		assert_int_equal(err.code, ERR_CONFIG);
	}
	assert_false(listens_at(rig, front_address(rig->front), &err));
	assert_int_equal(err.code, ERR_IO);
	assert_true(listens_at(rig, "127.0.0.1:0", &err));
}

static void the_socket_file_is_for_its_owner_alone(void **state)
{
	struct rig *rig = *state;
	struct stat file;

	assert_int_equal(lstat(rig->path, &file), 0);
	assert_int_equal(file.st_mode & 07777, 0600);
}

static void a_live_socket_is_not_taken_over(void **state)
{
	struct rig *rig = *state;
	struct err err;

	assert_false(listens_at(rig, rig->path, &err));
	assert_int_equal(err.code, ERR_IO);
	rig->pieces[0] = WHOLE_HEAD;
	assert_non_null(strstr(talk_unix(rig), "hello"));
}

static void a_dead_socket_file_is_replaced_and_removed_at_the_end(void **state)
{
	struct rig *rig = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat file;
	struct err err;
	int fd;

	front_stop_accepting(rig->front);
	assert_int_equal(lstat(rig->path, &file), -1);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", rig->path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	assert_int_equal(lstat(rig->path, &file), 0);
	assert_true(listens_at(rig, rig->path, &err));
	assert_int_equal(lstat(rig->path, &file), -1);
}

static void another_file_in_the_way_is_left_alone(void **state)
{
	struct rig *rig = *state;
	struct err err;
	int fd;

	front_stop_accepting(rig->front);
	fd = open(rig->path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	assert_false(listens_at(rig, rig->path, &err));
	assert_int_equal(err.code, ERR_IO);
	assert_int_equal(access(rig->path, F_OK), 0);
}

static void a_socket_that_replaced_ours_is_not_removed(void **state)
{
	struct rig *rig = *state;
	int fd;

	unlink(rig->path);
	fd = open(rig->path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	front_stop_accepting(rig->front);
	assert_int_equal(access(rig->path, F_OK), 0);
}

static void a_path_too_long_is_refused(void **state)
{
	struct rig *rig = *state;
	char path[200] = "/tmp/";
	struct err err;

	memset(path + 5, 'x', sizeof(path) - 6);
	assert_false(listens_at(rig, path, &err));
	assert_int_equal(err.code, ERR_CONFIG);
}

static void a_stopped_door_refuses_new_connections(void **state)
{
	struct rig *rig = *state;

	front_stop_accepting(rig->front);
	assert_int_equal(connect_tcp(rig->port), -1);
	assert_int_equal(connect_unix(rig->path), -1);
}

#define TEST(name)      cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define WS_TEST(name)   cmocka_unit_test_setup_teardown(name, set_up_streams, tear_down)
#define SLOW_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_impatient, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(requests_come_through_the_port),
		TEST(requests_come_through_the_socket_with_their_user),
		TEST(a_head_in_pieces_is_put_together_without_spinning),
		SLOW_TEST(half_a_head_is_closed_at_the_deadline_without_spinning),
		TEST(half_a_head_and_no_more_to_come_is_closed_at_once),
		SLOW_TEST(silence_is_closed_at_the_deadline),
		TEST(a_client_that_stops_sending_after_its_request_is_answered),
		TEST(what_is_not_http_is_refused),
		TEST(a_head_too_long_is_refused),
		WS_TEST(an_upgrade_that_somebody_wants_goes_to_him),
		WS_TEST(an_upgrade_in_pieces_is_put_together),
		WS_TEST(an_upgrade_that_is_doubtful_or_unwanted_is_httpds),
		WS_TEST(requests_come_through_beside_streams),
		TEST(more_silent_clients_than_allowed_are_closed_at_once),
		TEST(out_of_descriptors_the_door_waits_without_spinning),
		TEST(addresses_are_numeric_and_free),
		TEST(the_socket_file_is_for_its_owner_alone),
		TEST(a_live_socket_is_not_taken_over),
		TEST(a_dead_socket_file_is_replaced_and_removed_at_the_end),
		TEST(another_file_in_the_way_is_left_alone),
		TEST(a_socket_that_replaced_ours_is_not_removed),
		TEST(a_path_too_long_is_refused),
		TEST(a_stopped_door_refuses_new_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
