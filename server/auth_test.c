#include "server/auth.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "net/httpd.h"
#include "net/loop.h"
#include "server/journal_rig.h"

static const struct http_peer tcp = { .is_unix = false, .address = "127.0.0.1" };

/* A real journal, with tokens in it. */
struct track {
	struct rig *rig;
	char key_path[128];
	int64_t requests_per_second;
	struct auth *auth;
	bool is_done;
	struct err err;
};

static void try_to_open(struct track *track, struct err *err)
{
	struct auth_config config = { .key_path = track->key_path,
				      .requests_per_second = track->requests_per_second };

	if (!auth_create(track->rig->loop, &config, track->rig->journal, &track->auth, err))
		track->auth = NULL;
}

static void open_auth(struct track *track)
{
	struct err err;

	try_to_open(track, &err);
	if (!track->auth)
		fail_msg("%s", err.text);
}

static void reopen(struct track *track)
{
	auth_destroy(track->auth);
	track->auth = NULL;
	rig_close(track->rig);
	rig_open(track->rig);
	open_auth(track);
}

static int setup(void **state)
{
	struct track *track = mem_alloc(sizeof(*track));
	void *rig;

	if (rig_setup(&rig) != 0)
		return -1;
	track->rig = rig;
	rig_open(track->rig);
	snprintf(track->key_path, sizeof(track->key_path), "%s/token.key", track->rig->dir);
	track->requests_per_second = 10;
	open_auth(track);
	*state = track;
	return 0;
}

static int teardown(void **state)
{
	struct track *track = *state;
	void *rig = track->rig;

	auth_destroy(track->auth);
	unlink(track->key_path);
	rig_teardown(&rig);
	mem_free(track);
	return 0;
}

static void done(void *arg, const struct err *err)
{
	struct track *track = arg;

	track->err = err ? *err : (struct err){ .code = ERR_NONE };
	track->is_done = true;
	loop_stop(track->rig->loop);
}

static void wait_until_done(struct track *track)
{
	timer_start(track->rig->patience, RIG_PATIENCE_MS);
	while (!track->is_done)
		loop_run(track->rig->loop);
	timer_stop(track->rig->patience);
	track->is_done = false;
	assert_int_equal(track->err.code, ERR_NONE);
}

/* "Bearer " and a new token's text. */
static void make(struct track *track, uint32_t scopes, char header[128], char id[TOKEN_ID_LEN])
{
	struct journal_token template = { .scopes = scopes, .weight = 1 }, made;
	char text[AUTH_TOKEN_TEXT_LEN];

	STR_SET(template.name, "bot");
	auth_token_create(track->auth, &template, text, &made, done, track);
	wait_until_done(track);
	snprintf(header, 128, "Bearer %s", text);
	mem_str_set(id, TOKEN_ID_LEN, made.token_id);
}

static const struct journal_token *check(struct track *track, const char *header)
{
	const struct journal_token *token;
	struct err err;

	if (auth_check(track->auth, &tcp, header, &token, &err))
		return token;
	assert_int_equal(err.code, ERR_UNAUTHORIZED);
	return NULL;
}

static void a_token_is_known_also_after_a_restart(void **state)
{
	struct track *track = *state;
	char header[128], id[TOKEN_ID_LEN];

	make(track, AUTH_READ, header, id);
	assert_string_equal(check(track, header)->token_id, id);
	reopen(track);
	assert_string_equal(check(track, header)->token_id, id);
	assert_string_equal(check(track, header)->name, "bot");
	assert_int_equal(check(track, header)->scopes, AUTH_READ);
}

static void nothing_but_the_whole_token_is_taken(void **state)
{
	struct track *track = *state;
	char header[128], other[128], id[TOKEN_ID_LEN], wrong[160];

	make(track, AUTH_READ, header, id);
	make(track, AUTH_READ, other, id);
	for (size_t i = strlen("Bearer "); i < strlen(header); i++) {
		snprintf(wrong, sizeof(wrong), "%s", header);
		wrong[i] = wrong[i] == '0' ? '1' : '0';
		assert_null(check(track, wrong));
		wrong[i] = '\0';
		assert_null(check(track, wrong));
	}
	snprintf(wrong, sizeof(wrong), "%s0", header);
	assert_null(check(track, wrong));
	/* The secret of one under the id of the other. */
	snprintf(wrong, sizeof(wrong), "%.23s%s", other, header + 23);
	assert_null(check(track, wrong));
	snprintf(wrong, sizeof(wrong), "Basic %s", header + 7);
	assert_null(check(track, wrong));
	assert_null(check(track, header + 7));
	assert_null(check(track, ""));
	assert_null(check(track, "Bearer "));
	assert_null(check(track, NULL));
	snprintf(wrong, sizeof(wrong), "bearer  %s", header + 7); /* the scheme has no case */
	assert_non_null(check(track, wrong));
}

