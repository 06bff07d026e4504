/* config_args.h - the daemon's command line, taken apart but not yet judged.
 *
 * "--flag value" and "--flag=value"; a flag given twice counts as last written; a switch without a
 * value is true. The values are checked where those of the file and of the environment are. */
#ifndef SERVER_CONFIG_ARGS_H
#define SERVER_CONFIG_ARGS_H
#include <stdio.h>

#include "base/err.h"
#include "server/config_table.h"

struct config_args {
	enum config_action action;
	char *file;                    /* of --config; NULL: none */
	char *values[CONFIG_ID_COUNT]; /* NULL: not given */
};

/* args is zeroed, and config_args_fini() is due whatever happens. ERR_USAGE. A secret is refused,
 * wherever it stands, and its bytes in argv are overwritten. */
MUST_CHECK bool config_args_parse(struct config_args *args, int argc, char *const *argv,
				  struct err *err);
void config_args_copy(struct config_args *to, const struct config_args *from); /* to is zeroed */
void config_args_fini(struct config_args *args);
void config_args_usage(FILE *out);
#endif
