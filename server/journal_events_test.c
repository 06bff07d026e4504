#include "server/journal_rig.h"

#include "base/buf.h"
#include "base/log.h"
#include "server/event.h"
#include "server/journal_channel.h"
#include "server/journal_prune.h"

/* ---- numbers -------------------------------------------------------------------------------- */

static void assert_told(const struct rig *rig, const char *const *data, size_t count)
{
	assert_int_equal(rig->told_count, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(rig->told[i].seq, i + 1);
		assert_string_equal(rig->told[i].data, data[i]);
	}
}

static void events_are_told_in_the_order_of_their_appends_before_the_acknowledgement(void **state)
{
	static const char *const data[] = { "{\"n\":\"a\"}", "{\"n\":\"b\"}", "{\"n\":\"c\"}" };
	struct rig *rig = *state;

	rig_open(rig);
	rig_append(rig, "a", JOURNAL_INTENT, rig_event_write(CHANNEL_ORDERS, "a"));
	rig_append(rig, "b", JOURNAL_FACT, rig_event_write(CHANNEL_SYSTEM, "b"));
	rig_append(rig, "c", JOURNAL_INTENT, rig_event_write(CHANNEL_FILLS, "c"));
	assert_int_equal(rig->told_count, 0);
	rig_wait(rig);
	assert_told(rig, data, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(rig->told[i].answers, i);
	assert_int_equal(rig->told[1].channel, CHANNEL_SYSTEM);
}

static void what_fails_is_not_told_and_takes_no_number(void **state)
{
	static const char *const data[] = { "{\"n\":\"a\"}", "{\"n\":\"c\"}" };
	struct rig *rig = *state;
	struct order order = rig_order("1"), again = rig_order("2");
	struct channel_event event = { .channel = CHANNEL_ORDERS, .data = "{\"n\":\"b\"}" };
	struct journal_write *first = rig_order_write(&order, "accepted");
	struct journal_write *second = journal_write_create();

	rig_open(rig);
	STR_SET(again.terms.client_order_id, order.terms.client_order_id);
	event.data = data[0];
	journal_write_event(first, &event, false);
	event.data = "{\"n\":\"b\"}";
	journal_write_event(second, &event, false);
	journal_write_order(second, &again, &(struct journal_step){ .event = "accepted" });
	rig_append(rig, "a", JOURNAL_INTENT, first);
	rig_append(rig, "b", JOURNAL_INTENT, second);
	rig_append(rig, "c", JOURNAL_INTENT, rig_event_write(CHANNEL_ORDERS, "c"));
	rig_wait(rig);
	assert_int_equal(rig_outcome(rig, "b"), ERR_ID_CONFLICT);
	assert_told(rig, data, 2);
}

static void an_event_is_dropped_with_the_row_that_was_there_before(void **state)
{
	struct rig *rig = *state;
	struct order order = rig_order("1");
	struct journal_balance balance = { .asset = "ADA", .unit = "lovelace" };

	rig_open(rig);
	rig_put_order(rig, &order);
	for (int round = 0; round < 2; round++) {
		struct journal_write *write = journal_write_create();

		for (int i = 0; i < 3; i++) {
			static const char *const ids[] = { "x-1", "x-2", "x-1" };
			struct fill fill = rig_fill(&order, ids[i]);

			journal_write_fill(write, &fill);
			event_fill(write, &fill);
		}
		balance.free = rig_dec("5");
		journal_write_balances(write, &balance, 1, (struct wall){ RIG_NOW + round });
		event_balance(write, &balance, (struct wall){ RIG_NOW + round });
		rig_append(rig, "write", JOURNAL_FACT, write);
	}
	rig_wait(rig);
	assert_int_equal(rig->told_count, 3);
	assert_int_equal(rig->told[0].channel, CHANNEL_FILLS);
	assert_non_null(strstr(rig->told[0].data, "x-1"));
	assert_non_null(strstr(rig->told[1].data, "x-2"));
	assert_int_equal(rig->told[2].channel, CHANNEL_BALANCES);
	assert_int_equal(rig->told[2].seq, 3);
}

static void numbers_go_on_after_a_restart(void **state)
{
	struct rig *rig = *state;

	for (uint64_t expected = 1; expected <= 3; expected++) {
		rig_open(rig);
		rig_append(rig, "a", JOURNAL_FACT, rig_event_write(CHANNEL_SYSTEM, "a"));
		rig_wait(rig);
		assert_int_equal(rig->told[0].seq, expected);
		rig_close(rig);
	}
}

static void what_closing_writes_is_told_as_well(void **state)
{
	struct rig *rig = *state;

	rig_open(rig);
	rig_append(rig, "last", JOURNAL_FACT, rig_event_write(CHANNEL_SYSTEM, "last"));
	assert_int_equal(rig_close(rig), 0);
	assert_int_equal(rig->told_count, 1);
}

/* ---- catching up ---------------------------------------------------------------------------- */

static void put_event(struct rig *rig, enum channel channel, const char *token, const char *symbol)
{
	struct channel_event event = { .channel = channel, .type = "test", .data = "{}" };
	struct journal_write *write = journal_write_create();

	STR_SET(event.token_id, token);
	STR_SET(event.symbol, symbol);
	event.at = (struct wall){ RIG_NOW };
	journal_write_event(write, &event, false);
	rig_append(rig, "event", JOURNAL_FACT, write);
}

static const struct sample {
	enum channel channel;
	const char *token, *symbol;
} samples[] = {
	{ CHANNEL_ORDERS, "tok_a", "ADAUSDM" },   /* 1 */
	{ CHANNEL_ORDERS, "tok_b", "ADAUSDM" },   /* 2 */
	{ CHANNEL_FILLS, "tok_a", "ADAUSDM" },    /* 3 */
	{ CHANNEL_FILLS, "", "IAGUSDM" },         /* 4: of an order that is none of ours */
	{ CHANNEL_ORDERS, "tok_a", "IAGUSDM" },   /* 5 */
	{ CHANNEL_BALANCES, "", "" },             /* 6 */
	{ CHANNEL_SYSTEM, "", "" },               /* 7 */
	{ CHANNEL_SYSTEM, "tok_a", "IAGUSDM" },   /* 8 */
	{ CHANNEL_SYSTEM, "tok_b", "ADAUSDM" },   /* 9 */
	{ CHANNEL_ORDERS, "tok_b", "NIGHTUSDM" }, /* 10 */
	{ CHANNEL_SYSTEM, "", "IAGUSDM" },        /* 11 */
};

static void put_samples(struct rig *rig)
{
	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		put_event(rig, samples[i].channel, samples[i].token, samples[i].symbol);
	rig_wait(rig);
}

static const struct {
	struct channel_view view;
	uint64_t after;
	unsigned limit;
	const char *expected; /* numbers, and the last one of the view */
} views[] = {
	{ { CHANNEL_ORDERS, "", "" }, 0, 500, "1 2 5 10 | 10" },
	{ { CHANNEL_ORDERS, "", "" }, 2, 500, "5 10 | 10" },
	{ { CHANNEL_ORDERS, "", "" }, 1, 2, "2 5 | 10" },
	{ { CHANNEL_ORDERS, "", "" }, 10, 500, "| 10" },
	{ { CHANNEL_ORDERS, "", "" }, UINT64_MAX, 500, "| 10" },
	{ { CHANNEL_ORDERS, "tok_a", "" }, 0, 500, "1 5 | 5" },
	{ { CHANNEL_ORDERS, "tok_b", "" }, 2, 500, "10 | 10" },
	{ { CHANNEL_ORDERS, "tok_x", "" }, 0, 500, "| 0" },
	{ { CHANNEL_ORDERS, "tok_b", "ADAUSDM" }, 0, 500, "2 | 2" },
	{ { CHANNEL_ORDERS, "", "ADAUSDM" }, 0, 500, "1 2 | 2" },
	{ { CHANNEL_ORDERS, "", "ADAUSDM,NIGHTUSDM" }, 0, 500, "1 2 10 | 10" },
	{ { CHANNEL_ORDERS, "", "ADA" }, 0, 500, "| 0" },
	{ { CHANNEL_FILLS, "", "" }, 0, 500, "3 4 | 4" },
	{ { CHANNEL_FILLS, "tok_a", "" }, 0, 500, "3 | 3" },
	{ { CHANNEL_FILLS, "tok_b", "" }, 0, 500, "| 0" },
	{ { CHANNEL_BALANCES, "", "" }, 0, 500, "6 | 6" },
	{ { CHANNEL_BALANCES, "tok_a", "ADAUSDM" }, 0, 500, "6 | 6" },
	{ { CHANNEL_SYSTEM, "", "" }, 0, 500, "7 8 9 11 | 11" },
	{ { CHANNEL_SYSTEM, "tok_a", "" }, 0, 500, "7 8 11 | 11" },
	{ { CHANNEL_SYSTEM, "tok_b", "" }, 0, 1, "7 | 11" },
	{ { CHANNEL_SYSTEM, "tok_a", "ADAUSDM" }, 0, 500, "7 | 7" },
	{ { CHANNEL_SYSTEM, "", "IAGUSDM" }, 0, 500, "7 8 11 | 11" },
};

static void a_page_is_what_the_view_shows_after_a_number(void **state)
{
	struct rig *rig = *state;

	rig_open(rig);
	put_samples(rig);
	for (size_t i = 0; i < ARRAY_LEN(views); i++) {
		char found[64] = "";

		rig_find_channel(rig, views[i].view, views[i].after, views[i].limit);
		for (size_t j = 0; j < rig->found; j++)
			snprintf(found + strlen(found), sizeof(found) - strlen(found), "%d ",
				 (int)rig->channel[j].seq);
		snprintf(found + strlen(found), sizeof(found) - strlen(found), "| %d",
			 (int)rig->last);
		if (strcmp(found, views[i].expected) != 0)
			fail_msg("view %zu: %s", i, found);
		assert_int_equal(rig->pruned, 0);
	}
}

/* Live and from the journal, a reader is shown the same. */
static void the_live_view_shows_what_a_page_shows(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(views); i++) {
		const struct channel_view *view = &views[i].view;
		char found[64] = "";

		if (views[i].after > 0 || views[i].limit < 500)
			continue;
		for (size_t j = 0; j < ARRAY_LEN(samples); j++) {
			struct channel_event event = { .channel = samples[j].channel };

			STR_SET(event.token_id, samples[j].token);
			STR_SET(event.symbol, samples[j].symbol);
			if (channel_view_shows(view, &event))
				snprintf(found + strlen(found), sizeof(found) - strlen(found),
					 "%d ", (int)j + 1);
		}
		if (strncmp(found, views[i].expected, strlen(found)) != 0 ||
		    views[i].expected[strlen(found)] != '|')
			fail_msg("view %zu: %s", i, found);
	}
}

