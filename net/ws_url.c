#include "net/ws_url.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define PORT_WS  80
#define PORT_WSS 443

static bool starts_with(const char **text, const char *start)
{
	size_t len = strlen(start);

	if (strncmp(*text, start, len) != 0)
		return false;
	*text += len;
	return true;
}

static bool is_host_char(char c, bool is_bracketed)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || (is_bracketed ? c == ':' : c == '-' || c == '_');
}

static bool read_host(const char **text, struct ws_url *url)
{
	bool is_bracketed = starts_with(text, "[");
	unsigned char number[sizeof(struct in6_addr)];
	size_t len = 0;

	while (is_host_char((*text)[len], is_bracketed))
		len++;
	if (len == 0 || len >= sizeof(url->host))
		return false;
	memcpy(url->host, *text, len);
	url->host[len] = '\0';
	*text += len;
	if (is_bracketed) {
		url->is_number = true;
		return inet_pton(AF_INET6, url->host, number) == 1 && starts_with(text, "]");
	}
	url->is_number = inet_pton(AF_INET, url->host, number) == 1;
	return true;
}

static bool read_port(const char **text, struct ws_url *url)
{
	int port = 0;

	url->port = url->is_secure ? PORT_WSS : PORT_WS;
	if (!starts_with(text, ":"))
		return true;
	for (; **text >= '0' && **text <= '9' && port <= 65535; (*text)++)
		port = 10 * port + **text - '0';
	url->port = port;
	return port > 0 && port <= 65535;
}

static void print_authority(struct ws_url *url)
{
	bool is_v6 = strchr(url->host, ':') != NULL;
	int len =
		snprintf(url->authority, sizeof(url->authority), is_v6 ? "[%s]" : "%s", url->host);

	if (url->port != (url->is_secure ? PORT_WSS : PORT_WS))
		snprintf(url->authority + len, sizeof(url->authority) - (size_t)len, ":%d",
			 url->port);
}

bool ws_url_parse(const char *text, struct ws_url *url, struct err *err)
{
	*url = (struct ws_url){ 0 };
	url->is_secure = starts_with(&text, "wss://");
	if (!url->is_secure && !starts_with(&text, "ws://"))
		return err_set(err, ERR_CONFIG,
			       "the address of a WebSocket begins with wss:// or ws://");
	if (!read_host(&text, url))
		return err_set(err, ERR_CONFIG, "no usable host in the address of a WebSocket");
	if (!read_port(&text, url))
		return err_set(err, ERR_CONFIG, "no usable port in the address of a WebSocket");
	starts_with(&text, "/");
	if (*text)
		return err_set(err, ERR_CONFIG,
			       "the address of a WebSocket ends after its host and port");
	print_authority(url);
	return true;
}
