#include "server/journal_rig.h"

#include <sys/stat.h>

#include "base/buf.h"
#include "base/log.h"

/* ---- writing and acknowledging -------------------------------------------------------------- */

static void writes_are_acknowledged_in_the_order_of_their_appends(void **state)
{
	struct rig *rig = *state;
	char names[200][16];

	rig_open(rig);
	for (int i = 0; i < 200; i++) {
		snprintf(names[i], sizeof(names[i]), "%03d", i);
		rig_append(rig, names[i], i % 3 ? JOURNAL_FACT : JOURNAL_INTENT,
			   rig_setting_write(names[i], "x"));
	}
	rig_wait(rig);
	assert_int_equal(rig->count, 200);
	for (int i = 0; i < 200; i++) {
		assert_string_equal(rig->names[i], names[i]);
		assert_false(rig->has_failed[i]);
	}
}

static void what_gathers_while_the_disk_is_busy_is_one_commit(void **state)
{
	struct rig *rig = *state;
	struct journal_status before, after;
	sqlite3 *other;

	rig_open(rig);
	rig_append(rig, "first", JOURNAL_FACT, rig_setting_write("first", "x"));
	rig_wait(rig);
	journal_status(rig->journal, &before);
	other = rig_connect(rig);
	rig_exec(other, "BEGIN IMMEDIATE");
	for (int i = 0; i < 100; i++)
		rig_append(rig, "more", JOURNAL_FACT, rig_setting_write("more", "x"));
	rig_exec(other, "ROLLBACK");
	rig_wait(rig);
	journal_status(rig->journal, &after);
	assert_int_equal(after.writes - before.writes, 100);
	/* The thread may have left with the first few before the rest was there. */
	assert_in_range(after.commits - before.commits, 1, 2);
	sqlite3_close(other);
}

static void an_acknowledged_write_can_be_read_by_others(void **state)
{
	struct rig *rig = *state;
	struct order order = rig_order("1");
	sqlite3 *other;

	rig_open(rig);
	rig_put_order(rig, &order);
	other = rig_connect(rig);
	assert_string_equal(rig_ask(other, "SELECT state FROM v_orders"), "accepted");
	sqlite3_close(other);
}

static void a_question_sees_every_write_appended_before_it(void **state)
{
	struct rig *rig = *state;
	struct journal_order_query query = { .limit = 10 };
	struct order order = rig_order("1");

	rig_open(rig);
	for (int round = 0; round < 20; round++) {
		char id[16];

		snprintf(id, sizeof(id), "%03d", round);
		order = rig_order(id);
		STR_SET(query.order_id, order.terms.order_id);
		rig_append(rig, "write", JOURNAL_FACT, rig_order_write(&order, "accepted"));
		rig->is_asking = true;
		journal_find_orders(rig->journal, &query, rig_take_orders, rig);
		rig_wait(rig);
		assert_int_equal(rig->found, 1);
	}
}

static void an_id_used_before_costs_only_the_write_that_repeats_it(void **state)
{
	struct rig *rig = *state;
	struct order a = rig_order("1"), again = rig_order("2"), c = rig_order("3");
	struct journal_write *write;

	rig_open(rig);
	STR_SET(again.terms.client_order_id, a.terms.client_order_id);
	write = rig_order_write(&again, "accepted");
	journal_write_setting(write, "kept", "no");
	rig_append(rig, "a", JOURNAL_INTENT, rig_order_write(&a, "accepted"));
	rig_append(rig, "again", JOURNAL_INTENT, write);
	rig_append(rig, "c", JOURNAL_INTENT, rig_order_write(&c, "accepted"));
	rig_wait(rig);
	assert_int_equal(rig_outcome(rig, "a"), ERR_NONE);
	assert_int_equal(rig_outcome(rig, "again"), ERR_ID_CONFLICT);
	assert_int_equal(rig_outcome(rig, "c"), ERR_NONE);
	assert_string_equal(rig->names[1], "again");
	assert_int_equal(rig_find_orders(rig, (struct journal_order_query){ 0 }), 2);
	assert_int_equal(rig_find_events(rig, again.terms.order_id, 0), 0);
	rig_close(rig);
	rig_open(rig);
	rig_append(rig, "after restart", JOURNAL_INTENT, rig_order_write(&again, "accepted"));
	rig_wait(rig);
	assert_int_equal(rig_outcome(rig, "after restart"), ERR_ID_CONFLICT);
}

static void the_same_id_of_another_token_is_another_order(void **state)
{
	struct rig *rig = *state;
	struct order a = rig_order("1"), b = rig_order("2");

	rig_open(rig);
	STR_SET(b.terms.client_order_id, a.terms.client_order_id);
	STR_SET(b.terms.token_id, "tok_b");
	rig_put_order(rig, &a);
	rig_put_order(rig, &b);
}

