/* faults.h - scripted trouble: rules that match requests, handshakes of streams or their messages,
 * and switches for known quirks.
 *
 * A rule sees what its match names, counts it, and fires on the n-th ones, the first few, or with
 * a probability drawn from the seed. The first rule that fires decides what happens to the
 * request or message; later rules still count it. Parsed from JSON by fault_wire.c. Pure. */
#ifndef SIM_FAULTS_H
#define SIM_FAULTS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

#define FAULT_NTH_MAX     32
#define FAULT_HEADERS_MAX 8
#define FAULT_DELAY_MAX   INT64_C(3600000) /* ms */
#define FAULT_HUGE_MAX    INT64_C(67108864)
#define FAULT_RULES_MAX   1000
#define FAULT_CERTAIN     1000000
#define FAULT_LATE_MAX    1000
#define FAULT_LATE_MS     1000 /* a late message waits no longer for others */

/* When, seen from the action the request asks for. */
enum fault_phase { FAULT_NEVER, FAULT_BEFORE, FAULT_AFTER, FAULT_EITHER /* drawn each time */ };

/* X(name, word): quirks that stay on until they are turned off. */
#define FAULT_SWITCHES(X)                                                                         \
	X(WRAP_ORDER, "wrap_order")       /* submit answers {"order": ...} */                     \
	X(DECLARED_HTTP, "declared_http") /* statuses as the specification declares them */       \
	X(OVERFLOW_U64, "overflow_u64")   /* told fill amounts wrap at 64 bits */                 \
	X(IV16, "iv16")                   /* operation key sealed with a 16 byte IV */            \
	X(NO_SALT, "no_salt")             /* operation key sealed the old way */                  \
	X(FOREIGN_PAYEE, "foreign_payee") /* built transactions pay to an unknown key */          \
	/* Of the streams. */                                                                     \
	X(SILENT_PARTIAL, "partial_fill_silent") /* no order_info until it is closed */           \
	X(EXECUTIONS, "stream_executions")       /* order_info lists the executions */            \
	X(BACKLOG, "repeat_trades")              /* each message of trades repeats the list */    \
	X(BARE_PRICE, "bare_price")              /* {"price"} alone */                            \
	X(STRINGS, "string_balances")            /* amounts in balance messages as strings */     \
	X(KEYLESS, "keyless_markets")            /* market streams need no key */                 \
	X(UNLOCK_CLOSES, "unlock_closes")        /* the end of a trading lock closes all: 1001 */ \
	X(TEXT_PING, "text_ping")                /* a text "ping" every so many ms */             \
	X(WS_DROP, "ws_drop") /* sockets end without close frame, after so many ms on average */

enum fault_switch {
#define X(name, word) SWITCH_##name,
	FAULT_SWITCHES(X)
#undef X
		SWITCH_COUNT
};

struct fault_answer {
	int status;         /* 0: as the code has it, or 200 */
	int code;           /* 0: none */
	char *error;        /* NULL: the official message */
	char *body;         /* instead of an error object; NULL: none */
	char *content_type; /* NULL: application/json */
	char *header_names[FAULT_HEADERS_MAX], *header_values[FAULT_HEADERS_MAX];
	size_t header_count;
};

struct fault_rule {
	struct list_node node;
	unsigned users; /* requests under its influence right now */
	uint64_t id;
	char *path_glob, *method, *account, *body_part; /* NULL: any */
	char *stream_glob; /* NULL: for requests, else for a stream's messages or ... */
	bool at_handshake; /* ... handshakes, which it refuses */
	unsigned nth[FAULT_NTH_MAX];
	size_t nth_count;
	int64_t times;  /* -1: no limit */
	int64_t chance; /* of firing when it may, in millionths; FAULT_CERTAIN: always */
	uint64_t seen, hits;

	int64_t delay_ms, delay_after_ms;
	enum fault_phase answers, drops, stalls;
	struct fault_answer answer; /* with answers */
	bool act_twice;
	int64_t cut;  /* bytes of the body that are sent; -1: all */
	int64_t huge; /* size of the body sent instead; 0: not */

	/* Of a message. drops and stalls, too: before it, or after it. */
	bool is_lost, is_doubled;
	int64_t late;                     /* comes after so many later ones; 0: in its turn */
	int close_code;                   /* the socket is closed so instead; 0: not */
	char *send_before, *send_instead; /* raw text; NULL: none */
};

struct faults {
	struct list rules;
	size_t count;
	uint64_t seed, rules_made, draws;
	bool switches[SWITCH_COUNT];
	int64_t switch_ms[SWITCH_COUNT]; /* of those that have a time */
};

struct fault_request {
	const char *method, *path, *account, *body; /* account "" when not known */
	const char *stream;                         /* its name; NULL for a request */
	bool is_handshake;                          /* of a stream; else body is a message of it */
};

void faults_init(struct faults *faults, uint64_t seed);
void faults_fini(struct faults *faults);
void faults_clear(struct faults *faults); /* rules and switches */

struct fault_rule *fault_rule_create(void);
void fault_rule_destroy(struct fault_rule *rule); /* NULL is fine */
bool faults_take_rule(struct faults *faults,
		      struct fault_rule *rule); /* false: too many, destroyed */

/* The rule that decides this request, or NULL. Give it back with faults_release(). */
struct fault_rule *faults_decide(struct faults *faults, const struct fault_request *request);
void faults_release(struct fault_rule *rule);
enum fault_phase faults_phase(struct faults *faults,
			      enum fault_phase phase); /* draws FAULT_EITHER */

const char *fault_switch_name(enum fault_switch which);
bool fault_switch_parse(const char *word, enum fault_switch *which);
#endif
