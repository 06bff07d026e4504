/* The commands that open and lock the operation key and swap the exchange's API key. Secrets come
 * from a prompt, a pipe or a file. */
#include "cli/cli.h"

#include "base/mem.h"
#include "base/secret.h"
#include "cli/input.h"
#include "cli/print.h"

#define PASSWORD_MAX 1024
#define API_KEY_MAX  128
#define TIMEOUT_MS   60000 /* the daemon asks the exchange before it answers */

static const struct column key_columns[] = {
	{ "operation key open", "operation_key", PRINT_TEXT },
	{ "key hash", "key_hash", PRINT_TEXT },
	{ "authenticated", "authenticated", PRINT_TEXT },
	{ "account", "account_id", PRINT_TEXT },
};

static int show_key(const struct cli *cli, int status, const struct answer *answer)
{
	if (status == CLI_DONE && cli->is_json)
		cli_print_raw(answer);
	else if (status == CLI_DONE)
		print_members(stdout, answer->json, key_columns, ARRAY_LEN(key_columns));
	return status;
}

static int send_secret(struct cli *cli, const char *target, const char *name,
		       const struct secret *secret)
{
	struct client_request request = { .method = "POST",
					  .target = target,
					  .timeout_ms = TIMEOUT_MS };
	struct answer answer;
	struct secret *body;
	struct err err;
	int status;

	if (!input_secret_body(name, secret, &body, &err))
		return cli_fail(&err);
	request.secret_body = body;
	status = show_key(cli, cli_call(cli, &request, &answer), &answer);
	answer_fini(&answer);
	secret_destroy(body);
	return status;
}

static int ask_and_send(struct cli *cli, const char *prompt, size_t max, const char *target,
			const char *name)
{
	struct secret *secret;
	struct err err;
	int status;

	if (!input_secret(args_get(&cli->args, "--file"), prompt, max, &secret, &err))
		return cli_fail(&err);
	status = send_secret(cli, target, name, secret);
	secret_destroy(secret);
	return status;
}

int cmd_unlock(struct cli *cli)
{
	return ask_and_send(cli, "Trading password: ", PASSWORD_MAX, "/v1/admin/unlock",
			    "trading_password");
}

int cmd_rotate_api_key(struct cli *cli)
{
	return ask_and_send(cli, "New API key of the exchange: ", API_KEY_MAX, "/v1/admin/api-key",
			    "api_key");
}

int cmd_lock(struct cli *cli)
{
	struct answer answer;
	int status = show_key(cli, cli_post(cli, "/v1/admin/lock", NULL, &answer), &answer);

	answer_fini(&answer);
	return status;
}
