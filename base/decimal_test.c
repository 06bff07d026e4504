#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/decimal.h"
#include "base/mem.h"

#define LARGEST "9999999999999999999999999999999999999" /* 37 nines */
#define ROUNDS  20000

static struct decimal parsed(const char *text)
{
	struct decimal value;
	struct err err;

	if (!decimal_parse(text, strlen(text), &value, &err))
		fail_msg("%s: %s", text, err.text);
	return value;
}

static void assert_text(struct decimal value, const char *expected)
{
	char text[DECIMAL_TEXT_LEN];

	assert_string_equal(decimal_print(value, text), expected);
}

/* A small generator, the same at each run. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static struct decimal random_decimal(uint64_t *state, unsigned digits_max)
{
	unsigned digits = (unsigned)(next_random(state) % (digits_max + 1));
	struct decimal value = DECIMAL_ZERO;

	for (unsigned i = 0; i < digits; i++)
		value.units = value.units * 10 + (int)(next_random(state) % 10);
	if (next_random(state) % 2)
		value.units = -value.units;
	value.scale = (uint8_t)(next_random(state) % (DECIMAL_SCALE_MAX + 1));
	return value;
}

static void what_is_printed_is_what_was_written(void **unused)
{
	static const struct {
		const char *written, *printed;
	} cases[] = {
		{ "0", "0" },
		{ "0.25470", "0.25470" },
		{ "-12.5", "-12.5" },
		{ "007.50", "7.50" },
		{ "000", "0" },
		{ "-0", "0" },
		{ "-0.00", "0.00" },
		{ "0.000000000000000001", "0.000000000000000001" },
		{ "0.1000000000000000000000000", "0.100000000000000000" },
		{ "1.0000000000000000000", "1.000000000000000000" },
		{ LARGEST, LARGEST },
		{ "-" LARGEST, "-" LARGEST },
		{ "0" LARGEST ".000", LARGEST },
		{ "999999999999999999.999999999999999999",
		  "999999999999999999.999999999999999999" },
		{ "12345678901234567890.000000000000000000",
		  "12345678901234567890.00000000000000000" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_text(parsed(cases[i].written), cases[i].printed);
}

static void what_is_no_plain_decimal_is_refused(void **unused)
{
	static const struct {
		const char *text;
		enum err_code code;
	} cases[] = {
		{ "", ERR_DECIMAL },
		{ "-", ERR_DECIMAL },
		{ "+1", ERR_DECIMAL },
		{ ".", ERR_DECIMAL },
		{ "1.", ERR_DECIMAL },
		{ ".5", ERR_DECIMAL },
		{ "-.5", ERR_DECIMAL },
		{ "--1", ERR_DECIMAL },
		{ "1.2.3", ERR_DECIMAL },
		{ "1e3", ERR_DECIMAL },
		{ "1,5", ERR_DECIMAL },
		{ " 1", ERR_DECIMAL },
		{ "1 ", ERR_DECIMAL },
		{ "1\n", ERR_DECIMAL },
		{ "0x10", ERR_DECIMAL },
		{ "NaN", ERR_DECIMAL },
		{ "Infinity", ERR_DECIMAL },
		{ "\xd9\xa1", ERR_DECIMAL }, /* an Arabic digit one */
		{ "0.0000000000000000001", ERR_DECIMAL },
		{ "1.1234567890123456789", ERR_DECIMAL },
		{ "1" LARGEST, ERR_OVERFLOW },
		{ "10000000000000000000000000000000000000", ERR_OVERFLOW },
		{ "-10000000000000000000000000000000000000", ERR_OVERFLOW },
		{ "12345678901234567890.000000000000000001", ERR_OVERFLOW },
		{ "99999999999999999999.999999999999999999", ERR_OVERFLOW },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct decimal value;
		struct err err = { 0 };

		if (decimal_parse(cases[i].text, strlen(cases[i].text), &value, &err))
			fail_msg("\"%s\" was taken", cases[i].text);
		assert_int_equal(err.code, cases[i].code);
	}
}

