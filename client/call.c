#include "client/call.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "client/client.h"
#include "client/wire.h"
#include "net/fetch.h"
#include "net/loop.h"

#define URL_LEN 512

struct call *call_create(struct dd_client *client, enum call_kind kind, call_finish_fn *finish,
			 void *arg)
{
	struct call *call = mem_alloc(sizeof(*call));

	assert(loop_is_mine(client->loop));
	call->client = client;
	call->kind = kind;
	call->finish = finish;
	call->arg = arg;
	call->answer_max = CALL_ANSWER_MAX;
	call->result.retry_after_ms = -1;
	list_node_init(&call->node);
	list_push_back(&client->calls, &call->node);
	return call;
}

void call_use_key(struct call *call, const struct secret *key)
{
	call->key = secret_copy(key);
}

static const struct secret *key_of(const struct call *call)
{
	return call->key ? call->key : call->client->api_key;
}

static void complete(struct call *call, struct wire_doc *doc)
{
	list_remove(&call->node);
	call->is_completed = true;
	call->finish(call, doc);
}

static void destroy(struct call *call)
{
	secret_destroy(call->key);
	mem_free(call);
}

/* ---- the verdict ---------------------------------------------------------------------- */

static void set_verdict(struct call *call, enum dd_verdict verdict, enum dd_class class_)
{
	call->result.verdict = verdict;
	call->result.class_ = class_;
}

/* It may have happened. Where a repeat costs nothing, that is all there is to say. */
static void set_unknown(struct call *call)
{
	set_verdict(call, DD_UNKNOWN, call->kind == CALL_ONCE ? DD_CLASS_UNKNOWN : DD_CLASS_RETRY);
}

void call_unreadable(struct call *call, const struct err *err)
{
	set_unknown(call);
	call->result.err = *err;
}

static bool is_exchange_code(int code)
{
	return code >= 4000 && code < 6000;
}

/* Without a code of the exchange it may be a gateway that speaks. Only a JSON error with a 4xx is
 * then taken for a no, and not even that on a submit: 400 has come with "Internal Server Error". */
static enum dd_class class_of(const struct call *call, int status, const struct wire_error *error)
{
	if (is_exchange_code(error->code))
		return dd_class_of(error->code);
	if (status == 401)
		return DD_CLASS_AUTH;
	if (status == 429)
		return DD_CLASS_RATE;
	if (call->kind == CALL_ONCE)
		return DD_CLASS_UNKNOWN;
	return error->is_error && status >= 400 && status < 500 ? DD_CLASS_REFUSED : DD_CLASS_RETRY;
}

static const struct {
	enum dd_verdict verdict;
	enum err_code code;
	const char *text;
} meanings[DD_CLASS_COUNT] = {
	[DD_CLASS_REFUSED] = { DD_REFUSED, ERR_REFUSED, "the exchange refused" },
	[DD_CLASS_STATE] = { DD_REFUSED, ERR_REFUSED, "the exchange refused" },
	[DD_CLASS_EXPIRED] = { DD_REFUSED, ERR_REFUSED, "the exchange refused" },
	[DD_CLASS_SPENT] = { DD_REFUSED, ERR_REFUSED, "the exchange refused" },
	[DD_CLASS_DUPLICATE] = { DD_REFUSED, ERR_REFUSED, "the exchange refused" },
	[DD_CLASS_LOCKED] = { DD_REFUSED, ERR_VENUE_LOCKED, "the exchange has locked trading" },
	[DD_CLASS_RATE] = { DD_REFUSED, ERR_BUSY, "the exchange limits our rate" },
	[DD_CLASS_AUTH] = { DD_REFUSED, ERR_EXCHANGE_AUTH, "the exchange refused the API key" },
	[DD_CLASS_RETRY] = { DD_UNKNOWN, ERR_EXCHANGE, "the exchange failed" },
	[DD_CLASS_UNKNOWN] = { DD_UNKNOWN, ERR_EXCHANGE, "the exchange failed" },
};

/* Blots out the key, also when the end of the text cuts it. */
static void hide_key(const struct secret *key, char *text)
{
	size_t key_len = key ? secret_len(key) : 0, len = strlen(text);
	const uint8_t *bytes;

	if (key_len == 0)
		return;
	bytes = secret_open(key);
	for (size_t at = 0; at < len; at++) {
		size_t part = key_len < len - at ? key_len : len - at;

		if ((part == key_len || part >= 4) && memcmp(text + at, bytes, part) == 0)
			memset(text + at, '*', part);
	}
	secret_close(key);
}

static void set_failure(struct call *call, struct wire_error *error)
{
	struct dd_result *result = &call->result;
	enum dd_class class_ = class_of(call, result->http_status, error);
	const char *text = error->text;

	hide_key(call->key, error->text); /* one that is only tried; the other may be told of too */
	hide_key(call->client->api_key, error->text);
	set_verdict(call, meanings[class_].verdict, class_);
	if (text[0] == '\0')
		text = error->code > 0 ? dd_code_message(error->code) : "an empty answer";
	if (error->code > 0)
		err_set(&result->err, meanings[class_].code, "%s: %s (%d)", meanings[class_].text,
			text, error->code);
	else
		err_set(&result->err, meanings[class_].code, "%s: HTTP %d: %s",
			meanings[class_].text, result->http_status, text);
	result->err.exchange_code = error->code;
}

/* Gives the document when the exchange says that it is done. */
static struct wire_doc *judge_answer(struct call *call, const struct fetch_result *answer)
{
	struct err err;
	struct wire_doc *doc = wire_parse(answer->body, answer->body_len, &err);
	bool is_success = answer->status >= 200 && answer->status < 300;
	struct wire_error error;

