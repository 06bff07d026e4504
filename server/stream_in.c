#include "server/stream_in.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "server/auth.h"
#include "server/json_in.h"

#define SEQ_DIGITS_MAX 16 /* of 2^53 */

/* ---- messages --------------------------------------------------------------------------- */

static void read_channel(struct json_in *in, struct hub_wish *wish)
{
	if (!json_in_text(in, "ch", wish->channel, sizeof(wish->channel)))
		json_in_refuse(in, ERR_INVALID, "ch is needed: the channel's name");
}

static void read_after(struct json_in *in, struct hub_wish *wish)
{
	struct json_in *after = json_in_object(in, "after");
	int64_t seq = 0;

	if (!after)
		return;
	wish->has_after = true;
	if (!json_in_text(after, "epoch", wish->epoch, sizeof(wish->epoch)))
		json_in_refuse(after, ERR_INVALID, "epoch is needed: the one that hello told");
	if (!json_in_int(after, "seq", 0, STREAM_NUMBER_MAX, &seq))
		json_in_refuse(after, ERR_INVALID, "seq is needed: the last one received");
	wish->seq = (uint64_t)seq;
	json_in_object_end(in, after, "after");
}

static void read_owner(struct json_in *in, struct hub_wish *wish)
{
	static const char *const words[] = { "own", "any" };
	size_t index;

	if (json_in_word(in, "owner", words, ARRAY_LEN(words), &index))
		wish->owner = index == 0 ? HUB_OWNER_OWN : HUB_OWNER_ANY;
}

static void read_op(struct json_in *in, struct stream_message *message)
{
	static const char *const words[] = { [STREAM_AUTH] = "auth",
					     [STREAM_SUBSCRIBE] = "subscribe",
					     [STREAM_UNSUBSCRIBE] = "unsubscribe",
					     [STREAM_PING] = "ping" };
	size_t index = STREAM_PING;

	if (!json_in_word(in, "op", words, ARRAY_LEN(words), &index))
		json_in_refuse(in, ERR_INVALID, "op is needed");
	message->op = (enum stream_op)index;
}

static void read_rest(struct json_in *in, struct stream_message *message)
{
	switch (message->op) {
	case STREAM_AUTH:
		if (!json_in_secret(in, "token", AUTH_TOKEN_TEXT_LEN - 1, &message->token))
			json_in_refuse(in, ERR_INVALID, "token is needed");
		break;
	case STREAM_SUBSCRIBE:
		read_channel(in, &message->wish);
		read_after(in, &message->wish);
		read_owner(in, &message->wish);
		break;
	case STREAM_UNSUBSCRIBE:
		read_channel(in, &message->wish);
		break;
	case STREAM_PING:
		break;
	}
}

bool stream_in_parse(const char *text, size_t len, struct stream_message *message, struct err *err)
{
	struct json_in *in;
	bool is_fine;

	memset(message, 0, sizeof(*message));
	message->id = -1;
	if (len > STREAM_MESSAGE_MAX)
		return err_set(err, ERR_BAD_JSON, "a message has at most %d bytes",
			       STREAM_MESSAGE_MAX);
	in = json_in_parse_message(text, len, err);
	if (!in)
		return false;
	(void)json_in_int(in, "id", 0, STREAM_NUMBER_MAX, &message->id);
	message->wish.id = message->id;
	read_op(in, message);
	read_rest(in, message);
	is_fine = json_in_end(in, err);
	json_in_destroy(in);
	return is_fine;
}

void stream_message_fini(struct stream_message *message)
{
	secret_destroy(message->token);
	message->token = NULL;
}

/* ---- positions -------------------------------------------------------------------------- */

static bool is_epoch(const char *text, size_t len)
{
	struct hub_wish wish;

	return len > 0 && len < sizeof(wish.epoch) && !memchr(text, '=', len);
}

/* "orders=831" */
static bool is_position(const char *text, size_t len)
{
	const char *equals = memchr(text, '=', len);
	size_t digits = equals ? (size_t)(text + len - equals - 1) : 0;

	return equals && equals > text && equals - text < HUB_CHANNEL_LEN && digits > 0 &&
	       digits <= SEQ_DIGITS_MAX && strspn(equals + 1, "0123456789") == digits;
}

bool stream_in_check_positions(const char *text, struct err *err)
{
	size_t len = strcspn(text, ";");
	bool is_fine = is_epoch(text, len);

	while (is_fine && text[len] == ';') {
		text += len + 1;
		len = strcspn(text, ";");
		is_fine = is_position(text, len);
	}
	return is_fine || err_set(err, ERR_INVALID,
				  "a position is what an event's id was: an epoch, and a number "
				  "for each channel");
}

void stream_in_position(const char *text, struct hub_wish *wish)
{
	size_t epoch_len = strcspn(text, ";"), name_len = strlen(wish->channel);
	const char *at = text + epoch_len;

	while (*at == ';') {
		at++;
		if (strncmp(at, wish->channel, name_len) == 0 && at[name_len] == '=') {
			wish->has_after = true;
			memcpy(wish->epoch, text, epoch_len);
			wish->epoch[epoch_len] = '\0';
			wish->seq = strtoull(at + name_len + 1, NULL, 10);
			return;
		}
		at += strcspn(at, ";");
	}
}
