#include "server/market.h"

#include <assert.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "net/loop.h"
#include "server/balances.h"
#include "server/event.h"
#include "server/journal.h"
#include "server/quotes.h"
#include "server/scheduler.h"
#include "server/venue.h"

#define RETRY_FIRST_MS 500
#define RETRY_MAX_MS   30000
#define TURN_MAX_MS    10000 /* a reader waits no longer for its question to be asked */

/* One thing that is asked for, kept, and shared by all who read it. */
struct source {
	struct market *market;
	const char *name; /* for the log */
	struct ticket ticket;
	struct list waiting; /* readers of the next question */
	struct list asked;   /* readers of the question in flight */
	struct mono fetched; /* 0: never */
	struct wall as_of;
	bool is_queued, is_in_flight;
	bool is_stale; /* moved since it was asked for */
};

struct reader {
	struct list_node node;
	market_price_fn *price_done; /* one of the two */
	market_balances_fn *balances_done;
	void *arg;
};

struct price {
	struct source source;
	char symbol[DD_SYMBOL_LEN];
	struct decimal value;
};

struct market {
	struct loop *loop;
	struct market_config config;
	struct dd_client *exchange;
	struct scheduler *scheduler;
	struct venue *venue;
	struct journal *journal;
	struct timer *rules_timer;
	int64_t retry_ms;
	struct source rules; /* without readers */
	struct dd_market *markets;
	size_t market_count;
	struct source balances_source;
	struct balances balances;
	struct balances told; /* by the stream since the question in flight left */
	bool has_unwritten;   /* balances of an account that may not be the journal's */
	uint64_t balances_version;
	struct map *prices; /* struct price by symbol; of pairs that there are, so not many */
	struct quotes *quotes;
};

static void ask_rules(void *arg);
static void ask_balances(void *arg);
static void ask_price(void *arg);

/* ---- sources ---------------------------------------------------------------------------- */

static void too_late(void *arg)
{
	struct source *source = arg;

	source->is_queued = false;
	list_move_all(&source->waiting, &source->asked);
}

static void source_init(struct source *source, struct market *market, const char *name,
			void (*ask)(void *arg))
{
	source->market = market;
	source->name = name;
	source->ticket.lane = LANE_READ;
	source->ticket.token_id = "";
	source->ticket.weight = 1;
	source->ticket.go = ask;
	source->ticket.arg = source;
	list_init(&source->waiting);
	list_init(&source->asked);
}

static void queue(struct source *source)
{
	if (source->is_queued || source->is_in_flight)
		return;
	source->is_queued = true;
	if (source->ticket.late)
		source->ticket.deadline =
			mono_after_ms(loop_now(source->market->loop), TURN_MAX_MS);
	scheduler_add(source->market->scheduler, &source->ticket);
}

static void leaves(struct source *source)
{
	source->is_queued = false;
	source->is_in_flight = true;
	source->is_stale = false;
	list_move_all(&source->waiting, &source->asked);
}

/* False, and told in the log, when there is nothing to be read in the answer. */
static bool note_answer(struct source *source, const struct dd_result *result, bool is_keyed)
{
	struct market *market = source->market;

	source->is_in_flight = false;
	venue_note(market->venue, result, is_keyed);
	if (result->class_ == DD_CLASS_RATE)
		scheduler_slow_down(market->scheduler, result->retry_after_ms);
	if (result->verdict != DD_DONE) {
		LOG(WARN, "exchange.read_failed", F_STR("what", source->name),
		    F_INT("http_status", result->http_status), F_ERR(&result->err));
		return false;
	}
	source->fetched = loop_now(market->loop);
	source->as_of = wall_now();
	return true;
}

static int64_t age_ms(const struct source *source)
{
	return mono_diff_ms(loop_now(source->market->loop), source->fetched);
}

