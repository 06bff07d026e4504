#include "server/journal_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/log.h"
#include "server/event.h"

/* ---- a disk that is full --------------------------------------------------------------------- */

/* Nothing may be written behind the log's last frame, of which SQLite's index has the number: the
 * next commit fails as on a full disk. SQLite's writes get EFBIG, since the thread blocks the
 * signal that would otherwise say so. */
static void fill_disk(const struct rig *rig)
{
	struct rlimit limit;
	uint32_t frames;
	char index[112];
	int fd;

	snprintf(index, sizeof(index), "%s-shm", rig->path);
	fd = open(index, O_RDONLY | O_CLOEXEC);
	assert_int_equal(pread(fd, &frames, sizeof(frames), 16), sizeof(frames));
	close(fd);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = 32 + (rlim_t)frames * (4096 + 24);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void make_room(void)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static int teardown(void **state)
{
	make_room();
	return rig_teardown(state);
}

static void on_a_full_disk_intents_fail_with_the_reason(void **state)
{
	struct rig *rig = *state;
	struct order order = rig_order("1");
	struct journal_status status;

	rig_open(rig);
	journal_status(rig->journal, &status);
	assert_true(status.is_writable);
	fill_disk(rig);
	rig_append(rig, "intent", JOURNAL_INTENT, rig_order_write(&order, "accepted"));
	rig_wait(rig);
	assert_int_equal(rig_outcome(rig, "intent"), ERR_JOURNAL);
	journal_status(rig->journal, &status);
	assert_false(status.is_writable);
	assert_non_null(strstr(status.reason, strerror(EFBIG)));
	assert_true(status.failures > 0);
	assert_int_equal(status.waiting, 0);
	rig_append(rig, "next", JOURNAL_INTENT, rig_order_write(&order, "accepted"));
	rig_wait(rig);
	assert_int_equal(rig_outcome(rig, "next"), ERR_JOURNAL);
	assert_int_equal(rig_find_orders(rig, (struct journal_order_query){ 0 }), 0);
}

static void on_a_full_disk_what_is_durable_can_still_be_read(void **state)
{
	struct rig *rig = *state;
	struct order order = rig_order("1"), unwritten = rig_order("2");

	rig_open(rig);
	rig_put_order(rig, &order);
	fill_disk(rig);
	rig_append(rig, "intent", JOURNAL_INTENT, rig_order_write(&unwritten, "accepted"));
	assert_int_equal(rig_find_orders(rig, (struct journal_order_query){ 0 }), 1);
	assert_string_equal(rig->orders[0].terms.order_id, "ord_1");
	rig_wait(rig);
	assert_int_equal(rig_outcome(rig, "intent"), ERR_JOURNAL);
}

static void stop_loop(void *arg)
{
	loop_stop(arg);
}

/* Nobody has to append anything for the journal to find out that there is room again. */
static void an_idle_journal_notices_that_there_is_room(void **state)
{
	struct rig *rig = *state;
	struct timer *look;
	struct journal_status status;

	rig_open(rig);
	fill_disk(rig);
	rig_append(rig, "intent", JOURNAL_INTENT, rig_setting_write("a", "x"));
	rig_wait(rig);
	make_room();
	look = loop_timer_create(rig->loop, stop_loop, rig->loop);
	timer_start(rig->patience, RIG_PATIENCE_MS);
	do {
		timer_start(look, 50);
		loop_run(rig->loop);
		journal_status(rig->journal, &status);
	} while (!status.is_writable);
	timer_stop(rig->patience);
	timer_destroy(look);
	assert_string_equal(status.reason, "");
	rig_append(rig, "after", JOURNAL_INTENT, rig_setting_write("a", "x"));
	rig_wait(rig);
	assert_int_equal(rig_outcome(rig, "after"), ERR_NONE);
}

/* Twenty facts, in which each of ten executions is told twice. */
static void append_fills(struct rig *rig, const struct order *order, char names[20][24])
{
	for (int i = 0; i < 20; i++) {
		struct journal_write *write = rig_order_write(order, "fill_part");
		char execution_id[24];
		struct fill fill;

		snprintf(execution_id, sizeof(execution_id), "exec-%d", i / 2);
		snprintf(names[i], sizeof(names[i]), "fact %d", i);
		fill = rig_fill(order, execution_id);
		journal_write_fill(write, &fill);
		rig_append(rig, names[i], JOURNAL_FACT, write);
	}
}

static void facts_wait_for_room_and_are_written_once_in_their_order(void **state)
{
	struct rig *rig = *state;
	struct order order = rig_order("1"), refused = rig_order("2");
	struct journal_status status;
	char names[20][24];

	rig_open(rig);
	rig_put_order(rig, &order);
	fill_disk(rig);
	append_fills(rig, &order, names);
	rig_append(rig, "refused", JOURNAL_INTENT, rig_order_write(&refused, "accepted"));
	rig_wait_for(rig, "refused");
	assert_int_equal(rig_outcome(rig, "refused"), ERR_JOURNAL);
	journal_status(rig->journal, &status);
	assert_int_equal(status.waiting, 20);
	assert_int_equal(rig_find_fills(rig, (struct journal_fill_query){ 0 }), 0);

	make_room();
	rig_append(rig, "last", JOURNAL_FACT, rig_setting_write("a", "x"));
	rig_wait(rig);
	assert_int_equal(rig->count, 1 + 1 + 20 + 1);
	for (size_t i = 0; i < 20; i++) {
		assert_string_equal(rig->names[2 + i], names[i]);
		assert_false(rig->has_failed[2 + i]);
	}
	assert_string_equal(rig->names[22], "last");
	assert_int_equal(rig_find_fills(rig, (struct journal_fill_query){ 0 }), 10);
	assert_int_equal(rig_find_events(rig, order.terms.order_id, 0), 1 + 20);
	assert_int_equal(rig_find_orders(rig, (struct journal_order_query){ 0 }), 1);
	journal_status(rig->journal, &status);
	assert_true(status.is_writable);
	assert_int_equal(status.waiting, 0);
}

/* However often it was tried, a number is told once and stands for what the journal has. */
static void assert_told_as_written(const struct rig *rig)
{
	sqlite3 *other = rig_connect(rig);

	for (size_t i = 0; i < rig->told_count; i++) {
		char sql[80];

		assert_int_equal(rig->told[i].seq, i + 1);
		snprintf(sql, sizeof(sql), "SELECT data FROM channel_events WHERE seq = %zu",
			 i + 1);
		assert_string_equal(rig_ask(other, sql), rig->told[i].data);
	}
	sqlite3_close(other);
}

static void append_event(struct rig *rig, enum journal_kind kind, int i)
{
	char name[16];

	snprintf(name, sizeof(name), "%d", i);
	rig_append(rig, kind == JOURNAL_FACT ? "fact" : "intent", kind,
		   rig_event_write(CHANNEL_SYSTEM, name));
}

/* Refuses and takes in turns, longer than the pause between two tries. */
static void events_of_facts_keep_their_order_while_the_disk_comes_and_goes(void **state)
{
	struct rig *rig = *state;
	size_t facts = 0;
	int last = -1;

	rig_open(rig);
	for (int i = 0; i < 300; i++) {
		if (i % 100 == 20) {
			rig_wait(rig);
			fill_disk(rig);
		}
		if (i % 100 == 80) {
			append_event(rig, JOURNAL_INTENT, 1000 + i); /* answered: it was tried */
			rig->count = 0;
			rig_wait_for(rig, "intent");
			make_room();
		}
		append_event(rig, i % 7 ? JOURNAL_FACT : JOURNAL_INTENT, i);
		if (i % 100 == 99)
			rig_wait(rig);
	}
	rig_wait(rig);
	for (size_t i = 0; i < rig->told_count; i++) {
		int number = (int)strtol(rig->told[i].data + strlen("{\"n\":\""), NULL, 10);

		assert_true(number > last);
		last = number;
		facts += number % 7 != 0;
	}
	assert_int_equal(facts, 300 - 43); /* each of them; of the intents those that were taken */
	assert_in_range(rig->told_count, facts + 1, 299);
	assert_told_as_written(rig);
}

/* They tell of a trouble that may last for days; orders and fills must have the memory. */
static void facts_of_the_system_do_not_pile_up_while_the_disk_refuses(void **state)
{
	struct rig *rig = *state;
	struct journal_status status;

	rig_open(rig);
	fill_disk(rig);
	rig_append(rig, "tried", JOURNAL_INTENT, rig_setting_write("a", "x"));
	rig_wait(rig);
	for (int i = 0; i < 3000; i++)
		event_system(rig->journal, SYSTEM_VENUE_DOWN, "", "", "", "no answer");
	journal_status(rig->journal, &status);
	assert_int_equal(status.waiting, 1000);
	make_room();
	assert_int_equal(rig_close(rig), 0);
	assert_int_equal(rig->told_count, 1000);
}

static void facts_that_find_no_room_until_the_close_are_counted_as_lost(void **state)
{
	struct rig *rig = *state;
	struct order order = rig_order("1");
	char names[20][24];

	rig_open(rig);
	rig_put_order(rig, &order);
	fill_disk(rig);
	append_fills(rig, &order, names);
	assert_int_equal(rig_close(rig), 20);
	assert_int_equal(rig_outcome(rig, "fact 19"), ERR_JOURNAL);
	make_room();
	rig_open(rig);
	assert_int_equal(rig_find_orders(rig, (struct journal_order_query){ 0 }), 1);
	assert_int_equal(rig_find_fills(rig, (struct journal_fill_query){ 0 }), 0);
}

static void facts_find_room_at_the_close(void **state)
{
	struct rig *rig = *state;
	struct order order = rig_order("1");
	char names[20][24];

	rig_open(rig);
	rig_put_order(rig, &order);
	fill_disk(rig);
	append_fills(rig, &order, names);
	rig_append(rig, "tried", JOURNAL_INTENT, rig_setting_write("a", "x"));
	rig_wait_for(rig, "tried");
	make_room();
	assert_int_equal(rig_close(rig), 0);
	rig_open(rig);
	assert_int_equal(rig_find_fills(rig, (struct journal_fill_query){ 0 }), 10);
}

/* ---- files that are damaged ------------------------------------------------------------------ */

static void write_at(const struct rig *rig, off_t at, const char *bytes, size_t len)
{
	int fd = open(rig->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, len, at), len);
	close(fd);
}