static void parsing_stays_within_the_given_length(void **unused)
{
	struct decimal value;
	struct err err;

	(void)unused;
	assert_true(decimal_parse("12.345", 4, &value, &err));
	assert_text(value, "12.3");
	assert_false(decimal_parse("12.345", 3, &value, &err));
	assert_false(decimal_parse("1\0002", 3, &value, &err));
}

static void printing_and_parsing_are_inverse(void **unused)
{
	uint64_t state = 1;

	(void)unused;
	for (int i = 0; i < ROUNDS; i++) {
		struct decimal value = random_decimal(&state, 37), again;
		char text[DECIMAL_TEXT_LEN];

		again = parsed(decimal_print(value, text));
		assert_true(again.units == value.units);
		assert_int_equal(again.scale, value.scale);
	}
}

/* Results of the tables below come from integers without bounds, by another program. NULL: does
 * not fit. */
struct row {
	const char *a, *b, *result;
};

static const struct row sums[] = {
	{ "0.1", "0.2", "0.3" },
	{ "1.00", "2", "3.00" },
	{ "-1.5", "1.5", "0.0" },
	{ "0.25470", "100000", "100000.25470" },
	{ LARGEST, "1", NULL },
	{ LARGEST, "-1", "9999999999999999999999999999999999998" },
	{ "-" LARGEST, LARGEST, "0" },
	{ "-" LARGEST, "-" LARGEST, NULL },
	{ "1000000000000000000000000000000000000", "0.000000000000000000",
	  "1000000000000000000000000000000000000" },
	{ "5000000000000000000.000000000000000000", "5000000000000000000.0",
	  "10000000000000000000.00000000000000000" },
	{ "0.000000000412980598", "6", "6.000000000412980598" },
	{ "0.065261", "-0.000000000388973288", "0.065260999611026712" },
	{ "0.000907319160101019", "9754563828113.77", "9754563828113.770907319160101019" },
	{ "-689990110.044419682", "-963071.237449541", "-690953181.281869223" },
	{ "82085194392740287557020.98", "88.937727", "82085194392740287557109.917727" },
	{ "-0.000427933883608058", "49629203843972133868219575692669264.58", NULL },
	{ "-0.000000000000052755", "0.000062768", "0.000062767999947245" },
	{ "6734260044073208967375383", "0.000000000000077140", NULL },
	{ "4446127.509137875383240227", "0.966174900943653276", "4446128.475312776326893503" },
};

static const struct row products[] = {
	{ "0.25470", "100.5", "25.597350" },
	{ "1.00", "2.0", "2.000" },
	{ "-3", "0.5", "-1.5" },
	{ "0", "-7.10", "0.00" },
	{ "1000000000000000000000", "1000000000000000", "1000000000000000000000000000000000000" },
	{ "1000000000000000000000", "10000000000000000", NULL },
	{ "0.0000000001", "0.000000001", NULL },
	{ "0.0000000010", "0.0000000010", "0.000000000000000001" },
	{ "123456.000000000000000000", "1.000000000000000000", "123456.000000000000000000" },
	/* 5^52 and 2^52: neither ends in a zero, the product in 52. */
	{ "2220446049250313080.847263336181640625", "0.004503599627370496",
	  "10000000000000000.000000000000000000" },
	{ LARGEST, "1", LARGEST },
	{ LARGEST, "-1.0", "-" LARGEST },
	{ LARGEST, LARGEST, NULL },
	{ "-9092474.256722232681377840", "-19.662164", NULL },
	{ "7857350333424084908308856", "0.000009", "70716153000816764174.779704" },
	{ "-0.000086383", "-107199869790258", "9260246352.091856814" },
	{ "-993251230719578", "2075887980647512903134716672346723261", NULL },
	{ "0.869281336120764409", "7129551911362232.485555919", NULL },
	{ "0.86", "347107373918.521232", "298512341569.92825952" },
	{ "0.06", "0.080721927", "0.00484331562" },
	{ "0.000000019", "4365231324172043620758528", "82939395159268828.794412032" },
	{ "-14", "3", "-42" },
};

