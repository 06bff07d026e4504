#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/secret.h"
#include "server/config.h"
#include "server/config_table.h"

#define ARGS_MAX 8
#define CANARY   "canary-5d2f90"

/* The block of the original feature document. */
static const char seed_yaml[] = "exchange:\n"
				"  deltadefi_api_key: \"your_api_key_here\"\n"
				"  trading_password: \"your_trading_password\"\n"
				"\n"
				"system:\n"
				"  mode: \"testnet\" # testnet|mainnet\n"
				"  max_orders_per_second: 5 # Rate limit\n";

static char folder[] = "/tmp/config_test.XXXXXX";
static char yaml_path[64], key_path[64];
static struct config *config; /* of the last load() */
static enum config_action action;
static struct err err;
static char args_seen[ARGS_MAX][300]; /* argv as the last load() left it */

static int start(void **unused)
{
	bool is_locked;

	(void)unused;
	if (!secret_init(&is_locked, &err) || !mkdtemp(folder))
		return -1;
	snprintf(yaml_path, sizeof(yaml_path), "%s/c.yaml", folder);
	snprintf(key_path, sizeof(key_path), "%s/key", folder);
	return 0;
}

static int finish(void **unused)
{
	(void)unused;
	return rmdir(folder);
}

/* No setting from outside, no file: each test starts from the defaults. */
static int before(void **unused)
{
	(void)unused;
	for (enum config_id id = 0; id < CONFIG_ID_COUNT; id++)
		unsetenv(config_settings[id].environment);
	unsetenv("XDG_STATE_HOME");
	setenv("HOME", "/home/joe", 1);
	return 0;
}

static int after(void **unused)
{
	(void)unused;
	config_destroy(config);
	config = NULL;
	unlink(yaml_path);
	unlink(key_path);
	return 0;
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/* Arguments up to a NULL. */
static bool load(const char *first, ...)
{
	char *argv[ARGS_MAX + 1] = { args_seen[0] };
	va_list args;
	int argc = 1;

	config_destroy(config);
	config = NULL;
	va_start(args, first);
	for (const char *arg = first; arg; arg = va_arg(args, const char *)) {
		assert_true(argc < ARGS_MAX);
		STR_SET(args_seen[argc], arg);
		argv[argc] = args_seen[argc];
		argc++;
	}
	va_end(args);
	return config_load(argc, argv, &action, &config, &err);
}

static bool load_yaml(const char *text)
{
	write_file(yaml_path, text, 0600);
	return load("--config", yaml_path, NULL);
}

static char *print(void)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	config_print(config, out);
	fclose(out);
	return text;
}

static bool has_line(const char *text, const char *line)
{
	size_t len = strlen(line);

	for (; text; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (strncmp(text, line, len) == 0 && text[len] == '\n')
			return true;
	}
	return false;
}

static void assert_line(const char *line)
{
	char *text = print();

	if (!has_line(text, line))
		fail_msg("no line \"%s\" in\n%s", line, text);
	free(text);
}

static void assert_secret(const struct secret *secret, const char *text)
{
	assert_non_null(secret);
	assert_int_equal(secret_len(secret), strlen(text));
	assert_memory_equal(secret_open(secret), text, strlen(text));
	secret_close(secret);
}

static void assert_refused(enum err_code code, const char *text)
{
	assert_null(config);
	assert_string_equal(err.text, text);
	assert_int_equal(err.code, code);
}

static void nothing_given_means_preprod_on_loopback(void **unused)
{
	(void)unused;
	assert_true(load(NULL));
	assert_string_equal(config->network, "preprod");
	assert_false(config->mode_is_unknown);
	assert_string_equal(config->listen, "127.0.0.1:8790");
	assert_int_equal(config->connect_timeout_ms, 5000);
	assert_int_equal(config->build_tries, 3);
	assert_int_equal(config->log_level, LOG_INFO);
	assert_false(config->has_max_order_value);
	assert_false(config->has_price_band);
	assert_null(config->api_key);
	assert_null(config->ca_file);
	assert_string_equal(config->allowed_hosts, "");
}

