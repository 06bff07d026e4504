#include "server/findings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void a_difference_counts_when_two_looks_show_it_and_we_have_not_moved(void **unused)
{
	static const struct {
		bool is_first, is_second;
		int64_t stamp_then, stamp_now;
		bool counts;
	} cases[] = {
		{ true, true, 7, 7, true },
		{ true, true, 7, 8, false }, /* something came between: look again later */
		{ false, true, 7, 7, false },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct findings *findings = findings_create();

		findings_first_look(findings);
		if (cases[i].is_first)
			assert_false(findings_note(findings, FINDING_STATE_LAG, "ord_1",
						   cases[i].stamp_then));
		assert_int_equal(findings_suspects(findings), cases[i].is_first);
		findings_second_look(findings);
		assert_false(findings_note(findings, FINDING_AMOUNT_MISMATCH, "ord_1",
					   cases[i].stamp_then));
		assert_int_equal(
			findings_note(findings, FINDING_STATE_LAG, "ord_1", cases[i].stamp_now),
			cases[i].counts);
		findings_destroy(findings);
	}
}

static void suspects_do_not_outlive_their_run(void **unused)
{
	struct findings *findings = findings_create();

	(void)unused;
	findings_first_look(findings);
	assert_false(findings_note(findings, FINDING_MISSED_FILL, "e1", 0));
	findings_first_look(findings);
	findings_second_look(findings);
	assert_false(findings_note(findings, FINDING_MISSED_FILL, "e1", 0));
	findings_destroy(findings);
}

static void the_same_figures_are_told_once_and_others_again(void **unused)
{
	struct findings *findings = findings_create();
	enum finding_class class_ = FINDING_FOREIGN_ORDER;

	(void)unused;
	assert_false(findings_is_told(findings, class_, "x", "none", "open"));
	findings_tell(findings, class_, "x", "none", "open");
	assert_true(findings_is_told(findings, class_, "x", "none", "open"));
	assert_false(findings_is_told(findings, class_, "y", "none", "open"));
	assert_false(findings_is_told(findings, class_, "x", "none", "cancelled"));
	findings_tell(findings, class_, "x", "none", "cancelled");
	assert_false(findings_is_told(findings, class_, "x", "none", "open"));
	findings_destroy(findings);
}

static void very_many_are_forgotten_oldest_first(void **unused)
{
	struct findings *findings = findings_create();
	char about[16];

	(void)unused;
	for (int i = 0; i < 10001; i++) {
		snprintf(about, sizeof(about), "%d", i);
		findings_tell(findings, FINDING_MISSED_FILL, about, "", "");
	}
	assert_false(findings_is_told(findings, FINDING_MISSED_FILL, "0", "", ""));
	assert_true(findings_is_told(findings, FINDING_MISSED_FILL, "1", "", ""));
	assert_true(findings_is_told(findings, FINDING_MISSED_FILL, "10000", "", ""));
	findings_destroy(findings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_difference_counts_when_two_looks_show_it_and_we_have_not_moved),
		cmocka_unit_test(suspects_do_not_outlive_their_run),
		cmocka_unit_test(the_same_figures_are_told_once_and_others_again),
		cmocka_unit_test(very_many_are_forgotten_oldest_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
