#include "cli/when.h"

#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 9
#define SPAN_MAX_S (100LL * 366 * 86400)

static int64_t seconds_of(char unit)
{
	switch (unit) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return 86400;
	default:
		return 0;
	}
}

/* -1 for what is no span, or one of more than a hundred years. */
static int64_t parse_span(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	int64_t span_s;

	if (digits == 0 || digits > DIGITS_MAX || strlen(text) != digits + 1)
		return -1;
	span_s = strtoll(text, NULL, 10) * seconds_of(text[digits]);
	return span_s > 0 && span_s <= SPAN_MAX_S ? span_s : -1;
}

bool when_parse(const char *text, struct wall now, char at[WALL_TEXT_LEN], struct err *err)
{
	struct wall time = now;
	int64_t span_s = text[0] == '+' ? parse_span(text + 1) : -1;

	if (span_s >= 0)
		time.us += span_s * 1000000;
	else if (!wall_parse(text, &time))
		return err_set(err, ERR_USAGE,
			       "a time is 2026-12-31T00:00:00Z, or a span from now like +90s, "
			       "+15m, +24h or +30d");
	wall_print(time, at);
	return true;
}
