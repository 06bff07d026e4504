/* deltagate: the command line. Finds the command in one table, reads its flags, runs it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/version.h"
#include "cli/cli.h"

#define NAME_WIDTH 28

struct command {
	const char *name; /* one word or two */
	/* "SYM QTY": each is needed. "CHANNEL...": one or more. "..." takes any words, flags too.
	 */
	const char *operands;
	const char *help;         /* the first line is shown in the list */
	const struct flag *flags; /* NULL: none of its own */
	cli_command *run;
};

static const struct flag global_flags[] = {
	{ "--data-dir", "DIR", "the daemon's data directory, with its socket and journal", false },
	{ "--socket", "PATH", "the daemon's socket, where it is not in the data directory", false },
	{ "--url", "URL", "ask there instead; needs --token-file", false },
	{ "--token-file", "FILE", "holds a token; only its owner may read it", false },
	{ "--json", NULL, "print what the daemon said, for programs", false },
	{ "--help", NULL, "say more about a command", false },
	{ "--version", NULL, "print the version", false },
	{ 0 },
};

/* ---- the commands ------------------------------------------------------------------------- */

#define FLAG_ALL                                                                    \
	{                                                                           \
		"--all", NULL, "of every app, not only your own (scope ops)", false \
	}
#define FLAG_PAGE                                                              \
	{ "--limit", "N", "how many at most (100)", false },                   \
	{                                                                      \
		"--cursor", "CURSOR", "go on where the last list ended", false \
	}
#define FLAG_WAIT                                                                         \
	{ "--wait", "S", "seconds to wait for what becomes of it, up to 60 (5)", false }, \
	{                                                                                 \
		"--async", NULL, "do not wait", false                                     \
	}

static const struct flag orders_flags[] = {
	{ "--state", "LIST", "only these states: open,partially_filled,unknown ...", true },
	{ "--symbol", "SYM", "only this pair", false },
	FLAG_ALL,
	FLAG_PAGE,
	{ 0 },
};

static const struct flag order_flags[] = { FLAG_ALL, { 0 } };

static const struct flag fills_flags[] = {
	{ "--symbol", "SYM", "only this pair", false },
	{ "--order", "ORDER_ID", "only of this order", false },
	{ "--since", "TIME", "only from then on: 2026-12-31T00:00:00Z", false },
	FLAG_ALL,
	FLAG_PAGE,
	{ 0 },
};

static const struct flag trade_flags[] = {
	{ "--price", "P", "limit price", false },
	{ "--market", NULL, "a market order, with --slippage or --unbounded", false },
	{ "--slippage", "BP", "how much worse than the market it may get, in basis points", false },
	{ "--unbounded", NULL, "at any price", false },
	{ "--quote", NULL, "QTY is in quote units", false },
	{ "--post-only", NULL, "refuse rather than take from the book", false },
	{ "--id", "CLIENT_ORDER_ID", "your own name for it; made if not given", false },
	{ "--valid-until", "TIME", "do not send it later: 2026-12-31T00:00:00Z, +30s", false },
	FLAG_WAIT,
	{ 0 },
};

static const struct flag cancel_flags[] = { FLAG_ALL, FLAG_WAIT, { 0 } };

static const struct flag events_flags[] = { FLAG_ALL, FLAG_PAGE, { 0 } };

static const struct flag token_flags[] = {
	{ "--scope", "LIST", "what it may do: market,read,trade,ops,admin", true },
	{ "--symbol", "LIST", "only these pairs", true },
	{ "--max-order-value", "AMOUNT", "largest order, in quote units", false },
	{ "--max-open-orders", "N", "open orders at once", false },
	{ "--weight", "N", "share of the exchange's rate limit, against other tokens (1)", false },
	{ "--expires", "TIME", "2026-12-31T00:00:00Z, or from now: +24h, +30d", false },
	{ 0 },
};

static const struct flag tail_flags[] = {
	FLAG_ALL,
	{ "--no-snapshot", NULL, "only what happens, not how it is at first", false },
	{ "--count", "N", "end after so many events", false },
	{ "--after", "POSITION", "go on where an earlier tail ended, as it said", false },
	{ "--wait", NULL, "for a daemon that is not there yet", false },
	{ 0 },
};

static const struct flag secret_flags[] = {
	{ "--file", "FILE", "holds the secret; only its owner may read it", false },
	{ 0 },
};

