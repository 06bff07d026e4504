/* config_table.h - every setting of the daemon, once. For config*.c only.
 *
 * X(field, key, kind, fallback, min, max, flag, environment, help)
 *   field        of struct config, with the C type that CONFIG_KINDS gives the kind
 *   key          section.key of the YAML file
 *   fallback     the built-in default as one would write it; NULL: unset, or derived from others
 *   min, max     of a number; thousandths for a DECIMAL; of the length for everything written as
 * text flag         NULL for the secrets: what stands on a command line is seen by everyone
 *   environment  the four short names are those of the exchange's own bots */
#ifndef SERVER_CONFIG_TABLE_H
#define SERVER_CONFIG_TABLE_H
#include <stddef.h>
#include <stdint.h>

#include "server/config.h"

#define CONFIG_KEY_MAX      128 /* bytes of an API key */
#define CONFIG_PASSWORD_MAX 1024
#define CONFIG_SOCKET_MAX   107 /* what struct sockaddr_un takes, without the NUL */

/* X(kind, type, placeholder) */
#define CONFIG_KINDS(X)                       \
	X(SECRET, struct secret *, "SECRET")  \
	X(PATH, char *, "PATH")               \
	X(MODE, char *, "WORD")               \
	X(NETWORK, char *, "WORD")            \
	X(REST_URL, char *, "URL")            \
	X(STREAM_URL, char *, "URL")          \
	X(LISTEN, char *, "IP:PORT")          \
	X(HOSTS, char *, "LIST")              \
	X(ORIGINS, char *, "LIST")            \
	X(SYMBOLS, char *, "LIST")            \
	X(INTEGER, int64_t, "N")              \
	X(MS, int64_t, "MS")                  \
	X(BOOL, bool, "true|false")           \
	X(DECIMAL, struct decimal, "NUMBER")  \
	X(LOG_LEVEL, enum log_level, "LEVEL") \
	X(LOG_FORMAT, enum log_format, "json|text")

