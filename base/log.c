#include "base/log.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/utf8.h"

/* A pipe takes so much at once, unmixed with what others write. */
#define LINE_MAX_LEN PIPE_BUF
#define TAIL_ROOM    32   /* of a line, for what closes it */
#define STR_MAX      1024 /* printed bytes of one string */

static const char *const level_names[LOG_LEVEL_COUNT] = { "trace", "debug", "info", "warn",
							  "error" };
static const char *const level_texts[LOG_LEVEL_COUNT] = { "TRACE", "DEBUG", "INFO", "WARN",
							  "ERROR" };

/* Set before the second thread starts, only read after. */
static enum log_level lowest = LOG_INFO;
static enum log_format format = LOG_JSON;

void log_configure(enum log_level level, enum log_format new_format)
{
	lowest = level;
	format = new_format;
}

const char *log_level_name(enum log_level level)
{
	return level < LOG_LEVEL_COUNT ? level_names[level] : "unknown";
}

bool log_level_parse(const char *word, enum log_level *level)
{
	for (int i = 0; i < LOG_LEVEL_COUNT; i++)
		if (strcmp(word, level_names[i]) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	return false;
}

/* One character as it stands in a JSON string; step is 0 for a byte that is no UTF-8. */
static void add_char(struct buf *line, const char *text, size_t step, uint32_t point)
{
	if (point == '"' || point == '\\')
		buf_add_char(line, '\\');
	if (step == 0)
		buf_add_str(line, "\\ufffd");
	else if (point == '\n')
		buf_add_str(line, "\\n");
	else if (utf8_is_control(point))
		buf_printf(line, "\\u%04x", point);
	else
		buf_add(line, text, step);
}

static void add_quoted(struct buf *line, const char *text)
{
	size_t len = strlen(text), start = line->len;

	buf_add_char(line, '"');
	for (size_t at = 0, step; at < len; at += step ? step : 1) {
		uint32_t point = 0;

		if (line->len - start > STR_MAX) {
			buf_add_str(line, "..."); /* cut */
			break;
		}
		step = utf8_next(text + at, len - at, &point);
		add_char(line, text + at, step, point);
	}
	buf_add_char(line, '"');
}

/* Words that need no quotes in the text format. */
static bool is_plain(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789._:/+-@,";
	size_t len = strlen(text);

	return len > 0 && len < STR_MAX && strspn(text, plain) == len;
}

static void add_str(struct buf *line, const char *text)
{
	if (!text)
		buf_add_str(line, "null");
	else if (format == LOG_TEXT && is_plain(text))
		buf_add_str(line, text);
	else
		add_quoted(line, text);
}

static void add_name(struct buf *line, const char *name)
{
	buf_printf(line, format == LOG_JSON ? ",\"%s\":" : " %s=", name);
}

static void add_err(struct buf *line, const char *name, const struct err *err)
{
	add_name(line, name);
	add_str(line, err ? err_word(err->code) : NULL);
	if (!err)
		return;
	if (err->exchange_code != 0) {
		add_name(line, "exchange_code");
		buf_printf(line, "%d", err->exchange_code);
	}
	add_name(line, "error");
	add_str(line, err->text);
}

static void add_field(struct buf *line, const struct log_field *field)
{
	char text[DECIMAL_TEXT_LEN];

	switch (field->kind) {
	case LOG_FIELD_STR:
		add_name(line, field->name);
		add_str(line, field->as.str);
		break;
	case LOG_FIELD_INT:
		add_name(line, field->name);
		buf_printf(line, "%lld", (long long)field->as.integer);
		break;
	case LOG_FIELD_BOOL:
		add_name(line, field->name);
		buf_add_str(line, field->as.boolean ? "true" : "false");
		break;
	case LOG_FIELD_DECIMAL:
		add_name(line, field->name);
		add_str(line, decimal_print(field->as.decimal, text));
		break;
	case LOG_FIELD_ERR:
		add_err(line, field->name, field->as.err);
		break;
	}
}

static void add_head(struct buf *line, enum log_level level, const char *event)
{
	char time[WALL_TEXT_LEN];

	wall_print(wall_now(), time);
	if (format == LOG_JSON)
		buf_printf(line, "{\"ts\":\"%s\",\"level\":\"%s\",\"event\":\"%s\"", time,
			   level_names[level], event);
	else
		buf_printf(line, "%s %s %s", time, level_texts[level], event);
}

/* Nobody can be told when this fails. */
static void write_line(const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t done = write(STDERR_FILENO, bytes, len);

		if (done < 0 && errno != EINTR)
			return;
		if (done > 0) {
			bytes += done;
			len -= (size_t)done;
		}
	}
}

void log_event(enum log_level level, const char *event, const struct log_field *fields,
	       size_t count)
{
	struct buf line;
	bool is_cut = false;

	if (level < lowest || level >= LOG_LEVEL_COUNT)
		return;
	buf_init(&line, LINE_MAX_LEN - TAIL_ROOM);
	add_head(&line, level, event);
	for (size_t i = 0; i < count; i++) {
		size_t before = line.len;

		add_field(&line, &fields[i]);
		if (line.is_full) { /* leave it out whole; a shorter one may still fit */
			buf_truncate(&line, before);
			is_cut = true;
		}
	}
	line.max = LINE_MAX_LEN;
	if (is_cut) {
		add_name(&line, "cut");
		buf_add_str(&line, "true");
	}
	buf_add_str(&line, format == LOG_JSON ? "}\n" : "\n");
	write_line(buf_str(&line), line.len);
	buf_fini(&line);
}
