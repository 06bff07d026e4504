#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/mman.h>
#include <unistd.h>

#include "client/client.h"
#include "client/rig_test.h"

#define KEY_HASH "34204975e6f59b19d02ac6eeca521c1183c91c2abffaeb69901d33e4"
#define SEALED                                                                                     \
	"\"encrypted_operation_key\":\"{\\\"iv\\\":\\\"XRAGv22SYgpZiGhy\\\",\\\"salt\\\":"         \
	"\\\"5YowN2Txol1ejcvt9gJB1A==\\\",\\\"ciphertext\\\":\\\"SUJcKVu5/yLVXvcVRI0xLTT+HN0j0JQc" \
	"2YGL4uwmdErIAa4ZwTkfaKP3VNlclBeXoRfRqCRw9ioYZLSrZOsUlSKRDIGkrfHamZw3Nt+bTwWgzAecWmLOeU8K" \
	"s1ou6iQa1K9Yqt2+zJi6rDJfkEFEZJBOjC0iFnmeIMemYVD5UexqIkTlGZcKzwW57WU4HPKHpri/PhupcPRVpbZa" \
	"NurCTB9tfnDLsr83zgHqSFILOdnSwvUaMA==\\\"}\""

static void destroy_when_opening(struct rig *rig)
{
	if (!rig->client || list_is_empty(&rig->client->unlocks))
		return;
	dd_client_destroy(rig->client);
	rig->client = NULL;
}

static void lock_when_opening(struct rig *rig)
{
	if (!list_is_empty(&rig->client->unlocks))
		dd_lock(rig->client);
}

static void wrong_password(struct rig *rig)
{
	unlock_with(rig, "testing123457");
}

static void the_right_password_unlocks_and_lock_forgets(void **state)
{
	struct rig *rig = *state;
	char *signed_hex = NULL, tx_hash[65];
	struct err err;

	assert_false(dd_sign(rig->client, ORDER_ID, TX_HEX, &signed_hex, tx_hash, &err));
	assert_int_equal(err.code, ERR_OPKEY_LOCKED);
	assert_done(ask_for(rig, 200, "{" SEALED ",\"operation_key_hash\":\"" KEY_HASH "\"}",
			    ask_unlock));
	assert_string_equal(rig->target, "GET /accounts/operation-key");
	assert_true(rig->outcome.hash_matches);
	assert_true(dd_is_unlocked(rig->client));
	assert_string_equal(dd_key_hash(rig->client), KEY_HASH);
	assert_true(dd_sign(rig->client, ORDER_ID, TX_HEX, &signed_hex, tx_hash, &err));
	assert_int_equal(strlen(tx_hash), 64);
	assert_memory_equal(signed_hex,
			    "84a201800050550e8400e29b41d4a716446655440000a1008182582066", 58);
	mem_free(signed_hex);
	dd_lock(rig->client);
	assert_false(dd_is_unlocked(rig->client));
	assert_string_equal(dd_key_hash(rig->client), "");
}

static void only_a_transaction_that_names_the_order_is_signed(void **state)
{
	static const char *const hexes[] = { "", "84", "00", "xyz", "84a100505", "84a0a0f5f6" };
	struct rig *rig = *state;
	char *signed_hex = NULL, tx_hash[65];
	struct err err;

	assert_done(ask_for(rig, 200, "{" SEALED "}", ask_unlock));
	for (size_t i = 0; i < ARRAY_LEN(hexes); i++) {
		assert_false(dd_sign(rig->client, ORDER_ID, hexes[i], &signed_hex, tx_hash, &err));
		assert_int_equal(err.code, ERR_TX);
	}
	assert_false(dd_sign(rig->client, OTHER_ID, TX_HEX, &signed_hex, tx_hash, &err));
	assert_int_equal(err.code, ERR_TX);
	assert_null(signed_hex);
}

/* TX_HEX with an output to this key, and with a list of required signers. */
#define PAYS(hash)      "84a20181a100581d60" hash "0050550e8400e29b41d4a716446655440000a0f5f6"
#define SIGNED_BY(hash) "84a301800e81581c" hash "0050550e8400e29b41d4a716446655440000a0f5f6"
#define STRANGER        "5867c3b8e27840f556ac268b781578b14c5661fc63ee720dbeab663f"

static void a_transaction_that_pays_to_a_strangers_key_is_not_signed(void **state)
{
	struct rig *rig = *state;
	char *signed_hex = NULL, tx_hash[65];
	struct err err;

	assert_done(ask_for(rig, 200, "{" SEALED "}", ask_unlock));
	assert_false(dd_sign(rig->client, ORDER_ID, PAYS(STRANGER), &signed_hex, tx_hash, &err));
	assert_int_equal(err.code, ERR_TX);
	assert_non_null(strstr(err.text, STRANGER));
	assert_null(signed_hex);
}

