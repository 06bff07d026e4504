/* plain - the yardstick of fan-outs: send() of a ready-made frame to one socket after the other.
 *
 * No queues, no protocol, no handshake: lines come in, and frames like a WebSocket's go out. A
 * burst is one joined piece of memory, made once. What a full socket does not take of a single
 * frame goes before the next one, which it then misses. crowd.c says what it may be told. Prints
 * its port, and ends when it is killed. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/bench/rounds.h"

#define SOCKETS_MAX 10000
#define LINE_MAX_   65536
#define BURST_MAX   256
#define SEND_BUFFER 131072 /* as net/ws_server.c */

struct reader {
	int fd;
	char *rest;
	size_t rest_len;
};

struct plain {
	int epoll, listener;
	struct reader *readers;
	size_t reader_count;
	char frame[LINE_MAX_ + 4];
	size_t frame_len;
	char *joined;          /* burst times frame */
	unsigned burst, turns; /* turns: to come, of as many messages */
};

static void add(const struct plain *plain, int fd, void *data)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = data };

	if (epoll_ctl(plain->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		rounds_fail("epoll_ctl: %s", strerror(errno));
}

static void listen_here(struct plain *plain)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);

	plain->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(plain->listener, (struct sockaddr *)&address, len) != 0 ||
	    listen(plain->listener, 1024) != 0 ||
	    getsockname(plain->listener, (struct sockaddr *)&address, &len) != 0)
		rounds_fail("listen: %s", strerror(errno));
	add(plain, plain->listener, NULL);
	printf("{\"port\":%d}\n", ntohs(address.sin_port));
	fflush(stdout);
}

static void take_reader(struct plain *plain)
{
	const int on = 1, room = SEND_BUFFER;
	struct reader *reader = &plain->readers[plain->reader_count];

	reader->fd = accept4(plain->listener, NULL, NULL, SOCK_CLOEXEC);
	if (reader->fd < 0 || ++plain->reader_count == SOCKETS_MAX)
		rounds_fail("accept: %s", strerror(errno));
	setsockopt(reader->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(reader->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	add(plain, reader->fd, reader);
	if (send(reader->fd, "+", 1, MSG_NOSIGNAL) != 1)
		rounds_fail("send: %s", strerror(errno));
}

static void give_up(struct reader *reader)
{
	close(reader->fd);
	reader->fd = -1;
	mem_free(reader->rest);
	reader->rest_len = 0;
}

/* How much it takes now. */
static size_t offer(struct reader *reader, const char *bytes, size_t len)
{
	ssize_t sent = send(reader->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent < 0 && errno != EAGAIN)
		give_up(reader);
	return sent > 0 ? (size_t)sent : 0;
}

static void send_single(struct plain *plain, struct reader *reader)
{
	size_t sent;

	if (reader->fd < 0)
		return;
	if (reader->rest_len > 0) {
		sent = offer(reader, reader->rest, reader->rest_len);
		reader->rest_len -= reader->rest_len > 0 ? sent : 0;
		if (reader->rest_len > 0)
			memmove(reader->rest, reader->rest + sent, reader->rest_len);
		return;
	}
	sent = offer(reader, plain->frame, plain->frame_len);
	if (sent == 0 || sent == plain->frame_len)
		return;
	mem_free(reader->rest);
	reader->rest_len = plain->frame_len - sent;
	reader->rest = mem_alloc(reader->rest_len);
	memcpy(reader->rest, plain->frame + sent, reader->rest_len);
}

/* Waits for those that are slower: nothing is lost. */
static void send_burst(struct plain *plain, struct reader *reader)
{
	const char *at = plain->joined;
	size_t left = plain->burst * plain->frame_len;

	while (reader->fd >= 0 && left > 0) {
		ssize_t sent = send(reader->fd, at, left, MSG_NOSIGNAL);

		if (sent < 0) {
			give_up(reader);
			return;
		}
		at += sent;
		left -= (size_t)sent;
	}
}

static void send_to_all(struct plain *plain,
			void (*send_one)(struct plain *plain, struct reader *reader))
{
	for (size_t i = 0; i < plain->reader_count; i++)
		send_one(plain, &plain->readers[i]);
}

static void make_frame(struct plain *plain, const char *text, size_t len)
{
	size_t head_len = len < 126 ? 2 : 4;
	const unsigned char head[4] = { 0x81, (unsigned char)(len < 126 ? len : 126),
					(unsigned char)(len >> 8), (unsigned char)len };

	memcpy(plain->frame, head, head_len);
	memcpy(plain->frame + head_len, text, len);
	plain->frame_len = head_len + len;
}

static void join_frames(struct plain *plain)
{
	mem_free(plain->joined);
	plain->joined = mem_alloc(plain->burst * plain->frame_len + 1);
	for (unsigned i = 0; i < plain->burst; i++)
		memcpy(plain->joined + i * plain->frame_len, plain->frame, plain->frame_len);
}

static void take_line(struct plain *plain, const char *line, size_t len)
{
	char *end;

	if (line[0] != '#') {
		make_frame(plain, line, len);
		send_to_all(plain, send_single);
		return;
	}
	plain->burst = (unsigned)strtoul(line + 1, &end, 10);
	plain->turns = (unsigned)strtoul(end, NULL, 10);
	if (plain->burst > BURST_MAX)
		rounds_fail("bursts have at most %d messages", BURST_MAX);
	join_frames(plain);
}

static void take_lines(struct plain *plain, struct reader *reader)
{
	static char text[LINE_MAX_ + 1];
	static size_t len; /* one of them alone says anything */
	ssize_t got = recv(reader->fd, text + len, LINE_MAX_ - len, MSG_DONTWAIT);
	char *end;

	if (got <= 0) {
		give_up(reader);
		return;
	}
	len += (size_t)got;
	while ((end = memchr(text, '\n', len))) {
		size_t used = (size_t)(end + 1 - text);

		*end = '\0';
		take_line(plain, text, used - 1);
		len -= used;
		memmove(text, end + 1, len);
	}
}

static void serve(struct plain *plain)
{
	struct epoll_event event;

	for (;;) {
		int count = epoll_wait(plain->epoll, &event, 1, plain->turns > 0 ? 0 : -1);

		if (count > 0 && event.data.ptr)
			take_lines(plain, event.data.ptr);
		else if (count > 0)
			take_reader(plain);
		if (plain->turns > 0) {
			plain->turns--;
			send_to_all(plain, send_burst);
		}
	}
}

int main(void)
{
	struct plain plain = { .epoll = epoll_create1(EPOLL_CLOEXEC) };

	plain.readers = mem_array(SOCKETS_MAX, sizeof(*plain.readers));
	listen_here(&plain);
	serve(&plain);
	return 0;
}
