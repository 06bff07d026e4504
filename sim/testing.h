/* testing.h - what the unit tests of the simulator share: an exchange with two accounts, requests
 * in words, and signing as a client signs. Included by *_test.c only. */
#ifndef SIM_TESTING_H
#define SIM_TESTING_H
#include <sodium.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "sim/cbor.h"
#include "sim/exchange.h"
#include "sim/intake.h"
#include "sim/tx.h"

#define T0_US INT64_C(1700000000000000)

static inline struct wall after_ms(int64_t ms)
{
	return (struct wall){ T0_US + ms * 1000 };
}

/* Matches 50 ms after submit. */
static inline struct exchange *test_exchange(void)
{
	static const struct exchange_config config = {
		.seed = 7, .tx_lifetime_ms = 120000, .open_orders_max = 5, .match_delay = { 50, 50 }
	};
	static const char *const names[] = { "alice", "bob" };
	struct exchange *x = exchange_create(&config);

	exchange_run(x, after_ms(0));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct account *account = exchange_add_account(x, names[i], names[i], "secret");

		for (size_t asset = 0; asset < ASSET_COUNT; asset++)
			if (!exchange_credit(x, account, &market_assets[asset], 10000000000))
				return NULL;
	}
	return x;
}

static inline bool set_decimal(const char *text, struct decimal *value)
{
	struct err err;

	return text && decimal_parse(text, strlen(text), value, &err);
}

/* price NULL: a market order. */
static inline struct intake request(const char *symbol, enum side side, const char *base,
				    const char *price)
{
	struct intake in = { .side = side, .type = price ? TYPE_LIMIT : TYPE_MARKET };

	(void)STR_SET(in.symbol, symbol);
	in.has_base = set_decimal(base, &in.base);
	in.has_price = set_decimal(price, &in.price);
	(void)STR_SET(in.price_text, price ? price : "");
	return in;
}

/* Ed25519 with an extended key, from the definition. */
static inline void sign_hash(const struct opkey_root *leaf, const uint8_t public_key[32],
			     const uint8_t hash[32], uint8_t signature[64])
{
	crypto_hash_sha512_state state;
	uint8_t wide[64], r[32], k[32], product[32];

	crypto_hash_sha512_init(&state);
	crypto_hash_sha512_update(&state, leaf->kr, 32);
	crypto_hash_sha512_update(&state, hash, 32);
	crypto_hash_sha512_final(&state, wide);
	crypto_core_ed25519_scalar_reduce(r, wide);
	if (crypto_scalarmult_ed25519_base_noclamp(signature, r) != 0)
		return;
	crypto_hash_sha512_init(&state);
	crypto_hash_sha512_update(&state, signature, 32);
	crypto_hash_sha512_update(&state, public_key, 32);
	crypto_hash_sha512_update(&state, hash, 32);
	crypto_hash_sha512_final(&state, wide);
	crypto_core_ed25519_scalar_reduce(k, wide);
	crypto_core_ed25519_scalar_mul(product, k, leaf->kl);
	crypto_core_ed25519_scalar_add(signature + 32, r, product);
}

/* tx with the leaf's witness as a client inserts it: first entry of the witness set. */
static inline void sign_tx(const struct opkey_root *root, const uint8_t *tx, size_t len,
			   bool has_set_tag, struct buf *signed_tx)
{
	struct cbor_in in = { tx + 1, tx + len };
	struct opkey_root leaf;
	uint8_t public_key[32], hash[32], signature[64];

	if (!cbor_skip(&in))
		return;
	opkey_leaf(root, &leaf, public_key);
	crypto_generichash(hash, 32, tx + 1, (size_t)(in.at - tx - 1), NULL, 0);
	sign_hash(&leaf, public_key, hash, signature);
	buf_add(signed_tx, tx, (size_t)(in.at - tx));
	buf_add_char(signed_tx, (char)(*in.at + 1)); /* one entry more */
	cbor_uint(signed_tx, 0);
	if (has_set_tag)
		cbor_head(signed_tx, CBOR_TAG, CBOR_TAG_SET);
	cbor_head(signed_tx, CBOR_ARRAY, 1);
	cbor_head(signed_tx, CBOR_ARRAY, 2);
	cbor_bytes(signed_tx, public_key, 32);
	cbor_bytes(signed_tx, signature, 64);
	buf_add(signed_tx, in.at + 1, (size_t)(in.end - in.at - 1));
}

/* Signs and submits a built order. */
static inline enum code test_submit(struct exchange *x, struct order *order)
{
	const char *why;
	struct buf signed_tx;
	enum code code;

	buf_init(&signed_tx, TX_MAX);
	sign_tx(&order->account->opkey, order->tx, order->tx_len, false, &signed_tx);
	code = intake_submit(x, order->account, order->id, (uint8_t *)signed_tx.data, signed_tx.len,
			     &order, &why);
	buf_fini(&signed_tx);
	return code;
}

/* Builds, signs and submits; the order is processing then. */
static inline enum code test_place(struct exchange *x, const char *account, struct intake in,
				   struct order **order)
{
	enum code code = intake_build(x, exchange_account(x, account), &in, order);

	return code ? code : test_submit(x, *order);
}

/* A limit order of ADAUSDM, processing; NULL when it is refused. */
static inline struct order *test_place_ada(struct exchange *x, const char *account, enum side side,
					   const char *base, const char *price)
{
	struct order *order = NULL;

	if (test_place(x, account, request("ADAUSDM", side, base, price), &order))
		return NULL;
	return order;
}

/* To the book, or as far as it goes. */
static inline struct order *test_place_now(struct exchange *x, const char *account, enum side side,
					   const char *base, const char *price)
{
	struct order *order = test_place_ada(x, account, side, base, price);

	exchange_run(x, (struct wall){ x->now.us + 50000 });
	return order;
}

static inline const struct balance *test_balance(struct exchange *x, const char *account,
						 enum asset_id asset)
{
	return &exchange_account(x, account)->balances[asset];
}
#endif
