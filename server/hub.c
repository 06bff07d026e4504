#include "server/hub.h"

#include <assert.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "net/loop.h"
#include "net/ws.h"
#include "server/hub_parts.h"
#include "server/hub_text.h"

#define ANSWERS_MAX 1000 /* that wait: what is told unasked has a bound of its own */

struct hub *hub_create(struct loop *loop, const struct hub_config *config, struct journal *journal,
		       const struct hub_outside *outside)
{
	struct hub *hub = mem_alloc(sizeof(*hub));

	hub->loop = loop;
	hub->config = *config;
	if (hub->config.page < 1 || hub->config.page > JOURNAL_PAGE_MAX)
		hub->config.page = JOURNAL_PAGE_MAX;
	hub->outside = *outside;
	hub->journal = journal;
	json_out_init(&hub->out);
	json_out_init(&hub->data);
	list_init(&hub->peers);
	list_init(&hub->views);
	hub->markets = map_create();
	hub->first_seq = (uint64_t)wall_now().us; /* unix milliseconds * 1000 */
	hub_feed_init(hub);
	hub_watch_init(hub);
	journal_on_event(journal, hub_view_event, hub);
	return hub;
}

void hub_destroy(struct hub *hub)
{
	const char *name;
	size_t at = 0;
	void *market;

	if (!hub)
		return;
	assert(list_is_empty(&hub->peers));
	journal_on_event(hub->journal, NULL, NULL);
	hub_feed_fini(hub);
	while (map_next(hub->markets, &at, &name, &market))
		hub_market_destroy(market);
	map_destroy(hub->markets);
	hub_watch_fini(hub);
	json_out_fini(&hub->out);
	json_out_fini(&hub->data);
	mem_free(hub);
}

void hub_close_all(struct hub *hub, int code, const char *reason)
{
	LIST_EACH_SAFE (&hub->peers, node)
		hub_peer_close(CONTAINER_OF(node, struct hub_peer, node), code, reason);
}

void hub_close_token(struct hub *hub, const char *token_id, int code, const char *reason)
{
	LIST_EACH_SAFE (&hub->peers, node) {
		struct hub_peer *peer = CONTAINER_OF(node, struct hub_peer, node);

		if (strcmp(peer->token.token_id, token_id) == 0)
			hub_peer_close(peer, code, reason);
	}
}

void hub_status(const struct hub *hub, struct hub_status *status)
{
	*status = (struct hub_status){
		.peers = hub->peer_count,
		.subscriptions = hub->sub_count,
		.catching_up = hub->catching_up,
		.events = hub->events,
		.frames = hub->frames,
		.skipped = hub->skipped,
		.closed_slow = hub->closed_slow,
	};
}

/* ---- peers ------------------------------------------------------------------------------- */

struct hub_peer *hub_peer_create(struct hub *hub, const struct hub_sink *sink,
				 const struct journal_token *token)
{
	struct hub_peer *peer = mem_alloc(sizeof(*peer));

	peer->hub = hub;
	peer->sink = *sink;
	peer->token = *token;
	list_init(&peer->subs);
	list_init(&peer->lagging);
	list_push_back(&hub->peers, &peer->node);
	hub->peer_count++;
	hub_watch_add(peer);
	return peer;
}

static void sub_destroy(struct hub_sub *sub)
{
	struct hub_peer *peer = sub->peer;

	list_remove(&sub->of_peer);
	list_remove(&sub->waiting);
	peer->sub_count--;
	peer->hub->sub_count--;
	if (sub->view)
		hub_view_leave(sub);
	else
		hub_market_leave(sub);
	mem_free(sub);
}

static void end_subscriptions(struct hub_peer *peer)
{
	LIST_EACH_SAFE (&peer->subs, node)
		sub_destroy(CONTAINER_OF(node, struct hub_sub, of_peer));
}

void hub_peer_destroy(struct hub_peer *peer)
{
	if (!peer)
		return;
	end_subscriptions(peer);
	list_remove(&peer->node);
	peer->hub->peer_count--;
	hub_watch_remove(peer);
	mem_free(peer);
}

void hub_peer_close(struct hub_peer *peer, int code, const char *reason)
{
	if (peer->is_closing)
		return;
	peer->is_closing = true;
	end_subscriptions(peer);
	peer->sink.close(peer->sink.arg, code, reason);
}

void hub_peer_drained(struct hub_peer *peer)
{
	struct list lagging;
	struct list_node *node;

	peer->answers = 0;
	list_init(&lagging);
	list_move_all(&peer->lagging, &lagging);
	while ((node = list_pop_front(&lagging))) {
		struct hub_sub *sub = CONTAINER_OF(node, struct hub_sub, waiting);

		if (sub->view)
			hub_feed_hungry(sub);
		else
			hub_market_drained(sub);
	}
	hub_feed_pump(peer->hub);
}

static bool may_be_answered(struct hub_peer *peer)
{
	if (++peer->answers > ANSWERS_MAX)
		hub_peer_close(peer, HUB_CLOSE_SLOW, "answers are not read");
	return !peer->is_closing;
}

