#include "server/journal.h"

#include <assert.h>

#include "base/crash_point.h"
#include "base/mem.h"
#include "base/queue.h"
#include "net/loop.h"
#include "server/journal_db.h"
#include "server/journal_job.h"

/* How often journal_close() looks again whether the disk still refuses. */
#define CLOSE_WAIT_MS 1000

/* Who asked, and since when. Stays on the loop's side while the job travels. */
struct ticket {
	struct list_node node; /* of journal->waiting: writes only */
	struct mono since;
	enum journal_kind kind;
	union {
		journal_done_fn *write;
		journal_orders_fn *orders;
		journal_fills_fn *fills;
		journal_events_fn *events;
		journal_text_fn *text;
		journal_submission_fn *submission;
		journal_channel_fn *channel;
		journal_balances_fn *balances;
		journal_ids_fn *ids;
		journal_findings_fn *findings;
	} done;
	void *arg;
};

struct journal {
	struct loop *loop;
	struct wake *wake;
	struct queue *requests;
	struct queue *answers; /* to callbacks */
	struct queue *loaded;  /* to whoever waits in ask_now(), so that it overtakes no callback */
	struct journal_db *db;
	struct list refused; /* jobs that never went to the thread */
	struct list waiting; /* tickets of writes, oldest first */
	size_t waiting_len, waiting_max;
	size_t asked; /* jobs whose answer has not come */
	size_t lost;  /* facts handed back unwritten */
	struct journal_status status;
	journal_event_fn *listener;
	void *listener_arg;
	char epoch[JOURNAL_EPOCH_LEN];
};

static void deliver_all(void *arg);

static void wake_loop(void *arg) /* on the journal thread */
{
	wake_send(arg);
}

/* ---- answers ------------------------------------------------------------------------------ */

static void tell_events(struct journal *journal, const struct journal_write *write)
{
	LIST_EACH (&write->ops, node) {
		const struct journal_op *op = CONTAINER_OF(node, struct journal_op, node);

		if (op->kind == OP_CHANNEL_EVENT && op->as.channel.event.seq > 0)
			journal->listener(journal->listener_arg, &op->as.channel.event);
	}
}

static void deliver_write(struct journal *journal, const struct journal_job *job,
			  const struct err *err)
{
	struct ticket *ticket = job->ticket;

	list_remove(&ticket->node);
	journal->waiting_len--;
	if (err && ticket->kind == JOURNAL_FACT && err->code != ERR_ID_CONFLICT)
		journal->lost++;
	if (!err && journal->listener)
		tell_events(journal, job->write);
	if (ticket->done.write)
		ticket->done.write(ticket->arg, err);
	CRASH_WRITE(job->write, "acknowledged");
}

static void deliver_answer(struct journal *journal, const struct journal_job *job)
{
	const struct err *err = job->has_failed ? &job->err : NULL;
	const struct ticket *ticket = job->ticket;

	switch (job->kind) {
	case JOB_WRITE:
		deliver_write(journal, job, err);
		break;
	case JOB_ORDERS:
		ticket->done.orders(ticket->arg, err, job->rows, job->count);
		break;
	case JOB_FILLS:
		ticket->done.fills(ticket->arg, err, job->rows, job->numbers, job->count);
		break;
	case JOB_EVENTS:
		ticket->done.events(ticket->arg, err, job->rows, job->count);
		break;
	case JOB_CHANNEL:
		ticket->done.channel(ticket->arg, err, job->rows, job->count, job->last,
				     job->pruned);
		break;
	case JOB_BALANCES:
		ticket->done.balances(ticket->arg, err, job->rows, job->times, job->count);
		break;
	case JOB_FINDINGS:
		ticket->done.findings(ticket->arg, err, job->rows, job->count);
		break;
	case JOB_UNBOOKED:
		ticket->done.ids(ticket->arg, err, job->rows, job->count);
		break;
	case JOB_SUBMISSION:
		ticket->done.submission(ticket->arg, err, job->text,
					job->times ? job->times[0] : (struct wall){ 0 },
					job->is_taken);
		break;
	case JOB_SETTING:
		ticket->done.text(ticket->arg, err, job->text);
		break;
	case JOB_TOKENS: /* only ever asked for before the loop runs */
	case JOB_HEALTH:
		break;
	}
}

