/* list.h - an intrusive doubly linked list; the object embeds struct list_node.
 *
 * The list never owns. A node is in one list at most; list_remove() of a node that is in none is
 * fine when it was list_node_init()ed. */
#ifndef BASE_LIST_H
#define BASE_LIST_H
#include <stdbool.h>
#include <stddef.h>

struct list_node {
	struct list_node *prev, *next;
};
struct list {
	struct list_node head;
};

#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

static inline void list_node_init(struct list_node *node)
{
	node->prev = node->next = node;
}
static inline void list_init(struct list *list)
{
	list_node_init(&list->head);
}
static inline bool list_is_empty(const struct list *list)
{
	return list->head.next == &list->head;
}
static inline bool list_has(const struct list_node *node) /* is the node in some list? */
{
	return node->next != node;
}
static inline void list_insert_before(struct list_node *at, struct list_node *node)
{
	node->prev = at->prev;
	node->next = at;
	at->prev->next = node;
	at->prev = node;
}
static inline void list_push_back(struct list *list, struct list_node *node)
{
	list_insert_before(&list->head, node);
}
static inline void list_push_front(struct list *list, struct list_node *node)
{
	list_insert_before(list->head.next, node);
}
static inline void list_remove(struct list_node *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_node_init(node);
}
static inline struct list_node *list_first(const struct list *list) /* NULL when empty */
{
	return list_is_empty(list) ? NULL : list->head.next;
}
static inline struct list_node *list_pop_front(struct list *list) /* NULL when empty */
{
	struct list_node *node = list_first(list);

	if (node)
		list_remove(node);
	return node;
}

static inline void list_move_all(struct list *from, struct list *to) /* to the back, in order */
{
	if (list_is_empty(from))
		return;
	from->head.next->prev = to->head.prev;
	to->head.prev->next = from->head.next;
	from->head.prev->next = &to->head;
	to->head.prev = from->head.prev;
	list_init(from);
}

/* The body must not remove other nodes; LIST_EACH_SAFE lets it remove the current one. */
#define LIST_EACH(list, node) \
	for (struct list_node *node = (list)->head.next; node != &(list)->head; node = node->next)
#define LIST_EACH_SAFE(list, node)                                                  \
	for (struct list_node *node = (list)->head.next, *node##_next = node->next; \
	     node != &(list)->head; node = node##_next, node##_next = node->next)
#endif
