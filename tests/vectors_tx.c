/* vectors_tx.c - from a transaction to the signed one. */
#include "tests/vectors.h"

#include <sodium.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "client/opkey.h"
#include "client/tx.h"

static struct opkey *make_key(struct run *run, const json_t *item)
{
	struct secret *text = secret_from_str(vectors_text(run, item, "root_xprv"));
	struct err err;
	struct opkey *key = opkey_from_root(text, &err);

	secret_destroy(text);
	if (!key) {
		vectors_fail(run, "root key: %s", err.text);
		return NULL;
	}
	vectors_check(run, item, "vkey", opkey_vkey(key), BIP32_VKEY_LEN);
	vectors_check(run, item, "key_hash", opkey_hash(key), BIP32_HASH_LEN);
	return key;
}

/* NULL when the transaction is refused; else the signed one, mem_ allocated. */
static char *sign(struct run *run, const char *hex, size_t hex_len, const struct opkey *key,
		  struct err *err)
{
	struct buf signed_hex;
	char *result = NULL;
	struct tx *tx;

	if (!tx_parse(hex, hex_len, &tx, err))
		goto out;
	buf_init(&signed_hex, TX_SIGNED_HEX_MAX);
	if (tx_sign(tx, key, &signed_hex, err))
		result = buf_take(&signed_hex);
	buf_fini(&signed_hex);
	tx_destroy(tx);
out:
	if (!result && err->code != ERR_TX)
		vectors_fail(run, "refused with code %s", err_word(err->code));
	return result;
}

/* ---- is a signed transaction what it should be, whatever its form? --------------------- */

/* Two transactions in hex, and the same in bytes. */
struct pair {
	struct tx *before, *after;
	uint8_t *before_bytes, *after_bytes;
	size_t before_len, after_len;
};

static bool is_own(const struct tx *tx, size_t i, const struct opkey *key)
{
	return memcmp(tx_witness_vkey(tx, i), opkey_vkey(key), BIP32_VKEY_LEN) == 0;
}

/* Exactly one witness of ours, and it verifies as any Ed25519 signature does. */
static void check_own_witness(struct run *run, const struct tx *tx, const struct opkey *key)
{
	uint8_t hash[TX_HASH_LEN];
	size_t found = 0;

	tx_hash(tx, hash);
	for (size_t i = 0; i < tx_witness_count(tx); i++) {
		if (!is_own(tx, i, key))
			continue;
		found++;
		if (crypto_sign_verify_detached(tx_witness_signature(tx, i), hash, sizeof(hash),
						opkey_vkey(key)) != 0)
			vectors_fail(run, "our signature does not verify");
	}
	if (found != 1)
		vectors_fail(run, "%zu witnesses of ours", found);
}

static void check_other_witnesses(struct run *run, const struct pair *pair, const struct opkey *key)
{
	size_t at = 0;

	for (size_t i = 0; i < tx_witness_count(pair->before); i++) {
		if (is_own(pair->before, i, key))
			continue;
		while (at < tx_witness_count(pair->after) && is_own(pair->after, at, key))
			at++;
		if (at == tx_witness_count(pair->after) ||
		    memcmp(tx_witness_vkey(pair->before, i), tx_witness_vkey(pair->after, at),
			   BIP32_VKEY_LEN) != 0 ||
		    memcmp(tx_witness_signature(pair->before, i),
			   tx_witness_signature(pair->after, at), BIP32_SIGNATURE_LEN) != 0) {
			vectors_fail(run, "another's witness was changed");
			return;
		}
		at++;
	}
}

/* All but the witness set keeps its bytes: what is before it, and what is after it. */
static void check_surroundings(struct run *run, const struct pair *pair)
{
	struct tx_range before = tx_witness_set(pair->before), after = tx_witness_set(pair->after);
	size_t rest = pair->before_len - before.at - before.len;

	if (before.at != after.at || rest != pair->after_len - after.at - after.len ||
	    memcmp(pair->before_bytes, pair->after_bytes, before.at) != 0 ||
	    memcmp(pair->before_bytes + before.at + before.len,
		   pair->after_bytes + after.at + after.len, rest) != 0)
		vectors_fail(run, "more than the witness set was changed");
}

static bool read_bytes(const char *hex, size_t hex_len, uint8_t **bytes, size_t *len)
{
	*bytes = mem_alloc(hex_len / 2 + 1);
	return hex_decode(hex, hex_len, *bytes, hex_len / 2, len);
}

static void check_signed(struct run *run, const char *hex, size_t hex_len, const char *signed_hex,
			 const struct opkey *key)
{
	struct pair pair = { 0 };
	struct err err;

	if (!read_bytes(hex, hex_len, &pair.before_bytes, &pair.before_len) ||
	    !read_bytes(signed_hex, strlen(signed_hex), &pair.after_bytes, &pair.after_len) ||
	    !tx_parse(hex, hex_len, &pair.before, &err) ||
	    !tx_parse(signed_hex, strlen(signed_hex), &pair.after, &err)) {
		vectors_fail(run, "what was signed cannot be read again");
	} else {
		check_own_witness(run, pair.after, key);
		check_other_witnesses(run, &pair, key);
		check_surroundings(run, &pair);
	}
	tx_destroy(pair.before);
	tx_destroy(pair.after);
	mem_free(pair.before_bytes);
	mem_free(pair.after_bytes);
}

