#include "cli/cli.h"

#include <stdarg.h>
#include <string.h>

#include "base/buf.h"
#include "cli/print.h"

#define TIMEOUT_MS 30000
#define LINE_MAX   4096

/* ---- what goes to stderr ----------------------------------------------------------------- */

void cli_note(const char *format, ...)
{
	va_list values;

	fflush(stdout); /* in order, where both are one terminal */
	fputs("deltagate: ", stderr);
	va_start(values, format);
	vfprintf(stderr, format, values);
	va_end(values);
	fputc('\n', stderr);
}

int cli_fail(const struct err *err)
{
	cli_note("%s", err->text);
	if (err->code == ERR_USAGE || err->code == ERR_CONFIG)
		return CLI_USAGE;
	return err->code == ERR_UNREACHABLE || err->code == ERR_TLS ? CLI_UNREACHABLE : CLI_REFUSED;
}

int cli_usage(const char *text)
{
	cli_note("%s", text);
	return CLI_USAGE;
}

/* "risk-limit: base_quantity has more than 6 places (exchange code 4100) [order ord_...]" */
static void explain_problem(const json_t *problem)
{
	static const char *const parts[][2] = {
		{ "%s", "code" },
		{ ": %s", "detail" },
		{ " (exchange code %s)", "exchange.code" },
		{ " (order %s)", "order.order_id" },
		{ " (try again in %s ms)", "retry_after_ms" },
	};
	struct buf line;

	buf_init(&line, LINE_MAX);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const json_t *value = print_find(problem, parts[i][1]);
		const char *mark = strstr(parts[i][0], "%s");

		if (!value)
			continue;
		buf_add(&line, parts[i][0], (size_t)(mark - parts[i][0]));
		print_value(&line, value, PRINT_TEXT);
		buf_add_str(&line, mark + strlen("%s"));
	}
	cli_note("%s", buf_str(&line));
	buf_fini(&line);
}

void cli_explain(const struct cli *cli, const struct answer *answer)
{
	if (!print_find(answer->json, "code"))
		cli_note("status %d, and no problem document: is this a deltagate?",
			 answer->status);
	else if (cli->is_json)
		fprintf(stderr, "%s\n", answer->body);
	else
		explain_problem(answer->json);
}

/* ---- asking ------------------------------------------------------------------------------ */

int cli_connect(struct cli *cli)
{
	const struct client_config config = {
		.socket = cli->paths.socket,
		.url = args_get(&cli->args, "--url"),
		.token_file = args_get(&cli->args, "--token-file"),
	};
	struct err err;

	if (!cli->client && !client_create(&config, &cli->client, &err))
		return cli_fail(&err);
	return CLI_DONE;
}

int cli_call(struct cli *cli, const struct client_request *request, struct answer *answer)
{
	int status = cli_connect(cli);
	struct err err;

	*answer = (struct answer){ .outcome = FETCH_NOT_SENT };
	cli->http_status = 0;
	if (status != CLI_DONE)
		return status;
	if (!client_call(cli->client, request, answer, &err)) {
		status = cli_fail(&err);
		return answer->signum ? CLI_SIGNAL + answer->signum : status;
	}
	cli->http_status = answer->status;
	if (answer->status >= 400) {
		cli_explain(cli, answer);
		return CLI_REFUSED;
	}
	if (answer->json || answer->status == 204)
		return CLI_DONE;
	cli_note("status %d, and no JSON: is this a deltagate?", answer->status);
	return CLI_REFUSED;
}

static int call_simply(struct cli *cli, const char *method, const char *target, const char *body,
		       struct answer *answer)
{
	const struct client_request request = {
		.method = method, .target = target, .body = body, .timeout_ms = TIMEOUT_MS
	};

	return cli_call(cli, &request, answer);
}

int cli_get(struct cli *cli, const char *target, struct answer *answer)
{
	return call_simply(cli, "GET", target, NULL, answer);
}

int cli_post(struct cli *cli, const char *target, const char *body, struct answer *answer)
{
	return call_simply(cli, "POST", target, body, answer);
}

int cli_delete(struct cli *cli, const char *target, struct answer *answer)
{
	return call_simply(cli, "DELETE", target, NULL, answer);
}

/* ---- showing ----------------------------------------------------------------------------- */

void cli_print_raw(const struct answer *answer)
{
	fwrite(answer->body, 1, answer->body_len, stdout);
	if (answer->body_len > 0 && answer->body[answer->body_len - 1] != '\n')
		putchar('\n');
}

int cli_show(struct cli *cli, const char *target, void (*print)(const json_t *json))
{
	struct answer answer;
	int status = cli_get(cli, target, &answer);

	if (status == CLI_DONE && cli->is_json)
		cli_print_raw(&answer);
	else if (status == CLI_DONE)
		print(answer.json);
	answer_fini(&answer);
	return status;
}

void cli_hint_owner(const struct cli *cli)
{
	if (cli->http_status == 404 && !cli->is_json && !args_has(&cli->args, "--all"))
		cli_note("only your own orders were looked at; --all is for those of every app");
}
