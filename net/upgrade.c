#include "net/upgrade.h"

#include <string.h>
#include <strings.h>

#define KEY_LEN 24 /* 16 bytes in base64 */

static const char token_chars[] = "!#$%&'*+-.^_`|~0123456789"
				  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char base64_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "abcdefghijklmnopqrstuvwxyz0123456789+/";

static bool is_token(const char *text)
{
	return *text != '\0' && text[strspn(text, token_chars)] == '\0';
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if (((unsigned char)*text < ' ' && *text != '\t') || *text == 0x7f)
			return true;
	return false;
}

/* Cuts the line that *at starts with; its end must be CR and LF. */
static char *next_line(char **at)
{
	char *line = *at, *end = strchr(line, '\n');

	if (!end || end == line || end[-1] != '\r')
		return NULL;
	end[-1] = '\0';
	*at = end + 1;
	return line;
}

/* "GET /path?query HTTP/1.1", and nothing but visible ASCII in between. */
static bool read_request_line(struct upgrade *upgrade, char *line)
{
	static const char start[] = "GET /", version[] = " HTTP/1.1";
	char *target = line + sizeof(start) - 2, *end, *query;

	if (strncmp(line, start, sizeof(start) - 1) != 0)
		return false;
	end = strchr(target, ' ');
	if (!end || strcmp(end, version) != 0)
		return false;
	*end = '\0';
	for (const char *c = target; *c; c++)
		if (*c <= ' ' || *c >= 0x7f || *c == '#')
			return false;
	query = strchr(target, '?');
	if (query)
		*query++ = '\0';
	upgrade->path = target;
	upgrade->query = query ? query : "";
	return true;
}

static bool read_header(struct upgrade *upgrade, char *line)
{
	char *colon = strchr(line, ':'), *value, *end;

	if (!colon || upgrade->header_count == UPGRADE_HEADERS_MAX)
		return false;
	*colon = '\0';
	value = colon + 1 + strspn(colon + 1, " \t");
	end = value + strlen(value);
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	if (!is_token(line) || has_control(value))
		return false;
	upgrade->headers[upgrade->header_count].name = line;
	upgrade->headers[upgrade->header_count].value = value;
	upgrade->header_count++;
	return true;
}

static bool read_lines(struct upgrade *upgrade)
{
	char *at = upgrade->text, *line = next_line(&at);

	if (!line || !read_request_line(upgrade, line))
		return false;
	while ((line = next_line(&at))) {
		if (*line == '\0')
			return true;
		if (!read_header(upgrade, line))
			return false;
	}
	return false;
}

static const char *only(const struct upgrade *upgrade, const char *name)
{
	return upgrade_header_count(upgrade, name) == 1 ? upgrade_header(upgrade, name) : NULL;
}

/* The last character stands for two bits only; the other four must be 0. */
static bool is_key(const char *key)
{
	return key && strlen(key) == KEY_LEN && strspn(key, base64_chars) == KEY_LEN - 2 &&
	       strcmp(key + KEY_LEN - 2, "==") == 0 && strchr("AQgw", key[KEY_LEN - 3]);
}

static bool is_faultless(const struct upgrade *upgrade)
{
	const char *protocol = only(upgrade, "Upgrade");
	const char *version = only(upgrade, "Sec-WebSocket-Version");

	return protocol && strcasecmp(protocol, "websocket") == 0 && version &&
	       strcmp(version, "13") == 0 && is_key(only(upgrade, "Sec-WebSocket-Key")) &&
	       only(upgrade, "Host") && upgrade_offers(upgrade, "Connection", "upgrade", false) &&
	       !upgrade_header(upgrade, "Content-Length") &&
	       !upgrade_header(upgrade, "Transfer-Encoding");
}

size_t upgrade_read(struct upgrade *upgrade, const char *bytes, size_t len)
{
	const char *end;
	size_t head_len;

	if (len >= sizeof(upgrade->text))
		len = sizeof(upgrade->text) - 1;
	end = memmem(bytes, len, "\r\n\r\n", 4);
	if (!end)
		return 0;
	head_len = (size_t)(end - bytes) + 4;
	if (memchr(bytes, '\0', head_len))
		return 0;
	memcpy(upgrade->text, bytes, head_len);
	upgrade->text[head_len] = '\0';
	upgrade->header_count = 0;
	return read_lines(upgrade) && is_faultless(upgrade) ? head_len : 0;
}

static bool list_has_token(const char *list, const char *token, bool is_case_sensitive)
{
	size_t token_len = strlen(token);

	while (*list) {
		size_t len;

		list += strspn(list, " \t,");
		len = strcspn(list, " \t,");
		if (len == token_len && (is_case_sensitive ? strncmp(list, token, len)
							   : strncasecmp(list, token, len)) == 0)
			return true;
		list += len;
	}
	return false;
}

bool upgrade_offers(const struct upgrade *upgrade, const char *name, const char *token,
		    bool is_case_sensitive)
{
	for (size_t i = 0; i < upgrade->header_count; i++)
		if (strcasecmp(upgrade->headers[i].name, name) == 0 &&
		    list_has_token(upgrade->headers[i].value, token, is_case_sensitive))
			return true;
	return false;
}

const char *upgrade_path(const struct upgrade *upgrade)
{
	return upgrade->path;
}

const char *upgrade_query(const struct upgrade *upgrade)
{
	return upgrade->query;
}

const char *upgrade_header(const struct upgrade *upgrade, const char *name)
{
	for (size_t i = 0; i < upgrade->header_count; i++)
		if (strcasecmp(upgrade->headers[i].name, name) == 0)
			return upgrade->headers[i].value;
	return NULL;
}

size_t upgrade_header_count(const struct upgrade *upgrade, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < upgrade->header_count; i++)
		count += strcasecmp(upgrade->headers[i].name, name) == 0;
	return count;
}

const struct http_peer *upgrade_peer(const struct upgrade *upgrade)
{
	return upgrade->peer;
}
