#include "server/foreign.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "net/httpd.h"

#define HOST_MAX 256

/* Does a comma-separated list hold text? */
static bool is_listed(const char *list, const char *text)
{
	size_t len = strlen(text);

	while (*list != '\0') {
		size_t item_len;

		list += strspn(list, ", ");
		item_len = strcspn(list, ", ");
		if (item_len == len && len > 0 && strncasecmp(list, text, len) == 0)
			return true;
		list += item_len;
	}
	return false;
}

static bool is_local_host(const char *host, const char *port)
{
	static const char *const names[] = { "127.0.0.1", "localhost", "[::1]" };
	char expected[HOST_MAX];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(expected, sizeof(expected), "%s:%s", names[i], port);
		if (strcasecmp(host, expected) == 0)
			return true;
	}
	return false;
}

/* An allowed name counts with our own port behind it, too. */
static bool is_allowed_host(const char *allowed, const char *host, const char *port)
{
	char name[HOST_MAX];
	size_t len = strlen(host), port_len = strlen(port);

	if (is_listed(allowed, host))
		return true;
	if (len >= sizeof(name) || len <= port_len + 1 ||
	    strcmp(host + len - port_len, port) != 0 || host[len - port_len - 1] != ':')
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)(len - port_len - 1), host);
	return is_listed(allowed, name);
}

bool foreign_check_host(const struct foreign_head *head, const char *address, const char *allowed,
			struct err *err)
{
	const char *port = strrchr(address, ':');

	if (head->peer->is_unix)
		return true;
	if (!head->host || !port || head->host_count != 1)
		return err_set(err, ERR_FOREIGN_HOST, "exactly one Host is needed");
	if (strcasecmp(head->host, address) == 0 || is_local_host(head->host, port + 1) ||
	    is_allowed_host(allowed, head->host, port + 1))
		return true;
	return err_set(err, ERR_FOREIGN_HOST, "this Host is neither ours nor an allowed one");
}

/* Over the Unix socket Host is anything: there it proves nothing. */
static bool is_own_page(const struct foreign_head *head)
{
	static const char scheme[] = "http://";
	size_t len = sizeof(scheme) - 1;

	return !head->peer->is_unix && head->host && head->host_count == 1 &&
	       strncasecmp(head->origin, scheme, len) == 0 &&
	       strcasecmp(head->origin + len, head->host) == 0;
}

bool foreign_check_origin(const struct foreign_head *head, const char *allowed, struct err *err)
{
	if (!head->origin)
		return true;
	if (head->origin_count == 1 && strcmp(head->origin, "null") != 0 &&
	    (is_own_page(head) || is_listed(allowed, head->origin)))
		return true;
	return err_set(err, ERR_FOREIGN_ORIGIN, "pages of this Origin may not call");
}
