/* The commands that look at orders, their history and their fills. */
#include "cli/cli.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/print.h"
#include "cli/show.h"
#include "cli/target.h"

#define ORDERS_PATH "/v1/orders"
#define EVENTS_PAGE "500"

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
		status = cli_show(cli, buf_str(&target), print_orders);
	else
		status = cli_fail(&err);
	buf_fini(&target);
	return status;
}

static void init_order_target(struct buf *target, const struct cli *cli)
{
	target_init(target, ORDERS_PATH);
	target_segment(target, cli->args.operands[0]);
}

int cmd_order(struct cli *cli)
{
	struct buf target;
	int status;

	init_order_target(&target, cli);
	target_query(&target, "owner", args_has(&cli->args, "--all") ? "any" : NULL);
	status = cli_show(cli, buf_str(&target), show_order);
	buf_fini(&target);
	return status;
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
	struct buf target;
	int status;

	init_order_target(&target, cli);
	buf_add_str(&target, "/events");
	add_page(&target, &cli->args);
	if (!args_has(&cli->args, "--limit"))
		target_query(&target, "limit", EVENTS_PAGE);
	status = cli_show(cli, buf_str(&target), print_events);
	buf_fini(&target);
	return status;
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
