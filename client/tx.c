#include "client/tx.h"

#include <sodium.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "client/cbor.h"
#include "client/opkey.h"

#define WITNESS_KEY_VKEYS 0
#define WITNESS_KEY_MAX   255 /* the ledger knows 0 to 7 */
#define WITNESS_LEN       (1 + 2 + BIP32_VKEY_LEN + 2 + BIP32_SIGNATURE_LEN)

/* Where an array or a map lies. */
struct container {
	size_t at;       /* of its head, after any tag */
	size_t items_at; /* just after the head */
	uint64_t count;  /* of a definite one */
	bool is_indefinite;
};

struct witness {
	size_t vkey_at;
	size_t signature_at;
};

struct tx {
	uint8_t *bytes;
	size_t len;
	struct tx_range body;
	struct tx_range witness_set;
	struct container witness_map;
	bool has_vkeys; /* witness-set key 0 */
	struct container vkeys;
	size_t vkeys_end; /* after the last one, before any break */
	struct witness *witnesses;
	size_t witness_count;
};

static struct cbor_reader reader_at(const struct tx *tx, size_t at)
{
	return (struct cbor_reader){ .bytes = tx->bytes, .len = tx->len, .at = at };
}

/* Starts a container; list then steps through its items. */
static bool open_container(struct cbor_reader *reader, enum cbor_major kind,
			   struct container *container, struct cbor_list *list, struct err *err)
{
	container->at = reader->at;
	if (!cbor_read_list(reader, kind, list, err))
		return false;
	container->items_at = reader->at;
	container->count = list->left;
	container->is_indefinite = list->is_indefinite;
	return true;
}

static bool read_witness(struct tx *tx, struct cbor_reader *reader, struct err *err)
{
	struct witness *witness = &tx->witnesses[tx->witness_count];
	const uint8_t *vkey, *signature;
	struct cbor_list pair;

	if (!cbor_read_list(reader, CBOR_ARRAY, &pair, err))
		return false;
	if (!cbor_list_more(reader, &pair) ||
	    !cbor_read_bytes(reader, BIP32_VKEY_LEN, &vkey, err) ||
	    !cbor_list_more(reader, &pair) ||
	    !cbor_read_bytes(reader, BIP32_SIGNATURE_LEN, &signature, err) ||
	    cbor_list_more(reader, &pair))
		return err_set(err, ERR_TX, "a vkey witness is not a pair of key and signature");
	witness->vkey_at = (size_t)(vkey - tx->bytes);
	witness->signature_at = (size_t)(signature - tx->bytes);
	tx->witness_count++;
	return true;
}

static bool read_vkeys(struct tx *tx, struct cbor_reader *reader, struct err *err)
{
	struct cbor_list list;

	tx->has_vkeys = true;
	if (!cbor_skip_set_tag(reader, err) ||
	    !open_container(reader, CBOR_ARRAY, &tx->vkeys, &list, err))
		return err_prefix(err, "vkey witnesses");
	tx->vkeys_end = reader->at;
	tx->witnesses = mem_array(tx->len / WITNESS_LEN + 1, sizeof(*tx->witnesses));
	while (cbor_list_more(reader, &list)) {
		if (!read_witness(tx, reader, err))
			return false;
		tx->vkeys_end = reader->at;
	}
	return true;
}

static bool read_witness_key(struct cbor_reader *reader, bool seen[WITNESS_KEY_MAX + 1],
			     uint64_t *key, struct err *err)
{
	struct cbor_head head;

	if (!cbor_read_head(reader, &head, err))
		return false;
	if (head.major != CBOR_UNSIGNED || head.value > WITNESS_KEY_MAX)
		return err_set(err, ERR_TX, "a key of the witness set is none of the ledger's");
	if (seen[head.value])
		return err_set(err, ERR_TX, "the witness set has its key %u twice",
			       (unsigned)head.value);
	seen[head.value] = true;
	*key = head.value;
	return true;
}

