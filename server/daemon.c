#include "server/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/crash_point.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "client/deltadefi.h"
#include "client/wire.h"
#include "net/front.h"
#include "net/httpd.h"
#include "net/loop.h"
#include "net/ws.h"
#include "server/api.h"
#include "server/api_stream.h"
#include "server/auth.h"
#include "server/cancel.h"
#include "server/check.h"
#include "server/config.h"
#include "server/hub.h"
#include "server/journal.h"
#include "server/market.h"
#include "server/orders.h"
#include "server/place.h"
#include "server/recover.h"
#include "server/routes.h"
#include "server/scheduler.h"
#include "server/settle.h"
#include "server/upstream.h"
#include "server/venue.h"

#define BODY_MAX        65536
#define HEAD_TIMEOUT_MS 10000
#define BODY_TIMEOUT_MS 10000
#define UNDECIDED_MAX   256
#define STOP_MAX_MS     10000
#define STOP_LOOK_MS    50
#define FAREWELL_MS     2500 /* for subscribers to take what they have queued */
#define UPSTREAM_MAX    256  /* sockets to the exchange's streams */
#define EVENTS_PAGE     50   /* for who catches up: little enough for others to wait for */
#define GIVE_WAY_MS     10   /* five thousand events a second, however busy the streams are */
#define PEERS_BEHIND    4    /* more than are sent pages at a time */
#define RECOVER_LOOK_MS 50
#define PATH_LEN        4096

/* mkdir -p with mode 0700 for what is made; what exists stays as it is. */
static bool make_dir(const char *path, struct err *err)
{
	char part[PATH_LEN];

	if (!mem_str_set(part, sizeof(part), path))
		return err_set(err, ERR_CONFIG, "server.data_dir: path too long");
	for (char *slash = part + 1; *slash != '\0'; slash++) {
		if (*slash != '/')
			continue;
		*slash = '\0';
		(void)mkdir(part, 0700); /* the last one tells */
		*slash = '/';
	}
	if (mkdir(part, 0700) != 0 && errno != EEXIST)
		return err_set(err, ERR_IO, "cannot make %s: %s", path, strerror(errno));
	return true;
}

static bool open_journal(struct daemon *daemon, struct err *err)
{
	char path[PATH_LEN];
	const struct config *config = daemon->config;
	struct journal_config journal = { .path = path,
					  .network = config->network,
					  .queue_max = (size_t)config->journal_queue_max,
					  .events_kept = (size_t)config->journal_events_kept };

	snprintf(path, sizeof(path), "%s/journal.db", config->data_dir);
	return make_dir(config->data_dir, err) &&
	       journal_open(daemon->loop, &journal, &daemon->journal, err) &&
	       journal_load_setting(daemon->journal, "exchange_account_id", &daemon->account_id,
				    err);
}

static bool create_exchange(struct daemon *daemon, struct err *err)
{
	const struct config *config = daemon->config;
	struct dd_config exchange = { .rest_url = config->rest_url,
				      .ca_file = config->ca_file,
				      .connect_timeout_ms = config->connect_timeout_ms,
				      .timeout_ms = config->timeout_ms,
				      .user_agent = "deltagate" };

	return dd_client_create(daemon->loop, &exchange, config->api_key, &daemon->exchange, err);
}

