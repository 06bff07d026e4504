/* bare ADDRESS - orders without the daemon: build, sign, submit, one after the other.
 *
 * What a careful client would do by itself with the same library on one kept-alive connection:
 * nothing is written down, queued or shared. ADDRESS is the exchange's ("http://127.0.0.1:8791");
 * DELTADEFI_API_KEY and TRADING_PASSWORD come from the environment. Each round is a number of
 * orders, all cancelled after it. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "client/deltadefi.h"
#include "net/loop.h"
#include "tests/bench/rounds.h"

#define SYMBOL "ADAUSDM"

struct bare {
	struct loop *loop;
	struct dd_client *client;
	struct samples samples;
};

static const struct decimal quantity = { .units = 100, .scale = 0 };
static const struct decimal price = { .units = 45, .scale = 2 };

static void must_be_done(const char *what, const struct dd_result *result)
{
	if (result->verdict != DD_DONE)
		rounds_fail("%s: %s", what, result->err.text);
}

static void cancelled(void *arg, const struct dd_result *result, const char *const *ids,
		      size_t count)
{
	struct bare *bare = arg;

	(void)ids, (void)count;
	must_be_done("cancel", result);
	loop_stop(bare->loop);
}

static void place(struct bare *bare);

static void submitted(void *arg, const struct dd_result *result, const struct dd_order *order)
{
	struct bare *bare = arg;

	must_be_done("submit", result);
	if (!order)
		rounds_fail("submit: the answer is no order");
	if (samples_stop(&bare->samples))
		place(bare);
	else
		dd_order_cancel_all(bare->client, SYMBOL, cancelled, bare);
}

static void built(void *arg, const struct dd_result *result, const char *order_id,
		  const char *tx_hex)
{
	struct bare *bare = arg;
	char tx_hash[65];
	char *signed_hex;
	struct err err;

	must_be_done("build", result);
	if (!dd_sign(bare->client, order_id, tx_hex, &signed_hex, tx_hash, &err))
		rounds_fail("sign: %s", err.text);
	dd_order_submit(bare->client, order_id, signed_hex, submitted, bare);
	mem_free(signed_hex);
}

static void place(struct bare *bare)
{
	struct dd_order_request request = {
		.symbol = SYMBOL,
		.side = DD_BUY,
		.type = DD_LIMIT,
		.base_quantity = &quantity,
		.price = &price,
		.max_slippage_bp = -1,
	};

	samples_start(&bare->samples);
	dd_order_build(bare->client, &request, built, bare);
}

static void unlocked(void *arg, const struct dd_result *result, bool hash_matches)
{
	struct bare *bare = arg;

	must_be_done("operation key", result);
	if (!hash_matches)
		rounds_fail("operation key: not the one that the exchange states");
	loop_stop(bare->loop);
}

static void unlock(struct bare *bare)
{
	struct secret *password = secret_take_env("TRADING_PASSWORD");

	if (!password)
		rounds_fail("TRADING_PASSWORD is not set");
	dd_unlock(bare->client, password, unlocked, bare);
	secret_destroy(password);
	loop_run(bare->loop);
}

static void connect_to(struct bare *bare, const char *address)
{
	struct secret *api_key = secret_take_env("DELTADEFI_API_KEY");
	struct dd_config config = {
		.rest_url = address,
		.connect_timeout_ms = 5000,
		.timeout_ms = 15000,
		.user_agent = "deltagate-bench",
	};
	struct err err;

	if (!dd_client_create(bare->loop, &config, api_key, &bare->client, &err))
		rounds_fail("%s", err.text);
	secret_destroy(api_key);
}

int main(int argc, char **argv)
{
	struct bare bare = { .loop = loop_create() };
	bool is_locked;
	int64_t count;
	struct err err;

	if (argc != 2)
		rounds_fail("usage: bare ADDRESS");
	if (!secret_init(&is_locked, &err))
		rounds_fail("%s", err.text);
	connect_to(&bare, argv[1]);
	unlock(&bare);
	while (rounds_next(&count, 1)) {
		samples_begin(&bare.samples, count);
		place(&bare);
		loop_run(bare.loop);
		samples_print(&bare.samples);
	}
	samples_fini(&bare.samples);
	dd_client_destroy(bare.client);
	loop_destroy(bare.loop);
	return 0;
}
