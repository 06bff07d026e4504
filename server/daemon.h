/* daemon.h - one of each module, and the order in which they are built and taken down.
 *
 * struct daemon is the only thing shared by all; nothing else is global. Handlers get it as
 * their context. */
#ifndef SERVER_DAEMON_H
#define SERVER_DAEMON_H
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"

struct api;
struct api_stream;
struct auth;
struct backfill;
struct cancel;
struct check;
struct config;
struct dd_client;
struct dd_streams;
struct front;
struct httpd;
struct hub;
struct journal;
struct loop;
struct market;
struct orders;
struct place;
struct reconcile;
struct scheduler;
struct settle;
struct timer;
struct signal_watch;
struct streams;
struct venue;
struct ws;

struct daemon {
	struct loop *loop;
	struct config *config;
	struct journal *journal;
	struct dd_client *exchange;
	struct scheduler *scheduler;
	struct orders *orders;
	struct venue *venue;
	struct place *place;
	struct settle *settle;
	struct cancel *cancel;
	struct check *check;
	struct market *market;
	struct dd_streams *exchange_streams;
	struct backfill *backfill;
	struct reconcile *reconcile;
	struct streams *streams;
	struct auth *auth;
	struct api *api; /* requests that wait for an order */
	struct api_stream *api_stream;
	struct hub *hub;
	struct ws *ws;
	struct httpd *httpd;
	struct front *front;
	struct signal_watch *on_term, *on_int, *on_hup;
	struct timer *stop_timer, *recover_timer;
	struct mono started;
	struct mono stop_deadline;
	struct mono farewell; /* subscribers are gone by then; 0: they were not asked to go yet */
	char *account_id;     /* the journal's, at the start; NULL: none yet */
	bool is_recovering;   /* new orders wait until every doubtful one is settled or explained */
	bool is_stopping;
};

/* Builds everything, recovers from the journal, listens. Takes config. */
MUST_CHECK bool daemon_create(struct config *config, struct daemon **result, struct err *err);
void daemon_run(struct daemon *daemon); /* until SIGTERM or SIGINT, and in-flight work is settled */
/* False when facts could not be written to the journal. */
bool daemon_destroy(struct daemon *daemon);

/* May new orders be taken at all? ERR_STOPPING, ERR_RECOVERING, ERR_JOURNAL. */
MUST_CHECK bool daemon_takes_orders(struct daemon *daemon, struct err *err);
/* Reads the secret files and what can be changed while running again. */
MUST_CHECK bool daemon_reload(struct daemon *daemon, struct err *err);
#endif
