#include "sim/bech32.h"

#include <string.h>

static const char charset[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static uint32_t polymod_step(uint32_t sum, uint8_t value)
{
	static const uint32_t generator[] = { 0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
					      0x2a1462b3 };
	uint32_t top = sum >> 25;

	sum = (sum & 0x1ffffff) << 5 ^ value;
	for (int i = 0; i < 5; i++)
		if (top >> i & 1)
			sum ^= generator[i];
	return sum;
}

static uint32_t prefix_sum(const char *prefix)
{
	uint32_t sum = 1;

	for (const char *c = prefix; *c; c++)
		sum = polymod_step(sum, (uint8_t)(*c >> 5));
	sum = polymod_step(sum, 0);
	for (const char *c = prefix; *c; c++)
		sum = polymod_step(sum, (uint8_t)(*c & 31));
	return sum;
}

/* Bits 5 x group to 5 x group + 4, padded with zero bits. */
static uint8_t group_at(const uint8_t *bytes, size_t len, size_t group)
{
	unsigned value = 0;

	for (size_t bit = 5 * group; bit < 5 * group + 5; bit++) {
		unsigned is_set = bit < 8 * len ? bytes[bit / 8] >> (7 - bit % 8) & 1u : 0;

		value = value << 1 | is_set;
	}
	return (uint8_t)value;
}

void bech32_encode(const char *prefix, const uint8_t *bytes, size_t len, char *text)
{
	uint32_t sum = prefix_sum(prefix);

	memcpy(text, prefix, strlen(prefix));
	text += strlen(prefix);
	*text++ = '1';
	for (size_t group = 0; group < (8 * len + 4) / 5; group++) {
		uint8_t value = group_at(bytes, len, group);

		*text++ = charset[value];
		sum = polymod_step(sum, value);
	}
	for (int i = 0; i < 6; i++)
		sum = polymod_step(sum, 0);
	sum ^= 1;
	for (int i = 0; i < 6; i++)
		*text++ = charset[sum >> 5 * (5 - i) & 31];
	*text = '\0';
}
