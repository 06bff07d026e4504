/* journal_job.h - what passes between the loop and the journal thread.
 *
 * A job goes to the thread through one queue and comes back, with its outcome in it, through the
 * queue that it names; whoever holds it owns it and all it points to. For journal*.c only. */
#ifndef SERVER_JOURNAL_JOB_H
#define SERVER_JOURNAL_JOB_H
#include "base/list.h"
#include "server/journal.h"

struct queue;

enum journal_op_kind {
	OP_ORDER,
	OP_FILL,
	OP_SUBMISSION,
	OP_BALANCE,
	OP_SETTING,
	OP_TOKEN,
	OP_CHANNEL_EVENT,
	OP_RUN,
	OP_FINDING,
};

/* One thing to be written. */
struct journal_op {
	struct list_node node;
	enum journal_op_kind kind;
	union {
		struct {
			struct order order;
			struct journal_event event;
		} order;
		struct fill fill;
		struct {
			char order_id[ORDER_ID_LEN];
			char exchange_order_id[ORDER_EXCHANGE_LEN];
			char tx_hash[65];
			int attempt;
			char *signed_hex; /* owned */
			struct wall at;
		} submission;
		struct {
			struct journal_balance balance;
			struct wall as_of;
		} balance;
		struct {
			char *name, *value; /* owned */
			struct wall at;
		} setting;
		struct journal_token token;
		struct journal_run run;
		struct journal_finding finding;
		struct {
			struct channel_event event; /* seq 0: not told, its row was there before */
			char *data;                 /* owned */
			bool follows_row;
		} channel;
	} as;
};

struct journal_write {
	struct list ops;
};

enum journal_job_kind {
	JOB_WRITE,
	JOB_ORDERS,
	JOB_FILLS,
	JOB_EVENTS,
	JOB_SUBMISSION,
	JOB_TOKENS,
	JOB_SETTING,
	JOB_CHANNEL,
	JOB_BALANCES,
	JOB_UNBOOKED,
	JOB_FINDINGS,
	JOB_HEALTH, /* comes unasked, after each batch and ahead of its answers */
};

struct journal_job {
	struct list_node node;
	enum journal_job_kind kind;
	struct queue *answers; /* where it goes when it is done */
	void *ticket;          /* the asker's own; the thread does not touch it */

	/* The question. */
	enum journal_kind write_kind;
	struct journal_write *write; /* owned */
	struct journal_order_query orders;
	bool is_oldest_first; /* orders: page upwards from orders.before instead */
	struct journal_fill_query fills;
	char order_id[ORDER_ID_LEN];
	char exchange_order_id[ORDER_EXCHANGE_LEN];
	char name[64]; /* of a setting */
	struct channel_view view;
	char **ids; /* of executions; owned, as is each */
	size_t id_count;
	int64_t after;
	unsigned limit;

	/* The answer. */
	bool has_failed;
	struct err err;
	void *rows;         /* of the kind asked for; owned */
	int64_t *numbers;   /* of fills; owned */
	struct wall *times; /* of balances, or of a submission; owned */
	char **texts;       /* what the rows of a channel borrow; owned, as is each */
	char *text;         /* owned; NULL: no row */
	size_t count;
	bool is_taken;                /* of a submission */
	uint64_t last, pruned;        /* of a channel */
	struct journal_status status; /* JOB_HEALTH; waiting and oldest_wait_ms are the loop's */
};

struct journal_job *journal_job_create(enum journal_job_kind kind);
void journal_job_destroy(struct journal_job *job); /* NULL is fine */
void journal_job_clear(struct journal_job *job);   /* forgets the answer */
bool journal_job_fail(struct journal_job *job,
		      const struct err *err); /* always true: it is answered */
#endif
