#include "server/hub_parts.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "net/loop.h"
#include "net/ws.h"
#include "server/hub_text.h"
#include "server/json.h"

/* Why nothing is lost or doubled between what is asked for and what is told: the journal answers
 * in order with its acknowledgements, so at the moment of an answer it holds exactly what the
 * listener has been told, no more and no less. A view knows its last number from an answer of its
 * own, asked for before any other, and from then on follows the listener; so whatever answer
 * comes, view->last is the number that it goes up to. A page that is not full leaves nothing out,
 * and a snapshot is as of view->last: whoever got it is live in the same callback. */

#define FEEDING_MAX 2   /* pages and snapshots on their way: commits and others come between */
#define FILLS_MAX   100 /* in a snapshot */

struct hub_question {
	struct list_node node; /* of hub->questions */
	struct hub *hub;       /* NULL: whoever asked is gone; likewise below */
	struct hub_view *view; /* for its last number, or a snapshot */
	struct hub_sub *sub;   /* for a page */
	bool counts;           /* in hub->feeding */
};

static struct hub_question *question_create(struct hub *hub, struct hub_view *view,
					    struct hub_sub *sub)
{
	struct hub_question *question = mem_alloc(sizeof(*question));

	question->hub = hub;
	question->view = view;
	question->sub = sub;
	list_push_back(&hub->questions, &question->node);
	return question;
}

static void count(struct hub_question *question)
{
	question->counts = true;
	question->hub->feeding++;
}

/* Answered. */
static void question_destroy(struct hub_question *question)
{
	if (question->hub && question->counts)
		question->hub->feeding--;
	list_remove(&question->node);
	mem_free(question);
}

void hub_feed_forget_sub(struct hub_sub *sub)
{
	if (sub->question)
		sub->question->sub = NULL;
}

void hub_feed_forget_view(struct hub_view *view)
{
	LIST_EACH (&view->hub->questions, node) {
		struct hub_question *question = CONTAINER_OF(node, struct hub_question, node);

		if (question->view == view)
			question->view = NULL;
	}
}

/* The reader may come again, to a journal that answers. */
static void close_unread(struct hub_sub *sub)
{
	hub_peer_close(sub->peer, HUB_CLOSE_INTERNAL, "the journal cannot be read");
}

static void close_unread_all(struct list *subs)
{
	LIST_EACH_SAFE (subs, node)
		close_unread(CONTAINER_OF(node, struct hub_sub, of_crowd));
}

/* ---- a view's last number ---------------------------------------------------------------- */

static void learned(void *arg, const struct err *err, const struct channel_event *events,
		    size_t event_count, uint64_t last, uint64_t pruned)
{
	struct hub_question *question = arg;
	struct hub_view *view = question->view;

	(void)events;
	(void)event_count;
	if (!question->hub || !view)
		goto out;
	hub_view_hold(view);
	if (err) {
		close_unread_all(&view->rest);
	} else {
		view->is_known = true;
		view->last = last > pruned ? last : pruned;
	}
	hub_view_release(view);
out:
	question_destroy(question);
}

void hub_feed_learn(struct hub_view *view)
{
	struct hub *hub = view->hub;

	journal_find_channel(hub->journal, &view->what, INT64_MAX, 1, learned,
			     question_create(hub, view, NULL));
}

/* ---- pages ------------------------------------------------------------------------------- */

/* How many of the events were sent: all for which there was room. */
static size_t send_page(struct hub_sub *sub, const struct channel_event *events, size_t event_count)
{
	for (size_t i = 0; i < event_count; i++) {
		struct ws_frame *frame = hub_view_frame(sub->peer->hub, &events[i], sub->position);

		if (!hub_peer_has_room(sub->peer, ws_frame_size(frame))) {
			ws_frame_unref(frame);
			return i;
		}
		sub->position = sub->cursor = events[i].seq;
		hub_peer_frame_take(sub->peer, frame);
	}
	return event_count;
}

