#include "sim/transfer.h"

#include <string.h>

static const char *const names[TRANSFER_KINDS] = { "deposit", "withdrawal", "transferal" };

const char *transfer_kind_name(enum transfer_kind kind)
{
	return names[kind];
}

bool transfer_kind_parse(const char *word, enum transfer_kind *kind)
{
	for (int i = 0; i < TRANSFER_KINDS; i++)
		if (strcmp(names[i], word) == 0) {
			*kind = (enum transfer_kind)i;
			return true;
		}
	return false;
}
