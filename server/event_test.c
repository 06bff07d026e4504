#include "server/journal_rig.h"

#include "base/log.h"
#include "server/event.h"
#include "server/event_switch.h"
#include "server/feed.h"
#include "server/json.h"
#include "server/orders.h"

/* What a channel told, one word for each event: "accepted building", "fill.created" ... */
static void assert_channel(const struct rig *rig, enum channel channel, const char *expected)
{
	sqlite3 *other = rig_connect(rig);
	char sql[256];

	snprintf(sql, sizeof(sql),
		 "SELECT group_concat(word, ' ') FROM (SELECT "
		 "ifnull(json_extract(data, '$.state'), type) AS word FROM channel_events "
		 "WHERE channel = %d ORDER BY seq)",
		 (int)channel);
	assert_string_equal(rig_ask(other, sql), expected);
	sqlite3_close(other);
}

/* ---- words ---------------------------------------------------------------------------------- */

static void must_have(const struct rig *rig, const char *column, const char *expected)
{
	sqlite3 *other = rig_connect(rig);
	char sql[96];
	sqlite3_stmt *stmt;
	bool has_row;
	struct err err;

	snprintf(sql, sizeof(sql), "SELECT %s FROM channel_events", column);
	assert_true(sql_prepare(other, sql, false, &stmt, &err));
	assert_true(sql_next(stmt, &has_row, &err) && has_row);
	assert_string_equal((const char *)sqlite3_column_text(stmt, 0), expected);
	sqlite3_finalize(stmt);
	sqlite3_close(other);
}

static void an_order_is_told_as_the_rest_api_words_it(void **state)
{
	struct rig *rig = *state;
	struct order order = rig_order("1");
	struct journal_write *write = rig_order_write(&order, "accepted");
	struct json_out out;

	rig_open(rig);
	event_order(write, &order);
	rig_append(rig, "order", JOURNAL_INTENT, write);
	rig_wait(rig);
	json_out_init(&out);
	json_order(&out, NULL, &order);
	must_have(rig, "data", buf_str(&out.buf));
	must_have(rig, "type || token_id || symbol", "order.updatedtok_aADAUSDM");
	must_have(rig, "at", "2026-11-22T11:02:05.123456Z");
	json_out_fini(&out);
}

static void a_fill_is_told_as_the_rest_api_words_it(void **state)
{
	struct rig *rig = *state;
	struct order order = rig_order("1");
	struct fill fill = rig_fill(&order, "x-1");
	struct journal_write *write = rig_order_write(&order, "accepted");
	struct json_out out;

	rig_open(rig);
	journal_write_fill(write, &fill);
	event_fill(write, &fill);
	rig_append(rig, "fill", JOURNAL_FACT, write);
	rig_wait(rig);
	json_out_init(&out);
	json_fill(&out, &fill);
	must_have(rig, "data", buf_str(&out.buf));
	must_have(rig, "type || token_id || symbol", "fill.createdtok_aADAUSDM");
	json_out_fini(&out);
}

static void a_balance_and_a_fact_of_the_system_are_objects_of_their_own(void **state)
{
	struct rig *rig = *state;
	struct journal_balance balance = { .asset = "ADA", .free = rig_dec("1.50") };
	struct journal_write *write = journal_write_create();

	rig_open(rig);
	journal_write_balances(write, &balance, 1, (struct wall){ RIG_NOW });
	event_balance(write, &balance, (struct wall){ RIG_NOW });
	rig_append(rig, "balance", JOURNAL_FACT, write);
	rig_wait(rig);
	must_have(rig, "data",
		  "{\"asset\":\"ADA\",\"unit\":null,\"free\":\"1.50\",\"locked\":\"0\","
		  "\"as_of\":\"2026-11-22T11:02:05.123456Z\"}");
	event_system(rig->journal, SYSTEM_STARTED, "", "", "", "it \"serves\"");
	rig_close(rig);
	assert_channel(rig, CHANNEL_SYSTEM, "daemon.started");
	assert_string_equal(rig->told[1].data, "{\"about\":null,\"text\":\"it \\\"serves\\\"\"}");
}

/* ---- news ----------------------------------------------------------------------------------- */

