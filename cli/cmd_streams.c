/* The commands that show the exchange's streams and end or resume them. */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/print.h"
#include "cli/target.h"

/* The streams are members of an object; their names become a member of each. */
static json_t *rows_of(json_t *streams)
{
	json_t *rows = json_array();

	for (void *at = json_object_iter(streams); at; at = json_object_iter_next(streams, at)) {
		json_t *row = json_copy(json_object_iter_value(at));

		json_object_set_new(row, "name", json_string(json_object_iter_key(at)));
		json_array_append_new(rows, row);
	}
	return rows;
}

static void print_streams(json_t *streams)
{
	static const struct column columns[] = {
		{ "STREAM", "name", PRINT_TEXT },
		{ "STATE", "state", PRINT_TEXT },
		{ "CONNECTED", "connected", PRINT_TEXT },
		{ "WANTED", "is_wanted", PRINT_TEXT },
		{ "LAST_MESSAGE_MS", "last_message_age_ms", PRINT_RIGHT },
		{ "LAST_ALIVE_MS", "last_alive_age_ms", PRINT_RIGHT },
		{ "RECONNECTS", "reconnects", PRINT_RIGHT },
		{ "WHY", "why", PRINT_TEXT },
	};
	json_t *rows = rows_of(streams);

	print_rows(stdout, rows, columns, ARRAY_LEN(columns));
	json_decref(rows);
}

/* As the answers to stop and start have it, without the rest of what health tells. */
static void print_streams_json(json_t *streams)
{
	json_t *only = json_object();
	char *text;

	json_object_set(only, "streams", streams);
	text = json_dumps(only, JSON_COMPACT);
	if (text)
		puts(text);
	free(text);
	json_decref(only);
}

static int show(struct cli *cli, int status, const struct answer *answer)
{
	json_t *streams = json_object_get(answer->json, "streams");

	if (status == CLI_DONE && cli->is_json)
		print_streams_json(streams);
	else if (status == CLI_DONE)
		print_streams(streams);
	return status;
}

int cmd_streams(struct cli *cli)
{
	struct answer answer;
	int status = show(cli, cli_get(cli, "/v1/health", &answer), &answer);

	answer_fini(&answer);
	return status;
}

static int switch_stream(struct cli *cli, const char *verb)
{
	struct answer answer;
	struct buf target;
	int status;

	target_init(&target, "/v1/admin/streams");
	target_segment(&target, cli->args.operands[0]);
	target_segment(&target, verb);
	status = show(cli, cli_post(cli, buf_str(&target), NULL, &answer), &answer);
	answer_fini(&answer);
	buf_fini(&target);
	return status;
}

int cmd_streams_stop(struct cli *cli)
{
	return switch_stream(cli, "stop");
}

int cmd_streams_start(struct cli *cli)
{
	return switch_stream(cli, "start");
}
