#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/paths.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

#define NOBODY 65534

static const char *const variables[] = { "DELTAGATE_SERVER_DATA_DIR", "DELTAGATE_SERVER_SOCKET",
					 "XDG_STATE_HOME", "HOME" };
enum { DATA_DIR, SOCKET, STATE, HOME, VARIABLE_COUNT };

static void set_environment(const char *const values[VARIABLE_COUNT])
{
	for (size_t i = 0; i < VARIABLE_COUNT; i++)
		if (values[i])
			setenv(variables[i], values[i], 1);
		else
			unsetenv(variables[i]);
}

static void stop_being_root(void)
{
	if (getuid() == 0)
		assert_int_equal(seteuid(NOBODY), 0);
}

static void be_again(void)
{
	assert_int_equal(seteuid(getuid()), 0);
}

struct place {
	const char *environment[VARIABLE_COUNT];
	const char *data_dir, *socket; /* flags */
	const char *socket_found, *journal_found;
};

static void assert_place(const struct place *place)
{
	struct paths paths;
	struct err err;

	set_environment(place->environment);
	if (!paths_init(&paths, place->data_dir, place->socket, &err))
		fail_msg("%s", err.text);
	assert_string_equal(paths.socket, place->socket_found);
	assert_string_equal(paths.journal, place->journal_found);
	paths_fini(&paths);
}

static void the_command_line_wins_over_the_environment(void **unused)
{
	static const struct place places[] = {
		{ { "/env", NULL, NULL, "/home/joe" },
		  NULL,
		  NULL,
		  "/env/deltagate.sock",
		  "/env/journal.db" },
		{ { "/env", "/run/env.sock", NULL, NULL },
		  NULL,
		  NULL,
		  "/run/env.sock",
		  "/env/journal.db" },
		{ { "/env", "/run/env.sock", NULL, NULL },
		  "/flag",
		  NULL,
		  "/flag/deltagate.sock",
		  "/flag/journal.db" },
		{ { "/env", "/run/env.sock", NULL, NULL },
		  NULL,
		  "/flag.sock",
		  "/flag.sock",
		  "/env/journal.db" },
		{ { "/env", NULL, NULL, NULL }, "here", "there", "there", "here/journal.db" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		assert_place(&places[i]);
}

static void the_data_directory_follows_the_user(void **unused)
{
	static const struct place of_root = { { "", "", "/state", "/root" },
					      NULL,
					      NULL,
					      "/var/lib/deltagate/deltagate.sock",
					      "/var/lib/deltagate/journal.db" };
	static const struct place of_others[] = {
		{ { NULL, NULL, NULL, "/home/joe" },
		  NULL,
		  NULL,
		  "/home/joe/.local/state/deltagate/deltagate.sock",
		  "/home/joe/.local/state/deltagate/journal.db" },
		{ { NULL, NULL, "/state", "/home/joe" },
		  NULL,
		  NULL,
		  "/state/deltagate/deltagate.sock",
		  "/state/deltagate/journal.db" },
		{ { NULL, NULL, "relative", "/home/joe" },
		  NULL,
		  NULL,
		  "/home/joe/.local/state/deltagate/deltagate.sock",
		  "/home/joe/.local/state/deltagate/journal.db" },
	};

	(void)unused;
	if (geteuid() == 0)
		assert_place(&of_root);
	stop_being_root();
	for (size_t i = 0; i < ARRAY_LEN(of_others); i++)
		assert_place(&of_others[i]);
	be_again();
}

static void without_a_home_the_place_must_be_named(void **unused)
{
	static const char *const nothing[VARIABLE_COUNT] = { NULL };
	struct paths paths;
	struct err err;

	(void)unused;
	stop_being_root();
	set_environment(nothing);
	assert_false(paths_init(&paths, NULL, NULL, &err));
	assert_int_equal(err.code, ERR_USAGE);
	be_again();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_command_line_wins_over_the_environment),
		cmocka_unit_test(the_data_directory_follows_the_user),
		cmocka_unit_test(without_a_home_the_place_must_be_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
