/* ws_context.h - libwebsockets on our loop, for the asking end; for net/ws*.c only.
 *
 * Never touches signals. Its log, which may quote paths and headers, goes nowhere. */
#ifndef NET_WS_CONTEXT_H
#define NET_WS_CONTEXT_H
#include <libwebsockets.h>
#include <stdbool.h>

#include "base/err.h"

struct loop;
struct ws_context;

/* ca_file: NULL for the system's roots. protocols: static, ends with an empty one. */
MUST_CHECK bool ws_context_create(struct loop *loop, const char *ca_file,
				  const struct lws_protocols *protocols, struct ws_context **result,
				  struct err *err);
/* Turns the loop until libwebsockets has let go of it: not from within its callbacks. All
 * connections must have been closed. NULL is fine. */
void ws_context_destroy(struct ws_context *context);
struct lws_context *ws_context_lws(struct ws_context *context);
struct lws_vhost *ws_context_vhost(struct ws_context *context);
/* Its last complaint since ws_context_forget(): the only place where it tells why TLS failed. May
 * hold what nobody should see: pick from it, and pass nothing on as it is. "" when none. */
const char *ws_context_complaint(void);
void ws_context_forget(void);

extern const struct lws_protocols ws_client_protocols[]; /* in ws_client.c */
#endif
