#include "server/config.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/secret.h"
#include "server/config_address.h"
#include "server/config_args.h"
#include "server/config_network.h"
#include "server/config_table.h"
#include "server/config_value.h"
#include "server/config_yaml.h"

#define ENV_PREFIX "DELTAGATE_"

/* line: in the file. is_derived: made from other settings, not given. */
struct origin {
	enum config_source source;
	int line;
	bool is_derived;
};

struct config_origins {
	struct config_args args; /* kept for a reload */
	struct origin of[CONFIG_ID_COUNT];
};

/* A secret and the file that may hold it instead. */
static const struct {
	enum config_id secret, file;
	size_t max;
} pairs[] = {
	{ CONFIG_ID_api_key, CONFIG_ID_api_key_file, CONFIG_KEY_MAX },
	{ CONFIG_ID_trading_password, CONFIG_ID_trading_password_file, CONFIG_PASSWORD_MAX },
};

static const char *key_of(enum config_id id)
{
	return config_settings[id].key;
}

static struct origin *origin_of(const struct config *config, enum config_id id)
{
	return &config->origins->of[id];
}

static bool is_given(const struct config *config, enum config_id id)
{
	return origin_of(config, id)->source != CONFIG_DEFAULT;
}

/* --- the four layers, weakest first --- */

static void load_defaults(struct config *config)
{
	for (enum config_id id = 0; id < CONFIG_ID_COUNT; id++) {
		const char *text = config_settings[id].fallback;
		struct err err;

		if (text && !config_value_set(config, id, text, strlen(text), &err))
			assert(!"a default that its own bounds refuse");
	}
}

/* Both at once would leave open which one counts. */
static bool check_pairs(const struct config *config, enum config_source layer, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		if (origin_of(config, pairs[i].secret)->source == layer &&
		    origin_of(config, pairs[i].file)->source == layer)
			return err_set(err, ERR_CONFIG, "%s and %s are both given; keep one",
				       key_of(pairs[i].secret), key_of(pairs[i].file));
	return true;
}

struct file_load {
	struct config *config;
	int section_lines[CONFIG_ID_COUNT]; /* by a section's first setting; 0: not seen */
};

static bool on_section(void *arg, const char *section, int line, struct err *err)
{
	struct file_load *load = arg;
	enum config_id id = config_table_section(section);

	if (id == CONFIG_ID_COUNT)
		return err_set(err, ERR_CONFIG, "no such section");
	if (load->section_lines[id])
		return err_set(err, ERR_CONFIG, "given before, in line %d",
			       load->section_lines[id]);
	load->section_lines[id] = line;
	return true;
}

static bool on_value(void *arg, const char *section, const char *key, const char *text, size_t len,
		     int line, struct err *err)
{
	struct file_load *load = arg;
	enum config_id id = config_table_find(section, key);
	struct origin *origin;

	if (id == CONFIG_ID_COUNT)
		return err_set(err, ERR_CONFIG, "no such setting");
	origin = origin_of(load->config, id);
	if (origin->source == CONFIG_FILE)
		return err_set(err, ERR_CONFIG, "given before, in line %d", origin->line);
	*origin = (struct origin){ .source = CONFIG_FILE, .line = line };
	return config_value_set(load->config, id, text, len, err);
}

static bool load_file(struct config *config, struct err *err)
{
	const char *path = config->origins->args.file;
	struct file_load load = { .config = config };
	const struct config_yaml reader = { on_section, on_value, &load };
	mode_t mode;

	if (!path)
		return true;
	if (!config_yaml_read(path, &reader, &mode, err))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		if (is_given(config, pairs[i].secret) && (mode & 077) != 0)
			return err_set(err, ERR_CONFIG,
				       "%s: %s is in it and others than its owner have rights "
				       "(mode %04o); chmod 600 it",
				       path, key_of(pairs[i].secret), (unsigned)mode);
	return check_pairs(config, CONFIG_FILE, err) || err_prefix(err, "%s", path);
}

static const struct secret *secret_of(const struct config *config, enum config_id id)
{
	return id == CONFIG_ID_api_key ? config->api_key : config->trading_password;
}

/* The environment gives a secret once; a reload has it from the configuration before. */
static struct secret *env_secret(const struct config *old, enum config_id id)
{
	if (!old)
		return secret_take_env(config_settings[id].environment);
	return origin_of(old, id)->source == CONFIG_ENV ? secret_copy(secret_of(old, id)) : NULL;
}

