#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "client/call.h"
#include "client/client.h"
#include "client/opkey.h"
#include "client/sealed.h"
#include "client/wire.h"
#include "net/loop.h"

/* Belongs to the call while the sealed key is fetched, then to the pool job, which may outlive
 * the client. */
struct unlock {
	struct list_node node;    /* in client->unlocks during the pool job */
	struct dd_client *client; /* NULL: completed early, only to be freed */
	uint64_t lock_count;      /* the client's when this began */
	struct dd_result result;
	dd_unlock_fn *done;
	void *arg;
	struct secret *password;
	struct wire_sealed_key sealed;
	struct opkey *opkey; /* from here on: what the job gives */
	struct err err;
};

static void unlock_destroy(struct unlock *unlock)
{
	secret_destroy(unlock->password);
	opkey_destroy(unlock->opkey);
	if (unlock->sealed.text)
		secret_wipe(unlock->sealed.text, strlen(unlock->sealed.text));
	mem_free(unlock->sealed.text);
	mem_free(unlock);
}

static void refuse(struct unlock *unlock, const struct err *err)
{
	unlock->result.verdict = DD_REFUSED;
	unlock->result.class_ = DD_CLASS_REFUSED;
	unlock->result.err = *err;
	unlock->done(unlock->arg, &unlock->result, false);
}

/* On a pool thread: touches nothing but the job. */
static void open_key(void *arg)
{
	struct unlock *unlock = arg;
	struct sealed *sealed = mem_alloc(sizeof(*sealed));

	if (sealed_parse(unlock->sealed.text, strlen(unlock->sealed.text), sealed, &unlock->err))
		unlock->opkey = opkey_unseal(sealed, unlock->password, &unlock->err);
	secret_wipe(sealed, sizeof(*sealed));
	mem_free(sealed);
}

static bool take_key(struct dd_client *client, struct unlock *unlock)
{
	opkey_destroy(client->opkey);
	client->opkey = unlock->opkey;
	unlock->opkey = NULL;
	hex_encode(opkey_hash(client->opkey), BIP32_HASH_LEN, client->key_hash);
	return strcasecmp(client->key_hash, unlock->sealed.hash) == 0;
}

static void on_opened(void *arg)
{
	struct unlock *unlock = arg;
	struct dd_client *client = unlock->client;

	if (!client)
		goto out;
	list_remove(&unlock->node);
	unlock->result.done = loop_now(client->loop);
	if (unlock->lock_count != client->lock_count) {
		err_set(&unlock->err, ERR_OPKEY_LOCKED, "locked again while the key was opened");
		refuse(unlock, &unlock->err);
	} else if (!unlock->opkey) {
		refuse(unlock, &unlock->err);
	} else {
		unlock->done(unlock->arg, &unlock->result, take_key(client, unlock));
	}
out:
	unlock_destroy(unlock);
}

static void on_sealed_key(struct call *call, struct wire_doc *doc)
{
	struct unlock *unlock = call->arg;
	struct dd_client *client = unlock->client;
	struct err err;

	if (doc && !wire_sealed_key_read(doc, &unlock->sealed, &err))
		call_unreadable(call, &err);
	unlock->result = call->result;
	if (!unlock->sealed.text) {
		unlock->done(unlock->arg, &unlock->result, false);
		unlock_destroy(unlock);
		return;
	}
	list_push_back(&client->unlocks, &unlock->node);
	loop_work(client->loop, open_key, on_opened, unlock);
}

void dd_unlock(struct dd_client *client, const struct secret *password, dd_unlock_fn *done,
	       void *arg)
{
	struct unlock *unlock = mem_alloc(sizeof(*unlock));

	list_node_init(&unlock->node);
	unlock->client = client;
	unlock->lock_count = client->lock_count;
	unlock->done = done;
	unlock->arg = arg;
	unlock->password = secret_copy(password);
	call_get(call_create(client, CALL_REPEAT, on_sealed_key, unlock),
		 "/accounts/operation-key");
}

void unlock_abandon_all(struct dd_client *client)
{
	struct list_node *node;

	while ((node = list_pop_front(&client->unlocks))) {
		struct unlock *unlock = CONTAINER_OF(node, struct unlock, node);

		unlock->client = NULL;
		unlock->result.verdict = DD_UNKNOWN;
		unlock->result.class_ = DD_CLASS_RETRY;
		err_set(&unlock->result.err, ERR_STOPPING, "the exchange client is being closed");
		unlock->done(unlock->arg, &unlock->result, false);
	}
}
