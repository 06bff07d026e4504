#include "server/reconcile.h"

#include <stdio.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "client/deltadefi.h"
#include "net/loop.h"
#include "server/compare.h"
#include "server/drift.h"
#include "server/event.h"
#include "server/look.h"
#include "server/look_memory.h"
#include "server/orders.h"

#define SETTLE_MS        2000 /* an event is on its way no longer, under a live stream */
#define SETTLE_MAX_MS    5000
#define POLLS            2 /* tell of a change, and of its fills */
#define SETTLE_LOOK_MS   250
#define SETTLE_TRY_MS    20000 /* while the stream comes and goes; then the next run tries */
#define FINDINGS_MAX     1000  /* of one run; the next finds the rest */
#define SETTLED_MAX      10000 /* that wait to be told; more are not in doubt at once */
#define TOLD_LOADED      JOURNAL_PAGE_MAX
#define CLEAN_WRITTEN_MS 60000

enum stage { STAGE_IDLE, STAGE_FIRST, STAGE_WAIT, STAGE_SECOND, STAGE_LAST_WAIT };

struct wish {
	struct list_node node;
	reconcile_done_fn *done;
	void *arg;
};

struct found {
	struct journal_finding finding;
	char token_id[TOKEN_ID_LEN];
};

struct reconcile {
	struct loop *loop;
	struct reconcile_config config;
	struct backfill_parts parts;
	struct backfill *backfill;
	struct look_memory memory;
	struct drift *drift;
	struct timer *routine, *settle;
	struct list wishes, later; /* for the run under way, and for the one after it */
	bool is_loaded, is_stopped;
	struct wall next;

	/* The run. */
	enum stage stage;
	struct look *look;
	struct reconcile_stream stream; /* as it was when the wait began */
	uint64_t backfills;             /* begun before the look was through */
	struct mono waiting, unchanged; /* since; the latter: the stream, as far as is known */
	struct journal_run run;
	struct found *found;
	size_t found_room;

	/* Settled by those who ask about orders in doubt, since the last run. */
	struct found *settled;
	size_t settled_count, settled_room;

	struct reconcile_status status;
	char last_error[192];
	int clean; /* runs that are not written yet */
	struct wall clean_since;
	struct mono clean_written;
};

static void begin(struct reconcile *reconcile);

/* ---- what was found --------------------------------------------------------------------- */

static bool add_found(struct found **list, size_t *count, size_t *room, size_t max,
		      const struct journal_finding *finding, const char *token_id)
{
	if (*count == max)
		return false;
	if (*count == *room) {
		*room = *room ? 2 * *room : 8;
		*list = mem_grow(*list, *room * sizeof(**list));
	}
	(*list)[*count].finding = *finding;
	STR_SET((*list)[*count].token_id, token_id);
	(*count)++;
	return true;
}

static bool found(void *arg, const struct journal_finding *finding, const char *token_id)
{
	struct reconcile *reconcile = arg;

	return add_found(&reconcile->found, &reconcile->run.findings, &reconcile->found_room,
			 FINDINGS_MAX, finding, token_id);
}

static void seen(void *arg, const struct order *order, const struct dd_execution *execution)
{
	struct reconcile *reconcile = arg;

	drift_see(reconcile->drift, order, execution);
}

static void found_drift(void *arg, const struct journal_finding *finding)
{
	(void)found(arg, finding, "");
}

/* Whoever settled it: it was in doubt, and is not any more. */
static void order_changed(void *arg, struct tracked *tracked, const struct order *written)
{
	struct reconcile *reconcile = arg;
	struct journal_finding finding = { .at = wall_now() };
	bool is_unknown = written->facts.state == ORDER_UNKNOWN;

	if (tracked->was_unknown == is_unknown)
		return;
	tracked->was_unknown = is_unknown;
	if (is_unknown)
		return;
	STR_SET(finding.class_, finding_class_word(FINDING_UNKNOWN_SETTLED));
	STR_SET(finding.action, finding_action_word(FINDING_SETTLED));
	STR_SET(finding.about, written->terms.order_id);
	STR_SET(finding.order_id, written->terms.order_id);
	STR_SET(finding.exchange_order_id, written->facts.exchange_order_id);
	STR_SET(finding.symbol, written->terms.symbol);
	STR_SET(finding.journal, order_state_name(ORDER_UNKNOWN));
	STR_SET(finding.exchange, order_state_name(written->facts.state));
	(void)add_found(&reconcile->settled, &reconcile->settled_count, &reconcile->settled_room,
			SETTLED_MAX, &finding, written->terms.token_id);
}