static void a_file_that_is_no_database_is_refused(void **state)
{
	static const char text[] =
		"Dear diary, this is more than a hundred bytes of something else, "
		"which SQLite reads before it says that this is no database.";
	struct rig *rig = *state;
	struct err err;

	write_at(rig, 0, text, sizeof(text));
	assert_false(rig_try_open(rig, "simulated", &err));
	assert_int_equal(err.code, ERR_JOURNAL);
	assert_non_null(strstr(err.text, rig->path));
	assert_non_null(strstr(err.text, "not a database"));
}

static void a_database_with_a_damaged_page_is_refused(void **state)
{
	struct rig *rig = *state;
	struct order order = rig_order("1");
	char garbage[2048];
	struct err err;

	rig_open(rig);
	rig_put_order(rig, &order);
	rig_close(rig);
	memset(garbage, 0xa5, sizeof(garbage));
	write_at(rig, 4096 * 3, garbage, sizeof(garbage));
	assert_false(rig_try_open(rig, "simulated", &err));
	assert_int_equal(err.code, ERR_JOURNAL);
}

/* ---- a process that is killed ---------------------------------------------------------------- */

#define KILL_ROUNDS 4

struct endless {
	struct rig *rig;
	int round, next, out;
	struct order order;
};

/* What is told of an acknowledged order. */
struct ack {
	char order_id[ORDER_ID_LEN];
	uint64_t seq; /* of its fill's event */
};

