/* What the daemon does not use: test money and transactions on preprod, and the answers whose shape
 * is nowhere settled, which are handed over as they came. */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "client/call.h"
#include "client/wire.h"

#define POINTS_QUERY_MAX 100

static void mock_usdx_finish(struct call *call, struct wire_doc *doc)
{
	struct err err;
	char *signed_tx = doc ? wire_text_read(doc, "signed_tx", &err) : NULL;
	char *tx_hash = signed_tx ? wire_text_read(doc, "tx_hash", &err) : NULL;

	if (doc && !tx_hash) {
		call_unreadable(call, &err);
		mem_free(signed_tx);
		signed_tx = NULL;
	}
	call->done.mock_usdx(call->arg, &call->result, signed_tx, tx_hash);
	mem_free(signed_tx);
	mem_free(tx_hash);
}

void dd_mock_usdx(struct dd_client *client, const char *input_utxos, int64_t quantity,
		  const char *wallet_address, dd_mock_usdx_fn *done, void *arg)
{
	struct call *call = call_create(client, CALL_ONCE, mock_usdx_finish, arg);
	struct buf body;
	struct err err;

	buf_init(&body, WIRE_UTXOS_MAX + 1024);
	call->done.mock_usdx = done;
	if (wire_mock_usdx_print(&body, input_utxos, quantity, wallet_address, &err))
		call_post(call, buf_str(&body), body.len, "/app/mock-usdx");
	else
		call_refuse(call, &err);
	buf_fini(&body);
}

void dd_tx_submit(struct dd_client *client, const char *signed_hex, dd_text_fn *done, void *arg)
{
	struct call *call = call_create(client, CALL_ONCE, call_text_finish, arg);
	struct buf body;

	call->done.text = done;
	call->text_name = "tx_hash";
	if (!wire_is_hex(signed_hex, WIRE_TX_HEX_MAX)) {
		call_refuse_invalid(call, "the signed transaction is not hex, or too long");
		return;
	}
	buf_init(&body, WIRE_TX_HEX_MAX + 64);
	buf_add_str(&body, "{\"signed_tx\":\"");
	buf_add_str(&body, signed_hex);
	buf_add_str(&body, "\"}");
	call_post(call, buf_str(&body), body.len, "/app/submit-tx");
	buf_fini(&body);
}

/* ---- answers as they came ------------------------------------------------------------- */

static void raw_finish(struct call *call, struct wire_doc *doc)
{
	call->done.text(call->arg, &call->result, doc ? call->answer : NULL);
}

/* Whether it needs a key is not known either: public, it has one when there is one. */
void dd_trading_lock_get(struct dd_client *client, dd_text_fn *done, void *arg)
{
	struct call *call = call_create(client, CALL_PUBLIC, raw_finish, arg);

	call->done.text = done;
	call_get(call, "/health/trading-lock-status");
}

static bool is_points_query(const char *query)
{
	size_t len = strspn(query, "0123456789abcdefghijklmnopqrstuvwxyz_-=&");

	return len > 0 && len <= POINTS_QUERY_MAX && query[len] == '\0';
}

static bool is_points_path(const char *path)
{
	static const struct {
		const char *path;
		bool has_query;
	} rows[] = {
		{ "me", false },           { "me/history", true },     { "me/referral", false },
		{ "me/breakdown", false }, { "leaderboard", true },    { "leaderboard/me", false },
		{ "leagues", false },      { "quests/active", false }, { "quests/claims", false },
	};
	size_t len = strcspn(path, "?");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strlen(rows[i].path) == len && memcmp(rows[i].path, path, len) == 0)
			return path[len] == '\0' ||
			       (rows[i].has_query && is_points_query(path + len + 1));
	return false;
}

void dd_points_get(struct dd_client *client, const char *path, dd_text_fn *done, void *arg)
{
	struct call *call = call_create(client, CALL_REPEAT, raw_finish, arg);

	call->done.text = done;
	if (is_points_path(path))
		call_get(call, "/points/%s", path);
	else
		call_refuse_invalid(call, "the path is not one of the points service's");
}
