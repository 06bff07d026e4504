#include "server/routes.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/front.h"
#include "net/httpd.h"
#include "server/api.h"
#include "server/auth.h"
#include "server/config.h"
#include "server/daemon.h"
#include "server/foreign.h"
#include "server/json_in.h"

#define SEGMENTS_MAX 8
#define PATH_MAX_LEN 1024
#define VALUE_MAX    1000 /* of a query parameter */
#define ALLOW_MAX    64

#define OPEN 0u /* to everyone, without a token */
#define ANY  (AUTH_MARKET | AUTH_READ | AUTH_TRADE | AUTH_OPS)

enum body { NO_BODY, JSON_BODY };
enum cost { FREE, CHARGED }; /* against the token's requests per second */

struct route {
	const char *method;
	const char *path; /* {x} stands for one segment */
	uint32_t scopes;  /* one of them is enough */
	enum cost cost;
	enum body body;
	const char *query; /* parameters it takes, between spaces */
	api_handler *handle;
};

/* clang-format off: one route, one line or two */
static const struct route routes[] = {
	{ "POST", "/v1/orders", AUTH_TRADE, CHARGED, JSON_BODY, "", api_orders_post },
	{ "GET", "/v1/orders", AUTH_READ, CHARGED, NO_BODY,
	  " state symbol client_order_id owner limit cursor ", api_orders_get },
	{ "DELETE", "/v1/orders", AUTH_TRADE, CHARGED, NO_BODY, " symbol owner ",
	  api_orders_delete },
	{ "GET", "/v1/orders/{id}", AUTH_READ, CHARGED, NO_BODY, " owner ", api_order_get },
	{ "DELETE", "/v1/orders/{id}", AUTH_TRADE, CHARGED, NO_BODY, " owner ", api_order_delete },
	{ "GET", "/v1/orders/{id}/events", AUTH_READ, CHARGED, NO_BODY, " owner limit cursor ",
	  api_order_events_get },
	{ "GET", "/v1/fills", AUTH_READ, CHARGED, NO_BODY,
	  " symbol order_id since owner limit cursor ", api_fills_get },
	{ "GET", "/v1/balances", AUTH_READ, CHARGED, NO_BODY, "", api_balances_get },
	{ "GET", "/v1/transfers", AUTH_READ, CHARGED, NO_BODY, " kind limit cursor ",
	  api_transfers_get },
	{ "GET", "/v1/markets", AUTH_MARKET, CHARGED, NO_BODY, "", api_markets_get },
	{ "GET", "/v1/markets/{symbol}/price", AUTH_MARKET, CHARGED, NO_BODY, "", api_price_get },
	{ "GET", "/v1/markets/{symbol}/depth", AUTH_MARKET, CHARGED, NO_BODY, "", api_depth_get },
	{ "GET", "/v1/markets/{symbol}/trades", AUTH_MARKET, CHARGED, NO_BODY, "", api_trades_get },
	{ "GET", "/v1/markets/{symbol}/candles", AUTH_MARKET, CHARGED, NO_BODY,
	  " interval start end ", api_candles_get },
	{ "GET", "/v1/limits", ANY, CHARGED, NO_BODY, "", api_limits_get },
	{ "GET", "/v1/health", ANY, CHARGED, NO_BODY, "", api_health_get },
	{ "GET", "/healthz", OPEN, FREE, NO_BODY, "", api_live_get },
	{ "GET", "/readyz", OPEN, FREE, NO_BODY, "", api_ready_get },
	{ "GET", "/", OPEN, FREE, NO_BODY, "", api_dashboard_get },
	{ "GET", "/openapi.yaml", OPEN, FREE, NO_BODY, "", api_openapi_get },
	{ "GET", "/asyncapi.yaml", OPEN, FREE, NO_BODY, "", api_asyncapi_get },
	{ "GET", "/events.schema.json", OPEN, FREE, NO_BODY, "", api_events_schema_get },
	{ "GET", "/v1/stream", AUTH_READ | AUTH_MARKET, CHARGED, NO_BODY, "", api_stream_get },
	{ "GET", "/v1/events", AUTH_READ | AUTH_MARKET, CHARGED, NO_BODY, " ch owner after ",
	  api_events_get },
	{ "POST", "/v1/admin/unlock", AUTH_ADMIN, CHARGED, JSON_BODY, "", api_unlock_post },
	{ "POST", "/v1/admin/lock", AUTH_ADMIN, CHARGED, NO_BODY, "", api_lock_post },
	{ "POST", "/v1/admin/api-key", AUTH_ADMIN, CHARGED, JSON_BODY, "", api_key_post },
	{ "GET", "/v1/admin/tokens", AUTH_ADMIN, CHARGED, NO_BODY, "", api_tokens_get },
	{ "POST", "/v1/admin/tokens", AUTH_ADMIN, CHARGED, JSON_BODY, "", api_tokens_post },
	{ "DELETE", "/v1/admin/tokens/{id}", AUTH_ADMIN, CHARGED, NO_BODY, "", api_token_delete },
	{ "POST", "/v1/admin/reconcile", AUTH_OPS, CHARGED, NO_BODY, "", api_reconcile_post },
	{ "GET", "/v1/admin/reconciliation", AUTH_OPS, CHARGED, NO_BODY, "",
	  api_reconciliation_get },
	{ "POST", "/v1/admin/streams/{name}/stop", AUTH_OPS, CHARGED, NO_BODY, "",
	  api_stream_stop_post },
	{ "POST", "/v1/admin/streams/{name}/start", AUTH_OPS, CHARGED, NO_BODY, "",
	  api_stream_start_post },
};
/* clang-format on */

