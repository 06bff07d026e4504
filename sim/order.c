#include "sim/order.h"

#include <string.h>

#include "base/mem.h"

static const char *const status_names[ORDER_STATUS_COUNT] = {
#define X(name, word) [ORDER_##name] = word,
	ORDER_STATUSES(X)
#undef X
};

const char *order_status_name(enum order_status status)
{
	return status_names[status];
}

bool order_status_parse(const char *word, enum order_status *status)
{
	for (int i = 0; i < ORDER_STATUS_COUNT; i++)
		if (strcmp(status_names[i], word) == 0) {
			*status = (enum order_status)i;
			return true;
		}
	return false;
}

bool order_is_final(const struct order *order)
{
	return order->status == ORDER_CLOSED || order->status == ORDER_CANCELLED ||
	       order->status == ORDER_FAILED;
}

int64_t order_rest_units(const struct order *order)
{
	return order->base_units - order->executed_base_units;
}

int64_t order_average_price(const struct order *order)
{
	if (order->executed_base_units == 0)
		return 0;
	return (int64_t)((int128)order->told_quote_units * PRICE_ONE / order->executed_base_units);
}

const struct asset *order_pays(const struct order *order)
{
	return order->side == SIDE_BUY ? order->pair->quote : order->pair->base;
}

const struct asset *order_receives(const struct order *order)
{
	return order->side == SIDE_BUY ? order->pair->base : order->pair->quote;
}

void order_destroy(struct order *order)
{
	struct list_node *node;

	if (!order)
		return;
	while ((node = list_pop_front(&order->executions))) {
		struct execution *fill = CONTAINER_OF(node, struct execution, of_order);

		list_remove(&fill->of_account);
		list_remove(&fill->of_exchange);
		mem_free(fill);
	}
	list_remove(&order->node);
	list_remove(&order->on_book);
	list_remove(&order->on_due);
	mem_free(order->tx);
	mem_free(order);
}
