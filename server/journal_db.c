#include "server/journal_db.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/queue.h"
#include "server/journal_find.h"
#include "server/journal_job.h"
#include "server/journal_prune.h"
#include "server/journal_rows.h"
#include "server/journal_trouble.h"

#define RETRY_MS 1000

/* Pages of the write-ahead log, 4 KiB each. A checkpoint costs milliseconds: while nothing waits
 * it is free, past BUSY it is made anyway, and past FULL_STOP, which only a reader that has stayed
 * for very long explains, the log is cut back to nothing. */
#ifndef CHECKPOINT_IDLE /* `make crash` has no time for so many */
#define CHECKPOINT_IDLE 1000
#endif
#define CHECKPOINT_BUSY      8000
#define CHECKPOINT_FULL_STOP 32000
#define CHECKPOINT_TROUBLE   250 /* the log has little room: it begins anew as often as it can */
#define IDLE_MS              20

/* Likewise for channel events beyond those that are kept. */
#define PRUNE_IDLE JOURNAL_PRUNE_BATCH
#define PRUNE_BUSY (8 * JOURNAL_PRUNE_BATCH)

struct journal_db {
	struct journal_file file;
	struct queue *requests;
	struct queue *health;
	struct journal_rows *rows;
	struct journal_prune *prune;
	sqlite3_stmt *begin, *commit, *savepoint, *release, *undo, *probe, *count;
	struct list stuck; /* facts that the disk refused, oldest first */
	struct journal_troubles troubles;
	struct mono retry_at;         /* while there is trouble */
	struct journal_status status; /* what is counted; the rest is told by the troubles */
	size_t live;   /* orders that are not final; some may be, until they are counted again */
	int wal_pages; /* in the log after the last commit */
	int wal_pages_tried; /* when the last checkpoint was made */
	pthread_t thread;
};

/* ---- troubles ----------------------------------------------------------------------------- */

static bool is_writable(const struct journal_db *db)
{
	return !db->troubles.is_on[TROUBLE_WRITE];
}

static bool takes_orders(const struct journal_db *db, struct err *err)
{
	struct journal_status status;

	journal_trouble_tell(&db->troubles, &status);
	return status.takes_orders || err_set(err, ERR_JOURNAL, "%s", status.reason);
}

static void begin_trouble(struct journal_db *db, enum journal_trouble trouble,
			  const struct err *err)
{
	if (!db->troubles.is_on[trouble])
		db->retry_at = mono_after_ms(mono_now(), RETRY_MS);
	journal_trouble_begin(&db->troubles, trouble, err);
}

/* SQLite's last error: is it a page that is not what it was? */
static void look_for_damage(struct journal_db *db, const struct err *err)
{
	struct err damage = *err;

	if (!sql_is_damaged(db->file.db))
		return;
	err_prefix(&damage, "the database is damaged");
	begin_trouble(db, TROUBLE_DAMAGE, &damage);
}

static void find(struct journal_db *db, struct journal_job *job)
{
	journal_find(db->file.db, job);
	if (job->has_failed)
		look_for_damage(db, &job->err);
}

/* ---- room for what becomes of orders ------------------------------------------------------- */

static bool count_live(struct journal_db *db, struct err *err)
{
	bool has_row;
	bool is_done = sql_next(db->count, &has_row, err);

	if (is_done)
		db->live = (size_t)sqlite3_column_int64(db->count, 0);
	else
		look_for_damage(db, err);
	sqlite3_reset(db->count);
	return is_done;
}

/* For the orders that live, and so many more. */
static bool make_room(struct journal_db *db, size_t more, struct err *err)
{
	struct journal_room *room = db->file.room;

	if (!journal_room_has(room, db->live + more, db->wal_pages) &&
	    (!count_live(db, err) ||
	     !journal_room_hold(room, db->live + more, db->wal_pages, err))) {
		begin_trouble(db, TROUBLE_ROOM, err);
		return false;
	}
	journal_trouble_end(&db->troubles, TROUBLE_ROOM);
	return true;
}

/* After the log has grown: for at least one more, so that it is known before that one comes. */
static void keep_room(struct journal_db *db)
{
	struct err err;

	(void)make_room(db, 1, &err);
}

/* Nothing of what an intent wants was promised to anyone; but the signed bytes of an order that
 * was accepted are part of what room is held for. */
