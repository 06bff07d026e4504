#include "cli/sse.h"

#include <string.h>

#define LINE_EXTRA 16             /* a field's name, colon and space */
#define MARK       "\xef\xbb\xbf" /* what some put in front of UTF-8 */

void sse_init(struct sse *sse, size_t event_max, sse_event_fn *on_event, void *arg)
{
	memset(sse, 0, sizeof(*sse));
	sse->on_event = on_event;
	sse->arg = arg;
	buf_init(&sse->line, event_max + LINE_EXTRA);
	buf_init(&sse->data, event_max);
}

void sse_fini(struct sse *sse)
{
	buf_fini(&sse->line);
	buf_fini(&sse->data);
}

void sse_restart(struct sse *sse)
{
	buf_clear(&sse->line);
	buf_clear(&sse->data);
	sse->has_data = sse->had_cr = sse->is_begun = false;
}

static void add_data(struct sse *sse, const char *value, size_t len)
{
	if (sse->has_data)
		buf_add_char(&sse->data, '\n');
	buf_add(&sse->data, value, len);
	sse->has_data = true;
}

static void take_field(struct sse *sse, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	size_t name_len = colon ? (size_t)(colon - line) : len;
	const char *value = colon ? colon + 1 : line + len;

	if (value < line + len && *value == ' ')
		value++;
	if (name_len == 4 && memcmp(line, "data", 4) == 0)
		add_data(sse, value, (size_t)(line + len - value));
}

static bool tell(struct sse *sse)
{
	bool goes_on = sse->data.len == 0 || sse->on_event(sse->arg, sse->data.data, sse->data.len);

	buf_clear(&sse->data);
	sse->has_data = false;
	return goes_on;
}

static bool end_line(struct sse *sse)
{
	const char *line = buf_str(&sse->line);
	size_t len = sse->line.len;
	bool goes_on = true;

	if (!sse->is_begun && len >= strlen(MARK) && memcmp(line, MARK, strlen(MARK)) == 0) {
		line += strlen(MARK);
		len -= strlen(MARK);
	}
	sse->is_begun = true;
	if (len == 0)
		goes_on = tell(sse);
	else
		take_field(sse, line, len);
	buf_clear(&sse->line);
	return goes_on;
}

/* Up to the end of a line or of the piece; how much it took. */
static size_t take_part(struct sse *sse, const char *bytes, size_t len, bool *goes_on)
{
	size_t part = 0;

	while (part < len && bytes[part] != '\n' && bytes[part] != '\r')
		part++;
	buf_add(&sse->line, bytes, part);
	if (part == len)
		return len;
	sse->had_cr = bytes[part] == '\r';
	if (!sse->line.is_full)
		*goes_on = end_line(sse);
	return part + 1;
}

bool sse_feed(struct sse *sse, const char *bytes, size_t len, bool *is_enough, struct err *err)
{
	bool goes_on = true;
	size_t at = 0;

	*is_enough = false;
	while (at < len && goes_on) {
		bool is_rest = sse->had_cr && bytes[at] == '\n'; /* of CR LF */

		sse->had_cr = false;
		at += is_rest ? 1 : take_part(sse, bytes + at, len - at, &goes_on);
		if (sse->line.is_full || sse->data.is_full)
			return err_set(err, ERR_OVERFLOW, "an event is longer than %zu bytes",
				       sse->data.max);
	}
	*is_enough = !goes_on;
	return goes_on;
}
