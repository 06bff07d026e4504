#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define FIRST_ROOM 64

void buf_init(struct buf *buf, size_t max)
{
	*buf = (struct buf){ .max = max };
}

void buf_fini(struct buf *buf)
{
	mem_free(buf->data);
	buf_init(buf, buf->max);
}

void buf_clear(struct buf *buf)
{
	buf_truncate(buf, 0);
}

void buf_truncate(struct buf *buf, size_t len)
{
	assert(len <= buf->len);
	buf->len = len;
	buf->is_full = false;
	if (buf->data)
		buf->data[len] = '\0';
}

/* Makes room for more bytes and a NUL; false once the bound has been met. */
static bool reserve(struct buf *buf, size_t more)
{
	size_t room = buf->room ? buf->room : FIRST_ROOM;

	if (buf->is_full || more > buf->max - buf->len || buf->max == SIZE_MAX) {
		buf->is_full = true;
		return false;
	}
	while (room < buf->len + more + 1)
		room = room > SIZE_MAX / 2 ? SIZE_MAX : room * 2;
	if (room > buf->max + 1)
		room = buf->max + 1;
	if (room > buf->room) {
		buf->data = mem_grow(buf->data, room);
		buf->room = room;
	}
	return true;
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
	if (!reserve(buf, len))
		return;
	if (len > 0)
		memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void buf_add_str(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_add_char(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args, again;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	if (len < 0) {
		buf->is_full = true;
	} else if (reserve(buf, (size_t)len)) {
		vsnprintf(buf->data + buf->len, (size_t)len + 1, format, again);
		buf->len += (size_t)len;
	}
	va_end(again);
	va_end(args);
}

void buf_add_hex(struct buf *buf, const void *bytes, size_t len)
{
	if (len > SIZE_MAX / 2 || !reserve(buf, 2 * len)) {
		buf->is_full = true;
		return;
	}
	hex_encode(bytes, len, buf->data + buf->len);
	buf->len += 2 * len;
}

const char *buf_str(const struct buf *buf)
{
	return buf->data ? buf->data : "";
}

char *buf_take(struct buf *buf)
{
	char *data = buf->data ? buf->data : mem_strdup("");

	buf_init(buf, buf->max);
	return data;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool hex_decode(const char *hex, size_t hex_len, void *bytes, size_t room, size_t *len)
{
	uint8_t *to = bytes;

	if (hex_len % 2 != 0 || hex_len / 2 > room)
		return false;
	for (size_t i = 0; i < hex_len; i += 2) {
		int high = hex_value(hex[i]), low = hex_value(hex[i + 1]);

		if (high < 0 || low < 0)
			return false;
		*to++ = (uint8_t)(high << 4 | low);
	}
	*len = hex_len / 2;
	return true;
}

void hex_encode(const void *bytes, size_t len, char *hex)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *from = bytes;

	for (size_t i = 0; i < len; i++) {
		*hex++ = digits[from[i] >> 4];
		*hex++ = digits[from[i] & 15];
	}
	*hex = '\0';
}