static void create_core(struct daemon *daemon)
{
	const struct config *config = daemon->config;
	struct scheduler_config scheduler = {
		.per_second = config->max_orders_per_second,
		.guard_ms = config->rate_guard_ms,
		.reads_per_second = config->reads_per_second,
		.queue_max = (size_t)config->queue_max,
		.queue_max_per_token = (size_t)config->queue_max_per_token,
	};
	struct venue_config venue = { .probe_ms = config->probe_ms,
				      .account_id = daemon->account_id };
	struct place_config place = { .tries = config->build_tries,
				      .queue_wait_ms = config->queue_wait_max_ms };
	struct settle_config settle = { .resubmit_ms = config->settle_resubmit_ms,
					.give_up_ms = config->settle_give_up_ms };
	struct market_config market = { .rules_ms = config->market_config_ms,
					.max_age_ms = config->balance_max_age_ms,
					.trades_kept = (size_t)config->stream_trades_kept };

	daemon->scheduler = scheduler_create(daemon->loop, &scheduler);
	daemon->orders = orders_create(daemon->loop, daemon->journal);
	daemon->venue = venue_create(daemon->loop, &venue, daemon->exchange, daemon->scheduler,
				     daemon->journal);
	daemon->settle = settle_create(daemon->loop, &settle, daemon->exchange, daemon->scheduler,
				       daemon->orders, daemon->venue, daemon->journal);
	daemon->place = place_create(daemon->loop, &place, daemon->exchange, daemon->scheduler,
				     daemon->orders, daemon->venue, daemon->settle);
	daemon->cancel = cancel_create(daemon->loop, daemon->exchange, daemon->scheduler,
				       daemon->orders, daemon->venue);
	daemon->check = check_create(daemon->loop, config->poll_ms, daemon->exchange,
				     daemon->scheduler, daemon->orders, daemon->venue);
	daemon->market = market_create(daemon->loop, &market, daemon->exchange, daemon->scheduler,
				       daemon->venue, daemon->journal);
}

static bool create_auth(struct daemon *daemon, struct err *err)
{
	char path[PATH_LEN];
	struct auth_config auth = { .key_path = path,
				    .requests_per_second = daemon->config->requests_per_second };

	snprintf(path, sizeof(path), "%s/token.key", daemon->config->data_dir);
	return auth_create(daemon->loop, &auth, daemon->journal, &daemon->auth, err);
}

/* ---- the local stream -------------------------------------------------------------------- */

/* Before the rules have come, nobody can say: what looks like a symbol may be one. */
static bool is_symbol(void *arg, const char *symbol)
{
	const struct daemon *daemon = arg;

	return market_has_rules(daemon->market) ? market_rules(daemon->market, symbol) != NULL
						: wire_is_symbol(symbol);
}

static void want(void *arg, enum dd_stream_kind kind, const char *symbol, bool is_wanted)
{
	upstream_want(arg, kind, symbol, is_wanted);
}

static void system_state(void *arg, struct json_out *out)
{
	api_system_members(arg, out);
}

static bool is_behind(void *arg)
{
	const struct daemon *daemon = arg;

	return ws_waiting(daemon->ws) > PEERS_BEHIND;
}

static bool create_stream(struct daemon *daemon, struct err *err)
{
	const struct config *config = daemon->config;
	const struct ws_config ws = {
		.peers_max = (size_t)config->subscribers_max + UPSTREAM_MAX,
		.ca_file = config->ca_file,
	};
	const struct hub_config hub = {
		.queue_max_bytes = (size_t)config->subscriber_queue_bytes,
		.slow_ms = config->subscriber_slow_ms,
		.heartbeat_ms = config->heartbeat_ms,
		.subscriptions_max = (unsigned)config->subscriptions_max,
		.trades_kept = (size_t)config->stream_trades_kept,
		.page = EVENTS_PAGE,
		.give_way_ms = GIVE_WAY_MS,
	};
	const struct hub_outside outside = { .is_symbol = is_symbol,
					     .want = want,
					     .system_state = system_state,
					     .is_behind = is_behind,
					     .arg = daemon };

	if (!ws_create(daemon->loop, &ws, &daemon->ws, err))
		return false;
	daemon->hub = hub_create(daemon->loop, &hub, daemon->journal, &outside);
	api_stream_create(daemon);
	upstream_create(daemon);
	return true;
}

static bool listen_locally(struct daemon *daemon, struct err *err)
{
	struct httpd_config httpd = { .body_max = BODY_MAX,
				      .connections_max = (size_t)daemon->config->connections_max,
				      .head_timeout_ms = HEAD_TIMEOUT_MS,
				      .body_timeout_ms = BODY_TIMEOUT_MS,
				      .refuse = routes_refuse,
				      .handle = routes_handle,
				      .arg = daemon };
	struct front_config front = { .head_timeout_ms = HEAD_TIMEOUT_MS,
				      .undecided_max = UNDECIDED_MAX,
				      .upgrade = api_stream_upgrade,
				      .arg = daemon,
				      .ws = daemon->ws };

	return httpd_create(daemon->loop, &httpd, &daemon->httpd, err) &&
	       front_create(daemon->loop, daemon->httpd, &front, &daemon->front, err) &&
	       front_listen_tcp(daemon->front, daemon->config->listen, err) &&
	       front_listen_unix(daemon->front, daemon->config->socket, err);
}

