#include "sim/tx.h"

#include <sodium.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "sim/cbor.h"
#include "sim/draw.h"
#include "sim/order.h"

#define HASH28             28
#define ADDRESS_BASE       0x00 /* key and stake key, test network */
#define ADDRESS_KEY        0x60 /* enterprise addresses */
#define ADDRESS_SCRIPT     0x70
#define ONCHAIN_PRICE_ONE  1000 /* prices on chain have 12 places, ours 9 */
#define HYDRA_TOKEN_SERIES "tx:hydra-token"
#define APP_OWNER_SERIES   "tx:app-owner"

/* Keys of the body's map. */
enum {
	BODY_INPUTS = 0,
	BODY_OUTPUTS = 1,
	BODY_FEE = 2,
	BODY_MINT = 9,
	BODY_SCRIPT_DATA = 11,
	BODY_SIGNERS = 14,
	BODY_NETWORK = 15,
	BODY_REFERENCES = 18
};
enum { OUTPUT_ADDRESS = 0, OUTPUT_VALUE = 1, OUTPUT_DATUM = 2 };
enum { WITNESS_VKEYS = 0, WITNESS_REDEEMERS = 5 };

/* How this transaction is written where writers differ. */
struct form {
	bool has_set_tags, has_redeemers, has_redeemer_map, has_open_lists;
	bool has_change, has_foreign_payee;
};

static struct form form_of(uint64_t seed, const char *order_id, bool has_foreign_payee)
{
	uint64_t bits = draw_number(seed, order_id, 0);

	return (struct form){ .has_set_tags = bits & 1,
			      .has_redeemers = (bits & 6) != 0,
			      .has_redeemer_map = bits & 8,
			      .has_open_lists = bits & 16,
			      .has_change = bits & 32,
			      .has_foreign_payee = has_foreign_payee };
}

static void draw_hash(uint64_t seed, const char *series, size_t len, uint8_t *hash)
{
	uint8_t drawn[32];

	draw_bytes(seed, series, len, drawn, sizeof(drawn));
	memcpy(hash, drawn, len);
}

static void add_drawn_hash(struct buf *tx, uint64_t seed, const char *series, size_t len)
{
	uint8_t hash[32];

	draw_hash(seed, series, len, hash);
	cbor_bytes(tx, hash, len);
}

static void set_head(struct buf *tx, const struct form *form, uint64_t count)
{
	if (form->has_set_tags)
		cbor_head(tx, CBOR_TAG, CBOR_TAG_SET);
	cbor_head(tx, CBOR_ARRAY, count);
}

static void constr_open(struct buf *to, const struct form *form, uint64_t which, uint64_t fields)
{
	cbor_head(to, CBOR_TAG, CBOR_CONSTR0 + which);
	if (form->has_open_lists)
		cbor_open(to, CBOR_ARRAY);
	else
		cbor_head(to, CBOR_ARRAY, fields);
}

static void constr_close(struct buf *to, const struct form *form)
{
	if (form->has_open_lists)
		cbor_close(to);
}

static void add_flag(struct buf *to, bool flag)
{
	cbor_head(to, CBOR_TAG, CBOR_CONSTR0 + flag);
	cbor_head(to, CBOR_ARRAY, 0);
}

/* On the head every token has the same policy, and BLAKE2b-256 of its own unit as name. */
static void add_l2_token(struct buf *to, const struct form *form, uint64_t seed,
			 const struct asset *asset)
{
	uint8_t name[32];

	constr_open(to, form, 0, 2);
	if (asset->id == ASSET_ADA) {
		cbor_bytes(to, "", 0);
		cbor_bytes(to, "", 0);
	} else {
		crypto_generichash(name, sizeof(name), (const uint8_t *)asset->unit,
				   strlen(asset->unit), NULL, 0);
		add_drawn_hash(to, seed, HYDRA_TOKEN_SERIES, HASH28);
		cbor_bytes(to, name, sizeof(name));
	}
	constr_close(to, form);
}

static void add_account(struct buf *to, const struct form *form, const struct account *account)
{
	uint8_t id[16], hash[HASH28];
	size_t len;

	uuid_bytes(account->id, id);
	if (!hex_decode(account->opkey_hash, strlen(account->opkey_hash), hash, sizeof(hash), &len))
		len = 0;
	constr_open(to, form, 0, 2);
	cbor_bytes(to, id, sizeof(id));
	constr_open(to, form, 0, 1);
	cbor_bytes(to, hash, len);
	constr_close(to, form);
	constr_close(to, form);
}

