/* paths.h - where the daemon is, if nobody says otherwise.
 *
 * The same rules as the daemon's own for server.data_dir and server.socket, so that both meet
 * without being told: the command line, then DELTAGATE_SERVER_DATA_DIR and DELTAGATE_SERVER_SOCKET,
 * then /var/lib/deltagate for root and the XDG state folder for everyone else. A place that stands
 * only in the daemon's configuration file must be named with --data-dir or --socket. */
#ifndef CLI_PATHS_H
#define CLI_PATHS_H
#include "base/err.h"

struct paths {
	char *data_dir; /* "/var/lib/deltagate" */
	char *socket;   /* "/var/lib/deltagate/deltagate.sock" */
	char *journal;  /* "/var/lib/deltagate/journal.db" */
};

/* data_dir and socket as given by flags, or NULL. ERR_USAGE when there is no way to tell. */
MUST_CHECK bool paths_init(struct paths *paths, const char *data_dir, const char *socket,
			   struct err *err);
void paths_fini(struct paths *paths);
#endif
