/* Reading orders, their history and their fills. Lists come from the journal, which sees every
 * write that was appended before; single orders from memory where that has them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/httpd.h"
#include "server/api.h"
#include "server/daemon.h"
#include "server/json.h"
#include "server/settle.h"

#define LIMIT_DEFAULT 100
#define NUMBER_LEN    24

static void page_end(struct json_out *out, const char *next_cursor)
{
	json_out_array_end(out);
	json_out_text(out, "next_cursor", next_cursor);
	json_out_object_end(out);
}

static void page_begin(struct json_out *out)
{
	json_out_init(out);
	json_out_object(out, NULL);
	json_out_array(out, "data");
}

/* A full page may have another one behind it. limit and *after are left alone when not given. */
static bool query_page(const struct api_call *call, unsigned *limit, int64_t *after,
		       struct err *err)
{
	int64_t number = LIMIT_DEFAULT;

	if (!api_query_int(call, "limit", 1, JOURNAL_PAGE_MAX, &number, err))
		return false;
	*limit = (unsigned)number;
	return !after || api_query_int(call, "cursor", 1, INT64_MAX, after, err);
}

/* ---- the list --------------------------------------------------------------------------- */

struct listing {
	struct journal_order_query query;
	struct err *err;
};

static bool add_states(struct listing *listing, const char *words)
{
	char word[ORDER_WORD_LEN];
	enum order_state state;

	while (*words != '\0') {
		size_t len = strcspn(words, ",");

		snprintf(word, sizeof(word), "%.*s", (int)(len < sizeof(word) ? len : 0), words);
		if (!order_state_parse(word, &state))
			return err_set(listing->err, ERR_INVALID, "no such state: \"%s\"", word);
		listing->query.states |= 1u << state;
		words += len + (words[len] == ',');
	}
	return true;
}

static bool read_state(void *arg, const char *name, const char *value)
{
	return strcmp(name, "state") != 0 || add_states(arg, value);
}

static bool is_order_cursor(const struct api_call *call)
{
	char cursor[ORDER_ID_LEN];

	return !http_query_get(call->request, "cursor", cursor, sizeof(cursor)) ||
	       strncmp(cursor, "ord_", 4) == 0;
}

static bool query_listing(const struct api_call *call, struct journal_order_query *query,
			  struct err *err)
{
	struct listing listing = { .err = err };
	bool is_fine = http_query_each(call->request, read_state, &listing);

	*query = listing.query;
	if (is_fine && !is_order_cursor(call))
		return err_set(err, ERR_INVALID, "this cursor is none of ours");
	return is_fine && query_page(call, &query->limit, NULL, err) &&
	       api_query_symbol(call, query->symbol, err) &&
	       api_query(call, "client_order_id", query->client_order_id,
			 sizeof(query->client_order_id), err) &&
	       api_query(call, "cursor", query->before, sizeof(query->before), err) &&
	       api_query_owner(call, query->token_id, err);
}

static unsigned page_limit(const struct api_call *call)
{
	const unsigned *limit = call->state;

	return *limit;
}

static void keep_limit(struct api_call *call, unsigned limit)
{
	unsigned *kept = mem_alloc(sizeof(*kept));

	*kept = limit;
	call->state = kept;
	call->drop = mem_free;
}

static void listed(void *arg, const struct err *err, const struct order *orders, size_t count)
{
	struct api_call *call = arg;
	struct json_out out;

	if (!api_release(call))
		return;
	if (err) {
		api_reply_err(call, err);
		return;
	}
	page_begin(&out);
	for (size_t i = 0; i < count; i++)
		json_order(&out, NULL, &orders[i]);
	page_end(&out, count == page_limit(call) ? orders[count - 1].terms.order_id : NULL);
	api_reply(call, 200, &out);
}

void api_orders_get(struct api_call *call)
{
	struct journal_order_query query;
	struct err err;

	if (!query_listing(call, &query, &err)) {
		api_reply_err(call, &err);
		return;
	}
	keep_limit(call, query.limit);
	api_hold(call);
	journal_find_orders(call->daemon->journal, &query, listed, call);
}

/* ---- finding one ------------------------------------------------------------------------ */

struct finding {
	api_found_fn *found;
};

static void no_such_order(struct api_call *call)
{
	api_refuse(call, ERR_NOT_FOUND, "no such order");
}

