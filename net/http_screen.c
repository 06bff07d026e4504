#include "net/http_screen.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* The library keeps a record of each line and of each cookie; so many fit beside the longest
 * head. */
#define PARTS_MAX 500

struct line {
	const char *text;
	size_t len; /* without the line's end */
};

static bool is_token_char(char c)
{
	static const char allowed[] = "!#$%&'*+-.^_`|~0123456789"
				      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return c != '\0' && strchr(allowed, c);
}

static bool next_line(const char **at, const char *end, struct line *line)
{
	const char *newline = memchr(*at, '\n', (size_t)(end - *at));

	if (!newline)
		return false;
	line->text = *at;
	line->len = (size_t)(newline - *at);
	if (line->len > 0 && line->text[line->len - 1] == '\r')
		line->len--;
	*at = newline + 1;
	return true;
}

/* A method, a blank, something, and HTTP/1.x; what the something is others judge. */
static bool is_request_line(const struct line *line)
{
	static const char version[] = " HTTP/1.";
	const size_t version_len = sizeof(version); /* with the digit that is still missing */
	const char *blank = memchr(line->text, ' ', line->len), *last;

	if (!blank || line->len <= version_len || memchr(line->text, '\0', line->len))
		return false;
	last = line->text + line->len - version_len;
	return memcmp(last, version, version_len - 1) == 0 && last[version_len - 1] >= '0' &&
	       last[version_len - 1] <= '9' && blank + 1 < last && blank[1] != ' ';
}

/* Digits, and so many that they can be counted: else a status. */
static int judge_length(const char *value, size_t len)
{
	unsigned long long length = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned)(value[i] - '0');

		if (digit > 9)
			return 400;
		if (__builtin_mul_overflow(length, 10, &length) ||
		    __builtin_add_overflow(length, digit, &length))
			return 413;
	}
	return len > 0 ? HTTP_SCREEN_FINE : 400;
}

static int judge_header(const struct line *line)
{
	static const char length_name[] = "Content-Length";
	const char *end = line->text + line->len;
	const char *colon = memchr(line->text, ':', line->len), *value;

	if (!colon || !is_token_char(line->text[0]) || memchr(line->text, '\0', line->len))
		return 400;
	if ((size_t)(colon - line->text) != sizeof(length_name) - 1 ||
	    strncasecmp(line->text, length_name, sizeof(length_name) - 1) != 0)
		return HTTP_SCREEN_FINE;
	for (value = colon + 1; value < end && (*value == ' ' || *value == '\t'); value++)
		;
	return judge_length(value, (size_t)(end - value));
}

/* Of a line, and of the cookies that it may hold. */
static size_t count_parts(const struct line *line)
{
	size_t count = 1;

	for (size_t i = 0; i < line->len; i++)
		count += line->text[i] == ';' || line->text[i] == ',';
	return count;
}

/* The lines that follow the request line, as far as they have come. */
static int judge_headers(const char *at, const char *end)
{
	struct line line;
	size_t parts = 0;

	while (next_line(&at, end, &line)) {
		int verdict;

		if (line.len == 0)
			return HTTP_SCREEN_FINE;
		verdict = judge_header(&line);
		if (verdict != HTTP_SCREEN_FINE)
			return verdict;
		parts += count_parts(&line);
		if (parts > PARTS_MAX)
			return 431;
	}
	return HTTP_SCREEN_MORE;
}

/* Some clients send an empty line too many. */
static const char *skip_empty_lines(const char *at, const char *end)
{
	for (;;) {
		if (at < end && at[0] == '\n')
			at++;
		else if (end - at >= 2 && at[0] == '\r' && at[1] == '\n')
			at += 2;
		else
			return at;
	}
}

int http_screen(const char *bytes, size_t len)
{
	const char *at, *end = bytes + (len < HTTP_HEAD_MAX ? len : HTTP_HEAD_MAX);
	bool is_all = len >= HTTP_HEAD_MAX;
	struct line line;
	int verdict;

	at = skip_empty_lines(bytes, end);
	if (at == end || (*at == '\r' && at + 1 == end))
		return is_all ? 400 : HTTP_SCREEN_MORE;
	if (!is_token_char(*at))
		return 400;
	if (!next_line(&at, end, &line))
		return is_all ? 414 : HTTP_SCREEN_MORE;
	if (!is_request_line(&line))
		return 400;
	verdict = judge_headers(at, end);
	return verdict == HTTP_SCREEN_MORE && is_all ? 431 : verdict;
}