static void a_stronger_source_wins_and_is_named(void **unused)
{
	char line[128];

	(void)unused;
	assert_true(load(NULL));
	assert_line("system.mode: testnet  # default");
	assert_true(load_yaml("system:\n  mode: mainnet\n"));
	snprintf(line, sizeof(line), "system.mode: mainnet  # file %s:2", yaml_path);
	assert_line(line);
	setenv("SYSTEM_MODE", "staging", 1);
	assert_true(load("--config", yaml_path, NULL));
	assert_line("system.mode: staging  # environment SYSTEM_MODE");
	assert_true(load("--config", yaml_path, "--mode", "simulated", NULL));
	assert_line("system.mode: simulated  # flag --mode");
}

/* Every setting, by every way there is. */
static void every_setting_has_a_key_a_flag_and_a_variable(void **unused)
{
	static const char *const samples[] = {
		[CONFIG_KIND_SECRET] = "abc",         [CONFIG_KIND_PATH] = "/tmp",
		[CONFIG_KIND_MODE] = "staging",       [CONFIG_KIND_NETWORK] = "mainnet",
		[CONFIG_KIND_REST_URL] = "https://h", [CONFIG_KIND_STREAM_URL] = "wss://h",
		[CONFIG_KIND_LISTEN] = "127.0.0.1:0", [CONFIG_KIND_HOSTS] = "a,b",
		[CONFIG_KIND_ORIGINS] = "https://a",  [CONFIG_KIND_BOOL] = "true",
		[CONFIG_KIND_LOG_LEVEL] = "debug",    [CONFIG_KIND_LOG_FORMAT] = "text",
		[CONFIG_KIND_SYMBOLS] = "A1,B",
	};

	(void)unused;
	write_file(key_path, "k", 0600);
	for (enum config_id id = 0; id < CONFIG_ID_COUNT; id++) {
		const struct config_setting *setting = &config_settings[id];
		bool is_secret = setting->kind == CONFIG_KIND_SECRET;
		bool is_secret_file =
			id == CONFIG_ID_api_key_file || id == CONFIG_ID_trading_password_file;
		const char *text = is_secret_file ? key_path : samples[setting->kind];
		char number[32], section[32], yaml[200], line[200];

		if (!text) {
			int64_t value = setting->min + 1;

			/* Bounds of a decimal are thousandths. */
			if (setting->kind == CONFIG_KIND_DECIMAL)
				value = setting->min / 1000 + 1;
			snprintf(number, sizeof(number), "%d", (int)value);
			text = number;
		}
		STR_SET(section, setting->key);
		*strchr(section, '.') = '\0';
		snprintf(yaml, sizeof(yaml), "%s:\n  %s: %s\n", section,
			 setting->key + strlen(section) + 1, text);
		if (!load_yaml(yaml))
			fail_msg("%s", err.text);
		snprintf(line, sizeof(line), "%s: %s  # file %s:2", setting->key,
			 is_secret ? "set" : text, yaml_path);
		assert_line(line);
		setenv(setting->environment, text, 1);
		assert_true(load(NULL));
		snprintf(line, sizeof(line), "%s: %s  # environment %s", setting->key,
			 is_secret ? "set" : text, setting->environment);
		assert_line(line);
		unsetenv(setting->environment);
		if (is_secret)
			continue;
		assert_true(load(setting->flag, text, NULL));
		snprintf(line, sizeof(line), "%s: %s  # flag %s", setting->key, text,
			 setting->flag);
		assert_line(line);
	}
}

static unsigned count_different_lines(char *a, char *b)
{
	char *a_rest, *b_rest;
	char *a_line = strtok_r(a, "\n", &a_rest), *b_line = strtok_r(b, "\n", &b_rest);
	unsigned different = 0;

	while (a_line && b_line) {
		different += strcmp(a_line, b_line) != 0;
		a_line = strtok_r(NULL, "\n", &a_rest);
		b_line = strtok_r(NULL, "\n", &b_rest);
	}
	assert_true(!a_line && !b_line);
	return different;
}

