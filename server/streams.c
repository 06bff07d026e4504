#include "server/streams.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "server/backfill.h"
#include "server/book.h"
#include "server/check.h"
#include "server/event.h"
#include "server/feed.h"
#include "server/hub.h"
#include "server/journal.h"
#include "server/market.h"
#include "server/orders.h"

#define NAME_LEN sizeof(((struct streams_line *)0)->name)
#define FRESH_MS 2000 /* within so long of opening, a first message may be on its way */

/* One stream that is open, wanted, configured or stopped. */
struct line {
	struct list_node node;
	struct streams *streams;
	enum dd_stream_kind kind;
	char symbol[DD_SYMBOL_LEN];
	char name[NAME_LEN];
	struct dd_stream *stream; /* NULL: not open */
	struct mono opened;
	struct timer *linger;
	size_t wishes;
	bool is_configured, is_stopped;
	bool is_live;
	/* of the present connection */
	struct mono connected;
	uint64_t generation;
	bool has_message;
	struct book held; /* half a book that came too early to be believed */
	struct timer *held_timer;
};

struct streams {
	struct loop *loop;
	struct streams_parts parts;
	int64_t linger_ms;
	char *symbols;
	struct list lines;
	struct line *account;
	bool is_started;
	bool is_all_stopped; /* those that will be wanted, too */
};

/* ---- whether what is known is live ------------------------------------------------------ */

static void set_live(struct line *line, bool is_live)
{
	const struct streams_parts *parts = &line->streams->parts;

	if (line->is_live == is_live)
		return;
	line->is_live = is_live;
	if (line->kind == DD_STREAM_ACCOUNT) {
		check_relax(parts->check, is_live);
		return;
	}
	market_set_live(parts->market, line->kind, line->symbol, is_live);
	hub_set_live(parts->hub, line->kind, line->symbol, is_live);
}

static void tell_system(const struct line *line, enum system_event event, const char *text)
{
	event_system(line->streams->parts.journal, event, line->name, "", line->symbol, text);
}

static void filled(void *arg)
{
	struct line *line = arg;

	dd_stream_filled(line->stream, line->generation);
}

static void connected(struct line *line)
{
	line->connected = loop_now(line->streams->loop);
	line->generation = dd_stream_generation(line->stream);
	line->has_message = false;
	if (line->kind == DD_STREAM_ACCOUNT)
		backfill_run(line->streams->parts.backfill, filled, line);
}

static void lost(struct line *line)
{
	struct dd_stream_status status;
	struct err why;

	if (line->kind == DD_STREAM_ACCOUNT)
		backfill_cancel(line->streams->parts.backfill);
	timer_stop(line->held_timer);
	if (!line->is_live)
		return;
	set_live(line, false);
	dd_stream_status(line->stream, &status);
	why = status.why;
	if (why.code == ERR_NONE)
		err_set(&why, ERR_UNREACHABLE, "it gives no sign of life");
	err_prefix(&why, "the stream %s was lost", line->name);
	tell_system(line, SYSTEM_STREAM_DOWN, why.text);
}

static void state_changed(void *arg, struct dd_stream *stream, enum dd_stream_state state)
{
	struct line *line = arg;

	(void)stream;
	LOG(DEBUG, "stream.state", F_STR("stream", line->name),
	    F_STR("state", dd_stream_state_word(state)));
	switch (state) {
	case DD_STREAM_CONNECTED:
		connected(line);
		return;
	case DD_STREAM_LIVE:
		set_live(line, true);
		tell_system(line, SYSTEM_STREAM_UP, "the stream is live");
		return;
	case DD_STREAM_DOWN:
	case DD_STREAM_CONNECTING:
	case DD_STREAM_STALE:
		lost(line);
		return;
	}
}

/* A market's first message is all that can be had of what was missed. */
static void note_message(struct line *line)
{
	line->has_message = true;
	filled(line);
}

/* ---- messages --------------------------------------------------------------------------- */

/* Orders that are not in memory are foreign, or were final long ago: the backfill looks for their
 * executions. */
