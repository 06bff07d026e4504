#include "server/orders.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "net/loop.h"

#define FINALS_KEPT    4096
#define CLIENT_KEY_LEN (TOKEN_ID_LEN + ORDER_CLIENT_ID_LEN + 1)

struct listener {
	orders_changed_fn *fn;
	void *arg;
};

struct orders {
	struct loop *loop;
	struct journal *journal;
	struct map *by_id, *by_client, *by_exchange;
	struct list live;   /* not final, oldest first */
	struct list finals; /* final, oldest first; kept for cheap reads and replays */
	size_t finals_count;
	size_t states[ORDER_STATE_COUNT];
	struct listener *listeners;
	size_t listener_count;
	orders_booked_fn *booked;
	void *booked_arg;
};

/* One write under way: what was written, and who wants to know. */
struct record {
	struct orders *orders;
	struct tracked *tracked;
	struct order written;
	enum journal_kind kind;
	journal_done_fn *done;
	void *arg;
};

struct orders *orders_create(struct loop *loop, struct journal *journal)
{
	struct orders *orders = mem_alloc(sizeof(*orders));

	orders->loop = loop;
	orders->journal = journal;
	orders->by_id = map_create();
	orders->by_client = map_create();
	orders->by_exchange = map_create();
	list_init(&orders->live);
	list_init(&orders->finals);
	return orders;
}

static const char *client_key(const char *token_id, const char *client_order_id,
			      char key[CLIENT_KEY_LEN])
{
	snprintf(key, CLIENT_KEY_LEN, "%s %s", token_id, client_order_id);
	return key;
}

static void tracked_free(struct orders *orders, struct tracked *tracked)
{
	char key[CLIENT_KEY_LEN];
	const struct order_terms *terms = &tracked->order.terms;

	assert(list_is_empty(&tracked->waiters) && !tracked->place && !tracked->settle &&
	       !tracked->cancel && !tracked->check);
	if (tracked->is_listed_final)
		orders->finals_count--;
	list_remove(&tracked->node);
	map_remove(orders->by_id, terms->order_id);
	map_remove(orders->by_client, client_key(terms->token_id, terms->client_order_id, key));
	if (map_get(orders->by_exchange, tracked->order.facts.exchange_order_id) == tracked)
		map_remove(orders->by_exchange, tracked->order.facts.exchange_order_id);
	map_destroy(tracked->booked);
	mem_free(tracked);
}

void orders_destroy(struct orders *orders)
{
	if (!orders)
		return;
	LIST_EACH_SAFE (&orders->live, node)
		tracked_free(orders, CONTAINER_OF(node, struct tracked, node));
	LIST_EACH_SAFE (&orders->finals, node)
		tracked_free(orders, CONTAINER_OF(node, struct tracked, node));
	map_destroy(orders->by_id);
	map_destroy(orders->by_client);
	map_destroy(orders->by_exchange);
	mem_free(orders->listeners);
	loop_free_later(orders->loop, orders); /* trim_finals() may be on its way */
}

void orders_on_change(struct orders *orders, orders_changed_fn *fn, void *arg)
{
	size_t size = (orders->listener_count + 1) * sizeof(*orders->listeners);

	orders->listeners = mem_grow(orders->listeners, size);
	orders->listeners[orders->listener_count++] = (struct listener){ .fn = fn, .arg = arg };
}

void orders_on_booked(struct orders *orders, orders_booked_fn *fn, void *arg)
{
	orders->booked = fn;
	orders->booked_arg = arg;
}

static void list_as_final(struct orders *orders, struct tracked *tracked);

struct tracked *orders_add(struct orders *orders, const struct order *order, int weight)
{
	struct tracked *tracked = mem_alloc(sizeof(*tracked));
	char key[CLIENT_KEY_LEN];

	tracked->order = *order;
	tracked->weight = weight;
	list_init(&tracked->waiters);
	list_push_back(&orders->live, &tracked->node);
	orders->states[order->facts.state]++;
	map_put(orders->by_id, order->terms.order_id, tracked);
	map_put(orders->by_client,
		client_key(order->terms.token_id, order->terms.client_order_id, key), tracked);
	if (order->facts.exchange_order_id[0] != '\0')
		map_put(orders->by_exchange, tracked->order.facts.exchange_order_id, tracked);
	if (order_is_final(order->facts.state)) /* brought back from the journal */
		list_as_final(orders, tracked);
	return tracked;
}

