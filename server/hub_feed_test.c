#include "server/hub_rig.h"

/* ---- beginning ---------------------------------------------------------------------------- */

static void who_has_no_position_gets_a_snapshot_and_what_follows_it(void **state)
{
	struct stage *stage = *state;
	struct reader *reader;

	stage_open(stage);
	stage_tell(stage, CHANNEL_FILLS, "tok_a", "{\"n\":1}");
	reader = reader_join(stage);
	reader_follow(reader, "fills");
	stage_settle(stage);
	stage_tell(stage, CHANNEL_FILLS, "tok_b", "{\"n\":2}");
	stage_tell(stage, CHANNEL_ORDERS, "tok_b", "{\"n\":3}");
	stage_tell(stage, CHANNEL_FILLS, "tok_a", "{\"n\":4}");
	assert_reads(reader, SUBSCRIBED(1, "fills", 1, false));
	assert_reads(reader, SNAPSHOT("fills", 1, "[]"));
	assert_reads(reader, EVENT("fills", 2, 1, "{'n':2}"));
	assert_reads(reader, EVENT("fills", 4, 2, "{'n':4}"));
	assert_nothing(reader);
}

static void what_is_told_while_the_first_answer_is_on_its_way_is_in_it_and_not_doubled(void **state)
{
	struct stage *stage = *state;
	struct reader *reader;

	stage_open(stage);
	reader = reader_join(stage);
	stage_append(stage, CHANNEL_FILLS, "tok_a", "", "{\"n\":1}");
	reader_follow(reader, "fills");
	stage_append(stage, CHANNEL_FILLS, "tok_a", "", "{\"n\":2}");
	stage_settle(stage);
	assert_reads(reader, SUBSCRIBED(1, "fills", 1, false));
	assert_reads(reader, SNAPSHOT("fills", 1, "[]"));
	assert_reads(reader, EVENT("fills", 2, 1, "{'n':2}"));
	assert_nothing(reader);
}

static void who_resumes_gets_what_was_missed_byte_for_byte_as_others_got_it(void **state)
{
	struct stage *stage = *state;
	struct reader *here, *away;
	char text[256];

	stage_open(stage);
	here = reader_join(stage);
	reader_follow(here, "orders");
	stage_settle(stage);
	stage_tell_many(stage, CHANNEL_ORDERS, 25); /* of pages of 10 */
	reader_skip(here, 2);
	away = reader_join(stage);
	reader_resume(away, "orders", 3);
	stage_settle(stage);
	assert_reads(away, SUBSCRIBED(2, "orders", 25, true));
	reader_skip(here, 3);
	for (int i = 3; i < 25; i++) {
		reader_skip(here, 1);
		STR_SET(text, here->text);
		reader_skip(away, 1);
		stage_settle(stage);
		assert_string_equal(away->text, text);
	}
	stage_tell(stage, CHANNEL_ORDERS, "tok_a", "{}");
	assert_reads(away, EVENT("orders", 26, 25, "{}"));
}

static void who_missed_nothing_is_told_so_at_once(void **state)
{
	struct stage *stage = *state;
	struct reader *first, *second;

	stage_open(stage);
	stage_tell(stage, CHANNEL_ORDERS, "tok_a", "{}");
	first = reader_join(stage);
	second = reader_join(stage);
	reader_resume(first, "orders", 1);
	stage_settle(stage);
	reader_resume(second, "orders", 1); /* the view is known by now */
	assert_reads(first, SUBSCRIBED(2, "orders", 1, true));
	assert_reads(second, SUBSCRIBED(2, "orders", 1, true));
	stage_tell(stage, CHANNEL_ORDERS, "tok_a", "{}");
	assert_reads(first, EVENT("orders", 2, 1, "{}"));
	assert_reads(second, EVENT("orders", 2, 1, "{}"));
}

