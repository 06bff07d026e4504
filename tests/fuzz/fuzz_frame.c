/* Any bytes as a WebSocket client's frames: what comes of them is within its bounds, and the same
 * however they are cut. The first byte says how. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "net/ws.h"
#include "net/ws_parse.h"

#define MESSAGE_MAX 500

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* All that was told, one after the other. */
struct story {
	struct ws_parse parse;
	struct buf told;
	bool is_over;
};

static void check(const struct ws_event *event)
{
	switch (event->kind) {
	case WS_EVENT_MORE:
	case WS_EVENT_PONG:
		break;
	case WS_EVENT_MESSAGE:
		assert(event->bytes && event->len <= MESSAGE_MAX);
		assert(!event->is_text || utf8_is_valid(event->bytes, event->len));
		break;
	case WS_EVENT_PING:
		assert(event->bytes && event->len <= WS_CONTROL_MAX);
		break;
	case WS_EVENT_CLOSE:
		assert((event->code >= 1000 && event->code < 1015 &&
			event->code != WS_CLOSE_ABNORMAL) ||
		       (event->code >= 3000 && event->code <= 4999));
		break;
	case WS_EVENT_BAD:
		assert(event->why &&
		       (event->code == WS_CLOSE_PROTOCOL || event->code == WS_CLOSE_INVALID ||
			event->code == WS_CLOSE_TOO_BIG));
		break;
	}
}

static void note(struct story *story, const struct ws_event *event)
{
	if (event->kind == WS_EVENT_MORE)
		return;
	buf_printf(&story->told, "%d %d %d:", event->kind, event->is_text, event->code);
	if (event->kind == WS_EVENT_MESSAGE || event->kind == WS_EVENT_PING)
		buf_add(&story->told, event->bytes, event->len);
	story->is_over = event->kind == WS_EVENT_CLOSE || event->kind == WS_EVENT_BAD;
}

/* Each piece is of its own size, so that a byte too many is noticed. */
static void feed(struct story *story, const uint8_t *data, size_t len)
{
	char *piece = mem_alloc(len), *at = piece;
	struct ws_event event = { .kind = WS_EVENT_PONG };

	memcpy(piece, data, len);
	while (event.kind != WS_EVENT_MORE && !story->is_over) {
		size_t used = ws_parse_next(&story->parse, at, len, &event);

		assert(used <= len);
		at += used;
		len -= used;
		check(&event);
		note(story, &event);
	}
	assert(len == 0 || story->is_over);
	assert(story->parse.joined.len <= MESSAGE_MAX);
	mem_free(piece);
}

static void feed_in_pieces(struct story *story, const uint8_t *data, size_t size, size_t piece)
{
	ws_parse_init(&story->parse, MESSAGE_MAX);
	buf_init(&story->told, 64 * size + 64);
	story->is_over = false;
	for (size_t at = 0; at < size && !story->is_over; at += piece)
		feed(story, data + at, size - at < piece ? size - at : piece);
	assert(!story->told.is_full);
	ws_parse_fini(&story->parse);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct story whole, cut;

	if (size < 2)
		return 0;
	feed_in_pieces(&whole, data + 1, size - 1, size);
	feed_in_pieces(&cut, data + 1, size - 1, 1 + data[0] % 32);
	assert(whole.told.len == cut.told.len);
	assert(whole.told.len == 0 || memcmp(whole.told.data, cut.told.data, cut.told.len) == 0);
	buf_fini(&whole.told);
	buf_fini(&cut.told);
	return 0;
}