static bool load_variable(struct config *config, const struct config *old, enum config_id id,
			  struct err *err)
{
	const char *name = config_settings[id].environment;
	bool is_secret = config_settings[id].kind == CONFIG_KIND_SECRET;
	struct secret *secret = is_secret ? env_secret(old, id) : NULL;
	const char *text = is_secret ? NULL : getenv(name);
	bool is_set;

	if (!secret && (!text || !*text)) /* compose files pass on what is unset as empty */
		return true;
	*origin_of(config, id) = (struct origin){ .source = CONFIG_ENV };
	is_set = secret ? config_value_take_secret(config, id, secret, err)
			: config_value_set(config, id, text, strlen(text), err);
	return is_set || err_prefix(err, "environment: %s", name);
}

static bool is_variable(const char *entry)
{
	size_t len = strcspn(entry, "=");

	for (enum config_id id = 0; id < CONFIG_ID_COUNT; id++)
		if (strlen(config_settings[id].environment) == len &&
		    memcmp(config_settings[id].environment, entry, len) == 0)
			return true;
	return false;
}

/* DELTAGATE_RISK_... and the like; other programs may have variables of our first name. */
static bool looks_like_ours(const char *entry)
{
	const char *rest = entry + strlen(ENV_PREFIX);

	if (strncmp(entry, ENV_PREFIX, strlen(ENV_PREFIX)) != 0)
		return false;
	for (enum config_id id = 0; id < CONFIG_ID_COUNT; id++) {
		size_t len = config_table_section_len(id);

		if (strncasecmp(rest, key_of(id), len) == 0 && rest[len] == '_')
			return true;
	}
	return false;
}

/* A limit that is not in force because of a typo would be worse than not starting. */
static bool refuse_strays(struct err *err)
{
	for (char **entry = environ; entry && *entry; entry++)
		if (looks_like_ours(*entry) && !is_variable(*entry))
			return err_set(err, ERR_CONFIG, "environment: %.*s: no such setting",
				       (int)strcspn(*entry, "="), *entry);
	return true;
}

static bool load_environment(struct config *config, const struct config *old, struct err *err)
{
	for (enum config_id id = 0; id < CONFIG_ID_COUNT; id++)
		if (!load_variable(config, old, id, err))
			return false;
	return refuse_strays(err) &&
	       (check_pairs(config, CONFIG_ENV, err) || err_prefix(err, "environment"));
}

static bool load_flags(struct config *config, struct err *err)
{
	for (enum config_id id = 0; id < CONFIG_ID_COUNT; id++) {
		const char *text = config->origins->args.values[id];

		if (!text)
			continue;
		*origin_of(config, id) = (struct origin){ .source = CONFIG_FLAG };
		if (!config_value_set(config, id, text, strlen(text), err)) {
			err->code = ERR_USAGE;
			return err_prefix(err, "%s", config_settings[id].flag);
		}
	}
	return true;
}

/* --- what follows from the settings --- */

/* A pipe, or a descriptor that we were handed: at a reload there is nothing more in it. */
static bool is_read_once(const char *path)
{
	struct stat info;

	return strncmp(path, "/dev/", 5) == 0 || strncmp(path, "/proc/", 6) == 0 ||
	       (stat(path, &info) == 0 && !S_ISREG(info.st_mode));
}

static const char *path_of(const struct config *config, enum config_id id)
{
	return id == CONFIG_ID_api_key_file ? config->api_key_file : config->trading_password_file;
}

static bool read_secret(struct config *config, const struct config *old, enum config_id secret_id,
			enum config_id file_id, size_t max, struct err *err)
{
	const char *path = path_of(config, file_id);
	const char *old_path = old ? path_of(old, file_id) : NULL;
	struct secret *secret;

	if (old_path && strcmp(path, old_path) == 0 && is_read_once(path))
		secret = secret_copy(secret_of(old, secret_id));
	else if (!secret_read_file(path, max, &secret, err))
		return err_prefix(err, "%s", key_of(file_id));
	*origin_of(config, secret_id) = (struct origin){
		.source = origin_of(config, file_id)->source,
		.is_derived = true,
	};
	return config_value_take_secret(config, secret_id, secret, err) ||
	       err_prefix(err, "%s: %s", key_of(file_id), path);
}