static bool is_new(const struct journal_job *job)
{
	if (job->kind != JOB_WRITE || job->write_kind != JOURNAL_INTENT)
		return false;
	LIST_EACH (&job->write->ops, node)
		if (CONTAINER_OF(node, struct journal_op, node)->kind == OP_SUBMISSION)
			return false;
	return true;
}

/* Room is held before the acceptance is written, or it is not written. */
static void admit(struct journal_db *db, struct list *group)
{
	size_t count = 0;
	struct err err;

	LIST_EACH (group, node)
		count += is_new(CONTAINER_OF(node, struct journal_job, node));
	if (count == 0)
		return;
	if (make_room(db, count, &err) && takes_orders(db, &err)) {
		db->live += count;
		return;
	}
	LIST_EACH (group, node) {
		struct journal_job *job = CONTAINER_OF(node, struct journal_job, node);

		if (is_new(job))
			journal_job_fail(job, &err);
	}
}

/* ---- one group ---------------------------------------------------------------------------- */

/* After errors SQLite may have rolled back by itself; what is left is rolled back here. */
static void roll_back(struct journal_db *db)
{
	struct err err;

	if (!sqlite3_get_autocommit(db->file.db) && !sql_exec(db->file.db, "ROLLBACK", &err))
		LOG(ERROR, "journal.rollback_failed", F_ERR(&err));
}

static bool put_ops(struct journal_db *db, const struct journal_write *write, struct err *err)
{
	LIST_EACH (&write->ops, node)
		if (!journal_rows_put(db->rows, CONTAINER_OF(node, struct journal_op, node), err))
			return false;
	return true;
}

/* False only when the database cannot be written; a refused row is the job's own answer. */
static bool write_one(struct journal_db *db, struct journal_job *job, struct err *err)
{
	struct err refusal;

	if (!sql_run(db->savepoint, err))
		return false;
	if (put_ops(db, job->write, &refusal))
		return sql_run(db->release, err);
	if (refusal.code == ERR_JOURNAL) {
		*err = refusal;
		return false;
	}
	journal_job_fail(job, &refusal);
	return sql_run(db->undo, err) && sql_run(db->release, err);
}

static bool run_group(struct journal_db *db, struct list *group, struct err *err)
{
	if (!sql_run(db->begin, err))
		return false;
	LIST_EACH (group, node) {
		struct journal_job *job = CONTAINER_OF(node, struct journal_job, node);

		if (job->kind != JOB_WRITE)
			find(db, job);
		else if (!job->has_failed && !write_one(db, job, err))
			return false;
	}
	CRASH_GROUP(group, "before");
	return sql_run(db->commit, err);
}

/* A small write that says whether the disk takes any, before all that is stuck is run again. */
static bool probe(struct journal_db *db, struct err *err)
{
	struct sql_cursor row = sql_cursor(db->probe);

	sql_put_wall(&row, wall_now());
	return sql_run(db->probe, err);
}

/* ---- answers ------------------------------------------------------------------------------ */

static void answer(struct journal_job *job)
{
	if (!queue_push_always(job->answers, &job->node))
		journal_job_destroy(job); /* nobody listens any more */
}

static bool is_fact(const struct journal_job *job)
{
	return job->kind == JOB_WRITE && job->write_kind == JOURNAL_FACT;
}

static void answer_group(struct list *group)
{
	struct list_node *node;

	while ((node = list_pop_front(group))) {
		struct journal_job *job = CONTAINER_OF(node, struct journal_job, node);

		if (is_fact(job) && job->has_failed)
			LOG(ERROR, "journal.fact_refused", F_ERR(&job->err));
		answer(job);
	}
}

/* The disk refuses: facts wait, the rest has its answer now. Questions are asked again, since
 * what they saw of this group was rolled back. */
static void turn_down(struct journal_db *db, struct list *group, const struct err *err)
{
	struct list_node *node;

	while ((node = list_pop_front(group))) {
		struct journal_job *job = CONTAINER_OF(node, struct journal_job, node);

		journal_job_clear(job);
		if (is_fact(job)) {
			list_push_back(&db->stuck, &job->node);
			continue;
		}
		if (job->kind == JOB_WRITE)
			journal_job_fail(job, err);
		else
			find(db, job);
		answer(job);
	}
}

static void tell_health(struct journal_db *db)
{
	struct journal_job *job = journal_job_create(JOB_HEALTH);

	job->status = db->status;
	journal_trouble_tell(&db->troubles, &job->status);
	job->answers = db->health;
	answer(job);
}

