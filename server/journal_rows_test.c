#include "server/journal_rig.h"

#include "base/buf.h"
#include "base/log.h"

/* Everything in an order, as text: structs have padding. */
static void describe(const struct order *order, struct buf *text)
{
	const struct order_terms *t = &order->terms;
	const struct order_facts *f = &order->facts;
	const struct decimal amounts[] = { t->base_qty,
					   t->quote_qty,
					   t->price,
					   f->exchange_base_qty,
					   f->executed_base_qty,
					   f->executed_quote_qty,
					   f->exchange_executed_quote_qty,
					   f->commission };

	buf_printf(text, "%s|%s|%s|%s|%s|%s|%s|%d|%d|%d%d%d|%d|%d|%lld|%lld|", t->order_id,
		   t->client_order_id, t->token_id, t->app, t->request_id, t->body_hash, t->symbol,
		   (int)t->side, (int)t->type, t->has_base_qty, t->has_quote_qty, t->has_price,
		   t->max_slippage_bp, t->post_only, (long long)t->valid_until.us,
		   (long long)t->created_at.us);
	buf_printf(text, "%d|%s|%s|%d|%d|%d|%s|%s|%d|%s|%lld|%lld", (int)f->state,
		   f->exchange_order_id, f->tx_hash, f->attempt, f->cancel_requested,
		   f->has_exchange_base_qty, f->commission_unit, f->error_code, f->exchange_code,
		   f->error, (long long)f->queued_ms, (long long)f->updated_at.us);
	for (size_t i = 0; i < ARRAY_LEN(amounts); i++) {
		char printed[DECIMAL_TEXT_LEN];

		buf_printf(text, "|%s", decimal_print(amounts[i], printed));
	}
}

static void assert_same_order(const struct order *a, const struct order *b)
{
	struct buf left, right;

	buf_init(&left, 4096);
	buf_init(&right, 4096);
	describe(a, &left);
	describe(b, &right);
	assert_string_equal(buf_str(&left), buf_str(&right));
	buf_fini(&left);
	buf_fini(&right);
}

static struct order order_with_everything(void)
{
	struct order order = rig_order("full");
	struct order_facts *facts = &order.facts;

	order.terms.type = ORDER_MARKET;
	order.terms.side = ORDER_BUY;
	order.terms.has_base_qty = order.terms.has_price = false;
	order.terms.base_qty = order.terms.price = DECIMAL_ZERO;
	order.terms.has_quote_qty = true;
	order.terms.quote_qty = rig_dec("25.000");
	order.terms.max_slippage_bp = 0;
	order.terms.post_only = true;
	order.terms.valid_until = (struct wall){ RIG_NOW + 5000000 };
	facts->state = ORDER_PARTIALLY_FILLED;
	STR_SET(facts->exchange_order_id, "550e8400-e29b-41d4-a716-446655440000");
	STR_SET(facts->tx_hash, "ab12");
	facts->attempt = 2;
	facts->cancel_requested = true;
	facts->has_exchange_base_qty = true;
	facts->exchange_base_qty = rig_dec("98.154");
	facts->executed_base_qty = rig_dec("40");
	facts->executed_quote_qty = rig_dec("10.188000");
	facts->exchange_executed_quote_qty = rig_dec("3.5");
	facts->commission = rig_dec("0.04");
	STR_SET(facts->commission_unit, "lovelace");
	STR_SET(facts->error_code, "exchange-error");
	facts->exchange_code = 5000;
	STR_SET(facts->error, "it's \"odd\"");
	facts->queued_ms = 1200;
	facts->updated_at = (struct wall){ RIG_NOW + 1 };
	return order;
}

static void an_order_comes_back_as_it_was_written(void **state)
{
	struct rig *rig = *state;
	struct order full = order_with_everything(), plain = rig_order("plain");

	rig_open(rig);
	rig_put_order(rig, &full);
	rig_put_order(rig, &plain);
	rig_close(rig);
	rig_open(rig);
	assert_int_equal(rig_find_orders(rig, (struct journal_order_query){ 0 }), 2);
	assert_same_order(&rig->orders[0], &plain);
	assert_same_order(&rig->orders[1], &full);
}

static void what_was_asked_for_never_changes(void **state)
{
	struct rig *rig = *state;
	struct order order = rig_order("1"), changed = order;

	rig_open(rig);
	rig_put_order(rig, &order);
	changed.terms.price = rig_dec("9");
	STR_SET(changed.terms.symbol, "IAGUSDM");
	changed.facts.state = ORDER_OPEN;
	rig_put_order(rig, &changed);
	rig_find_orders(rig, (struct journal_order_query){ 0 });
	order.facts.state = ORDER_OPEN;
	assert_same_order(&rig->orders[0], &order);
}

