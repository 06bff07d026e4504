/* config.h - what the daemon is told: one table of name, type, default, bounds.
 *
 * Built-in default < YAML file < environment < command line; each value remembers its source.
 * Unknown keys and bad values are errors that name file, line and key. Secrets come by file, by
 * environment (overwritten once read) or by prompt, never by flag. Loaded once before the loop
 * runs; a reload makes a second struct config. The table is config_table.h. */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/decimal.h"
#include "base/err.h"
#include "base/log.h"

struct config_origins;
struct secret;

enum config_source { CONFIG_DEFAULT, CONFIG_FILE, CONFIG_ENV, CONFIG_FLAG };

struct config {
	/* exchange */
	struct secret *api_key;          /* NULL: unset */
	struct secret *trading_password; /* NULL: unset */
	char *api_key_file;
	char *trading_password_file;
	char *network;  /* "preprod", "mainnet" or "simulated"; from the mode unless given */
	char *rest_url; /* derived from the network unless given */
	char *stream_url;
	char *ca_file; /* NULL: the system's roots */
	int64_t connect_timeout_ms;
	int64_t timeout_ms;
	/* system */
	char *mode;
	bool mode_is_unknown; /* fell back to preprod: warn in log and health */
	struct decimal max_orders_per_second;
	/* rate */
	int64_t rate_guard_ms; /* added to the sliding second, for jitter on the way */
	int64_t reads_per_second;
	int64_t queue_max_per_token, queue_max;
	int64_t queue_wait_max_ms; /* an order without valid_until waits no longer */
	int64_t build_tries;       /* default 3 */
	/* server */
	char *listen;      /* numeric, "127.0.0.1:8790" or "[::1]:8790"; port 0: any */
	bool allow_remote; /* may listen on more than loopback */
	char *data_dir;
	char *socket;        /* derived: <data_dir>/deltagate.sock */
	char *allowed_hosts; /* name or name:port, comma-separated, besides the listen address */
	char *allowed_origins;
	int64_t requests_per_second; /* per token; 0: no limit */
	int64_t connections_max;
	int64_t wait_default_ms; /* Prefer: wait */
	bool admin_over_tcp;     /* tokens of scope admin count on the TCP port too */
	int64_t subscribers_max, subscribers_per_token; /* connections */
	int64_t subscriptions_max;                      /* channels of one connection */
	int64_t subscriber_queue_bytes;                 /* waiting for one connection */
	int64_t subscriber_slow_ms;                     /* without progress: closed */
	int64_t heartbeat_ms;
	/* journal */
	int64_t journal_queue_max;
	int64_t journal_events_kept; /* of the channels, for resuming */
	/* streams of the exchange */
	char *stream_symbols; /* always followed, comma-separated */
	int64_t stream_ping_ms, stream_pong_ms;
	int64_t stream_retry_min_ms, stream_retry_max_ms;
	int64_t stream_linger_ms;   /* a market's, after the last who wanted it */
	int64_t stream_trades_kept; /* for each symbol */
	/* account */
	int64_t poll_ms; /* open orders, until streams say */
	int64_t balance_max_age_ms;
	int64_t market_config_ms; /* how often the rules are fetched again */
	int64_t probe_ms;         /* how often an idle daemon asks the exchange for its health */
	/* settle */
	int64_t settle_resubmit_ms; /* unknown for so long: the same bytes once more */
	int64_t settle_give_up_ms;  /* longer than a built transaction can live */
	/* reconcile */
	int64_t reconcile_interval_ms; /* the journal against the exchange */
	/* recovery */
	bool resume_accepted;
	/* risk */
	bool has_max_order_value, has_price_band;
	struct decimal max_order_value; /* in quote units */
	struct decimal price_band_pct;  /* largest distance from the last price, per cent */
	struct decimal min_order_value; /* in quote units; the exchange's own rule is 5 */
	int64_t max_open_orders;        /* 0: no limit */
	/* log */
	enum log_level log_level;
	enum log_format log_format;

	struct config_origins *origins; /* where each value came from; config.c's own */
};

enum config_action { CONFIG_RUN, CONFIG_CHECK, CONFIG_PRINT, CONFIG_HELP, CONFIG_VERSION };

/* Reads everything. ERR_USAGE or ERR_CONFIG with file, line and key in the text. *result is NULL
 * for CONFIG_HELP and CONFIG_VERSION, which look at nothing else. A secret found on the command
 * line is refused and wiped from argv, whose strings must be writable. */
MUST_CHECK bool config_load(int argc, char *const *argv, enum config_action *action,
			    struct config **result, struct err *err);
/* As config_load() with the same arguments and file, but the environment's secrets of `old`; so are
 * secrets that came by a pipe or file descriptor, which can be read only once. */
MUST_CHECK bool config_reload(const struct config *old, struct config **result, struct err *err);
void config_destroy(struct config *config); /* wipes; NULL is fine */

/* Is it enough to run? For CONFIG_CHECK and CONFIG_RUN: one may print what is not complete. */
MUST_CHECK bool config_check(const struct config *config, struct err *err);
void config_warn(const struct config *config, FILE *out);  /* "warning: ..." lines, maybe none */
void config_print(const struct config *config, FILE *out); /* each value and its source */
void config_usage(FILE *out);
#endif
