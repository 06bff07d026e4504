/* The commands that place and cancel orders.
 *
 * An order always carries a client_order_id, made here if none was given: when its answer is lost,
 * the order can be found by it, and sent again without being placed twice. Amounts are sent as they
 * were typed. */
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/print.h"
#include "cli/show.h"
#include "cli/target.h"
#include "cli/when.h"

#define ORDERS_PATH  "/v1/orders"
#define WAIT_MAX_S   60
#define TIMEOUT_MS   90000 /* longer than the daemon waits for an outcome */
#define ID_BYTES     12
#define ID_PREFIX    "cli-"
#define ID_LEN       (sizeof(ID_PREFIX) + 2 * ID_BYTES)
#define TEXT_MAX     256
#define SLIPPAGE_MAX 10000 /* basis points; the daemon knows the bound too */

/* ---- the order --------------------------------------------------------------------------- */

static bool make_id(char id[ID_LEN], struct err *err)
{
	unsigned char bytes[ID_BYTES];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return err_set(err, ERR_IO, "no random bytes: %s", strerror(errno));
	memcpy(id, ID_PREFIX, strlen(ID_PREFIX));
	hex_encode(bytes, sizeof(bytes), id + strlen(ID_PREFIX));
	return true;
}

static bool set_text(json_t *body, const char *key, const char *text, struct err *err)
{
	return json_object_set_new(body, key, json_string(text)) == 0 ||
	       err_set(err, ERR_USAGE, "%s is not UTF-8", key);
}

static bool add_market(json_t *body, const struct args *args, struct err *err)
{
	long slippage_bp;

	if (args_has(args, "--post-only"))
		return err_set(err, ERR_USAGE, "only a limit order can be --post-only");
	if (args_has(args, "--slippage") == args_has(args, "--unbounded"))
		return err_set(err, ERR_USAGE,
			       "a market order needs either --slippage BP or --unbounded");
	if (args_has(args, "--unbounded"))
		json_object_set_new(body, "allow_unbounded_slippage", json_true());
	if (!args_has(args, "--slippage"))
		return true;
	if (!args_get_int(args, "--slippage", 0, SLIPPAGE_MAX, 0, &slippage_bp, err))
		return false;
	json_object_set_new(body, "max_slippage_basis_point", json_integer(slippage_bp));
	return true;
}

static bool add_limit(json_t *body, const struct args *args, struct err *err)
{
	if (args_has(args, "--slippage") || args_has(args, "--unbounded"))
		return err_set(err, ERR_USAGE, "only a --market order has a slippage");
	if (args_has(args, "--post-only"))
		json_object_set_new(body, "post_only", json_true());
	return set_text(body, "price", args_get(args, "--price"), err);
}

static bool add_type(json_t *body, const struct args *args, struct err *err)
{
	bool is_market = args_has(args, "--market");

	if (is_market == args_has(args, "--price"))
		return err_set(err, ERR_USAGE, "either --price P or --market is needed");
	json_object_set_new(body, "type", json_string(is_market ? "market" : "limit"));
	return is_market ? add_market(body, args, err) : add_limit(body, args, err);
}

static bool add_deadline(json_t *body, const struct args *args, struct err *err)
{
	const char *text = args_get(args, "--valid-until");
	char at[WALL_TEXT_LEN];

	if (!text)
		return true;
	if (!when_parse(text, wall_now(), at, err))
		return err_prefix(err, "--valid-until");
	return set_text(body, "valid_until", at, err);
}

static bool make_order(const struct args *args, const char *side, const char *id, json_t *body,
		       struct err *err)
{
	const char *quantity = args_has(args, "--quote") ? "quote_quantity" : "base_quantity";

	json_object_set_new(body, "side", json_string(side));
	return set_text(body, "symbol", args->operands[0], err) &&
	       set_text(body, quantity, args->operands[1], err) &&
	       set_text(body, "client_order_id", id, err) && add_type(body, args, err) &&
	       add_deadline(body, args, err);
}

/* ---- waiting ----------------------------------------------------------------------------- */

#define PREFER_LEN 32

static bool make_prefer(const struct args *args, char prefer[PREFER_LEN], struct err *err)
{
	long wait_s;

	prefer[0] = '\0';
	if (args_has(args, "--async") && args_has(args, "--wait"))
		return err_set(err, ERR_USAGE, "either --wait or --async");
	if (!args_get_int(args, "--wait", 0, WAIT_MAX_S, 0, &wait_s, err))
		return false;
	if (args_has(args, "--async"))
		snprintf(prefer, PREFER_LEN, "respond-async");
	else if (args_has(args, "--wait"))
		snprintf(prefer, PREFER_LEN, "wait=%ld", wait_s);
	return true;
}

/* ---- the answer -------------------------------------------------------------------------- */

/* Of a member, for a note; buf_fini() the result. */
static struct buf text_of(const json_t *json, const char *key)
{
	struct buf text;

	buf_init(&text, TEXT_MAX);
	print_value(&text, print_find(json, key), PRINT_TEXT);
	return text;
}

static void note_pending(const json_t *order, const char *what)
{
	struct buf state = text_of(order, "state"), id = text_of(order, "order_id");

	cli_note("%s, it is %s; ask: deltagate order %s", what, buf_str(&state), buf_str(&id));
	buf_fini(&state);
	buf_fini(&id);
}

static bool is_in(const json_t *order, const char *state)
{
	const json_t *value = print_find(order, "state");

	return json_is_string(value) && strcmp(json_string_value(value), state) == 0;
}

/* A known id is answered with its order, also when that was refused long ago. */
static int judge_replay(const json_t *order)
{
	cli_note("this client_order_id is known: nothing new was placed");
	return is_in(order, "rejected") || is_in(order, "failed") ? CLI_REFUSED : CLI_DONE;
}

