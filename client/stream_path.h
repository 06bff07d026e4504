/* stream_path.h - the path of an exchange's stream, which is its subscription.
 *
 * As the exchange documents it today. The API key stands in the query, so the whole of it is a
 * secret: for the handshake only, then wiped. */
#ifndef CLIENT_STREAM_PATH_H
#define CLIENT_STREAM_PATH_H
#include "client/stream.h"

struct secret;

/* "/market/depth/ADAUSDM?api_key=..."; prefix stands before it. symbol is ignored for the
 * account's; backlog, of trades, is left out when 0. Never NULL; free with stream_path_wipe(). */
char *stream_path_make(const char *prefix, enum dd_stream_kind kind, const char *symbol,
		       const struct secret *api_key, unsigned backlog);
void stream_path_wipe(char *path); /* NULL is fine */
#endif