/* clang-format off: one command, a few lines */
static const struct command commands[] = {
	{ "status", "", "how the daemon is, in a few lines", NULL, cmd_status },
	{ "health", "", "how the daemon is, in full", NULL, cmd_health },
	{ "limits", "", "the exchange's rate limit, and who waits for it", NULL, cmd_limits },
	{ "balances", "", "what the account holds", NULL, cmd_balances },
	{ "markets", "", "the pairs and their precision", NULL, cmd_markets },
	{ "price", "SYM", "the last price of a pair", NULL, cmd_price },
	{ "orders", "", "list orders, newest first", orders_flags, cmd_orders },
	{ "order", "ID",
	  "everything about one order\n"
	  "ID is ord_..., client:CLIENT_ORDER_ID or exch:UUID.",
	  order_flags, cmd_order },
	{ "fills", "", "list executions, newest last", fills_flags, cmd_fills },
	{ "buy", "SYM QTY",
	  "place an order to buy\n"
	  "Waits a few seconds for what becomes of it. When the answer is lost, the order can be\n"
	  "found by its client order id; the same command with the same --id never buys twice.",
	  trade_flags, cmd_buy },
	{ "sell", "SYM QTY",
	  "place an order to sell\n"
	  "Waits a few seconds for what becomes of it. When the answer is lost, the order can be\n"
	  "found by its client order id; the same command with the same --id never sells twice.",
	  trade_flags, cmd_sell },
	{ "cancel", "ID", "take an order off the book", cancel_flags, cmd_cancel },
	{ "cancel-all", "SYM", "take all orders of a pair off the book", cancel_flags,
	  cmd_cancel_all },
	{ "tail", "CHANNEL...",
	  "print events as they happen\n"
	  "Channels: orders, fills, balances (account is all three), system; depth:SYM, "
	  "price:SYM,\n"
	  "trades:SYM. Connects again by itself and goes on where it was. What could not be had "
	  "is\n"
	  "told on stderr, and then the exit status is 1. Ctrl-C ends it.",
	  tail_flags, cmd_tail },
	{ "streams stop", "NAME",
	  "stop following a stream of the exchange\n"
	  "Until streams start, or the daemon's restart.",
	  NULL, cmd_streams_stop },
	{ "streams start", "NAME", "follow it again", NULL, cmd_streams_start },
	{ "streams", "", "the exchange's streams, and how each is", NULL, cmd_streams },
	{ "reconcile", "",
	  "hold the journal against the exchange now\n"
	  "What differs is in the journal, too: v_reconciliation.",
	  NULL, cmd_reconcile },
	{ "token create", "NAME",
	  "make a token for an app, and print it alone\n"
	  "It is shown this once. Give it the scopes that the app needs, and no more.",
	  token_flags, cmd_token_create },
	{ "token list", "", "list the tokens, revoked ones too", NULL, cmd_token_list },
	{ "token revoke", "TOKEN_ID", "make a token worthless at once", NULL, cmd_token_revoke },
	{ "unlock", "",
	  "open the operation key with the trading password\n"
	  "Asks for it at a terminal, else reads it from stdin; it is never an argument.",
	  secret_flags, cmd_unlock },
	{ "lock", "", "wipe the operation key: new orders are refused", NULL, cmd_lock },
	{ "rotate-api-key", "",
	  "give the daemon another API key of the exchange\n"
	  "Asks for it at a terminal, else reads it from stdin; it is never an argument.",
	  secret_flags, cmd_rotate_api_key },
	{ "journal sql", "QUERY",
	  "ask the journal's file, which is only read\n"
	  "One statement. v_orders, v_open_orders, v_fills and v_audit are made for it.",
	  NULL, cmd_journal_sql },
	{ "journal events", "ORDER_ID", "every step of an order, as it was journalled",
	  events_flags, cmd_journal_events },
	{ "config check", "...",
	  "whether a configuration is complete and right\n"
	  "All further words go to deltagated --check-config.",
	  NULL, cmd_config_check },
	{ "config print", "...",
	  "every setting, and where it comes from\n"
	  "All further words go to deltagated --print-config.",
	  NULL, cmd_config_print },
};
/* clang-format on */

/* ---- help -------------------------------------------------------------------------------- */

static void print_flags(const struct flag *flags)
{
	char name[64];

	for (; flags && flags->name; flags++) {
		snprintf(name, sizeof(name), "%s %s", flags->name,
			 flags->value ? flags->value : "");
		printf("  %-*s  %s\n", NAME_WIDTH, name, flags->help);
	}
}

static void print_help(void)
{
	char name[64];

	puts("Usage: deltagate [FLAGS] COMMAND ...\n\n"
	     "Talks to deltagated, the local gateway to DeltaDeFi, over its Unix socket.\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		snprintf(name, sizeof(name), "%s %s", commands[i].name, commands[i].operands);
		printf("  %-*s  %.*s\n", NAME_WIDTH, name, (int)strcspn(commands[i].help, "\n"),
		       commands[i].help);
	}
	puts("\nFlags of every command:");
	print_flags(global_flags);
	puts("\nExit status: 0 done, 1 refused or failed, 2 usage, 3 the daemon does not answer.");
}

