/* hub.h - fan-out: channels, numbers, resuming, slow readers.
 *
 * Lossless channels (orders, fills, balances, system) carry the journal's numbers and never skip:
 * a reader whose queue is full leaves the live crowd and is fed from the journal, page by page,
 * at its own pace, and joins again where it has caught up; one that takes nothing for slow_ms is
 * closed with 4008 and its last number. Conflated channels (depth:SYM, price:SYM) keep one
 * pending message for each reader: the latest wins and `skipped` counts what was merged away.
 * trades:SYM keeps a bounded history; what cannot be had any more is announced as a gap.
 *
 * Who may see what: `prev` is the number of the event before it *in the reader's view* of the
 * channel (all of it, or one token's orders, or some symbols), so that a reader who checks it
 * misses nothing unknowingly. Readers of one view share one frame.
 *
 * The hub knows no sockets: a peer is a struct hub_sink. Loop thread only. */
#ifndef SERVER_HUB_H
#define SERVER_HUB_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/decimal.h"
#include "base/err.h"
#include "client/stream.h"
#include "server/journal.h"
#include "server/json_out.h"

struct hub;
struct hub_peer;
struct loop;
struct ws_frame;

#define HUB_CHANNEL_LEN 40 /* "trades:ADAUSDM" */

#define HUB_CLOSE_SLOW      4008
#define HUB_CLOSE_MESSAGE   4400
#define HUB_CLOSE_AUTH      4401
#define HUB_CLOSE_SCOPE     4403
#define HUB_CLOSE_HEARTBEAT 4408
#define HUB_CLOSE_POSITION  4410
#define HUB_CLOSE_FLOOD     4429
#define HUB_CLOSE_INTERNAL  4500

struct hub_config {
	size_t queue_max_bytes; /* for each peer; a single larger message passes an empty queue */
	int64_t slow_ms;        /* without progress */
	int64_t heartbeat_ms;
	unsigned subscriptions_max; /* for each peer */
	size_t trades_kept;         /* for each symbol */
	unsigned page;              /* events from the journal at a time */
	int64_t give_way_ms;        /* at most, before each page while outside is behind */
};

/* What the hub cannot know by itself. */
struct hub_outside {
	bool (*is_symbol)(void *arg, const char *symbol);
	/* The first reader of a market channel came, or the last one left. */
	void (*want)(void *arg, enum dd_stream_kind kind, const char *symbol, bool is_wanted);
	/* Members of the system channel's snapshot. */
	void (*system_state)(void *arg, struct json_out *out);
	/* Are live events yet to be written to many? Whoever is fed from the journal lets them go
	 * first. */
	bool (*is_behind)(void *arg);
	void *arg;
};

struct hub *hub_create(struct loop *loop, const struct hub_config *config, struct journal *journal,
		       const struct hub_outside *outside); /* borrows; listens to the journal */
void hub_destroy(struct hub *hub); /* every peer must be gone; NULL is fine */
/* Every peer is closed with this code after what it has queued. */
void hub_close_all(struct hub *hub, int code, const char *reason);
/* Those of one token; "" for all of Unix socket's own user is never meant. */
void hub_close_token(struct hub *hub, const char *token_id, int code, const char *reason);

/* ---- peers ------------------------------------------------------------------------------- */

/* None of these calls the hub back before it returns, but for hub_peer_position(), which counts
 * what is being sent already. After close() nothing more is sent; hub_peer_destroy() is to follow.
 */
struct hub_sink {
	void (*send)(void *arg, struct ws_frame *frame); /* queues; shares the frame */
	size_t (*queued)(void *arg);                     /* bytes */
	uint64_t (*sent)(void *arg);                     /* bytes, rising while it reads */
	void (*close)(void *arg, int code, const char *reason);
	void *arg;
};
/* token: a copy is kept; its scopes, symbols, expiry decide. */
struct hub_peer *hub_peer_create(struct hub *hub, const struct hub_sink *sink,
				 const struct journal_token *token);
void hub_peer_destroy(struct hub_peer *peer); /* its subscriptions end; NULL is fine */
void hub_peer_drained(struct hub_peer *peer); /* the sink's queue is empty */
/* One message of this peer's own, in order with all others. Who asks for ever more answers than it
 * reads is closed with 4008, though it reads a little now and then. */
void hub_peer_send(struct hub_peer *peer, const char *text, size_t len);

enum hub_owner { HUB_OWNER_DEFAULT, HUB_OWNER_OWN, HUB_OWNER_ANY };
struct hub_wish {
	int64_t id; /* echoed; -1: none */
	char channel[HUB_CHANNEL_LEN];
	enum hub_owner owner;
	bool has_after;
	char epoch[40]; /* of `after`; "" when it was not given */
	uint64_t seq;
};
/* Answers through the sink: subscribed, then snapshot or what was missed, then events. False, and
 * nothing was sent: ERR_INVALID (no such channel or symbol, subscribed already, too many),
 * ERR_SCOPE. Without an owner: everything for tokens of scope ops or admin and for those that
 * cannot trade; else the token's own. "any" needs one of these. */
MUST_CHECK bool hub_may_subscribe(struct hub *hub, const struct journal_token *token,
				  const struct hub_wish *wish,
				  struct err *err); /* before there is a peer */
MUST_CHECK bool hub_subscribe(struct hub_peer *peer, const struct hub_wish *wish, struct err *err);
MUST_CHECK bool hub_unsubscribe(struct hub_peer *peer, int64_t id, const char *channel,
				struct err *err);
/* The number of the last event that was queued for the peer on a channel; false: not subscribed. */
bool hub_peer_position(const struct hub_peer *peer, const char *channel, uint64_t *seq);
/* Is it being told right now that its position there is too old, and so not to come back with it?
 */
bool hub_peer_is_refused(const struct hub_peer *peer, const char *channel);

/* ---- market channels --------------------------------------------------------------------- */

/* at: the exchange's time; 0 when it gives none. */
void hub_depth(struct hub *hub, const char *symbol, const struct dd_depth *depth);
void hub_price(struct hub *hub, const char *symbol, struct decimal price, struct wall at);
void hub_trade(struct hub *hub, const struct dd_trade *trade);
/* Trades may be missing between the last one told and the next. */
void hub_trades_gap(struct hub *hub, const char *symbol);
/* Whether what is told of this channel is live: readers of it are told changes as a status. */
void hub_set_live(struct hub *hub, enum dd_stream_kind kind, const char *symbol, bool is_live);

struct hub_status {
	size_t peers, subscriptions, catching_up;
	uint64_t events, frames, skipped, closed_slow;
};
void hub_status(const struct hub *hub, struct hub_status *status);
#endif
