/* config_address.h - checks addresses as people write them: URLs, listen addresses, host lists.
 *
 * Pure; any thread. Errors are ERR_CONFIG and never quote the text, which may hold a password. */
#ifndef SERVER_CONFIG_ADDRESS_H
#define SERVER_CONFIG_ADDRESS_H
#include <stdbool.h>

#include "base/err.h"

/* A base URL: https (or wss), or http (or ws) where the host is loopback; a path is fine, a user, a
 * query and a fragment are not. *url is without trailing slashes; the caller frees it. */
MUST_CHECK bool config_address_rest_url(const char *text, char **url, struct err *err);
MUST_CHECK bool config_address_stream_url(const char *text, char **url, struct err *err);

/* "127.0.0.1:8790" or "[::1]:8790": numbers only, so that nothing is looked up. */
MUST_CHECK bool config_address_listen(const char *text, bool *is_loopback, struct err *err);

/* Separated by commas, without spaces; "" is the empty list. */
MUST_CHECK bool config_address_hosts(const char *text, struct err *err);   /* name[:port] */
MUST_CHECK bool config_address_origins(const char *text, struct err *err); /* https://name[:port] */
#endif
