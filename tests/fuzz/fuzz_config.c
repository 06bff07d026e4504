/* Any configuration file: refused with a place in it, or every value within its bounds. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "server/config_value.h"
#include "server/config_yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	bool is_locked;
	struct err err;

	(void)argc, (void)argv;
	assert(secret_init(&is_locked, &err));
	return 0;
}

static bool on_section(void *arg, const char *section, int line, struct err *err)
{
	(void)arg, (void)err;
	assert(line > 0);
	return config_table_section(section) != CONFIG_ID_COUNT ||
	       err_set(err, ERR_CONFIG, "no such section");
}

static bool on_value(void *arg, const char *section, const char *key, const char *text, size_t len,
		     int line, struct err *err)
{
	enum config_id id = config_table_find(section, key);

	assert(line > 0 && text[len] == '\0');
	return id == CONFIG_ID_COUNT ? err_set(err, ERR_CONFIG, "no such setting")
				     : config_value_set(arg, id, text, len, err);
}

static void check(const struct config *config)
{
	assert(config->max_open_orders >= 0 && config->max_open_orders <= 1000000);
	assert(config->rate_guard_ms >= 0 && config->rate_guard_ms <= 1000);
	assert(decimal_cmp(config->max_orders_per_second, decimal_of(1000, 0)) <= 0);
	assert(!config->socket || strlen(config->socket) <= CONFIG_SOCKET_MAX);
	assert(!config->rest_url || strstr(config->rest_url, "://"));
	assert(!config->api_key || secret_len(config->api_key) <= CONFIG_KEY_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *config = mem_alloc(sizeof(*config));
	const struct config_yaml reader = { on_section, on_value, config };
	struct err err;

	if (!config_yaml_parse("f", (const char *)data, size, &reader, &err)) {
		assert(err.code == ERR_CONFIG);
		assert(strncmp(err.text, "f:", 2) == 0);
	}
	check(config);
	for (enum config_id id = 0; id < CONFIG_ID_COUNT; id++)
		config_value_clear(config, id);
	mem_free(config);
	return 0;
}
