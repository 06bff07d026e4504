/* target.h - builds a request's target, path and query, from text that people typed.
 *
 * Everything but letters, digits, dash, underscore and tilde is percent-encoded, so that no operand
 * can reach another path or add a parameter. */
#ifndef CLI_TARGET_H
#define CLI_TARGET_H
#include "base/buf.h"

void target_init(struct buf *target, const char *path);    /* end with buf_fini() */
void target_segment(struct buf *target, const char *text); /* "/text" */
void target_query(struct buf *target, const char *name, const char *value); /* NULL: left out */
#endif
