/* orders.h - every order in memory: look-up, idempotency, ownership, open count; and the one way
 * in which an order's change is written down.
 *
 * Orders that are not final are always here, final ones for a while; the rest is in the journal.
 * A change is made by orders_step() or orders_book() and then handed to orders_record(), which
 * journals it and, once it is durable, tells the listener (who answers the apps that wait). With
 * the row goes an event of the channel `orders`, whenever there is something new to tell.
 * Whatever works on an order over several turns holds a pin meanwhile. Loop thread only. */
#ifndef SERVER_ORDERS_H
#define SERVER_ORDERS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "server/denial.h"
#include "server/event.h"
#include "server/journal.h"
#include "server/order.h"

struct loop;
struct map;
struct orders;
struct place_job;
struct settle_job;
struct cancel_job;
struct check_job;

struct tracked {
	struct order order;
	int weight;              /* of its app, for the scheduler */
	struct list waiters;     /* api_orders.c: HTTP requests that wait for news */
	struct map *booked;      /* execution ids already booked; NULL while there are none */
	struct place_job *place; /* each at most one, owned by its module; NULL when idle */
	struct settle_job *settle;
	struct cancel_job *cancel;
	struct check_job *check;
	unsigned swept;          /* check.c: number of the last sweep that saw it */
	bool is_followed;        /* check.c: it asked for the order once it was live */
	struct wall told_at;     /* feed.c: the exchange's own time of its newest stream message */
	bool has_unknown_status; /* feed.c: so says the exchange, and it was told */
	bool is_seen_live;    /* feed.c: by the exchange's word, other than to the submit itself */
	struct denial denial; /* the exchange took it and does not know it now */
	bool is_denial_told;  /* look.c: that the exchange does */
	bool was_unknown;     /* reconcile.c: its fate was, as the journal has it */
	bool is_expired;      /* settle.c: 4300 was said to a submit of its latest build */
	bool is_resumed;      /* recover.c: to be queued once the daemon can trade */
	struct mono changed;  /* when it was last recorded */
	int writing;          /* records of it that are not durable yet */
	/* private to orders.c */
	struct list_node node;
	int pins;
	uint64_t told; /* event_order_digest() of what was last told; 0: nothing yet */
	enum order_state told_state;
	int intents; /* records that may yet fail */
	bool is_listed_final;
};

struct orders *orders_create(struct loop *loop, struct journal *journal); /* borrows both */
void orders_destroy(struct orders *orders);

/* written: the order as the journal now has it, which tracked may already have left behind. */
typedef void orders_changed_fn(void *arg, struct tracked *tracked, const struct order *written);
/* One more listener; they are told in the order in which they came. */
void orders_on_change(struct orders *orders, orders_changed_fn *fn, void *arg);

/* Each execution of an order of ours, as it is booked. One listener. */
typedef void orders_booked_fn(void *arg, const struct fill *fill);
void orders_on_booked(struct orders *orders, orders_booked_fn *fn, void *arg);

/* Copies the order; it must not be tracked yet. */
struct tracked *orders_add(struct orders *orders, const struct order *order, int weight);
/* Forgets an order whose acceptance could not be journalled. Nobody else may hold it. */
void orders_mark_told(struct tracked *tracked); /* as it is: it comes from the journal */
void orders_forget(struct orders *orders, struct tracked *tracked);
void orders_pin(struct tracked *tracked);
void orders_unpin(struct orders *orders, struct tracked *tracked); /* may free a final one, later */

struct tracked *orders_find(const struct orders *orders, const char *order_id);
struct tracked *orders_find_client(const struct orders *orders, const char *token_id,
				   const char *client_order_id);
struct tracked *orders_find_exchange(const struct orders *orders, const char *exchange_order_id);
/* The id of a (new) build; an earlier build's id finds nothing any more. */
void orders_set_exchange_id(struct orders *orders, struct tracked *tracked,
			    const char *exchange_order_id);

/* Not final: all, or one token's. */
size_t orders_open_count(const struct orders *orders, const char *token_id);
size_t orders_count_state(const struct orders *orders, enum order_state state);
/* Every order that is not final, oldest first. fn may change orders, not add or remove any. */
void orders_each(struct orders *orders, void (*fn)(void *arg, struct tracked *tracked), void *arg);
/* As above, and the final ones still in memory. */
void orders_each_tracked(struct orders *orders, void (*fn)(void *arg, struct tracked *tracked),
			 void *arg);

/* Writes tracked->order as it stands, with one line of history. write: further rows to become
 * durable with it (taken), or NULL. done: may be NULL; comes before the listener. An intent that
 * fails is not told to the listener. Stamps facts.updated_at. */
void orders_record(struct orders *orders, struct tracked *tracked, const struct journal_step *step,
		   struct journal_write *write, enum journal_kind kind, journal_done_fn *done,
		   void *arg);
/* A line of history of its own in a write that is then handed to orders_record(); its event comes
 * after those that the write has already. */
void orders_write(struct tracked *tracked, const struct journal_step *step,
		  struct journal_write *write);
/* Tells of an order on the channel `system`. text: one sentence. */
void orders_tell(struct orders *orders, const struct tracked *tracked, enum system_event event,
		 const char *text);
/* order_step() that keeps the counts right; an illegal move is logged and changes nothing. */
bool orders_step(struct orders *orders, struct tracked *tracked, enum order_event event);
/* order_book_fill() likewise, and remembers the execution id. */
bool orders_book(struct orders *orders, struct tracked *tracked, const struct fill *fill);
/* orders_step() and orders_record() of a fact in one; step->event NULL: the event's own name. */
bool orders_move(struct orders *orders, struct tracked *tracked, enum order_event event,
		 const struct journal_step *step);
bool orders_has_booked(const struct tracked *tracked, const char *execution_id);
void orders_mark_booked(struct tracked *tracked, const char *execution_id);
#endif