static void a_position_that_means_nothing_here_gets_a_snapshot(void **state)
{
	const struct {
		const char *epoch; /* NULL: this journal's */
		uint64_t seq;
		bool follow_first; /* the view is known already */
	} rows[] = { { "0123", 1, false }, { "", 1, false },       { NULL, 3, false },
		     { NULL, 3, true },    { NULL, ~0ull, false }, { NULL, ~0ull, true } };
	struct stage *stage = *state;

	stage_open(stage);
	stage_tell(stage, CHANNEL_FILLS, "tok_a", "{}");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct hub_wish wish = { .id = 1, .channel = "fills", .has_after = true };
		struct reader *other = reader_join(stage), *reader = reader_join(stage);
		struct err err;

		if (rows[i].follow_first)
			reader_follow(other, "fills");
		stage_settle(stage);
		STR_SET(wish.epoch,
			rows[i].epoch ? rows[i].epoch : journal_epoch(stage->rig->journal));
		wish.seq = rows[i].seq;
		assert_true(reader_wish(reader, &wish, &err));
		stage_settle(stage);
		assert_reads(reader, SUBSCRIBED(1, "fills", 1, false));
		assert_reads(reader, SNAPSHOT("fills", 1, "[]"));
		reader_leave(reader);
		reader_leave(other);
	}
}

static void a_position_older_than_what_is_kept_is_refused_with_4410(void **state)
{
	struct stage *stage = *state;
	struct reader *late, *fresh;

	stage->rig->events_kept = 5;
	stage_open(stage);
	stage_tell_many(stage, CHANNEL_ORDERS, 5000);
	late = reader_join(stage);
	reader_resume(late, "orders", 1);
	fresh = reader_join(stage);
	reader_resume(fresh, "orders", 4999);
	stage_settle(stage);
	assert_non_null(reader_read(late));
	assert_true(is_op(late->text, "error"));
	assert_non_null(strstr(late->text, "\"id\":2,\"code\":\"invalid-parameter\""));
	assert_nothing(late);
	assert_int_equal(late->close_code, HUB_CLOSE_POSITION);
	assert_reads(fresh, SUBSCRIBED(2, "orders", 5000, true));
}

/* ---- snapshots ---------------------------------------------------------------------------- */

static void put_order(struct stage *stage, const char *id, const char *token_id, const char *symbol,
		      enum order_state order_state)
{
	struct order order = rig_order(id);
	struct journal_write *write;

	STR_SET(order.terms.token_id, token_id);
	STR_SET(order.terms.symbol, symbol);
	order.facts.state = order_state;
	write = rig_order_write(&order, "ack");
	event_order(write, &order);
	rig_append(stage->rig, "order", JOURNAL_INTENT, write);
	stage_settle(stage);
}

/* "2 1 ": the ids in a snapshot of orders, or of fills. */
static const char *ids_in(const char *text, const char *member)
{
	static char ids[4096];
	char name[32];
	size_t len = 0;

	snprintf(name, sizeof(name), "\"%s\":\"", member);
	ids[0] = '\0';
	while ((text = strstr(text, name))) {
		text += strlen(name);
		len += (size_t)snprintf(ids + len, sizeof(ids) - len, "%.*s ",
					(int)strcspn(text, "\""), text);
	}
	return ids;
}

static void a_snapshot_of_orders_has_those_that_are_not_final_and_in_view(void **state)
{
	const struct {
		uint32_t scopes;
		const char *symbols;
		const char *expected;
	} rows[] = {
		{ AUTH_READ, "", "ord_4 ord_3 ord_1 " },
		{ AUTH_READ | AUTH_TRADE, "", "ord_3 ord_1 " },
		{ AUTH_READ | AUTH_TRADE, "IAGUSDM", "ord_3 " },
		{ AUTH_READ, "ADAUSDM,IAGUSDM", "ord_4 ord_3 ord_1 " },
		{ AUTH_READ | AUTH_TRADE, "NIGHTUSDM,HOSKYUSDM", "" },
	};
	struct stage *stage = *state;

	stage_open(stage);
	put_order(stage, "1", "tok_a", "ADAUSDM", ORDER_OPEN);
	put_order(stage, "2", "tok_a", "ADAUSDM", ORDER_FILLED);
	put_order(stage, "3", "tok_a", "IAGUSDM", ORDER_UNKNOWN);
	put_order(stage, "4", "tok_b", "ADAUSDM", ORDER_OPEN);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct journal_token token = token_with("tok_a", rows[i].scopes);
		struct reader *reader;

		STR_SET(token.symbols, rows[i].symbols);
		reader = reader_of_token(stage, &token);
		reader_follow(reader, "orders");
		stage_settle(stage);
		reader_skip(reader, 2);
		assert_true(is_op(reader->text, "snapshot"));
		assert_string_equal(ids_in(reader->text, "order_id"), rows[i].expected);
	}
}