static void found_in_journal(void *arg, const struct err *err, const struct order *orders,
			     size_t count)
{
	struct api_call *call = arg;
	struct finding *finding = call->state;
	api_found_fn *found = finding->found;
	struct tracked *tracked;

	if (!api_release(call))
		return;
	call->state = NULL;
	mem_free(finding);
	if (err || count == 0) {
		if (err)
			api_reply_err(call, err);
		else
			no_such_order(call);
		return;
	}
	/* By an earlier build's id only the journal finds it. */
	tracked = orders_find(call->daemon->orders, orders->terms.order_id);
	found(call, tracked, tracked ? &tracked->order : orders);
}

/* The query for what {id} says; false when it can be no id. */
static bool read_id(const char *id, struct journal_order_query *query)
{
	if (strncmp(id, "client:", 7) == 0)
		return json_is_client_order_id(id + 7) && STR_SET(query->client_order_id, id + 7);
	if (strncmp(id, "exch:", 5) == 0)
		return id[5] != '\0' && STR_SET(query->exchange_order_id, id + 5);
	return strncmp(id, "ord_", 4) == 0 && STR_SET(query->order_id, id);
}

static struct tracked *find_in_memory(const struct api_call *call,
				      const struct journal_order_query *query)
{
	const struct orders *orders = call->daemon->orders;

	if (query->order_id[0] != '\0')
		return orders_find(orders, query->order_id);
	if (query->exchange_order_id[0] != '\0')
		return orders_find_exchange(orders, query->exchange_order_id);
	return orders_find_client(orders, query->token_id, query->client_order_id);
}

void api_find_order(struct api_call *call, api_found_fn *found)
{
	struct journal_order_query query = { .limit = 1 };
	struct finding *finding;
	struct tracked *tracked;
	struct err err;

	if (!api_query_owner(call, query.token_id, &err)) {
		api_reply_err(call, &err);
		return;
	}
	if (!read_id(call->param, &query)) {
		no_such_order(call);
		return;
	}
	tracked = find_in_memory(call, &query);
	if (tracked && query.token_id[0] != '\0' &&
	    strcmp(query.token_id, tracked->order.terms.token_id) != 0) {
		no_such_order(call);
		return;
	}
	if (tracked) {
		found(call, tracked, &tracked->order);
		return;
	}
	finding = mem_alloc(sizeof(*finding));
	finding->found = found;
	call->state = finding;
	call->drop = mem_free;
	api_hold(call);
	journal_find_orders(call->daemon->journal, &query, found_in_journal, call);
}

/* ---- what is durable of one ----------------------------------------------------------------- */

struct reading {
	struct api_call *call;
	void (*fn)(struct api_call *call, const struct order *order);
};

static void read_back(void *arg, const struct err *err, const struct order *orders, size_t count)
{
	struct reading reading = *(struct reading *)arg;

	mem_free(arg);
	if (!api_release(reading.call))
		return;
	if (err)
		api_reply_err(reading.call, err);
	else if (count == 0)
		no_such_order(reading.call);
	else
		reading.fn(reading.call, orders);
}

void api_order_as_durable(struct api_call *call, const struct tracked *tracked,
			  void (*fn)(struct api_call *call, const struct order *order))
{
	struct journal_order_query query = { .limit = 1 };
	struct reading *reading;

	if (tracked->writing == 0) {
		fn(call, &tracked->order);
		return;
	}
	reading = mem_alloc(sizeof(*reading));
	reading->call = call;
	reading->fn = fn;
	STR_SET(query.order_id, tracked->order.terms.order_id);
	api_hold(call);
	journal_find_orders(call->daemon->journal, &query, read_back, reading);
}

/* ---- one order -------------------------------------------------------------------------- */

/* What was known when it was asked for, while its fills are fetched page by page. */
struct detail {
	struct journal_fill_query query;
	struct settle_status settling;
	char reason[192];
	struct json_out out;
};

static void detail_free(void *state)
{
	struct detail *detail = state;

	json_out_fini(&detail->out);
	mem_free(detail);
}

static void settling_member(struct json_out *out, const struct settle_status *settling)
{
	if (!settling->is_active) {
		json_out_null(out, "settling");
		return;
	}
	json_out_object(out, "settling");
	json_out_time(out, "since", settling->since);
	json_out_int(out, "asked", settling->asked);
	json_out_time(out, "next_attempt_at", settling->next);
	json_out_text(out, "reason", settling->reason);
	json_out_object_end(out);
}

static void answer_detail(struct api_call *call)
{
	struct detail *detail = call->state;

	json_out_array_end(&detail->out);
	settling_member(&detail->out, &detail->settling);
	json_out_object_end(&detail->out);
	api_reply(call, 200, &detail->out);
}

