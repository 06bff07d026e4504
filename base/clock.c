#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define US_PER_S   1000000
#define S_PER_DAY  86400
#define US_PER_DAY ((int64_t)S_PER_DAY * US_PER_S)
#define DAYS_MAX   2932896 /* from 1970-01-01 to 9999-12-31 */
#define WALL_MAX   (((int64_t)DAYS_MAX + 1) * US_PER_DAY - 1)

struct date {
	int year, month, day; /* month and day from 1 */
};

static int64_t clock_us(clockid_t id)
{
	struct timespec time;

	clock_gettime(id, &time); /* cannot fail for these ids */
	return (int64_t)time.tv_sec * US_PER_S + time.tv_nsec / 1000;
}

struct mono mono_now(void)
{
	return (struct mono){ clock_us(CLOCK_MONOTONIC) };
}

struct wall wall_now(void)
{
	return (struct wall){ clock_us(CLOCK_REALTIME) };
}

struct mono mono_after_ms(struct mono from, int64_t ms)
{
	int64_t us;

	/* So far away that it comes to the same. */
	if (__builtin_mul_overflow(ms, 1000, &us) || __builtin_add_overflow(from.us, us, &us))
		us = ms < 0 ? INT64_MIN : INT64_MAX;
	return (struct mono){ us };
}

int64_t mono_diff_us(struct mono later, struct mono earlier)
{
	int64_t us;

	if (__builtin_sub_overflow(later.us, earlier.us, &us))
		us = later.us < earlier.us ? INT64_MIN : INT64_MAX;
	return us;
}

int64_t mono_diff_ms(struct mono later, struct mono earlier)
{
	return mono_diff_us(later, earlier) / 1000;
}

bool mono_is_past(struct mono deadline, struct mono now)
{
	return deadline.us != 0 && deadline.us <= now.us;
}

/* Both count in years that start in March, so that the leap day is the last of its year; the days
 * before a month are then (153 * month + 2) / 5. Gregorian, any year from 1 on. */
static int64_t days_from_date(struct date date)
{
	int64_t year = date.month > 2 ? date.year : date.year - 1;
	int64_t month = (date.month + 9) % 12;

	return 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + date.day -
	       1 - 719468;
}

static struct date date_from_days(int64_t days)
{
	int64_t since = days + 719468; /* 0000-03-01 */
	int64_t era = since / 146097;  /* 400 years */
	int64_t day_of_era = since % 146097;
	int64_t year =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day = day_of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * day + 2) / 153;

	return (struct date){
		.year = (int)(era * 400 + year + (month >= 10)),
		.month = (int)((month + 2) % 12 + 1),
		.day = (int)(day - (153 * month + 2) / 5 + 1),
	};
}

/* Digits only and from the right, as the width is fixed; returns what comes after. */
static char *put_number(char *to, int64_t number, int width)
{
	for (int i = width - 1; i >= 0; i--) {
		to[i] = (char)('0' + number % 10);
		number /= 10;
	}
	return to + width;
}

const char *wall_print(struct wall time, char text[WALL_TEXT_LEN])
{
	int64_t us = time.us < 0 ? 0 : time.us > WALL_MAX ? WALL_MAX : time.us;
	int64_t second = us % US_PER_DAY / US_PER_S;
	struct date date = date_from_days(us / US_PER_DAY);
	const struct {
		int64_t number;
		int width;
		char after;
	} parts[] = {
		{ date.year, 4, '-' },     { date.month, 2, '-' },       { date.day, 2, 'T' },
		{ second / 3600, 2, ':' }, { second / 60 % 60, 2, ':' }, { second % 60, 2, '.' },
		{ us % US_PER_S, 6, 'Z' },
	};
	char *to = text;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		to = put_number(to, parts[i].number, parts[i].width);
		*to++ = parts[i].after;
	}
	*to = '\0';
	return text;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Exactly width digits, between min and max. */
static bool take_number(const char **text, int width, int min, int max, int *number)
{
	*number = 0;
	for (int i = 0; i < width; i++, (*text)++) {
		if (!is_digit(**text))
			return false;
		*number = *number * 10 + (**text - '0');
	}
	return *number >= min && *number <= max;
}

static bool take_char(const char **text, const char *any_of)
{
	if (**text == '\0' || !strchr(any_of, **text))
		return false;
	(*text)++;
	return true;
}

static int days_in_month(int year, int month)
{
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (month == 2)
		return is_leap ? 29 : 28;
	return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

static bool take_date(const char **text, int64_t *days)
{
	struct date date;

	/* An offset may lead from 1969 into 1970. */
	if (!take_number(text, 4, 1969, 9999, &date.year) || !take_char(text, "-") ||
	    !take_number(text, 2, 1, 12, &date.month) || !take_char(text, "-") ||
	    !take_number(text, 2, 1, days_in_month(date.year, date.month), &date.day))
		return false;
	*days = days_from_date(date);
	return true;
}

static bool take_time(const char **text, int *second)
{
	int hour, minute;

	if (!take_number(text, 2, 0, 23, &hour) || !take_char(text, ":") ||
	    !take_number(text, 2, 0, 59, &minute) || !take_char(text, ":") ||
	    !take_number(text, 2, 0, 59, second))
		return false;
	*second += hour * 3600 + minute * 60;
	return true;
}

static bool take_fraction(const char **text, int *us)
{
	int digits = 0;

	*us = 0;
	if (!take_char(text, "."))
		return true;
	for (; is_digit(**text); (*text)++, digits++)
		if (digits < 6)
			*us = *us * 10 + (**text - '0');
	if (digits < 1 || digits > 9)
		return false;
	for (; digits < 6; digits++)
		*us *= 10;
	return true;
}

static bool take_offset(const char **text, int *seconds)
{
	int hour, minute, sign = **text == '-' ? -1 : 1;

	*seconds = 0;
	if (take_char(text, "Zz"))
		return true;
	if (!take_char(text, "+-") || !take_number(text, 2, 0, 23, &hour) ||
	    !take_char(text, ":") || !take_number(text, 2, 0, 59, &minute))
		return false;
	*seconds = sign * (hour * 3600 + minute * 60);
	return true;
}

bool wall_parse(const char *text, struct wall *time)
{
	int64_t days, sum;
	int second, us, offset;

	if (!take_date(&text, &days) || !take_char(&text, "Tt") || !take_time(&text, &second) ||
	    !take_fraction(&text, &us) || !take_offset(&text, &offset) || *text != '\0')
		return false;
	sum = days * US_PER_DAY + (int64_t)(second - offset) * US_PER_S + us;
	if (sum < 0 || sum > WALL_MAX)
		return false;
	time->us = sum;
	return true;
}
