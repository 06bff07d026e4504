#include "net/fetch_url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "net/fetch.h"

/* host: as in the URL; with brackets for IPv6. */
static bool is_loopback(const char *host)
{
	struct in_addr address;

	if (strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

/* libcurl would take one slash or three for two, and then the path for the host. */
static CURLU *parse_url(const char *url)
{
	const char *slashes = strstr(url, "://");
	CURLU *parts = slashes && slashes[3] != '/' ? curl_url() : NULL;

	if (parts && curl_url_set(parts, CURLUPART_URL, url, CURLU_DISALLOW_USER) == CURLUE_OK)
		return parts;
	curl_url_cleanup(parts);
	return NULL;
}

bool fetch_url_check(const char *url, struct err *err)
{
	CURLU *parts = parse_url(url);
	char *scheme = NULL, *host = NULL;
	bool result = false;

	if (!parts || curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		err_set(err, ERR_CONFIG, "not a URL of the form https://host/path");
	else if (strcmp(scheme, "https") == 0 || (strcmp(scheme, "http") == 0 && is_loopback(host)))
		result = true;
	else
		err_set(err, ERR_CONFIG, "%s://%s: only https, and http to this host itself",
			scheme, host);
	curl_free(scheme);
	curl_free(host);
	curl_url_cleanup(parts);
	return result;
}

char *fetch_url_name(const char *method, const char *url)
{
	CURLU *parts = parse_url(url);
	char *host = NULL, *path = NULL;
	struct buf name;

	buf_init(&name, 128);
	buf_add_str(&name, method);
	if (parts && curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    curl_url_get(parts, CURLUPART_PATH, &path, 0) == CURLUE_OK)
		buf_printf(&name, " %s%s", host, path);
	curl_free(host);
	curl_free(path);
	curl_url_cleanup(parts);
	return buf_take(&name);
}
