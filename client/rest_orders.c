#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "client/call.h"
#include "client/wire.h"

static void built_finish(struct call *call, struct wire_doc *doc)
{
	struct wire_built built = { "", NULL };
	struct err err;
	bool ok = doc && wire_built_read(doc, &built, &err);

	if (doc && !ok)
		call_unreadable(call, &err);
	call->done.built(call->arg, &call->result, ok ? built.order_id : NULL,
			 ok ? built.tx_hex : NULL);
}

void dd_order_build(struct dd_client *client, const struct dd_order_request *request,
		    dd_built_fn *done, void *arg)
{
	struct call *call = call_create(client, CALL_REPEAT, built_finish, arg);
	struct buf body;
	struct err err;

	buf_init(&body, 1024);
	call->done.built = done;
	if (wire_build_print(&body, request, &err))
		call_post(call, buf_str(&body), body.len, "/order/build");
	else
		call_refuse(call, &err);
	buf_fini(&body);
}

/* Whatever else the answer says, it must be about the order that was asked for. */
static bool is_about_its_order(const struct call *call, const struct wire_doc *doc, struct err *err)
{
	char id[DD_ID_LEN];

	if (wire_order_id_read(doc, id) && strcasecmp(id, call->order_id) == 0)
		return true;
	return err_set(err, ERR_EXCHANGE_ANSWER, "the exchange's answer is not about this order");
}

/* Once the exchange says that it took the order, an unreadable rest of the answer is no reason
 * to doubt it. */
static void submit_finish(struct call *call, struct wire_doc *doc)
{
	struct dd_order *order = NULL;
	struct err err;

	if (doc && !is_about_its_order(call, doc, &err))
		call_unreadable(call, &err);
	else if (doc && !wire_order_read(doc, &order, &err))
		order = NULL;
	call->done.order(call->arg, &call->result, order);
	wire_orders_free(order, order ? 1 : 0);
}

void dd_order_submit(struct dd_client *client, const char *order_id, const char *signed_hex,
		     dd_order_fn *done, void *arg)
{
	struct call *call = call_create(client, CALL_ONCE, submit_finish, arg);
	struct buf body;
	struct err err;

	buf_init(&body, WIRE_TX_HEX_MAX + 256);
	call->done.order = done;
	if (wire_submit_print(&body, order_id, signed_hex, &err)) {
		STR_SET(call->order_id, order_id);
		call_post(call, buf_str(&body), body.len, "/order/submit");
	} else {
		call_refuse(call, &err);
	}
	buf_fini(&body);
}

static void order_finish(struct call *call, struct wire_doc *doc)
{
	struct dd_order *order = NULL;
	struct err err;

	if (doc && (!is_about_its_order(call, doc, &err) || !wire_order_read(doc, &order, &err)))
		call_unreadable(call, &err);
	call->done.order(call->arg, &call->result, order);
	wire_orders_free(order, order ? 1 : 0);
}

void dd_order_get(struct dd_client *client, const char *order_id, dd_order_fn *done, void *arg)
{
	struct call *call = call_create(client, CALL_REPEAT, order_finish, arg);

	call->done.order = done;
	if (!wire_is_id(order_id)) {
		call_refuse_invalid(call, "the order id is not one of the exchange's");
		return;
	}
	STR_SET(call->order_id, order_id);
	call_get(call, "/accounts/order/%s", order_id);
}

/* A 2xx is the acceptance. Only an answer that names another order puts that in doubt. */
static void cancel_finish(struct call *call, struct wire_doc *doc)
{
	char id[DD_ID_LEN];
	struct err err;

	if (doc && wire_order_id_read(doc, id) && !is_about_its_order(call, doc, &err))
		call_unreadable(call, &err);
	call->done.plain(call->arg, &call->result);
}

