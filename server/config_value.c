#include "server/config_value.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "client/wire.h"
#include "server/config_address.h"
#include "server/config_network.h"

#define DIGITS_MAX    18 /* any such number fits int64_t */
#define BOUNDS_PLACES 3  /* of a DECIMAL's min and max */

static const char *const formats[] = { [LOG_JSON] = "json", [LOG_TEXT] = "text" };

static bool clean_path(const char *text, char **result, struct err *err)
{
	if (text[0] == '~')
		return err_set(err, ERR_CONFIG, "must be a path written out: ~ means nothing here");
	*result = mem_strdup(text);
	return true;
}

/* Any word: an unknown mode falls back to preprod, with a warning. */
static bool clean_mode(const char *text, char **result, struct err *err)
{
	(void)err;
	*result = mem_strdup(text);
	return true;
}

/* Unlike an unknown mode, an unknown network is an error: it was meant to beat everything else. */
static bool clean_network(const char *text, char **result, struct err *err)
{
	const struct config_network *network = config_network_of(text);

	if (!network)
		return err_set(err, ERR_CONFIG, "must be preprod, mainnet or simulated");
	*result = mem_strdup(network->name);
	return true;
}

static bool clean_listen(const char *text, char **result, struct err *err)
{
	bool is_loopback; /* judged later, when allow_remote is known too */

	if (!config_address_listen(text, &is_loopback, err))
		return false;
	*result = mem_strdup(text);
	return true;
}

static bool clean_hosts(const char *text, char **result, struct err *err)
{
	if (!config_address_hosts(text, err))
		return false;
	*result = mem_strdup(text);
	return true;
}

static bool clean_origins(const char *text, char **result, struct err *err)
{
	if (!config_address_origins(text, err))
		return false;
	*result = mem_strdup(text);
	return true;
}

static bool clean_symbols(const char *text, char **result, struct err *err)
{
	for (const char *at = text; *at;) {
		size_t len = strcspn(at, ",");
		char symbol[DD_SYMBOL_LEN];

		if (len >= sizeof(symbol))
			len = 0; /* is none */
		memcpy(symbol, at, len);
		symbol[len] = '\0';
		if (!wire_is_symbol(symbol) || strcmp(at + len, ",") == 0)
			return err_set(err, ERR_CONFIG,
				       "must be symbols of capital letters and digits, separated "
				       "by commas");
		at += len + (at[len] == ',');
	}
	*result = mem_strdup(text);
	return true;
}

/* 010 is eight to some readers and ten to others. */
static bool is_plain_number(const char *text, const char *chars)
{
	size_t len = strspn(text, chars);

	return len > 0 && !text[len] && !(text[0] == '0' && text[1] && text[1] != '.');
}

static bool read_integer(const struct config_setting *setting, const char *text, void *field,
			 struct err *err)
{
	const char *unit = setting->kind == CONFIG_KIND_MS ? " of milliseconds" : "";
	int64_t *number = field;
	int64_t value = -1;

	if (is_plain_number(text, "0123456789") && strlen(text) <= DIGITS_MAX)
		value = strtoll(text, NULL, 10);
	if (value < setting->min || value > setting->max)
		return err_set(err, ERR_CONFIG,
			       "must be a whole number%s from %" PRId64 " to %" PRId64, unit,
			       setting->min, setting->max);
	*number = value;
	return true;
}

static bool read_decimal(const struct config_setting *setting, const char *text, void *field,
			 struct err *err)
{
	struct decimal min = decimal_trim(decimal_of(setting->min, BOUNDS_PLACES));
	struct decimal max = decimal_trim(decimal_of(setting->max, BOUNDS_PLACES));
	char min_text[DECIMAL_TEXT_LEN], max_text[DECIMAL_TEXT_LEN];
	struct decimal value;

	if (!is_plain_number(text, "0123456789.") ||
	    !decimal_parse(text, strlen(text), &value, err) || decimal_cmp(value, min) < 0 ||
	    decimal_cmp(value, max) > 0)
		return err_set(err, ERR_CONFIG, "must be a number from %s to %s",
			       decimal_print(min, min_text), decimal_print(max, max_text));
	*(struct decimal *)field = value;
	return true;
}

static bool read_bool(const struct config_setting *setting, const char *text, void *field,
		      struct err *err)
{
	bool is_true = strcmp(text, "true") == 0;

	(void)setting;
	if (!is_true && strcmp(text, "false") != 0)
		return err_set(err, ERR_CONFIG, "must be true or false");
	*(bool *)field = is_true;
	return true;
}

static bool read_log_level(const struct config_setting *setting, const char *text, void *field,
			   struct err *err)
{
	(void)setting;
	return log_level_parse(text, field) ||
	       err_set(err, ERR_CONFIG, "must be trace, debug, info, warn or error");
}

static bool read_log_format(const struct config_setting *setting, const char *text, void *field,
			    struct err *err)
{
	(void)setting;
	for (enum log_format format = 0; format < ARRAY_LEN(formats); format++)
		if (strcmp(text, formats[format]) == 0) {
			*(enum log_format *)field = format;
			return true;
		}
	return err_set(err, ERR_CONFIG, "must be json or text");
}

static void print_text(const void *field, FILE *out)
{
	const char *text = *(char *const *)field;

	fputs(!text ? "unset" : *text ? text : "\"\"", out);
}

static void print_secret(const void *field, FILE *out)
{
	fputs(*(struct secret *const *)field ? "set" : "unset", out);
}

static void print_integer(const void *field, FILE *out)
{
	fprintf(out, "%" PRId64, *(const int64_t *)field);
}