static void refuse_position(struct hub_sub *sub, uint64_t pruned)
{
	const char *channel = hub_sub_channel(sub);
	struct err err;

	sub->is_refused = true;
	err_set(&err, ERR_INVALID,
		"%s are kept from number %llu on; subscribe without a position to get a snapshot",
		channel, (unsigned long long)pruned + 1);
	hub_peer_frame_take(sub->peer, hub_text_error(&sub->peer->hub->out, sub->id, &err));
	hub_peer_close(sub->peer, HUB_CLOSE_POSITION, "the position is older than what is kept");
}

static void take_page(struct hub_sub *sub, const struct channel_event *events, size_t event_count,
		      uint64_t pruned)
{
	const struct hub_view *view = sub->view;

	if (!sub->is_told && sub->position > view->last) {
		sub->has_position = false; /* from the future of another journal */
		sub->wants_snapshot = true;
		hub_feed_hungry(sub);
		return;
	}
	if (sub->position != view->last && sub->cursor < pruned) {
		refuse_position(sub, pruned);
		return;
	}
	if (!sub->is_told)
		hub_sub_tell(sub, view->last, true);
	if (send_page(sub, events, event_count) < event_count ||
	    event_count == view->hub->config.page) {
		hub_feed_hungry(sub);
		return;
	}
	assert(sub->position == view->last);
	hub_view_live(sub);
}

static void page_came(void *arg, const struct err *err, const struct channel_event *events,
		      size_t event_count, uint64_t last, uint64_t pruned)
{
	struct hub_question *question = arg;
	struct hub_sub *sub = question->sub;
	struct hub *hub = question->hub;

	(void)last;
	question_destroy(question);
	if (!hub)
		return;
	if (sub) {
		sub->question = NULL;
		if (err)
			close_unread(sub);
		else
			take_page(sub, events, event_count, pruned);
	}
	hub_feed_pump(hub);
}

static void ask_page(struct hub_sub *sub)
{
	struct hub *hub = sub->peer->hub;

	sub->question = question_create(hub, NULL, sub);
	count(sub->question);
	journal_find_channel(hub->journal, &sub->view->what, sub->cursor, hub->config.page,
			     page_came, sub->question);
}

/* ---- snapshots --------------------------------------------------------------------------- */

static bool waits_for_snapshot(const struct hub_sub *sub)
{
	return sub->state == HUB_SUB_ASKED && sub->wants_snapshot;
}

/* One frame for all who gave the same id, as nearly all do. */
static struct ws_frame *snapshot_frame(struct hub_sub *sub, const struct json_out *data,
				       struct wall at)
{
	const struct hub_text_snapshot snapshot = {
		.id = sub->id,
		.channel = hub_sub_channel(sub),
		.seq = sub->view->last,
		.at = at,
		.data = buf_str(&data->buf),
		.data_len = data->buf.len,
	};
	struct json_out out; /* not the hub's own: this may be large, and memory once taken stays */
	struct ws_frame *frame;

	json_out_init(&out);
	frame = hub_text_snapshot(&out, &snapshot);
	json_out_fini(&out);
	return frame;
}

static void send_snapshot(struct hub_sub *sub, struct ws_frame *frame)
{
	sub->wants_snapshot = false;
	hub_sub_tell(sub, sub->view->last, false);
	hub_view_live(sub);
	hub_peer_frame(sub->peer, frame);
}

static void send_snapshots(struct hub_view *view, const struct json_out *data)
{
	struct wall now = wall_now();
	struct ws_frame *frame = NULL;
	int64_t id = 0;

	LIST_EACH_SAFE (&view->rest, node) {
		struct hub_sub *sub = CONTAINER_OF(node, struct hub_sub, of_crowd);

		if (!waits_for_snapshot(sub))
			continue;
		if (!hub_peer_is_half_empty(sub->peer)) {
			hub_feed_hungry(sub);
			continue;
		}
		if (!frame || id != sub->id) {
			ws_frame_unref(frame);
			id = sub->id;
			frame = snapshot_frame(sub, data, now);
		}
		send_snapshot(sub, frame);
	}
	ws_frame_unref(frame);
}

static void close_those_waiting(struct hub_view *view)
{
	LIST_EACH_SAFE (&view->rest, node) {
		struct hub_sub *sub = CONTAINER_OF(node, struct hub_sub, of_crowd);

		if (waits_for_snapshot(sub))
			close_unread(sub);
	}
}

