/* order_pages.h - one symbol's orders as the exchange lists them, page by page, on the reads'
 * budget. Loop thread only. */
#ifndef SERVER_ORDER_PAGES_H
#define SERVER_ORDER_PAGES_H
#include "client/deltadefi.h"

struct loop;
struct order_pages;
struct scheduler;
struct venue;

enum order_list { ORDER_LIST_OPEN, ORDER_LIST_TRADED };

struct order_pages_config {
	struct loop *loop; /* all borrowed */
	struct dd_client *exchange;
	struct scheduler *scheduler;
	struct venue *venue;
	enum order_list list;
	const char *symbol; /* copied */
	unsigned pages_max; /* 0: all there are */
	void (*page)(void *arg, const struct dd_order *orders, size_t count);
	/* The last page was told, or one could not be had (err). It is gone then. */
	void (*done)(void *arg, const struct err *err);
	void *arg;
};
/* Begins; nothing is called within this call. */
struct order_pages *order_pages_create(const struct order_pages_config *config);
void order_pages_abandon(struct order_pages *pages); /* nothing is called any more; NULL is fine */
#endif
