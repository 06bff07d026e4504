#include "base/decimal.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 37 /* |units| < 10^37, so that ten times as much is still an int128 */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* 10^exponent; exponent <= DIGITS_MAX. */
static int128 power_of_ten(unsigned exponent)
{
	int128 power = 1;

	assert(exponent <= DIGITS_MAX);
	while (exponent-- > 0)
		power *= 10;
	return power;
}

static int128 magnitude(int128 units)
{
	return units < 0 ? -units : units;
}

static bool units_fit(int128 units)
{
	return magnitude(units) < power_of_ten(DIGITS_MAX);
}

static bool overflow(struct err *err)
{
	return err_set(err, ERR_OVERFLOW, "the number has more than %d digits or %d places",
		       DIGITS_MAX, DECIMAL_SCALE_MAX);
}

/* Drops zeros at the end only as far as the result needs it. */
static bool settle(int128 units, unsigned scale, struct decimal *value, struct err *err)
{
	while (scale > DECIMAL_SCALE_MAX || !units_fit(units)) {
		if (scale == 0 || units % 10 != 0)
			return overflow(err);
		units /= 10;
		scale--;
	}
	*value = (struct decimal){ units, (uint8_t)scale };
	return true;
}

struct decimal decimal_of(int64_t units, uint8_t scale)
{
	assert(scale <= DECIMAL_SCALE_MAX);
	return (struct decimal){ units, scale };
}

/* The parts of -?digits(.digits)? */
struct written {
	bool is_negative;
	const char *whole, *places;
	size_t whole_len, places_len;
};

static size_t count_digits(const char *text, size_t len)
{
	size_t count = 0;

	while (count < len && is_digit(text[count]))
		count++;
	return count;
}

static bool scan(const char *text, size_t len, struct written *parts)
{
	const char *end = text + len;

	parts->is_negative = len > 0 && text[0] == '-';
	parts->whole = text + parts->is_negative;
	parts->whole_len = count_digits(parts->whole, (size_t)(end - parts->whole));
	parts->places = parts->whole + parts->whole_len;
	parts->places_len = 0;
	if (parts->whole_len == 0)
		return false;
	if (parts->places == end)
		return true;
	if (*parts->places != '.')
		return false;
	parts->places++;
	parts->places_len = count_digits(parts->places, (size_t)(end - parts->places));
	return parts->places_len > 0 && parts->places + parts->places_len == end;
}

/* Leading zeros never count; trailing ones go when the number would not fit with them. */
static void drop_zeros(struct written *parts)
{
	while (parts->whole_len > 0 && *parts->whole == '0') {
		parts->whole++;
		parts->whole_len--;
	}
	while (parts->places_len > 0 && parts->places[parts->places_len - 1] == '0' &&
	       (parts->places_len > DECIMAL_SCALE_MAX ||
		parts->whole_len + parts->places_len > DIGITS_MAX))
		parts->places_len--;
}

static int128 add_digits(int128 units, const char *digits, size_t len)
{
	for (size_t i = 0; i < len; i++)
		units = units * 10 + (digits[i] - '0');
	return units;
}

bool decimal_parse(const char *text, size_t len, struct decimal *value, struct err *err)
{
	struct written parts;
	int128 units;

	if (!scan(text, len, &parts))
		return err_set(err, ERR_DECIMAL, "\"%.*s\" is not a plain decimal number",
			       (int)(len < 40 ? len : 40), text);
	drop_zeros(&parts);
	if (parts.places_len > DECIMAL_SCALE_MAX)
		return err_set(err, ERR_DECIMAL, "the number needs more than %d decimal places",
			       DECIMAL_SCALE_MAX);
	if (parts.whole_len + parts.places_len > DIGITS_MAX)
		return overflow(err);
	units = add_digits(0, parts.whole, parts.whole_len);
	units = add_digits(units, parts.places, parts.places_len);
	*value = (struct decimal){ parts.is_negative ? -units : units, (uint8_t)parts.places_len };
	return true;
}

/* From d.dddddddddddddde+xx, which is what %.14e prints. */
static bool from_scientific(const char *text, struct decimal *value, struct err *err)
{
	const char *digits = text + (text[0] == '-');
	int exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10) - 14;
	int128 units = add_digits(digits[0] - '0', digits + 2, 14);

	if (units == 0)
		exponent = 0;
	while (exponent < 0 && units % 10 == 0) {
		units /= 10;
		exponent++;
	}
	if (text[0] == '-')
		units = -units;
	if (exponent < -DECIMAL_SCALE_MAX)
		return err_set(err, ERR_DECIMAL, "the number needs more than %d decimal places",
			       DECIMAL_SCALE_MAX);
	for (; exponent > 0; exponent--) {
		units *= 10;
		if (!units_fit(units))
			return overflow(err);
	}
	*value = (struct decimal){ units, (uint8_t)-exponent };
	return true;
}

bool decimal_from_double(double number, struct decimal *value, struct err *err)
{
	char text[32];

	if (!isfinite(number))
		return err_set(err, ERR_DECIMAL, "the number is not finite");
	/* 15 significant digits, as many as any double keeps. */
	snprintf(text, sizeof(text), "%.14e", number);
	if (strtod(text, NULL) != number)
		return err_set(err, ERR_DECIMAL,
			       "the number has more digits than JSON keeps: send it as a string");
	return from_scientific(text, value, err);
}

const char *decimal_print(struct decimal value, char text[DECIMAL_TEXT_LEN])
{
	char reversed[DECIMAL_TEXT_LEN];
	int128 rest = magnitude(value.units);
	size_t len = 0, at = 0;

	do {
		reversed[len++] = (char)('0' + (int)(rest % 10));
		rest /= 10;
		if (len == value.scale)
			reversed[len++] = '.';
	} while (rest > 0 || len <= value.scale || reversed[len - 1] == '.');
	if (value.units < 0)
		text[at++] = '-';
	while (len > 0)
		text[at++] = reversed[--len];
	text[at] = '\0';
	return text;
}

