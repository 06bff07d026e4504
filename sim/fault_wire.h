/* fault_wire.h - fault rules from and to JSON.
 *
 * {"match": {"path": "/order/submit" (a glob), "method": "POST", "account": NAME, "body": PART},
 *  "nth": [1, 2] | "times": N | "probability": 0.5,      none of them: always
 *  "delay_ms": N, "delay_after_ms": N,                   before acting, after acting
 *  "answer": {"status", "code", "error", "body", "content_type", "headers": {NAME: VALUE}},
 *  "when": "before" | "after" | "either",                answer instead of acting (default), or
 *                                                        after it, or either as drawn
 *  "drop": "before" | "after" | "either",                close without an answer
 *  "stall": true | "before" | "after" | "either",        never answer
 *  "act_twice": true, "cut": BYTES, "huge": BYTES}
 *
 * or {"switch": NAME, "on": true}: a quirk of faults.h, or a rule under a name (which takes
 * "nth", "times", "probability" too): submit_5000, submit_timeout, expired, utxo_spent,
 * rate_limit. Unknown keys are refused: a typo must not pass for a fault. */
#ifndef SIM_FAULT_WIRE_H
#define SIM_FAULT_WIRE_H
#include <jansson.h>

#include "base/err.h"

struct faults;

/* object: one rule or switch, or an array of them; all or nothing. */
MUST_CHECK bool fault_wire_add(struct faults *faults, const json_t *object, struct err *err);
MUST_CHECK bool fault_wire_load(struct faults *faults, const char *path, struct err *err);
json_t *fault_wire_list(const struct faults *faults); /* {"rules": [...], "switches": {...}} */
#endif