static void an_event_comes_back_as_it_was_told(void **state)
{
	struct rig *rig = *state;
	const struct channel_event *event = &rig->channel[0];

	rig_open(rig);
	put_event(rig, CHANNEL_ORDERS, "tok_a", "ADAUSDM");
	rig_wait(rig);
	assert_int_equal(
		rig_find_channel(rig, (struct channel_view){ CHANNEL_ORDERS, "", "" }, 0, 9), 1);
	assert_int_equal(event->seq, 1);
	assert_int_equal(event->channel, CHANNEL_ORDERS);
	assert_string_equal(event->type, "test");
	assert_string_equal(event->token_id, "tok_a");
	assert_string_equal(event->symbol, "ADAUSDM");
	assert_int_equal(event->at.us, RIG_NOW);
}

/* So that whoever asks can join the live events where the answer ends. */
static void an_answer_ends_where_the_listener_is(void **state)
{
	struct rig *rig = *state;
	const struct channel_view all = { CHANNEL_SYSTEM, "", "" };

	rig_open(rig);
	for (int i = 0; i < 50; i++) {
		put_event(rig, CHANNEL_SYSTEM, "", "");
		rig->is_asking = true;
		journal_find_channel(rig->journal, &all, 0, 500, rig_take_channel, rig);
		put_event(rig, CHANNEL_SYSTEM, "", "");
		while (rig->is_asking)
			loop_run(rig->loop);
		assert_int_equal(rig->last, 2 * (uint64_t)i + 1);
		assert_true(rig->told_count >= rig->last);
		rig_wait(rig);
	}
}

