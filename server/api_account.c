/* Balances and transfers, as the exchange states them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/mem.h"
#include "client/deltadefi.h"
#include "net/httpd.h"
#include "server/api.h"
#include "server/daemon.h"
#include "server/json.h"
#include "server/market.h"
#include "server/venue.h"

#define AGE_MAX_S      86400
#define CONTROL_LEN    256
#define TRANSFERS_MAX  250
#define TRANSFERS_PAGE 50
#define PAGES_MAX      1000

/* ---- balances --------------------------------------------------------------------------- */

/* "max-age=N" and the like: N in seconds, or -1 when word is another directive. */
static int64_t seconds_of(const char *word, const char *directive)
{
	size_t len = strlen(directive);
	const char *digits = word + len;

	if (strncasecmp(word, directive, len) != 0 || *digits == '\0' || strlen(digits) > 9 ||
	    digits[strspn(digits, "0123456789")] != '\0')
		return -1;
	return strtoll(digits, NULL, 10);
}

/* How old the balances may be: -1 for the configured age. Older ones only for who asks for them. */
static int64_t wanted_age_ms(const struct api_call *call)
{
	const char *header = http_header(call->request, "Cache-Control");
	char words[CONTROL_LEN];
	char *rest = words, *word;
	int64_t age_s = -1;

	if (!header || !STR_SET(words, header))
		return -1;
	while ((word = strsep(&rest, ", "))) {
		int64_t max_s = seconds_of(word, "max-age=");
		int64_t stale_s = seconds_of(word, "max-stale=");

		if (strcasecmp(word, "no-cache") == 0)
			return 0;
		if (strcasecmp(word, "max-stale") == 0)
			stale_s = AGE_MAX_S;
		age_s = max_s > age_s ? max_s : age_s;
		age_s = stale_s > age_s ? stale_s : age_s;
	}
	return age_s > AGE_MAX_S ? AGE_MAX_S * 1000 : age_s < 0 ? -1 : age_s * 1000;
}

static void print_balances(struct buf *json, const struct dd_balance *balances, size_t count,
			   struct wall as_of)
{
	struct json_out out;

	json_out_init(&out);
	json_out_object(&out, NULL);
	json_out_array(&out, "data");
	for (size_t i = 0; i < count; i++)
		json_balance(&out, &balances[i]);
	json_out_array_end(&out);
	json_out_time(&out, "as_of", as_of);
	json_out_object_end(&out);
	buf_clear(json);
	buf_add(json, out.buf.data, out.buf.len);
	json_out_fini(&out);
}

static void answer_balances(struct api_call *call, const struct dd_balance *balances, size_t count,
			    struct wall as_of, int64_t age_ms)
{
	struct api_balances *kept = api_balances_cache(call->api);
	uint64_t version = market_balances_version(call->daemon->market);
	char age[24];

	if (kept->version != version) {
		print_balances(&kept->json, balances, count, as_of);
		kept->version = version;
	}
	snprintf(age, sizeof(age), "%" PRId64, age_ms / 1000);
	api_header(call, "Age", age);
	api_reply_copy(call, 200, "application/json", kept->json.data, kept->json.len);
}

static void balances_known(void *arg, const struct err *err, const struct dd_balance *balances,
			   size_t count, struct wall as_of, int64_t age_ms)
{
	struct api_call *call = arg;

	if (!api_release(call))
		return;
	if (err)
		api_reply_err(call, err);
	else
		answer_balances(call, balances, count, as_of, age_ms);
}

void api_balances_get(struct api_call *call)
{
	api_hold(call);
	market_balances(call->daemon->market, wanted_age_ms(call), balances_known, call);
}

/* ---- transfers -------------------------------------------------------------------------- */

static const char *const kinds[] = {
	[DD_DEPOSIT] = "deposit",
	[DD_WITHDRAWAL] = "withdrawal",
	[DD_TRANSFERAL] = "transferal",
};

