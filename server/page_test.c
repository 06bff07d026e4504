#include "server/page.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "server/documents.h"

/* Of "a" and "b", by sha256sum. */
#define HASH_A "'sha256-ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs='"
#define HASH_B "'sha256-PiPoFgA5WUoziU9lZOGxNIu9egCI1CxKy3PurtWcAJ0='"

static void script_and_style_are_named_by_their_hashes(void **unused)
{
	static const char page[] = "<style>b</style><p>c</p><script>a</script>";
	char policy[PAGE_POLICY_LEN];
	struct err err;

	(void)unused;
	assert_true(page_policy(page, strlen(page), policy, &err));
	assert_non_null(strstr(policy, "script-src " HASH_A ";"));
	assert_non_null(strstr(policy, "style-src " HASH_B ";"));
	assert_non_null(strstr(policy, "default-src 'none';"));
}

static void a_page_must_have_just_one_of_each(void **unused)
{
	static const char *const pages[] = {
		"",
		"<script>a</script>",
		"<style>b</style>",
		"<style>b</style><script>a",
		"<style>b</style><script src=x>a</script>",
		"<style>b</style><script>a</script><script>a</script>",
		"<style>b</style><style>b</style><script>a</script>",
		"</style><style><script>a</script>",
	};
	char policy[PAGE_POLICY_LEN];
	struct err err;

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		if (page_policy(pages[i], strlen(pages[i]), policy, &err))
			fail_msg("%s", pages[i]);
		assert_int_equal(err.code, ERR_INTERNAL);
	}
}

static void bytes_past_the_end_are_not_looked_at(void **unused)
{
	static const char page[] = "<style>b</style><script>a</script>";
	char policy[PAGE_POLICY_LEN];
	struct err err;

	(void)unused;
	assert_false(page_policy(page, strlen(page) - 1, policy, &err));
}

static void the_dashboard_has_a_policy(void **unused)
{
	char policy[PAGE_POLICY_LEN];
	struct err err;

	(void)unused;
	assert_true(page_policy(documents_dashboard, documents_dashboard_size, policy, &err));
	assert_true(strlen(policy) < PAGE_POLICY_LEN - 1);
	assert_null(strstr(policy, "unsafe"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(script_and_style_are_named_by_their_hashes),
		cmocka_unit_test(a_page_must_have_just_one_of_each),
		cmocka_unit_test(bytes_past_the_end_are_not_looked_at),
		cmocka_unit_test(bytes_past_the_end_are_not_looked_at),
		cmocka_unit_test(the_dashboard_has_a_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