static void every_step_is_kept_with_its_reason(void **state)
{
	struct rig *rig = *state;
	struct order order = rig_order("1");
	struct journal_write *write = journal_write_create();
	const struct journal_step step = { .event = "refuse",
					   .cause = "exchange",
					   .request_id = "req_9",
					   .token_id = "tok_a",
					   .http_status = 400,
					   .exchange_code = 4050,
					   .detail = "Insufficient balance" };

	rig_open(rig);
	rig_put_order(rig, &order);
	order.facts.state = ORDER_REJECTED;
	STR_SET(order.facts.exchange_order_id, "exch-1");
	journal_write_order(write, &order, &step);
	rig_append(rig, "refuse", JOURNAL_FACT, write);
	rig_wait(rig);
	assert_int_equal(rig_find_events(rig, order.terms.order_id, 0), 2);
	assert_string_equal(rig->events[0].event, "accepted");
	assert_int_equal(rig->events[1].state, ORDER_REJECTED);
	assert_string_equal(rig->events[1].cause, "exchange");
	assert_string_equal(rig->events[1].request_id, "req_9");
	assert_string_equal(rig->events[1].token_id, "tok_a");
	assert_string_equal(rig->events[1].exchange_order_id, "exch-1");
	assert_string_equal(rig->events[1].detail, "Insufficient balance");
	assert_int_equal(rig->events[1].http_status, 400);
	assert_int_equal(rig->events[1].exchange_code, 4050);
	assert_true(rig->events[1].at.us == RIG_NOW);
	assert_int_equal(rig_find_events(rig, order.terms.order_id, rig->events[0].event_id), 1);
	assert_int_equal(rig->events[0].state, ORDER_REJECTED);
}

static void an_execution_is_booked_once(void **state)
{
	struct rig *rig = *state;
	struct order order = rig_order("1");
	struct fill fill = rig_fill(&order, "exec-1"), taker = rig_fill(&order, "exec-2");
	char text[DECIMAL_TEXT_LEN];

	rig_open(rig);
	rig_put_order(rig, &order);
	taker.is_maker = false;
	taker.has_exchange_quote_qty = true;
	taker.exchange_quote_qty = rig_dec("3.53");
	for (int i = 0; i < 3; i++) {
		struct journal_write *write = journal_write_create();

		journal_write_fill(write, &fill);
		journal_write_fill(write, &taker);
		rig_append(rig, "fill", JOURNAL_FACT, write);
	}
	rig_wait(rig);
	assert_int_equal(rig_outcome(rig, "fill"), ERR_NONE);
	assert_int_equal(rig_find_fills(rig, (struct journal_fill_query){ 0 }), 2);
	assert_true(rig->fills[0].is_maker);
	assert_false(rig->fills[0].has_exchange_quote_qty);
	assert_string_equal(decimal_print(rig->fills[0].quote_qty, text), "10.2516750");
	assert_true(rig->fills[0].executed_at.us == RIG_NOW);
	assert_true(rig->fills[0].booked_at.us == RIG_NOW + 1);
	assert_string_equal(rig->fills[1].execution_id, "exec-2");
	assert_false(rig->fills[1].is_maker);
	assert_string_equal(decimal_print(rig->fills[1].exchange_quote_qty, text), "3.53");
}

static void the_signed_bytes_of_the_latest_build_come_back(void **state)
{
	struct rig *rig = *state;
	struct order order = rig_order("1");
	const char *builds[] = { "exch-1", "exch-2" }, *signed_hex[] = { "84a4", "84a5ff" };

	rig_open(rig);
	for (int i = 0; i < 2; i++) {
		struct journal_write *write;

		STR_SET(order.facts.exchange_order_id, builds[i]);
		order.facts.attempt = i + 1;
		order.facts.updated_at.us = RIG_NOW + i;
		write = rig_order_write(&order, "sign");
		journal_write_submission(write, &order, signed_hex[i]);
		rig_append(rig, "sign", JOURNAL_INTENT, write);
	}
	rig->is_asking = true;
	journal_find_submission(rig->journal, order.terms.order_id, "", rig_take_submission, rig);
	rig_wait(rig);
	assert_int_equal(rig_outcome(rig, "sign"), ERR_NONE);
	assert_string_equal(rig->text, "84a5ff");
	assert_true(rig->signed_at.us == RIG_NOW + 1);
	rig->is_asking = true;
	journal_find_submission(rig->journal, order.terms.order_id, "exch-1", rig_take_submission,
				rig);
	rig_wait(rig);
	assert_string_equal(rig->text, "84a4");
	assert_true(rig->signed_at.us == RIG_NOW);
	assert_false(rig->is_taken);
	rig_append(rig, "taken", JOURNAL_FACT, rig_order_write(&order, JOURNAL_TAKEN));
	rig->is_asking = true;
	journal_find_submission(rig->journal, order.terms.order_id, "", rig_take_submission, rig);
	rig_wait(rig);
	assert_string_equal(rig->text, "84a5ff");
	assert_true(rig->is_taken);
	rig->is_asking = true;
	journal_find_submission(rig->journal, "ord_none", "", rig_take_submission, rig);
	rig_wait(rig);
	assert_null(rig->text);
}

