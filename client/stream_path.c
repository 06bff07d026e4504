#include "client/stream_path.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"

#define ESCAPED_LEN 3  /* of one byte */
#define WORDS_ROOM  96 /* for all that is neither symbol nor key */

static const struct {
	const char *path;
	bool has_symbol, has_backlog;
} streams[DD_STREAM_KINDS] = {
	[DD_STREAM_ACCOUNT] = { "/accounts/stream", false, false },
	[DD_STREAM_DEPTH] = { "/market/depth/", true, false },
	[DD_STREAM_PRICE] = { "/market/market-price/", true, false },
	[DD_STREAM_TRADES] = { "/market/recent-trades/", true, true },
};

/* Written into memory of its final size: nothing is left behind where it grew. */
static char *put_text(char *to, const char *text)
{
	size_t len = strlen(text);

	memcpy(to, text, len);
	return to + len;
}

static char *put_escaped(char *to, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789ABCDEF";
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~";

	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != '\0' && strchr(plain, bytes[i])) {
			*to++ = (char)bytes[i];
		} else {
			*to++ = '%';
			*to++ = digits[bytes[i] >> 4];
			*to++ = digits[bytes[i] & 15];
		}
	}
	return to;
}

char *stream_path_make(const char *prefix, enum dd_stream_kind kind, const char *symbol,
		       const struct secret *api_key, unsigned backlog)
{
	size_t symbol_len = streams[kind].has_symbol ? strlen(symbol) : 0;
	size_t key_len = secret_len(api_key);
	char *path = mem_alloc(strlen(prefix) + WORDS_ROOM + ESCAPED_LEN * (symbol_len + key_len));
	char *end = put_text(path, prefix);

	end = put_text(end, streams[kind].path);
	if (symbol_len > 0)
		end = put_escaped(end, (const uint8_t *)symbol, symbol_len);
	end = put_text(end, "?api_key=");
	end = put_escaped(end, secret_open(api_key), key_len);
	secret_close(api_key);
	if (streams[kind].has_backlog && backlog > 0)
		snprintf(end, sizeof("&limit=4294967295"), "&limit=%u", backlog);
	return path;
}

void stream_path_wipe(char *path)
{
	if (path)
		secret_wipe(path, strlen(path));
	mem_free(path);
}
