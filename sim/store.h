/* store.h - keeps what the exchange knows in a file, so that a killed simulator forgets nothing
 * it has answered.
 *
 * Listens to the exchange and writes each changed object as one JSON line; a group of lines counts
 * once its commit line is there, and store_commit() returns after the disk has it. Opening reads
 * the file, drops a torn tail and rewrites the rest in short. Orders of the market maker are kept
 * only when something of them was executed; one that was open is cancelled on opening. */
#ifndef SIM_STORE_H
#define SIM_STORE_H
#include <stdint.h>

#include "base/err.h"

struct exchange;
struct store;

/* Loads path into x (created empty, with the seed in its configuration), then listens to it.
 * ERR_CONFIG: the file is of another seed or damaged. ERR_IO. */
MUST_CHECK bool store_open(const char *path, struct exchange *x, int64_t *advanced_us,
			   struct store **result, struct err *err);
void store_close(struct store *store); /* what is not committed is lost; NULL is fine */

void store_set_advanced(struct store *store, int64_t advanced_us);  /* NULL is fine */
MUST_CHECK bool store_commit(struct store *store, struct err *err); /* NULL: true */
#endif
