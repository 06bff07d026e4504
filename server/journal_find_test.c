#include "server/journal_rig.h"

#include "base/buf.h"
#include "base/log.h"
#include "server/journal_find.h"

/* ---- answers -------------------------------------------------------------------------------- */

struct sample {
	const char *id, *token, *symbol;
	enum order_state state;
};

static const struct sample samples[] = {
	{ "01", "tok_a", "ADAUSDM", ORDER_FILLED }, { "02", "tok_b", "ADAUSDM", ORDER_OPEN },
	{ "03", "tok_a", "IAGUSDM", ORDER_OPEN },   { "04", "tok_a", "ADAUSDM", ORDER_CANCELLED },
	{ "05", "tok_a", "ADAUSDM", ORDER_OPEN },   { "06", "tok_b", "IAGUSDM", ORDER_FILLED },
};

static void put_samples(struct rig *rig)
{
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		struct order order = rig_order(samples[i].id);

		STR_SET(order.terms.token_id, samples[i].token);
		STR_SET(order.terms.symbol, samples[i].symbol);
		order.facts.state = samples[i].state;
		snprintf(order.facts.exchange_order_id, sizeof(order.facts.exchange_order_id),
			 "exch-%s", samples[i].id);
		rig_put_order(rig, &order);
	}
}

/* The ids of the answer without their prefix: "06 05 ". */
static void assert_found(struct rig *rig, struct journal_order_query query, const char *expected)
{
	char ids[64] = "";

	rig_find_orders(rig, query);
	for (size_t i = 0; i < rig->found; i++)
		snprintf(ids + strlen(ids), sizeof(ids) - strlen(ids), "%s ",
			 rig->orders[i].terms.order_id + 4);
	assert_string_equal(ids, expected);
}

#define QUERY(...) ((struct journal_order_query){ __VA_ARGS__ })

static void orders_are_found_by_what_was_asked_newest_first(void **state)
{
	const uint32_t open = 1u << ORDER_OPEN, filled = 1u << ORDER_FILLED;
	struct rig *rig = *state;

	rig_open(rig);
	put_samples(rig);
	assert_found(rig, QUERY(.limit = 0), "06 05 04 03 02 01 ");
	assert_found(rig, QUERY(.limit = 2), "06 05 ");
	assert_found(rig, QUERY(.before = "ord_05", .limit = 2), "04 03 ");
	assert_found(rig, QUERY(.before = "ord_01"), "");
	assert_found(rig, QUERY(.token_id = "tok_a"), "05 04 03 01 ");
	assert_found(rig, QUERY(.token_id = "tok_a", .before = "ord_05", .limit = 2), "04 03 ");
	assert_found(rig, QUERY(.token_id = "tok_a", .symbol = "ADAUSDM"), "05 04 01 ");
	assert_found(rig, QUERY(.symbol = "IAGUSDM"), "06 03 ");
	assert_found(rig, QUERY(.states = open), "05 03 02 ");
	assert_found(rig, QUERY(.states = open | filled, .limit = 3), "06 05 03 ");
	assert_found(rig, QUERY(.states = filled, .token_id = "tok_b"), "06 ");
	assert_found(rig, QUERY(.states = open, .symbol = "IAGUSDM"), "03 ");
	assert_found(rig, QUERY(.states = 1u << 31), "");
	assert_found(rig, QUERY(.token_id = "tok_x"), "");
}

static void an_order_is_found_by_each_of_its_ids(void **state)
{
	struct rig *rig = *state;

	rig_open(rig);
	put_samples(rig);
	assert_found(rig, QUERY(.order_id = "ord_03"), "03 ");
	assert_found(rig, QUERY(.order_id = "ord_03", .token_id = "tok_b"), "");
	assert_found(rig, QUERY(.order_id = "ord_03", .states = 1u << ORDER_FILLED), "");
	assert_found(rig, QUERY(.client_order_id = "my-04"), "04 ");
	assert_found(rig, QUERY(.client_order_id = "my-04", .token_id = "tok_a"), "04 ");
	assert_found(rig, QUERY(.client_order_id = "my-04", .token_id = "tok_b"), "");
	assert_found(rig, QUERY(.exchange_order_id = "exch-05"), "05 ");
	assert_found(rig, QUERY(.exchange_order_id = "exch-99"), "");
	assert_found(rig, QUERY(.order_id = "x' OR '1'='1"), "");
}

