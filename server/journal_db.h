/* journal_db.h - the journal thread: owns the database, commits in groups.
 *
 * It takes everything that waits, runs it in one transaction, commits, answers, and takes what
 * gathered meanwhile: the slower the disk, the larger the groups. Each write has a savepoint, so
 * that a row the database refuses costs nobody else. When the disk refuses, all of the group is
 * rolled back: intents fail, questions are answered from what is durable, facts stay at the head
 * and are tried again every second, ahead of whatever came after them.
 *
 * The thread touches nothing of the loop but the queues. */
#ifndef SERVER_JOURNAL_DB_H
#define SERVER_JOURNAL_DB_H
#include "server/journal_file.h"

struct journal_db;
struct queue;

/* Takes the file over when it succeeds. events_kept: channel events that are not pruned; 0: none
 * is. Jobs come by requests and go to the queue each names;
 * JOB_HEALTH goes to health. The queues outlive the thread. */
MUST_CHECK bool journal_db_start(struct journal_file *file, size_t events_kept,
				 struct queue *requests, struct queue *health,
				 struct journal_db **result, struct err *err);
/* After queue_close(requests): waits until everything is written or given up, each job answered,
 * and the files are closed. */
void journal_db_join(struct journal_db *db);
#endif
