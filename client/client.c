#include "client/client.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "client/call.h"
#include "client/opkey.h"
#include "client/tx.h"
#include "net/fetch.h"
#include "net/loop.h"

#define BASE_URL_MAX    256
#define CONNECTIONS_MAX 8 /* kept warm: a TLS handshake costs more than the request */

static const struct {
	const char *name, *rest_url, *stream_url;
} networks[] = {
	{ "mainnet", "https://api.deltadefi.io", "wss://stream.deltadefi.io" },
	{ "preprod", "https://api-staging.deltadefi.io", "wss://stream-staging.deltadefi.io" },
};

const char *dd_network_rest_url(const char *network)
{
	for (size_t i = 0; i < ARRAY_LEN(networks); i++)
		if (strcmp(networks[i].name, network) == 0)
			return networks[i].rest_url;
	return NULL;
}

const char *dd_network_stream_url(const char *network)
{
	for (size_t i = 0; i < ARRAY_LEN(networks); i++)
		if (strcmp(networks[i].name, network) == 0)
			return networks[i].stream_url;
	return NULL;
}

static bool check_base_url(const char *url, struct err *err)
{
	if (!fetch_url_check(url, err))
		return false;
	if (strlen(url) > BASE_URL_MAX || strpbrk(url, "?#"))
		return err_set(err, ERR_CONFIG,
			       "the exchange's address is too long or has a query: %s", url);
	return true;
}

bool dd_client_create(struct loop *loop, const struct dd_config *config,
		      const struct secret *api_key, struct dd_client **result, struct err *err)
{
	struct fetcher_config fetcher_config = {
		.ca_file = config->ca_file,
		.connect_timeout_ms = config->connect_timeout_ms,
		.host_connections_max = CONNECTIONS_MAX,
		.user_agent = config->user_agent,
	};
	size_t len = strlen(config->rest_url);
	struct fetcher *fetcher;
	struct dd_client *client;

	if (!check_base_url(config->rest_url, err) ||
	    !fetcher_create(loop, &fetcher_config, &fetcher, err))
		return false;
	client = mem_alloc(sizeof(*client));
	client->loop = loop;
	client->fetcher = fetcher;
	while (len > 0 && config->rest_url[len - 1] == '/')
		len--;
	client->base_url = mem_strndup(config->rest_url, len);
	client->timeout_ms = config->timeout_ms;
	client->api_key = secret_copy(api_key);
	list_init(&client->calls);
	list_init(&client->unlocks);
	*result = client;
	return true;
}

void dd_client_destroy(struct dd_client *client)
{
	if (!client)
		return;
	assert(loop_is_mine(client->loop));
	client->is_closing = true; /* completions may ask for more: refused from now on */
	fetcher_destroy(client->fetcher);
	call_complete_all(&client->calls);
	unlock_abandon_all(client);
	opkey_destroy(client->opkey);
	secret_destroy(client->api_key);
	mem_free(client->base_url);
	mem_free(client);
}

void dd_client_set_api_key(struct dd_client *client, const struct secret *api_key)
{
	struct secret *old = client->api_key;

	client->api_key = secret_copy(api_key);
	secret_destroy(old);
}

void dd_lock(struct dd_client *client)
{
	client->lock_count++;
	opkey_destroy(client->opkey);
	client->opkey = NULL;
	client->key_hash[0] = '\0';
}

bool dd_is_unlocked(const struct dd_client *client)
{
	return client->opkey != NULL;
}

const char *dd_key_hash(const struct dd_client *client)
{
	return client->key_hash;
}

/* No refusal: that the exchange fills the list as it should is not confirmed. */
static void warn_of_signers(struct dd_client *client, const struct tx *tx, const char *order_id)
{
	if (tx_required_signers(tx, opkey_hash(client->opkey)) != TX_SIGNERS_NAME_OTHERS ||
	    strcmp(client->warned_key_hash, client->key_hash) == 0)
		return;
	STR_SET(client->warned_key_hash, client->key_hash);
	LOG(WARN, "tx.signer_missing", F_STR("exchange_order_id", order_id),
	    F_STR("key_hash", client->key_hash));
}

bool dd_sign(struct dd_client *client, const char *order_id, const char *tx_hex, char **signed_hex,
	     char tx_hash_hex[65], struct err *err)
{
	uint8_t hash[TX_HASH_LEN];
	struct tx *tx = NULL;
	struct buf buf;
	bool ok = false;

	buf_init(&buf, TX_SIGNED_HEX_MAX);
	if (!client->opkey) {
		err_set(err, ERR_OPKEY_LOCKED, "the operation key is locked");
		goto out;
	}
	if (!tx_parse(tx_hex, strlen(tx_hex), &tx, err) || !tx_check_order(tx, order_id, err) ||
	    !tx_check_payees(tx, err))
		goto out;
	warn_of_signers(client, tx, order_id);
	if (!tx_sign(tx, client->opkey, &buf, err))
		goto out;
	tx_hash(tx, hash);
	hex_encode(hash, sizeof(hash), tx_hash_hex);
	*signed_hex = buf_take(&buf);
	ok = true;
out:
	tx_destroy(tx);
	buf_fini(&buf);
	return ok;
}
