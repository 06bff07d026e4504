#include "client/bech32.h"

#include <string.h>

#include "base/secret.h"

#define CHECKSUM_LEN 6

static bool refuse(struct err *err, const char *what)
{
	return err_set(err, ERR_OPKEY, "bech32: %s", what);
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static char to_lower(char c)
{
	return is_upper(c) ? (char)(c - 'A' + 'a') : c;
}

static bool has_one_case(const char *text, size_t len)
{
	bool lower = false, upper = false;

	for (size_t i = 0; i < len; i++) {
		lower |= is_lower(text[i]);
		upper |= is_upper(text[i]);
	}
	return !lower || !upper;
}

/* The prefix ends at the last '1', but no prefix we ask for holds one, nor does the data. */
static bool has_prefix(const char *text, size_t len, const char *prefix)
{
	size_t prefix_len = strlen(prefix);

	if (len <= prefix_len || text[prefix_len] != '1')
		return false;
	for (size_t i = 0; i < prefix_len; i++)
		if (to_lower(text[i]) != prefix[i])
			return false;
	return true;
}

static int digit_value(char c)
{
	static const char digits[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
	const char *at = c == '\0' ? NULL : strchr(digits, to_lower(c));

	return at ? (int)(at - digits) : -1;
}

static uint32_t checksum_step(uint32_t sum, unsigned value)
{
	static const uint32_t generator[] = { 0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
					      0x2a1462b3 };
	uint32_t top = sum >> 25;

	sum = (sum & 0x1ffffff) << 5 ^ value;
	for (unsigned i = 0; i < 5; i++)
		if (top >> i & 1)
			sum ^= generator[i];
	return sum;
}

static bool checksum_holds(const char *prefix, const char *data, size_t data_len)
{
	uint32_t sum = 1;

	for (const char *c = prefix; *c; c++)
		sum = checksum_step(sum, (unsigned char)*c >> 5);
	sum = checksum_step(sum, 0);
	for (const char *c = prefix; *c; c++)
		sum = checksum_step(sum, *c & 31);
	for (size_t i = 0; i < data_len; i++) {
		int value = digit_value(data[i]);

		if (value < 0)
			return false;
		sum = checksum_step(sum, (unsigned)value);
	}
	return sum == 1;
}

/* Regroups digits of 5 bits into bytes; false when the bits left over are not all zero. */
static bool unpack(const char *data, size_t digits, uint8_t *bytes)
{
	unsigned bits = 0, bit_count = 0;
	size_t at = 0;

	for (size_t i = 0; i < digits; i++) {
		bits = (bits << 5 | (unsigned)digit_value(data[i])) & 0xfff;
		bit_count += 5;
		if (bit_count >= 8) {
			bit_count -= 8;
			bytes[at++] = (uint8_t)(bits >> bit_count);
		}
	}
	return (bits & ((1u << bit_count) - 1)) == 0;
}

bool bech32_decode(const char *text, size_t len, const char *prefix, uint8_t *bytes,
		   size_t bytes_len, struct err *err)
{
	size_t digits = (bytes_len * 8 + 4) / 5;
	const char *data;
	size_t data_len;

	if (!has_one_case(text, len))
		return refuse(err, "upper and lower case mixed");
	if (!has_prefix(text, len, prefix))
		return err_set(err, ERR_OPKEY, "bech32: the prefix is not %s", prefix);
	data = text + strlen(prefix) + 1;
	data_len = len - strlen(prefix) - 1;
	if (data_len != digits + CHECKSUM_LEN)
		return refuse(err, "wrong length");
	if (!checksum_holds(prefix, data, data_len))
		return refuse(err, "wrong character or checksum");
	if (!unpack(data, digits, bytes)) {
		secret_wipe(bytes, bytes_len);
		return refuse(err, "padding bits set");
	}
	return true;
}