static void note_failure(struct journal_db *db, const struct err *err)
{
	begin_trouble(db, TROUBLE_WRITE, err);
	db->status.failures++;
	db->retry_at = mono_after_ms(mono_now(), RETRY_MS);
	tell_health(db);
}

static size_t count_events(const struct journal_write *write)
{
	size_t count = 0;

	LIST_EACH (&write->ops, node) {
		const struct journal_op *op = CONTAINER_OF(node, struct journal_op, node);

		count += op->kind == OP_CHANNEL_EVENT && op->as.channel.event.seq > 0;
	}
	return count;
}

static void note_events(struct journal_db *db, const struct list *group)
{
	LIST_EACH (group, node) {
		const struct journal_job *job = CONTAINER_OF(node, struct journal_job, node);

		if (job->kind == JOB_WRITE && !job->has_failed)
			journal_prune_add(db->prune, count_events(job->write));
	}
}

static uint64_t count_written(const struct list *group)
{
	uint64_t count = 0;

	LIST_EACH (group, node) {
		const struct journal_job *job = CONTAINER_OF(node, struct journal_job, node);

		count += job->kind == JOB_WRITE && !job->has_failed;
	}
	return count;
}

static void note_commit(struct journal_db *db, const struct list *group)
{
	journal_trouble_end(&db->troubles, TROUBLE_WRITE);
	db->status.commits++;
	db->status.writes += count_written(group);
	note_events(db, group);
	tell_health(db);
}

static bool has_write(const struct list *group)
{
	LIST_EACH (group, node)
		if (CONTAINER_OF(node, struct journal_job, node)->kind == JOB_WRITE)
			return true;
	return false;
}

/* A commit that fails as it is synced has its pages in the log, whole for all that a start after a
 * kill could tell, and what was refused would be there again. The next write takes their place,
 * whether it can be synced or not. */
static void overwrite_failure(struct journal_db *db)
{
	struct err err;

	if (!probe(db, &err))
		roll_back(db);
}

static void write_group(struct journal_db *db, struct list *group)
{
	struct err err;

	admit(db, group);
	if ((is_writable(db) || probe(db, &err)) && run_group(db, group, &err)) {
		CRASH_GROUP(group, "committed");
		keep_room(db);
		note_commit(db, group);
		answer_group(group);
		return;
	}
	look_for_damage(db, &err);
	roll_back(db);
	overwrite_failure(db);
	note_failure(db, &err);
	turn_down(db, group, &err);
}

/* is_due: while the disk refuses, its next try is now. */
static void serve(struct journal_db *db, struct list *batch, bool is_due)
{
	struct list group;
	struct err err;

	if (!is_writable(db) && !is_due) {
		err_set(&err, ERR_JOURNAL, "%s", db->troubles.reasons[TROUBLE_WRITE]);
		turn_down(db, batch, &err);
		return;
	}
	list_init(&group);
	list_move_all(&db->stuck, &group);
	list_move_all(batch, &group);
	if (has_write(&group) || !is_writable(db)) {
		write_group(db, &group);
		return;
	}
	LIST_EACH (&group, node)
		find(db, CONTAINER_OF(node, struct journal_job, node));
	answer_group(&group);
}

/* ---- checkpoints -------------------------------------------------------------------------- */

static int after_commit(void *arg, sqlite3 *connection, const char *name, int pages)
{
	struct journal_db *db = arg;

	(void)connection;
	(void)name;
	if (pages < db->wal_pages) { /* all of it was copied, and the log begins anew */
		db->wal_pages_tried = 0;
		journal_room_log_was_cut(db->file.room); /* if it had grown very large */
	}
	db->wal_pages = pages;
	return SQLITE_OK;
}

