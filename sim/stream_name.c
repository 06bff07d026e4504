#include "sim/stream_name.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "net/httpd.h"
#include "sim/market.h"

static const char *const kind_words[] = {
	[STREAM_ACCOUNT] = "account",
	[STREAM_DEPTH] = "depth",
	[STREAM_PRICE] = "price",
	[STREAM_TRADES] = "trades",
};

/* What stands between the prefix and the symbol; the account's paths are whole. */
static const struct {
	const char *path;
	enum stream_kind kind;
} paths[] = {
	{ "/accounts/stream", STREAM_ACCOUNT },
	{ "/accounts/ws/stream", STREAM_ACCOUNT },
	{ "/market/depth/", STREAM_DEPTH },
	{ "/market/ws/depth/", STREAM_DEPTH },
	{ "/market/market-price/", STREAM_PRICE },
	{ "/market/ws/market-price/", STREAM_PRICE },
	{ "/market/recent-trades/", STREAM_TRADES },
	{ "/market/recent-trade/", STREAM_TRADES },
	{ "/market/ws/recent-trades/", STREAM_TRADES },
	{ "/market/ws/recent-trade/", STREAM_TRADES },
};

enum stream_path stream_find(const char *path, struct stream_name *name)
{
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		size_t len = strlen(paths[i].path);
		bool is_account = paths[i].kind == STREAM_ACCOUNT;

		if (strncmp(path, paths[i].path, len) != 0 || (path[len] == '\0') != is_account)
			continue;
		name->kind = paths[i].kind;
		name->pair = is_account ? NULL : market_pair(path + len);
		return is_account || name->pair ? STREAM_PATH_FOUND : STREAM_PATH_NO_SYMBOL;
	}
	return STREAM_PATH_OTHER;
}

const char *stream_print(const struct stream_name *name, char text[STREAM_NAME_LEN])
{
	snprintf(text, STREAM_NAME_LEN, "%s%s%s", kind_words[name->kind], name->pair ? ":" : "",
		 name->pair ? name->pair->symbol : "");
	return text;
}

bool stream_parse(const char *text, struct stream_name *name)
{
	const char *colon = strchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : strlen(text);

	for (size_t i = 0; i < ARRAY_LEN(kind_words); i++) {
		if (strlen(kind_words[i]) != len || strncmp(kind_words[i], text, len) != 0)
			continue;
		name->kind = (enum stream_kind)i;
		name->pair = colon ? market_pair(colon + 1) : NULL;
		return name->kind == STREAM_ACCOUNT ? !colon : name->pair != NULL;
	}
	return false;
}

bool stream_is(const struct stream_name *a, const struct stream_name *b)
{
	return a->kind == b->kind && a->pair == b->pair;
}

bool stream_matches(const char *glob, const char *text)
{
	return strcmp(glob, "stream:*") == 0 || fnmatch(glob, text, 0) == 0;
}

bool stream_query(const char *query, const char *name, char *value, size_t room)
{
	size_t name_len = strlen(name), len;

	for (const char *at = query; *at; at += len + (at[len] == '&')) {
		len = strcspn(at, "&");
		if (len > name_len && strncmp(at, name, name_len) == 0 && at[name_len] == '=')
			return http_percent_decode(at + name_len + 1, len - name_len - 1, value,
						   room);
	}
	return false;
}
