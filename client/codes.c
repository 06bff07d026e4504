#include "client/codes.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "client/deltadefi.h"

const char *dd_class_word(enum dd_class class_)
{
	static const char *const words[] = {
#define X(name, word) word,
		DD_CLASSES(X)
#undef X
	};

	return words[class_];
}

const char *dd_status_word(enum dd_status status)
{
	static const char *const words[] = {
#define X(name, word) word,
		DD_STATUSES(X)
#undef X
	};

	return words[status];
}

static const struct code {
	int code;
	enum dd_class class_;
	const char *message;
} codes[] = {
#define X(code, class_, message) { code, DD_CLASS_##class_, message },
	DD_ERROR_CODES(X)
#undef X
};

static const struct code *code_find(int code)
{
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (codes[i].code == code)
			return &codes[i];
	return NULL;
}

enum dd_class dd_class_of(int code)
{
	const struct code *known = code_find(code);

	if (known)
		return known->class_;
	return code / 1000 == 4 ? DD_CLASS_REFUSED : DD_CLASS_UNKNOWN;
}

const char *dd_code_message(int code)
{
	const struct code *known = code_find(code);

	return known ? known->message : "";
}

/* American spellings of the two words that have one. */
static enum dd_status status_parse_american(const char *word)
{
	if (strcasecmp(word, "canceled") == 0)
		return DD_STATUS_CANCELLED;
	if (strcasecmp(word, "partially_canceled") == 0)
		return DD_STATUS_PARTIALLY_CANCELLED;
	return DD_STATUS_UNKNOWN;
}

enum dd_status dd_status_parse(const char *word)
{
	for (int status = DD_STATUS_UNKNOWN + 1; status < DD_STATUS_COUNT; status++)
		if (strcasecmp(word, dd_status_word((enum dd_status)status)) == 0)
			return (enum dd_status)status;
	return status_parse_american(word);
}
