#include "cli/paths.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

static char *join(const char *folder, const char *rest)
{
	char *path = mem_alloc(strlen(folder) + strlen(rest) + 1);

	stpcpy(stpcpy(path, folder), rest);
	return path;
}

/* A variable that is empty counts as unset, for the daemon too. */
static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static char *default_data_dir(void)
{
	const char *set = variable("DELTAGATE_SERVER_DATA_DIR");
	const char *state = variable("XDG_STATE_HOME");
	const char *home = variable("HOME");

	if (set)
		return mem_strdup(set);
	if (geteuid() == 0)
		return mem_strdup("/var/lib/deltagate");
	if (state && state[0] == '/')
		return join(state, "/deltagate");
	return home && home[0] == '/' ? join(home, "/.local/state/deltagate") : NULL;
}

static char *find_socket(const char *data_dir, const char *socket, bool is_dir_given)
{
	const char *set = variable("DELTAGATE_SERVER_SOCKET");

	if (socket)
		return mem_strdup(socket);
	/* --data-dir means another daemon than the one of the environment. */
	return set && !is_dir_given ? mem_strdup(set) : join(data_dir, "/deltagate.sock");
}

bool paths_init(struct paths *paths, const char *data_dir, const char *socket, struct err *err)
{
	paths->data_dir = data_dir ? mem_strdup(data_dir) : default_data_dir();
	if (!paths->data_dir)
		return err_set(err, ERR_USAGE, "HOME is not set: say where with --data-dir");
	paths->socket = find_socket(paths->data_dir, socket, data_dir != NULL);
	paths->journal = join(paths->data_dir, "/journal.db");
	return true;
}

void paths_fini(struct paths *paths)
{
	mem_free(paths->data_dir);
	mem_free(paths->socket);
	mem_free(paths->journal);
	*paths = (struct paths){ 0 };
}
