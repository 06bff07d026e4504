#include "server/order_pages.h"

#include "base/crash_point.h"
#include "base/mem.h"
#include "net/loop.h"
#include "server/scheduler.h"
#include "server/venue.h"

#define PAGE_LIMIT 250
#define PAGES_MAX  1000 /* of the exchange */

struct order_pages {
	struct order_pages_config config;
	char symbol[DD_SYMBOL_LEN];
	struct dd_page page;
	struct ticket ticket;
	bool is_in_flight, is_abandoned;
};

static void pages_free(struct order_pages *pages)
{
	scheduler_remove(pages->config.scheduler, &pages->ticket);
	loop_free_later(pages->config.loop, pages);
}

static void told(void *arg, const struct dd_result *result, const struct dd_order *orders,
		 size_t count, int64_t total)
{
	struct order_pages *pages = arg;
	const struct order_pages_config *config = &pages->config;
	int64_t so_far = (int64_t)(pages->page.page - 1) * PAGE_LIMIT + (int64_t)count;

	CRASH_POINT("pages.answered");
	venue_note(config->venue, result, true);
	if (result->class_ == DD_CLASS_RATE)
		scheduler_slow_down(config->scheduler, result->retry_after_ms);
	pages->is_in_flight = false;
	if (!pages->is_abandoned && result->verdict == DD_DONE)
		config->page(config->arg, orders, count);
	if (!pages->is_abandoned && result->verdict == DD_DONE && count > 0 && so_far < total &&
	    pages->page.page < config->pages_max) {
		pages->page.page++;
		scheduler_add(config->scheduler, &pages->ticket);
		return;
	}
	if (!pages->is_abandoned)
		config->done(config->arg, result->verdict == DD_DONE ? NULL : &result->err);
	pages_free(pages);
}

static void ask(void *arg)
{
	struct order_pages *pages = arg;
	const struct order_pages_config *config = &pages->config;

	CRASH_POINT("pages.before");
	CRASH_POINT_LEFT("pages.left");
	pages->is_in_flight = true;
	if (config->list == ORDER_LIST_OPEN)
		dd_open_orders_get(config->exchange, pages->symbol, pages->page, told, pages);
	else
		dd_trade_orders_get(config->exchange, pages->symbol, pages->page, told, pages);
}

struct order_pages *order_pages_create(const struct order_pages_config *config)
{
	struct order_pages *pages = mem_alloc(sizeof(*pages));

	pages->config = *config;
	STR_SET(pages->symbol, config->symbol);
	if (config->pages_max == 0)
		pages->config.pages_max = PAGES_MAX;
	pages->page = (struct dd_page){ .limit = PAGE_LIMIT, .page = 1 };
	pages->ticket = (struct ticket){
		.lane = LANE_READ, .token_id = "", .weight = 1, .go = ask, .arg = pages
	};
	scheduler_add(config->scheduler, &pages->ticket);
	return pages;
}

void order_pages_abandon(struct order_pages *pages)
{
	if (!pages || pages->is_abandoned)
		return;
	pages->is_abandoned = true;
	if (!pages->is_in_flight)
		pages_free(pages);
}
