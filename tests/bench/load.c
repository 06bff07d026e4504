/* load PORT [PATH] - orders through the daemon, one after the other, as an app that does nothing
 * else; or, with a PATH, reads of it, some milliseconds apart, as one that looks now and then.
 *
 * Blocking calls on one kept-alive connection to 127.0.0.1, and no HTTP or JSON library, so that
 * next to nothing of the time measured is this program's. DELTAGATE_TOKEN comes from the
 * environment. Each round is a number of requests; every answer must be a 201, or a 200. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/rounds.h"

#define ANSWER_MAX  16384
#define REQUEST_MAX 1024
#define TIMEOUT_S   30
#define PAUSE_US    4000 /* between reads */

struct load {
	const char *port, *token, *path; /* path: NULL for orders */
	int fd;
};

struct answer {
	char text[ANSWER_MAX + 1];
	size_t len;
};

static int connect_to(const char *port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct timeval patience = { .tv_sec = TIMEOUT_S };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		rounds_fail("connect: %s", strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static void receive_more(int fd, struct answer *answer)
{
	ssize_t got = recv(fd, answer->text + answer->len, ANSWER_MAX - answer->len, 0);

	if (got <= 0)
		rounds_fail("no whole answer: %s", got < 0 ? strerror(errno) : "closed");
	answer->len += (size_t)got;
	answer->text[answer->len] = '\0';
}

/* Where the answer ends, once its head is whole; 0: not yet. */
static size_t answer_len(const struct answer *answer)
{
	static const char name[] = "\r\nContent-Length:";
	const char *end = strstr(answer->text, "\r\n\r\n");
	const char *length = strcasestr(answer->text, name);
	size_t body_len;

	if (!end)
		return 0;
	if (!length || length > end)
		rounds_fail("an answer without a length: %s", answer->text);
	body_len = strtoul(length + strlen(name), NULL, 10);
	if (body_len > ANSWER_MAX - (size_t)(end + 4 - answer->text))
		rounds_fail("an answer of more than %d bytes", ANSWER_MAX);
	return (size_t)(end + 4 - answer->text) + body_len;
}

static void receive(int fd, struct answer *answer)
{
	size_t len = 0;

	answer->len = 0;
	answer->text[0] = '\0';
	while (len == 0 || answer->len < len) {
		if (answer->len == ANSWER_MAX)
			rounds_fail("an answer of more than %d bytes", ANSWER_MAX);
		receive_more(fd, answer);
		len = answer_len(answer);
	}
}

static int print_order(char *request, const struct load *load)
{
	static int64_t number; /* of the order; unique with the process's id */
	char body[REQUEST_MAX / 2];
	int body_len = snprintf(body, sizeof(body),
				"{\"symbol\":\"ADAUSDM\",\"side\":\"buy\",\"type\":\"limit\","
				"\"base_quantity\":\"100\",\"price\":\"0.45\","
				"\"client_order_id\":\"bench-%d-%" PRId64 "\"}",
				(int)getpid(), number++);

	return snprintf(request, REQUEST_MAX,
			"POST /v1/orders HTTP/1.1\r\nHost: 127.0.0.1:%s\r\n"
			"Authorization: Bearer %s\r\nContent-Type: application/json\r\n"
			"Content-Length: %d\r\n\r\n%s",
			load->port, load->token, body_len, body);
}

static int print_read(char *request, const struct load *load)
{
	return snprintf(request, REQUEST_MAX,
			"GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\n"
			"Authorization: Bearer %s\r\n\r\n",
			load->path, load->port, load->token);
}

/* False after the last one. */
static bool ask(const struct load *load, struct samples *samples)
{
	static struct answer answer;
	char request[REQUEST_MAX];
	int len = load->path ? print_read(request, load) : print_order(request, load);
	bool has_more;

	if (len < 0 || len >= REQUEST_MAX)
		rounds_fail("the token is too long");
	samples_start(samples);
	if (send(load->fd, request, (size_t)len, MSG_NOSIGNAL) != len)
		rounds_fail("send: %s", strerror(errno));
	receive(load->fd, &answer);
	has_more = samples_stop(samples);
	if (strncmp(answer.text, load->path ? "HTTP/1.1 200 " : "HTTP/1.1 201 ", 13) != 0)
		rounds_fail("not the answer that was wanted: %s", answer.text);
	return has_more;
}

int main(int argc, char **argv)
{
	struct load load = { .token = getenv("DELTAGATE_TOKEN") };
	struct samples samples = { .ns = NULL };
	int64_t count;

	if (argc < 2 || argc > 3 || !load.token)
		rounds_fail("usage: DELTAGATE_TOKEN=... load PORT [PATH]");
	load.port = argv[1];
	load.path = argc > 2 ? argv[2] : NULL;
	load.fd = connect_to(load.port);
	while (rounds_next(&count, 1)) {
		samples_begin(&samples, count);
		while (ask(&load, &samples))
			if (load.path)
				usleep(PAUSE_US);
		samples_print(&samples);
	}
	samples_fini(&samples);
	close(load.fd);
	return 0;
}
