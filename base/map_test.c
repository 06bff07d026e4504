#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/map.h"

#define MANY 5000

static int values[MANY];

static const char *key_of(int number, char key[16])
{
	snprintf(key, 16, "ord_%d", number);
	return key;
}

static void a_value_is_found_by_its_key(void **unused)
{
	struct map *map = map_create();
	char key[] = "ord_1";

	(void)unused;
	assert_null(map_get(map, "ord_1"));
	assert_null(map_put(map, key, &values[1]));
	assert_null(map_put(map, "", &values[0]));
	key[0] = 'X'; /* the map has its own copy */
	assert_ptr_equal(map_get(map, "ord_1"), &values[1]);
	assert_ptr_equal(map_get(map, ""), &values[0]);
	assert_null(map_get(map, "ord_"));
	assert_null(map_get(map, "ord_11"));
	assert_int_equal(map_len(map), 2);
	map_destroy(map);
	map_destroy(NULL);
}

static void putting_again_replaces_and_returns_the_old_value(void **unused)
{
	struct map *map = map_create();

	(void)unused;
	map_put(map, "a", &values[1]);
	assert_ptr_equal(map_put(map, "a", &values[2]), &values[1]);
	assert_ptr_equal(map_get(map, "a"), &values[2]);
	assert_int_equal(map_len(map), 1);
	map_destroy(map);
}

static void a_removed_key_is_gone_and_may_come_back(void **unused)
{
	struct map *map = map_create();

	(void)unused;
	map_put(map, "a", &values[1]);
	assert_ptr_equal(map_remove(map, "a"), &values[1]);
	assert_null(map_remove(map, "a"));
	assert_null(map_get(map, "a"));
	assert_int_equal(map_len(map), 0);
	assert_null(map_put(map, "a", &values[2]));
	assert_ptr_equal(map_get(map, "a"), &values[2]);
	map_destroy(map);
}

/* Against an array that knows the truth. */
static void it_agrees_with_a_plain_array_through_growth_and_removal(void **unused)
{
	struct map *map = map_create();
	bool is_in[MANY] = { false };
	uint32_t state = 7;
	size_t len = 0;

	(void)unused;
	for (int i = 0; i < 20 * MANY; i++) {
		char key[16];
		int number;

		state = state * 1664525 + 1013904223;
		number = (int)((state >> 8) % MANY);
		key_of(number, key);
		assert_ptr_equal(map_get(map, key), is_in[number] ? &values[number] : NULL);
		/* The first half mostly fills, the second mostly empties. */
		if ((state >> 4) % 4 < (i < 10 * MANY ? 3u : 1u)) {
			map_put(map, key, &values[number]);
			len += !is_in[number];
			is_in[number] = true;
		} else {
			map_remove(map, key);
			len -= is_in[number];
			is_in[number] = false;
		}
		assert_int_equal(map_len(map), len);
	}
	map_destroy(map);
}

static void a_walk_meets_every_pair_once(void **unused)
{
	struct map *map = map_create();
	int seen[100] = { 0 };
	const char *key;
	void *value;
	size_t at = 0;
	char text[16];

	(void)unused;
	for (int i = 0; i < 100; i++)
		map_put(map, key_of(i, text), &values[i]);
	while (map_next(map, &at, &key, &value)) {
		int number = (int)((int *)value - values);

		assert_string_equal(key, key_of(number, text));
		seen[number]++;
	}
	for (int i = 0; i < 100; i++)
		assert_int_equal(seen[i], 1);
	map_destroy(map);
}

static void the_pair_just_met_may_be_removed(void **unused)
{
	struct map *map = map_create();
	int met = 0;
	const char *key;
	void *value;
	size_t at = 0;
	char text[16];

	(void)unused;
	for (int i = 0; i < 1000; i++)
		map_put(map, key_of(i, text), &values[i]);
	while (map_next(map, &at, &key, &value)) {
		met++;
		if ((int *)value - values != 500)
			assert_ptr_equal(map_remove(map, key), value);
	}
	assert_int_equal(met, 1000);
	assert_int_equal(map_len(map), 1);
	assert_ptr_equal(map_get(map, "ord_500"), &values[500]);
	map_destroy(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_found_by_its_key),
		cmocka_unit_test(putting_again_replaces_and_returns_the_old_value),
		cmocka_unit_test(a_removed_key_is_gone_and_may_come_back),
		cmocka_unit_test(it_agrees_with_a_plain_array_through_growth_and_removal),
		cmocka_unit_test(a_walk_meets_every_pair_once),
		cmocka_unit_test(the_pair_just_met_may_be_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