/* The stronger layer wins, whichever of the two ways it uses; the file of a loser is not read. */
static bool derive_secrets(struct config *config, const struct config *old, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct origin *file = origin_of(config, pairs[i].file);

		if (file->source > origin_of(config, pairs[i].secret)->source) {
			if (!read_secret(config, old, pairs[i].secret, pairs[i].file, pairs[i].max,
					 err))
				return false;
		} else {
			config_value_clear(config, pairs[i].file);
			*file = (struct origin){ .source = CONFIG_DEFAULT };
		}
	}
	return true;
}

static void derive(struct config *config, enum config_id id, const char *text)
{
	struct err err;

	if (!config_value_set(config, id, text, strlen(text), &err))
		assert(!"a network of ours that our own checks refuse");
	origin_of(config, id)->is_derived = true;
}

static void derive_network(struct config *config)
{
	const struct config_network *network =
		config_network_of(config->network ? config->network : config->mode);

	config->mode_is_unknown = !network;
	if (!network)
		network = config_network_fallback();
	if (!is_given(config, CONFIG_ID_network))
		derive(config, CONFIG_ID_network, network->name);
	if (!is_given(config, CONFIG_ID_rest_url))
		derive(config, CONFIG_ID_rest_url, network->rest_url);
	if (!is_given(config, CONFIG_ID_stream_url))
		derive(config, CONFIG_ID_stream_url, network->stream_url);
}

static bool set_joined(struct config *config, enum config_id id, const char *folder,
		       const char *rest, struct err *err)
{
	char *path = mem_alloc(strlen(folder) + strlen(rest) + 1);
	bool is_set;

	stpcpy(stpcpy(path, folder), rest);
	is_set = config_value_set(config, id, path, strlen(path), err);
	mem_free(path);
	return is_set || err_prefix(err, "%s", key_of(id));
}

/* Where the XDG base directories put a user's state, or where a service keeps its own. */
static bool derive_data_dir(struct config *config, struct err *err)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");

	if (is_given(config, CONFIG_ID_data_dir))
		return true;
	if (geteuid() == 0)
		return set_joined(config, CONFIG_ID_data_dir, "/var/lib", "/deltagate", err);
	if (state && state[0] == '/')
		return set_joined(config, CONFIG_ID_data_dir, state, "/deltagate", err);
	if (home && home[0] == '/')
		return set_joined(config, CONFIG_ID_data_dir, home, "/.local/state/deltagate", err);
	return err_set(err, ERR_CONFIG, "%s is not set, and neither is HOME",
		       key_of(CONFIG_ID_data_dir));
}

static bool derive_socket(struct config *config, struct err *err)
{
	if (is_given(config, CONFIG_ID_socket))
		return true;
	origin_of(config, CONFIG_ID_socket)->is_derived = true;
	return set_joined(config, CONFIG_ID_socket, config->data_dir, "/deltagate.sock", err);
}

/* The keys' power is lent to whoever reaches this port. */
static bool check_listen(const struct config *config, struct err *err)
{
	bool is_loopback;

	if (!config_address_listen(config->listen, &is_loopback, err))
		return err_prefix(err, "%s", key_of(CONFIG_ID_listen));
	return is_loopback || config->allow_remote ||
	       err_set(err, ERR_CONFIG,
		       "%s: must be a loopback address, as others see no encryption; %s: true "
		       "lifts "
		       "this",
		       key_of(CONFIG_ID_listen), key_of(CONFIG_ID_allow_remote));
}

static bool derive_all(struct config *config, const struct config *old, struct err *err)
{
	config->has_max_order_value = is_given(config, CONFIG_ID_max_order_value);
	config->has_price_band = is_given(config, CONFIG_ID_price_band_pct);
	derive_network(config);
	return derive_data_dir(config, err) && derive_socket(config, err) &&
	       check_listen(config, err) && derive_secrets(config, old, err);
}

/* --- loading --- */

static struct config *create(void)
{
	struct config *config = mem_alloc(sizeof(*config));

	config->origins = mem_alloc(sizeof(*config->origins));
	return config;
}

static bool load_layers(struct config *config, const struct config *old, struct err *err)
{
	load_defaults(config);
	return load_file(config, err) && load_environment(config, old, err) &&
	       load_flags(config, err) && derive_all(config, old, err);
}

bool config_load(int argc, char *const *argv, enum config_action *action, struct config **result,
		 struct err *err)
{
	struct config *config = create();
	bool is_loaded = false;