static void add_intent(struct buf *to, const struct form *form, uint64_t seed,
		       const struct order *order)
{
	uint8_t id[16];

	uuid_bytes(order->id, id);
	constr_open(to, form, 0, 9);
	cbor_bytes(to, id, sizeof(id));
	add_l2_token(to, form, seed, order->pair->base);
	add_l2_token(to, form, seed, order->pair->quote);
	add_flag(to, order->side == SIDE_BUY);
	cbor_uint(to, (uint64_t)order->price * ONCHAIN_PRICE_ONE);
	cbor_uint(to, (uint64_t)order->base_units);
	cbor_uint(to, FEE_BP);
	add_account(to, form, order->account);
	add_flag(to, order->type == TYPE_MARKET);
	constr_close(to, form);
}

static void add_intent_output(struct buf *tx, const struct form *form, uint64_t seed,
			      const struct order *order)
{
	uint8_t address[1 + HASH28] = { ADDRESS_SCRIPT };
	struct buf datum;

	buf_init(&datum, TX_MAX);
	constr_open(&datum, form, 0, 2);
	add_account(&datum, form, order->account);
	add_intent(&datum, form, seed, order);
	constr_close(&datum, form);

	draw_bytes(seed, "tx:intent-script", 0, address + 1, HASH28);
	cbor_head(tx, CBOR_MAP, 3);
	cbor_uint(tx, OUTPUT_ADDRESS);
	cbor_bytes(tx, address, sizeof(address));
	cbor_uint(tx, OUTPUT_VALUE);
	cbor_head(tx, CBOR_ARRAY, 2);
	cbor_uint(tx, 0);
	cbor_head(tx, CBOR_MAP, 1);
	add_drawn_hash(tx, seed, "tx:intent-policy", HASH28);
	cbor_head(tx, CBOR_MAP, 1);
	cbor_bytes(tx, "", 0);
	cbor_uint(tx, 1);
	cbor_uint(tx, OUTPUT_DATUM);
	cbor_head(tx, CBOR_ARRAY, 2);
	cbor_uint(tx, 1);
	cbor_head(tx, CBOR_TAG, CBOR_TAG_BYTES);
	cbor_bytes(tx, datum.data, datum.len);
	buf_fini(&datum);
}

/* Nothing, to the exchange's key, in the older form of outputs. */
static void add_change_output(struct buf *tx, uint64_t seed)
{
	uint8_t address[1 + 2 * HASH28] = { ADDRESS_BASE };

	draw_hash(seed, APP_OWNER_SERIES, HASH28, address + 1);
	draw_hash(seed, "tx:app-owner-stake", HASH28, address + 1 + HASH28);
	cbor_head(tx, CBOR_ARRAY, 2);
	cbor_bytes(tx, address, sizeof(address));
	cbor_uint(tx, 0);
}

static void add_foreign_output(struct buf *tx, uint64_t seed)
{
	uint8_t address[1 + HASH28] = { ADDRESS_KEY };

	draw_hash(seed, "tx:foreign-payee", HASH28, address + 1);
	cbor_head(tx, CBOR_MAP, 2);
	cbor_uint(tx, OUTPUT_ADDRESS);
	cbor_bytes(tx, address, sizeof(address));
	cbor_uint(tx, OUTPUT_VALUE);
	cbor_uint(tx, 1000000);
}

static void add_outputs(struct buf *tx, const struct form *form, uint64_t seed,
			const struct order *order)
{
	cbor_head(tx, CBOR_ARRAY, 1 + form->has_change + form->has_foreign_payee);
	add_intent_output(tx, form, seed, order);
	if (form->has_change)
		add_change_output(tx, seed);
	if (form->has_foreign_payee)
		add_foreign_output(tx, seed);
}

static void add_input(struct buf *tx, uint64_t seed, const char *series)
{
	cbor_head(tx, CBOR_ARRAY, 2);
	add_drawn_hash(tx, seed, series, 32);
	cbor_uint(tx, 0);
}

