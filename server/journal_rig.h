/* journal_rig.h - what the tests of the journal share: a real database in a directory of its own,
 * a real thread, a real loop, and rows that look like life. Tests only. */
#ifndef SERVER_JOURNAL_RIG_H
#define SERVER_JOURNAL_RIG_H
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/loop.h"
#include "server/journal.h"
#include "server/sql.h"

#define RIG_ANSWERS_MAX 1024
#define RIG_PATIENCE_MS 20000
#define RIG_TOLD_MAX    8192

/* A channel event as the listener got it. */
struct rig_told {
	uint64_t seq;
	enum channel channel;
	size_t answers; /* of writes, by then */
	char data[320];
};

struct rig {
	char dir[64], path[96];
	struct loop *loop;
	struct timer *patience;
	struct journal *journal;
	size_t events_kept;
	size_t waiting; /* writes whose answers have not come */
	bool is_asking; /* a question is on its way; one at a time */

	/* Answers of writes, in the order in which they came; names as given to rig_append(). */
	size_t count;
	const char *names[RIG_ANSWERS_MAX];
	bool has_failed[RIG_ANSWERS_MAX];
	struct err errs[RIG_ANSWERS_MAX];

	/* The latest answer of a question. */
	struct err err; /* code ERR_NONE: it went well */
	struct order orders[JOURNAL_PAGE_MAX];
	struct fill fills[JOURNAL_PAGE_MAX];
	int64_t numbers[JOURNAL_PAGE_MAX];
	struct journal_event events[JOURNAL_PAGE_MAX];
	size_t found;
	char *text;
	struct wall signed_at;
	bool is_taken;
	struct channel_event channel[JOURNAL_PAGE_MAX]; /* data is "" */
	uint64_t last, pruned;

	/* Since the journal was opened. */
	size_t told_count;
	struct rig_told told[RIG_TOLD_MAX];
};

static inline void rig_out_of_patience(void *arg)
{
	(void)arg;
	fprintf(stderr, "no answer in %d ms\n", RIG_PATIENCE_MS);
	abort();
}

static inline void rig_take_event(void *arg, const struct channel_event *event)
{
	struct rig *rig = arg;
	struct rig_told *told = &rig->told[rig->told_count++];

	assert(rig->told_count <= RIG_TOLD_MAX);
	*told = (struct rig_told){ event->seq, event->channel, rig->count, "" };
	STR_SET(told->data, event->data);
}

static inline bool rig_try_open(struct rig *rig, const char *network, struct err *err)
{
	struct journal_config config = { .path = rig->path,
					 .network = network,
					 .queue_max = 500,
					 .events_kept = rig->events_kept };

	rig->loop = loop_create();
	rig->patience = loop_timer_create(rig->loop, rig_out_of_patience, NULL);
	rig->told_count = 0;
	if (journal_open(rig->loop, &config, &rig->journal, err)) {
		journal_on_event(rig->journal, rig_take_event, rig);
		return true;
	}
	timer_destroy(rig->patience);
	loop_destroy(rig->loop);
	rig->loop = NULL;
	return false;
}

static inline void rig_open(struct rig *rig)
{
	struct err err;

	if (!rig_try_open(rig, "simulated", &err))
		fail_msg("%s", err.text);
}

static inline size_t rig_close(struct rig *rig) /* how many facts were lost */
{
	size_t lost = 0;

	if (!rig->loop)
		return 0;
	journal_close(rig->journal, &lost);
	timer_destroy(rig->patience);
	loop_destroy(rig->loop);
	rig->loop = NULL;
	return lost;
}

static inline int rig_setup(void **state)
{
	struct rig *rig = mem_alloc(sizeof(*rig));

	snprintf(rig->dir, sizeof(rig->dir), "/tmp/journal_test.XXXXXX");
	if (!mkdtemp(rig->dir))
		return -1;
	snprintf(rig->path, sizeof(rig->path), "%s/journal.db", rig->dir);
	*state = rig;
	return 0;
}

static inline int rig_teardown(void **state)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", ".lock" };
	struct rig *rig = *state;

	rig_close(rig);
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		char path[112];

		snprintf(path, sizeof(path), "%s%s", rig->path, suffixes[i]);
		unlink(path);
	}
	rmdir(rig->dir);
	mem_free(rig->text);
	mem_free(rig);
	return 0;
}

/* ---- answers ------------------------------------------------------------------------------ */

static inline bool rig_has_answer(const struct rig *rig, const char *name)
{
	for (size_t i = 0; i < rig->count; i++)
		if (strcmp(rig->names[i], name) == 0)
			return true;
	return false;
}

/* Each answer stops the loop, so that whoever waits can see whether it was the last. */
static inline void rig_wait(struct rig *rig) /* for every write and the question */
{
	timer_start(rig->patience, RIG_PATIENCE_MS);
	while (rig->waiting > 0 || rig->is_asking)
		loop_run(rig->loop);
	timer_stop(rig->patience);
}

