#include "server/config_address.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

#define HOST_MAX 255

struct authority {
	char host[HOST_MAX + 1]; /* without the brackets of IPv6 */
	bool is_ipv6;
	bool has_port;
};

static const char name_chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";

static bool is_ipv4_loopback(const char *host)
{
	struct in_addr address;

	return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

static bool is_ipv6_loopback(const char *host)
{
	struct in6_addr address;

	return inet_pton(AF_INET6, host, &address) == 1 && IN6_IS_ADDR_LOOPBACK(&address);
}

static bool is_loopback(const struct authority *from)
{
	return from->is_ipv6 ? is_ipv6_loopback(from->host)
			     : is_ipv4_loopback(from->host) || !strcasecmp(from->host, "localhost");
}

static bool is_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	unsigned port = 0;

	if (digits == 0 || digits > 5 || text[digits])
		return false;
	while (*text)
		port = port * 10 + (unsigned)(*text++ - '0');
	return port <= 65535;
}

static bool is_ipv6(const char *host)
{
	struct in6_addr address;

	return inet_pton(AF_INET6, host, &address) == 1;
}

/* text is host, host:port, [ipv6] or [ipv6]:port. */
static bool split_authority(const char *text, struct authority *parts)
{
	bool is_bracketed = text[0] == '[';
	const char *start = text + is_bracketed;
	size_t len = is_bracketed ? strcspn(start, "]") : strspn(start, name_chars);
	const char *rest = start + len;

	if (len == 0 || len > HOST_MAX || (is_bracketed && *rest++ != ']'))
		return false;
	memcpy(parts->host, start, len);
	parts->host[len] = '\0';
	parts->is_ipv6 = is_bracketed;
	parts->has_port = *rest == ':';
	if (parts->has_port ? !is_port(rest + 1) : *rest != '\0')
		return false;
	return !is_bracketed || is_ipv6(parts->host);
}

/* The authority of what follows "://", up to the path. */
static bool read_authority(const char *text, struct authority *parts, struct err *err)
{
	char *copy = mem_strndup(text, strcspn(text, "/"));
	bool is_valid = false;

	if (strchr(copy, '@'))
		err_set(err, ERR_CONFIG, "must not hold a user or a password");
	else if (!split_authority(copy, parts))
		err_set(err, ERR_CONFIG, "is no URL: the host or port is malformed");
	else
		is_valid = true;
	mem_free(copy);
	return is_valid;
}

static bool check_path(const char *text, struct err *err)
{
	for (const char *c = text; *c; c++)
		if (*c == '?' || *c == '#')
			return err_set(err, ERR_CONFIG, "must not have a query or a fragment");
		else if (*c <= ' ' || *c >= 0x7f || strchr("\\\"<>", *c))
			return err_set(err, ERR_CONFIG, "is no URL: a character is not allowed");
	return true;
}

static const char *after_scheme(const char *text, const char *scheme)
{
	size_t len = strlen(scheme);

	return strncasecmp(text, scheme, len) == 0 && strncmp(text + len, "://", 3) == 0
		       ? text + len + 3
		       : NULL;
}

static char *join_url(const char *scheme, const char *rest, size_t len)
{
	char *url = mem_alloc(strlen(scheme) + 3 + len + 1);

	memcpy(stpcpy(stpcpy(url, scheme), "://"), rest, len); /* the NUL is there already */
	return url;
}

static bool read_url(const char *text, const char *safe, const char *plain, char **url,
		     struct err *err)
{
	const char *rest = after_scheme(text, safe);
	const char *scheme = rest ? safe : plain;
	struct authority parts;
	size_t len;

	if (!rest)
		rest = after_scheme(text, plain);
	if (!rest)
		return err_set(err, ERR_CONFIG, "must start with %s://", safe);
	if (!check_path(rest, err) || !read_authority(rest, &parts, err))
		return false;
	if (scheme == plain && !is_loopback(&parts))
		return err_set(err, ERR_CONFIG,
			       "must be %s://, as %s:// is only for a loopback host", safe, plain);
	len = strlen(rest);
	while (rest[len - 1] == '/') /* a host comes first, so this ends */
		len--;
	*url = join_url(scheme, rest, len);
	return true;
}

bool config_address_rest_url(const char *text, char **url, struct err *err)
{
	return read_url(text, "https", "http", url, err);
}

bool config_address_stream_url(const char *text, char **url, struct err *err)
{
	return read_url(text, "wss", "ws", url, err);
}

bool config_address_listen(const char *text, bool *is_local, struct err *err)
{
	struct authority parts;
	struct in_addr address;

	if (!split_authority(text, &parts) || !parts.has_port ||
	    (!parts.is_ipv6 && inet_pton(AF_INET, parts.host, &address) != 1))
		return err_set(err, ERR_CONFIG,
			       "must be a numeric address and a port, as in 127.0.0.1:8790");
	*is_local = is_ipv4_loopback(parts.host) || is_ipv6_loopback(parts.host);
	return true;
}

static bool check_host(const char *text, struct err *err)
{
	struct authority parts;

	return split_authority(text, &parts) ||
	       err_set(err, ERR_CONFIG, "must be host names, separated by commas without spaces");
}

static bool check_origin(const char *text, struct err *err)
{
	struct authority parts;
	const char *rest = after_scheme(text, "https");

	if (!rest)
		rest = after_scheme(text, "http");
	return (rest && split_authority(rest, &parts)) ||
	       err_set(err, ERR_CONFIG,
		       "must be origins such as https://example.org, separated by commas");
}

static bool check_list(const char *text, bool (*check)(const char *text, struct err *err),
		       struct err *err)
{
	bool is_valid = true;

	while (is_valid && *text) {
		size_t len = strcspn(text, ",");
		char *item = mem_strndup(text, len);

		is_valid = check(item, err);
		mem_free(item);
		text += len;
		if (is_valid && *text == ',' && *++text == '\0')
			is_valid = err_set(err, ERR_CONFIG, "must not end in a comma");
	}
	return is_valid;
}

bool config_address_hosts(const char *text, struct err *err)
{
	return check_list(text, check_host, err);
}

bool config_address_origins(const char *text, struct err *err)
{
	return check_list(text, check_origin, err);
}
