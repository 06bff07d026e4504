/* Any text as a sealed operation key: refused, or every part within its bounds. Unsealing itself
 * sees only sizes that sealed_parse() let through, and would take 25 ms an input. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/secret.h"
#include "client/sealed.h"

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
	struct sealed *sealed = mem_alloc(sizeof(*sealed));
	struct err err;

	if (sealed_parse((const char *)data, size, sealed, &err)) {
		assert(sealed->iv_len >= 1 && sealed->iv_len <= SEALED_IV_MAX);
		assert(sealed->salt_len >= 1 && sealed->salt_len <= SEALED_SALT_MAX);
		assert(sealed->box_len >= SEALED_TAG_LEN && sealed->box_len <= SEALED_BOX_MAX);
	} else {
		assert(err.code == ERR_OPKEY);
	}
	mem_free(sealed);
	return 0;
}
