/* Keys, tokens, and whether the exchange's streams are followed. Bodies with a secret in them are
 * wiped as soon as they are read. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "client/deltadefi.h"
#include "net/httpd.h"
#include "server/api.h"
#include "server/auth.h"
#include "server/config_value.h"
#include "server/daemon.h"
#include "server/json.h"
#include "server/json_in.h"
#include "server/streams.h"
#include "server/venue.h"

#define PASSWORD_MAX   1024
#define API_KEY_MAX    128
#define DURABLE_MAX_MS 5000 /* to wait for the journal before saying that it does not come */

/* The only member of the body, a secret. NULL, and answered, if it is not there. */
static struct secret *read_secret(struct api_call *call, const char *name, size_t max)
{
	struct json_in *in;
	struct secret *secret = NULL;
	struct err err;

	in = json_in_parse(http_body(call->request), http_body_len(call->request), &err);
	api_wipe_body(call);
	if (in) {
		if (!json_in_secret(in, name, max, &secret))
			json_in_refuse(in, ERR_INVALID, "the secret is needed");
		if (!json_in_end(in, &err)) {
			secret_destroy(secret);
			secret = NULL;
		}
		json_in_destroy(in);
	}
	if (!secret)
		api_reply_err(call, &err);
	return secret;
}

/* ---- the operation key ------------------------------------------------------------------ */

static void answer_key(struct api_call *call)
{
	const struct dd_client *exchange = call->daemon->exchange;
	struct json_out out;

	json_out_init(&out);
	json_out_object(&out, NULL);
	json_out_bool(&out, "operation_key", dd_is_unlocked(exchange));
	json_out_text(&out, "key_hash", dd_key_hash(exchange));
	json_out_object_end(&out);
	api_reply(call, 200, &out);
}

static void unlocked(void *arg, const struct err *err)
{
	struct api_call *call = arg;

	if (!api_release(call))
		return;
	if (err)
		api_reply_err(call, err);
	else
		answer_key(call);
}

void api_unlock_post(struct api_call *call)
{
	struct secret *password = read_secret(call, "trading_password", PASSWORD_MAX);

	if (!password)
		return;
	api_hold(call);
	venue_unlock(call->daemon->venue, password, unlocked, call);
	secret_destroy(password);
}

void api_lock_post(struct api_call *call)
{
	venue_lock(call->daemon->venue);
	answer_key(call);
}

/* ---- the API key ------------------------------------------------------------------------ */

static void swapped(void *arg, const struct err *err)
{
	struct api_call *call = arg;
	struct venue_state venue;
	struct json_out out;

	if (!api_release(call))
		return;
	if (err) {
		api_reply_err(call, err);
		return;
	}
	venue_state(call->daemon->venue, &venue);
	json_out_init(&out);
	json_out_object(&out, NULL);
	json_out_bool(&out, "authenticated", venue.is_authenticated);
	json_out_text(&out, "account_id", venue.account_id);
	json_out_object_end(&out);
	api_reply(call, 200, &out);
}

void api_key_post(struct api_call *call)
{
	struct secret *key = read_secret(call, "api_key", API_KEY_MAX);
	struct err err;

	if (!key)
		return;
	if (config_value_check_api_key(key, &err)) {
		api_hold(call);
		venue_swap_api_key(call->daemon->venue, key, swapped, call);
	} else {
		api_refuse(call, ERR_INVALID, err.text);
	}
	secret_destroy(key);
}

/* ---- tokens ----------------------------------------------------------------------------- */

static void add_token(void *arg, const struct journal_token *token)
{
	struct json_out *out = arg;

	json_out_object(out, NULL);
	json_token_members(out, token);
	json_out_object_end(out);
}

void api_tokens_get(struct api_call *call)
{
	struct json_out out;

	json_out_init(&out);
	json_out_object(&out, NULL);
	json_out_array(&out, "data");
	auth_each_token(call->daemon->auth, add_token, &out);
	json_out_array_end(&out);
	json_out_object_end(&out);
	api_reply(call, 200, &out);
}

/* A token on its way into the journal, with the only copy of its secret. */
struct fresh_token {
	struct journal_token token;
	char text[AUTH_TOKEN_TEXT_LEN];
};

static void fresh_token_free(void *state)
{
	struct fresh_token *fresh = state;

	secret_wipe(fresh->text, sizeof(fresh->text));
	mem_free(fresh);
}

static void token_made(void *arg, const struct err *err)
{
	struct api_call *call = arg;
	const struct fresh_token *fresh = call->state;
	struct json_out out;

	if (!api_release(call))
		return;
	if (err) {
		api_reply_err(call, err);
		return;
	}
	json_out_init(&out);
	json_out_object(&out, NULL);
	json_token_members(&out, &fresh->token);
	json_out_str(&out, "token", fresh->text);
	json_out_object_end(&out);
	api_reply_copy(call, 201, "application/json", out.buf.data, out.buf.len);
	secret_wipe(out.buf.data, out.buf.len);
	json_out_fini(&out);
}

void api_tokens_post(struct api_call *call)
{
	struct journal_token wanted;
	struct fresh_token *fresh;
	struct err err;

	if (!json_read_token(http_body(call->request), http_body_len(call->request), &wanted,
			     &err)) {
		api_reply_err(call, &err);
		return;
	}
	fresh = mem_alloc(sizeof(*fresh));
	call->state = fresh;
	call->drop = fresh_token_free;
	api_hold(call);
	auth_token_create(call->daemon->auth, &wanted, fresh->text, &fresh->token, token_made,
			  call);
}

static void token_revoked(void *arg, const struct err *err)
{
	struct api_call *call = arg;
	const struct journal_token *token;
	struct json_out out;

	if (!api_release(call))
		return;
	if (err) {
		api_reply_err(call, err);
		return;
	}
	token = auth_token_find(call->daemon->auth, call->param);
	json_out_init(&out);
	json_out_object(&out, NULL);
	json_token_members(&out, token);
	json_out_object_end(&out);
	api_reply(call, 200, &out);
}

static void not_durable_yet(struct api_call *call)
{
	api_refuse(call, ERR_JOURNAL, "refused from now on, but that is not in the journal yet");
}

void api_token_delete(struct api_call *call)
{
	struct err err;

	api_hold(call);
	if (auth_token_revoke(call->daemon->auth, call->param, token_revoked, call, &err))
		api_wait(call, DURABLE_MAX_MS, not_durable_yet);
	else if (api_release(call))
		api_reply_err(call, &err);
}

/* ---- streams ---------------------------------------------------------------------------- */

static void answer_streams(struct api_call *call, bool is_done, const struct err *err)
{
	struct json_out out;

	if (!is_done) {
		api_reply_err(call, err);
		return;
	}
	json_out_init(&out);
	json_out_object(&out, NULL);
	api_print_streams(call->daemon, &out);
	json_out_object_end(&out);
	api_reply(call, 200, &out);
}

void api_stream_stop_post(struct api_call *call)
{
	struct err err;
	bool is_done = streams_stop(call->daemon->streams, call->param, &err);

	answer_streams(call, is_done, &err);
}

void api_stream_start_post(struct api_call *call)
{
	struct err err;
	bool is_done = streams_resume(call->daemon->streams, call->param, &err);

	answer_streams(call, is_done, &err);
}
