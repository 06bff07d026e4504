#include "server/journal_rig.h"

#include "base/log.h"
#include "server/migrate.h"

static sqlite3 *memory_db(void)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	sqlite3_extended_result_codes(db, 1);
	return db;
}

static void must_apply(sqlite3 *db, const struct migration *list, size_t count)
{
	struct err err;

	if (!migrate_apply(db, list, count, &err))
		fail_msg("%s", err.text);
}

static void must_refuse(sqlite3 *db, const struct migration *list, size_t count, const char *word)
{
	struct err err;

	assert_false(migrate_apply(db, list, count, &err));
	assert_int_equal(err.code, ERR_JOURNAL);
	if (!strstr(err.text, word))
		fail_msg("no \"%s\" in: %s", word, err.text);
}

#define FIRST                                                                                     \
	"CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, name TEXT, checksum TEXT, " \
	"applied_at TEXT); CREATE TABLE a (x INTEGER PRIMARY KEY);"

static const struct migration three[] = {
	{ 1, "0001_a", FIRST },
	{ 2, "0002_b", "CREATE TABLE b (x REFERENCES a);" },
	{ 3, "0003_c", "CREATE TABLE c (x); INSERT INTO c VALUES (1);" },
};

static void migrations_are_applied_once_and_in_order(void **unused)
{
	sqlite3 *db = memory_db();

	(void)unused;
	must_apply(db, three, 2);
	must_apply(db, three, 3);
	must_apply(db, three, 3);
	assert_string_equal(rig_ask(db, "SELECT group_concat(version || name) FROM "
					"(SELECT * FROM schema_migrations ORDER BY version)"),
			    "10001_a,20002_b,30003_c");
	assert_string_equal(rig_ask(db, "SELECT count(*) FROM c"), "1");
	assert_string_equal(rig_ask(db, "PRAGMA user_version"), "3");
	assert_string_equal(rig_ask(db, "PRAGMA application_id"), "1684488522");
	sqlite3_close(db);
}

static void a_checksum_is_the_sha_256_of_the_file(void **unused)
{
	sqlite3 *db = memory_db();

	(void)unused;
	must_apply(db, three, 2);
	assert_string_equal(rig_ask(db, "SELECT checksum FROM schema_migrations WHERE version = 2"),
			    "e862684b3d42e7885fea87f827a7bfb671608dd7db593c0615247cbe99087af8");
	sqlite3_close(db);
}

static void a_journal_newer_than_the_program_is_refused(void **unused)
{
	sqlite3 *db = memory_db();

	(void)unused;
	must_apply(db, three, 3);
	must_refuse(db, three, 2, "newer");
	must_refuse(db, three, 2, "0003_c");
	sqlite3_close(db);
}

static void a_migration_that_was_edited_later_is_refused(void **unused)
{
	const struct migration edited[] = { three[0], { 2, "0002_b", "CREATE TABLE b (y);" } };
	sqlite3 *db = memory_db();

	(void)unused;
	must_apply(db, three, 2);
	must_refuse(db, edited, 2, "0002_b");
	sqlite3_close(db);
}

static void a_gap_in_what_was_applied_is_refused(void **unused)
{
	sqlite3 *db = memory_db();

	(void)unused;
	must_apply(db, three, 3);
	rig_exec(db, "DELETE FROM schema_migrations WHERE version = 2");
	must_refuse(db, three, 3, "0003_c");
	sqlite3_close(db);
}

