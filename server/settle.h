/* settle.h - asks what became of orders whose submit has no certain outcome.
 *
 * By the exchange's order id, at 0.3, 1, 2, 5, 10, 10 ... seconds, for as long as it takes. The
 * very same signed bytes are sent again only while the order's valid_until has not passed, only
 * for give_up_ms after they were signed, and only after the exchange has not known the order as
 * live for resubmit_ms; they spend the same input, so they cannot place it twice. An order the
 * exchange does not know becomes FAILED only after give_up_ms, which is longer than a built
 * transaction can live. 4300 and, asked, no live order licenses one rebuild, or FAILED; not so
 * after 4302 or a yes, which mean that an earlier submit got through.
 *
 * That the exchange does not know an order may be its own lag: it leads to nothing before it was
 * said twice, a second apart. While an order is in doubt, `order.unknown` says so on the channel
 * `system`, with the reason and the time of the next question: when it begins, when the reason is
 * another one (5 s later at the earliest), and once a minute. Loop thread only. */
#ifndef SERVER_SETTLE_H
#define SERVER_SETTLE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/deltadefi.h"
#include "server/orders.h"

struct loop;
struct scheduler;
struct settle;
struct venue;

struct settle_config {
	int64_t resubmit_ms;
	int64_t give_up_ms;
};

struct settle *settle_create(struct loop *loop, const struct settle_config *config,
			     struct dd_client *exchange, struct scheduler *scheduler,
			     struct orders *orders, struct venue *venue,
			     struct journal *journal); /* borrows all */
/* Who builds an order anew after a proven expiry; it is BUILDING then. Before the first order. */
void settle_on_expiry(struct settle *settle, void (*rebuild)(void *arg, struct tracked *tracked),
		      void *arg);
void settle_destroy(struct settle *settle);

/* The order is SUBMITTING or UNKNOWN and its fate is open. said: class of the answer to the submit,
 * DD_CLASS_NONE after a restart. Once settled, live orders are left to check.h. */
void settle_start(struct settle *settle, struct tracked *tracked, enum dd_class said,
		  const char *reason);

struct settle_status {
	bool is_active;
	int asked;          /* times the exchange was asked */
	struct wall since;  /* in doubt; or denied, for an order that was live */
	struct wall next;   /* when it will be asked again */
	const char *reason; /* why it is still open; borrowed */
};
/* Of an order in doubt, or of a live one that the exchange denies (denial.h). */
void settle_status(const struct tracked *tracked, struct settle_status *status);
/* Orders that were never asked about with a definite answer: while there are any after a
 * restart, no new order is taken. */
size_t settle_unexplained(const struct settle *settle);
#endif
