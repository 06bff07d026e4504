#include "server/hub_parts.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "net/loop.h"
#include "server/hub_text.h"

/* Each peer is in one of the slots; a slot's turn comes once every visit_ms. So peers that came
 * all at once do not get their heartbeats all at once. */

#define VISITS_WHILE_SLOW 8   /* at least: how finely the time without progress is measured */
#define SLOT_MS           10  /* at least between two slots' turns */
#define REASON_LEN        123 /* of a close frame */

static void next_slot(void *arg);

void hub_watch_init(struct hub *hub)
{
	int64_t finest_ms = hub->config.slow_ms / VISITS_WHILE_SLOW;

	if (finest_ms < 1)
		finest_ms = 1;
	hub->visits = (unsigned)((hub->config.heartbeat_ms + finest_ms - 1) / finest_ms);
	hub->visit_ms = hub->config.heartbeat_ms / hub->visits;
	if (hub->visit_ms < 1)
		hub->visit_ms = 1;
	hub->slot_count = HUB_WATCH_SLOTS;
	if (hub->visit_ms < (int64_t)HUB_WATCH_SLOTS * SLOT_MS)
		hub->slot_count = (unsigned)(hub->visit_ms / SLOT_MS + 1);
	for (size_t i = 0; i < HUB_WATCH_SLOTS; i++)
		list_init(&hub->slots[i]);
	hub->watch = loop_timer_create(hub->loop, next_slot, hub);
}

void hub_watch_fini(struct hub *hub)
{
	timer_destroy(hub->watch);
}

static void arm(struct hub *hub)
{
	struct mono now = loop_now(hub->loop);

	hub->watch_at.us += hub->visit_ms * 1000 / hub->slot_count;
	if (hub->watch_at.us < now.us)
		hub->watch_at = now; /* the loop was held up */
	timer_start_at(hub->watch, hub->watch_at);
}

void hub_watch_add(struct hub_peer *peer)
{
	struct hub *hub = peer->hub;

	peer->visits_left = hub->visits;
	list_push_back(&hub->slots[hub->slot_next], &peer->slot);
	hub->slot_next = (hub->slot_next + 1) % hub->slot_count;
	if (timer_is_running(hub->watch))
		return;
	hub->watch_at = loop_now(hub->loop);
	arm(hub);
}

void hub_watch_remove(struct hub_peer *peer)
{
	list_remove(&peer->slot);
	if (peer->hub->peer_count == 0)
		timer_stop(peer->hub->watch);
}

static void next_slot(void *arg)
{
	struct hub *hub = arg;
	struct mono now = loop_now(hub->loop);
	struct wall today = wall_now();

	LIST_EACH_SAFE (&hub->slots[hub->slot_now], node)
		hub_watch_visit(CONTAINER_OF(node, struct hub_peer, slot), now, today);
	hub->slot_now = (hub->slot_now + 1) % hub->slot_count;
	arm(hub);
}

/* ---- a visit ------------------------------------------------------------------------------ */

static bool is_slow(struct hub_peer *peer, struct mono now)
{
	uint64_t sent = peer->sink.sent(peer->sink.arg);
	bool makes_progress = peer->sink.queued(peer->sink.arg) == 0 || sent != peer->sent_seen;

	peer->sent_seen = sent;
	if (makes_progress) {
		peer->is_stuck = false;
		return false;
	}
	if (!peer->is_stuck) {
		peer->is_stuck = true;
		peer->stuck_since = now;
	}
	return mono_diff_ms(now, peer->stuck_since) >= peer->hub->config.slow_ms;
}

/* "orders=812 fills=790": how far it had got. */
static void close_slow(struct hub_peer *peer)
{
	char reason[REASON_LEN + 1] = "slow";
	size_t len = 0;

	LIST_EACH (&peer->subs, node) {
		const struct hub_sub *sub = CONTAINER_OF(node, struct hub_sub, of_peer);
		char part[REASON_LEN + 1];
		int part_len;

		if (!sub->view || !sub->has_position)
			continue;
		part_len =
			snprintf(part, sizeof(part), "%s%s=%llu", len ? " " : "",
				 hub_sub_channel(sub), (unsigned long long)hub_sub_position(sub));
		if (len + (size_t)part_len > REASON_LEN)
			break;
		memcpy(reason + len, part, (size_t)part_len + 1);
		len += (size_t)part_len;
	}
	peer->hub->closed_slow++;
	LOG(WARN, "subscriber.slow", F_STR("token", peer->token.token_id), F_STR("had", reason));
	hub_peer_close(peer, HUB_CLOSE_SLOW, reason);
}

static void send_heartbeat(struct hub_peer *peer, struct wall today)
{
	struct json_out *out = &peer->hub->out;

	hub_text_hb_begin(out, today);
	LIST_EACH (&peer->subs, node) {
		const struct hub_sub *sub = CONTAINER_OF(node, struct hub_sub, of_peer);

		if (sub->is_told && sub->has_position)
			hub_text_hb_add(out, hub_sub_channel(sub), hub_sub_position(sub));
	}
	hub_peer_frame_take(peer, hub_text_hb_end(out));
}

void hub_watch_visit(struct hub_peer *peer, struct mono now, struct wall today)
{
	if (peer->is_closing)
		return;
	if (peer->token.expires_at.us && peer->token.expires_at.us <= today.us) {
		hub_peer_close(peer, HUB_CLOSE_AUTH, "the token has expired");
		return;
	}
	if (is_slow(peer, now)) {
		close_slow(peer);
		return;
	}
	if (--peer->visits_left > 0)
		return;
	peer->visits_left = peer->hub->visits;
	if (hub_peer_has_room(peer, 0)) /* else it has enough to read */
		send_heartbeat(peer, today);
}