	wire_error_read(doc, answer->body, answer->body_len, &error);
	call->result.code = error.code;
	if (is_success && doc && !error.is_error) {
		call->result.code = 0;
		set_verdict(call, DD_DONE, DD_CLASS_NONE);
		return doc;
	}
	if (is_success && !doc)
		call_unreadable(call, &err);
	else
		set_failure(call, &error);
	wire_free(doc);
	return NULL;
}

static struct wire_doc *judge(struct call *call, const struct fetch_result *answer)
{
	struct dd_result *result = &call->result;

	result->sent = answer->sent;
	result->done = answer->done;
	switch (answer->outcome) {
	case FETCH_NOT_SENT:
		set_verdict(call, DD_NOT_SENT, DD_CLASS_RETRY);
		result->err = answer->err;
		break;
	case FETCH_LOST:
		set_unknown(call);
		result->err = answer->err;
		break;
	case FETCH_ANSWERED:
		result->http_status = answer->status;
		result->retry_after_ms = answer->retry_after_ms;
		return judge_answer(call, answer);
	}
	return NULL;
}

static void on_fetched(void *arg, const struct fetch_result *answer)
{
	struct call *call = arg;
	struct wire_doc *doc = judge(call, answer);

	call->answer = doc ? answer->body : NULL;
	complete(call, doc);
	wire_free(doc);
	if (call->has_secret && answer->body_len > 0)
		secret_wipe((void *)(uintptr_t)answer->body, answer->body_len);
	destroy(call);
}

/* ---- starting and refusing ------------------------------------------------------------ */

static void on_refused(void *arg)
{
	struct call *call = arg;

	if (!call->is_completed)
		complete(call, NULL);
	destroy(call);
}

static void refuse_as(struct call *call, enum dd_verdict verdict, enum dd_class class_,
		      const struct err *err)
{
	set_verdict(call, verdict, class_);
	call->result.err = *err;
	call->result.done = loop_now(call->client->loop);
	loop_later(call->client->loop, on_refused, call);
}

void call_refuse(struct call *call, const struct err *err)
{
	refuse_as(call, DD_REFUSED, DD_CLASS_REFUSED, err);
}

void call_refuse_invalid(struct call *call, const char *text)
{
	struct err err;

	err_set(&err, ERR_INVALID, "%s", text);
	call_refuse(call, &err);
}

void call_complete_all(struct list *calls)
{
	struct list_node *node;

	while ((node = list_first(calls)))
		complete(CONTAINER_OF(node, struct call, node), NULL);
}

/* False, and the call refused, when it must not go out at all. */
static bool may_start(struct call *call)
{
	struct err err;

	if (call->client->is_closing) {
		list_remove(&call->node);
		err_set(&err, ERR_STOPPING, "the exchange client is being closed");
		refuse_as(call, DD_NOT_SENT, DD_CLASS_RETRY, &err);
		return false;
	}
	if (call->kind != CALL_PUBLIC && !key_of(call)) {
		err_set(&err, ERR_EXCHANGE_AUTH, "no API key of the exchange is set");
		refuse_as(call, DD_REFUSED, DD_CLASS_AUTH, &err);
		return false;
	}
	return true;
}

static void __attribute__((format(printf, 5, 0)))
start(struct call *call, const char *method, const char *body, size_t len, const char *path,
      va_list args)
{
	static const char *const headers[] = { "Accept: application/json",
					       "Content-Type: application/json", NULL };
	static const char *const get_headers[] = { "Accept: application/json", NULL };
	char url[URL_LEN];
	int used = snprintf(url, sizeof(url), "%s", call->client->base_url);
	int more = vsnprintf(url + used, sizeof(url) - (size_t)used, path, args);
	struct fetch_request request = {
		.method = method,
		.url = url,
		.headers = body ? headers : get_headers,
		.secret_header_name = key_of(call) ? "X-API-KEY" : NULL,
		.secret_header = key_of(call),
		.body = body,
		.body_len = len,
		.timeout_ms = call->client->timeout_ms,
		.answer_max = call->answer_max,
		.is_once = call->kind == CALL_ONCE,
	};

	assert(used + more < URL_LEN); /* every part was checked before */
	fetch_start(call->client->fetcher, &request, on_fetched, call);
}

void call_get(struct call *call, const char *path, ...)
{
	va_list args;

	if (!may_start(call))
		return;
	va_start(args, path);
	start(call, "GET", NULL, 0, path, args);
	va_end(args);
}

void call_post(struct call *call, const char *body, size_t len, const char *path, ...)
{
	va_list args;

	if (!may_start(call))
		return;
	va_start(args, path);
	start(call, "POST", body, len, path, args);
	va_end(args);
}

void call_put(struct call *call, const char *body, size_t len, const char *path, ...)
{
	va_list args;

	if (!may_start(call))
		return;
	va_start(args, path);
	start(call, "PUT", body, len, path, args);
	va_end(args);
}

bool call_is_page(unsigned limit, unsigned page)
{
	return limit >= 1 && limit <= 250 && page >= 1 && page <= 1000;
}

void call_text_finish(struct call *call, struct wire_doc *doc)
{
	struct err err;
	char *text = doc ? wire_text_read(doc, call->text_name, &err) : NULL;

	if (doc && !text)
		call_unreadable(call, &err);
	call->done.text(call->arg, &call->result, text);
	mem_free(text);
}