static void deliver(struct journal *journal, struct journal_job *job)
{
	if (job->kind == JOB_HEALTH) {
		journal->status = job->status;
	} else {
		journal->asked--;
		deliver_answer(journal, job);
	}
	mem_free(job->ticket);
	journal_job_destroy(job);
}

static void deliver_list(struct journal *journal, struct list *jobs)
{
	struct list_node *node;

	while ((node = list_pop_front(jobs)))
		deliver(journal, CONTAINER_OF(node, struct journal_job, node));
}

static void deliver_all(void *arg)
{
	struct journal *journal = arg;
	struct list jobs;

	list_init(&jobs);
	queue_take(journal->answers, &jobs);
	list_move_all(&journal->refused, &jobs);
	deliver_list(journal, &jobs);
}

/* ---- open and close ----------------------------------------------------------------------- */

bool journal_open(struct loop *loop, const struct journal_config *config, struct journal **result,
		  struct err *err)
{
	struct journal *journal;
	struct journal_file file;

	if (!journal_file_open(config->path, config->network, &file, err))
		return false;
	journal = mem_alloc(sizeof(*journal));
	journal->loop = loop;
	journal->wake = wake_create(loop, deliver_all, journal);
	journal->requests = queue_create(config->queue_max, NULL, NULL);
	journal->answers = queue_create(config->queue_max, wake_loop, journal->wake);
	journal->loaded = queue_create(1, NULL, NULL);
	journal->waiting_max = config->queue_max;
	STR_SET(journal->epoch, file.epoch);
	journal->status.is_writable = journal->status.takes_orders = true;
	list_init(&journal->refused);
	list_init(&journal->waiting);
	if (!journal_db_start(&file, config->events_kept, journal->requests, journal->answers,
			      &journal->db, err)) {
		journal_file_close(&file);
		journal_close(journal, &(size_t){ 0 });
		return false;
	}
	*result = journal;
	return true;
}

/* Waits for answers, which may lead to more questions, as long as the disk takes what is written.
 */
static void drain(struct journal *journal)
{
	struct list jobs;

	list_init(&jobs);
	while (journal->asked > 0 && journal->status.is_writable) {
		if (list_is_empty(&journal->refused))
			queue_wait(journal->answers, &jobs, CLOSE_WAIT_MS);
		deliver_list(journal, &jobs);
		deliver_list(journal, &journal->refused);
	}
}

bool journal_close(struct journal *journal, size_t *lost)
{
	if (journal->db) {
		drain(journal);
		queue_close(journal->requests);
		journal_db_join(journal->db);
	}
	while (journal->asked > 0)
		deliver_all(journal);
	deliver_all(journal); /* the last words on the disk's health */
	*lost = journal->lost;
	queue_destroy(journal->requests);
	queue_destroy(journal->answers);
	queue_destroy(journal->loaded);
	wake_destroy(journal->wake);
	mem_free(journal);
	return *lost == 0;
}

/* ---- asking ------------------------------------------------------------------------------- */

static void refuse(struct journal *journal, struct journal_job *job, const struct err *err)
{
	journal_job_fail(job, err);
	list_push_back(&journal->refused, &job->node);
	wake_send(journal->wake);
}

static void ask(struct journal *journal, struct journal_job *job)
{
	struct err err;

	journal->asked++;
	job->answers = journal->answers;
	if (queue_push_always(journal->requests, &job->node))
		return;
	err_set(&err, ERR_STOPPING, "the journal is closed");
	refuse(journal, job, &err);
}

static struct ticket *ticket_create(struct journal_job *job, void *arg)
{
	struct ticket *ticket = mem_alloc(sizeof(*ticket));

