#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "client/opkey.h"
#include "client/sealed.h"

/* The sealed key that the exchange's TypeScript SDK is tested with, and all that is secret in it.
 * Everything secret is in hex here, so that the bytes themselves are nowhere in this program
 * until the code under test puts them there. */
static const char sealed_key[] =
	"{\"iv\":\"XRAGv22SYgpZiGhy\",\"salt\":\"5YowN2Txol1ejcvt9gJB1A==\",\"ciphertext\":"
	"\"SUJcKVu5/yLVXvcVRI0xLTT+HN0j0JQc2YGL4uwmdErIAa4ZwTkfaKP3VNlclBeXoRfRqCRw9ioYZLSrZOsU"
	"lSKRDIGkrfHamZw3Nt+bTwWgzAecWmLOeU8Ks1ou6iQa1K9Yqt2+zJi6rDJfkEFEZJBOjC0iFnmeIMemYVD5"
	"UexqIkTlGZcKzwW57WU4HPKHpri/PhupcPRVpbZaNurCTB9tfnDLsr83zgHqSFILOdnSwvUaMA==\"}";
static const char key_password[] = "74657374696e67313233343536";
static const char key_vkey[] = "663dda822d270f80cd52776b6a599a99b7a710f76d11d4bc4de06b6f369b7b90";
static const char key_hash[] = "34204975e6f59b19d02ac6eeca521c1183c91c2abffaeb69901d33e4";
static const char *const key_secrets[] = {
	"a9bfd4c09d549026dde510528b1fc3f1becc847d2fd146b47510b4a353851e72", /* AES key */
	"78707276316b7a396e786672637376366e63336d33356173396a797775736563", /* root key, text */
	"b08b33247883353c4771a7605911dc86718fa092c175522fd1186064f22b304b", /* root key, kL */
	"9c9bc20fd93cb15da98787715f971bbd9dd087831516626db0154a62e259c605", /* kR */
	"35acf67895230130b4f91ea4036516fc222d813f3b940fdfffcc6cf7814b4a5f", /* chain code */
	"223404378175820f9d423940f590a09b0aa9840c6f32641c250e2e83335ba1fc", /* z, first step */
	"9017b0cd256db74c304832801e43827337370ff3d009846d6955c89cf72b304b", /* kL, second step */
	"70ff2840e350834dece982187e283651f9ecb7f5708eb1c9611ebbc8002c304b", /* signing key, kL */
	"4c4c3e9f4a128914bae04bbaae7c2561128af3c53e4eb91c6ae3393ccb37615d", /* kR */
	"16ec8d7c2fba8bc6a1330972df7fa0a47b2d6fda7352f0bc4ba4da1972c63f68", /* chain code */
};

/* What it signs 32 bytes of 0xab with; whoever learns the nonce learns the key. */
static const char ab_signature[] =
	"2ce93b44393ab94cae23f328ad3dbab27d7e59cb50c384120f2f05154a2c723e"
	"b41fa644e1dd0de6d1c79fcaeb3515f63b551f384e6ff5aa501abe2b27113506";
static const char *const ab_nonces[] = {
	"a32fb7ac89dcee57c5be53b6dcfc748280708065b46284802b30e97e451a3988", /* SHA-512 of kR, ab */
	"20cad4224de5d5948b75271aff3ac382f390b61c1f340c7811385553f8eb910c", /* modulo L */
};

/* Opens, but holds the words of a mnemonic: a published legacy vector, without a salt. */
static const char sealed_words[] =
	"{\"iv\":\"/bs1AzciZ1bDqT5W\",\"ciphertext\":"
	"\"mh5pgH8ErqqH2KLLEBqqr8Pwm+mUuh9HhaAHslSD8ho6zk7mXccc9NUQAW8rb9UajCq8LYyANuiorjYD5N0h"
	"d2Lbe2n1x8AGRZrogyRKW6uhoFD1/FW6ofjgGP/kQRQSW2ZdJaDMbCxwYSdzxmaRunk6JRfybhfRU6kIxPMu"
	"41jhhRC3LbwZ+NnfBJFrg859hbuQgMQm8mqOUgOxcK8kKH54shOpGuLT4YBXhx33dZ//wT5VXrQ8kwIKttNk"
	"5h9MNKCacpRZSqU3pGlZ5oxucNEGos0IKTTXfbmwYx14uiERcXd32OP2\"}";
static const char words_password[] = "3031323334353637383930313233343536373839";
static const char *const words_secrets[] = {
	"bc91b3fce4782cd8d346b14de80587634e89377153081074a14d7c1bcc9cd10f",
	"736f6c7574696f6e20736f6c7574696f6e20736f6c7574696f6e20736f6c7574",
};