/* One page of each kind asked for, one question after the other. */
struct transfers {
	bool is_wanted[ARRAY_LEN(kinds)];
	size_t kind; /* being asked for */
	unsigned limit, page;
	bool has_more;
	struct json_out out;
};

static void transfers_free(void *state)
{
	struct transfers *transfers = state;

	json_out_fini(&transfers->out);
	mem_free(transfers);
}

static void transfers_end(struct api_call *call)
{
	struct transfers *transfers = call->state;
	char next[16] = "";

	if (transfers->has_more && transfers->page < PAGES_MAX)
		snprintf(next, sizeof(next), "%u", transfers->page + 1);
	json_out_array_end(&transfers->out);
	json_out_text(&transfers->out, "next_cursor", next);
	json_out_object_end(&transfers->out);
	api_reply(call, 200, &transfers->out);
}

static void ask_transfers(void *arg);

static void next_kind(struct api_call *call)
{
	struct transfers *transfers = call->state;

	while (transfers->kind < ARRAY_LEN(kinds) && !transfers->is_wanted[transfers->kind])
		transfers->kind++;
	if (transfers->kind < ARRAY_LEN(kinds))
		api_queue_read(call, ask_transfers);
	else
		transfers_end(call);
}

static void transfers_told(void *arg, const struct dd_result *result,
			   const struct dd_transfer *list, size_t count, int64_t total)
{
	struct api_call *call = arg;
	struct transfers *transfers = call->state;

	api_note_read(call, "transfers", result, true);
	if (!api_release(call))
		return;
	if (result->verdict != DD_DONE) {
		api_reply_err(call, &result->err);
		return;
	}
	for (size_t i = 0; i < count; i++)
		json_transfer(&transfers->out, kinds[transfers->kind], &list[i]);
	if (total >= 0 ? total > (int64_t)transfers->page * transfers->limit
		       : count >= transfers->limit)
		transfers->has_more = true;
	transfers->kind++;
	next_kind(call);
}

static void ask_transfers(void *arg)
{
	struct api_call *call = arg;
	const struct transfers *transfers = call->state;

	if (!api_release(call))
		return;
	api_hold(call);
	dd_transfers_get(call->daemon->exchange, (enum dd_transfer_kind)transfers->kind,
			 transfers->limit, transfers->page, transfers_told, call);
}

static bool add_kind(struct transfers *transfers, const char *word, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strlen(kinds[i]) == len && strncmp(kinds[i], word, len) == 0) {
			transfers->is_wanted[i] = true;
			return true;
		}
	}
	return false;
}

static bool query_transfers(const struct api_call *call, struct transfers *transfers,
			    struct err *err)
{
	int64_t limit = TRANSFERS_PAGE, page = 1;
	char words[64];

	if (!api_query(call, "kind", words, sizeof(words), err) ||
	    !api_query_int(call, "limit", 1, TRANSFERS_MAX, &limit, err) ||
	    !api_query_int(call, "cursor", 1, PAGES_MAX, &page, err))
		return false;
	transfers->limit = (unsigned)limit;
	transfers->page = (unsigned)page;
	for (size_t i = 0; words[0] == '\0' && i < ARRAY_LEN(kinds); i++)
		transfers->is_wanted[i] = true;
	for (const char *word = words; *word != '\0';) {
		size_t len = strcspn(word, ",");

		if (!add_kind(transfers, word, len))
			return err_set(err, ERR_INVALID,
				       "kind is made of deposit, withdrawal, transferal");
		word += len + (word[len] == ',');
	}
	return true;
}

void api_transfers_get(struct api_call *call)
{
	struct transfers *transfers = mem_alloc(sizeof(*transfers));
	struct err err;

	call->state = transfers;
	call->drop = transfers_free;
	json_out_init(&transfers->out);
	if (!query_transfers(call, transfers, &err)) {
		api_reply_err(call, &err);
		return;
	}
	json_out_object(&transfers->out, NULL);
	json_out_array(&transfers->out, "data");
	next_kind(call);
}
