#include "client/cbor.h"

#include <string.h>

enum { INFO_ONE_BYTE = 24, INFO_EIGHT_BYTES = 27, INFO_INDEFINITE = 31 };

/* An open container in cbor_skip(). A tag is an array of one. */
struct frame {
	uint64_t left; /* items; of an indefinite map: 1 while a value is due, else 0 */
	enum cbor_major kind;
	bool is_indefinite;
};

struct stack {
	struct frame frames[CBOR_DEPTH_MAX];
	size_t depth;
};

static bool refuse(const struct cbor_reader *reader, struct err *err, const char *what)
{
	return err_set(err, ERR_TX, "CBOR: %s at byte %zu", what, reader->at);
}

static size_t bytes_left(const struct cbor_reader *reader)
{
	return reader->len - reader->at;
}

static bool read_argument(struct cbor_reader *reader, unsigned info, uint64_t *value,
			  struct err *err)
{
	size_t width;

	*value = info;
	if (info < INFO_ONE_BYTE)
		return true;
	if (info > INFO_EIGHT_BYTES)
		return refuse(reader, err, "reserved head");
	width = (size_t)1 << (info - INFO_ONE_BYTE);
	if (bytes_left(reader) < width)
		return refuse(reader, err, "cut off inside a head");
	for (*value = 0; width > 0; width--)
		*value = *value << 8 | reader->bytes[reader->at++];
	return true;
}

static bool read_indefinite(struct cbor_reader *reader, struct cbor_head *head, struct err *err)
{
	head->is_indefinite = true;
	head->value = 0;
	if (head->major == CBOR_UNSIGNED || head->major == CBOR_NEGATIVE || head->major == CBOR_TAG)
		return refuse(reader, err, "indefinite number or tag");
	return true;
}

/* Counts are compared with what is left by division: twice a count may not fit 64 bits. */
static bool check_size(const struct cbor_reader *reader, const struct cbor_head *head,
		       struct err *err)
{
	size_t left = bytes_left(reader);

	if ((head->major == CBOR_BYTES || head->major == CBOR_TEXT) && head->value > left)
		return refuse(reader, err, "cut off inside a string");
	if (head->major == CBOR_ARRAY && head->value > left)
		return refuse(reader, err, "more items announced than bytes left");
	if (head->major == CBOR_MAP && head->value > left / 2)
		return refuse(reader, err, "more pairs announced than bytes left");
	return true;
}

bool cbor_read_head(struct cbor_reader *reader, struct cbor_head *head, struct err *err)
{
	unsigned first, info;

	if (bytes_left(reader) == 0)
		return refuse(reader, err, "cut off");
	first = reader->bytes[reader->at++];
	info = first & 31;
	head->major = first >> 5;
	head->is_indefinite = false;
	if (info == INFO_INDEFINITE)
		return read_indefinite(reader, head, err);
	if (!read_argument(reader, info, &head->value, err))
		return false;
	if (head->major == CBOR_SIMPLE && info == INFO_ONE_BYTE && head->value < 32)
		return refuse(reader, err, "simple value in two bytes");
	return check_size(reader, head, err);
}

static bool push(struct stack *stack, const struct cbor_reader *reader,
		 const struct cbor_head *head, uint64_t items, struct err *err)
{
	if (stack->depth == CBOR_DEPTH_MAX)
		return refuse(reader, err, "nested too deeply");
	stack->frames[stack->depth++] = (struct frame){
		.left = items,
		.kind = head->major,
		.is_indefinite = head->is_indefinite,
	};
	return true;
}

/* One item has ended: it may end the containers round it as well. */
static void item_ended(struct stack *stack)
{
	while (stack->depth > 0) {
		struct frame *top = &stack->frames[stack->depth - 1];

		if (top->is_indefinite) {
			if (top->kind == CBOR_MAP)
				top->left ^= 1;
			return;
		}
		if (--top->left > 0)
			return;
		stack->depth--;
	}
}

static bool close_indefinite(struct stack *stack, const struct cbor_reader *reader, struct err *err)
{
	struct frame *top = stack->depth > 0 ? &stack->frames[stack->depth - 1] : NULL;

	if (!top || !top->is_indefinite)
		return refuse(reader, err, "stray break");
	if (top->left > 0)
		return refuse(reader, err, "map key without a value");
	stack->depth--;
	item_ended(stack);
	return true;
}

