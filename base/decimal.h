/* decimal.h - exact decimals for prices and quantities.
 *
 * value = units / 10^scale. No rounding happens unless a function's name says so; whatever does
 * not fit is ERR_OVERFLOW. The scale is kept as written, so "0.25470" prints as "0.25470";
 * trailing zeros are only dropped where the value would not fit with them, and by decimal_trim().
 * A zero has no sign. Plain notation only: no exponent, no plus sign, no bare dot. Any thread;
 * values, no ownership. */
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define DECIMAL_SCALE_MAX 18 /* places */
#define DECIMAL_TEXT_LEN  48 /* room for any printed decimal and its NUL */

__extension__ typedef __int128 int128;

struct decimal {
	int128 units; /* |units| < 10^37 */
	uint8_t scale;
};

/* What decimal_div() and decimal_round() do with what does not fit. */
enum decimal_rounding { DECIMAL_DOWN /* towards zero */, DECIMAL_UP /* away from zero */ };

#define DECIMAL_ZERO ((struct decimal){ 0, 0 })
struct decimal decimal_of(int64_t units, uint8_t scale);

/* The whole of text (len bytes) must be -?digits(.digits)?; leading zeros are allowed. ERR_DECIMAL
 * when it is not or needs more than DECIMAL_SCALE_MAX places, ERR_OVERFLOW when it is too large. */
MUST_CHECK bool decimal_parse(const char *text, size_t len, struct decimal *value, struct err *err);

/* A JSON number that arrived as a double: %.15g read back must be the same double, else
 * ERR_DECIMAL. Exponents are written out. */
MUST_CHECK bool decimal_from_double(double number, struct decimal *value, struct err *err);

const char *decimal_print(struct decimal value, char text[DECIMAL_TEXT_LEN]); /* returns text */

MUST_CHECK bool decimal_add(struct decimal a, struct decimal b, struct decimal *sum,
			    struct err *err);
MUST_CHECK bool decimal_sub(struct decimal a, struct decimal b, struct decimal *rest,
			    struct err *err);
MUST_CHECK bool decimal_mul(struct decimal a, struct decimal b, struct decimal *product,
			    struct err *err);
/* a / b rounded to scale places. b = 0 is ERR_DECIMAL. */
MUST_CHECK bool decimal_div(struct decimal a, struct decimal b, uint8_t scale,
			    enum decimal_rounding rounding, struct decimal *quotient,
			    struct err *err);
/* A value with no more places than scale stays as it is. */
struct decimal decimal_round(struct decimal value, uint8_t scale, enum decimal_rounding rounding);
struct decimal decimal_trim(struct decimal value); /* drops trailing zeros */

int decimal_cmp(struct decimal a, struct decimal b); /* <0, 0, >0; "1.0" equals "1" */
int decimal_sign(struct decimal value);              /* -1, 0, 1 */
uint8_t decimal_places(struct decimal value);        /* places needed, trailing zeros not counted */
#endif
