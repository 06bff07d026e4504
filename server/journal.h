/* journal.h - the journal as the loop sees it: append now, acknowledged later, in order.
 *
 * SQLite, owned by the journal thread (journal_db.c). A write is a handful of rows that become
 * durable together or not at all; its acknowledgement comes on the loop thread after the commit,
 * in the order of the appends. Queries go through the same queue and see every write appended
 * before them; while the disk refuses they see what is durable.
 *
 * Two kinds of write. An INTENT (an order accepted, signed bytes about to be submitted) may
 * fail: its acknowledgement then carries the error and nothing of it was kept; the caller does
 * not go on. A FACT (an outcome, a fill) is never given up: while the disk refuses, it stays in
 * the queue, in order, and is tried again every second until it is written; meanwhile intents
 * fail at once with ERR_JOURNAL and journal_status() says why. Room on the disk for what becomes
 * of an order is held before its acceptance is written (journal_room.h): where that fails, new
 * intents do, while facts and signed bytes of orders accepted before are still written.
 *
 * Loop thread only, apart from the journal thread behind it. */
#ifndef SERVER_JOURNAL_H
#define SERVER_JOURNAL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "server/order.h"

struct journal;
struct journal_write;
struct loop;

struct journal_config {
	const char *path;    /* "<data-dir>/journal.db" */
	const char *network; /* recorded at first use; another one is ERR_ACCOUNT, naming both */
	size_t queue_max;    /* writes waiting; more intents are refused */
	size_t events_kept;  /* channel events kept for resuming; 0: all */
};

/* Opens or makes the database, locks it against a second daemon (a lock file beside it), applies
 * migrations, starts the thread. Blocks; called before the loop runs. ERR_JOURNAL with the
 * reason: newer journal, corrupt, locked, unwritable. */
MUST_CHECK bool journal_open(struct loop *loop, const struct journal_config *config,
			     struct journal **result, struct err *err);
/* Writes everything that waits, checkpoints, closes. Blocks; acknowledgements are delivered
 * before it returns. False when facts could not be written: *lost says how many. */
bool journal_close(struct journal *journal, size_t *lost);

/* ---- writing -------------------------------------------------------------------------- */

/* Why an order was written: one line of its history. NULL and 0 for what does not apply. */
struct journal_step {
	const char *event; /* order_event_name(), or "accepted", "cancel_requested", ... */
	const char *cause; /* who or what: "app", "exchange", "poll", "recovery", ... */
	const char *request_id;
	const char *token_id; /* who asked, for what an app asked for */
	int http_status;      /* of the exchange's answer */
	int exchange_code;
	const char *detail; /* bounded text; never a secret */
};

struct journal_write *journal_write_create(void);
void journal_write_destroy(struct journal_write *write); /* only one that was never appended */
/* The order's row as it is now (inserted or replaced) and a line of history. Copies. */
void journal_write_order(struct journal_write *write, const struct order *order,
			 const struct journal_step *step);
/* A second booking of an execution id makes no second row and is no error. */
void journal_write_fill(struct journal_write *write, const struct fill *fill);
/* The signed bytes, kept for ever, one row for each build that was signed. */
void journal_write_submission(struct journal_write *write, const struct order *order,
			      const char *signed_hex);
struct journal_balance {
	char asset[24];
	char unit[ORDER_UNIT_LEN];
	struct decimal free, locked;
};
void journal_write_balances(struct journal_write *write, const struct journal_balance *balances,
			    size_t count, struct wall as_of); /* only what changed makes a row */
void journal_write_setting(struct journal_write *write, const char *name, const char *value);

struct journal_token {
	char token_id[TOKEN_ID_LEN];
	char name[TOKEN_NAME_LEN];
	char hash[65];     /* hex of the keyed hash of the secret */
	uint32_t scopes;   /* bits of auth.h */
	char symbols[256]; /* "ADAUSDM,NIGHTUSDM"; "" for all */
	bool has_max_order_value;
	struct decimal max_order_value;                 /* in quote units */
	int max_open_orders;                            /* 0: no limit of its own */
	int weight;                                     /* share of the rate, 1 and up */
	struct wall created_at, expires_at, revoked_at; /* 0: not */
};
void journal_write_token(struct journal_write *write, const struct journal_token *token);

/* One run of reconcile.c, or a few clean ones in a row: those go into one row, which is then moved
 * on by later clean ones. */