static void a_snapshot_of_fills_has_the_last_hundred_oldest_first(void **state)
{
	struct order order = rig_order("1");
	struct stage *stage = *state;
	struct reader *reader;
	char expected[4096];
	size_t len = 0;

	stage_open(stage);
	rig_put_order(stage->rig, &order);
	for (int i = 0; i < 120; i++) {
		struct journal_write *write = journal_write_create();
		struct fill fill;
		char id[16];

		snprintf(id, sizeof(id), "e%d", i);
		fill = rig_fill(&order, id);
		journal_write_fill(write, &fill);
		event_fill(write, &fill);
		rig_append(stage->rig, "fill", JOURNAL_FACT, write);
		if (i >= 20)
			len += (size_t)snprintf(expected + len, sizeof(expected) - len, "%s ", id);
	}
	reader = reader_join(stage);
	reader_follow(reader, "fills");
	stage_settle(stage);
	assert_reads(reader, SUBSCRIBED(1, "fills", 120, false));
	reader_skip(reader, 1);
	assert_string_equal(ids_in(reader->text, "execution_id"), expected);
}

static void snapshots_of_balances_and_system_say_what_is(void **state)
{
	const struct journal_balance balance = {
		.asset = "ADA", .unit = "lovelace", .free = rig_dec("10.50"), .locked = rig_dec("0")
	};
	struct journal_write *write = journal_write_create();
	struct stage *stage = *state;
	struct reader *reader;

	stage_open(stage);
	journal_write_balances(write, &balance, 1, (struct wall){ RIG_NOW });
	event_balance(write, &balance, (struct wall){ RIG_NOW });
	rig_append(stage->rig, "balance", JOURNAL_FACT, write);
	reader = reader_join(stage);
	reader_follow(reader, "balances");
	stage_settle(stage);
	reader_follow(reader, "system");
	stage_settle(stage);
	assert_reads(reader, SUBSCRIBED(1, "balances", 1, false));
	assert_reads(reader, SNAPSHOT("balances", 1,
				      "[{'asset':'ADA','unit':'lovelace','free':'10.50',"
				      "'locked':'0','as_of':'2026-11-22T11:02:05.123456Z'}]"));
	assert_reads(reader, SUBSCRIBED(1, "system", 0, false));
	assert_reads(reader, SNAPSHOT("system", 0, "{'status':'ok'}"));
}

static void many_who_come_at_once_share_one_snapshot(void **state)
{
	struct stage *stage = *state;
	struct reader *readers[20];

	stage_open(stage);
	for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
		readers[i] = reader_join(stage);
		reader_follow(readers[i], "orders");
		assert_true(stage->hub->feeding <= 1);
	}
	stage_settle(stage);
	for (size_t i = 0; i < ARRAY_LEN(readers); i++)
		assert_int_equal(readers[i]->count, 2);
	for (size_t i = 1; i < ARRAY_LEN(readers); i++)
		assert_ptr_equal(readers[i]->frames[1], readers[0]->frames[1]);
}

/* ---- catching up --------------------------------------------------------------------------- */

