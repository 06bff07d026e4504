#include "sim/draw.h"

#include <sodium.h>
#include <string.h>

#include "base/buf.h"

void draw_bytes(uint64_t seed, const char *series, uint64_t n, void *bytes, size_t len)
{
	uint8_t numbers[16], digest[crypto_generichash_BYTES_MAX];
	crypto_generichash_state state;

	for (int i = 0; i < 8; i++) {
		numbers[i] = (uint8_t)(seed >> (8 * i));
		numbers[8 + i] = (uint8_t)(n >> (8 * i));
	}
	crypto_generichash_init(&state, NULL, 0, sizeof(digest));
	crypto_generichash_update(&state, numbers, sizeof(numbers));
	crypto_generichash_update(&state, (const uint8_t *)series, strlen(series));
	crypto_generichash_final(&state, digest, sizeof(digest));
	memcpy(bytes, digest, len < sizeof(digest) ? len : sizeof(digest));
}

uint64_t draw_number(uint64_t seed, const char *series, uint64_t n)
{
	uint64_t number;

	draw_bytes(seed, series, n, &number, sizeof(number));
	return number;
}

int64_t draw_range(uint64_t seed, const char *series, uint64_t n, int64_t low, int64_t high)
{
	uint64_t span = (uint64_t)(high - low) + 1;

	return high <= low ? low : low + (int64_t)(draw_number(seed, series, n) % span);
}

void draw_uuid(uint64_t seed, const char *series, uint64_t n, char text[UUID_TEXT_LEN])
{
	static const int starts[] = { 0, 4, 6, 8, 10, 16 };
	uint8_t id[16];
	char *at = text;

	draw_bytes(seed, series, n, id, sizeof(id));
	id[6] = (uint8_t)((id[6] & 0x0f) | 0x40);
	id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
	for (int part = 0; part < 5; part++) {
		size_t len = (size_t)(starts[part + 1] - starts[part]);

		hex_encode(id + starts[part], len, at);
		at += 2 * len;
		*at++ = part < 4 ? '-' : '\0';
	}
}

void uuid_bytes(const char text[UUID_TEXT_LEN], uint8_t bytes[16])
{
	char hex[33];
	size_t digits = 0, len;

	for (const char *c = text; *c && digits < 32; c++)
		if (*c != '-')
			hex[digits++] = *c;
	hex[digits] = '\0';
	if (!hex_decode(hex, digits, bytes, 16, &len) || len != 16)
		memset(bytes, 0, 16);
}
