#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/ws_run.h"

#include <string.h>

#include "base/mem.h"
#include "net/ws.h"
#include "net/ws_frame.h"
#include "net/ws_queue.h"

static struct ws_frame *frame_of(const char *text)
{
	return ws_frame_raw(text, strlen(text));
}

static void push_text(struct ws_queue *queue, const char *text)
{
	struct ws_frame *frame = frame_of(text);

	ws_queue_push(queue, frame);
	ws_frame_unref(frame);
}

static void assert_run(struct ws_run *run, const struct ws_queue *queue, const char *text)
{
	assert_true(ws_run_join(run, queue));
	assert_int_equal(run->len, strlen(text));
	assert_memory_equal(run->bytes, text, run->len);
}

static void what_waits_is_joined_for_each_queue(void **state)
{
	struct ws_queue one = { 0 }, other = { 0 };
	struct ws_run run;

	(void)state;
	ws_run_init(&run);
	push_text(&one, "a");
	push_text(&one, "bc");
	push_text(&other, "a");
	push_text(&other, "");
	assert_run(&run, &one, "abc");
	assert_run(&run, &other, "a");
	push_text(&other, "d");
	assert_run(&run, &other, "ad");
	assert_run(&run, &one, "abc");
	ws_queue_fini(&one);
	ws_queue_fini(&other);
	ws_run_fini(&run);
}

static void a_run_is_kept_for_whoever_waits_for_the_same(void **state)
{
	struct ws_frame *frames[] = { frame_of("a"), frame_of("b"), frame_of("c") };
	struct ws_queue queue = { 0 };
	struct ws_run run;

	(void)state;
	ws_run_init(&run);
	for (int peer = 0; peer < 100; peer++) {
		for (size_t i = 0; i < ARRAY_LEN(frames); i++)
			ws_queue_push(&queue, frames[i]);
		assert_true(ws_run_join(&run, &queue));
		if (peer == 0)
			run.bytes[0] = 'A'; /* who joins again would write over it */
		assert_memory_equal(run.bytes, "Abc", 3);
		ws_queue_sent(&queue, run.len);
		assert_int_equal(queue.count, 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(frames); i++)
		ws_frame_unref(frames[i]);
	ws_queue_fini(&queue);
	ws_run_fini(&run);
}

/* The queue has let go of its frames, so new ones could get their places. */
static void a_new_frame_is_never_taken_for_one_that_is_gone(void **state)
{
	struct ws_queue queue = { 0 };
	char text[] = "0 ";
	struct ws_run run;

	(void)state;
	ws_run_init(&run);
	for (int digit = 0; digit <= 9; digit++) {
		const char c = (char)('0' + digit);
		char joined[] = { c, ' ', c, ' ', '\0' };

		text[0] = c;
		push_text(&queue, text);
		push_text(&queue, text);
		assert_run(&run, &queue, joined);
		ws_queue_sent(&queue, run.len);
	}
	ws_queue_fini(&queue);
	ws_run_fini(&run);
}

static void what_is_begun_or_too_much_is_not_joined(void **state)
{
	char *bytes = mem_alloc(WS_RUN_BYTES);
	struct ws_frame *large = ws_frame_raw(bytes, WS_RUN_BYTES);
	struct ws_queue queue = { 0 };
	struct ws_run run;

	(void)state;
	ws_run_init(&run);
	push_text(&queue, "abc");
	ws_queue_sent(&queue, 1);
	assert_false(ws_run_join(&run, &queue));
	ws_queue_sent(&queue, 2);
	ws_queue_push(&queue, large);
	assert_true(ws_run_join(&run, &queue));
	push_text(&queue, "a");
	assert_false(ws_run_join(&run, &queue));
	ws_queue_sent(&queue, WS_RUN_BYTES);
	for (int i = 0; i < WS_RUN_FRAMES; i++)
		push_text(&queue, "a");
	assert_false(ws_run_join(&run, &queue));
	ws_queue_sent(&queue, 1);
	assert_true(ws_run_join(&run, &queue));
	ws_frame_unref(large);
	mem_free(bytes);
	ws_queue_fini(&queue);
	ws_run_fini(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_waits_is_joined_for_each_queue),
		cmocka_unit_test(a_run_is_kept_for_whoever_waits_for_the_same),
		cmocka_unit_test(a_new_frame_is_never_taken_for_one_that_is_gone),
		cmocka_unit_test(what_is_begun_or_too_much_is_not_joined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