/* ---- pruning -------------------------------------------------------------------------------- */

static void stop_loop(void *arg)
{
	loop_stop(arg);
}

static void wait_for_pruning(struct rig *rig, const char *least)
{
	struct timer *look = loop_timer_create(rig->loop, stop_loop, rig->loop);
	sqlite3 *other = rig_connect(rig);

	timer_start(rig->patience, RIG_PATIENCE_MS);
	while (strcmp(rig_ask(other, "SELECT min(seq) FROM channel_events"), least) != 0) {
		timer_start(look, 5);
		loop_run(rig->loop);
	}
	timer_stop(rig->patience);
	timer_destroy(look);
	sqlite3_close(other);
}

static void put_many(struct rig *rig, enum channel channel, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		rig->count = 0;
		put_event(rig, channel, "", "");
		if (i % 100 == 99)
			rig_wait(rig);
	}
	rig_wait(rig);
}

static void the_oldest_events_go_and_it_is_known_how_far(void **state)
{
	struct rig *rig = *state;

	rig->events_kept = 100;
	rig_open(rig);
	put_many(rig, CHANNEL_SYSTEM, 10);
	put_many(rig, CHANNEL_ORDERS, 90 + 2 * JOURNAL_PRUNE_BATCH);
	wait_for_pruning(rig, "513");
	for (int round = 0; round < 2; round++) {
		rig_find_channel(rig, (struct channel_view){ CHANNEL_ORDERS, "", "" }, 0, 500);
		assert_int_equal(rig->pruned, 512);
		assert_int_equal(rig->found, 100);
		/* A quiet channel's position stays good while a busy one's rows go. */
		rig_find_channel(rig, (struct channel_view){ CHANNEL_SYSTEM, "", "" }, 0, 500);
		assert_int_equal(rig->pruned, 10);
		assert_int_equal(rig->last, 0);
		rig_find_channel(rig, (struct channel_view){ CHANNEL_FILLS, "", "" }, 0, 500);
		assert_int_equal(rig->pruned, 0);
		rig_close(rig);
		rig_open(rig);
	}
}

