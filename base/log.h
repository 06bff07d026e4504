/* log.h - one JSON line per event, built from typed fields.
 *
 *   LOG(INFO, "order.submitted", F_STR("order", id), F_DECIMAL("price", price));
 *
 * gives {"ts":"...","level":"info","event":"order.submitted","order":"...","price":"0.45"}.
 * Events are fixed names, fields are typed, and no field type takes a secret, so none can be
 * printed. Levels say who must act: error wakes someone, warn is looked at today, info is
 * history, debug is off. One write(2) a line to stderr; lines of two threads do not mix, as no
 * line is longer than a pipe takes at once: a long string is cut and ends in "...", and a field
 * that does not fit any more is left out, which "cut":true at the end tells. Any thread. */
#ifndef BASE_LOG_H
#define BASE_LOG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/decimal.h"
#include "base/err.h"

enum log_level { LOG_TRACE, LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_LEVEL_COUNT };
enum log_format { LOG_JSON, LOG_TEXT };

struct log_field {
	const char *name;
	enum {
		LOG_FIELD_STR,
		LOG_FIELD_INT,
		LOG_FIELD_BOOL,
		LOG_FIELD_DECIMAL,
		LOG_FIELD_ERR
	} kind;
	union {
		const char
			*str; /* NULL prints null; not UTF-8 and control characters are escaped */
		int64_t integer;
		bool boolean;
		struct decimal decimal;
		const struct err *err; /* its word, "exchange_code" if any, "error": its text */
	} as;
};

#define F_STR(n, v)  ((struct log_field){ .name = (n), .kind = LOG_FIELD_STR, .as.str = (v) })
#define F_INT(n, v)  ((struct log_field){ .name = (n), .kind = LOG_FIELD_INT, .as.integer = (v) })
#define F_BOOL(n, v) ((struct log_field){ .name = (n), .kind = LOG_FIELD_BOOL, .as.boolean = (v) })
#define F_DECIMAL(n, v) \
	((struct log_field){ .name = (n), .kind = LOG_FIELD_DECIMAL, .as.decimal = (v) })
#define F_ERR(v) ((struct log_field){ .name = "code", .kind = LOG_FIELD_ERR, .as.err = (v) })

/* At least one field. */
#define LOG(level, event, ...)                                                     \
	log_event(LOG_##level, (event), (const struct log_field[]){ __VA_ARGS__ }, \
		  sizeof((const struct log_field[]){ __VA_ARGS__ }) / sizeof(struct log_field))

void log_event(enum log_level level, const char *event, const struct log_field *fields,
	       size_t count);
void log_configure(enum log_level level,
		   enum log_format format);                    /* before the second thread starts */
bool log_level_parse(const char *word, enum log_level *level); /* "info" ... */
const char *log_level_name(enum log_level level);
#endif