static void order_told(void *arg, const struct dd_order *seen)
{
	struct line *line = arg;
	const struct streams_parts *parts = &line->streams->parts;
	struct tracked *tracked = orders_find_exchange(parts->orders, seen->id);

	if (tracked) {
		if (feed_message(parts->orders, tracked, seen))
			check_order(parts->check, tracked, 0);
		return;
	}
	LOG(DEBUG, "stream.order_elsewhere", F_STR("exchange_order_id", seen->id),
	    F_STR("status", dd_status_word(seen->status)));
	if (seen->executed_base_qty.is_set && decimal_sign(seen->executed_base_qty.value) > 0)
		backfill_look(parts->backfill);
}

static void balances_told(void *arg, const struct dd_balance *balances, size_t count)
{
	const struct line *line = arg;

	market_take_balances(line->streams->parts.market, balances, count);
}

static void publish_depth(struct line *line, const struct dd_depth *depth)
{
	const struct streams_parts *parts = &line->streams->parts;

	timer_stop(line->held_timer);
	market_take_depth(parts->market, line->symbol, depth);
	hub_depth(parts->hub, line->symbol, depth);
	note_message(line);
}

/* Nothing better came: it is the truth. */
static void believe_held(void *arg)
{
	struct line *line = arg;
	struct dd_depth depth;

	if (book_depth(&line->held, &depth))
		publish_depth(line, &depth);
}

static void depth_told(void *arg, const struct dd_depth *depth)
{
	struct line *line = arg;
	struct mono now = loop_now(line->streams->loop);
	int64_t connected_ms = mono_diff_ms(now, line->connected);
	struct market_book known;

	if (!market_book(line->streams->parts.market, line->symbol, &known) ||
	    book_may_replace(&known.depth, depth, connected_ms)) {
		publish_depth(line, depth);
		return;
	}
	book_take(&line->held, depth, now);
	timer_start(line->held_timer, BOOK_EARLY_MS - connected_ms);
}

static void price_told(void *arg, struct decimal price)
{
	struct line *line = arg;
	const struct streams_parts *parts = &line->streams->parts;

	market_take_price(parts->market, line->symbol, price);
	hub_price(parts->hub, line->symbol, price, (struct wall){ 0 });
	note_message(line);
}

static void tell_trade(void *arg, const struct dd_trade *trade)
{
	hub_trade(arg, trade);
}

static void take_trades(struct line *line, const struct dd_trade *trades, size_t count)
{
	const struct streams_parts *parts = &line->streams->parts;

	if (!line->has_message && !market_trades_follow(parts->market, line->symbol, trades, count))
		hub_trades_gap(parts->hub, line->symbol);
	market_take_trades(parts->market, line->symbol, trades, count, tell_trade, parts->hub);
	note_message(line);
}

/* Before a connection's first message nothing needs to be said: that one shows what is missing. */
static void trades_told(void *arg, const struct dd_trade *trades, size_t count, bool is_whole)
{
	struct line *line = arg;

	if (is_whole || count > 0)
		take_trades(line, trades, count);
	if (!is_whole && line->has_message)
		hub_trades_gap(line->streams->parts.hub, line->symbol);
}

static const struct dd_stream_handlers handlers = { .state = state_changed,
						    .order = order_told,
						    .balances = balances_told,
						    .depth = depth_told,
						    .price = price_told,
						    .trades = trades_told };

/* ---- open or not ------------------------------------------------------------------------ */

static bool is_wanted(const struct line *line)
{
	return line->kind == DD_STREAM_ACCOUNT || line->is_configured || line->wishes > 0;
}

static void open_line(struct line *line)
{
	struct streams *streams = line->streams;

	if (line->stream || line->is_stopped || !streams->is_started)
		return;
	LOG(DEBUG, "stream.opened", F_STR("stream", line->name));
	line->opened = loop_now(streams->loop);
	line->stream =
		dd_stream_open(streams->parts.exchange, line->kind, line->symbol, &handlers, line);
}