static bool read_witness_set(struct tx *tx, struct cbor_reader *reader, struct err *err)
{
	bool seen[WITNESS_KEY_MAX + 1] = { false };
	struct cbor_list list;
	uint64_t key = 0;

	if (!open_container(reader, CBOR_MAP, &tx->witness_map, &list, err))
		return err_prefix(err, "witness set");
	while (cbor_list_more(reader, &list)) {
		if (!read_witness_key(reader, seen, &key, err))
			return false;
		if (key == WITNESS_KEY_VKEYS ? !read_vkeys(tx, reader, err)
					     : !cbor_skip(reader, err))
			return false;
	}
	tx->witness_set.at = tx->witness_map.at;
	tx->witness_set.len = reader->at - tx->witness_map.at;
	return true;
}

static bool read_body(struct tx *tx, struct cbor_reader *reader, struct err *err)
{
	struct cbor_reader ahead = *reader;
	struct cbor_head head;

	if (!cbor_read_head(&ahead, &head, err))
		return false;
	if (head.major != CBOR_MAP)
		return err_set(err, ERR_TX, "the transaction's body is not a map");
	tx->body.at = reader->at;
	if (!cbor_skip(reader, err))
		return false;
	tx->body.len = reader->at - tx->body.at;
	return true;
}

static bool read_is_valid(struct cbor_reader *reader, struct err *err)
{
	struct cbor_head head;

	if (!cbor_read_head(reader, &head, err))
		return false;
	if (head.major != CBOR_SIMPLE || head.is_indefinite ||
	    (head.value != CBOR_FALSE && head.value != CBOR_TRUE))
		return err_set(err, ERR_TX, "the transaction's is_valid is not a boolean");
	return true;
}

static bool next_part(struct cbor_reader *reader, struct cbor_list *parts, struct err *err)
{
	return cbor_list_more(reader, parts) ||
	       err_set(err, ERR_TX, "the transaction has fewer than four parts");
}

/* Reads or skips every byte, so that what passes is well-formed as a whole. */
static bool read_parts(struct tx *tx, struct err *err)
{
	struct cbor_reader reader = reader_at(tx, 0);
	struct cbor_list parts;

	return cbor_read_list(&reader, CBOR_ARRAY, &parts, err) &&
	       next_part(&reader, &parts, err) && read_body(tx, &reader, err) &&
	       next_part(&reader, &parts, err) && read_witness_set(tx, &reader, err) &&
	       next_part(&reader, &parts, err) && read_is_valid(&reader, err) &&
	       next_part(&reader, &parts, err) && cbor_skip(&reader, err) &&
	       (!cbor_list_more(&reader, &parts) ||
		err_set(err, ERR_TX, "the transaction has more than four parts")) &&
	       (reader.at == tx->len ||
		err_set(err, ERR_TX, "%zu bytes after the transaction", tx->len - reader.at));
}

bool tx_parse(const char *hex, size_t hex_len, struct tx **result, struct err *err)
{
	struct tx *tx;
	bool ok;

	if (hex_len > 2 * TX_MAX)
		return err_set(err, ERR_TX, "the transaction is longer than %d bytes", TX_MAX);
	tx = mem_alloc(sizeof(*tx));
	tx->bytes = mem_alloc(hex_len / 2 + 1);
	ok = hex_decode(hex, hex_len, tx->bytes, hex_len / 2, &tx->len) ||
	     err_set(err, ERR_TX, "the transaction is not in hex");
	ok = ok && read_parts(tx, err);
	if (!ok) {
		tx_destroy(tx);
		return false;
	}
	*result = tx;
	return true;
}

void tx_destroy(struct tx *tx)
{
	if (!tx)
		return;
	mem_free(tx->witnesses);
	mem_free(tx->bytes);
	mem_free(tx);
}

void tx_hash(const struct tx *tx, uint8_t hash[TX_HASH_LEN])
{
	crypto_generichash(hash, TX_HASH_LEN, tx->bytes + tx->body.at, tx->body.len, NULL, 0);
}

static void add_bytes(struct buf *hex, const struct tx *tx, size_t from, size_t to)
{
	buf_add_hex(hex, tx->bytes + from, to - from);
}

/* The head of a container that now holds one more; an indefinite one stays as it is. */
static void add_grown_head(struct buf *hex, const struct tx *tx, const struct container *container,
			   enum cbor_major kind)
{
	uint8_t head[CBOR_HEAD_MAX];

