#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/resolve.h"

#include <string.h>

#include "base/mem.h"
#include "net/loop.h"

struct rig {
	struct loop *loop;
	struct timer *limit;
	unsigned done, count;
	char first[RESOLVE_ADDRESS_LEN];
	struct err err; /* ERR_NONE: none */
	bool is_starting, came_at_once;
};

static void note(void *arg, const struct err *err, const char (*addresses)[RESOLVE_ADDRESS_LEN],
		 unsigned count)
{
	struct rig *rig = arg;

	rig->done++;
	rig->came_at_once = rig->is_starting;
	rig->count = count;
	rig->err = (struct err){ .code = ERR_NONE };
	if (err)
		rig->err = *err;
	if (count > 0)
		STR_SET(rig->first, addresses[0]);
	loop_stop(rig->loop);
}

static void give_up(void *arg)
{
	loop_stop(arg);
}

static int set_up(void **state)
{
	struct rig *rig = mem_alloc(sizeof(*rig));

	rig->loop = loop_create();
	rig->limit = loop_timer_create(rig->loop, give_up, rig->loop);
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	timer_destroy(rig->limit);
	loop_destroy(rig->loop);
	mem_free(rig);
	return 0;
}

static void look_up(struct rig *rig, const char *host)
{
	rig->is_starting = true;
	resolve_start(rig->loop, host, note, rig);
	rig->is_starting = false;
	timer_start(rig->limit, 20000);
	loop_run(rig->loop);
}

static void a_number_is_its_own_address(void **state)
{
	static const struct {
		const char *host, *address;
	} cases[] = {
		{ "127.0.0.1", "127.0.0.1" },
		{ "::1", "::1" },
		{ "2001:db8:0::7", "2001:db8::7" },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		look_up(rig, cases[i].host);
		assert_int_equal(rig->done, i + 1);
		assert_false(rig->came_at_once);
		assert_int_equal(rig->err.code, ERR_NONE);
		assert_int_equal(rig->count, 1);
		assert_string_equal(rig->first, cases[i].address);
	}
}

static void localhost_has_a_loopback_address(void **state)
{
	struct rig *rig = *state;

	look_up(rig, "localhost");
	assert_int_equal(rig->done, 1);
	assert_int_equal(rig->err.code, ERR_NONE);
	assert_in_range(rig->count, 1, 2);
	assert_true(strcmp(rig->first, "127.0.0.1") == 0 || strcmp(rig->first, "::1") == 0);
}

static void what_is_no_name_is_an_error_that_says_so(void **state)
{
	struct rig *rig = *state;
	char very_long[400];
	const char *cases[] = { "no-such-host.invalid", "", "a b", "\xff", very_long };

	memset(very_long, 'a', sizeof(very_long));
	very_long[sizeof(very_long) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		look_up(rig, cases[i]);
		assert_int_equal(rig->done, i + 1);
		assert_false(rig->came_at_once);
		assert_int_equal(rig->err.code, ERR_UNREACHABLE);
		assert_int_equal(rig->count, 0);
		assert_true(strlen(rig->err.text) > 3);
	}
}

static void the_error_names_the_host(void **state)
{
	struct rig *rig = *state;

	look_up(rig, "no-such-host.invalid");
	assert_non_null(strstr(rig->err.text, "no-such-host.invalid: "));
}

static void a_cancelled_look_up_tells_nothing(void **state)
{
	static const char *const hosts[] = { "127.0.0.1", "localhost", "\xff" };
	struct rig *rig = *state;

	for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
		resolve_cancel(resolve_start(rig->loop, hosts[i], note, rig));
	resolve_cancel(NULL);
	look_up(rig, "localhost");
	assert_int_equal(rig->done, 1);
	timer_start(rig->limit, 50);
	loop_run(rig->loop);
	assert_int_equal(rig->done, 1);
}

static void a_loop_may_end_before_its_look_ups(void **state)
{
	struct rig *rig = *state;

	for (int i = 0; i < 10; i++)
		resolve_cancel(resolve_start(rig->loop, "localhost", note, rig));
	timer_destroy(rig->limit);
	loop_destroy(rig->loop);
	assert_int_equal(rig->done, 0);
	rig->loop = loop_create();
	rig->limit = loop_timer_create(rig->loop, give_up, rig->loop);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_number_is_its_own_address),
		TEST(localhost_has_a_loopback_address),
		TEST(what_is_no_name_is_an_error_that_says_so),
		TEST(the_error_names_the_host),
		TEST(a_cancelled_look_up_tells_nothing),
		TEST(a_loop_may_end_before_its_look_ups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
