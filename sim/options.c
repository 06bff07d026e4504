#include "sim/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static const char usage[] =
	"usage: deltasim [--listen ADDR:PORT] [--api-key KEY --trading-password PASSWORD]\n"
	"  --account NAME:KEY:PASSWORD   another account; repeatable; no password: no operation "
	"key\n"
	"  --seed N                      ids, keys and delays come from it (1)\n"
	"  --market-maker                keeps the books alive\n"
	"  --maker-interval-ms N         how often it quotes anew (1000)\n"
	"  --crowd-ms N                  with the market maker: a small trade so often (0: none)\n"
	"  --data FILE                   keeps the state across restarts\n"
	"  --faults FILE                 fault rules to begin with\n"
	"  --tls-cert FILE --tls-key FILE\n"
	"  --realistic                   latencies and delays as seen on the real exchange\n"
	"  --latency-ms [KIND=]A-B       of KIND build, submit, cancel, read, or of all\n"
	"  --latency MS                  of all, and 0 for the delay of matching too\n"
	"  --match-delay-ms A-B          from submit to the book (20-60)\n"
	"  --cancel-delay-ms A-B         from a cancel to its effect (0)\n"
	"  --rate-orders N               builds, and submits with cancels, a window (5; 0: off)\n"
	"  --rate-calls N                all other calls a window (0: off)\n"
	"  --rate-window-ms N            (1000)\n"
	"  --tx-lifetime-ms N            of a built transaction (120000)\n"
	"  --max-open-orders N           an account (1000)\n"
	"  --log-level LEVEL             (info)\n";

static bool read_number(const char *text, int64_t max, int64_t *number)
{
	char *end;

	*number = strtoll(text, &end, 10);
	return end != text && *end == '\0' && *number >= 0 && *number <= max;
}

/* "A-B" or "A". */
static bool read_range(const char *text, struct range_ms *range)
{
	char first[24];
	const char *dash = strchr(text, '-');
	size_t len = dash ? (size_t)(dash - text) : strlen(text);

	if (len >= sizeof(first))
		return false;
	memcpy(first, text, len);
	first[len] = '\0';
	return read_number(first, FAULT_DELAY_MAX, &range->low) &&
	       read_number(dash ? dash + 1 : first, FAULT_DELAY_MAX, &range->high) &&
	       range->low <= range->high;
}

static bool read_latency(const char *text, struct sim_config *config)
{
	static const char *const kinds[CALL_KINDS] = { "read=", "build=", "submit=", "cancel=" };
	struct range_ms range;

	for (int i = 0; i < CALL_KINDS; i++)
		if (strncmp(text, kinds[i], strlen(kinds[i])) == 0)
			return read_range(text + strlen(kinds[i]), &config->latency[i]);
	if (!read_range(text, &range))
		return false;
	for (int i = 0; i < CALL_KINDS; i++)
		config->latency[i] = range;
	return true;
}

static bool read_all_latency(const char *text, struct sim_config *config)
{
	if (!read_latency(text, config))
		return false;
	if (config->latency[CALL_READ].high == 0)
		config->exchange.match_delay = config->exchange.cancel_delay =
			(struct range_ms){ 0, 0 };
	return true;
}

static void be_realistic(struct sim_config *config)
{
	config->latency[CALL_READ] = (struct range_ms){ 60, 150 };
	config->latency[CALL_BUILD] = (struct range_ms){ 150, 400 };
	config->latency[CALL_SUBMIT] = (struct range_ms){ 200, 500 };
	config->latency[CALL_CANCEL] = (struct range_ms){ 100, 300 };
	config->exchange.match_delay = (struct range_ms){ 20, 300 };
	config->exchange.cancel_delay = (struct range_ms){ 20, 300 };
}

static bool read_unsigned(const char *text, int64_t max, unsigned *number)
{
	int64_t wide;

	if (!read_number(text, max, &wide))
		return false;
	*number = (unsigned)wide;
	return true;
}

/* NAME:KEY:PASSWORD, cut in place. */
static bool read_account(char *text, struct options *options)
{
	struct account_option *account = &options->accounts[options->account_count];
	char *key = strchr(text, ':');
	char *password = key ? strchr(key + 1, ':') : NULL;

	if (!password || options->account_count == ACCOUNTS_MAX)
		return false;
	*key = *password = '\0';
	*account = (struct account_option){ text, key + 1, password + 1 };
	options->account_count++;
	return true;
}

enum {
	OPT_LISTEN = 256,
	OPT_API_KEY,
	OPT_PASSWORD,
	OPT_ACCOUNT,
	OPT_SEED,
	OPT_MAKER,
	OPT_MAKER_INTERVAL,
	OPT_CROWD,
	OPT_DATA,
	OPT_FAULTS,
	OPT_TLS_CERT,
	OPT_TLS_KEY,
	OPT_REALISTIC,
	OPT_LATENCY_MS,
	OPT_LATENCY,
	OPT_MATCH_DELAY,
	OPT_CANCEL_DELAY,
	OPT_RATE_ORDERS,
	OPT_RATE_CALLS,
	OPT_RATE_WINDOW,
	OPT_TX_LIFETIME,
	OPT_MAX_OPEN,
	OPT_LOG_LEVEL,
	OPT_HELP
};

