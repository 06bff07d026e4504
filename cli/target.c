#include "cli/target.h"

#include <string.h>

/* More than a command line holds: 64 words of 128 KiB, three bytes for each of theirs. */
#define TARGET_MAX (32 * 1024 * 1024)

/* The dot too, as libcurl would take ".." for the folder above. */
static void add_encoded(struct buf *target, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-_~";

	for (; *text; text++)
		if (strchr(plain, *text))
			buf_add_char(target, *text);
		else
			buf_printf(target, "%%%02X", (unsigned char)*text);
}

void target_init(struct buf *target, const char *path)
{
	buf_init(target, TARGET_MAX);
	buf_add_str(target, path);
}

void target_segment(struct buf *target, const char *text)
{
	buf_add_char(target, '/');
	add_encoded(target, text);
}

void target_query(struct buf *target, const char *name, const char *value)
{
	if (!value)
		return;
	buf_add_char(target, strchr(buf_str(target), '?') ? '&' : '?');
	buf_add_str(target, name);
	buf_add_char(target, '=');
	add_encoded(target, value);
}
