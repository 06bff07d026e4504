/* stream_wire.h - the messages of the exchange's streams, as text.
 *
 * Market streams carry JSON numbers, and so do balances there; they are written digit by digit,
 * since a double could not hold them all. An order is the object that REST gives, with strings.
 * Each function appends one whole message. Pure.
 *
 * Known from the exchange's documents and SDKs: the shapes, the names in capitals ("Account"), a
 * whole book in every depth message, trades as an array with the newest first, executions left
 * empty in order_info. A guess: that a book has at most STREAM_LEVELS_MAX levels a side, the
 * names of assets in balance messages (as REST has them; the documents' example differs), that a
 * balance message lists only what changed. */
#ifndef SIM_STREAM_WIRE_H
#define SIM_STREAM_WIRE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct account;
struct buf;
struct exchange_market;
struct order;
struct pair;
struct trade;

#define STREAM_LEVELS_MAX  200
#define STREAM_TRADES_MAX  500
#define STREAM_MESSAGE_MAX ((size_t)1 << 20)

void stream_add_depth(struct buf *to, const struct exchange_market *market, struct wall now);
/* is_bare: {"price":...} alone, as one SDK reads it. */
void stream_add_price(struct buf *to, int64_t price, bool is_bare);
/* The last limit trades, newest first; an empty array is possible. */
void stream_add_trades(struct buf *to, const struct exchange_market *market,
		       const struct pair *pair, size_t limit);
void stream_add_trade(struct buf *to, const struct pair *pair, const struct trade *trade);
void stream_add_order(struct buf *to, const struct order *order, bool has_executions);
/* assets: bit n is enum asset_id n. has_strings: amounts as REST gives them. */
void stream_add_balances(struct buf *to, const struct account *account, unsigned assets,
			 bool has_strings);

/* The n-th of a storm: a made-up book of ten levels a side, each differing from the one before. */
void stream_add_storm(struct buf *to, const struct pair *pair, uint64_t n, struct wall now);
#endif
