#include "sim/rest.h"

#include <string.h>

#include "base/mem.h"
#include "net/httpd.h"
#include "sim/wire.h"

#define JSON_TYPE "application/json; charset=utf-8"
#define BODY_MAX  131072

static const struct rest_route routes[] = {
	{ "GET", "/accounts/operation-key", true, CALL_READ, rest_operation_key },
	{ "GET", "/accounts/spot-account", true, CALL_READ, rest_spot_account },
	{ "POST", "/accounts/spot-account", true, CALL_READ, rest_create_spot_account },
	{ "PUT", "/accounts/spot-account", true, CALL_READ, rest_update_spot_account },
	{ "PATCH", "/accounts/spot-account", true, CALL_READ, rest_update_spot_account },
	{ "GET", "/accounts/api-key", true, CALL_READ, rest_api_key },
	{ "GET", "/accounts/new-api-key", true, CALL_READ, rest_new_api_key },
	{ "GET", "/accounts/balance", true, CALL_READ, rest_balance },
	{ "GET", "/accounts/open-orders", true, CALL_READ, rest_open_orders },
	{ "GET", "/accounts/trade-orders", true, CALL_READ, rest_trade_orders },
	{ "GET", "/accounts/trades", true, CALL_READ, rest_trades },
	{ "GET", "/accounts/order/{}", true, CALL_READ, rest_order },
	{ "GET", "/account/order", true, CALL_READ, rest_order_by_query },
	{ "GET", "/accounts/deposit-records", true, CALL_READ, rest_deposits },
	{ "GET", "/accounts/withdrawal-records", true, CALL_READ, rest_withdrawals },
	{ "GET", "/accounts/transferal-records", true, CALL_READ, rest_transferals },
	{ "GET", "/accounts/transferal-records/{}", true, CALL_READ, rest_transferal },
	{ "GET", "/accounts/max-deposit", true, CALL_READ, rest_max_deposit },
	{ "POST", "/order/build", true, CALL_BUILD, rest_build },
	{ "POST", "/order/submit", true, CALL_SUBMIT, rest_submit },
	{ "POST", "/order/cancel-all", true, CALL_CANCEL, rest_cancel_all },
	{ "POST", "/order/{}/cancel", true, CALL_CANCEL, rest_cancel },
	{ "GET", "/market/market-price", false, CALL_READ, rest_market_price },
	{ "GET", "/market/graph/{}", false, CALL_READ, rest_graph },
	{ "GET", "/app/market-config", false, CALL_READ, rest_market_config },
	{ "GET", "/app/hydra-cycle", false, CALL_READ, rest_hydra_cycle },
	{ "GET", "/app/terms-and-conditions", false, CALL_READ, rest_terms },
	{ "GET", "/health/trading-lock-status", false, CALL_READ, rest_lock_status },
};

/* ---- routes ---- */

static bool path_matches(const char *pattern, const char *path, char param[PARAM_MAX])
{
	const char *hole = strstr(pattern, "{}");
	size_t before, len;

	if (!hole)
		return strcmp(pattern, path) == 0;
	before = (size_t)(hole - pattern);
	if (strncmp(pattern, path, before) != 0)
		return false;
	len = strcspn(path + before, "/");
	if (len == 0 || len >= PARAM_MAX || strcmp(path + before + len, hole + 2) != 0)
		return false;
	memcpy(param, path + before, len);
	param[len] = '\0';
	return true;
}

const struct rest_route *rest_find(const char *method, const char *path, char param[PARAM_MAX])
{
	param[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(routes); i++)
		if (strcmp(routes[i].method, method) == 0 &&
		    path_matches(routes[i].path, path, param))
			return &routes[i];
	return NULL;
}

/* ---- replies ---- */

void reply_fini(struct reply *reply)
{
	mem_free(reply->body);
	*reply = (struct reply){ 0 };
}

void reply_text(struct reply *reply, int status, const char *content_type, const char *text)
{
	reply_fini(reply);
	reply->status = status;
	reply->content_type = content_type;
	reply->body = mem_strdup(text);
	reply->len = strlen(text);
}

void reply_json(struct reply *reply, int status, json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT | JSON_ENCODE_ANY);

	reply_text(reply, status, JSON_TYPE, text ? text : "null");
	free(text);
	json_decref(object);
}

void reply_error(struct reply *reply, int code, const char *text, bool as_declared)
{
	reply_json(reply, code_status(code, as_declared), wire_error(code, text));
	reply->code = code;
}

void reply_not_found(struct reply *reply)
{
	reply_text(reply, 404, "text/plain", "404 page not found");
}

/* ---- acting ---- */

static bool is_within_rate(struct rest_call *call)
{
	struct sim_limits *limits = sim_limits_of(call->sim, call->account);

	switch (call->route->kind) {
	case CALL_BUILD:
		return limiter_take(&limits->builds, call->came_after, call->arrived);
	case CALL_SUBMIT:
	case CALL_CANCEL:
		return limiter_take(&limits->moves, call->came_after, call->arrived);
	case CALL_READ:
	case CALL_KINDS:
		break;
	}
	return limiter_take(&limits->others, call->came_after, call->arrived);
}

static enum code admit(struct rest_call *call)
{
	const char *key = http_header(call->request, "X-API-KEY");

	if (!call->route->needs_key)
		return CODE_DONE;
	call->account = key && *key ? exchange_account_by_key(call->sim->exchange, key) : NULL;
	if (!call->account)
		return CODE_UNAUTHORIZED;
	return is_within_rate(call) ? CODE_DONE : CODE_RATE;
}

void rest_act(struct rest_call *call, struct reply *reply)
{
	int code = admit(call);

	if (!code)
		code = call->route->fn(call, reply);
	if (code)
		reply_error(reply, code, NULL, call->sim->faults.switches[SWITCH_DECLARED_HTTP]);
}

json_t *rest_body(const struct rest_call *call)
{
	size_t len = http_body_len(call->request);
	json_t *body;

	if (len == 0 || len > BODY_MAX)
		return NULL;
	body = json_loadb(http_body(call->request), len, 0, NULL);
	if (body && !json_is_object(body)) {
		json_decref(body);
		body = NULL;
	}
	return body;
}

const char *rest_string(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}
