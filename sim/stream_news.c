#include "base/buf.h"
#include "net/ws.h"
#include "sim/stream_wire.h"
#include "sim/streams.h"
#include "sim/streams_in.h"

#define DEPTH_GAP_MS 100 /* at most ten books a second of each market */

/* ---- saying ---- */

static void say(struct stream_socket *socket, const struct buf *message)
{
	struct mono due;

	if (!socket->peer)
		return;
	line_say(&socket->line, &socket->streams->sim->faults, buf_str(message), message->len,
		 mono_now());
	due = line_due(&socket->line);
	if (due.us != 0)
		streams_poke(socket->streams);
}

/* account NULL: whoever listens to name. */
static bool hears(const struct stream_socket *socket, const struct stream_name *name,
		  const struct account *account)
{
	return socket->peer && stream_is(&socket->name, name) &&
	       (!account || socket->account == account);
}

static bool has_listener(const struct streams *streams, const struct stream_name *name,
			 const struct account *account)
{
	LIST_EACH (&streams->sockets, node) {
		if (hears(CONTAINER_OF(node, struct stream_socket, node), name, account))
			return true;
	}
	return false;
}

void stream_news_say(struct streams *streams, const struct stream_name *name,
		     const struct account *account, const struct buf *message)
{
	LIST_EACH_SAFE (&streams->sockets, node) {
		struct stream_socket *socket = CONTAINER_OF(node, struct stream_socket, node);

		if (hears(socket, name, account))
			say(socket, message);
	}
}

static struct exchange_market *market_of(const struct streams *streams, const struct pair *pair)
{
	return &streams->sim->exchange->markets[pair->id];
}

/* ---- what the exchange tells ---- */

static const struct stream_name account_name = { STREAM_ACCOUNT, NULL };

/* True once for the order that a maker's fill left on the book. */
static bool is_partial_fill(struct streams *streams, const struct order *order)
{
	if (streams->partly != order)
		return false;
	streams->partly = NULL;
	return order->status == ORDER_OPEN;
}

static void tell_order(struct streams *streams, const struct order *order)
{
	bool is_partial = is_partial_fill(streams, order);
	bool was_submitted = order->status != ORDER_BUILDING && order->is_submitted;
	struct buf message;

	if (!was_submitted || (is_partial && streams_have(streams, SWITCH_SILENT_PARTIAL)) ||
	    !has_listener(streams, &account_name, order->account))
		return;
	buf_init(&message, STREAM_MESSAGE_MAX);
	stream_add_order(&message, order, streams_have(streams, SWITCH_EXECUTIONS));
	stream_news_say(streams, &account_name, order->account, &message);
	buf_fini(&message);
}

static void note_balance(struct streams *streams, const struct exchange_event *event)
{
	LIST_EACH (&streams->sockets, node) {
		struct stream_socket *socket = CONTAINER_OF(node, struct stream_socket, node);

		if (!hears(socket, &account_name, event->account))
			continue;
		socket->changed |= 1u << event->asset->id;
		streams_poke(streams);
	}
}

static void tell_trade(struct streams *streams, const struct exchange_event *event)
{
	const struct stream_name trades = { STREAM_TRADES, event->pair };
	const struct stream_name price = { STREAM_PRICE, event->pair };
	struct buf message;

	buf_init(&message, STREAM_MESSAGE_MAX);
	if (streams_have(streams, SWITCH_BACKLOG))
		stream_add_trades(&message, market_of(streams, event->pair), event->pair,
				  TRADES_FIRST);
	else
		stream_add_trade(&message, event->pair, event->trade);
	stream_news_say(streams, &trades, NULL, &message);
	buf_clear(&message);
	stream_add_price(&message, event->trade->price, streams_have(streams, SWITCH_BARE_PRICE));
	stream_news_say(streams, &price, NULL, &message);
	buf_fini(&message);
}

static void note_book(struct streams *streams, const struct pair *pair)
{
	const struct stream_name depth = { STREAM_DEPTH, pair };

	if (!has_listener(streams, &depth, NULL))
		return;
	streams->depths[pair->id].has_news = true;
	streams_poke(streams);
}