/* ---- signing.json ---------------------------------------------------------------------- */

static void check_range(struct run *run, const json_t *item, const char *at_name,
			const char *len_name, struct tx_range range)
{
	if (json_integer_value(json_object_get(item, at_name)) != (json_int_t)range.at ||
	    json_integer_value(json_object_get(item, len_name)) != (json_int_t)range.len)
		vectors_fail(run, "\"%s\" or \"%s\" is another", at_name, len_name);
}

static void check_count(struct run *run, const json_t *item, const char *name, const struct tx *tx)
{
	const json_t *count = json_object_get(item, name);

	if (!json_is_integer(count) ||
	    json_integer_value(count) != (json_int_t)tx_witness_count(tx))
		vectors_fail(run, "\"%s\" is another", name);
}

static void check_before(struct run *run, const json_t *item, const struct tx *tx)
{
	uint8_t hash[TX_HASH_LEN];

	tx_hash(tx, hash);
	vectors_check(run, item, "body_hash", hash, sizeof(hash));
	check_range(run, item, "body_offset", "body_length", tx_body(tx));
	check_range(run, item, "witness_set_offset", "witness_set_length", tx_witness_set(tx));
	check_count(run, item, "vkeys_before", tx);
}

static void check_after(struct run *run, const json_t *item, const char *signed_hex,
			const struct opkey *key)
{
	struct tx *tx;
	struct err err;

	if (strcmp(signed_hex, vectors_text(run, item, "signed_tx_hex")) != 0)
		vectors_fail(run, "\"signed_tx_hex\" is another");
	if (!tx_parse(signed_hex, strlen(signed_hex), &tx, &err)) {
		vectors_fail(run, "cannot be read again: %s", err.text);
		return;
	}
	check_count(run, item, "vkeys_after", tx);
	check_range(run, item, "witness_set_offset", "signed_witness_set_length",
		    tx_witness_set(tx));
	vectors_check(run, item, "vkey", opkey_vkey(key), BIP32_VKEY_LEN);
	for (size_t i = 0; i < tx_witness_count(tx); i++)
		if (is_own(tx, i, key))
			vectors_check(run, item, "signature", tx_witness_signature(tx, i),
				      BIP32_SIGNATURE_LEN);
	tx_destroy(tx);
}

/* Is what was done to the witnesses what the case calls it? The bytes prove the rest. */
static void check_action(struct run *run, const json_t *item, const struct tx *tx, const char *hex,
			 const char *signed_hex)
{
	const char *action = vectors_text(run, item, "action");
	bool is_same = strcasecmp(hex, signed_hex) == 0;
	bool has_grown = strlen(signed_hex) > strlen(hex);
	bool fits = strcmp(action, "already_signed") == 0   ? is_same
		    : strcmp(action, "stale_replaced") == 0 ? !is_same && !has_grown
		    : strcmp(action, "appended") == 0       ? has_grown
		    : strcmp(action, "key0_inserted") == 0  ? has_grown && tx_witness_count(tx) == 0
							    : false;

	if (!fits)
		vectors_fail(run, "not \"%s\"", action);
}

static const json_t *find_key(const json_t *keys, const char *id)
{
	size_t i;
	const json_t *key;

	json_array_foreach(keys, i, key) if (strcmp(json_string_value(json_object_get(key, "id")),
						    id) == 0) return key;
	return NULL;
}

static void signing_case(struct run *run, const json_t *item, void *arg)
{
	const json_t *keys = arg;
	const char *hex = vectors_text(run, item, "tx_hex");
	enum expect expect = vectors_expect(run, item);
	struct opkey *key = make_key(run, find_key(keys, vectors_text(run, item, "key")));
	char *signed_hex = key ? NULL : mem_strdup("");
	struct tx *tx = NULL;
	struct err err;

	if (!key)
		goto out;
	signed_hex = sign(run, hex, strlen(hex), key, &err);
	if (!signed_hex) {
		if (expect == EXPECT_OK)
			vectors_fail(run, "refused: %s", err.text);
		goto out;
	}
	if (expect == EXPECT_REFUSE)
		vectors_fail(run, "signed");
	if (tx_parse(hex, strlen(hex), &tx, &err)) {
		check_before(run, item, tx);
		check_action(run, item, tx, hex, signed_hex);
	}
	check_after(run, item, signed_hex, key);
	check_signed(run, hex, strlen(hex), signed_hex, key);
out:
	tx_destroy(tx);
	mem_free(signed_hex);
	opkey_destroy(key);
}