static bool is_chunked(const struct frame *frame)
{
	return frame->kind == CBOR_BYTES || frame->kind == CBOR_TEXT;
}

/* Only definite strings of the same kind may stand between the heads of a chunked string. */
static bool check_place(const struct stack *stack, const struct cbor_reader *reader,
			const struct cbor_head *head, struct err *err)
{
	const struct frame *top = stack->depth > 0 ? &stack->frames[stack->depth - 1] : NULL;

	if (top && is_chunked(top) && (head->major != top->kind || head->is_indefinite))
		return refuse(reader, err, "foreign chunk in a string");
	return true;
}

static bool open_item(struct stack *stack, struct cbor_reader *reader, const struct cbor_head *head,
		      struct err *err)
{
	uint64_t items = 0;

	if (!check_place(stack, reader, head, err))
		return false;
	if (head->is_indefinite)
		return push(stack, reader, head, 0, err);
	if (head->major == CBOR_BYTES || head->major == CBOR_TEXT)
		reader->at += head->value;
	else if (head->major == CBOR_ARRAY)
		items = head->value;
	else if (head->major == CBOR_MAP)
		items = 2 * head->value; /* check_size() has bounded it */
	else if (head->major == CBOR_TAG)
		items = 1;
	if (items > 0)
		return push(stack, reader, head, items, err);
	item_ended(stack);
	return true;
}

bool cbor_skip(struct cbor_reader *reader, struct err *err)
{
	struct stack stack; /* 8 KiB; only the frames below depth are ever read */

	stack.depth = 0;
	do {
		struct cbor_head head;
		bool ok;

		if (!cbor_read_head(reader, &head, err))
			return false;
		if (head.major == CBOR_SIMPLE && head.is_indefinite)
			ok = close_indefinite(&stack, reader, err);
		else
			ok = open_item(&stack, reader, &head, err);
		if (!ok)
			return false;
	} while (stack.depth > 0);
	return true;
}

bool cbor_read_list(struct cbor_reader *reader, enum cbor_major kind, struct cbor_list *list,
		    struct err *err)
{
	struct cbor_head head;

	if (!cbor_read_head(reader, &head, err))
		return false;
	if (head.major != kind)
		return refuse(reader, err, kind == CBOR_MAP ? "no map" : "no array");
	*list = (struct cbor_list){ .left = head.value, .is_indefinite = head.is_indefinite };
	return true;
}

bool cbor_list_more(struct cbor_reader *reader, struct cbor_list *list)
{
	if (!list->is_indefinite)
		return list->left > 0 && list->left--;
	if (bytes_left(reader) == 0 || reader->bytes[reader->at] != 0xff)
		return true; /* cut off: reading the item will say so */
	reader->at++;
	return false;
}

bool cbor_skip_set_tag(struct cbor_reader *reader, struct err *err)
{
	struct cbor_reader ahead = *reader;
	struct cbor_head head;

	if (!cbor_read_head(&ahead, &head, err))
		return false;
	if (head.major == CBOR_TAG && head.value == CBOR_TAG_SET)
		*reader = ahead;
	return true;
}

bool cbor_read_bytes(struct cbor_reader *reader, size_t len, const uint8_t **bytes, struct err *err)
{
	struct cbor_head head;

	if (!cbor_read_head(reader, &head, err))
		return false;
	if (head.major != CBOR_BYTES || head.is_indefinite)
		return refuse(reader, err, "no byte string in one piece");
	if (head.value != len)
		return refuse(reader, err, "byte string of another length");
	*bytes = reader->bytes + reader->at;
	reader->at += len;
	return true;
}

size_t cbor_write_head(enum cbor_major major, uint64_t value, uint8_t head[CBOR_HEAD_MAX])
{
	unsigned info = INFO_ONE_BYTE;
	size_t width = 1;

	if (value < INFO_ONE_BYTE) {
		head[0] = (uint8_t)(major << 5 | value);
		return 1;
	}
	while (width < 8 && value >> (8 * width) != 0) {
		width *= 2;
		info++;
	}
	head[0] = (uint8_t)(major << 5 | info);
	for (size_t i = 0; i < width; i++)
		head[1 + i] = (uint8_t)(value >> (8 * (width - 1 - i)));
	return 1 + width;
}
