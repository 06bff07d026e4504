/* sign VECTORS CASE - signs one transaction of the signing vectors again and again.
 *
 * From the hex of the exchange's answer to the hex of the submit with the daemon's own functions:
 * parsed, hashed, signed, the witness put in. The key is open already. Each round is a number of
 * signatures. sign.mjs does the same with what is to be had from npm. */
#include <jansson.h>
#include <string.h>

#include "base/buf.h"
#include "base/secret.h"
#include "client/opkey.h"
#include "client/tx.h"
#include "tests/bench/rounds.h"

struct vector {
	const char *tx_hex, *signature;
	struct opkey *key;
};

static const json_t *find(const json_t *array, const char *id)
{
	size_t i;
	const json_t *item;

	json_array_foreach(array, i, item)
	{
		const char *name = json_string_value(json_object_get(item, "id"));

		if (name && strcmp(name, id) == 0)
			return item;
	}
	rounds_fail("the vectors have no %s", id);
}

static const char *text_of(const json_t *item, const char *name)
{
	const char *text = json_string_value(json_object_get(item, name));

	if (!text)
		rounds_fail("the vector has no %s", name);
	return text;
}

static struct vector vector_of(const json_t *root, const char *id)
{
	const json_t *item = find(json_object_get(root, "cases"), id);
	const json_t *key = find(json_object_get(root, "keys"), text_of(item, "key"));
	struct vector vector = { text_of(item, "tx_hex"), text_of(item, "signature"), NULL };
	struct secret *text = secret_from_str(text_of(key, "root_xprv"));
	struct err err;

	vector.key = opkey_from_root(text, &err);
	if (!vector.key)
		rounds_fail("%s", err.text);
	secret_destroy(text);
	return vector;
}

static void sign(const struct vector *vector, struct buf *signed_hex)
{
	struct err err;
	struct tx *tx;

	buf_clear(signed_hex);
	if (!tx_parse(vector->tx_hex, strlen(vector->tx_hex), &tx, &err) ||
	    !tx_sign(tx, vector->key, signed_hex, &err))
		rounds_fail("%s", err.text);
	tx_destroy(tx);
}

static void sign_round(const struct vector *vector, struct samples *samples)
{
	struct buf signed_hex;
	bool has_more = true;

	while (has_more) {
		buf_init(&signed_hex, TX_SIGNED_HEX_MAX);
		samples_start(samples);
		sign(vector, &signed_hex);
		has_more = samples_stop(samples);
		if (!strstr(buf_str(&signed_hex), vector->signature))
			rounds_fail("not the signature of the vector");
		buf_fini(&signed_hex);
	}
}

int main(int argc, char **argv)
{
	struct samples samples = { .ns = NULL };
	struct vector vector;
	json_t *root;
	json_error_t error;
	bool is_locked;
	int64_t count;
	struct err err;

	if (argc != 3)
		rounds_fail("usage: sign VECTORS CASE");
	if (!secret_init(&is_locked, &err))
		rounds_fail("%s", err.text);
	root = json_load_file(argv[1], 0, &error);
	if (!root)
		rounds_fail("%s: %s", argv[1], error.text);
	vector = vector_of(root, argv[2]);
	while (rounds_next(&count, 1)) {
		samples_begin(&samples, count);
		sign_round(&vector, &samples);
		samples_print(&samples);
	}
	samples_fini(&samples);
	opkey_destroy(vector.key);
	json_decref(root);
	return 0;
}
