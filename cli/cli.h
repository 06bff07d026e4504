/* cli.h - what the commands share: asking the daemon, showing its answer, failing.
 *
 * A command is a function that returns the process's exit status. Answers go to stdout, as tables
 * or, with --json, byte for byte as the daemon sent them; everything else goes to stderr. */
#ifndef CLI_CLI_H
#define CLI_CLI_H
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "cli/args.h"
#include "cli/client.h"
#include "cli/paths.h"

enum cli_exit {
	CLI_DONE = 0,
	CLI_REFUSED = 1,     /* by the daemon or the exchange; or something else failed */
	CLI_USAGE = 2,       /* the command line is wrong; nothing was sent */
	CLI_UNREACHABLE = 3, /* the daemon did not answer */
	CLI_SIGNAL = 128,    /* + the signal that ended it */
};

struct cli {
	struct args args;
	struct paths paths;
	char *const *rest; /* NULL-terminated: the words of a command that takes any */
	bool is_json;
	struct client *client; /* NULL until the first call */
	int http_status;       /* of the last answer; 0: none came */
};

typedef int cli_command(struct cli *cli);

/* cmd_status.c */
cli_command cmd_status, cmd_health, cmd_limits;
/* cmd_market.c */
cli_command cmd_balances, cmd_markets, cmd_price;
/* cmd_orders.c */
cli_command cmd_orders, cmd_order, cmd_fills, cmd_journal_events;
/* cmd_trade.c */
cli_command cmd_buy, cmd_sell, cmd_cancel, cmd_cancel_all;
/* cmd_token.c */
cli_command cmd_token_create, cmd_token_list, cmd_token_revoke;
/* cmd_admin.c */
cli_command cmd_unlock, cmd_lock, cmd_rotate_api_key;
/* cmd_journal.c */
cli_command cmd_journal_sql;
/* cmd_tail.c */
cli_command cmd_tail;
/* cmd_streams.c */
cli_command cmd_streams, cmd_streams_stop, cmd_streams_start;
/* cmd_reconcile.c */
cli_command cmd_reconcile;
/* cmd_config.c */
cli_command cmd_config_check, cmd_config_print;

/* The exit status; anything but CLI_DONE was explained on stderr already. CLI_DONE means a status
 * below 400 and answer->json not NULL, unless the status is 204. answer_fini() in any case. */
int cli_call(struct cli *cli, const struct client_request *request, struct answer *answer);
int cli_get(struct cli *cli, const char *target, struct answer *answer);
int cli_post(struct cli *cli, const char *target, const char *body, struct answer *answer);
int cli_delete(struct cli *cli, const char *target, struct answer *answer);

/* Makes cli->client, for commands that call it themselves; CLI_DONE, or it is explained. */
int cli_connect(struct cli *cli);
/* Says on stderr why the daemon refused: its problem document, with --json as it came. */
void cli_explain(const struct cli *cli, const struct answer *answer);

/* GETs target and prints it: with --json as it came, else by print. */
int cli_show(struct cli *cli, const char *target, void (*print)(const json_t *json));
void cli_print_raw(const struct answer *answer);
/* After a 404 for an order, without --all: says that others have orders too. */
void cli_hint_owner(const struct cli *cli);

int cli_fail(const struct err *err); /* says it on stderr; the exit status for its code */
int cli_usage(const char *text);     /* CLI_USAGE */
void cli_note(const char *format, ...) PRINTF_LIKE(1, 2); /* a line on stderr */
#endif