static void a_digest_changes_with_all_that_is_told_but_the_time(void **unused)
{
	struct order order = rig_order("1"), other = order;
	const uint64_t digest = event_order_digest(&order);

	(void)unused;
	other.facts.updated_at.us += 1;
	assert_true(event_order_digest(&other) == digest);
	other.facts.state = ORDER_BUILDING;
	assert_true(event_order_digest(&other) != digest);
	other = order;
	other.facts.cancel_requested = true;
	assert_true(event_order_digest(&other) != digest);
	other = order;
	other.facts.executed_base_qty = rig_dec("0.1");
	assert_true(event_order_digest(&other) != digest);
	other = order;
	STR_SET(other.facts.error_code, "rejected");
	assert_true(event_order_digest(&other) != digest);
}

static struct dd_execution executions[] = { { .id = "x-1" }, { .id = "x-2" } };

static void see_filled(struct orders *orders, struct tracked *tracked, size_t fills)
{
	struct dd_order seen = { .status = DD_STATUS_OPEN,
				 .has_executions = true,
				 .executions = executions,
				 .execution_count = fills };

	for (size_t i = 0; i < ARRAY_LEN(executions); i++) {
		executions[i].price = rig_dec("0.2547");
		executions[i].base_qty = rig_dec("50.25");
	}
	feed_order(orders, tracked, &seen, "poll");
}

static void trade(struct rig *rig, struct orders *orders)
{
	struct order order = rig_order("1");
	struct journal_step step = { .event = "accepted", .cause = "app" };
	struct tracked *tracked = orders_add(orders, &order, 1);

	orders_record(orders, tracked, &step, NULL, JOURNAL_INTENT, NULL, NULL);
	rig_append(rig, "it is durable", JOURNAL_FACT, rig_setting_write("a", "x"));
	rig_wait(rig);
	step.event = NULL;
	assert_true(orders_move(orders, tracked, EV_DISPATCH, &step));
	assert_true(orders_move(orders, tracked, EV_SIGN, &step));
	step.detail = "no answer in time";
	assert_true(orders_move(orders, tracked, EV_LOSE, &step));
	assert_true(orders_move(orders, tracked, EV_LOSE, &step)); /* a step, and no news */
	assert_true(orders_move(orders, tracked, EV_ACK, &step));
	see_filled(orders, tracked, 1);
	see_filled(orders, tracked, 1);
	see_filled(orders, tracked, 2);
}

/* Acknowledgements come at the close; then nothing holds the orders. */
static void close_orders(struct rig *rig, struct orders *orders)
{
	size_t lost;

	assert_true(journal_close(rig->journal, &lost));
	orders_destroy(orders);
	timer_destroy(rig->patience);
	loop_destroy(rig->loop);
	rig->loop = NULL;
}

static void every_change_of_an_order_is_told_once_and_fills_before_it(void **state)
{
	static const enum channel order[] = {
		CHANNEL_ORDERS, CHANNEL_ORDERS, CHANNEL_ORDERS, CHANNEL_ORDERS,
		CHANNEL_SYSTEM, CHANNEL_ORDERS, CHANNEL_FILLS,  CHANNEL_ORDERS,
		CHANNEL_FILLS,  CHANNEL_ORDERS, CHANNEL_ORDERS,
	};
	struct rig *rig = *state;
	struct orders *orders;

	rig_open(rig);
	orders = orders_create(rig->loop, rig->journal);
	trade(rig, orders);
	close_orders(rig, orders);
	assert_channel(rig, CHANNEL_ORDERS,
		       "accepted building submitting unknown open partially_filled "
		       "partially_filled filled");
	assert_channel(rig, CHANNEL_FILLS, "fill.created fill.created");
	assert_channel(rig, CHANNEL_SYSTEM, "order.unknown");
	assert_non_null(strstr(rig->told[4].data, "\"reason\":\"no answer in time\","
						  "\"next_attempt_at\":\"20"));
	assert_int_equal(rig->told_count, ARRAY_LEN(order));
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		assert_int_equal(rig->told[i].channel, order[i]);
}

static void add_told(void *arg, const struct order *order)
{
	orders_mark_told(orders_add(arg, order, 1));
}

static void record_again(void *arg, struct tracked *tracked)
{
	struct journal_step step = { .event = "looked_at", .cause = "recovery" };

	orders_record(arg, tracked, &step, NULL, JOURNAL_FACT, NULL, NULL);
}

