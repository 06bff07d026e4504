#include "server/hub_parts.h"

#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "net/ws.h"
#include "server/hub_text.h"

/* A conflated message waits for a sink with so much queued, rather than making it more. Below, a
 * burst leaves as it came. */
#define CONFLATE_ABOVE 16384

static const char *const types[] = {
	[DD_STREAM_DEPTH] = "depth.updated",
	[DD_STREAM_PRICE] = "price.updated",
	[DD_STREAM_TRADES] = "trade.created",
};

static bool is_conflated(const struct hub_market *market)
{
	return market->kind != DD_STREAM_TRADES;
}

/* ---- channels ---------------------------------------------------------------------------- */

static struct hub_market *market_create(struct hub *hub, enum dd_stream_kind kind, const char *name)
{
	struct hub_market *market = mem_alloc(sizeof(*market));

	market->hub = hub;
	market->kind = kind;
	STR_SET(market->name, name);
	market->symbol = strchr(market->name, ':') + 1;
	market->seq = hub->first_seq;
	market->ring_size = is_conflated(market) ? 1 : hub->config.trades_kept;
	market->ring = mem_array(market->ring_size, sizeof(*market->ring));
	list_init(&market->live);
	list_init(&market->rest);
	map_put(hub->markets, name, market);
	return market;
}

static struct hub_market *market_of(struct hub *hub, enum dd_stream_kind kind, const char *symbol)
{
	char name[HUB_CHANNEL_LEN];
	struct hub_market *market;

	snprintf(name, sizeof(name), "%s:%s", dd_stream_kind_word(kind), symbol);
	market = map_get(hub->markets, name);
	return market ? market : market_create(hub, kind, name);
}

void hub_market_destroy(struct hub_market *market)
{
	for (size_t i = 0; i < market->ring_size; i++)
		ws_frame_unref(market->ring[i].frame);
	mem_free(market->ring);
	mem_free(market);
}

/* ---- what is kept ------------------------------------------------------------------------ */

static uint64_t oldest(const struct hub_market *market) /* seq + 1: nothing is kept */
{
	return market->seq + 1 - market->ring_len;
}

static struct hub_kept *kept_at(const struct hub_market *market, uint64_t seq)
{
	return &market->ring[seq % market->ring_size];
}

/* Takes frame, whose payload ends in the data and a brace. */
static const struct hub_kept *keep(struct hub_market *market, struct ws_frame *frame,
				   struct wall at, size_t data_len)
{
	struct hub_kept *kept = kept_at(market, ++market->seq);
	size_t payload_len;

	ws_frame_unref(kept->frame);
	(void)ws_frame_payload(frame, &payload_len);
	kept->frame = frame;
	kept->seq = market->seq;
	kept->at = at;
	kept->data_at = payload_len - 1 - data_len;
	kept->data_len = data_len;
	if (market->ring_len < market->ring_size)
		market->ring_len++;
	return kept;
}

static const char *kept_data(const struct hub_kept *kept)
{
	size_t len;

	return ws_frame_payload(kept->frame, &len) + kept->data_at;
}

static struct ws_frame *event_frame(struct hub_market *market, const char *data, size_t data_len,
				    struct wall at, uint64_t seq, uint64_t prev)
{
	const struct hub_text_event event = {
		.channel = market->name,
		.seq = seq,
		.prev = prev,
		.at = at,
		.type = types[market->kind],
		.data = data,
		.data_len = data_len,
		.is_conflated = is_conflated(market),
	};

	return hub_text_event(&market->hub->out, &event);
}

/* ---- readers ----------------------------------------------------------------------------- */

static bool has_room(const struct hub_sub *sub, size_t size)
{
	const struct hub_peer *peer = sub->peer;
	size_t half = peer->hub->config.queue_max_bytes / 2;
	size_t most = half < CONFLATE_ABOVE ? half : CONFLATE_ABOVE;

	if (is_conflated(sub->market) && peer->sink.queued(peer->sink.arg) > most)
		return false;
	return hub_peer_has_room(peer, size);
}

static void enter(struct list *crowd, struct hub_sub *sub)
{
	list_remove(&sub->of_crowd);
	list_push_back(crowd, &sub->of_crowd);
}

static void join_live(struct hub_sub *sub)
{
	sub->state = HUB_SUB_LIVE;
	sub->has_position = true;
	enter(&sub->market->live, sub);
}

