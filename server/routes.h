/* routes.h - one table: method, path, scope, cost, handler.
 *
 * Every request passes here in this order: Host and Origin, path, method, token, scope, the
 * token's rate, then the handler. Whatever fails is answered as problem+json (json.h) with the
 * request's id as instance. Loop thread only. */
#ifndef SERVER_ROUTES_H
#define SERVER_ROUTES_H

struct daemon;
struct http_request;

/* httpd's two callbacks; arg is the struct daemon. */
void routes_handle(void *arg, struct http_request *request);
void routes_refuse(void *arg, struct http_request *request, int status);
#endif