static void print_bool(const void *field, FILE *out)
{
	fputs(*(const bool *)field ? "true" : "false", out);
}

static void print_decimal(const void *field, FILE *out)
{
	char text[DECIMAL_TEXT_LEN];

	fputs(decimal_print(*(const struct decimal *)field, text), out);
}

static void print_log_level(const void *field, FILE *out)
{
	fputs(log_level_name(*(const enum log_level *)field), out);
}

static void print_log_format(const void *field, FILE *out)
{
	fputs(formats[*(const enum log_format *)field], out);
}

/* A kind of text is checked and copied to the heap; another is read into the field itself. */
static const struct {
	bool (*clean)(const char *text, char **result, struct err *err);
	bool (*read)(const struct config_setting *setting, const char *text, void *field,
		     struct err *err);
	void (*print)(const void *field, FILE *out);
} kinds[] = {
	[CONFIG_KIND_SECRET] = { NULL, NULL, print_secret },
	[CONFIG_KIND_PATH] = { clean_path, NULL, print_text },
	[CONFIG_KIND_MODE] = { clean_mode, NULL, print_text },
	[CONFIG_KIND_NETWORK] = { clean_network, NULL, print_text },
	[CONFIG_KIND_REST_URL] = { config_address_rest_url, NULL, print_text },
	[CONFIG_KIND_STREAM_URL] = { config_address_stream_url, NULL, print_text },
	[CONFIG_KIND_LISTEN] = { clean_listen, NULL, print_text },
	[CONFIG_KIND_HOSTS] = { clean_hosts, NULL, print_text },
	[CONFIG_KIND_ORIGINS] = { clean_origins, NULL, print_text },
	[CONFIG_KIND_SYMBOLS] = { clean_symbols, NULL, print_text },
	[CONFIG_KIND_INTEGER] = { NULL, read_integer, print_integer },
	[CONFIG_KIND_MS] = { NULL, read_integer, print_integer },
	[CONFIG_KIND_BOOL] = { NULL, read_bool, print_bool },
	[CONFIG_KIND_DECIMAL] = { NULL, read_decimal, print_decimal },
	[CONFIG_KIND_LOG_LEVEL] = { NULL, read_log_level, print_log_level },
	[CONFIG_KIND_LOG_FORMAT] = { NULL, read_log_format, print_log_format },
};

static void *field_of(struct config *config, enum config_id id)
{
	return (char *)config + config_settings[id].offset;
}

static bool check_len(const struct config_setting *setting, size_t len, struct err *err)
{
	if (len == 0 && setting->min > 0)
		return err_set(err, ERR_CONFIG, "must not be empty");
	if (len > (uint64_t)setting->max)
		return err_set(err, ERR_CONFIG, "must not be longer than %" PRId64 " bytes",
			       setting->max);
	return true;
}

/* What is printed later, by us or in a log, must be one line of text. */
static bool check_text(const char *text, size_t len, struct err *err)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return err_set(err, ERR_CONFIG, "must not hold control characters");
	return utf8_is_valid(text, len) || err_set(err, ERR_CONFIG, "must be UTF-8");
}

bool config_value_check_api_key(const struct secret *secret, struct err *err)
{
	const uint8_t *bytes = secret_open(secret);
	bool is_printable = true;

	for (size_t i = 0; i < secret_len(secret); i++)
		if (bytes[i] <= ' ' || bytes[i] >= 0x7f)
			is_printable = false;
	secret_close(secret);
	return is_printable ||
	       err_set(err, ERR_CONFIG, "must be printable ASCII characters without spaces");
}

bool config_value_take_secret(struct config *config, enum config_id id, struct secret *secret,
			      struct err *err)
{
	struct secret **field = field_of(config, id);

	assert(config_settings[id].kind == CONFIG_KIND_SECRET);
	if (!check_len(&config_settings[id], secret_len(secret), err) ||
	    (id == CONFIG_ID_api_key && !config_value_check_api_key(secret, err))) {
		secret_destroy(secret);
		return false;
	}
	secret_destroy(*field);
	*field = secret;
	return true;
}

static bool set_text(struct config *config, enum config_id id, const char *text, size_t len,
		     struct err *err)
{
	const struct config_setting *setting = &config_settings[id];
	char **field = field_of(config, id);
	char *clean;

	if (!check_len(setting, len, err) || !check_text(text, len, err) ||
	    !kinds[setting->kind].clean(text, &clean, err))
		return false;
	mem_free(*field);
	*field = clean;
	return true;
}

bool config_value_set(struct config *config, enum config_id id, const char *text, size_t len,
		      struct err *err)
{
	const struct config_setting *setting = &config_settings[id];

	if (setting->kind == CONFIG_KIND_SECRET)
		return config_value_take_secret(config, id, secret_from(text, len), err);
	if (kinds[setting->kind].clean)
		return set_text(config, id, text, len, err);
	if (strlen(text) != len)
		return err_set(err, ERR_CONFIG, "must not hold control characters");
	return kinds[setting->kind].read(setting, text, field_of(config, id), err);
}

void config_value_clear(struct config *config, enum config_id id)
{
	enum config_kind kind = config_settings[id].kind;
	void *field = field_of(config, id);

	if (kind == CONFIG_KIND_SECRET) {
		secret_destroy(*(struct secret **)field);
		*(struct secret **)field = NULL;
	} else if (kinds[kind].clean) {
		mem_free(*(char **)field);
		*(char **)field = NULL;
	}
}

void config_value_print(const struct config *config, enum config_id id, FILE *out)
{
	const struct config_setting *setting = &config_settings[id];

	kinds[setting->kind].print((const char *)config + setting->offset, out);
}