/* True if all of the log was copied. */
static bool checkpoint(struct journal_db *db, int mode)
{
	int status, pages = 0, copied = -1;
	struct err err;

	/* A reader that is in the way stays in the way: do not wait for it with commits behind. */
	CRASH_POINT("checkpoint.before");
	sqlite3_busy_timeout(db->file.db, 0);
	status = sqlite3_wal_checkpoint_v2(db->file.db, NULL, mode, &pages, &copied);
	sqlite3_busy_timeout(db->file.db, JOURNAL_BUSY_TIMEOUT_MS);
	db->wal_pages_tried = db->wal_pages;
	CRASH_POINT("checkpoint.done");
	if (mode == SQLITE_CHECKPOINT_TRUNCATE)
		journal_room_log_was_cut(db->file.room);
	if ((status & 0xff) == SQLITE_OK || (status & 0xff) == SQLITE_BUSY) {
		journal_trouble_end(&db->troubles, TROUBLE_COPY);
	} else {
		sql_fail(db->file.db, &err);
		err_prefix(&err, "the log cannot be copied into the database");
		begin_trouble(db, TROUBLE_COPY, &err);
	}
	return pages == copied;
}

static void make_checkpoint(struct journal_db *db, int mode)
{
	bool was_copying = !db->troubles.is_on[TROUBLE_COPY];

	checkpoint(db, mode);
	if (was_copying != !db->troubles.is_on[TROUBLE_COPY])
		tell_health(db);
}

static bool wants_checkpoint(const struct journal_db *db, int pages)
{
	if (pages > CHECKPOINT_TROUBLE && db->troubles.is_on[TROUBLE_ROOM])
		pages = CHECKPOINT_TROUBLE;
	return is_writable(db) && db->wal_pages - db->wal_pages_tried >= pages;
}

/* ---- pruning ------------------------------------------------------------------------------ */

static bool wants_pruning(const struct journal_db *db, size_t rows)
{
	struct err ignored;

	return journal_prune_due(db->prune) >= rows && takes_orders(db, &ignored);
}

static void prune(struct journal_db *db)
{
	struct err err;

	if (!journal_prune_run(db->prune, &err)) {
		LOG(WARN, "journal.prune_failed", F_ERR(&err));
		roll_back(db);
	}
}

/* ---- the thread --------------------------------------------------------------------------- */

static bool is_due(const struct journal_db *db)
{
	return journal_trouble_may_pass(&db->troubles) && mono_is_past(db->retry_at, mono_now());
}

/* How long to sleep when no job comes; -1: until one does. */
static int time_to_wait(const struct journal_db *db)
{
	int64_t ms;

	if (wants_checkpoint(db, CHECKPOINT_IDLE) || wants_pruning(db, PRUNE_IDLE))
		return IDLE_MS;
	if (!journal_trouble_may_pass(&db->troubles))
		return -1;
	ms = mono_diff_ms(db->retry_at, mono_now()) + 1;
	return ms > 0 ? (int)ms : 0;
}

/* A log that was copied begins anew with the next commit: then what was held for it is room again.
 * Otherwise nothing is written here, as it would use up what is left. */
static void try_again(struct journal_db *db)
{
	struct err err;

	db->retry_at = mono_after_ms(mono_now(), RETRY_MS);
	if (checkpoint(db, SQLITE_CHECKPOINT_PASSIVE) && !probe(db, &err))
		begin_trouble(db, TROUBLE_WRITE, &err);
	keep_room(db);
	tell_health(db);
}

/* A last try for what is stuck; what stays is handed back as it is. */
static void give_up_stuck(struct journal_db *db)
{
	struct list_node *node;
	struct list none;
	struct err err;

	list_init(&none);
	if (!list_is_empty(&db->stuck))
		serve(db, &none, true);
	err_set(&err, ERR_JOURNAL, "%s", db->troubles.reasons[TROUBLE_WRITE]);
	while ((node = list_pop_front(&db->stuck))) {
		struct journal_job *job = CONTAINER_OF(node, struct journal_job, node);

		journal_job_fail(job, &err);
		answer(job);
	}
}

/* With orders that live on, the log is not removed, for its room. It is emptied, so that it does
 * no harm to another database that is put in this one's place; but not while the disk would not
 * give the same blocks again. */