static bool is_fresh(const struct source *source, int64_t max_age_ms)
{
	if (source->fetched.us == 0 || max_age_ms == 0)
		return false;
	if (max_age_ms < 0)
		return !source->is_stale && age_ms(source) <= source->market->config.max_age_ms;
	return age_ms(source) <= max_age_ms;
}

/* Joins the question in flight, unless what it asks for has moved since. */
static struct reader *read_next(struct source *source, void *arg)
{
	struct reader *reader = mem_alloc(sizeof(*reader));
	bool may_join = source->is_in_flight && !source->is_stale;

	reader->arg = arg;
	list_push_back(may_join ? &source->asked : &source->waiting, &reader->node);
	if (!may_join)
		queue(source);
	return reader;
}

/* ---- rules ------------------------------------------------------------------------------ */

static void rules_told(void *arg, const struct dd_result *result, const struct dd_market *markets,
		       size_t count)
{
	struct market *market = arg;

	if (!note_answer(&market->rules, result, false)) {
		timer_start(market->rules_timer, market->retry_ms);
		market->retry_ms *= 2;
		if (market->retry_ms > RETRY_MAX_MS)
			market->retry_ms = RETRY_MAX_MS;
		return;
	}
	mem_free(market->markets);
	market->markets = mem_array(count, sizeof(*markets));
	memcpy(market->markets, markets, count * sizeof(*markets));
	market->market_count = count;
	market->retry_ms = RETRY_FIRST_MS;
	timer_start(market->rules_timer, market->config.rules_ms);
}

static void ask_rules(void *arg)
{
	struct source *source = arg;

	leaves(source);
	dd_markets_get(source->market->exchange, rules_told, source->market);
}

static void rules_due(void *arg)
{
	struct market *market = arg;

	queue(&market->rules);
}

const struct dd_market *market_rules(const struct market *market, const char *symbol)
{
	for (size_t i = 0; i < market->market_count; i++)
		if (strcmp(market->markets[i].symbol, symbol) == 0)
			return &market->markets[i];
	return NULL;
}

bool market_has_rules(const struct market *market)
{
	return market->market_count > 0;
}

const struct dd_market *market_all(const struct market *market, size_t *count, struct wall *as_of)
{
	*count = market->market_count;
	*as_of = market->rules.as_of;
	return market->markets;
}

/* ---- prices ----------------------------------------------------------------------------- */

static void tell_price(struct price *price, struct list *readers, const struct err *err)
{
	struct market_price known = { .value = price->value, .as_of = price->source.as_of };
	struct list told;
	struct list_node *node;

	if (!err)
		known.age_ms = age_ms(&price->source);
	list_init(&told); /* a reader may come back at once */
	list_move_all(readers, &told);
	while ((node = list_pop_front(&told))) {
		struct reader *reader = CONTAINER_OF(node, struct reader, node);

		reader->price_done(reader->arg, err, err ? NULL : &known);
		mem_free(reader);
	}
}

static void price_told(void *arg, const struct dd_result *result, struct decimal value)
{
	struct price *price = arg;
	bool is_fine = note_answer(&price->source, result, false);

	if (is_fine)
		price->value = value;
	tell_price(price, &price->source.asked, is_fine ? NULL : &result->err);
	if (!list_is_empty(&price->source.waiting))
		queue(&price->source);
}

static void ask_price(void *arg)
{
	struct source *source = arg;
	struct price *price = CONTAINER_OF(source, struct price, source);

	leaves(source);
	dd_price_get(source->market->exchange, price->symbol, price_told, price);
}

static void price_late(void *arg)
{
	struct source *source = arg;
	struct err err;

	err_set(&err, ERR_BUSY, "too many questions wait for the exchange");
	too_late(source);
	tell_price(CONTAINER_OF(source, struct price, source), &source->asked, &err);
}

static struct price *price_of(struct market *market, const char *symbol)
{
	struct price *price = map_get(market->prices, symbol);

