#include "server/config_args.h"

#include <string.h>

#include "base/mem.h"
#include "base/secret.h"

/* Whatever a person might call a secret. */
static const char *const secret_flags[] = {
	"--deltadefi-api-key", "--api-key",  "--exchange-deltadefi-api-key",
	"--trading-password",  "--password", "--exchange-trading-password",
};

static const struct {
	const char *name;
	enum config_id id;
} aliases[] = {
	{ "--base-url", CONFIG_ID_rest_url },
	{ "--api-key-file", CONFIG_ID_api_key_file },
};

static const struct {
	const char *name;
	enum config_action action;
	const char *help;
} actions[] = {
	{ "--check-config", CONFIG_CHECK, "say whether the configuration is complete and right" },
	{ "--print-config", CONFIG_PRINT, "print every value and where it comes from" },
	{ "--version", CONFIG_VERSION, "print the version" },
	{ "--help", CONFIG_HELP, "print this" },
};

/* Is word the flag itself, or the flag, = and a value? Underscores are as good as dashes. */
static bool is_flag(const char *word, const char *flag)
{
	while (*flag && (*word == *flag || (*word == '_' && *flag == '-')))
		word++, flag++;
	return !*flag && (!*word || *word == '=');
}

static bool is_secret_flag(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(secret_flags); i++)
		if (is_flag(word, secret_flags[i]))
			return true;
	return false;
}

/* The value of the secret flag words[0], behind = or in the next word; NULL at the end. */
static char *secret_value(int left, char *const *words)
{
	char *sign = strchr(words[0], '=');

	if (sign)
		return sign + 1;
	return left > 1 ? words[1] : NULL;
}

/* Before anything else is looked at, as no other mistake may leave a secret standing there; and
 * from the end, as what follows a secret flag may look like another and is wiped. */
static bool refuse_secrets(int argc, char *const *argv, struct err *err)
{
	bool is_clean = true;

	for (int i = argc - 1; i > 0; i--) {
		char *value;

		if (!is_secret_flag(argv[i]))
			continue;
		value = secret_value(argc - i, argv + i);
		if (value)
			secret_wipe(value, strlen(value));
		is_clean = err_set(err, ERR_USAGE,
				   "%.*s: not here, where everyone can see it: use the prompt, a "
				   "file, a file descriptor (/dev/fd/N) or a service credential",
				   (int)strcspn(argv[i], "="), argv[i]);
	}
	return is_clean;
}

static enum config_id find_setting(const char *word)
{
	enum config_id id = 0;

	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		if (is_flag(word, aliases[i].name))
			return aliases[i].id;
	while (id < CONFIG_ID_COUNT &&
	       !(config_settings[id].flag && is_flag(word, config_settings[id].flag)))
		id++;
	return id;
}

static bool find_action(const char *word, enum config_action *action)
{
	for (size_t i = 0; i < ARRAY_LEN(actions); i++)
		if (strcmp(word, actions[i].name) == 0) {
			*action = actions[i].action;
			return true;
		}
	return false;
}

/* The value behind = or the next word; *used counts the words. */
static bool find_value(int left, char *const *words, const char **value, int *used, struct err *err)
{
	const char *sign = strchr(words[0], '=');

	*used = sign ? 1 : 2;
	*value = sign ? sign + 1 : left > 1 ? words[1] : NULL;
	if (!*value || (!sign && strncmp(*value, "--", 2) == 0))
		return err_set(err, ERR_USAGE, "%s needs a value", words[0]);
	return true;
}

/* "--admin-over-tcp" alone is true. */
static bool is_bare_switch(enum config_id id, int left, char *const *words)
{
	if (config_settings[id].kind != CONFIG_KIND_BOOL || strchr(words[0], '='))
		return false;
	return left == 1 || (strcmp(words[1], "true") != 0 && strcmp(words[1], "false") != 0);
}

static void keep(char **field, const char *text)
{
	mem_free(*field);
	*field = mem_strdup(text);
}

/* One flag and its value; *used is how many words they are. */
static bool parse_one(struct config_args *args, int left, char *const *words, int *used,
		      struct err *err)
{
	enum config_id id = find_setting(words[0]);
	bool is_file = is_flag(words[0], "--config");
	const char *value;

	*used = 1;
	if (find_action(words[0], &args->action))
		return true;
	if (strncmp(words[0], "--", 2) != 0)
		return err_set(err, ERR_USAGE, "a word on the command line belongs to no flag");
	if (!is_file && id == CONFIG_ID_COUNT)
		return err_set(err, ERR_USAGE, "%.*s: no such flag; see --help",
			       (int)strcspn(words[0], "="), words[0]);
	if (!is_file && is_bare_switch(id, left, words)) {
		keep(&args->values[id], "true");
		return true;
	}
	if (!find_value(left, words, &value, used, err))
		return false;
	keep(is_file ? &args->file : &args->values[id], value);
	return true;
}

bool config_args_parse(struct config_args *args, int argc, char *const *argv, struct err *err)
{
	int used;

	if (!refuse_secrets(argc, argv, err))
		return false;
	for (int i = 1; i < argc; i += used) {
		if (!parse_one(args, argc - i, argv + i, &used, err))
			return false;
		if (args->action == CONFIG_HELP || args->action == CONFIG_VERSION)
			return true;
	}
	return true;
}

void config_args_copy(struct config_args *to, const struct config_args *from)
{
	to->action = from->action;
	to->file = mem_strdup(from->file);
	for (enum config_id id = 0; id < CONFIG_ID_COUNT; id++)
		to->values[id] = mem_strdup(from->values[id]);
}

void config_args_fini(struct config_args *args)
{
	mem_free(args->file);
	for (enum config_id id = 0; id < CONFIG_ID_COUNT; id++)
		mem_free(args->values[id]);
	*args = (struct config_args){ 0 };
}

static void print_setting(enum config_id id, FILE *out)
{
	const struct config_setting *setting = &config_settings[id];
	const char *flag = setting->flag ? setting->flag : "(no flag)";
	const char *value = setting->flag ? config_table_placeholder(setting->kind) : "";

	fprintf(out, "  %s %s\n      %s", flag, value, setting->help);
	if (setting->fallback && *setting->fallback)
		fprintf(out, " (default %s)", setting->fallback);
	fprintf(out, "\n      file: %s   environment: %s\n", setting->key, setting->environment);
}

void config_args_usage(FILE *out)
{
	fputs("Usage: deltagated [--config FILE] [--FLAG VALUE]...\n\n"
	      "The local gateway to DeltaDeFi. Built-in defaults < YAML file < environment < "
	      "flags.\n"
	      "\n",
	      out);
	fputs("  --config FILE\n      the YAML file; none is read without it\n", out);
	for (size_t i = 0; i < ARRAY_LEN(actions); i++)
		fprintf(out, "  %s\n      %s\n", actions[i].name, actions[i].help);
	fputs("\nSettings:\n", out);
	for (enum config_id id = 0; id < CONFIG_ID_COUNT; id++)
		print_setting(id, out);
}
