/* Any bytes as a transaction: refused, or signed so that it can be read again, holds our valid
 * witness once, and is the same as before around the witness set. */
#include <assert.h>
#include <sodium.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "client/opkey.h"
#include "client/tx.h"

#define ORDER_ID "0f8fad5b-d9cb-469f-a165-70867728950e"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct opkey *key;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	/* A published test key. */
	static const char root[] =
		"xprv1cqa46gk29plgkg98upclnjv5t425fcpl4rgf9mq2txdxuga7jfq5shk7np6l55nj00sl3m4syzna3"
		"uwgrwppdm0azgy9d8zahyf32s62klfyhe0ayyxkc7x92nv4s77fa0v25tufk9tnv7x6dgexe9kdz5gpeqg"
		"u";
	struct secret *text;
	bool is_locked;
	struct err err;

	(void)argc, (void)argv;
	assert(secret_init(&is_locked, &err));
	text = secret_from_str(root);
	key = opkey_from_root(text, &err);
	secret_destroy(text);
	assert(key);
	return 0;
}

static void check_witness(const struct tx *tx)
{
	uint8_t hash[TX_HASH_LEN];
	size_t own = 0;

	tx_hash(tx, hash);
	for (size_t i = 0; i < tx_witness_count(tx); i++)
		if (memcmp(tx_witness_vkey(tx, i), opkey_vkey(key), BIP32_VKEY_LEN) == 0) {
			own++;
			assert(crypto_sign_verify_detached(tx_witness_signature(tx, i), hash,
							   sizeof(hash), opkey_vkey(key)) == 0);
		}
	assert(own == 1);
}

/* Compares the digits before and after the witness set. */
static void check_surroundings(const char *before_hex, const struct tx *before,
			       const char *after_hex, const struct tx *after)
{
	struct tx_range from = tx_witness_set(before), to = tx_witness_set(after);

	assert(from.at == to.at && strncasecmp(before_hex, after_hex, 2 * from.at) == 0);
	assert(strcasecmp(before_hex + 2 * (from.at + from.len),
			  after_hex + 2 * (to.at + to.len)) == 0);
}

static void check_signed(const char *hex, const struct tx *tx, const char *signed_hex)
{
	struct buf again;
	struct tx *after;
	struct err err;

	/* What we add may take it past the bound. */
	if (strlen(signed_hex) > 2 * TX_MAX)
		return;
	assert(tx_parse(signed_hex, strlen(signed_hex), &after, &err));
	check_witness(after);
	check_surroundings(hex, tx, signed_hex, after);
	buf_init(&again, TX_SIGNED_HEX_MAX);
	assert(tx_sign(after, key, &again, &err));
	assert(strcmp(buf_str(&again), signed_hex) == 0);
	buf_fini(&again);
	tx_destroy(after);
}

/* hex holds len digits and a NUL. */
static void try_hex(const char *hex, size_t len)
{
	struct buf signed_hex;
	struct tx *tx;
	struct err err;
	bool named, is_safe;

	if (!tx_parse(hex, len, &tx, &err)) {
		assert(err.code == ERR_TX);
		return;
	}
	named = tx_check_order(tx, ORDER_ID, &err);
	assert(named || err.code == ERR_TX);
	is_safe = tx_check_payees(tx, &err);
	assert(is_safe || err.code == ERR_TX);
	assert(tx_required_signers(tx, opkey_hash(key)) <= TX_SIGNERS_NAME_OTHERS);
	buf_init(&signed_hex, TX_SIGNED_HEX_MAX);
	if (tx_sign(tx, key, &signed_hex, &err))
		check_signed(hex, tx, buf_str(&signed_hex));
	buf_fini(&signed_hex);
	tx_destroy(tx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *hex = mem_alloc(2 * size + 1);

	hex_encode(data, size, hex);
	try_hex(hex, 2 * size);
	/* The bytes as they are: mostly not hex. */
	memcpy(hex, data, size);
	hex[size] = '\0';
	try_hex(hex, size);
	mem_free(hex);
	return 0;
}