static inline void rig_wait_for(struct rig *rig, const char *name) /* for a write of that name */
{
	timer_start(rig->patience, RIG_PATIENCE_MS);
	while (!rig_has_answer(rig, name))
		loop_run(rig->loop);
	timer_stop(rig->patience);
}

static inline void rig_wait_for_question(struct rig *rig)
{
	timer_start(rig->patience, RIG_PATIENCE_MS);
	while (rig->is_asking)
		loop_run(rig->loop);
	timer_stop(rig->patience);
}

struct rig_write {
	struct rig *rig;
	const char *name;
};

static inline void rig_done(void *arg, const struct err *err)
{
	struct rig_write *write = arg;
	struct rig *rig = write->rig;

	rig->names[rig->count] = write->name;
	rig->has_failed[rig->count] = err != NULL;
	if (err)
		rig->errs[rig->count] = *err;
	rig->count++;
	rig->waiting--;
	mem_free(write);
	loop_stop(rig->loop);
}

static inline void rig_append(struct rig *rig, const char *name, enum journal_kind kind,
			      struct journal_write *write)
{
	struct rig_write *arg = mem_alloc(sizeof(*arg));

	assert(rig->count + rig->waiting < RIG_ANSWERS_MAX);
	*arg = (struct rig_write){ rig, name };
	rig->waiting++;
	journal_append(rig->journal, kind, write, rig_done, arg);
}

/* ERR_NONE: the write of that name is durable. */
static inline enum err_code rig_outcome(const struct rig *rig, const char *name)
{
	for (size_t i = rig->count; i-- > 0;)
		if (strcmp(rig->names[i], name) == 0)
			return rig->has_failed[i] ? rig->errs[i].code : ERR_NONE;
	fail_msg("%s was not answered", name);
	return ERR_INTERNAL;
}

static inline void rig_take_err(struct rig *rig, const struct err *err, size_t count)
{
	rig->err = err ? *err : (struct err){ .code = ERR_NONE };
	rig->found = count;
	rig->is_asking = false;
	loop_stop(rig->loop);
}

static inline void rig_take_orders(void *arg, const struct err *err, const struct order *orders,
				   size_t count)
{
	struct rig *rig = arg;

	if (count)
		memcpy(rig->orders, orders, count * sizeof(*orders));
	rig_take_err(rig, err, count);
}

static inline void rig_take_fills(void *arg, const struct err *err, const struct fill *fills,
				  const int64_t *numbers, size_t count)
{
	struct rig *rig = arg;

	if (count) {
		memcpy(rig->fills, fills, count * sizeof(*fills));
		memcpy(rig->numbers, numbers, count * sizeof(*numbers));
	}
	rig_take_err(rig, err, count);
}

static inline void rig_take_events(void *arg, const struct err *err,
				   const struct journal_event *events, size_t count)
{
	struct rig *rig = arg;

	if (count)
		memcpy(rig->events, events, count * sizeof(*events));
	rig_take_err(rig, err, count);
}

static inline void rig_take_text(void *arg, const struct err *err, const char *text)
{
	struct rig *rig = arg;

	mem_free(rig->text);
	rig->text = mem_strdup(text);
	rig_take_err(rig, err, text ? 1 : 0);
}

static inline void rig_take_submission(void *arg, const struct err *err, const char *signed_hex,
				       struct wall signed_at, bool is_taken)
{
	struct rig *rig = arg;

	rig->signed_at = signed_at;
	rig->is_taken = is_taken;
	rig_take_text(rig, err, signed_hex);
}

static inline size_t rig_find_orders(struct rig *rig, struct journal_order_query query)
{
	if (!query.limit)
		query.limit = JOURNAL_PAGE_MAX;
	rig->is_asking = true;
	journal_find_orders(rig->journal, &query, rig_take_orders, rig);
	rig_wait_for_question(rig);
	assert_int_equal(rig->err.code, ERR_NONE);
	return rig->found;
}

static inline size_t rig_find_fills(struct rig *rig, struct journal_fill_query query)
{
	if (!query.limit)
		query.limit = JOURNAL_PAGE_MAX;
	rig->is_asking = true;
	journal_find_fills(rig->journal, &query, rig_take_fills, rig);
	rig_wait_for_question(rig);
	assert_int_equal(rig->err.code, ERR_NONE);
	return rig->found;
}

static inline size_t rig_find_events(struct rig *rig, const char *order_id, int64_t after)
{
	rig->is_asking = true;
	journal_find_events(rig->journal, order_id, after, JOURNAL_PAGE_MAX, rig_take_events, rig);
	rig_wait_for_question(rig);
	assert_int_equal(rig->err.code, ERR_NONE);
	return rig->found;
}

static inline void rig_take_channel(void *arg, const struct err *err,
				    const struct channel_event *events, size_t count, uint64_t last,
				    uint64_t pruned)
{
	struct rig *rig = arg;

	for (size_t i = 0; i < count; i++) {
		rig->channel[i] = events[i];
		assert(events[i].data[0] == '{');
		rig->channel[i].data = "";
	}
	rig->last = last;
	rig->pruned = pruned;
	rig_take_err(rig, err, count);
}

