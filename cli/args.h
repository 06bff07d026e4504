/* args.h - the words of a command line, held against tables of flags.
 *
 * Flags are "--name value", "--name=value" or, for a switch, "--name"; they may stand before,
 * between and behind the operands, and "--" ends them. A flag that is in no table, a value that is
 * missing and a flag given twice are usage errors: a typo must not trade. Messages name flags but
 * repeat no values and no operands, as one might be a secret. Nothing is copied. */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define ARGS_MAX 64

/* A table of these ends with one that has no name. */
struct flag {
	const char *name;  /* "--price" */
	const char *value; /* what stands for it in the help; NULL: a switch */
	const char *help;  /* one line */
	bool is_list;      /* takes "a,b" and may be given again */
};

struct args {
	struct {
		const struct flag *flag;
		const char *value; /* NULL for a switch */
	} given[ARGS_MAX];
	size_t given_count;
	const char *operands[ARGS_MAX];
	size_t operand_count;
};

/* Takes the flags that words (NULL-terminated) begin with; *words then points behind them. */
MUST_CHECK bool args_parse_leading(struct args *args, char *const **words, const struct flag *flags,
				   struct err *err);
/* Takes all of words. own may be NULL; flags of common are known as well. ERR_USAGE. */
MUST_CHECK bool args_parse(struct args *args, char *const *words, const struct flag *own,
			   const struct flag *common, struct err *err);

bool args_has(const struct args *args, const char *flag);
const char *args_get(const struct args *args, const char *flag); /* NULL when absent */

/* The items of a list flag, in order: calls fn for each "a" and "b" of every --flag a,b. False when
 * an item is empty or too long, or fn says so. */
#define ARGS_ITEM_MAX 128
MUST_CHECK bool args_each(const struct args *args, const char *flag,
			  bool (*fn)(void *arg, const char *item, struct err *err), void *arg,
			  struct err *err);

/* Unset, it is fallback. ERR_USAGE unless it is a whole number from min to max. */
MUST_CHECK bool args_get_int(const struct args *args, const char *flag, long min, long max,
			     long fallback, long *value, struct err *err);
#endif
