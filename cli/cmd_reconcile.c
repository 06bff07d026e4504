/* Holds the journal against the exchange now, and shows what differed. */
#include "cli/cli.h"

#include "base/mem.h"
#include "cli/print.h"

#define TIMEOUT_MS 60000 /* it looks twice, and waits between */

static void print_report(const json_t *report)
{
	static const struct column columns[] = {
		{ "CLASS", "class", PRINT_TEXT },       { "ABOUT", "about", PRINT_TEXT },
		{ "SYMBOL", "symbol", PRINT_TEXT },     { "JOURNAL", "journal", PRINT_TEXT },
		{ "EXCHANGE", "exchange", PRINT_TEXT }, { "ACTION", "action", PRINT_TEXT },
	};
	const json_t *findings = json_object_get(report, "findings");

	if (json_array_size(findings) > 0)
		print_rows(stdout, findings, columns, ARRAY_LEN(columns));
	else
		cli_note("the journal and the exchange agree");
}

int cmd_reconcile(struct cli *cli)
{
	struct client_request request = { .method = "POST",
					  .target = "/v1/admin/reconcile",
					  .timeout_ms = TIMEOUT_MS };
	struct answer answer;
	int status = cli_call(cli, &request, &answer);

	if (status == CLI_DONE && cli->is_json)
		cli_print_raw(&answer);
	else if (status == CLI_DONE)
		print_report(answer.json);
	answer_fini(&answer);
	return status;
}
