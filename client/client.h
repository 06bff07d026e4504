/* client.h - the inside of struct dd_client, for the files of client/ that share it. */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "client/bip32.h"
#include "client/deltadefi.h"

struct fetcher;
struct opkey;

struct dd_client {
	struct loop *loop;
	struct fetcher *fetcher;
	char *base_url; /* without a slash at the end */
	int64_t timeout_ms;
	struct secret *api_key; /* NULL: none */
	struct opkey *opkey;    /* NULL: locked */
	char key_hash[2 * BIP32_HASH_LEN + 1];
	char warned_key_hash[2 * BIP32_HASH_LEN + 1]; /* of dd_sign()'s warning, given once */
	uint64_t lock_count; /* dd_lock() calls; an unlock begun before the last one is dropped */
	struct list calls;   /* struct call, until completed */
	struct list unlocks; /* struct unlock, while a pool thread opens the key */
	bool is_closing;
};

void unlock_abandon_all(struct dd_client *client); /* completes them; their results are wiped */
#endif