/* What it misses from now on it is sent once its sink is empty. */
static void drop_out(struct hub_sub *sub, uint64_t had)
{
	sub->position = had;
	enter(&sub->market->rest, sub);
	hub_sub_lag(sub);
}

static void tell(struct hub_market *market, const struct hub_kept *kept)
{
	size_t size = ws_frame_size(kept->frame);

	market->hub->events++;
	LIST_EACH_SAFE (&market->live, node) {
		struct hub_sub *sub = CONTAINER_OF(node, struct hub_sub, of_crowd);

		if (has_room(sub, size))
			hub_peer_frame(sub->peer, kept->frame);
		else
			drop_out(sub, kept->seq - 1);
	}
}

static bool send_latest(struct hub_sub *sub)
{
	struct hub_market *market = sub->market;
	const struct hub_kept *kept = kept_at(market, market->seq);
	uint64_t prev = sub->position;

	if (!has_room(sub, ws_frame_size(kept->frame)))
		return false;
	market->hub->skipped += kept->seq - prev - 1;
	sub->position = kept->seq;
	if (kept->seq == prev + 1)
		hub_peer_frame(sub->peer, kept->frame);
	else
		hub_peer_frame_take(sub->peer, event_frame(market, kept_data(kept), kept->data_len,
							   kept->at, kept->seq, prev));
	return true;
}

static void send_lost(struct hub_sub *sub)
{
	struct hub_market *market = sub->market;
	uint64_t prev = sub->position;

	sub->position = oldest(market) - 1;
	hub_peer_frame_take(sub->peer, hub_text_gap(&market->hub->out, market->name, sub->position,
						    prev, wall_now(), "history"));
}

static bool send_trades(struct hub_sub *sub)
{
	struct hub_market *market = sub->market;

	if (sub->position + 1 < oldest(market))
		send_lost(sub);
	while (sub->position < market->seq) {
		const struct hub_kept *kept = kept_at(market, sub->position + 1);

		if (!has_room(sub, ws_frame_size(kept->frame)))
			return false;
		sub->position = kept->seq;
		hub_peer_frame(sub->peer, kept->frame);
	}
	return true;
}

/* Brings it up to the newest; what there is no room for, later. */
static void catch_up(struct hub_sub *sub)
{
	struct hub_market *market = sub->market;

	if (sub->owes_status) {
		sub->owes_status = false;
		hub_peer_frame_take(sub->peer, hub_text_status(&market->hub->out, market->name,
							       market->is_live, wall_now()));
	}
	if (sub->position < market->seq &&
	    !(is_conflated(market) ? send_latest(sub) : send_trades(sub)))
		hub_sub_lag(sub);
	else
		join_live(sub);
}

/* ---- snapshots --------------------------------------------------------------------------- */

static void add_trades(const struct hub_market *market, struct buf *data)
{
	const char *comma = "";

	buf_add_char(data, '[');
	for (uint64_t seq = oldest(market); seq <= market->seq; seq++) {
		const struct hub_kept *kept = kept_at(market, seq);

		if (kept->data_len == 0)
			continue;
		buf_add_str(data, comma);
		buf_add(data, kept_data(kept), kept->data_len);
		comma = ",";
	}
	buf_add_char(data, ']');
}

static void send_snapshot(struct hub_sub *sub)
{
	struct hub_market *market = sub->market;
	struct buf *data = &market->hub->data.buf;
	struct hub_text_snapshot snapshot = {
		.id = sub->id, .channel = market->name, .seq = market->seq, .at = wall_now()
	};

	if (!is_conflated(market))
		add_trades(market, data);
	else if (market->ring_len == 0)
		buf_add_str(data, "null");
	else
		buf_add(data, kept_data(&market->ring[0]), market->ring[0].data_len);
	snapshot.data = buf_str(data);
	snapshot.data_len = data->len;
	join_live(sub);
	hub_peer_frame_take(sub->peer, hub_text_snapshot(&market->hub->out, &snapshot));
	hub_text_clear(&market->hub->data);
}

/* A snapshot may be large, so it is not put on top of a long queue. */
static void begin(struct hub_sub *sub)
{
	if (!hub_peer_is_half_empty(sub->peer)) {
		hub_sub_lag(sub);
		return;
	}
	sub->owes_status = false;
	hub_sub_tell(sub, sub->market->seq, !sub->wants_snapshot);
	if (sub->wants_snapshot)
		send_snapshot(sub);
	else
		catch_up(sub);
}

void hub_market_drained(struct hub_sub *sub)
{
	if (sub->is_told)
		catch_up(sub);
	else
		begin(sub);
}