static struct secret *secret_of(const char *hex)
{
	size_t len = strlen(hex) / 2;
	struct secret *secret = secret_create(len);

	assert_true(hex_decode(hex, 2 * len, secret_open(secret), len, &len));
	secret_close(secret);
	return secret;
}

static struct sealed *sealed_of(const char *text)
{
	struct sealed *sealed = mem_alloc(sizeof(*sealed));
	struct err err;

	if (!sealed_parse(text, strlen(text), sealed, &err))
		fail_msg("%s", err.text);
	return sealed;
}

static struct opkey *unseal(const char *sealed_text, const char *password_hex, struct err *err)
{
	struct sealed *sealed = sealed_of(sealed_text);
	struct secret *password = secret_of(password_hex);
	struct opkey *key = opkey_unseal(sealed, password, err);

	secret_destroy(password);
	mem_free(sealed);
	return key;
}

static struct opkey *unseal_good(void)
{
	struct err err;
	struct opkey *key = unseal(sealed_key, key_password, &err);

	if (!key)
		fail_msg("%s", err.text);
	return key;
}

/* ---- looking for secrets in this process ----------------------------------------------- */

#define PIECE_LEN   16 /* half a secret is one too */
#define SECRET_LEN  32
#define SECRETS_MAX 16
#define CHUNK_LEN   (1 << 20)
#define MAPPING_MAX ((size_t)128 << 20) /* larger ones are a sanitizer's own */

enum { NOWHERE, FOUND, NOT_SEARCHED };

struct wanted {
	uint8_t bytes[SECRETS_MAX * SECRET_LEN];
	size_t len;
};

static bool chunk_holds(const uint8_t *chunk, size_t len, const struct wanted *wanted)
{
	for (size_t at = 0; at < wanted->len; at += PIECE_LEN)
		if (memmem(chunk, len, wanted->bytes + at, PIECE_LEN))
			return true;
	return false;
}

static bool mapping_holds(int memory, uintptr_t from, uintptr_t to, const struct wanted *wanted)
{
	static uint8_t chunk[CHUNK_LEN];

	while (to - from >= PIECE_LEN) {
		size_t len = to - from < CHUNK_LEN ? to - from : CHUNK_LEN;
		ssize_t got = pread(memory, chunk, len, (off_t)from);

		if (got < PIECE_LEN)
			return false;
		if (chunk_holds(chunk, (size_t)got, wanted))
			return true;
		from += (uintptr_t)got - (PIECE_LEN - 1); /* a piece may lie across the seam */
	}
	return false;
}

static int search_process(pid_t process, const struct wanted *wanted)
{
	char path[64], line[512];
	int memory;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)process);
	memory = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)process);
	maps = fopen(path, "re");
	if (memory < 0 || !maps)
		return NOT_SEARCHED;
	while (fgets(line, sizeof(line), maps)) {
		char *at;
		uintptr_t from = strtoul(line, &at, 16), to = strtoul(at + 1, &at, 16);

		/* from-to rwxp ...: what cannot be written holds what the linker put there */
		if (strncmp(at, " rw", 3) == 0 && to - from <= MAPPING_MAX &&
		    mapping_holds(memory, from, to, wanted))
			return FOUND;
	}
	return NOWHERE;
}

/* Can any half of any of these be read anywhere in this process? A child looks: it alone ever
 * knows what is looked for, and searching here would overwrite what functions that have
 * returned left on the stack. */
static bool are_in_memory(const char *const *secrets, size_t count)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		static struct wanted wanted;

		for (size_t i = 0; i < count && i < SECRETS_MAX; i++) {
			size_t len = 0;

			if (!hex_decode(secrets[i], (size_t)2 * SECRET_LEN,
					wanted.bytes + wanted.len, SECRET_LEN, &len))
				_exit(NOT_SEARCHED);
			wanted.len += len;
		}
		_exit(search_process(getppid(), &wanted));
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_not_equal(WEXITSTATUS(status), NOT_SEARCHED);
	return WEXITSTATUS(status) == FOUND;
}

static void assert_nowhere(const char *const *secrets, size_t count)
{
	if (!are_in_memory(secrets, count))
		return;
	for (size_t i = 0; i < count; i++)
		if (are_in_memory(&secrets[i], 1))
			fail_msg("secret %zu can be read", i);
	fail_msg("a secret can be read");
}

/* ---- tests ----------------------------------------------------------------------------- */