static void close_line(struct line *line)
{
	if (!line->stream)
		return;
	LOG(DEBUG, "stream.closed", F_STR("stream", line->name));
	if (line->kind == DD_STREAM_ACCOUNT)
		backfill_cancel(line->streams->parts.backfill);
	dd_stream_close(line->stream);
	line->stream = NULL;
	line->has_message = false;
	timer_stop(line->held_timer);
	set_live(line, false);
}

static void free_line(struct line *line)
{
	list_remove(&line->node);
	timer_destroy(line->linger);
	timer_destroy(line->held_timer);
	book_fini(&line->held);
	loop_free_later(line->streams->loop, line);
}

static void let_go(void *arg)
{
	struct line *line = arg;

	if (is_wanted(line))
		return;
	close_line(line);
	if (!line->is_stopped)
		free_line(line);
}

static void linger(struct line *line)
{
	if (!is_wanted(line))
		timer_start(line->linger, line->streams->linger_ms);
}

/* ---- lines ------------------------------------------------------------------------------ */

static void name_line(enum dd_stream_kind kind, const char *symbol, char name[NAME_LEN])
{
	if (kind == DD_STREAM_ACCOUNT)
		mem_str_set(name, NAME_LEN, dd_stream_kind_word(kind));
	else
		snprintf(name, NAME_LEN, "%s:%s", dd_stream_kind_word(kind), symbol);
}

static struct line *find_line(const struct streams *streams, const char *name)
{
	LIST_EACH (&streams->lines, node) {
		struct line *line = CONTAINER_OF(node, struct line, node);

		if (strcmp(line->name, name) == 0)
			return line;
	}
	return NULL;
}

static struct line *line_of(struct streams *streams, enum dd_stream_kind kind, const char *symbol)
{
	char name[NAME_LEN];
	struct line *line;

	name_line(kind, symbol, name);
	line = find_line(streams, name);
	if (line)
		return line;
	line = mem_alloc(sizeof(*line));
	line->streams = streams;
	line->kind = kind;
	STR_SET(line->symbol, symbol);
	STR_SET(line->name, name);
	line->is_stopped = streams->is_all_stopped;
	line->linger = loop_timer_create(streams->loop, let_go, line);
	line->held_timer = loop_timer_create(streams->loop, believe_held, line);
	list_push_back(&streams->lines, &line->node);
	return line;
}

void streams_want(struct streams *streams, enum dd_stream_kind kind, const char *symbol, bool wants)
{
	struct line *line = line_of(streams, kind, symbol);

	assert(kind != DD_STREAM_ACCOUNT && (wants || line->wishes > 0));
	line->wishes += wants ? 1 : (size_t)-1;
	if (wants)
		open_line(line);
	else
		linger(line);
}

bool streams_touch(struct streams *streams, enum dd_stream_kind kind, const char *symbol)
{
	struct line *line = line_of(streams, kind, symbol);

	open_line(line);
	linger(line);
	return line->stream && !line->has_message &&
	       mono_diff_ms(loop_now(streams->loop), line->opened) < FRESH_MS;
}

/* ---- the operator ----------------------------------------------------------------------- */

static void stop_line(struct line *line)
{
	if (line->is_stopped)
		return;
	line->is_stopped = true;
	close_line(line);
	LOG(WARN, "stream.stopped", F_STR("stream", line->name));
	tell_system(line, SYSTEM_STREAM_STOPPED, "an operator stopped the stream");
}

static void resume_line(struct line *line)
{
	if (!line->is_stopped)
		return;
	line->is_stopped = false;
	LOG(INFO, "stream.resumed", F_STR("stream", line->name));
	if (is_wanted(line))
		open_line(line);
	else
		let_go(line);
}

/* A market's stream can be stopped before somebody wants it. */
static struct line *named_line(struct streams *streams, const char *name)
{
	for (int kind = 0; kind < DD_STREAM_KINDS; kind++) {
		const char *word = dd_stream_kind_word((enum dd_stream_kind)kind);
		size_t len = strlen(word);

		if (kind != DD_STREAM_ACCOUNT && strncmp(name, word, len) == 0 &&
		    name[len] == ':' && market_rules(streams->parts.market, name + len + 1))
			return line_of(streams, (enum dd_stream_kind)kind, name + len + 1);
	}
	return find_line(streams, name);
}

