#include "server/latest.h"

#include <string.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

struct page {
	struct list_node node;
	char symbol[ORDER_SYMBOL_LEN];
	struct dd_execution *executions;
	size_t count;
	struct map *by_id;
	struct wall oldest;
	bool is_sorted;
};

struct latest {
	struct list pages, done;
	struct page *page; /* that was asked about last; among the done */
};

struct latest *latest_create(void)
{
	struct latest *latest = mem_alloc(sizeof(*latest));

	list_init(&latest->pages);
	list_init(&latest->done);
	return latest;
}

static void free_pages(struct list *pages)
{
	struct list_node *node;

	while ((node = list_pop_front(pages))) {
		struct page *page = CONTAINER_OF(node, struct page, node);

		map_destroy(page->by_id);
		mem_free(page->executions);
		mem_free(page);
	}
}

void latest_clear(struct latest *latest)
{
	free_pages(&latest->pages);
	free_pages(&latest->done);
	latest->page = NULL;
}

void latest_destroy(struct latest *latest)
{
	if (!latest)
		return;
	latest_clear(latest);
	mem_free(latest);
}

static bool has_page(const struct latest *latest, const char *symbol)
{
	LIST_EACH (&latest->pages, node)
		if (strcmp(CONTAINER_OF(node, struct page, node)->symbol, symbol) == 0)
			return true;
	return false;
}

void latest_take(struct latest *latest, const char *symbol, const struct dd_execution *executions,
		 size_t count)
{
	struct page *page;

	if (count == 0 || has_page(latest, symbol))
		return;
	page = mem_alloc(sizeof(*page));
	STR_SET(page->symbol, symbol);
	page->executions = mem_array(count, sizeof(*executions));
	page->count = count;
	page->by_id = map_create();
	page->is_sorted = true;
	page->oldest = executions[count - 1].created_at;
	for (size_t i = 0; i < count; i++) {
		page->executions[i] = executions[i];
		map_put(page->by_id, executions[i].id, &page->executions[i]);
		page->is_sorted &=
			i == 0 || executions[i].created_at.us <= executions[i - 1].created_at.us;
	}
	list_push_back(&latest->pages, &page->node);
}

bool latest_next(struct latest *latest, struct journal_fill_query *query)
{
	struct list_node *node = list_pop_front(&latest->pages);

	latest->page = NULL;
	if (!node)
		return false;
	latest->page = CONTAINER_OF(node, struct page, node);
	list_push_back(&latest->done, node);
	*query = (struct journal_fill_query){ .since = latest->page->oldest,
					      .newest_first = true,
					      .limit = JOURNAL_PAGE_MAX };
	STR_SET(query->symbol, latest->page->symbol);
	return true;
}

void latest_compare(const struct latest *latest, const struct fill *fills, size_t count,
		    struct wall begun,
		    void (*differs)(void *arg, const struct fill *fill,
				    const struct difference *difference),
		    void *arg)
{
	const struct page *page = latest->page;

	for (size_t i = 0; i < count; i++) {
		const struct dd_execution *seen = map_get(page->by_id, fills[i].execution_id);
		bool must_be_there = page->is_sorted && fills[i].executed_at.us > page->oldest.us &&
				     fills[i].booked_at.us < begun.us;
		struct difference difference;

		if ((seen || must_be_there) && compare_fill(&fills[i], seen, &difference))
			differs(arg, &fills[i], &difference);
	}
}