static void add_mint(struct buf *tx, uint64_t seed)
{
	cbor_head(tx, CBOR_MAP, 1);
	add_drawn_hash(tx, seed, "tx:intent-policy", HASH28);
	cbor_head(tx, CBOR_MAP, 1);
	cbor_bytes(tx, "", 0);
	cbor_uint(tx, 1);
}

static void add_signers(struct buf *tx, const struct form *form, uint64_t seed,
			const struct account *account)
{
	uint8_t hash[HASH28] = { 0 };
	size_t len = 0;

	if (!hex_decode(account->opkey_hash, strlen(account->opkey_hash), hash, HASH28, &len))
		len = 0;
	set_head(tx, form, 2);
	cbor_bytes(tx, hash, len);
	add_drawn_hash(tx, seed, APP_OWNER_SERIES, HASH28);
}

static void add_body(struct buf *tx, const struct form *form, uint64_t seed,
		     const struct order *order)
{
	cbor_head(tx, CBOR_MAP, form->has_redeemers ? 8 : 6);
	cbor_uint(tx, BODY_INPUTS);
	set_head(tx, form, 1);
	add_input(tx, seed, order->id);
	cbor_uint(tx, BODY_OUTPUTS);
	add_outputs(tx, form, seed, order);
	cbor_uint(tx, BODY_FEE);
	cbor_uint(tx, 0);
	cbor_uint(tx, BODY_MINT);
	add_mint(tx, seed);
	if (form->has_redeemers) {
		cbor_uint(tx, BODY_SCRIPT_DATA);
		add_drawn_hash(tx, seed, "tx:script-data", 32);
	}
	cbor_uint(tx, BODY_SIGNERS);
	add_signers(tx, form, seed, order->account);
	cbor_uint(tx, BODY_NETWORK);
	cbor_uint(tx, 0);
	if (form->has_redeemers) {
		cbor_uint(tx, BODY_REFERENCES);
		set_head(tx, form, 1);
		add_input(tx, seed, "tx:oracle");
	}
}

static void add_budget(struct buf *tx)
{
	cbor_head(tx, CBOR_ARRAY, 2);
	cbor_uint(tx, 700000);
	cbor_uint(tx, 250000000);
}

/* One redeemer, for the mint. */
static void add_witness_set(struct buf *tx, const struct form *form)
{
	cbor_head(tx, CBOR_MAP, form->has_redeemers);
	if (!form->has_redeemers)
		return;
	cbor_uint(tx, WITNESS_REDEEMERS);
	cbor_head(tx, form->has_redeemer_map ? CBOR_MAP : CBOR_ARRAY, 1);
	cbor_head(tx, CBOR_ARRAY, form->has_redeemer_map ? 2 : 4);
	cbor_uint(tx, 1);
	cbor_uint(tx, 0);
	if (form->has_redeemer_map)
		cbor_head(tx, CBOR_ARRAY, 2);
	add_flag(tx, false);
	add_budget(tx);
}

void tx_build(uint64_t seed, const struct order *order, bool has_foreign_payee, struct buf *tx)
{
	struct form form = form_of(seed, order->id, has_foreign_payee);

	cbor_head(tx, CBOR_ARRAY, 4);
	add_body(tx, &form, seed, order);
	add_witness_set(tx, &form);
	cbor_true(tx);
	cbor_null(tx);
}

/* ---- what comes back ---- */

struct slice {
	const uint8_t *at;
	size_t len;
};

struct parts {
	struct slice body, witnesses, rest; /* rest: is_valid and auxiliary data */
};

