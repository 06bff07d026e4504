/* options.h - deltasim's command line. */
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/sim.h"

#define ACCOUNTS_MAX 64

struct account_option {
	const char *name, *key, *password;
};

struct options {
	struct sim_config sim;
	const char *listen, *faults_path, *cert_path, *key_path;
	struct account_option accounts[ACCOUNTS_MAX]; /* the first one is "main" */
	size_t account_count;
	bool has_maker;
	int64_t maker_interval_ms, crowd_ms;
};

/* Fills options, which borrow argv and cut it in places. The exit status to leave with (usage
 * or a complaint has been printed), or -1 to go on. */
int options_read(int argc, char **argv, struct options *options);
#endif
