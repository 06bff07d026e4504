#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/sse.h"

#include <string.h>

#include "base/mem.h"

#define TEXT_MAX  1024
#define EVENT_MAX 32

struct reader {
	struct buf told; /* "data|" for each event */
	size_t count, wanted;
};

static bool take(void *arg, const char *data, size_t len)
{
	struct reader *reader = arg;

	assert_int_equal(data[len], '\0');
	buf_add(&reader->told, data, len);
	buf_add_char(&reader->told, '|');
	return ++reader->count != reader->wanted;
}

static void set_up(struct sse *sse, struct reader *reader)
{
	*reader = (struct reader){ .wanted = SIZE_MAX };
	buf_init(&reader->told, TEXT_MAX);
	sse_init(sse, EVENT_MAX, take, reader);
}

static void tear_down(struct sse *sse, struct reader *reader)
{
	sse_fini(sse);
	buf_fini(&reader->told);
}

/* In pieces of this size. */
static bool feed(struct sse *sse, const char *text, size_t len, size_t piece, struct err *err)
{
	bool is_enough, is_fine = true;

	for (size_t at = 0; at < len && is_fine; at += piece) {
		/* Of its own size, so that a byte too many is noticed. */
		size_t part = len - at < piece ? len - at : piece;
		char *copy = mem_alloc(part);

		memcpy(copy, text + at, part);
		is_fine = sse_feed(sse, copy, part, &is_enough, err);
		assert_false(is_enough && is_fine);
		mem_free(copy);
	}
	return is_fine;
}

static void events_are_read_from_pieces_of_any_size(void **state)
{
	static const struct {
		const char *text, *told;
	} cases[] = {
		{ "data: one\n\n", "one|" },
		{ "data: one\n\ndata: two\n\n", "one|two|" },
		{ "data:one\r\n\r\ndata: two\r\rdata: three\n\n", "one|two|three|" },
		{ "data: one\r\n\r\n\r\n", "one|" },
		{ "data:  one\n\n", " one|" },
		{ "data: a\ndata: b\n\n", "a\nb|" },
		{ "data: a\rdata: b\r\n\r\n", "a\nb|" },
		{ "data: a\ndata\ndata:\n\n", "a\n\n|" },
		{ "data\ndata\n\n", "\n|" },
		{ "id: e;orders=1\ndata: {\"a\":1}\n\n", "{\"a\":1}|" },
		{ ": hb\n\ndata: one\n\n", "one|" },
		{ "event: x\nretry: 5\nwhat is this\ndata: one\n\n", "one|" },
		{ "\xef\xbb\xbf"
		  "data: one\n\n",
		  "one|" },
		{ "data: one\n\n\xef\xbb\xbf"
		  "data: two\n\n",
		  "one|" },
		{ "dat: one\n\ndataa: two\n\n data: three\n\n", "" },
		{ "data:\n\n", "" },
		{ "\n\n\n", "" },
		{ "data: one\n", "" },
		{ "data: one", "" },
		{ "", "" },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t piece = 1; piece <= strlen(cases[i].text) + 1; piece++) {
			struct sse sse;
			struct reader reader;
			struct err err;

			set_up(&sse, &reader);
			assert_true(feed(&sse, cases[i].text, strlen(cases[i].text), piece, &err));
			assert_string_equal(buf_str(&reader.told), cases[i].told);
			tear_down(&sse, &reader);
		}
}

static void data_may_have_any_byte_in_it(void **state)
{
	static const char text[] = "data: a\0b\xff\n\n";
	struct sse sse;
	struct reader reader;
	struct err err;

	(void)state;
	set_up(&sse, &reader);
	assert_true(feed(&sse, text, sizeof(text) - 1, 1, &err));
	assert_int_equal(reader.told.len, 5);
	assert_memory_equal(reader.told.data, "a\0b\xff|", 5);
	tear_down(&sse, &reader);
}

static void an_event_has_a_bound_however_it_comes(void **state)
{
	static const struct {
		const char *text;
		bool is_fine;
	} cases[] = {
		{ "data: 01234567890123456789012345678901\n\n", true },
		{ "data: 012345678901234567890123456789012\n\n", false },
		{ "data: 0123456789\ndata: 0123456789\ndata: 0123456789\n\n", true },
		{ "data: 0123456789\ndata: 0123456789\ndata: 01234567890\n\n", false },
		{ ": 0123456789012345678901234567890123456789012345678901234567890", false },
		{ "data: 01234567890123456789\n\ndata: 01234567890123456789\n\n", true },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t piece = 1; piece < 60; piece += 7) {
			struct sse sse;
			struct reader reader;
			struct err err = { .code = ERR_NONE };

			set_up(&sse, &reader);
			assert_int_equal(
				feed(&sse, cases[i].text, strlen(cases[i].text), piece, &err),
				cases[i].is_fine);
			assert_int_equal(err.code, cases[i].is_fine ? ERR_NONE : ERR_OVERFLOW);
			tear_down(&sse, &reader);
		}
}

static void a_reader_who_has_enough_is_told_no_more(void **state)
{
	static const char text[] = "data: one\n\ndata: two\n\ndata: three\n\n";
	struct sse sse;
	struct reader reader;
	bool is_enough;
	struct err err;

	(void)state;
	set_up(&sse, &reader);
	reader.wanted = 2;
	assert_false(sse_feed(&sse, text, strlen(text), &is_enough, &err));
	assert_true(is_enough);
	assert_string_equal(buf_str(&reader.told), "one|two|");
	tear_down(&sse, &reader);
}

static void a_new_connection_begins_anew(void **state)
{
	static const char cut[] = "data: one\n\ndata: two\ndata: thr\r";
	static const char whole[] = "\xef\xbb\xbf"
				    "data: four\n\n";
	struct sse sse;
	struct reader reader;
	struct err err;

	(void)state;
	set_up(&sse, &reader);
	assert_true(feed(&sse, cut, strlen(cut), 5, &err));
	sse_restart(&sse);
	assert_true(feed(&sse, whole, strlen(whole), 5, &err));
	assert_string_equal(buf_str(&reader.told), "one|four|");
	tear_down(&sse, &reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_are_read_from_pieces_of_any_size),
		cmocka_unit_test(data_may_have_any_byte_in_it),
		cmocka_unit_test(an_event_has_a_bound_however_it_comes),
		cmocka_unit_test(a_reader_who_has_enough_is_told_no_more),
		cmocka_unit_test(a_new_connection_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
