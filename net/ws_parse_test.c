#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/ws_parse.h"

#include <string.h>

#include "base/mem.h"
#include "net/ws.h"

#define MESSAGE_MAX 1000
#define EVENTS_MAX  16

/* What came of some bytes, as text: one line for each event. */
struct story {
	struct ws_parse parse;
	struct buf told;
	bool is_over;
};

static void tell(struct story *story, const struct ws_event *event)
{
	static const char *const words[] = { "more", "message", "ping ", "pong", "close", "bad" };

	if (event->kind == WS_EVENT_MORE)
		return;
	buf_printf(&story->told, "%s", words[event->kind]);
	if (event->kind == WS_EVENT_MESSAGE)
		buf_add_str(&story->told, event->is_text ? " text " : " binary ");
	if (event->kind == WS_EVENT_MESSAGE || event->kind == WS_EVENT_PING)
		buf_add(&story->told, event->bytes, event->len);
	if (event->kind >= WS_EVENT_CLOSE)
		buf_printf(&story->told, " %d", event->code);
	buf_add_char(&story->told, '\n');
	story->is_over = event->kind >= WS_EVENT_CLOSE;
}

/* The parser writes into what it is given, so each piece is a copy; of its very length, so that a
 * sanitizer sees a step beyond. */
static void feed(struct story *story, const char *bytes, size_t len)
{
	char *copy = mem_alloc(len), *at = copy;
	struct ws_event event = { .kind = WS_EVENT_PONG };

	if (len > 0)
		memcpy(copy, bytes, len);
	while (event.kind != WS_EVENT_MORE && !story->is_over) {
		size_t used = ws_parse_next(&story->parse, at, len, &event);

		assert_true(used <= len);
		at += used;
		len -= used;
		tell(story, &event);
	}
	assert_true(len == 0 || story->is_over);
	mem_free(copy);
}

static void begin(struct story *story)
{
	ws_parse_init(&story->parse, MESSAGE_MAX);
	buf_init(&story->told, 100000);
	story->is_over = false;
}

static void end(struct story *story)
{
	ws_parse_fini(&story->parse);
	buf_fini(&story->told);
}

#define M     "\x37\xfa\x21\x3d" /* the mask of RFC 6455's example, and its masked "Hello" */
#define HELLO "\x7f\x9f\x4d\x51\x58"

/* Everything at once: a message, one in fragments with a ping in between, an empty one, a binary
 * one, a pong, a close. */
static const char talk[] = "\x81\x85" M HELLO "\x01\x82" M "\x7f\x9f"
			   "\x89\x82" M "\x7f\x9f"
			   "\x80\x83" M "\x5b\x96\x4e"
			   "\x01\x80" M "\x00\x80" M "\x80\x80" M "\x82\x85" M HELLO
			   "\x8a\x85" M HELLO "\x88\x82" M "\x34\x12";
static const char talk_told[] = "message text Hello\nping He\nmessage text Hello\n"
				"message text \nmessage binary Hello\npong\nclose 1000\n";

static void frames_become_messages(void **state)
{
	struct story story;

	(void)state;
	begin(&story);
	feed(&story, talk, sizeof(talk) - 1);
	assert_string_equal(buf_str(&story.told), talk_told);
	end(&story);
}

static void it_does_not_matter_how_they_are_cut(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < sizeof(talk); piece++) {
		struct story story;

		begin(&story);
		for (size_t at = 0; at < sizeof(talk) - 1; at += piece)
			feed(&story, talk + at,
			     piece < sizeof(talk) - 1 - at ? piece : sizeof(talk) - 1 - at);
		assert_string_equal(buf_str(&story.told), talk_told);
		end(&story);
	}
}

static void a_message_may_be_as_long_as_allowed_and_no_longer(void **state)
{
	static const struct {
		size_t len;
		const char *told;
	} cases[] = { { MESSAGE_MAX, "message binary " }, { MESSAGE_MAX + 1, "bad 1009\n" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char head[] = {
			(char)0x82, (char)0xfe, (char)(cases[i].len >> 8), (char)cases[i].len, 0, 0,
			0,          0
		};
		char *payload = mem_alloc(cases[i].len);
		struct story story;

		begin(&story);
		feed(&story, head, sizeof(head));
		if (!story.is_over)
			feed(&story, payload, cases[i].len);
		assert_memory_equal(buf_str(&story.told), cases[i].told, strlen(cases[i].told));
		end(&story);
		mem_free(payload);
	}
}

/* A head alone must not make anybody allocate what it announces. */
static void nothing_is_kept_for_what_has_not_come(void **state)
{
	struct story story;

	(void)state;
	begin(&story);
	feed(&story, "\x82\xfe\x03\xe8\0\0\0\0", 8);
	assert_int_equal(story.parse.joined.room, 0);
	feed(&story, talk, 1);
	assert_true(story.parse.joined.room < 100);
	end(&story);
}

static void nothing_is_kept_of_a_message_that_has_been_delivered(void **state)
{
	struct story story;

	(void)state;
	begin(&story);
	feed(&story, "\x02\x81\0\0\0\0a\x80\x81\0\0\0\0b", 14);
	assert_string_equal(buf_str(&story.told), "message binary ab\n");
	assert_int_equal(story.parse.joined.room, 0);
	end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_become_messages),
		cmocka_unit_test(it_does_not_matter_how_they_are_cut),
		cmocka_unit_test(a_message_may_be_as_long_as_allowed_and_no_longer),
		cmocka_unit_test(nothing_is_kept_for_what_has_not_come),
		cmocka_unit_test(nothing_is_kept_of_a_message_that_has_been_delivered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
