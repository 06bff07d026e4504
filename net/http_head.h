/* http_head.h - what libmicrohttpd lets through and we do not.
 *
 * The library cuts each line at a NUL, takes a bare newline for a line's end, joins folded lines
 * wrongly, and takes the first of two lengths, all without a word. Two readers could then read one
 * request in two ways; such a head is refused, whatever we would make of it. Used by httpd.c. */
#ifndef NET_HTTP_HEAD_H
#define NET_HTTP_HEAD_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct MHD_Connection;

struct http_head {
	bool is_well_formed;
	bool has_length; /* Content-Length */
	bool expects_continue;
	size_t len;      /* bytes, with the empty line */
	uint64_t length; /* of the body */
};

/* Call it from the library's first call for a request, with what that call was given. raw_target is
 * the pointer that the library's URI callback got, and target_len the length it had then. */
void http_head_read(struct http_head *head, struct MHD_Connection *mhd, const char *method,
		    const char *raw_target, size_t target_len, const char *version);
#endif
