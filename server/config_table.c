#include "server/config_table.h"

#include <string.h>

#include "base/mem.h"

/* A kind writes through a pointer of its type: a field of another type must not compile. */
#define X(kind, type, placeholder) typedef type config_type_##kind;
CONFIG_KINDS(X)
#undef X
#define X(field, key, kind, ...)                                                             \
	_Static_assert(__builtin_types_compatible_p(__typeof__(((struct config *)0)->field), \
						    config_type_##kind),                     \
		       key);
CONFIG_SETTINGS(X)
#undef X

const struct config_setting config_settings[CONFIG_ID_COUNT] = {
#define X(field, name, type, value, least, most, option, variable, text) \
	[CONFIG_ID_##field] = { .key = name,                             \
				.kind = CONFIG_KIND_##type,              \
				.fallback = value,                       \
				.min = least,                            \
				.max = most,                             \
				.flag = option,                          \
				.environment = variable,                 \
				.help = text,                            \
				.offset = offsetof(struct config, field) },
	CONFIG_SETTINGS(X)
#undef X
};

static const char *const placeholders[] = {
#define X(kind, type, placeholder) [CONFIG_KIND_##kind] = placeholder,
	CONFIG_KINDS(X)
#undef X
};

size_t config_table_section_len(enum config_id id)
{
	return strcspn(config_settings[id].key, ".");
}

static bool is_in_section(enum config_id id, const char *section)
{
	size_t len = config_table_section_len(id);

	return strlen(section) == len && memcmp(config_settings[id].key, section, len) == 0;
}

enum config_id config_table_find(const char *section, const char *key)
{
	enum config_id id = 0;

	while (id < CONFIG_ID_COUNT &&
	       !(is_in_section(id, section) &&
		 strcmp(config_settings[id].key + config_table_section_len(id) + 1, key) == 0))
		id++;
	return id;
}

enum config_id config_table_section(const char *section)
{
	enum config_id id = 0;

	while (id < CONFIG_ID_COUNT && !is_in_section(id, section))
		id++;
	return id;
}

const char *config_table_placeholder(enum config_kind kind)
{
	return placeholders[kind];
}
