/* findings.h - what a reconciliation remembers: suspects between its two looks, and what was told.
 *
 * Journal and exchange are asked at different moments, so a difference of one look says nothing.
 * It counts when a second look, after what was under way has had its time, shows it again and our
 * own side has not moved between the two; and it is told once, until its figures change. Pure. */
#ifndef SERVER_FINDINGS_H
#define SERVER_FINDINGS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct findings;

/* Words are in the journal and in the API: never renamed. */
#define FINDING_CLASSES(X)                    \
	X(FOREIGN_ORDER, "foreign_order")     \
	X(MISSED_FILL, "missed_fill")         \
	X(STATE_LAG, "state_lag")             \
	X(BALANCE_DRIFT, "balance_drift")     \
	X(UNKNOWN_SETTLED, "unknown_settled") \
	X(AMOUNT_MISMATCH, "amount_mismatch")
#define FINDING_ACTIONS(X)                                                  \
	X(FOLLOWED, "followed") /* not ours: its changes are told */        \
	X(BOOKED, "booked")                                                 \
	X(ASKED, "asked") /* by its id, and the answer is in the journal */ \
	X(SETTLED, "settled")                                               \
	X(REPORTED, "reported") /* nothing that we may change */
enum finding_class {
#define X(name, word) FINDING_##name,
	FINDING_CLASSES(X)
#undef X
		FINDING_CLASS_COUNT
};
enum finding_action {
#define X(name, word) FINDING_##name,
	FINDING_ACTIONS(X)
#undef X
};
const char *finding_class_word(enum finding_class class_);
const char *finding_action_word(enum finding_action action);

struct findings *findings_create(void);
void findings_destroy(struct findings *findings); /* NULL is fine */

void findings_first_look(struct findings *findings);
void findings_second_look(struct findings *findings);
/* A difference. stamp: changes whenever our side does. True: it counts. */
bool findings_note(struct findings *findings, enum finding_class class_, const char *about,
		   int64_t stamp);
size_t findings_suspects(const struct findings *findings); /* of the first look */

/* Was exactly this told before? evidence: both sides' figures. */
bool findings_is_told(const struct findings *findings, enum finding_class class_, const char *about,
		      const char *journal, const char *exchange);
void findings_tell(struct findings *findings, enum finding_class class_, const char *about,
		   const char *journal, const char *exchange);
#endif
