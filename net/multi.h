/* multi.h - libcurl's many transfers on our loop; for net/fetch.c.
 *
 * Sockets and the one timer that libcurl asks for become watches and a timer of the loop. All
 * memory that libcurl releases is wiped first: the API key passes through it. Loop thread only. */
#ifndef NET_MULTI_H
#define NET_MULTI_H
#include <curl/curl.h>

#include "base/err.h"

struct loop;
struct multi;

/* finished: the transfer of easy is over with code. It is called from the loop, never from within
 * libcurl, and may remove easy. */
MUST_CHECK bool multi_create(struct loop *loop, unsigned host_connections_max,
			     void (*finished)(CURL *easy, CURLcode code), struct multi **result,
			     struct err *err);
void multi_destroy(struct multi *multi); /* all transfers must have been removed; NULL is fine */

MUST_CHECK bool multi_add(struct multi *multi, CURL *easy);
void multi_remove(struct multi *multi, CURL *easy); /* fine when it was not added */
#endif