typedef bool operation(struct decimal a, struct decimal b, struct decimal *result, struct err *err);

static void check_row(const struct row *row, operation *operate, bool is_swapped)
{
	struct decimal a = parsed(is_swapped ? row->b : row->a);
	struct decimal b = parsed(is_swapped ? row->a : row->b);
	struct decimal result;
	struct err err;

	if (operate(a, b, &result, &err)) {
		assert_non_null(row->result);
		assert_text(result, row->result);
	} else {
		assert_null(row->result);
		assert_int_equal(err.code, ERR_OVERFLOW);
	}
}

static void sums_are_exact_or_an_overflow(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(sums); i++) {
		check_row(&sums[i], decimal_add, false);
		check_row(&sums[i], decimal_add, true);
	}
}

static void products_are_exact_or_an_overflow(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(products); i++) {
		check_row(&products[i], decimal_mul, false);
		check_row(&products[i], decimal_mul, true);
	}
}

static void quotients_are_rounded_as_asked(void **unused)
{
	static const struct {
		const char *a, *b;
		uint8_t scale;
		const char *down, *up;
	} cases[] = {
		{ "1", "3", 6, "0.333333", "0.333334" },
		{ "-1", "3", 6, "-0.333333", "-0.333334" },
		{ "1", "-3", 0, "0", "-1" },
		{ "2", "1", 4, "2.0000", "2.0000" },
		{ "100", "7.000", 2, "14.28", "14.29" },
		{ "0.000001", "3", 6, "0.000000", "0.000001" },
		{ LARGEST, "0.1", 0, NULL, NULL },
		{ LARGEST, "10", 2, NULL, NULL },
		{ "1000000000000000000", "0.000000000000000001", 0,
		  "1000000000000000000000000000000000000",
		  "1000000000000000000000000000000000000" },
		{ "1000000000000000000", "0.000000000000000001", 1, NULL, NULL },
		{ "0", "5", 3, "0.000", "0.000" },
		{ "0.999999999999999999", "1", 0, "0", "1" },
		{ "12345678901234567890.123456789", "987654321.000000001", 18,
		  "12499999887.343749977501953238", "12499999887.343749977501953239" },
		{ "0.000000000000000001", LARGEST, 18, "0.000000000000000000",
		  "0.000000000000000001" },
		{ "-15132438770263722168384718684999161.98", "824116741", 0,
		  "-18362008702676896801911610", "-18362008702676896801911611" },
		{ "-3555579891945006026.118795361528212891", "-333004518.152831276", 2,
		  "10677272223.41", "10677272223.42" },
		{ "0.000000000154174206", "498.288642", 6, "0.000000", "0.000001" },
		{ "611220646.613712", "8", 18, "76402580.826714000000000000",
		  "76402580.826714000000000000" },
		{ "8563671535567194232373930", "-3713323728947357125.088254062109794735", 18,
		  "-2306201.171960517556100956", "-2306201.171960517556100957" },
		{ "-0.000000000000000007", "0.000047", 2, "0.00", "-0.01" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (int rounding = DECIMAL_DOWN; rounding <= DECIMAL_UP; rounding++) {
			const char *expected = rounding == DECIMAL_UP ? cases[i].up : cases[i].down;
			struct decimal quotient;
			struct err err;

			if (decimal_div(parsed(cases[i].a), parsed(cases[i].b), cases[i].scale,
					(enum decimal_rounding)rounding, &quotient, &err)) {
				assert_non_null(expected);
				assert_text(quotient, expected);
			} else {
				assert_null(expected);
				assert_int_equal(err.code, ERR_OVERFLOW);
			}
		}
}

static void division_by_zero_is_an_error(void **unused)
{
	struct decimal quotient;
	struct err err;

	(void)unused;
	assert_false(decimal_div(parsed("1"), parsed("0.00"), 2, DECIMAL_DOWN, &quotient, &err));
	assert_int_equal(err.code, ERR_DECIMAL);
}

static void subtracting_undoes_adding(void **unused)
{
	uint64_t state = 2;

	(void)unused;
	for (int i = 0; i < ROUNDS; i++) {
		struct decimal a = random_decimal(&state, 18), b = random_decimal(&state, 18);
		struct decimal sum, rest;
		struct err err;

		assert_true(decimal_add(a, b, &sum, &err));
		assert_true(decimal_sub(sum, b, &rest, &err));
		assert_int_equal(decimal_cmp(rest, a), 0);
		assert_int_equal(decimal_cmp(sum, a), decimal_sign(b));
	}
}

static void dividing_undoes_multiplying(void **unused)
{
	uint64_t state = 3;
	int checked = 0;

	(void)unused;
	for (int i = 0; i < ROUNDS; i++) {
		struct decimal a = random_decimal(&state, 18), b = random_decimal(&state, 18);
		struct decimal product, quotient;
		struct err err;

		if (b.units == 0 || !decimal_mul(a, b, &product, &err))
			continue;
		assert_true(decimal_div(product, b, a.scale, DECIMAL_UP, &quotient, &err));
		assert_int_equal(decimal_cmp(quotient, a), 0);
		checked++;
	}
	assert_true(checked > ROUNDS / 4);
}

/* |down| * |b| <= |a| <= |up| * |b|, and the two are at most one unit apart. */
static void a_quotient_lies_between_its_roundings(void **unused)
{
	uint64_t state = 4;

	(void)unused;
	for (int i = 0; i < ROUNDS; i++) {
		struct decimal a = random_decimal(&state, 12), b = random_decimal(&state, 8);
		struct decimal down, up, below, above;
		struct err err;

		a.scale %= 7;
		b.scale %= 7;
		if (b.units == 0)
			continue;
		assert_true(decimal_div(a, b, 6, DECIMAL_DOWN, &down, &err));
		assert_true(decimal_div(a, b, 6, DECIMAL_UP, &up, &err));
		assert_true(decimal_mul(down, b, &below, &err));
		assert_true(decimal_mul(up, b, &above, &err));
		if (decimal_sign(a) >= 0) {
			assert_true(decimal_cmp(below, a) <= 0 && decimal_cmp(a, above) <= 0);
		} else {
			assert_true(decimal_cmp(below, a) >= 0 && decimal_cmp(a, above) >= 0);
		}
		assert_true(up.units - down.units <= 1 && up.units - down.units >= -1);
	}
}

static void comparing_ignores_how_a_number_is_written(void **unused)
{
	static const struct {
		const char *a, *b;
		int order;
	} cases[] = {
		{ "1.0", "1", 0 },
		{ "0", "-0.000", 0 },
		{ "1.1", "1.09", 1 },
		{ "-1.1", "-1.09", -1 },
		{ "-0.5", "0.3", -1 },
		{ "10", "9.999999999999999999", 1 },
		{ LARGEST, "0.000000000000000001", 1 },
		{ "-" LARGEST, "0.000000000000000001", -1 },
		{ LARGEST, LARGEST ".0", 0 },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct decimal a = parsed(cases[i].a), b = parsed(cases[i].b);

		assert_int_equal(decimal_cmp(a, b), cases[i].order);
		assert_int_equal(decimal_cmp(b, a), -cases[i].order);
	}
}

static void rounding_goes_towards_or_away_from_zero(void **unused)
{
	static const struct {
		const char *value;
		uint8_t scale;
		const char *down, *up;
	} cases[] = {
		{ "1.239", 2, "1.23", "1.24" },
		{ "-1.231", 2, "-1.23", "-1.24" },
		{ "1.230", 2, "1.23", "1.23" },
		{ "9.99", 0, "9", "10" },
		{ "0.01", 1, "0.0", "0.1" },
		{ "1.5", 4, "1.5", "1.5" },
		{ "0.000000000000000001", 0, "0", "1" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct decimal value = parsed(cases[i].value);

		assert_text(decimal_round(value, cases[i].scale, DECIMAL_DOWN), cases[i].down);
		assert_text(decimal_round(value, cases[i].scale, DECIMAL_UP), cases[i].up);
	}
}

static void trimming_drops_only_zeros_behind_the_point(void **unused)
{
	(void)unused;
	assert_text(decimal_trim(parsed("100.500")), "100.5");
	assert_text(decimal_trim(parsed("100.000")), "100");
	assert_text(decimal_trim(parsed("0.000")), "0");
	assert_text(decimal_trim(parsed("-20")), "-20");
	assert_int_equal(decimal_places(parsed("0.25470")), 4);
	assert_int_equal(decimal_places(parsed("300.000")), 0);
	assert_text(decimal_of(-25, 3), "-0.025");
	assert_int_equal(decimal_sign(parsed("-0.01")), -1);
	assert_int_equal(decimal_sign(DECIMAL_ZERO), 0);
}

static void a_double_keeps_its_digits_or_is_refused(void **unused)
{
	static const struct {
		double number;
		const char *text; /* NULL: refused */
		enum err_code code;
	} cases[] = {
		{ 0.2547, "0.2547", ERR_NONE },
		{ 100, "100", ERR_NONE },
		{ 0, "0", ERR_NONE },
		{ -0.0, "0", ERR_NONE },
		{ -12.5, "-12.5", ERR_NONE },
		{ 0.1, "0.1", ERR_NONE },
		{ 1e-18, "0.000000000000000001", ERR_NONE },
		{ 1.5e-17, "0.000000000000000015", ERR_NONE },
		{ 1e22, "10000000000000000000000", ERR_NONE },
		{ 1.25e36, "1250000000000000000000000000000000000", ERR_NONE },
		{ 123456789012345, "123456789012345", ERR_NONE },
		{ 0.1 + 0.2, NULL, ERR_DECIMAL }, /* 0.30000000000000004 */
		{ 9007199254740992.0, NULL, ERR_DECIMAL },
		{ 1.0 / 3, NULL, ERR_DECIMAL },
		{ 1e-19, NULL, ERR_DECIMAL },
		{ 4.9406564584124654e-324, NULL, ERR_DECIMAL },
		{ 1e37, NULL, ERR_OVERFLOW },
		{ 1e300, NULL, ERR_OVERFLOW },
		{ DBL_MAX, NULL, ERR_DECIMAL },
		{ (double)INFINITY, NULL, ERR_DECIMAL },
		{ -(double)INFINITY, NULL, ERR_DECIMAL },
		{ (double)NAN, NULL, ERR_DECIMAL },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct decimal value;
		struct err err = { 0 };

		if (decimal_from_double(cases[i].number, &value, &err)) {
			assert_non_null(cases[i].text);
			assert_text(value, cases[i].text);
		} else {
			assert_null(cases[i].text);
			assert_int_equal(err.code, cases[i].code);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_printed_is_what_was_written),
		cmocka_unit_test(what_is_no_plain_decimal_is_refused),
		cmocka_unit_test(parsing_stays_within_the_given_length),
		cmocka_unit_test(printing_and_parsing_are_inverse),
		cmocka_unit_test(sums_are_exact_or_an_overflow),
		cmocka_unit_test(products_are_exact_or_an_overflow),
		cmocka_unit_test(quotients_are_rounded_as_asked),
		cmocka_unit_test(division_by_zero_is_an_error),
		cmocka_unit_test(subtracting_undoes_adding),
		cmocka_unit_test(dividing_undoes_multiplying),
		cmocka_unit_test(a_quotient_lies_between_its_roundings),
		cmocka_unit_test(comparing_ignores_how_a_number_is_written),
		cmocka_unit_test(rounding_goes_towards_or_away_from_zero),
		cmocka_unit_test(trimming_drops_only_zeros_behind_the_point),
		cmocka_unit_test(a_double_keeps_its_digits_or_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