static inline size_t rig_find_channel(struct rig *rig, struct channel_view view, uint64_t after,
				      unsigned limit)
{
	rig->is_asking = true;
	journal_find_channel(rig->journal, &view, after, limit, rig_take_channel, rig);
	rig_wait_for_question(rig);
	assert_int_equal(rig->err.code, ERR_NONE);
	return rig->found;
}

/* ---- another program at the same database --------------------------------------------------- */

static inline sqlite3 *rig_connect(const struct rig *rig)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(rig->path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	return db;
}

static inline void rig_exec(sqlite3 *db, const char *sql)
{
	struct err err;

	if (!sql_exec(db, sql, &err))
		fail_msg("%s: %s", sql, err.text);
}

/* The first value of a question, as text; valid until the next call. */
static inline const char *rig_ask(sqlite3 *db, const char *sql)
{
	static char value[512];
	struct err err;

	if (!sql_query_text(db, sql, value, sizeof(value), &err))
		fail_msg("%s: %s", sql, err.text);
	return value;
}

/* The same without a journal open. */
static inline void rig_exec_alone(const struct rig *rig, const char *sql)
{
	sqlite3 *db = rig_connect(rig);

	rig_exec(db, sql);
	sqlite3_close(db);
}

/* ---- rows ----------------------------------------------------------------------------------- */

#define RIG_NOW 1795345325123456 /* 2026-11-22T11:02:05.123456Z */

static inline struct decimal rig_dec(const char *text)
{
	struct decimal value;
	struct err err;

	if (!decimal_parse(text, strlen(text), &value, &err))
		fail_msg("%s: %s", text, err.text);
	return value;
}

/* An accepted order of the token "tok_a"; id is both of its ids, with a prefix. */
static inline struct order rig_order(const char *id)
{
	struct order order = { .facts = { .state = ORDER_ACCEPTED } };

	snprintf(order.terms.order_id, sizeof(order.terms.order_id), "ord_%.20s", id);
	snprintf(order.terms.client_order_id, sizeof(order.terms.client_order_id), "my-%.50s", id);
	STR_SET(order.terms.token_id, "tok_a");
	STR_SET(order.terms.app, "maker bot");
	STR_SET(order.terms.request_id, "req_1");
	STR_SET(order.terms.body_hash, "00ff");
	STR_SET(order.terms.symbol, "ADAUSDM");
	order.terms.side = ORDER_SELL;
	order.terms.type = ORDER_LIMIT;
	order.terms.has_base_qty = order.terms.has_price = true;
	order.terms.base_qty = rig_dec("100.50");
	order.terms.price = rig_dec("0.25470");
	order.terms.max_slippage_bp = -1;
	order.terms.created_at = order.facts.updated_at = (struct wall){ RIG_NOW };
	return order;
}

static inline struct fill rig_fill(const struct order *order, const char *execution_id)
{
	struct fill fill = { .side = order->terms.side, .is_maker = true };
	struct err err;

	STR_SET(fill.execution_id, execution_id);
	STR_SET(fill.order_id, order->terms.order_id);
	STR_SET(fill.exchange_order_id, order->facts.exchange_order_id);
	STR_SET(fill.token_id, order->terms.token_id);
	STR_SET(fill.symbol, order->terms.symbol);
	fill.price = rig_dec("0.25470");
	fill.base_qty = rig_dec("40.25");
	if (!decimal_mul(fill.price, fill.base_qty, &fill.quote_qty, &err))
		fail_msg("%s", err.text);
	fill.commission = rig_dec("0.010252");
	STR_SET(fill.commission_unit, "lovelace");
	fill.executed_at = (struct wall){ RIG_NOW };
	fill.booked_at = (struct wall){ RIG_NOW + 1 };
	return fill;
}

static inline struct journal_write *rig_order_write(const struct order *order, const char *event)
{
	struct journal_write *write = journal_write_create();
	struct journal_step step = { .event = event, .cause = "app", .request_id = "req_1" };

	journal_write_order(write, order, &step);
	return write;
}

static inline struct journal_write *rig_setting_write(const char *name, const char *value)
{
	struct journal_write *write = journal_write_create();

	journal_write_setting(write, name, value);
	return write;
}

static inline void rig_put_order(struct rig *rig, const struct order *order)
{
	rig_append(rig, order->terms.order_id, JOURNAL_INTENT, rig_order_write(order, "accepted"));
	rig_wait(rig);
	assert_int_equal(rig_outcome(rig, order->terms.order_id), ERR_NONE);
}

/* With an event of its own, whose data is {"n":"name"}. */
static inline struct journal_write *rig_event_write(enum channel channel, const char *name)
{
	struct journal_write *write = journal_write_create();
	struct channel_event event = { .channel = channel, .type = "test" };
	char data[64];

	snprintf(data, sizeof(data), "{\"n\":\"%s\"}", name);
	event.data = data;
	journal_write_event(write, &event, false);
	return write;
}
#endif
