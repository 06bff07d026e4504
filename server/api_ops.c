/* How the daemon is: health, readiness, limits; and the documents of this API. Never waits. */
#include <string.h>

#include "base/version.h"
#include "client/deltadefi.h"
#include "net/loop.h"
#include "server/api.h"
#include "server/config.h"
#include "server/daemon.h"
#include "server/documents.h"
#include "server/journal.h"
#include "server/market.h"
#include "server/scheduler.h"
#include "server/streams.h"
#include "server/venue.h"

/* ---- what is wrong ---------------------------------------------------------------------- */

#define REASONS_MAX 16

struct reasons {
	const char *words[REASONS_MAX];
	size_t count;
	bool is_down; /* nothing can be traded or asked at all */
};

static void add_if(struct reasons *reasons, bool is_so, enum err_code code)
{
	if (is_so)
		reasons->words[reasons->count++] = err_word(code);
}

static void own_reasons(const struct daemon *daemon, struct reasons *reasons)
{
	struct journal_status journal;

	journal_status(daemon->journal, &journal);
	add_if(reasons, daemon->is_stopping, ERR_STOPPING);
	add_if(reasons, !journal.takes_orders, ERR_JOURNAL);
	reasons->is_down = daemon->is_stopping || !journal.is_writable;
	add_if(reasons, daemon->is_recovering, ERR_RECOVERING);
}

static void venue_reasons(const struct daemon *daemon, struct reasons *reasons)
{
	struct venue_state venue;

	venue_state(daemon->venue, &venue);
	add_if(reasons, !venue.is_reachable, ERR_UNREACHABLE);
	add_if(reasons, venue.is_reachable && !venue.is_authenticated, ERR_EXCHANGE_AUTH);
	add_if(reasons, venue.is_wrong_account, ERR_ACCOUNT);
	add_if(reasons, venue.is_locked, ERR_VENUE_LOCKED);
	add_if(reasons, !venue.has_operation_key, ERR_OPKEY_LOCKED);
	add_if(reasons, !market_has_rules(daemon->market), ERR_NO_DATA);
	reasons->is_down |= !venue.is_reachable;
}

static void print_reasons(struct json_out *out, const struct reasons *reasons)
{
	json_out_array(out, "reasons");
	for (size_t i = 0; i < reasons->count; i++)
		json_out_str(out, NULL, reasons->words[i]);
	json_out_array_end(out);
}

/* ---- liveness and readiness ------------------------------------------------------------- */

void api_live_get(struct api_call *call)
{
	struct json_out out;

	json_out_init(&out);
	json_out_object(&out, NULL);
	json_out_str(&out, "status", "ok");
	json_out_object_end(&out);
	api_reply(call, 200, &out);
}

/* Ready: a new order would be taken now. */
void api_ready_get(struct api_call *call)
{
	struct reasons reasons = { .count = 0 };
	struct json_out out;

	own_reasons(call->daemon, &reasons);
	venue_reasons(call->daemon, &reasons);
	json_out_init(&out);
	json_out_object(&out, NULL);
	json_out_str(&out, "status", reasons.count == 0 ? "ready" : "not-ready");
	print_reasons(&out, &reasons);
	json_out_object_end(&out);
	api_reply(call, reasons.count == 0 ? 200 : 503, &out);
}

/* ---- health ----------------------------------------------------------------------------- */

static void print_venue(struct json_out *out, const struct daemon *daemon)
{
	struct venue_state venue;

	venue_state(daemon->venue, &venue);
	json_out_bool(out, "rest_api", venue.is_reachable);
	json_out_bool(out, "websocket", streams_are_up(daemon->streams));
	json_out_bool(out, "authenticated", venue.is_reachable && venue.is_authenticated);
	json_out_bool(out, "operation_key", venue.has_operation_key);
	json_out_object(out, "venue");
	json_out_bool(out, "locked", venue.is_locked);
	json_out_time(out, "locked_since", venue.locked_since);
	json_out_time(out, "last_answer_at", venue.last_answer);
	json_out_text(out, "account_id", venue.account_id);
	json_out_bool(out, "wrong_account", venue.is_wrong_account);
	json_out_bool(out, "key_hash_differs", venue.key_hash_differs);
	json_out_object_end(out);
}

static void print_age(struct json_out *out, const char *name, struct mono now, struct mono time)
{
	if (time.us == 0)
		json_out_null(out, name);
	else
		json_out_int(out, name, mono_diff_ms(now, time));
}

struct stream_print {
	struct json_out *out;
	struct mono now;
};

static void print_stream(void *arg, const struct streams_line *line)
{
	const struct stream_print *print = arg;
	const struct dd_stream_status *status = &line->status;
	struct json_out *out = print->out;
	bool has_why = !line->is_connected && status->why.code != ERR_NONE;

	json_out_object(out, line->name);
	json_out_bool(out, "connected", line->is_connected);
	json_out_str(out, "state",
		     line->is_stopped ? "stopped" : dd_stream_state_word(status->state));
	print_age(out, "last_message_age_ms", print->now, status->last_message);
	print_age(out, "last_alive_age_ms", print->now, status->last_alive);
	json_out_int(out, "reconnects", status->reconnects);
	json_out_bool(out, "is_wanted", line->is_wanted);
	json_out_bool(out, "is_stopped", line->is_stopped);
	json_out_text(out, "why", has_why ? status->why.text : NULL);
	json_out_object_end(out);
}

