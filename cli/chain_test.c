#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/chain.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

#define TEXT_MAX 8192

static void init(struct chains *chains, const char *const *channels)
{
	struct err err;

	memset(chains, 0, sizeof(*chains));
	for (; *channels; channels++)
		assert_true(chains_add(chains, *channels, &err));
}

static void assert_position(const struct chains *chains, const char *wanted)
{
	struct buf text;

	buf_init(&text, TEXT_MAX);
	chains_print_position(chains, &text);
	assert_string_equal(buf_str(&text), wanted);
	buf_fini(&text);
}

static const char *const some[] = { "orders", "depth:ADAUSDM", "trades:ADAUSDM", NULL };

static void a_channel_is_added_once_and_only_if_it_can_be_one(void **state)
{
	char longest[CHAIN_NAME_LEN + 1], name[16];
	struct chains chains = { 0 };
	struct err err;

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[CHAIN_NAME_LEN] = '\0';
	assert_true(chains_add(&chains, "orders", &err));
	assert_true(chains_add(&chains, "orders", &err));
	assert_int_equal(chains.count, 1);
	assert_false(chains_add(&chains, "", &err));
	assert_false(chains_add(&chains, "orders,fills", &err));
	assert_false(chains_add(&chains, longest, &err));
	assert_int_equal(err.code, ERR_USAGE);
	while (chains.count < CHAIN_CHANNELS_MAX) {
		snprintf(name, sizeof(name), "price:%zu", chains.count);
		assert_true(chains_add(&chains, name, &err));
	}
	assert_false(chains_add(&chains, "fills", &err));
	assert_true(chains_add(&chains, "orders", &err));
}

static void a_position_is_printed_as_it_was_given_but_for_what_has_none(void **state)
{
	static const struct {
		const char *text, *printed; /* NULL: refused */
	} cases[] = {
		{ "1fc2;orders=831;trades:ADAUSDM=90", "1fc2;orders=831;trades:ADAUSDM=90" },
		{ "1fc2;trades:ADAUSDM=90;orders=831", "1fc2;orders=831;trades:ADAUSDM=90" },
		{ "1fc2;orders=0", "1fc2;orders=0" },
		{ "1fc2;orders=9007199254740992", "1fc2;orders=9007199254740992" },
		{ "1fc2;orders=831;depth:ADAUSDM=7", "1fc2;orders=831" },
		{ "1fc2;fills=840", "" },
		{ "1fc2", "" },
		{ "", NULL },
		{ ";orders=831", NULL },
		{ "orders=831", NULL },
		{ "1fc2;orders", NULL },
		{ "1fc2;orders=", NULL },
		{ "1fc2;=831", NULL },
		{ "1fc2;orders=-1", NULL },
		{ "1fc2;orders=8x", NULL },
		{ "1fc2;orders= 8", NULL },
		{ "1fc2;orders=8;", NULL },
		{ "1fc2;;orders=8", NULL },
		{ "1fc2;orders=90071992547409920", NULL },
		{ "0123456789012345678901234567890123456789012345678901234567890123;orders=8",
		  NULL },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct chains chains;
		struct err err = { .code = ERR_NONE };

		init(&chains, some);
		assert_int_equal(chains_set_position(&chains, cases[i].text, &err),
				 cases[i].printed != NULL);
		assert_int_equal(err.code, cases[i].printed ? ERR_NONE : ERR_USAGE);
		if (cases[i].printed)
			assert_position(&chains, cases[i].printed);
	}
}

static void events_follow_a_snapshot_and_each_other(void **state)
{
	struct chains chains;

	(void)state;
	init(&chains, some);
	assert_int_equal(chains_hello(&chains, "1fc2"), CHAIN_FINE);
	assert_int_equal(chains_subscribed(&chains, "orders", false), CHAIN_FINE);
	assert_position(&chains, "");
	assert_int_equal(chains_snapshot(&chains, "orders", 831), CHAIN_FINE);
	assert_int_equal(chains_event(&chains, "orders", 832, 831), CHAIN_FINE);
	assert_int_equal(chains_event(&chains, "orders", 840, 832), CHAIN_FINE);
	assert_int_equal(chains_last(&chains, "orders", 840), CHAIN_FINE);
	assert_position(&chains, "1fc2;orders=840");
}

static void what_does_not_follow_is_noticed(void **state)
{
	static const struct {
		int64_t seq, prev;
		enum chain_verdict verdict;
		int64_t last;
	} cases[] = {
		{ 832, 831, CHAIN_FINE, 832 },    { 833, 832, CHAIN_HOLE, 833 },
		{ 833, 830, CHAIN_HOLE, 833 },    { 831, 830, CHAIN_AGAIN, 831 },
		{ 700, 699, CHAIN_AGAIN, 831 },   { 832, 832, CHAIN_STRANGE, 831 },
		{ 832, 833, CHAIN_STRANGE, 831 }, { 0, 0, CHAIN_STRANGE, 831 },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct chains chains;

		init(&chains, some);
		assert_int_equal(chains_snapshot(&chains, "orders", 831), CHAIN_FINE);
		assert_int_equal(chains_event(&chains, "orders", cases[i].seq, cases[i].prev),
				 cases[i].verdict);
		assert_int_equal(chains.items[0].seq, cases[i].last);
	}
}

