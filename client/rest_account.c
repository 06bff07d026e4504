#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "client/call.h"
#include "client/wire.h"

#define TX_HASH_HEX_MAX 64

static void account_finish(struct call *call, struct wire_doc *doc)
{
	struct dd_account account;
	struct err err;
	bool ok = doc && wire_account_read(doc, &account, &err);

	if (doc && !ok)
		call_unreadable(call, &err);
	call->done.account(call->arg, &call->result, ok ? &account : NULL);
}

void dd_account_get(struct dd_client *client, const struct secret *api_key, dd_account_fn *done,
		    void *arg)
{
	struct call *call = call_create(client, CALL_REPEAT, account_finish, arg);

	call->done.account = done;
	call_use_key(call, api_key);
	call_get(call, "/accounts/spot-account");
}

void dd_account_create(struct dd_client *client, const struct dd_account_request *request,
		       dd_account_fn *done, void *arg)
{
	struct call *call = call_create(client, CALL_ONCE, account_finish, arg);
	struct buf body;
	struct err err;

	buf_init(&body, WIRE_ACCOUNT_MAX);
	call->done.account = done;
	if (wire_account_create_print(&body, request, &err))
		call_post(call, buf_str(&body), body.len, "/accounts/spot-account");
	else
		call_refuse(call, &err);
	buf_fini(&body);
}

void dd_account_update(struct dd_client *client, const struct dd_account_request *request,
		       dd_account_fn *done, void *arg)
{
	struct call *call = call_create(client, CALL_ONCE, account_finish, arg);
	struct buf body;
	struct err err;

	buf_init(&body, WIRE_ACCOUNT_MAX);
	call->done.account = done;
	if (wire_account_update_print(&body, request, &err))
		call_put(call, buf_str(&body), body.len, "/accounts/spot-account");
	else
		call_refuse(call, &err);
	buf_fini(&body);
}

static void balances_finish(struct call *call, struct wire_doc *doc)
{
	struct dd_balance *balances = NULL;
	size_t count = 0;
	struct err err;

	if (doc && !wire_balances_read(doc, &balances, &count, &err))
		call_unreadable(call, &err);
	call->done.balances(call->arg, &call->result, balances, count);
	wire_balances_free(balances);
}

void dd_balances_get(struct dd_client *client, dd_balances_fn *done, void *arg)
{
	struct call *call = call_create(client, CALL_REPEAT, balances_finish, arg);

	call->done.balances = done;
	call_get(call, "/accounts/balance");
}

static void transfers_finish(struct call *call, struct wire_doc *doc)
{
	struct dd_transfer *transfers = NULL;
	size_t count = 0;
	int64_t total = -1;
	struct err err;

	if (doc && !wire_transfers_read(doc, &transfers, &count, &total, &err))
		call_unreadable(call, &err);
	call->done.transfers(call->arg, &call->result, transfers, count, total);
	wire_transfers_free(transfers, count);
}

void dd_transfers_get(struct dd_client *client, enum dd_transfer_kind kind, unsigned limit,
		      unsigned page, dd_transfers_fn *done, void *arg)
{
	static const char *const paths[] = {
		[DD_DEPOSIT] = "deposit-records",
		[DD_WITHDRAWAL] = "withdrawal-records",
		[DD_TRANSFERAL] = "transferal-records",
	};
	struct call *call = call_create(client, CALL_REPEAT, transfers_finish, arg);

	call->done.transfers = done;
	call->answer_max = CALL_PAGE_MAX;
	if (!call_is_page(limit, page))
		call_refuse_invalid(call, "limit must be 1 to 250 and page 1 to 1000");
	else
		call_get(call, "/accounts/%s?limit=%u&page=%u", paths[kind], limit, page);
}

static void transfer_finish(struct call *call, struct wire_doc *doc)
{
	struct dd_transfer *transfer = NULL;
	struct err err;
	size_t count;

	if (doc && !wire_transfer_read(doc, &transfer, &err))
		call_unreadable(call, &err);
	count = transfer ? 1 : 0;
	call->done.transfers(call->arg, &call->result, transfer, count, (int64_t)count);
	wire_transfers_free(transfer, count);
}

void dd_transfer_get(struct dd_client *client, const char *tx_hash, dd_transfers_fn *done,
		     void *arg)
{
	struct call *call = call_create(client, CALL_REPEAT, transfer_finish, arg);

	call->done.transfers = done;
	if (wire_is_hex(tx_hash, TX_HASH_HEX_MAX))
		call_get(call, "/accounts/transferal-records/%s", tx_hash);
	else
		call_refuse_invalid(call, "the transaction hash is not hex, or too long");
}

void dd_max_deposit_get(struct dd_client *client, dd_text_fn *done, void *arg)
{
	struct call *call = call_create(client, CALL_REPEAT, call_text_finish, arg);

	call->done.text = done;
	call->text_name = "max_deposit";
	call_get(call, "/accounts/max-deposit");
}

void dd_api_key_get(struct dd_client *client, dd_text_fn *done, void *arg)
{
	struct call *call = call_create(client, CALL_REPEAT, call_text_finish, arg);

	call->done.text = done;
	call->text_name = "api_key";
	call_get(call, "/accounts/api-key");
}

static void new_key_finish(struct call *call, struct wire_doc *doc)
{
	struct err err;
	struct secret *key = doc ? wire_new_key_read(doc, &err) : NULL;

	if (doc && !key)
		call_unreadable(call, &err);
	call->done.new_key(call->arg, &call->result, key);
	secret_destroy(key);
}

void dd_api_key_renew(struct dd_client *client, dd_new_key_fn *done, void *arg)
{
	struct call *call = call_create(client, CALL_ONCE, new_key_finish, arg);

	call->done.new_key = done;
	call->has_secret = true;
	call_get(call, "/accounts/new-api-key");
}
