/* hub_parts.h - what the hub is made of. For hub*.c and their tests only.
 *
 * hub.c holds peers and their subscriptions, hub_wish.c says who may see what, hub_view.c the live
 * crowds of the lossless channels, hub_feed.c those that are fed from the journal, hub_market.c
 * the channels of the markets, hub_watch.c heartbeats and slow readers, hub_text.c the words. */
#ifndef SERVER_HUB_PARTS_H
#define SERVER_HUB_PARTS_H
#include "base/list.h"
#include "server/hub.h"

#define HUB_WATCH_SLOTS 64

struct hook;
struct map;
struct timer;

struct hub {
	struct loop *loop;
	struct hub_config config;
	struct hub_outside outside;
	struct journal *journal;
	struct json_out out;  /* where messages are put into words */
	struct json_out data; /* ... and what they carry */
	struct list peers;
	size_t peer_count, sub_count;

	struct list views;     /* lossless */
	struct list hungry;    /* subscriptions that wait for their turn at the journal */
	struct list questions; /* on their way */
	unsigned feeding;      /* of these, those that count against the bound */
	struct hook *end_of_turn;
	struct mono gives_way_since; /* 0: it does not */
	size_t catching_up;

	struct map *markets; /* by channel name; who gave a number stays: none must repeat */
	uint64_t first_seq;

	struct timer *watch;
	struct mono watch_at;
	int64_t visit_ms; /* between two visits to a peer */
	unsigned visits;  /* from one heartbeat to the next */
	unsigned slot_count, slot_now, slot_next;
	struct list slots[HUB_WATCH_SLOTS]; /* peers, so that not all have the same moment */

	uint64_t events, frames, skipped, closed_slow;
};

/* A peer's position in a lossless view is the view's own while it is LIVE: nothing is written to
 * a subscription as it is told an event. Likewise in a market. */
enum hub_sub_state {
	HUB_SUB_LIVE,    /* in the crowd: has been sent all there is */
	HUB_SUB_HUNGRY,  /* in hub->hungry; lossless */
	HUB_SUB_ASKED,   /* an answer of the journal is on its way; lossless */
	HUB_SUB_LAGGING, /* in peer->lagging, until the sink is empty */
};

struct hub_sub {
	struct list_node of_peer;
	struct list_node of_crowd; /* view->live or view->rest; market->live or market->rest */
	struct list_node waiting;  /* by state */
	struct hub_peer *peer;
	struct hub_view *view; /* one of these two */
	struct hub_market *market;
	struct hub_question *question; /* a page for this one, on its way */
	int64_t id;
	uint64_t position; /* unless LIVE: the last number sent, and the next one's prev */
	uint64_t cursor;   /* lossless, unless LIVE: nothing up to here is missing */
	enum hub_sub_state state;
	bool is_told;      /* "subscribed" was sent */
	bool has_position; /* it has begun: position means something */
	bool wants_snapshot;
	bool owes_status; /* market: it has changed since it was told */
	bool is_refused;  /* its position is older than what is kept: about to be closed */
};

struct hub_peer {
	struct list_node node;
	struct list_node slot;
	struct hub *hub;
	struct hub_sink sink;
	struct journal_token token;
	struct list subs;
	unsigned sub_count;
	struct list lagging; /* subscriptions */
	unsigned answers;    /* to its own messages, since the sink was empty */
	bool is_closing;
	bool is_stuck;
	struct mono stuck_since;
	uint64_t sent_seen;
	unsigned visits_left;
};

/* One way to look at a lossless channel, shared by all who look so. */
struct hub_view {
	struct list_node node;
	struct hub *hub;
	struct channel_view what;
	bool is_known; /* last is */
	uint64_t last; /* what the journal's listener saw last */
	struct list live, rest;
	struct hub_question *snapshot; /* on its way, for all in rest that are ASKED for it */
	unsigned holds;                /* it stays, even without subscriptions */
};