/* units at scale, which is not below value's; false when they do not fit. */
static bool at_scale(struct decimal value, uint8_t scale, int128 *units)
{
	return !__builtin_mul_overflow(value.units, power_of_ten(scale - value.scale), units);
}

static bool add_at_scale(struct decimal a, struct decimal b, uint8_t scale, int128 *sum)
{
	int128 left, right;

	return at_scale(a, scale, &left) && at_scale(b, scale, &right) &&
	       !__builtin_add_overflow(left, right, sum);
}

bool decimal_add(struct decimal a, struct decimal b, struct decimal *sum, struct err *err)
{
	struct decimal *longer = a.scale > b.scale ? &a : &b;
	int128 units;

	/* Zeros that were written may be all that stands in the way. At equal scales nothing does,
	 * so longer->scale is above 0 here. */
	while (!add_at_scale(a, b, longer->scale, &units)) {
		if (longer->units % 10 != 0)
			return overflow(err);
		longer->units /= 10;
		longer->scale--;
	}
	return settle(units, longer->scale, sum, err);
}

bool decimal_sub(struct decimal a, struct decimal b, struct decimal *rest, struct err *err)
{
	b.units = -b.units;
	return decimal_add(a, b, rest, err);
}

/* Divides a * b by ten without multiplying; false when that leaves a rest. */
static bool cancel_ten(int128 *a, int128 *b)
{
	static const struct {
		int from_a, from_b;
	} ways[] = { { 10, 1 }, { 1, 10 }, { 5, 2 }, { 2, 5 } };

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (*a % ways[i].from_a == 0 && *b % ways[i].from_b == 0) {
			*a /= ways[i].from_a;
			*b /= ways[i].from_b;
			return true;
		}
	return false;
}

bool decimal_mul(struct decimal a, struct decimal b, struct decimal *product, struct err *err)
{
	unsigned scale = a.scale + b.scale;
	int128 units;

	while (__builtin_mul_overflow(a.units, b.units, &units)) {
		if (scale == 0 || !cancel_ten(&a.units, &b.units))
			return overflow(err);
		scale--;
	}
	return settle(units, scale, product, err);
}

/* Long division, as units * 10^places may be too large where the quotient is not. The remainder
 * is that of the last digit: 0 when the quotient is exact. */
static bool divide_places(int128 units, int128 divisor, unsigned places, int128 *quotient,
			  bool *is_exact)
{
	int128 rest = units % divisor;

	*quotient = units / divisor;
	for (; places > 0; places--) {
		rest *= 10; /* below 10 * |divisor| */
		if (__builtin_mul_overflow(*quotient, 10, quotient) ||
		    __builtin_add_overflow(*quotient, rest / divisor, quotient))
			return false;
		rest %= divisor;
	}
	*is_exact = rest == 0;
	return true;
}

/* Drops places digits; is_exact stays true if they were zeros. */
static int128 drop_places(int128 units, unsigned places, bool *is_exact)
{
	for (; places > 0; places--) {
		*is_exact = *is_exact && units % 10 == 0;
		units /= 10;
	}
	return units;
}

bool decimal_div(struct decimal a, struct decimal b, uint8_t scale, enum decimal_rounding rounding,
		 struct decimal *quotient, struct err *err)
{
	int places = scale + b.scale - a.scale; /* to come after a.units / b.units */
	int sign = decimal_sign(a) * decimal_sign(b);
	int128 units;
	bool is_exact;

	assert(scale <= DECIMAL_SCALE_MAX);
	if (b.units == 0)
		return err_set(err, ERR_DECIMAL, "division by zero");
	if (!divide_places(a.units, b.units, places > 0 ? (unsigned)places : 0, &units, &is_exact))
		return overflow(err);
	units = drop_places(units, places < 0 ? (unsigned)-places : 0, &is_exact);
	if (!is_exact && rounding == DECIMAL_UP)
		units += sign;
	if (!units_fit(units))
		return overflow(err);
	*quotient = (struct decimal){ units, scale };
	return true;
}

struct decimal decimal_round(struct decimal value, uint8_t scale, enum decimal_rounding rounding)
{
	bool is_exact = true;
	int sign = decimal_sign(value);

	if (value.scale <= scale)
		return value;
	value.units = drop_places(value.units, value.scale - scale, &is_exact);
	if (!is_exact && rounding == DECIMAL_UP)
		value.units += sign;
	value.scale = scale;
	return value;
}

struct decimal decimal_trim(struct decimal value)
{
	while (value.scale > 0 && value.units % 10 == 0) {
		value.units /= 10;
		value.scale--;
	}
	return value;
}

static int order_of(int128 a, int128 b)
{
	return (a > b) - (a < b);
}

/* Whole parts first: at one scale they might not fit. */
int decimal_cmp(struct decimal a, struct decimal b)
{
	int128 a_one = power_of_ten(a.scale), b_one = power_of_ten(b.scale);
	int whole = order_of(a.units / a_one, b.units / b_one);

	if (whole != 0)
		return whole;
	return order_of(a.units % a_one * power_of_ten(DECIMAL_SCALE_MAX - a.scale),
			b.units % b_one * power_of_ten(DECIMAL_SCALE_MAX - b.scale));
}

int decimal_sign(struct decimal value)
{
	return order_of(value.units, 0);
}

uint8_t decimal_places(struct decimal value)
{
	return decimal_trim(value).scale;
}
