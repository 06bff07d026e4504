#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "server/journal_room.h"

struct rig {
	char dir[64], path[96];
	sqlite3 *db;
	struct journal_room *room;
};

static void run(const struct rig *rig, const char *sql)
{
	struct err err;

	if (!sql_exec(rig->db, sql, &err))
		fail_msg("%s", err.text);
}

static void open_room(struct rig *rig)
{
	struct err err;

	if (!journal_room_open(rig->path, rig->db, &rig->room, &err))
		fail_msg("%s", err.text);
}

static int setup(void **state)
{
	struct rig *rig = mem_alloc(sizeof(*rig));

	snprintf(rig->dir, sizeof(rig->dir), "/tmp/journal_room_test.XXXXXX");
	if (!mkdtemp(rig->dir))
		return -1;
	snprintf(rig->path, sizeof(rig->path), "%s/journal.db", rig->dir);
	assert_int_equal(sqlite3_open(rig->path, &rig->db), SQLITE_OK);
	run(rig, "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;"
		 "CREATE TABLE t (n INTEGER PRIMARY KEY, x BLOB)");
	open_room(rig);
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	sqlite3_close(rig->db);
	journal_room_close(rig->room);
	unlink(rig->path);
	rmdir(rig->dir);
	mem_free(rig);
	return 0;
}

static struct stat stat_of(const struct rig *rig, const char *suffix)
{
	struct stat stat_;
	char path[112];

	snprintf(path, sizeof(path), "%s%s", rig->path, suffix);
	assert_int_equal(stat(path, &stat_), 0);
	return stat_;
}

static off_t blocks_of(const struct rig *rig, const char *suffix)
{
	return stat_of(rig, suffix).st_blocks * 512;
}

static int log_pages(const struct rig *rig)
{
	return journal_room_log_pages(rig->room);
}

static void hold(const struct rig *rig, size_t orders)
{
	struct err err;

	if (!journal_room_hold(rig->room, orders, log_pages(rig), &err))
		fail_msg("%s", err.text);
}

static off_t log_need(size_t orders)
{
	return (off_t)(JOURNAL_ROOM_LOG_BASE + orders * JOURNAL_ROOM_LOG_ORDER);
}

static off_t database_need(size_t orders)
{
	return (off_t)(JOURNAL_ROOM_DATABASE_BASE + orders * JOURNAL_ROOM_DATABASE_ORDER);
}

static int64_t ask(const struct rig *rig, const char *sql)
{
	struct err err;
	int64_t number;

	if (!sql_query_int(rig->db, sql, &number, &err))
		fail_msg("%s", err.text);
	return number;
}

/* What is not held by the file system the tests run on cannot be looked at. */
static void skip_unless_firm(const struct rig *rig)
{
	hold(rig, 1);
	if (!journal_room_is_firm(rig->room))
		skip();
}

static void blocks_are_held_for_each_order_behind_both_ends(void **state)
{
	const struct rig *rig = *state;
	off_t log_len = (off_t)log_pages(rig) * 4120;

	assert_false(journal_room_has(rig->room, 0, log_pages(rig)));
	skip_unless_firm(rig);
	for (size_t orders = 1; orders <= 1000; orders *= 10) {
		hold(rig, orders);
		assert_true(journal_room_has(rig->room, orders, log_pages(rig)));
		assert_false(journal_room_has(rig->room, orders + 100, log_pages(rig)));
		assert_true(blocks_of(rig, "-wal") >= log_len + log_need(orders));
		assert_true(blocks_of(rig, "") >= database_need(orders));
	}
	assert_true(blocks_of(rig, "-shm") >= 32768 * (log_need(1000) / 4120 / 4096));
}

static void a_log_that_grows_into_its_room_is_given_more(void **state)
{
	const struct rig *rig = *state;

	skip_unless_firm(rig);
	run(rig, "INSERT INTO t (x) VALUES (zeroblob(3000000))");
	assert_false(journal_room_has(rig->room, 1, log_pages(rig)));
	hold(rig, 1);
	assert_true(blocks_of(rig, "-wal") >= 3000000 + log_need(1));
	assert_true(blocks_of(rig, "") >= 3000000 + database_need(1));
}

/* What a commit writes was written before: neither the file's length nor its blocks change. */
static void commits_find_zeros_ahead_of_the_log(void **state)
{
	const struct rig *rig = *state;
	off_t len;

	skip_unless_firm(rig);
	for (int i = 0; i < 40; i++) {
		hold(rig, 1);
		len = stat_of(rig, "-wal").st_size;
		run(rig, "INSERT INTO t (x) VALUES (zeroblob(250000))");
		assert_int_equal(stat_of(rig, "-wal").st_size, len);
		assert_true((off_t)log_pages(rig) * 4120 >= (i + 1) * 250000);
		assert_true(len <= (off_t)log_pages(rig) * 4120 + (off_t)3 * 1024 * 1024);
	}
	run(rig, "PRAGMA wal_checkpoint(TRUNCATE)");
	assert_int_equal(log_pages(rig), 0);
	assert_int_equal(stat_of(rig, "-wal").st_size, 0);
}

