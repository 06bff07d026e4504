#include "sim/control.h"

#include <string.h>

#include "base/mem.h"
#include "net/httpd.h"
#include "sim/sim.h"

bool control_done(struct control *c)
{
	reply_json(&c->reply, 200, json_object());
	return true;
}

bool control_filter(const struct control *c, const char *name, char *value, size_t room)
{
	value[0] = '\0';
	return http_query_get(c->request, name, value, room) && *value;
}

bool control_read_whole(const struct control *c, const char *name, int64_t max, int64_t *number,
			struct err *err)
{
	const json_t *field = json_object_get(c->body, name);

	*number = json_integer_value(field);
	if ((field && !json_is_integer(field)) || *number < 0 || *number > max)
		return err_set(err, ERR_INVALID, "\"%s\" must be 0 to %lld", name, (long long)max);
	return true;
}

struct account *control_account(const struct control *c, struct err *err)
{
	const char *name = rest_string(c->body, "account");
	struct account *account = exchange_account(c->sim->exchange, name ? name : "main");

	if (!account)
		(void)err_set(err, ERR_INVALID, "no account \"%s\"", name ? name : "main");
	return account;
}

/* ---- routes ---- */

static const struct {
	const char *method, *path; /* a path that ends in / takes a parameter */
	control_fn *fn;
} controls[] = {
	{ "GET", "/_sim/log", control_get_log },
	{ "DELETE", "/_sim/log", control_clear_log },
	{ "GET", "/_sim/orders", control_get_orders },
	{ "GET", "/_sim/orders/", control_get_order },
	{ "GET", "/_sim/executions", control_get_executions },
	{ "GET", "/_sim/balances", control_get_balances },
	{ "GET", "/_sim/accounts", control_get_accounts },
	{ "GET", "/_sim/book", control_get_book },
	{ "GET", "/_sim/sockets", control_get_sockets },
	{ "POST", "/_sim/credit", control_post_credit },
	{ "POST", "/_sim/trade", control_post_trade },
	{ "POST", "/_sim/fill", control_post_fill },
	{ "GET", "/_sim/faults", control_get_faults },
	{ "POST", "/_sim/faults", control_post_faults },
	{ "DELETE", "/_sim/faults", control_clear_faults },
	{ "GET", "/_sim/lock", control_get_lock },
	{ "POST", "/_sim/lock", control_post_lock },
	{ "DELETE", "/_sim/lock", control_clear_lock },
	{ "POST", "/_sim/restart", control_post_restart },
	{ "DELETE", "/_sim/restart", control_clear_restart },
	{ "POST", "/_sim/drop", control_post_drop },
	{ "POST", "/_sim/send", control_post_send },
	{ "POST", "/_sim/mute", control_post_mute },
	{ "POST", "/_sim/storm", control_post_storm },
	{ "DELETE", "/_sim/storm", control_clear_storm },
	{ "POST", "/_sim/clock", control_post_clock },
	{ "POST", "/_sim/expire", control_post_expire },
	{ "POST", "/_sim/market", control_post_market },
	{ "POST", "/_sim/transfers", control_post_transfers },
};

static bool route_matches(size_t i, struct control *c, const char *path)
{
	size_t len = strlen(controls[i].path);

	if (strcmp(controls[i].method, http_method(c->request)) != 0)
		return false;
	if (controls[i].path[len - 1] != '/')
		return strcmp(controls[i].path, path) == 0;
	c->param = path + len;
	return strncmp(controls[i].path, path, len) == 0 && *c->param;
}

static bool dispatch(struct control *c, const char *path, struct err *err)
{
	size_t len = http_body_len(c->request);
	json_error_t where;

	if (len > 0 && !(c->body = json_loadb(http_body(c->request), len, 0, &where)))
		return err_set(err, ERR_BAD_JSON, "%s", where.text);
	for (size_t i = 0; i < ARRAY_LEN(controls); i++)
		if (route_matches(i, c, path))
			return controls[i].fn(c, err);
	return err_set(err, ERR_NOT_FOUND, "no control %s %s", http_method(c->request), path);
}

void control_handle(struct sim *sim, struct http_request *request, const char *path)
{
	struct control c = { .sim = sim, .request = request, .param = "" };
	struct err err;

	sim_run(sim);
	if (!dispatch(&c, path, &err))
		reply_json(&c.reply, err.code == ERR_NOT_FOUND ? 404 : 400,
			   json_pack("{s:s}", "error", err.text));
	if (sim_settle(sim))
		http_reply(request, c.reply.status, c.reply.content_type, c.reply.body,
			   c.reply.len);
	else
		http_drop(request);
	reply_fini(&c.reply);
	json_decref(c.body);
}
