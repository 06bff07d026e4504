#include "sim/cbor.h"

#include "base/buf.h"

#define DEPTH_MAX 32
#define BREAK     0xff

void cbor_head(struct buf *to, enum cbor_major major, uint64_t value)
{
	static const struct {
		uint64_t below;
		int extra;
		uint8_t info;
	} forms[] = { { 24, 0, 0 }, { 0x100, 1, 24 }, { 0x10000, 2, 25 }, { 0x100000000, 4, 26 } };
	size_t form = 0;
	int extra = 8;
	uint8_t info = 27;

	while (form < 4 && value >= forms[form].below)
		form++;
	if (form < 4) {
		extra = forms[form].extra;
		info = extra == 0 ? (uint8_t)value : forms[form].info;
	}
	buf_add_char(to, (char)((int)major << 5 | info));
	while (extra-- > 0)
		buf_add_char(to, (char)(value >> 8 * extra & 0xff));
}

void cbor_uint(struct buf *to, uint64_t value)
{
	cbor_head(to, CBOR_UINT, value);
}

void cbor_bytes(struct buf *to, const void *bytes, size_t len)
{
	cbor_head(to, CBOR_BYTES, len);
	buf_add(to, bytes, len);
}

void cbor_open(struct buf *to, enum cbor_major major)
{
	buf_add_char(to, (char)((int)major << 5 | 31));
}

void cbor_close(struct buf *to)
{
	buf_add_char(to, (char)BREAK);
}

void cbor_true(struct buf *to)
{
	buf_add_char(to, (char)0xf5);
}

void cbor_null(struct buf *to)
{
	buf_add_char(to, (char)0xf6);
}

bool cbor_next(struct cbor_in *in, struct cbor_item *item)
{
	size_t extra = 0;
	uint8_t info;

	if (in->at >= in->end)
		return false;
	item->major = *in->at >> 5;
	info = *in->at++ & 31;
	item->is_open = info == 31;
	item->value = info < 24 ? info : 0;
	if (item->is_open)
		return item->major >= CBOR_BYTES && item->major <= CBOR_MAP;
	if (info > 27)
		return false;
	if (info >= 24)
		extra = (size_t)1 << (info - 24);
	if (extra > (size_t)(in->end - in->at))
		return false;
	while (extra-- > 0)
		item->value = item->value << 8 | *in->at++;
	return true;
}

bool cbor_has_more(struct cbor_in *in, const struct cbor_item *item, uint64_t *seen)
{
	if (!item->is_open)
		return (*seen)++ < item->value;
	if (in->at < in->end && *in->at == BREAK) {
		in->at++;
		return false;
	}
	(*seen)++;
	return true;
}

static bool skip_string(struct cbor_in *in, const struct cbor_item *item)
{
	uint64_t seen = 0;
	struct cbor_item chunk;

	if (!item->is_open) {
		if (item->value > (uint64_t)(in->end - in->at))
			return false;
		in->at += item->value;
		return true;
	}
	while (cbor_has_more(in, item, &seen))
		if (!cbor_next(in, &chunk) || chunk.is_open || chunk.major != item->major ||
		    !skip_string(in, &chunk))
			return false;
	return true;
}

static bool skip_at(struct cbor_in *in, int depth);

/* Every element takes a byte at least, so a lying count ends with the bytes. */
static bool skip_elements(struct cbor_in *in, const struct cbor_item *item, int depth)
{
	uint64_t seen = 0;

	while (cbor_has_more(in, item, &seen)) {
		if (!skip_at(in, depth + 1))
			return false;
		if (item->major == CBOR_MAP && !skip_at(in, depth + 1))
			return false;
	}
	return true;
}

static bool skip_at(struct cbor_in *in, int depth)
{
	struct cbor_item item;

	if (depth > DEPTH_MAX || !cbor_next(in, &item))
		return false;
	switch (item.major) {
	case CBOR_UINT:
	case CBOR_NINT:
	case CBOR_OTHER:
		return true;
	case CBOR_BYTES:
	case CBOR_TEXT:
		return skip_string(in, &item);
	case CBOR_ARRAY:
	case CBOR_MAP:
		return skip_elements(in, &item, depth);
	case CBOR_TAG:
		return skip_at(in, depth + 1);
	}
	return false;
}

bool cbor_skip(struct cbor_in *in)
{
	return skip_at(in, 0);
}

bool cbor_fixed_bytes(struct cbor_in *in, size_t len, const uint8_t **bytes)
{
	struct cbor_item item;

	if (!cbor_next(in, &item) || item.major != CBOR_BYTES || item.is_open ||
	    item.value != len || len > (size_t)(in->end - in->at))
		return false;
	*bytes = in->at;
	in->at += len;
	return true;
}
