#include "server/api.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "client/wire.h"
#include "net/httpd.h"
#include "net/loop.h"
#include "server/config.h"
#include "server/daemon.h"
#include "server/documents.h"
#include "server/json.h"
#include "server/market.h"
#include "server/page.h"
#include "server/venue.h"

#define READ_WAIT_MS     10000 /* for a read's turn */
#define WAIT_MAX_S       60
#define RETRY_DEFAULT_MS 1000 /* in Retry-After, where nothing better is known */
#define JSON_TYPE        "application/json"
#define PROBLEM_TYPE     "application/problem+json"
#define PREFER_LEN       256

struct api {
	struct daemon *daemon;
	struct list calls; /* not answered yet */
	struct api_balances balances;
	char page_policy[PAGE_POLICY_LEN];
	bool is_stopping;
};

/* ---- news of orders --------------------------------------------------------------------- */

static bool moves_balances(enum order_state state)
{
	return state == ORDER_OPEN || state == ORDER_PARTIALLY_FILLED || state == ORDER_FILLED ||
	       state == ORDER_CANCELLED;
}

static void order_changed(void *arg, struct tracked *tracked, const struct order *written)
{
	struct api *api = arg;

	if (moves_balances(written->facts.state))
		market_balances_stale(api->daemon->market);
	LIST_EACH_SAFE (&tracked->waiters, node) {
		struct waiter *waiter = CONTAINER_OF(node, struct waiter, node);

		waiter->news(waiter, written);
	}
}

void api_create(struct daemon *daemon)
{
	struct api *api = mem_alloc(sizeof(*api));
	struct err err;
	bool has_policy =
		page_policy(documents_dashboard, documents_dashboard_size, api->page_policy, &err);

	assert(has_policy); /* page_test proves it for this very page */
	api->daemon = daemon;
	list_init(&api->calls);
	buf_init(&api->balances.json, JSON_OUT_MAX);
	orders_on_change(daemon->orders, order_changed, api);
	daemon->api = api;
}

void api_destroy(struct daemon *daemon)
{
	struct api *api = daemon->api;
	struct list_node *node;
	struct err err;

	if (!api)
		return;
	api->is_stopping = true;
	err_set(&err, ERR_STOPPING, "the daemon is stopping");
	while ((node = list_first(&api->calls))) {
		struct api_call *call = CONTAINER_OF(node, struct api_call, node);

		if (call->on_stop)
			call->on_stop(call);
		else
			api_reply_err(call, &err);
	}
	buf_fini(&api->balances.json);
	mem_free(api);
	daemon->api = NULL;
}

const char *api_page_policy(const struct api *api)
{
	return api->page_policy;
}

struct api_balances *api_balances_cache(struct api *api)
{
	return &api->balances;
}

/* ---- calls ------------------------------------------------------------------------------ */

struct api_call *api_call_create(struct daemon *daemon, struct http_request *request)
{
	struct api_call *call = mem_alloc(sizeof(*call));

	assert(loop_is_mine(daemon->loop));
	call->api = daemon->api;
	call->daemon = daemon;
	call->request = request;
	list_node_init(&call->waiter.node);
	list_push_back(&call->api->calls, &call->node);
	order_make_id("req_", wall_now(), call->request_id);
	return call;
}

static void call_free(struct api_call *call)
{
	if (call->drop)
		call->drop(call->state);
	loop_free_later(call->daemon->loop, call);
}

void api_hold(struct api_call *call)
{
	call->holds++;
}

bool api_release(struct api_call *call)
{
	assert(call->holds > 0);
	call->holds--;
	if (call->request)
		return true;
	if (call->holds == 0)
		call_free(call);
	return false;
}

static void log_call(const struct api_call *call, int status)
{
	LOG(DEBUG, "http.request", F_STR("request", call->request_id),
	    F_STR("method", http_method(call->request)), F_STR("path", http_path(call->request)),
	    F_INT("status", status), F_STR("token", call->token.token_id),
	    F_INT("took_us", mono_diff_us(mono_now(), http_arrived(call->request))));
}

/* Whatever the call waits for, it waits no more. */
static void call_answered(struct api_call *call)
{
	call->request = NULL;
	list_remove(&call->node);
	api_wait_no_more(&call->waiter);
	timer_destroy(call->timer);
	call->timer = NULL;
	if (scheduler_remove(call->daemon->scheduler, &call->ticket))
		call->holds--;
	if (call->holds == 0)
		call_free(call);
}

static void time_is_up(void *arg)
{
	struct api_call *call = arg;

	call->on_time_up(call);
}

void api_wait(struct api_call *call, int64_t wait_ms, void (*fn)(struct api_call *call))
{
	if (!call->timer)
		call->timer = loop_timer_create(call->daemon->loop, time_is_up, call);
	call->on_time_up = fn;
	timer_start(call->timer, wait_ms);
}