static void an_order_is_found_by_the_exchange_id_of_any_of_its_builds(void **state)
{
	struct rig *rig = *state;
	struct order order = rig_order("1");
	struct journal_write *write;

	rig_open(rig);
	STR_SET(order.facts.exchange_order_id, "exch-old");
	write = rig_order_write(&order, "sign");
	journal_write_submission(write, &order, "84a4");
	rig_append(rig, "old", JOURNAL_INTENT, write);
	STR_SET(order.facts.exchange_order_id, "exch-new");
	rig_append(rig, "new", JOURNAL_INTENT, rig_order_write(&order, "expire"));
	rig_wait(rig);
	assert_found(rig, QUERY(.exchange_order_id = "exch-old"), "1 ");
	assert_found(rig, QUERY(.exchange_order_id = "exch-new"), "1 ");
}

static void put_fill(struct rig *rig, const struct order *order, const char *execution_id,
		     int64_t executed_s)
{
	struct journal_write *write = journal_write_create();
	struct fill fill = rig_fill(order, execution_id);

	fill.executed_at.us = RIG_NOW + executed_s * 1000000;
	journal_write_fill(write, &fill);
	rig_append(rig, "fill", JOURNAL_FACT, write);
	rig_wait(rig);
	assert_int_equal(rig_outcome(rig, "fill"), ERR_NONE);
}

static void assert_fills(struct rig *rig, struct journal_fill_query query, const char *expected)
{
	char ids[64] = "";

	rig_find_fills(rig, query);
	for (size_t i = 0; i < rig->found; i++)
		snprintf(ids + strlen(ids), sizeof(ids) - strlen(ids), "%s ",
			 rig->fills[i].execution_id);
	assert_string_equal(ids, expected);
}

#define FILLS(...) ((struct journal_fill_query){ __VA_ARGS__ })

static void fills_are_found_in_the_order_of_booking(void **state)
{
	struct rig *rig = *state;
	struct order a = rig_order("01"), b = rig_order("02");

	rig_open(rig);
	STR_SET(b.terms.token_id, "tok_b");
	STR_SET(b.terms.symbol, "IAGUSDM");
	rig_put_order(rig, &a);
	rig_put_order(rig, &b);
	put_fill(rig, &a, "e1", 10);
	put_fill(rig, &b, "e2", 20);
	put_fill(rig, &a, "e3", 5); /* filled in after a gap */
	put_fill(rig, &a, "e4", 30);
	assert_fills(rig, FILLS(.limit = 0), "e1 e2 e3 e4 ");
	assert_fills(rig, FILLS(.limit = 2), "e1 e2 ");
	assert_fills(rig, FILLS(.after = rig->numbers[1]), "e3 e4 ");
	assert_fills(rig, FILLS(.order_id = "ord_01"), "e1 e3 e4 ");
	assert_fills(rig, FILLS(.token_id = "tok_b"), "e2 ");
	assert_fills(rig, FILLS(.symbol = "ADAUSDM", .limit = 1), "e1 ");
	assert_fills(rig, FILLS(.since = { RIG_NOW + 10000000 }), "e1 e2 e4 ");
	assert_fills(rig, FILLS(.since = { RIG_NOW + 10000000 }, .symbol = "ADAUSDM"), "e1 e4 ");
	assert_fills(rig, FILLS(.since = { RIG_NOW + 10000001 }, .limit = 1), "e2 ");
	assert_fills(rig, FILLS(.since = { RIG_NOW + 10000001 }, .after = 2), "e4 ");
	assert_fills(rig, FILLS(.since = { RIG_NOW + 40000000 }), "");
	assert_fills(rig, FILLS(.newest_first = true, .limit = 2), "e4 e3 ");
	assert_fills(rig, FILLS(.newest_first = true, .token_id = "tok_a"), "e4 e3 e1 ");
}