static bool set_stopped(struct streams *streams, const char *name, void (*act)(struct line *line),
			struct err *err)
{
	struct line *line = named_line(streams, name);

	if (!line)
		return err_set(err, ERR_NOT_FOUND, "there is no such stream");
	act(line);
	return true;
}

static void set_all_stopped(struct streams *streams, bool is_stopped,
			    void (*act)(struct line *line))
{
	streams->is_all_stopped = is_stopped;
	LIST_EACH_SAFE (&streams->lines, node)
		act(CONTAINER_OF(node, struct line, node));
}

bool streams_stop(struct streams *streams, const char *name, struct err *err)
{
	if (strcmp(name, "all") != 0)
		return set_stopped(streams, name, stop_line, err);
	set_all_stopped(streams, true, stop_line);
	return true;
}

bool streams_resume(struct streams *streams, const char *name, struct err *err)
{
	if (strcmp(name, "all") != 0)
		return set_stopped(streams, name, resume_line, err);
	set_all_stopped(streams, false, resume_line);
	return true;
}

/* ---- how they are ----------------------------------------------------------------------- */

static void describe(const struct line *line, struct streams_line *told)
{
	memset(told, 0, sizeof(*told));
	STR_SET(told->name, line->name);
	told->is_stopped = line->is_stopped;
	told->is_wanted = is_wanted(line);
	if (line->stream)
		dd_stream_status(line->stream, &told->status);
	told->is_connected =
		told->status.state == DD_STREAM_CONNECTED || told->status.state == DD_STREAM_LIVE;
}

void streams_each(const struct streams *streams,
		  void (*fn)(void *arg, const struct streams_line *line), void *arg)
{
	struct streams_line told;

	LIST_EACH (&streams->lines, node) {
		describe(CONTAINER_OF(node, struct line, node), &told);
		fn(arg, &told);
	}
}

bool streams_are_up(const struct streams *streams)
{
	struct streams_line told;

	LIST_EACH (&streams->lines, node) {
		const struct line *line = CONTAINER_OF(node, struct line, node);
		bool is_needed = line == streams->account || (is_wanted(line) && !line->is_stopped);

		describe(line, &told);
		if (is_needed && !told.is_connected)
			return false;
	}
	return true;
}

/* ---- the whole -------------------------------------------------------------------------- */

static void configure_symbol(struct streams *streams, const char *symbol)
{
	for (int kind = 0; kind < DD_STREAM_KINDS; kind++)
		if (kind != DD_STREAM_ACCOUNT)
			line_of(streams, (enum dd_stream_kind)kind, symbol)->is_configured = true;
}

static void configure(struct streams *streams)
{
	char *rest = streams->symbols;
	const char *symbol;

	while ((symbol = strtok_r(rest, ", ", &rest)))
		configure_symbol(streams, symbol);
}

struct streams *streams_create(struct loop *loop, const struct streams_config *config,
			       const struct streams_parts *parts)
{
	struct streams *streams = mem_alloc(sizeof(*streams));

	streams->loop = loop;
	streams->parts = *parts;
	streams->linger_ms = config->linger_ms;
	streams->symbols = mem_strdup(config->symbols ? config->symbols : "");
	list_init(&streams->lines);
	streams->account = line_of(streams, DD_STREAM_ACCOUNT, "");
	configure(streams);
	return streams;
}

void streams_start(struct streams *streams)
{
	assert(loop_is_mine(streams->loop));
	streams->is_started = true;
	LIST_EACH (&streams->lines, node) {
		struct line *line = CONTAINER_OF(node, struct line, node);

		if (is_wanted(line))
			open_line(line);
	}
}

void streams_destroy(struct streams *streams)
{
	if (!streams)
		return;
	backfill_cancel(streams->parts.backfill);
	LIST_EACH_SAFE (&streams->lines, node) {
		struct line *line = CONTAINER_OF(node, struct line, node);

		dd_stream_close(line->stream);
		free_line(line);
	}
	mem_free(streams->symbols);
	mem_free(streams);
}
