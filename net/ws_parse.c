#include "net/ws_parse.h"

#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "net/ws.h"

#define FIN      0x80u
#define RESERVED 0x70u
#define OPCODE   0x0fu
#define MASKED   0x80u
#define LENGTH   0x7fu

void ws_parse_init(struct ws_parse *parse, size_t message_max)
{
	memset(parse, 0, sizeof(*parse));
	parse->message_max = message_max;
	buf_init(&parse->joined, message_max);
}

void ws_parse_fini(struct ws_parse *parse)
{
	buf_fini(&parse->joined);
}

static void bad(struct ws_event *event, int code, const char *why)
{
	event->kind = WS_EVENT_BAD;
	event->code = code;
	event->why = why;
}

static unsigned opcode_of(const struct ws_parse *parse)
{
	return parse->head[0] & OPCODE;
}

static bool is_control(const struct ws_parse *parse)
{
	return opcode_of(parse) >= WS_OP_CLOSE;
}

static unsigned length_len(const struct ws_parse *parse)
{
	unsigned length = parse->head[1] & LENGTH;

	return length == 126 ? 2 : length == 127 ? 8 : 0;
}

/* Two bytes tell how long the head is. */
static unsigned head_needs(const struct ws_parse *parse)
{
	if (parse->head_len < 2)
		return 2;
	return 2 + length_len(parse) + 4;
}

static size_t take_head(struct ws_parse *parse, const char *bytes, size_t len)
{
	size_t used = 0;

	while (used < len && parse->head_len < head_needs(parse))
		parse->head[parse->head_len++] = (unsigned char)bytes[used++];
	return used;
}

static bool has_head(const struct ws_parse *parse)
{
	return parse->head_len >= 2 && parse->head_len == head_needs(parse);
}

static uint64_t payload_len(const struct ws_parse *parse)
{
	unsigned count = length_len(parse);
	uint64_t len = 0;

	if (count == 0)
		return parse->head[1] & LENGTH;
	for (unsigned i = 0; i < count; i++)
		len = len << 8 | parse->head[2 + i];
	return len;
}

/* NULL, or what is wrong with the first two bytes. */
static const char *judge_head(const struct ws_parse *parse)
{
	unsigned opcode = opcode_of(parse);
	bool is_final = parse->head[0] & FIN;

	if (parse->head[0] & RESERVED)
		return "reserved bits are set";
	if (!(parse->head[1] & MASKED))
		return "the frame is not masked";
	if (is_control(parse)) {
		if (opcode > WS_OP_PONG)
			return "unknown opcode";
		if (!is_final)
			return "a control frame in fragments";
		return (parse->head[1] & LENGTH) > WS_CONTROL_MAX ? "a control frame too long"
								  : NULL;
	}
	if (opcode > WS_OP_BINARY)
		return "unknown opcode";
	if (opcode == WS_OP_CONTINUE && !parse->message_op)
		return "a continuation of nothing";
	if (opcode != WS_OP_CONTINUE && parse->message_op)
		return "a message within a message";
	return NULL;
}

/* The length must be in its shortest form. */
static bool is_shortest(const struct ws_parse *parse, uint64_t len)
{
	unsigned count = length_len(parse);

	return count == 0 || (count == 2 ? len >= 126 : len >= 65536 && !(len >> 63));
}

static bool start_payload(struct ws_parse *parse, struct ws_event *event)
{
	uint64_t len = payload_len(parse);

	if (!is_shortest(parse, len)) {
		bad(event, WS_CLOSE_PROTOCOL, "a length not in its shortest form");
		return false;
	}
	if (!is_control(parse)) {
		if (len > parse->message_max - parse->joined.len) {
			bad(event, WS_CLOSE_TOO_BIG, "the message is too long");
			return false;
		}
		if (opcode_of(parse) != WS_OP_CONTINUE)
			parse->message_op = opcode_of(parse);
	}
	parse->left = len;
	parse->mask_at = 0;
	parse->control_len = 0;
	return true;
}

static void unmask(struct ws_parse *parse, char *bytes, size_t len)
{
	const unsigned char *mask = parse->head + parse->head_len - 4;

	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(bytes[i] ^ mask[(parse->mask_at + i) & 3]);
	parse->mask_at = (unsigned)((parse->mask_at + len) & 3);
}

