/* serve.h - the way of one request through the simulator.
 *
 * recorded -> fault rule -> latency, first half -> key, rate limit, the endpoint acts -> made
 * durable -> latency, second half -> answered (or whatever the rule wants). Requests below /_sim/
 * go to control.c at once and are not recorded. Loop thread only. */
#ifndef SIM_SERVE_H
#define SIM_SERVE_H
#include <stddef.h>

struct http_request;
struct reply;
struct sim;

void serve_handle(void *arg, struct http_request *request); /* arg: struct sim; httpd's handler */
void serve_refuse(void *arg, struct http_request *request, int status); /* httpd's refusals */
size_t serve_drop_all(struct sim *sim); /* closes every connection with a request in flight */
#endif