/* ---- Host and Origin: what keeps foreign web pages out ---------------------------------- */

static bool check_head(struct api_call *call, struct err *err)
{
	const struct foreign_head head = {
		.peer = http_peer(call->request),
		.host = http_header(call->request, "Host"),
		.host_count = http_header_count(call->request, "Host"),
		.origin = http_header(call->request, "Origin"),
		.origin_count = http_header_count(call->request, "Origin"),
	};
	const struct config *config = call->daemon->config;

	if (!foreign_check_host(&head, front_address(call->daemon->front), config->allowed_hosts,
				err) ||
	    !foreign_check_origin(&head, config->allowed_origins, err))
		return false;
	call->allow_origin = head.origin;
	return true;
}

/* ---- the path --------------------------------------------------------------------------- */

struct path {
	char text[PATH_MAX_LEN]; /* decoded segments, one NUL after each */
	const char *segments[SEGMENTS_MAX];
	size_t count;
};

static bool split_path(const char *raw, struct path *path) /* which is empty */
{
	char *to = path->text;

	while (*raw == '/') {
		size_t len = strcspn(++raw, "/");
		size_t room = (size_t)(path->text + sizeof(path->text) - to);

		if (path->count == SEGMENTS_MAX || !http_percent_decode(raw, len, to, room))
			return false;
		path->segments[path->count++] = to;
		to += strlen(to) + 1;
		raw += len;
	}
	return *raw == '\0';
}

/* Holds the path against a route's; what stands for {x} goes to *param. */
static bool is_path(const char *pattern, const struct path *path, const char **param)
{
	*param = "";
	for (size_t i = 0; i < path->count; i++) {
		size_t len = strcspn(++pattern, "/");

		if (pattern[0] == '{')
			*param = path->segments[i];
		else if (strlen(path->segments[i]) != len ||
			 strncmp(pattern, path->segments[i], len) != 0)
			return false;
		pattern += len;
		if ((*pattern == '/') != (i + 1 < path->count))
			return false;
	}
	return path->count > 0;
}

