/* points.c - what stands behind base/crash_point.h in the build of `make crash`. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crash_point.h"
#include "base/mem.h"
#include "server/journal_job.h"

#define NAME_LEN  96
#define FETCH_MAX 64

/* The linker's, around all that is CRASH_POINT_LISTED. */
extern struct crash_point __start_crash_points[], __stop_crash_points[];

/* Every write of the journal, by what is in it. */
#define STAGES(word)                                                     \
	{ "journal." word ".before" }, { "journal." word ".committed" }, \
	{                                                                \
		"journal." word ".acknowledged"                          \
	}
#define X(name, word) STAGES("order." word),
static struct crash_point CRASH_POINT_LISTED of_writes[] = {
	ORDER_EVENTS(X) STAGES("order.accepted"),
	STAGES("order.cancel_requested"),
	STAGES("order.taken"),
	STAGES("fill"),
	STAGES("setting"),
	STAGES("token"),
	STAGES("balance"),
	STAGES("event"),
};
#undef X

static struct {
	const void *fetch;
	const char *name;
	bool leaves;
} fetches[FETCH_MAX];
static unsigned fetch_next;
static const char *leaves_next; /* loop thread only, as are the fetches */

static char crash_at[NAME_LEN];
static unsigned crash_nth = 1;
static unsigned passed;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void list_all(void)
{
	for (struct crash_point *at = __start_crash_points; at < __stop_crash_points; at++)
		puts(at->name);
}

static void __attribute__((constructor)) begin(void)
{
	const char *wish = getenv("DELTAGATE_CRASH_AT");
	char *colon;

	if (getenv("DELTAGATE_CRASH_LIST")) {
		list_all();
		exit(EXIT_SUCCESS);
	}
	if (!wish)
		return;
	snprintf(crash_at, sizeof(crash_at), "%s", wish);
	colon = strchr(crash_at, ':');
	if (colon) {
		*colon = '\0';
		crash_nth = (unsigned)strtoul(colon + 1, NULL, 10);
	}
}

void crash_point_pass(const char *name)
{
	if (crash_at[0] == '\0' || strcmp(name, crash_at) != 0)
		return;
	pthread_mutex_lock(&lock);
	if (++passed == crash_nth)
		kill(getpid(), SIGKILL);
	pthread_mutex_unlock(&lock);
}

/* ---- requests ------------------------------------------------------------------------- */

void crash_point_leaves_next(const char *name)
{
	leaves_next = name;
}

void crash_point_fetch_begun(const void *fetch)
{
	unsigned at = fetch_next++ % FETCH_MAX;

	for (unsigned i = 0; i < FETCH_MAX; i++)
		if (fetches[i].fetch == fetch)
			at = i;
	fetches[at].fetch = fetch;
	fetches[at].name = leaves_next;
	fetches[at].leaves = false;
	leaves_next = NULL;
}

void crash_point_fetch_leaves(const void *fetch)
{
	for (unsigned i = 0; i < FETCH_MAX; i++)
		if (fetches[i].fetch == fetch && fetches[i].name)
			fetches[i].leaves = true;
}

void crash_point_fetch_left(void)
{
	for (unsigned i = 0; i < FETCH_MAX; i++) {
		if (!fetches[i].leaves)
			continue;
		fetches[i].leaves = false;
		crash_point_pass(fetches[i].name);
	}
}

/* ---- writes of the journal -------------------------------------------------------------- */

static void pass_write(const char *what, const char *event, const char *stage)
{
	char name[NAME_LEN];

	snprintf(name, sizeof(name), "journal.%s%s%s.%s", what, event[0] ? "." : "", event, stage);
	for (size_t i = 0; i < ARRAY_LEN(of_writes); i++) {
		if (strcmp(of_writes[i].name, name) != 0)
			continue;
		crash_point_pass(name);
		return;
	}
	fprintf(stderr, "no crash point has the name %s\n", name);
	abort();
}

static void pass_op(const struct journal_op *op, const char *stage)
{
	switch (op->kind) {
	case OP_ORDER:
		pass_write("order", op->as.order.event.event, stage);
		return;
	case OP_FILL:
		pass_write("fill", "", stage);
		return;
	case OP_SETTING:
		pass_write("setting", "", stage);
		return;
	case OP_TOKEN:
		pass_write("token", "", stage);
		return;
	case OP_BALANCE:
		pass_write("balance", "", stage);
		return;
	case OP_CHANNEL_EVENT:
		pass_write("event", "", stage);
		return;
	case OP_SUBMISSION: /* part of order.sign */
	case OP_RUN:        /* what a reconciliation found, the next one finds again */
	case OP_FINDING:
		return;
	}
}

void crash_point_write(const struct journal_write *write, const char *stage)
{
	if (!crash_at[0])
		return;
	LIST_EACH (&write->ops, node)
		pass_op(CONTAINER_OF(node, struct journal_op, node), stage);
}

void crash_point_group(const struct list *jobs, const char *stage)
{
	LIST_EACH (jobs, node) {
		const struct journal_job *job = CONTAINER_OF(node, struct journal_job, node);

		if (job->kind == JOB_WRITE && !job->has_failed)
			crash_point_write(job->write, stage);
	}
}