static void who_falls_behind_costs_bounded_memory_and_goes_on_from_the_journal(void **state)
{
	struct stage *stage = *state;
	struct reader *slow, *fast;
	uint64_t seq = 0;

	stage_open(stage);
	slow = reader_join(stage);
	fast = reader_join(stage);
	reader_resume(slow, "orders", 0);
	reader_resume(fast, "orders", 0);
	stage_settle(stage);
	reader_skip(fast, 1);
	for (int i = 0; i < 300; i++) {
		stage_tell_many(stage, CHANNEL_ORDERS, 1);
		reader_skip(fast, 1);
		assert_int_equal(number_of(fast->text, "seq"), i + 1);
	}
	assert_true(slow->bytes_most <= STAGE_QUEUE_MAX);
	assert_true(slow->count < 100);
	reader_skip(slow, 1);
	while (seq < 300) {
		if (!reader_read(slow)) {
			stage_settle(stage);
			continue;
		}
		assert_int_equal(number_of(slow->text, "prev"), seq);
		seq = number_of(slow->text, "seq");
	}
	stage_settle(stage);
	assert_int_equal(stage->hub->catching_up, 0);
	assert_true(slow->bytes_most <= STAGE_QUEUE_MAX);
}

static void a_message_larger_than_the_bound_passes_an_empty_queue(void **state)
{
	static char data[STAGE_QUEUE_MAX + 100];
	struct stage *stage = *state;
	struct reader *reader;

	stage_open(stage);
	snprintf(data, sizeof(data), "{\"n\":\"%0*d\"}", STAGE_QUEUE_MAX, 0);
	reader = reader_join(stage);
	reader_resume(reader, "orders", 0);
	stage_settle(stage);
	reader_skip(reader, 1);
	for (int i = 0; i < 3; i++)
		stage_tell(stage, CHANNEL_ORDERS, "", data);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(reader->count, 1);
		reader_skip(reader, 1);
		assert_int_equal(number_of(reader->text, "seq"), i + 1);
		stage_settle(stage);
	}
}

static void catching_up_takes_turns_and_few_at_a_time(void **state)
{
	struct stage *stage = *state;
	struct reader *readers[6], *live;

	stage_open(stage);
	stage_tell_many(stage, CHANNEL_ORDERS, 200);
	live = reader_join(stage);
	reader_resume(live, "orders", 200);
	stage_settle(stage);
	reader_skip(live, 1);
	for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
		readers[i] = reader_join(stage);
		reader_resume(readers[i], "orders", 0);
	}
	assert_int_equal(stage->hub->feeding, 2);
	assert_int_equal(stage->hub->catching_up, 6);
	/* Appended behind two pages, not behind all of them. */
	stage_append(stage, CHANNEL_ORDERS, "", "", "{}");
	rig_wait(stage->rig);
	assert_reads(live, EVENT("orders", 201, 200, "{}"));
	assert_true(stage->hub->catching_up > 0);
	assert_true(stage->hub->feeding <= 2);
	stage_settle(stage);
	for (size_t i = 0; i < ARRAY_LEN(readers); i++)
		assert_true(readers[i]->count > 10); /* a page and its head */
}

static void catching_up_gives_way_to_live_events(void **state)
{
	struct stage *stage = *state;
	struct reader *reader;

	stage->is_behind = true;
	stage_open(stage);
	stage->hub->config.give_way_ms = INT64_MAX;
	stage_tell_many(stage, CHANNEL_ORDERS, 25);
	reader = reader_join(stage);
	reader_resume(reader, "orders", 1);
	stage_settle(stage);
	assert_nothing(reader);
	stage->is_behind = false;
	stage_settle(stage);
	assert_reads(reader, SUBSCRIBED(2, "orders", 25, true));
	assert_true(reader->count >= 10); /* a page */
}

static void catching_up_does_not_give_way_for_ever(void **state)
{
	struct stage *stage = *state;
	struct reader *readers[4];

	stage->is_behind = true;
	stage_open(stage);
	stage->hub->config.give_way_ms = 1;
	stage_tell_many(stage, CHANNEL_ORDERS, 5);
	for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
		readers[i] = reader_join(stage);
		reader_resume(readers[i], "orders", 1);
	}
	while (stage->hub->catching_up > 0)
		stage_settle(stage);
	for (size_t i = 0; i < ARRAY_LEN(readers); i++)
		assert_reads(readers[i], SUBSCRIBED(2, "orders", 5, true));
}

