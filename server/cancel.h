/* cancel.h - takes one live order off the book, and finds out whether that worked.
 *
 * A cancel needs no signature and is harmless to repeat. The exchange's yes means "accepted":
 * the order is then asked for until it is final, and a fill that overtook the cancel wins. "Not
 * found", "not open" and "state invalid" (4200 to 4202) are answers: the order is asked for. While
 * the exchange denies an order that it took, only asking goes on, and denial.h says how that ends.
 * Loop thread only. */
#ifndef SERVER_CANCEL_H
#define SERVER_CANCEL_H
#include <stdbool.h>

#include "server/orders.h"

struct cancel;
struct dd_client;
struct loop;
struct scheduler;
struct venue;

struct cancel *cancel_create(struct loop *loop, struct dd_client *exchange,
			     struct scheduler *scheduler, struct orders *orders,
			     struct venue *venue); /* borrows all */
void cancel_destroy(struct cancel *cancel);

/* The order is OPEN or PARTIALLY_FILLED, or may come to be: it is marked, which is journalled
 * with step (who asked), and cancelled as soon as it is known to be live. A second call while
 * one is under way does nothing. */
void cancel_start(struct cancel *cancel, struct tracked *tracked, const struct journal_step *step);
/* An order has become live: cancels it if its app asked for that before. */
void cancel_if_asked(struct cancel *cancel, struct tracked *tracked);
#endif