static void a_migration_that_fails_leaves_nothing_of_itself(void **unused)
{
	const struct migration bad[] = {
		three[0],
		{ 2, "0002_bad", "CREATE TABLE b (x); INSERT INTO nowhere VALUES (1);" },
	};
	sqlite3 *db = memory_db();

	(void)unused;
	must_refuse(db, bad, 2, "0002_bad");
	assert_string_equal(rig_ask(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'b'"),
			    "0");
	assert_string_equal(rig_ask(db, "SELECT max(version) FROM schema_migrations"), "1");
	must_apply(db, three, 3);
	sqlite3_close(db);
}

static void a_migration_that_breaks_references_is_rolled_back(void **unused)
{
	const struct migration bad[] = {
		three[0],
		three[1],
		{ 3, "0003_bad", "INSERT INTO b VALUES (7);" },
	};
	sqlite3 *db = memory_db();

	(void)unused;
	must_refuse(db, bad, 3, "references");
	assert_string_equal(rig_ask(db, "SELECT count(*) FROM b"), "0");
	sqlite3_close(db);
}

static void the_database_of_another_program_is_refused(void **unused)
{
	sqlite3 *db = memory_db();

	(void)unused;
	rig_exec(db, "CREATE TABLE recipes (name)");
	must_refuse(db, three, 3, "another program");
	rig_exec(db, "PRAGMA application_id = 7");
	must_refuse(db, three, 3, "another program");
	sqlite3_close(db);
}

/* ---- the journal's own ---------------------------------------------------------------------- */

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = mem_alloc(65536);

	if (!file)
		fail_msg("%s: run from the root of the tree", path);
	text[fread(text, 1, 65535, file)] = '\0';
	fclose(file);
	return text;
}

static void schema_journal_sql_is_what_the_migrations_add_up_to(void **unused)
{
	char *expected = read_file("schema/journal.sql");
	const char *at = strchr(expected, '\n') + 1; /* past the line that says who made it */
	sqlite3 *db = memory_db();
	sqlite3_stmt *stmt;
	struct err err;
	bool has_row;

	(void)unused;
	must_apply(db, migrate_list, migrate_count);
	assert_true(sql_prepare(db,
				"SELECT char(10) || sql || ';' || char(10) FROM sqlite_schema "
				"WHERE sql IS NOT NULL ORDER BY rowid",
				false, &stmt, &err));
	while (sql_next(stmt, &has_row, &err) && has_row) {
		const char *made = (const char *)sqlite3_column_text(stmt, 0);

		if (strncmp(at, made, strlen(made)) != 0)
			fail_msg("make schema is due; the migrations make:%s", made);
		at += strlen(made);
	}
	assert_string_equal(at, "");
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	mem_free(expected);
}

/* Each as a daemon left it that knew no more; tests/data/journals/ says how. */
static void an_old_journal_is_brought_up_to_date_and_keeps_its_rows(void **unused)
{
	static const struct {
		const char *file, *version, *counts;
	} journals[] = { { "tests/data/journals/0004.sql", "4", "5 orders, 24 events, 2 fills" },
			 { "tests/data/journals/0005.sql", "5", "5 orders, 25 events, 2 fills" } };

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(journals); i++) {
		char *sql = read_file(journals[i].file);
		sqlite3 *db = memory_db();

		rig_exec(db, sql);
		assert_string_equal(rig_ask(db, "PRAGMA user_version"), journals[i].version);
		must_apply(db, migrate_list, migrate_count);
		assert_string_equal(rig_ask(db, "PRAGMA integrity_check"), "ok");
		assert_string_equal(
			rig_ask(db, "SELECT (SELECT count(*) FROM v_orders) || ' orders, ' || "
				    "(SELECT count(*) FROM v_audit) || ' events, ' || "
				    "(SELECT count(*) FROM v_fills) || ' fills'"),
			journals[i].counts);
		sqlite3_close(db);
		mem_free(sql);
	}
}

static void the_table_of_channels_says_what_the_program_says(void **unused)
{
	static const enum channel channels[] = { CHANNEL_ORDERS, CHANNEL_FILLS, CHANNEL_BALANCES,
						 CHANNEL_SYSTEM };
	sqlite3 *db = memory_db();

	(void)unused;
	must_apply(db, migrate_list, migrate_count);
	for (size_t i = 0; i < ARRAY_LEN(channels); i++) {
		char sql[80];

		snprintf(sql, sizeof(sql), "SELECT name FROM channels WHERE channel = %d",
			 (int)channels[i]);
		assert_string_equal(rig_ask(db, sql), channel_word(channels[i]));
	}
	assert_string_equal(rig_ask(db, "SELECT count(*) FROM channels"), "4");
	sqlite3_close(db);
}

