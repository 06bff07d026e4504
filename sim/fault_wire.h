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
 * {"match": {"stream": "account" or "depth:ADAUSDM", "price:*", "stream:*" (a glob), "account",
 *            "body": PART of the message},
 *  "nth" | "times" | "probability" as above; each socket's message counts for itself
 *  "lose": true, "double": true,
 *  "late": N                   it comes after N later ones that match, or after delay_ms (1000)
 *  "delay_ms": N               alone: that much later, whatever overtakes it
 *  "stall": true | "after"     this and all later ones of this socket are never sent
 *  "drop": true | "after"      the connection ends without a close frame, before or after it
 *  "close": CODE               instead of the message
 *  "send_before": TEXT, "send_instead": TEXT}
 *
 * {"match": {"stream", "account"}, "at": "handshake", "answer" | "drop" | "stall" | "delay_ms"}
 * refuses handshakes; "answer" says "at" by itself.
 *
 * or {"switch": NAME, "on": true}: a quirk of faults.h (text_ping and ws_drop take "ms"), or a
 * rule under a name (which takes "nth", "times", "probability" too): submit_5000, submit_timeout,
 * expired, utxo_spent, rate_limit; lost_event (7 %), dup_event, late_event, which mean order_info
 * unless "stream" names another. Unknown keys are refused: a typo must not pass for a fault. */
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
