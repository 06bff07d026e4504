#include "server/balances.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"

static const struct dd_balance asked[] = {
	{ .asset = "ADA", .unit = "lovelace", .free = { 100, 0 }, .locked = { 5, 0 } },
	{ .asset = "USDM", .unit = "c69b98", .free = { 200, 0 } },
};

static void what_is_told_changes_figures_and_removes_nothing(void **unused)
{
	static const struct dd_balance told[] = {
		{ .asset = "ada", .unit = "", .free = { 90, 0 }, .locked = { 15, 0 } },
		{ .asset = "IAG", .unit = "iag", .free = { 1, 0 } },
	};
	struct balances balances = { .count = 0 };

	(void)unused;
	balances_set(&balances, asked, 2);
	balances_merge(&balances, told, 2);
	assert_int_equal(balances.count, 3);
	assert_string_equal(balances.items[0].asset, "ADA");
	assert_string_equal(balances.items[0].unit, "lovelace");
	assert_int_equal((int)balances.items[0].free.units, 90);
	assert_int_equal((int)balances.items[0].locked.units, 15);
	assert_int_equal((int)balances.items[1].free.units, 200);
	assert_string_equal(balances.items[2].asset, "IAG");
	balances_fini(&balances);
}

static void an_asset_is_known_by_its_unit_too(void **unused)
{
	static const struct dd_balance told = { .asset = "usdmx",
						.unit = "c69b98",
						.free = { 7, 0 } };
	struct balances balances = { .count = 0 };

	(void)unused;
	balances_set(&balances, asked, 2);
	balances_merge(&balances, &told, 1);
	assert_int_equal(balances.count, 2);
	assert_int_equal((int)balances.items[1].free.units, 7);
	balances_fini(&balances);
}

static void the_same_figures_are_no_news(void **unused)
{
	struct dd_balance other[2] = { asked[0], asked[1] };
	struct balances balances = { .count = 0 };

	(void)unused;
	balances_set(&balances, asked, 2);
	assert_true(balances_are_same(&balances, asked, 2));
	assert_false(balances_are_same(&balances, asked, 1));
	other[1].free = decimal_of(20000, 2);
	assert_true(balances_are_same(&balances, other, 2));
	other[1].locked = decimal_of(1, 6);
	assert_false(balances_are_same(&balances, other, 2));
	balances_fini(&balances);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_told_changes_figures_and_removes_nothing),
		cmocka_unit_test(an_asset_is_known_by_its_unit_too),
		cmocka_unit_test(the_same_figures_are_no_news),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