static bool same(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static bool take_item(struct cbor_in *in, struct slice *item)
{
	item->at = in->at;
	if (!cbor_skip(in))
		return false;
	item->len = (size_t)(in->at - item->at);
	return true;
}

static bool split(const uint8_t *tx, size_t len, struct parts *parts)
{
	struct cbor_in in = { tx, tx + len };
	struct cbor_item head;
	struct slice is_valid, aux;

	if (!cbor_next(&in, &head) || head.major != CBOR_ARRAY || head.is_open || head.value != 4)
		return false;
	if (!take_item(&in, &parts->body) || !take_item(&in, &parts->witnesses) ||
	    !take_item(&in, &is_valid) || !take_item(&in, &aux) || in.at != in.end)
		return false;
	parts->rest = (struct slice){ is_valid.at, is_valid.len + aux.len };
	return true;
}

/* Parts a witness set into the value under key 0 (len 0: none) and the bytes of all other
 * entries in their order. Two entries with key 0 are malformed. */
static bool split_witnesses(struct slice set, struct slice *vkeys, struct buf *others)
{
	struct cbor_in in = { set.at, set.at + set.len };
	struct cbor_item head;
	uint64_t seen = 0;

	*vkeys = (struct slice){ NULL, 0 };
	if (!cbor_next(&in, &head) || head.major != CBOR_MAP)
		return false;
	while (cbor_has_more(&in, &head, &seen)) {
		struct slice key, value;

		if (!take_item(&in, &key) || !take_item(&in, &value))
			return false;
		if (key.len != 1 || *key.at != WITNESS_VKEYS) {
			buf_add(others, key.at, key.len + value.len);
			continue;
		}
		if (vkeys->len > 0)
			return false;
		*vkeys = value;
	}
	return true;
}

static bool is_good_witness(const uint8_t key[32], const uint8_t signature[64],
			    const uint8_t hash[32], const char *opkey_hash_hex)
{
	char key_hash[OPKEY_HASH_HEX];

	opkey_hash(key, key_hash);
	return strcmp(key_hash, opkey_hash_hex) == 0 &&
	       crypto_sign_ed25519_verify_detached(signature, hash, 32, key) == 0;
}

static enum code check_vkeys(struct slice vkeys, struct slice body, const char *opkey_hash_hex,
			     const char **why)
{
	struct cbor_in in = { vkeys.at, vkeys.at + vkeys.len };
	struct cbor_item head, pair;
	const uint8_t *key, *signature;
	uint8_t hash[32];
	uint64_t seen = 0;
	bool is_signed = false;

	*why = "the vkey witnesses are malformed";
	crypto_generichash(hash, sizeof(hash), body.at, body.len, NULL, 0);
	if (!cbor_next(&in, &head))
		return CODE_INVALID;
	if (head.major == CBOR_TAG && (head.value != CBOR_TAG_SET || !cbor_next(&in, &head)))
		return CODE_INVALID;
	if (head.major != CBOR_ARRAY)
		return CODE_INVALID;
	while (cbor_has_more(&in, &head, &seen)) {
		if (!cbor_next(&in, &pair) || pair.major != CBOR_ARRAY || pair.is_open ||
		    pair.value != 2 || !cbor_fixed_bytes(&in, 32, &key) ||
		    !cbor_fixed_bytes(&in, 64, &signature))
			return CODE_INVALID;
		is_signed = is_signed || is_good_witness(key, signature, hash, opkey_hash_hex);
	}
	*why = is_signed ? "" : "no witness of the account's key verifies over the body's hash";
	return is_signed ? CODE_DONE : CODE_UNSIGNED;
}

enum code tx_check(const uint8_t *built, size_t built_len, const uint8_t *signed_tx,
		   size_t signed_len, const char *opkey_hash_hex, const char **why)
{
	struct parts ours, theirs;
	struct slice no_vkeys, vkeys;
	struct buf kept, came;
	enum code code = CODE_INVALID;

	buf_init(&kept, TX_MAX);
	buf_init(&came, TX_MAX);
	*why = "not a transaction of four parts";
	if (!split(built, built_len, &ours) || !split(signed_tx, signed_len, &theirs))
		goto out;
	*why = "the body is not the one that was built";
	if (!same(ours.body, theirs.body))
		goto out;
	*why = "validity flag or auxiliary data were changed";
	if (!same(ours.rest, theirs.rest))
		goto out;
	*why = "witnesses that were built in are missing or changed";
	if (!split_witnesses(ours.witnesses, &no_vkeys, &kept) ||
	    !split_witnesses(theirs.witnesses, &vkeys, &came) || kept.is_full || came.is_full ||
	    kept.len != came.len || memcmp(buf_str(&kept), buf_str(&came), kept.len) != 0)
		goto out;
	*why = "there is no vkey witness";
	code = CODE_UNSIGNED;
	if (vkeys.len > 0)
		code = check_vkeys(vkeys, theirs.body, opkey_hash_hex, why);
out:
	buf_fini(&kept);
	buf_fini(&came);
	return code;
}