static void leave_room(struct journal_db *db)
{
	struct err err;

	if (!count_live(db, &err) || db->live == 0)
		return;
	if (takes_orders(db, &err))
		checkpoint(db, SQLITE_CHECKPOINT_TRUNCATE);
	else
		checkpoint(db, SQLITE_CHECKPOINT_PASSIVE);
	db->wal_pages = journal_room_log_pages(db->file.room);
	keep_room(db);
	sqlite3_db_config(db->file.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

static void finalize(struct journal_db *db)
{
	sqlite3_finalize(db->begin);
	sqlite3_finalize(db->commit);
	sqlite3_finalize(db->savepoint);
	sqlite3_finalize(db->release);
	sqlite3_finalize(db->undo);
	sqlite3_finalize(db->probe);
	sqlite3_finalize(db->count);
	journal_prune_destroy(db->prune);
	journal_rows_destroy(db->rows);
}

static void *run(void *arg)
{
	struct journal_db *db = arg;
	struct list batch;

	list_init(&batch);
	tell_health(db);
	while (true) {
		size_t count = queue_wait(db->requests, &batch, time_to_wait(db));

		if (count == 0 && queue_is_closed(db->requests))
			break;
		if (count > 0 || !is_writable(db))
			serve(db, &batch, is_due(db));
		if (is_writable(db) && is_due(db))
			try_again(db);
		if (wants_pruning(db, count == 0 ? PRUNE_IDLE : PRUNE_BUSY))
			prune(db);
		if (db->wal_pages >= CHECKPOINT_FULL_STOP && wants_checkpoint(db, CHECKPOINT_BUSY))
			make_checkpoint(db, SQLITE_CHECKPOINT_TRUNCATE);
		else if (wants_checkpoint(db, count == 0 ? CHECKPOINT_IDLE : CHECKPOINT_BUSY))
			make_checkpoint(db, SQLITE_CHECKPOINT_PASSIVE);
	}
	give_up_stuck(db);
	leave_room(db);
	finalize(db);
	journal_file_close(&db->file);
	return NULL;
}

/* ---- start and end ------------------------------------------------------------------------ */

static bool prepare(struct journal_db *db, size_t events_kept, struct err *err)
{
	const struct {
		const char *text;
		sqlite3_stmt **stmt;
	} all[] = {
		{ "BEGIN IMMEDIATE", &db->begin },
		{ "COMMIT", &db->commit },
		{ "SAVEPOINT one", &db->savepoint },
		{ "RELEASE one", &db->release },
		{ "ROLLBACK TO one", &db->undo },
		{ "INSERT INTO settings (name, value, updated_at) VALUES ('written_again', '', ?) "
		  "ON CONFLICT (name) DO UPDATE SET updated_at = excluded.updated_at",
		  &db->probe },
		{ "SELECT count(*) FROM orders WHERE state IN "
		  "(SELECT state FROM order_states WHERE NOT is_final)",
		  &db->count },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (!sql_prepare(db->file.db, all[i].text, true, all[i].stmt, err))
			return false;
	return journal_rows_create(db->file.db, &db->rows, err) &&
	       journal_prune_create(db->file.db, events_kept, &db->prune, err);
}

/* Signals are the loop's. Those of a fault stay: they end the process where the fault is. */
static bool start_thread(struct journal_db *db, struct err *err)
{
	sigset_t blocked, before;
	int status;

	sigfillset(&blocked);
	sigdelset(&blocked, SIGSEGV);
	sigdelset(&blocked, SIGBUS);
	sigdelset(&blocked, SIGFPE);
	sigdelset(&blocked, SIGILL);
	sigdelset(&blocked, SIGABRT);
	pthread_sigmask(SIG_SETMASK, &blocked, &before);
	status = pthread_create(&db->thread, NULL, run, db);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (status != 0)
		return err_set(err, ERR_JOURNAL, "no thread: %s", strerror(status));
	pthread_setname_np(db->thread, "journal");
	return true;
}

bool journal_db_start(struct journal_file *file, size_t events_kept, struct queue *requests,
		      struct queue *health, struct journal_db **result, struct err *err)
{
	struct journal_db *db = mem_alloc(sizeof(*db));

	db->file = *file;
	db->requests = requests;
	db->health = health;
	list_init(&db->stuck);
	sqlite3_wal_hook(db->file.db, after_commit, db);
	db->wal_pages = journal_room_log_pages(db->file.room);
	if (!prepare(db, events_kept, err))
		goto fail;
	keep_room(db);
	if (!journal_room_is_firm(db->file.room))
		LOG(WARN, "journal.room_not_held",
		    F_STR("why", "the file system cannot hold room: its free space is watched"));
	if (!start_thread(db, err))
		goto fail;
	*file = (struct journal_file){ .lock_fd = -1 };
	*result = db;
	return true;
fail:
	finalize(db);
	mem_free(db);
	return false;
}

void journal_db_join(struct journal_db *db)
{
	pthread_join(db->thread, NULL);
	mem_free(db);
}