static void only_a_balance_that_changed_makes_a_row(void **state)
{
	struct rig *rig = *state;
	struct journal_balance balances[2] = { { .asset = "ADA", .unit = "lovelace" },
					       { .asset = "USDM", .unit = "c48c" } };
	const char *free_ada[] = { "100.000000", "100.000000", "95.5", "100.000000" };
	sqlite3 *other;

	rig_open(rig);
	balances[1].free = rig_dec("7");
	for (size_t i = 0; i < ARRAY_LEN(free_ada); i++) {
		struct journal_write *write = journal_write_create();

		balances[0].free = rig_dec(free_ada[i]);
		journal_write_balances(write, balances, 2, (struct wall){ RIG_NOW });
		rig_append(rig, "balances", JOURNAL_FACT, write);
	}
	rig_wait(rig);
	other = rig_connect(rig);
	assert_string_equal(rig_ask(other, "SELECT group_concat(asset || ' ' || free || ' ' || "
					   "locked, ', ') FROM balances"),
			    "ADA 100.000000 0, USDM 7 0, ADA 95.5 0, ADA 100.000000 0");
	sqlite3_close(other);
}

static void count_order(void *arg, const struct order *order)
{
	struct rig *rig = arg;

	rig->orders[rig->found++] = *order;
}

static void count_token(void *arg, const struct journal_token *token)
{
	*(struct journal_token *)arg = *token;
}

static void count_fill(void *arg, const struct fill *fill)
{
	struct rig *rig = arg;

	rig->fills[rig->found++] = *fill;
}

static void what_is_not_final_is_loaded_at_start_oldest_first(void **state)
{
	struct rig *rig = *state;
	struct err err;

	rig_open(rig);
	for (int i = ORDER_NONE + 1; i < ORDER_STATE_COUNT; i++) {
		struct order order;
		char id[16];

		snprintf(id, sizeof(id), "%02d", 20 - i);
		order = rig_order(id);
		order.facts.state = (enum order_state)i;
		rig_put_order(rig, &order);
	}
	rig_close(rig);
	rig_open(rig);
	rig->found = 0;
	assert_true(journal_load_live_orders(rig->journal, count_order, rig, &err));
	assert_int_equal(rig->found, 6);
	for (size_t i = 0; i < rig->found; i++) {
		assert_false(order_is_final(rig->orders[i].facts.state));
		assert_true(i == 0 || strcmp(rig->orders[i - 1].terms.order_id,
					     rig->orders[i].terms.order_id) < 0);
	}
}

