#include "cli/json_text.h"

#include <string.h>

#include "base/utf8.h"

static char *escape_control(char *to, uint32_t point)
{
	static const char digits[] = "0123456789abcdef";

	to = (char *)memcpy(to, "\\u00", 4) + 4;
	*to++ = digits[point >> 4];
	*to++ = digits[point & 15];
	return to;
}

size_t json_text_escape(char *to, const char *text, size_t len)
{
	static const char replacement[] = "\xef\xbf\xbd";
	char *start = to;
	size_t used;

	for (size_t at = 0; at < len; at += used) {
		uint32_t point;

		used = utf8_next(text + at, len - at, &point);
		if (used == 0) {
			to = (char *)memcpy(to, replacement, 3) + 3;
			used = 1;
		} else if (utf8_is_control(point)) {
			to = escape_control(to, point);
		} else {
			if (point == '"' || point == '\\')
				*to++ = '\\';
			to = (char *)memcpy(to, text + at, used) + used;
		}
	}
	return (size_t)(to - start);
}