static void a_row_that_cannot_be_is_an_error_and_not_a_wrong_number(void **state)
{
	struct rig *rig = *state;
	struct journal_order_query query = { .limit = 10 };
	struct order order = rig_order("1");

	rig_open(rig);
	rig_put_order(rig, &order);
	rig_close(rig);
	rig_exec_alone(rig, "UPDATE orders SET price = '1.2.3'");
	rig_open(rig);
	rig->is_asking = true;
	journal_find_orders(rig->journal, &query, rig_take_orders, rig);
	rig_wait(rig);
	assert_int_equal(rig->err.code, ERR_JOURNAL);
	assert_non_null(strstr(rig->err.text, "price"));
	assert_non_null(strstr(rig->err.text, "ord_1"));
	assert_int_equal(rig->found, 0);
}

/* ---- cost ----------------------------------------------------------------------------------- */

#define MANY "20000"

/* Orders of four tokens, three symbols and every state; in one state only few. */
static const char many_orders[] =
	"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " MANY ") "
	"INSERT INTO orders (order_id, client_order_id, token_id, app, request_id, body_hash, "
	"symbol, "
	"side, type, post_only, created_at, state, exchange_order_id, attempt, cancel_requested, "
	"executed_base_qty, executed_quote_qty, exchange_executed_quote_qty, commission, "
	"queued_ms, "
	"updated_at) SELECT printf('ord_%08d', i), 'c' || i, 'tok_' || (i % 4), 'app', 'req', "
	"'hash', "
	"CASE WHEN i < 4 THEN 'RAREUSDM' WHEN i % 2 THEN 'ADAUSDM' ELSE 'IAGUSDM' END, 'buy', "
	"'limit', "
	"0, '2026-11-22T11:02:05.123456Z', CASE WHEN i = 7 THEN 9 WHEN i < 20 THEN 5 "
	"ELSE 7 + i % 2 END, 'x' || i, 1, 0, '0', '0', '0', '0', 0, '2026-11-22T11:02:05.123456Z' "
	"FROM n";
/* A hundred a second. */
static const char many_fills[] =
	"WITH f AS (SELECT *, printf('2026-11-22T11:%02d:%02d.%06dZ', rowid / 6000, rowid / 100 % "
	"60, "
	"rowid % 100) AS time FROM orders) "
	"INSERT INTO fills (execution_id, order_id, token_id, symbol, side, price, base_qty, "
	"quote_qty, commission, role, executed_at, booked_at, latest_at) "
	"SELECT 'e' || order_id, order_id, token_id, symbol, side, '1', '1', '1', '0', 'maker', "
	"time, "
	"time, time FROM f ORDER BY order_id";

/* Steps of SQLite's machine: what a statement costs, whatever the machine under it. */
static int steps_of(sqlite3 *db, const char *sql, const char *symbol)
{
	const char *const values[][2] = {
		{ ":order_id", "ord_00010000" },
		{ ":client_order_id", "c10000" },
		{ ":exchange_order_id", "x10000" },
		{ ":token_id", "tok_0" },
		{ ":symbol", symbol },
		{ ":before", "ord_00010000" },
		{ ":since", "2026-11-22T11:01:40.000000Z" },
	};
	sqlite3_stmt *stmt;
	bool has_row = false;
	struct err err;
	int steps;

	if (!sql_prepare(db, sql, false, &stmt, &err))
		fail_msg("%s: %s", err.text, sql);
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		sql_bind_text(stmt, values[i][0], values[i][1]);
	sql_bind_int(stmt, ":after", 0);
	sql_bind_int(stmt, ":limit", 10);
	while (sql_next(stmt, &has_row, &err) && has_row)
		;
	steps = sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 0);
	sqlite3_finalize(stmt);
	return steps;
}