void api_print_streams(const struct daemon *daemon, struct json_out *out)
{
	struct stream_print print = { .out = out, .now = loop_now(daemon->loop) };

	json_out_object(out, "streams");
	streams_each(daemon->streams, print_stream, &print);
	json_out_object_end(out);
}

static void print_journal(struct json_out *out, const struct daemon *daemon)
{
	struct journal_status journal;

	journal_status(daemon->journal, &journal);
	json_out_object(out, "journal");
	json_out_bool(out, "writable", journal.is_writable);
	json_out_bool(out, "takes_orders", journal.takes_orders);
	json_out_text(out, "reason", journal.takes_orders ? NULL : journal.reason);
	json_out_int(out, "lag_ms", journal.oldest_wait_ms);
	json_out_int(out, "waiting", (int64_t)journal.waiting);
	json_out_object_end(out);
}

static void print_network(struct json_out *out, const struct config *config)
{
	json_out_str(out, "mode", config->mode);
	json_out_str(out, "network", config->network);
	json_out_array(out, "warnings");
	if (config->mode_is_unknown)
		json_out_str(out, NULL, "unknown mode: fell back to preprod");
	json_out_array_end(out);
}

/* Streams that are down stop no order, so they are no reason for readiness. */
static const char *status_word(const struct daemon *daemon, const struct reasons *reasons)
{
	if (reasons->is_down)
		return "down";
	return reasons->count > 0 || !streams_are_up(daemon->streams) ? "degraded" : "ok";
}

void api_health_get(struct api_call *call)
{
	const struct daemon *daemon = call->daemon;
	struct reasons reasons = { .count = 0 };
	struct json_out out;

	own_reasons(daemon, &reasons);
	venue_reasons(daemon, &reasons);
	json_out_init(&out);
	json_out_object(&out, NULL);
	json_out_str(&out, "status", status_word(daemon, &reasons));
	print_reasons(&out, &reasons);
	print_venue(&out, daemon);
	api_print_streams(daemon, &out);
	print_journal(&out, daemon);
	print_network(&out, daemon->config);
	json_out_bool(&out, "recovering", daemon->is_recovering);
	json_out_str(&out, "version", DELTAGATE_VERSION);
	json_out_int(&out, "uptime_s",
		     mono_diff_ms(loop_now(daemon->loop), daemon->started) / 1000);
	json_out_object_end(&out);
	api_reply(call, 200, &out);
}

void api_system_members(const struct daemon *daemon, struct json_out *out)
{
	struct reasons reasons = { .count = 0 };
	struct venue_state venue;

	own_reasons(daemon, &reasons);
	venue_reasons(daemon, &reasons);
	venue_state(daemon->venue, &venue);
	json_out_str(out, "status", status_word(daemon, &reasons));
	print_reasons(out, &reasons);
	json_out_bool(out, "rest_api", venue.is_reachable);
	json_out_bool(out, "websocket", streams_are_up(daemon->streams));
	json_out_bool(out, "authenticated", venue.is_reachable && venue.is_authenticated);
	json_out_bool(out, "operation_key", venue.has_operation_key);
}

/* ---- limits ----------------------------------------------------------------------------- */

void api_limits_get(struct api_call *call)
{
	struct scheduler_limits limits;
	struct json_out out;
	int64_t used_m;

	scheduler_limits(call->daemon->scheduler, call->token.token_id, call->token.weight,
			 &limits);
	used_m = (int64_t)limits.capacity * 1000 - limits.available_m;
	json_out_init(&out);
	json_out_object(&out, NULL);
	json_out_int(&out, "capacity", limits.capacity);
	json_out_thousandths(&out, "available", limits.available_m);
	json_out_thousandths(&out, "refill_per_s", limits.refill_m);
	json_out_thousandths(&out, "utilization", used_m / limits.capacity);
	json_out_int(&out, "queued", (int64_t)limits.queued);
	json_out_int(&out, "queued_own", (int64_t)limits.queued_own);
	json_out_thousandths(&out, "share", (int64_t)limits.share_own * 1000 / limits.share_all);
	json_out_int(&out, "estimated_wait_ms", limits.wait_ms);
	json_out_int(&out, "paused_ms", limits.paused_ms);
	json_out_object_end(&out);
	api_reply(call, 200, &out);
}

/* ---- documents -------------------------------------------------------------------------- */

void api_openapi_get(struct api_call *call)
{
	api_reply_static(call, "application/yaml", documents_openapi, documents_openapi_size);
}

void api_asyncapi_get(struct api_call *call)
{
	api_reply_static(call, "application/yaml", documents_asyncapi, documents_asyncapi_size);
}

void api_events_schema_get(struct api_call *call)
{
	api_reply_static(call, "application/schema+json", documents_events_schema,
			 documents_events_schema_size);
}
