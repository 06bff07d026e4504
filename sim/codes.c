#include "sim/codes.h"

#include <stddef.h>

#include "base/mem.h"

static const struct {
	int code, declared;
	const char *message;
} codes[] = {
#define X(name, number, declared, message) { number, declared, message },
	EXCHANGE_CODES(X)
#undef X
};

const char *code_message(int code)
{
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (codes[i].code == code)
			return codes[i].message;
	return "";
}

int code_status(int code, bool as_declared)
{
	if (code == CODE_UNAUTHORIZED)
		return 401;
	if (code == CODE_RATE)
		return 429;
	for (size_t i = 0; as_declared && i < ARRAY_LEN(codes); i++)
		if (codes[i].code == code)
			return codes[i].declared;
	return 400;
}