static void take_settled(struct reconcile *reconcile)
{
	size_t i;

	for (i = 0; i < reconcile->settled_count && reconcile->run.findings < FINDINGS_MAX; i++) {
		const struct journal_finding *finding = &reconcile->settled[i].finding;

		if (findings_is_told(reconcile->memory.findings, FINDING_UNKNOWN_SETTLED,
				     finding->about, finding->journal, finding->exchange))
			continue; /* by the lists of this run */
		findings_tell(reconcile->memory.findings, FINDING_UNKNOWN_SETTLED, finding->about,
			      finding->journal, finding->exchange);
		(void)found(reconcile, finding, reconcile->settled[i].token_id);
	}
	reconcile->settled_count -= i;
	if (i > 0)
		memmove(reconcile->settled, reconcile->settled + i,
			reconcile->settled_count * sizeof(*reconcile->settled));
}

/* ---- the end of a run ------------------------------------------------------------------- */

static void tell_wishes(struct list *wishes, const struct err *err,
			const struct reconcile_report *report)
{
	struct list told;
	struct list_node *node;

	list_init(&told);
	list_move_all(wishes, &told);
	while ((node = list_pop_front(&told))) {
		struct wish *wish = CONTAINER_OF(node, struct wish, node);

		wish->done(wish->arg, err, report);
		mem_free(wish);
	}
}

/* Told to who waits, once it is durable. */
struct written {
	struct list wishes;
	struct reconcile_report report;
	struct journal_finding *findings;
};

static void written(void *arg, const struct err *err)
{
	struct written *written = arg;

	tell_wishes(&written->wishes, err, &written->report);
	mem_free(written->findings);
	mem_free(written);
}

static struct written *hand_over(struct reconcile *reconcile)
{
	struct written *written = mem_alloc(sizeof(*written));
	size_t count = reconcile->run.findings;

	list_init(&written->wishes);
	list_move_all(&reconcile->wishes, &written->wishes);
	written->report.run = reconcile->run;
	written->findings = mem_array(count, sizeof(*written->findings));
	for (size_t i = 0; i < count; i++)
		written->findings[i] = reconcile->found[i].finding;
	written->report.findings = written->findings;
	return written;
}

/* What is in doubt no more is history, and comes in numbers after an outage; the rest is for people
 * to look at. */
static void log_finding(const struct journal_finding *finding)
{
	const struct log_field fields[] = {
		F_STR("class", finding->class_),    F_STR("about", finding->about),
		F_STR("journal", finding->journal), F_STR("exchange", finding->exchange),
		F_STR("action", finding->action),
	};
	bool is_history = strcmp(finding->class_, finding_class_word(FINDING_UNKNOWN_SETTLED)) == 0;

	log_event(is_history ? LOG_INFO : LOG_WARN, "reconciliation.finding", fields,
		  ARRAY_LEN(fields));
}

static void write_finding(struct reconcile *reconcile, struct journal_write *write,
			  const struct found *found)
{
	const struct journal_finding *finding = &found->finding;
	char text[2 * JOURNAL_EVIDENCE_LEN + 100];

	for (int i = 0; i < FINDING_CLASS_COUNT; i++)
		if (strcmp(finding->class_, finding_class_word((enum finding_class)i)) == 0)
			reconcile->status.counts[i]++;
	snprintf(text, sizeof(text), "%s (journal: %s; exchange: %s), %s", finding->class_,
		 finding->journal, finding->exchange, finding->action);
	log_finding(finding);
	journal_write_finding(write, finding);
	event_system_with(write, SYSTEM_RECONCILIATION, finding->about, found->token_id,
			  finding->symbol, text);
}

