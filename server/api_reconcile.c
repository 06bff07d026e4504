/* Reconciliation: on demand, and how it went. */
#include "server/api.h"
#include "server/config.h"
#include "server/daemon.h"
#include "server/reconcile.h"

#define DEMAND_MAX_MS  55000 /* clients give up at a minute */
#define FINDINGS_SHOWN 100

static void print_run(struct json_out *out, const struct journal_run *run)
{
	json_out_time(out, "began_at", run->began_at);
	json_out_time(out, "ended_at", run->ended_at);
	json_out_str(out, "cause", run->is_demanded ? "demand" : "routine");
	json_out_int(out, "orders", (int64_t)run->orders);
	json_out_int(out, "executions", (int64_t)run->executions);
	json_out_int(out, "assets", (int64_t)run->assets);
}

static void print_findings(struct json_out *out, const struct journal_finding *findings,
			   size_t count)
{
	json_out_array(out, "findings");
	for (size_t i = 0; i < count; i++) {
		json_out_object(out, NULL);
		json_out_time(out, "at", findings[i].at);
		json_out_str(out, "class", findings[i].class_);
		json_out_str(out, "about", findings[i].about);
		json_out_text(out, "order_id", findings[i].order_id);
		json_out_text(out, "exchange_order_id", findings[i].exchange_order_id);
		json_out_text(out, "symbol", findings[i].symbol);
		json_out_str(out, "journal", findings[i].journal);
		json_out_str(out, "exchange", findings[i].exchange);
		json_out_str(out, "action", findings[i].action);
		json_out_object_end(out);
	}
	json_out_array_end(out);
}

/* ---- on demand -------------------------------------------------------------------------- */

static void reconciled(void *arg, const struct err *err, const struct reconcile_report *report)
{
	struct api_call *call = arg;
	struct json_out out;

	if (!api_release(call))
		return;
	if (err) {
		api_reply_err(call, err);
		return;
	}
	json_out_init(&out);
	json_out_object(&out, NULL);
	print_run(&out, &report->run);
	print_findings(&out, report->findings, report->run.findings);
	json_out_object_end(&out);
	api_reply(call, 200, &out);
}

static void takes_too_long(struct api_call *call)
{
	api_refuse(call, ERR_BUSY, "the exchange does not answer in time; the run goes on");
}

void api_reconcile_post(struct api_call *call)
{
	api_hold(call);
	api_wait(call, DEMAND_MAX_MS, takes_too_long);
	reconcile_now(call->daemon->reconcile, reconciled, call);
}

/* ---- how it went ------------------------------------------------------------------------ */

static void print_status(struct json_out *out, const struct daemon *daemon)
{
	struct reconcile_status status;

	reconcile_status(daemon->reconcile, &status);
	json_out_int(out, "interval_ms", daemon->config->reconcile_interval_ms);
	json_out_bool(out, "is_running", status.is_running);
	json_out_time(out, "next_at", status.next);
	json_out_int(out, "runs", (int64_t)status.runs);
	json_out_int(out, "failed", (int64_t)status.failed);
	json_out_text(out, "last_error", status.last_error);
	json_out_int(out, "following", (int64_t)status.following);
	json_out_object(out, "counts");
	for (int i = 0; i < FINDING_CLASS_COUNT; i++)
		json_out_int(out, finding_class_word((enum finding_class)i),
			     (int64_t)status.counts[i]);
	json_out_object_end(out);
	if (status.last.began_at.us == 0) {
		json_out_null(out, "last");
		return;
	}
	json_out_object(out, "last");
	print_run(out, &status.last);
	json_out_object_end(out);
}

static void findings_found(void *arg, const struct err *err, const struct journal_finding *findings,
			   size_t count)
{
	struct api_call *call = arg;
	struct json_out out;

	if (!api_release(call))
		return;
	if (err) {
		api_reply_err(call, err);
		return;
	}
	json_out_init(&out);
	json_out_object(&out, NULL);
	print_status(&out, call->daemon);
	print_findings(&out, findings, count);
	json_out_object_end(&out);
	api_reply(call, 200, &out);
}

void api_reconciliation_get(struct api_call *call)
{
	api_hold(call);
	journal_find_findings(call->daemon->journal, FINDINGS_SHOWN, findings_found, call);
}
