/* control.h - the simulator's own paths, below /_sim/.
 *
 *   GET  log        every request received (since=SEQ, path=GLOB, method=, limit=); DELETE clears
 *   GET  orders     every order that ever was (account=, symbol=, status=, market_maker=0 or 1)
 *   GET  orders/ID  one of them
 *   GET  executions balances accounts book?symbol= sockets faults lock
 *   POST credit     {"account"?, "asset", "amount"}         amount may be negative
 *   POST trade      {"symbol", "side", "price"?, "base_quantity"} another trader's order, or
 *                   {"order_id", "base_quantity"?}           fills that resting order
 *   POST faults     a rule, a switch or an array of them (fault_wire.h); DELETE clears all
 *   POST lock       {"locked"?: true, "for_ms"?}; DELETE unlocks
 *   POST restart    {"for_ms", "phase"?: "503" or "403"}; DELETE ends it
 *   POST drop       closes the connections of all requests in flight
 *   POST clock      {"advance_ms"}
 *   POST expire     {"order_id"}                             a building order
 *   POST transfers  {"account"?, "kind", "assets": {"ADA": "5"}, "status"?, ...}
 *   POST market     {"symbol", "min_price"?, "max_price"?}
 *
 * Wrong requests get 400 and {"error"}. Not recorded, not delayed, no key. */
#ifndef SIM_CONTROL_H
#define SIM_CONTROL_H

#include <jansson.h>

#include "base/err.h"

struct http_request;
struct sim;

void control_handle(struct sim *sim, struct http_request *request, const char *path);
#endif