/* Another process may have begun to write where the zeros would go. */
static void no_zeros_are_written_while_another_writes(void **state)
{
	struct rig *rig = *state;
	sqlite3 *other;

	skip_unless_firm(rig);
	run(rig, "PRAGMA wal_checkpoint(TRUNCATE)");
	journal_room_log_was_cut(rig->room);
	assert_int_equal(sqlite3_open(rig->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	hold(rig, 1);
	assert_true(journal_room_has(rig->room, 1, log_pages(rig)));
	assert_int_equal(stat_of(rig, "-wal").st_size, 0);
	sqlite3_close(other);
}

static void copy_file(const struct rig *rig, const char *suffix, const char *name)
{
	char from[112], to[112];
	int in, out;

	snprintf(from, sizeof(from), "%s%s", rig->path, suffix);
	snprintf(to, sizeof(to), "%s/%s", rig->dir, name);
	in = open(from, O_RDONLY | O_CLOEXEC);
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	while (sendfile(out, in, NULL, 1 << 20) > 0)
		continue;
	assert_int_equal(lseek(out, 0, SEEK_CUR), stat_of(rig, suffix).st_size);
	close(in);
	close(out);
}

/* As after a kill: a log of frames and zeros is read to its last frame, and goes on there. */
static void a_log_that_ends_in_zeros_is_read_to_its_end(void **state)
{
	struct rig *rig = *state;
	char path[112];
	sqlite3 *copy;
	struct err err;
	int64_t count;

	skip_unless_firm(rig);
	for (int i = 0; i < 20; i++) {
		hold(rig, 1);
		run(rig, "INSERT INTO t (x) VALUES (zeroblob(100000))");
	}
	copy_file(rig, "", "copy.db");
	copy_file(rig, "-wal", "copy.db-wal");
	snprintf(path, sizeof(path), "%s/copy.db", rig->dir);
	assert_int_equal(sqlite3_open(path, &copy), SQLITE_OK);
	assert_true(sql_query_int(copy, "SELECT count(*) FROM t", &count, &err));
	assert_int_equal(count, 20);
	assert_true(sql_exec(copy, "INSERT INTO t (x) VALUES (1)", &err));
	assert_true(sql_query_int(copy, "SELECT count(*) FROM t", &count, &err));
	assert_int_equal(count, 21);
	sqlite3_close(copy);
	unlink(path);
}

static void the_database_keeps_its_room_when_the_log_is_copied(void **state)
{
	struct rig *rig = *state;
	off_t held;

	skip_unless_firm(rig);
	run(rig, "INSERT INTO t (x) VALUES (zeroblob(700000))");
	hold(rig, 50);
	held = stat_of(rig, "").st_size;
	assert_true(held >= 700000 + database_need(50));
	for (int i = 0; i < 3; i++) {
		run(rig, "INSERT INTO t (x) VALUES (zeroblob(100000));"
			 "PRAGMA wal_checkpoint(PASSIVE)");
		assert_int_equal(stat_of(rig, "").st_size, held);
	}
	assert_true(ask(rig, "PRAGMA page_count") * 4096 < held);
	sqlite3_close(rig->db);
	journal_room_close(rig->room);
	assert_int_equal(stat_of(rig, "").st_size, held);

	/* To those who know nothing of it, it is a database like any other. */
	assert_int_equal(sqlite3_open(rig->path, &rig->db), SQLITE_OK);
	assert_int_equal(ask(rig, "SELECT count(*) FROM t"), 4);
	assert_int_equal(ask(rig, "SELECT count(*) FROM pragma_integrity_check "
				  "WHERE integrity_check = 'ok'"),
			 1);
	open_room(rig);
	assert_false(journal_room_has(rig->room, 0, log_pages(rig)));
}

/* No file may grow: the database cannot be given its room. */
static void what_the_disk_refuses_is_an_error_and_not_forgotten(void **state)
{
	const struct rig *rig = *state;
	struct rlimit limit;
	struct err err;

	skip_unless_firm(rig);
	run(rig, "INSERT INTO t (x) VALUES (zeroblob(3000000))");
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = 4096;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_false(journal_room_hold(rig->room, 1, log_pages(rig), &err));
	assert_int_equal(err.code, ERR_JOURNAL);
	assert_non_null(strstr(err.text, strerror(EFBIG)));
	/* Now nothing lives and the log is empty, but the database is as large as before. */
	assert_false(journal_room_has(rig->room, 0, 0));
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	hold(rig, 1);
	assert_true(journal_room_has(rig->room, 1, log_pages(rig)));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(blocks_are_held_for_each_order_behind_both_ends),
		T(a_log_that_grows_into_its_room_is_given_more),
		T(commits_find_zeros_ahead_of_the_log),
		T(no_zeros_are_written_while_another_writes),
		T(a_log_that_ends_in_zeros_is_read_to_its_end),
		T(the_database_keeps_its_room_when_the_log_is_copied),
		T(what_the_disk_refuses_is_an_error_and_not_forgotten),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
