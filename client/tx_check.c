#include "client/tx.h"

#include <string.h>

#include "base/buf.h"
#include "client/bip32.h"
#include "client/cbor.h"

#define UUID_TEXT_LEN 36
#define UUID_LEN      16

enum { BODY_OUTPUTS = 1, BODY_SIGNERS = 14 };
enum { OUTPUT_ADDRESS = 0 };

/* ---- does it name the order? ---- */

static bool body_holds(const struct tx *tx, const void *bytes, size_t len)
{
	struct cbor_reader body = tx_body_reader(tx);

	return memmem(body.bytes + body.at, tx_body(tx).len, bytes, len) != NULL;
}

/* 8-4-4-4-12 digits, lower or upper case. */
static bool read_uuid(const char *text, uint8_t uuid[UUID_LEN])
{
	char digits[2 * UUID_LEN];
	size_t count = 0;
	size_t len;

	if (strlen(text) != UUID_TEXT_LEN)
		return false;
	for (size_t i = 0; i < UUID_TEXT_LEN; i++) {
		bool is_hyphen = i == 8 || i == 13 || i == 18 || i == 23;

		if ((text[i] == '-') != is_hyphen)
			return false;
		if (!is_hyphen)
			digits[count++] = text[i];
	}
	return hex_decode(digits, count, uuid, UUID_LEN, &len);
}

bool tx_check_order(const struct tx *tx, const char *order_uuid, struct err *err)
{
	uint8_t uuid[UUID_LEN];

	if (!read_uuid(order_uuid, uuid))
		return err_set(err, ERR_TX, "the order's id is not a UUID");
	if (!body_holds(tx, uuid, UUID_LEN) && !body_holds(tx, order_uuid, UUID_TEXT_LEN))
		return err_set(err, ERR_TX, "the transaction does not name the order");
	return true;
}

/* ---- whose signatures does it need? ---- */

/* Reads a whole map; value is then at what stands under the wanted key, which may come once: who
 * reads a map differently must not come to another value. */
static bool find_in_map(struct cbor_reader *map, uint64_t wanted, struct cbor_reader *value,
			bool *is_there, struct err *err)
{
	struct cbor_list pairs;
	struct cbor_head head;

	*is_there = false;
	if (!cbor_read_list(map, CBOR_MAP, &pairs, err))
		return false;
	while (cbor_list_more(map, &pairs)) {
		struct cbor_reader key = *map;
		struct cbor_reader after_key;

		if (!cbor_skip(map, err) || !cbor_read_head(&key, &head, err))
			return false;
		after_key = *map;
		if (!cbor_skip(map, err))
			return false;
		if (head.major != CBOR_UNSIGNED || head.value != wanted)
			continue;
		if (*is_there)
			return err_set(err, ERR_TX, "a map has its key %u twice", (unsigned)wanted);
		*is_there = true;
		*value = after_key;
	}
	return true;
}

static bool list_names(struct cbor_reader signers, const uint8_t *key_hash)
{
	struct cbor_list list;
	const uint8_t *hash;
	struct err unused; /* what cannot be read names nobody */

	if (!cbor_skip_set_tag(&signers, &unused) ||
	    !cbor_read_list(&signers, CBOR_ARRAY, &list, &unused))
		return false;
	while (cbor_list_more(&signers, &list)) {
		if (!cbor_read_bytes(&signers, BIP32_HASH_LEN, &hash, &unused))
			return false;
		if (memcmp(hash, key_hash, BIP32_HASH_LEN) == 0)
			return true;
	}
	return false;
}

enum tx_signers tx_required_signers(const struct tx *tx, const uint8_t *key_hash)
{
	struct cbor_reader body = tx_body_reader(tx);
	struct cbor_reader signers;
	bool is_there;
	struct err unused;

	if (!find_in_map(&body, BODY_SIGNERS, &signers, &is_there, &unused))
		return TX_SIGNERS_NAME_OTHERS;
	if (!is_there)
		return TX_SIGNERS_ABSENT;
	return list_names(signers, key_hash) ? TX_SIGNERS_NAME_US : TX_SIGNERS_NAME_OTHERS;
}

/* ---- whom does it pay? ---- */

