/* http_stream.h - replies without an end, as httpd.c sees them; for net/ only.
 *
 * The library asks for more to send when it has sent the last piece. With nothing to give, the
 * connection is suspended: out of the library's sight until there is something, so that the
 * leaving of the client is watched for here. What the application is to be told waits until the
 * library's run is over. Loop thread only. */
#ifndef NET_HTTP_STREAM_H
#define NET_HTTP_STREAM_H
struct http_stream;
struct http_streams;
struct loop;

struct http_streams *http_streams_create(struct loop *loop);
void http_streams_destroy(struct http_streams *streams); /* every stream is lost; tells them */
void http_streams_cut(struct http_streams *streams);     /* all of them */
void http_streams_tell(struct http_streams *streams);    /* drained(), gone() where it is due */

/* The library's timeout must not come before the stream's own. */
unsigned http_stream_patience_s(const struct http_stream *stream);
/* The library has finished with the request, which goes. The stream ends with the next telling. */
void http_stream_lost(struct http_stream *stream);
#endif
