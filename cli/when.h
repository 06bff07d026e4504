/* when.h - moments as people type them.
 *
 * RFC 3339 ("2026-12-31T00:00:00Z"), or a span from now: "+90s", "+15m", "+24h", "+30d". */
#ifndef CLI_WHEN_H
#define CLI_WHEN_H
#include "base/clock.h"
#include "base/err.h"

/* text as RFC 3339 UTC in at. ERR_USAGE. */
MUST_CHECK bool when_parse(const char *text, struct wall now, char at[WALL_TEXT_LEN],
			   struct err *err);
#endif
