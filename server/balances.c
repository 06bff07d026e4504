#include "server/balances.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"

#define ASSETS_MAX 1000

void balances_fini(struct balances *balances)
{
	mem_free(balances->items);
	*balances = (struct balances){ 0 };
}

void balances_set(struct balances *balances, const struct dd_balance *items, size_t count)
{
	struct dd_balance *copy = mem_array(count, sizeof(*items));

	if (count > 0)
		memcpy(copy, items, count * sizeof(*items));
	mem_free(balances->items);
	balances->items = copy;
	balances->count = count;
}

static bool is_same_asset(const struct dd_balance *a, const struct dd_balance *b)
{
	return strcasecmp(a->asset, b->asset) == 0 ||
	       (a->unit[0] != '\0' && strcmp(a->unit, b->unit) == 0);
}

static struct dd_balance *find(const struct balances *balances, const struct dd_balance *wanted)
{
	for (size_t i = 0; i < balances->count; i++)
		if (is_same_asset(&balances->items[i], wanted))
			return &balances->items[i];
	return NULL;
}

void balances_merge(struct balances *balances, const struct dd_balance *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct dd_balance *known = find(balances, &items[i]);

		if (known) {
			known->free = items[i].free;
			known->locked = items[i].locked;
			continue;
		}
		if (balances->count >= ASSETS_MAX)
			continue;
		balances->items =
			mem_grow(balances->items, (balances->count + 1) * sizeof(*balances->items));
		balances->items[balances->count++] = items[i];
	}
}

void balances_add_gone(struct balances *balances, const struct balances *before)
{
	for (size_t i = 0; i < before->count; i++) {
		struct dd_balance gone = before->items[i];

		gone.free = gone.locked = DECIMAL_ZERO;
		if (!find(balances, &gone))
			balances_merge(balances, &gone, 1);
	}
}

static bool is_same(const struct dd_balance *a, const struct dd_balance *b)
{
	return strcmp(a->asset, b->asset) == 0 && strcmp(a->unit, b->unit) == 0 &&
	       decimal_cmp(a->free, b->free) == 0 && decimal_cmp(a->locked, b->locked) == 0;
}

bool balances_are_same(const struct balances *balances, const struct dd_balance *items,
		       size_t count)
{
	bool is_equal = count == balances->count;

	for (size_t i = 0; is_equal && i < count; i++)
		is_equal = is_same(&items[i], &balances->items[i]);
	return is_equal;
}