	if (price || !market_rules(market, symbol))
		return price;
	price = mem_alloc(sizeof(*price));
	source_init(&price->source, market, "price", ask_price);
	price->source.ticket.late = price_late;
	STR_SET(price->symbol, symbol);
	map_put(market->prices, symbol, price);
	return price;
}

static bool live_price(const struct market *market, const char *symbol, struct market_price *price)
{
	const struct quote *quote = quotes_find(market->quotes, symbol);

	if (!quote || !quote->is_live[DD_STREAM_PRICE] || quote->price_taken.us == 0)
		return false;
	*price = (struct market_price){ .value = quote->price,
					.as_of = quote->price_as_of,
					.age_ms = mono_diff_ms(loop_now(market->loop),
							       quote->price_taken),
					.is_live = true };
	return true;
}

static void refuse_price(const struct market *market, market_price_fn *done, void *arg)
{
	struct err err;

	if (market_has_rules(market))
		err_set(&err, ERR_NOT_FOUND, "the exchange has no such pair");
	else
		err_set(&err, ERR_NO_DATA, "the pairs are not known yet");
	done(arg, &err, NULL);
}

void market_price(struct market *market, const char *symbol, int64_t max_age_ms,
		  market_price_fn *done, void *arg)
{
	struct price *price = price_of(market, symbol);
	struct market_price known;

	if (!price) {
		refuse_price(market, done, arg);
	} else if (max_age_ms < 0 && live_price(market, symbol, &known)) {
		done(arg, NULL, &known);
	} else if (is_fresh(&price->source, max_age_ms)) {
		known = (struct market_price){ .value = price->value,
					       .as_of = price->source.as_of,
					       .age_ms = age_ms(&price->source) };
		done(arg, NULL, &known);
	} else {
		read_next(&price->source, arg)->price_done = done;
	}
}

bool market_last_price(const struct market *market, const char *symbol, struct decimal *value)
{
	const struct price *price = map_get(market->prices, symbol);
	const struct quote *quote = quotes_find(market->quotes, symbol);
	struct mono asked = price ? price->source.fetched : (struct mono){ 0 };
	struct mono told = quote ? quote->price_taken : (struct mono){ 0 };

	if (told.us == 0 && asked.us == 0)
		return false;
	if (quote && told.us > asked.us)
		*value = quote->price;
	else if (price)
		*value = price->value;
	return true;
}

/* ---- balances --------------------------------------------------------------------------- */

static void tell_balances(struct market *market, struct list *readers, const struct err *err)
{
	const struct source *source = &market->balances_source;
	struct list told;
	struct list_node *node;

	list_init(&told);
	list_move_all(readers, &told);
	while ((node = list_pop_front(&told))) {
		struct reader *reader = CONTAINER_OF(node, struct reader, node);

		reader->balances_done(reader->arg, err, market->balances.items,
				      market->balances.count, source->as_of,
				      err ? 0 : age_ms(source));
		mem_free(reader);
	}
}

static void journal_balances(struct market *market)
{
	struct wall as_of = market->balances_source.as_of;
	struct journal_write *write = journal_write_create();

	for (size_t i = 0; i < market->balances.count; i++) {
		const struct dd_balance *balance = &market->balances.items[i];
		struct journal_balance row = { .free = balance->free, .locked = balance->locked };

		STR_SET(row.asset, balance->asset);
		STR_SET(row.unit, balance->unit);
		journal_write_balances(write, &row, 1, as_of);
		event_balance(write, &row, as_of);
	}
	journal_append(market->journal, JOURNAL_FACT, write, NULL, NULL);
}

static void keep_balances(struct market *market, const struct dd_balance *balances, size_t count)
{
	market->has_unwritten |= !balances_are_same(&market->balances, balances, count);
	balances_set(&market->balances, balances, count);
	market->balances_version++;
	if (!market->has_unwritten || !venue_is_own_account(market->venue))
		return;
	market->has_unwritten = false;
	journal_balances(market);
}