static const struct option long_options[] = {
	{ "listen", required_argument, NULL, OPT_LISTEN },
	{ "api-key", required_argument, NULL, OPT_API_KEY },
	{ "trading-password", required_argument, NULL, OPT_PASSWORD },
	{ "account", required_argument, NULL, OPT_ACCOUNT },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "market-maker", no_argument, NULL, OPT_MAKER },
	{ "maker-interval-ms", required_argument, NULL, OPT_MAKER_INTERVAL },
	{ "crowd-ms", required_argument, NULL, OPT_CROWD },
	{ "data", required_argument, NULL, OPT_DATA },
	{ "faults", required_argument, NULL, OPT_FAULTS },
	{ "tls-cert", required_argument, NULL, OPT_TLS_CERT },
	{ "tls-key", required_argument, NULL, OPT_TLS_KEY },
	{ "realistic", no_argument, NULL, OPT_REALISTIC },
	{ "latency-ms", required_argument, NULL, OPT_LATENCY_MS },
	{ "latency", required_argument, NULL, OPT_LATENCY },
	{ "match-delay-ms", required_argument, NULL, OPT_MATCH_DELAY },
	{ "cancel-delay-ms", required_argument, NULL, OPT_CANCEL_DELAY },
	{ "rate-orders", required_argument, NULL, OPT_RATE_ORDERS },
	{ "rate-calls", required_argument, NULL, OPT_RATE_CALLS },
	{ "rate-window-ms", required_argument, NULL, OPT_RATE_WINDOW },
	{ "tx-lifetime-ms", required_argument, NULL, OPT_TX_LIFETIME },
	{ "max-open-orders", required_argument, NULL, OPT_MAX_OPEN },
	{ "log-level", required_argument, NULL, OPT_LOG_LEVEL },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

static bool read_log_level(const char *word)
{
	enum log_level level;

	if (!log_level_parse(word, &level))
		return false;
	log_configure(level, LOG_JSON);
	return true;
}

static bool read_seed(const char *text, uint64_t *seed)
{
	char *end;

	*seed = strtoull(text, &end, 10);
	return end != text && *end == '\0';
}

/* False: the value does not fit, or there is no such option. */
static bool read_option(int option, char *value, struct options *options)
{
	struct sim_config *sim = &options->sim;

	switch (option) {
	case OPT_LISTEN:
		options->listen = value;
		return true;
	case OPT_API_KEY:
		options->accounts[0].key = value;
		return true;
	case OPT_PASSWORD:
		options->accounts[0].password = value;
		return true;
	case OPT_ACCOUNT:
		return read_account(value, options);
	case OPT_SEED:
		return read_seed(value, &sim->exchange.seed);
	case OPT_MAKER:
		return options->has_maker = true;
	case OPT_MAKER_INTERVAL:
		return read_number(value, FAULT_DELAY_MAX, &options->maker_interval_ms);
	case OPT_CROWD:
		return read_number(value, FAULT_DELAY_MAX, &options->crowd_ms);
	case OPT_DATA:
		sim->data_path = value;
		return true;
	case OPT_FAULTS:
		options->faults_path = value;
		return true;
	case OPT_TLS_CERT:
		options->cert_path = value;
		return true;
	case OPT_TLS_KEY:
		options->key_path = value;
		return true;
	case OPT_REALISTIC:
		be_realistic(sim);
		return true;
	case OPT_LATENCY_MS:
		return read_latency(value, sim);
	case OPT_LATENCY:
		return read_all_latency(value, sim);
	case OPT_MATCH_DELAY:
		return read_range(value, &sim->exchange.match_delay);
	case OPT_CANCEL_DELAY:
		return read_range(value, &sim->exchange.cancel_delay);
	case OPT_RATE_ORDERS:
		return read_unsigned(value, LIMITER_MAX, &sim->rate_orders);
	case OPT_RATE_CALLS:
		return read_unsigned(value, LIMITER_MAX, &sim->rate_calls);
	case OPT_RATE_WINDOW:
		return read_number(value, FAULT_DELAY_MAX, &sim->rate_window_ms);
	case OPT_TX_LIFETIME:
		return read_number(value, FAULT_DELAY_MAX, &sim->exchange.tx_lifetime_ms);
	case OPT_MAX_OPEN:
		return read_unsigned(value, 1000000, &sim->exchange.open_orders_max);
	case OPT_LOG_LEVEL:
		return read_log_level(value);
	}
	return false;
}

static struct options default_options(void)
{
	return (struct options){
		.sim = { .exchange = { .seed = 1,
				       .tx_lifetime_ms = 120000,
				       .open_orders_max = 1000,
				       .match_delay = { 20, 60 } },
			 .rate_orders = 5,
			 .rate_window_ms = 1000 },
		.listen = "127.0.0.1:8791",
		.accounts = { { "main", "", "" } },
		.account_count = 1,
		.maker_interval_ms = 1000,
	};
}

int options_read(int argc, char **argv, struct options *options)
{
	int option, which = 0;

	*options = default_options();
	while ((option = getopt_long(argc, argv, "", long_options, &which)) != -1) {
		if (option == OPT_HELP) {
			fputs(usage, stdout);
			return 0;
		}
		if (option == '?' || !read_option(option, optarg, options)) {
			if (option != '?')
				fprintf(stderr, "deltasim: bad value for --%s\n",
					long_options[which].name);
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind < argc || !options->cert_path != !options->key_path) {
		fputs(usage, stderr);
		return 2;
	}
	return -1;
}