/* A message kept for who comes later: a trade, a gap, the latest book. */
struct hub_kept {
	struct ws_frame *frame;
	uint64_t seq;
	struct wall at;
	size_t data_at, data_len; /* in the frame's payload; 0: a gap has none */
};

struct hub_market {
	struct hub *hub;
	char name[HUB_CHANNEL_LEN];
	const char *symbol; /* in name */
	enum dd_stream_kind kind;
	bool is_live;
	uint64_t seq;          /* the newest */
	struct hub_kept *ring; /* trades: those with the numbers up to seq; else the latest alone */
	size_t ring_size, ring_len;
	struct list live, rest;
	size_t readers;
};

/* ---- hub.c ------------------------------------------------------------------------------- */

void hub_peer_frame(struct hub_peer *peer, struct ws_frame *frame);
void hub_peer_frame_take(struct hub_peer *peer, struct ws_frame *frame);
/* Would this much more stay within the bound? What is larger than that goes alone. */
bool hub_peer_has_room(const struct hub_peer *peer, size_t size);
bool hub_peer_is_half_empty(const struct hub_peer *peer);
/* All subscriptions end; only hub_peer_destroy() is to follow. */
void hub_peer_close(struct hub_peer *peer, int code, const char *reason);
const char *hub_sub_channel(const struct hub_sub *sub);
uint64_t hub_sub_position(const struct hub_sub *sub);
void hub_sub_lag(struct hub_sub *sub); /* until the sink is empty */
/* To the peer, and marks it as told. seq: the newest in its view. */
void hub_sub_tell(struct hub_sub *sub, uint64_t seq, bool is_recovered);

/* ---- hub_wish.c -------------------------------------------------------------------------- */

struct hub_target {
	bool is_market;
	enum dd_stream_kind kind; /* if it is one */
	const char *symbol;       /* of a market: in the wish's channel */
	struct channel_view what; /* if it is not */
};
/* ERR_INVALID, ERR_SCOPE: see hub_subscribe(). */
MUST_CHECK bool hub_wish_target(const struct hub *hub, const struct journal_token *token,
				const struct hub_wish *wish, struct hub_target *target,
				struct err *err);

/* ---- hub_view.c -------------------------------------------------------------------------- */

void hub_view_event(void *arg, const struct channel_event *event); /* the journal's listener */
void hub_view_join(struct hub_sub *sub, const struct channel_view *what,
		   const struct hub_wish *wish);
void hub_view_leave(struct hub_sub *sub);
void hub_view_live(struct hub_sub *sub); /* it has been sent all up to view->last */
void hub_view_hold(struct hub_view *view);
void hub_view_release(struct hub_view *view); /* without subscriptions it goes now */
struct ws_frame *hub_view_frame(struct hub *hub, const struct channel_event *event, uint64_t prev);

/* ---- hub_feed.c -------------------------------------------------------------------------- */

void hub_feed_init(struct hub *hub);
void hub_feed_fini(struct hub *hub);        /* answers still to come find nobody */
void hub_feed_learn(struct hub_view *view); /* asks for view->last */
void hub_feed_hungry(struct hub_sub *sub);  /* for what is above its cursor, or a snapshot */
void hub_feed_pump(struct hub *hub);        /* asks for those whose turn it is */
void hub_feed_forget_sub(struct hub_sub *sub);
void hub_feed_forget_view(struct hub_view *view);

/* ---- hub_market.c ------------------------------------------------------------------------ */

void hub_market_join(struct hub_sub *sub, const struct hub_target *target,
		     const struct hub_wish *wish);
void hub_market_leave(struct hub_sub *sub);
void hub_market_drained(struct hub_sub *sub);
void hub_market_destroy(struct hub_market *market);

/* ---- hub_watch.c ------------------------------------------------------------------------- */

void hub_watch_init(struct hub *hub);
void hub_watch_fini(struct hub *hub);
void hub_watch_add(struct hub_peer *peer);
void hub_watch_remove(struct hub_peer *peer);
/* One visit to a peer: what the timer does, with a time of the caller's. */
void hub_watch_visit(struct hub_peer *peer, struct mono now, struct wall today);
#endif