static void a_number_is_not_given_again_whatever_was_pruned(void **state)
{
	struct rig *rig = *state;

	rig_open(rig);
	put_many(rig, CHANNEL_ORDERS, 1 + JOURNAL_PRUNE_BATCH);
	rig_close(rig);
	rig->events_kept = 1;
	rig_open(rig);
	wait_for_pruning(rig, "257");
	rig_close(rig);
	rig_open(rig);
	put_event(rig, CHANNEL_ORDERS, "", "");
	rig_wait(rig);
	assert_int_equal(rig->told[0].seq, 2 + JOURNAL_PRUNE_BATCH);
}

static void must_refuse(sqlite3 *db, const char *sql, const char *word)
{
	struct err err;

	assert_false(sql_exec(db, sql, &err));
	if (!strstr(err.text, word))
		fail_msg("no \"%s\" in: %s", word, err.text);
}

static void the_database_itself_keeps_numbers_and_order(void **state)
{
	struct rig *rig = *state;
	sqlite3 *other;

	rig_open(rig);
	put_many(rig, CHANNEL_SYSTEM, 3);
	rig_close(rig);
	other = rig_connect(rig);
	must_refuse(other, "UPDATE channel_events SET data = '{}'", "append-only");
	must_refuse(other, "DELETE FROM channel_events WHERE seq = 2", "oldest");
	must_refuse(other, "DELETE FROM channel_events", "newest");
	assert_string_equal(rig_ask(other, "SELECT count(*) FROM channel_events"), "3");
	assert_string_equal(rig_ask(other, "SELECT max(pruned) FROM channels"), "0");
	rig_exec(other, "DELETE FROM channel_events WHERE seq < 3");
	assert_string_equal(rig_ask(other, "SELECT max(pruned) FROM channels"), "2");
	sqlite3_close(other);
}

