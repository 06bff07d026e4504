#include "tests/bench/dialect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "tests/bench/rounds.h"

#define HEAD_MAX  4096
#define TIMEOUT_S 30
#define TOPIC     "t"

int dialect_connect(unsigned port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
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

void dialect_send(int fd, const void *bytes, size_t len)
{
	for (const char *at = bytes; len > 0;) {
		ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);

		if (sent < 0 && errno != EINTR)
			rounds_fail("send: %s", strerror(errno));
		at += sent > 0 ? sent : 0;
		len -= sent > 0 ? (size_t)sent : 0;
	}
}

/* Up to and with this end, and not a byte more. */
static void receive_until(int fd, const char *end, char text[HEAD_MAX])
{
	size_t len = 0;

	text[0] = '\0';
	while (!strstr(text, end)) {
		if (len + 1 == HEAD_MAX || recv(fd, text + len, 1, 0) != 1)
			rounds_fail("no whole answer to a subscriber: %s", text);
		text[++len] = '\0';
	}
}

static void receive_exactly(int fd, void *to, size_t len)
{
	if (recv(fd, to, len, MSG_WAITALL) != (ssize_t)len)
		rounds_fail("no whole answer to a subscriber");
}

/* ---- WebSocket --------------------------------------------------------------------------- */

/* The mask is 0, which leaves the text as it is. */
static size_t websocket_publish(char *to, const char *text, size_t len)
{
	unsigned char *head = (unsigned char *)to;
	size_t head_len = len < 126 ? 6 : 8;

	memset(head, 0, head_len);
	head[0] = 0x81;
	head[1] = (unsigned char)(0x80 | (len < 126 ? len : 126));
	if (len >= 126) {
		head[2] = (unsigned char)(len >> 8);
		head[3] = (unsigned char)len;
	}
	memcpy(to + head_len, text, len);
	return head_len + len;
}

static unsigned port_of(int fd)
{
	struct sockaddr_in address;
	socklen_t len = sizeof(address);

	if (getpeername(fd, (struct sockaddr *)&address, &len) != 0)
		rounds_fail("getpeername: %s", strerror(errno));
	return ntohs(address.sin_port);
}

static void websocket_open(int fd, const char *path, const char *token)
{
	char text[HEAD_MAX];
	int len = snprintf(text, sizeof(text),
			   "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: Upgrade\r\n"
			   "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
			   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s%s%s\r\n",
			   path, port_of(fd), token ? "Authorization: Bearer " : "",
			   token ? token : "", token ? "\r\n" : "");

	dialect_send(fd, text, (size_t)len);
	receive_until(fd, "\r\n\r\n", text);
	if (strncmp(text, "HTTP/1.1 101 ", 13) != 0)
		rounds_fail("no WebSocket: %s", text);
}

static void websocket_join(int fd, unsigned number, const char *topic)
{
	(void)number, (void)topic;
	websocket_open(fd, "/", NULL);
}

/* Pings of the servers measured here are empty. */
void dialect_pong(int fd)
{
	dialect_send(fd, "\x8a\x80\0\0\0\0", 6);
}

static size_t websocket_next(const char *bytes, size_t len, struct dialect_message *message)
{
	const unsigned char *head = (const unsigned char *)bytes;
	size_t head_len, size;

	if (len < 2 || (len < 4 && head[1] > 0))
		return 0;
	message->is_ping = head[0] == 0x89;
	if (head[1] >= 127)
		rounds_fail("a frame that is masked or larger than 64 KiB");
	head_len = head[1] < 126 ? 2 : 4;
	size = head[1] < 126 ? head[1] : ((size_t)head[2] << 8 | head[3]);
	message->payload = (head[0] & 0x0f) == 1 ? bytes + head_len : NULL;
	message->len = size;
	return head_len + size <= len ? head_len + size : 0;
}

/* ---- the daemon's stream ----------------------------------------------------------------- */

static void stream_join(int fd, unsigned number, const char *topic)
{
	const char *after = getenv("CROWD_AFTER"); /* {"epoch":...,"seq":...}, to resume */
	char text[HEAD_MAX], frame[HEAD_MAX + DIALECT_AROUND_MAX];
	int len = snprintf(text, sizeof(text), "{\"op\":\"subscribe\",\"ch\":\"%s\"%s%s}", topic,
			   after ? ",\"after\":" : "", after ? after : "");

	(void)number;
	websocket_open(fd, "/v1/stream", getenv("DELTAGATE_TOKEN"));
	dialect_send(fd, frame, websocket_publish(frame, text, (size_t)len));
}

/* ---- without a protocol ------------------------------------------------------------------ */