	list_node_init(&ticket->node);
	ticket->arg = arg;
	job->ticket = ticket;
	return ticket;
}

void journal_append(struct journal *journal, enum journal_kind kind, struct journal_write *write,
		    journal_done_fn *done, void *arg)
{
	struct journal_job *job = journal_job_create(JOB_WRITE);
	struct ticket *ticket = ticket_create(job, arg);
	struct err err;

	assert(loop_is_mine(journal->loop));
	job->write_kind = kind;
	job->write = write;
	ticket->kind = kind;
	ticket->done.write = done;
	ticket->since = loop_now(journal->loop);
	list_push_back(&journal->waiting, &ticket->node);
	journal->waiting_len++;
	if (kind == JOURNAL_FACT || journal->waiting_len <= journal->waiting_max) {
		ask(journal, job);
		return;
	}
	journal->asked++;
	err_set(&err, ERR_JOURNAL, "%zu writes are waiting already", journal->waiting_max);
	refuse(journal, job, &err);
}

void journal_find_orders(struct journal *journal, const struct journal_order_query *query,
			 journal_orders_fn *done, void *arg)
{
	struct journal_job *job = journal_job_create(JOB_ORDERS);

	job->orders = *query;
	ticket_create(job, arg)->done.orders = done;
	ask(journal, job);
}

void journal_find_fills(struct journal *journal, const struct journal_fill_query *query,
			journal_fills_fn *done, void *arg)
{
	struct journal_job *job = journal_job_create(JOB_FILLS);

	job->fills = *query;
	ticket_create(job, arg)->done.fills = done;
	ask(journal, job);
}

void journal_find_events(struct journal *journal, const char *order_id, int64_t after,
			 unsigned limit, journal_events_fn *done, void *arg)
{
	struct journal_job *job = journal_job_create(JOB_EVENTS);

	STR_SET(job->order_id, order_id ? order_id : "");
	job->after = after;
	job->limit = limit;
	ticket_create(job, arg)->done.events = done;
	ask(journal, job);
}

void journal_find_submission(struct journal *journal, const char *order_id,
			     const char *exchange_order_id, journal_submission_fn *done, void *arg)
{
	struct journal_job *job = journal_job_create(JOB_SUBMISSION);

	STR_SET(job->order_id, order_id);
	STR_SET(job->exchange_order_id, exchange_order_id ? exchange_order_id : "");
	ticket_create(job, arg)->done.submission = done;
	ask(journal, job);
}

void journal_find_channel(struct journal *journal, const struct channel_view *view, uint64_t after,
			  unsigned limit, journal_channel_fn *done, void *arg)
{
	struct journal_job *job = journal_job_create(JOB_CHANNEL);

	job->view = *view;
	job->after = after < INT64_MAX ? (int64_t)after : INT64_MAX;
	job->limit = limit < 1 ? 1 : limit < JOURNAL_PAGE_MAX ? limit : JOURNAL_PAGE_MAX;
	ticket_create(job, arg)->done.channel = done;
	ask(journal, job);
}

void journal_find_balances(struct journal *journal, journal_balances_fn *done, void *arg)
{
	struct journal_job *job = journal_job_create(JOB_BALANCES);

	ticket_create(job, arg)->done.balances = done;
	ask(journal, job);
}

void journal_find_findings(struct journal *journal, unsigned limit, journal_findings_fn *done,
			   void *arg)
{
	struct journal_job *job = journal_job_create(JOB_FINDINGS);

	job->limit = limit;
	ticket_create(job, arg)->done.findings = done;
	ask(journal, job);
}

void journal_find_unbooked(struct journal *journal, const char *const *execution_ids, size_t count,
			   journal_ids_fn *done, void *arg)
{
	struct journal_job *job = journal_job_create(JOB_UNBOOKED);

	job->ids = mem_array(count, sizeof(*job->ids));
	job->id_count = count;
	for (size_t i = 0; i < count; i++)
		job->ids[i] = mem_strdup(execution_ids[i]);
	ticket_create(job, arg)->done.ids = done;
	ask(journal, job);
}