static void note_settings(struct streams *streams)
{
	bool is_locked = streams->sim->exchange->is_locked;

	if (streams->was_locked && !is_locked && streams_have(streams, SWITCH_UNLOCK_CLOSES))
		streams_close(streams, "*", WS_CLOSE_AWAY);
	streams->was_locked = is_locked;
}

void stream_news_on_event(void *arg, const struct exchange_event *event)
{
	struct streams *streams = arg;

	switch (event->kind) {
	case EVENT_ORDER:
		tell_order(streams, event->order);
		break;
	case EVENT_EXECUTION:
		if (event->execution->role == ROLE_MAKER)
			streams->partly = event->order;
		break;
	case EVENT_BALANCE:
		note_balance(streams, event);
		break;
	case EVENT_TRADE:
		tell_trade(streams, event);
		break;
	case EVENT_BOOK:
		note_book(streams, event->pair);
		break;
	case EVENT_SETTINGS:
		note_settings(streams);
		break;
	case EVENT_SUBMIT:
	case EVENT_ACCOUNT:
	case EVENT_TRANSFER:
		break;
	}
}

/* ---- first messages ---- */

static void add_first(const struct stream_socket *socket, struct buf *message)
{
	const struct streams *streams = socket->streams;
	const struct pair *pair = socket->name.pair;

	switch (socket->name.kind) {
	case STREAM_ACCOUNT:
		break;
	case STREAM_DEPTH:
		stream_add_depth(message, market_of(streams, pair), sim_now(streams->sim));
		break;
	case STREAM_PRICE:
		stream_add_price(message, market_of(streams, pair)->last_price,
				 streams_have(streams, SWITCH_BARE_PRICE));
		break;
	case STREAM_TRADES:
		stream_add_trades(message, market_of(streams, pair), pair, socket->first_trades);
		break;
	}
}

void stream_news_first(struct stream_socket *socket)
{
	struct buf message;

	buf_init(&message, STREAM_MESSAGE_MAX);
	add_first(socket, &message);
	if (message.len > 0)
		say(socket, &message);
	buf_fini(&message);
}

/* ---- what waited ---- */

static void tell_depths(struct streams *streams, struct mono now)
{
	for (size_t i = 0; i < PAIR_COUNT; i++) {
		const struct stream_name depth = { STREAM_DEPTH, &market_pairs[i] };
		struct buf message;

		if (!pace_take(&streams->depths[i], DEPTH_GAP_MS, now))
			continue;
		buf_init(&message, STREAM_MESSAGE_MAX);
		stream_add_depth(&message, &streams->sim->exchange->markets[i],
				 sim_now(streams->sim));
		stream_news_say(streams, &depth, NULL, &message);
		buf_fini(&message);
	}
}

static void tell_balances(struct stream_socket *socket)
{
	unsigned changed = socket->changed;
	struct buf message;

	socket->changed = 0;
	if (changed == 0)
		return;
	buf_init(&message, STREAM_MESSAGE_MAX);
	stream_add_balances(&message, socket->account, changed,
			    streams_have(socket->streams, SWITCH_STRINGS));
	say(socket, &message);
	buf_fini(&message);
}

void stream_news_flush(struct streams *streams, struct mono now)
{
	tell_depths(streams, now);
	LIST_EACH_SAFE (&streams->sockets, node) {
		struct stream_socket *socket = CONTAINER_OF(node, struct stream_socket, node);

		line_run(&socket->line, now);
		tell_balances(socket);
	}
}

struct mono stream_news_due(const struct streams *streams)
{
	struct mono due = { 0 };

	for (size_t i = 0; i < PAIR_COUNT; i++)
		due = pace_sooner(due, pace_due(&streams->depths[i], DEPTH_GAP_MS));
	LIST_EACH (&streams->sockets, node) {
		const struct stream_socket *socket = CONTAINER_OF(node, struct stream_socket, node);

		due = pace_sooner(due, line_due(&socket->line));
	}
	return due;
}