static void write_found(struct reconcile *reconcile)
{
	struct journal_write *write = journal_write_create();

	journal_write_run(write, &reconcile->run);
	for (size_t i = 0; i < reconcile->run.findings; i++)
		write_finding(reconcile, write, &reconcile->found[i]);
	journal_append(reconcile->parts.journal, JOURNAL_FACT, write, written,
		       hand_over(reconcile));
}

static void write_clean(struct reconcile *reconcile)
{
	struct mono now = loop_now(reconcile->loop);
	struct journal_run run = reconcile->run;
	struct journal_status status;
	struct journal_write *write;

	journal_status(reconcile->parts.journal, &status);
	if (reconcile->clean++ == 0)
		reconcile->clean_since = run.began_at;
	if (!run.is_demanded && !status.takes_orders)
		return; /* the room that is left is for orders */
	if (!run.is_demanded && reconcile->clean_written.us != 0 &&
	    mono_diff_ms(now, reconcile->clean_written) < CLEAN_WRITTEN_MS)
		return;
	run.began_at = reconcile->clean_since;
	run.runs = reconcile->clean;
	reconcile->clean = 0;
	reconcile->clean_written = now;
	write = journal_write_create();
	journal_write_run(write, &run);
	journal_append(reconcile->parts.journal, JOURNAL_FACT, write, written,
		       hand_over(reconcile));
}

static void rest(struct reconcile *reconcile)
{
	int64_t gone_ms = (wall_now().us - reconcile->run.began_at.us) / 1000;
	int64_t wait_ms = reconcile->config.interval_ms - gone_ms;

	if (wait_ms < 0 || gone_ms < 0)
		wait_ms = 0;
	if (!list_is_empty(&reconcile->later)) {
		list_move_all(&reconcile->later, &reconcile->wishes);
		wait_ms = 0;
	}
	reconcile->next.us = wall_now().us + wait_ms * 1000;
	timer_start(reconcile->routine, wait_ms);
}

static void finish(struct reconcile *reconcile)
{
	struct journal_run *run = &reconcile->run;

	reconcile->stage = STAGE_IDLE;
	take_settled(reconcile);
	run->ended_at = wall_now();
	run->assets = drift_assets(reconcile->drift, 0);
	reconcile->status.runs++;
	reconcile->status.last = *run;
	reconcile->last_error[0] = '\0';
	LOG(DEBUG, "reconciliation.done", F_INT("orders", (int64_t)run->orders),
	    F_INT("findings", (int64_t)run->findings));
	if (run->findings > 0)
		write_found(reconcile);
	else
		write_clean(reconcile);
	rest(reconcile);
}

/* What was found so far was acted on, so it is told; the rest is for the next run. */
static void give_up(struct reconcile *reconcile, const struct err *err)
{
	reconcile->stage = STAGE_IDLE;
	reconcile->status.failed++;
	STR_SET(reconcile->last_error, err->text);
	LOG(DEBUG, "reconciliation.failed", F_ERR(err));
	tell_wishes(&reconcile->wishes, err, NULL);
	reconcile->run.ended_at = wall_now();
	if (reconcile->run.findings > 0)
		write_found(reconcile);
	rest(reconcile);
}

/* ---- a run ------------------------------------------------------------------------------ */

static void look(struct reconcile *reconcile, bool is_second);

static void wait_until_known(struct reconcile *reconcile)
{
	reconcile->waiting = reconcile->unchanged = loop_now(reconcile->loop);
	reconcile->backfills = backfill_begun(reconcile->backfill);
	reconcile->config.stream(reconcile->config.arg, &reconcile->stream);
	timer_start(reconcile->settle, SETTLE_MS);
}

/* How long it takes for news to come. */
static int64_t news_ms(const struct reconcile *reconcile)
{
	int64_t polled_ms = SETTLE_MS + POLLS * reconcile->config.poll_ms;

	if (reconcile->stream.is_live)
		return SETTLE_MS;
	return polled_ms < SETTLE_MAX_MS ? polled_ms : SETTLE_MAX_MS;
}

/* Whatever had happened before the wait is known by now: the stream has told it, or polling has, or
 * the backfill of a stream that went and came back. */