static void each_short_variable_changes_one_line(void **unused)
{
	static const char *const pairs[][2] = {
		{ "DELTADEFI_API_KEY", "K1" },
		{ "TRADING_PASSWORD", "pw" },
		{ "SYSTEM_MODE", "preprod" },
		{ "MAX_ORDERS_PER_SECOND", "2" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		char *without, *with;

		assert_true(load(NULL));
		without = print();
		setenv(pairs[i][0], pairs[i][1], 1);
		assert_true(load(NULL));
		with = print();
		assert_int_equal(count_different_lines(without, with), 1);
		free(without);
		free(with);
		before(NULL);
	}
}

static void the_original_yaml_block_is_complete(void **unused)
{
	(void)unused;
	assert_true(load_yaml(seed_yaml));
	assert_true(config_check(config, &err));
	assert_secret(config->api_key, "your_api_key_here");
	assert_secret(config->trading_password, "your_trading_password");
	assert_string_equal(config->network, "preprod");
	assert_int_equal(decimal_cmp(config->max_orders_per_second, decimal_of(5, 0)), 0);
}

static void without_an_api_key_the_check_fails(void **unused)
{
	(void)unused;
	assert_true(load(NULL));
	assert_false(config_check(config, &err));
	assert_int_equal(err.code, ERR_CONFIG);
	assert_non_null(strstr(err.text, "exchange.deltadefi_api_key is not set: "));
}

static void a_ca_file_must_be_readable(void **unused)
{
	(void)unused;
	setenv("DELTADEFI_API_KEY", "K1", 1);
	assert_true(load("--ca-file", "/nonexistent", NULL));
	assert_false(config_check(config, &err));
	assert_string_equal(err.text, "exchange.ca_file: /nonexistent: No such file or directory");
}

static void the_mode_decides_the_network_in_any_case(void **unused)
{
	static const struct {
		const char *mode, *network, *rest, *stream;
		bool is_unknown;
	} cases[] = {
		{ "testnet", "preprod", "https://api-staging.deltadefi.io",
		  "wss://stream-staging.deltadefi.io", false },
		{ "PREPROD", "preprod", "https://api-staging.deltadefi.io",
		  "wss://stream-staging.deltadefi.io", false },
		{ "staging", "preprod", "https://api-staging.deltadefi.io",
		  "wss://stream-staging.deltadefi.io", false },
		{ "MainNet", "mainnet", "https://api.deltadefi.io", "wss://stream.deltadefi.io",
		  false },
		{ "Simulated", "simulated", "http://127.0.0.1:8791", "ws://127.0.0.1:8791", false },
		{ "live", "preprod", "https://api-staging.deltadefi.io",
		  "wss://stream-staging.deltadefi.io", true },
		{ "mainnet ", "preprod", "https://api-staging.deltadefi.io",
		  "wss://stream-staging.deltadefi.io", true },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_true(load("--mode", cases[i].mode, NULL));
		assert_string_equal(config->network, cases[i].network);
		assert_string_equal(config->rest_url, cases[i].rest);
		assert_string_equal(config->stream_url, cases[i].stream);
		assert_int_equal(config->mode_is_unknown, cases[i].is_unknown);
	}
}

static void a_network_beats_the_mode_and_urls_beat_both(void **unused)
{
	(void)unused;
	setenv("SYSTEM_MODE", "mainnet", 1);
	assert_true(load("--network", "preprod", NULL));
	assert_string_equal(config->network, "preprod");
	assert_line("exchange.rest_url: https://api-staging.deltadefi.io  # derived");
	assert_true(load("--base-url=https://proxy.example/", NULL));
	assert_string_equal(config->network, "mainnet");
	assert_line("exchange.rest_url: https://proxy.example  # flag --rest-url");
	assert_false(load("--network", "live", NULL));
	assert_refused(ERR_USAGE, "--network: must be preprod, mainnet or simulated");
	assert_false(load("--base-url", "http://x", NULL));
	assert_refused(ERR_USAGE,
		       "--rest-url: must be https://, as http:// is only for a loopback host");
}

static void warnings_name_what_looks_wrong(void **unused)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)unused;
	assert_true(load(NULL));
	config_warn(config, out);
	fflush(out);
	assert_string_equal(text, "");
	assert_true(load("--mode", "live", NULL));
	config_warn(config, out);
	assert_true(load("--stream-url", "ws://[::1]:1", NULL));
	config_warn(config, out);
	assert_true(load("--listen", "0.0.0.0:0", "--allow-remote", NULL));
	config_warn(config, out);
	fclose(out);
	assert_string_equal(
		text, "warning: system.mode: \"live\" is no mode we know; falling back to preprod\n"
		      "warning: only one of exchange.rest_url and exchange.stream_url is given; "
		      "https://api-staging.deltadefi.io is used with ws://[::1]:1\n"
		      "warning: server.listen: 0.0.0.0:0 can be reached from other hosts, "
		      "unencrypted\n");
	free(text);
}