/* ---- asking and waiting, before the loop runs ------------------------------------------------ */

static bool ask_now(struct journal *journal, struct journal_job *job, struct err *err)
{
	struct list answers;

	list_init(&answers);
	journal_job_clear(job);
	job->answers = journal->loaded;
	if (!queue_push_always(journal->requests, &job->node))
		return err_set(err, ERR_STOPPING, "the journal is closed");
	queue_wait(journal->loaded, &answers, -1);
	list_remove(&job->node);
	if (job->has_failed)
		*err = job->err;
	return !job->has_failed;
}

static uint32_t states_not_final(void)
{
	uint32_t states = 0;

	for (int state = ORDER_NONE + 1; state < ORDER_STATE_COUNT; state++)
		if (!order_is_final((enum order_state)state))
			states |= 1u << state;
	return states;
}

bool journal_load_live_orders(struct journal *journal,
			      void (*fn)(void *arg, const struct order *order), void *arg,
			      struct err *err)
{
	struct journal_job *job = journal_job_create(JOB_ORDERS);
	bool is_done;

	job->orders.states = states_not_final();
	job->orders.limit = JOURNAL_PAGE_MAX;
	job->is_oldest_first = true;
	while ((is_done = ask_now(journal, job, err)) && job->count > 0) {
		const struct order *orders = job->rows;

		for (size_t i = 0; i < job->count; i++)
			fn(arg, &orders[i]);
		STR_SET(job->orders.before, orders[job->count - 1].terms.order_id);
	}
	journal_job_destroy(job);
	return is_done;
}

bool journal_load_tokens(struct journal *journal,
			 void (*fn)(void *arg, const struct journal_token *token), void *arg,
			 struct err *err)
{
	struct journal_job *job = journal_job_create(JOB_TOKENS);
	bool is_done = ask_now(journal, job, err);
	const struct journal_token *tokens = job->rows;

	for (size_t i = 0; i < job->count; i++)
		fn(arg, &tokens[i]);
	journal_job_destroy(job);
	return is_done;
}

bool journal_load_setting(struct journal *journal, const char *name, char **value, struct err *err)
{
	struct journal_job *job = journal_job_create(JOB_SETTING);
	bool is_done;

	STR_SET(job->name, name);
	is_done = ask_now(journal, job, err);
	*value = job->text;
	job->text = NULL;
	journal_job_destroy(job);
	return is_done;
}

bool journal_load_fills(struct journal *journal, const char *order_id,
			void (*fn)(void *arg, const struct fill *fill), void *arg, struct err *err)
{
	struct journal_job *job = journal_job_create(JOB_FILLS);
	bool is_done;

	STR_SET(job->fills.order_id, order_id);
	job->fills.limit = JOURNAL_PAGE_MAX;
	while ((is_done = ask_now(journal, job, err)) && job->count > 0) {
		const struct fill *fills = job->rows;

		for (size_t i = 0; i < job->count; i++)
			fn(arg, &fills[i]);
		job->fills.after = job->numbers[job->count - 1];
	}
	journal_job_destroy(job);
	return is_done;
}

/* ---- channels -------------------------------------------------------------------------------- */

void journal_on_event(struct journal *journal, journal_event_fn *fn, void *arg)
{
	journal->listener = fn;
	journal->listener_arg = arg;
}

const char *journal_epoch(const struct journal *journal)
{
	return journal->epoch;
}

/* ---- health ------------------------------------------------------------------------------- */

void journal_status(const struct journal *journal, struct journal_status *status)
{
	struct list_node *oldest = list_first(&journal->waiting);

	*status = journal->status;
	status->waiting = journal->waiting_len;
	status->oldest_wait_ms = 0;
	if (oldest)
		status->oldest_wait_ms = mono_diff_ms(
			loop_now(journal->loop), CONTAINER_OF(oldest, struct ticket, node)->since);
}