void orders_mark_told(struct tracked *tracked)
{
	tracked->told = event_order_digest(&tracked->order);
	tracked->told_state = tracked->order.facts.state;
}

void orders_forget(struct orders *orders, struct tracked *tracked)
{
	assert(tracked->pins == 0);
	orders->states[tracked->order.facts.state]--;
	tracked_free(orders, tracked);
}

void orders_pin(struct tracked *tracked)
{
	tracked->pins++;
}

static bool is_idle(const struct tracked *tracked)
{
	return tracked->pins == 0 && list_is_empty(&tracked->waiters) && !tracked->place &&
	       !tracked->settle && !tracked->cancel && !tracked->check;
}

/* Lets go of the oldest final orders; their place is the journal. */
static void trim_finals(void *arg)
{
	struct orders *orders = arg;

	LIST_EACH_SAFE (&orders->finals, node) {
		struct tracked *tracked = CONTAINER_OF(node, struct tracked, node);

		if (orders->finals_count <= FINALS_KEPT)
			return;
		if (is_idle(tracked)) {
			orders->states[tracked->order.facts.state]--;
			tracked_free(orders, tracked);
		}
	}
}

void orders_unpin(struct orders *orders, struct tracked *tracked)
{
	assert(tracked->pins > 0);
	tracked->pins--;
	if (orders->finals_count > FINALS_KEPT && is_idle(tracked))
		loop_later(orders->loop, trim_finals, orders);
}

struct tracked *orders_find(const struct orders *orders, const char *order_id)
{
	return map_get(orders->by_id, order_id);
}

struct tracked *orders_find_client(const struct orders *orders, const char *token_id,
				   const char *client_order_id)
{
	char key[CLIENT_KEY_LEN];

	return map_get(orders->by_client, client_key(token_id, client_order_id, key));
}

struct tracked *orders_find_exchange(const struct orders *orders, const char *exchange_order_id)
{
	return map_get(orders->by_exchange, exchange_order_id);
}

void orders_set_exchange_id(struct orders *orders, struct tracked *tracked,
			    const char *exchange_order_id)
{
	char *own = tracked->order.facts.exchange_order_id;

	if (own[0] != '\0')
		map_remove(orders->by_exchange, own);
	mem_str_set(own, sizeof(tracked->order.facts.exchange_order_id), exchange_order_id);
	map_put(orders->by_exchange, own, tracked);
}

size_t orders_open_count(const struct orders *orders, const char *token_id)
{
	size_t count = 0;

	LIST_EACH (&orders->live, node) {
		const struct tracked *tracked = CONTAINER_OF(node, struct tracked, node);

		count += !token_id || strcmp(tracked->order.terms.token_id, token_id) == 0;
	}
	return count;
}

size_t orders_count_state(const struct orders *orders, enum order_state state)
{
	return orders->states[state];
}

void orders_each(struct orders *orders, void (*fn)(void *arg, struct tracked *tracked), void *arg)
{
	/* A step may make the order final, which moves it to the other list. */
	LIST_EACH_SAFE (&orders->live, node)
		fn(arg, CONTAINER_OF(node, struct tracked, node));
}

void orders_each_tracked(struct orders *orders, void (*fn)(void *arg, struct tracked *tracked),
			 void *arg)
{
	orders_each(orders, fn, arg);
	LIST_EACH_SAFE (&orders->finals, node)
		fn(arg, CONTAINER_OF(node, struct tracked, node));
}

static void list_as_final(struct orders *orders, struct tracked *tracked)
{
	if (tracked->is_listed_final)
		return;
	list_remove(&tracked->node);
	list_push_back(&orders->finals, &tracked->node);
	tracked->is_listed_final = true;
	orders->finals_count++;
}

void orders_write(struct tracked *tracked, const struct journal_step *step,
		  struct journal_write *write)
{
	const struct order *order = &tracked->order;
	uint64_t digest = event_order_digest(order);