static void bad_values_are_refused_with_their_place(void **unused)
{
	static const struct {
		const char *yaml, *place, *what;
	} cases[] = {
		{ "system:\n  max_orders_per_second: 010\n", ":2:26: system.max_orders_per_second",
		  "must be a number from 0.1 to 1000" },
		{ "system:\n  max_orders_per_second: 0x5\n", ":2:26: system.max_orders_per_second",
		  "must be a number from 0.1 to 1000" },
		{ "system:\n  max_orders_per_second: 0.01\n", ":2:26: system.max_orders_per_second",
		  "must be a number from 0.1 to 1000" },
		{ "system:\n  max_orders_per_second: 1e2\n", ":2:26: system.max_orders_per_second",
		  "must be a number from 0.1 to 1000" },
		{ "system:\n  max_orders_per_second: -5\n", ":2:26: system.max_orders_per_second",
		  "must be a number from 0.1 to 1000" },
		{ "system:\n  max_orders_per_second: .5\n", ":2:26: system.max_orders_per_second",
		  "must be a number from 0.1 to 1000" },
		{ "rate:\n  reads_per_second: 80x\n", ":2:21: rate.reads_per_second",
		  "must be a whole number from 1 to 1000" },
		{ "rate:\n  guard_ms: 1.5\n", ":2:13: rate.guard_ms",
		  "must be a whole number of milliseconds from 0 to 1000" },
		{ "rate:\n  guard_ms: 99999999999999999999\n", ":2:13: rate.guard_ms",
		  "must be a whole number of milliseconds from 0 to 1000" },
		{ "server:\n  admin_over_tcp: yes\n", ":2:19: server.admin_over_tcp",
		  "must be true or false" },
		{ "server:\n  admin_over_tcp: True\n", ":2:19: server.admin_over_tcp",
		  "must be true or false" },
		{ "log:\n  level: loud\n", ":2:10: log.level",
		  "must be trace, debug, info, warn or error" },
		{ "log:\n  format: xml\n", ":2:11: log.format", "must be json or text" },
		{ "server:\n  data_dir: ~/state\n", ":2:13: server.data_dir",
		  "must be a path written out: ~ means nothing here" },
		{ "server:\n  data_dir: \"\"\n", ":2:13: server.data_dir", "must not be empty" },
		{ "server:\n  data_dir: \"/a\\nb\"\n", ":2:13: server.data_dir",
		  "must not hold control characters" },
		{ "server:\n  data_dir: \"/a\\0b\"\n", ":2:13: server.data_dir",
		  "must not hold control characters" },
		{ "rate:\n  guard_ms: \"1\\0\"\n", ":2:13: rate.guard_ms",
		  "must not hold control characters" },
		{ "system:\n  mode: 123456789012345678901234567890123\n", ":2:9: system.mode",
		  "must not be longer than 32 bytes" },
		{ "exchange:\n  deltadefi_api_key: \"\"\n", ":2:22: exchange.deltadefi_api_key",
		  "must not be empty" },
		{ "exchange:\n  deltadefi_api_key: a b\n", ":2:22: exchange.deltadefi_api_key",
		  "must be printable ASCII characters without spaces" },
		{ "exchange:\n  rest_urls: 1\n", ":2:14: exchange.rest_urls", "no such setting" },
		{ "system:\n  <<: { mode: x }\n", ":2:7: system.<<",
		  "must be one value on one line" },
		{ "exchanges:\n  x: 1\n", ":1:1: exchanges", "no such section" },
		{ "log:\n  level: info\n  level: warn\n", ":3:10: log.level",
		  "given before, in line 2" },
		{ "log:\n  level: info\nlog:\n  format: text\n", ":3:1: log",
		  "given before, in line 1" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char expected[192];

		if (load_yaml(cases[i].yaml))
			fail_msg("taken: %s", cases[i].yaml);
		snprintf(expected, sizeof(expected), "%s%s: %s", yaml_path, cases[i].place,
			 cases[i].what);
		assert_refused(ERR_CONFIG, expected);
	}
}

static void a_bad_variable_is_named(void **unused)
{
	(void)unused;
	setenv("MAX_ORDERS_PER_SECOND", "many", 1);
	assert_false(load(NULL));
	assert_refused(ERR_CONFIG,
		       "environment: MAX_ORDERS_PER_SECOND: must be a number from 0.1 to 1000");
}

static void an_empty_variable_counts_as_unset(void **unused)
{
	(void)unused;
	setenv("MAX_ORDERS_PER_SECOND", "", 1);
	setenv("DELTADEFI_API_KEY", "", 1);
	assert_true(load(NULL));
	assert_line("system.max_orders_per_second: 5  # default");
	assert_line("exchange.deltadefi_api_key: unset  # default");
}

static void a_mistyped_variable_of_ours_is_refused(void **unused)
{
	(void)unused;
	setenv("DELTAGATE_PORT", "tcp://10.0.0.1:8790", 1); /* Kubernetes has such */
	assert_true(load(NULL));
	setenv("DELTAGATE_RISK_MAX_ORDER", "100", 1);
	assert_false(load(NULL));
	assert_refused(ERR_CONFIG, "environment: DELTAGATE_RISK_MAX_ORDER: no such setting");
	unsetenv("DELTAGATE_RISK_MAX_ORDER");
	unsetenv("DELTAGATE_PORT");
}

static void a_secret_on_the_command_line_is_refused_and_wiped(void **unused)
{
	static const char *const flags[] = { "--trading-password", "--deltadefi-api-key",
					     "--api-key", "--trading_password", "--password" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		char joined[64];

		assert_false(load("--nonsense", flags[i], CANARY, NULL));
		assert_int_equal(err.code, ERR_USAGE);
		assert_non_null(strstr(err.text, "use the prompt, a file, a file descriptor "
						 "(/dev/fd/N) or a service credential"));
		assert_string_equal(args_seen[3], "");
		snprintf(joined, sizeof(joined), "%s=%s", flags[i], CANARY);
		assert_false(load(joined, NULL));
		assert_null(strstr(err.text, CANARY));
		assert_null(strstr(args_seen[1], CANARY));
	}
	assert_false(load("--trading-password", NULL));
	assert_int_equal(err.code, ERR_USAGE);
	assert_false(load("--trading-password", "--api-key", CANARY, NULL));
	assert_string_equal(args_seen[3], "");
}

static void no_error_quotes_a_value(void **unused)
{
	(void)unused;
	assert_false(load("--no-such-flag=" CANARY, NULL));
	assert_refused(ERR_USAGE, "--no-such-flag: no such flag; see --help");
	assert_false(load("--check-config", CANARY, NULL));
	assert_null(strstr(err.text, CANARY));
	assert_false(load_yaml("exchange:\n  network: " CANARY "\n"));
	assert_null(strstr(err.text, CANARY));
	assert_false(load_yaml("exchange:\n  deltadefi_api_key: [" CANARY "]\n"));
	assert_null(strstr(err.text, CANARY));
	assert_false(load_yaml("exchange:\n  deltadefi_api_key: \"" CANARY " x\"\n"));
	assert_null(strstr(err.text, CANARY));
	assert_false(load_yaml("exchange:\n  deltadefi_api_key: \"" CANARY "\n"));
	assert_null(strstr(err.text, CANARY));
}

static void the_environment_forgets_secrets_that_were_read(void **unused)
{
	static char entry[] = "DELTADEFI_API_KEY=" CANARY;

	(void)unused;
	assert_int_equal(putenv(entry), 0);
	assert_true(load(NULL));
	assert_secret(config->api_key, CANARY);
	assert_null(getenv("DELTADEFI_API_KEY"));
	assert_null(strstr(entry, CANARY));
}

static void a_readable_file_with_a_secret_is_refused(void **unused)
{
	char expected[192];

	(void)unused;
	write_file(yaml_path, seed_yaml, 0640);
	assert_false(load("--config", yaml_path, NULL));
	snprintf(expected, sizeof(expected),
		 "%s: exchange.deltadefi_api_key is in it and others than its owner have rights "
		 "(mode 0640); chmod 600 it",
		 yaml_path);
	assert_refused(ERR_CONFIG, expected);
	write_file(yaml_path, "system:\n  mode: testnet\n", 0644);
	assert_true(load("--config", yaml_path, NULL));
}

static void a_secret_may_stand_in_a_file_of_its_own(void **unused)
{
	char expected[192];

	(void)unused;
	write_file(key_path, CANARY "\n", 0600);
	assert_true(load("--deltadefi-api-key-file", key_path, NULL));
	assert_secret(config->api_key, CANARY);
	assert_line("exchange.deltadefi_api_key: set  # from exchange.deltadefi_api_key_file");
	write_file(key_path, "two words\n", 0600);
	assert_false(load("--deltadefi-api-key-file", key_path, NULL));
	snprintf(expected, sizeof(expected),
		 "exchange.deltadefi_api_key_file: %s: must be printable ASCII characters without "
		 "spaces",
		 key_path);
	assert_refused(ERR_CONFIG, expected);
	write_file(key_path, CANARY "\n", 0644);
	assert_false(load("--deltadefi-api-key-file", key_path, NULL));
	assert_int_equal(err.code, ERR_CONFIG);
	write_file(key_path, "\n", 0600);
	assert_false(load("--trading-password-file", key_path, NULL));
}

static void a_secret_and_its_file_at_one_level_are_refused(void **unused)
{
	(void)unused;
	assert_false(load_yaml("exchange:\n  trading_password: a\n  trading_password_file: /b\n"));
	assert_non_null(strstr(err.text, "exchange.trading_password and "
					 "exchange.trading_password_file are both given"));
	setenv("DELTADEFI_API_KEY", "K1", 1);
	setenv("DELTAGATE_EXCHANGE_DELTADEFI_API_KEY_FILE", "/nonexistent", 1);
	assert_false(load(NULL));
	assert_refused(ERR_CONFIG, "environment: exchange.deltadefi_api_key and "
				   "exchange.deltadefi_api_key_file are both given; keep one");
}

static void the_stronger_level_wins_between_a_secret_and_its_file(void **unused)
{
	(void)unused;
	write_file(key_path, "of-file", 0600);
	setenv("DELTADEFI_API_KEY", "of-env", 1);
	assert_true(load("--api-key-file", key_path, NULL));
	assert_secret(config->api_key, "of-file");
	setenv("DELTADEFI_API_KEY", "of-env", 1);
	write_file(yaml_path, "exchange:\n  deltadefi_api_key_file: /nonexistent\n", 0600);
	assert_true(load("--config", yaml_path, NULL));
	assert_secret(config->api_key, "of-env");
	assert_line("exchange.deltadefi_api_key_file: unset  # default");
}

static void only_loopback_unless_remote_is_allowed(void **unused)
{
	(void)unused;
	assert_false(load("--listen", "0.0.0.0:8790", NULL));
	assert_refused(ERR_CONFIG, "server.listen: must be a loopback address, as others see no "
				   "encryption; server.allow_remote: true lifts this");
	assert_true(load("--listen", "0.0.0.0:8790", "--allow-remote", "true", NULL));
	assert_true(load("--allow-remote", "--listen", "[::]:8790", NULL));
	assert_false(load("--allow-remote=false", "--listen", "[::]:8790", NULL));
}

static void the_data_directory_follows_the_user(void **unused)
{
	bool is_root = geteuid() == 0;

	(void)unused;
	if (is_root) {
		assert_true(load(NULL));
		assert_string_equal(config->data_dir, "/var/lib/deltagate");
		assert_int_equal(seteuid(65534), 0);
	}
	assert_true(load(NULL));
	assert_string_equal(config->data_dir, "/home/joe/.local/state/deltagate");
	setenv("XDG_STATE_HOME", "/state", 1);
	assert_true(load(NULL));
	assert_string_equal(config->data_dir, "/state/deltagate");
	assert_string_equal(config->socket, "/state/deltagate/deltagate.sock");
	setenv("XDG_STATE_HOME", "relative", 1);
	unsetenv("HOME");
	assert_false(load(NULL));
	assert_refused(ERR_CONFIG, "server.data_dir is not set, and neither is HOME");
	if (is_root)
		assert_int_equal(seteuid(0), 0);
}

static void a_socket_path_must_fit_its_address(void **unused)
{
	char path[130];

	(void)unused;
	memset(path, 'd', sizeof(path));
	path[0] = '/';
	path[100] = '\0';
	assert_false(load("--data-dir", path, NULL));
	assert_refused(ERR_CONFIG, "server.socket: must not be longer than 107 bytes");
	assert_true(load("--data-dir", path, "--socket", "/tmp/s", NULL));
	assert_string_equal(config->socket, "/tmp/s");
}

static void limits_are_in_force_only_when_given(void **unused)
{
	(void)unused;
	assert_true(load("--risk-max-order-value=250.50", "--risk-price-band-pct", "10", NULL));
	assert_true(config->has_max_order_value);
	assert_true(config->has_price_band);
	assert_int_equal(decimal_cmp(config->max_order_value, decimal_of(2505, 1)), 0);
	assert_false(load("--risk-max-order-value", "0", NULL));
}

static void a_reload_reads_the_files_again(void **unused)
{
	struct config *next;

	(void)unused;
	write_file(key_path, "first", 0600);
	write_file(yaml_path, "log:\n  level: info\nrisk:\n  max_open_orders: 5\n", 0600);
	setenv("TRADING_PASSWORD", CANARY, 1);
	assert_true(
		load("--config", yaml_path, "--api-key-file", key_path, "--log-format=text", NULL));
	write_file(key_path, "second", 0600);
	write_file(yaml_path, "log:\n  level: warn\n", 0600);
	assert_true(config_reload(config, &next, &err));
	assert_secret(next->api_key, "second");
	assert_secret(next->trading_password, CANARY);
	assert_int_equal(next->log_level, LOG_WARN);
	assert_int_equal(next->log_format, LOG_TEXT);
	assert_int_equal(next->max_open_orders, 0);
	config_destroy(config);
	config = next;
	assert_line("exchange.trading_password: set  # environment TRADING_PASSWORD");
	write_file(yaml_path, "log:\n  level: loud\n", 0600);
	assert_false(config_reload(config, &next, &err));
}

static void a_reload_keeps_what_came_by_a_pipe(void **unused)
{
	char path[32];
	struct config *next;
	int ends[2];

	(void)unused;
	assert_int_equal(pipe(ends), 0);
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
	assert_int_equal(write(ends[1], CANARY "\n", sizeof(CANARY)), sizeof(CANARY));
	close(ends[1]);
	assert_true(load("--trading-password-file", path, NULL));
	close(ends[0]);
	assert_true(config_reload(config, &next, &err));
	assert_secret(next->trading_password, CANARY);
	config_destroy(next);
}

static void the_command_line_is_taken_apart_strictly(void **unused)
{
	static const struct {
		const char *word, *error;
	} cases[] = {
		{ "--listen", "--listen needs a value" },
		{ "--config", "--config needs a value" },
		{ "--listn", "--listn: no such flag; see --help" },
		{ "--", "--: no such flag; see --help" },
		{ "-x", "a word on the command line belongs to no flag" },
		{ "", "a word on the command line belongs to no flag" },
		{ "--data-dir=", "--data-dir: must not be empty" },
		{ "--admin-over-tcp=maybe", "--admin-over-tcp: must be true or false" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_false(load(cases[i].word, NULL));
		assert_refused(ERR_USAGE, cases[i].error);
	}
	assert_false(load("--listen", "--check-config", NULL));
	assert_refused(ERR_USAGE, "--listen needs a value");
}

static void help_and_version_look_at_nothing_else(void **unused)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)unused;
	assert_true(load("--config", "/nonexistent", "--help", NULL));
	assert_int_equal(action, CONFIG_HELP);
	assert_null(config);
	assert_true(load("--version", NULL));
	assert_int_equal(action, CONFIG_VERSION);
	assert_true(load("--check-config", "--log-level=warn", NULL));
	assert_int_equal(action, CONFIG_CHECK);
	assert_int_equal(config->log_level, LOG_WARN);
	config_usage(out);
	fclose(out);
	for (enum config_id id = 0; id < CONFIG_ID_COUNT; id++)
		assert_non_null(strstr(text, config_settings[id].environment));
	free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, before, after)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_given_means_preprod_on_loopback),
		TEST(a_stronger_source_wins_and_is_named),
		TEST(every_setting_has_a_key_a_flag_and_a_variable),
		TEST(each_short_variable_changes_one_line),
		TEST(the_original_yaml_block_is_complete),
		TEST(without_an_api_key_the_check_fails),
		TEST(a_ca_file_must_be_readable),
		TEST(the_mode_decides_the_network_in_any_case),
		TEST(a_network_beats_the_mode_and_urls_beat_both),
		TEST(warnings_name_what_looks_wrong),
		TEST(bad_values_are_refused_with_their_place),
		TEST(a_bad_variable_is_named),
		TEST(an_empty_variable_counts_as_unset),
		TEST(a_mistyped_variable_of_ours_is_refused),
		TEST(a_secret_on_the_command_line_is_refused_and_wiped),
		TEST(no_error_quotes_a_value),
		TEST(the_environment_forgets_secrets_that_were_read),
		TEST(a_readable_file_with_a_secret_is_refused),
		TEST(a_secret_may_stand_in_a_file_of_its_own),
		TEST(a_secret_and_its_file_at_one_level_are_refused),
		TEST(the_stronger_level_wins_between_a_secret_and_its_file),
		TEST(only_loopback_unless_remote_is_allowed),
		TEST(the_data_directory_follows_the_user),
		TEST(a_socket_path_must_fit_its_address),
		TEST(limits_are_in_force_only_when_given),
		TEST(a_reload_reads_the_files_again),
		TEST(a_reload_keeps_what_came_by_a_pipe),
		TEST(the_command_line_is_taken_apart_strictly),
		TEST(help_and_version_look_at_nothing_else),
	};
	return cmocka_run_group_tests(tests, start, finish);
}
