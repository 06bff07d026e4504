#include "server/journal_job.h"

#include "base/mem.h"

struct journal_write *journal_write_create(void)
{
	struct journal_write *write = mem_alloc(sizeof(*write));

	list_init(&write->ops);
	return write;
}

static void op_destroy(struct journal_op *op)
{
	if (op->kind == OP_SUBMISSION)
		mem_free(op->as.submission.signed_hex);
	if (op->kind == OP_SETTING) {
		mem_free(op->as.setting.name);
		mem_free(op->as.setting.value);
	}
	if (op->kind == OP_CHANNEL_EVENT)
		mem_free(op->as.channel.data);
	mem_free(op);
}

void journal_write_destroy(struct journal_write *write)
{
	if (!write)
		return;
	LIST_EACH_SAFE (&write->ops, node)
		op_destroy(CONTAINER_OF(node, struct journal_op, node));
	mem_free(write);
}

static struct journal_op *op_add(struct journal_write *write, enum journal_op_kind kind)
{
	struct journal_op *op = mem_alloc(sizeof(*op));

	op->kind = kind;
	list_push_back(&write->ops, &op->node);
	return op;
}

/* A fact is not lost for want of a time. */
static struct wall time_or_now(struct wall time)
{
	return time.us ? time : wall_now();
}

static void set_event(struct journal_event *event, const struct order *order,
		      const struct journal_step *step)
{
	STR_SET(event->order_id, order->terms.order_id);
	event->at = order->facts.updated_at;
	event->state = order->facts.state;
	STR_SET(event->event, step->event ? step->event : "");
	STR_SET(event->cause, step->cause ? step->cause : "");
	STR_SET(event->request_id, step->request_id ? step->request_id : "");
	STR_SET(event->token_id, step->token_id ? step->token_id : "");
	STR_SET(event->exchange_order_id, order->facts.exchange_order_id);
	event->http_status = step->http_status;
	event->exchange_code = step->exchange_code;
	STR_SET(event->detail, step->detail ? step->detail : "");
}

void journal_write_order(struct journal_write *write, const struct order *order,
			 const struct journal_step *step)
{
	struct journal_op *op = op_add(write, OP_ORDER);
	struct order *copy = &op->as.order.order;

	*copy = *order;
	copy->terms.created_at = time_or_now(order->terms.created_at);
	copy->facts.updated_at = time_or_now(order->facts.updated_at);
	set_event(&op->as.order.event, copy, step);
}

void journal_write_fill(struct journal_write *write, const struct fill *fill)
{
	struct fill *copy = &op_add(write, OP_FILL)->as.fill;

	*copy = *fill;
	copy->booked_at = time_or_now(fill->booked_at);
	if (!copy->executed_at.us)
		copy->executed_at = copy->booked_at;
}

void journal_write_submission(struct journal_write *write, const struct order *order,
			      const char *signed_hex)
{
	struct journal_op *op = op_add(write, OP_SUBMISSION);

	STR_SET(op->as.submission.order_id, order->terms.order_id);
	STR_SET(op->as.submission.exchange_order_id, order->facts.exchange_order_id);
	STR_SET(op->as.submission.tx_hash, order->facts.tx_hash);
	op->as.submission.attempt = order->facts.attempt;
	op->as.submission.signed_hex = mem_strdup(signed_hex);
	op->as.submission.at = time_or_now(order->facts.updated_at);
}

void journal_write_balances(struct journal_write *write, const struct journal_balance *balances,
			    size_t count, struct wall as_of)
{
	for (size_t i = 0; i < count; i++) {
		struct journal_op *op = op_add(write, OP_BALANCE);

		op->as.balance.balance = balances[i];
		op->as.balance.as_of = time_or_now(as_of);
	}
}

void journal_write_setting(struct journal_write *write, const char *name, const char *value)
{
	struct journal_op *op = op_add(write, OP_SETTING);

	op->as.setting.name = mem_strdup(name);
	op->as.setting.value = mem_strdup(value);
	op->as.setting.at = wall_now();
}

void journal_write_token(struct journal_write *write, const struct journal_token *token)
{
	struct journal_token *copy = &op_add(write, OP_TOKEN)->as.token;

	*copy = *token;
	copy->created_at = time_or_now(token->created_at);
}

void journal_write_event(struct journal_write *write, const struct channel_event *event,
			 bool follows_row)
{
	struct journal_op *op = op_add(write, OP_CHANNEL_EVENT);
	struct channel_event *copy = &op->as.channel.event;

	op->as.channel.data = mem_strdup(event->data);
	op->as.channel.follows_row = follows_row;
	*copy = *event;
	copy->seq = 0;
	copy->at = time_or_now(event->at);
	copy->data = op->as.channel.data;
}

void journal_write_run(struct journal_write *write, const struct journal_run *run)
{
	op_add(write, OP_RUN)->as.run = *run;
}

void journal_write_finding(struct journal_write *write, const struct journal_finding *finding)
{
	op_add(write, OP_FINDING)->as.finding = *finding;
}

/* ---- jobs ------------------------------------------------------------------------------ */

struct journal_job *journal_job_create(enum journal_job_kind kind)
{
	struct journal_job *job = mem_alloc(sizeof(*job));

	job->kind = kind;
	list_node_init(&job->node);
	return job;
}

void journal_job_clear(struct journal_job *job)
{
	for (size_t i = 0; job->texts && i < job->count; i++)
		mem_free(job->texts[i]);
	mem_free(job->texts);
	mem_free(job->rows);
	mem_free(job->numbers);
	mem_free(job->times);
	mem_free(job->text);
	job->rows = NULL;
	job->numbers = NULL;
	job->times = NULL;
	job->texts = NULL;
	job->text = NULL;
	job->count = 0;
	job->last = job->pruned = 0;
	job->has_failed = false;
}

bool journal_job_fail(struct journal_job *job, const struct err *err)
{
	journal_job_clear(job);
	job->has_failed = true;
	job->err = *err;
	return true;
}

void journal_job_destroy(struct journal_job *job)
{
	if (!job)
		return;
	journal_job_clear(job);
	journal_write_destroy(job->write);
	for (size_t i = 0; i < job->id_count; i++)
		mem_free(job->ids[i]);
	mem_free(job->ids);
	mem_free(job);
}
