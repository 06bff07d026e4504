/* config_yaml.h - reads the small part of YAML that a configuration file needs.
 *
 * A map of sections, each a map of scalars; an empty file is no settings. Whatever else YAML has
 * (anchors, aliases, tags, lists, blocks of text, second documents, nulls) is refused, as one would
 * rather be told than surprised. Errors are ERR_CONFIG, "FILE:LINE:COLUMN: key: what is wrong".
 *
 * Values are wiped as soon as they are delivered, and so are the parser's buffers; pieces of a long
 * value may stay in freed memory, where libyaml grew it. So secrets are better kept in files of
 * their own. */
#ifndef SERVER_CONFIG_YAML_H
#define SERVER_CONFIG_YAML_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

struct config_yaml {
	/* Either returns false to refuse: err is what is wrong, the place is put before it. */
	bool (*on_section)(void *arg, const char *section, int line, struct err *err);
	bool (*on_value)(void *arg, const char *section, const char *key, const char *text,
			 size_t len, int line, struct err *err);
	void *arg;
};

/* *mode is the file's, 0 for a pipe. Reads 256 KiB at most; blocks. */
MUST_CHECK bool config_yaml_read(const char *path, const struct config_yaml *reader, mode_t *mode,
				 struct err *err);
/* The same for text that is in memory already; path is for errors only. */
MUST_CHECK bool config_yaml_parse(const char *path, const char *text, size_t len,
				  const struct config_yaml *reader, struct err *err);
#endif