static void a_revoked_token_is_refused_at_once_and_for_ever(void **state)
{
	struct track *track = *state;
	char header[128], id[TOKEN_ID_LEN];
	struct err err;

	make(track, AUTH_READ, header, id);
	assert_true(auth_token_revoke(track->auth, id, done, track, &err));
	assert_null(check(track, header));
	wait_until_done(track);
	assert_true(auth_token_find(track->auth, id)->revoked_at.us > 0);
	reopen(track);
	assert_null(check(track, header));
	assert_false(auth_token_revoke(track->auth, "nobody", done, track, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void an_expired_token_is_refused(void **state)
{
	struct track *track = *state;
	struct journal_token template = { .scopes = AUTH_READ, .weight = 1 }, made;
	char text[AUTH_TOKEN_TEXT_LEN], header[128];

	template.expires_at.us = wall_now().us - 1;
	auth_token_create(track->auth, &template, text, &made, done, track);
	wait_until_done(track);
	snprintf(header, sizeof(header), "Bearer %s", text);
	assert_null(check(track, header));
}

struct hearing {
	struct loop *loop;
	char token_id[TOKEN_ID_LEN];
	int count;
};

static void hear(void *arg, const char *token_id)
{
	struct hearing *hearing = arg;

	STR_SET(hearing->token_id, token_id);
	hearing->count++;
	loop_stop(hearing->loop);
}

static void revoking_is_told_once(void **state)
{
	struct track *track = *state;
	struct hearing hearing = { .loop = track->rig->loop };
	char header[128], id[TOKEN_ID_LEN];
	struct err err;

	make(track, AUTH_READ, header, id);
	assert_true(auth_is_valid(track->auth, id));
	auth_on_void(track->auth, hear, &hearing);
	for (int i = 0; i < 2; i++) {
		assert_true(auth_token_revoke(track->auth, id, done, track, &err));
		assert_false(auth_is_valid(track->auth, id));
		wait_until_done(track);
	}
	assert_int_equal(hearing.count, 1);
	assert_string_equal(hearing.token_id, id);
}

static void expiring_is_told_when_it_happens(void **state)
{
	struct track *track = *state;
	struct hearing hearing = { .loop = track->rig->loop };
	struct journal_token template = { .scopes = AUTH_READ, .weight = 1 }, later, sooner;
	char text[AUTH_TOKEN_TEXT_LEN];

	auth_on_void(track->auth, hear, &hearing);
	template.expires_at.us = wall_now().us + 3600 * INT64_C(1000000);
	auth_token_create(track->auth, &template, text, &later, done, track);
	wait_until_done(track);
	template.expires_at.us = wall_now().us + 50000;
	auth_token_create(track->auth, &template, text, &sooner, done, track);
	wait_until_done(track);
	while (hearing.count == 0)
		loop_run(track->rig->loop);
	assert_true(wall_now().us >= template.expires_at.us);
	assert_string_equal(hearing.token_id, sooner.token_id);
	assert_false(auth_is_valid(track->auth, sooner.token_id));
	assert_true(auth_is_valid(track->auth, later.token_id));
}

static void only_who_is_known_can_be_valid(void **state)
{
	struct track *track = *state;

	assert_true(auth_is_valid(track->auth, "local"));
	assert_false(auth_is_valid(track->auth, "nobody"));
	assert_false(auth_is_valid(track->auth, ""));
}

static void the_daemons_own_user_needs_no_token_on_the_unix_socket(void **state)
{
	struct track *track = *state;
	struct http_peer peer = { .is_unix = true, .uid = (uint32_t)geteuid() };
	const struct journal_token *token;
	struct err err;

	assert_true(auth_check(track->auth, &peer, NULL, &token, &err));
	assert_string_equal(token->token_id, "local");
	assert_true(auth_allows(token, AUTH_ADMIN));
	peer.uid = 0;
	assert_true(auth_check(track->auth, &peer, NULL, &token, &err));
	peer.uid = (uint32_t)geteuid() + 4711;
	assert_false(auth_check(track->auth, &peer, NULL, &token, &err));
	peer.is_unix = false;
	peer.uid = 0;
	assert_false(auth_check(track->auth, &peer, NULL, &token, &err));
	/* A token that is given counts, and a wrong one is not forgiven. */
	peer.is_unix = true;
	assert_false(auth_check(track->auth, &peer, "Bearer x", &token, &err));
}

static void admin_implies_every_scope_and_no_other_does(void **unused)
{
	(void)unused;
	for (int bit = 0; bit < AUTH_BIT_COUNT; bit++) {
		struct journal_token token = { .scopes = 1u << bit };

		for (int asked = 0; asked < AUTH_BIT_COUNT; asked++)
			assert_int_equal(auth_allows(&token, 1u << asked),
					 asked == bit || bit == AUTH_BIT_ADMIN);
		assert_true(auth_allows(&token, ~0u));
	}
}

static void a_token_above_its_rate_is_told_to_wait_and_others_are_not(void **state)
{
	struct track *track = *state;
	char header[128], other[128], id[TOKEN_ID_LEN];
	struct http_peer peer = { .is_unix = true, .uid = (uint32_t)geteuid() };
	const struct journal_token *token;
	int64_t retry_ms = -1;
	struct err err;
	int taken = 0;

	make(track, AUTH_READ, header, id);
	make(track, AUTH_READ, other, id);
	/* The loop's clock stands still meanwhile. */
	while (taken < 1000 && auth_charge(track->auth, check(track, header), &retry_ms, &err))
		taken++;
	assert_int_equal(taken, 20);
	assert_int_equal(err.code, ERR_BUSY);
	assert_in_range(retry_ms, 1, 101);
	assert_true(auth_charge(track->auth, check(track, other), &retry_ms, &err));
	assert_true(auth_check(track->auth, &peer, NULL, &token, &err));
	for (int i = 0; i < 1000; i++)
		assert_true(auth_charge(track->auth, token, &retry_ms, &err));
}

static void the_key_is_private_and_a_damaged_one_is_refused(void **state)
{
	struct track *track = *state;
	struct stat facts;
	struct err err;
	FILE *file;

	assert_int_equal(stat(track->key_path, &facts), 0);
	assert_int_equal(facts.st_mode & 0777, 0600);
	auth_destroy(track->auth);
	file = fopen(track->key_path, "w");
	fputs("0011\n", file);
	fclose(file);
	try_to_open(track, &err);
	assert_null(track->auth);
	assert_int_equal(err.code, ERR_CONFIG);
	chmod(track->key_path, 0644);
	try_to_open(track, &err);
	assert_null(track->auth);
}

static void secrets_are_not_in_the_journal(void **state)
{
	struct track *track = *state;
	char header[128], id[TOKEN_ID_LEN], hash[128], sql[256];
	sqlite3 *db;

	make(track, AUTH_READ, header, id);
	db = rig_connect(track->rig);
	snprintf(sql, sizeof(sql), "SELECT hash FROM tokens WHERE token_id = '%s'", id);
	STR_SET(hash, rig_ask(db, sql));
	assert_int_equal(strlen(hash), 64);
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM tokens WHERE hash LIKE '%%%.20s%%'",
		 header + 23);
	assert_string_equal(rig_ask(db, sql), "0");
	sqlite3_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_token_is_known_also_after_a_restart, setup,
						teardown),
		cmocka_unit_test_setup_teardown(nothing_but_the_whole_token_is_taken, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_revoked_token_is_refused_at_once_and_for_ever,
						setup, teardown),
		cmocka_unit_test_setup_teardown(an_expired_token_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(revoking_is_told_once, setup, teardown),
		cmocka_unit_test_setup_teardown(expiring_is_told_when_it_happens, setup, teardown),
		cmocka_unit_test_setup_teardown(only_who_is_known_can_be_valid, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_daemons_own_user_needs_no_token_on_the_unix_socket, setup, teardown),
		cmocka_unit_test(admin_implies_every_scope_and_no_other_does),
		cmocka_unit_test_setup_teardown(
			a_token_above_its_rate_is_told_to_wait_and_others_are_not, setup, teardown),
		cmocka_unit_test_setup_teardown(the_key_is_private_and_a_damaged_one_is_refused,
						setup, teardown),
		cmocka_unit_test_setup_teardown(secrets_are_not_in_the_journal, setup, teardown),
	};
	bool is_locked;
	struct err err;

	if (!secret_init(&is_locked, &err))
		return 1;
	log_configure(LOG_ERROR, LOG_JSON);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