	*result = NULL;
	if (!config_args_parse(&config->origins->args, argc, argv, err))
		goto out;
	*action = config->origins->args.action;
	if (*action == CONFIG_HELP || *action == CONFIG_VERSION) {
		is_loaded = true;
		goto out;
	}
	if (!load_layers(config, NULL, err))
		goto out;
	*result = config;
	config = NULL;
	is_loaded = true;
out:
	config_destroy(config);
	return is_loaded;
}

bool config_reload(const struct config *old, struct config **result, struct err *err)
{
	struct config *config = create();
	bool is_loaded;

	config_args_copy(&config->origins->args, &old->origins->args);
	is_loaded = load_layers(config, old, err);
	if (is_loaded) {
		*result = config;
		config = NULL;
	}
	config_destroy(config);
	return is_loaded;
}

void config_destroy(struct config *config)
{
	if (!config)
		return;
	for (enum config_id id = 0; id < CONFIG_ID_COUNT; id++)
		config_value_clear(config, id);
	config_args_fini(&config->origins->args);
	mem_free(config->origins);
	mem_free(config);
}

/* --- telling --- */

bool config_check(const struct config *config, struct err *err)
{
	if (!config->api_key)
		return err_set(err, ERR_CONFIG,
			       "%s is not set: the account stream and every request need it; give "
			       "%s or %s",
			       key_of(CONFIG_ID_api_key), key_of(CONFIG_ID_api_key_file),
			       config_settings[CONFIG_ID_api_key].environment);
	if (config->ca_file && access(config->ca_file, R_OK) != 0)
		return err_set(err, ERR_CONFIG, "%s: %s: %s", key_of(CONFIG_ID_ca_file),
			       config->ca_file, strerror(errno));
	if (config->stream_retry_max_ms < config->stream_retry_min_ms)
		return err_set(err, ERR_CONFIG, "%s is below %s",
			       key_of(CONFIG_ID_stream_retry_max_ms),
			       key_of(CONFIG_ID_stream_retry_min_ms));
	return true;
}

void config_warn(const struct config *config, FILE *out)
{
	bool has_rest_url = is_given(config, CONFIG_ID_rest_url);
	bool is_loopback;
	struct err err;

	if (config->mode_is_unknown)
		fprintf(out, "warning: %s: \"%s\" is no mode we know; falling back to %s\n",
			key_of(CONFIG_ID_mode), config->mode, config->network);
	if (has_rest_url != is_given(config, CONFIG_ID_stream_url))
		fprintf(out, "warning: only one of %s and %s is given; %s is used with %s\n",
			key_of(CONFIG_ID_rest_url), key_of(CONFIG_ID_stream_url), config->rest_url,
			config->stream_url);
	if (config_address_listen(config->listen, &is_loopback, &err) && !is_loopback)
		fprintf(out, "warning: %s: %s can be reached from other hosts, unencrypted\n",
			key_of(CONFIG_ID_listen), config->listen);
}

static void print_origin(const struct config *config, enum config_id id, FILE *out)
{
	const struct origin *origin = origin_of(config, id);

	if (config_settings[id].kind == CONFIG_KIND_SECRET && origin->is_derived) {
		fprintf(out, "from %s_file", key_of(id));
		return;
	}
	if (origin->is_derived) {
		fputs("derived", out);
		return;
	}
	switch (origin->source) {
	case CONFIG_DEFAULT:
		fputs("default", out);
		break;
	case CONFIG_FILE:
		fprintf(out, "file %s:%d", config->origins->args.file, origin->line);
		break;
	case CONFIG_ENV:
		fprintf(out, "environment %s", config_settings[id].environment);
		break;
	case CONFIG_FLAG:
		fprintf(out, "flag %s", config_settings[id].flag);
		break;
	}
}

void config_print(const struct config *config, FILE *out)
{
	fprintf(out, "network: %s\n", config->network);
	for (enum config_id id = 0; id < CONFIG_ID_COUNT; id++) {
		fprintf(out, "%s: ", key_of(id));
		if (config_settings[id].fallback || is_given(config, id) ||
		    config_settings[id].kind != CONFIG_KIND_DECIMAL)
			config_value_print(config, id, out);
		else
			fputs("unset", out); /* a limit that is not there is not 0 */
		fputs("  # ", out);
		print_origin(config, id, out);
		fputc('\n', out);
	}
}

void config_usage(FILE *out)
{
	config_args_usage(out);
}
