/* wire.h - the exchange's objects as JSON, for the REST paths, the streams and the control paths.
 *
 * Amounts and prices are strings in human decimals, as on the real wire since 2026-01. Every
 * function returns a new reference. */
#ifndef SIM_WIRE_H
#define SIM_WIRE_H
#include <jansson.h>
#include <stdbool.h>

#include "base/clock.h"

struct account;
struct asset;
struct exchange;
struct execution;
struct order;
struct pair;
struct transfer;

json_t *wire_amount(int64_t units);
json_t *wire_price(int64_t price);
json_t *wire_time(struct wall time);

json_t *wire_order(const struct order *order, bool has_executions);
json_t *wire_execution(const struct execution *execution);
json_t *wire_balance(const struct account *account, const struct asset *asset);
json_t *wire_balances(const struct account *account); /* every asset that ever was there */
json_t *wire_transfer(const struct transfer *transfer);
json_t *wire_market_config(void);
json_t *wire_error(int code, const char *text); /* text NULL: the official message */

/* For the simulator's record: more than the exchange would tell. */
json_t *wire_order_record(const struct order *order);
json_t *wire_book(const struct exchange *x, const struct pair *pair);
#endif