	tracked->order.facts.updated_at = wall_now();
	journal_write_order(write, order, step);
	/* What an intent told may come to nothing: until that is known, everything is news. */
	if (digest == tracked->told && tracked->intents == 0)
		return;
	event_order(write, order);
	if (order->facts.state == ORDER_UNKNOWN && tracked->told_state != ORDER_UNKNOWN)
		event_unknown_with(write, order,
				   step->detail ? step->detail
						: "the answer to its submit was lost",
				   order->facts.updated_at); /* asked for at once */
	tracked->told = digest;
	tracked->told_state = order->facts.state;
}

static void recorded(void *arg, const struct err *err)
{
	struct record *record = arg;
	struct orders *orders = record->orders;
	struct tracked *tracked = record->tracked;

	tracked->writing--;
	tracked->intents -= record->kind == JOURNAL_INTENT;
	if (err) {
		tracked->told = 0;
		tracked->told_state = ORDER_NONE;
		orders_unpin(orders, tracked); /* done() may forget the order */
	}
	if (record->done)
		record->done(record->arg, err);
	if (!err) {
		for (size_t i = 0; i < orders->listener_count; i++)
			orders->listeners[i].fn(orders->listeners[i].arg, tracked,
						&record->written);
		orders_unpin(orders, tracked);
	}
	mem_free(record);
}

void orders_record(struct orders *orders, struct tracked *tracked, const struct journal_step *step,
		   struct journal_write *write, enum journal_kind kind, journal_done_fn *done,
		   void *arg)
{
	struct record *record = mem_alloc(sizeof(*record));

	tracked->changed = loop_now(orders->loop);
	if (!write)
		write = journal_write_create();
	orders_write(tracked, step, write);
	record->orders = orders;
	record->tracked = tracked;
	record->written = tracked->order;
	record->kind = kind;
	record->done = done;
	record->arg = arg;
	orders_pin(tracked);
	tracked->writing++;
	tracked->intents += kind == JOURNAL_INTENT;
	if (order_is_final(tracked->order.facts.state))
		list_as_final(orders, tracked);
	journal_append(orders->journal, kind, write, recorded, record);
}

void orders_tell(struct orders *orders, const struct tracked *tracked, enum system_event event,
		 const char *text)
{
	const struct order_terms *terms = &tracked->order.terms;

	event_system(orders->journal, event, terms->order_id, terms->token_id, terms->symbol, text);
}

bool orders_step(struct orders *orders, struct tracked *tracked, enum order_event event)
{
	enum order_state from = tracked->order.facts.state;
	struct err err;

	if (!order_step(&tracked->order, event, &err)) {
		LOG(ERROR, "order.illegal_move", F_STR("order", tracked->order.terms.order_id),
		    F_ERR(&err));
		return false;
	}
	orders->states[from]--;
	orders->states[tracked->order.facts.state]++;
	return true;
}

bool orders_move(struct orders *orders, struct tracked *tracked, enum order_event event,
		 const struct journal_step *step)
{
	struct journal_step named = *step;

	if (!orders_step(orders, tracked, event))
		return false;
	if (!named.event)
		named.event = order_event_name(event);
	orders_record(orders, tracked, &named, NULL, JOURNAL_FACT, NULL, NULL);
	return true;
}

bool orders_book(struct orders *orders, struct tracked *tracked, const struct fill *fill)
{
	enum order_state from = tracked->order.facts.state;
	struct err err;

	if (!order_book_fill(&tracked->order, fill, &err)) {
		LOG(ERROR, "fill.unusable", F_STR("order", tracked->order.terms.order_id),
		    F_STR("execution", fill->execution_id), F_ERR(&err));
		return false;
	}
	orders->states[from]--;
	orders->states[tracked->order.facts.state]++;
	orders_mark_booked(tracked, fill->execution_id);
	if (orders->booked)
		orders->booked(orders->booked_arg, fill);
	return true;
}

void orders_mark_booked(struct tracked *tracked, const char *execution_id)
{
	if (!tracked->booked)
		tracked->booked = map_create();
	map_put(tracked->booked, execution_id, tracked);
}

bool orders_has_booked(const struct tracked *tracked, const char *execution_id)
{
	return tracked->booked && map_get(tracked->booked, execution_id);
}