static const struct route *find_route(struct api_call *call, const struct path *path,
				      char allow[ALLOW_MAX])
{
	const char *method = http_method(call->request);
	const char *param;

	allow[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		size_t len = strlen(allow);

		if (!is_path(routes[i].path, path, &param))
			continue;
		if (!STR_SET(call->param, param))
			return NULL;
		if (strcmp(routes[i].method, method) == 0)
			return &routes[i];
		snprintf(allow + len, ALLOW_MAX - len, "%s%s", len > 0 ? ", " : "",
			 routes[i].method);
		if (strcmp(routes[i].method, "GET") == 0) {
			len = strlen(allow);
			snprintf(allow + len, ALLOW_MAX - len, ", HEAD");
		}
	}
	return NULL;
}

/* ---- the query -------------------------------------------------------------------------- */

struct query_check {
	const struct api_call *call;
	const struct route *route;
	struct err *err;
	uint64_t seen; /* a bit for each parameter, by its place in the route's list */
	bool is_refused;
};

static bool refuse_query(struct query_check *check, enum err_code code, const char *what,
			 const char *name)
{
	check->is_refused = true;
	return err_set(check->err, code, "%s \"%s\"", what, name);
}

static bool check_parameter(void *arg, const char *name, const char *value)
{
	struct query_check *check = arg;
	char between[64];
	const char *at;
	uint64_t bit;

	snprintf(between, sizeof(between), " %s ", name);
	at = strlen(name) < sizeof(between) - 2 && !strchr(name, ' ')
		     ? strstr(check->route->query, between)
		     : NULL;
	if (!at || name[0] == '\0')
		return refuse_query(check, ERR_UNKNOWN_FIELD, "unknown parameter", name);
	if (strlen(value) > VALUE_MAX)
		return refuse_query(check, ERR_INVALID, "too long a value for", name);
	assert(at - check->route->query < 64);
	bit = (uint64_t)1 << (at - check->route->query);
	if ((check->seen & bit) && strcmp(name, "state") != 0)
		return refuse_query(check, ERR_INVALID, "given twice:", name);
	check->seen |= bit;
	return true;
}

static bool check_query(const struct api_call *call, const struct route *route, struct err *err)
{
	struct query_check check = { .call = call, .route = route, .err = err };

	if (http_query_each(call->request, check_parameter, &check))
		return true;
	return check.is_refused ? false : err_set(err, ERR_BAD_REQUEST, "malformed query");
}

/* ---- the body --------------------------------------------------------------------------- */

/* JSON is UTF-8; a body that says it is in something else is not read as if it were. */
static bool is_json_type(const char *type)
{
	static const char *const parameters[] = { "", "charset=utf-8", "charset=\"utf-8\"" };
	size_t len = strlen("application/json");

	if (!type || strncasecmp(type, "application/json", len) != 0)
		return false;
	type += len;
	type += strspn(type, " ");
	if (*type != '\0' && *type++ != ';')
		return false;
	type += strspn(type, " ");
	for (size_t i = 0; i < ARRAY_LEN(parameters); i++)
		if (strcasecmp(type, parameters[i]) == 0)
			return true;
	return false;
}

/* A form of a foreign page can be posted without asking first, but not with this type. */
static bool check_body(const struct api_call *call, const struct route *route, struct err *err)
{
	size_t len = http_body_len(call->request);
	struct json_in *in;
	bool is_empty;

	if (len == 0 && route->body == JSON_BODY)
		return err_set(err, ERR_BAD_JSON, "a JSON body is needed");
	if (len == 0)
		return true;
	if (!is_json_type(http_header(call->request, "Content-Type")))
		return err_set(err, ERR_MEDIA_TYPE, "the body's Content-Type must be %s",
			       "application/json");
	if (route->body == JSON_BODY)
		return true;
	in = json_in_parse(http_body(call->request), len, err);
	is_empty = in && json_in_end(in, err);
	json_in_destroy(in);
	return is_empty;
}

/* ---- who, and whether ------------------------------------------------------------------- */

