/* config_value.h - reads and prints one value of struct config, whatever its kind.
 *
 * All sources bring text, and all go through here, so a number means the same in a file, in the
 * environment and on the command line. Errors say what is wrong, without the key (the caller knows
 * where it stood) and without the value (which may be a secret on the wrong line). */
#ifndef SERVER_CONFIG_VALUE_H
#define SERVER_CONFIG_VALUE_H
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "server/config_table.h"

/* Replaces the value. text has len bytes and a NUL. ERR_CONFIG leaves it as it was. */
MUST_CHECK bool config_value_set(struct config *config, enum config_id id, const char *text,
				 size_t len, struct err *err);
/* The same for a setting of kind SECRET; takes secret, also when it fails. */
MUST_CHECK bool config_value_take_secret(struct config *config, enum config_id id,
					 struct secret *secret, struct err *err);
/* It becomes a header and a part of stream URLs: ERR_CONFIG for what cannot. */
MUST_CHECK bool config_value_check_api_key(const struct secret *secret, struct err *err);
void config_value_clear(struct config *config, enum config_id id); /* frees what is on the heap */
void config_value_print(const struct config *config, enum config_id id, FILE *out);
#endif
