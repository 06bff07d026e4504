/* Any message of a subscriber to the local stream, and any line of positions: refused with a
 * reason, or what it says is within its bounds. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "server/auth.h"
#include "server/stream_in.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	bool is_locked;
	struct err err;

	(void)argc, (void)argv;
	assert(secret_init(&is_locked, &err));
	return 0;
}

static void check_message(const struct stream_message *message)
{
	const struct hub_wish *wish = &message->wish;
	size_t channel_len = strnlen(wish->channel, sizeof(wish->channel));

	assert(message->id >= -1 && message->id <= STREAM_NUMBER_MAX && wish->id == message->id);
	assert((message->op == STREAM_AUTH) == (message->token != NULL));
	assert(!message->token || secret_len(message->token) < AUTH_TOKEN_TEXT_LEN);
	assert(channel_len < sizeof(wish->channel));
	assert((channel_len > 0) ==
	       (message->op == STREAM_SUBSCRIBE || message->op == STREAM_UNSUBSCRIBE));
	assert(!wish->has_after || message->op == STREAM_SUBSCRIBE);
	assert(wish->has_after == (wish->epoch[0] != '\0'));
	assert(wish->seq <= (uint64_t)STREAM_NUMBER_MAX);
}

static void check_positions(const char *text)
{
	struct hub_wish wish = { .id = -1, .channel = "orders" };
	struct err err;

	if (!stream_in_check_positions(text, &err)) {
		assert(err.code == ERR_INVALID);
		return;
	}
	stream_in_position(text, &wish);
	assert(strnlen(wish.epoch, sizeof(wish.epoch)) < sizeof(wish.epoch));
	assert(wish.has_after == (strstr(text, ";orders=") != NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of its own size, so that a byte too many is noticed. */
	char *text = mem_strndup((const char *)data, size);
	struct stream_message message;
	struct err err = { .code = ERR_NONE };

	if (stream_in_parse(text, size, &message, &err))
		check_message(&message);
	else
		assert(err.code != ERR_NONE && utf8_is_valid(err.text, strlen(err.text)));
	stream_message_fini(&message);
	check_positions(text);
	mem_free(text);
	return 0;
}
