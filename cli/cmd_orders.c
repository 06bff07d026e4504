/* The commands that look at orders, their history and their fills. */
#include "cli/cli.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/print.h"
#include "cli/show.h"
#include "cli/target.h"

#define ORDERS_PATH "/v1/orders"
#define EVENTS_PAGE "500" /* the most that a page may have */

/* --limit and --cursor of lists; --all is for orders of every app. */
static void add_page(struct buf *target, const struct args *args)
{
	target_query(target, "owner", args_has(args, "--all") ? "any" : NULL);
	target_query(target, "limit", args_get(args, "--limit"));
	target_query(target, "cursor", args_get(args, "--cursor"));
}

static void print_orders(const json_t *page)
{
	show_orders(print_find(page, "data"));
	show_next(page);
}

/* For an operator, who has none: it is the apps that trade. */
static void print_own_orders(const json_t *page)
{
	print_orders(page);
	if (json_array_size(print_find(page, "data")) == 0)
		cli_note("none of your own; --all shows those of every app");
}

static bool add_state(void *arg, const char *state, struct err *err)
{
	(void)err;
	target_query(arg, "state", state);
	return true;
}

int cmd_orders(struct cli *cli)
{
	struct buf target;
	struct err err;
	int status;

	target_init(&target, ORDERS_PATH);
	target_query(&target, "symbol", args_get(&cli->args, "--symbol"));
	add_page(&target, &cli->args);
	if (args_each(&cli->args, "--state", add_state, &target, &err))
		status = cli_show(cli, buf_str(&target),
				  args_has(&cli->args, "--all") ? print_orders : print_own_orders);
	else
		status = cli_fail(&err);
	buf_fini(&target);
	return status;
}

/* GETs the order that ID names, or what lies below it. */
static int show_named(struct cli *cli, const char *below, const char *limit,
		      void (*print)(const json_t *json))
{
	struct buf target;
	int status;

	target_init(&target, ORDERS_PATH);
	target_segment(&target, cli->args.operands[0]);
	buf_add_str(&target, below);
	add_page(&target, &cli->args);
	if (!args_has(&cli->args, "--limit"))
		target_query(&target, "limit", limit);
	status = cli_show(cli, buf_str(&target), print);
	cli_hint_owner(cli);
	buf_fini(&target);
	return status;
}

int cmd_order(struct cli *cli)
{
	return show_named(cli, "", NULL, show_order);
}

static void print_events(const json_t *page)
{
	static const struct column columns[] = {
		{ "AT", "at", PRINT_TEXT },
		{ "EVENT", "event", PRINT_TEXT },
		{ "STATE", "state", PRINT_TEXT },
		{ "CAUSE", "cause", PRINT_TEXT },
		{ "HTTP", "http_status", PRINT_RIGHT },
		{ "CODE", "exchange_code", PRINT_RIGHT },
		{ "DETAIL", "detail", PRINT_TEXT },
	};

	print_rows(stdout, print_find(page, "data"), columns, ARRAY_LEN(columns));
	show_next(page);
}

int cmd_journal_events(struct cli *cli)
{
	return show_named(cli, "/events", EVENTS_PAGE, print_events);
}

static void print_fills(const json_t *page)
{
	show_fills(print_find(page, "data"));
	show_next(page);
}

int cmd_fills(struct cli *cli)
{
	struct buf target;
	int status;

	target_init(&target, "/v1/fills");
	target_query(&target, "symbol", args_get(&cli->args, "--symbol"));
	target_query(&target, "order_id", args_get(&cli->args, "--order"));
	target_query(&target, "since", args_get(&cli->args, "--since"));
	add_page(&target, &cli->args);
	status = cli_show(cli, buf_str(&target), print_fills);
	buf_fini(&target);
	return status;
}