void dd_order_cancel(struct dd_client *client, const char *order_id, dd_done_fn *done, void *arg)
{
	struct call *call = call_create(client, CALL_REPEAT, cancel_finish, arg);

	call->done.plain = done;
	if (!wire_is_id(order_id)) {
		call_refuse_invalid(call, "the order id is not one of the exchange's");
		return;
	}
	STR_SET(call->order_id, order_id);
	call_post(call, "{}", 2, "/order/%s/cancel", order_id);
}

static void cancel_all_finish(struct call *call, struct wire_doc *doc)
{
	const char **ids = NULL;
	size_t count = 0;
	struct err err;

	if (doc && !wire_ids_read(doc, &ids, &count, &err))
		call_unreadable(call, &err);
	if (call->result.verdict == DD_REFUSED && call->result.code == 4200) {
		call->result.verdict = DD_DONE; /* nothing was there to cancel */
		call->result.class_ = DD_CLASS_NONE;
		memset(&call->result.err, 0, sizeof(call->result.err));
	}
	call->done.ids(call->arg, &call->result, ids, count);
	wire_ids_free(ids);
}

void dd_order_cancel_all(struct dd_client *client, const char *symbol, dd_ids_fn *done, void *arg)
{
	struct call *call = call_create(client, CALL_REPEAT, cancel_all_finish, arg);
	struct buf body;

	call->done.ids = done;
	if (!wire_is_symbol(symbol)) {
		call_refuse_invalid(call, "the symbol is not one of the exchange's");
		return;
	}
	buf_init(&body, 64);
	buf_printf(&body, "{\"symbol\":\"%s\"}", symbol);
	call_post(call, buf_str(&body), body.len, "/order/cancel-all");
	buf_fini(&body);
}

/* ---- lists by symbol ------------------------------------------------------------------ */

static void orders_finish(struct call *call, struct wire_doc *doc)
{
	struct dd_order *orders = NULL;
	size_t count = 0;
	int64_t total = -1;
	struct err err;

	if (doc && !wire_orders_read(doc, &orders, &count, &total, &err))
		call_unreadable(call, &err);
	call->done.orders(call->arg, &call->result, orders, count, total);
	wire_orders_free(orders, count);
}

static void executions_finish(struct call *call, struct wire_doc *doc)
{
	struct dd_execution *executions = NULL;
	size_t count = 0;
	int64_t total = -1;
	struct err err;

	if (doc && !wire_executions_read(doc, &executions, &count, &total, &err))
		call_unreadable(call, &err);
	call->done.executions(call->arg, &call->result, executions, count, total);
	wire_executions_free(executions);
}

static void get_page(struct call *call, const char *path, const char *symbol, struct dd_page page)
{
	call->answer_max = CALL_PAGE_MAX;
	if (!wire_is_symbol(symbol))
		call_refuse_invalid(call, "the symbol is not one of the exchange's");
	else if (!call_is_page(page.limit, page.page))
		call_refuse_invalid(call, "limit must be 1 to 250 and page 1 to 1000");
	else
		call_get(call, "%s?symbol=%s&limit=%u&page=%u", path, symbol, page.limit,
			 page.page);
}

void dd_open_orders_get(struct dd_client *client, const char *symbol, struct dd_page page,
			dd_orders_fn *done, void *arg)
{
	struct call *call = call_create(client, CALL_REPEAT, orders_finish, arg);

	call->done.orders = done;
	get_page(call, "/accounts/open-orders", symbol, page);
}

void dd_trade_orders_get(struct dd_client *client, const char *symbol, struct dd_page page,
			 dd_orders_fn *done, void *arg)
{
	struct call *call = call_create(client, CALL_REPEAT, orders_finish, arg);

	call->done.orders = done;
	get_page(call, "/accounts/trade-orders", symbol, page);
}

void dd_trades_get(struct dd_client *client, const char *symbol, struct dd_page page,
		   dd_executions_fn *done, void *arg)
{
	struct call *call = call_create(client, CALL_REPEAT, executions_finish, arg);

	call->done.executions = done;
	get_page(call, "/accounts/trades", symbol, page);
}
