#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "sim/record.h"

static struct record_entry *oldest(const struct record *record)
{
	struct list_node *node = list_first(&record->entries);

	return node ? CONTAINER_OF(node, struct record_entry, node) : NULL;
}

static void end(struct record_entry *entry)
{
	record_end(entry, RECORD_ANSWERED, 200, 0, (struct mono){ 1 });
}

static void clearing_spares_what_is_pending(void **unused)
{
	struct record record;
	struct record_entry *first, *second;

	(void)unused;
	record_init(&record);
	first = record_begin(&record, "GET", "/a", "", "", 0);
	second = record_begin(&record, "GET", "/b", "x=1", "", 0);
	end(first);
	record_clear(&record);
	assert_ptr_equal(oldest(&record), second);
	assert_int_equal(record.count, 1);
	assert_int_equal(second->seq, 2);
	record_fini(&record);
}

static void the_oldest_are_forgotten_past_the_bound(void **unused)
{
	struct record record;

	(void)unused;
	record_init(&record);
	for (int i = 0; i < RECORD_KEPT + 10; i++)
		end(record_begin(&record, "GET", "/", "", "", 0));
	assert_int_equal(record.count, RECORD_KEPT);
	assert_int_equal(oldest(&record)->seq, 11);
	record_fini(&record);
}

static void long_bodies_are_cut_and_all_together_bounded(void **unused)
{
	static char body[2 * RECORD_BODY_MAX];
	struct record record;
	struct record_entry *entry;

	(void)unused;
	memset(body, 'x', sizeof(body));
	record_init(&record);
	for (size_t i = 0; i < RECORD_BYTES_MAX / RECORD_BODY_MAX + 100; i++) {
		entry = record_begin(&record, "POST", "/", "", body, sizeof(body));
		assert_int_equal(strlen(entry->body), RECORD_BODY_MAX);
		assert_int_equal(entry->body_len, sizeof(body));
		end(entry);
	}
	assert_true(record.bytes <= RECORD_BYTES_MAX + RECORD_BODY_MAX);
	record_fini(&record);
}

static void an_open_stream_is_found_until_it_is_forgotten(void **unused)
{
	struct record record;
	struct record_entry *entry;

	(void)unused;
	record_init(&record);
	end(record_begin(&record, "GET", "/", "", "", 0));
	entry = record_begin(&record, "GET", "/accounts/stream", "", "", 0);
	entry->state = RECORD_OPEN;
	assert_ptr_equal(record_find(&record, entry->seq), entry);
	assert_null(record_find(&record, entry->seq + 1));
	record_clear(&record);
	assert_null(record_find(&record, 2));
	assert_int_equal(record.count, 0);
	record_fini(&record);
}

static void header_names_are_kept_in_lower_case_up_to_a_number(void **unused)
{
	struct record record;
	struct record_entry *entry;

	(void)unused;
	record_init(&record);
	entry = record_begin(&record, "GET", "/", "", "", 0);
	for (int i = 0; i < RECORD_HEADERS_MAX + 5; i++)
		record_add_header(entry, "X-API-Key", "Value");
	assert_int_equal(entry->header_count, RECORD_HEADERS_MAX);
	assert_string_equal(entry->headers[0].name, "x-api-key");
	assert_string_equal(entry->headers[0].value, "Value");
	record_fini(&record);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clearing_spares_what_is_pending),
		cmocka_unit_test(the_oldest_are_forgotten_past_the_bound),
		cmocka_unit_test(long_bodies_are_cut_and_all_together_bounded),
		cmocka_unit_test(an_open_stream_is_found_until_it_is_forgotten),
		cmocka_unit_test(header_names_are_kept_in_lower_case_up_to_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
