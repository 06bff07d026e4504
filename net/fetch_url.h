/* fetch_url.h - which URLs net/fetch.c asks, and what they are called in errors.
 *
 * fetch_url_check(), which others need as well, is in fetch.h. Any thread. */
#ifndef NET_FETCH_URL_H
#define NET_FETCH_URL_H

/* "POST host/path": the query stays out, keys have been seen there. mem_free() it. */
char *fetch_url_name(const char *method, const char *url);
#endif