void vectors_signing(struct run *run, const json_t *root)
{
	vectors_each(run, json_object_get(root, "cases"), signing_case,
		     json_object_get(root, "keys"));
}

/* ---- malformed.json -------------------------------------------------------------------- */

static void malformed_case(struct run *run, const json_t *item, void *arg)
{
	const struct opkey *key = arg;
	const json_t *text = json_object_get(item, "tx_hex");
	const char *hex = vectors_text(run, item, "tx_hex");
	enum expect expect = vectors_expect(run, item);
	const char *wanted = json_string_value(json_object_get(item, "signed_tx_hex_if_accepted"));
	struct err err;
	char *signed_hex = sign(run, hex, json_string_length(text), key, &err);

	if (signed_hex && expect == EXPECT_REFUSE)
		vectors_fail(run, "signed");
	if (!signed_hex && expect == EXPECT_OK)
		vectors_fail(run, "refused: %s", err.text);
	if (signed_hex && wanted && strcmp(signed_hex, wanted) != 0)
		vectors_fail(run, "\"signed_tx_hex_if_accepted\" is another");
	if (signed_hex)
		check_signed(run, hex, json_string_length(text), signed_hex, key);
	mem_free(signed_hex);
}

/* Every proper prefix, by digits rather than bytes: the odd ones are to be refused as well. */
static void prefix_case(struct run *run, const json_t *item, void *arg)
{
	const struct opkey *key = arg;
	const char *hex = vectors_text(run, item, "tx_hex");
	size_t hex_len = strlen(hex);
	struct err err;
	char *signed_hex;

	if (json_integer_value(json_object_get(item, "bytes")) != (json_int_t)(hex_len / 2))
		vectors_fail(run, "\"bytes\" is another");
	for (size_t len = 0; len < hex_len && !run->has_failed; len++) {
		/* A copy of its own, so that reading past the end is seen. */
		char *prefix = mem_alloc(len + 1);

		memcpy(prefix, hex, len);
		signed_hex = sign(run, prefix, len, key, &err);
		if (signed_hex)
			vectors_fail(run, "the first %zu digits were signed", len);
		mem_free(signed_hex);
		mem_free(prefix);
	}
	signed_hex = sign(run, hex, hex_len, key, &err);
	if (!signed_hex)
		vectors_fail(run, "the whole was refused: %s", err.text);
	else if (strcmp(signed_hex, vectors_text(run, item, "signed_tx_hex")) != 0)
		vectors_fail(run, "\"signed_tx_hex\" is another");
	mem_free(signed_hex);
}

static void replacement_case(struct run *run, const json_t *item, void *arg)
{
	const struct opkey *key = arg;
	uint8_t values[256];
	size_t value_count = vectors_bytes(run, item, "values_hex", values, sizeof(values));
	char *hex = mem_strdup(vectors_text(run, item, "tx_hex"));
	size_t hex_len = strlen(hex), signed_count = 0;
	struct err err;

	for (size_t at = 0; at + 1 < hex_len; at += 2)
		for (size_t i = 0; i < value_count && !run->has_failed; i++) {
			char kept[2] = { hex[at], hex[at + 1] }, digits[3];
			char *signed_hex;

			hex_encode(&values[i], 1, digits);
			memcpy(hex + at, digits, 2);
			signed_hex = sign(run, hex, hex_len, key, &err);
			if (signed_hex)
				check_signed(run, hex, hex_len, signed_hex, key);
			if (run->has_failed)
				vectors_fail(run, "byte %zu replaced by %s", at / 2, digits);
			signed_count += signed_hex != NULL;
			mem_free(signed_hex);
			memcpy(hex + at, kept, 2);
		}
	/* Most bytes are hashes and keys, which may be anything: a sweep that never signs, or
	 * never refuses, tests nothing. */
	if (signed_count == 0 || signed_count >= hex_len / 2 * value_count)
		vectors_fail(run, "%zu of %zu were signed", signed_count,
			     hex_len / 2 * value_count);
	mem_free(hex);
}

/* The recipe may be one or a list of them. */
static void run_replacements(struct run *run, json_t *recipe, struct opkey *key)
{
	json_t *list = json_is_array(recipe) ? json_incref(recipe) : json_pack("[O]", recipe);

	vectors_each(run, list, replacement_case, key);
	json_decref(list);
}

void vectors_malformed(struct run *run, const json_t *root)
{
	struct opkey *key = make_key(run, json_object_get(root, "key"));
	const json_t *sweeps = json_object_get(root, "prefix_sweeps");
	json_t *recipe = json_object_get(root, "byte_replacement");

	if (run->has_failed || json_array_size(sweeps) == 0 || !recipe) {
		vectors_fail(run, "key, prefix sweeps or byte replacement are missing");
		run->failed++;
	} else {
		vectors_each(run, json_object_get(root, "cases"), malformed_case, key);
		vectors_each(run, sweeps, prefix_case, key);
		run_replacements(run, recipe, key);
	}
	opkey_destroy(key);
}
