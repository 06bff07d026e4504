/* lint_model.h - tells clang-tidy's analyser what it cannot see across files; only make lint
 * includes it. Without it every caller of a function that may fail seems to go on regardless, and
 * every list to end in NULL. */
#ifndef TESTS_LINT_MODEL_H
#define TESTS_LINT_MODEL_H
#include "base/err.h"
#include "base/list.h"

#define err_set(...)    (err_set(__VA_ARGS__), false)
#define err_prefix(...) (err_prefix(__VA_ARGS__), false)

#undef LIST_EACH
#define LIST_EACH(list, node)                                                           \
	for (struct list_node *node = (list)->head.next; node && node != &(list)->head; \
	     node = node->next)
#endif