void api_wait_for(struct api_call *call, struct waiter *waiter, struct tracked *tracked)
{
	waiter->call = call;
	waiter->tracked = tracked;
	list_push_back(&tracked->waiters, &waiter->node);
}

void api_wait_no_more(struct waiter *waiter)
{
	if (list_has(&waiter->node))
		list_remove(&waiter->node);
}

static void read_late(void *arg)
{
	struct api_call *call = arg;

	if (api_release(call))
		api_refuse(call, ERR_BUSY, "too many questions wait for the exchange");
}

void api_queue_read(struct api_call *call, void (*go)(void *call))
{
	struct ticket *ticket = &call->ticket;

	ticket->lane = LANE_READ;
	ticket->token_id = call->token.token_id;
	ticket->weight = call->token.weight;
	ticket->deadline = mono_after_ms(loop_now(call->daemon->loop), READ_WAIT_MS);
	ticket->go = go;
	ticket->late = read_late;
	ticket->arg = call;
	api_hold(call);
	scheduler_add(call->daemon->scheduler, ticket);
}

void api_note_read(struct api_call *call, const char *what, const struct dd_result *result,
		   bool is_keyed)
{
	venue_note(call->daemon->venue, result, is_keyed);
	if (result->class_ == DD_CLASS_RATE)
		scheduler_slow_down(call->daemon->scheduler, result->retry_after_ms);
	if (result->verdict != DD_DONE)
		LOG(WARN, "exchange.read_failed", F_STR("what", what),
		    F_INT("http_status", result->http_status), F_ERR(&result->err));
}

/* ---- replies ---------------------------------------------------------------------------- */

void api_header(struct api_call *call, const char *name, const char *value)
{
	http_reply_header(call->request, name, value);
}

static void common_headers(struct api_call *call)
{
	api_header(call, "X-Request-Id", call->request_id);
	api_header(call, "X-Content-Type-Options", "nosniff");
	api_header(call, "Cache-Control", "no-store");
	if (!call->allow_origin)
		return;
	api_header(call, "Access-Control-Allow-Origin", call->allow_origin);
	api_header(call, "Access-Control-Expose-Headers",
		   "Age, Idempotent-Replayed, Location, Preference-Applied, Retry-After, "
		   "X-Request-Id");
	api_header(call, "Vary", "Origin");
}

void api_reply_copy(struct api_call *call, int status, const char *content_type, const void *body,
		    size_t len)
{
	common_headers(call);
	log_call(call, status);
	http_reply(call->request, status, content_type, body, len);
	call_answered(call);
}

void api_reply_static(struct api_call *call, const char *content_type, const void *body, size_t len)
{
	common_headers(call);
	log_call(call, 200);
	http_reply_static(call->request, 200, content_type, body, len);
	call_answered(call);
}

void api_reply_empty(struct api_call *call, int status)
{
	api_reply_copy(call, status, NULL, "", 0);
}

static void reply_json(struct api_call *call, int status, const char *content_type,
		       struct json_out *out)
{
	size_t len = out->buf.len;

	common_headers(call);
	log_call(call, status);
	http_reply_take(call->request, status, content_type, buf_take(&out->buf), len);
	call_answered(call);
}

void api_reply(struct api_call *call, int status, struct json_out *out)
{
	if (out->buf.is_full) {
		json_out_fini(out);
		api_refuse(call, ERR_INTERNAL, "the answer is too long: ask for less at a time");
		return;
	}
	reply_json(call, status, JSON_TYPE, out);
}

static bool may_pass_soon(enum err_code code)
{
	int status = err_http_status(code);

	return (status == 429 || status == 503) && strcmp(err_retry(code), "after") == 0;
}

static void retry_after(struct api_call *call, int64_t retry_ms)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, (retry_ms + 999) / 1000);
	api_header(call, "Retry-After", text);
}

void api_reply_problem(struct api_call *call, const struct err *err, int64_t retry_ms,
		       const struct order *order)
{
	struct json_problem problem = {
		.err = err, .instance = call->request_id, .retry_ms = retry_ms, .order = order
	};
	struct json_out out;

	if (problem.retry_ms < 0 && may_pass_soon(err->code))
		problem.retry_ms = RETRY_DEFAULT_MS;
	if (problem.retry_ms >= 0)
		retry_after(call, problem.retry_ms);
	if (err->code == ERR_UNAUTHORIZED)
		api_header(call, "WWW-Authenticate", "Bearer");
	json_out_init(&out);
	json_problem(&out, &problem);
	reply_json(call, err_http_status(err->code), PROBLEM_TYPE, &out);
}

void api_reply_err(struct api_call *call, const struct err *err)
{
	api_reply_problem(call, err, -1, NULL);
}

void api_refuse(struct api_call *call, enum err_code code, const char *text)
{
	struct err err;

	err_set(&err, code, "%s", text);
	api_reply_err(call, &err);
}

struct http_stream *api_reply_stream(struct api_call *call, const struct http_stream_config *config)
{
	struct http_stream *stream;