/* A row that breaks the database's rules is our own bug; it must not hold up what is behind it. */
static void a_fact_that_the_database_refuses_does_not_block_the_rest(void **state)
{
	struct rig *rig = *state;
	struct order order = rig_order("1");
	struct fill fill = rig_fill(&order, "exec-1");
	struct journal_write *write = journal_write_create();

	rig_open(rig);
	journal_write_fill(write, &fill); /* of an order that is not in the journal */
	rig_append(rig, "orphan", JOURNAL_FACT, write);
	rig_append(rig, "next", JOURNAL_FACT, rig_setting_write("next", "x"));
	rig_wait(rig);
	assert_int_equal(rig_outcome(rig, "orphan"), ERR_INTERNAL);
	assert_int_equal(rig_outcome(rig, "next"), ERR_NONE);
}

static void more_intents_than_the_bound_are_refused_and_facts_are_not(void **state)
{
	struct rig *rig = *state;
	struct journal_status status;
	sqlite3 *other;

	rig_open(rig);
	other = rig_connect(rig);
	rig_exec(other, "BEGIN IMMEDIATE");
	for (int i = 0; i < 500; i++)
		rig_append(rig, "fits", JOURNAL_INTENT, rig_setting_write("a", "x"));
	rig_append(rig, "too many", JOURNAL_INTENT, rig_setting_write("b", "x"));
	rig_append(rig, "fact", JOURNAL_FACT, rig_setting_write("c", "x"));
	journal_status(rig->journal, &status);
	assert_int_equal(status.waiting, 502);
	assert_int_equal(rig->count,
			 0); /* a refusal comes by callback too, never inside the call */
	rig_exec(other, "ROLLBACK");
	sqlite3_close(other);
	rig_wait(rig);
	assert_int_equal(rig_outcome(rig, "fits"), ERR_NONE);
	assert_int_equal(rig_outcome(rig, "too many"), ERR_JOURNAL);
	assert_int_equal(rig_outcome(rig, "fact"), ERR_NONE);
	journal_status(rig->journal, &status);
	assert_int_equal(status.waiting, 0);
	assert_int_equal(status.oldest_wait_ms, 0);
}

static void closing_writes_and_acknowledges_what_waits(void **state)
{
	struct rig *rig = *state;

	rig_open(rig);
	for (int i = 0; i < 50; i++)
		rig_append(rig, "waits", JOURNAL_INTENT, rig_setting_write("a", "x"));
	assert_int_equal(rig_close(rig), 0);
	assert_int_equal(rig->count, 50);
	assert_int_equal(rig_outcome(rig, "waits"), ERR_NONE);
}

struct chain {
	struct rig *rig;
	int left;
};

static void append_next(void *arg, const struct err *err)
{
	struct chain *chain = arg;

	assert_null(err);
	if (chain->left-- > 0)
		journal_append(chain->rig->journal, JOURNAL_FACT, rig_setting_write("chain", "x"),
			       append_next, chain);
}

static void what_an_acknowledgement_appends_during_the_close_is_written_too(void **state)
{
	struct rig *rig = *state;
	struct chain chain = { rig, 10 };

	rig_open(rig);
	append_next(&chain, NULL);
	assert_int_equal(rig_close(rig), 0);
	assert_int_equal(chain.left, -1);
}

/* ---- what is kept --------------------------------------------------------------------------- */

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
		write = rig_order_write(&order, "sign");
		journal_write_submission(write, &order, signed_hex[i]);
		rig_append(rig, "sign", JOURNAL_INTENT, write);
	}
	rig->is_asking = true;
	journal_find_submission(rig->journal, order.terms.order_id, "", rig_take_text, rig);
	rig_wait(rig);
	assert_int_equal(rig_outcome(rig, "sign"), ERR_NONE);
	assert_string_equal(rig->text, "84a5ff");
	rig->is_asking = true;
	journal_find_submission(rig->journal, order.terms.order_id, "exch-1", rig_take_text, rig);
	rig_wait(rig);
	assert_string_equal(rig->text, "84a4");
	rig->is_asking = true;
	journal_find_submission(rig->journal, "ord_none", "", rig_take_text, rig);
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

/* ---- whose it is ---------------------------------------------------------------------------- */