/* ---- what it costs -------------------------------------------------------------------------- */

#define MANY "100000"

static const char many_events[] =
	"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " MANY ") "
	"INSERT INTO channel_events SELECT i, CASE WHEN i < 4 THEN 4 ELSE 1 + i % 2 END, 'test', "
	"'tok_' || (i % 4), CASE WHEN i < 9 THEN 'RAREUSDM' WHEN i % 3 THEN 'ADAUSDM' "
	"ELSE 'IAGUSDM' END, '2026-11-22T11:02:05.123456Z', '{}' FROM n";

/* How many steps of SQLite's machine a statement takes, which no slow machine changes. */
static int steps_of(sqlite3 *db, struct buf *sql, int64_t after, const char *symbol)
{
	sqlite3_stmt *stmt;
	bool has_row;
	struct err err;
	int steps;

	if (!sql_prepare(db, buf_str(sql), false, &stmt, &err))
		fail_msg("%s: %s", err.text, buf_str(sql));
	sql_bind_int(stmt, ":channel", symbol[0] == 'R' ? CHANNEL_SYSTEM : CHANNEL_ORDERS);
	sql_bind_text(stmt, ":token_id", "tok_2");
	sql_bind_text(stmt, ":symbols", ",ADAUSDM,IAGUSDM,");
	sql_bind_text(stmt, ":s0", symbol);
	sql_bind_text(stmt, ":s1", "NONEUSDM");
	sql_bind_int(stmt, ":after", after);
	sql_bind_int(stmt, ":limit", 10);
	while (sql_next(stmt, &has_row, &err) && has_row)
		;
	steps = sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 0);
	sqlite3_finalize(stmt);
	buf_clear(sql);
	return steps;
}

static void no_page_of_a_channel_walks_the_whole_table(void **state)
{
	static const struct channel_view shapes[] = {
		{ CHANNEL_ORDERS, "", "" },     { CHANNEL_ORDERS, "x", "" },
		{ CHANNEL_ORDERS, "x", "A,B" }, { CHANNEL_ORDERS, "", "A,B" },
		{ CHANNEL_SYSTEM, "x", "" },    { CHANNEL_SYSTEM, "x", "A,B" },
		{ CHANNEL_BALANCES, "x", "" },
	};
	static const char *const symbols[] = { "ADAUSDM", "RAREUSDM", "NONEUSDM" };
	struct rig *rig = *state;
	struct buf sql;
	sqlite3 *db;

	rig_open(rig);
	rig_close(rig);
	db = rig_connect(rig);
	rig_exec(db, many_events);
	buf_init(&sql, 65536);
	for (size_t i = 0; i < ARRAY_LEN(shapes) * ARRAY_LEN(symbols); i++) {
		const struct channel_view *shape = &shapes[i / ARRAY_LEN(symbols)];
		const char *symbol = symbols[i % ARRAY_LEN(symbols)];

		for (int64_t after = 0; after <= 100000; after += 50000) {
			journal_channel_page_sql(shape, &sql);
			assert_in_range(steps_of(db, &sql, after, symbol), 1, 2000);
		}
		journal_channel_last_sql(shape, &sql);
		assert_in_range(steps_of(db, &sql, 0, symbol), 1, 2000);
	}
	buf_fini(&sql);
	sqlite3_close(db);
}

/* ---- balances and executions ---------------------------------------------------------------- */

static void take_balances(void *arg, const struct err *err, const struct journal_balance *balances,
			  const struct wall *as_of, size_t count)
{
	struct rig *rig = arg;
	char text[256] = "", number[DECIMAL_TEXT_LEN];

	for (size_t i = 0; i < count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s/%s=%s@%d ",
			 balances[i].asset, balances[i].unit,
			 decimal_print(balances[i].free, number), (int)(as_of[i].us - RIG_NOW));
	rig_take_text(rig, err, text);
}