static void leaving_with_answers_on_their_way_is_safe(void **state)
{
	struct stage *stage = *state;
	struct reader *reader;

	stage_open(stage);
	stage_tell_many(stage, CHANNEL_ORDERS, 30);
	for (int i = 0; i < 4; i++) {
		reader = reader_join(stage);
		reader_resume(reader, "orders", 0);
		reader_follow(reader, "fills");
		reader_follow(reader_join(stage), "system");
		if (i % 2)
			stage_settle(stage);
		reader_leave(reader);
	}
	stage_settle(stage);
	reader = reader_join(stage);
	reader_resume(reader, "orders", 29);
	reader_follow(reader, "balances");
	stage_close_hub(stage); /* the answers find nobody */
	rig_find_orders(stage->rig, (struct journal_order_query){ .limit = 1 });
	stage_open_hub(stage);
}

static void a_snapshot_is_not_put_on_top_of_a_long_queue(void **state)
{
	static char text[STAGE_QUEUE_MAX];
	struct stage *stage = *state;
	struct reader *reader;

	stage_open(stage);
	memset(text, ' ', sizeof(text));
	reader = reader_join(stage);
	hub_peer_send(reader->peer, text, sizeof(text));
	reader_follow(reader, "orders");
	reader_follow(reader, "trades:ADAUSDM");
	stage_settle(stage);
	assert_int_equal(reader->count, 1);
	reader_skip(reader, 1);
	stage_settle(stage);
	assert_int_equal(reader->count, 4);
}

static void a_journal_that_cannot_be_read_closes_who_needs_it(void **state)
{
	struct stage *stage = *state;
	struct reader *readers[3];
	sqlite3 *db;

	stage_open(stage);
	stage_tell(stage, CHANNEL_ORDERS, "", "{}");
	for (size_t i = 0; i < ARRAY_LEN(readers); i++)
		readers[i] = reader_join(stage);
	reader_follow(readers[0], "orders");
	stage_settle(stage);
	db = rig_connect(stage->rig);
	rig_exec(db, "ALTER TABLE channel_events RENAME TO elsewhere");
	reader_resume(readers[1], "orders", 0);
	reader_follow(readers[1], "fills");
	reader_follow(readers[2], "system");
	stage_settle(stage);
	rig_exec(db, "ALTER TABLE elsewhere RENAME TO channel_events");
	sqlite3_close(db);
	assert_int_equal(readers[0]->close_code, 0); /* live, and needs nothing */
	assert_int_equal(readers[1]->close_code, HUB_CLOSE_INTERNAL);
	assert_int_equal(readers[2]->close_code, HUB_CLOSE_INTERNAL);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
	const struct CMUnitTest tests[] = {
		T(who_has_no_position_gets_a_snapshot_and_what_follows_it),
		T(what_is_told_while_the_first_answer_is_on_its_way_is_in_it_and_not_doubled),
		T(who_resumes_gets_what_was_missed_byte_for_byte_as_others_got_it),
		T(who_missed_nothing_is_told_so_at_once),
		T(a_position_that_means_nothing_here_gets_a_snapshot),
		T(a_position_older_than_what_is_kept_is_refused_with_4410),
		T(a_snapshot_of_orders_has_those_that_are_not_final_and_in_view),
		T(a_snapshot_of_fills_has_the_last_hundred_oldest_first),
		T(snapshots_of_balances_and_system_say_what_is),
		T(many_who_come_at_once_share_one_snapshot),
		T(who_falls_behind_costs_bounded_memory_and_goes_on_from_the_journal),
		T(a_message_larger_than_the_bound_passes_an_empty_queue),
		T(catching_up_takes_turns_and_few_at_a_time),
		T(catching_up_gives_way_to_live_events),
		T(catching_up_does_not_give_way_for_ever),
		T(leaving_with_answers_on_their_way_is_safe),
		T(a_snapshot_is_not_put_on_top_of_a_long_queue),
		T(a_journal_that_cannot_be_read_closes_who_needs_it),
	};
#undef T

	log_configure(LOG_ERROR, LOG_JSON);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