/* ---- starting and stopping --------------------------------------------------------------- */

static void look_at_recovery(void *arg)
{
	struct daemon *daemon = arg;
	struct venue_state venue;

	if (daemon->is_stopping)
		return;
	if (daemon->is_recovering && settle_unexplained(daemon->settle) == 0) {
		daemon->is_recovering = false;
		CRASH_POINT("recover.done");
		LOG(INFO, "recovery.done",
		    F_INT("took_ms", mono_diff_ms(loop_now(daemon->loop), daemon->started)));
	}
	venue_state(daemon->venue, &venue);
	if (!daemon->is_recovering && venue.has_operation_key) {
		recover_resume(daemon);
		return;
	}
	recover_drop_late(daemon);
	if (daemon->is_recovering || daemon->config->resume_accepted)
		timer_start(daemon->recover_timer, RECOVER_LOOK_MS);
}

static bool is_settled(struct daemon *daemon)
{
	bool is_idle = place_stop(daemon->place) && httpd_pending(daemon->httpd) == 0;

	return is_idle || mono_is_past(daemon->stop_deadline, loop_now(daemon->loop));
}

/* Subscribers go last: they are to hear how it ended. */
static bool have_left(struct daemon *daemon)
{
	struct mono now = loop_now(daemon->loop);

	if (daemon->farewell.us == 0)
		daemon->farewell = mono_after_ms(now, FAREWELL_MS);
	return api_stream_stop(daemon) || mono_is_past(daemon->farewell, now);
}

static void look_at_stopping(void *arg)
{
	struct daemon *daemon = arg;

	if (is_settled(daemon) && have_left(daemon))
		loop_stop(daemon->loop);
	else
		timer_start(daemon->stop_timer, STOP_LOOK_MS);
}

static void on_stop(void *arg, int signum)
{
	struct daemon *daemon = arg;

	if (daemon->is_stopping)
		return;
	daemon->is_stopping = true;
	daemon->stop_deadline = mono_after_ms(loop_now(daemon->loop), STOP_MAX_MS);
	LOG(INFO, "daemon.stopping", F_INT("signal", signum));
	front_stop_accepting(daemon->front);
	httpd_stop_keepalive(daemon->httpd);
	look_at_stopping(daemon);
}

static void on_hangup(void *arg, int signum)
{
	struct daemon *daemon = arg;
	struct err err;

	(void)signum;
	if (!daemon_reload(daemon, &err))
		LOG(ERROR, "config.reload_failed", F_ERR(&err));
}

static void watch_signals(struct daemon *daemon)
{
	daemon->stop_timer = loop_timer_create(daemon->loop, look_at_stopping, daemon);
	daemon->recover_timer = loop_timer_create(daemon->loop, look_at_recovery, daemon);
	daemon->on_term = signal_create(daemon->loop, SIGTERM, on_stop, daemon);
	daemon->on_int = signal_create(daemon->loop, SIGINT, on_stop, daemon);
	daemon->on_hup = signal_create(daemon->loop, SIGHUP, on_hangup, daemon);
}

static bool start(struct daemon *daemon, struct err *err)
{
	struct recovery counts;

	if (!recover_orders(daemon, &counts, err))
		return false;
	daemon->is_recovering = counts.settling > 0;
	watch_signals(daemon);
	venue_start(daemon->venue, daemon->config->trading_password);
	market_start(daemon->market);
	check_start(daemon->check);
	look_at_recovery(daemon);
	return upstream_start(daemon, err) && listen_locally(daemon, err);
}

