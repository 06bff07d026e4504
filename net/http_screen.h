/* http_screen.h - the first look at a connection's first head, before libmicrohttpd sees it.
 *
 * The library answers by itself, with a page for people, what is no HTTP/1, a line that is no
 * header, a length that it cannot read (this one twice, one answer within the other), and what
 * does not fit into its memory. All that is found here, so that it can be refused in our own
 * words; whatever else is wrong with a head http_head.h finds. Pure. Used by front.c. */
#ifndef NET_HTTP_SCREEN_H
#define NET_HTTP_SCREEN_H
#include <stddef.h>

#define HTTP_HEAD_MAX 16384 /* bytes of request line and headers */

/* Beside the statuses that http_screen() returns. */
#define HTTP_SCREEN_MORE 0   /* the head is not whole yet, and nothing wrong with it so far */
#define HTTP_SCREEN_FINE 200 /* it is whole, and for the library */

/* bytes: what has come so far. Else the status to refuse it with: 400, 413, 414 or 431. */
int http_screen(const char *bytes, size_t len);
#endif