static void fills_of_order(void *arg, const struct err *err, const struct fill *fills,
			   const int64_t *numbers, size_t count)
{
	struct api_call *call = arg;
	struct detail *detail = call->state;

	if (!api_release(call))
		return;
	if (err) {
		api_reply_err(call, err);
		return;
	}
	for (size_t i = 0; i < count; i++)
		json_fill(&detail->out, &fills[i]);
	if (count < detail->query.limit) {
		answer_detail(call);
		return;
	}
	detail->query.after = numbers[count - 1];
	api_hold(call);
	journal_find_fills(call->daemon->journal, &detail->query, fills_of_order, call);
}

static struct detail *detail_create(const struct tracked *tracked, const struct order *order)
{
	struct detail *detail = mem_alloc(sizeof(*detail));

	json_out_init(&detail->out);
	json_out_object(&detail->out, NULL);
	json_order_members(&detail->out, order);
	json_out_array(&detail->out, "fills");
	STR_SET(detail->query.order_id, order->terms.order_id);
	detail->query.limit = JOURNAL_PAGE_MAX;
	if (tracked)
		settle_status(tracked, &detail->settling);
	if (detail->settling.is_active) {
		STR_SET(detail->reason, detail->settling.reason);
		detail->settling.reason = detail->reason;
	}
	return detail;
}

static void show(struct api_call *call, const struct order *order)
{
	const struct tracked *tracked = orders_find(call->daemon->orders, order->terms.order_id);
	struct detail *detail = detail_create(tracked, order);

	call->state = detail;
	call->drop = detail_free;
	if (decimal_sign(order->facts.executed_base_qty) == 0) {
		answer_detail(call);
		return;
	}
	api_hold(call);
	journal_find_fills(call->daemon->journal, &detail->query, fills_of_order, call);
}

/* Nothing is told that a crash would undo. */
static void found_for_get(struct api_call *call, struct tracked *tracked, const struct order *order)
{
	if (tracked)
		api_order_as_durable(call, tracked, show);
	else
		show(call, order);
}

void api_order_get(struct api_call *call)
{
	api_find_order(call, found_for_get);
}

/* ---- its history ------------------------------------------------------------------------ */

static void events_told(void *arg, const struct err *err, const struct journal_event *events,
			size_t count)
{
	struct api_call *call = arg;
	char next[NUMBER_LEN] = "";
	struct json_out out;

	if (!api_release(call))
		return;
	if (err) {
		api_reply_err(call, err);
		return;
	}
	page_begin(&out);
	for (size_t i = 0; i < count; i++)
		json_event(&out, &events[i]);
	if (count == page_limit(call))
		snprintf(next, sizeof(next), "%" PRId64, events[count - 1].event_id);
	page_end(&out, next);
	api_reply(call, 200, &out);
}

static void found_for_events(struct api_call *call, struct tracked *tracked,
			     const struct order *order)
{
	int64_t after = 0;
	unsigned limit;
	struct err err;

	(void)tracked;
	if (!query_page(call, &limit, &after, &err)) {
		api_reply_err(call, &err);
		return;
	}
	keep_limit(call, limit);
	api_hold(call);
	journal_find_events(call->daemon->journal, order->terms.order_id, after, limit, events_told,
			    call);
}

void api_order_events_get(struct api_call *call)
{
	api_find_order(call, found_for_events);
}

/* ---- fills ------------------------------------------------------------------------------ */

static void fills_told(void *arg, const struct err *err, const struct fill *fills,
		       const int64_t *numbers, size_t count)
{
	struct api_call *call = arg;
	char next[NUMBER_LEN] = "";
	struct json_out out;

	if (!api_release(call))
		return;
	if (err) {
		api_reply_err(call, err);
		return;
	}
	page_begin(&out);
	for (size_t i = 0; i < count; i++)
		json_fill(&out, &fills[i]);
	if (count == page_limit(call))
		snprintf(next, sizeof(next), "%" PRId64, numbers[count - 1]);
	page_end(&out, next);
	api_reply(call, 200, &out);
}

void api_fills_get(struct api_call *call)
{
	struct journal_fill_query query = { 0 };
	struct err err;

	if (!query_page(call, &query.limit, &query.after, &err) ||
	    !api_query(call, "order_id", query.order_id, sizeof(query.order_id), &err) ||
	    !api_query_symbol(call, query.symbol, &err) ||
	    !api_query_time(call, "since", &query.since, &err) ||
	    !api_query_owner(call, query.token_id, &err)) {
		api_reply_err(call, &err);
		return;
	}
	keep_limit(call, query.limit);
	api_hold(call);
	journal_find_fills(call->daemon->journal, &query, fills_told, call);
}
