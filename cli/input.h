/* input.h - takes a secret from a person, a pipe or a file, and never from the command line.
 *
 * At a terminal it is asked for without echo; however that ends, by Enter, by Ctrl-C or by another
 * signal, the terminal is as it was before, and the signal then does what it would have done. The
 * bytes go straight into guarded memory. */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H
#include <stddef.h>

#include "base/err.h"

struct secret;

/* From file; when that is NULL, from the terminal after prompt, or from stdin if that is none. One
 * newline at the end is dropped. ERR_IO when it cannot be read; ERR_CONFIG when it is empty or
 * longer than max, or the file is readable for others than its owner. */
MUST_CHECK bool input_secret(const char *file, const char *prompt, size_t max,
			     struct secret **result, struct err *err);

/* {"name":"..."} with the secret as its value, as a secret again. ERR_CONFIG unless it is UTF-8. */
MUST_CHECK bool input_secret_body(const char *name, const struct secret *value,
				  struct secret **result, struct err *err);
#endif