static void assert_cheap(sqlite3 *db, struct buf *sql)
{
	static const char *const symbols[] = { "ADAUSDM", "RAREUSDM", "NONEUSDM" };

	for (size_t i = 0; i < ARRAY_LEN(symbols); i++) {
		int steps = steps_of(db, buf_str(sql), symbols[i]);

		if (steps > 5000)
			fail_msg("%d steps for %s in %s", steps, symbols[i], buf_str(sql));
	}
	buf_fini(sql);
}

static void no_question_about_orders_walks_the_whole_table(void **state)
{
	const uint32_t all = (1u << ORDER_STATE_COUNT) - 2, rejected = 1u << ORDER_REJECTED;
	const struct journal_order_query queries[] = {
		QUERY(.limit = 10),
		QUERY(.before = "x"),
		QUERY(.order_id = "x"),
		QUERY(.order_id = "x", .token_id = "x", .states = all),
		QUERY(.client_order_id = "x"),
		QUERY(.client_order_id = "x", .token_id = "x"),
		QUERY(.exchange_order_id = "x"),
		QUERY(.exchange_order_id = "x", .token_id = "x", .states = all),
		QUERY(.token_id = "x"),
		QUERY(.token_id = "x", .before = "x"),
		QUERY(.token_id = "x", .states = all, .before = "x"),
		QUERY(.token_id = "x", .states = rejected),
		QUERY(.symbol = "x"),
		QUERY(.symbol = "x", .before = "x"),
		QUERY(.token_id = "x", .symbol = "x"),
		QUERY(.token_id = "x", .symbol = "x", .before = "x"),
		QUERY(.states = all),
		QUERY(.states = rejected, .before = "x"),
	};
	struct rig *rig = *state;
	sqlite3 *db;

	rig_open(rig);
	rig_close(rig);
	db = rig_connect(rig);
	rig_exec(db, many_orders);
	for (size_t i = 0; i < 2 * ARRAY_LEN(queries); i++) {
		struct buf sql;

		buf_init(&sql, 65536);
		journal_find_orders_sql(&queries[i / 2], i % 2, &sql);
		assert_cheap(db, &sql);
	}
	sqlite3_close(db);
}

static void no_question_about_fills_walks_the_whole_table(void **state)
{
	const struct journal_fill_query queries[] = {
		FILLS(.limit = 10),
		FILLS(.order_id = "x"),
		FILLS(.token_id = "x"),
		FILLS(.symbol = "x"),
		FILLS(.since = { RIG_NOW }),
		FILLS(.token_id = "x", .symbol = "x"),
		FILLS(.since = { RIG_NOW }, .token_id = "x"),
		FILLS(.since = { RIG_NOW }, .token_id = "x", .symbol = "x"),
		FILLS(.since = { RIG_NOW }, .after = 10000),
		FILLS(.newest_first = true),
		FILLS(.newest_first = true, .token_id = "x"),
		FILLS(.newest_first = true, .token_id = "x", .symbol = "x"),
	};
	struct rig *rig = *state;
	sqlite3 *db;

	rig_open(rig);
	rig_close(rig);
	db = rig_connect(rig);
	rig_exec(db, many_orders);
	rig_exec(db, many_fills);
	for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
		struct buf sql;

		buf_init(&sql, 65536);
		journal_find_fills_sql(&queries[i], &sql);
		assert_cheap(db, &sql);
	}
	sqlite3_close(db);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		T(orders_are_found_by_what_was_asked_newest_first),
		T(an_order_is_found_by_each_of_its_ids),
		T(an_order_is_found_by_the_exchange_id_of_any_of_its_builds),
		T(fills_are_found_in_the_order_of_booking),
		T(a_row_that_cannot_be_is_an_error_and_not_a_wrong_number),
		T(no_question_about_orders_walks_the_whole_table),
		T(no_question_about_fills_walks_the_whole_table),
	};
#undef T

	log_configure(LOG_ERROR, LOG_JSON);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
