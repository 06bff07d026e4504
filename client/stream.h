/* stream.h - one stream of the exchange: connect, keep alive, back off, report gaps.
 *
 * The URL is the subscription: one socket, one stream, one symbol, and the API key stands in the
 * query, so the URL is a secret. Liveness is judged by pings, never by data: quiet markets are
 * silent for hours. After a loss the stream connects again by itself, for ever: at once the first
 * time (within a random quarter second), then after 0.5 s doubling to 30 s, each with jitter; a
 * connection that held for a while starts the row anew. The exchange promises no snapshot and
 * loses events, so every connected() is to be followed by asking over REST; who has done so says
 * dd_stream_filled(), and the stream counts as live.
 *
 * What is sent: docs of the exchange's streams; what was seen besides (plain text frames, numbers
 * for strings, old page objects) is taken and skipped. Loop thread only. */
#ifndef CLIENT_STREAM_H
#define CLIENT_STREAM_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/decimal.h"
#include "base/err.h"
#include "client/deltadefi.h"

struct dd_stream;
struct dd_streams;
struct loop;
struct secret;
struct ws;

enum dd_stream_kind { DD_STREAM_ACCOUNT, DD_STREAM_DEPTH, DD_STREAM_PRICE, DD_STREAM_TRADES };
#define DD_STREAM_KINDS 4
const char *
dd_stream_kind_word(enum dd_stream_kind kind); /* "account", "depth", "price", "trades" */

enum dd_stream_state {
	DD_STREAM_DOWN, /* waits for its next try */
	DD_STREAM_CONNECTING,
	DD_STREAM_CONNECTED, /* messages come, but what was missed is not known yet */
	DD_STREAM_LIVE,      /* and nothing is missing any more */
	DD_STREAM_STALE,     /* connected, but it answers no ping; about to be dropped */
};
const char *dd_stream_state_word(enum dd_stream_state state);

struct dd_level {
	struct decimal price, quantity;
};
struct dd_depth { /* the whole book, both sides best first */
	struct wall at;
	const struct dd_level *bids, *asks;
	size_t bid_count, ask_count;
};
struct dd_trade { /* has no id on the wire: equal ones are told apart by nothing */
	struct wall at;
	char symbol[DD_SYMBOL_LEN];
	enum dd_side side; /* the taker's */
	struct decimal price, base_qty;
};

/* All may be NULL but state. What they get is borrowed. */
struct dd_stream_handlers {
	void (*state)(void *arg, struct dd_stream *stream, enum dd_stream_state state);
	void (*order)(void *arg, const struct dd_order *order);
	void (*balances)(void *arg, const struct dd_balance *balances,
			 size_t count); /* perhaps only those that changed */
	void (*depth)(void *arg, const struct dd_depth *depth);
	void (*price)(void *arg, struct decimal price);
	/* Oldest first. The first message after connecting repeats the last ones; later ones may
	 * overlap too, or hold none. is_whole: false when some of it, or all, could not be read. */
	void (*trades)(void *arg, const struct dd_trade *trades, size_t count, bool is_whole);
};

struct dd_streams_config {
	const char *url;          /* "wss://stream.deltadefi.io"; a path stands before all others */
	int64_t connect_ms;       /* for everything up to the handshake's end */
	int64_t ping_ms, pong_ms; /* dead when it answers none for pong_ms */
	int64_t retry_min_ms, retry_max_ms;
	int64_t steady_ms; /* a connection that lived so long starts the row of delays anew */
	unsigned backlog;  /* of trades, to be asked for */
};

/* Borrows loop and ws; copies config and key (NULL: nothing connects until there is one). */
struct dd_streams *dd_streams_create(struct loop *loop, struct ws *ws,
				     const struct dd_streams_config *config,
				     const struct secret *api_key);
void dd_streams_destroy(struct dd_streams *streams); /* closes every stream; NULL is fine */
/* Copies. Every stream connects anew with it, once its old connection is closed. */
void dd_streams_set_api_key(struct dd_streams *streams, const struct secret *api_key);

/* Begins to connect, on a later turn: no handler is called from here. symbol, as wire_is_symbol()
 * takes it, is ignored for the account's. Borrows handlers, any of which may close the stream. */
struct dd_stream *dd_stream_open(struct dd_streams *streams, enum dd_stream_kind kind,
				 const char *symbol, const struct dd_stream_handlers *handlers,
				 void *arg);
void dd_stream_close(struct dd_stream *stream); /* no callback any more; NULL is fine */
/* What may have been missed before this connection is known now: LIVE, perhaps within this call.
 * Ignored unless it is still the connection of this dd_stream_generation(). */
void dd_stream_filled(struct dd_stream *stream, uint64_t generation);
uint64_t dd_stream_generation(const struct dd_stream *stream); /* counts connections */

struct dd_stream_status {
	enum dd_stream_state state;
	struct mono since;        /* of the state */
	struct mono last_message; /* 0: none yet; of whatever kind but keep-alive */
	struct mono last_alive;   /* data, ping or pong; 0: never */
	uint64_t messages, unreadable;
	unsigned reconnects;  /* connections after the first */
	struct mono retry_at; /* while DOWN */
	struct err why;       /* it is down; ERR_NONE at first; ERR_EXCHANGE_AUTH: the key */
};
void dd_stream_status(const struct dd_stream *stream, struct dd_stream_status *status);
#endif