static void the_newest_row_of_each_asset_is_its_balance(void **state)
{
	static const struct {
		const char *asset, *unit, *free;
	} rows[] = {
		{ "USDM", "", "7" }, { "ADA", "b", "1" },   { "ADA", "a", "2" },
		{ "USDM", "", "8" }, { "ADA", "a", "2.5" }, { "ADA", "b", "1" },
	};
	struct rig *rig = *state;

	rig_open(rig);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct journal_write *write = journal_write_create();
		struct journal_balance balance = { .free = rig_dec(rows[i].free) };

		STR_SET(balance.asset, rows[i].asset);
		STR_SET(balance.unit, rows[i].unit);
		journal_write_balances(write, &balance, 1, (struct wall){ RIG_NOW + (int)i });
		rig_append(rig, "row", JOURNAL_FACT, write);
	}
	rig->is_asking = true;
	journal_find_balances(rig->journal, take_balances, rig);
	rig_wait(rig);
	assert_int_equal(rig->err.code, ERR_NONE);
	assert_string_equal(rig->text, "ADA/a=2.5@4 ADA/b=1@1 USDM/=8@3 ");
}

static void take_ids(void *arg, const struct err *err, const char *const *ids, size_t count)
{
	struct rig *rig = arg;
	char text[256] = "";

	for (size_t i = 0; i < count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s ", ids[i]);
	rig_take_text(rig, err, text);
}

static void executions_that_are_not_booked_are_found(void **state)
{
	static const char *const ids[] = { "x-1", "x-2", "x-3", "" };
	struct rig *rig = *state;
	struct order order = rig_order("1");
	struct fill fill = rig_fill(&order, "x-2");
	struct journal_write *write = rig_order_write(&order, "accepted");

	rig_open(rig);
	journal_write_fill(write, &fill);
	rig_append(rig, "fill", JOURNAL_FACT, write);
	rig->is_asking = true;
	journal_find_unbooked(rig->journal, ids, 3, take_ids, rig);
	rig_wait(rig);
	assert_int_equal(rig->err.code, ERR_NONE);
	assert_string_equal(rig->text, "x-1 x-3 ");
	rig->is_asking = true;
	journal_find_unbooked(rig->journal, ids, 0, take_ids, rig);
	rig_wait(rig);
	assert_string_equal(rig->text, "");
}

/* ---- the epoch ------------------------------------------------------------------------------ */

static void the_epoch_stays_until_the_journal_is_made_anew(void **state)
{
	struct rig *rig = *state;
	char epoch[40];

	rig_open(rig);
	STR_SET(epoch, journal_epoch(rig->journal));
	assert_int_equal(strlen(epoch), 16);
	rig_close(rig);
	rig_open(rig);
	assert_string_equal(journal_epoch(rig->journal), epoch);
	rig_close(rig);
	assert_int_equal(unlink(rig->path), 0);
	rig_open(rig);
	assert_string_not_equal(journal_epoch(rig->journal), epoch);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		T(events_are_told_in_the_order_of_their_appends_before_the_acknowledgement),
		T(what_fails_is_not_told_and_takes_no_number),
		T(an_event_is_dropped_with_the_row_that_was_there_before),
		T(numbers_go_on_after_a_restart),
		T(what_closing_writes_is_told_as_well),
		T(a_page_is_what_the_view_shows_after_a_number),
		cmocka_unit_test(the_live_view_shows_what_a_page_shows),
		T(an_event_comes_back_as_it_was_told),
		T(an_answer_ends_where_the_listener_is),
		T(the_oldest_events_go_and_it_is_known_how_far),
		T(a_number_is_not_given_again_whatever_was_pruned),
		T(the_database_itself_keeps_numbers_and_order),
		T(no_page_of_a_channel_walks_the_whole_table),
		T(the_newest_row_of_each_asset_is_its_balance),
		T(executions_that_are_not_booked_are_found),
		T(the_epoch_stays_until_the_journal_is_made_anew),
	};
#undef T

	log_configure(LOG_ERROR, LOG_JSON);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
