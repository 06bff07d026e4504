#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "client/deltadefi.h"

static void statuses_old_and_new_have_one_meaning_each(void **unused)
{
	static const struct {
		const char *word;
		enum dd_status status;
	} rows[] = {
		{ "building", DD_STATUS_BUILDING },
		{ "processing", DD_STATUS_PROCESSING },
		{ "open", DD_STATUS_OPEN },
		{ "closed", DD_STATUS_CLOSED },
		{ "cancelled", DD_STATUS_CANCELLED },
		{ "canceled", DD_STATUS_CANCELLED },
		{ "failed", DD_STATUS_FAILED },
		{ "partially_filled", DD_STATUS_PARTIALLY_FILLED },
		{ "fully_filled", DD_STATUS_FULLY_FILLED },
		{ "partially_cancelled", DD_STATUS_PARTIALLY_CANCELLED },
		{ "partially_canceled", DD_STATUS_PARTIALLY_CANCELLED },
		{ "FULLY_FILLED", DD_STATUS_FULLY_FILLED },
		{ "Open", DD_STATUS_OPEN },
		{ "openOrder", DD_STATUS_UNKNOWN },
		{ "resting", DD_STATUS_UNKNOWN },
		{ "", DD_STATUS_UNKNOWN },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(dd_status_parse(rows[i].word), rows[i].status);
	for (int status = 1; status < DD_STATUS_COUNT; status++)
		assert_int_equal(dd_status_parse(dd_status_word((enum dd_status)status)), status);
}

static void every_code_has_its_class_and_unknown_ones_that_of_their_thousand(void **unused)
{
	static const struct {
		int code;
		enum dd_class class_;
	} rows[] = {
		{ 4000, DD_CLASS_REFUSED },   { 4010, DD_CLASS_AUTH },
		{ 4050, DD_CLASS_REFUSED },   { 4112, DD_CLASS_REFUSED },
		{ 4200, DD_CLASS_STATE },     { 4201, DD_CLASS_STATE },
		{ 4202, DD_CLASS_STATE },     { 4290, DD_CLASS_RATE },
		{ 4300, DD_CLASS_EXPIRED },   { 4301, DD_CLASS_SPENT },
		{ 4302, DD_CLASS_DUPLICATE }, { 4407, DD_CLASS_REFUSED },
		{ 5000, DD_CLASS_UNKNOWN },   { 5001, DD_CLASS_UNKNOWN },
		{ 5002, DD_CLASS_LOCKED },    { 4999, DD_CLASS_REFUSED },
		{ 5003, DD_CLASS_UNKNOWN },   { 0, DD_CLASS_UNKNOWN },
		{ 429, DD_CLASS_UNKNOWN },    { 6000, DD_CLASS_UNKNOWN },
		{ -1, DD_CLASS_UNKNOWN },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(dd_class_of(rows[i].code), rows[i].class_);
	assert_string_equal(dd_class_word(DD_CLASS_DUPLICATE), "duplicate");
	assert_string_equal(dd_code_message(4200), "Order not found");
	assert_string_equal(dd_code_message(1), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statuses_old_and_new_have_one_meaning_each),
		cmocka_unit_test(every_code_has_its_class_and_unknown_ones_that_of_their_thousand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