/* What the stream told meanwhile may be newer than the answer, and is told once. */
static void keep_answer(struct market *market, const struct dd_balance *balances, size_t count)
{
	struct balances now = { .count = 0 };

	balances_set(&now, balances, count);
	balances_merge(&now, market->told.items, market->told.count);
	balances_add_gone(&now, &market->balances);
	keep_balances(market, now.items, now.count);
	balances_fini(&now);
}

static bool is_of_stranger(const struct market *market, struct err *err)
{
	struct venue_state venue;

	venue_state(market->venue, &venue);
	if (venue.is_wrong_account)
		(void)err_set(err, ERR_ACCOUNT, "the API key is not of the journal's account %s",
			      venue.account_id);
	return venue.is_wrong_account;
}

static void balances_told(void *arg, const struct dd_result *result,
			  const struct dd_balance *balances, size_t count)
{
	struct market *market = arg;
	struct source *source = &market->balances_source;
	bool is_fine = note_answer(source, result, true);
	struct err err = result->err;

	if (is_fine && is_of_stranger(market, &err)) {
		source->fetched = (struct mono){ 0 };
		is_fine = false;
	}
	if (is_fine)
		keep_answer(market, balances, count);
	tell_balances(market, &source->asked, is_fine ? NULL : &err);
	if (!list_is_empty(&source->waiting))
		queue(source);
}

static void ask_balances(void *arg)
{
	struct source *source = arg;

	leaves(source);
	balances_fini(&source->market->told);
	dd_balances_get(source->market->exchange, balances_told, source->market);
}

static void balances_late(void *arg)
{
	struct source *source = arg;
	struct err err;

	err_set(&err, ERR_BUSY, "too many questions wait for the exchange");
	too_late(source);
	tell_balances(source->market, &source->asked, &err);
}

void market_balances(struct market *market, int64_t max_age_ms, market_balances_fn *done, void *arg)
{
	struct source *source = &market->balances_source;

	if (is_fresh(source, max_age_ms))
		done(arg, NULL, market->balances.items, market->balances.count, source->as_of,
		     age_ms(source));
	else
		read_next(source, arg)->balances_done = done;
}

/* Perhaps only some, so this does not make the rest any fresher. Before the first answer there is
 * no rest, and the assets go by the words that the answer has for them. */
void market_take_balances(struct market *market, const struct dd_balance *balances, size_t count)
{
	struct balances now = { .count = 0 };

	if (!venue_is_own_account(market->venue))
		return;
	if (market->balances_source.is_in_flight)
		balances_merge(&market->told, balances, count);
	if (market->balances_source.fetched.us == 0)
		return;
	balances_set(&now, market->balances.items, market->balances.count);
	balances_merge(&now, balances, count);
	market->balances_source.as_of = wall_now();
	keep_balances(market, now.items, now.count);
	balances_fini(&now);
}

void market_balances_stale(struct market *market)
{
	market->balances_source.is_stale = true;
}

uint64_t market_balances_version(const struct market *market)
{
	return market->balances_version;
}

/* ---- what the streams say --------------------------------------------------------------- */

void market_take_depth(struct market *market, const char *symbol, const struct dd_depth *depth)
{
	book_take(&quotes_of(market->quotes, symbol)->book, depth, loop_now(market->loop));
}

void market_take_price(struct market *market, const char *symbol, struct decimal price)
{
	struct quote *quote = quotes_of(market->quotes, symbol);

	quote->price = price;
	quote->price_as_of = wall_now();
	quote->price_taken = loop_now(market->loop);
}

bool market_trades_follow(const struct market *market, const char *symbol,
			  const struct dd_trade *trades, size_t count)
{
	const struct quote *quote = quotes_find(market->quotes, symbol);

	return !quote || tape_follows(quote->tape, trades, count);
}

void market_take_trades(struct market *market, const char *symbol, const struct dd_trade *trades,
			size_t count, void (*fn)(void *arg, const struct dd_trade *trade),
			void *arg)
{
	struct quote *quote = quotes_of(market->quotes, symbol);

	quote->tape_taken = loop_now(market->loop);
	tape_take(quote->tape, trades, count, fn, arg);
}

