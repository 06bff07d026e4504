/* net_test.h - what the tests of net/ share: a loop with a blocking peer beside it.
 *
 * The code under test runs on the test's own thread, in loop_run(). The peer is a thread with
 * ordinary blocking sockets that follows a script and records what it saw; the test looks at the
 * record afterwards, since cmocka's assertions are for its own thread only. */
#ifndef NET_NET_TEST_H
#define NET_NET_TEST_H
#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/loop.h"

#define PATIENCE_S 10 /* no test waits so long unless it is broken */

struct beside {
	struct loop *loop;
	struct wake *wake;
	void (*script)(void *arg);
	void *arg;
};

static inline void *beside_main(void *arg)
{
	struct beside *beside = arg;

	beside->script(beside->arg);
	wake_send(beside->wake);
	return NULL;
}

static inline void beside_over(void *arg)
{
	loop_stop(arg);
}

/* Runs the loop until script(arg), on a thread of its own, has returned. */
static inline void run_beside(struct loop *loop, void (*script)(void *arg), void *arg)
{
	struct beside beside = { .loop = loop, .script = script, .arg = arg };
	pthread_t thread;

	beside.wake = wake_create(loop, beside_over, loop);
	assert(pthread_create(&thread, NULL, beside_main, &beside) == 0);
	loop_run(loop);
	pthread_join(thread, NULL);
	wake_destroy(beside.wake);
}

static inline void be_patient(int fd)
{
	const struct timeval limit = { .tv_sec = PATIENCE_S };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

/* Listens on a free loopback port. */
static inline int listen_somewhere(int *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	assert(listen(fd, 16) == 0);
	assert(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
	be_patient(fd);
	*port = ntohs(address.sin_port);
	return fd;
}

static inline int connect_tcp(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				       .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	be_patient(fd);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static inline int connect_unix(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	be_patient(fd);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static inline void send_bytes(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;
	ssize_t sent;

	for (; len > 0; at += sent, len -= (size_t)sent)
		if ((sent = send(fd, at, len, MSG_NOSIGNAL)) <= 0)
			return;
}

static inline void send_text(int fd, const char *text)
{
	send_bytes(fd, text, strlen(text));
}

/* Reads until text has come, the other side has closed, or room is full; what came, terminated. */
static inline size_t read_until(int fd, const char *text, char *to, size_t room)
{
	size_t len = 0;
	ssize_t got;

	to[0] = '\0';
	while (len + 1 < room && !(text && strstr(to, text))) {
		got = recv(fd, to + len, room - len - 1, 0);
		if (got <= 0)
			break;
		len += (size_t)got;
		to[len] = '\0';
	}
	return len;
}

static inline size_t read_to_end(int fd, char *to, size_t room)
{
	return read_until(fd, NULL, to, room);
}

static inline size_t count_of(const char *text, const char *part)
{
	size_t count = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		count++;
	return count;
}
#endif