static void the_search_finds_what_is_left_behind(void **unused)
{
	const size_t all = ARRAY_LEN(key_secrets);
	uint8_t *left = mem_alloc(100000);
	size_t len;

	(void)unused;
	assert_false(are_in_memory(key_secrets, all));
	assert_true(hex_decode(key_secrets[all - 1], (size_t)2 * SECRET_LEN, left + 54321,
			       SECRET_LEN, &len));
	assert_true(are_in_memory(key_secrets, all));
	secret_wipe(left + 54321, PIECE_LEN); /* the other half is still there */
	assert_true(are_in_memory(key_secrets, all));
	secret_wipe(left, 100000);
	assert_false(are_in_memory(key_secrets, all));
	mem_free(left);
}

static void a_key_in_use_can_be_read_nowhere(void **unused)
{
	struct opkey *key = unseal_good();
	uint8_t message[32], signature[64];
	struct err err;

	(void)unused;
	memset(message, 0xab, sizeof(message));
	assert_nowhere(key_secrets, ARRAY_LEN(key_secrets));
	assert_true(opkey_sign(key, message, signature, &err));
	assert_nowhere(key_secrets, ARRAY_LEN(key_secrets));
	assert_nowhere(ab_nonces, ARRAY_LEN(ab_nonces));
	opkey_destroy(key);
	assert_nowhere(key_secrets, ARRAY_LEN(key_secrets));
}

/* GCM has decrypted it all before it finds that the tag is wrong. */
static void a_damaged_key_leaves_nothing_behind(void **unused)
{
	struct sealed *sealed = sealed_of(sealed_key);
	struct secret *password = secret_of(key_password);
	struct err err;

	(void)unused;
	sealed->box[sealed->box_len - 1] ^= 1;
	assert_null(opkey_unseal(sealed, password, &err));
	assert_int_equal(err.code, ERR_OPKEY);
	secret_destroy(password);
	mem_free(sealed);
	assert_nowhere(key_secrets, ARRAY_LEN(key_secrets));
}

static void what_opens_but_is_no_root_key_leaves_nothing_behind(void **unused)
{
	struct err err;

	(void)unused;
	assert_null(unseal(sealed_words, words_password, &err));
	assert_int_equal(err.code, ERR_OPKEY);
	assert_non_null(strstr(err.text, "holds no root key"));
	assert_nowhere(words_secrets, ARRAY_LEN(words_secrets));
}

static void a_wrong_password_is_told_without_naming_it(void **unused)
{
	struct err err;

	(void)unused;
	assert_null(unseal(sealed_key, "746f704d617374657200", &err));
	assert_int_equal(err.code, ERR_OPKEY);
	assert_string_equal(err.text, "the operation key does not open with this password");
}

static void one_key_gives_the_same_signature_every_time(void **unused)
{
	struct opkey *key = unseal_good();
	uint8_t message[32], signature[64];
	char hex[129];
	struct err err;

	(void)unused;
	memset(message, 0xab, sizeof(message));
	for (int i = 0; i < 200; i++) {
		memset(signature, 0, sizeof(signature));
		assert_true(opkey_sign(key, message, signature, &err));
		hex_encode(signature, sizeof(signature), hex);
		assert_string_equal(hex, ab_signature);
	}
	opkey_destroy(key);
}

static void two_keys_do_not_disturb_each_other(void **unused)
{
	struct opkey *first = unseal_good(), *second = unseal_good();
	uint8_t message[32], one[64], two[64];
	struct err err;

	(void)unused;
	memset(message, 0xab, sizeof(message));
	opkey_destroy(first);
	assert_true(opkey_sign(second, message, one, &err));
	first = unseal_good();
	assert_true(opkey_sign(first, message, two, &err));
	assert_memory_equal(one, two, sizeof(one));
	opkey_destroy(first);
	opkey_destroy(second);
	opkey_destroy(NULL);
}

static void a_key_knows_its_public_half_and_hash(void **unused)
{
	struct opkey *key = unseal_good();
	char hex[65];

	(void)unused;
	hex_encode(opkey_vkey(key), BIP32_VKEY_LEN, hex);
	assert_string_equal(hex, key_vkey);
	hex_encode(opkey_hash(key), BIP32_HASH_LEN, hex);
	assert_string_equal(hex, key_hash);
	opkey_destroy(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_search_finds_what_is_left_behind),
		cmocka_unit_test(a_key_in_use_can_be_read_nowhere),
		cmocka_unit_test(a_damaged_key_leaves_nothing_behind),
		cmocka_unit_test(what_opens_but_is_no_root_key_leaves_nothing_behind),
		cmocka_unit_test(a_wrong_password_is_told_without_naming_it),
		cmocka_unit_test(one_key_gives_the_same_signature_every_time),
		cmocka_unit_test(two_keys_do_not_disturb_each_other),
		cmocka_unit_test(a_key_knows_its_public_half_and_hash),
	};
	struct err err;
	bool is_locked;

	if (!secret_init(&is_locked, &err))
		return 1;
	/* Where Yama runs, a child may look into its parent only if the parent lets it. */
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