/* ---- coming and going -------------------------------------------------------------------- */

/* Of the trades told by an earlier daemon nothing is known, but that some may be missing: a gap
 * says so. Of a book it does not matter, and how many were skipped cannot be said. */
static bool can_resume(const struct hub_market *market, const struct hub_wish *wish)
{
	const struct hub *hub = market->hub;

	return wish->has_after && strcmp(wish->epoch, journal_epoch(hub->journal)) == 0 &&
	       wish->seq <= market->seq && (!is_conflated(market) || wish->seq >= hub->first_seq);
}

static void want(struct hub_market *market, bool is_wanted)
{
	const struct hub_outside *outside = &market->hub->outside;

	outside->want(outside->arg, market->kind, market->symbol, is_wanted);
}

void hub_market_join(struct hub_sub *sub, const struct hub_target *target,
		     const struct hub_wish *wish)
{
	struct hub_market *market = market_of(sub->peer->hub, target->kind, target->symbol);

	sub->market = market;
	enter(&market->rest, sub);
	market->readers++;
	if (can_resume(market, wish)) {
		sub->position = wish->seq;
		sub->has_position = true;
	} else {
		sub->wants_snapshot = true;
	}
	begin(sub);
	if (market->readers == 1)
		want(market, true);
}

/* Of a symbol that may be none, and was never told of: it has given no number away. */
static void forget(struct hub_market *market)
{
	map_remove(market->hub->markets, market->name);
	hub_market_destroy(market);
}

void hub_market_leave(struct hub_sub *sub)
{
	struct hub_market *market = sub->market;

	list_remove(&sub->of_crowd);
	market->readers--;
	if (market->readers > 0)
		return;
	want(market, false);
	if (market->seq == market->hub->first_seq && !market->is_live)
		forget(market);
}

/* ---- what comes from the exchange -------------------------------------------------------- */

/* With what stands in hub->data. */
static void take(struct hub_market *market)
{
	struct json_out *data = &market->hub->data;
	struct wall now = wall_now();
	struct ws_frame *frame = event_frame(market, buf_str(&data->buf), data->buf.len, now,
					     market->seq + 1, market->seq);
	size_t data_len = data->buf.len;

	hub_text_clear(data);
	tell(market, keep(market, frame, now, data_len));
}

void hub_depth(struct hub *hub, const char *symbol, const struct dd_depth *depth)
{
	hub_text_depth(&hub->data, symbol, depth);
	take(market_of(hub, DD_STREAM_DEPTH, symbol));
}

void hub_price(struct hub *hub, const char *symbol, struct decimal price, struct wall at)
{
	hub_text_price(&hub->data, symbol, price, at);
	take(market_of(hub, DD_STREAM_PRICE, symbol));
}

void hub_trade(struct hub *hub, const struct dd_trade *trade)
{
	hub_text_trade(&hub->data, trade);
	take(market_of(hub, DD_STREAM_TRADES, trade->symbol));
}

void hub_trades_gap(struct hub *hub, const char *symbol)
{
	struct hub_market *market = market_of(hub, DD_STREAM_TRADES, symbol);
	struct wall now = wall_now();

	if (market->ring_len == 0 && market->readers == 0)
		return; /* nobody was told what came before */
	if (market->ring_len > 0 && kept_at(market, market->seq)->data_len == 0)
		return; /* the gap that was told goes on */
	tell(market, keep(market,
			  hub_text_gap(&hub->out, market->name, market->seq + 1, market->seq, now,
				       "upstream"),
			  now, 0));
}

void hub_set_live(struct hub *hub, enum dd_stream_kind kind, const char *symbol, bool is_live)
{
	struct hub_market *market = market_of(hub, kind, symbol);
	struct ws_frame *frame;

	if (market->is_live == is_live)
		return;
	market->is_live = is_live;
	frame = hub_text_status(&hub->out, market->name, is_live, wall_now());
	LIST_EACH (&market->rest, node)
		CONTAINER_OF(node, struct hub_sub, of_crowd)->owes_status = true;
	LIST_EACH_SAFE (&market->live, node) {
		struct hub_sub *sub = CONTAINER_OF(node, struct hub_sub, of_crowd);

		if (hub_peer_has_room(sub->peer, ws_frame_size(frame))) {
			hub_peer_frame(sub->peer, frame);
			continue;
		}
		sub->owes_status = true;
		drop_out(sub, market->seq);
	}
	ws_frame_unref(frame);
}