static void append_endlessly(void *arg, const struct err *err);

static void append_one(struct endless *endless)
{
	struct journal_write *write;
	struct fill fill;
	char id[32];

	snprintf(id, sizeof(id), "%d-%06d", endless->round, endless->next++);
	endless->order = rig_order(id);
	write = rig_order_write(&endless->order, "accepted");
	fill = rig_fill(&endless->order, id);
	journal_write_fill(write, &fill);
	event_fill(write, &fill);
	journal_append(endless->rig->journal, JOURNAL_INTENT, write, append_endlessly, endless);
}

/* What is acknowledged is told to the parent, which may kill this process at any moment. */
static void append_endlessly(void *arg, const struct err *err)
{
	struct endless *endless = arg;
	struct ack ack = { .seq = endless->rig->told[0].seq };

	STR_SET(ack.order_id, endless->order.terms.order_id);
	endless->rig->told_count = 0;
	if (err || write(endless->out, &ack, sizeof(ack)) != sizeof(ack))
		_exit(1);
	append_one(endless);
}

static void live_until_killed(struct rig *rig, int round, int out)
{
	struct endless endless = { .rig = rig, .round = round, .out = out };
	struct err err;

	if (!rig_try_open(rig, "simulated", &err))
		_exit(1);
	append_one(&endless);
	loop_run(rig->loop);
	_exit(1);
}

