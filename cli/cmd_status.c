/* The commands that say how the daemon is. */
#include "cli/cli.h"

#include "base/mem.h"
#include "cli/print.h"

#define HEALTH_PATH "/v1/health"
#define LIMITS_PATH "/v1/limits"

static void print_limits(const json_t *json)
{
	static const struct column columns[] = {
		{ "orders a second", "refill_per_s", PRINT_TEXT },
		{ "capacity", "capacity", PRINT_TEXT },
		{ "available now", "available", PRINT_TEXT },
		{ "utilization", "utilization", PRINT_TEXT },
		{ "queued", "queued", PRINT_TEXT },
		{ "queued, own", "queued_own", PRINT_TEXT },
		{ "own share", "share", PRINT_TEXT },
		{ "estimated wait, ms", "estimated_wait_ms", PRINT_TEXT },
		{ "paused for, ms", "paused_ms", PRINT_TEXT },
	};

	print_members(stdout, json, columns, ARRAY_LEN(columns));
}

int cmd_limits(struct cli *cli)
{
	return cli_show(cli, LIMITS_PATH, print_limits);
}

static void print_health(const json_t *json)
{
	static const struct column columns[] = {
		{ "status", "status", PRINT_TEXT },
		{ "reasons", "reasons", PRINT_TEXT },
		{ "mode", "mode", PRINT_TEXT },
		{ "network", "network", PRINT_TEXT },
		{ "warnings", "warnings", PRINT_TEXT },
		{ "exchange reachable", "rest_api", PRINT_TEXT },
		{ "exchange streams", "websocket", PRINT_TEXT },
		{ "authenticated", "authenticated", PRINT_TEXT },
		{ "account", "venue.account_id", PRINT_TEXT },
		{ "another account", "venue.wrong_account", PRINT_TEXT },
		{ "operation key open", "operation_key", PRINT_TEXT },
		{ "key hash differs", "venue.key_hash_differs", PRINT_TEXT },
		{ "trading locked", "venue.locked", PRINT_TEXT },
		{ "locked since", "venue.locked_since", PRINT_TEXT },
		{ "last answer", "venue.last_answer_at", PRINT_TEXT },
		{ "recovering", "recovering", PRINT_TEXT },
		{ "journal writable", "journal.writable", PRINT_TEXT },
		{ "journal's trouble", "journal.reason", PRINT_TEXT },
		{ "journal waiting", "journal.waiting", PRINT_TEXT },
		{ "journal lag, ms", "journal.lag_ms", PRINT_TEXT },
		{ "streams", "streams", PRINT_TEXT },
		{ "version", "version", PRINT_TEXT },
		{ "uptime, s", "uptime_s", PRINT_TEXT },
	};

	print_members(stdout, json, columns, ARRAY_LEN(columns));
}

int cmd_health(struct cli *cli)
{
	return cli_show(cli, HEALTH_PATH, print_health);
}

/* What an operator looks at first. */
static void print_status(const json_t *both)
{
	static const struct column columns[] = {
		{ "status", "health.status", PRINT_TEXT },
		{ "reasons", "health.reasons", PRINT_TEXT },
		{ "network", "health.network", PRINT_TEXT },
		{ "exchange reachable", "health.rest_api", PRINT_TEXT },
		{ "operation key open", "health.operation_key", PRINT_TEXT },
		{ "trading locked", "health.venue.locked", PRINT_TEXT },
		{ "journal writable", "health.journal.writable", PRINT_TEXT },
		{ "may be sent now", "limits.available", PRINT_TEXT },
		{ "orders a second", "limits.refill_per_s", PRINT_TEXT },
		{ "orders queued", "limits.queued", PRINT_TEXT },
		{ "estimated wait, ms", "limits.estimated_wait_ms", PRINT_TEXT },
	};

	print_members(stdout, both, columns, ARRAY_LEN(columns));
}

int cmd_status(struct cli *cli)
{
	struct answer health, limits = { .outcome = FETCH_NOT_SENT };
	int status = cli_get(cli, HEALTH_PATH, &health);
	json_t *both = json_object();

	if (status == CLI_DONE)
		status = cli_get(cli, LIMITS_PATH, &limits);
	if (status == CLI_DONE && cli->is_json) {
		printf("{\"health\":%s,\"limits\":%s}\n", health.body, limits.body);
	} else if (status == CLI_DONE) {
		json_object_set(both, "health", health.json);
		json_object_set(both, "limits", limits.json);
		print_status(both);
	}
	json_decref(both);
	answer_fini(&health);
	answer_fini(&limits);
	return status;
}