/* clang-format off */
#define CONFIG_SETTINGS(X) \
	X(api_key, "exchange.deltadefi_api_key", SECRET, NULL, 1, CONFIG_KEY_MAX, \
	  NULL, "DELTADEFI_API_KEY", "the exchange's API key") \
	X(api_key_file, "exchange.deltadefi_api_key_file", PATH, NULL, 1, 4000, \
	  "--deltadefi-api-key-file", "DELTAGATE_EXCHANGE_DELTADEFI_API_KEY_FILE", \
	  "file that holds the API key") \
	X(trading_password, "exchange.trading_password", SECRET, NULL, 1, CONFIG_PASSWORD_MAX, \
	  NULL, "TRADING_PASSWORD", "opens the operation key") \
	X(trading_password_file, "exchange.trading_password_file", PATH, NULL, 1, 4000, \
	  "--trading-password-file", "DELTAGATE_EXCHANGE_TRADING_PASSWORD_FILE", \
	  "file that holds the trading password") \
	X(network, "exchange.network", NETWORK, NULL, 1, 32, \
	  "--network", "DELTAGATE_EXCHANGE_NETWORK", \
	  "preprod, mainnet or simulated, whatever system.mode says") \
	X(rest_url, "exchange.rest_url", REST_URL, NULL, 1, 255, \
	  "--rest-url", "DELTAGATE_EXCHANGE_REST_URL", "instead of the network's own") \
	X(stream_url, "exchange.stream_url", STREAM_URL, NULL, 1, 255, \
	  "--stream-url", "DELTAGATE_EXCHANGE_STREAM_URL", "instead of the network's own") \
	X(ca_file, "exchange.ca_file", PATH, NULL, 1, 4000, \
	  "--ca-file", "DELTAGATE_EXCHANGE_CA_FILE", "certificates to trust instead of the system's") \
	X(connect_timeout_ms, "exchange.connect_timeout_ms", MS, "5000", 100, 120000, \
	  "--connect-timeout-ms", "DELTAGATE_EXCHANGE_CONNECT_TIMEOUT_MS", \
	  "for a connection to the exchange") \
	X(timeout_ms, "exchange.timeout_ms", MS, "15000", 500, 300000, \
	  "--timeout-ms", "DELTAGATE_EXCHANGE_TIMEOUT_MS", "for an answer of the exchange") \
	\
	X(mode, "system.mode", MODE, "testnet", 1, 32, \
	  "--mode", "SYSTEM_MODE", "testnet, preprod, staging, mainnet or simulated") \
	X(max_orders_per_second, "system.max_orders_per_second", DECIMAL, "5", 100, 1000000, \
	  "--max-orders-per-second", "MAX_ORDERS_PER_SECOND", "what the exchange allows an account") \
	\
	X(listen, "server.listen", LISTEN, "127.0.0.1:8790", 1, 64, \
	  "--listen", "DELTAGATE_SERVER_LISTEN", "REST and WebSocket; port 0 picks a free one") \
	X(allow_remote, "server.allow_remote", BOOL, "false", 0, 0, \
	  "--allow-remote", "DELTAGATE_SERVER_ALLOW_REMOTE", "listen on more than loopback") \
	X(data_dir, "server.data_dir", PATH, NULL, 1, 4000, \
	  "--data-dir", "DELTAGATE_SERVER_DATA_DIR", "holds the journal") \
	X(socket, "server.socket", PATH, NULL, 1, CONFIG_SOCKET_MAX, \
	  "--socket", "DELTAGATE_SERVER_SOCKET", "Unix socket; in the data directory by default") \
	X(allowed_hosts, "server.allowed_hosts", HOSTS, "", 0, 1024, \
	  "--allowed-hosts", "DELTAGATE_SERVER_ALLOWED_HOSTS", \
	  "further names in Host, separated by commas") \
	X(allowed_origins, "server.allowed_origins", ORIGINS, "", 0, 1024, \
	  "--allowed-origins", "DELTAGATE_SERVER_ALLOWED_ORIGINS", \
	  "web pages that may call, separated by commas") \
	X(requests_per_second, "server.requests_per_second", INTEGER, "200", 0, 1000000, \
	  "--requests-per-second", "DELTAGATE_SERVER_REQUESTS_PER_SECOND", \
	  "for each local token; 0: no limit") \
	X(connections_max, "server.connections_max", INTEGER, "1024", 8, 100000, \
	  "--connections-max", "DELTAGATE_SERVER_CONNECTIONS_MAX", "local connections at once") \
	X(wait_default_ms, "server.wait_default_ms", MS, "5000", 0, 60000, \
	  "--wait-default-ms", "DELTAGATE_SERVER_WAIT_DEFAULT_MS", \
	  "how long an answer to an order waits for its outcome") \
	X(admin_over_tcp, "server.admin_over_tcp", BOOL, "false", 0, 0, \
	  "--admin-over-tcp", "DELTAGATE_SERVER_ADMIN_OVER_TCP", \
	  "take admin tokens on the TCP port too") \
	\
	X(subscribers_max, "server.subscribers_max", INTEGER, "2048", 1, 100000, \
	  "--subscribers-max", "DELTAGATE_SERVER_SUBSCRIBERS_MAX", \
	  "connections to the local stream at once") \
	X(subscribers_per_token, "server.subscribers_per_token", INTEGER, "256", 1, 100000, \
	  "--subscribers-per-token", "DELTAGATE_SERVER_SUBSCRIBERS_PER_TOKEN", \
	  "of these, for each local token") \
	X(subscriptions_max, "server.subscriptions_max", INTEGER, "64", 1, 1000, \
	  "--subscriptions-max", "DELTAGATE_SERVER_SUBSCRIPTIONS_MAX", \
	  "channels that one connection follows") \
	X(subscriber_queue_bytes, "server.subscriber_queue_bytes", INTEGER, "262144", 4096, \
	  16777216, "--subscriber-queue-bytes", "DELTAGATE_SERVER_SUBSCRIBER_QUEUE_BYTES", \
	  "what may wait for one connection; lossless channels go on from the journal") \
	X(subscriber_slow_ms, "server.subscriber_slow_ms", MS, "30000", 100, 3600000, \
	  "--subscriber-slow-ms", "DELTAGATE_SERVER_SUBSCRIBER_SLOW_MS", \
	  "a connection that takes nothing for so long is closed") \
	X(heartbeat_ms, "server.heartbeat_ms", MS, "15000", 100, 3600000, \
	  "--heartbeat-ms", "DELTAGATE_SERVER_HEARTBEAT_MS", \
	  "how often the local stream shows that it is alive") \
	\
	X(rate_guard_ms, "rate.guard_ms", MS, "20", 0, 1000, \
	  "--rate-guard-ms", "DELTAGATE_RATE_GUARD_MS", \
	  "added to the second of the rate limit, for jitter on the way") \
	X(reads_per_second, "rate.reads_per_second", INTEGER, "15", 1, 1000, \
	  "--rate-reads-per-second", "DELTAGATE_RATE_READS_PER_SECOND", \
	  "requests to the exchange that move no order") \
	X(queue_max_per_token, "rate.queue_max_per_token", INTEGER, "200", 1, 100000, \
	  "--rate-queue-max-per-token", "DELTAGATE_RATE_QUEUE_MAX_PER_TOKEN", \
	  "orders that wait, for each local token") \
	X(queue_max, "rate.queue_max", INTEGER, "1000", 1, 100000, \
	  "--rate-queue-max", "DELTAGATE_RATE_QUEUE_MAX", "orders that wait") \
	X(queue_wait_max_ms, "rate.queue_wait_max_ms", MS, "60000", 100, 3600000, \
	  "--rate-queue-wait-max-ms", "DELTAGATE_RATE_QUEUE_WAIT_MAX_MS", \
	  "an order without valid_until waits no longer") \
	X(build_tries, "rate.build_tries", INTEGER, "3", 1, 10, \
	  "--rate-build-tries", "DELTAGATE_RATE_BUILD_TRIES", \
	  "how often the build of one order is tried") \
	\
	X(journal_queue_max, "journal.queue_max", INTEGER, "10000", 16, 1000000, \
	  "--journal-queue-max", "DELTAGATE_JOURNAL_QUEUE_MAX", "entries not yet on disk") \
	\
	X(journal_events_kept, "journal.events_kept", INTEGER, "200000", 1000, 1000000000, \
	  "--journal-events-kept", "DELTAGATE_JOURNAL_EVENTS_KEPT", \
	  "events of the local channels, kept for those that resume") \
	\
	X(stream_symbols, "streams.symbols", SYMBOLS, "", 0, 1024, \
	  "--stream-symbols", "DELTAGATE_STREAMS_SYMBOLS", \
	  "markets that are always followed, separated by commas") \
	X(stream_ping_ms, "streams.ping_ms", MS, "15000", 100, 600000, \
	  "--stream-ping-ms", "DELTAGATE_STREAMS_PING_MS", \
	  "how often a stream of the exchange is asked whether it is alive") \
	X(stream_pong_ms, "streams.pong_ms", MS, "10000", 100, 600000, \
	  "--stream-pong-ms", "DELTAGATE_STREAMS_PONG_MS", \
	  "no sign of life for so long after that: dead") \
	X(stream_retry_min_ms, "streams.retry_min_ms", MS, "500", 10, 600000, \
	  "--stream-retry-min-ms", "DELTAGATE_STREAMS_RETRY_MIN_MS", \
	  "before the second try to connect; doubles, with jitter") \
	X(stream_retry_max_ms, "streams.retry_max_ms", MS, "30000", 10, 3600000, \
	  "--stream-retry-max-ms", "DELTAGATE_STREAMS_RETRY_MAX_MS", "up to this") \
	X(stream_linger_ms, "streams.linger_ms", MS, "30000", 0, 86400000, \
	  "--stream-linger-ms", "DELTAGATE_STREAMS_LINGER_MS", \
	  "a market nobody wants any more is followed so much longer") \
	X(stream_trades_kept, "streams.trades_kept", INTEGER, "500", 1, 10000, \
	  "--stream-trades-kept", "DELTAGATE_STREAMS_TRADES_KEPT", "of each market, in memory") \
	\
	X(poll_ms, "account.poll_ms", MS, "2000", 100, 600000, \
	  "--account-poll-ms", "DELTAGATE_ACCOUNT_POLL_MS", \
	  "how often open orders are asked for: the streams' safety net") \
	X(balance_max_age_ms, "account.balance_max_age_ms", MS, "500", 0, 60000, \
	  "--account-balance-max-age-ms", "DELTAGATE_ACCOUNT_BALANCE_MAX_AGE_MS", \
	  "older balances are asked for again") \
	X(market_config_ms, "account.market_config_ms", MS, "3600000", 1000, 86400000, \
	  "--account-market-config-ms", "DELTAGATE_ACCOUNT_MARKET_CONFIG_MS", \
	  "how often the precision rules are fetched") \
	X(probe_ms, "account.probe_ms", MS, "5000", 500, 3600000, \
	  "--account-probe-ms", "DELTAGATE_ACCOUNT_PROBE_MS", \
	  "how often an idle daemon asks the exchange for its health") \
	\
	X(settle_resubmit_ms, "settle.resubmit_ms", MS, "15000", 1000, 600000, \
	  "--settle-resubmit-ms", "DELTAGATE_SETTLE_RESUBMIT_MS", \
	  "unknown for so long: the same bytes are sent once more") \
	X(settle_give_up_ms, "settle.give_up_ms", MS, "600000", 10000, 86400000, \
	  "--settle-give-up-ms", "DELTAGATE_SETTLE_GIVE_UP_MS", \
	  "longer than a built transaction can live") \
	\
	X(reconcile_interval_ms, "reconcile.interval_ms", MS, "10000", 1000, 3600000, \
	  "--reconcile-interval-ms", "DELTAGATE_RECONCILE_INTERVAL_MS", \
	  "how often the journal is held against the exchange") \
	\
	X(resume_accepted, "recovery.resume_accepted", BOOL, "false", 0, 0, \
	  "--recovery-resume-accepted", "DELTAGATE_RECOVERY_RESUME_ACCEPTED", \
	  "queue again what a restart found waiting") \
	\
	X(max_order_value, "risk.max_order_value", DECIMAL, NULL, 1, 1000000000000000, \
	  "--risk-max-order-value", "DELTAGATE_RISK_MAX_ORDER_VALUE", \
	  "largest order, in quote units") \
	X(price_band_pct, "risk.price_band_pct", DECIMAL, NULL, 1, 10000000, \
	  "--risk-price-band-pct", "DELTAGATE_RISK_PRICE_BAND_PCT", \
	  "largest distance from the last price, per cent") \
	X(min_order_value, "risk.min_order_value", DECIMAL, "5", 0, 1000000000000000, \
	  "--risk-min-order-value", "DELTAGATE_RISK_MIN_ORDER_VALUE", \
	  "smallest order, in quote units; the exchange's own rule is 5") \
	X(max_open_orders, "risk.max_open_orders", INTEGER, "0", 0, 1000000, \
	  "--risk-max-open-orders", "DELTAGATE_RISK_MAX_OPEN_ORDERS", "of all apps; 0: no limit") \
	\
	X(log_level, "log.level", LOG_LEVEL, "info", 1, 16, \
	  "--log-level", "DELTAGATE_LOG_LEVEL", "trace, debug, info, warn or error") \
	X(log_format, "log.format", LOG_FORMAT, "json", 1, 16, \
	  "--log-format", "DELTAGATE_LOG_FORMAT", "lines for machines or for people")
/* clang-format on */

enum config_kind {
#define X(kind, type, placeholder) CONFIG_KIND_##kind,
	CONFIG_KINDS(X)
#undef X
};

enum config_id {
#define X(field, ...) CONFIG_ID_##field,
	CONFIG_SETTINGS(X)
#undef X
		CONFIG_ID_COUNT
};

struct config_setting {
	const char *key;
	enum config_kind kind;
	const char *fallback;
	int64_t min, max;
	const char *flag;
	const char *environment;
	const char *help;
	size_t offset; /* of the field */
};

extern const struct config_setting config_settings[CONFIG_ID_COUNT];

/* CONFIG_ID_COUNT when there is none. */
enum config_id config_table_find(const char *section, const char *key);
enum config_id config_table_section(const char *section); /* its first setting, or the same */
size_t config_table_section_len(enum config_id id);       /* of its name, at the start of the key */
const char *config_table_placeholder(enum config_kind kind);
#endif
