#include "net/ws_frame.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "net/ws.h"

#define HEAD_MAX 10

struct ws_frame {
	unsigned refs;
	unsigned head_len; /* 0: raw */
	size_t len;        /* of the payload */
	char bytes[];      /* head, payload, NUL */
};

static struct ws_frame *create(const void *head, size_t head_len, const void *payload, size_t len)
{
	struct ws_frame *frame = mem_alloc(sizeof(*frame) + head_len + len + 1);

	frame->refs = 1;
	frame->head_len = (unsigned)head_len;
	frame->len = len;
	if (head_len > 0)
		memcpy(frame->bytes, head, head_len);
	if (len > 0)
		memcpy(frame->bytes + head_len, payload, len);
	return frame;
}

/* The shortest form of the length that holds it. */
static size_t write_head(unsigned char head[HEAD_MAX], unsigned opcode, size_t len)
{
	size_t length_len = len < 126 ? 0 : len < 65536 ? 2 : 8;

	head[0] = (unsigned char)(0x80 | opcode);
	head[1] = (unsigned char)(length_len == 0 ? len : length_len == 2 ? 126 : 127);
	for (size_t i = 0; i < length_len; i++)
		head[2 + i] = (unsigned char)((uint64_t)len >> (8 * (length_len - 1 - i)));
	return 2 + length_len;
}

struct ws_frame *ws_frame_create(unsigned opcode, const void *payload, size_t len)
{
	unsigned char head[HEAD_MAX];
	size_t head_len = write_head(head, opcode, len);

	assert(opcode < WS_OP_CLOSE || len <= WS_CONTROL_MAX);
	return create(head, head_len, payload, len);
}

struct ws_frame *ws_frame_text(const char *text, size_t len)
{
	return ws_frame_create(WS_OP_TEXT, text, len);
}

struct ws_frame *ws_frame_raw(const void *bytes, size_t len)
{
	return create(NULL, 0, bytes, len);
}

/* A code that is never on the wire means a close frame without one. */
struct ws_frame *ws_frame_close(int code, const char *reason)
{
	char payload[WS_CONTROL_MAX] = { (char)(code >> 8), (char)code };
	size_t len;

	if (code == WS_CLOSE_NO_CODE || code == WS_CLOSE_ABNORMAL)
		return ws_frame_create(WS_OP_CLOSE, NULL, 0);
	if (!reason)
		reason = "";
	len = utf8_fit(reason, strlen(reason), sizeof(payload) - 2);
	memcpy(payload + 2, reason, len);
	return ws_frame_create(WS_OP_CLOSE, payload, 2 + len);
}

struct ws_frame *ws_frame_ref(struct ws_frame *frame)
{
	frame->refs++;
	return frame;
}

void ws_frame_unref(struct ws_frame *frame)
{
	if (frame && --frame->refs == 0)
		mem_free(frame);
}

const char *ws_frame_payload(const struct ws_frame *frame, size_t *len)
{
	*len = frame->len;
	return frame->bytes + frame->head_len;
}

size_t ws_frame_size(const struct ws_frame *frame)
{
	return frame->head_len + frame->len;
}

const char *ws_frame_bytes(const struct ws_frame *frame)
{
	return frame->bytes;
}

bool ws_frame_is_raw(const struct ws_frame *frame)
{
	return frame->head_len == 0;
}
