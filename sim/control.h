/* control.h - the simulator's own paths, below /_sim/.
 *
 *   GET  log        every request received (since=SEQ, path=GLOB, method=); DELETE clears
 *   GET  orders     every order that ever was (account=, symbol=, status=, market_maker=0 or 1)
 *   GET  orders/ID  one of them
 *   GET  executions balances accounts book?symbol= faults lock
 *   GET  sockets    the streams that are open: id, stream, symbol, account, since, messages_sent,
 *                   queued, alive
 *   POST credit     {"account"?, "asset", "amount"}         amount may be negative
 *   POST trade      {"symbol", "side", "price"?, "base_quantity"} another trader's order, or
 *                   {"order_id", "base_quantity"?}           fills that resting order
 *   POST faults     a rule, a switch or an array of them (fault_wire.h); DELETE clears all
 *   POST lock       {"locked"?: true, "for_ms"?}; DELETE unlocks
 *   POST fill       {"order", "base_qty"}   another trader meets exactly that order, which must
 *                   be the next of its side
 *   POST restart    {"for_ms" or "ms", "phase"?: "503" or "403"}; closes all streams with 1001;
 *                   DELETE ends it
 *   POST drop       {"stream", "code"?} ends sockets, without a code as a broken line does;
 *                   without stream: closes the connections of all requests in flight
 *   POST send       {"stream", "text"}   as it is
 *   POST mute       {"stream", "muted"?: true}   neither reads, writes nor answers pings
 *   POST storm      {"stream": "depth:ADAUSDM", "per_second", "for_ms"}   made-up messages;
 *                   DELETE ends them
 *   POST clock      {"advance_ms"}
 *   POST expire     {"order_id"}                             a building order
 *   POST transfers  {"account"?, "kind", "assets": {"ADA": "5"}, "status"?, ...}
 *   POST market     {"symbol", "min_price"?, "max_price"?}
 *
 * A stream is a name or a glob: account, depth:ADAUSDM, price:*, stream:*; the number of sockets
 * that are met is answered. Wrong requests get 400 and {"error"}. Not recorded, not delayed, no
 * key. */
#ifndef SIM_CONTROL_H
#define SIM_CONTROL_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "sim/rest.h"

struct account;
struct http_request;
struct sim;

void control_handle(struct sim *sim, struct http_request *request, const char *path);

/* One request below /_sim/. A handler fills reply, or says what is wrong. */
struct control {
	struct sim *sim;
	struct http_request *request;
	const char *param; /* what follows the route's path, for those that end in / */
	json_t *body;      /* an object or array; NULL when there is none */
	struct reply reply;
};

typedef bool control_fn(struct control *c, struct err *err);

/* control_record.c, control_trade.c, control_trouble.c, control_streams.c */
control_fn control_get_log, control_clear_log, control_get_orders, control_get_order;
control_fn control_get_executions, control_get_balances, control_get_accounts, control_get_book;
control_fn control_post_credit, control_post_trade, control_post_fill, control_post_expire,
	control_post_market;
control_fn control_post_transfers;
control_fn control_get_faults, control_post_faults, control_clear_faults;
control_fn control_get_lock, control_post_lock, control_clear_lock;
control_fn control_post_restart, control_clear_restart, control_post_drop, control_post_clock;

control_fn control_get_sockets, control_post_send, control_post_mute;
control_fn control_post_storm, control_clear_storm;

/* For the handlers. */
bool control_read_whole(const struct control *c, const char *name, int64_t max, int64_t *number,
			struct err *err); /* 0 when absent */
bool control_done(struct control *c);     /* an empty object; always true */
bool control_filter(const struct control *c, const char *name, char *value, size_t room);
struct account *control_account(const struct control *c, struct err *err); /* "main" by default */
#endif