bool daemon_create(struct config *config, struct daemon **result, struct err *err)
{
	struct daemon *daemon = mem_alloc(sizeof(*daemon));

	daemon->config = config;
	daemon->loop = loop_create();
	daemon->started = mono_now();
	if (!open_journal(daemon, err) || !create_exchange(daemon, err))
		goto out;
	create_core(daemon);
	if (!create_auth(daemon, err))
		goto out;
	api_create(daemon);
	if (!create_stream(daemon, err) || !start(daemon, err))
		goto out;
	*result = daemon;
	daemon = NULL;
out:
	(void)daemon_destroy(daemon);
	return daemon == NULL;
}

void daemon_run(struct daemon *daemon)
{
	loop_run(daemon->loop);
}

bool daemon_destroy(struct daemon *daemon)
{
	size_t lost = 0;
	bool is_whole = true;

	if (!daemon)
		return true;
	/* The loop turns while this takes its time, and apps do not know of it. */
	httpd_close(daemon->httpd);
	front_destroy(daemon->front);
	upstream_stop(daemon);
	/* The hub listens to the journal, and those at the end of both sockets listen to the hub.
	 */
	ws_destroy(daemon->ws);
	api_stream_leave_hub(daemon);
	hub_destroy(daemon->hub);
	/* Completions and acknowledgements of what is under way arrive in these two, so all they
	 * may touch is taken down after them. */
	dd_client_destroy(daemon->exchange);
	if (daemon->venue)
		venue_exchange_gone(daemon->venue);
	if (daemon->journal)
		is_whole = journal_close(daemon->journal, &lost);
	if (!is_whole)
		LOG(ERROR, "journal.facts_lost", F_INT("writes", (int64_t)lost));
	api_destroy(daemon); /* answers who still waits */
	market_destroy(daemon->market);
	upstream_destroy(daemon);
	venue_destroy(daemon->venue);
	check_destroy(daemon->check);
	cancel_destroy(daemon->cancel);
	settle_destroy(daemon->settle);
	place_destroy(daemon->place);
	orders_destroy(daemon->orders);
	httpd_destroy(daemon->httpd);
	api_stream_destroy(daemon);
	auth_destroy(daemon->auth);
	scheduler_destroy(daemon->scheduler);
	signal_destroy(daemon->on_term);
	signal_destroy(daemon->on_int);
	signal_destroy(daemon->on_hup);
	timer_destroy(daemon->stop_timer);
	timer_destroy(daemon->recover_timer);
	loop_destroy(daemon->loop);
	mem_free(daemon->account_id);
	config_destroy(daemon->config);
	mem_free(daemon);
	return is_whole;
}

bool daemon_takes_orders(struct daemon *daemon, struct err *err)
{
	struct journal_status journal;

	if (daemon->is_stopping)
		return err_set(err, ERR_STOPPING, "the daemon is stopping");
	if (daemon->is_recovering)
		return err_set(err, ERR_RECOVERING,
			       "%zu orders are still in doubt after the restart",
			       settle_unexplained(daemon->settle));
	journal_status(daemon->journal, &journal);
	if (!journal.takes_orders)
		return err_set(err, ERR_JOURNAL, "%s", journal.reason);
	return true;
}

/* ---- reloading --------------------------------------------------------------------------- */

static void swapped(void *arg, const struct err *err)
{
	(void)arg;
	if (err)
		LOG(ERROR, "exchange.key_swap_failed", F_ERR(err));
}

static void unlocked(void *arg, const struct err *err)
{
	(void)arg;
	(void)err; /* venue.c has logged it */
}

bool daemon_reload(struct daemon *daemon, struct err *err)
{
	struct config *old = daemon->config;
	struct venue_state venue;

	if (!config_reload(old, &daemon->config, err)) {
		daemon->config = old;
		return false;
	}
	log_configure(daemon->config->log_level, daemon->config->log_format);
	if (daemon->config->api_key && !secret_equal(old->api_key, daemon->config->api_key))
		venue_swap_api_key(daemon->venue, daemon->config->api_key, swapped, daemon);
	venue_state(daemon->venue, &venue);
	if (daemon->config->trading_password && !venue.has_operation_key)
		venue_unlock(daemon->venue, daemon->config->trading_password, unlocked, daemon);
	config_destroy(old);
	LOG(INFO, "config.reloaded", F_STR("log_level", log_level_name(daemon->config->log_level)));
	return true;
}