	common_headers(call);
	log_call(call, config->status);
	stream = http_reply_stream(call->request, config);
	call_answered(call);
	return stream;
}

/* ---- what requests say ------------------------------------------------------------------ */

bool api_query(const struct api_call *call, const char *name, char *value, size_t room,
	       struct err *err)
{
	char long_value[1024];

	value[0] = '\0';
	if (http_query_get(call->request, name, value, room))
		return true;
	/* Malformed ones and unknown names were refused by routes.c. */
	if (!http_query_get(call->request, name, long_value, sizeof(long_value))) {
		value[0] = '\0';
		return true;
	}
	return err_set(err, ERR_INVALID, "%s is too long", name);
}

bool api_query_int(const struct api_call *call, const char *name, int64_t min, int64_t max,
		   int64_t *value, struct err *err)
{
	char text[24];
	size_t len;
	int64_t number;

	if (!api_query(call, name, text, sizeof(text), err))
		return false;
	if (text[0] == '\0')
		return true;
	len = strspn(text, "0123456789");
	number = len <= 18 ? strtoll(text, NULL, 10) : -1;
	if (text[len] != '\0' || number < min || number > max)
		return err_set(err, ERR_INVALID, "%s must be %" PRId64 " to %" PRId64, name, min,
			       max);
	*value = number;
	return true;
}

bool api_query_time(const struct api_call *call, const char *name, struct wall *time,
		    struct err *err)
{
	char text[48];

	if (!api_query(call, name, text, sizeof(text), err))
		return false;
	if (text[0] != '\0' && !wall_parse(text, time))
		return err_set(err, ERR_INVALID, "%s must be a time such as 2026-11-22T11:02:05Z",
			       name);
	return true;
}

bool api_query_symbol(const struct api_call *call, char symbol[ORDER_SYMBOL_LEN], struct err *err)
{
	if (!api_query(call, "symbol", symbol, ORDER_SYMBOL_LEN, err))
		return false;
	if (symbol[0] != '\0' && !wire_is_symbol(symbol))
		return err_set(err, ERR_INVALID, "symbol must be a pair such as ADAUSDM");
	return true;
}

bool api_query_owner(const struct api_call *call, char token_id[TOKEN_ID_LEN], struct err *err)
{
	char owner[8];

	mem_str_set(token_id, TOKEN_ID_LEN, call->token.token_id);
	if (!api_query(call, "owner", owner, sizeof(owner), err))
		return false;
	if (owner[0] == '\0' || strcmp(owner, "own") == 0)
		return true;
	if (strcmp(owner, "any") != 0)
		return err_set(err, ERR_INVALID, "owner must be own or any");
	if (!auth_allows(&call->token, AUTH_OPS))
		return err_set(err, ERR_SCOPE, "owner=any needs the scope ops");
	token_id[0] = '\0';
	return true;
}

static void apply_preference(struct api_prefer *prefer, char *word)
{
	size_t len = strlen(word);
	int64_t seconds;

	while (len > 0 && (word[len - 1] == ' ' || word[len - 1] == '\t'))
		word[--len] = '\0';
	if (strcasecmp(word, "respond-async") == 0) {
		prefer->is_async = true;
		return;
	}
	if (strncasecmp(word, "wait=", 5) != 0 || word[5] == '\0' ||
	    strspn(word + 5, "0123456789") != len - 5 || len > 5 + 9)
		return;
	seconds = strtoll(word + 5, NULL, 10);
	if (seconds > WAIT_MAX_S)
		seconds = WAIT_MAX_S;
	prefer->wait_ms = seconds * 1000;
	snprintf(prefer->applied, sizeof(prefer->applied), "wait=%" PRId64, seconds);
}

void api_prefer(const struct api_call *call, struct api_prefer *prefer)
{
	const char *header = http_header(call->request, "Prefer");
	char words[PREFER_LEN];
	char *rest = words, *word;

	memset(prefer, 0, sizeof(*prefer));
	prefer->wait_ms = call->daemon->config->wait_default_ms;
	if (!header || !STR_SET(words, header)) /* a preference may be ignored */
		return;
	while ((word = strsep(&rest, ",;")))
		apply_preference(prefer, word + strspn(word, " \t"));
	if (prefer->is_async)
		STR_SET(prefer->applied, "respond-async");
}

void api_prefer_header(struct api_call *call, const struct api_prefer *prefer)
{
	if (prefer->applied[0] != '\0')
		api_header(call, "Preference-Applied", prefer->applied);
}

void api_limit_scopes(const struct daemon *daemon, const struct http_peer *peer,
		      struct journal_token *token)
{
	if (!peer->is_unix && !daemon->config->admin_over_tcp)
		token->scopes &= ~AUTH_ADMIN;
}

void api_wipe_body(struct api_call *call)
{
	union {
		const char *in;
		char *out;
	} body = { .in = http_body(call->request) };

	if (http_body_len(call->request) > 0)
		secret_wipe(body.out, http_body_len(call->request));
}