static int show_placed(const struct cli *cli, const struct answer *answer)
{
	if (cli->is_json)
		cli_print_raw(answer);
	else
		show_order_line(answer->json);
	if (answer->status == 202)
		note_pending(answer->json, "no outcome yet, so do not place another one");
	return answer->status == 200 ? judge_replay(answer->json) : CLI_DONE;
}

/* An order may be live that nobody here knows. Repeated, it must be the same in every field. */
static void explain_lost(const json_t *body, const char *id)
{
	const json_t *until = json_object_get(body, "valid_until");

	cli_note("the order may have been placed all the same; ask: deltagate order client:%s", id);
	cli_note("the same command with --id %s%s%s places it if that did not happen, and never "
		 "twice",
		 id, until ? " --valid-until " : "", until ? json_string_value(until) : "");
}

static bool is_lost(const struct answer *answer)
{
	return answer->outcome == FETCH_LOST ||
	       (answer->outcome == FETCH_ANSWERED && answer->status < 400 && !answer->json);
}

static int place(struct cli *cli, const json_t *body, const char *id, const char *prefer)
{
	char *text = json_dumps(body, JSON_COMPACT);
	const struct client_request request = { .method = "POST",
						.target = ORDERS_PATH,
						.body = text,
						.prefer = *prefer ? prefer : NULL,
						.timeout_ms = TIMEOUT_MS };
	struct answer answer;
	int status = cli_call(cli, &request, &answer);

	if (status == CLI_DONE)
		status = show_placed(cli, &answer);
	else if (is_lost(&answer))
		explain_lost(body, id);
	answer_fini(&answer);
	free(text);
	return status;
}

static int trade(struct cli *cli, const char *side)
{
	const char *id = args_get(&cli->args, "--id");
	json_t *body = json_object();
	char made[ID_LEN], prefer[PREFER_LEN];
	struct err err;
	int status;

	if ((id || make_id(made, &err)) &&
	    make_order(&cli->args, side, id ? id : made, body, &err) &&
	    make_prefer(&cli->args, prefer, &err))
		status = place(cli, body, id ? id : made, prefer);
	else
		status = cli_fail(&err);
	json_decref(body);
	return status;
}

int cmd_buy(struct cli *cli)
{
	return trade(cli, "buy");
}

int cmd_sell(struct cli *cli)
{
	return trade(cli, "sell");
}

/* ---- cancels ----------------------------------------------------------------------------- */

static int call_delete(struct cli *cli, const char *target, struct answer *answer)
{
	char prefer[PREFER_LEN];
	struct client_request request = {
		.method = "DELETE", .target = target, .prefer = prefer, .timeout_ms = TIMEOUT_MS
	};
	struct err err;
	int status;

	*answer = (struct answer){ .outcome = FETCH_NOT_SENT };
	if (!make_prefer(&cli->args, prefer, &err))
		return cli_fail(&err);
	if (!*prefer)
		request.prefer = NULL;
	status = cli_call(cli, &request, answer);
	if (status != CLI_DONE && answer->outcome == FETCH_LOST)
		cli_note("the cancel may be under way; sending it again does no harm");
	if (status == CLI_DONE && cli->is_json)
		cli_print_raw(answer);
	return status;
}

int cmd_cancel(struct cli *cli)
{
	struct answer answer;
	struct buf target;
	int status;

	target_init(&target, ORDERS_PATH);
	target_segment(&target, cli->args.operands[0]);
	target_query(&target, "owner", args_has(&cli->args, "--all") ? "any" : NULL);
	status = call_delete(cli, buf_str(&target), &answer);
	cli_hint_owner(cli);
	if (status == CLI_DONE && !cli->is_json)
		show_order_line(answer.json);
	if (status == CLI_DONE && answer.status == 202)
		note_pending(answer.json, "not known to be cancelled yet");
	answer_fini(&answer);
	buf_fini(&target);
	return status;
}

/* {"cancelled": [ID], "pending": [ID], "failed": [{"order_id", "code", "detail"}]} */
static void show_sweep(const json_t *json)
{
	static const struct column columns[] = {
		{ "ORDER_ID", "order_id", PRINT_TEXT },
		{ "OUTCOME", "outcome", PRINT_TEXT },
		{ "DETAIL", "detail", PRINT_TEXT },
	};
	static const char *const outcomes[] = { "cancelled", "pending", "failed" };
	json_t *rows = json_array();

	for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
		const json_t *ended = print_find(json, outcomes[i]);

		for (size_t at = 0; at < json_array_size(ended); at++) {
			json_t *one = json_array_get(ended, at);
			json_t *row = json_is_object(one) ? json_copy(one)
							  : json_pack("{sO}", "order_id", one);

			json_object_set_new(row, "outcome", json_string(outcomes[i]));
			json_array_append_new(rows, row);
		}
	}
	print_rows(stdout, rows, columns, ARRAY_LEN(columns));
	json_decref(rows);
}

int cmd_cancel_all(struct cli *cli)
{
	struct answer answer;
	struct buf target;
	int status;

	target_init(&target, ORDERS_PATH);
	target_query(&target, "symbol", cli->args.operands[0]);
	target_query(&target, "owner", args_has(&cli->args, "--all") ? "any" : NULL);
	status = call_delete(cli, buf_str(&target), &answer);
	if (status == CLI_DONE && !cli->is_json)
		show_sweep(answer.json);
	if (status == CLI_DONE && answer.status == 202)
		cli_note("some are not known to be cancelled yet; ask: deltagate orders");
	if (status == CLI_DONE && json_array_size(print_find(answer.json, "failed")) > 0)
		status = CLI_REFUSED;
	answer_fini(&answer);
	buf_fini(&target);
	return status;
}