void hub_peer_send(struct hub_peer *peer, const char *text, size_t len)
{
	if (may_be_answered(peer))
		hub_peer_frame_take(peer, ws_frame_text(text, len));
}

void hub_peer_frame(struct hub_peer *peer, struct ws_frame *frame)
{
	if (peer->is_closing)
		return;
	peer->hub->frames++;
	peer->sink.send(peer->sink.arg, frame);
}

void hub_peer_frame_take(struct hub_peer *peer, struct ws_frame *frame)
{
	hub_peer_frame(peer, frame);
	ws_frame_unref(frame);
}

bool hub_peer_has_room(const struct hub_peer *peer, size_t size)
{
	size_t queued = peer->sink.queued(peer->sink.arg);

	return queued == 0 || queued + size <= peer->hub->config.queue_max_bytes;
}

bool hub_peer_is_half_empty(const struct hub_peer *peer)
{
	return peer->sink.queued(peer->sink.arg) <= peer->hub->config.queue_max_bytes / 2;
}

/* ---- subscriptions ----------------------------------------------------------------------- */

const char *hub_sub_channel(const struct hub_sub *sub)
{
	return sub->view ? channel_word(sub->view->what.channel) : sub->market->name;
}

uint64_t hub_sub_position(const struct hub_sub *sub)
{
	if (sub->state != HUB_SUB_LIVE)
		return sub->position;
	return sub->view ? sub->view->last : sub->market->seq;
}

void hub_sub_lag(struct hub_sub *sub)
{
	sub->state = HUB_SUB_LAGGING;
	list_remove(&sub->waiting);
	list_push_back(&sub->peer->lagging, &sub->waiting);
}

void hub_sub_tell(struct hub_sub *sub, uint64_t seq, bool is_recovered)
{
	const bool *live = sub->market ? &sub->market->is_live : NULL;

	sub->is_told = true;
	hub_peer_frame_take(sub->peer,
			    hub_text_subscribed(&sub->peer->hub->out, sub->id, hub_sub_channel(sub),
						seq, is_recovered, live));
}

static struct hub_sub *find_sub(const struct hub_peer *peer, const char *channel)
{
	LIST_EACH (&peer->subs, node) {
		struct hub_sub *sub = CONTAINER_OF(node, struct hub_sub, of_peer);

		if (strcmp(hub_sub_channel(sub), channel) == 0)
			return sub;
	}
	return NULL;
}

static struct hub_sub *sub_create(struct hub_peer *peer, int64_t id)
{
	struct hub_sub *sub = mem_alloc(sizeof(*sub));

	sub->peer = peer;
	sub->id = id;
	sub->state = HUB_SUB_HUNGRY;
	list_node_init(&sub->of_crowd);
	list_node_init(&sub->waiting);
	list_push_back(&peer->subs, &sub->of_peer);
	peer->sub_count++;
	peer->hub->sub_count++;
	return sub;
}

bool hub_subscribe(struct hub_peer *peer, const struct hub_wish *wish, struct err *err)
{
	struct hub *hub = peer->hub;
	struct hub_target target;
	struct hub_sub *sub;

	assert(loop_is_mine(hub->loop));
	if (peer->is_closing)
		return err_set(err, ERR_STOPPING, "the connection is closing");
	if (!hub_wish_target(hub, &peer->token, wish, &target, err))
		return false;
	if (find_sub(peer, wish->channel))
		return err_set(err, ERR_INVALID, "%s is subscribed already", wish->channel);
	if (peer->sub_count >= hub->config.subscriptions_max)
		return err_set(err, ERR_INVALID, "%u channels are subscribed, as many as may be",
			       peer->sub_count);
	if (!may_be_answered(peer))
		return err_set(err, ERR_BUSY, "answers are not read");
	sub = sub_create(peer, wish->id);
	if (target.is_market)
		hub_market_join(sub, &target, wish);
	else
		hub_view_join(sub, &target.what, wish);
	return true;
}

bool hub_unsubscribe(struct hub_peer *peer, int64_t id, const char *channel, struct err *err)
{
	struct hub_sub *sub = find_sub(peer, channel);

	if (!sub)
		return err_set(err, ERR_INVALID, "%s is not subscribed", channel);
	if (!may_be_answered(peer))
		return err_set(err, ERR_BUSY, "answers are not read");
	hub_peer_frame_take(peer, hub_text_unsubscribed(&peer->hub->out, id, hub_sub_channel(sub)));
	sub_destroy(sub);
	return true;
}

bool hub_peer_position(const struct hub_peer *peer, const char *channel, uint64_t *seq)
{
	const struct hub_sub *sub = find_sub(peer, channel);

	if (!sub || !sub->has_position)
		return false;
	*seq = hub_sub_position(sub);
	return true;
}

bool hub_peer_is_refused(const struct hub_peer *peer, const char *channel)
{
	const struct hub_sub *sub = find_sub(peer, channel);

	return sub && sub->is_refused;
}