	if (container->is_indefinite)
		add_bytes(hex, tx, container->at, container->items_at);
	else
		buf_add_hex(hex, head, cbor_write_head(kind, container->count + 1, head));
}

static void add_witness(struct buf *hex, const uint8_t *vkey, const uint8_t *signature)
{
	buf_add_hex(hex, "\x82\x58\x20", 3);
	buf_add_hex(hex, vkey, BIP32_VKEY_LEN);
	buf_add_hex(hex, "\x58\x40", 2);
	buf_add_hex(hex, signature, BIP32_SIGNATURE_LEN);
}

static void insert_vkeys(struct buf *hex, const struct tx *tx, const uint8_t *vkey,
			 const uint8_t *signature)
{
	add_bytes(hex, tx, 0, tx->witness_map.at);
	add_grown_head(hex, tx, &tx->witness_map, CBOR_MAP);
	buf_add_hex(hex, "\x00\x81", 2); /* key 0, an array of one */
	add_witness(hex, vkey, signature);
	add_bytes(hex, tx, tx->witness_map.items_at, tx->len);
}

static void append_witness(struct buf *hex, const struct tx *tx, const uint8_t *vkey,
			   const uint8_t *signature)
{
	add_bytes(hex, tx, 0, tx->vkeys.at);
	add_grown_head(hex, tx, &tx->vkeys, CBOR_ARRAY);
	add_bytes(hex, tx, tx->vkeys.items_at, tx->vkeys_end);
	add_witness(hex, vkey, signature);
	add_bytes(hex, tx, tx->vkeys_end, tx->len);
}

/* Also when the signature is the same: then nothing changes. */
static void replace_signature(struct buf *hex, const struct tx *tx, const struct witness *witness,
			      const uint8_t *signature)
{
	add_bytes(hex, tx, 0, witness->signature_at);
	buf_add_hex(hex, signature, BIP32_SIGNATURE_LEN);
	add_bytes(hex, tx, witness->signature_at + BIP32_SIGNATURE_LEN, tx->len);
}

static bool find_own(const struct tx *tx, const uint8_t *vkey, const struct witness **own,
		     struct err *err)
{
	*own = NULL;
	for (size_t i = 0; i < tx->witness_count; i++) {
		if (memcmp(tx_witness_vkey(tx, i), vkey, BIP32_VKEY_LEN) != 0)
			continue;
		if (*own)
			return err_set(err, ERR_TX, "the transaction holds our witness twice");
		*own = &tx->witnesses[i];
	}
	return true;
}

bool tx_sign(const struct tx *tx, const struct opkey *key, struct buf *signed_hex, struct err *err)
{
	const uint8_t *vkey = opkey_vkey(key);
	const struct witness *own;
	uint8_t hash[TX_HASH_LEN];
	uint8_t signature[BIP32_SIGNATURE_LEN];

	if (!find_own(tx, vkey, &own, err))
		return false;
	tx_hash(tx, hash);
	if (!opkey_sign(key, hash, signature, err))
		return false;
	if (own)
		replace_signature(signed_hex, tx, own, signature);
	else if (tx->has_vkeys)
		append_witness(signed_hex, tx, vkey, signature);
	else
		insert_vkeys(signed_hex, tx, vkey, signature);
	return !signed_hex->is_full || err_set(err, ERR_TX, "the signed transaction is too long");
}

struct cbor_reader tx_body_reader(const struct tx *tx)
{
	return reader_at(tx, tx->body.at);
}

struct tx_range tx_body(const struct tx *tx)
{
	return tx->body;
}

struct tx_range tx_witness_set(const struct tx *tx)
{
	return tx->witness_set;
}

size_t tx_witness_count(const struct tx *tx)
{
	return tx->witness_count;
}

const uint8_t *tx_witness_vkey(const struct tx *tx, size_t i)
{
	return tx->bytes + tx->witnesses[i].vkey_at;
}

const uint8_t *tx_witness_signature(const struct tx *tx, size_t i)
{
	return tx->bytes + tx->witnesses[i].signature_at;
}