void market_set_live(struct market *market, enum dd_stream_kind kind, const char *symbol,
		     bool is_live)
{
	quotes_of(market->quotes, symbol)->is_live[kind] = is_live;
}

bool market_book(const struct market *market, const char *symbol, struct market_book *book)
{
	const struct quote *quote = quotes_find(market->quotes, symbol);

	if (!quote || !book_depth(&quote->book, &book->depth))
		return false;
	book->received = quote->book.received;
	book->age_ms = mono_diff_ms(loop_now(market->loop), quote->book.taken);
	book->is_live = quote->is_live[DD_STREAM_DEPTH];
	return true;
}

const struct dd_trade *market_trades(const struct market *market, const char *symbol, size_t *count,
				     bool *is_live, int64_t *age_ms)
{
	const struct quote *quote = quotes_find(market->quotes, symbol);

	if (!quote || quote->tape_taken.us == 0)
		return NULL;
	*is_live = quote->is_live[DD_STREAM_TRADES];
	*age_ms = mono_diff_ms(loop_now(market->loop), quote->tape_taken);
	return tape_trades(quote->tape, count);
}

/* ---- the whole -------------------------------------------------------------------------- */

/* What the journal knows, so that what is gone since then is told. */
static void balances_recalled(void *arg, const struct err *err,
			      const struct journal_balance *balances, const struct wall *as_of,
			      size_t count)
{
	struct market *market = arg;

	(void)as_of;
	if (err || market->balances.count > 0)
		return;
	for (size_t i = 0; i < count; i++) {
		struct dd_balance known = { .free = balances[i].free,
					    .locked = balances[i].locked };

		STR_SET(known.asset, balances[i].asset);
		STR_SET(known.unit, balances[i].unit);
		balances_merge(&market->balances, &known, 1);
	}
}

struct market *market_create(struct loop *loop, const struct market_config *config,
			     struct dd_client *exchange, struct scheduler *scheduler,
			     struct venue *venue, struct journal *journal)
{
	struct market *market = mem_alloc(sizeof(*market));

	market->loop = loop;
	market->config = *config;
	market->exchange = exchange;
	market->scheduler = scheduler;
	market->venue = venue;
	market->journal = journal;
	market->retry_ms = RETRY_FIRST_MS;
	market->rules_timer = loop_timer_create(loop, rules_due, market);
	market->prices = map_create();
	market->quotes = quotes_create(config->trades_kept);
	source_init(&market->rules, market, "market-config", ask_rules);
	source_init(&market->balances_source, market, "balances", ask_balances);
	market->balances_source.ticket.late = balances_late;
	return market;
}

void market_start(struct market *market)
{
	assert(loop_is_mine(market->loop));
	queue(&market->rules);
	journal_find_balances(market->journal, balances_recalled, market);
}

static void source_fini(struct source *source)
{
	assert(!source->is_in_flight); /* the exchange client goes first, and completes them */
	scheduler_remove(source->market->scheduler, &source->ticket);
	list_move_all(&source->waiting, &source->asked);
}

void market_destroy(struct market *market)
{
	const char *symbol;
	size_t at = 0;
	void *value;
	struct err err;

	if (!market)
		return;
	err_set(&err, ERR_STOPPING, "the daemon is stopping");
	source_fini(&market->rules);
	source_fini(&market->balances_source);
	tell_balances(market, &market->balances_source.asked, &err);
	while (map_next(market->prices, &at, &symbol, &value)) {
		struct price *price = value;

		source_fini(&price->source);
		tell_price(price, &price->source.asked, &err);
		mem_free(price);
	}
	map_destroy(market->prices);
	quotes_destroy(market->quotes);
	timer_destroy(market->rules_timer);
	mem_free(market->markets);
	balances_fini(&market->balances);
	balances_fini(&market->told);
	mem_free(market);
}