/* RFC 6455, section 7.4, and what has been registered since. */
static bool is_close_code(int code)
{
	return (code >= 1000 && code <= 1014 && code != 1004 && code != WS_CLOSE_NO_CODE &&
		code != WS_CLOSE_ABNORMAL) ||
	       (code >= 3000 && code <= 4999);
}

static void end_close(struct ws_event *event)
{
	const unsigned char *code = (const unsigned char *)event->bytes;

	event->kind = WS_EVENT_CLOSE;
	event->code = WS_CLOSE_NO_CODE;
	if (event->len == 0)
		return;
	if (event->len >= 2)
		event->code = code[0] << 8 | code[1];
	if (event->len < 2 || !is_close_code(event->code))
		bad(event, WS_CLOSE_PROTOCOL, "a close code that may not be sent");
	else if (!utf8_is_valid(event->bytes + 2, event->len - 2))
		bad(event, WS_CLOSE_INVALID, "a reason that is not UTF-8");
}

static void end_message(struct ws_parse *parse, struct ws_event *event)
{
	event->kind = WS_EVENT_MESSAGE;
	event->is_text = parse->message_op == WS_OP_TEXT;
	parse->message_op = 0;
	if (event->is_text && !utf8_is_valid(event->bytes, event->len))
		bad(event, WS_CLOSE_INVALID, "the text is not UTF-8");
}

static void end_control(struct ws_parse *parse, struct ws_event *event)
{
	unsigned opcode = opcode_of(parse);

	if (opcode == WS_OP_CLOSE)
		end_close(event);
	else
		event->kind = opcode == WS_OP_PING ? WS_EVENT_PING : WS_EVENT_PONG;
}

/* What came of a control frame: as it is if that is all, else put together. */
static void take_control(struct ws_parse *parse, const char *bytes, size_t len,
			 struct ws_event *event)
{
	event->bytes = bytes;
	event->len = len;
	if (parse->left > 0 || parse->control_len > 0) {
		memcpy(parse->control + parse->control_len, bytes, len);
		parse->control_len += (unsigned)len;
		event->bytes = parse->control;
		event->len = parse->control_len;
	}
	if (parse->left == 0)
		end_control(parse, event);
}

static void take_data(struct ws_parse *parse, const char *bytes, size_t len, struct ws_event *event)
{
	bool is_end = parse->left == 0 && (parse->head[0] & FIN);

	event->bytes = bytes;
	event->len = len;
	if (!is_end || parse->joined.len > 0) {
		if (len > 0)
			buf_add(&parse->joined, bytes, len);
		event->bytes = buf_str(&parse->joined);
		event->len = parse->joined.len;
		parse->is_delivered = is_end;
	}
	if (is_end)
		end_message(parse, event);
}

static size_t take_payload(struct ws_parse *parse, char *bytes, size_t len, struct ws_event *event)
{
	size_t used = len < parse->left ? len : (size_t)parse->left;

	unmask(parse, bytes, used);
	parse->left -= used;
	if (is_control(parse))
		take_control(parse, bytes, used, event);
	else
		take_data(parse, bytes, used, event);
	if (parse->left == 0)
		parse->head_len = 0;
	return used;
}

static void forget_delivered(struct ws_parse *parse)
{
	if (!parse->is_delivered)
		return;
	buf_fini(&parse->joined);
	buf_init(&parse->joined, parse->message_max);
	parse->is_delivered = false;
}

size_t ws_parse_next(struct ws_parse *parse, char *bytes, size_t len, struct ws_event *event)
{
	size_t used = 0;

	memset(event, 0, sizeof(*event));
	forget_delivered(parse);
	while (event->kind == WS_EVENT_MORE && used < len) {
		if (!has_head(parse)) {
			const char *why;

			used += take_head(parse, bytes + used, len - used);
			why = parse->head_len >= 2 ? judge_head(parse) : NULL;
			if (why)
				bad(event, WS_CLOSE_PROTOCOL, why);
			if (why || !has_head(parse) || !start_payload(parse, event))
				return used;
		}
		used += take_payload(parse, bytes + used, len - used, event);
	}
	return used;
}
