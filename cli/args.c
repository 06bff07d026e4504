#include "cli/args.h"

#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 18 /* any such number fits a long */

/* Is word the flag, or the flag, = and a value? */
static bool is_flag(const char *word, const struct flag *flag)
{
	size_t len = strlen(flag->name);

	return strncmp(word, flag->name, len) == 0 && (word[len] == '\0' || word[len] == '=');
}

static const struct flag *find_flag(const char *word, const struct flag *flags)
{
	for (; flags && flags->name; flags++)
		if (is_flag(word, flags))
			return flags;
	return NULL;
}

static bool looks_like_flag(const char *word)
{
	return word[0] == '-' && word[1] != '\0';
}

/* The value behind = or the next word; *used counts the words. */
static bool find_value(const struct flag *flag, char *const *words, const char **value,
		       size_t *used, struct err *err)
{
	const char *sign = strchr(words[0], '=');

	*used = 1;
	*value = NULL;
	if (!flag->value)
		return !sign || err_set(err, ERR_USAGE, "%s takes no value", flag->name);
	*value = sign ? sign + 1 : words[1];
	if (!*value || (!sign && strncmp(*value, "--", 2) == 0))
		return err_set(err, ERR_USAGE, "%s needs a value: %s", flag->name, flag->value);
	*used = sign ? 1 : 2;
	return true;
}

static bool take_flag(struct args *args, const struct flag *flag, char *const *words, size_t *used,
		      struct err *err)
{
	const char *value;

	if (!find_value(flag, words, &value, used, err))
		return false;
	if (!flag->is_list && args_has(args, flag->name))
		return err_set(err, ERR_USAGE, "%s is given twice", flag->name);
	if (args->given_count == ARGS_MAX)
		return err_set(err, ERR_USAGE, "too many flags");
	args->given[args->given_count].flag = flag;
	args->given[args->given_count++].value = value;
	return true;
}

static bool take_operand(struct args *args, const char *word, struct err *err)
{
	if (args->operand_count == ARGS_MAX)
		return err_set(err, ERR_USAGE, "too many words");
	args->operands[args->operand_count++] = word;
	return true;
}

static bool refuse_flag(const char *word, struct err *err)
{
	return err_set(err, ERR_USAGE, "%.*s: no such flag here; see --help",
		       (int)strcspn(word, "="), word);
}

bool args_parse_leading(struct args *args, char *const **words, const struct flag *flags,
			struct err *err)
{
	size_t used;

	for (; **words && looks_like_flag(**words); *words += used) {
		const struct flag *flag = find_flag(**words, flags);

		if (!flag)
			return refuse_flag(**words, err);
		if (!take_flag(args, flag, *words, &used, err))
			return false;
	}
	return true;
}

bool args_parse(struct args *args, char *const *words, const struct flag *own,
		const struct flag *common, struct err *err)
{
	bool is_past_flags = false;
	size_t used;

	for (; *words; words += used) {
		const struct flag *flag = find_flag(*words, own);

		used = 1;
		if (!flag)
			flag = find_flag(*words, common);
		if (is_past_flags || !looks_like_flag(*words)) {
			if (!take_operand(args, *words, err))
				return false;
		} else if (strcmp(*words, "--") == 0) {
			is_past_flags = true;
		} else if (!flag) {
			return refuse_flag(*words, err);
		} else if (!take_flag(args, flag, words, &used, err)) {
			return false;
		}
	}
	return true;
}

bool args_has(const struct args *args, const char *flag)
{
	for (size_t i = 0; i < args->given_count; i++)
		if (strcmp(args->given[i].flag->name, flag) == 0)
			return true;
	return false;
}

const char *args_get(const struct args *args, const char *flag)
{
	for (size_t i = 0; i < args->given_count; i++)
		if (strcmp(args->given[i].flag->name, flag) == 0)
			return args->given[i].value;
	return NULL;
}

static bool each_item(const struct flag *flag, const char *list,
		      bool (*fn)(void *arg, const char *item, struct err *err), void *arg,
		      struct err *err)
{
	char item[ARGS_ITEM_MAX];
	size_t len;

	for (;; list += len + 1) {
		len = strcspn(list, ",");
		if (len == 0 || len >= sizeof(item))
			return err_set(err, ERR_USAGE, "%s takes %s, separated by commas",
				       flag->name, flag->value);
		memcpy(item, list, len);
		item[len] = '\0';
		if (!fn(arg, item, err))
			return false;
		if (list[len] == '\0')
			return true;
	}
}

bool args_each(const struct args *args, const char *flag,
	       bool (*fn)(void *arg, const char *item, struct err *err), void *arg, struct err *err)
{
	for (size_t i = 0; i < args->given_count; i++)
		if (strcmp(args->given[i].flag->name, flag) == 0 &&
		    !each_item(args->given[i].flag, args->given[i].value, fn, arg, err))
			return false;
	return true;
}

bool args_get_int(const struct args *args, const char *flag, long min, long max, long fallback,
		  long *value, struct err *err)
{
	const char *text = args_get(args, flag);

	*value = fallback;
	if (!text)
		return true;
	if (*text && strspn(text, "0123456789") == strlen(text) && strlen(text) <= DIGITS_MAX) {
		*value = strtol(text, NULL, 10);
		if (*value >= min && *value <= max)
			return true;
	}
	return err_set(err, ERR_USAGE, "%s must be a whole number from %ld to %ld", flag, min, max);
}
