#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "net/httpd.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* One character of from, or -1: a bad escape, or a NUL, which would cut the text short. */
static int decode_char(const char *from, size_t len, bool plus_is_space, size_t *used)
{
	int high, low;

	*used = 1;
	if (from[0] == '+' && plus_is_space)
		return ' ';
	if (from[0] != '%')
		return from[0] == '\0' ? -1 : (unsigned char)from[0];
	if (len < 3)
		return -1;
	high = hex_digit(from[1]);
	low = hex_digit(from[2]);
	*used = 3;
	if (high < 0 || low < 0 || high + low == 0)
		return -1;
	return high * 16 + low;
}

static bool decode(const char *from, size_t len, bool plus_is_space, char *to, size_t room)
{
	size_t used;

	for (size_t at = 0; at < len; at += used) {
		int c = decode_char(from + at, len - at, plus_is_space, &used);

		if (c < 0 || room < 2)
			return false;
		*to++ = (char)c;
		room--;
	}
	if (room == 0)
		return false;
	*to = '\0';
	return true;
}

bool http_percent_decode(const char *from, size_t len, char *to, size_t room)
{
	return decode(from, len, false, to, room);
}

/* The parameter at *at, which moves past it; false at the end. Empty ones ("a=1&&b=2") count. */
struct param {
	const char *name, *value;
	size_t name_len, value_len;
};

static bool next_param(const char **at, struct param *param)
{
	const char *start = *at;
	size_t len = strcspn(start, "&");
	const char *equals = memchr(start, '=', len);

	if (*start == '\0')
		return false;
	param->name = start;
	param->name_len = equals ? (size_t)(equals - start) : len;
	param->value = equals ? equals + 1 : start + len;
	param->value_len = len - (size_t)(param->value - start);
	*at = start + len + (start[len] == '&');
	return true;
}

bool http_query_get(const struct http_request *request, const char *name, char *value, size_t room)
{
	const char *at = http_query(request);
	char decoded[64]; /* a longer one is none that we know */
	struct param param;

	while (next_param(&at, &param))
		if (decode(param.name, param.name_len, true, decoded, sizeof(decoded)) &&
		    strcmp(decoded, name) == 0)
			return decode(param.value, param.value_len, true, value, room);
	return false;
}

bool http_query_each(const struct http_request *request,
		     bool (*fn)(void *arg, const char *name, const char *value), void *arg)
{
	const char *at = http_query(request);
	size_t room = strlen(at) + 1;
	char *name = mem_alloc(room);
	char *value = mem_alloc(room);
	struct param param;
	bool is_fine = true;

	while (is_fine && next_param(&at, &param))
		is_fine = decode(param.name, param.name_len, true, name, room) &&
			  decode(param.value, param.value_len, true, value, room) &&
			  fn(arg, name, value);
	mem_free(name);
	mem_free(value);
	return is_fine;
}