static void a_restart_tells_nothing_twice(void **state)
{
	struct rig *rig = *state;
	struct orders *orders;
	struct tracked *tracked;
	struct order order = rig_order("2");
	struct journal_step step = { .event = "accepted", .cause = "app" };
	struct err err;

	rig_open(rig);
	orders = orders_create(rig->loop, rig->journal);
	tracked = orders_add(orders, &order, 1);
	tracked->order.terms.has_base_qty = false;
	tracked->order.terms.has_quote_qty = true;
	tracked->order.terms.quote_qty = rig_dec("17.500");
	tracked->order.terms.valid_until.us = RIG_NOW;
	STR_SET(tracked->order.facts.exchange_order_id, "e-1");
	orders_record(orders, tracked, &step, NULL, JOURNAL_INTENT, NULL, NULL);
	step.event = NULL;
	assert_true(orders_move(orders, tracked, EV_DISPATCH, &step));
	assert_true(orders_move(orders, tracked, EV_SIGN, &step));
	see_filled(orders, tracked, 1);
	close_orders(rig, orders);
	rig_open(rig);
	orders = orders_create(rig->loop, rig->journal);
	assert_true(journal_load_live_orders(rig->journal, add_told, orders, &err));
	assert_int_equal(orders_open_count(orders, NULL), 1);
	orders_each(orders, record_again, orders);
	close_orders(rig, orders);
	assert_channel(rig, CHANNEL_ORDERS, "accepted building submitting partially_filled");
}

/* Its event was dropped with it: what it would have told is news again. */
static void what_a_failed_intent_would_have_told_is_told_later(void **state)
{
	struct rig *rig = *state;
	struct order first = rig_order("1"), order = rig_order("2");
	struct journal_step step = { .event = "accepted", .cause = "app" };
	struct orders *orders;
	struct tracked *tracked;

	rig_open(rig);
	rig_put_order(rig, &first);
	orders = orders_create(rig->loop, rig->journal);
	STR_SET(order.terms.client_order_id, first.terms.client_order_id);
	tracked = orders_add(orders, &order, 1);
	orders_record(orders, tracked, &step, NULL, JOURNAL_INTENT, NULL, NULL);
	STR_SET(tracked->order.terms.client_order_id, "another");
	step.event = "again";
	orders_record(orders, tracked, &step, NULL, JOURNAL_FACT, NULL, NULL);
	rig_append(rig, "then", JOURNAL_FACT, rig_setting_write("a", "x"));
	rig_wait(rig);
	record_again(orders, tracked);
	close_orders(rig, orders);
	assert_true(rig->told_count >= 1);
	assert_channel(rig, CHANNEL_ORDERS, "accepted accepted");
}

/* ---- switches ------------------------------------------------------------------------------- */

static void wait_for_told(struct rig *rig, size_t count)
{
	timer_start(rig->patience, RIG_PATIENCE_MS);
	while (rig->told_count < count) {
		rig_append(rig, "wait", JOURNAL_FACT, rig_setting_write("a", "x"));
		rig_wait(rig);
		rig->count = 0;
		timer_start(rig->patience, RIG_PATIENCE_MS);
	}
	timer_stop(rig->patience);
}

static void a_switch_that_flaps_is_told_as_it_ends_up(void **state)
{
	struct rig *rig = *state;
	struct event_switch *link, *high;

	rig_open(rig);
	link = event_switch_create(rig->loop, rig->journal, SYSTEM_VENUE_UP, SYSTEM_VENUE_DOWN, 30);
	high = event_switch_create(rig->loop, rig->journal, SYSTEM_RATE_HIGH, SYSTEM_RATE_HIGH, 30);
	event_switch_set(high, false, "");
	for (int i = 0; i < 100; i++) {
		event_switch_set(link, i % 2 == 0, i % 2 == 0 ? "up" : "down");
		event_switch_set(high, i % 2 == 0, "high");
	}
	wait_for_told(rig, 3);
	event_switch_set(link, false, "still down");
	event_switch_destroy(link);
	event_switch_destroy(high);
	rig_close(rig);
	assert_channel(rig, CHANNEL_SYSTEM,
		       "exchange.reachable rate.utilization_high exchange.unreachable");
	assert_non_null(strstr(rig->told[2].data, "\"text\":\"down\""));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		T(an_order_is_told_as_the_rest_api_words_it),
		T(a_fill_is_told_as_the_rest_api_words_it),
		T(a_balance_and_a_fact_of_the_system_are_objects_of_their_own),
		cmocka_unit_test(a_digest_changes_with_all_that_is_told_but_the_time),
		T(every_change_of_an_order_is_told_once_and_fills_before_it),
		T(a_restart_tells_nothing_twice),
		T(what_a_failed_intent_would_have_told_is_told_later),
		T(a_switch_that_flaps_is_told_as_it_ends_up),
	};
#undef T

	log_configure(LOG_ERROR, LOG_JSON);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