static void the_table_of_states_says_what_the_program_says(void **unused)
{
	sqlite3 *db = memory_db();
	char count[16];

	(void)unused;
	must_apply(db, migrate_list, migrate_count);
	for (int i = ORDER_NONE + 1; i < ORDER_STATE_COUNT; i++) {
		enum order_state state = (enum order_state)i;
		char sql[128], expected[64];

		snprintf(
			sql, sizeof(sql),
			"SELECT name || is_final || may_be_live FROM order_states WHERE state = %d",
			i);
		snprintf(expected, sizeof(expected), "%s%d%d", order_state_name(state),
			 order_is_final(state), order_may_be_live(state));
		assert_string_equal(rig_ask(db, sql), expected);
	}
	assert_string_equal(rig_ask(db, "SELECT max(state) = count(*) FROM order_states"), "1");
	snprintf(count, sizeof(count), "%d", ORDER_STATE_COUNT - 1);
	assert_string_equal(rig_ask(db, "SELECT count(*) FROM order_states"), count);
	sqlite3_close(db);
}

static void the_views_have_the_documented_columns(void **unused)
{
	static const struct {
		const char *view, *columns;
	} views[] = {
		{ "v_orders",
		  "order_id,client_order_id,exchange_order_id,app,symbol,side,type,state,base_qty,"
		  "quote_qty,price,executed_base_qty,executed_quote_qty,average_price,commission,"
		  "commission_unit,error_code,error,created_at,updated_at" },
		{ "v_open_orders",
		  "order_id,client_order_id,exchange_order_id,app,symbol,side,type,state,base_qty,"
		  "quote_qty,price,executed_base_qty,executed_quote_qty,average_price,commission,"
		  "commission_unit,error_code,error,created_at,updated_at" },
		{ "v_fills", "execution_id,order_id,exchange_order_id,symbol,side,price,base_qty,"
			     "quote_qty,commission,commission_unit,role,executed_at" },
		{ "v_audit", "at,order_id,client_order_id,app,event,state,cause,request_id,"
			     "token_id,exchange_order_id,http_status,exchange_code,detail" },
	};
	sqlite3 *db = memory_db();

	(void)unused;
	must_apply(db, migrate_list, migrate_count);
	for (size_t i = 0; i < ARRAY_LEN(views); i++) {
		char sql[160];

		snprintf(sql, sizeof(sql), "SELECT group_concat(name) FROM pragma_table_info('%s')",
			 views[i].view);
		assert_string_equal(rig_ask(db, sql), views[i].columns);
	}
	sqlite3_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(migrations_are_applied_once_and_in_order),
		cmocka_unit_test(a_checksum_is_the_sha_256_of_the_file),
		cmocka_unit_test(a_journal_newer_than_the_program_is_refused),
		cmocka_unit_test(a_migration_that_was_edited_later_is_refused),
		cmocka_unit_test(a_gap_in_what_was_applied_is_refused),
		cmocka_unit_test(a_migration_that_fails_leaves_nothing_of_itself),
		cmocka_unit_test(a_migration_that_breaks_references_is_rolled_back),
		cmocka_unit_test(the_database_of_another_program_is_refused),
		cmocka_unit_test(schema_journal_sql_is_what_the_migrations_add_up_to),
		cmocka_unit_test(an_old_journal_is_brought_up_to_date_and_keeps_its_rows),
		cmocka_unit_test(the_table_of_channels_says_what_the_program_says),
		cmocka_unit_test(the_table_of_states_says_what_the_program_says),
		cmocka_unit_test(the_views_have_the_documented_columns),
	};

	log_configure(LOG_ERROR, LOG_JSON);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
