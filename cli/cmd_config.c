/* The commands that ask deltagated itself about its configuration: only it knows the rules. */
#include "cli/cli.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define WORDS_MAX 256

static const char daemon_name[] = "deltagated";

/* The one of the same installation; false when there is none. */
static bool find_beside(char path[PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *name;

	if (len <= 0)
		return false;
	path[len] = '\0';
	name = strrchr(path, '/');
	if (!name || (size_t)(name + 1 - path) + sizeof(daemon_name) > PATH_MAX)
		return false;
	memcpy(name + 1, daemon_name, sizeof(daemon_name));
	return access(path, X_OK) == 0;
}

/* What stands behind our own command is the daemon's. */
static bool gather(const struct cli *cli, const char *action, const char *words[WORDS_MAX])
{
	size_t count = 0;

	words[count++] = daemon_name;
	words[count++] = action;
	if (args_has(&cli->args, "--data-dir")) {
		words[count++] = "--data-dir";
		words[count++] = cli->paths.data_dir;
	}
	for (char *const *word = cli->rest; *word; word++) {
		if (count == WORDS_MAX - 1)
			return false;
		words[count++] = *word;
	}
	words[count] = NULL;
	return true;
}

/* Comes back only when that fails. */
static int become_daemon(const struct cli *cli, const char *action)
{
	const char *words[WORDS_MAX];
	char path[PATH_MAX];
	/* exec takes them without const, and changes nothing. */
	union {
		const char **from;
		char *const *to;
	} list = { .from = words };

	if (!gather(cli, action, words))
		return cli_usage("too many words");
	if (find_beside(path))
		execv(path, list.to);
	else
		execvp(daemon_name, list.to);
	cli_note("%s, beside this program and in PATH: %s", daemon_name, strerror(errno));
	return CLI_REFUSED;
}

int cmd_config_check(struct cli *cli)
{
	return become_daemon(cli, "--check-config");
}

int cmd_config_print(struct cli *cli)
{
	return become_daemon(cli, "--print-config");
}
