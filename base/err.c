#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define TEXT_ROOM sizeof(((struct err *)0)->text)
#define WORK_ROOM (TEXT_ROOM + 3) /* the rest of a character on the cut, to see that it is one */

static const struct {
	const char *word, *title, *retry;
	int status;
} codes[ERR_CODE_COUNT] = {
#define X(name, word, status, retry, title) [ERR_##name] = { word, title, retry, status },
	ERR_CODES(X)
#undef X
};

/* Texts quote what strangers sent and go into JSON and terminals: UTF-8 without controls. */
static void copy_clean(char *to, const char *from, size_t len)
{
	size_t at = 0;

	while (at < len) {
		uint32_t point;
		size_t step = utf8_next(from + at, len - at, &point);

		if (step == 0 || utf8_is_control(point)) {
			*to++ = '?';
			at += step ? step : 1;
			continue;
		}
		memcpy(to, from + at, step);
		to += step;
		at += step;
	}
	*to = '\0';
}

static void set_text(struct err *err, const char *text)
{
	copy_clean(err->text, text, utf8_fit(text, strlen(text), TEXT_ROOM - 1));
}

bool err_set(struct err *err, enum err_code code, const char *format, ...)
{
	char text[WORK_ROOM] = ""; /* apart, as an argument may be err->text */
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	err->code = code;
	err->exchange_code = 0;
	set_text(err, text);
	return false;
}

bool err_prefix(struct err *err, const char *format, ...)
{
	char text[WORK_ROOM] = "";
	size_t used;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	used = strlen(text);
	snprintf(text + used, sizeof(text) - used, ": %s", err->text);
	set_text(err, text);
	return false;
}

const char *err_word(enum err_code code)
{
	assert(code < ERR_CODE_COUNT);
	return codes[code].word;
}

const char *err_title(enum err_code code)
{
	assert(code < ERR_CODE_COUNT);
	return codes[code].title;
}

int err_http_status(enum err_code code)
{
	assert(code < ERR_CODE_COUNT);
	return codes[code].status;
}

const char *err_retry(enum err_code code)
{
	assert(code < ERR_CODE_COUNT);
	return codes[code].retry;
}
