/* json_out.h - writes JSON into a bounded buffer, one value after the other.
 *
 * Commas and escapes are its business, so handlers only say what is in an answer. Decimals are
 * strings, times are RFC 3339, what is absent is null. name is the member's name inside an object
 * and NULL inside an array. Text that is not UTF-8 is shown with U+FFFD, since a reader would
 * refuse the whole answer. Any thread. */
#ifndef SERVER_JSON_OUT_H
#define SERVER_JSON_OUT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/decimal.h"

#define JSON_OUT_MAX (16 * 1024 * 1024) /* bytes of one answer */

struct json_out {
	struct buf buf;
	bool needs_comma;
};

void json_out_init(struct json_out *out); /* bound: JSON_OUT_MAX */
void json_out_fini(struct json_out *out);

void json_out_object(struct json_out *out, const char *name); /* opens */
void json_out_object_end(struct json_out *out);
void json_out_array(struct json_out *out, const char *name); /* opens */
void json_out_array_end(struct json_out *out);

void json_out_null(struct json_out *out, const char *name);
void json_out_bool(struct json_out *out, const char *name, bool value);
void json_out_int(struct json_out *out, const char *name, int64_t value);
/* value / 1000 as a number with up to three places, exactly: 4250 is 4.25 */
void json_out_thousandths(struct json_out *out, const char *name, int64_t value);
void json_out_str(struct json_out *out, const char *name, const char *text);  /* NULL is null */
void json_out_text(struct json_out *out, const char *name, const char *text); /* so is "" */
void json_out_decimal(struct json_out *out, const char *name, struct decimal value);
void json_out_decimal_if(struct json_out *out, const char *name, bool has_value,
			 struct decimal value);                               /* else null */
void json_out_time(struct json_out *out, const char *name, struct wall time); /* 0 is null */
#endif