/* Kills the process behind the pipe after some acknowledgements; what it told, in order. */
static size_t kill_after(pid_t pid, int in, size_t acks, struct ack *told, size_t max)
{
	size_t count = 0;
	int status;

	while (count < max && read(in, &told[count], sizeof(*told)) == sizeof(*told)) {
		if (++count == acks)
			kill(pid, SIGKILL);
	}
	close(in);
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return count;
}

static void what_was_acknowledged_survives_a_kill(void **state)
{
	struct rig *rig = *state;
	static struct ack acks[4096];
	size_t count = 0;

	for (int round = 0; round < KILL_ROUNDS; round++) {
		int ends[2];
		pid_t pid;

		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		pid = fork();
		if (pid == 0)
			live_until_killed(rig, round, ends[1]);
		close(ends[1]);
		count += kill_after(pid, ends[0], 20 + 15 * (size_t)round, acks + count,
				    ARRAY_LEN(acks) - count);
	}
	assert_true(count >= 20 + 35 + 50 + 65);
	rig_open(rig);
	for (size_t i = 0; i < count; i++) {
		struct journal_order_query orders = { .limit = 1 };
		struct journal_fill_query fills = { .limit = 2 };

		STR_SET(orders.order_id, acks[i].order_id);
		STR_SET(fills.order_id, acks[i].order_id);
		assert_int_equal(rig_find_orders(rig, orders), 1);
		assert_int_equal(rig_find_events(rig, acks[i].order_id, 0), 1);
		assert_int_equal(rig_find_fills(rig, fills), 1);
		/* Its number is its own, and no later start gave it again. */
		rig_find_channel(rig, (struct channel_view){ CHANNEL_FILLS, "", "" },
				 acks[i].seq - 1, 1);
		assert_int_equal(rig->channel[0].seq, acks[i].seq);
		assert_true(i == 0 || acks[i].seq > acks[i - 1].seq);
	}
}

/* Long enough for checkpoints while idle and in between; then nothing of the log may be missing. */
static void the_log_is_checkpointed_and_stays_small(void **state)
{
	struct rig *rig = *state;
	char wal[112], big[8001];
	struct stat stat_;
	sqlite3 *other;

	rig_open(rig);
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	for (int i = 0; i < 12000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i % 100);
		rig->count = 0;
		rig_append(rig, "big", JOURNAL_FACT, rig_setting_write(name, big));
		if (i % 400 == 399)
			rig_wait(rig);
	}
	snprintf(wal, sizeof(wal), "%s-wal", rig->path);
	assert_int_equal(stat(wal, &stat_), 0);
	assert_true(stat_.st_size < 64 * 1024 * 1024);
	other = rig_connect(rig);
	assert_string_equal(
		rig_ask(other, "SELECT count(*) FROM settings WHERE length(value) = 8000"), "100");
	assert_string_equal(rig_ask(other, "PRAGMA integrity_check"), "ok");
	sqlite3_close(other);
	assert_int_equal(rig_close(rig), 0);
	assert_int_not_equal(stat(wal, &stat_), 0); /* a clean end leaves no log */
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, teardown)
	const struct CMUnitTest tests[] = {
		T(what_was_acknowledged_survives_a_kill),
		T(on_a_full_disk_intents_fail_with_the_reason),
		T(on_a_full_disk_what_is_durable_can_still_be_read),
		T(an_idle_journal_notices_that_there_is_room),
		T(facts_wait_for_room_and_are_written_once_in_their_order),
		T(events_of_facts_keep_their_order_while_the_disk_comes_and_goes),
		T(facts_of_the_system_do_not_pile_up_while_the_disk_refuses),
		T(facts_that_find_no_room_until_the_close_are_counted_as_lost),
		T(facts_find_room_at_the_close),
		T(a_file_that_is_no_database_is_refused),
		T(a_database_with_a_damaged_page_is_refused),
		T(the_log_is_checkpointed_and_stays_small),
	};
#undef T

	log_configure(LOG_ERROR, LOG_JSON);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