/* The kinds of address (CIP-19), the upper half of its first byte. Then come the hash of the
 * payment part, and a stake part or a pointer to one (three numbers of up to 10 bytes). Byron's
 * kind 8 hides whose it is, and the stake addresses 14 and 15 cannot be paid. */
static const struct {
	enum { PAYEE_NOBODY, PAYEE_KEY, PAYEE_SCRIPT } payee;
	size_t len_min, len_max;
} address_kinds[16] = {
	[0] = { PAYEE_KEY, 57, 57 }, [1] = { PAYEE_SCRIPT, 57, 57 },
	[2] = { PAYEE_KEY, 57, 57 }, [3] = { PAYEE_SCRIPT, 57, 57 },
	[4] = { PAYEE_KEY, 32, 59 }, [5] = { PAYEE_SCRIPT, 32, 59 },
	[6] = { PAYEE_KEY, 29, 29 }, [7] = { PAYEE_SCRIPT, 29, 29 },
};

/* Reads a whole output; address is then at its address: under key 0 of a map, or first in the
 * array that outputs were before. */
static bool find_address(struct cbor_reader *output, struct cbor_reader *address, struct err *err)
{
	struct cbor_reader ahead = *output;
	struct cbor_head head;
	struct cbor_list items;
	bool is_there;

	if (!cbor_read_head(&ahead, &head, err))
		return false;
	if (head.major == CBOR_MAP) {
		if (!find_in_map(output, OUTPUT_ADDRESS, address, &is_there, err))
			return false;
	} else {
		*address = *output;
		if (!cbor_read_list(address, CBOR_ARRAY, &items, err))
			return false;
		is_there = cbor_list_more(address, &items);
		if (!cbor_skip(output, err))
			return false;
	}
	return is_there || err_set(err, ERR_TX, "it has no address");
}

/* signers is NULL when the body has no such list. */
static bool check_key(const uint8_t *key_hash, const struct cbor_reader *signers, struct err *err)
{
	char hex[2 * BIP32_HASH_LEN + 1];

	if (signers && list_names(*signers, key_hash))
		return true;
	hex_encode(key_hash, BIP32_HASH_LEN, hex);
	return err_set(err, ERR_TX, "it pays to the unknown key %s, which is no required signer",
		       hex);
}

static bool check_output(struct cbor_reader *output, const struct cbor_reader *signers,
			 struct err *err)
{
	struct cbor_reader address;
	struct cbor_head head;
	const uint8_t *bytes;
	unsigned kind;

	if (!find_address(output, &address, err) || !cbor_read_head(&address, &head, err))
		return false;
	if (head.major != CBOR_BYTES || head.is_indefinite || head.value == 0)
		return err_set(err, ERR_TX, "its address cannot be read");
	bytes = address.bytes + address.at;
	kind = bytes[0] >> 4;
	if (address_kinds[kind].payee == PAYEE_NOBODY)
		return err_set(err, ERR_TX, "an address of kind %u is not paid", kind);
	if (head.value < address_kinds[kind].len_min || head.value > address_kinds[kind].len_max)
		return err_set(err, ERR_TX, "its address is %u bytes long", (unsigned)head.value);
	return address_kinds[kind].payee == PAYEE_SCRIPT || check_key(bytes + 1, signers, err);
}

static bool check_outputs(struct cbor_reader outputs, const struct cbor_reader *signers,
			  struct err *err)
{
	struct cbor_list list;

	if (!cbor_skip_set_tag(&outputs, err) || !cbor_read_list(&outputs, CBOR_ARRAY, &list, err))
		return err_prefix(err, "outputs");
	for (unsigned i = 0; cbor_list_more(&outputs, &list); i++)
		if (!check_output(&outputs, signers, err))
			return err_prefix(err, "output %u", i);
	return true;
}

bool tx_check_payees(const struct tx *tx, struct err *err)
{
	struct cbor_reader for_outputs = tx_body_reader(tx), for_signers = for_outputs;
	struct cbor_reader outputs, signers;
	bool has_outputs, has_signers;

	if (!find_in_map(&for_outputs, BODY_OUTPUTS, &outputs, &has_outputs, err) ||
	    !find_in_map(&for_signers, BODY_SIGNERS, &signers, &has_signers, err))
		return false;
	if (!has_outputs)
		return err_set(err, ERR_TX, "the transaction has no outputs");
	return check_outputs(outputs, has_signers ? &signers : NULL, err);
}
