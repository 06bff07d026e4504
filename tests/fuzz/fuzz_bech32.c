/* Any text as a root key or an address: refused, or a key whose public half can be made. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/secret.h"
#include "client/bech32.h"
#include "client/bip32.h"

#define ADDRESS_LEN 57 /* a head, two key hashes */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	bool is_locked;
	struct err err;

	(void)argc, (void)argv;
	assert(secret_init(&is_locked, &err));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	uint8_t address[ADDRESS_LEN], vkey[BIP32_VKEY_LEN];
	struct bip32_key key;
	struct err err;

	if (bip32_read_root(text, size, &key, &err)) {
		assert((key.kl[0] & 7) == 0 && (key.kl[31] & 0xc0) == 0x40);
		assert(bip32_vkey(&key, vkey, &err));
		assert(bip32_derive(&key, BIP32_HARDENED, &key, &err));
	} else {
		assert(err.code == ERR_OPKEY);
	}
	if (bech32_decode(text, size, "addr", address, sizeof(address), &err))
		assert(size == strlen("addr1") + (8 * ADDRESS_LEN + 4) / 5 + 6);
	return 0;
}
