#include "server/json_out.h"

#include <inttypes.h>
#include <string.h>

#include "base/utf8.h"

void json_out_init(struct json_out *out)
{
	buf_init(&out->buf, JSON_OUT_MAX);
	out->needs_comma = false;
}

void json_out_fini(struct json_out *out)
{
	buf_fini(&out->buf);
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* One character that JSON does not take as it is. */
static size_t add_special(struct buf *buf, const char *text, size_t len)
{
	uint32_t point;
	size_t used = utf8_next(text, len, &point);

	if (used == 0) {
		buf_add_str(buf, "\xef\xbf\xbd");
		return 1;
	}
	if (point == '"' || point == '\\')
		buf_printf(buf, "\\%c", (char)point);
	else if (utf8_is_control(point))
		buf_printf(buf, "\\u%04" PRIx32, point);
	else
		buf_add(buf, text, used);
	return used;
}

static void add_string(struct buf *buf, const char *text)
{
	size_t len = strlen(text), at = 0;

	buf_add_char(buf, '"');
	while (at < len) {
		size_t run = at;

		while (run < len && is_plain((unsigned char)text[run]))
			run++;
		buf_add(buf, text + at, run - at);
		at = run;
		if (at < len)
			at += add_special(buf, text + at, len - at);
	}
	buf_add_char(buf, '"');
}

/* The names are our own: nothing in them needs escaping. */
static void begin(struct json_out *out, const char *name)
{
	if (out->needs_comma)
		buf_add_char(&out->buf, ',');
	out->needs_comma = true;
	if (!name)
		return;
	buf_add_char(&out->buf, '"');
	buf_add_str(&out->buf, name);
	buf_add(&out->buf, "\":", 2);
}

static void open_with(struct json_out *out, const char *name, char bracket)
{
	begin(out, name);
	buf_add_char(&out->buf, bracket);
	out->needs_comma = false;
}

static void close_with(struct json_out *out, char bracket)
{
	buf_add_char(&out->buf, bracket);
	out->needs_comma = true;
}

void json_out_object(struct json_out *out, const char *name)
{
	open_with(out, name, '{');
}

void json_out_object_end(struct json_out *out)
{
	close_with(out, '}');
}

void json_out_array(struct json_out *out, const char *name)
{
	open_with(out, name, '[');
}

void json_out_array_end(struct json_out *out)
{
	close_with(out, ']');
}

void json_out_null(struct json_out *out, const char *name)
{
	begin(out, name);
	buf_add_str(&out->buf, "null");
}

void json_out_bool(struct json_out *out, const char *name, bool value)
{
	begin(out, name);
	buf_add_str(&out->buf, value ? "true" : "false");
}

void json_out_int(struct json_out *out, const char *name, int64_t value)
{
	begin(out, name);
	buf_printf(&out->buf, "%" PRId64, value);
}

void json_out_thousandths(struct json_out *out, const char *name, int64_t value)
{
	char text[DECIMAL_TEXT_LEN];

	begin(out, name);
	buf_add_str(&out->buf, decimal_print(decimal_trim(decimal_of(value, 3)), text));
}

void json_out_str(struct json_out *out, const char *name, const char *text)
{
	if (!text) {
		json_out_null(out, name);
		return;
	}
	begin(out, name);
	add_string(&out->buf, text);
}

void json_out_text(struct json_out *out, const char *name, const char *text)
{
	json_out_str(out, name, text && text[0] != '\0' ? text : NULL);
}

void json_out_decimal(struct json_out *out, const char *name, struct decimal value)
{
	char text[DECIMAL_TEXT_LEN];

	begin(out, name);
	buf_add_char(&out->buf, '"');
	buf_add_str(&out->buf, decimal_print(value, text));
	buf_add_char(&out->buf, '"');
}

void json_out_decimal_if(struct json_out *out, const char *name, bool has_value,
			 struct decimal value)
{
	if (has_value)
		json_out_decimal(out, name, value);
	else
		json_out_null(out, name);
}

void json_out_time(struct json_out *out, const char *name, struct wall time)
{
	char text[WALL_TEXT_LEN];

	json_out_str(out, name, time.us == 0 ? NULL : wall_print(time, text));
}