struct journal_run {
	struct wall began_at, ended_at;
	int runs; /* 1 and up */
	bool is_demanded;
	size_t orders, executions, assets; /* compared */
	size_t findings;
};
void journal_write_run(struct journal_write *write, const struct journal_run *run);
#define JOURNAL_EVIDENCE_LEN 160
struct journal_finding {
	int64_t finding_id; /* given as it becomes durable */
	struct wall at;
	char class_[ORDER_WORD_LEN];
	char about[ORDER_UNIT_LEN];  /* an order's id, the exchange's, an execution's, an asset */
	char order_id[ORDER_ID_LEN]; /* "" for what belongs to no order of ours */
	char exchange_order_id[ORDER_EXCHANGE_LEN];
	char symbol[ORDER_SYMBOL_LEN];
	char journal[JOURNAL_EVIDENCE_LEN], exchange[JOURNAL_EVIDENCE_LEN]; /* what each said */
	char action[ORDER_WORD_LEN];
};
/* Of the run that was written last, after it in the same write. */
void journal_write_finding(struct journal_write *write, const struct journal_finding *finding);

/* What the lossless channels tell: durable together with the row it tells of, numbered in the
 * order of the appends over all channels, never twice; what fails takes no number. Kept for
 * resuming until journal_config.events_kept newer ones exist, and somewhat longer. */
#define CHANNELS(X)                \
	X(ORDERS, 1, "orders")     \
	X(FILLS, 2, "fills")       \
	X(BALANCES, 3, "balances") \
	X(SYSTEM, 4, "system")
enum channel {
#define X(name, number, word) CHANNEL_##name = (number),
	CHANNELS(X)
#undef X
};
const char *channel_word(enum channel channel);
struct channel_event {
	uint64_t seq; /* given as it becomes durable */
	enum channel channel;
	char type[ORDER_WORD_LEN];     /* "order.updated" */
	char token_id[TOKEN_ID_LEN];   /* whose; "" for what belongs to nobody */
	char symbol[ORDER_SYMBOL_LEN]; /* "" where it does not apply */
	struct wall at;
	const char *data; /* a JSON object */
};
/* Copies. follows_row: dropped if what was added to the write just before it (a fill, a balance)
 * turns out to have been there already. */
void journal_write_event(struct journal_write *write, const struct channel_event *event,
			 bool follows_row);

enum journal_kind { JOURNAL_INTENT, JOURNAL_FACT };
/* err NULL: it is durable. Otherwise nothing of the write was kept, and others were not touched:
 * ERR_ID_CONFLICT: this token used this client_order_id before (unique in the database, so it
 * holds across restarts); ERR_INTERNAL: the database's own rules refuse a row, a fact's too, as a
 * fill of an order that is not there; ERR_JOURNAL: an intent, and the disk refuses or too many
 * wait. Never called inside journal_append(). */
typedef void journal_done_fn(void *arg, const struct err *err);
/* Takes the write. done may be NULL. */
void journal_append(struct journal *journal, enum journal_kind kind, struct journal_write *write,
		    journal_done_fn *done, void *arg);

/* Each event once it is durable, in the order of their numbers, before its write's done(). One
 * listener; NULL for none. journal_close() may still tell it of some. */
typedef void journal_event_fn(void *arg, const struct channel_event *event);
void journal_on_event(struct journal *journal, journal_event_fn *fn, void *arg);

/* ---- reading -------------------------------------------------------------------------- */

#define JOURNAL_PAGE_MAX     500
#define JOURNAL_SNAPSHOT_MAX 5000 /* the same, for those who need one consistent answer */

struct journal_order_query {
	char order_id[ORDER_ID_LEN]; /* each "" or 0 when it does not matter */
	char client_order_id[ORDER_CLIENT_ID_LEN];
	char exchange_order_id[ORDER_EXCHANGE_LEN]; /* of any build of the order */
	char token_id[TOKEN_ID_LEN];
	char symbol[ORDER_SYMBOL_LEN];
	uint32_t states;           /* bit 1 << state; 0: all */
	char before[ORDER_ID_LEN]; /* newest first; page: ids below this one */
	unsigned limit;            /* 1 to JOURNAL_SNAPSHOT_MAX */
};
struct journal_fill_query {
	char order_id[ORDER_ID_LEN];
	char token_id[TOKEN_ID_LEN];
	char symbol[ORDER_SYMBOL_LEN];
	struct wall since; /* executed at or after */
	int64_t after;     /* fill number; newest last; page: numbers above this one */
	bool newest_first; /* the last ones, backwards */
	unsigned limit;
};
struct journal_event {
	int64_t event_id;
	char order_id[ORDER_ID_LEN];
	struct wall at;
	enum order_state state; /* after the step */
	char event[ORDER_WORD_LEN];
	char cause[ORDER_WORD_LEN];
	char request_id[ORDER_ID_LEN];
	char token_id[TOKEN_ID_LEN];
	char exchange_order_id[ORDER_EXCHANGE_LEN];
	int http_status;
	int exchange_code;
	char detail[192];
};

