/* The commands that make, list and revoke the tokens of apps. */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "cli/print.h"
#include "cli/target.h"
#include "cli/when.h"

#define TOKENS_PATH "/v1/admin/tokens"

static bool add_item(void *arg, const char *item, struct err *err)
{
	return json_array_append_new(arg, json_string(item)) == 0 ||
	       err_set(err, ERR_USAGE, "an item of a list is not UTF-8");
}

static bool add_list(json_t *body, const char *key, const struct args *args, const char *flag,
		     struct err *err)
{
	json_t *list;

	if (!args_has(args, flag))
		return true;
	list = json_array();
	json_object_set_new(body, key, list);
	return args_each(args, flag, add_item, list, err);
}

static bool add_number(json_t *body, const char *key, const struct args *args, const char *flag,
		       struct err *err)
{
	long number;

	if (!args_has(args, flag))
		return true;
	/* The daemon knows the bounds. */
	if (!args_get_int(args, flag, 0, 1000000000, 0, &number, err))
		return false;
	json_object_set_new(body, key, json_integer(number));
	return true;
}

static bool add_limits(json_t *body, const struct args *args, struct err *err)
{
	const char *value = args_get(args, "--max-order-value");
	const char *expires = args_get(args, "--expires");
	char at[WALL_TEXT_LEN];

	if (value)
		json_object_set_new(body, "max_order_value", json_string(value));
	if (!add_number(body, "max_open_orders", args, "--max-open-orders", err) ||
	    !add_number(body, "weight", args, "--weight", err))
		return false;
	if (!expires)
		return true;
	if (!when_parse(expires, wall_now(), at, err))
		return err_prefix(err, "--expires");
	json_object_set_new(body, "expires_at", json_string(at));
	return true;
}

static bool make_body(const struct args *args, json_t *body, struct err *err)
{
	if (json_object_set_new(body, "name", json_string(args->operands[0])) < 0)
		return err_set(err, ERR_USAGE, "NAME is not UTF-8");
	if (!args_has(args, "--scope"))
		return err_set(err, ERR_USAGE,
			       "--scope is needed: any of market,read,trade,ops,admin");
	return add_list(body, "scopes", args, "--scope", err) &&
	       add_list(body, "symbols", args, "--symbol", err) && add_limits(body, args, err);
}

/* Alone on stdout, for $(...): the only time that it is shown. */
static int print_token(const struct answer *answer)
{
	const json_t *token = print_find(answer->json, "token");

	if (!json_is_string(token)) {
		cli_note("the answer holds no token");
		return CLI_REFUSED;
	}
	puts(json_string_value(token));
	return CLI_DONE;
}

int cmd_token_create(struct cli *cli)
{
	json_t *body = json_object();
	struct answer answer = { .outcome = FETCH_NOT_SENT };
	char *text = NULL;
	struct err err;
	int status;

	if (!make_body(&cli->args, body, &err)) {
		status = cli_fail(&err);
		goto out;
	}
	text = json_dumps(body, JSON_COMPACT);
	status = cli_post(cli, TOKENS_PATH, text, &answer);
	if (status == CLI_DONE && cli->is_json)
		cli_print_raw(&answer);
	else if (status == CLI_DONE)
		status = print_token(&answer);
out:
	answer_fini(&answer);
	json_decref(body);
	free(text);
	return status;
}

static void print_tokens(const json_t *json)
{
	static const struct column columns[] = {
		{ "TOKEN_ID", "token_id", PRINT_TEXT },
		{ "NAME", "name", PRINT_TEXT },
		{ "SCOPES", "scopes", PRINT_TEXT },
		{ "SYMBOLS", "symbols", PRINT_TEXT },
		{ "MAX_VALUE", "max_order_value", PRINT_RIGHT },
		{ "MAX_OPEN", "max_open_orders", PRINT_RIGHT },
		{ "WEIGHT", "weight", PRINT_RIGHT },
		{ "CREATED", "created_at", PRINT_TIME },
		{ "EXPIRES", "expires_at", PRINT_TIME },
		{ "REVOKED", "revoked_at", PRINT_TIME },
	};

	print_rows(stdout, print_find(json, "data"), columns, ARRAY_LEN(columns));
}

int cmd_token_list(struct cli *cli)
{
	return cli_show(cli, TOKENS_PATH, print_tokens);
}

int cmd_token_revoke(struct cli *cli)
{
	struct answer answer;
	struct buf target;
	int status;

	target_init(&target, TOKENS_PATH);
	target_segment(&target, cli->args.operands[0]);
	status = cli_delete(cli, buf_str(&target), &answer);
	if (status == CLI_DONE && cli->is_json)
		cli_print_raw(&answer);
	else if (status == CLI_DONE)
		printf("%s revoked\n", cli->args.operands[0]);
	answer_fini(&answer);
	buf_fini(&target);
	return status;
}