static void an_event_before_any_snapshot_is_a_hole(void **state)
{
	struct chains chains;

	(void)state;
	init(&chains, some);
	assert_int_equal(chains_hello(&chains, "1fc2"), CHAIN_FINE);
	assert_int_equal(chains_event(&chains, "orders", 5, 4), CHAIN_HOLE);
}

static void channels_that_were_not_asked_for_are_strange(void **state)
{
	struct chains chains;

	(void)state;
	init(&chains, some);
	assert_int_equal(chains_subscribed(&chains, "fills", true), CHAIN_STRANGE);
	assert_int_equal(chains_snapshot(&chains, "fills", 1), CHAIN_STRANGE);
	assert_int_equal(chains_event(&chains, "fills", 2, 1), CHAIN_STRANGE);
	assert_int_equal(chains_last(&chains, "fills", 2), CHAIN_FINE);
	assert_int_equal(chains_event(&chains, "order", 2, 1), CHAIN_STRANGE);
}

static void a_resumed_channel_goes_on_where_it_was(void **state)
{
	struct chains chains;
	struct err err;

	(void)state;
	init(&chains, some);
	assert_true(chains_set_position(&chains, "1fc2;orders=831", &err));
	assert_int_equal(chains_hello(&chains, "1fc2"), CHAIN_FINE);
	assert_int_equal(chains_subscribed(&chains, "orders", true), CHAIN_FINE);
	assert_int_equal(chains_event(&chains, "orders", 840, 831), CHAIN_FINE);
}

static void a_snapshot_instead_of_what_was_missed_is_a_hole_where_each_event_counts(void **state)
{
	struct chains chains;

	(void)state;
	init(&chains, some);
	for (size_t i = 0; some[i]; i++)
		assert_int_equal(chains_snapshot(&chains, some[i], 5), CHAIN_FINE);
	assert_int_equal(chains_subscribed(&chains, "orders", false), CHAIN_HOLE);
	assert_int_equal(chains_subscribed(&chains, "trades:ADAUSDM", false), CHAIN_HOLE);
	assert_int_equal(chains_subscribed(&chains, "depth:ADAUSDM", false), CHAIN_FINE);
	assert_int_equal(chains_subscribed(&chains, "orders", false), CHAIN_FINE);
}

static void another_epoch_is_a_hole_and_told_once(void **state)
{
	struct chains chains;

	(void)state;
	init(&chains, some);
	assert_int_equal(chains_hello(&chains, "1fc2"), CHAIN_FINE);
	assert_int_equal(chains_snapshot(&chains, "depth:ADAUSDM", 5), CHAIN_FINE);
	assert_int_equal(chains_hello(&chains, "2000"), CHAIN_FINE);
	assert_int_equal(chains_snapshot(&chains, "orders", 5), CHAIN_FINE);
	assert_int_equal(chains_hello(&chains, "3000"), CHAIN_HOLE);
	assert_int_equal(chains_subscribed(&chains, "orders", false), CHAIN_FINE);
	assert_position(&chains, "");
}

static void a_heartbeat_tells_what_never_came(void **state)
{
	struct chains chains;

	(void)state;
	init(&chains, some);
	assert_int_equal(chains_last(&chains, "orders", 5), CHAIN_FINE);
	assert_int_equal(chains_snapshot(&chains, "orders", 5), CHAIN_FINE);
	assert_int_equal(chains_last(&chains, "orders", 6), CHAIN_HOLE);
	assert_int_equal(chains_last(&chains, "orders", 6), CHAIN_FINE);
}

static void what_was_not_taken_comes_again(void **state)
{
	struct chains chains;

	(void)state;
	init(&chains, some);
	assert_int_equal(chains_hello(&chains, "1fc2"), CHAIN_FINE);
	assert_int_equal(chains_snapshot(&chains, "orders", 5), CHAIN_FINE);
	assert_int_equal(chains_event(&chains, "orders", 6, 5), CHAIN_FINE);
	chains_undo(&chains, "orders", 5);
	assert_position(&chains, "1fc2;orders=5");
	chains_forget(&chains);
	assert_position(&chains, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_channel_is_added_once_and_only_if_it_can_be_one),
		cmocka_unit_test(a_position_is_printed_as_it_was_given_but_for_what_has_none),
		cmocka_unit_test(events_follow_a_snapshot_and_each_other),
		cmocka_unit_test(what_does_not_follow_is_noticed),
		cmocka_unit_test(an_event_before_any_snapshot_is_a_hole),
		cmocka_unit_test(channels_that_were_not_asked_for_are_strange),
		cmocka_unit_test(a_resumed_channel_goes_on_where_it_was),
		cmocka_unit_test(
			a_snapshot_instead_of_what_was_missed_is_a_hole_where_each_event_counts),
		cmocka_unit_test(another_epoch_is_a_hole_and_told_once),
		cmocka_unit_test(a_heartbeat_tells_what_never_came),
		cmocka_unit_test(what_was_not_taken_comes_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