/* data: NULL when there is none, as the journal could not be read. Takes it. */
static void snapshot_came(struct hub_question *question, struct json_out *data)
{
	struct hub_view *view = question->view;
	struct hub *hub = question->hub;

	question_destroy(question);
	if (hub && view) {
		hub_view_hold(view);
		view->snapshot = NULL;
		if (data && !data->buf.is_full)
			send_snapshots(view, data);
		else
			close_those_waiting(view);
		hub_view_release(view);
	}
	if (data)
		json_out_fini(data);
	if (hub)
		hub_feed_pump(hub);
}

/* Is there anybody to put the answer into words for? */
static bool is_wanted(const struct hub_question *question)
{
	return question->hub && question->view;
}

static bool shows(const struct hub_view *view, const char *token_id, const char *symbol)
{
	struct channel_event event = { .channel = view->what.channel };

	STR_SET(event.token_id, token_id);
	STR_SET(event.symbol, symbol);
	return channel_view_shows(&view->what, &event);
}

static void orders_came(void *arg, const struct err *err, const struct order *orders,
			size_t order_count)
{
	struct hub_question *question = arg;
	struct json_out data;

	if (err || !is_wanted(question)) {
		snapshot_came(question, NULL);
		return;
	}
	json_out_init(&data);
	json_out_array(&data, NULL);
	for (size_t i = 0; i < order_count; i++)
		if (shows(question->view, orders[i].terms.token_id, orders[i].terms.symbol))
			json_order(&data, NULL, &orders[i]);
	json_out_array_end(&data);
	snapshot_came(question, &data);
}

/* They come newest first. */
static void fills_came(void *arg, const struct err *err, const struct fill *fills,
		       const int64_t *numbers, size_t fill_count)
{
	struct hub_question *question = arg;
	size_t kept[FILLS_MAX], kept_count = 0;
	struct json_out data;

	(void)numbers;
	if (err || !is_wanted(question)) {
		snapshot_came(question, NULL);
		return;
	}
	for (size_t i = 0; i < fill_count && kept_count < FILLS_MAX; i++)
		if (shows(question->view, fills[i].token_id, fills[i].symbol))
			kept[kept_count++] = i;
	json_out_init(&data);
	json_out_array(&data, NULL);
	while (kept_count > 0)
		json_fill(&data, &fills[kept[--kept_count]]);
	json_out_array_end(&data);
	snapshot_came(question, &data);
}

static void balances_came(void *arg, const struct err *err, const struct journal_balance *balances,
			  const struct wall *as_of, size_t balance_count)
{
	struct hub_question *question = arg;
	struct json_out data;

	if (err || !is_wanted(question)) {
		snapshot_came(question, NULL);
		return;
	}
	json_out_init(&data);
	json_out_array(&data, NULL);
	for (size_t i = 0; i < balance_count; i++)
		hub_text_balance(&data, &balances[i], as_of[i]);
	json_out_array_end(&data);
	snapshot_came(question, &data);
}

/* The system's state is not in the journal; only the moment is asked for. */
static void moment_came(void *arg, const struct err *err, const struct channel_event *events,
			size_t event_count, uint64_t last, uint64_t pruned)
{
	struct hub_question *question = arg;
	struct json_out data;

	(void)events;
	(void)event_count;
	(void)last;
	(void)pruned;
	if (err || !is_wanted(question)) {
		snapshot_came(question, NULL);
		return;
	}
	json_out_init(&data);
	json_out_object(&data, NULL);
	question->hub->outside.system_state(question->hub->outside.arg, &data);
	json_out_object_end(&data);
	snapshot_came(question, &data);
}

static uint32_t states_not_final(void)
{
	uint32_t states = 0;

	for (int state = ORDER_NONE + 1; state < ORDER_STATE_COUNT; state++)
		if (!order_is_final((enum order_state)state))
			states |= 1u << state;
	return states;
}

/* The one symbol that a view shows: what the journal can look for. "" for all, and for several. */
static const char *only_symbol(const struct hub_view *view)
{
	const char *symbols = view->what.symbols;
	bool is_one = strchr(symbols, ',') == NULL && strlen(symbols) < ORDER_SYMBOL_LEN;

	return is_one ? symbols : "";
}

