/* serve.h - the way of one request through the simulator.
 *
 * recorded -> fault rule -> latency, first half -> key, rate limit, the endpoint acts -> made
 * durable -> latency, second half -> answered (or whatever the rule wants). Requests below /_sim/
 * go to control.c at once and are not recorded. Loop thread only. */
#ifndef SIM_SERVE_H
#define SIM_SERVE_H
#include <stdbool.h>
#include <stddef.h>

#define SERVE_PATH_MAX 512

struct http_request;
struct reply;
struct sim;

void serve_handle(void *arg, struct http_request *request); /* arg: struct sim; httpd's handler */
void serve_refuse(void *arg, struct http_request *request, int status); /* httpd's refusals */
/* Repeated slashes count as one, and the plural of 2025 as today's /order/. */
void serve_collapse(const char *from, char to[SERVE_PATH_MAX]);
bool serve_is_restarting(const struct sim *sim);
size_t serve_drop_all(struct sim *sim); /* closes every connection with a request in flight */
#endif