static void tokens_settings_and_fills_are_loaded_at_start(void **state)
{
	struct rig *rig = *state;
	struct journal_token token = { .scopes = 0x80000001u, .max_open_orders = 3, .weight = 2 };
	struct journal_token found = { 0 };
	struct order order = rig_order("1");
	struct fill fill = rig_fill(&order, "exec-1");
	struct journal_write *write;
	char *value;
	struct err err;

	STR_SET(token.token_id, "tok_a");
	STR_SET(token.name, "bot");
	STR_SET(token.hash, "abcd");
	STR_SET(token.symbols, "ADAUSDM,IAGUSDM");
	token.has_max_order_value = true;
	token.max_order_value = rig_dec("1000.5");
	token.created_at = (struct wall){ RIG_NOW };
	rig_open(rig);
	for (int i = 0; i < 2; i++) {
		write = journal_write_create();
		journal_write_token(write, &token);
		rig_append(rig, "token", JOURNAL_INTENT, write);
		token.revoked_at = (struct wall){ RIG_NOW + 7 };
	}
	write = rig_order_write(&order, "accepted");
	journal_write_fill(write, &fill);
	journal_write_setting(write, "halt", "yes");
	rig_append(rig, "rest", JOURNAL_INTENT, write);
	rig_wait(rig);
	assert_int_equal(rig_outcome(rig, "rest"), ERR_NONE);
	rig_close(rig);

	rig_open(rig);
	assert_true(journal_load_tokens(rig->journal, count_token, &found, &err));
	assert_string_equal(found.name, "bot");
	assert_string_equal(found.hash, "abcd");
	assert_string_equal(found.symbols, "ADAUSDM,IAGUSDM");
	assert_true(found.scopes == token.scopes && found.max_open_orders == 3);
	assert_true(found.weight == 2 && found.has_max_order_value);
	assert_int_equal(decimal_cmp(found.max_order_value, token.max_order_value), 0);
	assert_true(found.created_at.us == RIG_NOW && found.expires_at.us == 0);
	assert_true(found.revoked_at.us == RIG_NOW + 7);
	assert_true(journal_load_setting(rig->journal, "halt", &value, &err));
	assert_string_equal(value, "yes");
	mem_free(value);
	assert_true(journal_load_setting(rig->journal, "nothing", &value, &err));
	assert_null(value);
	rig->found = 0;
	assert_true(journal_load_fills(rig->journal, order.terms.order_id, count_fill, rig, &err));
	assert_int_equal(rig->found, 1);
	assert_true(journal_load_fills(rig->journal, "ord_none", count_fill, rig, &err));
	assert_int_equal(rig->found, 1);
}

static void rows_of_history_can_be_neither_changed_nor_deleted(void **state)
{
	static const char *const attempts[] = {
		"UPDATE order_events SET detail = 'x'",
		"DELETE FROM order_events",
		"UPDATE fills SET price = '1'",
		"DELETE FROM fills",
		"UPDATE order_submissions SET attempt = 7",
		"DELETE FROM order_submissions",
	};
	struct rig *rig = *state;
	struct order order = rig_order("1");
	struct fill fill = rig_fill(&order, "exec-1");
	struct journal_write *write = rig_order_write(&order, "accepted");
	sqlite3 *other;
	struct err err;

	rig_open(rig);
	STR_SET(order.facts.exchange_order_id, "exch-1");
	journal_write_fill(write, &fill);
	journal_write_submission(write, &order, "84a4");
	rig_append(rig, "rows", JOURNAL_INTENT, write);
	rig_wait(rig);
	other = rig_connect(rig);
	for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
		assert_false(sql_exec(other, attempts[i], &err));
		assert_non_null(strstr(err.text, "append-only"));
	}
	sqlite3_close(other);
}

static void the_views_speak_in_words(void **state)
{
	struct rig *rig = *state;
	struct order full = order_with_everything(), done = rig_order("done");
	struct fill fill = rig_fill(&full, "exec-1");
	struct journal_write *write = rig_order_write(&full, "fill_part");
	sqlite3 *other;

	rig_open(rig);
	journal_write_fill(write, &fill);
	rig_append(rig, "full", JOURNAL_FACT, write);
	done.facts.state = ORDER_CANCELLED;
	rig_put_order(rig, &done);
	other = rig_connect(rig);
	assert_string_equal(rig_ask(other, "SELECT state || side || type || quote_qty || "
					   "average_price FROM v_orders WHERE app = 'maker bot' "
					   "AND error IS NOT NULL"),
			    "partially_filledbuymarket25.0000.2547");
	assert_string_equal(rig_ask(other, "SELECT count(*) || order_id FROM v_open_orders"),
			    "1ord_full");
	assert_string_equal(rig_ask(other, "SELECT role || executed_at || commission FROM v_fills"),
			    "maker2026-11-22T11:02:05.123456Z0.010252");
	assert_string_equal(rig_ask(other, "SELECT group_concat(event || ' ' || state || ' ' || "
					   "client_order_id, ', ') FROM v_audit"),
			    "fill_part partially_filled my-full, accepted cancelled my-done");
	sqlite3_close(other);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		T(an_order_comes_back_as_it_was_written),
		T(what_was_asked_for_never_changes),
		T(every_step_is_kept_with_its_reason),
		T(an_execution_is_booked_once),
		T(the_signed_bytes_of_the_latest_build_come_back),
		T(only_a_balance_that_changed_makes_a_row),
		T(what_is_not_final_is_loaded_at_start_oldest_first),
		T(tokens_settings_and_fills_are_loaded_at_start),
		T(rows_of_history_can_be_neither_changed_nor_deleted),
		T(the_views_speak_in_words),
	};
#undef T

	log_configure(LOG_ERROR, LOG_JSON);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
