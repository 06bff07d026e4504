#include "sim/serve.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/httpd.h"
#include "net/loop.h"
#include "sim/control.h"
#include "sim/draw.h"
#include "sim/rest.h"
#include "sim/sim.h"
#include "sim/stream_door.h"
#include "sim/streams.h"

#define UNAVAILABLE                                                                            \
	"upstream connect error or disconnect/reset before headers. reset reason: connection " \
	"failure"

/* A request between its arrival and its end. */
struct call {
	struct list_node node; /* sim->calls */
	struct sim *sim;
	struct http_request *request;
	struct record_entry *entry;
	struct fault_rule *rule;                 /* NULL: nothing special */
	enum fault_phase answers, drops, stalls; /* the rule's, drawn for this request */
	struct timer *timer;
	struct mono came_after, arrived;
	char path[SERVE_PATH_MAX]; /* collapsed */
	char param[PARAM_MAX];
	const struct rest_route *route; /* NULL: 404 */
	int64_t latency_ms;
	struct reply reply;
};

/* ---- ends ---- */

static void call_end(struct call *call, enum record_state state)
{
	record_end(call->entry, state, call->reply.status, call->reply.code, mono_now());
	list_remove(&call->node);
	timer_destroy(call->timer);
	faults_release(call->rule);
	reply_fini(&call->reply);
	mem_free(call);
}

static void call_drop(struct call *call)
{
	http_drop(call->request);
	call->reply.status = call->reply.code = 0;
	call_end(call, RECORD_DROPPED);
}

size_t serve_drop_all(struct sim *sim)
{
	size_t count = 0;

	LIST_EACH_SAFE (&sim->calls, node) {
		call_drop(CONTAINER_OF(node, struct call, node));
		count++;
	}
	return count;
}

/* A body of a certain size that is still JSON. */
static void make_huge(struct reply *reply, int64_t size)
{
	static const char head[] = "{\"padding\":\"", tail[] = "\"}";
	size_t fixed = sizeof(head) + sizeof(tail) - 2;
	size_t len = (size_t)size > fixed ? (size_t)size : fixed;

	reply_text(reply, 200, "application/json", "");
	reply->body = mem_grow(reply->body, len + 1);
	memset(reply->body, 'x', len);
	memcpy(reply->body, head, sizeof(head) - 1);
	memcpy(reply->body + len - sizeof(tail) + 1, tail, sizeof(tail));
	reply->len = len;
}

/* What the rule wants to be answered, whether or not the exchange has acted. */
static void make_answer(struct call *call)
{
	const struct fault_answer *answer = &call->rule->answer;
	bool as_declared = call->sim->faults.switches[SWITCH_DECLARED_HTTP];

	if (answer->body)
		reply_text(&call->reply, 200,
			   answer->content_type ? answer->content_type : "application/json",
			   answer->body);
	else if (answer->code || answer->error)
		reply_error(&call->reply, answer->code, answer->error, as_declared);
	else
		reply_text(&call->reply, 200, answer->content_type, "");
	if (answer->status)
		call->reply.status = answer->status;
}

static void add_headers(struct call *call)
{
	const struct fault_answer *answer = &call->rule->answer;

	for (size_t i = 0; i < answer->header_count; i++)
		http_reply_header(call->request, answer->header_names[i], answer->header_values[i]);
}

static void call_answer(struct call *call)
{
	struct reply *reply = &call->reply;
	int64_t cut = call->rule ? call->rule->cut : -1;

	if (call->rule)
		add_headers(call);
	if (cut >= 0)
		http_reply_cut(call->request, reply->status, reply->content_type, reply->body,
			       reply->len, (size_t)cut < reply->len ? (size_t)cut : reply->len);
	else
		http_reply(call->request, reply->status, reply->content_type, reply->body,
			   reply->len);
	call_end(call, RECORD_ANSWERED);
}

static void finish(void *arg)
{
	struct call *call = arg;

	if (call->drops != FAULT_NEVER)
		call_drop(call);
	else if (call->stalls == FAULT_NEVER)
		call_answer(call);
	/* A stalled call stays until it is dropped. */
}

static void wait_for(struct call *call, int64_t ms, void (*next)(void *arg))
{
	timer_destroy(call->timer);
	call->timer = NULL;
	if (ms <= 0) {
		next(call);
		return;
	}
	call->timer = loop_timer_create(call->sim->loop, next, call);
	timer_start(call->timer, ms);
}

/* ---- acting ---- */

static void act_once(struct call *call, struct reply *reply)
{
	struct rest_call rest = { .sim = call->sim,
				  .request = call->request,
				  .route = call->route,
				  .came_after = call->came_after,
				  .arrived = call->arrived };

	(void)STR_SET(rest.param, call->param);
	if (call->route)
		rest_act(&rest, reply);
	else if (!door_answer(call->sim, call->request, call->path, reply))
		reply_not_found(reply);
}

static void act_again(struct call *call)
{
	struct reply second = { 0 };

	act_once(call, &second);
	reply_fini(&second);
}

/* False when what was done cannot be kept. */
static bool act_for_good(struct call *call)
{
	sim_run(call->sim);
	act_once(call, &call->reply);
	if (call->rule && call->rule->act_twice)
		act_again(call);
	return sim_settle(call->sim);
}

