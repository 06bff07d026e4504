#include "server/journal_rig.h"

#include <sys/stat.h>

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