static bool is_known(struct reconcile *reconcile)
{
	struct mono now = loop_now(reconcile->loop);
	struct reconcile_stream stream;

	if (backfill_ended(reconcile->backfill) > reconcile->backfills)
		return true;
	reconcile->config.stream(reconcile->config.arg, &stream);
	if (stream.is_live != reconcile->stream.is_live ||
	    stream.reconnects != reconcile->stream.reconnects ||
	    backfill_is_running(reconcile->backfill))
		reconcile->unchanged = now;
	reconcile->stream = stream;
	return mono_diff_ms(now, reconcile->unchanged) >= news_ms(reconcile);
}

static void settled(void *arg)
{
	struct reconcile *reconcile = arg;
	struct err err;

	if (!is_known(reconcile)) {
		struct mono now = loop_now(reconcile->loop);

		if (mono_diff_ms(now, reconcile->waiting) < SETTLE_TRY_MS) {
			timer_start(reconcile->settle, SETTLE_LOOK_MS);
			return;
		}
		err_set(&err, ERR_BUSY, "the account's stream comes and goes");
		give_up(reconcile, &err);
		return;
	}
	if (reconcile->stage == STAGE_WAIT) {
		if (drift_judge(reconcile->drift, 0) == 0 &&
		    findings_suspects(reconcile->memory.findings) == 0)
			finish(reconcile);
		else
			look(reconcile, true);
		return;
	}
	drift_tell(reconcile->drift, found_drift, reconcile);
	finish(reconcile);
}

static void balances_told(void *arg, const struct err *err)
{
	struct reconcile *reconcile = arg;
	bool is_second = reconcile->stage == STAGE_SECOND;
	size_t open;

	if (reconcile->is_stopped)
		return;
	if (err) {
		give_up(reconcile, err);
		return;
	}
	open = drift_judge(reconcile->drift, is_second);
	if (!is_second)
		open += findings_suspects(reconcile->memory.findings);
	if (open == 0) {
		finish(reconcile);
		return;
	}
	reconcile->stage = is_second ? STAGE_LAST_WAIT : STAGE_WAIT;
	wait_until_known(reconcile);
}

static void looked(void *arg, const struct err *err, const struct look_counts *counts)
{
	struct reconcile *reconcile = arg;

	reconcile->look = NULL;
	if (err) {
		give_up(reconcile, err);
		return;
	}
	reconcile->run.orders = counts->orders;
	reconcile->run.executions = counts->executions;
	drift_ask(reconcile->drift, reconcile->stage == STAGE_SECOND, counts->is_whole,
		  balances_told, reconcile);
}

static void look(struct reconcile *reconcile, bool is_second)
{
	const struct look_config config = { .loop = reconcile->loop,
					    .parts = &reconcile->parts,
					    .backfill = reconcile->backfill,
					    .memory = &reconcile->memory,
					    .is_second = is_second,
					    .give_up_ms = reconcile->config.give_up_ms,
					    .found = found,
					    .seen = seen,
					    .done = looked,
					    .arg = reconcile };

	reconcile->stage = is_second ? STAGE_SECOND : STAGE_FIRST;
	reconcile->look = look_create(&config);
}

static void begin(struct reconcile *reconcile)
{
	timer_stop(reconcile->routine);
	reconcile->run = (struct journal_run){ .began_at = wall_now(),
					       .runs = 1,
					       .is_demanded = !list_is_empty(&reconcile->wishes) };
	look(reconcile, false);
}

static void due(void *arg)
{
	begin(arg);
}

void reconcile_now(struct reconcile *reconcile, reconcile_done_fn *done, void *arg)
{
	struct wish *wish;
	struct err err;

	if (reconcile->is_stopped) {
		err_set(&err, ERR_STOPPING, "the daemon is stopping");
		done(arg, &err, NULL);
		return;
	}
	wish = mem_alloc(sizeof(*wish));
	wish->done = done;
	wish->arg = arg;
	if (reconcile->stage != STAGE_IDLE || !reconcile->is_loaded) {
		list_push_back(&reconcile->later, &wish->node);
		return;
	}
	list_push_back(&reconcile->wishes, &wish->node);
	begin(reconcile);
}