static void name_scopes(uint32_t scopes, char *text, size_t room)
{
	text[0] = '\0';
	for (int bit = 0; bit < AUTH_BIT_COUNT; bit++) {
		size_t len = strlen(text);

		if (scopes & (1u << bit))
			snprintf(text + len, room - len, "%s%s", len > 0 ? " or " : "",
				 auth_scope_word((enum auth_scope_bit)bit));
	}
}

static bool check_scopes(const struct api_call *call, const struct route *route, struct err *err)
{
	char words[64];

	if (auth_allows(&call->token, route->scopes))
		return true;
	name_scopes(route->scopes, words, sizeof(words));
	return err_set(err, ERR_SCOPE, "this needs a token of scope %s%s", words,
		       route->scopes == AUTH_ADMIN ? ", over the Unix socket" : "");
}

static bool authenticate(struct api_call *call, const struct route *route, int64_t *retry_ms,
			 struct err *err)
{
	const struct journal_token *token;
	const char *authorization = http_header(call->request, "Authorization");

	if (route->scopes == OPEN)
		return true;
	if (http_header_count(call->request, "Authorization") > 1)
		return err_set(err, ERR_UNAUTHORIZED, "more than one Authorization");
	if (!auth_check(call->daemon->auth, http_peer(call->request), authorization, &token, err))
		return false;
	call->token = *token;
	api_limit_scopes(call->daemon, http_peer(call->request), &call->token);
	return check_scopes(call, route, err) &&
	       (route->cost == FREE || auth_charge(call->daemon->auth, token, retry_ms, err));
}

/* ---- all of it -------------------------------------------------------------------------- */

static void preflight(struct api_call *call, const char *allow)
{
	api_header(call, "Access-Control-Allow-Methods", allow);
	api_header(call, "Access-Control-Allow-Headers",
		   "Authorization, Cache-Control, Content-Type, Last-Event-ID, Prefer");
	api_header(call, "Access-Control-Max-Age", "600");
	api_reply_empty(call, 204);
}

static void refuse_method(struct api_call *call, const char *allow)
{
	if (allow[0] == '\0') {
		api_refuse(call, ERR_NOT_FOUND, "no such path");
	} else if (call->allow_origin && strcmp(http_method(call->request), "OPTIONS") == 0) {
		preflight(call, allow);
	} else {
		api_header(call, "Allow", allow);
		api_refuse(call, ERR_METHOD, "this path does not take this method");
	}
}

static bool admit(struct api_call *call, const struct route *route, int64_t *retry_ms,
		  struct err *err)
{
	return authenticate(call, route, retry_ms, err) && check_query(call, route, err) &&
	       check_body(call, route, err);
}

void routes_handle(void *arg, struct http_request *request)
{
	struct api_call *call = api_call_create(arg, request);
	const struct route *route;
	char allow[ALLOW_MAX];
	int64_t retry_ms = -1;
	struct path path = { .count = 0 };
	struct err err;

	if (!check_head(call, &err)) {
		api_reply_err(call, &err);
		return;
	}
	if (!split_path(http_path(request), &path)) {
		api_refuse(call, ERR_NOT_FOUND, "no such path");
		return;
	}
	route = find_route(call, &path, allow);
	if (!route)
		refuse_method(call, allow);
	else if (admit(call, route, &retry_ms, &err))
		route->handle(call);
	else
		api_reply_problem(call, &err, retry_ms, NULL);
}

void routes_refuse(void *arg, struct http_request *request, int status)
{
	struct api_call *call = api_call_create(arg, request);

	if (status == 413)
		api_refuse(call, ERR_BODY_TOO_LARGE, "the body is larger than 64 KiB");
	else if (status == 414)
		api_refuse(call, ERR_URI_TOO_LONG, "the request's target is too long");
	else if (status == 431)
		api_refuse(call, ERR_HEAD_TOO_LARGE, "the request's head is too large");
	else
		api_refuse(call, ERR_BAD_REQUEST, "the request is malformed");
}
