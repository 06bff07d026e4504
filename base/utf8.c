#include "base/utf8.h"

/* Unicode, table 3-7: the second byte alone decides between valid and overlong or surrogate. */
static const struct lead {
	uint8_t first, last; /* of the lead byte */
	uint8_t len;
	uint8_t second_min, second_max;
} leads[] = {
	{ 0x00, 0x7f, 1, 0, 0 },       { 0xc2, 0xdf, 2, 0x80, 0xbf }, { 0xe0, 0xe0, 3, 0xa0, 0xbf },
	{ 0xe1, 0xec, 3, 0x80, 0xbf }, { 0xed, 0xed, 3, 0x80, 0x9f }, { 0xee, 0xef, 3, 0x80, 0xbf },
	{ 0xf0, 0xf0, 4, 0x90, 0xbf }, { 0xf1, 0xf3, 4, 0x80, 0xbf }, { 0xf4, 0xf4, 4, 0x80, 0x8f },
};

static const struct lead *find_lead(uint8_t byte)
{
	for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++)
		if (byte >= leads[i].first && byte <= leads[i].last)
			return &leads[i];
	return NULL;
}

size_t utf8_next(const char *text, size_t len, uint32_t *point)
{
	const uint8_t *bytes = (const uint8_t *)text;
	const struct lead *lead = len > 0 ? find_lead(bytes[0]) : NULL;
	uint32_t sum;

	if (!lead || lead->len > len)
		return 0;
	if (lead->len > 1 && (bytes[1] < lead->second_min || bytes[1] > lead->second_max))
		return 0;
	/* The lead byte carries 7, 5, 4 or 3 bits. */
	sum = lead->len == 1 ? bytes[0] : bytes[0] & (0x7fu >> lead->len);
	for (size_t i = 1; i < lead->len; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		sum = sum << 6 | (bytes[i] & 0x3fu);
	}
	*point = sum;
	return lead->len;
}

size_t utf8_fit(const char *text, size_t len, size_t max)
{
	if (len <= max)
		return len;
	/* Only a character that starts in the last three bytes can reach past max. */
	for (size_t back = 1; back <= 3 && back <= max; back++) {
		uint32_t point;
		size_t start = max - back;

		if (utf8_next(text + start, len - start, &point) > back)
			return start;
	}
	return max;
}

bool utf8_is_valid(const char *text, size_t len)
{
	for (size_t at = 0, step; at < len; at += step) {
		uint32_t point;

		step = utf8_next(text + at, len - at, &point);
		if (step == 0)
			return false;
	}
	return true;
}

bool utf8_is_control(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point <= 0x9f);
}
