#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/target.h"

#include <string.h>

#include "base/mem.h"

static void no_operand_reaches_another_path(void **unused)
{
	static const char *const cases[][2] = {
		{ "ord_01KAN2", "/v1/orders/ord_01KAN2" },
		{ "client:a.b:c-d_e", "/v1/orders/client%3Aa%2Eb%3Ac-d_e" },
		{ "", "/v1/orders/" },
		{ ".", "/v1/orders/%2E" },
		{ "..", "/v1/orders/%2E%2E" },
		{ "../admin/lock", "/v1/orders/%2E%2E%2Fadmin%2Flock" },
		{ "a?owner=any", "/v1/orders/a%3Fowner%3Dany" },
		{ "a#b%2f c\r\n", "/v1/orders/a%23b%252f%20c%0D%0A" },
		{ "\xc3\xa4\xff", "/v1/orders/%C3%A4%FF" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf target;

		target_init(&target, "/v1/orders");
		target_segment(&target, cases[i][0]);
		assert_string_equal(buf_str(&target), cases[i][1]);
		buf_fini(&target);
	}
}

static void parameters_are_joined_and_cannot_add_others(void **unused)
{
	struct buf target;

	(void)unused;
	target_init(&target, "/v1/fills");
	target_query(&target, "symbol", NULL);
	assert_string_equal(buf_str(&target), "/v1/fills");
	target_query(&target, "symbol", "A&owner=any");
	target_query(&target, "limit", "5");
	target_query(&target, "cursor", "");
	assert_string_equal(buf_str(&target), "/v1/fills?symbol=A%26owner%3Dany&limit=5&cursor=");
	buf_fini(&target);
}

/* Cut, it would name another order. */
static void the_longest_operand_is_sent_whole(void **unused)
{
	size_t len = 128 * 1024;
	char *operand = mem_alloc(len + 1);
	struct buf target;

	(void)unused;
	memset(operand, '.', len);
	target_init(&target, "");
	for (int i = 0; i < 64; i++)
		target_segment(&target, operand);
	assert_false(target.is_full);
	assert_int_equal(target.len, 64 * (1 + 3 * len));
	buf_fini(&target);
	mem_free(operand);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_operand_reaches_another_path),
		cmocka_unit_test(parameters_are_joined_and_cannot_add_others),
		cmocka_unit_test(the_longest_operand_is_sent_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