static void print_command_help(const struct command *command)
{
	printf("Usage: deltagate %s%s%s%s\n\n%s\n", command->name, *command->operands ? " " : "",
	       command->operands, command->flags ? " [FLAGS]" : "", command->help);
	if (command->flags)
		putchar('\n');
	print_flags(command->flags);
	puts("\nFlags of every command:");
	print_flags(global_flags);
}

/* ---- the command ------------------------------------------------------------------------- */

/* Words is at the command's name; the number of words it has, 0 when this is not it. */
static size_t match(const struct command *command, char *const *words)
{
	size_t first = strcspn(command->name, " ");

	if (strlen(words[0]) != first || strncmp(words[0], command->name, first) != 0)
		return 0;
	if (command->name[first] == '\0')
		return 1;
	return words[1] && strcmp(words[1], command->name + first + 1) == 0 ? 2 : 0;
}

static const struct command *find_command(char *const **words)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		size_t used = match(&commands[i], *words);

		*words += used;
		if (used > 0)
			return &commands[i];
	}
	return NULL;
}

static bool takes_any(const struct command *command)
{
	return strcmp(command->operands, "...") == 0;
}

static bool takes_many(const struct command *command)
{
	size_t len = strlen(command->operands);

	return len > 3 && strcmp(command->operands + len - 3, "...") == 0;
}

static bool check_operands(const struct command *command, size_t count, struct err *err)
{
	const char *wanted = command->operands;
	size_t needed = *wanted != '\0';

	for (const char *at = wanted; *at; at++)
		needed += *at == ' ';
	if (count == needed || takes_any(command) || (takes_many(command) && count > 0))
		return true;
	if (needed == 0)
		return err_set(err, ERR_USAGE, "%s takes no operand", command->name);
	if (takes_many(command))
		return err_set(err, ERR_USAGE, "%s needs %s", command->name, wanted);
	return err_set(err, ERR_USAGE, "%s takes %s, nothing more and nothing less", command->name,
		       wanted);
}

/* Words of another program's command line are its own, but for a leading --help. */
static bool parse_rest(struct cli *cli, const struct command *command, char *const *words,
		       struct err *err)
{
	cli->rest = words;
	if (!takes_any(command))
		return args_parse(&cli->args, words, command->flags, global_flags, err);
	if (*words && strcmp(*words, "--help") == 0)
		return args_parse_leading(&cli->args, &words, global_flags, err);
	return true;
}

static bool check_way(const struct args *args, struct err *err)
{
	bool is_local = args_has(args, "--socket") || args_has(args, "--data-dir");

	if (args_has(args, "--url") && !args_has(args, "--token-file"))
		return err_set(err, ERR_USAGE, "--url needs --token-file");
	if (args_has(args, "--url") && is_local)
		return err_set(err, ERR_USAGE, "either --url, or --data-dir and --socket");
	return true;
}

/* stdout may be a full disk. */
static int flush(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	cli_note("what was to be printed could not be written");
	return status == CLI_DONE ? CLI_REFUSED : status;
}

static int run(struct cli *cli, const struct command *command)
{
	struct err err;
	bool is_fine = check_operands(command, cli->args.operand_count, &err) &&
		       check_way(&cli->args, &err) &&
		       paths_init(&cli->paths, args_get(&cli->args, "--data-dir"),
				  args_get(&cli->args, "--socket"), &err);
	int status;

	if (!is_fine)
		return cli_fail(&err);
	cli->is_json = args_has(&cli->args, "--json");
	status = command->run(cli);
	client_destroy(cli->client);
	paths_fini(&cli->paths);
	return status;
}

static int find_and_run(struct cli *cli, char *const *words)
{
	const struct command *command;
	struct err err;

	if (!args_parse_leading(&cli->args, &words, global_flags, &err))
		return cli_fail(&err);
	if (args_has(&cli->args, "--version")) {
		puts("deltagate " DELTAGATE_VERSION);
		return CLI_DONE;
	}
	if (!*words && args_has(&cli->args, "--help")) {
		print_help();
		return CLI_DONE;
	}
	if (!*words)
		return cli_usage("a command is needed; see deltagate --help");
	command = find_command(&words);
	if (!command)
		return cli_usage("no such command; see deltagate --help");
	if (!parse_rest(cli, command, words, &err))
		return cli_fail(&err);
	if (!args_has(&cli->args, "--help"))
		return run(cli, command);
	print_command_help(command);
	return CLI_DONE;
}

int main(int argc, char **argv)
{
	const struct rlimit none = { 0, 0 };
	struct cli cli = { 0 };
	bool is_locked; /* nothing here outlives a prompt: no warning */
	struct err err;

	(void)setrlimit(RLIMIT_CORE, &none);
	if (argc < 1 || !secret_init(&is_locked, &err))
		return CLI_REFUSED;
	return flush(find_and_run(&cli, argv + 1));
}
