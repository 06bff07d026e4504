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
	const char *name;         /* one word or two */
	const char *operands;     /* "SYM QTY": each is needed; "..." takes any words, flags too */
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

static const struct flag token_flags[] = {
	{ "--scope", "LIST", "what it may do: market,read,trade,ops,admin", true },
	{ "--symbol", "LIST", "only these symbols", true },
	{ "--max-order-value", "AMOUNT", "largest order, in quote units", false },
	{ "--max-open-orders", "N", "open orders at once", false },
	{ "--weight", "N", "share of the exchange's rate limit, against other tokens (1)", false },
	{ "--expires", "TIME", "2026-12-31T00:00:00Z, or from now: +24h, +30d", false },
	{ 0 },
};

static const struct command commands[] = {
	{ "token create", "NAME",
	  "make a token for an app, and print it alone\n"
	  "It is shown this once. Give it the scopes that the app needs, and no more.",
	  token_flags, cmd_token_create },
	{ "token list", "", "list the tokens, revoked ones too", NULL, cmd_token_list },
	{ "token revoke", "TOKEN_ID", "make a token worthless at once", NULL, cmd_token_revoke },
};

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

static bool check_operands(const struct command *command, size_t count, struct err *err)
{
	const char *wanted = command->operands;
	size_t needed = *wanted != '\0';

	for (const char *at = wanted; *at; at++)
		needed += *at == ' ';
	if (count == needed || takes_any(command))
		return true;
	if (needed == 0)
		return err_set(err, ERR_USAGE, "%s takes no operand", command->name);
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