static void a_second_daemon_is_refused_by_the_process_of_the_first(void **state)
{
	struct rig *rig = *state;
	struct rig *second = mem_alloc(sizeof(*second));
	char pid[16];
	struct err err;

	rig_open(rig);
	STR_SET(second->path, rig->path);
	assert_false(rig_try_open(second, "simulated", &err));
	mem_free(second);
	assert_int_equal(err.code, ERR_JOURNAL);
	snprintf(pid, sizeof(pid), " %d:", (int)getpid());
	assert_non_null(strstr(err.text, pid));
	rig_close(rig);
	rig_open(rig);
}

static void a_journal_of_another_network_is_refused_by_name_of_both(void **state)
{
	struct rig *rig = *state;
	struct err err;

	rig_open(rig);
	rig_close(rig);
	assert_false(rig_try_open(rig, "mainnet", &err));
	assert_int_equal(err.code, ERR_ACCOUNT);
	assert_non_null(strstr(err.text, "simulated"));
	assert_non_null(strstr(err.text, "mainnet"));
	rig_open(rig);
}

static void a_journal_of_a_newer_program_is_refused(void **state)
{
	struct rig *rig = *state;
	struct err err;

	rig_open(rig);
	rig_close(rig);
	rig_exec_alone(rig, "INSERT INTO schema_migrations VALUES (99, '0099_moon', 'x', 'x')");
	assert_false(rig_try_open(rig, "simulated", &err));
	assert_int_equal(err.code, ERR_JOURNAL);
	assert_non_null(strstr(err.text, "0099_moon"));
	rig_exec_alone(rig, "DELETE FROM schema_migrations WHERE version = 99");
	rig_exec_alone(rig, "UPDATE schema_migrations SET checksum = 'x' WHERE version = 2");
	assert_false(rig_try_open(rig, "simulated", &err));
	assert_int_equal(err.code, ERR_JOURNAL);
	assert_non_null(strstr(err.text, "0002_fills"));
}

static void the_epoch_is_the_journals_own_and_stays(void **state)
{
	struct rig *rig = *state;
	char *first, *second;
	struct err err;

	rig_open(rig);
	assert_true(journal_load_setting(rig->journal, "epoch", &first, &err));
	rig_close(rig);
	rig_open(rig);
	assert_true(journal_load_setting(rig->journal, "epoch", &second, &err));
	assert_int_equal(strlen(first), 16);
	assert_string_equal(first, second);
	mem_free(first);
	mem_free(second);
}

static void only_the_owner_may_read_the_files(void **state)
{
	struct rig *rig = *state;
	static const char *const suffixes[] = { "", "-wal", "-shm", ".lock" };

	umask(0);
	rig_open(rig);
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		char path[112];
		struct stat stat_;

		snprintf(path, sizeof(path), "%s%s", rig->path, suffixes[i]);
		assert_int_equal(stat(path, &stat_), 0);
		assert_int_equal(stat_.st_mode & 0777, 0600);
	}
	umask(022);
}

static void a_directory_that_everybody_may_write_is_refused(void **state)
{
	struct rig *rig = *state;
	struct err err;

	assert_int_equal(chmod(rig->dir, 0777), 0);
	assert_false(rig_try_open(rig, "simulated", &err));
	assert_int_equal(err.code, ERR_JOURNAL);
	assert_int_equal(chmod(rig->dir, 0700), 0);
}

static void a_missing_directory_is_named(void **state)
{
	struct rig *rig = *state;
	struct err err;

	snprintf(rig->path, sizeof(rig->path), "%s/none/journal.db", rig->dir);
	assert_false(rig_try_open(rig, "simulated", &err));
	assert_int_equal(err.code, ERR_JOURNAL);
	assert_non_null(strstr(err.text, "/none"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		T(writes_are_acknowledged_in_the_order_of_their_appends),
		T(what_gathers_while_the_disk_is_busy_is_one_commit),
		T(an_acknowledged_write_can_be_read_by_others),
		T(a_question_sees_every_write_appended_before_it),
		T(an_id_used_before_costs_only_the_write_that_repeats_it),
		T(the_same_id_of_another_token_is_another_order),
		T(a_fact_that_the_database_refuses_does_not_block_the_rest),
		T(more_intents_than_the_bound_are_refused_and_facts_are_not),
		T(closing_writes_and_acknowledges_what_waits),
		T(what_an_acknowledgement_appends_during_the_close_is_written_too),
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
		T(a_second_daemon_is_refused_by_the_process_of_the_first),
		T(a_journal_of_another_network_is_refused_by_name_of_both),
		T(a_journal_of_a_newer_program_is_refused),
		T(the_epoch_is_the_journals_own_and_stays),
		T(only_the_owner_may_read_the_files),
		T(a_directory_that_everybody_may_write_is_refused),
		T(a_missing_directory_is_named),
	};
#undef T

	log_configure(LOG_ERROR, LOG_JSON);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
