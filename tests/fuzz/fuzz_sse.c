/* Any server-sent events: the same in one piece and cut anywhere, and each within its bound. The
 * first byte says where to cut. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/sse.h"

#define EVENT_MAX 256
#define TOLD_MAX  (16 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool take(void *arg, const char *data, size_t len)
{
	struct buf *told = arg;

	assert(len > 0 && len <= EVENT_MAX && data[len] == '\0');
	buf_add(told, data, len);
	buf_add_char(told, '\0');
	return true;
}

static bool feed(struct buf *told, const char *text, size_t len, size_t piece)
{
	struct sse sse;
	bool is_fine = true, is_enough;
	struct err err = { .code = ERR_NONE };

	sse_init(&sse, EVENT_MAX, take, told);
	for (size_t at = 0; at < len && is_fine; at += piece) {
		size_t part = len - at < piece ? len - at : piece;
		char *copy = mem_alloc(part); /* of its own size, so that a byte too many shows */

		memcpy(copy, text + at, part);
		is_fine = sse_feed(&sse, copy, part, &is_enough, &err);
		mem_free(copy);
	}
	assert(is_fine == (err.code == ERR_NONE));
	sse_fini(&sse);
	return is_fine;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;
	struct buf whole, cut;

	if (size < 2)
		return 0;
	buf_init(&whole, TOLD_MAX);
	buf_init(&cut, TOLD_MAX);
	/* An event that is too long ends it, whether whole or not: what was told before is equal.
	 */
	assert(feed(&whole, text, size - 1, size - 1) ==
	       feed(&cut, text, size - 1, (size_t)data[0] % 64 + 1));
	assert(whole.len == cut.len);
	assert(whole.len == 0 || memcmp(whole.data, cut.data, whole.len) == 0);
	buf_fini(&whole);
	buf_fini(&cut);
	return 0;
}