/* A byte says that it is among the subscribers. */
static void plain_join(int fd, unsigned number, const char *topic)
{
	char byte;

	(void)number, (void)topic;
	receive_exactly(fd, &byte, 1);
}

static size_t plain_publish(char *to, const char *text, size_t len)
{
	memcpy(to, text, len);
	to[len] = '\n';
	return len + 1;
}

/* ---- MQTT -------------------------------------------------------------------------------- */

static void mqtt_join(int fd, unsigned number, const char *topic)
{
	static const char subscribe[] = "\x82\x06\0\1\0\1" TOPIC "\0";
	char connect[64], answer[9];
	int name_len = snprintf(connect + 14, sizeof(connect) - 14, "crowd-%u", number);

	(void)topic;
	memcpy(connect, "\x10\0\0\4MQTT\4\2\0\0\0", 13);
	connect[1] = (char)(12 + name_len);
	connect[13] = (char)name_len;
	dialect_send(fd, connect, 14 + (size_t)name_len);
	dialect_send(fd, subscribe, sizeof(subscribe) - 1);
	receive_exactly(fd, answer, sizeof(answer)); /* CONNACK and SUBACK */
	if (memcmp(answer, "\x20\2\0\0\x90\3\0\1\0", sizeof(answer)) != 0)
		rounds_fail("the broker takes no subscriber");
}

static size_t mqtt_publish(char *to, const char *text, size_t len)
{
	size_t rest = 2 + strlen(TOPIC) + len, at = 1;

	to[0] = 0x30;
	for (; rest >= 128; rest >>= 7)
		to[at++] = (char)(rest | 0x80);
	to[at++] = (char)rest;
	memcpy(to + at, "\0\1" TOPIC, 3);
	memcpy(to + at + 3, text, len);
	return at + 3 + len;
}

static size_t mqtt_next(const char *bytes, size_t len, struct dialect_message *message)
{
	size_t rest = 0, at = 1;

	for (unsigned shift = 0;; shift += 7, at++) {
		if (at >= len)
			return 0;
		rest |= (size_t)(bytes[at] & 0x7f) << shift;
		if (!(bytes[at] & 0x80))
			break;
	}
	at++;
	message->is_ping = false;
	message->payload = (bytes[0] & 0xf0) == 0x30 ? bytes + at + 2 + strlen(TOPIC) : NULL;
	message->len = rest - 2 - strlen(TOPIC);
	return at + rest <= len ? at + rest : 0;
}

/* ---- NATS -------------------------------------------------------------------------------- */

static void nats_join(int fd, unsigned number, const char *topic)
{
	static const char hello[] = "CONNECT {\"verbose\":false}\r\nSUB " TOPIC " 1\r\nPING\r\n";
	static const char publisher[] = "CONNECT {\"verbose\":false}\r\nPING\r\n";
	char text[HEAD_MAX];

	receive_until(fd, "\r\n", text); /* INFO */
	if (topic)
		dialect_send(fd, hello, sizeof(hello) - 1);
	else
		dialect_send(fd, publisher, sizeof(publisher) - 1);
	(void)number;
	receive_until(fd, "PONG\r\n", text);
}

static size_t nats_publish(char *to, const char *text, size_t len)
{
	int head_len = sprintf(to, "PUB " TOPIC " %zu\r\n", len);

	memcpy(to + head_len, text, len);
	memcpy(to + head_len + len, "\r\n", 2);
	return (size_t)head_len + len + 2;
}

static size_t nats_next(const char *bytes, size_t len, struct dialect_message *message)
{
	const char *end = memmem(bytes, len, "\r\n", 2);
	size_t head_len, size;

	if (!end)
		return 0;
	head_len = (size_t)(end + 2 - bytes);
	message->is_ping = false;
	message->payload = NULL;
	if (strncmp(bytes, "MSG ", 4) != 0)
		return head_len;
	while (end[-1] != ' ')
		end--;
	size = strtoul(end, NULL, 10);
	message->payload = bytes + head_len;
	message->len = size;
	return head_len + size + 2 <= len ? head_len + size + 2 : 0;
}

static const struct dialect dialects[] = {
	{ "plain", false, plain_join, websocket_next, plain_publish },
	{ "websocket", false, websocket_join, websocket_next, websocket_publish },
	{ "stream", false, stream_join, websocket_next, websocket_publish },
	{ "mqtt", true, mqtt_join, mqtt_next, mqtt_publish },
	{ "nats", true, nats_join, nats_next, nats_publish },
};

const struct dialect *dialect_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(dialects); i++)
		if (strcmp(dialects[i].name, name) == 0)
			return &dialects[i];
	rounds_fail("no server is called %s", name);
}
