#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/ws_queue.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/ws.h"
#include "net/ws_frame.h"

static void push_text(struct ws_queue *queue, const char *text)
{
	struct ws_frame *frame = ws_frame_raw(text, strlen(text));

	ws_queue_push(queue, frame);
	ws_frame_unref(frame);
}

/* Takes at most so many bytes from the front, as a kernel would. */
static void take(struct ws_queue *queue, struct buf *to, size_t max)
{
	struct iovec pieces[3];
	unsigned count = ws_queue_iov(queue, pieces, 3);
	size_t taken = 0;

	for (unsigned i = 0; i < count; i++) {
		size_t len = pieces[i].iov_len < max - taken ? pieces[i].iov_len : max - taken;

		buf_add(to, pieces[i].iov_base, len);
		taken += len;
	}
	ws_queue_sent(queue, taken);
}

static void what_goes_in_comes_out_in_order_whatever_is_taken(void **state)
{
	(void)state;
	for (size_t step = 1; step < 40; step++) {
		struct ws_queue queue = { 0 };
		struct buf in, out;
		char text[16];

		buf_init(&in, 10000);
		buf_init(&out, 10000);
		for (int i = 0; i < 300; i++) {
			snprintf(text, sizeof(text), "%d,", i * i * i);
			if (i % 7 == 0)
				text[0] = '\0';
			buf_add_str(&in, text);
			push_text(&queue, text);
			if (i % 3 == 0)
				take(&queue, &out, step);
			assert_int_equal(queue.bytes, in.len - out.len);
		}
		while (queue.count > 0)
			take(&queue, &out, step);
		assert_string_equal(buf_str(&in), buf_str(&out));
		assert_int_equal(queue.bytes, 0);
		ws_queue_fini(&queue);
		buf_fini(&in);
		buf_fini(&out);
	}
}

static void memory_grows_with_the_crowd_and_goes_with_it(void **state)
{
	struct ws_queue queue = { 0 };

	(void)state;
	push_text(&queue, "x");
	assert_in_range(queue.room, 1, 8);
	for (int i = 0; i < 1000; i++)
		push_text(&queue, "x");
	assert_in_range(queue.room, 1001, 2048);
	ws_queue_sent(&queue, 1001);
	assert_int_equal(queue.room, 0);
	assert_null(ws_queue_first(&queue));
	ws_queue_fini(&queue);
}

static void a_frame_on_its_way_is_not_dropped(void **state)
{
	struct ws_queue queue = { 0 };
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	push_text(&queue, "first");
	push_text(&queue, "second");
	push_text(&queue, "third");
	take(&queue, &out, 3);
	ws_queue_drop(&queue);
	push_text(&queue, "!");
	take(&queue, &out, 100);
	assert_string_equal(buf_str(&out), "first!");
	push_text(&queue, "whole");
	ws_queue_drop(&queue);
	assert_int_equal(queue.count, 0);
	assert_int_equal(queue.bytes, 0);
	ws_queue_fini(&queue);
	buf_fini(&out);
}

static void frames_are_shared_and_counted(void **state)
{
	struct ws_queue queues[3] = { 0 };
	struct ws_frame *frame = ws_frame_text("shared", 6);
	size_t len;

	(void)state;
	assert_int_equal(ws_frame_size(frame), 8);
	for (size_t i = 0; i < ARRAY_LEN(queues); i++)
		ws_queue_push(&queues[i], frame);
	ws_frame_unref(frame);
	for (size_t i = 0; i < ARRAY_LEN(queues); i++) {
		assert_string_equal(ws_frame_payload(ws_queue_first(&queues[i]), &len), "shared");
		assert_int_equal(len, 6);
		ws_queue_fini(&queues[i]);
	}
}

static void a_close_frame_holds_what_fits(void **state)
{
	char reason[200];
	struct ws_frame *frame;
	size_t len;

	(void)state;
	memset(reason, 'x', sizeof(reason));
	memcpy(reason + 122, "\xe2\x82\xac", 4);
	frame = ws_frame_close(4008, reason);
	assert_memory_equal(ws_frame_bytes(frame), "\x88\x7c\x0f\xa8xx", 6);
	ws_frame_payload(frame, &len);
	assert_int_equal(len, 2 + 122);
	ws_frame_unref(frame);
	frame = ws_frame_close(WS_CLOSE_NO_CODE, NULL);
	assert_int_equal(ws_frame_size(frame), 2);
	ws_frame_unref(frame);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_in_comes_out_in_order_whatever_is_taken),
		cmocka_unit_test(memory_grows_with_the_crowd_and_goes_with_it),
		cmocka_unit_test(a_frame_on_its_way_is_not_dropped),
		cmocka_unit_test(frames_are_shared_and_counted),
		cmocka_unit_test(a_close_frame_holds_what_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
