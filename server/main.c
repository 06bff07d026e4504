/* deltagated: the daemon. Arguments, build in order, run, take down in reverse. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/version.h"
#include "net/front.h"
#include "server/config.h"
#include "server/daemon.h"

#define EXIT_USAGE 2
#define FILES_MAX  16384

/* Keys live in this process: no core file, no ptrace by others of this user, no new privileges. */
static void harden(void)
{
	const struct rlimit none = { 0, 0 };
	struct rlimit files;

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)signal(SIGXFSZ,
		     SIG_IGN); /* a journal at the file size limit is an error, not an end */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max < FILES_MAX ? files.rlim_max : FILES_MAX;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
}

static int fail(const struct err *err)
{
	fprintf(stderr, "deltagated: %s\n", err->text);
	return err->code == ERR_USAGE || err->code == ERR_CONFIG ? EXIT_USAGE : EXIT_FAILURE;
}

static void announce(const struct daemon *daemon)
{
	printf("{\"listening\": \"http://%s\", \"socket\": \"%s\", \"pid\": %ld}\n",
	       front_address(daemon->front), daemon->config->socket, (long)getpid());
	fflush(stdout);
}

static int run(struct config *config)
{
	struct daemon *daemon;
	struct err err;

	if (!daemon_create(config, &daemon, &err)) {
		LOG(ERROR, "daemon.failed", F_ERR(&err));
		return fail(&err);
	}
	announce(daemon);
	LOG(INFO, "daemon.serving", F_STR("listen", front_address(daemon->front)),
	    F_STR("network", daemon->config->network), F_STR("exchange", daemon->config->rest_url));
	daemon_run(daemon);
	LOG(INFO, "daemon.stopped", F_INT("pid", getpid()));
	return daemon_destroy(daemon) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int check_and_run(struct config *config, bool is_locked)
{
	struct err err;

	if (!config_check(config, &err)) {
		config_destroy(config);
		return fail(&err);
	}
	log_configure(config->log_level, config->log_format);
	if (!is_locked)
		LOG(WARN, "secrets.unlocked_memory",
		    F_STR("meaning", "memory cannot be locked; keys may reach the swap"));
	if (config->mode_is_unknown)
		LOG(WARN, "config.mode_unknown", F_STR("mode", config->mode),
		    F_STR("network", config->network));
	return run(config);
}

static int check_only(struct config *config)
{
	struct err err;
	int status = EXIT_SUCCESS;

	config_warn(config, stderr);
	if (config_check(config, &err))
		puts("configuration ok");
	else
		status = fail(&err);
	config_destroy(config);
	return status;
}

int main(int argc, char **argv)
{
	enum config_action action = CONFIG_RUN;
	struct config *config = NULL;
	bool is_locked;
	struct err err;

	harden();
	if (!secret_init(&is_locked, &err) || !config_load(argc, argv, &action, &config, &err))
		return fail(&err);
	switch (action) {
	case CONFIG_HELP:
		config_usage(stdout);
		return EXIT_SUCCESS;
	case CONFIG_VERSION:
		puts("deltagated " DELTAGATE_VERSION);
		return EXIT_SUCCESS;
	case CONFIG_CHECK:
		return check_only(config);
	case CONFIG_PRINT:
		config_warn(config, stderr);
		config_print(config, stdout);
		config_destroy(config);
		return EXIT_SUCCESS;
	case CONFIG_RUN:
		break;
	}
	return check_and_run(config, is_locked);
}
