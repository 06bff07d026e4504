/* Any bytes as the head of an upgrade: taken only if every part is there, and in bounds. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "net/http_screen.h"
#include "net/upgrade.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct upgrade *upgrade)
{
	assert(upgrade_path(upgrade)[0] == '/' && !strchr(upgrade_path(upgrade), '?'));
	assert(strlen(upgrade_query(upgrade)) < HTTP_HEAD_MAX);
	assert(upgrade_header_count(upgrade, "Host") == 1);
	assert(upgrade_header_count(upgrade, "Content-Length") == 0);
	assert(strlen(upgrade_header(upgrade, "Sec-WebSocket-Key")) == 24);
	assert(upgrade_offers(upgrade, "Connection", "upgrade", false));
	assert(upgrade->header_count <= UPGRADE_HEADERS_MAX);
	for (size_t i = 0; i < upgrade->header_count; i++)
		assert(upgrade->headers[i].name[0] && !strpbrk(upgrade->headers[i].value, "\r\n"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct upgrade upgrade;
	/* Of its own size, so that a byte too many is noticed. */
	char *head = mem_alloc(size);
	size_t used;

	if (size > 0)
		memcpy(head, data, size);
	used = upgrade_read(&upgrade, head, size);
	assert(used <= size && used <= HTTP_HEAD_MAX);
	if (used > 0) {
		check(&upgrade);
		assert(http_screen(head, size) == HTTP_SCREEN_FINE);
	}
	mem_free(head);
	return 0;
}