/* err is not NULL when the database could not be read; then count is 0. Rows are borrowed. */
typedef void journal_orders_fn(void *arg, const struct err *err, const struct order *orders,
			       size_t count);
typedef void journal_fills_fn(void *arg, const struct err *err, const struct fill *fills,
			      const int64_t *numbers, size_t count);
typedef void journal_events_fn(void *arg, const struct err *err, const struct journal_event *events,
			       size_t count);
typedef void journal_text_fn(void *arg, const struct err *err, const char *text); /* NULL: no row */

void journal_find_orders(struct journal *journal, const struct journal_order_query *query,
			 journal_orders_fn *done, void *arg);
void journal_find_fills(struct journal *journal, const struct journal_fill_query *query,
			journal_fills_fn *done, void *arg);
void journal_find_events(struct journal *journal, const char *order_id, int64_t after,
			 unsigned limit, journal_events_fn *done, void *arg);
/* Who may see what of a channel: "" for everything. What belongs to nobody is told to every owner
 * on the channels balances and system, and to none on orders and fills. */
struct channel_view {
	enum channel channel;
	char token_id[TOKEN_ID_LEN];
	char symbols[256]; /* as in struct journal_token; what has no symbol is seen by all */
};
bool channel_view_shows(const struct channel_view *view, const struct channel_event *event);
/* events: those above `after`, oldest first, limit at most. last: the newest number there is in
 * this view, 0 for none; pruned: the channel's events up to this number are gone. Since answers
 * come in order with the acknowledgements, `last` is exactly what the listener has seen. */
typedef void journal_channel_fn(void *arg, const struct err *err,
				const struct channel_event *events, size_t count, uint64_t last,
				uint64_t pruned);
void journal_find_channel(struct journal *journal, const struct channel_view *view, uint64_t after,
			  unsigned limit, journal_channel_fn *done, void *arg);
/* The newest row of each asset. */
typedef void journal_balances_fn(void *arg, const struct err *err,
				 const struct journal_balance *balances, const struct wall *as_of,
				 size_t count);
void journal_find_balances(struct journal *journal, journal_balances_fn *done, void *arg);
/* Which of these execution ids are not booked yet; ids are copied, what done gets is borrowed. */
typedef void journal_ids_fn(void *arg, const struct err *err, const char *const *ids, size_t count);
void journal_find_unbooked(struct journal *journal, const char *const *execution_ids, size_t count,
			   journal_ids_fn *done, void *arg);
/* The newest first. */
typedef void journal_findings_fn(void *arg, const struct err *err,
				 const struct journal_finding *findings, size_t count);
void journal_find_findings(struct journal *journal, unsigned limit, journal_findings_fn *done,
			   void *arg);
/* Made when the journal was; another one if it was lost or restored. Borrowed. */
const char *journal_epoch(const struct journal *journal);
/* The signed bytes of an order's latest submission, to be sent again as they are, and when they
 * were signed. NULL: no row. is_taken: a step of the order's history is called JOURNAL_TAKEN, so
 * the exchange once said that it has these bytes. */
#define JOURNAL_TAKEN "taken"
typedef void journal_submission_fn(void *arg, const struct err *err, const char *signed_hex,
				   struct wall signed_at, bool is_taken);
void journal_find_submission(struct journal *journal, const char *order_id,
			     const char *exchange_order_id, journal_submission_fn *done, void *arg);

/* At start, before the loop runs; blocking. Callbacks get borrowed rows. */
MUST_CHECK bool journal_load_live_orders(struct journal *journal,
					 void (*fn)(void *arg, const struct order *order),
					 void *arg,
					 struct err *err); /* every order that is not final */
MUST_CHECK bool journal_load_tokens(struct journal *journal,
				    void (*fn)(void *arg, const struct journal_token *token),
				    void *arg, struct err *err);
/* NULL in *value when unset; else mem_ allocated. */
MUST_CHECK bool journal_load_setting(struct journal *journal, const char *name, char **value,
				     struct err *err);
/* The execution ids already booked for an order, so that a fill is booked once. */
MUST_CHECK bool journal_load_fills(struct journal *journal, const char *order_id,
				   void (*fn)(void *arg, const struct fill *fill), void *arg,
				   struct err *err);

struct journal_status {
	bool is_writable;       /* false from the first failed commit to the next good one */
	bool takes_orders;      /* writable, undamaged, and with room for what becomes of more */
	char reason[192];       /* why not */
	size_t waiting;         /* writes appended and not acknowledged */
	int64_t oldest_wait_ms; /* age of the oldest of them: the journal's lag */
	uint64_t commits, writes, failures;
};
void journal_status(const struct journal *journal, struct journal_status *status);
#endif