/* ---- the whole -------------------------------------------------------------------------- */

/* What was told before the restart is not told again, and foreign orders are followed on. The
 * newest comes first. */
static void remember(struct reconcile *reconcile, const struct journal_finding *finding)
{
	struct look_memory *memory = &reconcile->memory;
	char word[32];

	for (int i = 0; i < FINDING_CLASS_COUNT; i++)
		if (strcmp(finding->class_, finding_class_word((enum finding_class)i)) == 0)
			findings_tell(memory->findings, (enum finding_class)i, finding->about,
				      finding->journal, finding->exchange);
	if (strcmp(finding->class_, finding_class_word(FINDING_FOREIGN_ORDER)) != 0)
		return;
	snprintf(word, sizeof(word), "%.*s", (int)strcspn(finding->exchange, ","),
		 finding->exchange);
	if (compare_is_live(dd_status_parse(word)))
		look_memory_follow(memory, finding->exchange_order_id, finding->symbol);
	else
		look_memory_forget(memory, finding->exchange_order_id);
}

static void loaded(void *arg, const struct err *err, const struct journal_finding *findings,
		   size_t count)
{
	struct reconcile *reconcile = arg;

	if (reconcile->is_stopped)
		return;
	if (err)
		LOG(WARN, "reconciliation.not_loaded", F_ERR(err));
	while (count > 0)
		remember(reconcile, &findings[--count]); /* oldest first */
	reconcile->is_loaded = true;
	reconcile->run.began_at = wall_now(); /* the first run comes an interval from now */
	rest(reconcile);
}

static void was_unknown(void *arg, struct tracked *tracked)
{
	(void)arg;
	tracked->was_unknown = tracked->order.facts.state == ORDER_UNKNOWN;
}

struct reconcile *reconcile_create(struct loop *loop, const struct reconcile_config *config,
				   const struct backfill_parts *parts, struct backfill *backfill)
{
	struct reconcile *reconcile = mem_alloc(sizeof(*reconcile));

	reconcile->loop = loop;
	reconcile->config = *config;
	reconcile->parts = *parts;
	reconcile->backfill = backfill;
	look_memory_init(&reconcile->memory);
	reconcile->drift = drift_create(loop, parts->market, parts->orders);
	reconcile->routine = loop_timer_create(loop, due, reconcile);
	reconcile->settle = loop_timer_create(loop, settled, reconcile);
	list_init(&reconcile->wishes);
	list_init(&reconcile->later);
	orders_on_change(parts->orders, order_changed, reconcile);
	return reconcile;
}

void reconcile_start(struct reconcile *reconcile)
{
	orders_each(reconcile->parts.orders, was_unknown, NULL);
	journal_find_findings(reconcile->parts.journal, TOLD_LOADED, loaded, reconcile);
}

void reconcile_stop(struct reconcile *reconcile)
{
	struct err err;

	if (!reconcile || reconcile->is_stopped)
		return;
	reconcile->is_stopped = true;
	timer_stop(reconcile->routine);
	timer_stop(reconcile->settle);
	look_abandon(reconcile->look);
	reconcile->look = NULL;
	err_set(&err, ERR_STOPPING, "the daemon is stopping");
	tell_wishes(&reconcile->wishes, &err, NULL);
	tell_wishes(&reconcile->later, &err, NULL);
}

void reconcile_destroy(struct reconcile *reconcile)
{
	if (!reconcile)
		return;
	reconcile_stop(reconcile);
	timer_destroy(reconcile->routine);
	timer_destroy(reconcile->settle);
	drift_destroy(reconcile->drift);
	look_memory_fini(&reconcile->memory);
	mem_free(reconcile->found);
	mem_free(reconcile->settled);
	mem_free(reconcile);
}

void reconcile_status(const struct reconcile *reconcile, struct reconcile_status *status)
{
	*status = reconcile->status;
	status->is_running = reconcile->stage != STAGE_IDLE;
	status->following = map_len(reconcile->memory.foreign);
	status->last_error = reconcile->last_error;
	status->next = reconcile->next;
}
