#include "server/hub_parts.h"

#include <string.h>

#include "base/mem.h"
#include "net/ws.h"
#include "server/hub_text.h"

/* ---- views ------------------------------------------------------------------------------- */

static bool is_same(const struct channel_view *a, const struct channel_view *b)
{
	return a->channel == b->channel && strcmp(a->token_id, b->token_id) == 0 &&
	       strcmp(a->symbols, b->symbols) == 0;
}

static struct hub_view *view_of(struct hub *hub, const struct channel_view *what)
{
	struct hub_view *view;

	LIST_EACH (&hub->views, node) {
		view = CONTAINER_OF(node, struct hub_view, node);
		if (is_same(&view->what, what))
			return view;
	}
	view = mem_alloc(sizeof(*view));
	view->hub = hub;
	view->what = *what;
	list_init(&view->live);
	list_init(&view->rest);
	list_push_back(&hub->views, &view->node);
	hub_feed_learn(view);
	return view;
}

void hub_view_hold(struct hub_view *view)
{
	view->holds++;
}

void hub_view_release(struct hub_view *view)
{
	view->holds--;
	if (view->holds > 0 || !list_is_empty(&view->live) || !list_is_empty(&view->rest))
		return;
	hub_feed_forget_view(view);
	list_remove(&view->node);
	mem_free(view);
}

/* ---- coming and going -------------------------------------------------------------------- */

static void enter_rest(struct hub_sub *sub)
{
	list_remove(&sub->of_crowd);
	list_push_back(&sub->view->rest, &sub->of_crowd);
	sub->view->hub->catching_up++;
}

void hub_view_live(struct hub_sub *sub)
{
	list_remove(&sub->waiting);
	list_remove(&sub->of_crowd);
	list_push_back(&sub->view->live, &sub->of_crowd);
	sub->view->hub->catching_up--;
	sub->state = HUB_SUB_LIVE;
	sub->has_position = true;
}

/* A position in another journal means nothing here, and one from the future was in another. */
static bool can_resume(const struct hub_view *view, const struct hub_wish *wish)
{
	return wish->has_after && strcmp(wish->epoch, journal_epoch(view->hub->journal)) == 0 &&
	       !(view->is_known && wish->seq > view->last);
}

void hub_view_join(struct hub_sub *sub, const struct channel_view *what,
		   const struct hub_wish *wish)
{
	struct hub_view *view = view_of(sub->peer->hub, what);

	sub->view = view;
	enter_rest(sub);
	if (can_resume(view, wish)) {
		sub->position = sub->cursor = wish->seq;
		sub->has_position = true;
	} else {
		sub->wants_snapshot = true;
	}
	if (sub->has_position && view->is_known && sub->position == view->last) {
		hub_sub_tell(sub, view->last, true); /* nothing was missed */
		hub_view_live(sub);
		return;
	}
	hub_feed_hungry(sub);
	hub_feed_pump(view->hub);
}

void hub_view_leave(struct hub_sub *sub)
{
	struct hub_view *view = sub->view;

	hub_view_hold(view);
	if (sub->state != HUB_SUB_LIVE)
		view->hub->catching_up--;
	hub_feed_forget_sub(sub);
	list_remove(&sub->of_crowd);
	hub_view_release(view);
}

/* ---- the crowd --------------------------------------------------------------------------- */

struct ws_frame *hub_view_frame(struct hub *hub, const struct channel_event *event, uint64_t prev)
{
	const struct hub_text_event text = {
		.channel = channel_word(event->channel),
		.seq = event->seq,
		.prev = prev,
		.at = event->at,
		.type = event->type,
		.data = event->data,
		.data_len = strlen(event->data),
	};

	return hub_text_event(&hub->out, &text);
}

/* It goes on from the journal once its sink is empty. */
static void drop_out(struct hub_sub *sub, uint64_t had, uint64_t missing)
{
	sub->position = had;
	sub->cursor = missing - 1;
	enter_rest(sub);
	hub_sub_lag(sub);
}

static void tell_view(struct hub_view *view, const struct channel_event *event)
{
	uint64_t prev = view->last;
	struct ws_frame *frame;
	size_t size;

	view->last = event->seq; /* first: sinks may ask where their peer is */
	if (list_is_empty(&view->live))
		return;
	frame = hub_view_frame(view->hub, event, prev);
	size = ws_frame_size(frame);
	LIST_EACH_SAFE (&view->live, node) {
		struct hub_sub *sub = CONTAINER_OF(node, struct hub_sub, of_crowd);

		if (hub_peer_has_room(sub->peer, size))
			hub_peer_frame(sub->peer, frame);
		else
			drop_out(sub, prev, event->seq);
	}
	ws_frame_unref(frame);
}

void hub_view_event(void *arg, const struct channel_event *event)
{
	struct hub *hub = arg;

	hub->events++;
	LIST_EACH (&hub->views, node) {
		struct hub_view *view = CONTAINER_OF(node, struct hub_view, node);

		/* What a view that knows nothing yet will learn includes this. */
		if (view->is_known && channel_view_shows(&view->what, event))
			tell_view(view, event);
	}
}