static size_t lines_logged_by_signing(struct rig *rig, const char *tx_hex, int times)
{
	int real_stderr = dup(STDERR_FILENO), log = memfd_create("log", MFD_CLOEXEC);
	char text[4096], *signed_hex, tx_hash[65];
	size_t lines = 0;
	ssize_t len;
	struct err err;

	assert_true(log >= 0 && dup2(log, STDERR_FILENO) >= 0);
	while (times-- > 0) {
		assert_true(dd_sign(rig->client, ORDER_ID, tx_hex, &signed_hex, tx_hash, &err));
		mem_free(signed_hex);
	}
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	len = pread(log, text, sizeof(text), 0);
	close(log);
	for (ssize_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	return lines;
}

static void a_key_that_need_not_sign_signs_and_is_told_once(void **state)
{
	struct rig *rig = *state;

	assert_done(ask_for(rig, 200, "{" SEALED "}", ask_unlock));
	assert_int_equal(lines_logged_by_signing(rig, TX_HEX, 2), 0);
	assert_int_equal(lines_logged_by_signing(rig, SIGNED_BY(KEY_HASH), 2), 0);
	assert_int_equal(lines_logged_by_signing(rig, SIGNED_BY(STRANGER), 3), 1);
	dd_lock(rig->client);
	assert_done(ask_for(rig, 200, "{" SEALED "}", ask_unlock));
	assert_int_equal(lines_logged_by_signing(rig, SIGNED_BY(STRANGER), 1), 0);
}

static void the_hash_is_compared_in_any_letter_case_and_never_assumed(void **state)
{
	static const struct {
		const char *stated;
		bool matches;
	} rows[] = {
		{ "{" SEALED ",\"operation_key_hash\":"
		  "\"34204975E6F59B19D02AC6EECA521C1183C91C2ABFFAEB69901D33E4\"}",
		  true },
		{ "{" SEALED ",\"operation_key_hash\":\"" KEY_HASH "00\"}", false },
		{ "{" SEALED ",\"operation_key_hash\":\"\"}", false },
		{ "{" SEALED "}", false },
		{ "{\"data\":{" SEALED ",\"operation_key_hash\":\"" KEY_HASH "\"}}", true },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_done(ask_for(rig, 200, rows[i].stated, ask_unlock));
		assert_int_equal(rig->outcome.hash_matches, rows[i].matches);
		assert_string_equal(dd_key_hash(rig->client), KEY_HASH);
	}
}

static void a_key_that_does_not_open_is_refused(void **state)
{
	struct rig *rig = *state;

	assert_verdict(ask_for(rig, 200, "{" SEALED "}", wrong_password), DD_REFUSED,
		       DD_CLASS_REFUSED);
	assert_int_equal(rig->outcome.result.err.code, ERR_OPKEY);
	assert_false(dd_is_unlocked(rig->client));
	assert_verdict(ask_for(rig, 200, "{\"encrypted_operation_key\":\"{}\"}", ask_unlock),
		       DD_REFUSED, DD_CLASS_REFUSED);
	assert_int_equal(rig->outcome.result.err.code, ERR_OPKEY);
	assert_verdict(ask_for(rig, 403, "", ask_unlock), DD_UNKNOWN, DD_CLASS_RETRY);
	assert_verdict(ask_for(rig, 400, "{\"error\":\"x\",\"code\":4406}", ask_unlock), DD_REFUSED,
		       DD_CLASS_REFUSED);
}

static void a_failed_unlock_leaves_an_open_key_as_it_was(void **state)
{
	struct rig *rig = *state;

	assert_done(ask_for(rig, 200, "{" SEALED "}", ask_unlock));
	ask_for(rig, 200, "{" SEALED "}", wrong_password);
	assert_true(dd_is_unlocked(rig->client));
}

static void a_lock_while_the_key_is_being_opened_wins(void **state)
{
	struct rig *rig = *state;

	rig->answer = (struct answer){ .status = 200, .body = "{" SEALED "}" };
	assert_verdict(ask_while(rig, lock_when_opening, ask_unlock), DD_REFUSED, DD_CLASS_REFUSED);
	assert_int_equal(rig->outcome.result.err.code, ERR_OPKEY_LOCKED);
	assert_false(dd_is_unlocked(rig->client));
}

static void a_client_may_go_while_the_key_is_being_opened(void **state)
{
	struct rig *rig = *state;

	rig->answer = (struct answer){ .status = 200, .body = "{" SEALED "}" };
	assert_verdict(ask_while(rig, destroy_when_opening, ask_unlock), DD_UNKNOWN,
		       DD_CLASS_RETRY);
	assert_int_equal(rig->outcome.result.err.code, ERR_STOPPING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_right_password_unlocks_and_lock_forgets),
		TEST(only_a_transaction_that_names_the_order_is_signed),
		TEST(a_transaction_that_pays_to_a_strangers_key_is_not_signed),
		TEST(a_key_that_need_not_sign_signs_and_is_told_once),
		TEST(the_hash_is_compared_in_any_letter_case_and_never_assumed),
		TEST(a_key_that_does_not_open_is_refused),
		TEST(a_failed_unlock_leaves_an_open_key_as_it_was),
		TEST(a_lock_while_the_key_is_being_opened_wins),
		TEST(a_client_may_go_while_the_key_is_being_opened),
	};

	return cmocka_run_group_tests(tests, start_all, NULL);
}