static void act(void *arg)
{
	struct call *call = arg;
	const struct fault_rule *rule = call->rule;
	bool is_spared = call->answers == FAULT_BEFORE || call->drops == FAULT_BEFORE ||
			 call->stalls == FAULT_BEFORE;

	if (!is_spared && !act_for_good(call)) {
		call_drop(call);
		return;
	}
	if (call->answers != FAULT_NEVER)
		make_answer(call);
	if (rule && rule->huge > 0)
		make_huge(&call->reply, rule->huge);
	wait_for(call, call->latency_ms - call->latency_ms / 2 + (rule ? rule->delay_after_ms : 0),
		 finish);
}

/* ---- arrival ---- */

void serve_collapse(const char *from, char to[SERVE_PATH_MAX])
{
	static const char plural[] = "/orders/";
	size_t len = 0;

	for (; *from && len < SERVE_PATH_MAX - 1; from++)
		if (*from != '/' || len == 0 || to[len - 1] != '/')
			to[len++] = *from;
	to[len] = '\0';
	if (strncmp(to, plural, sizeof(plural) - 1) == 0)
		memmove(to + 6, to + 7, len - 6);
}

static void note_header(void *arg, const char *name, const char *value)
{
	record_add_header(arg, name, value);
}

/* A handshake has the key in its query. */
static const char *account_name(const struct sim *sim, const struct http_request *request)
{
	const char *header = http_header(request, "X-API-KEY");
	char key[API_KEY_MAX + 1] = "";
	const struct account *account;

	if (header ? !STR_SET(key, header) : !http_query_get(request, "api_key", key, sizeof(key)))
		return "";
	account = *key ? exchange_account_by_key(sim->exchange, key) : NULL;

	return account ? account->name : "";
}

static struct record_entry *note(struct sim *sim, struct http_request *request)
{
	struct record_entry *entry =
		record_begin(&sim->record, http_method(request), http_path(request),
			     http_query(request), http_body(request), http_body_len(request));
	const char *account = account_name(sim, request);

	if (http_header(request, "Sec-WebSocket-Key"))
		entry->proto = "ws";
	entry->arrived_mono = http_arrived(request);
	entry->came_after = sim_came_after(sim, entry->arrived_mono);
	entry->arrived.us = wall_now().us - mono_diff_us(mono_now(), entry->arrived_mono);
	entry->account = *account ? mem_strdup(account) : NULL;
	http_each_header(request, note_header, entry);
	return entry;
}

bool serve_is_restarting(const struct sim *sim)
{
	return sim->restart.until.us != 0 && mono_now().us < sim->restart.until.us;
}

/* While the exchange restarts: first the gateway's 503, then an empty 403. */
static bool answer_restarting(struct call *call)
{
	if (!serve_is_restarting(call->sim))
		return false;
	if (mono_now().us >= call->sim->restart.forbidden_from.us)
		reply_text(&call->reply, 403, NULL, "");
	else
		reply_text(&call->reply, 503, "text/plain", UNAVAILABLE);
	call_answer(call);
	return true;
}

static bool is_stream(const char *path)
{
	struct stream_name name;

	return stream_find(path, &name) != STREAM_PATH_OTHER;
}

static void decide(struct call *call)
{
	struct fault_request request = { .method = http_method(call->request),
					 .path = call->path,
					 .account = account_name(call->sim, call->request),
					 .body = http_body(call->request) };
	struct faults *faults = &call->sim->faults;

	/* Rules for a stream's handshake have been asked by the front. */
	if (is_stream(call->path))
		call->rule = door_take_refusal(streams_door(call->sim->streams), call->request);
	else
		call->rule = faults_decide(faults, &request);
	if (!call->rule)
		return;
	call->entry->is_fault = true;
	call->answers = faults_phase(faults, call->rule->answers);
	call->drops = faults_phase(faults, call->rule->drops);
	call->stalls = faults_phase(faults, call->rule->stalls);
}

static int64_t draw_latency(struct sim *sim, const struct rest_route *route)
{
	struct range_ms range = sim->config.latency[route ? route->kind : CALL_READ];

	if (range.high == 0)
		return 0;
	return draw_range(sim->config.exchange.seed, "latency", sim->latency_draws++, range.low,
			  range.high);
}

void serve_handle(void *arg, struct http_request *request)
{
	struct sim *sim = arg;
	struct call *call;
	char path[SERVE_PATH_MAX];

	serve_collapse(http_path(request), path);
	if (strncmp(path, "/_sim/", 6) == 0) {
		control_handle(sim, request, path);
		return;
	}
	call = mem_alloc(sizeof(*call));
	call->sim = sim;
	call->request = request;
	call->arrived = http_arrived(request);
	call->entry = note(sim, request);
	call->came_after = call->entry->came_after;
	(void)STR_SET(call->path, path);
	list_push_back(&sim->calls, &call->node);
	if (answer_restarting(call))
		return;
	call->route = rest_find(http_method(request), path, call->param);
	decide(call);
	call->latency_ms = draw_latency(sim, call->route);
	wait_for(call, call->latency_ms / 2 + (call->rule ? call->rule->delay_ms : 0), act);
}

void serve_refuse(void *arg, struct http_request *request, int status)
{
	(void)arg;
	http_reply(request, status, "text/plain", "refused", 7);
}
