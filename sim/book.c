#include "sim/book.h"

#include "sim/order.h"

static struct order *order_at(struct list_node *node)
{
	return CONTAINER_OF(node, struct order, on_book);
}

static enum side other(enum side side)
{
	return side == SIDE_BUY ? SIDE_SELL : SIDE_BUY;
}

void book_init(struct book *book)
{
	list_init(&book->sides[SIDE_BUY]);
	list_init(&book->sides[SIDE_SELL]);
}

static bool is_better(enum side side, int64_t price, int64_t than)
{
	return side == SIDE_BUY ? price > than : price < than;
}

void book_add(struct book *book, struct order *order)
{
	struct list *side = &book->sides[order->side];

	LIST_EACH (side, node) {
		if (is_better(order->side, order->price, order_at(node)->price)) {
			list_insert_before(node, &order->on_book);
			return;
		}
	}
	list_push_back(side, &order->on_book);
}

void book_remove(struct order *order)
{
	list_remove(&order->on_book);
}

struct order *book_best(const struct book *book, enum side side)
{
	struct list_node *node = list_first(&book->sides[side]);

	return node ? order_at(node) : NULL;
}

struct order *book_next(const struct book *book, const struct order *order)
{
	struct list_node *next = order->on_book.next;

	return next == &book->sides[order->side].head ? NULL : order_at(next);
}

bool price_is_within(enum side side, int64_t price, int64_t bound)
{
	return bound == 0 || !is_better(side, price, bound);
}

bool book_crosses(const struct book *book, enum side side, int64_t bound)
{
	const struct order *best = book_best(book, other(side));

	return best && price_is_within(side, best->price, bound);
}

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

bool book_reach(const struct book *book, enum side side, int64_t bound, int64_t base_max,
		int64_t quote_max, int64_t step, int64_t *base_units, int64_t *quote_units)
{
	*base_units = *quote_units = 0;
	for (const struct order *rest = book_best(book, other(side));
	     rest && price_is_within(side, rest->price, bound); rest = book_next(book, rest)) {
		int64_t wanted = smaller(
			base_max - *base_units,
			round_down_to(base_units_of(quote_max - *quote_units, rest->price), step));
		int64_t taken = smaller(wanted, order_rest_units(rest));

		*base_units += taken;
		*quote_units += quote_units_of(taken, rest->price);
		if (taken == wanted)
			return true;
	}
	return false;
}

void book_each_level(const struct book *book, enum side side,
		     bool (*fn)(void *arg, const struct book_level *level), void *arg)
{
	const struct order *order = book_best(book, side);

	while (order) {
		struct book_level level = { .price = order->price };

		while (order && order->price == level.price) {
			level.base_units += order_rest_units(order);
			level.orders++;
			order = book_next(book, order);
		}
		if (!fn(arg, &level))
			return;
	}
}