static void ask_orders(struct hub_view *view)
{
	struct journal_order_query query = { .states = states_not_final(),
					     .limit = JOURNAL_SNAPSHOT_MAX };

	STR_SET(query.token_id, view->what.token_id);
	STR_SET(query.symbol, only_symbol(view));
	journal_find_orders(view->hub->journal, &query, orders_came, view->snapshot);
}

static void ask_fills(struct hub_view *view)
{
	struct journal_fill_query query = { .newest_first = true, .limit = JOURNAL_PAGE_MAX };

	STR_SET(query.token_id, view->what.token_id);
	STR_SET(query.symbol, only_symbol(view));
	if (!view->what.symbols[0] || query.symbol[0])
		query.limit = FILLS_MAX; /* the journal leaves nothing to be left out here */
	journal_find_fills(view->hub->journal, &query, fills_came, view->snapshot);
}

static void ask_snapshot(struct hub_view *view)
{
	struct journal *journal = view->hub->journal;

	if (view->snapshot)
		return; /* its answer is newer than this wish */
	view->snapshot = question_create(view->hub, view, NULL);
	count(view->snapshot);
	switch (view->what.channel) {
	case CHANNEL_ORDERS:
		ask_orders(view);
		break;
	case CHANNEL_FILLS:
		ask_fills(view);
		break;
	case CHANNEL_BALANCES:
		journal_find_balances(journal, balances_came, view->snapshot);
		break;
	case CHANNEL_SYSTEM:
		journal_find_channel(journal, &view->what, INT64_MAX, 1, moment_came,
				     view->snapshot);
		break;
	}
}

/* ---- turns ------------------------------------------------------------------------------- */

void hub_feed_hungry(struct hub_sub *sub)
{
	if (!hub_peer_is_half_empty(sub->peer)) {
		hub_sub_lag(sub);
		return;
	}
	sub->state = HUB_SUB_HUNGRY;
	list_remove(&sub->waiting);
	list_push_back(&sub->peer->hub->hungry, &sub->waiting);
}

/* A page takes its time from whoever is on the loop, and from the core that the journal's thread
 * may share with it: an event that has just come to many is not to wait for it. */
static bool gives_way(struct hub *hub)
{
	struct mono now;

	if (!hub->outside.is_behind(hub->outside.arg)) {
		hub->gives_way_since = (struct mono){ 0 };
		return false;
	}
	now = loop_now(hub->loop);
	if (hub->gives_way_since.us == 0)
		hub->gives_way_since = now;
	if (mono_diff_ms(now, hub->gives_way_since) < hub->config.give_way_ms)
		return true;
	hub->gives_way_since = now; /* one page, and on */
	return false;
}

void hub_feed_pump(struct hub *hub)
{
	while (hub->feeding < FEEDING_MAX && !list_is_empty(&hub->hungry) && !gives_way(hub)) {
		struct hub_sub *sub =
			CONTAINER_OF(list_pop_front(&hub->hungry), struct hub_sub, waiting);

		sub->state = HUB_SUB_ASKED;
		if (sub->wants_snapshot)
			ask_snapshot(sub->view);
		else
			ask_page(sub);
	}
}

static void turn_again(void *arg)
{
	(void)arg;
}

/* Whoever still has no question on its way waits for others to be written to; nothing tells when
 * that is done, so the loop does not sleep. */
static void end_turn(void *arg)
{
	struct hub *hub = arg;

	hub_feed_pump(hub);
	if (hub->feeding < FEEDING_MAX && !list_is_empty(&hub->hungry))
		loop_later(hub->loop, turn_again, NULL);
}

void hub_feed_init(struct hub *hub)
{
	list_init(&hub->hungry);
	list_init(&hub->questions);
	hub->end_of_turn = hook_create(hub->loop, end_turn, hub);
}

void hub_feed_fini(struct hub *hub)
{
	struct list_node *node;

	hook_destroy(hub->end_of_turn);
	while ((node = list_pop_front(&hub->questions)))
		CONTAINER_OF(node, struct hub_question, node)->hub = NULL;
}
